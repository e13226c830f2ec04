/* Names, ping, the time, and which DNS servers are asked. */
#include "virtual_internal.h"

#include <stdio.h>
#include <string.h>

static struct at_str string(const char *text)
{
    return (struct at_str){ text, strlen(text) };
}

/* ---- QPING --------------------------------------------------------------- */

int vm_qping(struct virtual_module *vm, const union bc26_request *request)
{
    const struct bc26_qping *ping = &request->qping;
    char host[VM_HOST_MAX + 1];

    vm_copy(host, sizeof host, ping->host);
    int err = net_ping(vm->net, host, ping->has_time_out ? (unsigned)ping->time_out : 4u,
                       ping->has_ping_num ? (unsigned)ping->ping_num : 4u,
                       ping->has_ping_size ? (unsigned)ping->ping_size : 32u);
    vm->pinging |= err == NET_OK;
    return err;
}

void vm_ping_reply(void *ctx, int err, const char *ip, unsigned bytes, uint32_t time_ms,
                   unsigned ttl)
{
    struct virtual_module *vm = ctx;
    bool came = err == NET_OK;
    struct bc26_qping_result result = {
        .result = err,
        .has_ip_address = came, .ip_address = string(ip),
        .has_bytes = came, .bytes = (int32_t)bytes,
        .has_time = came, .time = (int32_t)time_ms,
        .has_ttl = came, .ttl = (int32_t)ttl,
    };
    char text[VM_TEXT_MAX];

    vm_later(vm, VM_TEXT, -1, text, bc26_qping_result_encode(&result, text, sizeof text, NULL));
}

/* Of failures as a whole 565 and 561 are known, one line and nothing after it. */
static void ping_failed(struct virtual_module *vm, int err)
{
    struct bc26_qping_result result = {
        .result = err == NET_DNS ? BC26_ERROR_DNS_PARSE : BC26_ERROR_OPEN_PDP
    };
    char text[VM_TEXT_MAX];

    vm_say(vm, "ping: %s", net_reason(vm->net));
    vm->error = result.result;
    vm_later(vm, VM_TEXT, -1, text, bc26_qping_result_encode(&result, text, sizeof text, NULL));
}

void vm_ping_done(void *ctx, const struct net_ping_summary *summary)
{
    struct virtual_module *vm = ctx;
    bool any = summary->received > 0;
    struct bc26_qping_summary_result result = {
        .finresult = BC26_ERROR_SUCCESS,
        .has_sent = true, .sent = (int32_t)summary->sent,
        .has_rcvd = true, .rcvd = (int32_t)summary->received,
        .has_lost = true, .lost = (int32_t)summary->lost,
        .has_min = any, .min = (int32_t)summary->min,
        .has_max = any, .max = (int32_t)summary->max,
        .has_avg = any, .avg = (int32_t)summary->average,
    };
    char text[VM_TEXT_MAX];

    vm->pinging = false;
    if (summary->err != NET_OK) {
        ping_failed(vm, summary->err);
        return;
    }
    vm->error = any ? BC26_ERROR_SUCCESS : BC26_ERROR_TIMEOUT;
    vm_later(vm, VM_TEXT, -1, text,
             bc26_qping_summary_result_encode(&result, text, VM_TEXT_MAX, NULL));
}

/* ---- QNTP ---------------------------------------------------------------- */

/* <autosettime> is taken and changes nothing: no command of this manual
 * reads the module's clock. */
int vm_qntp(struct virtual_module *vm, const union bc26_request *request)
{
    char server[VM_HOST_MAX + 1];

    vm_copy(server, sizeof server, request->qntp.server);
    int err = net_ntp(vm->net, server,
                      request->qntp.has_port ? (uint16_t)request->qntp.port : 0);
    vm->timing |= err == NET_OK;
    return err;
}

void vm_ntp(void *ctx, int err, const struct net_time *utc)
{
    struct virtual_module *vm = ctx;
    struct bc26_qntp_result result = { .err = err, .has_time = utc != NULL };
    char time[VM_TEXT_MAX], text[VM_TEXT_MAX];

    vm->timing = false;
    vm->error = err;
    if (utc != NULL) {
        /* The time of the zone 0, in quarter hours. */
        (void)snprintf(time, sizeof time, "%02d/%02d/%02d,%02d:%02d:%02d+0", utc->year % 100,
                       utc->month, utc->day, utc->hour, utc->minute, utc->second);
        result.time = string(time);
    } else {
        vm_say(vm, "ntp: %s", net_reason(vm->net));
    }
    vm_later(vm, VM_TEXT, -1, text, bc26_qntp_result_encode(&result, text, sizeof text, NULL));
}

/* ---- QIDNSGIP ------------------------------------------------------------ */

int vm_qidnsgip(struct virtual_module *vm, const union bc26_request *request)
{
    char name[VM_HOST_MAX + 1];

    vm_copy(name, sizeof name, request->qidnsgip.hostname);
    /* Results name no host: two at once couldn't be told apart. */
    int err = vm->resolving > 0 ? BC26_ERROR_DNS_BUSY : net_resolve(vm->net, name, NET_ANY, NULL);
    vm->resolving += err == NET_OK;
    return err;
}

/* One more line of a block. */
static size_t add_address(char *text, size_t size, size_t len, const char *address)
{
    struct bc26_dnsgip_address_urc urc = { .host_ip_addr = string(address) };

    if (len > 0) {
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): text has a length */
        memcpy(text + len, "\r\n", 2);
        len += 2;
    }
    int n = bc26_dnsgip_address_urc_encode(&urc, text + len, size - len, NULL);
    return n > 0 ? len + (size_t)n : len;
}

/* Addresses stand in one block; those of IPv4 first, which QIOPEN takes as
 * they are. */
static void later_addresses(struct virtual_module *vm, const char *const *addresses,
                            size_t count)
{
    char text[NET_ADDRESSES_MAX * VM_TEXT_MAX];
    size_t len = 0;

    for (int ipv6 = 0; ipv6 < 2; ipv6++)
        for (size_t i = 0; i < count && i < NET_ADDRESSES_MAX; i++)
            if ((strchr(addresses[i], ':') != NULL) == ipv6)
                len = add_address(text, sizeof text, len, addresses[i]);
    vm_later(vm, VM_TEXT, -1, text, (int)len);
}

void vm_resolved(void *ctx, void *cookie, int err, const char *const *addresses, size_t count,
                 uint32_t ttl)
{
    struct virtual_module *vm = ctx;
    bool found = err == NET_OK;
    struct bc26_dnsgip_urc urc = { .err = err,
                                   .has_ip_count = found, .ip_count = (int32_t)count,
                                   .has_dns_ttl = found,
                                   .dns_ttl = ttl > INT32_MAX ? INT32_MAX : (int32_t)ttl };
    char text[VM_TEXT_MAX];

    (void)cookie;
    vm->resolving--;
    vm->error = err;
    vm_later(vm, VM_TEXT, -1, text, bc26_dnsgip_urc_encode(&urc, text, sizeof text, NULL));
    if (found)
        later_addresses(vm, addresses, count);
}

/* ---- QIDNSCFG ------------------------------------------------------------ */

/* Before any was chosen only OK, as firmware has been seen to answer. */
int vm_qidnscfg_query(struct virtual_module *vm, const union bc26_request *request)
{
    struct bc26_qidnscfg_response line = { .context_id = request->qidnscfg_query.context_id,
                                           .pridnsaddr = string(vm->dns[0]),
                                           .has_secdnsaddr = vm->dns[1][0] != '\0',
                                           .secdnsaddr = string(vm->dns[1]) };
    char text[VM_TEXT_MAX];

    if (vm->dns[0][0] != '\0')
        vm_line(vm, text, bc26_qidnscfg_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

int vm_qidnscfg(struct virtual_module *vm, const union bc26_request *request)
{
    const struct bc26_qidnscfg *dns = &request->qidnscfg;
    char servers[2][VM_IP_MAX + 1] = { "", "" };

    vm_copy(servers[0], sizeof servers[0], dns->pridnsaddr);
    if (dns->has_secdnsaddr)
        vm_copy(servers[1], sizeof servers[1], dns->secdnsaddr);
    int err = net_set_dns(vm->net, servers[0], dns->has_secdnsaddr ? servers[1] : NULL);
    if (err == NET_OK)
        memcpy(vm->dns, servers, sizeof vm->dns);
    return err;
}

/* Ping: ICMP echo over IPv4. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ECHO_REPLY 0
#define ECHO_REQUEST 8
#define ICMP_HEADER 8u
#define IP_HEADER_MAX 60u
#define INTERVAL_MS 1000u

/* ---- the socket ---------------------------------------------------------- */

static bool prepare(int fd)
{
    int one = 1;
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof one) == 0;
}

/* Most systems let everybody have a datagram socket for ICMP; else it takes
 * root and a raw one. */
static bool open_socket(struct net *net)
{
    struct net_ping *ping = &net->ping;

    ping->fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    ping->raw = ping->fd < 0;
    if (ping->raw)
        ping->fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (ping->fd >= 0 && prepare(ping->fd))
        return true;
    net_because(net, "ping isn't allowed (%s); as root: "
                "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"", strerror(errno));
    return false;
}

/* ---- a request ----------------------------------------------------------- */

static uint16_t checksum(const uint8_t *at, size_t len)
{
    uint32_t sum = 0;

    for (; len > 1; at += 2, len -= 2)
        sum += net_get16(at);
    if (len > 0)
        sum += (uint32_t)at[0] << 8;
    while (sum >> 16)
        sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The data: as much of the token as fits, and then what ping always sends. */
static void fill(const struct net_ping *ping, uint8_t *data)
{
    for (unsigned i = 0; i < ping->size; i++)
        data[i] = i < sizeof ping->token ? ping->token[i] : (uint8_t)i;
}

/* A request that can't be sent is one that gets no reply. */
static void send_request(struct net *net)
{
    struct net_ping *ping = &net->ping;
    uint8_t packet[ICMP_HEADER + NET_PING_SIZE_MAX] = { ECHO_REQUEST, 0 };
    unsigned seq = ping->sent++;

    net_put16(packet + 4, ping->id);
    net_put16(packet + 6, (uint16_t)seq);
    fill(ping, packet + ICMP_HEADER);
    net_put16(packet + 2, checksum(packet, ICMP_HEADER + ping->size));
    ping->request[seq].waiting = true;
    ping->request[seq].sent_at = net_now(net);
    ping->next_at = ping->request[seq].sent_at + INTERVAL_MS;
    ping->waiting++;
    (void)sendto(ping->fd, packet, ICMP_HEADER + ping->size, 0, &ping->to.any,
                 net_address_size(&ping->to));
}

/* ---- a reply ------------------------------------------------------------- */

struct reply {
    uint8_t packet[IP_HEADER_MAX + ICMP_HEADER + NET_PING_SIZE_MAX];
    const uint8_t *icmp;
    size_t len;  /* of the ICMP message */
    union net_address from;
    unsigned ttl;
};

static unsigned find_ttl(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        int ttl;
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_TTL)
            continue;
        memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
        return (unsigned)ttl;
    }
    return 0;
}

/* Reads one message; false when there's none. Its len is 0 if it's bad. */
static bool read_reply(const struct net_ping *ping, struct reply *reply)
{
    union {
        struct cmsghdr align;
        uint8_t bytes[128];
    } control;
    struct iovec part = { reply->packet, sizeof reply->packet };
    struct msghdr message;

    memset(&message, 0, sizeof message);
    message.msg_name = &reply->from;
    message.msg_namelen = sizeof reply->from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    ssize_t n = recvmsg(ping->fd, &message, 0);
    if (n < 0)
        return false;
    /* A raw socket hands over the IP header too. */
    size_t head = ping->raw && n > 0 ? (reply->packet[0] & 15u) * 4u : 0;
    bool good = (size_t)n >= head + ICMP_HEADER && !(message.msg_flags & MSG_TRUNC);
    reply->icmp = reply->packet + head;
    reply->len = good ? (size_t)n - head : 0;
    reply->ttl = find_ttl(&message);
    return true;
}

/* Whether it answers a request of ours that still waits, and which. A
 * datagram socket has an id of its own and sees replies to it alone. */
static bool match(const struct net_ping *ping, const struct reply *reply, unsigned *seq)
{
    uint8_t data[NET_PING_SIZE_MAX];

    if (reply->len != ICMP_HEADER + ping->size || reply->icmp[0] != ECHO_REPLY)
        return false;
    *seq = net_get16(reply->icmp + 6);
    if (*seq >= ping->sent || !ping->request[*seq].waiting)
        return false;
    if (ping->raw && net_get16(reply->icmp + 4) != ping->id)
        return false;
    fill(ping, data);
    return memcmp(reply->icmp + ICMP_HEADER, data, ping->size) == 0;
}

static void tell_reply(struct net *net, const struct reply *reply, unsigned seq)
{
    struct net_ping *ping = &net->ping;
    uint32_t time = net_now(net) - ping->request[seq].sent_at;
    char ip[NET_ADDRESS_TEXT];

    net_print_address(&reply->from, ip);
    ping->request[seq].waiting = false;
    ping->waiting--;
    if (ping->received == 0 || time < ping->min)
        ping->min = time;
    if (time > ping->max)
        ping->max = time;
    ping->total += time;
    ping->received++;
    if (net->events->ping_reply != NULL)
        net->events->ping_reply(net->ctx, NET_OK, ip, ping->size, time, reply->ttl);
}

static void receive(struct net *net)
{
    struct reply reply;
    unsigned seq;

    for (int turn = 0; turn < 4 * NET_TURNS && read_reply(&net->ping, &reply); turn++)
        if (match(&net->ping, &reply, &seq))
            tell_reply(net, &reply, seq);
}

static void give_up_late(struct net *net)
{
    struct net_ping *ping = &net->ping;

    for (unsigned seq = 0; seq < ping->sent; seq++) {
        if (!ping->request[seq].waiting ||
            !net_due(net, ping->request[seq].sent_at + ping->timeout_s * 1000u))
            continue;
        ping->request[seq].waiting = false;
        ping->waiting--;
        ping->lost++;
        if (net->events->ping_reply != NULL)
            net->events->ping_reply(net->ctx, NET_TIMEOUT, "", 0, 0, 0);
    }
}

/* ---- the whole ----------------------------------------------------------- */

int net_ping(struct net *net, const char *host, unsigned timeout_s, unsigned count,
             unsigned size)
{
    struct net_ping *ping = &net->ping;
    union net_address literal;

    if (!net_good_host(host) || timeout_s < 1 || timeout_s > 255 || count < 1 ||
        count > NET_PING_MAX || size > NET_PING_SIZE_MAX)
        return NET_INVALID;
    if (ping->active)
        return NET_BUSY;
    memset(ping, 0, sizeof *ping);
    ping->active = true;
    ping->fd = -1;
    ping->timeout_s = timeout_s;
    ping->count = count;
    ping->size = size;
    net_random(&ping->id, sizeof ping->id);
    net_random(ping->token, sizeof ping->token);
    if (net_parse_address(host, &literal) && literal.any.sa_family == AF_INET6) {
        net_because(net, "the module doesn't ping IPv6 addresses");
        ping->err = NET_NOT_SUPPORTED;
    } else if (!open_socket(net)) {
        ping->err = NET_NOT_SUPPORTED;
    } else {
        net_lookup_start(net, &ping->lookup, host, 0, AF_INET);
    }
    return NET_OK;
}

void net_ping_stop(struct net *net)
{
    net_lookup_stop(&net->ping.lookup);
    if (net->ping.fd >= 0)
        (void)close(net->ping.fd);
    net->ping.fd = -1;
    net->ping.active = false;
}

/* Ended before the event, which may want the next ping. */
static void done(struct net *net, int err)
{
    const struct net_ping *ping = &net->ping;
    struct net_ping_summary summary = {
        .err = err,
        .sent = ping->sent,
        .received = ping->received,
        .lost = ping->lost,
        .min = ping->min,
        .max = ping->max,
        .average = ping->received > 0 ? (uint32_t)(ping->total / ping->received) : 0,
    };

    if (err == NET_DNS)
        net_because(net, "no such host");
    net_ping_stop(net);
    if (net->events->ping_done != NULL)
        net->events->ping_done(net->ctx, &summary);
}

static bool next_due(const struct net *net)
{
    const struct net_ping *ping = &net->ping;

    return ping->sent < ping->count && (ping->waiting == 0 || net_due(net, ping->next_at));
}

void net_ping_step(struct net *net, const struct pollfd *fds, size_t count)
{
    struct net_ping *ping = &net->ping;

    if (!ping->active)
        return;
    net_lookup_step(net, &ping->lookup, fds, count);
    if (ping->err == NET_OK && ping->lookup.state == LOOKUP_DONE) {
        ping->err = ping->lookup.err;
        ping->to = ping->lookup.addresses[0];
        net_lookup_stop(&ping->lookup);
    }
    if (ping->err != NET_OK) {
        done(net, ping->err);
        return;
    }
    receive(net);
    if (ping->lookup.state != LOOKUP_IDLE)
        return;
    give_up_late(net);
    if (next_due(net))
        send_request(net);
    else if (ping->sent == ping->count && ping->waiting == 0)
        done(net, NET_OK);
}

void net_ping_timeout(const struct net *net, int *timeout)
{
    const struct net_ping *ping = &net->ping;

    if (!ping->active)
        return;
    net_lookup_timeout(net, &ping->lookup, timeout);
    if (ping->err != NET_OK || (ping->sent > 0 && ping->waiting == 0))
        *timeout = 0;
    if (ping->sent > 0 && ping->sent < ping->count)
        net_sooner(net, ping->next_at, timeout);
    for (unsigned seq = 0; seq < ping->sent; seq++)
        if (ping->request[seq].waiting)
            net_sooner(net, ping->request[seq].sent_at + ping->timeout_s * 1000u, timeout);
}

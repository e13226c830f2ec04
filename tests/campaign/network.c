#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 4, NEVER_MS = 60000 };

struct said {
    size_t len;
    uint8_t data[NET_TCP_MAX];
};

struct line {
    enum net_state state;
    enum net_kind kind;
    uint32_t due;               /* while it opens */
    int err;
    uint16_t port;
    bool paused, ends;
    uint32_t sent;
    size_t queued;
    struct said queue[QUEUE];
};

struct errand {
    bool active;
    uint32_t due;
    int err;
};

struct net {
    const struct net_events *events;
    void *ctx;
    uint32_t (*clock)(void *);
    void *clock_ctx;
    struct network_script script;
    struct fault_dice dice;
    uint32_t serial;            /* of all that is said */
    struct line lines[NET_SOCKETS];
    struct errand name, time, ping;
    unsigned ping_count, ping_left, ping_came, ping_timeout;
};

/* ---- life ------------------------------------------------------------------ */

struct net *net_new(const struct net_events *events, void *ctx)
{
    struct net *net = calloc(1, sizeof *net);

    if (net != NULL) {
        net->events = events;
        net->ctx = ctx;
    }
    return net;
}

void net_free(struct net *net)
{
    free(net);
}

void network_script(struct net *net, const struct network_script *script)
{
    net->script = *script;
    fault_dice_init(&net->dice, script->seed);
}

void net_set_clock(struct net *net, uint32_t (*now_ms)(void *), void *clock_ctx)
{
    net->clock = now_ms;
    net->clock_ctx = clock_ctx;
}

void net_reset(struct net *net)
{
    memset(net->lines, 0, sizeof net->lines);
    net->name.active = net->time.active = net->ping.active = false;
}

const char *net_reason(const struct net *net)
{
    (void)net;
    return "";
}

static uint32_t now(const struct net *net)
{
    return net->clock(net->clock_ctx);
}

static uint32_t pick(struct net *net, uint32_t n)
{
    return fault_pick(&net->dice, n);
}

static bool due(const struct net *net, uint32_t when)
{
    return (int32_t)(when - now(net)) <= 0;
}

/* Mostly soon, at times late. */
static uint32_t soon(struct net *net)
{
    if (net->script.calm)
        return now(net);
    return now(net) + pick(net, pick(net, 16) == 0 ? NEVER_MS : pick(net, 2) == 0 ? 1 : 900);
}

static int outcome(struct net *net, int err)
{
    return !net->script.calm && pick(net, 8) == 0 ? err : NET_OK;
}

static void begin(struct net *net, struct errand *errand, int err)
{
    errand->active = true;
    errand->due = soon(net);
    errand->err = outcome(net, err);
}

/* ---- sockets ----------------------------------------------------------------- */

static struct line *line_of(const struct net *net, int id)
{
    return (struct line *)&net->lines[id];
}

int net_open(struct net *net, int id, enum net_kind kind, const char *host,
             uint16_t remote_port, uint16_t local_port, bool ipv6)
{
    struct line *line = line_of(net, id);

    (void)host, (void)remote_port, (void)ipv6;
    if (line->state != NET_FREE)
        return NET_IN_USE;
    memset(line, 0, sizeof *line);
    line->state = NET_OPENING;
    line->kind = kind;
    line->due = soon(net);
    line->err = outcome(net, NET_CONNECT);
    line->port = local_port != 0 ? local_port : (uint16_t)(1024u + ++net->serial % 60000u);
    return NET_OK;
}

enum net_state net_state(const struct net *net, int id)
{
    return net->lines[id].state;
}

uint16_t net_local_port(const struct net *net, int id)
{
    return net->lines[id].port;
}

int net_send(struct net *net, int id, const void *data, size_t len)
{
    struct line *line = line_of(net, id);

    if (line->state != NET_OPEN)
        return NET_CLOSED;
    if (!net->script.calm && pick(net, 16) == 0)
        return pick(net, 2) == 0 ? NET_BUSY : NET_WRITE;
    line->sent += (uint32_t)len;
    if (net->script.sent != NULL)
        net->script.sent(net->script.ctx, id, data, len);
    return NET_OK;
}

struct net_counters net_counters(const struct net *net, int id)
{
    struct net_counters counters = { .sent = net->lines[id].sent, .acked = net->lines[id].sent };

    return counters;
}

void net_pause(struct net *net, int id, bool paused)
{
    net->lines[id].paused = paused;
}

void net_close(struct net *net, int id)
{
    net->lines[id].state = NET_FREE;
}

bool network_say(struct net *net, int id, const uint8_t *data, size_t len)
{
    struct line *line = line_of(net, id);

    if (line->state != NET_OPEN || line->queued == QUEUE || line->ends)
        return false;
    line->queue[line->queued].len = len;
    memcpy(line->queue[line->queued].data, data, len);
    line->queued++;
    return true;
}

void network_hang_up(struct net *net, int id)
{
    if (net->lines[id].state == NET_OPEN && net->lines[id].kind == NET_TCP)
        net->lines[id].ends = true;
}

static void step_line(struct net *net, int id)
{
    struct line *line = line_of(net, id);

    if (line->state == NET_OPENING && due(net, line->due)) {
        line->state = line->err == NET_OK ? NET_OPEN : NET_FAILED;
        net->events->opened(net->ctx, id, line->err);
    }
    while (line->state == NET_OPEN && line->queued > 0 && !line->paused) {
        struct said said = line->queue[0];
        line->queued--;
        memmove(line->queue, line->queue + 1, line->queued * sizeof said);
        net->events->received(net->ctx, id, said.data, said.len);
    }
    if (line->state == NET_OPEN && line->queued == 0 && line->ends) {
        line->state = NET_ENDED;
        net->events->closed(net->ctx, id);
    }
}

/* ---- names, ping and time ------------------------------------------------------ */

int net_resolve(struct net *net, const char *name, enum net_family family, void *cookie)
{
    (void)name, (void)family, (void)cookie;
    if (net->name.active)
        return NET_DNS_BUSY;
    begin(net, &net->name, NET_DNS);
    return NET_OK;
}

static void step_name(struct net *net)
{
    char text[NET_ADDRESSES_MAX][32];
    const char *addresses[NET_ADDRESSES_MAX];
    size_t count = 1 + pick(net, 4);
    uint32_t serial = ++net->serial;

    net->name.active = false;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text[i], sizeof text[i], "%u.%u.%u.%u", 10u + (unsigned)i,
                       (unsigned)(serial >> 16 & 255u), (unsigned)(serial >> 8 & 255u),
                       (unsigned)(serial & 255u));
        addresses[i] = text[i];
    }
    if (net->name.err != NET_OK)
        count = 0;
    net->events->resolved(net->ctx, NULL, net->name.err, addresses, count, serial);
}

int net_ntp(struct net *net, const char *server, uint16_t port)
{
    (void)server, (void)port;
    if (net->time.active)
        return NET_BUSY;
    begin(net, &net->time, NET_TIMEOUT);
    return NET_OK;
}

static void step_time(struct net *net)
{
    uint32_t serial = ++net->serial;
    struct net_time time = { 2000 + (int)(serial / 1000000u % 100u), 1, 1,
                             (int)(serial / 3600u % 24u), (int)(serial / 60u % 60u),
                             (int)(serial % 60u), 0 };

    net->time.active = false;
    net->events->ntp(net->ctx, net->time.err, net->time.err == NET_OK ? &time : NULL);
}

int net_ping(struct net *net, const char *host, unsigned timeout_s, unsigned count,
             unsigned size)
{
    (void)host, (void)size;
    if (net->ping.active)
        return NET_BUSY;
    begin(net, &net->ping, NET_DNS);
    if (!due(net, net->ping.due + 1000u * timeout_s))
        net->ping.due = now(net);
    net->ping_count = net->ping_left = count;
    net->ping_timeout = timeout_s;
    net->ping_came = 0;
    return NET_OK;
}

static void end_ping(struct net *net)
{
    bool any = net->ping_came > 0;
    struct net_ping_summary summary = { .err = net->ping.err };

    net->ping.active = false;
    if (net->ping.err == NET_OK) {
        summary.sent = net->ping_count;
        summary.received = net->ping_came;
        summary.lost = net->ping_count - net->ping_came;
        summary.min = any ? 1 : 0;
        summary.max = summary.average = any ? ++net->serial : 0;
    }
    net->events->ping_done(net->ctx, &summary);
}

static void step_ping(struct net *net)
{
    bool lost = outcome(net, NET_TIMEOUT) != NET_OK || net->ping_timeout == 1;

    if (net->ping.err != NET_OK || net->ping_left == 0) {
        end_ping(net);
        return;
    }
    net->ping_left--;
    net->ping_came += !lost;
    net->ping.due = now(net) + (lost ? 1000u * net->ping_timeout : pick(net, 900));
    if (lost)
        net->events->ping_reply(net->ctx, NET_TIMEOUT, "", 0, 0, 0);
    else
        net->events->ping_reply(net->ctx, NET_OK, "10.0.0.1", 32, ++net->serial, 64);
}

int net_set_dns(struct net *net, const char *primary, const char *secondary)
{
    (void)net, (void)primary, (void)secondary;
    return NET_OK;
}

/* ---- the loop -------------------------------------------------------------------- */

size_t net_pollfds(struct net *net, struct pollfd *fds, size_t max)
{
    (void)net, (void)fds, (void)max;
    return 0;
}

static void sooner(const struct net *net, uint32_t when, int *timeout)
{
    int32_t left = (int32_t)(when - now(net));

    left = left > 0 ? left : 0;
    if (*timeout < 0 || left < *timeout)
        *timeout = (int)left;
}

int net_timeout_ms(struct net *net)
{
    const struct errand *errands[] = { &net->name, &net->time, &net->ping };
    int timeout = -1;

    for (size_t i = 0; i < sizeof errands / sizeof errands[0]; i++)
        if (errands[i]->active)
            sooner(net, errands[i]->due, &timeout);
    for (int id = 0; id < NET_SOCKETS; id++) {
        const struct line *line = &net->lines[id];
        if (line->state == NET_OPENING)
            sooner(net, line->due, &timeout);
        if (line->state == NET_OPEN && !line->paused && (line->queued > 0 || line->ends))
            sooner(net, now(net), &timeout);
    }
    return timeout;
}

void net_dispatch(struct net *net, const struct pollfd *fds, size_t count)
{
    (void)fds, (void)count;
    for (int id = 0; id < NET_SOCKETS; id++)
        step_line(net, id);
    if (net->name.active && due(net, net->name.due))
        step_name(net);
    if (net->time.active && due(net, net->time.due))
        step_time(net);
    if (net->ping.active && due(net, net->ping.due))
        step_ping(net);
}

bool net_working(const struct net *net)
{
    return net->name.active || net->time.active || net->ping.active;
}

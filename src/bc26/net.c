/* The engine, and its five sockets. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "net_internal.h"

#include "../posix/at_posix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/random.h>
#endif

/* ---- small things -------------------------------------------------------- */

uint32_t net_now(const struct net *net)
{
    return net->clock != NULL ? net->clock(net->clock_ctx) : at_posix_now_ms();
}

/* Milliseconds left; the clock may wrap between now and then. */
static int32_t left(const struct net *net, uint32_t deadline)
{
    return (int32_t)(deadline - net_now(net));
}

bool net_due(const struct net *net, uint32_t deadline)
{
    return left(net, deadline) <= 0;
}

void net_sooner(const struct net *net, uint32_t deadline, int *timeout)
{
    int32_t wait = left(net, deadline);

    if (wait < 0)
        wait = 0;
    if (*timeout < 0 || wait < *timeout)
        *timeout = (int)wait;
}

short net_revents(const struct pollfd *fds, size_t count, int fd)
{
    for (size_t i = 0; i < count && fd >= 0; i++)
        if (fds[i].fd == fd)
            return fds[i].revents;
    return 0;
}

size_t net_add_pollfd(struct pollfd *fds, size_t max, int fd, short events)
{
    if (max == 0 || fd < 0)
        return 0;
    fds->fd = fd;
    fds->events = events;
    fds->revents = 0;
    return 1;
}

void net_because(struct net *net, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(net->reason, sizeof net->reason, format, arguments);
    va_end(arguments);
}

const char *net_reason(const struct net *net)
{
    return net->reason;
}

void net_random(void *bytes, size_t len)
{
#ifdef __linux__
    if (getrandom(bytes, len, GRND_NONBLOCK) == (ssize_t)len)
        return;
#endif
    /* Better than nothing: it still differs from one request to the next. */
    static uint32_t state;
    uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u + at_posix_now_ms();
        at[i] = (uint8_t)(state >> 24);
    }
}

uint16_t net_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t net_get32(const uint8_t *at)
{
    return (uint32_t)net_get16(at) << 16 | net_get16(at + 2);
}

void net_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* A name or an address: printable, without spaces, not too long. Whether
 * there is such a host is for DNS to say. */
bool net_good_host(const char *host)
{
    size_t len = host != NULL ? strlen(host) : 0;

    if (len == 0 || len > NET_HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (host[i] <= ' ' || host[i] > '~')
            return false;
    return true;
}

/* The socket with this id, if it's in use. */
static struct net_socket *used(struct net *net, int id)
{
    if (id < 0 || id >= NET_SOCKETS || net->sockets[id].state == NET_FREE)
        return NULL;
    return &net->sockets[id];
}

static const struct net_socket *used_const(const struct net *net, int id)
{
    if (id < 0 || id >= NET_SOCKETS || net->sockets[id].state == NET_FREE)
        return NULL;
    return &net->sockets[id];
}

/* ---- opening ------------------------------------------------------------- */

/* Two sockets of one module can't have the same port, though the system
 * might allow it. */
static bool port_taken(const struct net *net, const struct net_socket *self)
{
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        const struct net_socket *other = &net->sockets[i];
        if (other != self && other->conn != NULL && other->kind == self->kind &&
            other->actual_port == self->local_port)
            return true;
    }
    return false;
}

int net_open(struct net *net, int id, enum net_kind kind, const char *host,
             uint16_t remote_port, uint16_t local_port, bool ipv6)
{
    if (id < 0 || id >= NET_SOCKETS || remote_port == 0 || !net_good_host(host))
        return NET_INVALID;
    struct net_socket *socket = &net->sockets[id];
    if (socket->state != NET_FREE)
        return NET_IN_USE;
    memset(socket, 0, sizeof *socket);
    socket->state = NET_OPENING;
    socket->kind = kind;
    socket->local_port = socket->actual_port = local_port;
    socket->deadline = net_now(net) + NET_OPEN_LIMIT_MS;
    net_lookup_start(net, &socket->lookup, host, remote_port, ipv6 ? AF_INET6 : AF_INET);
    return NET_OK;
}

static void opened(struct net *net, struct net_socket *socket, int err)
{
    int id = (int)(socket - net->sockets);

    net_lookup_stop(&socket->lookup);
    if (err == NET_OK) {
        if (socket->local_port == 0)
            socket->actual_port = net_conn_local_port(socket->conn);
        socket->state = NET_OPEN;
    } else {
        net_conn_free(socket->conn);
        socket->conn = NULL;
        socket->state = NET_FAILED;
    }
    if (net->events->opened != NULL)
        net->events->opened(net->ctx, id, err);
}

/* Begins to connect to the next address; false if there's none left. Each
 * has its share of the time, so that a dead one doesn't use it up. */
static bool try_next(struct net *net, struct net_socket *socket)
{
    const struct net_lookup *lookup = &socket->lookup;

    net_conn_free(socket->conn);
    socket->conn = NULL;
    if (socket->local_port != 0 && port_taken(net, socket)) {
        socket->err = NET_BIND;
        return false;
    }
    while (socket->conn == NULL && socket->tried < lookup->count) {
        uint32_t share = (uint32_t)left(net, socket->deadline) /
                         (uint32_t)(lookup->count - socket->tried);
        socket->try_deadline = net_now(net) + share;
        socket->conn = net_conn_new(socket->kind, &lookup->addresses[socket->tried++],
                                    socket->local_port, &socket->err);
    }
    return socket->conn != NULL;
}

/* An opening socket goes as far as it can without waiting. */
static void step_opening(struct net *net, struct net_socket *socket)
{
    if (net_due(net, socket->deadline)) {
        opened(net, socket, NET_TIMEOUT);
        return;
    }
    if (socket->lookup.state != LOOKUP_DONE)
        return;
    if (socket->lookup.err != NET_OK) {
        opened(net, socket, socket->lookup.err);
        return;
    }
    for (;;) {
        int err = socket->conn != NULL ? net_conn_connected(socket->conn) : socket->err;
        if (err == NET_OK && socket->conn != NULL) {
            opened(net, socket, NET_OK);
            return;
        }
        if (err == -1 && !net_due(net, socket->try_deadline))
            return;
        if (socket->conn != NULL)
            socket->err = err == -1 ? NET_TIMEOUT : err;
        if (!try_next(net, socket)) {
            opened(net, socket, socket->err);
            return;
        }
    }
}

/* ---- receiving ----------------------------------------------------------- */

static void ended(struct net *net, struct net_socket *socket, bool broken)
{
    int id = (int)(socket - net->sockets);

    socket->state = NET_ENDED;
    socket->conn->broken |= broken;
    if (net->events->closed != NULL)
        net->events->closed(net->ctx, id);
}

/* Reads once; false when there's no more for now. */
static bool receive(struct net *net, struct net_socket *socket)
{
    uint8_t buffer[NET_UDP_MAX];
    bool tcp = socket->kind == NET_TCP;
    /* MSG_TRUNC tells a datagram's whole length. */
    ssize_t n = tcp ? recv(socket->conn->fd, buffer, NET_TCP_MAX, 0)
                    : recv(socket->conn->fd, buffer, sizeof buffer, MSG_TRUNC);

    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n <= 0 && tcp) {
        ended(net, socket, n < 0);
        return false;
    }
    if (n > (ssize_t)sizeof buffer)
        socket->dropped++;
    else if (n > 0 && net->events->received != NULL)
        net->events->received(net->ctx, (int)(socket - net->sockets), buffer, (size_t)n);
    /* An empty datagram is nothing to a module, and an error no end. */
    return true;
}

static void step_open(struct net *net, struct net_socket *socket, short found)
{
    if (found & (POLLOUT | POLLERR | POLLHUP))
        net_conn_flush(socket->conn);
    if (!(found & (POLLIN | POLLERR | POLLHUP)))
        return;
    /* An event may pause or close the socket, and even open it anew: then
     * it's opening, and not yet open. */
    for (int turn = 0; turn < NET_TURNS; turn++)
        if (socket->state != NET_OPEN || socket->paused || !receive(net, socket))
            return;
}

static void step_socket(struct net *net, struct net_socket *socket, const struct pollfd *fds,
                        size_t count)
{
    net_lookup_step(net, &socket->lookup, fds, count);
    if (socket->state == NET_OPENING)
        step_opening(net, socket);
    else if (socket->state == NET_OPEN)
        step_open(net, socket, net_revents(fds, count, socket->conn->fd));
    else if (socket->state == NET_ENDED)
        net_conn_flush(socket->conn);
}

static bool to_send(const struct net_conn *conn)
{
    return conn != NULL && !conn->broken && conn->queued > 0;
}

/* What to poll the socket's descriptor for. 0 means not at all: poll()
 * would report a hang-up again and again while nobody reads. */
static short wanted(const struct net_socket *socket)
{
    int events = 0;

    if (socket->conn == NULL)
        return 0;
    if (socket->state == NET_OPENING)
        return POLLOUT;
    if (socket->state == NET_OPEN && !socket->paused)
        events |= POLLIN;
    if (to_send(socket->conn))
        events |= POLLOUT;
    return (short)events;
}

/* ---- the other calls for sockets ------------------------------------------ */

enum net_state net_state(const struct net *net, int id)
{
    const struct net_socket *socket = used_const(net, id);

    return socket != NULL ? socket->state : NET_FREE;
}

uint16_t net_local_port(const struct net *net, int id)
{
    const struct net_socket *socket = used_const(net, id);

    return socket != NULL ? socket->actual_port : 0;
}

int net_send(struct net *net, int id, const void *data, size_t len)
{
    struct net_socket *socket = used(net, id);

    if (id < 0 || id >= NET_SOCKETS || len == 0 || len > NET_SEND_MAX)
        return NET_INVALID;
    if (socket == NULL || socket->state != NET_OPEN)
        return NET_CLOSED;
    if (socket->conn->broken)
        return NET_WRITE;
    if (!net_conn_queue(socket->conn, data, len))
        return NET_BUSY;
    socket->sent += len;
    net_conn_flush(socket->conn);
    return NET_OK;
}

static uint32_t clamp(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

struct net_counters net_counters(const struct net *net, int id)
{
    const struct net_socket *socket = used_const(net, id);
    struct net_counters counters = { 0, 0, 0, 0 };

    if (socket == NULL)
        return counters;
    counters.sent = clamp(socket->sent);
    counters.dropped = socket->dropped;
    if (socket->kind == NET_UDP)
        return counters;
    uint64_t unacked = socket->conn != NULL ? net_conn_unacked(socket->conn) : 0;
    counters.unacked = clamp(unacked < socket->sent ? unacked : socket->sent);
    counters.acked = counters.sent - counters.unacked;
    return counters;
}

void net_pause(struct net *net, int id, bool paused)
{
    struct net_socket *socket = used(net, id);

    if (socket != NULL)
        socket->paused = paused;
}

/* Lets a connection end in the background. */
static void linger(struct net *net, struct net_conn *conn)
{
    size_t oldest = 0;

    conn->deadline = net_now(net) + NET_LINGER_LIMIT_MS;
    for (size_t i = 0; i < NET_LINGERING_MAX; i++) {
        if (net->lingering[i] == NULL) {
            net->lingering[i] = conn;
            return;
        }
        if (left(net, net->lingering[i]->deadline) < left(net, net->lingering[oldest]->deadline))
            oldest = i;
    }
    net_conn_free(net->lingering[oldest]);
    net->lingering[oldest] = conn;
}

void net_close(struct net *net, int id)
{
    struct net_socket *socket = used(net, id);

    if (socket == NULL)
        return;
    net_lookup_stop(&socket->lookup);
    if (socket->conn == NULL || socket->state == NET_OPENING || net_conn_linger(socket->conn))
        net_conn_free(socket->conn);
    else
        linger(net, socket->conn);
    socket->conn = NULL;
    socket->state = NET_FREE;
}

/* ---- the engine ---------------------------------------------------------- */

struct net *net_new(const struct net_events *events, void *ctx)
{
    struct net *net = calloc(1, sizeof *net);

    if (net == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(net);
        return NULL;
    }
    net->events = events;
    net->ctx = ctx;
    net->ping.fd = -1;
    net->ntp.fd = -1;
    return net;
}

void net_set_clock(struct net *net, uint32_t (*now_ms)(void *), void *clock_ctx)
{
    net->clock = now_ms;
    net->clock_ctx = clock_ctx;
}

void net_reset(struct net *net)
{
    for (int id = 0; id < NET_SOCKETS; id++)
        net_close(net, id);
    for (size_t i = 0; i < NET_LINGERING_MAX; i++) {
        net_conn_free(net->lingering[i]);
        net->lingering[i] = NULL;
    }
    for (size_t i = 0; i < NET_RESOLVES_MAX; i++)
        net_lookup_stop(&net->resolves[i].lookup);
    net_ping_stop(net);
    net_ntp_stop(net);
    memset(net->dns, 0, sizeof net->dns);
    net->reason[0] = '\0';
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    net_reset(net);
    free(net);
    ares_library_cleanup();
}

bool net_working(const struct net *net)
{
    bool working = net->ping.active || net->ntp.active;

    for (size_t i = 0; i < NET_SOCKETS; i++)
        working |= net->sockets[i].state == NET_OPENING || to_send(net->sockets[i].conn);
    for (size_t i = 0; i < NET_LINGERING_MAX; i++)
        working |= net->lingering[i] != NULL;
    for (size_t i = 0; i < NET_RESOLVES_MAX; i++)
        working |= net->resolves[i].lookup.state != LOOKUP_IDLE;
    return working;
}

size_t net_pollfds(struct net *net, struct pollfd *fds, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < NET_SOCKETS; i++) {
        const struct net_socket *socket = &net->sockets[i];
        short events = wanted(socket);
        if (events != 0)
            n += net_add_pollfd(fds + n, max - n, socket->conn->fd, events);
        n += net_lookup_pollfds(&socket->lookup, fds + n, max - n);
    }
    for (size_t i = 0; i < NET_LINGERING_MAX; i++) {
        const struct net_conn *conn = net->lingering[i];
        if (conn != NULL)
            n += net_add_pollfd(fds + n, max - n, conn->fd, net_conn_linger_events(conn));
    }
    for (size_t i = 0; i < NET_RESOLVES_MAX; i++)
        n += net_lookup_pollfds(&net->resolves[i].lookup, fds + n, max - n);
    n += net_lookup_pollfds(&net->ping.lookup, fds + n, max - n);
    n += net_add_pollfd(fds + n, max - n, net->ping.fd, POLLIN);
    n += net_lookup_pollfds(&net->ntp.lookup, fds + n, max - n);
    n += net_add_pollfd(fds + n, max - n, net->ntp.fd, POLLIN);
    return n;
}

int net_timeout_ms(struct net *net)
{
    int timeout = -1;

    for (size_t i = 0; i < NET_SOCKETS; i++) {
        const struct net_socket *socket = &net->sockets[i];
        if (socket->state != NET_OPENING)
            continue;
        if (socket->conn == NULL)
            net_lookup_timeout(net, &socket->lookup, &timeout);
        net_sooner(net, socket->conn != NULL ? socket->try_deadline : socket->deadline,
                   &timeout);
    }
    for (size_t i = 0; i < NET_LINGERING_MAX; i++)
        if (net->lingering[i] != NULL)
            net_sooner(net, net->lingering[i]->deadline, &timeout);
    for (size_t i = 0; i < NET_RESOLVES_MAX; i++)
        net_lookup_timeout(net, &net->resolves[i].lookup, &timeout);
    net_ping_timeout(net, &timeout);
    net_ntp_timeout(net, &timeout);
    return timeout;
}

static void step_lingering(struct net *net)
{
    for (size_t i = 0; i < NET_LINGERING_MAX; i++) {
        struct net_conn *conn = net->lingering[i];
        if (conn != NULL && (net_conn_linger(conn) || net_due(net, conn->deadline))) {
            net->lingering[i] = NULL;
            net_conn_free(conn);
        }
    }
}

static void tell_resolved(struct net *net, struct net_resolve *resolve)
{
    char text[NET_ADDRESSES_MAX][NET_ADDRESS_TEXT];
    const char *addresses[NET_ADDRESSES_MAX];
    size_t count = resolve->lookup.count;

    for (size_t i = 0; i < count; i++) {
        net_print_address(&resolve->lookup.addresses[i], text[i]);
        addresses[i] = text[i];
    }
    /* Free again before the event, which may want the next name. */
    net_lookup_stop(&resolve->lookup);
    if (net->events->resolved != NULL)
        net->events->resolved(net->ctx, resolve->cookie, resolve->lookup.err, addresses, count,
                              resolve->lookup.ttl);
}

void net_dispatch(struct net *net, const struct pollfd *fds, size_t count)
{
    for (size_t i = 0; i < NET_SOCKETS; i++)
        step_socket(net, &net->sockets[i], fds, count);
    step_lingering(net);
    for (size_t i = 0; i < NET_RESOLVES_MAX; i++) {
        net_lookup_step(net, &net->resolves[i].lookup, fds, count);
        if (net->resolves[i].lookup.state == LOOKUP_DONE)
            tell_resolved(net, &net->resolves[i]);
    }
    net_ping_step(net, fds, count);
    net_ntp_step(net, fds, count);
}

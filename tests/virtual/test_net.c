/*
 * The virtual module's network, on the loopback alone. The servers it talks
 * to live in the same loop, so nothing depends on who is faster. Where time
 * must pass the engine is given a clock that the test moves.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "../../src/bc26/net.h"
#include "../../src/posix/at_posix.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PEERS 32
#define DATA_MAX (1 << 20)

/* ---- what the engine said ------------------------------------------------- */

static struct {
    int opened, err;
    int closed;
    size_t events;     /* received */
    size_t largest;    /* of them */
    size_t last;
    size_t len;
    size_t len_at_close;
    uint8_t data[DATA_MAX];
} sock[NET_SOCKETS];

static struct {
    int done, err;
    void *cookie;
    size_t count;
    char address[NET_ADDRESSES_MAX][64];
    uint32_t ttl;
} resolved[8];
static int resolved_count;

static struct {
    int replies, timeouts, done;
    char ip[64];
    unsigned bytes, ttl;
    struct net_ping_summary summary;
} ping;

static struct {
    int done, err;
    bool has_time;
    struct net_time time;
} ntp;

/* What a test wants done in the midst of an event. */
static void (*in_received)(int id);
static void (*in_closed)(int id);
static void (*in_ping_done)(void);
static bool in_dispatch;

static struct net *net;

static void on_opened(void *ctx, int id, int err)
{
    ck_assert_ptr_eq(ctx, &net);
    ck_assert(in_dispatch);
    sock[id].opened++;
    sock[id].err = err;
}

static void on_received(void *ctx, int id, const uint8_t *data, size_t len)
{
    ck_assert_ptr_eq(ctx, &net);
    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(sock[id].closed, 0);
    ck_assert_uint_le(sock[id].len + len, DATA_MAX);
    memcpy(sock[id].data + sock[id].len, data, len);
    sock[id].len += len;
    sock[id].last = len;
    sock[id].events++;
    if (len > sock[id].largest)
        sock[id].largest = len;
    if (in_received != NULL)
        in_received(id);
}

static void on_closed(void *ctx, int id)
{
    ck_assert_ptr_eq(ctx, &net);
    sock[id].closed++;
    sock[id].len_at_close = sock[id].len;
    if (in_closed != NULL)
        in_closed(id);
}

static void on_resolved(void *ctx, void *cookie, int err, const char *const *addresses,
                        size_t count, uint32_t ttl)
{
    ck_assert_ptr_eq(ctx, &net);
    ck_assert(in_dispatch);
    int i = resolved_count++;
    ck_assert_int_lt(i, 8);
    resolved[i].err = err;
    resolved[i].cookie = cookie;
    resolved[i].count = count;
    resolved[i].ttl = ttl;
    for (size_t n = 0; n < count; n++)
        (void)snprintf(resolved[i].address[n], sizeof resolved[i].address[n], "%s",
                       addresses[n]);
}

static void on_ping_reply(void *ctx, int err, const char *ip, unsigned bytes, uint32_t time_ms,
                          unsigned ttl)
{
    ck_assert_ptr_eq(ctx, &net);
    (void)time_ms;
    if (err != 0) {
        ck_assert_int_eq(err, NET_TIMEOUT);
        ping.timeouts++;
        return;
    }
    ping.replies++;
    ping.bytes = bytes;
    ping.ttl = ttl;
    (void)snprintf(ping.ip, sizeof ping.ip, "%s", ip);
}

static void on_ping_done(void *ctx, const struct net_ping_summary *summary)
{
    ck_assert_ptr_eq(ctx, &net);
    ck_assert(in_dispatch);
    ping.done++;
    ping.summary = *summary;
    if (in_ping_done != NULL)
        in_ping_done();
}

static void on_ntp(void *ctx, int err, const struct net_time *utc)
{
    ck_assert_ptr_eq(ctx, &net);
    ck_assert(in_dispatch);
    ntp.done++;
    ntp.err = err;
    ntp.has_time = utc != NULL;
    if (utc != NULL)
        ntp.time = *utc;
}

static const struct net_events events = {
    .opened = on_opened,
    .received = on_received,
    .closed = on_closed,
    .resolved = on_resolved,
    .ping_reply = on_ping_reply,
    .ping_done = on_ping_done,
    .ntp = on_ntp,
};

/* ---- the clock ------------------------------------------------------------ */

/* What is added to the real one. Near its end, so that it wraps. */
static uint32_t ahead;
/* And how much more each time it's asked. */
static uint32_t step;

static uint32_t test_clock(void *ctx)
{
    (void)ctx;
    ahead += step;
    return at_posix_now_ms() + ahead;
}

/* ---- peers: servers and what they do -------------------------------------- */

struct peer {
    int fd;            /* -1 = free */
    uint16_t port;
    bool idle;         /* isn't polled, and so reads nothing */
    void (*ready)(struct peer *peer);
    void (*accepted)(struct peer *peer);  /* of a listener: what a client gets */
    size_t count;      /* datagrams, clients or bytes that came in */
    size_t to_send;    /* bytes that a source still has */
    const char *text;  /* what it says */
    uint8_t mark;      /* in which it differs from another */
    struct sockaddr_storage from;
    socklen_t from_len;
};

static struct peer peers[PEERS];

static struct peer *add_peer(int fd, void (*ready)(struct peer *))
{
    for (size_t i = 0; i < PEERS; i++) {
        if (peers[i].fd >= 0)
            continue;
        memset(&peers[i], 0, sizeof peers[i]);
        peers[i].fd = fd;
        peers[i].ready = ready;
        return &peers[i];
    }
    ck_abort_msg("too many peers");
    return NULL;
}

static void remove_peer(struct peer *peer)
{
    (void)close(peer->fd);
    peer->fd = -1;
}

static void turn(void)
{
    struct pollfd fds[NET_POLLFDS_MAX + PEERS];
    size_t n = net_pollfds(net, fds, NET_POLLFDS_MAX);
    size_t own = n;
    int timeout = net_timeout_ms(net);

    for (size_t i = 0; i < PEERS; i++) {
        if (peers[i].fd < 0 || peers[i].idle)
            continue;
        fds[n].fd = peers[i].fd;
        fds[n].revents = 0;
        fds[n++].events = (short)(peers[i].to_send > 0 ? POLLIN | POLLOUT : POLLIN);
    }
    if (timeout < 0 || timeout > 20)
        timeout = 20;
    (void)poll(fds, (nfds_t)n, timeout);
    for (size_t k = own; k < n; k++)
        for (size_t i = 0; i < PEERS; i++)
            if (peers[i].fd == fds[k].fd && fds[k].revents != 0)
                peers[i].ready(&peers[i]);
    in_dispatch = true;
    net_dispatch(net, fds, own);
    in_dispatch = false;
}

/* Keeps the loop going until it's so. */
#define UNTIL(condition)                                                    \
    do {                                                                    \
        uint32_t start_ = at_posix_now_ms();                                \
        while (!(condition) && at_posix_now_ms() - start_ < 6000)           \
            turn();                                                         \
        ck_assert_msg(condition, "waited in vain for " #condition);         \
    } while (0)

/* Gives what mustn't happen the chance to. */
static void some_turns(void)
{
    for (int i = 0; i < 5; i++)
        turn();
}

static bool have_ipv6(void)
{
    static int have = -1;

    if (have < 0) {
        struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        int fd = socket(AF_INET6, SOCK_STREAM, 0);
        have = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
        if (fd >= 0)
            (void)close(fd);
    }
    return have != 0;
}

#define NEEDS_IPV6(test)                                                    \
    do {                                                                    \
        if (!have_ipv6()) {                                                 \
            printf("skipped: " test ", for ::1 isn't there\n");             \
            return;                                                         \
        }                                                                   \
    } while (0)

/* A socket bound to a free port of the loopback. */
static int bound(int type, bool ipv6, uint16_t *port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, type, 0);
    socklen_t len = ipv6 ? sizeof v6 : sizeof v4;
    struct sockaddr *at = ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;

    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, at, len), 0);
    ck_assert_int_eq(getsockname(fd, at, &len), 0);
    ck_assert_int_eq(at_posix_set_nonblocking(fd), 0);
    *port = ntohs(ipv6 ? v6.sin6_port : v4.sin_port);
    return fd;
}

static void on_client(struct peer *listener)
{
    int fd = accept(listener->fd, NULL, NULL);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(at_posix_set_nonblocking(fd), 0);
    listener->count++;
    struct peer *client = add_peer(fd, NULL);
    client->port = listener->port;
    client->to_send = listener->to_send;
    client->text = listener->text;
    client->mark = listener->mark;
    listener->accepted(client);
}

static struct peer *tcp_server(bool ipv6, void (*accepted)(struct peer *))
{
    uint16_t port;
    int fd = bound(SOCK_STREAM, ipv6, &port);

    ck_assert_int_eq(listen(fd, 8), 0);
    struct peer *peer = add_peer(fd, on_client);
    peer->port = port;
    peer->accepted = accepted;
    return peer;
}

static struct peer *udp_server(bool ipv6, void (*ready)(struct peer *))
{
    uint16_t port;
    int fd = bound(SOCK_DGRAM, ipv6, &port);
    struct peer *peer = add_peer(fd, ready);

    peer->port = port;
    return peer;
}

/* A port where nobody is. */
static uint16_t free_port(int type)
{
    uint16_t port;

    (void)close(bound(type, false, &port));
    return port;
}

/* Sends back what comes. */
static void echo_stream(struct peer *peer)
{
    uint8_t buffer[4096];
    ssize_t n = recv(peer->fd, buffer, sizeof buffer, 0);

    if (n > 0) {
        peer->count += (size_t)n;
        ck_assert_int_eq(at_posix_write_all(peer->fd, buffer, (size_t)n, 1000), 0);
    } else if (n == 0 || errno != EAGAIN) {
        remove_peer(peer);
    }
}

static void start_echo(struct peer *peer)
{
    peer->ready = echo_stream;
}

/* Counts what comes, and says nothing. */
static size_t sunk;
static bool sink_ended;

static void sink(struct peer *peer)
{
    uint8_t buffer[4096];
    ssize_t n = recv(peer->fd, buffer, sizeof buffer, 0);

    if (n > 0) {
        sunk += (size_t)n;
        return;
    }
    sink_ended = n == 0;
    remove_peer(peer);
}

static void start_sink(struct peer *peer)
{
    peer->ready = sink;
}

static void start_idle_sink(struct peer *peer)
{
    peer->ready = sink;
    peer->idle = true;
}

/* Says its text and closes. */
static void start_saying(struct peer *peer)
{
    ck_assert_int_eq(at_posix_write_all(peer->fd, peer->text, strlen(peer->text), 1000), 0);
    remove_peer(peer);
}

/* Sends `to_send` bytes, as fast as they are taken, and closes. */
static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7);
}

static void pour(struct peer *peer)
{
    uint8_t buffer[8192];
    size_t len = peer->to_send < sizeof buffer ? peer->to_send : sizeof buffer;

    for (size_t i = 0; i < len; i++)
        buffer[i] = pattern(peer->count + i);
    ssize_t n = send(peer->fd, buffer, len, MSG_NOSIGNAL);
    if (n < 0) {
        ck_assert_int_eq(errno, EAGAIN);
        return;
    }
    peer->count += (size_t)n;
    peer->to_send -= (size_t)n;
    if (peer->to_send == 0)
        remove_peer(peer);
}

static void start_pouring(struct peer *peer)
{
    peer->ready = pour;
}

static void echo_datagram(struct peer *peer)
{
    uint8_t buffer[2048];

    peer->from_len = sizeof peer->from;
    ssize_t n = recvfrom(peer->fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer->from,
                         &peer->from_len);
    if (n < 0)
        return;
    peer->count++;
    (void)sendto(peer->fd, buffer, (size_t)n, 0, (const struct sockaddr *)&peer->from,
                 peer->from_len);
}

/* ---- before and after each test ------------------------------------------- */

static void setup(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < PEERS; i++)
        peers[i].fd = -1;
    net = net_new(&events, &net);
    ck_assert_ptr_nonnull(net);
    ahead = 0u - at_posix_now_ms() - 500u;
    net_set_clock(net, test_clock, NULL);
}

static void teardown(void)
{
    net_free(net);
    for (size_t i = 0; i < PEERS; i++)
        if (peers[i].fd >= 0)
            remove_peer(&peers[i]);
}

static void start_open(int id, enum net_kind kind, const char *host, uint16_t port)
{
    ck_assert_int_eq(net_open(net, id, kind, host, port, 0, strchr(host, ':') != NULL), NET_OK);
    ck_assert_int_eq(net_state(net, id), NET_OPENING);
}

static void open_socket(int id, enum net_kind kind, const char *host, uint16_t port)
{
    start_open(id, kind, host, port);
    UNTIL(sock[id].opened == 1);
    ck_assert_int_eq(sock[id].err, NET_OK);
    ck_assert_int_eq(net_state(net, id), NET_OPEN);
    ck_assert_uint_ne(net_local_port(net, id), 0);
}

static void expect_failure(int id, int err)
{
    UNTIL(sock[id].opened == 1);
    ck_assert_int_eq(sock[id].err, err);
    ck_assert_int_eq(net_state(net, id), NET_FAILED);
    net_close(net, id);
    ck_assert_int_eq(net_state(net, id), NET_FREE);
    sock[id].opened = 0;
}

static void say(int id, const char *text)
{
    ck_assert_int_eq(net_send(net, id, text, strlen(text)), NET_OK);
}

static void hear(int id, const char *text)
{
    UNTIL(sock[id].len >= strlen(text));
    ck_assert_uint_eq(sock[id].len, strlen(text));
    ck_assert_mem_eq(sock[id].data, text, strlen(text));
}

static void add_route(const char *from, const char *host, uint16_t port)
{
    char spec[256];

    (void)snprintf(spec, sizeof spec, "%s=%s:%u", from, host, (unsigned)port);
    ck_assert_msg(net_add_route(net, spec), "%s: %s", spec, net_reason(net));
}

/* ---- TCP ------------------------------------------------------------------ */

static void check_tcp_echo(const char *host, bool ipv6)
{
    struct peer *server = tcp_server(ipv6, start_echo);
    struct net_counters counters;

    open_socket(0, NET_TCP, host, server->port);
    say(0, "hello");
    hear(0, "hello");
    say(0, " world");
    hear(0, "hello world");
    UNTIL(net_counters(net, 0).acked == 11);
    counters = net_counters(net, 0);
    ck_assert_uint_eq(counters.sent, 11);
    ck_assert_uint_eq(counters.unacked, 0);
    net_close(net, 0);
    ck_assert_int_eq(net_state(net, 0), NET_FREE);
    ck_assert_uint_eq(net_counters(net, 0).sent, 0);
    UNTIL(!net_working(net));
    ck_assert_int_eq(sock[0].closed, 0);
    ck_assert_int_eq(net_timeout_ms(net), -1);
}

START_TEST(tcp_echo)
{
    check_tcp_echo("127.0.0.1", false);
}
END_TEST

START_TEST(tcp_echo_ipv6)
{
    NEEDS_IPV6("tcp_echo_ipv6");
    check_tcp_echo("::1", true);
}
END_TEST

START_TEST(tcp_refused)
{
    uint16_t port = free_port(SOCK_STREAM);

    start_open(2, NET_TCP, "127.0.0.1", port);
    UNTIL(sock[2].opened == 1);
    ck_assert_int_eq(sock[2].err, NET_CONNECT);
    /* The id stays in use until it's closed. */
    ck_assert_int_eq(net_open(net, 2, NET_TCP, "127.0.0.1", port, 0, false), NET_IN_USE);
    ck_assert_int_eq(net_send(net, 2, "x", 1), NET_CLOSED);
    net_close(net, 2);
    start_open(2, NET_TCP, "127.0.0.1", port);
    net_close(net, 2);
    some_turns();
    ck_assert_int_eq(sock[2].opened, 1);
}
END_TEST

START_TEST(tcp_closed_by_the_other_side)
{
    struct peer *server = tcp_server(false, start_saying);

    server->text = "last words";
    open_socket(1, NET_TCP, "127.0.0.1", server->port);
    UNTIL(sock[1].closed == 1);
    ck_assert_uint_eq(sock[1].len_at_close, 10);
    hear(1, "last words");
    ck_assert_int_eq(net_state(net, 1), NET_ENDED);
    ck_assert_int_eq(net_send(net, 1, "x", 1), NET_CLOSED);
    ck_assert_int_eq(net_open(net, 1, NET_TCP, "127.0.0.1", server->port, 0, false), NET_IN_USE);
    ck_assert_int_eq(net_timeout_ms(net), -1);
    net_close(net, 1);
    UNTIL(!net_working(net));
    ck_assert_int_eq(sock[1].closed, 1);
}
END_TEST

START_TEST(tcp_close_waits_for_a_paused_reader)
{
    struct peer *server = tcp_server(false, start_saying);

    server->text = "still to be read";
    start_open(0, NET_TCP, "127.0.0.1", server->port);
    net_pause(net, 0, true);
    UNTIL(sock[0].opened == 1 && server->count == 1);
    some_turns();
    ck_assert_uint_eq(sock[0].len, 0);
    ck_assert_int_eq(sock[0].closed, 0);
    /* What has hung up must not keep poll() from waiting. */
    struct pollfd fds[4];
    ck_assert_uint_eq(net_pollfds(net, fds, 4), 0);
    net_pause(net, 0, false);
    UNTIL(sock[0].closed == 1);
    ck_assert_uint_eq(sock[0].len_at_close, 16);
}
END_TEST

static struct peer *resetting;

static void start_resetting(struct peer *peer)
{
    resetting = peer;
    peer->idle = true;
}

static void reset_connection(struct peer *peer)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    ck_assert_int_eq(setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    remove_peer(peer);
}

START_TEST(tcp_reset)
{
    struct peer *server = tcp_server(false, start_resetting);
    struct net_counters counters;

    open_socket(0, NET_TCP, "127.0.0.1", server->port);
    UNTIL(resetting != NULL);
    say(0, "lost");
    reset_connection(resetting);
    UNTIL(sock[0].closed == 1);
    counters = net_counters(net, 0);
    ck_assert_uint_eq(counters.sent, 4);
    ck_assert_uint_eq(counters.acked + counters.unacked, 4);
    ck_assert_int_eq(net_timeout_ms(net), -1);
    ck_assert(!net_working(net));
    net_close(net, 0);
    ck_assert(!net_working(net));
}
END_TEST

START_TEST(tcp_reset_of_a_paused_socket)
{
    struct peer *server = tcp_server(false, start_resetting);
    struct pollfd fds[4];

    open_socket(0, NET_TCP, "127.0.0.1", server->port);
    net_pause(net, 0, true);
    UNTIL(resetting != NULL);
    reset_connection(resetting);
    some_turns();
    ck_assert_int_eq(sock[0].closed, 0);
    /* The first send finds out, and the next are refused. */
    (void)net_send(net, 0, "x", 1);
    UNTIL(net_send(net, 0, "x", 1) == NET_WRITE);
    ck_assert_uint_eq(net_pollfds(net, fds, 4), 0);
    ck_assert(!net_working(net));
    net_pause(net, 0, false);
    UNTIL(sock[0].closed == 1);
}
END_TEST

START_TEST(tcp_pause_loses_nothing)
{
    struct peer *server = tcp_server(false, start_pouring);
    size_t total = 400000;
    bool paused = false;
    int small = 4096;

    server->to_send = 0;
    (void)setsockopt(server->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    start_open(3, NET_TCP, "127.0.0.1", server->port);
    server->to_send = total;
    UNTIL(sock[3].opened == 1);
    /* As often as not nobody reads, for a while each time. */
    for (int i = 0; sock[3].closed == 0 && i < 100000; i++) {
        if (i % 7 == 0) {
            paused = !paused;
            net_pause(net, 3, paused);
        }
        size_t before = sock[3].len;
        if (paused && i % 7 != 0) {
            struct pollfd fds[4];
            size_t n = net_pollfds(net, fds, 4);
            net_dispatch(net, fds, n);
            ck_assert_uint_eq(sock[3].len, before);
        }
        turn();
    }
    ck_assert_int_eq(sock[3].closed, 1);
    ck_assert_uint_eq(sock[3].len, total);
    ck_assert_uint_le(sock[3].largest, NET_TCP_MAX);
    for (size_t i = 0; i < total; i++)
        ck_assert_uint_eq(sock[3].data[i], pattern(i));
}
END_TEST

static void pause_it(int id)
{
    net_pause(net, id, true);
}

START_TEST(tcp_pause_counts_at_once)
{
    struct peer *server = tcp_server(false, start_pouring);

    server->to_send = 20000;
    in_received = pause_it;
    open_socket(0, NET_TCP, "127.0.0.1", server->port);
    UNTIL(sock[0].events == 1);
    some_turns();
    ck_assert_uint_eq(sock[0].events, 1);
    net_pause(net, 0, false);
    UNTIL(sock[0].events == 2);
    some_turns();
    ck_assert_uint_eq(sock[0].events, 2);
}
END_TEST

START_TEST(tcp_queue_is_bounded_and_flushed_after_close)
{
    struct peer *server = tcp_server(false, start_idle_sink);
    uint8_t block[NET_SEND_MAX] = { 0 };
    struct net_counters counters;
    size_t total = 0;
    int result = NET_OK;

    open_socket(0, NET_TCP, "127.0.0.1", server->port);
    UNTIL(server->count == 1);
    while ((result = net_send(net, 0, block, sizeof block)) == NET_OK)
        total += sizeof block;
    ck_assert_int_eq(result, NET_BUSY);
    counters = net_counters(net, 0);
    ck_assert_uint_eq(counters.sent, total);
    ck_assert_uint_gt(counters.unacked, 0);
    ck_assert_uint_eq(counters.acked + counters.unacked, total);
    ck_assert(net_working(net));
    net_close(net, 0);
    ck_assert_int_eq(net_state(net, 0), NET_FREE);
    ck_assert(net_working(net));
    for (size_t i = 0; i < PEERS; i++)
        peers[i].idle = false;
    UNTIL(sink_ended);
    ck_assert_uint_eq(sunk, total);
    UNTIL(!net_working(net));
}
END_TEST

START_TEST(tcp_close_is_bounded)
{
    struct peer *server = tcp_server(false, start_idle_sink);
    uint8_t block[NET_SEND_MAX] = { 0 };

    open_socket(0, NET_TCP, "127.0.0.1", server->port);
    while (net_send(net, 0, block, sizeof block) == NET_OK)
        continue;
    net_close(net, 0);
    some_turns();
    ck_assert(net_working(net));
    ck_assert_int_le(net_timeout_ms(net), 5000);
    ahead += 5000;
    UNTIL(!net_working(net));
}
END_TEST

START_TEST(tcp_many_closes_are_bounded)
{
    struct peer *server = tcp_server(false, start_idle_sink);
    struct pollfd fds[NET_POLLFDS_MAX];

    for (int i = 0; i < 24; i++) {
        sock[0].opened = 0;
        open_socket(0, NET_TCP, "127.0.0.1", server->port);
        net_close(net, 0);
    }
    ck_assert_uint_le(net_pollfds(net, fds, NET_POLLFDS_MAX), 20);
    server->accepted = start_sink;
    for (size_t i = 0; i < PEERS; i++)
        peers[i].idle = false;
    UNTIL(!net_working(net));
}
END_TEST

START_TEST(tcp_local_port)
{
    struct peer *server = tcp_server(false, start_sink);
    uint16_t local = free_port(SOCK_STREAM);

    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(net_open(net, 0, NET_TCP, "127.0.0.1", server->port, local, false), 0);
        UNTIL(sock[0].opened == round + 1);
        ck_assert_int_eq(sock[0].err, NET_OK);
        ck_assert_uint_eq(net_local_port(net, 0), local);
        /* It's one socket's own. */
        ck_assert_int_eq(net_open(net, 1, NET_TCP, "127.0.0.1", server->port, local, false), 0);
        expect_failure(1, NET_BIND);
        net_close(net, 0);
        if (round == 1)
            UNTIL(!net_working(net));
    }
    /* Another program's port isn't to be had. */
    ck_assert_int_eq(net_open(net, 1, NET_TCP, "127.0.0.1", server->port, server->port, false), 0);
    expect_failure(1, NET_BIND);
}
END_TEST

/* The other side keeps the former connection, and so does the system. */
START_TEST(tcp_local_port_again)
{
    struct peer *server = tcp_server(false, start_idle_sink);
    uint16_t local = free_port(SOCK_STREAM);

    for (int round = 1; round <= 2; round++) {
        ck_assert_int_eq(net_open(net, 0, NET_TCP, "127.0.0.1", server->port, local, false), 0);
        UNTIL(sock[0].opened == round);
        ck_assert_int_eq(sock[0].err, NET_OK);
        ck_assert_uint_eq(net_local_port(net, 0), local);
        net_close(net, 0);
        ck_assert(net_working(net));
    }
}
END_TEST

START_TEST(tcp_does_not_connect_to_itself)
{
    uint16_t port = free_port(SOCK_STREAM);

    ck_assert_int_eq(net_open(net, 0, NET_TCP, "127.0.0.1", port, port, false), NET_OK);
    expect_failure(0, NET_CONNECT);
}
END_TEST

/* A listener whose queue is full answers no more. */
START_TEST(tcp_no_answer)
{
    uint16_t port;
    int listener = bound(SOCK_STREAM, false, &port);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fillers[8];

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(listen(listener, 0), 0);
    for (size_t i = 0; i < 8; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(at_posix_set_nonblocking(fillers[i]), 0);
        (void)connect(fillers[i], (const struct sockaddr *)&at, sizeof at);
    }
    start_open(0, NET_TCP, "127.0.0.1", port);
    some_turns();
    ck_assert_int_eq(sock[0].opened, 0);
    ck_assert_int_gt(net_timeout_ms(net), 50000);
    ck_assert_int_le(net_timeout_ms(net), 60000);
    ahead += 60000;
    expect_failure(0, NET_TIMEOUT);
    for (size_t i = 0; i < 8; i++)
        (void)close(fillers[i]);
    (void)close(listener);
}
END_TEST

START_TEST(five_sockets_at_once)
{
    struct peer *tcp = tcp_server(false, start_echo);
    struct peer *udp = udp_server(false, echo_datagram);
    char text[32];

    for (int id = 0; id < NET_SOCKETS; id++)
        start_open(id, id % 2 == 0 ? NET_TCP : NET_UDP, "127.0.0.1",
                   id % 2 == 0 ? tcp->port : udp->port);
    for (int id = 0; id < NET_SOCKETS; id++)
        UNTIL(sock[id].opened == 1);
    for (int id = 0; id < NET_SOCKETS; id++) {
        (void)snprintf(text, sizeof text, "I am %d", id);
        say(id, text);
    }
    for (int id = 0; id < NET_SOCKETS; id++) {
        (void)snprintf(text, sizeof text, "I am %d", id);
        hear(id, text);
    }
    ck_assert_uint_eq(tcp->count, 3);
    ck_assert_uint_eq(udp->count, 2);
}
END_TEST

static struct peer *echo_server;

static void close_it(int id)
{
    net_close(net, id);
}

static void open_again(int id)
{
    net_close(net, id);
    in_closed = NULL;
    ck_assert_int_eq(net_open(net, id, NET_TCP, "127.0.0.1", echo_server->port, 0, false), 0);
}

START_TEST(events_may_call_back)
{
    struct peer *poured = tcp_server(false, start_pouring);
    struct peer *saying = tcp_server(false, start_saying);

    echo_server = tcp_server(false, start_echo);
    poured->to_send = 50000;
    in_received = close_it;
    open_socket(0, NET_TCP, "127.0.0.1", poured->port);
    UNTIL(sock[0].events == 1);
    some_turns();
    ck_assert_uint_eq(sock[0].events, 1);
    ck_assert_int_eq(net_state(net, 0), NET_FREE);

    in_received = NULL;
    in_closed = open_again;
    saying->text = "bye";
    start_open(1, NET_TCP, "127.0.0.1", saying->port);
    UNTIL(sock[1].opened == 2);
    ck_assert_int_eq(net_state(net, 1), NET_OPEN);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    uint8_t big[NET_SEND_MAX + 1] = { 0 };
    char name[NET_HOST_MAX + 2];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(net_open(net, -1, NET_TCP, "127.0.0.1", 1, 0, false), NET_INVALID);
    ck_assert_int_eq(net_open(net, 5, NET_TCP, "127.0.0.1", 1, 0, false), NET_INVALID);
    ck_assert_int_eq(net_open(net, 0, NET_TCP, "", 1, 0, false), NET_INVALID);
    ck_assert_int_eq(net_open(net, 0, NET_TCP, name, 1, 0, false), NET_INVALID);
    ck_assert_int_eq(net_open(net, 0, NET_TCP, "two words", 1, 0, false), NET_INVALID);
    ck_assert_int_eq(net_open(net, 0, NET_TCP, "127.0.0.1", 0, 0, false), NET_INVALID);
    ck_assert_int_eq(net_send(net, -1, "x", 1), NET_INVALID);
    ck_assert_int_eq(net_send(net, 0, "x", 1), NET_CLOSED);
    ck_assert_int_eq(net_send(net, 0, "", 0), NET_INVALID);
    ck_assert_int_eq(net_send(net, 0, big, sizeof big), NET_INVALID);
    ck_assert_int_eq(net_resolve(net, "", NET_ANY, NULL), NET_INVALID);
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 0, 1, 32), NET_INVALID);
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 1, 0, 32), NET_INVALID);
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 1, NET_PING_MAX + 1, 32), NET_INVALID);
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 1, 1, NET_PING_SIZE_MAX + 1), NET_INVALID);
    ck_assert_int_eq(net_ntp(net, "", 0), NET_INVALID);
    ck_assert_int_eq(net_state(net, 99), NET_FREE);
    ck_assert_uint_eq(net_local_port(net, -3), 0);
    net_close(net, 99);
    net_pause(net, 99, true);
    ck_assert_uint_eq(net_counters(net, 99).sent, 0);
    ck_assert_int_eq(net_timeout_ms(net), -1);
    net_free(NULL);
}
END_TEST

/* ---- UDP ------------------------------------------------------------------ */

static void check_udp_echo(const char *host, bool ipv6)
{
    struct peer *server = udp_server(ipv6, echo_datagram);
    struct net_counters counters;

    open_socket(4, NET_UDP, host, server->port);
    say(4, "one");
    say(4, "three");
    hear(4, "onethree");
    ck_assert_uint_eq(sock[4].events, 2);
    ck_assert_uint_eq(sock[4].last, 5);
    ck_assert_uint_eq(server->count, 2);
    counters = net_counters(net, 4);
    ck_assert_uint_eq(counters.sent, 8);
    ck_assert_uint_eq(counters.acked, 0);
    ck_assert_uint_eq(counters.unacked, 0);
    net_close(net, 4);
    ck_assert(!net_working(net));
}

START_TEST(udp_echo)
{
    check_udp_echo("127.0.0.1", false);
}
END_TEST

START_TEST(udp_echo_ipv6)
{
    NEEDS_IPV6("udp_echo_ipv6");
    check_udp_echo("::1", true);
}
END_TEST

/* Answers with datagrams of 0, 1500, 1501 and 3 bytes. */
static void answer_in_sizes(struct peer *peer)
{
    static const size_t sizes[] = { 0, NET_UDP_MAX, NET_UDP_MAX + 1, 3 };
    static const uint8_t data[NET_UDP_MAX + 1];
    char byte;

    peer->from_len = sizeof peer->from;
    ck_assert_int_eq(recvfrom(peer->fd, &byte, 1, 0, (struct sockaddr *)&peer->from,
                              &peer->from_len), 1);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(sendto(peer->fd, data, sizes[i], 0,
                                (const struct sockaddr *)&peer->from, peer->from_len),
                         (ssize_t)sizes[i]);
}

START_TEST(udp_sizes)
{
    struct peer *server = udp_server(false, answer_in_sizes);

    open_socket(0, NET_UDP, "127.0.0.1", server->port);
    say(0, "?");
    UNTIL(sock[0].len >= NET_UDP_MAX + 3);
    ck_assert_uint_eq(sock[0].events, 2);
    ck_assert_uint_eq(sock[0].largest, NET_UDP_MAX);
    ck_assert_uint_eq(sock[0].last, 3);
    ck_assert_uint_eq(net_counters(net, 0).dropped, 1);
}
END_TEST

/* Nobody is there, and then somebody is: a datagram socket doesn't care. */
START_TEST(udp_outlives_a_missing_server)
{
    uint16_t port = free_port(SOCK_DGRAM);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

    open_socket(0, NET_UDP, "127.0.0.1", port);
    say(0, "nobody hears this");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    (void)add_peer(fd, echo_datagram);
    say(0, "but this");
    hear(0, "but this");
    ck_assert_int_eq(sock[0].closed, 0);
}
END_TEST

START_TEST(udp_local_port)
{
    struct peer *server = udp_server(false, echo_datagram);
    uint16_t local = free_port(SOCK_DGRAM);

    ck_assert_int_eq(net_open(net, 0, NET_UDP, "127.0.0.1", server->port, local, false), 0);
    UNTIL(sock[0].opened == 1);
    ck_assert_int_eq(sock[0].err, NET_OK);
    ck_assert_uint_eq(net_local_port(net, 0), local);
    say(0, "x");
    hear(0, "x");
    ck_assert_uint_eq(ntohs(((const struct sockaddr_in *)(const void *)&server->from)->sin_port),
                      local);
    ck_assert_int_eq(net_open(net, 1, NET_UDP, "127.0.0.1", server->port, local, false), 0);
    expect_failure(1, NET_BIND);
}
END_TEST

/* ---- routes and hosts ------------------------------------------------------ */

/* Opens, hears the server's own text, and closes. */
static void reaches(const char *host, uint16_t port, const char *text)
{
    memset(&sock[0], 0, offsetof(__typeof__(sock[0]), data));
    start_open(0, NET_TCP, host, port);
    UNTIL(sock[0].opened == 1);
    ck_assert_msg(sock[0].err == NET_OK, "%s:%u: %d", host, (unsigned)port, sock[0].err);
    UNTIL(sock[0].closed == 1);
    sock[0].closed = 0;
    ck_assert_uint_eq(sock[0].len, strlen(text));
    ck_assert_msg(memcmp(sock[0].data, text, strlen(text)) == 0, "%s:%u leads to '%.*s'", host,
                  (unsigned)port, (int)sock[0].len, (const char *)sock[0].data);
    net_close(net, 0);
}

START_TEST(routes_lead_the_way)
{
    struct peer *a = tcp_server(false, start_saying);
    struct peer *b = tcp_server(false, start_saying);
    struct peer *c = tcp_server(false, start_saying);
    struct peer *d = tcp_server(false, start_saying);

    a->text = "exact";
    b->text = "host";
    c->text = "port";
    d->text = "any";
    /* The order doesn't matter, only how well it fits. */
    add_route("*:*", "127.0.0.1", d->port);
    add_route("iot.example:8062", "127.0.0.1", a->port);
    add_route("iot.example:*", "127.0.0.1", b->port);
    add_route("*:80", "127.0.0.1", c->port);
    add_route("192.0.2.7:8062", "localhost", a->port);
    add_route("[2001:db8::7]:8062", "127.0.0.1", a->port);
    reaches("iot.example", 8062, "exact");
    reaches("IOT.Example", 8062, "exact");
    reaches("iot.example", 8063, "host");
    reaches("iot.example", 80, "host");
    reaches("other.example", 80, "port");
    reaches("other.example", 81, "any");
    reaches("192.0.2.7", 8062, "exact");
    reaches("2001:db8:0:0::7", 8062, "exact");
    /* The later of two equals wins. */
    add_route("other.example:80", "127.0.0.1", a->port);
    reaches("other.example", 80, "exact");
    add_route("other.example:80", "127.0.0.1", b->port);
    reaches("other.example", 80, "host");
}
END_TEST

START_TEST(routes_may_keep_the_host_or_port)
{
    struct peer *a = tcp_server(false, start_saying);
    char spec[64];

    a->text = "here";
    ck_assert(net_add_route(net, "192.0.2.1:*=127.0.0.1:*"));
    reaches("192.0.2.1", a->port, "here");
    (void)snprintf(spec, sizeof spec, "127.0.0.1:8062=*:%u", (unsigned)a->port);
    ck_assert(net_add_route(net, spec));
    reaches("127.0.0.1", 8062, "here");
}
END_TEST

START_TEST(routes_hold_for_resolved_addresses)
{
    struct peer *a = tcp_server(false, start_saying);
    struct peer *b = tcp_server(false, start_saying);

    a->text = "by address";
    b->text = "by name";
    ck_assert(net_add_host(net, "iot.example=192.0.2.9"));
    add_route("192.0.2.9:80", "127.0.0.1", a->port);
    reaches("iot.example", 80, "by address");
    add_route("iot.example:80", "127.0.0.1", b->port);
    reaches("iot.example", 80, "by name");
}
END_TEST

START_TEST(routes_are_for_udp_too)
{
    struct peer *server = udp_server(false, echo_datagram);

    add_route("192.0.2.1:5683", "127.0.0.1", server->port);
    open_socket(0, NET_UDP, "192.0.2.1", 5683);
    say(0, "coap");
    hear(0, "coap");
}
END_TEST

START_TEST(routes_lead_from_one_family_to_the_other)
{
    NEEDS_IPV6("routes_lead_from_one_family_to_the_other");
    struct peer *server = tcp_server(true, start_saying);

    server->text = "six";
    add_route("192.0.2.1:80", "[::1]", server->port);
    reaches("192.0.2.1", 80, "six");
}
END_TEST

START_TEST(malformed_routes_and_hosts_are_refused)
{
    static const char *const routes[] = {
        "", "=", "a:1", "a:1=", "=b:2", "a=b:2", "a:1=b", "a:0=b:2", "a:1=b:65536", "a:x=b:2",
        ":1=b:2", "a:1=:2", "::1:80=b:2", "[::1:80=b:2", "[::g]:80=b:2", "[127.0.0.1]:80=b:2",
        "a b:1=c:2", "a*:1=b:2", "a:1=b:2=c:3", "a:-1=b:2", "a:+1=b:2", "a:1 =b:2", "a:**=b:2",
    };
    static const char *const hosts[] = {
        "", "=", "name", "name=", "=1.2.3.4", "name=name", "name=1.2.3", "1.2.3.4=5.6.7.8",
        "two words=1.2.3.4", "a=[::1]", "a=b=1.2.3.4", "*=1.2.3.4",
    };
    char spec[64];

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        ck_assert_msg(!net_add_route(net, routes[i]), "'%s'", routes[i]);
        ck_assert_str_ne(net_reason(net), "");
    }
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        ck_assert_msg(!net_add_host(net, hosts[i]), "'%s'", hosts[i]);
        ck_assert_str_ne(net_reason(net), "");
    }
    for (int i = 0; i < NET_ROUTES_MAX; i++)
        ck_assert(net_add_route(net, "a:1=b:2"));
    ck_assert(!net_add_route(net, "a:1=b:2"));
    for (int i = 0; i < NET_HOSTS_MAX; i++) {
        (void)snprintf(spec, sizeof spec, "name%d=192.0.2.%d", i, i);
        ck_assert(net_add_host(net, spec));
    }
    ck_assert(!net_add_host(net, "one=1.2.3.4"));
}
END_TEST

static void expect_resolved(int i, int err, size_t count, const char *first)
{
    UNTIL(resolved_count > i);
    ck_assert_int_eq(resolved[i].err, err);
    ck_assert_uint_eq(resolved[i].count, count);
    if (first != NULL)
        ck_assert_str_eq(resolved[i].address[0], first);
}

START_TEST(host_table)
{
    int cookie;

    ck_assert(net_add_host(net, "iot.example=192.0.2.1"));
    ck_assert(net_add_host(net, "Iot.Example=2001:db8::1"));
    ck_assert(net_add_host(net, "iot.example=192.0.2.2"));
    ck_assert(net_add_host(net, "four.example=1.1.1.1"));

    ck_assert_int_eq(net_resolve(net, "IOT.example", NET_ANY, &cookie), NET_OK);
    ck_assert_int_eq(resolved_count, 0);
    ck_assert_int_eq(net_timeout_ms(net), 0);
    expect_resolved(0, NET_OK, 3, "192.0.2.1");
    ck_assert_str_eq(resolved[0].address[1], "192.0.2.2");
    ck_assert_str_eq(resolved[0].address[2], "2001:db8::1");
    ck_assert_ptr_eq(resolved[0].cookie, &cookie);
    ck_assert_uint_eq(resolved[0].ttl, 0);

    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV6, NULL), NET_OK);
    expect_resolved(1, NET_OK, 1, "2001:db8::1");
    ck_assert_int_eq(net_resolve(net, "four.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(2, NET_OK, 1, "1.1.1.1");
    /* Known, but not in this family: nobody else is asked. */
    ck_assert_int_eq(net_resolve(net, "four.example", NET_IPV6, NULL), NET_OK);
    expect_resolved(3, NET_DNS, 0, NULL);
    ck_assert_int_eq(net_resolve(net, "10.1.2.3", NET_ANY, NULL), NET_OK);
    expect_resolved(4, NET_OK, 1, "10.1.2.3");
    ck_assert_int_eq(net_resolve(net, "2001:DB8:0::5", NET_ANY, NULL), NET_OK);
    expect_resolved(5, NET_OK, 1, "2001:db8::5");
    ck_assert_int_eq(net_resolve(net, "10.1.2.3", NET_IPV6, NULL), NET_OK);
    expect_resolved(6, NET_DNS, 0, NULL);
    ck_assert_int_eq(net_resolve(net, "localhost", NET_IPV4, NULL), NET_OK);
    expect_resolved(7, NET_OK, 1, "127.0.0.1");
}
END_TEST

START_TEST(host_table_leads_a_socket)
{
    struct peer *server = tcp_server(false, start_saying);

    server->text = "found";
    ck_assert(net_add_host(net, "iot.example=127.0.0.1"));
    reaches("iot.example", server->port, "found");
    /* The family of the socket counts. */
    ck_assert_int_eq(net_open(net, 1, NET_TCP, "iot.example", server->port, 0, true), NET_OK);
    expect_failure(1, NET_DNS);
    ck_assert_int_eq(net_open(net, 1, NET_TCP, "127.0.0.1", server->port, 0, true), NET_OK);
    expect_failure(1, NET_DNS);
}
END_TEST

START_TEST(tcp_tries_every_address)
{
    struct peer *server = tcp_server(false, start_saying);

    server->text = "found";
    /* All of 127/8 is loopback, but the server has one address only. */
    ck_assert(net_add_host(net, "iot.example=127.0.0.2"));
    ck_assert(net_add_host(net, "iot.example=127.0.0.3"));
    ck_assert(net_add_host(net, "iot.example=127.0.0.1"));
    reaches("iot.example", server->port, "found");
}
END_TEST

/* ---- DNS ------------------------------------------------------------------- */

/*
 * A DNS server for what a test needs. Names decide: "none.…" doesn't exist,
 * "two.…" has two addresses, all else has 10.0.0.mark, or fd00::mark.
 */
static void answer_dns(struct peer *peer)
{
    uint8_t packet[1024];
    size_t at = 12;
    unsigned answers = 1;

    peer->from_len = sizeof peer->from;
    ssize_t n = recvfrom(peer->fd, packet, 512, 0, (struct sockaddr *)&peer->from,
                         &peer->from_len);
    if (n < 17)
        return;
    peer->count++;
    if (peer->text != NULL && strcmp(peer->text, "silent") == 0)
        return;
    bool none = memcmp(packet + 12, "\4none", 5) == 0;
    while (at < (size_t)n && packet[at] != 0)
        at += packet[at] + 1u;
    bool aaaa = packet[at + 2] == 28;
    at += 5;
    if (none || (peer->text != NULL && strcmp(peer->text, "refuse") == 0))
        answers = 0;
    else if (memcmp(packet + 12, "\3two", 4) == 0)
        answers = 2;
    packet[2] = 0x84 | (packet[2] & 1);
    packet[3] = 0x80 | (none ? 3 : answers == 0 ? 5 : 0);
    packet[7] = (uint8_t)answers;
    packet[9] = packet[11] = 0;
    for (unsigned i = 0; i < answers; i++) {
        uint8_t head[] = { 0xc0, 12, 0, aaaa ? 28 : 1, 0, 1, 0, 0, 1, (uint8_t)(44 - i), 0,
                           aaaa ? 16 : 4 };
        memcpy(packet + at, head, sizeof head);
        at += sizeof head;
        size_t len = aaaa ? 16 : 4;
        memset(packet + at, 0, len);
        packet[at] = aaaa ? 0xfd : 10;
        packet[at + len - 2] = (uint8_t)i;
        packet[at + len - 1] = peer->mark;
        at += len;
    }
    (void)sendto(peer->fd, packet, at, 0, (const struct sockaddr *)&peer->from, peer->from_len);
}

static struct peer *dns_server(const char *address, uint8_t mark, const char *text)
{
    struct peer *server = udp_server(false, answer_dns);
    char from[64];

    server->mark = mark;
    server->text = text;
    (void)snprintf(from, sizeof from, "%s:53", address);
    add_route(from, "127.0.0.1", server->port);
    return server;
}

START_TEST(dns_server_is_chosen)
{
    struct peer *one = dns_server("192.0.2.1", 1, NULL);
    struct peer *two = dns_server("192.0.2.2", 2, NULL);

    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(0, NET_OK, 1, "10.0.0.1");
    ck_assert_uint_eq(resolved[0].ttl, 300);
    ck_assert_uint_eq(one->count, 1);
    ck_assert_uint_eq(two->count, 0);

    ck_assert_int_eq(net_set_dns(net, "192.0.2.2", "192.0.2.1"), NET_OK);
    ck_assert_int_eq(net_resolve(net, "two.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(1, NET_OK, 2, NULL);
    ck_assert_uint_eq(resolved[1].ttl, 299);
    ck_assert_uint_eq(one->count, 1);
    ck_assert_uint_eq(two->count, 1);

    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV6, NULL), NET_OK);
    expect_resolved(2, NET_OK, 1, "fd00::2");
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_ANY, NULL), NET_OK);
    expect_resolved(3, NET_OK, 2, "10.0.0.2");
    ck_assert_int_eq(net_resolve(net, "none.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(4, NET_DNS, 0, NULL);

    ck_assert_int_eq(net_set_dns(net, "dns.example", NULL), NET_INVALID);
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", "x"), NET_INVALID);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(5, NET_OK, 1, "10.0.0.2");
}
END_TEST

START_TEST(dns_server_may_change_while_another_is_asked)
{
    struct peer *one = dns_server("192.0.2.1", 1, NULL);
    struct peer *two = dns_server("192.0.2.2", 2, NULL);

    one->idle = true;
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "old.example", NET_IPV4, one), NET_OK);
    turn();
    ck_assert_int_eq(net_set_dns(net, "192.0.2.2", NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "new.example", NET_IPV4, two), NET_OK);
    expect_resolved(0, NET_OK, 1, "10.0.0.2");
    ck_assert_ptr_eq(resolved[0].cookie, two);
    one->idle = false;
    expect_resolved(1, NET_OK, 1, "10.0.0.1");
    ck_assert_ptr_eq(resolved[1].cookie, one);
}
END_TEST

START_TEST(dns_secondary_steps_in)
{
    struct peer *one = dns_server("192.0.2.1", 1, "refuse");

    (void)dns_server("192.0.2.2", 2, NULL);
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", "192.0.2.2"), NET_OK);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(0, NET_OK, 1, "10.0.0.2");
    ck_assert_uint_ge(one->count, 1);
}
END_TEST

START_TEST(dns_system_servers_are_routed)
{
    struct peer *server = udp_server(false, answer_dns);

    server->mark = 7;
    add_route("*:53", "127.0.0.1", server->port);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(0, NET_OK, 1, "10.0.0.7");
    ck_assert_uint_ge(server->count, 1);
}
END_TEST

START_TEST(dns_is_not_led_by_a_route_for_everything)
{
    struct peer *server = udp_server(false, answer_dns);

    add_route("*:*", "127.0.0.1", server->port);
    ck_assert_int_eq(net_set_dns(net, "127.123.45.67", NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "iot.invalid", NET_IPV4, NULL), NET_OK);
    UNTIL(resolved_count == 1);
    ck_assert_uint_eq(server->count, 0);
}
END_TEST

START_TEST(dns_silence_is_bounded)
{
    struct peer *server = dns_server("192.0.2.1", 1, "silent");

    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    for (int i = 0; i < NET_RESOLVES_MAX; i++)
        ck_assert_int_eq(net_resolve(net, "iot.example", NET_ANY, NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_ANY, NULL), NET_DNS_BUSY);
    start_open(0, NET_TCP, "iot.example", 80);
    UNTIL(server->count >= 5);
    ck_assert(net_working(net));
    ck_assert_int_ge(net_timeout_ms(net), 0);
    ck_assert_int_eq(resolved_count, 0);
    ahead += 20000;
    expect_resolved(NET_RESOLVES_MAX - 1, NET_DNS, 0, NULL);
    expect_failure(0, NET_DNS);
    ck_assert(!net_working(net));
}
END_TEST

START_TEST(dns_of_a_port_where_nobody_is)
{
    add_route("192.0.2.1:53", "127.0.0.1", free_port(SOCK_DGRAM));
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_IPV4, NULL), NET_OK);
    expect_resolved(0, NET_DNS, 0, NULL);
}
END_TEST

START_TEST(dns_leads_a_socket)
{
    struct peer *server = tcp_server(false, start_saying);

    server->text = "found";
    (void)dns_server("192.0.2.1", 1, NULL);
    add_route("10.0.0.1:80", "127.0.0.1", server->port);
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    reaches("iot.example", 80, "found");
    start_open(1, NET_TCP, "none.example", 80);
    expect_failure(1, NET_DNS);
}
END_TEST

START_TEST(reset_ends_everything)
{
    struct peer *server = tcp_server(false, start_idle_sink);

    struct peer *dns = dns_server("192.0.2.1", 1, "silent");
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    open_socket(0, NET_TCP, "127.0.0.1", server->port);
    open_socket(1, NET_TCP, "127.0.0.1", server->port);
    net_close(net, 1);
    start_open(2, NET_TCP, "iot.example", 80);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_ANY, NULL), NET_OK);
    ck_assert_int_eq(net_ntp(net, "iot.example", 0), NET_OK);
    ck_assert_int_eq(net_ping(net, "iot.example", 1, 1, 32), NET_OK);
    turn();
    ck_assert(net_working(net));
    net_reset(net);
    ck_assert(!net_working(net));
    ck_assert_int_eq(net_timeout_ms(net), -1);
    some_turns();
    for (int id = 0; id < NET_SOCKETS; id++)
        ck_assert_int_eq(net_state(net, id), NET_FREE);
    ck_assert_int_eq(sock[2].opened + resolved_count + ntp.done, 0);
    /* The routes are still there. */
    size_t asked = dns->count;
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    ck_assert_int_eq(net_resolve(net, "iot.example", NET_ANY, NULL), NET_OK);
    UNTIL(dns->count > asked);
    /* All that is under way now ends with the engine. */
    ck_assert_int_eq(net_ntp(net, "iot.example", 0), NET_OK);
    start_open(3, NET_TCP, "127.0.0.1", server->port);
}
END_TEST

/* ---- time ------------------------------------------------------------------ */

#define NTP_OF_2019 3769240100u  /* 2019-06-11 11:08:20 */

struct ntp_answer {
    uint8_t first;       /* leap indicator, version, mode */
    uint8_t stratum;
    bool other_nonce;
    size_t len;
    uint32_t seconds, fraction;
};

static struct ntp_answer ntp_answers[8];
static size_t ntp_answer_count;

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

/* Checks a request and sends all the answers there are. */
static void answer_ntp(struct peer *peer)
{
    uint8_t request[128];

    peer->from_len = sizeof peer->from;
    ssize_t n = recvfrom(peer->fd, request, sizeof request, 0, (struct sockaddr *)&peer->from,
                         &peer->from_len);
    ck_assert_int_eq(n, 48);
    ck_assert_uint_eq(request[0], 0x23);
    peer->count++;
    for (size_t i = 0; i < ntp_answer_count; i++) {
        const struct ntp_answer *answer = &ntp_answers[i];
        uint8_t packet[64] = { answer->first, answer->stratum };
        memcpy(packet + 12, "DENY", 4);
        memcpy(packet + 24, request + 40, 8);
        if (answer->other_nonce)
            packet[30] ^= 1;
        put32(packet + 32, answer->seconds);
        put32(packet + 36, answer->fraction);
        put32(packet + 40, answer->seconds);
        put32(packet + 44, answer->fraction);
        (void)sendto(peer->fd, packet, answer->len, 0, (const struct sockaddr *)&peer->from,
                     peer->from_len);
    }
}

static struct peer *ntp_server(void)
{
    struct peer *server = udp_server(false, answer_ntp);

    add_route("ntp.example:123", "127.0.0.1", server->port);
    return server;
}

/* One good answer, to be spoilt. */
static struct ntp_answer *add_answer(void)
{
    struct ntp_answer *answer = &ntp_answers[ntp_answer_count++];

    *answer = (struct ntp_answer){ 0x24, 2, false, 48, NTP_OF_2019, 0x80000000u };
    return answer;
}

static void expect_time(int year, int month, int day, int hour, int minute, int second)
{
    UNTIL(ntp.done == 1);
    ck_assert_int_eq(ntp.err, NET_OK);
    ck_assert(ntp.has_time);
    ck_assert_int_eq(ntp.time.year, year);
    ck_assert_int_eq(ntp.time.month, month);
    ck_assert_int_eq(ntp.time.day, day);
    ck_assert_int_eq(ntp.time.hour, hour);
    ck_assert_int_eq(ntp.time.minute, minute);
    ck_assert_int_eq(ntp.time.second, second);
    ntp.done = 0;
}

START_TEST(ntp_time)
{
    struct peer *server = ntp_server();

    (void)add_answer();
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_BUSY);
    ck_assert(net_working(net));
    expect_time(2019, 6, 11, 11, 8, 20);
    /* Half the way there and back is added to the server's own half second. */
    ck_assert_int_ge(ntp.time.millisecond, 500);
    ck_assert_uint_eq(server->count, 1);
    ck_assert(!net_working(net));

    /* Another port has no route, but an address has. */
    ck_assert_int_eq(net_ntp(net, "127.0.0.1", server->port), NET_OK);
    expect_time(2019, 6, 11, 11, 8, 20);
}
END_TEST

START_TEST(ntp_after_2036)
{
    struct ntp_answer *answer = add_answer();

    (void)ntp_server();
    answer->seconds = 0;
    answer->fraction = 1;
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    expect_time(2036, 2, 7, 6, 28, 16);
    answer->seconds = 0x7fffffffu;
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    expect_time(2104, 2, 26, 9, 42, 23);
}
END_TEST

START_TEST(ntp_passes_bad_replies_over)
{
    (void)ntp_server();
    add_answer()->other_nonce = true;
    add_answer()->first = 0x23;   /* a client's */
    add_answer()->first = 0xe4;   /* not synchronised */
    add_answer()->stratum = 16;
    add_answer()->len = 47;
    add_answer()->first = 0x04;   /* version 0 */
    *add_answer() = (struct ntp_answer){ 0x24, 2, false, 48, 0, 0 };
    for (size_t i = 0; i < ntp_answer_count; i++)
        ntp_answers[i].seconds -= i == 6 ? 0 : 1000000;
    (void)add_answer();
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    expect_time(2019, 6, 11, 11, 8, 20);
}
END_TEST

START_TEST(ntp_kiss_of_death)
{
    struct peer *server = ntp_server();
    struct ntp_answer *answer = add_answer();

    /* A forged one doesn't count. */
    answer->other_nonce = true;
    answer->stratum = 0;
    answer = add_answer();
    answer->first = 0xe4;
    answer->stratum = 0;
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    UNTIL(ntp.done == 1);
    ck_assert_int_eq(ntp.err, NET_BLOCKED);
    ck_assert(!ntp.has_time);
    ck_assert_ptr_nonnull(strstr(net_reason(net), "DENY"));
    ck_assert_uint_eq(server->count, 1);
}
END_TEST

START_TEST(ntp_asks_three_times)
{
    struct peer *server = ntp_server();

    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    for (size_t i = 1; i <= 3; i++) {
        UNTIL(server->count == i);
        ck_assert_int_eq(ntp.done, 0);
        ck_assert_int_le(net_timeout_ms(net), 5000);
        ahead += 5000;
    }
    UNTIL(ntp.done == 1);
    ck_assert_int_eq(ntp.err, NET_TIMEOUT);
    ck_assert_uint_eq(server->count, 3);
    ck_assert_str_ne(net_reason(net), "");

    /* And the third may succeed. */
    ntp.done = 0;
    ck_assert_int_eq(net_ntp(net, "ntp.example", 0), NET_OK);
    UNTIL(server->count == 4);
    ahead += 5000;
    UNTIL(server->count == 5);
    (void)add_answer();
    ahead += 5000;
    expect_time(2019, 6, 11, 11, 8, 20);
}
END_TEST

START_TEST(ntp_without_server)
{
    ck_assert_int_eq(net_ntp(net, "127.0.0.1", free_port(SOCK_DGRAM)), NET_OK);
    UNTIL(ntp.done == 1);
    ck_assert_int_eq(ntp.err, NET_CONNECT);
    (void)dns_server("192.0.2.1", 1, NULL);
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    ck_assert_int_eq(net_ntp(net, "none.example", 0), NET_OK);
    UNTIL(ntp.done == 2);
    ck_assert_int_eq(ntp.err, NET_DNS);
}
END_TEST

/* ---- ping ------------------------------------------------------------------ */

/* Whether ping is allowed here; if not, it must say so and no more. */
static bool may_ping(const char *test)
{
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 4, 1, 32), NET_OK);
    UNTIL(ping.done == 1);
    bool may = ping.summary.err != NET_NOT_SUPPORTED;
    if (!may) {
        ck_assert_int_eq(ping.replies + ping.timeouts, 0);
        ck_assert_str_ne(net_reason(net), "");
        printf("skipped: %s, for %s\n", test, net_reason(net));
    }
    memset(&ping, 0, sizeof ping);
    return may;
}

START_TEST(ping_loopback)
{
    if (!may_ping("ping_loopback"))
        return;
    step = 1;
    ck_assert_int_eq(net_ping(net, "localhost", 4, 4, 200), NET_OK);
    ck_assert_int_eq(net_ping(net, "localhost", 4, 4, 200), NET_BUSY);
    UNTIL(ping.done == 1);
    ck_assert_int_eq(ping.replies, 4);
    ck_assert_int_eq(ping.timeouts, 0);
    ck_assert_str_eq(ping.ip, "127.0.0.1");
    ck_assert_uint_eq(ping.bytes, 200);
    ck_assert_uint_eq(ping.ttl, 64);
    ck_assert_int_eq(ping.summary.err, NET_OK);
    ck_assert_uint_eq(ping.summary.sent, 4);
    ck_assert_uint_eq(ping.summary.received, 4);
    ck_assert_uint_eq(ping.summary.lost, 0);
    ck_assert_uint_ge(ping.summary.min, 1);
    ck_assert_uint_le(ping.summary.min, ping.summary.average);
    ck_assert_uint_le(ping.summary.average, ping.summary.max);
    ck_assert_int_eq(net_timeout_ms(net), -1);
    ck_assert(!net_working(net));
}
END_TEST

START_TEST(ping_sizes)
{
    static const unsigned sizes[] = { 0, 1, 7, 8, NET_PING_SIZE_MAX };

    if (!may_ping("ping_sizes"))
        return;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ping.done = 0;
        ck_assert_int_eq(net_ping(net, "127.0.0.1", 4, 1, sizes[i]), NET_OK);
        UNTIL(ping.done == 1);
        ck_assert_int_eq(ping.replies, (int)i + 1);
        ck_assert_uint_eq(ping.bytes, sizes[i]);
    }
}
END_TEST

/* A broadcast can't be sent without asking for it, so nothing leaves. */
START_TEST(ping_without_reply)
{
    if (!may_ping("ping_without_reply"))
        return;
    ck_assert_int_eq(net_ping(net, "255.255.255.255", 4, 3, 32), NET_OK);
    for (int i = 0; i < 3; i++) {
        some_turns();
        ck_assert_int_eq(ping.timeouts, 0);
        ck_assert_int_le(net_timeout_ms(net), i < 2 ? 1000 : 4000);
        ahead += 1000;
    }
    ahead += 5000;
    UNTIL(ping.done == 1);
    ck_assert_int_eq(ping.timeouts, 3);
    ck_assert_int_eq(ping.summary.err, NET_OK);
    ck_assert_uint_eq(ping.summary.sent, 3);
    ck_assert_uint_eq(ping.summary.received, 0);
    ck_assert_uint_eq(ping.summary.lost, 3);
    ck_assert_uint_eq(ping.summary.average, 0);
}
END_TEST

static void ping_again(void)
{
    in_ping_done = NULL;
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 4, 1, 32), NET_OK);
}

START_TEST(ping_may_begin_again_when_done)
{
    if (!may_ping("ping_may_begin_again_when_done"))
        return;
    in_ping_done = ping_again;
    ck_assert_int_eq(net_ping(net, "127.0.0.1", 4, 1, 32), NET_OK);
    UNTIL(ping.done == 2);
    ck_assert_int_eq(ping.replies, 2);
}
END_TEST

START_TEST(ping_of_no_host)
{
    (void)dns_server("192.0.2.1", 1, NULL);
    ck_assert_int_eq(net_set_dns(net, "192.0.2.1", NULL), NET_OK);
    ck_assert_int_eq(net_ping(net, "::1", 4, 4, 32), NET_OK);
    UNTIL(ping.done == 1);
    ck_assert_int_eq(ping.summary.err, NET_NOT_SUPPORTED);
    ck_assert_ptr_nonnull(strstr(net_reason(net), "IPv6"));
    ping.done = 0;
    if (!may_ping("ping_of_no_host"))
        return;
    ck_assert_int_eq(net_ping(net, "none.example", 4, 4, 32), NET_OK);
    UNTIL(ping.done == 1);
    ck_assert_int_eq(ping.summary.err, NET_DNS);
    ck_assert_uint_eq(ping.summary.sent, 0);
    ck_assert_int_eq(ping.replies + ping.timeouts, 0);
}
END_TEST

/* ---- all of them ------------------------------------------------------------ */

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 20);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *tests = add_case(suite, "tcp");

    tcase_add_test(tests, tcp_echo);
    tcase_add_test(tests, tcp_echo_ipv6);
    tcase_add_test(tests, tcp_refused);
    tcase_add_test(tests, tcp_closed_by_the_other_side);
    tcase_add_test(tests, tcp_close_waits_for_a_paused_reader);
    tcase_add_test(tests, tcp_reset);
    tcase_add_test(tests, tcp_reset_of_a_paused_socket);
    tcase_add_test(tests, tcp_pause_loses_nothing);
    tcase_add_test(tests, tcp_pause_counts_at_once);
    tcase_add_test(tests, tcp_queue_is_bounded_and_flushed_after_close);
    tcase_add_test(tests, tcp_close_is_bounded);
    tcase_add_test(tests, tcp_many_closes_are_bounded);
    tcase_add_test(tests, tcp_local_port);
    tcase_add_test(tests, tcp_local_port_again);
    tcase_add_test(tests, tcp_does_not_connect_to_itself);
    tcase_add_test(tests, tcp_no_answer);
    tcase_add_test(tests, five_sockets_at_once);
    tcase_add_test(tests, events_may_call_back);
    tcase_add_test(tests, bad_arguments_are_refused);

    tests = add_case(suite, "udp");
    tcase_add_test(tests, udp_echo);
    tcase_add_test(tests, udp_echo_ipv6);
    tcase_add_test(tests, udp_sizes);
    tcase_add_test(tests, udp_outlives_a_missing_server);
    tcase_add_test(tests, udp_local_port);

    tests = add_case(suite, "routes and hosts");
    tcase_add_test(tests, routes_lead_the_way);
    tcase_add_test(tests, routes_may_keep_the_host_or_port);
    tcase_add_test(tests, routes_hold_for_resolved_addresses);
    tcase_add_test(tests, routes_are_for_udp_too);
    tcase_add_test(tests, routes_lead_from_one_family_to_the_other);
    tcase_add_test(tests, malformed_routes_and_hosts_are_refused);
    tcase_add_test(tests, host_table);
    tcase_add_test(tests, host_table_leads_a_socket);
    tcase_add_test(tests, tcp_tries_every_address);

    tests = add_case(suite, "dns");
    tcase_add_test(tests, dns_server_is_chosen);
    tcase_add_test(tests, dns_server_may_change_while_another_is_asked);
    tcase_add_test(tests, dns_secondary_steps_in);
    tcase_add_test(tests, dns_system_servers_are_routed);
    tcase_add_test(tests, dns_is_not_led_by_a_route_for_everything);
    tcase_add_test(tests, dns_silence_is_bounded);
    tcase_add_test(tests, dns_of_a_port_where_nobody_is);
    tcase_add_test(tests, dns_leads_a_socket);
    tcase_add_test(tests, reset_ends_everything);

    tests = add_case(suite, "ntp");
    tcase_add_test(tests, ntp_time);
    tcase_add_test(tests, ntp_after_2036);
    tcase_add_test(tests, ntp_passes_bad_replies_over);
    tcase_add_test(tests, ntp_kiss_of_death);
    tcase_add_test(tests, ntp_asks_three_times);
    tcase_add_test(tests, ntp_without_server);

    tests = add_case(suite, "ping");
    tcase_add_test(tests, ping_loopback);
    tcase_add_test(tests, ping_sizes);
    tcase_add_test(tests, ping_without_reply);
    tcase_add_test(tests, ping_may_begin_again_when_done);
    tcase_add_test(tests, ping_of_no_host);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

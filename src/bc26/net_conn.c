/* One connection: a descriptor and what is still to be written to it. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

/* ---- opening ------------------------------------------------------------- */

static bool set_flags(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static void set_options(int fd, enum net_kind kind, int family)
{
    int one = 1;

    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (kind == NET_UDP)
        return;
    /* The same local port again, right after a close. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* A module sends what it's given at once. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static bool bind_port(int fd, int family, uint16_t port)
{
    union net_address local;

    memset(&local, 0, sizeof local);
    local.any.sa_family = (sa_family_t)family;
    net_set_port(&local, port);
    return bind(fd, &local.any, net_address_size(&local)) == 0;
}

static int make_socket(enum net_kind kind, int family, int *err)
{
    int fd = socket(family, kind == NET_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);

    if (fd >= 0 && set_flags(fd)) {
        set_options(fd, kind, family);
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    *err = NET_CREATE_SOCKET;
    return -1;
}

/* Returns the descriptor, or -1, *err and errno. */
static int begin(enum net_kind kind, const union net_address *to, uint16_t local_port, int *err)
{
    int fd = make_socket(kind, to->any.sa_family, err);

    if (fd < 0)
        return -1;
    if (local_port != 0 && !bind_port(fd, to->any.sa_family, local_port)) {
        *err = NET_BIND;
    } else if (connect(fd, &to->any, net_address_size(to)) == 0 || errno == EINPROGRESS) {
        return fd;
    } else {
        *err = errno == ETIMEDOUT ? NET_TIMEOUT : NET_CONNECT;
    }
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

struct net_conn *net_conn_new(enum net_kind kind, const union net_address *to,
                              uint16_t local_port, int *err)
{
    int fd = begin(kind, to, local_port, err);

    /* A former connection between these two ports isn't forgotten yet. The
     * host would see another port behind a NAT as well. */
    if (fd < 0 && *err == NET_CONNECT && errno == EADDRNOTAVAIL && local_port != 0)
        fd = begin(kind, to, 0, err);
    if (fd < 0)
        return NULL;
    struct net_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        (void)close(fd);
        *err = NET_MEMORY;
        return NULL;
    }
    conn->fd = fd;
    conn->kind = kind;
    return conn;
}

void net_conn_free(struct net_conn *conn)
{
    if (conn == NULL)
        return;
    (void)close(conn->fd);
    free(conn);
}

/* Both ends the same: on one machine a port may connect to itself when
 * nobody else listens there. */
static bool to_itself(int fd, const union net_address *peer)
{
    union net_address own;
    socklen_t len = sizeof own;

    memset(&own, 0, sizeof own);
    return getsockname(fd, &own.any, &len) == 0 &&
           memcmp(&own, peer, net_address_size(peer)) == 0;
}

int net_conn_connected(const struct net_conn *conn)
{
    union net_address peer;
    socklen_t len = sizeof peer;
    int err = 0;
    socklen_t err_len = sizeof err;

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &err, &err_len) < 0)
        return NET_UNKNOWN;
    if (err != 0)
        return err == ETIMEDOUT ? NET_TIMEOUT : NET_CONNECT;
    /* No error may also mean that it's still too early to tell. */
    memset(&peer, 0, sizeof peer);
    if (getpeername(conn->fd, &peer.any, &len) < 0)
        return -1;
    return conn->kind == NET_TCP && to_itself(conn->fd, &peer) ? NET_CONNECT : NET_OK;
}

uint16_t net_conn_local_port(const struct net_conn *conn)
{
    union net_address own;
    socklen_t len = sizeof own;

    memset(&own, 0, sizeof own);
    return getsockname(conn->fd, &own.any, &len) == 0 ? net_address_port(&own) : 0;
}

/* ---- sending ------------------------------------------------------------- */

bool net_conn_queue(struct net_conn *conn, const void *data, size_t len)
{
    size_t head = conn->kind == NET_UDP ? 2 : 0;

    if (len + head > NET_QUEUE_MAX - conn->queued)
        return false;
    if (head != 0)
        net_put16(conn->queue + conn->queued, (uint16_t)len);
    memcpy(conn->queue + conn->queued + head, data, len);
    conn->queued += head + len;
    return true;
}

static void drop_queued(struct net_conn *conn, size_t len)
{
    conn->queued -= len;
    memmove(conn->queue, conn->queue + len, conn->queued);
}

/* Whether the kernel can't take it now, but later. */
static bool later(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
}

static void flush_stream(struct net_conn *conn)
{
    while (conn->queued > 0) {
        ssize_t n = send(conn->fd, conn->queue, conn->queued, MSG_NOSIGNAL);
        if (n >= 0) {
            drop_queued(conn, (size_t)n);
        } else if (errno != EINTR) {
            conn->broken = !later();
            return;
        }
    }
}

/* An error that an earlier datagram met is reported to a later one, which
 * isn't sent then. So each is tried twice; if it fails again it's lost, as
 * datagrams are. */
static void flush_datagrams(struct net_conn *conn)
{
    while (conn->queued > 0) {
        size_t len = net_get16(conn->queue);
        ssize_t n = -1;
        for (int tries = 0; tries < 2 && n < 0; tries++) {
            n = send(conn->fd, conn->queue + 2, len, MSG_NOSIGNAL);
            if (n < 0 && later())
                return;
        }
        drop_queued(conn, len + 2);
    }
}

void net_conn_flush(struct net_conn *conn)
{
    if (conn->broken || conn->queued == 0)
        return;
    if (conn->kind == NET_TCP)
        flush_stream(conn);
    else
        flush_datagrams(conn);
}

size_t net_conn_unacked(const struct net_conn *conn)
{
    int waiting = 0;

#ifdef SIOCOUTQ
    if (ioctl(conn->fd, SIOCOUTQ, &waiting) < 0 || waiting < 0)
        waiting = 0;
#endif
    return conn->queued + (size_t)waiting;
}

/* ---- closing ------------------------------------------------------------- */

/* Reads what nobody wants any more: bytes left unread would turn the close
 * into a reset, and the remote host might lose what was sent to it. */
static void drain(struct net_conn *conn)
{
    uint8_t buffer[4096];

    for (int turn = 0; turn < NET_TURNS && !conn->ended; turn++) {
        ssize_t n = recv(conn->fd, buffer, sizeof buffer, 0);
        if (n == 0)
            conn->ended = true;
        if (n < 0 && later())
            return;
        if (n < 0 && errno != EINTR)
            conn->broken = conn->ended = true;
    }
}

bool net_conn_linger(struct net_conn *conn)
{
    net_conn_flush(conn);
    if (conn->broken || conn->kind == NET_UDP)
        return conn->broken || conn->queued == 0;
    drain(conn);
    if (conn->queued == 0 && !conn->finished) {
        conn->broken |= shutdown(conn->fd, SHUT_WR) < 0;
        conn->finished = true;
    }
    return conn->broken || (conn->finished && conn->ended);
}

short net_conn_linger_events(const struct net_conn *conn)
{
    return (short)((conn->queued > 0 ? POLLOUT : 0) |
                   (conn->kind == NET_TCP && !conn->ended ? POLLIN : 0));
}

/* TCP in place of a serial line. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "posix_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket as everybody here wants it: non-blocking, closed on exec, and
 * without Nagle, for a serial line doesn't wait either. */
static int prepare(int fd)
{
    int one = 1;
    int err = -at_posix_set_nonblocking(fd);

    if (err == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        err = errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return err;
}

static int listen_on(int fd, uint16_t *port)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int one = 1;

    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = htons(*port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int err = prepare(fd);
    if (err != 0)
        return err;
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return errno;
    *port = ntohs(at.sin_port);
    return 0;
}

int at_posix_tcp_listen(uint16_t *port, struct at_posix_why *why)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int err = fd < 0 ? errno : listen_on(fd, port);

    if (err == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    if (err == EADDRINUSE)
        at_posix_say(why, "port %u: in use by another program; choose another port, or 0 "
                     "for any", (unsigned)*port);
    else if (err == EACCES)
        at_posix_say(why, "port %u: permission denied; choose a port from 1024 on",
                     (unsigned)*port);
    else
        at_posix_say(why, "port %u: %s; choose another port", (unsigned)*port, strerror(err));
    return -err;
}

int at_posix_tcp_accept(int listener, bool busy)
{
    int fd = accept(listener, NULL, NULL);

    /* One that has gone again before it was taken is no error. */
    if (fd < 0)
        return -EAGAIN;
    if (!busy && prepare(fd) == 0)
        return fd;
    (void)close(fd);
    return -EAGAIN;
}

/* Splits "HOST:PORT" or "[HOST]:PORT". */
static bool split(const char *address, char *host, size_t size, char *port, size_t port_size)
{
    const char *colon = strrchr(address, ':');

    if (colon == NULL || colon == address)
        return false;
    size_t len = (size_t)(colon - address);
    if (address[0] == '[') {
        if (len < 3 || colon[-1] != ']')
            return false;
        address++;
        len -= 2;
    } else if (memchr(address, ':', len) != NULL) {
        return false;
    }
    char *end;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || number == 0 || number > 65535 ||
        len >= size)
        return false;
    memcpy(host, address, len);
    host[len] = '\0';
    (void)snprintf(port, port_size, "%lu", number);
    return true;
}

/* Waits for a connect() that is under way; EINTR: a signal that is watched came. */
static int wait_connected(int fd, uint32_t timeout_ms)
{
    uint32_t start = at_posix_now_ms();
    int err = 0;
    socklen_t len = sizeof err;

    for (;;) {
        uint32_t gone = at_posix_now_ms() - start;
        if (gone >= timeout_ms)
            return ETIMEDOUT;
        uint32_t left = timeout_ms - gone;
        struct pollfd wait[2] = { { .fd = fd, .events = POLLOUT },
                                  { .fd = at_posix_signals_watched(), .events = POLLIN } };
        int n = poll(wait, 2, left > 60000u ? 60000 : (int)left);
        if (n > 0 && wait[1].revents != 0)
            return EINTR;
        if (n > 0)
            break;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        return errno;
    return err;
}

/* Returns a descriptor or a negative errno. */
static int connect_one(const struct addrinfo *to, uint32_t timeout_ms)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);

    if (fd < 0)
        return -errno;
    int err = prepare(fd);
    if (err == 0 && connect(fd, to->ai_addr, to->ai_addrlen) < 0)
        err = errno == EINPROGRESS ? wait_connected(fd, timeout_ms) : errno;
    if (err == 0)
        return fd;
    (void)close(fd);
    return -err;
}

static void explain_connect(struct at_posix_why *why, const char *address, int err)
{
    if (err == ECONNREFUSED)
        at_posix_say(why, "%s: connection refused, nothing listens there; start the other "
                     "side first, and compare the ports", address);
    else if (err == ETIMEDOUT || err == EHOSTUNREACH || err == ENETUNREACH)
        at_posix_say(why, "%s: no answer (%s); check the address and the network", address,
                     strerror(err));
    else
        at_posix_say(why, "%s: %s; check the address", address, strerror(err));
}

int at_posix_tcp_connect(const char *address, uint32_t timeout_ms, struct at_posix_why *why)
{
    char host[256], port[8];
    struct addrinfo hints, *list = NULL;

    if (!split(address, host, sizeof host, port, sizeof port)) {
        at_posix_say(why, "%s: not an address; write HOST:PORT, such as localhost:5000 or "
                     "[::1]:5000", address);
        return -EINVAL;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    int status = getaddrinfo(host, port, &hints, &list);
    if (status != 0) {
        at_posix_say(why, "%s: no such host (%s); check the name, or use an IP address",
                     address, gai_strerror(status));
        return -EHOSTUNREACH;
    }
    uint32_t start = at_posix_now_ms();
    int result = -EHOSTUNREACH;
    for (const struct addrinfo *to = list; to != NULL && result < 0 && result != -EINTR;
         to = to->ai_next) {
        uint32_t gone = at_posix_now_ms() - start;
        result = connect_one(to, gone < timeout_ms ? timeout_ms - gone : 0);
    }
    freeaddrinfo(list);
    if (result < 0)
        explain_connect(why, address, -result);
    return result;
}

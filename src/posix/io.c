/* Descriptors, the clock, and writing until all is written. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void at_posix_say(struct at_posix_why *why, const char *format, ...)
{
    va_list arguments;

    if (why == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
}

int at_posix_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

uint32_t at_posix_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

uint32_t at_posix_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

/* One write, of a socket without SIGPIPE. */
static ssize_t put(int fd, const void *data, size_t len)
{
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

    if (n < 0 && errno == ENOTSOCK)
        n = write(fd, data, len);
    return n;
}

int at_posix_write_all(int fd, const void *data, size_t len, uint32_t timeout_ms)
{
    const uint8_t *at = data;
    uint32_t start = at_posix_now_ms();

    while (len > 0) {
        ssize_t n = put(fd, at, len);
        if (n >= 0) {
            at += n;
            len -= (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return -errno;
        uint32_t gone = at_posix_now_ms() - start;
        if (gone >= timeout_ms)
            return -ETIMEDOUT;
        uint32_t left = timeout_ms - gone;
        struct pollfd wait = { .fd = fd, .events = POLLOUT };
        (void)poll(&wait, 1, left > 60000u ? 60000 : (int)left);
    }
    return 0;
}

#include "port.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "print.h"

enum { CONNECT_MS = 10000, LONGEST_WAIT_MS = 60000 };

/* A path has a slash or is there; "HOST:PORT" is neither. */
static bool is_address(const char *name)
{
    return strchr(name, '/') == NULL && strchr(name, ':') != NULL && access(name, F_OK) != 0;
}

static int open_it(struct port *port)
{
    const struct tool_options *options = port->tool->options;
    port->serial.fd = -1;
    if (is_address(options->port)) {
        port->fd = at_posix_tcp_connect(options->port, CONNECT_MS, &port->why);
        return port->fd < 0 ? port->fd : 0;
    }
    int status = at_posix_serial_open(&port->serial, options->port, options->baud, &port->why);
    port->fd = port->serial.fd;
    return status;
}

static void start_trace(struct port *port)
{
    static struct trace trace;
    if (port->tool->options->trace) {
        trace_init(&trace, port->tool, stderr,
                   TRACE_DECODED | (print_in_colour(stderr) ? TRACE_COLOURS : 0u));
        port->trace = &trace;
    }
}

int port_open(struct port *port, const struct tool *tool)
{
    const struct port_observer *observer = port->observer;
    memset(port, 0, sizeof *port);
    port->tool = tool;
    port->observer = observer;
    int fd = at_posix_signals_fd();
    int status = fd < 0 ? fd : open_it(port);
    if (status < 0) {
        port->fd = -1;
        port->signal = status == -EINTR ? at_posix_signals_take() : 0;
        return status;
    }
    start_trace(port);
    return 0;
}

void port_close(struct port *port)
{
    if (port->trace != NULL) {
        trace_finish(port->trace);
    }
    if (port->serial.fd >= 0) {
        at_posix_serial_close(&port->serial);
    } else if (port->fd >= 0) {
        (void)close(port->fd);
    }
    port->fd = -1;
}

int port_complain(const struct port *port)
{
    fprintf(stderr, "%s: %s\n", port->tool->name, port->why.text);
    return TOOL_NO;
}

int port_refused(const struct port *port)
{
    if (port->signal != 0) {
        return 128 + port->signal;
    }
    (void)port_complain(port);
    return TOOL_USAGE;
}

/* -1, with the reason; the port is closed. */
static int lose(struct port *port, int error)
{
    bool tcp = port->serial.fd < 0;
    const char *what = tcp ? "the other side ended the connection"
                           : "the port is gone, unplugged or switched off";
    snprintf(port->why.text, sizeof port->why.text, "%s: lost: %s%s%s; %s", port->tool->options->port,
             what, error != 0 ? ": " : "", error != 0 ? strerror(error) : "",
             tcp ? "see whether it still runs, then try again"
                 : "plug it in again, then try again");
    port_close(port);
    return -1;
}

static bool is_for_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int port_write(void *ctx, const uint8_t *data, size_t n)
{
    struct port *port = ctx;
    if (port->fd < 0) {
        return -1;
    }
    ssize_t written = write(port->fd, data, n);
    if (written < 0) {
        return is_for_later(errno) ? 0 : lose(port, errno);
    }
    port->sent += (uint64_t)written;
    if (port->trace != NULL) {
        trace_sent(port->trace, data, (size_t)written);
    }
    if (port->observer != NULL) {
        port->observer->sent(port->observer->ctx, data, (size_t)written);
    }
    return (int)written;
}

/* 1: there may be bytes; 0: not within this time; -1: a signal came. */
static int await(struct port *port, uint32_t wait_ms)
{
    struct pollfd fds[2] = {{port->fd, POLLIN, 0}, {at_posix_signals_fd(), POLLIN, 0}};
    int wait = wait_ms < LONGEST_WAIT_MS ? (int)wait_ms : LONGEST_WAIT_MS;
    int n = poll(fds, 2, wait);
    if (n > 0 && fds[1].revents != 0) {
        port->signal = at_posix_signals_take();
        return -1;
    }
    return n > 0;
}

int port_take(struct port *port, uint8_t *data, size_t n)
{
    if (port->fd < 0) {
        return -1;
    }
    ssize_t got = read(port->fd, data, n);
    if (got <= 0) {
        return got < 0 && is_for_later(errno) ? 0 : lose(port, got < 0 ? errno : 0);
    }
    port->received += (uint64_t)got;
    if (port->trace != NULL) {
        trace_received(port->trace, data, (size_t)got);
    }
    if (port->observer != NULL) {
        port->observer->received(port->observer->ctx, data, (size_t)got);
    }
    return (int)got;
}

int port_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    struct port *port = ctx;
    int ready = port->fd < 0 ? -1 : await(port, wait_ms);
    return ready <= 0 ? ready : port_take(port, data, n);
}

uint32_t port_now(void *ctx)
{
    (void)ctx;
    return at_posix_now_ms();
}

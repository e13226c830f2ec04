/* `monitor`: the traffic of a port, both ways, and decoded; by itself or between
 * another program and the module. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "port.h"
#include "print.h"

enum { CHUNK = 4096, PTY_ASK_MS = 1000 };

struct queue {
    size_t len;
    uint8_t bytes[CHUNK];
};

struct monitor {
    const struct tool *tool;
    const char *link; /* of the pty for another program, or NULL */
    bool json;
    struct port port;
    struct port_observer observer;
    struct at_posix_pty pty;
    struct trace trace;
    struct traffic traffic; /* in place of the trace's, for JSON */
    struct events events;
    struct queue input, to_module, to_pty;
    uint32_t sent_at; /* when a line of stdin was taken last */
    bool reading;     /* stdin may have more */
    bool after_cr;    /* in it */
    bool ended;       /* by Ctrl-D */
};

/* What is shown ------------------------------------------------------------------------- */

static struct traffic *traffic_of(struct monitor *m)
{
    return m->json ? &m->traffic : &m->trace.traffic;
}

static void on_sent(void *ctx, const uint8_t *data, size_t n)
{
    traffic_sent(traffic_of(ctx), data, n);
}

static void on_received(void *ctx, const uint8_t *data, size_t n)
{
    traffic_received(traffic_of(ctx), data, n);
}

static void begin_view(struct monitor *m)
{
    m->observer = (struct port_observer){m, on_sent, on_received};
    events_init(&m->events, m->tool, stdout, true);
    traffic_init(&m->traffic, m->tool, events_view, &m->events);
    trace_init(&m->trace, m->tool, stdout,
               TRACE_DECODED | TRACE_TIMES | (print_in_colour(stdout) ? TRACE_COLOURS : 0u));
}

/* Each event is seen when it has come. @return TOOL_DONE; TOOL_USAGE after a message */
static int show(struct monitor *m, bool *closed)
{
    errno = 0;
    *closed = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (!*closed || errno == EPIPE || errno == EINTR) {
        return TOOL_DONE; /* whoever reads has seen enough, or we were told to end */
    }
    return tool_usage(m->tool, "monitor: can't write to stdout: %s",
                      errno != 0 ? strerror(errno) : "some of it is lost");
}

/* Bytes --------------------------------------------------------------------------------- */

static size_t room(const struct queue *queue)
{
    return sizeof queue->bytes - queue->len;
}

static void drop(struct queue *queue, size_t n)
{
    memmove(queue->bytes, queue->bytes + n, queue->len - n);
    queue->len -= n;
}

static bool is_for_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void read_input(struct monitor *m)
{
    struct queue *queue = &m->input;
    ssize_t n = read(STDIN_FILENO, queue->bytes + queue->len, room(queue));
    if (n > 0) {
        queue->len += (size_t)n;
    } else if (n == 0 || !is_for_later(errno)) {
        m->reading = false;
        m->ended = isatty(STDIN_FILENO) != 0;
    }
}

/* Milliseconds until a line of stdin's may go. Without waiting, a module that is busy
 * would lose it, and its answers could be told apart no more. */
static uint32_t patience(struct monitor *m)
{
    uint32_t most = traffic_patience(traffic_of(m));
    uint32_t gone = at_posix_now_ms() - m->sent_at;
    return gone < most ? most - gone : 0;
}

/* A line's end becomes that of a command line; data at the prompt go as they are. */
static void take_byte(struct monitor *m, uint8_t c)
{
    bool lf = !traffic_in_data(traffic_of(m)) && c == '\n';
    if (!lf || !m->after_cr) {
        m->to_module.bytes[m->to_module.len++] = lf ? '\r' : c;
    }
    m->after_cr = !traffic_in_data(traffic_of(m)) && c == '\r';
}

static void write_module(struct monitor *m)
{
    int n = port_write(&m->port, m->to_module.bytes, m->to_module.len);
    drop(&m->to_module, n > 0 ? (size_t)n : 0);
}

/* Byte by byte, so that it's known of the next what it is. */
static void send_input(struct monitor *m)
{
    size_t n = 0;
    while (n < m->input.len && m->to_module.len == 0 && patience(m) == 0) {
        take_byte(m, m->input.bytes[n++]);
        m->sent_at = at_posix_now_ms();
        if (m->to_module.len > 0) {
            write_module(m);
        }
    }
    drop(&m->input, n);
}

static void read_pty(struct monitor *m)
{
    struct queue *queue = &m->to_module;
    ssize_t n = read(m->pty.fd, queue->bytes + queue->len, room(queue));
    if (n > 0) {
        queue->len += (size_t)n;
    }
}

/* What nobody listens to is lost, as on a UART. */
static void write_pty(struct monitor *m)
{
    struct queue *queue = &m->to_pty;
    ssize_t n = (ssize_t)queue->len;
    if (at_posix_pty_listened(&m->pty)) {
        n = write(m->pty.fd, queue->bytes, queue->len);
        if (n < 0) {
            n = is_for_later(errno) ? 0 : (ssize_t)queue->len;
        }
    }
    drop(queue, (size_t)n);
}

static void read_module(struct monitor *m)
{
    uint8_t data[CHUNK];
    struct queue *queue = &m->to_pty;
    int n = port_read(&m->port, data, room(queue), 0);
    if (n > 0 && m->link != NULL) {
        memcpy(queue->bytes + queue->len, data, (size_t)n);
        queue->len += (size_t)n;
    }
}

/* The loop ------------------------------------------------------------------------------ */

enum watched { SIGNAL, MODULE, INPUT, PTY, OUTPUT, WATCHED };

static struct pollfd watch(int fd, bool in, bool out)
{
    short events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
    return (struct pollfd){fd, events, 0};
}

static int timeout(struct monitor *m)
{
    int wait = m->link != NULL ? PTY_ASK_MS : -1;
    if (m->input.len > 0 && m->to_module.len == 0) {
        uint32_t left = patience(m);
        wait = wait < 0 || left < (uint32_t)wait ? (int)left : wait;
    }
    return wait;
}

/* A full queue to the pty keeps the module's bytes waiting, rather than losing them. */
static void await(struct monitor *m, struct pollfd *fds)
{
    bool takes = room(&m->to_module) > 0;
    bool pty = m->link != NULL;
    fds[SIGNAL] = watch(at_posix_signals_fd(), true, false);
    fds[MODULE] = watch(m->port.fd, room(&m->to_pty) > 0, m->to_module.len > 0);
    fds[INPUT] = watch(m->reading && room(&m->input) > 0 ? STDIN_FILENO : -1, true, false);
    fds[PTY] = watch(pty ? m->pty.fd : -1, takes, m->to_pty.len > 0);
    fds[OUTPUT] = watch(STDOUT_FILENO, false, false);
    if (poll(fds, WATCHED, timeout(m)) < 0) {
        memset(fds, 0, WATCHED * sizeof *fds);
    }
}

/* A port that is lost is read, too: that tells why. */
static void serve_module(struct monitor *m, short events)
{
    if ((events & POLLOUT) != 0) {
        write_module(m);
    }
    if ((events & (POLLHUP | POLLERR)) != 0 && room(&m->to_pty) == 0) {
        m->to_pty.len = 0;
    }
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        read_module(m);
    }
}

static void serve(struct monitor *m, const struct pollfd *fds)
{
    serve_module(m, fds[MODULE].revents);
    if (fds[INPUT].revents != 0) {
        read_input(m);
    }
    send_input(m);
    if ((fds[PTY].revents & POLLIN) != 0) {
        read_pty(m);
    }
    if (m->to_pty.len > 0) {
        write_pty(m);
    } else if (m->link != NULL) {
        (void)at_posix_pty_listened(&m->pty);
    }
}

static bool is_over(const struct monitor *m, const struct pollfd *fds)
{
    return fds[SIGNAL].revents != 0 || m->port.signal != 0 || m->port.fd < 0 ||
           (fds[OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ||
           (m->ended && m->input.len + m->to_module.len == 0);
}

static int run(struct monitor *m)
{
    struct pollfd fds[WATCHED];
    bool closed = false;
    int status;
    do {
        await(m, fds);
        serve(m, fds);
        status = show(m, &closed);
    } while (!closed && !is_over(m, fds));
    traffic_finish(traffic_of(m));
    if (!closed) {
        status = show(m, &closed);
    }
    return m->port.fd < 0 ? port_complain(&m->port) : status;
}

static int open_pty(struct monitor *m)
{
    struct at_posix_why why;
    if (m->link == NULL) {
        return TOOL_DONE;
    }
    if (at_posix_pty_open(&m->pty, m->link, &why) != 0) {
        return tool_usage(m->tool, "%s", why.text);
    }
    fprintf(stderr, "%s monitor: ready on %s\n", m->tool->name, m->link);
    return TOOL_DONE;
}

static int monitor(struct monitor *m)
{
    m->port.observer = &m->observer;
    m->reading = true;
    if (port_open(&m->port, m->tool) != 0) {
        return port_refused(&m->port);
    }
    int status = open_pty(m);
    if (status == TOOL_DONE) {
        status = run(m);
        if (m->link != NULL) {
            at_posix_pty_close(&m->pty);
        }
    }
    port_close(&m->port);
    return status;
}

/* The call ------------------------------------------------------------------------------ */

static int print_help(const struct tool *tool)
{
    printf("usage: %s --port PATH|HOST:PORT [--baud N] monitor [--json] [--pty LINK]\n"
           "       [--set NAME=VALUE]...\n\n"
           "Shows what goes to the module (->) and comes from it (<-), with the time and with\n"
           "the manual's names and meanings behind each line; data (|) by their number and\n"
           "beginning.\n\n"
           "Lines from stdin go to the module as they stand, each when the one before has its\n"
           "answer or has had its time. Their ends become CR, but not in data at a prompt. On a\n"
           "terminal Ctrl-V before Ctrl-Z or Esc sends that byte, and Ctrl-D ends the monitor.\n"
           "The end of a file or a pipe doesn't.\n\n"
           "  --json            one JSON object an event, as decode prints them, with \"time\"\n"
           "                    (UTC) and \"from\" (host or module) before; of the host there\n"
           "                    are command, data, unknown, overlong and incomplete\n"
           "  --pty LINK        stand between the module and another program, which opens LINK as\n"
           "                    if it were the port; bytes pass unchanged both ways\n"
           "  --set NAME=VALUE  a setting that the module has already, where it isn't the\n"
           "                    manual's default; they decide how payloads are read (%s decode\n"
           "                    --help lists them)\n\n"
           "Goes on until Ctrl-C, SIGTERM, or nobody reads its output: exit status 0. When the\n"
           "port is lost, what is left is shown, and the exit status is 1; 2: usage, or no such\n"
           "port. Colours are for terminals, unless NO_COLOR is set.\n",
           tool->name, tool->name);
    return TOOL_DONE;
}

static int read_arguments(struct monitor *m, int argc, char **argv)
{
    const struct tool *tool = m->tool;
    for (int i = 1; i < argc; i++) {
        bool link = strcmp(argv[i], "--pty") == 0;
        if (strcmp(argv[i], "--json") == 0) {
            m->json = true;
            continue;
        }
        if (!link && strcmp(argv[i], "--set") != 0) {
            return tool_usage(tool, "monitor doesn't take '%s'; see %s monitor --help", argv[i],
                              tool->name);
        }
        if (i + 1 == argc) {
            return tool_usage(tool, "%s lacks its value; see %s monitor --help", argv[i],
                              tool->name);
        }
        i++;
        if (link) {
            m->link = argv[i];
        } else if (tool_set(tool, argv[i], m->traffic.session.settings) != TOOL_DONE) {
            return TOOL_USAGE;
        }
    }
    memcpy(m->trace.traffic.session.settings, m->traffic.session.settings, TOOL_SETTINGS_MAX);
    return TOOL_DONE;
}

int tool_monitor(const struct tool *tool, int argc, char **argv)
{
    static struct monitor m;
    if (tool_asks_for_help(argc, argv)) {
        return print_help(tool);
    }
    m.tool = tool;
    begin_view(&m);
    int status = read_arguments(&m, argc, argv);
    return status == TOOL_DONE ? monitor(&m) : status;
}

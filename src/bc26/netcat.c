/* `tcp` and `udp`: a netcat through the module.
 *
 * One loop over the port, stdin, stdout and the signals. Input has two blocks: while
 * one is being sent the other fills, and the next send starts as the last ends, so that
 * the link never waits for stdin. Output has a queue: in buffer mode nothing is read from
 * the module while it is full, and the rest waits there; pushed data come whether there
 * is room or not, so the queue grows. */
#include "netcat.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "progress.h"
#include "work.h"

enum {
    /* Pieces of both formats fit into it without a rest. */
    BLOCK_MAX = 8 * NETCAT_DATAGRAM_MAX,
    READ_MAX = 512,
    QUEUE_FULL = 16384,
    /* What poll() says may be written without waiting, on a pipe. */
    WRITE_MAX = 4096,
    /* How long to close politely after something went wrong. */
    CLOSE_MS = 5000,
    /* A send was refused: so long the news that the other side closed may take. */
    NEWS_MS = 2000
};

enum phase { OPENING, OPEN, CLOSING, CLOSED };

enum reason {
    NONE,
    REMOTE_CLOSED,
    QUIET,
    FAILED,        /* what the module was asked for; `status` and `error` say how */
    INPUT_FAILED,  /* `status` is errno */
    OUTPUT_FAILED, /* likewise */
    NO_MEMORY,
    SIGNAL,
    PORT_LOST
};

struct block {
    uint8_t bytes[BLOCK_MAX];
    size_t len;
};

/* What came from the socket and isn't on stdout yet. */
struct queue {
    uint8_t *bytes;
    size_t at, len, room;
};

/* Bytes that have passed, at one moment. */
struct passed {
    uint64_t sent, received, wire_sent, wire_received;
    uint32_t at;
};

struct lost {
    uint32_t ours;
    uint32_t unclaimed; /* most likely for sockets that others left open */
};

struct netcat {
    struct work work;
    struct netcat_arguments arguments;
    const struct tool *tool;
    int handle;
    enum phase phase;
    enum reason reason;
    int status;
    int32_t error;
    struct bc26_task life, send, recv;

    struct block blocks[2];
    unsigned head;             /* the block that is sent, or will be next */
    size_t block_max;
    uint64_t input_size;       /* of a regular file, or 0 */
    bool input_ended;
    bool refused;              /* a send was: see NEWS_MS */
    uint64_t sent;             /* by sends that have ended */

    uint8_t piece[READ_MAX];
    struct queue queue;
    uint64_t received;
    bool remote_ended;

    uint32_t last;             /* when something passed, or the socket opened */
    uint32_t closing_since;
    struct passed begin, end;  /* from opening to the last byte */
    struct lost lost_before;   /* when the opening began */
    struct lost lost;          /* when the closing began: what comes then isn't missed */
    uint32_t full;
    struct progress progress;
    bool output_is_terminal;
};

static uint32_t now_of(const struct netcat *n)
{
    return at_client_now(&n->work.channel.client);
}

/* Accounts ------------------------------------------------------------------ */

static uint64_t sent_so_far(const struct netcat *n)
{
    return n->sent + (n->send.pending ? n->send.count : 0);
}

static struct passed passed_now(const struct netcat *n)
{
    const struct port *port = &n->work.channel.port;
    return (struct passed){sent_so_far(n), n->received, port->sent, port->received, now_of(n)};
}

static void note_activity(struct netcat *n)
{
    n->end = passed_now(n);
    n->last = n->end.at;
}

/* Bytes that were announced and that nobody got. */
static struct lost lost_so_far(const struct netcat *n)
{
    const struct bc26_sockets_counters *counters = &n->work.sockets.counters;
    return (struct lost){counters->dropped + counters->broken,
                         n->work.channel.client.counters.payload_lost};
}

/* Ending -------------------------------------------------------------------- */

/* The first reason is the one that's told. */
static void stop(struct netcat *n, enum reason reason, int status, int32_t error)
{
    if (n->reason != NONE) {
        return;
    }
    n->reason = reason;
    n->status = status;
    n->error = error;
    n->lost = lost_so_far(n);
    n->full = n->work.sockets.counters.full;
    n->closing_since = now_of(n);
}

static void on_closed(void *ctx, struct bc26_task *task)
{
    struct netcat *n = ctx;
    n->phase = CLOSED;
    bool expected = n->remote_ended && (task->status == AT_E_FAIL || task->status == AT_E_ERROR);
    if (task->status < 0 && !expected && (n->reason == QUIET || n->reason == REMOTE_CLOSED)) {
        n->reason = FAILED;
        n->status = task->status;
        n->error = task->error;
    }
}

/* Not from a callback: what is under way may have to be given up. */
static void begin_close(struct netcat *n)
{
    struct bc26_sockets *sockets = &n->work.sockets;
    if (n->phase == OPENING) { /* its failure closes what has come of it */
        at_client_cancel(&n->work.channel.client);
    } else {
        n->life.done = on_closed;
        (void)bc26_socket_close_start(sockets, &n->life, n->handle);
    }
    n->phase = CLOSING;
}

/* stdin to the socket ------------------------------------------------------- */

static void start_send(struct netcat *n);

static void on_sent(void *ctx, struct bc26_task *task)
{
    struct netcat *n = ctx;
    n->sent += task->count;
    if (task->count > 0) {
        note_activity(n);
    }
    if (task->status >= 0) {
        n->blocks[n->head].len = 0;
        n->head ^= 1u;
        start_send(n);
    } else if (task->status == AT_E_ERROR || task->status == AT_E_FAIL) {
        n->refused = true;
        n->status = task->status;
        n->error = task->error;
    } else if (task->status != AT_E_CANCELED) {
        stop(n, FAILED, task->status, task->error);
    }
}

static void start_send(struct netcat *n)
{
    const struct block *block = &n->blocks[n->head];
    if (n->phase != OPEN || n->reason != NONE || n->send.pending || n->refused ||
        n->remote_ended || block->len == 0) {
        return;
    }
    int status = bc26_socket_send_start(&n->work.sockets, &n->send, n->handle, block->bytes,
                                        block->len);
    if (status < 0) {
        stop(n, FAILED, status, -1);
    }
}

/* A datagram is one read; of a stream, reads may join until they are sent. */
static struct block *to_fill(struct netcat *n)
{
    struct block *block = &n->blocks[n->head];
    if (n->send.pending) {
        block = &n->blocks[n->head ^ 1u];
    }
    bool room = n->arguments.udp ? block->len == 0 : block->len < n->block_max;
    return room && !n->input_ended ? block : NULL;
}

static bool wants_input(struct netcat *n)
{
    return n->phase == OPEN && n->reason == NONE && !n->refused && !n->remote_ended &&
           to_fill(n) != NULL;
}

static void read_input(struct netcat *n)
{
    struct block *block = to_fill(n);
    if (block == NULL) {
        return;
    }
    ssize_t got = read(STDIN_FILENO, block->bytes + block->len, n->block_max - block->len);
    if (got > 0) {
        block->len += (size_t)got;
    } else if (got == 0) {
        n->input_ended = true;
        n->last = now_of(n);
    } else if (errno != EAGAIN && errno != EINTR) {
        stop(n, INPUT_FAILED, errno, -1);
    }
}

/* Whether input is left that wasn't sent; there may be more, or it's at its end unnoticed. */
static bool input_left(struct netcat *n)
{
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    if (n->blocks[0].len + n->blocks[1].len == 0 && !n->input_ended && poll(&fd, 1, 0) > 0) {
        read_input(n);
    }
    return n->blocks[0].len + n->blocks[1].len > 0;
}

/* The socket to stdout ------------------------------------------------------- */

static bool make_room(struct queue *queue, size_t len)
{
    if (queue->at > 0 && queue->at + queue->len + len > queue->room) {
        memmove(queue->bytes, queue->bytes + queue->at, queue->len);
        queue->at = 0;
    }
    if (queue->len + len <= queue->room) {
        return true;
    }
    size_t room = 2u * (queue->len + len);
    uint8_t *bytes = realloc(queue->bytes, room > QUEUE_FULL ? room : QUEUE_FULL);
    if (bytes == NULL) {
        return false;
    }
    queue->bytes = bytes;
    queue->room = room > QUEUE_FULL ? room : QUEUE_FULL;
    return true;
}

static void enqueue(struct netcat *n, const uint8_t *data, size_t len)
{
    struct queue *queue = &n->queue;
    n->received += len;
    note_activity(n);
    if (n->reason == OUTPUT_FAILED) {
        return;
    }
    if (!make_room(queue, len)) {
        stop(n, NO_MEMORY, 0, -1);
        return;
    }
    memcpy(queue->bytes + queue->at + queue->len, data, len);
    queue->len += len;
}

static void start_receive(struct netcat *n);

static void on_received(void *ctx, struct bc26_task *task)
{
    struct netcat *n = ctx;
    if (task->status > 0) {
        enqueue(n, n->piece, task->count);
        start_receive(n);
    } else if (task->status == 0) {
        n->remote_ended = true;
    } else if (task->status != AT_E_CANCELED) {
        stop(n, FAILED, task->status, task->error);
    }
}

static void start_receive(struct netcat *n)
{
    bool buffer = n->arguments.open.access_mode == BC26_ACCESS_MODE_BUFFER;
    if (!buffer || n->phase != OPEN || n->reason != NONE || n->recv.pending || n->remote_ended ||
        n->queue.len >= QUEUE_FULL) {
        return;
    }
    int status = bc26_socket_recv_start(&n->work.sockets, &n->recv, n->handle, n->piece,
                                        sizeof n->piece);
    if (status < 0) {
        stop(n, FAILED, status, -1);
    }
}

/* Data that are pushed. */
static void on_pushed(void *ctx, int handle, const uint8_t *data, size_t len)
{
    (void)handle;
    enqueue(ctx, data, len);
}

static void on_ended(void *ctx, int handle, int status)
{
    struct netcat *n = ctx;
    (void)handle;
    if (status == AT_OK) {
        n->remote_ended = true;
        n->last = now_of(n);
    } else {
        stop(n, FAILED, status, -1);
    }
}

static void write_output(struct netcat *n)
{
    struct queue *queue = &n->queue;
    if (n->output_is_terminal) {
        progress_hide(&n->progress);
    }
    ssize_t put = write(STDOUT_FILENO, queue->bytes + queue->at,
                        queue->len < WRITE_MAX ? queue->len : WRITE_MAX);
    if (put >= 0) {
        queue->at = (size_t)put < queue->len ? queue->at + (size_t)put : 0;
        queue->len -= (size_t)put;
        n->last = now_of(n); /* what waits in the module had to wait for this */
    } else if (errno != EAGAIN && errno != EINTR) {
        stop(n, OUTPUT_FAILED, errno, -1);
        queue->len = 0;
    }
}

/* Opening -------------------------------------------------------------------- */

static void on_opened(void *ctx, struct bc26_task *task)
{
    struct netcat *n = ctx;
    if (task->status < 0) {
        stop(n, FAILED, task->status, task->error);
        n->phase = CLOSED;
    } else { /* to be closed at once, should there be a reason by now */
        n->phase = OPEN;
        note_activity(n);
        n->begin = n->end;
    }
}

static void start_open(struct netcat *n)
{
    n->life = (struct bc26_task){.done = on_opened, .ctx = n};
    n->send = (struct bc26_task){.done = on_sent, .ctx = n};
    n->recv = (struct bc26_task){.done = on_received, .ctx = n};
    n->lost_before = lost_so_far(n);
    n->handle = bc26_socket_open_start(&n->work.sockets, &n->life, &n->arguments.open);
}

/* The loop ------------------------------------------------------------------- */

static void look_for_end(struct netcat *n)
{
    uint32_t silent = now_of(n) - n->last;
    if (n->phase != OPEN || n->reason != NONE || n->queue.len > 0) {
        return;
    }
    if (n->remote_ended) {
        stop(n, REMOTE_CLOSED, 0, -1);
    } else if (n->refused && silent >= NEWS_MS) {
        stop(n, FAILED, n->status, n->error);
    } else if (n->input_ended && n->blocks[0].len + n->blocks[1].len == 0 &&
               silent >= n->arguments.quiet_ms) {
        stop(n, QUIET, 0, -1);
    }
}

/* When look_for_end may find something that no event tells of. */
static uint32_t end_wait(const struct netcat *n)
{
    uint32_t most = n->refused ? NEWS_MS : n->input_ended ? n->arguments.quiet_ms : UINT32_MAX;
    uint32_t since = n->last;
    if (n->phase == CLOSING) {
        most = CLOSE_MS;
        since = n->closing_since;
    }
    uint32_t gone = now_of(n) - since;
    return most == UINT32_MAX ? most : gone < most ? most - gone : 1000;
}

static bool closes_too_long(const struct netcat *n)
{
    return n->phase == CLOSING && n->reason != QUIET && n->reason != REMOTE_CLOSED &&
           now_of(n) - n->closing_since >= CLOSE_MS;
}

static size_t counts_of(const struct netcat *n, struct progress_count counts[2])
{
    counts[0] = (struct progress_count){"sent", sent_so_far(n), n->input_size};
    counts[1] = (struct progress_count){"received", n->received, 0};
    return 2;
}

static void show_progress(struct netcat *n)
{
    struct progress_count counts[2];
    size_t count = counts_of(n, counts);
    progress_show(&n->progress, now_of(n), counts, count);
}

static void take_bytes(struct netcat *n)
{
    struct at_client *client = &n->work.channel.client;
    size_t room;
    uint8_t *to = at_client_reserve(client, &room);
    int got = port_take(&n->work.channel.port, to, room);
    if (got > 0) {
        at_client_commit(client, (size_t)got);
    }
}

static void take_signal(struct netcat *n)
{
    int number = at_posix_signals_take();
    if (number == 0) {
        return;
    }
    n->work.channel.port.signal = number;
    if (n->reason == SIGNAL) { /* the second: at once */
        n->phase = CLOSED;
    } else if (n->phase != CLOSING) {
        stop(n, SIGNAL, number, -1);
    } else {
        n->reason = SIGNAL;
        n->closing_since = now_of(n);
    }
}

static uint32_t sooner(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void await_events(struct netcat *n, uint32_t wait)
{
    enum { PORT, SIGNALS, INPUT, OUTPUT, FDS };
    struct pollfd fds[FDS] = {
        [PORT] = {n->work.channel.port.fd, POLLIN, 0},
        [SIGNALS] = {at_posix_signals_fd(), POLLIN, 0},
        [INPUT] = {wants_input(n) ? STDIN_FILENO : -1, POLLIN, 0},
        [OUTPUT] = {n->queue.len > 0 ? STDOUT_FILENO : -1, POLLOUT, 0},
    };
    wait = sooner(wait, sooner(progress_wait(&n->progress, now_of(n)), end_wait(n)));
    if (poll(fds, FDS, (int)sooner(wait, INT_MAX)) <= 0) {
        return;
    }
    if (fds[SIGNALS].revents != 0) {
        take_signal(n);
    }
    if (fds[OUTPUT].revents != 0) {
        write_output(n);
    }
    if (fds[INPUT].revents != 0) {
        read_input(n);
    }
    if (fds[PORT].revents != 0) {
        take_bytes(n);
    }
}

/* What is to be done before the next wait. @return how long that may be */
static uint32_t step(struct netcat *n)
{
    look_for_end(n);
    if (n->reason != NONE && (n->phase == OPEN || n->phase == OPENING)) {
        begin_close(n);
    }
    start_send(n);
    start_receive(n);
    uint32_t wait = bc26_sockets_poll(&n->work.sockets);
    if (n->work.channel.port.fd < 0) {
        stop(n, PORT_LOST, AT_E_PORT, -1);
        n->reason = PORT_LOST; /* whatever it was that it was closed for */
        n->phase = CLOSED;
    } else if (closes_too_long(n)) {
        n->phase = CLOSED;
    }
    return wait;
}

static void run(struct netcat *n)
{
    while (n->phase != CLOSED) {
        uint32_t wait = step(n);
        if (n->phase != CLOSED) {
            show_progress(n);
            await_events(n, n->reason != NONE && n->phase != CLOSING ? 0 : wait);
        }
    }
    while (n->queue.len > 0 && n->reason != SIGNAL && n->reason != OUTPUT_FAILED) {
        struct pollfd fds[] = {{STDOUT_FILENO, POLLOUT, 0}, {at_posix_signals_fd(), POLLIN, 0}};
        (void)poll(fds, 2, -1);
        if (fds[1].revents != 0) {
            n->work.channel.port.signal = at_posix_signals_take();
            n->reason = SIGNAL;
        } else {
            write_output(n);
        }
    }
}

/* Reports --------------------------------------------------------------------- */

static void say(const struct netcat *n, const char *text, const char *detail)
{
    fprintf(stderr, "%s: %s: %s%s\n", n->tool->name, n->arguments.command, text, detail);
}

static int report_remote_closed(struct netcat *n)
{
    if (!input_left(n)) {
        return TOOL_DONE;
    }
    fprintf(stderr, "%s: %s: the other side closed when %" PRIu64, n->tool->name,
            n->arguments.command, sent_so_far(n));
    if (n->input_size > 0) {
        fprintf(stderr, " of %" PRIu64, n->input_size);
    }
    fputs(" bytes of the input were sent; the rest wasn't\n", stderr);
    return TOOL_NO;
}

static int report_quiet(const struct netcat *n)
{
    const char *name = n->tool->name;
    const char *command = n->arguments.command;
    if (n->arguments.udp) { /* a datagram has no end to wait for */
        return TOOL_DONE;
    }
    if (n->arguments.quiet_ms == 0) {
        fprintf(stderr, "%s: %s: closed at the end of input (-q 0)", name, command);
    } else {
        fprintf(stderr, "%s: %s: closed, as nothing came for %" PRIu32 " s after the end of input "
                "(-q)", name, command, n->arguments.quiet_ms / 1000u);
    }
    fputs("; the other side, still open, might have sent more\n", stderr);
    return TOOL_DONE;
}

static int report_failed(struct netcat *n)
{
    char what[200];
    const struct bc26_qiopen *open = &n->arguments.open;
    snprintf(what, sizeof what, "%s %.*s %d", n->arguments.command, (int)open->host.len,
             open->host.ptr, (int)open->remote_port);
    return work_failed(&n->work, what, n->status, n->error);
}

static int report_reason(struct netcat *n)
{
    switch (n->reason) {
    case REMOTE_CLOSED:
        return report_remote_closed(n);
    case QUIET:
        return report_quiet(n);
    case INPUT_FAILED:
        say(n, "stdin can't be read: ", strerror(n->status));
        return TOOL_NO;
    case OUTPUT_FAILED:
        say(n, "stdout can't be written, so the socket was closed: ", strerror(n->status));
        return TOOL_NO;
    case NO_MEMORY:
        say(n, "memory ended while stdout was full, so data were lost; without --push they wait "
            "in the module", "");
        return TOOL_NO;
    default:
        return report_failed(n);
    }
}

static int report_losses(const struct netcat *n)
{
    if (n->full > 0 && n->arguments.udp) {
        say(n, "the module's buffer was full, so datagrams may be lost", "");
    }
    uint32_t ours = n->lost.ours - n->lost_before.ours;
    uint32_t unclaimed = n->lost.unclaimed - n->lost_before.unclaimed;
    if (ours > 0) {
        fprintf(stderr, "%s: %s: %" PRIu32 " bytes that the module announced were lost on the way "
                "from it; see whether the port is overrun: choose another --baud, or leave "
                "--push\n", n->tool->name, n->arguments.command, ours);
    }
    if (unclaimed > 0) {
        fprintf(stderr, "%s: %s: %" PRIu32 " bytes of payload came that nobody asked for, so it "
                "isn't sure that all is whole; close what others have left open (AT+QISTATE?, "
                "AT+QICLOSE)\n", n->tool->name, n->arguments.command, unclaimed);
    }
    return ours + unclaimed > 0 ? TOOL_NO : TOOL_DONE;
}

static void report_stats(const struct netcat *n)
{
    const struct passed *begin = &n->begin;
    const struct passed *end = &n->end;
    fprintf(stderr, "socket: %" PRIu64 " bytes sent, %" PRIu64 " received; wire: %" PRIu64
            " bytes sent, %" PRIu64 " received; %.3f s\n", end->sent, end->received,
            end->wire_sent - begin->wire_sent, end->wire_received - begin->wire_received,
            (end->at - begin->at) / 1000.0);
}

static int report(struct netcat *n)
{
    struct progress_count counts[2];
    size_t count = counts_of(n, counts);
    progress_end(&n->progress, now_of(n), counts, count);
    int status = report_reason(n);
    int losses = report_losses(n);
    if (n->arguments.stats) {
        report_stats(n);
    }
    return status == TOOL_DONE ? losses : status;
}

/* Beginning -------------------------------------------------------------------- */

static uint64_t size_of_input(void)
{
    struct stat info;
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
    bool file = fstat(STDIN_FILENO, &info) == 0 && S_ISREG(info.st_mode) && at >= 0;
    return file && info.st_size > at ? (uint64_t)(info.st_size - at) : 0;
}

/* How much of stdin is one send; or the exit status, as a negative number. */
static int choose_block(struct netcat *n)
{
    uint8_t format = at_client_setting(&n->work.channel.client, BC26_SETTING_SEND_DATA_FORMAT);
    size_t most = format == BC26_DATA_FORMAT_HEX ? bc26.forms[BC26_FORM_QISEND_FIXED].rare->data->max_hex
                                                 : NETCAT_DATAGRAM_MAX;
    size_t size = n->arguments.size > 0 ? n->arguments.size : most;
    if (size > most) {
        fprintf(stderr, "%s: udp: --size %zu is more than a datagram of the module's format holds: "
                "at most %zu, or --format text\n", n->tool->name, size, most);
        return -TOOL_USAGE;
    }
    n->block_max = n->arguments.udp ? size : BLOCK_MAX;
    return TOOL_DONE;
}

static int prepare(struct netcat *n)
{
    int32_t format = n->arguments.format;
    int status = format < 0 ? AT_OK : bc26_sockets_attach(&n->work.sockets, format);
    if (status < 0) {
        return work_failed(&n->work, "--format", status, n->work.channel.client.error);
    }
    return -choose_block(n);
}

/* A conversation on a terminal needs no progress, and a trace leaves no line for it. */
static void prepare_progress(struct netcat *n)
{
    n->input_size = size_of_input();
    n->output_is_terminal = isatty(STDOUT_FILENO);
    if (!isatty(STDIN_FILENO) && !n->tool->options->trace) {
        progress_start(&n->progress, stderr, now_of(n));
    }
}

static int netcat(struct netcat *n)
{
    const struct bc26_sockets_config hooks = {
        .ctx = n, .ended = on_ended,
        .received = n->arguments.open.access_mode == BC26_ACCESS_MODE_PUSH ? on_pushed : NULL,
    };
    int status = work_begin(&n->work, n->tool, &hooks);
    if (status != TOOL_DONE) {
        return status;
    }
    status = prepare(n);
    if (status == TOOL_DONE) {
        prepare_progress(n);
        start_open(n);
        run(n);
        status = report(n);
    }
    work_end(&n->work);
    return status;
}

int bc26_netcat_command(const struct tool *tool, int argc, char **argv)
{
    static struct netcat n;
    n.tool = tool;
    int status = netcat_arguments(tool, argc, argv, &n.arguments);
    if (status >= 0) {
        return status;
    }
    status = netcat(&n);
    free(n.queue.bytes);
    return status;
}

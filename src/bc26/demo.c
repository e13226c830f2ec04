/* `demo`: chapter 4 of the manual, held with the typed calls against a virtual
 * BC26 on a pty, with servers on loopback behind it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "at_posix.h"
#include "bc26.h"
#include "commands.h"
#include "demo_servers.h"
#include "trace.h"

enum { PATIENCE_MS = 10000, COLLECT_MAX = DEMO_FLOOD };

struct demo {
    struct at_client client;
    struct at_posix_serial port;
    struct trace trace;
    struct demo_servers servers;
    pid_t module;
    char folder[64];
    char link[96];

    uint8_t window[2048];
    char command[2048];
    char text[512];
    uint8_t settings[BC26_SETTINGS];

    /* What URCs have told, by connectID. */
    unsigned recv[5], full[5], closed[5];
    unsigned seen[5];               /* recv URCs that were waited for */
    int32_t last_length;            /* of the last recv URC, or -1 */
    uint8_t pushed[64];
    size_t npushed;
    unsigned checks;
    bool failed;
};

/* The channel --------------------------------------------------------------- */

static int port_write(void *ctx, const uint8_t *data, size_t n)
{
    struct demo *d = ctx;
    ssize_t written = write(d->port.fd, data, n);
    if (written < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    trace_sent(&d->trace, data, (size_t)written);
    return (int)written;
}

static int port_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    struct demo *d = ctx;
    struct pollfd fd = {d->port.fd, POLLIN, 0};
    if (poll(&fd, 1, (int)(wait_ms < 1000u ? wait_ms : 1000u)) <= 0) {
        return 0;
    }
    ssize_t got = read(d->port.fd, data, n);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    trace_received(&d->trace, data, (size_t)got);
    return (int)got;
}

static uint32_t port_now(void *ctx)
{
    (void)ctx;
    return at_posix_now_ms();
}

static void on_urc(void *ctx, const struct at_line *line)
{
    struct demo *d = ctx;
    struct bc26_recv_urc recv;
    struct bc26_buffer_full_urc full;
    struct bc26_closed_urc closed;
    if (bc26_recv_urc_decode(line, &recv) == AT_OK && recv.connect_id < 5) {
        d->recv[recv.connect_id]++;
        d->last_length = recv.has_current_rcv_length ? recv.current_rcv_length : -1;
    } else if (bc26_buffer_full_urc_decode(line, &full) == AT_OK && full.connect_id < 5) {
        d->full[full.connect_id]++;
    } else if (bc26_closed_urc_decode(line, &closed) == AT_OK && closed.connect_id < 5) {
        d->closed[closed.connect_id]++;
    }
}

static void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                       size_t remaining)
{
    struct demo *d = ctx;
    (void)record;
    (void)remaining;
    for (size_t i = 0; i < n && d->npushed < sizeof d->pushed; i++) {
        d->pushed[d->npushed++] = data[i];
    }
}

/* Checks ---------------------------------------------------------------------- */

static void title(struct demo *d, const char *text)
{
    trace_flush(&d->trace);
    printf("\n%s\n", text);
}

/* Returns the condition, and says what was expected when it doesn't hold. */
static bool expect(struct demo *d, bool holds, const char *format, ...)
{
    va_list args;
    d->checks++;
    if (holds) {
        return true;
    }
    trace_flush(&d->trace);
    fputs("bc26: demo: unexpected: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    d->failed = true;
    return false;
}

static bool expect_status(struct demo *d, const char *call, int status, int expected)
{
    return expect(d, status == expected, "%s returned %d, not %d", call, status, expected);
}

/* Read until a counter of URCs has come so far. */
static bool await(struct demo *d, const unsigned *counter, unsigned until, const char *what)
{
    uint32_t start = at_posix_now_ms();
    while (*counter < until && at_posix_now_ms() - start < PATIENCE_MS) {
        size_t room;
        uint8_t *to = at_client_reserve(&d->client, &room);
        int n = port_read(d, to, room, 50);
        if (n < 0) {
            break;
        }
        at_client_commit(&d->client, (size_t)n);
        at_client_poll(&d->client);
    }
    return expect(d, *counter >= until, "no %s within %d ms", what, PATIENCE_MS);
}

/* A recv URC that wasn't waited for before; it may have come already. */
static bool await_recv(struct demo *d, int32_t id)
{
    bool came = await(d, &d->recv[id], d->seen[id] + 1, "recv URC");
    d->seen[id] = d->recv[id];
    return came;
}

static struct at_str str(const char *text)
{
    struct at_str s = {text, strlen(text)};
    return s;
}

static struct at_bytes bytes(const char *text)
{
    struct at_bytes b = {(const uint8_t *)text, strlen(text)};
    return b;
}

/* Pieces of the conversations --------------------------------------------------- */

static bool open_socket(struct demo *d, int32_t id, int32_t type, int32_t mode)
{
    struct bc26_qiopen request = {
        .context_id = 1, .connect_id = id, .service_type = type,
        .host = str("220.180.239.212"),
        .remote_port = type == BC26_SERVICE_TYPE_TCP ? 8062 : 8063,
        .has_local_port = true, .local_port = 0,
        .has_access_mode = true, .access_mode = mode,
    };
    struct bc26_qiopen_result result;
    if (!expect_status(d, "bc26_qiopen", bc26_qiopen(&d->client, &request, &result), 1) ||
        !expect(d, result.err == 0, "QIOPEN gave %ld (%s)", (long)result.err,
                bc26_error_text(result.err))) {
        return false;
    }
    struct bc26_qistate_connection which = {.connect_id = id};
    struct bc26_qistate_response state;
    return expect_status(d, "bc26_qistate_connection",
                         bc26_qistate_connection(&d->client, &which, &state), 1) &&
           expect(d, state.socket_state == BC26_SOCKET_STATE_CONNECTED &&
                         state.access_mode == mode,
                  "QISTATE says state %ld, access mode %ld", (long)state.socket_state,
                  (long)state.access_mode);
}

static bool send_inline(struct demo *d, int32_t id, const char *text)
{
    struct bc26_qisend_inline request = {
        .connect_id = id, .send_length = (int32_t)strlen(text), .data = bytes(text)};
    return expect_status(d, "bc26_qisend_inline", bc26_qisend_inline(&d->client, &request), 0);
}

static bool send_stream(struct demo *d, int32_t id, const char *text)
{
    struct bc26_qisend_stream request = {.connect_id = id, .data = bytes(text)};
    return expect_status(d, "bc26_qisend_stream", bc26_qisend_stream(&d->client, &request), 0);
}

static bool send_fixed(struct demo *d, int32_t id, const char *text)
{
    struct bc26_qisend_fixed request = {
        .connect_id = id, .send_length = (int32_t)strlen(text), .data = bytes(text)};
    return expect_status(d, "bc26_qisend_fixed", bc26_qisend_fixed(&d->client, &request), 0);
}

static bool send_hex(struct demo *d, int32_t id, const char *text)
{
    struct bc26_qisendex request = {
        .connect_id = id, .send_length = (int32_t)strlen(text), .hex_string = bytes(text)};
    return expect_status(d, "bc26_qisendex", bc26_qisendex(&d->client, &request), 0);
}

/* Read until the module says that its buffer is empty. Returns the length, or -1. */
static long drain(struct demo *d, int32_t id, uint8_t *out, size_t size)
{
    size_t total = 0;
    for (;;) {
        struct bc26_qird request = {.connect_id = id, .read_length = 512};
        struct bc26_qird_response answer;
        uint8_t piece[512];
        int status = bc26_qird(&d->client, &request, &answer, piece, sizeof piece);
        if (!expect_status(d, "bc26_qird", status, 1)) {
            return -1;
        }
        if (answer.actual_read_length == 0) {
            return (long)total;
        }
        size_t n = (size_t)answer.actual_read_length;
        if (!expect(d, total + n <= size, "more data than were sent")) {
            return -1;
        }
        memcpy(out + total, piece, n);
        total += n;
    }
}

/* Data may arrive in pieces: read at each URC until all have come. */
static bool read_echo(struct demo *d, int32_t id, const char *text)
{
    uint8_t data[256] = {0};
    size_t total = 0;
    size_t len = strlen(text);
    while (total < len) {
        long n = drain(d, id, data + total, sizeof data - total);
        if (n < 0) {
            return false;
        }
        total += (size_t)n;
        if (total < len && n == 0 && !await_recv(d, id)) {
            return false;
        }
    }
    return expect(d, total == len && memcmp(data, text, len) == 0, "the echo isn't what was sent");
}

static bool await_push(struct demo *d, int32_t id, const char *text)
{
    size_t len = strlen(text);
    while (d->npushed < len) {
        if (!await_recv(d, id)) {
            return false;
        }
    }
    bool same = d->npushed == len && memcmp(d->pushed, text, len) == 0;
    d->npushed = 0;
    return expect(d, same, "pushed data aren't what was sent");
}

static bool set_view_mode(struct demo *d, int32_t mode)
{
    struct bc26_qicfg_viewmode request = {.has_view_mode = true, .view_mode = mode};
    int status = bc26_qicfg_viewmode(&d->client, &request, NULL);
    return expect(d, status >= 0, "bc26_qicfg_viewmode returned %d", status);
}

static bool show_length(struct demo *d, int32_t mode)
{
    struct bc26_qicfg_showlength request = {.has_show_length_mode = true, .show_length_mode = mode};
    int status = bc26_qicfg_showlength(&d->client, &request, NULL);
    return expect(d, status >= 0, "bc26_qicfg_showlength returned %d", status);
}

static bool close_socket(struct demo *d, int32_t id)
{
    struct bc26_qiclose request = {.connect_id = id};
    return expect_status(d, "bc26_qiclose", bc26_qiclose(&d->client, &request), 0);
}

/* The conversations -------------------------------------------------------------- */

static bool buffer_open(struct demo *d)
{
    return open_socket(d, 0, BC26_SERVICE_TYPE_TCP, BC26_ACCESS_MODE_BUFFER);
}

static bool buffer_send(struct demo *d)
{
    return send_inline(d, 0, "1234567890") && send_stream(d, 0, "1234567890") &&
           send_fixed(d, 0, "1234567890") && send_hex(d, 0, "01234");
}

static bool buffer_receive(struct demo *d)
{
    return await_recv(d, 0) &&
           read_echo(d, 0, "12345678901234567890123456789001234") && show_length(d, 1) &&
           send_inline(d, 0, "012345678901") &&
           await_recv(d, 0) &&
           expect(d, d->last_length == 12, "the recv URC says %ld bytes", (long)d->last_length) &&
           read_echo(d, 0, "012345678901") && set_view_mode(d, 1) &&
           send_inline(d, 0, "a text, with commas") &&
           await_recv(d, 0) &&
           read_echo(d, 0, "a text, with commas") && set_view_mode(d, 0) && show_length(d, 0);
}

/* More than 20 nodes hold: the module says so, and TCP keeps the rest. */
static bool buffer_full(struct demo *d)
{
    static uint8_t data[COLLECT_MAX];
    size_t total = 0;
    if (!send_inline(d, 0, "flood") || !await(d, &d->full[0], 1, "buff full URC")) {
        return false;
    }
    FILE *out = d->trace.out;
    trace_flush(&d->trace);
    printf("    ... reading %d bytes with AT+QIRD, not shown\n", DEMO_FLOOD);
    d->trace.out = NULL;
    while (total < sizeof data && !d->failed) {
        long n = drain(d, 0, data + total, sizeof data - total);
        total += n > 0 ? (size_t)n : 0;
        if (total < sizeof data && !d->failed) {
            await_recv(d, 0);
        }
    }
    d->trace.out = out;
    for (size_t i = 0; i < total; i++) {
        if (data[i] != demo_flood_byte(i)) {
            return expect(d, false, "byte %zu of the flood is wrong", i);
        }
    }
    return expect(d, total == sizeof data, "%zu of %zu bytes came", total, sizeof data);
}

static bool remote_close(struct demo *d)
{
    return send_inline(d, 0, "bye") && await(d, &d->closed[0], 1, "closed URC");
}

static bool buffer_close(struct demo *d)
{
    return close_socket(d, 0);
}

static bool push_open(struct demo *d)
{
    return open_socket(d, 0, BC26_SERVICE_TYPE_TCP, BC26_ACCESS_MODE_PUSH);
}

static bool push_send(struct demo *d)
{
    return send_inline(d, 0, "12345") && await_push(d, 0, "12345") && send_stream(d, 0, "12345") &&
           await_push(d, 0, "12345") && send_fixed(d, 0, "12345") && await_push(d, 0, "12345") &&
           send_hex(d, 0, "12345") && await_push(d, 0, "12345");
}

static bool push_receive(struct demo *d)
{
    return set_view_mode(d, 1) && send_inline(d, 0, "012345678901") &&
           await_push(d, 0, "012345678901") && set_view_mode(d, 0) &&
           send_fixed(d, 0, "\r\nOK\r\n+QIURC: \"closed\",0\r\n> ") &&
           await_push(d, 0, "\r\nOK\r\n+QIURC: \"closed\",0\r\n> ");
}

static bool udp_echo(struct demo *d)
{
    return open_socket(d, 1, BC26_SERVICE_TYPE_UDP, BC26_ACCESS_MODE_PUSH) &&
           send_inline(d, 1, "datagram") && await_push(d, 1, "datagram") && close_socket(d, 1);
}

static bool ping(struct demo *d)
{
    struct bc26_qping request = {.context_id = 1, .host = str("iot.quectel.com")};
    struct bc26_qping_result replies[4];
    struct bc26_qping_summary_result summary = {0};
    int status = bc26_qping(&d->client, &request, replies, 4, &summary);
    if (status == AT_E_FAIL && d->client.error == BC26_ERROR_OPEN_PDP) {
        trace_flush(&d->trace);
        puts("    this machine doesn't let the demo ping: the module says so with 561");
        return true;
    }
    return expect_status(d, "bc26_qping", status, 5) &&
           expect(d, summary.sent == 4 && summary.rcvd == 4 && summary.lost == 0,
                  "sent %ld, received %ld, lost %ld", (long)summary.sent, (long)summary.rcvd,
                  (long)summary.lost);
}

static bool ntp(struct demo *d)
{
    struct bc26_qntp request = {.context_id = 1, .server = str("ntp5.aliyun.com")};
    struct bc26_qntp_result result;
    return expect_status(d, "bc26_qntp", bc26_qntp(&d->client, &request, &result), 1) &&
           expect(d, result.has_time && result.time.len >= 19, "no time in the answer");
}

static bool dns(struct demo *d)
{
    struct bc26_qidnscfg set = {.context_id = 1, .pridnsaddr = str("218.2.2.2"),
                                .has_secdnsaddr = true, .secdnsaddr = str("8.8.8.8")};
    struct bc26_qidnscfg_query query = {.context_id = 1};
    struct bc26_qidnscfg_response servers;
    struct bc26_qidnsgip resolve = {.context_id = 1, .hostname = str("iot.quectel.com")};
    struct bc26_dnsgip_urc found;
    struct bc26_dnsgip_address_urc address;
    return expect_status(d, "bc26_qidnscfg", bc26_qidnscfg(&d->client, &set), 0) &&
           expect_status(d, "bc26_qidnscfg_query",
                         bc26_qidnscfg_query(&d->client, &query, &servers), 1) &&
           expect(d, servers.pridnsaddr.len == 9 && servers.has_secdnsaddr,
                  "the servers aren't those that were set") &&
           expect_status(d, "bc26_qidnsgip",
                         bc26_qidnsgip(&d->client, &resolve, &found, &address, 1), 2) &&
           expect(d, address.host_ip_addr.len == 9 &&
                         memcmp(address.host_ip_addr.ptr, "127.0.0.1", 9) == 0,
                  "iot.quectel.com isn't 127.0.0.1");
}

/* The typed call can't leave an argument out, so the manual's faulty line is a
 * form of its own here: any const form will do. */
static bool last_error(struct demo *d)
{
    static const struct at_form_rare none = {.response_ms = 300, .reads = AT_NONE};
    static const struct at_form faulty = {
        .command = "QIOPEN", .name = "faulty",
        .head = "AT+QIOPEN=1,\"UDP\",\"220.180.239.212\",8063,0,1", .rare = &none};
    struct at_call call = {.form = &faulty, .sinks = {{.record = AT_NONE}, {.record = AT_NONE}}};
    struct bc26_qigeterror_response error;
    return expect_status(d, "the faulty QIOPEN", at_client_call(&d->client, &call), AT_E_ERROR) &&
           expect_status(d, "bc26_qigeterror_execute",
                         bc26_qigeterror_execute(&d->client, &error), 1) &&
           expect(d, error.err == BC26_ERROR_INVALID_PARAMETERS, "the last error is %ld",
                  (long)error.err);
}

static const struct {
    const char *title;
    bool (*hold)(struct demo *d);
} conversations[] = {
    {"4.1.1 Open a TCP client in buffer mode", buffer_open},
    {"4.1.2 Send in buffer mode: inline, ended by Ctrl-Z, of fixed length, hexadecimal", buffer_send},
    {"4.1.3 Receive in buffer mode", buffer_receive},
    {"4.1.3 Receive more than the buffer holds", buffer_full},
    {"2.2.1 The remote server closes", remote_close},
    {"4.1.4 Close", buffer_close},
    {"4.2.1 Open a TCP client in push mode", push_open},
    {"4.2.2 Send in push mode", push_send},
    {"4.2.3 Receive in push mode, and data that look like the module's own lines", push_receive},
    {"4.2.4 Close", buffer_close},
    {"2.1.1 A UDP client", udp_echo},
    {"4.3 Ping a server", ping},
    {"4.4 Synchronise the time", ntp},
    {"4.5 Configure the DNS servers, and resolve a name", dns},
    {"4.6 Ask for the last error", last_error},
};

/* Set-up ------------------------------------------------------------------------- */

static int start_module(struct demo *d, const struct tool *tool)
{
    char tcp[64], udp[64], ntp[64];
    snprintf(tcp, sizeof tcp, "220.180.239.212:8062=127.0.0.1:%u", d->servers.tcp);
    snprintf(udp, sizeof udp, "220.180.239.212:8063=127.0.0.1:%u", d->servers.udp);
    snprintf(ntp, sizeof ntp, "ntp5.aliyun.com:123=127.0.0.1:%u", d->servers.ntp);
    char *argv[] = {"sim", "--pty", d->link, "--route", tcp, "--route", udp, "--route", ntp,
                    "--dns", "iot.quectel.com=127.0.0.1", NULL};
    int argc = (int)(sizeof argv / sizeof argv[0]) - 1;
    fflush(stdout);
    d->module = fork();
    if (d->module == 0) {
        (void)freopen("/dev/null", "w", stderr);
        _exit(bc26_sim_command(tool, argc, argv));
    }
    return d->module < 0 ? -errno : 0;
}

/* The module needs a moment to open its pty. */
static int open_port(struct demo *d)
{
    struct at_posix_why why = {"no virtual module"};
    uint32_t start = at_posix_now_ms();
    do {
        if (at_posix_serial_open(&d->port, d->link, 115200, &why) == 0) {
            return 0;
        }
        poll(NULL, 0, 20);
    } while (at_posix_now_ms() - start < PATIENCE_MS);
    expect(d, false, "%s", why.text);
    return -1;
}

static bool start(struct demo *d, const struct tool *tool)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(d->folder, sizeof d->folder, "%s/bc26-demo-XXXXXX",
             tmp != NULL && strlen(tmp) < 32 ? tmp : "/tmp");
    d->port.fd = -1;
    if (!expect(d, mkdtemp(d->folder) != NULL, "no temporary folder: %s", strerror(errno))) {
        return false;
    }
    snprintf(d->link, sizeof d->link, "%s/pty", d->folder);
    return expect(d, demo_servers_start(&d->servers) == 0, "no servers on loopback: %s",
                  strerror(errno)) &&
           expect(d, start_module(d, tool) == 0, "no virtual module: %s", strerror(errno)) &&
           open_port(d) == 0;
}

static void stop(struct demo *d)
{
    if (d->port.fd >= 0) {
        at_posix_serial_close(&d->port);
    }
    if (d->module > 0) {
        kill(d->module, SIGTERM);
        waitpid(d->module, NULL, 0);
    }
    demo_servers_stop(&d->servers);
    rmdir(d->folder);
}

static int init_client(struct demo *d)
{
    struct at_client_config config = {
        .module = &bc26, .ctx = d,
        .write = port_write, .read = port_read, .now = port_now,
        .urc = on_urc, .payload = on_payload,
        .window = d->window, .window_size = sizeof d->window,
        .command = d->command, .command_size = sizeof d->command,
        .text = d->text, .text_size = sizeof d->text,
        .settings = d->settings,
        .latency_ms = 2000, /* a busy machine may be slow; a real line needs less */
    };
    return at_client_init(&d->client, &config);
}

static size_t hold_conversations(struct demo *d)
{
    size_t held = 0;
    title(d, "Wake the module, switch its echo off, read its settings");
    if (!expect_status(d, "at_client_sync", at_client_sync(&d->client), AT_OK)) {
        return 0;
    }
    for (; held < sizeof conversations / sizeof conversations[0]; held++) {
        title(d, conversations[held].title);
        if (!conversations[held].hold(d) || d->failed) {
            fprintf(stderr, "bc26: demo: stopped in: %s\n", conversations[held].title);
            break;
        }
    }
    return held;
}

static void print_summary(struct demo *d, size_t held)
{
    const struct at_counters *c = &d->client.counters;
    trace_flush(&d->trace);
    printf("\n%zu of %zu conversations held, %u checks\n", held,
           sizeof conversations / sizeof conversations[0], d->checks);
    printf("%lu commands, %lu URCs, %lu unknown lines, %lu stray lines, %lu timeouts\n",
           (unsigned long)c->commands, (unsigned long)c->urcs, (unsigned long)c->unknown,
           (unsigned long)c->stray, (unsigned long)c->timeouts);
    expect(d, c->unknown == 0 && c->stray == 0 && c->late == 0 && c->timeouts == 0,
           "lines that no command waited for, or timeouts");
}

int bc26_demo_command(const struct tool *tool, int argc, char **argv)
{
    static struct demo demo;
    if (tool_asks_for_help(argc, argv)) {
        printf("usage: %s demo\n\nStarts a virtual BC26 on a pty and TCP, UDP and NTP servers on\n"
               "loopback, holds the conversations of the manual's chapter 4 with the typed calls\n"
               "and shows both directions: -> to the module, <- from it.\n\n"
               "Exit status: 0 all were held, 1 not so, 2 usage.\n", tool->name);
        return TOOL_DONE;
    }
    if (argc > 1) {
        return tool_usage(tool, "demo takes no arguments");
    }
    trace_init(&demo.trace, tool, stdout, 0);
    if (start(&demo, tool) &&
        expect_status(&demo, "at_client_init", init_client(&demo), AT_OK)) {
        print_summary(&demo, hold_conversations(&demo));
    }
    stop(&demo);
    return demo.failed ? TOOL_NO : TOOL_DONE;
}

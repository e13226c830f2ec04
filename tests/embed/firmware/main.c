/* Firmware that uses a BC26 as a product would: sockets over a client over a UART that
 * works by interrupts, one loop that sleeps while there's nothing to do, no heap, no RTOS.
 * It talks to servers of the test and reports over semihosting. */
#include "board.h"
#include "bc26_sockets.h"
#include "uart.h"

#include <string.h>

/* Where the test has its servers: each sends what `pattern` says, and closes; one sends back
 * what it gets; and at one port there's none. */
#define SERVER "192.0.2.1"
enum { PORT_PATTERN = 7001, PORT_ECHO = 7002, PORT_NOBODY = 7003 };

/* More than the RAM of this processor; the buffer that it comes through is small. */
enum { LONG = 20480, SHORT = 3000, BUFFER = 256, PATIENCE_MS = 60000 };

static struct at_client client;
static struct bc26_sockets sockets;
static uint8_t buffer[BUFFER];

/* Reporting ------------------------------------------------------------------- */

static unsigned checks, failed;

static void say_number(long value)
{
    char text[12];
    char *p = text + sizeof text - 1;
    unsigned long rest = value < 0 ? 0ul - (unsigned long)value : (unsigned long)value;
    *p = '\0';
    do {
        *--p = (char)('0' + rest % 10u);
        rest /= 10u;
    } while (rest > 0);
    if (value < 0) {
        *--p = '-';
    }
    board_say(p);
}

static void check(const char *what, long is, long expected)
{
    checks++;
    board_say(is == expected ? "ok: " : "FAILED: ");
    board_say(what);
    if (is != expected) {
        failed++;
        board_say(": is ");
        say_number(is);
        board_say(", not ");
        say_number(expected);
    }
    board_say("\n");
}

/* The loop ---------------------------------------------------------------------- */

/* The test may have the client get fewer at a time than came. */
#ifndef PIECE
#define PIECE SIZE_MAX
#endif

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t most_at_once, in_place; /* received bytes: in one piece; right where they belong */

static void count(const uint8_t *to, size_t n)
{
    most_at_once = n > most_at_once ? n : most_at_once;
    in_place += to >= buffer && to < buffer + sizeof buffer ? n : 0;
}

#ifdef UART_WINDOW

/* The receiver writes where the client wants it, while this sleeps. */
static void turn(void)
{
    size_t room;
    uint8_t *to = at_client_reserve(&client, &room);
    uart_receive_to(to, least(room, PIECE));
    uart_sleep();
    size_t n = uart_received();
    count(to, n);
    if (n > 0) {
        at_client_commit(&client, n);
    }
    while (bc26_sockets_poll(&sockets) == 0) {
    }
}

#else

static void turn(void)
{
    size_t room, n;
    uart_sleep();
    do {
        uint8_t *to = at_client_reserve(&client, &room);
        n = uart_take(to, least(room, PIECE));
        count(to, n);
        if (n > 0) {
            at_client_commit(&client, n);
        }
    } while (n > 0);
    while (bc26_sockets_poll(&sockets) == 0) {
    }
}

#endif

/* A product would do other things between its turns, and learn from `done` what ended. */
static int ended(const struct bc26_task *task, int started)
{
    uint32_t begun = uart_now();
    while (started >= 0 && task->pending && uart_now() - begun < PATIENCE_MS) {
        turn();
    }
    return started < 0 ? started : task->pending ? AT_E_TIMEOUT : task->status;
}

/* What comes ---------------------------------------------------------------------- */

static uint32_t seed;
static long received, wrong;
static int ends; /* how often, and */
static int end_status;

static uint8_t next_of_pattern(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint8_t)(seed >> 24);
}

static void expect_pattern(void)
{
    seed = 1;
    received = wrong = 0;
    ends = 0;
    end_status = 1;
}

static void take(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wrong += data[i] != next_of_pattern();
    }
    received += (long)n;
}

static void on_received(void *ctx, int handle, const uint8_t *data, size_t n)
{
    (void)ctx;
    (void)handle;
    take(data, n);
}

static void on_ended(void *ctx, int handle, int status)
{
    (void)ctx;
    (void)handle;
    ends++;
    end_status = status;
}

/* The script ------------------------------------------------------------------------ */

static struct bc26_task task;

static int open_socket(int32_t port, int32_t mode)
{
    struct bc26_qiopen request = {
        .context_id = 1, .service_type = BC26_SERVICE_TYPE_TCP,
        .host = {SERVER, sizeof SERVER - 1}, .remote_port = port,
        .has_local_port = true, .has_access_mode = true, .access_mode = mode,
    };
    return ended(&task, bc26_socket_open_start(&sockets, &task, &request));
}

static int send(int handle, const char *data, size_t n)
{
    return ended(&task, bc26_socket_send_start(&sockets, &task, handle, data, n));
}

static int receive(int handle)
{
    return ended(&task, bc26_socket_recv_start(&sockets, &task, handle, buffer, sizeof buffer));
}

static int close_socket(int handle)
{
    return ended(&task, bc26_socket_close_start(&sockets, &task, handle));
}

/* Compares what comes with the pattern until there's no more; the last status. */
static int receive_all(int handle)
{
    int n;
    while ((n = receive(handle)) > 0) {
        take(buffer, (size_t)n);
    }
    return n;
}

static void refused(void)
{
    check("nobody listens", open_socket(PORT_NOBODY, BC26_ACCESS_MODE_BUFFER), AT_E_FAIL);
    check("and the module says why", task.error, BC26_ERROR_CONNECT);
}

/* What comes back looks like the module's own lines. */
static void echo(void)
{
    static const char line[] = "\r\nOK\r\n\r\n+QIURC: \"closed\",0\r\n> AT+QICLOSE=0\r\nERROR\r\n";
    const size_t size = sizeof line - 1;
    size_t have = 0;
    int n = 1;
    int handle = open_socket(PORT_ECHO, BC26_ACCESS_MODE_BUFFER);
    check("the echo server is there", handle >= 0, true);
    check("a text goes out", send(handle, line, size), (long)size);
    wrong = 0;
    while (have < size && (n = receive(handle)) > 0) {
        for (int i = 0; i < n; i++) {
            wrong += have >= size || buffer[i] != (uint8_t)line[have];
            have++;
        }
    }
    check("as much comes back", (long)have, (long)size);
    check("and the same", wrong, 0);
    check("closed by this side", close_socket(handle), AT_OK);
}

static int ask_for(const char *size, int32_t mode)
{
    int handle = open_socket(PORT_PATTERN, mode);
    check("the server is there", handle >= 0, true);
    expect_pattern();
    check("asked for data", send(handle, size, strlen(size)), (long)strlen(size));
    return handle;
}

static void check_pattern(long size)
{
    check("all of it", received, size);
    check("none of it wrong", wrong, 0);
    check("the end of it was told", ends, 1);
    check("as the other side's", end_status, AT_OK);
}

/* The module keeps what isn't read: more than there is RAM, through a small buffer. */
static void buffer_mode(void)
{
    in_place = 0;
    int handle = ask_for("20480\n", BC26_ACCESS_MODE_BUFFER);
    check("20480 bytes, by receives", receive_all(handle), 0);
    check_pattern(LONG);
#ifdef UART_WINDOW
    check("some written by the receiver where they belong", in_place > 0, true);
#endif
    check("closed", close_socket(handle), AT_OK);
}

static void await_end(void)
{
    uint32_t begun = uart_now();
    while (ends == 0 && uart_now() - begun < PATIENCE_MS) {
        turn();
    }
}

static void delivered(const char *what, int32_t mode, const char *size, long n)
{
    int handle = ask_for(size, mode);
    await_end();
    check(what, ends, 1);
    check_pattern(n);
    check("closed", close_socket(handle), AT_OK);
}

/* Posts the next receive as soon as one ended, so that pushed data find one. */
static void go_on(void *ctx, struct bc26_task *ended_task)
{
    int *handle = ctx;
    if (ended_task->status > 0) {
        take(buffer, (size_t)ended_task->status);
        (void)bc26_socket_recv_start(&sockets, ended_task, *handle, buffer, sizeof buffer);
    }
}

static void push_mode_by_receives(void)
{
    int handle = ask_for("3000\n", BC26_ACCESS_MODE_PUSH);
    struct bc26_task receives = {.done = go_on, .ctx = &handle};
    int started = bc26_socket_recv_start(&sockets, &receives, handle, buffer, sizeof buffer);
    await_end();
    check("3000 bytes, pushed to receives", ended(&receives, started), 0);
    check_pattern(SHORT);
    check("closed", close_socket(handle), AT_OK);
}

/* Setting up ------------------------------------------------------------------------ */

static int write_uart(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    return (int)uart_send(data, n);
}

static uint32_t milliseconds(void *ctx)
{
    (void)ctx;
    return uart_now();
}

static int set_up_client(void)
{
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
    static char command[200], text[64];
    const struct at_client_config config = {
        .module = &bc26, .write = write_uart, .now = milliseconds,
        .window = window, .window_size = sizeof window,
        .command = command, .command_size = sizeof command,
        .text = text, .text_size = sizeof text,
        .settings = settings,
    };
    return at_client_init(&client, &config);
}

/* With a buffer, data that no receive waits for are read to it, and go to the callback. */
static int set_up_sockets(uint8_t *to)
{
    const struct bc26_sockets_config config = {
        .client = &client, .received = on_received, .ended = on_ended,
        .buffer = to, .buffer_size = sizeof buffer,
    };
    return bc26_sockets_init(&sockets, &config);
}

int main(void)
{
    uart_init();
    check("a client", set_up_client(), AT_OK);
    check("sockets", set_up_sockets(NULL), AT_OK);
    int started = bc26_sockets_attach_start(&sockets, &task, BC26_DATA_FORMAT_TEXT);
    check("the module answers", ended(&task, started), AT_OK);
    refused();
    echo();
    buffer_mode();
    push_mode_by_receives();
    delivered("3000 bytes, pushed", BC26_ACCESS_MODE_PUSH, "3000\n", SHORT);
    check("sockets that read by themselves", set_up_sockets(buffer), AT_OK);
    delivered("3000 bytes, read for the callback", BC26_ACCESS_MODE_BUFFER, "3000\n", SHORT);

    check("bytes that the UART lost", (long)uart_lost(), 0);
    check("lines unknown", (long)client.counters.unknown, 0);
    check("deadlines missed", (long)client.counters.timeouts, 0);
    check("payload lost", (long)client.counters.payload_lost, 0);
    check("pushed bytes lost", (long)(sockets.counters.dropped + sockets.counters.broken), 0);
    board_say("at most ");
    say_number((long)most_at_once);
    board_say(" bytes at once\nfirmware: ");
    say_number((long)checks);
    board_say(" checks, ");
    say_number((long)failed);
    board_say(" failed\n");
    return failed > 0;
}

/* The sockets API against a scripted module and a clock that only moves when both
 * sides wait. A script is a list of what the host must send, byte for byte, and what
 * the module then says; every test runs with several sizes of the pieces in which
 * that arrives. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covers.h"
#include "bc26_sockets.h"

/* The scripted module ------------------------------------------------------- */

#define OK "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"
#define SEND_OK OK "\r\nSEND OK\r\n"
#define CLOSE_OK OK "\r\nCLOSE OK\r\n"
#define RECV(id) "\r\n+QIURC: \"recv\"," id "\r\n"
#define CLOSED(id) "\r\n+QIURC: \"closed\"," id "\r\n"
#define READ(n, data) "\r\n+QIRD: " n "\r\n" data "\r\n" OK
#define EMPTY "\r\n+QIRD: 0\r\n" OK
#define BANNER "\xff\xf0\x80\n\rF1: 0000 0000\n\rLeaving the BROM\n\r"
#define SILENCE ""
#define WHY(code) "\r\n+QIGETERROR: " code ",in words\r\n" OK

static const size_t chunks[] = {SIZE_MAX, 1, 2, 3, 7};
enum { NCHUNKS = sizeof chunks / sizeof chunks[0], BIG = 4096 };

struct line {
    char host[BIG];
    size_t nhost;
    char module[BIG];
    size_t nmodule;
};

static struct {
    struct at_client client;
    struct bc26_sockets sockets;
    struct bc26_sockets_config config;
    uint8_t window[600], settings[BC26_SETTINGS], buffer[512];
    char command[600], text[200];
    uint32_t clock;
    size_t chunk;
    bool unplugged;
    size_t room;        /* what the port takes still */
    unsigned zeros;     /* how often polling said that there is more to do at once */
    struct line script[80];
    size_t nscript, at; /* lines, and the one that comes next */
    size_t matched;     /* bytes of it */
    char input[1 << 15];
    size_t ninput, read;
    char heard[BIG];    /* what `received` and `ended` were called with */
    size_t nheard;
    char order[64];     /* which tasks ended */
} t;

static uint32_t clock_now(void *ctx)
{
    (void)ctx;
    return t.clock;
}

static void module_says(const char *bytes, size_t n)
{
    ck_assert_uint_le(t.ninput + n, sizeof t.input);
    memcpy(t.input + t.ninput, bytes, n);
    t.ninput += n;
}

static int port_write(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    if (t.unplugged) {
        return -1;
    }
    n = n < t.room ? n : t.room;
    t.room -= t.room == SIZE_MAX ? 0 : n;
    for (size_t i = 0; i < n; i++) {
        const struct line *line = &t.script[t.at];
        if (t.at == t.nscript || data[i] != (uint8_t)line->host[t.matched]) {
            ck_abort_msg("line %u: expected \"%s\", got after %u bytes: \"%.*s\"", (unsigned)t.at,
                         t.at < t.nscript ? line->host : "nothing", (unsigned)t.matched,
                         (int)(n - i), (const char *)data + i);
        }
        if (++t.matched == line->nhost) {
            t.matched = 0;
            t.at++;
            module_says(line->module, line->nmodule);
        }
    }
    return (int)n;
}

static int port_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    (void)ctx;
    size_t left = t.ninput - t.read;
    if (t.unplugged) {
        return -1;
    }
    if (left == 0) {
        ck_assert_msg(wait_ms != UINT32_MAX, "the host waits for ever");
        t.clock += wait_ms;
        return 0;
    }
    n = n < left ? n : left;
    n = n < t.chunk ? n : t.chunk;
    memcpy(data, t.input + t.read, n);
    t.read += n;
    return (int)n;
}

static void script_bytes(const void *host, size_t nhost, const void *module, size_t nmodule)
{
    struct line *line = &t.script[t.nscript++];
    ck_assert_uint_lt(t.nscript, sizeof t.script / sizeof t.script[0]);
    ck_assert_uint_lt(nhost, BIG);
    ck_assert_uint_le(nmodule, BIG);
    memcpy(line->host, host, nhost);
    line->host[nhost] = '\0';
    line->nhost = nhost;
    memcpy(line->module, module, nmodule);
    line->nmodule = nmodule;
}

/* The host sends this line (its CR is added); then the module says that. */
static void script(const char *host, const char *module)
{
    char line[BIG];
    int n = snprintf(line, sizeof line, "%s\r", host);
    script_bytes(line, (size_t)n, module, strlen(module));
}

/* A piece in data mode. */
static void script_piece(const char *command, const uint8_t *data, size_t n)
{
    script(command, "\r\n> ");
    script_bytes(data, n, SEND_OK, strlen(SEND_OK));
}

static void script_held(void)
{
    if (t.at != t.nscript || t.matched > 0) {
        ck_abort_msg("not sent: \"%s\"", t.script[t.at].host);
    }
}

/* The module says something by itself. */
static void says(const char *text)
{
    module_says(text, strlen(text));
}

/* Everything that can happen happens. */
static void settle(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t wait = bc26_sockets_poll(&t.sockets);
        t.zeros += wait == 0;
        if (t.ninput == t.read && wait == UINT32_MAX) {
            script_held();
            return;
        }
        (void)at_client_wait(&t.client, wait);
    }
    ck_abort_msg("it doesn't end");
}

/* What the callbacks heard ---------------------------------------------------- */

static void on_received(void *ctx, int handle, const uint8_t *data, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) { /* a byte at a time: pieces don't count */
        t.nheard += (size_t)snprintf(t.heard + t.nheard, sizeof t.heard - t.nheard, "%d%c ", handle,
                                     data[i]);
    }
}

static void on_ended(void *ctx, int handle, int status)
{
    (void)ctx;
    t.nheard += (size_t)snprintf(t.heard + t.nheard, sizeof t.heard - t.nheard, "%d:%d ", handle,
                                 status);
}

static void heard(const char *expected)
{
    ck_assert_str_eq(t.heard, expected);
    t.nheard = 0;
    t.heard[0] = '\0';
}

static void on_done(void *ctx, struct bc26_task *task)
{
    (void)task;
    strncat(t.order, ctx, 2);
}

/* A task that notes its name when it ends. */
static struct bc26_task named(const char *name)
{
    static char names[26][2];
    struct bc26_task task;
    char *kept = names[name[0] - 'a'];
    kept[0] = name[0];
    memset(&task, 0, sizeof task);
    task.done = on_done;
    task.ctx = kept;
    return task;
}

/* Beginnings ------------------------------------------------------------------ */

static void power_up(size_t chunk)
{
    struct at_client_config config = {
        .module = &bc26, .write = port_write, .now = clock_now, .read = port_read,
        .window = t.window, .window_size = sizeof t.window,
        .command = t.command, .command_size = sizeof t.command,
        .text = t.text, .text_size = sizeof t.text, .settings = t.settings,
    };
    memset(&t, 0, sizeof t);
    t.clock = UINT32_MAX - 5000; /* it wraps around on the way */
    t.chunk = chunk;
    t.room = SIZE_MAX;
    t.config = (struct bc26_sockets_config){
        .client = &t.client, .received = on_received, .ended = on_ended,
        .buffer = t.buffer, .buffer_size = sizeof t.buffer};
    ck_assert_int_eq(at_client_init(&t.client, &config), AT_OK);
    ck_assert_int_eq(bc26_sockets_init(&t.sockets, &t.config), AT_OK);
}

static void without_callbacks(void)
{
    t.sockets.config.received = NULL;
    t.sockets.config.buffer = NULL;
}

static void script_start(const char *formats, const char *echo)
{
    script("AT", OK);
    script("ATE0", OK);
    script("AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n" OK);
    script("AT+QICFG=\"dataformat\"", formats);
    script("AT+QICFG=\"showlength\"", "\r\n+QICFG: \"showlength\",0\r\n" OK);
    script("AT+QICFG=\"echomode\"", echo);
    script("AT+QISTATE?", OK);
}

#define TEXT "\r\n+QICFG: \"dataformat\",0,0\r\n" OK
#define HEX "\r\n+QICFG: \"dataformat\",1,1\r\n" OK

static void start(size_t chunk, const char *formats)
{
    power_up(chunk);
    script_start(formats, ERROR);
    ck_assert_int_eq(bc26_sockets_attach(&t.sockets, strcmp(formats, HEX) == 0), AT_OK);
    script_held();
}

static struct bc26_qiopen request(int32_t type, int32_t mode)
{
    struct bc26_qiopen open = {
        .context_id = 1, .service_type = type, .host = {"h.net", 5}, .remote_port = 7,
        .has_local_port = true, .has_access_mode = true, .access_mode = mode};
    return open;
}

static void script_open(int handle, const char *type, int32_t mode)
{
    char line[64], result[64];
    snprintf(line, sizeof line, "AT+QICLOSE=%d", handle);
    script(line, CLOSE_OK);
    snprintf(line, sizeof line, "AT+QIOPEN=1,%d,\"%s\",\"h.net\",7,0,%d", handle, type, (int)mode);
    snprintf(result, sizeof result, OK "\r\n+QIOPEN: %d,0\r\n", handle);
    script(line, result);
}

static void open_socket(int handle, int32_t type, int32_t mode)
{
    struct bc26_qiopen open = request(type, mode);
    script_open(handle, bc26_service_type_text(type), mode);
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), handle);
    script_held();
}

static void open_tcp(int handle, int32_t mode)
{
    open_socket(handle, BC26_SERVICE_TYPE_TCP, mode);
}

enum { BUFFER = BC26_ACCESS_MODE_BUFFER, PUSH = BC26_ACCESS_MODE_PUSH };

static uint8_t data[8192];

static void fill(void)
{
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7u + i / 256u);
    }
}

static int receive(int handle, void *to, size_t n)
{
    return bc26_socket_recv(&t.sockets, handle, to, n, 100);
}

static void receives(int handle, const char *expected)
{
    char to[600] = "";
    ck_assert_int_eq(receive(handle, to, sizeof to), (int)strlen(expected));
    ck_assert_mem_eq(to, expected, strlen(expected));
}

/* Attaching and opening --------------------------------------------------------- */

START_TEST(attach_wakes_and_fixes_what_differs)
{
    power_up(chunks[_i]);
    script("AT", SILENCE); /* asleep */
    script_start(HEX, "\r\n+QICFG: \"echomode\",1\r\n" OK);
    script("AT+QICFG=\"dataformat\",0,0", OK);
    script("AT+QICFG=\"echomode\",0", OK);
    ck_assert_int_eq(bc26_sockets_attach(&t.sockets, BC26_DATA_FORMAT_TEXT), AT_OK);
    script_held();
    ck_assert_int_eq(bc26_sockets_attach(&t.sockets, BC26_DATA_FORMAT_TEXT), AT_OK);
    t.settings[BC26_SETTING_SEND_DATA_FORMAT] = BC26_DATA_FORMAT_HEX; /* one of the two */
    script("AT+QICFG=\"dataformat\",0,0", OK);
    ck_assert_int_eq(bc26_sockets_attach(&t.sockets, BC26_DATA_FORMAT_TEXT), AT_OK);
    script_held();
    ck_assert_int_eq(bc26_sockets_attach(&t.sockets, 2), AT_E_ARGUMENT);
    covers("session", "1.1", "the sockets API keeps the order of commands");
}
END_TEST

START_TEST(handles_are_connection_ids)
{
    start(chunks[_i], TEXT);
    for (int i = 0; i < BC26_SOCKETS; i++) {
        open_tcp(i, BUFFER);
    }
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), AT_E_SPACE);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, BC26_SOCKETS, "a", 1), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, -1, "a", 1), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "", 0), AT_E_ARGUMENT);
    const struct at_setting *per = bc26.settings;
    while (per->slot != BC26_SETTING_ACCESS_MODE) {
        per++;
    }
    ck_assert_uint_eq(per->slots, BC26_SOCKETS);
}
END_TEST

START_TEST(open_that_fails_closes_by_itself)
{
    start(chunks[_i], TEXT);
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    script("AT+QICLOSE=0", ERROR); /* wasn't in use, and is ready all the same */
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,0", OK "\r\n+QIOPEN: 0,566\r\n");
    script("AT+QICLOSE=0", CLOSE_OK);
    struct bc26_task task = named("a");
    ck_assert_int_eq(bc26_socket_open_start(&t.sockets, &task, &open), 0);
    settle();
    ck_assert_int_eq(task.status, AT_E_FAIL);
    ck_assert_int_eq(task.error, 566);
    ck_assert_uint_eq(t.sockets.counters.refused, 1);
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,0", OK "\r\n+QIOPEN: 0,0\r\n");
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), 0);
    script_held();
}
END_TEST

START_TEST(open_that_is_refused_or_illegal)
{
    start(chunks[_i], TEXT);
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    script("AT+QICLOSE=0", CLOSE_OK);
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,0", ERROR);
    script("AT+QIGETERROR", WHY("563"));
    script("AT+QICLOSE=0", OK "\r\nCLOSE FAIL\r\n");
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), AT_E_ERROR);
    ck_assert_int_eq(t.client.error, 563);
    script("AT+QICLOSE=0", CLOSE_OK); /* that failed before: once more */
    open.host.ptr = "h\"net";
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), AT_E_ARGUMENT);
    script_held();
}
END_TEST

START_TEST(open_without_a_result_is_closed)
{
    start(chunks[_i], TEXT);
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    script("AT+QICLOSE=0", CLOSE_OK);
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,0", OK);
    script("AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n" OK); /* barrier */
    script("AT+QICLOSE=0", CLOSE_OK);
    uint32_t since = t.clock;
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), AT_E_TIMEOUT);
    ck_assert_uint_ge(t.clock - since, 60000);
    script_held();
}
END_TEST

/* Sending ------------------------------------------------------------------------- */

START_TEST(send_is_cut_into_pieces)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    script_piece("AT+QISEND=0,1460", data, 1460);
    script_piece("AT+QISEND=0,1460", data + 1460, 1460);
    script_piece("AT+QISEND=0,80", data + 2920, 80);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, data, 3000), 3000);
    script_held();
}
END_TEST

START_TEST(send_in_hexadecimal)
{
    char digits[2 * 730];
    start(chunks[_i], HEX);
    open_tcp(0, BUFFER);
    at_hex_encode(data, 730, digits);
    script_piece("AT+QISEND=0,730", (const uint8_t *)digits, sizeof digits);
    script_piece("AT+QISEND=0,1", (const uint8_t *)digits, 2);
    data[730] = data[0];
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, data, 731), 731);
    script_held();
    fill();
}
END_TEST

/* Text goes inline, anything else as digits; the command buffer bounds both. */
START_TEST(send_without_data_mode)
{
    char text[1025], line[1200];
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    script("AT+QISEND=0,1024", ERROR);
    script("AT+QIGETERROR", WHY("552"));
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, "AT+QISEND=0,512,%.512s", text);
        script(line, SEND_OK);
    }
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, text, 1024), 1024);
    script("AT+QISENDEX=0,3,3B0D00", SEND_OK);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, ";\r", 3), 3);
    script_held();
}
END_TEST

START_TEST(send_refused_is_no_old_firmware)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    script("AT+QISEND=0,1", ERROR);
    script("AT+QIGETERROR", WHY("552"));
    script("AT+QISEND=0,1,a", ERROR);
    script("AT+QIGETERROR", WHY("567"));
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ERROR);
    ck_assert_int_eq(t.client.error, 567);
    script_piece("AT+QISEND=0,1", (const uint8_t *)"a", 1);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), 1);
    script("AT+QISEND=0,1", ERROR); /* it has data mode, so this is the truth */
    script("AT+QIGETERROR", WHY("567"));
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ERROR);
    script_held();
}
END_TEST

START_TEST(send_that_fails_says_how_far_it_came)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    script_piece("AT+QISEND=0,1460", data, 1460);
    script("AT+QISEND=0,10", "\r\n> ");
    script_bytes(data + 1460, 10, OK "\r\nSEND FAIL\r\n", strlen(OK "\r\nSEND FAIL\r\n"));
    struct bc26_task task = named("a");
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &task, 0, data, 1470), AT_OK);
    settle();
    ck_assert_int_eq(task.status, AT_E_FAIL);
    ck_assert_uint_eq(task.count, 1460);
}
END_TEST

START_TEST(a_datagram_is_one_piece)
{
    start(chunks[_i], TEXT);
    open_socket(0, BC26_SERVICE_TYPE_UDP, BUFFER);
    script_piece("AT+QISEND=0,1460", data, 1460);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, data, 1460), 1460);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, data, 1461), AT_E_ARGUMENT);
    script_held();
}
END_TEST

/* Receiving ------------------------------------------------------------------------ */

START_TEST(buffer_is_drained)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    says(RECV("0"));
    script("AT+QIRD=0,512", READ("3", "abc"));
    script("AT+QIRD=0,512", READ("4", "\r\nOK"));
    script("AT+QIRD=0,512", EMPTY);
    settle();
    heard("0a 0b 0c 0\r 0\n 0O 0K ");
}
END_TEST

START_TEST(receive_in_buffer_mode)
{
    start(chunks[_i], TEXT);
    without_callbacks();
    open_tcp(0, BUFFER);
    ck_assert_int_eq(receive(0, data, 10), AT_E_TIMEOUT); /* without a notice nothing is asked */
    says(RECV("0"));
    script("AT+QIRD=0,2", READ("2", "ab"));
    ck_assert_int_eq(receive(0, data, 2), 2);
    script_held();
    script("AT+QIRD=0,512", READ("1", "c"));
    receives(0, "c");
    script("AT+QIRD=0,10", EMPTY);
    ck_assert_int_eq(receive(0, data, 10), AT_E_TIMEOUT);
    script_held();
    fill();
}
END_TEST

START_TEST(without_a_reader_data_stay_in_the_module)
{
    start(chunks[_i], TEXT);
    without_callbacks();
    open_tcp(0, BUFFER);
    says(RECV("0"));
    settle();
    script("AT+QIRD=0,512", READ("1", "c")); /* at most 512 are asked for */
    receives(0, "c");
    script_held();
}
END_TEST

/* A notice between QIRD and its +QIRD: 0 is for what came since. */
START_TEST(no_notice_is_lost)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    says(RECV("0"));
    script("AT+QIRD=0,512", "\r\n+QIRD: 0\r\n" RECV("0") OK);
    script("AT+QIRD=0,512", READ("1", "a"));
    script("AT+QIRD=0,512", EMPTY);
    settle();
    heard("0a ");
}
END_TEST

START_TEST(pushed_data)
{
    start(chunks[_i], TEXT);
    open_tcp(0, PUSH);
    says("\r\n+QIURC: \"recv\",0,4\r\n\r\nOK\r\n\r\n+QIURC: \"recv\",0,2\r\nhi\r\n");
    settle();
    heard("0\r 0\n 0O 0K 0h 0i ");
    says("\r\n+QIURC: \"recv\",0,4\r\nwxyz\r\n"); /* a receive takes what it has room for */
    ck_assert_int_eq(receive(0, t.buffer, 3), 3);
    ck_assert_mem_eq(t.buffer, "wxy", 3);
    settle();
    heard("0z ");
    without_callbacks();
    says("\r\n+QIURC: \"recv\",0,4\r\nlost\r\n" CLOSED("3"));
    settle();
    ck_assert_uint_eq(t.sockets.counters.dropped, 4);
    ck_assert_uint_eq(t.sockets.counters.stray, 1);
}
END_TEST

/* Some of what is pushed came in time: it's handed over, and the rest isn't lost. */
START_TEST(a_push_that_stalls)
{
    start(chunks[_i], TEXT);
    open_tcp(0, PUSH);
    says("\r\n+QIURC: \"recv\",0,5\r\nabc");
    ck_assert_int_eq(receive(0, t.buffer, 5), 3);
    ck_assert_mem_eq(t.buffer, "abc", 3);
    says("de\r\n");
    settle();
    heard("0d 0e ");
}
END_TEST

START_TEST(pushed_digits)
{
    start(chunks[_i], HEX);
    open_tcp(0, PUSH);
    says("\r\n+QIURC: \"recv\",0,3\r\n414243\r\n\r\n+QIURC: \"recv\",0,2\r\n4x44\r\n");
    settle();
    heard("0A 0B 0C 0D ");
    ck_assert_uint_eq(t.sockets.counters.broken, 1);
    says("\r\n+QIURC: \"recv\",0,3\r\n616263\r\n");
    receives(0, "abc");
}
END_TEST

START_TEST(full_buffers_are_read)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    open_tcp(1, BUFFER);
    says("\r\n+QIURC: \"recv\",1,\"buff full\"\r\n");
    script("AT+QIRD=1,512", READ("1", "a"));
    script("AT+QIRD=1,512", EMPTY);
    settle();
    says("\r\n+QIURC: \"recv\",buff full\r\n"); /* whose? */
    script("AT+QIRD=0,512", EMPTY);
    script("AT+QIRD=1,512", EMPTY);
    if (t.sockets.turn == 0) { /* the round goes on where it stood */
        struct line first = t.script[t.nscript - 2];
        t.script[t.nscript - 2] = t.script[t.nscript - 1];
        t.script[t.nscript - 1] = first;
    }
    settle();
    heard("1a ");
    ck_assert_uint_eq(t.sockets.counters.full, 2);
}
END_TEST

START_TEST(a_read_that_fails)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    says(RECV("0"));
    script("AT+QIRD=0,512", ERROR);
    settle();
    heard("0:-6 "); /* AT_E_ERROR; the next notice goes on */
    says(RECV("0"));
    script("AT+QIRD=0,512", READ("1", "b"));
    script("AT+QIRD=0,512", ERROR);
    settle();
    heard("0b 0:-6 "); /* so does the next receive */
    script("AT+QIRD=0,512", READ("1", "a"));
    script("AT+QIRD=0,512", EMPTY); /* by itself again */
    receives(0, "a");
    settle();
    without_callbacks();
    says(RECV("0"));
    script("AT+QIRD=0,512", SILENCE);
    ck_assert_int_eq(receive(0, data, 600), AT_E_TIMEOUT);
    script("AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n" OK);
    script("AT+QIRD=0,512", READ("1", "a"));
    receives(0, "a");
    script_held();
    fill();
}
END_TEST

/* Ends --------------------------------------------------------------------------- */

START_TEST(remote_close_comes_after_the_data)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    says(RECV("0") CLOSED("0"));
    script("AT+QIRD=0,512", READ("2", "ab"));
    script("AT+QIRD=0,512", READ("2", "cd"));
    script("AT+QIRD=0,512", EMPTY);
    settle();
    heard("0a 0b 0c 0d 0:0 ");
    ck_assert_int_eq(receive(0, data, 1), 0);
    settle();
    heard("");
    script("AT+QICLOSE=0", CLOSE_OK);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_OK);
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,1", OK "\r\n+QIOPEN: 0,0\r\n");
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, PUSH);
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), 0);
    says("\r\n+QIURC: \"recv\",0,1\r\nz\r\n" CLOSED("0")); /* pushed: nothing is left to read */
    settle();
    heard("0z 0:0 ");
}
END_TEST

START_TEST(remote_close_for_receives)
{
    start(chunks[_i], TEXT);
    without_callbacks();
    open_tcp(0, BUFFER);
    says(RECV("0") CLOSED("0"));
    settle();
    heard(""); /* not all was delivered */
    script("AT+QIRD=0,512", READ("2", "ab"));
    receives(0, "ab");
    script("AT+QIRD=0,512", ERROR); /* some firmware, once it's empty */
    receives(0, "");
    receives(0, "");
    script_held();
    heard("0:0 ");
}
END_TEST

START_TEST(close_cancels)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    struct bc26_task send = named("s"), recv = named("r"), close = named("c"), more = named("m");
    script_piece("AT+QISEND=0,1460", data, 1460);
    script("AT+QICLOSE=0", CLOSE_OK);
    ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, &recv, 0, t.buffer, 9), AT_OK);
    ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, &more, 0, t.buffer, 9), AT_E_BUSY);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &send, 0, data, 5000), AT_OK);
    (void)bc26_sockets_poll(&t.sockets); /* the first piece is under way */
    ck_assert_int_eq(bc26_socket_close_start(&t.sockets, &close, 0), AT_OK);
    ck_assert_int_eq(bc26_socket_close_start(&t.sockets, &more, 0), AT_E_BUSY);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &more, 0, data, 1), AT_E_BUSY);
    settle();
    ck_assert_str_eq(t.order, "src");
    ck_assert_int_eq(send.status, AT_E_CANCELED);
    ck_assert_uint_eq(send.count, 1460);
    ck_assert_int_eq(recv.status, AT_E_CANCELED);
    ck_assert_int_eq(close.status, AT_OK);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_E_ARGUMENT);
}
END_TEST

START_TEST(a_restart_ends_everything)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    open_tcp(1, BUFFER);
    open_tcp(2, BUFFER);
    struct bc26_task send = named("s"), recv = named("r"), open = named("o"), ping = named("p");
    struct bc26_qiopen wanted = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    struct bc26_qping echo = {.context_id = 1, .host = {"h", 1}};
    script("AT+QISEND=1,1460", "\r\n> ");
    script_bytes(data, 1460, BANNER, strlen(BANNER));
    t.sockets.turn = 0; /* so that it's number 1's turn */
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &send, 1, data, 3000), AT_OK);
    ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, &recv, 0, t.buffer, 9), AT_OK);
    ck_assert_int_eq(bc26_socket_open_start(&t.sockets, &open, &wanted), 3);
    ck_assert_int_eq(bc26_sockets_ping_start(&t.sockets, &ping, &echo, NULL, 0, NULL), AT_OK);
    settle();
    ck_assert_int_eq(send.status, AT_E_REBOOT);
    ck_assert_int_eq(recv.status, AT_E_REBOOT);
    ck_assert_int_eq(open.status, AT_E_REBOOT);
    ck_assert_int_eq(ping.status, AT_E_REBOOT);
    ck_assert_str_eq(t.order, "rsop");
    heard("0:-9 1:-9 2:-9 ");
    ck_assert_int_eq(receive(0, data, 1), AT_E_REBOOT);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_OK); /* no command: nothing is open */
    script_start(TEXT, ERROR);
    open_tcp(0, BUFFER);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 3), AT_E_ARGUMENT);
}
END_TEST

static void on_done_open(void *ctx, struct bc26_task *task)
{
    static struct bc26_qiopen wanted;
    static struct bc26_qntp ntp = {.context_id = 1, .server = {"n", 1}};
    static struct bc26_qntp_result time;
    struct bc26_task *next = ctx;
    ck_assert_int_eq(task->status, AT_E_REBOOT);
    wanted = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    ck_assert_int_eq(bc26_socket_open_start(&t.sockets, &next[0], &wanted), 1);
    ck_assert_int_eq(bc26_sockets_time_start(&t.sockets, &next[1], &ntp, &time), AT_OK);
}

/* What is begun by the one who is told of it goes on, after the start-up. */
START_TEST(a_restart_ends_nothing_new)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    struct bc26_task next[2] = {named("o"), named("n")};
    struct bc26_task recv = {.done = on_done_open, .ctx = next};
    ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, &recv, 0, t.buffer, 9), AT_OK);
    t.sockets.turn = 0; /* so that it's number 1's turn */
    says(BANNER);
    script_start(TEXT, ERROR);
    script("AT+QICLOSE=1", CLOSE_OK);
    script("AT+QNTP=1,\"n\"", OK "\r\n+QNTP: 0,\"19/06/11,11:08:20+32\"\r\n");
    script("AT+QIOPEN=1,1,\"TCP\",\"h.net\",7,0,0", OK "\r\n+QIOPEN: 1,0\r\n");
    settle();
    ck_assert_str_eq(t.order, "no");
    ck_assert_int_eq(next[0].status, 1);
    ck_assert_int_eq(next[1].status, 1);
    says(BANNER); /* that's another one */
    settle();
    heard("0:-9 1:-9 ");
}
END_TEST

START_TEST(a_restart_nobody_was_waiting_for)
{
    start(chunks[_i], TEXT);
    open_tcp(0, PUSH);
    says("\r\n+QIURC: \"recv\",0,9\r\nabc");
    settle();
    at_client_reset(&t.client); /* the port was opened anew, say */
    settle();
    heard("0a 0b 0c 0:-9 ");
    ck_assert_uint_eq(t.sockets.counters.broken, 6);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_OK);
}
END_TEST

START_TEST(a_port_that_fails)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    t.unplugged = true;
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_PORT);
    ck_assert_int_eq(receive(0, data, 1), AT_E_PORT);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_E_PORT);
    t.unplugged = false;
    at_client_reset(&t.client);
    script_start(TEXT, ERROR);
    open_tcp(0, BUFFER);
}
END_TEST

static void on_done_again(void *ctx, struct bc26_task *task)
{
    ++*(unsigned *)ctx;
    ck_assert_int_eq(task->status, AT_E_PORT);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, task, 0, "a", 1), AT_OK);
}

/* Who tries again at once doesn't keep others waiting, nor polling from coming to an end. */
START_TEST(a_port_that_fails_for_ever)
{
    unsigned tries = 0;
    struct bc26_task again = {.done = on_done_again, .ctx = &tries};
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    open_tcp(1, BUFFER);
    t.unplugged = true;
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &again, 0, "a", 1), AT_OK);
    ck_assert_int_eq(bc26_socket_recv(&t.sockets, 1, t.buffer, 1, UINT32_MAX), AT_E_PORT);
    ck_assert_uint_ge(tries, 1);
    for (unsigned i = 0; i < 20; i++) {
        (void)bc26_sockets_poll(&t.sockets);
    }
    ck_assert_uint_le(tries, 2 + 20 * 2);
}
END_TEST

/* Part of a command was taken, and nothing more is: no operation waits for ever. */
START_TEST(a_port_that_takes_nothing)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    open_tcp(1, BUFFER);
    struct bc26_task a = named("a"), b = named("b");
    t.sockets.turn = BC26_SOCKETS; /* so that it's number 0's turn */
    t.room = 5;
    script_piece("AT+QISEND=0,1", (const uint8_t *)"a", 1);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &a, 0, "a", 1), AT_OK);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &b, 1, "b", 1), AT_OK);
    t.zeros = 0;
    for (unsigned i = 0; i < 100000 && (a.pending || b.pending); i++) {
        uint32_t wait = bc26_sockets_poll(&t.sockets);
        t.zeros += wait == 0;
        (void)at_client_wait(&t.client, wait);
    }
    ck_assert_str_eq(t.order, "ab");
    ck_assert_int_eq(a.status, AT_E_TIMEOUT);
    ck_assert_int_eq(b.status, AT_E_TIMEOUT);
    ck_assert_uint_eq(t.zeros, 1); /* as b ended by itself */
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 1, "b", 1), AT_E_TIMEOUT);
}
END_TEST

/* Calls that wait can't, and nothing has begun: not even closing. */
START_TEST(calls_that_wait_need_a_read)
{
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    struct bc26_qidnsgip name = {.context_id = 1, .hostname = {"h", 1}};
    struct bc26_qping echo = {.context_id = 1, .host = {"h", 1}};
    struct bc26_qntp ntp = {.context_id = 1, .server = {"n", 1}};
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    t.client.config.read = NULL;
    ck_assert_int_eq(bc26_sockets_attach(&t.sockets, 0), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ARGUMENT);
    ck_assert_int_eq(receive(0, data, 1), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_sockets_resolve(&t.sockets, &name, NULL, 0), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_sockets_ping(&t.sockets, &echo, NULL, 0, NULL), AT_E_ARGUMENT);
    ck_assert_int_eq(bc26_sockets_time(&t.sockets, &ntp, NULL), AT_E_ARGUMENT);
    ck_assert_uint_eq(bc26_sockets_poll(&t.sockets), UINT32_MAX);
    t.client.config.read = port_read;
    script_piece("AT+QISEND=0,1", (const uint8_t *)"a", 1); /* it's open still, and nothing waits */
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), 1);
    script_open(1, "TCP", BUFFER);
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), 1); /* and that one is free */
    script_held();
}
END_TEST

/* What calls that wait can't return is told by the client, as with its own. */
START_TEST(the_code_of_a_failure)
{
    start(chunks[_i], TEXT);
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    script("AT+QICLOSE=0", CLOSE_OK);
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,0", OK "\r\n+QIOPEN: 0,566\r\n");
    script("AT+QICLOSE=0", CLOSE_OK);
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), AT_E_FAIL);
    ck_assert_int_eq(t.client.error, 566);
    open = request(BC26_SERVICE_TYPE_UDP, BUFFER);
    script("AT+QIOPEN=1,0,\"UDP\",\"h.net\",7,0,0", OK "\r\n+QIOPEN: 0,0\r\n");
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), 0);
    ck_assert_int_eq(t.client.error, -1);
    script("AT+QISEND=0,1", "\r\n+CME ERROR: 567\r\n");
    script("AT+QISEND=0,1,a", "\r\n+CME ERROR: 568\r\n");
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ERROR);
    ck_assert_int_eq(t.client.error, 568);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, data, 1461), AT_E_ARGUMENT);
    ck_assert_int_eq(t.client.error, -1); /* not that of another command */
    script_held();
}
END_TEST

/* Sockets 0 and 2 are open, and 1 would be opened at once; the firmware has data mode. */
static void start_for_refusals(size_t chunk)
{
    start(chunk, TEXT);
    without_callbacks();
    for (int i = 0; i < 3; i++) {
        open_tcp(i, BUFFER);
    }
    script("AT+QICLOSE=1", CLOSE_OK);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 1), AT_OK);
    script_piece("AT+QISEND=0,1", (const uint8_t *)"a", 1);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), 1);
    script_held();
    t.sockets.turn = 2; /* the last, if it has something to do */
}

enum { REFUSED_OPEN, REFUSED_SEND, REFUSED_READ, REFUSED_TIME, REFUSALS };

static void start_refused(int which, struct bc26_task *task)
{
    static const char *const commands[] = {
        "AT+QIOPEN=1,1,\"TCP\",\"h.net\",7,0,0", "AT+QISEND=0,1", "AT+QIRD=0,9", "AT+QNTP=1,\"n\""};
    static struct bc26_qiopen wanted;
    static struct bc26_qntp ntp = {.context_id = 1, .server = {"n", 1}};
    static struct bc26_qntp_result time;
    script(commands[which], ERROR);
    switch (which) {
    case REFUSED_OPEN:
        wanted = request(BC26_SERVICE_TYPE_TCP, BUFFER);
        ck_assert_int_eq(bc26_socket_open_start(&t.sockets, task, &wanted), 1);
        break;
    case REFUSED_SEND:
        ck_assert_int_eq(bc26_socket_send_start(&t.sockets, task, 0, "a", 1), AT_OK);
        break;
    case REFUSED_READ:
        t.sockets.sockets[0].readable = true; /* as if notified */
        ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, task, 0, t.buffer, 9), AT_OK);
        break;
    default:
        ck_assert_int_eq(bc26_sockets_time_start(&t.sockets, task, &ntp, &time), AT_OK);
    }
}

/* Until all that is scripted was said; no time passes. */
static void until_said(void)
{
    (void)bc26_sockets_poll(&t.sockets);
    while (t.read < t.ninput) {
        (void)at_client_wait(&t.client, 0);
        (void)bc26_sockets_poll(&t.sockets);
    }
    script_held();
}

#define BARRIER "AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n" OK

/* The module knows of the last command alone, so it's asked before anything else goes. */
START_TEST(a_refusal_is_looked_into)
{
    static const struct {
        const char *says;
        int32_t error;
    } answers[] = {{WHY("563"), 563}, {WHY("0"), -1}, {ERROR, -1},
                   {"\r\n+CME ERROR: 4\r\n", -1}, {SILENCE, -1}};
    for (size_t i = 0; i < REFUSALS * (sizeof answers / sizeof answers[0]); i++) {
        int which = (int)i % REFUSALS;
        const char *answer = answers[i / REFUSALS].says;
        struct bc26_task task = named("t"), next = named("n");
        start_for_refusals(chunks[_i]);
        start_refused(which, &task);
        ck_assert_int_eq(bc26_socket_close_start(&t.sockets, &next, 2), AT_OK);
        script("AT+QIGETERROR", answer);
        if (answer[0] == '\0') {
            script(BARRIER);
        }
        script("AT+QICLOSE=2", CLOSE_OK);
        if (which == REFUSED_OPEN) {
            script("AT+QICLOSE=1", CLOSE_OK);
        }
        settle();
        ck_assert_int_eq(task.status, AT_E_ERROR);
        ck_assert_int_eq(task.error, answers[i / REFUSALS].error);
        ck_assert_int_eq(next.status, AT_OK);
    }
    covers("section", "2.1.13", "the sockets API tells why a command was refused");
}
END_TEST

/* Meanwhile the refused command counts as under way. */
START_TEST(what_ends_the_looking_into_a_refusal)
{
    static const int expected[] = {AT_E_REBOOT, AT_E_REBOOT, AT_E_PORT, AT_E_ERROR};
    for (int i = 0; i < 4 * REFUSALS; i++) {
        int which = i % REFUSALS;
        struct bc26_task task = named("t");
        start_for_refusals(chunks[_i]);
        start_refused(which, &task);
        script("AT+QIGETERROR", SILENCE);
        until_said();
        ck_assert(task.pending);
        switch (i / REFUSALS) {
        case 0:
            says(BANNER);
            break;
        case 1:
            at_client_reset(&t.client);
            break;
        case 2:
            t.unplugged = true;
            ck_assert_int_eq(at_client_wait(&t.client, 0), AT_E_PORT);
            break;
        default:
            if (which == REFUSED_OPEN) {
                script(BARRIER);
                script("AT+QICLOSE=1", CLOSE_OK);
            }
            at_client_cancel(&t.client);
        }
        settle();
        ck_assert_int_eq(task.status, expected[i / REFUSALS]);
        ck_assert_int_eq(task.error, -1);
        ck_assert_uint_eq(t.client.config.text_size, sizeof t.text);
    }
}
END_TEST

START_TEST(a_code_that_is_known_is_not_asked_for)
{
    start_for_refusals(chunks[_i]);
    script("AT+QISEND=0,1", "\r\n+CME ERROR: 567\r\n");
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ERROR);
    ck_assert_int_eq(t.client.error, 567);
    script("AT+QISEND=0,1", "\r\n+CME ERROR: socket has been closed\r\n"); /* in words it isn't */
    script("AT+QIGETERROR", WHY("567"));
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ERROR);
    ck_assert_int_eq(t.client.error, 567);
    script_held();
}
END_TEST

/* Reading for `received` has no task, and what fails of it isn't the receive's that was
 * posted meanwhile; closing is about what is gone anyway. */
START_TEST(where_no_code_is_told_none_is_asked_for)
{
    struct bc26_task recv = named("r");
    start_for_refusals(chunks[_i]);
    t.sockets.config.received = on_received;
    t.sockets.config.buffer = t.buffer;
    says(RECV("0"));
    script("AT+QIRD=0,512", SILENCE);
    until_said();
    ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, &recv, 0, data, 9), AT_OK);
    says(ERROR);
    script("AT+QIRD=0,9", READ("1", "a"));
    script("AT+QIRD=0,512", EMPTY);
    settle();
    heard("0:-6 ");
    ck_assert_int_eq(recv.status, 1);
    script("AT+QICLOSE=0", ERROR);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_E_ERROR);
    ck_assert_int_eq(t.client.error, -1);
    script_held();
    fill();
}
END_TEST

/* A receive that won't wait does so for this, as for what it has asked for. */
START_TEST(a_refused_receive_waits_for_the_reason)
{
    start_for_refusals(chunks[_i]);
    says(RECV("0"));
    settle();
    script("AT+QIRD=0,9", ERROR);
    script("AT+QIGETERROR", SILENCE);
    ck_assert_int_eq(bc26_socket_recv(&t.sockets, 0, t.buffer, 9, 0), AT_E_ERROR);
    script_held();
}
END_TEST

/* Its words don't take the place of texts that are still read. */
START_TEST(a_refusal_leaves_the_texts)
{
    struct bc26_dnsgip_address_urc address;
    struct bc26_qidnsgip name = {.context_id = 1, .hostname = {"h", 1}};
    start_for_refusals(chunks[_i]);
    script("AT+QIDNSGIP=1,\"h\"", OK "\r\n+QIURC: \"dnsgip\",0,1,60\r\n"
                                     "\r\n+QIURC: \"dnsgip\",\"1.1.1.1\"\r\n");
    ck_assert_int_eq(bc26_sockets_resolve(&t.sockets, &name, &address, 1), 1);
    for (int i = 0; i < 2; i++) {
        script("AT+QISEND=0,1", ERROR);
        script("AT+QIGETERROR", WHY("567"));
        ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), AT_E_ERROR);
        ck_assert_int_eq(t.client.error, 567);
        ck_assert_mem_eq(address.host_ip_addr.ptr, "1.1.1.1", 7);
    }
    script("AT+QIDNSGIP=1,\"h\"", OK "\r\n+QIURC: \"dnsgip\",0,1,60\r\n"
                                     "\r\n+QIURC: \"dnsgip\",\"2.2.2.2\"\r\n");
    ck_assert_int_eq(bc26_sockets_resolve(&t.sockets, &name, &address, 1), 1);
    ck_assert_mem_eq(address.host_ip_addr.ptr, "2.2.2.2", 7);
    script_held();
}
END_TEST

/* An AT goes first, and it's that which a dozing module misses. */
START_TEST(a_module_that_dozes)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    t.sockets.config.doze_ms = 5000;
    script_piece("AT+QISEND=0,1", (const uint8_t *)"a", 1);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "a", 1), 1);
    t.clock += 5000;
    script("AT", SILENCE);
    script("AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n" OK);
    script_piece("AT+QISEND=0,1", (const uint8_t *)"b", 1);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "b", 1), 1);
    script_held();
    t.clock += 5000;
    says(RECV("0")); /* who speaks is awake */
    script("AT+QIRD=0,512", READ("1", "c"));
    script("AT+QIRD=0,512", EMPTY);
    settle();
    t.clock += 4000;
    says("\r\n+QIURC: \"dnsgip\",565\r\n"); /* whatever it says */
    settle();
    t.clock += 4000;
    script_piece("AT+QISEND=0,1", (const uint8_t *)"d", 1);
    ck_assert_int_eq(bc26_socket_send(&t.sockets, 0, "d", 1), 1);
    script_held();
    heard("0c ");
}
END_TEST

/* Settings proved wrong -------------------------------------------------------------- */

/* As script_start does it, with view mode 1. */
static void script_start_inline(int32_t mode)
{
    char state[80];
    snprintf(state, sizeof state, "\r\n+QISTATE: 0,\"TCP\",\"1.1.1.1\",7,7,2,1,%d\r\n" OK,
             (int)mode);
    script("AT", OK);
    script("ATE0", OK);
    script("AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",1\r\n" OK);
    script("AT+QICFG=\"dataformat\"", TEXT);
    script("AT+QICFG=\"showlength\"", "\r\n+QICFG: \"showlength\",0\r\n" OK);
    script("AT+QICFG=\"echomode\"", ERROR);
    script("AT+QISTATE?", state);
}

/* Somebody else changed the view mode: a push tells while data are being sent. Whether
 * those went is unknown, and the SEND OK that comes at last is nobody's. */
START_TEST(settings_proved_wrong_while_sending)
{
    static const char wrong[] = "\r\n+QIURC: \"recv\",0,3,abc\r\n" SEND_OK;
    start(chunks[_i], TEXT);
    open_tcp(0, PUSH);
    struct bc26_task send = named("s"), more = named("m");
    script_piece("AT+QISEND=0,1460", data, 1460);
    script("AT+QISEND=0,1460", "\r\n> ");
    script_bytes(data + 1460, 1460, wrong, sizeof wrong - 1);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &send, 0, data, 5000), AT_OK);
    settle();
    ck_assert_int_eq(send.status, AT_E_LOST);
    ck_assert_uint_eq(send.count, 1460);
    heard("");
    t.clock += 300; /* until then it might be payload, too */
    script_start_inline(PUSH);
    script_piece("AT+QISEND=0,5", data, 5);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &more, 0, data, 5), AT_OK);
    settle();
    ck_assert_int_eq(more.status, 5);
    says("\r\n+QIURC: \"recv\",0,3,def\r\n");
    settle();
    heard("0d 0e 0f ");
}
END_TEST

START_TEST(settings_proved_wrong_while_reading)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    says(RECV("0"));
    script("AT+QIRD=0,512", READ("3", "abc"));
    script("AT+QIRD=0,512", "\r\n+QIRD: 3,def\r\n" OK);
    settle();
    heard("0a 0b 0c 0:-11 "); /* AT_E_LOST: something is missing here */
    script_start_inline(BUFFER);
    script("AT+QIRD=0,512", "\r\n+QIRD: 3,ghi\r\n" OK);
    script("AT+QIRD=0,512", EMPTY);
    t.clock += 300; /* until then it might be payload, too */
    says(RECV("0"));
    settle();
    heard("0g 0h 0i ");
}
END_TEST

/* The banner is counted as payload, but for what is too much. */
START_TEST(a_restart_amid_a_payload)
{
    start(chunks[_i], TEXT);
    without_callbacks();
    open_tcp(0, BUFFER);
    says(RECV("0"));
    script("AT+QIRD=0,512", "\r\n+QIRD: 10\r\nabc" BANNER);
    ck_assert_int_eq(receive(0, data, 600), AT_E_REBOOT);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_OK);
    script_start(TEXT, ERROR);
    open_tcp(0, BUFFER);
    fill();
}
END_TEST

/* All of it is, so nobody knows: the socket isn't there any more, and says so. */
START_TEST(a_restart_that_a_payload_hides)
{
    start(chunks[_i], TEXT);
    without_callbacks();
    open_tcp(0, BUFFER);
    says(RECV("0"));
    script("AT+QIRD=0,512", "\r\n+QIRD: 100\r\nabc" BANNER);
    ck_assert_int_eq(receive(0, data, 600), AT_E_TIMEOUT);
    script("AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n" OK);
    script("AT+QICFG=\"echomode\"", ERROR); /* which survives no restart */
    script("AT+QISTATE?", OK);
    script("AT+QIRD=0,512", ERROR);
    script("AT+QIGETERROR", WHY("567"));
    ck_assert_int_eq(receive(0, data, 600), AT_E_ERROR);
    script("AT+QICLOSE=0", CLOSE_OK);
    ck_assert_int_eq(bc26_socket_close(&t.sockets, 0), AT_OK);
    struct bc26_qiopen open = request(BC26_SERVICE_TYPE_TCP, BUFFER);
    script("AT+QIOPEN=1,0,\"TCP\",\"h.net\",7,0,0", OK "\r\n+QIOPEN: 0,0\r\n");
    ck_assert_int_eq(bc26_socket_open(&t.sockets, &open), 0);
    script_held();
    fill();
}
END_TEST

/* Loops of one's own ------------------------------------------------------------------- */

/* Nothing to do until bytes or a deadline come: polling says so, every time. */
static void nothing_to_do(bool deadline)
{
    for (int i = 0; i < 20; i++) {
        uint32_t wait = bc26_sockets_poll(&t.sockets);
        ck_assert_uint_gt(wait, 0);
        ck_assert(deadline == (wait != UINT32_MAX));
    }
}

START_TEST(polling_says_when_there_is_nothing_to_do)
{
    struct bc26_task recv = named("r"), send = named("s"), close = named("c");
    start(chunks[_i], TEXT);
    without_callbacks();
    nothing_to_do(false); /* nothing is open */
    open_tcp(0, BUFFER);
    ck_assert_int_eq(bc26_socket_recv_start(&t.sockets, &recv, 0, t.buffer, 9), AT_OK);
    nothing_to_do(false); /* nothing came that could be read */
    script("AT+QIRD=0,9", SILENCE);
    says(RECV("0"));
    (void)at_client_wait(&t.client, 0);
    while (t.read < t.ninput) {
        (void)at_client_wait(&t.client, bc26_sockets_poll(&t.sockets));
    }
    nothing_to_do(true); /* an answer is waited for */
    says(READ("1", "x") RECV("0") CLOSED("0"));
    settle();
    ck_assert_int_eq(recv.status, 1);
    nothing_to_do(false); /* more is there, and the end; nobody reads */
    t.room = 5;
    script("AT+QISEND=0,3", ERROR);
    script("AT+QIGETERROR", ERROR);
    script("AT+QISEND=0,3,abc", ERROR);
    script("AT+QIGETERROR", ERROR);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &send, 0, "abc", 3), AT_OK);
    nothing_to_do(true); /* the port takes nothing */
    t.room = SIZE_MAX;
    settle();
    ck_assert_int_eq(send.status, AT_E_ERROR);
    script("AT+QICLOSE=0", OK);
    ck_assert_int_eq(bc26_socket_close_start(&t.sockets, &close, 0), AT_OK);
    while (t.at < t.nscript || t.read < t.ninput) {
        (void)at_client_wait(&t.client, bc26_sockets_poll(&t.sockets));
    }
    nothing_to_do(true); /* CLOSE OK is waited for */
    says("\r\nCLOSE OK\r\n");
    settle();
    ck_assert_str_eq(t.order, "rsc");
}
END_TEST

static void on_done_send(void *ctx, struct bc26_task *task)
{
    (void)task;
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, ctx, 0, "a", 1), AT_OK);
}

/* What `done` begins begins, though no byte and no deadline come that would drive it. */
START_TEST(what_done_begins_is_not_left_lying)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    struct bc26_task send = named("s");
    struct bc26_task attach = {.done = on_done_send, .ctx = &send};
    script_piece("AT+QISEND=0,1", (const uint8_t *)"a", 1);
    ck_assert_int_eq(bc26_sockets_attach_start(&t.sockets, &attach, 0), AT_OK);
    t.zeros = 0;
    settle();
    ck_assert_int_eq(send.status, 1);
    ck_assert_uint_le(t.zeros, 2);
}
END_TEST

/* Turns -------------------------------------------------------------------------- */

START_TEST(sockets_take_turns)
{
    start(chunks[_i], TEXT);
    open_tcp(0, BUFFER);
    open_tcp(1, BUFFER);
    struct bc26_task a = named("a"), b = named("b"), n = named("n");
    struct bc26_qntp ntp = {.context_id = 1, .server = {"n", 1}};
    struct bc26_qntp_result time;
    t.sockets.turn = BC26_SOCKETS;
    says(RECV("0"));
    script_piece("AT+QISEND=0,1460", data, 1460);
    script_piece("AT+QISEND=1,1460", data, 1460);
    script("AT+QNTP=1,\"n\"", OK "\r\n+QNTP: 0,\"19/06/11,11:08:20+32\"\r\n");
    script("AT+QIRD=0,512", READ("1", "x"));
    script_piece("AT+QISEND=1,40", data + 1460, 40);
    script_piece("AT+QISEND=0,40", data + 1460, 40);
    script("AT+QIRD=0,512", EMPTY);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &a, 0, data, 1500), AT_OK);
    ck_assert_int_eq(bc26_socket_send_start(&t.sockets, &b, 1, data, 1500), AT_OK);
    ck_assert_int_eq(bc26_sockets_time_start(&t.sockets, &n, &ntp, &time), AT_OK);
    settle();
    ck_assert_str_eq(t.order, "nba");
    ck_assert_int_eq(n.status, 1);
    heard("0x ");
}
END_TEST

START_TEST(services)
{
    struct bc26_dnsgip_address_urc addresses[2];
    struct bc26_qidnsgip name = {.context_id = 1, .hostname = {"h", 1}};
    struct bc26_qping echo = {.context_id = 1, .host = {"h", 1}, .has_time_out = true,
                              .time_out = 1, .has_ping_num = true, .ping_num = 1};
    struct bc26_qping_result replies[1];
    struct bc26_qping_summary_result summary;
    struct bc26_qntp ntp = {.context_id = 1, .server = {"n", 1}};
    struct bc26_qntp_result time;
    start(chunks[_i], TEXT);
    script("AT+QIDNSGIP=1,\"h\"", OK "\r\n+QIURC: \"dnsgip\",0,1,60\r\n"
                                     "\r\n+QIURC: \"dnsgip\",\"1.1.1.1\"\r\n");
    ck_assert_int_eq(bc26_sockets_resolve(&t.sockets, &name, addresses, 2), 1);
    ck_assert_mem_eq(addresses[0].host_ip_addr.ptr, "1.1.1.1", 7);
    script("AT+QIDNSGIP=1,\"h\"", OK "\r\n+QIURC: \"dnsgip\",565\r\n");
    ck_assert_int_eq(bc26_sockets_resolve(&t.sockets, &name, addresses, 2), AT_E_FAIL);
    script("AT+QPING=1,\"h\",1,1", OK "\r\n+QPING: 0,\"1.1.1.1\",32,5,64\r\n"
                                      "\r\n+QPING: 0,1,1,0,5,5,5\r\n");
    ck_assert_int_eq(bc26_sockets_ping(&t.sockets, &echo, replies, 1, &summary), 2);
    ck_assert_int_eq(summary.rcvd, 1);
    script("AT+QNTP=1,\"n\"", OK "\r\n+QNTP: 0,\"19/06/11,11:08:20+32\"\r\n");
    ck_assert_int_eq(bc26_sockets_time(&t.sockets, &ntp, &time), 1);
    ck_assert_mem_eq(time.time.ptr, "19/06/11,11:08:20+32", time.time.len);
    script_held();
}
END_TEST

/* What isn't the sockets' goes to the client's own callback. */
static void on_urc(void *ctx, const struct at_line *line)
{
    (void)ctx;
    strncat(t.order, line->record->name, sizeof t.order - strlen(t.order) - 1);
}

START_TEST(what_is_not_taken_goes_on)
{
    start(chunks[_i], TEXT);
    t.client.config.urc = on_urc;
    open_tcp(0, BUFFER);
    says("\r\n+QIURC: \"dnsgip\",565\r\n" CLOSED("4") CLOSED("0"));
    script("AT+QIRD=0,512", EMPTY);
    settle();
    ck_assert_str_eq(t.order, "dnsgipclosed");
    heard("0:0 ");
}
END_TEST

/* Memory ------------------------------------------------------------------------- */

START_TEST(memory_is_as_documented)
{
    /* With pointers of twice the size; the header's figures are those of 4 bytes. */
    ck_assert_uint_le(sizeof(struct bc26_task), 2 * 48);
    ck_assert_uint_le(sizeof(struct bc26_sockets), 2 * 328);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sockets");
    TCase *each = tcase_create("each");
    fill();
#define ADD(test) tcase_add_loop_test(each, test, 0, NCHUNKS)
    ADD(attach_wakes_and_fixes_what_differs);
    ADD(handles_are_connection_ids);
    ADD(open_that_fails_closes_by_itself);
    ADD(open_that_is_refused_or_illegal);
    ADD(open_without_a_result_is_closed);
    ADD(send_is_cut_into_pieces);
    ADD(send_in_hexadecimal);
    ADD(send_without_data_mode);
    ADD(send_refused_is_no_old_firmware);
    ADD(send_that_fails_says_how_far_it_came);
    ADD(a_datagram_is_one_piece);
    ADD(buffer_is_drained);
    ADD(receive_in_buffer_mode);
    ADD(without_a_reader_data_stay_in_the_module);
    ADD(no_notice_is_lost);
    ADD(pushed_data);
    ADD(a_push_that_stalls);
    ADD(pushed_digits);
    ADD(full_buffers_are_read);
    ADD(a_read_that_fails);
    ADD(remote_close_comes_after_the_data);
    ADD(remote_close_for_receives);
    ADD(close_cancels);
    ADD(a_restart_ends_everything);
    ADD(a_restart_nobody_was_waiting_for);
    ADD(a_port_that_fails);
    ADD(a_port_that_fails_for_ever);
    ADD(a_port_that_takes_nothing);
    ADD(a_restart_ends_nothing_new);
    ADD(calls_that_wait_need_a_read);
    ADD(the_code_of_a_failure);
    ADD(a_refusal_is_looked_into);
    ADD(what_ends_the_looking_into_a_refusal);
    ADD(a_code_that_is_known_is_not_asked_for);
    ADD(where_no_code_is_told_none_is_asked_for);
    ADD(a_refused_receive_waits_for_the_reason);
    ADD(a_refusal_leaves_the_texts);
    ADD(a_module_that_dozes);
    ADD(settings_proved_wrong_while_sending);
    ADD(settings_proved_wrong_while_reading);
    ADD(a_restart_amid_a_payload);
    ADD(a_restart_that_a_payload_hides);
    ADD(polling_says_when_there_is_nothing_to_do);
    ADD(what_done_begins_is_not_left_lying);
    ADD(sockets_take_turns);
    ADD(services);
    ADD(what_is_not_taken_goes_on);
    tcase_add_test(each, memory_is_as_documented);
    suite_add_tcase(suite, each);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The client, as dialogues: what the host must have sent, what the module says,
 * what time passes, how the command ended. Every dialogue runs with several
 * sizes of the pieces in which the module's bytes arrive. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/at.h"
#include "bc26.h"
#include "covers.h"

/* Harness ----------------------------------------------------------------- */

static const size_t chunks[] = {SIZE_MAX, 1, 2, 3, 7};
enum {
    NCHUNKS = sizeof chunks / sizeof chunks[0],
    LATENCY = 50,
    ANSWER = 300 + LATENCY,
    REST = 3000 + LATENCY, /* for late answers, when all barriers were sent */
    QUIET = 300            /* until what comes is no payload of unknown framing */
};

static struct {
    struct at_client client;
    struct at_client_config config;
    uint8_t window[256];
    char command[1600];
    char text[200];
    uint8_t settings[16];
    uint32_t clock;
    char sent[1 << 13]; /* by the host */
    size_t nsent;
    size_t nread;       /* of those, how many the test has looked at */
    size_t takes;       /* the port takes so many bytes at a time */
    size_t room;        /* and so many before it stalls */
    bool broken;
    bool deaf;          /* reading fails */
    size_t chunk;
    char heard[8192];   /* one line for each thing that no command waited for */
    size_t nheard;
    char payload[4096]; /* of URCs */
    size_t npayload;
    struct at_call call;
    int ended;
} t;

static uint32_t clock_now(void *ctx)
{
    (void)ctx;
    return t.clock;
}

static int port_write(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    if (t.broken) {
        return -1;
    }
    n = n < t.takes ? n : t.takes;
    n = n < t.room ? n : t.room;
    ck_assert_uint_le(t.nsent + n, sizeof t.sent);
    memcpy(t.sent + t.nsent, data, n);
    t.nsent += n;
    t.room -= t.room == SIZE_MAX ? 0 : n;
    return (int)n;
}

static void note(const char *kind, const char *name, const void *text, size_t len)
{
    int n = snprintf(t.heard + t.nheard, sizeof t.heard - t.nheard, "%s%s: %.*s\n", kind, name,
                     (int)len, (const char *)text);
    t.nheard += (size_t)n;
    ck_assert_uint_lt(t.nheard, sizeof t.heard);
}

static void on_urc(void *ctx, const struct at_line *line)
{
    (void)ctx;
    note("urc ", line->record->name, line->text, line->len);
}

static void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                       size_t remaining)
{
    (void)ctx;
    memcpy(t.payload + t.npayload, data, n);
    t.npayload += n;
    if (remaining == 0) {
        note("payload ", record->name, t.payload, t.npayload);
        t.npayload = 0;
    }
}

static void on_unknown(void *ctx, struct at_str line)
{
    (void)ctx;
    note("unknown", "", line.ptr, line.len);
}

static void on_done(void *ctx, struct at_call *call)
{
    ck_assert_ptr_eq(ctx, &t);
    ck_assert_ptr_eq(call, &t.call);
    t.ended++;
}

static void power_up(size_t chunk)
{
    struct at_client_config config = {
        .module = &bc26, .write = port_write, .now = clock_now, .urc = on_urc,
        .payload = on_payload, .unknown = on_unknown,
        .window = t.window, .window_size = sizeof t.window,
        .command = t.command, .command_size = sizeof t.command,
        .text = t.text, .text_size = sizeof t.text,
        .settings = t.settings, .latency_ms = LATENCY,
    };
    memset(&t, 0, sizeof t);
    memset(&t.client, 0xa5, sizeof t.client); /* as memory may be */
    t.clock = UINT32_MAX - 5000; /* it wraps around on the way */
    t.takes = t.room = SIZE_MAX;
    t.chunk = chunk;
    t.config = config;
    t.call.done = on_done;
    t.call.ctx = &t;
    ck_assert_int_eq(at_client_init(&t.client, &t.config), AT_OK);
}

/* The host must have sent exactly this. */
static void host_bytes(const void *bytes, size_t n)
{
    if (t.nsent - t.nread < n || memcmp(t.sent + t.nread, bytes, n) != 0) {
        ck_abort_msg("host: expected \"%.*s\", got \"%.*s\"", (int)n, (const char *)bytes,
                     (int)(t.nsent - t.nread), t.sent + t.nread);
    }
    t.nread += n;
}

static void host(const char *text)
{
    host_bytes(text, strlen(text));
}

static void host_silent(void)
{
    if (t.nread != t.nsent) {
        ck_abort_msg("host: unexpected \"%.*s\"", (int)(t.nsent - t.nread), t.sent + t.nread);
    }
}

static void module_bytes(const void *bytes, size_t n)
{
    const char *from = bytes;
    while (n > 0) {
        size_t room;
        uint8_t *to = at_client_reserve(&t.client, &room);
        room = room < n ? room : n;
        room = room < t.chunk ? room : t.chunk;
        memcpy(to, from, room);
        at_client_commit(&t.client, room);
        from += room;
        n -= room;
    }
}

static void module(const char *text)
{
    module_bytes(text, strlen(text));
}

/* One line in a block of its own. */
static void says(const char *line)
{
    module("\r\n");
    module(line);
    module("\r\n");
}

static void pass(uint32_t ms)
{
    uint32_t due = at_client_poll(&t.client);
    while (ms > 0) {
        uint32_t step = due < ms ? due : ms;
        step = step > 0 ? step : 1;
        t.clock += step;
        ms -= step;
        due = at_client_poll(&t.client);
    }
}

static void running(void)
{
    ck_assert_int_eq(t.ended, 0);
    ck_assert(!at_client_idle(&t.client));
}

static void ends(int status)
{
    ck_assert_int_eq(t.ended, 1);
    ck_assert_int_eq(t.call.status, status);
    ck_assert(at_client_idle(&t.client));
    t.ended = 0;
}

/* The next thing that went to no command. */
static void heard(const char *expected)
{
    size_t n = strlen(expected);
    if (strncmp(t.heard, expected, n) != 0 || t.heard[n] != '\n') {
        ck_abort_msg("heard: expected \"%s\", got \"%s\"", expected, t.heard);
    }
    t.nheard -= n + 1;
    memmove(t.heard, t.heard + n + 1, t.nheard + 1);
}

static void heard_nothing(void)
{
    ck_assert_str_eq(t.heard, "");
}

static const struct at_counters *counters(void)
{
    return &t.client.counters;
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

/* How the module is set. */
struct modes {
    int send_hex, recv_hex, view, show, echo, access;
};

static void query(const char *command, const char *answer)
{
    host(command);
    says(answer);
    says("OK");
}

static void ok(const char *command)
{
    host(command);
    says("OK");
}

/* What the host asks for once it is awake. */
static void read_settings(const struct modes *m)
{
    char line[80];
    snprintf(line, sizeof line, "+QICFG: \"viewmode\",%d", m->view);
    query("AT+QICFG=\"viewmode\"\r", line);
    snprintf(line, sizeof line, "+QICFG: \"dataformat\",%d,%d", m->send_hex, m->recv_hex);
    query("AT+QICFG=\"dataformat\"\r", line);
    snprintf(line, sizeof line, "+QICFG: \"showlength\",%d", m->show);
    query("AT+QICFG=\"showlength\"\r", line);
    snprintf(line, sizeof line, "+QICFG: \"echomode\",%d", m->echo);
    query("AT+QICFG=\"echomode\"\r", line);
    host("AT+QISTATE?\r");
    for (int i = 0; i < 5; i++) {
        snprintf(line, sizeof line, "+QISTATE: %d,\"TCP\",\"10.0.0.1\",80,0,2,1,%d", i, m->access);
        says(line);
    }
    says("OK");
}

static void start_up(const struct modes *m)
{
    ok("AT\r");
    ok("ATE0\r");
    read_settings(m);
}

/* A client that knows how its module is set. */
static void synced_as(size_t chunk, const struct modes *m)
{
    power_up(chunk);
    memset(&t.call.sinks, 0, sizeof t.call.sinks);
    ck_assert_int_eq(at_client_start(&t.client, &t.call), AT_OK);
    start_up(m);
    at_client_poll(&t.client);
    ends(AT_OK);
    host_silent();
    heard_nothing();
}

static void synced(size_t chunk)
{
    static const struct modes plain;
    synced_as(chunk, &plain);
}

/* Nothing is left over that the test didn't look at. */
static void over(void)
{
    host_silent();
    heard_nothing();
    ck_assert_int_eq(t.ended, 0);
}

/* Commands that many tests need. */

static void start_cmee(void)
{
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &t.call, NULL), AT_OK);
}

/* A command after which nothing is left of what went before. */
static void cmee_works(void)
{
    start_cmee();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
}

static void barrier(void)
{
    query("AT+QICFG=\"viewmode\"\r", "+QICFG: \"viewmode\",0");
}

static void fail_all_barriers(void)
{
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r");
    pass(ANSWER);
    host("AT+QICFG=\"showlength\"\r");
    pass(ANSWER);
    host("AT+QICFG=\"dataformat\"\r");
    pass(ANSWER);
    host("AT+QIGETERROR\r");
    pass(ANSWER);
}

/* What a restart would have changed, if it went unheard. */
static void read_echo_mode(int echo)
{
    char line[80];
    snprintf(line, sizeof line, "+QICFG: \"echomode\",%d", echo);
    query("AT+QICFG=\"echomode\"\r", line);
}

static struct bc26_qiopen open_request = {.context_id = 1, .remote_port = 80,
                                          .host = {"10.0.0.1", 8}};
static struct bc26_qiopen_result opened;

static void start_open(int connect_id)
{
    open_request.connect_id = connect_id;
    ck_assert_int_eq(bc26_qiopen_start(&t.client, &t.call, &open_request, &opened), AT_OK);
}

static const char open_0[] = "AT+QIOPEN=1,0,\"TCP\",\"10.0.0.1\",80\r";

static void start_fixed(const char *data)
{
    static struct bc26_qisend_fixed request;
    request.data = bytes(data);
    request.send_length = (int32_t)strlen(data);
    ck_assert_int_eq(bc26_qisend_fixed_start(&t.client, &t.call, &request), AT_OK);
}

static void start_stream(const char *data)
{
    static struct bc26_qisend_stream request;
    request.data = bytes(data);
    ck_assert_int_eq(bc26_qisend_stream_start(&t.client, &t.call, &request), AT_OK);
}

static struct bc26_qird_response read_header;
static uint8_t read_data[16];

static void start_read(size_t room)
{
    static struct bc26_qird request;
    char line[32];
    request.read_length = (int32_t)room;
    ck_assert_int_eq(bc26_qird_start(&t.client, &t.call, &request, &read_header, read_data, room),
                     AT_OK);
    snprintf(line, sizeof line, "AT+QIRD=0,%u\r", (unsigned)room);
    host(line);
}

static void start_close(void)
{
    static const struct bc26_qiclose request = {.connect_id = 0};
    ck_assert_int_eq(bc26_qiclose_start(&t.client, &t.call, &request), AT_OK);
    host("AT+QICLOSE=0\r");
}

#define CHUNK (chunks[_i])
#define CLOSED "+QIURC: \"closed\",3"
#define HEARD_CLOSED "urc closed: +QIURC: \"closed\",3"

/* Start-up ---------------------------------------------------------------- */

START_TEST(first_command_reads_the_settings)
{
    static const struct modes modes = {1, 0, 1, 1, 0, 1};
    power_up(CHUNK);
    start_cmee();
    start_up(&modes);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(t.settings[BC26_SETTING_SEND_DATA_FORMAT], 1);
    ck_assert_uint_eq(t.settings[BC26_SETTING_RECV_DATA_FORMAT], 0);
    ck_assert_uint_eq(t.settings[BC26_SETTING_VIEW_MODE], 1);
    ck_assert_uint_eq(t.settings[BC26_SETTING_SHOW_LENGTH], 1);
    ck_assert_uint_eq(t.settings[BC26_SETTING_ECHO_MODE], 0);
    ck_assert_uint_eq(t.settings[BC26_SETTING_ACCESS_MODE + 4], 1);
    ck_assert_uint_eq(counters()->resyncs, 1);
    ck_assert_uint_eq(counters()->barriers, 1);
    ck_assert_uint_eq(counters()->commands, 8);
    cmee_works();
    over();
}
END_TEST

START_TEST(start_up_survives_echo_and_urcs)
{
    power_up(CHUNK);
    says("> ");
    heard("unknown: > ");
    start_cmee();
    host("AT\r");
    module("AT\r\r\nOK\r\n");
    host("ATE0\r");
    module("ATE0\r");
    says(CLOSED);
    says("OK");
    heard(HEARD_CLOSED);
    ck_assert_uint_eq(counters()->echoes, 2);
    host("AT+QICFG=\"viewmode\"\r");
    says(CLOSED);
    heard(HEARD_CLOSED);
    says("+QICFG: \"viewmode\",0");
    says(CLOSED);
    heard(HEARD_CLOSED);
    says("OK");
    host("AT+QICFG=\"dataformat\"\r");
    running();
    at_client_cancel(&t.client);
    ends(AT_E_CANCELED);
    over();
}
END_TEST

START_TEST(wake_is_repeated_until_answered)
{
    static const struct modes plain;
    power_up(CHUNK);
    start_cmee();
    host("AT\r"); /* lost: the module sleeps */
    pass(ANSWER);
    host("AT\r");
    module("\r\n"); /* a blank line is no answer */
    pass(ANSWER);
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->timeouts, 2);
    over();
}
END_TEST

START_TEST(late_answers_to_the_wake_shift_nothing)
{
    power_up(CHUNK);
    start_cmee();
    host("AT\r");
    pass(ANSWER);
    host("AT\r");
    says("OK"); /* of the first */
    host("ATE0\r");
    says("OK"); /* of the second */
    host("AT+QICFG=\"viewmode\"\r");
    says("OK"); /* of ATE0 */
    running();
    host_silent();
    ck_assert_uint_eq(counters()->late, 1);
    says("+QICFG: \"viewmode\",0");
    says("OK");
    query("AT+QICFG=\"dataformat\"\r", "+QICFG: \"dataformat\",0,0");
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    query("AT+QICFG=\"echomode\"\r", "+QICFG: \"echomode\",0");
    ok("AT+QISTATE?\r");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_dead_module_is_given_up)
{
    power_up(CHUNK);
    t.client.config.tries = 3;
    start_cmee();
    for (int i = 0; i < 3; i++) {
        host(i < 2 ? "AT\r" : "\x1b" "AT\r"); /* it might be in data mode */
        running();
        pass(ANSWER);
    }
    ends(AT_E_LOST);
    struct bc26_qisend_fixed request = {.send_length = 1};
    t.settings[BC26_SETTING_SEND_DATA_FORMAT] = 0;
    ck_assert_int_eq(bc26_qisend_fixed_start(&t.client, &t.call, &request), AT_E_ARGUMENT);
    over();
}
END_TEST

START_TEST(any_time_commands_need_no_start_up)
{
    struct bc26_qigeterror_response answer;
    power_up(CHUNK);
    ck_assert_int_eq(bc26_qigeterror_execute_start(&t.client, &t.call, &answer), AT_OK);
    query("AT+QIGETERROR\r", "+QIGETERROR: 552,invalid parameters");
    ends(1);
    ck_assert_int_eq(answer.err, 552);
    over();
}
END_TEST

static void start_up_to_echomode(void)
{
    start_cmee();
    ok("AT\r");
    ok("ATE0\r");
    query("AT+QICFG=\"viewmode\"\r", "+QICFG: \"viewmode\",0");
    query("AT+QICFG=\"dataformat\"\r", "+QICFG: \"dataformat\",0,0");
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    host("AT+QICFG=\"echomode\"\r");
}

START_TEST(a_refused_query_may_mean_a_value)
{
    power_up(CHUNK);
    start_up_to_echomode();
    says("ERROR");
    ck_assert_uint_eq(t.settings[BC26_SETTING_ECHO_MODE], 0);
    ok("AT+QISTATE?\r");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_refused_query_may_be_the_end)
{
    power_up(CHUNK);
    start_up_to_echomode();
    says("OK");
    host("AT+QISTATE?\r");
    says("ERROR");
    ends(AT_E_LOST);
    start_cmee(); /* the next one goes on where this one failed */
    ok("AT+QISTATE?\r");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_lost_query_is_repeated_behind_a_barrier)
{
    power_up(CHUNK);
    start_up_to_echomode();
    pass(ANSWER);
    host("AT+QICFG=\"viewmode\"\r");
    says("+QICFG: \"echomode\",0");
    says("OK");
    running();
    says("+QICFG: \"viewmode\",0");
    says("OK");
    query("AT+QICFG=\"echomode\"\r", "+QICFG: \"echomode\",0"); /* a late line tells nothing */
    ok("AT+QISTATE?\r");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(every_step_has_its_tries)
{
    static const struct modes plain;
    power_up(CHUNK);
    start_cmee();
    for (int i = 0; i < 4; i++) {
        host("AT\r");
        pass(ANSWER);
    }
    ok("\x1b" "AT\r");
    for (int i = 0; i < 4; i++) {
        host("\x1b" "ATE0\r"); /* until a barrier says that it isn't in data mode */
        pass(ANSWER);
    }
    ok("\x1b" "ATE0\r");
    host("\x1b");
    read_settings(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_module_may_lack_wake_start_and_barrier)
{
    static struct at_module bare;
    bare = bc26;
    bare.wake = AT_NONE;
    bare.nstart = bare.nbarrier = 0;
    power_up(CHUNK);
    t.config.module = &bare;
    ck_assert_int_eq(at_client_init(&t.client, &t.config), AT_OK);
    start_cmee();
    query("AT+QICFG=\"dataformat\"\r", "+QICFG: \"dataformat\",0,0");
    query("AT+QICFG=\"viewmode\"\r", "+QICFG: \"viewmode\",0");
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    query("AT+QICFG=\"echomode\"\r", "+QICFG: \"echomode\",0");
    ok("AT+QISTATE?\r");
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    pass(ANSWER - 1); /* silence has to do */
    host_silent();
    pass(1);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(start_up_is_bounded)
{
    power_up(CHUNK);
    start_up_to_echomode();
    for (int i = 0; i < 5; i++) { /* a barrier, each time the query again, never answered */
        running();
        pass(ANSWER);
        if (t.ended) {
            break;
        }
        host(i < 3 ? "" : "\x1b");
        host("AT+QICFG=\"viewmode\"\r");
        says("+QICFG: \"viewmode\",0");
        says("OK");
        host("AT+QICFG=\"echomode\"\r");
    }
    ends(AT_E_LOST);
    over();
}
END_TEST

START_TEST(settings_that_stay_unknown_must_be_given)
{
    power_up(CHUNK);
    ck_assert_int_eq(bc26_qiopen_start(&t.client, &t.call, &open_request, &opened), AT_OK);
    ok("AT\r");
    ok("ATE0\r");
    query("AT+QICFG=\"viewmode\"\r", "+QICFG: \"viewmode\",0");
    query("AT+QICFG=\"dataformat\"\r", "+QICFG: \"dataformat\",0,0");
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    query("AT+QICFG=\"echomode\"\r", "+QICFG: \"echomode\",0");
    ok("AT+QISTATE?\r");
    ends(AT_E_UNKNOWN_SETTING);
    ck_assert_int_eq(bc26_qiopen_start(&t.client, &t.call, &open_request, &opened),
                     AT_E_UNKNOWN_SETTING);
    host_silent();
    struct bc26_qiopen request = open_request;
    request.has_local_port = request.has_access_mode = true;
    request.access_mode = 1;
    request.connect_id = 2;
    ck_assert_int_eq(bc26_qiopen_start(&t.client, &t.call, &request, &opened), AT_OK);
    host("AT+QIOPEN=1,2,\"TCP\",\"10.0.0.1\",80,0,1\r");
    ck_assert_uint_eq(t.settings[BC26_SETTING_ACCESS_MODE + 2], AT_UNKNOWN);
    says("OK"); /* acknowledged: now it counts */
    ck_assert_uint_eq(t.settings[BC26_SETTING_ACCESS_MODE + 2], 1);
    says("+QIOPEN: 2,0");
    ends(1);
    over();
}
END_TEST

/* Transactions ------------------------------------------------------------ */

START_TEST(a_response_and_its_ok)
{
    struct bc26_cmee_response answer = {7};
    synced(CHUNK);
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &t.call, &answer), AT_OK);
    host("AT+CMEE?\r");
    running();
    says("+CMEE: 1");
    running();
    says("OK");
    ends(1);
    ck_assert_int_eq(answer.cmee, 1);
    ck_assert_int_eq(t.call.error, -1);
    ck_assert_uint_eq(counters()->stray, 0);
    over();
}
END_TEST

START_TEST(errors_tell_their_code)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    says("ERROR");
    ends(AT_E_ERROR);
    ck_assert_int_eq(t.call.error, -1);
    start_cmee();
    host("AT+CMEE?\r");
    says("+CME ERROR: 50");
    ends(AT_E_ERROR);
    ck_assert_int_eq(t.call.error, 50);
    start_cmee();
    host("AT+CMEE?\r");
    says("+CME ERROR: Incorrect parameters");
    ends(AT_E_ERROR);
    ck_assert_int_eq(t.call.error, -1);
    cmee_works();
    over();
}
END_TEST

START_TEST(urcs_come_between_any_two_lines)
{
    struct bc26_cmee_response answer = {7};
    synced(CHUNK);
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &t.call, &answer), AT_OK);
    host("AT+CMEE?\r");
    says(CLOSED);
    says("+CMEE: 1");
    says("+QIURC: \"recv\",0");
    says("+CEREG: 5");
    says("OK");
    says(CLOSED);
    ends(1);
    ck_assert_int_eq(answer.cmee, 1);
    heard(HEARD_CLOSED);
    heard("urc recv: +QIURC: \"recv\",0");
    heard("unknown: +CEREG: 5");
    heard(HEARD_CLOSED);
    ck_assert_uint_eq(counters()->urcs, 3);
    ck_assert_uint_eq(counters()->unknown, 1);
    over();
}
END_TEST

START_TEST(terminators_are_whole_lines)
{
    synced(CHUNK);
    start_close();
    says("OKAY");
    says("+OK");
    says("E\xff\xb8ROR");
    running();
    says("OK");
    says("CLOSE OK!");
    running();
    says("CLOSE OK");
    ends(0);
    heard("unknown: OKAY");
    heard("unknown: +OK");
    heard("unknown: E\xff\xb8ROR");
    heard("unknown: CLOSE OK!");
    over();
}
END_TEST

START_TEST(lines_nobody_waits_for_are_dropped)
{
    synced(CHUNK);
    says("OK");
    says("ERROR");
    says("SEND OK");
    says("+CMEE: 1");
    module("\r\n> ");
    ck_assert_uint_eq(counters()->stray, 4); /* without a prompt to wait for, '>' is text */
    start_cmee();
    module("\r\n");
    heard("unknown: > ");
    host("AT+CMEE?\r");
    says("+QIGETERROR: 0,operation successful"); /* another command's line */
    says("+CMEE: 1");
    says("OK");
    ends(0);
    ck_assert_uint_eq(counters()->stray, 5);
    over();
}
END_TEST

START_TEST(results_nobody_waits_for_are_handed_over)
{
    synced(CHUNK);
    says("+QIOPEN: 0,0");
    heard("urc QIOPEN: +QIOPEN: 0,0");
    start_cmee();
    host("AT+CMEE?\r");
    says("+QNTP: 569");
    says("+CMEE: 1");
    says("OK");
    ends(0);
    heard("urc QNTP: +QNTP: 569");
    ck_assert_uint_eq(counters()->late, 0);
    over();
}
END_TEST

START_TEST(a_missing_line_is_told)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    says("OK");
    ends(AT_E_ANSWER);
    cmee_works();
    over();
}
END_TEST

START_TEST(a_line_too_many_is_told)
{
    struct bc26_cmee_response answer;
    synced(CHUNK);
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &t.call, &answer), AT_OK);
    host("AT+CMEE?\r");
    says("+CMEE: 1");
    says("+CMEE: 2");
    running();
    says("OK");
    ends(AT_E_ANSWER);
    ck_assert_int_eq(answer.cmee, 1);
    ck_assert_uint_eq(counters()->unstored, 1);
    over();
}
END_TEST

START_TEST(lines_beyond_the_room_are_told)
{
    struct bc26_qistate_response sockets[3];
    memset(sockets, 0x55, sizeof sockets);
    synced(CHUNK);
    ck_assert_int_eq(bc26_qistate_read_start(&t.client, &t.call, sockets, 2), AT_OK);
    host("AT+QISTATE?\r");
    says("+QISTATE: 0,\"TCP\",\"a.example\",80,0,2,1,0");
    says("+QISTATE: 1,\"UDP\",\"b.example\",80,0,2,1,0");
    says("+QISTATE: 2,\"TCP\",\"c.example\",80,0,2,1,0");
    says("OK");
    ends(AT_E_SPACE);
    ck_assert_uint_eq(t.call.sinks[0].count, 2);
    ck_assert_uint_eq(counters()->unstored, 1);
    ck_assert_int_eq(sockets[2].connect_id, 0x55555555);
    memset(t.window, '?', sizeof t.window); /* strings are in the text buffer */
    ck_assert_uint_eq(sockets[1].host.len, 9);
    ck_assert_mem_eq(sockets[1].host.ptr, "b.example", 9);
    ck_assert_mem_eq(sockets[0].service_type.ptr, "TCP", 3);
    over();
}
END_TEST

START_TEST(text_beyond_the_room_is_told)
{
    struct bc26_qistate_response sockets[2];
    synced(CHUNK);
    t.client.config.text_size = 14;
    ck_assert_int_eq(bc26_qistate_read_start(&t.client, &t.call, sockets, 2), AT_OK);
    host("AT+QISTATE?\r");
    says("+QISTATE: 0,\"TCP\",\"a.example\",80,0,2,1,0");
    says("+QISTATE: 1,\"UDP\",\"b.example\",80,0,2,1,0");
    running();
    says("OK");
    ends(AT_E_SPACE);
    ck_assert_uint_eq(sockets[0].host.len, 9);
    ck_assert_uint_eq(sockets[1].host.len, 0);
    ck_assert_ptr_null(sockets[1].host.ptr);
    ck_assert_int_eq(sockets[1].connect_id, 1);
    ck_assert_mem_eq(t.text, "TCPa.example\0", 13);
    ck_assert_int_eq(bc26_qistate_read_start(&t.client, &t.call, sockets, 2), AT_OK);
    host("AT+QISTATE?\r");
    says("+QISTATE: 2,\"UDP\",\"b.example\",80,0,2,1,0");
    says("OK");
    ends(1);
    ck_assert_ptr_eq(sockets[0].service_type.ptr, t.text); /* each command has all of it */
    over();
}
END_TEST

START_TEST(test_answers_are_texts)
{
    struct at_str texts[4];
    synced(CHUNK);
    ck_assert_int_eq(bc26_qicfg_test_start(&t.client, &t.call, texts, 4), AT_OK);
    host("AT+QICFG=?\r");
    says("+QICFG: \"dataformat\",(0,1),(0,1)");
    says("+QICFG: \"viewmode\",(0,1)");
    says("OK");
    ends(2);
    ck_assert_uint_eq(texts[1].len, 16);
    ck_assert_mem_eq(texts[1].ptr, "\"viewmode\",(0,1)", 16);
    over();
}
END_TEST

START_TEST(refused_arguments_send_nothing)
{
    struct bc26_qiclose request = {.connect_id = 9};
    synced(CHUNK);
    ck_assert_int_eq(bc26_qiclose_start(&t.client, &t.call, &request), AT_E_ARGUMENT);
    ck_assert_int_eq(t.call.fault.reason, AT_RANGE);
    ck_assert_str_eq(t.call.fault.param->name, "connectID");
    ck_assert(at_client_idle(&t.client));
    struct bc26_qisend_stream stream = {.data = {(const uint8_t *)"a\x1a", 2}};
    ck_assert_int_eq(bc26_qisend_stream_start(&t.client, &t.call, &stream), AT_E_ARGUMENT);
    ck_assert_int_eq(t.call.fault.reason, AT_UNSAFE);
    struct bc26_qisend_fixed fixed = {.send_length = 1};
    ck_assert_int_eq(bc26_qisend_fixed_start(&t.client, &t.call, &fixed), AT_E_ARGUMENT);
    ck_assert_int_eq(t.call.fault.reason, AT_MISSING);
    ck_assert_str_eq(t.call.fault.param->name, "data");
    fixed.data = (struct at_bytes){(const uint8_t *)"a", 1};
    at_call_prepare(&t.call, &bc26.forms[BC26_FORM_QISEND_FIXED], &fixed); /* and no `sending` */
    ck_assert_int_eq(at_client_start(&t.client, &t.call), AT_E_ARGUMENT);
    t.client.config.command_size = 8;
    ck_assert_int_eq(bc26_qiopen_start(&t.client, &t.call, &open_request, &opened), AT_E_SPACE);
    over();
}
END_TEST

START_TEST(refused_arguments_are_told_before_the_start_up)
{
    struct bc26_qiclose request = {.connect_id = 9};
    power_up(CHUNK);
    ck_assert_int_eq(bc26_qiclose_start(&t.client, &t.call, &request), AT_E_ARGUMENT);
    ck_assert(at_client_idle(&t.client));
    over();
}
END_TEST

START_TEST(a_barrier_needs_room_too)
{
    static const struct bc26_qisend_fixed request = {.send_length = 1};
    synced(CHUNK);
    t.client.config.command_size = 10;
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &t.call, NULL), AT_E_SPACE);
    ck_assert(at_client_idle(&t.client));
    t.client.config.command_size = sizeof t.command;
    ck_assert_int_eq(bc26_qisend_fixed_start(&t.client, &t.call, &request), AT_E_ARGUMENT);
    start_cmee();
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(one_command_at_a_time)
{
    struct at_call second = {0};
    synced(CHUNK);
    start_cmee();
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &second, NULL), AT_E_BUSY);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(overlong_lines_are_counted)
{
    char line[600];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    says(line);
    says("+CMEE: 1");
    says("OK");
    ends(0);
    ck_assert_uint_eq(counters()->overlong, 1);
    over();
}
END_TEST

static struct at_call chained;
static int chained_ended;

static void on_chained(void *ctx, struct at_call *call)
{
    (void)ctx;
    ck_assert_ptr_eq(call, &chained);
    chained_ended++;
}

static void start_chained(void *ctx, struct at_call *call)
{
    on_done(ctx, call);
    chained.done = on_chained;
    chained_ended = 0;
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &chained, NULL), AT_OK);
}

START_TEST(done_may_start_the_next_command)
{
    synced(CHUNK);
    t.call.done = start_chained;
    start_cmee();
    host("AT+CMEE?\r");
    module("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    host("AT+CMEE?\r");
    ck_assert_int_eq(t.ended, 1);
    ck_assert_int_eq(t.call.status, 0);
    t.ended = 0;
    module("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    ck_assert_int_eq(chained_ended, 1);
    ck_assert_int_eq(chained.status, 0);
    over();
}
END_TEST

START_TEST(done_may_start_the_next_command_after_a_timeout)
{
    synced(CHUNK);
    t.call.done = start_chained;
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ck_assert_int_eq(t.ended, 1);
    ck_assert_int_eq(t.call.status, AT_E_TIMEOUT);
    t.ended = 0;
    host("AT+QICFG=\"viewmode\"\r");
    module("\r\n+CMEE: 2\r\n\r\nOK\r\n\r\n+QICFG: \"viewmode\",0\r\n\r\nOK\r\n");
    host("AT+CMEE?\r");
    module("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    ck_assert_int_eq(chained_ended, 1);
    ck_assert_int_eq(chained.status, 0);
    over();
}
END_TEST

/* Payloads ---------------------------------------------------------------- */

START_TEST(a_payload_goes_to_the_caller)
{
    synced(CHUNK);
    start_read(sizeof read_data);
    module("\r\n+QIRD: 10\r\n");
    module_bytes("\r\nOK\r\n\0>+Q", 10);
    module("\r\n\r\nOK\r\n");
    ends(1);
    ck_assert_int_eq(read_header.actual_read_length, 10);
    ck_assert_uint_eq(t.call.data_len, 10);
    ck_assert_mem_eq(read_data, "\r\nOK\r\n\0>+Q", 10);
    ck_assert_uint_eq(counters()->payload_lost, 0);
    over();
}
END_TEST

START_TEST(what_finds_no_room_isnt_asked_for)
{
    static const struct bc26_qird request = {.read_length = 17};
    synced(CHUNK);
    ck_assert_int_eq(bc26_qird_start(&t.client, &t.call, &request, &read_header, read_data, 16),
                     AT_E_SPACE);
    ck_assert(at_client_idle(&t.client));
    over(); /* nothing was sent */
}
END_TEST

START_TEST(an_empty_buffer_brings_no_payload)
{
    synced(CHUNK);
    start_read(sizeof read_data);
    says("+QIRD: 0");
    says("OK");
    ends(1);
    ck_assert_uint_eq(t.call.data_len, 0);
    ck_assert_int_eq(read_header.actual_read_length, 0);
    over();
}
END_TEST

START_TEST(a_payload_behind_a_comma)
{
    static const struct modes modes = {.view = 1, .show = 1};
    synced_as(CHUNK, &modes);
    start_read(sizeof read_data);
    module("\r\n+QIRD: 5,2,2,\r\n!\r\n\r\nOK\r\n");
    ends(1);
    ck_assert_int_eq(read_header.remaining_length, 2);
    ck_assert_uint_eq(t.call.data_len, 5);
    ck_assert_mem_eq(read_data, "2,\r\n!", 5);
    over();
}
END_TEST

START_TEST(a_payload_in_hexadecimal)
{
    static const struct modes modes = {.recv_hex = 1};
    synced_as(CHUNK, &modes);
    start_read(5);
    module("\r\n+QIRD: 5\r\n004fFf0d0A\r\n\r\nOK\r\n");
    ends(1);
    ck_assert_uint_eq(t.call.data_len, 5);
    ck_assert_mem_eq(read_data, "\0O\xff\r\n", 5);
    over();
}
END_TEST

START_TEST(a_payload_is_read_where_it_belongs)
{
    static const struct modes modes = {.recv_hex = 1};
    size_t room;
    synced(CHUNK);
    start_read(sizeof read_data);
    module("\r\n+QIRD: 10\r\n012");
    ck_assert_ptr_eq(at_client_reserve(&t.client, &room), read_data + 3);
    ck_assert_uint_eq(room, 7);
    module("3456789\r\n\r\nOK\r\n");
    ends(1);
    ck_assert_mem_eq(read_data, "0123456789", 10);
    synced_as(CHUNK, &modes); /* digits can't be */
    start_read(sizeof read_data);
    module("\r\n+QIRD: 2\r\n3");
    uint8_t *to = at_client_reserve(&t.client, &room);
    ck_assert(to >= t.window && to < t.window + sizeof t.window);
    at_client_cancel(&t.client); /* between two digits of a byte */
    ends(AT_E_CANCELED);
    module("03f\r\n\r\nOK\r\n");
    start_cmee();
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    start_read(sizeof read_data);
    module("\r\n+QIRD: 2\r\n4142\r\n\r\nOK\r\n");
    ends(1);
    ck_assert_uint_eq(t.call.data_len, 2);
    ck_assert_mem_eq(read_data, "AB", 2);
    over();
}
END_TEST

START_TEST(a_payload_in_bad_hexadecimal)
{
    static const struct modes modes = {.recv_hex = 1};
    synced_as(CHUNK, &modes);
    start_read(5);
    module("\r\n+QIRD: 5\r\n004fxf0d0A\r\n\r\n");
    running();
    says("OK");
    ends(AT_E_ANSWER);
    ck_assert_uint_eq(t.call.data_len, 2);
    over();
}
END_TEST

START_TEST(a_payload_without_room)
{
    synced(CHUNK);
    memset(read_data, '?', sizeof read_data);
    start_read(9);
    module("\r\n+QIRD: 10\r\n0123456789\r\n");
    running();
    says("OK");
    ends(AT_E_SPACE);
    ck_assert_uint_eq(t.call.data_len, 0);
    ck_assert_mem_eq(read_data, "??????????", 10);
    ck_assert_uint_eq(counters()->payload_lost, 10);
    over();
}
END_TEST

START_TEST(a_urc_payload_is_handed_over)
{
    static const struct modes modes = {.access = 1};
    synced_as(CHUNK, &modes);
    start_cmee();
    host("AT+CMEE?\r");
    module("\r\n+QIURC: \"recv\",0,6\r\n\r\nOK\r\n\r\n");
    running();
    heard("urc recv: +QIURC: \"recv\",0,6");
    heard("payload recv: \r\nOK\r\n");
    says("+CMEE: 1");
    says("OK");
    ends(0);
    over();
}
END_TEST

START_TEST(a_urc_payload_nobody_takes_is_counted)
{
    static const struct modes modes = {.access = 1};
    synced_as(CHUNK, &modes);
    t.client.config.payload = NULL;
    t.client.config.urc = NULL;
    module("\r\n+QIURC: \"recv\",0,6\r\n\r\nOK\r\n\r\n");
    ck_assert_uint_eq(counters()->payload_lost, 6);
    ck_assert_uint_eq(counters()->urcs, 1);
    cmee_works();
    over();
}
END_TEST

START_TEST(a_payload_nobody_asked_for_is_dropped)
{
    static const struct modes modes = {.access = 1};
    synced_as(CHUNK, &modes);
    module("\r\n+QIURC: \"recv\",0,3\r\nabc\r\n");
    heard("urc recv: +QIURC: \"recv\",0,3");
    heard("payload recv: abc");
    module("\r\n+QIRD: 4\r\nOK\r\n\r\n");
    ck_assert_uint_eq(counters()->stray, 1);
    ck_assert_uint_eq(counters()->payload_lost, 4);
    cmee_works();
    over();
}
END_TEST

START_TEST(a_payload_keeps_the_deadline_away)
{
    synced(CHUNK);
    start_read(sizeof read_data);
    pass(ANSWER - 1);
    module("\r\n+QIRD: 3\r\n");
    for (int i = 0; i < 3; i++) {
        module("x");
        pass(ANSWER - 1);
        running();
    }
    says("OK");
    ends(1);
    ck_assert_mem_eq(read_data, "xxx", 3);
    over();
}
END_TEST

START_TEST(a_payload_cut_short_ends_nothing_else)
{
    synced(CHUNK);
    memset(read_data, '?', sizeof read_data);
    start_read(sizeof read_data);
    module("\r\n+QIRD: 10\r\n012"); /* the rest was lost on the line */
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    ck_assert_mem_eq(read_data, "012?", 4);
    module("\r\nOK\r\n");
    start_cmee();
    barrier();
    read_echo_mode(0);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_mem_eq(read_data, "012???????", 10); /* it isn't ours any more */
    over();
}
END_TEST

START_TEST(a_canceled_payload_isnt_written_any_more)
{
    synced(CHUNK);
    memset(read_data, '?', sizeof read_data);
    start_read(sizeof read_data);
    module("\r\n+QIRD: 10\r\n012");
    at_client_cancel(&t.client);
    ends(AT_E_CANCELED);
    module("3456789\r\n\r\nOK\r\n");
    ck_assert_mem_eq(read_data, "012???????", 10);
    ck_assert_uint_eq(counters()->payload_lost, 7);
    start_cmee();
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_slow_urc_payload_survives_a_timeout)
{
    static const struct modes modes = {.access = 1};
    synced_as(CHUNK, &modes);
    start_cmee();
    host("AT+CMEE?\r");
    module("\r\n+QIURC: \"recv\",0,8\r\n\r\nOK");
    pass(200);
    module("\r\n");
    pass(ANSWER - 200);
    ends(AT_E_TIMEOUT);
    heard("urc recv: +QIURC: \"recv\",0,8");
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r");
    module("\r\n"); /* still payload, and no line */
    module("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    heard("payload recv: \r\nOK\r\n\r\n");
    says("+QICFG: \"viewmode\",0");
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_dead_urc_payload_is_given_up)
{
    static const struct modes modes = {.access = 1};
    synced_as(CHUNK, &modes);
    module("\r\n+QIURC: \"recv\",0,99\r\n0123");
    heard("urc recv: +QIURC: \"recv\",0,99");
    pass(ANSWER);
    start_cmee();
    host("AT+CMEE?\r");
    module("\r\n+CMEE: 1\r\n\r\nOK\r\n"); /* taken for the payload */
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    barrier();
    read_echo_mode(0);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* Prompt and data --------------------------------------------------------- */

START_TEST(data_of_a_given_length)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    host_silent();
    module("\r\n> ");
    host("12345");
    says("> "); /* one prompt is enough */
    heard("unknown: > ");
    says("OK");
    running();
    says("SEND OK");
    ends(0);
    ck_assert_uint_eq(counters()->stray, 0);
    over();
}
END_TEST

START_TEST(a_prompt_before_the_command_is_nobodys)
{
    synced(CHUNK);
    t.room = 5;
    start_fixed("12345");
    host("AT+QI");
    module("\r\n> ");
    host_silent();
    ck_assert_uint_eq(counters()->stray, 1);
    t.room = SIZE_MAX;
    pass(1);
    host("SEND=0,5\r");
    module("\r\n> ");
    host("12345");
    module("\r\nOK\r\n\r\nSEND OK\r\n");
    ends(0);
    over();
}
END_TEST

START_TEST(the_prompt_begins_a_deadline)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    pass(ANSWER - 1);
    t.room = 0;
    module("\r\n> ");
    pass(ANSWER - 1);
    running();
    t.room = SIZE_MAX;
    pass(0);
    host("12345");
    pass(ANSWER - 1);
    running();
    module("\r\nOK\r\n\r\nSEND OK\r\n");
    ends(0);
    over();
}
END_TEST

START_TEST(prompts_of_all_shapes)
{
    static const char *const prompts[] = {">", "\r\n>", "\r\n> ", "\r\n>\r\n", "> \r\n"};
    synced(CHUNK);
    for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
        start_fixed("12345");
        host("AT+QISEND=0,5\r");
        module(prompts[i]);
        host("12345");
        module("\r\nOK\r\n\r\nSEND OK\r\n");
        ends(0);
    }
    over();
}
END_TEST

START_TEST(data_ended_by_a_byte)
{
    synced(CHUNK);
    start_stream("12345");
    host("AT+QISEND=0\r");
    says(CLOSED);
    module("\r\n> ");
    host("12345\x1a");
    says("OK");
    says(CLOSED);
    says("SEND OK");
    ends(0);
    heard(HEARD_CLOSED);
    heard(HEARD_CLOSED);
    over();
}
END_TEST

START_TEST(data_in_hexadecimal_go_piece_by_piece)
{
    static const struct modes modes = {.send_hex = 1};
    synced_as(CHUNK, &modes);
    t.client.config.command_size = 15; /* room for seven bytes */
    t.takes = 4;
    start_fixed("\x01J\xff hexadecimal");
    host("AT+QISEND=0,15\r");
    module("\r\n> ");
    host("014AFF2068657861646563696D616C");
    says("OK");
    says("SEND OK");
    ends(0);
    over();
}
END_TEST

START_TEST(echoed_data_are_no_lines)
{
    static const struct modes modes = {.echo = 1};
    synced_as(CHUNK, &modes);
    start_fixed("\r\nSEND OK\r\n");
    host("AT+QISEND=0,11\r");
    module("\r\n> ");
    host("\r\nSEND OK\r\n");
    module("\r\nSEND OK\r\n"); /* the echo */
    running();
    module("\r\nOK\r\n");
    running();
    says("SEND FAIL");
    ends(AT_E_FAIL);
    start_stream("\r\nERROR\r\n");
    host("AT+QISEND=0\r");
    module("\r\n> ");
    host("\r\nERROR\r\n\x1a");
    module("\r\nERROR\r\n\x1a");
    running();
    says("OK");
    says("SEND OK");
    ends(0);
    start_stream("abc");
    host("AT+QISEND=0\r");
    module("\r\n> ");
    host("abc\x1a");
    module("abc\x1a"); /* with the byte that ended it */
    says("OK");
    says("SEND OK");
    ends(0);
    over();
}
END_TEST

START_TEST(an_error_in_place_of_the_prompt)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    says("ERROR");
    ends(AT_E_ERROR);
    says("> "); /* is only text now */
    heard("unknown: > ");
    cmee_works();
    over();
}
END_TEST

START_TEST(an_ok_in_place_of_the_prompt)
{
    synced(CHUNK);
    start_stream("12345");
    host("AT+QISEND=0\r");
    says("OK");
    ends(AT_E_ANSWER);
    start_cmee();
    host("\x1b");
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(an_error_after_the_data)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    module("\r\n> ");
    host("12345");
    says("ERROR");
    ends(AT_E_ERROR);
    cmee_works();
    over();
}
END_TEST

START_TEST(an_error_amid_the_data)
{
    synced(CHUNK);
    t.room = 14 + 3;
    start_fixed("12345");
    module("\r\n> ");
    host("AT+QISEND=0,5\r123");
    says("ERROR"); /* the rest isn't sent: it would be a command */
    ends(AT_E_ERROR);
    t.room = SIZE_MAX;
    start_cmee();
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    t.room = 12 + 3;
    start_stream("12345");
    module("\r\n> ");
    host("AT+QISEND=0\r123");
    says("ERROR");
    ends(AT_E_ERROR);
    t.room = SIZE_MAX;
    start_cmee();
    barrier(); /* there is no data mode to cancel */
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_failed_send)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    module("\r\n> ");
    host("12345");
    module("\r\nOK\r\n\r\nSEND FAIL\r\n");
    ends(AT_E_FAIL);
    ck_assert_int_eq(t.call.error, -1);
    cmee_works();
    over();
}
END_TEST

START_TEST(a_send_without_its_ok)
{
    synced(CHUNK);
    for (int i = 0; i < 2; i++) {
        start_fixed("12345");
        host("AT+QISEND=0,5\r");
        module("\r\n> ");
        host("12345");
        says(i == 0 ? "SEND OK" : "SEND FAIL");
        ends(i == 0 ? AT_OK : AT_E_FAIL);
        start_cmee(); /* its OK may still come: it must not be taken for this one's */
        host("AT+QICFG=\"viewmode\"\r");
        says("OK");
        running();
        says("+QICFG: \"viewmode\",0");
        says("OK");
        query("AT+CMEE?\r", "+CMEE: 1");
        ends(0);
        ck_assert_uint_eq(counters()->late, (unsigned)i + 1u);
    }
    over();
}
END_TEST

START_TEST(an_ok_behind_its_send_ok)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    module("\r\n> ");
    host("12345");
    module("\r\nSEND OK\r\n\r\nOK\r\n");
    ends(0);
    ck_assert_uint_eq(counters()->stray, 1);
    cmee_works(); /* it came: no barrier is needed */
    over();
}
END_TEST

START_TEST(a_completion_before_the_prompt_is_another_ones)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    says("SEND OK");
    running();
    module("\r\n> ");
    host("12345");
    says("OK");
    running();
    says("SEND FAIL");
    ends(AT_E_FAIL);
    ck_assert_uint_eq(counters()->stray, 1);
    over();
}
END_TEST

START_TEST(inline_data_need_their_ok)
{
    static const struct bc26_qisend_inline request = {0, 3, {(const uint8_t *)"abc", 3}};
    synced(CHUNK);
    ck_assert_int_eq(bc26_qisend_inline_start(&t.client, &t.call, &request), AT_OK);
    host("AT+QISEND=0,3,abc\r");
    says("SEND FAIL");
    running();
    says("OK");
    running();
    says("SEND OK");
    ends(0);
    ck_assert_uint_eq(counters()->stray, 1);
    over();
}
END_TEST

/* Completions ------------------------------------------------------------- */

START_TEST(a_result_follows_the_ok)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    says("+QIOPEN: 3,566"); /* another socket's */
    says(CLOSED);
    running();
    says("+QIOPEN: 0,0");
    ends(1);
    ck_assert_int_eq(opened.connect_id, 0);
    ck_assert_int_eq(opened.err, 0);
    heard("urc QIOPEN: +QIOPEN: 3,566");
    heard(HEARD_CLOSED);
    over();
}
END_TEST

START_TEST(a_result_before_the_ok)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("+QIOPEN: 0,0");
    running();
    says("OK");
    ends(1);
    cmee_works();
    over();
}
END_TEST

START_TEST(a_failure_before_the_ok)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("+QIOPEN: 0,563");
    says("+QIOPEN: 0,0"); /* one is enough */
    says("OK");
    ends(AT_E_FAIL);
    ck_assert_int_eq(t.call.error, 563);
    ck_assert_int_eq(opened.err, 563);
    heard("urc QIOPEN: +QIOPEN: 0,0");
    over();
}
END_TEST

START_TEST(a_failed_result)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    says("+QIOPEN: 0,566");
    ends(AT_E_FAIL);
    ck_assert_int_eq(t.call.error, 566);
    ck_assert_int_eq(opened.err, 566);
    cmee_works();
    over();
}
END_TEST

START_TEST(close_fail_is_known)
{
    synced(CHUNK);
    start_close();
    says("OK");
    says("CLOSE FAIL");
    ends(AT_E_FAIL);
    start_close();
    module("\r\nOK\r\n\r\nCLOSE OK\r\n");
    ends(0);
    over();
}
END_TEST

static struct bc26_qping_result replies[6];
static struct bc26_qping_summary_result summary;

static void start_ping(void)
{
    static const struct bc26_qping request = {.context_id = 1, .host = {"a.example", 9}};
    ck_assert_int_eq(bc26_qping_start(&t.client, &t.call, &request, replies, 6, &summary), AT_OK);
    host("AT+QPING=1,\"a.example\"\r");
    says("OK");
    running();
}

START_TEST(ping_ends_with_its_summary)
{
    synced(CHUNK);
    start_ping();
    for (int i = 0; i < 4; i++) {
        says("+QPING: 0,\"47.100.63.174\",32,560,88");
        says(CLOSED);
        heard(HEARD_CLOSED);
    }
    running();
    says("+QPING: 0,4,4,0,220,560,322");
    ends(5);
    ck_assert_int_eq(replies[3].time, 560);
    ck_assert_int_eq(summary.avg, 322);
    over();
}
END_TEST

START_TEST(ping_without_a_reply)
{
    synced(CHUNK);
    start_ping();
    for (int i = 0; i < 4; i++) {
        says("+QPING: 569");
    }
    running();
    says("+QPING: 0,4,0,4");
    ends(5);
    ck_assert_int_eq(summary.lost, 4);
    start_ping();
    for (int i = 0; i < 4; i++) {
        says("+QPING: 569");
    }
    running();
    says("+QPING: 569"); /* in place of the summary */
    ends(5);
    over();
}
END_TEST

START_TEST(ping_of_nobody)
{
    synced(CHUNK);
    start_ping();
    says("+QPING: 565");
    ends(AT_E_FAIL);
    ck_assert_int_eq(t.call.error, 565);
    ck_assert_int_eq(replies[0].result, 565);
    start_ping();
    says("+QPING: 561");
    ends(AT_E_FAIL);
    ck_assert_int_eq(t.call.error, 561);
    cmee_works();
    over();
}
END_TEST

START_TEST(ping_ends_by_its_deadline)
{
    synced(CHUNK);
    start_ping();
    says("+QPING: 569");
    pass((4 + 1) * 1000 * 4 + LATENCY - 1);
    running();
    pass(1);
    ends(AT_E_TIMEOUT);
    ck_assert_uint_eq(t.call.sinks[0].count, 1);
    over();
}
END_TEST

START_TEST(deadlines_follow_the_request)
{
    static const struct bc26_qping request = {
        .context_id = 1, .host = {"a.example", 9}, .has_time_out = true, .time_out = 2,
        .has_ping_num = true, .ping_num = 1};
    synced(CHUNK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(bc26_qping_start(&t.client, &t.call, &request, replies, 6, &summary),
                         AT_OK);
        host("AT+QPING=1,\"a.example\",2,1\r");
        says("OK");
        if (i == 0) {
            says("+QPING: 569");
            running();
            says("+QPING: 569");
            ends(2);
        }
    }
    pass((2 + 1) * 1000 + LATENCY - 1);
    running();
    pass(1);
    ends(AT_E_TIMEOUT);
    over();
}
END_TEST

static struct bc26_dnsgip_urc resolved;
static struct bc26_dnsgip_address_urc addresses[4];

static void start_resolve(void)
{
    static const struct bc26_qidnsgip request = {1, {"a.example", 9}};
    ck_assert_int_eq(bc26_qidnsgip_start(&t.client, &t.call, &request, &resolved, addresses, 4),
                     AT_OK);
    host("AT+QIDNSGIP=1,\"a.example\"\r");
}

START_TEST(addresses_are_counted)
{
    synced(CHUNK);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",0,2,600");
    running();
    says(CLOSED);
    says("+QIURC: \"dnsgip\",\"1.1.1.1\"");
    running();
    says("+QIURC: \"dnsgip\",\"2001:db8::1\"");
    ends(3);
    ck_assert_int_eq(resolved.ip_count, 2);
    ck_assert_mem_eq(addresses[1].host_ip_addr.ptr, "2001:db8::1", 11);
    heard(HEARD_CLOSED);
    over();
}
END_TEST

START_TEST(a_name_that_doesnt_resolve)
{
    synced(CHUNK);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",565");
    ends(AT_E_FAIL);
    ck_assert_int_eq(t.call.error, 565);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",565,2,0"); /* whatever it announces */
    ends(AT_E_FAIL);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",0,0,0");
    ends(1);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",0");
    ends(1);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",\"1.1.1.1\""); /* of how many isn't said yet */
    running();
    says("+QIURC: \"dnsgip\",0,1,600");
    says("+QIURC: \"dnsgip\",\"1.1.1.2\"");
    ends(3);
    cmee_works();
    over();
}
END_TEST

START_TEST(a_count_from_the_wire_is_only_a_number)
{
    synced(CHUNK);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",0,-7,600");
    ends(1);
    start_resolve();
    says("OK");
    says("+QIURC: \"dnsgip\",0,2147483647,600");
    says("+QIURC: \"dnsgip\",\"1.1.1.1\"");
    running();
    at_client_cancel(&t.client);
    ends(AT_E_CANCELED);
    over();
}
END_TEST

START_TEST(urcs_complete_nothing_before_the_ok)
{
    synced(CHUNK);
    start_resolve();
    says("+QIURC: \"dnsgip\",565");
    running();
    heard("urc dnsgip: +QIURC: \"dnsgip\",565");
    says("OK");
    says("+QIURC: \"dnsgip\",0,1,600");
    says("+QIURC: \"dnsgip\",\"1.1.1.1\"");
    ends(2);
    says("+QIURC: \"dnsgip\",\"1.1.1.2\"");
    heard("urc dnsgip_address: +QIURC: \"dnsgip\",\"1.1.1.2\"");
    over();
}
END_TEST

START_TEST(a_time_comes_as_text)
{
    static const struct bc26_qntp request = {.context_id = 1, .server = {"a.example", 9}};
    struct bc26_qntp_result result;
    synced(CHUNK);
    ck_assert_int_eq(bc26_qntp_start(&t.client, &t.call, &request, &result), AT_OK);
    host("AT+QNTP=1,\"a.example\"\r");
    says("OK");
    says("+QNTP: 0,\"19/06/11,11:08:20:35+32\"");
    ends(1);
    ck_assert_mem_eq(result.time.ptr, "19/06/11,11:08:20:35+32", 23);
    over();
}
END_TEST

/* Timeouts and quarantine ------------------------------------------------- */

START_TEST(silence_ends_a_command)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER - 1);
    running();
    pass(1);
    ends(AT_E_TIMEOUT);
    ck_assert_uint_eq(counters()->timeouts, 1);
    host_silent(); /* nothing is sent before there is need */
    start_cmee();
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    cmee_works();
    over();
}
END_TEST

START_TEST(poll_says_when)
{
    synced(CHUNK);
    ck_assert_uint_eq(at_client_poll(&t.client), UINT32_MAX);
    start_cmee();
    host("AT+CMEE?\r");
    ck_assert_uint_eq(at_client_poll(&t.client), ANSWER);
    t.clock += 100;
    ck_assert_uint_eq(at_client_poll(&t.client), ANSWER - 100);
    t.clock += 1000;
    ck_assert_uint_eq(at_client_poll(&t.client), UINT32_MAX);
    ends(AT_E_TIMEOUT);
    over();
}
END_TEST

START_TEST(late_lines_are_discarded_and_urcs_are_not)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    says("OK");
    says(CLOSED);
    heard(HEARD_CLOSED);
    says("+QIOPEN: 0,0");
    heard("urc QIOPEN: +QIOPEN: 0,0");
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r");
    says(CLOSED);
    heard(HEARD_CLOSED);
    says("SEND OK");
    says("+CMEE: 2");
    says("OK");
    says("ERROR");
    says("+QICFG: \"viewmode\",0");
    says("SEND OK");
    says(CLOSED);
    heard(HEARD_CLOSED);
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->late, 7);
    ck_assert_uint_eq(counters()->stray, 0);
    over();
}
END_TEST

START_TEST(a_barrier_that_fails_is_followed_by_another)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r");
    pass(ANSWER);
    host("AT+QICFG=\"showlength\"\r");
    says("+QICFG: \"viewmode\",0"); /* the first one's, late */
    says("OK");
    running();
    says("+QICFG: \"showlength\",0");
    says("ERROR");
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->barriers, 1 + 3);
    over();
}
END_TEST

START_TEST(a_barrier_isnt_what_was_just_asked)
{
    synced(CHUNK);
    struct bc26_qicfg_viewmode request = {0};
    ck_assert_int_eq(bc26_qicfg_viewmode_start(&t.client, &t.call, &request, NULL), AT_OK);
    host("AT+QICFG=\"viewmode\"\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("AT+QICFG=\"showlength\"\r");
    says("+QICFG: \"viewmode\",0");
    says("OK");
    running();
    says("+QICFG: \"showlength\",0");
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(when_all_barriers_failed_silence_is_waited_for)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    fail_all_barriers();
    host_silent();
    running();
    pass(REST);
    host("\x1b"); /* it might be in data mode */
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* The module was busy, and answers all that it was asked meanwhile. */
START_TEST(the_last_barrier_may_be_answered_late)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    fail_all_barriers();
    pass(REST - LATENCY - 1);
    says("+CMEE: 1");
    says("OK");
    says("+QICFG: \"viewmode\",0");
    says("OK");
    says("+QICFG: \"showlength\",0");
    says("OK");
    says("+QICFG: \"dataformat\",0,0");
    says("OK");
    host_silent(); /* the last is still missing */
    says("+QIGETERROR: 0,ok");
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_module_that_never_answers_is_lost)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    fail_all_barriers();
    running();
    pass(REST);
    host("\x1b" "AT+QICFG=\"viewmode\"\r");
    pass(ANSWER);
    ends(AT_E_LOST);
    start_cmee(); /* still in quarantine */
    host("\x1b" "AT+QICFG=\"showlength\"\r");
    says("OK");
    running();
    says("+QICFG: \"showlength\",0");
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_chattering_module_is_lost)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    fail_all_barriers();
    says("OK");
    pass(REST);
    host("\x1b" "AT+QICFG=\"viewmode\"\r");
    says("OK");
    pass(ANSWER);
    ends(AT_E_LOST); /* no more tries */
    over();
}
END_TEST

START_TEST(a_canceled_command_may_still_answer)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    at_client_cancel(&t.client);
    ends(AT_E_CANCELED);
    at_client_cancel(&t.client); /* nothing to cancel */
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r");
    says("+CMEE: 1");
    says("OK");
    running();
    at_client_cancel(&t.client); /* amid the barrier: it is not to be used again at once */
    ends(AT_E_CANCELED);
    start_cmee();
    host("AT+QICFG=\"showlength\"\r");
    says("+QICFG: \"viewmode\",0");
    says("OK");
    running();
    says("+QICFG: \"showlength\",0");
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(an_owed_result_completes_nothing)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    pass(60000 + LATENCY);
    ends(AT_E_TIMEOUT);
    start_open(0);
    barrier();
    host(open_0);
    says("+QIOPEN: 0,566"); /* the first one's */
    running();
    heard("urc QIOPEN: +QIOPEN: 0,566");
    ck_assert_uint_eq(counters()->late, 1);
    says("OK");
    running();
    says("+QIOPEN: 0,0");
    ends(1);
    ck_assert_int_eq(opened.err, 0);
    over();
}
END_TEST

START_TEST(an_owed_result_is_paid_once)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    pass(60000 + LATENCY);
    ends(AT_E_TIMEOUT);
    says("+QIOPEN: 3,0"); /* not this one */
    says("+QIOPEN: 0,566");
    heard("urc QIOPEN: +QIOPEN: 3,0");
    heard("urc QIOPEN: +QIOPEN: 0,566");
    ck_assert_uint_eq(counters()->late, 1);
    start_open(0);
    barrier();
    host(open_0);
    says("+QIOPEN: 0,0"); /* so this is ours */
    says("OK");
    ends(1);
    over();
}
END_TEST

START_TEST(every_owed_result_is_remembered)
{
    static const struct bc26_qisend_inline request = {0, 3, {(const uint8_t *)"abc", 3}};
    char line[] = "+QIOPEN: 0,566";
    synced(CHUNK);
    for (int id = 0; id < 2; id++) {
        start_open(id);
        t.nread = t.nsent;
        pass(ANSWER);
        ends(AT_E_TIMEOUT);
        start_cmee();
        barrier();
        query("AT+CMEE?\r", "+CMEE: 1");
        ends(0);
    }
    ck_assert_int_eq(bc26_qisend_inline_start(&t.client, &t.call, &request), AT_OK);
    host("AT+QISEND=0,3,abc\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    for (int id = 0; id < 2; id++) {
        start_open(id);
        if (id == 0) {
            barrier();
        }
        t.nread = t.nsent;
        line[9] = (char)('0' + id);
        says(line);
        running();
        says("OK");
        running();
        says("+QIOPEN: 3,0");
        line[11] = '0';
        line[12] = '\0';
        says(line);
        ends(1);
        line[11] = line[12] = '5';
    }
    ck_assert_uint_eq(counters()->late, 2);
    t.nheard = 0;
    t.heard[0] = '\0';
    over();
}
END_TEST

START_TEST(acceptance_settles_a_debt)
{
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    pass(60000 + LATENCY);
    ends(AT_E_TIMEOUT);
    start_open(0);
    barrier();
    host(open_0);
    says("OK");
    says("+QIOPEN: 0,0");
    ends(1);
    start_open(0);
    host(open_0);
    says("+QIOPEN: 0,563"); /* nothing is owed any more */
    says("OK");
    ends(AT_E_FAIL);
    over();
}
END_TEST

START_TEST(a_set_without_answer_leaves_the_setting_unknown)
{
    static const struct bc26_qicfg_showlength request = {true, 1};
    static const struct bc26_qiswtmd mode = {2, 1};
    synced(CHUNK);
    ck_assert_int_eq(bc26_qicfg_showlength_start(&t.client, &t.call, &request, NULL), AT_OK);
    host("AT+QICFG=\"showlength\",1\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    ck_assert_uint_eq(t.settings[BC26_SETTING_SHOW_LENGTH], AT_UNKNOWN);
    ck_assert_uint_eq(t.settings[BC26_SETTING_VIEW_MODE], 0);
    start_cmee();
    barrier();
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",1");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_int_eq(bc26_qiswtmd_start(&t.client, &t.call, &mode), AT_OK);
    host("AT+QISWTMD=2,1\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    barrier();
    query("AT+QISTATE?\r", "+QISTATE: 2,\"TCP\",\"10.0.0.1\",80,0,2,1,1");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(t.settings[BC26_SETTING_ACCESS_MODE + 2], 1);
    ck_assert_uint_eq(t.settings[BC26_SETTING_ACCESS_MODE + 1], 0);
    over();
}
END_TEST

START_TEST(a_refused_set_changes_nothing)
{
    static const struct bc26_qicfg_showlength request = {true, 1};
    synced(CHUNK);
    ck_assert_int_eq(bc26_qicfg_showlength_start(&t.client, &t.call, &request, NULL), AT_OK);
    host("AT+QICFG=\"showlength\",1\r");
    says("ERROR");
    ends(AT_E_ERROR);
    ck_assert_uint_eq(t.settings[BC26_SETTING_SHOW_LENGTH], 0);
    ck_assert_int_eq(bc26_qicfg_showlength_start(&t.client, &t.call, &request, NULL), AT_OK);
    host("AT+QICFG=\"showlength\",1\r");
    says("OK");
    ends(0);
    ck_assert_uint_eq(t.settings[BC26_SETTING_SHOW_LENGTH], 1);
    over();
}
END_TEST

/* Leaving data mode ------------------------------------------------------- */

START_TEST(data_that_can_be_canceled_are)
{
    synced(CHUNK);
    start_stream("12345");
    host("AT+QISEND=0\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("\x1b");
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->filler, 1);
    start_cmee();
    host("AT+CMEE?\r");
    says("> "); /* no prompt is late any more */
    heard("unknown: > ");
    says("+CMEE: 1");
    says("OK");
    ends(0);
    over();
}
END_TEST

START_TEST(a_late_prompt_is_canceled)
{
    synced(CHUNK);
    start_stream("12345");
    host("AT+QISEND=0\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("\x1b" "AT+QICFG=\"viewmode\"\r");
    module("\r\n> ");
    host("\x1b");
    pass(ANSWER);
    host("\x1b");
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_late_prompt_for_a_length_is_filled)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    host_silent();
    module("\r\n> "); /* now it waits for five bytes, and nothing can stop it */
    host("\x1b\x1b\x1b\x1b\x1b");
    says("OK");
    says("SEND OK");
    start_cmee();
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->filler, 5);
    ck_assert_uint_eq(counters()->late, 2);
    over();
}
END_TEST

START_TEST(a_lost_prompt_is_found_out)
{
    static const struct modes modes = {.send_hex = 1};
    synced_as(CHUNK, &modes);
    start_fixed("123");
    host("AT+QISEND=0,3\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r"); /* swallowed as data */
    pass(ANSWER);
    host("\x1b\x1b\x1b\x1b\x1b\x1b");
    host("AT+QICFG=\"showlength\"\r");
    pass(ANSWER);
    query("AT+QICFG=\"dataformat\"\r", "+QICFG: \"dataformat\",1,0"); /* filled only once */
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(data_cut_short_are_filled)
{
    static const struct modes modes = {.send_hex = 1};
    for (int hex = 0; hex < 2; hex++) {
        static const struct modes plain;
        synced_as(CHUNK, hex ? &modes : &plain);
        t.room = 14 + 3;
        start_fixed("12345");
        module("\r\n> ");
        host("AT+QISEND=0,5\r");
        host(hex ? "313" : "123");
        pass(ANSWER);
        ends(AT_E_TIMEOUT);
        t.room = SIZE_MAX;
        pass(1);
        host_silent();
        start_cmee();
        host(hex ? "\x1b\x1b\x1b\x1b\x1b\x1b\x1b" : "\x1b\x1b");
        barrier();
        query("AT+CMEE?\r", "+CMEE: 1");
        ends(0);
    }
    over();
}
END_TEST

/* The byte that ends the data was lost on the line. */
START_TEST(data_mode_is_left_when_the_end_was_lost)
{
    synced(CHUNK);
    start_stream("12345");
    host("AT+QISEND=0\r");
    module("\r\n> ");
    host("12345\x1a");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("\x1b");
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* It answered, or so it seemed, and waits for data. */
START_TEST(a_data_mode_that_isnt_known_of_is_left_at_last)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    says("ERROR"); /* a stranger's; and the prompt was lost */
    ends(AT_E_ERROR);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    fail_all_barriers();
    pass(REST);
    ck_assert_uint_eq(counters()->filler, 1460);
    t.nread += 1460;
    barrier();
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* The length arrived as another: 5 as 55, say. */
START_TEST(data_mode_is_left_when_more_was_understood)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    module("\r\n> ");
    host("12345");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    host("AT+QICFG=\"viewmode\"\r"); /* taken for data */
    pass(ANSWER);
    t.nread += 1460; /* as many as may be asked for */
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->filler, 1460);
    over();
}
END_TEST

START_TEST(data_mode_is_left_before_a_start_up_too)
{
    static const struct modes commas = {.access = 1, .view = 1};
    static const struct modes push = {.access = 1};
    synced_as(CHUNK, &commas);
    start_stream("12345");
    host("AT+QISEND=0\r");
    module("\r\n+QIURC: \"recv\",0,6\r\n"); /* no comma: the settings are wrong */
    ends(AT_E_LOST);
    heard("unknown: +QIURC: \"recv\",0,6");
    pass(QUIET);
    start_cmee();
    host("\x1b");
    ok("AT\r");
    host("\x1b");
    ok("ATE0\r");
    host("\x1b");
    read_settings(&push);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(an_echo_that_never_comes_swallows_no_answer)
{
    static const struct modes modes = {.echo = 1};
    synced_as(CHUNK, &modes);
    start_fixed("0123456789012345678901234567890123456789");
    host("AT+QISEND=0,40\r");
    module("\r\n> ");
    host("0123456789012345678901234567890123456789");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    barrier();
    read_echo_mode(0);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(an_echo_that_doesnt_come_swallows_no_second_answer)
{
    static const struct modes modes = {.echo = 1};
    synced_as(CHUNK, &modes);
    start_fixed("0123456789012345678901234567890123456789");
    host("AT+QISEND=0,40\r");
    module("\r\n> ");
    host("0123456789012345678901234567890123456789");
    says("OK"); /* the module doesn't echo after all */
    says("SEND OK");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    start_cmee();
    barrier();
    read_echo_mode(0);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* Restarts ---------------------------------------------------------------- */

START_TEST(a_restart_ends_the_command)
{
    static const struct modes plain;
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    module("\n\rF1: 0000 0000\n\rV0: 0000 0000\n\rLeaving the BROM\n\r");
    ends(AT_E_REBOOT);
    says("RDY");
    ck_assert_uint_eq(counters()->reboots, 1);
    for (int i = 0; i < bc26.nslots; i++) {
        ck_assert_uint_eq(t.settings[i], AT_UNKNOWN);
    }
    heard("unknown: F1: 0000 0000");
    heard("unknown: V0: 0000 0000");
    heard("unknown: Leaving the BROM");
    heard("unknown: RDY");
    host_silent();
    start_cmee();
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    ck_assert_uint_eq(counters()->resyncs, 2);
    over();
}
END_TEST

START_TEST(a_restart_between_commands)
{
    static const struct modes plain;
    synced(CHUNK);
    says("RDYX");
    says("RD");
    cmee_works();
    says("RDY");
    start_cmee();
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    heard("unknown: RDYX");
    heard("unknown: RD");
    heard("unknown: RDY");
    ck_assert_uint_eq(counters()->reboots, 1);
    over();
}
END_TEST

START_TEST(a_banner_while_waking_up)
{
    static const struct modes plain;
    power_up(CHUNK);
    start_cmee();
    host("AT\r");
    says("RDY");
    running();
    pass(ANSWER);
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    heard("unknown: RDY");
    ck_assert_uint_eq(counters()->reboots, 0);
    over();
}
END_TEST

START_TEST(a_restart_amid_the_start_up)
{
    static const struct modes plain;
    power_up(CHUNK);
    start_up_to_echomode();
    says("RDY");
    ends(AT_E_REBOOT);
    heard("unknown: RDY");
    start_cmee();
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_restart_stops_the_filler)
{
    synced(CHUNK);
    t.room = 14 + 3;
    start_fixed("12345");
    module("\r\n> ");
    host("AT+QISEND=0,5\r123");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    t.room = 1;
    start_cmee();
    host("\x1b");
    says("RDY");
    ends(AT_E_REBOOT);
    heard("unknown: RDY");
    t.room = SIZE_MAX;
    start_cmee();
    host("AT\r");
    over();
}
END_TEST

START_TEST(a_restart_settles_all_debts)
{
    static const struct modes plain;
    synced(CHUNK);
    start_open(0);
    host(open_0);
    says("OK");
    pass(60000 + LATENCY);
    ends(AT_E_TIMEOUT);
    says("RDY");
    heard("unknown: RDY");
    start_open(0);
    start_up(&plain);
    host(open_0);
    says("+QIOPEN: 0,0");
    says("OK");
    ends(1);
    over();
}
END_TEST

START_TEST(a_restart_ends_data_mode)
{
    struct bc26_qigeterror_response answer;
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    says("RDY");
    heard("unknown: RDY");
    ck_assert_int_eq(bc26_qigeterror_execute_start(&t.client, &t.call, &answer), AT_OK);
    barrier(); /* what was sent behind the restart may be answered */
    query("AT+QIGETERROR\r", "+QIGETERROR: 0,ok");
    ends(1);
    over();
}
END_TEST

START_TEST(a_comma_where_a_line_ends_proves_settings_wrong)
{
    static const struct modes plain;
    synced_as(CHUNK, &plain);
    start_read(sizeof read_data);
    /* view mode 1, by now, and a payload that begins with a CR */
    module("\r\n+QIRD: 10,\rx\r\nOK\r\n1\r\n");
    ends(AT_E_LOST);
    heard("unknown: +QIRD: 10,\rx");
    heard("unknown: 1");
    ck_assert_uint_eq(t.settings[BC26_SETTING_VIEW_MODE], AT_UNKNOWN);
    over();
}
END_TEST

START_TEST(a_header_that_fits_no_settings_proves_them_wrong)
{
    static const struct modes push = {.access = 1};
    static const struct modes commas = {.access = 1, .view = 1};
    synced_as(CHUNK, &commas);
    start_close();
    /* no comma: it has view mode 0, by now */
    module("\r\n+QIURC: \"recv\",0,6\r\n\r\nOK\r\n\r\n");
    ends(AT_E_LOST); /* that OK is payload, and none is to be trusted */
    heard("unknown: +QIURC: \"recv\",0,6");
    ck_assert_uint_eq(t.settings[BC26_SETTING_VIEW_MODE], AT_UNKNOWN);
    pass(QUIET);
    start_cmee();
    start_up(&push);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_header_that_fits_no_settings_means_quarantine)
{
    static const struct modes commas = {.access = 1, .view = 1};
    struct bc26_qigeterror_response answer;
    synced_as(CHUNK, &commas);
    module("\r\n+QIURC: \"recv\",0,6\r\n");
    heard("unknown: +QIURC: \"recv\",0,6");
    pass(QUIET);
    ck_assert_int_eq(bc26_qigeterror_execute_start(&t.client, &t.call, &answer), AT_OK);
    barrier(); /* though it could be sent at any time */
    query("AT+QIGETERROR\r", "+QIGETERROR: 0,ok");
    ends(1);
    over();
}
END_TEST

/* Settings were known, and are others: what follows the header is payload. */
START_TEST(a_payload_that_fits_no_settings_forges_nothing)
{
    static const struct modes commas = {.access = 1, .view = 1};
    synced_as(CHUNK, &commas);
    module("\r\n+QIURC: \"recv\",0,98\r\n+QIURC: \"closed\",0\r\n+QIOPEN: 0,0\r\n+QICFG: \"viewmode\",1\r\n");
    heard("unknown: +QIURC: \"recv\",0,98");
    heard_nothing();
    over();
}
END_TEST

/* The mode may have changed, though its OK is still to come. */
START_TEST(what_is_pushed_before_the_ok_forges_nothing)
{
    static const struct modes shown = {.show = 1};
    static const struct bc26_qiswtmd push = {.connect_id = 1, .access_mode = BC26_ACCESS_MODE_PUSH};
    synced_as(CHUNK, &shown);
    ck_assert_int_eq(bc26_qiswtmd_start(&t.client, &t.call, &push), AT_OK);
    host("AT+QISWTMD=1,1\r");
    says("+QIURC: \"recv\",0,9"); /* another socket's, and a notice as ever */
    heard("urc recv: +QIURC: \"recv\",0,9");
    running();
    module("\r\n+QIURC: \"recv\",1,36\r\n+QIURC: \"closed\",0\r\n+QIOPEN: 0,0\r\n\r\n");
    ends(AT_E_LOST);
    heard_nothing();
    ck_assert_uint_eq(t.settings[BC26_SETTING_ACCESS_MODE + 1], AT_UNKNOWN);
    over();
}
END_TEST

/* A stranger's header mustn't have the stream count what comes behind the stranger's data. */
START_TEST(a_forged_header_counts_nothing)
{
    static const struct modes push = {.access = 1};
    static const struct bc26_qiswtmd buffer = {.connect_id = 1, .access_mode = BC26_ACCESS_MODE_BUFFER};
    synced_as(CHUNK, &push);
    ck_assert_int_eq(bc26_qiswtmd_start(&t.client, &t.call, &buffer), AT_OK);
    host("AT+QISWTMD=1,0\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT); /* so the mode of 1 is unknown, and that of 0 is known */
    module("\r\n+QIURC: \"recv\",1,25\r\n+QIURC: \"recv\",0,1500\r\n\r\n");
    heard("unknown: +QIURC: \"recv\",1,25");
    pass(QUIET);
    says(CLOSED);
    heard(HEARD_CLOSED);
    over();
}
END_TEST

/* What was set before the settings were read doesn't survive a restart either. */
START_TEST(a_restart_while_waking_up_forgets_what_was_set)
{
    struct bc26_qicfg_echomode echo = {.has_echo_mode = true, .echo_mode = BC26_ECHO_MODE_ON};
    power_up(CHUNK);
    ck_assert_int_eq(bc26_qicfg_echomode_start(&t.client, &t.call, &echo, NULL), AT_OK);
    ok("AT+QICFG=\"echomode\",1\r");
    ends(0);
    ck_assert_uint_eq(t.settings[BC26_SETTING_ECHO_MODE], 1);
    start_open(0);
    host("AT\r");
    says("RDY");
    heard("unknown: RDY");
    running();
    ck_assert_uint_eq(t.settings[BC26_SETTING_ECHO_MODE], AT_UNKNOWN);
    over();
}
END_TEST

START_TEST(what_was_sent_is_answered_after_a_restart_too)
{
    struct bc26_qigeterror_response answer;
    struct bc26_qicfg_viewmode request = {0};
    synced(CHUNK);
    ck_assert_int_eq(bc26_qicfg_viewmode_start(&t.client, &t.call, &request, NULL), AT_OK);
    host("AT+QICFG=\"viewmode\"\r");
    says("RDY");
    ends(AT_E_REBOOT);
    heard("unknown: RDY");
    ck_assert_int_eq(bc26_qigeterror_execute_start(&t.client, &t.call, &answer), AT_OK);
    host("AT+QICFG=\"showlength\"\r");
    says("+QICFG: \"viewmode\",0");
    says("OK");
    running();
    says("+QICFG: \"showlength\",0");
    says("OK");
    query("AT+QIGETERROR\r", "+QIGETERROR: 0,ok");
    ends(1);
    over();
}
END_TEST

/* While settings are unknown a stranger's payload is scanned as lines. */
START_TEST(a_payload_forges_nothing_while_settings_are_unknown)
{
    power_up(CHUNK);
    start_cmee();
    ok("AT\r");
    ok("ATE0\r");
    host("AT+QICFG=\"viewmode\"\r");
    module("\r\n+QIURC: \"recv\",0,98\r\n+QICFG: \"viewmode\",1\r\nOK\r\n"
           "+QICFG: \"dataformat\",1,1\r\n+QIURC: \"closed\",0\r\nRDY\r\n> \r\n+QIOPEN: 0,0\r\n\r\n");
    running();
    says("+QICFG: \"viewmode\",0"); /* no telling it from the stranger's */
    says("OK");
    heard("unknown: +QIURC: \"recv\",0,98");
    heard("unknown: RDY");
    heard("unknown: > ");
    running();
    ck_assert_uint_eq(t.settings[BC26_SETTING_VIEW_MODE], AT_UNKNOWN);
    ck_assert_uint_eq(t.settings[BC26_SETTING_SEND_DATA_FORMAT], AT_UNKNOWN);
    ck_assert_uint_eq(counters()->reboots, 0);
    pass(ANSWER);
    query("AT+QICFG=\"showlength\"\r", "+QICFG: \"showlength\",0"); /* the barrier */
    query("AT+QICFG=\"dataformat\"\r", "+QICFG: \"dataformat\",0,0");
    query("AT+QICFG=\"viewmode\"\r", "+QICFG: \"viewmode\",0");
    host("AT+QICFG=\"echomode\"\r");
    running();
    over();
}
END_TEST

START_TEST(nothing_counts_until_the_line_was_quiet)
{
    static const struct bc26_qicfg_showlength request = {true, 1};
    static const struct modes push = {.access = 1};
    synced_as(CHUNK, &push);
    module("\r\n+QIURC: \"recv\",0,3\r\nabc\r\n");
    heard("urc recv: +QIURC: \"recv\",0,3");
    heard("payload recv: abc");
    ck_assert_int_eq(bc26_qicfg_showlength_start(&t.client, &t.call, &request, NULL), AT_OK);
    host("AT+QICFG=\"showlength\",1\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    says("+QIRD: 3,4"); /* with payload, perhaps */
    heard("unknown: +QIRD: 3,4");
    module("\r\n+QIURC: \"recv\",0,3\r\nabc\r\n");
    heard("unknown: abc"); /* who knows whether it is its payload */
    ck_assert_uint_eq(counters()->late, 1);
    pass(200);
    says(CLOSED);
    pass(299);
    says(CLOSED);
    ck_assert_uint_eq(counters()->late, 3);
    heard_nothing();
    pass(300);
    says(CLOSED);
    heard(HEARD_CLOSED);
    over();
}
END_TEST

START_TEST(a_reset_forgets_everything)
{
    static const struct modes plain;
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    module("\r\n+CM");
    at_client_reset(&t.client);
    ends(AT_E_REBOOT);
    ck_assert_uint_eq(counters()->reboots, 0);
    start_cmee();
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* A command that needs no settings needs a barrier all the same: what the module was asked
 * before it may still answer. */
START_TEST(nothing_late_answers_after_a_reset)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    at_client_reset(&t.client);
    ends(AT_E_REBOOT);
    at_call_prepare(&t.call, &bc26.forms[BC26_FORM_AT_EXECUTE], NULL);
    ck_assert_int_eq(at_client_start(&t.client, &t.call), AT_OK);
    host("AT+QICFG=\"viewmode\"\r");
    says("+CMEE: 1");
    says("OK");
    running();
    says("+QICFG: \"viewmode\",0");
    says("OK");
    ok("AT\r");
    ends(0);
    over();
}
END_TEST

/* The banner was on its way when the command was sent, and the module reads it once it's up. */
START_TEST(a_restarted_module_may_read_the_command)
{
    static const struct modes plain;
    for (int given_up = 0; given_up < 2; given_up++) {
        synced(CHUNK);
        start_fixed("12345");
        host("AT+QISEND=0,5\r");
        if (given_up != 0) {
            at_client_cancel(&t.client);
            ends(AT_E_CANCELED);
        }
        module("\r\nRDY\r\n");
        if (given_up == 0) {
            ends(AT_E_REBOOT);
        }
        heard("unknown: RDY");
        module("\r\n> ");
        host("\x1b\x1b\x1b\x1b\x1b");
        start_cmee();
        start_up(&plain);
        query("AT+CMEE?\r", "+CMEE: 1");
        ends(0);
        over();
    }
}
END_TEST

/* The port ---------------------------------------------------------------- */

START_TEST(a_slow_port_is_fed_again)
{
    synced(CHUNK);
    t.takes = 3;
    t.room = 5;
    start_cmee();
    host("AT+CM");
    says("OK"); /* nobody can have answered yet */
    running();
    ck_assert_uint_eq(counters()->stray, 1);
    for (int i = 0; i < 4; i++) {
        t.room = 1;
        pass(ANSWER - 1); /* each byte starts the deadline anew */
    }
    host("EE?\r");
    running();
    says("+CMEE: 1");
    says("OK");
    ends(0);
    over();
}
END_TEST

START_TEST(a_stalled_port_is_a_timeout)
{
    synced(CHUNK);
    t.room = 5;
    start_cmee();
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    host("AT+CM");
    ck_assert_int_eq(bc26_cmee_read_start(&t.client, &t.call, NULL), AT_E_BUSY);
    host_silent();
    ck_assert_uint_lt(at_client_poll(&t.client), 10);
    t.room = SIZE_MAX;
    start_cmee();
    host("EE?\r"); /* half a command would spoil the next */
    host("AT+QICFG=\"viewmode\"\r");
    says("+CMEE: 1");
    says("OK");
    says("+QICFG: \"viewmode\",0");
    says("OK");
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

START_TEST(a_port_that_stalls_in_a_barrier)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    t.room = 3;
    start_cmee();
    host("AT+");
    pass(ANSWER * 2 + 1);
    running();
    t.room = SIZE_MAX;
    pass(1);
    host("QICFG=\"viewmode\"\r"); /* the same one: its buffer isn't free before */
    t.room = 0;
    says("+QICFG: \"viewmode\",0");
    says("OK");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    t.room = SIZE_MAX;
    pass(1);
    host_silent(); /* nothing of it was sent, so nothing is to be completed */
    cmee_works();
    over();
}
END_TEST

START_TEST(a_port_that_stays_stalled_is_lost)
{
    synced(CHUNK);
    start_cmee();
    host("AT+CMEE?\r");
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    t.room = 3;
    start_cmee();
    pass(ANSWER * 5);
    ends(AT_E_LOST);
    host("AT+");
    over();
}
END_TEST

START_TEST(a_broken_port_ends_the_command)
{
    synced(CHUNK);
    t.broken = true;
    start_cmee();
    running(); /* `done` is never called from at_client_start */
    pass(0);
    ends(AT_E_PORT);
    t.broken = false;
    cmee_works(); /* nothing had been sent */
    t.room = 3;
    start_cmee();
    t.broken = true;
    pass(0);
    ends(AT_E_PORT);
    t.broken = false;
    t.room = SIZE_MAX;
    at_client_reset(&t.client);
    start_cmee();
    host("AT+AT\r");
    over();
}
END_TEST

/* What was to fill up data that were given up never left; the module waits for it still. */
START_TEST(filler_outlives_the_port)
{
    static const struct modes plain;
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    at_client_cancel(&t.client);
    ends(AT_E_CANCELED);
    t.broken = true;
    module("\r\n> ");
    at_client_reset(&t.client);
    t.broken = false;
    start_cmee();
    host("AT\r");
    pass(ANSWER);
    host("\x1b\x1b\x1b\x1b\x1b");
    start_up(&plain);
    query("AT+CMEE?\r", "+CMEE: 1");
    ends(0);
    over();
}
END_TEST

/* The module may be waiting for data still when the port comes back, and nobody knows for
 * how many: those that were written need not have arrived. */
START_TEST(data_mode_outlives_the_port)
{
    static const char *const sent[] = {"AT+QISEND=0,5\r", "AT+QISEND=0,5\r123",
                                       "AT+QISEND=0,5\r12345"};
    static const struct modes plain;
    for (unsigned i = 0; i < 6; i++) {
        synced(CHUNK);
        t.room = strlen(sent[i / 2]);
        start_fixed("12345");
        module("\r\n> ");
        host(sent[i / 2]);
        if (i % 2 == 0 && i < 4) { /* later there is nothing to write that could fail */
            t.broken = true;
            pass(0);
            ends(AT_E_PORT);
            t.broken = false;
        }
        at_client_reset(&t.client);
        t.room = SIZE_MAX;
        t.ended = 0;
        start_cmee();
        host("AT\r"); /* that may be all that is needed */
        pass(ANSWER);
        host("\x1b\x1b\x1b\x1b\x1b");
        start_up(&plain);
        query("AT+CMEE?\r", "+CMEE: 1");
        ends(0);
        start_cmee(); /* that's over */
        query("AT+CMEE?\r", "+CMEE: 1");
        ends(0);
        ck_assert_uint_eq(counters()->filler, 5);
        over();
    }
}
END_TEST

START_TEST(a_port_that_breaks_before_the_data)
{
    synced(CHUNK);
    start_fixed("12345");
    host("AT+QISEND=0,5\r");
    t.broken = true;
    module("\r\n> ");
    running();
    pass(1);
    ends(AT_E_PORT);
    over();
}
END_TEST

/* Whatever memory held: no line is stored that the command doesn't have. */
START_TEST(a_prepared_call_has_all_its_sinks)
{
    struct at_call call;
    uint64_t request[8] = {0};
    memset(&call, 0xa5, sizeof call);
    at_call_prepare(&call, &bc26.forms[BC26_FORM_CMEE_READ], request);
    ck_assert_uint_eq(call.sinks[0].record, bc26.forms[BC26_FORM_CMEE_READ].responses[0].record);
    ck_assert_uint_eq(call.sinks[1].record, AT_NONE);
    ck_assert_uint_eq(call.sinks[0].max, 1);
    ck_assert_uint_eq(call.sinks[1].max, 1);
}
END_TEST

START_TEST(unusable_configurations)
{
    struct at_client client;
    struct at_client_config config;
    power_up(CHUNK);
    config = t.config;
    config.write = NULL;
    ck_assert_int_eq(at_client_init(&client, &config), AT_E_ARGUMENT);
    config = t.config;
    config.window_size = 63;
    ck_assert_int_eq(at_client_init(&client, &config), AT_E_SPACE);
    config = t.config;
    config.command_size = 7;
    ck_assert_int_eq(at_client_init(&client, &config), AT_E_SPACE);
    config.command_size = 8;
    ck_assert_int_eq(at_client_init(&client, &config), AT_OK);
    config = t.config;
    config.text = NULL; /* whatever its size */
    ck_assert_int_eq(at_client_init(&client, &config), AT_OK);
    ck_assert_uint_eq(client.config.text_size, 0);
    ck_assert_int_eq(bc26_at_execute(&t.client), AT_E_ARGUMENT); /* without `read` */
}
END_TEST

/* Blocking calls ---------------------------------------------------------- */

/* A module that answers from a table; reading takes time only when it is silent. */
static const struct {
    const char *command;
    const char *answer;
} answers[] = {
    {"AT\r", "\r\nOK\r\n"},
    {"ATE0\r", "\r\nOK\r\n"},
    {"AT+QICFG=\"viewmode\"\r", "\r\n+QICFG: \"viewmode\",0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"dataformat\"\r", "\r\n+QICFG: \"dataformat\",0,0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"showlength\"\r", "\r\n+QICFG: \"showlength\",0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"echomode\"\r", "\r\nERROR\r\n"},
    {"AT+QISTATE?\r", "\r\nOK\r\n"},
    {"AT+QIRD=0,16\r", "\r\n+QIRD: 4\r\nabcd\r\n\r\nOK\r\n"},
    {"AT+QISEND=0,4\r", "\r\n> "},
    {"abcd", "\r\nOK\r\n\r\nSEND OK\r\n"},
    {"AT+QIGETERROR\r", ""},
};

static const char *pending;

static int port_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        size_t len = strlen(answers[i].command);
        if (t.nsent - t.nread == len && memcmp(t.sent + t.nread, answers[i].command, len) == 0) {
            t.nread += len;
            pending = answers[i].answer;
        }
    }
    if (t.deaf) {
        return -1;
    }
    size_t len = strlen(pending);
    if (len == 0) {
        ck_assert_uint_lt(wait_ms, UINT32_MAX);
        t.clock += wait_ms;
        return 0;
    }
    n = n < len ? n : len;
    n = n < t.chunk ? n : t.chunk;
    memcpy(data, pending, n);
    pending += n;
    return (int)n;
}

START_TEST(blocking_calls)
{
    static const struct bc26_qird read_request = {.read_length = 16};
    static const struct bc26_qisend_fixed send_request = {0, 4, {(const uint8_t *)"abcd", 4}};
    power_up(CHUNK);
    pending = "";
    t.client.config.read = port_read;
    ck_assert_int_eq(at_client_sync(&t.client), AT_OK);
    uint32_t commands = counters()->commands;
    ck_assert_int_eq(at_client_sync(&t.client), AT_OK); /* already done */
    ck_assert_uint_eq(counters()->commands, commands);
    ck_assert_int_eq(bc26_qird(&t.client, &read_request, &read_header, read_data, 16), 1);
    ck_assert_mem_eq(read_data, "abcd", 4);
    ck_assert_int_eq(bc26_qisend_fixed(&t.client, &send_request), 0);
    struct bc26_qisend_fixed wrong = send_request;
    wrong.send_length = 5;
    ck_assert_int_eq(bc26_qisend_fixed(&t.client, &wrong), AT_E_ARGUMENT);
    ck_assert_int_eq(t.client.fault.reason, AT_MISMATCH);
    uint32_t began = t.clock;
    ck_assert_int_eq(bc26_qigeterror_execute(&t.client, NULL), AT_E_TIMEOUT);
    ck_assert_uint_eq(t.clock - began, ANSWER);
    t.deaf = true;
    ck_assert_int_eq(bc26_at_execute(&t.client), AT_E_PORT);
    ck_assert(at_client_idle(&t.client));
    t.deaf = false;
    t.broken = true;
    ck_assert_int_eq(bc26_at_execute(&t.client), AT_E_PORT);
    t.nread = t.nsent;
    over();
}
END_TEST

START_TEST(sync_without_a_module)
{
    power_up(CHUNK);
    pending = "";
    t.client.config.read = port_read;
    t.takes = 0;
    ck_assert_int_eq(at_client_sync(&t.client), AT_E_LOST);
    over();
}
END_TEST

/* Any form ---------------------------------------------------------------- */

/* A value that a line or a request may hold. */
static void fill_member(const struct at_param *param, void *member)
{
    switch (param->kind->type) {
    case AT_LITERAL:
        break;
    case AT_INT: {
        int32_t value = param->kind->supported != INT32_MIN ? param->kind->supported
                        : param->kind->min == INT32_MIN     ? 0
                                                      : param->kind->min;
        *(int32_t *)member = value;
        break;
    }
    case AT_UINT:
        *(uint32_t *)member = 0;
        break;
    case AT_CHOICE:
        *(int32_t *)member = 0;
        break;
    case AT_DATA:
    case AT_HEX:
        *(struct at_bytes *)member = bytes("x");
        break;
    default:
        *(struct at_str *)member = str(param->kind->max < 8 ? "TCP" : "10.0.0.1");
    }
}

static void fill(const struct at_field *fields, uint8_t n, bool options, void *out, size_t size)
{
    memset(out, 0, size);
    for (uint8_t i = 0; i < n; i++) {
        char *at = out;
        if (fields[i].has != 0) {
            *(bool *)(at + fields[i].offset - fields[i].has) = options;
        }
        if (fields[i].has == 0 || options) {
            fill_member(&bc26.params[fields[i].param], at + fields[i].offset);
        }
    }
}

static const struct at_record *record_of(uint16_t id)
{
    for (uint16_t i = 0; i < bc26.nrecords; i++) {
        if (bc26.records[i].id == id) {
            return &bc26.records[i];
        }
    }
    ck_abort_msg("no record %u", id);
}

/* The last number of a late line tells it from the one that is waited for -
 * unless it is a setting, which the late line would truly tell. */
static void make_different(const struct at_record *record, void *value)
{
    if (record->rare->neffects > 0 || record->rare->payload != NULL) {
        return;
    }
    for (uint8_t i = record->nfields; i > 0; i--) {
        const struct at_field *field = &record->fields[i - 1];
        const struct at_param *param = &bc26.params[field->param];
        int32_t *member = (int32_t *)(void *)((char *)value + field->offset);
        if (param->kind->type == AT_INT && param->kind->supported == INT32_MIN &&
            *member < (int32_t)param->kind->max) {
            *member += 1;
            return;
        }
    }
}

static const char *line_of(uint16_t id, bool late)
{
    static char line[200];
    static uint64_t value[32];
    const struct at_record *record = record_of(id);
    /* with all that is optional, but for what settings decide: they are all 0 */
    fill(record->fields, record->nfields, record->rare->payload == NULL, value, sizeof value);
    if (record->kind == AT_KIND_TEST) {
        struct at_str *text = (struct at_str *)(void *)value;
        *text = str(late ? "(0-9)" : "(0-1)");
    } else if (late) {
        make_different(record, value);
    }
    if (record->rare->payload != NULL) {
        for (uint8_t i = 0; i < record->nfields; i++) {
            if (record->fields[i].param == record->rare->payload->length) {
                *(int32_t *)(void *)((char *)value + record->fields[i].offset) = 1;
            }
        }
    }
    int len = at_record_encode(&bc26, record, value, line, sizeof line - 4, NULL);
    ck_assert_int_gt(len, 0);
    strcpy(line + len, record->rare->payload == NULL ? "" : late ? "\r\ny" : "\r\nx");
    return line;
}

static void say_responses(const struct at_form *form, bool late)
{
    for (uint8_t i = 0; i < form->nresponses; i++) {
        says(line_of(form->responses[i].record, late));
    }
}

/* One line each, and of the final ones that which succeeds. */
static void say_completions(const struct at_form *form, bool late)
{
    for (uint8_t i = 0; i < form->rare->nthen && (late || !at_client_idle(&t.client)); i++) {
        if (record_of(form->rare->then[i].record)->outcome != AT_OUTCOME_FAIL || late) {
            says(line_of(form->rare->then[i].record, late));
        }
    }
}

static int start_form(const struct at_form *form, bool options)
{
    static uint64_t request[64];
    static uint64_t items[AT_SINKS_MAX][2][32];
    unsigned n = 0;
    fill(form->fields, form->nfields, options, request, sizeof request);
    t.call.form = form;
    t.call.sending = &at_sending;
    t.call.request = request;
    t.call.data = read_data;
    t.call.data_size = sizeof read_data;
    memset(t.call.sinks, 0, sizeof t.call.sinks);
    for (uint8_t i = 0; i < form->nresponses && n < AT_SINKS_MAX; i++, n++) {
        t.call.sinks[n].record = form->responses[i].record;
    }
    for (uint8_t i = 0; i < form->rare->nthen && n < AT_SINKS_MAX; i++) {
        if (record_of(form->rare->then[i].record)->kind != AT_KIND_FINAL) {
            t.call.sinks[n++].record = form->rare->then[i].record;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        t.call.sinks[i].items = items[i];
        t.call.sinks[i].max = 1;
    }
    return at_client_start(&t.client, &t.call);
}

/* The items are those of the lines that were said for this command. */
static void check_items(void)
{
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        const struct at_sink *sink = &t.call.sinks[i];
        if (sink->items != NULL && sink->count > 0) {
            char line[200];
            const struct at_record *record = record_of(sink->record);
            int len = at_record_encode(&bc26, record, sink->items, line, sizeof line, NULL);
            const char *expected = line_of(sink->record, false);
            ck_assert_int_gt(len, 0);
            ck_assert_mem_eq(line, expected, (size_t)len);
        }
    }
}

static bool host_sent(const struct at_form *form, bool options)
{
    uint64_t request[64];
    char line[200];
    fill(form->fields, form->nfields, options, request, sizeof request);
    int len = at_form_encode(&bc26, form, t.settings, request, line, sizeof line, NULL);
    if (len < 0 || t.nsent - t.nread < (size_t)len ||
        memcmp(t.sent + t.nread, line, (size_t)len) != 0) {
        return false;
    }
    t.nread += (size_t)len;
    return true;
}

/* One of the client's own queries; answered here if it isn't the barrier. */
static const struct at_form *own_query(void)
{
    for (uint16_t i = 0; i < bc26.nforms; i++) {
        if ((bc26.forms[i].flags & AT_ANY_TIME) != 0 && host_sent(&bc26.forms[i], false)) {
            return &bc26.forms[i];
        }
    }
    return NULL;
}

static bool is_barrier(const struct at_form *form)
{
    for (uint8_t i = 0; i < bc26.nbarrier; i++) {
        if (bc26.barrier[i] == form->id) {
            return true;
        }
    }
    return false;
}

static unsigned ngaps;

static void gap(void)
{
    says(CLOSED);
    ngaps++;
}

enum order { BEFORE, BEFORE_BARRIER, AMID_BARRIER, BEFORE_ANSWER, BEFORE_OK, ORDERS };

/* What of the first command's answer comes when. Its OK can't come behind the
 * barrier's line: the module answers in turn. What completes it can. */
static void say_late(const struct at_form *form, enum order now, enum order order)
{
    gap();
    if (now == (order < BEFORE_BARRIER ? BEFORE : BEFORE_BARRIER)) {
        if (form->rare->data != NULL && form->rare->data->prompt != 0) {
            module("\r\n> ");
            t.nread = t.nsent; /* whatever brings it out of data mode */
        } else {
            say_responses(form, true);
        }
        gap();
        says("OK");
    }
    if (now == order) {
        say_completions(form, true);
    }
    gap();
}

static void pass_barrier(const struct at_form *first, enum order order)
{
    while (t.nsent > t.nread && t.sent[t.nread] == '\x1b') {
        t.nread++;
    }
    const struct at_form *query = own_query();
    ck_assert_ptr_nonnull(query);
    ck_assert(is_barrier(query));
    say_late(first, BEFORE_BARRIER, order);
    running();
    host_silent();
    say_responses(query, false);
    say_late(first, AMID_BARRIER, order);
    running();
    host_silent();
    says("OK");
}

/* The second command, answered. */
static void answer(const struct at_form *form, bool options, const struct at_form *first,
                   enum order order)
{
    while ((form->flags & AT_ANY_TIME) == 0 && !host_sent(form, options)) {
        const struct at_form *query = own_query();
        ck_assert_ptr_nonnull(query);
        say_responses(query, false);
        says("OK");
    }
    if ((form->flags & AT_ANY_TIME) != 0) {
        ck_assert(host_sent(form, options));
    }
    host_silent();
    say_late(first, BEFORE_ANSWER, order);
    running();
    if (form->rare->data != NULL && form->rare->data->prompt != 0) {
        module("\r\n> ");
        host(form->rare->data->until >= 0 ? "x\x1a" : "x");
    }
    say_responses(form, false);
    if (form->rare->data == NULL || form->rare->data->prompt == 0) {
        say_late(first, BEFORE_OK, order);
    }
    running();
    says("OK");
    say_completions(form, false);
    int lines = 0;
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        lines += t.call.sinks[i].count;
    }
    ends(lines);
    ck_assert_int_ge(lines, form->nresponses);
    check_items();
}

/* The answer to the first command comes while the second is under way. */
static void late_answer(const struct at_form *first, const struct at_form *second, bool options,
                        enum order order)
{
    ngaps = 0;
    if (start_form(first, options) != AT_OK || !host_sent(first, options)) {
        ck_abort_msg("%s.%s isn't sent", first->command, first->name);
    }
    pass(ANSWER);
    ends(AT_E_TIMEOUT);
    if (order == BEFORE) {
        say_late(first, BEFORE, order);
    }
    ck_assert_int_eq(start_form(second, options), AT_OK);
    pass_barrier(first, order);
    answer(second, options, first, order);
    ck_assert_uint_eq(counters()->unknown, 0);
    unsigned closed = 0;
    for (const char *at = t.heard; (at = strstr(at, HEARD_CLOSED)) != NULL; at++) {
        closed++;
    }
    ck_assert_uint_eq(closed, ngaps);
    t.nheard = 0;
    t.heard[0] = '\0';
}

START_TEST(late_answers_satisfy_no_other_command)
{
    const struct at_form *first = &bc26.forms[(size_t)_i % bc26.nforms];
    const size_t size = sizeof t;
    void *fresh = malloc(size);
    ck_assert_ptr_nonnull(fresh);
    synced(chunks[(size_t)_i / bc26.nforms]);
    memcpy(fresh, &t, size);
    for (uint16_t i = 0; i < bc26.nforms; i++) {
        for (int order = BEFORE; order < ORDERS; order++) {
            for (int options = 0; options < 2; options++) {
                memcpy(&t, fresh, size);
                late_answer(first, &bc26.forms[i], options != 0, (enum order)order);
            }
        }
    }
    free(fresh);
}
END_TEST

/* Whatever the form: nothing comes, it ends in time, and the next one works. */
START_TEST(every_form_ends_in_time)
{
    const struct at_form *form = &bc26.forms[_i];
    char name[64];
    snprintf(name, sizeof name, "%s.%s", form->command, form->name);
    covers("form", name, "client: silence, a late answer, a refusal, recovery");
    synced(1);
    ck_assert_int_eq(start_form(form, false), AT_OK);
    ck_assert(host_sent(form, false));
    pass(form->rare->response_ms + LATENCY - 1u);
    running();
    pass(1);
    ends(AT_E_TIMEOUT);
    ck_assert_int_eq(start_form(form, false), AT_OK);
    while (t.nsent > t.nread && t.sent[t.nread] == '\x1b') {
        t.nread++;
    }
    const struct at_form *query = own_query();
    ck_assert_ptr_nonnull(query);
    say_responses(query, false);
    says("OK");
    answer(form, false, form, BEFORE);
}
END_TEST

START_TEST(every_form_can_be_refused)
{
    const struct at_form *form = &bc26.forms[_i];
    synced(1);
    ck_assert_int_eq(start_form(form, false), AT_OK);
    ck_assert(host_sent(form, false));
    says("+CME ERROR: 3");
    ends(AT_E_ERROR);
    ck_assert_int_eq(t.call.error, 3);
    cmee_works();
    over();
}
END_TEST

/* A module that answers whatever it is asked, until the command has ended: which barrier is
 * asked depends on those that were never answered. */
static void answer_all(void)
{
    static const char *const known[][2] = {
        {"AT", NULL}, {"ATE0", NULL}, {"AT+CMEE?", "+CMEE: 1"},
        {"AT+QIGETERROR", "+QIGETERROR: 0,operate successfully"},
        {"AT+QICFG=\"viewmode\"", "+QICFG: \"viewmode\",0"},
        {"AT+QICFG=\"dataformat\"", "+QICFG: \"dataformat\",0,0"},
        {"AT+QICFG=\"showlength\"", "+QICFG: \"showlength\",0"},
        {"AT+QICFG=\"echomode\"", "+QICFG: \"echomode\",0"},
        {"AT+QISTATE?", "+QISTATE: 0,\"TCP\",\"10.0.0.1\",80,0,2,1,1"}};
    for (int tries = 0; tries < 100 && t.ended == 0; tries++) {
        const char *from = (const char *)t.sent + t.nread;
        const char *end = memchr(from, '\r', t.nsent - t.nread);
        unsigned i = 0;
        if (end == NULL) {
            pass(100);
            continue;
        }
        while (from < end && strncmp(from, "AT", 2) != 0) { /* in case it was in data mode */
            from++;
        }
        size_t n = (size_t)(end - from);
        while (i < sizeof known / sizeof *known &&
               (strlen(known[i][0]) != n || memcmp(known[i][0], from, n) != 0)) {
            i++;
        }
        ck_assert_uint_lt(i, sizeof known / sizeof *known);
        t.nread += (size_t)(end + 1 - ((const char *)t.sent + t.nread));
        if (known[i][1] != NULL) {
            says(known[i][1]);
        }
        says("OK");
    }
}

/* Garbage: whatever comes, the client stays within its deadlines and recovers. */
START_TEST(noise_is_survived)
{
    static const char *const pieces[] = {
        "\r\n", "OK", "ERROR", "SEND OK", "> ", ">", "+QIRD: 4", "+QIOPEN: 0,0", "RDY", "\xff",
        "+QIURC: \"recv\",0,3\r\n", "+QIURC: \"dnsgip\",", "AT", "+CMEE: 1", "+QICFG: \"viewmode\",",
        "1", "0", ",", "\"", "CLOSE OK", "+QISTATE: ", "F1: 0000 0000", "x"};
    unsigned seed = (unsigned)_i;
    static const struct modes push = {.access = 1};
    synced_as(chunks[(unsigned)_i % NCHUNKS], &push);
    for (int i = 0; i < 300; i++) {
        seed = seed * 1103515245u + 12345u;
        if (at_client_idle(&t.client)) {
            t.nread = t.nsent = 0;
            (void)start_form(&bc26.forms[seed / 65536u % bc26.nforms], (seed & 1024u) != 0);
        }
        t.ended = 0;
        t.nheard = 0;
        seed = seed * 1103515245u + 12345u;
        module(pieces[seed / 65536u % (sizeof pieces / sizeof pieces[0])]);
        if (seed % 7u == 0) {
            pass(seed / 65536u % 500u);
        }
    }
    pass(3 * 60000 + 10000);
    ck_assert(at_client_idle(&t.client));
    module("\r\n\r\n");
    at_client_reset(&t.client);
    t.ended = 0;
    t.nheard = 0;
    t.heard[0] = '\0';
    t.nread = t.nsent;
    start_cmee();
    answer_all();
    ends(0);
    over();
}
END_TEST

/* ------------------------------------------------------------------------- */

static TCase *add(Suite *suite, const char *name, const TTest *const *list, size_t n, int loops)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < n; i++) {
        tcase_add_loop_test(tcase, list[i], 0, loops);
    }
    suite_add_tcase(suite, tcase);
    return tcase;
}

#define ADD(suite, name, loops, ...)                                                     \
    do {                                                                                 \
        const TTest *const list[] = {__VA_ARGS__};                                       \
        (void)add(suite, name, list, sizeof list / sizeof list[0], loops);               \
    } while (0)

int main(void)
{
    Suite *suite = suite_create("client");
    ADD(suite, "start-up", NCHUNKS, first_command_reads_the_settings,
        start_up_survives_echo_and_urcs, wake_is_repeated_until_answered,
        late_answers_to_the_wake_shift_nothing, a_dead_module_is_given_up,
        any_time_commands_need_no_start_up, a_refused_query_may_mean_a_value,
        a_refused_query_may_be_the_end, a_lost_query_is_repeated_behind_a_barrier,
        every_step_has_its_tries, a_module_may_lack_wake_start_and_barrier, start_up_is_bounded,
        settings_that_stay_unknown_must_be_given);
    ADD(suite, "transactions", NCHUNKS, a_response_and_its_ok, errors_tell_their_code,
        urcs_come_between_any_two_lines, terminators_are_whole_lines,
        lines_nobody_waits_for_are_dropped, results_nobody_waits_for_are_handed_over,
        a_missing_line_is_told, a_line_too_many_is_told, lines_beyond_the_room_are_told,
        text_beyond_the_room_is_told, test_answers_are_texts, refused_arguments_send_nothing,
        refused_arguments_are_told_before_the_start_up, a_barrier_needs_room_too,
        one_command_at_a_time, overlong_lines_are_counted, done_may_start_the_next_command,
        done_may_start_the_next_command_after_a_timeout);
    ADD(suite, "payloads", NCHUNKS, a_payload_goes_to_the_caller,
        what_finds_no_room_isnt_asked_for, an_empty_buffer_brings_no_payload,
        a_payload_behind_a_comma, a_payload_in_hexadecimal, a_payload_is_read_where_it_belongs,
        a_payload_in_bad_hexadecimal, a_payload_without_room, a_urc_payload_is_handed_over,
        a_urc_payload_nobody_takes_is_counted, a_payload_nobody_asked_for_is_dropped,
        a_payload_keeps_the_deadline_away, a_payload_cut_short_ends_nothing_else,
        a_canceled_payload_isnt_written_any_more, a_slow_urc_payload_survives_a_timeout,
        a_dead_urc_payload_is_given_up);
    ADD(suite, "prompt and data", NCHUNKS, data_of_a_given_length,
        a_prompt_before_the_command_is_nobodys, the_prompt_begins_a_deadline,
        prompts_of_all_shapes, data_ended_by_a_byte, data_in_hexadecimal_go_piece_by_piece,
        echoed_data_are_no_lines, an_error_in_place_of_the_prompt, an_ok_in_place_of_the_prompt,
        an_error_after_the_data, an_error_amid_the_data, a_failed_send, a_send_without_its_ok,
        an_ok_behind_its_send_ok, a_completion_before_the_prompt_is_another_ones,
        inline_data_need_their_ok);
    ADD(suite, "completions", NCHUNKS, a_result_follows_the_ok, a_result_before_the_ok,
        a_failure_before_the_ok, a_failed_result, close_fail_is_known,
        ping_ends_with_its_summary, ping_without_a_reply, ping_of_nobody,
        ping_ends_by_its_deadline, deadlines_follow_the_request, addresses_are_counted,
        a_name_that_doesnt_resolve, a_count_from_the_wire_is_only_a_number,
        urcs_complete_nothing_before_the_ok, a_time_comes_as_text);
    ADD(suite, "quarantine", NCHUNKS, silence_ends_a_command, poll_says_when,
        late_lines_are_discarded_and_urcs_are_not, a_barrier_that_fails_is_followed_by_another,
        a_barrier_isnt_what_was_just_asked, when_all_barriers_failed_silence_is_waited_for,
        the_last_barrier_may_be_answered_late, a_module_that_never_answers_is_lost,
        a_chattering_module_is_lost, a_canceled_command_may_still_answer,
        an_owed_result_completes_nothing, an_owed_result_is_paid_once,
        every_owed_result_is_remembered, acceptance_settles_a_debt,
        a_set_without_answer_leaves_the_setting_unknown, a_refused_set_changes_nothing);
    ADD(suite, "data mode", NCHUNKS, data_that_can_be_canceled_are, a_late_prompt_is_canceled,
        a_late_prompt_for_a_length_is_filled, a_lost_prompt_is_found_out,
        data_cut_short_are_filled, an_echo_that_never_comes_swallows_no_answer,
        data_mode_is_left_when_the_end_was_lost,
        data_mode_is_left_when_more_was_understood,
        a_data_mode_that_isnt_known_of_is_left_at_last, data_mode_is_left_before_a_start_up_too,
        an_echo_that_doesnt_come_swallows_no_second_answer);
    ADD(suite, "restarts", NCHUNKS, a_restart_ends_the_command, a_restart_between_commands,
        a_banner_while_waking_up, a_restart_amid_the_start_up, a_restart_stops_the_filler,
        a_restart_settles_all_debts, a_restart_ends_data_mode,
        a_comma_where_a_line_ends_proves_settings_wrong,
        a_header_that_fits_no_settings_proves_them_wrong,
        a_header_that_fits_no_settings_means_quarantine,
        a_payload_that_fits_no_settings_forges_nothing, what_is_pushed_before_the_ok_forges_nothing,
        what_was_sent_is_answered_after_a_restart_too,
        a_restart_while_waking_up_forgets_what_was_set, a_forged_header_counts_nothing,
        a_payload_forges_nothing_while_settings_are_unknown,
        nothing_counts_until_the_line_was_quiet, a_reset_forgets_everything,
        nothing_late_answers_after_a_reset, a_restarted_module_may_read_the_command);
    ADD(suite, "port", NCHUNKS, a_slow_port_is_fed_again, a_stalled_port_is_a_timeout,
        a_port_that_stalls_in_a_barrier, a_port_that_stays_stalled_is_lost,
        a_broken_port_ends_the_command, filler_outlives_the_port, data_mode_outlives_the_port,
        a_port_that_breaks_before_the_data,
        unusable_configurations, a_prepared_call_has_all_its_sinks, blocking_calls, sync_without_a_module);
    ADD(suite, "every form", bc26.nforms, every_form_ends_in_time, every_form_can_be_refused);
    ADD(suite, "every two forms", 2 * bc26.nforms, late_answers_satisfy_no_other_command);
    ADD(suite, "noise", 500, noise_is_survived);
    SRunner *runner = srunner_create(suite);
    if (getenv("CK_FORK") == NULL) { /* thousands of short dialogues, each from scratch */
        srunner_set_fork_status(runner, CK_NOFORK);
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * Every typed function of the generated header, against the descriptors: it sends what its form
 * encodes, stores where it was told, and reads the lines it is called after and no others.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "at/at.h"
#include "bc26.h"
#include "unit/members.h"

enum { DATA = 512 };

/* What each call takes: a request, and where its answers go. */
#define FORMS(X) \
    X(PLAIN, at_execute, AT_EXECUTE) \
    X(PLAIN, ate0_execute, ATE0_EXECUTE) \
    X(PLAIN, ate1_execute, ATE1_EXECUTE) \
    X(ASK, cmee_test, CMEE_TEST) \
    X(ASK, cmee_read, CMEE_READ) \
    X(SET, cmee, CMEE) \
    X(ASK, ati_execute, ATI_EXECUTE) \
    X(ASK, qiopen_test, QIOPEN_TEST) \
    X(SET_ASK, qiopen, QIOPEN) \
    X(ASK, qiclose_test, QICLOSE_TEST) \
    X(SET, qiclose, QICLOSE) \
    X(PLAIN, qistate_test, QISTATE_TEST) \
    X(MANY, qistate_read, QISTATE_READ) \
    X(SET_MANY, qistate_context, QISTATE_CONTEXT) \
    X(SET_ASK, qistate_connection, QISTATE_CONNECTION) \
    X(ASK, qisend_test, QISEND_TEST) \
    X(SET, qisend_inline, QISEND_INLINE) \
    X(SET, qisend_stream, QISEND_STREAM) \
    X(SET, qisend_fixed, QISEND_FIXED) \
    X(SET_ASK, qisend_progress, QISEND_PROGRESS) \
    X(ASK, qird_test, QIRD_TEST) \
    X(QIRD, qird, QIRD) \
    X(ASK, qisendex_test, QISENDEX_TEST) \
    X(SET, qisendex, QISENDEX) \
    X(ASK, qiswtmd_test, QISWTMD_TEST) \
    X(PLAIN, qiswtmd_read, QISWTMD_READ) \
    X(SET, qiswtmd, QISWTMD) \
    X(ASK, qping_test, QPING_TEST) \
    X(QPING, qping, QPING) \
    X(ASK, qntp_test, QNTP_TEST) \
    X(SET_ASK, qntp, QNTP) \
    X(ASK, qidnsgip_test, QIDNSGIP_TEST) \
    X(QIDNSGIP, qidnsgip, QIDNSGIP) \
    X(ASK, qidnscfg_test, QIDNSCFG_TEST) \
    X(SET_ASK, qidnscfg_query, QIDNSCFG_QUERY) \
    X(SET, qidnscfg, QIDNSCFG) \
    X(MANY, qicfg_test, QICFG_TEST) \
    X(SET_ASK, qicfg_dataformat, QICFG_DATAFORMAT) \
    X(SET_ASK, qicfg_viewmode, QICFG_VIEWMODE) \
    X(SET_ASK, qicfg_showlength, QICFG_SHOWLENGTH) \
    X(SET_ASK, qicfg_echomode, QICFG_ECHOMODE) \
    X(PLAIN, qigeterror_test, QIGETERROR_TEST) \
    X(ASK, qigeterror_execute, QIGETERROR_EXECUTE)

#define CALL_PLAIN(name, ...) bc26_##name(__VA_ARGS__)
#define CALL_SET(name, ...) bc26_##name(__VA_ARGS__, request)
#define CALL_ASK(name, ...) bc26_##name(__VA_ARGS__, out)
#define CALL_MANY(name, ...) bc26_##name(__VA_ARGS__, out, 1)
#define CALL_SET_ASK(name, ...) bc26_##name(__VA_ARGS__, request, out)
#define CALL_SET_MANY(name, ...) bc26_##name(__VA_ARGS__, request, out, 1)
#define CALL_QIRD(name, ...) bc26_##name(__VA_ARGS__, request, out, data, DATA)
#define CALL_QPING(name, ...) bc26_##name(__VA_ARGS__, request, out, 1, other)
#define CALL_QIDNSGIP(name, ...) bc26_##name(__VA_ARGS__, request, out, other, 1)

#define ENCODE_PLAIN(name) bc26_##name##_encode(settings, buf, size, NULL)
#define ENCODE_ASK(name) ENCODE_PLAIN(name)
#define ENCODE_MANY(name) ENCODE_PLAIN(name)
#define ENCODE_SET(name) bc26_##name##_encode(settings, request, buf, size, NULL)
#define ENCODE_SET_ASK(name) ENCODE_SET(name)
#define ENCODE_SET_MANY(name) ENCODE_SET(name)
#define ENCODE_QIRD(name) ENCODE_SET(name)
#define ENCODE_QPING(name) ENCODE_SET(name)
#define ENCODE_QIDNSGIP(name) ENCODE_SET(name)

static union value first, second; /* where answers go */
static void *const out = &first, *const other = &second;
static uint8_t data[DATA];
static uint8_t settings[BC26_SETTINGS];

#define DEFINE(shape, name, ID)                                                             \
    static int encode_##name(const void *request, char *buf, size_t size)                   \
    {                                                                                       \
        (void)request;                                                                      \
        return ENCODE_##shape(name);                                                        \
    }                                                                                       \
    static int start_##name(struct at_client *client, struct at_call *call,                 \
                            const void *request)                                            \
    {                                                                                       \
        (void)request;                                                                      \
        return CALL_##shape(name##_start, client, call);                                    \
    }                                                                                       \
    static int call_##name(struct at_client *client, const void *request)                   \
    {                                                                                       \
        (void)request;                                                                      \
        return CALL_##shape(name, client);                                                  \
    }
FORMS(DEFINE)

#define ROW(shape, name, ID) {BC26_FORM_##ID, encode_##name, start_##name, call_##name},
static const struct {
    uint16_t form;
    int (*encode)(const void *request, char *buf, size_t size);
    int (*start)(struct at_client *client, struct at_call *call, const void *request);
    int (*call)(struct at_client *client, const void *request);
} functions[] = {FORMS(ROW)};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* A module that answers what a client asks at first, and one command more. */
static struct {
    struct at_client client;
    uint8_t window[BC26_WINDOW_MIN];
    uint8_t settings[BC26_SETTINGS];
    char command[BC26_COMMAND_MAX];
    char text[600];
    char sent[BC26_COMMAND_MAX]; /* the last command */
    size_t nsent;
    char reply[2048];
    size_t nreply;
    const char *expected; /* the command to be answered with: */
    char answer[1024];
    uint32_t clock;
} t;

static const char *const asked[][2] = {
    {"AT+QICFG=\"viewmode\"\r", "\r\n+QICFG: \"viewmode\",0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"dataformat\"\r", "\r\n+QICFG: \"dataformat\",0,0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"showlength\"\r", "\r\n+QICFG: \"showlength\",0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"echomode\"\r", "\r\n+QICFG: \"echomode\",0\r\n\r\nOK\r\n"},
};

static const char *reply_to(const char *command)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        if (strcmp(command, asked[i][0]) == 0) {
            return asked[i][1];
        }
    }
    return "\r\nOK\r\n";
}

static int port_write(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    ck_assert_uint_lt(n, sizeof t.sent);
    memcpy(t.sent, bytes, n);
    t.sent[n] = '\0';
    t.nsent = n;
    const char *reply = t.expected != NULL && strcmp(t.sent, t.expected) == 0 && *t.answer != '\0'
                            ? t.answer : reply_to(t.sent);
    t.nreply = strlen(strcpy(t.reply, reply));
    return (int)n;
}

static int port_read(void *ctx, uint8_t *to, size_t n, uint32_t wait_ms)
{
    (void)ctx;
    n = n < t.nreply ? n : t.nreply;
    memcpy(to, t.reply, n);
    memmove(t.reply, t.reply + n, t.nreply - n);
    t.nreply -= n;
    t.clock += n > 0 ? 0 : wait_ms;
    return (int)n;
}

static uint32_t clock_now(void *ctx)
{
    (void)ctx;
    return t.clock;
}

static void power_up(void)
{
    const struct at_client_config config = {
        .module = &bc26, .write = port_write, .read = port_read, .now = clock_now,
        .window = t.window, .window_size = sizeof t.window,
        .command = t.command, .command_size = sizeof t.command,
        .text = t.text, .text_size = sizeof t.text, .settings = t.settings,
    };
    memset(&t, 0, sizeof t);
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    memset(settings, 0, sizeof settings);
    ck_assert_int_eq(at_client_init(&t.client, &config), AT_OK);
}

/* The first of a line's shapes. */
static const struct at_record *record_of(uint16_t id)
{
    const struct at_record *record = bc26.records;
    while (record->id != id) {
        record++;
    }
    return record;
}

/* A request of this form, and the line it has to become. */
static void pick_one(struct picker *picker, const struct at_form *form, union value *request,
                     char *line)
{
    picker_init(picker, 26u + form->id);
    pick_request(picker, &bc26, form, settings, group_depth(form->fields, form->nfields), request);
    int n = at_form_encode(&bc26, form, settings, request, line, BC26_COMMAND_MAX - 1, NULL);
    ck_assert_int_gt(n, 0);
    line[n] = '\0';
}

START_TEST(encodes_its_form)
{
    static struct picker picker;
    const struct at_form *form = &bc26.forms[functions[_i].form];
    union value request;
    char line[BC26_COMMAND_MAX], typed[BC26_COMMAND_MAX];
    power_up();
    pick_one(&picker, form, &request, line);
    int n = functions[_i].encode(&request, typed, sizeof typed);
    ck_assert_uint_eq((size_t)n, strlen(line));
    ck_assert_mem_eq(typed, line, (size_t)n);
}
END_TEST

START_TEST(starts_its_form)
{
    static struct picker picker;
    static struct at_call call; /* done: none */
    const struct at_form *form = &bc26.forms[functions[_i].form];
    union value request;
    char line[BC26_COMMAND_MAX];
    power_up();
    memset(&call, 0, sizeof call);
    pick_one(&picker, form, &request, line);
    ck_assert_int_eq(functions[_i].start(&t.client, &call, &request), AT_OK);
    ck_assert_ptr_eq(call.form, form);
    ck_assert(call.request == (form->size > 0 ? &request : NULL));
    ck_assert(call.data == (functions[_i].form == BC26_FORM_QIRD ? data : NULL));
    ck_assert_uint_eq(call.data_size, functions[_i].form == BC26_FORM_QIRD ? DATA : 0);
    for (unsigned i = 0; i < form->nresponses; i++) {
        ck_assert_ptr_eq(call.sinks[i].items, i == 0 ? out : other);
        ck_assert_uint_eq(call.sinks[i].record, form->responses[i].record);
        ck_assert_uint_eq(call.sinks[i].max, 1);
    }
    at_client_cancel(&t.client);
}
END_TEST

/* The answer goes where the caller said, and nowhere else. */
static bool is_plain_answer(const struct at_form *form)
{
    return form->nresponses == 1 && form->rare->nthen == 0 && functions[0].form != form->id &&
           form->id != BC26_FORM_QIRD && form->rare->data == NULL;
}

START_TEST(calls_its_form)
{
    static struct picker picker;
    static struct picker answers;
    const struct at_form *form = &bc26.forms[functions[_i].form];
    union value request, meant;
    char line[BC26_COMMAND_MAX];
    power_up();
    ck_assert_int_eq(at_client_sync(&t.client), AT_OK);
    pick_one(&picker, form, &request, line);
    t.expected = line;
    if (!is_plain_answer(form)) {
        strcpy(t.answer, "\r\nERROR\r\n");
        ck_assert_int_eq(functions[_i].call(&t.client, &request), AT_E_ERROR);
        ck_assert_str_eq(t.sent, line);
        return;
    }
    const struct at_record *record = record_of(form->responses[0].record);
    char said[512];
    picker_init(&answers, 7);
    if (record->kind == AT_KIND_TEST) {
        const struct at_str text = {"(0-4)", 5};
        memcpy(&meant, &text, sizeof text);
    } else {
        pick_line(&answers, &bc26, record, settings, 9, &meant);
    }
    int n = at_record_encode(&bc26, record, &meant, said, sizeof said, NULL);
    ck_assert_int_gt(n, 0);
    snprintf(t.answer, sizeof t.answer, "\r\n%.*s\r\n\r\nOK\r\n", n, said);
    ck_assert_int_eq(functions[_i].call(&t.client, &request), 1);
    ck_assert_str_eq(t.sent, line);
    if (record->kind == AT_KIND_TEST) {
        const struct at_str *got = out;
        ck_assert_uint_eq(got->len, 5);
        ck_assert_mem_eq(got->ptr, "(0-4)", 5);
    } else {
        const char *differs = line_difference(&bc26, record->id, &meant, out);
        ck_assert_msg(differs == NULL, "%s: <%s> differs", said, differs);
    }
}
END_TEST

START_TEST(every_form_has_its_functions)
{
    ck_assert_uint_eq(FUNCTIONS, bc26.nforms);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        ck_assert_uint_eq(functions[i].form, i);
    }
}
END_TEST

/* Decoders ----------------------------------------------------------------- */

#define LINES(X) \
    X(cmee_response, CMEE_RESPONSE) \
    X(ati_response, ATI_RESPONSE) \
    X(qiopen_result, QIOPEN_RESULT) \
    X(qistate_response, QISTATE_RESPONSE) \
    X(qisend_response, QISEND_RESPONSE) \
    X(qird_response, QIRD_RESPONSE) \
    X(qping_result, QPING_RESULT) \
    X(qping_summary_result, QPING_SUMMARY_RESULT) \
    X(qntp_result, QNTP_RESULT) \
    X(qidnscfg_response, QIDNSCFG_RESPONSE) \
    X(qicfg_dataformat_response, QICFG_DATAFORMAT_RESPONSE) \
    X(qicfg_viewmode_response, QICFG_VIEWMODE_RESPONSE) \
    X(qicfg_showlength_response, QICFG_SHOWLENGTH_RESPONSE) \
    X(qicfg_echomode_response, QICFG_ECHOMODE_RESPONSE) \
    X(qigeterror_response, QIGETERROR_RESPONSE) \
    X(closed_urc, CLOSED_URC) \
    X(recv_urc, RECV_URC) \
    X(buffer_full_urc, BUFFER_FULL_URC) \
    X(dnsgip_urc, DNSGIP_URC) \
    X(dnsgip_address_urc, DNSGIP_ADDRESS_URC) \
    X(cme_error_final, CME_ERROR_FINAL)

#define DECODE(name, ID)                                                \
    static int decode_##name(const struct at_line *line)                \
    {                                                                   \
        return bc26_##name##_decode(line, out);                         \
    }
LINES(DECODE)

#define LINE_ROW(name, ID) {BC26_LINE_##ID, decode_##name},
static const struct {
    uint16_t record;
    int (*decode)(const struct at_line *line);
} decoders[] = {LINES(LINE_ROW)};
enum { DECODERS = sizeof decoders / sizeof *decoders };

static unsigned decoded;

/* Each decoder reads lines of its own, and refuses all others. */
static void on_event(void *ctx, const struct at_event *event)
{
    (void)ctx;
    if (event->type != AT_EVENT_LINE) {
        return;
    }
    for (size_t i = 0; i < DECODERS; i++) {
        union value expected;
        memset(&first, 0x5a, sizeof first);
        memset(&expected, 0x5a, sizeof expected);
        if (decoders[i].record == event->line->record->id) {
            ck_assert_int_eq(decoders[i].decode(event->line), AT_OK);
            ck_assert_int_eq(at_line_decode(event->line, &expected), AT_OK);
            ck_assert_mem_eq(&first, &expected, sizeof expected);
            decoded++;
        } else {
            ck_assert_int_eq(decoders[i].decode(event->line), AT_E_SYNTAX);
        }
    }
}

START_TEST(decodes_its_line)
{
    static struct picker picker;
    static uint8_t window[BC26_WINDOW_MIN];
    const struct at_record *record = record_of(decoders[_i].record);
    struct at_stream stream;
    union value meant;
    char said[512], line[520];
    memset(settings, 0, sizeof settings);
    picker_init(&picker, 26u + (uint32_t)_i);
    pick_line(&picker, &bc26, record, settings, 0, &meant);
    int n = at_record_encode(&bc26, record, &meant, said, sizeof said, NULL);
    ck_assert_int_gt(n, 0);
    at_stream_init(&stream, &bc26, settings, window, sizeof window, on_event, NULL);
    decoded = 0;
    int len = snprintf(line, sizeof line, "\r\n%.*s\r\n", n, said);
    at_stream_feed(&stream, (const uint8_t *)line, (size_t)len);
    ck_assert_uint_eq(decoded, 1);
}
END_TEST

/* Of a table whose values are texts on the wire. */
START_TEST(texts_of_the_wire)
{
    for (int32_t i = 0; bc26_service_type_text(i) != NULL; i++) {
        struct at_str text = {bc26_service_type_text(i), strlen(bc26_service_type_text(i))};
        ck_assert_int_eq(bc26_service_type_of(text), i);
        text.len--;
        ck_assert_int_lt(bc26_service_type_of(text), 0);
    }
    ck_assert_ptr_null(bc26_service_type_text(-1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("calls");
    TCase *tc = tcase_create("calls");
    tcase_add_loop_test(tc, encodes_its_form, 0, FUNCTIONS);
    tcase_add_loop_test(tc, starts_its_form, 0, FUNCTIONS);
    tcase_add_loop_test(tc, calls_its_form, 0, FUNCTIONS);
    tcase_add_test(tc, every_form_has_its_functions);
    tcase_add_loop_test(tc, decodes_its_line, 0, DECODERS);
    tcase_add_test(tc, texts_of_the_wire);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

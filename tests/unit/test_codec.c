/* The codec's parts one by one, each with what it must take and what it must refuse. */
#include <check.h>

#include "fields.h"
#include "samples.h"
#include "scan.h"
#include "text.h"

static uint8_t settings[BC26_SETTINGS];

static void default_settings(void)
{
    memset(settings, 0, sizeof settings);
}

static const uint8_t *bytes(const char *text)
{
    return (const uint8_t *)text;
}

/* Numbers and characters --------------------------------------------------------------- */

static bool parses_int(const char *text, int32_t expected)
{
    int32_t value = 42;
    bool parsed = at_parse_int(bytes(text), strlen(text), &value);
    return parsed ? value == expected : value != 42; /* a refusal leaves the value alone */
}

START_TEST(integers_up_to_their_limits)
{
    ck_assert(parses_int("0", 0));
    ck_assert(parses_int("-0", 0));
    ck_assert(parses_int("007", 7));
    ck_assert(parses_int("2147483647", INT32_MAX));
    ck_assert(parses_int("-2147483647", -INT32_MAX));
    ck_assert(parses_int("-2147483648", INT32_MIN));
    ck_assert(parses_int("00000000000000000000000000002147483647", INT32_MAX));
}
END_TEST

START_TEST(integers_beyond_their_limits)
{
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "1.0", "0x1", "1-", "--1", "2147483648", "-2147483649",
        "4294967295", "4294967296", "4294967297", "42949672950", "99999999999999999999", "\xb2",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t value = 42;
        ck_assert_msg(!at_parse_int(bytes(bad[i]), strlen(bad[i]), &value), "takes '%s'", bad[i]);
        ck_assert_int_eq(value, 42);
    }
}
END_TEST

START_TEST(unsigned_integers)
{
    uint32_t value = 42;
    ck_assert(at_parse_uint(bytes("4294967295"), 10, &value) && value == UINT32_MAX);
    ck_assert(!at_parse_uint(bytes("4294967296"), 10, &value));
    ck_assert(!at_parse_uint(bytes("4294967300"), 10, &value));
    ck_assert(!at_parse_uint(bytes("42949672950"), 11, &value));
    ck_assert(!at_parse_uint(bytes("-1"), 2, &value));
    ck_assert(!at_parse_uint(bytes(""), 0, &value));
    ck_assert(at_parse_uint(bytes("123"), 2, &value) && value == 12); /* the length counts */
}
END_TEST

START_TEST(numbers_are_written_as_they_are_read)
{
    static const uint32_t values[] = {0, 1, 9, 10, 99, 100, 65535, 4294967295u, 1000000000u};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char digits[10];
        uint32_t back;
        size_t n = at_format_uint(values[i], digits);
        ck_assert(at_parse_uint(bytes(digits), n, &back) && back == values[i]);
        ck_assert(n == 1 || digits[0] != '0');
    }
}
END_TEST

START_TEST(hosts)
{
    ck_assert(at_is_host(bytes("iot.quectel.com"), 15));
    ck_assert(at_is_host(bytes("x_y-z.0"), 7));
    ck_assert(at_is_host(bytes("2001:db8::1"), 11));
    ck_assert(!at_is_host(bytes(""), 0));
    static const char bad[] = " \"',;/\\\r\n\t\x7f\x80?*()<>@%";
    for (size_t i = 0; i < sizeof bad; i++) { /* and the NUL */
        uint8_t text[3] = {'a', (uint8_t)bad[i], 'a'};
        ck_assert_msg(!at_is_host(text, 3), "takes 0x%02x", text[1]);
    }
}
END_TEST

START_TEST(addresses)
{
    static const char *const good[] = {"1.1.1.1", "255.255.255.255", "2001:db8::1", "::",
                                       "2001:0:0:0:0:0:0:1", "ABCD:ef::"};
    static const char *const bad[] = {"", "1", "565", "abc", "iot.quectel.com", "1.1.1.1 ",
                                      "1.1.1.1\r", "1,1", "\"1.1.1.1\"", "g::1", "-1.1.1.1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(at_is_ip(bytes(good[i]), strlen(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!at_is_ip(bytes(bad[i]), strlen(bad[i])), "%s", bad[i]);
    }
}
END_TEST

START_TEST(texts_are_equal_as_a_whole)
{
    ck_assert(at_text_equal(bytes("TCP"), 3, "TCP"));
    ck_assert(!at_text_equal(bytes("TCP"), 2, "TCP"));
    ck_assert(!at_text_equal(bytes("TCPX"), 4, "TCP"));
    ck_assert(!at_text_equal(bytes("tcp"), 3, "TCP"));
    ck_assert(!at_text_equal(bytes("TCP\0"), 4, "TCP"));
    ck_assert(!at_text_equal(bytes("\0CP"), 3, ""));
    ck_assert(at_text_equal(bytes(""), 0, ""));
}
END_TEST

START_TEST(printable)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t text[1] = {(uint8_t)c};
        ck_assert_int_eq(at_is_printable(text, 1), c >= ' ' && c <= '~');
    }
    ck_assert(at_is_printable(bytes(""), 0));
}
END_TEST

/* Hexadecimal digits ------------------------------------------------------------------- */

START_TEST(digits_both_ways)
{
    uint8_t all[256];
    char digits[512];
    uint8_t back[256];
    for (unsigned i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
    }
    at_hex_encode(all, 256, digits);
    ck_assert_mem_eq(digits, "000102", 6);
    ck_assert_mem_eq(digits + 506, "FDFEFF", 6);
    ck_assert_int_eq(at_hex_decode((uint8_t *)digits, 512, back), 256);
    ck_assert_mem_eq(back, all, 256);
}
END_TEST

START_TEST(digits_in_either_case_and_in_place)
{
    uint8_t text[] = "aBCdEf09";
    ck_assert_int_eq(at_hex_decode(text, 8, text), 4);
    ck_assert_mem_eq(text, "\xab\xcd\xef\x09", 4);
}
END_TEST

START_TEST(what_is_no_digit)
{
    uint8_t out[4];
    ck_assert_int_eq(at_hex_decode(bytes(""), 0, out), 0);
    ck_assert_int_eq(at_hex_decode(bytes("1234"), 3, out), AT_E_SYNTAX);
    ck_assert_int_eq(at_hex_decode(bytes("0g"), 2, out), AT_E_SYNTAX);
    ck_assert_int_eq(at_hex_decode(bytes("g0"), 2, out), AT_E_SYNTAX);
    ck_assert_int_eq(at_hex_decode(bytes("0 "), 2, out), AT_E_SYNTAX);
    for (unsigned c = 0; c < 256; c++) {
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        ck_assert_int_eq(at_hex_digit((uint8_t)c) >= 0, digit);
    }
}
END_TEST

/* Command lines ------------------------------------------------------------------------ */

START_TEST(what_has_the_shape_of_a_command_line)
{
    static const char *const good[] = {"AT", "at", "aT", "ATE0", "ATE", "ATI", "ATV1Q0", "AT+CSQ",
                                       "AT+QISEND=0,5,a b", "AT&F", "AT&F0", "ATS0=1", "AT$QX",
                                       "AT%X", "AT*X", "AT^X", "AT#X", "ATE0+CSQ", "AT?", "ATD1"};
    static const char *const bad[] = {"", "A", "AX", "TA", " AT", "ATTENTION", "ATHENS", "AT ",
                                      "AT-", "AT.", "AT\"", "ATZ OK", "ATE0 ", "AT1", "A/", "OK"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(at_is_command_line(bytes(good[i]), strlen(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!at_is_command_line(bytes(bad[i]), strlen(bad[i])), "%s", bad[i]);
    }
}
END_TEST

static int parse(const char *line, struct at_command *command, struct at_fault *fault)
{
    return at_command_parse(&bc26_grammar, settings, bytes(line), strlen(line), command, fault);
}

static void assert_form(const char *line, enum bc26_form form)
{
    struct at_command command;
    struct at_fault fault;
    int status = parse(line, &command, &fault);
    ck_assert_msg(status == AT_OK, "%s: %d", line, status);
    ck_assert_msg(command.form == &bc26.forms[form], "%s is %s.%s", line, command.form->command,
                  command.form->name);
}

START_TEST(command_lines_and_their_forms)
{
    assert_form("AT", BC26_FORM_AT_EXECUTE);
    assert_form("at", BC26_FORM_AT_EXECUTE);
    assert_form("ATE0", BC26_FORM_ATE0_EXECUTE);
    assert_form("AT+CMEE?", BC26_FORM_CMEE_READ);
    assert_form("AT+CMEE=?", BC26_FORM_CMEE_TEST);
    assert_form("AT+CMEE=1", BC26_FORM_CMEE);
    assert_form("AT+QISTATE?", BC26_FORM_QISTATE_READ);
    assert_form("AT+QISTATE=0,1", BC26_FORM_QISTATE_CONTEXT);
    assert_form("AT+QISTATE=1,0", BC26_FORM_QISTATE_CONNECTION);
    assert_form("AT+QISTATE=1,4", BC26_FORM_QISTATE_CONNECTION);
    assert_form("AT+QISEND=0", BC26_FORM_QISEND_STREAM);
    assert_form("AT+QISEND=0,0", BC26_FORM_QISEND_PROGRESS);
    assert_form("AT+QISEND=0,1", BC26_FORM_QISEND_FIXED);
    assert_form("AT+QISEND=0,1460", BC26_FORM_QISEND_FIXED);
    assert_form("AT+QISEND=0,5,hello", BC26_FORM_QISEND_INLINE);
    assert_form("AT+QISEND=0,5,\"a,b,c\"", BC26_FORM_QISEND_INLINE);
    assert_form("AT+QISEND=0,5,a,b,c", BC26_FORM_QISEND_INLINE);
    assert_form("AT+QISENDEX=0,2,0aF1", BC26_FORM_QISENDEX);
    assert_form("AT+QICFG=\"viewmode\"", BC26_FORM_QICFG_VIEWMODE);
    assert_form("AT+QICFG=\"viewmode\",1", BC26_FORM_QICFG_VIEWMODE);
    assert_form("AT+QICFG=\"dataformat\",0,1", BC26_FORM_QICFG_DATAFORMAT);
    assert_form("AT+QIDNSCFG=1", BC26_FORM_QIDNSCFG_QUERY);
    assert_form("AT+QIDNSCFG=1,\"1.1.1.1\"", BC26_FORM_QIDNSCFG);
    assert_form("AT+QPING=1,iot.quectel.com", BC26_FORM_QPING); /* unquoted is taken */
    assert_form("at+qping=1,\"iot.quectel.com\",4,4,32", BC26_FORM_QPING);
}
END_TEST

START_TEST(lines_that_are_no_command)
{
    static const char *const bad[] = {
        "", "A", "ATX", "AT ", "AT+", "AT+QI", "AT+QIRD", "AT+QIRD?", "AT+QIRD=", "AT+QIRDX=0,1",
        "AT+QIRD=0,", "AT+QIRD=,1", "AT+QIRD=0,1\n", "AT+QIRD=0\r,1", "AT+QIRD=0,\x80",
        "AT+QICLOSE=?0", "AT+QICLOSE=??", "AT+QIGETERROR?", "AT+QIGETERROR=", "AT+QIOPEN=1,0,\"TCP",
        "AT+QNTTP=1,\"a\"", "ATAT", "AT;AT", "XAT+QIRD=0,1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct at_command command;
        int status = parse(bad[i], &command, NULL);
        ck_assert_msg(status == AT_E_SYNTAX, "%s: %d", bad[i], status);
    }
}
END_TEST

static void assert_fault(const char *line, const char *param, enum at_reason reason)
{
    struct at_command command;
    struct at_fault fault;
    int status = parse(line, &command, &fault);
    ck_assert_msg(status == AT_E_ARGUMENT, "%s: %d", line, status);
    ck_assert_msg(fault.param != NULL && strcmp(fault.param->name, param) == 0 &&
                      fault.reason == reason,
                  "%s: %s, %d", line, fault.param != NULL ? fault.param->name : "nothing",
                  fault.reason);
    ck_assert_int_eq(parse(line, &command, NULL), AT_E_ARGUMENT);
}

START_TEST(arguments_that_are_refused)
{
    assert_fault("AT+QIRD=5,1", "connectID", AT_RANGE);
    assert_fault("AT+QIRD=-1,1", "connectID", AT_RANGE);
    assert_fault("AT+QIRD=0,0", "read_length", AT_RANGE);
    assert_fault("AT+QIRD=0,513", "read_length", AT_RANGE);
    assert_fault("AT+QIRD=0,4294967297", "read_length", AT_TYPE);
    assert_fault("AT+QIRD=0,\"1\"", "read_length", AT_TYPE);
    assert_fault("AT+QIRD=x,1", "connectID", AT_TYPE);
    assert_fault("AT+QIRD=0", "read_length", AT_MISSING);
    assert_fault("AT+QIOPEN=2,0,\"TCP\",\"h\",1", "contextID", AT_UNSUPPORTED);
    assert_fault("AT+QIOPEN=4,0,\"TCP\",\"h\",1", "contextID", AT_RANGE);
    assert_fault("AT+QIOPEN=1,0,\"tcp\",\"h\",1", "service_type", AT_RANGE);
    assert_fault("AT+QIOPEN=1,0,\"TCP\",\"h h\",1", "host", AT_UNSAFE);
    assert_fault("AT+QIOPEN=1,0,\"TCP\",\"h\",0", "remote_port", AT_RANGE);
    assert_fault("AT+QIOPEN=1,0,\"TCP\",\"h\",65536", "remote_port", AT_RANGE);
    assert_fault("AT+QIOPEN=1,0,\"TCP\",\"h\",1,0,2", "access_mode", AT_RANGE);
    assert_fault("AT+QIOPEN=1,0,\"TCP\",\"h\"", "remote_port", AT_MISSING);
    assert_fault("AT+QNTP=1,\"h\",124", "port", AT_UNSUPPORTED);
    assert_fault("AT+QISENDEX=0,2,0a0", "hex_string", AT_LENGTH);
    assert_fault("AT+QISENDEX=0,2,0g00", "hex_string", AT_TYPE);
    assert_fault("AT+QISENDEX=0,3,0a0b", "send_length", AT_MISMATCH);
    assert_fault("AT+QISENDEX=0,513,0a0b", "send_length", AT_RANGE);
    assert_fault("AT+QICFG=\"echomode\",2", "echo_mode", AT_RANGE);
}
END_TEST

/* Of no single one, but of a kind that tells less than a wrong value. */
START_TEST(too_many_arguments)
{
    struct at_command command;
    struct at_fault fault;
    ck_assert_int_eq(parse("AT+QIRD=0,1,2", &command, &fault), AT_E_ARGUMENT);
    ck_assert_ptr_null(fault.param);
    ck_assert_int_eq(fault.reason, AT_TYPE);
    ck_assert_int_eq(parse("AT+QISEND=0,10,1234567890,1", &command, &fault), AT_E_ARGUMENT);
    ck_assert_int_ne(fault.reason, AT_FINE);
}
END_TEST

START_TEST(what_a_command_line_decodes_to)
{
    static const char line[] = "at+qiopen=1,4,\"UDP\",\"iot.quectel.com\",65535,0";
    struct at_command command;
    struct bc26_qiopen open;
    memset(&open, 0xaa, sizeof open);
    ck_assert_int_eq(parse(line, &command, NULL), AT_OK);
    ck_assert_int_eq(at_command_decode(&bc26_grammar, &command, &open), AT_OK);
    ck_assert_int_eq(open.context_id, 1);
    ck_assert_int_eq(open.connect_id, 4);
    ck_assert_int_eq(open.service_type, BC26_SERVICE_TYPE_UDP);
    ck_assert_uint_eq(open.host.len, 15);
    ck_assert_ptr_eq(open.host.ptr, strstr(line, "iot")); /* not copied */
    ck_assert_int_eq(open.remote_port, 65535);
    ck_assert(open.has_local_port && open.local_port == 0);
    ck_assert(!open.has_access_mode && !open.has_protocol_type);
}
END_TEST

START_TEST(the_format_decides_how_long_inline_data_are)
{
    struct at_command command;
    struct at_fault fault;
    settings[BC26_SETTING_SEND_DATA_FORMAT] = 1;
    ck_assert_int_eq(parse("AT+QISEND=0,2,0a0b", &command, &fault), AT_OK);
    ck_assert_int_eq(parse("AT+QISEND=0,4,0a0b", &command, &fault), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("AT+QISEND=0,731", &command, &fault), AT_E_ARGUMENT);
    settings[BC26_SETTING_SEND_DATA_FORMAT] = 0;
    ck_assert_int_eq(parse("AT+QISEND=0,4,0a0b", &command, &fault), AT_OK);
    ck_assert_int_eq(parse("AT+QISEND=0,2,0a0b", &command, &fault), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("AT+QISEND=0,731", &command, &fault), AT_OK);
}
END_TEST

static void assert_written(const char *line, int n, const char *expected)
{
    ck_assert_msg(n == (int)strlen(expected) && memcmp(line, expected, strlen(expected)) == 0,
                  "%d bytes: %.*s", n, n > 0 ? n : 0, line);
}

START_TEST(what_a_form_writes)
{
    char line[256];
    struct bc26_qiopen open = {.context_id = 1,
                               .service_type = BC26_SERVICE_TYPE_TCP,
                               .host = {"220.180.239.212", 15},
                               .remote_port = 8062};
    struct bc26_qisend_inline send = {.send_length = 5, .data = {bytes("hello"), 5}};
    struct bc26_qicfg_viewmode view = {false, 0};
    int n = bc26_qiopen_encode(settings, &open, line, sizeof line, NULL);
    assert_written(line, n, "AT+QIOPEN=1,0,\"TCP\",\"220.180.239.212\",8062\r");
    n = bc26_qisend_inline_encode(settings, &send, line, sizeof line, NULL);
    assert_written(line, n, "AT+QISEND=0,5,hello\r");
    send.data = (struct at_bytes){bytes("a,b c"), 5};
    n = bc26_qisend_inline_encode(settings, &send, line, sizeof line, NULL);
    assert_written(line, n, "AT+QISEND=0,5,\"a,b c\"\r");
    send.data = (struct at_bytes){bytes(",bcde"), 5};
    n = bc26_qisend_inline_encode(settings, &send, line, sizeof line, NULL);
    assert_written(line, n, "AT+QISEND=0,5,\",bcde\"\r");
    send.data = (struct at_bytes){bytes("a,b c"), 5};
    settings[BC26_SETTING_SEND_DATA_FORMAT] = 1;
    n = bc26_qisend_inline_encode(settings, &send, line, sizeof line, NULL);
    assert_written(line, n, "AT+QISEND=0,5,612C622063\r");
    n = bc26_qicfg_viewmode_encode(settings, &view, line, sizeof line, NULL);
    assert_written(line, n, "AT+QICFG=\"viewmode\"\r");
    n = bc26_qistate_read_encode(settings, line, sizeof line, NULL);
    assert_written(line, n, "AT+QISTATE?\r");
}
END_TEST

START_TEST(requests_by_parameter)
{
    struct bc26_qisend_fixed send = {3, 7, {bytes("1234567"), 7}};
    const struct at_form *form = &bc26.forms[BC26_FORM_QISEND_FIXED];
    int32_t value = 0;
    ck_assert(at_request_int(&bc26, form, &send, form->rare->data->length, &value) && value == 7);
    ck_assert(at_request_int(&bc26, form, &send, form->fields[0].param, &value) && value == 3);
    ck_assert(!at_request_int(&bc26, form, &send, form->rare->data->field, &value)); /* no number */
    ck_assert(!at_request_int(&bc26, form, &send, AT_NONE, &value));
    ck_assert_uint_eq(at_request_data(&bc26, form, &send).len, 7);
    ck_assert_ptr_null(at_request_data(&bc26, &bc26.forms[BC26_FORM_QIRD], &send).ptr);

    struct bc26_qping ping = {.has_time_out = false, .time_out = 9};
    form = &bc26.forms[BC26_FORM_QPING];
    ck_assert(!at_request_int(&bc26, form, &ping, form->fields[2].param, &value)); /* left out */
    ping.has_time_out = true;
    ck_assert(at_request_int(&bc26, form, &ping, form->fields[2].param, &value) && value == 9);
}
END_TEST

/* The module's lines, encoded ---------------------------------------------------------- */

START_TEST(what_a_line_of_the_module_writes)
{
    char line[256];
    struct at_fault fault;
    struct bc26_qird_response qird = {10, true, 2};
    struct bc26_qping_summary_result ping = {.finresult = 569};
    struct bc26_buffer_full_urc full = {true, 3};
    struct bc26_closed_urc closed = {4};
    int n = bc26_qird_response_encode(&qird, line, sizeof line, NULL);
    assert_written(line, n, "+QIRD: 10,2");
    n = bc26_qping_summary_result_encode(&ping, line, sizeof line, NULL);
    assert_written(line, n, "+QPING: 569");
    n = bc26_buffer_full_urc_encode(&full, line, sizeof line, NULL);
    assert_written(line, n, "+QIURC: \"recv\",3,\"buff full\"");
    n = bc26_closed_urc_encode(&closed, line, sizeof line, NULL);
    assert_written(line, n, "+QIURC: \"closed\",4");

    closed.connect_id = 5;
    memset(line, 'x', sizeof line);
    ck_assert_int_eq(bc26_closed_urc_encode(&closed, line, sizeof line, &fault), AT_E_ARGUMENT);
    ck_assert_str_eq(fault.param->name, "connectID");
    ck_assert_int_eq(fault.reason, AT_RANGE);
    ck_assert_int_eq(line[0], 'x');
    ping.has_rcvd = true; /* and nothing before it */
    ck_assert_int_eq(bc26_qping_summary_result_encode(&ping, line, sizeof line, &fault),
                     AT_E_ARGUMENT);
    ck_assert_str_eq(fault.param->name, "sent");
    ck_assert_int_eq(fault.reason, AT_MISSING);
}
END_TEST

/* Lines from the stream ---------------------------------------------------------------- */

/* The last line seen, decoded while it is there. */
struct seen {
    unsigned events;
    enum at_event_type type;
    const struct at_record *record;
    uint8_t nmarks;
    union sample value;
    bool strings_inside; /* they point into the line */
    int other;           /* what a decoder of another line says */
    bool has_int;
    int32_t first;
};

static bool strings_inside(const struct at_line *line, union sample *value)
{
    const struct at_record *record = line->record;
    for (uint8_t i = 0; i < record->nfields; i++) {
        uint8_t type = param_of(&record->fields[i])->kind->type;
        if (type == AT_LITERAL || type == AT_INT || type == AT_UINT ||
            !has_member(value, &record->fields[i])) {
            continue;
        }
        struct at_str text = *(struct at_str *)member_of(value, &record->fields[i]);
        if (text.ptr < (const char *)line->text ||
            text.ptr + text.len > (const char *)line->text + line->len) {
            return false;
        }
    }
    return true;
}

static void note_event(void *ctx, const struct at_event *event)
{
    struct seen *seen = ctx;
    seen->events++;
    seen->type = event->type;
    seen->record = event->record;
    if (event->type != AT_EVENT_LINE) {
        return;
    }
    const struct at_line *line = event->line;
    struct bc26_cmee_response cmee;
    struct bc26_closed_urc closed;
    memset(&seen->value, 0xaa, sizeof seen->value);
    seen->nmarks = line->nmarks;
    ck_assert_int_eq(at_line_decode(line, &seen->value), AT_OK);
    seen->strings_inside = line->record->kind == AT_KIND_TEST || strings_inside(line, &seen->value);
    seen->other = line->record->id == BC26_LINE_CMEE_RESPONSE
                      ? bc26_closed_urc_decode(line, &closed)
                      : bc26_cmee_response_decode(line, &cmee);
    seen->has_int = line->record->nfields > 0 &&
                    at_line_int(line, line->record->fields[0].param, &seen->first);
}

static void say(struct seen *seen, const char *text)
{
    struct at_stream stream;
    uint8_t window[512];
    memset(seen, 0, sizeof *seen);
    (void)at_stream_init(&stream, &bc26_lines, settings, window, sizeof window, note_event, seen);
    at_stream_feed(&stream, bytes(text), strlen(text));
}

START_TEST(a_window_that_is_too_small_is_refused)
{
    struct at_stream stream;
    struct seen seen;
    uint8_t window[64];
    ck_assert_int_eq(at_stream_init(&stream, &bc26, settings, window, 0, note_event, &seen), AT_E_SPACE);
    ck_assert_int_eq(at_stream_init(&stream, &bc26, settings, window, 63, note_event, &seen), AT_E_SPACE);
    ck_assert_int_eq(at_stream_init(&stream, &bc26, settings, window, 64, note_event, &seen), AT_OK);
}
END_TEST

START_TEST(strings_point_into_the_line)
{
    struct seen seen;
    say(&seen, "\r\n+QISTATE: 2,\"TCP\",\"iot.quectel.com\",80,0,2,1,0,\"more\"\r\n");
    struct bc26_qistate_response *state = (void *)&seen.value;
    ck_assert_uint_eq(seen.events, 1);
    ck_assert(seen.strings_inside);
    ck_assert_int_eq(state->connect_id, 2);
    ck_assert_uint_eq(state->service_type.len, 3);
    ck_assert_uint_eq(state->host.len, 15);
    ck_assert_int_eq(state->remote_port, 80);
    ck_assert(seen.has_int && seen.first == 2);
}
END_TEST

START_TEST(absent_members_are_zero)
{
    struct seen seen;
    say(&seen, "\r\n+QPING: 565\r\n");
    struct bc26_qping_result *ping = (void *)&seen.value;
    ck_assert_int_eq(ping->result, 565);
    ck_assert(!ping->has_ip_address && !ping->has_bytes && !ping->has_time && !ping->has_ttl);
    ck_assert_ptr_null(ping->ip_address.ptr);
    ck_assert_int_eq(ping->ttl, 0);
}
END_TEST

START_TEST(a_decoder_refuses_the_line_of_another)
{
    static const char *const lines[] = {
        "\r\n+CMEE: 1\r\n", "\r\n+QIOPEN: 0,0\r\n", "\r\n+QIURC: \"recv\",0\r\n", "\r\nOK\r\n",
        "\r\n+QIRD: 0\r\n", "\r\n+CME ERROR: 3\r\n", "\r\n+QIRD: (0-4),(1-512)\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct seen seen;
        say(&seen, lines[i]);
        ck_assert_uint_eq(seen.events, 1);
        ck_assert_int_eq(seen.other, AT_E_SYNTAX);
    }
}
END_TEST

START_TEST(no_number_where_the_line_has_none)
{
    struct seen seen;
    say(&seen, "\r\n+QIURC: \"dnsgip\",\"1.1.1.1\"\r\n"); /* a string */
    ck_assert(seen.type == AT_EVENT_LINE && !seen.has_int);
    say(&seen, "\r\n+QIURC: \"recv\",buff full\r\n"); /* a literal */
    ck_assert(seen.type == AT_EVENT_LINE && !seen.has_int);
    say(&seen, "\r\nOK\r\n");
    ck_assert(seen.type == AT_EVENT_LINE && !seen.has_int);
}
END_TEST

/* A misfit names the record whose payload is missed, so that settings can be doubted. */
START_TEST(a_misfit_of_a_known_head)
{
    struct seen seen;
    say(&seen, "\r\n+QIRD: 5,1\r\n");
    ck_assert_int_eq(seen.type, AT_EVENT_UNKNOWN);
    ck_assert_int_eq(seen.record->id, BC26_LINE_QIRD_RESPONSE);
    say(&seen, "\r\n+QIURC: \"recv\",0,2000,1\r\n");
    ck_assert_int_eq(seen.type, AT_EVENT_UNKNOWN);
    ck_assert_int_eq(seen.record->id, BC26_LINE_RECV_URC);
    say(&seen, "\r\n+QIOPEN: 5\r\n");
    ck_assert_int_eq(seen.type, AT_EVENT_UNKNOWN);
    ck_assert_ptr_null(seen.record);
    say(&seen, "\r\n+CEREG: 5\r\n");
    ck_assert_int_eq(seen.type, AT_EVENT_UNKNOWN);
    ck_assert_ptr_null(seen.record);
}
END_TEST

START_TEST(settings_are_learned_from_lines)
{
    struct seen seen;
    memset(settings, AT_UNKNOWN, sizeof settings);
    say(&seen, "\r\n+QICFG: \"dataformat\",0,1\r\n\r\n+QICFG: \"viewmode\",1\r\n\r\n+QICFG: "
               "\"showlength\",0\r\n\r\n+QICFG: \"echomode\",1\r\n"
               "+QISTATE: 3,\"TCP\",\"h\",1,2,3,1,1\r\n");
    static const uint8_t learned[BC26_SETTINGS] = {0, 1, 1, 0, 1, AT_UNKNOWN, AT_UNKNOWN,
                                                   AT_UNKNOWN, 1, AT_UNKNOWN};
    ck_assert_uint_eq(seen.events, 5);
    ck_assert_mem_eq(settings, learned, sizeof settings);
}
END_TEST

START_TEST(nothing_is_learned_from_indexes_and_values_beyond)
{
    static const char *const lines[] = {
        "\r\n+QISTATE: 5,\"TCP\",\"h\",1,2,3,1,1\r\n",
        "\r\n+QISTATE: -1,\"TCP\",\"h\",1,2,3,1,1\r\n",
        "\r\n+QISTATE: 256,\"TCP\",\"h\",1,2,3,1,1\r\n",
        "\r\n+QISTATE: 0,\"TCP\",\"h\",1,2,3,1,2\r\n",
        "\r\n+QISTATE: 0,\"TCP\",\"h\",1,2,3,1,-1\r\n",
        "\r\n+QISTATE: 0,\"TCP\",\"h\",1,2,3,1,257\r\n",
        "\r\n+QICFG: \"viewmode\",2\r\n", "\r\n+QICFG: \"viewmode\",255\r\n",
        "\r\n+QICFG: \"viewmode\",\"1\"\r\n", "\r\n+QICFG: \"viewmode\"\r\n",
    };
    static const uint8_t none[BC26_SETTINGS] = {0};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct seen seen;
        default_settings();
        say(&seen, lines[i]);
        ck_assert_uint_eq(seen.events, 1);
        ck_assert_msg(memcmp(settings, none, sizeof settings) == 0, "%s", lines[i]);
    }
}
END_TEST

START_TEST(slots_of_settings)
{
    struct at_effect one = {.slot = 2, .slots = 1, .max = 1};
    struct at_effect five = {.slot = 5, .slots = 5, .max = 1};
    uint8_t slot = 99;
    ck_assert(at_setting_slot(&one, -7, 1, &slot) && slot == 2); /* it has no key */
    ck_assert(at_setting_slot(&five, 0, 0, &slot) && slot == 5);
    ck_assert(at_setting_slot(&five, 4, 1, &slot) && slot == 9);
    slot = 99;
    ck_assert(!at_setting_slot(&five, 5, 1, &slot));
    ck_assert(!at_setting_slot(&five, -1, 1, &slot));
    ck_assert(!at_setting_slot(&five, 256, 1, &slot));
    ck_assert(!at_setting_slot(&five, 0, 2, &slot));
    ck_assert(!at_setting_slot(&five, 0, -1, &slot));
    ck_assert(!at_setting_slot(&five, 0, 256, &slot));
    ck_assert_uint_eq(slot, 99);
}
END_TEST

static uint8_t visible(const struct at_record *record, const uint8_t *with)
{
    struct at_shape shape = at_record_shape(&bc26, record);
    return at_fields_visible(&shape, with);
}

START_TEST(visible_fields_follow_the_settings)
{
    struct seen seen;
    settings[BC26_SETTING_SHOW_LENGTH] = 1;
    say(&seen, "\r\n+QIRD: 1,0\r\nx");
    const struct at_record *record = seen.record;
    ck_assert_int_eq(record->id, BC26_LINE_QIRD_RESPONSE);
    ck_assert_uint_eq(visible(record, settings), 2);
    settings[BC26_SETTING_SHOW_LENGTH] = 0;
    ck_assert_uint_eq(visible(record, settings), 1);
    settings[BC26_SETTING_SHOW_LENGTH] = AT_UNKNOWN;
    ck_assert_uint_eq(visible(record, settings), 1);
    ck_assert_uint_eq(at_field_index(record->fields, record->nfields, AT_NONE), record->nfields);
}
END_TEST

/* The window --------------------------------------------------------------------------- */

START_TEST(payload_goes_straight_to_its_place)
{
    struct seen seen;
    struct at_stream stream;
    uint8_t window[64];
    uint8_t place[512];
    size_t room;
    memset(&seen, 0, sizeof seen);
    (void)at_stream_init(&stream, &bc26, settings, window, sizeof window, note_event, &seen);
    at_stream_feed(&stream, bytes("\r\n+QIRD: 512\r\nab"), 16);
    ck_assert_int_eq(seen.type, AT_EVENT_PAYLOAD); /* two bytes came through the window */
    at_stream_direct(&stream, place + 2);
    ck_assert_ptr_eq(at_stream_reserve(&stream, &room), place + 2);
    ck_assert_uint_eq(room, 510); /* more than the window holds */
    at_stream_commit(&stream, 0);
    at_stream_commit(&stream, 500);
    ck_assert_ptr_eq(at_stream_reserve(&stream, &room), place + 502);
    ck_assert_uint_eq(room, 10);
    at_stream_commit(&stream, 10);
    uint8_t *next = at_stream_reserve(&stream, &room); /* back to the window */
    ck_assert(next >= window && next < window + sizeof window && room > 0);
    at_stream_feed(&stream, bytes("\r\n\r\nOK\r\n"), 8);
    ck_assert_int_eq(seen.type, AT_EVENT_LINE);
    ck_assert_int_eq(seen.record->id, BC26_LINE_OK_FINAL);
}
END_TEST

START_TEST(an_unfinished_stream_starts_afresh)
{
    static const char *const beginnings[] = {"\r\n+QIR", "\r\n+QIRD: 5\r\nab", "foo", "AT+",
                                             "\r", ">", "+QIRD: 1"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        struct seen seen;
        struct at_stream stream;
        uint8_t window[64];
        memset(&seen, 0, sizeof seen);
        (void)at_stream_init(&stream, &bc26, settings, window, sizeof window, note_event, &seen);
        at_stream_feed(&stream, bytes(beginnings[i]), strlen(beginnings[i]));
        at_stream_finish(&stream);
        seen.events = 0;
        at_stream_finish(&stream); /* nothing is left */
        ck_assert_uint_eq(seen.events, 0);
        at_stream_feed(&stream, bytes("OK\r\n"), 4);
        ck_assert_uint_eq(seen.events, 1);
        ck_assert_int_eq(seen.record->id, BC26_LINE_OK_FINAL);
    }
}
END_TEST

static Suite *codec(void)
{
    Suite *suite = suite_create("codec");
    TCase *text = tcase_create("text");
    tcase_add_test(text, integers_up_to_their_limits);
    tcase_add_test(text, integers_beyond_their_limits);
    tcase_add_test(text, unsigned_integers);
    tcase_add_test(text, numbers_are_written_as_they_are_read);
    tcase_add_test(text, hosts);
    tcase_add_test(text, addresses);
    tcase_add_test(text, texts_are_equal_as_a_whole);
    tcase_add_test(text, printable);
    tcase_add_test(text, digits_both_ways);
    tcase_add_test(text, digits_in_either_case_and_in_place);
    tcase_add_test(text, what_is_no_digit);
    suite_add_tcase(suite, text);

    TCase *commands = tcase_create("commands");
    tcase_add_checked_fixture(commands, default_settings, NULL);
    tcase_add_test(commands, what_has_the_shape_of_a_command_line);
    tcase_add_test(commands, command_lines_and_their_forms);
    tcase_add_test(commands, lines_that_are_no_command);
    tcase_add_test(commands, arguments_that_are_refused);
    tcase_add_test(commands, too_many_arguments);
    tcase_add_test(commands, what_a_command_line_decodes_to);
    tcase_add_test(commands, the_format_decides_how_long_inline_data_are);
    tcase_add_test(commands, what_a_form_writes);
    tcase_add_test(commands, requests_by_parameter);
    suite_add_tcase(suite, commands);

    TCase *lines = tcase_create("lines");
    tcase_add_checked_fixture(lines, default_settings, NULL);
    tcase_add_test(lines, what_a_line_of_the_module_writes);
    tcase_add_test(lines, strings_point_into_the_line);
    tcase_add_test(lines, absent_members_are_zero);
    tcase_add_test(lines, a_decoder_refuses_the_line_of_another);
    tcase_add_test(lines, no_number_where_the_line_has_none);
    tcase_add_test(lines, a_misfit_of_a_known_head);
    tcase_add_test(lines, settings_are_learned_from_lines);
    tcase_add_test(lines, nothing_is_learned_from_indexes_and_values_beyond);
    tcase_add_test(lines, slots_of_settings);
    tcase_add_test(lines, visible_fields_follow_the_settings);
    tcase_add_test(lines, payload_goes_straight_to_its_place);
    tcase_add_test(lines, a_window_that_is_too_small_is_refused);
    tcase_add_test(lines, an_unfinished_stream_starts_afresh);
    suite_add_tcase(suite, lines);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(codec());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

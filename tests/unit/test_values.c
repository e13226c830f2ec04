/*
 * The tables of values and the settings, against numbers and words copied from
 * the manuals by hand: chapter 3 for the error codes, the parameter tables of
 * each command for the rest, 27.007 for +CME ERROR. Nothing here is generated.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bc26.h"
#include "covers.h"

struct expected {
    int32_t code;       /* as in the manual */
    int32_t enumerator; /* as in bc26.h */
    const char *text;
};

/* Every code has its name and its words, and no code beside them has any. */
static void assert_table(const char *table, const struct expected *all, size_t n,
                         const char *(*text)(int32_t))
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(all[i].enumerator, all[i].code);
        ck_assert_ptr_nonnull(text(all[i].code));
        ck_assert_str_eq(text(all[i].code), all[i].text);
    }
    for (int32_t code = -1000; code < 1000; code++) {
        bool listed = false;
        for (size_t i = 0; i < n; i++) {
            listed = listed || all[i].code == code;
        }
        ck_assert_msg((text(code) != NULL) == listed, "%s: %d", table, (int)code);
    }
    ck_assert_ptr_null(text(INT32_MIN));
    ck_assert_ptr_null(text(INT32_MAX));
    covers("values", table, "every code and text");
}

#define TABLE(table, ...)                                                            \
    do {                                                                             \
        static const struct expected all[] = {__VA_ARGS__};                          \
        assert_table(#table, all, sizeof all / sizeof *all, bc26_##table##_text);    \
    } while (0)

/* Chapter 3, table 1: success, and 550 to 574 without a gap. */
START_TEST(error_codes)
{
    TABLE(error, {0, BC26_ERROR_SUCCESS, "Operation successful"},
          {550, BC26_ERROR_UNKNOWN, "Unknown error"},
          {551, BC26_ERROR_BLOCKED, "Operation blocked"},
          {552, BC26_ERROR_INVALID_PARAMETERS, "Invalid parameters"},
          {553, BC26_ERROR_MEMORY, "Memory not enough"},
          {554, BC26_ERROR_CREATE_SOCKET, "Create socket failed"},
          {555, BC26_ERROR_NOT_SUPPORTED, "Operation not supported"},
          {556, BC26_ERROR_BIND, "Socket bind failed"},
          {557, BC26_ERROR_LISTEN, "Socket listen failed"},
          {558, BC26_ERROR_WRITE, "Socket write failed"},
          {559, BC26_ERROR_READ, "Socket read failed"},
          {560, BC26_ERROR_ACCEPT, "Socket accept failed"},
          {561, BC26_ERROR_OPEN_PDP, "Open PDP context failed"},
          {562, BC26_ERROR_CLOSE_PDP, "Close PDP context failed"},
          {563, BC26_ERROR_SOCKET_IN_USE, "Socket identity has been used"},
          {564, BC26_ERROR_DNS_BUSY, "DNS busy"},
          {565, BC26_ERROR_DNS_PARSE, "DNS parse failed"},
          {566, BC26_ERROR_CONNECT, "Socket connection failed"},
          {567, BC26_ERROR_SOCKET_CLOSED, "Socket has been closed"},
          {568, BC26_ERROR_BUSY, "Operation busy"},
          {569, BC26_ERROR_TIMEOUT, "Operation timeout"},
          {570, BC26_ERROR_PDP_BROKEN, "PDP context broken down"},
          {571, BC26_ERROR_CANCEL_SEND, "Cancel send"},
          {572, BC26_ERROR_NOT_ALLOWED, "Operation not allowed"},
          {573, BC26_ERROR_NO_APN, "APN not configured"},
          {574, BC26_ERROR_PORT_BUSY, "Port busy"});
}
END_TEST

/* 2.1.1, 2.1.3, 2.1.7, 2.1.9, 2.1.12: the parameter tables. */
START_TEST(parameters)
{
    TABLE(data_format, {0, BC26_DATA_FORMAT_TEXT, "the bytes themselves"},
          {1, BC26_DATA_FORMAT_HEX, "two hexadecimal digits a byte"});
    TABLE(view_mode, {0, BC26_VIEW_MODE_LINE, "a line break"},
          {1, BC26_VIEW_MODE_COMMA, "a comma"});
    TABLE(show_length, {0, BC26_SHOW_LENGTH_HIDDEN, "not shown"},
          {1, BC26_SHOW_LENGTH_SHOWN, "shown"});
    TABLE(echo_mode, {0, BC26_ECHO_MODE_OFF, "not echoed"}, {1, BC26_ECHO_MODE_ON, "echoed"});
    TABLE(access_mode,
          {0, BC26_ACCESS_MODE_BUFFER, "kept by the module until they are read with AT+QIRD"},
          {1, BC26_ACCESS_MODE_PUSH, "sent with the URC that announces them"});
    TABLE(protocol_type, {0, BC26_PROTOCOL_TYPE_IPV4, "IPv4"},
          {1, BC26_PROTOCOL_TYPE_IPV6, "IPv6"});
    TABLE(socket_state, {0, BC26_SOCKET_STATE_INITIAL, "not yet connected"},
          {1, BC26_SOCKET_STATE_CONNECTING, "connecting"},
          {2, BC26_SOCKET_STATE_CONNECTED, "connected"},
          {3, BC26_SOCKET_STATE_CLOSING, "closing"},
          {4, BC26_SOCKET_STATE_REMOTE_CLOSING, "the remote server is closing the connection"});
    TABLE(autosettime, {0, BC26_AUTOSETTIME_KEEP, "the clock is left alone"},
          {1, BC26_AUTOSETTIME_SET, "the clock is set"});
}
END_TEST

/* On the wire these are words: 2.1.1. */
START_TEST(words)
{
    TABLE(service_type, {0, BC26_SERVICE_TYPE_TCP, "TCP"}, {1, BC26_SERVICE_TYPE_UDP, "UDP"});
}
END_TEST

/* 27.007, 9.1 and 9.2.1. */
START_TEST(general)
{
    TABLE(cme_error, {0, BC26_CME_ERROR_PHONE_FAILURE, "phone failure"},
          {1, BC26_CME_ERROR_NO_CONNECTION, "no connection to phone"},
          {3, BC26_CME_ERROR_NOT_ALLOWED, "operation not allowed"},
          {4, BC26_CME_ERROR_NOT_SUPPORTED, "operation not supported"},
          {10, BC26_CME_ERROR_NO_SIM, "SIM not inserted"},
          {13, BC26_CME_ERROR_SIM_FAILURE, "SIM failure"},
          {20, BC26_CME_ERROR_MEMORY_FULL, "memory full"},
          {23, BC26_CME_ERROR_MEMORY_FAILURE, "memory failure"},
          {30, BC26_CME_ERROR_NO_NETWORK, "no network service"},
          {31, BC26_CME_ERROR_NETWORK_TIMEOUT, "network timeout"},
          {50, BC26_CME_ERROR_INCORRECT_PARAMETERS, "Incorrect parameters"},
          {100, BC26_CME_ERROR_UNKNOWN, "unknown"});
    TABLE(cmee_mode, {0, BC26_CMEE_MODE_PLAIN, "a plain ERROR"},
          {1, BC26_CMEE_MODE_NUMBER, "+CME ERROR with a number"},
          {2, BC26_CMEE_MODE_TEXT, "+CME ERROR with a text"});
}
END_TEST

/* Settings ---------------------------------------------------------------- */

static uint8_t settings[BC26_SETTINGS];

static void ignore(void *ctx, const struct at_event *event)
{
    (void)ctx;
    (void)event;
}

/* Unknown at first; the module's answer tells it, and no other. */
static void assert_told(const char *name, uint8_t slot, const char *answer, uint8_t value)
{
    struct at_stream stream;
    uint8_t window[128];
    memset(settings, AT_UNKNOWN, sizeof settings);
    (void)at_stream_init(&stream, &bc26, settings, window, sizeof window, ignore, NULL);
    at_stream_feed(&stream, (const uint8_t *)answer, strlen(answer));
    for (uint8_t i = 0; i < BC26_SETTINGS; i++) {
        bool same_answer = strstr(answer, "dataformat") != NULL && i < 2;
        ck_assert_msg(i == slot ? settings[i] == value : same_answer || settings[i] == AT_UNKNOWN,
                      "%s: setting %d is %d after %s", name, i, settings[i], answer);
    }
    covers("setting", name, "told by the module");
}

START_TEST(settings_told)
{
    assert_told("send_data_format", BC26_SETTING_SEND_DATA_FORMAT,
                "+QICFG: \"dataformat\",1,0\r\n", 1);
    assert_told("recv_data_format", BC26_SETTING_RECV_DATA_FORMAT,
                "+QICFG: \"dataformat\",0,1\r\n", 1);
    assert_told("view_mode", BC26_SETTING_VIEW_MODE, "+QICFG: \"viewmode\",1\r\n", 1);
    assert_told("show_length", BC26_SETTING_SHOW_LENGTH, "+QICFG: \"showlength\",1\r\n", 1);
    assert_told("echo_mode", BC26_SETTING_ECHO_MODE, "+QICFG: \"echomode\",1\r\n", 1);
    for (uint8_t id = 0; id < 5; id++) {
        char line[] = "+QISTATE: 0,\"TCP\",\"1.1.1.1\",80,0,2,1,1\r\n";
        line[10] = (char)('0' + id);
        assert_told("access_mode", (uint8_t)(BC26_SETTING_ACCESS_MODE + id), line, 1);
    }
    /* A kin appends fields, which are ignored. */
    assert_told("access_mode", BC26_SETTING_ACCESS_MODE,
                "+QISTATE: 0,\"TCP\",\"1.1.1.1\",80,0,2,1,1,9,\"x\"\r\n", 1);
}
END_TEST

/* 1.2 and 2.1.12: how many there are, what they are at first, who tells them,
 * and which survive a restart. */
START_TEST(settings_described)
{
    static const struct {
        const char *name;
        uint8_t slots, max, initial, when_refused, stored;
        uint16_t read_by;
    } expected[] = {
        {"send_data_format", 1, 1, 0, AT_UNKNOWN, 1, BC26_FORM_QICFG_DATAFORMAT},
        {"recv_data_format", 1, 1, 0, AT_UNKNOWN, 1, BC26_FORM_QICFG_DATAFORMAT},
        {"view_mode", 1, 1, 0, AT_UNKNOWN, 1, BC26_FORM_QICFG_VIEWMODE},
        {"show_length", 1, 1, 0, AT_UNKNOWN, 1, BC26_FORM_QICFG_SHOWLENGTH},
        {"echo_mode", 1, 1, 0, 0, 0, BC26_FORM_QICFG_ECHOMODE},
        {"access_mode", 5, 1, 0, AT_UNKNOWN, 1, BC26_FORM_QISTATE_READ},
    };
    uint8_t slot = 0;
    ck_assert_uint_eq(bc26.nsettings, sizeof expected / sizeof *expected);
    for (uint8_t i = 0; i < bc26.nsettings; i++) {
        const struct at_setting *setting = &bc26.settings[i];
        ck_assert_str_eq(setting->name, expected[i].name);
        ck_assert_uint_eq(setting->slot, slot);
        ck_assert_uint_eq(setting->slots, expected[i].slots);
        ck_assert_uint_eq(setting->max, expected[i].max);
        ck_assert_uint_eq(setting->initial, expected[i].initial);
        ck_assert_uint_eq(setting->when_refused, expected[i].when_refused);
        ck_assert_uint_eq(setting->stored, expected[i].stored);
        ck_assert_uint_eq(setting->read_by, expected[i].read_by);
        slot = (uint8_t)(slot + setting->slots);
    }
    ck_assert_uint_eq(slot, BC26_SETTINGS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("values");
    TCase *values = tcase_create("values");
    tcase_add_test(values, error_codes);
    tcase_add_test(values, parameters);
    tcase_add_test(values, words);
    tcase_add_test(values, general);
    tcase_add_test(values, settings_told);
    tcase_add_test(values, settings_described);
    suite_add_tcase(suite, values);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * A module that only its YAML knows: tests/generator/second/tide.yaml. Neither
 * the generator nor the runtime has a line for it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tide_module.h"

static uint8_t settings[TIDE_SETTINGS];
static uint8_t window[256];
static struct at_stream stream;

static struct {
    int lines, others;
    struct tide_sysinfo_response sysinfo;
    char text[128];
    struct tide_sample_urc sample;
    uint8_t payload[64];
    size_t payload_len;
} heard;

static void on_event(void *ctx, const struct at_event *event)
{
    (void)ctx;
    if (event->type == AT_EVENT_PAYLOAD) {
        memcpy(heard.payload + heard.payload_len, event->data, event->len);
        heard.payload_len += event->len;
    } else if (event->type != AT_EVENT_LINE) {
        heard.others++;
    } else {
        struct at_line line = *event->line;
        heard.lines++;
        memcpy(heard.text, line.text, line.len);
        line.text = (const uint8_t *)heard.text;
        if (tide_sysinfo_response_decode(&line, &heard.sysinfo) == AT_E_SYNTAX) {
            ck_assert_int_eq(tide_sample_urc_decode(&line, &heard.sample), AT_OK);
        }
    }
}

static void hear(const char *text)
{
    memset(&heard, 0, sizeof heard);
    (void)at_stream_init(&stream, &tide, settings, window, sizeof window, on_event, NULL);
    at_stream_feed(&stream, (const uint8_t *)text, strlen(text));
    ck_assert_int_eq(heard.others, 0);
}

START_TEST(a_command_both_ways)
{
    const struct tide_chan_unit request = {
        .channel = 3, .unit = TIDE_UNIT_MILLIBARS, .has_offset = true, .offset = -500};
    static const char expected[] = "AT^CHAN=\"unit\",3,\"MBAR\",-500\r";
    struct tide_chan_unit got;
    struct at_command command;
    char line[64];
    int n = tide_chan_unit_encode(settings, &request, line, sizeof line, NULL);
    ck_assert_int_eq(n, sizeof expected - 1);
    ck_assert_mem_eq(line, expected, sizeof expected - 1);
    ck_assert_int_eq(
        at_command_parse(&tide_grammar, settings, (uint8_t *)line, (size_t)n - 1u, &command, NULL),
        AT_OK);
    ck_assert_ptr_eq(command.form, &tide.forms[TIDE_FORM_CHAN_UNIT]);
    ck_assert_int_eq(at_command_decode(&tide_grammar, &command, &got), AT_OK);
    ck_assert_int_eq(got.channel, 3);
    ck_assert_int_eq(got.unit, TIDE_UNIT_MILLIBARS);
    ck_assert(got.has_offset && got.offset == -500);
}
END_TEST

START_TEST(a_line_both_ways)
{
    static const char expected[] = "^SYSINFO: \"TG1\",4294967295,pier, north";
    struct tide_sysinfo_response line = {
        .model = {"TG1", 3}, .serial = 4294967295u, .has_note = true, .note = {"pier, north", 11}};
    char buf[64];
    int n = tide_sysinfo_response_encode(&line, buf, sizeof buf, NULL);
    ck_assert_int_eq(n, sizeof expected - 1);
    ck_assert_mem_eq(buf, expected, sizeof expected - 1);
    hear("\r\n^SYSINFO:\"TG1\",4294967295,pier, north\r\n");
    ck_assert_int_eq(heard.lines, 1);
    ck_assert_uint_eq(heard.sysinfo.serial, 4294967295u);
    ck_assert_uint_eq(heard.sysinfo.note.len, 11);
    ck_assert_mem_eq(heard.sysinfo.note.ptr, "pier, north", 11);
}
END_TEST

/* Its own settings decide what follows the same text. */
START_TEST(settings_frame_it)
{
    static const char text[] = "\r\n^SAMPLE: 2,2\r\n0A0d\r\n";
    settings[TIDE_SETTING_ENCODING] = TIDE_ENCODING_DIGITS;
    settings[TIDE_SETTING_DELIVERY + 2] = TIDE_DELIVERY_STREAMED;
    hear(text);
    ck_assert_int_eq(heard.lines, 1);
    ck_assert_int_eq(heard.sample.channel, 2);
    ck_assert_uint_eq(heard.payload_len, 4);
    ck_assert_mem_eq(heard.payload, "0A0d", 4);

    settings[TIDE_SETTING_DELIVERY + 2] = TIDE_DELIVERY_POLLED;
    hear("\r\n^SAMPLE: 2,2\r\n");
    ck_assert_int_eq(heard.lines, 1);
    ck_assert_uint_eq(heard.payload_len, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("second module");
    TCase *tide_case = tcase_create("tide");
    tcase_add_test(tide_case, a_command_both_ways);
    tcase_add_test(tide_case, a_line_both_ways);
    tcase_add_test(tide_case, settings_frame_it);
    suite_add_tcase(suite, tide_case);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

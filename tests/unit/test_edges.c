/*
 * The ends of ranges in the runtime's smallest functions, by descriptors made up for it: what no
 * manual has, so that no transcript comes by it. Each text stands in a block of its own size, which
 * the sanitizers watch.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "at/codec.h"
#include "fields.h"
#include "text.h"

static uint8_t *blocks[64];
static size_t nblocks;

static void free_blocks(void)
{
    while (nblocks > 0) {
        free(blocks[--nblocks]);
    }
}

/* A text with nothing before and behind it, until the test ends. */
static const uint8_t *alone(const char *text)
{
    size_t len = strlen(text);
    uint8_t *block = malloc(len + (len == 0));
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_lt(nblocks, sizeof blocks / sizeof *blocks);
    blocks[nblocks++] = block;
    memcpy(block, text, len);
    return block + (len == 0); /* of none: not even its first byte may be read */
}

#define ALONE(text) alone(text), strlen(text)

/* Texts ------------------------------------------------------------------- */

START_TEST(numbers)
{
    int32_t value = 7;
    uint32_t big = 7;
    ck_assert(!at_parse_int(ALONE(""), &value));
    ck_assert(!at_parse_int(ALONE("-"), &value));
    ck_assert(!at_parse_uint(ALONE(""), &big));
    ck_assert(at_parse_int(ALONE("-0"), &value));
    ck_assert_int_eq(value, 0);
    ck_assert(at_parse_int(ALONE("-2147483648"), &value));
    ck_assert_int_eq(value, INT32_MIN);
    ck_assert(!at_parse_int(ALONE("-2147483649"), &value));
    ck_assert(at_parse_int(ALONE("2147483647"), &value));
    ck_assert_int_eq(value, INT32_MAX);
    ck_assert(!at_parse_int(ALONE("2147483648"), &value));
    ck_assert(at_parse_uint(ALONE("4294967295"), &big));
    ck_assert_uint_eq(big, UINT32_MAX);
    ck_assert(!at_parse_uint(ALONE("4294967296"), &big));
    ck_assert(!at_parse_uint(ALONE("9999999999"), &big));
}
END_TEST

START_TEST(digits)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    for (int c = 0; c <= UINT8_MAX; c++) {
        const char *low = c != 0 ? strchr(lower, c) : NULL;
        const char *high = c != 0 ? strchr(upper, c) : NULL;
        int expected = low != NULL ? (int)(low - lower) : high != NULL ? (int)(high - upper) : -1;
        ck_assert_int_eq(at_hex_digit((uint8_t)c), expected);
    }
}
END_TEST

START_TEST(lengths)
{
    static const char empty[] = {'\0', 'x', '\0'};
    ck_assert_uint_eq(at_length(empty), 0);
    ck_assert_uint_eq(at_length(empty + 1), 1);
}
END_TEST

START_TEST(hosts)
{
    static const char *const bad[] = {"*a", "a*", "a b", "a/b", "a@b", "\x7f", "a\"", "[a"};
    ck_assert(at_is_host(ALONE("a")));
    ck_assert(at_is_host(ALONE("Zz09.-_:")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!at_is_host(ALONE(bad[i])), "%s", bad[i]);
    }
}
END_TEST

START_TEST(addresses)
{
    static const char *const good[] = {"0.0.0.0", "255.255.255.255", "1.1.1.1", "::", "a:b", "::ffff:1.2.3.4"};
    static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", ".1.2.3", "1.2.3.", "1..2.3", "256.1.1.1", "0001.1.1.1",
                                      "1.1.1.0255", "1.1.1.x", "fe80", "g::", "1.2.3.4/8"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(at_is_address(ALONE(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!at_is_address(ALONE(bad[i])), "%s", bad[i]);
    }
}
END_TEST

/* Hayes: AT alone, extended commands, or letters with a number each. */
START_TEST(command_lines)
{
    static const char *const good[] = {"AT", "at", "At", "ATE0", "ATE0V1", "ATE", "AT&F", "AT+X", "ATE0+X", "AT9", "ATE9V",
                                       "ATS3=1", "ATI?", "AT$X", "AT%X", "AT*X", "AT^X", "AT#X"};
    static const char *const bad[] = {"", "A", "a", "T", "@T", "AX", "BT", "`T", "ATTEN", "ATE0VV", "AT-", "AT:", "AT E", "ATE9!"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool takes = strcmp(good[i], "AT9") != 0; /* a number of no letter */
        ck_assert_msg(at_is_command_line(ALONE(good[i])) == takes, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!at_is_command_line(ALONE(bad[i])), "%s", bad[i]);
    }
}
END_TEST

/* Lines ------------------------------------------------------------------- */

enum { FIRST, SECOND, OTHER }; /* parameters */

static const struct at_kind number = {.type = AT_INT, .max = INT32_MAX};
static const struct at_param params[] = {{.kind = &number}, {.kind = &number}, {.kind = &number}};
static const struct at_field two[] = {{.param = FIRST}, {.param = SECOND, .offset = sizeof(int32_t), .group = 1}};
static const struct at_module none = {.params = params};

START_TEST(answers_to_tests)
{
    static const struct at_record test = {.kind = AT_KIND_TEST};
    static const char *const lines[][2] = {{"+X:", ""}, {"+X: ", ""}, {"+X: (0)", "(0)"}, {"+X:(0)", "(0)"}, {"+X:  a", " a"}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct at_line line = {&none, &test, ALONE(lines[i][0]), NULL, 0, false, -1};
        struct at_str text;
        ck_assert_int_eq(at_line_decode(&line, &text), AT_OK);
        ck_assert_uint_eq(text.len, strlen(lines[i][1]));
        ck_assert_mem_eq(text.ptr, lines[i][1], text.len);
    }
}
END_TEST

/* A line says what its own fields say: not what stands behind them, or behind the marks. */
START_TEST(integers_of_lines)
{
    static const struct at_record record = {.fields = two, .nfields = 2, .extra = 1};
    static const struct at_mark marks[] = {{0, 1, AT_MARK_INT}, {2, 3, AT_MARK_INT}, {4, 5, AT_MARK_INT}};
    struct at_line line = {&none, &record, ALONE("1,2,3"), marks, 3, false, -1};
    int32_t value = 9;
    ck_assert(at_line_int(&line, FIRST, &value) && value == 1);
    ck_assert(at_line_int(&line, SECOND, &value) && value == 2);
    ck_assert(!at_line_int(&line, OTHER, &value)); /* no field has it, though there's a third */
    line.nmarks = 1;
    ck_assert(!at_line_int(&line, SECOND, &value));
    ck_assert(!at_line_int(&line, OTHER, &value));
    ck_assert_int_eq(value, 2);
}
END_TEST

START_TEST(slots_of_settings)
{
    static const struct at_effect single = {.slot = 4, .slots = 1, .max = 2, .key = AT_NONE};
    static const struct at_effect pair = {.slot = 4, .slots = 2, .max = 2, .key = FIRST};
    uint8_t slot = 0;
    ck_assert(at_setting_slot(&single, 9, 2, &slot) && slot == 4);
    ck_assert(!at_setting_slot(&single, 0, 3, &slot));
    ck_assert(!at_setting_slot(&single, 0, -1, &slot));
    ck_assert(at_setting_slot(&pair, 0, 0, &slot) && slot == 4);
    ck_assert(at_setting_slot(&pair, 1, 0, &slot) && slot == 5);
    ck_assert(!at_setting_slot(&pair, 2, 0, &slot));
    ck_assert(!at_setting_slot(&pair, -1, 0, &slot));
}
END_TEST

START_TEST(choices)
{
    static const char *const words[] = {"one", "two"};
    static const struct at_str two_ = {"two", 3}, on = {"on", 2}, ones = {"ones", 4};
    ck_assert_int_eq(at_choice_of(two_, words, 2), 1);
    ck_assert_int_eq(at_choice_of(two_, words, 1), -1);
    ck_assert_int_eq(at_choice_of(on, words, 2), -1);
    ck_assert_int_eq(at_choice_of(ones, words, 2), -1);
}
END_TEST

/* What a line tells of settings: nothing of an index that it doesn't say. */
START_TEST(settings_of_lines)
{
    static const struct at_effect effects[] = {{.slot = 0, .slots = 2, .max = 2, .key = SECOND, .value = FIRST},
                                               {.slot = 2, .slots = 1, .max = 2, .key = AT_NONE, .value = FIRST}};
    static const struct at_record_rare rare = {.effects = effects, .neffects = 2};
    static const struct at_record record = {.fields = two, .rare = &rare, .nfields = 2};
    static const struct at_mark marks[] = {{0, 1, AT_MARK_INT}, {2, 3, AT_MARK_INT}};
    uint8_t settings[3] = {7, 7, 7};
    struct at_line line = {&none, &record, ALONE("2,1"), marks, 1, false, -1};
    at_line_learn(&line, settings);
    ck_assert_mem_eq(settings, ((uint8_t[]){7, 7, 2}), 3);
    line.nmarks = 2;
    at_line_learn(&line, settings);
    ck_assert_mem_eq(settings, ((uint8_t[]){7, 2, 2}), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edges");
    TCase *texts = tcase_create("texts"), *lines = tcase_create("lines");
    tcase_add_checked_fixture(texts, NULL, free_blocks);
    tcase_add_checked_fixture(lines, NULL, free_blocks);
    tcase_add_test(texts, numbers);
    tcase_add_test(texts, digits);
    tcase_add_test(texts, lengths);
    tcase_add_test(texts, hosts);
    tcase_add_test(texts, addresses);
    tcase_add_test(texts, command_lines);
    tcase_add_test(lines, answers_to_tests);
    tcase_add_test(lines, integers_of_lines);
    tcase_add_test(lines, slots_of_settings);
    tcase_add_test(lines, choices);
    tcase_add_test(lines, settings_of_lines);
    suite_add_tcase(suite, texts);
    suite_add_tcase(suite, lines);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

/* Names of firmware: read from what a module says, compared, asked. */
#include "bc26.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct at_str str(const char *text)
{
    struct at_str out = { text, strlen(text) };
    return out;
}

/* 1, 0, or -1 where the name isn't known. */
static int echo(const char *revision)
{
    struct at_firmware firmware;
    memset(&firmware, 0xAA, sizeof firmware);
    int status = bc26_firmware_parse(str(revision), &firmware);
    bool has = bc26_supports(&firmware, BC26_FEATURE_QICFG_ECHOMODE);
    if (status != AT_OK) {
        ck_assert_int_eq(status, AT_E_SYNTAX);
        ck_assert_int_eq(firmware.series, 0);
        ck_assert_msg(has, "what isn't known is assumed to have everything");
        return -1;
    }
    return has;
}

START_TEST(in_what_a_module_says)
{
    ck_assert_int_eq(echo("BC26NBR01A06"), 0);
    ck_assert_int_eq(echo("BC26NBR01A07"), 1);
    ck_assert_int_eq(echo("Revision: BC26NBR01A06"), 0);
    ck_assert_int_eq(echo("Revision:BC26NAR01A08_01.002.01.002"), 1);
    ck_assert_int_eq(echo("Quectel_Ltd\r\nQuectel_BC26\r\nRevision: BC26NBR01A03\r\n"), 0);
}
END_TEST

START_TEST(each_device_by_itself)
{
    ck_assert_int_eq(echo("BC20NBR01A07"), 0);
    ck_assert_int_eq(echo("BC20NBR01A08"), 1);
}
END_TEST

START_TEST(numbers_from_left_to_right)
{
    ck_assert_int_eq(echo("BC26NBR02A01"), 1);
    ck_assert_int_eq(echo("BC26NBR00A99"), 0);
    ck_assert_int_eq(echo("BC26NBR01A10"), 1);
    ck_assert_int_eq(echo("BC26NBR1A7"), 1);
    ck_assert_int_eq(echo("BC26NBR01A65542"), 1); /* 6 in 16 bits */
    ck_assert_int_eq(echo("BC26NBR01A4294967302"), 1);
    ck_assert_int_eq(echo("BC26NBR99999999999A00"), 1);
}
END_TEST

START_TEST(of_no_series)
{
    static const char *const names[] = { "", "BC26", "BC26NBR01", "BC26NBR01A", "BC26N1R01A07", "BC66NBR01A07",
                                         "bc26nbr01a07", "XBC26NBR01A06", "0BC26NBR01A06", "BC26NBRA06" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_msg(echo(names[i]) == -1, "%s", names[i]);
    }
    ck_assert_int_eq(echo("XBC26NBR01A06 BC26NBR01A06"), 0);
}
END_TEST

START_TEST(nothing_read_beyond_the_text)
{
    const char *name = "BC26NBR01A07";
    for (size_t n = 0; n < strlen(name); n++) {
        char *cut = malloc(n + 1); /* sanitizers see a byte too many */
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, name, n);
        struct at_firmware firmware;
        struct at_str text = { cut, n };
        ck_assert_int_eq(bc26_firmware_parse(text, &firmware), n < strlen(name) - 1 ? AT_E_SYNTAX : AT_OK);
        free(cut);
    }
}
END_TEST

/* The last firmware that has something; names of more numbers than one. */
START_TEST(until_a_firmware)
{
    static const char *const series[] = { "ONE#", "TWO#.#.#" };
    static const struct at_firmware_bound bounds[] = {
        { 0, 1, false, { 2 } }, { 0, 1, true, { 4 } }, { 1, 2, true, { 1, 2, 3 } },
    };
    static const struct { const char *name; bool first, second; } cases[] = {
        { "ONE1", false, true }, { "ONE2", true, true }, { "ONE4", true, true }, { "ONE5", false, true },
        { "TWO1.2.3", true, true }, { "TWO1.2.4", true, false }, { "TWO1.3.0", true, false },
        { "TWO0.9.9", true, true }, { "TWO2.0.0", true, false }, { "", true, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct at_firmware firmware;
        (void)at_firmware_parse(series, 2, str(cases[i].name), &firmware);
        ck_assert_msg(at_firmware_has(bounds, 3, &firmware, 0) == cases[i].first, "%s", cases[i].name);
        ck_assert_msg(at_firmware_has(bounds, 3, &firmware, 1) == cases[i].second, "%s", cases[i].name);
        ck_assert(at_firmware_has(bounds, 3, &firmware, 2));
    }
}
END_TEST

START_TEST(no_more_numbers_than_there_is_room_for)
{
    static const char *const series[] = { "S#.#.#.#.#.#.#", "S#.#.#.#.#.#" };
    struct at_firmware firmware;
    ck_assert_int_eq(at_firmware_parse(series, 1, str("S1.2.3.4.5.6.7"), &firmware), AT_E_SYNTAX);
    ck_assert_int_eq(at_firmware_parse(series, 2, str("S1.2.3.4.5.6.7"), &firmware), AT_OK);
    ck_assert_uint_eq(firmware.series, 2);
    ck_assert_uint_eq(firmware.count, AT_FIRMWARE_NUMBERS);
    ck_assert_uint_eq(firmware.numbers[5], 6);
}
END_TEST

START_TEST(before_anything_was_read)
{
    struct at_firmware firmware = { 0 };
    ck_assert(bc26_supports(&firmware, BC26_FEATURE_QICFG_ECHOMODE));
    ck_assert_int_eq(BC26_HAS_QICFG_ECHOMODE, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("firmware");
    TCase *names = tcase_create("names");
    tcase_add_test(names, in_what_a_module_says);
    tcase_add_test(names, each_device_by_itself);
    tcase_add_test(names, numbers_from_left_to_right);
    tcase_add_test(names, of_no_series);
    tcase_add_test(names, nothing_read_beyond_the_text);
    tcase_add_test(names, until_a_firmware);
    tcase_add_test(names, no_more_numbers_than_there_is_room_for);
    tcase_add_test(names, before_anything_was_read);
    suite_add_tcase(suite, names);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The faulty line: its words, its dice, and what each fault makes of a dialogue. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault_line.h"

static struct virtual_module *vm;
static struct fault_line *line;
static uint32_t clock_ms;
static char got[8192];

static uint32_t now(void *ctx)
{
    (void)ctx;
    return clock_ms;
}

static void with(const char *words)
{
    struct virtual_config module = { .now_ms = now };
    struct fault_line_config config = { .now = now };
    struct fault_plan plan = { { 0 }, 1, false };
    char why[1024] = "";

    ck_assert_msg(fault_read(words, &plan, why, sizeof why), "%s", why);
    clock_ms = 0;
    config.vm = vm = virtual_new(&module, NULL);
    ck_assert_ptr_nonnull(vm);
    line = fault_line_new(&config, &plan);
    ck_assert_ptr_nonnull(line);
}

static void without(void)
{
    fault_line_free(line);
    virtual_free(vm);
}

/* All that comes of a text, however late. */
static const char *answer(const char *text)
{
    size_t len = strlen(text), n = 0;

    ck_assert_uint_eq(fault_line_input(line, text, len), len);
    for (int ms = 0; ms < 20000; ms++) {
        n += fault_line_output(line, got + n, sizeof got - 1 - n);
        clock_ms++;
    }
    got[n] = '\0';
    return got;
}

static void says(const char *words, const char *text, const char *expected)
{
    with(words);
    ck_assert_str_eq(answer(text), expected);
    without();
}

#define OFF "ATE0\r\r\nOK\r\n"

START_TEST(nothing_is_changed_without_a_fault)
{
    says("all=0", "ATE0\rAT+CMEE?\r", OFF "\r\n+CMEE: 0\r\n\r\nOK\r\n");
}
END_TEST

START_TEST(lines_are_spelled_otherwise)
{
    says("blank=1", "ATE0\r", "ATE0\r\r\n\r\nOK\r\n");
    says("noblank=1", "ATE0\r", "ATE0\rOK\r\n");
    says("echolf=1", "ATE0\r", "ATE0\r\n\r\nOK\r\n");
    says("nospace=1", "AT+CMEE?\r", "AT+CMEE?\r\r\n+CMEE:0\r\n\r\nOK\r\n");
    says("cfgline=1", "AT+QICFG=\"viewmode\",1\r",
         "AT+QICFG=\"viewmode\",1\r\r\n+QICFG: \"viewmode\",1\r\n\r\nOK\r\n");
    says("missing=1", "ATI\r", "ATI\r\r\nQuectel_Ltd\r\nQuectel_BC26\r\n\r\nOK\r\n");
}
END_TEST

START_TEST(the_module_sleeps_and_restarts)
{
    with("sleep=1,seed=3");
    const char *first = answer("AT\r");
    ck_assert_msg(strcmp(first, "") == 0 || strcmp(first, "\r\n") == 0, "%s", first);
    without();
    with("reboot=1");
    bool restarted = false;
    for (int i = 0; i < 40; i++) /* whenever it falls */
        restarted |= strstr(answer("AT+QIGETERROR\rAT\r"), "F1: 0000 0000") != NULL;
    ck_assert(restarted);
    without();
}
END_TEST

START_TEST(what_is_late_comes_whole)
{
    says("late=1,chunks=1", "ATE0\rAT+CMEE?\r", OFF "\r\n+CMEE: 0\r\n\r\nOK\r\n");
    with("late=1");
    ck_assert_uint_eq(fault_line_input(line, "AT\r", 3), 3);
    clock_ms += 299;
    ck_assert_uint_eq(fault_line_output(line, got, sizeof got), 0);
    ck_assert_int_ge(fault_line_timeout_ms(line), 1);
    clock_ms += 3000;
    ck_assert_uint_eq(fault_line_output(line, got, sizeof got), 9);
    ck_assert_int_eq(fault_line_timeout_ms(line), -1);
    without();
}
END_TEST

/* As a real clock may, at any time. */
static uint32_t hurried(void *ctx)
{
    (void)ctx;
    return clock_ms++;
}

START_TEST(a_clock_that_goes_on_delays_nothing)
{
    struct virtual_config module = { .now_ms = now };
    struct fault_line_config config = { .now = hurried };
    struct fault_plan plan = { { 0 }, 1, false };

    clock_ms = 0;
    config.vm = vm = virtual_new(&module, NULL);
    line = fault_line_new(&config, &plan);
    ck_assert_uint_eq(fault_line_input(line, "ATE0\rAT\r", 8), 8);
    size_t n = 0;
    while (n < 17 && clock_ms < 1000)
        n += fault_line_output(line, got + n, sizeof got - n);
    ck_assert_uint_eq(n, 17);
    without();
}
END_TEST

START_TEST(the_same_seed_does_the_same)
{
    char first[sizeof got];

    with("all=0.1,seed=7");
    strcpy(first, answer("AT+CMEE?\rAT+QIGETERROR\rAT+QISTATE?\rATI\r"));
    without();
    says("all=0.1,seed=7", "AT+CMEE?\rAT+QIGETERROR\rAT+QISTATE?\rATI\r", first);
    with("all=0.1,seed=8");
    ck_assert_str_ne(answer("AT+CMEE?\rAT+QIGETERROR\rAT+QISTATE?\rATI\r"), first);
    without();
}
END_TEST

START_TEST(harm_is_counted_and_known)
{
    struct fault_harm harm;

    with("doubled=1");
    (void)fault_line_input(line, "AT\r", 3);
    harm = fault_line_harm(line);
    ck_assert_uint_eq(harm.to_module, 3);
    ck_assert_uint_eq(harm.to_host, 0); /* yet */
    ck_assert_uint_eq(fault_line_counts(line)[FAULT_DOUBLED], 3);
    without();
    with("noise=1");
    (void)answer("ATE0\r");
    harm = fault_line_harm(line);
    ck_assert_uint_eq(harm.to_host, 1);
    ck_assert_uint_eq(harm.framing, 0);
    without();
}
END_TEST

START_TEST(words_that_say_nothing)
{
    static const char *const wrong[] = { "", "lost", "lost=", "lost=2", "lost=-1", "lost=0.1x",
                                         "lost=0.1,", "found=1", "seed=", "seed=4294967296", "=1" };
    struct fault_plan plan;
    char why[1024];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        why[0] = '\0';
        ck_assert_msg(!fault_read(wrong[i], &plan, why, sizeof why), "%s", wrong[i]);
        ck_assert_uint_gt(strlen(why), 0);
    }
    ck_assert(!fault_read("found=1", &plan, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "'found'"));
    ck_assert_ptr_nonnull(strstr(why, ", lost, "));
}
END_TEST

START_TEST(words_are_read)
{
    struct fault_plan plan = { { 0 }, 0, false };
    char why[1024];

    ck_assert(fault_read("quirks=0.25,lost=.001,seed=5,late=1", &plan, why, sizeof why));
    ck_assert_uint_eq(plan.rate[FAULT_LOST], 1000);
    ck_assert_uint_eq(plan.rate[FAULT_LATE], 1000000);
    ck_assert_uint_eq(plan.rate[FAULT_RDY], 250000);
    ck_assert_uint_eq(plan.rate[FAULT_DELAY], 0);
    ck_assert(plan.seeded);
    ck_assert_uint_eq(plan.seed, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fault");
    TCase *all = tcase_create("all");

    tcase_add_test(all, nothing_is_changed_without_a_fault);
    tcase_add_test(all, lines_are_spelled_otherwise);
    tcase_add_test(all, the_module_sleeps_and_restarts);
    tcase_add_test(all, what_is_late_comes_whole);
    tcase_add_test(all, a_clock_that_goes_on_delays_nothing);
    tcase_add_test(all, the_same_seed_does_the_same);
    tcase_add_test(all, harm_is_counted_and_known);
    tcase_add_test(all, words_that_say_nothing);
    tcase_add_test(all, words_are_read);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* One program as any revision or firmware: the grammars of views. */
#include "dated_module.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct at_str str(const char *text)
{
    struct at_str out = { text, strlen(text) };
    return out;
}

static const struct at_grammar *of(const char *name)
{
    const struct at_grammar *grammar = at_grammar_of(&dated_grammar, str(name));
    ck_assert_msg(grammar != NULL, "%s", name);
    return grammar;
}

static struct at_fault fault;

static int parse(const char *view, const char *line)
{
    struct at_command command;
    fault.param = NULL;
    return at_command_parse(of(view), NULL, (const uint8_t *)line, strlen(line), &command, &fault);
}

START_TEST(ranges)
{
    ck_assert_int_eq(parse("R1", "AT+GO=10"), AT_OK);
    ck_assert_int_eq(parse("R1", "AT+GO=11"), AT_E_ARGUMENT);
    ck_assert_int_eq(fault.reason, AT_RANGE);
    ck_assert_str_eq(fault.param->name, "speed");
    ck_assert_int_eq((int)fault.param->kind->max, 100); /* the module's own description */
    ck_assert_int_eq(parse("R2", "AT+GO=500"), AT_OK); /* a wider one, too */
    ck_assert_int_eq(parse("R2", "AT+GO=501"), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("R3", "AT+GO=101"), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("DT1R09A00", "AT+GO=101"), AT_E_ARGUMENT);
}
END_TEST

START_TEST(values)
{
    struct at_command command;
    struct dated_paint paint;
    ck_assert_int_eq(parse("R1", "AT+PAINT=\"GREEN\""), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("R1", "AT+PAINT=\"RED\""), AT_OK);
    ck_assert_int_eq(at_command_parse(of("R2"), NULL, (const uint8_t *)"AT+PAINT=\"GREEN\"", 16, &command, NULL),
                     AT_OK);
    ck_assert_int_eq(at_command_decode(of("R2"), &command, &paint), AT_OK);
    ck_assert_int_eq(paint.colour, DATED_COLOUR_GREEN);
    ck_assert_int_eq(parse("DT1R01A99", "AT+MODE=2"), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("DT1R02A00", "AT+MODE=2"), AT_OK);
}
END_TEST

START_TEST(parameters)
{
    ck_assert_int_eq(parse("R2", "AT+PAINT=\"RED\",1"), AT_E_ARGUMENT);
    ck_assert_int_eq(parse("R2", "AT+PAINT=\"RED\""), AT_OK);
    ck_assert_int_eq(parse("R3", "AT+PAINT=\"RED\",1"), AT_OK);
}
END_TEST

START_TEST(forms)
{
    ck_assert_int_eq(parse("DT1R02A05", "AT+HALT"), AT_OK);
    ck_assert_int_eq(parse("DT1R02A06", "AT+HALT"), AT_E_SYNTAX);
    ck_assert(at_grammar_has(of("DT1R02A05"), DATED_FORM_HALT_EXECUTE));
    ck_assert(!at_grammar_has(of("DT1R03A00"), DATED_FORM_HALT_EXECUTE));
    ck_assert(at_grammar_has(of("DT1R03A00"), DATED_FORM_GO));
}
END_TEST

START_TEST(test_answers)
{
    ck_assert_str_eq(of("R1")->test_lines[DATED_FORM_GO_TEST][0], "+GO: (1-10)");
    ck_assert_ptr_null(of("R1")->test_lines[DATED_FORM_GO_TEST][1]);
    ck_assert_str_eq(of("R2")->test_lines[DATED_FORM_GO_TEST][0], "+GO: (1-100)");
    ck_assert_str_eq(of("DT1R00A00")->test_lines[DATED_FORM_GO_TEST][0], "+GO: (1-100)");
}
END_TEST

START_TEST(names)
{
    ck_assert_ptr_eq(of("R3"), &dated_grammar);
    ck_assert_ptr_eq(of("DT1R00A01"), of("DT1R01A50"));
    ck_assert_ptr_eq(of("DT1R02A01_01.002"), of("DT1R02A00"));
    ck_assert_ptr_ne(of("DT1R01A50"), of("DT1R02A00"));
    ck_assert_ptr_null(at_grammar_of(&dated_grammar, str("R4")));
    ck_assert_ptr_null(at_grammar_of(&dated_grammar, str("R")));
    ck_assert_ptr_null(at_grammar_of(&dated_grammar, str("")));
    ck_assert_ptr_null(at_grammar_of(&dated_grammar, str("DT2R01A01")));
    ck_assert_ptr_null(at_grammar_of(of("R1"), str("R1"))); /* one of a view knows no others */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grammar");
    TCase *tests = tcase_create("views");
    tcase_add_test(tests, ranges);
    tcase_add_test(tests, values);
    tcase_add_test(tests, parameters);
    tcase_add_test(tests, forms);
    tcase_add_test(tests, test_answers);
    tcase_add_test(tests, names);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

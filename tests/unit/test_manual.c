/* The manual's words stand where the descriptors' fields do. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#ifndef MODULE_HEADER
#define MODULE_HEADER "bc26.h"
#define MODULE bc26
#define MANUAL bc26_manual
#endif
#include MODULE_HEADER

static void check_values(const struct at_param *param, const struct at_manual_param *manual)
{
    for (uint16_t i = 0; i < manual->nvalues; i++) {
        const struct at_manual_value *value = &manual->values[i];
        ck_assert_ptr_nonnull(value->text);
        if (param->kind->type == AT_CHOICE) {
            ck_assert_int_eq(value->value, i);
            ck_assert_str_eq(value->name, param->kind->values[i]);
        } else if (param->kind->type == AT_INT || param->kind->type == AT_UINT) {
            ck_assert_int_eq(value->value, (int32_t)strtol(value->name, NULL, 10));
            ck_assert_int_ge(value->value, param->kind->min);
        }
    }
    ck_assert_msg(param->kind->type != AT_CHOICE || manual->nvalues == param->kind->nvalues, "%s", param->name);
}

static void check_fields(const struct at_field *fields, uint8_t n,
                         const struct at_manual_param *const *params)
{
    for (uint8_t i = 0; i < n; i++) {
        const struct at_param *param = &MODULE.params[fields[i].param];
        ck_assert_msg((params[i] == NULL) == (param->kind->type == AT_LITERAL), "%s", param->name);
        if (params[i] != NULL) {
            ck_assert_msg(params[i]->doc[0] != '\0', "%s", param->name);
            check_values(param, params[i]);
        }
    }
}

START_TEST(every_place_of_a_form_has_its_words)
{
    for (uint16_t i = 0; i < MODULE.nforms; i++) {
        const struct at_form *form = &MODULE.forms[i];
        ck_assert_msg(strstr(MANUAL.forms[i].syntax, form->head) == MANUAL.forms[i].syntax, "%s",
                      MANUAL.forms[i].syntax);
        ck_assert(MANUAL.forms[i].doc[0] != '\0');
        check_fields(form->fields, form->nfields, MANUAL.forms[i].params);
    }
}
END_TEST

START_TEST(every_place_of_a_record_has_its_words)
{
    for (uint16_t i = 0; i < MODULE.nrecords; i++) {
        ck_assert_msg(MANUAL.records[i].doc[0] != '\0', "%s", MODULE.records[i].name);
        check_fields(MODULE.records[i].fields, MODULE.records[i].nfields,
                     MANUAL.records[i].params);
    }
}
END_TEST

/* Every value that a setting can have is in words. */
START_TEST(every_setting_has_its_words)
{
    for (uint8_t i = 0; i < MODULE.nsettings; i++) {
        const struct at_setting *setting = &MODULE.settings[i];
        const struct at_manual_param *manual = MANUAL.settings[i];
        ck_assert_msg(manual->doc[0] != '\0', "%s", setting->name);
        ck_assert_uint_gt(manual->nvalues, 0);
        ck_assert_int_eq(manual->values[manual->nvalues - 1].value, setting->max);
        for (uint16_t k = 0; k < manual->nvalues; k++) {
            ck_assert_msg(manual->values[k].text[0] != '\0', "%s", setting->name);
        }
    }
}
END_TEST

/* Each form's command is there, and no command without a form. */
START_TEST(commands_stand_in_the_order_of_the_forms)
{
    uint16_t at = 0;
    for (uint16_t i = 0; i < MODULE.nforms; i++) {
        const char *name = MODULE.forms[i].command;
        if (strcmp(MANUAL.commands[at].name, name) != 0) {
            at++;
        }
        ck_assert_uint_lt(at, MANUAL.ncommands);
        ck_assert_str_eq(MANUAL.commands[at].name, name);
    }
    ck_assert_uint_eq(at + 1u, MANUAL.ncommands);
    ck_assert(MANUAL.title[0] != '\0' && MANUAL.document[0] != '\0');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("manual");
    TCase *tables = tcase_create("tables");
    tcase_add_test(tables, every_place_of_a_form_has_its_words);
    tcase_add_test(tables, every_place_of_a_record_has_its_words);
    tcase_add_test(tables, every_setting_has_its_words);
    tcase_add_test(tables, commands_stand_in_the_order_of_the_forms);
    suite_add_tcase(suite, tables);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

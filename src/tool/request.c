#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a refused argument should have been ------------------------------------ */

static void print_allowed(const struct at_param *param)
{
    switch (param->type) {
    case AT_INT:
        if (param->supported != INT32_MIN) {
            fprintf(stderr, "only %ld is supported at present (range %ld to %lu)",
                    (long)param->supported, (long)param->min, (unsigned long)param->max);
            break;
        }
        /* fall through */
    case AT_UINT:
        fprintf(stderr, "allowed is %ld to %lu", (long)param->min, (unsigned long)param->max);
        break;
    case AT_CHOICE:
        fprintf(stderr, "allowed is");
        for (uint8_t i = 0; i < param->nvalues; i++) {
            fprintf(stderr, "%s %s", i > 0 ? " or" : "", param->values[i]);
        }
        break;
    case AT_HOST:
        fprintf(stderr, "allowed are up to %lu letters, digits, '.', '-', '_' and ':'",
                (unsigned long)param->max);
        break;
    case AT_IP:
        fprintf(stderr, "allowed is an IPv4 or IPv6 address");
        break;
    case AT_HEX:
        fprintf(stderr, "allowed are pairs of hexadecimal digits");
        break;
    case AT_DATA:
        fprintf(stderr, "allowed are printable ASCII characters but for quotes and semicolons");
        break;
    default:
        fprintf(stderr, "allowed are %ld to %lu printable ASCII characters but for quotes and "
                "semicolons", (long)param->min, (unsigned long)param->max);
    }
}

/* Data and their length are limited by the form, and by the format that holds. */
static void print_data_limit(const struct request *r)
{
    const struct at_data *data = r->form->data;
    int max = at_data_hex(data, r->settings) == 1 ? data->max_hex : data->max_text;
    fprintf(stderr, "allowed is 1 to %d", max);
}

static bool is_data(const struct request *r, const struct at_param *param, uint16_t index)
{
    return r->form->data != NULL && index != AT_NONE && param == &r->tool->module->params[index];
}

int request_refuse(const struct request *r, const struct at_fault *fault)
{
    static const char *const reasons[] = {
        [AT_FINE] = "refused",
        [AT_MISSING] = "missing",
        [AT_RANGE] = "out of range",
        [AT_UNSUPPORTED] = "not supported",
        [AT_LENGTH] = "too short or too long",
        [AT_UNSAFE] = "holds a character that can't be sent here",
        [AT_MISMATCH] = "isn't the length of the data",
        [AT_TYPE] = "not of this type",
    };
    const struct at_param *param = fault->param;
    fprintf(stderr, "%s: %s: %s; ", r->tool->name, param->name, reasons[fault->reason]);
    bool length = is_data(r, param, r->form->data != NULL ? r->form->data->length : AT_NONE);
    bool data = is_data(r, param, r->form->data != NULL ? r->form->data->field : AT_NONE);
    if (length || (data && fault->reason == AT_LENGTH)) {
        print_data_limit(r);
    } else {
        print_allowed(param);
    }
    fputc('\n', stderr);
    return TOOL_NO;
}

/* Arguments --------------------------------------------------------------------- */

static enum at_reason set_number(const struct at_param *param, const char *text, void *member)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if ((*text != '-' && (*text < '0' || *text > '9')) || end == text || *end != '\0') {
        return AT_TYPE;
    }
    if (param->type == AT_UINT) {
        if (value < 0 || value > UINT32_MAX) {
            return AT_RANGE;
        }
        *(uint32_t *)member = (uint32_t)value;
        return AT_FINE;
    }
    if (value < INT32_MIN || value > INT32_MAX) {
        return AT_RANGE;
    }
    *(int32_t *)member = (int32_t)value;
    return AT_FINE;
}

static enum at_reason set_choice(const struct at_param *param, const char *text, int32_t *member)
{
    for (uint8_t i = 0; i < param->nvalues; i++) {
        if (strcmp(text, param->values[i]) == 0) {
            *member = i;
            return AT_FINE;
        }
    }
    return AT_RANGE;
}

static enum at_reason set_hex(struct request *r, const char *text, struct at_bytes *member)
{
    size_t len = strlen(text);
    if (len / 2u > sizeof r->hex) {
        return AT_LENGTH;
    }
    int n = at_hex_decode((const uint8_t *)text, len, r->hex);
    member->ptr = r->hex;
    member->len = n < 0 ? 0 : (size_t)n;
    return n < 0 ? AT_TYPE : AT_FINE;
}

static enum at_reason set_member(struct request *r, const struct at_field *field, const char *text)
{
    const struct at_param *param = &r->tool->module->params[field->param];
    void *member = r->value.bytes + field->offset;
    if (field->has != AT_NONE) {
        *(bool *)(r->value.bytes + field->has) = true;
    }
    switch (param->type) {
    case AT_INT:
    case AT_UINT:
        return set_number(param, text, member);
    case AT_CHOICE:
        return set_choice(param, text, member);
    case AT_HEX:
        return set_hex(r, text, member);
    case AT_DATA: {
        struct at_bytes *bytes = member;
        bytes->ptr = (const uint8_t *)text;
        bytes->len = strlen(text);
        return AT_FINE;
    }
    default: {
        struct at_str *string = member;
        string->ptr = text;
        string->len = strlen(text);
        return AT_FINE;
    }
    }
}

/* The value given for a parameter, or NULL. */
static const char *find_argument(const char *name, int argc, char **argv)
{
    size_t len = strlen(name);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            return argv[i] + len + 1;
        }
    }
    return NULL;
}

bool request_at_prompt(const struct at_form *form, const struct at_field *field)
{
    return form->data != NULL && form->data->prompt != 0 && form->data->field == field->param;
}

static int set_arguments(struct request *r, int argc, char **argv)
{
    for (uint8_t i = 0; i < r->form->nfields; i++) {
        const struct at_field *field = &r->form->fields[i];
        const struct at_param *param = &r->tool->module->params[field->param];
        if (param->type == AT_LITERAL) {
            continue;
        }
        const char *text = find_argument(param->name, argc, argv);
        struct at_fault fault = {param, AT_MISSING};
        if (text != NULL) {
            fault.reason = set_member(r, field, text);
        } else if (field->has != AT_NONE || request_at_prompt(r->form, field)) {
            continue;
        }
        if (fault.reason != AT_FINE) {
            return request_refuse(r, &fault);
        }
    }
    return TOOL_DONE;
}

/* Forms ------------------------------------------------------------------------- */

static bool takes(const struct at_module *module, const struct at_form *form, const char *argument)
{
    for (uint8_t i = 0; i < form->nfields; i++) {
        const struct at_param *param = &module->params[form->fields[i].param];
        size_t len = strlen(param->name);
        if (param->type != AT_LITERAL && strncmp(argument, param->name, len) == 0 &&
            argument[len] == '=') {
            return true;
        }
    }
    return false;
}

/* Whether the arguments are this form's: all it needs, and nothing else. */
static bool suits(const struct at_module *module, const struct at_form *form, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!takes(module, form, argv[i])) {
            return false;
        }
    }
    for (uint8_t i = 0; i < form->nfields; i++) {
        const struct at_param *param = &module->params[form->fields[i].param];
        if (param->type != AT_LITERAL && form->fields[i].has == AT_NONE &&
            !request_at_prompt(form, &form->fields[i]) && find_argument(param->name, argc, argv) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_named(const struct at_form *form, const char *name)
{
    return strcmp(form->name, name) == 0;
}

static bool is_set_form(const struct at_form *form)
{
    return !is_named(form, "test") && !is_named(form, "read") && !is_named(form, "execute");
}

/* The form that is meant when none is named: the only one besides the test, the
 * only set form, or the only one that the arguments suit. */
static const struct at_form *only_form(const struct at_module *module, const char *command,
                                       int argc, char **argv)
{
    const struct at_form *found[3] = {NULL, NULL, NULL};
    int count[3] = {0, 0, 0};
    for (uint16_t i = 0; i < module->nforms; i++) {
        const struct at_form *form = &module->forms[i];
        bool matches[3] = {!is_named(form, "test"), is_set_form(form),
                           !is_named(form, "test") && suits(module, form, argc, argv)};
        for (int k = 0; k < 3 && strcmp(form->command, command) == 0; k++) {
            count[k] += matches[k];
            found[k] = matches[k] ? form : found[k];
        }
    }
    for (int k = 0; k < 3; k++) {
        if (count[k] == 1) {
            return found[k];
        }
    }
    return NULL;
}

static void print_forms(const struct at_module *module, const char *command)
{
    fprintf(stderr, "; there are");
    for (uint16_t i = 0; i < module->nforms; i++) {
        if (strcmp(module->forms[i].command, command) == 0) {
            fprintf(stderr, " %s.%s", command, module->forms[i].name);
        }
    }
    fputc('\n', stderr);
}

static bool has_command(const struct at_module *module, const char *command)
{
    for (uint16_t i = 0; i < module->nforms; i++) {
        if (strcmp(module->forms[i].command, command) == 0) {
            return true;
        }
    }
    return false;
}

static const struct at_form *named_form(const struct at_module *module, const char *command,
                                        const char *name)
{
    for (uint16_t i = 0; i < module->nforms; i++) {
        const struct at_form *form = &module->forms[i];
        if (strcmp(form->command, command) == 0 && is_named(form, name)) {
            return form;
        }
    }
    return NULL;
}

static void print_commands(const struct at_module *module)
{
    const char *last = "";
    fprintf(stderr, "; there are");
    for (uint16_t i = 0; i < module->nforms; i++) {
        if (strcmp(module->forms[i].command, last) != 0) {
            last = module->forms[i].command;
            fprintf(stderr, " %s", last);
        }
    }
    fputc('\n', stderr);
}

static const struct at_form *find_form(const struct tool *tool, char *name, int argc, char **argv)
{
    const struct at_module *module = tool->module;
    const struct at_form *form;
    char *dot = strchr(name, '.');
    if (dot != NULL) {
        *dot = '\0';
    }
    if (!has_command(module, name)) {
        fprintf(stderr, "%s: no command '%s'", tool->name, name);
        print_commands(module);
        return NULL;
    }
    form = dot != NULL ? named_form(module, name, dot + 1) : only_form(module, name, argc, argv);
    if (form == NULL) {
        fprintf(stderr, dot != NULL ? "%s: %s has no form '%s'" : "%s: %s has several forms",
                tool->name, name, dot != NULL ? dot + 1 : "");
        print_forms(module, name);
    }
    return form;
}

/* Whether the argument before the `=` was given before. */
static bool is_repeated(int i, char **argv)
{
    size_t len = strcspn(argv[i], "=") + 1u;
    for (int k = 0; k < i; k++) {
        if (strncmp(argv[k], argv[i], len) == 0) {
            return true;
        }
    }
    return false;
}

static int check_names(const struct tool *tool, const struct at_form *form, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (takes(tool->module, form, argv[i])) {
            if (is_repeated(i, argv)) {
                return tool_usage(tool, "'%s': the argument is given twice", argv[i]);
            }
            continue;
        }
        fprintf(stderr, "%s: %s.%s doesn't take '%s'; it takes", tool->name, form->command,
                form->name, argv[i]);
        for (uint8_t k = 0; k < form->nfields; k++) {
            const struct at_param *param = &tool->module->params[form->fields[k].param];
            if (param->type != AT_LITERAL) {
                fprintf(stderr, " %s=", param->name);
            }
        }
        fputs(form->nfields == 0 ? " nothing\n" : "\n", stderr);
        return TOOL_USAGE;
    }
    return TOOL_DONE;
}

int request_parse(struct request *r, int argc, char **argv)
{
    r->form = find_form(r->tool, argv[0], argc - 1, argv + 1);
    if (r->form == NULL ||
        check_names(r->tool, r->form, argc - 1, argv + 1) != TOOL_DONE) {
        return TOOL_USAGE;
    }
    if (r->form->size > sizeof r->value) {
        return tool_usage(r->tool, "%s: its arguments are too large for this tool", argv[0]);
    }
    memset(&r->value, 0, sizeof r->value);
    return set_arguments(r, argc - 1, argv + 1);
}

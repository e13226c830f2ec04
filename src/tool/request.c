#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a refused argument should have been ------------------------------------ */

static void print_allowed(FILE *out, const struct at_param *param)
{
    switch (param->kind->type) {
    case AT_INT:
        if (param->kind->supported != INT32_MIN) {
            fprintf(out, "only %ld is supported at present (range %ld to %lu)",
                    (long)param->kind->supported, (long)param->kind->min, (unsigned long)param->kind->max);
            break;
        }
        /* fall through */
    case AT_UINT:
        fprintf(out, "allowed is %ld to %lu", (long)param->kind->min, (unsigned long)param->kind->max);
        break;
    case AT_CHOICE:
        fprintf(out, "allowed is");
        for (uint8_t i = 0; i < param->kind->nvalues; i++) {
            fprintf(out, "%s %s", i > 0 ? " or" : "", param->kind->values[i]);
        }
        break;
    case AT_HOST:
        fprintf(out, "allowed are up to %lu letters, digits, '.', '-', '_' and ':'",
                (unsigned long)param->kind->max);
        break;
    case AT_IP:
        fprintf(out, "allowed is an IPv4 or IPv6 address");
        break;
    case AT_HEX:
        fprintf(out, "allowed are pairs of hexadecimal digits");
        break;
    case AT_DATA:
        fprintf(out, "allowed are printable ASCII characters but for quotes and semicolons");
        break;
    default:
        fprintf(out, "allowed are %ld to %lu printable ASCII characters but for quotes and "
                "semicolons", (long)param->kind->min, (unsigned long)param->kind->max);
    }
}

/* Data and their length are limited by the form, and by the format that holds. */
static int data_max(const struct request *r)
{
    const struct at_data *data = r->form->rare->data;
    return at_data_hex(data, r->settings) == 1 ? data->max_hex : data->max_text;
}

static void print_data_limit(FILE *out, const struct request *r)
{
    fprintf(out, "allowed is 1 to %d", data_max(r));
}

/* At the prompt anything may stand but for the bytes that end data of unknown length. */
static void print_prompt_data(FILE *out, const struct request *r)
{
    const struct at_data *data = r->form->rare->data;
    fprintf(out, "allowed are 1 to %d bytes", data_max(r));
    if (data->until >= 0) {
        fprintf(out, " but for 0x%02x, which ends them", (unsigned)data->until);
    }
    if (data->cancel >= 0) {
        fprintf(out, " and 0x%02x, which cancels them", (unsigned)data->cancel);
    }
}

static bool is_param(const struct request *r, const struct at_param *param, uint16_t index)
{
    return index != AT_NONE && param == &r->tool->module->params[index];
}

void request_allowed(FILE *out, const struct request *r, const struct at_param *param)
{
    const struct at_data *data = r->form->rare->data;
    if (data != NULL && is_param(r, param, data->length)) {
        print_data_limit(out, r);
    } else if (data != NULL && data->prompt != 0 && is_param(r, param, data->field)) {
        print_prompt_data(out, r);
    } else {
        print_allowed(out, param);
    }
}

/* Without a parameter it's the whole of the arguments that fits no form. */
static int refuse_all(const struct request *r)
{
    fprintf(stderr, "%s: %s: the arguments fit no form of it\n", r->tool->name, r->form->command);
    return TOOL_NO;
}

static const struct at_field *field_of(const struct at_form *form, uint16_t param)
{
    for (uint8_t i = 0; i < form->nfields; i++) {
        if (form->fields[i].param == param) {
            return &form->fields[i];
        }
    }
    return NULL;
}

static const char *name_of(const struct request *r, const struct at_field *field)
{
    return r->tool->module->params[field->param].name;
}

static void print_lengths(FILE *out, const struct request *r)
{
    const struct at_module *module = r->tool->module;
    int32_t announced = 0;
    (void)at_request_int(module, r->form, &r->value, r->form->rare->data->length, &announced);
    fprintf(out, "announced %ld, given %zu", (long)announced,
            at_request_data(module, r->form, &r->value).len);
}

/* Why a parameter is missing that may be left out: another one is given. */
static void print_company(FILE *out, const struct request *r, const struct at_param *param)
{
    const struct at_form *form = r->form;
    const struct at_field *field = form->fields;
    const struct at_field *end = form->fields + form->nfields;
    while (field < end && !is_param(r, param, field->param)) {
        field++;
    }
    if (field == end || field->has == 0) {
        return;
    }
    for (const struct at_field *other = field + 1; other < end; other++) {
        if (other->has != 0 && *(const bool *)(r->value.bytes + other->offset - other->has)) {
            fprintf(out, "it has to be given before %s; ", name_of(r, other));
            return;
        }
    }
    if (field > form->fields && field[-1].group == field->group) {
        fprintf(out, "it has to be given with %s; ", name_of(r, field - 1));
    }
}

static void print_name(const struct request *r, const char *name)
{
    const struct request_label *label = r->labels;
    while (label != NULL && label->param != NULL && strcmp(label->param, name) != 0) {
        label++;
    }
    bool found = label != NULL && label->param != NULL;
    fprintf(stderr, found ? "%s (%s)" : "%s", found ? label->typed : name, name);
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
    const struct at_data *data = r->form->rare->data;
    if (param == NULL) {
        return refuse_all(r);
    }
    fprintf(stderr, "%s: ", r->tool->name);
    print_name(r, param->name);
    fprintf(stderr, ": %s; ", reasons[fault->reason]);
    if (fault->reason == AT_MISSING) {
        print_company(stderr, r, param);
    }
    if (fault->reason == AT_MISMATCH) {
        print_lengths(stderr, r);
    } else if (data != NULL && is_param(r, param, data->field) && fault->reason == AT_LENGTH) {
        print_data_limit(stderr, r);
    } else if (param->kind->type == AT_DATA && fault->reason == AT_TYPE) {
        fputs(at_data_hex(data, r->settings) == 1 ? "allowed are pairs of hexadecimal digits"
                                                  : "\\x takes two hexadecimal digits", stderr);
    } else {
        request_allowed(stderr, r, param);
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
    if (param->kind->type == AT_UINT) {
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
    for (uint8_t i = 0; i < param->kind->nvalues; i++) {
        if (strcmp(text, param->kind->values[i]) == 0) {
            *member = i;
            return AT_FINE;
        }
    }
    return AT_RANGE;
}

static enum at_reason set_hex(struct request *r, const char *text, size_t len,
                              struct at_bytes *member)
{
    if (len / 2u > sizeof r->data) {
        return AT_LENGTH;
    }
    int n = at_hex_decode((const uint8_t *)text, len, r->data);
    member->ptr = r->data;
    member->len = n < 0 ? 0 : (size_t)n;
    return n < 0 ? AT_TYPE : AT_FINE;
}

/* The byte that a backslash stands for, and behind which signs; -1 for none. */
static int escaped(const char **p)
{
    static const char names[] = "rnt0";
    static const uint8_t bytes[] = {'\r', '\n', '\t', 0};
    const char *name = **p != '\0' ? strchr(names, **p) : NULL;
    uint8_t byte;
    if (name != NULL) {
        ++*p;
        return bytes[name - names];
    }
    if (**p == 'x') {
        if (strlen(*p) < 3 || at_hex_decode((const uint8_t *)*p + 1, 2, &byte) < 0) {
            return -1;
        }
        *p += 3;
        return byte;
    }
    return **p != '\0' ? (uint8_t)*(*p)++ : '\\';
}

int request_unescape(const char *text, uint8_t *out)
{
    int n = 0;
    while (*text != '\0') {
        int byte = (uint8_t)*text++;
        if (byte == '\\') {
            byte = escaped(&text);
        }
        if (byte < 0) {
            return -1;
        }
        out[n++] = (uint8_t)byte;
    }
    return n;
}

static enum at_reason set_data(struct request *r, const char *text, struct at_bytes *member)
{
    size_t len = strlen(text);
    int n = 0;
    if (!r->typed) {
        member->ptr = (const uint8_t *)text;
        member->len = len;
        return AT_FINE;
    }
    if (len > sizeof r->data) {
        return AT_LENGTH;
    }
    n = request_unescape(text, r->data);
    member->ptr = r->data;
    member->len = n < 0 ? 0 : (size_t)n;
    return n < 0 ? AT_TYPE : AT_FINE;
}

static enum at_reason set_member(struct request *r, const struct at_field *field, const char *text)
{
    const struct at_param *param = &r->tool->module->params[field->param];
    void *member = r->value.bytes + field->offset;
    if (field->has != 0) {
        *(bool *)(r->value.bytes + field->offset - field->has) = true;
    }
    switch (param->kind->type) {
    case AT_INT:
    case AT_UINT:
        return set_number(param, text, member);
    case AT_CHOICE:
        return set_choice(param, text, member);
    case AT_HEX:
        return set_hex(r, text, strlen(text), member);
    case AT_DATA:
        return set_data(r, text, member);
    default: {
        struct at_str *string = member;
        string->ptr = text;
        string->len = strlen(text);
        return AT_FINE;
    }
    }
}

int request_field(const struct at_module *module, const struct at_form *form, const char *argument)
{
    size_t len = strcspn(argument, "=");
    int found = -1;
    int count = 0;
    for (uint8_t i = 0; i < form->nfields && argument[len] == '='; i++) {
        const struct at_param *param = &module->params[form->fields[i].param];
        if (param->kind->type == AT_LITERAL || strlen(param->name) != len ||
            strncasecmp(param->name, argument, len) != 0) {
            continue;
        }
        if (strncmp(param->name, argument, len) == 0) {
            return i;
        }
        found = i;
        count++;
    }
    return count == 1 ? found : -1;
}

/* The value given for a parameter, or NULL. */
static const char *find_argument(const struct at_module *module, const struct at_form *form,
                                 uint8_t field, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (request_field(module, form, argv[i]) == field) {
            return strchr(argv[i], '=') + 1;
        }
    }
    return NULL;
}

bool request_at_prompt(const struct at_form *form, const struct at_field *field)
{
    return form->rare->data != NULL && form->rare->data->prompt != 0 && form->rare->data->field == field->param;
}

/* Whether this field counts data that are given, or are still to be asked for. */
static bool may_be_open(const struct request *r, const struct at_field *field)
{
    return r->typed && r->form->rare->data != NULL && r->form->rare->data->length == field->param &&
           field->has == 0;
}

/* The length that was left to the data, once they are there. */
static void close_length(struct request *r)
{
    const struct at_module *module = r->tool->module;
    if (r->open_length && !request_lacks_data(r)) {
        const struct at_field *field = field_of(r->form, r->form->rare->data->length);
        struct at_bytes data = at_request_data(module, r->form, &r->value);
        *(int32_t *)(void *)(r->value.bytes + field->offset) = (int32_t)data.len;
        r->open_length = false;
    }
}

static int set_arguments(struct request *r, int argc, char **argv)
{
    for (uint8_t i = 0; i < r->form->nfields; i++) {
        const struct at_field *field = &r->form->fields[i];
        const struct at_param *param = &r->tool->module->params[field->param];
        if (param->kind->type == AT_LITERAL) {
            continue;
        }
        const char *text = find_argument(r->tool->module, r->form, i, argc, argv);
        struct at_fault fault = {param, AT_MISSING};
        if (text != NULL) {
            fault.reason = set_member(r, field, text);
        } else if (may_be_open(r, field)) {
            r->open_length = true;
            continue;
        } else if (field->has != 0 || request_at_prompt(r->form, field)) {
            continue;
        }
        if (fault.reason != AT_FINE) {
            return request_refuse(r, &fault);
        }
    }
    close_length(r);
    return TOOL_DONE;
}

bool request_lacks_data(const struct request *r)
{
    return r->form->rare->data != NULL && r->form->rare->data->prompt != 0 &&
           at_request_data(r->tool->module, r->form, &r->value).ptr == NULL;
}

int request_check(const struct request *r)
{
    static char line[REQUEST_DATA_MAX];
    struct at_fault fault = {NULL, AT_FINE};
    int n = at_form_encode(r->tool->module, r->form, r->settings, &r->value, line, sizeof line,
                           &fault);
    return n == AT_E_ARGUMENT ? request_refuse(r, &fault) : TOOL_DONE;
}

int request_set_data(struct request *r, const char *text)
{
    const struct at_field *field = field_of(r->form, r->form->rare->data->field);
    const struct at_param *param = &r->tool->module->params[field->param];
    struct at_fault fault = {param, set_member(r, field, text)};
    if (fault.reason != AT_FINE) {
        return request_refuse(r, &fault);
    }
    close_length(r);
    return request_check(r);
}

/* Forms ------------------------------------------------------------------------- */

static bool takes_all(const struct at_module *module, const struct at_form *form, int argc,
                      char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (request_field(module, form, argv[i]) < 0) {
            return false;
        }
    }
    return true;
}

/* Whether the arguments are this form's: all it needs, and nothing else. */
static bool suits(const struct at_module *module, const struct at_form *form, int argc, char **argv)
{
    if (!takes_all(module, form, argc, argv)) {
        return false;
    }
    for (uint8_t i = 0; i < form->nfields; i++) {
        const struct at_param *param = &module->params[form->fields[i].param];
        if (param->kind->type != AT_LITERAL && form->fields[i].has == 0 &&
            !request_at_prompt(form, &form->fields[i]) &&
            find_argument(module, form, i, argc, argv) == NULL) {
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

void request_print_form(FILE *out, const struct at_module *module, const struct at_form *form)
{
    fprintf(out, "%s.%s", form->command, form->name);
    for (uint8_t i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        const struct at_param *param = &module->params[field->param];
        bool optional = field->has != 0 || request_at_prompt(form, field);
        if (param->kind->type != AT_LITERAL) {
            fprintf(out, optional ? " [%s=]" : " %s=", param->name);
        }
    }
}

/* Those of a command that take these arguments. */
static void print_forms(const struct at_module *module, const char *command, int argc, char **argv)
{
    const char *gap = "; there are ";
    for (uint16_t i = 0; i < module->nforms; i++) {
        const struct at_form *form = &module->forms[i];
        if (strcmp(form->command, command) == 0 && takes_all(module, form, argc, argv)) {
            fputs(gap, stderr);
            request_print_form(stderr, module, form);
            gap = ", ";
        }
    }
    fputc('\n', stderr);
}

/* The first argument that no form of the command takes, or NULL. */
static const char *find_stranger(const struct at_module *module, const char *command, int argc,
                                 char **argv)
{
    for (int i = 0; i < argc; i++) {
        bool taken = false;
        for (uint16_t k = 0; k < module->nforms && !taken; k++) {
            const struct at_form *form = &module->forms[k];
            taken = strcmp(form->command, command) == 0 &&
                    request_field(module, form, argv[i]) >= 0;
        }
        if (!taken) {
            return argv[i];
        }
    }
    return NULL;
}

/* No form was named that there is, and the arguments don't tell which is meant. */
static void refuse_forms(const struct tool *tool, const char *command, const char *name, int argc,
                         char **argv)
{
    const struct at_module *module = tool->module;
    const char *stranger = find_stranger(module, command, argc, argv);
    bool any = false;
    for (uint16_t i = 0; i < module->nforms && name == NULL; i++) {
        const struct at_form *form = &module->forms[i];
        any = any || (strcmp(form->command, command) == 0 && takes_all(module, form, argc, argv));
    }
    if (name != NULL) {
        fprintf(stderr, "%s: %s has no form '%s'", tool->name, command, name);
    } else if (stranger != NULL) {
        fprintf(stderr, "%s: no form of %s takes '%s'", tool->name, command, stranger);
    } else if (!any) {
        fprintf(stderr, "%s: no form of %s takes all of this together", tool->name, command);
    } else {
        fprintf(stderr, "%s: %s has several forms", tool->name, command);
    }
    print_forms(module, command, any ? argc : 0, argv);
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

static void print_commands(const struct request *r)
{
    const struct at_module *module = r->tool->module;
    const char *last = "";
    fprintf(stderr, "; there are");
    for (uint16_t i = 0; i < module->nforms; i++) {
        if (strcmp(module->forms[i].command, last) != 0) {
            last = module->forms[i].command;
            fprintf(stderr, " %s", last);
        }
    }
    fputs(r->typed ? "; help tells about them\n" : "\n", stderr);
}

const char *request_bare_name(const char *name)
{
    return strncasecmp(name, "AT+", 3) == 0 ? name + 3 : name;
}

/* The name as the spec has it. */
static const char *spelled(const struct at_module *module, const char *name)
{
    for (uint16_t i = 0; i < module->nforms; i++) {
        if (strcasecmp(module->forms[i].command, name) == 0) {
            return module->forms[i].command;
        }
    }
    return name;
}

static const struct at_form *find_form(const struct request *r, char *typed, int argc,
                                       char **argv)
{
    const struct tool *tool = r->tool;
    const char *name = typed;
    const struct at_module *module = tool->module;
    const struct at_form *form;
    char *dot = strchr(typed, '.');
    if (dot != NULL) {
        *dot = '\0';
    }
    if (r->typed) {
        name = spelled(module, request_bare_name(typed));
    }
    if (!has_command(module, name)) {
        fprintf(stderr, "%s: no command '%s'", tool->name, name);
        print_commands(r);
        return NULL;
    }
    form = dot != NULL ? named_form(module, name, dot + 1) : only_form(module, name, argc, argv);
    if (form == NULL) {
        refuse_forms(tool, name, dot != NULL ? dot + 1 : NULL, argc, argv);
    }
    return form;
}

/* Whether the argument before the `=` was given before. */
static bool is_repeated(const struct at_module *module, const struct at_form *form, int i,
                        char **argv)
{
    for (int k = 0; k < i; k++) {
        if (request_field(module, form, argv[k]) == request_field(module, form, argv[i])) {
            return true;
        }
    }
    return false;
}

static int check_names(const struct tool *tool, const struct at_form *form, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (request_field(tool->module, form, argv[i]) >= 0) {
            if (is_repeated(tool->module, form, i, argv)) {
                return tool_usage(tool, "'%s': the argument is given twice", argv[i]);
            }
            continue;
        }
        fprintf(stderr, "%s: %s.%s doesn't take '%s'; it takes", tool->name, form->command,
                form->name, argv[i]);
        for (uint8_t k = 0; k < form->nfields; k++) {
            const struct at_param *param = &tool->module->params[form->fields[k].param];
            if (param->kind->type != AT_LITERAL) {
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
    r->open_length = false;
    r->form = find_form(r, argv[0], argc - 1, argv + 1);
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

/* On the wire --------------------------------------------------------------------- */

/* Length of what stands before the arguments, such as `AT+NAME`. */
static size_t base_length(const char *line)
{
    return strcspn(line, "=? ;");
}

static bool has_base(const struct at_form *form, const char *line)
{
    size_t len = base_length(line);
    return base_length(form->head) == len && strncasecmp(form->head, line, len) == 0;
}

static void print_syntax(const struct tool *tool, const char *line)
{
    const char *gap = "; it is written";
    for (uint16_t i = 0; i < tool->module->nforms; i++) {
        if (has_base(&tool->module->forms[i], line)) {
            fprintf(stderr, "%s %s", gap, tool->manual->forms[i].syntax);
            gap = " or";
        }
    }
}

bool request_is_known(const struct tool *tool, const char *line)
{
    for (uint16_t i = 0; i < tool->module->nforms; i++) {
        if (has_base(&tool->module->forms[i], line)) {
            return true;
        }
    }
    return false;
}

/* Where the first of these signs stands that isn't in quotes; or the end. */
static const char *find_sign(const char *text, char sign)
{
    bool quoted = false;
    for (; *text != '\0' && (quoted || *text != sign); text++) {
        quoted = quoted != (*text == '"');
    }
    return text;
}

/* Whether a line looks like a form, or like the beginning of one, whatever the values. */
static bool begins_form(const struct request *r, const char *line, size_t len)
{
    struct at_command command;
    struct at_fault fault;
    int status = at_command_parse(r->tool->grammar, r->settings, (const uint8_t *)line, len,
                                  &command, &fault);
    return status == AT_OK || (command.form != NULL && fault.param != NULL);
}

/* Where a line begins to look like no form: behind its name or its head, or with the first
 * argument that can't be one or is one too many. */
static const char *find_mistake(const struct request *r, const char *line)
{
    const char *mistake = line + base_length(line);
    for (uint16_t i = 0; i < r->tool->module->nforms; i++) {
        const char *head = r->tool->module->forms[i].head;
        if (strncasecmp(head, line, strlen(head)) == 0 && line + strlen(head) > mistake) {
            mistake = line + strlen(head);
        }
    }
    for (const char *p = find_sign(mistake, ','); *p == ','; p = find_sign(p + 1, ',')) {
        if (begins_form(r, line, (size_t)(p - line))) {
            mistake = p + 1;
        }
    }
    return mistake;
}

static int refuse_shape(const struct request *r, const char *line)
{
    const char *mistake = find_mistake(r, line);
    fprintf(stderr, "%s: %.*s: no form of it looks like this", r->tool->name,
            (int)base_length(line), line);
    if (*mistake != '\0') {
        fprintf(stderr, ", from '%.*s%s' on", REQUEST_SHOWN, mistake,
                strlen(mistake) > REQUEST_SHOWN ? "..." : "");
    }
    print_syntax(r->tool, line);
    fputc('\n', stderr);
    return TOOL_NO;
}

/* Digits become the bytes they stand for; encoding makes them digits again. */
static int decode_digits(struct request *r)
{
    const struct at_data *data = r->form->rare->data;
    if (data == NULL || data->prompt != 0 || at_data_hex(data, r->settings) != 1) {
        return TOOL_DONE;
    }
    const struct at_field *field = field_of(r->form, data->field);
    if (field == NULL) {
        return TOOL_DONE;
    }
    struct at_bytes *bytes = (void *)(r->value.bytes + field->offset);
    struct at_fault fault = {&r->tool->module->params[data->field], AT_FINE};
    fault.reason = set_hex(r, (const char *)bytes->ptr, bytes->len, bytes);
    return fault.reason == AT_FINE ? TOOL_DONE : request_refuse(r, &fault);
}

int request_wire(struct request *r, const char *line)
{
    struct at_command command;
    struct at_fault fault;
    int status = at_command_parse(r->tool->grammar, r->settings, (const uint8_t *)line,
                                  strlen(line), &command, &fault);
    r->form = command.form;
    r->open_length = false;
    if (status != AT_OK && *find_sign(line, ';') != '\0') {
        fprintf(stderr, "%s: not sent: one command goes at a time, and a semicolon begins "
                "another\n", r->tool->name);
        return TOOL_NO;
    }
    if (status == AT_E_SYNTAX || (status != AT_OK && fault.param == NULL)) {
        return refuse_shape(r, line);
    }
    if (r->form->size > sizeof r->value) {
        return tool_usage(r->tool, "%s: its arguments are too large for this tool",
                          r->form->command);
    }
    memset(&r->value, 0, sizeof r->value);
    if (status != AT_OK && fault.reason != AT_MISMATCH) {
        return request_refuse(r, &fault);
    }
    at_command_decode(r->tool->grammar, &command, &r->value);
    if (decode_digits(r) != TOOL_DONE) {
        return TOOL_NO;
    }
    return status == AT_OK ? TOOL_DONE : request_refuse(r, &fault);
}

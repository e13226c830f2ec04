/* Command lines, parsed on the module's side. */
#include "at/codec.h"

#include <string.h>

#include "fields.h"
#include "scan.h"
#include "text.h"

static enum at_reason judge_text(const struct at_kind *kind, const uint8_t *text, size_t len)
{
    if (len < (uint32_t)kind->min || len > kind->max) {
        return AT_LENGTH;
    }
    if (kind->type == AT_IP && !at_is_address(text, len)) {
        return AT_TYPE;
    }
    return kind->type == AT_HOST && !at_is_host(text, len) ? AT_UNSAFE : AT_FINE;
}

static enum at_reason judge(const struct at_kind *kind, const uint8_t *line, const struct at_mark *mark)
{
    const uint8_t *text = line + mark->begin;
    size_t len = (size_t)(mark->end - mark->begin);
    struct at_str string = {(const char *)text, len};
    bool is_text = mark->kind != AT_MARK_RANGE && mark->kind != AT_MARK_REST;
    uint32_t number;
    switch (kind->type) {
    case AT_INT:
    case AT_UINT:
        return mark->kind == AT_MARK_INT && at_parse_number(kind, text, len, &number)
                   ? at_number_check(kind, number)
                   : AT_FINE;
    case AT_CHOICE:
        return is_text && at_choice_of(string, kind->values, kind->nvalues) < 0 ? AT_RANGE : AT_FINE;
    case AT_STRING:
    case AT_HOST:
    case AT_IP:
        return is_text ? judge_text(kind, text, len) : AT_FINE;
    default:
        return AT_FINE;
    }
}

static struct at_shape form_shape(const struct at_grammar *grammar, const struct at_form *form)
{
    struct at_shape shape = {grammar->module->params, grammar->module->shown, form->fields,
                             form->nfields, false, judge};
    /* Data at the prompt aren't in the line. */
    if (form->rare->data != NULL && form->rare->data->prompt != 0) {
        shape.nfields--;
    }
    return shape;
}

static bool scan_arguments(const uint8_t *line, size_t begin, size_t len, uint8_t rest,
                           struct at_command *out)
{
    static const uint8_t end[] = {'\n'};
    struct at_scan scan;
    const uint8_t *p = line + begin;
    const uint8_t *lf = end;
    at_scan_start(&scan, out->marks, begin, rest, AT_UNKNOWN);
    if (at_scan(&scan, line, begin, &p, line + len) != AT_SCAN_MORE ||
        at_scan(&scan, line, len, &lf, end + 1) != AT_SCAN_END) {
        return false;
    }
    out->nmarks = scan.nmarks;
    return true;
}

static bool are_digits(const uint8_t *text, const struct at_mark *mark)
{
    uint16_t i = mark->begin;
    while (i < mark->end && at_hex_digit(text[i]) >= 0) {
        i++;
    }
    return i == mark->end;
}

/* What the fields alone don't tell: the settings decide about length and format. */
static bool data_fit(const struct at_form *form, const struct at_module *module,
                     const uint8_t *settings, const struct at_command *command,
                     struct at_fault *fault)
{
    const struct at_data *data = form->rare->data;
    int hex = at_data_hex(data, settings);
    uint8_t counted = at_field_index(form->fields, form->nfields, data->length);
    uint8_t held = at_field_index(form->fields, form->nfields, data->field);
    int32_t stated = 0;
    if (counted == form->nfields) {
        return true;
    }
    const struct at_mark *mark = &command->marks[counted];
    (void)at_parse_int(command->text + mark->begin, (size_t)(mark->end - mark->begin), &stated);
    fault->param = &module->params[data->length];
    fault->reason = AT_RANGE;
    if (stated < 1 || stated > (hex == 1 ? data->max_hex : data->max_text)) {
        return false;
    }
    fault->reason = AT_MISMATCH;
    if (held >= command->nmarks) {
        return true;
    }
    mark = &command->marks[held];
    if ((int32_t)(mark->end - mark->begin) != (hex == 1 ? 2 * stated : stated)) {
        return false;
    }
    fault->param = &module->params[data->field];
    fault->reason = AT_TYPE;
    return hex != 1 || are_digits(command->text, mark);
}

static const struct at_limit *limit_of(const struct at_grammar *grammar, const struct at_form *form)
{
    for (uint8_t i = 0; i < grammar->nlimits; i++) {
        if (grammar->limits[i].form == form->id) {
            return &grammar->limits[i];
        }
    }
    return NULL;
}

/* As at_fields_fit, where a view takes less than the module's form. */
static bool limited_fit(const struct at_shape *whole, const struct at_limit *limit,
                        const uint8_t *settings, const struct at_command *command,
                        struct at_fault *fault)
{
    struct at_param params[AT_FIELDS_MAX];
    struct at_field fields[AT_FIELDS_MAX];
    struct at_shape shape = {params, whole->shown, fields, limit->nfields, whole->extra, whole->judge};
    for (uint8_t i = 0; i < limit->nfields; i++) {
        const struct at_param *own = limit->params != NULL ? limit->params[i] : NULL;
        fields[i] = whole->fields[i];
        params[i] = own != NULL ? *own : whole->params[fields[i].param];
        fields[i].param = i;
    }
    bool fit = at_fields_fit(&shape, settings, command->text, command->marks, command->nmarks,
                             fault);
    for (uint8_t i = 0; i < limit->nfields; i++) {
        if (fault->param == &params[i]) {
            fault->param = &whole->params[whole->fields[i].param];
        }
    }
    return fit;
}

static int parse_form(const struct at_grammar *grammar, const struct at_form *form,
                      const uint8_t *settings, const struct at_command *command,
                      struct at_fault *fault)
{
    struct at_shape shape = form_shape(grammar, form);
    const struct at_limit *limit = limit_of(grammar, form);
    bool fit = limit != NULL ? limited_fit(&shape, limit, settings, command, fault)
                             : at_fields_fit(&shape, settings, command->text, command->marks,
                                             command->nmarks, fault);
    if (!fit) {
        if (fault->reason == AT_FINE) { /* too many fields: no single one is at fault */
            fault->reason = AT_TYPE;
        }
        return AT_E_ARGUMENT;
    }
    if (form->rare->data != NULL && !data_fit(form, grammar->module, settings, command, fault)) {
        return AT_E_ARGUMENT;
    }
    return AT_OK;
}

/* A wrong value tells more than a wrong number or type of fields, which only
 * says that another form was meant. */
static bool tells_more(const struct at_fault *fault, const struct at_fault *than)
{
    bool shape = fault->reason == AT_MISSING || fault->reason == AT_TYPE;
    return than->reason == AT_FINE ||
           (!shape && (than->reason == AT_MISSING || than->reason == AT_TYPE));
}

int at_command_parse(const struct at_grammar *grammar, const uint8_t *settings,
                     const uint8_t *line, size_t len, struct at_command *out,
                     struct at_fault *fault)
{
    struct at_fault ignored = {NULL, AT_FINE};
    const uint8_t *p = line;
    int found = grammar->head(&p, line + len);
    int status = AT_E_SYNTAX;

    fault = fault != NULL ? fault : &ignored;
    fault->param = NULL;
    fault->reason = AT_FINE;
    out->form = NULL;
    out->text = line;
    out->nmarks = 0;
    if (found < 0) {
        return AT_E_SYNTAX;
    }
    const struct at_command_head *head = &grammar->heads[found];
    if (p < line + len && !scan_arguments(line, (size_t)(p - line), len, head->rest, out)) {
        return AT_E_SYNTAX;
    }
    for (uint8_t i = 0; i < head->count && status != AT_OK; i++) {
        const struct at_form *form = &grammar->module->forms[grammar->forms[head->first + i]];
        struct at_fault found_fault = {NULL, AT_FINE};
        status = parse_form(grammar, form, settings, out, &found_fault);
        if (status == AT_OK || tells_more(&found_fault, fault)) {
            out->form = form;
            *fault = found_fault;
        }
    }
    return status;
}

int at_command_decode(const struct at_grammar *grammar, const struct at_command *command,
                      void *request)
{
    struct at_shape shape = form_shape(grammar, command->form);
    memset(request, 0, command->form->size);
    at_fields_decode(&shape, command->text, command->marks, command->nmarks, request);
    return AT_OK;
}

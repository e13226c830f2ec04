/* What a request holds, and whether it may go on the wire. */
#include "write.h"

#include <string.h>

#include "fields.h"
#include "text.h"

static int refuse(struct at_fault *fault, const struct at_param *param, enum at_reason reason)
{
    if (fault != NULL) {
        fault->param = param;
        fault->reason = reason;
    }
    return AT_E_ARGUMENT;
}

/* Quotes end a string and a semicolon ends a command, whatever the module thinks
 * of them inside quotes. */
static bool is_safe(const uint8_t *text, size_t len)
{
    return at_is_printable(text, len) && memchr(text, '"', len) == NULL &&
           memchr(text, ';', len) == NULL;
}

static enum at_reason check_span(const struct at_param *param, const struct at_str *string)
{
    const uint8_t *text = (const uint8_t *)string->ptr;
    if (text == NULL) {
        return AT_MISSING;
    }
    if (string->len < (uint32_t)param->kind->min || string->len > param->kind->max) {
        return AT_LENGTH;
    }
    if (!is_safe(text, string->len) ||
        (param->kind->type == AT_HOST && !at_is_host(text, string->len))) {
        return AT_UNSAFE;
    }
    return param->kind->type == AT_IP && !at_is_address(text, string->len) ? AT_TYPE : AT_FINE;
}

enum at_reason at_number_check(const struct at_kind *kind, uint32_t value)
{
    if (!at_in_range(kind, value)) {
        return AT_RANGE;
    }
    return kind->supported != INT32_MIN && value != (uint32_t)kind->supported ? AT_UNSUPPORTED : AT_FINE;
}

static enum at_reason check_member(const struct at_param *param, const void *member)
{
    const struct at_kind *kind = param->kind;
    switch (kind->type) {
    case AT_LITERAL:
    case AT_DATA: /* see check_data */
    case AT_HEX:
        return AT_FINE;
    case AT_INT:
    case AT_UINT:
        return at_number_check(kind, *(const uint32_t *)member);
    case AT_CHOICE:
        return *(const uint32_t *)member < kind->nvalues ? AT_FINE : AT_RANGE;
    default:
        return check_span(param, member);
    }
}

/* The first field that is left out though it is required, or though one behind
 * it or of its own group is there; n when there is none. */
static unsigned find_gap(const struct at_field *fields, unsigned n, const void *value)
{
    unsigned end = n;
    while (end > 0 && fields[end - 1u].group != 0 && !at_present(&fields[end - 1u], value)) {
        end--;
    }
    for (unsigned i = 0; i < end; i++) {
        if (!at_present(&fields[i], value)) {
            return i;
        }
    }
    return end > 0 && end < n && fields[end - 1u].group == fields[end].group ? end : n;
}

int at_fields_check(const struct at_param *params, const struct at_field *fields, uint8_t n,
                    const void *value, struct at_fault *fault)
{
    unsigned gap = find_gap(fields, n, value);
    if (gap < n) {
        return refuse(fault, &params[fields[gap].param], AT_MISSING);
    }
    for (unsigned i = 0; i < n && at_present(&fields[i], value); i++) {
        const struct at_param *param = &params[fields[i].param];
        enum at_reason reason = check_member(param, at_member(&fields[i], value));
        if (reason != AT_FINE) {
            return refuse(fault, param, reason);
        }
    }
    return AT_OK;
}

bool at_request_int(const struct at_module *module, const struct at_form *form,
                    const void *request, uint16_t param, int32_t *value)
{
    uint8_t i = at_field_index(form->fields, form->nfields, param);
    if (i == form->nfields || !at_present(&form->fields[i], request) ||
        module->params[param].kind->type != AT_INT) {
        return false;
    }
    *value = *(const int32_t *)at_member(&form->fields[i], request);
    return true;
}

struct at_bytes at_request_data(const struct at_module *module, const struct at_form *form,
                                const void *request)
{
    static const struct at_bytes none = {NULL, 0};
    (void)module;
    if (form->rare->data == NULL) {
        return none;
    }
    uint8_t i = at_field_index(form->fields, form->nfields, form->rare->data->field);
    return *(const struct at_bytes *)at_member(&form->fields[i], request);
}

int at_data_hex(const struct at_data *data, const uint8_t *settings)
{
    if (data->format_slot == AT_UNKNOWN) {
        return data->hex;
    }
    uint8_t format = settings[data->format_slot];
    return format == AT_UNKNOWN ? AT_E_UNKNOWN_SETTING : format;
}

static bool has_byte(struct at_bytes bytes, int value)
{
    return value >= 0 && memchr(bytes.ptr, value, bytes.len) != NULL;
}

/* What can stand where the data go: in the line nothing that could end it; at
 * the prompt anything, but for the bytes that end data of unknown length. */
static bool data_safe(const struct at_data *data, struct at_bytes bytes)
{
    if (data->prompt == 0) {
        return is_safe(bytes.ptr, bytes.len);
    }
    return data->until < 0 || (!has_byte(bytes, data->until) && !has_byte(bytes, data->cancel));
}

int at_data_check(const struct at_module *module, const struct at_form *form, bool hex,
                  const void *request, struct at_fault *fault)
{
    const struct at_data *data = form->rare->data;
    const struct at_param *param = &module->params[data->field];
    struct at_bytes bytes = at_request_data(module, form, request);
    size_t max = hex ? data->max_hex : data->max_text;
    int32_t stated = 0;
    bool counted = at_request_int(module, form, request, data->length, &stated);

    if (counted && (stated < 1 || (uint32_t)stated > max)) {
        return refuse(fault, &module->params[data->length], AT_RANGE);
    }
    if (bytes.ptr == NULL) {
        return data->prompt != 0 ? AT_OK : refuse(fault, param, AT_MISSING);
    }
    if (bytes.len < 1 || bytes.len > max) {
        return refuse(fault, param, AT_LENGTH);
    }
    if (counted && (uint32_t)stated != bytes.len) {
        return refuse(fault, &module->params[data->length], AT_MISMATCH);
    }
    return hex || data_safe(data, bytes) ? AT_OK : refuse(fault, param, AT_UNSAFE);
}

/* Structs to lines. Everything is checked and measured before a byte is written. */
#include "at/codec.h"

#include <string.h>

#include "fields.h"
#include "text.h"

/* Counts always, and writes as far as there is room: so it measures with none. */
struct writer {
    char *out;
    size_t size;
    size_t len;
};

static void put(struct writer *w, const char *text, size_t n)
{
    if (w->len + n <= w->size) {
        memcpy(w->out + w->len, text, n);
    }
    w->len += n;
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, at_length(text));
}

static void put_quoted(struct writer *w, const char *text, size_t n, bool quoted)
{
    put(w, "\"", quoted);
    put(w, text, n);
    put(w, "\"", quoted);
}

static void put_uint(struct writer *w, uint32_t value)
{
    char digits[10];
    put(w, digits, at_format_uint(value, digits));
}

static void put_int(struct writer *w, int32_t value)
{
    put(w, "-", value < 0);
    put_uint(w, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

static void put_hex(struct writer *w, struct at_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char digits[2];
        at_hex_encode(bytes.ptr + i, 1, digits);
        put(w, digits, 2);
    }
}

/* Plain letters and digits need no quotes; the manual asks for them elsewhere. */
static bool needs_quotes(struct at_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (!at_is_alnum(bytes.ptr[i])) {
            return true;
        }
    }
    return false;
}

static void put_data(struct writer *w, struct at_bytes bytes, bool hex)
{
    if (hex) {
        put_hex(w, bytes);
    } else {
        put_quoted(w, (const char *)bytes.ptr, bytes.len, needs_quotes(bytes));
    }
}

static void put_member(struct writer *w, const struct at_param *param, const void *member,
                       bool hex)
{
    bool quoted = (param->kind->flags & AT_QUOTED) != 0;
    switch (param->kind->type) {
    case AT_INT:
        put_int(w, *(const int32_t *)member);
        break;
    case AT_UINT:
        put_uint(w, *(const uint32_t *)member);
        break;
    case AT_CHOICE: {
        const char *text = param->kind->values[*(const int32_t *)member];
        put_quoted(w, text, at_length(text), quoted);
        break;
    }
    case AT_DATA:
        put_data(w, *(const struct at_bytes *)member, hex);
        break;
    case AT_HEX:
        put_hex(w, *(const struct at_bytes *)member);
        break;
    default: {
        const struct at_str *text = member;
        put_quoted(w, text->ptr, text->len, quoted);
    }
    }
}

/* Whether a member stands in the line: data at the prompt don't. */
static bool in_line(const struct at_field *field, const void *value, const struct at_data *data)
{
    return at_present(field, value) &&
           !(data != NULL && data->prompt != 0 && field->param == data->field);
}

static void put_fields(struct writer *w, const struct at_param *params,
                       const struct at_field *fields, uint8_t n, const void *value,
                       const struct at_data *data, bool hex)
{
    bool first = true;
    for (uint8_t i = 0; i < n; i++) {
        const struct at_param *param = &params[fields[i].param];
        if (!in_line(&fields[i], value, data)) {
            continue;
        }
        put(w, ",", !first);
        first = false;
        if (param->kind->type == AT_LITERAL) {
            const char *text = param->kind->values[0];
            put_quoted(w, text, at_length(text), (param->kind->flags & AT_QUOTED) != 0);
        } else {
            put_member(w, param, at_member(&fields[i], value), hex);
        }
    }
}

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

static enum at_reason check_string(const struct at_param *param, const struct at_str *string)
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

static enum at_reason check_int(const struct at_param *param, int32_t value)
{
    if (value < param->kind->min || value > (int32_t)param->kind->max) {
        return AT_RANGE;
    }
    return param->kind->supported != INT32_MIN && value != param->kind->supported ? AT_UNSUPPORTED : AT_FINE;
}

static enum at_reason check_member(const struct at_param *param, const void *member)
{
    switch (param->kind->type) {
    case AT_LITERAL:
    case AT_DATA: /* see check_data */
    case AT_HEX:
        return AT_FINE;
    case AT_INT:
        return check_int(param, *(const int32_t *)member);
    case AT_UINT: {
        uint32_t value = *(const uint32_t *)member;
        return value < (uint32_t)param->kind->min || value > param->kind->max ? AT_RANGE : AT_FINE;
    }
    case AT_CHOICE: {
        int32_t value = *(const int32_t *)member;
        return value < 0 || value >= param->kind->nvalues ? AT_RANGE : AT_FINE;
    }
    default:
        return check_string(param, member);
    }
}

/* The first field that is left out though it is required, or though one behind
 * it or of its own group is there; n when there is none. */
static uint8_t find_gap(const struct at_field *fields, uint8_t n, const void *value)
{
    uint8_t end = n;
    while (end > 0 && fields[end - 1u].group != 0 && !at_present(&fields[end - 1u], value)) {
        end--;
    }
    for (uint8_t i = 0; i < end; i++) {
        if (!at_present(&fields[i], value)) {
            return i;
        }
    }
    return end > 0 && end < n && fields[end - 1u].group == fields[end].group ? end : n;
}

static int check_fields(const struct at_param *params, const struct at_field *fields, uint8_t n,
                        const void *value, struct at_fault *fault)
{
    uint8_t gap = find_gap(fields, n, value);
    if (gap < n) {
        return refuse(fault, &params[fields[gap].param], AT_MISSING);
    }
    for (uint8_t i = 0; i < n && at_present(&fields[i], value); i++) {
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

static int check_data(const struct at_module *module, const struct at_form *form, bool hex,
                      const void *request, struct at_fault *fault)
{
    const struct at_data *data = form->rare->data;
    const struct at_param *param = &module->params[data->field];
    struct at_bytes bytes = at_request_data(module, form, request);
    size_t max = hex ? data->max_hex : data->max_text;
    int32_t stated = 0;
    bool counted = at_request_int(module, form, request, data->length, &stated);

    if (counted && ((size_t)stated > max || stated < 1)) {
        return refuse(fault, &module->params[data->length], AT_RANGE);
    }
    if (bytes.ptr == NULL) {
        return data->prompt != 0 ? AT_OK : refuse(fault, param, AT_MISSING);
    }
    if (bytes.len < 1 || bytes.len > max) {
        return refuse(fault, param, AT_LENGTH);
    }
    if (counted && (size_t)stated != bytes.len) {
        return refuse(fault, &module->params[data->length], AT_MISMATCH);
    }
    return hex || data_safe(data, bytes) ? AT_OK : refuse(fault, param, AT_UNSAFE);
}

int at_form_encode(const struct at_module *module, const struct at_form *form,
                   const uint8_t *settings, const void *request, char *buf, size_t size,
                   struct at_fault *fault)
{
    int hex = form->rare->data != NULL ? at_data_hex(form->rare->data, settings) : 0;
    int status = hex < 0 ? hex
                         : check_fields(module->params, form->fields, form->nfields, request,
                                        fault);
    if (status == AT_OK && form->rare->data != NULL) {
        status = check_data(module, form, hex != 0, request, fault);
    }
    if (status != AT_OK) {
        return status;
    }
    struct writer w = {NULL, 0, 0};
    for (int pass = 0; pass < 2; pass++) {
        w.len = 0;
        put_text(&w, form->head);
        put_fields(&w, module->params, form->fields, form->nfields, request, form->rare->data,
                   hex != 0);
        put(&w, "\r", 1);
        if (w.len > size) {
            return AT_E_SPACE;
        }
        w.out = buf;
        w.size = size;
    }
    return (int)w.len;
}

#ifndef AT_NO_NAMES /* the host says none of these lines */

static void put_record(struct writer *w, const struct at_module *module,
                       const struct at_record *record, const void *value)
{
    put_text(w, record->head);
    if (record->kind == AT_KIND_TEST) {
        const struct at_str *text = value;
        put(w, text->ptr, text->len);
    }
    put_fields(w, module->params, record->fields, record->nfields, value, NULL, false);
}

/* How many members a shape of the line would say. */
static uint8_t count_said(const struct at_record *record, const void *value)
{
    uint8_t n = 0;
    for (uint8_t i = 0; i < record->nfields; i++) {
        n = (uint8_t)(n + (record->fields[i].offset != AT_NO_MEMBER &&
                           at_present(&record->fields[i], value)));
    }
    return n;
}

static uint8_t most_said(const struct at_module *module, uint16_t id, const void *value)
{
    uint8_t most = 0;
    for (uint16_t i = 0; i < module->nrecords; i++) {
        uint8_t n = module->records[i].id == id ? count_said(&module->records[i], value) : 0;
        most = n > most ? n : most;
    }
    return most;
}

/* The shape of the line that says all that the value holds, or NULL. */
static const struct at_record *choose_shape(const struct at_module *module,
                                            const struct at_record *record, const void *value,
                                            struct at_fault *fault)
{
    uint8_t most = most_said(module, record->id, value);
    for (uint16_t i = 0; i < module->nrecords; i++) {
        const struct at_record *shape = &module->records[i];
        if (shape->id == record->id && count_said(shape, value) == most &&
            check_fields(module->params, shape->fields, shape->nfields, value, fault) == AT_OK) {
            return shape;
        }
    }
    return NULL;
}

int at_record_encode(const struct at_module *module, const struct at_record *record,
                     const void *value, char *buf, size_t size, struct at_fault *fault)
{
    struct writer w = {NULL, 0, 0};
    const struct at_record *shape = choose_shape(module, record, value, fault);
    if (shape == NULL) {
        return AT_E_ARGUMENT;
    }
    for (int pass = 0; pass < 2; pass++) {
        w.len = 0;
        put_record(&w, module, shape, value);
        if (w.len > size) {
            return AT_E_SPACE;
        }
        w.out = buf;
        w.size = size;
    }
    return (int)w.len;
}

#endif

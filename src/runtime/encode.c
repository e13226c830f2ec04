/* Structs to lines. Everything is checked and measured before a byte is written. */
#include "at/codec.h"

#include <string.h>

#include "arguments.h"
#include "fields.h"
#include "text.h"

/* Counts always, and writes as far as there is room: so it measures with none. */
struct writer {
    char *out;
    size_t size;
    size_t len;
    const struct at_param *params;
    uint16_t left_out; /* parameter that doesn't stand in the line: data at the prompt */
    bool hex;          /* data as hexadecimal digits */
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

static void put_member(struct writer *w, const struct at_kind *kind, const void *member)
{
    bool quoted = (kind->flags & AT_QUOTED) != 0;
    switch (kind->type) {
    case AT_INT:
        put_int(w, *(const int32_t *)member);
        break;
    case AT_UINT:
        put_uint(w, *(const uint32_t *)member);
        break;
    case AT_LITERAL:
    case AT_CHOICE: {
        const char *text = kind->values[kind->type == AT_CHOICE ? *(const int32_t *)member : 0];
        put_quoted(w, text, at_length(text), quoted);
        break;
    }
    case AT_DATA:
        put_data(w, *(const struct at_bytes *)member, w->hex);
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

static void put_fields(struct writer *w, const struct at_field *field, unsigned n,
                       const void *value)
{
    bool first = true;
    for (; n > 0; n--, field++) {
        if (at_present(field, value) && field->param != w->left_out) {
            put(w, ",", !first);
            first = false;
            put_member(w, w->params[field->param].kind, at_member(field, value));
        }
    }
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

int at_form_encode(const struct at_module *module, const struct at_form *form,
                   const uint8_t *settings, const void *request, char *buf, size_t size,
                   struct at_fault *fault)
{
    const struct at_data *data = form->rare->data;
    int hex = data != NULL ? at_data_hex(data, settings) : 0;
    int status = hex < 0 ? hex
                         : at_fields_check(module->params, form->fields, form->nfields, request,
                                           fault);
    if (status == AT_OK && data != NULL) {
        status = at_data_check(module, form, hex != 0, request, fault);
    }
    if (status != AT_OK) {
        return status;
    }
    struct writer w = {NULL, 0, 0, module->params, AT_NONE, hex != 0};
    if (data != NULL && data->prompt != 0) {
        w.left_out = data->field;
    }
    for (int pass = 0; pass < 2; pass++) {
        w.len = 0;
        put_text(&w, form->head);
        put_fields(&w, form->fields, form->nfields, request);
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

static void put_record(struct writer *w, const struct at_record *record, const void *value)
{
    put_text(w, record->head);
    if (record->kind == AT_KIND_TEST) {
        const struct at_str *text = value;
        put(w, text->ptr, text->len);
    }
    put_fields(w, record->fields, record->nfields, value);
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
            at_fields_check(module->params, shape->fields, shape->nfields, value, fault) == AT_OK) {
            return shape;
        }
    }
    return NULL;
}

int at_record_encode(const struct at_module *module, const struct at_record *record,
                     const void *value, char *buf, size_t size, struct at_fault *fault)
{
    struct writer w = {NULL, 0, 0, module->params, AT_NONE, false};
    const struct at_record *shape = choose_shape(module, record, value, fault);
    if (shape == NULL) {
        return AT_E_ARGUMENT;
    }
    for (int pass = 0; pass < 2; pass++) {
        w.len = 0;
        put_record(&w, shape, value);
        if (w.len > size) {
            return AT_E_SPACE;
        }
        w.out = buf;
        w.size = size;
    }
    return (int)w.len;
}

#endif

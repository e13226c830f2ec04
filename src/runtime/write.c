/* Structs to lines, measured before a byte is written. */
#include "write.h"

#include <string.h>

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
    if (w->out != NULL && w->len + n <= w->size) {
        memcpy(w->out + w->len, text, n);
    }
    w->len += n;
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, at_length(text));
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

static bool is_quoted(const struct writer *w, const struct at_kind *kind, const void *member)
{
    if (kind->type == AT_DATA) {
        return !w->hex && needs_quotes(*(const struct at_bytes *)member);
    }
    return (kind->flags & AT_QUOTED) != 0;
}

static void put_member(struct writer *w, const struct at_kind *kind, const void *member)
{
    bool quoted = is_quoted(w, kind, member);
    put(w, "\"", quoted);
    if (kind->type == AT_INT) {
        put_int(w, *(const int32_t *)member);
    } else if (kind->type == AT_UINT) {
        put_uint(w, *(const uint32_t *)member);
    } else if (kind->type == AT_LITERAL) {
        put_text(w, kind->values[0]);
    } else if (kind->type == AT_CHOICE) {
        put_text(w, kind->values[*(const int32_t *)member]);
    } else if (kind->type == AT_HEX || (kind->type == AT_DATA && w->hex)) {
        put_hex(w, *(const struct at_bytes *)member);
    } else { /* strings and bytes have the same members */
        const struct at_str *text = member;
        put(w, text->ptr, text->len);
    }
    put(w, "\"", quoted);
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

int at_form_write(const struct at_module *module, const struct at_form *form, bool hex,
                  const void *request, char *buf, size_t size)
{
    const struct at_data *data = form->rare->data;
    struct writer w = {NULL, 0, 0, module->params, AT_NONE, hex};
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

int at_record_write(const struct at_module *module, const struct at_record *record,
                    const void *value, char *buf, size_t size)
{
    struct writer w = {NULL, 0, 0, module->params, AT_NONE, false};
    for (int pass = 0; pass < 2; pass++) {
        w.len = 0;
        put_record(&w, record, value);
        if (w.len > size) {
            return AT_E_SPACE;
        }
        w.out = buf;
        w.size = size;
    }
    return (int)w.len;
}

#endif

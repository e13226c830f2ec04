#include "fields.h"

#include "text.h"

const void *at_member(const struct at_field *field, const void *value)
{
    return (const char *)value + field->offset;
}

bool at_present(const struct at_field *field, const void *value)
{
    return field->has == 0 || *((const bool *)((const char *)value + field->offset - field->has));
}

uint8_t at_field_index(const struct at_field *fields, uint8_t nfields, uint16_t param)
{
    uint8_t i = 0;
    while (i < nfields && fields[i].param != param) {
        i++;
    }
    return i;
}

struct at_shape at_record_shape(const struct at_module *module, const struct at_record *record)
{
    struct at_shape shape = {module->params, module->shown, record->fields, (uint8_t)record->nfields,
                             record->extra != 0, false};
    return shape;
}

static bool hidden(const struct at_shown *shown, const struct at_field *field,
                   const uint8_t *settings)
{
    if (field->shown == 0) {
        return false;
    }
    shown += field->shown - 1u;
    return settings[shown->slot] != shown->value;
}

uint8_t at_fields_visible(const struct at_shape *shape, const uint8_t *settings)
{
    uint8_t n = 0;
    while (n < shape->nfields && !hidden(shape->shown, &shape->fields[n], settings)) {
        n++;
    }
    return n;
}

/* A group of optional fields comes whole or not at all. */
static bool count_fits(const struct at_shape *shape, const uint8_t *settings, uint8_t nmarks,
                       struct at_fault *fault)
{
    uint8_t visible = at_fields_visible(shape, settings);
    if (nmarks > visible) {
        return shape->extra && visible == shape->nfields;
    }
    if (nmarks == visible) {
        return true;
    }
    const struct at_field *next = &shape->fields[nmarks];
    bool complete = next->group != 0 && next->shown == 0 &&
                    (nmarks == 0 || shape->fields[nmarks - 1u].group != next->group);
    if (!complete && fault != NULL) {
        fault->param = &shape->params[next->param];
        fault->reason = AT_MISSING;
    }
    return complete;
}

static bool is_choice(const struct at_param *param, const uint8_t *text, size_t len,
                      int32_t *index)
{
    for (unsigned i = 0; i < param->kind->nvalues; i++) {
        if (at_text_equal(text, len, param->kind->values[i])) {
            *index = (int32_t)i;
            return true;
        }
    }
    return false;
}

static enum at_reason check_int(const struct at_param *param, const uint8_t *text, size_t len,
                                bool strict)
{
    int32_t value;
    if (!at_parse_int(text, len, &value)) {
        return AT_TYPE;
    }
    if (strict && (value < param->kind->min || value > (int32_t)param->kind->max)) {
        return AT_RANGE;
    }
    return strict && param->kind->supported != INT32_MIN && value != param->kind->supported ? AT_UNSUPPORTED
                                                                                : AT_FINE;
}

static enum at_reason check_uint(const struct at_param *param, const uint8_t *text, size_t len,
                                 bool strict)
{
    uint32_t value;
    if (!at_parse_uint(text, len, &value)) {
        return AT_TYPE;
    }
    return strict && (value < (uint32_t)param->kind->min || value > param->kind->max) ? AT_RANGE : AT_FINE;
}

static enum at_reason check_string(const struct at_param *param, const struct at_mark *mark,
                                   const uint8_t *text, size_t len, bool strict)
{
    int32_t index;
    if (mark->kind == AT_MARK_RANGE || mark->kind == AT_MARK_REST) {
        return AT_TYPE;
    }
    if (strict && param->kind->type == AT_CHOICE) {
        return is_choice(param, text, len, &index) ? AT_FINE : AT_RANGE;
    }
    if (strict && (len < (uint32_t)param->kind->min || len > param->kind->max)) {
        return AT_LENGTH;
    }
    if (param->kind->type == AT_IP && !(strict ? at_is_address(text, len) : at_is_ip(text, len))) {
        return AT_TYPE;
    }
    return strict && param->kind->type == AT_HOST && !at_is_host(text, len) ? AT_UNSAFE : AT_FINE;
}

static enum at_reason check_hex(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at_hex_digit(text[i]) < 0) {
            return AT_TYPE;
        }
    }
    return len % 2u == 0 ? AT_FINE : AT_LENGTH;
}

static enum at_reason check_mark(const struct at_param *param, const uint8_t *line,
                                 const struct at_mark *mark, bool strict)
{
    const uint8_t *text = line + mark->begin;
    size_t len = (size_t)(mark->end - mark->begin);
    strict = strict || (param->kind->flags & AT_STRICT) != 0;
    switch (param->kind->type) {
    case AT_LITERAL: {
        bool quoted = (param->kind->flags & AT_QUOTED) != 0;
        return quoted == (mark->kind == AT_MARK_QUOTED) && at_text_equal(text, len, param->kind->values[0])
                   ? AT_FINE
                   : AT_TYPE;
    }
    case AT_INT:
        return mark->kind == AT_MARK_INT ? check_int(param, text, len, strict) : AT_TYPE;
    case AT_UINT:
        return mark->kind == AT_MARK_INT ? check_uint(param, text, len, strict) : AT_TYPE;
    case AT_HEX:
        return check_hex(text, len);
    case AT_TEXT:
    case AT_DATA:
        return AT_FINE;
    default:
        return check_string(param, mark, text, len, strict);
    }
}

bool at_fields_fit(const struct at_shape *shape, const uint8_t *settings, const uint8_t *text,
                   const struct at_mark *marks, uint8_t nmarks, struct at_fault *fault)
{
    if (!count_fits(shape, settings, nmarks, fault)) {
        return false;
    }
    for (unsigned i = 0; i < nmarks && i < shape->nfields; i++) {
        const struct at_param *param = &shape->params[shape->fields[i].param];
        enum at_reason reason = check_mark(param, text, &marks[i], shape->strict);
        if (reason != AT_FINE) {
            if (fault != NULL) {
                fault->param = param;
                fault->reason = reason;
            }
            return false;
        }
    }
    return true;
}

static void decode_mark(const struct at_param *param, const uint8_t *text, size_t len,
                        void *member)
{
    switch (param->kind->type) {
    case AT_INT:
        (void)at_parse_int(text, len, member);
        break;
    case AT_UINT:
        (void)at_parse_uint(text, len, member);
        break;
    case AT_CHOICE:
        (void)is_choice(param, text, len, member);
        break;
    case AT_DATA:
    case AT_HEX: {
        struct at_bytes *bytes = member;
        bytes->ptr = text;
        bytes->len = len;
        break;
    }
    default: {
        struct at_str *string = member;
        string->ptr = (const char *)text;
        string->len = len;
    }
    }
}

void at_fields_decode(const struct at_shape *shape, const uint8_t *text,
                      const struct at_mark *marks, uint8_t nmarks, void *out)
{
    for (unsigned i = 0; i < nmarks && i < shape->nfields; i++) {
        const struct at_field *field = &shape->fields[i];
        if (field->offset == AT_NO_MEMBER) {
            continue;
        }
        if (field->has != 0) {
            *((bool *)((char *)out + field->offset - field->has)) = true;
        }
        decode_mark(&shape->params[field->param], text + marks[i].begin,
                    (size_t)(marks[i].end - marks[i].begin), (char *)out + field->offset);
    }
}

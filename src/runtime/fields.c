#include "fields.h"

#include <string.h>

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
                             record->extra != 0, NULL};
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

bool at_in_range(const struct at_kind *kind, uint32_t value)
{
    return value - (uint32_t)kind->min <= kind->max - (uint32_t)kind->min;
}

static bool is_hex(const uint8_t *text, size_t len)
{
    size_t i = 0;
    while (i < len && at_hex_digit(text[i]) >= 0) {
        i++;
    }
    return i == len;
}

bool at_parse_number(const struct at_kind *kind, const uint8_t *text, size_t len, uint32_t *value)
{
    int32_t number = 0;
    if (kind->type == AT_UINT) {
        return at_parse_uint(text, len, value);
    }
    bool parsed = at_parse_int(text, len, &number);
    *value = (uint32_t)number;
    return parsed;
}

/* Whether a mark can hold what the parameter says. */
static enum at_reason check_mark(const struct at_kind *kind, const uint8_t *line,
                                 const struct at_mark *mark)
{
    const uint8_t *text = line + mark->begin;
    size_t len = (size_t)(mark->end - mark->begin);
    bool fits;
    uint32_t number;
    switch (kind->type) {
    case AT_LITERAL:
        fits = ((kind->flags & AT_QUOTED) != 0) == (mark->kind == AT_MARK_QUOTED) &&
               at_text_equal(text, len, kind->values[0]);
        break;
    case AT_INT:
    case AT_UINT:
        fits = mark->kind == AT_MARK_INT && at_parse_number(kind, text, len, &number);
        if (fits && (kind->flags & AT_STRICT) != 0 && !at_in_range(kind, number)) {
            return AT_RANGE;
        }
        break;
    case AT_HEX:
        fits = is_hex(text, len);
        if (fits && len % 2u != 0) {
            return AT_LENGTH;
        }
        break;
    case AT_TEXT:
    case AT_DATA:
        fits = true;
        break;
    default:
        fits = mark->kind != AT_MARK_RANGE && mark->kind != AT_MARK_REST &&
               (kind->type != AT_IP || at_is_ip(text, len));
    }
    return fits ? AT_FINE : AT_TYPE;
}

bool at_fields_fit(const struct at_shape *shape, const uint8_t *settings, const uint8_t *text,
                   const struct at_mark *marks, uint8_t nmarks, struct at_fault *fault)
{
    if (!count_fits(shape, settings, nmarks, fault)) {
        return false;
    }
    for (unsigned i = 0; i < nmarks && i < shape->nfields; i++) {
        const struct at_param *param = &shape->params[shape->fields[i].param];
        const struct at_kind *kind = param->kind;
        enum at_reason reason = shape->judge != NULL ? shape->judge(kind, text, &marks[i]) : AT_FINE;
        if (reason == AT_FINE) {
            reason = check_mark(kind, text, &marks[i]);
        }
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

static void decode_mark(const struct at_kind *kind, const uint8_t *text, size_t len, void *member)
{
    struct at_str span = {(const char *)text, len};
    switch (kind->type) {
    case AT_INT:
        (void)at_parse_int(text, len, member);
        break;
    case AT_UINT:
        (void)at_parse_uint(text, len, member);
        break;
    case AT_CHOICE:
        *(int32_t *)member = at_choice_of(span, kind->values, kind->nvalues);
        break;
    default: /* strings and bytes have the same members */
        memcpy(member, &span, sizeof span);
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
        decode_mark(shape->params[field->param].kind, text + marks[i].begin,
                    (size_t)(marks[i].end - marks[i].begin), (char *)out + field->offset);
    }
}

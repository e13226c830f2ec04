/* Requests and lines filled by their descriptors, so that a test covers whatever the
 * spec has. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <string.h>

#include "bc26_module.h"

/* Any request or line struct. */
union sample {
    uint8_t bytes[512];
    void *align;
    int64_t align_too;
};

static inline const struct at_param *param_of(const struct at_field *field)
{
    return &bc26.params[field->param];
}

static inline void *member_of(union sample *sample, const struct at_field *field)
{
    return sample->bytes + field->offset;
}

static inline bool has_member(const union sample *sample, const struct at_field *field)
{
    return field->has == 0 || sample->bytes[field->offset - field->has] != 0;
}

static inline void set_has(union sample *sample, const struct at_field *field, bool has)
{
    if (field->has != 0) {
        memcpy(sample->bytes + field->offset - field->has, &has, sizeof has);
    }
}

static inline void set_text(union sample *sample, const struct at_field *field, const char *text,
                            size_t len)
{
    struct at_str string = {text, len};
    memcpy(member_of(sample, field), &string, sizeof string);
}

static inline void set_int(union sample *sample, const struct at_field *field, int32_t value)
{
    memcpy(member_of(sample, field), &value, sizeof value);
}

static inline void set_bytes(union sample *sample, const struct at_field *field, const void *data,
                             size_t len)
{
    struct at_bytes bytes = {data, len};
    memcpy(member_of(sample, field), &bytes, sizeof bytes);
}

/* Every member there, and every value a legal one; data of four bytes. */
static inline void fill_fields(union sample *sample, const struct at_field *fields, size_t n)
{
    memset(sample, 0, sizeof *sample);
    for (size_t i = 0; i < n; i++) {
        const struct at_param *param = param_of(&fields[i]);
        if (param->kind->type == AT_LITERAL) {
            continue;
        }
        set_has(sample, &fields[i], true);
        switch (param->kind->type) {
        case AT_INT:
            set_int(sample, &fields[i], param->kind->supported != INT32_MIN ? param->kind->supported
                                        : param->kind->min > INT32_MIN      ? param->kind->min
                                                                      : 565);
            break;
        case AT_CHOICE:
            set_int(sample, &fields[i], (int32_t)param->kind->nvalues - 1);
            break;
        case AT_UINT: {
            uint32_t value = param->kind->max;
            memcpy(member_of(sample, &fields[i]), &value, sizeof value);
            break;
        }
        case AT_DATA:
        case AT_HEX:
            set_bytes(sample, &fields[i], "a,b ", 4);
            break;
        case AT_IP:
            set_text(sample, &fields[i], "47.100.63.174", 13);
            break;
        case AT_HOST:
            set_text(sample, &fields[i], "iot.quectel.com", 15);
            break;
        default:
            set_text(sample, &fields[i], "TCP", 3);
        }
    }
}

static inline const struct at_field *form_field(const struct at_form *form, uint16_t param)
{
    for (uint8_t i = 0; i < form->nfields; i++) {
        if (form->fields[i].param == param) {
            return &form->fields[i];
        }
    }
    return NULL;
}

/* Data and the length stated for them. */
static inline void set_data(union sample *sample, const struct at_form *form, const void *data,
                            size_t len)
{
    const struct at_field *length = form_field(form, form->rare->data->length);
    set_bytes(sample, form_field(form, form->rare->data->field), data, len);
    if (length != NULL) {
        set_int(sample, length, (int32_t)len);
    }
}

static inline void fill_request(union sample *sample, const struct at_form *form)
{
    fill_fields(sample, form->fields, form->nfields);
    if (form->rare->data != NULL) {
        set_data(sample, form, "a,b ", 4);
    }
}

#endif

/* Fields of a line against their descriptors: the part that the host's and the
 * module's side share. */
#ifndef AT_FIELDS_H
#define AT_FIELDS_H

#include "at/codec.h"

/* A line's marks beside the description they are held against. */
struct at_shape {
    const struct at_param *params;
    const struct at_shown *shown;
    const struct at_field *fields;
    uint8_t nfields;
    bool extra; /* further fields are ignored */
    /* What is wrong with a field, should it be of the right type; NULL: nothing is. Ranges and sets
     * hold for commands, and for a line only where that tells it from others. */
    enum at_reason (*judge)(const struct at_kind *kind, const uint8_t *text, const struct at_mark *mark);
};

/* Whether the marks fit. Settings decide about fields that are `shown`. */
bool at_fields_fit(const struct at_shape *shape, const uint8_t *settings, const uint8_t *text,
                   const struct at_mark *marks, uint8_t nmarks, struct at_fault *fault);

/* Write what fits into a struct that was cleared. */
void at_fields_decode(const struct at_shape *shape, const uint8_t *text,
                      const struct at_mark *marks, uint8_t nmarks, void *out);

/* How many fields the settings let a line have when every optional one is there. */
uint8_t at_fields_visible(const struct at_shape *shape, const uint8_t *settings);

/* A record as a shape. */
struct at_shape at_record_shape(const struct at_module *module, const struct at_record *record);

/* Index of the field that holds a parameter, or nfields. */
uint8_t at_field_index(const struct at_field *fields, uint8_t nfields, uint16_t param);

/* A number of this kind, and whether it's in its range; one below 0 as its two's complement. */
bool at_parse_number(const struct at_kind *kind, const uint8_t *text, size_t len, uint32_t *value);
bool at_in_range(const struct at_kind *kind, uint32_t value);
/* Likewise of an argument. */
enum at_reason at_number_check(const struct at_kind *kind, uint32_t value);

bool at_present(const struct at_field *field, const void *value);
const void *at_member(const struct at_field *field, const void *value);

#endif

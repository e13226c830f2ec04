/**
 * @file members.h
 * Requests and lines by their descriptors, whatever the module: filled with
 * legal values at random, and compared member by member.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "at/codec.h"

enum {
    SETTINGS_MAX = 64,
    VALUE_MAX = 512,  /* the largest struct of a request or line */
    DATA_MAX = 2048,  /* the most data or payload, as bytes */
    WIRE_MAX = 8192  /* the longest line with its payload, as on the wire */
};

/* Room for any request or line, aligned for its members. */
union value {
    char bytes[VALUE_MAX];
    void *pointer;
    uint64_t number;
};

enum edge { EDGE_NONE, EDGE_LOW, EDGE_HIGH };

/* Pseudo-random numbers, and the texts that were picked last. */
struct picker {
    uint32_t state;
    enum edge edge; /* of its range, for every member */
    size_t used;
    uint8_t room[2 * DATA_MAX];
};

void picker_init(struct picker *p, uint32_t seed);
uint32_t pick(struct picker *p, uint32_t n); /* 0 to n - 1 */

/* Every setting known, with any value. */
void pick_settings(struct picker *p, const struct at_module *module, uint8_t *settings);

/* How deep the optional groups nest. */
uint8_t group_depth(const struct at_field *fields, uint8_t n);

/* Legal arguments, with the optional groups down to `depth`. Texts live until
 * the next request or line is picked. */
void pick_request(struct picker *p, const struct at_module *module, const struct at_form *form,
                  const uint8_t *settings, uint8_t depth, union value *request);
void pick_line(struct picker *p, const struct at_module *module, const struct at_record *record,
               const uint8_t *settings, uint8_t depth, union value *line);

/* Bytes of payload that a line announces under these settings, or -1. */
int32_t announced(const struct at_module *module, const struct at_record *record,
                  const uint8_t *settings, const union value *line);

bool is_present(const struct at_field *field, const union value *value);
void *member_of(const struct at_field *field, union value *value);

/* The integer of a line by its parameter; false when it has none. */
bool line_int(const struct at_module *module, const struct at_record *record,
              const union value *line, uint16_t param, int32_t *number);
void set_line_int(const struct at_record *record, union value *line, uint16_t param,
                  int32_t number);

/* The name of the first member that differs, or NULL. Data at the prompt
 * stand in no command line and so aren't compared. */
const char *request_difference(const struct at_module *module, const struct at_form *form,
                               const union value *a, const union value *b);
const char *line_difference(const struct at_module *module, uint16_t record_id,
                            const union value *a, const union value *b);

/* What the hexadecimal digits of a parsed command's data stand for. */
void unhex_data(const struct at_module *module, const struct at_form *form,
                const uint8_t *settings, union value *request, uint8_t *room);

#endif

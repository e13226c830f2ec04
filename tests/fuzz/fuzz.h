/* What the fuzz targets share. They know no module: what they need of one stands in its
 * descriptors, so the same sources serve the BC26 and any other spec. */
#ifndef FUZZ_H
#define FUZZ_H

#include "unit/members.h"

enum { INPUT_MAX = 4096, PAYLOAD_MAX = 4096 };

extern const struct at_grammar *const fuzz_grammar;
extern const struct at_module *const fuzz_module;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the input; a finding otherwise. */
#define claim(condition, ...)       \
    do {                            \
        if (!(condition)) {         \
            finding(__VA_ARGS__);   \
        }                           \
    } while (0)

void finding(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* An input: text from its beginning; choices from its end, so that neither moves when the
 * other grows. */
struct input {
    const uint8_t *text;
    size_t len;
};

/* 0 to n - 1; of a byte, '0' being 0, or of more where n asks for more. 0 when there is none. */
uint32_t choose(struct input *in, uint32_t n);
uint32_t choose_word(struct input *in);
/* Up to n bytes of the text; how many. */
size_t take_text(struct input *in, uint8_t *to, size_t n);

/* Any value of every setting; with `unknown` also that it isn't known. */
void choose_settings(struct input *in, uint8_t *settings, bool unknown);

/* Memory that is exactly as large, so that a sanitizer sees every byte too far. */
void *exactly(const void *bytes, size_t n);

/* How much of the line the head takes, or -1 when it begins otherwise. A space may be missing;
 * commands may be in small letters. */
int head_length(const char *head, bool command, const uint8_t *text, size_t len);

/* Whether a member holds what the spec allows a host to say; told from the descriptors alone,
 * and not by what the encoder thinks. */
bool is_legal(const struct at_param *param, const void *member);

/* Whether the payload of a record stands behind a comma. */
bool is_inline(const struct at_record *record, const uint8_t *settings);
/* The shape of the record's line that announces payloads, or NULL. */
const struct at_record *payload_shape(const struct at_record *record);
/* Bytes of payload that a line of this shape announces: as announced(), whatever it says. */
int32_t payload_of(const struct at_record *record, const uint8_t *settings, const union value *line);

/* The whole-line final result code of this outcome, or NULL. */
const struct at_record *final_record(enum at_outcome outcome);

/* A line with legal values, of any record: its text, and what it means. Returns its length;
 * 0 when it fits no buffer. */
size_t make_line(struct picker *p, const struct at_record *record, const uint8_t *settings,
                 union value *meant, char *text, size_t size);

#endif

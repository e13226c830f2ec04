/**
 * @file dialogue.h
 * What the generated tests of a spec's examples stand on: a dialogue between
 * host and module is spoken step by step, and every step is checked. At its
 * end all that the module said is heard again at every split in two, and the
 * whole is held once more by the client, with the module's part read out.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <check.h>

#include "at/at.h"
#include "unit/members.h"

enum { CTRL_Z = 26, ESC = 27, NO_END = -1 };

#define STR(text) {(text), sizeof(text) - 1}
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}

enum { STEPS_MAX = 64, SAID_MAX = 16384 };

enum step_kind { STEP_HOST, STEP_REFUSED, STEP_LINE, STEP_PROMPT, STEP_DATA };

struct step {
    enum step_kind kind;
    const char *text;           /* of the line, as the manual prints it */
    const char *after;          /* of a line: what follows it up to its CRLF */
    int end;                    /* of data: the byte that ends them, or NO_END */
    const struct at_form *form; /* of a host's line */
    uint16_t record;            /* of a module's line: its id */
    union value meant;          /* the request, or what the line means */
    char wire[256];             /* of a host's line: as the encoder spells it */
    size_t wire_len;
};

/* One who hears what the module says, under settings of his own. */
struct listener {
    const struct dialogue *dialogue;
    struct at_stream stream;
    uint8_t window[1024];
    uint8_t settings[SETTINGS_MAX];
    size_t answered;           /* steps up to which commands have their final result */
    bool in_payload;
    char log[SAID_MAX];        /* every event as text; pieces of a payload joined */
    size_t log_len;
    unsigned lines, prompts, others; /* since the last step */
    struct at_line line;       /* the last; what it points to is kept here: */
    uint8_t text[1024];
    struct at_mark marks[AT_FIELDS_MAX];
    uint8_t payload[DATA_MAX];
    size_t payload_len;
};

struct dialogue {
    const struct at_grammar *grammar;
    const char *source, *section, *title;
    uint8_t initial[SETTINGS_MAX];
    struct listener host;
    struct step steps[STEPS_MAX];
    size_t nsteps;
    const char *spelled;       /* how the encoder spells the next line */
    char line[1024];           /* where encoders write */
    char said[SAID_MAX];       /* all that the module said */
    size_t said_len;
};

/** A dialogue under the manual's default settings. */
#define dialogue_begin(grammar, section, title) \
    dialogue_open(grammar, __FILE__, section, title)
struct dialogue *dialogue_open(const struct at_grammar *grammar, const char *source,
                               const char *section, const char *title);

/** A setting that is another from the beginning. */
void dialogue_set(struct dialogue *d, uint8_t slot, uint8_t value);

/** The next line's text is one that the encoder spells differently: so; or "",
 *  should it be a quirk that no encoder has a way to say. */
void dialogue_spell(struct dialogue *d, const char *spelled);

/**
 * The host says `text`, which the encoder wrote to d->line (n bytes): byte for
 * byte with its CR. The module reads it as this form.
 * @param got  what the module reads, `size` bytes; data in hexadecimal digits
 *             decoded. NULL for a form without arguments
 */
void dialogue_say(struct dialogue *d, uint16_t form, const char *text, int n, const void *meant,
                  void *got, size_t size);

/** The host says what the module refuses. */
void dialogue_refused(struct dialogue *d, const char *text);

/**
 * The module says `text`, then `after` (a payload with what separates it), and
 * the stream tells exactly this line and these bytes of payload.
 * @return the line, valid until the next one
 */
const struct at_line *dialogue_hear(struct dialogue *d, uint16_t record, const char *text,
                                    const char *after, const void *meant, size_t size);

/** The same for a line without fields, or the answer to a test command. */
void dialogue_plain(struct dialogue *d, uint16_t record, const char *text);

/** What the module means, encoded to d->line (n bytes), is `text` again. */
void dialogue_spells(struct dialogue *d, const char *text, int n);

/** The module prompts for data. */
void dialogue_prompt(struct dialogue *d, const char *text);

/** The host sends the data of its last command, as on the wire, and what ends them. */
void dialogue_send(struct dialogue *d, const char *data, int end);

/** The dialogue left a setting so. */
void dialogue_left(struct dialogue *d, const char *setting, uint8_t slot, uint8_t value);

/** All of it again: at every split, and by the client. */
void dialogue_end(struct dialogue *d);

/* The second half of dialogue_end. */
void dialogue_by_client(const struct dialogue *d);

#define assert_same_text(a, b)                              \
    do {                                                    \
        ck_assert_uint_eq((a).len, (b).len);                \
        if ((a).len > 0) {                                  \
            ck_assert_mem_eq((a).ptr, (b).ptr, (a).len);    \
        }                                                   \
    } while (0)

#endif

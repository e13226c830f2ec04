/* What a stream says, as text: one event a line, payloads in one piece. The form is
 * described in tests/transcripts/README. */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdio.h>

#include "session.h"

struct text {
    char *bytes; /* NUL-terminated; NULL when empty */
    size_t len;
    size_t room;
};

void text_clear(struct text *text);
void text_add(struct text *text, const void *bytes, size_t n);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes made readable: \r, \n, \\, \xHH, and \{N*c} for a run of more than 16. */
void text_escaped(struct text *text, const void *bytes, size_t n);
/* The other way; NULL, or what is wrong. */
const char *text_unescaped(struct text *text, const char *escaped);

/* How the bytes come in. */
enum delivery {
    BY_FEED,   /* at_stream_feed */
    BY_COMMIT, /* at_stream_reserve and at_stream_commit */
    BY_DIRECT, /* at_stream_feed, payloads read straight to where they belong */
    DELIVERIES
};

struct recorder {
    struct session session;
    struct at_stream stream;
    struct text log;
    const char *broken; /* an event that breaks the stream's own contract, or NULL */
    /* private */
    enum delivery delivery;
    uint8_t *window;
    struct text payload;
    struct text held; /* a line whose payload is still coming */
    size_t remaining;
    bool in_payload;
    bool hex;
    uint8_t direct[4096];
};

extern const struct tool recorder_tool;

/* The window is malloc'ed, so that a sanitizer sees every byte too far. */
void recorder_begin(struct recorder *r, enum delivery delivery, size_t window);
/* One chunk, in memory of its own that is exactly as large. */
void recorder_chunk(struct recorder *r, const void *bytes, size_t n);
/* at_stream_finish, and no more use of the stream; the log stays. */
void recorder_finish(struct recorder *r);
void recorder_free(struct recorder *r);

/* Decoded fields of a line or request, as ` name=value`. */
void print_values(struct text *out, const struct at_module *module,
                  const struct at_field *fields, size_t n, const void *value);

#endif

/**
 * @file stream.h
 * The stream parser: bytes from the module in, events out.
 *
 * It reads a window that the user provides: at_stream_reserve gives the place
 * where the next bytes go (a DMA or read() writes straight there),
 * at_stream_commit says how many came. Every byte of a line is scanned once;
 * a payload is counted, never scanned, and delivered in place.
 */
#ifndef AT_STREAM_H
#define AT_STREAM_H

#include "at/codec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum at_event_type {
    AT_EVENT_LINE,      /**< a known line; `line` */
    AT_EVENT_PAYLOAD,   /**< a piece of the payload of `record`, as on the wire: `data`, `len`;
                             it ends with the piece whose `remaining` is 0 */
    AT_EVENT_PROMPT,    /**< '>' */
    AT_EVENT_ECHO,      /**< a command line come back: `data`, `len` */
    AT_EVENT_ECHO_DATA, /**< a piece of data come back, like AT_EVENT_PAYLOAD */
    AT_EVENT_UNKNOWN,   /**< `data`, `len`; with `record` when the head was known and the
                             fields fit neither it nor the settings */
    AT_EVENT_OVERLONG,  /**< a line of `remaining` bytes, skipped */
    AT_EVENT_INCOMPLETE /**< at_stream_finish: the text; or the `remaining` of a payload, or of
                             echoed data, which have no `record` */
};

/** Everything is valid until the callback returns. */
struct at_event {
    enum at_event_type type;
    const struct at_record *record;
    const struct at_line *line;
    const uint8_t *data;
    size_t len;
    size_t remaining; /**< wire bytes of the payload still to come; SIZE_MAX: that, or more */
};

typedef void (*at_event_fn)(void *ctx, const struct at_event *event);

struct at_found;

/** Private to the stream; allocate it and leave its members alone. (Small ones first: a
 *  Cortex-M0 reaches them with shorter code there.) */
struct at_stream {
    uint8_t state;
    uint8_t stop;
    uint8_t nmarks;
    bool prompt;
    bool learn;
    uint16_t size;
    uint16_t line_max;
    uint16_t line;     /* first byte of the line */
    uint16_t scan;     /* next byte to look at */
    uint16_t fill;     /* end of what was received */
    uint16_t cs;
    int16_t until;
    uint16_t head;
    const struct at_module *module;
    uint8_t *settings;
    uint8_t *window;
    uint8_t *direct;   /* where payload bytes are read to, or NULL */
    const struct at_record *record; /* whose payload is being read */
    uint32_t left;     /* wire bytes of payload, or bytes of an overlong line */
    uint32_t trailing; /* CRs that are a line's end if an LF follows, and not in the window */
    bool (*scan_echoed)(struct at_stream *stream, struct at_found *found);
    at_event_fn on_event;
    void *ctx;
    struct at_mark marks[AT_FIELDS_MAX];
};

/**
 * @param settings  module->nslots bytes, which the stream reads and updates;
 *                  AT_UNKNOWN where not known. A line that may have a payload, but
 *                  whose framing depends on a setting that isn't known, comes as
 *                  AT_EVENT_UNKNOWN with its record, and what follows it is scanned
 *                  as lines: trust none of them before the line has been quiet.
 * @param window    at least 64 bytes; more than 65535 aren't used. A line that doesn't fit
 *                  with one byte to spare comes as AT_EVENT_OVERLONG
 * @return AT_OK, or AT_E_SPACE for a smaller window
 */
int at_stream_init(struct at_stream *stream, const struct at_module *module,
                   uint8_t *settings, uint8_t *window, size_t size,
                   at_event_fn on_event, void *ctx);

/** Where the next bytes go, and how many may come; never 0. */
uint8_t *at_stream_reserve(struct at_stream *stream, size_t *room);

/** `n` bytes were written to what at_stream_reserve gave. */
void at_stream_commit(struct at_stream *stream, size_t n);

/** Reserve, copy and commit; for those who have the bytes elsewhere. */
void at_stream_feed(struct at_stream *stream, const uint8_t *data, size_t n);

/**
 * Whether lines that tell settings set them, as they do at first. Turn it off
 * where only the answers that were asked for may, and call at_line_learn for
 * those.
 */
void at_stream_learn(struct at_stream *stream, bool learn);

/** Whether '>' at the start of a line is a prompt. */
void at_stream_expect_prompt(struct at_stream *stream, bool expected);

/**
 * Called from the event of a line with a payload in text format: further
 * bytes of it are read straight to `dst`, which has room for all of it. NULL,
 * at any time: to the window again.
 */
void at_stream_direct(struct at_stream *stream, uint8_t *dst);

/**
 * Called from the event of a prompt: `n` bytes of echoed data follow; or, with
 * n 0, as many as come before the byte `until` or ESC, which belongs to them.
 */
void at_stream_expect_echo(struct at_stream *stream, uint32_t n, int until);

/** Report what is left of a line or payload, and start afresh. */
void at_stream_finish(struct at_stream *stream);

#ifdef __cplusplus
}
#endif

#endif

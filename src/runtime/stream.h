/* The stream parser, asked for one event at a time: what at_stream_commit and the client
 * are made of. */
#ifndef AT_STREAM_INTERNAL_H
#define AT_STREAM_INTERNAL_H

#include "at/stream.h"

struct at_found {
    struct at_event event;
    struct at_line line; /* of AT_EVENT_LINE */
};

/* The next event in the bytes that came. `*n` more were written to what at_stream_reserve
 * gave; 0 from then on. False: there's none any more, until more come. */
bool at_stream_next(struct at_stream *stream, size_t *n, struct at_found *found);

/* From the event of a line with a payload: it isn't one, and lines follow. */
void at_stream_no_payload(struct at_stream *stream);

#endif

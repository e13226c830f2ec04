/**
 * @file trace.h
 * Both directions of a channel as people read them: `->` to the module, `<-`
 * from it, `|` data. It parses what comes with a stream of its own, so data
 * that look like a line are shown as the data they are.
 */
#ifndef AT_TRACE_H
#define AT_TRACE_H

#include <stdio.h>

#include "session.h"

struct trace {
    FILE *out; /* NULL: follow, but print nothing */
    struct session session;
    struct at_stream stream;
    uint8_t window[4097];
    bool prompted;     /* what goes to the module is data */
    size_t len;        /* of the command line, or of the data */
    size_t held;       /* of them in `bytes` */
    uint8_t bytes[4096];
};

void trace_init(struct trace *trace, const struct tool *tool, FILE *out);

/** Bytes that went to the module. */
void trace_sent(struct trace *trace, const uint8_t *data, size_t n);

/** Bytes that came from it. */
void trace_received(struct trace *trace, const uint8_t *data, size_t n);

/** Print data that are held. */
void trace_flush(struct trace *trace);

#endif

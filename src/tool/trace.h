/**
 * @file trace.h
 * Both directions of a channel as people read them: `->` to the module, `<-`
 * from it, `|` data. Data that look like a line are shown as the data they are.
 */
#ifndef AT_TRACE_H
#define AT_TRACE_H

#include <stdio.h>

#include "traffic.h"

/** How lines are shown; raw and indented without any. */
enum trace_style {
    TRACE_DECODED = 1, /**< behind each line its fields, and what they mean */
    TRACE_COLOURS = 2,
    TRACE_TIMES = 4    /**< local time before each line */
};

struct trace {
    FILE *out; /* NULL: follow, but print nothing */
    const struct tool *tool;
    unsigned style;
    bool hex;  /* the payload to come is hexadecimal */
    struct traffic traffic;
};

/** @param style  of enum trace_style */
void trace_init(struct trace *trace, const struct tool *tool, FILE *out, unsigned style);

/** Bytes that went to the module. */
void trace_sent(struct trace *trace, const uint8_t *data, size_t n);

/** Bytes that came from it. */
void trace_received(struct trace *trace, const uint8_t *data, size_t n);

/** Print data that are held. */
void trace_flush(struct trace *trace);

/** Print what is left of both directions. */
void trace_finish(struct trace *trace);

#endif

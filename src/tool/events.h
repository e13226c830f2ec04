/**
 * @file events.h
 * Events as JSON, one object a line: what `decode` prints, and `monitor --json` with
 * the time and the direction before.
 */
#ifndef AT_EVENTS_H
#define AT_EVENTS_H

#include <stdio.h>

#include "traffic.h"

struct events {
    const struct tool *tool;
    FILE *out;
    bool stamped;      /* with "time" and "from" */
    /* A line whose payload is still to come: what stands before the payload. */
    const char *event;
    char *header;
    size_t header_len;
    bool hex;
};

void events_init(struct events *events, const struct tool *tool, FILE *out, bool stamped);

/** A traffic_view, with the events as ctx. */
void events_view(void *events, enum traffic_from from, const struct at_event *event,
                 const struct session_echo *echo);

#endif

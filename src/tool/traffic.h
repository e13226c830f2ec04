/**
 * @file traffic.h
 * Both directions of a channel, or the module's alone, taken apart into events.
 * Nothing that is shown depends on how the bytes were cut into pieces.
 *
 * A command line of the host's decides how the answer is read. Of several that are
 * sent without waiting the last one does, unless the module echoes them: an echo
 * says which one it has come to. Data at the prompt end where their form says, by
 * number or by a byte, and not with the module's answer: should that be lost, what
 * comes next is a command again, and an answer that comes late counts as its.
 */
#ifndef AT_TRAFFIC_H
#define AT_TRAFFIC_H

#include "session.h"

enum { TRAFFIC_LINE_MAX = 4096, TRAFFIC_DATA_MAX = 2 * 65536 };

enum traffic_from { FROM_HOST, FROM_MODULE };

/** Of an incomplete event: nobody knows how much is missing. */
#define TRAFFIC_MISSING SIZE_MAX

/**
 * From the module come the stream's events, but that a payload, or echoed data, come
 * in one piece, and so does what there is of them when they are incomplete.
 *
 * From the host come: AT_EVENT_ECHO for a command line and AT_EVENT_ECHO_DATA for
 * data at the prompt; UNKNOWN, OVERLONG and INCOMPLETE (with `remaining`: of data).
 *
 * @param echo  filled for AT_EVENT_ECHO
 */
typedef void (*traffic_view)(void *ctx, enum traffic_from from, const struct at_event *event,
                             const struct session_echo *echo);

struct traffic {
    struct session session; /* its settings may be changed before bytes come */
    struct at_stream stream;
    traffic_view view;
    void *ctx;
    bool heard;     /* the host, so that its data may be expected */
    bool open;      /* a command was sent, and its final result code hasn't come */
    bool in_data;   /* what the host sends is data */
    bool counted;   /* and `left` of them are to come */
    uint32_t left;
    int until, cancel;
    size_t payload_len;
    size_t host_len;
    uint8_t window[TRAFFIC_LINE_MAX + 1];
    uint8_t payload[TRAFFIC_DATA_MAX]; /* from the module */
    uint8_t host[TRAFFIC_DATA_MAX];    /* a line, or data */
};

void traffic_init(struct traffic *traffic, const struct tool *tool, traffic_view view, void *ctx);

/** Bytes that went to the module. */
void traffic_sent(struct traffic *traffic, const uint8_t *data, size_t n);

/** Bytes that came from it. */
void traffic_received(struct traffic *traffic, const uint8_t *data, size_t n);

/** Show data of the host's that are held, although more are to come. */
void traffic_flush(struct traffic *traffic);

/** Show what is left of both directions as incomplete. */
void traffic_finish(struct traffic *traffic);

/** Whether the module waits for data, so that what is sent is no command. */
bool traffic_in_data(const struct traffic *traffic);

/** How long the module may take for what it has to say before the next command or for
 *  the data, in milliseconds from what was sent last; 0 when it has said so. */
uint32_t traffic_patience(const struct traffic *traffic);

#endif

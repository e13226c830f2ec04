/*
 * What the module really heard and said, and whether what the host was told is
 * that. It stands at the module's own mouth, before the line does any harm.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include <stdio.h>

#include "at/at.h"

#include "fault_line.h"

enum { WITNESS_SAYINGS = 256, WITNESS_COMMANDS = 64, WITNESS_SENDS = 16 };

enum answered { NOT_ANSWERED, ANSWERED_OK, ANSWERED_ERROR };

/* A line that the module said, as it means it: one spelling for all. */
struct saying {
    enum virtual_part part;
    uint32_t command;           /* which it answers; of a LATER one: that was carried out last */
    bool told;                  /* to the host's handlers */
    size_t len;
    char text[320];
    bool hex;
    size_t payload_len;         /* on the wire */
    uint8_t payload[3000];
};

struct carried_out {
    enum answered answered;
    char final[200];
    size_t len;
    char line[VIRTUAL_LINE_MAX];
};

struct sent {
    size_t len;
    uint8_t data[NET_SEND_MAX];
};

/* All are rings; the counters are of all that ever were. */
struct witness {
    const struct virtual_module *vm;
    uint32_t commands, sayings, sends;
    uint32_t answering;         /* the oldest command without its final result */
    struct carried_out command[WITNESS_COMMANDS];
    struct saying saying[WITNESS_SAYINGS];
    struct sent send[WITNESS_SENDS];
    size_t pushing;             /* length of the line whose payload is being told; 0: none */
    char push[512];
    size_t pushed;
    uint8_t data[3000];         /* of it */
    uint32_t forged;            /* told, and never said */
    uint32_t broken;            /* payloads told otherwise than said */
    char what[400];             /* the first of these since witness_begin */
    /* since witness_begin */
    uint32_t from_command, from_saying, from_send;
};

void witness_command(struct witness *w, const uint8_t *line, size_t len);
void witness_said(struct witness *w, const struct fault_unit *unit);
void witness_sent(struct witness *w, const uint8_t *data, size_t len);

/* The host's handlers were told this. */
void witness_urc(struct witness *w, const struct at_line *line);
void witness_payload(struct witness *w, const uint8_t *data, size_t n, size_t remaining);

/* A call begins. */
void witness_begin(struct witness *w);

enum verdict {
    RIGHT,      /* what the module answered, all of it */
    EXPLICIT,   /* an error that says: not known */
    WRONG       /* see `what` */
};

/*
 * Whether a call's outcome is the truth. A success, AT_E_ERROR and AT_E_FAIL
 * say what the module answered, so it must have: to this very command line,
 * since the call began, with these very lines and data, and with a result
 * after it. Any other status claims nothing.
 */
enum verdict witness_judge(struct witness *w, const struct at_call *call,
                           const uint8_t *settings);

#endif

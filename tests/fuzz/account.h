/* Every byte that a stream was given, accounted for: what an event tells must stand in the
 * input where the one before it ended, and between two events there may be line ends alone. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "at/stream.h"
#include "fuzz.h"

enum { EVENTS_MAX = 2 * INPUT_MAX + 64 };

/* An event that was told: which line, and where it begins and ends in the input. */
struct told {
    const struct at_record *record; /* of a known line */
    size_t begin, end;              /* with its payload */
};

struct account {
    struct at_stream stream;
    uint8_t settings[SETTINGS_MAX];
    bool direct;           /* payloads are read straight to where they belong */
    uint32_t echo;         /* data come back after a prompt: bytes of them, */
    int until;             /* or, with echo 0, up to this one; -1: none come back */
    /* private */
    const uint8_t *data;
    size_t size, at;
    size_t window_size;
    uint8_t *window;
    size_t remaining;      /* of a payload or of echoed data */
    bool in_payload, in_echo, prompted;
    uint8_t *place;        /* where the payload belongs, and what of it is there */
    size_t placed;
    struct told *told;     /* where to note lines, or NULL */
    size_t ntold, max_told;
    size_t events;
};

/* The stream is ready: its prompt and learning may be set, as may the first members here. */
void account_begin(struct account *a, const uint8_t *settings, size_t window);
/* All of the input in chunks of `chunk` bytes, each in memory of its own (0: in one), and its
 * end. */
void account_for(struct account *a, const uint8_t *data, size_t size, size_t chunk);

#endif

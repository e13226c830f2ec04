/*
 * A client, a faulty line and the virtual module on it, on a made-up network:
 * everything in one thread, in virtual time. Nothing waits, so 300 s of
 * silence cost nothing; and the same seed does the same again.
 */
#ifndef RIG_H
#define RIG_H

#include "at/at.h"

#include "fault_line.h"
#include "network.h"
#include "virtual_internal.h"
#include "witness.h"

enum { RIG_LATENCY = 50, RIG_ITEMS = 16, RIG_DATA = 1500, RIG_TRACE = 1 << 16 };

struct rig {
    uint32_t clock;
    struct virtual_module *vm;
    struct fault_line *line;
    struct at_client client;
    struct witness witness;
    struct fault_dice dice;     /* of what isn't the line's */
    bool busy;                  /* peers talk */
    uint8_t settings[BC26_SETTINGS];
    uint8_t window[512];
    char command[2048];
    char text[4096];
    /* the call under way, and what became of it */
    struct at_call call;
    bool done;
    char items[AT_SINKS_MAX][RIG_ITEMS * 128] __attribute__((aligned(8)));
    uint8_t data[RIG_DATA];
    uint32_t began, progress;   /* when it did, and when data came last */
    /* both directions, as they were read; the oldest is forgotten */
    char trace[RIG_TRACE];
    size_t traced;
    char direction;
};

struct rig_options {
    struct fault_plan plan;
    uint32_t seed;
    const char *firmware;
    bool calm;
};

bool rig_open(struct rig *rig, const struct rig_options *options);
void rig_close(struct rig *rig);

/* Starts a form; what comes of it is in rig->call once rig->done. */
int rig_start(struct rig *rig, const struct at_form *form, const void *request);

/* One thing, or else time until the next; false when there'd be none in `most_ms`. */
bool rig_step(struct rig *rig, uint32_t most_ms);

/* Until the call has ended; false if it hasn't at its deadline, and is given up. */
bool rig_finish(struct rig *rig);

/* Until nothing is on its way any more. */
void rig_drain(struct rig *rig);

/* The longest that this call may take from its beginning, or from its last data. */
uint32_t rig_limit(const struct rig *rig);

void rig_note(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rig_print_trace(const struct rig *rig, FILE *out);

#endif

/*
 * What can go wrong on the line to a module, and how often: a plan, read from
 * words, and seeded dice that decide. The same seed does the same again.
 *
 * Nothing here knows a module, a clock or a system: fault_line.h puts it
 * between a virtual module and its host.
 */
#ifndef BC26_FAULT_H
#define BC26_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fault_kind {
    /* of single bytes, in both directions */
    FAULT_LOST,
    FAULT_DOUBLED,
    FAULT_FLIPPED,
    FAULT_INSERTED,
    /* of time */
    FAULT_CHUNKS,
    FAULT_DELAY,
    FAULT_LATE,
    /* of the module */
    FAULT_REBOOT,
    FAULT_SLEEP,
    /* of whole lines */
    FAULT_SWAP,
    FAULT_FOREIGN,
    FAULT_MISSING,
    FAULT_NOISE,
    /* quirks: what some firmware does otherwise */
    FAULT_BLANK,
    FAULT_NOBLANK,
    FAULT_ECHOLF,
    FAULT_NOSPACE,
    FAULT_UNQUOTED,
    FAULT_PROMPT,
    FAULT_SENDONLY,
    FAULT_CLOSEFAIL,
    FAULT_FIELDS,
    FAULT_SERVICE,
    FAULT_BUFFFULL,
    FAULT_DNSCOUNT,
    FAULT_CFGLINE,
    FAULT_PING,
    FAULT_TIME,
    FAULT_RDY,
    FAULT_KINDS
};

/** Whether a fault harms bytes, so that nobody can tell what they were. */
#define FAULT_HARMS(kind) ((kind) <= FAULT_INSERTED || (kind) == FAULT_NOISE)

struct fault_info {
    const char *name;
    const char *doc;
};

extern const struct fault_info fault_infos[FAULT_KINDS];

/** How many of a million chances for each become one. */
struct fault_plan {
    uint32_t rate[FAULT_KINDS];
    uint32_t seed;
    bool seeded;                /* the words named the seed */
};

/**
 * Reads "NAME=RATE,...", where RATE is 0 to 1 and seed=N may stand among them;
 * `quirks` stands for all that some firmware does otherwise, `bytes` for all
 * that single bytes meet, `all` for everything.
 * @return false, with a sentence in `why`
 */
bool fault_read(const char *words, struct fault_plan *plan, char *why, size_t size);

/** Pseudo-random numbers. */
struct fault_dice {
    uint64_t state;
};

void fault_dice_init(struct fault_dice *dice, uint32_t seed);
uint32_t fault_pick(struct fault_dice *dice, uint32_t n); /* 0 to n - 1 */
bool fault_chance(struct fault_dice *dice, uint32_t of_a_million);

/** A plan at work. */
struct faults {
    struct fault_plan plan;
    struct fault_dice dice;
    uint64_t counts[FAULT_KINDS];  /**< what was done */
};

void faults_init(struct faults *faults, const struct fault_plan *plan);

/** Whether it happens this time; counted if so. */
bool fault_strikes(struct faults *faults, enum fault_kind kind);

/**
 * What becomes of bytes on a line that loses, doubles, flips and inserts some.
 * @param to  room for 3 * len + 1
 * @return how many there are now; *harmed: they aren't what they were
 */
size_t fault_bytes(struct faults *faults, const uint8_t *from, size_t len, uint8_t *to,
                   bool *harmed);

#ifdef __cplusplus
}
#endif
#endif

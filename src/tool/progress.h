/**
 * @file progress.h
 * How far something has got, on one line of a terminal that is written anew some
 * times a second. Where there's no terminal nothing is printed at all.
 */
#ifndef AT_PROGRESS_H
#define AT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Bytes of one kind. */
struct progress_count {
    const char *what; /**< such as "sent" */
    uint64_t bytes;
    uint64_t of;      /**< how many there will be; 0: nobody knows */
};

struct progress {
    FILE *out;       /**< NULL: no terminal */
    uint32_t since;  /**< ms, as all times here */
    uint32_t next;   /**< when the line is due */
    bool visible;
    struct {
        uint32_t at;
        uint64_t bytes;
    } marks[2];      /**< what the present rate is counted from, the older one first */
};

void progress_start(struct progress *progress, FILE *out, uint32_t now);

/** Writes the line, if it is due. */
void progress_show(struct progress *progress, uint32_t now, const struct progress_count *counts,
                   size_t n);

/** Milliseconds until the line is due; UINT32_MAX when it never is. */
uint32_t progress_wait(const struct progress *progress, uint32_t now);

/** Wipes the line away, before anything else goes to this terminal. */
void progress_hide(struct progress *progress);

/** Puts a summary in place of the line; it is the end. */
void progress_end(struct progress *progress, uint32_t now, const struct progress_count *counts,
                  size_t n);

#endif

/*
 * A line on which things go wrong, between a virtual module and its host. The
 * module's output goes through it in stretches (virtual_next), so that what is
 * done to a line isn't done in the middle of data; bytes are harmed anywhere.
 *
 * It has no loop and no clock: `now` is the module's, in ms.
 */
#ifndef BC26_FAULT_LINE_H
#define BC26_FAULT_LINE_H

#include "fault.h"
#include "virtual.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fault_line;

/** A stretch of the module's output, as it goes onto the line. */
struct fault_unit {
    enum virtual_part part;
    const uint8_t *text;        /**< what it says, before spelling and bytes were changed */
    size_t len;
    bool made;                  /**< by the line itself: foreign */
    bool lost;                  /**< left out as a whole: missing */
};

struct fault_line_config {
    struct virtual_module *vm;
    uint32_t (*now)(void *ctx);
    /** Optional: a stretch was said. */
    void (*said)(void *ctx, const struct fault_unit *unit);
    void *ctx;
};

/** NULL when there is no memory. A plan of zeros changes nothing. */
struct fault_line *fault_line_new(const struct fault_line_config *config,
                                  const struct fault_plan *plan);
void fault_line_free(struct fault_line *line);

/** From now on these rates; the dice roll on. */
void fault_line_rates(struct fault_line *line, const struct fault_plan *plan);

/** As virtual_input. */
size_t fault_line_input(struct fault_line *line, const void *bytes, size_t len);

/** As virtual_output: what may come now. */
size_t fault_line_output(struct fault_line *line, void *bytes, size_t max);

/** Bytes on their way to the host, whether they may come now or not. */
size_t fault_line_waiting(struct fault_line *line);

/** Milliseconds until there is output again; -1: none is on its way. */
int fault_line_timeout_ms(struct fault_line *line);

/** What was done, by kind. */
const uint64_t *fault_line_counts(const struct fault_line *line);

/** How much harm has arrived. Each counter only grows. */
struct fault_harm {
    uint32_t to_module;         /**< pieces that the module got with bytes changed */
    uint32_t to_host;           /**< stretches that the host got so, and those right behind one,
                                     as their beginning may be taken for the former's end */
    uint32_t framing;           /**< ... of these, such as say how much data follow, or data */
};

struct fault_harm fault_line_harm(const struct fault_line *line);

#ifdef __cplusplus
}
#endif
#endif

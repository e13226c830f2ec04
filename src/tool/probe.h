/**
 * @file probe.h
 * What the parts of `probe` share: what was asked and answered, and how that differs
 * from the spec. Nothing is allocated: texts go to one pool.
 */
#ifndef AT_PROBE_H
#define AT_PROBE_H

#include <stdio.h>

#include "channel.h"

enum probe_bounds {
    PROBE_FORMS_MAX = 512,
    PROBE_LINES_MAX = 2048,
    PROBE_DRIFT_MAX = 512,
    PROBE_RANGES_MAX = 512,
    PROBE_POOL = 131072,
    PROBE_ITEMS = 4096   /* words for the lines of an answer, decoded */
};

/** What came back for one form. */
struct probe_answer {
    const struct at_form *form;
    const char *sent;    /**< the command line */
    int status;          /**< as of at_call */
    int32_t error;
    uint16_t first, n;   /**< into probe.lines: of a test its answer, of others what doesn't fit */
    uint16_t count[AT_SINKS_MAX]; /**< lines of each kind that the form knows */
    uint32_t overlong;   /**< lines that were too long to be read */
};

enum probe_kind {
    PROBE_COMMAND_MISSING,
    PROBE_FORM_MISSING,
    PROBE_RANGE,         /**< of a parameter */
    PROBE_PARAMETER,     /**< it is another, or stands otherwise */
    PROBE_ADDED,         /**< a parameter */
    PROBE_REMOVED,       /**< likewise */
    PROBE_LINE_ADDED,    /**< of a test answer */
    PROBE_LINE_REMOVED,  /**< likewise */
    PROBE_ANSWER         /**< fits no description */
};

/** Numbers from low to high; `none` when they aren't of that kind. */
struct probe_range {
    bool none;
    int64_t low, high;
};

struct probe_drift {
    enum probe_kind kind;
    const struct probe_answer *answer;
    const char *path;        /**< of the node in the spec */
    const char *parameter;   /**< its name, or "" */
    const char *spec, *module;
    const struct at_param *param;              /**< of PROBE_RANGE; or NULL */
    const struct at_manual_param *manual;      /**< likewise */
    struct probe_range was, is;                /**< likewise */
    bool said;               /**< the spec says so itself of this firmware */
};

/** What a test answer says of a parameter, for all test answers have to say the same. */
struct probe_said {
    const char *path;
    struct probe_range range;
};

struct probe {
    struct channel channel;  /* first: see channel.h */
    const struct tool *tool;
    const struct at_module *module;
    bool listening;          /* for lines that no description fits */
    const struct at_form *asking;

    const char *firmware;    /**< its name, or "" */
    const struct at_grammar *view; /**< what the spec says of it, or NULL */
    struct probe_answer answers[PROBE_FORMS_MAX];
    size_t nanswers;
    const char *lines[PROBE_LINES_MAX];
    size_t nlines;
    struct probe_drift drift[PROBE_DRIFT_MAX];
    size_t ndrift;
    struct probe_said said[PROBE_RANGES_MAX];
    size_t nsaid;
    bool overflow;           /**< there was more than the tool can hold */

    uint64_t items[AT_SINKS_MAX][PROBE_ITEMS];
    size_t used;
    char pool[PROBE_POOL];
};

/** A text in the pool; bytes that aren't printable ASCII as \xNN. */
const char *probe_keep(struct probe *probe, const char *text, size_t len);

/** Likewise, as of printf. */
const char *probe_text(struct probe *probe, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Asks all that can be asked. Prints a message if the module can't be.
 * @return TOOL_DONE; TOOL_USAGE, or 128 + a signal
 */
int probe_ask(struct probe *probe);

/** Compares the answers with the spec. */
void probe_compare(struct probe *probe);

/** One more difference; NULL when there's no room. */
struct probe_drift *probe_differs(struct probe *probe, enum probe_kind kind,
                                  const struct probe_answer *answer, const char *path);

/** Compares the answer to a test command with lines that the spec has. */
void probe_compare_test(struct probe *probe, const struct probe_answer *answer,
                        const char *const *lines);

/** The first shape of a line. */
const struct at_record *probe_record(const struct probe *probe, uint16_t id);

/** The manual's page of a form, and of its command. */
const struct at_manual_form *probe_page(const struct probe *probe, const struct at_form *form);
const char *probe_section(const struct probe *probe, const struct at_form *form);

/** How lines of a command begin: `+NAME:`, of `length` characters. */
const char *probe_head(const struct at_form *form, size_t *length);

/** What stands for the firmware in a sentence. */
const char *probe_subject(const struct probe *probe);

/** Whether a form was asked; the others would do more than that. */
bool probe_asked(const struct probe *probe, const struct at_form *form);

void probe_print_text(const struct probe *probe, FILE *out);
void probe_print_json(const struct probe *probe, FILE *out);
void probe_print_overlay(const struct probe *probe, FILE *out);

#endif

/**
 * @file complete.h
 * What may stand where somebody types: commands, forms, parameters and values, from the
 * descriptors; and what the manual says about them.
 */
#ifndef AT_COMPLETE_H
#define AT_COMPLETE_H

#include <stdio.h>

#include "tool.h"

enum { CANDIDATES_MAX = 256, CANDIDATE_SIZE = 64 };

/** A place in a form: a parameter and what the manual says. */
struct place {
    const struct at_form *form; /**< NULL: no place */
    uint8_t field;
};

struct candidate {
    char text[CANDIDATE_SIZE]; /**< what could stand there */
    char after;                /**< what surely follows it, or NUL */
    const char *doc;           /**< or NULL */
    struct place place;        /**< the parameter that it names */
};

struct completion {
    size_t from;        /**< where in the line candidates begin */
    struct place about; /**< whose value stands there */
    size_t n;
    struct candidate items[CANDIDATES_MAX];
};

/** Words of the shell's own that stand where a command can. */
struct own_word {
    const char *name;
    const char *doc;
};

/**
 * @param line   up to where candidates are wanted
 * @param words  with an empty one at the end
 */
void complete_line(const struct tool *tool, const struct own_word *words, const char *line,
                   struct completion *out);

/** How many characters all candidates begin with. */
size_t complete_common(const struct completion *completion);

/** Print the candidates with their documentation, and whose value they are. */
void complete_list(FILE *out, const struct tool *tool, const struct completion *completion);

/** Whether a line is a command line as on the wire, rather than a name and arguments. */
bool complete_is_wire(const struct tool *tool, const char *line);

/** `Port of the remote server; allowed is 1 to 65535`, and what else is to be known. */
void complete_describe(FILE *out, const struct tool *tool, struct place place);

/** The command of the manual that has this name, in any case; or NULL. */
const struct at_manual_command *complete_command(const struct tool *tool, const char *name);

#endif

/**
 * @file shell_edit.h
 * The line being edited: libedit, with completion, history, and lines of the module's
 * that come while somebody types.
 */
#ifndef AT_SHELL_EDIT_H
#define AT_SHELL_EDIT_H

#include "complete.h"

/** What waiting for input, or reading a line, ended with. */
enum heard {
    HEARD_INPUT,     /**< a byte can be read; a line was */
    HEARD_INTERRUPT, /**< Ctrl-C: give the line up */
    HEARD_END        /**< of the input, or of the program */
};

struct edit;

/**
 * @param await  waits until stdin has input, and does what is to be done meanwhile
 * @return NULL when there's no memory
 */
struct edit *edit_open(const struct tool *tool, const struct own_word *words,
                       enum heard (*await)(void *ctx), void *ctx);

/** Saves the history, and gives the terminal back. */
void edit_close(struct edit *edit);

/**
 * Read a line.
 * @param command  false for data: Tab and ? are signs like others, Ctrl-Z ends the line as it
 *                 would end them on the wire, Ctrl-D gives it up, and nothing is remembered
 * @param line     out, without its end; valid until the next call
 */
enum heard edit_line(struct edit *edit, const char *prompt, bool command, const char **line);

/** Around what is printed while a line is edited. */
void edit_hide(struct edit *edit);
void edit_show(struct edit *edit);

/** The waiting was interrupted: perhaps the window has another size. */
void edit_woken(struct edit *edit);

#endif

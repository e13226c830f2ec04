/**
 * @file print.h
 * Lines of the module's as people read them: fields by the manual's names, and what
 * their values mean in its words.
 */
#ifndef AT_PRINT_H
#define AT_PRINT_H

#include <stdio.h>

#include "tool.h"

/** `connectID=0 err=566 (Socket connection failed)`; nothing for a line without fields. */
void print_fields(FILE *out, const struct tool *tool, const struct at_line *line);

/** Likewise of a command line; a long text is cut, for it stands in the line already. */
void print_arguments(FILE *out, const struct tool *tool, const struct at_command *command);

/** Whether print_arguments prints anything: a literal is none. */
bool print_has_arguments(const struct tool *tool, const struct at_command *command);

/** `21:30:05.123` of here; or for machines, `2024-05-31T19:30:05.123Z`. */
enum print_zone { PRINT_LOCAL, PRINT_UTC };
void print_time(FILE *out, enum print_zone zone);

/** Whether to print in colours: on terminals that have them, unless NO_COLOR is set. */
bool print_in_colour(FILE *out);

/** What a negative at_status says, in words. */
const char *print_status(int status);

enum { PRINT_VALUE_SIZE = 96 };

/** `2 (connected)`, or the number alone where the manual lists no meaning, to `out`, which has
 *  room for PRINT_VALUE_SIZE; what is longer is cut. */
void print_value(char *out, const struct at_manual_param *param, int32_t value);

/** The meaning of a value, or NULL when the manual lists none. */
const char *print_meaning(const struct at_manual_param *param, const char *text, size_t len);

#endif

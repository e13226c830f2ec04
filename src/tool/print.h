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

/** What a negative at_status says, in words. */
const char *print_status(int status);

/** The meaning of a value, or NULL when the manual lists none. */
const char *print_meaning(const struct at_manual_param *param, const char *text, size_t len);

#endif

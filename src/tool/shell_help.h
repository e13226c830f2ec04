/* What the shell's `help` and `settings` print. */
#ifndef AT_SHELL_HELP_H
#define AT_SHELL_HELP_H

#include "complete.h"

/** How to use the shell, and its commands. */
void help_print(const struct tool *tool, const struct own_word *words);

/** What the manual says of a command. @return TOOL_DONE; TOOL_NO after a message */
int help_print_command(const struct tool *tool, const char *name);

/** Settings and their values: AT_UNKNOWN is printed as unknown. */
void help_print_settings(const struct tool *tool, const uint8_t *settings);

#endif

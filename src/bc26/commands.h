/* Commands of the program `bc26` that are the BC26's own. */
#ifndef BC26_COMMANDS_H
#define BC26_COMMANDS_H

#include "tool.h"

int bc26_sim_command(const struct tool *tool, int argc, char **argv);
int bc26_demo_command(const struct tool *tool, int argc, char **argv);
int bc26_ping_command(const struct tool *tool, int argc, char **argv);
int bc26_dns_command(const struct tool *tool, int argc, char **argv);
int bc26_ntp_command(const struct tool *tool, int argc, char **argv);
int bc26_state_command(const struct tool *tool, int argc, char **argv);

/* `tcp` and `udp`, as argv[0] says. */
int bc26_netcat_command(const struct tool *tool, int argc, char **argv);

#endif

/* The program `bc26`: the tool over the BC26's descriptors, and what is its own. */
#include "bc26_module.h"
#include "commands.h"
#include "tool.h"

int main(int argc, char **argv)
{
    static const struct tool_command commands[] = {
        {"decode", "a capture in, one JSON object per event out", tool_decode, false},
        {"encode", "a command's exact bytes from its name and arguments", tool_encode, false},
        {"sim", "a virtual BC26 on a pty, a TCP port or stdin", bc26_sim_command, false},
        {"demo", "the manual's conversations with a virtual BC26", bc26_demo_command, false},
        {"ping", "ping a host", bc26_ping_command, true},
        {"dns", "resolve a name", bc26_dns_command, true},
        {"ntp", "the time from a server", bc26_ntp_command, true},
        {"state", "the module's sockets, settings and DNS servers", bc26_state_command, true},
        {"shell", "commands at a prompt, or from a script; answers decoded", tool_shell, true},
        {"monitor", "the traffic both ways, decoded; also between a program and the module",
         tool_monitor, true},
        {"probe", "how the module differs from the spec; it is only asked", tool_probe, true},
        {"tcp", "a netcat over a TCP socket of the module", bc26_netcat_command, true},
        {"udp", "the same with datagrams", bc26_netcat_command, true},
    };
    static const struct tool bc26_tool = {
        .name = "bc26",
        .version = ATSPEC_VERSION,
        .module = &bc26,
        .grammar = &bc26_grammar,
        .manual = &bc26_manual,
        .commands = commands,
        .ncommands = sizeof commands / sizeof commands[0],
    };
    return tool_main(&bc26_tool, argc, argv);
}

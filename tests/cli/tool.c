/* The tool over another spec, as the build defines it: MODULE with its header and the rest of
 * what is generated. Nothing in src/tool knows any of them. */
#include MODULE_HEADER
#include "tool.h"

int main(int argc, char **argv)
{
    static const struct tool_command commands[] = {
        {"decode", "a capture in, one JSON object per event out", tool_decode, false},
        {"encode", "a command's exact bytes from its name and arguments", tool_encode, false},
        {"shell", "commands at a prompt, or from a script; answers decoded", tool_shell, true},
        {"monitor", "the traffic both ways, decoded", tool_monitor, true},
        {"probe", "how the module differs from its spec", tool_probe, true},
    };
    static const struct tool tool = {
        .name = NAME,
        .version = "1",
        .module = &MODULE,
        .grammar = &GRAMMAR,
        .manual = &MANUAL,
        .commands = commands,
        .ncommands = sizeof commands / sizeof commands[0],
    };
    return tool_main(&tool, argc, argv);
}

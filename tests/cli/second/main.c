/* The tool over a module that no one sells: nothing in src/tool knows either. */
#include "tide_module.h"
#include "tool.h"

int main(int argc, char **argv)
{
    static const struct tool_command commands[] = {
        {"decode", "a capture in, one JSON object per event out", tool_decode, false},
        {"encode", "a command's exact bytes from its name and arguments", tool_encode, false},
        {"shell", "commands at a prompt, or from a script; answers decoded", tool_shell, true},
        {"monitor", "the traffic both ways, decoded", tool_monitor, true},
        {"probe", "how the module differs from the spec", tool_probe, true},
    };
    static const struct tool tide_tool = {
        .name = "tide",
        .version = "1",
        .module = &tide,
        .grammar = &tide_grammar,
        .manual = &tide_manual,
        .commands = commands,
        .ncommands = sizeof commands / sizeof commands[0],
    };
    return tool_main(&tide_tool, argc, argv);
}

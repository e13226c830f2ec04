/* `probe` over a spec that an overlay of its own has amended. */
#include "bc26_module.h"
#include "tool.h"

int main(int argc, char **argv)
{
    static const struct tool_command commands[] = {
        {"probe", "how the module differs from the spec", tool_probe, true},
    };
    static const struct tool amended = {
        .name = "amended",
        .version = "1",
        .module = &bc26,
        .grammar = &bc26_grammar,
        .manual = &bc26_manual,
        .commands = commands,
        .ncommands = sizeof commands / sizeof commands[0],
    };
    return tool_main(&amended, argc, argv);
}

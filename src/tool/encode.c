/* `encode`: a command's exact bytes from its name and arguments. */
#include <stdio.h>
#include <string.h>

#include "request.h"

static int print_command(const struct request *r)
{
    static char line[REQUEST_DATA_MAX];
    struct at_fault fault = {NULL, AT_FINE};
    int n = at_form_encode(r->tool->module, r->form, r->settings, &r->value, line, sizeof line,
                           &fault);
    if (n == AT_E_ARGUMENT) {
        return request_refuse(r, &fault);
    }
    if (n < 0) {
        fprintf(stderr, "%s: the command line is too long\n", r->tool->name);
        return TOOL_NO;
    }
    (void)fwrite(line, 1, (size_t)n, stdout);
    return tool_printed(r->tool, TOOL_DONE);
}

static int print_help(const struct tool *tool)
{
    const struct at_module *module = tool->module;
    printf("usage: %s encode [--set NAME=VALUE]... COMMAND[.FORM] [NAME=VALUE]...\n\n"
           "Prints a command's exact bytes, its CR included. The form may be left out where\n"
           "there is one, or where only one takes the arguments given. A form with a prompt\n"
           "prints its command line alone. --set gives a setting that the format of data depends\n"
           "on; without it, the manual's default.\n\n",
           tool->name);
    for (uint16_t i = 0; i < module->nforms; i++) {
        fputs("  ", stdout);
        request_print_form(stdout, module, &module->forms[i]);
        putchar('\n');
    }
    puts("\nExit status: 0 the bytes are printed; 1 an argument is missing or wrong, or the line\n"
         "too long; 2 usage: no such option, command, form or name of an argument; or stdout\n"
         "can't be written.");
    return TOOL_DONE;
}

int tool_encode(const struct tool *tool, int argc, char **argv)
{
    static struct request request;
    static uint8_t settings[TOOL_SETTINGS_MAX];
    int first = 1;
    request.tool = tool;
    request.settings = settings;
    tool_initial_settings(tool->module, settings);
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "-h") == 0) {
            return print_help(tool);
        }
        if (strcmp(argv[first], "--set") != 0 || first + 1 == argc) {
            return tool_usage(tool, "encode doesn't take '%s'; see %s encode --help", argv[first],
                              tool->name);
        }
        if (tool_set(tool, argv[++first], settings) != TOOL_DONE) {
            return TOOL_USAGE;
        }
    }
    if (first >= argc) {
        return tool_usage(tool, "encode takes COMMAND[.FORM] [NAME=VALUE]...; see %s encode --help",
                          tool->name);
    }
    if (strcmp(argv[argc - 1], "--help") == 0) {
        return print_help(tool);
    }
    int status = request_parse(&request, argc - first, argv + first);
    return status == TOOL_DONE ? print_command(&request) : status;
}

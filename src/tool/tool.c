#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tool_usage(const struct tool *tool, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s: ", tool->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return TOOL_USAGE;
}

static void print_help(const struct tool *tool)
{
    printf("usage: %s COMMAND [ARGUMENTS]\n\n", tool->name);
    for (size_t i = 0; i < tool->ncommands; i++) {
        printf("  %-8s %s\n", tool->commands[i].name, tool->commands[i].summary);
    }
    printf("\n%s COMMAND --help says more. Exit status: 0 done, 1 the answer is no, 2 usage.\n",
           tool->name);
}

int tool_main(const struct tool *tool, int argc, char **argv)
{
    if (argc < 2) {
        return tool_usage(tool, "no command given; see %s --help", tool->name);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(tool);
        return TOOL_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", tool->name, tool->version);
        return TOOL_DONE;
    }
    for (size_t i = 0; i < tool->ncommands; i++) {
        if (strcmp(argv[1], tool->commands[i].name) == 0) {
            return tool->commands[i].run(tool, argc - 1, argv + 1);
        }
    }
    return tool_usage(tool, "no command '%s'; see %s --help", argv[1], tool->name);
}

void tool_initial_settings(const struct at_module *module, uint8_t *settings)
{
    for (uint8_t i = 0; i < module->nsettings; i++) {
        const struct at_setting *setting = &module->settings[i];
        memset(settings + setting->slot, setting->initial, setting->slots);
    }
}

static int unknown_setting(const struct tool *tool, const char *name, size_t len)
{
    fprintf(stderr, "%s: no setting '%.*s'; there are", tool->name, (int)len, name);
    for (uint8_t i = 0; i < tool->module->nsettings; i++) {
        const struct at_setting *s = &tool->module->settings[i];
        fprintf(stderr, s->slots > 1 ? " %s[0..%d]" : " %s", s->name, s->slots - 1);
    }
    fputc('\n', stderr);
    return TOOL_USAGE;
}

/* A decimal number up to `max` and nothing behind it but `end`; -1 otherwise. */
static long parse_number(const char *text, long max, const char *end)
{
    char *rest;
    if (*text < '0' || *text > '9') {
        return -1;
    }
    long value = strtol(text, &rest, 10);
    return value <= max && strcmp(rest, end) == 0 ? value : -1;
}

int tool_set(const struct tool *tool, const char *assignment, uint8_t *settings)
{
    const char *equals = strchr(assignment, '=');
    size_t len = strcspn(assignment, "[=");
    if (equals == NULL) {
        return tool_usage(tool, "--set takes NAME=VALUE, not '%s'", assignment);
    }
    for (uint8_t i = 0; i < tool->module->nsettings; i++) {
        const struct at_setting *s = &tool->module->settings[i];
        if (strncmp(assignment, s->name, len) != 0 || s->name[len] != '\0') {
            continue;
        }
        bool indexed = assignment[len] == '[';
        long index = indexed && equals[-1] == ']'
                         ? parse_number(assignment + len + 1, s->slots - 1, equals - 1)
                         : -indexed;
        long value = parse_number(equals + 1, s->max, "");
        if (indexed != (s->slots > 1) || index < 0) {
            return tool_usage(tool, s->slots > 1 ? "%s takes an index: %s[0..%d]" : "%s takes no index",
                              s->name, s->name, s->slots - 1);
        }
        if (value < 0) {
            return tool_usage(tool, "%s: '%s' isn't one of 0 to %d", s->name, equals + 1, s->max);
        }
        settings[s->slot + index] = (uint8_t)value;
        return TOOL_DONE;
    }
    return unknown_setting(tool, assignment, len);
}

#include "shell_help.h"

#include <string.h>

#include "print.h"

static void print_commands(const struct tool *tool)
{
    const struct at_manual *manual = tool->manual;
    for (uint16_t i = 0; i < manual->ncommands; i++) {
        printf("  %-12s %s\n", manual->commands[i].name, manual->commands[i].doc);
    }
}

void help_print(const struct tool *tool, const struct own_word *words)
{
    printf("%s\n\n"
           "  COMMAND[.FORM] [NAME=VALUE]...   a command by its name and the manual's parameters\n"
           "  AT...                            a command line as it goes on the wire\n",
           tool->manual->title);
    for (; words->name != NULL; words++) {
        printf("  %-32s %s\n", words->name, words->doc);
    }
    printf("\nTab completes; Tab again, or ?, lists what fits with its meaning. Ctrl-C gives up\n"
           "the line, or the command under way. Values with blanks stand in double quotes. In\n"
           "data \\r \\n \\t \\0 \\xNN are bytes, any other sign behind a backslash is itself.\n"
           "The length of data may be left out beside NAME=VALUE. Data that go at the module's\n"
           "prompt are asked for when they aren't given.\n\n");
    print_commands(tool);
}

static void print_values(const struct at_manual_param *words)
{
    for (uint16_t i = 0; i < words->nvalues; i++) {
        printf("        %-6s %s\n", words->values[i].name, words->values[i].text);
    }
}

static void print_form(const struct tool *tool, const struct at_form *form)
{
    const struct at_manual_form *manual = &tool->manual->forms[form - tool->module->forms];
    printf("\n  %s.%s  %s\n    %s\n", form->command, form->name, manual->syntax, manual->doc);
    for (uint8_t i = 0; i < form->nfields; i++) {
        struct place place = {form, i};
        const struct at_param *param = &tool->module->params[form->fields[i].param];
        if (param->kind->type != AT_LITERAL) {
            printf("      %s: ", param->name);
            complete_describe(stdout, tool, place);
            putchar('\n');
            print_values(manual->params[i]);
        }
    }
}

int help_print_command(const struct tool *tool, const char *name)
{
    const struct at_manual_command *command = complete_command(tool, name);
    if (command == NULL) {
        fprintf(stderr, "%s: no command '%s'; help lists them\n", tool->name, name);
        return TOOL_NO;
    }
    printf("%s: %s (%s, %s)\n", command->name, command->doc, tool->manual->document,
           command->section);
    for (uint16_t i = 0; i < tool->module->nforms; i++) {
        if (strcmp(tool->module->forms[i].command, command->name) == 0) {
            print_form(tool, &tool->module->forms[i]);
        }
    }
    if (command->notes != NULL) {
        putchar('\n');
    }
    for (const char *const *note = command->notes; note != NULL && *note != NULL; note++) {
        printf("  - %s\n", *note);
    }
    return TOOL_DONE;
}

/* Settings ------------------------------------------------------------------------ */

static void print_setting(const struct at_setting *setting, const struct at_manual_param *manual,
                          uint8_t index, uint8_t value)
{
    char text[PRINT_VALUE_SIZE];
    printf(setting->slots > 1 ? "  %s[%u]" : "  %s", setting->name, index);
    if (value == AT_UNKNOWN) {
        puts("  unknown");
    } else {
        print_value(text, manual, value);
        printf("=%s\n", text);
    }
}

void help_print_settings(const struct tool *tool, const uint8_t *settings)
{
    for (uint8_t i = 0; i < tool->module->nsettings; i++) {
        const struct at_setting *setting = &tool->module->settings[i];
        for (uint8_t k = 0; k < setting->slots; k++) {
            print_setting(setting, tool->manual->settings[i], k, settings[setting->slot + k]);
        }
    }
}

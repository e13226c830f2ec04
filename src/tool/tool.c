#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Digits up to another sign, or NULL when they are none, or too many. */
static const char *take_number(const char *text, unsigned long max, unsigned long *value)
{
    char *end;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && errno == 0 && *value <= max ? end : NULL;
}

bool tool_number(const char *text, unsigned long max, unsigned long *value)
{
    const char *end = take_number(text, max, value);
    return end != NULL && *end == '\0';
}

int tool_printed(const struct tool *tool, int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return status;
    }
    return tool_usage(tool, "stdout can't be written: %s",
                      errno != 0 ? strerror(errno) : "some of it is lost");
}

static void print_commands(const struct tool *tool, bool works)
{
    for (size_t i = 0; i < tool->ncommands; i++) {
        if (tool->commands[i].works == works) {
            printf("  %-8s %s\n", tool->commands[i].name, tool->commands[i].summary);
        }
    }
}

static void print_help(const struct tool *tool)
{
    printf("usage: %s COMMAND [ARGUMENTS]\n\n", tool->name);
    print_commands(tool, false);
    printf("\n       %s --port PATH|HOST:PORT [--baud N] [--trace] COMMAND [ARGUMENTS]\n\n",
           tool->name);
    print_commands(tool, true);
    printf("\n  --port   the module: a serial port such as /dev/ttyUSB0, or an address\n"
           "  --baud   speed of the serial port in bit/s, %u if it isn't given\n"
           "  --trace  show on stderr what goes to the module (->) and comes from it (<-)\n"
           "\n%s COMMAND --help says more. Exit status: 0 done, 1 the answer is no, 2 usage.\n",
           TOOL_BAUD, tool->name);
}

static int take_baud(const struct tool *tool, const char *text, uint32_t *baud)
{
    unsigned long value;
    if (!tool_number(text, UINT32_MAX, &value) || value == 0) {
        return tool_usage(tool, "--baud takes bit/s such as %u, not '%s'", TOOL_BAUD, text);
    }
    *baud = (uint32_t)value;
    return TOOL_DONE;
}

/* `--NAME`, or `--NAME=VALUE` */
static bool is_option(const char *word, const char *name)
{
    size_t len = strlen(name);
    return strncmp(word, name, len) == 0 && (word[len] == '\0' || word[len] == '=');
}

/* The options before the command. @return where it stands, or a negative exit status */
static int read_options(const struct tool *tool, int argc, char **argv,
                        struct tool_options *options)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            options->trace = true;
            continue;
        }
        bool port = is_option(argv[i], "--port");
        if (!port && !is_option(argv[i], "--baud")) {
            return -tool_usage(tool, "no option '%s'; see %s --help", argv[i], tool->name);
        }
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL && i + 1 == argc) {
            return -tool_usage(tool, "%s lacks its value; see %s --help", argv[i], tool->name);
        }
        const char *value = equals != NULL ? equals + 1 : argv[++i];
        if (port) {
            options->port = value;
        } else if (take_baud(tool, value, &options->baud) != TOOL_DONE) {
            return -TOOL_USAGE;
        }
    }
    return i < argc ? i : -tool_usage(tool, "no command given; see %s --help", tool->name);
}

bool tool_asks_for_help(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

/* Without a port, when it may have been given too late. */
static int lacks_port(const struct tool *tool, const struct tool_command *command, int argc,
                      char **argv)
{
    const char *reason = "needs a module";
    for (int i = 1; i < argc; i++) {
        reason = is_option(argv[i], "--port") ? "takes --port before its name" : reason;
    }
    return tool_usage(tool, "%s %s: %s --port PATH|HOST:PORT %s ...", command->name, reason,
                      tool->name, command->name);
}

static int run(const struct tool *tool, const struct tool_command *command, int argc, char **argv)
{
    const struct tool_options *options = tool->options;
    bool given = options->port != NULL || options->baud != TOOL_BAUD || options->trace;
    if (command->works && options->port == NULL && !tool_asks_for_help(argc, argv)) {
        return lacks_port(tool, command, argc, argv);
    }
    if (!command->works && given) {
        return tool_usage(tool, "%s works without a module, so it takes no --port, --baud or "
                          "--trace", command->name);
    }
    return command->run(tool, argc, argv);
}

/* A port that became descriptor 1 would get what is printed. What was closed stays of no
 * use: it can only be used the other way round. */
static void keep_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

int tool_main(const struct tool *given, int argc, char **argv)
{
    struct tool_options options = {NULL, TOOL_BAUD, false};
    struct tool tool = *given;
    tool.options = &options;
    keep_standard_descriptors();
    if (tool_asks_for_help(argc, argv)) {
        print_help(&tool);
        return TOOL_DONE;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", tool.name, tool.version);
        return TOOL_DONE;
    }
    int at = read_options(&tool, argc, argv, &options);
    if (at < 0) {
        return -at;
    }
    for (size_t i = 0; i < tool.ncommands; i++) {
        if (strcmp(argv[at], tool.commands[i].name) == 0) {
            return run(&tool, &tool.commands[i], argc - at, argv + at);
        }
    }
    return tool_usage(&tool, "no command '%s'; see %s --help", argv[at], tool.name);
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

/* A number up to `max` and nothing behind it but `end`; -1 otherwise. */
static long parse_number(const char *text, unsigned long max, const char *end)
{
    unsigned long value;
    const char *rest = take_number(text, max, &value);
    return rest != NULL && strcmp(rest, end) == 0 ? (long)value : -1;
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

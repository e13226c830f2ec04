/* `probe`: asks a live module all that can be asked, and tells how it differs from the spec. */
#include "probe.h"

#include <errno.h>
#include <string.h>

struct options {
    void (*print)(const struct probe *probe, FILE *out);
    const char *output;  /* NULL: stdout */
};

static int print_help(const struct tool *tool)
{
    printf("usage: %s --port PATH|HOST:PORT probe [--format text|json|overlay] [-o FILE]\n\n"
           "Asks a module every test command and every query that the spec knows, and tells how\n"
           "its answers differ from the spec: what is missing, ranges that are others, parameters\n"
           "that came or went, lines that fit no description. It sends nothing that changes the\n"
           "module; what would do more than ask isn't asked.\n\n"
           "  --format text     for people (default)\n"
           "  --format json     one object\n"
           "  --format overlay  a file that amends the spec, to be reviewed: see atspec build\n"
           "                    --overlay\n"
           "  -o FILE           there rather than on stdout\n\n"
           "Exit status: 0 no difference, 1 there are some, 2 the module can't be asked.\n",
           tool->name);
    return TOOL_DONE;
}

static int take_format(const struct tool *tool, const char *name, struct options *options)
{
    static const struct {
        const char *name;
        void (*print)(const struct probe *probe, FILE *out);
    } formats[] = {
        {"text", probe_print_text}, {"json", probe_print_json}, {"overlay", probe_print_overlay},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            options->print = formats[i].print;
            return TOOL_DONE;
        }
    }
    return tool_usage(tool, "probe: --format takes text, json or overlay, not '%s'", name);
}

/* @return TOOL_DONE, or TOOL_USAGE after a message */
static int read_options(const struct tool *tool, int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i += 2) {
        bool format = strcmp(argv[i], "--format") == 0;
        if (!format && strcmp(argv[i], "-o") != 0) {
            return tool_usage(tool, "probe: no option '%s'; see probe --help", argv[i]);
        }
        if (i + 1 == argc) {
            return tool_usage(tool, "probe: %s lacks its value", argv[i]);
        }
        if (!format) {
            options->output = argv[i + 1];
        } else if (take_format(tool, argv[i + 1], options) != TOOL_DONE) {
            return TOOL_USAGE;
        }
    }
    return TOOL_DONE;
}

static int print(const struct probe *probe, const struct options *options)
{
    FILE *out = options->output != NULL ? fopen(options->output, "w") : stdout;
    if (out == NULL) {
        return tool_usage(probe->tool, "%s: %s", options->output, strerror(errno));
    }
    options->print(probe, out);
    bool good = fflush(out) == 0 && ferror(out) == 0;
    int why = errno;
    good = (out == stdout || fclose(out) == 0) && good;
    return good ? TOOL_DONE
                : tool_usage(probe->tool, "%s: %s",
                             options->output != NULL ? options->output : "stdout", strerror(why));
}

int tool_probe(const struct tool *tool, int argc, char **argv)
{
    static struct probe probe;
    struct options options = {probe_print_text, NULL};
    if (tool_asks_for_help(argc, argv)) {
        return print_help(tool);
    }
    if (read_options(tool, argc, argv, &options) != TOOL_DONE) {
        return TOOL_USAGE;
    }
    probe.tool = tool;
    int status = probe_ask(&probe);
    if (status != TOOL_DONE) {
        return status;
    }
    probe_compare(&probe);
    if (probe.overflow) {
        return tool_usage(tool, "probe: there is more than this tool can hold");
    }
    status = print(&probe, &options);
    return status == TOOL_DONE && probe.ndrift > 0 ? TOOL_NO : status;
}

/* `decode`: a capture in, one JSON object per event out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"

struct decoder {
    struct traffic traffic;
    struct events events;
};

static void feed(struct decoder *d, const uint8_t *data, size_t n, size_t chunk)
{
    while (n > 0) {
        size_t now = chunk != 0 && chunk < n ? chunk : n;
        traffic_received(&d->traffic, data, now);
        data += now;
        n -= now;
    }
}

/* Read as it comes rather than until a buffer is full: it may be a live line. */
static int decode_file(struct decoder *d, int fd, size_t chunk)
{
    uint8_t data[4096];
    ssize_t n;
    while ((n = read(fd, data, sizeof data)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return tool_usage(d->events.tool, "can't read: %s", strerror(errno));
        }
        feed(d, data, (size_t)n, chunk);
        fflush(stdout);
    }
    traffic_finish(&d->traffic);
    return fflush(stdout) == 0 && !ferror(stdout)
               ? TOOL_DONE
               : tool_usage(d->events.tool, "can't write what was decoded");
}

static int print_help(const struct tool *tool)
{
    printf("usage: %s decode [--chunk N] [--set NAME=VALUE]... [FILE]\n\n"
           "Reads the raw bytes that came from a module (stdin without FILE) and prints one JSON\n"
           "object an event: echo, response, urc (results that follow a command's OK are among\n"
           "them), final, prompt, unknown, overlong, incomplete. A payload is in lower-case\n"
           "hexadecimal, decoded; of echoed data, as it came.\n\n"
           "Settings decide how payloads are framed. They are the manual's defaults at first, so\n"
           "give those that differ where the capture begins; echoed commands, once acknowledged,\n"
           "and answers that tell settings change them.\n\n"
           "  --chunk N         feed the parser N bytes at a time\n"
           "  --set NAME=VALUE  an initial setting, such as --set access_mode[0]=1; there are:\n",
           tool->name);
    for (uint8_t i = 0; i < tool->module->nsettings; i++) {
        const struct at_setting *s = &tool->module->settings[i];
        printf(s->slots > 1 ? "                      %s[0..%d]\n" : "                      %s\n",
               s->name, s->slots - 1);
    }
    puts("\nExit status: 0 all was decoded, whatever it is; 2 usage, or what can't be read or\n"
         "written.");
    return TOOL_DONE;
}

int tool_decode(const struct tool *tool, int argc, char **argv)
{
    static struct decoder decoder;
    const char *file = NULL;
    unsigned long chunk = 0;
    events_init(&decoder.events, tool, stdout, false);
    traffic_init(&decoder.traffic, tool, events_view, &decoder.events);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_help(tool);
        }
        if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
            if (tool_set(tool, argv[++i], decoder.traffic.session.settings) != TOOL_DONE) {
                return TOOL_USAGE;
            }
        } else if (strcmp(argv[i], "--chunk") == 0 && i + 1 < argc) {
            if (!tool_number(argv[++i], SIZE_MAX, &chunk) || chunk == 0) {
                return tool_usage(tool, "--chunk takes a number of bytes, not '%s'", argv[i]);
            }
        } else if (strcmp(argv[i], "--set") == 0 || strcmp(argv[i], "--chunk") == 0) {
            return tool_usage(tool, "%s lacks its value; see %s decode --help", argv[i], tool->name);
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return tool_usage(tool, "decode doesn't take '%s'; see %s decode --help", argv[i],
                              tool->name);
        } else if (file != NULL) {
            return tool_usage(tool, "decode takes one FILE");
        } else {
            file = argv[i];
        }
    }
    if (file == NULL || strcmp(file, "-") == 0) {
        return decode_file(&decoder, STDIN_FILENO, chunk);
    }
    FILE *in = fopen(file, "rb");
    if (in == NULL) {
        return tool_usage(tool, "can't open %s: %s", file, strerror(errno));
    }
    int status = decode_file(&decoder, fileno(in), chunk);
    fclose(in);
    return status;
}

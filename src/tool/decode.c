/* `decode`: a capture in, one JSON object per event out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "session.h"

enum { LINE_MAX_BYTES = 4096, PAYLOAD_MAX = 2 * 65536 };

struct decoder {
    struct session session;
    struct at_stream stream;
    uint8_t window[LINE_MAX_BYTES + 1];
    uint8_t payload[PAYLOAD_MAX]; /* as on the wire */
    size_t payload_len;
    bool hex;
    /* A line whose payload is still coming: its event and what stands before the payload. */
    const char *event;
    char *header;
    size_t header_len;
};

static void print_fields(FILE *out, const struct at_line *line, bool first)
{
    const struct at_record *record = line->record;
    for (uint8_t i = 0; i < line->nmarks && i < record->nfields; i++) {
        const struct at_param *param = &line->module->params[record->fields[i].param];
        const struct at_mark *mark = &line->marks[i];
        const char *text = (const char *)line->text + mark->begin;
        if (param->type == AT_LITERAL) {
            continue;
        }
        fprintf(out, first ? "\"%s\":" : ",\"%s\":", param->name);
        first = false;
        if (param->type == AT_INT || param->type == AT_UINT) {
            fprintf(out, "%lld", strtoll(text, NULL, 10)); /* behind it stands no digit */
        } else {
            json_string(out, text, (size_t)(mark->end - mark->begin));
        }
    }
}

static void print_text_event(const char *event, const uint8_t *text, size_t len)
{
    printf("{\"event\":\"%s\",\"text\":", event);
    json_string(stdout, text, len);
    puts("}");
}

static void print_final(const struct at_line *line)
{
    printf("{\"event\":\"final\",\"result\":");
    json_string(stdout, line->record->name, strlen(line->record->name));
    print_fields(stdout, line, false);
    puts("}");
}

static void print_test(const struct at_line *line)
{
    struct at_str text;
    at_line_decode(line, &text);
    printf("{\"event\":\"response\",\"name\":\"%s\",\"text\":", line->record->name);
    json_string(stdout, text.ptr, text.len);
    puts("}");
}

/* Everything behind "event", up to the payload. */
static void print_body(FILE *out, const struct at_line *line)
{
    fprintf(out, ",\"name\":\"%s\",\"fields\":{", line->record->name);
    print_fields(out, line, true);
    fputc('}', out);
}

static const char *event_name(const struct at_record *record)
{
    return record->kind == AT_KIND_RESPONSE ? "response" : "urc";
}

static void hold_header(struct decoder *d, const struct at_line *line)
{
    FILE *out = open_memstream(&d->header, &d->header_len);
    if (out == NULL) {
        perror("decode");
        exit(TOOL_USAGE);
    }
    d->event = event_name(line->record);
    d->hex = line->hex;
    d->payload_len = 0;
    print_body(out, line);
    fclose(out);
}

static void print_line(struct decoder *d, const struct at_line *line)
{
    if (line->record->kind == AT_KIND_FINAL) {
        print_final(line);
    } else if (line->record->kind == AT_KIND_TEST) {
        print_test(line);
    } else if (line->payload >= 0) {
        hold_header(d, line);
    } else {
        printf("{\"event\":\"%s\"", event_name(line->record));
        print_body(stdout, line);
        puts("}");
    }
}

/* The decoded payload; or, where it should be hexadecimal and isn't, as it came. */
static void print_payload(const struct decoder *d)
{
    static uint8_t decoded[PAYLOAD_MAX / 2];
    size_t pairs = d->payload_len / 2u;
    printf(",\"payload\":");
    if (d->hex && at_hex_decode(d->payload, 2u * pairs, decoded) >= 0) {
        json_hex(stdout, decoded, pairs);
    } else {
        json_hex(stdout, d->payload, d->payload_len);
        fputs(d->hex ? ",\"error\":\"not hexadecimal\"" : "", stdout);
    }
}

static void collect(struct decoder *d, const struct at_event *event)
{
    memcpy(d->payload + d->payload_len, event->data, event->len);
    d->payload_len += event->len;
}

static void print_payload_event(struct decoder *d, const struct at_event *event)
{
    collect(d, event);
    if (event->remaining > 0) {
        return;
    }
    printf("{\"event\":\"%s\"%s", d->event, d->header);
    print_payload(d);
    puts("}");
    free(d->header);
    d->header = NULL;
}

static void print_echo_data(struct decoder *d, const struct at_event *event)
{
    if (d->payload_len + event->len <= sizeof d->payload) {
        collect(d, event);
    }
    if (event->remaining == 0) {
        printf("{\"event\":\"echo\",\"payload\":");
        json_hex(stdout, d->payload, d->payload_len);
        puts("}");
        d->payload_len = 0;
    }
}

static void print_echo(const struct at_event *event, const struct session_echo *echo)
{
    printf("{\"event\":\"echo\",\"text\":");
    json_string(stdout, event->data, event->len);
    if (echo->form != NULL) {
        printf(",\"command\":\"%s\"", echo->form->command);
        if (!echo->ambiguous) {
            printf(",\"form\":\"%s\"", echo->form->name);
        }
    }
    puts("}");
}

static void print_incomplete_echo(struct decoder *d, const struct at_event *event)
{
    if (d->payload_len == 0) {
        return; /* a prompt, and nothing was sent yet */
    }
    printf("{\"event\":\"incomplete\",\"payload\":");
    json_hex(stdout, d->payload, d->payload_len);
    if (d->session.data_len > 0) {
        printf(",\"missing\":%zu", event->remaining);
    }
    puts("}");
}

static void print_incomplete(struct decoder *d, const struct at_event *event)
{
    if (event->record == NULL && event->remaining > 0) {
        print_incomplete_echo(d, event);
        return;
    }
    if (event->record == NULL) {
        print_text_event("incomplete", event->data, event->len);
        return;
    }
    size_t digits = d->hex ? 2u : 1u;
    size_t missing = (event->remaining + digits - 1u) / digits;
    printf("{\"event\":\"incomplete\"%s", d->header);
    print_payload(d);
    printf(",\"missing\":%zu}\n", missing);
    free(d->header);
    d->header = NULL;
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct decoder *d = ctx;
    struct session_echo echo = {NULL, false};
    session_event(&d->session, &d->stream, event, &echo);
    switch (event->type) {
    case AT_EVENT_LINE:
        print_line(d, event->line);
        break;
    case AT_EVENT_PAYLOAD:
        print_payload_event(d, event);
        break;
    case AT_EVENT_PROMPT:
        d->payload_len = 0;
        puts("{\"event\":\"prompt\"}");
        break;
    case AT_EVENT_ECHO:
        print_echo(event, &echo);
        break;
    case AT_EVENT_ECHO_DATA:
        print_echo_data(d, event);
        break;
    case AT_EVENT_UNKNOWN:
        print_text_event("unknown", event->data, event->len);
        break;
    case AT_EVENT_OVERLONG:
        printf("{\"event\":\"overlong\",\"length\":%zu}\n", event->remaining);
        break;
    case AT_EVENT_INCOMPLETE:
        print_incomplete(d, event);
        break;
    }
}

static void feed(struct decoder *d, const uint8_t *data, size_t n, size_t chunk)
{
    while (n > 0) {
        size_t now = chunk != 0 && chunk < n ? chunk : n;
        at_stream_feed(&d->stream, data, now);
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
            return tool_usage(d->session.tool, "can't read: %s", strerror(errno));
        }
        feed(d, data, (size_t)n, chunk);
        fflush(stdout);
    }
    at_stream_finish(&d->stream);
    return fflush(stdout) == 0 && !ferror(stdout)
               ? TOOL_DONE
               : tool_usage(d->session.tool, "can't write what was decoded");
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
    return TOOL_DONE;
}

int tool_decode(const struct tool *tool, int argc, char **argv)
{
    static struct decoder decoder;
    const char *file = NULL;
    size_t chunk = 0;
    session_init(&decoder.session, tool);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_help(tool);
        }
        if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
            if (tool_set(tool, argv[++i], decoder.session.settings) != TOOL_DONE) {
                return TOOL_USAGE;
            }
        } else if (strcmp(argv[i], "--chunk") == 0 && i + 1 < argc) {
            char *end;
            chunk = strtoul(argv[++i], &end, 10);
            if (chunk == 0 || *end != '\0' || argv[i][0] < '0' || argv[i][0] > '9') {
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
    at_stream_init(&decoder.stream, tool->module, decoder.session.settings, decoder.window,
                   sizeof decoder.window, on_event, &decoder);
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

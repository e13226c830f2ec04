#include "trace.h"

#include <string.h>

enum { SHOWN = 72 };

static void print_byte(FILE *out, uint8_t c)
{
    switch (c) {
    case '\r':
        fputs("\\r", out);
        break;
    case '\n':
        fputs("\\n", out);
        break;
    case 0x1a:
        fputs("<Ctrl-Z>", out);
        break;
    case 0x1b:
        fputs("<Esc>", out);
        break;
    default:
        fprintf(out, c >= 0x20 && c <= 0x7e ? "%c" : "\\x%02x", c);
    }
}

static void print_line(struct trace *t, const char *mark, const uint8_t *data, size_t n)
{
    if (t->out == NULL) {
        return;
    }
    fprintf(t->out, "    %s ", mark);
    for (size_t i = 0; i < n; i++) {
        print_byte(t->out, data[i]);
    }
    fputc('\n', t->out);
}

/* What is held of data, the beginning of it if it is long. */
void trace_flush(struct trace *t)
{
    if (t->len > 0 && t->out != NULL) {
        size_t shown = t->held < SHOWN ? t->held : SHOWN;
        fprintf(t->out, "     | %zu byte%s: ", t->len, t->len == 1 ? "" : "s");
        for (size_t i = 0; i < shown; i++) {
            print_byte(t->out, t->bytes[i]);
        }
        fputs(shown < t->len ? " ...\n" : "\n", t->out);
    }
    t->len = t->held = 0;
}

static void hold(struct trace *t, const uint8_t *data, size_t n)
{
    size_t room = sizeof t->bytes - t->held;
    memcpy(t->bytes + t->held, data, n < room ? n : room);
    t->held += n < room ? n : room;
    t->len += n;
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct trace *t = ctx;
    struct session_echo echo = {NULL, false};
    if (event->type != AT_EVENT_PAYLOAD && event->type != AT_EVENT_ECHO_DATA) {
        trace_flush(t);
    }
    switch (event->type) {
    case AT_EVENT_LINE:
        print_line(t, "<-", event->line->text, event->line->len);
        t->prompted = t->prompted && event->record->kind != AT_KIND_FINAL;
        break;
    case AT_EVENT_PAYLOAD:
    case AT_EVENT_ECHO_DATA:
        hold(t, event->data, event->len);
        if (event->remaining == 0) {
            trace_flush(t);
        }
        break;
    case AT_EVENT_PROMPT:
        print_line(t, "<-", (const uint8_t *)">", 1);
        t->prompted = true;
        break;
    case AT_EVENT_OVERLONG:
        if (t->out != NULL) {
            fprintf(t->out, "    <- a line of %zu bytes\n", event->remaining);
        }
        break;
    default:
        print_line(t, "<-", event->data, event->len);
    }
    if (event->type != AT_EVENT_ECHO) { /* the command is known already */
        session_event(&t->session, &t->stream, event, &echo);
    }
}

void trace_init(struct trace *t, const struct tool *tool, FILE *out)
{
    memset(t, 0, sizeof *t);
    t->out = out;
    session_init(&t->session, tool);
    at_stream_init(&t->stream, tool->module, t->session.settings, t->window, sizeof t->window,
                   on_event, t);
}

/* A command line is whole: what it asks for decides how the answer is read. */
static void take_command(struct trace *t)
{
    struct at_event event = {AT_EVENT_ECHO, NULL, NULL, t->bytes, t->held, 0};
    struct session_echo echo = {NULL, false};
    if (t->len > 0) {
        print_line(t, "->", t->bytes, t->held);
        session_event(&t->session, &t->stream, &event, &echo);
    }
    t->len = t->held = 0;
}

void trace_sent(struct trace *t, const uint8_t *data, size_t n)
{
    if (t->prompted) {
        hold(t, data, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\r') {
            take_command(t);
        } else {
            hold(t, data + i, 1);
        }
    }
}

void trace_received(struct trace *t, const uint8_t *data, size_t n)
{
    at_stream_feed(&t->stream, data, n);
}

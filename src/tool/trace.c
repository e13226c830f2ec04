#include "trace.h"

#include <string.h>

#include "print.h"

enum { SHOWN = 72 };

enum look { SENT, ANSWER, NOTICE, FAILURE, DATA, ASIDE, PLAIN };

static const char *const colours[] = {
    [SENT] = "\033[36m",      /* cyan */
    [ANSWER] = "\033[32m",    /* green */
    [NOTICE] = "\033[35m",    /* magenta */
    [FAILURE] = "\033[1;31m", /* bold red */
    [DATA] = "\033[33m",      /* yellow */
    [ASIDE] = "\033[2m",      /* faint */
    [PLAIN] = "",
};

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

static void print_bytes(FILE *out, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        print_byte(out, data[i]);
    }
}

/* The parts of a line ----------------------------------------------------------------- */

static void colour(const struct trace *t, enum look look)
{
    if ((t->style & TRACE_COLOURS) != 0) {
        fputs(colours[look], t->out);
    }
}

static void uncolour(const struct trace *t, enum look look)
{
    if ((t->style & TRACE_COLOURS) != 0 && look != PLAIN) {
        fputs("\033[0m", t->out);
    }
}

/* What stands before the direction. */
static void margin(const struct trace *t)
{
    if ((t->style & TRACE_TIMES) != 0) {
        colour(t, ASIDE);
        print_time(t->out, PRINT_LOCAL);
        uncolour(t, ASIDE);
        fputc(' ', t->out);
    } else {
        fputs("    ", t->out);
    }
}

static const char *mark(enum traffic_from from)
{
    return from == FROM_HOST ? "->" : "<-";
}

static void print_line(const struct trace *t, enum traffic_from from, enum look look,
                       const uint8_t *data, size_t n)
{
    margin(t);
    colour(t, look);
    fprintf(t->out, "%s ", mark(from));
    print_bytes(t->out, data, n);
    uncolour(t, look);
}

/* What is said behind a line; false when nothing is. */
static bool begin_note(const struct trace *t)
{
    if ((t->style & TRACE_DECODED) == 0) {
        return false;
    }
    fputs("    ", t->out);
    colour(t, ASIDE);
    return true;
}

static void end_note(const struct trace *t)
{
    uncolour(t, ASIDE);
}

static void note(const struct trace *t, const char *text)
{
    if (begin_note(t)) {
        fputs(text, t->out);
        end_note(t);
    }
}

static void end_line(const struct trace *t)
{
    fputc('\n', t->out);
}

/* Data, the beginning of them if they are long. */
static void print_data(const struct trace *t, enum traffic_from from, const uint8_t *data, size_t n)
{
    size_t shown = n < SHOWN ? n : SHOWN;
    bool raw = (t->style & TRACE_DECODED) == 0;
    margin(t);
    colour(t, DATA);
    fprintf(t->out, "%s | %zu byte%s: ", raw ? "" : mark(from), n, n == 1 ? "" : "s");
    print_bytes(t->out, data, shown);
    fputs(shown < n ? " ..." : "", t->out);
    uncolour(t, DATA);
}

/* What they mean ---------------------------------------------------------------------- */

static void note_command(const struct trace *t, const struct session_echo *echo)
{
    const struct tool *tool = t->tool;
    if (echo->form == NULL || !begin_note(t)) {
        return;
    }
    if (!echo->fits) {
        fprintf(t->out, "fits no form of %s", echo->form->command);
    } else {
        fputs(tool->manual->forms[echo->form - tool->module->forms].doc, t->out);
        fputs(print_has_arguments(tool, &echo->command) ? ": " : "", t->out);
        print_arguments(t->out, tool, &echo->command);
    }
    end_note(t);
}

static enum look look_of(const struct at_record *record)
{
    if (record->outcome == AT_OUTCOME_ERROR || record->outcome == AT_OUTCOME_FAIL) {
        return FAILURE;
    }
    return record->kind == AT_KIND_URC || record->kind == AT_KIND_RESULT ? NOTICE : ANSWER;
}

static void print_known(struct trace *t, const struct at_line *line)
{
    t->hex = line->hex;
    print_line(t, FROM_MODULE, look_of(line->record), line->text, line->len);
    if (line->record->kind != AT_KIND_TEST && line->nmarks > 0 && line->record->nfields > 0 &&
        begin_note(t)) {
        print_fields(t->out, t->tool, line);
        end_note(t);
    }
    end_line(t);
}

/* What hexadecimal digits stand for. */
static void note_hex(const struct trace *t, const struct at_event *event)
{
    uint8_t decoded[SHOWN];
    size_t pairs = event->len / 2u;
    size_t shown = pairs < sizeof decoded ? pairs : sizeof decoded;
    if (shown > 0 && at_hex_decode(event->data, 2u * shown, decoded) >= 0 && begin_note(t)) {
        fprintf(t->out, "%zu byte%s: ", pairs, pairs == 1 ? "" : "s");
        print_bytes(t->out, decoded, shown);
        fputs(shown < pairs ? " ..." : "", t->out);
        end_note(t);
    }
}

static void print_payload(const struct trace *t, enum traffic_from from,
                          const struct at_event *event)
{
    if (event->len == 0 && event->remaining == 0) {
        return;
    }
    print_data(t, from, event->data, event->len);
    if (event->type == AT_EVENT_PAYLOAD && t->hex) {
        note_hex(t, event);
    }
    if (event->remaining == TRAFFIC_MISSING) {
        note(t, "incomplete");
    } else if (event->remaining > 0 && begin_note(t)) {
        fprintf(t->out, "incomplete: %zu missing", event->remaining);
        end_note(t);
    }
    end_line(t);
}

static void print_text(const struct trace *t, enum traffic_from from, const struct at_event *event,
                       const char *what)
{
    print_line(t, from, PLAIN, event->data, event->len);
    if (what != NULL) {
        note(t, what);
    }
    end_line(t);
}

static void print_command(const struct trace *t, enum traffic_from from,
                          const struct at_event *event, const struct session_echo *echo)
{
    print_line(t, from, from == FROM_HOST ? SENT : ASIDE, event->data, event->len);
    if (from == FROM_HOST) {
        note_command(t, echo);
    }
    end_line(t);
}

static void view(void *ctx, enum traffic_from from, const struct at_event *event,
                 const struct session_echo *echo)
{
    struct trace *t = ctx;
    if (t->out == NULL) {
        return;
    }
    switch (event->type) {
    case AT_EVENT_LINE:
        print_known(t, event->line);
        break;
    case AT_EVENT_PAYLOAD:
    case AT_EVENT_ECHO_DATA:
        print_payload(t, from, event);
        break;
    case AT_EVENT_PROMPT:
        print_line(t, from, ANSWER, (const uint8_t *)">", 1);
        end_line(t);
        break;
    case AT_EVENT_ECHO:
        print_command(t, from, event, echo);
        break;
    case AT_EVENT_OVERLONG:
        margin(t);
        fprintf(t->out, "%s a line of %zu bytes\n", mark(from), event->remaining);
        break;
    case AT_EVENT_INCOMPLETE:
        if (event->record != NULL || event->remaining > 0) {
            print_payload(t, from, event);
        } else {
            print_text(t, from, event, "incomplete");
        }
        break;
    case AT_EVENT_UNKNOWN:
        print_text(t, from, event, NULL);
        break;
    }
}

void trace_init(struct trace *t, const struct tool *tool, FILE *out, unsigned style)
{
    memset(t, 0, sizeof *t);
    t->out = out;
    t->tool = tool;
    t->style = style;
    traffic_init(&t->traffic, tool, view, t);
}

void trace_sent(struct trace *t, const uint8_t *data, size_t n)
{
    traffic_sent(&t->traffic, data, n);
}

void trace_received(struct trace *t, const uint8_t *data, size_t n)
{
    traffic_received(&t->traffic, data, n);
}

void trace_flush(struct trace *t)
{
    traffic_flush(&t->traffic);
}

void trace_finish(struct trace *t)
{
    traffic_finish(&t->traffic);
}

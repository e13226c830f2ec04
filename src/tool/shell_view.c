#include "shell_view.h"

#include <string.h>

#include "print.h"

enum { TEXT_WIDTH = 72, DUMP_WIDTH = 16 };

/* Final result codes of other standards than the spec's, so that an unknown command ends. */
static const char *const other_finals[] = {"+CMS ERROR", "NO CARRIER", "NO ANSWER", "NO DIALTONE"};

/* In the notation in which data are typed. */
static void print_byte(uint8_t c)
{
    if (c == '\r' || c == '\n' || c == '\t') {
        printf("\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : 't');
    } else if (c < 0x20 || c > 0x7e) {
        printf("\\x%02x", c);
    } else {
        printf(c == '\\' ? "\\\\" : "%c", c);
    }
}

static void print_text(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        print_byte(text[i]);
    }
}

/* Payloads -------------------------------------------------------------------- */

static bool is_text(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool blank = data[i] == '\r' || data[i] == '\n' || data[i] == '\t';
        if (!blank && (data[i] < 0x20 || data[i] > 0x7e)) {
            return false;
        }
    }
    return true;
}

static void print_lines(const uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = 0;
        while (at + n < len && n < TEXT_WIDTH && (n == 0 || data[at + n - 1] != '\n')) {
            n++;
        }
        fputs("   | ", stdout);
        print_text(data + at, n);
        putchar('\n');
        at += n;
    }
}

static void print_dump(const uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += DUMP_WIDTH) {
        size_t n = len - at < DUMP_WIDTH ? len - at : DUMP_WIDTH;
        printf("   | %04zx ", at);
        for (size_t i = 0; i < DUMP_WIDTH; i++) {
            printf(i < n ? " %02x" : "   ", i < n ? data[at + i] : 0);
        }
        fputs("  ", stdout);
        for (size_t i = 0; i < n; i++) {
            uint8_t c = data[at + i];
            putchar(c >= 0x20 && c <= 0x7e ? c : '.');
        }
        putchar('\n');
    }
}

/* Data that should be hexadecimal digits and aren't are shown as they came. */
static void print_payload(struct view *v)
{
    size_t len = v->payload_len;
    if (v->hex) {
        int n = at_hex_decode(v->payload, len - len % 2u, v->payload);
        len = n < 0 ? len : (size_t)n;
    }
    if (is_text(v->payload, len)) {
        print_lines(v->payload, len);
    } else {
        print_dump(v->payload, len);
    }
    v->payload_len = 0;
}

static void take_payload(struct view *v, const struct at_event *event)
{
    size_t room = sizeof v->payload - v->payload_len;
    size_t n = event->len < room ? event->len : room;
    memcpy(v->payload + v->payload_len, event->data, n);
    v->payload_len += n;
    if (event->remaining == 0) {
        print_payload(v);
    }
}

/* Lines ----------------------------------------------------------------------- */

/* What answers the client's own queries is its business; what may come at any time isn't. */
static bool is_hidden(const struct view *v, const struct at_record *record)
{
    bool answer = record->kind == AT_KIND_RESPONSE || record->kind == AT_KIND_TEST ||
                  record->outcome == AT_OUTCOME_OK || record->outcome == AT_OUTCOME_ERROR;
    return v->own && answer;
}

static void print_line(struct view *v, const struct at_line *line)
{
    const struct at_record *record = line->record;
    struct at_str text;
    printf(record->kind == AT_KIND_URC ? "<- urc %s" : "<- %s", record->name);
    if (record->kind == AT_KIND_TEST) {
        at_line_decode(line, &text);
        printf(" %.*s", (int)text.len, text.ptr);
    } else if (line->nmarks > 0) {
        putchar(' ');
        print_fields(stdout, v->tool, line);
    }
    putchar('\n');
    v->hex = line->hex;
    v->payload_len = 0;
}

static void take_line(struct view *v, const struct at_line *line)
{
    const struct at_record *record = line->record;
    if (!is_hidden(v, record)) {
        print_line(v, line);
    }
    if (record->kind == AT_KIND_FINAL) {
        v->prompted = false;
        v->outcome = record->outcome;
    }
}

static void take_unknown(struct view *v, const struct at_event *event)
{
    fputs("<- ", stdout);
    print_text(event->data, event->len);
    putchar('\n');
    for (size_t i = 0; v->wire && i < sizeof other_finals / sizeof other_finals[0]; i++) {
        size_t len = strlen(other_finals[i]);
        if (event->len >= len && memcmp(event->data, other_finals[i], len) == 0) {
            v->outcome = AT_OUTCOME_ERROR;
        }
    }
}

static void print_data_sent(struct view *v)
{
    if (v->data_sent > 0) {
        printf("-> %zu byte%s of data\n", v->data_sent, v->data_sent == 1 ? "" : "s");
    }
    v->data_sent = 0;
}

/* The port was lost in the middle. */
static void print_incomplete(struct view *v, const struct at_event *event)
{
    if (event->record != NULL) {
        print_payload(v);
        printf("<- %zu bytes of it are missing\n", event->remaining);
    } else if (event->len > 0) {
        fputs("<- ", stdout);
        print_text(event->data, event->len);
        fputs(" (incomplete)\n", stdout);
    }
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct view *v = ctx;
    struct session_echo echo = {0};
    print_data_sent(v);
    switch (event->type) {
    case AT_EVENT_LINE:
        take_line(v, event->line);
        break;
    case AT_EVENT_PAYLOAD:
        take_payload(v, event);
        break;
    case AT_EVENT_PROMPT:
        v->prompted = true;
        break;
    case AT_EVENT_UNKNOWN:
        take_unknown(v, event);
        break;
    case AT_EVENT_OVERLONG:
        printf("<- a line of %zu bytes, too long to be shown\n", event->remaining);
        break;
    case AT_EVENT_INCOMPLETE:
        print_incomplete(v, event);
        break;
    default: /* echoes: the command is known already */
        break;
    }
    if (event->type != AT_EVENT_ECHO) {
        session_event(&v->session, &v->stream, event, &echo);
    }
}

/* What is sent ---------------------------------------------------------------- */

/* The client sends commands of its own before the one that is wanted. */
static bool is_wanted(const struct view *v)
{
    static char line[sizeof v->sent + 1];
    const struct request *r = v->request;
    if (r == NULL) {
        return v->wire;
    }
    int n = at_form_encode(v->tool->module, r->form, r->settings, &r->value, line, sizeof line,
                           NULL);
    return n == (int)v->sent_len + 1 && memcmp(line, v->sent, v->sent_len) == 0;
}

/* A command line is whole: what it asks for decides how the answer is read. */
static void take_command(struct view *v)
{
    struct at_event event = {AT_EVENT_ECHO, NULL, NULL, (const uint8_t *)v->sent, v->sent_len, 0};
    struct session_echo echo = {0};
    v->own = !is_wanted(v);
    v->outcome = AT_OUTCOME_NONE;
    if (!v->own) {
        fputs("-> ", stdout);
        print_text((const uint8_t *)v->sent, v->sent_len);
        putchar('\n');
    }
    session_event(&v->session, &v->stream, &event, &echo);
    v->sent_len = 0;
}

static void on_sent(void *ctx, const uint8_t *data, size_t n)
{
    struct view *v = ctx;
    if (v->prompted) {
        v->data_sent += n;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\r') {
            take_command(v);
        } else if (v->sent_len < sizeof v->sent) {
            v->sent[v->sent_len++] = (char)data[i];
        }
    }
}

static void on_received(void *ctx, const uint8_t *data, size_t n)
{
    struct view *v = ctx;
    at_stream_feed(&v->stream, data, n);
    fflush(stdout);
}

void view_start(struct view *v, const struct tool *tool)
{
    memset(v, 0, sizeof *v);
    v->tool = tool;
    v->observer.ctx = v;
    v->observer.sent = on_sent;
    v->observer.received = on_received;
    session_init(&v->session, tool);
    at_stream_init(&v->stream, tool->module, v->session.settings, v->window, sizeof v->window,
                   on_event, v);
    at_stream_expect_prompt(&v->stream, false);
}

void view_begin(struct view *v, const struct request *request)
{
    v->request = request;
    v->wire = request == NULL;
    v->outcome = AT_OUTCOME_NONE;
}

void view_end(struct view *v)
{
    print_data_sent(v);
    v->request = NULL;
    v->wire = false;
    v->own = false;
}

void view_stop(struct view *v)
{
    at_stream_finish(&v->stream);
    view_end(v);
}

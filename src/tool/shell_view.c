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
static void print_payload(const struct view *v, const uint8_t *data, size_t len)
{
    static uint8_t decoded[TRAFFIC_DATA_MAX / 2];
    int n = v->hex ? at_hex_decode(data, len - len % 2u, decoded) : -1;
    if (n >= 0) {
        data = decoded;
        len = (size_t)n;
    }
    if (is_text(data, len)) {
        print_lines(data, len);
    } else {
        print_dump(data, len);
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
}

static void take_line(struct view *v, const struct at_line *line)
{
    const struct at_record *record = line->record;
    if (!is_hidden(v, record)) {
        print_line(v, line);
    }
    if (record->kind == AT_KIND_FINAL) {
        v->outcome = record->outcome;
        v->reason = line->nmarks > 0 && !is_hidden(v, record);
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
            v->reason = true;
        }
    }
}

/* The port was lost in the middle. */
static void print_incomplete(const struct view *v, const struct at_event *event)
{
    if (event->record != NULL) {
        print_payload(v, event->data, event->len);
        printf("<- %zu bytes of it are missing\n", event->remaining);
    } else if (event->len > 0) {
        fputs("<- ", stdout);
        print_text(event->data, event->len);
        fputs(" (incomplete)\n", stdout);
    }
}

static void take_event(struct view *v, const struct at_event *event)
{
    switch (event->type) {
    case AT_EVENT_LINE:
        take_line(v, event->line);
        break;
    case AT_EVENT_PAYLOAD:
        print_payload(v, event->data, event->len);
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
    default: /* prompts and echoes: what was sent is known already */
        break;
    }
}

/* What is sent ---------------------------------------------------------------- */

/* The client sends commands of its own before the one that is wanted. */
static bool is_wanted(const struct view *v, const struct at_event *sent)
{
    static char line[TRAFFIC_LINE_MAX + 1];
    const struct request *r = v->request;
    if (r == NULL) {
        return v->wire;
    }
    int n = at_form_encode(v->tool->module, r->form, r->settings, &r->value, line, sizeof line,
                           NULL);
    return n == (int)sent->len + 1 && memcmp(line, sent->data, sent->len) == 0;
}

static void take_command(struct view *v, const struct at_event *event)
{
    v->own = !is_wanted(v, event);
    v->outcome = AT_OUTCOME_NONE;
    if (!v->own) {
        fputs("-> ", stdout);
        print_text(event->data, event->len);
        putchar('\n');
    }
}

/* The byte that ends data of unknown length isn't one of them. */
static size_t data_length(const struct view *v, const struct at_event *event)
{
    const struct traffic *t = &v->traffic;
    bool ended = !t->counted && event->len > 0 && event->data[event->len - 1u] == t->until;
    return event->len - (ended ? 1u : 0u);
}

static void take_sent(struct view *v, const struct at_event *event)
{
    if (event->type == AT_EVENT_ECHO) {
        take_command(v, event);
    } else if (event->type == AT_EVENT_ECHO_DATA) {
        size_t len = data_length(v, event);
        printf("-> %zu byte%s of data\n", len, len == 1 ? "" : "s");
    }
}

/* Both ways ------------------------------------------------------------------- */

static void on_event(void *ctx, enum traffic_from from, const struct at_event *event,
                     const struct session_echo *echo)
{
    (void)echo;
    if (from == FROM_HOST) {
        take_sent(ctx, event);
    } else {
        take_event(ctx, event);
    }
}

static void on_sent(void *ctx, const uint8_t *data, size_t n)
{
    struct view *v = ctx;
    traffic_sent(&v->traffic, data, n);
}

static void on_received(void *ctx, const uint8_t *data, size_t n)
{
    struct view *v = ctx;
    traffic_received(&v->traffic, data, n);
    fflush(stdout);
}

void view_start(struct view *v, const struct tool *tool)
{
    memset(v, 0, sizeof *v);
    v->tool = tool;
    v->observer = (struct port_observer){v, on_sent, on_received};
    traffic_init(&v->traffic, tool, on_event, v);
}

void view_begin(struct view *v, const struct request *request)
{
    v->request = request;
    v->wire = request == NULL;
    v->outcome = AT_OUTCOME_NONE;
    v->reason = false;
}

void view_end(struct view *v)
{
    traffic_flush(&v->traffic);
    v->request = NULL;
    v->wire = false;
    v->own = false;
}

void view_stop(struct view *v)
{
    traffic_finish(&v->traffic);
    view_end(v);
}

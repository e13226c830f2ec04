#include "account.h"

#include <stdlib.h>
#include <string.h>

enum { ESC = 27 };

static void on_event(void *ctx, const struct at_event *event);

void account_begin(struct account *a, const uint8_t *settings, size_t window)
{
    memset(a, 0, sizeof *a);
    memcpy(a->settings, settings, sizeof a->settings);
    a->until = -1;
    a->window_size = window;
    a->window = exactly(NULL, window);
    at_stream_init(&a->stream, fuzz_module, a->settings, a->window, window, on_event, a);
}

/* Bytes of the input ---------------------------------------------------------------------- */

static bool is_next(const struct account *a, uint8_t c)
{
    return a->at < a->size && a->data[a->at] == c;
}

static void skip_blank(struct account *a)
{
    if (a->prompted && is_next(a, ' ')) {
        a->at++;
    }
    a->prompted = false;
    while (is_next(a, '\r') || is_next(a, '\n')) {
        a->at++;
    }
}

/* What the end of a prompt may have taken from the data echoed behind it. */
static void skip_prompt_end(struct account *a)
{
    for (const char *blank = " \r\n"; *blank != '\0'; blank++) {
        a->at += is_next(a, (uint8_t)*blank);
    }
}

static void account_bytes(struct account *a, const uint8_t *bytes, size_t n)
{
    claim(n <= a->size - a->at, "an event is longer than the input");
    claim(n == 0 || memcmp(a->data + a->at, bytes, n) == 0,
          "an event holds other bytes than the input at %zu", a->at);
    a->at += n;
}

static void account_end(struct account *a)
{
    while (is_next(a, '\r')) {
        a->at++;
    }
    claim(is_next(a, '\n'), "a line has no end at %zu", a->at);
    a->at++;
}

static bool in_window(const struct account *a, const struct at_event *event)
{
    return event->data >= a->window && event->data + event->len <= a->window + a->window_size;
}

static void account_text(struct account *a, const struct at_event *event)
{
    claim(in_window(a, event), "a line isn't in the window");
    claim(event->len < a->window_size, "a line is longer than the window takes");
    claim(event->len == 0 || memchr(event->data, '\n', event->len) == NULL,
          "a line feed is in a line");
    account_bytes(a, event->data, event->len);
}

/* Lines ----------------------------------------------------------------------------------- */

static bool fits_kind(const struct at_line *line, const struct at_mark *mark)
{
    const uint8_t *text = line->text + mark->begin;
    size_t n = (size_t)(mark->end - mark->begin);
    switch (mark->kind) {
    case AT_MARK_INT: {
        size_t i = n > 1 && text[0] == '-';
        while (i < n && text[i] >= '0' && text[i] <= '9') {
            i++;
        }
        return n > 0 && i == n;
    }
    case AT_MARK_QUOTED:
        return mark->begin > 0 && mark->end < line->len && text[-1] == '"' && text[n] == '"';
    case AT_MARK_BARE:
        return n > 0 && memchr(text, ',', n) == NULL;
    case AT_MARK_RANGE:
        return n > 0 && text[0] == '(';
    default:
        return mark->kind == AT_MARK_REST;
    }
}

static void check_marks(const struct at_line *line)
{
    size_t at = 0;
    claim(line->nmarks <= AT_FIELDS_MAX, "%u marks", line->nmarks);
    for (unsigned i = 0; i < line->nmarks; i++) {
        const struct at_mark *mark = &line->marks[i];
        claim(at <= mark->begin && mark->begin <= mark->end && mark->end <= line->len,
              "mark %u is %u to %u in a line of %zu", i, mark->begin, mark->end, line->len);
        claim(fits_kind(line, mark), "mark %u isn't of kind %u", i, mark->kind);
        at = mark->end;
    }
}

static void check_spans(const struct at_line *line, const union value *value)
{
    const struct at_record *record = line->record;
    for (unsigned i = 0; i < record->nfields; i++) {
        const struct at_field *field = &record->fields[i];
        struct at_bytes span;
        if (field->offset == AT_NO_MEMBER || !is_present(field, value) ||
            fuzz_module->params[field->param].kind->type < AT_STRING) {
            continue;
        }
        memcpy(&span, value->bytes + field->offset, sizeof span);
        claim(span.ptr >= line->text && span.ptr + span.len <= line->text + line->len,
              "a field isn't in its line");
    }
}

/* A line says what it says: the machine took no more and no less than its head. */
static void check_head(const struct at_line *line)
{
    const struct at_record *record = line->record;
    int n = head_length(record->head, false, line->text, line->len);
    claim(n >= 0, "a %s begins otherwise", record->name);
    claim(record->nfields > 0 || record->extra != 0 || record->kind == AT_KIND_TEST ||
              (size_t)n == line->len,
          "a %s goes on behind its end", record->name);
}

static void check_framing(const struct account *a, const struct at_line *line,
                          const union value *value)
{
    const struct at_payload *payload = line->record->rare->payload;
    int32_t length = payload_of(line->record, a->settings, value);
    claim(line->payload == length, "%d bytes of payload and not %d", (int)line->payload,
          (int)length);
    if (length < 0) {
        return;
    }
    claim(length >= payload->min && length <= payload->max, "%d bytes of payload", (int)length);
    claim(payload->format_slot == AT_UNKNOWN || a->settings[payload->format_slot] <= 1,
          "a payload whose format isn't known");
    claim(payload->inline_slot == AT_UNKNOWN || a->settings[payload->inline_slot] != AT_UNKNOWN,
          "a payload that begins nobody knows where");
    claim(line->hex == (payload->format_slot == AT_UNKNOWN ? payload->hex != 0
                                                           : a->settings[payload->format_slot] == 1),
          "a payload in another format");
}

static const struct at_record *heard;

static void hear_again(void *ctx, const struct at_event *event)
{
    heard = event->type == AT_EVENT_LINE ? event->record : NULL;
    if (heard != NULL) {
        (void)at_line_decode(event->line, ctx);
    }
}

/* What a line means, said again as the module's side would say it, is the same line. */
static void check_said_again(struct account *a, const struct at_line *line,
                             const union value *value)
{
    struct at_stream stream;
    uint8_t settings[SETTINGS_MAX];
    static uint8_t window[WIRE_MAX];
    static char text[WIRE_MAX];
    union value again;
    int n = at_record_encode(fuzz_module, line->record, value, text, sizeof text - 2, NULL);
    if (n < 0) { /* what came isn't what the spec lets a module say */
        return;
    }
    memcpy(settings, a->settings, sizeof settings);
    memcpy(text + n, line->payload >= 0 && is_inline(line->record, settings) ? "," : "\r\n", 2);
    at_stream_init(&stream, fuzz_module, settings, window, sizeof window, hear_again, &again);
    heard = NULL;
    at_stream_feed(&stream, (const uint8_t *)text, text[n] == ',' ? (size_t)n + 1u : (size_t)n + 2u);
    claim(heard != NULL && heard->id == line->record->id, "`%.*s`, said again, is no %s", n, text,
          line->record->name);
    if (heard < line->record) { /* a shape that is chosen over it: "5" is a text, and 5 a code */
        return;
    }
    const char *other = line_difference(fuzz_module, line->record->id, value, &again);
    claim(other == NULL, "`%.*s`, said again, has another <%s>", n, text, other);
}

static void note_line(struct account *a, const struct at_record *record, size_t begin)
{
    if (a->told != NULL && a->ntold < a->max_told) {
        a->told[a->ntold].record = record;
        a->told[a->ntold].begin = begin;
        a->told[a->ntold++].end = a->at;
    }
}

static void on_line(struct account *a, const struct at_event *event)
{
    const struct at_line *line = event->line;
    union value value;
    size_t begin = a->at;
    claim(line->record == event->record && line->text == event->data && line->len == event->len,
          "an event differs from its line");
    account_text(a, event);
    check_head(line);
    check_marks(line);
    memset(&value, 0xa5, sizeof value);
    claim(line->record->size <= sizeof value, "a struct of %u bytes", line->record->size);
    claim(at_line_decode(line, &value) == AT_OK, "a line doesn't decode");
    check_spans(line, &value);
    check_framing(a, line, &value);
    check_said_again(a, line, &value);
    if (line->payload >= 0 && is_inline(line->record, a->settings)) {
        claim(is_next(a, ','), "a payload without its comma");
        a->at++;
    } else {
        account_end(a);
    }
    note_line(a, line->record, begin);
    if (line->payload >= 0) {
        a->in_payload = true;
        a->remaining = (size_t)line->payload * (line->hex ? 2u : 1u);
        claim(event->remaining == a->remaining, "%zu bytes of payload follow, not %zu",
              event->remaining, a->remaining);
        if (a->direct && !line->hex && line->payload > 0) {
            a->place = exactly(NULL, a->remaining);
            a->placed = 0;
            at_stream_direct(&a->stream, a->place);
        }
    }
}

/* Counted bytes --------------------------------------------------------------------------- */

static void on_payload(struct account *a, const struct at_event *event)
{
    claim(a->in_payload, "a payload without its line");
    claim(event->len <= a->remaining && event->remaining == a->remaining - event->len,
          "%zu bytes are left of a payload, not %zu", event->remaining, a->remaining - event->len);
    if (a->place != NULL && !in_window(a, event)) {
        claim(event->data == a->place + a->placed, "a payload is read to elsewhere");
    } else {
        claim(in_window(a, event), "a payload isn't in the window");
    }
    account_bytes(a, event->data, event->len);
    a->placed += event->len;
    a->remaining = event->remaining;
    if (a->remaining == 0) {
        a->in_payload = false;
        free(a->place);
        a->place = NULL;
        if (a->told != NULL && a->ntold > 0) {
            a->told[a->ntold - 1].end = a->at;
        }
    }
}

static void on_echo_data(struct account *a, const struct at_event *event)
{
    if (a->prompted) {
        skip_prompt_end(a);
    }
    a->prompted = false;
    claim(a->in_echo, "data come back that nobody sent");
    account_bytes(a, event->data, event->len);
    if (a->echo > 0) {
        claim(event->remaining == a->remaining - event->len, "echoed data don't add up");
    } else if (event->remaining == 0) {
        claim(event->len > 0 && (event->data[event->len - 1] == a->until ||
                                 event->data[event->len - 1] == ESC),
              "echoed data end without their end");
    }
    a->remaining = event->remaining;
    a->in_echo = event->remaining > 0;
}

static void on_prompt(struct account *a)
{
    claim(is_next(a, '>'), "a prompt without its sign at %zu", a->at);
    a->at++;
    a->prompted = true;
    if (a->echo > 0 || a->until >= 0) {
        a->in_echo = true;
        a->remaining = a->echo;
        at_stream_expect_echo(&a->stream, a->echo, a->until);
    }
}

/* What is skipped, and what is left ------------------------------------------------------- */

/* A whole overlong line, or what came of it: all but the CRs at its end. */
static void on_overlong(struct account *a, const struct at_event *event)
{
    const uint8_t *line = a->data + a->at;
    const uint8_t *end = memchr(line, '\n', a->size - a->at);
    size_t n = end != NULL ? (size_t)(end - line) : a->size - a->at;
    while (n > 0 && line[n - 1] == '\r') {
        n--;
    }
    claim(event->remaining == n, "an overlong line of %zu bytes and not %zu", event->remaining, n);
    claim(n >= a->window_size, "a line of %zu bytes is overlong in a window of %zu", n,
          a->window_size);
    a->at += n;
    if (end != NULL) {
        account_end(a);
    }
}

static void on_incomplete(struct account *a, const struct at_event *event)
{
    if (event->record != NULL) {
        claim(a->in_payload && event->remaining == a->remaining, "another payload is incomplete");
        a->in_payload = false;
        if (a->told != NULL && a->ntold > 0) {
            a->told[a->ntold - 1].end = SIZE_MAX;
        }
        free(a->place);
        a->place = NULL;
    } else if (event->remaining > 0) {
        claim(a->in_echo, "other data are incomplete");
        if (a->prompted) { /* not even the first of them came */
            a->at = a->size;
        }
        a->in_echo = a->prompted = false;
    } else {
        account_text(a, event);
    }
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct account *a = ctx;
    a->events++;
    claim(a->events <= 2u * a->size + 2u, "more events than bytes");
    if (a->in_payload) {
        claim(event->type == AT_EVENT_PAYLOAD || event->type == AT_EVENT_INCOMPLETE,
              "an event of type %d amid a payload", (int)event->type);
    } else if (!a->in_echo) {
        skip_blank(a);
    }
    switch (event->type) {
    case AT_EVENT_LINE:
        on_line(a, event);
        break;
    case AT_EVENT_PAYLOAD:
        on_payload(a, event);
        break;
    case AT_EVENT_PROMPT:
        on_prompt(a);
        break;
    case AT_EVENT_ECHO:
        account_text(a, event);
        claim(at_is_command_line(event->data, event->len), "an echo of no command");
        claim(is_next(a, '\r') || is_next(a, '\n'), "an echo has no end");
        a->at++;
        break;
    case AT_EVENT_ECHO_DATA:
        on_echo_data(a, event);
        break;
    case AT_EVENT_UNKNOWN:
        claim(event->record == NULL || event->record->rare->payload != NULL,
              "an unknown line of a record without payload");
        account_text(a, event);
        account_end(a);
        break;
    case AT_EVENT_OVERLONG:
        on_overlong(a, event);
        break;
    case AT_EVENT_INCOMPLETE:
        on_incomplete(a, event);
        break;
    }
}

/* Running --------------------------------------------------------------------------------- */

static void account_rest(struct account *a)
{
    if (a->in_echo) {
        skip_prompt_end(a);
    }
    skip_blank(a);
    claim(a->at == a->size, "%zu bytes of %zu are accounted for", a->at, a->size);
    claim(!a->in_payload, "a payload without end");
}

void account_for(struct account *a, const uint8_t *data, size_t size, size_t chunk)
{
    a->data = data;
    a->size = size;
    chunk = chunk > 0 ? chunk : size;
    for (size_t at = 0; at < size; at += chunk) {
        size_t n = chunk < size - at ? chunk : size - at;
        uint8_t *copy = exactly(data + at, n);
        at_stream_feed(&a->stream, copy, n);
        free(copy);
    }
    at_stream_finish(&a->stream);
    account_rest(a);
    free(a->window);
}

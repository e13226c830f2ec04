/* The stream parser: a window of bytes, a head machine, a field scanner, and
 * payloads that are counted and never looked at. */
#include "at/stream.h"

#include <string.h>

#include "fields.h"
#include "scan.h"

enum state {
    START,        /* between lines */
    AFTER_PROMPT, /* a space may belong to the prompt */
    HEAD,         /* in the beginning of a line */
    FIELDS,
    ECHO,         /* in a command line come back */
    SKIP,         /* in a line that fits nothing */
    OVERLONG,     /* in a line longer than the window */
    PAYLOAD,
    ECHO_SPACE,   /* before echoed data: what may belong to the prompt */
    ECHO_CR,
    ECHO_LF,
    ECHO_DATA
};

enum { ESC = 0x1b };

void at_stream_init(struct at_stream *s, const struct at_module *module, uint8_t *settings,
                    uint8_t *window, size_t size, at_event_fn on_event, void *ctx)
{
    memset(s, 0, sizeof *s);
    s->module = module;
    s->settings = settings;
    s->window = window;
    s->size = (uint16_t)(size < UINT16_MAX ? size : UINT16_MAX);
    s->line_max = (uint16_t)(s->size - 1u);
    s->on_event = on_event;
    s->ctx = ctx;
    s->prompt = true;
    s->learn = true;
}

static void emit(struct at_stream *s, enum at_event_type type, const struct at_record *record,
                 const uint8_t *data, size_t len, size_t remaining)
{
    struct at_event event = {type, record, NULL, data, len, remaining};
    s->on_event(s->ctx, &event);
}

static void begin_line(struct at_stream *s)
{
    s->line = s->scan;
    s->state = START;
}

/* Length of the line up to `end`, without the CRs before it. */
static size_t text_length(const struct at_stream *s, size_t end)
{
    while (end > s->line && s->window[end - 1u] == '\r') {
        end--;
    }
    return end - s->line;
}

static void end_unknown(struct at_stream *s, size_t end, const struct at_record *record)
{
    const uint8_t *text = s->window + s->line;
    size_t len = text_length(s, end);
    begin_line(s);
    emit(s, AT_EVENT_UNKNOWN, record, text, len, 0);
}

/* Payloads ---------------------------------------------------------------- */

static void take_payload(struct at_stream *s, const uint8_t *data, size_t n)
{
    const struct at_record *record = s->record;
    s->left -= (uint32_t)n;
    if (s->direct != NULL) {
        s->direct += n;
    }
    if (s->left == 0) {
        s->direct = NULL;
        begin_line(s);
    }
    emit(s, AT_EVENT_PAYLOAD, record, data, n, s->left);
}

static void scan_payload(struct at_stream *s)
{
    size_t n = (size_t)(s->fill - s->scan);
    const uint8_t *data = s->window + s->scan;
    n = n < s->left ? n : s->left;
    s->scan = (uint16_t)(s->scan + n);
    s->line = s->scan;
    take_payload(s, data, n);
}

static bool unknown(const struct at_stream *s, uint8_t slot)
{
    return slot != AT_UNKNOWN && s->settings[slot] == AT_UNKNOWN;
}

enum follows { FOLLOWS_NOT, FOLLOWS, FOLLOWS_UNKNOWN };

/* Whether the settings let data follow a line. */
static enum follows payload_follows(const struct at_stream *s, const struct at_line *line,
                                    int32_t *length)
{
    const struct at_payload *payload = line->record->rare->payload;
    if (payload == NULL || !at_line_int(line, payload->length, length)) {
        return FOLLOWS_NOT;
    }
    if (payload->when_slot != AT_UNKNOWN) {
        int32_t key = 0;
        if (payload->when_slots > 1 && (!at_line_int(line, payload->when_key, &key) || key < 0 ||
                                        key >= payload->when_slots)) {
            return FOLLOWS_NOT;
        }
        uint8_t value = s->settings[payload->when_slot + (payload->when_slots > 1 ? key : 0)];
        if (value != payload->when_value) {
            return value == AT_UNKNOWN ? FOLLOWS_UNKNOWN : FOLLOWS_NOT;
        }
    }
    return unknown(s, payload->format_slot) || unknown(s, payload->inline_slot) ? FOLLOWS_UNKNOWN
                                                                                : FOLLOWS;
}

/* Lines ------------------------------------------------------------------- */

static bool is_inline(const struct at_stream *s, const struct at_payload *payload)
{
    return payload->inline_slot != AT_UNKNOWN && s->settings[payload->inline_slot] == 1;
}

static bool shown_unknown(const struct at_stream *s, const struct at_record *record)
{
    for (uint8_t i = 0; i < record->nfields; i++) {
        unsigned shown = record->fields[i].shown;
        if (shown != 0 && unknown(s, s->module->shown[shown - 1u].slot)) {
            return true;
        }
    }
    return false;
}

static bool has_range(const struct at_stream *s)
{
    for (uint8_t i = 0; i < s->nmarks; i++) {
        if (s->marks[i].kind == AT_MARK_RANGE) {
            return true;
        }
    }
    return false;
}

/* Whether a record describes the line, which ended at a comma or at its end. */
static bool fits(const struct at_stream *s, struct at_line *line, bool at_comma)
{
    const struct at_record *record = line->record;
    const struct at_payload *payload = record->rare->payload;
    struct at_shape shape = at_record_shape(s->module, record);
    int32_t length = -1;
    enum follows follows;

    if (record->kind == AT_KIND_TEST) {
        return has_range(s);
    }
    if (shown_unknown(s, record) ||
        !at_fields_fit(&shape, s->settings, line->text, s->marks, s->nmarks, NULL)) {
        return false;
    }
    follows = payload_follows(s, line, &length);
    if (follows == FOLLOWS_NOT) {
        return !at_comma;
    }
    if (follows == FOLLOWS_UNKNOWN || length < payload->min || length > payload->max ||
        is_inline(s, payload) != at_comma) {
        return false;
    }
    line->payload = length;
    line->hex = payload->format_slot == AT_UNKNOWN ? payload->hex != 0
                                                   : s->settings[payload->format_slot] == 1;
    return true;
}

static void deliver(struct at_stream *s, struct at_line *line)
{
    struct at_event event = {AT_EVENT_LINE, line->record, line, line->text, line->len, 0};
    begin_line(s);
    if (s->learn) {
        at_line_learn(line, s->settings);
    }
    if (line->payload >= 0) {
        s->record = line->record;
        s->left = (uint32_t)line->payload * (line->hex ? 2u : 1u);
        s->state = PAYLOAD;
    }
    event.remaining = line->payload >= 0 ? s->left : 0;
    s->on_event(s->ctx, &event);
    if (s->state == PAYLOAD && s->left == 0) {
        take_payload(s, s->window + s->scan, 0);
    }
}

/* Find the record that describes the line up to `end` and hand it over. */
static bool match_line(struct at_stream *s, size_t end, bool at_comma)
{
    const struct at_head *head = &s->module->heads[s->head];
    struct at_line line = {s->module, NULL, s->window + s->line, 0, s->marks, s->nmarks, false, -1};
    line.len = at_comma ? end - s->line : text_length(s, end);
    for (uint8_t i = 0; i < head->count; i++) {
        line.record = &s->module->records[head->first + i];
        if (fits(s, &line, at_comma)) {
            deliver(s, &line);
            return true;
        }
    }
    return false;
}

/* The record of this head that may carry a payload. */
static const struct at_record *payload_record(const struct at_stream *s)
{
    const struct at_head *head = &s->module->heads[s->head];
    for (uint8_t i = 0; i < head->count; i++) {
        const struct at_record *record = &s->module->records[head->first + i];
        if (record->rare->payload != NULL) {
            return record;
        }
    }
    return NULL;
}

/* The number of fields after which an inline payload may begin. */
static uint8_t stop_field(const struct at_stream *s)
{
    const struct at_record *record = payload_record(s);
    if (record == NULL || !is_inline(s, record->rare->payload)) {
        return AT_UNKNOWN;
    }
    struct at_shape shape = at_record_shape(s->module, record);
    return at_fields_visible(&shape, s->settings);
}

static void scan_fields(struct at_stream *s, const uint8_t *end)
{
    const struct at_head *head = &s->module->heads[s->head];
    struct at_scan scan = {s->marks, s->cs, s->nmarks, head->rest, s->stop};
    const uint8_t *p = s->window + s->scan;
    enum at_scan_result result =
        at_scan(&scan, s->window + s->line, (size_t)(s->scan - s->line), &p, end);
    s->cs = scan.cs;
    s->nmarks = scan.nmarks;
    s->scan = (uint16_t)(p - s->window);
    switch (result) {
    case AT_SCAN_MORE:
        break;
    case AT_SCAN_STOP:
        s->stop = AT_UNKNOWN;
        (void)match_line(s, s->scan - 1u, true);
        break;
    case AT_SCAN_END:
        if (!match_line(s, s->scan - 1u, false)) {
            end_unknown(s, s->scan - 1u, payload_record(s));
        }
        break;
    default:
        s->record = payload_record(s); /* what errs may be the payload */
        s->state = SKIP;
    }
}

static void begin_fields(struct at_stream *s, uint16_t head)
{
    struct at_scan scan;
    s->head = head;
    s->stop = stop_field(s);
    at_scan_start(&scan, s->marks, (size_t)(s->scan - s->line), s->module->heads[head].rest,
                  s->stop);
    s->cs = scan.cs;
    s->nmarks = 0;
    s->state = FIELDS;
}

static void found_prompt(struct at_stream *s)
{
    s->line = s->scan;
    s->state = AFTER_PROMPT;
    emit(s, AT_EVENT_PROMPT, NULL, NULL, 0, 0);
}

static void scan_head(struct at_stream *s, const uint8_t *end)
{
    const uint8_t *p = s->window + s->scan;
    int found = s->module->head(&s->cs, &p, end);
    s->scan = (uint16_t)(p - s->window);
    if (found == AT_HEAD_MORE) {
        return;
    }
    if (found == AT_HEAD_ECHO) {
        s->state = ECHO;
    } else if (found == AT_HEAD_PROMPT && s->prompt) {
        found_prompt(s);
    } else if (found < 0) {
        s->state = SKIP;
    } else if (s->module->heads[found].whole != 0) {
        s->head = (uint16_t)found;
        s->nmarks = 0;
        (void)match_line(s, s->scan - 1u, false);
    } else {
        begin_fields(s, (uint16_t)found);
    }
}

/* A command line come back ends with its own CR, before any LF. */
static void scan_echo(struct at_stream *s, const uint8_t *end)
{
    const uint8_t *p = s->window + s->scan;
    while (p < end && *p != '\r' && *p != '\n') {
        p++;
    }
    s->scan = (uint16_t)(p - s->window);
    if (p == end) {
        return;
    }
    const uint8_t *text = s->window + s->line;
    size_t len = (size_t)(p - text);
    if (!at_is_command_line(text, len)) {
        s->state = SKIP;
        return;
    }
    s->scan++;
    begin_line(s);
    emit(s, AT_EVENT_ECHO, NULL, text, len, 0);
}

static void scan_skip(struct at_stream *s, const uint8_t *end)
{
    const uint8_t *p = s->window + s->scan;
    const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
    if (lf == NULL) {
        s->scan = (uint16_t)(end - s->window);
        return;
    }
    s->scan = (uint16_t)(lf - s->window + 1);
    end_unknown(s, s->scan - 1u, s->record);
}

/* Overlong lines ---------------------------------------------------------- */

static void begin_overlong(struct at_stream *s)
{
    size_t len = text_length(s, s->scan);
    s->left = (uint32_t)len;
    s->trailing += (uint32_t)((size_t)(s->scan - s->line) - len);
    s->line = s->scan;
    s->state = OVERLONG;
}

static void scan_overlong(struct at_stream *s)
{
    while (s->scan < s->fill) {
        uint8_t c = s->window[s->scan++];
        s->line = s->scan;
        if (c == '\n') {
            begin_line(s);
            emit(s, AT_EVENT_OVERLONG, NULL, NULL, 0, s->left);
            return;
        }
        if (c == '\r' && s->trailing < UINT32_MAX) {
            s->trailing++;
        } else {
            s->left += 1u + s->trailing;
            s->trailing = 0;
        }
    }
}

/* Echoed data ------------------------------------------------------------- */

void at_stream_expect_echo(struct at_stream *s, uint32_t n, int until)
{
    s->left = n;
    s->until = (int16_t)(n == 0 ? until : -1);
    s->state = ECHO_SPACE;
}

/* What a prompt may end with: a space, a line end. Taking a byte too many here
 * only costs the blank line that follows the data. */
static void scan_echo_space(struct at_stream *s)
{
    static const uint8_t expected[] = {' ', '\r', '\n'};
    if (s->window[s->scan] == expected[s->state - ECHO_SPACE]) {
        s->scan++;
        s->line = s->scan;
    }
    s->state++;
}

static bool ends_echo(const struct at_stream *s, uint8_t c)
{
    return s->until >= 0 && (c == s->until || c == ESC);
}

static void scan_echo_data(struct at_stream *s)
{
    const uint8_t *data = s->window + s->scan;
    size_t room = (size_t)(s->fill - s->scan);
    size_t n = 0;
    bool ended = false;
    if (s->until < 0) {
        n = room < s->left ? room : s->left;
        s->left -= (uint32_t)n;
        ended = s->left == 0;
    } else {
        while (n < room && !ended) {
            ended = ends_echo(s, data[n++]);
        }
    }
    s->scan = (uint16_t)(s->scan + n);
    s->line = s->scan;
    if (ended) {
        s->state = START;
    }
    emit(s, AT_EVENT_ECHO_DATA, NULL, data, n, ended ? 0 : (s->until < 0 ? s->left : 1u));
}

/* The window -------------------------------------------------------------- */

static void scan_start(struct at_stream *s)
{
    uint8_t c = s->window[s->scan];
    if (s->state == AFTER_PROMPT) {
        s->scan = (uint16_t)(s->scan + (c == ' '));
        begin_line(s);
    } else if (c == '\r' || c == '\n') {
        s->scan++;
        s->line = s->scan;
    } else {
        s->line = s->scan;
        s->cs = 0;
        s->trailing = 0;
        s->record = NULL;
        s->state = HEAD;
    }
}

static void scan_line(struct at_stream *s, const uint8_t *end)
{
    switch (s->state) {
    case HEAD:
        scan_head(s, end);
        break;
    case FIELDS:
        scan_fields(s, end);
        break;
    case ECHO:
        scan_echo(s, end);
        break;
    default:
        scan_skip(s, end);
    }
}

/* A line may be as long as the window but for its LF; of the CRs that may stand
 * before the LF, those beyond that are dropped. */
static void scan_within(struct at_stream *s)
{
    size_t limit = (size_t)s->line + s->line_max;
    size_t end = s->fill < limit ? s->fill : limit;
    if (s->scan < limit) {
        scan_line(s, s->window + end);
        return;
    }
    uint8_t c = s->window[s->scan];
    if (c == '\n' || (c == '\r' && s->state == ECHO)) {
        scan_line(s, s->window + s->scan + 1);
    } else if (c == '\r') {
        memmove(s->window + s->scan, s->window + s->scan + 1, (size_t)(s->fill - s->scan) - 1u);
        s->fill--;
        s->trailing++;
    } else {
        begin_overlong(s);
    }
}

static void scan_state(struct at_stream *s)
{
    switch (s->state) {
    case START:
    case AFTER_PROMPT:
        scan_start(s);
        break;
    case OVERLONG:
        scan_overlong(s);
        break;
    case PAYLOAD:
        scan_payload(s);
        break;
    case ECHO_SPACE:
    case ECHO_CR:
    case ECHO_LF:
        scan_echo_space(s);
        break;
    case ECHO_DATA:
        scan_echo_data(s);
        break;
    default:
        scan_within(s);
    }
}

static bool reads_direct(const struct at_stream *s)
{
    return s->state == PAYLOAD && s->direct != NULL && s->scan == s->fill;
}

uint8_t *at_stream_reserve(struct at_stream *s, size_t *room)
{
    if (reads_direct(s)) {
        *room = s->left;
        return s->direct;
    }
    if (s->line > 0) {
        memmove(s->window, s->window + s->line, (size_t)(s->fill - s->line));
        s->fill = (uint16_t)(s->fill - s->line);
        s->scan = (uint16_t)(s->scan - s->line);
        s->line = 0;
    }
    *room = (size_t)(s->size - s->fill);
    return s->window + s->fill;
}

void at_stream_commit(struct at_stream *s, size_t n)
{
    if (reads_direct(s)) {
        if (n > 0) {
            take_payload(s, s->direct, n);
        }
        return;
    }
    s->fill = (uint16_t)(s->fill + n);
    while (s->scan < s->fill) {
        scan_state(s);
    }
}

void at_stream_feed(struct at_stream *s, const uint8_t *data, size_t n)
{
    while (n > 0) {
        size_t room;
        uint8_t *to = at_stream_reserve(s, &room);
        room = room < n ? room : n;
        memcpy(to, data, room);
        at_stream_commit(s, room);
        data += room;
        n -= room;
    }
}

void at_stream_learn(struct at_stream *s, bool learn)
{
    s->learn = learn;
}

void at_stream_expect_prompt(struct at_stream *s, bool expected)
{
    s->prompt = expected;
}

void at_stream_direct(struct at_stream *s, uint8_t *dst)
{
    s->direct = dst;
}

void at_stream_finish(struct at_stream *s)
{
    uint8_t state = s->state;
    const uint8_t *text = s->window + s->line;
    size_t len = text_length(s, s->fill);
    size_t left = s->left;
    s->line = s->scan = s->fill = 0;
    s->direct = NULL;
    s->state = START;
    if (state == PAYLOAD) {
        emit(s, AT_EVENT_INCOMPLETE, s->record, NULL, 0, left);
    } else if (state == ECHO_DATA) {
        emit(s, AT_EVENT_INCOMPLETE, NULL, NULL, 0, s->until < 0 ? left : 1u);
    } else if (state == OVERLONG) {
        emit(s, AT_EVENT_OVERLONG, NULL, NULL, 0, left);
    } else if (state == HEAD || state == FIELDS || state == ECHO || state == SKIP) {
        emit(s, AT_EVENT_INCOMPLETE, NULL, text, len, 0);
    }
}

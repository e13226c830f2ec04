/* The stream parser: a window of bytes, a head machine, a field scanner, and
 * payloads that are counted and never looked at.
 *
 * What scans returns with the first event it finds, true, and is asked again until
 * there is none: so that whoever takes an event stands on no frame of the scanner's. */
#include "stream.h"

#include <string.h>

#include "fields.h"
#include "scan.h"
#include "text.h"

enum { WINDOW_MIN = 64 };

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

int at_stream_init(struct at_stream *s, const struct at_module *module, uint8_t *settings,
                   uint8_t *window, size_t size, at_event_fn on_event, void *ctx)
{
    if (size < WINDOW_MIN) {
        return AT_E_SPACE;
    }
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
    return AT_OK;
}

/* What is left may be more than size_t counts where that has 16 bits. */
static size_t counted(uint32_t n)
{
    size_t short_n = (size_t)n;
    return short_n == n ? short_n : SIZE_MAX;
}

static size_t least(size_t n, uint32_t left)
{
    return n < left ? n : (size_t)left;
}

static bool tell(struct at_found *found, enum at_event_type type, const uint8_t *data, size_t len,
                 size_t remaining)
{
    found->event.type = type;
    found->event.record = NULL;
    found->event.line = NULL;
    found->event.data = data;
    found->event.len = len;
    found->event.remaining = remaining;
    return true;
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

static bool end_unknown(struct at_stream *s, struct at_found *found, const struct at_record *record)
{
    tell(found, AT_EVENT_UNKNOWN, s->window + s->line, text_length(s, s->scan - 1u), 0);
    found->event.record = record;
    begin_line(s);
    return true;
}

/* Payloads ---------------------------------------------------------------- */

static bool take_payload(struct at_stream *s, struct at_found *found, const uint8_t *data, size_t n)
{
    s->left -= (uint32_t)n;
    tell(found, AT_EVENT_PAYLOAD, data, n, counted(s->left));
    found->event.record = s->record;
    if (s->direct != NULL) {
        s->direct += n;
    }
    if (s->left == 0) {
        s->direct = NULL;
        begin_line(s);
    }
    return true;
}

static bool scan_payload(struct at_stream *s, struct at_found *found)
{
    size_t n = least((size_t)(s->fill - s->scan), s->left);
    const uint8_t *data = s->window + s->scan;
    s->scan = (uint16_t)(s->scan + n);
    s->line = s->scan;
    return take_payload(s, found, data, n);
}

/* The value of a setting, or another where no setting decides. */
static uint8_t setting(const struct at_stream *s, uint8_t slot, uint8_t otherwise)
{
    return slot != AT_UNKNOWN ? s->settings[slot] : otherwise;
}

/* Whether the settings let data follow a line: 1, 0 or AT_UNKNOWN. */
static uint8_t payload_follows(const struct at_stream *s, const struct at_line *line,
                               const struct at_payload *payload)
{
    int32_t key = 0;
    if (payload->when_slot == AT_UNKNOWN) {
        return 1;
    }
    if (payload->when_slots > 1 && (!at_line_int(line, payload->when_key, &key) || key < 0 ||
                                    key >= payload->when_slots)) {
        return 0;
    }
    uint8_t value = s->settings[payload->when_slot + key];
    return value == AT_UNKNOWN ? value : value == payload->when_value;
}

/* Lines ------------------------------------------------------------------- */

static bool shown_unknown(const struct at_stream *s, const struct at_record *record)
{
    for (unsigned i = 0; i < record->nfields; i++) {
        unsigned shown = record->fields[i].shown;
        if (shown != 0 && s->settings[s->module->shown[shown - 1u].slot] == AT_UNKNOWN) {
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
    int32_t length;

    if (record->kind == AT_KIND_TEST) { /* it ends in a range */
        return s->nmarks > 0 && s->marks[s->nmarks - 1u].kind == AT_MARK_RANGE;
    }
    if (shown_unknown(s, record) ||
        !at_fields_fit(&shape, s->settings, line->text, s->marks, s->nmarks, NULL)) {
        return false;
    }
    if (payload == NULL || !at_line_int(line, payload->length, &length)) {
        return !at_comma;
    }
    uint8_t follows = payload_follows(s, line, payload);
    uint8_t format = setting(s, payload->format_slot, payload->hex);
    uint8_t behind_comma = setting(s, payload->inline_slot, 0);
    if (follows == 0) {
        return !at_comma;
    }
    if (follows == AT_UNKNOWN || format == AT_UNKNOWN || behind_comma == AT_UNKNOWN ||
        (behind_comma == 1) != at_comma || length < payload->min || length > payload->max) {
        return false;
    }
    line->payload = length;
    line->hex = format == 1;
    return true;
}

static void deliver(struct at_stream *s, struct at_found *found)
{
    struct at_line *line = &found->line;
    begin_line(s);
    if (s->learn) {
        at_line_learn(line, s->settings);
    }
    if (line->payload >= 0) {
        s->record = line->record;
        s->left = (uint32_t)line->payload * (line->hex ? 2u : 1u);
        s->state = PAYLOAD;
    }
    tell(found, AT_EVENT_LINE, line->text, line->len,
         line->payload >= 0 ? counted(s->left) : 0);
    found->event.record = line->record;
    found->event.line = line;
}

/* Find the record that describes the line before `scan` and hand it over. */
static bool match_line(struct at_stream *s, struct at_found *found, bool at_comma)
{
    const struct at_head *head = &s->module->heads[s->head];
    const struct at_record *record = &s->module->records[head->first];
    struct at_line *line = &found->line;
    size_t end = s->scan - 1u;
    line->module = s->module;
    line->text = s->window + s->line;
    line->len = at_comma ? end - s->line : text_length(s, end);
    line->marks = s->marks;
    line->nmarks = s->nmarks;
    line->hex = false;
    line->payload = -1;
    for (unsigned i = 0; i < head->count; i++, record++) {
        line->record = record;
        if (fits(s, line, at_comma)) {
            deliver(s, found);
            return true;
        }
    }
    return false;
}

/* The record of this head that may carry a payload. */
static const struct at_record *payload_record(const struct at_stream *s)
{
    const struct at_head *head = &s->module->heads[s->head];
    for (unsigned i = 0; i < head->count; i++) {
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
    if (record == NULL || setting(s, record->rare->payload->inline_slot, 0) != 1) {
        return AT_UNKNOWN;
    }
    struct at_shape shape = at_record_shape(s->module, record);
    return at_fields_visible(&shape, s->settings);
}

static bool scan_fields(struct at_stream *s, struct at_found *found, const uint8_t *end)
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
        return false;
    case AT_SCAN_STOP:
        s->stop = AT_UNKNOWN;
        return match_line(s, found, true);
    case AT_SCAN_END:
        return match_line(s, found, false) || end_unknown(s, found, payload_record(s));
    default:
        s->record = payload_record(s); /* what errs may be the payload */
        s->state = SKIP;
        return false;
    }
}

static void begin_fields(struct at_stream *s)
{
    struct at_scan scan;
    s->stop = stop_field(s);
    at_scan_start(&scan, s->marks, (size_t)(s->scan - s->line), s->module->heads[s->head].rest,
                  s->stop);
    s->cs = scan.cs;
    s->state = FIELDS;
}

static bool scan_head(struct at_stream *s, struct at_found *found, const uint8_t *end)
{
    const uint8_t *p = s->window + s->scan;
    int head = s->module->head(&s->cs, &p, end);
    s->scan = (uint16_t)(p - s->window);
    if (head >= 0) {
        s->head = (uint16_t)head;
        s->nmarks = 0;
        if (s->module->heads[head].whole != 0) {
            return match_line(s, found, false);
        }
        begin_fields(s);
    } else if (head == AT_HEAD_ECHO) {
        s->state = ECHO;
    } else if (head == AT_HEAD_PROMPT && s->prompt) {
        s->line = s->scan;
        s->state = AFTER_PROMPT;
        return tell(found, AT_EVENT_PROMPT, NULL, 0, 0);
    } else if (head != AT_HEAD_MORE) {
        s->state = SKIP;
    }
    return false;
}

/* A command line come back ends with its own CR, before any LF. */
static bool scan_echo(struct at_stream *s, struct at_found *found, const uint8_t *end)
{
    const uint8_t *p = s->window + s->scan;
    while (p < end && *p != '\r' && *p != '\n') {
        p++;
    }
    s->scan = (uint16_t)(p - s->window);
    if (p == end) {
        return false;
    }
    const uint8_t *text = s->window + s->line;
    size_t len = (size_t)(p - text);
    if (!at_is_command_line(text, len)) {
        s->state = SKIP;
        return false;
    }
    s->scan++;
    begin_line(s);
    return tell(found, AT_EVENT_ECHO, text, len, 0);
}

static bool scan_skip(struct at_stream *s, struct at_found *found, const uint8_t *end)
{
    const uint8_t *p = s->window + s->scan;
    const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
    if (lf == NULL) {
        s->scan = (uint16_t)(end - s->window);
        return false;
    }
    s->scan = (uint16_t)(lf - s->window + 1);
    return end_unknown(s, found, s->record);
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

static bool scan_overlong(struct at_stream *s, struct at_found *found)
{
    while (s->scan < s->fill) {
        uint8_t c = s->window[s->scan++];
        s->line = s->scan;
        if (c == '\n') {
            begin_line(s);
            return tell(found, AT_EVENT_OVERLONG, NULL, 0, counted(s->left));
        }
        if (c == '\r' && s->trailing < UINT32_MAX) {
            s->trailing++;
        } else {
            s->left += 1u + s->trailing;
            s->trailing = 0;
        }
    }
    return false;
}

/* Echoed data ------------------------------------------------------------- */

/* All of it is reached through a pointer: who expects none is linked without. */

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
    return s->until >= 0 && (c == s->until || c == AT_ESC);
}

static bool scan_echo_data(struct at_stream *s, struct at_found *found)
{
    const uint8_t *data = s->window + s->scan;
    size_t room = (size_t)(s->fill - s->scan);
    size_t n = 0;
    bool ended = false;
    if (s->until < 0) {
        n = least(room, s->left);
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
    return tell(found, AT_EVENT_ECHO_DATA, data, n,
                ended ? 0 : (s->until < 0 ? counted(s->left) : 1u));
}

static bool scan_echoed(struct at_stream *s, struct at_found *found)
{
    if (s->state == ECHO_DATA) {
        return scan_echo_data(s, found);
    }
    scan_echo_space(s);
    return false;
}

void at_stream_expect_echo(struct at_stream *s, uint32_t n, int until)
{
    s->left = n;
    s->until = (int16_t)(n == 0 ? until : -1);
    s->state = ECHO_SPACE;
    s->scan_echoed = scan_echoed;
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

static bool scan_line(struct at_stream *s, struct at_found *found, const uint8_t *end)
{
    switch (s->state) {
    case HEAD:
        return scan_head(s, found, end);
    case FIELDS:
        return scan_fields(s, found, end);
    case ECHO:
        return scan_echo(s, found, end);
    default:
        return scan_skip(s, found, end);
    }
}

/* A line may be as long as the window but for its LF; of the CRs that may stand
 * before the LF, those beyond that are dropped. */
static bool scan_within(struct at_stream *s, struct at_found *found)
{
    size_t limit = (size_t)s->line + s->line_max;
    size_t end = s->fill < limit ? s->fill : limit;
    if (s->scan >= limit) {
        uint8_t c = s->window[s->scan];
        if (c == '\r' && s->state != ECHO) {
            memmove(s->window + s->scan, s->window + s->scan + 1,
                    (size_t)(s->fill - s->scan) - 1u);
            s->fill--;
            s->trailing++;
            return false;
        }
        if (c != '\n' && c != '\r') {
            begin_overlong(s);
            return false;
        }
        end = s->scan + 1u;
    }
    return scan_line(s, found, s->window + end);
}

static bool scan_state(struct at_stream *s, struct at_found *found)
{
    switch (s->state) {
    case START:
    case AFTER_PROMPT:
        scan_start(s);
        return false;
    case OVERLONG:
        return scan_overlong(s, found);
    case PAYLOAD:
        return scan_payload(s, found);
    case ECHO_SPACE:
    case ECHO_CR:
    case ECHO_LF:
    case ECHO_DATA:
        return s->scan_echoed(s, found);
    default:
        return scan_within(s, found);
    }
}

static bool reads_direct(const struct at_stream *s)
{
    return s->state == PAYLOAD && s->direct != NULL && s->scan == s->fill;
}

uint8_t *at_stream_reserve(struct at_stream *s, size_t *room)
{
    if (reads_direct(s)) {
        *room = counted(s->left);
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

bool at_stream_next(struct at_stream *s, size_t *n, struct at_found *found)
{
    size_t came = *n;
    *n = 0;
    if (came > 0 && reads_direct(s)) {
        return take_payload(s, found, s->direct, came);
    }
    s->fill = (uint16_t)(s->fill + came);
    while (s->scan < s->fill || (s->state == PAYLOAD && s->left == 0)) {
        if (scan_state(s, found)) {
            return true;
        }
    }
    return false;
}

void at_stream_commit(struct at_stream *s, size_t n)
{
    struct at_found found;
    while (at_stream_next(s, &n, &found)) {
        s->on_event(s->ctx, &found.event);
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

void at_stream_no_payload(struct at_stream *s)
{
    begin_line(s);
}

void at_stream_finish(struct at_stream *s)
{
    uint8_t state = s->state;
    const uint8_t *text = s->window + s->line;
    size_t len = text_length(s, s->fill);
    size_t left = counted(s->left);
    s->line = s->scan = s->fill = 0;
    s->direct = NULL;
    s->state = START;
    struct at_found found;
    if (state == PAYLOAD) {
        tell(&found, AT_EVENT_INCOMPLETE, NULL, 0, left);
        found.event.record = s->record;
    } else if (state == ECHO_DATA) {
        tell(&found, AT_EVENT_INCOMPLETE, NULL, 0, s->until < 0 ? left : 1u);
    } else if (state == OVERLONG) {
        tell(&found, AT_EVENT_OVERLONG, NULL, 0, left);
    } else if (state == HEAD || state == FIELDS || state == ECHO || state == SKIP) {
        tell(&found, AT_EVENT_INCOMPLETE, text, len, 0);
    } else {
        return;
    }
    s->on_event(s->ctx, &found.event);
}

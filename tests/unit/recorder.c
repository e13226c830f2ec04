#include "recorder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of the BC26, unless another module is given. */
#ifndef MODULE_HEADER
#define MODULE_HEADER "bc26_module.h"
#define MODULE bc26
#define MODULE_GRAMMAR bc26_grammar
#endif

#include MODULE_HEADER

const struct tool recorder_tool = {
    .name = "test", .version = "0", .module = &MODULE, .grammar = &MODULE_GRAMMAR};

/* Text --------------------------------------------------------------------------------- */

void text_clear(struct text *text)
{
    free(text->bytes);
    memset(text, 0, sizeof *text);
}

static void make_room(struct text *text, size_t n)
{
    if (text->len + n + 1u <= text->room) {
        return;
    }
    text->room = 2u * (text->len + n + 1u);
    text->bytes = realloc(text->bytes, text->room);
    if (text->bytes == NULL) {
        abort();
    }
}

void text_add(struct text *text, const void *bytes, size_t n)
{
    make_room(text, n);
    if (n > 0) {
        memcpy(text->bytes + text->len, bytes, n);
    }
    text->len += n;
    text->bytes[text->len] = '\0';
}

void text_print(struct text *text, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line) {
        abort();
    }
    text_add(text, line, (size_t)n);
}

static void add_escaped(struct text *text, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    if (c == '\r' || c == '\n') {
        text_add(text, c == '\r' ? "\\r" : "\\n", 2);
    } else if (c == '\\') {
        text_add(text, "\\\\", 2);
    } else if (c < 0x20 || c > 0x7e) {
        char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 0x0f]};
        text_add(text, hex, sizeof hex);
    } else {
        text_add(text, &c, 1);
    }
}

void text_escaped(struct text *text, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n;) {
        size_t run = 1;
        while (i + run < n && p[i + run] == p[i]) {
            run++;
        }
        if (run > 16) {
            text_print(text, "\\{%zu*", run);
            add_escaped(text, p[i]);
            text_print(text, "}");
            i += run;
        } else {
            add_escaped(text, p[i++]);
        }
    }
}

/* Read one character or escape from *at into *c. */
static bool read_escape(const char **at, char *c)
{
    const char *p = *at;
    if (*p != '\\') {
        *c = *p;
        *at = p + 1;
        return *p != '\0';
    }
    static const char names[] = "rn\\";
    static const char values[] = "\r\n\\";
    const char *name = p[1] != '\0' ? strchr(names, p[1]) : NULL;
    if (name != NULL) {
        *c = values[name - names];
        *at = p + 2;
        return true;
    }
    uint8_t value;
    if (p[1] != 'x' || p[2] == '\0' || at_hex_decode((const uint8_t *)p + 2, 2, &value) != 1) {
        return false;
    }
    *c = (char)value;
    *at = p + 4;
    return true;
}

/* \{N*unit}: the unit N times. */
static bool read_repeated(const char **at, struct text *text)
{
    char *p;
    struct text unit = {NULL, 0, 0};
    unsigned long n = strtoul(*at + 2, &p, 10);
    const char *rest = p + (*p == '*');
    char c;
    while (*p == '*' && *rest != '}' && read_escape(&rest, &c)) {
        text_add(&unit, &c, 1);
    }
    for (unsigned long i = 0; i < n && *rest == '}' && unit.len > 0; i++) {
        text_add(text, unit.bytes, unit.len);
    }
    bool good = *rest == '}' && unit.len > 0;
    text_clear(&unit);
    *at = rest + 1;
    return good;
}

const char *text_unescaped(struct text *text, const char *escaped)
{
    char c;
    while (*escaped != '\0') {
        if (escaped[0] == '\\' && escaped[1] == '{') {
            if (!read_repeated(&escaped, text)) {
                return "a repetition is written \\{N*text}";
            }
        } else if (read_escape(&escaped, &c)) {
            text_add(text, &c, 1);
        } else {
            return "escapes are \\r, \\n, \\\\, \\xHH and \\{N*text}";
        }
    }
    return NULL;
}

/* Events ------------------------------------------------------------------------------- */

static void print_bytes(struct text *out, const void *bytes, size_t n)
{
    text_print(out, "|");
    text_escaped(out, bytes, n);
    text_print(out, "|");
}

void print_values(struct text *out, const struct at_module *module,
                  const struct at_field *fields, size_t n, const void *value)
{
    for (size_t i = 0; i < n; i++) {
        const struct at_param *param = &module->params[fields[i].param];
        const char *member = (const char *)value + fields[i].offset;
        const char *has = (const char *)value + fields[i].offset - fields[i].has;
        if (param->kind->type == AT_LITERAL || (fields[i].has != 0 && *has == 0)) {
            continue;
        }
        text_print(out, " %s=", param->name);
        switch (param->kind->type) {
        case AT_INT:
        case AT_CHOICE:
            text_print(out, "%ld", (long)*(const int32_t *)(const void *)member);
            break;
        case AT_UINT:
            text_print(out, "%lu", (unsigned long)*(const uint32_t *)(const void *)member);
            break;
        default: { /* at_str and at_bytes differ in the pointer's type alone */
            const struct at_bytes *bytes = (const void *)member;
            print_bytes(out, bytes->ptr, bytes->len);
        }
        }
    }
}

static void print_fields(struct recorder *r, struct text *out, const struct at_line *line)
{
    const struct at_record *record = line->record;
    union {
        uint8_t bytes[512];
        void *align;
        int64_t align_too;
    } value;
    memset(&value, 0xaa, sizeof value);
    if (record->size > sizeof value || at_line_decode(line, &value) != AT_OK) {
        r->broken = "a line doesn't decode";
        return;
    }
    if (record->kind == AT_KIND_TEST) {
        const struct at_str *text = (const void *)value.bytes;
        text_print(out, " ");
        print_bytes(out, text->ptr, text->len);
        return;
    }
    print_values(out, line->module, record->fields, record->nfields, &value);
}

static void print_line(struct recorder *r, const struct at_event *event)
{
    static const char *const kinds[] = {
        [AT_KIND_RESPONSE] = "response", [AT_KIND_RESULT] = "urc", [AT_KIND_URC] = "urc",
        [AT_KIND_FINAL] = "final",       [AT_KIND_TEST] = "response",
    };
    const struct at_line *line = event->line;
    struct text *out = line->payload < 0 ? &r->log : &r->held;
    const char *kind = kinds[event->record->kind];
    if (line->payload < 0) {
        text_print(out, "%s ", kind);
    } else {
        r->in_payload = true;
        r->hex = line->hex;
        r->remaining = event->remaining;
        if (event->remaining != (size_t)line->payload * (line->hex ? 2u : 1u)) {
            r->broken = "a payload of another length than announced";
        }
        if (r->delivery == BY_DIRECT && !line->hex) {
            at_stream_direct(&r->stream, r->direct);
        }
    }
    text_print(out, "%s", line->record->name);
    print_fields(r, out, line);
    if (line->payload < 0) {
        text_print(out, "\n");
    }
}

static void print_payload(struct recorder *r, const char *kind, const struct at_record *record)
{
    bool broken_hex = r->hex && at_hex_decode((uint8_t *)r->payload.bytes, r->payload.len / 2u * 2u,
                                              (uint8_t *)r->payload.bytes) < 0;
    if (r->hex && !broken_hex) {
        r->payload.len /= 2u;
    }
    text_print(&r->log, "%s ", kind);
    text_add(&r->log, r->held.bytes, r->held.len);
    text_print(&r->log, broken_hex ? " payload not hex " : " payload ");
    print_bytes(&r->log, r->payload.bytes, r->payload.len);
    (void)record;
    text_clear(&r->held);
    r->payload.len = 0;
    r->in_payload = false;
}

static const char *kind_name(const struct at_record *record)
{
    return record->kind == AT_KIND_RESPONSE ? "response" : "urc";
}

static void collect(struct recorder *r, const struct at_event *event)
{
    if (event->remaining + event->len != r->remaining) {
        r->broken = "pieces of a payload don't add up";
    }
    if (r->delivery == BY_DIRECT && !r->hex) {
        /* What came through the window has to be copied; all else is where it belongs. */
        uint8_t *place = r->direct + r->payload.len;
        if (event->data >= r->window && event->data < r->window + r->stream.size) {
            memcpy(place, event->data, event->len);
        } else if (event->data != place) {
            r->broken = "a payload isn't read to where it belongs";
        }
        text_add(&r->payload, place, event->len);
    } else {
        text_add(&r->payload, event->data, event->len);
    }
    r->remaining = event->remaining;
    if (event->remaining == 0) {
        print_payload(r, kind_name(event->record), event->record);
        text_print(&r->log, "\n");
    }
}

static void collect_echo(struct recorder *r, const struct at_event *event)
{
    text_add(&r->payload, event->data, event->len);
    if (event->remaining == 0) {
        text_print(&r->log, "echoed ");
        print_bytes(&r->log, r->payload.bytes, r->payload.len);
        text_print(&r->log, "\n");
        r->payload.len = 0;
    }
}

static void print_incomplete(struct recorder *r, const struct at_event *event)
{
    if (event->record != NULL) {
        print_payload(r, "incomplete", event->record);
        text_print(&r->log, " missing %zu\n", event->remaining);
    } else if (event->remaining > 0) {
        text_print(&r->log, "incomplete echoed ");
        print_bytes(&r->log, r->payload.bytes, r->payload.len);
        text_print(&r->log, "\n");
        r->payload.len = 0;
    } else {
        text_print(&r->log, "incomplete ");
        print_bytes(&r->log, event->data, event->len);
        text_print(&r->log, "\n");
    }
}

static void print_text(struct recorder *r, const char *name, const struct at_event *event)
{
    text_print(&r->log, "%s ", name);
    print_bytes(&r->log, event->data, event->len);
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct recorder *r = ctx;
    struct session_echo echo = {0};
    if (r->in_payload && event->type != AT_EVENT_PAYLOAD && event->type != AT_EVENT_INCOMPLETE) {
        r->broken = "an event amid a payload";
    }
    session_event(&r->session, &r->stream, event, &echo);
    switch (event->type) {
    case AT_EVENT_LINE:
        print_line(r, event);
        break;
    case AT_EVENT_PAYLOAD:
        collect(r, event);
        break;
    case AT_EVENT_PROMPT:
        r->payload.len = 0;
        text_print(&r->log, "prompt\n");
        break;
    case AT_EVENT_ECHO:
        print_text(r, "echo", event);
        if (echo.form != NULL) {
            text_print(&r->log, echo.ambiguous ? " %s" : " %s.%s", echo.form->command,
                       echo.form->name);
        }
        text_print(&r->log, "\n");
        break;
    case AT_EVENT_ECHO_DATA:
        collect_echo(r, event);
        break;
    case AT_EVENT_UNKNOWN:
        print_text(r, "unknown", event);
        if (event->record != NULL) {
            text_print(&r->log, " near %s", event->record->name);
        }
        text_print(&r->log, "\n");
        break;
    case AT_EVENT_OVERLONG:
        text_print(&r->log, "overlong %zu\n", event->remaining);
        break;
    case AT_EVENT_INCOMPLETE:
        print_incomplete(r, event);
        break;
    }
}

/* Running ------------------------------------------------------------------------------ */

void recorder_begin(struct recorder *r, enum delivery delivery, size_t window)
{
    memset(r, 0, sizeof *r);
    r->delivery = delivery;
    r->window = malloc(window);
    if (r->window == NULL) {
        abort();
    }
    session_init(&r->session, &recorder_tool);
    (void)at_stream_init(&r->stream, recorder_tool.module, r->session.settings, r->window, window, on_event, r);
}

static void commit(struct recorder *r, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        size_t room = 0;
        uint8_t *to = at_stream_reserve(&r->stream, &room);
        if (room == 0) {
            r->broken = "the stream has no room";
            return;
        }
        room = room < n ? room : n;
        memcpy(to, bytes, room);
        at_stream_commit(&r->stream, room);
        bytes += room;
        n -= room;
    }
}

void recorder_chunk(struct recorder *r, const void *bytes, size_t n)
{
    uint8_t *copy = malloc(n);
    if (copy == NULL && n > 0) {
        abort();
    }
    if (n > 0) {
        memcpy(copy, bytes, n);
    }
    if (r->delivery == BY_COMMIT) {
        commit(r, copy, n);
    } else {
        at_stream_feed(&r->stream, copy, n);
    }
    free(copy);
}

void recorder_finish(struct recorder *r)
{
    at_stream_finish(&r->stream);
    text_clear(&r->payload);
    text_clear(&r->held);
    free(r->window);
    r->window = NULL;
}

void recorder_free(struct recorder *r)
{
    text_clear(&r->log);
}

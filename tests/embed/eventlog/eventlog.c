/* What the stream says about every transcript, as text: one event a line, each line and
 * command decoded and encoded again. The same on every machine, down to the byte; the
 * test makes cases.h of tests/transcripts and compares. */
#include "log.h"
#include "session.h"

#include <string.h>

#include MODULE_HEADER
#include "cases.h"

/* Of a small machine. Longer lines are overlong, everywhere. */
enum { WINDOW = 640, LINE = 640, VALUE = 256 };

static const struct tool tool = {.module = &MODULE, .grammar = &MODULE_GRAMMAR};
static struct session session;
static struct at_stream stream;
static bool amid; /* a payload, or echoed data, whose line of the log isn't ended */

/* Text ------------------------------------------------------------------------------- */

static char text[80];
static size_t used;

static void flush(void)
{
    text[used] = '\0';
    log_line(text);
    used = 0;
}

/* What is longer is broken, at the same place everywhere. */
static void put(char c)
{
    text[used++] = c;
    if (c == '\n' || used == sizeof text - 2) {
        if (c != '\n') {
            text[used++] = '\n';
        }
        flush();
    }
}

static void put_text(const char *what)
{
    while (*what != '\0') {
        put(*what++);
    }
}

static void put_number(int32_t value)
{
    char digits[11];
    size_t n = 0;
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    if (value < 0) {
        put('-');
    }
    do {
        digits[n++] = (char)('0' + rest % 10u);
        rest /= 10u;
    } while (rest > 0);
    while (n > 0) {
        put(digits[--n]);
    }
}

static void put_byte(uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    if (c < 0x20 || c > 0x7e || c == '\\') {
        put('\\');
        put(digits[c >> 4]);
        put(digits[c & 0x0fu]);
    } else {
        put((char)c);
    }
}

static void put_bytes(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n-- > 0) {
        put_byte(*p++);
    }
}

/* Decoded and encoded again ------------------------------------------------------------ */

static union {
    char bytes[VALUE];
    void *pointer;
    int64_t number;
} value;
static char encoded[LINE];

static void put_encoded(int status, const struct at_fault *fault)
{
    if (status < 0) {
        put_text(" status ");
        put_number(status);
        put_text(" reason ");
        put_number((int32_t)fault->reason);
    } else {
        put_text(" |");
        put_bytes(encoded, (size_t)status);
        put('|');
    }
}

static void put_line(const struct at_line *line)
{
    struct at_fault fault = {NULL, AT_FINE};
    put_number(line->record->id);
    memset(&value, 0xaa, sizeof value); /* what isn't there must become 0 */
    if (line->record->size > sizeof value || at_line_decode(line, &value) != AT_OK) {
        put_text(" doesn't decode");
        return;
    }
    put_encoded(at_record_encode(line->module, line->record, &value, encoded, sizeof encoded,
                                 &fault),
                &fault);
}

static void put_command(const struct session_echo *echo)
{
    struct at_fault fault = {NULL, AT_FINE};
    if (!echo->fits || echo->command.form->size > sizeof value) {
        put_text(echo->form != NULL ? " unlike its form" : " unknown");
        return;
    }
    at_command_decode(tool.grammar, &echo->command, &value);
    put_encoded(at_form_encode(tool.module, echo->command.form, session.settings, &value, encoded,
                               sizeof encoded, &fault),
                &fault);
}

/* Events -------------------------------------------------------------------------------- */

static void put_remaining(const char *what, size_t n)
{
    put_text(what);
    put_number((int32_t)n);
}

/* However many pieces they come in, they are one text. */
static void put_piece(const struct at_event *event)
{
    if (!amid) {
        put_text(event->type == AT_EVENT_PAYLOAD ? "payload |" : "echoed |");
    }
    put_bytes(event->data, event->len);
    amid = event->remaining > 0;
    put_text(amid ? "" : "|\n");
}

static void put_event(const struct at_event *event, const struct session_echo *echo)
{
    static const char *const names[] = {
        [AT_EVENT_LINE] = "line ",         [AT_EVENT_PROMPT] = "prompt",
        [AT_EVENT_ECHO] = "echo |",        [AT_EVENT_UNKNOWN] = "unknown |",
        [AT_EVENT_OVERLONG] = "overlong ", [AT_EVENT_INCOMPLETE] = "incomplete |",
    };
    put_text(amid ? "|\n" : "");
    amid = false;
    put_text(names[event->type]);
    if (event->type == AT_EVENT_LINE) {
        put_line(event->line);
        put_remaining(" then ", event->remaining);
    } else if (event->type == AT_EVENT_OVERLONG) {
        put_number((int32_t)event->remaining);
    } else if (event->type != AT_EVENT_PROMPT) {
        put_bytes(event->data, event->len);
        put('|');
    }
    if (event->type == AT_EVENT_ECHO) {
        put_command(echo);
    } else if (event->type == AT_EVENT_INCOMPLETE) {
        put_remaining(" missing ", event->remaining);
    }
    put('\n');
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct session_echo echo;
    (void)ctx;
    memset(&echo, 0, sizeof echo);
    session_event(&session, &stream, event, &echo);
    if (event->type == AT_EVENT_PAYLOAD || event->type == AT_EVENT_ECHO_DATA) {
        put_piece(event);
    } else {
        put_event(event, &echo);
    }
}

/* As tool.c has it, which knows files and standard output too. */
void tool_initial_settings(const struct at_module *module, uint8_t *settings)
{
    for (uint8_t i = 0; i < module->nsettings; i++) {
        const struct at_setting *setting = &module->settings[i];
        memset(settings + setting->slot, setting->initial, setting->slots);
    }
}

/* Cases ----------------------------------------------------------------------------------- */

static const uint8_t *at; /* of cases.h */

static uint8_t next(void)
{
    return FLASH_BYTE(at++);
}

static size_t next_number(void)
{
    size_t high = next();
    return high << 8 | next();
}

/* What comes in: parts, each so many bytes, so many times. */
static struct {
    const uint8_t *begin;
    size_t len, times, done, parts;
} input;

static bool has_input(void)
{
    if (input.done == input.len && input.times > 1) {
        input.times--;
        input.done = 0;
    } else if (input.done == input.len && input.parts > 0) {
        input.parts--;
        input.times = next_number();
        input.len = next_number();
        input.begin = at;
        input.done = 0;
        at += input.len;
    }
    return input.done < input.len;
}

static uint8_t next_input(void)
{
    return FLASH_BYTE(input.begin + input.done++);
}

/* In pieces of so many bytes, as far as there's room. */
static void feed(size_t piece)
{
    while (has_input()) {
        size_t room, n = 0;
        uint8_t *to = at_stream_reserve(&stream, &room);
        while (n < room && n < piece && has_input()) {
            to[n++] = next_input();
        }
        at_stream_commit(&stream, n);
    }
}

/* A case: window, whether '>' is a prompt, how many settings, each as slot and value, how many
 * parts of input, and those. */
static void run_case(size_t piece)
{
    static uint8_t window[WINDOW];
    size_t size = next_number();
    session_init(&session, &tool);
    (void)at_stream_init(&stream, tool.module, session.settings, window, size < WINDOW ? size : WINDOW,
                   on_event, NULL);
    at_stream_expect_prompt(&stream, next() != 0);
    for (uint8_t n = next(); n > 0; n--) {
        uint8_t slot = next();
        session.settings[slot] = next();
    }
    memset(&input, 0, sizeof input);
    input.parts = next();
    feed(piece);
    at_stream_finish(&stream);
}

int main(void)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 7, 64};
    log_begin();
    for (size_t way = 0; way < sizeof pieces / sizeof pieces[0]; way++) {
        at = cases;
        for (unsigned i = 0; i < CASES; i++) {
            put_text("== ");
            put_number((int32_t)i);
            put('\n');
            run_case(pieces[way]);
        }
    }
    put_text("end\n");
    log_end();
    return 0;
}

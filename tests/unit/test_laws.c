/* The laws of the architecture that hold for the codec and the stream:
 * 1 chunk invariance, 2 payload transparency, 3 no injection, 5 bounded,
 * 6 integers don't wrap. (1 and 4, exact terminators: tests/transcripts.) */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "recorder.h"
#include "samples.h"

/* Like ck_assert_msg, which does so much even where all is well that it can't stand in
 * a loop of a million rounds. */
#define require(condition, ...)        \
    do {                               \
        if (!(condition)) {            \
            ck_abort_msg(__VA_ARGS__); \
        }                              \
    } while (0)

#define check(condition) require(condition, "%s", #condition)

static uint8_t settings[BC26_SETTINGS]; /* all 0, the manual's defaults, where a test sets none */

/* Reproducible numbers; a test that fails fails again. */
static uint32_t random_state = 2463534242u;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

/* Law 2: payload transparency ---------------------------------------------------------- */

/* What a payload may be mistaken for: every line the module knows, and more. */
static struct text snippets[96];
static size_t nsnippets;

static void add_snippet(const char *text, size_t len)
{
    check(nsnippets < sizeof snippets / sizeof snippets[0]);
    text_add(&snippets[nsnippets++], text, len);
}

static void make_snippets(void)
{
    static const char *const others[] = {
        ">", "> ", "AT\r", "AT+QIRD=0,512\r", "AT+QICFG=\"viewmode\",1\r", "ATE0\r",
        "+CME ERROR: SIM not inserted", "+QIRD: 512", "+QIRD: 512,100", "+QIRD: 0",
        "+QIURC: \"recv\",0", "+QIURC: \"recv\",buff full", "+QIRD: 5,", "\x1a", "\x1b",
        "+QICFG: \"viewmode\",1", "+QICFG: \"dataformat\",1,1",
        "+QISTATE: 0,\"TCP\",\"h\",1,2,3,1,1", "OK\r\n\r\nSEND OK",
    };
    for (uint16_t i = 0; i < bc26.nrecords; i++) {
        const struct at_record *record = &bc26.records[i];
        char line[512];
        union sample sample;
        struct at_str test = {"(0-4)", 5};
        fill_fields(&sample, record->fields, record->nfields);
        int n = at_record_encode(&bc26, record,
                                 record->kind == AT_KIND_TEST ? (void *)&test : (void *)&sample,
                                 line, sizeof line, NULL);
        check(n > 0);
        add_snippet(line, (size_t)n);
    }
    for (uint8_t i = 0; i < bc26.nreboot; i++) {
        add_snippet(bc26.reboot[i], strlen(bc26.reboot[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        add_snippet(others[i], strlen(others[i]));
    }
    add_snippet("O\0K", 3);
    add_snippet("\0", 1);
}

static void drop_snippets(void)
{
    while (nsnippets > 0) {
        text_clear(&snippets[--nsnippets]);
    }
}

/* The settings that frame data, each 0 or 1. */
enum {
    ACCESS = 1,
    VIEW = 2,
    SHOW = 4,
    RECV_HEX = 8,
    SEND_HEX = 16,
    ECHOED = 32,
    COMBINATIONS = 64
};

static void set_framing(struct recorder *r, unsigned combination)
{
    uint8_t *s = r->session.settings;
    memset(s + BC26_SETTING_ACCESS_MODE, (combination & ACCESS) != 0, 5);
    s[BC26_SETTING_VIEW_MODE] = (combination & VIEW) != 0;
    s[BC26_SETTING_SHOW_LENGTH] = (combination & SHOW) != 0;
    s[BC26_SETTING_RECV_DATA_FORMAT] = (combination & RECV_HEX) != 0;
    s[BC26_SETTING_SEND_DATA_FORMAT] = (combination & SEND_HEX) != 0;
    s[BC26_SETTING_ECHO_MODE] = (combination & ECHOED) != 0;
}

/* A conversation: what comes in, and what must be said about it. */
struct talk {
    unsigned combination;
    struct text in;
    struct text expected;
};

static void talk_clear(struct talk *t)
{
    text_clear(&t->in);
    text_clear(&t->expected);
}

static void add_hex(struct text *out, const char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        const char *cased = digits + (i % 2u == 0 ? 16 : 0);
        uint8_t c = (uint8_t)data[i];
        char pair[2] = {cased[c >> 4], cased[c & 0x0f]};
        text_add(out, pair, sizeof pair);
    }
}

/* How much of a stream of digits stands for digits. */
enum digits { DIGITS, NO_DIGITS };

static void add_wire(struct talk *t, bool hex, enum digits digits, const struct text *data)
{
    if (hex && digits == DIGITS) {
        add_hex(&t->in, data->bytes, data->len);
    } else {
        text_add(&t->in, data->bytes, data->len);
    }
}

static void expect_payload(struct talk *t, enum digits digits, const struct text *data)
{
    text_print(&t->expected, digits == DIGITS ? " payload |" : " payload not hex |");
    text_escaped(&t->expected, data->bytes, data->len);
    text_print(&t->expected, "|\n");
}

/* Where digits are awaited and others come, they are counted all the same. */
static void add_qird(struct talk *t, const struct text *data, enum digits digits)
{
    bool hex = (t->combination & RECV_HEX) != 0;
    size_t n = data->len / (digits == NO_DIGITS ? 2u : 1u);
    text_print(&t->in, (t->combination & SHOW) != 0 ? "\r\n+QIRD: %zu,7" : "\r\n+QIRD: %zu", n);
    text_print(&t->in, (t->combination & VIEW) != 0 ? "," : "\r\n");
    add_wire(t, hex, digits, data);
    text_print(&t->in, "\r\n\r\nOK\r\n");
    text_print(&t->expected, "response QIRD actual_read_length=%zu%s", n,
               (t->combination & SHOW) != 0 ? " remaining_length=7" : "");
    expect_payload(t, digits, data);
    text_print(&t->expected, "final OK\n");
}

static void add_recv(struct talk *t, const struct text *data, enum digits digits)
{
    bool hex = (t->combination & RECV_HEX) != 0;
    size_t n = data->len / (digits == NO_DIGITS ? 2u : 1u);
    text_print(&t->in, "\r\n+QIURC: \"recv\",2,%zu", n);
    text_print(&t->expected, "urc recv connectID=2 current_rcv_length=%zu", n);
    if ((t->combination & ACCESS) != 0) {
        text_print(&t->in, (t->combination & VIEW) != 0 ? "," : "\r\n");
        add_wire(t, hex, digits, data);
        expect_payload(t, digits, data);
    } else {
        text_print(&t->expected, "\n");
    }
    text_print(&t->in, "\r\n\r\n+QIURC: \"closed\",3\r\n");
    text_print(&t->expected, "urc closed connectID=3\n");
}

static void add_echoed(struct talk *t, const struct text *data, const char *prompt)
{
    bool hex = (t->combination & SEND_HEX) != 0;
    struct text wire = {NULL, 0, 0};
    if (hex) {
        add_hex(&wire, data->bytes, data->len);
    } else {
        text_add(&wire, data->bytes, data->len);
    }
    text_print(&t->in, "AT+QISEND=0,%zu\r%s", data->len, prompt);
    text_add(&t->in, wire.bytes, wire.len);
    text_print(&t->in, "\r\nOK\r\n\r\nSEND OK\r\n");
    text_print(&t->expected, "echo |AT+QISEND=0,%zu| QISEND.fixed\nprompt\nechoed |", data->len);
    text_escaped(&t->expected, wire.bytes, wire.len);
    text_print(&t->expected, "|\nfinal OK\nfinal SEND OK\n");
    text_clear(&wire);
}

static void add_echoed_stream(struct talk *t, const struct text *data, const char *prompt)
{
    if (memchr(data->bytes, 0x1a, data->len) != NULL ||
        memchr(data->bytes, 0x1b, data->len) != NULL) {
        return; /* these end the data, and the encoder refuses them */
    }
    text_print(&t->in, "AT+QISEND=0\r%s", prompt);
    text_add(&t->in, data->bytes, data->len);
    text_print(&t->in, "\x1a\r\nOK\r\n\r\nSEND OK\r\n");
    text_print(&t->expected, "echo |AT+QISEND=0| QISEND.stream\nprompt\nechoed |");
    text_escaped(&t->expected, data->bytes, data->len);
    text_print(&t->expected, "\\x1a|\nfinal OK\nfinal SEND OK\n");
}

/* Chunks: all at once for 0; of this size; or of random sizes for SIZE_MAX. */
static void say_in_chunks(struct recorder *r, const struct text *in, size_t chunk)
{
    for (size_t i = 0; i < in->len;) {
        size_t n = chunk == 0 ? in->len : chunk == SIZE_MAX ? 1u + random_below(40) : chunk;
        n = n < in->len - i ? n : in->len - i;
        recorder_chunk(r, in->bytes + i, n);
        i += n;
    }
}

static void check_recorded(struct recorder *r, const struct talk *t)
{
    recorder_finish(r);
    require(r->broken == NULL, "%s", r->broken != NULL ? r->broken : "");
    if (r->log.len != t->expected.len || memcmp(r->log.bytes, t->expected.bytes, r->log.len) != 0) {
        ck_abort_msg("settings %u\n--- expected\n%s--- said\n%s", t->combination,
                     t->expected.bytes, r->log.bytes != NULL ? r->log.bytes : "");
    }
    recorder_free(r);
}

static void check_talk(const struct talk *t, enum delivery delivery, size_t chunk)
{
    struct recorder r;
    recorder_begin(&r, delivery, 128);
    set_framing(&r, t->combination);
    say_in_chunks(&r, &t->in, chunk);
    check_recorded(&r, t);
}

static void check_split(const struct talk *t, enum delivery delivery, size_t first)
{
    struct recorder r;
    recorder_begin(&r, delivery, 128);
    set_framing(&r, t->combination);
    recorder_chunk(&r, t->in.bytes, first);
    recorder_chunk(&r, t->in.bytes + first, t->in.len - first);
    check_recorded(&r, t);
}

static const char *const befores[] = {"\r\n", "", "\n", "\r", "\r\n\r\n"};
static const char *const afters[] = {"\r\n", "", "\n", "\r", "\n\r"};
enum { ENDS = 5 };

/* `lead` bytes, a line end, the snippet, a line end. */
static void make_data(struct text *data, size_t lead, const char *before,
                      const struct text *snippet, const char *after)
{
    text_clear(data);
    text_add(data, "xxxxxxxxxxxxxxxx", lead);
    text_add(data, before, strlen(before));
    text_add(data, snippet->bytes, snippet->len);
    text_add(data, after, strlen(after));
}

/* Everything that carries data, one behind the other. What begins the data may be
 * taken for the rest of a prompt that isn't complete, so not every prompt will do. */
static void make_talk(struct talk *t, unsigned combination, const struct text *data)
{
    static const char *const prompts[] = {"\r\n> \r\n", "\r\n> ", "\r\n>", "\r\n>\r\n", ">"};
    char first = data->bytes[0];
    bool any = first != ' ' && first != '\r' && first != '\n';
    const char *prompt = prompts[any ? random_below(5) : 0];
    t->combination = combination;
    add_qird(t, data, DIGITS);
    add_recv(t, data, DIGITS);
    if ((combination & ECHOED) != 0) {
        add_echoed(t, data, prompt);
        add_echoed_stream(t, data, prompt);
    }
}

/* Everything in every setting, between all kinds of line ends. */
START_TEST(payload_is_no_event_in_any_setting)
{
    struct text data = {NULL, 0, 0};
    unsigned combination = (unsigned)_i;
    make_snippets();
    for (size_t i = 0; i < nsnippets; i++) {
        /* Half of them, and the other half in the next setting: the test has to end. */
        for (size_t ends = (i + combination) % 2u; ends < ENDS * ENDS; ends += 2u) {
            struct talk t = {0, {NULL, 0, 0}, {NULL, 0, 0}};
            make_data(&data, random_below(4), befores[ends / ENDS], &snippets[i],
                      afters[ends % ENDS]);
            make_talk(&t, combination, &data);
            check_talk(&t, (enum delivery)random_below(DELIVERIES),
                       random_below(3) == 0 ? 0 : SIZE_MAX);
            talk_clear(&t);
        }
    }
    text_clear(&data);
    drop_snippets();
}
END_TEST

/* At every alignment, and with every byte a chunk. */
START_TEST(payload_is_no_event_at_any_alignment)
{
    struct text data = {NULL, 0, 0};
    unsigned combination = (unsigned)_i;
    make_snippets();
    for (size_t i = 0; i < nsnippets; i++) {
        for (size_t lead = 0; lead <= 16; lead++) {
            struct talk t = {0, {NULL, 0, 0}, {NULL, 0, 0}};
            make_data(&data, lead, "\r\n", &snippets[i], "\r\n");
            make_talk(&t, combination, &data);
            check_talk(&t, BY_FEED, lead);
            talk_clear(&t);
        }
    }
    text_clear(&data);
    drop_snippets();
}
END_TEST

/* One payload of all of them, split everywhere. */
START_TEST(payload_is_no_event_at_any_split)
{
    unsigned combination = (unsigned)_i;
    struct text data = {NULL, 0, 0};
    make_snippets();
    for (size_t i = 0; i < nsnippets; i++) {
        if (data.len + snippets[i].len + 4u > 512u || i + 1u == nsnippets) {
            struct talk t = {combination, {NULL, 0, 0}, {NULL, 0, 0}};
            add_qird(&t, &data, DIGITS);
            for (size_t first = 0; first <= t.in.len; first++) {
                check_split(&t, (enum delivery)(first % DELIVERIES), first);
            }
            talk_clear(&t);
            text_clear(&data);
        }
        text_add(&data, "\r\n", 2);
        text_add(&data, snippets[i].bytes, snippets[i].len);
        text_add(&data, "\r\n", 2);
    }
    text_clear(&data);
    drop_snippets();
}
END_TEST

/* Digits were announced, and lines come: they are counted all the same. */
START_TEST(payload_is_no_event_where_digits_are_due)
{
    unsigned combination = (unsigned)_i | RECV_HEX | ACCESS;
    struct text data = {NULL, 0, 0};
    make_snippets();
    for (size_t i = 0; i < nsnippets; i++) {
        struct talk t = {combination, {NULL, 0, 0}, {NULL, 0, 0}};
        make_data(&data, 0, "\r\n", &snippets[i], "\r\n");
        text_add(&data, "x", data.len % 2u);
        add_qird(&t, &data, NO_DIGITS);
        add_recv(&t, &data, NO_DIGITS);
        check_talk(&t, BY_FEED, 1);
        check_talk(&t, BY_COMMIT, 0);
        talk_clear(&t);
    }
    text_clear(&data);
    drop_snippets();
}
END_TEST

/* Every length that the module can send, and every byte. */
START_TEST(payload_of_any_length_and_any_bytes)
{
    for (size_t n = 1; n <= 512; n++) {
        struct text data = {NULL, 0, 0};
        struct talk t = {(unsigned)_i, {NULL, 0, 0}, {NULL, 0, 0}};
        for (size_t i = 0; i < n; i++) {
            char c = (char)(uint8_t)(i + n);
            text_add(&data, &c, 1);
        }
        add_qird(&t, &data, DIGITS);
        add_recv(&t, &data, DIGITS);
        check_talk(&t, (enum delivery)(n % DELIVERIES), n % 5u == 0 ? 1u : SIZE_MAX);
        talk_clear(&t);
        text_clear(&data);
    }
}
END_TEST

/* Law 1: chunk invariance -------------------------------------------------------------- */

/* A piece of something that means something to the parser. */
static const char *noise(void)
{
    static const char *const pieces[] = {
        "\r", "\n", "\r\n", "\r\n", "x", "\"", ",", "+QIRD: ", "5", "+QIURC: \"recv\",", "0", ">",
        "AT", "\x80", "OK", "+QISTATE: ", "\x1a", "+CME ERROR:", "(", "+QNTP: 0,", " ", "-",
        "AT+QISEND=0,7\r", "AT+QISEND=0\r", "AT+QICFG=\"viewmode\",1\r", "OK\r\n", "\r\nOK\r\n",
        "+QIRD: 3\r\n", "+QIRD: 3,", "+QICFG: \"echomode\",1\r\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "+QIURC: \"recv\",0,4\r\n", "\r\r\r\r\r\r\r\r",
    };
    return pieces[random_below(sizeof pieces / sizeof pieces[0])];
}

/* Noise says the same however it is cut, lines that are too long included. */
START_TEST(noise_says_the_same_in_any_chunks)
{
    for (int round = 0; round < 3000; round++) {
        unsigned combination = random_below(COMBINATIONS);
        size_t window = 64u + random_below(20);
        struct text in = {NULL, 0, 0};
        struct text first = {NULL, 0, 0};
        while (in.len < 200) {
            const char *piece = noise();
            text_add(&in, piece, strlen(piece));
        }
        for (int way = 0; way < 6; way++) {
            struct recorder r;
            recorder_begin(&r, (enum delivery)(way % DELIVERIES), window);
            set_framing(&r, combination);
            say_in_chunks(&r, &in, way == 0 ? 0 : way == 1 ? 1 : SIZE_MAX);
            recorder_finish(&r);
            require(r.broken == NULL, "%s", r.broken);
            if (way == 0) {
                text_add(&first, r.log.bytes, r.log.len);
            }
            require(r.log.len == first.len && memcmp(r.log.bytes, first.bytes, first.len) == 0,
                    "settings %u, window %zu\n--- whole\n%s--- in chunks\n%s", combination, window,
                    first.bytes, r.log.bytes != NULL ? r.log.bytes : "");
            recorder_free(&r);
        }
        text_clear(&in);
        text_clear(&first);
    }
}
END_TEST

/* Law 3: no injection ------------------------------------------------------------------ */

enum { PATTERN = 0x5a, LINE_ROOM = 4096 };

static void assert_same_member(const struct at_form *form, const struct at_field *field,
                               union sample *sent, union sample *parsed, bool hex)
{
    const struct at_param *param = param_of(field);
    check(has_member(sent, field) == has_member(parsed, field));
    if (param->kind->type == AT_LITERAL || !has_member(sent, field)) {
        return;
    }
    if (param->kind->type == AT_INT || param->kind->type == AT_CHOICE) {
        check(*(int32_t *)member_of(sent, field) == *(int32_t *)member_of(parsed, field));
        return;
    }
    check(param->kind->type != AT_UINT); /* no request has one so far */
    if (form->rare->data != NULL && form->rare->data->prompt != 0 && form->rare->data->field == field->param) {
        return; /* not in the line */
    }
    struct at_bytes a = *(struct at_bytes *)member_of(sent, field);
    struct at_bytes b = *(struct at_bytes *)member_of(parsed, field);
    if (form->rare->data != NULL && form->rare->data->field == field->param && hex) {
        uint8_t decoded[LINE_ROOM];
        check(at_hex_decode(b.ptr, b.len, decoded) == (int)a.len);
        check(memcmp(decoded, a.ptr, a.len) == 0);
        return;
    }
    check(a.len == b.len);
    check(memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* One line, of printable characters, that ends with its only CR, and that the module
 * reads as the form and the arguments that were meant. */
static void assert_one_command(const struct at_form *form, const uint8_t *with,
                               union sample *request, const char *line, size_t len)
{
    struct at_command command;
    union sample parsed;
    check(len > 2);
    check(line[len - 1u] == '\r');
    for (size_t i = 0; i + 1u < len; i++) {
        require(line[i] >= 0x20 && line[i] <= 0x7e && line[i] != ';',
                "%s.%s writes %.*s", form->command, form->name, (int)len, line);
    }
    require(at_command_parse(&bc26_grammar, with, (const uint8_t *)line, len - 1u, &command,
                             NULL) == AT_OK && command.form == form,
            "%s.%s isn't what this is read as: %.*s", form->command, form->name,
            (int)len - 1, line);
    check(at_command_decode(&bc26_grammar, &command, &parsed) == AT_OK);
    for (uint8_t i = 0; i < form->nfields; i++) {
        assert_same_member(form, &form->fields[i], request, &parsed,
                           form->rare->data != NULL && at_data_hex(form->rare->data, with) == 1);
    }
}

/* Encode, and check what must be so whatever the arguments are. */
static int encode(const struct at_form *form, const uint8_t *with, union sample *request,
                  struct at_fault *fault)
{
    static char line[LINE_ROOM];
    memset(line, PATTERN, sizeof line);
    fault->param = NULL;
    fault->reason = AT_FINE;
    int n = at_form_encode(&bc26, form, with, request, line, sizeof line, fault);
    for (size_t i = n < 0 ? 0 : (size_t)n; i < sizeof line; i++) {
        require(line[i] == PATTERN, "%s.%s writes where it mustn't", form->command,
                form->name);
    }
    if (n >= 0) {
        assert_one_command(form, with, request, line, (size_t)n);
        check(fault->reason == AT_FINE);
    } else if (n == AT_E_ARGUMENT) {
        check(fault->param != NULL);
        check(fault->reason != AT_FINE);
    }
    return n;
}

/* Put bytes into a text or data parameter; data go with their length. */
static void set_hostile(union sample *request, const struct at_form *form,
                        const struct at_field *field, const char *bytes, size_t len)
{
    if (form->rare->data != NULL && form->rare->data->field == field->param) {
        set_data(request, form, bytes, len);
    } else {
        set_text(request, field, bytes, len);
    }
}

static bool is_text(const struct at_field *field)
{
    uint8_t type = param_of(field)->kind->type;
    return type == AT_STRING || type == AT_HOST || type == AT_IP || type == AT_TEXT ||
           type == AT_DATA || type == AT_HEX;
}

typedef void (*attack_fn)(const struct at_form *form, const struct at_field *field,
                          const uint8_t *with);

/* Every text and data parameter of every form, with data as text and as digits. */
static void attack_all(attack_fn attack)
{
    unsigned attacked = 0;
    for (uint16_t f = 0; f < bc26.nforms; f++) {
        const struct at_form *form = &bc26.forms[f];
        for (uint8_t i = 0; i < form->nfields; i++) {
            if (is_text(&form->fields[i])) {
                settings[BC26_SETTING_SEND_DATA_FORMAT] = 0;
                attack(form, &form->fields[i], settings);
                settings[BC26_SETTING_SEND_DATA_FORMAT] = 1;
                attack(form, &form->fields[i], settings);
                attacked++;
            }
        }
    }
    settings[BC26_SETTING_SEND_DATA_FORMAT] = 0;
    check(attacked >= 10); /* host, server, hostname, two DNS servers, four data */
}

static void attack_with(const struct at_form *form, const struct at_field *field,
                        const uint8_t *with, const char *bytes, size_t len)
{
    union sample request;
    struct at_fault fault;
    fill_request(&request, form);
    set_hostile(&request, form, field, bytes, len);
    int n = encode(form, with, &request, &fault);
    const struct at_field *length =
        form->rare->data != NULL ? form_field(form, form->rare->data->length) : NULL;
    bool counted = length != NULL && fault.param == param_of(length);
    require(n > 0 || (n == AT_E_ARGUMENT && (fault.param == param_of(field) || counted)),
            "%s.%s: status %d", form->command, form->name, n);
}

/* Bytes that must be refused in any text, wherever they stand. */
static bool is_dangerous(uint8_t c)
{
    return c < 0x20 || c > 0x7e || c == '"' || c == ';';
}

/* Whether these data can't hurt: they are sent as digits, or after the prompt. */
static bool is_carried(const struct at_form *form, const struct at_field *field,
                       const uint8_t *with, uint8_t c)
{
    if (form->rare->data == NULL || form->rare->data->field != field->param) {
        return false;
    }
    if (at_data_hex(form->rare->data, with) == 1) {
        return true;
    }
    return form->rare->data->prompt != 0 && c != form->rare->data->until && c != form->rare->data->cancel;
}

static void attack_with_each_byte(const struct at_form *form, const struct at_field *field,
                                  const uint8_t *with)
{
    static const char *const places[] = {"%", "%a", "a%", "a%a", "1.%.1", "\"%\"", "%%"};
    for (unsigned c = 0; c < 256; c++) {
        for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
            char bytes[8];
            size_t len = strlen(places[p]);
            union sample request;
            struct at_fault fault;
            for (size_t i = 0; i < len; i++) {
                bytes[i] = places[p][i] == '%' ? (char)(uint8_t)c : places[p][i];
            }
            fill_request(&request, form);
            set_hostile(&request, form, field, bytes, len);
            int n = encode(form, with, &request, &fault);
            if (is_carried(form, field, with, (uint8_t)c)) {
                check(n > 0);
            } else if (is_dangerous((uint8_t)c)) {
                require(n == AT_E_ARGUMENT && fault.param == param_of(field) &&
                            fault.reason == AT_UNSAFE,
                        "%s.%s takes 0x%02x in %s", form->command, form->name, c,
                        param_of(field)->name);
            } else {
                require(n > 0 || fault.param == param_of(field), "%s.%s: %d at 0x%02x",
                        form->command, form->name, n, c);
            }
        }
    }
}

START_TEST(no_byte_injects)
{
    attack_all(attack_with_each_byte);
}
END_TEST

static void attack_with_phrases(const struct at_form *form, const struct at_field *field,
                                const uint8_t *with)
{
    static const char *const phrases[] = {
        "", "\",\"", "\"", "\"\"", "a\",\"b", "\r\nAT+QICLOSE=0\r\n", "a\rAT+QICLOSE=0",
        "a\"\rAT+QICLOSE=0\r", "a;+QICLOSE=0", "a\";+QICLOSE=0;+QIOPEN=\"", "\x1a\rAT\r", "\x1b",
        "a,b", ",", ",,", "a,0,1", "?", "=?", "0", "0,0", "(0-4)", "a\\22b", "a\tb", "a b", " a",
        "a ", "AT", "+QIRD: 5", "OK", "\xe4\xf6\xfc", "\xc3\xa4", "a\x7f", "%s%n", "a//b", "A/",
        "1234567890", "-1", "1.2.3.4", "2001:db8::1", "localhost", "x-y_z.example",
    };
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        attack_with(form, field, with, phrases[i], strlen(phrases[i]));
    }
}

START_TEST(no_phrase_injects)
{
    attack_all(attack_with_phrases);
}
END_TEST

static void attack_with_triples(const struct at_form *form, const struct at_field *field,
                                const uint8_t *with)
{
    static const char alphabet[] = "\r\n\",;\x1a\x1b a0?=\\-:.\x80"; /* and the NUL behind it */
    enum { N = sizeof alphabet };
    for (unsigned i = 0; i < N * N * N; i++) {
        char bytes[3] = {alphabet[i % N], alphabet[i / N % N], alphabet[i / (N * N)]};
        attack_with(form, field, with, bytes, 3);
    }
}

START_TEST(no_triple_injects)
{
    attack_all(attack_with_triples);
}
END_TEST

static void attack_with_random(const struct at_form *form, const struct at_field *field,
                               const uint8_t *with)
{
    for (int k = 0; k < 500; k++) {
        char bytes[160];
        size_t len = random_below(sizeof bytes);
        bool printable = random_below(2) == 0;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)(uint8_t)(printable ? 0x20 + random_below(0x5f) : random_below(256));
        }
        attack_with(form, field, with, bytes, len);
    }
}

START_TEST(no_noise_injects)
{
    attack_all(attack_with_random);
}
END_TEST

/* Data of every length that the formats take, and one byte more. */
START_TEST(data_of_every_length)
{
    static char data[2048];
    memset(data, 'x', sizeof data);
    data[1] = ',';
    for (uint16_t f = 0; f < bc26.nforms; f++) {
        const struct at_form *form = &bc26.forms[f];
        for (uint8_t hex = 0; form->rare->data != NULL && hex < 2; hex++) {
            settings[BC26_SETTING_SEND_DATA_FORMAT] = hex;
            size_t max = at_data_hex(form->rare->data, settings) == 1 ? form->rare->data->max_hex
                                                                : form->rare->data->max_text;
            for (size_t len = 0; len <= max + 1u; len++) {
                union sample request;
                struct at_fault fault;
                fill_request(&request, form);
                set_data(&request, form, data, len);
                int n = encode(form, settings, &request, &fault);
                require((n > 0) == (len >= 1 && len <= max), "%s.%s takes %zu bytes: %d",
                        form->command, form->name, len, n);
            }
        }
    }
    settings[BC26_SETTING_SEND_DATA_FORMAT] = 0;
}
END_TEST

/* Buffers ------------------------------------------------------------------------------ */

START_TEST(every_buffer_that_is_too_small_is_left_alone)
{
    for (uint16_t f = 0; f < bc26.nforms; f++) {
        const struct at_form *form = &bc26.forms[f];
        union sample request;
        struct at_fault fault;
        fill_request(&request, form);
        int needed = encode(form, settings, &request, &fault);
        require(needed > 0, "%s.%s: %d", form->command, form->name, needed);
        for (size_t size = 0; size <= (size_t)needed; size++) {
            char *line = malloc(size + (size == 0)); /* so a sanitizer sees the end of it */
            check(line != NULL);
            memset(line, PATTERN, size);
            int n = at_form_encode(&bc26, form, settings, &request, line, size, &fault);
            if (size == (size_t)needed) {
                check(n == needed);
                assert_one_command(form, settings, &request, line, size);
            } else {
                check(n == AT_E_SPACE);
                for (size_t i = 0; i < size; i++) {
                    check(line[i] == PATTERN);
                }
            }
            free(line);
        }
    }
}
END_TEST

START_TEST(every_line_buffer_that_is_too_small_is_left_alone)
{
    for (uint16_t i = 0; i < bc26.nrecords; i++) {
        const struct at_record *record = &bc26.records[i];
        union sample sample;
        char line[512];
        if (record->kind == AT_KIND_TEST) {
            continue;
        }
        fill_fields(&sample, record->fields, record->nfields);
        int needed = at_record_encode(&bc26, record, &sample, line, sizeof line, NULL);
        check(needed > 0);
        for (size_t size = 0; size < (size_t)needed; size++) {
            memset(line, PATTERN, sizeof line);
            check(at_record_encode(&bc26, record, &sample, line, size, NULL) == AT_E_SPACE);
            for (size_t k = 0; k < sizeof line; k++) {
                check(line[k] == PATTERN);
            }
        }
    }
}
END_TEST

START_TEST(a_format_that_is_not_known_refuses)
{
    static const enum bc26_form forms[] = {BC26_FORM_QISEND_INLINE, BC26_FORM_QISEND_STREAM,
                                           BC26_FORM_QISEND_FIXED};
    settings[BC26_SETTING_SEND_DATA_FORMAT] = AT_UNKNOWN;
    for (size_t i = 0; i < 3; i++) {
        union sample request;
        struct at_fault fault;
        fill_request(&request, &bc26.forms[forms[i]]);
        check(encode(&bc26.forms[forms[i]], settings, &request, &fault) == AT_E_UNKNOWN_SETTING);
    }
    settings[BC26_SETTING_SEND_DATA_FORMAT] = 0;
}
END_TEST

/* Law 6, on the way out ---------------------------------------------------------------- */

static void assert_refused(const struct at_form *form, union sample *request,
                           const struct at_param *param, enum at_reason reason)
{
    struct at_fault fault;
    int n = encode(form, settings, request, &fault);
    require(n == AT_E_ARGUMENT && fault.param == param && fault.reason == reason,
            "%s.%s: %s should be refused (%d); status %d, %s (%d)", form->command, form->name,
            param->name, reason, n, fault.param != NULL ? fault.param->name : "nothing",
            fault.reason);
}

static void check_numbers(const struct at_form *form, const struct at_field *field)
{
    const struct at_param *param = param_of(field);
    const int64_t values[] = {
        INT32_MIN, INT32_MAX, (int64_t)param->kind->min - 1, param->kind->min, (int64_t)param->kind->min + 1,
        (int64_t)param->kind->max - 1, param->kind->max, (int64_t)param->kind->max + 1, -1, 0, 1, 255, 256, 65535,
        65536,
    };
    bool counts = form->rare->data != NULL && form->rare->data->length == field->param;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int64_t value = values[i];
        union sample request;
        struct at_fault fault;
        if (value < INT32_MIN || value > INT32_MAX) {
            continue;
        }
        fill_request(&request, form);
        set_int(&request, field, (int32_t)value);
        int64_t max = counts && form->rare->data->max_text > 0 ? form->rare->data->max_text
                      : counts                           ? form->rare->data->max_hex
                                                         : (int64_t)param->kind->max;
        if (value < param->kind->min || value > max) {
            assert_refused(form, &request, param, AT_RANGE);
        } else if (param->kind->supported != INT32_MIN && value != param->kind->supported) {
            assert_refused(form, &request, param, AT_UNSUPPORTED);
        } else if (counts && value != 4) {
            assert_refused(form, &request, param, AT_MISMATCH);
        } else {
            check(encode(form, settings, &request, &fault) > 0);
        }
    }
}

static void check_choices(const struct at_form *form, const struct at_field *field)
{
    const struct at_param *param = param_of(field);
    const int32_t bad[] = {-1, param->kind->nvalues, INT32_MIN, INT32_MAX, 256};
    union sample request;
    struct at_fault fault;
    fill_request(&request, form);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_int(&request, field, bad[i]);
        assert_refused(form, &request, param, AT_RANGE);
    }
    for (int32_t i = 0; i < param->kind->nvalues; i++) {
        set_int(&request, field, i);
        check(encode(form, settings, &request, &fault) > 0);
    }
}

static void check_texts(const struct at_form *form, const struct at_field *field)
{
    static char text[256];
    const struct at_param *param = param_of(field);
    union sample request;
    struct at_fault fault;
    check(param->kind->max < sizeof text);
    memset(text, '1', sizeof text);
    text[1] = ':'; /* some addresses do, and hosts may */
    fill_request(&request, form);
    set_text(&request, field, NULL, 0);
    assert_refused(form, &request, param, AT_MISSING);
    set_text(&request, field, text, 0);
    assert_refused(form, &request, param, AT_LENGTH);
    set_text(&request, field, text, param->kind->max + 1u);
    assert_refused(form, &request, param, AT_LENGTH);
    set_text(&request, field, text, SIZE_MAX);
    assert_refused(form, &request, param, AT_LENGTH);
    set_text(&request, field, text, param->kind->max);
    check(encode(form, settings, &request, &fault) > 0);
    if (param->kind->type == AT_IP) {
        set_text(&request, field, "12345", 5);
        assert_refused(form, &request, param, AT_TYPE);
        set_text(&request, field, "a.example", 9);
        assert_refused(form, &request, param, AT_TYPE);
        set_text(&request, field, "999.1", 5);
        assert_refused(form, &request, param, AT_TYPE);
        set_text(&request, field, "1.2.3.256", 9);
        assert_refused(form, &request, param, AT_TYPE);
        set_text(&request, field, "1.2.3.", 6);
        assert_refused(form, &request, param, AT_TYPE);
    }
}

static void check_data(const struct at_form *form, const struct at_field *field)
{
    static char data[2048];
    const struct at_param *param = param_of(field);
    size_t max = form->rare->data->max_text > 0 ? form->rare->data->max_text : form->rare->data->max_hex;
    union sample request;
    struct at_fault fault;
    fill_request(&request, form);
    set_bytes(&request, field, NULL, 0);
    if (form->rare->data->prompt != 0) {
        check(encode(form, settings, &request, &fault) > 0);
    } else {
        assert_refused(form, &request, param, AT_MISSING);
    }
    memset(data, 'x', sizeof data);
    set_bytes(&request, field, data, 0);
    assert_refused(form, &request, param, AT_LENGTH);
    set_bytes(&request, field, data, max + 1u);
    assert_refused(form, &request, param, AT_LENGTH);
    const struct at_field *length = form_field(form, form->rare->data->length);
    if (length != NULL) {
        set_bytes(&request, field, data, 5);
        assert_refused(form, &request, param_of(length), AT_MISMATCH);
    }
}

START_TEST(each_refusal_names_the_parameter_and_the_reason)
{
    const struct at_form *form = &bc26.forms[_i];
    for (uint8_t i = 0; i < form->nfields; i++) {
        switch (param_of(&form->fields[i])->kind->type) {
        case AT_LITERAL:
            break;
        case AT_INT:
            check_numbers(form, &form->fields[i]);
            break;
        case AT_CHOICE:
            check_choices(form, &form->fields[i]);
            break;
        case AT_DATA:
        case AT_HEX:
            check_data(form, &form->fields[i]);
            break;
        case AT_STRING:
        case AT_HOST:
        case AT_IP:
            check_texts(form, &form->fields[i]);
            break;
        default:
            ck_abort_msg("%s.%s has a parameter that isn't tested", form->command, form->name);
        }
    }
}
END_TEST

/* Optional members in every combination: they come from the left, groups whole. */
START_TEST(each_gap_names_the_member_left_out)
{
    const struct at_form *form = &bc26.forms[_i];
    for (unsigned left_out = 0; left_out < 1u << form->nfields; left_out++) {
        union sample request;
        const struct at_field *gap = NULL;
        bool legal = true;
        uint8_t last = 0;
        fill_request(&request, form);
        for (uint8_t i = 0; i < form->nfields; i++) {
            if ((left_out >> i & 1u) != 0) {
                legal = legal && form->fields[i].has != 0;
                set_has(&request, &form->fields[i], false);
            } else {
                last = i;
            }
        }
        if (!legal) {
            continue; /* a required member can't be left out */
        }
        for (uint8_t i = form->nfields; i-- > 0;) {
            const struct at_field *field = &form->fields[i];
            bool needed = i < last || (form->nfields > 0 && field->group != 0 &&
                                       field->group == form->fields[last].group);
            gap = (left_out >> i & 1u) != 0 && needed ? field : gap;
        }
        struct at_fault fault;
        if (gap != NULL) {
            assert_refused(form, &request, param_of(gap), AT_MISSING);
        } else {
            check(encode(form, settings, &request, &fault) > 0);
        }
    }
}
END_TEST

/* Law 6, on the way in ----------------------------------------------------------------- */

struct seen {
    unsigned lines;
    unsigned unknown;
    const struct at_record *record;
    bool has;
    int64_t value;
    size_t field;
    bool uint;
};

static void note_value(struct seen *seen, const struct at_line *line)
{
    const struct at_record *record = line->record;
    union sample sample;
    memset(&sample, 0xaa, sizeof sample);
    check(at_line_decode(line, &sample) == AT_OK);
    seen->record = record;
    seen->has = seen->field < record->nfields && has_member(&sample, &record->fields[seen->field]);
    if (seen->has) {
        void *member = member_of(&sample, &record->fields[seen->field]);
        seen->value = seen->uint ? (int64_t)*(uint32_t *)member : (int64_t)*(int32_t *)member;
    }
}

static void note_event(void *ctx, const struct at_event *event)
{
    struct seen *seen = ctx;
    if (event->type == AT_EVENT_LINE) {
        seen->lines++;
        note_value(seen, event->line);
    } else if (event->type == AT_EVENT_UNKNOWN) {
        seen->unknown++;
    }
}

/* A line as its description says, but for one number. */
static void write_line(struct text *out, const struct at_record *record, size_t field,
                       const char *number)
{
    text_print(out, "\r\n%s", record->head);
    for (size_t i = 0; i < record->nfields; i++) {
        const struct at_param *param = param_of(&record->fields[i]);
        const char *quote = (param->kind->flags & AT_QUOTED) != 0 ? "\"" : "";
        text_print(out, i > 0 ? "," : "");
        if (i == field) {
            text_print(out, "%s", number);
        } else if (param->kind->type == AT_INT || param->kind->type == AT_UINT) {
            text_print(out, "%d", 1);
        } else {
            text_print(out, "%s%s%s", quote, param->kind->type == AT_LITERAL ? param->name : "1.1.1.1",
                       quote);
        }
    }
    text_print(out, "\r\n");
}

static void check_settings(const uint8_t *with)
{
    for (uint8_t i = 0; i < bc26.nsettings; i++) {
        const struct at_setting *setting = &bc26.settings[i];
        for (uint8_t k = 0; k < setting->slots; k++) {
            require(with[setting->slot + k] <= setting->max, "%s[%d] is %d", setting->name,
                    k, with[setting->slot + k]);
        }
    }
}

/* A number arrives as it is, or its line is unknown; and no setting takes it that
 * doesn't know it. The settings' memory ends where they end. */
static void check_number(const struct at_record *record, size_t field, const char *number)
{
    const struct at_param *param = param_of(&record->fields[field]);
    struct text line = {NULL, 0, 0};
    struct seen seen = {0, 0, NULL, false, 0, field, param->kind->type == AT_UINT};
    struct at_stream stream;
    uint8_t window[512];
    uint8_t *with = calloc(bc26.nslots, 1);
    errno = 0;
    long long value = strtoll(number, NULL, 10);
    bool fits = errno == 0 && (param->kind->type == AT_UINT ? value >= 0 && value <= UINT32_MAX
                                                      : value >= INT32_MIN && value <= INT32_MAX);

    check(with != NULL);
    with[BC26_SETTING_SHOW_LENGTH] = record->rare->payload != NULL;
    write_line(&line, record, field, number);
    (void)at_stream_init(&stream, &bc26, with, window, sizeof window, note_event, &seen);
    at_stream_feed(&stream, (const uint8_t *)line.bytes, line.len);
    require(seen.lines + seen.unknown == 1, "%s: %u lines, %u unknown", line.bytes,
            seen.lines, seen.unknown);
    if (seen.lines == 1 && seen.record == record) {
        require(fits && seen.has && seen.value == value, "%s arrives as %lld", line.bytes,
                (long long)seen.value);
    } else if (record->rare->payload == NULL && (param->kind->flags & AT_STRICT) == 0 &&
               record->kind != AT_KIND_FINAL) {
        require(!fits, "%s isn't delivered", line.bytes);
    }
    check_settings(with);
    free(with);
    text_clear(&line);
}

START_TEST(each_number_arrives_as_it_is)
{
    static const char *const numbers[] = {
        "0", "1", "2", "4", "5", "9", "-1", "-9", "127", "128", "255", "256", "257", "32768",
        "65535", "65536", "65537", "575", "2147483647", "2147483648", "-2147483648", "-2147483649",
        "4294967295", "4294967296", "4294967297", "9223372036854775807", "9223372036854775808",
        "18446744073709551616", "99999999999999999999999999999999999999", "0000000000000000000005",
    };
    const struct at_record *record = &bc26.records[_i];
    for (size_t field = 0; field < record->nfields; field++) {
        uint8_t type = param_of(&record->fields[field])->kind->type;
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            if (type == AT_INT || type == AT_UINT) {
                check_number(record, field, numbers[i]);
            }
        }
    }
}
END_TEST

/* Names of values are looked up, never indexed. */
START_TEST(no_value_indexes_a_table)
{
    static const int32_t values[] = {INT32_MIN, -1, 2, 5, 101, 549, 575, 65536, INT32_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        check(bc26_error_text(values[i]) == NULL);
        check(bc26_view_mode_text(values[i]) == NULL);
        check(bc26_service_type_text(values[i]) == NULL);
        check(values[i] == 2 || bc26_socket_state_text(values[i]) == NULL);
    }
    ck_assert_str_eq(bc26_error_text(563), "Socket identity has been used");
    ck_assert_str_eq(bc26_service_type_text(BC26_SERVICE_TYPE_UDP), "UDP");
}
END_TEST

/* Law 5: bounded ----------------------------------------------------------------------- */

/* A line of `len` bytes and some CRs, in a window for `max`; then a line that parses. */
static void check_length(size_t max, size_t len, size_t crs, enum delivery delivery, size_t chunk)
{
    struct talk t = {0, {NULL, 0, 0}, {NULL, 0, 0}};
    struct recorder r;
    for (size_t i = 0; i < len; i++) {
        text_add(&t.in, "x", 1);
    }
    if (len > max) {
        text_print(&t.expected, "overlong %zu\n", len);
    } else {
        text_print(&t.expected, "unknown |");
        text_escaped(&t.expected, t.in.bytes, t.in.len);
        text_print(&t.expected, "|\n");
    }
    for (size_t i = 0; i < crs; i++) {
        text_add(&t.in, "\r", 1);
    }
    text_print(&t.in, "\n+QIURC: \"closed\",3\r\n");
    text_print(&t.expected, "urc closed connectID=3\n");
    recorder_begin(&r, delivery, max + 1u);
    say_in_chunks(&r, &t.in, chunk);
    check_recorded(&r, &t);
    talk_clear(&t);
}

START_TEST(overlong_lines_are_skipped_and_the_next_one_parses)
{
    static const size_t windows[] = {64, 65, 128, 257, 4097};
    static const size_t crs[] = {0, 1, 2, 3, 63, 64, 65, 300};
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        size_t max = windows[w] - 1u;
        for (size_t c = 0; c < sizeof crs / sizeof crs[0]; c++) {
            for (size_t len = max - 2u; len <= max + 3u; len++) {
                check_length(max, len, crs[c], BY_FEED, 0);
                check_length(max, len, crs[c], BY_FEED, SIZE_MAX);
                check_length(max, len, crs[c], BY_COMMIT, 1);
            }
            check_length(max, 2u * max, crs[c], BY_FEED, 0);
            check_length(max, 10u * max + 7u, crs[c], BY_COMMIT, 63);
        }
    }
}
END_TEST

/* Whatever comes: there is room for the next bytes, and every line ends. */
START_TEST(noise_never_fills_the_window)
{
    for (size_t window = 64; window < 140; window += 25) {
        struct recorder r;
        recorder_begin(&r, BY_COMMIT, window);
        memset(r.session.settings + BC26_SETTING_ACCESS_MODE, 1, 5);
        r.session.settings[BC26_SETTING_ECHO_MODE] = 1;
        for (int i = 0; i < 100000; i++) {
            const char *piece = noise();
            recorder_chunk(&r, piece, strlen(piece));
            require(r.broken == NULL, "%s", r.broken);
            if (r.log.len > 10000) {
                text_clear(&r.log);
            }
        }
        recorder_finish(&r);
        recorder_free(&r);
    }
}
END_TEST

/* A line that never ends costs nothing but its time. */
START_TEST(an_endless_line_is_counted)
{
    struct recorder r;
    recorder_begin(&r, BY_COMMIT, 64);
    for (int i = 0; i < 100000; i++) {
        recorder_chunk(&r, "0123456789", 10);
    }
    recorder_chunk(&r, "\r\nOK\r\n", 6);
    recorder_finish(&r);
    ck_assert_str_eq(r.log.bytes, "overlong 1000000\nfinal OK\n");
    recorder_free(&r);
}
END_TEST

static Suite *laws(void)
{
    Suite *suite = suite_create("laws");
    TCase *one = tcase_create("1 chunk invariance");
    tcase_set_timeout(one, 60);
    tcase_add_test(one, noise_says_the_same_in_any_chunks);
    suite_add_tcase(suite, one);

    TCase *two = tcase_create("2 payload transparency");
    tcase_set_timeout(two, 60);
    tcase_add_loop_test(two, payload_is_no_event_in_any_setting, 0, COMBINATIONS);
    tcase_add_loop_test(two, payload_is_no_event_at_any_alignment, 0, COMBINATIONS);
    tcase_add_loop_test(two, payload_is_no_event_at_any_split, 0, RECV_HEX * 2);
    tcase_add_loop_test(two, payload_is_no_event_where_digits_are_due, 0, RECV_HEX);
    tcase_add_loop_test(two, payload_of_any_length_and_any_bytes, 0, RECV_HEX * 2);
    suite_add_tcase(suite, two);

    TCase *three = tcase_create("3 no injection");
    tcase_set_timeout(three, 60);
    tcase_add_test(three, no_byte_injects);
    tcase_add_test(three, no_phrase_injects);
    tcase_add_test(three, no_triple_injects);
    tcase_add_test(three, no_noise_injects);
    tcase_add_test(three, data_of_every_length);
    tcase_add_test(three, every_buffer_that_is_too_small_is_left_alone);
    tcase_add_test(three, every_line_buffer_that_is_too_small_is_left_alone);
    tcase_add_test(three, a_format_that_is_not_known_refuses);
    suite_add_tcase(suite, three);

    TCase *five = tcase_create("5 bounded");
    tcase_set_timeout(five, 60);
    tcase_add_test(five, overlong_lines_are_skipped_and_the_next_one_parses);
    tcase_add_test(five, noise_never_fills_the_window);
    tcase_add_test(five, an_endless_line_is_counted);
    suite_add_tcase(suite, five);

    TCase *six = tcase_create("6 integers don't wrap");
    tcase_add_loop_test(six, each_refusal_names_the_parameter_and_the_reason, 0, bc26.nforms);
    tcase_add_loop_test(six, each_gap_names_the_member_left_out, 0, bc26.nforms);
    tcase_add_loop_test(six, each_number_arrives_as_it_is, 0, bc26.nrecords);
    tcase_add_test(six, no_value_indexes_a_table);
    suite_add_tcase(suite, six);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(laws());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

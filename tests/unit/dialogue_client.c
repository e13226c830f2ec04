/* The dialogue once more, held by the client: it sends the requests, and a fake
 * module says its lines when it has read the host's. */
#include "unit/dialogue.h"

#include <stdio.h>
#include <string.h>

#include "covers.h"

enum { IDLE_MAX = 100, ITEMS_MAX = 16 };

static struct {
    const struct dialogue *d;
    const struct at_module *module;
    struct at_client client;
    uint8_t settings[SETTINGS_MAX];
    bool told[SETTINGS_MAX];
    uint8_t window[1024];
    char command[1024];
    char text[2048];
    uint32_t now;

    /* the fake module */
    bool starting;      /* answers the client's own queries */
    size_t step;        /* what comes next in the dialogue ... */
    size_t end;         /* ... up to the next command */
    char written[2048]; /* by the host, and not yet answered */
    size_t nwritten;
    char out[SAID_MAX]; /* for the host */
    size_t out_len, out_at;
    unsigned idle;
    struct picker picker;

    /* what is heard unasked */
    bool unasked[STEPS_MAX];
    size_t heard; /* steps up to which it was */
    char payload[DATA_MAX];
    size_t payload_len;
} host;

static const struct step *step_at(size_t i)
{
    return &host.d->steps[i];
}

static const struct at_record *record_of(uint16_t id)
{
    const struct at_record *record = host.module->records;
    while (record->id != id) {
        record++;
    }
    return record;
}

static const char *payload_of(const struct step *step)
{
    return step->after + (*step->after == ',' ? 1 : *step->after == '\r' ? 2 : 0);
}

/* The fake module --------------------------------------------------------- */

static void put(const char *before, const char *text, size_t len, const char *after)
{
    int n = snprintf(host.out + host.out_len, sizeof host.out - host.out_len, "%s%.*s%s", before,
                     (int)len, text, after);
    ck_assert(n > 0 && host.out_len + (size_t)n < sizeof host.out);
    host.out_len += (size_t)n;
}

static size_t slot_of(const struct at_effect *effect, int32_t key)
{
    return effect->slot + (size_t)(effect->slots > 1 ? key : 0);
}

/* A line that tells the settings that go with a key; a key that isn't legal has none. */
static void tell(const struct at_record *record, int32_t key)
{
    char line[1024];
    union value value;
    pick_line(&host.picker, host.module, record, host.d->initial, 0, &value);
    for (uint8_t i = 0; i < record->rare->neffects; i++) {
        const struct at_effect *effect = &record->rare->effects[i];
        if (effect->slots > 1) {
            set_line_int(record, &value, effect->key, key);
        }
        set_line_int(record, &value, effect->value, host.d->initial[slot_of(effect, key)]);
    }
    int n = at_record_encode(host.module, record, &value, line, sizeof line, NULL);
    if (n > 0) {
        put("\r\n", line, (size_t)n, "\r\n");
        for (uint8_t i = 0; i < record->rare->neffects; i++) {
            host.told[slot_of(&record->rare->effects[i], key)] = true;
        }
    }
}

static void tell_settings(const struct at_record *record)
{
    int32_t keys = 1;
    for (uint8_t i = 0; i < record->rare->neffects; i++) {
        keys = record->rare->effects[i].slots > keys ? record->rare->effects[i].slots : keys;
    }
    for (int32_t key = 0; key < keys; key++) {
        tell(record, key);
    }
}

/* Before the dialogue: wake-up, echo off, queries of settings, barriers. */
static void answer_start(void)
{
    struct at_command command;
    size_t len = host.nwritten - 1u;
    int status = at_command_parse(host.d->grammar, host.d->initial, (uint8_t *)host.written, len,
                                  &command, NULL);
    ck_assert_msg(status == AT_OK, "the client sends `%.*s`", (int)len, host.written);
    host.nwritten = 0;
    for (uint8_t i = 0; i < command.form->nresponses; i++) {
        tell_settings(record_of(command.form->responses[i].record));
    }
    put("\r\n", "OK", 2, "\r\n");
}

/* What the host must write before the dialogue goes on. */
static bool was_written(const char *wire, size_t len)
{
    ck_assert_msg(host.nwritten <= len && memcmp(host.written, wire, host.nwritten) == 0,
                  "the client sends `%.*s`, not `%.*s`", (int)host.nwritten, host.written, (int)len,
                  wire);
    if (host.nwritten < len) {
        return false;
    }
    host.nwritten = 0;
    return true;
}

static bool data_were_written(const struct step *step)
{
    char wire[DATA_MAX];
    int n = snprintf(wire, sizeof wire, "%s%c", step->text, step->end);
    return was_written(wire, (size_t)n - (step->end == NO_END));
}

/* The next line of the dialogue, once it is the module's turn. */
static void say_next(void)
{
    while (host.out_len == host.out_at && host.step < host.end) {
        const struct step *step = step_at(host.step);
        if (step->kind == STEP_LINE) {
            put("\r\n", step->text, strlen(step->text), step->after);
            put("\r\n", "", 0, "");
        } else if (step->kind == STEP_PROMPT) {
            put("\r\n", step->text, strlen(step->text), " ");
        } else if (step->kind == STEP_HOST ? !was_written(step->wire, step->wire_len)
                                           : !data_were_written(step)) {
            return;
        }
        host.step++;
    }
}

static int on_write(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    ck_assert_uint_le(host.nwritten + n, sizeof host.written);
    memcpy(host.written + host.nwritten, data, n);
    host.nwritten += n;
    return (int)n;
}

/* In small pieces, as a slow line brings them. */
static int on_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    (void)ctx;
    if (host.out_at == host.out_len) {
        host.out_at = host.out_len = 0;
        if (!host.starting) {
            say_next();
        } else if (host.nwritten > 0 && host.written[host.nwritten - 1u] == '\r') {
            answer_start();
        }
    }
    size_t left = host.out_len - host.out_at;
    if (left == 0) {
        host.now += wait_ms;
        ck_assert_msg(++host.idle < IDLE_MAX, "nothing more to say after `%.*s`",
                      (int)host.nwritten, host.written);
        return 0;
    }
    n = n < left ? n : left;
    n = n < 7 ? n : 7;
    memcpy(data, host.out + host.out_at, n);
    host.out_at += n;
    host.now++;
    return (int)n;
}

static uint32_t on_now(void *ctx)
{
    (void)ctx;
    return host.now;
}

/* Unasked ----------------------------------------------------------------- */

static void on_urc(void *ctx, const struct at_line *line)
{
    union value got = {{0}};
    const struct step *step;
    const char *wrong;
    (void)ctx;
    while (host.heard < host.d->nsteps && !host.unasked[host.heard]) {
        host.heard++;
    }
    ck_assert_msg(host.heard < host.d->nsteps, "`%.*s` is heard unasked", (int)line->len,
                  line->text);
    step = step_at(host.heard++);
    ck_assert_uint_eq(line->record->id, step->record);
    ck_assert_int_eq(at_line_decode(line, &got), AT_OK);
    wrong = line_difference(host.module, step->record, &step->meant, &got);
    ck_assert_msg(wrong == NULL, "`%s`: <%s> differs", step->text, wrong);
    ck_assert_int_eq(line->payload > 0, *step->after != '\0');
}

static void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                       size_t remaining)
{
    const char *expected = payload_of(step_at(host.heard - 1u));
    (void)ctx;
    (void)record;
    memcpy(host.payload + host.payload_len, data, n);
    host.payload_len += n;
    if (remaining == 0) {
        ck_assert_uint_eq(host.payload_len, strlen(expected));
        ck_assert_mem_eq(host.payload, expected, host.payload_len);
        host.payload_len = 0;
    }
}

static void on_unknown(void *ctx, struct at_str line)
{
    (void)ctx;
    ck_abort_msg("`%.*s` is unknown", (int)line.len, line.ptr);
}

/* One command ------------------------------------------------------------- */

static bool belongs_to(const struct at_form *form, uint16_t record)
{
    bool found = false;
    for (uint8_t i = 0; form != NULL && i < form->nresponses; i++) {
        found = found || form->responses[i].record == record;
    }
    for (uint8_t i = 0; form != NULL && i < form->rare->nthen; i++) {
        found = found || form->rare->then[i].record == record;
    }
    return found || record_of(record)->kind == AT_KIND_FINAL;
}

/* How the command ends: what the dialogue's lines say of it. */
static int expected_status(const struct at_form *form, size_t first, size_t end)
{
    int stored = 0;
    for (size_t i = first; i < end; i++) {
        const struct step *step = step_at(i);
        const struct at_record *record;
        if (step->kind != STEP_LINE || host.unasked[i]) {
            continue;
        }
        record = record_of(step->record);
        if (record->outcome == AT_OUTCOME_ERROR || record->outcome == AT_OUTCOME_FAIL) {
            return record->outcome == AT_OUTCOME_ERROR ? AT_E_ERROR : AT_E_FAIL;
        }
        for (uint8_t k = 0; k < form->rare->nthen; k++) {
            int32_t code;
            if (form->rare->then[k].record == step->record &&
                line_int(host.module, record, &step->meant, form->rare->then[k].status, &code) &&
                code != 0) {
                return AT_E_FAIL;
            }
        }
        stored += record->kind != AT_KIND_FINAL;
    }
    return stored;
}

/* A sink for every kind of line that may come. */
static void add_sink(struct at_call *call, uint16_t record, union value *items)
{
    size_t i = 0;
    if (record_of(record)->kind == AT_KIND_FINAL) {
        return;
    }
    while (call->sinks[i].record != AT_NONE && call->sinks[i].record != record) {
        i++;
        ck_assert_uint_lt(i, AT_SINKS_MAX);
    }
    call->sinks[i].record = record;
    call->sinks[i].items = items + i * ITEMS_MAX;
    call->sinks[i].max = ITEMS_MAX;
}

static void assert_stored(const struct at_call *call, const struct step *step, uint16_t *nth)
{
    union value got;
    uint16_t size = record_of(step->record)->size;
    size_t i = 0;
    const char *wrong;
    while (call->sinks[i].record != step->record) {
        i++;
    }
    ck_assert_uint_lt(nth[i], call->sinks[i].count);
    memset(&got, 0, sizeof got);
    memcpy(&got, (const char *)call->sinks[i].items + (size_t)nth[i] * size, size);
    nth[i]++;
    wrong = line_difference(host.module, step->record, &step->meant, &got);
    ck_assert_msg(wrong == NULL, "`%s`: <%s> differs", step->text, wrong);
}

/* The payload as the caller gets it: what hexadecimal digits stand for. */
static void assert_payload(const struct at_call *call, const struct step *step, size_t *at)
{
    const struct at_payload *payload = record_of(step->record)->rare->payload;
    uint8_t bytes[DATA_MAX];
    const char *wire = payload_of(step);
    size_t len = strlen(wire);
    bool hex = payload != NULL &&
               (payload->format_slot == AT_UNKNOWN ? payload->hex != 0
                                                   : host.settings[payload->format_slot] == 1);
    memcpy(bytes, wire, len);
    if (hex) {
        len = (size_t)at_hex_decode(bytes, len, bytes);
    }
    ck_assert_uint_le(*at + len, call->data_len);
    ck_assert(memcmp(call->data + *at, bytes, len) == 0);
    *at += len;
}

static void hold_command(size_t first, size_t end)
{
    static union value items[AT_SINKS_MAX * ITEMS_MAX];
    static uint8_t data[DATA_MAX];
    const struct step *command = step_at(first);
    const struct at_form *form = command->form;
    struct at_call call = {0};
    uint16_t nth[AT_SINKS_MAX] = {0};
    size_t payload = 0;

    call.form = form;
    call.sending = &at_sending;
    call.request = &command->meant;
    call.data = data;
    call.data_size = sizeof data;
    for (size_t i = 0; i < AT_SINKS_MAX; i++) {
        call.sinks[i].record = AT_NONE;
    }
    for (uint8_t i = 0; i < form->nresponses; i++) {
        add_sink(&call, form->responses[i].record, items);
    }
    for (uint8_t i = 0; i < form->rare->nthen; i++) {
        add_sink(&call, form->rare->then[i].record, items);
    }
    host.step = first;
    host.end = end;
    int status = at_client_call(&host.client, &call);
    ck_assert_msg(status == expected_status(form, first, end), "`%s` ends with %d, not %d",
                  command->text, status, expected_status(form, first, end));
    for (size_t i = first; i < end; i++) {
        const struct step *step = step_at(i);
        if (step->kind == STEP_LINE && !host.unasked[i] &&
            record_of(step->record)->kind != AT_KIND_FINAL) {
            assert_stored(&call, step, nth);
            assert_payload(&call, step, &payload);
        }
    }
    ck_assert_uint_eq(call.data_len, payload);
}

/* What the module says while no command waits. */
static void hear_rest(size_t end)
{
    host.end = end;
    for (;;) {
        size_t room;
        if (host.step >= host.end && host.out_at == host.out_len) {
            return;
        }
        uint8_t *to = at_client_reserve(&host.client, &room);
        int n = on_read(NULL, to, room, 0);
        at_client_commit(&host.client, (size_t)n);
    }
}

/* What the client was told or has set is as expected. */
static void assert_settings(const uint8_t *expected)
{
    for (uint8_t slot = 0; slot < host.module->nslots; slot++) {
        ck_assert_msg(host.settings[slot] == expected[slot] ||
                          (host.settings[slot] == AT_UNKNOWN && !host.told[slot]),
                      "setting %d is %d, not %d", slot, host.settings[slot], expected[slot]);
    }
}

/* The whole --------------------------------------------------------------- */

static size_t next_command(size_t i)
{
    while (i < host.d->nsteps && step_at(i)->kind != STEP_HOST &&
           step_at(i)->kind != STEP_REFUSED) {
        i++;
    }
    return i;
}

static void start(const struct dialogue *d)
{
    struct at_client_config config = {0};
    memset(&host, 0, sizeof host);
    host.d = d;
    host.module = d->grammar->module;
    picker_init(&host.picker, 1);
    config.module = host.module;
    config.write = on_write;
    config.now = on_now;
    config.read = on_read;
    config.urc = on_urc;
    config.payload = on_payload;
    config.unknown = on_unknown;
    config.window = host.window;
    config.window_size = sizeof host.window;
    config.command = host.command;
    config.command_size = sizeof host.command;
    config.text = host.text;
    config.text_size = sizeof host.text;
    config.settings = host.settings;
    ck_assert_int_eq(at_client_init(&host.client, &config), AT_OK);
    host.starting = true;
    ck_assert_int_eq(at_client_sync(&host.client), AT_OK);
    assert_settings(d->initial);
    host.starting = false;
    covers_in(d->source, "session", "session", "examples by the client");
}

void dialogue_by_client(const struct dialogue *d)
{
    const struct at_form *form = NULL;
    start(d);
    for (size_t i = 0; i < d->nsteps; i++) {
        const struct step *step = step_at(i);
        form = step->kind == STEP_HOST ? step->form : step->kind == STEP_REFUSED ? NULL : form;
        host.unasked[i] = step->kind == STEP_LINE && !belongs_to(form, step->record);
    }
    hear_rest(next_command(0));
    for (size_t i = next_command(0); i < d->nsteps;) {
        size_t end = next_command(i + 1u);
        host.idle = 0;
        if (step_at(i)->kind == STEP_HOST) { /* no typed request is refused in this way */
            hold_command(i, end);
            hear_rest(end);
        }
        i = end;
    }
    while (host.heard < d->nsteps) {
        ck_assert_msg(!host.unasked[host.heard], "`%s` isn't heard", step_at(host.heard)->text);
        host.heard++;
    }
    assert_settings(d->host.settings);
    ck_assert_uint_eq(host.client.counters.stray + host.client.counters.late +
                          host.client.counters.timeouts + host.client.counters.payload_lost,
                      0);
}

#include "unit/dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covers.h"

static struct dialogue dialogue; /* each test runs in a process of its own */

static const struct at_module *module_of(const struct dialogue *d)
{
    return d->grammar->module;
}

static void covers_too(const struct dialogue *d, const char *kind, const char *name)
{
    char test[128];
    snprintf(test, sizeof test, "example %s", d->section);
    covers_in(d->source, kind, name, test);
}

/* Listening --------------------------------------------------------------- */

static void log_text(struct listener *l, const void *text, size_t len)
{
    ck_assert_uint_le(l->log_len + len, sizeof l->log);
    memcpy(l->log + l->log_len, text, len);
    l->log_len += len;
}

static void log_event(struct listener *l, const char *what, const char *name, const void *text,
                      size_t len)
{
    char head[128];
    int n = snprintf(head, sizeof head, "\n%s %s: ", what, name);
    log_text(l, head, (size_t)n);
    log_text(l, text, len);
}

/* An OK makes the settings what the oldest unanswered command asked for. */
static void take_effects(struct listener *l, const struct step *command)
{
    const struct at_module *module = module_of(l->dialogue);
    const struct at_form *form = command->form;
    for (uint8_t i = 0; i < form->rare->neffects; i++) {
        const struct at_effect *effect = &form->rare->effects[i];
        int32_t key = 0;
        int32_t value;
        uint8_t slot;
        if (effect->slots > 1) {
            (void)at_request_int(module, form, &command->meant, effect->key, &key);
        }
        if (at_request_int(module, form, &command->meant, effect->value, &value) &&
            at_setting_slot(effect, key, value, &slot)) {
            l->settings[slot] = (uint8_t)value;
        }
    }
}

static void on_final(struct listener *l, uint8_t outcome)
{
    const struct dialogue *d = l->dialogue;
    if (outcome != AT_OUTCOME_OK && outcome != AT_OUTCOME_ERROR) {
        return;
    }
    while (l->answered < d->nsteps && d->steps[l->answered].kind != STEP_HOST &&
           d->steps[l->answered].kind != STEP_REFUSED) {
        l->answered++;
    }
    ck_assert_msg(l->answered < d->nsteps, "a final result without a command");
    if (outcome == AT_OUTCOME_OK) {
        ck_assert(d->steps[l->answered].kind == STEP_HOST);
        take_effects(l, &d->steps[l->answered]);
    }
    l->answered++;
}

static void on_line(struct listener *l, const struct at_line *line)
{
    char framing[64];
    int n = snprintf(framing, sizeof framing, " (%d fields, payload %d%s)", line->nmarks,
                     (int)line->payload, line->hex ? " in hex" : "");
    log_event(l, "line", line->record->name, line->text, line->len);
    log_text(l, framing, (size_t)n);
    l->lines++;
    l->line = *line;
    memcpy(l->text, line->text, line->len);
    memcpy(l->marks, line->marks, line->nmarks * sizeof *line->marks);
    l->line.text = l->text;
    l->line.marks = l->marks;
    if (line->record->kind == AT_KIND_FINAL) {
        on_final(l, line->record->outcome);
    }
}

static void on_payload(struct listener *l, const struct at_event *event)
{
    if (!l->in_payload) { /* pieces of one payload are one event */
        log_event(l, "payload", event->record->name, "", 0);
    }
    log_text(l, event->data, event->len);
    l->in_payload = event->remaining > 0;
    memcpy(l->payload + l->payload_len, event->data, event->len);
    l->payload_len += event->len;
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct listener *l = ctx;
    if (event->type == AT_EVENT_LINE) {
        on_line(l, event->line);
    } else if (event->type == AT_EVENT_PAYLOAD) {
        on_payload(l, event);
    } else if (event->type == AT_EVENT_PROMPT) {
        log_event(l, "prompt", "", "", 0);
        l->prompts++;
    } else {
        log_event(l, "other", "", event->data, event->len);
        l->others++;
    }
}

static void listen(struct listener *l, const struct dialogue *d)
{
    memset(l, 0, sizeof *l);
    l->dialogue = d;
    memcpy(l->settings, d->initial, sizeof l->settings);
    (void)at_stream_init(&l->stream, module_of(d), l->settings, l->window, sizeof l->window, on_event, l);
}

/* The module says `text` and `after` as one block, and the host hears it. */
static void module_says(struct dialogue *d, const char *text, const char *after)
{
    char *wire = d->said + d->said_len;
    size_t room = sizeof d->said - d->said_len;
    int n = snprintf(wire, room, "\r\n%s%s", text, after);
    ck_assert(n > 0 && (size_t)n < room);
    d->said_len += (size_t)n;
    d->host.lines = d->host.prompts = d->host.others = 0;
    d->host.payload_len = 0;
    at_stream_feed(&d->host.stream, (const uint8_t *)wire, (size_t)n);
}

/* The steps --------------------------------------------------------------- */

struct dialogue *dialogue_open(const struct at_grammar *grammar, const char *source,
                               const char *section, const char *title)
{
    const struct at_module *module = grammar->module;
    struct dialogue *d = &dialogue;
    memset(d, 0, sizeof *d);
    d->grammar = grammar;
    d->source = source;
    d->section = section;
    d->title = title;
    ck_assert_uint_le(module->nslots, SETTINGS_MAX);
    for (uint8_t i = 0; i < module->nsettings; i++) {
        memset(d->initial + module->settings[i].slot, module->settings[i].initial,
               module->settings[i].slots);
    }
    listen(&d->host, d);
    return d;
}

void dialogue_set(struct dialogue *d, uint8_t slot, uint8_t value)
{
    d->initial[slot] = d->host.settings[slot] = value;
}

void dialogue_spell(struct dialogue *d, const char *spelled)
{
    d->spelled = spelled;
}

static const char *spelling(struct dialogue *d, const char *text)
{
    const char *spelled = d->spelled != NULL ? d->spelled : text;
    d->spelled = NULL;
    return spelled;
}

static struct step *add_step(struct dialogue *d, enum step_kind kind, const char *text)
{
    struct step *step = &d->steps[d->nsteps++];
    ck_assert_uint_le(d->nsteps, STEPS_MAX);
    step->kind = kind;
    step->text = text;
    step->end = NO_END;
    return step;
}

static void keep_meaning(struct step *step, const void *meant, size_t size)
{
    ck_assert_uint_le(size, sizeof step->meant);
    if (size > 0) {
        memcpy(&step->meant, meant, size);
    }
}

static void parse(struct dialogue *d, const struct at_form *form, const char *text, size_t len,
                  union value *got, uint8_t *room)
{
    struct at_command command;
    int status =
        at_command_parse(d->grammar, d->host.settings, (const uint8_t *)text, len, &command, NULL);
    ck_assert_msg(status == AT_OK && command.form == form, "`%.*s` is read as %s.%s, %d", (int)len,
                  text, command.form != NULL ? command.form->command : "?",
                  command.form != NULL ? command.form->name : "?", status);
    ck_assert_int_eq(at_command_decode(d->grammar, &command, got), AT_OK);
    unhex_data(module_of(d), form, d->host.settings, got, room);
}

void dialogue_say(struct dialogue *d, uint16_t form_id, const char *text, int n, const void *meant,
                  void *got, size_t size)
{
    static uint8_t room[2][DATA_MAX];
    const struct at_form *form = &module_of(d)->forms[form_id];
    struct step *step = add_step(d, STEP_HOST, text);
    const char *spelled = spelling(d, text);
    size_t len = strlen(spelled);
    union value read;
    union value reread;
    char name[128];

    ck_assert_msg(n == (int)len + 1 && memcmp(d->line, spelled, len) == 0 && d->line[len] == '\r',
                  "`%s` is encoded as `%.*s`", text, n < 0 ? 0 : n, d->line);
    step->form = form;
    keep_meaning(step, meant, size);
    memcpy(step->wire, d->line, (size_t)n);
    step->wire_len = (size_t)n;

    ck_assert_uint_eq(form->size, size);
    parse(d, form, text, strlen(text), &read, room[0]);
    parse(d, form, spelled, len, &reread, room[1]);
    ck_assert_ptr_null(request_difference(module_of(d), form, &read, &reread));
    if (got != NULL) {
        memcpy(got, &read, size);
    }
    snprintf(name, sizeof name, "%s.%s", form->command, form->name);
    covers_too(d, "form", name);
}

void dialogue_refused(struct dialogue *d, const char *text)
{
    struct at_command command;
    int status = at_command_parse(d->grammar, d->host.settings, (const uint8_t *)text, strlen(text),
                                  &command, NULL);
    ck_assert_msg(status < 0, "`%s` isn't refused but read as %s.%s", text,
                  command.form != NULL ? command.form->command : "?",
                  command.form != NULL ? command.form->name : "?");
    (void)add_step(d, STEP_REFUSED, text);
}

const struct at_line *dialogue_hear(struct dialogue *d, uint16_t record, const char *text,
                                    const char *after, const void *meant, size_t size)
{
    struct step *step = add_step(d, STEP_LINE, text);
    struct listener *host = &d->host;
    char rest[1024];
    const char *payload = *after == ',' ? after + 1 : *after == '\r' ? after + 2 : after;

    step->after = after;
    step->record = record;
    keep_meaning(step, meant, size);
    snprintf(rest, sizeof rest, "%s\r\n", after);
    module_says(d, text, rest);
    ck_assert_msg(host->lines == 1 && host->others == 0 && host->prompts == 0,
                  "`%s`: %u lines, %u other events", text, host->lines, host->others);
    ck_assert_msg(host->line.record->id == record, "`%s` is a %s", text, host->line.record->name);
    ck_assert_msg(host->payload_len == strlen(payload) &&
                      memcmp(host->payload, payload, host->payload_len) == 0,
                  "`%s` comes with `%.*s`", text, (int)host->payload_len, (char *)host->payload);
    covers_too(d, "line", host->line.record->name);
    return &host->line;
}

void dialogue_plain(struct dialogue *d, uint16_t record, const char *text)
{
    const struct at_line *line = dialogue_hear(d, record, text, "", NULL, 0);
    if (line->record->kind == AT_KIND_TEST) {
        struct at_str *ranges = (void *)&d->steps[d->nsteps - 1u].meant;
        ck_assert_int_eq(at_line_decode(line, ranges), AT_OK);
        ranges->ptr = text + ((const uint8_t *)ranges->ptr - line->text); /* lives on */
        ck_assert_str_eq(ranges->ptr, strchr(text, ':') + 2);
    }
}

void dialogue_spells(struct dialogue *d, const char *text, int n)
{
    const char *spelled = spelling(d, text);
    if (*spelled == '\0') {
        return;
    }
    ck_assert_msg(n == (int)strlen(spelled) && memcmp(d->line, spelled, (size_t)n) == 0,
                  "`%s` is encoded as `%.*s`", text, n < 0 ? 0 : n, d->line);
}

void dialogue_prompt(struct dialogue *d, const char *text)
{
    (void)add_step(d, STEP_PROMPT, text);
    module_says(d, text, " ");
    ck_assert_msg(d->host.prompts == 1 && d->host.lines == 0 && d->host.others == 0,
                  "`%s` is no prompt", text);
}

void dialogue_send(struct dialogue *d, const char *data, int end)
{
    const struct step *command = &d->steps[d->nsteps];
    while ((--command)->kind != STEP_HOST) {
    }
    const struct at_form *form = command->form;
    struct at_bytes bytes = at_request_data(module_of(d), form, &command->meant);
    char wire[DATA_MAX];
    size_t len = bytes.len;

    ck_assert(form->rare->data != NULL && form->rare->data->prompt != 0);
    if (at_data_hex(form->rare->data, d->host.settings) > 0) {
        at_hex_encode(bytes.ptr, len, wire);
        len *= 2u;
    } else {
        memcpy(wire, bytes.ptr, len);
    }
    ck_assert_msg(len == strlen(data) && memcmp(wire, data, len) == 0, "`%.*s` is sent, not `%s`",
                  (int)len, wire, data);
    ck_assert(end == form->rare->data->until || end == form->rare->data->cancel);
    struct step *step = add_step(d, STEP_DATA, data);
    step->end = end;
}

void dialogue_left(struct dialogue *d, const char *setting, uint8_t slot, uint8_t value)
{
    ck_assert_msg(d->host.settings[slot] == value, "%s is %d, not %d", setting,
                  d->host.settings[slot], value);
    covers_too(d, "setting", setting);
}

/* All of it again ---------------------------------------------------------- */

static void assert_heard_alike(const struct dialogue *d, const struct listener *l, size_t at)
{
    ck_assert_msg(l->log_len == d->host.log_len && memcmp(l->log, d->host.log, l->log_len) == 0,
                  "split at %zu, the log is:%.*s\nand not:%.*s", at, (int)l->log_len, l->log,
                  (int)d->host.log_len, d->host.log);
    ck_assert_mem_eq(l->settings, d->host.settings, sizeof l->settings);
}

static void at_every_split(const struct dialogue *d)
{
    static struct listener again;
    const uint8_t *said = (const uint8_t *)d->said;
    for (size_t at = 0; at <= d->said_len; at++) {
        listen(&again, d);
        at_stream_feed(&again.stream, said, at);
        at_stream_feed(&again.stream, said + at, d->said_len - at);
        assert_heard_alike(d, &again, at);
    }
    listen(&again, d);
    for (size_t at = 0; at < d->said_len; at++) {
        at_stream_feed(&again.stream, said + at, 1);
    }
    assert_heard_alike(d, &again, 1);
}

void dialogue_end(struct dialogue *d)
{
    char name[256];
    at_every_split(d);
    dialogue_by_client(d);
    snprintf(name, sizeof name, "%s %s", d->section, d->title);
    covers_too(d, "example", name);
    covers_too(d, "section", d->section);
}

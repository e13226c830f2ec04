#include "witness.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "virtual_internal.h"

/* Any line's struct. */
union value {
    char bytes[512];
    void *pointer;
};

static void __attribute__((format(printf, 2, 3))) accuse(struct witness *w, const char *format, ...)
{
    va_list arguments;

    if (w->what[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(w->what, sizeof w->what, format, arguments);
    va_end(arguments);
}

static struct carried_out *command_at(struct witness *w, uint32_t i)
{
    return &w->command[i % WITNESS_COMMANDS];
}

static struct saying *saying_at(struct witness *w, uint32_t i)
{
    return &w->saying[i % WITNESS_SAYINGS];
}

static uint32_t oldest(uint32_t count, uint32_t ring, uint32_t from)
{
    return count - from > ring ? count - ring : from;
}

/* ---- what the module does --------------------------------------------------- */

void witness_command(struct witness *w, const uint8_t *line, size_t len)
{
    struct carried_out *command = command_at(w, w->commands++);

    command->answered = NOT_ANSWERED;
    command->final[0] = '\0';
    command->len = len;
    memcpy(command->line, line, len);
}

void witness_sent(struct witness *w, const uint8_t *data, size_t len)
{
    struct sent *sent = &w->send[w->sends++ % WITNESS_SENDS];

    sent->len = len;
    memcpy(sent->data, data, len);
}

static void said_line(struct witness *w, enum virtual_part part, const char *text, size_t len)
{
    struct saying *saying = saying_at(w, w->sayings++);

    memset(saying, 0, offsetof(struct saying, payload));
    saying->part = part;
    saying->command = part == VIRTUAL_ANSWER ? w->answering : w->commands;
    saying->len = len < sizeof saying->text ? len : sizeof saying->text;
    memcpy(saying->text, text, saying->len);
    saying->hex = w->vm->settings[BC26_SETTING_RECV_DATA_FORMAT] == BC26_DATA_FORMAT_HEX;
}

static void said_lines(struct witness *w, enum virtual_part part, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = 0;
        while (at + n < len && text[at + n] != '\r' && text[at + n] != '\n')
            n++;
        if (n > 0)
            said_line(w, part, text + at, n);
        at += n + 1;
    }
}

static void said_payload(struct witness *w, const uint8_t *data, size_t len)
{
    struct saying *saying = saying_at(w, w->sayings - 1u);

    if (saying->text[saying->len - 1] == ',') /* which belongs to what is behind it */
        saying->len--;
    saying->payload_len = len;
    memcpy(saying->payload, data, len);
}

static void said_final(struct witness *w, const char *text, size_t len)
{
    struct carried_out *command = command_at(w, w->answering);

    if (w->answering == w->commands)
        return;
    w->answering++;
    while (len > 0 && (*text == '\r' || *text == '\n'))
        text++, len--;
    while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n'))
        len--;
    command->answered = len == 2 && memcmp(text, "OK", 2) == 0 ? ANSWERED_OK : ANSWERED_ERROR;
    (void)snprintf(command->final, sizeof command->final, "%.*s", (int)len, text);
}

void witness_said(struct witness *w, const struct fault_unit *unit)
{
    const char *text = (const char *)unit->text;

    if (unit->made || (unit->lost && unit->part != VIRTUAL_FINAL))
        return;
    if (unit->part == VIRTUAL_ANSWER || unit->part == VIRTUAL_LATER)
        said_lines(w, unit->part, text, unit->len);
    else if (unit->part == VIRTUAL_PAYLOAD)
        said_payload(w, unit->text, unit->len);
    else if (unit->part == VIRTUAL_FINAL)
        said_final(w, text, unit->len);
    else if (unit->part == VIRTUAL_NOISE)
        w->answering = w->commands; /* a restart: nothing else will be answered */
}

/* ---- what the host was told -------------------------------------------------- */

static int encode(const struct at_record *record, const void *value, char *text, size_t size)
{
    return at_record_encode(&bc26, record, value, text, size, NULL);
}

static bool is_text(const struct saying *saying, const char *text, int len)
{
    return len > 0 && saying->len == (size_t)len && memcmp(saying->text, text, saying->len) == 0;
}

void witness_urc(struct witness *w, const struct at_line *line)
{
    union value value;
    char text[512];

    (void)at_line_decode(line, &value);
    int len = encode(line->record, &value, text, sizeof text);
    w->pushing = 0;
    w->pushed = 0;
    if (line->payload > 0 && len > 0) { /* with which line it goes, its payload will tell */
        w->pushing = (size_t)len;
        memcpy(w->push, text, (size_t)len);
        return;
    }
    for (uint32_t i = oldest(w->sayings, WITNESS_SAYINGS, 0); i != w->sayings; i++) {
        struct saying *saying = saying_at(w, i);
        if (saying->part != VIRTUAL_LATER || saying->told || !is_text(saying, text, len))
            continue;
        saying->told = true;
        return;
    }
    w->forged++;
    accuse(w, "a URC that was never said: %.*s", (int)line->len, (const char *)line->text);
}

void witness_payload(struct witness *w, const uint8_t *data, size_t n, size_t remaining)
{
    if (w->pushing == 0 || w->pushed + n > sizeof w->data)
        return;
    memcpy(w->data + w->pushed, data, n);
    w->pushed += n;
    if (remaining > 0)
        return;
    for (uint32_t i = oldest(w->sayings, WITNESS_SAYINGS, 0); i != w->sayings; i++) {
        struct saying *saying = saying_at(w, i);
        if (saying->part != VIRTUAL_LATER || saying->told ||
            !is_text(saying, w->push, (int)w->pushing) || saying->payload_len != w->pushed ||
            memcmp(saying->payload, w->data, w->pushed) != 0)
            continue;
        saying->told = true;
        return;
    }
    w->broken++;
    accuse(w, "pushed data that weren't said behind %.*s", (int)w->pushing, w->push);
}

void witness_begin(struct witness *w)
{
    w->what[0] = '\0';
    w->from_command = w->commands;
    w->from_saying = w->sayings;
    w->from_send = w->sends;
}

/* ---- the outcome of a call ------------------------------------------------------ */

static const struct at_record *record_of(uint16_t id)
{
    const struct at_record *record = bc26.records;

    while (record->id != id)
        record++;
    return record;
}

/* The call's command, carried out since it began; or NULL. The last one: what looks the
 * same before it was a question of the client's own. */
static const struct carried_out *find_command(struct witness *w, const struct at_call *call,
                                              const uint8_t *settings, uint32_t *which)
{
    const struct carried_out *found = NULL;
    char line[2048];
    int len = at_form_encode(&bc26, call->form, settings, call->request, line, sizeof line, NULL);

    if (len == AT_E_UNKNOWN_SETTING) /* the host has forgotten them since */
        len = at_form_encode(&bc26, call->form, w->vm->settings, call->request, line, sizeof line,
                             NULL);
    for (uint32_t i = oldest(w->commands, WITNESS_COMMANDS, w->from_command);
         len > 0 && i != w->commands; i++) {
        const struct carried_out *command = command_at(w, i);
        if (command->len + 1u == (size_t)len && memcmp(command->line, line, command->len) == 0) {
            *which = i;
            found = command;
        }
    }
    return found;
}

/* Whether a line begins as the record does, however the space. */
static bool is_of(const struct saying *saying, const struct at_record *record)
{
    size_t len = strlen(record->head);

    while (len > 0 && record->head[len - 1] == ' ')
        len--;
    return saying->len >= len && memcmp(saying->text, record->head, len) == 0;
}

static bool same_payload(struct witness *w, const struct saying *saying, const struct at_call *call)
{
    size_t len = saying->payload_len / (saying->hex ? 2u : 1u);
    uint8_t bytes[sizeof saying->payload];

    memcpy(bytes, saying->payload, saying->payload_len);
    if (saying->hex)
        (void)at_hex_decode(saying->payload, saying->payload_len, bytes);
    if (len == call->data_len && memcmp(bytes, call->data, len) == 0)
        return true;
    accuse(w, "%zu bytes of data that aren't the %zu of the answer", call->data_len, len);
    return false;
}

/* The lines of a sink must be those of the answer, in their order. */
static bool same_answers(struct witness *w, uint32_t command, const struct at_call *call,
                         const struct at_sink *sink)
{
    const struct at_record *record = record_of(sink->record);
    const char *item = sink->items;
    uint16_t n = 0;
    char text[512];

    for (uint32_t i = oldest(w->sayings, WITNESS_SAYINGS, w->from_saying); i != w->sayings; i++) {
        const struct saying *saying = saying_at(w, i);
        if (saying->part != VIRTUAL_ANSWER || saying->command != command ||
            !is_of(saying, record))
            continue;
        if (n >= sink->count) {
            accuse(w, "a line of the answer is missing: %.*s", (int)saying->len, saying->text);
            return false;
        }
        int len = encode(record, item + n++ * record->size, text, sizeof text);
        if (!is_text(saying, text, len)) {
            accuse(w, "the answer %.*s became %.*s", (int)saying->len, saying->text,
                   len > 0 ? len : 0, text);
            return false;
        }
        if (saying->payload_len > 0 && !same_payload(w, saying, call))
            return false;
    }
    if (n != sink->count)
        accuse(w, "%u lines of %s were told, and %u said", sink->count, record->name, n);
    return n == sink->count;
}

/* Whether a result names whom it is for, and that is another. */
static bool is_anothers(const struct at_call *call, const struct at_record *record,
                        const char *item)
{
    for (unsigned i = 0; i < call->form->rare->nthen; i++) {
        const struct at_completion *then = &call->form->rare->then[i];
        int32_t asked, told;
        if (then->record != record->id || then->match_line == AT_NONE ||
            !at_request_int(&bc26, call->form, call->request, then->match_form, &asked))
            continue;
        for (unsigned j = 0; j < record->nfields; j++) {
            memcpy(&told, item + record->fields[j].offset, sizeof told);
            if (record->fields[j].param == then->match_line && told != asked)
                return true;
        }
    }
    return false;
}

/* The lines of a sink that come after the final result must have been said after it. */
static bool same_results(struct witness *w, uint32_t command, const struct at_call *call,
                         const struct at_sink *sink)
{
    const struct at_record *record = record_of(sink->record);
    const char *item = sink->items;
    char text[512];
    uint32_t i = oldest(w->sayings, WITNESS_SAYINGS, w->from_saying);

    for (uint16_t n = 0; n < sink->count; n++) {
        int len = encode(record, item + n * record->size, text, sizeof text);
        while (i != w->sayings && !(saying_at(w, i)->part == VIRTUAL_LATER &&
                                    saying_at(w, i)->command > command &&
                                    is_text(saying_at(w, i), text, len)))
            i++;
        if (i == w->sayings || is_anothers(call, record, item + n * record->size)) {
            accuse(w, "a result that wasn't said of it since: %.*s", len > 0 ? len : 0, text);
            return false;
        }
        saying_at(w, i++)->told = true;
    }
    return true;
}

/* Whether one of the lines that may follow the command did, with this outcome. */
static bool has_followed(struct witness *w, uint32_t command, const struct at_call *call)
{
    char code[16];

    (void)snprintf(code, sizeof code, "%d", (int)call->error);
    for (uint32_t i = oldest(w->sayings, WITNESS_SAYINGS, w->from_saying); i != w->sayings; i++)
        for (unsigned j = 0; j < call->form->rare->nthen; j++) {
            const struct at_record *record = record_of(call->form->rare->then[j].record);
            const struct saying *saying = saying_at(w, i);
            bool failed = record->outcome == AT_OUTCOME_FAIL;
            if (saying->part != VIRTUAL_LATER || saying->command <= command ||
                !is_of(saying, record))
                continue;
            if (record->kind == AT_KIND_FINAL ? failed == (call->status < 0)
                                              : call->status >= 0 || memmem(saying->text, saying->len,
                                                                            code, strlen(code)))
                return true;
        }
    accuse(w, "nothing followed that says %s", call->status < 0 ? "failed" : "done");
    return false;
}

static bool has_arrived(struct witness *w, const struct at_call *call)
{
    struct at_bytes data = at_request_data(&bc26, call->form, call->request);

    for (uint32_t i = oldest(w->sends, WITNESS_SENDS, w->from_send); i != w->sends; i++) {
        const struct sent *sent = &w->send[i % WITNESS_SENDS];
        if (sent->len == data.len && memcmp(sent->data, data.ptr, data.len) == 0)
            return true;
    }
    accuse(w, "%zu bytes of data haven't arrived as they are", data.len);
    return false;
}

static bool is_result(const struct at_form *form, uint16_t record)
{
    for (unsigned i = 0; i < form->rare->nthen; i++)
        if (form->rare->then[i].sink != 0 && form->rare->then[i].record == record)
            return true;
    return false;
}

static bool is_true(struct witness *w, uint32_t which, const struct at_call *call)
{
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        const struct at_sink *sink = &call->sinks[i];
        if (sink->record == AT_NONE)
            continue;
        if (is_result(call->form, sink->record) ? !same_results(w, which, call, sink)
                                                : !same_answers(w, which, call, sink))
            return false;
    }
    if (call->form->rare->nthen > 0 && !has_followed(w, which, call))
        return false;
    return call->status < 0 || call->form->rare->data == NULL || has_arrived(w, call);
}

enum verdict witness_judge(struct witness *w, const struct at_call *call, const uint8_t *settings)
{
    uint32_t which = 0;
    const struct carried_out *command = find_command(w, call, settings, &which);
    enum answered wanted = call->status == AT_E_ERROR ? ANSWERED_ERROR : ANSWERED_OK;

    if (call->status < 0 && call->status != AT_E_ERROR && call->status != AT_E_FAIL)
        return EXPLICIT;
    if (command == NULL) {
        accuse(w, "the module has carried out no such command");
        return WRONG;
    }
    if (command->answered != wanted) {
        accuse(w, "the module answered %s", command->final[0] != '\0' ? command->final : "nothing");
        return WRONG;
    }
    return wanted == ANSWERED_ERROR || is_true(w, which, call) ? RIGHT : WRONG;
}

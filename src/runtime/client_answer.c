/* What comes from the module: whose is it, and has the command ended? */
#include "client_internal.h"

#include <string.h>

#include "stream.h"
#include "text.h"

enum { COUNT_MAX = 0x7fff, TAINT_MS = 300 };

static uint32_t key_bit(int32_t key)
{
    return UINT32_C(1) << ((uint32_t)key & 31u);
}

/* The first thing that goes wrong with the caller's answer; it runs on to its end. */
static void note(struct at_client *c, int status)
{
    if (c->call->status == AT_OK) {
        c->call->status = status;
    }
}

static void drop_line(struct at_client *c)
{
    if (c->dirty || c->tainted) {
        c->counters.late++;
    } else {
        c->counters.stray++;
    }
}

/* Storing lines ----------------------------------------------------------- */

/* A span points into the window: what it shows goes to the caller's text buffer.
 * Of strings and bytes alike; they have the same members. */
static void keep_span(struct at_client *c, void *member)
{
    struct at_str span;
    memcpy(&span, member, sizeof span);
    if (span.len > c->config.text_size - c->text_used) {
        span.len = 0;
        note(c, AT_E_SPACE);
    }
    char *to = span.len > 0 ? c->config.text + c->text_used : NULL;
    if (to != NULL) {
        memcpy(to, span.ptr, span.len);
    }
    span.ptr = to;
    c->text_used += span.len;
    memcpy(member, &span, sizeof span);
}

static void keep_spans(struct at_client *c, const struct at_record *record, char *item)
{
    const struct at_field *field = record->fields;
    if (record->kind == AT_KIND_TEST) {
        keep_span(c, item);
    }
    for (unsigned i = 0; i < record->nfields; i++, field++) {
        if (c->config.module->params[field->param].kind->type >= AT_STRING) {
            keep_span(c, item + field->offset);
        }
    }
}

static void store(struct at_client *c, const struct at_line *line)
{
    const struct at_record *record = line->record;
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        struct at_sink *sink = &c->call->sinks[i];
        if (sink->items == NULL || sink->record != record->id) {
            continue;
        }
        if (sink->count >= sink->max) {
            c->counters.unstored++;
            note(c, AT_E_SPACE);
            return;
        }
        char *item = (char *)sink->items + (size_t)sink->count * record->size;
        sink->count++;
        (void)at_line_decode(line, item);
        keep_spans(c, record, item);
        return;
    }
}

/* Payloads ---------------------------------------------------------------- */

static void expect_payload(struct at_client *c, const struct at_line *line)
{
    struct at_call *call = c->call;
    size_t room = call->data != NULL ? call->data_size - call->data_len : 0;
    if (line->payload <= 0) {
        return;
    }
    if ((uint32_t)line->payload > room) {
        note(c, AT_E_SPACE);
        return;
    }
    c->payload_to = PAYLOAD_CALLER;
    c->hex = line->hex;
    c->ndigits = 0;
    if (!line->hex) {
        at_stream_direct(&c->stream, call->data + call->data_len);
    }
}

static void take_digits(struct at_client *c, const uint8_t *digits, size_t n)
{
    struct at_call *call = c->call;
    for (size_t i = 0; i < n; i++) {
        c->digits[c->ndigits++] = digits[i];
        if (c->ndigits < 2) {
            continue;
        }
        c->ndigits = 0;
        if (at_hex_decode(c->digits, 2, call->data + call->data_len) < 0) {
            note(c, AT_E_ANSWER);
            c->payload_to = PAYLOAD_DROP;
            return;
        }
        call->data_len++;
    }
}

static void take_bytes(struct at_client *c, const uint8_t *data, size_t n)
{
    uint8_t *to = c->call->data + c->call->data_len;
    if (data != to) { /* it was in the window already */
        memmove(to, data, n);
    }
    c->call->data_len += n;
}

static void on_payload(struct at_client *c, const struct at_event *e)
{
    if (c->payload_to == PAYLOAD_LISTENER) {
        c->listener->payload(c->listener->ctx, e->record, e->data, e->len, e->remaining);
    } else if (c->payload_to == PAYLOAD_URC) {
        c->config.payload(c->config.ctx, e->record, e->data, e->len, e->remaining);
    } else if (c->payload_to == PAYLOAD_DROP) {
        c->counters.payload_lost += (uint32_t)e->len;
    } else {
        c->since = c->heard;
        if (c->hex) {
            take_digits(c, e->data, e->len);
        } else {
            take_bytes(c, e->data, e->len);
        }
    }
}

/* Responses --------------------------------------------------------------- */

static void on_response(struct at_client *c, const struct at_line *line)
{
    const struct at_form *form = c->form;
    unsigned i = 0;
    if (c->phase != PHASE_FINAL) {
        drop_line(c);
        return;
    }
    while (i < form->nresponses && form->responses[i].record != line->record->id) {
        i++;
    }
    if (i >= form->nresponses) {
        drop_line(c);
        return;
    }
    /* A line that wasn't asked for tells nothing: who knows where it comes from. */
    at_line_learn(line, c->config.settings);
    if (c->role != ROLE_CALLER) {
        c->seen[i] = 1;
    } else if (c->seen[i] == form->responses[i].max) {
        c->counters.unstored++;
        note(c, AT_E_ANSWER);
    } else {
        c->seen[i]++;
        store(c, line);
        expect_payload(c, line);
    }
}

/* Completions ------------------------------------------------------------- */

static bool is_keyed(const struct at_completion *then)
{
    return then->match_line != AT_NONE;
}

/* Whether a command that was given up may have caused this line; if so, it has. */
static bool pays_debt(struct at_client *c, const struct at_line *line)
{
    int32_t key;
    if (c->owed_line == NULL || c->owed_line->record != line->record->id ||
        !at_line_int(line, c->owed_line->match_line, &key) || (c->owed & key_bit(key)) == 0) {
        return false;
    }
    c->owed &= ~key_bit(key);
    return true;
}

/* A result may come before its OK if it says for whom it is, and if no command
 * that was given up may have caused it. Behind the OK there is no doubt: while
 * a command runs the module refuses another that the same line would complete. */
static bool completes(const struct at_client *c, const struct at_completion *then,
                      const struct at_line *line, bool owed)
{
    int32_t asked = 0;
    int32_t told = 0;
    bool early = false;
    if (then->record != line->record->id || c->completed) {
        return false;
    }
    if (is_keyed(then)) {
        if (!at_client_request_int(c, then->match_form, &asked) ||
            !at_line_int(line, then->match_line, &told) || asked != told) {
            return false;
        }
        early = !owed;
    }
    return c->phase == PHASE_THEN || (c->phase == PHASE_FINAL && (c->accepted || early));
}

/* Whether a line ends the command with one of the values listed. */
static bool has_end_value(const struct at_completion *then, const struct at_line *line)
{
    int32_t value;
    if (then->ends == AT_ENDS_VALUES && at_line_int(line, then->ends_param, &value)) {
        for (unsigned i = 0; i < then->nvalues; i++) {
            if (then->values[i] == value) {
                return true;
            }
        }
    }
    return false;
}

void at_client_announce(struct at_client *c, uint16_t record, const struct at_line *line)
{
    for (unsigned i = 0; i < c->form->rare->nthen; i++) {
        const struct at_completion *then = &c->form->rare->then[i];
        if (then->count_param == AT_NONE || then->count_record != record) {
            continue;
        }
        int32_t n = then->count_default;
        (void)(line != NULL ? at_line_int(line, then->count_param, &n)
                            : at_client_request_int(c, then->count_param, &n));
        n = n < COUNT_MAX ? n : COUNT_MAX;
        c->remaining = n > 0 ? n + then->count_add : 0;
    }
}

/* Whether this is the last of the lines announced, or announces none. */
static bool is_last(struct at_client *c, const struct at_completion *then,
                    const struct at_line *line)
{
    at_client_announce(c, then->record, line);
    if (then->count_param != AT_NONE && c->remaining > 0) {
        c->remaining--;
    }
    return c->remaining == 0;
}

static bool has_failed(struct at_client *c, const struct at_completion *then,
                       const struct at_line *line)
{
    uint16_t status = has_end_value(then, line) ? then->ends_param : then->status;
    int32_t code;
    if (at_line_int(line, status, &code) && code != 0) {
        c->call->error = code;
        return true;
    }
    return line->record->outcome == AT_OUTCOME_FAIL;
}

static void complete(struct at_client *c, const struct at_completion *then,
                     const struct at_line *line)
{
    bool last = is_last(c, then, line) || then->ends == AT_ENDS_ALWAYS || has_end_value(then, line);
    store(c, line);
    if (has_failed(c, then, line)) {
        c->verdict = AT_E_FAIL;
        last = true;
    }
    if (!last) {
        return;
    }
    c->completed = true;
    if (c->phase == PHASE_THEN) {
        at_client_end(c, c->verdict);
    } else if (c->accepted) { /* by the prompt; no telling whether an OK still comes */
        c->owes_final = true;
        at_client_end(c, c->verdict);
    }
}

static void on_unsolicited(struct at_client *c, const struct at_line *line, bool owed)
{
    c->counters.urcs++;
    c->counters.late += owed;
    if (c->listener != NULL && c->listener->urc(c->listener->ctx, line)) {
        c->payload_to = PAYLOAD_LISTENER;
        return;
    }
    if (line->payload > 0 && c->config.payload != NULL) {
        c->payload_to = PAYLOAD_URC;
    }
    if (c->config.urc != NULL) {
        c->config.urc(c->config.ctx, line);
    }
}

static void on_completion(struct at_client *c, const struct at_line *line)
{
    bool owed = pays_debt(c, line);
    if (c->role == ROLE_CALLER && c->phase >= PHASE_FINAL) {
        for (unsigned i = 0; i < c->form->rare->nthen; i++) {
            if (completes(c, &c->form->rare->then[i], line, owed)) {
                complete(c, &c->form->rare->then[i], line);
                return;
            }
        }
    }
    if (line->record->kind == AT_KIND_FINAL) {
        drop_line(c);
    } else {
        on_unsolicited(c, line, owed);
    }
}

/* Final result codes ------------------------------------------------------ */

static uint32_t factor(const struct at_client *c, uint16_t param, uint16_t left_out)
{
    int32_t value;
    if (param == AT_NONE) {
        return 1;
    }
    return at_client_request_int(c, param, &value) ? (uint32_t)value : left_out;
}

static void on_ok(struct at_client *c)
{
    const struct at_form *form = c->form;
    const struct at_deadline *within = form->rare->within;
    (void)at_client_effects(c, EFFECT_APPLY);
    for (unsigned i = 0; c->role == ROLE_CALLER && i < form->nresponses; i++) {
        if (c->seen[i] < form->responses[i].min) {
            note(c, AT_E_ANSWER);
        }
    }
    if (form->rare->nthen == 0 || c->completed) {
        at_client_end(c, c->verdict);
        return;
    }
    c->phase = PHASE_THEN;
    at_client_arm(c, within->ms * (factor(c, within->a, within->a_default) + within->add) *
                         factor(c, within->b, within->b_default));
}

static void on_error(struct at_client *c, const struct at_line *line)
{
    const struct at_record *record = line->record;
    if (c->role == ROLE_CALLER && record->nfields > 0) {
        (void)at_line_int(line, record->fields[0].param, &c->call->error);
    }
    if (c->phase == PHASE_DATA) { /* what was sent of the data stands in its command line now */
        c->phase = PHASE_THEN; /* and no more is wanted */
        c->out_len = 0;
        at_client_quarantine(c);
    }
    at_client_end(c, AT_E_ERROR);
}

/* A barrier's answer begins with its own line; what comes before is late. */
static bool expects_final(const struct at_client *c, bool ok)
{
    if (c->role == ROLE_BARRIER && c->seen[0] == 0) {
        return false;
    }
    return c->phase == PHASE_FINAL || c->phase == PHASE_PROMPT || (c->phase == PHASE_DATA && !ok);
}

static void on_final(struct at_client *c, const struct at_line *line)
{
    bool ok = line->record->outcome == AT_OUTCOME_OK;
    if (!expects_final(c, ok)) {
        if (c->phase == PHASE_IDLE) {
            c->owes_final = false;
        }
        drop_line(c);
    } else if (!ok) {
        on_error(c, line);
    } else if (c->phase == PHASE_PROMPT) {
        at_client_quarantine(c);
        at_client_end(c, AT_E_ANSWER);
    } else {
        on_ok(c);
    }
}

/* Events ------------------------------------------------------------------ */

/* While settings are unknown a payload is scanned as lines, and a stranger may
 * have written them. Nothing counts until the line has been quiet. */
static bool is_tainted(struct at_client *c)
{
    uint32_t now = at_client_now(c);
    c->tainted = c->tainted && now - c->tainted_at < TAINT_MS;
    c->tainted_at = now;
    return c->tainted;
}

/* A line that announces a payload and fits no settings known: they changed
 * behind our back, or they are still being read. What comes now may be payload,
 * and no answer or event to be trusted: see is_tainted. */
static void on_misfit(struct at_client *c)
{
    c->tainted = true;
    if (c->unset) {
        return;
    }
    if (c->role == ROLE_CALLER) {
        at_client_quarantine(c);
    }
    at_client_forget(c);
    c->dirty = true;
    if (c->call != NULL && c->role == ROLE_CALLER) {
        at_client_finish(c, AT_E_LOST);
    }
}

/* Whether the command under way changes the setting that decides about this line's payload,
 * so that it would have one. */
static bool brings_payload(const struct at_client *c, const struct at_line *line,
                           const struct at_effect *effect)
{
    const struct at_payload *payload = line->record->rare->payload;
    int32_t value;
    int32_t changed = 0;
    int32_t key = 0;
    if (effect->slot != payload->when_slot || !at_client_request_int(c, effect->value, &value) ||
        value != payload->when_value) {
        return false;
    }
    (void)at_client_request_int(c, effect->key, &changed);
    (void)at_line_int(line, payload->when_key, &key);
    return effect->slots == 1 || changed == key;
}

/* Whether a line has no payload as a setting is now, but would if the command under way
 * has changed it already. */
static bool is_in_transit(const struct at_client *c, const struct at_line *line)
{
    const struct at_payload *payload = line->record->rare->payload;
    int32_t n;
    if (payload == NULL || line->payload >= 0 || !at_line_int(line, payload->length, &n) || n <= 0 ||
        c->phase < PHASE_SEND || c->phase > PHASE_FINAL) {
        return false;
    }
    for (unsigned i = 0; i < c->form->rare->neffects; i++) {
        if (brings_payload(c, line, &c->form->rare->effects[i])) {
            return true;
        }
    }
    return false;
}

static void on_line(struct at_client *c, const struct at_line *line)
{
    const struct at_record *record = line->record;
    c->payload_to = PAYLOAD_DROP;
    if (is_in_transit(c, line)) {
        on_misfit(c);
        return;
    }
    switch (record->kind) {
    case AT_KIND_RESPONSE:
    case AT_KIND_TEST:
        on_response(c, line);
        break;
    case AT_KIND_FINAL:
        if (record->outcome == AT_OUTCOME_OK || record->outcome == AT_OUTCOME_ERROR) {
            on_final(c, line);
            break;
        }
        on_completion(c, line);
        break;
    default:
        on_completion(c, line);
    }
}

static void on_prompt(struct at_client *c)
{
    if (c->phase == PHASE_PROMPT) {
        c->call->sending->on_prompt(c);
    } else if (c->stuck > 0) {
        c->prompted = true;
        at_client_leave_data_mode(c);
        (void)at_client_flush(c);
    } else {
        drop_line(c);
    }
}

static bool is_restart(const struct at_client *c, const struct at_event *e)
{
    const struct at_module *module = c->config.module;
    for (unsigned i = 0; i < module->nreboot; i++) {
        if (at_text_equal(e->data, e->len, module->reboot[i])) {
            return true;
        }
    }
    return false;
}

/* A banner has several such lines, and while waking up they tell nothing new -
 * but to a listener, as settings may have been forgotten for another reason. */
static void on_restart(struct at_client *c)
{
    bool waking = c->unset && c->step == 0;
    if (!waking || (c->call != NULL && c->role != ROLE_START)) {
        c->counters.reboots++;
        at_client_restarted(c);
        return;
    }
    at_client_forget(c); /* what was set meanwhile */
    if (c->call == NULL) {
        at_client_tell_restart(c);
    }
}

static void on_unknown(struct at_client *c, const struct at_event *e)
{
    struct at_str text;
    text.ptr = (const char *)e->data;
    text.len = e->len;
    c->counters.unknown++;
    if (c->config.unknown != NULL) {
        c->config.unknown(c->config.ctx, text);
    }
    if (e->record != NULL && e->record->rare->payload != NULL) {
        on_misfit(c);
    } else if (is_restart(c, e)) {
        if (c->tainted) { /* by whom, nobody knows */
            at_client_doubt_volatile(c);
        } else {
            on_restart(c);
        }
    }
}

void at_client_event(void *ctx, const struct at_event *e)
{
    struct at_client *c = ctx;
    if (e->type <= AT_EVENT_ECHO_DATA) {
        c->counting = e->remaining > 0;
        c->heard = at_client_now(c);
    }
    if (is_tainted(c) && (e->type == AT_EVENT_LINE || e->type == AT_EVENT_PROMPT)) {
        c->payload_to = PAYLOAD_DROP;
        drop_line(c);
        if (e->remaining > 0) { /* nor may it count what comes behind the payload */
            c->counting = false;
            at_stream_no_payload(&c->stream);
        }
        return;
    }
    switch (e->type) {
    case AT_EVENT_LINE:
        on_line(c, e->line);
        break;
    case AT_EVENT_PAYLOAD:
        on_payload(c, e);
        break;
    case AT_EVENT_PROMPT:
        on_prompt(c);
        break;
    case AT_EVENT_ECHO:
        c->counters.echoes++;
        break;
    case AT_EVENT_UNKNOWN:
        on_unknown(c, e);
        break;
    case AT_EVENT_OVERLONG:
        c->counters.overlong++;
        break;
    default: /* echoed data; incomplete: who finishes the stream knows */
        break;
    }
}

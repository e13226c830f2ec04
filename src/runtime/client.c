/* The transaction engine. No command has code of its own: a form's descriptor
 * says what is sent, what answers it, and when it has ended. */
#include "client_internal.h"

#include <string.h>

#include "stream.h"

enum { WRITE_RETRY_MS = 2, COMMAND_MIN = 8 };

uint32_t at_client_now(const struct at_client *c)
{
    return c->config.now(c->config.ctx);
}

void at_client_arm(struct at_client *c, uint32_t ms)
{
    c->since = at_client_now(c);
    c->wait = ms + c->config.latency_ms;
}

bool at_client_request_int(const struct at_client *c, uint16_t param, int32_t *value)
{
    return at_request_int(c->config.module, c->form, c->request, param, value);
}

/* Settings ---------------------------------------------------------------- */

/* Whether this form asks for the setting: then the answer tells its value. */
static bool asks_for(const struct at_client *c, uint8_t slot)
{
    const struct at_module *module = c->config.module;
    for (unsigned i = 0; i < module->nsettings; i++) {
        const struct at_setting *setting = &module->settings[i];
        if (setting->slot == slot && setting->read_by == c->form->id) {
            return true;
        }
    }
    return false;
}

int at_client_effects(struct at_client *c, enum effect what)
{
    for (unsigned i = 0; i < c->form->rare->neffects; i++) {
        const struct at_effect *effect = &c->form->rare->effects[i];
        int32_t key = 0;
        int32_t value = 0;
        uint8_t slot;
        bool given = at_client_request_int(c, effect->value, &value);
        if ((effect->slots > 1 && !at_client_request_int(c, effect->key, &key)) ||
            !at_setting_slot(effect, key, value, &slot)) {
            continue;
        }
        uint8_t *setting = &c->config.settings[slot];
        if (what == EFFECT_CHECK) {
            if (!given && *setting == AT_UNKNOWN && !asks_for(c, effect->slot)) {
                return AT_E_UNKNOWN_SETTING;
            }
        } else if (given) {
            *setting = (uint8_t)(what == EFFECT_APPLY ? (uint32_t)value : AT_UNKNOWN);
            c->unset = c->unset || what == EFFECT_DOUBT;
        }
    }
    return AT_OK;
}

/* Sending ----------------------------------------------------------------- */

static bool is_writing(const struct at_client *c)
{
    return c->fill > 0 || c->out_len > 0;
}

bool at_client_has_prompt(const struct at_client *c)
{
    const struct at_data *data = c->form->rare->data;
    return data != NULL && data->prompt != 0;
}

/* All that there was is written: go on to what follows. */
static bool more_to_write(struct at_client *c)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): in this phase there's a call */
    if (c->phase == PHASE_DATA && c->call->sending->next(c)) {
        return true;
    }
    if (c->phase == PHASE_SEND) {
        c->phase = at_client_has_prompt(c) ? PHASE_PROMPT : PHASE_FINAL;
    } else if (c->phase == PHASE_DATA) {
        c->phase = PHASE_FINAL;
    }
    return false;
}

/* A slow port isn't a dead one: every byte it takes starts the deadline anew. */
int at_client_flush(struct at_client *c)
{
    while (is_writing(c) || more_to_write(c)) {
        const uint8_t *from = c->fill > 0 ? &c->escape : c->out;
        size_t n = c->fill > 0 ? 1 : c->out_len;
        int taken = c->config.write(c->config.ctx, from, n);
        if (taken <= 0) {
            return taken < 0 ? AT_E_PORT : AT_OK;
        }
        n = (size_t)taken < n ? (size_t)taken : n;
        c->since = at_client_now(c);
        if (c->fill > 0) {
            c->fill--;
            c->counters.filler++;
        } else {
            c->out += n;
            c->out_len -= n;
        }
    }
    return AT_OK;
}

/* The length of c->form's command line, now in the buffer; or why it can't be sent. */
static int encode_command(struct at_client *c)
{
    int len = at_form_encode(c->config.module, c->form, c->config.settings, c->request,
                             c->config.command, c->config.command_size, &c->call->fault);
    if (len < 0 || c->role != ROLE_CALLER) {
        return len;
    }
    int status = AT_OK;
    if (at_client_has_prompt(c)) {
        const struct at_sending *sending = c->call->sending;
        status = sending != NULL ? sending->begin(c) : AT_E_ARGUMENT;
    }
    if (status == AT_OK) {
        status = at_client_effects(c, EFFECT_CHECK);
    }
    return status < 0 ? status : len;
}

int at_client_send(struct at_client *c)
{
    const struct at_form *form = c->form;
    int len = encode_command(c);
    if (len < 0) {
        return len;
    }
    c->phase = PHASE_SEND;
    c->accepted = c->completed = c->resting = false;
    c->asked = c->role == ROLE_BARRIER ? c->asked : UINT8_MAX;
    c->verdict = AT_OK;
    memset(c->seen, 0, sizeof c->seen);
    c->remaining = -1;
    at_client_announce(c, AT_NONE, NULL);
    at_stream_expect_prompt(&c->stream, at_client_has_prompt(c) || c->stuck > 0);
    c->counters.commands++;
    c->out = (const uint8_t *)c->config.command;
    c->out_len = (size_t)len;
    at_client_arm(c, form->rare->response_ms);
    (void)at_client_flush(c); /* should the port have failed, at_client_poll meets it again */
    return AT_OK;
}

/* Ending ------------------------------------------------------------------ */

static int lines_stored(const struct at_call *call)
{
    unsigned n = 0;
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        n += call->sinks[i].count;
    }
    return (int)n;
}

static void finish(struct at_client *c, int status)
{
    struct at_call *call = c->call;
    c->call = NULL;
    c->phase = PHASE_IDLE;
    c->role = ROLE_CALLER;
    if (c->payload_to == PAYLOAD_CALLER) { /* its buffer isn't ours any more */
        c->payload_to = PAYLOAD_DROP;
        at_stream_direct(&c->stream, NULL);
    }
    at_stream_expect_prompt(&c->stream, c->stuck > 0);
    if (status == AT_OK) {
        status = call->status;
    }
    call->status = status == AT_OK ? lines_stored(call) : status;
    if (call->done != NULL) {
        call->done(call->ctx, call);
    }
}

void at_client_finish(struct at_client *c, int status)
{
    c->ending = ENDING_CALL;
    c->ended = (int8_t)status;
}

void at_client_end(struct at_client *c, int status)
{
    c->ending = c->role == ROLE_CALLER ? ENDING_CALL : ENDING_OWN;
    c->ended = (int8_t)status;
}

void at_client_settle(struct at_client *c)
{
    if (c->ending == ENDING_OWN) {
        c->ending = ENDING_NOT;
        at_client_own_ended(c, c->ended);
    }
    if (c->ending == ENDING_STEP) {
        c->ending = ENDING_NOT;
        int status = at_client_advance(c);
        if (status != AT_OK) {
            at_client_finish(c, status);
        }
    }
    if (c->ending == ENDING_CALL) {
        c->ending = ENDING_NOT;
        finish(c, c->ended);
    }
}

static void abandon(struct at_client *c, int status)
{
    if (status == AT_E_PORT) {
        at_client_cut_off(c);
    } else {
        at_client_quarantine(c);
    }
    at_client_end_dead_payload(c);
    at_client_finish(c, status);
}

static void expire(struct at_client *c)
{
    if (c->phase == PHASE_REST) {
        at_client_rested(c);
    } else if (c->role != ROLE_CALLER && is_writing(c)) {
        /* The buffer holds what the port didn't take yet: no other command fits in. */
        c->since = at_client_now(c);
        at_client_failed_try(c);
    } else {
        c->counters.timeouts++;
        at_client_quarantine(c);
        at_client_end_dead_payload(c);
        at_client_end(c, AT_E_TIMEOUT);
    }
}

/* The public calls -------------------------------------------------------- */

int at_client_init(struct at_client *c, const struct at_client_config *config)
{
    if (config->module == NULL || config->write == NULL || config->now == NULL ||
        config->window == NULL || config->command == NULL || config->settings == NULL) {
        return AT_E_ARGUMENT;
    }
    memset(c, 0, sizeof *c);
    c->config = *config;
    if (config->text == NULL) {
        c->config.text_size = 0;
    }
    if (config->command_size < COMMAND_MIN ||
        at_stream_init(&c->stream, config->module, config->settings, config->window,
                       config->window_size, at_client_event, c) != AT_OK) {
        return AT_E_SPACE;
    }
    at_stream_learn(&c->stream, false);
    at_stream_expect_prompt(&c->stream, false);
    at_client_forget(c);
    return AT_OK;
}

static void take_lines(struct at_call *call, unsigned sink, uint16_t record)
{
    call->sinks[sink].record = record;
    call->sinks[sink].max = 1;
}

void at_call_prepare(struct at_call *call, const struct at_form *form, const void *request)
{
    call->form = form;
    call->request = request;
    call->data = NULL;
    call->data_size = 0;
    call->sending = NULL;
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        take_lines(call, i, i < form->nresponses ? form->responses[i].record : AT_NONE);
    }
    for (unsigned i = 0; i < form->rare->nthen; i++) {
        const struct at_completion *then = &form->rare->then[i];
        if (then->sink != 0) {
            take_lines(call, then->sink - 1u, then->record);
        }
    }
}

static void clear_results(struct at_call *call)
{
    memset(&call->status, 0, sizeof *call - offsetof(struct at_call, status));
    call->error = -1;
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        call->sinks[i].count = 0;
    }
}

/* Data that are read and find no room would be lost: better not to ask for them. */
static bool has_room(const struct at_client *c)
{
    int32_t most = 0;
    return !at_client_request_int(c, c->form->rare->reads, &most) || most < 0 ||
           (uint32_t)most <= c->call->data_size;
}

/* When something has to come first, the caller's command is encoded only then;
 * still, what is wrong with it whatever comes first is told now. */
static int check(struct at_client *c)
{
    bool later = at_client_needs_settings(c);
    if (c->form != NULL && !has_room(c)) {
        return AT_E_SPACE;
    }
    if (c->form == NULL || (!later && !c->dirty && !c->owes_final)) {
        return AT_OK;
    }
    int status = encode_command(c);
    return status >= 0 || (later && status == AT_E_UNKNOWN_SETTING) ? AT_OK : status;
}

int at_client_start(struct at_client *c, struct at_call *call)
{
    if (c->call != NULL) {
        return AT_E_BUSY;
    }
    int status = at_client_flush(c);
    if (status != AT_OK || is_writing(c)) { /* the rest of a command that was given up */
        return status != AT_OK ? status : AT_E_BUSY;
    }
    clear_results(call);
    c->call = call;
    c->form = call->form;
    c->request = call->request;
    c->tries = 0;
    c->text_used = 0;
    status = check(c);
    if (status == AT_OK) {
        status = at_client_advance(c);
    }
    if (status != AT_OK) {
        c->call = NULL;
        c->role = ROLE_CALLER;
    }
    return status;
}

/* What is left of the deadline. */
static uint32_t time_left(const struct at_client *c)
{
    uint32_t elapsed = at_client_now(c) - c->since;
    return c->phase == PHASE_READY || elapsed >= c->wait ? 0 : c->wait - elapsed;
}

uint32_t at_client_poll(struct at_client *c)
{
    int status = at_client_flush(c);
    if (c->call != NULL) {
        if (status != AT_OK) {
            abandon(c, status);
        } else if (c->phase == PHASE_READY) {
            at_client_finish(c, AT_OK);
        } else if (time_left(c) == 0) {
            expire(c);
        }
        at_client_settle(c);
    }
    if (is_writing(c)) {
        return WRITE_RETRY_MS;
    }
    return c->call != NULL ? time_left(c) : UINT32_MAX;
}

int at_client_wait(struct at_client *c, uint32_t wait_ms)
{
    size_t room;
    if (c->config.read == NULL) {
        return AT_E_ARGUMENT;
    }
    uint8_t *to = at_stream_reserve(&c->stream, &room);
    int n = c->config.read(c->config.ctx, to, room, wait_ms);
    if (n >= 0) {
        at_client_commit(c, (size_t)n);
        return AT_OK;
    }
    if (c->call != NULL) {
        abandon(c, AT_E_PORT);
        at_client_settle(c);
    }
    return AT_E_PORT;
}

static int call_and_wait(struct at_client *c, struct at_call *call)
{
    int status = at_client_start(c, call);
    if (status != AT_OK) {
        return status;
    }
    for (;;) {
        uint32_t wait = at_client_poll(c);
        if (c->call != call) {
            return call->status;
        }
        (void)at_client_wait(c, wait);
    }
}

int at_client_call(struct at_client *c, struct at_call *call)
{
    if (c->config.read == NULL) {
        return AT_E_ARGUMENT;
    }
    int status = call_and_wait(c, call);
    c->error = call->error;
    c->fault = call->fault;
    return status;
}

int at_client_sync(struct at_client *c)
{
    struct at_call call;
    memset(&call, 0, sizeof call);
    return at_client_call(c, &call);
}

void at_client_cancel(struct at_client *c)
{
    if (c->call != NULL) {
        abandon(c, AT_E_CANCELED);
        at_client_settle(c);
    }
}

uint8_t *at_client_reserve(struct at_client *c, size_t *room)
{
    return at_stream_reserve(&c->stream, room);
}

void at_client_commit(struct at_client *c, size_t n)
{
    struct at_found found;
    while (at_stream_next(&c->stream, &n, &found)) {
        at_client_event(c, &found.event);
        at_client_settle(c);
    }
}

void at_client_reset(struct at_client *c)
{
    at_stream_finish(&c->stream);
    c->tainted = false;
    at_client_renewed(c);
    at_client_settle(c);
}

void at_client_listen(struct at_client *c, const struct at_listener *listener)
{
    c->listener = listener;
}

uint8_t at_client_setting(const struct at_client *c, uint8_t slot)
{
    return c->config.settings[slot];
}

bool at_client_idle(const struct at_client *c)
{
    return c->call == NULL;
}

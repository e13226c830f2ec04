/* What comes between commands.
 *
 * Settings unknown (at first, after a restart): wake the module, send the
 * start-up forms, pass a barrier, read the settings that are unknown.
 *
 * Quarantine (after a timeout, a cancellation): nothing tells a late OK from
 * another. So a barrier is sent, a query whose line no command can cause that
 * is still unanswered: what comes before that line is late, and the OK behind
 * it is its own. The module answers in turn, so with it all answers before it
 * have come or never will.
 *
 * Data mode (given up between command and end of data): the module may take
 * what is sent next as data. Data ended by a byte are cancelled with a byte,
 * which does no harm should it not be in data mode. Data of a length given
 * can't be cancelled, and the module waits for them for ever: so they are
 * filled up - but only once the prompt came, however late, or a barrier was
 * swallowed. The peer then receives filler, which is counted; the alternative
 * is a module that has to be restarted. A port that failed may have swallowed some
 * itself; and a client that was reset still knows that much. A command may also have
 * become one that asks for data on its way: so before the last try as much is sent as
 * could have been asked for, or one byte that cancels. */
#include "client_internal.h"

#include <string.h>

#include "text.h"

enum { TRIES = 5, REST_MS = 300, REST_ANSWERS = 10 };

/* The request of all of the client's own commands: every optional field is absent. */
static const uint64_t nothing[4];

void at_client_forget(struct at_client *c)
{
    memset(c->config.settings, AT_UNKNOWN, c->config.module->nslots);
    c->unset = true;
    c->step = 0;
}

static void make_clean(struct at_client *c)
{
    c->dirty = c->owes_final = c->prompted = false;
    c->unanswered = 0;
    c->stuck = 0;
}

static void start_anew(struct at_client *c)
{
    at_client_forget(c);
    c->fill = 0;
    c->out_len = 0;
    c->owed = 0;
    c->counting = false;
    at_client_tell_restart(c);
    if (c->call != NULL) {
        at_client_finish(c, AT_E_REBOOT);
    }
}

void at_client_tell_restart(struct at_client *c)
{
    if (c->listener != NULL) {
        c->listener->restarted(c->listener->ctx);
    }
}

/* Quarantine -------------------------------------------------------------- */

static void remember_debts(struct at_client *c)
{
    for (unsigned i = 0; i < c->form->rare->nthen; i++) {
        const struct at_completion *then = &c->form->rare->then[i];
        int32_t key;
        if (then->match_line == AT_NONE || !at_client_request_int(c, then->match_form, &key)) {
            continue;
        }
        if (c->owed_line == NULL || c->owed_line->record != then->record) {
            c->owed = 0;
        }
        c->owed_line = then;
        c->owed |= UINT32_C(1) << ((uint32_t)key & 31u);
    }
}

/* Barriers whose line the form's answer could be taken for. */
static void remember_unanswered(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    for (unsigned i = 0; i < c->form->nresponses; i++) {
        for (unsigned j = 0; j < module->nbarrier; j++) {
            const struct at_form *barrier = &module->forms[module->barrier[j]];
            if (barrier->responses[0].record == c->form->responses[i].record) {
                c->unanswered |= UINT32_C(1) << j;
            }
        }
    }
}

/* Settings are in doubt: once they are read, it begins with the first of those, not anew. */
static void step_back(struct at_client *c)
{
    uint8_t first = (uint8_t)(c->config.module->nstart + 1u);
    if (!c->unset || c->step > first) {
        c->step = first;
    }
}

void at_client_doubt_volatile(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    for (unsigned i = 0; i < module->nsettings; i++) {
        if (module->settings[i].stored == 0) {
            memset(c->config.settings + module->settings[i].slot, AT_UNKNOWN,
                   module->settings[i].slots);
            step_back(c);
            c->unset = true;
        }
    }
}

/* Bytes of a payload were lost, and the stream would take the next lines for
 * them. But a payload that still comes must not be cut short. */
void at_client_end_dead_payload(struct at_client *c)
{
    if (c->counting && at_client_now(c) - c->heard >= c->wait / 2u) {
        c->counting = false;
        at_stream_finish(&c->stream);
        at_client_doubt_volatile(c); /* a restart may have been counted as data */
    }
}

static void quarantine(struct at_client *c, bool arrived)
{
    if (c->phase < PHASE_SEND) {
        return;
    }
    if (c->out == (const uint8_t *)c->config.command && c->phase == PHASE_SEND) {
        c->out_len = 0; /* not a byte of it was sent */
        return;
    }
    c->dirty = true;
    if (c->phase != PHASE_THEN) {
        step_back(c);
        (void)at_client_effects(c, EFFECT_DOUBT);
    }
    if (at_client_has_prompt(c)) {
        c->call->sending->give_up(c, arrived);
    }
    remember_debts(c);
    remember_unanswered(c);
}

void at_client_quarantine(struct at_client *c)
{
    quarantine(c, true);
}

void at_client_cut_off(struct at_client *c)
{
    quarantine(c, false);
}

/* A module that has just come up, as a port that is new, doesn't tell whether the last command
 * was read, by whom, and whether in data mode. What is swallowed will. */
void at_client_restarted(struct at_client *c)
{
    at_client_cut_off(c);
    c->stuck = c->stuck > 0 ? c->stuck : c->fill; /* the port didn't take */
    c->owes_final = c->prompted = false;
    start_anew(c);
}

void at_client_renewed(struct at_client *c)
{
    c->dirty = true; /* what the old transport was asked may still be answered */
    at_client_restarted(c);
}

/* Steps ------------------------------------------------------------------- */

bool at_client_needs_settings(const struct at_client *c)
{
    const struct at_form *form = c->call->form;
    return c->unset && (form == NULL || (form->flags & AT_ANY_TIME) == 0);
}

static const struct at_form *next_start(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    if (c->step == 0 && module->wake == AT_NONE) {
        c->step = 1;
    }
    if (c->step > module->nstart) {
        return NULL;
    }
    return &module->forms[c->step == 0 ? module->wake : module->start[c->step - 1u]];
}

static const struct at_form *next_barrier(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    for (unsigned i = 0; i < module->nbarrier; i++) {
        if ((c->unanswered >> i & 1u) == 0) {
            c->asked = (uint8_t)i;
            return &module->forms[module->barrier[i]];
        }
    }
    return NULL;
}

static bool is_known(const struct at_client *c, const struct at_setting *setting)
{
    const uint8_t *slot = c->config.settings + setting->slot;
    for (unsigned i = 0; i < setting->slots; i++) {
        if (slot[i] == AT_UNKNOWN) {
            return false;
        }
    }
    return true;
}

static const struct at_form *next_query(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    for (;;) {
        unsigned i = (unsigned)c->step - module->nstart - 1u;
        if (i >= module->nsettings) {
            c->unset = false;
            c->counters.resyncs++;
            return NULL;
        }
        const struct at_setting *setting = &module->settings[i];
        if (setting->read_by != AT_NONE && !is_known(c, setting)) {
            return &module->forms[setting->read_by];
        }
        c->step++;
    }
}

/* All barriers are unanswered, and from the next on no answer could be told from a late
 * one. So the module has much longer to answer; what is later than that will be mistaken.
 * If a barrier was the last that was sent, then with its answer all others have come. */
static void rest(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    uint32_t wait = REST_MS;
    c->phase = PHASE_REST;
    c->rested = (uint8_t)c->counters.late;
    if (module->nbarrier > 0) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): &forms[0], no barrier, isn't NULL */
        wait = REST_ANSWERS * module->forms[module->barrier[0]].rare->response_ms;
    }
    if (c->asked < module->nbarrier) {
        c->form = &module->forms[module->barrier[c->asked]];
        c->phase = PHASE_FINAL;
        c->resting = true;
        memset(c->seen, 0, sizeof c->seen);
    }
    at_client_arm(c, wait);
}

void at_client_leave_data_mode(struct at_client *c)
{
    if (c->stuck > 0 && c->prompted) {
        c->fill = c->stuck;
        if (c->stuck > 1) { /* filled up; a single byte may be sent with every try */
            c->stuck = 0;
        }
    }
}

static uint8_t most_tries(const struct at_client *c)
{
    return c->config.tries > 0 ? c->config.tries : TRIES;
}

static bool is_exhausted(const struct at_client *c)
{
    return c->tries >= most_tries(c);
}

int at_client_advance(struct at_client *c)
{
    bool sync = at_client_needs_settings(c);
    if (is_exhausted(c)) {
        return AT_E_LOST;
    }
    c->role = ROLE_START;
    c->form = sync ? next_start(c) : NULL;
    c->request = nothing;
    if (c->form == NULL && (c->dirty || c->owes_final)) {
        c->role = ROLE_BARRIER;
        c->form = next_barrier(c);
        if (c->form == NULL) {
            rest(c);
            return AT_OK;
        }
        c->dirty = true;
        c->counters.barriers++;
    }
    if (c->form == NULL && sync) {
        c->role = ROLE_QUERY;
        c->form = next_query(c);
    }
    if (c->form == NULL) {
        c->role = ROLE_CALLER;
        c->form = c->call->form;
        c->request = c->call->request;
        if (c->form == NULL) {
            c->phase = PHASE_READY;
            return AT_OK;
        }
    } else if (c->form->size > sizeof nothing) {
        return AT_E_SPACE;
    } else {
        at_client_leave_data_mode(c);
    }
    return at_client_send(c);
}

static void advance(struct at_client *c)
{
    c->ending = ENDING_STEP;
}

/* Once nothing late came for as long as an answer takes, none will any more. */
void at_client_rested(struct at_client *c)
{
    if ((uint8_t)c->counters.late != c->rested) {
        c->tries++;
    } else if (c->config.module->nbarrier == 0) {
        make_clean(c);
    } else {
        c->unanswered = 0;
    }
    advance(c);
}

void at_client_failed_try(struct at_client *c)
{
    c->tries++;
    if (is_exhausted(c)) {
        at_client_finish(c, AT_E_LOST);
    }
}

static void next_step(struct at_client *c)
{
    c->tries = 0;
    c->step++;
    /* what answered so far may have been meant for others */
    c->dirty = c->dirty || c->step == c->config.module->nstart + 1u;
}

static bool has_data_mode(const struct at_module *module)
{
    for (unsigned i = 0; i < module->nforms; i++) {
        if (module->forms[i].rare->data != NULL && module->forms[i].rare->data->prompt != 0) {
            return true;
        }
    }
    return false;
}

/* A query that is refused: the feature may be absent, which means a value. */
static bool take_refusal(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    for (unsigned i = 0; i < module->nsettings; i++) {
        const struct at_setting *setting = &module->settings[i];
        if (setting->read_by == c->form->id) {
            if (setting->when_refused == AT_UNKNOWN) {
                return false;
            }
            memset(c->config.settings + setting->slot, setting->when_refused, setting->slots);
        }
    }
    return true;
}

void at_client_own_ended(struct at_client *c, int status)
{
    bool answered = status != AT_E_TIMEOUT;
    if (c->role == ROLE_BARRIER) {
        answered = status == AT_OK;
        if (answered) {
            make_clean(c);
            c->offered = 0;
        }
    } else if (answered) {
        if (c->role == ROLE_QUERY && status != AT_OK && !take_refusal(c)) {
            at_client_finish(c, AT_E_LOST);
            return;
        }
        next_step(c);
    }
    if (!answered && c->resting) { /* what wasn't answered by now won't be */
        c->unanswered = 0;
    } else if (!answered) {
        c->tries++;
        c->prompted = true; /* it may have been taken for data */
        if (c->stuck == 0 && c->tries + 1 == most_tries(c)) { /* whatever was answered or asked */
            c->stuck = c->offered > 0 ? c->offered : has_data_mode(c->config.module);
            c->escape = AT_ESC;
        }
    }
    advance(c);
}

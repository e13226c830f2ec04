/* The whole client against a module that does anything at any time, with a clock of the
 * fuzzer's: it never waits past its deadlines, each command ends exactly once, and what belonged
 * to one that has ended is never touched again, for it's freed then. At the end of each input
 * there is silence, and after it an honest module, with which everything works again. */
#include <stdlib.h>
#include <string.h>

#include "at/client.h"
#include "fuzz.h"

enum {
    STEPS = 64,
    STEP_SIZE = 12,     /* bytes of input that a step chooses by */
    SENT_MAX = 8192,
    HELD_MAX = 65536,
    REST_MS = 300,      /* of the client's, where no barrier says otherwise: */
    REST_ANSWERS = 10,  /* times the barrier's */
    POLLS_MAX = 4000,
    ATTEMPTS = 3        /* to have a command answered after any disaster */
};

/* A command under way, and all that is the caller's. */
struct task {
    struct at_call call;
    union value request;
    struct picker picker; /* whose texts the request points to */
    uint32_t longest;     /* deadline of its phases */
};

enum port { PORT_OPEN, PORT_SLOW, PORT_BLOCKED, PORT_FAILING };

struct module {
    uint8_t settings[SETTINGS_MAX];
    uint8_t sent[SENT_MAX]; /* what the host wrote and isn't answered yet */
    size_t len;
    const struct at_form *form; /* whose data are being taken, or NULL */
    const struct at_form *asked; /* whose results are being told, or NULL */
    union value request;
    uint32_t left;
    bool taken;
    bool lied;                  /* it said what wasn't so: who knows what the host believes */
};

struct world {
    struct input in;
    struct input step;    /* the choices of one step, so that steps don't depend on each other */
    struct at_client client;
    struct module module;
    enum port port;
    uint32_t now;
    uint32_t active;      /* when a byte went over the port last */
    struct task *task;    /* NULL: none is under way */
    unsigned chain;       /* commands that `done` is to start */
    bool ended_well;
    char *text;
    size_t text_size;
    bool holding;         /* after so many bytes more nothing comes through: */
    size_t passes;
    size_t nheld;
    uint8_t held[HELD_MAX];
};

static struct world world;

static const struct at_record *record_of(uint16_t id)
{
    unsigned i = 0;
    while (i < fuzz_module->nrecords && fuzz_module->records[i].id != id) {
        i++;
    }
    return i < fuzz_module->nrecords ? &fuzz_module->records[i] : NULL;
}

/* Deadlines ------------------------------------------------------------------------------- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The longest that one of the client's own commands may take. */
static uint32_t own_deadline(void)
{
    uint32_t ms = fuzz_module->wake != AT_NONE ? fuzz_module->forms[fuzz_module->wake].rare->response_ms
                                               : REST_MS;
    for (unsigned i = 0; i < fuzz_module->nstart; i++) {
        ms = larger(ms, fuzz_module->forms[fuzz_module->start[i]].rare->response_ms);
    }
    for (unsigned i = 0; i < fuzz_module->nbarrier; i++) {
        uint32_t answer = fuzz_module->forms[fuzz_module->barrier[i]].rare->response_ms;
        ms = larger(ms, i == 0 ? REST_ANSWERS * answer : answer);
    }
    for (unsigned i = 0; i < fuzz_module->nsettings; i++) {
        uint16_t form = fuzz_module->settings[i].read_by;
        ms = form != AT_NONE ? larger(ms, fuzz_module->forms[form].rare->response_ms) : ms;
    }
    return ms;
}

static uint32_t factor(const struct task *task, uint16_t param, uint16_t left_out)
{
    int32_t value;
    if (param == AT_NONE) {
        return 1;
    }
    return at_request_int(fuzz_module, task->call.form, &task->request, param, &value)
               ? (uint32_t)value
               : left_out;
}

static uint32_t longest_deadline(const struct task *task)
{
    const struct at_form *form = task->call.form;
    const struct at_deadline *within = form->rare->within;
    uint32_t ms = larger(own_deadline(), form->rare->response_ms);
    if (within != NULL) {
        ms = larger(ms, within->ms * (factor(task, within->a, within->a_default) + within->add) *
                            factor(task, within->b, within->b_default));
    }
    return ms + world.client.config.latency_ms;
}

/* The caller ------------------------------------------------------------------------------ */

static void start_some(void);

static void check_text(const void *member)
{
    struct at_bytes span;
    memcpy(&span, member, sizeof span);
    claim(span.len == 0 || ((const char *)span.ptr >= world.text &&
                            (const char *)span.ptr + span.len <= world.text + world.text_size),
          "a result's text isn't in the caller's buffer");
}

/* All that a line stored can be read, and its texts are where the caller gave room. */
static void check_item(const struct at_record *record, const char *item)
{
    union value value;
    memcpy(&value, item, record->size);
    if (record->kind == AT_KIND_TEST) {
        check_text(&value);
        return;
    }
    for (unsigned i = 0; i < record->nfields; i++) {
        const struct at_field *field = &record->fields[i];
        if (field->offset != AT_NO_MEMBER && is_present(field, &value) &&
            fuzz_module->params[field->param].kind->type >= AT_STRING) {
            check_text(value.bytes + field->offset);
        }
    }
}

static void check_results(const struct at_call *call)
{
    int lines = 0;
    claim(call->status >= AT_E_SYNTAX, "a command ends with %d", call->status);
    claim(call->data_len <= call->data_size, "%zu bytes of data for %zu", call->data_len,
          call->data_size);
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        const struct at_sink *sink = &call->sinks[i];
        lines += sink->count;
        claim(sink->count <= sink->max, "%u lines where %u fit", sink->count, sink->max);
        for (unsigned j = 0; j < sink->count; j++) {
            const struct at_record *record = record_of(sink->record);
            check_item(record, (const char *)sink->items + j * (size_t)record->size);
        }
    }
    claim(call->status < 0 || call->status == lines, "%d lines are stored and %d told", lines,
          call->status);
}

static void free_task(struct task *task)
{
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        free(task->call.sinks[i].items);
    }
    free(task->call.data);
    free(task);
}

static void on_done(void *ctx, struct at_call *call)
{
    struct task *task = ctx;
    claim(task != NULL && task == world.task && call == &task->call,
          "a command ends that isn't under way");
    claim(at_client_idle(&world.client), "a command has ended and isn't over");
    check_results(call);
    world.ended_well = call->status >= 0;
    world.task = NULL;
    free_task(task);
    if (world.chain > 0) {
        world.chain--;
        start_some();
    }
}

static bool has_prompt(const struct at_form *form)
{
    return form->rare->data != NULL && form->rare->data->prompt != 0;
}

static struct task *new_task(const struct at_form *form)
{
    static const size_t data_sizes[] = {2000, 0, 16, 512};
    struct task *task = exactly(NULL, sizeof *task);
    size_t size = data_sizes[choose(&world.step, 4)];
    memset(task, 0, sizeof *task);
    picker_init(&task->picker, choose(&world.step, 65536));
    pick_request(&task->picker, fuzz_module, form, world.module.settings,
                 (uint8_t)choose(&world.step, group_depth(form->fields, form->nfields) + 1u),
                 &task->request);
    at_call_prepare(&task->call, form, &task->request);
    task->call.sending = has_prompt(form) ? &at_sending : NULL;
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        struct at_sink *sink = &task->call.sinks[i];
        const struct at_record *record = record_of(sink->record);
        uint32_t room = choose(&world.step, 4);
        if (record != NULL && room > 0) {
            sink->max = (uint16_t)room;
            sink->items = exactly(NULL, room * (size_t)record->size);
        }
    }
    task->call.data = size > 0 ? exactly(NULL, size) : NULL;
    task->call.data_size = size;
    task->call.done = on_done;
    task->call.ctx = task;
    task->longest = longest_deadline(task);
    return task;
}

static int start(const struct at_form *form)
{
    struct task *task = new_task(form);
    bool busy = world.task != NULL;
    struct task *before = world.task;
    if (!busy) {
        world.task = task;
    }
    world.ended_well = false;
    int status = at_client_start(&world.client, &task->call);
    claim(!busy || status == AT_E_BUSY, "two commands are under way");
    if (status != AT_OK) {
        claim(world.task == (busy ? before : task), "a refused command ends");
        world.task = before;
        free_task(task);
    }
    return status;
}

static bool has_more_to_it(const struct at_form *form)
{
    return form->rare->reads != AT_NONE || form->rare->nthen > 0 || has_prompt(form);
}

/* The one chosen, or the first from there on that is so. */
static void start_such(unsigned i, bool (*is_so)(const struct at_form *form))
{
    unsigned n = fuzz_module->nforms;
    for (unsigned tried = 0; tried < n && !is_so(&fuzz_module->forms[i]); tried++) {
        i = (i + 1u) % n;
    }
    (void)start(&fuzz_module->forms[i]);
}

static bool is_any(const struct at_form *form)
{
    return form != NULL;
}

/* Often one that reads data, sends them at a prompt, or has results to come. */
static void start_some(void)
{
    unsigned i = choose(&world.step, fuzz_module->nforms);
    start_such(i, choose(&world.step, 2) == 1 ? has_more_to_it : is_any);
}

/* The port -------------------------------------------------------------------------------- */

static void take_data(struct module *m, uint8_t c)
{
    const struct at_data *data = m->form->rare->data;
    if (data->until >= 0 ? c == data->until || c == data->cancel : --m->left == 0) {
        m->taken = true;
    }
}

static void take(struct module *m, uint8_t c)
{
    if (m->form != NULL && !m->taken) {
        take_data(m, c);
    } else if (m->len < sizeof m->sent) {
        m->sent[m->len++] = c;
    }
}

/* What was written ahead is data now. */
static void take_again(struct module *m)
{
    size_t n = m->len;
    m->len = 0;
    for (size_t i = 0; i < n; i++) {
        take(m, m->sent[i]);
    }
}

static int on_write(void *ctx, const uint8_t *data, size_t n)
{
    struct module *m = &world.module;
    (void)ctx;
    claim(n > 0, "nothing is written");
    if (world.port == PORT_FAILING || world.port == PORT_BLOCKED) {
        return world.port == PORT_FAILING ? -1 : 0;
    }
    n = world.port == PORT_SLOW ? 1 + (n - 1) / 2 : n;
    for (size_t i = 0; i < n; i++) {
        take(m, data[i]);
    }
    world.active = world.now;
    return (int)n;
}

static uint32_t on_now(void *ctx)
{
    (void)ctx;
    return world.now;
}

/* To the client, as pieces that fit where it wants them. */
static void arrive(const uint8_t *bytes, size_t n, size_t piece)
{
    while (n > 0) {
        size_t room = 0;
        uint8_t *to = at_client_reserve(&world.client, &room);
        claim(room > 0, "there's no room");
        room = room < n ? room : n;
        room = piece > 0 && piece < room ? piece : room;
        memcpy(to, bytes, room);
        world.active = world.now;
        at_client_commit(&world.client, room);
        bytes += room;
        n -= room;
    }
}

/* On its way, where it may be held up. What is too much is lost. */
static void deliver(const uint8_t *bytes, size_t n, size_t piece)
{
    size_t now = world.holding ? (n < world.passes ? n : world.passes) : n;
    size_t later = n - now;
    later = later < HELD_MAX - world.nheld ? later : HELD_MAX - world.nheld;
    world.passes -= world.holding ? now : 0;
    memcpy(world.held + world.nheld, bytes + now, later);
    world.nheld += later;
    arrive(bytes, now, piece);
}

static void release(void)
{
    size_t n = world.nheld;
    world.holding = false;
    world.nheld = 0;
    uint8_t *bytes = exactly(world.held, n); /* what they lead to may be held up again */
    arrive(bytes, n, 0);
    free(bytes);
}

static void say(const char *text)
{
    deliver((const uint8_t *)text, strlen(text), 0);
}

static void say_final(enum at_outcome outcome)
{
    say("\r\n");
    say(final_record(outcome)->head);
    say("\r\n");
}

/* The module ------------------------------------------------------------------------------ */

static void learn_setting(const struct at_effect *effect, bool told, int32_t key, int32_t value)
{
    uint8_t slot;
    if (told && at_setting_slot(effect, key, value, &slot)) {
        world.module.settings[slot] = (uint8_t)value;
    }
}

/* What the module says of its settings when it's asked is so. */
static void learn_line(const struct at_record *record, const union value *meant)
{
    for (unsigned i = 0; i < record->rare->neffects; i++) {
        const struct at_effect *effect = &record->rare->effects[i];
        int32_t key = 0;
        int32_t value = 0;
        bool told = effect->slots <= 1 || line_int(fuzz_module, record, meant, effect->key, &key);
        told = told && line_int(fuzz_module, record, meant, effect->value, &value);
        learn_setting(effect, told, key, value);
    }
}

/* And so is what it is known to be, if the line has room for it. */
static void tell_settings(const struct at_record *record, union value *meant)
{
    for (unsigned i = 0; i < record->rare->neffects; i++) {
        const struct at_effect *effect = &record->rare->effects[i];
        int32_t key = 0;
        int32_t value;
        uint8_t slot;
        if ((effect->slots <= 1 || line_int(fuzz_module, record, meant, effect->key, &key)) &&
            line_int(fuzz_module, record, meant, effect->value, &value) &&
            at_setting_slot(effect, key, 0, &slot)) {
            set_line_int(record, meant, effect->value, world.module.settings[slot]);
        }
    }
}

/* A line of this record with its payload; as an answer, or out of turn. */
static void say_record(const struct at_record *record, const struct at_completion *then, bool asked)
{
    static struct picker picker;
    static uint8_t wire[2 * WIRE_MAX];
    static char line[WIRE_MAX];
    struct module *m = &world.module;
    union value meant;
    int32_t key;
    picker_init(&picker, choose(&world.step, 65536));
    size_t n = make_line(&picker, record, m->settings, &meant, line, sizeof line);
    if (then != NULL && then->match_line != AT_NONE && m->asked != NULL &&
        at_request_int(fuzz_module, m->asked, &m->request, then->match_form, &key)) {
        set_line_int(record, &meant, then->match_line, key);
        int again = at_record_encode(fuzz_module, record, &meant, line, sizeof line, NULL);
        n = again > 0 ? (size_t)again : n;
    }
    const struct at_record *carrier = payload_shape(record);
    int32_t payload = carrier != NULL ? payload_of(carrier, m->settings, &meant) : -1;
    if (asked && record->rare->neffects > 0) {
        if (choose(&world.step, 4) != 3) { /* or else somebody changed them */
            tell_settings(record, &meant);
            int again = at_record_encode(fuzz_module, record, &meant, line, sizeof line, NULL);
            n = again > 0 ? (size_t)again : n;
        }
        learn_line(record, &meant);
    }
    memcpy(wire, "\r\n", 2);
    memcpy(wire + 2, line, n);
    n += 2;
    if (payload >= 0 && payload >= carrier->rare->payload->min) {
        uint8_t slot = carrier->rare->payload->format_slot;
        bool hex = slot == AT_UNKNOWN ? carrier->rare->payload->hex != 0 : m->settings[slot] == 1;
        size_t len = (size_t)payload * (hex ? 2u : 1u);
        bool comma = is_inline(carrier, m->settings);
        memcpy(wire + n, comma ? "," : "\r\n", comma ? 1 : 2);
        n += comma ? 1u : 2u;
        size_t taken = take_text(&world.in, wire + n, choose(&world.step, 4) == 3 ? len : 0);
        memset(wire + n + taken, hex ? 'a' : '\n', len - taken);
        n += len;
    }
    memcpy(wire + n, "\r\n", 2);
    deliver(wire, n + 2, choose(&world.step, 256));
}

static void learn_settings(const struct at_form *form, const union value *request)
{
    for (unsigned i = 0; i < form->rare->neffects; i++) {
        const struct at_effect *effect = &form->rare->effects[i];
        int32_t key = 0;
        int32_t value = 0;
        bool told = effect->slots <= 1 || at_request_int(fuzz_module, form, request, effect->key, &key);
        told = told && at_request_int(fuzz_module, form, request, effect->value, &value);
        learn_setting(effect, told, key, value);
    }
}

static void say_responses(const struct at_form *form)
{
    for (unsigned i = 0; i < form->nresponses; i++) {
        const struct at_expect *expected = &form->responses[i];
        unsigned n = choose(&world.step, 2) == 0 ? expected->max : expected->min;
        for (unsigned j = 0; j < n; j++) {
            say_record(record_of(form->responses[i].record), NULL, true);
        }
    }
}

static void finish_command(const struct at_form *form)
{
    struct module *m = &world.module;
    m->form = NULL;
    m->taken = false;
    m->asked = form;
    learn_settings(form, &m->request);
    say_final(AT_OUTCOME_OK);
    for (unsigned i = 0; i < form->rare->nthen; i++) {
        for (uint32_t n = choose(&world.step, 3); n > 0; n--) {
            say_record(record_of(form->rare->then[i].record), &form->rare->then[i], true);
        }
    }
    m->asked = NULL;
}

/* The next command line that was written, or 0. What stands before it isn't read. */
static size_t take_line(uint8_t *line)
{
    struct module *m = &world.module;
    uint8_t *cr = m->len > 0 ? memchr(m->sent, '\r', m->len) : NULL;
    size_t n = 0;
    if (cr == NULL) {
        return 0;
    }
    size_t end = (size_t)(cr - m->sent);
    size_t begin = end;
    for (size_t i = 0; i + 1u < end && begin == end; i++) {
        begin = m->sent[i] == 'A' && m->sent[i + 1u] == 'T' ? i : end;
    }
    n = end - begin;
    memcpy(line, m->sent + begin, n);
    m->len -= end + 1u;
    memmove(m->sent, cr + 1, m->len);
    return n > 0 ? n : 1; /* what is no command is refused */
}

/* As the spec has it; whether there was anything to answer. */
static bool answer(bool refuse)
{
    static uint8_t line[SENT_MAX];
    struct module *m = &world.module;
    struct at_command command;
    if (m->form != NULL) {
        if (m->taken) {
            finish_command(m->form);
        }
        return m->taken;
    }
    size_t n = take_line(line);
    if (n == 0) {
        return false;
    }
    if (refuse ||
        at_command_parse(fuzz_grammar, m->settings, line, n, &command, NULL) != AT_OK) {
        say_final(AT_OUTCOME_ERROR);
        return true;
    }
    (void)at_command_decode(fuzz_grammar, &command, &m->request);
    const struct at_data *data = command.form->rare->data;
    if (has_prompt(command.form)) {
        int32_t length = 0;
        (void)at_request_int(fuzz_module, command.form, &m->request, data->length, &length);
        m->left = (uint32_t)length * (at_data_hex(data, m->settings) > 0 ? 2u : 1u);
        m->taken = false;
        m->form = command.form;
        take_again(m);
        say("\r\n> ");
        return true;
    }
    say_responses(command.form);
    finish_command(command.form);
    return true;
}

/* Time ------------------------------------------------------------------------------------ */

static uint32_t poll(void)
{
    uint32_t wait = at_client_poll(&world.client);
    claim(world.task == NULL || wait <= world.task->longest, "%u ms is past every deadline",
          (unsigned)wait);
    claim(at_client_idle(&world.client) == (world.task == NULL), "idle, and it isn't");
    return wait;
}

static void pass_time(void)
{
    static const uint32_t spans[] = {1, 10, 299, 300, 1000, 60000};
    uint32_t wait = poll();
    uint32_t kind = choose(&world.step, 9);
    if (kind < 6) {
        world.now += spans[kind];
    } else if (world.task != NULL) {
        world.now += kind == 6 && wait > 0 ? wait - 1u : wait;
    }
    (void)poll();
}

/* Nothing comes any more: what is under way ends, and no later than its deadlines. */
static void be_silent(void)
{
    unsigned polls = 0;
    world.chain = 0;
    world.active = world.now;
    while (world.task != NULL) {
        uint32_t most = world.task->longest;
        uint32_t wait = poll();
        if (world.task == NULL) {
            break;
        }
        claim(world.port != PORT_OPEN || world.now - world.active <= 2u * most,
              "%u ms of silence, and no deadline", (unsigned)(world.now - world.active));
        claim(++polls < POLLS_MAX, "a command never ends");
        world.now += world.port == PORT_OPEN ? wait : larger(wait, most / 16u);
    }
}

/* With an honest module every command is answered; the first may still meet what is left. A
 * module that never lied is still in the data mode that it was left in. */
static void recover(void)
{
    static struct at_form form; /* this question waits until all settings are known */
    form = fuzz_module->forms[fuzz_module->barrier[0]];
    form.flags = AT_ASKS;
    if (world.module.lied) {
        world.module.form = NULL;
        world.module.len = 0;
    }
    world.port = PORT_OPEN;
    world.step.len = 0; /* all choices are 0 from now on */
    be_silent();
    release();
    while (answer(false)) { /* what was written before is answered, however late */
    }
    for (int i = 0; i < ATTEMPTS && !world.ended_well; i++) {
        int status = start(&form);
        claim(status == AT_OK || status == AT_E_BUSY || status == AT_E_SPACE, "a command is refused: %d",
              status);
        for (unsigned polls = 0; world.task != NULL; polls++) {
            claim(polls < POLLS_MAX, "a command never ends");
            uint32_t wait = poll();
            if (!answer(false) && world.task != NULL) {
                world.now += wait;
            }
        }
        (void)poll();
    }
    claim(world.ended_well, "nothing works any more");
}

/* From the start-up on it may be honest for a while: so much is behind it then. */
static void settle(void)
{
    world.step.len = 0;
    recover();
}

/* Scripts --------------------------------------------------------------------------------- */

/* What isn't stored is what it is at first. */
static void restart(void)
{
    struct module *m = &world.module;
    for (unsigned i = 0; i < fuzz_module->nsettings; i++) {
        const struct at_setting *setting = &fuzz_module->settings[i];
        if (setting->stored == 0) {
            memset(m->settings + setting->slot, setting->initial, setting->slots);
        }
    }
    m->len = 0;
    m->form = NULL;
    m->taken = false;
}

static void say_raw(void)
{
    uint8_t bytes[256];
    size_t n = take_text(&world.in, bytes, choose(&world.step, sizeof bytes));
    deliver(bytes, n, choose(&world.step, 16));
}

static void step(void)
{
    world.step.len = world.in.len < STEP_SIZE ? world.in.len : STEP_SIZE;
    world.in.len -= world.step.len;
    world.step.text = world.in.text + world.in.len;
    uint32_t kind = choose(&world.step, 16);
    world.module.lied = world.module.lied || (kind >= 5 && kind <= 8);
    switch (kind) {
    case 0:
    case 1:
        start_some();
        break;
    case 2:
        (void)answer(true);
        break;
    case 3:
    case 4:
        pass_time();
        break;
    case 5:
        say_raw();
        break;
    case 6:
        say_record(&fuzz_module->records[choose(&world.step, fuzz_module->nrecords)], NULL, false);
        break;
    case 7:
        say_final(choose(&world.step, 2) == 0 ? AT_OUTCOME_OK : AT_OUTCOME_ERROR);
        break;
    case 8:
        say("\r\n> ");
        break;
    case 9:
        if (fuzz_module->nreboot > 0) {
            restart();
            say("\r\n");
            say(fuzz_module->reboot[choose(&world.step, fuzz_module->nreboot)]);
            say("\r\n");
        }
        break;
    case 10:
        if (choose(&world.step, 2) == 0) {
            at_client_cancel(&world.client);
        } else {
            at_client_reset(&world.client);
        }
        claim(world.task == NULL || world.chain == 0 || !at_client_idle(&world.client),
              "given up, and it isn't over");
        break;
    case 11:
        world.port = (enum port)choose(&world.step, 4);
        break;
    case 14:
        if (world.holding) {
            release();
        } else {
            world.holding = true;
            world.passes = choose(&world.step, 256);
        }
        break;
    case 13:
        start_such(choose(&world.step, fuzz_module->nforms), has_prompt);
        break;
    case 12:
        world.chain = choose(&world.step, 3);
        break;
    default:
        for (uint32_t n = 1 + choose(&world.step, 32); n > 0 && answer(false); n--) {
        }
        break;
    }
}

/* Callbacks ------------------------------------------------------------------------------- */

static void on_urc(void *ctx, const struct at_line *line)
{
    union value value;
    (void)ctx;
    claim(line->record->size <= sizeof value, "a struct of %u bytes", line->record->size);
    (void)at_line_decode(line, &value);
}

static void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                       size_t remaining)
{
    uint8_t *copy = exactly(data, n);
    (void)ctx;
    claim(record->rare->payload != NULL || n + remaining == 0, "a payload of nothing");
    free(copy);
}

static void on_unknown(void *ctx, struct at_str line)
{
    char *copy = exactly(line.ptr, line.len);
    (void)ctx;
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {1024, 300, 4096};
    static const size_t texts[] = {512, 0, 16};
    memset(&world, 0, offsetof(struct world, held));
    world.in.text = data;
    world.in.len = size < INPUT_MAX ? size : INPUT_MAX;
    world.now = UINT32_MAX - choose(&world.in, 256) * 1000u; /* it may wrap around */
    choose_settings(&world.in, world.module.settings, false);
    struct at_client_config config;
    memset(&config, 0, sizeof config);
    config.module = fuzz_module;
    config.write = on_write;
    config.now = on_now;
    config.urc = on_urc;
    config.payload = on_payload;
    config.unknown = on_unknown;
    config.window_size = windows[choose(&world.in, 3)];
    config.window = exactly(NULL, config.window_size);
    config.command_size = choose(&world.in, 2) == 0 ? 2048 : 128;
    config.command = exactly(NULL, config.command_size);
    config.text_size = texts[choose(&world.in, 3)];
    config.text = world.text = config.text_size > 0 ? exactly(NULL, config.text_size) : NULL;
    world.text_size = config.text_size;
    config.settings = exactly(NULL, fuzz_module->nslots);
    config.latency_ms = choose(&world.in, 2) == 0 ? 0 : 100;
    uint32_t chosen = choose(&world.in, 8);
    config.tries = (uint8_t)(chosen % 4u);
    claim(at_client_init(&world.client, &config) == AT_OK, "the client takes no configuration");
    if (chosen >= 4) {
        settle();
    }
    for (int i = 0; i < STEPS && world.in.len > 0; i++) {
        step();
    }
    be_silent();
    recover();
    free(config.window);
    free(config.command);
    free(config.text);
    free(config.settings);
    return 0;
}

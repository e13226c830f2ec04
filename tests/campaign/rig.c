#include "rig.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

enum { STALLED = 100000 };

/* ---- the trace ------------------------------------------------------------- */

static void trace_char(struct rig *rig, char c)
{
    rig->trace[rig->traced++ % RIG_TRACE] = c;
}

static void trace_text(struct rig *rig, const char *text)
{
    while (*text != '\0')
        trace_char(rig, *text++);
}

static void trace_bytes(struct rig *rig, char direction, const uint8_t *bytes, size_t len)
{
    char text[16];

    if (direction != rig->direction)
        rig_note(rig, "%s ", direction == '>' ? "->" : "<-");
    rig->direction = direction;
    for (size_t i = 0; i < len; i++) {
        const char *format = bytes[i] == '\r' ? "\\r" : bytes[i] == '\n' ? "\\n"
                             : bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '\\' ? "\\x%02x" : "%c";
        (void)snprintf(text, sizeof text, format, bytes[i]);
        trace_text(rig, text);
    }
}

void rig_note(struct rig *rig, const char *format, ...)
{
    char text[512];
    int n = snprintf(text, sizeof text, "\n%10u ", (unsigned)rig->clock);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text + n, sizeof text - (size_t)n, format, arguments);
    va_end(arguments);
    trace_text(rig, text);
    rig->direction = 0;
}

void rig_print_trace(const struct rig *rig, FILE *out)
{
    size_t from = rig->traced > RIG_TRACE ? rig->traced - RIG_TRACE : 0;

    for (size_t i = from; i < rig->traced; i++)
        (void)fputc(rig->trace[i % RIG_TRACE], out);
    (void)fputc('\n', out);
}

/* ---- what the parts call ----------------------------------------------------- */

static uint32_t now(void *ctx)
{
    return ((struct rig *)ctx)->clock;
}

static int port_write(void *ctx, const uint8_t *data, size_t n)
{
    struct rig *rig = ctx;
    size_t taken = fault_line_input(rig->line, data, n);

    trace_bytes(rig, '>', data, taken);
    return (int)taken;
}

static void on_urc(void *ctx, const struct at_line *line)
{
    witness_urc(&((struct rig *)ctx)->witness, line);
}

static void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                       size_t remaining)
{
    (void)record;
    witness_payload(&((struct rig *)ctx)->witness, data, n, remaining);
}

static void on_done(void *ctx, struct at_call *call)
{
    struct rig *rig = ctx;

    (void)call;
    rig->done = true;
}

static void on_command(void *ctx, const uint8_t *line, size_t len)
{
    witness_command(&((struct rig *)ctx)->witness, line, len);
}

static void on_said(void *ctx, const struct fault_unit *unit)
{
    witness_said(&((struct rig *)ctx)->witness, unit);
}

static void on_sent(void *ctx, int id, const uint8_t *data, size_t len)
{
    (void)id;
    witness_sent(&((struct rig *)ctx)->witness, data, len);
}

/* ---- life ---------------------------------------------------------------------- */

static bool open_client(struct rig *rig)
{
    const struct at_client_config config = {
        .module = &bc26, .ctx = rig, .write = port_write, .now = now,
        .urc = on_urc, .payload = on_payload,
        .window = rig->window, .window_size = sizeof rig->window,
        .command = rig->command, .command_size = sizeof rig->command,
        .text = rig->text, .text_size = sizeof rig->text,
        .settings = rig->settings, .latency_ms = RIG_LATENCY,
    };

    return at_client_init(&rig->client, &config) == AT_OK;
}

bool rig_open(struct rig *rig, const struct rig_options *options)
{
    struct virtual_config module = { .firmware = options->firmware, .now_ms = now,
                                     .command = on_command, .ctx = rig };
    struct network_script script = { options->seed, options->calm, on_sent, rig };
    struct fault_line_config line = { NULL, now, on_said, rig };

    memset(rig, 0, sizeof *rig);
    rig->clock = UINT32_MAX - 100000u; /* it wraps around on the way */
    fault_dice_init(&rig->dice, ~options->seed);
    rig->vm = line.vm = virtual_new(&module, NULL);
    if (rig->vm == NULL)
        return false;
    rig->witness.vm = rig->vm;
    network_script(virtual_net(rig->vm), &script);
    rig->line = fault_line_new(&line, &options->plan);
    return rig->line != NULL && open_client(rig);
}

void rig_close(struct rig *rig)
{
    fault_line_free(rig->line);
    virtual_free(rig->vm);
}

/* ---- calls ------------------------------------------------------------------------ */

static void offer_sinks(struct rig *rig)
{
    for (unsigned i = 0; i < AT_SINKS_MAX; i++) {
        rig->call.sinks[i].items = rig->items[i];
        rig->call.sinks[i].max = RIG_ITEMS;
    }
}

int rig_start(struct rig *rig, const struct at_form *form, const void *request)
{
    memset(&rig->call, 0, sizeof rig->call);
    at_call_prepare(&rig->call, form, request);
    rig->call.sending = &at_sending;
    offer_sinks(rig);
    rig->call.data = rig->data;
    rig->call.data_size = sizeof rig->data;
    rig->call.done = on_done;
    rig->call.ctx = rig;
    rig->done = false;
    rig->began = rig->progress = rig->clock;
    witness_begin(&rig->witness);
    return at_client_start(&rig->client, &rig->call);
}

static uint32_t factor(const struct rig *rig, uint16_t param, uint16_t left_out)
{
    int32_t value = 1;

    if (param == AT_NONE)
        return 1;
    return at_request_int(&bc26, rig->call.form, rig->call.request, param, &value)
               ? (uint32_t)value
               : left_out;
}

/* Its own: to the prompt, to the final result, to what follows. */
static uint32_t own_limit(const struct rig *rig)
{
    const struct at_form_rare *rare = rig->call.form->rare;
    const struct at_deadline *within = rare->within;
    uint32_t limit = 2u * (rare->response_ms + RIG_LATENCY);

    if (rare->nthen > 0)
        limit += RIG_LATENCY + within->ms * (factor(rig, within->a, within->a_default) + within->add) *
                                   factor(rig, within->b, within->b_default);
    return limit;
}

/* What comes before it: waking up, start-up, a barrier, the settings, each tried some times. */
static uint32_t recovery_limit(void)
{
    enum { TRIES = 5 };
    uint32_t longest = bc26.forms[bc26.wake].rare->response_ms;

    for (unsigned i = 0; i < bc26.nbarrier; i++) {
        uint32_t ms = bc26.forms[bc26.barrier[i]].rare->response_ms;
        longest = ms > longest ? ms : longest;
    }
    return (1u + bc26.nstart + 2u + bc26.nsettings) * TRIES * (longest + RIG_LATENCY);
}

uint32_t rig_limit(const struct rig *rig)
{
    return own_limit(rig) + recovery_limit();
}

/* ---- time --------------------------------------------------------------------------- */

static bool deliver(struct rig *rig)
{
    size_t room, before = rig->call.data_len;
    uint8_t *to = at_client_reserve(&rig->client, &room);
    size_t n = fault_line_output(rig->line, to, room);

    if (n == 0)
        return false;
    trace_bytes(rig, '<', to, n);
    at_client_commit(&rig->client, n);
    if (rig->call.data_len != before)
        rig->progress = rig->clock;
    return true;
}

static void peers_talk(struct rig *rig)
{
    uint8_t data[NET_TCP_MAX];
    int id = (int)fault_pick(&rig->dice, NET_SOCKETS);

    if (net_state(virtual_net(rig->vm), id) != NET_OPEN)
        return;
    if (fault_pick(&rig->dice, 60) == 0)
        network_hang_up(virtual_net(rig->vm), id);
    size_t len = hostile_bytes(&rig->dice, data, 1 + fault_pick(&rig->dice, NET_TCP_MAX));
    (void)network_say(virtual_net(rig->vm), id, data, len);
}

static void sooner(uint32_t *wait, int other)
{
    if (other >= 0 && (uint32_t)other < *wait)
        *wait = (uint32_t)other;
}

bool rig_step(struct rig *rig, uint32_t most_ms)
{
    virtual_dispatch(rig->vm, NULL, 0);
    if (deliver(rig))
        return true;
    uint32_t wait = at_client_poll(&rig->client);
    sooner(&wait, fault_line_timeout_ms(rig->line));
    sooner(&wait, virtual_timeout_ms(rig->vm));
    if (wait > most_ms)
        return false;
    rig->clock += wait;
    if (rig->busy && wait > 0 && fault_pick(&rig->dice, 4) == 0)
        peers_talk(rig);
    return true;
}

bool rig_finish(struct rig *rig)
{
    uint32_t limit = rig_limit(rig), last = rig->clock;

    for (unsigned still = 0; !rig->done; still++) {
        bool moves = rig_step(rig, UINT32_MAX - 1u);
        if (!rig->done && (!moves || still > STALLED || rig->clock - rig->progress > limit)) {
            at_client_cancel(&rig->client);
            return false;
        }
        if (rig->clock != last)
            still = 0;
        last = rig->clock;
    }
    return true;
}

void rig_drain(struct rig *rig)
{
    bool busy = rig->busy;

    rig->busy = false;
    while (rig_step(rig, 120000))
        ;
    rig->busy = busy;
}

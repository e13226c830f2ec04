/* Data at a prompt. Calls of forms that have one point here, so that a program without such
 * calls is linked without this. */
#include "client_internal.h"

#include "text.h"

/* The most bytes that the data may have on the wire. */
static uint16_t most_data(const struct at_client *c)
{
    const struct at_data *data = c->form->rare->data;
    return (uint16_t)(c->hex ? 2u * data->max_hex : data->max_text);
}

static int begin_data(struct at_client *c)
{
    const struct at_module *module = c->config.module;
    const struct at_data *data = c->form->rare->data;
    c->data = at_request_data(module, c->form, c->request);
    c->hex = at_data_hex(data, c->config.settings) > 0;
    c->until = data->until >= 0;
    c->offered = most_data(c);
    if (c->data.ptr == NULL) {
        c->call->fault.param = &module->params[data->field];
        c->call->fault.reason = AT_MISSING;
        return AT_E_ARGUMENT;
    }
    return AT_OK;
}

static void start_data(struct at_client *c)
{
    const struct at_data *data = c->form->rare->data;
    at_stream_expect_prompt(&c->stream, false);
    c->phase = PHASE_DATA;
    if ((c->form->flags & AT_FINAL_OPTIONAL) != 0) {
        c->accepted = true;
    }
    if (data->echo_slot != AT_UNKNOWN && c->config.settings[data->echo_slot] == 1) {
        size_t n = c->data.len * (c->hex ? 2u : 1u) + (c->until ? 1u : 0u);
        at_stream_expect_echo(&c->stream, (uint32_t)n, -1);
        c->counting = true;
    }
    at_client_arm(c, c->form->rare->response_ms);
    (void)at_client_flush(c);
}

/* The command line was sent, so its buffer is free: hexadecimal digits go
 * through it piece by piece. Text goes straight from the caller's memory. */
static bool next_data(struct at_client *c)
{
    char *piece = c->config.command;
    if (c->data.len == 0 && !c->until) {
        return false;
    }
    c->out = (const uint8_t *)piece;
    if (c->data.len == 0) {
        *piece = (char)c->form->rare->data->until;
        c->out_len = 1;
        c->until = false;
    } else if (c->hex) {
        size_t n = c->config.command_size / 2u;
        n = n < c->data.len ? n : c->data.len;
        at_hex_encode(c->data.ptr, n, piece);
        c->out_len = 2u * n;
        c->data.ptr += n;
        c->data.len -= n;
    } else {
        c->out = c->data.ptr;
        c->out_len = c->data.len;
        c->data.len = 0;
    }
    return true;
}

/* What is missing of the data. If the port failed, of what it took nobody knows how
 * much arrived: then as much as all of it, as what is too much does no harm. Should all of
 * it have arrived, and not be enough, the length didn't arrive as it was: then the most. */
static size_t missing_data(const struct at_client *c, bool arrived)
{
    size_t n = c->data.len;
    size_t begun = c->phase == PHASE_DATA ? c->out_len : 0;
    if (arrived && c->phase == PHASE_FINAL) {
        return most_data(c);
    }
    if (!arrived) {
        n = at_request_data(c->config.module, c->form, c->request).len;
        begun = 0;
    }
    return begun + n * (c->hex ? 2u : 1u);
}

static void give_up_data(struct at_client *c, bool arrived)
{
    const struct at_data *data = c->form->rare->data;
    if (c->phase > PHASE_FINAL) {
        return;
    }
    bool sending = c->phase == PHASE_DATA;
    c->escape = (uint8_t)(data->cancel >= 0   ? data->cancel
                           : data->until >= 0 ? data->until
                                              : AT_ESC);
    c->stuck = 1;
    c->prompted = true;
    if (data->until < 0) {
        c->stuck = (uint32_t)missing_data(c, arrived);
        c->prompted = sending && arrived;
    }
    if (sending) {
        c->out_len = 0; /* they are the caller's, who may take them back */
    }
}

const struct at_sending at_sending = {begin_data, start_data, next_data, give_up_data};

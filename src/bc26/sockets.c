/* Sockets over a BC26.
 *
 * One command is under way at a time: `step` says what it is for, `turn` for whom.
 * When it has ended the next in the round gets its turn, for one command. What is
 * heard in between only sets flags, which decide what a socket does with its turn. */
#include "sockets.h"

#include <limits.h>
#include <string.h>

enum { SERVICE = BC26_SOCKETS, TURNS, EMPTY = 1, STUCK_MS = 10000 };

enum state {
    FREE,
    OPENING,
    ABORTING, /* the opening failed: to be closed */
    OPEN,
    GONE,     /* the module restarted: nothing is left but the handle */
    CLOSING
};

enum step {
    STEP_NONE,
    STEP_WAKE,
    STEP_CLEAR, /* close what may be left from former times */
    STEP_CLOSE,
    STEP_SERVICE, /* from here on tasks are told why they were refused */
    STEP_OPEN,
    STEP_SEND,
    STEP_READ
};

enum data_mode { UNTRIED, WORKS, MISSING };

/* How a piece is sent; each is tried when the one before was refused. */
enum way { WAY_UNDECIDED, WAY_DATA_MODE, WAY_INLINE, WAY_HEX };

static struct bc26_socket *socket_of(struct bc26_sockets *s, int32_t handle)
{
    bool is_one = handle >= 0 && handle < BC26_SOCKETS && s->sockets[handle].state != FREE;
    return is_one ? &s->sockets[handle] : NULL;
}

/* Tasks ------------------------------------------------------------------- */

static void put(struct bc26_task **slot, struct bc26_task *task, const void *input, void *output,
                size_t size)
{
    task->pending = true;
    task->status = AT_OK;
    task->error = -1;
    task->count = 0;
    task->step = 0;
    task->input = input;
    task->output = output;
    task->size = size;
    *slot = task;
}

static void end(struct bc26_task **slot, int status)
{
    struct bc26_task *task = *slot;
    if (task == NULL) {
        return;
    }
    *slot = NULL; /* `done` may use it anew */
    task->pending = false;
    task->status = status;
    if (task->done != NULL) {
        task->done(task->ctx, task);
    }
}

static void end_transfers(struct bc26_socket *socket, int status)
{
    end(&socket->send, status);
    end(&socket->recv, status);
}

static void tell_end(struct bc26_sockets *s, int handle, int status)
{
    if (s->config.ended != NULL) {
        s->config.ended(s->config.ctx, handle, status);
    }
}

/* The other side closed, and everything was read: a receive ends with 0 bytes. */
static void finish(struct bc26_sockets *s, struct bc26_socket *socket)
{
    bool told = socket->told;
    socket->told = true;
    end(&socket->recv, AT_OK);
    if (!told) {
        tell_end(s, (int)(socket - s->sockets), AT_OK);
    }
}

/* What is heard ----------------------------------------------------------- */

static bool is_under_way(const struct bc26_sockets *s, enum step step, int handle)
{
    return s->step == step && s->turn == handle;
}

static struct bc26_socket *live(struct bc26_sockets *s, int32_t handle)
{
    struct bc26_socket *socket = socket_of(s, handle);
    bool live = socket != NULL &&
                (socket->state == OPEN || is_under_way(s, STEP_OPEN, (int)handle));
    s->counters.stray += !live;
    return live ? socket : NULL;
}

/* Bytes that were pushed, to whom they are for. */
static void deliver(struct bc26_sockets *s, int handle, const uint8_t *data, size_t n)
{
    struct bc26_socket *socket = &s->sockets[handle];
    while (n > 0 && socket->recv != NULL && !is_under_way(s, STEP_READ, handle)) {
        struct bc26_task *task = socket->recv;
        size_t taken = task->size - task->count;
        taken = taken < n ? taken : n;
        memcpy((uint8_t *)task->output + task->count, data, taken);
        task->count += taken;
        data += taken;
        n -= taken;
        if (task->count == task->size) {
            end(&socket->recv, (int)task->count);
        }
    }
    if (n > 0 && s->config.received != NULL) {
        s->config.received(s->config.ctx, handle, data, n);
    } else {
        s->counters.dropped += (uint32_t)n;
    }
}

static void deliver_digits(struct bc26_sockets *s, int handle, const uint8_t *digits, size_t n)
{
    uint8_t bytes[32];
    size_t fill = 0;
    while (n-- > 0) {
        s->digits[s->ndigits++] = *digits++;
        if (s->ndigits == 2) {
            s->ndigits = 0;
            if (at_hex_decode(s->digits, 2, bytes + fill) < 0) {
                s->counters.broken++;
            } else {
                fill++;
            }
        }
        if (fill == sizeof bytes || (n == 0 && fill > 0)) {
            deliver(s, handle, bytes, fill);
            fill = 0;
        }
    }
}

static void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                       size_t remaining)
{
    struct bc26_sockets *s = ctx;
    struct bc26_socket *socket = &s->sockets[s->pushing];
    (void)record;
    s->missing = remaining;
    if (s->hex) {
        deliver_digits(s, s->pushing, data, n);
    } else {
        deliver(s, s->pushing, data, n);
    }
    if (remaining == 0 && socket->recv != NULL && socket->recv->count > 0) {
        end(&socket->recv, (int)socket->recv->count);
    }
}

static void on_received(struct bc26_sockets *s, const struct at_line *line, int handle)
{
    if (line->payload <= 0) {
        s->sockets[handle].readable = true;
        s->sockets[handle].stalled = false;
        return;
    }
    s->counters.broken += (uint32_t)s->missing; /* the one before was cut short */
    s->missing = (size_t)line->payload;
    s->pushing = (uint8_t)handle;
    s->hex = line->hex;
    s->ndigits = 0;
}

static void on_full(struct bc26_sockets *s, const struct bc26_buffer_full_urc *full)
{
    s->counters.full++;
    for (int i = 0; i < BC26_SOCKETS; i++) { /* some firmware doesn't say whose it is */
        if (!full->has_connect_id || full->connect_id == i) {
            s->sockets[i].readable = true;
            s->sockets[i].stalled = false;
        }
    }
}

static void on_closed(struct bc26_sockets *s, struct bc26_socket *socket)
{
    int handle = (int)(socket - s->sockets);
    uint8_t mode = at_client_setting(s->config.client,
                                     (uint8_t)(BC26_SETTING_ACCESS_MODE + handle));
    socket->finished = true; /* told in its turn: once nothing is left to be read */
    socket->readable = socket->readable || mode != BC26_ACCESS_MODE_PUSH;
}

static bool on_urc(void *ctx, const struct at_line *line)
{
    struct bc26_sockets *s = ctx;
    struct bc26_recv_urc recv;
    struct bc26_closed_urc closed;
    struct bc26_buffer_full_urc full;
    struct bc26_socket *socket;
    s->used = at_client_now(s->config.client);
    if (bc26_recv_urc_decode(line, &recv) == AT_OK) {
        socket = live(s, recv.connect_id);
        if (socket != NULL) {
            on_received(s, line, (int)recv.connect_id);
        }
        return socket != NULL;
    }
    if (bc26_closed_urc_decode(line, &closed) == AT_OK) {
        socket = live(s, closed.connect_id);
        if (socket != NULL) {
            on_closed(s, socket);
        }
        return socket != NULL;
    }
    if (bc26_buffer_full_urc_decode(line, &full) == AT_OK) {
        on_full(s, &full);
        return true;
    }
    return false;
}

static void lose(struct bc26_sockets *s, int handle)
{
    struct bc26_socket *socket = &s->sockets[handle];
    bool open = socket->state == OPEN;
    bool held = open || (socket->state == GONE && socket->life == NULL);
    socket->state = held ? GONE : FREE;
    end(&socket->life, AT_E_REBOOT);
    end_transfers(socket, AT_E_REBOOT);
    if (open) {
        tell_end(s, handle, AT_E_REBOOT);
    }
}

/* Told more than once: a banner has several lines. What was begun since then and isn't
 * sent yet has nothing to lose. */
static void on_restarted(void *ctx)
{
    struct bc26_sockets *s = ctx;
    bool used[BC26_SOCKETS];
    bool serving = s->service != NULL;
    s->counters.broken += (uint32_t)s->missing;
    s->missing = 0;
    if (s->untouched) {
        return;
    }
    s->untouched = true;
    for (int i = 0; i < BC26_SOCKETS; i++) {
        used[i] = s->sockets[i].state != FREE;
        s->sockets[i].stale = true; /* if it was but the channel that was opened anew */
    }
    for (int i = 0; i < BC26_SOCKETS; i++) { /* but not what is begun meanwhile */
        if (used[i]) {
            lose(s, i);
        }
    }
    if (serving) {
        end(&s->service, AT_E_REBOOT);
    }
}

/* The port failed: nothing that waits for it may wait for ever. What is open stays so -
 * the module may still be there - until the client is reset. */
static void on_port_failed(struct bc26_sockets *s)
{
    for (int i = 0; i < BC26_SOCKETS; i++) {
        struct bc26_socket *socket = &s->sockets[i];
        end_transfers(socket, AT_E_PORT);
        if (socket->life != NULL && socket->state != GONE) {
            socket->state = FREE;
            socket->stale = true;
            end(&socket->life, AT_E_PORT);
        }
    }
    end(&s->service, AT_E_PORT);
}

/* Sending ----------------------------------------------------------------- */

static size_t piece_max(const struct bc26_sockets *s, enum bc26_form form)
{
    const struct at_data *data = bc26.forms[form].rare->data;
    uint8_t format = data->format_slot == AT_UNKNOWN
                         ? data->hex
                         : at_client_setting(s->config.client, data->format_slot);
    return format == BC26_DATA_FORMAT_TEXT ? data->max_text : data->max_hex;
}

static int start_piece(struct bc26_sockets *s, enum bc26_form form, struct at_bytes data)
{
    struct at_client *client = s->config.client;
    if (form == BC26_FORM_QISEND_FIXED) {
        s->request.fixed = (struct bc26_qisend_fixed){s->turn, (int32_t)data.len, data};
        return bc26_qisend_fixed_start(client, &s->call, &s->request.fixed);
    }
    if (form == BC26_FORM_QISEND_INLINE) {
        s->request.text = (struct bc26_qisend_inline){s->turn, (int32_t)data.len, data};
        return bc26_qisend_inline_start(client, &s->call, &s->request.text);
    }
    s->request.hex = (struct bc26_qisendex){s->turn, (int32_t)data.len, data};
    return bc26_qisendex_start(client, &s->call, &s->request.hex);
}

static int start_sync(struct bc26_sockets *s)
{
    s->call.form = NULL;
    return at_client_start(s->config.client, &s->call);
}

/* How long a piece may be depends on the format, so that has to be known. */
static bool knows_format(const struct bc26_sockets *s)
{
    return at_client_setting(s->config.client, BC26_SETTING_SEND_DATA_FORMAT) != AT_UNKNOWN;
}

static int start_send(struct bc26_sockets *s, const struct bc26_socket *socket)
{
    static const uint16_t forms[] = {
        [WAY_DATA_MODE] = BC26_FORM_QISEND_FIXED,
        [WAY_INLINE] = BC26_FORM_QISEND_INLINE,
        [WAY_HEX] = BC26_FORM_QISENDEX,
    };
    struct bc26_task *task = socket->send;
    size_t left = task->size - task->count;
    s->piece = 0;
    if (task->step == WAY_UNDECIDED) {
        task->step = s->data_mode == MISSING ? WAY_INLINE : WAY_DATA_MODE;
        if (!knows_format(s)) {
            return start_sync(s);
        }
    }
    enum bc26_form form = (enum bc26_form)forms[task->step];
    size_t max = piece_max(s, form);
    for (size_t n = left < max ? left : max; n > 0; n /= 2u) {
        struct at_bytes piece = {(const uint8_t *)task->input + task->count, n};
        if (socket->udp && n < left) {
            return AT_E_ARGUMENT;
        }
        s->piece = n;
        int status = start_piece(s, form, piece);
        if (status != AT_E_SPACE) { /* else the command buffer takes less */
            return status;
        }
    }
    return AT_E_SPACE;
}

/* Whether there's another way after what went wrong. Old firmware refuses data mode -
 * as does any a socket that is lost, so the next way has to prove itself. */
static bool other_way(const struct bc26_sockets *s, struct bc26_task *task, int status)
{
    if ((task->step == WAY_DATA_MODE && status == AT_E_ERROR && s->data_mode == UNTRIED) ||
        (task->step == WAY_INLINE && status == AT_E_ARGUMENT)) {
        task->step++;
        return true;
    }
    return false;
}

static void sent(struct bc26_sockets *s, struct bc26_socket *socket, int status)
{
    struct bc26_task *task = socket->send;
    socket->sent_last = true;
    if (status < 0) {
        if (socket->state != OPEN || !other_way(s, task, status)) {
            task->error = s->call.error;
            end(&socket->send, status);
        }
        return;
    }
    if (s->piece == 0) { /* that was for the settings */
        return;
    }
    s->data_mode = task->step == WAY_DATA_MODE ? WORKS : MISSING;
    task->step = WAY_UNDECIDED;
    task->count += s->piece;
    if (task->count == task->size) {
        end(&socket->send, (int)task->size);
    }
}

/* Reading ----------------------------------------------------------------- */

static bool wants_read(const struct bc26_sockets *s, const struct bc26_socket *socket)
{
    bool by_itself = s->config.received != NULL && s->config.buffer != NULL && !socket->stalled;
    return socket->readable && (socket->recv != NULL || by_itself);
}

static int start_read(struct bc26_sockets *s, struct bc26_socket *socket)
{
    const struct bc26_task *task = socket->recv;
    uint8_t *to = task != NULL ? (uint8_t *)task->output + task->count : s->config.buffer;
    size_t room = task != NULL ? task->size - task->count : s->config.buffer_size;
    const struct at_form *form = &bc26.forms[BC26_FORM_QIRD];
    uint32_t max = bc26.params[form->fields[1].param].kind->max;
    s->request.read.connect_id = s->turn;
    s->request.read.read_length = (int32_t)(room < max ? room : max);
    int status = bc26_qird_start(s->config.client, &s->call, &s->request.read, NULL, to, room);
    if (status == AT_OK) {
        socket->readable = false; /* notices that come from now on count */
    }
    return status;
}

static void read_failed(struct bc26_sockets *s, struct bc26_socket *socket, int status)
{
    if (status == AT_E_ERROR && socket->finished) {
        return; /* nothing is left to be read */
    }
    socket->readable = true; /* the next receive tries again */
    if (s->call.data != s->config.buffer) {
        socket->recv->error = s->call.error;
        end(&socket->recv, status);
    } else {
        socket->stalled = true;
        tell_end(s, s->turn, status);
    }
}

static void was_read(struct bc26_sockets *s, struct bc26_socket *socket, int status)
{
    size_t n = s->call.data_len;
    socket->sent_last = false;
    if (status < 0) {
        read_failed(s, socket, status);
    } else if (n > 0) {
        socket->readable = true;
        socket->stalled = false;
        if (s->call.data == s->config.buffer) {
            s->config.received(s->config.ctx, s->turn, s->config.buffer, n);
        } else {
            socket->recv->count += n;
            end(&socket->recv, (int)socket->recv->count);
        }
    }
}

/* Opening and closing ----------------------------------------------------- */

static int start_open(struct bc26_sockets *s, struct bc26_socket *socket)
{
    s->request.open = *(const struct bc26_qiopen *)socket->life->input;
    s->request.open.connect_id = s->turn;
    if (!s->request.open.has_access_mode) { /* what the module has stored may not be known */
        s->request.open.has_local_port = s->request.open.has_access_mode = true;
        s->request.open.access_mode = BC26_ACCESS_MODE_BUFFER;
    }
    socket->readable = socket->stalled = socket->finished = socket->told = false;
    return bc26_qiopen_start(s->config.client, &s->call, &s->request.open, NULL);
}

static int start_close(struct bc26_sockets *s)
{
    s->request.close.connect_id = s->turn;
    return bc26_qiclose_start(s->config.client, &s->call, &s->request.close);
}

static bool was_never_sent(int status)
{
    return status == AT_E_ARGUMENT || status == AT_E_SPACE || status == AT_E_UNKNOWN_SETTING;
}

static void opened(struct bc26_sockets *s, struct bc26_socket *socket, int status)
{
    if (status >= 0) {
        socket->state = OPEN;
        end(&socket->life, s->turn);
        return;
    }
    socket->life->error = s->call.error;
    if (was_never_sent(status)) {
        socket->state = FREE;
        end(&socket->life, status);
    } else {
        socket->state = ABORTING;
        socket->status = status;
    }
}

static void was_closed(struct bc26_sockets *s, struct bc26_socket *socket, int status)
{
    bool aborting = socket->state == ABORTING;
    socket->stale = status < 0;
    s->counters.refused += status < 0;
    if (!aborting) {
        socket->life->error = s->call.error;
    }
    socket->state = FREE;
    end(&socket->life, aborting ? socket->status : status);
}

static void cleared(struct bc26_sockets *s, struct bc26_socket *socket, int status)
{
    socket->stale = false;
    s->counters.refused += status < 0;
}

/* Turns ------------------------------------------------------------------- */

/* What ends without a command; whether something did. */
static bool ends_quietly(struct bc26_sockets *s, struct bc26_socket *socket)
{
    if (socket->state == CLOSING && (socket->send != NULL || socket->recv != NULL)) {
        end_transfers(socket, AT_E_CANCELED);
    } else if (socket->state == GONE && socket->life != NULL) {
        socket->state = FREE;
        end(&socket->life, AT_OK);
    } else if (socket->state == OPEN && socket->finished && !socket->readable &&
               (!socket->told || socket->recv != NULL)) {
        finish(s, socket);
    } else {
        return false;
    }
    return true;
}

static enum step next_step(const struct bc26_sockets *s, const struct bc26_socket *socket)
{
    switch (socket->state) {
    case OPENING:
        return socket->stale ? STEP_CLEAR : STEP_OPEN;
    case ABORTING:
    case CLOSING:
        return STEP_CLOSE;
    case OPEN:
        if (wants_read(s, socket) && (socket->sent_last || socket->send == NULL)) {
            return STEP_READ;
        }
        return socket->send != NULL ? STEP_SEND : STEP_NONE;
    default:
        return STEP_NONE;
    }
}

static bool may_doze(const struct bc26_sockets *s)
{
    return s->config.doze_ms > 0 &&
           at_client_now(s->config.client) - s->used >= s->config.doze_ms;
}

/* Whether it's the port that takes nothing, not even the rest of what was given up. */
static bool is_stuck(const struct bc26_sockets *s)
{
    return at_client_idle(s->config.client) &&
           at_client_now(s->config.client) - s->used >= STUCK_MS;
}

/* AT_OK: a command is under way. EMPTY: no more are needed. */
static int start_step(struct bc26_sockets *s)
{
    struct bc26_socket *socket = &s->sockets[s->turn < SERVICE ? s->turn : 0];
    switch (s->step) {
    case STEP_WAKE:
        return bc26_at_execute_start(s->config.client, &s->call);
    case STEP_SERVICE:
        return s->service->start(s, s->service);
    case STEP_OPEN:
        return start_open(s, socket);
    case STEP_SEND:
        return start_send(s, socket);
    case STEP_READ:
        return start_read(s, socket);
    default:
        return start_close(s);
    }
}

static void service_ended(struct bc26_sockets *s, int status)
{
    struct bc26_task *task = s->service;
    task->error = s->call.error;
    if (status < 0 || task->step == 0) { /* else there are more steps */
        end(&s->service, status);
    }
}

static void conclude(struct bc26_sockets *s, int status)
{
    enum step step = (enum step)s->step;
    struct bc26_socket *socket = &s->sockets[s->turn < SERVICE ? s->turn : 0];
    s->step = STEP_NONE;
    s->used = at_client_now(s->config.client);
    if (status == AT_E_REBOOT) { /* on_restarted saw to it */
        return;
    }
    switch (step) {
    case STEP_SERVICE:
        service_ended(s, status);
        break;
    case STEP_CLEAR:
        cleared(s, socket, status);
        break;
    case STEP_OPEN:
        opened(s, socket, status);
        break;
    case STEP_CLOSE:
        was_closed(s, socket, status);
        break;
    case STEP_SEND:
        sent(s, socket, status);
        break;
    case STEP_READ:
        was_read(s, socket, status);
        break;
    default: /* awake, whether the module heard it or not */
        break;
    }
    if (status == AT_E_PORT) {
        on_port_failed(s);
    }
}

/* Whether anything was done for whose turn it is. */
static bool take_turn(struct bc26_sockets *s)
{
    enum step step = STEP_SERVICE;
    if (s->turn < SERVICE) {
        struct bc26_socket *socket = &s->sockets[s->turn];
        if (ends_quietly(s, socket)) {
            return true;
        }
        step = next_step(s, socket);
    } else if (s->service == NULL) {
        step = STEP_NONE;
    }
    if (step == STEP_NONE) {
        return false;
    }
    s->step = (uint8_t)(may_doze(s) ? STEP_WAKE : step);
    s->untouched = false;
    s->call.error = -1; /* should it not even begin */
    int status = start_step(s);
    if (status == AT_E_BUSY && !is_stuck(s)) { /* the channel is somebody else's at present */
        s->step = STEP_NONE;
        return false;
    }
    status = status == AT_E_BUSY ? AT_E_TIMEOUT : status;
    if (status == EMPTY) {
        s->step = STEP_NONE;
        end(&s->service, AT_OK);
    } else if (status != AT_OK) {
        conclude(s, status);
    }
    return true;
}

/* Until a command is under way. There may be more to do that no event will tell of,
 * as what ended may have begun something else. */
static void go_on(struct bc26_sockets *s)
{
    bool acted = false;
    for (unsigned i = 0; i < TURNS && s->step == STEP_NONE; i++) {
        s->turn = s->turn + 1 < TURNS ? (uint8_t)(s->turn + 1) : 0;
        acted = take_turn(s) || acted;
    }
    s->unsettled = acted && s->step == STEP_NONE;
}

/* Refused without a code, and there's a task that will be told. */
static bool is_unexplained(const struct bc26_sockets *s)
{
    if (s->call.status != AT_E_ERROR || s->call.error >= 0) {
        return false;
    }
    if (s->step == STEP_READ) {
        return s->call.data != s->config.buffer && !s->sockets[s->turn].finished;
    }
    return s->step >= STEP_SERVICE;
}

/* The module tells of the last command alone, so this goes before any other; till then
 * `step` and `turn` stay, as if the refused one were under way. Texts of former answers stay
 * too, as the client has no room for the words of this one. */
static bool ask_why(struct bc26_sockets *s)
{
    struct at_client *client = s->config.client;
    s->request.why.answer.err = 0;
    s->request.why.data = s->call.data;
    s->request.why.text_size = client->config.text_size;
    client->config.text_size = 0;
    s->asking = true;
    return bc26_qigeterror_execute_start(client, &s->call, &s->request.why.answer) == AT_OK;
}

/* Puts the code into the call that was refused. @return what that ended with */
static int take_reason(struct bc26_sockets *s)
{
    int32_t err = s->request.why.answer.err;
    int status = s->call.status;
    s->asking = false;
    s->config.client->config.text_size = s->request.why.text_size;
    s->call.data = s->request.why.data;
    s->call.error = err > 0 ? err : -1;
    return status == AT_E_REBOOT || status == AT_E_PORT ? status : AT_E_ERROR;
}

static void on_done(void *ctx, struct at_call *call)
{
    struct bc26_sockets *s = ctx;
    if (!s->asking && is_unexplained(s) && ask_why(s)) {
        return;
    }
    conclude(s, s->asking ? take_reason(s) : call->status);
    go_on(s);
}

/* The public calls -------------------------------------------------------- */

int bc26_sockets_init(struct bc26_sockets *s, const struct bc26_sockets_config *config)
{
    if (config->client == NULL || (config->buffer != NULL && config->buffer_size == 0)) {
        return AT_E_ARGUMENT;
    }
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->call.done = on_done;
    s->call.ctx = s;
    s->listener = (struct at_listener){s, on_urc, on_payload, on_restarted};
    s->used = at_client_now(config->client);
    for (int i = 0; i < BC26_SOCKETS; i++) {
        s->sockets[i].stale = true;
    }
    at_client_listen(config->client, &s->listener);
    return AT_OK;
}

uint32_t bc26_sockets_poll(struct bc26_sockets *s)
{
    uint32_t wait = at_client_poll(s->config.client);
    if (s->step == STEP_NONE) {
        go_on(s);
        wait = at_client_poll(s->config.client); /* of the command that was begun */
    }
    return s->unsettled ? 0 : wait;
}

int bc26_socket_open_start(struct bc26_sockets *s, struct bc26_task *task,
                           const struct bc26_qiopen *request)
{
    for (int i = 0; i < BC26_SOCKETS; i++) {
        struct bc26_socket *socket = &s->sockets[i];
        if (socket->state == FREE) {
            socket->state = OPENING;
            socket->udp = request->service_type == BC26_SERVICE_TYPE_UDP;
            put(&socket->life, task, request, NULL, 0);
            return i;
        }
    }
    return AT_E_SPACE;
}

/* AT_OK: the handle may be used so. */
static int usable(const struct bc26_socket *socket, const struct bc26_task *task, size_t size)
{
    if (socket == NULL || size == 0 || size > INT_MAX) {
        return AT_E_ARGUMENT;
    }
    if (socket->state == GONE) {
        return AT_E_REBOOT;
    }
    return socket->state != OPEN || task != NULL ? AT_E_BUSY : AT_OK;
}

int bc26_socket_send_start(struct bc26_sockets *s, struct bc26_task *task, int handle,
                           const void *data, size_t size)
{
    struct bc26_socket *socket = socket_of(s, handle);
    int status = usable(socket, socket != NULL ? socket->send : NULL, size);
    if (status == AT_OK) {
        put(&socket->send, task, data, NULL, size);
    }
    return status;
}

int bc26_socket_recv_start(struct bc26_sockets *s, struct bc26_task *task, int handle, void *data,
                           size_t size)
{
    struct bc26_socket *socket = socket_of(s, handle);
    int status = usable(socket, socket != NULL ? socket->recv : NULL, size);
    if (status == AT_OK) {
        put(&socket->recv, task, NULL, data, size);
    }
    return status;
}

int bc26_socket_close_start(struct bc26_sockets *s, struct bc26_task *task, int handle)
{
    struct bc26_socket *socket = socket_of(s, handle);
    if (socket == NULL) {
        return AT_E_ARGUMENT;
    }
    if (socket->life != NULL) {
        return AT_E_BUSY;
    }
    if (socket->state == OPEN) {
        socket->state = CLOSING;
    }
    put(&socket->life, task, NULL, NULL, 0);
    return AT_OK;
}

/* Services ---------------------------------------------------------------- */

static int serve(struct bc26_sockets *s, struct bc26_task *task,
                 int (*start)(struct bc26_sockets *, struct bc26_task *), const void *input,
                 void *output, size_t size)
{
    if (s->service != NULL) {
        return AT_E_BUSY;
    }
    task->start = start;
    put(&s->service, task, input, output, size);
    return AT_OK;
}

static int start_attach(struct bc26_sockets *s, struct bc26_task *task)
{
    struct at_client *client = s->config.client;
    int32_t format = (int32_t)task->size;
    if (task->step == 0) {
        int status = start_sync(s);
        task->step = status == AT_OK;
        return status;
    }
    if (at_client_setting(client, BC26_SETTING_SEND_DATA_FORMAT) != format ||
        at_client_setting(client, BC26_SETTING_RECV_DATA_FORMAT) != format) {
        s->request.format = (struct bc26_qicfg_dataformat){true, format, true, format};
        return bc26_qicfg_dataformat_start(client, &s->call, &s->request.format, NULL);
    }
    if (at_client_setting(client, BC26_SETTING_ECHO_MODE) == BC26_ECHO_MODE_ON) {
        s->request.echo = (struct bc26_qicfg_echomode){true, BC26_ECHO_MODE_OFF};
        return bc26_qicfg_echomode_start(client, &s->call, &s->request.echo, NULL);
    }
    return EMPTY;
}

int bc26_sockets_attach_start(struct bc26_sockets *s, struct bc26_task *task, int32_t format)
{
    if (bc26_data_format_text(format) == NULL) {
        return AT_E_ARGUMENT;
    }
    return serve(s, task, start_attach, NULL, NULL, (size_t)format);
}

static int start_resolve(struct bc26_sockets *s, struct bc26_task *task)
{
    return bc26_qidnsgip_start(s->config.client, &s->call, task->input, NULL, task->output,
                               task->size);
}

int bc26_sockets_resolve_start(struct bc26_sockets *s, struct bc26_task *task,
                               const struct bc26_qidnsgip *request,
                               struct bc26_dnsgip_address_urc *addresses, size_t max)
{
    return serve(s, task, start_resolve, request, addresses, max);
}

static int start_ping(struct bc26_sockets *s, struct bc26_task *task)
{
    return bc26_qping_start(s->config.client, &s->call, task->input, task->output, task->size,
                            task->summary);
}

int bc26_sockets_ping_start(struct bc26_sockets *s, struct bc26_task *task,
                            const struct bc26_qping *request, struct bc26_qping_result *results,
                            size_t max, struct bc26_qping_summary_result *summary)
{
    int status = serve(s, task, start_ping, request, results, max);
    if (status == AT_OK) {
        task->summary = summary;
    }
    return status;
}

static int start_time(struct bc26_sockets *s, struct bc26_task *task)
{
    return bc26_qntp_start(s->config.client, &s->call, task->input, task->output);
}

int bc26_sockets_time_start(struct bc26_sockets *s, struct bc26_task *task,
                            const struct bc26_qntp *request, struct bc26_qntp_result *answer)
{
    return serve(s, task, start_time, request, answer, 1);
}

/* Waiting ----------------------------------------------------------------- */

/* No `done`, nothing else either. */
static const struct bc26_task blank;

static bool take_back(struct bc26_task **slot, struct bc26_task *task)
{
    bool mine = *slot == task;
    if (mine) {
        *slot = NULL;
        task->pending = false;
    }
    return mine;
}

/* As if the task hadn't been started; no command has been, for it. */
static void withdraw(struct bc26_sockets *s, struct bc26_task *task)
{
    (void)take_back(&s->service, task);
    for (int i = 0; i < BC26_SOCKETS; i++) {
        struct bc26_socket *socket = &s->sockets[i];
        (void)take_back(&socket->send, task);
        (void)take_back(&socket->recv, task);
        if (take_back(&socket->life, task) && socket->state != GONE) {
            socket->state = socket->state == OPENING ? FREE : OPEN;
        }
    }
}

static bool is_read_into(const struct bc26_sockets *s, const struct bc26_task *task)
{
    return s->step == STEP_READ && s->sockets[s->turn].recv == task;
}

/* How long a receive may still wait; one that the module is answering waits for that. */
static uint32_t time_left(const struct bc26_sockets *s, const struct bc26_task *task,
                          uint32_t since, uint32_t most_ms)
{
    uint32_t passed = at_client_now(s->config.client) - since;
    if (most_ms == UINT32_MAX || is_read_into(s, task)) {
        return UINT32_MAX;
    }
    return passed < most_ms ? most_ms - passed : 0;
}

/* As at_client_call does it, and with a limit for receives: UINT32_MAX for none. */
static int wait_within(struct bc26_sockets *s, struct bc26_task *task, int started,
                       uint32_t most_ms)
{
    struct at_client *client = s->config.client;
    uint32_t since = at_client_now(client);
    if (started < 0) {
        return started;
    }
    if (client->config.read == NULL) {
        withdraw(s, task);
        return AT_E_ARGUMENT;
    }
    for (;;) {
        uint32_t wait = bc26_sockets_poll(s);
        uint32_t left = time_left(s, task, since, most_ms);
        if (!task->pending) {
            client->error = task->error;
            return task->status;
        }
        if (left == 0) {
            withdraw(s, task);
            return task->count > 0 ? (int)task->count : AT_E_TIMEOUT;
        }
        if (at_client_wait(client, wait < left ? wait : left) != AT_OK && s->step == STEP_NONE) {
            on_port_failed(s); /* no command was under way that could have told */
        }
    }
}

static int wait_for(struct bc26_sockets *s, struct bc26_task *task, int started)
{
    return wait_within(s, task, started, UINT32_MAX);
}

int bc26_sockets_attach(struct bc26_sockets *s, int32_t format)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_sockets_attach_start(s, &task, format));
}

int bc26_socket_open(struct bc26_sockets *s, const struct bc26_qiopen *request)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_socket_open_start(s, &task, request));
}

int bc26_socket_send(struct bc26_sockets *s, int handle, const void *data, size_t size)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_socket_send_start(s, &task, handle, data, size));
}

int bc26_socket_recv(struct bc26_sockets *s, int handle, void *data, size_t size,
                     uint32_t wait_ms)
{
    struct bc26_task task = blank;
    return wait_within(s, &task, bc26_socket_recv_start(s, &task, handle, data, size), wait_ms);
}

int bc26_socket_close(struct bc26_sockets *s, int handle)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_socket_close_start(s, &task, handle));
}

int bc26_sockets_resolve(struct bc26_sockets *s, const struct bc26_qidnsgip *request,
                         struct bc26_dnsgip_address_urc *addresses, size_t max)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_sockets_resolve_start(s, &task, request, addresses, max));
}

int bc26_sockets_ping(struct bc26_sockets *s, const struct bc26_qping *request,
                      struct bc26_qping_result *results, size_t max,
                      struct bc26_qping_summary_result *summary)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_sockets_ping_start(s, &task, request, results, max, summary));
}

int bc26_sockets_time(struct bc26_sockets *s, const struct bc26_qntp *request,
                      struct bc26_qntp_result *answer)
{
    struct bc26_task task = blank;
    return wait_for(s, &task, bc26_sockets_time_start(s, &task, request, answer));
}

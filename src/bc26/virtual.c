/* The module as a whole: its life, its input and its poll loop. */
#include "virtual_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CR '\r'
#define BACKSPACE '\b'

/* ---- small things -------------------------------------------------------- */

uint32_t vm_now(const struct virtual_module *vm)
{
    return vm->config.now_ms != NULL ? vm->config.now_ms(vm->config.ctx) : at_posix_now_ms();
}

bool vm_due(const struct virtual_module *vm, uint32_t deadline)
{
    return (int32_t)(deadline - vm_now(vm)) <= 0;
}

void vm_say(const struct virtual_module *vm, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (vm->config.say == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    vm->config.say(vm->config.ctx, text);
}

void vm_copy(char *to, size_t size, struct at_str text)
{
    size_t len = text.len < size ? text.len : size - 1;

    memcpy(to, text.ptr, len);
    to[len] = '\0';
}

/* ---- life ---------------------------------------------------------------- */

static const struct net_events events = {
    .opened = vm_opened,
    .received = vm_received,
    .closed = vm_closed,
    .resolved = vm_resolved,
    .ping_reply = vm_ping_reply,
    .ping_done = vm_ping_done,
    .ntp = vm_ntp,
};

/* What every start has in common; settings are another matter. */
static void boot(struct virtual_module *vm)
{
    vm_forget(vm, -1);
    memset(vm->sockets, 0, sizeof vm->sockets);
    vm_nodes_init(vm);
    memset(vm->dns, 0, sizeof vm->dns);
    memset(&vm->line, 0, sizeof vm->line);
    memset(&vm->data, 0, sizeof vm->data);
    memset(&vm->send, 0, sizeof vm->send);
    vm->echo = true;
    vm->cmee = BC26_CMEE_MODE_PLAIN;
    vm->error = 0;
    vm->pinging = vm->timing = false;
    vm->resolving = 0;
    vm->lines = 0;
    vm->out_at = vm->out_len = 0;
}

/* The grammar of a firmware; NULL when the spec knows none of this name. */
static const struct at_grammar *grammar_of(const char *firmware, struct at_posix_why *why)
{
    const struct at_grammar *found;
    size_t len = 0;

    if (firmware == NULL)
        return &bc26_grammar;
    found = at_grammar_of(&bc26_grammar, (struct at_str){ firmware, strlen(firmware) });
    if (found != NULL || why == NULL)
        return found;
    len = (size_t)snprintf(why->text, sizeof why->text, "no firmware '%.60s' is known; there are",
                           firmware);
    for (uint8_t i = 0; i < bc26_grammar.nviews && len < sizeof why->text; i++)
        len += (size_t)snprintf(why->text + len, sizeof why->text - len, " %s",
                                bc26_grammar.views[i].name);
    return NULL;
}

struct virtual_module *virtual_new(const struct virtual_config *config,
                                   struct at_posix_why *why)
{
    struct virtual_module *vm = calloc(1, sizeof *vm);

    if (vm == NULL)
        return NULL;
    if (config != NULL)
        vm->config = *config;
    vm->last_notice = &vm->first_notice;
    vm_store_defaults(vm->settings);
    boot(vm);
    vm->net = net_new(&events, vm);
    if (vm->net == NULL && why != NULL)
        (void)snprintf(why->text, sizeof why->text, "there is not enough memory");
    vm->grammar = grammar_of(vm->config.firmware, why);
    if (vm->net == NULL || vm->grammar == NULL || !vm_store_load(vm, why)) {
        virtual_free(vm);
        return NULL;
    }
    net_set_clock(vm->net, vm->config.now_ms, vm->config.ctx);
    return vm;
}

void virtual_free(struct virtual_module *vm)
{
    if (vm == NULL)
        return;
    net_free(vm->net);
    vm_forget(vm, -1);
    free(vm);
}

void virtual_reset(struct virtual_module *vm)
{
    net_reset(vm->net);
    boot(vm);
    vm_store_reboot(vm->settings);
    vm_begin(vm, VIRTUAL_NOISE);
    vm_put(vm, VIRTUAL_BANNER, sizeof VIRTUAL_BANNER - 1);
}

struct net *virtual_net(struct virtual_module *vm)
{
    return vm->net;
}

/* ---- input --------------------------------------------------------------- */

static void echo(struct virtual_module *vm, const void *bytes, size_t len)
{
    if (vm->echo)
        vm_echo(vm, bytes, len);
}

/* Discards everything up to the two letters that begin a command line. */
static void seek(struct virtual_module *vm, uint8_t byte)
{
    struct vm_line *line = &vm->line;

    if (line->attention && (byte == 'T' || byte == 't')) {
        line->text[1] = byte;
        line->len = 2;
        echo(vm, line->text, 2);
    }
    line->attention = byte == 'A' || byte == 'a';
    if (line->attention)
        line->text[0] = byte;
}

static void line_byte(struct virtual_module *vm, uint8_t byte)
{
    struct vm_line *line = &vm->line;

    echo(vm, &byte, 1);
    if (byte == CR) {
        if (vm->config.command != NULL)
            vm->config.command(vm->config.ctx, line->text, line->len);
        /* The line goes on until it's carried out, so nothing interrupts. */
        vm_command(vm, line->text, line->len, line->overlong);
        line->len = 0;
        line->attention = line->overlong = false;
        vm_flush(vm);
    } else if (byte == BACKSPACE) {
        line->len -= line->len > 2;
    } else if (line->len == VIRTUAL_LINE_MAX) {
        line->overlong = true;
    } else {
        line->text[line->len++] = byte;
    }
}

size_t virtual_input(struct virtual_module *vm, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    size_t taken = 0;

    for (; taken < len && vm->out_len < VIRTUAL_OUT_HIGH; taken++) {
        if (vm->data.form != NULL)
            vm_data_byte(vm, at[taken]);
        else if (vm->line.len == 0)
            seek(vm, at[taken]);
        else
            line_byte(vm, at[taken]);
    }
    vm_pauses(vm);
    return taken;
}

bool virtual_in_data_mode(const struct virtual_module *vm)
{
    return vm->data.form != NULL;
}

/* ---- the poll loop ------------------------------------------------------- */

size_t virtual_pollfds(struct virtual_module *vm, struct pollfd *fds, size_t max)
{
    return net_pollfds(vm->net, fds, max);
}

static void sooner(const struct virtual_module *vm, uint32_t deadline, int *timeout)
{
    int32_t left = (int32_t)(deadline - vm_now(vm));

    if (*timeout < 0 || left < *timeout)
        *timeout = left > 0 ? (int)left : 0;
}

int virtual_timeout_ms(struct virtual_module *vm)
{
    int timeout = net_timeout_ms(vm->net);

    for (size_t i = 0; i < NET_SOCKETS; i++)
        if (vm->sockets[i].closing)
            sooner(vm, vm->sockets[i].close_due, &timeout);
    if (vm->send.busy)
        sooner(vm, vm->send.err == NET_BUSY ? vm->send.deadline : vm_now(vm), &timeout);
    if (vm->first_notice != NULL && vm_gate(vm))
        timeout = 0;
    return timeout;
}

void virtual_dispatch(struct virtual_module *vm, const struct pollfd *fds, size_t count)
{
    /* First, so that SEND OK comes before what a server answers at once. */
    vm_send_step(vm);
    net_dispatch(vm->net, fds, count);
    vm_close_step(vm);
    vm_flush(vm);
    vm_pauses(vm);
}

bool virtual_ready(const struct virtual_module *vm)
{
    bool busy = vm->data.form != NULL || vm->line.len > 0 || vm->send.busy || vm->pinging ||
                vm->timing || vm->resolving > 0 || vm->first_notice != NULL || vm->out_len > 0;

    for (int id = 0; id < NET_SOCKETS; id++)
        busy |= vm->sockets[id].closing || net_state(vm->net, id) == NET_OPENING;
    return !busy;
}

bool virtual_idle(const struct virtual_module *vm)
{
    return virtual_ready(vm) && !net_working(vm->net);
}

/* The output: answers at once, results and URCs when they don't interrupt. */
#include "virtual_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes --------------------------------------------------------------- */

static bool room(const struct virtual_module *vm)
{
    return vm->out_len < VIRTUAL_OUT_HIGH;
}

void vm_begin(struct virtual_module *vm, enum virtual_part part)
{
    vm->part = (uint8_t)part;
    vm->begins = true;
}

/* All who add check for room before and add less than there is above it. */
void vm_put(struct virtual_module *vm, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;

    for (size_t i = 0; i < len && vm->out_len < VM_OUT_MAX; i++) {
        size_t at = (vm->out_at + vm->out_len++) % VM_OUT_MAX;
        vm->out[at] = from[i];
        vm->parts[at] = (uint8_t)(vm->part | (vm->begins ? VM_BEGINS : 0u));
        vm->begins = false;
    }
}

void vm_echo(struct virtual_module *vm, const void *bytes, size_t len)
{
    if (vm->part != VIRTUAL_ECHO)
        vm_begin(vm, VIRTUAL_ECHO);
    vm_put(vm, bytes, len);
}

static void put_text(struct virtual_module *vm, const char *text)
{
    vm_put(vm, text, strlen(text));
}

static void put_data(struct virtual_module *vm, const uint8_t *bytes, size_t len)
{
    if (vm->settings[BC26_SETTING_RECV_DATA_FORMAT] == BC26_DATA_FORMAT_TEXT) {
        vm_put(vm, bytes, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        char digits[2];
        at_hex_encode(bytes + i, 1, digits);
        vm_put(vm, digits, 2);
    }
}

void vm_put_payload(struct virtual_module *vm, const uint8_t *bytes, size_t len)
{
    enum virtual_part around = (enum virtual_part)vm->part;

    vm_begin(vm, VIRTUAL_PAYLOAD);
    put_data(vm, bytes, len);
    vm_begin(vm, around);
}

void vm_put_view(struct virtual_module *vm)
{
    put_text(vm, vm->settings[BC26_SETTING_VIEW_MODE] == BC26_VIEW_MODE_COMMA ? "," : "\r\n");
}

size_t virtual_waiting(const struct virtual_module *vm)
{
    return vm->out_len;
}

size_t virtual_next(const struct virtual_module *vm, enum virtual_part *part)
{
    size_t len = 0;

    while (len < vm->out_len &&
           (len == 0 || vm->parts[(vm->out_at + len) % VM_OUT_MAX] < VM_BEGINS))
        len++;
    *part = (enum virtual_part)(vm->parts[vm->out_at] % VM_BEGINS);
    return len;
}

size_t virtual_output(struct virtual_module *vm, void *bytes, size_t max)
{
    uint8_t *to = bytes;
    size_t len = max < vm->out_len ? max : vm->out_len;

    for (size_t i = 0; i < len; i++)
        to[i] = vm->out[(vm->out_at + i) % VM_OUT_MAX];
    vm->out_at = (vm->out_at + len) % VM_OUT_MAX;
    vm->out_len -= len;
    /* From here on the host may have seen the prompt. */
    if (vm->out_len == 0)
        vm->data.fresh = false;
    return len;
}

/* ---- answers ------------------------------------------------------------- */

int vm_fixed_text(enum bc26_line line, char text[VM_TEXT_MAX])
{
    const struct at_record *record = bc26.records;

    while (record->id != line)
        record++;
    return at_record_encode(&bc26, record, NULL, text, VM_TEXT_MAX, NULL);
}

/* What can't be encoded was let in though it shouldn't have been. */
static bool encoded(const struct virtual_module *vm, int len)
{
    if (len < 0)
        vm_say(vm, "a line could not be encoded (%d)", len);
    return len > 0;
}

void vm_line(struct virtual_module *vm, const char *text, int len)
{
    if (!encoded(vm, len))
        return;
    vm_begin(vm, VIRTUAL_ANSWER);
    if (vm->lines++ == 0)
        put_text(vm, "\r\n");
    vm_put(vm, text, (size_t)len);
    put_text(vm, "\r\n");
}

static void put_block(struct virtual_module *vm, enum virtual_part part, const char *text,
                      size_t len)
{
    vm_begin(vm, part);
    put_text(vm, "\r\n");
    vm_put(vm, text, len);
    put_text(vm, "\r\n");
}

void vm_final(struct virtual_module *vm, enum bc26_line line)
{
    char text[VM_TEXT_MAX];
    int len = vm_fixed_text(line, text);

    if (encoded(vm, len))
        put_block(vm, VIRTUAL_FINAL, text, (size_t)len);
    vm->lines = 0;
}

struct at_str vm_error_words(int code, char words[VM_TEXT_MAX])
{
    const char *text = bc26_error_text(code);
    size_t len = 0;

    for (; text != NULL && text[len] != '\0' && len < VM_TEXT_MAX; len++)
        words[len] = (char)tolower((unsigned char)text[len]);
    return (struct at_str){ words, len };
}

void vm_refuse(struct virtual_module *vm, bool tcpip, int code)
{
    char words[VM_TEXT_MAX], text[VM_TEXT_MAX];
    bool worded = vm->cmee == BC26_CMEE_MODE_TEXT;
    const char *general = bc26_cme_error_text(code);
    struct bc26_cme_error_final error = { .has_code = !worded, .code = code,
                                          .has_text = worded };

    if (vm->cmee == BC26_CMEE_MODE_PLAIN) {
        vm_final(vm, BC26_LINE_ERROR_FINAL);
        return;
    }
    error.text = tcpip ? vm_error_words(code, words)
                       : (struct at_str){ general, strlen(general) };
    int len = bc26_cme_error_final_encode(&error, text, VM_TEXT_MAX, NULL);
    if (encoded(vm, len))
        put_block(vm, VIRTUAL_FINAL, text, (size_t)len);
    vm->lines = 0;
}

/* ---- what comes later ---------------------------------------------------- */

bool vm_gate(const struct virtual_module *vm)
{
    return vm->line.len == 0 && vm->data.form == NULL && room(vm);
}

void vm_later(struct virtual_module *vm, enum vm_notice_kind kind, int id, const char *text,
              int len)
{
    if (kind != VM_RECEIVED && !encoded(vm, len))
        return;
    struct vm_notice *notice = malloc(sizeof *notice + (size_t)len);
    if (notice == NULL)
        return;
    notice->next = NULL;
    notice->kind = kind;
    notice->id = id;
    notice->len = (size_t)len;
    if (len > 0)
        memcpy(notice->text, text, (size_t)len);
    *vm->last_notice = notice;
    vm->last_notice = &notice->next;
    vm_flush(vm);
    vm_pauses(vm);
}

void vm_later_final(struct virtual_module *vm, enum bc26_line line)
{
    char text[VM_TEXT_MAX];

    vm_later(vm, VM_TEXT, -1, text, vm_fixed_text(line, text));
}

/* Sends one notice; false if it has to stay in the queue. */
static bool send_notice(struct virtual_module *vm, const struct vm_notice *notice)
{
    if (notice->kind == VM_RECEIVED)
        return vm_send_received(vm, notice->id);
    if (notice->kind == VM_CLOSED)
        vm->sockets[notice->id].told_closed = true;
    put_block(vm, VIRTUAL_LATER, notice->text, notice->len);
    return true;
}

static void remove_notice(struct virtual_module *vm, struct vm_notice **at)
{
    struct vm_notice *notice = *at;

    *at = notice->next;
    if (vm->last_notice == &notice->next)
        vm->last_notice = at;
    free(notice);
}

void vm_flush(struct virtual_module *vm)
{
    while (vm->first_notice != NULL && vm_gate(vm) && send_notice(vm, vm->first_notice))
        remove_notice(vm, &vm->first_notice);
}

void vm_forget(struct virtual_module *vm, int id)
{
    struct vm_notice **at = &vm->first_notice;

    while (*at != NULL)
        if (id < 0 || (*at)->id == id)
            remove_notice(vm, at);
        else
            at = &(*at)->next;
}

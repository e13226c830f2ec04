/* Sending: data in the command line or in data mode, one send at a time. */
#include "virtual_internal.h"

#include <string.h>

#define LF '\n'

/* ---- to the stack -------------------------------------------------------- */

/* Whether a send may begin: 0 or a code. */
static int may_send(const struct virtual_module *vm, int id)
{
    if (vm->send.busy)
        return BC26_ERROR_BUSY;
    return net_state(vm->net, id) == NET_OPEN ? 0 : BC26_ERROR_SOCKET_CLOSED;
}

/* Gives what vm->send.data holds to the stack. What becomes of it is told
 * later, even where it's known already. */
static void begin(struct virtual_module *vm, int id, size_t len)
{
    struct vm_send *send = &vm->send;

    send->busy = true;
    send->id = id;
    send->len = len;
    send->deadline = vm_now(vm) + VIRTUAL_SEND_MS;
    send->err = net_send(vm->net, id, send->data, len);
}

void vm_send_step(struct virtual_module *vm)
{
    struct vm_send *send = &vm->send;

    if (!send->busy)
        return;
    if (send->err == NET_BUSY)
        send->err = net_send(vm->net, send->id, send->data, send->len);
    if (send->err == NET_BUSY && !vm_due(vm, send->deadline))
        return;
    send->busy = false;
    if (send->err != NET_OK)
        vm->error = send->err;
    vm_later_final(vm, send->err == NET_OK ? BC26_LINE_SEND_OK_FINAL : BC26_LINE_SEND_FAIL_FINAL);
}

/* ---- data in the command line -------------------------------------------- */

static int send_hex(struct virtual_module *vm, int id, struct at_bytes digits)
{
    int len = at_hex_decode(digits.ptr, digits.len, vm->send.data);

    if (len < 1)
        return BC26_ERROR_INVALID_PARAMETERS;
    begin(vm, id, (size_t)len);
    return 0;
}

static int send_text(struct virtual_module *vm, int id, struct at_bytes text)
{
    if (memchr(text.ptr, ';', text.len) != NULL)
        return BC26_ERROR_INVALID_PARAMETERS;
    memcpy(vm->send.data, text.ptr, text.len);
    begin(vm, id, text.len);
    return 0;
}

int vm_qisend_inline(struct virtual_module *vm, const union bc26_request *request)
{
    const struct bc26_qisend_inline *send = &request->qisend_inline;
    int err = may_send(vm, send->connect_id);

    if (err != 0)
        return err;
    return vm->settings[BC26_SETTING_SEND_DATA_FORMAT] == BC26_DATA_FORMAT_HEX
               ? send_hex(vm, send->connect_id, send->data)
               : send_text(vm, send->connect_id, send->data);
}

int vm_qisendex(struct virtual_module *vm, const union bc26_request *request)
{
    int id = request->qisendex.connect_id;
    int err = may_send(vm, id);

    return err != 0 ? err : send_hex(vm, id, request->qisendex.hex_string);
}

/* ---- data mode ----------------------------------------------------------- */

static int prompt(struct virtual_module *vm, enum bc26_form form, int id, int32_t length)
{
    struct vm_data *data = &vm->data;
    int err = may_send(vm, id);

    if (err != 0)
        return err;
    data->form = &bc26.forms[form];
    data->id = id;
    data->fresh = true;
    data->hex = at_data_hex(data->form->rare->data, vm->settings) == 1;
    data->want = (size_t)length * (data->hex ? 2u : 1u);
    data->len = 0;
    vm_begin(vm, VIRTUAL_PROMPT);
    vm_put(vm, "\r\n> ", 4);
    return VM_PROMPT;
}

int vm_qisend_stream(struct virtual_module *vm, const union bc26_request *request)
{
    return prompt(vm, BC26_FORM_QISEND_STREAM, request->qisend_stream.connect_id, 0);
}

int vm_qisend_fixed(struct virtual_module *vm, const union bc26_request *request)
{
    return prompt(vm, BC26_FORM_QISEND_FIXED, request->qisend_fixed.connect_id,
                  request->qisend_fixed.send_length);
}

/* The data as they go to the stack; their length, or negative. */
static int take_data(struct virtual_module *vm)
{
    const struct vm_data *data = &vm->data;

    if (data->len == 0 || data->len > VM_DATA_MAX || (data->hex && data->len % 2u != 0))
        return -1;
    if (data->hex)
        return at_hex_decode(data->text, data->len, vm->send.data);
    memcpy(vm->send.data, data->text, data->len);
    return (int)data->len;
}

static void leave(struct virtual_module *vm, int err)
{
    vm->error = err;
    if (err == 0)
        vm_final(vm, BC26_LINE_OK_FINAL);
    else
        vm_refuse(vm, true, err);
    vm->data.form = NULL;
    vm_flush(vm);
}

static void finish(struct virtual_module *vm)
{
    int len = take_data(vm);

    if (len > 0)
        begin(vm, vm->data.id, (size_t)len);
    leave(vm, len > 0 ? 0 : BC26_ERROR_INVALID_PARAMETERS);
}

static void keep(struct vm_data *data, uint8_t byte)
{
    if (data->len < VM_DATA_MAX)
        data->text[data->len] = byte;
    if (data->len <= VM_DATA_MAX)
        data->len++;
}

void vm_data_byte(struct virtual_module *vm, uint8_t byte)
{
    struct vm_data *data = &vm->data;
    const struct at_data *rules = data->form->rare->data;
    bool fresh = data->fresh;

    data->fresh = false;
    if (fresh && byte == LF)
        return;
    if (vm->settings[rules->echo_slot] == BC26_ECHO_MODE_ON)
        vm_echo(vm, &byte, 1);
    if (byte == rules->until) {
        finish(vm);
    } else if (byte == rules->cancel) {
        leave(vm, BC26_ERROR_CANCEL_SEND);
    } else {
        keep(data, byte);
        if (data->len == data->want)
            finish(vm);
    }
}

/* ---- what became of it --------------------------------------------------- */

int vm_qisend_progress(struct virtual_module *vm, const union bc26_request *request)
{
    int id = request->qisend_progress.connect_id;
    struct net_counters counters = net_counters(vm->net, id);
    struct bc26_qisend_response line = { .sent = counters.sent,
                                         .acked = counters.acked,
                                         .n_acked = counters.unacked };
    char text[VM_TEXT_MAX];

    if (net_state(vm->net, id) == NET_FREE)
        return BC26_ERROR_SOCKET_CLOSED;
    vm_line(vm, text, bc26_qisend_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

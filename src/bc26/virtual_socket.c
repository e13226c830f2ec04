/* Opening and closing sockets, and their states. */
#include "virtual_internal.h"

#include <string.h>

/* ---- QIOPEN -------------------------------------------------------------- */

int vm_qiopen(struct virtual_module *vm, const union bc26_request *request)
{
    const struct bc26_qiopen *open = &request->qiopen;
    struct vm_socket *socket = &vm->sockets[open->connect_id];

    if (socket->used || socket->closing)
        return BC26_ERROR_SOCKET_IN_USE;
    memset(socket, 0, sizeof *socket);
    socket->kind = open->service_type == BC26_SERVICE_TYPE_TCP ? NET_TCP : NET_UDP;
    socket->port = (uint16_t)open->remote_port;
    vm_copy(socket->host, sizeof socket->host, open->host);
    int err = net_open(vm->net, open->connect_id, socket->kind, socket->host, socket->port,
                       (uint16_t)open->local_port,
                       open->protocol_type == BC26_PROTOCOL_TYPE_IPV6);
    socket->used = err == NET_OK;
    return err;
}

void vm_opened(void *ctx, int id, int err)
{
    struct virtual_module *vm = ctx;
    struct bc26_qiopen_result result = { .connect_id = id, .err = err };
    char text[VM_TEXT_MAX];

    vm->error = err;
    vm_later(vm, VM_TEXT, id, text, bc26_qiopen_result_encode(&result, text, sizeof text, NULL));
}

/* ---- closing ------------------------------------------------------------- */

void vm_closed(void *ctx, int id)
{
    struct virtual_module *vm = ctx;
    struct bc26_closed_urc urc = { .connect_id = id };
    char text[VM_TEXT_MAX];

    vm_later(vm, VM_CLOSED, id, text, bc26_closed_urc_encode(&urc, text, sizeof text, NULL));
}

int vm_qiclose(struct virtual_module *vm, const union bc26_request *request)
{
    int id = request->qiclose.connect_id;
    struct vm_socket *socket = &vm->sockets[id];

    if (socket->closing)
        return BC26_ERROR_BUSY;
    socket->closing = true;
    socket->local_port = net_local_port(vm->net, id);
    socket->close_due = vm_now(vm) + VIRTUAL_CLOSE_MS;
    net_close(vm->net, id);
    vm_nodes_drop(vm, socket);
    vm_forget(vm, id);
    return 0;
}

void vm_close_step(struct virtual_module *vm)
{
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        struct vm_socket *socket = &vm->sockets[i];
        if (!socket->closing || !vm_due(vm, socket->close_due))
            continue;
        socket->closing = socket->used = false;
        vm_later_final(vm, BC26_LINE_CLOSE_OK_FINAL);
    }
}

/* ---- QISTATE ------------------------------------------------------------- */

static int32_t state(const struct virtual_module *vm, int id)
{
    static const uint8_t states[] = {
        [NET_FREE] = BC26_SOCKET_STATE_CLOSING, /* QICLOSE was answered */
        [NET_OPENING] = BC26_SOCKET_STATE_CONNECTING,
        [NET_OPEN] = BC26_SOCKET_STATE_CONNECTED,
        [NET_ENDED] = BC26_SOCKET_STATE_REMOTE_CLOSING,
        [NET_FAILED] = BC26_SOCKET_STATE_INITIAL,
    };

    return vm->sockets[id].told_closed ? BC26_SOCKET_STATE_CLOSING
                                       : states[net_state(vm->net, id)];
}

static struct at_str string(const char *text)
{
    return (struct at_str){ text, strlen(text) };
}

static void line(struct virtual_module *vm, int id)
{
    const struct vm_socket *socket = &vm->sockets[id];
    char text[VM_TEXT_MAX];

    if (!socket->used)
        return;
    struct bc26_qistate_response response = {
        .connect_id = id,
        .service_type = string(bc26_service_type_text(
            socket->kind == NET_TCP ? BC26_SERVICE_TYPE_TCP : BC26_SERVICE_TYPE_UDP)),
        .host = string(socket->host),
        .remote_port = socket->port,
        .local_port = socket->closing ? socket->local_port : net_local_port(vm->net, id),
        .socket_state = state(vm, id),
        .context_id = 1,
        .access_mode = vm->settings[BC26_SETTING_ACCESS_MODE + id],
    };
    vm_line(vm, text, bc26_qistate_response_encode(&response, text, sizeof text, NULL));
}

int vm_qistate_read(struct virtual_module *vm, const union bc26_request *request)
{
    (void)request;
    for (int id = 0; id < NET_SOCKETS; id++)
        line(vm, id);
    return 0;
}

/* There is one context alone. */
int vm_qistate_context(struct virtual_module *vm, const union bc26_request *request)
{
    return vm_qistate_read(vm, request);
}

int vm_qistate_connection(struct virtual_module *vm, const union bc26_request *request)
{
    line(vm, request->qistate_connection.connect_id);
    return 0;
}

/* ---- QISWTMD ------------------------------------------------------------- */

/* The setting itself is one of the form's effects. What is in the buffer is
 * told of anew: pushed, or announced. */
int vm_qiswtmd(struct virtual_module *vm, const union bc26_request *request)
{
    int id = request->qiswtmd.connect_id;
    struct vm_socket *socket = &vm->sockets[id];

    if (vm->settings[BC26_SETTING_ACCESS_MODE + id] == request->qiswtmd.access_mode)
        return 0;
    socket->told = socket->told_full = false;
    if (socket->first != NULL)
        vm_tell_received(vm, id);
    return 0;
}

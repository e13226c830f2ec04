/* The receive buffer: twenty nodes for all sockets, read or pushed. */
#include "virtual_internal.h"

#include <string.h>

/* ---- nodes --------------------------------------------------------------- */

void vm_nodes_init(struct virtual_module *vm)
{
    vm->free_nodes = NULL;
    for (size_t i = 0; i < VIRTUAL_NODES; i++) {
        vm->nodes[i].next = vm->free_nodes;
        vm->free_nodes = &vm->nodes[i];
    }
}

static void add_node(struct virtual_module *vm, struct vm_socket *socket, const uint8_t *data,
                     size_t len)
{
    struct vm_node *node = vm->free_nodes;

    vm->free_nodes = node->next;
    node->next = NULL;
    node->at = 0;
    node->len = len;
    memcpy(node->data, data, len);
    if (socket->first == NULL)
        socket->first = node;
    else
        socket->last->next = node;
    socket->last = node;
}

static void drop_first(struct virtual_module *vm, struct vm_socket *socket)
{
    struct vm_node *node = socket->first;

    socket->first = node->next;
    node->next = vm->free_nodes;
    vm->free_nodes = node;
}

void vm_nodes_drop(struct virtual_module *vm, struct vm_socket *socket)
{
    while (socket->first != NULL)
        drop_first(vm, socket);
}

/* ---- telling ------------------------------------------------------------- */

static bool pushes(const struct virtual_module *vm, int id)
{
    return vm->settings[BC26_SETTING_ACCESS_MODE + id] == BC26_ACCESS_MODE_PUSH;
}

static void put_recv(struct virtual_module *vm, int id, bool counted, size_t len)
{
    struct bc26_recv_urc urc = { .connect_id = id,
                                 .has_current_rcv_length = counted,
                                 .current_rcv_length = (int32_t)len };
    char text[VM_TEXT_MAX];
    int n = bc26_recv_urc_encode(&urc, text, sizeof text, NULL);

    vm_begin(vm, VIRTUAL_LATER);
    vm_put(vm, "\r\n", 2);
    vm_put(vm, text, n > 0 ? (size_t)n : 0);
}

static void push(struct virtual_module *vm, int id, const uint8_t *data, size_t len)
{
    put_recv(vm, id, true, len);
    vm_put_view(vm);
    vm_put_payload(vm, data, len);
    vm_put(vm, "\r\n", 2);
}

/* All that is in the buffer, unless the host doesn't keep up. */
static bool push_all(struct virtual_module *vm, int id)
{
    struct vm_socket *socket = &vm->sockets[id];

    while (socket->first != NULL && vm_gate(vm)) {
        push(vm, id, socket->first->data + socket->first->at,
             socket->first->len - socket->first->at);
        drop_first(vm, socket);
    }
    return socket->first == NULL;
}

static void notify(struct virtual_module *vm, int id)
{
    struct vm_socket *socket = &vm->sockets[id];

    /* Meanwhile QIRD may have read everything. */
    if (socket->told || socket->first == NULL)
        return;
    put_recv(vm, id, vm->settings[BC26_SETTING_SHOW_LENGTH] == BC26_SHOW_LENGTH_SHOWN,
             socket->first->len - socket->first->at);
    vm_put(vm, "\r\n", 2);
    socket->told = true;
}

bool vm_send_received(struct virtual_module *vm, int id)
{
    if (!pushes(vm, id))
        notify(vm, id);
    else if (!push_all(vm, id))
        return false;
    vm->sockets[id].telling = false;
    return true;
}

void vm_tell_received(struct virtual_module *vm, int id)
{
    if (vm->sockets[id].telling)
        return;
    vm->sockets[id].telling = true;
    vm_later(vm, VM_RECEIVED, id, NULL, 0);
}

static void tell_full(struct virtual_module *vm, int id)
{
    struct bc26_buffer_full_urc urc = { .has_connect_id = true, .connect_id = id };
    char text[VM_TEXT_MAX];

    if (vm->sockets[id].told_full || pushes(vm, id))
        return;
    vm->sockets[id].told_full = true;
    vm_later(vm, VM_TEXT, id, text, bc26_buffer_full_urc_encode(&urc, text, sizeof text, NULL));
}

/* ---- receiving ----------------------------------------------------------- */

/* Whether data may be pushed without a stay in the buffer. */
static bool passes(const struct virtual_module *vm, int id)
{
    return pushes(vm, id) && vm->first_notice == NULL && vm_gate(vm);
}

void vm_received(void *ctx, int id, const uint8_t *data, size_t len)
{
    struct virtual_module *vm = ctx;
    struct vm_socket *socket = &vm->sockets[id];

    if (passes(vm, id)) {
        push(vm, id, data, len);
    } else if (vm->free_nodes == NULL) {
        tell_full(vm, id);
    } else {
        add_node(vm, socket, data, len);
        if (!socket->told)
            vm_tell_received(vm, id);
        if (vm->free_nodes == NULL && socket->kind == NET_TCP)
            tell_full(vm, id);
    }
    vm_pauses(vm);
}

void vm_pauses(struct virtual_module *vm)
{
    for (int id = 0; id < NET_SOCKETS; id++)
        if (vm->sockets[id].used && vm->sockets[id].kind == NET_TCP)
            net_pause(vm->net, id, vm->free_nodes == NULL && !passes(vm, id));
}

/* ---- QIRD ---------------------------------------------------------------- */

static void read_node(struct virtual_module *vm, struct vm_socket *socket, size_t len)
{
    struct vm_node *node = socket->first;
    const uint8_t *data = node->data + node->at;
    char text[VM_TEXT_MAX];

    len = len < node->len - node->at ? len : node->len - node->at;
    node->at += len;
    struct bc26_qird_response line = {
        .actual_read_length = (int32_t)len,
        .has_remaining_length =
            vm->settings[BC26_SETTING_SHOW_LENGTH] == BC26_SHOW_LENGTH_SHOWN,
        .remaining_length = (int32_t)(node->len - node->at),
    };
    int n = bc26_qird_response_encode(&line, text, sizeof text, NULL);
    vm_begin(vm, VIRTUAL_ANSWER);
    vm_put(vm, "\r\n", 2);
    vm_put(vm, text, n > 0 ? (size_t)n : 0);
    vm_put_view(vm);
    vm_put_payload(vm, data, len);
    vm_put(vm, "\r\n", 2);
    if (node->at == node->len)
        drop_first(vm, socket);
}

int vm_qird(struct virtual_module *vm, const union bc26_request *request)
{
    int id = request->qird.connect_id;
    struct vm_socket *socket = &vm->sockets[id];
    struct bc26_qird_response empty = { .actual_read_length = 0 };
    enum net_state state = net_state(vm->net, id);
    char text[VM_TEXT_MAX];

    if (state != NET_OPEN && state != NET_ENDED)
        return BC26_ERROR_SOCKET_CLOSED;
    if (socket->first != NULL) {
        read_node(vm, socket, (size_t)request->qird.read_length);
        return 0;
    }
    vm_line(vm, text, bc26_qird_response_encode(&empty, text, sizeof text, NULL));
    socket->told = socket->told_full = false;
    return 0;
}

/* Shared by the files of the virtual module, and by nobody else. */
#ifndef BC26_VIRTUAL_INTERNAL_H
#define BC26_VIRTUAL_INTERNAL_H

#include "virtual.h"

#include "bc26_module.h"

#define VM_OUT_MAX (2u * VIRTUAL_OUT_HIGH)
#define VM_TEXT_MAX 256u   /* longest line of the module's, without payload */
#define VM_DATA_MAX 1460u  /* characters in data mode: 1460 of text, or of 730 bytes in hex */
#define VM_BEGINS 0x80u
#define VM_HOST_MAX 150u
#define VM_IP_MAX 39u

/* What a handler of a command returns besides 0 and codes of chapter 3. */
#define VM_PROMPT (-1)     /* data mode was entered; the final result comes later */

/* ---- what the module keeps ------------------------------------------------ */

/* What one received event delivered. */
struct vm_node {
    struct vm_node *next;
    size_t at, len;        /* read so far, and in all */
    uint8_t data[NET_UDP_MAX];
};

struct vm_socket {
    bool used;
    bool closing;          /* QICLOSE was answered, CLOSE OK is still to come */
    bool told;             /* recv was reported, and QIRD hasn't answered 0 since */
    bool told_full;        /* the same for buff full */
    bool told_closed;
    bool telling;          /* a notice of data received is in the queue */
    enum net_kind kind;
    char host[VM_HOST_MAX + 1];
    uint16_t port;
    uint16_t local_port;   /* once closing, when the network has forgotten it */
    uint32_t close_due;
    struct vm_node *first, *last;
};

enum vm_notice_kind {
    VM_TEXT,               /* text, ready to be sent */
    VM_RECEIVED,           /* data of a socket: worded when it is sent */
    VM_CLOSED              /* text that changes what QISTATE says */
};

/* A result or URC that waits until it may be sent. */
struct vm_notice {
    struct vm_notice *next;
    enum vm_notice_kind kind;
    int id;                /* of the socket that it goes away with, or -1 */
    size_t len;
    char text[];
};

struct vm_line {
    size_t len;            /* 0: no "AT" was seen yet */
    bool attention;        /* the byte before was an A */
    bool overlong;
    uint8_t text[VIRTUAL_LINE_MAX];
};

struct vm_data {
    const struct at_form *form;  /* NULL: not in data mode */
    int id;
    bool fresh;            /* no byte came yet, and the prompt wasn't taken */
    bool hex;
    size_t want;           /* characters; 0: until Ctrl-Z */
    size_t len;            /* more than VM_DATA_MAX: too many, and not kept */
    uint8_t text[VM_DATA_MAX];
};

struct vm_send {
    bool busy;             /* SEND OK or SEND FAIL is still to come */
    int id;
    int err;               /* NET_BUSY: the stack has no room yet */
    uint32_t deadline;
    size_t len;
    uint8_t data[VM_DATA_MAX];
};

struct virtual_module {
    struct virtual_config config;
    const struct at_grammar *grammar;  /* of the firmware: what there is, and what isn't */
    struct net *net;
    uint8_t settings[BC26_SETTINGS];
    bool echo;
    int cmee;
    int error;             /* for QIGETERROR */
    char dns[2][VM_IP_MAX + 1];  /* as set by QIDNSCFG; "" is none */
    bool pinging, timing;  /* results are still to come */
    unsigned resolving;
    struct vm_line line;
    struct vm_data data;
    struct vm_send send;
    struct vm_socket sockets[NET_SOCKETS];
    struct vm_node nodes[VIRTUAL_NODES];
    struct vm_node *free_nodes;
    struct vm_notice *first_notice, **last_notice;
    unsigned lines;        /* of the answer under way */
    size_t out_at, out_len;
    uint8_t part;          /* of what is put out: enum virtual_part */
    bool begins;           /* with the next byte */
    uint8_t out[VM_OUT_MAX];
    uint8_t parts[VM_OUT_MAX];  /* of each byte of out, with VM_BEGINS at the first */
};

uint32_t vm_now(const struct virtual_module *vm);
bool vm_due(const struct virtual_module *vm, uint32_t deadline);
void vm_say(const struct virtual_module *vm, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- output (virtual_output.c) ------------------------------------------- */

void vm_put(struct virtual_module *vm, const void *bytes, size_t len);
/* What is put from here on is a stretch of its own. */
void vm_begin(struct virtual_module *vm, enum virtual_part part);
/* What the host typed, come back. */
void vm_echo(struct virtual_module *vm, const void *bytes, size_t len);
/* A payload in the format that holds for received data. */
void vm_put_payload(struct virtual_module *vm, const uint8_t *bytes, size_t len);
/* How a line with a payload goes on: after a comma or on the next line. */
void vm_put_view(struct virtual_module *vm);
/* One more line of the answer; `len` is what the encoder returned. */
void vm_line(struct virtual_module *vm, const char *text, int len);
void vm_final(struct virtual_module *vm, enum bc26_line line);
/* What a code of chapter 3 means, in lower case, as the firmware has it. */
struct at_str vm_error_words(int code, char words[VM_TEXT_MAX]);
/* ERROR or +CME ERROR; `tcpip`: the code is one of chapter 3. */
void vm_refuse(struct virtual_module *vm, bool tcpip, int code);

/* Whether results and URCs may be sent at present. They never are while a
 * command is carried out. */
bool vm_gate(const struct virtual_module *vm);
/* A block of lines, sent at once or as soon as that may be. */
void vm_later(struct virtual_module *vm, enum vm_notice_kind kind, int id, const char *text,
              int len);
void vm_later_final(struct virtual_module *vm, enum bc26_line line);
void vm_flush(struct virtual_module *vm);
/* Drops what waits for a socket; -1: everything. */
void vm_forget(struct virtual_module *vm, int id);
/* The text of a line without fields. */
int vm_fixed_text(enum bc26_line line, char text[VM_TEXT_MAX]);

/* ---- commands (virtual_command.c) ---------------------------------------- */

/* Carries out a command line without its CR. */
void vm_command(struct virtual_module *vm, const uint8_t *line, size_t len, bool overlong);

/* Handlers return 0, a code of chapter 3, or VM_PROMPT. */
typedef int vm_handler(struct virtual_module *vm, const union bc26_request *request);

/* ---- sockets (virtual_socket.c) ------------------------------------------ */

vm_handler vm_qiopen, vm_qiclose, vm_qistate_read, vm_qistate_context, vm_qistate_connection,
    vm_qiswtmd;
void vm_opened(void *ctx, int id, int err);
void vm_closed(void *ctx, int id);
/* CLOSE OK where it's due. */
void vm_close_step(struct virtual_module *vm);

/* ---- receiving (virtual_receive.c) --------------------------------------- */

vm_handler vm_qird;
void vm_nodes_init(struct virtual_module *vm);
void vm_nodes_drop(struct virtual_module *vm, struct vm_socket *socket);
void vm_received(void *ctx, int id, const uint8_t *data, size_t len);
/* Says that there are data, once the gate is open. */
void vm_tell_received(struct virtual_module *vm, int id);
/* Sends that notice; false if not all of it could go. */
bool vm_send_received(struct virtual_module *vm, int id);
/* Stops and resumes reading, as there is room. */
void vm_pauses(struct virtual_module *vm);

/* ---- sending (virtual_send.c) -------------------------------------------- */

vm_handler vm_qisend_inline, vm_qisend_stream, vm_qisend_fixed, vm_qisend_progress, vm_qisendex;
void vm_data_byte(struct virtual_module *vm, uint8_t byte);
/* SEND OK or SEND FAIL when it's time. */
void vm_send_step(struct virtual_module *vm);

/* ---- names, ping and time (virtual_service.c) ---------------------------- */

vm_handler vm_qping, vm_qntp, vm_qidnsgip, vm_qidnscfg_query, vm_qidnscfg;
void vm_resolved(void *ctx, void *cookie, int err, const char *const *addresses, size_t count,
                 uint32_t ttl);
void vm_ping_reply(void *ctx, int err, const char *ip, unsigned bytes, uint32_t time_ms,
                   unsigned ttl);
void vm_ping_done(void *ctx, const struct net_ping_summary *summary);
void vm_ntp(void *ctx, int err, const struct net_time *utc);

/* ---- settings that outlive a reboot (virtual_store.c) -------------------- */

void vm_store_defaults(uint8_t settings[BC26_SETTINGS]);
bool vm_store_load(struct virtual_module *vm, struct at_posix_why *why);
void vm_store_save(const struct virtual_module *vm);
/* What a reboot makes of the settings. */
void vm_store_reboot(uint8_t settings[BC26_SETTINGS]);

/* Copies a text of a request; `size` has room for the longest and a NUL. */
void vm_copy(char *to, size_t size, struct at_str text);

#endif

/**
 * @file sockets.h
 * Sockets over a BC26: the manual's rules, kept for the user.
 *
 *  - Opening chooses a handle; one that fails is closed, so that its id is free.
 *    An id that a former program may have left open is closed before it's used.
 *  - Data of any length are cut into pieces that the module takes; one piece is
 *    under way at a time for the whole module, until its SEND OK. Where firmware
 *    has no data mode they go in the command line, as text or hexadecimal.
 *  - In buffer mode the module is read until it says that it's empty; pushed data
 *    go the same way. The end of a connection is told after all its data.
 *  - Why a command was refused by a plain ERROR is asked with AT+QIGETERROR, before the
 *    next: after that the module doesn't know any more. Not of closing, nor when nobody
 *    would be told; and what the module can't say, or too late, stays unknown.
 *  - After a restart of the module every operation and every handle ends with
 *    AT_E_REBOOT; bc26_socket_close makes the handle free.
 *  - When the port fails every operation ends with AT_E_PORT, and what is begun before it
 *    works again does so too. Open it anew, then call at_client_reset: every handle ends
 *    with AT_E_REBOOT, whatever became of the module; close it, and open it again. (While
 *    no command is under way only `read` can fail. A loop of one's own sees that itself;
 *    receives that wait for data end as late as with at_client_reset, and AT_E_REBOOT.)
 *    A port that doesn't fail but takes nothing for 10 s is AT_E_TIMEOUT.
 *
 * A channel carries one command at a time: sockets take turns, piece by piece, and
 * on each of them sending and reading do. Opening, resolving, ping and the time
 * occupy the channel until their result came, as the manual asks: up to 60 s, and a ping
 * as long as its arguments say.
 *
 * Every operation is a task that doesn't wait (names that end in _start), and has a
 * twin that does, which needs the client's `read` callback (AT_E_ARGUMENT without it), and
 * leaves the code of a failure in the client's `error`. While it waits, all other tasks
 * go on. Tasks may be started from the callbacks here and from `done`;
 * twins that wait, and bc26_sockets_poll, may not be called from any callback.
 *
 * Back-pressure. In buffer mode what nobody reads stays in the module (20 packets
 * for all sockets together; then TCP holds the sender back, and UDP loses). In push
 * mode there is none: data go to the posted receive, else to `received`, else they
 * are lost and counted. Nothing is buffered here.
 *
 * Memory is the caller's: struct bc26_sockets 328 bytes on a Cortex-M0+, and
 * struct bc26_task 48 for each operation under way. The client's command buffer
 * needs about 200 bytes; where firmware has no data mode, pieces get as long as it
 * has room for: 1060 bytes are of use.
 */
#ifndef BC26_SOCKETS_H
#define BC26_SOCKETS_H

#include "bc26.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Sockets of a module: handles are connectIDs, 0 to 4. */
#define BC26_SOCKETS 5

struct bc26_sockets;

/**
 * An operation. The caller owns it and all it points to until `done` is called, or
 * the function that waits returns. Set `done` and `ctx`; the rest is filled in.
 */
struct bc26_task {
    /** Optional: it has ended. May start tasks, this one too. */
    void (*done)(void *ctx, struct bc26_task *task);
    void *ctx;         /**< passed to `done` */
    bool pending;      /**< out: not ended yet */
    int status;        /**< out: as the function that waits returns it */
    int32_t error;     /**< out: code of a failed result, of +CME ERROR or, after a plain ERROR,
                            of AT+QIGETERROR; -1: there's none, or it isn't known */
    size_t count;      /**< out: bytes sent for sure, or received; whatever the status */

    /* private */
    uint8_t step;
    int (*start)(struct bc26_sockets *sockets, struct bc26_task *task);
    const void *input; /* request, or data to send */
    void *output;      /* answers, or where received data go */
    size_t size;
    void *summary;
};

/** What bc26_sockets_init needs. */
struct bc26_sockets_config {
    struct at_client *client; /**< set up; its `urc` gets what isn't of open sockets */
    void *ctx;                /**< passed to the callbacks */
    /** Optional: data of a socket for which no receive is posted; gone when it returns. */
    void (*received)(void *ctx, int handle, const uint8_t *data, size_t n);
    /**
     * Optional: the other side ended the connection, and all its data were delivered
     * (AT_OK); the module restarted or the client was reset (AT_E_REBOOT); or reading for
     * `received` failed with this status, and goes on with the next notice or receive. A
     * handle that ended is still to be closed.
     */
    void (*ended)(void *ctx, int handle, int status);
    /** Optional: where data are read to for `received` in buffer mode; up to 512 bytes
     *  are of use. NULL: they wait in the module for a receive. Not for receives. */
    uint8_t *buffer;
    size_t buffer_size;
    /** After so many ms without a command the module may doze and lose the next one: an
     *  AT is sent first, whose loss does no harm. 0: it doesn't doze. */
    uint32_t doze_ms;
};

/** What was lost or ignored. */
struct bc26_sockets_counters {
    uint32_t dropped;   /**< pushed bytes that nobody took */
    uint32_t broken;    /**< pushed bytes that were announced and didn't come, or no hexadecimal */
    uint32_t stray;     /**< notices for sockets that aren't open */
    uint32_t full;      /**< times that the module's buffer was full; datagrams may be lost */
    uint32_t refused;   /**< QICLOSEs refused or unanswered, before opening and after failures */
};

/** Private: one socket. */
struct bc26_socket {
    uint8_t state;
    bool stale;             /* the module may hold this id: close it before it's opened */
    bool udp;
    bool readable;          /* data may wait in the module */
    bool stalled;           /* reading for `received` failed, and so doesn't go on by itself */
    bool finished;          /* the other side closed */
    bool told;              /* ... and `ended` was called */
    bool sent_last;         /* it's reading's turn */
    int status;             /* why opening failed */
    struct bc26_task *life; /* opening or closing */
    struct bc26_task *send;
    struct bc26_task *recv;
};

/** Allocate it, read its counters, and leave the other members alone. */
struct bc26_sockets {
    struct bc26_sockets_counters counters;
    struct bc26_sockets_config config;
    struct at_listener listener;
    struct at_call call;       /* the command under way */
    union {
        struct bc26_qiopen open;
        struct bc26_qiclose close;
        struct bc26_qird read;
        struct bc26_qisend_fixed fixed;
        struct bc26_qisend_inline text;
        struct bc26_qisendex hex;
        struct bc26_qicfg_dataformat format;
        struct bc26_qicfg_echomode echo;
        struct {
            struct bc26_qigeterror_response answer;
            uint8_t *data;     /* of the call that was refused */
            size_t text_size;  /* of the client */
        } why;
    } request;                 /* ... and its arguments */
    uint8_t step;              /* ... what it is for; or none is */
    uint8_t turn;              /* ... and for whom */
    uint8_t data_mode;         /* whether the firmware has one */
    bool unsettled;            /* there's more to do at once */
    size_t piece;              /* how many bytes are being sent */
    uint32_t used;             /* when the last command ended */
    struct bc26_task *service; /* neither of a socket: attach, ping ... */
    struct bc26_socket sockets[BC26_SOCKETS];
    size_t missing;            /* of the payload that is being pushed, as on the wire */
    uint8_t pushing;           /* ... for whom */
    bool hex;
    uint8_t digits[2];         /* of it, until there are two */
    uint8_t ndigits;
    bool untouched;            /* since the module restarted nothing was sent to it */
    bool asking;               /* why the command of `step` was refused, before it's concluded */
};

/** Takes the client's unsolicited lines from now on. @return AT_OK or AT_E_ARGUMENT */
int bc26_sockets_init(struct bc26_sockets *sockets, const struct bc26_sockets_config *config);

/**
 * In place of at_client_poll: after at_client_commit, after tasks were started, and
 * when time has passed. @return milliseconds until it has to be called again; 0 only
 * if there is more to do at once
 */
uint32_t bc26_sockets_poll(struct bc26_sockets *sockets);

/**
 * Wakes the module, switches its echo off, reads its settings, and lets data go in
 * this format both ways (enum bc26_data_format; stored by the module, so written only
 * when it differs). Not needed, but for the format: every operation does the rest.
 * @return AT_OK or a negative at_status
 */
int bc26_sockets_attach(struct bc26_sockets *sockets, int32_t format);
int bc26_sockets_attach_start(struct bc26_sockets *sockets, struct bc26_task *task,
                              int32_t format);

/**
 * Opens a socket. The request's connect_id is ignored; without an access mode it's buffer mode.
 * @return the handle; AT_E_SPACE: all are in use; AT_E_FAIL (see `error`), AT_E_ERROR, or
 *         another negative at_status: nothing is open
 */
int bc26_socket_open(struct bc26_sockets *sockets, const struct bc26_qiopen *request);
/** bc26_socket_open without waiting; the handle is returned at once, and is gone should the
 *  task fail. */
int bc26_socket_open_start(struct bc26_sockets *sockets, struct bc26_task *task,
                           const struct bc26_qiopen *request);

/**
 * Sends data: all, or it fails. A datagram must fit into one piece (1460 bytes).
 *
 * After a timeout (and AT_E_LOST, AT_E_PORT) nobody knows what became of the last piece,
 * so close the socket rather than send it again. Asking wouldn't tell: the module's count
 * (bc26_qisend_progress) is of what it took, and data mode is only left by filling up the
 * piece with other bytes; it may yet be sent when the count was read; and firmware
 * without data mode has no count.
 * @return `size`; AT_E_FAIL, AT_E_ERROR: refused; AT_E_TIMEOUT: the last piece may have been
 *         sent or not; AT_E_BUSY: the handle sends already; AT_E_ARGUMENT: no such handle,
 *         nothing to send, a datagram too long; AT_E_REBOOT; AT_E_CANCELED: closed meanwhile
 */
int bc26_socket_send(struct bc26_sockets *sockets, int handle, const void *data, size_t size);
int bc26_socket_send_start(struct bc26_sockets *sockets, struct bc26_task *task, int handle,
                           const void *data, size_t size);

/**
 * Receives what is there, at least one byte, in either mode.
 * @param wait_ms  how long to wait for the first byte; UINT32_MAX: as long as it takes
 * @return bytes; 0: the other side closed, and all was read; AT_E_TIMEOUT: nothing came (or
 *         an answer failed to: see client's counters); AT_E_BUSY: a receive is posted already;
 *         AT_E_LOST: the module's settings were others than known, and data may be missing;
 *         AT_E_ARGUMENT, AT_E_REBOOT, AT_E_CANCELED ...
 */
int bc26_socket_recv(struct bc26_sockets *sockets, int handle, void *data, size_t size,
                     uint32_t wait_ms);
/** Posts a receive. In push mode what doesn't fit goes to `received`. */
int bc26_socket_recv_start(struct bc26_sockets *sockets, struct bc26_task *task, int handle,
                           void *data, size_t size);

/**
 * Closes a socket, whatever became of it. Sending and receiving end with AT_E_CANCELED.
 * @return AT_OK, or a negative at_status if the module refused or didn't answer; the handle is
 *         free in each case, but not with AT_E_ARGUMENT (no such handle) and AT_E_BUSY
 *         (it's being opened or closed)
 */
int bc26_socket_close(struct bc26_sockets *sockets, int handle);
int bc26_socket_close_start(struct bc26_sockets *sockets, struct bc26_task *task, int handle);

/**
 * Resolves a name. Texts are valid until the next call of this kind (here and in what
 * follows). One of attach, resolve, ping, time is under way at a time, else AT_E_BUSY.
 * @return addresses stored, or a negative at_status
 */
int bc26_sockets_resolve(struct bc26_sockets *sockets, const struct bc26_qidnsgip *request,
                         struct bc26_dnsgip_address_urc *addresses, size_t max);
int bc26_sockets_resolve_start(struct bc26_sockets *sockets, struct bc26_task *task,
                               const struct bc26_qidnsgip *request,
                               struct bc26_dnsgip_address_urc *addresses, size_t max);

/** Pings. As bc26_qping. @return lines stored, or a negative at_status */
int bc26_sockets_ping(struct bc26_sockets *sockets, const struct bc26_qping *request,
                      struct bc26_qping_result *results, size_t max,
                      struct bc26_qping_summary_result *summary);
int bc26_sockets_ping_start(struct bc26_sockets *sockets, struct bc26_task *task,
                            const struct bc26_qping *request, struct bc26_qping_result *results,
                            size_t max, struct bc26_qping_summary_result *summary);

/** Asks a server for the time. As bc26_qntp. @return 1, or a negative at_status */
int bc26_sockets_time(struct bc26_sockets *sockets, const struct bc26_qntp *request,
                      struct bc26_qntp_result *answer);
int bc26_sockets_time_start(struct bc26_sockets *sockets, struct bc26_task *task,
                            const struct bc26_qntp *request, struct bc26_qntp_result *answer);

#ifdef __cplusplus
}
#endif

#endif

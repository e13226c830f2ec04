/**
 * @file client.h
 * The client: one command at a time over a channel, with deadlines, unsolicited
 * result codes routed apart, and recovery after silence and restarts.
 *
 * The core never blocks: bytes come in through at_client_reserve and
 * at_client_commit (from an interrupt's DMA window, read(), ...), time through
 * at_client_poll. The blocking calls on top need the `read` callback.
 * No function is reentrant; call none from a callback except where it says so.
 */
#ifndef AT_CLIENT_H
#define AT_CLIENT_H

#include "at/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AT_SINKS_MAX 2u

/** Everything that is dropped, unknown or repaired is counted. */
struct at_counters {
    uint32_t commands;      /**< sent, those of the client's own included */
    uint32_t urcs;          /**< handed to `urc` */
    uint32_t unknown;       /**< lines no description fits, handed to `unknown` */
    uint32_t overlong;      /**< lines longer than the window, skipped */
    uint32_t echoes;        /**< command lines come back, dropped */
    uint32_t stray;         /**< known lines that no command waited for, dropped */
    uint32_t late;          /**< lines of commands given up: discarded, results handed to `urc` */
    uint32_t unstored;      /**< lines beyond the room the caller gave, or beyond the form's */
    uint32_t payload_lost;  /**< payload bytes nobody took, as on the wire */
    uint32_t filler;        /**< bytes sent in place of data, to leave data mode */
    uint32_t timeouts;      /**< deadlines missed, by the client's own commands too */
    uint32_t barriers;      /**< sent to leave quarantine */
    uint32_t reboots;
    uint32_t resyncs;       /**< settings read, the first time included */
};

/** What the client needs from its user. Members documented as optional may be NULL. */
struct at_client_config {
    const struct at_module *module;
    void *ctx; /**< passed to every callback */

    /** Take up to `n` bytes for the module; returns how many, or negative when the port failed. */
    int (*write)(void *ctx, const uint8_t *data, size_t n);
    /** Milliseconds from any start; may wrap around. */
    uint32_t (*now)(void *ctx);
    /** Optional, for blocking calls: wait up to `wait_ms` for bytes; returns how many
     *  (0: none came), or negative when the port failed. */
    int (*read)(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms);

    /** Optional: an unsolicited result code, or a result no command waits for. */
    void (*urc)(void *ctx, const struct at_line *line);
    /** Optional: a piece of a URC's payload as on the wire; `remaining` bytes are still to come. */
    void (*payload)(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                    size_t remaining);
    /** Optional: a line that no description fits. */
    void (*unknown)(void *ctx, struct at_str line);

    uint8_t *window;      /**< receive window: longest line + 1, at least 64; longer lines are lost */
    size_t window_size;
    char *command;        /**< one encoded command line */
    size_t command_size;
    char *text;           /**< strings of results; valid until the next command. NULL when none
                               are stored: with no room for it a string is lost (AT_E_SPACE) */
    size_t text_size;
    uint8_t *settings;    /**< module->nslots bytes */
    uint16_t latency_ms;  /**< added to every deadline: slow lines, slow bridges */
    uint8_t tries;        /**< of the wake-up and of barriers; 0 means 5 */
};

/** How data are sent at a prompt. Calls that send none do without, so that a linker can. */
extern const struct at_sending at_sending;

/** Where the lines of one kind go that a command brings. */
struct at_sink {
    uint16_t record; /**< at_record.id */
    uint16_t max;    /**< room in `items` */
    uint16_t count;  /**< lines stored */
    void *items;     /**< array of the record's struct, or NULL to drop them */
};

/**
 * A command under way. The caller owns it, the request, the sinks and the data
 * buffer, and keeps them until `done` was called or at_client_call returned.
 */
struct at_call {
    const struct at_form *form; /**< NULL: what at_client_sync does, and no more */
    const void *request;
    struct at_sink sinks[AT_SINKS_MAX];
    uint8_t *data;    /**< where the payload of the answer goes, if it fits; or NULL */
    size_t data_size;
    const struct at_sending *sending; /**< &at_sending, of a form with a prompt */
    void (*done)(void *ctx, struct at_call *call); /**< optional; may start the next command */
    void *ctx;

    int status;       /**< out: lines stored, or a negative at_status: how the command ended, or
                           else AT_E_ANSWER or AT_E_SPACE, the first that was wrong on the way */
    size_t data_len;  /**< out: payload bytes in `data` */
    int32_t error;    /**< out: the code of +CME ERROR or of a failed result, or -1 */
    struct at_fault fault; /**< out: on AT_E_ARGUMENT */
};

/**
 * A layer between client and application: it hears what is unsolicited first,
 * and what it takes doesn't reach the callbacks of the configuration. Like
 * those its functions start no command.
 */
struct at_listener {
    void *ctx;
    /** As the configuration's `urc`; true: taken, and so is the payload behind it. */
    bool (*urc)(void *ctx, const struct at_line *line);
    /** As the configuration's `payload`, of lines that were taken. */
    void (*payload)(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                    size_t remaining);
    /** The module restarted, or at_client_reset was called; a command under way ends after it. */
    void (*restarted)(void *ctx);
};

/**
 * Allocate it, read its counters, error and fault, and leave the other members alone.
 * (The order: a Cortex-M0 reaches bytes and words near the beginning with shorter code.)
 */
struct at_client {
    uint8_t phase;
    uint8_t role;               /* whose command is under way */
    uint8_t step;               /* of the start-up */
    uint8_t tries;              /* failed, at the present step */
    bool dirty;                 /* late lines may come: a barrier before the next command */
    bool tainted;               /* what comes may be a payload: settings are unknown */
    bool owes_final;            /* one final result code may still come: likewise */
    bool unset;                 /* settings are to be read before the next command */
    bool prompted;              /* the module is surely in data mode, if stuck */
    bool accepted;              /* by the prompt: a completion may come without the OK */
    bool completed;
    bool hex;
    bool until;                 /* the byte that ends the data is still to be sent */
    bool counting;              /* the stream counts bytes and doesn't scan lines */
    bool resting;               /* the barrier under way was sent before, and may be late */
    uint8_t asked;              /* the barrier that was sent last; or something else was */
    int8_t verdict;             /* what a command ends with that is only to be acknowledged yet */
    uint8_t ending;             /* the command has ended, and whoever has to know isn't told yet: */
    int8_t ended;               /* with this status */
    uint8_t payload_to;
    uint8_t escape;
    uint8_t rested;             /* low bits of counters.late when a rest began */
    uint8_t ndigits;
    uint8_t digits[2];          /* of a hexadecimal payload, until there are two */
    uint8_t seen[AT_SINKS_MAX]; /* lines, by index into form->responses */
    struct at_call *call;       /* the caller's command, or NULL */
    const struct at_form *form; /* being sent or waited for: the caller's or the client's own */
    const void *request;
    const uint8_t *out;         /* bytes still to be written ... */
    size_t out_len;
    uint32_t fill;              /* ... after this many times `escape` */
    struct at_bytes data;       /* data still to be sent after the prompt */
    size_t text_used;
    uint32_t since;             /* when the running deadline began */
    uint32_t wait;              /* its length, ms */
    uint32_t tainted_at;        /* when the last of it came */
    uint32_t heard;             /* when the last byte of a payload came */
    const struct at_completion *owed_line; /* results of given up commands: which line, */
    uint32_t owed;              /* and for which keys, one bit each */
    uint32_t unanswered;        /* barriers that would be mistaken, one bit each */
    uint16_t offered;           /* bytes that were to be sent at most since a barrier was passed */
    uint32_t stuck;             /* bytes that bring the module out of data mode, or 0 */
    int32_t remaining;          /* completions until the command ends, or -1 */
    const struct at_listener *listener;
    struct at_client_config config;
    struct at_counters counters;
    struct at_stream stream;
    int32_t error;              /**< at_call.error of the last blocking call */
    struct at_fault fault;      /**< at_call.fault of the last blocking call */
};

/** @return AT_OK, or AT_E_ARGUMENT / AT_E_SPACE for an unusable configuration. */
int at_client_init(struct at_client *client, const struct at_client_config *config);

/** From now on `listener` hears first; NULL: nobody does. It must live as long as the client. */
void at_client_listen(struct at_client *client, const struct at_listener *listener);

/**
 * What generated calls begin with: a call of this form, which sends no data. Of its sinks
 * it sets which lines they take, one each; `items` are the caller's to set, before or after,
 * and so are `done` and `ctx`.
 */
void at_call_prepare(struct at_call *call, const struct at_form *form, const void *request);

/**
 * Start a command. Settings that are unknown are read first, a quarantine is
 * left first; `done` is called in every case but an error returned here, and
 * never from here.
 * @return AT_OK, AT_E_ARGUMENT (see call->fault), AT_E_SPACE, AT_E_UNKNOWN_SETTING,
 *         AT_E_BUSY: another command is under way, or the port hasn't yet taken
 *         the rest of one that was given up; AT_E_PORT. Nothing was sent on an error
 */
int at_client_start(struct at_client *client, struct at_call *call);

/** at_client_start, then read and poll until it is done. @return call->status */
int at_client_call(struct at_client *client, struct at_call *call);

/** Wake the module, switch its echo off and read its settings, now rather than
 *  before the first command. Blocking. @return AT_OK or a negative at_status */
int at_client_sync(struct at_client *client);

/** Give up the command under way; what it brings later is discarded. */
void at_client_cancel(struct at_client *client);

/**
 * Place for received bytes, and how many may come; never 0. It may be the
 * caller's own data buffer, so ask again after any other call for this client.
 */
uint8_t *at_client_reserve(struct at_client *client, size_t *room);
/** `n` bytes were received. Runs callbacks. */
void at_client_commit(struct at_client *client, size_t n);
/** Deadlines and pending output; call it when time has passed. Runs callbacks.
 *  @return milliseconds until it has to be called again */
uint32_t at_client_poll(struct at_client *client);

/**
 * What at_client_call does until its command is done, for loops of one's own:
 * wait up to `wait_ms`, as at_client_poll said, for bytes, and take them.
 * @return AT_OK; AT_E_PORT, with which a command under way has ended; or
 *         AT_E_ARGUMENT: there's no `read` callback
 */
int at_client_wait(struct at_client *client, uint32_t wait_ms);

/** The transport was opened anew or the module restarted: nothing is known. */
void at_client_reset(struct at_client *client);

bool at_client_idle(const struct at_client *client);

/** The configuration's clock. */
uint32_t at_client_now(const struct at_client *client);

/** The value of the setting in this slot; AT_UNKNOWN while it isn't known. */
uint8_t at_client_setting(const struct at_client *client, uint8_t slot);

#ifdef __cplusplus
}
#endif

#endif

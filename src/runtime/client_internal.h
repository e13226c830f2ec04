/* What the parts of the client share:
 *   client.c           the transaction: sending, deadlines, the public calls
 *   client_answer.c    what comes from the module: whose line is it, is it done
 *   client_recovery.c  what comes between commands: wake-up, barrier, settings
 *   client_data.c      data at a prompt, of calls that have some */
#ifndef AT_CLIENT_INTERNAL_H
#define AT_CLIENT_INTERNAL_H

#include "at/client.h"

enum phase {
    PHASE_IDLE,
    PHASE_REST,   /* nothing is sent until nothing late comes any more */
    PHASE_READY,  /* prepared, and nothing is to be sent: at_client_poll says so */
    PHASE_SEND,
    PHASE_PROMPT,
    PHASE_DATA,
    PHASE_FINAL,  /* responses, then the final result code */
    PHASE_THEN    /* what follows the final result code */
};

/* Whose command is under way. */
enum role { ROLE_CALLER, ROLE_START, ROLE_BARRIER, ROLE_QUERY };

enum payload_to { PAYLOAD_DROP, PAYLOAD_CALLER, PAYLOAD_LISTENER, PAYLOAD_URC };

enum ending {
    ENDING_NOT,
    ENDING_OWN,  /* a command of the client's own has ended */
    ENDING_STEP, /* go on to what comes next */
    ENDING_CALL  /* the caller's command has ended */
};

enum effect { EFFECT_CHECK, EFFECT_APPLY, EFFECT_DOUBT };

/* client.c */

/* Encode c->form and begin to send it. */
int at_client_send(struct at_client *c);
/* Write what the port takes. */
int at_client_flush(struct at_client *c);
/* Start a deadline. */
void at_client_arm(struct at_client *c, uint32_t ms);
/* The command under way has ended, the caller's or the client's own. Who has to know is
 * told by at_client_settle, so that an event is over before anything else begins. */
void at_client_end(struct at_client *c, int status);
/* The caller's command has ended, whatever is under way. Likewise. */
void at_client_finish(struct at_client *c, int status);
/* Tell it: go on to what comes next, or call `done`. Nothing may follow in what calls it. */
void at_client_settle(struct at_client *c);
/* Walk the settings that the form's request changes: are those known that it
 * leaves as they are; take the values over; or nobody knows whether they were. */
int at_client_effects(struct at_client *c, enum effect what);
bool at_client_request_int(const struct at_client *c, uint16_t param, int32_t *value);

bool at_client_has_prompt(const struct at_client *c);

/* client_data.c */

struct at_sending {
    /* The command is well-formed: are its data? */
    int (*begin)(struct at_client *c);
    void (*on_prompt)(struct at_client *c);
    /* Prepare the next piece; false: all were written. */
    bool (*next)(struct at_client *c);
    /* Remember what the module may still wait for. `arrived`: so did all that was written. */
    void (*give_up)(struct at_client *c, bool arrived);
};

/* client_answer.c */

void at_client_event(void *ctx, const struct at_event *event);
/* Take over how many completions come: from the line of this record that says
 * so, or with AT_NONE from the request. */
void at_client_announce(struct at_client *c, uint16_t record, const struct at_line *line);

/* client_recovery.c */

/* Send what has to come before the caller's command, or that itself. */
int at_client_advance(struct at_client *c);
/* Whether something has to. */
bool at_client_needs_settings(const struct at_client *c);
/* A command of the client's own ended. */
void at_client_own_ended(struct at_client *c, int status);
/* No answer of the command under way can be told from a later one's. */
void at_client_quarantine(struct at_client *c);
/* Likewise, and what was written of it may not have arrived. */
void at_client_cut_off(struct at_client *c);
/* Let a payload go that will never be whole. Not from an event: it makes one itself. */
void at_client_end_dead_payload(struct at_client *c);
/* The rest is over. */
void at_client_rested(struct at_client *c);
/* Some command of the client's own got nowhere. */
void at_client_failed_try(struct at_client *c);
/* Nothing is known about the module. */
void at_client_forget(struct at_client *c);
/* The module restarted. */
void at_client_restarted(struct at_client *c);
/* Likewise, but it's the transport that is new: what was asked may still be answered. */
void at_client_renewed(struct at_client *c);
/* The module may have restarted: what doesn't survive that is to be read. */
void at_client_doubt_volatile(struct at_client *c);
void at_client_tell_restart(struct at_client *c);
/* Send the bytes that bring the module out of data mode. */
void at_client_leave_data_mode(struct at_client *c);

#endif

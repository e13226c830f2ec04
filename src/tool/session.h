/**
 * @file session.h
 * What a terminal log tells besides its events: echoed commands say which
 * command is pending and, once acknowledged, which settings hold.
 */
#ifndef AT_SESSION_H
#define AT_SESSION_H

#include "tool.h"

struct session {
    const struct tool *tool;
    uint8_t settings[TOOL_SETTINGS_MAX];
    const struct at_form *form; /* pending, or NULL */
    bool prompted;              /* and its prompt was seen */
    uint8_t effects[8][2];      /* slot and value to take over at the OK */
    size_t neffects;
    uint32_t data_len;          /* of data at the prompt, as on the wire; 0 when ended */
};

/** What an echoed line is. */
struct session_echo {
    const struct at_form *form; /* NULL when no command fits */
    bool ambiguous;             /* the command is known, its form isn't */
    bool fits;                  /* the form, and so has the arguments in `command` */
    struct at_command command;
};

void session_init(struct session *session, const struct tool *tool);

/** Take notice of an event, before it is shown. `echo` is filled for an echo. */
void session_event(struct session *session, struct at_stream *stream,
                   const struct at_event *event, struct session_echo *echo);

#endif

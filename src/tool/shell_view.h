/**
 * @file shell_view.h
 * What the shell shows of the port: each line of the module's decoded, what was typed as
 * it goes on the wire, and nothing of what the client asks for itself.
 */
#ifndef AT_SHELL_VIEW_H
#define AT_SHELL_VIEW_H

#include "port.h"
#include "request.h"
#include "traffic.h"

struct view {
    const struct tool *tool;
    const struct request *request; /**< under way, or NULL */
    bool wire;                     /**< under way is a line that the spec doesn't know */
    uint8_t outcome;               /**< of the last final result code: enum at_outcome */
    bool reason;                   /**< which told why, if it's a refusal */
    struct port_observer observer;
    struct traffic traffic;
    bool own;                      /**< the command on the wire is the client's */
    bool hex;                      /**< the payload's format */
};

/** The port is opened, for the first time or again. */
void view_start(struct view *view, const struct tool *tool);

/** The port is lost. */
void view_stop(struct view *view);

/** A command begins: a request, or with NULL a line that the spec doesn't know. */
void view_begin(struct view *view, const struct request *request);

/** Nothing is under way any more. */
void view_end(struct view *view);

#endif

/**
 * @file work.h
 * What the commands that do real work through a BC26 share: a channel, sockets over
 * it, and what to say when something fails.
 */
#ifndef BC26_WORK_H
#define BC26_WORK_H

#include "bc26.h"
#include "channel.h"
#include "sockets.h"

/** Begins with the channel, so that callbacks with its ctx can find the rest. */
struct work {
    struct channel channel;
    struct bc26_sockets sockets;
    uint8_t buffer[512];
};

/**
 * Opens the port, wakes the module and reads its settings. Prints a message if it can't.
 * @param hooks  received, ended and ctx are taken over; may be NULL
 * @return TOOL_DONE; or else the exit status, and nothing is open
 */
int work_begin(struct work *work, const struct tool *tool,
               const struct bc26_sockets_config *hooks);

/** Gives the port back. Sockets are closed before. */
void work_end(struct work *work);

/**
 * Says why something failed, and what to do next. A plain ERROR that comes without a code (the
 * sockets ask for theirs) is looked into with AT+QIGETERROR, so the channel must be idle.
 * @param what    such as `tcp example.com 80`
 * @param error   code of chapter 3, or -1
 * @return exit status: TOOL_NO, or 128 + the signal that ended it
 */
int work_failed(struct work *work, const char *what, int status, int32_t error);

#endif

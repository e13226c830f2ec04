/**
 * @file channel.h
 * A client over the port that --port names, with buffers for any module.
 */
#ifndef AT_CHANNEL_H
#define AT_CHANNEL_H

#include "port.h"

enum { CHANNEL_LINE_MAX = 4096 };

/** The callbacks' ctx is its address: put it first into what they need. */
struct channel {
    struct port port;
    struct at_client client;
    uint8_t settings[TOOL_SETTINGS_MAX];
    uint8_t window[CHANNEL_LINE_MAX + 1];
    char command[CHANNEL_LINE_MAX];
    char text[CHANNEL_LINE_MAX];
};

/**
 * Opens the port and makes the client. Prints a message if it can't.
 * @param handlers  its urc, payload and unknown are taken over; may be NULL
 * @return TOOL_DONE; TOOL_USAGE, or 128 + the signal that ended it
 */
int channel_open(struct channel *channel, const struct tool *tool,
                 const struct at_client_config *handlers);

void channel_close(struct channel *channel);

#endif

/*
 * A network that is made up, in place of src/bc26/net*.c: the virtual module
 * lives on it in virtual time, without a socket. What it does is decided by
 * dice, and what it says is never the same twice, so that an answer that comes
 * too late is known as such.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "net.h"

#include "fault.h"

struct network_script {
    uint32_t seed;
    bool calm;                  /* whatever is asked succeeds at once */
    /* Optional: the module has sent this. */
    void (*sent)(void *ctx, int id, const uint8_t *data, size_t len);
    void *ctx;
};

void network_script(struct net *net, const struct network_script *script);

/* A peer says something; false if its socket isn't open, or has said much already. */
bool network_say(struct net *net, int id, const uint8_t *data, size_t len);

/* A peer closes the connection. */
void network_hang_up(struct net *net, int id);

#endif

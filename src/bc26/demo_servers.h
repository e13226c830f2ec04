/* The far end of the demo: TCP, UDP and NTP servers on loopback, in a process
 * of their own. */
#ifndef BC26_DEMO_SERVERS_H
#define BC26_DEMO_SERVERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct demo_servers {
    pid_t pid;
    uint16_t tcp, udp, ntp; /* ports on 127.0.0.1 */
};

enum { DEMO_FLOOD = 40000 };

/* What the TCP server sends when it reads "flood": DEMO_FLOOD bytes of this. */
uint8_t demo_flood_byte(size_t index);

/* Echo what comes over TCP and UDP; over TCP, "flood" is answered with a flood
 * and "bye" by closing. Returns 0, or a negative errno. */
int demo_servers_start(struct demo_servers *servers);
void demo_servers_stop(struct demo_servers *servers);

#endif

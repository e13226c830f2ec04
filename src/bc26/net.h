/*
 * The network of the virtual module: five real sockets, DNS, ping and
 * network time, in one thread and without ever blocking.
 *
 * The engine has no loop of its own. Its owner asks for descriptors
 * (net_pollfds) and a time limit (net_timeout_ms), calls poll(), and hands
 * the outcome to net_dispatch. Every event is raised from net_dispatch and
 * from nowhere else, so no call here ever calls back into its caller. In
 * an event all functions may be used but net_free and net_reset.
 *
 * Results are the codes of chapter 3 of the manual, 0 for success. The
 * program should ignore SIGPIPE, which c-ares may cause.
 */
#ifndef BC26_NET_H
#define BC26_NET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Result codes, those of chapter 3 of the manual that occur here. */
enum net_error {
    NET_OK = 0,
    NET_UNKNOWN = 550,        /**< something the manual has no code for */
    NET_BLOCKED = 551,        /**< the NTP server refuses to serve us */
    NET_INVALID = 552,        /**< an argument is out of range */
    NET_MEMORY = 553,         /**< no room left in a table or queue */
    NET_CREATE_SOCKET = 554,  /**< the system gave no socket */
    NET_NOT_SUPPORTED = 555,  /**< ping isn't allowed, or is to IPv6 */
    NET_BIND = 556,           /**< the local port can't be had */
    NET_WRITE = 558,          /**< the connection takes no more data */
    NET_IN_USE = 563,         /**< the socket's id is in use */
    NET_DNS_BUSY = 564,       /**< too many names asked for at once */
    NET_DNS = 565,            /**< the name has no such address */
    NET_CONNECT = 566,        /**< refused or unreachable */
    NET_CLOSED = 567,         /**< the socket isn't open */
    NET_BUSY = 568,           /**< the same operation is under way */
    NET_TIMEOUT = 569         /**< no answer in time */
};

/** Bounds of the engine. */
enum net_bounds {
    NET_SOCKETS = 5,         /**< ids are 0 to 4 */
    NET_TCP_MAX = 1460,      /**< most bytes in one received event, TCP */
    NET_UDP_MAX = 1500,      /**< largest datagram that is received */
    NET_SEND_MAX = 1460,     /**< most bytes in one net_send */
    NET_QUEUE_MAX = 16384,   /**< bytes a socket queues until they are sent */
    NET_HOST_MAX = 253,      /**< length of a host's name */
    NET_ADDRESSES_MAX = 16,  /**< addresses of one name */
    NET_RESOLVES_MAX = 4,    /**< net_resolve at a time */
    NET_ROUTES_MAX = 64,     /**< routes */
    NET_HOSTS_MAX = 64,      /**< entries of the host table */
    NET_PING_MAX = 255,      /**< requests of one net_ping */
    NET_PING_SIZE_MAX = 1472, /**< bytes of data of one ping request */
    NET_POLLFDS_MAX = 200    /**< more than net_pollfds ever needs */
};

enum net_kind { NET_TCP, NET_UDP };

/** Which addresses of a name are wanted. */
enum net_family { NET_ANY, NET_IPV4, NET_IPV6 };

/** Where a socket is in its life. */
enum net_state {
    NET_FREE,     /**< not in use */
    NET_OPENING,  /**< net_open was called, `opened` is still to come */
    NET_OPEN,     /**< data may be sent and received */
    NET_ENDED,    /**< `closed` was raised; net_close is still needed */
    NET_FAILED    /**< `opened` told an error; net_close is still needed */
};

/** What became of the bytes given to net_send; sent = acked + unacked. */
struct net_counters {
    uint32_t sent;     /**< bytes taken by net_send; stops at 4294967295 */
    uint32_t acked;    /**< acknowledged by the remote host; 0 for UDP */
    uint32_t unacked;  /**< not acknowledged (yet); 0 for UDP */
    uint32_t dropped;  /**< datagrams received that were above NET_UDP_MAX */
};

/** The end of a ping; times in ms, 0 when no reply came. */
struct net_ping_summary {
    int err;          /**< 0: it took place, whatever the outcome. 565: no
                           such host. 555: see net_reason(). Then, all else
                           is 0 and no ping_reply was raised. */
    unsigned sent, received, lost;
    uint32_t min, max, average;
};

/** A time in UTC. */
struct net_time {
    int year;    /**< all four digits */
    int month;   /**< 1 to 12 */
    int day;     /**< 1 to 31 */
    int hour, minute, second, millisecond;
};

/** What the engine tells its owner; members may be NULL. */
struct net_events {
    /** The end of net_open: 0, 553, 554, 556, 565, 566 or 569. */
    void (*opened)(void *ctx, int id, int err);

    /** Data came in: 1 to NET_TCP_MAX bytes of a stream, or one datagram of
     *  1 to NET_UDP_MAX bytes. Valid until the callback returns. */
    void (*received)(void *ctx, int id, const uint8_t *data, size_t len);

    /** The remote side has closed a TCP connection, or it broke. All data
     *  were delivered before. */
    void (*closed)(void *ctx, int id);

    /** The end of net_resolve: 0 and at least one address, or 565. `ttl` is
     *  in s, 0 when no server was asked. */
    void (*resolved)(void *ctx, void *cookie, int err, const char *const *addresses,
                     size_t count, uint32_t ttl);

    /** The end of one ping request. 0: a reply from `ip` with `bytes` of
     *  data, after `time_ms`. 569: none, and all else is "" or 0. */
    void (*ping_reply)(void *ctx, int err, const char *ip, unsigned bytes,
                       uint32_t time_ms, unsigned ttl);

    /** The end of net_ping. */
    void (*ping_done)(void *ctx, const struct net_ping_summary *summary);

    /** The end of net_ntp: 0 and the time now; 551 kiss-o'-death, 554, 565,
     *  566 or 569 and NULL. See net_reason(). */
    void (*ntp)(void *ctx, int err, const struct net_time *utc);
};

struct net;

/* ---- the engine -------------------------------------------------------- */

/** Makes an engine. `events` is kept and must outlive it; `ctx` is handed
 *  to every event. NULL when there is no memory. */
struct net *net_new(const struct net_events *events, void *ctx);

/** Ends everything at once, without events. NULL is allowed. */
void net_free(struct net *net);

/** What a restart of the module does: all sockets are closed and all that
 *  is under way ends without events; DNS servers are the system's again.
 *  Routes and the host table stay. */
void net_reset(struct net *net);

/** Fills in at most `max` descriptors to poll for; returns how many. */
size_t net_pollfds(struct net *net, struct pollfd *fds, size_t max);

/** How long poll() may wait, in ms; -1 = for ever. */
int net_timeout_ms(struct net *net);

/** Does what can be done now. `fds` are those of net_pollfds after poll();
 *  they may be a part of a larger array, or that array itself. */
void net_dispatch(struct net *net, const struct pollfd *fds, size_t count);

/** Whether anything is under way that ends by itself: an opening socket, a
 *  name, a ping, the time, data still to be sent or a closing connection. */
bool net_working(const struct net *net);

/** Why the last ping or ntp failed, or a route, host or DNS server was
 *  refused, in words; "" if nothing did. */
const char *net_reason(const struct net *net);

/** Another clock in place of the monotonic one, for tests. In ms. Times
 *  within c-ares (the repetition of queries) don't follow it. */
void net_set_clock(struct net *net, uint32_t (*now_ms)(void *), void *clock_ctx);

/* ---- what leads where -------------------------------------------------- */

/**
 * Adds a route "HOST:PORT=HOST:PORT": who asks for the left one gets the
 * right one. For TCP, UDP, NTP (port 123), and DNS servers (port 53). HOST
 * is a name, an IPv4 address or an IPv6 address in brackets. On the left `*`
 * stands for any host or port, on the right for the one that was asked for.
 *
 * The name that was asked for is looked up here before it's resolved, and
 * its addresses afterwards. An exact host counts more than an exact port,
 * that more than none, and the later of two equals wins. DNS servers are
 * not led by `*:*`. Returns false, with net_reason(), if it's malformed.
 */
bool net_add_route(struct net *net, const char *spec);

/**
 * Adds "NAME=IP" to the host table: NAME has this address, and no server is
 * asked for it. Once more for another address. `localhost` is known.
 * Returns false, with net_reason(), if it's malformed.
 */
bool net_add_host(struct net *net, const char *spec);

/**
 * Chooses the DNS servers of what is resolved from now on: IP addresses,
 * `secondary` may be NULL. With `primary` NULL the system's servers and host
 * file are used, as at the start. Returns 0, or 552 and changes nothing.
 */
int net_set_dns(struct net *net, const char *primary, const char *secondary);

/* ---- sockets ----------------------------------------------------------- */

/**
 * Opens socket `id`; `opened` follows within 60 s. `local_port` 0 takes any.
 * `host` is a name or an address of the family that `ipv6` chooses. Returns
 * 0, 552 or 563. From 0 on the id is in use until net_close, even if the
 * opening fails.
 *
 * TCP addresses of a name are tried one after the other. Should the system
 * still remember a former connection from the same port to the same host,
 * the new one goes out from another port, as through a NAT.
 */
int net_open(struct net *net, int id, enum net_kind kind, const char *host,
             uint16_t remote_port, uint16_t local_port, bool ipv6);

/** Where the socket is in its life; NET_FREE for an impossible id. */
enum net_state net_state(const struct net *net, int id);

/** The local port: once open the actual one, before the one asked for. */
uint16_t net_local_port(const struct net *net, int id);

/**
 * Queues 1 to NET_SEND_MAX bytes, for UDP as one datagram; all or nothing.
 * Returns 0, 552, 558 (broken), 567 (not open), 568 (the queue is full).
 */
int net_send(struct net *net, int id, const void *data, size_t len);

/** What became of the data sent since net_open. */
struct net_counters net_counters(const struct net *net, int id);

/** Stops (and resumes) reading: meanwhile data stay where they are, and
 *  TCP holds the sender back. A pause counts at once, even in `received`. */
void net_pause(struct net *net, int id, bool paused);

/** Frees the id at once. What is queued is still sent, in the background
 *  and for 5 s at most, and then the connection is closed. No event. */
void net_close(struct net *net, int id);

/* ---- names, ping and time ---------------------------------------------- */

/** Resolves a name, or an address to itself; `resolved` follows within
 *  20 s. Returns 0, 552 (no name) or 564. */
int net_resolve(struct net *net, const char *name, enum net_family family, void *cookie);

/**
 * Sends `count` (1 to NET_PING_MAX) ICMP echo requests with `size` bytes of
 * data (0 to NET_PING_SIZE_MAX) to an IPv4 host, and waits `timeout_s` (1 to
 * 255) for each reply. The next goes out after a reply, or after 1 s.
 * `ping_reply` follows for each, then `ping_done`. Returns 0, 552, or 568.
 */
int net_ping(struct net *net, const char *host, unsigned timeout_s, unsigned count,
             unsigned size);

/**
 * Asks an NTP server for the time (SNTPv4, RFC 4330), three times at most
 * and 5 s each; `ntp` follows. `port` 0 is 123. Returns 0, 552 or 568.
 */
int net_ntp(struct net *net, const char *server, uint16_t port);

#ifdef __cplusplus
}
#endif
#endif

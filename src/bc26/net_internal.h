/* Shared by the files of the virtual module's network, and by nobody else. */
#ifndef BC26_NET_INTERNAL_H
#define BC26_NET_INTERNAL_H

#include "net.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define NET_OPEN_LIMIT_MS 60000u
#define NET_LOOKUP_LIMIT_MS 20000u
#define NET_LINGER_LIMIT_MS 5000u
#define NET_LINGERING_MAX 16

/* Most reads for one socket before the others have their turn. */
#define NET_TURNS 8

#define NET_ADDRESS_TEXT INET6_ADDRSTRLEN

union net_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* ---- addresses and routes (net_route.c) --------------------------------- */

struct net_route {
    char host[NET_HOST_MAX + 1];     /* asked for; "*" is any */
    char to_host[NET_HOST_MAX + 1];  /* "*" is the one asked for */
    uint16_t port, to_port;          /* 0 is `*` */
};

struct net_host {
    char name[NET_HOST_MAX + 1];
    union net_address address;
};

/* The address that `text` writes out; the port becomes 0. */
bool net_parse_address(const char *text, union net_address *address);
void net_print_address(const union net_address *address, char text[NET_ADDRESS_TEXT]);
socklen_t net_address_size(const union net_address *address);
uint16_t net_address_port(const union net_address *address);
void net_set_port(union net_address *address, uint16_t port);
bool net_family_fits(int family, const union net_address *address);

/* The route that holds for what was asked for, or NULL. */
const struct net_route *net_find_route(const struct net *net, const char *host, uint16_t port);

/* The addresses of a name in the host table; -1 if it isn't there. */
int net_find_host(const struct net *net, const char *name, int family,
                  union net_address *addresses, size_t max);

/* ---- names (net_dns.c) -------------------------------------------------- */

enum net_lookup_state { LOOKUP_IDLE, LOOKUP_BUSY, LOOKUP_DONE };

/* One name on its way to addresses, routes included. */
struct net_lookup {
    enum net_lookup_state state;
    ares_channel channel;  /* NULL unless servers are asked */
    bool answered;         /* the fields below it are set */
    int err;
    uint32_t ttl;
    size_t count;
    union net_address addresses[NET_ADDRESSES_MAX];
    uint16_t port;         /* goes into the addresses; 0 = there are no routes */
    bool routed;           /* a route was followed: there's at most one */
    int family;            /* AF_… that was asked for */
    uint32_t deadline;
};

/* Starts a lookup; it's never done before the next net_lookup_step. */
void net_lookup_start(struct net *net, struct net_lookup *lookup, const char *host,
                      uint16_t port, int family);
void net_lookup_step(struct net *net, struct net_lookup *lookup, const struct pollfd *fds,
                     size_t count);
void net_lookup_stop(struct net_lookup *lookup);
size_t net_lookup_pollfds(const struct net_lookup *lookup, struct pollfd *fds, size_t max);
/* Makes *timeout smaller if the lookup has to be looked at sooner. */
void net_lookup_timeout(const struct net *net, const struct net_lookup *lookup, int *timeout);

/* ---- one connection (net_conn.c) ---------------------------------------- */

/* A descriptor and what is still to be written to it. */
struct net_conn {
    int fd;
    enum net_kind kind;
    bool broken;        /* takes no more data */
    bool finished;      /* our side is shut */
    bool ended;         /* and theirs too */
    size_t queued;      /* bytes in queue */
    uint32_t deadline;  /* while it lingers */
    uint8_t queue[NET_QUEUE_MAX];  /* a datagram stands after its length */
};

/* Makes a socket and begins to connect it. NULL and *err on failure. */
struct net_conn *net_conn_new(enum net_kind kind, const union net_address *to,
                              uint16_t local_port, int *err);
void net_conn_free(struct net_conn *conn);
/* 0 connected, -1 not yet, else an error. */
int net_conn_connected(const struct net_conn *conn);
uint16_t net_conn_local_port(const struct net_conn *conn);
/* Takes data into the queue, all or nothing. */
bool net_conn_queue(struct net_conn *conn, const void *data, size_t len);
/* Writes what the kernel accepts. */
void net_conn_flush(struct net_conn *conn);
/* Bytes that the remote host hasn't acknowledged. */
size_t net_conn_unacked(const struct net_conn *conn);
/* Takes a closed connection one step further; true when it's over. */
bool net_conn_linger(struct net_conn *conn);
/* What poll() should wait for meanwhile. */
short net_conn_linger_events(const struct net_conn *conn);

/* ---- the engine (net.c) -------------------------------------------------- */

struct net_socket {
    enum net_state state;
    enum net_kind kind;
    bool paused;
    uint16_t local_port;   /* asked for; 0 is any */
    uint16_t actual_port;
    struct net_lookup lookup;
    size_t tried;          /* addresses tried so far */
    uint32_t deadline;     /* of the opening */
    uint32_t try_deadline; /* of the address being tried */
    int err;               /* of the last address tried */
    struct net_conn *conn; /* NULL while the name is being resolved */
    uint64_t sent;
    uint32_t dropped;
};

struct net_resolve {
    struct net_lookup lookup;
    void *cookie;
};

struct net_ping {
    bool active;
    int fd;               /* -1 when there's none */
    bool raw;             /* a raw socket sees everybody's replies */
    int err;              /* it failed before it began */
    struct net_lookup lookup;
    union net_address to;
    uint16_t id;
    uint8_t token[8];     /* makes our requests unlike any other's */
    unsigned timeout_s, count, size;
    unsigned sent, received, lost, waiting;
    uint32_t next_at;     /* when the next request is due */
    uint32_t min, max;
    uint64_t total;
    struct {
        bool waiting;
        uint32_t sent_at;
    } request[NET_PING_MAX];
};

struct net_ntp {
    bool active;
    int fd;              /* -1 until the server is known */
    struct net_lookup lookup;
    unsigned tries;
    uint8_t nonce[8];    /* the transmit timestamp of our last request */
    uint32_t sent_at;
    uint32_t deadline;   /* of the last request */
};

struct net {
    const struct net_events *events;
    void *ctx;
    uint32_t (*clock)(void *);
    void *clock_ctx;
    char reason[256];
    struct net_route routes[NET_ROUTES_MAX];
    size_t route_count;
    struct net_host hosts[NET_HOSTS_MAX];
    size_t host_count;
    char dns[2][NET_ADDRESS_TEXT];  /* chosen servers; "" is none */
    struct net_socket sockets[NET_SOCKETS];
    struct net_conn *lingering[NET_LINGERING_MAX];
    struct net_resolve resolves[NET_RESOLVES_MAX];
    struct net_ping ping;
    struct net_ntp ntp;
};

uint32_t net_now(const struct net *net);
/* Whether the time has come. */
bool net_due(const struct net *net, uint32_t deadline);
/* Makes *timeout smaller if the deadline is sooner. */
void net_sooner(const struct net *net, uint32_t deadline, int *timeout);
/* What poll() found for the descriptor. */
short net_revents(const struct pollfd *fds, size_t count, int fd);
/* Adds a descriptor if there's room. */
size_t net_add_pollfd(struct pollfd *fds, size_t max, int fd, short events);
void net_because(struct net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes that nobody can guess. */
void net_random(void *bytes, size_t len);
bool net_good_host(const char *host);
uint16_t net_get16(const uint8_t *at);
uint32_t net_get32(const uint8_t *at);
void net_put16(uint8_t *at, uint16_t value);

/* ---- ping (net_ping.c) and time (net_sntp.c) ----------------------------- */

void net_ping_step(struct net *net, const struct pollfd *fds, size_t count);
void net_ping_stop(struct net *net);
void net_ping_timeout(const struct net *net, int *timeout);
void net_ntp_step(struct net *net, const struct pollfd *fds, size_t count);
void net_ntp_stop(struct net *net);
void net_ntp_timeout(const struct net *net, int *timeout);

#endif

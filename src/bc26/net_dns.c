/*
 * Names. Each lookup has a c-ares channel of its own: so it can be ended
 * alone, and a new choice of servers needn't wait for old queries.
 *
 * c-ares calls back from within its own functions. The callback only keeps
 * the answer; net_lookup_step acts on it once c-ares has returned.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "net_internal.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define DNS_PORT 53
#define QUERY_MS 2500  /* the first try; c-ares doubles it for the second */
#define QUERY_TRIES 2

/* ---- servers ------------------------------------------------------------- */

/* The route for a DNS server. "*:*" is meant for what the application
 * does, and would break every lookup. */
static const struct net_route *server_route(const struct net *net, const char *server)
{
    const struct net_route *route = net_find_route(net, server, DNS_PORT);

    if (route != NULL && strcmp(route->host, "*") == 0 && route->port == 0)
        return NULL;
    return route;
}

/* Where the server really is. A route to a name must be to one in the host
 * table, for there's nobody else to ask. */
static bool route_server(const struct net *net, union net_address *server)
{
    char text[NET_ADDRESS_TEXT];
    uint16_t port = net_address_port(server);

    net_print_address(server, text);
    const struct net_route *route = server_route(net, text);
    if (route == NULL)
        return true;
    if (route->to_port != 0)
        port = route->to_port;
    if (strcmp(route->to_host, "*") != 0 && !net_parse_address(route->to_host, server) &&
        net_find_host(net, route->to_host, AF_UNSPEC, server, 1) <= 0)
        return false;
    net_set_port(server, port);
    return true;
}

/* Adds the server to a list for c-ares. */
static bool append_server(const struct net *net, union net_address server, char *list,
                          size_t size)
{
    char text[NET_ADDRESS_TEXT];
    size_t used = strlen(list);

    if (!route_server(net, &server))
        return false;
    net_print_address(&server, text);
    const char *form = server.any.sa_family == AF_INET6 ? "%s[%s]:%u" : "%s%s:%u";
    int n = snprintf(list + used, size - used, form, used > 0 ? "," : "", text,
                     (unsigned)net_address_port(&server));
    return n > 0 && (size_t)n < size - used;
}

static bool list_chosen(const struct net *net, char *list, size_t size)
{
    for (size_t i = 0; i < 2; i++) {
        union net_address server;
        if (!net_parse_address(net->dns[i], &server))
            continue;
        net_set_port(&server, DNS_PORT);
        if (!append_server(net, server, list, size))
            return false;
    }
    return true;
}

/* The system's servers, as far as routes lead them elsewhere. Where none
 * does the list stays empty, and c-ares keeps what it has. */
static bool list_system(const struct net *net, ares_channel channel, char *list, size_t size)
{
    struct ares_addr_port_node *servers = NULL;
    bool routed = false, good = true;

    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS)
        return false;
    for (const struct ares_addr_port_node *s = servers; s != NULL && good; s = s->next) {
        union net_address server;
        char text[NET_ADDRESS_TEXT];
        memset(&server, 0, sizeof server);
        server.any.sa_family = (sa_family_t)s->family;
        if (s->family == AF_INET6)
            memcpy(&server.v6.sin6_addr, &s->addr.addr6, sizeof server.v6.sin6_addr);
        else
            server.v4.sin_addr = s->addr.addr4;
        net_set_port(&server, s->udp_port > 0 ? (uint16_t)s->udp_port : DNS_PORT);
        net_print_address(&server, text);
        routed |= server_route(net, text) != NULL;
        good = append_server(net, server, list, size);
    }
    ares_free_data(servers);
    if (!routed)
        list[0] = '\0';
    return good || !routed;
}

static ares_channel open_channel(const struct net *net)
{
    struct ares_options options;
    char servers_only[] = "b";
    char list[512] = "";
    ares_channel channel = NULL;
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NOROTATE;
    bool chosen = net->dns[0][0] != '\0';

    memset(&options, 0, sizeof options);
    options.flags = ARES_FLAG_NOSEARCH;  /* a module has no search domains */
    options.timeout = QUERY_MS;
    options.tries = QUERY_TRIES;
    if (chosen) {
        options.lookups = servers_only;
        mask |= ARES_OPT_LOOKUPS;
    }
    if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS)
        return NULL;
    bool good = chosen ? list_chosen(net, list, sizeof list)
                       : list_system(net, channel, list, sizeof list);
    if (good && (list[0] == '\0' || ares_set_servers_ports_csv(channel, list) == ARES_SUCCESS))
        return channel;
    ares_destroy(channel);
    return NULL;
}

int net_set_dns(struct net *net, const char *primary, const char *secondary)
{
    const char *servers[2] = { primary, primary == NULL ? NULL : secondary };
    char text[2][NET_ADDRESS_TEXT] = { "", "" };

    for (size_t i = 0; i < 2; i++) {
        union net_address address;
        if (servers[i] == NULL)
            continue;
        if (!net_parse_address(servers[i], &address)) {
            net_because(net, "'%.80s' isn't an IP address", servers[i]);
            return NET_INVALID;
        }
        net_print_address(&address, text[i]);
    }
    memcpy(net->dns, text, sizeof net->dns);
    return NET_OK;
}

/* ---- one lookup ---------------------------------------------------------- */

static void fail(struct net_lookup *lookup, int err)
{
    lookup->answered = true;
    lookup->err = err;
    lookup->count = 0;
}

static void keep(struct net_lookup *lookup, const struct ares_addrinfo_node *node)
{
    union net_address *to = &lookup->addresses[lookup->count];

    if (lookup->count == NET_ADDRESSES_MAX)
        return;
    memset(to, 0, sizeof *to);
    if (node->ai_family == AF_INET && node->ai_addrlen >= (ares_socklen_t)sizeof to->v4)
        memcpy(&to->v4, node->ai_addr, sizeof to->v4);
    else if (node->ai_family == AF_INET6 && node->ai_addrlen >= (ares_socklen_t)sizeof to->v6)
        memcpy(&to->v6, node->ai_addr, sizeof to->v6);
    else
        return;
    uint32_t ttl = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;
    if (lookup->count == 0 || ttl < lookup->ttl)
        lookup->ttl = ttl;
    lookup->count++;
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *answer)
{
    struct net_lookup *lookup = arg;

    (void)timeouts;
    lookup->answered = true;
    lookup->count = 0;
    for (const struct ares_addrinfo_node *node = answer != NULL ? answer->nodes : NULL;
         status == ARES_SUCCESS && node != NULL; node = node->ai_next)
        keep(lookup, node);
    lookup->err = lookup->count > 0 ? NET_OK : NET_DNS;
    if (answer != NULL)
        ares_freeaddrinfo(answer);
}

/* An address, a name in the table, or else a question to the servers. */
static void ask(struct net *net, struct net_lookup *lookup, const char *host, int family)
{
    struct ares_addrinfo_hints hints;
    int known = 1;

    lookup->answered = false;
    lookup->ttl = 0;
    if (!net_parse_address(host, &lookup->addresses[0]))
        known = net_find_host(net, host, family, lookup->addresses, NET_ADDRESSES_MAX);
    else if (!net_family_fits(family, &lookup->addresses[0]))
        known = 0;
    if (known >= 0) {
        lookup->answered = true;
        lookup->count = (size_t)known;
        lookup->err = known > 0 ? NET_OK : NET_DNS;
        return;
    }
    lookup->channel = open_channel(net);
    if (lookup->channel == NULL) {
        fail(lookup, NET_DNS);
        return;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_family = family;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(lookup->channel, host, NULL, &hints, on_answer, lookup);
}

/* Asks for what the route leads to. It may be of another family than the
 * one that was asked for. */
static void follow(struct net *net, struct net_lookup *lookup, const struct net_route *route,
                   const char *host)
{
    lookup->routed = true;
    if (route->to_port != 0)
        lookup->port = route->to_port;
    if (strcmp(route->to_host, "*") == 0)
        ask(net, lookup, host, lookup->family);
    else
        ask(net, lookup, route->to_host, AF_UNSPEC);
}

void net_lookup_start(struct net *net, struct net_lookup *lookup, const char *host,
                      uint16_t port, int family)
{
    const struct net_route *route = port != 0 ? net_find_route(net, host, port) : NULL;

    net_lookup_stop(lookup);
    lookup->state = LOOKUP_BUSY;
    lookup->port = port;
    lookup->family = family;
    lookup->routed = false;
    lookup->deadline = net_now(net) + NET_LOOKUP_LIMIT_MS;
    if (route != NULL)
        follow(net, lookup, route, host);
    else
        ask(net, lookup, host, family);
}

static void close_channel(struct net_lookup *lookup)
{
    if (lookup->channel != NULL)
        ares_destroy(lookup->channel);
    lookup->channel = NULL;
}

void net_lookup_stop(struct net_lookup *lookup)
{
    close_channel(lookup);
    lookup->state = LOOKUP_IDLE;
}

/* Puts the family that was asked for first, IPv4 if it's all the same. */
static void sort_addresses(struct net_lookup *lookup)
{
    union net_address sorted[NET_ADDRESSES_MAX];
    int first = lookup->family == AF_INET6 ? AF_INET6 : AF_INET;
    size_t n = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < lookup->count; i++)
            if ((lookup->addresses[i].any.sa_family == first) == (pass == 0))
                sorted[n++] = lookup->addresses[i];
    memcpy(lookup->addresses, sorted, n * sizeof sorted[0]);
}

/* The answer is there: perhaps one of its addresses has a route. */
static void settle(struct net *net, struct net_lookup *lookup)
{
    close_channel(lookup);
    for (size_t i = 0; i < lookup->count && lookup->port != 0 && !lookup->routed; i++) {
        char text[NET_ADDRESS_TEXT];
        net_print_address(&lookup->addresses[i], text);
        const struct net_route *route = net_find_route(net, text, lookup->port);
        if (route != NULL) {
            follow(net, lookup, route, text);
            return;
        }
    }
    sort_addresses(lookup);
    for (size_t i = 0; i < lookup->count; i++)
        net_set_port(&lookup->addresses[i], lookup->port);
    lookup->state = LOOKUP_DONE;
}

/* What ares_getsock says of its descriptor `i`. Its own macros shift a
 * signed 1 by 31. */
static int wanted(unsigned bits, int i)
{
    return (bits >> i & 1u ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1u ? POLLOUT : 0);
}

/* Lets c-ares read, write, and see what time it is. */
static void run_channel(struct net_lookup *lookup, const struct pollfd *fds, size_t count)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned bits = (unsigned)ares_getsock(lookup->channel, sockets, ARES_GETSOCK_MAXNUM);

    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        int events = wanted(bits, i);
        bool in = (events & POLLIN) != 0, out = (events & POLLOUT) != 0;
        if (events == 0)
            break;
        int found = net_revents(fds, count, sockets[i]);
        bool broken = (found & (POLLERR | POLLHUP)) != 0;
        ares_process_fd(lookup->channel,
                        in && (broken || (found & POLLIN)) ? sockets[i] : ARES_SOCKET_BAD,
                        out && (broken || (found & POLLOUT)) ? sockets[i] : ARES_SOCKET_BAD);
    }
    ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void net_lookup_step(struct net *net, struct net_lookup *lookup, const struct pollfd *fds,
                     size_t count)
{
    if (lookup->state != LOOKUP_BUSY)
        return;
    if (!lookup->answered)
        run_channel(lookup, fds, count);
    if (!lookup->answered && net_due(net, lookup->deadline)) {
        close_channel(lookup);
        fail(lookup, NET_DNS);
    }
    while (lookup->state == LOOKUP_BUSY && lookup->answered)
        settle(net, lookup);
}

size_t net_lookup_pollfds(const struct net_lookup *lookup, struct pollfd *fds, size_t max)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    size_t count = 0;

    if (lookup->state != LOOKUP_BUSY || lookup->channel == NULL)
        return 0;
    unsigned bits = (unsigned)ares_getsock(lookup->channel, sockets, ARES_GETSOCK_MAXNUM);
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        int events = wanted(bits, i);
        if (events == 0)
            break;
        count += net_add_pollfd(fds + count, max - count, sockets[i], (short)events);
    }
    return count;
}

void net_lookup_timeout(const struct net *net, const struct net_lookup *lookup, int *timeout)
{
    struct timeval wait;

    if (lookup->state == LOOKUP_IDLE)
        return;
    if (lookup->state == LOOKUP_DONE || lookup->answered) {
        *timeout = 0;
        return;
    }
    net_sooner(net, lookup->deadline, timeout);
    if (lookup->channel != NULL && ares_timeout(lookup->channel, NULL, &wait) != NULL) {
        /* Rounded up, or the last millisecond would be spent spinning. */
        int64_t ms = (int64_t)wait.tv_sec * 1000 + (wait.tv_usec + 999) / 1000;
        if (*timeout < 0 || ms < *timeout)
            *timeout = (int)ms;
    }
}

/* ---- net_resolve --------------------------------------------------------- */

int net_resolve(struct net *net, const char *name, enum net_family family, void *cookie)
{
    int af = family == NET_IPV4 ? AF_INET : family == NET_IPV6 ? AF_INET6 : AF_UNSPEC;

    if (!net_good_host(name))
        return NET_INVALID;
    for (size_t i = 0; i < NET_RESOLVES_MAX; i++) {
        struct net_resolve *resolve = &net->resolves[i];
        if (resolve->lookup.state != LOOKUP_IDLE)
            continue;
        resolve->cookie = cookie;
        net_lookup_start(net, &resolve->lookup, name, 0, af);
        return NET_OK;
    }
    return NET_DNS_BUSY;
}

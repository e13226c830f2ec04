/* Addresses, routes and the host table. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "net_internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define NAME_CHARACTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* ---- addresses ----------------------------------------------------------- */

bool net_parse_address(const char *text, union net_address *address)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        return true;
    }
    return false;
}

void net_print_address(const union net_address *address, char text[NET_ADDRESS_TEXT])
{
    const void *from = &address->v4.sin_addr;

    if (address->any.sa_family == AF_INET6)
        from = &address->v6.sin6_addr;
    if (inet_ntop(address->any.sa_family, from, text, NET_ADDRESS_TEXT) == NULL)
        text[0] = '\0';
}

socklen_t net_address_size(const union net_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

uint16_t net_address_port(const union net_address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
                                                    : address->v4.sin_port);
}

void net_set_port(union net_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

bool net_family_fits(int family, const union net_address *address)
{
    return family == AF_UNSPEC || family == address->any.sa_family;
}

/* Names differ in letters only; addresses may be written in many ways. */
static bool same_host(const char *a, const char *b)
{
    union net_address x, y;

    if (!net_parse_address(a, &x) || !net_parse_address(b, &y))
        return strcasecmp(a, b) == 0;
    if (x.any.sa_family != y.any.sa_family)
        return false;
    if (x.any.sa_family == AF_INET)
        return x.v4.sin_addr.s_addr == y.v4.sin_addr.s_addr;
    return memcmp(&x.v6.sin6_addr, &y.v6.sin6_addr, sizeof x.v6.sin6_addr) == 0;
}

/* ---- routes -------------------------------------------------------------- */

/* Copies the `len` characters of a host; false if it can't be one. */
static bool parse_host(const char *text, size_t len, char host[NET_HOST_MAX + 1])
{
    bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    union net_address address;

    if (brackets) {
        text++;
        len -= 2;
    }
    if (len == 0 || len > NET_HOST_MAX)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (brackets || memchr(text, ':', len) != NULL)
        return brackets && net_parse_address(host, &address) &&
               address.any.sa_family == AF_INET6;
    return strcmp(host, "*") == 0 || strspn(host, NAME_CHARACTERS) == len;
}

static bool parse_port(const char *text, size_t len, uint16_t *port)
{
    unsigned value = 0;

    *port = 0;
    if (len == 1 && text[0] == '*')
        return true;
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

/* One side of a route. */
static bool parse_side(struct net *net, const char *text, size_t len,
                       char host[NET_HOST_MAX + 1], uint16_t *port)
{
    size_t colon = len;
    int shown = len > 80 ? 80 : (int)len;

    while (colon > 0 && text[colon - 1] != ':')
        colon--;
    if (colon == 0) {
        net_because(net, "'%.*s' has no port; write HOST:PORT", shown, text);
        return false;
    }
    if (!parse_port(text + colon, len - colon, port)) {
        net_because(net, "'%.*s' has no good port; it's 1 to 65535, or *", shown, text);
        return false;
    }
    if (!parse_host(text, colon - 1, host)) {
        net_because(net, "'%.*s' has no good host; write a name, an IPv4 address, an IPv6 "
                    "address in [], or *", shown, text);
        return false;
    }
    return true;
}

bool net_add_route(struct net *net, const char *spec)
{
    const char *equals = strchr(spec, '=');
    struct net_route route;

    if (equals == NULL) {
        net_because(net, "'%.80s' has no '='; write HOST:PORT=HOST:PORT", spec);
        return false;
    }
    if (!parse_side(net, spec, (size_t)(equals - spec), route.host, &route.port) ||
        !parse_side(net, equals + 1, strlen(equals + 1), route.to_host, &route.to_port))
        return false;
    if (net->route_count == NET_ROUTES_MAX) {
        net_because(net, "'%.80s' is one route too many; there may be %d", spec,
                    (int)NET_ROUTES_MAX);
        return false;
    }
    net->routes[net->route_count++] = route;
    return true;
}

/* How well a route fits: 0 not at all, 4 exactly. */
static int fit(const struct net_route *route, const char *host, uint16_t port)
{
    bool any_host = strcmp(route->host, "*") == 0;

    if (route->port != 0 && route->port != port)
        return 0;
    if (!any_host && !same_host(route->host, host))
        return 0;
    return 1 + (any_host ? 0 : 2) + (route->port == 0 ? 0 : 1);
}

const struct net_route *net_find_route(const struct net *net, const char *host, uint16_t port)
{
    const struct net_route *best = NULL;
    int best_fit = 1;

    for (size_t i = 0; i < net->route_count; i++) {
        int this_fit = fit(&net->routes[i], host, port);
        if (this_fit >= best_fit) {
            best = &net->routes[i];
            best_fit = this_fit;
        }
    }
    return best;
}

/* ---- the host table ------------------------------------------------------ */

bool net_add_host(struct net *net, const char *spec)
{
    const char *equals = strchr(spec, '=');
    struct net_host entry;
    union net_address literal;

    if (equals == NULL) {
        net_because(net, "'%.80s' has no '='; write NAME=IP", spec);
        return false;
    }
    size_t len = (size_t)(equals - spec);
    if (len == 0 || len > NET_HOST_MAX) {
        net_because(net, "'%.80s' has no good name; write NAME=IP", spec);
        return false;
    }
    memcpy(entry.name, spec, len);
    entry.name[len] = '\0';
    if (strspn(entry.name, NAME_CHARACTERS) != len || net_parse_address(entry.name, &literal)) {
        net_because(net, "'%.80s' isn't a name; write NAME=IP", entry.name);
        return false;
    }
    if (!net_parse_address(equals + 1, &entry.address)) {
        net_because(net, "'%.80s' isn't an IP address; write NAME=IP", equals + 1);
        return false;
    }
    if (net->host_count == NET_HOSTS_MAX) {
        net_because(net, "'%.80s' is one host too many; there may be %d", spec,
                    (int)NET_HOSTS_MAX);
        return false;
    }
    net->hosts[net->host_count++] = entry;
    return true;
}

int net_find_host(const struct net *net, const char *name, int family,
                  union net_address *addresses, size_t max)
{
    static const char *const loopback[] = { "127.0.0.1", "::1" };
    size_t count = 0;
    bool known = false;

    for (size_t i = 0; i < net->host_count; i++) {
        if (strcasecmp(net->hosts[i].name, name) != 0)
            continue;
        known = true;
        if (count < max && net_family_fits(family, &net->hosts[i].address))
            addresses[count++] = net->hosts[i].address;
    }
    if (known || strcasecmp(name, "localhost") != 0)
        return known ? (int)count : -1;
    for (size_t i = 0; i < 2 && count < max; i++) {
        union net_address address;
        if (net_parse_address(loopback[i], &address) && net_family_fits(family, &address))
            addresses[count++] = address;
    }
    return (int)count;
}

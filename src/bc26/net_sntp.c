/* The time from an NTP server: an SNTPv4 client, RFC 4330. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NTP_PORT 123
#define PACKET 48
#define TRIES 3u
#define TRY_MS 5000u

/* Where the parts of a packet are. */
#define AT_ORIGINATE 24
#define AT_RECEIVE 32
#define AT_TRANSMIT 40

/* From 1900, where NTP begins, to 1970. */
#define UNIX_EPOCH 2208988800

/* ---- times --------------------------------------------------------------- */

/* A timestamp in ms since 1970. Its seconds wrap in 2036: a small number is
 * of the next era (RFC 4330, chapter 3). */
static int64_t to_ms(const uint8_t *timestamp)
{
    int64_t seconds = net_get32(timestamp);
    uint64_t fraction = net_get32(timestamp + 4);

    if (seconds < INT64_C(0x80000000))
        seconds += INT64_C(0x100000000);
    return (seconds - UNIX_EPOCH) * 1000 + (int64_t)(fraction * 1000u >> 32);
}

static bool to_utc(int64_t ms, struct net_time *utc)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (ms < 0 || gmtime_r(&seconds, &tm) == NULL)
        return false;
    utc->year = tm.tm_year + 1900;
    utc->month = tm.tm_mon + 1;
    utc->day = tm.tm_mday;
    utc->hour = tm.tm_hour;
    utc->minute = tm.tm_min;
    utc->second = tm.tm_sec;
    utc->millisecond = (int)(ms % 1000);
    return true;
}

/* The time now: when the server sent its reply, and half of what the way
 * there and back took. */
static int64_t time_now(const struct net *net, const uint8_t *packet)
{
    int64_t transmit = to_ms(packet + AT_TRANSMIT);
    int64_t held = transmit - to_ms(packet + AT_RECEIVE);
    int64_t way = (int64_t)(uint32_t)(net_now(net) - net->ntp.sent_at) - held;

    /* A server whose receive time is nonsense only loses the correction. */
    return held >= 0 && way > 0 ? transmit + way / 2 : transmit;
}

/* ---- the end ------------------------------------------------------------- */

void net_ntp_stop(struct net *net)
{
    net_lookup_stop(&net->ntp.lookup);
    if (net->ntp.fd >= 0)
        (void)close(net->ntp.fd);
    net->ntp.fd = -1;
    net->ntp.active = false;
}

/* Ended before the event, which may want to ask again. */
static void done(struct net *net, int err, const struct net_time *utc)
{
    net_ntp_stop(net);
    if (net->events->ntp != NULL)
        net->events->ntp(net->ctx, err, utc);
}

static void fail(struct net *net, int err, const char *reason)
{
    net_because(net, "%s", reason);
    done(net, err, NULL);
}

/* ---- a request ----------------------------------------------------------- */

static int open_socket(const union net_address *to)
{
    int fd = socket(to->any.sa_family, SOCK_DGRAM, 0);
    int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        connect(fd, &to->any, net_address_size(to)) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* The next try, at the next of the server's addresses. The timestamp is
 * random: it needn't be our time to be recognised in the reply, and can't
 * be guessed by anybody else. */
static void ask(struct net *net)
{
    struct net_ntp *ntp = &net->ntp;
    const struct net_lookup *lookup = &ntp->lookup;
    uint8_t packet[PACKET] = { 4 << 3 | 3 };  /* version 4, client */

    if (ntp->tries == TRIES) {
        fail(net, NET_TIMEOUT, "the NTP server doesn't answer, or not as it should");
        return;
    }
    if (ntp->fd >= 0)
        (void)close(ntp->fd);
    ntp->fd = -1;
    for (size_t i = 0; i < lookup->count && ntp->fd < 0; i++)
        ntp->fd = open_socket(&lookup->addresses[(ntp->tries + i) % lookup->count]);
    ntp->tries++;
    net_random(ntp->nonce, sizeof ntp->nonce);
    ntp->nonce[0] |= 1;  /* never 0, which means unknown */
    memcpy(packet + AT_TRANSMIT, ntp->nonce, sizeof ntp->nonce);
    ntp->sent_at = net_now(net);
    ntp->deadline = ntp->sent_at + TRY_MS;
    if (ntp->fd < 0)
        fail(net, NET_CONNECT, "the NTP server can't be reached");
    else
        (void)send(ntp->fd, packet, sizeof packet, MSG_NOSIGNAL);
}

int net_ntp(struct net *net, const char *server, uint16_t port)
{
    struct net_ntp *ntp = &net->ntp;

    if (!net_good_host(server))
        return NET_INVALID;
    if (ntp->active)
        return NET_BUSY;
    ntp->active = true;
    ntp->tries = 0;
    net_lookup_start(net, &ntp->lookup, server, port != 0 ? port : NTP_PORT, AF_UNSPEC);
    return NET_OK;
}

/* ---- a reply ------------------------------------------------------------- */

/* Whether it's a server's reply to our last request (RFC 4330, chapter 5).
 * The socket is connected, so where it comes from is known. */
static bool answers_us(const struct net_ntp *ntp, const uint8_t *packet, ssize_t len)
{
    unsigned version = packet[0] >> 3 & 7, mode = packet[0] & 7;

    return len >= PACKET && version != 0 && mode == 4 &&
           memcmp(packet + AT_ORIGINATE, ntp->nonce, sizeof ntp->nonce) == 0;
}

/* Whether the server's own clock is right, as far as it knows itself. */
static bool synchronised(const uint8_t *packet)
{
    static const uint8_t zero[8];

    return packet[0] >> 6 != 3 && packet[1] <= 15 &&
           memcmp(packet + AT_TRANSMIT, zero, sizeof zero) != 0;
}

/* Stratum 0: the server tells us to go away, and why, in four letters. */
static void kissed(struct net *net, const uint8_t *packet)
{
    char code[5] = "";

    for (size_t i = 0; i < 4 && packet[12 + i] > ' ' && packet[12 + i] <= '~'; i++)
        code[i] = (char)packet[12 + i];
    net_because(net, "the NTP server refuses to serve us (kiss-o'-death %s)", code);
    done(net, NET_BLOCKED, NULL);
}

/* Reads one datagram; false when there's no more, or it has ended. What
 * isn't an answer to us is passed over, for anybody may have sent it. */
static bool receive(struct net *net)
{
    uint8_t packet[512] = { 0 };
    struct net_time utc;
    ssize_t n = recv(net->ntp.fd, packet, sizeof packet, 0);

    if (n < 0 && errno == ECONNREFUSED) {
        fail(net, NET_CONNECT, "the NTP server can't be reached: nothing listens there");
        return false;
    }
    if (n < 0)
        return errno == EINTR;
    if (!answers_us(&net->ntp, packet, n))
        return true;
    if (packet[1] == 0) {
        kissed(net, packet);
        return false;
    }
    if (!synchronised(packet) || !to_utc(time_now(net, packet), &utc))
        return true;
    done(net, NET_OK, &utc);
    return false;
}

void net_ntp_step(struct net *net, const struct pollfd *fds, size_t count)
{
    struct net_ntp *ntp = &net->ntp;

    if (!ntp->active)
        return;
    net_lookup_step(net, &ntp->lookup, fds, count);
    if (ntp->lookup.state != LOOKUP_DONE)
        return;
    if (ntp->lookup.err != NET_OK) {
        fail(net, ntp->lookup.err, "no such NTP server");
        return;
    }
    for (int turn = 0; turn < NET_TURNS && ntp->fd >= 0; turn++)
        if (!receive(net))
            break;
    /* `receive` may have ended it, and its event begun it anew. */
    if (ntp->active && ntp->lookup.state == LOOKUP_DONE &&
        (ntp->tries == 0 || net_due(net, ntp->deadline)))
        ask(net);
}

void net_ntp_timeout(const struct net *net, int *timeout)
{
    const struct net_ntp *ntp = &net->ntp;

    if (!ntp->active)
        return;
    if (ntp->tries == 0)
        net_lookup_timeout(net, &ntp->lookup, timeout);
    else
        net_sooner(net, ntp->deadline, timeout);
}

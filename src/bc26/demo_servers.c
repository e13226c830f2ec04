#include "demo_servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LISTENER, CLIENT, UDP, NTP, COUNT };

uint8_t demo_flood_byte(size_t index)
{
    return (uint8_t)(index * 7u + index / 251u);
}

/* A socket bound to a free port on loopback, or -1. */
static int bind_loopback(int type, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        (type == SOCK_STREAM && listen(fd, 1) != 0)) {
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void send_all(int fd, const uint8_t *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        data += sent;
        n -= (size_t)sent;
    }
}

static void send_flood(int fd)
{
    static uint8_t data[DEMO_FLOOD];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = demo_flood_byte(i);
    }
    send_all(fd, data, sizeof data);
}

/* Returns the client's descriptor, or -1 once it is closed. */
static int serve_client(int fd)
{
    uint8_t data[2048];
    ssize_t n = recv(fd, data, sizeof data, 0);
    if (n <= 0 || (n == 3 && memcmp(data, "bye", 3) == 0)) {
        close(fd);
        return -1;
    }
    if (n == 5 && memcmp(data, "flood", 5) == 0) {
        send_flood(fd);
    } else {
        send_all(fd, data, (size_t)n);
    }
    return fd;
}

static void serve_udp(int fd)
{
    uint8_t data[2048];
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &len);
    if (n > 0) {
        (void)sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, len);
    }
}

static void put_timestamp(uint8_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint32_t seconds = htonl((uint32_t)((uint64_t)now.tv_sec + 2208988800u)); /* since 1900 */
    memset(out, 0, 8);
    memcpy(out, &seconds, sizeof seconds);
}

/* A stratum 1 answer of RFC 4330: the client's transmit time comes back as the
 * originate time. */
static void serve_ntp(int fd)
{
    uint8_t packet[48];
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    if (recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &len) != 48) {
        return;
    }
    packet[0] = (uint8_t)((packet[0] & 0x38u) | 4u); /* its version, mode 4: server */
    packet[1] = 1;
    memcpy(packet + 24, packet + 40, 8);
    put_timestamp(packet + 16);
    put_timestamp(packet + 32);
    put_timestamp(packet + 40);
    (void)sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, len);
}

static void serve(struct pollfd *fds)
{
    for (;;) {
        if (poll(fds, COUNT, -1) < 0 && errno != EINTR) {
            return;
        }
        if ((fds[LISTENER].revents & POLLIN) != 0 && fds[CLIENT].fd < 0) {
            fds[CLIENT].fd = accept(fds[LISTENER].fd, NULL, NULL);
        } else if (fds[CLIENT].fd >= 0 && fds[CLIENT].revents != 0) {
            fds[CLIENT].fd = serve_client(fds[CLIENT].fd);
        }
        if ((fds[UDP].revents & POLLIN) != 0) {
            serve_udp(fds[UDP].fd);
        }
        if ((fds[NTP].revents & POLLIN) != 0) {
            serve_ntp(fds[NTP].fd);
        }
    }
}

int demo_servers_start(struct demo_servers *s)
{
    struct pollfd fds[COUNT] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
    fds[LISTENER].fd = bind_loopback(SOCK_STREAM, &s->tcp);
    fds[UDP].fd = bind_loopback(SOCK_DGRAM, &s->udp);
    fds[NTP].fd = bind_loopback(SOCK_DGRAM, &s->ntp);
    if (fds[LISTENER].fd < 0 || fds[UDP].fd < 0 || fds[NTP].fd < 0) {
        return -errno;
    }
    s->pid = fork();
    if (s->pid == 0) {
        signal(SIGINT, SIG_DFL);
        serve(fds);
        _exit(1);
    }
    for (int i = 0; i < COUNT; i++) {
        if (fds[i].fd >= 0) {
            close(fds[i].fd);
        }
    }
    return s->pid < 0 ? -errno : 0;
}

void demo_servers_stop(struct demo_servers *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        waitpid(s->pid, NULL, 0);
    }
}

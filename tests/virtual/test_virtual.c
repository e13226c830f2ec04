/* The virtual module, byte for byte, against peers of the test's own. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "../../src/bc26/virtual.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000u

/* ---- the module and its poll loop ------------------------------------------ */

static struct virtual_module *vm;
static char folder[] = "/tmp/atspec-virtual-XXXXXX";
static char state_file[64];
static char got[1 << 17];
static size_t got_len;
static int server = -1;                  /* a UDP server that `serve` answers for */
static void (*serve)(int fd);

/* What the module says is taken at once, as by a host that listens. */
static void take(void)
{
    got_len += virtual_output(vm, got + got_len, sizeof got - got_len);
    ck_assert_uint_lt(got_len, sizeof got);
}

static void step(int most_ms)
{
    struct pollfd fds[1 + NET_POLLFDS_MAX] = { { .fd = server, .events = POLLIN } };
    size_t count = virtual_pollfds(vm, fds + 1, NET_POLLFDS_MAX);
    int wait = virtual_timeout_ms(vm);

    if (wait < 0 || wait > most_ms)
        wait = most_ms;
    (void)poll(fds, 1 + (nfds_t)count, wait);
    if (fds[0].revents & POLLIN)
        serve(server);
    virtual_dispatch(vm, fds + 1, count);
}

static bool late(uint32_t since)
{
    return at_posix_now_ms() - since > PATIENCE_MS;
}

/* Lets time pass in which nothing is expected. */
static void idle(uint32_t ms)
{
    for (uint32_t since = at_posix_now_ms(); at_posix_now_ms() - since < ms;)
        step(5);
}

static void power_on(const char *file)
{
    struct virtual_config config = { .state_file = file };
    struct at_posix_why why = { "" };

    vm = virtual_new(&config, &why);
    ck_assert_msg(vm != NULL, "%s", why.text);
}

/* ---- the dialogue ---------------------------------------------------------- */

static void type_bytes(const void *bytes, size_t len)
{
    ck_assert_uint_eq(virtual_input(vm, bytes, len), len);
}

/* A command line; its CR is added. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    char line[4096];
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    ck_assert_int_lt(len, (int)sizeof line - 1);
    line[len++] = '\r';
    type_bytes(line, (size_t)len);
}

static void print_bytes(char *to, size_t size, const char *bytes, size_t len)
{
    size_t at = 0;

    for (size_t i = 0; i < len && at + 5 < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\n')
            at += (size_t)snprintf(to + at, size - at, "\\n\n");
        else if (c == '\r')
            at += (size_t)snprintf(to + at, size - at, "\\r");
        else
            at += (size_t)snprintf(to + at, size - at, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
    to[at] = '\0';
}

/* The next bytes of the module, exactly; whatever follows is left. */
static void hear_bytes(const void *bytes, size_t len)
{
    char wanted[8192], came[8192];
    uint32_t since = at_posix_now_ms();

    take();
    while (got_len < len && memcmp(got, bytes, got_len) == 0 && !late(since)) {
        step(20);
        take();
    }
    if (got_len < len || memcmp(got, bytes, len) != 0) {
        print_bytes(wanted, sizeof wanted, bytes, len);
        print_bytes(came, sizeof came, got, got_len);
        ck_abort_msg("expected:\n%s\ngot:\n%s", wanted, came);
    }
    memmove(got, got + len, got_len - len);
    got_len -= len;
}

/* One block: lines with \n between them, as they'd stand on a terminal. */
static void hear(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void hear(const char *format, ...)
{
    char text[4096], block[8192] = "\r\n";
    size_t len = 2;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n')
            block[len++] = '\r';
        block[len++] = *at;
    }
    memcpy(block + len, "\r\n", 2);
    hear_bytes(block, len + 2);
}

/* Everything has ended, and nothing else was said. */
static void hear_nothing(void)
{
    char came[8192];

    for (int i = 0; i < 5; i++)
        step(2);
    take();
    print_bytes(came, sizeof came, got, got_len);
    ck_assert_msg(got_len == 0, "unexpected:\n%s", came);
}

static void hear_prompt(void)
{
    hear_bytes("\r\n> ", 4);
}

static void accepted(const char *line)
{
    say("%s", line);
    hear("OK");
}

static void refused(const char *line, int code, const char *words)
{
    say("%s", line);
    hear("ERROR");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: %d,%s\n\nOK", code, words);
}

/* ---- peers ----------------------------------------------------------------- */

static void loopback(struct sockaddr_in *address, uint16_t port)
{
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static int bound(int type, uint16_t *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type, 0);

    loopback(&address, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(at_posix_set_nonblocking(fd), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int tcp_server(uint16_t *port)
{
    int fd = bound(SOCK_STREAM, port);

    ck_assert_int_eq(listen(fd, 8), 0);
    return fd;
}

/* A port where nobody is. */
static uint16_t free_port(int type)
{
    uint16_t port;
    int fd = bound(type, &port);

    (void)close(fd);
    return port;
}

static int accept_peer(int listener)
{
    uint32_t since = at_posix_now_ms();
    int on = 1, fd;

    while ((fd = accept(listener, NULL, NULL)) < 0) {
        ck_assert_msg(!late(since), "nobody connected");
        step(10);
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)at_posix_set_nonblocking(fd);
    return fd;
}

static void peer_send(int fd, const void *data, size_t len)
{
    ck_assert_int_eq(at_posix_write_all(fd, data, len, 1000), 0);
}

/* The next bytes that the peer receives, exactly. */
static void peer_gets(int fd, const void *data, size_t len)
{
    uint8_t buffer[4096];
    size_t n = 0;
    uint32_t since = at_posix_now_ms();

    while (n < len) {
        ssize_t more = recv(fd, buffer + n, len - n, 0);
        if (more > 0)
            n += (size_t)more;
        else
            step(10);
        ck_assert_msg(!late(since), "the peer got %zu bytes of %zu", n, len);
    }
    ck_assert_mem_eq(buffer, data, len);
}

static void peer_gets_nothing(int fd)
{
    char byte;

    idle(20);
    ck_assert_int_lt(recv(fd, &byte, 1, MSG_PEEK), 0);
}

/* ---- sockets of the module --------------------------------------------------- */

static int listener, peer;
static uint16_t port;

/* Opens connection 0 to a TCP peer, in an access mode. */
static void open_tcp(int access_mode)
{
    listener = tcp_server(&port);
    say("AT+QIOPEN=1,0,\"TCP\",\"127.0.0.1\",%u,0,%d", port, access_mode);
    hear("OK");
    peer = accept_peer(listener);
    hear("+QIOPEN: 0,0");
}

/* Opens a connection to a UDP peer, which then knows where to answer. */
static int open_udp(int id, int access_mode)
{
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    uint16_t at;
    char byte;
    int fd = bound(SOCK_DGRAM, &at);

    say("AT+QIOPEN=1,%d,\"UDP\",\"127.0.0.1\",%u,0,%d", id, at, access_mode);
    hear("OK");
    hear("+QIOPEN: %d,0", id);
    say("AT+QISENDEX=%d,1,30", id);
    hear("OK");
    hear("SEND OK");
    for (uint32_t since = at_posix_now_ms();
         recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &size) < 0;) {
        ck_assert(!late(since));
        step(10);
    }
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&from, size), 0);
    return fd;
}

static void setup(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(state_file, sizeof state_file, "%s/state", folder);
    power_on(NULL);
    say("ATE0");
    hear_bytes("ATE0\r", 5);
    hear("OK");
}

static void teardown(void)
{
    virtual_free(vm);
    (void)unlink(state_file);
    (void)rmdir(folder);
}

/* ---- command lines ----------------------------------------------------------- */

START_TEST(echo_is_the_command_with_its_cr)
{
    static const char in[] = "AT+CMEE?\r\nATE0\r\nAT\r\n";
    static const char out[] = "AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\nATE0\r\r\nOK\r\n\r\nOK\r\n";

    accepted("ATE1");
    type_bytes(in, sizeof in - 1);
    hear_bytes(out, sizeof out - 1);
    hear_nothing();
}
END_TEST

START_TEST(echo_comes_as_one_types)
{
    accepted("ATE1");
    type_bytes("A", 1);
    hear_nothing();
    type_bytes("T", 1);
    hear_bytes("AT", 2);
    type_bytes("+c", 2);
    hear_bytes("+c", 2);
    hear_nothing();
}
END_TEST

START_TEST(what_stands_before_at_is_discarded)
{
    static const uint8_t noise[] = "\0\xff\xf0 OK\r\n\r\n> \x1a\x1b" "AAT\r";

    type_bytes(noise, sizeof noise - 1);
    hear("OK");
    hear_nothing();
}
END_TEST

START_TEST(case_does_not_matter)
{
    accepted("at");
    accepted("aT+qistate?");
    accepted("At+QiCfG=\"viewmode\",0");
}
END_TEST

START_TEST(backspace_takes_back)
{
    accepted("AT+X\b\b");
    accepted("AT\b\b\b");
}
END_TEST

START_TEST(overlong_lines_are_refused)
{
    static char line[70000];

    memset(line, 'x', sizeof line - 1);
    memcpy(line, "AT+QIOPEN=", 10);
    line[sizeof line - 2] = '\r';
    type_bytes(line, sizeof line - 1);
    hear("ERROR");
    accepted("AT");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 552,invalid parameters\n\nOK");
}
END_TEST

START_TEST(any_split_of_the_input_says_the_same)
{
    static const char in[] = "AT+CMEE=1\rAT+QIRD=0,5\rAT+QICFG=\"viewmode\"\rATE1\rAT\r";
    static const char out[] = "\r\nOK\r\n\r\n+CME ERROR: 567\r\n\r\n+QICFG: \"viewmode\",0\r\n"
                              "\r\nOK\r\n\r\nOK\r\nAT\r\r\nOK\r\n";

    for (size_t chunk = 1; chunk < sizeof in; chunk++) {
        for (size_t at = 0; at < sizeof in - 1; at += chunk)
            type_bytes(in + at, chunk < sizeof in - 1 - at ? chunk : sizeof in - 1 - at);
        hear_bytes(out, sizeof out - 1);
        hear_nothing();
        say("ATE0");
        hear_bytes("ATE0\r", 5);
        hear("OK");
        accepted("AT+CMEE=0");
    }
}
END_TEST

START_TEST(output_comes_in_portions)
{
    char bytes[64];

    say("AT+QISTATE=?");
    ck_assert_uint_eq(virtual_waiting(vm), 6);
    ck_assert_uint_eq(virtual_output(vm, bytes, 4), 4);
    ck_assert_uint_eq(virtual_output(vm, bytes + 4, 60), 2);
    ck_assert_mem_eq(bytes, "\r\nOK\r\n", 6);
}
END_TEST

START_TEST(input_waits_for_a_host_that_does_not_listen)
{
    size_t answers = 0;

    while (virtual_input(vm, "AT\r", 3) == 3)
        answers++;
    ck_assert_uint_gt(answers, 1000);
    ck_assert_uint_lt(virtual_waiting(vm), 2 * VIRTUAL_OUT_HIGH);
    for (; answers > 0; answers--)
        hear("OK");
    hear_nothing();
}
END_TEST

START_TEST(test_commands)
{
    static const char *const dialogues[][2] = {
        { "CMEE", "+CMEE: (0,1,2)\n\nOK" },
        { "QIOPEN", "+QIOPEN: (1-3),(0-4),\"TCP/UDP\",\"<IP_address>/<domain_name>\","
                    "<remote_port>,<local_port>,(0-1)[,<0-1>]\n\nOK" },
        { "QICLOSE", "+QICLOSE: (0-4)\n\nOK" },
        { "QISTATE", "OK" },
        { "QISEND", "+QISEND: (0-4),(1-1024),<data>\n\nOK" },
        { "QIRD", "+QIRD: (0-4),(1-512)\n\nOK" },
        { "QISENDEX", "+QISENDEX: (0-4),(1-512),<hex_string>\n\nOK" },
        { "QISWTMD", "+QISWTMD: (0-4),(0-1)\n\nOK" },
        { "QPING", "+QPING: (1-3),\"<host>\"[, (1-255)][, (1-10)][, (32-200)]\n\nOK" },
        { "QNTP", "+QNTP: (1-3),\"<server>\"[,<port>[, (0,1)]]\n\nOK" },
        { "QIDNSGIP", "+QIDNSGIP: (1-3),\"<hostname>\"\n\nOK" },
        { "QIDNSCFG", "+QIDNSCFG: (1-3),<pridnsaddr>,<secdnsaddr>\n\nOK" },
        { "QICFG", "+QICFG: \"dataformat\",(0,1),(0,1)\n+QICFG: \"viewmode\",(0,1)\n"
                   "+QICFG: \"showlength\",(0,1)\n+QICFG: \"echomode\",(0,1)\n\nOK" },
        { "QIGETERROR", "OK" },
    };

    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        say("AT+%s=?", dialogues[i][0]);
        hear("%s", dialogues[i][1]);
    }
    hear_nothing();
}
END_TEST

START_TEST(queries_that_answer_only_ok)
{
    accepted("AT+QISTATE?");
    accepted("AT+QISTATE=0,1");
    accepted("AT+QISTATE=1,4");
    accepted("AT+QISWTMD?");
    accepted("AT+QIDNSCFG=1");
}
END_TEST

START_TEST(errors_are_worded_as_asked)
{
    refused("AT+QIRD=0,5", 567, "socket has been closed");
    say("AT+CMEE=1");
    hear("OK");
    say("AT+CMEE?");
    hear("+CMEE: 1\n\nOK");
    say("AT+QIRD=0,5");
    hear("+CME ERROR: 567");
    say("AT+QIRD=0,513");
    hear("+CME ERROR: 552");
    say("AT+NONE");
    hear("+CME ERROR: 4");
    say("AT+CMEE=3");
    hear("+CME ERROR: 50");
    say("AT+CMEE=2");
    hear("OK");
    say("AT+QIRD=0,5");
    hear("+CME ERROR: socket has been closed");
    say("AT+NONE");
    hear("+CME ERROR: operation not supported");
    say("AT+CMEE=0");
    hear("OK");
    say("AT+NONE");
    hear("ERROR");
}
END_TEST

START_TEST(it_says_what_it_is)
{
    static const char said[] = "\r\nQuectel_Ltd\r\nQuectel_BC26\r\nRevision: BC26NBR01A07\r\n\r\nOK\r\n";

    say("ATI");
    hear_bytes(said, sizeof said - 1);
}
END_TEST

START_TEST(the_last_error_is_that_of_a_tcpip_command)
{
    refused("AT+QIOPEN=1,\"UDP\",\"220.180.239.212\",8063,0,1", 552, "invalid parameters");
    accepted("AT");
    say("AT+NONE");
    hear("ERROR");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 552,invalid parameters\n\nOK");
    accepted("AT+QISTATE?");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 0,operation successful\n\nOK");
}
END_TEST

/* ---- what is legal ------------------------------------------------------------ */

#define HOST_150 \
    "hosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthosthost" \
    "hosthosthosthosthosthosthosthosthosthosthosthosthosthosthostho"

/* 0: an OK comes; else the code that QIGETERROR tells; -1: any error. */
static const struct {
    const char *line;
    int code;
} ranges[] = {
    { "AT+QIOPEN", 552 },
    { "AT+QIOPEN?", 552 },
    { "AT+QIOPEN=", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\"", 552 },
    { "AT+QIOPEN=0,1,\"TCP\",\"h\",1", 552 },
    { "AT+QIOPEN=2,1,\"TCP\",\"h\",1", 555 },
    { "AT+QIOPEN=3,1,\"TCP\",\"h\",1", 555 },
    { "AT+QIOPEN=4,1,\"TCP\",\"h\",1", 552 },
    { "AT+QIOPEN=1,-1,\"TCP\",\"h\",1", 552 },
    { "AT+QIOPEN=1,5,\"TCP\",\"h\",1", 552 },
    { "AT+QIOPEN=1,4294967296,\"TCP\",\"h\",1", 552 },
    { "AT+QIOPEN=1,1,\"SCTP\",\"h\",1", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"\",1", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"a b\",1", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"" HOST_150 "h\",1", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\",0", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\",65536", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\",1,65536", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\",1,0,2", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\",1,0,0,2", 552 },
    { "AT+QIOPEN=1,1,\"TCP\",\"h\",1,0,0,0,0", 552 },
    { "AT+QIOPEN=1,1,\"UDP\",\"h\",65535,0,1,0", 0 },
    { "AT+QIOPEN=1,2,\"UDP\",\"" HOST_150 "\",1", 0 },
    { "AT+QIOPEN=1,3,\"UDP\",\"h\",1,,1", 552 },
    { "AT+QICLOSE", 552 },
    { "AT+QICLOSE=", 552 },
    { "AT+QICLOSE=5", 552 },
    { "AT+QICLOSE=-1", 552 },
    { "AT+QICLOSE=0,0", 552 },
    { "AT+QICLOSE=4", 0 },
    { "AT+QISTATE=0", 552 },
    { "AT+QISTATE=2,0", 552 },
    { "AT+QISTATE=0,0", 552 },
    { "AT+QISTATE=0,2", 555 },
    { "AT+QISTATE=0,4", 552 },
    { "AT+QISTATE=1,5", 552 },
    { "AT+QISTATE=1,4", 0 },
    { "AT+QISEND", 552 },
    { "AT+QISEND=5", 552 },
    { "AT+QISEND=0,1461", 552 },
    { "AT+QISEND=0,-1", 552 },
    { "AT+QISEND=0,3,ab", 552 },
    { "AT+QISEND=0,3,abcd", 552 },
    { "AT+QISEND=0,3,a;b", 552 },
    { "AT+QISEND=0,3,\"a;b\"", 552 },
    { "AT+QISEND=0,0,", 552 },
    { "AT+QISEND=0,3,abc", 0 },
    { "AT+QISEND=0,3,\"a,b\"", 0 },
    { "AT+QISEND=0,9,\"{\"a\":\"b\"}\"", 0 },
    { "AT+QISEND=0,0", 0 },
    { "AT+QISEND=4,1,a", 567 },
    { "AT+QISEND=4,0", 567 },
    { "AT+QIRD=0", 552 },
    { "AT+QIRD=5,1", 552 },
    { "AT+QIRD=0,0", 552 },
    { "AT+QIRD=0,513", 552 },
    { "AT+QIRD=0,1", 0 },
    { "AT+QIRD=0,512", 0 },
    { "AT+QIRD=4,512", 567 },
    { "AT+QISENDEX=0,1", 552 },
    { "AT+QISENDEX=0,0,", 552 },
    { "AT+QISENDEX=0,1,3", 552 },
    { "AT+QISENDEX=0,1,3031", 552 },
    { "AT+QISENDEX=0,1,3g", 552 },
    { "AT+QISENDEX=0,2,30aF", 0 },
    { "AT+QISENDEX=4,1,30", 567 },
    { "AT+QISWTMD=0", 552 },
    { "AT+QISWTMD=5,0", 552 },
    { "AT+QISWTMD=0,2", 552 },
    { "AT+QISWTMD=4,1", 0 },
    { "AT+QPING=1", 552 },
    { "AT+QPING=0,\"h\"", 552 },
    { "AT+QPING=2,\"h\"", 555 },
    { "AT+QPING=1,\"h\",0", 552 },
    { "AT+QPING=1,\"h\",256", 552 },
    { "AT+QPING=1,\"h\",1,0", 552 },
    { "AT+QPING=1,\"h\",1,11", 552 },
    { "AT+QPING=1,\"h\",1,1,31", 552 },
    { "AT+QPING=1,\"h\",1,1,201", 552 },
    { "AT+QPING=1,\"h\",255,10,200", 0 },
    { "AT+QPING=1,\"h\",1,1,32", 0 },
    { "AT+QNTP=1", 552 },
    { "AT+QNTP=2,\"h\"", 555 },
    { "AT+QNTP=1,\"h\",0", 552 },
    { "AT+QNTP=1,\"h\",124", 555 },
    { "AT+QNTP=1,\"h\",65536", 552 },
    { "AT+QNTP=1,\"h\",123,2", 552 },
    { "AT+QNTP=1,\"nowhere.invalid\",123,1", 0 },
    { "AT+QIDNSGIP=1", 552 },
    { "AT+QIDNSGIP=3,\"h\"", 555 },
    { "AT+QIDNSGIP=1,\"\"", 552 },
    { "AT+QIDNSGIP=1,\"h\"", 0 },
    { "AT+QIDNSCFG=0", 552 },
    { "AT+QIDNSCFG=2", 555 },
    { "AT+QIDNSCFG=1,\"dns.example\"", 552 },
    { "AT+QIDNSCFG=1,\"1.2.3.999\"", 552 },
    { "AT+QIDNSCFG=1,\"8.8.8.8\",\"x\"", 552 },
    { "AT+QICFG", 552 },
    { "AT+QICFG=\"nothing\"", 552 },
    { "AT+QICFG=\"dataformat\",1", 552 },
    { "AT+QICFG=\"dataformat\",2,0", 552 },
    { "AT+QICFG=\"dataformat\",0,2", 552 },
    { "AT+QICFG=\"viewmode\",2", 552 },
    { "AT+QICFG=\"showlength\",2", 552 },
    { "AT+QICFG=\"echomode\",2", 552 },
    { "AT+QICFG=\"echomode\",1,1", 552 },
    { "AT+QICFG=\"dataformat\",0,0", 0 },
    { "AT+QICFG=\"viewmode\",0", 0 },
    { "AT+QICFG=\"showlength\",0", 0 },
    { "AT+QICFG=\"echomode\",0", 0 },
    { "AT+QIGETERROR?", 552 },
    { "AT+QIGETERROR=1", 552 },
};

static void settle(void)
{
    uint32_t since = at_posix_now_ms();

    take();
    while (!virtual_ready(vm) && !late(since)) {
        step(20);
        take();
    }
    ck_assert(virtual_ready(vm));
}

START_TEST(every_parameter_has_its_range)
{
    ck_assert(net_add_host(virtual_net(vm), "h=127.0.0.1"));
    ck_assert(net_add_host(virtual_net(vm), "nowhere.invalid=127.0.0.1"));
    ck_assert(net_add_host(virtual_net(vm), HOST_150 "=127.0.0.1"));
    uint16_t sink;
    server = bound(SOCK_DGRAM, &sink);
    char route[64];
    (void)snprintf(route, sizeof route, "nowhere.invalid:123=127.0.0.1:%u",
                   free_port(SOCK_DGRAM));
    ck_assert(net_add_route(virtual_net(vm), route));
    say("AT+QIOPEN=1,0,\"UDP\",\"h\",%u", sink);
    settle();
    got_len = 0;
    (void)close(server);
    server = -1;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        bool refusal = ranges[i].code != 0;
        const char *end = refusal ? "\r\nERROR\r\n" : "\r\nOK\r\n";
        say("%s", ranges[i].line);
        take();
        ck_assert_msg(got_len >= strlen(end) &&
                          memcmp(got + got_len - strlen(end), end, strlen(end)) == 0,
                      "%s: got %.*s", ranges[i].line, (int)got_len, got);
        got_len = 0;
        say("AT+QIGETERROR");
        take();
        got[got_len] = '\0';
        int code = -1;
        ck_assert_int_eq(sscanf(got, "\r\n+QIGETERROR: %d,", &code), 1);
        ck_assert_msg(ranges[i].code == -1 ? code != 0 : code == ranges[i].code,
                      "%s: code %d", ranges[i].line, code);
        if (!refusal && strstr(ranges[i].line, "QNTP") == NULL)
            settle();
        got_len = 0;
    }
}
END_TEST

START_TEST(lengths_of_data_depend_on_form_and_format)
{
    static const struct {
        int hex;
        const char *form;   /* %d: the length */
        int most;
    } limits[] = {
        { 0, "AT+QISEND=0,%d,", 1024 },
        { 1, "AT+QISEND=0,%d,", 512 },
        { 0, "AT+QISENDEX=0,%d,", 512 },
        { 1, "AT+QISENDEX=0,%d,", 512 },
        { 0, "AT+QISEND=0,%d", 1460 },
        { 1, "AT+QISEND=0,%d", 730 },
    };

    open_tcp(0);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        bool in_line = strchr(limits[i].form, '%')[2] == ',';
        for (int length = limits[i].most; length <= limits[i].most + 1; length++) {
            char line[4096];
            bool digits = limits[i].hex != 0 || strstr(limits[i].form, "EX") != NULL;
            size_t count = (size_t)length * (digits ? 2u : 1u);
            say("AT+QICFG=\"dataformat\",%d,0", limits[i].hex);
            hear("OK");
            int len = snprintf(line, sizeof line, limits[i].form, length);
            if (in_line) {
                memset(line + len, '3', count);
                len += (int)count;
            }
            line[len++] = '\r';
            type_bytes(line, (size_t)len);
            if (length > limits[i].most) {
                hear("ERROR");
                continue;
            }
            if (!in_line) {
                hear_prompt();
                memset(line, '3', count);
                type_bytes(line, count);
            }
            hear("OK");
            hear("SEND OK");
            memset(line, '3', (size_t)length);
            peer_gets(peer, line, (size_t)length);
        }
    }
}
END_TEST

/* ---- chapter 4 ------------------------------------------------------------------ */

static uint16_t local;

/* The manual's server and local port. */
static void open_as_manual(int access_mode)
{
    char route[64];

    listener = tcp_server(&port);
    local = access_mode == 0 ? free_port(SOCK_STREAM) : 0;
    (void)snprintf(route, sizeof route, "220.180.239.212:8062=127.0.0.1:%u", port);
    ck_assert(net_add_route(virtual_net(vm), route));
    say("AT+QIOPEN=1,0,\"TCP\",\"220.180.239.212\",8062,%u,%d", local, access_mode);
    hear("OK");
    peer = accept_peer(listener);
    hear("+QIOPEN: 0,0");
    if (local == 0)
        local = net_local_port(virtual_net(vm), 0);
    say("AT+QISTATE=1,0");
    hear("+QISTATE: 0,\"TCP\",\"220.180.239.212\",8062,%u,2,1,%d\n\nOK", local, access_mode);
}

static void close_as_manual(void)
{
    say("AT+QICLOSE=0");
    hear("OK");
    hear("CLOSE OK");
    accepted("AT+QISTATE=1,0");
    hear_nothing();
}

START_TEST(chapter_4_1_buffer_mode)
{
    open_as_manual(0);

    say("AT+QISEND=0,10,1234567890");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "1234567890", 10);
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("1234567890\x1a", 11);
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "1234567890", 10);
    say("AT+QISEND=0,10");
    hear_prompt();
    type_bytes("1234567890", 10);
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "1234567890", 10);
    say("AT+QISENDEX=0,5,3031323334");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "01234", 5);

    peer_send(peer, "1234567890", 10);
    hear("+QIURC: \"recv\",0");
    say("AT+QIRD=0,512");
    hear("+QIRD: 10\n1234567890\n\nOK");
    say("AT+QIRD=0,512");
    hear("+QIRD: 0\n\nOK");
    accepted("AT+QICFG=\"showlength\",1");
    peer_send(peer, "123456789012", 12);
    hear("+QIURC: \"recv\",0,12");
    say("AT+QIRD=0,10");
    hear("+QIRD: 10,2\n1234567890\n\nOK");
    accepted("AT+QICFG=\"viewmode\",1");
    say("AT+QIRD=0,10");
    hear("+QIRD: 2,0,12\n\nOK");
    say("AT+QIRD=0,10");
    hear("+QIRD: 0\n\nOK");
    say("AT+QISEND=0,12,\"012345678901\"");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "012345678901", 12);
    peer_send(peer, "012345678901", 12);
    hear("+QIURC: \"recv\",0,12");
    say("AT+QIRD=0,10");
    hear("+QIRD: 10,2,0123456789\n\nOK");

    close_as_manual();
}
END_TEST

START_TEST(chapter_4_2_push_mode)
{
    open_as_manual(1);

    say("AT+QISEND=0,5,12345");
    hear("OK");
    hear("SEND OK");
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("12345\x1a", 6);
    hear("OK");
    hear("SEND OK");
    say("AT+QISEND=0,5");
    hear_prompt();
    type_bytes("12345", 5);
    hear("OK");
    hear("SEND OK");
    say("AT+QISENDEX=0,5,3132333435");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "12345123451234512345", 20);

    peer_send(peer, "12345", 5);
    hear("+QIURC: \"recv\",0,5\n12345");
    accepted("AT+QICFG=\"viewmode\",1");
    say("AT+QISEND=0,12,\"012345678901\"");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "012345678901", 12);
    peer_send(peer, "012345678901", 12);
    hear("+QIURC: \"recv\",0,12,012345678901");

    close_as_manual();
}
END_TEST

/* Whether this machine lets us ping is not for the module to say. */
static bool may_ping(void)
{
    static const int kinds[] = { SOCK_DGRAM, SOCK_RAW };

    for (size_t i = 0; i < 2; i++) {
        int fd = socket(AF_INET, kinds[i], IPPROTO_ICMP);
        if (fd >= 0)
            (void)close(fd);
        if (fd >= 0)
            return true;
    }
    return false;
}

/* Numbers that can't be foretold, such as times, become N. */
static void blur(const char *prefix, unsigned skip)
{
    uint32_t since = at_posix_now_ms();
    char line[128];
    size_t at = 0, len;

    take();
    while (got_len < 4 || memcmp(got + got_len - 2, "\r\n", 2) != 0 || got_len <= strlen(prefix)) {
        ck_assert(!late(since));
        step(20);
        take();
    }
    char *end = memchr(got + 2, '\r', got_len - 2);
    ck_assert_ptr_nonnull(end);
    len = (size_t)(end - got) - 2;
    ck_assert_uint_lt(len, sizeof line);
    memcpy(line, got + 2, len);
    line[len] = '\0';
    ck_assert_msg(strncmp(line, prefix, strlen(prefix)) == 0, "got %s", line);
    at = strlen(prefix);
    for (unsigned i = 0; i < skip; i++)
        at += strspn(line + at, "0123456789") + (i + 1 < skip ? 1u : 0u);
    ck_assert_msg(at == len, "got %s", line);
    memmove(got, end + 2, got_len - len - 4);
    got_len -= len + 4;
}

START_TEST(chapter_4_3_ping)
{
    ck_assert(net_add_host(virtual_net(vm), "iot.quectel.com=127.0.0.1"));
    accepted("AT+QPING=1,\"iot.quectel.com\"");
    if (!may_ping()) {
        hear("+QPING: 561");
        return;
    }
    say("AT+QPING=1,\"iot.quectel.com\"");
    hear("ERROR");
    for (int i = 0; i < 4; i++)
        blur("+QPING: 0,\"127.0.0.1\",32,", 2);
    blur("+QPING: 0,4,4,0,", 3);
    say("AT+QPING=1,\"iot.quectel.com\",1,1,200");
    hear("OK");
    blur("+QPING: 0,\"127.0.0.1\",200,", 2);
    blur("+QPING: 0,1,1,0,", 3);
    hear_nothing();
}
END_TEST

static uint16_t answer_port;

/* Answers on a server's socket with the given bytes. */
static ssize_t question(int fd, uint8_t *packet, size_t size, struct sockaddr_in *from)
{
    socklen_t length = sizeof *from;

    return recvfrom(fd, packet, size, 0, (struct sockaddr *)from, &length);
}

/* 19/06/11,11:08:20, as the manual has it. */
static void ntp_answer(int fd)
{
    uint32_t now = htonl(1560251300u + 2208988800u);
    struct sockaddr_in from;
    uint8_t packet[48];

    if (question(fd, packet, sizeof packet, &from) != 48)
        return;
    memcpy(packet + 24, packet + 40, 8);
    packet[0] = 0x24;
    packet[1] = 1;
    memset(packet + 32, 0, 16);
    memcpy(packet + 16, &now, 4);
    memcpy(packet + 32, &now, 4);
    memcpy(packet + 40, &now, 4);
    (void)sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, sizeof from);
}

static void lead(const char *asked, uint16_t to)
{
    char route[128];

    (void)snprintf(route, sizeof route, "%s=127.0.0.1:%u", asked, to);
    ck_assert_msg(net_add_route(virtual_net(vm), route), "%s", net_reason(virtual_net(vm)));
}

START_TEST(chapter_4_4_time)
{
    server = bound(SOCK_DGRAM, &answer_port);
    serve = ntp_answer;
    lead("ntp5.aliyun.com:123", answer_port);
    say("AT+QNTP=1,\"ntp5.aliyun.com\"");
    hear("OK");
    hear("+QNTP: 0,\"19/06/11,11:08:20+0\"");
    say("AT+QNTP=1,\"ntp5.aliyun.com\",123,1");
    hear("OK");
    say("AT+QNTP=1,\"ntp5.aliyun.com\"");
    hear("ERROR");
    hear("+QNTP: 0,\"19/06/11,11:08:20+0\"");
    hear_nothing();
}
END_TEST

/* Any name has the address 192.0.2.7, and 192.0.2.8; none has an IPv6 one,
 * and those that begin with n have none at all. */
static void dns_answer(int fd)
{
    static const uint8_t records[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7"
                                     "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x08";
    struct sockaddr_in from;
    uint8_t packet[512];
    ssize_t n = question(fd, packet, 300, &from);

    if (n < 17)
        return;
    /* Only the question is kept. */
    size_t end = 12;
    while (packet[end] != 0)
        end += packet[end] + 1u;
    bool found = packet[13] != 'n', ipv4 = packet[end + 2] == 1;
    end += 5;
    packet[2] = 0x81;
    packet[3] = found ? 0x80 : 0x83;
    memset(packet + 6, 0, 6);
    if (found && ipv4) {
        packet[7] = 2;
        memcpy(packet + end, records, sizeof records - 1);
        end += sizeof records - 1;
    }
    (void)sendto(fd, packet, end, 0, (struct sockaddr *)&from, sizeof from);
}

START_TEST(chapter_4_5_dns_servers)
{
    server = bound(SOCK_DGRAM, &answer_port);
    serve = dns_answer;
    lead("218.2.2.2:53", answer_port);
    lead("8.8.8.8:53", answer_port);

    accepted("AT+QIDNSCFG=1,\"218.2.2.2\",\"8.8.8.8\"");
    say("AT+QIDNSCFG=1");
    hear("+QIDNSCFG: 1,\"218.2.2.2\",\"8.8.8.8\"\n\nOK");
    say("AT+QIDNSGIP=1,\"www.example.org\"");
    hear("OK");
    hear("+QIURC: \"dnsgip\",0,2,60");
    hear("+QIURC: \"dnsgip\",\"192.0.2.7\"\n+QIURC: \"dnsgip\",\"192.0.2.8\"");
    say("AT+QIDNSGIP=1,\"no.example.org\"");
    hear("OK");
    hear("+QIURC: \"dnsgip\",565");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 565,dns parse failed\n\nOK");

    accepted("AT+QIDNSCFG=1,\"8.8.8.8\"");
    say("AT+QIDNSCFG=1");
    hear("+QIDNSCFG: 1,\"8.8.8.8\"\n\nOK");
    hear_nothing();
}
END_TEST

START_TEST(chapter_4_6_last_error)
{
    refused("AT+QIOPEN=1,\"UDP\",\"220.180.239.212\",8063,0,1", 552, "invalid parameters");
}
END_TEST

/* ---- opening and closing -------------------------------------------------------- */

START_TEST(a_failed_open_keeps_its_id_until_closed)
{
    uint16_t nobody = free_port(SOCK_STREAM);

    say("AT+QIOPEN=1,3,\"TCP\",\"127.0.0.1\",%u,0,0", nobody);
    hear("OK");
    hear("+QIOPEN: 3,566");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 566,socket connection failed\n\nOK");
    say("AT+QISTATE?");
    hear("+QISTATE: 3,\"TCP\",\"127.0.0.1\",%u,0,0,1,0\n\nOK", nobody);
    refused("AT+QIOPEN=1,3,\"UDP\",\"127.0.0.1\",7", 563, "socket identity has been used");
    refused("AT+QISEND=3,1,a", 567, "socket has been closed");
    refused("AT+QIRD=3,1", 567, "socket has been closed");
    accepted("AT+QICLOSE=3");
    hear("CLOSE OK");
    say("AT+QIOPEN=1,3,\"UDP\",\"127.0.0.1\",7");
    hear("OK");
    hear("+QIOPEN: 3,0");
}
END_TEST

START_TEST(an_open_that_takes_its_time_can_be_watched_and_given_up)
{
    /* A server that never answers keeps the name from being resolved. */
    server = -1;
    int mute = bound(SOCK_DGRAM, &answer_port);
    lead("192.0.2.53:53", answer_port);
    accepted("AT+QIDNSCFG=1,\"192.0.2.53\"");
    say("AT+QIOPEN=1,1,\"UDP\",\"slow.example.org\",7,0,1");
    hear("OK");
    say("AT+QISTATE=1,1");
    hear("+QISTATE: 1,\"UDP\",\"slow.example.org\",7,0,1,1,1\n\nOK");
    refused("AT+QISEND=1", 567, "socket has been closed");
    refused("AT+QIOPEN=1,1,\"UDP\",\"127.0.0.1\",7", 563, "socket identity has been used");
    ck_assert(!virtual_ready(vm));
    accepted("AT+QICLOSE=1");
    hear("CLOSE OK");
    hear_nothing();
    ck_assert(virtual_ready(vm));
    (void)close(mute);
}
END_TEST

START_TEST(five_sockets_are_listed)
{
    char lines[1024] = "";

    for (int id = 4; id >= 0; id--) {
        say("AT+QIOPEN=1,%d,\"UDP\",\"127.0.0.1\",%d,0,%d", id, 1000 + id, id % 2);
        hear("OK");
        hear("+QIOPEN: %d,0", id);
    }
    for (int id = 0; id < 5; id++) {
        char line[128];
        (void)snprintf(line, sizeof line, "+QISTATE: %d,\"UDP\",\"127.0.0.1\",%d,%u,2,1,%d\n", id,
                       1000 + id, net_local_port(virtual_net(vm), id), id % 2);
        strcat(lines, line);
    }
    say("AT+QISTATE?");
    hear("%s\nOK", lines);
    say("AT+QISTATE=0,1");
    hear("%s\nOK", lines);
}
END_TEST

START_TEST(closing_takes_a_moment)
{
    open_tcp(0);
    local = net_local_port(virtual_net(vm), 0);
    say("AT+QICLOSE=0");
    say("AT+QISTATE=1,0");
    say("AT+QICLOSE=0");
    say("AT+QIOPEN=1,0,\"UDP\",\"127.0.0.1\",7");
    say("AT+QISEND=0,1,a");
    say("AT+QIRD=0,1");
    hear("OK");
    hear("+QISTATE: 0,\"TCP\",\"127.0.0.1\",%u,%u,3,1,0\n\nOK", port, local);
    hear("ERROR");
    hear("ERROR");
    hear("ERROR");
    hear("ERROR");
    hear("CLOSE OK");
    hear_nothing();
}
END_TEST

START_TEST(closing_what_was_never_open)
{
    say("AT+QICLOSE=2");
    say("AT+QIOPEN=1,2,\"UDP\",\"127.0.0.1\",7");
    hear("OK");
    hear("ERROR");
    hear("CLOSE OK");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 563,socket identity has been used\n\nOK");
}
END_TEST

START_TEST(an_ipv6_name_is_opened_as_ipv6)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1) != 0)
        return; /* no IPv6 on this machine */
    (void)getsockname(fd, (struct sockaddr *)&address, &size);
    ck_assert(net_add_host(virtual_net(vm), "six=::1"));
    say("AT+QIOPEN=1,0,\"TCP\",\"six\",%u,0,0,1", ntohs(address.sin6_port));
    hear("OK");
    hear("+QIOPEN: 0,0");
    say("AT+QIOPEN=1,1,\"TCP\",\"six\",%u,0,0,0", ntohs(address.sin6_port));
    hear("OK");
    hear("+QIOPEN: 1,565");
    (void)close(fd);
}
END_TEST

START_TEST(the_remote_side_closes)
{
    open_tcp(0);
    local = net_local_port(virtual_net(vm), 0);
    peer_send(peer, "last words", 10);
    hear("+QIURC: \"recv\",0");
    (void)close(peer);
    hear("+QIURC: \"closed\",0");
    say("AT+QISTATE=1,0");
    hear("+QISTATE: 0,\"TCP\",\"127.0.0.1\",%u,%u,3,1,0\n\nOK", port, local);
    refused("AT+QISEND=0,1,a", 567, "socket has been closed");
    say("AT+QIRD=0,4");
    hear("+QIRD: 4\nlast\n\nOK");
    say("AT+QIRD=0,512");
    hear("+QIRD: 6\n words\n\nOK");
    say("AT+QIRD=0,512");
    hear("+QIRD: 0\n\nOK");
    accepted("AT+QICLOSE=0");
    hear("CLOSE OK");
    hear_nothing();
}
END_TEST

START_TEST(a_remote_close_that_was_not_told_yet)
{
    uint32_t since = at_posix_now_ms();

    open_tcp(0);
    local = net_local_port(virtual_net(vm), 0);
    type_bytes("AT+QISTATE", 10);
    (void)close(peer);
    while (net_state(virtual_net(vm), 0) != NET_ENDED && !late(since))
        step(10);
    hear_nothing();
    type_bytes("=1,0\r", 5);
    hear("+QISTATE: 0,\"TCP\",\"127.0.0.1\",%u,%u,4,1,0\n\nOK", port, local);
    hear("+QIURC: \"closed\",0");
    say("AT+QISTATE=1,0");
    hear("+QISTATE: 0,\"TCP\",\"127.0.0.1\",%u,%u,3,1,0\n\nOK", port, local);
}
END_TEST

START_TEST(closing_silences_the_socket)
{
    uint32_t since = at_posix_now_ms();

    open_tcp(0);
    type_bytes("AT+QICLOSE=0", 12);
    peer_send(peer, "unheard", 7);
    (void)close(peer);
    while (net_state(virtual_net(vm), 0) != NET_ENDED && !late(since))
        step(10);
    type_bytes("\r", 1);
    hear("OK");
    hear("CLOSE OK");
    hear_nothing();
}
END_TEST

/* ---- sending -------------------------------------------------------------------- */

START_TEST(one_send_at_a_time)
{
    open_tcp(0);
    say("AT+QISEND=0,1,a");
    say("AT+QISEND=0,1,b");
    say("AT+QIGETERROR");
    say("AT+QISEND=0");
    say("AT+QISENDEX=0,1,30");
    say("AT+QISEND=0,0");
    hear("OK");
    hear("ERROR");
    hear("+QIGETERROR: 568,operation busy\n\nOK");
    hear("ERROR");
    hear("ERROR");
    take();
    got[got_len] = '\0';
    ck_assert(strncmp(got, "\r\n+QISEND: 1,", 13) == 0);
    hear_bytes(got, (size_t)(strstr(got, "OK\r\n") + 4 - got));
    hear("SEND OK");
    peer_gets(peer, "a", 1);
    peer_gets_nothing(peer);
}
END_TEST

START_TEST(a_close_right_after_a_send_loses_nothing)
{
    open_tcp(0);
    say("AT+QISEND=0,4,bye!");
    say("AT+QICLOSE=0");
    hear("OK");
    hear("OK");
    hear("SEND OK");
    hear("CLOSE OK");
    peer_gets(peer, "bye!", 4);
}
END_TEST

START_TEST(progress_counts)
{
    uint32_t since = at_posix_now_ms();

    open_tcp(0);
    say("AT+QISEND=0,0");
    hear("+QISEND: 0,0,0\n\nOK");
    say("AT+QISEND=0,5,12345");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "12345", 5);
    while (net_counters(virtual_net(vm), 0).acked < 5 && !late(since))
        step(5);
    say("AT+QISEND=0,0");
    hear("+QISEND: 5,5,0\n\nOK");
    (void)open_udp(1, 0);
    say("AT+QISEND=1,0");
    hear("+QISEND: 1,0,0\n\nOK");
}
END_TEST

START_TEST(send_ok_waits_for_room_in_the_stack)
{
    char text[1100];
    unsigned sent = 0;

    open_tcp(0);
    int len = snprintf(text, sizeof text, "AT+QISEND=0,1024,%01024d\r", 0);
    /* The peer reads nothing until a SEND OK fails to come. */
    for (;;) {
        type_bytes(text, (size_t)len);
        hear("OK");
        sent++;
        for (int i = 0; i < 20 && got_len == 0; i++) {
            step(5);
            take();
        }
        if (got_len == 0)
            break;
        hear("SEND OK");
        ck_assert_uint_lt(sent, 100000);
    }
    say("AT+QISEND=0,1,a");
    hear("ERROR");
    for (unsigned i = 0; i < sent; i++) {
        memset(text, '0', 1024);
        peer_gets(peer, text, 1024);
    }
    hear("SEND OK");
}
END_TEST

START_TEST(data_in_the_line)
{
    open_tcp(0);
    say("AT+QISEND=0,13,\"{\"a\":1,\"b\":2}\"");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "{\"a\":1,\"b\":2}", 13);
    accepted("AT+QICFG=\"dataformat\",1,0");
    say("AT+QISEND=0,4,001a0DfF");
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "\0\x1a\r\xff", 4);
    refused("AT+QISEND=0,2,3031x2", 552, "invalid parameters");
    refused("AT+QISEND=0,2,30x1", 552, "invalid parameters");
    peer_gets_nothing(peer);
}
END_TEST

START_TEST(fixed_data_may_hold_anything)
{
    static const char data[] = "\r\nOK\r\n\x1a\x1b\0AT\r\n> +QIURC: \"closed\",0\r\n\xff";
    size_t len = sizeof data - 1;

    open_tcp(0);
    say("AT+QISEND=0,%zu", len);
    hear_prompt();
    for (size_t i = 0; i < len; i++) {
        hear_nothing();
        type_bytes(data + i, 1);
    }
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, data, len);
}
END_TEST

START_TEST(an_lf_after_the_cr_is_not_data)
{
    open_tcp(0);
    type_bytes("AT+QISEND=0,3\r\nabc", 18);
    hear_prompt();
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "abc", 3);
    /* But once the prompt was seen it is. */
    say("AT+QISEND=0,3");
    hear_prompt();
    type_bytes("\nab", 3);
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "\nab", 3);
}
END_TEST

START_TEST(stream_data_end_with_ctrl_z)
{
    open_tcp(0);
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("\r\nOK\r\nAT\r", 9);
    hear_nothing();
    ck_assert(virtual_in_data_mode(vm));
    type_bytes("\x1a\r\n", 3);
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "\r\nOK\r\nAT\r", 9);
    ck_assert(!virtual_in_data_mode(vm));
    hear_nothing();
}
END_TEST

START_TEST(esc_cancels)
{
    open_tcp(0);
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("abc\x1b", 4);
    hear("ERROR");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 571,cancel send\n\nOK");
    peer_gets_nothing(peer);
    hear_nothing();
    say("AT+QISEND=0,1,a");
    hear("OK");
    hear("SEND OK");
}
END_TEST

START_TEST(data_that_cannot_be_sent)
{
    static char much[3000];

    memset(much, 'm', sizeof much);
    open_tcp(0);
    for (size_t len = 1460; len < sizeof much; len += 1300) {
        say("AT+QISEND=0");
        hear_prompt();
        type_bytes(much, len);
        type_bytes("\x1a", 1);
        hear(len == 1460 ? "OK" : "ERROR");
        if (len == 1460)
            hear("SEND OK");
    }
    peer_gets(peer, much, 1460);
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("\x1a", 1);
    hear("ERROR");
    accepted("AT+QICFG=\"dataformat\",1,0");
    static const char *const wrong[] = { "3", "3g", "30 31", "30\r\n" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        say("AT+QISEND=0");
        hear_prompt();
        type_bytes(wrong[i], strlen(wrong[i]));
        type_bytes("\x1a", 1);
        hear("ERROR");
    }
    say("AT+QISEND=0,2");
    hear_prompt();
    type_bytes("30\x1a" "1", 4);
    hear("ERROR");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 552,invalid parameters\n\nOK");
    peer_gets_nothing(peer);
}
END_TEST

START_TEST(hex_in_data_mode)
{
    open_tcp(0);
    accepted("AT+QICFG=\"dataformat\",1,0");
    say("AT+QISEND=0,3");
    hear_prompt();
    type_bytes("001aF", 5);
    hear_nothing();
    type_bytes("f", 1);
    hear("OK");
    hear("SEND OK");
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("3031\x1a", 5);
    hear("OK");
    hear("SEND OK");
    peer_gets(peer, "\0\x1a\xff" "01", 5);
}
END_TEST

START_TEST(data_are_echoed_with_echomode_alone)
{
    open_tcp(0);
    accepted("AT+QICFG=\"echomode\",1");
    say("AT+QICFG=\"echomode\"");
    hear("+QICFG: \"echomode\",1\n\nOK");
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("a\r", 2);
    hear_bytes("a\r", 2);
    type_bytes("\x1a", 1);
    hear_bytes("\x1a", 1);
    hear("OK");
    hear("SEND OK");
    say("AT+QISEND=0,2");
    hear_prompt();
    type_bytes("\x1b\x1a", 2);
    hear_bytes("\x1b\x1a\r\nOK\r\n", 8);
    hear("SEND OK");
    say("AT+QISEND=0");
    hear_prompt();
    type_bytes("\x1b", 1);
    hear_bytes("\x1b\r\nERROR\r\n", 10);
    accepted("AT+QICFG=\"echomode\",0");
    say("ATE1");
    hear("OK");
    say("AT+QISEND=0");
    hear_bytes("AT+QISEND=0\r\r\n> ", 16);
    type_bytes("a\x1a", 2);
    hear("OK");
    hear("SEND OK");
}
END_TEST

START_TEST(a_connection_lost_in_data_mode)
{
    uint32_t since = at_posix_now_ms();

    open_tcp(0);
    say("AT+QISEND=0");
    hear_prompt();
    (void)close(peer);
    while (net_state(virtual_net(vm), 0) != NET_ENDED && !late(since))
        step(10);
    type_bytes("abc\x1a", 4);
    hear("OK");
    hear("+QIURC: \"closed\",0");
    hear("SEND FAIL");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 567,socket has been closed\n\nOK");
}
END_TEST

/* ---- receiving ------------------------------------------------------------------- */

/* A datagram, which the module has when this returns: on loopback it can be
 * received as soon as it was sent. */
static void deliver(int fd, const void *data, size_t len)
{
    peer_send(fd, data, len);
    for (int i = 0; i < 3; i++)
        step(1);
}

START_TEST(recv_comes_once_until_drained)
{
    int fd = open_udp(0, 0);

    deliver(fd, "one", 3);
    hear("+QIURC: \"recv\",0");
    deliver(fd, "two", 3);
    hear_nothing();
    say("AT+QIRD=0,512");
    hear("+QIRD: 3\none\n\nOK");
    deliver(fd, "three", 5);
    hear_nothing();
    say("AT+QIRD=0,512");
    hear("+QIRD: 3\ntwo\n\nOK");
    say("AT+QIRD=0,512");
    hear("+QIRD: 5\nthree\n\nOK");
    deliver(fd, "four", 4);
    hear_nothing();
    say("AT+QIRD=0,512");
    hear("+QIRD: 4\nfour\n\nOK");
    say("AT+QIRD=0,512");
    hear("+QIRD: 0\n\nOK");
    deliver(fd, "five", 4);
    hear("+QIURC: \"recv\",0");
}
END_TEST

START_TEST(a_read_stays_within_one_node)
{
    int fd = open_udp(0, 0);
    char big[1500];

    memset(big, 'b', sizeof big);
    accepted("AT+QICFG=\"showlength\",1");
    deliver(fd, big, sizeof big);
    hear("+QIURC: \"recv\",0,1500");
    deliver(fd, "next", 4);
    for (int left = 1500 - 512; left > 0; left -= 512) {
        say("AT+QIRD=0,512");
        hear("+QIRD: 512,%d\n%.512s\n\nOK", left, big);
        if (left < 512) {
            say("AT+QIRD=0,512");
            hear("+QIRD: %d,0\n%.*s\n\nOK", left, left, big);
        }
    }
    say("AT+QIRD=0,512");
    hear("+QIRD: 4,0\nnext\n\nOK");
}
END_TEST

START_TEST(twenty_nodes_and_buff_full)
{
    int fd = open_udp(0, 0);
    char text[8];

    /* Drained, all of it begins anew. */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < VIRTUAL_NODES; i++) {
            int len = snprintf(text, sizeof text, "n%02d", i);
            deliver(fd, text, (size_t)len);
        }
        hear("+QIURC: \"recv\",0");
        hear_nothing();
        deliver(fd, "lost", 4);
        hear("+QIURC: \"recv\",0,\"buff full\"");
        deliver(fd, "lost", 4);
        hear_nothing();
        for (int i = 0; i < VIRTUAL_NODES; i++) {
            say("AT+QIRD=0,512");
            hear("+QIRD: 3\nn%02d\n\nOK", i);
        }
        say("AT+QIRD=0,512");
        hear("+QIRD: 0\n\nOK");
    }
}
END_TEST

START_TEST(the_nodes_are_shared)
{
    int first = open_udp(0, 0), second = open_udp(1, 0), third = open_udp(2, 1);

    for (int i = 0; i < VIRTUAL_NODES; i++)
        deliver(first, "x", 1);
    hear("+QIURC: \"recv\",0");
    deliver(second, "y", 1);
    hear("+QIURC: \"recv\",1,\"buff full\"");
    /* What is pushed needs none. */
    deliver(third, "z", 1);
    hear("+QIURC: \"recv\",2,1\nz");
    accepted("AT+QICLOSE=0");
    hear("CLOSE OK");
    deliver(second, "y", 1);
    hear("+QIURC: \"recv\",1");
}
END_TEST

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 7u + i / 251u);
}

/* Takes URCs out of the output: how many there are, and when, is a matter of
 * time. Returns how many say that the connection was closed. */
static unsigned skip_urcs(void)
{
    unsigned closed = 0;

    take();
    while (got_len > 10 && memcmp(got, "\r\n+QIURC: ", 10) == 0) {
        char *end = memchr(got + 2, '\n', got_len - 2);
        ck_assert_ptr_nonnull(end);
        closed += memcmp(got + 10, "\"closed\"", 8) == 0;
        got_len -= (size_t)(end + 1 - got);
        memmove(got, end + 1, got_len);
    }
    return closed;
}

/* Reads a whole stream with QIRD and compares it, up to its end. */
static void read_stream(size_t total)
{
    uint32_t since = at_posix_now_ms();
    unsigned len, closed = 0;
    int head;

    for (size_t at = 0; at < total; at += len) {
        ck_assert(!late(since));
        step(5);
        closed += skip_urcs();
        say("AT+QIRD=0,512");
        take();
        got[got_len] = '\0';
        ck_assert_msg(sscanf(got, "\r\n+QIRD: %u%n", &len, &head) == 1, "at %zu got %s", at, got);
        ck_assert_uint_eq(got_len, (size_t)head + 2 + len + (len > 0 ? 8 : 6));
        for (unsigned i = 0; i < len; i++)
            ck_assert_uint_eq((uint8_t)got[(unsigned)head + 2 + i], pattern(at + i));
        got_len = 0;
    }
    for (; closed == 0 && !late(since); closed += skip_urcs())
        step(10);
    ck_assert_uint_eq(closed, 1);
}

START_TEST(tcp_is_held_back_and_nothing_lost)
{
    static uint8_t data[100000];

    open_tcp(0);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = pattern(i);
    peer_send(peer, data, sizeof data);
    hear("+QIURC: \"recv\",0");
    hear("+QIURC: \"recv\",0,\"buff full\"");
    hear_nothing();
    (void)close(peer);
    read_stream(sizeof data);
    say("AT+QIRD=0,512");
    hear("+QIRD: 0\n\nOK");
    hear_nothing();
}
END_TEST

START_TEST(received_data_in_hex)
{
    int fd = open_udp(0, 0);

    accepted("AT+QICFG=\"dataformat\",0,1");
    say("AT+QICFG=\"dataformat\"");
    hear("+QICFG: \"dataformat\",0,1\n\nOK");
    accepted("AT+QICFG=\"showlength\",1");
    deliver(fd, "\0\x1a\xffz", 4);
    hear("+QIURC: \"recv\",0,4");
    say("AT+QIRD=0,3");
    hear("+QIRD: 3,1\n001AFF\n\nOK");
    accepted("AT+QICFG=\"viewmode\",1");
    say("AT+QIRD=0,3");
    hear("+QIRD: 1,0,7A\n\nOK");
    accepted("AT+QISWTMD=0,1");
    deliver(fd, "push", 4);
    hear("+QIURC: \"recv\",0,4,70757368");
    accepted("AT+QICFG=\"viewmode\",0");
    deliver(fd, "push", 4);
    hear("+QIURC: \"recv\",0,4\n70757368");
}
END_TEST

START_TEST(payloads_are_transparent)
{
    static const char data[] = "\r\nOK\r\n\0> \r\n+QIURC: \"recv\",0,5\r\n\x1a\xff";
    static char out[128] = "\r\n+QIRD: 33\r\n";
    size_t len = sizeof data - 1;
    int fd = open_udp(0, 0);

    ck_assert_uint_eq(len, 33);
    deliver(fd, data, len);
    hear("+QIURC: \"recv\",0");
    say("AT+QIRD=0,512");
    memcpy(out + 13, data, len);
    memcpy(out + 13 + len, "\r\n\r\nOK\r\n", 8);
    hear_bytes(out, 13 + len + 8);
    accepted("AT+QISWTMD=0,1");
    deliver(fd, data, len);
    hear_bytes("\r\n+QIURC: \"recv\",0,33\r\n", 23);
    hear_bytes(data, len);
    hear_bytes("\r\n", 2);
    hear_nothing();
}
END_TEST

START_TEST(push_mode_goes_on_and_on)
{
    int fd = open_udp(2, 1);

    for (int i = 0; i < 30; i++)
        peer_send(fd, "12345", 5);
    for (int i = 0; i < 30; i++)
        hear("+QIURC: \"recv\",2,5\n12345");
    say("AT+QIRD=2,512");
    hear("+QIRD: 0\n\nOK");
}
END_TEST

START_TEST(switching_the_mode_tells_of_the_buffer)
{
    int fd = open_udp(0, 0);

    deliver(fd, "first", 5);
    hear("+QIURC: \"recv\",0");
    deliver(fd, "second", 6);
    say("AT+QIRD=0,2");
    hear("+QIRD: 2\nfi\n\nOK");
    accepted("AT+QISWTMD=0,1");
    hear("+QIURC: \"recv\",0,3\nrst");
    hear("+QIURC: \"recv\",0,6\nsecond");
    accepted("AT+QISWTMD=0,0");
    hear_nothing();
    deliver(fd, "third", 5);
    hear("+QIURC: \"recv\",0");
    /* Data that wait to be pushed become data that wait to be read. */
    accepted("AT+QISWTMD=0,1");
    hear("+QIURC: \"recv\",0,5\nthird");
    type_bytes("AT+QISWTMD=0,0", 14);
    deliver(fd, "fourth", 6);
    hear_nothing();
    type_bytes("\r", 1);
    hear("OK");
    hear("+QIURC: \"recv\",0");
    say("AT+QIRD=0,512");
    hear("+QIRD: 6\nfourth\n\nOK");
}
END_TEST

START_TEST(nothing_interrupts_a_line_or_data)
{
    int fd = open_udp(0, 1);

    accepted("ATE1");
    type_bytes("AT+QICFG=\"view", 14);
    hear_bytes("AT+QICFG=\"view", 14);
    deliver(fd, "12345", 5);
    hear_nothing();
    type_bytes("mode\",1\r", 8);
    hear_bytes("mode\",1\r\r\nOK\r\n", 14);
    /* It is worded by the settings that the host knows of by now. */
    hear("+QIURC: \"recv\",0,5,12345");
    say("AT+QISEND=0");
    hear_bytes("AT+QISEND=0\r\r\n> ", 16);
    deliver(fd, "abc", 3);
    deliver(fd, "def", 3);
    hear_nothing();
    type_bytes("data\x1a", 5);
    hear("OK");
    hear("+QIURC: \"recv\",0,3,abc");
    hear("+QIURC: \"recv\",0,3,def");
    hear("SEND OK");
}
END_TEST

START_TEST(a_notice_that_became_needless_is_not_sent)
{
    int fd = open_udp(0, 0);

    type_bytes("AT+QIRD=0,5", 11);
    deliver(fd, "12345", 5);
    type_bytes("\r", 1);
    hear("+QIRD: 5\n12345\n\nOK");
    hear_nothing();
}
END_TEST

START_TEST(a_host_that_does_not_listen_holds_tcp_back)
{
    static uint8_t data[200000];
    uint32_t since = at_posix_now_ms();
    size_t sent = 0, at = 0;

    open_tcp(1);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = pattern(i);
    /* Nobody takes the output meanwhile. */
    while (sent < sizeof data && at_posix_now_ms() - since < 300) {
        ssize_t n = send(peer, data + sent, sizeof data - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        step(1);
    }
    ck_assert_uint_lt(virtual_waiting(vm), 2 * VIRTUAL_OUT_HIGH);
    while (at < sizeof data) {
        ssize_t n = 0;
        if (sent < sizeof data)
            n = send(peer, data + sent, sizeof data - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        step(1);
        take();
        got[got_len] = '\0';
        unsigned len;
        int head = 0;
        while (sscanf(got, "\r\n+QIURC: \"recv\",0,%u%n", &len, &head) == 1 && head > 0) {
            /* All of a URC comes at once. */
            size_t begin = (size_t)head + 2;
            ck_assert_uint_ge(got_len, begin + len + 2);
            for (unsigned i = 0; i < len; i++)
                ck_assert_uint_eq((uint8_t)got[begin + i], pattern(at + i));
            at += len;
            got_len -= begin + len + 2;
            memmove(got, got + begin + len + 2, got_len);
            got[got_len] = '\0';
            head = 0;
        }
        ck_assert(!late(since));
    }
    ck_assert_uint_eq(got_len, 0);
}
END_TEST

/* ---- names, ping and time --------------------------------------------------------- */

START_TEST(failures_are_short)
{
    server = bound(SOCK_DGRAM, &answer_port);
    serve = dns_answer;
    lead("192.0.2.53:53", answer_port);
    accepted("AT+QIDNSCFG=1,\"192.0.2.53\"");
    say("AT+QPING=1,\"no.example.org\"");
    hear("OK");
    hear("+QPING: 565");
    say("AT+QNTP=1,\"no.example.org\"");
    hear("OK");
    hear("+QNTP: 565");
    say("AT+QIOPEN=1,0,\"TCP\",\"no.example.org\",80");
    hear("OK");
    hear("+QIOPEN: 0,565");
    say("AT+QPING=1,\"::1\"");
    hear("OK");
    hear("+QPING: 561");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 561,open pdp context failed\n\nOK");
    hear_nothing();
}
END_TEST

START_TEST(a_ping_without_replies)
{
    if (!may_ping())
        return;
    /* 203.0.113.0/24 is for documentation: nobody answers there. */
    say("AT+QPING=1,\"203.0.113.1\",1,2");
    hear("OK");
    hear("+QPING: 569");
    hear("+QPING: 569");
    hear("+QPING: 0,2,0,2");
    say("AT+QIGETERROR");
    hear("+QIGETERROR: 569,operation timeout\n\nOK");
    hear_nothing();
}
END_TEST

START_TEST(names_and_addresses_are_resolved)
{
    ck_assert(net_add_host(virtual_net(vm), "two=2001:db8::1"));
    ck_assert(net_add_host(virtual_net(vm), "two=192.0.2.1"));
    say("AT+QIDNSGIP=1,\"1.1.1.1\"");
    hear("OK");
    hear("+QIURC: \"dnsgip\",0,1,0");
    hear("+QIURC: \"dnsgip\",\"1.1.1.1\"");
    say("AT+QIDNSGIP=1,\"two\"");
    hear("OK");
    hear("+QIURC: \"dnsgip\",0,2,0");
    hear("+QIURC: \"dnsgip\",\"192.0.2.1\"\n+QIURC: \"dnsgip\",\"2001:db8::1\"");
    /* Without quotes too. */
    say("AT+QIDNSGIP=1,two");
    hear("OK");
    hear("+QIURC: \"dnsgip\",0,2,0");
    hear("+QIURC: \"dnsgip\",\"192.0.2.1\"\n+QIURC: \"dnsgip\",\"2001:db8::1\"");
}
END_TEST

START_TEST(one_name_at_a_time)
{
    int mute = bound(SOCK_DGRAM, &answer_port);

    lead("192.0.2.53:53", answer_port);
    accepted("AT+QIDNSCFG=1,\"192.0.2.53\"");
    accepted("AT+QIDNSGIP=1,\"slow.example.org\"");
    refused("AT+QIDNSGIP=1,\"slow.example.org\"", 564, "dns busy");
    (void)close(mute);
}
END_TEST

/* ---- what is kept ------------------------------------------------------------------ */

START_TEST(settings_outlive_a_reboot)
{
    static const char banner[] = VIRTUAL_BANNER;

    accepted("AT+QICFG=\"dataformat\",1,1");
    accepted("AT+QICFG=\"viewmode\",1");
    accepted("AT+QICFG=\"showlength\",1");
    accepted("AT+QICFG=\"echomode\",1");
    accepted("AT+QISWTMD=3,1");
    accepted("AT+QIDNSCFG=1,\"8.8.8.8\"");
    accepted("AT+CMEE=1");
    open_tcp(1);
    say("AT+QISEND=0");
    say("half a line");
    type_bytes("AT+QI", 5);
    virtual_reset(vm);
    got_len = 0;
    hear_bytes(banner, sizeof banner - 1);
    hear_nothing();

    say("ATE0");
    hear_bytes("ATE0\r", 5);
    hear("OK");
    say("AT+CMEE?");
    hear("+CMEE: 0\n\nOK");
    accepted("AT+QISTATE?");
    accepted("AT+QIDNSCFG=1");
    say("AT+QICFG=\"dataformat\"");
    hear("+QICFG: \"dataformat\",1,1\n\nOK");
    say("AT+QICFG=\"viewmode\"");
    hear("+QICFG: \"viewmode\",1\n\nOK");
    say("AT+QICFG=\"showlength\"");
    hear("+QICFG: \"showlength\",1\n\nOK");
    say("AT+QICFG=\"echomode\"");
    hear("+QICFG: \"echomode\",0\n\nOK");
    /* The stored mode of a connection holds for an open that names none. */
    say("AT+QIOPEN=1,3,\"UDP\",\"127.0.0.1\",7");
    hear("OK");
    hear("+QIOPEN: 3,0");
    say("AT+QISTATE=1,3");
    hear("+QISTATE: 3,\"UDP\",\"127.0.0.1\",7,%u,2,1,1\n\nOK",
         net_local_port(virtual_net(vm), 3));
}
END_TEST

static void restart(void)
{
    virtual_free(vm);
    power_on(state_file);
    say("ATE0");
    hear_bytes("ATE0\r", 5);
    hear("OK");
}

static void write_state(const char *text)
{
    FILE *file = fopen(state_file, "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

START_TEST(a_state_file_outlives_the_program)
{
    char text[512] = "";

    restart();
    ck_assert_int_ne(access(state_file, F_OK), 0);
    accepted("AT+QICFG=\"dataformat\",0,1");
    accepted("AT+QICFG=\"echomode\",1");
    accepted("AT+QISWTMD=4,1");
    FILE *file = fopen(state_file, "r");
    ck_assert_ptr_nonnull(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    ck_assert_str_eq(text, "bc26 state 1\nsend_data_format 0\nrecv_data_format 1\nview_mode 0\n"
                           "show_length 0\naccess_mode 0 0 0 0 1\n");
    restart();
    say("AT+QICFG=\"dataformat\"");
    hear("+QICFG: \"dataformat\",0,1\n\nOK");
    say("AT+QICFG=\"echomode\"");
    hear("+QICFG: \"echomode\",0\n\nOK");
}
END_TEST

START_TEST(a_corrupt_state_file_is_explained)
{
    static const char *const dialogues[][2] = {
        { "", "not a state file: it's empty" },
        { "hello\n", ":1: not a state file: 'bc26 state 1' is missing" },
        { "bc26 state 1", ":1: the line doesn't end" },
        { "bc26 state 1\nview_mode 2\n", ":2: view_mode needs 1 numbers from 0 to 1" },
        { "bc26 state 1\nview_mode\n", ":2: view_mode needs 1 numbers from 0 to 1" },
        { "bc26 state 1\nview_mode -1\n", ":2: view_mode needs 1 numbers from 0 to 1" },
        { "bc26 state 1\nview_mode 0 0\n", ":2: view_mode has too many numbers" },
        { "bc26 state 1\naccess_mode 0 0 1\n", ":2: access_mode needs 5 numbers from 0 to 1" },
        { "bc26 state 1\nview_mode 1\necho_mode 1\n",
          ":3: 'echo_mode' is no setting that is kept" },
        { "bc26 state 1\n\n", ":2: '' is no setting that is kept" },
        { "bc26 state 1\nview_mode 99999999999999999999\n",
          ":2: view_mode needs 1 numbers from 0 to 1" },
    };
    struct virtual_config config = { .state_file = state_file };

    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        struct at_posix_why why = { "" };
        write_state(dialogues[i][0]);
        ck_assert_ptr_null(virtual_new(&config, &why));
        ck_assert_msg(strncmp(why.text, state_file, strlen(state_file)) == 0 &&
                          strstr(why.text, dialogues[i][1]) != NULL,
                      "%s", why.text);
    }
    write_state("bc26 state 1\naccess_mode 1 0 1 0 1\nview_mode 1\n");
    restart();
    say("AT+QICFG=\"viewmode\"");
    hear("+QICFG: \"viewmode\",1\n\nOK");
}
END_TEST

static char said[256];

static void remember(void *ctx, const char *text)
{
    (void)ctx;
    (void)snprintf(said, sizeof said, "%s", text);
}

START_TEST(a_state_file_that_could_not_be_written_is_refused)
{
    static char endless[5000];
    static const char *const dialogues[][2] = {
        { "/nonexistent/state",
          "/nonexistent/state: settings can't be kept there: No such file or directory" },
        { "", "the state file's name is empty" },
        { endless, "aaa" }, /* too long to be told in full */
    };

    memset(endless, 'a', sizeof endless - 1);
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        struct virtual_config config = { .state_file = dialogues[i][0] };
        struct at_posix_why why = { "" };
        ck_assert_ptr_null(virtual_new(&config, &why));
        ck_assert_msg(strstr(why.text, dialogues[i][1]) != NULL, "%s", why.text);
    }
}
END_TEST

START_TEST(a_state_file_that_cannot_be_written_is_no_end)
{
    struct virtual_config config = { .state_file = state_file, .say = remember };
    char expected[128];

    virtual_free(vm);
    vm = virtual_new(&config, NULL);
    ck_assert_ptr_nonnull(vm);
    say("ATE0");
    hear_bytes("ATE0\r", 5);
    hear("OK");
    ck_assert_int_eq(rmdir(folder), 0);
    accepted("AT+QICFG=\"viewmode\",1");
    (void)snprintf(expected, sizeof expected,
                   "%s: the settings can't be kept: No such file or directory", state_file);
    ck_assert_str_eq(said, expected);
    say("AT+QICFG=\"viewmode\"");
    hear("+QICFG: \"viewmode\",1\n\nOK");
}
END_TEST

START_TEST(idle_means_that_all_has_ended)
{
    uint32_t since = at_posix_now_ms();

    ck_assert(virtual_idle(vm));
    say("AT");
    ck_assert(!virtual_ready(vm));
    hear("OK");
    ck_assert(virtual_idle(vm));
    type_bytes("AT", 2);
    ck_assert(!virtual_ready(vm));
    type_bytes("\r", 1);
    hear("OK");
    open_tcp(0);
    ck_assert(virtual_idle(vm));
    say("AT+QICLOSE=0");
    hear("OK");
    ck_assert(!virtual_ready(vm));
    hear("CLOSE OK");
    ck_assert(virtual_ready(vm));
    /* The peer hasn't closed its side yet. */
    ck_assert(!virtual_idle(vm));
    (void)close(peer);
    while (!virtual_idle(vm) && !late(since))
        step(10);
    ck_assert(virtual_idle(vm));
}
END_TEST

/* ---- all of it ---------------------------------------------------------------------- */

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("virtual");
    TCase *tests = add_case(suite, "lines");

    tcase_add_test(tests, echo_is_the_command_with_its_cr);
    tcase_add_test(tests, echo_comes_as_one_types);
    tcase_add_test(tests, what_stands_before_at_is_discarded);
    tcase_add_test(tests, case_does_not_matter);
    tcase_add_test(tests, backspace_takes_back);
    tcase_add_test(tests, overlong_lines_are_refused);
    tcase_add_test(tests, any_split_of_the_input_says_the_same);
    tcase_add_test(tests, output_comes_in_portions);
    tcase_add_test(tests, input_waits_for_a_host_that_does_not_listen);
    tcase_add_test(tests, test_commands);
    tcase_add_test(tests, queries_that_answer_only_ok);
    tcase_add_test(tests, errors_are_worded_as_asked);
    tcase_add_test(tests, it_says_what_it_is);
    tcase_add_test(tests, the_last_error_is_that_of_a_tcpip_command);
    tcase_add_test(tests, every_parameter_has_its_range);
    tcase_add_test(tests, lengths_of_data_depend_on_form_and_format);

    tests = add_case(suite, "chapter 4");
    tcase_add_test(tests, chapter_4_1_buffer_mode);
    tcase_add_test(tests, chapter_4_2_push_mode);
    tcase_add_test(tests, chapter_4_3_ping);
    tcase_add_test(tests, chapter_4_4_time);
    tcase_add_test(tests, chapter_4_5_dns_servers);
    tcase_add_test(tests, chapter_4_6_last_error);

    tests = add_case(suite, "opening and closing");
    tcase_add_test(tests, a_failed_open_keeps_its_id_until_closed);
    tcase_add_test(tests, an_open_that_takes_its_time_can_be_watched_and_given_up);
    tcase_add_test(tests, five_sockets_are_listed);
    tcase_add_test(tests, closing_takes_a_moment);
    tcase_add_test(tests, closing_what_was_never_open);
    tcase_add_test(tests, an_ipv6_name_is_opened_as_ipv6);
    tcase_add_test(tests, the_remote_side_closes);
    tcase_add_test(tests, a_remote_close_that_was_not_told_yet);
    tcase_add_test(tests, closing_silences_the_socket);

    tests = add_case(suite, "sending");
    tcase_add_test(tests, one_send_at_a_time);
    tcase_add_test(tests, a_close_right_after_a_send_loses_nothing);
    tcase_add_test(tests, progress_counts);
    tcase_add_test(tests, send_ok_waits_for_room_in_the_stack);
    tcase_add_test(tests, data_in_the_line);
    tcase_add_test(tests, fixed_data_may_hold_anything);
    tcase_add_test(tests, an_lf_after_the_cr_is_not_data);
    tcase_add_test(tests, stream_data_end_with_ctrl_z);
    tcase_add_test(tests, esc_cancels);
    tcase_add_test(tests, data_that_cannot_be_sent);
    tcase_add_test(tests, hex_in_data_mode);
    tcase_add_test(tests, data_are_echoed_with_echomode_alone);
    tcase_add_test(tests, a_connection_lost_in_data_mode);

    tests = add_case(suite, "receiving");
    tcase_add_test(tests, recv_comes_once_until_drained);
    tcase_add_test(tests, a_read_stays_within_one_node);
    tcase_add_test(tests, twenty_nodes_and_buff_full);
    tcase_add_test(tests, the_nodes_are_shared);
    tcase_add_test(tests, tcp_is_held_back_and_nothing_lost);
    tcase_add_test(tests, received_data_in_hex);
    tcase_add_test(tests, payloads_are_transparent);
    tcase_add_test(tests, push_mode_goes_on_and_on);
    tcase_add_test(tests, switching_the_mode_tells_of_the_buffer);
    tcase_add_test(tests, nothing_interrupts_a_line_or_data);
    tcase_add_test(tests, a_notice_that_became_needless_is_not_sent);
    tcase_add_test(tests, a_host_that_does_not_listen_holds_tcp_back);

    tests = add_case(suite, "names, ping and time");
    tcase_add_test(tests, failures_are_short);
    tcase_add_test(tests, a_ping_without_replies);
    tcase_add_test(tests, names_and_addresses_are_resolved);
    tcase_add_test(tests, one_name_at_a_time);

    tests = add_case(suite, "what is kept");
    tcase_add_test(tests, settings_outlive_a_reboot);
    tcase_add_test(tests, a_state_file_outlives_the_program);
    tcase_add_test(tests, a_corrupt_state_file_is_explained);
    tcase_add_test(tests, a_state_file_that_could_not_be_written_is_refused);
    tcase_add_test(tests, a_state_file_that_cannot_be_written_is_no_end);
    tcase_add_test(tests, idle_means_that_all_has_ended);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

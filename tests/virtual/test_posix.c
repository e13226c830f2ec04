/* Ports, ptys, TCP and the pacer, on this machine alone. */
#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE 1

#include "../../src/posix/at_posix.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct at_posix_why why;
static char folder[] = "/tmp/atspec-posix-XXXXXX";
static char link_path[64];
static struct at_posix_pty pty;

static void setup(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(link_path, sizeof link_path, "%s/port", folder);
    memset(&why, 0, sizeof why);
    pty.fd = pty.slave = -1;
}

static void teardown(void)
{
    at_posix_pty_close(&pty);
    (void)unlink(link_path);
    (void)rmdir(folder);
}

static bool readable(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };

    return poll(&wait, 1, 2000) == 1 && (wait.revents & POLLIN);
}

/* Reads until as much is there as is expected, and compares. */
static void expect(int fd, const char *text)
{
    char got[64];
    size_t len = 0, want = strlen(text);

    while (len < want) {
        ck_assert_msg(readable(fd), "only '%.*s' of '%s' came", (int)len, got, text);
        ssize_t n = read(fd, got + len, want - len);
        ck_assert_int_gt(n, 0);
        len += (size_t)n;
    }
    ck_assert_mem_eq(got, text, want);
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(at_posix_write_all(fd, text, strlen(text), 1000), 0);
}

static int open_slave(void)
{
    int fd = open(link_path, O_RDWR | O_NOCTTY | O_NONBLOCK);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static void open_pty(void)
{
    ck_assert_msg(at_posix_pty_open(&pty, link_path, &why) == 0, "%s", why.text);
}

/* ---- ptys ---------------------------------------------------------------- */

START_TEST(pty_is_raw)
{
    open_pty();
    int fd = open_slave();
    put(fd, "AT\r");
    expect(pty.fd, "AT\r");
    put(pty.fd, "\r\nOK\r\n\x03\x1a");
    expect(fd, "\r\nOK\r\n\x03\x1a");
    (void)close(fd);
}
END_TEST

START_TEST(pty_lives_on_when_the_slave_is_closed)
{
    open_pty();
    for (int round = 0; round < 3; round++) {
        int fd = open_slave();
        ck_assert(at_posix_pty_listened(&pty));
        put(fd, "hello");
        expect(pty.fd, "hello");
        put(pty.fd, "world");
        expect(fd, "world");
        (void)close(fd);
        struct pollfd master = { .fd = pty.fd, .events = POLLIN };
        ck_assert_int_eq(poll(&master, 1, 0), 0);
        ck_assert(!at_posix_pty_listened(&pty));
        ck_assert_int_eq(poll(&master, 1, 0), 0);
    }
}
END_TEST

START_TEST(pty_keeps_the_last_words_of_a_user)
{
    open_pty();
    int fd = open_slave();
    put(fd, "AT+QICLOSE=0\r");
    (void)close(fd);
    ck_assert(!at_posix_pty_listened(&pty));
    expect(pty.fd, "AT+QICLOSE=0\r");
}
END_TEST

START_TEST(pty_forgets_what_nobody_reads)
{
    open_pty();
    int fd = open_slave();
    put(pty.fd, "stale");
    ck_assert(readable(fd));
    (void)close(fd);
    ck_assert(!at_posix_pty_listened(&pty));
    fd = open_slave();
    ck_assert(at_posix_pty_listened(&pty));
    put(pty.fd, "fresh");
    expect(fd, "fresh");
    (void)close(fd);
}
END_TEST

START_TEST(pty_is_made_good_again_after_a_user)
{
    struct termios tty;
    int locked = 1;

    open_pty();
    int fd = open_slave();
    ck_assert_int_eq(tcgetattr(fd, &tty), 0);
    tty.c_lflag |= ECHO | ICANON;
    ck_assert_int_eq(tcsetattr(fd, TCSANOW, &tty), 0);
    ck_assert_int_eq(ioctl(fd, TIOCEXCL), 0);
    /* As long as it's used its user's wishes hold. */
    ck_assert(at_posix_pty_listened(&pty));
    ck_assert_int_eq(ioctl(fd, TIOCGEXCL, &locked), 0);
    ck_assert_int_eq(locked, 1);
    (void)close(fd);
    ck_assert(!at_posix_pty_listened(&pty));
    fd = open_slave();
    ck_assert_int_eq(ioctl(fd, TIOCGEXCL, &locked), 0);
    ck_assert_int_eq(locked, 0);
    ck_assert_int_eq(tcgetattr(fd, &tty), 0);
    ck_assert_int_eq(tty.c_lflag & (tcflag_t)(ECHO | ICANON), 0);
    (void)close(fd);
}
END_TEST

START_TEST(pty_link_comes_and_goes)
{
    struct stat info;

    open_pty();
    ck_assert_int_eq(lstat(link_path, &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    at_posix_pty_close(&pty);
    ck_assert_int_lt(lstat(link_path, &info), 0);
    /* Twice does no harm. */
    at_posix_pty_close(&pty);
}
END_TEST

START_TEST(pty_link_left_behind_is_replaced)
{
    ck_assert_int_eq(symlink("/dev/pts/no-such-pty", link_path), 0);
    open_pty();
    (void)close(open_slave());
}
END_TEST

START_TEST(pty_link_of_another_is_left_alone)
{
    int fd = open(link_path, O_CREAT | O_WRONLY, 0600);
    struct stat info;

    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    ck_assert_int_eq(at_posix_pty_open(&pty, link_path, &why), -EEXIST);
    ck_assert_ptr_nonnull(strstr(why.text, "exists already"));
    ck_assert_int_eq(pty.fd, -1);
    ck_assert_int_eq(stat(link_path, &info), 0);
    ck_assert_int_eq(at_posix_pty_open(&pty, "/no/such/folder/port", &why), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why.text, "no such folder"));
}
END_TEST

START_TEST(pty_without_link)
{
    ck_assert_int_eq(at_posix_pty_open(&pty, NULL, NULL), 0);
    int fd = open(pty.name, O_RDWR | O_NOCTTY);
    ck_assert_int_ge(fd, 0);
    put(fd, "x");
    expect(pty.fd, "x");
    (void)close(fd);
}
END_TEST

/* ---- serial ports -------------------------------------------------------- */

START_TEST(serial_talks_and_restores)
{
    struct at_posix_serial port;
    struct termios before, during, after;

    open_pty();
    ck_assert_int_eq(tcgetattr(pty.slave, &before), 0);
    before.c_lflag |= ICANON;
    before.c_iflag |= ICRNL;
    ck_assert_int_eq(tcsetattr(pty.slave, TCSANOW, &before), 0);
    ck_assert_msg(at_posix_serial_open(&port, link_path, 115200, &why) == 0, "%s", why.text);
    ck_assert_int_eq(tcgetattr(pty.slave, &during), 0);
    ck_assert_int_eq(during.c_lflag & (tcflag_t)ICANON, 0);
    ck_assert(cfgetospeed(&during) == B115200);
    put(port.fd, "AT\r");
    expect(pty.fd, "AT\r");
    put(pty.fd, "OK\r\n");
    expect(port.fd, "OK\r\n");
    at_posix_serial_close(&port);
    ck_assert_int_eq(port.fd, -1);
    at_posix_serial_close(&port);
    ck_assert_int_eq(tcgetattr(pty.slave, &after), 0);
    ck_assert_int_eq(after.c_lflag & (tcflag_t)ICANON, ICANON);
    ck_assert_int_eq(after.c_iflag & (tcflag_t)ICRNL, ICRNL);
}
END_TEST

START_TEST(serial_is_locked)
{
    struct at_posix_serial first, second;

    open_pty();
    ck_assert_int_eq(at_posix_serial_open(&first, link_path, 9600, &why), 0);
    ck_assert_int_eq(at_posix_serial_open(&second, link_path, 9600, &why), -EBUSY);
    ck_assert_ptr_nonnull(strstr(why.text, "busy"));
    ck_assert_ptr_nonnull(strstr(why.text, "fuser"));
    at_posix_serial_close(&first);
    ck_assert_int_eq(at_posix_serial_open(&second, link_path, 9600, &why), 0);
    at_posix_serial_close(&second);
}
END_TEST

START_TEST(serial_says_what_is_wrong)
{
    struct at_posix_serial port;

    ck_assert_int_eq(at_posix_serial_open(&port, "/dev/no-such-port", 9600, &why), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why.text, "no such port"));
    ck_assert_int_eq(at_posix_serial_open(&port, "192.0.2.1", 9600, &why), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why.text, "needs its :PORT"));
    ck_assert_int_eq(at_posix_serial_open(&port, "", 9600, &why), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why.text, "is empty"));
    ck_assert_int_eq(at_posix_serial_open(&port, "/", 9600, &why), -EISDIR);
    ck_assert_ptr_nonnull(strstr(why.text, "a directory"));
    ck_assert_int_eq(at_posix_serial_open(&port, "/dev/null", 9600, &why), -ENOTTY);
    ck_assert_ptr_nonnull(strstr(why.text, "not a serial port"));
    ck_assert_int_eq(at_posix_serial_open(&port, "/dev/null", 12345, &why), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why.text, "12345 baud"));
    ck_assert_int_eq(at_posix_serial_open(&port, "/dev/null", 9600, NULL), -ENOTTY);
    ck_assert_int_eq(port.fd, -1);
}
END_TEST

START_TEST(serial_says_who_may_use_it)
{
    struct at_posix_serial port;

    open_pty();
    ck_assert_int_eq(chmod(pty.name, 0), 0);
    uid_t user = geteuid();
    if (user == 0 && seteuid(65534) != 0) {
        printf("skipped: serial_says_who_may_use_it, for root may use every port\n");
        return;
    }
    /* The link's folder is closed to others, so the port itself is named. */
    int result = at_posix_serial_open(&port, pty.name, 9600, &why);
    ck_assert_int_eq(seteuid(user), 0);
    ck_assert_int_eq(result, -EACCES);
    ck_assert_ptr_nonnull(strstr(why.text, "dialout"));
}
END_TEST

/* ---- TCP ----------------------------------------------------------------- */

static int dial(uint16_t port)
{
    char address[32];

    (void)snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    return at_posix_tcp_connect(address, 2000, &why);
}

START_TEST(tcp_has_one_client_at_a_time)
{
    uint16_t port = 0;
    char byte;
    int listener = at_posix_tcp_listen(&port, &why);

    ck_assert_int_ge(listener, 0);
    ck_assert_uint_ne(port, 0);
    ck_assert_int_eq(at_posix_tcp_accept(listener, false), -EAGAIN);
    int client = dial(port);
    ck_assert_msg(client >= 0, "%s", why.text);
    ck_assert(readable(listener));
    int server = at_posix_tcp_accept(listener, false);
    ck_assert_int_ge(server, 0);
    put(client, "AT\r");
    expect(server, "AT\r");
    put(server, "OK\r\n");
    expect(client, "OK\r\n");

    int other = dial(port);
    ck_assert_int_ge(other, 0);
    ck_assert(readable(listener));
    ck_assert_int_eq(at_posix_tcp_accept(listener, true), -EAGAIN);
    ck_assert(readable(other));
    ck_assert_int_le(read(other, &byte, 1), 0);

    put(server, "still here");
    expect(client, "still here");
    uint16_t same = port;
    ck_assert_int_eq(at_posix_tcp_listen(&same, &why), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(why.text, "in use"));
    (void)close(other);
    (void)close(server);
    (void)close(client);
    (void)close(listener);
    ck_assert_int_eq(dial(port), -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(why.text, "refused"));
}
END_TEST

START_TEST(tcp_address_is_checked)
{
    static const char *const bad[] = {
        "", ":", "host", "host:", ":80", "host:0", "host:65536", "host:80x", "host:-1",
        "::1:80", "[]:80", "[::1:80", "[::1]80", "host:+80",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(at_posix_tcp_connect(bad[i], 100, &why) == -EINVAL, "'%s'", bad[i]);
    ck_assert_ptr_nonnull(strstr(why.text, "HOST:PORT"));
}
END_TEST

/* ---- bytes and time ------------------------------------------------------ */

START_TEST(write_all_is_bounded)
{
    int ends[2];
    static char much[1 << 20];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(at_posix_set_nonblocking(ends[1]), 0);
    ck_assert_int_eq(at_posix_write_all(ends[1], much, sizeof much, 20), -ETIMEDOUT);
    (void)close(ends[0]);
    ck_assert_int_eq(at_posix_write_all(ends[1], much, 1, 20), -EPIPE);
    (void)close(ends[1]);
    ck_assert_int_eq(at_posix_set_nonblocking(ends[1]), -EBADF);
}
END_TEST

START_TEST(clock_goes_forward)
{
    uint32_t before = at_posix_now_ms();

    (void)poll(NULL, 0, 5);
    ck_assert_uint_ge(at_posix_now_ms() - before, 4);
}
END_TEST

/* ---- the pacer ----------------------------------------------------------- */

#define MS 1000u

START_TEST(pacer_starts_with_nothing)
{
    struct at_posix_pacer pacer;

    at_posix_pacer_init(&pacer, 9600, 1000 * MS);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 1000 * MS), 0);
    /* 960 byte/s: 1.04 ms a byte. */
    ck_assert_int_eq(at_posix_pacer_wait_ms(&pacer, 1000 * MS), 2);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 1001 * MS), 0);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 1002 * MS), 1);
    ck_assert_int_eq(at_posix_pacer_wait_ms(&pacer, 1002 * MS), 0);
    at_posix_pacer_spend(&pacer, 1);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 1002 * MS), 0);
}
END_TEST

START_TEST(pacer_keeps_its_rate)
{
    static const uint32_t bauds[] = { 300, 4800, 9600, 57600, 115200, 921600, 3000000 };

    for (size_t i = 0; i < sizeof bauds / sizeof bauds[0]; i++) {
        struct at_posix_pacer pacer;
        /* The clock wraps on the way, and is looked at unevenly. */
        uint32_t now = UINT32_MAX - 5000 * MS, start = now, step = 0;
        uint64_t bytes = 0;
        at_posix_pacer_init(&pacer, bauds[i], now);
        while (now - start < 10000 * MS) {
            size_t n = at_posix_pacer_allowed(&pacer, now);
            bytes += n;
            at_posix_pacer_spend(&pacer, n);
            ck_assert_uint_le(bytes, (uint64_t)(now - start) * bauds[i] / (10000u * MS));
            step = (step + 1) % AT_POSIX_PACER_BURST;
            now += MS + step * MS / 2;
        }
        uint64_t exact = (uint64_t)(now - start) * bauds[i] / (10000u * MS);
        ck_assert_uint_ge(bytes + bauds[i] * 12u / 10000u + 1, exact);
    }
}
END_TEST

START_TEST(pacer_saves_up_little)
{
    struct at_posix_pacer pacer;

    at_posix_pacer_init(&pacer, 115200, 0);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 3600u * 1000u * MS), 231);
    at_posix_pacer_spend(&pacer, 1000);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 3600u * 1000u * MS), 0);
    at_posix_pacer_init(&pacer, 300, 0);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 3600u * 1000u * MS), 1);
}
END_TEST

START_TEST(pacer_earns_nothing_while_idle)
{
    struct at_posix_pacer pacer;

    at_posix_pacer_init(&pacer, 115200, 0);
    at_posix_pacer_idle(&pacer, 500 * MS);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 500 * MS), 0);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 501 * MS), 11);
    /* What was earned by being late isn't taken back. */
    at_posix_pacer_spend(&pacer, 4);
    at_posix_pacer_idle(&pacer, 900 * MS);
    ck_assert_uint_eq(at_posix_pacer_allowed(&pacer, 900 * MS), 7);
}
END_TEST

START_TEST(pacer_waits_just_long_enough)
{
    struct at_posix_pacer pacer;
    uint32_t now = 0;

    at_posix_pacer_init(&pacer, 4800, now);
    for (int i = 0; i < 1000; i++) {
        int wait = at_posix_pacer_wait_ms(&pacer, now);
        ck_assert_int_le(wait, 3);
        now += (uint32_t)wait * MS;
        size_t n = at_posix_pacer_allowed(&pacer, now);
        ck_assert_uint_eq(n, 1);
        at_posix_pacer_spend(&pacer, n);
    }
    ck_assert_uint_eq(now, 2084 * MS);
}
END_TEST

START_TEST(pacer_without_rate)
{
    struct at_posix_pacer pacer;

    at_posix_pacer_init(&pacer, 0, 0);
    ck_assert(at_posix_pacer_allowed(&pacer, 0) == SIZE_MAX);
    at_posix_pacer_spend(&pacer, 12345);
    ck_assert_int_eq(at_posix_pacer_wait_ms(&pacer, 0), 0);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 10);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("posix");
    TCase *tests = add_case(suite, "pty");

    tcase_add_test(tests, pty_is_raw);
    tcase_add_test(tests, pty_lives_on_when_the_slave_is_closed);
    tcase_add_test(tests, pty_keeps_the_last_words_of_a_user);
    tcase_add_test(tests, pty_forgets_what_nobody_reads);
    tcase_add_test(tests, pty_is_made_good_again_after_a_user);
    tcase_add_test(tests, pty_link_comes_and_goes);
    tcase_add_test(tests, pty_link_left_behind_is_replaced);
    tcase_add_test(tests, pty_link_of_another_is_left_alone);
    tcase_add_test(tests, pty_without_link);

    tests = add_case(suite, "serial");
    tcase_add_test(tests, serial_talks_and_restores);
    tcase_add_test(tests, serial_is_locked);
    tcase_add_test(tests, serial_says_what_is_wrong);
    tcase_add_test(tests, serial_says_who_may_use_it);

    tests = add_case(suite, "tcp");
    tcase_add_test(tests, tcp_has_one_client_at_a_time);
    tcase_add_test(tests, tcp_address_is_checked);

    tests = add_case(suite, "bytes and time");
    tcase_add_test(tests, write_all_is_bounded);
    tcase_add_test(tests, clock_goes_forward);

    tests = add_case(suite, "pacer");
    tcase_add_test(tests, pacer_starts_with_nothing);
    tcase_add_test(tests, pacer_keeps_its_rate);
    tcase_add_test(tests, pacer_saves_up_little);
    tcase_add_test(tests, pacer_earns_nothing_while_idle);
    tcase_add_test(tests, pacer_waits_just_long_enough);
    tcase_add_test(tests, pacer_without_rate);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

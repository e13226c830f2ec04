/* Signals that ask a program to end, as input of its loop. */
#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int ends[2] = { -1, -1 };

static void on_signal(int number)
{
    int before = errno;
    unsigned char byte = (unsigned char)number;

    if (write(ends[1], &byte, 1) < 0) {
        /* It's full, so the loop will wake up anyway. */
    }
    errno = before;
}

static void catch_them(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)sigaction(numbers[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

int at_posix_signals_fd(void)
{
    if (ends[0] >= 0)
        return ends[0];
    if (pipe(ends) != 0) {
        ends[0] = ends[1] = -1;
        return -errno;
    }
    for (int i = 0; i < 2; i++) {
        (void)at_posix_set_nonblocking(ends[i]);
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    }
    catch_them();
    return ends[0];
}

int at_posix_signals_watched(void)
{
    return ends[0];
}

int at_posix_signals_take(void)
{
    unsigned char byte;

    return read(ends[0], &byte, 1) == 1 ? byte : 0;
}

/* A pty that plays a serial port. */
#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE 1

#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_raw(int fd)
{
    struct termios tty;

    if (tcgetattr(fd, &tty) < 0)
        return errno;
    at_posix_make_raw(&tty);
    return tcsetattr(fd, TCSANOW, &tty) < 0 ? errno : 0;
}

/* The master, and a slave of our own: while one slave is open the master
 * sees no hang-up, so users may come and go. */
static int open_pair(struct at_posix_pty *pty)
{
    pty->fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (pty->fd < 0 || grantpt(pty->fd) < 0 || unlockpt(pty->fd) < 0)
        return errno;
    const char *name = ptsname(pty->fd);
    if (name == NULL)
        return errno;
    if (strlen(name) >= sizeof pty->name)
        return ENAMETOOLONG;
    strcpy(pty->name, name);
    pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->slave < 0 || fcntl(pty->fd, F_SETFD, FD_CLOEXEC) < 0)
        return errno;
    int err = -at_posix_set_nonblocking(pty->fd);
    return err != 0 ? err : make_raw(pty->slave);
}

/* Whether the link leads to this pty. */
static bool ours(const struct at_posix_pty *pty, const char *link)
{
    char target[sizeof pty->name];
    ssize_t n = readlink(link, target, sizeof target);

    return n > 0 && (size_t)n == strlen(pty->name) &&
           memcmp(target, pty->name, (size_t)n) == 0;
}

/* Whether it's a link that leads nowhere any more. */
static bool dangling(const char *link)
{
    struct stat info;

    return lstat(link, &info) == 0 && S_ISLNK(info.st_mode) &&
           stat(link, &info) < 0 && errno == ENOENT;
}

static int make_link(struct at_posix_pty *pty, const char *link)
{
    if (strlen(link) >= sizeof pty->link)
        return ENAMETOOLONG;
    /* Pty numbers are used again, so a left-over may even lead here. */
    if ((ours(pty, link) || dangling(link)) && unlink(link) < 0)
        return errno;
    if (symlink(pty->name, link) < 0)
        return errno;
    strcpy(pty->link, link);
    return 0;
}

static void explain_link(struct at_posix_why *why, const char *link, int err)
{
    switch (err) {
    case EEXIST:
        at_posix_say(why, "%s: exists already; if nothing uses it remove it (rm %s), or "
                     "choose another name", link, link);
        break;
    case ENOENT:
    case ENOTDIR:
        at_posix_say(why, "%s: no such folder for the link; make it, or choose another", link);
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        at_posix_say(why, "%s: the link can't be written there; choose a folder of your own, "
                     "such as /tmp", link);
        break;
    default:
        at_posix_say(why, "%s: %s; choose another name for the link", link, strerror(err));
        break;
    }
}

int at_posix_pty_open(struct at_posix_pty *pty, const char *link, struct at_posix_why *why)
{
    memset(pty, 0, sizeof *pty);
    pty->fd = pty->slave = -1;
    int err = open_pair(pty);
    if (err != 0) {
        at_posix_say(why, "no pty to be had: %s; is /dev/pts mounted, and "
                     "/proc/sys/kernel/pty/max high enough?", strerror(err));
    } else if (link != NULL && (err = make_link(pty, link)) != 0) {
        explain_link(why, link, err);
    }
    if (err != 0) {
        at_posix_pty_close(pty);
        return -err;
    }
    return 0;
}

/* Whether the tty is locked by TIOCEXCL. */
static bool exclusive(int slave)
{
#ifdef TIOCGEXCL
    int set = 0;

    return ioctl(slave, TIOCGEXCL, &set) == 0 && set != 0;
#else
    (void)slave;
    return false;
#endif
}

/* Closes our own slave for a moment: does the master hang up? */
static bool hangs_up_without_us(struct at_posix_pty *pty)
{
    struct pollfd master = { .fd = pty->fd, .events = 0 };
    bool locked = pty->slave >= 0 && exclusive(pty->slave);

    if (pty->slave >= 0) {
        /* A user's lock would keep us out too. */
        if (locked)
            (void)ioctl(pty->slave, TIOCNXCL);
        (void)close(pty->slave);
    }
    (void)poll(&master, 1, 0);
    bool hangs_up = (master.revents & POLLHUP) != 0;
    pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (locked && !hangs_up)
        (void)ioctl(pty->slave, TIOCEXCL);
    return hangs_up;
}

bool at_posix_pty_listened(struct at_posix_pty *pty)
{
    if (!hangs_up_without_us(pty))
        return true;
    (void)tcflush(pty->slave, TCIFLUSH);
    (void)make_raw(pty->slave);
    return false;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void at_posix_pty_close(struct at_posix_pty *pty)
{
    if (pty->link[0] != '\0' && ours(pty, pty->link))
        (void)unlink(pty->link);
    pty->link[0] = '\0';
    close_one(&pty->slave);
    close_one(&pty->fd);
}

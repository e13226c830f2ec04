/* Serial ports. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1

#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct rate {
    uint32_t baud;
    speed_t speed;
} rates[] = {
    { 300, B300 },       { 600, B600 },       { 1200, B1200 },
    { 2400, B2400 },     { 4800, B4800 },     { 9600, B9600 },
    { 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },
    { 115200, B115200 }, { 230400, B230400 },
#ifdef B460800
    { 460800, B460800 },
#endif
#ifdef B921600
    { 921600, B921600 },
#endif
#ifdef B1000000
    { 1000000, B1000000 },
#endif
#ifdef B3000000
    { 3000000, B3000000 },
#endif
};

static const struct rate *find_rate(uint32_t baud)
{
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (rates[i].baud == baud)
            return &rates[i];
    return NULL;
}

/* What has no slash may have been meant as an address. */
static void explain_missing(struct at_posix_why *why, const char *path)
{
    if (*path == '\0')
        at_posix_say(why, "the port's name is empty; name a tty such as /dev/ttyUSB0, "
                     "or HOST:PORT");
    else if (strchr(path, '/') == NULL)
        at_posix_say(why, "%s: no such port; a serial port is a path such as /dev/ttyUSB0, "
                     "and an address needs its :PORT", path);
    else
        at_posix_say(why, "%s: no such port; see which there are with: ls /dev/tty*", path);
}

static void explain(struct at_posix_why *why, const char *path, int err)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        explain_missing(why, path);
        break;
    case EISDIR:
        at_posix_say(why, "%s: a directory; name a tty such as /dev/ttyUSB0, or HOST:PORT",
                     path);
        break;
    case EACCES:
    case EPERM:
        at_posix_say(why, "%s: permission denied; join the group that may use serial ports "
                     "(sudo usermod -aG dialout $USER) and log in again", path);
        break;
    case EBUSY:
        at_posix_say(why, "%s: busy, another program uses it; find it with: fuser -v %s, "
                     "and end it", path, path);
        break;
    case ENOTTY:
        at_posix_say(why, "%s: not a serial port; name a tty such as /dev/ttyUSB0, "
                     "or HOST:PORT", path);
        break;
    default:
        at_posix_say(why, "%s: %s; unplug the port and plug it in again, or try another",
                     path, strerror(err));
        break;
    }
}

void at_posix_make_raw(struct termios *tty)
{
    cfmakeraw(tty);
    tty->c_iflag &= (tcflag_t)~(IXOFF | IXANY | INPCK);
    tty->c_cflag &= (tcflag_t)~(CSTOPB | CRTSCTS | HUPCL);
    tty->c_cflag |= CLOCAL | CREAD;
    tty->c_cc[VMIN] = 1;
    tty->c_cc[VTIME] = 0;
}

/* Keeps others out. flock is what terminal programs agree on; TIOCEXCL
 * stops those that don't ask. */
static int lock(int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? EBUSY : errno;
    if (ioctl(fd, TIOCEXCL) < 0)
        return errno;
    return 0;
}

static int set_up(struct at_posix_serial *port, speed_t speed)
{
    struct termios raw;

    if (!isatty(port->fd))
        return ENOTTY;
    int err = lock(port->fd);
    if (err != 0)
        return err;
    if (tcgetattr(port->fd, &port->saved) == 0) {
        raw = port->saved;
        at_posix_make_raw(&raw);
        if (cfsetispeed(&raw, speed) == 0 && cfsetospeed(&raw, speed) == 0 &&
            tcsetattr(port->fd, TCSANOW, &raw) == 0)
            return 0;
    }
    err = errno;
    (void)ioctl(port->fd, TIOCNXCL);
    return err;
}

int at_posix_serial_open(struct at_posix_serial *port, const char *path,
                         uint32_t baud, struct at_posix_why *why)
{
    const struct rate *rate = find_rate(baud);

    memset(port, 0, sizeof *port);
    port->fd = -1;
    if (rate == NULL) {
        at_posix_say(why, "%s: %lu baud isn't supported; use 9600, 115200 or another "
                     "usual rate", path, (unsigned long)baud);
        return -EINVAL;
    }
    /* Without O_NONBLOCK the open would wait for a modem's carrier. */
    port->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int err = port->fd < 0 ? errno : set_up(port, rate->speed);
    if (err == 0)
        return 0;
    if (port->fd >= 0)
        (void)close(port->fd);
    port->fd = -1;
    explain(why, path, err);
    return -err;
}

void at_posix_serial_close(struct at_posix_serial *port)
{
    if (port->fd < 0)
        return;
    (void)tcsetattr(port->fd, TCSADRAIN, &port->saved);
    (void)ioctl(port->fd, TIOCNXCL);
    (void)flock(port->fd, LOCK_UN);
    (void)close(port->fd);
    port->fd = -1;
}

/*
 * What a program on a POSIX machine needs to reach a serial module, or to
 * be one: ports, ptys, TCP, a clock, and the pace of a UART.
 *
 * Nothing here knows what the bytes mean. Descriptors that are handed out
 * are non-blocking and closed on exec. Functions that can fail return a
 * negative errno, and where they take a `why` (which may be NULL) they put
 * a sentence there that names the thing, what is wrong with it and what to
 * do next.
 */
#ifndef AT_POSIX_H
#define AT_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why something failed, ready to be printed; no newline at the end. */
struct at_posix_why {
    char text[384];
};

/* ---- serial ports ------------------------------------------------------ */

/** An open serial port, or the far side of somebody's pty. */
struct at_posix_serial {
    int fd;                /**< to read, write and poll; -1 when closed */
    struct termios saved;  /**< how the tty was found */
};

/**
 * Opens the tty `path`: raw, 8N1, no flow control, `baud` bit/s, locked
 * against others (flock and TIOCEXCL). Input that waits there is kept.
 * Returns 0 or a negative errno: -ENOENT no such port, -EACCES no
 * permission, -EBUSY used by another program, -ENOTTY not a tty, -EINVAL
 * a rate that the machine doesn't know.
 */
int at_posix_serial_open(struct at_posix_serial *port, const char *path,
                         uint32_t baud, struct at_posix_why *why);

/** Gives the tty back as it was found, unlocks and closes it. */
void at_posix_serial_close(struct at_posix_serial *port);

/* ---- ptys -------------------------------------------------------------- */

/** The master side of a pty that plays a serial port. */
struct at_posix_pty {
    int fd;          /**< to read, write and poll; -1 when closed */
    int slave;       /**< held open, so that the master never hangs up */
    char name[64];   /**< the slave's own path, such as /dev/pts/3 */
    char link[512];  /**< the symlink to it; empty if there is none */
};

/**
 * Opens a pty in raw mode and makes `link` (may be NULL) a symlink to its
 * slave. A link left behind by a program that died is replaced; anything
 * else that has this name is left alone and gives -EEXIST. The slave may
 * be closed and opened again at will. Returns 0 or a negative errno.
 */
int at_posix_pty_open(struct at_posix_pty *pty, const char *link,
                      struct at_posix_why *why);

/**
 * Whether anybody has the slave open. Ask before writing, for on a UART
 * what nobody listens to is lost, while a pty would keep it for the next
 * user; and ask once a second or so, for when the last user has left what
 * wasn't read is dropped and the tty made raw and free for all again.
 */
bool at_posix_pty_listened(struct at_posix_pty *pty);

/** Closes the pty and removes the link, if it is still ours. */
void at_posix_pty_close(struct at_posix_pty *pty);

/* ---- TCP in place of a serial line ------------------------------------- */

/**
 * Listens on 127.0.0.1. `*port` 0 takes any free port and is set to it.
 * Returns the descriptor, to be polled for input, or a negative errno.
 */
int at_posix_tcp_listen(uint16_t *port, struct at_posix_why *why);

/**
 * Takes the next client. A line has one user: while `busy` a newcomer is
 * turned away at once instead of being left to wait. Returns the client's
 * descriptor, or -EAGAIN when there is none (or it was turned away).
 */
int at_posix_tcp_accept(int listener, bool busy);

/**
 * Connects to "HOST:PORT", or "[IPv6]:PORT", waiting `timeout_ms` at most; -EINTR
 * when one of the signals of at_posix_signals_fd came.
 * Returns the descriptor or a negative errno.
 */
int at_posix_tcp_connect(const char *address, uint32_t timeout_ms,
                         struct at_posix_why *why);

/* ---- bytes and time ---------------------------------------------------- */

/** Makes a descriptor non-blocking. Returns 0 or a negative errno. */
int at_posix_set_nonblocking(int fd);

/** Milliseconds of the monotonic clock; wraps after 49 days. */
uint32_t at_posix_now_ms(void);

/** Its microseconds; wraps after 71 minutes. */
uint32_t at_posix_now_us(void);

/**
 * Writes all `len` bytes, waiting until the other side takes them; raises
 * no SIGPIPE on sockets. Returns 0, -ETIMEDOUT when `timeout_ms` have
 * passed (a part may have been written), or another negative errno.
 */
int at_posix_write_all(int fd, const void *data, size_t len,
                       uint32_t timeout_ms);

/* ---- being asked to end ------------------------------------------------- */

/**
 * From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT only make the returned
 * descriptor readable, and SIGPIPE does nothing. There is one descriptor; further calls
 * return the same. Returns it, or a negative errno.
 */
int at_posix_signals_fd(void);

/** Takes one signal off: its number, or 0 when none came. */
int at_posix_signals_take(void);

/* ---- the pace of a UART ------------------------------------------------ */

/**
 * How fast bytes may pass in one direction, ten bits a byte. Use one for
 * each direction. It saves up no more than AT_POSIX_PACER_BURST milliseconds
 * and one byte, which evens out how late a poll() may return.
 */
struct at_posix_pacer {
    uint32_t baud;    /**< bit/s; 0 = as fast as can be */
    uint32_t then;    /**< when credit was last counted, us */
    uint64_t credit;  /**< in 1/10000000 byte */
};

/** Time a pacer gives credit for, in ms. */
#define AT_POSIX_PACER_BURST 20u

/** Starts a pacer, with no credit. `now` is in microseconds, of any clock. */
void at_posix_pacer_init(struct at_posix_pacer *pacer, uint32_t baud,
                         uint32_t now);

/** How many bytes may pass now; SIZE_MAX when nothing is paced. */
size_t at_posix_pacer_allowed(struct at_posix_pacer *pacer, uint32_t now);

/** Says that `count` bytes (at most what was allowed) have passed. */
void at_posix_pacer_spend(struct at_posix_pacer *pacer, size_t count);

/**
 * Says that nothing has waited to pass since the last call: a line that is idle
 * carries nothing, so that time earns nothing. Call it before what then came passes.
 */
void at_posix_pacer_idle(struct at_posix_pacer *pacer, uint32_t now);

/** Milliseconds until one more byte may pass; 0 = now. For poll(). */
int at_posix_pacer_wait_ms(struct at_posix_pacer *pacer, uint32_t now);

#ifdef __cplusplus
}
#endif
#endif

/**
 * @file port.h
 * The port that --port names: a serial port or HOST:PORT, what --trace shows of
 * it, and the callbacks that a client needs.
 */
#ifndef AT_PORT_H
#define AT_PORT_H

#include "at_posix.h"
#include "trace.h"

/** Sees the bytes of both directions as they pass. */
struct port_observer {
    void *ctx;
    void (*sent)(void *ctx, const uint8_t *data, size_t n);
    void (*received)(void *ctx, const uint8_t *data, size_t n);
};

struct port {
    const struct tool *tool;
    int fd;                        /**< to poll; -1 when it's closed or lost */
    struct at_posix_serial serial; /**< its fd is -1 when it's TCP */
    struct at_posix_why why;       /**< why it couldn't be opened, or was lost; or empty */
    struct trace *trace;           /**< of --trace; may be NULL */
    const struct port_observer *observer; /**< may be NULL */
    uint64_t sent, received;       /**< bytes that passed */
    int signal;                    /**< that came while port_read waited, or 0 */
};

/**
 * Opens what the tool's options name. SIGINT, SIGTERM, SIGHUP and SIGQUIT end this
 * (-EINTR) and port_read from now on. May be called again after port_close, or once the port was lost.
 * @return 0, or a negative errno (see why)
 */
int port_open(struct port *port, const struct tool *tool);

/** Gives the port back as it was found. */
void port_close(struct port *port);

/* For struct at_client_config, with the port as ctx. A port that's unplugged or
 * dropped gives -1 and a reason in `why`; a signal gives -1 and its number. */
int port_write(void *port, const uint8_t *data, size_t n);
int port_read(void *port, uint8_t *data, size_t n, uint32_t wait_ms);
uint32_t port_now(void *port);

/** As port_read, for loops that poll `fd` themselves: it doesn't wait, and takes no signal. */
int port_take(struct port *port, uint8_t *data, size_t n);

/** Why it couldn't be opened. @return TOOL_USAGE after a message, or 128 + the signal */
int port_refused(const struct port *port);

/** Print why the port is no good. @return TOOL_NO */
int port_complain(const struct port *port);

#endif

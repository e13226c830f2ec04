/*
 * The virtual BC26: command bytes in, the module's bytes out, and real
 * sockets behind it.
 *
 * It has no loop and never blocks. Its owner hands in what the host sends
 * (virtual_input), takes what the module says (virtual_output), and polls
 * for the network as net.h describes. Command lines are answered within
 * virtual_input; whatever follows later (results, SEND OK, URCs) is raised
 * by virtual_dispatch.
 *
 * Where the manual is silent, this module does the following.
 *
 * Lines. What stands before "AT" is discarded and not echoed. A backspace
 * takes the last character back. A line of more than 1536 bytes, and one
 * with more than one command, is refused. Refused commands answer ERROR,
 * with AT+CMEE=1 or 2 +CME ERROR with the code of chapter 3 (commands that
 * aren't of that manual: of 27.007). An argument that the manual calls
 * legal but not supported at present gives 555, any other wrong one 552.
 *
 * Order. Answers are never interrupted: results and URCs wait while a
 * command line is being typed (from its "AT" on), in data mode, and while
 * more than 16 KB wait for the host. They are put into words when they
 * leave, so they obey the settings that hold then. No more than one recv,
 * buff full and closed waits for each socket, and one result for each
 * command.
 *
 * Opening. Without <access_mode> the connection's stored one holds. The id
 * is in use until CLOSE OK, which comes 50 ms after QICLOSE's OK. Closing
 * an id that isn't in use also gives OK and CLOSE OK, as drivers do that
 * before they open; during the 50 ms, ERROR (568). QICLOSE discards what
 * wasn't read and URCs that wait; while the socket is still being opened
 * it takes the place of the +QIOPEN result. States: 0 the opening failed,
 * 1 and 2 as the manual has them, 3 closed by the host, or by the other
 * side and told; 4 closed by the other side and not told yet.
 *
 * Sending. One send at a time for the whole module, as SEND OK carries no
 * id; another gives ERROR (568). A socket that isn't connected gives ERROR
 * (567); if it was lost since, OK and SEND FAIL. Data that are too long,
 * empty, or not hexadecimal give ERROR (552), Esc gives ERROR (571): then
 * nothing was sent, and no SEND OK or SEND FAIL follows. Inline text with a
 * semicolon is refused, as the manual says. SEND OK waits up to 30 s for
 * room in the stack. An LF after the CR of the command that asked for data
 * is the first of the data only if the prompt was taken before it came.
 *
 * Receiving. All sockets share 20 nodes, each of which holds what came at
 * once: a datagram, or at most 1460 bytes of a stream. `recv` and `buff
 * full` come once until QIRD answers 0. TCP stops reading as the last node
 * is taken, which is also when `buff full` comes; UDP datagrams that find
 * no node are dropped, which gives `buff full` if nothing did before. A
 * length in the recv URC is that of the oldest node. Data in push mode wait
 * in nodes too; with QISWTMD what is in the buffer is pushed at once, what
 * waits to be pushed becomes readable.
 *
 * Services. QIDNSCFG asked before it was told answers only OK. QIDNSGIP
 * lists IPv4 addresses first. A QPING without any reply ends with the short
 * summary 0,<sent>,0,<lost>; one that can't take place is a single 565 or,
 * whatever else it is (say a machine that allows no ping), 561. Each counts
 * for QIGETERROR when it's told, 569 for a ping without replies.
 *
 * Firmware. What the spec says that a firmware lacks is refused as what no
 * manual has, and a test command answers what that firmware does.
 *
 * Storing. All settings but echomode outlive virtual_reset, and with a
 * state file the program. QISWTMD may set the mode of an unopened id.
 */
#ifndef BC26_VIRTUAL_H
#define BC26_VIRTUAL_H

#include "net.h"

#include "../posix/at_posix.h"

#ifdef __cplusplus
extern "C" {
#endif

enum virtual_bounds {
    VIRTUAL_NODES = 20,         /**< of the receive buffer, all sockets together */
    VIRTUAL_LINE_MAX = 1536,    /**< longest command line */
    VIRTUAL_OUT_HIGH = 16384,   /**< output waiting above which no input is taken */
    VIRTUAL_CLOSE_MS = 50,      /**< from OK to CLOSE OK */
    VIRTUAL_SEND_MS = 30000     /**< longest time from OK to SEND OK or SEND FAIL */
};

struct virtual_config {
    const char *state_file;     /**< where settings are kept; NULL: nowhere. Must live as long. */
    /** A firmware such as BC26NBR01A06, or a revision of the manual, which tells no firmware;
     *  the module has what the spec says of it. NULL: everything. Must live as long. */
    const char *firmware;
    /** Optional: a message for people, such as a state file that can't be written. */
    void (*say)(void *ctx, const char *text);
    /** Optional: a clock in ms in place of the monotonic one. */
    uint32_t (*now_ms)(void *ctx);
    /** Optional: a command line, without its CR, that is about to be carried out. */
    void (*command)(void *ctx, const uint8_t *line, size_t len);
    void *ctx;                  /**< passed to the callbacks */
};

/** What a stretch of the output is. */
enum virtual_part {
    VIRTUAL_NOISE,              /**< of a start: see VIRTUAL_BANNER */
    VIRTUAL_ECHO,               /**< of command lines and of data */
    VIRTUAL_ANSWER,             /**< a line before the final result code, or what stands around
                                     its payload */
    VIRTUAL_PROMPT,
    VIRTUAL_FINAL,
    VIRTUAL_LATER,              /**< a block of what follows or comes unasked; as ANSWER */
    VIRTUAL_PAYLOAD
};

struct virtual_module;

/**
 * Switches a module on, silently. A state file that isn't there yet is
 * made with the first setting.
 * @param config  NULL: the defaults
 * @param why     filled on failure; may be NULL
 * @return NULL when there's no memory or the state file can't be read, or be written
 */
struct virtual_module *virtual_new(const struct virtual_config *config,
                                   struct at_posix_why *why);

/** Switches it off. NULL is allowed. */
void virtual_free(struct virtual_module *vm);

/**
 * A reboot: everything under way is gone, what wasn't taken of the output
 * too; settings are those of the store. Noise and the boot loader's banner
 * come out, VIRTUAL_BANNER. Not to be called from a callback.
 */
void virtual_reset(struct virtual_module *vm);

/** What virtual_reset says: no RDY, which only the module's kin print. */
#define VIRTUAL_BANNER "\xff\xf0\x80\n\rF1: 0000 0000\n\rLeaving the BROM\n\r"

/** Its network, for routes and hosts, and to see what a socket is doing. */
struct net *virtual_net(struct virtual_module *vm);

/** Hands in bytes from the host. Returns how many were taken: fewer only
 *  while too much output waits; the rest is to be offered again. */
size_t virtual_input(struct virtual_module *vm, const void *bytes, size_t len);

/** Takes at most `max` bytes of output; returns how many. */
size_t virtual_output(struct virtual_module *vm, void *bytes, size_t max);

/** How many bytes of output there are to take. */
size_t virtual_waiting(const struct virtual_module *vm);

/** How many of them are one stretch, and what it is; 0 when there are none. Stretches are
 *  whole, but for an echo. */
size_t virtual_next(const struct virtual_module *vm, enum virtual_part *part);

/** As net_pollfds; NET_POLLFDS_MAX are enough. */
size_t virtual_pollfds(struct virtual_module *vm, struct pollfd *fds, size_t max);

/** How long poll() may wait, in ms; -1 = for ever. */
int virtual_timeout_ms(struct virtual_module *vm);

/** Does what can be done now; as net_dispatch. */
void virtual_dispatch(struct virtual_module *vm, const struct pollfd *fds, size_t count);

/** Whether input is data for QISEND rather than commands. */
bool virtual_in_data_mode(const struct virtual_module *vm);

/** Whether every command has had its last result, and all output was taken:
 *  when a person would type the next line. */
bool virtual_ready(const struct virtual_module *vm);

/** virtual_ready, and nothing under way in the network either, such as
 *  data still to be sent. Open sockets are no work. */
bool virtual_idle(const struct virtual_module *vm);

/** The program `bc26 sim` around it: sim.c. Returns the exit status. */
int bc26_sim(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif

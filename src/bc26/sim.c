/* `bc26 sim`: the virtual module on a pty, a TCP port, or stdin and stdout. */
#include "fault_line.h"
#include "virtual.h"

#include "commands.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CR '\r'
#define LF '\n'

/* While a socket is open, how long a script waits for what may still come. */
#define QUIET_MS 100u
/* How often a pty is asked whether anybody listens. */
#define PTY_ASK_MS 1000

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char help[] =
    "usage: bc26 sim (--pty LINK | --tcp PORT | --stdio) [option ...]\n"
    "\n"
    "A virtual BC26: it takes AT commands as the module does and does over this\n"
    "machine's network what they ask for.\n"
    "\n"
    "  --pty LINK       on a pty; LINK becomes a symlink to it\n"
    "  --tcp PORT       on 127.0.0.1, one client at a time; 0 takes any free port\n"
    "  --stdio          commands on stdin, answers on stdout\n"
    "  --baud N         pace both directions as a UART of N bit/s would\n"
    "  --dns NAME=IP    NAME has this address; may be repeated\n"
    "  --route HOST:PORT=HOST:PORT\n"
    "                   who asks for the left gets the right; * is any; may be repeated\n"
    "  --firmware NAME  have what the spec says of this firmware, such as BC26NBR01A06,\n"
    "                   or of this revision of the manual, such as V1.0\n"
    "  --state FILE     keep the settings that the module stores in FILE\n"
    "  --fault SPEC     let things go wrong: NAME=RATE,... such as lost=0.001,late=0.05;\n"
    "                   'help' lists them. What was done is told at the end\n"
    "  --seed N         of --fault, unless SPEC has one; the same does the same again (1)\n"
    "  --help           this text\n"
    "\n"
    "--pty and --tcp say on stderr where they are once they are ready, and end with\n"
    "SIGINT or SIGTERM.\n"
    "\n"
    "--stdio reads as a person would type: lines end with LF, CRLF or CR, and the\n"
    "next is read once the one before has had its last result: after SEND OK and\n"
    "CLOSE OK, the results of QIOPEN, QNTP and QIDNSGIP, the last line of QPING.\n"
    "While a socket is open it also waits until nothing has come for 100 ms, so that\n"
    "what a server answers at once comes before the next line. After a prompt, the\n"
    "bytes of stdin are the data as they stand, up to the Ctrl-Z (or Esc), or as many\n"
    "as were announced. At the end of stdin it exits once all has ended, with sockets\n"
    "open or not.\n"
    "\n"
    "Exit status: 0 done, 1 the line was lost, 2 it could not start.\n";

/* ---- options ------------------------------------------------------------- */

enum transport { NOWHERE, PTY, TCP, STDIO };

struct options {
    enum transport transport;
    const char *link;
    unsigned long port, baud, seed;
    struct fault_plan faults;
    bool lists_faults;
    const char *state, *firmware;
    const char **hosts, **routes;  /* each has room for argc */
    size_t host_count, route_count;
};

static int usage(const char *format, const char *what)
{
    (void)fputs("bc26 sim: ", stderr);
    (void)fprintf(stderr, format, what);
    (void)fputs("\nTry 'bc26 sim --help'.\n", stderr);
    return EXIT_USAGE;
}

static int choose(struct options *options, enum transport transport)
{
    if (options->transport != NOWHERE)
        return usage("%s", "only one of --pty, --tcp and --stdio is possible");
    options->transport = transport;
    return EXIT_DONE;
}

static int take_faults(struct options *options)
{
    char why[768];

    options->lists_faults |= strcmp(optarg, "help") == 0;
    if (options->lists_faults || fault_read(optarg, &options->faults, why, sizeof why))
        return EXIT_DONE;
    return usage("--fault: %s", why);
}

static int list_faults(void)
{
    (void)fputs("--fault NAME=RATE,... where a RATE of 0.01 is one chance in a hundred, and\n"
                "seed=N may stand among them. Known are\n\n",
                stdout);
    for (int i = 0; i < FAULT_KINDS; i++)
        (void)printf("  %-10s %s\n", fault_infos[i].name, fault_infos[i].doc);
    (void)printf("  %-10s the first four\n  %-10s from %s on: what some firmware does otherwise\n"
                 "  %-10s everything\n",
                 "bytes", "quirks", fault_infos[FAULT_BLANK].name, "all");
    return EXIT_DONE;
}

/* One option; EXIT_DONE, or EXIT_USAGE after a message. */
static int take_option(struct options *options, int option, const char *given)
{
    switch (option) {
    case 'p':
        options->link = optarg;
        return choose(options, PTY);
    case 't':
        if (!tool_number(optarg, 65535, &options->port))
            return usage("--tcp: '%s' is no port: 0 to 65535", optarg);
        return choose(options, TCP);
    case 'i':
        return choose(options, STDIO);
    case 'b':
        if (!tool_number(optarg, 10000000, &options->baud) || options->baud == 0)
            return usage("--baud: '%s' is no rate: 1 to 10000000 bit/s", optarg);
        return EXIT_DONE;
    case 'd':
        options->hosts[options->host_count++] = optarg;
        return EXIT_DONE;
    case 'r':
        options->routes[options->route_count++] = optarg;
        return EXIT_DONE;
    case 's':
        options->state = optarg;
        return EXIT_DONE;
    case 'f':
        options->firmware = optarg;
        return EXIT_DONE;
    case 'e':
        return tool_number(optarg, UINT32_MAX, &options->seed)
                   ? EXIT_DONE
                   : usage("--seed: '%s' is no number from 0 to 4294967295", optarg);
    case 'x':
        return take_faults(options);
    case ':':
        return usage("%s needs a value", given);
    default:
        return usage("there is no option '%s'", given);
    }
}

/* -1: all is well and the module may start; else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "pty", required_argument, NULL, 'p' },
        { "tcp", required_argument, NULL, 't' },
        { "stdio", no_argument, NULL, 'i' },
        { "baud", required_argument, NULL, 'b' },
        { "dns", required_argument, NULL, 'd' },
        { "route", required_argument, NULL, 'r' },
        { "state", required_argument, NULL, 's' },
        { "seed", required_argument, NULL, 'e' },
        { "fault", required_argument, NULL, 'x' },
        { "firmware", required_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    opterr = 0;
    optind = 1;
    for (int at = 1; (option = getopt_long(argc, argv, "+:", known, NULL)) != -1; at = optind) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        int status = take_option(options, option, argv[at]);
        if (status != EXIT_DONE)
            return status;
    }
    if (options->lists_faults)
        return list_faults();
    if (!options->faults.seeded)
        options->faults.seed = (uint32_t)options->seed;
    if (optind < argc)
        return usage("'%s' is too much", argv[optind]);
    if (options->transport == NOWHERE)
        return usage("%s", "one of --pty, --tcp and --stdio is needed");
    return -1;
}

/* ---- the simulator ------------------------------------------------------- */

struct sim {
    struct virtual_module *vm;
    struct fault_line *line;       /* all bytes to and from it go through this */
    enum transport transport;
    struct at_posix_pty pty;
    int listener;
    int in_fd, out_fd;             /* -1: nobody is there */
    struct at_posix_pacer in_pace, out_pace;
    size_t in_at, in_len;
    uint8_t in[4096];
    size_t out_len;
    uint8_t out[512];              /* taken from the module, not written yet */
    bool ended;                    /* stdin */
    bool in_line;                  /* of a script: the line, or data, have begun */
    bool after_cr;
    uint32_t last_output;
};

static void say(void *ctx, const char *text)
{
    (void)ctx;
    (void)fprintf(stderr, "bc26 sim: %s\n", text);
}

/* ---- where it is ---------------------------------------------------------- */

static bool open_port(struct sim *sim, const struct options *options, struct at_posix_why *why)
{
    uint16_t port = (uint16_t)options->port;

    sim->transport = options->transport;
    sim->listener = sim->in_fd = sim->out_fd = -1;
    sim->pty.fd = sim->pty.slave = -1;
    if (sim->transport == STDIO) {
        sim->in_fd = STDIN_FILENO;
        sim->out_fd = STDOUT_FILENO;
        return true;
    }
    if (sim->transport == PTY) {
        if (at_posix_pty_open(&sim->pty, options->link, why) != 0)
            return false;
        sim->in_fd = sim->out_fd = sim->pty.fd;
        (void)fprintf(stderr, "bc26 sim: ready on %s\n", options->link);
        return true;
    }
    sim->listener = at_posix_tcp_listen(&port, why);
    if (sim->listener < 0)
        return false;
    (void)fprintf(stderr, "bc26 sim: ready on 127.0.0.1:%u\n", port);
    return true;
}

static void close_port(struct sim *sim)
{
    if (sim->transport == PTY)
        at_posix_pty_close(&sim->pty);
    if (sim->transport == TCP && sim->in_fd >= 0)
        (void)close(sim->in_fd);
    if (sim->listener >= 0)
        (void)close(sim->listener);
}

/* The plug was pulled; the module doesn't notice. */
static void drop_client(struct sim *sim)
{
    (void)close(sim->in_fd);
    sim->in_fd = sim->out_fd = -1;
    sim->in_len = sim->out_len = 0;
}

static void accept_client(struct sim *sim)
{
    int fd = at_posix_tcp_accept(sim->listener, sim->in_fd >= 0);

    if (fd >= 0)
        sim->in_fd = sim->out_fd = fd;
}

/* ---- module to host ------------------------------------------------------ */

/* What nobody listens to is lost, as on a UART. */
static bool heard(struct sim *sim)
{
    return sim->out_fd >= 0 && (sim->transport != PTY || at_posix_pty_listened(&sim->pty));
}

/* Writes what was taken; false when the line is lost for good. */
static bool write_out(struct sim *sim)
{
    ssize_t n = heard(sim) ? write(sim->out_fd, sim->out, sim->out_len) : (ssize_t)sim->out_len;

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return true;
    if (n < 0 && sim->transport == STDIO) {
        (void)fprintf(stderr, "bc26 sim: stdout: %s\n", strerror(errno));
        return false;
    }
    if (n < 0 && sim->transport == TCP)
        drop_client(sim);
    if (n < 0)
        n = (ssize_t)sim->out_len;
    memmove(sim->out, sim->out + n, sim->out_len - (size_t)n);
    sim->out_len -= (size_t)n;
    return true;
}

static bool send_output(struct sim *sim)
{
    if (sim->out_len == 0 && fault_line_waiting(sim->line) == 0)
        return true;
    do {
        size_t room = sizeof sim->out - sim->out_len;
        size_t allowed = at_posix_pacer_allowed(&sim->out_pace, at_posix_now_us());
        size_t n = fault_line_output(sim->line, sim->out + sim->out_len,
                                     allowed < room ? allowed : room);
        at_posix_pacer_spend(&sim->out_pace, n);
        if (n > 0)
            sim->last_output = at_posix_now_ms();
        if (sim->out_len + n == 0)
            return true;
        sim->out_len += n;
        if (!write_out(sim))
            return false;
    } while (sim->out_len == 0);
    return true;
}

/* ---- host to module ------------------------------------------------------ */

static void read_input(struct sim *sim)
{
    ssize_t n = read(sim->in_fd, sim->in, sizeof sim->in);

    if (n > 0) {
        sim->in_at = 0;
        sim->in_len = (size_t)n;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    } else if (sim->transport == STDIO) {
        sim->ended = true;
    } else if (sim->transport == TCP) {
        drop_client(sim);
    }
}

static bool connected(const struct sim *sim)
{
    for (int id = 0; id < NET_SOCKETS; id++)
        if (net_state(virtual_net(sim->vm), id) == NET_OPEN)
            return true;
    return false;
}

/* Nothing will happen by itself: with faults the end of a command may have been lost, and
 * the module waits for it. */
static bool stuck(const struct sim *sim)
{
    return virtual_timeout_ms(sim->vm) < 0 && fault_line_timeout_ms(sim->line) < 0 &&
           !net_working(virtual_net(sim->vm));
}

/* Milliseconds until a script may go on; -1 when only an event can tell. */
static int patience(const struct sim *sim)
{
    uint32_t quiet = at_posix_now_ms() - sim->last_output;

    if (sim->out_len > 0 || fault_line_waiting(sim->line) > 0)
        return -1;
    if (virtual_in_data_mode(sim->vm))
        return 0;
    if (!virtual_ready(sim->vm) && !stuck(sim))
        return -1;
    return connected(sim) && quiet < QUIET_MS ? (int)(QUIET_MS - quiet) : 0;
}

/* One byte of a script; false if it's too early for it. */
static bool feed_script(struct sim *sim, uint8_t byte)
{
    bool data = virtual_in_data_mode(sim->vm);
    bool skip = sim->after_cr && byte == LF;

    if (!skip && !sim->in_line && patience(sim) != 0)
        return false;
    sim->after_cr = byte == CR && !data;
    if (skip)
        return true;
    if (byte == LF && !data)
        byte = CR;
    if (fault_line_input(sim->line, &byte, 1) == 0)
        return false;
    sim->in_line = data ? virtual_in_data_mode(sim->vm) : byte != CR;
    return true;
}

/* Hands over what the pace allows. */
static void feed(struct sim *sim)
{
    while (sim->in_len > 0) {
        size_t n = at_posix_pacer_allowed(&sim->in_pace, at_posix_now_us());
        if (n > sim->in_len)
            n = sim->in_len;
        if (n > 0 && sim->transport == STDIO)
            n = feed_script(sim, sim->in[sim->in_at]);
        else
            n = fault_line_input(sim->line, sim->in + sim->in_at, n);
        if (n == 0)
            return;
        at_posix_pacer_spend(&sim->in_pace, n);
        sim->in_at += n;
        sim->in_len -= n;
    }
}

/* The last line of a script may lack its end. True when all is over. */
static bool finished(struct sim *sim)
{
    if (!sim->ended || sim->in_len > 0)
        return false;
    if (sim->in_line && !virtual_in_data_mode(sim->vm))
        (void)feed_script(sim, CR);
    if (virtual_in_data_mode(sim->vm)) {
        if (patience(sim) != 0)
            return false;
        say(NULL, "stdin ended in the middle of data");
        return true;
    }
    return patience(sim) == 0 && (virtual_idle(sim->vm) || stuck(sim));
}

/* ---- the loop ------------------------------------------------------------ */

static int sooner(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* When there is more to do for a script; -1: once something happens. */
static int script_wait(struct sim *sim, int pace)
{
    int wait = patience(sim);
    bool takes = virtual_waiting(sim->vm) < VIRTUAL_OUT_HIGH;

    if (sim->in_len > 0 && takes && (wait >= 0 || sim->in_line))
        return wait > pace ? wait : pace;
    /* At its end, patience that has run out was used: an event is missing. */
    return sim->ended && wait > 0 ? wait : -1;
}

/* While nothing waits, a UART saves up nothing. */
static void rest(struct sim *sim)
{
    uint32_t now = at_posix_now_us();

    if (sim->in_len == 0)
        at_posix_pacer_idle(&sim->in_pace, now);
    if (sim->out_len == 0 && fault_line_waiting(sim->line) == 0)
        at_posix_pacer_idle(&sim->out_pace, now);
}

static int timeout(struct sim *sim)
{
    rest(sim);
    uint32_t now = at_posix_now_us();
    int wait = virtual_timeout_ms(sim->vm);
    int pace = at_posix_pacer_wait_ms(&sim->in_pace, now);

    if (sim->transport == STDIO)
        wait = sooner(wait, script_wait(sim, pace));
    else if (sim->in_len > 0 && virtual_waiting(sim->vm) < VIRTUAL_OUT_HIGH)
        wait = sooner(wait, pace);
    int due = fault_line_timeout_ms(sim->line);
    if (sim->out_len == 0)
        wait = sooner(wait, due == 0 ? at_posix_pacer_wait_ms(&sim->out_pace, now) : due);
    return sim->transport == PTY ? sooner(wait, PTY_ASK_MS) : wait;
}

static struct pollfd watch(int fd, bool wanted, short events)
{
    return (struct pollfd){ .fd = wanted ? fd : -1, .events = events };
}

enum watched { SIGNAL, LISTENER, IN, OUT, OWN };

static int run(struct sim *sim)
{
    struct pollfd fds[OWN + NET_POLLFDS_MAX];

    for (;;) {
        feed(sim);
        if (!send_output(sim))
            return EXIT_FAILED;
        if (finished(sim))
            return EXIT_DONE;
        fds[SIGNAL] = watch(at_posix_signals_fd(), true, POLLIN);
        fds[LISTENER] = watch(sim->listener, true, POLLIN);
        fds[IN] = watch(sim->in_fd, sim->in_len == 0 && !sim->ended, POLLIN);
        fds[OUT] = watch(sim->out_fd, sim->out_len > 0, POLLOUT);
        size_t count = virtual_pollfds(sim->vm, fds + OWN, NET_POLLFDS_MAX);
        if (poll(fds, OWN + (nfds_t)count, timeout(sim)) < 0)
            continue;
        if (fds[SIGNAL].revents != 0)
            return EXIT_DONE;
        rest(sim);
        if (fds[IN].revents != 0)
            read_input(sim);
        if (fds[LISTENER].revents != 0)
            accept_client(sim);
        if (sim->transport == PTY)
            (void)at_posix_pty_listened(&sim->pty);
        virtual_dispatch(sim->vm, fds + OWN, count);
    }
}

/* Routes and the host table; EXIT_DONE, or EXIT_USAGE after a message. */
static int lay_out(struct net *net, const struct options *options)
{
    for (size_t i = 0; i < options->host_count; i++)
        if (!net_add_host(net, options->hosts[i]))
            return usage("--dns: %s", net_reason(net));
    for (size_t i = 0; i < options->route_count; i++)
        if (!net_add_route(net, options->routes[i]))
            return usage("--route: %s", net_reason(net));
    return EXIT_DONE;
}

/* From the open port to its end. */
static int serve(struct sim *sim, const struct options *options)
{
    struct at_posix_why why;
    uint32_t now = at_posix_now_us();

    at_posix_pacer_init(&sim->in_pace, (uint32_t)options->baud, now);
    at_posix_pacer_init(&sim->out_pace, (uint32_t)options->baud, now);
    sim->last_output = at_posix_now_ms();
    if (!open_port(sim, options, &why)) {
        say(NULL, why.text);
        return EXIT_USAGE;
    }
    int status = run(sim);
    close_port(sim);
    return status;
}

static uint32_t now_ms(void *ctx)
{
    (void)ctx;
    return at_posix_now_ms();
}

static void say_faults(const struct sim *sim, const struct options *options)
{
    char text[512];
    size_t len = (size_t)snprintf(text, sizeof text, "faults with seed %lu:",
                                  (unsigned long)options->faults.seed);
    bool any = false;

    for (int i = 0; i < FAULT_KINDS && len < sizeof text; i++) {
        uint64_t n = fault_line_counts(sim->line)[i];
        any |= options->faults.rate[i] > 0;
        if (n > 0)
            len += (size_t)snprintf(text + len, sizeof text - len, " %s %llu",
                                    fault_infos[i].name, (unsigned long long)n);
    }
    if (any)
        say(NULL, text);
}

/* The line between the module and whoever is there. */
static int attach(struct sim *sim, const struct options *options)
{
    struct fault_line_config config = { .vm = sim->vm, .now = now_ms };

    sim->line = fault_line_new(&config, &options->faults);
    if (sim->line == NULL) {
        say(NULL, "there is not enough memory");
        return EXIT_USAGE;
    }
    int status = serve(sim, options);
    say_faults(sim, options);
    fault_line_free(sim->line);
    return status;
}

static int start(struct sim *sim, const struct options *options)
{
    struct virtual_config config = { .state_file = options->state, .firmware = options->firmware,
                                     .say = say };
    struct at_posix_why why = { "there is not enough memory" };

    sim->vm = virtual_new(&config, &why);
    if (sim->vm == NULL || at_posix_signals_fd() < 0) {
        say(NULL, why.text);
        return EXIT_USAGE;
    }
    int status = lay_out(virtual_net(sim->vm), options);
    if (status == EXIT_DONE)
        status = attach(sim, options);
    virtual_free(sim->vm);
    return status;
}

int bc26_sim(int argc, char **argv)
{
    struct options options = { .seed = 1 };
    const char **values = calloc(2 * (size_t)argc, sizeof *values);
    struct sim *sim = calloc(1, sizeof *sim);
    int status = EXIT_USAGE;

    if (values != NULL && sim != NULL) {
        options.hosts = values;
        options.routes = values + argc;
        status = read_options(argc, argv, &options);
        if (status < 0)
            status = start(sim, &options);
    }
    free(sim);
    free(values);
    return status;
}

int bc26_sim_command(const struct tool *tool, int argc, char **argv)
{
    (void)tool;
    return bc26_sim(argc, argv);
}

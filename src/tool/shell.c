/* `shell`: commands typed or from a script, answers decoded. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "channel.h"
#include "print.h"
#include "shell_edit.h"
#include "shell_help.h"
#include "shell_view.h"

enum { WORDS_MAX = 64, WAIT_S = 30, LONGEST_WAIT_S = 3600, POLL_MS = 60000, LINE_SIZE = 70000 };

struct shell {
    struct channel channel;
    const struct tool *tool;
    struct view view;
    struct request request;
    struct edit *edit;  /* NULL: a script */
    uint32_t wait_ms;   /* for answers that the spec doesn't know */
    bool doubt;         /* what the module is doing, and how it's set */
    bool noted;         /* that a command isn't in the spec */
    bool interrupted;   /* what is under way is given up */
    bool quit;
    int signal;         /* that ends the shell */
    unsigned long line; /* of the script */
    uint8_t answer[REQUEST_DATA_MAX];
    char text[LINE_SIZE];
};

static const struct own_word words[] = {
    {"help", "this; help COMMAND: what the manual says of it"},
    {"settings", "what is set in the module that decides how data are framed"},
    {"quit", "leave, as Ctrl-D does"},
    {"exit", "likewise"},
    {NULL, NULL},
};

static int say(const struct shell *s, const char *what, const char *why, const char *next)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s%s%s\n", s->tool->name, what, why, next != NULL ? "; " : "",
            next != NULL ? next : "");
    return TOOL_NO;
}

/* The port and the module -------------------------------------------------------------- */

/* Nothing that is known of the module holds any more. */
static void forget_port(struct shell *s)
{
    s->doubt = true;
    view_stop(&s->view);
    at_client_reset(&s->channel.client);
}

/* Whether an unanswered command can have left the view amid a payload that never comes. */
static bool is_silence(int status)
{
    return status == AT_E_TIMEOUT || status == AT_E_LOST || status == AT_E_REBOOT;
}

static int lose_port(struct shell *s)
{
    forget_port(s);
    fflush(stdout);
    (void)port_complain(&s->channel.port);
    if (s->edit != NULL) {
        fprintf(stderr, "%s: the next command tries to open it again\n", s->tool->name);
    }
    return TOOL_NO;
}

/* Ctrl-C gives up what is under way; of a script it's all of it. */
static void take_signal(struct shell *s, int number)
{
    s->channel.port.signal = 0;
    s->interrupted = true;
    if (number != SIGINT || s->edit == NULL) {
        s->signal = number;
    }
}

/* What a negative status means, and what to do about it. */
static int explain(struct shell *s, const char *what, int status)
{
    static const char *const next[] = {
        [-AT_E_TIMEOUT] = "see whether the module is on, and whether --baud is its speed",
        [-AT_E_LOST] = "see whether the module is on, and whether --baud is its speed",
        [-AT_E_FAIL] = "the result above says why",
        [-AT_E_REBOOT] = "its settings are read anew with the next command",
    };
    struct port *port = &s->channel.port;
    if (port->signal != 0) {
        take_signal(s, port->signal);
        return say(s, what, "given up", "what it still brings is not taken for another's answer");
    }
    if (port->fd < 0) {
        return lose_port(s);
    }
    if (status >= 0) {
        return TOOL_DONE;
    }
    if (is_silence(status)) {
        view_stop(&s->view);
    }
    if (status == AT_E_ERROR && complete_command(s->tool, what) != NULL) {
        char help[128];
        snprintf(help, sizeof help, "help %s shows what it takes", what);
        return say(s, what, print_status(status), help);
    }
    size_t i = (size_t)-status;
    return say(s, what, print_status(status), i < sizeof next / sizeof next[0] ? next[i] : NULL);
}

/* An argument was left out, and what holds instead isn't known. */
static int miss_setting(struct shell *s)
{
    const struct at_module *module = s->tool->module;
    const struct at_form *form = s->request.form;
    int32_t value;
    for (uint8_t i = 0; i < form->neffects; i++) {
        const struct at_effect *effect = &form->effects[i];
        if (!at_request_int(module, form, &s->request.value, effect->value, &value)) {
            fprintf(stderr, "%s: %s: not sent, for it has to be given: the module doesn't tell "
                    "what holds without it; ", s->tool->name, module->params[effect->value].name);
            request_allowed(stderr, &s->request, &module->params[effect->value]);
            fputc('\n', stderr);
            return TOOL_NO;
        }
    }
    return explain(s, form->command, AT_E_UNKNOWN_SETTING);
}

static int reopen(struct shell *s)
{
    struct port *port = &s->channel.port;
    if (s->edit == NULL) { /* a script has ended with the port */
        return TOOL_NO;
    }
    if (port_open(port, s->tool) != 0) {
        return port_complain(port);
    }
    view_start(&s->view, s->tool);
    fprintf(stderr, "%s: %s is open again\n", s->tool->name, s->tool->options->port);
    return TOOL_DONE;
}

/* Settings are read and late answers awaited now, so that what is typed can be checked. */
static int prepare(struct shell *s)
{
    struct at_client *client = &s->channel.client;
    if (s->channel.port.fd < 0 && reopen(s) != TOOL_DONE) {
        return TOOL_NO;
    }
    if (s->doubt) {
        at_client_reset(client);
    }
    int status = at_client_sync(client);
    view_end(&s->view);
    if (status == AT_OK) {
        s->doubt = false;
        return TOOL_DONE;
    }
    return explain(s, s->tool->options->port, status);
}

/* Waiting for input ---------------------------------------------------------------------- */

static void listen_to_port(struct shell *s)
{
    struct port *port = &s->channel.port;
    if (s->edit != NULL) {
        edit_hide(s->edit);
    }
    (void)at_client_wait(&s->channel.client, 0);
    if (port->fd < 0) {
        (void)lose_port(s);
    }
    if (s->edit != NULL) {
        edit_show(s->edit);
    }
}

static enum heard hear_signal(struct shell *s, int number)
{
    take_signal(s, number);
    return s->signal != 0 ? HEARD_END : HEARD_INTERRUPT;
}

static enum heard await_input(void *ctx)
{
    struct shell *s = ctx;
    struct port *port = &s->channel.port;
    for (;;) {
        uint32_t wait = at_client_poll(&s->channel.client);
        struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {at_posix_signals_fd(), POLLIN, 0},
                               {port->fd, POLLIN, 0}};
        int n = poll(fds, 3, wait < POLL_MS ? (int)wait : POLL_MS);
        if (s->edit != NULL) {
            edit_woken(s->edit);
        }
        if (n <= 0) {
            continue;
        }
        if (fds[1].revents != 0) {
            return hear_signal(s, at_posix_signals_take());
        }
        if (fds[2].revents != 0) {
            listen_to_port(s);
            if (port->signal != 0) {
                return hear_signal(s, port->signal);
            }
        }
        if (s->edit == NULL && port->fd < 0) {
            return HEARD_END;
        }
        if (fds[0].revents != 0) {
            return HEARD_INPUT;
        }
    }
}

/* A line of a script. Bytes are read one by one, as those behind it aren't due yet. */
static enum heard read_script(struct shell *s)
{
    size_t n = 0;
    for (;;) {
        char c;
        enum heard heard = await_input(s);
        if (heard != HEARD_INPUT) {
            return heard;
        }
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (got <= 0 && n == 0) {
            return HEARD_END;
        }
        if (got <= 0 || c == '\n') {
            s->line++;
            s->text[n] = '\0';
            return HEARD_INPUT;
        }
        if (n + 1 < sizeof s->text) { /* a longer one is refused for what it holds, or its length */
            s->text[n++] = c;
        }
    }
}

static enum heard read_line(struct shell *s, const char *prompt, bool command)
{
    const char *line;
    if (s->edit == NULL) {
        return read_script(s);
    }
    enum heard heard = edit_line(s->edit, prompt, command, &line);
    if (heard == HEARD_INPUT) {
        snprintf(s->text, sizeof s->text, "%s", line);
    }
    return heard;
}

/* Commands of the spec ---------------------------------------------------------------------- */

static int perform(struct shell *s)
{
    struct at_call call;
    memset(&call, 0, sizeof call);
    call.form = s->request.form;
    call.request = &s->request.value;
    call.data = s->answer;
    call.data_size = sizeof s->answer;
    view_begin(&s->view, &s->request);
    int status = at_client_call(&s->channel.client, &call);
    view_end(&s->view);
    if (status == AT_E_ARGUMENT && call.fault.reason != AT_FINE) {
        return request_refuse(&s->request, &call.fault);
    }
    return status == AT_E_UNKNOWN_SETTING ? miss_setting(s)
                                          : explain(s, call.form->command, status);
}

/* Data are asked for before the command is sent, as the module waits for them no longer than
 * it likes. In a script they are the next line. */
static int ask_data(struct shell *s)
{
    enum heard heard = read_line(s, "data> ", false);
    if (heard != HEARD_INPUT) {
        s->quit = heard == HEARD_END;
        return say(s, s->request.form->command, "not sent", "its data are missing");
    }
    return request_set_data(&s->request, s->text);
}

static int run_request(struct shell *s, int status)
{
    if (status == TOOL_DONE && request_lacks_data(&s->request)) {
        status = ask_data(s);
    }
    return status == TOOL_DONE ? perform(s) : TOOL_NO;
}

/* Splits at blanks that aren't in quotes; the quotes go, what is behind a backslash stays
 * as it is. @return how many words, or -1 for a quote that isn't closed */
static int split(char *line, char **argv)
{
    int argc = 0;
    char *p = line;
    while (*(p += strspn(p, " \t")) != '\0' && argc < WORDS_MAX) {
        char *to = p;
        bool quoted = false;
        argv[argc++] = to;
        for (; *p != '\0' && (quoted || (*p != ' ' && *p != '\t')); p++) {
            if (*p == '\\' && p[1] != '\0') {
                *to++ = *p++;
                *to++ = *p;
            } else if (*p == '"') {
                quoted = !quoted;
            } else {
                *to++ = *p;
            }
        }
        if (quoted) {
            return -1;
        }
        p += *p != '\0';
        *to = '\0';
    }
    return argc;
}

/* Command lines that the spec doesn't know ----------------------------------------------------- */

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < 0x20 || *text > 0x7e) {
            return false;
        }
    }
    return true;
}

/* How the outcome of a command is waited for that only its final result code ends. */
static int await_outcome(struct shell *s)
{
    struct at_client *client = &s->channel.client;
    uint32_t start = at_client_now(client);
    while (s->view.outcome == AT_OUTCOME_NONE) {
        uint32_t gone = at_client_now(client) - start;
        if (gone >= s->wait_ms) {
            return AT_E_TIMEOUT;
        }
        int status = at_client_wait(client, s->wait_ms - gone);
        if (status != AT_OK) {
            return status;
        }
    }
    return s->view.outcome == AT_OUTCOME_OK ? AT_OK : AT_E_ERROR;
}

static int write_line(struct shell *s, const char *line)
{
    struct port *port = &s->channel.port;
    size_t len = strlen(line) + 1;
    static char bytes[LINE_SIZE];
    uint32_t start = port_now(port);
    snprintf(bytes, sizeof bytes, "%s\r", line);
    for (size_t at = 0; at < len;) {
        struct pollfd fd = {port->fd, POLLOUT, 0};
        int n = port_write(port, (const uint8_t *)bytes + at, len - at);
        if (n < 0) {
            return AT_E_PORT;
        }
        at += (size_t)n;
        if (port_now(port) - start >= s->wait_ms) {
            return AT_E_TIMEOUT;
        }
        if (at < len) {
            (void)poll(&fd, 1, 100);
        }
    }
    return AT_OK;
}

/* Who knows what it changes: unless it only asks, nothing is known of the module afterwards. */
static int run_unknown(struct shell *s, const char *line)
{
    bool asks = line[0] != '\0' && line[strlen(line) - 1] == '?';
    if (!is_printable(line)) {
        return say(s, line, "not sent", "a command line is of printable ASCII characters");
    }
    if (!s->noted) {
        fprintf(stderr, "%s: %s isn't in the spec: it's sent as it stands, and its answer shown as "
                "it comes\n", s->tool->name, line);
        s->noted = true;
    }
    view_begin(&s->view, NULL);
    int status = write_line(s, line);
    status = status == AT_OK ? await_outcome(s) : status;
    view_end(&s->view);
    s->doubt = s->doubt || !asks || (status != AT_OK && status != AT_E_ERROR);
    return explain(s, line, status);
}

/* Lines ------------------------------------------------------------------------------------------ */

/* A script's next line was meant as data, not as a command. */
static int skip_data(struct shell *s, int status)
{
    const struct at_form *form = s->request.form;
    bool prompt = form != NULL && form->data != NULL && form->data->prompt != 0;
    if (status == TOOL_NO && s->edit == NULL && prompt && read_script(s) == HEARD_INPUT) {
        fprintf(stderr, "%s: line %lu, its data, is left out too\n", s->tool->name, s->line);
    }
    return status;
}

static int run_wire(struct shell *s, const char *line)
{
    int status = request_wire(&s->request, line);
    return status == TOOL_DONE ? run_request(s, status) : skip_data(s, status);
}

static int run_named(struct shell *s, char *line)
{
    char *argv[WORDS_MAX];
    int argc = split(line, argv);
    if (argc <= 0) {
        return say(s, "not sent", "a quote isn't closed", NULL);
    }
    return run_request(s, request_parse(&s->request, argc, argv));
}

static bool is_wire(struct shell *s, const char *line)
{
    return complete_is_wire(s->tool, line) && complete_command(s->tool, line) == NULL;
}

static int run_command(struct shell *s, const char *line)
{
    static char kept[LINE_SIZE]; /* the request points into it, while data are read */
    snprintf(kept, sizeof kept, "%s", line);
    bool wire = is_wire(s, kept);
    bool unknown = wire && !request_is_known(s->tool, kept);
    s->interrupted = false;
    int status = prepare(s);
    /* What the spec doesn't know needs no settings, and may be what finds the fault. */
    if (status != TOOL_DONE && (!unknown || s->interrupted || s->channel.port.fd < 0)) {
        return status;
    }
    return unknown ? run_unknown(s, kept) : wire ? run_wire(s, kept) : run_named(s, kept);
}

static int run_line(struct shell *s, char *line)
{
    size_t len = strlen(line);
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r')) {
        line[--len] = '\0';
    }
    line += strspn(line, " \t");
    size_t word = strcspn(line, " \t");
    const char *rest = line + word + strspn(line + word, " \t");
    if (*line == '\0' || *line == '#') {
        return TOOL_DONE;
    }
    if (strcasecmp(line, "quit") == 0 || strcasecmp(line, "exit") == 0) {
        s->quit = true;
        return TOOL_DONE;
    }
    if (strcasecmp(line, "settings") == 0) {
        help_print_settings(s->tool, s->channel.settings);
        return TOOL_DONE;
    }
    if (word == 4 && strncasecmp(line, "help", 4) == 0) {
        return *rest != '\0' ? help_print_command(s->tool, rest)
                             : (help_print(s->tool, words), TOOL_DONE);
    }
    return run_command(s, line);
}

/* Running ------------------------------------------------------------------------------------------- */

static int run_script(struct shell *s)
{
    int result = prepare(s);
    while (result == TOOL_DONE || s->line > 0) {
        char shown[80];
        if (s->quit || s->signal != 0 || read_script(s) != HEARD_INPUT) {
            break;
        }
        unsigned long line = s->line;
        snprintf(shown, sizeof shown, "%.79s", s->text);
        if (run_line(s, s->text) != TOOL_DONE) {
            result = TOOL_NO;
            fflush(stdout);
            fprintf(stderr, "%s: line %lu isn't done: %s\n", s->tool->name, line, shown);
        }
    }
    return s->channel.port.fd < 0 ? TOOL_NO : result;
}

static int run_prompt(struct shell *s)
{
    char prompt[64];
    s->edit = edit_open(s->tool, words, await_input, s);
    if (s->edit == NULL) {
        return tool_usage(s->tool, "shell: the terminal can't be used; give it a script instead");
    }
    snprintf(prompt, sizeof prompt, "%.60s> ", s->tool->name);
    printf("%s. help says more, Ctrl-D ends.\n", s->tool->manual->title);
    (void)prepare(s);
    while (!s->quit && s->signal == 0) {
        enum heard heard = read_line(s, prompt, true);
        if (heard == HEARD_END) {
            break;
        }
        if (heard == HEARD_INPUT) {
            (void)run_line(s, s->text);
        }
        fflush(stdout);
    }
    edit_close(s->edit);
    s->edit = NULL;
    return TOOL_DONE;
}

static int run_shell(struct shell *s)
{
    view_start(&s->view, s->tool);
    s->channel.port.observer = &s->view.observer;
    int status = channel_open(&s->channel, s->tool, NULL);
    if (status != TOOL_DONE) {
        return status;
    }
    s->doubt = true;
    s->request.tool = s->tool;
    s->request.settings = s->channel.settings;
    s->request.typed = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = isatty(STDIN_FILENO) ? run_prompt(s) : run_script(s);
    channel_close(&s->channel);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        status = TOOL_NO;
    }
    return s->signal != 0 ? 128 + s->signal : status;
}

/* The call ---------------------------------------------------------------------------------------------- */

static int print_help(const struct tool *tool)
{
    printf("usage: %s --port PATH|HOST:PORT [--baud N] [--trace] shell [--wait SECONDS]\n\n"
           "Reads commands from the terminal, with completion (Tab), help (?) and history; or, where\n"
           "stdin is no terminal, from a script, line by line. Blank lines and # comments are skipped.\n\n"
           "  COMMAND[.FORM] [NAME=VALUE]...  as %s encode takes it\n"
           "  AT...                           a command line as it goes on the wire\n"
           "  help [COMMAND], settings, quit\n\n"
           "What goes to the module is shown with ->, what comes from it, decoded, with <-. What this\n"
           "program asks the module for itself isn't shown; --trace shows it. A command with a wrong\n"
           "argument is explained and not sent. One that the spec doesn't know is sent as it stands.\n\n"
           "A value with blanks stands in double quotes. In data \\r \\n \\t \\0 \\xNN are bytes, and any other\n"
           "sign behind a backslash is itself; their length may be left out beside NAME=VALUE. Data that\n"
           "go at the module's prompt are asked for when they aren't given; in a script they are the next\n"
           "line.\n\n"
           "Ctrl-C gives up the line, or the command under way; Ctrl-D leaves. The history is kept in\n"
           "$XDG_STATE_HOME/%s/history, or ~/.local/state/%s/history.\n\n"
           "  --wait SECONDS  longest wait for the answer to a command that the spec doesn't know, %d if\n"
           "                  it isn't given\n\n"
           "Exit status: 0 done; 1 a line of the script was refused or failed, or the port was lost; 2 the\n"
           "port can't be opened.\n",
           tool->name, tool->name, tool->name, tool->name, WAIT_S);
    return TOOL_DONE;
}

static int take_wait(const struct tool *tool, const char *text, uint32_t *ms)
{
    char *end;
    unsigned long value = text != NULL ? strtoul(text, &end, 10) : 0;
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || value == 0 ||
        value > LONGEST_WAIT_S) {
        return tool_usage(tool, "--wait takes 1 to %d seconds; see %s shell --help", LONGEST_WAIT_S,
                          tool->name);
    }
    *ms = (uint32_t)value * 1000u;
    return TOOL_DONE;
}

int tool_shell(const struct tool *tool, int argc, char **argv)
{
    static struct shell shell;
    memset(&shell, 0, sizeof shell);
    shell.tool = tool;
    shell.wait_ms = WAIT_S * 1000u;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_help(tool);
        }
        if (strcmp(argv[i], "--wait") != 0) {
            return tool_usage(tool, "shell doesn't take '%s'; see %s shell --help", argv[i],
                              tool->name);
        }
        if (take_wait(tool, i + 1 < argc ? argv[i + 1] : NULL, &shell.wait_ms) != TOOL_DONE) {
            return TOOL_USAGE;
        }
        i++;
    }
    return run_shell(&shell);
}

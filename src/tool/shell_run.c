/* What the shell runs, and what it says when that fails. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "print.h"
#include "shell.h"
#include "shell_help.h"

enum { WORDS_MAX = 64, NOT_OWN = -1 };

const struct own_word shell_words[] = {
    {"help", "this; help COMMAND: what the manual says of it"},
    {"settings", "what is set in the module that decides how data are framed"},
    {"quit", "leave, as Ctrl-D does"},
    {"exit", "likewise"},
    {NULL, NULL},
};

/* What stands behind a text that is shown in part. */
static const char *cut(const char *text)
{
    return strlen(text) > REQUEST_SHOWN ? "..." : "";
}

static int say(const struct shell *s, const char *what, const char *why, const char *next)
{
    fflush(stdout);
    fprintf(stderr, "%s: %.*s%s: %s%s%s\n", s->tool->name, REQUEST_SHOWN, what, cut(what), why,
            next != NULL ? "; " : "", next != NULL ? next : "");
    return TOOL_NO;
}

/* The port and the module ----------------------------------------------------------------- */

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

void shell_lose_port(struct shell *s)
{
    forget_port(s);
    fflush(stdout);
    (void)port_complain(&s->channel.port);
    if (s->edit != NULL) {
        fprintf(stderr, "%s: the next command tries to open it again\n", s->tool->name);
    }
}

void shell_take_signal(struct shell *s, int number)
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
        shell_take_signal(s, port->signal);
        return say(s, what, "given up", "what it still brings is not taken for another's answer");
    }
    if (port->fd < 0) {
        shell_lose_port(s);
        return TOOL_NO;
    }
    if (status >= 0) {
        return TOOL_DONE;
    }
    if (is_silence(status)) {
        view_stop(&s->view);
    }
    if (status == AT_E_ERROR) {
        bool known = complete_command(s->tool, what) != NULL;
        char help[128];
        snprintf(help, sizeof help, "the manual: help %s", what);
        return say(s, what, s->view.reason ? "refused, for the reason above" : print_status(status),
                   known ? help : NULL);
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
    for (uint8_t i = 0; i < form->rare->neffects; i++) {
        const struct at_effect *effect = &form->rare->effects[i];
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
int shell_prepare(struct shell *s)
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

/* Commands of the spec -------------------------------------------------------------------- */

static int perform(struct shell *s)
{
    struct at_call call;
    memset(&call, 0, sizeof call);
    call.form = s->request.form;
    call.sending = &at_sending;
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
    enum heard heard = shell_read_line(s, "data (Enter sends, Ctrl-C gives up)> ", false);
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
 * as it is. @return how many words, or -1: a quote isn't closed, or there are too many */
static int split(char *line, char **argv)
{
    int argc = 0;
    char *p = line;
    while (*(p += strspn(p, " \t")) != '\0') {
        char *to = p;
        if (argc == WORDS_MAX) {
            return -1;
        }
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

/* Command lines that the spec doesn't know ------------------------------------------------ */

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
    static char bytes[SHELL_LINE_SIZE];
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
    if (!is_printable(line) || strlen(line) >= CHANNEL_LINE_MAX) {
        return say(s, line, "not sent", "a command line is of printable ASCII characters, and not "
                   "longer than 4095");
    }
    if (!s->noted) {
        fprintf(stderr, "%s: %.*s%s isn't in the spec: it's sent as it stands, and its answer "
                "shown as it comes\n", s->tool->name, REQUEST_SHOWN, line, cut(line));
        s->noted = true;
    }
    view_begin(&s->view, NULL);
    int status = write_line(s, line);
    status = status == AT_OK ? await_outcome(s) : status;
    view_end(&s->view);
    s->doubt = s->doubt || !asks || (status != AT_OK && status != AT_E_ERROR);
    return explain(s, line, status);
}

/* Lines ----------------------------------------------------------------------------------- */

/* A script's next line was meant as data, not as a command. */
static int skip_data(struct shell *s, int status)
{
    const struct at_form *form = s->request.form;
    bool prompt = form != NULL && form->rare->data != NULL && form->rare->data->prompt != 0;
    if (status == TOOL_NO && s->edit == NULL && prompt &&
        shell_read_line(s, NULL, false) == HEARD_INPUT) {
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
        return say(s, "not sent", "a quote isn't closed, or there are too many words", NULL);
    }
    return run_request(s, request_parse(&s->request, argc, argv));
}

static bool is_wire(struct shell *s, const char *line)
{
    bool name = complete_command(s->tool, line) != NULL && request_bare_name(line) == line;
    return complete_is_wire(s->tool, line) && !name;
}

static int run_command(struct shell *s, const char *line)
{
    static char kept[SHELL_LINE_SIZE]; /* the request points into it, while data are read */
    snprintf(kept, sizeof kept, "%s", line);
    bool wire = is_wire(s, kept);
    bool unknown = wire && !request_is_known(s->tool, kept);
    s->interrupted = false;
    int status = shell_prepare(s);
    /* What the spec doesn't know needs no settings, and may be what finds the fault. */
    if (status != TOOL_DONE && (!unknown || s->interrupted || s->channel.port.fd < 0)) {
        return status;
    }
    return unknown ? run_unknown(s, kept) : wire ? run_wire(s, kept) : run_named(s, kept);
}

static bool is_word(const char *line, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(line, word, len) == 0;
}

/* A word of the shell's own. @return as shell_run_line does, or NOT_OWN */
static int run_own(struct shell *s, const char *line, size_t len, const char *rest)
{
    const struct own_word *word = shell_words;
    while (word->name != NULL && !is_word(line, len, word->name)) {
        word++;
    }
    if (word->name == NULL) {
        return NOT_OWN;
    }
    bool help = strcmp(word->name, "help") == 0;
    if (help ? rest[strcspn(rest, " \t")] != '\0' : *rest != '\0') {
        return say(s, word->name, help ? "takes one command at most" : "takes no argument", NULL);
    }
    if (help && *rest != '\0') {
        return help_print_command(s->tool, rest);
    }
    if (help) {
        help_print(s->tool, shell_words);
    } else if (strcmp(word->name, "settings") == 0) {
        help_print_settings(s->tool, s->channel.settings);
    } else {
        s->quit = true;
    }
    return TOOL_DONE;
}

int shell_run_line(struct shell *s)
{
    char *line = s->text;
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
    int status = run_own(s, line, word, rest);
    return status != NOT_OWN ? status : run_command(s, line);
}


/* `shell`: commands typed or from a script, answers decoded. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell.h"

enum { WAIT_S = 30, LONGEST_WAIT_S = 3600, POLL_MS = 60000 };

/* Waiting for input ----------------------------------------------------------------------- */

static void listen_to_port(struct shell *s)
{
    struct port *port = &s->channel.port;
    if (s->edit != NULL) {
        edit_hide(s->edit);
    }
    (void)at_client_wait(&s->channel.client, 0);
    if (port->fd < 0) {
        shell_lose_port(s);
    }
    if (s->edit != NULL) {
        edit_show(s->edit);
    }
}

static enum heard hear_signal(struct shell *s, int number)
{
    shell_take_signal(s, number);
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

static enum heard break_off(struct shell *s, const char *why)
{
    fprintf(stderr, "%s: line %lu: %s; the script ends here\n", s->tool->name, s->line + 1, why);
    s->broken = true;
    return HEARD_END;
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
        if (got < 0) {
            return break_off(s, strerror(errno));
        }
        if (got == 0 && n == 0) {
            return HEARD_END;
        }
        if (got > 0 && (c == '\0' || n + 1 == sizeof s->text)) {
            return break_off(s, c == '\0' ? "a NUL byte, which is written \\0 in data"
                                          : "longer than any command or data can be");
        }
        if (got <= 0 || c == '\n') {
            s->line++;
            s->text[n] = '\0';
            return HEARD_INPUT;
        }
        s->text[n++] = c;
    }
}

enum heard shell_read_line(struct shell *s, const char *prompt, bool command)
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

/* Running --------------------------------------------------------------------------------- */

static int run_script(struct shell *s)
{
    int result = shell_prepare(s);
    while (result == TOOL_DONE || s->line > 0) {
        char shown[80];
        if (s->quit || s->signal != 0 || read_script(s) != HEARD_INPUT) {
            break;
        }
        unsigned long line = s->line;
        snprintf(shown, sizeof shown, "%.79s", s->text);
        if (shell_run_line(s) != TOOL_DONE) {
            result = TOOL_NO;
            fflush(stdout);
            fprintf(stderr, "%s: line %lu isn't done: %s\n", s->tool->name, line, shown);
        }
    }
    return s->broken || s->channel.port.fd < 0 ? TOOL_NO : result;
}

static int run_prompt(struct shell *s)
{
    char prompt[64];
    s->edit = edit_open(s->tool, shell_words, await_input, s);
    if (s->edit == NULL) {
        return tool_usage(s->tool, "shell: the terminal can't be used; give it a script instead");
    }
    snprintf(prompt, sizeof prompt, "%.60s> ", s->tool->name);
    printf("%s. help says more, Ctrl-D ends.\n", s->tool->manual->title);
    (void)shell_prepare(s);
    while (!s->quit && s->signal == 0) {
        enum heard heard = shell_read_line(s, prompt, true);
        if (heard == HEARD_END) {
            break;
        }
        if (heard == HEARD_INPUT) {
            (void)shell_run_line(s);
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
        fprintf(stderr, "%s: shell: stdout can't be written\n", s->tool->name);
        status = TOOL_NO;
    }
    return s->signal != 0 ? 128 + s->signal : status;
}

/* The call -------------------------------------------------------------------------------- */

static int print_help(const struct tool *tool)
{
    printf("usage: %s --port PATH|HOST:PORT [--baud N] [--trace] shell [--wait SECONDS]\n\n"
           "Reads commands from the terminal, with completion (Tab), help (?) and history;\n"
           "or, where stdin is no terminal, from a script, line by line. Blank lines and\n"
           "# comments are skipped; after a line that failed the script goes on.\n\n"
           "  COMMAND[.FORM] [NAME=VALUE]...  as %s encode takes it\n"
           "  AT...                           a command line as it goes on the wire\n"
           "  help [COMMAND], settings, quit\n\n", tool->name, tool->name);
    printf("What goes to the module is shown with ->, what comes from it, decoded, with <-.\n"
           "What this program asks the module for itself isn't shown; --trace shows it.\n"
           "A command with a wrong argument is explained and not sent. One that the spec\n"
           "doesn't know is sent as it stands.\n\n"
           "A value with blanks stands in double quotes. In data \\r \\n \\t \\0 \\xNN are bytes,\n"
           "and any other sign behind a backslash is itself; their length may be left out\n"
           "beside NAME=VALUE. Data that go at the module's prompt are asked for when they\n"
           "aren't given; in a script they are the next line.\n\n");
    printf("Ctrl-C gives up the line, or the command under way; Ctrl-D leaves. The history is\n"
           "kept in $XDG_STATE_HOME/%s/history, or ~/.local/state/%s/history.\n\n"
           "  --wait SECONDS  longest wait for the answer to a command that the spec doesn't\n"
           "                  know, %d if it isn't given\n\n"
           "Exit status: 0 done; 1 a line of the script was refused or failed, or the port was\n"
           "lost; 2 the port can't be opened.\n", tool->name, tool->name, WAIT_S);
    return TOOL_DONE;
}

static int take_wait(const struct tool *tool, const char *text, uint32_t *ms)
{
    unsigned long value;
    if (text == NULL || !tool_number(text, LONGEST_WAIT_S, &value) || value == 0) {
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
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_help(tool);
        }
        if (argv[i][0] != '-') {
            return tool_usage(tool, "shell reads stdin: shell < %s; see %s shell --help", argv[i],
                              tool->name);
        }
        if (strcmp(argv[i], "--wait") != 0) {
            return tool_usage(tool, "shell doesn't take '%s'; see %s shell --help", argv[i],
                              tool->name);
        }
        if (take_wait(tool, i + 1 < argc ? argv[i + 1] : NULL, &shell.wait_ms) != TOOL_DONE) {
            return TOOL_USAGE;
        }
    }
    return run_shell(&shell);
}

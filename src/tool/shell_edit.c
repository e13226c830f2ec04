#include "shell_edit.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#ifndef SIGWINCH
#define SIGWINCH 28
#endif

enum { HISTORY_SIZE = 1000, LINE_SIZE = 4096, PATH_SIZE = 1024 };

struct edit {
    const struct tool *tool;
    const struct own_word *words;
    enum heard (*await)(void *ctx);
    void *ctx;
    FILE *out;
    EditLine *el;
    History *history;
    mbstate_t state;
    const char *prompt;
    bool active;
    bool command;
    enum heard heard;
    char before[LINE_SIZE]; /* the line at the last Tab that was of no use */
    char path[PATH_SIZE];   /* of the history; empty: there's none */
};

/* The terminal ------------------------------------------------------------------- */

static volatile sig_atomic_t resized;
static volatile sig_atomic_t continued;

static void on_signal(int number)
{
    if (number == SIGCONT) {
        continued = 1;
    } else {
        resized = 1;
    }
}

static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigaction(SIGWINCH, &action, NULL);
    (void)sigaction(SIGCONT, &action, NULL);
}

static size_t columns(const struct edit *e)
{
    struct winsize size;
    return ioctl(fileno(e->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void capability(struct edit *e, const char *name)
{
    (void)el_set(e->el, EL_ECHOTC, "-s", name, (char *)NULL);
}

/* A terminal that can't be cleared, such as a dumb one, goes to a new line instead. */
void edit_hide(struct edit *e)
{
    char *clear = NULL;
    if (!e->active) {
        return;
    }
    const LineInfo *line = el_line(e->el);
    size_t at = strlen(e->prompt) + (size_t)(line->cursor - line->buffer);
    if (el_get(e->el, EL_GETTC, "cd", &clear) != 0 || clear == NULL || *clear == '\0') {
        fputc('\n', e->out);
    } else {
        for (size_t rows = at / columns(e); rows > 0; rows--) {
            capability(e, "up");
        }
        fputc('\r', e->out);
        capability(e, "cd");
    }
    fflush(e->out);
}

void edit_show(struct edit *e)
{
    fflush(stdout);
    if (e->active) {
        (void)el_set(e->el, EL_REFRESH);
    }
}

void edit_woken(struct edit *e)
{
    if (resized) {
        resized = 0;
        el_resize(e->el);
    }
    if (continued) {
        continued = 0;
        (void)el_set(e->el, EL_PREP_TERM, e->active ? 1 : 0);
        edit_show(e);
    }
}

/* Keys --------------------------------------------------------------------------- */

static struct edit *edit_of(EditLine *el)
{
    void *edit = NULL;
    (void)el_get(el, EL_CLIENTDATA, &edit);
    return edit;
}

static char *on_prompt(EditLine *el)
{
    static char prompt[64];
    snprintf(prompt, sizeof prompt, "%s", edit_of(el)->prompt);
    return prompt;
}

static int next_char(EditLine *el, wchar_t *to)
{
    struct edit *e = edit_of(el);
    for (;;) {
        char byte;
        e->heard = e->await(e->ctx);
        if (e->heard != HEARD_INPUT) {
            return -1;
        }
        ssize_t n = read(STDIN_FILENO, &byte, 1);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (n <= 0) {
            e->heard = HEARD_END;
            return (int)n;
        }
        size_t len = mbrtowc(to, &byte, 1, &e->state);
        if (len <= 1) {
            return 1;
        }
        if (len == (size_t)-1) { /* no character of this locale */
            memset(&e->state, 0, sizeof e->state);
        }
    }
}

/* The line up to the cursor; false when it's longer than any that can be completed. */
static bool line_so_far(EditLine *el, char *out)
{
    const LineInfo *line = el_line(el);
    size_t len = (size_t)(line->cursor - line->buffer);
    if (len >= LINE_SIZE) {
        return false;
    }
    memcpy(out, line->buffer, len);
    out[len] = '\0';
    return true;
}

static void list(struct edit *e, const struct completion *found)
{
    edit_hide(e);
    if (found->n == 0 && found->about.form == NULL) {
        fputs("nothing is known that stands here\n", e->out);
    }
    complete_list(e->out, e->tool, found);
    fflush(e->out);
    edit_show(e);
}

/* Candidates' common beginning in place of what is typed. */
static void put(EditLine *el, const struct completion *found, const char *typed)
{
    char text[CANDIDATE_SIZE + 1];
    size_t len = complete_common(found);
    memcpy(text, found->items[0].text, len);
    if (found->n == 1 && found->items[0].after != '\0') {
        text[len++] = found->items[0].after;
    }
    text[len] = '\0';
    el_deletestr(el, (int)strlen(typed));
    (void)el_insertstr(el, text);
}

static unsigned char on_tab(EditLine *el, int key)
{
    static struct completion found;
    struct edit *e = edit_of(el);
    char line[LINE_SIZE];
    if (!e->command) {
        char sign[2] = {(char)key, '\0'};
        return el_insertstr(el, sign) == 0 ? CC_REFRESH : CC_ERROR;
    }
    if (!line_so_far(el, line)) {
        return CC_ERROR;
    }
    complete_line(e->tool, e->words, line, &found);
    const char *typed = line + found.from;
    if (found.n > 0 && (found.n == 1 || complete_common(&found) > strlen(typed))) {
        put(el, &found, typed);
        e->before[0] = '\0';
        return CC_REFRESH;
    }
    if (strcmp(line, e->before) == 0) {
        list(e, &found);
        return CC_NORM;
    }
    strcpy(e->before, line);
    return CC_ERROR;
}

/* Where `?` is a sign like others: on the wire, in quotes, in a text that was begun. */
static bool is_sign(const struct edit *e, const char *line)
{
    const char *last = strrchr(line, ' ');
    const char *value = strchr(last != NULL ? last : line, '=');
    size_t quotes = 0;
    for (const char *p = line; *p != '\0'; p++) {
        quotes += *p == '"';
    }
    return !e->command || complete_is_wire(e->tool, line) || quotes % 2 == 1 ||
           (value != NULL && value[1] != '\0');
}

static unsigned char on_question(EditLine *el, int key)
{
    static struct completion found;
    struct edit *e = edit_of(el);
    char line[LINE_SIZE];
    (void)key;
    if (!line_so_far(el, line) || is_sign(e, line)) {
        return el_insertstr(el, "?") == 0 ? CC_REFRESH : CC_ERROR;
    }
    complete_line(e->tool, e->words, line, &found);
    list(e, &found);
    return CC_NORM;
}

/* History ------------------------------------------------------------------------ */

/* The folders above the file, made as needed. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made) {
            return false;
        }
    }
    return true;
}

/* Or may become one. libedit takes the rights of what it saves to from everybody else: on
 * /dev/null, where people link what they don't want kept, that would be everybody's loss. */
static bool is_file(const char *path)
{
    struct stat there;
    return stat(path, &there) != 0 ? errno == ENOENT : S_ISREG(there.st_mode);
}

/* No place for it, no fuss: then it lasts until the shell ends. */
static void find_history(struct edit *e)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (state != NULL && state[0] == '/') {
        n = snprintf(e->path, sizeof e->path, "%s/%s/history", state, e->tool->name);
    } else if (home != NULL && home[0] == '/') {
        n = snprintf(e->path, sizeof e->path, "%s/.local/state/%s/history", home, e->tool->name);
    }
    if (n < 0 || n >= (int)sizeof e->path || !make_folders(e->path) || !is_file(e->path)) {
        e->path[0] = '\0';
    }
}

static void open_history(struct edit *e)
{
    HistEvent event;
    (void)history(e->history, &event, H_SETSIZE, HISTORY_SIZE);
    (void)history(e->history, &event, H_SETUNIQUE, 1);
    find_history(e);
    struct stat there;
    if (e->path[0] != '\0' && stat(e->path, &there) == 0 && there.st_size > 0 &&
        history(e->history, &event, H_LOAD, e->path) < 0) {
        fprintf(stderr, "%s: %s holds no history that can be read; it's left as it is, and this "
                "one isn't kept\n", e->tool->name, e->path);
        e->path[0] = '\0';
    }
    (void)el_set(e->el, EL_HIST, history, e->history);
}

static void remember(struct edit *e, const char *line)
{
    HistEvent event;
    if (line[strspn(line, " \t")] != '\0') {
        (void)history(e->history, &event, H_ENTER, line);
    }
}

/* Opening and reading --------------------------------------------------------------- */

static void bind_keys(EditLine *el)
{
    (void)el_set(el, EL_EDITOR, "emacs");
    /* Wide, as libedit never frees its copies of narrow names. */
    (void)el_wset(el, EL_ADDFN, L"at-complete", L"Complete the word, or list what fits", on_tab);
    (void)el_wset(el, EL_ADDFN, L"at-explain", L"List what fits here", on_question);
    (void)el_set(el, EL_BIND, "^I", "at-complete", (char *)NULL);
    (void)el_set(el, EL_BIND, "?", "at-explain", (char *)NULL);
    (void)el_set(el, EL_BIND, "^R", "em-inc-search-prev", (char *)NULL);
    (void)el_source(el, NULL); /* what the user wants otherwise */
}

struct edit *edit_open(const struct tool *tool, const struct own_word *words,
                       enum heard (*await)(void *ctx), void *ctx)
{
    struct edit *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    (void)setlocale(LC_CTYPE, "");
    e->tool = tool;
    e->words = words;
    e->await = await;
    e->ctx = ctx;
    e->prompt = "";
    e->out = isatty(STDOUT_FILENO) ? stdout : stderr;
    e->el = el_init(tool->name, stdin, e->out, stderr);
    e->history = history_init();
    if (e->el == NULL || e->history == NULL) {
        free(e);
        return NULL;
    }
    (void)el_set(e->el, EL_CLIENTDATA, e);
    (void)el_set(e->el, EL_PROMPT, on_prompt);
    (void)el_set(e->el, EL_GETCFN, next_char);
    bind_keys(e->el);
    open_history(e);
    catch_signals();
    return e;
}

void edit_close(struct edit *e)
{
    HistEvent event;
    if (e->path[0] != '\0') {
        (void)history(e->history, &event, H_SAVE, e->path);
    }
    el_end(e->el);
    history_end(e->history);
    free(e);
}

/* Ctrl-Z suspends the program where commands are typed, and ends data as it does on the wire. */
static void bind_end(struct edit *e, bool command)
{
    struct termios tty;
    char suspend[16] = "susp=";
    if (command && tcgetattr(STDIN_FILENO, &tty) == 0 && tty.c_cc[VSUSP] != _POSIX_VDISABLE) {
        snprintf(suspend, sizeof suspend, "susp=\\%03o", (unsigned)tty.c_cc[VSUSP]);
    }
    (void)el_set(e->el, EL_SETTY, "-d", suspend, (char *)NULL);
    (void)el_set(e->el, EL_BIND, "^Z", command ? "ed-unassigned" : "ed-newline", (char *)NULL);
}

enum heard edit_line(struct edit *e, const char *prompt, bool command, const char **line)
{
    static char text[65536 + LINE_SIZE];
    int n = 0;
    e->prompt = prompt;
    e->command = command;
    e->heard = HEARD_INPUT;
    e->before[0] = '\0';
    e->active = true;
    edit_woken(e);
    if (!command) {
        bind_end(e, false);
    }
    const char *typed = el_gets(e->el, &n);
    e->active = false;
    if (!command) {
        bind_end(e, true);
    }
    if (typed == NULL || n <= 0) {
        fputc('\n', e->out);
        fflush(e->out);
        return e->heard != HEARD_INPUT ? e->heard : command ? HEARD_END : HEARD_INTERRUPT;
    }
    snprintf(text, sizeof text, "%s", typed);
    text[strcspn(text, "\r\n")] = '\0';
    if (command) {
        remember(e, text);
    }
    *line = text;
    return HEARD_INPUT;
}

/* Runs transcripts: what comes in, what the stream says about it. Every case is run
 * in every way that the bytes may arrive, and must say the same each time. The
 * notation is in tests/transcripts/README. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder.h"

enum { WINDOW = 4097, WINDOW_MIN = 64 };

struct transcript {
    const char *file;
    unsigned line; /* of the title */
    char title[128];
    struct text input;
    struct text expected;
    uint8_t before[TOOL_SETTINGS_MAX];
    uint8_t after[TOOL_SETTINGS_MAX];
    bool checks_after;
    bool prompt;
    size_t window;
};

static unsigned cases, failures;

/* Running one case --------------------------------------------------------------------- */

struct way {
    enum delivery delivery;
    size_t window;
    size_t first; /* length of the first chunk; 0: all bytes one by one */
};

static void report(const struct transcript *t, const struct way *way, const char *what,
                   const struct recorder *r)
{
    static const char *const names[] = {"fed", "committed", "read directly"};
    failures++;
    printf("%s:%u: %s\n  %s; %s, window %zu, ", t->file, t->line, t->title, what,
           names[way->delivery], way->window);
    printf(way->first == 0 ? "byte by byte\n" : "split at %zu of %zu\n", way->first, t->input.len);
    printf("--- expected\n%s--- said\n%s\n", t->expected.bytes != NULL ? t->expected.bytes : "",
           r->log.bytes != NULL ? r->log.bytes : "");
}

static bool run(const struct transcript *t, const struct way *way)
{
    struct recorder r;
    recorder_begin(&r, way->delivery, way->window);
    memcpy(r.session.settings, t->before, sizeof t->before);
    at_stream_expect_prompt(&r.stream, t->prompt);
    if (way->first == 0) {
        for (size_t i = 0; i < t->input.len; i++) {
            recorder_chunk(&r, t->input.bytes + i, 1);
        }
    } else {
        recorder_chunk(&r, t->input.bytes, way->first);
        recorder_chunk(&r, t->input.bytes + way->first, t->input.len - way->first);
    }
    recorder_finish(&r);

    const char *what = r.broken;
    if (r.log.len != t->expected.len ||
        (r.log.len > 0 && memcmp(r.log.bytes, t->expected.bytes, r.log.len) != 0)) {
        what = "says something else";
    } else if (t->checks_after &&
               memcmp(r.session.settings, t->after, recorder_tool.module->nslots) != 0) {
        what = "leaves other settings";
    }
    if (what != NULL) {
        report(t, way, what, &r);
    }
    recorder_free(&r);
    return what == NULL;
}

/* The shortest window that every line of the input fits into. */
static size_t narrow_window(const struct text *input)
{
    size_t longest = 0;
    size_t line = 0;
    for (size_t i = 0; i < input->len; i++) {
        line = input->bytes[i] == '\n' ? 0 : line + 1;
        longest = line > longest ? line : longest;
    }
    return longest + 1u > WINDOW_MIN ? longest + 1u : WINDOW_MIN;
}

/* One report a case is enough: the first way that fails. */
static void run_every_way(const struct transcript *t)
{
    size_t windows[2] = {t->window, narrow_window(&t->input)};
    size_t nwindows = windows[1] < windows[0] ? 2 : 1;
    size_t whole = t->input.len;
    cases++;
    for (int delivery = 0; delivery < DELIVERIES; delivery++) {
        for (size_t w = 0; w < nwindows; w++) {
            struct way way = {(enum delivery)delivery, windows[w], whole};
            /* From the whole to splits after each byte; the last is byte by byte. */
            for (way.first = whole; run(t, &way) && way.first > 0; way.first--) {
            }
            if (way.first > 0) {
                return;
            }
        }
    }
}

/* Reading transcripts ------------------------------------------------------------------ */

static bool set_unknown(const char *assignment, uint8_t *settings)
{
    const struct at_module *module = recorder_tool.module;
    size_t len = strcspn(assignment, "=");
    for (uint8_t i = 0; i < module->nsettings; i++) {
        const struct at_setting *s = &module->settings[i];
        if (strlen(s->name) == len && strncmp(assignment, s->name, len) == 0) {
            memset(settings + s->slot, AT_UNKNOWN, s->slots);
            return true;
        }
    }
    return false;
}

/* NAME=VALUE ..., where the value ? stands for unknown. */
static const char *read_settings(char *words, uint8_t *settings)
{
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        const char *question = strstr(word, "=?");
        if (question != NULL ? !set_unknown(word, settings)
                             : tool_set(&recorder_tool, word, settings) != TOOL_DONE) {
            return "no such setting or value";
        }
    }
    return NULL;
}

static bool begins(char *line, const char *word, char **rest)
{
    size_t n = strlen(word);
    if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != '\0')) {
        return false;
    }
    *rest = line + n + (line[n] == ' ');
    return true;
}

static void begin_case(struct transcript *t, const char *title, unsigned line)
{
    const char *file = t->file;
    memset(t, 0, sizeof *t);
    t->file = file;
    t->line = line;
    t->window = WINDOW;
    t->prompt = true;
    snprintf(t->title, sizeof t->title, "%s", title);
    /* An index too far finds what changes the framing. */
    memset(t->before, 1, sizeof t->before);
    tool_initial_settings(recorder_tool.module, t->before);
}

static void end_case(struct transcript *t)
{
    if (t->title[0] != '\0') {
        run_every_way(t);
    }
    text_clear(&t->input);
    text_clear(&t->expected);
}

static const char *read_after(struct transcript *t, char *words)
{
    memcpy(t->after, t->before, sizeof t->after);
    t->checks_after = true;
    return read_settings(words, t->after);
}

static const char *read_line(struct transcript *t, char *line, unsigned number)
{
    char *rest;
    if (line[0] == '\0' || line[0] == '#') {
        return NULL;
    }
    if (begins(line, "==", &rest)) {
        end_case(t);
        begin_case(t, rest, number);
        return rest[0] == '\0' ? "a case needs a title" : NULL;
    }
    if (t->title[0] == '\0') {
        return "a case begins with == and its title";
    }
    if (begins(line, "<", &rest)) {
        return text_unescaped(&t->input, rest);
    }
    if (begins(line, "<<", &rest)) {
        text_add(&t->input, "\r\n", 2);
        const char *wrong = text_unescaped(&t->input, rest);
        text_add(&t->input, "\r\n", 2);
        return wrong;
    }
    if (begins(line, "=", &rest)) {
        text_add(&t->expected, rest, strlen(rest));
        text_add(&t->expected, "\n", 1);
        return NULL;
    }
    if (begins(line, "set", &rest)) {
        return read_settings(rest, t->before);
    }
    if (begins(line, "after", &rest)) {
        return read_after(t, rest);
    }
    if (begins(line, "window", &rest)) {
        t->window = strtoul(rest, NULL, 10);
        return t->window >= WINDOW_MIN && t->window <= UINT16_MAX ? NULL : "no window is so large";
    }
    if (begins(line, "prompt", &rest)) {
        t->prompt = strcmp(rest, "no") != 0;
        return NULL;
    }
    return "no such line";
}

static void run_file(const char *name)
{
    static char line[8192];
    static struct transcript t;
    unsigned number = 0;
    FILE *in = fopen(name, "r");
    if (in == NULL) {
        perror(name);
        failures++;
        return;
    }
    memset(&t, 0, sizeof t);
    t.file = name;
    while (fgets(line, sizeof line, in) != NULL) {
        number++;
        line[strcspn(line, "\n")] = '\0';
        const char *wrong = read_line(&t, line, number);
        if (wrong != NULL) {
            printf("%s:%u: %s: %s\n", name, number, wrong, line);
            failures++;
        }
    }
    end_case(&t);
    fclose(in);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        run_file(argv[i]);
    }
    printf("%u cases, %u failed\n", cases, failures);
    return failures > 0 || cases == 0;
}

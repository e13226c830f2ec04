#include "progress.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PERIOD_MS = 250, MARK_MS = 2000, LINE_MAX_LEN = 160, WIDTH = 80 };

struct text {
    char bytes[LINE_MAX_LEN];
    size_t len;
};

static void add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    size_t room = sizeof text->bytes - text->len;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->bytes + text->len, room, format, args);
    va_end(args);
    if (n > 0) {
        text->len += (size_t)n < room ? (size_t)n : room - 1;
    }
}

static void add_amount(struct text *text, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit < 3; unit++) {
        bytes /= 1024;
    }
    add(text, unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void add_counts(struct text *text, const struct progress_count *counts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(text, i > 0 ? ", %s " : "%s ", counts[i].what);
        add_amount(text, (double)counts[i].bytes);
        if (counts[i].of > 0) {
            add(text, " (%.0f %%)", 100.0 * (double)counts[i].bytes / (double)counts[i].of);
        }
    }
}

static void add_rate(struct text *text, uint64_t bytes, uint32_t ms)
{
    add(text, ", ");
    add_amount(text, ms > 0 ? (double)bytes * 1000.0 / ms : 0.0);
    add(text, "/s");
}

static uint64_t total(const struct progress_count *counts, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += counts[i].bytes;
    }
    return sum;
}

/* A line that wraps could not be written anew. */
static size_t columns(FILE *out)
{
    struct winsize size;
    bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return (known ? size.ws_col : WIDTH) - 1u;
}

void progress_start(struct progress *p, FILE *out, uint32_t now)
{
    memset(p, 0, sizeof *p);
    p->out = isatty(fileno(out)) ? out : NULL;
    p->since = p->marks[0].at = p->marks[1].at = now;
    p->next = now + PERIOD_MS;
}

/* The rate is that of the last seconds, so it tells when a transfer has come to a halt. */
static void add_present_rate(struct progress *p, uint32_t now, uint64_t bytes, struct text *text)
{
    if (now - p->marks[1].at >= MARK_MS) {
        p->marks[0] = p->marks[1];
        p->marks[1].at = now;
        p->marks[1].bytes = bytes;
    }
    add_rate(text, bytes - p->marks[0].bytes, now - p->marks[0].at);
}

void progress_show(struct progress *p, uint32_t now, const struct progress_count *counts, size_t n)
{
    struct text text = {.len = 0};
    if (progress_wait(p, now) > 0) {
        return;
    }
    p->next = now + PERIOD_MS;
    p->visible = true;
    add_counts(&text, counts, n);
    add_present_rate(p, now, total(counts, n), &text);
    fprintf(p->out, "\r%.*s\033[K", (int)columns(p->out), text.bytes);
    fflush(p->out);
}

uint32_t progress_wait(const struct progress *p, uint32_t now)
{
    if (p->out == NULL) {
        return UINT32_MAX;
    }
    return (int32_t)(p->next - now) > 0 ? p->next - now : 0;
}

void progress_hide(struct progress *p)
{
    if (p->visible) {
        fputs("\r\033[K", p->out);
        fflush(p->out);
        p->visible = false;
    }
}

void progress_end(struct progress *p, uint32_t now, const struct progress_count *counts, size_t n)
{
    struct text text = {.len = 0};
    if (p->out == NULL) {
        return;
    }
    progress_hide(p);
    add_counts(&text, counts, n);
    add(&text, " in %.1f s", (now - p->since) / 1000.0);
    add_rate(&text, total(counts, n), now - p->since);
    fprintf(p->out, "%s\n", text.bytes);
    p->out = NULL;
}

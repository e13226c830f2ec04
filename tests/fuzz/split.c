/* The same bytes whole, at any splits and byte by byte, fed, committed and read directly: the
 * log is the same. Every chunk lies in memory of its own, at the end of which a sanitizer or
 * a page without access waits. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "unit/recorder.h"

enum { SIZES = 6 };

struct setting_out {
    uint8_t settings[SETTINGS_MAX];
    size_t window;
    bool prompt;
    size_t sizes[SIZES]; /* of chunks, by turns */
};

/* The last n bytes before a page that nobody may touch. */
static uint8_t *before_guard(size_t n)
{
    static uint8_t *guard;
    if (guard == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t room = (INPUT_MAX + page - 1u) / page * page;
        uint8_t *all = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                            -1, 0);
        if (all == MAP_FAILED || mprotect(all + room, page, PROT_NONE) != 0) {
            abort();
        }
        guard = all + room;
    }
    return guard - n;
}

static void give(struct recorder *r, const uint8_t *bytes, size_t n, bool guarded)
{
    if (guarded) {
        uint8_t *place = before_guard(n);
        memcpy(place, bytes, n);
        at_stream_feed(&r->stream, place, n);
    } else {
        recorder_chunk(r, bytes, n);
    }
}

/* way: DELIVERIES is like BY_FEED, but before a guard. sizes: NULL is the whole. */
static void run(struct recorder *r, const struct setting_out *s, const struct input *in, int way,
                const size_t *sizes)
{
    recorder_begin(r, way == DELIVERIES ? BY_FEED : (enum delivery)way, s->window);
    memcpy(r->session.settings, s->settings, sizeof s->settings);
    at_stream_expect_prompt(&r->stream, s->prompt);
    for (size_t at = 0, i = 0; at < in->len; i++) {
        size_t n = sizes != NULL ? sizes[i % SIZES] : in->len;
        n = n < in->len - at ? n : in->len - at;
        give(r, in->text + at, n, way == DELIVERIES);
        at += n;
    }
    recorder_finish(r);
    claim(r->broken == NULL, "%s", r->broken);
}

static void compare(const struct recorder *whole, const struct recorder *other, const char *how)
{
    claim(whole->log.len == other->log.len &&
              (whole->log.len == 0 ||
               memcmp(whole->log.bytes, other->log.bytes, whole->log.len) == 0),
          "%s it says\n%s--- and whole\n%s", how, other->log.len > 0 ? other->log.bytes : "",
          whole->log.len > 0 ? whole->log.bytes : "");
    claim(memcmp(whole->session.settings, other->session.settings,
                 sizeof whole->session.settings) == 0,
          "%s it leaves other settings", how);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {4097, 64, 65, 80, 128, 300, 1024};
    static const size_t single[SIZES] = {1, 1, 1, 1, 1, 1};
    static struct recorder whole, other;
    struct input in = {data, size < INPUT_MAX ? size : INPUT_MAX};
    struct setting_out s;
    choose_settings(&in, s.settings, true);
    s.window = windows[choose(&in, sizeof windows / sizeof *windows)];
    s.prompt = choose(&in, 2) == 0;
    int way = (int)choose(&in, DELIVERIES + 1);
    for (size_t i = 0; i < SIZES; i++) {
        s.sizes[i] = 1 + choose(&in, 256);
    }
    run(&whole, &s, &in, BY_FEED, NULL);
    run(&other, &s, &in, way, s.sizes);
    compare(&whole, &other, "split");
    recorder_free(&other);
    run(&other, &s, &in, (way + 1) % (DELIVERIES + 1), single);
    compare(&whole, &other, "byte by byte");
    recorder_free(&other);
    recorder_free(&whole);
    return 0;
}

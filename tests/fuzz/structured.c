/* Lines as a module says them, under any settings, with any payloads; then one place is damaged.
 * What came before it is told as ever, and the stream is in step again behind the line that was
 * hit, or behind the payloads that what is left of it announces. */
#include <string.h>

#include "account.h"

enum { ITEMS = 6, LINE_MAX_LEN = 1024, TOLD_MAX = 256, WINDOW = 4097, WIRE_SIZE = 16384 };

struct item {
    const struct at_record *record;
    size_t begin; /* of the line */
    size_t end;   /* behind its payload, or its line end when it has none */
    size_t close; /* behind the line end that follows a payload */
};

struct wire {
    uint8_t bytes[WIRE_SIZE];
    size_t len;
    struct item items[ITEMS];
    size_t n;
};

static void put(struct wire *w, const void *bytes, size_t n)
{
    claim(n <= sizeof w->bytes - w->len, "the wire is too short");
    memcpy(w->bytes + w->len, bytes, n);
    w->len += n;
}

static void put_payload(struct wire *w, struct input *in, struct picker *p, bool hex, size_t length)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    uint8_t piece[2 * DATA_MAX];
    size_t n = length * (hex ? 2u : 1u);
    size_t taken = hex ? 0 : take_text(in, piece, n);
    for (size_t i = taken; i < n; i++) {
        piece[i] = hex ? (uint8_t)digits[pick(p, sizeof digits - 1)] : (uint8_t)pick(p, 256);
    }
    put(w, piece, n);
}

/* Short payloads are as good as long ones. */
static int32_t limit_payload(struct input *in, const struct at_record *carrier,
                             const uint8_t *settings, union value *meant)
{
    const struct at_payload *payload = carrier->rare->payload;
    int32_t most = payload->max - payload->min < 255 ? payload->max - payload->min : 255;
    if (payload_of(carrier, settings, meant) < payload->min) {
        return -1;
    }
    int32_t length = payload->min + (int32_t)choose(in, (uint32_t)most + 1u);
    set_line_int(carrier, meant, payload->length, length);
    return length;
}

static void put_item(struct wire *w, struct input *in, const uint8_t *settings)
{
    static struct picker picker;
    struct item *item = &w->items[w->n++];
    char line[LINE_MAX_LEN];
    union value meant;
    item->record = &fuzz_module->records[choose(in, fuzz_module->nrecords)];
    picker_init(&picker, choose(in, 65536));
    size_t n = make_line(&picker, item->record, settings, &meant, line, sizeof line);
    const struct at_record *carrier = payload_shape(item->record);
    int32_t payload = carrier != NULL ? limit_payload(in, carrier, settings, &meant) : -1;
    if (payload >= 0) {
        n = (size_t)at_record_encode(fuzz_module, item->record, &meant, line, sizeof line, NULL);
    }
    put(w, "\r\n", choose(in, 2) == 0 ? 2 : 0);
    item->begin = w->len;
    put(w, line, n);
    if (payload >= 0) {
        put(w, is_inline(carrier, settings) ? "," : "\r\n", is_inline(carrier, settings) ? 1 : 2);
        uint8_t slot = carrier->rare->payload->format_slot;
        put_payload(w, in, &picker,
                    slot == AT_UNKNOWN ? carrier->rare->payload->hex != 0 : settings[slot] == 1,
                    (size_t)payload);
        item->end = w->len;
        put(w, "\r\n", 2);
    } else {
        put(w, "\r\n", 2);
        item->end = w->len;
    }
    item->close = w->len;
}

/* Damage ---------------------------------------------------------------------------------- */

struct damage {
    size_t item;  /* that was hit */
    size_t at;    /* the first byte that isn't what it was */
    size_t end;   /* and behind the last, as it is now */
    long shift;   /* of all that follows */
};

static void replace(struct wire *w, struct damage *d, size_t gone, const uint8_t *bytes, size_t n)
{
    memmove(w->bytes + d->at + n, w->bytes + d->at + gone, w->len - d->at - gone);
    memcpy(w->bytes + d->at, bytes, n);
    w->len = w->len - gone + n;
    d->end = d->at + n;
    d->shift = (long)n - (long)gone;
}

static struct damage damage(struct wire *w, struct input *in)
{
    struct damage d = {0, choose_word(in) % w->len, 0, 0};
    while (w->items[d.item].close <= d.at) {
        d.item++;
    }
    uint8_t byte = w->bytes[d.at];
    uint8_t piece[2] = {byte, byte};
    size_t room = w->items[d.item].close - d.at;
    size_t gone = 1u + choose(in, 16);
    switch (choose(in, 5)) {
    case 0:
        piece[0] = (uint8_t)(byte ^ 1u << choose(in, 8));
        replace(w, &d, 1, piece, 1);
        break;
    case 1:
        piece[0] = (uint8_t)choose(in, 256);
        replace(w, &d, 1, piece, 1);
        break;
    case 2: /* lost */
        replace(w, &d, gone < room ? gone : room, piece, 0);
        break;
    case 3: /* doubled */
        replace(w, &d, 1, piece, 2);
        break;
    default:
        piece[0] = (uint8_t)choose(in, 256);
        replace(w, &d, 0, piece, 1);
    }
    return d;
}

/* Checking -------------------------------------------------------------------------------- */

static size_t listen(const struct wire *w, const uint8_t *settings, struct input *in,
                     struct told *told)
{
    static struct account a;
    account_begin(&a, settings, WINDOW);
    at_stream_learn(&a.stream, false);
    at_stream_expect_prompt(&a.stream, false);
    a.told = told;
    a.max_told = TOLD_MAX;
    a.direct = choose(in, 2) != 0;
    account_for(&a, w->bytes, w->len, choose(in, 256));
    return a.ntold;
}

static bool is_told(const struct item *item, const struct told *told, long shift)
{
    return told->record->id == item->record->id &&
           (long)told->begin == (long)item->begin + shift && (long)told->end == (long)item->end + shift;
}

static size_t next_line(const struct wire *w, size_t at)
{
    const uint8_t *lf = at < w->len ? memchr(w->bytes + at, '\n', w->len - at) : NULL;
    return lf != NULL ? (size_t)(lf - w->bytes) + 1u : w->len;
}

/* Where a line begins that nothing hinders any more. */
static size_t in_step(const struct wire *w, const struct damage *d, const struct told *told, size_t n)
{
    size_t closing = (size_t)((long)w->items[d->item].close + d->shift) - 1u;
    size_t at = next_line(w, closing > d->end ? closing : d->end);
    for (size_t i = 0; i < n; i++) {
        if (told[i].begin < at && told[i].end > at) {
            at = next_line(w, told[i].end);
        }
    }
    return at;
}

static void check_damaged(const struct wire *w, const struct damage *d, const struct told *told,
                          size_t n)
{
    size_t at = in_step(w, d, told, n);
    size_t j = 0;
    for (size_t i = 0; i < w->n; i++) {
        const struct item *item = &w->items[i];
        if (item->end <= d->at) {
            claim(i < n && is_told(item, &told[i], 0), "line %zu (%s) isn't told before the damage",
                  i, item->record->name);
        } else if (i > d->item && (long)item->begin + d->shift >= (long)at) {
            while (j < n && (long)told[j].begin < (long)item->begin + d->shift) {
                j++;
            }
            claim(j < n && is_told(item, &told[j], d->shift),
                  "line %zu (%s) at %ld isn't told, though all was in step again at %zu", i,
                  item->record->name, (long)item->begin + d->shift, at);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire wire;
    static struct told told[TOLD_MAX];
    struct input in = {data, size < INPUT_MAX ? size : INPUT_MAX};
    uint8_t settings[SETTINGS_MAX];
    choose_settings(&in, settings, false);
    wire.len = wire.n = 0;
    for (size_t n = 2 + choose(&in, ITEMS - 1); wire.n < n;) {
        put_item(&wire, &in, settings);
    }
    size_t n = listen(&wire, settings, &in, told);
    claim(n == wire.n, "%zu lines were said and %zu are told", wire.n, n);
    for (size_t i = 0; i < n; i++) {
        claim(is_told(&wire.items[i], &told[i], 0), "line %zu (%s) isn't told", i,
              wire.items[i].record->name);
    }
    struct damage d = damage(&wire, &in);
    n = listen(&wire, settings, &in, told);
    check_damaged(&wire, &d, told, n);
    return 0;
}

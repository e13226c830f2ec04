/* Plans of faults, the dice, and what single bytes meet. */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1000000u

const struct fault_info fault_infos[FAULT_KINDS] = {
    [FAULT_LOST] = { "lost", "a byte is lost; each way, as all four of these" },
    [FAULT_DOUBLED] = { "doubled", "a byte comes twice" },
    [FAULT_FLIPPED] = { "flipped", "a bit of a byte is flipped" },
    [FAULT_INSERTED] = { "inserted", "a byte comes that nobody sent" },
    [FAULT_CHUNKS] = { "chunks", "what comes at once comes in pieces, some ms apart" },
    [FAULT_DELAY] = { "delay", "the module takes up to 250 ms more for a line" },
    [FAULT_LATE] = { "late", "it takes 0.3 to 3 s more" },
    [FAULT_REBOOT] = { "reboot", "it restarts before, after or in the middle of its answer" },
    [FAULT_SLEEP] = { "sleep", "it sleeps: a line or two are lost, or answered by CRLF" },
    [FAULT_SWAP] = { "swap", "a result comes before its OK" },
    [FAULT_FOREIGN] = { "foreign", "a URC of no command of this manual comes in between" },
    [FAULT_MISSING] = { "missing", "a line that's optional is missing" },
    [FAULT_NOISE] = { "noise", "bytes of another speed stand in a line" },
    [FAULT_BLANK] = { "blank", "a blank line more" },
    [FAULT_NOBLANK] = { "noblank", "no blank line before the final result code" },
    [FAULT_ECHOLF] = { "echolf", "the echo of a command has an LF after its CR" },
    [FAULT_NOSPACE] = { "nospace", "no space after the colon" },
    [FAULT_UNQUOTED] = { "unquoted", "an address stands without its quotes" },
    [FAULT_PROMPT] = { "prompt", "the prompt without its space or newline, or with a newline behind it" },
    [FAULT_SENDONLY] = { "sendonly", "SEND OK or SEND FAIL without the OK, after a prompt" },
    [FAULT_CLOSEFAIL] = { "closefail", "CLOSE FAIL in place of CLOSE OK" },
    [FAULT_FIELDS] = { "fields", "more fields in an answer of QISTATE" },
    [FAULT_SERVICE] = { "service", "a kind of socket in QISTATE that the manual doesn't know" },
    [FAULT_BUFFFULL] = { "bufffull", "\"recv\",buff full without its connectID" },
    [FAULT_DNSCOUNT] = { "dnscount", "QIDNSGIP counts 1 address, however many follow" },
    [FAULT_CFGLINE] = { "cfgline", "QICFG shows the line when it sets, too" },
    [FAULT_PING] = { "ping", "QPING ends with 569 once more, in place of its summary" },
    [FAULT_TIME] = { "time", "QNTP has a time with four digits of the year, or a field more" },
    [FAULT_RDY] = { "rdy", "RDY after, or instead of, the banner of a start" },
};

/* ---- words --------------------------------------------------------------- */

struct range {
    const char *name;
    enum fault_kind first, last;
};

static const struct range groups[] = {
    { "all", FAULT_LOST, FAULT_RDY },
    { "bytes", FAULT_LOST, FAULT_INSERTED },
    { "quirks", FAULT_BLANK, FAULT_RDY },
};

static bool is_name(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

static bool find(const char *word, size_t len, struct range *found)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        if (is_name(word, len, fault_infos[i].name)) {
            found->first = found->last = (enum fault_kind)i;
            return true;
        }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (is_name(word, len, groups[i].name)) {
            *found = groups[i];
            return true;
        }
    return false;
}

static bool no_such(const char *word, size_t len, char *why, size_t size)
{
    int n = snprintf(why, size, "there is no fault '%.*s'; there are seed, all, bytes, quirks",
                     (int)len, word);
    size_t at = n > 0 ? (size_t)n : 0;

    for (int i = 0; i < FAULT_KINDS && at < size; i++)
        at += (size_t)snprintf(why + at, size - at, ", %s", fault_infos[i].name);
    return false;
}

static bool read_rate(const char *text, uint32_t *rate)
{
    char *end;
    double value = strtod(text, &end);

    if (*text < '.' || *text > '9' || (*end != ',' && *end != '\0') || !(value <= 1))
        return false;
    *rate = (uint32_t)(value * MILLION + 0.5);
    return true;
}

static bool read_seed(const char *text, uint32_t *seed)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || (*end != ',' && *end != '\0') || value > UINT32_MAX)
        return false;
    *seed = (uint32_t)value;
    return true;
}

static bool read_one(const char *word, size_t len, const char *value, struct fault_plan *plan,
                     char *why, size_t size)
{
    struct range found;
    uint32_t rate;

    if (is_name(word, len, "seed")) {
        plan->seeded = read_seed(value, &plan->seed);
        if (!plan->seeded)
            (void)snprintf(why, size, "seed: a number from 0 to 4294967295 is allowed");
        return plan->seeded;
    }
    if (!find(word, len, &found))
        return no_such(word, len, why, size);
    if (!read_rate(value, &rate)) {
        (void)snprintf(why, size, "%.*s: a rate from 0 to 1 is allowed, such as %.*s=0.01",
                       (int)len, word, (int)len, word);
        return false;
    }
    for (int i = (int)found.first; i <= (int)found.last; i++)
        plan->rate[i] = rate;
    return true;
}

bool fault_read(const char *words, struct fault_plan *plan, char *why, size_t size)
{
    for (const char *at = words;; at++) {
        size_t len = strcspn(at, "=,");
        const char *value = at[len] == '=' ? at + len + 1 : at + len;
        if (!read_one(at, len, value, plan, why, size))
            return false;
        at = value + strcspn(value, ",");
        if (*at == '\0')
            return true;
    }
}

/* ---- dice (splitmix64) ---------------------------------------------------- */

void fault_dice_init(struct fault_dice *dice, uint32_t seed)
{
    dice->state = seed;
}

uint32_t fault_pick(struct fault_dice *dice, uint32_t n)
{
    uint64_t x = dice->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((x ^ x >> 31) % n);
}

bool fault_chance(struct fault_dice *dice, uint32_t of_a_million)
{
    return of_a_million > 0 && fault_pick(dice, MILLION) < of_a_million;
}

void faults_init(struct faults *faults, const struct fault_plan *plan)
{
    memset(faults, 0, sizeof *faults);
    faults->plan = *plan;
    fault_dice_init(&faults->dice, plan->seed);
}

bool fault_strikes(struct faults *faults, enum fault_kind kind)
{
    bool strikes = fault_chance(&faults->dice, faults->plan.rate[kind]);

    faults->counts[kind] += strikes;
    return strikes;
}

/* ---- bytes --------------------------------------------------------------- */

/* Noise on a line likes the bytes that mean something on it. */
static uint8_t any_byte(struct faults *faults)
{
    static const char telling[] = "\r\n\r\n,:\"+>AT=0\x1a\x1b";
    uint32_t n = fault_pick(&faults->dice, 512);

    return (uint8_t)(n < 256 ? n : (uint8_t)telling[n % (sizeof telling - 1)]);
}

size_t fault_bytes(struct faults *faults, const uint8_t *from, size_t len, uint8_t *to,
                   bool *harmed)
{
    size_t n = 0;

    *harmed = false;
    for (size_t i = 0; i < len; i++) {
        if (fault_strikes(faults, FAULT_INSERTED)) {
            to[n++] = any_byte(faults);
            *harmed = true;
        }
        if (fault_strikes(faults, FAULT_LOST)) {
            *harmed = true;
            continue;
        }
        to[n++] = from[i];
        if (fault_strikes(faults, FAULT_FLIPPED)) {
            to[n - 1] ^= (uint8_t)(1u << fault_pick(&faults->dice, 8));
            *harmed = true;
        }
        if (fault_strikes(faults, FAULT_DOUBLED)) {
            to[n] = to[n - 1];
            n++;
            *harmed = true;
        }
    }
    return n;
}

/* The faulty line: two queues of bytes, and what is done to them on their way. */
#include "fault_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CR '\r'
#define RDY "\r\nRDY\r\n"
#define OK "\r\nOK\r\n"

enum {
    COMMAND_KEPT = 64,          /* of a command line: enough for AT+QICFG */
    HELD_MS = 250,              /* an OK waits at most so long for the result before it */
    LATE_MAX_MS = 3000,         /* nothing is later, however much went before it: what a client
                                   takes for lost it can't tell from its twin */
    FEW = 3
};

/* How a reboot falls upon a command. */
enum fate { FATE_NONE, FATE_BEFORE, FATE_AFTER, FATE_ANSWERING, FATE_DATA, FATES };

struct piece {
    struct piece *next;
    uint32_t due;
    size_t at, len;
    bool harmed, framing;
    uint8_t bytes[];
};

struct fault_line {
    struct fault_line_config config;
    struct faults faults;
    struct fault_harm harm;
    struct piece *first, **last;
    size_t waiting;
    uint32_t due;               /* of the last piece: none overtakes it */
    uint32_t quiet_until;       /* a pause between chunks */
    enum virtual_part before;   /* the stretch taken last */
    bool prompted;              /* and no final result since */
    bool spilt, spilt_framing;  /* the piece before was harmed */
    struct fault_text held;     /* an OK that its result overtakes; empty: none */
    uint32_t held_until;
    enum fate fate;
    uint32_t left;              /* bytes or stretches until it's fulfilled */
    uint32_t deaf;              /* lines that the module won't hear */
    bool bare;                  /* and answers with CRLF */
    bool in_line;               /* from the host */
    char typed[COMMAND_KEPT], command[COMMAND_KEPT];
    size_t typed_len, command_len;
};

struct fault_line *fault_line_new(const struct fault_line_config *config,
                                  const struct fault_plan *plan)
{
    struct fault_line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->config = *config;
    line->last = &line->first;
    line->due = line->quiet_until = config->now(config->ctx);
    faults_init(&line->faults, plan);
    return line;
}

void fault_line_free(struct fault_line *line)
{
    if (line == NULL)
        return;
    while (line->first != NULL) {
        struct piece *next = line->first->next;
        free(line->first);
        line->first = next;
    }
    free(line);
}

void fault_line_rates(struct fault_line *line, const struct fault_plan *plan)
{
    line->faults.plan = *plan;
}

const uint64_t *fault_line_counts(const struct fault_line *line)
{
    return line->faults.counts;
}

struct fault_harm fault_line_harm(const struct fault_line *line)
{
    return line->harm;
}

static uint32_t now(const struct fault_line *line)
{
    return line->config.now(line->config.ctx);
}

static bool strikes(struct fault_line *line, enum fault_kind kind)
{
    return fault_strikes(&line->faults, kind);
}

static uint32_t pick(struct fault_line *line, uint32_t n)
{
    return fault_pick(&line->faults.dice, n);
}

static bool due(const struct fault_line *line, uint32_t when)
{
    return (int32_t)(when - now(line)) <= 0;
}

/* ---- onto the line ----------------------------------------------------------- */

/* How much later than `at` the next stretch is due. */
static uint32_t pause(struct fault_line *line, uint32_t at)
{
    uint32_t ms = line->due - at;

    if (strikes(line, FAULT_DELAY))
        ms += 1 + pick(line, 250);
    if (strikes(line, FAULT_LATE))
        ms += 300 + pick(line, LATE_MAX_MS);
    return ms < LATE_MAX_MS ? ms : LATE_MAX_MS;
}

/* `joined`: without a pause, as data are to the line before them. */
static void enqueue(struct fault_line *line, const struct fault_text *text, bool joined,
                    bool framing, bool cut)
{
    struct piece *piece = malloc(sizeof *piece + 3 * text->len + 1);
    uint32_t at = now(line);    /* once: it may go on meanwhile */

    if (piece == NULL)
        return;
    if ((int32_t)(line->due - at) <= 0)
        line->due = at;
    if (!joined)
        line->due = at + pause(line, at);
    piece->next = NULL;
    piece->due = line->due;
    piece->at = 0;
    piece->len = fault_bytes(&line->faults, text->bytes, text->len, piece->bytes,
                             &piece->harmed);
    piece->harmed |= cut;
    piece->framing = framing;
    *line->last = piece;
    line->last = &piece->next;
    line->waiting += piece->len;
}

static void tell(const struct fault_line *line, enum virtual_part part,
                 const struct fault_text *text, bool made, bool lost)
{
    struct fault_unit unit = { part, text->bytes, text->len, made, lost };

    if (line->config.said != NULL)
        line->config.said(line->config.ctx, &unit);
}

/* A stretch as it will be read: told of, then spelled, harmed and on its way. */
static void put(struct fault_line *line, enum virtual_part part, struct fault_text *text,
                bool framing, bool made)
{
    bool noisy = false;

    tell(line, part, text, made, false);
    fault_spell_otherwise(&line->faults, part, text);
    if (part != VIRTUAL_PAYLOAD && part != VIRTUAL_ECHO && strikes(line, FAULT_NOISE)) {
        fault_noise(&line->faults, text);
        noisy = true;
    }
    enqueue(line, text, part == VIRTUAL_PAYLOAD || line->before == VIRTUAL_PAYLOAD, framing,
            noisy);
}

static void release(struct fault_line *line)
{
    if (line->held.len == 0)
        return;
    put(line, VIRTUAL_FINAL, &line->held, false, false);
    line->held.len = 0;
}

/* ---- the module's restarts ----------------------------------------------------- */

static void reboot(struct fault_line *line)
{
    line->fate = FATE_NONE;
    line->prompted = false;
    line->held.len = 0;
    line->deaf = pick(line, FEW);       /* until it has found the speed */
    line->bare = false;
    virtual_reset(line->config.vm);
}

static void decide_fate(struct fault_line *line)
{
    if (line->fate != FATE_NONE || !strikes(line, FAULT_REBOOT))
        return;
    line->fate = (enum fate)(1 + pick(line, FATES - 1));
    line->left = line->fate == FATE_DATA ? COMMAND_KEPT + pick(line, 200) : 1 + pick(line, FEW);
}

/* ---- module to host -------------------------------------------------------------- */

static bool is_ok(const struct fault_text *text)
{
    return text->len == sizeof OK - 1 && memcmp(text->bytes, OK, sizeof OK - 1) == 0;
}

static void say_extra(struct fault_line *line, enum virtual_part part)
{
    struct fault_text text;

    if (part == VIRTUAL_NOISE || part == VIRTUAL_ECHO || part == VIRTUAL_PAYLOAD ||
        line->before == VIRTUAL_PAYLOAD || !strikes(line, FAULT_FOREIGN))
        return;
    fault_foreign(&line->faults, &text);
    put(line, VIRTUAL_LATER, &text, false, true);
}

static void say_setting(struct fault_line *line)
{
    struct fault_text text;

    if (!fault_setting_line(line->command, line->command_len, &text) ||
        !strikes(line, FAULT_CFGLINE))
        return;
    put(line, VIRTUAL_ANSWER, &text, false, false);
}

/* Whether a final result goes another way than onto the line. */
static bool divert_final(struct fault_line *line, const struct fault_text *text)
{
    bool prompted = line->prompted;

    line->prompted = false;
    if (!is_ok(text))
        return false;
    say_setting(line);
    if (prompted && strikes(line, FAULT_SENDONLY)) {
        tell(line, VIRTUAL_FINAL, text, false, true);
        return true;
    }
    if (virtual_ready(line->config.vm) || !strikes(line, FAULT_SWAP))
        return false;
    line->held = *text;
    line->held_until = now(line) + HELD_MS;
    return true;
}

static void add_rdy(struct fault_line *line, struct fault_text *text)
{
    if (!strikes(line, FAULT_RDY))
        return;
    text->len = pick(line, 2) == 0 ? 0 : text->len;
    memcpy(text->bytes + text->len, RDY, sizeof RDY - 1);
    text->len += sizeof RDY - 1;
}

/* The module falls silent in the middle of this stretch. */
static bool dies(struct fault_line *line, enum virtual_part part, struct fault_text *text)
{
    if (line->fate != FATE_ANSWERING || part == VIRTUAL_ECHO || --line->left > 0)
        return false;
    text->len = pick(line, (uint32_t)text->len + 1u);
    enqueue(line, text, true, true, true);
    reboot(line);
    return true;
}

static void pass(struct fault_line *line, enum virtual_part part, struct fault_text *text,
                 bool framing)
{
    if (dies(line, part, text))
        return;
    if (part != VIRTUAL_LATER && part != VIRTUAL_PAYLOAD)
        release(line);
    say_extra(line, part);
    fault_say_otherwise(&line->faults, part, text);
    if (part == VIRTUAL_NOISE)
        add_rdy(line, text);
    if (fault_is_optional(part, text) && strikes(line, FAULT_MISSING)) {
        tell(line, part, text, false, true);
        return;
    }
    line->prompted |= part == VIRTUAL_PROMPT;
    if (part == VIRTUAL_FINAL && divert_final(line, text))
        return;
    put(line, part, text, framing, false);
    if (part == VIRTUAL_LATER && !framing)
        release(line);
}

static void take(struct fault_line *line, enum virtual_part part, size_t len)
{
    struct fault_text text;
    enum virtual_part next;

    text.len = virtual_output(line->config.vm, text.bytes,
                              len < FAULT_TEXT_MAX ? len : FAULT_TEXT_MAX);
    bool announces = virtual_next(line->config.vm, &next) > 0 && next == VIRTUAL_PAYLOAD;
    bool framing = announces || part == VIRTUAL_PAYLOAD || fault_announces(&text) ||
                   (part == VIRTUAL_ECHO && line->prompted);
    pass(line, part, &text, framing);
    line->before = part;
}

static void pull(struct fault_line *line)
{
    enum virtual_part part;
    size_t len;

    while (line->waiting < VIRTUAL_OUT_HIGH &&
           (len = virtual_next(line->config.vm, &part)) > 0)
        take(line, part, len);
    if (line->held.len > 0 && due(line, line->held_until))
        release(line);
}

static void arrives(struct fault_line *line, const struct piece *piece)
{
    bool harmed = piece->harmed || line->spilt;
    bool framing = harmed && (piece->framing || line->spilt_framing);

    line->harm.to_host += harmed;
    line->harm.framing += framing;
    line->spilt = piece->harmed;
    line->spilt_framing = piece->harmed && piece->framing;
}

/* The bytes that are due, up to `max`. */
static size_t take_due(struct fault_line *line, uint8_t *to, size_t max)
{
    size_t n = 0;

    while (line->first != NULL && due(line, line->first->due) && n < max) {
        struct piece *piece = line->first;
        size_t part = piece->len - piece->at < max - n ? piece->len - piece->at : max - n;
        if (piece->at == 0)
            arrives(line, piece);
        memcpy(to + n, piece->bytes + piece->at, part);
        n += part;
        piece->at += part;
        if (piece->at < piece->len)
            break;
        line->first = piece->next;
        if (line->last == &piece->next)
            line->last = &line->first;
        free(piece);
    }
    line->waiting -= n;
    return n;
}

size_t fault_line_output(struct fault_line *line, void *bytes, size_t max)
{
    pull(line);
    if (!due(line, line->quiet_until) || line->first == NULL || max == 0)
        return 0;
    if (strikes(line, FAULT_CHUNKS)) {
        max = 1 + pick(line, (uint32_t)(max < 40 ? max : 40));
        line->quiet_until = now(line) + 1 + pick(line, 20);
    }
    return take_due(line, bytes, max);
}

size_t fault_line_waiting(struct fault_line *line)
{
    pull(line);
    return line->waiting + line->held.len;
}

static void sooner(const struct fault_line *line, uint32_t when, int *timeout)
{
    int32_t left = (int32_t)(when - now(line));

    left = left > 0 ? left : 0;
    if (*timeout < 0 || left < *timeout)
        *timeout = (int)left;
}

int fault_line_timeout_ms(struct fault_line *line)
{
    int timeout = -1;

    pull(line);
    if (line->first != NULL)
        sooner(line, due(line, line->quiet_until) ? line->first->due : line->quiet_until,
               &timeout);
    if (line->held.len > 0)
        sooner(line, line->held_until, &timeout);
    return timeout;
}

/* ---- host to module ---------------------------------------------------------------- */

static void begin_line(struct fault_line *line)
{
    line->in_line = true;
    line->typed_len = 0;
    if (line->deaf == 0 && strikes(line, FAULT_SLEEP)) {
        line->deaf = 1 + pick(line, 2);
        line->bare = pick(line, 2) == 0;
    }
    decide_fate(line);
}

static void end_line(struct fault_line *line, bool heard)
{
    line->in_line = false;
    memcpy(line->command, line->typed, line->typed_len);
    line->command_len = line->typed_len;
    if (!heard) {
        line->deaf--;
        if (line->bare)
            enqueue(line, &(struct fault_text){ 2, "\r\n" }, false, false, false);
    }
    if (line->fate == FATE_BEFORE || line->fate == FATE_AFTER)
        reboot(line);
}

static bool hears(const struct fault_line *line)
{
    return line->deaf == 0 && line->fate != FATE_BEFORE;
}

static void give(struct fault_line *line, uint8_t byte)
{
    uint8_t bytes[4];
    bool harmed;
    size_t n = fault_bytes(&line->faults, &byte, 1, bytes, &harmed);

    line->harm.to_module += harmed;
    (void)virtual_input(line->config.vm, bytes, n);
}

static void keep_typed(struct fault_line *line, uint8_t byte)
{
    if (byte != CR && line->typed_len < sizeof line->typed)
        line->typed[line->typed_len++] = (char)byte;
}

static void input_byte(struct fault_line *line, uint8_t byte)
{
    bool data = virtual_in_data_mode(line->config.vm);

    if (!data && !line->in_line)
        begin_line(line);
    bool heard = data || hears(line);
    if (!data)
        keep_typed(line, byte);
    if (heard)
        give(line, byte);
    if (!data && byte == CR)
        end_line(line, heard || line->fate == FATE_BEFORE);
    if (line->fate == FATE_DATA && --line->left == 0)
        reboot(line);
}

size_t fault_line_input(struct fault_line *line, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    size_t n = 0;

    for (; n < len && virtual_waiting(line->config.vm) < VIRTUAL_OUT_HIGH; n++)
        input_byte(line, at[n]);
    return n;
}

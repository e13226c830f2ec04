/* What some firmware says otherwise than the manual, by the lines it says so in. */
#include "fault_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- texts --------------------------------------------------------------- */

/* Where the first line begins: blank lines stand before it. */
static size_t start(const struct fault_text *text)
{
    size_t at = 0;

    while (at < text->len && (text->bytes[at] == '\r' || text->bytes[at] == '\n'))
        at++;
    return at;
}

bool fault_begins(const struct fault_text *text, const char *with)
{
    size_t at = start(text), len = strlen(with);

    return text->len - at >= len && memcmp(text->bytes + at, with, len) == 0;
}

/* Where the first line ends. */
static size_t end(const struct fault_text *text)
{
    size_t at = start(text);

    while (at < text->len && text->bytes[at] != '\r')
        at++;
    return at;
}

/* Puts `with` in place of `len` bytes. */
static void replace(struct fault_text *text, size_t at, size_t len, const char *with)
{
    size_t n = strlen(with);

    if (text->len - len + n > sizeof text->bytes)
        return;
    memmove(text->bytes + at + n, text->bytes + at + len, text->len - at - len);
    memcpy(text->bytes + at, with, n);
    text->len = text->len - len + n;
}

static size_t find(const struct fault_text *text, size_t from, char c)
{
    size_t stop = end(text);

    while (from < stop && text->bytes[from] != (uint8_t)c)
        from++;
    return from;
}

static unsigned commas(const struct fault_text *text)
{
    unsigned n = 0;

    for (size_t at = find(text, start(text), ','); at < end(text); at = find(text, at + 1, ','))
        n++;
    return n;
}

/* ---- other meanings -------------------------------------------------------- */

static bool close_fail(struct fault_text *text)
{
    replace(text, end(text) - 2, 2, "FAIL");
    return true;
}

static bool other_service(struct fault_text *text)
{
    size_t at = find(text, start(text), '"') + 1;

    replace(text, at, find(text, at, '"') - at, "SSL");
    return true;
}

static bool no_id(struct fault_text *text)
{
    size_t at = find(text, start(text), ',') + 1;
    size_t quote = find(text, at, '"');

    if (quote + 1 >= end(text) || text->bytes[quote + 1] != 'b')
        return false;
    replace(text, at, end(text) - at, "buff full");
    return true;
}

static bool count_one(struct fault_text *text)
{
    size_t at = find(text, find(text, start(text), ',') + 1, ',') + 1;

    if (at > end(text))
        return false;
    replace(text, at, end(text) - at, "1,0");
    return true;
}

/* The summary when no reply came has four fields, and a reply an address. */
static bool no_summary(struct fault_text *text)
{
    if (commas(text) != 3 || find(text, start(text), '"') < end(text))
        return false;
    replace(text, start(text), end(text) - start(text), "+QPING: 569");
    return true;
}

static bool other_time(struct fault_text *text)
{
    size_t quote = find(text, start(text), '"') + 1;

    if ((text->bytes[quote] & 1u) != 0)
        replace(text, quote, 0, "20");
    else
        replace(text, find(text, quote, '+'), 0, ":07");
    return true;
}

/* ---- other spellings -------------------------------------------------------- */

static bool no_space(struct fault_text *text)
{
    size_t at = find(text, start(text), ':');

    if (at + 1 >= end(text) || text->bytes[at + 1] != ' ')
        return false;
    replace(text, at + 1, 1, "");
    return true;
}

/* Digits of an address, and nothing else, in quotes. */
static bool no_quotes(struct fault_text *text)
{
    for (size_t at = find(text, start(text), '"'); at < end(text);) {
        size_t to = find(text, at + 1, '"');
        size_t i = at + 1;
        bool dotted = false;
        for (; i < to && (isxdigit(text->bytes[i]) || strchr(".:", text->bytes[i]) != NULL); i++)
            dotted |= !isxdigit(text->bytes[i]);
        if (i == to && to < end(text) && dotted) {
            replace(text, to, 1, "");
            replace(text, at, 1, "");
            return true;
        }
        at = find(text, to + 1, '"');
    }
    return false;
}

static bool more_fields(struct fault_text *text)
{
    replace(text, end(text), 0, ",0,\"more\"");
    return true;
}

/* "\r\n> " without its space; blank lines, or none, and a line's end are edits of their own. */
static bool prompt_alone(struct fault_text *text)
{
    if (text->bytes[text->len - 1] != ' ')
        return false;
    text->len--;
    return true;
}

static bool prompt_line(struct fault_text *text)
{
    replace(text, text->len, 0, "\r\n");
    return true;
}

static bool echo_lf(struct fault_text *text)
{
    if (text->len == 0 || text->bytes[text->len - 1] != '\r')
        return false;
    replace(text, text->len, 0, "\n");
    return true;
}

static bool no_blank(struct fault_text *text)
{
    replace(text, 0, start(text), "");
    return true;
}

static bool blank(struct fault_text *text)
{
    replace(text, 0, 0, "\r\n");
    return true;
}

/* ---- which where ------------------------------------------------------------ */

struct edit {
    enum fault_kind kind;
    unsigned parts;
    const char *begins;
    bool (*apply)(struct fault_text *text);  /* false: there was nothing to change */
};

#define PART(part) (1u << VIRTUAL_##part)
#define LINES (PART(ANSWER) | PART(LATER))

static const struct edit meanings[] = {
    { FAULT_CLOSEFAIL, PART(LATER), "CLOSE OK", close_fail },
    { FAULT_SERVICE, PART(ANSWER), "+QISTATE: ", other_service },
    { FAULT_BUFFFULL, PART(LATER), "+QIURC: \"recv\",", no_id },
    { FAULT_DNSCOUNT, PART(LATER), "+QIURC: \"dnsgip\",0,", count_one },
    { FAULT_PING, PART(LATER), "+QPING: 0,", no_summary },
    { FAULT_TIME, PART(LATER), "+QNTP: 0,\"", other_time },
};

static const struct edit spellings[] = {
    { FAULT_NOSPACE, LINES, "+", no_space },
    { FAULT_UNQUOTED, LINES, "+", no_quotes },
    { FAULT_FIELDS, PART(ANSWER), "+QISTATE:", more_fields },
    { FAULT_PROMPT, PART(PROMPT), ">", prompt_alone },
    { FAULT_PROMPT, PART(PROMPT), ">", prompt_line },
    { FAULT_PROMPT, PART(PROMPT), ">", no_blank },
    { FAULT_ECHOLF, PART(ECHO), "AT", echo_lf },
    { FAULT_NOBLANK, PART(FINAL), "", no_blank },
    { FAULT_BLANK, LINES | PART(FINAL) | PART(PROMPT), "", blank },
};

static void edit(struct faults *faults, const struct edit *edits, size_t n,
                 enum virtual_part part, struct fault_text *text)
{
    for (size_t i = 0; i < n; i++) {
        if ((edits[i].parts & 1u << part) == 0 || !fault_begins(text, edits[i].begins) ||
            !fault_strikes(faults, edits[i].kind))
            continue;
        if (!edits[i].apply(text))
            faults->counts[edits[i].kind]--;
    }
}

void fault_say_otherwise(struct faults *faults, enum virtual_part part, struct fault_text *text)
{
    edit(faults, meanings, sizeof meanings / sizeof meanings[0], part, text);
}

void fault_spell_otherwise(struct faults *faults, enum virtual_part part,
                           struct fault_text *text)
{
    edit(faults, spellings, sizeof spellings / sizeof spellings[0], part, text);
}

/* ---- whole lines ------------------------------------------------------------- */

bool fault_setting_line(const char *command, size_t len, struct fault_text *text)
{
    static const char head[] = "AT+QICFG=\"";
    const size_t quote = sizeof head - 1;

    if (len <= quote || memcmp(command, head, quote) != 0 || memchr(command, ',', len) == NULL)
        return false;
    int n = snprintf((char *)text->bytes, sizeof text->bytes, "\r\n+QICFG: \"%.*s\r\n",
                     (int)(len - quote), command + quote);
    text->len = n > 0 ? (size_t)n : 0;
    return true;
}

bool fault_is_optional(enum virtual_part part, const struct fault_text *text)
{
    return part == VIRTUAL_ANSWER &&
           (fault_begins(text, "+QIDNSCFG:") || fault_begins(text, "Revision:"));
}

bool fault_announces(const struct fault_text *text)
{
    return fault_begins(text, "+QIRD:") || fault_begins(text, "+QIURC: \"recv\"");
}

void fault_foreign(struct faults *faults, struct fault_text *text)
{
    static const char *const lines[] = {
        "+CEREG: 5", "+CEREG: 1,\"1A2B\",\"01C3D4E5\",7", "+IP: 10.18.237.42", "+IP: 2001:db8::1",
        "+CPIN: READY", "+QNBIOTEVENT: \"ENTER PSM\"", "+QATWAKEUP", "+CSCON: 0",
    };
    const char *line = lines[fault_pick(&faults->dice, sizeof lines / sizeof lines[0])];
    int n = snprintf((char *)text->bytes, sizeof text->bytes, "\r\n%s\r\n", line);

    text->len = n > 0 ? (size_t)n : 0;
}

/* Neither any line's end nor any text is made of them. */
void fault_noise(struct faults *faults, struct fault_text *text)
{
    size_t at = start(text), room = end(text) - at;

    for (uint32_t n = 1 + fault_pick(&faults->dice, 3); n > 0 && room > 0; n--) {
        uint32_t noise = fault_pick(&faults->dice, 128);
        text->bytes[at + fault_pick(&faults->dice, (uint32_t)room)] =
            noise == 0 ? 0 : (uint8_t)(0x80u + noise);
    }
}

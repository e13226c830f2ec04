/* What a line begins with, looked up in a table: a third of the flash of the head machine,
 * which takes a byte at a time with no search. */
#include "at/module.h"

#define CAME_A 0xffffu /* 'A' came, with which no head begins */

enum {
    UNBEGUN = 0,
    TABLE_END = 0xff,
    OPTIONAL_SPACE = 1,
    POSITION_BITS = 6
};

static bool folds_to(uint8_t c, char letter)
{
    return (c | 0x20u) == (uint8_t)letter;
}

/* The same place in the next head that begins with the same `n` characters; 0: there's none. */
static unsigned next_alike(const uint8_t *heads, unsigned at, unsigned n)
{
    do {
        while (heads[at] != 0) {
            at++;
        }
        at += 2; /* behind the index, where the next begins */
        if (heads[at] == TABLE_END || heads[at] < n) {
            return 0;
        }
    } while (heads[at++] > n);
    return at;
}

/* Whether the byte belongs to a head; *at goes on to what it wants next. */
static bool take_byte(const uint8_t *heads, unsigned *at, unsigned *n, const uint8_t *p)
{
    bool ending = *n > 0 && p[-1] == '\r';
    while (*at != 0) {
        uint8_t want = heads[*at];
        if (want == '\n' && *p == '\r') {
            return true;
        }
        bool optional = want == OPTIONAL_SPACE;
        if (optional || want == *p) {
            ++*at;
            ++*n;
            if (!optional || *p == ' ') {
                return true;
            }
        } else {
            *at = ending ? 0 : next_alike(heads, *at, *n);
        }
    }
    return false;
}

int at_head_search(const uint8_t *heads, uint16_t *state, const uint8_t **p, const uint8_t *end)
{
    unsigned at = *state == UNBEGUN ? 1 : *state >> POSITION_BITS;
    unsigned n = *state & ((1u << POSITION_BITS) - 1u);
    for (; *p < end; ++*p) {
        uint8_t c = **p;
        if (*state == UNBEGUN && c == '>') {
            ++*p;
            return AT_HEAD_PROMPT;
        }
        if ((n == 1 || *state == CAME_A) && folds_to(c, 't') && folds_to((*p)[-1], 'a')) {
            ++*p;
            return AT_HEAD_ECHO;
        }
        if (*state == CAME_A) {
            return AT_HEAD_NONE;
        }
        if (take_byte(heads, &at, &n, *p)) {
            if (heads[at] == 0) {
                ++*p;
                return heads[at + 1u];
            }
            *state = (uint16_t)(at << POSITION_BITS | n);
        } else if (*state == UNBEGUN && folds_to(c, 'a')) {
            *state = CAME_A;
        } else {
            return AT_HEAD_NONE;
        }
    }
    return AT_HEAD_MORE;
}

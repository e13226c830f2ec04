#include "fuzz.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MODULE_HEADER
#define MODULE_HEADER "bc26_module.h"
#define MODULE bc26
#define MODULE_GRAMMAR bc26_grammar
#endif

#include MODULE_HEADER

const struct at_grammar *const fuzz_grammar = &MODULE_GRAMMAR;
const struct at_module *const fuzz_module = &MODULE;

void finding(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("finding: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

/* Inputs ---------------------------------------------------------------------------------- */

static uint8_t take_choice(struct input *in)
{
    return in->len > 0 ? (uint8_t)(in->text[--in->len] - '0') : 0;
}

uint32_t choose_word(struct input *in)
{
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) {
        word = word << 8 | take_choice(in);
    }
    return word;
}

uint32_t choose(struct input *in, uint32_t n)
{
    uint32_t chosen = take_choice(in);
    if (n > 256) {
        chosen = chosen << 8 | take_choice(in);
    }
    return chosen % n;
}

size_t take_text(struct input *in, uint8_t *to, size_t n)
{
    n = n < in->len ? n : in->len;
    if (n > 0) {
        memcpy(to, in->text, n);
    }
    in->text += n;
    in->len -= n;
    return n;
}

void choose_settings(struct input *in, uint8_t *settings, bool unknown)
{
    /* An index too far finds what changes the framing. */
    memset(settings, 1, SETTINGS_MAX);
    for (unsigned i = 0; i < fuzz_module->nsettings; i++) {
        const struct at_setting *setting = &fuzz_module->settings[i];
        for (unsigned slot = 0; slot < setting->slots; slot++) {
            uint32_t value = choose(in, setting->max + 1u + unknown);
            settings[setting->slot + slot] = value > setting->max ? AT_UNKNOWN : (uint8_t)value;
        }
    }
}

void *exactly(const void *bytes, size_t n)
{
    void *copy = malloc(n);
    if (copy == NULL && n > 0) {
        abort();
    }
    if (n > 0 && bytes != NULL) {
        memcpy(copy, bytes, n);
    }
    return copy;
}

/* What the spec says ---------------------------------------------------------------------- */

int head_length(const char *head, bool command, const uint8_t *text, size_t len)
{
    size_t at = 0;
    for (; *head != '\0'; head++) {
        if (at < len && (text[at] == (uint8_t)*head || (command && toupper(text[at]) == *head))) {
            at++;
        } else if (*head != ' ') {
            return -1;
        }
    }
    return (int)at;
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_spelled(struct at_str text, const char *set)
{
    size_t i = 0;
    while (i < text.len && is_one_of((uint8_t)text.ptr[i], set)) {
        i++;
    }
    return i == text.len;
}

static bool is_carried(struct at_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == ';') {
            return false;
        }
    }
    return true;
}

static bool is_quad(struct at_str text)
{
    char buf[16];
    unsigned a, b, c, d;
    int end = 0;
    if (text.len >= sizeof buf || !is_spelled(text, "0123456789.")) {
        return false;
    }
    memcpy(buf, text.ptr, text.len);
    buf[text.len] = '\0';
    return sscanf(buf, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &end) == 4 && (size_t)end == text.len &&
           a < 256 && b < 256 && c < 256 && d < 256;
}

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool is_legal_text(const struct at_kind *kind, struct at_str text)
{
    if (text.ptr == NULL || text.len < (uint32_t)kind->min || text.len > kind->max ||
        !is_carried(text)) {
        return false;
    }
    if (kind->type == AT_HOST) {
        return text.len > 0 && is_spelled(text, DIGITS LETTERS ".-_:");
    }
    if (kind->type == AT_IP) {
        return memchr(text.ptr, ':', text.len) != NULL
                   ? is_spelled(text, DIGITS "abcdefABCDEF.:")
                   : is_quad(text);
    }
    return true;
}

bool is_legal(const struct at_param *param, const void *member)
{
    const struct at_kind *kind = param->kind;
    int32_t number;
    uint32_t big;
    struct at_str text;
    switch (kind->type) {
    case AT_INT:
        memcpy(&number, member, sizeof number);
        return number >= kind->min && (int64_t)number <= (int64_t)kind->max &&
               (kind->supported == INT32_MIN || number == kind->supported);
    case AT_UINT:
        memcpy(&big, member, sizeof big);
        return (int64_t)big >= kind->min && big <= kind->max;
    case AT_CHOICE:
        memcpy(&number, member, sizeof number);
        return number >= 0 && number < kind->nvalues;
    case AT_STRING:
    case AT_HOST:
    case AT_IP:
    case AT_TEXT:
        memcpy(&text, member, sizeof text);
        return is_legal_text(kind, text);
    default:
        return true;
    }
}

bool is_inline(const struct at_record *record, const uint8_t *settings)
{
    const struct at_payload *payload = record->rare->payload;
    return payload->inline_slot != AT_UNKNOWN && settings[payload->inline_slot] == 1;
}

const struct at_record *payload_shape(const struct at_record *record)
{
    for (unsigned i = 0; i < fuzz_module->nrecords; i++) {
        const struct at_record *shape = &fuzz_module->records[i];
        if (shape->id == record->id && shape->rare->payload != NULL) {
            return shape;
        }
    }
    return NULL;
}

int32_t payload_of(const struct at_record *record, const uint8_t *settings, const union value *line)
{
    const struct at_payload *payload = record->rare->payload;
    int32_t key;
    if (payload != NULL && payload->when_slot != AT_UNKNOWN && payload->when_slots > 1 &&
        (!line_int(fuzz_module, record, line, payload->when_key, &key) || key < 0 ||
         key >= payload->when_slots)) {
        return -1;
    }
    return announced(fuzz_module, record, settings, line);
}

const struct at_record *final_record(enum at_outcome outcome)
{
    for (unsigned i = 0; i < fuzz_module->nrecords; i++) {
        const struct at_record *record = &fuzz_module->records[i];
        if (record->kind == AT_KIND_FINAL && record->outcome == outcome && record->nfields == 0) {
            return record;
        }
    }
    return NULL;
}

/* Where a number or a text may stand, a text of digits alone is a number. */
static void spell_texts(const struct at_record *record, union value *meant)
{
    for (unsigned i = 0; i < record->nfields; i++) {
        const struct at_field *field = &record->fields[i];
        struct at_str text;
        if (fuzz_module->params[field->param].kind->type != AT_TEXT || !is_present(field, meant)) {
            continue;
        }
        memcpy(&text, member_of(field, meant), sizeof text);
        if (is_spelled(text, DIGITS "-") && text.len > 0) {
            ((char *)(uintptr_t)text.ptr)[0] = 'x';
        }
    }
}

size_t make_line(struct picker *p, const struct at_record *record, const uint8_t *settings,
                 union value *meant, char *text, size_t size)
{
    pick_line(p, fuzz_module, record, settings, group_depth(record->fields, (uint8_t)record->nfields),
              meant);
    if (record->kind == AT_KIND_TEST) {
        struct at_str range = {"(0-1)", 5};
        memcpy(meant, &range, sizeof range);
    }
    spell_texts(record, meant);
    int n = at_record_encode(fuzz_module, record, meant, text, size, NULL);
    return n > 0 ? (size_t)n : 0;
}

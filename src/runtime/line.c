/* Lines of the module's, decoded. */
#include "at/codec.h"

#include <string.h>

#include "fields.h"
#include "text.h"

/* The text of a test answer stands behind the colon of its head. */
static void decode_test(const struct at_line *line, void *out)
{
    struct at_str *text = out;
    const uint8_t *colon = line->len > 0 ? memchr(line->text, ':', line->len) : NULL;
    size_t at = colon != NULL ? (size_t)(colon - line->text) + 1u : line->len;
    if (at < line->len && line->text[at] == ' ') {
        at++;
    }
    text->ptr = (const char *)line->text + at;
    text->len = line->len - at;
}

int at_line_decode(const struct at_line *line, void *out)
{
    const struct at_record *record = line->record;
    struct at_shape shape = at_record_shape(line->module, record);
    if (record->kind == AT_KIND_TEST) {
        decode_test(line, out);
        return AT_OK;
    }
    memset(out, 0, record->size);
    at_fields_decode(&shape, line->text, line->marks, line->nmarks, out);
    return AT_OK;
}

bool at_line_int(const struct at_line *line, uint16_t param, int32_t *value)
{
    const struct at_record *record = line->record;
    uint8_t i = at_field_index(record->fields, record->nfields, param);
    if (i >= record->nfields || i >= line->nmarks || line->marks[i].kind != AT_MARK_INT) {
        return false;
    }
    const struct at_mark *mark = &line->marks[i];
    return at_parse_int(line->text + mark->begin, (size_t)(mark->end - mark->begin), value);
}

bool at_setting_slot(const struct at_effect *effect, int32_t key, int32_t value, uint8_t *slot)
{
    if (value < 0 || value > effect->max) {
        return false;
    }
    if (effect->slots > 1 && (key < 0 || key >= effect->slots)) {
        return false;
    }
    *slot = (uint8_t)(effect->slot + (effect->slots > 1 ? key : 0));
    return true;
}

int32_t at_choice_of(struct at_str text, const char *const *strings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (at_text_equal((const uint8_t *)text.ptr, text.len, strings[i])) {
            return (int32_t)i;
        }
    }
    return -1;
}

void at_line_learn(const struct at_line *line, uint8_t *settings)
{
    for (unsigned i = 0; i < line->record->rare->neffects; i++) {
        const struct at_effect *effect = &line->record->rare->effects[i];
        int32_t key = 0;
        int32_t value;
        uint8_t slot;
        if (effect->slots > 1 && !at_line_int(line, effect->key, &key)) {
            continue;
        }
        if (at_line_int(line, effect->value, &value) &&
            at_setting_slot(effect, key, value, &slot)) {
            settings[slot] = (uint8_t)value;
        }
    }
}

int at_hex_decode(const uint8_t *src, size_t len, uint8_t *dst)
{
    if (len % 2u != 0) {
        return AT_E_SYNTAX;
    }
    for (size_t i = 0; i < len; i += 2u) {
        int high = at_hex_digit(src[i]);
        int low = at_hex_digit(src[i + 1u]);
        if (high < 0 || low < 0) {
            return AT_E_SYNTAX;
        }
        dst[i / 2u] = (uint8_t)(high << 4 | low);
    }
    return (int)(len / 2u);
}

void at_hex_encode(const uint8_t *src, size_t len, char *dst)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        dst[2u * i] = digits[src[i] >> 4];
        dst[2u * i + 1u] = digits[src[i] & 0x0fu];
    }
}

static bool is_alpha(uint8_t c)
{
    return at_is_alnum(c) && c > '9';
}

/* "AT" alone, an extended command, or basic commands: a letter and a number each. */
bool at_is_command_line(const uint8_t *text, size_t len)
{
    if (len < 2 || (text[0] | 0x20) != 'a' || (text[1] | 0x20) != 't') {
        return false;
    }
    size_t i = 2;
    while (i < len && is_alpha(text[i])) {
        i++;
        size_t digits = i;
        while (i < len && (text[i] >= '0' && text[i] <= '9')) {
            i++;
        }
        /* Letters in a row are a word, and no word is a command. */
        if (i == digits && i < len && is_alpha(text[i])) {
            return false;
        }
    }
    static const char extended[] = {'+', '&', '=', '?', '$', '%', '*', '^', '#'};
    return i == len || memchr(extended, text[i], sizeof extended) != NULL;
}

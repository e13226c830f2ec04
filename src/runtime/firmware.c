/* Names of firmware, and what they say. */
#include "at/firmware.h"

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* All the digits at *at; UINT16_MAX when they are more than that. */
static uint16_t number(struct at_str text, size_t *at)
{
    uint32_t value = 0;
    for (; *at < text.len && is_digit(text.ptr[*at]); ++*at) {
        value = value * 10 + (uint32_t)(text.ptr[*at] - '0');
        if (value > UINT16_MAX) {
            value = UINT16_MAX;
        }
    }
    return (uint16_t)value;
}

/* Whether the text has a name of this series at `at`; its numbers go to *out. */
static bool matches(const char *pattern, struct at_str text, size_t at, struct at_firmware *out)
{
    out->count = 0;
    for (; *pattern != '\0'; pattern++) {
        if (at == text.len) {
            return false;
        }
        char c = text.ptr[at];
        if (*pattern == '#') {
            if (!is_digit(c) || out->count == AT_FIRMWARE_NUMBERS) {
                return false;
            }
            out->numbers[out->count++] = number(text, &at);
        } else if (*pattern == '?' ? is_letter(c) : c == *pattern) {
            at++;
        } else {
            return false;
        }
    }
    return true;
}

static bool begins_word(struct at_str text, size_t at)
{
    return at == 0 || !(is_letter(text.ptr[at - 1]) || is_digit(text.ptr[at - 1]));
}

int at_firmware_parse(const char *const *series, size_t nseries, struct at_str revision,
                      struct at_firmware *out)
{
    for (size_t at = 0; at < revision.len; at++) {
        for (size_t i = 0; i < nseries && begins_word(revision, at); i++) {
            if (matches(series[i], revision, at, out)) {
                out->series = (uint8_t)(i + 1);
                return AT_OK;
            }
        }
    }
    out->series = 0;
    out->count = 0;
    return AT_E_SYNTAX;
}

int at_firmware_compare(const struct at_firmware *firmware, const uint16_t *numbers)
{
    for (size_t i = 0; i < firmware->count; i++) {
        if (firmware->numbers[i] != numbers[i]) {
            return firmware->numbers[i] < numbers[i] ? -1 : 1;
        }
    }
    return 0;
}

bool at_firmware_has(const struct at_firmware_bound *bounds, size_t nbounds,
                     const struct at_firmware *firmware, uint16_t feature)
{
    for (size_t i = 0; i < nbounds; i++) {
        if (bounds[i].feature == feature && bounds[i].series == firmware->series) {
            int order = at_firmware_compare(firmware, bounds[i].numbers);
            if (bounds[i].last ? order > 0 : order < 0) {
                return false;
            }
        }
    }
    return true;
}

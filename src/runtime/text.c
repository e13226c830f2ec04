#include "text.h"

bool at_parse_uint(const uint8_t *text, size_t len, uint32_t *value)
{
    uint32_t sum = 0;
    if (len == 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        uint32_t digit = (uint32_t)(text[i] - '0');
        if (sum > UINT32_MAX / 10u || (sum == UINT32_MAX / 10u && digit > UINT32_MAX % 10u)) {
            return false;
        }
        sum = sum * 10u + digit;
    }
    *value = sum;
    return true;
}

bool at_parse_int(const uint8_t *text, size_t len, int32_t *value)
{
    bool negative = len > 0 && text[0] == '-';
    uint32_t limit = negative ? (uint32_t)INT32_MAX + 1u : (uint32_t)INT32_MAX;
    uint32_t sum;
    if (!at_parse_uint(text + negative, len - negative, &sum) || sum > limit) {
        return false;
    }
    *value = negative ? (sum == limit ? INT32_MIN : -(int32_t)sum) : (int32_t)sum;
    return true;
}

size_t at_format_uint(uint32_t value, char *out)
{
    /* By subtraction: small processors have no division, and its code is larger than this. */
    static const uint32_t units[] = {1000000000u, 100000000u, 10000000u, 1000000u, 100000u,
                                     10000u,      1000u,      100u,      10u,      1u};
    size_t n = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        char digit = '0';
        while (value >= units[i]) {
            value -= units[i];
            digit++;
        }
        if (n > 0 || digit > '0' || units[i] == 1u) {
            out[n++] = digit;
        }
    }
    return n;
}

bool at_is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int at_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20u;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool at_is_printable(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20u || text[i] > 0x7eu) {
            return false;
        }
    }
    return true;
}

bool at_is_host(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text[i];
        if (!at_is_alnum(c) && c != '.' && c != '-' && c != '_' && c != ':') {
            return false;
        }
    }
    return len > 0;
}

bool at_is_ip(const uint8_t *text, size_t len)
{
    bool separated = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' || text[i] == ':') {
            separated = true;
        } else if (at_hex_digit(text[i]) < 0) {
            return false;
        }
    }
    return separated;
}

static bool is_dotted_quad(const uint8_t *text, size_t len)
{
    unsigned numbers = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= len; i++) {
        uint32_t value;
        if (i < len && text[i] != '.') {
            continue;
        }
        if (i - begin > 3 || !at_parse_uint(text + begin, i - begin, &value) || value > 255u) {
            return false;
        }
        numbers++;
        begin = i + 1u;
    }
    return numbers == 4;
}

bool at_is_address(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ':') {
            return at_is_ip(text, len);
        }
    }
    return is_dotted_quad(text, len);
}

size_t at_length(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0') {
        n++;
    }
    return n;
}

bool at_text_equal(const uint8_t *text, size_t len, const char *expected)
{
    for (size_t i = 0; i < len; i++) {
        if (expected[i] == '\0' || (uint8_t)expected[i] != text[i]) {
            return false;
        }
    }
    return expected[len] == '\0';
}

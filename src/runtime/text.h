/* Characters and numbers, as they stand on the wire. */
#ifndef AT_TEXT_H
#define AT_TEXT_H

#include "at/types.h"

enum { AT_ESC = 0x1b };

/* Parse -?[0-9]+ ; false when it doesn't fit. */
bool at_parse_int(const uint8_t *text, size_t len, int32_t *value);
bool at_parse_uint(const uint8_t *text, size_t len, uint32_t *value);

/* Decimal digits of a number; room for 10. Returns how many. */
size_t at_format_uint(uint32_t value, char *out);

bool at_is_printable(const uint8_t *text, size_t len);
/* Letters, digits and '.', '-', '_', ':'. */
bool at_is_host(const uint8_t *text, size_t len);
/* Hexadecimal digits, '.' and ':', with at least one of the latter two. */
bool at_is_ip(const uint8_t *text, size_t len);
/* Such a text that can be an address: four numbers up to 255, or with a colon. */
bool at_is_address(const uint8_t *text, size_t len);
bool at_is_alnum(uint8_t c);
/* 0 to 15, or -1. */
int at_hex_digit(uint8_t c);

bool at_text_equal(const uint8_t *text, size_t len, const char *expected);

/* Length of a NUL-terminated text. */
size_t at_length(const char *text);

#endif

/* JSON as the tool prints it: flat objects, one a line. */
#ifndef AT_JSON_H
#define AT_JSON_H

#include <stdint.h>
#include <stdio.h>

/* A string; bytes outside printable ASCII become \u00XX. */
void json_string(FILE *out, const void *text, size_t len);

/* A string of lower-case hexadecimal digits. */
void json_hex(FILE *out, const uint8_t *data, size_t len);

#endif

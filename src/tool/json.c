#include "json.h"

void json_string(FILE *out, const void *text, size_t len)
{
    const unsigned char *p = text;
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"' || p[i] == '\\') {
            fprintf(out, "\\%c", p[i]);
        } else if (p[i] < 0x20 || p[i] > 0x7e) {
            fprintf(out, "\\u%04x", p[i]);
        } else {
            fputc(p[i], out);
        }
    }
    fputc('"', out);
}

void json_hex(FILE *out, const uint8_t *data, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        fprintf(out, "%02x", data[i]);
    }
    fputc('"', out);
}

/* The shared field scanner: finds the fields of any line, whatever its record. */
#ifndef AT_SCAN_H
#define AT_SCAN_H

#include "at/codec.h"

enum at_scan_result {
    AT_SCAN_MORE, /* give it the next bytes */
    AT_SCAN_STOP, /* behind the comma after the field `stop`; may go on */
    AT_SCAN_END,  /* behind the LF that ends the line */
    AT_SCAN_ERROR /* at a byte that fits no field */
};

/* What the scanner keeps between calls. */
struct at_scan {
    struct at_mark *marks; /* AT_FIELDS_MAX of them, offsets from the line's first byte */
    uint16_t cs;
    uint8_t nmarks;
    uint8_t rest; /* this field runs to the end of the line, or AT_UNKNOWN */
    uint8_t stop; /* return behind the comma after so many fields, or AT_UNKNOWN */
};

/* Begin with the first field, whose first byte is at `begin` of the line. */
void at_scan_start(struct at_scan *scan, struct at_mark *marks, size_t begin, uint8_t rest,
                   uint8_t stop);

/* Scan from *p, which is `offset` bytes into the line, to end; leave *p at the
 * next byte to scan. `line` is where all before *p stands. */
enum at_scan_result at_scan(struct at_scan *scan, const uint8_t *line, size_t offset,
                            const uint8_t **p, const uint8_t *end);

#endif

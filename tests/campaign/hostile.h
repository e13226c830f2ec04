/* Bytes as a stranger would choose them: what the module says, what the host says, what
 * ends and quotes, and noise. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "fault.h"

/* Fills `len` bytes; returns len. */
size_t hostile_bytes(struct fault_dice *dice, uint8_t *to, size_t len);

#endif

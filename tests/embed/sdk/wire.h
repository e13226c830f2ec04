/* What the stand-ins of all SDKs are made of: a UART whose other end is the socket at
 * descriptor 0, with an interrupt that is a thread; and one lock that knows who has it.
 * What breaks a rule ends the program with status 3. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* From now on `interrupt` is called, in a thread of its own, with what comes in odd pieces. */
void wire_start(void (*interrupt)(const uint8_t *data, size_t n));
void wire_send(const void *data, size_t n);
bool wire_in_interrupt(void);

void lock_take(void);
void lock_give(void);
bool lock_is_mine(void);

/* Milliseconds of a device that has been up for nearly 2^32 of them. They are long ones, so
 * that no deadline is missed where the machine is busy. */
uint64_t uptime_ms(void);

void rule(bool kept, const char *what);

/* Holds two conversations at once, in a thread each. */
void wire_both(void *(*talk)(void *), const char *one, const char *other);

/* Bytes between the interrupt and a thread. */
size_t fifo_put(const void *data, size_t n);
size_t fifo_get(void *data, size_t n);
size_t fifo_count(void);
bool fifo_wait(uint32_t ms);

#ifdef __cplusplus
}
#endif

#endif

/* UART 0 of an mps2-an385, by interrupts. Received bytes go, as this is compiled,
 * through a ring of the driver's, or (UART_WINDOW) straight to where uart_receive_to said,
 * as a DMA would put them there. With no room the receiver rests, and the other side waits:
 * on a board that's what RTS is for. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_init(void);
uint32_t uart_now(void); /* ms */

/* Takes what it has room for. */
size_t uart_send(const uint8_t *data, size_t n);

/* Sleeps until something came, or a millisecond passed in which nothing did. With UART_WINDOW
 * or UART_LAZY what came may wait for more, as long as there's room. */
void uart_sleep(void);

#ifdef UART_WINDOW
/* From now on bytes go there; until uart_received, which says how many came. */
void uart_receive_to(uint8_t *to, size_t room);
size_t uart_received(void);
#else
/* Bytes that came, up to n. */
size_t uart_take(uint8_t *to, size_t n);
#endif

uint32_t uart_lost(void); /* bytes that came while the receiver was still full */

#endif

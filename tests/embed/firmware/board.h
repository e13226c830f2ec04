/* A Cortex-M without anything else: start, and a debugger that listens. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#define WORD(address) (*(volatile uint32_t *)(address))

/* What the vector table calls; those that a program doesn't define end it. */
void systick_interrupt(void);
void uart_receive_interrupt(void);
void uart_send_interrupt(void);

int main(void);

/* Over semihosting. */
void board_say(const char *text);
void board_exit(int status) __attribute__((noreturn));

#endif

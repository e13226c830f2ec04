/* QEMU's "virt": memory at 0x80000000, where it also starts. */
#include <stdint.h>

#include "log.h"

#define UART_DATA (*(volatile uint8_t *)0x10000000)
#define FINISHER (*(volatile uint32_t *)0x100000)

enum { FINISHER_PASS = 0x5555 };

int main(void);

__asm__(".section .start, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "    la sp, stack_top\n"
        "    call main\n"
        "1:  j 1b\n");

void log_begin(void)
{
}

void log_line(const char *line)
{
    while (*line != '\0') {
        UART_DATA = (uint8_t)*line++;
    }
}

void log_end(void)
{
    FINISHER = FINISHER_PASS;
}

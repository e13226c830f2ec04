#include "board.h"

#include <string.h>

extern uint32_t data_begin[], data_end[], data_stored[], bss_begin[], bss_end[], stack_top[];

void reset(void);
void unexpected(void);

void systick_interrupt(void) __attribute__((weak, alias("unexpected")));
void uart_receive_interrupt(void) __attribute__((weak, alias("unexpected")));
void uart_send_interrupt(void) __attribute__((weak, alias("unexpected")));

/* The processor's own exceptions, then the board's: UART 0 has the first two. */
static const struct {
    uint32_t *stack;
    void (*handlers[17])(void);
} vectors __attribute__((section(".vectors"), used)) = {
    stack_top,
    {reset,      unexpected, unexpected, unexpected, unexpected, unexpected,
     unexpected, unexpected, unexpected, unexpected, unexpected, unexpected,
     unexpected, unexpected, systick_interrupt, uart_receive_interrupt, uart_send_interrupt},
};

void reset(void)
{
    memcpy(data_begin, data_stored, (size_t)((char *)data_end - (char *)data_begin));
    memset(bss_begin, 0, (size_t)((char *)bss_end - (char *)bss_begin));
    board_exit(main());
}

void unexpected(void)
{
    board_say("board: an exception that nobody expected\n");
    board_exit(1);
}

/* Semihosting --------------------------------------------------------------- */

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

static void call_debugger(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void board_say(const char *text)
{
    call_debugger(SYS_WRITE0, text);
}

void board_exit(int status)
{
    const uint32_t reason[2] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        call_debugger(SYS_EXIT_EXTENDED, reason);
    }
}

/* Through the first UART, as fast as the simulator takes it; asleep for good it ends. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "log.h"

void log_begin(void)
{
    UCSR0B = 1 << TXEN0;
}

void log_line(const char *line)
{
    while (*line != '\0') {
        while ((UCSR0A & (1 << UDRE0)) == 0) {
        }
        UDR0 = (uint8_t)*line++;
    }
}

void log_end(void)
{
    cli();
    sleep_mode();
}

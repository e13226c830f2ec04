/* Over semihosting; ../firmware/board.c starts. */
#include "firmware/board.h"
#include "log.h"

void log_begin(void)
{
}

void log_line(const char *line)
{
    board_say(line);
}

void log_end(void)
{
}

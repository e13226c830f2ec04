/* The pace of a UART. */
#include "at_posix.h"

/* A byte is ten bits, and a second a million microseconds. */
#define BYTE_COST 10000000u

void at_posix_pacer_init(struct at_posix_pacer *pacer, uint32_t baud, uint32_t now)
{
    pacer->baud = baud;
    pacer->then = now;
    pacer->credit = 0;
}

/* Counts the time that has passed since the last count. */
static void earn(struct at_posix_pacer *pacer, uint32_t now)
{
    /* However slow the line, a whole byte must fit, and a part of the next. */
    uint64_t most = (uint64_t)pacer->baud * AT_POSIX_PACER_BURST * 1000u + BYTE_COST;

    pacer->credit += (uint64_t)(now - pacer->then) * pacer->baud;
    pacer->then = now;
    if (pacer->credit > most)
        pacer->credit = most;
}

size_t at_posix_pacer_allowed(struct at_posix_pacer *pacer, uint32_t now)
{
    if (pacer->baud == 0)
        return SIZE_MAX;
    earn(pacer, now);
    return (size_t)(pacer->credit / BYTE_COST);
}

void at_posix_pacer_spend(struct at_posix_pacer *pacer, size_t count)
{
    uint64_t cost = (uint64_t)count * BYTE_COST;

    pacer->credit = cost < pacer->credit ? pacer->credit - cost : 0;
}

void at_posix_pacer_idle(struct at_posix_pacer *pacer, uint32_t now)
{
    pacer->then = now;
}

int at_posix_pacer_wait_ms(struct at_posix_pacer *pacer, uint32_t now)
{
    if (at_posix_pacer_allowed(pacer, now) > 0)
        return 0;
    uint64_t per_ms = 1000u * (uint64_t)pacer->baud;
    return (int)((BYTE_COST - pacer->credit + per_ms - 1) / per_ms);
}

/* Shared by the files of this folder, and by nobody else. */
#ifndef AT_POSIX_INTERNAL_H
#define AT_POSIX_INTERNAL_H

#include "at_posix.h"

#if defined(__GNUC__)
#define AT_POSIX_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define AT_POSIX_PRINTF(at, first)
#endif

/* Writes the sentence into `why`, unless that is NULL. */
void at_posix_say(struct at_posix_why *why, const char *format, ...)
    AT_POSIX_PRINTF(2, 3);

/* at_posix_signals_fd() if that was called, else -1. */
int at_posix_signals_watched(void);

/* Raw, 8N1, no flow control, no modem lines. */
void at_posix_make_raw(struct termios *tty);

#endif

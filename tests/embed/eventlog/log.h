/* Where a machine's log goes: each has a file here that says so. */
#ifndef LOG_H
#define LOG_H

/* Once, after each line (a text with its '\n'), and once at the end. */
void log_begin(void);
void log_line(const char *line);
void log_end(void);

/* The cases lie in flash, which some machines can't read as memory. */
#ifdef __AVR__
#include <avr/pgmspace.h>
#define IN_FLASH PROGMEM
#define FLASH_BYTE(at) pgm_read_byte(at)
#else
#define IN_FLASH
#define FLASH_BYTE(at) (*(at))
#endif

#endif

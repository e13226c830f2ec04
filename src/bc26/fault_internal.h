/* Shared by the files of the faulty line, and by nobody else. */
#ifndef BC26_FAULT_INTERNAL_H
#define BC26_FAULT_INTERNAL_H

#include "fault_line.h"

#define FAULT_TEXT_MAX 4096u    /* a stretch: at most a payload, 1500 bytes in hexadecimal */

/* A stretch that is being changed. */
struct fault_text {
    size_t len;
    uint8_t bytes[FAULT_TEXT_MAX + 64u];
};

/* What firmware says otherwise: its meaning changes, or how it's spelled. */
void fault_say_otherwise(struct faults *faults, enum virtual_part part, struct fault_text *text);
void fault_spell_otherwise(struct faults *faults, enum virtual_part part,
                           struct fault_text *text);

/* The line that a setting answers with, from its command line; false if that sets none. */
bool fault_setting_line(const char *command, size_t len, struct fault_text *text);

/* Whether an answer may do without this line. */
bool fault_is_optional(enum virtual_part part, const struct fault_text *text);

/* Whether the line may announce data. */
bool fault_announces(const struct fault_text *text);

bool fault_begins(const struct fault_text *text, const char *with);

/* A URC that no command of this manual brings. */
void fault_foreign(struct faults *faults, struct fault_text *text);

/* Bytes of a wrong speed in a line. */
void fault_noise(struct faults *faults, struct fault_text *text);

#endif

/* The parts of encoding. */
#ifndef AT_WRITE_H
#define AT_WRITE_H

#include "at/codec.h"

/* Whether the members of a struct may go on the wire: AT_OK or AT_E_ARGUMENT. */
int at_fields_check(const struct at_param *params, const struct at_field *fields, uint8_t n,
                    const void *value, struct at_fault *fault);

/* Write what may. Return the length, or AT_E_SPACE with nothing written. */
int at_form_write(const struct at_module *module, const struct at_form *form, bool hex,
                  const void *request, char *buf, size_t size);
int at_record_write(const struct at_module *module, const struct at_record *record,
                    const void *value, char *buf, size_t size);

#endif

/* What is checked before a struct is encoded. Both return AT_OK or AT_E_ARGUMENT. */
#ifndef AT_ARGUMENTS_H
#define AT_ARGUMENTS_H

#include "at/codec.h"

/* Fields but for data. */
int at_fields_check(const struct at_param *params, const struct at_field *fields, uint8_t n,
                    const void *value, struct at_fault *fault);

/* The data of a form that has some. */
int at_data_check(const struct at_module *module, const struct at_form *form, bool hex,
                  const void *request, struct at_fault *fault);

#endif

/* Structs to lines. They are checked in arguments.c before write.c writes a byte: three files,
 * as functions that a compiler melts into one stand on the stack together. */
#include "write.h"

#include "fields.h"

int at_form_encode(const struct at_module *module, const struct at_form *form,
                   const uint8_t *settings, const void *request, char *buf, size_t size,
                   struct at_fault *fault)
{
    const struct at_data *data = form->rare->data;
    int hex = data != NULL ? at_data_hex(data, settings) : 0;
    int status = hex < 0 ? hex
                         : at_fields_check(module->params, form->fields, form->nfields, request,
                                           fault);
    if (status == AT_OK && data != NULL) {
        status = data->check(module, form, hex != 0, request, fault);
    }
    return status < 0 ? status : at_form_write(module, form, hex != 0, request, buf, size);
}

#ifndef AT_NO_NAMES /* the host says none of these lines */

/* How many members a shape of the line would say. */
static uint8_t count_said(const struct at_record *record, const void *value)
{
    uint8_t n = 0;
    for (uint8_t i = 0; i < record->nfields; i++) {
        n = (uint8_t)(n + (record->fields[i].offset != AT_NO_MEMBER &&
                           at_present(&record->fields[i], value)));
    }
    return n;
}

static uint8_t most_said(const struct at_module *module, uint16_t id, const void *value)
{
    uint8_t most = 0;
    for (uint16_t i = 0; i < module->nrecords; i++) {
        uint8_t n = module->records[i].id == id ? count_said(&module->records[i], value) : 0;
        most = n > most ? n : most;
    }
    return most;
}

/* The shape of the line that says all that the value holds, or NULL. */
static const struct at_record *choose_shape(const struct at_module *module,
                                            const struct at_record *record, const void *value,
                                            struct at_fault *fault)
{
    uint8_t most = most_said(module, record->id, value);
    for (uint16_t i = 0; i < module->nrecords; i++) {
        const struct at_record *shape = &module->records[i];
        if (shape->id == record->id && count_said(shape, value) == most &&
            at_fields_check(module->params, shape->fields, shape->nfields, value, fault) == AT_OK) {
            return shape;
        }
    }
    return NULL;
}

int at_record_encode(const struct at_module *module, const struct at_record *record,
                     const void *value, char *buf, size_t size, struct at_fault *fault)
{
    const struct at_record *shape = choose_shape(module, record, value, fault);
    return shape == NULL ? AT_E_ARGUMENT : at_record_write(module, shape, value, buf, size);
}

#endif

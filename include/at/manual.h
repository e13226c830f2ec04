/**
 * @file manual.h
 * What people read of a module's manual, beside its descriptors: the generated
 * NAME_manual.c. Nothing in the runtime needs it, so firmware need not carry it.
 */
#ifndef AT_MANUAL_H
#define AT_MANUAL_H

#include "at/module.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A value that has a meaning of its own. */
struct at_manual_value {
    int32_t value;    /**< the number; of an AT_CHOICE, the index */
    const char *name; /**< on the wire: digits, or the text without its quotes */
    const char *text; /**< its meaning */
};

struct at_manual_param {
    const char *path;            /**< of its node in the spec; "": it has none */
    const char *doc;
    const char *unit;            /**< "" when it has none */
    const char *left_out;        /**< what the module takes when it's left out, or "" */
    const struct at_manual_value *values;
    uint16_t nvalues;            /**< 0: any in the range of the at_param */
};

/** Parameters stand as the fields of the form or record do; NULL for a literal. */
struct at_manual_form {
    const char *path;            /**< of its node in the spec */
    const char *syntax;
    const char *doc;
    const struct at_manual_param *const *params;
};

struct at_manual_record {
    const char *path;            /**< of its node in the spec */
    const char *doc;
    const struct at_manual_param *const *params;
};

struct at_manual_command {
    const char *name;              /**< at_form.command */
    const char *section;
    const char *doc;
    const char *const *notes;      /**< NULL-terminated; NULL: none */
};

struct at_manual {
    const char *title;
    const char *document;
    const struct at_manual_command *commands; /**< in the manual's order */
    const struct at_manual_form *forms;       /**< as at_module.forms */
    const struct at_manual_record *records;   /**< as at_module.records */
    const struct at_manual_param *const *settings; /**< as at_module.settings; NULL: none */
    uint16_t ncommands;
    uint16_t firmware;           /**< form whose answer has the firmware's name, or AT_NONE */
};

#ifdef __cplusplus
}
#endif

#endif

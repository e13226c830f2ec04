/**
 * @file request.h
 * A command and its arguments as people write them, COMMAND[.FORM] [NAME=VALUE]...,
 * into the request that a form takes.
 */
#ifndef AT_REQUEST_H
#define AT_REQUEST_H

#include <stdio.h>

#include "tool.h"

enum {
    REQUEST_DATA_MAX = 65536,
    REQUEST_SHOWN = 60 /**< characters of what was typed that a message shows */
};

/** What people type for a parameter where it isn't called as in the manual. */
struct request_label {
    const char *param;  /**< NULL ends a list */
    const char *typed;  /**< such as `-c` or `HOST` */
};

struct request {
    const struct tool *tool;
    const struct request_label *labels; /**< for messages, which name both; or NULL */
    const uint8_t *settings;    /**< that hold, for data whose format depends on one */
    bool typed;                 /**< by hand: a command's name in any case, data with the escapes of
                                     request_unescape, and their length may be left to them */
    const struct at_form *form;
    bool open_length;           /**< it was left to the data */
    union {
        uint8_t bytes[TOOL_REQUEST_MAX];
        void *align;
        int64_t align_too;
    } value;                    /**< what at_call.request points to */
    uint8_t data[REQUEST_DATA_MAX]; /**< that stand in the text in another way than on the wire */
};

/**
 * `tool`, `settings` and `typed` are set before. Texts are those of argv; the dot behind the
 * command's name becomes a NUL.
 * @return TOOL_DONE; TOOL_USAGE or TOOL_NO after a message to stderr
 */
int request_parse(struct request *request, int argc, char **argv);

/** Whether a line on the wire holds a command that the spec knows, whatever its arguments. */
bool request_is_known(const struct tool *tool, const char *line);

/**
 * As request_parse, of a command line as it stands on the wire, without its CR. Texts are those
 * of `line`.
 * @return TOOL_DONE; TOOL_USAGE or TOOL_NO after a message to stderr
 */
int request_wire(struct request *request, const char *line);

/** Says what the manual doesn't allow, before anything is sent. @return TOOL_DONE or TOOL_NO */
int request_check(const struct request *request);

/** Whether data have to be given before it can be sent. */
bool request_lacks_data(const struct request *request);

/**
 * Give the data that go at the prompt, with escapes.
 * @return TOOL_DONE; TOOL_NO after a message to stderr
 */
int request_set_data(struct request *request, const char *text);

/** Of `\r \n \t \0 \xNN`, and a backslash before any other sign, the bytes that are meant.
 *  `out` has room for strlen(text). @return their number, or -1: \x without two digits */
int request_unescape(const char *text, uint8_t *out);

/** Print what a parameter of this form may be: `allowed is 1 to 10`. */
void request_allowed(FILE *out, const struct request *request, const struct at_param *param);

/** Which field of the form an argument NAME=VALUE is for: the name's case only counts where two
 *  names differ in nothing else. @return its index, or -1 */
int request_field(const struct at_module *module, const struct at_form *form, const char *argument);

/** A command's name without the AT+ that stands before it on the wire. */
const char *request_bare_name(const char *name);

/** Print `COMMAND.FORM NAME= [NAME=]`, with what may be left out in brackets. */
void request_print_form(FILE *out, const struct at_module *module, const struct at_form *form);

/** Print which argument is refused, why, and what is allowed. @return TOOL_NO */
int request_refuse(const struct request *request, const struct at_fault *fault);

/** Whether this field holds data that are sent at the prompt, not in the line. */
bool request_at_prompt(const struct at_form *form, const struct at_field *field);

#endif

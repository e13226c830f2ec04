/**
 * @file request.h
 * A command and its arguments as people write them, COMMAND[.FORM] [NAME=VALUE]...,
 * into the request that a form takes.
 */
#ifndef AT_REQUEST_H
#define AT_REQUEST_H

#include "tool.h"

enum { REQUEST_DATA_MAX = 65536 };

struct request {
    const struct tool *tool;
    const uint8_t *settings;    /**< that hold, for data whose format depends on one */
    const struct at_form *form;
    union {
        uint8_t bytes[TOOL_REQUEST_MAX];
        void *align;
        int64_t align_too;
    } value;                    /**< what at_call.request points to */
    uint8_t hex[REQUEST_DATA_MAX];
};

/**
 * `tool` and `settings` are set before. Texts are those of argv; the dot behind the
 * command's name becomes a NUL.
 * @return TOOL_DONE; TOOL_USAGE or TOOL_NO after a message to stderr
 */
int request_parse(struct request *request, int argc, char **argv);

/** Print which argument is refused, why, and what is allowed. @return TOOL_NO */
int request_refuse(const struct request *request, const struct at_fault *fault);

/** Whether this field holds data that are sent at the prompt, not in the line. */
bool request_at_prompt(const struct at_form *form, const struct at_field *field);

#endif

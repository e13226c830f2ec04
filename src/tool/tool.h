/**
 * @file tool.h
 * The command-line tool over any generated module. A module's own program
 * names its descriptors and adds commands of its own.
 */
#ifndef AT_TOOL_H
#define AT_TOOL_H

#include "at/at.h"

/** Exit status of every command. */
enum tool_exit {
    TOOL_DONE = 0,
    TOOL_NO = 1,   /**< the answer is no: a refused argument, an ERROR */
    TOOL_USAGE = 2 /**< the call's words are off, or a file can't be read */
};

struct tool;

/** What stands before the command. */
struct tool_options {
    const char *port; /**< a serial port's path or HOST:PORT; NULL: none was given */
    uint32_t baud;    /**< bit/s of a serial port */
    bool trace;       /**< show both directions on stderr */
};

struct tool_command {
    const char *name;
    const char *summary; /**< one line for --help */
    int (*run)(const struct tool *tool, int argc, char **argv);
    bool works;          /**< through a module, so it needs --port */
};

struct tool {
    const char *name; /**< of the program */
    const char *version;
    const struct at_module *module;
    const struct at_grammar *grammar;
    const struct at_manual *manual;
    const struct tool_command *commands;
    size_t ncommands;
    const struct tool_options *options; /**< tool_main fills it in */
};

/** Dispatch to a command; --help and --version. @return exit status */
int tool_main(const struct tool *tool, int argc, char **argv);

/** Print `name: message` to stderr. @return TOOL_USAGE */
int tool_usage(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Whether the first argument is --help or -h. */
bool tool_asks_for_help(int argc, char **argv);

/** A decimal number from 0 to `max`, and nothing else. */
bool tool_number(const char *text, unsigned long max, unsigned long *value);

/**
 * At the end of what prints to stdout. @return `status`; TOOL_USAGE after a message when it
 * couldn't be written
 */
int tool_printed(const struct tool *tool, int status);

int tool_decode(const struct tool *tool, int argc, char **argv);
int tool_encode(const struct tool *tool, int argc, char **argv);
int tool_monitor(const struct tool *tool, int argc, char **argv);
int tool_probe(const struct tool *tool, int argc, char **argv);
int tool_shell(const struct tool *tool, int argc, char **argv);

/**
 * Apply one NAME=VALUE, such as view_mode=1 or access_mode[0]=1.
 * @return TOOL_DONE, or TOOL_USAGE after a message
 */
int tool_set(const struct tool *tool, const char *assignment, uint8_t *settings);

/** Settings as the manual says they are at first. */
void tool_initial_settings(const struct at_module *module, uint8_t *settings);

/** Speed of a serial port unless --baud says otherwise. */
#define TOOL_BAUD 115200u

/** Largest setting table and request that the tool can hold. */
#define TOOL_SETTINGS_MAX 256u
#define TOOL_REQUEST_MAX 1024u

#endif

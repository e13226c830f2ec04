/**
 * @file shell.h
 * The shell's parts among themselves: reading lines, and running them.
 */
#ifndef AT_SHELL_H
#define AT_SHELL_H

#include "channel.h"
#include "shell_edit.h"
#include "shell_view.h"

enum { SHELL_LINE_SIZE = 70000 };

struct shell {
    struct channel channel;
    const struct tool *tool;
    struct view view;
    struct request request;
    struct edit *edit;  /* NULL: a script */
    uint32_t wait_ms;   /* for answers that the spec doesn't know */
    bool doubt;         /* what the module is doing, and how it's set */
    bool noted;         /* that a command isn't in the spec */
    bool interrupted;   /* what is under way is given up */
    bool broken;        /* the script holds what no line can */
    bool quit;
    int signal;         /* that ends the shell */
    unsigned long line; /* of the script */
    uint8_t answer[REQUEST_DATA_MAX];
    char text[SHELL_LINE_SIZE];
};

/** The words that the shell has besides commands, with an empty one at the end. */
extern const struct own_word shell_words[];

/** Read a line, or the script's next, into `text`. */
enum heard shell_read_line(struct shell *shell, const char *prompt, bool command);

/** Run what is in `text`. @return TOOL_DONE; TOOL_NO or TOOL_USAGE after a message */
int shell_run_line(struct shell *shell);

/** Open the port if it was lost, and read settings that aren't known. Messages likewise. */
int shell_prepare(struct shell *shell);

/** The port was lost: says so. */
void shell_lose_port(struct shell *shell);

/** A signal came: Ctrl-C gives up what is under way; of a script, all of it. */
void shell_take_signal(struct shell *shell, int number);

#endif

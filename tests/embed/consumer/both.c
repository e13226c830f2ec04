/* Both sides in one program, each from its own file: the module's side understands what the
 * host's encodes, and the host's what the module's answers. With MODULE_ALONE the module's. */
#include "bc26_module.h"
#ifndef MODULE_ALONE
#include "bc26.h"
#endif

#include <stdio.h>
#include <string.h>

#ifdef MODULE_ALONE
static int encode(char *line, size_t size)
{
    static const char command[] = "AT+QIRD=2,100\r";
    return sizeof command <= size ? (int)strlen(strcpy(line, command)) : -1;
}

static void hear(const char *line, int n)
{
    printf("said %.*s\n", n, line);
}
#else
static int encode(char *line, size_t size)
{
    static uint8_t settings[BC26_SETTINGS];
    struct bc26_qird request;
    memset(&request, 0, sizeof request);
    request.connect_id = 2;
    request.read_length = 100;
    return bc26_qird_encode(settings, &request, line, size, NULL);
}

static void on_event(void *ctx, const struct at_event *event)
{
    (void)ctx;
    if (event->type == AT_EVENT_LINE) {
        printf("said %.*s\n", (int)event->line->len, (const char *)event->line->text);
    }
}

static void hear(const char *line, int n)
{
    static struct at_stream stream;
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
    (void)at_stream_init(&stream, &bc26, settings, window, sizeof window, on_event, NULL);
    at_stream_feed(&stream, (const uint8_t *)line, (size_t)n);
    at_stream_feed(&stream, (const uint8_t *)"\r\n", 2);
}
#endif

int main(void)
{
    static const uint8_t settings[BC26_SETTINGS];
    char line[BC26_COMMAND_MAX];
    struct at_command command;
    union bc26_request request;
    int n = encode(line, sizeof line);
    int status = at_command_parse(&bc26_grammar, settings, (const uint8_t *)line, (size_t)n - 1,
                                  &command, NULL);
    printf("parsed %d as form %d\n", status, command.form == &bc26.forms[BC26_FORM_QIRD]);
    (void)at_command_decode(&bc26_grammar, &command, &request);
    printf("asks for %ld of %ld\n", (long)request.qird.read_length, (long)request.qird.connect_id);

    struct bc26_closed_urc closed;
    memset(&closed, 0, sizeof closed);
    closed.connect_id = 2;
    n = bc26_closed_urc_encode(&closed, line, sizeof line, NULL);
    hear(line, n);
    return 0;
}

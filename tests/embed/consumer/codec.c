/* A program that has the stream parser and the codec alone: what a capture says, and the bytes
 * of a command. */
#include "bc26.h"

#include <stdio.h>
#include <string.h>

static void on_event(void *ctx, const struct at_event *event)
{
    (void)ctx;
    if (event->type == AT_EVENT_PAYLOAD) {
        printf("payload %u, %u to come\n", (unsigned)event->len, (unsigned)event->remaining);
    } else if (event->type == AT_EVENT_LINE) {
        printf("line %.*s\n", (int)event->line->len, (const char *)event->line->text);
    } else {
        printf("event %d\n", (int)event->type);
    }
}

int main(void)
{
    static const char capture[] = "+QIRD: 4\r\nOK\r\n\r\nOK\r\n+QIURC: \"closed\",3\r\n+WHAT: 1\r\n";
    static struct at_stream stream;
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS]; /* the manual's defaults */
    (void)at_stream_init(&stream, &bc26, settings, window, sizeof window, on_event, NULL);
    at_stream_feed(&stream, (const uint8_t *)capture, sizeof capture - 1);

    struct bc26_qird request;
    char line[BC26_COMMAND_MAX];
    memset(&request, 0, sizeof request);
    request.read_length = 512;
    int n = bc26_qird_encode(settings, &request, line, sizeof line, NULL);
    printf("encoded %.*s\n", n - 1, line);
    return 0;
}

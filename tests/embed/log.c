/* What README.md shows of the stream parser alone, whole: it reads what a module said from a
 * log on its input, and prints what arrived where. Compile it with bc26.c of bc26-codec. */
#include "bc26.h"

#include <stdio.h>
#include <string.h>

static void on_event(void *ctx, const struct at_event *event);

static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
static struct at_stream stream;

int main(void)
{
    uint8_t bytes[256];
    size_t n;

    memset(settings, AT_UNKNOWN, sizeof settings);
    settings[BC26_SETTING_RECV_DATA_FORMAT] = BC26_DATA_FORMAT_TEXT; /* how the module was configured */
    settings[BC26_SETTING_VIEW_MODE] = BC26_VIEW_MODE_LINE;
    settings[BC26_SETTING_SHOW_LENGTH] = BC26_SHOW_LENGTH_HIDDEN;
    memset(settings + BC26_SETTING_ACCESS_MODE, BC26_ACCESS_MODE_PUSH, 5); /* one for each socket */
    at_stream_init(&stream, &bc26_lines, settings, window, sizeof window, on_event, NULL);
    while ((n = fread(bytes, 1, sizeof bytes, stdin)) > 0) {
        at_stream_feed(&stream, bytes, n);
    }
    at_stream_finish(&stream);
    return 0;
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct bc26_recv_urc received;
    (void)ctx;
    if (event->type == AT_EVENT_LINE && bc26_recv_urc_decode(event->line, &received) == AT_OK) {
        printf("socket %d:\n", (int)received.connect_id);
    } else if (event->type == AT_EVENT_PAYLOAD) { /* as on the wire, in pieces */
        printf("    %.*s\n", (int)event->len, (const char *)event->data);
    } else if (event->type == AT_EVENT_UNKNOWN) {
        printf("not understood: %.*s\n", (int)event->len, (const char *)event->data);
    }
}

/* What README.md shows, whole: a program that reads a socket. It is compiled by
 * the tests, and meant to be read. */
#include "bc26.h"

#include <string.h>

int uart_write(void *ctx, const uint8_t *data, size_t n);
int uart_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms);
uint32_t millis(void *ctx);
void on_urc(void *ctx, const struct at_line *line);
void on_payload(void *ctx, const struct at_record *record, const uint8_t *data, size_t n,
                size_t remaining);
int read_socket(uint8_t *data, size_t size);
void on_uart_bytes(const uint8_t *data, size_t n);
uint32_t poll_client(void);

static struct at_client client;

void on_uart_bytes(const uint8_t *data, size_t n)
{
    while (n > 0) {
        size_t room;
        uint8_t *to = at_client_reserve(&client, &room);
        room = room < n ? room : n;
        memcpy(to, data, room); /* or let the DMA write there */
        at_client_commit(&client, room);
        data += room;
        n -= room;
    }
}

uint32_t poll_client(void)
{
    uint32_t next_call_ms;
    next_call_ms = at_client_poll(&client); /* from the main loop, never from an interrupt */
    return next_call_ms;
}

int read_socket(uint8_t *data, size_t size)
{
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
    static char command[BC26_COMMAND_MAX], text[160];

    const struct at_client_config config = {
        .module = &bc26,
        .write = uart_write, .read = uart_read, .now = millis,
        .urc = on_urc, .payload = on_payload,
        .window = window, .window_size = sizeof window,
        .command = command, .command_size = sizeof command,
        .text = text, .text_size = sizeof text,
        .settings = settings,
    };
    if (at_client_init(&client, &config) != AT_OK) {
        return -1;
    }

    struct bc26_qiopen open = {
        .context_id = 1, .connect_id = 0, .service_type = BC26_SERVICE_TYPE_TCP,
        .host = {"220.180.239.212", 15}, .remote_port = 8062,
        .has_local_port = true, .local_port = 0,
        .has_access_mode = true, .access_mode = BC26_ACCESS_MODE_BUFFER,
    };
    struct bc26_qiopen_result opened;
    int status = bc26_qiopen(&client, &open, &opened);
    if (status < 0) {
        return status;
    }

    struct bc26_qird read = {.connect_id = 0, .read_length = 512};
    struct bc26_qird_response answer;
    status = bc26_qird(&client, &read, &answer, data, size);
    return status < 0 ? status : answer.actual_read_length;
}

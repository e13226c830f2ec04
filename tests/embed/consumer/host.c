/* A host's program over a module that always says the same: it prints what goes out, what
 * comes in, and what became of it. Whoever built the library, it prints the same. */
#include "bc26.h"

#include <stdio.h>
#include <string.h>

/* What the module answers to command lines that begin so. */
static const struct {
    const char *command;
    const char *answer;
} script[] = {
    {"AT+QICFG=\"viewmode\"", "\r\n+QICFG: \"viewmode\",0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"dataformat\"", "\r\n+QICFG: \"dataformat\",0,0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"showlength\"", "\r\n+QICFG: \"showlength\",0\r\n\r\nOK\r\n"},
    {"AT+QICFG=\"echomode\"", "\r\n+QICFG: \"echomode\",0\r\n\r\nOK\r\n"},
    {"AT+QIOPEN", "\r\nOK\r\n\r\n+QIOPEN: 0,0\r\n\r\n+QIURC: \"recv\",0\r\n"},
    {"AT+QIRD", "\r\n+QIRD: 12\r\n\r\nOK\r\nhello\n\r\n\r\nOK\r\n\r\n+QIURC: \"closed\",0\r\n"},
    {"AT+QICLOSE", "\r\n+CME ERROR: 50\r\n"},
    {"AT", "\r\nOK\r\n"},
};

static char pending[256]; /* what the module has said and nobody has read */

static void show(const char *what, const void *data, size_t n)
{
    const unsigned char *bytes = data;
    printf("%s ", what);
    for (size_t i = 0; i < n; i++) {
        printf(bytes[i] >= 0x20 && bytes[i] < 0x7f ? "%c" : "\\x%02x", bytes[i]);
    }
    printf("\n");
}

static int uart_write(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    show("->", data, n);
    for (size_t i = 0; i < sizeof script / sizeof script[0]; i++) {
        size_t len = strlen(script[i].command);
        if (n >= len && memcmp(data, script[i].command, len) == 0) {
            strcat(pending, script[i].answer);
            break;
        }
    }
    return (int)n;
}

static int uart_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    size_t len = strlen(pending);
    (void)ctx;
    (void)wait_ms;
    n = n < len ? n : len;
    memcpy(data, pending, n);
    memmove(pending, pending + n, len - n + 1);
    return (int)n;
}

static uint32_t millis(void *ctx)
{
    static uint32_t now;
    (void)ctx;
    return now += 10; /* nothing waits for real */
}

static void on_urc(void *ctx, const struct at_line *line)
{
    (void)ctx;
    show("urc", line->text, line->len);
}

int main(void)
{
    static struct at_client client;
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
    static char command[BC26_COMMAND_MAX], text[160];
    struct at_client_config config;
    memset(&config, 0, sizeof config);
    config.module = &bc26;
    config.write = uart_write;
    config.read = uart_read;
    config.now = millis;
    config.urc = on_urc;
    config.window = window;
    config.window_size = sizeof window;
    config.command = command;
    config.command_size = sizeof command;
    config.text = text;
    config.text_size = sizeof text;
    config.settings = settings;
    printf("init %d\n", at_client_init(&client, &config));

    struct bc26_qiopen open;
    struct bc26_qiopen_result opened;
    memset(&open, 0, sizeof open);
    memset(&opened, 0, sizeof opened);
    open.context_id = 1;
    open.service_type = BC26_SERVICE_TYPE_TCP;
    open.host.ptr = "192.0.2.1";
    open.host.len = 9;
    open.remote_port = 7;
    open.has_local_port = true;
    open.has_access_mode = true;
    open.access_mode = BC26_ACCESS_MODE_BUFFER;
    printf("open %d", bc26_qiopen(&client, &open, &opened));
    printf(" err %ld\n", (long)opened.err);

    struct bc26_qird read;
    struct bc26_qird_response answer;
    static uint8_t data[64];
    memset(&read, 0, sizeof read);
    memset(&answer, 0, sizeof answer);
    read.read_length = sizeof data;
    printf("read %d", bc26_qird(&client, &read, &answer, data, sizeof data));
    printf(" length %ld\n", (long)answer.actual_read_length);
    show("data", data, (size_t)answer.actual_read_length);

    struct bc26_qiclose close;
    memset(&close, 0, sizeof close);
    printf("close %d", bc26_qiclose(&client, &close));
    printf(" error %ld\n", (long)client.error);

    read.read_length = 513; /* more than the manual allows: nothing goes out */
    printf("refused %d\n", bc26_qird(&client, &read, &answer, data, sizeof data));
#ifdef AT_NO_NAMES
    printf("name left out\n");
#else
    printf("name %s\n", bc26.forms[BC26_FORM_QIRD].command);
#endif
    return 0;
}

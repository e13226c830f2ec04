/* Opens a TCP socket through a BC26 at Serial1, sends a line, prints what comes, closes.
 * SPDX-License-Identifier: MIT */
#include <bc26_sockets.h>

static const char SERVER[] = "192.0.2.1"; /* yours */
static const int32_t SERVER_PORT = 7;

/* Tick. */
static uint32_t modemNow(void *ctx)
{
    (void)ctx;
    return static_cast<uint32_t>(millis());
}

/* UART: the core's interrupt fills the buffer of Serial1. */
static int modemRead(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    const uint32_t begun = modemNow(ctx);
    while (Serial1.available() <= 0 && modemNow(ctx) - begun < wait_ms) {
        yield();
    }
    size_t got = 0;
    while (got < n && Serial1.available() > 0) {
        data[got++] = static_cast<uint8_t>(Serial1.read());
    }
    return static_cast<int>(got);
}

static int modemWrite(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    return static_cast<int>(Serial1.write(data, n));
}

/* No lock: there are no threads. These are used by setup and loop, and by no interrupt. */
static at_client client;
static bc26_sockets sockets;

static int modemInit()
{
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
    static char command[200], text[64];
    at_client_config config = {};
    config.module = &bc26;
    config.write = modemWrite;
    config.read = modemRead;
    config.now = modemNow;
    config.window = window;
    config.window_size = sizeof window;
    config.command = command;
    config.command_size = sizeof command;
    config.text = text;
    config.text_size = sizeof text;
    config.settings = settings;

    bc26_sockets_config onTop = {};
    onTop.client = &client;

    const int status = at_client_init(&client, &config);
    return status == AT_OK ? bc26_sockets_init(&sockets, &onTop) : status;
}

static int talk(const char *line, size_t size)
{
    struct bc26_qiopen server = {}; /* the function has the same name */
    server.context_id = 1;
    server.service_type = BC26_SERVICE_TYPE_TCP;
    server.host.ptr = SERVER;
    server.host.len = sizeof SERVER - 1;
    server.remote_port = SERVER_PORT;

    const int handle = bc26_socket_open(&sockets, &server);
    if (handle < 0) {
        return handle;
    }
    uint8_t answer[128];
    int status = bc26_socket_send(&sockets, handle, line, size);
    while (status > 0) { /* 0: the server closed, and this was all */
        status = bc26_socket_recv(&sockets, handle, answer, sizeof answer, 10000);
        if (status > 0) {
            Serial.write(answer, static_cast<size_t>(status));
        }
    }
    (void)bc26_socket_close(&sockets, handle);
    return status;
}

void setup()
{
    static const char line[] = "hello\n";
    Serial.begin(115200);
    Serial1.begin(9600);
    int status = modemInit();
    if (status == AT_OK) {
        status = talk(line, sizeof line - 1);
    }
    Serial.print("done: ");
    Serial.println(status);
}

void loop()
{
    (void)at_client_wait(&client, 0); /* what comes unasked is taken in time */
    (void)bc26_sockets_poll(&sockets);
}

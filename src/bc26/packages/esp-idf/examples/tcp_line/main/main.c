/* Opens a TCP socket through a BC26, sends a line, prints what comes, closes.
 * SPDX-License-Identifier: MIT */
#include "bc26_sockets.h"

#include "driver/uart.h"
#include "esp_err.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"

#include <stdio.h>

#define SERVER "192.0.2.1" /* yours */
#define SERVER_PORT 7

#define MODEM_UART UART_NUM_1
#define MODEM_TX 17 /* as your board is wired */
#define MODEM_RX 18

/* UART: the driver's interrupt fills its buffer and says so in the queue. */
static QueueHandle_t events;
static unsigned overruns;

static void uart_start(void)
{
    const uart_config_t config = {
        .baud_rate = 9600,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    ESP_ERROR_CHECK(uart_driver_install(MODEM_UART, 2048, 0, 16, &events, 0));
    ESP_ERROR_CHECK(uart_param_config(MODEM_UART, &config));
    ESP_ERROR_CHECK(uart_set_pin(MODEM_UART, MODEM_TX, MODEM_RX, UART_PIN_NO_CHANGE,
                                 UART_PIN_NO_CHANGE));
}

static int modem_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
    (void)ctx;
    int got = uart_read_bytes(MODEM_UART, data, (uint32_t)n, 0);
    if (got != 0) {
        return got;
    }
    uart_event_t event;
    uint32_t wait = wait_ms < 1000 ? wait_ms : 1000; /* early is no harm */
    TickType_t ticks = pdMS_TO_TICKS(wait);
    if (ticks == 0 && wait > 0) {
        ticks = 1; /* sleep, however coarse the tick is */
    }
    if (xQueueReceive(events, &event, ticks) != pdTRUE) {
        return 0;
    }
    if (event.type == UART_FIFO_OVF || event.type == UART_BUFFER_FULL) {
        overruns++; /* bytes are lost: the client finds its way, after a timeout at worst */
        (void)uart_flush_input(MODEM_UART);
        (void)xQueueReset(events);
        return 0;
    }
    return uart_read_bytes(MODEM_UART, data, (uint32_t)n, 0);
}

static int modem_write(void *ctx, const uint8_t *data, size_t n)
{
    (void)ctx;
    return uart_write_bytes(MODEM_UART, data, n);
}

/* Tick. */
static uint32_t modem_now(void *ctx)
{
    (void)ctx;
    return (uint32_t)(esp_timer_get_time() / 1000);
}

/* Lock: who calls a function of the client or its sockets holds it. */
static SemaphoreHandle_t modem_lock;
static struct at_client client;
static struct bc26_sockets sockets;

static int modem_init(void)
{
    static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
    static char command[200], text[64];
    const struct at_client_config config = {
        .module = &bc26,
        .write = modem_write, .read = modem_read, .now = modem_now,
        .window = window, .window_size = sizeof window,
        .command = command, .command_size = sizeof command,
        .text = text, .text_size = sizeof text,
        .settings = settings,
    };
    const struct bc26_sockets_config on_top = {.client = &client};

    uart_start();
    modem_lock = xSemaphoreCreateMutex();
    if (modem_lock == NULL) {
        return AT_E_SPACE;
    }
    (void)xSemaphoreTake(modem_lock, portMAX_DELAY);
    int status = at_client_init(&client, &config);
    if (status == AT_OK) {
        status = bc26_sockets_init(&sockets, &on_top);
    }
    (void)xSemaphoreGive(modem_lock);
    return status;
}

/* Any task may call it; another one waits until it has ended. */
static int talk(const char *line, size_t size)
{
    const struct bc26_qiopen server = {
        .context_id = 1, .service_type = BC26_SERVICE_TYPE_TCP,
        .host = {SERVER, sizeof SERVER - 1}, .remote_port = SERVER_PORT,
    };
    uint8_t answer[128];

    (void)xSemaphoreTake(modem_lock, portMAX_DELAY);
    int handle = bc26_socket_open(&sockets, &server);
    int status = handle;
    if (handle >= 0) {
        status = bc26_socket_send(&sockets, handle, line, size);
        while (status > 0) { /* 0: the server closed, and this was all */
            status = bc26_socket_recv(&sockets, handle, answer, sizeof answer, 10000);
            if (status > 0) {
                printf("%.*s", status, (const char *)answer);
            }
        }
        (void)bc26_socket_close(&sockets, handle);
    }
    (void)xSemaphoreGive(modem_lock);
    return status;
}

void app_main(void)
{
    static const char line[] = "hello\n";
    int status = modem_init();
    if (status == AT_OK) {
        status = talk(line, sizeof line - 1);
    }
    printf("done: %d, %u overruns\n", status, overruns);
}

/* Opens a TCP socket through a BC26, sends a line, prints what comes, closes.
 * SPDX-License-Identifier: MIT */
#include <bc26_sockets.h>

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/ring_buffer.h>

#define SERVER "192.0.2.1" /* yours */
#define SERVER_PORT 7

static const struct device *const uart = DEVICE_DT_GET(DT_ALIAS(modem_uart));

/* UART: the interrupt writes into the ring, and nobody else; the client reads. */
RING_BUF_DECLARE(received, 1024);
K_SEM_DEFINE(arrived, 0, 1);
static uint32_t lost;

static void on_uart(const struct device *dev, void *user_data)
{
	uint8_t bytes[16];

	ARG_UNUSED(user_data);
	if (!uart_irq_update(dev)) {
		return;
	}
	while (uart_irq_rx_ready(dev)) {
		int n = uart_fifo_read(dev, bytes, sizeof(bytes));

		if (n <= 0) {
			break;
		}
		lost += (uint32_t)n - ring_buf_put(&received, bytes, (uint32_t)n);
	}
	k_sem_give(&arrived);
}

static int modem_read(void *ctx, uint8_t *data, size_t n, uint32_t wait_ms)
{
	ARG_UNUSED(ctx);
	if (ring_buf_is_empty(&received)) {
		(void)k_sem_take(&arrived, K_MSEC(MIN(wait_ms, 1000U))); /* early is no harm */
	}
	return (int)ring_buf_get(&received, data, (uint32_t)n);
}

static int modem_write(void *ctx, const uint8_t *data, size_t n)
{
	ARG_UNUSED(ctx);
	for (size_t i = 0; i < n; i++) {
		uart_poll_out(uart, data[i]);
	}
	return (int)n;
}

/* Tick. */
static uint32_t modem_now(void *ctx)
{
	ARG_UNUSED(ctx);
	return k_uptime_get_32();
}

/* Lock: who calls a function of the client or its sockets holds it. */
K_MUTEX_DEFINE(modem_lock);
static struct at_client client;
static struct bc26_sockets sockets;

static int modem_init(void)
{
	static uint8_t window[BC26_WINDOW_MIN], settings[BC26_SETTINGS];
	static char command[200], text[64];
	const struct at_client_config config = {
		.module = &bc26,
		.write = modem_write, .read = modem_read, .now = modem_now,
		.window = window, .window_size = sizeof(window),
		.command = command, .command_size = sizeof(command),
		.text = text, .text_size = sizeof(text),
		.settings = settings,
	};
	const struct bc26_sockets_config on_top = {.client = &client};
	int status;

	if (!device_is_ready(uart) || uart_irq_callback_user_data_set(uart, on_uart, NULL) != 0) {
		return AT_E_PORT;
	}
	uart_irq_rx_enable(uart);
	k_mutex_lock(&modem_lock, K_FOREVER);
	status = at_client_init(&client, &config);
	if (status == AT_OK) {
		status = bc26_sockets_init(&sockets, &on_top);
	}
	k_mutex_unlock(&modem_lock);
	return status;
}

/* Any thread may call it; another one waits until it has ended. */
static int talk(const char *line, size_t size)
{
	const struct bc26_qiopen server = {
		.context_id = 1, .service_type = BC26_SERVICE_TYPE_TCP,
		.host = {SERVER, sizeof(SERVER) - 1}, .remote_port = SERVER_PORT,
	};
	uint8_t answer[128];
	int handle, status;

	k_mutex_lock(&modem_lock, K_FOREVER);
	handle = status = bc26_socket_open(&sockets, &server);
	if (handle >= 0) {
		status = bc26_socket_send(&sockets, handle, line, size);
		while (status > 0) { /* 0: the server closed, and this was all */
			status = bc26_socket_recv(&sockets, handle, answer, sizeof(answer), 10000);
			if (status > 0) {
				printk("%.*s", status, (const char *)answer);
			}
		}
		(void)bc26_socket_close(&sockets, handle);
	}
	k_mutex_unlock(&modem_lock);
	return status;
}

int main(void)
{
	static const char line[] = "hello\n";
	int status = modem_init();

	if (status == AT_OK) {
		status = talk(line, sizeof(line) - 1);
	}
	printk("done: %d, %u bytes lost\n", status, (unsigned int)lost);
	return 0;
}

/* The sample on a PC: Zephyr's part, with its rules, and a main that has the sample talk once
 * by itself and then from two threads at once. */
#define main sample_main
#include SAMPLE
#undef main

#include "wire.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct device device_modem_uart = {"modem"};

bool device_is_ready(const struct device *dev)
{
    return dev == &device_modem_uart;
}

/* UART: a receiver that holds up to 16 bytes ------------------------------------- */

static uart_irq_callback_user_data_t callback;
static void *callback_data;
static uint8_t receiver[16];
static size_t receiver_count;
static bool updated;

static void interrupt(const uint8_t *data, size_t n)
{
    memcpy(receiver, data, n);
    receiver_count = n;
    while (receiver_count > 0) { /* it is pending as long as there's something */
        size_t before = receiver_count;
        updated = false;
        callback(&device_modem_uart, callback_data);
        rule(receiver_count < before, "the interrupt handler takes bytes");
    }
}

int uart_irq_callback_user_data_set(const struct device *dev, uart_irq_callback_user_data_t cb,
                                    void *user_data)
{
    rule(dev == &device_modem_uart, "the modem's UART");
    callback = cb;
    callback_data = user_data;
    return 0;
}

void uart_irq_rx_enable(const struct device *dev)
{
    rule(dev == &device_modem_uart && callback != NULL, "a callback before its interrupt");
    wire_start(interrupt);
}

int uart_irq_update(const struct device *dev)
{
    rule(wire_in_interrupt() && dev == &device_modem_uart, "uart_irq_update in the handler");
    updated = true;
    return 1;
}

int uart_irq_rx_ready(const struct device *dev)
{
    rule(updated && dev == &device_modem_uart, "uart_irq_rx_ready after uart_irq_update");
    return receiver_count > 0;
}

int uart_fifo_read(const struct device *dev, uint8_t *rx_data, const int size)
{
    rule(wire_in_interrupt() && dev == &device_modem_uart, "uart_fifo_read in the handler");
    size_t n = MIN((size_t)size, MIN(receiver_count, 3u));
    memcpy(rx_data, receiver, n);
    memmove(receiver, receiver + n, receiver_count - n);
    receiver_count -= n;
    return (int)n;
}

void uart_poll_out(const struct device *dev, unsigned char out_char)
{
    rule(dev == &device_modem_uart && lock_is_mine(), "the client writes with the lock");
    wire_send(&out_char, 1);
}

/* Kernel ------------------------------------------------------------------------- */

uint32_t ring_buf_put(struct ring_buf *buf, const uint8_t *data, uint32_t size)
{
    rule(buf->size >= 64 && wire_in_interrupt(), "the interrupt alone writes to the ring");
    return (uint32_t)fifo_put(data, size);
}

uint32_t ring_buf_get(struct ring_buf *buf, uint8_t *data, uint32_t size)
{
    rule(buf->size >= 64 && lock_is_mine(), "the ring is read with the lock");
    return (uint32_t)fifo_get(data, size);
}

bool ring_buf_is_empty(struct ring_buf *buf)
{
    (void)buf;
    return fifo_count() == 0;
}

static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;

int k_sem_take(struct k_sem *sem, k_timeout_t timeout)
{
    rule(!wire_in_interrupt() && timeout.ticks >= 0, "an interrupt waits for nothing, a thread not forever");
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout.ticks / 1000 + 1; /* not before its time */
    (void)pthread_mutex_lock(&inner);
    int status = 0;
    while (sem->count == 0 && status == 0) {
        status = pthread_cond_timedwait(&given, &inner, &until);
    }
    sem->count -= sem->count > 0;
    (void)pthread_mutex_unlock(&inner);
    return status == 0 ? 0 : -1;
}

void k_sem_give(struct k_sem *sem)
{
    (void)pthread_mutex_lock(&inner);
    sem->count += sem->count < sem->limit;
    (void)pthread_cond_signal(&given);
    (void)pthread_mutex_unlock(&inner);
}

int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout)
{
    rule(mutex == &modem_lock && timeout.ticks < 0, "this lock, however long it takes");
    lock_take();
    return 0;
}

int k_mutex_unlock(struct k_mutex *mutex)
{
    rule(mutex == &modem_lock, "this lock");
    lock_give();
    return 0;
}

uint32_t k_uptime_get_32(void)
{
    return (uint32_t)uptime_ms();
}

void printk(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    (void)vprintf(fmt, arguments);
    va_end(arguments);
}

static void *in_thread(void *line)
{
    const char *text = *(const char **)line;
    rule(talk(text, strlen(text)) == 0, "the server's end is the end of the conversation");
    return NULL;
}

int main(void)
{
    rule(sample_main() == 0, "main returns 0");
    wire_both(in_thread, "one\n", "other\n");
    rule(client.counters.timeouts == 0 && client.counters.unknown == 0, "an undisturbed line");
    return 0;
}

/* The example on a PC: the part of ESP-IDF, with its rules, and a main that has the example
 * talk once by itself and then from two threads at once. */
#include EXAMPLE

#include "wire.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

void app_main(void);

/* UART: events in a queue, bytes in the driver's buffer ------------------------------ */

struct QueueDefinition {
    bool is_mutex;
};
static struct QueueDefinition queue = {false}, mutex = {true};

static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER;
static int waiting, most; /* events */
static bool configured;

static void interrupt(const uint8_t *data, size_t n)
{
    (void)fifo_put(data, n);
    (void)pthread_mutex_lock(&inner);
    waiting += waiting < most; /* the driver drops the event, not the bytes */
    (void)pthread_cond_signal(&posted);
    (void)pthread_mutex_unlock(&inner);
}

esp_err_t uart_driver_install(uart_port_t uart_num, int rx_buffer_size, int tx_buffer_size,
                              int queue_size, QueueHandle_t *uart_queue, int intr_alloc_flags)
{
    (void)intr_alloc_flags;
    rule(uart_num == MODEM_UART && rx_buffer_size > 128 && tx_buffer_size == 0,
         "a buffer longer than the receiver's, and writing that waits");
    rule(queue_size > 0 && uart_queue != NULL, "a queue");
    most = queue_size;
    *uart_queue = &queue;
    return ESP_OK;
}

esp_err_t uart_param_config(uart_port_t uart_num, const uart_config_t *uart_config)
{
    rule(uart_num == MODEM_UART && uart_config->baud_rate > 0 &&
             uart_config->data_bits == UART_DATA_8_BITS &&
             uart_config->stop_bits == UART_STOP_BITS_1,
         "8N1");
    configured = true;
    return ESP_OK;
}

esp_err_t uart_set_pin(uart_port_t uart_num, int tx_io_num, int rx_io_num, int rts_io_num,
                       int cts_io_num)
{
    rule(uart_num == MODEM_UART && configured && tx_io_num != rx_io_num &&
             rts_io_num == UART_PIN_NO_CHANGE && cts_io_num == UART_PIN_NO_CHANGE,
         "two pins");
    wire_start(interrupt);
    return ESP_OK;
}

int uart_read_bytes(uart_port_t uart_num, void *buf, uint32_t length, TickType_t ticks_to_wait)
{
    rule(uart_num == MODEM_UART && lock_is_mine(), "the client reads with the lock");
    rule(ticks_to_wait == 0, "waiting is for events: all of `length` would be waited for");
    return (int)fifo_get(buf, length);
}

int uart_write_bytes(uart_port_t uart_num, const void *src, size_t size)
{
    rule(uart_num == MODEM_UART && lock_is_mine(), "the client writes with the lock");
    wire_send(src, size);
    return (int)size;
}

esp_err_t uart_flush_input(uart_port_t uart_num)
{
    (void)uart_num;
    rule(false, "nothing was lost");
    return ESP_OK;
}

/* FreeRTOS ------------------------------------------------------------------------- */

BaseType_t xQueueReceive(QueueHandle_t xQueue, void *const pvBuffer, TickType_t xTicksToWait)
{
    static const uart_event_t data = {.type = UART_DATA};
    struct timespec until;
    rule(xQueue == &queue && lock_is_mine(), "the client waits with the lock");
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(xTicksToWait / configTICK_RATE_HZ + 1); /* not before its time */
    (void)pthread_mutex_lock(&inner);
    int status = 0;
    while (waiting == 0 && status == 0) {
        status = pthread_cond_timedwait(&posted, &inner, &until);
    }
    bool some = waiting > 0;
    waiting -= some;
    (void)pthread_mutex_unlock(&inner);
    *(uart_event_t *)pvBuffer = data;
    return some ? pdTRUE : pdFALSE;
}

BaseType_t xQueueReset(QueueHandle_t xQueue)
{
    rule(xQueue == &queue, "the driver's queue");
    return pdTRUE;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return &mutex;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait)
{
    rule(xSemaphore == &mutex && xTicksToWait == portMAX_DELAY, "this lock, however long it takes");
    lock_take();
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore)
{
    rule(xSemaphore == &mutex, "this lock");
    lock_give();
    return pdTRUE;
}

int64_t esp_timer_get_time(void)
{
    return (int64_t)uptime_ms() * 1000;
}

static void *in_thread(void *line)
{
    const char *text = *(const char **)line;
    rule(talk(text, strlen(text)) == 0, "the server's end is the end of the conversation");
    return NULL;
}

int main(void)
{
    app_main();
    wire_both(in_thread, "one\n", "other\n");
    rule(client.counters.timeouts == 0 && client.counters.unknown == 0, "an undisturbed line");
    return 0;
}

#include "uart.h"

#include "board.h"

#define SYSTICK_CONTROL WORD(0xe000e010)
#define SYSTICK_RELOAD WORD(0xe000e014)
#define INTERRUPTS_ENABLE WORD(0xe000e100)

#define UART_DATA WORD(0x40004000)
#define UART_STATE WORD(0x40004004)
#define UART_CONTROL WORD(0x40004008)
#define UART_CLEAR WORD(0x4000400c)
#define UART_DIVIDER WORD(0x40004010)

enum { CLOCK = 25000000, BAUD = 115200 };
enum { TX_FULL = 1, RX_FULL = 2, RX_OVERRUN = 8 };                /* state */
enum { TX_ON = 1, RX_ON = 2, TX_INTERRUPT = 4, RX_INTERRUPT = 8 }; /* control */
enum { TX_DONE = 1, RX_DONE = 2, RX_LOST = 8 };                   /* clear */

static volatile uint32_t now, lost;
static volatile bool busy, silent; /* bytes came in this millisecond; none in the one before */

static void disable_interrupts(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
}

static void enable_interrupts(void)
{
    __asm__ volatile("cpsie i" ::: "memory");
}

/* Sending: a ring that the interrupt empties ------------------------------------ */

enum { OUT = 64 }; /* both are powers of two */
static uint8_t out[OUT];
static volatile uint32_t out_put, out_sent;
static volatile bool sending;

static void send_next(void)
{
    sending = out_sent != out_put;
    if (sending) {
        UART_DATA = out[out_sent++ % OUT];
    }
}

void uart_send_interrupt(void)
{
    UART_CLEAR = TX_DONE;
    send_next();
}

size_t uart_send(const uint8_t *data, size_t n)
{
    size_t taken = 0;
    while (taken < n && out_put - out_sent < OUT) {
        out[out_put % OUT] = data[taken++];
        out_put++;
    }
    disable_interrupts();
    if (!sending) {
        send_next();
    }
    enable_interrupts();
    return taken;
}

/* Receiving -------------------------------------------------------------------- */

static bool has_room(void);
static void keep(uint8_t byte);

/* With the interrupt off the byte stays in the UART, which takes no other then. */
static void listen(bool on)
{
    UART_CONTROL = TX_ON | RX_ON | TX_INTERRUPT | (on ? RX_INTERRUPT : 0u);
}

void uart_receive_interrupt(void)
{
    UART_CLEAR = RX_DONE;
    if (UART_STATE & RX_OVERRUN) {
        UART_STATE = RX_OVERRUN;
        UART_CLEAR = RX_LOST;
        lost++;
    }
    listen(true); /* before it looks: a byte that comes in between is told */
    while (has_room() && (UART_STATE & RX_FULL)) {
        keep((uint8_t)UART_DATA);
        busy = true;
    }
    if (!has_room()) {
        listen(false);
    }
}

/* There's room again: also for the byte whose interrupt was missed. */
static void resume(void)
{
    disable_interrupts();
    uart_receive_interrupt();
    enable_interrupts();
}

#ifdef UART_WINDOW

static uint8_t *volatile window;
static volatile size_t window_room, window_fill;

static bool has_room(void)
{
    return window_fill < window_room;
}

static void keep(uint8_t byte)
{
    window[window_fill++] = byte;
}

void uart_receive_to(uint8_t *to, size_t room)
{
    window = to;
    window_fill = 0;
    window_room = room;
    resume();
}

size_t uart_received(void)
{
    disable_interrupts();
    window_room = 0; /* what comes from now on waits for the next window */
    listen(false);
    enable_interrupts();
    return window_fill;
}

#else

enum { IN = 128 };
static uint8_t in[IN];
static volatile uint32_t in_kept, in_taken;

static bool has_room(void)
{
    return in_kept - in_taken < IN;
}

static void keep(uint8_t byte)
{
    in[in_kept++ % IN] = byte;
}

size_t uart_take(uint8_t *to, size_t n)
{
    size_t taken = 0;
    while (taken < n && in_taken != in_kept) {
        to[taken++] = in[in_taken % IN];
        in_taken++;
    }
    resume();
    return taken;
}

#endif

/* Time and sleep ----------------------------------------------------------------- */

void systick_interrupt(void)
{
    now++;
    silent = !busy;
    busy = false;
}

uint32_t uart_now(void)
{
    return now;
}

uint32_t uart_lost(void)
{
    return lost;
}

/* What interrupts tell of: that the line is idle, as a UART can, and that there's no room
 * left, as a DMA does; or each byte. */
static bool is_awake(void)
{
#if defined(UART_WINDOW) || defined(UART_LAZY)
    return silent || !has_room();
#else
    return silent || in_taken != in_kept;
#endif
}

/* Asked and put to sleep with interrupts off: one that comes in between ends the sleep. */
void uart_sleep(void)
{
    disable_interrupts();
    silent = false;
    while (!is_awake()) {
        __asm__ volatile("wfi" ::: "memory");
        enable_interrupts();
        disable_interrupts();
    }
    enable_interrupts();
}

void uart_init(void)
{
    UART_DIVIDER = CLOCK / BAUD;
    listen(true);
    INTERRUPTS_ENABLE = 3; /* UART 0, received and sent */
    SYSTICK_RELOAD = CLOCK / 1000 - 1;
    SYSTICK_CONTROL = 7; /* on, with its interrupt, by the processor's clock */
}

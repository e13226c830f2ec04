#include "wire.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void rule(bool kept, const char *what)
{
    if (!kept) {
        fprintf(stderr, "broken: %s\n", what);
        _exit(3);
    }
}

uint64_t uptime_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    static uint64_t first;
    uint64_t ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    first = first == 0 ? ms : first;
    return UINT32_MAX - 20u + (ms - first) / 8u;
}

/* The line --------------------------------------------------------------------- */

static pthread_t interrupt_thread;
static bool started;
static void (*on_bytes)(const uint8_t *data, size_t n);

static void *interrupt(void *unused)
{
    static const size_t pieces[] = {1, 3, 2, 1, 7, 1, 1, 5, 13};
    uint8_t data[16];
    ssize_t n;
    (void)unused;
    for (size_t i = 0; (n = read(0, data, pieces[i % 9])) > 0; i++) {
        on_bytes(data, (size_t)n);
    }
    return NULL;
}

void wire_start(void (*handler)(const uint8_t *data, size_t n))
{
    rule(!started, "the UART is started once");
    on_bytes = handler;
    started = pthread_create(&interrupt_thread, NULL, interrupt, NULL) == 0;
    rule(started, "a thread");
}

void wire_send(const void *data, size_t n)
{
    rule(started, "the UART is started before something is sent");
    rule(write(0, data, n) == (ssize_t)n, "the line is there");
}

bool wire_in_interrupt(void)
{
    return started && pthread_equal(pthread_self(), interrupt_thread);
}

void wire_both(void *(*talk)(void *), const char *one, const char *other)
{
    pthread_t threads[2];
    const char *lines[2] = {one, other};
    for (int i = 0; i < 2; i++) {
        rule(pthread_create(&threads[i], NULL, talk, &lines[i]) == 0, "a thread");
    }
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* The lock --------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t owner;
static volatile bool owned;

bool lock_is_mine(void)
{
    return owned && pthread_equal(owner, pthread_self());
}

void lock_take(void)
{
    rule(!wire_in_interrupt(), "no lock in an interrupt");
    rule(!lock_is_mine(), "the lock isn't taken twice");
    (void)pthread_mutex_lock(&lock);
    owner = pthread_self();
    owned = true;
}

void lock_give(void)
{
    rule(lock_is_mine(), "who gives the lock has it");
    owned = false;
    (void)pthread_mutex_unlock(&lock);
}

/* Bytes ------------------------------------------------------------------------- */

static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static uint8_t bytes[4096];
static size_t count;

size_t fifo_put(const void *data, size_t n)
{
    const uint8_t *from = data;
    (void)pthread_mutex_lock(&inner);
    size_t put = 0;
    while (put < n && count < sizeof bytes) {
        bytes[count++] = from[put++];
    }
    (void)pthread_cond_broadcast(&arrived);
    (void)pthread_mutex_unlock(&inner);
    return put;
}

size_t fifo_get(void *data, size_t n)
{
    uint8_t *to = data;
    (void)pthread_mutex_lock(&inner);
    size_t got = n < count ? n : count;
    for (size_t i = 0; i < got; i++) {
        to[i] = bytes[i];
    }
    for (size_t i = got; i < count; i++) {
        bytes[i - got] = bytes[i];
    }
    count -= got;
    (void)pthread_mutex_unlock(&inner);
    return got;
}

size_t fifo_count(void)
{
    (void)pthread_mutex_lock(&inner);
    size_t n = count;
    (void)pthread_mutex_unlock(&inner);
    return n;
}

bool fifo_wait(uint32_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(ms / 1000u);
    until.tv_nsec += (long)(ms % 1000u) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_mutex_lock(&inner);
    int status = 0;
    while (count == 0 && status == 0) {
        status = pthread_cond_timedwait(&arrived, &inner, &until);
    }
    bool some = count > 0;
    (void)pthread_mutex_unlock(&inner);
    return some;
}

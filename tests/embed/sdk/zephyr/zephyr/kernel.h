/* A stand-in for the tests: no more of Zephyr than the sample uses, with the same signatures. */
#ifndef ZEPHYR_KERNEL_H
#define ZEPHYR_KERNEL_H

#include <stdint.h>

#define ARG_UNUSED(x) (void)(x)
#define MIN(a, b) (((a) < (b)) ? (a) : (b))

typedef struct {
    int64_t ticks;
} k_timeout_t;

#define K_MSEC(ms) ((k_timeout_t){(int64_t)(ms)})
#define K_FOREVER ((k_timeout_t){-1})

struct k_sem {
    unsigned int count, limit;
};

struct k_mutex {
    int unused;
};

#define K_SEM_DEFINE(name, initial_count, count_limit) \
    struct k_sem name = {initial_count, count_limit}
#define K_MUTEX_DEFINE(name) struct k_mutex name = {0}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);
int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout);
int k_mutex_unlock(struct k_mutex *mutex);
uint32_t k_uptime_get_32(void);

#endif

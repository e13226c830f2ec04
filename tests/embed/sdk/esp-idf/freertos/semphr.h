/* A stand-in for the tests: no more of ESP-IDF than the example uses, with the same signatures. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include "freertos/queue.h"

typedef QueueHandle_t SemaphoreHandle_t;

SemaphoreHandle_t xSemaphoreCreateMutex(void);
BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore);

#endif

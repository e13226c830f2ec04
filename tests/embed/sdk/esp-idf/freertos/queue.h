/* A stand-in for the tests: no more of ESP-IDF than the example uses, with the same signatures. */
#ifndef QUEUE_H
#define QUEUE_H

#include "freertos/FreeRTOS.h"

typedef struct QueueDefinition *QueueHandle_t;

BaseType_t xQueueReceive(QueueHandle_t xQueue, void *const pvBuffer, TickType_t xTicksToWait);
BaseType_t xQueueReset(QueueHandle_t xQueue); /* macros in FreeRTOS, as the semaphores are */

#endif

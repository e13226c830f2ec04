/* A stand-in for the tests: no more of ESP-IDF than the example uses, with the same signatures. */
#ifndef ESP_TIMER_H
#define ESP_TIMER_H

#include <stdint.h>

int64_t esp_timer_get_time(void);

#endif

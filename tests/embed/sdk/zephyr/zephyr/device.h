/* A stand-in for the tests: no more of Zephyr than the sample uses, with the same signatures. */
#ifndef ZEPHYR_DEVICE_H
#define ZEPHYR_DEVICE_H

#include <stdbool.h>

struct device {
    const char *name;
};

/* Zephyr gets it from the devicetree, where the board's overlay has the alias. */
#define DT_ALIAS(alias) alias
#define DEVICE_NAME_OF(node) (&device_##node)
#define DEVICE_DT_GET(node) DEVICE_NAME_OF(node)
extern const struct device device_modem_uart;

bool device_is_ready(const struct device *dev);

#endif

/** @file at.h The whole runtime. */
#ifndef AT_AT_H
#define AT_AT_H

#include "at/client.h"
#include "at/firmware.h"
#include "at/manual.h"

#endif

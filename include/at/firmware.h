/**
 * @file firmware.h
 * What a module's firmware has, by its name. Generated code wraps these as
 * NAME_firmware_parse and NAME_supports, where its spec tells firmware apart.
 */
#ifndef AT_FIRMWARE_H
#define AT_FIRMWARE_H

#include "at/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AT_FIRMWARE_NUMBERS 6u /**< numbers in the name of a firmware, at most */

/** A firmware's name, read. All zero: unknown. */
struct at_firmware {
    uint8_t series;                        /**< 1 for the module's first series, ...; 0: unknown */
    uint8_t count;                         /**< numbers in the name */
    uint16_t numbers[AT_FIRMWARE_NUMBERS]; /**< from left to right; UINT16_MAX: that, or more */
};

/** The first or the last firmware of a series that has a feature. */
struct at_firmware_bound {
    uint16_t feature;
    uint8_t series; /**< as in at_firmware */
    bool last;
    uint16_t numbers[AT_FIRMWARE_NUMBERS];
};

/**
 * Find the name of a firmware in what a module says of itself, such as
 * "Revision: AB12NXR01A07_01.002".
 * @param series  how names look: # is a number, ? a letter, the rest as it is
 * @return AT_OK, or AT_E_SYNTAX: none of these series; *out is unknown then
 */
int at_firmware_parse(const char *const *series, size_t nseries, struct at_str revision,
                      struct at_firmware *out);

/** Less than, equal to or greater than 0: the firmware is older than the one of these numbers,
 *  the same or newer. Both are of one series. */
int at_firmware_compare(const struct at_firmware *firmware, const uint16_t *numbers);

/** Whether a firmware has a feature. An unknown firmware is assumed to have all. */
bool at_firmware_has(const struct at_firmware_bound *bounds, size_t nbounds,
                     const struct at_firmware *firmware, uint16_t feature);

#ifdef __cplusplus
}
#endif

#endif

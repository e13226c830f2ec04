/**
 * @file types.h
 * What every part of the runtime shares: spans, status codes, faults.
 *
 * One return convention: a negative at_status is an error, 0 or a positive
 * count is success.
 */
#ifndef AT_TYPES_H
#define AT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the contract between the runtime and generated code. */
#define AT_RUNTIME_VERSION 1

/**
 * Generated headers declare what their firmware lacks so that its use is an error
 * which says why. Undefined where the compiler knows no way; there it isn't
 * declared at all.
 */
#if defined(__has_attribute)
#if __has_attribute(unavailable)
#define AT_UNAVAILABLE(text) __attribute__((unavailable(text)))
#endif
#if __has_attribute(deprecated) && !defined(AT_NO_DEPRECATED)
#define AT_DEPRECATED(text) __attribute__((deprecated(text)))
#endif
#endif

/** Its use is a warning that says what to do instead; -DAT_NO_DEPRECATED: no warning. */
#ifndef AT_DEPRECATED
#define AT_DEPRECATED(text)
#endif

/**
 * A member that isn't there any more, or not with this firmware: it takes no room. gcc lets
 * designated initializers name what is unavailable, but not a flexible array in a struct.
 */
#if !defined(AT_UNAVAILABLE)
#define AT_GONE(name, text)
#elif defined(__clang__)
#define AT_GONE(name, text) __extension__ char name[0] AT_UNAVAILABLE(text);
#else
#define AT_GONE(name, text) \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpedantic\"") \
    AT_GONE_(name, text) _Pragma("GCC diagnostic pop")
#ifdef __cplusplus
#define AT_GONE_(name, text) char name[0] AT_UNAVAILABLE(text);
#else
#define AT_GONE_(name, text) struct { char at_gone_##name[0]; char name[] AT_UNAVAILABLE(text); };
#endif
#endif

/** Text of a known length; not NUL-terminated, never owned. */
struct at_str {
    const char *ptr;
    size_t len;
};

/** Bytes of a known length, of any value; never owned. */
struct at_bytes {
    const uint8_t *ptr;
    size_t len;
};

enum at_status {
    AT_OK = 0,
    AT_E_ARGUMENT = -1, /**< an argument is missing, out of range or unsafe; see at_fault */
    AT_E_SPACE = -2,    /**< a buffer of the caller's is too small */
    AT_E_BUSY = -3,     /**< another command is under way */
    AT_E_UNKNOWN_SETTING = -4, /**< what frames the answer isn't known and wasn't given */
    AT_E_TIMEOUT = -5,  /**< no answer within the deadline */
    AT_E_ERROR = -6,    /**< the module answered ERROR or +CME ERROR */
    AT_E_FAIL = -7,     /**< accepted, then failed: SEND FAIL, a result code other than 0 */
    AT_E_ANSWER = -8,   /**< the answer lacks a line or a payload that it must have */
    AT_E_REBOOT = -9,   /**< the module restarted meanwhile */
    AT_E_PORT = -10,    /**< the transport failed */
    AT_E_LOST = -11,    /**< the module doesn't answer in a way that can be trusted */
    AT_E_CANCELED = -12, /**< given up by the caller */
    AT_E_SYNTAX = -13   /**< a line or command that fits no description */
};

/** Why an argument was refused. */
enum at_reason {
    AT_FINE,
    AT_MISSING,     /**< required, or left out before one that is given */
    AT_RANGE,       /**< number outside the parameter's range */
    AT_UNSUPPORTED, /**< in the range, but the module doesn't take it at present */
    AT_LENGTH,      /**< text or data too short or too long */
    AT_UNSAFE,      /**< holds a character that can't be carried safely here */
    AT_MISMATCH,    /**< the stated length isn't the length of the data */
    AT_TYPE         /**< not of the parameter's type */
};

struct at_param;

/** The argument that was refused, and why. */
struct at_fault {
    const struct at_param *param; /**< NULL when no single parameter is at fault */
    enum at_reason reason;
};

#ifdef __cplusplus
}
#endif

#endif

/**
 * @file codec.h
 * Encoders and decoders of lines: pure functions of bytes, settings and
 * descriptors. Generated typed functions wrap these.
 */
#ifndef AT_CODEC_H
#define AT_CODEC_H

#include "at/module.h"

#ifdef __cplusplus
extern "C" {
#endif

enum at_mark_kind {
    AT_MARK_INT,    /**< -?[0-9]+ */
    AT_MARK_QUOTED, /**< in double quotes, which the mark leaves out */
    AT_MARK_BARE,   /**< printable ASCII up to the comma */
    AT_MARK_REST,   /**< printable ASCII up to the end of the line */
    AT_MARK_RANGE   /**< from '(' to the end of the line */
};

/** One field found in a line; offsets from the line's first byte. */
struct at_mark {
    uint16_t begin;
    uint16_t end;
    uint8_t kind; /**< enum at_mark_kind */
};

/** A line in the stream's window; valid until the callback returns. */
struct at_line {
    const struct at_module *module;
    const struct at_record *record;
    const uint8_t *text;   /**< the line, without its end */
    size_t len;
    const struct at_mark *marks;
    uint8_t nmarks;
    bool hex;              /**< the payload comes as hexadecimal digits */
    int32_t payload;       /**< bytes of payload that follow (decoded), or -1 */
};

/**
 * Decode a line into the struct of its record.
 * @param out  record->size bytes; members that are absent become 0, and
 *             strings point into the line
 * @return AT_OK; the stream hands over only lines that decode
 */
int at_line_decode(const struct at_line *line, void *out);

/** The value of an integer field by parameter; false when absent. */
bool at_line_int(const struct at_line *line, uint16_t param, int32_t *value);

/**
 * Encode a line of the module's, without line ends: the other side of
 * at_line_decode. Of the line's shapes the one is taken that says all that the
 * value holds.
 * @param record  any shape of the line
 * @return length, or AT_E_ARGUMENT (see fault) or AT_E_SPACE; nothing is
 *         written on an error
 */
int at_record_encode(const struct at_module *module, const struct at_record *record,
                     const void *value, char *buf, size_t size, struct at_fault *fault);

/**
 * Encode a command line with its terminating CR; for a form with a prompt,
 * the command line alone.
 * @param settings  nslots values, for data whose format depends on one
 * @param fault     filled on AT_E_ARGUMENT; may be NULL
 * @return length, AT_E_ARGUMENT, AT_E_SPACE or AT_E_UNKNOWN_SETTING; nothing
 *         is written on an error
 */
int at_form_encode(const struct at_module *module, const struct at_form *form,
                   const uint8_t *settings, const void *request, char *buf, size_t size,
                   struct at_fault *fault);

/** The value of an integer field of a request by parameter; false when left out. */
bool at_request_int(const struct at_module *module, const struct at_form *form,
                    const void *request, uint16_t param, int32_t *value);

/** The data that a form sends, or an empty span. */
struct at_bytes at_request_data(const struct at_module *module, const struct at_form *form,
                                const void *request);

/** Whether the data of a form that has some may go on the wire: AT_OK or AT_E_ARGUMENT. */
int at_data_check(const struct at_module *module, const struct at_form *form, bool hex,
                  const void *request, struct at_fault *fault);

/** Whether the data of this form go as hexadecimal digits; AT_E_UNKNOWN_SETTING. */
int at_data_hex(const struct at_data *data, const uint8_t *settings);

/** A command line parsed on the module's side; points into the caller's line. */
struct at_command {
    const struct at_form *form;
    const uint8_t *text;
    struct at_mark marks[AT_FIELDS_MAX];
    uint8_t nmarks;
};

/**
 * Parse a command line (without CR) and check every argument.
 * @return AT_OK; AT_E_SYNTAX when no command or form fits; AT_E_ARGUMENT when
 *         the form is clear and an argument is not legal (see fault)
 */
int at_command_parse(const struct at_grammar *grammar, const uint8_t *settings,
                     const uint8_t *line, size_t len, struct at_command *out,
                     struct at_fault *fault);

/**
 * Decode a parsed command's arguments into its form's request struct.
 * Data in hexadecimal digits stay as they are: see at_hex_decode.
 */
int at_command_decode(const struct at_grammar *grammar, const struct at_command *command,
                      void *request);

/**
 * What a revision of the manual or a firmware has, by its name.
 * @return a grammar over the same module, or NULL when the spec knows none of this name;
 *         a grammar that isn't told apart by revision or firmware knows none at all
 */
const struct at_grammar *at_grammar_of(const struct at_grammar *grammar, struct at_str name);

/** Whether a grammar has a form of its module's. */
bool at_grammar_has(const struct at_grammar *grammar, uint16_t form);

/** Index of a text among the strings of a choice; -1 when it isn't there. */
int32_t at_choice_of(struct at_str text, const char *const *strings, size_t n);

/** Whether a text has the shape of a command line (V.250, 5.2). */
bool at_is_command_line(const uint8_t *text, size_t len);

/** Two digits a byte; dst may be src. @return bytes written, or AT_E_SYNTAX. */
int at_hex_decode(const uint8_t *src, size_t len, uint8_t *dst);

/** Two digits a byte, in capitals; dst has room for 2 * len. */
void at_hex_encode(const uint8_t *src, size_t len, char *dst);

/** Let settings take the values that a line tells. */
void at_line_learn(const struct at_line *line, uint8_t *settings);

/**
 * Let a setting take the value of a field.
 * @param key  value of the parameter that indexes the setting, if one does
 * @return whether key and value are such that the setting knows them
 */
bool at_setting_slot(const struct at_effect *effect, int32_t key, int32_t value, uint8_t *slot);

#ifdef __cplusplus
}
#endif

#endif

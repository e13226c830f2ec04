/**
 * @file module.h
 * Const descriptors of a module: what the generator writes and the runtime
 * walks. Applications meet them only as pointers.
 */
#ifndef AT_MODULE_H
#define AT_MODULE_H

#include "at/firmware.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What only people and the module's side read; a host that shows none of it may leave it
 * out. All that is linked together must agree on this, so another build has another name.
 */
#ifdef AT_NO_NAMES
#define AT_NAMED(declaration)
#define AT_NAMES(...)
#define AT_EITHER(with_names, without) without
#define at_client_init at_client_init_no_names
#define at_stream_init at_stream_init_no_names
#else
#define AT_NAMED(declaration) declaration
#define AT_NAMES(...) __VA_ARGS__,
#define AT_EITHER(with_names, without) with_names
#endif

/**
 * What a descriptor is called for the linker. It tells apart what was generated of different
 * choices, so that a header goes with its own library or with none.
 */
#ifndef __GNUC__
#define AT_LINKED_AS(name)
#elif defined(AT_NO_NAMES)
#define AT_LINKED_AS(name) __asm__(name "_no_names")
#else
#define AT_LINKED_AS(name) __asm__(name)
#endif

#define AT_NONE 0xFFFFu         /**< no parameter, no record */
#define AT_NO_MEMBER 0xFFFu     /**< at_field.offset of a literal */
#define AT_UNKNOWN 0xFFu        /**< value of a setting that isn't known */
#define AT_FIELDS_MAX 16u       /**< fields of one line */

enum at_param_type {
    AT_LITERAL, /**< the one of `values` must stand there */
    AT_INT,     /**< int32_t */
    AT_UINT,    /**< uint32_t, for ranges beyond int32_t */
    AT_CHOICE,  /**< int32_t: index into `values`; on the wire a quoted string */
    AT_STRING,  /**< struct at_str, quoted on the wire */
    AT_HOST,    /**< struct at_str: letters, digits, '.', '-', '_', ':' */
    AT_IP,      /**< struct at_str: an IPv4 or IPv6 address */
    AT_TEXT,    /**< struct at_str: the rest of the line */
    AT_DATA,    /**< struct at_bytes: the rest of the line, or data at the prompt */
    AT_HEX      /**< struct at_bytes: two hexadecimal digits a byte */
};

enum at_param_flag {
    AT_QUOTED = 1, /**< stands in double quotes */
    AT_STRICT = 2  /**< the range holds on receipt too */
};

/** What a field may hold. */
struct at_kind {
    const char *const *values; /**< of a choice or a literal: the strings */
    int32_t min;               /**< of the number, or of the length */
    uint32_t max;
    int32_t supported;         /**< the one value taken at present, or INT32_MIN */
    uint8_t type;              /**< enum at_param_type */
    uint8_t flags;             /**< enum at_param_flag */
    uint8_t nvalues;
};

/** One parameter of the manual, or a literal. */
struct at_param {
    AT_NAMED(const char *name;)  /**< the manual's name; of a literal, its text */
    const struct at_kind *kind;  /**< parameters share them */
};

/**
 * One place in a line, and the member of the struct that it fills. There are hundreds of
 * them, so each is 32 bits.
 */
struct at_field {
    unsigned param : 10;  /**< index into at_module.params */
    unsigned group : 3;   /**< 0 required, n in the n-th nested optional group */
    unsigned shown : 3;   /**< 1 + index into at_module.shown: what decides presence; 0 none */
    unsigned offset : 12; /**< of the member; AT_NO_MEMBER for a literal */
    unsigned has : 4;     /**< its `has_` member stands so far before it; 0 when required */
};

/** at_field.has of a member with a `has_` member before it. */
#define AT_HAS(type, member) (offsetof(type, member) - offsetof(type, has_##member))

/** Fields are present exactly when a setting has some value. */
struct at_shown {
    uint8_t slot;
    uint8_t value;
};

/** A setting that takes the value of a field. */
struct at_effect {
    uint8_t slot;   /**< first slot of the setting */
    uint8_t slots;  /**< more than 1: indexed by `key` */
    uint8_t max;    /**< larger values are ignored */
    uint16_t key;   /**< parameter that indexes the setting, or AT_NONE */
    uint16_t value; /**< parameter that holds the new value */
};

/** Data that follow a line of the module's, counted and never scanned. */
struct at_payload {
    uint16_t length;      /**< parameter that counts them, in bytes */
    uint8_t format_slot;  /**< setting: 0 text, 1 hexadecimal; AT_UNKNOWN: see hex */
    uint8_t hex;          /**< format when no setting decides */
    uint8_t inline_slot;  /**< setting: 1 after a comma; AT_UNKNOWN: after the line */
    uint8_t when_slot;    /**< setting that decides whether data follow, or AT_UNKNOWN */
    uint8_t when_slots;   /**< more than 1: indexed by `when_key` */
    uint8_t when_value;
    uint16_t when_key;    /**< parameter that indexes the setting, or AT_NONE */
    uint16_t min, max;    /**< lengths that the module can send */
};

enum at_record_kind {
    AT_KIND_RESPONSE, /**< between a command and its final result code */
    AT_KIND_RESULT,   /**< follows the final result code of the command that asked */
    AT_KIND_URC,      /**< unsolicited */
    AT_KIND_FINAL,    /**< ends a command, or what follows it */
    AT_KIND_TEST      /**< answer to a test command; `text` alone */
};

enum at_outcome {
    AT_OUTCOME_NONE,
    AT_OUTCOME_OK,    /**< final: carried out or accepted */
    AT_OUTCOME_ERROR, /**< final: refused */
    AT_OUTCOME_DONE,  /**< after the final: succeeded */
    AT_OUTCOME_FAIL   /**< after the final: failed */
};

/** What few lines have. */
struct at_record_rare {
    const struct at_effect *effects;
    const struct at_payload *payload; /**< NULL when none can follow */
    uint8_t neffects;
};

/** One shape of a line that the module sends. */
struct at_record {
    AT_NAMED(const char *name;)
    AT_NAMED(const char *head;)       /**< text before the first field */
    const struct at_field *fields;
    const struct at_record_rare *rare;
    unsigned id : 10;                 /**< the line; shapes of one line share it */
    unsigned nfields : 5;
    unsigned extra : 1;               /**< further fields are ignored */
    unsigned size : 10;               /**< of the struct it decodes to */
    unsigned kind : 3;                /**< enum at_record_kind */
    unsigned outcome : 3;             /**< enum at_outcome */
};

/** What the head machine recognised: records that share a beginning. */
struct at_head {
    unsigned first : 15; /**< index into at_module.records */
    unsigned whole : 1;  /**< the head is the whole line */
    uint8_t count;
    uint8_t rest;        /**< field that runs to the end of the line, or AT_UNKNOWN */
};

/** What the head machine says besides the index of a head. */
enum at_head_result {
    AT_HEAD_MORE = -1,   /**< undecided; give it the next bytes */
    AT_HEAD_NONE = -2,   /**< no known line begins so */
    AT_HEAD_PROMPT = -3, /**< '>' */
    AT_HEAD_ECHO = -4    /**< "AT": a command line come back */
};

/**
 * What a head machine does, by search in a table: for generated code, see NAME_heads.c.
 * @param heads  each as how many characters it shares with the one before, the characters
 *               it doesn't (1: a space that may be missing), 0, and its index; in the order
 *               of their characters, and ended by 0xFF
 */
int at_head_search(const uint8_t *heads, uint16_t *state, const uint8_t **p, const uint8_t *end);

struct at_form;
struct at_module;

/** Data that the host sends with a command. */
struct at_data {
    /** at_data_check, which only forms with data need. */
    int (*check)(const struct at_module *module, const struct at_form *form, bool hex,
                 const void *request, struct at_fault *fault);
    uint16_t field;      /**< parameter that holds them */
    uint16_t length;     /**< parameter that counts them, or AT_NONE */
    uint16_t max_text;   /**< most bytes in text format */
    uint16_t max_hex;    /**< most bytes in hexadecimal format */
    uint8_t format_slot; /**< setting, or AT_UNKNOWN: see hex */
    uint8_t hex;
    uint8_t echo_slot;   /**< setting: 1 the module echoes them, or AT_UNKNOWN */
    uint8_t prompt;      /**< sent after the prompt, not in the line */
    int16_t until;       /**< byte that ends them, or -1 */
    int16_t cancel;      /**< byte that cancels them, or -1 */
};

/** How many lines of one kind answer a form. */
struct at_expect {
    uint16_t record; /**< at_record.id */
    uint8_t min;
    uint8_t max;
};

enum at_ends {
    AT_ENDS_NEVER,
    AT_ENDS_ALWAYS,
    AT_ENDS_VALUES /**< with one of `values`, which is a failure unless it's 0 */
};

/** A line that may follow the final result code. */
struct at_completion {
    const int32_t *values;  /**< ends: values of `ends_param` that end the command */
    uint16_t record;        /**< at_record.id */
    uint16_t match_form;    /**< parameter of the request that must equal ... */
    uint16_t match_line;    /**< ... this one of the line; AT_NONE when nothing must */
    uint16_t status;        /**< parameter: 0 success, else failure; AT_NONE */
    uint16_t ends_param;
    uint16_t count_record;  /**< at_record.id that announces how many come; AT_NONE: the request */
    uint16_t count_param;   /**< parameter that counts the lines, or AT_NONE */
    int16_t count_default;  /**< when that parameter was left out */
    int8_t count_add;
    uint8_t ends;           /**< enum at_ends */
    uint8_t nvalues;
    uint8_t sink;           /**< 1 + index of the at_sink that takes the line; 0 none */
};

/** milliseconds * (a + add) * b, where a and b are parameters of the request. */
struct at_deadline {
    uint32_t ms;
    uint16_t a, a_default; /**< AT_NONE: a is 1 */
    uint16_t b, b_default; /**< AT_NONE: b is 1 */
    uint8_t add;
};

enum at_form_flag {
    AT_FINAL_OPTIONAL = 1, /**< a completion may come without the final result code */
    AT_ANY_TIME = 2,       /**< needs no settings: may be sent while they are unknown */
    AT_ASKS = 4            /**< sent without arguments it changes nothing */
};

/** What forms share, or few have. */
struct at_form_rare {
    const struct at_effect *effects; /**< once acknowledged */
    const struct at_data *data;      /**< NULL when none are sent */
    const struct at_completion *then;
    const struct at_deadline *within; /**< from the final result to the last completion */
    uint32_t response_ms;            /**< to the final result code */
    uint16_t reads;                  /**< parameter that bounds the payload of the answer,
                                          or AT_NONE */
    uint8_t neffects;
    uint8_t nthen;
};

/** One form of a command: test, read, execute, set or the spec's own. */
struct at_form {
    AT_NAMED(const char *command;)
    AT_NAMED(const char *name;)
    const char *head;                /**< text before the first field */
    const struct at_field *fields;
    const struct at_expect *responses;
    const struct at_form_rare *rare;
    unsigned id : 10;                /**< index into at_module.forms */
    unsigned nfields : 5;
    unsigned size : 12;              /**< of the request struct */
    unsigned nresponses : 2;         /**< AT_SINKS_MAX at most */
    unsigned flags : 3;              /**< enum at_form_flag */
};

/** One setting. */
struct at_setting {
    AT_NAMED(const char *name;)
    uint16_t read_by;     /**< form that asks for it, or AT_NONE */
    uint8_t slot;         /**< first slot */
    uint8_t slots;
    uint8_t max;          /**< largest value */
    uint8_t initial;      /**< the manual's default */
    uint8_t when_refused; /**< value when the query is refused, or AT_UNKNOWN */
    uint8_t stored;       /**< survives a restart */
};

/** The host's view of a module. */
struct at_module {
    const char *name;
    /** Ragel machine over heads; 0 in `*state` starts a line. */
    int (*head)(uint16_t *state, const uint8_t **p, const uint8_t *end);
    const struct at_head *heads;
    const struct at_record *records;
    const struct at_param *params;
    const struct at_shown *shown;
    const struct at_setting *settings;
    const struct at_form *forms;
    const uint16_t *start;     /**< forms sent before settings are read */
    const uint16_t *barrier;   /**< queries whose answers can't be mistaken */
    const char *const *reboot; /**< texts that tell that the module started */
    uint16_t nrecords;
    uint16_t nforms;
    uint16_t wake;             /**< form sent until answered, or AT_NONE */
    uint8_t nsettings;
    uint8_t nslots;            /**< of all settings together */
    uint8_t nstart;
    uint8_t nbarrier;
    uint8_t nreboot;
};

/** Forms that share a beginning on the module's side, as AT+QISEND= does. */
struct at_command_head {
    uint16_t first; /**< index into at_grammar.forms */
    uint8_t count;
    uint8_t rest;   /**< field that runs to the end of the line, or AT_UNKNOWN */
};

/** A form that takes less, or other values, in one view. */
struct at_limit {
    const struct at_param *const *params; /**< by field; NULL: as the module's form has it */
    uint16_t form;
    uint8_t nfields;                      /**< that may stand in the line */
};

/** What one revision of the manual has, or firmware from some name on. */
struct at_view {
    const char *name;
    uint8_t series;                        /**< as in at_firmware; 0: a revision */
    uint16_t numbers[AT_FIRMWARE_NUMBERS]; /**< of the first such firmware that is told apart */
    const struct at_grammar *grammar;
};

/** The module's side: how command lines are parsed. */
struct at_grammar {
    const struct at_module *module;
    /** Ragel machine over a command line's beginning; an index or AT_HEAD_NONE. */
    int (*head)(const uint8_t **p, const uint8_t *end);
    const struct at_command_head *heads;
    const uint16_t *forms;                 /**< form ids, grouped by head */
    const char *const *const *test_lines;  /**< by form id: NULL-terminated texts, or NULL */
    const struct at_limit *limits;         /**< of a view */
    const char *const *series;             /**< how firmware is called: see at_firmware_parse */
    const struct at_view *views;           /**< revisions; firmware of each series, in order */
    uint16_t nheads;
    uint8_t nlimits;
    uint8_t nseries;
    uint8_t nviews;
};

#ifdef __cplusplus
}
#endif

#endif

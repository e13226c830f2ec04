/*
 * Round trips over everything a spec describes, with arguments made from the
 * descriptors alone: what the host's side encodes the module's side reads as
 * the same, and the other way round. What is one off a limit both refuse.
 *
 * Built for the BC26, and for a second module by giving its header and grammar.
 * AT_SEED chooses other arguments, AT_ROUNDS how many.
 */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifndef MODULE_HEADER
#define MODULE_HEADER "bc26_module.h"
#define MODULE_GRAMMAR bc26_grammar
#endif
#include MODULE_HEADER

#include "covers.h"
#include "unit/members.h"

enum { SEED = 26, ROUNDS = 3000, WRONG_ROUNDS = 20 };

static const struct at_grammar *const grammar = &MODULE_GRAMMAR;
static const struct at_module *module;
static struct picker picker;
static uint32_t seed = SEED;
static int rounds = ROUNDS;
static uint8_t settings[SETTINGS_MAX];

/* Check notes every assertion in a file, which is too much for every round. */
#define require(condition, ...)        \
    do {                               \
        if (!(condition)) {            \
            ck_abort_msg(__VA_ARGS__); \
        }                              \
    } while (0)

static const char *form_name(const struct at_form *form)
{
    static char name[128];
    snprintf(name, sizeof name, "%s.%s", form->command, form->name);
    return name;
}

/* The first two rounds force the ends of every range; then all groups take turns. */
static uint8_t begin_round(int round, const struct at_field *fields, uint8_t n)
{
    uint8_t deepest = group_depth(fields, n);
    picker.edge = round == 0 ? EDGE_LOW : round == 1 ? EDGE_HIGH : EDGE_NONE;
    return round < 2 ? deepest : (uint8_t)(round % (deepest + 1));
}

/* Commands ---------------------------------------------------------------- */

/* A buffer that is a byte too small takes nothing, and one of the right size all. */
static size_t encode_form(const struct at_form *form, const union value *request, char *line)
{
    char other[WIRE_MAX];
    struct at_fault fault = {NULL, AT_FINE};
    int n = at_form_encode(module, form, settings, request, line, WIRE_MAX, &fault);
    require(n > 0, "%s: %d, reason %d at <%s>", form_name(form), n, (int)fault.reason,
            fault.param != NULL ? fault.param->name : "");
    size_t len = (size_t)n;
    other[0] = other[len] = '#';
    int small = at_form_encode(module, form, settings, request, other, len - 1u, NULL);
    require(small == AT_E_SPACE && other[0] == '#', "%.*s: %d in too small a buffer", n, line,
            small);
    int exact = at_form_encode(module, form, settings, request, other, len, NULL);
    require(exact == n && memcmp(other, line, len) == 0 && other[len] == '#',
            "%.*s: %d in a buffer that fits", n, line, exact);
    return len;
}

/* Law 3: one command and its CR, and nothing that a module could take for more. */
static void assert_one_command(const char *line, size_t len)
{
    require(line[len - 1u] == '\r', "%.*s has no CR", (int)len, line);
    for (size_t i = 0; i + 1u < len; i++) {
        require(line[i] >= 0x20 && line[i] <= 0x7e && line[i] != ';', "byte %d in a line", line[i]);
    }
    require(at_is_command_line((const uint8_t *)line, len - 1u), "%.*s", (int)len, line);
}

static void parse_back(const struct at_form *form, const char *line, size_t len,
                       const union value *request)
{
    static uint8_t room[DATA_MAX];
    struct at_command command;
    struct at_fault fault = {NULL, AT_FINE};
    union value got;
    const char *wrong;
    int status = at_command_parse(grammar, settings, (const uint8_t *)line, len, &command, &fault);
    require(status == AT_OK, "%.*s: %d, reason %d at <%s>", (int)len, line, status,
            (int)fault.reason, fault.param != NULL ? fault.param->name : "");
    require(command.form == form, "%.*s is a %s", (int)len, line, form_name(command.form));
    memset(&got, 0x5a, sizeof got);
    require(at_command_decode(grammar, &command, &got) == AT_OK, "%.*s isn't decoded", (int)len,
            line);
    unhex_data(module, form, settings, &got, room);
    wrong = request_difference(module, form, request, &got);
    require(wrong == NULL, "%.*s: <%s> differs", (int)len, line, wrong);
}

START_TEST(command_forms)
{
    const struct at_form *form = &module->forms[_i];
    picker_init(&picker, seed + (uint32_t)_i);
    ck_assert_uint_le(module->nslots, SETTINGS_MAX);
    ck_assert_uint_le(form->size, VALUE_MAX);
    for (int round = 0; round < rounds; round++) {
        union value request;
        char line[WIRE_MAX];
        uint8_t depth = begin_round(round, form->fields, form->nfields);
        pick_settings(&picker, module, settings);
        pick_request(&picker, module, form, settings, depth, &request);
        size_t len = encode_form(form, &request, line);
        assert_one_command(line, len);
        parse_back(form, line, len - 1u, &request);
    }
    covers("form", form_name(form), "round trip");
}
END_TEST

/* Whether a line begins as the form does, or is all of it: letters of either case. */
static bool begins_so(const uint8_t *line, size_t len, const struct at_form *form)
{
    size_t n = strlen(form->head);
    return (form->nfields > 0 ? len >= n : len == n) &&
           strncasecmp((const char *)line, form->head, n) == 0;
}

/* What is nearly a head: no form is taken for another, nor for one that it only begins. */
static void assert_no_other(const uint8_t *line, size_t len)
{
    struct at_command command;
    int status = at_command_parse(grammar, settings, line, len, &command, NULL);
    require(status != AT_OK || begins_so(line, len, command.form), "%.*s is a %s", (int)len,
            line, form_name(command.form));
}

START_TEST(command_heads)
{
    const struct at_form *form = &module->forms[_i];
    union value request;
    uint8_t line[WIRE_MAX];
    picker_init(&picker, seed + (uint32_t)_i);
    pick_settings(&picker, module, settings);
    pick_request(&picker, module, form, settings, 0, &request);
    size_t len = encode_form(form, &request, (char *)line) - 1u;
    size_t head = strlen(form->head);
    for (size_t i = 0; i < head; i++) {
        uint8_t right = line[i];
        assert_no_other(line, i);
        for (unsigned wrong = 0; wrong <= UINT8_MAX; wrong++) {
            line[i] = (uint8_t)wrong;
            assert_no_other(line, len);
            assert_no_other(line, i + 1u);
        }
        line[i] = (uint8_t)tolower(right);
    }
    parse_back(form, (const char *)line, len, &request);
}
END_TEST

/* Commands that are wrong ------------------------------------------------- */

/* A value that a parameter doesn't take: as a member, and as text in a line. */
struct wrong {
    enum at_reason reason;
    bool module_takes_it; /* the host alone is so strict */
    size_t len;
    char text[DATA_MAX];
    union {
        int32_t number;
        uint32_t big;
        struct at_str text;
        struct at_bytes bytes;
    } member;
};

static void wrong_number(struct wrong *w, int64_t value, enum at_reason reason)
{
    w->reason = reason;
    w->len = (size_t)snprintf(w->text, sizeof w->text, "%lld", (long long)value);
    if (value > INT32_MAX) {
        w->member.big = (uint32_t)value;
    } else {
        w->member.number = (int32_t)value;
    }
}

static bool wrong_integer(const struct at_param *param, int kind, struct wrong *w)
{
    int64_t low = param->kind->type == AT_UINT ? 0 : INT32_MIN;
    int64_t high = param->kind->type == AT_UINT ? UINT32_MAX : INT32_MAX;
    int64_t value = kind == 0   ? (int64_t)param->kind->min - 1
                    : kind == 1 ? (int64_t)param->kind->max + 1
                    : kind == 2 ? (int64_t)param->kind->supported - 1
                                : (int64_t)param->kind->supported + 1;
    bool in_range = value >= param->kind->min && value <= (int64_t)param->kind->max;
    if (kind > 3 || value < low || value > high ||
        (kind >= 2 && (param->kind->supported == INT32_MIN || !in_range))) {
        return false;
    }
    wrong_number(w, value, in_range ? AT_UNSUPPORTED : AT_RANGE);
    return true;
}

static bool wrong_choice(const struct at_param *param, int kind, struct wrong *w)
{
    w->reason = AT_RANGE;
    w->member.number = kind == 0 ? -1 : param->kind->nvalues;
    w->len = (size_t)snprintf(w->text, sizeof w->text, kind == 0 ? "%s0" : "~%s", param->kind->values[0]);
    return kind < 2;
}

/* What no text may hold; the last the module itself would take inside quotes. */
static const char unsafe[] = "\"\r\n\x1a\x1b\x01\x7f\x80\xff\0;";

static bool wrong_text(const struct at_param *param, int kind, struct wrong *w)
{
    char filler = param->kind->type == AT_IP ? ':' : 'a';
    int place = kind - 2;
    w->reason = AT_LENGTH;
    w->len = kind == 0 ? (size_t)param->kind->min - 1u : kind == 1 ? param->kind->max + 1u : (size_t)param->kind->max;
    if ((kind == 0 && param->kind->min < 1) || place >= (int)sizeof unsafe) {
        return false;
    }
    memset(w->text, filler, w->len);
    if (place >= 0 && place < (int)sizeof unsafe - 1) {
        w->reason = AT_UNSAFE;
        w->text[pick(&picker, (uint32_t)w->len)] = unsafe[place];
        w->module_takes_it = unsafe[place] == ';' && param->kind->type == AT_STRING;
    } else if (place >= 0) { /* no address */
        w->reason = AT_TYPE;
        memset(w->text, '1', w->len);
    }
    w->member.text.ptr = w->text;
    w->member.text.len = w->len;
    return w->reason != AT_TYPE || param->kind->type == AT_IP;
}

static bool make_wrong(const struct at_param *param, int kind, struct wrong *w)
{
    memset(w, 0, sizeof *w);
    switch (param->kind->type) {
    case AT_INT:
    case AT_UINT:
        return wrong_integer(param, kind, w);
    case AT_CHOICE:
        return wrong_choice(param, kind, w);
    case AT_STRING:
    case AT_HOST:
    case AT_IP:
        return wrong_text(param, kind, w);
    default:
        return false; /* data: see below */
    }
}

static size_t member_size(const struct at_param *param)
{
    switch (param->kind->type) {
    case AT_INT:
    case AT_UINT:
    case AT_CHOICE:
        return sizeof(int32_t);
    default:
        return sizeof(struct at_str);
    }
}

static uint8_t forms_like(const char *line, size_t len)
{
    const uint8_t *p = (const uint8_t *)line;
    int found = grammar->head(&p, p + len);
    return found < 0 ? 0 : grammar->heads[found].count;
}

/* The encoder says which argument and why, and writes nothing. */
static void assert_not_encoded(const struct at_form *form, const union value *request,
                               const struct at_param *param, enum at_reason reason)
{
    char line[WIRE_MAX] = "#";
    struct at_fault fault = {NULL, AT_FINE};
    int n = at_form_encode(module, form, settings, request, line, sizeof line, &fault);
    require(n == AT_E_ARGUMENT, "%s: %d for a wrong <%s>: %.*s", form_name(form), n, param->name,
            n > 0 ? n : 0, line);
    ck_assert_int_eq(line[0], '#');
    require(fault.param == param && fault.reason == reason, "%s: reason %d at <%s>, not %d at <%s>",
            form_name(form), (int)fault.reason, fault.param != NULL ? fault.param->name : "",
            (int)reason, param->name);
}

/* The module refuses the line too, and where no other form begins the same for
 * the same reason. */
static void assert_not_parsed(const struct at_form *form, const char *line, size_t len,
                              const struct at_param *param, enum at_reason reason)
{
    struct at_command command;
    struct at_fault fault = {NULL, AT_FINE};
    int status = at_command_parse(grammar, settings, (const uint8_t *)line, len, &command, &fault);
    require(status != AT_OK || command.form != form, "%.*s isn't refused", (int)len, line);
    if (reason == AT_UNSAFE && param->kind->type == AT_IP) {
        reason = AT_TYPE; /* to the module it's just no address */
    }
    if (status == AT_E_ARGUMENT && forms_like(line, len) == 1) {
        require(fault.param == param && fault.reason == reason,
                "%.*s: reason %d at <%s>, not %d at <%s>", (int)len, line, (int)fault.reason,
                fault.param->name, (int)reason, param->name);
    }
}

/* The line with the text of one field replaced. */
static size_t splice(char *out, const char *line, size_t len, const struct at_mark *mark,
                     const char *text, size_t n)
{
    memcpy(out, line, mark->begin);
    memcpy(out + mark->begin, text, n);
    memcpy(out + mark->begin + n, line + mark->end, len - mark->end);
    return mark->begin + n + (len - mark->end);
}

static void try_wrong(const struct at_form *form, const union value *good, uint8_t index,
                      const struct at_command *command, const char *line, size_t len)
{
    const struct at_field *field = &form->fields[index];
    const struct at_param *param = &module->params[field->param];
    static struct wrong w;
    for (int kind = 0; kind < 32; kind++) {
        union value bad = *good;
        char text[WIRE_MAX];
        if (!make_wrong(param, kind, &w)) {
            continue;
        }
        memcpy(member_of(field, &bad), &w.member, member_size(param));
        assert_not_encoded(form, &bad, param, w.reason);
        if (!w.module_takes_it) {
            size_t n = splice(text, line, len, &command->marks[index], w.text, w.len);
            assert_not_parsed(form, text, n, param, w.reason);
        }
    }
}

static void try_without_text(const struct at_form *form, const union value *good, uint8_t index)
{
    const struct at_field *field = &form->fields[index];
    const struct at_param *param = &module->params[field->param];
    union value bad = *good;
    if (member_size(param) == sizeof(struct at_str)) {
        memset(member_of(field, &bad), 0, sizeof(struct at_str));
        assert_not_encoded(form, &bad, param, AT_MISSING);
    }
}

static bool in_line(const struct at_form *form, uint8_t index)
{
    return form->fields[index].offset != AT_NO_MEMBER &&
           (form->rare->data == NULL || form->rare->data->prompt == 0 ||
            form->fields[index].param != form->rare->data->field);
}

START_TEST(wrong_arguments)
{
    const struct at_form *form = &module->forms[_i];
    uint8_t deepest = group_depth(form->fields, form->nfields);
    picker_init(&picker, seed + (uint32_t)_i);
    for (int round = 0; round < WRONG_ROUNDS; round++) {
        union value request;
        struct at_command command;
        char line[WIRE_MAX];
        pick_settings(&picker, module, settings);
        pick_request(&picker, module, form, settings, deepest, &request);
        size_t len = encode_form(form, &request, line) - 1u;
        ck_assert_int_eq(at_command_parse(grammar, settings, (uint8_t *)line, len, &command, NULL),
                         AT_OK);
        for (uint8_t i = 0; i < form->nfields; i++) {
            if (in_line(form, i) &&
                (form->rare->data == NULL || form->fields[i].param != form->rare->data->length)) {
                try_wrong(form, &request, i, &command, line, len);
                try_without_text(form, &request, i);
            }
        }
    }
}
END_TEST

/* Data that are wrong ------------------------------------------------------ */

struct data_case {
    const struct at_form *form;
    const struct at_field *held;   /* the data */
    const struct at_field *length; /* their length, or NULL */
    bool hex;
    size_t max;
};

static const struct at_field *field_of(const struct at_form *form, uint16_t param)
{
    for (uint8_t i = 0; i < form->nfields; i++) {
        if (form->fields[i].param == param) {
            return &form->fields[i];
        }
    }
    return NULL;
}

/* A request whose data are `len` bytes, said to be `stated`. */
static void give_data(const struct data_case *c, union value *request, const uint8_t *bytes,
                      size_t len, int32_t stated)
{
    struct at_bytes data = {bytes, len};
    memcpy(member_of(c->held, request), &data, sizeof data);
    if (c->length != NULL) {
        memcpy(member_of(c->length, request), &stated, sizeof stated);
    }
}

/* The command line as it would be, had the encoder not refused: the head, the
 * fields before the length as they are, the length, and the data. */
static size_t forced_line(const struct data_case *c, char *out, const char *line,
                          const struct at_command *command, size_t len, int32_t stated)
{
    const struct at_mark *mark = &command->marks[c->length - c->form->fields];
    size_t n = mark->begin;
    memcpy(out, line, n);
    n += (size_t)snprintf(out + n, WIRE_MAX - n, "%d", (int)stated);
    if (c->form->rare->data->prompt == 0) {
        out[n++] = ',';
        memset(out + n, '4', len * (c->hex ? 2u : 1u));
        n += len * (c->hex ? 2u : 1u);
    }
    return n;
}

static void try_length(const struct data_case *c, const union value *good, const char *line,
                       const struct at_command *command, size_t len, int32_t stated,
                       const struct at_field *at, enum at_reason reason)
{
    static uint8_t bytes[DATA_MAX];
    union value bad = *good;
    memset(bytes, 'D', sizeof bytes);
    give_data(c, &bad, bytes, len, stated);
    assert_not_encoded(c->form, &bad, &module->params[at->param], reason);
    /* At the prompt it's the length that counts, whatever comes then. */
    if (c->length != NULL && (c->form->rare->data->prompt == 0 || reason == AT_RANGE)) {
        char text[WIRE_MAX];
        size_t n = forced_line(c, text, line, command, len, stated);
        assert_not_parsed(c->form, text, n, &module->params[at->param], reason);
    }
}

static void try_lengths(const struct data_case *c, const union value *good, const char *line,
                        const struct at_command *command)
{
    int32_t max = (int32_t)c->max;
    if (c->length != NULL) {
        try_length(c, good, line, command, c->max + 1u, max + 1, c->length, AT_RANGE);
        try_length(c, good, line, command, 0, 0, c->length, AT_RANGE);
        try_length(c, good, line, command, 1, -1, c->length, AT_RANGE);
        try_length(c, good, line, command, c->max, max - 1, c->length, AT_MISMATCH);
        try_length(c, good, line, command, 1, 2, c->length, AT_MISMATCH);
    } else {
        try_length(c, good, line, command, c->max + 1u, 0, c->held, AT_LENGTH);
        try_length(c, good, line, command, 0, 0, c->held, AT_LENGTH);
    }
}

/* Every byte that can't be carried here, alone and amid others. */
static void try_bytes(const struct data_case *c, const union value *good)
{
    const struct at_data *data = c->form->rare->data;
    for (int byte = 0; byte < 256; byte++) {
        uint8_t bytes[3] = {'a', (uint8_t)byte, 'b'};
        union value request = *good;
        bool legal = c->hex;
        char line[WIRE_MAX];
        if (!c->hex && data->prompt != 0) {
            legal = data->until < 0 || (byte != data->until && byte != data->cancel);
        } else if (!c->hex) {
            legal = byte >= 0x20 && byte <= 0x7e && byte != '"' && byte != ';';
        }
        give_data(c, &request, bytes, sizeof bytes, 3);
        if (legal) {
            int n = at_form_encode(module, c->form, settings, &request, line, sizeof line, NULL);
            ck_assert_int_gt(n, 0);
            parse_back(c->form, line, (size_t)n - 1u, &request);
        } else {
            assert_not_encoded(c->form, &request, &module->params[data->field], AT_UNSAFE);
        }
    }
}

/* Digits that are none, and one too few. */
static void try_digits(const struct data_case *c, const char *line,
                       const struct at_command *command)
{
    static const char *const wrong[] = {"4G", "4 ", "zz", "4", "444"};
    const struct at_mark *mark = &command->marks[c->length - c->form->fields];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[WIRE_MAX];
        struct at_command got;
        int n = snprintf(text, sizeof text, "%.*s1,%s", (int)mark->begin, line, wrong[i]);
        int status = at_command_parse(grammar, settings, (uint8_t *)text, (size_t)n, &got, NULL);
        require(status != AT_OK || got.form != c->form, "%s isn't refused", text);
    }
}

START_TEST(wrong_data)
{
    const struct at_form *form = &module->forms[_i];
    if (form->rare->data == NULL) {
        return;
    }
    picker_init(&picker, seed + (uint32_t)_i);
    for (int format = 0; format < 2; format++) {
        struct data_case c = {form, field_of(form, form->rare->data->field),
                              field_of(form, form->rare->data->length), false, 0};
        union value request;
        struct at_command command;
        char line[WIRE_MAX];
        pick_settings(&picker, module, settings);
        if (form->rare->data->format_slot != AT_UNKNOWN) {
            settings[form->rare->data->format_slot] = (uint8_t)format;
        }
        c.hex = at_data_hex(form->rare->data, settings) > 0;
        c.max = c.hex ? form->rare->data->max_hex : form->rare->data->max_text;
        pick_request(&picker, module, form, settings, 0, &request);
        size_t len = encode_form(form, &request, line) - 1u;
        ck_assert_int_eq(at_command_parse(grammar, settings, (uint8_t *)line, len, &command, NULL),
                         AT_OK);
        try_lengths(&c, &request, line, &command);
        try_bytes(&c, &request);
        if (c.hex && form->rare->data->prompt == 0) {
            try_digits(&c, line, &command);
        }
    }
}
END_TEST

/* Settings that aren't known: no guess about the format of data. */
START_TEST(unknown_settings)
{
    const struct at_form *form = &module->forms[_i];
    union value request;
    char line[WIRE_MAX] = "#";
    picker_init(&picker, seed + (uint32_t)_i);
    pick_settings(&picker, module, settings);
    pick_request(&picker, module, form, settings, 0, &request);
    memset(settings, AT_UNKNOWN, sizeof settings);
    bool needed = form->rare->data != NULL && form->rare->data->format_slot != AT_UNKNOWN;
    int n = at_form_encode(module, form, settings, &request, line, sizeof line, NULL);
    if (needed) {
        ck_assert_int_eq(n, AT_E_UNKNOWN_SETTING);
        ck_assert_int_eq(line[0], '#');
    } else {
        ck_assert_int_gt(n, 0);
    }
}
END_TEST

/* Arguments left out, and too many ----------------------------------------- */

/* Whether the form has a legal command line with so many fields. */
static bool may_have(const struct at_form *form, uint8_t nfields)
{
    uint8_t n = (uint8_t)(form->nfields - (form->rare->data != NULL && form->rare->data->prompt != 0));
    if (nfields == 0 || nfields > n) {
        return false;
    }
    return nfields == n || (form->fields[nfields].group != 0 &&
                            form->fields[nfields].group != form->fields[nfields - 1u].group);
}

/* A command line cut after some fields, or with one more, is no such form. */
static void try_counts(const struct at_form *form, const struct at_command *command,
                       const char *line, size_t len)
{
    char text[WIRE_MAX];
    struct at_command got;
    for (uint8_t n = 1; n <= command->nmarks; n++) {
        const struct at_mark *last = &command->marks[n - 1u];
        size_t end = last->end + (last->kind == AT_MARK_QUOTED ? 1u : 0u);
        int status = at_command_parse(grammar, settings, (const uint8_t *)line, end, &got, NULL);
        if (!may_have(form, n)) {
            require(status != AT_OK || got.form != form, "%.*s isn't refused", (int)end, line);
        }
    }
    memcpy(text, line, len);
    memcpy(text + len, ",1", 2);
    int status = at_command_parse(grammar, settings, (uint8_t *)text, len + 2u, &got, NULL);
    require(status != AT_OK || got.form != form, "%.*s,1 isn't refused", (int)len, line);
}

/* A field left out before one that is given: each in turn. */
static void try_gaps(const struct at_form *form, const union value *good)
{
    for (uint8_t i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        bool last = i + 1u == form->nfields;
        union value bad = *good;
        if (field->has == 0 || (last && form->fields[i - 1u].group != field->group)) {
            continue;
        }
        bad.bytes[field->offset - field->has] = 0;
        assert_not_encoded(form, &bad, &module->params[field->param], AT_MISSING);
    }
}

START_TEST(wrong_counts)
{
    const struct at_form *form = &module->forms[_i];
    uint8_t deepest = group_depth(form->fields, form->nfields);
    picker_init(&picker, seed + (uint32_t)_i);
    for (int round = 0; round < WRONG_ROUNDS; round++) {
        union value request;
        struct at_command command;
        char line[WIRE_MAX];
        pick_settings(&picker, module, settings);
        pick_request(&picker, module, form, settings, deepest, &request);
        size_t len = encode_form(form, &request, line) - 1u;
        ck_assert_int_eq(at_command_parse(grammar, settings, (uint8_t *)line, len, &command, NULL),
                         AT_OK);
        try_counts(form, &command, line, len);
        try_gaps(form, &request);
    }
}
END_TEST

/* Lines of the module's ---------------------------------------------------- */

/* What the stream said of one line. */
static struct {
    struct at_stream stream;
    uint8_t window[WIRE_MAX];
    int lines, others;
    const struct at_record *record;
    union value value;
    char text[WIRE_MAX]; /* what the texts in `value` point into */
    int32_t announced;
    size_t payload;
    uint8_t bytes[WIRE_MAX];
} heard;

static void on_event(void *ctx, const struct at_event *event)
{
    (void)ctx;
    if (event->type == AT_EVENT_LINE) {
        struct at_line line = *event->line;
        heard.lines++;
        heard.record = event->record;
        heard.announced = line.payload;
        memcpy(heard.text, line.text, line.len);
        line.text = (const uint8_t *)heard.text;
        memset(&heard.value, 0x5a, sizeof heard.value);
        require(at_line_decode(&line, &heard.value) == AT_OK, "%s isn't decoded", heard.text);
    } else if (event->type == AT_EVENT_PAYLOAD) {
        memcpy(heard.bytes + heard.payload, event->data, event->len);
        heard.payload += event->len;
    } else {
        heard.others++;
    }
}

/* Feed bytes under the present settings, in pieces of any size. */
static void hear(const char *wire, size_t len)
{
    memset(&heard.value, 0, sizeof heard.value);
    heard.lines = heard.others = 0;
    heard.record = NULL;
    heard.payload = 0;
    (void)at_stream_init(&heard.stream, module, settings, heard.window, sizeof heard.window, on_event,
                   NULL);
    bool whole = pick(&picker, 2) != 0;
    while (len > 0) {
        size_t n = whole ? len : 1u + pick(&picker, (uint32_t)(len < 40 ? len : 40));
        at_stream_feed(&heard.stream, (const uint8_t *)wire, n);
        wire += n;
        len -= n;
    }
}

static bool comes_inline(const struct at_record *record)
{
    const struct at_payload *payload = record->rare->payload;
    return payload->inline_slot != AT_UNKNOWN && settings[payload->inline_slot] == 1;
}

static bool comes_in_hex(const struct at_record *record)
{
    const struct at_payload *payload = record->rare->payload;
    return payload->format_slot != AT_UNKNOWN ? settings[payload->format_slot] == 1
                                              : payload->hex != 0;
}

/* \r\n line \r\n, or with a payload what goes between. Returns the length;
 * the payload as on the wire is `*bytes`. */
static size_t frame(const struct at_record *record, const char *line, size_t len, int32_t length,
                    char *wire, const char **bytes)
{
    size_t n = 0;
    memcpy(wire, "\r\n", 2);
    memcpy(wire + 2, line, len);
    n = len + 2u;
    *bytes = wire + n;
    if (length >= 0) {
        n += (size_t)sprintf(wire + n, "%s", comes_inline(record) ? "," : "\r\n");
        *bytes = wire + n;
        for (int32_t i = 0; i < length; i++) {
            uint8_t byte = (uint8_t)pick(&picker, 256);
            if (comes_in_hex(record)) {
                at_hex_encode(&byte, 1, wire + n);
                n += 2;
            } else {
                wire[n++] = (char)byte;
            }
        }
    }
    memcpy(wire + n, "\r\n", 2);
    return n + 2u;
}

static size_t encode_line(const struct at_record *record, const union value *value, char *line)
{
    char other[WIRE_MAX];
    struct at_fault fault = {NULL, AT_FINE};
    int n = at_record_encode(module, record, value, line, WIRE_MAX, &fault);
    require(n > 0, "%s: %d, reason %d at <%s>", record->name, n, (int)fault.reason,
            fault.param != NULL ? fault.param->name : "");
    size_t len = (size_t)n;
    other[0] = other[len] = '#';
    int small = at_record_encode(module, record, value, other, len - 1u, NULL);
    require(small == AT_E_SPACE && other[0] == '#', "%.*s: %d in too small a buffer", n, line,
            small);
    int exact = at_record_encode(module, record, value, other, len, NULL);
    require(exact == n && memcmp(other, line, len) == 0 && other[len] == '#',
            "%.*s: %d in a buffer that fits", n, line, exact);
    return len;
}

/* Settings that the line itself says are what it says. */
static void assert_effects(const struct at_record *record, const union value *value)
{
    for (uint8_t i = 0; i < record->rare->neffects; i++) {
        const struct at_effect *effect = &record->rare->effects[i];
        int32_t key = 0;
        int32_t number = 0;
        uint8_t slot;
        if ((effect->slots == 1 || line_int(module, record, value, effect->key, &key)) &&
            line_int(module, record, value, effect->value, &number) &&
            at_setting_slot(effect, key, number, &slot)) {
            require(settings[slot] == number, "%s: setting %d is %d", record->name, slot,
                    settings[slot]);
        }
    }
}

static size_t leading_zeros(const char *text, size_t len)
{
    size_t n = 0;
    while (n + 1u < len && text[n] == '0') {
        n++;
    }
    return n;
}

/* Some texts are two lines at once, and a rule of the spec chooses: then it's
 * the one that is tried before, and what that means is spelled the same. */
static bool is_chosen_instead(const struct at_record *record, const char *line, size_t len)
{
    char again[WIRE_MAX];
    size_t head = strlen(record->head);
    if (heard.record >= record || strcmp(heard.record->head, record->head) != 0) {
        return false;
    }
    int n = at_record_encode(module, heard.record, &heard.value, again, sizeof again, NULL);
    head += leading_zeros(line + head, len - head); /* a text of digits, now a number */
    require(n >= (int)(len - head), "%.*s became shorter", (int)len, line);
    return memcmp(again + n - (len - head), line + head, len - head) == 0;
}

/* A line out and back in; whether it was heard as itself. */
static bool line_round_trip(const struct at_record *record, uint8_t depth)
{
    union value value;
    char line[WIRE_MAX];
    char wire[WIRE_MAX];
    const char *bytes;
    const char *wrong;
    pick_line(&picker, module, record, settings, depth, &value);
    int32_t length = announced(module, record, settings, &value);
    size_t digits = length > 0 ? (size_t)length * (comes_in_hex(record) ? 2u : 1u) : 0;
    size_t len = encode_line(record, &value, line);
    size_t n = frame(record, line, len, length, wire, &bytes);

    hear(wire, n);
    require(heard.lines == 1 && heard.others == 0, "%.*s: %d lines, %d other events", (int)len,
            line, heard.lines, heard.others);
    if (heard.record != record && is_chosen_instead(record, line, len)) {
        return false;
    }
    require(heard.record->id == record->id, "%.*s is a %s, not a %s", (int)len, line,
            heard.record->name, record->name);
    wrong = line_difference(module, record->id, &value, &heard.value);
    require(wrong == NULL, "%.*s: <%s> differs", (int)len, line, wrong);
    require(heard.announced == length && heard.payload == digits &&
                memcmp(heard.bytes, bytes, digits) == 0,
            "%.*s: %zu bytes of payload, %d announced", (int)len, line, heard.payload,
            (int)heard.announced);
    assert_effects(record, &value);
    return true;
}

START_TEST(module_lines)
{
    const struct at_record *record = &module->records[_i];
    int heard_as_itself = 0;
    if (record->kind == AT_KIND_TEST) {
        return; /* see below */
    }
    picker_init(&picker, seed + (uint32_t)_i);
    ck_assert_uint_le(record->size, VALUE_MAX);
    for (int round = 0; round < rounds; round++) {
        uint8_t depth = begin_round(round, record->fields, record->nfields);
        pick_settings(&picker, module, settings);
        heard_as_itself += line_round_trip(record, depth);
    }
    require(heard_as_itself > rounds / 4, "%s: %d of %d were heard as themselves", record->name,
            heard_as_itself, rounds);
    covers("line", record->name, "round trip");
}
END_TEST

/* Answers to test commands: the spec's own, and any text with a range. */
START_TEST(test_answers)
{
    const struct at_record *record = &module->records[_i];
    if (record->kind != AT_KIND_TEST) {
        return;
    }
    picker_init(&picker, seed + (uint32_t)_i);
    for (int round = 0; round < 100; round++) {
        union value value;
        char text[64] = "(";
        struct at_str str = {text, 1u + pick(&picker, (uint32_t)sizeof text - 1u)};
        char line[WIRE_MAX];
        char wire[WIRE_MAX];
        const char *bytes;
        for (size_t i = 1; i < str.len; i++) {
            text[i] = (char)(0x20 + pick(&picker, 0x7f - 0x20));
        }
        memset(&value, 0, sizeof value);
        memcpy(&value, &str, sizeof str);
        pick_settings(&picker, module, settings);
        size_t len = encode_line(record, &value, line);
        hear(wire, frame(record, line, len, -1, wire, &bytes));
        ck_assert_int_eq(heard.lines, 1);
        ck_assert_ptr_eq(heard.record, record);
        ck_assert_ptr_null(line_difference(module, record->id, &value, &heard.value));
    }
    covers("line", record->name, "round trip");
}
END_TEST

START_TEST(answers_of_the_manual)
{
    const struct at_form *form = &module->forms[_i];
    const char *const *lines = grammar->test_lines[_i];
    picker_init(&picker, seed);
    for (; lines != NULL && *lines != NULL; lines++) {
        char wire[WIRE_MAX];
        int n = snprintf(wire, sizeof wire, "\r\n%s\r\n", *lines);
        pick_settings(&picker, module, settings);
        hear(wire, (size_t)n);
        require(heard.lines == 1 && heard.others == 0, "%s", *lines);
        ck_assert_uint_eq(heard.record->id, form->responses[0].record);
        ck_assert_uint_eq(heard.record->kind, AT_KIND_TEST);
    }
}
END_TEST

/* Lines that are wrong ----------------------------------------------------- */

/* Where a field stands. No text before it holds a comma: see below. */
static struct at_mark locate(const struct at_record *record, const char *line, size_t len,
                             uint8_t index)
{
    size_t at = strlen(record->head);
    const char *comma = memchr(line + at, ',', len - at);
    for (; index > 0; index--) {
        at = (size_t)(comma - line) + 1u;
        comma = memchr(line + at, ',', len - at);
    }
    struct at_mark mark = {(uint16_t)at, (uint16_t)(comma != NULL ? comma - line : (long)len),
                           AT_MARK_INT};
    return mark;
}

/* Ranges bind the encoder. On receipt a number reaches the caller as it came,
 * unless the line's shape depends on it. */
static void try_wrong_line(const struct at_record *record, const struct at_field *field,
                           const union value *good, const char *line, size_t len)
{
    const struct at_param *param = &module->params[field->param];
    struct at_mark mark = locate(record, line, len, (uint8_t)(field - record->fields));
    static struct wrong w;
    for (int kind = 0; kind < 2; kind++) {
        union value bad = *good;
        char refused[WIRE_MAX] = "#";
        char text[WIRE_MAX];
        char wire[WIRE_MAX];
        const char *bytes;
        struct at_fault fault = {NULL, AT_FINE};
        if (!make_wrong(param, kind, &w)) {
            continue;
        }
        memcpy(member_of(field, &bad), &w.member, sizeof(int32_t));
        int status = at_record_encode(module, record, &bad, refused, sizeof refused, &fault);
        if ((param->kind->flags & AT_STRICT) == 0) { /* else another shape of the line may say it */
            require(status == AT_E_ARGUMENT && fault.param == param && fault.reason == AT_RANGE &&
                        refused[0] == '#',
                    "%s: %d for a wrong <%s>", record->name, status, param->name);
        }
        if (announced(module, record, settings, &bad) >= 0) {
            continue; /* another key, and with it another setting */
        }
        size_t n = splice(text, line, len, &mark, w.text, w.len);
        hear(wire, frame(record, text, n, -1, wire, &bytes));
        if ((param->kind->flags & AT_STRICT) == 0) {
            require(heard.lines == 1, "%.*s isn't handed over", (int)n, text);
            ck_assert_ptr_null(line_difference(module, heard.record->id, &bad, &heard.value));
        } else {
            require(heard.record != record, "%.*s is taken", (int)n, text);
        }
    }
}

/* A length that the module can't send announces nothing. */
static void try_wrong_payload(const struct at_record *record, const char *line, size_t len)
{
    const struct at_payload *payload = record->rare->payload;
    const int32_t lengths[] = {-1, payload->min - 1, payload->max + 1, INT32_MAX};
    const struct at_field *field = record->fields;
    while (field->param != payload->length) {
        field++;
    }
    struct at_mark mark = locate(record, line, len, (uint8_t)(field - record->fields));
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char number[16];
        char text[WIRE_MAX];
        char wire[WIRE_MAX];
        const char *bytes;
        int digits = snprintf(number, sizeof number, "%ld", (long)lengths[i]);
        size_t n = splice(text, line, len, &mark, number, (size_t)digits);
        hear(wire, frame(record, text, n, -1, wire, &bytes));
        require(heard.record != record, "%.*s is taken", (int)n, text);
        ck_assert_uint_eq(heard.payload, 0);
    }
}

static bool is_number(const struct at_field *field)
{
    uint8_t type = module->params[field->param].kind->type;
    return type == AT_INT || type == AT_UINT;
}

static bool may_hold_comma(const struct at_field *field)
{
    uint8_t type = module->params[field->param].kind->type;
    return type == AT_STRING || type == AT_TEXT;
}

START_TEST(wrong_lines)
{
    const struct at_record *record = &module->records[_i];
    uint8_t deepest = group_depth(record->fields, record->nfields);
    if (record->kind == AT_KIND_TEST) {
        return;
    }
    picker_init(&picker, seed + (uint32_t)_i);
    for (int round = 0; round < WRONG_ROUNDS; round++) {
        union value value;
        char line[WIRE_MAX];
        pick_settings(&picker, module, settings);
        pick_line(&picker, module, record, settings, deepest, &value);
        size_t len = encode_line(record, &value, line);
        if (announced(module, record, settings, &value) >= 0) {
            try_wrong_payload(record, line, len);
            continue;
        }
        for (uint8_t i = 0; i < record->nfields && is_present(&record->fields[i], &value); i++) {
            if (is_number(&record->fields[i])) {
                try_wrong_line(record, &record->fields[i], &value, line, len);
            } else if (may_hold_comma(&record->fields[i])) {
                break;
            }
        }
    }
}
END_TEST

/* With a setting unknown that decides about it, a line isn't guessed at. */
static void try_unknown(const struct at_record *record, const char *line, size_t len, uint8_t slot)
{
    char wire[WIRE_MAX];
    const char *bytes;
    uint8_t known = settings[slot];
    settings[slot] = AT_UNKNOWN;
    hear(wire, frame(record, line, len, -1, wire, &bytes));
    require(heard.record != record && heard.payload == 0, "%.*s is taken, setting %d unknown",
            (int)len, line, slot);
    settings[slot] = known;
}

START_TEST(unknown_framing)
{
    const struct at_record *record = &module->records[_i];
    const struct at_payload *payload = record->rare->payload;
    picker_init(&picker, seed + (uint32_t)_i);
    for (int round = 0; round < WRONG_ROUNDS && record->nfields > 0; round++) {
        union value value;
        char line[WIRE_MAX];
        pick_settings(&picker, module, settings);
        pick_line(&picker, module, record, settings, group_depth(record->fields, record->nfields),
                  &value);
        size_t len = encode_line(record, &value, line);
        for (uint8_t i = 0; i < record->nfields; i++) {
            if (record->fields[i].shown != 0) {
                try_unknown(record, line, len, module->shown[record->fields[i].shown - 1u].slot);
            }
        }
        if (announced(module, record, settings, &value) >= 0) {
            int32_t key = 0;
            (void)line_int(module, record, &value, payload->when_key, &key);
            const uint8_t slots[] = {
                payload->format_slot, payload->inline_slot,
                (uint8_t)(payload->when_slot + (payload->when_key != AT_NONE ? key : 0))};
            for (size_t i = 0; i < sizeof slots; i++) {
                if (slots[i] != AT_UNKNOWN) {
                    try_unknown(record, line, len, slots[i]);
                }
            }
        }
    }
}
END_TEST

/* Where fields that a later firmware appends are ignored they change nothing;
 * elsewhere they make it another line. */
START_TEST(extra_fields)
{
    const struct at_record *record = &module->records[_i];
    uint8_t n = record->nfields;
    if (n == 0 || record->rare->payload != NULL ||
        module->params[record->fields[n - 1u].param].kind->type == AT_TEXT) {
        return;
    }
    picker_init(&picker, seed + (uint32_t)_i);
    for (int round = 0; round < WRONG_ROUNDS; round++) {
        union value value;
        char line[WIRE_MAX];
        char wire[WIRE_MAX];
        const char *bytes;
        pick_settings(&picker, module, settings);
        pick_line(&picker, module, record, settings, group_depth(record->fields, n), &value);
        size_t len = encode_line(record, &value, line);
        len += (size_t)sprintf(line + len, "%s", round % 2 != 0 ? ",7" : ",\"x\",-1");
        hear(wire, frame(record, line, len, -1, wire, &bytes));
        require((heard.record == record) == (record->extra != 0), "%.*s", (int)len, line);
        if (record->extra != 0) {
            ck_assert_ptr_null(line_difference(module, record->id, &value, &heard.value));
        }
    }
}
END_TEST

/* ------------------------------------------------------------------------- */

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

int main(void)
{
    Suite *suite = suite_create("round trips");
    TCase *commands = tcase_create("commands");
    TCase *lines = tcase_create("lines");
    module = grammar->module;
    seed = from_environment("AT_SEED", SEED);
    rounds = (int)from_environment("AT_ROUNDS", ROUNDS);
    printf("AT_SEED=%lu AT_ROUNDS=%d\n", (unsigned long)seed, rounds);

    tcase_set_timeout(commands, 60);
    tcase_add_loop_test(commands, command_forms, 0, module->nforms);
    tcase_add_loop_test(commands, command_heads, 0, module->nforms);
    tcase_add_loop_test(commands, wrong_arguments, 0, module->nforms);
    tcase_add_loop_test(commands, wrong_data, 0, module->nforms);
    tcase_add_loop_test(commands, wrong_counts, 0, module->nforms);
    tcase_add_loop_test(commands, unknown_settings, 0, module->nforms);
    suite_add_tcase(suite, commands);
    tcase_set_timeout(lines, 60);
    tcase_add_loop_test(lines, module_lines, 0, module->nrecords);
    tcase_add_loop_test(lines, test_answers, 0, module->nrecords);
    tcase_add_loop_test(lines, wrong_lines, 0, module->nrecords);
    tcase_add_loop_test(lines, unknown_framing, 0, module->nrecords);
    tcase_add_loop_test(lines, extra_fields, 0, module->nrecords);
    tcase_add_loop_test(lines, answers_of_the_manual, 0, module->nforms);
    suite_add_tcase(suite, lines);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

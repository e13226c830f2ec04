/* Any arguments: the encoder refuses exactly what the spec forbids, and what it takes the other
 * side reads as it was meant, in both directions. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "at/stream.h"

struct room {
    void *texts[2 * AT_FIELDS_MAX]; /* what members point to, each exactly as large */
    size_t n;
};

static void clear(struct room *room)
{
    while (room->n > 0) {
        free(room->texts[--room->n]);
    }
}

/* Arguments ------------------------------------------------------------------------------- */

/* The ends of a range and what lies beyond, or anything. */
static int64_t choose_number(struct input *in, int64_t low, int64_t high)
{
    switch (choose(in, 8)) {
    case 0:
        return low;
    case 1:
        return high;
    case 2:
        return low - 1;
    case 3:
        return high + 1;
    case 4:
        return (int64_t)choose_word(in);
    case 5:
        return -(int64_t)choose(in, 256);
    default:
        return low + (int64_t)(choose_word(in) % (uint64_t)(high - low + 1));
    }
}

static size_t choose_length(struct input *in, size_t low, size_t high)
{
    switch (choose(in, 6)) {
    case 0:
        return high;
    case 1:
        return high + 1u;
    case 2:
        return low > 0 ? low - 1u : 0;
    case 3:
        return low;
    default:
        return low + choose(in, 256) % (high - low + 1u);
    }
}

/* The input's text, and behind its end what is harmless, mostly. */
static struct at_bytes choose_bytes(struct input *in, struct room *room, size_t low, size_t high)
{
    size_t n = choose_length(in, low, high);
    struct at_bytes bytes = {NULL, n};
    if (choose(in, 32) == 31) {
        return bytes;
    }
    uint8_t *to = exactly(NULL, n);
    size_t taken = take_text(in, to, n);
    if (n > taken) {
        memset(to + taken, "1111::\";"[choose(in, 8)], n - taken);
    }
    room->texts[room->n++] = to;
    bytes.ptr = to;
    return bytes;
}

static void choose_member(struct input *in, struct room *room, const struct at_kind *kind,
                          void *member)
{
    int64_t number;
    switch (kind->type) {
    case AT_INT:
        number = kind->supported != INT32_MIN && choose(in, 2) == 0
                     ? kind->supported
                     : choose_number(in, kind->min, kind->max);
        *(int32_t *)member = number > INT32_MAX || number < INT32_MIN ? 0 : (int32_t)number;
        break;
    case AT_UINT:
        *(uint32_t *)member = (uint32_t)choose_number(in, (uint32_t)kind->min, kind->max);
        break;
    case AT_CHOICE:
        *(int32_t *)member = (int32_t)choose_number(in, 0, kind->nvalues - 1);
        break;
    default:
        *(struct at_bytes *)member = choose_bytes(in, room, (size_t)kind->min, kind->max);
    }
}

static const struct at_field *field_of(const struct at_form *form, uint16_t param)
{
    for (unsigned i = 0; i < form->nfields; i++) {
        if (form->fields[i].param == param) {
            return &form->fields[i];
        }
    }
    return NULL;
}

static void choose_data(struct input *in, struct room *room, const struct at_form *form, bool hex,
                        union value *request)
{
    const struct at_data *data = form->rare->data;
    const struct at_field *length = field_of(form, data->length);
    struct at_bytes *bytes = member_of(field_of(form, data->field), request);
    *bytes = choose_bytes(in, room, 1, hex ? data->max_hex : data->max_text);
    if (length != NULL && choose(in, 8) != 7) {
        *(int32_t *)member_of(length, request) = (int32_t)bytes->len;
    }
}

static void choose_request(struct input *in, struct room *room, const struct at_form *form,
                           bool hex, union value *request)
{
    memset(request, 0, sizeof *request);
    for (unsigned i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        if (field->offset == AT_NO_MEMBER) {
            continue;
        }
        if (field->has != 0) {
            request->bytes[field->offset - field->has] = choose(in, 4) != 3;
        }
        choose_member(in, room, fuzz_module->params[field->param].kind, member_of(field, request));
    }
    if (form->rare->data != NULL) {
        choose_data(in, room, form, hex, request);
    }
}

/* What the spec says of them -------------------------------------------------------------- */

/* Optional fields nest: a group is there whole or not, and none without those around it. */
static bool is_nested(const struct at_form *form, const union value *request)
{
    unsigned deepest = 0;
    for (unsigned i = 0; i < form->nfields; i++) {
        if (is_present(&form->fields[i], request) && form->fields[i].group > deepest) {
            deepest = form->fields[i].group;
        }
    }
    for (unsigned i = 0; i < form->nfields; i++) {
        if (!is_present(&form->fields[i], request) && form->fields[i].group <= deepest) {
            return false;
        }
    }
    return true;
}

static bool can_stand(const struct at_data *data, bool hex, uint8_t c)
{
    if (hex) {
        return true;
    }
    if (data->prompt == 0) {
        return c >= 0x20 && c <= 0x7e && c != '"' && c != ';';
    }
    return data->until < 0 || (c != data->until && c != data->cancel);
}

static bool are_legal_data(const struct at_form *form, bool hex, union value *request)
{
    const struct at_data *data = form->rare->data;
    const struct at_field *length = field_of(form, data->length);
    const struct at_bytes *bytes = member_of(field_of(form, data->field), request);
    size_t max = hex ? data->max_hex : data->max_text;
    int32_t stated = length != NULL ? *(int32_t *)member_of(length, request) : 1;
    if (stated < 1 || (uint32_t)stated > max) {
        return false;
    }
    if (bytes->ptr == NULL) {
        return data->prompt != 0;
    }
    if (bytes->len < 1 || bytes->len > max || (length != NULL && (uint32_t)stated != bytes->len)) {
        return false;
    }
    for (size_t i = 0; i < bytes->len; i++) {
        if (!can_stand(data, hex, bytes->ptr[i])) {
            return false;
        }
    }
    return true;
}

static bool is_legal_request(const struct at_form *form, bool hex, union value *request)
{
    if (!is_nested(form, request)) {
        return false;
    }
    for (unsigned i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        if (field->offset != AT_NO_MEMBER && is_present(field, request) &&
            !is_legal(&fuzz_module->params[field->param], member_of(field, request))) {
            return false;
        }
    }
    return form->rare->data == NULL || are_legal_data(form, hex, request);
}

/* From the host to the module ------------------------------------------------------------- */

static void check_one_command(const char *line, size_t len)
{
    claim(line[len - 1u] == '\r', "a command has no CR");
    for (size_t i = 0; i + 1u < len; i++) {
        claim(line[i] >= 0x20 && line[i] <= 0x7e && line[i] != ';', "byte %d in a command", line[i]);
    }
    claim(at_is_command_line((const uint8_t *)line, len - 1u), "`%.*s` is no command line",
          (int)len, line);
}

static void check_parsed(const struct at_form *form, const uint8_t *settings, const char *line,
                         size_t len, const union value *request)
{
    static uint8_t data[DATA_MAX];
    struct at_command command;
    union value got;
    uint8_t *copy = exactly(line, len);
    int status = at_command_parse(fuzz_grammar, settings, copy, len, &command, NULL);
    claim(status == AT_OK && command.form == form, "`%.*s` isn't parsed: %d", (int)len, line, status);
    memset(&got, 0x5a, sizeof got);
    claim(at_command_decode(fuzz_grammar, &command, &got) == AT_OK, "it isn't decoded");
    unhex_data(fuzz_module, form, settings, &got, data);
    const char *other = request_difference(fuzz_module, form, request, &got);
    claim(other == NULL, "`%.*s` has another <%s>", (int)len, line, other);
    free(copy);
}

static bool is_clean(const char *buf, size_t n)
{
    size_t i = 0;
    while (i < n && buf[i] == '#') {
        i++;
    }
    return i == n;
}

static void try_form(struct input *in, const uint8_t *settings)
{
    static char line[2 * WIRE_MAX];
    const struct at_form *form = &fuzz_module->forms[choose(in, fuzz_module->nforms)];
    struct room room = {{NULL}, 0};
    struct at_fault fault = {NULL, AT_FINE};
    union value request;
    int hex = form->rare->data != NULL ? at_data_hex(form->rare->data, settings) : 0;
    choose_request(in, &room, form, hex > 0, &request);
    void *exact = exactly(&request, form->size);
    memset(line, '#', sizeof line);
    int n = at_form_encode(fuzz_module, form, settings, exact, line, sizeof line, &fault);
    if (hex < 0) {
        claim(n == AT_E_UNKNOWN_SETTING, "data are sent in a format nobody knows");
    } else if (is_legal_request(form, hex > 0, &request)) {
        claim(n > 0, "a legal %s.%s is refused: %d, reason %d at <%s>", form->command, form->name, n,
              (int)fault.reason, fault.param != NULL ? fault.param->name : "");
        check_one_command(line, (size_t)n);
        check_parsed(form, settings, line, (size_t)n - 1u, &request);
        char *small = exactly(NULL, (size_t)n - 1u);
        memset(small, '#', (size_t)n - 1u);
        claim(at_form_encode(fuzz_module, form, settings, exact, small, (size_t)n - 1u, NULL) ==
                      AT_E_SPACE && is_clean(small, (size_t)n - 1u),
              "too small a buffer is written to");
        free(small);
    } else {
        claim(n == AT_E_ARGUMENT && fault.reason != AT_FINE, "a forbidden %s.%s is sent: `%.*s`",
              form->command, form->name, n > 0 ? n : 0, line);
    }
    claim(n > 0 || is_clean(line, sizeof line), "a refused command is written");
    free(exact);
    clear(&room);
}

/* From the module to the host ------------------------------------------------------------- */

struct host {
    const struct at_record *record; /* the line that is to come */
    const union value *meant;
    unsigned lines, finals, others;
    uint8_t payload[WIRE_MAX];
    size_t len;
};

static void on_event(void *ctx, const struct at_event *event)
{
    struct host *host = ctx;
    union value got;
    if (event->type == AT_EVENT_PAYLOAD && host->lines == 1 && host->finals == 0 &&
        event->len <= sizeof host->payload - host->len) {
        memcpy(host->payload + host->len, event->data, event->len);
        host->len += event->len;
    } else if (event->type != AT_EVENT_LINE) {
        host->others++;
    } else if (host->lines == 0) {
        host->lines++;
        claim(event->record->id == host->record->id, "a %s comes as %s", host->record->name,
              event->record->name);
        memset(&got, 0xa5, sizeof got);
        (void)at_line_decode(event->line, &got);
        const char *other = line_difference(fuzz_module, host->record->id, host->meant, &got);
        claim(other == NULL, "a %s comes with another <%s>", host->record->name, other);
    } else {
        host->finals += event->record->kind == AT_KIND_FINAL &&
                        event->record->outcome == AT_OUTCOME_OK;
        host->others += event->record->kind != AT_KIND_FINAL;
    }
}

static size_t put_payload(struct input *in, const struct at_record *record, const uint8_t *settings,
                          size_t length, bool *hex, uint8_t *out)
{
    const struct at_payload *payload = record->rare->payload;
    *hex = payload->format_slot == AT_UNKNOWN ? payload->hex != 0 : settings[payload->format_slot] == 1;
    length *= *hex ? 2u : 1u;
    size_t n = take_text(in, out, length);
    memset(out + n, '\n', length - n);
    return length;
}

static bool is_member(const struct at_record *record, uint16_t param, const struct at_field *field)
{
    for (unsigned i = 0; i < record->nfields; i++) {
        if (record->fields[i].param == param) {
            return record->fields[i].offset == field->offset;
        }
    }
    return false;
}

/* Shapes of one line limit the same member differently, as parameters of their own. */
static bool is_framing(const struct at_record *record, const struct at_field *field)
{
    const struct at_record *carrier = payload_shape(record);
    return carrier != NULL && (is_member(carrier, carrier->rare->payload->length, field) ||
                               is_member(carrier, carrier->rare->payload->when_key, field));
}

/* One member is another number, and may be one that the spec doesn't know. */
static void damage_number(struct input *in, const struct at_record *record, union value *meant)
{
    if (record->nfields == 0) {
        return;
    }
    const struct at_field *field = &record->fields[choose(in, record->nfields)];
    const struct at_kind *kind = fuzz_module->params[field->param].kind;
    if (kind->type == AT_INT && field->offset != AT_NO_MEMBER && !is_framing(record, field)) {
        int64_t number = choose_number(in, kind->min, kind->max);
        *(int32_t *)member_of(field, meant) = number > INT32_MAX ? 0 : (int32_t)number;
    }
}

static void try_record(struct input *in, const uint8_t *settings)
{
    static struct picker picker;
    static struct host host;
    static uint8_t wire[2 * WIRE_MAX], window[WIRE_MAX];
    static char text[WIRE_MAX];
    const struct at_record *record = &fuzz_module->records[choose(in, fuzz_module->nrecords)];
    const struct at_record *ok = final_record(AT_OUTCOME_OK);
    struct at_stream stream;
    uint8_t own[SETTINGS_MAX];
    union value meant;
    bool hex = false;
    picker_init(&picker, choose_word(in));
    size_t len = make_line(&picker, record, settings, &meant, text, sizeof text);
    claim(len > 0, "a legal %s can't be said", record->name);
    if (choose(in, 2) != 0) {
        damage_number(in, record, &meant);
        int n = at_record_encode(fuzz_module, record, &meant, text, sizeof text, NULL);
        if (n < 0) {
            return;
        }
        len = (size_t)n;
    }
    memcpy(wire, text, len);
    const struct at_record *carrier = payload_shape(record);
    int32_t payload = carrier != NULL ? payload_of(carrier, settings, &meant) : -1;
    if (payload >= 0 && payload < carrier->rare->payload->min) { /* nothing to read */
        payload = -1;
    }
    bool comma = payload >= 0 && is_inline(carrier, settings);
    memcpy(wire + len, comma ? "," : "\r\n", comma ? 1 : 2);
    size_t begin = len + (comma ? 1u : 2u);
    size_t end = begin;
    if (payload >= 0) {
        end += put_payload(in, carrier, settings, (size_t)payload, &hex, wire + begin);
    }
    size_t size = end + strlen(ok->head);
    memcpy(wire + end, ok->head, size - end);
    memcpy(wire + size, "\r\n", 2);
    size += 2;

    memset(&host, 0, sizeof host);
    host.record = record;
    host.meant = &meant;
    memcpy(own, settings, sizeof own);
    at_stream_init(&stream, fuzz_module, own, window, sizeof window, on_event, &host);
    size_t chunk = 1u + choose(in, 256);
    for (size_t at = 0; at < size; at += chunk) {
        size_t n = chunk < size - at ? chunk : size - at;
        uint8_t *copy = exactly(wire + at, n);
        at_stream_feed(&stream, copy, n);
        free(copy);
    }
    claim(host.lines == 1 && host.finals == 1 && host.others == 0,
          "`%.*s` and OK are %u lines, %u results and %u other events", (int)len, text, host.lines,
          host.finals, host.others);
    claim(host.len == end - begin && memcmp(host.payload, wire + begin, host.len) == 0,
          "%zu bytes of payload came, of %zu", host.len, end - begin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size < INPUT_MAX ? size : INPUT_MAX};
    uint8_t settings[SETTINGS_MAX];
    bool module = choose(&in, 2) != 0;
    choose_settings(&in, settings, !module);
    if (module) {
        try_record(&in, settings);
    } else {
        try_form(&in, settings);
    }
    return 0;
}

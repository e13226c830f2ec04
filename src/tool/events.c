#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "print.h"

void events_init(struct events *e, const struct tool *tool, FILE *out, bool stamped)
{
    memset(e, 0, sizeof *e);
    e->tool = tool;
    e->out = out;
    e->stamped = stamped;
}

/* The beginning of an object, up to its event. */
static void begin(const struct events *e, enum traffic_from from, const char *event)
{
    fputc('{', e->out);
    if (e->stamped) {
        fputs("\"time\":\"", e->out);
        print_time(e->out, PRINT_UTC);
        fprintf(e->out, "\",\"from\":\"%s\",", from == FROM_HOST ? "host" : "module");
    }
    fprintf(e->out, "\"event\":\"%s\"", event);
}

static void end(const struct events *e)
{
    fputs("}\n", e->out);
}

static void print_text(const struct events *e, const void *text, size_t len)
{
    fputs(",\"text\":", e->out);
    json_string(e->out, text, len);
}

static void print_bytes(const struct events *e, const uint8_t *data, size_t len)
{
    fputs(",\"payload\":", e->out);
    json_hex(e->out, data, len);
}

/* Fields ------------------------------------------------------------------------------ */

/* Of what fits a description, so it is no longer than 32 bits are; zeros may lead it. */
static void print_number(FILE *out, const char *text, size_t len)
{
    long long value = 0;
    bool negative = len > 0 && text[0] == '-';
    for (size_t i = negative; i < len; i++) {
        value = 10 * value + (text[i] - '0');
    }
    fprintf(out, "%lld", negative ? -value : value);
}

static void print_field(FILE *out, const struct at_param *param, const char *text, size_t len)
{
    fprintf(out, "\"%s\":", param->name);
    if (param->kind->type == AT_INT || param->kind->type == AT_UINT) {
        print_number(out, text, len);
    } else {
        json_string(out, text, len);
    }
}

/* The fields of a line or of a command; `gap` stands before the first. */
static void print_marks(FILE *out, const struct at_param *params, const struct at_field *fields,
                        size_t n, const struct at_mark *marks, const uint8_t *text,
                        const char *gap)
{
    for (size_t i = 0; i < n; i++) {
        const struct at_param *param = &params[fields[i].param];
        if (param->kind->type != AT_LITERAL) {
            fputs(gap, out);
            print_field(out, param, (const char *)text + marks[i].begin,
                        (size_t)(marks[i].end - marks[i].begin));
            gap = ",";
        }
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void write_fields(FILE *out, const struct at_line *line, const char *gap)
{
    const struct at_record *record = line->record;
    print_marks(out, line->module->params, record->fields, least(line->nmarks, record->nfields),
                line->marks, line->text, gap);
}

/* Lines ------------------------------------------------------------------------------- */

static void print_final(const struct events *e, const struct at_line *line)
{
    begin(e, FROM_MODULE, "final");
    fputs(",\"result\":", e->out);
    json_string(e->out, line->record->name, strlen(line->record->name));
    write_fields(e->out, line, ",");
    end(e);
}

static void print_test(const struct events *e, const struct at_line *line)
{
    struct at_str text;
    at_line_decode(line, &text);
    begin(e, FROM_MODULE, "response");
    fprintf(e->out, ",\"name\":\"%s\"", line->record->name);
    print_text(e, text.ptr, text.len);
    end(e);
}

/* Everything behind "event", up to the payload. */
static void print_body(FILE *out, const struct at_line *line)
{
    fprintf(out, ",\"name\":\"%s\",\"fields\":{", line->record->name);
    write_fields(out, line, "");
    fputc('}', out);
}

static const char *event_name(const struct at_record *record)
{
    return record->kind == AT_KIND_RESPONSE ? "response" : "urc";
}

static void hold_header(struct events *e, const struct at_line *line)
{
    FILE *out = open_memstream(&e->header, &e->header_len);
    if (out == NULL) {
        perror(e->tool->name);
        exit(TOOL_USAGE);
    }
    e->event = event_name(line->record);
    e->hex = line->hex;
    print_body(out, line);
    fclose(out);
}

static void print_line(struct events *e, const struct at_line *line)
{
    if (line->record->kind == AT_KIND_FINAL) {
        print_final(e, line);
    } else if (line->record->kind == AT_KIND_TEST) {
        print_test(e, line);
    } else if (line->payload >= 0) {
        hold_header(e, line);
    } else {
        begin(e, FROM_MODULE, event_name(line->record));
        print_body(e->out, line);
        end(e);
    }
}

/* Payloads ---------------------------------------------------------------------------- */

/* The decoded payload; or, where it should be hexadecimal and isn't, as it came. */
static void print_payload(const struct events *e, const struct at_event *event)
{
    static uint8_t decoded[TRAFFIC_DATA_MAX / 2];
    size_t pairs = event->len / 2u;
    if (e->hex && at_hex_decode(event->data, 2u * pairs, decoded) >= 0) {
        print_bytes(e, decoded, pairs);
    } else {
        print_bytes(e, event->data, event->len);
        fputs(e->hex ? ",\"error\":\"not hexadecimal\"" : "", e->out);
    }
}

static void end_header(struct events *e)
{
    free(e->header);
    e->header = NULL;
    end(e);
}

static void print_payload_event(struct events *e, const struct at_event *event)
{
    begin(e, FROM_MODULE, e->event);
    fputs(e->header, e->out);
    print_payload(e, event);
    end_header(e);
}

static void print_incomplete_payload(struct events *e, const struct at_event *event)
{
    size_t digits = e->hex ? 2u : 1u;
    begin(e, FROM_MODULE, "incomplete");
    fputs(e->header, e->out);
    print_payload(e, event);
    fprintf(e->out, ",\"missing\":%zu", (event->remaining + digits - 1u) / digits);
    end_header(e);
}

/* Data that the host sent, or that came back. */
static void print_incomplete_data(const struct events *e, enum traffic_from from,
                                  const struct at_event *event)
{
    if (event->len == 0) {
        return; /* a prompt, and nothing was sent yet */
    }
    begin(e, from, "incomplete");
    print_bytes(e, event->data, event->len);
    if (event->remaining != TRAFFIC_MISSING) {
        fprintf(e->out, ",\"missing\":%zu", event->remaining);
    }
    end(e);
}

/* The rest ---------------------------------------------------------------------------- */

static void print_text_event(const struct events *e, enum traffic_from from, const char *name,
                             const struct at_event *event)
{
    begin(e, from, name);
    print_text(e, event->data, event->len);
    end(e);
}

static void print_data(const struct events *e, enum traffic_from from,
                       const struct at_event *event)
{
    begin(e, from, from == FROM_HOST ? "data" : "echo");
    print_bytes(e, event->data, event->len);
    end(e);
}

static void write_arguments(const struct events *e, const struct at_command *command)
{
    const struct at_form *form = command->form;
    fputs(",\"fields\":{", e->out);
    print_marks(e->out, e->tool->module->params, form->fields,
                least(command->nmarks, form->nfields), command->marks, command->text, "");
    fputc('}', e->out);
}

static void print_command(const struct events *e, enum traffic_from from,
                          const struct at_event *event, const struct session_echo *echo)
{
    begin(e, from, from == FROM_HOST ? "command" : "echo");
    print_text(e, event->data, event->len);
    if (echo->form != NULL) {
        fprintf(e->out, ",\"command\":\"%s\"", echo->form->command);
        if (!echo->ambiguous) {
            fprintf(e->out, ",\"form\":\"%s\"", echo->form->name);
        }
    }
    if (from == FROM_HOST && echo->fits) {
        write_arguments(e, &echo->command);
    }
    end(e);
}

static void print_overlong(const struct events *e, enum traffic_from from,
                           const struct at_event *event)
{
    begin(e, from, "overlong");
    fprintf(e->out, ",\"length\":%zu", event->remaining);
    end(e);
}

static void print_incomplete(struct events *e, enum traffic_from from,
                             const struct at_event *event)
{
    if (event->record != NULL) {
        print_incomplete_payload(e, event);
    } else if (event->remaining > 0) {
        print_incomplete_data(e, from, event);
    } else {
        print_text_event(e, from, "incomplete", event);
    }
}

void events_view(void *ctx, enum traffic_from from, const struct at_event *event,
                 const struct session_echo *echo)
{
    struct events *e = ctx;
    switch (event->type) {
    case AT_EVENT_LINE:
        print_line(e, event->line);
        break;
    case AT_EVENT_PAYLOAD:
        print_payload_event(e, event);
        break;
    case AT_EVENT_PROMPT:
        begin(e, from, "prompt");
        end(e);
        break;
    case AT_EVENT_ECHO:
        print_command(e, from, event, echo);
        break;
    case AT_EVENT_ECHO_DATA:
        print_data(e, from, event);
        break;
    case AT_EVENT_UNKNOWN:
        print_text_event(e, from, "unknown", event);
        break;
    case AT_EVENT_OVERLONG:
        print_overlong(e, from, event);
        break;
    case AT_EVENT_INCOMPLETE:
        print_incomplete(e, from, event);
        break;
    }
}

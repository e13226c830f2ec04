#include "print.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *print_meaning(const struct at_manual_param *param, const char *text, size_t len)
{
    for (uint16_t i = 0; param != NULL && i < param->nvalues; i++) {
        const struct at_manual_value *value = &param->values[i];
        if (strlen(value->name) == len && memcmp(value->name, text, len) == 0) {
            return value->text;
        }
    }
    return NULL;
}

void print_value(char *out, const struct at_manual_param *param, int32_t value)
{
    char digits[12];
    int len = snprintf(digits, sizeof digits, "%ld", (long)value);
    const char *meaning = print_meaning(param, digits, (size_t)len);
    snprintf(out, PRINT_VALUE_SIZE, meaning != NULL ? "%s (%s)" : "%s", digits, meaning);
}

/* Fields of a line or of a command, and what the manual says of them. */
struct fields {
    const struct at_field *fields;
    size_t n;
    const struct at_mark *marks;
    const char *text;
    const struct at_manual_param *const *manual;
    size_t shown; /* characters of a text */
};

/* Words take an s, symbols of units don't. */
static const char *plural(const char *unit, const char *text, size_t len)
{
    bool one = len == 1 && text[0] == '1';
    return strlen(unit) > 2 && !one ? "s" : "";
}

/* Bytes of a line are printable ASCII wherever a description fits them. */
static void print_field(FILE *out, const struct at_param *param,
                        const struct at_manual_param *manual, const char *text, size_t len,
                        size_t shown)
{
    bool number = param->kind->type == AT_INT || param->kind->type == AT_UINT;
    const char *meaning = print_meaning(manual, text, len);
    if (number) {
        fprintf(out, "%s=%.*s", param->name, (int)len, text);
    } else {
        fprintf(out, "%s=\"%.*s\"%s", param->name, (int)(len < shown ? len : shown), text,
                len > shown ? "..." : "");
    }
    if (meaning != NULL) {
        fprintf(out, " (%s)", meaning);
    } else if (number && manual != NULL && manual->unit[0] != '\0') {
        fprintf(out, " %s%s", manual->unit, plural(manual->unit, text, len));
    }
}

static void print_all(FILE *out, const struct tool *tool, const struct fields *f)
{
    const char *gap = "";
    for (size_t i = 0; i < f->n; i++) {
        const struct at_param *param = &tool->module->params[f->fields[i].param];
        const struct at_mark *mark = &f->marks[i];
        if (param->kind->type != AT_LITERAL) {
            fputs(gap, out);
            print_field(out, param, f->manual[i], f->text + mark->begin,
                        (size_t)(mark->end - mark->begin), f->shown);
            gap = " ";
        }
    }
}

void print_fields(FILE *out, const struct tool *tool, const struct at_line *line)
{
    const struct at_record *record = line->record;
    struct fields fields = {
        .fields = record->fields,
        .n = line->nmarks < record->nfields ? line->nmarks : record->nfields,
        .marks = line->marks,
        .text = (const char *)line->text,
        .manual = tool->manual->records[record - tool->module->records].params,
        .shown = INT_MAX,
    };
    print_all(out, tool, &fields);
}

void print_arguments(FILE *out, const struct tool *tool, const struct at_command *command)
{
    const struct at_form *form = command->form;
    struct fields fields = {
        .fields = form->fields,
        .n = command->nmarks < form->nfields ? command->nmarks : form->nfields,
        .marks = command->marks,
        .text = (const char *)command->text,
        .manual = tool->manual->forms[form - tool->module->forms].params,
        .shown = 32,
    };
    print_all(out, tool, &fields);
}

bool print_has_arguments(const struct tool *tool, const struct at_command *command)
{
    const struct at_form *form = command->form;
    for (uint8_t i = 0; i < command->nmarks && i < form->nfields; i++) {
        if (tool->module->params[form->fields[i].param].kind->type != AT_LITERAL) {
            return true;
        }
    }
    return false;
}

void print_time(FILE *out, enum print_zone zone)
{
    struct timespec now;
    struct tm parts;
    char text[32] = "";
    bool utc = zone == PRINT_UTC;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if ((utc ? gmtime_r(&now.tv_sec, &parts) : localtime_r(&now.tv_sec, &parts)) != NULL) {
        (void)strftime(text, sizeof text, utc ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &parts);
    }
    fprintf(out, "%s.%03ld%s", text, now.tv_nsec / 1000000, utc ? "Z" : "");
}

bool print_in_colour(FILE *out)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return (no == NULL || *no == '\0') && term != NULL && *term != '\0' &&
           strcmp(term, "dumb") != 0 && isatty(fileno(out));
}

const char *print_status(int status)
{
    static const char *const texts[] = {
        [-AT_E_ARGUMENT] = "an argument is refused",
        [-AT_E_SPACE] = "too long for this tool",
        [-AT_E_BUSY] = "another command is under way",
        [-AT_E_UNKNOWN_SETTING] = "the module doesn't tell a setting that frames the answer",
        [-AT_E_TIMEOUT] = "no answer within the deadline",
        [-AT_E_ERROR] = "the module answered ERROR",
        [-AT_E_FAIL] = "the module accepted it, then it failed",
        [-AT_E_ANSWER] = "the answer lacks a line that it must have",
        [-AT_E_REBOOT] = "the module restarted meanwhile",
        [-AT_E_PORT] = "the port failed",
        [-AT_E_LOST] = "the module doesn't answer in a way that can be trusted",
        [-AT_E_CANCELED] = "given up",
        [-AT_E_SYNTAX] = "it fits no description",
    };
    bool known = status < 0 && (size_t)-status < sizeof texts / sizeof texts[0];
    return known ? texts[-status] : "done";
}

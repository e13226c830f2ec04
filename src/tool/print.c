#include "print.h"

#include <string.h>

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

/* Bytes of a line are printable ASCII wherever a description fits them. */
static void print_field(FILE *out, const struct at_param *param,
                        const struct at_manual_param *manual, const char *text, size_t len)
{
    bool number = param->type == AT_INT || param->type == AT_UINT;
    const char *meaning = print_meaning(manual, text, len);
    fprintf(out, number ? "%s=%.*s" : "%s=\"%.*s\"", param->name, (int)len, text);
    if (meaning != NULL) {
        fprintf(out, " (%s)", meaning);
    } else if (number && manual != NULL && manual->unit[0] != '\0') {
        fprintf(out, " %s", manual->unit);
    }
}

void print_fields(FILE *out, const struct tool *tool, const struct at_line *line)
{
    const struct at_record *record = line->record;
    const struct at_manual_record *manual = &tool->manual->records[record - tool->module->records];
    const char *gap = "";
    for (uint8_t i = 0; i < line->nmarks && i < record->nfields; i++) {
        const struct at_param *param = &tool->module->params[record->fields[i].param];
        const struct at_mark *mark = &line->marks[i];
        if (param->type != AT_LITERAL) {
            fputs(gap, out);
            print_field(out, param, manual->params[i], (const char *)line->text + mark->begin,
                        (size_t)(mark->end - mark->begin));
            gap = " ";
        }
    }
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

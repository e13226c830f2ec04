/* Any command lines, read as a module reads them: what is accepted is legal, and said again by
 * the host it is the same command. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

struct heard {
    struct at_command command;
    union value request;
    uint8_t data[DATA_MAX]; /* of hexadecimal digits */
};

static bool is_data(const struct at_form *form, const struct at_field *field)
{
    return form->rare->data != NULL && field->param == form->rare->data->field;
}

static void check_marks(const struct at_command *command, size_t len)
{
    size_t at = 0;
    claim(command->nmarks <= AT_FIELDS_MAX, "%u marks", command->nmarks);
    for (unsigned i = 0; i < command->nmarks; i++) {
        const struct at_mark *mark = &command->marks[i];
        claim(at <= mark->begin && mark->begin <= mark->end && mark->end <= len,
              "mark %u is %u to %u in a line of %zu", i, mark->begin, mark->end, len);
        at = mark->end;
    }
}

/* A semicolon within quotes the module takes, and no host says. */
static bool is_legal_but_for_semicolons(const struct at_param *param, const void *member)
{
    union {
        struct at_str text;
        uint64_t align;
    } other;
    char copy[DATA_MAX];
    if (param->kind->type != AT_STRING && param->kind->type != AT_TEXT) {
        return is_legal(param, member);
    }
    memcpy(&other.text, member, sizeof other.text);
    claim(other.text.len <= sizeof copy, "a text of %zu bytes", other.text.len);
    for (size_t i = 0; i < other.text.len; i++) {
        copy[i] = other.text.ptr[i] == ';' ? ',' : other.text.ptr[i];
    }
    other.text.ptr = other.text.ptr == NULL ? NULL : copy;
    return is_legal(param, &other.text);
}

static void check_values(const struct at_form *form, union value *request)
{
    for (unsigned i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        const struct at_param *param = &fuzz_module->params[field->param];
        if (field->offset != AT_NO_MEMBER && is_present(field, request) && !is_data(form, field)) {
            claim(is_legal_but_for_semicolons(param, member_of(field, request)),
                  "%s.%s takes a wrong <%s>", form->command, form->name, param->name);
        }
    }
}

static bool hear(const struct at_grammar *grammar, const uint8_t *settings, const uint8_t *line,
                 size_t len, struct heard *heard)
{
    struct at_fault fault = {NULL, AT_FINE};
    int status = at_command_parse(grammar, settings, line, len, &heard->command, &fault);
    if (status != AT_OK) {
        claim(status == AT_E_SYNTAX || status == AT_E_ARGUMENT, "parsing ends with %d", status);
        claim(status != AT_E_ARGUMENT || (heard->command.form != NULL && fault.reason != AT_FINE),
              "a line is refused without a reason");
        return false;
    }
    const struct at_form *form = heard->command.form;
    int head = head_length(form->head, true, line, len);
    claim(head >= 0, "a %s.%s begins otherwise", form->command, form->name);
    claim(form->nfields > 0 || (size_t)head == len, "a %s.%s goes on behind its end",
          form->command, form->name);
    check_marks(&heard->command, len);
    claim(form->size <= sizeof heard->request, "a struct of %u bytes", form->size);
    memset(&heard->request, 0x5a, sizeof heard->request);
    void *request = exactly(NULL, form->size);
    claim(at_command_decode(grammar, &heard->command, request) == AT_OK, "a command isn't decoded");
    if (form->size > 0) {
        memcpy(&heard->request, request, form->size);
    }
    free(request);
    check_values(form, &heard->request);
    unhex_data(fuzz_module, form, settings, &heard->request, heard->data);
    return true;
}

static void say_again(const uint8_t *settings, const struct heard *heard, const uint8_t *line,
                      size_t len)
{
    static struct heard again;
    static char text[WIRE_MAX];
    struct at_fault fault = {NULL, AT_FINE};
    const struct at_form *form = heard->command.form;
    int n = at_form_encode(fuzz_module, form, settings, &heard->request, text, sizeof text, &fault);
    if (n < 0) {
        claim(n == AT_E_UNKNOWN_SETTING ||
                  (n == AT_E_ARGUMENT && fault.reason == AT_UNSAFE &&
                   (memchr(line, ';', len) != NULL || memchr(line, '"', len) != NULL)),
              "`%.*s` is heard and can't be said: %d, reason %d", (int)len, (const char *)line, n,
              (int)fault.reason);
        return;
    }
    claim(text[n - 1] == '\r', "`%.*s` has no CR", n, text);
    claim(hear(fuzz_grammar, settings, (const uint8_t *)text, (size_t)n - 1u, &again) &&
              again.command.form == form,
          "`%.*s` is another command than `%.*s`", n - 1, text, (int)len, (const char *)line);
    const char *other = request_difference(fuzz_module, form, &heard->request, &again.request);
    claim(other == NULL, "`%.*s` has another <%s> than `%.*s`", n - 1, text, other, (int)len,
          (const char *)line);
}

static void try_line(const struct at_grammar *view, const uint8_t *settings, const uint8_t *text,
                     size_t len)
{
    static struct heard heard;
    uint8_t *line = exactly(text, len);
    if (hear(view, settings, line, len, &heard)) {
        claim(at_is_command_line(line, len), "`%.*s` has no shape of a command", (int)len,
              (const char *)line);
        claim(at_grammar_has(view, heard.command.form->id), "a view takes what it hasn't");
        say_again(settings, &heard, line, len);
        claim(view == fuzz_grammar || hear(fuzz_grammar, settings, line, len, &heard),
              "a view takes what the whole doesn't");
    }
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size < INPUT_MAX ? size : INPUT_MAX};
    uint8_t settings[SETTINGS_MAX];
    const struct at_grammar *view = fuzz_grammar;
    choose_settings(&in, settings, true);
    uint32_t chosen = choose(&in, fuzz_grammar->nviews + 1u);
    if (chosen > 0) {
        view = fuzz_grammar->views[chosen - 1u].grammar;
    }
    for (size_t begin = 0, i = 0; i <= in.len; i++) {
        if (i == in.len || in.text[i] == '\r' || in.text[i] == '\n') {
            try_line(view, settings, in.text + begin, i - begin);
            begin = i + 1u;
        }
    }
    return 0;
}

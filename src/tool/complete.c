#include "complete.h"

#include <string.h>
#include <strings.h>

#include "request.h"

static const struct place nowhere = {NULL, 0};

static const struct at_param *param_of(const struct tool *tool, struct place place)
{
    return &tool->module->params[place.form->fields[place.field].param];
}

static const struct at_manual_form *manual_of(const struct tool *tool, const struct at_form *form)
{
    return &tool->manual->forms[form - tool->module->forms];
}

static const struct at_manual_param *words_of(const struct tool *tool, struct place place)
{
    return manual_of(tool, place.form)->params[place.field];
}

const struct at_manual_command *complete_command(const struct tool *tool, const char *name)
{
    name = request_bare_name(name);
    for (uint16_t i = 0; i < tool->manual->ncommands; i++) {
        if (strcasecmp(tool->manual->commands[i].name, name) == 0) {
            return &tool->manual->commands[i];
        }
    }
    return NULL;
}

/* Describing -------------------------------------------------------------------- */

/* Whether it sets what the client must know, and the module may not tell what holds without it:
 * of a setting that is indexed a query need not list all. */
static bool is_needed(const struct tool *tool, const struct place place)
{
    const struct at_form *form = place.form;
    for (uint8_t i = 0; i < form->rare->neffects; i++) {
        const struct at_effect *effect = &form->rare->effects[i];
        for (uint8_t k = 0; k < tool->module->nsettings; k++) {
            const struct at_setting *setting = &tool->module->settings[k];
            if (effect->value == form->fields[place.field].param && setting->slot == effect->slot) {
                return setting->read_by == AT_NONE ||
                       (setting->slots > 1 && setting->read_by != form->id);
            }
        }
    }
    return false;
}

static void print_left_out(FILE *out, const struct tool *tool, const struct place place,
                           const struct at_manual_param *words)
{
    const struct at_field *field = &place.form->fields[place.field];
    if (field->has != 0 && is_needed(tool, place)) {
        fputs("; has to be given, unless settings shows it as known", out);
    } else if (request_at_prompt(place.form, field)) {
        fputs("; asked for when left out", out);
    } else if (words->left_out[0] != '\0') {
        fprintf(out, "; %s when left out", words->left_out);
    } else if (field->has != 0) {
        fputs("; may be left out", out);
    }
}

void complete_describe(FILE *out, const struct tool *tool, struct place place)
{
    static struct request request;
    static uint8_t settings[TOOL_SETTINGS_MAX];
    const struct at_manual_param *words = words_of(tool, place);
    tool_initial_settings(tool->module, settings);
    request.tool = tool;
    request.settings = settings;
    request.form = place.form;
    fprintf(out, "%s; ", words->doc);
    request_allowed(out, &request, param_of(tool, place));
    if (words->unit[0] != '\0') {
        fprintf(out, " (%s)", words->unit);
    }
    print_left_out(out, tool, place, words);
}

/* Collecting ---------------------------------------------------------------------- */

/* What is typed of a candidate, and where its kind goes. */
struct wanted {
    const struct tool *tool;
    struct completion *out;
    const char *typed;
};

static struct candidate *add(const struct wanted *w, const char *text, char after, const char *doc)
{
    struct completion *out = w->out;
    if (strncasecmp(text, w->typed, strlen(w->typed)) != 0 || out->n == CANDIDATES_MAX ||
        strlen(text) >= CANDIDATE_SIZE) {
        return NULL;
    }
    for (size_t i = 0; i < out->n; i++) {
        if (strcmp(out->items[i].text, text) == 0) {
            return NULL;
        }
    }
    struct candidate *item = &out->items[out->n++];
    strcpy(item->text, text);
    item->after = after;
    item->doc = doc;
    item->place = nowhere;
    return item;
}

/* Values that are listed, `quote` around texts. */
static void add_values(const struct wanted *w, struct place place, const char *quote, char after)
{
    const struct at_param *param = param_of(w->tool, place);
    const struct at_manual_param *words = words_of(w->tool, place);
    char text[CANDIDATE_SIZE];
    if (param->kind->type != AT_CHOICE) {
        quote = "";
    }
    if (param->kind->supported != INT32_MIN) {
        snprintf(text, sizeof text, "%ld", (long)param->kind->supported);
        (void)add(w, text, after, "the only one supported at present");
        return;
    }
    for (uint16_t i = 0; i < words->nvalues; i++) {
        snprintf(text, sizeof text, "%s%s%s", quote, words->values[i].name, quote);
        (void)add(w, text, after, words->values[i].text);
    }
}

/* A command line on the wire ------------------------------------------------------- */

static void add_heads(const struct wanted *w)
{
    for (uint16_t i = 0; i < w->tool->module->nforms; i++) {
        const struct at_form *form = &w->tool->module->forms[i];
        (void)add(w, form->head, '\0', manual_of(w->tool, form)->doc);
    }
}

/* The text of a literal as it stands in a line. */
static void write_literal(const struct at_param *param, char *out, size_t size)
{
    const char *quote = (param->kind->flags & AT_QUOTED) != 0 ? "\"" : "";
    snprintf(out, size, "%s%s%s", quote, param->name, quote);
}

/* Where the next argument ends: at a comma that isn't quoted, or at the end. */
static size_t argument_length(const char *text)
{
    bool quoted = false;
    size_t n = 0;
    for (; text[n] != '\0' && (quoted || text[n] != ','); n++) {
        quoted = quoted != (text[n] == '"');
    }
    return n;
}

/* The place in the form that the last of these arguments stands at; or nowhere, when a literal
 * before it tells that it's another form. */
static struct place last_place(const struct tool *tool, const struct at_form *form,
                               const char *arguments)
{
    struct place place = {form, 0};
    size_t n = argument_length(arguments);
    for (; arguments[n] == ','; n = argument_length(arguments)) {
        char literal[CANDIDATE_SIZE];
        const struct at_param *param;
        if (place.field + 1 >= form->nfields) {
            return nowhere;
        }
        param = param_of(tool, place);
        write_literal(param, literal, sizeof literal);
        if (param->kind->type == AT_LITERAL &&
            (strlen(literal) != n || strncmp(arguments, literal, n) != 0)) {
            return nowhere;
        }
        arguments += n + 1;
        place.field++;
    }
    return place.field < form->nfields ? place : nowhere;
}

/* A comma, when a further argument must follow. */
static char next_sign(struct place place)
{
    const struct at_form *form = place.form;
    const struct at_field *next = &form->fields[place.field + 1];
    bool more = place.field + 1 < form->nfields && next->has == 0 &&
                !request_at_prompt(form, next);
    return more ? ',' : '\0';
}

static void add_arguments(struct wanted *w, const char *line, const char *arguments)
{
    size_t head = (size_t)(arguments - line);
    for (uint16_t i = 0; i < w->tool->module->nforms; i++) {
        const struct at_form *form = &w->tool->module->forms[i];
        char literal[CANDIDATE_SIZE];
        if (strlen(form->head) != head || strncasecmp(form->head, line, head) != 0) {
            continue;
        }
        struct place place = last_place(w->tool, form, arguments);
        if (place.form == NULL || request_at_prompt(form, &form->fields[place.field])) {
            continue;
        }
        if (param_of(w->tool, place)->kind->type == AT_LITERAL) {
            write_literal(param_of(w->tool, place), literal, sizeof literal);
            (void)add(w, literal, next_sign(place), manual_of(w->tool, form)->doc);
            continue;
        }
        w->out->about = place;
        add_values(w, place, "\"", next_sign(place));
    }
}

static void complete_wire(const struct tool *tool, const char *line, struct completion *out)
{
    const char *equals = strchr(line, '=');
    const char *last = equals != NULL ? equals + 1 : line;
    struct wanted w = {tool, out, line};
    if (equals == NULL) {
        add_heads(&w);
        return;
    }
    for (size_t n = argument_length(last); last[n] == ','; n = argument_length(last)) {
        last += n + 1;
    }
    out->from = (size_t)(last - line);
    w.typed = last;
    add_arguments(&w, line, equals + 1);
}

bool complete_is_wire(const struct tool *tool, const char *line)
{
    if (strncasecmp(line, "AT", 2) != 0) {
        return false;
    }
    if (line[strcspn(line, ". ")] != '\0') {
        line = request_bare_name(line);
    }
    size_t n = strcspn(line, ". ");
    for (uint16_t i = 0; line[n] != '\0' && i < tool->module->nforms; i++) {
        const char *command = tool->module->forms[i].command;
        if (strlen(command) == n && strncasecmp(command, line, n) == 0) {
            return false;
        }
    }
    return true;
}

/* A name and arguments -------------------------------------------------------------- */

static void add_commands(const struct wanted *w, char after)
{
    for (uint16_t i = 0; i < w->tool->manual->ncommands; i++) {
        const struct at_manual_command *command = &w->tool->manual->commands[i];
        (void)add(w, command->name, after, command->doc);
    }
}

static void add_own_words(const struct wanted *w, const struct own_word *words)
{
    for (; words->name != NULL; words++) {
        (void)add(w, words->name, ' ', words->doc);
    }
}

static bool is_named(const struct at_form *form, const char *word, size_t len)
{
    size_t command = strlen(form->command);
    if (command > len || strncasecmp(form->command, word, command) != 0) {
        return false;
    }
    return len == command || (word[command] == '.' && strlen(form->name) == len - command - 1 &&
                              strncmp(form->name, word + command + 1, len - command - 1) == 0);
}

static void add_forms(const struct wanted *w)
{
    for (uint16_t i = 0; i < w->tool->module->nforms; i++) {
        const struct at_form *form = &w->tool->module->forms[i];
        char text[CANDIDATE_SIZE];
        snprintf(text, sizeof text, "%s.%s", form->command, form->name);
        (void)add(w, text, ' ', manual_of(w->tool, form)->doc);
    }
}

/* Whether NAME=... is among the words; only those before `end` count. */
static bool is_given(const char *words, const char *end, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = words; (p = strchr(p, ' ')) != NULL && p < end;) {
        p += strspn(p, " ");
        if (strncasecmp(p, name, len) == 0 && p[len] == '=' && p < end) {
            return true;
        }
    }
    return false;
}

/* Whether all the names given are this form's. */
static bool takes_all(const struct tool *tool, const struct at_form *form, const char *words,
                      const char *end)
{
    for (const char *p = words; (p = strchr(p, ' ')) != NULL && p < end;) {
        p += strspn(p, " ");
        size_t len = strcspn(p, "= ");
        bool taken = p >= end || p[len] != '=';
        for (uint8_t i = 0; i < form->nfields && !taken; i++) {
            struct place place = {form, i};
            const char *name = param_of(tool, place)->name;
            taken = strlen(name) == len && strncasecmp(name, p, len) == 0;
        }
        if (!taken) {
            return false;
        }
    }
    return true;
}

static void add_names(const struct wanted *w, const struct at_form *form, const char *line,
                      const char *last)
{
    for (uint8_t i = 0; i < form->nfields; i++) {
        struct place place = {form, i};
        const struct at_param *param = param_of(w->tool, place);
        char text[CANDIDATE_SIZE];
        if (param->kind->type == AT_LITERAL || is_given(line, last, param->name)) {
            continue;
        }
        snprintf(text, sizeof text, "%s=", param->name);
        struct candidate *item = add(w, text, '\0', NULL);
        if (item != NULL) {
            item->place = place;
        }
    }
}

static void add_values_of(const struct wanted *w, const struct at_form *form, const char *last)
{
    int field = request_field(w->tool->module, form, last);
    if (field >= 0) {
        struct place place = {form, (uint8_t)field};
        w->out->about = place;
        add_values(w, place, "", ' ');
    }
}

static void complete_arguments(struct wanted *w, const char *line, const char *last)
{
    const char *equals = strchr(last, '=');
    if (equals != NULL) {
        w->typed = equals + 1;
        w->out->from = (size_t)(w->typed - line);
    }
    for (uint16_t i = 0; i < w->tool->module->nforms; i++) {
        const struct at_form *form = &w->tool->module->forms[i];
        if (!is_named(form, line, strcspn(line, " ")) ||
            !takes_all(w->tool, form, line, last)) {
            continue;
        }
        if (equals == NULL) {
            add_names(w, form, line, last);
        } else {
            add_values_of(w, form, last);
        }
    }
}

/* Where the last word begins; blanks in quotes are part of it. */
static const char *last_word(const char *line)
{
    const char *last = line;
    bool quoted = false;
    for (const char *p = line; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p == ' ' && !quoted) {
            last = p + 1;
        }
    }
    return last;
}

void complete_line(const struct tool *tool, const struct own_word *words, const char *line,
                   struct completion *out)
{
    const char *start = line + strspn(line, " ");
    bool wire = *start != '\0' && complete_is_wire(tool, start);
    start = wire ? start : request_bare_name(start);
    const char *last = last_word(start);
    struct wanted w = {tool, out, last};
    out->n = 0;
    out->about = nowhere;
    out->from = (size_t)(last - start);
    if (last == start && strchr(start, '.') != NULL) {
        add_forms(&w);
    } else if (last == start) {
        add_commands(&w, ' ');
        add_own_words(&w, words);
    } else if (strncmp(start, "help ", 5) == 0) {
        add_commands(&w, '\0');
    } else if (!wire) {
        complete_arguments(&w, start, last);
    }
    if (wire) {
        complete_wire(tool, start, out);
    }
    out->from += (size_t)(start - line);
}

/* Showing ------------------------------------------------------------------------------ */

size_t complete_common(const struct completion *c)
{
    size_t n = c->n > 0 ? strlen(c->items[0].text) : 0;
    for (size_t i = 1; i < c->n; i++) {
        size_t k = 0;
        while (k < n && c->items[0].text[k] == c->items[i].text[k]) {
            k++;
        }
        n = k;
    }
    return n;
}

void complete_list(FILE *out, const struct tool *tool, const struct completion *c)
{
    int width = 0;
    if (c->about.form != NULL) {
        fprintf(out, "%s: ", param_of(tool, c->about)->name);
        complete_describe(out, tool, c->about);
        fputc('\n', out);
    }
    for (size_t i = 0; i < c->n; i++) {
        int len = (int)strlen(c->items[i].text);
        width = len > width ? len : width;
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct candidate *item = &c->items[i];
        fprintf(out, "  %-*s  ", width, item->text);
        if (item->place.form != NULL) {
            complete_describe(out, tool, item->place);
        } else {
            fputs(item->doc != NULL ? item->doc : "", out);
        }
        fputc('\n', out);
    }
}

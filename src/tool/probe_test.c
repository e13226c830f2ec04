/* Answers to test commands, taken apart: (0-4),(0,1),"text",<name>,bare, with optional
 * parts in brackets. Blanks mean nothing, and (0,1) is (0-1). */
#include "probe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 32, SET_MAX = 32, LINES_MAX = 64 };

struct token {
    const char *text;
    size_t len;
    bool optional;
    bool set;                           /* in parentheses */
    size_t nranges;                     /* of numbers, in order and apart; 0: not only numbers */
    struct probe_range ranges[SET_MAX];
};

struct tokens {
    struct token at[TOKENS_MAX];
    size_t n;
};

/* Sets ------------------------------------------------------------------------------ */

static const char *skip_blanks(const char *text)
{
    while (*text == ' ') {
        text++;
    }
    return text;
}

static bool take_number(const char **text, const char *end, int64_t *value)
{
    const char *at = skip_blanks(*text);
    const char *digits = at + (*at == '-');
    if (digits >= end || !isdigit((unsigned char)*digits)) {
        return false;
    }
    char *rest;
    *value = strtoll(at, &rest, 10);
    *text = skip_blanks(rest);
    return *text <= end && *value > INT64_MIN && *value < INT64_MAX; /* where strtoll ends */
}

static int by_low(const void *a, const void *b)
{
    int64_t x = ((const struct probe_range *)a)->low;
    int64_t y = ((const struct probe_range *)b)->low;
    return (x > y) - (x < y);
}

/* Ranges that touch become one. */
static size_t merged(struct probe_range *ranges, size_t n)
{
    size_t kept = 0;
    qsort(ranges, n, sizeof *ranges, by_low);
    for (size_t i = 1; i < n; i++) {
        if (ranges[i].low <= ranges[kept].high + 1) {
            ranges[kept].high = ranges[i].high > ranges[kept].high ? ranges[i].high
                                                                   : ranges[kept].high;
        } else {
            ranges[++kept] = ranges[i];
        }
    }
    return n > 0 ? kept + 1 : 0;
}

/* What stands between the parentheses, if it's numbers and ranges of them. */
static void read_set(struct token *token)
{
    const char *at = token->text + 1;
    const char *end = token->text + token->len - 1;
    while (at < end && token->nranges < SET_MAX) {
        struct probe_range *range = &token->ranges[token->nranges];
        bool good = take_number(&at, end, &range->low);
        range->high = range->low;
        if (good && at < end && *at == '-') {
            at++;
            good = take_number(&at, end, &range->high);
        }
        if (!good || range->high < range->low || (at < end && *at != ',')) {
            token->nranges = 0;
            return;
        }
        token->nranges++;
        at += at < end;
    }
    /* More than can be kept: it's compared as a text then. */
    token->nranges = at < end ? 0 : merged(token->ranges, token->nranges);
}

/* Lines ----------------------------------------------------------------------------- */

/* One token; `text` stands on its first character. */
static size_t token_length(const char *text)
{
    static const char opening[] = "(\"<", closing[] = ")\">";
    const char *kind = strchr(opening, *text);
    const char *end = kind != NULL ? strchr(text + 1, closing[kind - opening]) : NULL;
    if (end != NULL) {
        return (size_t)(end - text) + 1;
    }
    size_t len = strcspn(text, ",[]");
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    return len;
}

static void take_apart(struct probe *p, const char *line, struct tokens *out)
{
    int depth = 0;
    const char *at = strchr(line, ':');
    out->n = 0;
    for (at = at != NULL ? at + 1 : line; *at != '\0' && out->n < TOKENS_MAX;) {
        if (*at == ' ' || *at == ',' || *at == '[' || *at == ']') {
            depth += (*at == '[') - (*at == ']');
            at++;
            continue;
        }
        struct token *token = &out->at[out->n++];
        memset(token, 0, sizeof *token);
        token->text = at;
        token->len = token_length(at);
        token->optional = depth > 0;
        token->set = *at == '(' && at[token->len - 1] == ')';
        at += token->len;
        if (token->set) {
            read_set(token);
        }
    }
    p->overflow |= *at != '\0';
}

static bool same_text(const struct token *a, const struct token *b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->len && a->text[i] == ' ') {
            i++;
        }
        while (k < b->len && b->text[k] == ' ') {
            k++;
        }
        if (i == a->len || k == b->len) {
            return i == a->len && k == b->len;
        }
        if (a->text[i++] != b->text[k++]) {
            return false;
        }
    }
}

static bool same_values(const struct token *a, const struct token *b)
{
    if (a->nranges == 0 || b->nranges == 0) {
        return a->set == b->set && same_text(a, b);
    }
    bool same = a->nranges == b->nranges;
    for (size_t i = 0; i < a->nranges && same; i++) {
        same = a->ranges[i].low == b->ranges[i].low && a->ranges[i].high == b->ranges[i].high;
    }
    return same;
}

static bool same(const struct token *a, const struct token *b)
{
    return a->optional == b->optional && same_values(a, b);
}

/* What tells lines of one answer apart: the words they begin with. */
static bool is_word(const struct token *token)
{
    return !token->set && memchr(token->text, '<', token->len) == NULL;
}

static bool pair(const struct tokens *a, const struct tokens *b)
{
    const bool words[] = {a->n > 0 && is_word(&a->at[0]), b->n > 0 && is_word(&b->at[0])};
    return words[0] == words[1] && (!words[0] || same_text(&a->at[0], &b->at[0]));
}

/* Parameters ------------------------------------------------------------------------ */

struct place {
    const struct at_form *form;
    const struct at_param *param;           /* NULL: unknown */
    const struct at_manual_param *manual;
};

static bool stands_for(const struct at_param *param, const struct token *token)
{
    size_t len = strlen(param->name);
    if (param->kind->type != AT_LITERAL) {
        return true;
    }
    bool quoted = (param->kind->flags & AT_QUOTED) != 0;
    return token->len == len + 2u * quoted && memcmp(token->text + quoted, param->name, len) == 0;
}

static bool explains(const struct probe *p, const struct at_form *form, const struct tokens *line,
                     size_t at)
{
    bool fits = form->nfields > at;
    for (size_t i = 0; i <= at && fits; i++) {
        fits = stands_for(&p->module->params[form->fields[i].param], &line->at[i]);
    }
    return fits;
}

/* The parameter that a token is about: of the command's form with as many places, or else
 * of the first that has this one. */
static struct place place_of(const struct probe *p, const struct probe_answer *answer,
                             const struct tokens *line, size_t at)
{
    struct place place = {NULL, NULL, NULL};
    for (uint16_t i = 0; i < p->module->nforms; i++) {
        const struct at_form *form = &p->module->forms[i];
        bool better = place.form == NULL ||
                      (form->nfields == line->n && place.form->nfields != line->n);
        if (strcmp(form->command, answer->form->command) == 0 && better &&
            explains(p, form, line, at)) {
            place.form = form;
            place.param = &p->module->params[form->fields[at].param];
            place.manual = probe_page(p, form)->params[at];
        }
    }
    return place;
}

static struct probe_range range_of(const struct token *token)
{
    struct probe_range range = {true, 0, 0};
    if (token->nranges == 1) {
        range = token->ranges[0];
        range.none = false;
    }
    return range;
}

static void note_range(struct probe *p, const struct place *place, const struct token *token)
{
    if (place->manual == NULL || !token->set) {
        return;
    }
    if (p->nsaid == PROBE_RANGES_MAX) {
        p->overflow = true;
        return;
    }
    p->said[p->nsaid++] = (struct probe_said){place->manual->path, range_of(token)};
}

static const char *shown(struct probe *p, const struct token *token)
{
    return probe_text(p, token->optional ? "[%.*s]" : "%.*s", (int)token->len, token->text);
}

/* Lines beside each other ----------------------------------------------------------- */

static void differ(struct probe *p, const struct probe_answer *answer, enum probe_kind kind,
                   const struct place *place, size_t at, const struct token *spec,
                   const struct token *module)
{
    struct probe_drift *drift = probe_differs(p, kind, answer, probe_page(p, answer->form)->path);
    if (drift == NULL) {
        return;
    }
    bool named = place->param != NULL && place->param->kind->type != AT_LITERAL;
    drift->parameter = named ? place->param->name : probe_text(p, "place %zu", at + 1);
    drift->spec = spec != NULL ? shown(p, spec) : "";
    drift->module = module != NULL ? shown(p, module) : "";
    if (kind == PROBE_RANGE) {
        drift->param = place->param;
        drift->manual = place->manual;
        drift->was = range_of(spec);
        drift->is = range_of(module);
    }
}

static void compare_tokens(struct probe *p, const struct probe_answer *answer,
                           const struct tokens *spec, const struct tokens *module, size_t at)
{
    const struct token *a = &spec->at[at], *b = &module->at[at];
    struct place place = place_of(p, answer, spec, at);
    note_range(p, &place, b);
    if (same(a, b)) {
        return;
    }
    bool range = a->set && b->set && a->optional == b->optional;
    differ(p, answer, range ? PROBE_RANGE : PROBE_PARAMETER, &place, at, a, b);
}

static void compare_lines(struct probe *p, const struct probe_answer *answer,
                          const struct tokens *spec, const struct tokens *module)
{
    size_t both = spec->n < module->n ? spec->n : module->n;
    for (size_t i = 0; i < both; i++) {
        compare_tokens(p, answer, spec, module, i);
    }
    for (size_t i = both; i < spec->n; i++) {
        struct place place = place_of(p, answer, spec, i);
        differ(p, answer, PROBE_REMOVED, &place, i, &spec->at[i], NULL);
    }
    for (size_t i = both; i < module->n; i++) {
        struct place none = {NULL, NULL, NULL};
        differ(p, answer, PROBE_ADDED, &none, i, NULL, &module->at[i]);
    }
}

static void lone_line(struct probe *p, const struct probe_answer *answer, enum probe_kind kind,
                      const char *line)
{
    struct probe_drift *drift = probe_differs(p, kind, answer, probe_page(p, answer->form)->path);
    if (drift != NULL && kind == PROBE_LINE_ADDED) {
        drift->module = line;
    } else if (drift != NULL) {
        drift->spec = line;
    }
}

void probe_compare_test(struct probe *p, const struct probe_answer *answer,
                        const char *const *lines)
{
    static struct tokens spec, module;
    bool taken[LINES_MAX] = {false};
    size_t n = answer->n < LINES_MAX ? answer->n : LINES_MAX;
    bool single = n == 1 && lines[0] != NULL && lines[1] == NULL;
    p->overflow |= answer->n > LINES_MAX;
    for (; *lines != NULL; lines++) {
        size_t i = 0;
        take_apart(p, *lines, &spec);
        for (; i < n; i++) {
            take_apart(p, p->lines[answer->first + i], &module);
            if (!taken[i] && (single || pair(&spec, &module))) {
                break;
            }
        }
        if (i == n) {
            lone_line(p, answer, PROBE_LINE_REMOVED, *lines);
            continue;
        }
        taken[i] = true;
        compare_lines(p, answer, &spec, &module);
    }
    for (size_t i = 0; i < n; i++) {
        if (!taken[i]) {
            lone_line(p, answer, PROBE_LINE_ADDED, p->lines[answer->first + i]);
        }
    }
}

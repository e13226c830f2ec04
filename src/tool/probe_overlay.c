/* What differs as an overlay that amends the spec, to be reviewed. What can't be said
 * without knowing more stands in comments. */
#include "probe.h"

#include <inttypes.h>
#include <string.h>

/* As between single quotes; the pool holds nothing but printable ASCII. */
static void escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fputs(*text == '\'' ? "''" : (const char[]){*text, '\0'}, out);
    }
}

static void quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    escaped(out, text);
    fputc('\'', out);
}

static void begin_action(FILE *out, const char *off, const char *path)
{
    fprintf(out, "  %s- at: ", off);
    quoted(out, path);
    fputc('\n', out);
}

static void because(const struct probe *p, FILE *out, const char *off, const char *sent,
                    const char *answer)
{
    const char *const texts[] = {probe_subject(p), " answered ", sent, " with ", answer};
    fprintf(out, "    %sbecause: '", off);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        escaped(out, texts[i]);
    }
    fprintf(out, "'\n    %sevidence: seen\n", off);
}

static void comment(const struct probe *p, const struct probe_drift *drift, FILE *out)
{
    fprintf(out, "  # %s, section %s: the spec says %s\n", drift->answer->sent,
            probe_section(p, drift->answer->form), drift->spec[0] != '\0' ? drift->spec : "nothing");
    if (drift->said) {
        fprintf(out, "  # It says so itself: built for %s it lacks this too.\n", p->firmware);
    }
}

/* Nodes that are missing -------------------------------------------------------------- */

static void removal(const struct probe *p, const struct probe_drift *drift, FILE *out)
{
    comment(p, drift, out);
    begin_action(out, "", drift->path);
    because(p, out, "", drift->answer->sent, drift->module);
    fputs("    remove: cascade\n", out);
}

static bool is_removal(const struct probe_drift *drift)
{
    return drift->kind == PROBE_COMMAND_MISSING || drift->kind == PROBE_FORM_MISSING;
}

/* Test answers ------------------------------------------------------------------------ */

static bool of_test(const struct probe_drift *drift)
{
    return !is_removal(drift) && drift->kind != PROBE_ANSWER;
}

/* The language knows a test answer by its first part in parentheses, behind words. */
static bool sayable(const struct probe *p, const struct probe_answer *answer)
{
    for (uint16_t i = 0; i < answer->n; i++) {
        const char *line = p->lines[answer->first + i];
        if (line[strcspn(line, "(<")] != '(') {
            return false;
        }
    }
    return true;
}

static void differences(const struct probe *p, const struct probe_answer *answer, FILE *out)
{
    for (size_t i = 0; i < p->ndrift; i++) {
        const struct probe_drift *drift = &p->drift[i];
        if (drift->answer != answer || !of_test(drift)) {
            continue;
        }
        bool syntax = drift->kind != PROBE_RANGE && drift->kind != PROBE_LINE_REMOVED;
        fprintf(out, "  # %s%s%s in place of %s%s\n", drift->parameter,
                drift->parameter[0] != '\0' ? ": " : "",
                drift->module[0] != '\0' ? drift->module : "nothing",
                drift->spec[0] != '\0' ? drift->spec : "nothing",
                syntax ? "; the syntax of the forms stays as it is" : "");
    }
}

static void test_lines(const struct probe *p, const struct probe_drift *drift, FILE *out)
{
    const struct probe_answer *answer = drift->answer;
    const char *off = sayable(p, answer) ? "" : "# ";
    fprintf(out, "  # %s, section %s:\n", answer->sent, probe_section(p, answer->form));
    differences(p, answer, out);
    if (drift->said) {
        fprintf(out, "  # The spec says so itself of %s.\n", p->firmware);
    }
    if (*off != '\0') {
        fputs("  # A test answer that doesn't begin with words or parentheses can't be said:\n", out);
    }
    begin_action(out, off, drift->path);
    because(p, out, off, answer->sent, "these lines");
    fprintf(out, "    %schange:\n", off);
    for (uint16_t i = 0; i < answer->n; i++) {
        fprintf(out, "      %s- ", off);
        quoted(out, p->lines[answer->first + i]);
        fputc('\n', out);
    }
}

/* Ranges ------------------------------------------------------------------------------ */

static bool agrees(const struct probe *p, const struct probe_drift *drift)
{
    for (size_t i = 0; i < p->nsaid; i++) {
        const struct probe_said *said = &p->said[i];
        if (strcmp(said->path, drift->manual->path) == 0 &&
            (said->range.none || said->range.low != drift->is.low ||
             said->range.high != drift->is.high)) {
            return false;
        }
    }
    return true;
}

static bool is_key(const struct at_effect *effects, uint8_t n, uint16_t param)
{
    for (uint8_t i = 0; i < n; i++) {
        if (effects[i].key == param) {
            return true;
        }
    }
    return false;
}

static bool bounds_deadline(const struct at_deadline *within, uint16_t index)
{
    return within != NULL && (within->a == index || within->b == index);
}

/* Whether settings or deadlines are told apart by it, which bounds it on another side. */
static bool bounds_others(const struct probe *p, const struct at_param *param)
{
    uint16_t index = (uint16_t)(param - p->module->params);
    for (uint16_t i = 0; i < p->module->nforms; i++) {
        const struct at_form *form = &p->module->forms[i];
        if (bounds_deadline(form->rare->within, index) ||
            is_key(form->rare->effects, form->rare->neffects, index)) {
            return true;
        }
    }
    for (uint16_t i = 0; i < p->module->nrecords; i++) {
        const struct at_record *record = &p->module->records[i];
        if (is_key(record->rare->effects, record->rare->neffects, index) ||
            (record->rare->payload != NULL && record->rare->payload->when_key == index)) {
            return true;
        }
    }
    return false;
}

/* Why a range is better changed by somebody who looks; or NULL. */
static const char *doubt(const struct probe *p, const struct probe_drift *drift)
{
    const struct at_param *param = drift->param;
    if (drift->was.low != param->kind->min || drift->was.high != (int64_t)param->kind->max) {
        return "the parameter's range wasn't that of the test answer before";
    }
    if (drift->manual->nvalues > 0) {
        return "the parameter has a table of values";
    }
    if (!agrees(p, drift)) {
        return "other commands take other values for the same parameter";
    }
    if (drift->is.low < INT32_MIN || drift->is.high > UINT32_MAX) {
        return "no parameter holds such numbers";
    }
    if (bounds_others(p, param)) {
        return "settings or a deadline depend on the parameter, and bound it too";
    }
    if (drift->is.low > drift->was.low || drift->is.high < drift->was.high) {
        return "it is narrower, and an example, a default or a `supported` may lie outside";
    }
    return NULL;
}

static bool has_range(const struct probe_drift *drift)
{
    return drift->kind == PROBE_RANGE && drift->param != NULL && drift->manual != NULL &&
           drift->param->kind->type != AT_LITERAL && drift->manual->path[0] != '\0' &&
           !drift->is.none && !drift->was.none;
}

static bool is_repeated(const struct probe *p, const struct probe_drift *drift)
{
    for (const struct probe_drift *d = p->drift; d < drift; d++) {
        if (has_range(d) && strcmp(d->manual->path, drift->manual->path) == 0) {
            return true;
        }
    }
    return false;
}

static void range_action(const struct probe *p, const struct probe_drift *drift, FILE *out,
                         const char *off, const char *path, int64_t low, int64_t high)
{
    begin_action(out, off, path);
    because(p, out, off, drift->answer->sent, drift->module);
    fprintf(out, "    %schange: {range: %" PRId64 "..%" PRId64 "}\n", off, low, high);
}

/* What the parameter bounds: the payload of the answer. */
static void payload(const struct probe *p, const struct probe_drift *drift, FILE *out,
                    const char *off)
{
    for (uint16_t i = 0; i < p->module->nforms; i++) {
        const struct at_form *form = &p->module->forms[i];
        for (uint16_t k = 0; form->rare->reads != AT_NONE && k < p->module->nrecords; k++) {
            const struct at_record *record = &p->module->records[k];
            if (&p->module->params[form->rare->reads] != drift->param || record->rare->payload == NULL ||
                form->nresponses == 0 || record->id != form->responses[0].record ||
                record->rare->payload->max != drift->was.high) {
                continue;
            }
            char path[256];
            (void)snprintf(path, sizeof path, "%s.payload", p->tool->manual->records[k].path);
            range_action(p, drift, out, off, path, record->rare->payload->min, drift->is.high);
        }
    }
}

static void range(const struct probe *p, const struct probe_drift *drift, FILE *out)
{
    const char *why = doubt(p, drift);
    const char *off = why != NULL ? "# " : "";
    if (why != NULL) {
        fprintf(out, "  # Look first: %s.\n", why);
    }
    range_action(p, drift, out, off, drift->manual->path, drift->is.low, drift->is.high);
    payload(p, drift, out, off);
}

/* ------------------------------------------------------------------------------------- */

static void one(const struct probe *p, size_t i, FILE *out)
{
    const struct probe_drift *drift = &p->drift[i];
    bool first = i == 0 || p->drift[i - 1].answer != drift->answer;
    if (is_removal(drift)) {
        removal(p, drift, out);
    } else if (drift->kind == PROBE_ANSWER) {
        fprintf(out, "  # What can't be said for you: %s, section %s. Expected %s; it was\n"
                "  #   %s\n", drift->answer->sent, probe_section(p, drift->answer->form),
                drift->spec, drift->module);
    } else if (first) {
        test_lines(p, drift, out);
    }
    if (has_range(drift) && !is_repeated(p, drift)) {
        range(p, drift, out);
    }
}

/* Whether any action stands outside of comments. */
static bool acts(const struct probe *p)
{
    for (size_t i = 0; i < p->ndrift; i++) {
        const struct probe_drift *drift = &p->drift[i];
        if (is_removal(drift) || (of_test(drift) && sayable(p, drift->answer)) ||
            (has_range(drift) && doubt(p, drift) == NULL)) {
            return true;
        }
    }
    return false;
}

/* Removals first: what they put back as it was, test answers may change again. */
void probe_print_overlay(const struct probe *p, FILE *out)
{
    fprintf(out, "# Written by `%s probe`, against %s.\n# To be reviewed: what was refused may have "
            "had other reasons.\n", p->tool->name, p->tool->manual->document);
    fprintf(out, "atspec: 1\noverlay: ");
    char title[160];
    (void)snprintf(title, sizeof title, "What %s was found to have otherwise", probe_subject(p));
    quoted(out, title);
    fprintf(out, "\nmodule: %s\nactions:%s\n", p->tool->module->name, acts(p) ? "" : " []");
    for (size_t i = 0; i < p->ndrift; i++) {
        if (is_removal(&p->drift[i])) {
            one(p, i, out);
        }
    }
    for (size_t i = 0; i < p->ndrift; i++) {
        if (!is_removal(&p->drift[i])) {
            one(p, i, out);
        }
    }
}

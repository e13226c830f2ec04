/* What was answered beside what the spec says. */
#include "probe.h"

#include <string.h>

#include "print.h"

struct probe_drift *probe_differs(struct probe *p, enum probe_kind kind,
                                  const struct probe_answer *answer, const char *path)
{
    if (p->ndrift == PROBE_DRIFT_MAX) {
        p->overflow = true;
        return NULL;
    }
    struct probe_drift *drift = &p->drift[p->ndrift++];
    *drift = (struct probe_drift){.kind = kind, .answer = answer, .path = path, .parameter = "",
                                  .spec = "", .module = ""};
    return drift;
}

const struct at_manual_form *probe_page(const struct probe *p, const struct at_form *form)
{
    return &p->tool->manual->forms[form->id];
}

const char *probe_section(const struct probe *p, const struct at_form *form)
{
    const struct at_manual *manual = p->tool->manual;
    for (uint16_t i = 0; i < manual->ncommands; i++) {
        if (strcmp(manual->commands[i].name, form->command) == 0) {
            return manual->commands[i].section;
        }
    }
    return "";
}

const char *probe_subject(const struct probe *p)
{
    return p->firmware[0] != '\0' ? p->firmware : "the module";
}

/* What is missing ------------------------------------------------------------------ */

static bool of_command(const struct at_form *form, const char *command)
{
    return strcmp(form->command, command) == 0;
}

static bool is_refused(const struct probe_answer *answer)
{
    return answer->status == AT_E_ERROR;
}

/* Whether every question about a command was refused. */
static bool all_refused(const struct probe *p, const char *command)
{
    for (size_t i = 0; i < p->nanswers; i++) {
        if (of_command(p->answers[i].form, command) && !is_refused(&p->answers[i])) {
            return false;
        }
    }
    return true;
}

/* Whether the spec says that this firmware lacks the form; of a command: all its forms. */
static bool said_to_lack(const struct probe *p, const struct at_form *form, bool command)
{
    bool lacks = p->view != NULL;
    for (uint16_t i = 0; i < p->module->nforms && lacks; i++) {
        const struct at_form *other = &p->module->forms[i];
        bool counts = command ? of_command(other, form->command) : other == form;
        lacks = !counts || !at_grammar_has(p->view, other->id);
    }
    return lacks;
}

static const char *refusal(struct probe *p, const struct probe_answer *answer)
{
    return answer->error < 0 ? "ERROR" : probe_text(p, "+CME ERROR: %ld", (long)answer->error);
}

/* Of a test command its answer tells more than its name. */
static const char *in_the_spec(const struct probe *p, const struct at_form *form)
{
    const char *const *lines = p->tool->grammar->test_lines[form->id];
    return lines != NULL ? lines[0] : probe_page(p, form)->syntax;
}

static void missing(struct probe *p, const struct probe_answer *answer, bool command)
{
    const struct at_manual_form *page = probe_page(p, answer->form);
    const char *path = command ? probe_text(p, "commands.%s", answer->form->command) : page->path;
    struct probe_drift *drift = probe_differs(
        p, command ? PROBE_COMMAND_MISSING : PROBE_FORM_MISSING, answer, path);
    if (drift != NULL) {
        drift->spec = in_the_spec(p, answer->form);
        drift->module = refusal(p, answer);
        drift->said = said_to_lack(p, answer->form, command);
    }
}

/* The command itself, with the first question about it. */
static void compare_refusal(struct probe *p, const struct probe_answer *answer)
{
    bool command = all_refused(p, answer->form->command);
    for (size_t i = 0; command && &p->answers[i] != answer; i++) {
        if (of_command(p->answers[i].form, answer->form->command)) {
            return;
        }
    }
    missing(p, answer, command);
}

/* What doesn't fit ------------------------------------------------------------------ */

/* The lines that came; where all fit, how many; "" for none. */
static const char *joined(struct probe *p, const struct probe_answer *answer)
{
    const char *text = "", *gap = "";
    for (uint16_t i = 0; i < answer->n; i++) {
        text = probe_text(p, "%s%s%s", text, gap, p->lines[answer->first + i]);
        gap = " / ";
    }
    for (uint8_t i = 0; i < answer->form->nresponses && answer->n == 0; i++) {
        if (answer->count[i] > 0) {
            text = probe_text(p, "%s%s%u lines %s", text, gap, answer->count[i],
                              probe_record(p, answer->form->responses[i].record)->head);
            gap = " / ";
        }
    }
    return text;
}

/* An answer that doesn't fit, in words. */
static const char *answered(struct probe *p, const struct probe_answer *answer)
{
    const char *text = joined(p, answer);
    if (text[0] != '\0') {
        return text;
    }
    return answer->overlong > 0             ? "a line that is too long to be read"
           : answer->status == AT_E_TIMEOUT ? "no answer"
           : answer->status < 0           ? print_status(answer->status)
                                          : "only OK";
}

/* What a form answers with, in the words of the spec. */
static const char *expected(struct probe *p, const struct at_form *form)
{
    const char *text = "";
    for (uint8_t i = 0; i < form->nresponses; i++) {
        const struct at_expect *expect = &form->responses[i];
        text = probe_text(p, "%s%s%u to %u lines %s", text, i > 0 ? ", " : "", expect->min,
                          expect->max, probe_record(p, expect->record)->head);
    }
    return form->nresponses > 0 ? text : "only OK";
}

static bool counts_fit(const struct probe_answer *answer)
{
    for (uint8_t i = 0; i < answer->form->nresponses; i++) {
        const struct at_expect *expect = &answer->form->responses[i];
        if (answer->count[i] < expect->min || answer->count[i] > expect->max) {
            return false;
        }
    }
    return true;
}

static void compare_query(struct probe *p, const struct probe_answer *answer)
{
    bool fits = answer->status >= 0 && counts_fit(answer);
    /* What a module says of itself besides its firmware is nobody's business. */
    bool judged = answer->form->id != p->tool->manual->firmware;
    if (fits && (answer->n == 0 || !judged)) {
        return;
    }
    struct probe_drift *drift = probe_differs(p, PROBE_ANSWER, answer,
                                              probe_page(p, answer->form)->path);
    if (drift != NULL) {
        drift->spec = expected(p, answer->form);
        drift->module = answered(p, answer);
    }
}

static bool is_test(const struct at_form *form)
{
    return strcmp(form->name, "test") == 0;
}

/* Whether the differences from `first` on are those between the spec and what it says of
 * this firmware: then the answer is just what the view has. */
static void compare_with_view(struct probe *p, const struct probe_answer *answer, size_t first)
{
    static const char *const none[] = {NULL};
    size_t found = p->ndrift, said = p->nsaid;
    if (p->view == NULL || found == first) {
        return;
    }
    const char *const *lines = p->view->test_lines[answer->form->id];
    probe_compare_test(p, answer, lines != NULL ? lines : none);
    bool same = p->ndrift == found;
    p->ndrift = found;
    p->nsaid = said;
    for (size_t i = first; i < found; i++) {
        p->drift[i].said = same;
    }
}

static void compare_test(struct probe *p, const struct probe_answer *answer)
{
    static const char *const none[] = {NULL};
    const char *const *lines = p->tool->grammar->test_lines[answer->form->id];
    size_t first = p->ndrift;
    if (answer->status == AT_E_TIMEOUT || (lines != NULL && answer->count[0] == 0)) {
        compare_query(p, answer);
        return;
    }
    probe_compare_test(p, answer, lines != NULL ? lines : none);
    compare_with_view(p, answer, first);
}

void probe_compare(struct probe *p)
{
    for (size_t i = 0; i < p->nanswers; i++) {
        const struct probe_answer *answer = &p->answers[i];
        if (is_refused(answer)) {
            compare_refusal(p, answer);
        } else if (is_test(answer->form)) {
            compare_test(p, answer);
        } else {
            compare_query(p, answer);
        }
    }
}

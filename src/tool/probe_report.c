/* What differs, for people and for programs. */
#include "probe.h"

#include <string.h>

#include "json.h"

static const char *const kinds[] = {
    [PROBE_COMMAND_MISSING] = "command-missing",
    [PROBE_FORM_MISSING] = "form-missing",
    [PROBE_RANGE] = "range",
    [PROBE_PARAMETER] = "parameter",
    [PROBE_ADDED] = "parameter-added",
    [PROBE_REMOVED] = "parameter-removed",
    [PROBE_LINE_ADDED] = "line-added",
    [PROBE_LINE_REMOVED] = "line-removed",
    [PROBE_ANSWER] = "answer",
};

static const char *const words[] = {
    [PROBE_COMMAND_MISSING] = "the command is missing",
    [PROBE_FORM_MISSING] = "this form of the command is missing",
    [PROBE_RANGE] = "takes other values",
    [PROBE_PARAMETER] = "is another, or stands otherwise",
    [PROBE_ADDED] = "is new",
    [PROBE_REMOVED] = "is missing",
    [PROBE_LINE_ADDED] = "a line is new",
    [PROBE_LINE_REMOVED] = "a line is missing",
    [PROBE_ANSWER] = "the answer fits no description",
};

/* Text ------------------------------------------------------------------------------ */

static void print_view(const struct probe *p, FILE *out)
{
    const char *gap = "of this firmware it says that it lacks ";
    if (p->firmware[0] == '\0') {
        fputs("the module tells no firmware", out);
        return;
    }
    if (p->view == NULL) {
        fputs("it knows no firmware of this name", out);
        return;
    }
    for (uint16_t i = 0; i < p->module->nforms; i++) {
        if (!at_grammar_has(p->view, i)) {
            fprintf(out, "%s%s", gap, p->tool->manual->forms[i].syntax);
            gap = ", ";
        }
    }
    if (gap[0] != ',') {
        fputs("of this firmware it says that it has everything", out);
    }
}

static void print_one(const struct probe *p, const struct probe_drift *drift, FILE *out)
{
    bool parameter = drift->parameter[0] != '\0';
    fprintf(out, "%s  (%s)  %s%s%s\n", drift->answer->sent,
            probe_section(p, drift->answer->form), drift->parameter, parameter ? " " : "",
            words[drift->kind]);
    fprintf(out, "  spec    %s\n", drift->spec[0] != '\0' ? drift->spec : "nothing");
    fprintf(out, "  module  %s\n", drift->module[0] != '\0' ? drift->module : "nothing");
    if (drift->said) {
        fputs("  The spec says so itself of this firmware.\n", out);
    }
    fputc('\n', out);
}

void probe_print_text(const struct probe *p, FILE *out)
{
    fprintf(out, "firmware  %s\n", p->firmware[0] != '\0' ? p->firmware : "not told");
    fprintf(out, "spec      %s; ", p->tool->manual->document);
    print_view(p, out);
    fputs("\nasked     ", out);
    fprintf(out, "%zu of %u forms; the others would do more than ask\n\n", p->nanswers,
            p->module->nforms);
    for (size_t i = 0; i < p->ndrift; i++) {
        print_one(p, &p->drift[i], out);
    }
    if (p->ndrift == 0) {
        fputs("no difference\n", out);
    } else {
        fprintf(out, "%zu difference%s\n", p->ndrift, p->ndrift == 1 ? "" : "s");
    }
}

/* JSON ------------------------------------------------------------------------------ */

static void member(FILE *out, const char *name, const char *text)
{
    fprintf(out, ",\"%s\":", name);
    json_string(out, text, strlen(text));
}

static void json_drift(const struct probe *p, const struct probe_drift *drift, FILE *out)
{
    fprintf(out, "{\"kind\":\"%s\"", kinds[drift->kind]);
    member(out, "path", drift->path);
    member(out, "command", drift->answer->sent);
    member(out, "section", probe_section(p, drift->answer->form));
    if (drift->parameter[0] != '\0') {
        member(out, "parameter", drift->parameter);
    }
    member(out, "spec", drift->spec);
    member(out, "module", drift->module);
    fprintf(out, ",\"said\":%s}", drift->said ? "true" : "false");
}

void probe_print_json(const struct probe *p, FILE *out)
{
    const char *gap = "";
    fputs("{\"module\":", out);
    json_string(out, p->tool->module->name, strlen(p->tool->module->name));
    member(out, "manual", p->tool->manual->document);
    member(out, "firmware", p->firmware);
    fprintf(out, ",\"known\":%s,\"asked\":%zu,\"not_asked\":[", p->view != NULL ? "true" : "false",
            p->nanswers);
    for (uint16_t i = 0; i < p->module->nforms; i++) {
        if (!probe_asked(p, &p->module->forms[i])) {
            const char *path = p->tool->manual->forms[i].path;
            fputs(gap, out);
            json_string(out, path, strlen(path));
            gap = ",";
        }
    }
    fputs("],\"drift\":[", out);
    for (size_t i = 0; i < p->ndrift; i++) {
        fputs(i > 0 ? "," : "", out);
        json_drift(p, &p->drift[i], out);
    }
    fputs("]}\n", out);
}

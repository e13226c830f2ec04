/* Asking a live module what it has: test commands and queries, and nothing else. Each is sent
 * as one that needs no settings, for the client's start-up would change the module: its echo. */
#include "probe.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "print.h"

enum { WAKE_TRIES = 5 };

/* Texts -------------------------------------------------------------------------- */

static char *room(struct probe *p, size_t n)
{
    if (n > sizeof p->pool - p->used) {
        p->overflow = true;
        return NULL;
    }
    char *to = p->pool + p->used;
    p->used += n;
    return to;
}

const char *probe_keep(struct probe *p, const char *text, size_t len)
{
    char *to = room(p, 4 * len + 1);
    size_t n = 0;
    if (to == NULL) {
        return "";
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c <= '~') {
            to[n++] = (char)c;
        } else {
            n += (size_t)snprintf(to + n, 5, "\\x%02X", c);
        }
    }
    to[n++] = '\0';
    p->used -= 4 * len + 1 - n;
    return to;
}

const char *probe_text(struct probe *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = len < 0 ? NULL : room(p, (size_t)len + 1);
    if (to == NULL) {
        return "";
    }
    va_start(args, format);
    (void)vsnprintf(to, (size_t)len + 1, format, args);
    va_end(args);
    return to;
}

static void add_line(struct probe *p, struct probe_answer *answer, const char *line)
{
    if (p->nlines == PROBE_LINES_MAX) {
        p->overflow = true;
        return;
    }
    p->lines[p->nlines++] = line;
    answer->n++;
}

/* One form ------------------------------------------------------------------------ */

const char *probe_head(const struct at_form *form, size_t *length)
{
    const char *text = form->head + 2; /* AT */
    *length = strcspn(text, "=?");
    return text;
}

/* Lines of others may come at any time; what begins as the command does belongs to it. */
static bool is_own(const struct at_form *form, const char *line)
{
    size_t length;
    const char *head = probe_head(form, &length);
    return length > 0 && strncmp(line, head, length) == 0 && line[length] == ':';
}

static void on_unknown(void *ctx, struct at_str line)
{
    struct probe *p = ctx;
    if (p->listening) {
        add_line(p, &p->answers[p->nanswers], probe_keep(p, line.ptr, line.len));
    }
}

const struct at_record *probe_record(const struct probe *p, uint16_t id)
{
    const struct at_record *record = p->module->records;
    while (record->id != id) {
        record++;
    }
    return record;
}

/* The lines of a test answer as they came, but for the blank behind the colon. */
static void keep_test_lines(struct probe *p, struct probe_answer *answer, const struct at_sink *sink)
{
    size_t length;
    const char *head = probe_head(answer->form, &length);
    const struct at_str *texts = sink->items;
    for (uint16_t i = 0; i < sink->count; i++) {
        const char *text = probe_keep(p, texts[i].ptr, texts[i].len);
        text += strspn(text, " ");
        add_line(p, answer, probe_text(p, "%.*s: %s", (int)length, head, text));
    }
}

static const char *encoded(struct probe *p, const struct at_form *form, const void *request)
{
    char line[CHANNEL_LINE_MAX];
    int len = at_form_encode(p->module, form, p->channel.settings, request, line, sizeof line,
                             NULL);
    return len > 0 ? probe_keep(p, line, (size_t)len - 1) : form->head;
}

/* What isn't the form's own and can't be told from it: lines of others. */
static void drop_others(struct probe *p, struct probe_answer *answer)
{
    uint16_t kept = answer->first;
    for (uint16_t i = 0; i < answer->n; i++) {
        const char *line = p->lines[answer->first + i];
        if (is_own(answer->form, line)) {
            p->lines[kept++] = line;
        }
    }
    p->nlines = kept;
    answer->n = (uint16_t)(kept - answer->first);
}

static bool lacks_lines(const struct probe_answer *answer)
{
    for (uint8_t i = 0; i < answer->form->nresponses; i++) {
        if (answer->count[i] < answer->form->responses[i].min) {
            return true;
        }
    }
    return false;
}

/* Takes as many lines of each kind as come: how many may, is judged later. */
static void take_any(struct probe *p, const struct at_form *form, struct at_expect *any,
                     struct at_call *call)
{
    for (uint8_t i = 0; i < form->nresponses; i++) {
        const struct at_record *record = probe_record(p, form->responses[i].record);
        size_t most = sizeof p->items[i] / record->size;
        any[i] = form->responses[i];
        any[i].min = 0;
        any[i].max = UINT8_MAX;
        call->sinks[i] = (struct at_sink){.record = record->id, .items = p->items[i],
                                          .max = (uint16_t)(most < UINT8_MAX ? most : UINT8_MAX)};
    }
}

/* @return as at_client_call */
static int ask(struct probe *p, const struct at_form *form)
{
    static const uint64_t nothing[TOOL_REQUEST_MAX / sizeof(uint64_t)];
    struct at_form bare = *form;
    struct at_expect any[AT_SINKS_MAX];
    struct at_call call = {.form = &bare, .request = nothing};
    struct probe_answer *answer = &p->answers[p->nanswers];
    bare.flags |= AT_ANY_TIME;
    bare.responses = any;
    take_any(p, form, any, &call);
    *answer = (struct probe_answer){.form = form, .first = (uint16_t)p->nlines};
    uint32_t overlong = p->channel.client.counters.overlong;
    p->listening = true;
    int status = at_client_call(&p->channel.client, &call);
    p->listening = false;
    answer->sent = encoded(p, form, nothing);
    answer->status = status;
    answer->error = call.error;
    answer->overlong = p->channel.client.counters.overlong - overlong;
    for (uint8_t i = 0; i < form->nresponses; i++) {
        answer->count[i] = call.sinks[i].count;
    }
    if (!lacks_lines(answer)) {
        drop_others(p, answer);
    }
    if (form->nresponses == 1 && call.sinks[0].count > 0 &&
        probe_record(p, call.sinks[0].record)->kind == AT_KIND_TEST) {
        keep_test_lines(p, answer, &call.sinks[0]);
    }
    return status;
}

/* Its name is the first text of the first line. */
static void take_firmware(struct probe *p, const struct at_form *form)
{
    const struct at_record *record = probe_record(p, form->responses[0].record);
    const struct at_grammar *grammar = p->tool->grammar;
    const struct probe_answer *answer = &p->answers[p->nanswers];
    for (uint8_t i = 0; i < record->nfields && answer->count[0] > 0; i++) {
        uint8_t type = p->module->params[record->fields[i].param].kind->type;
        if (type == AT_STRING || type == AT_TEXT) {
            struct at_str name;
            memcpy(&name, (const char *)p->items[0] + record->fields[i].offset, sizeof name);
            p->firmware = probe_keep(p, name.ptr, name.len);
            p->view = at_grammar_of(grammar, name);
            return;
        }
    }
}

/* All of them ---------------------------------------------------------------------- */

bool probe_asked(const struct probe *p, const struct at_form *form)
{
    for (size_t i = 0; i < p->nanswers; i++) {
        if (p->answers[i].form == form) {
            return true;
        }
    }
    return false;
}

static void show_progress(const struct probe *p, const char *what, size_t of)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, *what != '\0' ? "\r\033[K%zu of %zu  %s" : "\r\033[K", p->nanswers, of,
                what);
        fflush(stderr);
    }
}

static int failed(const struct probe *p, int status)
{
    const struct port *port = &p->channel.port;
    const struct tool *tool = p->tool;
    show_progress(p, "", 0);
    if (port->signal != 0) {
        return 128 + port->signal;
    }
    if (port->fd < 0) {
        (void)port_complain(port);
        return TOOL_USAGE;
    }
    if (status == AT_E_TIMEOUT || status == AT_E_LOST) {
        return tool_usage(tool, "probe: no answer%s; see whether the module is on, and whether %lu "
                          "baud is its speed (--baud)", p->nanswers > 0 ? " any more" : "",
                          (unsigned long)tool->options->baud);
    }
    return tool_usage(tool, "probe: %s", print_status(status));
}

/* Whatever it answers, it listens. */
static int wake(struct probe *p)
{
    int status = AT_OK;
    for (unsigned i = 0; i < WAKE_TRIES && p->module->wake != AT_NONE; i++) {
        p->nlines = 0;
        status = ask(p, &p->module->forms[p->module->wake]);
        if (status != AT_E_TIMEOUT) {
            break;
        }
    }
    return status;
}

static bool goes_on(int status)
{
    return status >= 0 || status == AT_E_ERROR || status == AT_E_ANSWER || status == AT_E_SPACE ||
           status == AT_E_TIMEOUT;
}

/* @return TOOL_DONE, or the exit status after a message */
static int ask_one(struct probe *p, const struct at_form *form, size_t of)
{
    if ((form->flags & AT_ASKS) == 0 || probe_asked(p, form)) {
        return TOOL_DONE;
    }
    if (p->nanswers == PROBE_FORMS_MAX || form->size > TOOL_REQUEST_MAX) {
        p->overflow = true;
        return TOOL_DONE;
    }
    show_progress(p, form->head, of);
    int status = ask(p, form);
    if (!goes_on(status)) {
        return failed(p, status);
    }
    if (form->id == p->tool->manual->firmware) {
        take_firmware(p, form);
    }
    p->nanswers++;
    return TOOL_DONE;
}

static size_t how_many(const struct at_module *module)
{
    size_t n = 0;
    for (uint16_t i = 0; i < module->nforms; i++) {
        n += (module->forms[i].flags & AT_ASKS) != 0;
    }
    return n;
}

/* First what frames the lines of others, then the firmware, then the rest in its order. */
int probe_ask(struct probe *p)
{
    const struct at_client_config handlers = {.unknown = on_unknown};
    const struct at_module *module = p->tool->module;
    p->module = module;
    p->firmware = "";
    int status = channel_open(&p->channel, p->tool, &handlers);
    if (status != TOOL_DONE) {
        return status;
    }
    size_t of = how_many(module);
    int awake = wake(p);
    status = goes_on(awake) && awake != AT_E_TIMEOUT ? TOOL_DONE : failed(p, awake);
    p->nlines = 0;
    for (uint8_t i = 0; i < module->nsettings && status == TOOL_DONE; i++) {
        uint16_t query = module->settings[i].read_by;
        status = query == AT_NONE ? TOOL_DONE : ask_one(p, &module->forms[query], of);
    }
    if (status == TOOL_DONE && p->tool->manual->firmware != AT_NONE) {
        status = ask_one(p, &module->forms[p->tool->manual->firmware], of);
    }
    for (uint16_t i = 0; i < module->nforms && status == TOOL_DONE; i++) {
        status = ask_one(p, &module->forms[i], of);
    }
    show_progress(p, "", 0);
    channel_close(&p->channel);
    return status;
}

#include "traffic.h"

#include <ctype.h>
#include <string.h>

/* What most commands take at most, for those that no form describes. */
enum { UNKNOWN_MS = 1000 };

static void show(struct traffic *t, enum traffic_from from, enum at_event_type type,
                 const uint8_t *data, size_t len, size_t remaining)
{
    struct at_event event = {type, NULL, NULL, data, len, remaining};
    struct session_echo echo = {0};
    t->view(t->ctx, from, &event, &echo);
}

/* From the host ------------------------------------------------------------------- */

static void show_data(struct traffic *t)
{
    size_t len = t->host_len;
    t->host_len = 0;
    if (len > 0) {
        show(t, FROM_HOST, AT_EVENT_ECHO_DATA, t->host, len, 0);
    }
}

static void end_data(struct traffic *t)
{
    t->in_data = false;
    show_data(t);
}

static void take_data(struct traffic *t, uint8_t c)
{
    t->host[t->host_len++] = c;
    if ((t->counted && --t->left == 0) || (!t->counted && c == t->until) || c == t->cancel) {
        end_data(t);
    } else if (t->host_len == sizeof t->host) {
        show_data(t);
    }
}

/* Where a command line begins behind what isn't one, such as the bytes that lead a
 * module out of data mode; `len` if there is none. */
static size_t find_command(const uint8_t *line, size_t len)
{
    size_t i = 0;
    while (i < len && ((i > 0 && isalnum(line[i - 1u])) ||
                       !at_is_command_line(line + i, len - i))) {
        i++;
    }
    return i;
}

static void take_command(struct traffic *t, const uint8_t *line, size_t len)
{
    struct at_event event = {AT_EVENT_ECHO, NULL, NULL, line, len, 0};
    struct session_echo echo = {0};
    t->open = true;
    session_event(&t->session, &t->stream, &event, &echo);
    t->view(t->ctx, FROM_HOST, &event, &echo);
}

static void end_line(struct traffic *t)
{
    size_t len = t->host_len;
    t->host_len = 0;
    if (len > TRAFFIC_LINE_MAX) {
        show(t, FROM_HOST, AT_EVENT_OVERLONG, NULL, 0, len);
        return;
    }
    size_t begin = find_command(t->host, len);
    if (begin > 0) {
        show(t, FROM_HOST, AT_EVENT_UNKNOWN, t->host, begin, 0);
    }
    if (begin < len) {
        take_command(t, t->host + begin, len - begin);
    }
}

/* A LF that follows a line's CR belongs to its end. */
static void take_line(struct traffic *t, uint8_t c)
{
    if (c == '\r') {
        end_line(t);
    } else if (c != '\n' || t->host_len > 0) {
        if (t->host_len < sizeof t->host) {
            t->host[t->host_len] = c;
        }
        t->host_len++;
    }
}

void traffic_sent(struct traffic *t, const uint8_t *data, size_t n)
{
    t->heard = true;
    for (size_t i = 0; i < n; i++) {
        if (t->in_data) {
            take_data(t, data[i]);
        } else {
            take_line(t, data[i]);
        }
    }
}

/* A host that didn't wait for the prompt has begun its data already. */
static void begin_data(struct traffic *t)
{
    const struct at_form *form = t->session.form;
    size_t held = t->host_len;
    if (held > TRAFFIC_LINE_MAX) {
        show(t, FROM_HOST, AT_EVENT_OVERLONG, NULL, 0, held);
        held = 0;
    }
    t->in_data = true;
    t->left = form != NULL ? t->session.data_len : 0;
    t->counted = t->left > 0;
    t->until = form != NULL ? form->rare->data->until : -1;
    t->cancel = form != NULL ? form->rare->data->cancel : -1;
    t->host_len = 0;
    traffic_sent(t, t->host, held); /* to where it stands, or before */
}

/* From the module ------------------------------------------------------------------- */

static void collect(struct traffic *t, const struct at_event *event)
{
    if (t->payload_len + event->len > sizeof t->payload) { /* echoed data without end */
        show(t, FROM_MODULE, event->type, t->payload, t->payload_len, 0);
        t->payload_len = 0;
    }
    memcpy(t->payload + t->payload_len, event->data, event->len);
    t->payload_len += event->len;
}

/* The event with all of the payload that came, and not its last piece alone. */
static void show_whole(struct traffic *t, const struct at_event *event)
{
    struct at_event whole = *event;
    struct session_echo echo = {0};
    whole.data = t->payload;
    whole.len = t->payload_len;
    if (event->record == NULL && event->remaining > 0 && t->session.data_len == 0) {
        whole.remaining = TRAFFIC_MISSING;
    }
    t->payload_len = 0;
    t->view(t->ctx, FROM_MODULE, &whole, &echo);
}

/* What the event tells about the host's data: whether they begin, or are over. */
static void note(struct traffic *t, const struct at_event *event, struct session_echo *echo)
{
    bool pending = t->session.form != NULL;
    bool prompted = t->session.prompted;
    bool final = event->type == AT_EVENT_LINE && event->record->kind == AT_KIND_FINAL;
    bool verdict = final && (event->record->outcome == AT_OUTCOME_OK ||
                             event->record->outcome == AT_OUTCOME_ERROR);
    if (event->type != AT_EVENT_ECHO || !t->in_data) { /* data that look like a command */
        session_event(&t->session, &t->stream, event, echo);
    }
    t->open = t->open && !verdict && (!pending || t->session.form != NULL);
    if (t->in_data && t->session.form == NULL && (pending || final)) {
        end_data(t);
    }
    if (event->type == AT_EVENT_PROMPT) {
        t->payload_len = 0;
        if (t->heard && !t->in_data && !prompted) {
            begin_data(t);
        }
    }
}

static void on_event(void *ctx, const struct at_event *event)
{
    struct traffic *t = ctx;
    struct session_echo echo = {0};
    switch (event->type) {
    case AT_EVENT_PAYLOAD:
    case AT_EVENT_ECHO_DATA:
        collect(t, event);
        if (event->remaining == 0) {
            show_whole(t, event);
        }
        return;
    case AT_EVENT_INCOMPLETE:
        if (event->record != NULL || event->remaining > 0) {
            show_whole(t, event);
            return;
        }
        break;
    default:
        break;
    }
    if (event->type != AT_EVENT_PROMPT) {
        note(t, event, &echo);
    }
    t->view(t->ctx, FROM_MODULE, event, &echo);
    if (event->type == AT_EVENT_PROMPT) { /* what was sent too early stands behind it */
        note(t, event, &echo);
    }
}

void traffic_received(struct traffic *t, const uint8_t *data, size_t n)
{
    at_stream_feed(&t->stream, data, n);
}

/* Both ------------------------------------------------------------------------------- */

void traffic_init(struct traffic *t, const struct tool *tool, traffic_view view, void *ctx)
{
    memset(t, 0, sizeof *t);
    t->view = view;
    t->ctx = ctx;
    session_init(&t->session, tool);
    (void)at_stream_init(&t->stream, tool->module, t->session.settings, t->window, sizeof t->window,
                   on_event, t);
}

void traffic_flush(struct traffic *t)
{
    if (t->in_data) {
        show_data(t);
    }
}

static void finish_host(struct traffic *t)
{
    size_t len = t->host_len;
    bool counted = t->in_data && t->counted;
    t->host_len = 0;
    if (len > TRAFFIC_LINE_MAX && !t->in_data) {
        show(t, FROM_HOST, AT_EVENT_OVERLONG, NULL, 0, len);
    } else if (len > 0) {
        size_t missing = counted ? t->left : TRAFFIC_MISSING;
        show(t, FROM_HOST, AT_EVENT_INCOMPLETE, t->host, len, t->in_data ? missing : 0);
    }
    t->in_data = false;
}

void traffic_finish(struct traffic *t)
{
    finish_host(t);
    at_stream_finish(&t->stream);
}

bool traffic_in_data(const struct traffic *t)
{
    return t->in_data;
}

uint32_t traffic_patience(const struct traffic *t)
{
    const struct at_form *form = t->session.form;
    if (!t->open || t->in_data) {
        return 0;
    }
    return form != NULL ? form->rare->response_ms : UNKNOWN_MS;
}

#include "session.h"

#include <string.h>

void session_init(struct session *session, const struct tool *tool)
{
    memset(session, 0, sizeof *session);
    session->tool = tool;
    tool_initial_settings(tool->module, session->settings);
}

/* Whether another form begins with the same text, so that arguments decide. */
static bool has_siblings(const struct at_module *module, const struct at_form *form)
{
    for (uint16_t i = 0; i < module->nforms; i++) {
        const struct at_form *other = &module->forms[i];
        if (other != form && strcmp(other->head, form->head) == 0) {
            return true;
        }
    }
    return false;
}

static void note_effects(struct session *s, const struct at_form *form, const void *request)
{
    const struct at_module *module = s->tool->module;
    s->neffects = 0;
    for (uint8_t i = 0; i < form->rare->neffects && s->neffects < 8; i++) {
        const struct at_effect *effect = &form->rare->effects[i];
        int32_t key = 0;
        int32_t value;
        uint8_t slot;
        if (effect->slots > 1) {
            (void)at_request_int(module, form, request, effect->key, &key);
        }
        if (at_request_int(module, form, request, effect->value, &value) &&
            at_setting_slot(effect, key, value, &slot)) {
            s->effects[s->neffects][0] = slot;
            s->effects[s->neffects][1] = (uint8_t)value;
            s->neffects++;
        }
    }
}

static void note_data(struct session *s, const struct at_form *form, const void *request)
{
    int32_t length = 0;
    s->data_len = 0;
    if (form->rare->data != NULL &&
        at_request_int(s->tool->module, form, request, form->rare->data->length, &length)) {
        bool hex = at_data_hex(form->rare->data, s->settings) == 1;
        s->data_len = (uint32_t)length * (hex ? 2u : 1u);
    }
}

static bool has_prompt(const struct at_form *form)
{
    return form != NULL && form->rare->data != NULL && form->rare->data->prompt != 0;
}

static void note_echo(struct session *s, struct at_stream *stream, const struct at_event *event,
                      struct session_echo *echo)
{
    struct at_command *command = &echo->command;
    union {
        uint8_t bytes[TOOL_REQUEST_MAX];
        void *align;
        int64_t align_too;
    } request;
    int status = at_command_parse(s->tool->grammar, s->settings, event->data, event->len,
                                  command, NULL);
    s->form = NULL;
    s->prompted = false;
    s->neffects = 0;
    if (status == AT_OK && command->form->size <= sizeof request) {
        at_command_decode(s->tool->grammar, command, &request);
        s->form = command->form;
        note_effects(s, command->form, &request);
        note_data(s, command->form, &request);
    }
    echo->form = command->form;
    echo->fits = status == AT_OK;
    echo->ambiguous = status != AT_OK && command->form != NULL &&
                      has_siblings(s->tool->module, command->form);
    at_stream_expect_prompt(stream, has_prompt(s->form));
}

static bool may_complete(const struct at_form *form, const struct at_record *record)
{
    uint8_t i = 0;
    while (i < form->rare->nthen && form->rare->then[i].record != record->id) {
        i++;
    }
    return i < form->rare->nthen;
}

/* What follows a final result code comes from an earlier command, unless it is this
 * one's own, which has sent its data and may do without that code. */
static bool ends_command(const struct session *s, const struct at_record *record)
{
    return record->outcome == AT_OUTCOME_OK || record->outcome == AT_OUTCOME_ERROR ||
           (s->prompted && (s->form->flags & AT_FINAL_OPTIONAL) != 0 &&
            may_complete(s->form, record));
}

static void end_command(struct session *s, struct at_stream *stream, bool acknowledged)
{
    if (acknowledged) {
        for (size_t i = 0; i < s->neffects; i++) {
            s->settings[s->effects[i][0]] = s->effects[i][1];
        }
    }
    s->neffects = 0;
    if (s->form != NULL) {
        s->form = NULL;
        s->prompted = false;
        at_stream_expect_prompt(stream, false);
    }
}

static bool is_restart(const struct at_module *module, const struct at_event *event)
{
    for (uint8_t i = 0; i < module->nreboot; i++) {
        if (strlen(module->reboot[i]) == event->len &&
            memcmp(module->reboot[i], event->data, event->len) == 0) {
            return true;
        }
    }
    return false;
}

/* A restart ends the pending command, and settings that aren't stored. */
static void note_unknown(struct session *s, struct at_stream *stream, const struct at_event *event)
{
    const struct at_module *module = s->tool->module;
    if (!is_restart(module, event)) {
        return;
    }
    for (uint8_t i = 0; i < module->nsettings; i++) {
        const struct at_setting *setting = &module->settings[i];
        if (setting->stored == 0) {
            memset(s->settings + setting->slot, setting->initial, setting->slots);
        }
    }
    end_command(s, stream, false);
}

static void note_prompt(struct session *s, struct at_stream *stream)
{
    if (!has_prompt(s->form)) {
        return;
    }
    const struct at_data *data = s->form->rare->data;
    s->prompted = true;
    if (data->echo_slot != AT_UNKNOWN && s->settings[data->echo_slot] == 1) {
        at_stream_expect_echo(stream, s->data_len, data->until);
    }
}

void session_event(struct session *session, struct at_stream *stream,
                   const struct at_event *event, struct session_echo *echo)
{
    switch (event->type) {
    case AT_EVENT_ECHO:
        note_echo(session, stream, event, echo);
        break;
    case AT_EVENT_PROMPT:
        note_prompt(session, stream);
        break;
    case AT_EVENT_LINE:
        if (event->record->kind == AT_KIND_FINAL && ends_command(session, event->record)) {
            end_command(session, stream, event->record->outcome == AT_OUTCOME_OK);
        }
        break;
    case AT_EVENT_UNKNOWN:
        note_unknown(session, stream, event);
        break;
    default:
        break;
    }
}

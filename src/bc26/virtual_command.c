/* Command lines: which handler, and the answer around what it prints. */
#include "virtual_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What is documented to come with echomode. */
#define FIRMWARE "BC26NBR01A07"
#define DEVICE 4 /* characters of a firmware's name that are the device's */

/* ---- commands that need no file of their own ------------------------------ */

static int accept(struct virtual_module *vm, const union bc26_request *request)
{
    (void)vm;
    (void)request;
    return 0;
}

static int ate0(struct virtual_module *vm, const union bc26_request *request)
{
    (void)request;
    vm->echo = false;
    return 0;
}

static int ate1(struct virtual_module *vm, const union bc26_request *request)
{
    (void)request;
    vm->echo = true;
    return 0;
}

/* Whose module it is, which one, and its firmware. A revision of the manual tells none. */
static int ati(struct virtual_module *vm, const union bc26_request *request)
{
    const char *name = vm->config.firmware != NULL ? vm->config.firmware : FIRMWARE;
    struct bc26_ati_response line = { .revision = { name, strlen(name) } };
    struct at_firmware firmware;
    bool known = bc26_firmware_parse(line.revision, &firmware) == AT_OK;
    char text[VM_TEXT_MAX];

    (void)request;
    vm_line(vm, "Quectel_Ltd", 11);
    vm_line(vm, text, snprintf(text, sizeof text, "Quectel_%.*s", DEVICE, known ? name : FIRMWARE));
    if (known)
        vm_line(vm, text, bc26_ati_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

static int cmee_read(struct virtual_module *vm, const union bc26_request *request)
{
    struct bc26_cmee_response line = { .cmee = vm->cmee };
    char text[VM_TEXT_MAX];

    (void)request;
    vm_line(vm, text, bc26_cmee_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

static int cmee(struct virtual_module *vm, const union bc26_request *request)
{
    vm->cmee = request->cmee.cmee;
    return 0;
}

static int qigeterror(struct virtual_module *vm, const union bc26_request *request)
{
    char words[VM_TEXT_MAX], text[VM_TEXT_MAX];
    struct bc26_qigeterror_response line = {
        .err = vm->error, .errcode_description = vm_error_words(vm->error, words)
    };

    (void)request;
    vm_line(vm, text, bc26_qigeterror_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

/* ---- QICFG: a query without values; setting them is the form's effect ------ */

static int dataformat(struct virtual_module *vm, const union bc26_request *request)
{
    struct bc26_qicfg_dataformat_response line = {
        .send_data_format = vm->settings[BC26_SETTING_SEND_DATA_FORMAT],
        .recv_data_format = vm->settings[BC26_SETTING_RECV_DATA_FORMAT],
    };
    char text[VM_TEXT_MAX];

    if (!request->qicfg_dataformat.has_send_data_format)
        vm_line(vm, text, bc26_qicfg_dataformat_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

static int viewmode(struct virtual_module *vm, const union bc26_request *request)
{
    struct bc26_qicfg_viewmode_response line = {
        .view_mode = vm->settings[BC26_SETTING_VIEW_MODE]
    };
    char text[VM_TEXT_MAX];

    if (!request->qicfg_viewmode.has_view_mode)
        vm_line(vm, text, bc26_qicfg_viewmode_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

static int showlength(struct virtual_module *vm, const union bc26_request *request)
{
    struct bc26_qicfg_showlength_response line = {
        .show_length_mode = vm->settings[BC26_SETTING_SHOW_LENGTH]
    };
    char text[VM_TEXT_MAX];

    if (!request->qicfg_showlength.has_show_length_mode)
        vm_line(vm, text, bc26_qicfg_showlength_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

static int echomode(struct virtual_module *vm, const union bc26_request *request)
{
    struct bc26_qicfg_echomode_response line = {
        .echo_mode = vm->settings[BC26_SETTING_ECHO_MODE]
    };
    char text[VM_TEXT_MAX];

    if (!request->qicfg_echomode.has_echo_mode)
        vm_line(vm, text, bc26_qicfg_echomode_response_encode(&line, text, sizeof text, NULL));
    return 0;
}

/* ---- dispatch ------------------------------------------------------------ */

/* Test commands have none: they print the spec's lines. */
static vm_handler *const handlers[] = {
    [BC26_FORM_AT_EXECUTE] = accept,
    [BC26_FORM_ATE0_EXECUTE] = ate0,
    [BC26_FORM_ATE1_EXECUTE] = ate1,
    [BC26_FORM_ATI_EXECUTE] = ati,
    [BC26_FORM_CMEE_READ] = cmee_read,
    [BC26_FORM_CMEE] = cmee,
    [BC26_FORM_QIOPEN] = vm_qiopen,
    [BC26_FORM_QICLOSE] = vm_qiclose,
    [BC26_FORM_QISTATE_READ] = vm_qistate_read,
    [BC26_FORM_QISTATE_CONTEXT] = vm_qistate_context,
    [BC26_FORM_QISTATE_CONNECTION] = vm_qistate_connection,
    [BC26_FORM_QISEND_INLINE] = vm_qisend_inline,
    [BC26_FORM_QISEND_STREAM] = vm_qisend_stream,
    [BC26_FORM_QISEND_FIXED] = vm_qisend_fixed,
    [BC26_FORM_QISEND_PROGRESS] = vm_qisend_progress,
    [BC26_FORM_QIRD] = vm_qird,
    [BC26_FORM_QISENDEX] = vm_qisendex,
    [BC26_FORM_QISWTMD_READ] = accept,
    [BC26_FORM_QISWTMD] = vm_qiswtmd,
    [BC26_FORM_QPING] = vm_qping,
    [BC26_FORM_QNTP] = vm_qntp,
    [BC26_FORM_QIDNSGIP] = vm_qidnsgip,
    [BC26_FORM_QIDNSCFG_QUERY] = vm_qidnscfg_query,
    [BC26_FORM_QIDNSCFG] = vm_qidnscfg,
    [BC26_FORM_QICFG_DATAFORMAT] = dataformat,
    [BC26_FORM_QICFG_VIEWMODE] = viewmode,
    [BC26_FORM_QICFG_SHOWLENGTH] = showlength,
    [BC26_FORM_QICFG_ECHOMODE] = echomode,
    [BC26_FORM_QIGETERROR_EXECUTE] = qigeterror,
};

/* A form that the spec has and this module hasn't isn't supported. */
static int without_handler(struct virtual_module *vm, const struct at_form *form)
{
    const char *const *lines = vm->grammar->test_lines[form->id];

    if (strcmp(form->name, "test") != 0)
        return BC26_ERROR_NOT_SUPPORTED;
    for (; lines != NULL && *lines != NULL; lines++)
        vm_line(vm, *lines, (int)strlen(*lines));
    return 0;
}

/* The settings that the spec says the form sets. */
static void apply_effects(struct virtual_module *vm, const struct at_form *form,
                          const union bc26_request *request)
{
    uint8_t before[BC26_SETTINGS];

    memcpy(before, vm->settings, sizeof before);
    for (uint8_t i = 0; i < form->rare->neffects; i++) {
        const struct at_effect *effect = &form->rare->effects[i];
        int32_t key = 0, value;
        uint8_t slot;
        if (!at_request_int(&bc26, form, request, effect->value, &value))
            continue;
        if (effect->key != AT_NONE)
            (void)at_request_int(&bc26, form, request, effect->key, &key);
        if (at_setting_slot(effect, key, value, &slot))
            vm->settings[slot] = (uint8_t)value;
    }
    if (memcmp(before, vm->settings, sizeof before) != 0)
        vm_store_save(vm);
}

/* The command that a line names, whatever is wrong with the rest; or NULL. */
static const char *named(const struct virtual_module *vm, const uint8_t *line, size_t len)
{
    size_t end = 3;

    while (end < len && line[end] != '=' && line[end] != '?')
        end++;
    for (size_t i = 0; i < bc26.nforms && len > 3 && line[2] == '+'; i++) {
        const char *name = bc26.forms[i].command;
        if (strlen(name) == end - 3 && strncasecmp(name, (const char *)line + 3, end - 3) == 0 &&
            at_grammar_has(vm->grammar, bc26.forms[i].id))
            return name;
    }
    return NULL;
}

/* All commands of this manual, and no other, begin with a Q. */
static bool is_tcpip(const char *name)
{
    return name != NULL && name[0] == 'Q';
}

static void refuse_line(struct virtual_module *vm, const uint8_t *line, size_t len,
                        enum at_reason reason)
{
    const char *name = named(vm, line, len);

    if (is_tcpip(name)) {
        vm->error = reason == AT_UNSUPPORTED ? BC26_ERROR_NOT_SUPPORTED
                                             : BC26_ERROR_INVALID_PARAMETERS;
        vm_refuse(vm, true, vm->error);
    } else {
        vm_refuse(vm, false, name != NULL ? BC26_CME_ERROR_INCORRECT_PARAMETERS
                                          : BC26_CME_ERROR_NOT_SUPPORTED);
    }
}

static void carry_out(struct virtual_module *vm, const struct at_form *form,
                      const union bc26_request *request)
{
    bool known = form->id < sizeof handlers / sizeof *handlers;
    vm_handler *handler = known ? handlers[form->id] : NULL;
    int err = handler != NULL ? handler(vm, request) : without_handler(vm, form);

    /* QIGETERROR tells of the command before it. */
    if (is_tcpip(form->command) && form->id != BC26_FORM_QIGETERROR_EXECUTE)
        vm->error = err > 0 ? err : 0;
    if (err == 0) {
        apply_effects(vm, form, request);
        vm_final(vm, BC26_LINE_OK_FINAL);
    } else if (err > 0) {
        vm_refuse(vm, true, err);
    }
}

void vm_command(struct virtual_module *vm, const uint8_t *line, size_t len, bool overlong)
{
    struct at_command command;
    struct at_fault fault = { NULL, AT_LENGTH };
    union bc26_request request;

    if (overlong ||
        at_command_parse(vm->grammar, vm->settings, line, len, &command, &fault) != AT_OK) {
        refuse_line(vm, line, len, fault.reason);
        return;
    }
    (void)at_command_decode(vm->grammar, &command, &request);
    carry_out(vm, command.form, &request);
}

#include "unit/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers ----------------------------------------------------------------- */

void picker_init(struct picker *p, uint32_t seed)
{
    memset(p, 0, sizeof *p);
    p->state = seed * 2654435761u + 1u; /* seeds that follow each other shall differ at once */
    p->state += p->state == 0;
}

static uint32_t next(struct picker *p)
{
    p->state ^= p->state << 13;
    p->state ^= p->state >> 17;
    p->state ^= p->state << 5;
    return p->state;
}

uint32_t pick(struct picker *p, uint32_t n)
{
    return next(p) % n;
}

/* Both ends are likely, for that is where the errors are. */
static int64_t pick_between(struct picker *p, int64_t low, int64_t high)
{
    uint32_t dice = pick(p, 8);
    if (p->edge == EDGE_LOW || (p->edge == EDGE_NONE && dice == 0)) {
        return low;
    }
    if (p->edge == EDGE_HIGH || dice == 1) {
        return high;
    }
    return low + (int64_t)(next(p) % (uint64_t)(high - low + 1));
}

void pick_settings(struct picker *p, const struct at_module *module, uint8_t *settings)
{
    for (uint8_t i = 0; i < module->nsettings; i++) {
        const struct at_setting *setting = &module->settings[i];
        for (uint8_t slot = 0; slot < setting->slots; slot++) {
            settings[setting->slot + slot] = (uint8_t)pick(p, setting->max + 1u);
        }
    }
}

/* Members ----------------------------------------------------------------- */

uint8_t group_depth(const struct at_field *fields, uint8_t n)
{
    return n > 0 ? fields[n - 1u].group : 0; /* they nest at the end */
}

bool is_present(const struct at_field *field, const union value *value)
{
    bool has = true;
    if (field->has != 0) {
        memcpy(&has, value->bytes + field->offset - field->has, sizeof has);
    }
    return has;
}

void *member_of(const struct at_field *field, union value *value)
{
    return (void *)(value->bytes + field->offset);
}

static const void *const_member(const struct at_field *field, const union value *value)
{
    return (const void *)(value->bytes + field->offset);
}

static void set_present(const struct at_field *field, union value *value, bool present)
{
    if (field->has != 0) {
        memcpy(value->bytes + field->offset - field->has, &present, sizeof present);
    }
}

static bool is_text(const struct at_param *param)
{
    return param->kind->type == AT_STRING || param->kind->type == AT_HOST || param->kind->type == AT_IP ||
           param->kind->type == AT_TEXT;
}

static char pick_char(struct picker *p, uint8_t type)
{
    static const char host[] = "ABXYZabxyz0189.-_:";
    static const char ip[] = "0123456789abcdefABCDEF.:";
    char c;
    if (type == AT_HOST) {
        return host[pick(p, sizeof host - 1)];
    }
    if (type == AT_IP) {
        return ip[pick(p, sizeof ip - 1)];
    }
    do {
        c = (char)(0x20 + pick(p, 0x7f - 0x20));
    } while (c == '"' || c == ';');
    return c;
}

static uint8_t *take_room(struct picker *p, size_t n)
{
    uint8_t *room = p->room + p->used;
    if (n > sizeof p->room - p->used) {
        abort();
    }
    p->used += n;
    return room;
}

static void pick_text(struct picker *p, const struct at_param *param, struct at_str *text)
{
    size_t len = (size_t)pick_between(p, param->kind->min, param->kind->max);
    char *to = (char *)take_room(p, len);
    for (size_t i = 0; i < len; i++) {
        to[i] = pick_char(p, param->kind->type);
    }
    if (param->kind->type == AT_IP) {
        to[pick(p, (uint32_t)len)] = ':';
        if (len >= 16 && pick(p, 2) != 0) {
            len = (size_t)snprintf(to, len, "%u.%u.%u.%u", (unsigned)pick(p, 256),
                                   (unsigned)pick(p, 256), (unsigned)pick(p, 256),
                                   (unsigned)pick(p, 256));
        }
    }
    text->ptr = to;
    text->len = len;
}

static void pick_member(struct picker *p, const struct at_param *param, void *member)
{
    if (is_text(param)) {
        pick_text(p, param, member);
    } else if (param->kind->type == AT_UINT) {
        *(uint32_t *)member = (uint32_t)pick_between(p, (uint32_t)param->kind->min, param->kind->max);
    } else if (param->kind->type == AT_CHOICE) {
        *(int32_t *)member = (int32_t)pick_between(p, 0, param->kind->nvalues - 1);
    } else if (param->kind->type == AT_INT) {
        *(int32_t *)member = param->kind->supported != INT32_MIN
                                 ? param->kind->supported
                                 : (int32_t)pick_between(p, param->kind->min, param->kind->max);
    }
}

static const struct at_field *find(const struct at_field *fields, uint8_t n, uint16_t param)
{
    for (uint8_t i = 0; i < n; i++) {
        if (fields[i].param == param) {
            return &fields[i];
        }
    }
    return NULL;
}

/* Requests ---------------------------------------------------------------- */

static bool may_carry(const struct at_data *data, bool hex, uint8_t c)
{
    if (hex) {
        return true;
    }
    if (data->prompt != 0) {
        return data->until < 0 || (c != data->until && c != data->cancel);
    }
    return c >= 0x20 && c <= 0x7e && c != '"' && c != ';';
}

static void pick_data(struct picker *p, const struct at_form *form, const uint8_t *settings,
                      union value *request)
{
    const struct at_data *data = form->rare->data;
    const struct at_field *length = find(form->fields, form->nfields, data->length);
    struct at_bytes *bytes = member_of(find(form->fields, form->nfields, data->field), request);
    bool hex = at_data_hex(data, settings) > 0;
    bool plain = pick(p, 2) != 0; /* such as needs no quotes */
    size_t len = (size_t)pick_between(p, 1, hex ? data->max_hex : data->max_text);
    uint8_t *to = take_room(p, len);
    for (size_t i = 0; i < len; i++) {
        do {
            to[i] = (uint8_t)(plain ? (uint32_t)'0' + pick(p, 10) : pick(p, 256));
        } while (!may_carry(data, hex, to[i]));
    }
    bytes->ptr = to;
    bytes->len = len;
    if (length != NULL) {
        *(int32_t *)member_of(length, request) = (int32_t)len;
    }
}

void pick_request(struct picker *p, const struct at_module *module, const struct at_form *form,
                  const uint8_t *settings, uint8_t depth, union value *request)
{
    memset(request, 0, sizeof *request);
    p->used = 0;
    for (uint8_t i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        bool present = field->group <= depth;
        if (field->offset != AT_NO_MEMBER) {
            set_present(field, request, present);
            if (present) {
                pick_member(p, &module->params[field->param], member_of(field, request));
            }
        }
    }
    if (form->rare->data != NULL) {
        pick_data(p, form, settings, request);
    }
}

/* Lines ------------------------------------------------------------------- */

bool line_int(const struct at_module *module, const struct at_record *record,
              const union value *line, uint16_t param, int32_t *number)
{
    const struct at_field *field = find(record->fields, record->nfields, param);
    if (field == NULL || !is_present(field, line) || module->params[param].kind->type != AT_INT) {
        return false;
    }
    memcpy(number, const_member(field, line), sizeof *number);
    return true;
}

void set_line_int(const struct at_record *record, union value *line, uint16_t param, int32_t number)
{
    memcpy(member_of(find(record->fields, record->nfields, param), line), &number, sizeof number);
}

int32_t announced(const struct at_module *module, const struct at_record *record,
                  const uint8_t *settings, const union value *line)
{
    const struct at_payload *payload = record->rare->payload;
    int32_t length;
    int32_t key = 0;
    if (payload == NULL || !line_int(module, record, line, payload->length, &length)) {
        return -1;
    }
    if (payload->when_slot == AT_UNKNOWN) {
        return length;
    }
    if (payload->when_key != AT_NONE) {
        (void)line_int(module, record, line, payload->when_key, &key);
    }
    return settings[payload->when_slot + key] == payload->when_value ? length : -1;
}

/* The settings say whether a field is shown; behind one that isn't comes none. */
static bool is_shown(const struct at_module *module, const struct at_field *field, const uint8_t *settings, uint8_t depth)
{
    if (field->shown != 0) {
        const struct at_shown *shown = &module->shown[field->shown - 1u];
        return settings[shown->slot] == shown->value;
    }
    return field->group <= depth;
}

void pick_line(struct picker *p, const struct at_module *module, const struct at_record *record,
               const uint8_t *settings, uint8_t depth, union value *line)
{
    bool present = true;
    memset(line, 0, sizeof *line);
    p->used = 0;
    for (uint8_t i = 0; i < record->nfields; i++) {
        const struct at_field *field = &record->fields[i];
        present = present && is_shown(module, field, settings, depth);
        if (field->offset != AT_NO_MEMBER) {
            set_present(field, line, present);
            if (present) {
                pick_member(p, &module->params[field->param], member_of(field, line));
            }
        }
    }
    if (announced(module, record, settings, line) >= 0) {
        set_line_int(record, line, record->rare->payload->length,
                     (int32_t)pick_between(p, record->rare->payload->min, record->rare->payload->max));
    }
}

/* Comparing --------------------------------------------------------------- */

static bool same_span(const void *a, size_t alen, const void *b, size_t blen)
{
    return alen == blen && (alen == 0 || memcmp(a, b, alen) == 0);
}

static bool same_member(const struct at_param *param, const void *a, const void *b)
{
    if (is_text(param)) {
        const struct at_str *x = a;
        const struct at_str *y = b;
        return same_span(x->ptr, x->len, y->ptr, y->len);
    }
    if (param->kind->type == AT_DATA || param->kind->type == AT_HEX) {
        const struct at_bytes *x = a;
        const struct at_bytes *y = b;
        return same_span(x->ptr, x->len, y->ptr, y->len);
    }
    return memcmp(a, b, sizeof(int32_t)) == 0;
}

static const char *difference(const struct at_module *module, const struct at_field *fields,
                              uint8_t n, uint16_t skip, const union value *a, const union value *b)
{
    for (uint8_t i = 0; i < n; i++) {
        const struct at_field *field = &fields[i];
        const struct at_param *param = &module->params[field->param];
        if (field->offset == AT_NO_MEMBER || field->param == skip) {
            continue;
        }
        if (is_present(field, a) != is_present(field, b)) {
            return param->name;
        }
        if (is_present(field, a) &&
            !same_member(param, const_member(field, a), const_member(field, b))) {
            return param->name;
        }
    }
    return NULL;
}

const char *request_difference(const struct at_module *module, const struct at_form *form,
                               const union value *a, const union value *b)
{
    bool at_prompt = form->rare->data != NULL && form->rare->data->prompt != 0;
    return difference(module, form->fields, form->nfields, at_prompt ? form->rare->data->field : AT_NONE,
                      a, b);
}

/* Shapes of one line share a struct; what one has and another lacks counts too. */
const char *line_difference(const struct at_module *module, uint16_t record_id,
                            const union value *a, const union value *b)
{
    for (uint16_t i = 0; i < module->nrecords; i++) {
        const struct at_record *record = &module->records[i];
        const char *name = NULL;
        if (record->id == record_id && record->kind == AT_KIND_TEST) {
            const struct at_str *x = (const void *)a->bytes;
            const struct at_str *y = (const void *)b->bytes;
            name = same_span(x->ptr, x->len, y->ptr, y->len) ? NULL : "text";
        } else if (record->id == record_id) {
            name = difference(module, record->fields, record->nfields, AT_NONE, a, b);
        }
        if (name != NULL) {
            return name;
        }
    }
    return NULL;
}

void unhex_data(const struct at_module *module, const struct at_form *form, const uint8_t *settings,
                union value *request, uint8_t *room)
{
    const struct at_data *data = form->rare->data;
    if (data == NULL || data->prompt != 0) {
        return;
    }
    if (module->params[data->field].kind->type == AT_HEX || at_data_hex(data, settings) > 0) {
        struct at_bytes *bytes = member_of(find(form->fields, form->nfields, data->field), request);
        int n = at_hex_decode(bytes->ptr, bytes->len, room);
        bytes->ptr = room;
        bytes->len = n < 0 ? 0 : (size_t)n;
    }
}

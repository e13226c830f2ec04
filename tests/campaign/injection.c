/*
 * What strangers choose must never become a command or an event.
 *
 * Arguments: every string and every data of every form, hostile, in every mode. The judge
 * is the module's own parser: it has carried out exactly one command, with exactly these
 * arguments, and was handed exactly these data; or the encoder refused, and not a byte was
 * written.
 *
 * Payloads: whatever the module hands over, hostile, in every mode and in pieces of any
 * size: by the stream alone, over every line of the tables that has a payload; and by the
 * client, read and pushed. Told are exactly these bytes, and no event but theirs.
 */
#include "rig.h"
#include "hostile.h"
#include "unit/members.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SESSION = 500, WIRE = 2 * RIG_DATA + 400 };

static struct counts {
    unsigned long arguments, payloads, seed;
    unsigned long refused, carried, injected; /* arguments */
    unsigned long streamed, read, pushed, forged, broken; /* payloads */
} c;

static struct rig rig;
static struct picker picker;
static struct fault_dice dice;
static uint8_t hostile[4][2048];

static uint32_t pick_of(uint32_t n)
{
    return fault_pick(&dice, n);
}

static void finding(const char *what, const char *why)
{
    static unsigned findings;

    if (findings++ >= 3)
        return;
    (void)fprintf(stderr, "\n%s: %s (--seed %lu)\n", what, why, c.seed);
    rig_print_trace(&rig, stderr);
}

static void show_progress(const char *what, unsigned long done, unsigned long of)
{
    static time_t last;

    if (!isatty(STDERR_FILENO) || (time(NULL) == last && done < of))
        return;
    last = time(NULL);
    (void)fprintf(stderr, done < of ? "\r%s: %lu of %lu" : "\r\033[K", what, done, of);
}

/* ---- a module without faults ----------------------------------------------------- */

/* Both sides agree on any settings; as if the host had read them. */
static void set_modes(void)
{
    uint8_t settings[SETTINGS_MAX];

    pick_settings(&picker, &bc26, settings);
    memcpy(rig.vm->settings, settings, BC26_SETTINGS);
    memcpy(rig.settings, settings, BC26_SETTINGS);
}

static bool call(const struct at_form *form, const void *request)
{
    int status = rig_start(&rig, form, request);

    if (status == AT_OK)
        return rig_finish(&rig);
    rig.call.status = status;
    return true;
}

static bool open_socket(void)
{
    struct bc26_qiopen open = { .context_id = 1, .connect_id = 0, .host = { "h", 1 },
                                .remote_port = 7, .has_local_port = true,
                                .has_access_mode = true };

    return call(&bc26.forms[BC26_FORM_QIOPEN], &open) && rig.call.status >= 0;
}

static bool open_rig(const char *faults)
{
    struct rig_options options = { .calm = true, .seed = pick_of(UINT32_MAX) };
    char why[200];

    options.plan.seed = options.seed;
    return fault_read(faults, &options.plan, why, sizeof why) && rig_open(&rig, &options) &&
           open_socket();
}

/* ---- arguments ------------------------------------------------------------------- */

static bool is_text(uint8_t type)
{
    return type == AT_STRING || type == AT_HOST || type == AT_IP || type == AT_TEXT;
}

static bool is_data(uint8_t type)
{
    return type == AT_DATA || type == AT_HEX;
}

static bool takes_text(const struct at_form *form)
{
    for (unsigned i = 0; i < form->nfields; i++) {
        uint8_t type = bc26.params[form->fields[i].param].kind->type;
        if (is_text(type) || is_data(type))
            return true;
    }
    return false;
}

/* Some of it as a name could be, as what is refused at once proves little. */
static size_t hostile_text(uint8_t *to, size_t max)
{
    static const char plain[] = "abc.example-10.0.0.1:0123456789ABCDEF";
    size_t len = 1 + pick_of((uint32_t)(pick_of(4) == 0 ? max + 8 : max < 24 ? max : 24));
    size_t from = pick_of(3) == 0 ? len : pick_of((uint32_t)len);

    hostile_bytes(&dice, to, len);
    for (size_t i = 0; i < from; i++)
        to[i] = (uint8_t)plain[pick_of(sizeof plain - 1)];
    return len;
}

/* Fills what is text or data; the length that is stated for them is the true one, mostly. */
static void poison(const struct at_form *form, union value *request)
{
    const struct at_data *data = form->rare->data;
    size_t length = 0;
    unsigned used = 0;

    for (unsigned i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        uint8_t type = bc26.params[field->param].kind->type;
        struct at_bytes bytes = { hostile[used % 4], 0 };
        if (!is_present(field, request) || !(is_text(type) || is_data(type)))
            continue;
        bytes.len = hostile_text(hostile[used++ % 4], is_data(type) ? 1500 : 150);
        if (is_data(type))
            length = bytes.len;
        memcpy(member_of(field, request), &bytes, sizeof bytes);
    }
    for (unsigned i = 0; i < form->nfields && data != NULL; i++) {
        int32_t stated = (int32_t)length + (pick_of(8) == 0 ? (int32_t)pick_of(5) - 2 : 0);
        if (form->fields[i].param == data->length)
            memcpy(member_of(&form->fields[i], request), &stated, sizeof stated);
    }
}

/* Of the module's sockets one is open. */
static void name_socket(const struct at_form *form, union value *request)
{
    int32_t id = 0;

    for (unsigned i = 0; i < form->nfields; i++)
        if (form->fields[i].offset != AT_NO_MEMBER &&
            strcmp(bc26.params[form->fields[i].param].name, "connectID") == 0)
            memcpy(member_of(&form->fields[i], request), &id, sizeof id);
}

/* Whether the one command that was carried out has these arguments. */
static bool same_command(const struct at_form *form, const union value *request)
{
    const struct carried_out *seen =
        &rig.witness.command[rig.witness.from_command % WITNESS_COMMANDS];
    struct at_command command;
    union value heard;
    uint8_t room[DATA_MAX];

    memset(&heard, 0, sizeof heard);
    if (at_command_parse(&bc26_grammar, rig.vm->settings, (const uint8_t *)seen->line, seen->len,
                         &command, NULL) != AT_OK ||
        command.form != form)
        return false;
    (void)at_command_decode(&bc26_grammar, &command, &heard);
    if (form->rare->data != NULL && form->rare->data->prompt == 0)
        unhex_data(&bc26, form, rig.vm->settings, &heard, room);
    return request_difference(&bc26, form, request, &heard) == NULL;
}

static bool same_data(const struct at_form *form, const union value *request)
{
    struct at_bytes data = at_request_data(&bc26, form, request);
    const struct sent *sent = &rig.witness.send[rig.witness.from_send % WITNESS_SENDS];
    uint32_t n = rig.witness.sends - rig.witness.from_send;

    if (form->rare->data == NULL || rig.call.status < 0)
        return n == 0;
    return n == 1 && sent->len == data.len && memcmp(sent->data, data.ptr, data.len) == 0;
}

static const struct at_form *next_form(void)
{
    const struct at_form *form;

    do
        form = &bc26.forms[pick_of(bc26.nforms)];
    while (!takes_text(form));
    return form;
}

static void try_argument(void)
{
    const struct at_form *form = next_form();
    uint8_t depth = (uint8_t)pick_of(group_depth(form->fields, form->nfields) + 1u);
    union value request;

    set_modes();
    pick_request(&picker, &bc26, form, rig.settings, depth, &request);
    name_socket(form, &request);
    poison(form, &request);
    rig.traced = 0;
    uint32_t forged = rig.witness.forged;
    bool ended = call(form, &request);
    uint32_t commands = rig.witness.commands - rig.witness.from_command;
    bool refused = rig.call.status == AT_E_ARGUMENT || rig.call.status == AT_E_SPACE;
    bool good = refused ? commands == 0 && rig.traced == 0
                        : ended && commands == 1 && same_command(form, &request) &&
                              same_data(form, &request) && rig.witness.forged == forged;

    rig_drain(&rig);
    good &= rig.witness.commands - rig.witness.from_command == commands;
    *(good ? refused ? &c.refused : &c.carried : &c.injected) += 1;
    if (!good)
        finding("INJECTED", form->name);
}

static bool try_arguments(void)
{
    for (unsigned long i = 0; i < c.arguments; i++) {
        if (i % SESSION == 0) {
            rig_close(&rig);
            if (!open_rig("lost=0"))
                return false;
        }
        try_argument();
        show_progress("arguments", i + 1, c.arguments);
    }
    return true;
}

/* ---- payloads, by the stream --------------------------------------------------------- */

struct told {
    unsigned lines, others;
    size_t len;
    uint8_t data[WIRE];
};

static void on_event(void *ctx, const struct at_event *event)
{
    struct told *told = ctx;

    if (event->type == AT_EVENT_LINE) {
        told->lines++;
    } else if (event->type == AT_EVENT_PAYLOAD && told->len + event->len <= sizeof told->data) {
        memcpy(told->data + told->len, event->data, event->len);
        told->len += event->len;
    } else {
        told->others++;
    }
}

static const struct at_record *next_payload_record(void)
{
    const struct at_record *record;

    do
        record = &bc26.records[pick_of(bc26.nrecords)];
    while (record->rare->payload == NULL);
    return record;
}

static bool holds(uint8_t slot, uint8_t otherwise)
{
    return (slot != AT_UNKNOWN ? rig.settings[slot] : otherwise) == 1;
}

/* A line and its payload as on the wire; the payload's place in it. */
static size_t put_payload(const struct at_record *record, const union value *line, size_t len,
                          uint8_t *wire, size_t *at, size_t *size)
{
    const struct at_payload *payload = record->rare->payload;
    int n = at_record_encode(&bc26, record, line, (char *)wire, WIRE, NULL);
    bool comma = holds(payload->inline_slot, 0);
    bool hex = holds(payload->format_slot, payload->hex);

    *at = (size_t)n;
    memcpy(wire + *at, comma ? "," : "\r\n", comma ? 1 : 2);
    *at += comma ? 1 : 2;
    *size = len * (hex ? 2u : 1u);
    hostile_bytes(&dice, hostile[0], len);
    if (hex)
        at_hex_encode(hostile[0], len, (char *)wire + *at);
    else
        memcpy(wire + *at, hostile[0], len);
    memcpy(wire + *at + *size, "\r\nOK\r\n", 6);
    return *at + *size + 6;
}

static void feed_in_pieces(struct at_stream *stream, const uint8_t *wire, size_t len)
{
    uint32_t most = pick_of(3) == 0 ? 1 : pick_of(2) == 0 ? 9 : 2000;

    for (size_t i = 0; i < len;) {
        size_t n = 1 + pick_of(most);
        n = n < len - i ? n : len - i;
        at_stream_feed(stream, wire + i, n);
        i += n;
    }
}

static void try_stream(void)
{
    static uint8_t wire[WIRE], window[512];
    static struct told told;
    struct at_stream stream;
    union value line;
    size_t at, size;
    const struct at_record *record;
    int32_t len;

    do {
        pick_settings(&picker, &bc26, rig.settings);
        record = next_payload_record();
        pick_line(&picker, &bc26, record, rig.settings,
                  group_depth(record->fields, record->nfields), &line);
        len = announced(&bc26, record, rig.settings, &line);
    } while (len < record->rare->payload->min);
    size_t n = put_payload(record, &line, (size_t)len, wire, &at, &size);
    memset(&told, 0, sizeof told);
    at_stream_init(&stream, &bc26, rig.settings, window, sizeof window, on_event, &told);
    at_stream_expect_prompt(&stream, pick_of(2) == 0);
    feed_in_pieces(&stream, wire, n);
    c.streamed++;
    c.forged += told.lines != 2 || told.others != 0;
    c.broken += told.len != size || memcmp(told.data, wire + at, size) != 0;
    if (told.lines != 2 || told.others != 0 || told.len != size)
        finding("FORGED", record->name);
}

/* ---- payloads, by the client ------------------------------------------------------------ */

static uint32_t surprises(void)
{
    const struct at_counters *n = &rig.client.counters;

    return n->unknown + n->overlong + n->echoes + n->stray + n->late + n->payload_lost +
           n->reboots + n->barriers + n->timeouts + n->unstored + rig.witness.forged;
}

/* Reads until the module says that it's empty. */
static void read_all(void)
{
    struct bc26_qird request = { .connect_id = 0 };

    do {
        request.read_length = 1 + (int32_t)pick_of(512);
        if (!call(&bc26.forms[BC26_FORM_QIRD], &request) ||
            witness_judge(&rig.witness, &rig.call, rig.settings) != RIGHT) {
            c.broken++;
            finding("BROKEN", rig.witness.what);
            return;
        }
    } while (rig.call.data_len > 0);
    c.read++;
}

/* Whether all that was pushed was told. */
static void heard_all(uint32_t from)
{
    for (uint32_t i = from; i != rig.witness.sayings; i++) {
        const struct saying *saying = &rig.witness.saying[i % WITNESS_SAYINGS];
        if (saying->payload_len > 0 && !saying->told) {
            c.broken++;
            finding("BROKEN", "pushed data weren't told");
            return;
        }
    }
    c.pushed++;
}

static void try_client(void)
{
    size_t len = 1 + pick_of(NET_TCP_MAX);
    uint32_t from = rig.witness.sayings, before = surprises();

    rig.traced = 0;
    set_modes();
    hostile_bytes(&dice, hostile[0], len);
    (void)network_say(virtual_net(rig.vm), 0, hostile[0], len);
    if (rig.vm->settings[BC26_SETTING_ACCESS_MODE] == BC26_ACCESS_MODE_PUSH) {
        rig_drain(&rig);
        heard_all(from);
    } else {
        rig_drain(&rig);
        read_all();
        rig_drain(&rig);
    }
    if (surprises() != before) {
        c.forged++;
        finding("FORGED", rig.witness.what);
    }
}

static bool try_payloads(void)
{
    for (unsigned long i = 0; i < c.payloads; i++) {
        if (i % 2 == 0 && i % SESSION == 0) {
            rig_close(&rig);
            if (!open_rig("chunks=0.7"))
                return false;
        }
        if (i % 2 == 0)
            try_client();
        else
            try_stream();
        show_progress("payloads", i + 1, c.payloads);
    }
    return true;
}

/* ---- options ------------------------------------------------------------------------------ */

static const char help[] =
    "usage: injection [--arguments N] [--payloads N] [--seed N]\n"
    "\n"
    "Hostile arguments and forged payloads, in every mode. Exit status 1 if one\n"
    "became a command or an event, or didn't come through as it was.\n";

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "arguments", required_argument, NULL, 'a' }, { "payloads", required_argument, NULL, 'p' },
        { "seed", required_argument, NULL, 's' },      { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    c.arguments = c.payloads = 2000;
    c.seed = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        char *end = NULL;
        unsigned long value = optarg != NULL ? strtoul(optarg, &end, 10) : 0;
        if (option == 'a')
            c.arguments = value;
        else if (option == 'p')
            c.payloads = value;
        else if (option == 's')
            c.seed = value;
        if (option == 'h' || option == '?' || end == optarg || *end != '\0') {
            (void)fputs(help, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    fault_dice_init(&dice, (uint32_t)c.seed);
    picker_init(&picker, (uint32_t)c.seed);
    if (!try_arguments() || !try_payloads()) {
        (void)fputs("injection: the module could not be set up\n", stderr);
        return 2;
    }
    rig_close(&rig);
    (void)printf("seed %lu\n"
                 "arguments %lu: carried as they were %lu, refused %lu, injected lines %lu\n"
                 "payloads %lu: by the stream %lu, read %lu, pushed %lu; forged events %lu, "
                 "not as they were %lu\n",
                 c.seed, c.arguments, c.carried, c.refused, c.injected, c.payloads, c.streamed,
                 c.read, c.pushed, c.forged, c.broken);
    return c.injected + c.forged + c.broken == 0 ? 0 : 1;
}

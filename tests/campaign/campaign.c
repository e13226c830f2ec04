/*
 * Transactions of all forms through a faulty line, each judged.
 *
 * What is WRONG. A success, AT_E_ERROR and AT_E_FAIL claim to be the module's
 * answer; witness.h says when they are. An outcome that isn't is wrong - unless
 * bytes of what it rests on were harmed, which nobody can tell who sees only
 * the line: "3" may have been "7". The line knows where it did harm, so
 * outcomes fall into
 *
 *   right     what the module answered, with the data as they were, in time
 *   explicit  an error that claims nothing: a timeout, a restart, ...
 *   harmed    otherwise than the module answered; but harmed bytes arrived at the host
 *             while the call was under way, or at the module since both sides last
 *             agreed: there a CR more makes two commands of one, which answer twice
 *   doubted   not judged: bytes were harmed of data, or of a line that announces
 *             them. So one side counts what the other doesn't, and payload may
 *             have been read as lines, or lines as payload, until a call on a
 *             healthy line is answered rightly. Likewise while a setting is another than
 *             the host was told, as the line that told it or set it was harmed.
 *   WRONG     otherwise, with no such excuse
 *   HANG      not ended at its deadline: that of its form, before it that of
 *             what the client may send on its own account; from the last data on
 *
 * Calls come in bursts, each in a weather of its own; some are given up midway. After a burst the line is
 * healthy (what is late still comes), and a call that asks has to be answered
 * rightly, at the last on the MOST_TRIES-th time: or it is UNRECOVERED. The same holds of
 * URCs and of pushed data: told as they were said, and no more often.
 */
#define _GNU_SOURCE 1

#include "rig.h"
#include "unit/members.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SESSION = 250, BURST = 10, MOST_TRIES = 5, FORMS_MAX = 128 };

enum fate { IS_RIGHT, IS_EXPLICIT, IS_HARMED, IS_DOUBTED, IS_WRONG, IS_HANG, FATES };

static const char *const fates[FATES] = { "right", "explicit", "harmed", "doubted", "WRONG",
                                          "HANG" };

/* What the weather is when none is asked for. */
static const char *const weathers[] = {
    "chunks=0.5,delay=0.2",
    "late=0.1,chunks=0.2",
    "late=0.3,delay=0.3,foreign=0.1",
    "swap=0.5,delay=0.2",
    "foreign=0.4,chunks=0.3",
    "missing=0.5,sendonly=0.5",
    "quirks=0.4",
    "quirks=0.2,swap=0.2,missing=0.2,foreign=0.2,chunks=0.3,late=0.03",
    "sleep=0.3",
    "reboot=0.15,rdy=0.3",
    "reboot=0.1,sleep=0.1,late=0.1",
    "lost=0.002", "doubled=0.002", "flipped=0.002", "inserted=0.002", "noise=0.2",
    "bytes=0.0005,quirks=0.1,chunks=0.2",
    "bytes=0.01",
    "all=0.01",
};

static struct campaign {
    unsigned long count, seed, only;
    bool one, show;             /* --session: one, with its trace */
    const char *words;          /* --fault; NULL: the weathers */
    unsigned long done, unrecovered, false_urcs;
    unsigned long tries[MOST_TRIES + 1];
    unsigned long fate[FORMS_MAX][FATES];
    unsigned long statuses[32];
    uint64_t faults[FAULT_KINDS];
    uint32_t session;           /* its seed */
    unsigned long number;       /* and its number */
    bool doubt;
    struct fault_harm clean;    /* when it was last known that both sides agree */
    struct picker picker;
    union value request;
    unsigned findings;
} c;

static struct rig rig;

/* ---- which call ------------------------------------------------------------- */

/* Those that move data, more often than the others. */
static const uint16_t busy_forms[] = {
    BC26_FORM_QIOPEN, BC26_FORM_QIRD, BC26_FORM_QIRD, BC26_FORM_QISEND_INLINE,
    BC26_FORM_QISEND_STREAM, BC26_FORM_QISEND_FIXED, BC26_FORM_QISENDEX,
};

/* At times the same again, whose late answer would fit. */
static const struct at_form *pick_form(void)
{
    if (rig.call.form != NULL && fault_pick(&rig.dice, 4) == 0)
        return rig.call.form;
    if (fault_pick(&rig.dice, 2) == 0)
        return &bc26.forms[busy_forms[fault_pick(&rig.dice, sizeof busy_forms / sizeof *busy_forms)]];
    return &bc26.forms[fault_pick(&rig.dice, bc26.nforms)];
}

/* Mostly a socket that is open; to be opened, one that is free. */
static int32_t pick_socket(bool free)
{
    int32_t id = (int32_t)fault_pick(&rig.dice, NET_SOCKETS);

    for (int i = 0; i < NET_SOCKETS; i++, id = (id + 1) % NET_SOCKETS)
        if (net_state(virtual_net(rig.vm), (int)id) == (free ? NET_FREE : NET_OPEN))
            return id;
    return id;
}

static void favour_sockets(const struct at_form *form)
{
    bool free = form->id == BC26_FORM_QIOPEN;
    int32_t id = pick_socket(free || (form->id == BC26_FORM_QICLOSE && fault_pick(&rig.dice, 2)));

    for (unsigned i = 0; i < form->nfields; i++) {
        const struct at_field *field = &form->fields[i];
        if (field->offset != AT_NO_MEMBER && fault_pick(&rig.dice, 4) != 0 &&
            strcmp(bc26.params[field->param].name, "connectID") == 0)
            memcpy(member_of(field, &c.request), &id, sizeof id);
    }
}

static const struct at_form *pick_call(void)
{
    const struct at_form *form = pick_form();
    uint8_t depth = (uint8_t)fault_pick(&rig.dice, group_depth(form->fields, form->nfields) + 1u);
    uint8_t settings[BC26_SETTINGS];

    memcpy(settings, rig.vm->settings, sizeof settings);
    pick_request(&c.picker, &bc26, form, settings, depth, &c.request);
    favour_sockets(form);
    return form;
}

/* ---- findings ------------------------------------------------------------------ */

static void report(const char *what, const struct at_form *form, const char *why)
{
    c.findings++;
    (void)fprintf(stderr, "\n%s: %s.%s: %s\n  campaign --seed %lu --session %lu --count %lu%s%s\n",
                  what, form->command, form->name, why, c.seed, c.number, c.count,
                  c.words != NULL ? " --fault " : "", c.words != NULL ? c.words : "");
    if (c.show || c.findings <= 3)
        rig_print_trace(&rig, stderr);
}

static bool same_harm(const struct fault_harm *a, const struct fault_harm *b)
{
    return a->to_module == b->to_module && a->to_host == b->to_host;
}

/* ---- calls ---------------------------------------------------------------------- */

static enum fate judge(bool touched)
{
    enum verdict verdict = witness_judge(&rig.witness, &rig.call, rig.settings);
    bool accused = rig.witness.what[0] != '\0';

    if (c.doubt)
        return IS_DOUBTED;
    if (verdict == WRONG || accused)
        return touched ? IS_HARMED : IS_WRONG;
    return verdict == RIGHT ? IS_RIGHT : IS_EXPLICIT;
}

/* The application thinks better of it, at any time. */
static void cancel(void)
{
    for (uint32_t n = fault_pick(&rig.dice, 30); n > 0 && !rig.done; n--)
        (void)rig_step(&rig, UINT32_MAX - 1u);
    at_client_cancel(&rig.client);
}

/* Holds one transaction, whatever comes of it. */
static enum fate hold(const struct at_form *form, const void *request, bool canceled)
{
    struct fault_harm before = fault_line_harm(rig.line);

    rig_note(&rig, "== %s.%s", form->command, form->name);
    int status = rig_start(&rig, form, request);
    if (status != AT_OK) {
        rig.call.status = status;
        rig.done = true;
    }
    if (canceled && !rig.done)
        cancel();
    bool ended = rig_finish(&rig);
    struct fault_harm after = fault_line_harm(rig.line);
    bool touched = after.to_host != before.to_host || after.to_module != c.clean.to_module;
    c.doubt |= after.framing != c.clean.framing;
    enum fate fate = ended ? judge(touched) : IS_HANG;
    rig_note(&rig, "== status %d, %s%s %s", rig.call.status, fates[fate], c.doubt ? " (doubt)" : "",
             rig.witness.what);
    if (fate >= IS_WRONG)
        report(fates[fate], form, fate == IS_HANG ? "not ended in time" : rig.witness.what);
    return fate;
}

static void transact(void)
{
    const struct at_form *form = pick_call();
    enum fate fate = hold(form, &c.request, fault_pick(&rig.dice, 15) == 0);

    c.fate[form->id][fate]++;
    if (rig.call.status < 0)
        c.statuses[-rig.call.status]++;
    c.done++;
}

/* ---- recovery --------------------------------------------------------------------- */

static bool settings_agree(void)
{
    for (unsigned i = 0; i < BC26_SETTINGS; i++)
        if (rig.settings[i] != AT_UNKNOWN && rig.settings[i] != rig.vm->settings[i])
            return false;
    return true;
}

/* A setting that the host has wrong, and no line tells it: with harmed bytes that may
 * be, otherwise it mustn't. An application would open the port anew. */
static void compare_settings(const struct at_form *form)
{
    struct fault_harm now = fault_line_harm(rig.line);

    if (!settings_agree()) {
        if (same_harm(&now, &c.clean)) {
            c.fate[form->id][IS_WRONG]++;
            report(fates[IS_WRONG], form, "the host has a setting that isn't the module's");
        }
        at_client_reset(&rig.client);
    }
    c.clean = now;
    c.doubt = false;
}

static void recover(void)
{
    static const uint16_t asking[] = { BC26_FORM_QIGETERROR_EXECUTE, BC26_FORM_QISTATE_READ,
                                       BC26_FORM_CMEE_READ };
    const struct at_form *form = &bc26.forms[asking[fault_pick(&rig.dice, 3)]];
    const struct fault_plan healthy = { { 0 }, 0, false };
    unsigned tries = 0;

    fault_line_rates(rig.line, &healthy);
    if (c.doubt || fault_pick(&rig.dice, 2) == 0)
        rig_drain(&rig);
    while (tries < MOST_TRIES) {
        tries++;
        enum fate fate = hold(form, NULL, false);
        if (fate == IS_WRONG || fate == IS_HANG)
            c.fate[form->id][fate]++;
        bool right = rig.call.status >= 0 &&
                     witness_judge(&rig.witness, &rig.call, rig.settings) == RIGHT &&
                     rig.witness.what[0] == '\0';
        if (right)
            break;
        if (tries == MOST_TRIES) {
            c.unrecovered++;
            report("UNRECOVERED", form, rig.witness.what);
            at_client_reset(&rig.client);
            tries = 0;
            break;
        }
    }
    c.tries[tries]++;
    rig_drain(&rig);
    compare_settings(form);
}

/* ---- bursts and sessions ------------------------------------------------------------- */

static void set_weather(void)
{
    struct fault_plan plan = { { 0 }, 0, false };
    const char *words = c.words != NULL
                            ? c.words
                            : weathers[fault_pick(&rig.dice, sizeof weathers / sizeof *weathers)];
    char why[1024];

    if (!fault_read(words, &plan, why, sizeof why)) {
        (void)fprintf(stderr, "campaign: --fault: %s\n", why);
        exit(2);
    }
    rig_note(&rig, "== weather %s", words);
    fault_line_rates(rig.line, &plan);
}

static void burst(unsigned long most)
{
    unsigned long n = fault_pick(&rig.dice, 2) == 0 ? 1 : 1 + fault_pick(&rig.dice, BURST);

    rig.traced = 0;
    set_weather();
    for (n = n < most ? n : most; n > 0; n--)
        transact();
    recover();
}

static void show_progress(void)
{
    static time_t last;

    if (!isatty(STDERR_FILENO) || (time(NULL) == last && c.done < c.count))
        return;
    last = time(NULL);
    (void)fprintf(stderr, "\rseed %lu: %lu of %lu transactions, %u findings", c.seed, c.done,
                  c.count, c.findings);
    if (c.done >= c.count)
        (void)fputs("\r\033[K", stderr);
}

static bool session(unsigned long number, unsigned long most)
{
    static const char *const firmwares[] = { NULL, NULL, NULL, "V1.0", "BC26NBR01A06" };
    uint32_t seed = (uint32_t)(c.seed * 1000003u + number);
    struct rig_options options = { .seed = seed, .firmware = firmwares[number % 5] };

    options.plan.seed = seed;
    if (!rig_open(&rig, &options))
        return false;
    rig.busy = true;
    picker_init(&c.picker, seed);
    c.number = number;
    c.doubt = false;
    c.clean = fault_line_harm(rig.line);
    for (unsigned long end = c.done + most; c.done < end;) {
        burst(end - c.done);
        show_progress();
    }
    for (int i = 0; i < FAULT_KINDS; i++)
        c.faults[i] += fault_line_counts(rig.line)[i];
    rig_close(&rig);
    return true;
}

static bool run(void)
{
    for (unsigned long number = 0; c.done < c.count; number++) {
        unsigned long left = c.count - c.done, most = left < SESSION ? left : SESSION;
        if (c.one && number == c.only)
            return session(number, most);
        if (c.one)
            c.count -= most;
        else if (!session(number, most))
            return false;
    }
    return true;
}

/* ---- the table ---------------------------------------------------------------------------- */

static unsigned long total(enum fate fate)
{
    unsigned long n = 0;

    for (unsigned i = 0; i < bc26.nforms; i++)
        n += c.fate[i][fate];
    return n;
}

static void print_table(void)
{
    (void)printf("seed %lu: %lu transactions\n\n%-24s", c.seed, c.done, "form");
    for (int i = 0; i < FATES; i++)
        (void)printf("%10s", fates[i]);
    for (unsigned f = 0; f < bc26.nforms; f++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.%s", bc26.forms[f].command, bc26.forms[f].name);
        (void)printf("\n%-24s", name);
        for (int i = 0; i < FATES; i++)
            (void)printf("%10lu", c.fate[f][i]);
    }
    (void)printf("\n%-24s", "all");
    for (int i = 0; i < FATES; i++)
        (void)printf("%10lu", total((enum fate)i));
    (void)printf("\n\nfaults:");
    for (int i = 0; i < FAULT_KINDS; i++)
        (void)printf(" %s %llu", fault_infos[i].name, (unsigned long long)c.faults[i]);
    (void)printf("\nerrors by at_status:");
    for (int i = 1; i < 16; i++)
        (void)printf(" -%d: %lu", i, c.statuses[i]);
    (void)printf("\nanswered again on the healthy line: at once %lu", c.tries[1]);
    for (int i = 2; i <= MOST_TRIES; i++)
        (void)printf(", %d. time %lu", i, c.tries[i]);
    (void)printf("\n\nwrong %lu, hangs %lu, unrecovered %lu\n", total(IS_WRONG), total(IS_HANG),
                 c.unrecovered);
}

/* ---- options ------------------------------------------------------------------------------- */

static const char help[] =
    "usage: campaign [--count N] [--seed N] [--fault SPEC] [--session N]\n"
    "\n"
    "Holds transactions of all forms against the virtual module through a faulty\n"
    "line, in virtual time, and judges each. Exit status 1 if one was wrong.\n"
    "\n"
    "  --count N    transactions (2000)\n"
    "  --seed N     of everything that is random (1)\n"
    "  --fault SPEC NAME=RATE,... in place of weathers that change: bc26 sim --fault help\n"
    "  --session N  this session alone, with the trace of every finding\n";

static unsigned long number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0') {
        (void)fprintf(stderr, "campaign: '%s' is no number\n", text);
        exit(2);
    }
    return value;
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "count", required_argument, NULL, 'c' }, { "seed", required_argument, NULL, 's' },
        { "fault", required_argument, NULL, 'f' }, { "session", required_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
    };
    int option;

    c.count = 2000;
    c.seed = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'c')
            c.count = number(optarg);
        else if (option == 's')
            c.seed = number(optarg);
        else if (option == 'f')
            c.words = optarg;
        else if (option == 'o') {
            c.only = number(optarg);
            c.one = c.show = true;
        } else {
            (void)fputs(help, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (!run()) {
        (void)fputs("campaign: there is not enough memory\n", stderr);
        return 2;
    }
    print_table();
    return total(IS_WRONG) + total(IS_HANG) + c.unrecovered == 0 ? 0 : 1;
}

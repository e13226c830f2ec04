/* `ping`, `ntp` and `dns`: what a module asks of the network without a socket.
 * Their arguments are those of the manual's commands, so tables say which option
 * gives which parameter; what is allowed comes from the descriptors. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "print.h"
#include "request.h"
#include "work.h"

enum { ARGUMENTS_MAX = 5, TEXT_MAX = 512, GO_ON = -1 };

/* There is no other at present. */
#define CONTEXT "1"

struct job;

struct argument {
    int letter;         /* of the option; 0: the operand */
    const char *shown;  /* in --help */
    const char *param;  /* of the form; NULL: `doc` says what it does */
    const char *value;  /* of an option that takes none */
    const char *doc;
};

struct service {
    const char *usage;
    const char *about;
    uint16_t form;
    const char *letters;
    const struct option *names;
    struct argument arguments[ARGUMENTS_MAX]; /* until one that isn't shown */
    int (*run)(struct job *);
};

struct job {
    struct work work; /* first */
    const struct tool *tool;
    const struct service *service;
    const char *given[ARGUMENTS_MAX]; /* texts of the arguments, or NULL */
    struct request request;
    char what[TEXT_MAX];              /* for messages: `ping example.com` */
};

static struct at_client *client_of(struct job *job)
{
    return &job->work.channel.client;
}

static int fail(struct job *job, int status, int32_t error)
{
    return work_failed(&job->work, job->what, status, error);
}

static const void *request_of(const struct request *request)
{
    return request->value.bytes;
}

/* Help -------------------------------------------------------------------------- */

static void print_doc(const struct at_field *field, const struct at_manual_param *manual)
{
    const struct at_param *param = &bc26.params[field->param];
    printf("%s", manual->doc);
    if (param->kind->type == AT_INT && manual->nvalues == 0) {
        printf(", %ld to %lu%s%s", (long)param->kind->min, (unsigned long)param->kind->max,
               manual->unit[0] != '\0' ? " " : "", manual->unit);
    }
    if (field->has != 0 && manual->left_out[0] != '\0') {
        printf("; %s unless given", manual->left_out);
    }
    putchar('\n');
}

static void print_argument(const struct at_form *form, const struct argument *argument)
{
    printf("  %-18s ", argument->shown);
    if (argument->doc != NULL) {
        printf("%s\n", argument->doc);
        return;
    }
    for (uint8_t i = 0; i < form->nfields; i++) {
        if (strcmp(bc26.params[form->fields[i].param].name, argument->param) == 0) {
            print_doc(&form->fields[i], bc26_manual.forms[form->id].params[i]);
        }
    }
}

static int print_help(const struct tool *tool, const struct service *service)
{
    printf("usage: %s --port PATH|HOST:PORT %s\n\n%s\n", tool->name, service->usage,
           service->about);
    for (const struct argument *a = service->arguments; a->shown != NULL; a++) {
        print_argument(&bc26.forms[service->form], a);
    }
    return TOOL_DONE;
}

/* Arguments --------------------------------------------------------------------- */

static void keep(struct job *job, int letter, const char *text)
{
    const struct argument *arguments = job->service->arguments;
    for (int i = 0; arguments[i].shown != NULL; i++) {
        if (arguments[i].letter == letter) {
            job->given[i] = arguments[i].value != NULL ? arguments[i].value : text;
        }
    }
}

/* The text of the option or operand; NULL: not given. */
static const char *given(const struct job *job, int letter)
{
    const struct argument *arguments = job->service->arguments;
    for (int i = 0; arguments[i].shown != NULL; i++) {
        if (arguments[i].letter == letter) {
            return job->given[i];
        }
    }
    return NULL;
}

/* GO_ON, or the exit status. */
static int read_arguments(struct job *job, int argc, char **argv)
{
    const struct tool *tool = job->tool;
    const struct service *service = job->service;
    int letter;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, service->letters, service->names, NULL)) != -1) {
        if (letter == 'h') {
            return print_help(tool, service);
        }
        if (letter == ':' || letter == '?') {
            return tool_usage(tool, letter == ':' ? "%s: %s lacks its value; see %s %s --help"
                                                  : "%s: no option '%s'; see %s %s --help",
                              argv[0], argv[optind - 1], tool->name, argv[0]);
        }
        keep(job, letter, optarg);
    }
    if (optind + 1 != argc) {
        return tool_usage(tool, optind == argc ? "%s lacks its %s; see %s %s --help"
                                               : "%s takes one %s; see %s %s --help",
                          argv[0], service->arguments[0].shown, tool->name, argv[0]);
    }
    keep(job, 0, argv[optind]);
    snprintf(job->what, sizeof job->what, "%s %.255s", argv[0], argv[optind]);
    return GO_ON;
}

/* What the module is to be told for a parameter; NULL: it's left out. */
static const char *text_of(const struct job *job, const char *param)
{
    const struct argument *arguments = job->service->arguments;
    if (strcmp(param, "contextID") == 0) {
        return CONTEXT;
    }
    for (int i = 0; arguments[i].shown != NULL; i++) {
        if (arguments[i].param != NULL && strcmp(arguments[i].param, param) == 0) {
            return job->given[i];
        }
    }
    return NULL;
}

/* NAME=VALUE of one form, as request_parse takes them. */
struct words {
    char text[AT_FIELDS_MAX][TEXT_MAX];
    char *argv[AT_FIELDS_MAX];
    int argc;
    bool fit;
};

static void add(struct words *words, const char *left, const char *sign, const char *right)
{
    char *text = words->text[words->argc];
    int len = snprintf(text, TEXT_MAX, "%s%s%s", left, sign, right);
    words->fit = words->fit && len < TEXT_MAX;
    words->argv[words->argc++] = text;
}

/* What is left out before something that's given has to be told too. */
static void choose_words(const struct job *job, const struct at_form *form, struct words *words)
{
    const struct at_manual_param *const *manual = bc26_manual.forms[form->id].params;
    uint8_t end = 0;
    add(words, form->command, ".", form->name);
    for (uint8_t i = 0; i < form->nfields; i++) {
        end = text_of(job, bc26.params[form->fields[i].param].name) != NULL ? i : end;
    }
    for (uint8_t i = 0; i <= end; i++) {
        const char *name = bc26.params[form->fields[i].param].name;
        const char *text = text_of(job, name);
        add(words, name, "=", text != NULL ? text : manual[i]->left_out);
    }
}

static int parse(struct job *job, struct words *words, struct request *request)
{
    static const struct request_label labels[] = {
        {"host", "HOST"},           {"ping_num", "-c"},
        {"ping_size", "-s"},        {"time_out", "-W"},
        {"server", "SERVER"},       {"hostname", "NAME"},
        {"pridnsaddr", "--server"}, {"secdnsaddr", "--server"},
        {NULL, NULL},
    };
    request->tool = job->tool;
    request->labels = labels;
    int status = words->fit ? request_parse(request, words->argc, words->argv)
                            : tool_usage(job->tool, "%s: an argument is too long", job->what);
    status = status == TOOL_DONE ? request_check(request) : status;
    if (status == TOOL_DONE) {
        return TOOL_DONE;
    }
    return tool_usage(job->tool, "see %s %.*s --help", job->tool->name,
                      (int)strcspn(job->service->usage, " "), job->service->usage);
}

static int make_request(struct job *job)
{
    static struct words words;
    words.fit = true;
    choose_words(job, &bc26.forms[job->service->form], &words);
    return parse(job, &words, &job->request);
}

static int serve(const struct tool *tool, const struct service *service, int argc, char **argv)
{
    static struct job job;
    job.tool = tool;
    job.service = service;
    int status = read_arguments(&job, argc, argv);
    if (status != GO_ON) {
        return status;
    }
    status = make_request(&job);
    return status == TOOL_DONE ? service->run(&job) : status;
}

/* ping -------------------------------------------------------------------------- */

/* The manual allows ten requests; a line for each, and one for the whole. */
enum { PING_LINES = 16 };

struct ping {
    struct at_call call;
    struct bc26_qping_result lines[PING_LINES];
    struct bc26_qping_summary_result summary;
    unsigned asked; /* replies that may come */
    unsigned shown;
    unsigned received;
    bool ended;
};

static void on_ended(void *ctx, struct at_call *call)
{
    (void)call;
    ((struct ping *)ctx)->ended = true;
}

static bool has_summary(const struct ping *p)
{
    return p->call.sinks[1].count > 0;
}

/* Where no summary comes the last line may be the fate of the whole: one beyond those
 * that were asked for, or a code with which it ended. */
static unsigned replies(const struct ping *p)
{
    unsigned n = p->call.sinks[0].count;
    if (p->ended && p->call.status == AT_E_FAIL && !has_summary(p) && n > 0) {
        n--;
    }
    return n < p->asked ? n : p->asked;
}

static void print_code(FILE *out, int32_t code)
{
    const char *meaning = bc26_error_text(code);
    fprintf(out, "%s (%ld)", meaning != NULL ? meaning : "error", (long)code);
}

static void print_reply(const struct bc26_qping_result *line)
{
    if (line->result != BC26_ERROR_SUCCESS) {
        fputs("no reply: ", stdout);
        print_code(stdout, line->result);
    } else if (line->has_ip_address) {
        printf("%ld bytes from %.*s: time=%ld ms ttl=%ld", (long)line->bytes,
               (int)line->ip_address.len, line->ip_address.ptr, (long)line->time,
               (long)line->ttl);
    } else {
        fputs("a reply", stdout);
    }
    putchar('\n');
}

static void show_replies(struct ping *p)
{
    for (; p->shown < replies(p); p->shown++) {
        const struct bc26_qping_result *line = &p->lines[p->shown];
        print_reply(line);
        p->received += line->result == BC26_ERROR_SUCCESS;
    }
    fflush(stdout);
}

static void wait_for_ping(struct job *job, struct ping *p)
{
    struct at_client *client = client_of(job);
    while (!p->ended) {
        uint32_t wait = at_client_poll(client);
        if (!p->ended) {
            (void)at_client_wait(client, wait); /* should the port fail, the call has ended */
        }
        show_replies(p);
    }
}

static void print_summary(const struct job *job, const struct ping *p)
{
    const struct bc26_qping_summary_result *s = &p->summary;
    long sent = has_summary(p) && s->has_sent ? (long)s->sent : (long)p->shown;
    long received = has_summary(p) && s->has_rcvd ? (long)s->rcvd : (long)p->received;
    long lost = has_summary(p) && s->has_lost ? (long)s->lost : sent - received;
    printf("--- %s\n%ld sent, %ld received, %ld lost\n", job->what, sent, received, lost);
    if (has_summary(p) && s->has_avg) {
        printf("round trip min/avg/max = %ld/%ld/%ld ms\n", (long)s->min, (long)s->avg,
               (long)s->max);
    }
}

/* A ping that was cut short tells nothing, but one that ended may have ended in many ways. */
static bool has_outcome(const struct ping *p)
{
    int status = p->call.status;
    bool took_place = status == AT_E_FAIL || status == AT_E_TIMEOUT || status == AT_E_SPACE;
    return status >= 0 || (took_place && (p->shown > 0 || has_summary(p)));
}

static int conclude_ping(struct job *job, struct ping *p)
{
    if (!has_outcome(p)) {
        return fail(job, p->call.status, p->call.error);
    }
    print_summary(job, p);
    if (p->call.status == AT_E_TIMEOUT) {
        fprintf(stderr, "%s: %s: the module told no summary\n", job->tool->name, job->what);
    }
    if (p->received > 0) {
        return TOOL_DONE;
    }
    return fail(job, AT_E_FAIL, p->call.error > 0 ? p->call.error : BC26_ERROR_TIMEOUT);
}

static int run_ping(struct job *job)
{
    static struct ping ping;
    const struct bc26_qping *request = request_of(&job->request);
    int status = work_begin(&job->work, job->tool, NULL);
    if (status != TOOL_DONE) {
        return status;
    }
    ping.asked = (unsigned)(request->has_ping_num ? request->ping_num
                                                  : job->request.form->rare->then[0].count_default);
    ping.call.done = on_ended;
    ping.call.ctx = &ping;
    status = bc26_qping_start(client_of(job), &ping.call, request, ping.lines, PING_LINES,
                              &ping.summary);
    if (status == AT_OK) {
        wait_for_ping(job, &ping);
        status = conclude_ping(job, &ping);
    } else {
        status = fail(job, status, -1);
    }
    work_end(&job->work);
    return tool_printed(job->tool, status);
}

int bc26_ping_command(const struct tool *tool, int argc, char **argv)
{
    static const struct option names[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    static const struct service service = {
        .usage = "ping [-c COUNT] [-s SIZE] [-W SECONDS] HOST",
        .about = "Pings a host from the module: a line for each request once its reply has come,\n"
                 "or hasn't, and a summary.\n"
                 "Exit status: 0 at least one reply came, 1 none, 2 usage.\n",
        .form = BC26_FORM_QPING,
        .letters = ":hc:s:W:",
        .names = names,
        .arguments = {
            {0, "HOST", "host", NULL, NULL},
            {'c', "-c COUNT", "ping_num", NULL, NULL},
            {'s', "-s SIZE", "ping_size", NULL, NULL},
            {'W', "-W SECONDS", "time_out", NULL, NULL},
        },
        .run = run_ping,
    };
    return serve(tool, &service, argc, argv);
}

/* ntp --------------------------------------------------------------------------- */

struct stamp {
    int year, month, day, hour, minute, second;
    int zone; /* quarter hours east of Greenwich */
};

static bool between(int value, int min, int max)
{
    return value >= min && value <= max;
}

static bool is_plausible(const struct stamp *t)
{
    return (between(t->year, 0, 99) || between(t->year, 1970, 9999)) &&
           between(t->month, 1, 12) && between(t->day, 1, 31) && between(t->hour, 0, 23) &&
           between(t->minute, 0, 59) && between(t->second, 0, 60) && between(t->zone, -96, 96);
}

/* A number of so many digits at most, and the sign behind it. */
static const char *take(const char *at, size_t digits, char sign, int *value)
{
    size_t n = at != NULL ? strspn(at, "0123456789") : 0;
    if (n == 0 || n > digits || at[n] != sign) {
        return NULL;
    }
    *value = (int)strtol(at, NULL, 10);
    return at + n + (sign != '\0');
}

/* YY/MM/DD,hh:mm:ss and a zone with its sign, and nothing behind it. */
static bool parse_stamp(struct at_str text, struct stamp *t)
{
    char line[64];
    if (text.len >= sizeof line) {
        return false;
    }
    memcpy(line, text.ptr, text.len);
    line[text.len] = '\0';
    char sign = strchr(line, '-') != NULL ? '-' : '+';
    const char *at = take(line, 4, '/', &t->year);
    at = take(at, 2, '/', &t->month);
    at = take(at, 2, ',', &t->day);
    at = take(at, 2, ':', &t->hour);
    at = take(at, 2, ':', &t->minute);
    at = take(at, 2, sign, &t->second);
    at = take(at, 2, '\0', &t->zone);
    if (at == NULL || !is_plausible(t)) {
        return false;
    }
    t->year += t->year < 100 ? 2000 : 0;
    t->zone = sign == '-' ? -t->zone : t->zone;
    return true;
}

/* A time in no known form is still the answer, so it's printed as it came. */
static void print_answer(const struct tool *tool, struct at_str text)
{
    struct stamp t;
    if (!parse_stamp(text, &t)) {
        printf("%.*s\n", (int)text.len, text.ptr);
        fprintf(stderr, "%s: the module's time isn't YY/MM/DD,hh:mm:ss and a zone; it stands as "
                "it came\n", tool->name);
        return;
    }
    int zone = t.zone < 0 ? -t.zone : t.zone;
    printf("%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d\n", t.year, t.month, t.day, t.hour, t.minute,
           t.second, t.zone < 0 ? '-' : '+', zone / 4, zone % 4 * 15);
}

static int run_ntp(struct job *job)
{
    struct bc26_qntp_result answer;
    int status = work_begin(&job->work, job->tool, NULL);
    if (status != TOOL_DONE) {
        return status;
    }
    int n = bc26_qntp(client_of(job), request_of(&job->request), &answer);
    if (n == 1 && answer.has_time) {
        print_answer(job->tool, answer.time);
    } else {
        status = fail(job, n < 0 ? n : AT_E_ANSWER, client_of(job)->error);
    }
    work_end(&job->work);
    return tool_printed(job->tool, status);
}

int bc26_ntp_command(const struct tool *tool, int argc, char **argv)
{
    static const struct option names[] = {
        {"set-clock", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static const struct service service = {
        .usage = "ntp [--set-clock] SERVER",
        .about = "Asks a server for the time, and prints it as ISO 8601:\n"
                 "2026-11-22T21:30:05+08:00. A time that can't be read so is printed as the\n"
                 "module gave it, with a message to stderr.\n"
                 "Exit status: 0 a time came, 1 none, 2 usage.\n",
        .form = BC26_FORM_QNTP,
        .letters = ":h",
        .names = names,
        .arguments = {
            {0, "SERVER", "server", NULL, NULL},
            {'s', "--set-clock", "autosettime", "1", "Set the module's clock too"},
        },
        .run = run_ntp,
    };
    return serve(tool, &service, argc, argv);
}

/* dns --------------------------------------------------------------------------- */

enum { ADDRESSES_MAX = 255 };

/* IP[,IP] into a request of its own. */
static int choose_servers(struct job *job, const char *servers, struct request *request)
{
    static struct words words;
    const struct at_form *form = &bc26.forms[BC26_FORM_QIDNSCFG];
    char first[TEXT_MAX];
    size_t len = strcspn(servers, ",");
    words.fit = len < sizeof first;
    snprintf(first, sizeof first, "%.*s", (int)(words.fit ? len : 0), servers);
    add(&words, form->command, ".", form->name);
    add(&words, "contextID", "=", CONTEXT);
    add(&words, "pridnsaddr", "=", first);
    if (servers[len] == ',') {
        add(&words, "secdnsaddr", "=", servers + len + 1);
    }
    return parse(job, &words, request);
}

static int resolve(struct job *job)
{
    static struct bc26_dnsgip_address_urc addresses[ADDRESSES_MAX];
    struct bc26_dnsgip_urc header = {0};
    struct at_client *client = client_of(job);
    int status = bc26_qidnsgip(client, request_of(&job->request), &header, addresses,
                               ADDRESSES_MAX);
    int count = 0;
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        struct at_str address = addresses[i].host_ip_addr;
        if (address.len > 0) {
            printf("%.*s\n", (int)address.len, address.ptr);
            count++;
        }
    }
    if (count < header.ip_count) {
        fprintf(stderr, "%s: %s: the module announced %ld addresses; %d came\n", job->tool->name,
                job->what, (long)header.ip_count, count);
    }
    return status < 0 ? fail(job, status, client->error) : TOOL_DONE;
}

static int run_dns(struct job *job)
{
    static struct request servers;
    const char *chosen = given(job, 's');
    int status = chosen != NULL ? choose_servers(job, chosen, &servers) : TOOL_DONE;
    status = status == TOOL_DONE ? work_begin(&job->work, job->tool, NULL) : status;
    if (status != TOOL_DONE) {
        return status;
    }
    int n = chosen != NULL ? bc26_qidnscfg(client_of(job), request_of(&servers)) : AT_OK;
    status = n < 0 ? fail(job, n, client_of(job)->error) : resolve(job);
    work_end(&job->work);
    return tool_printed(job->tool, status);
}

int bc26_dns_command(const struct tool *tool, int argc, char **argv)
{
    static const struct option names[] = {
        {"server", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static const struct service service = {
        .usage = "dns [--server IP[,IP]] NAME",
        .about = "Has the module resolve a name, and prints its addresses, one a line.\n"
                 "Exit status: 0 there is one at least, 1 there is none, 2 usage.\n",
        .form = BC26_FORM_QIDNSGIP,
        .letters = ":h",
        .names = names,
        .arguments = {
            {0, "NAME", "hostname", NULL, NULL},
            {'s', "--server IP[,IP]", NULL, NULL,
             "Ask these servers; the module keeps them until it restarts"},
        },
        .run = run_dns,
    };
    return serve(tool, &service, argc, argv);
}

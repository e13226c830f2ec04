/* The command line of `tcp` and `udp`. */
#include "netcat.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

enum { GO_ON = -1, QUIET_SECONDS = 10, QUIET_SECONDS_MAX = 1000000 };

static const char help_tcp[] =
    "\n"
    "What comes on stdin goes to the socket, what comes from the socket to stdout, any\n"
    "bytes. The module can't close one direction alone: after the end of input receiving\n"
    "goes on until the other side closes, or nothing has come for some time (-q).\n";

static const char help_udp[] =
    "\n"
    "Each read from stdin is a datagram: on a terminal a line, otherwise as much as is\n"
    "there, up to --size. The bytes of the datagrams that come go to stdout one after\n"
    "another. It ends when, after the end of input, nothing has come for some time (-q).\n"
    "\n"
    "  --size N           datagrams of at most N bytes, 1 to 1460 (the default); in\n"
    "                     hexadecimal format 1 to 730\n";

static const char help_both[] =
    "  --push             the module sends data on as they come, instead of keeping them\n"
    "                     until they are asked for: nothing holds the sender back then\n"
    "  --format text|hex  how data pass the port, both ways; the module stores it. Without\n"
    "                     it the stored format is left as it is\n"
    "  --local-port N     the module's own port; 0 (the default): any\n"
    "  -4, -6             IPv4 or IPv6, not both; without them the module's default, IPv4\n"
    "  -q SECONDS         after the end of input: close when nothing has come for so long,\n"
    "                     10 by default; 0: at once, without waiting for an answer\n"
    "  --stats            at the end, on stderr: bytes through the socket and on the wire,\n"
    "                     each way, and seconds from opening to the last byte\n"
    "  --help             this text\n";

static int print_help(const struct tool *tool, const struct netcat_arguments *a)
{
    printf("usage: %s --port PATH|HOST:PORT %s [option ...] HOST PORT\n%s%s%s", tool->name,
           a->command, a->udp ? help_udp : help_tcp, a->udp ? "" : "\n", help_both);
    printf("\nWhere stderr is a terminal it shows how far it is. The first SIGINT or SIGTERM\n"
           "closes the socket, the second ends at once.\n\n"
           "Nothing on the line between here and the module is checked: bytes that an overrun\n"
           "port loses can't always be noticed.\n\n"
           "Exit status: 0 %s; 1 not so;\n2 usage; 128 + the signal that ended it.\n",
           a->udp ? "all was sent" : "all was sent, and all that came is on stdout");
    return TOOL_DONE;
}

static int wrong(const struct tool *tool, const struct netcat_arguments *a, const char *format,
                 const char *what)
{
    fprintf(stderr, "%s: %s: ", tool->name, a->command);
    fprintf(stderr, format, what);
    fprintf(stderr, "; see %s %s --help\n", tool->name, a->command);
    return TOOL_USAGE;
}

static bool number(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
    return tool_number(text, max, value) && *value >= min;
}

static int take_format(const struct tool *tool, struct netcat_arguments *a)
{
    bool text = strcmp(optarg, "text") == 0;
    if (!text && strcmp(optarg, "hex") != 0) {
        return wrong(tool, a, "--format takes text or hex, not '%s'", optarg);
    }
    a->format = text ? BC26_DATA_FORMAT_TEXT : BC26_DATA_FORMAT_HEX;
    return GO_ON;
}

static int take_family(const struct tool *tool, struct netcat_arguments *a, int32_t family)
{
    if (a->open.has_protocol_type && a->open.protocol_type != family) {
        return wrong(tool, a, "%s exclude each other", "-4 and -6");
    }
    a->open.has_protocol_type = true;
    a->open.protocol_type = family;
    return GO_ON;
}

static int take_option(const struct tool *tool, struct netcat_arguments *a, int option)
{
    unsigned long value;
    switch (option) {
    case 'p':
        a->open.access_mode = BC26_ACCESS_MODE_PUSH;
        return GO_ON;
    case 'f':
        return take_format(tool, a);
    case 'l':
        if (!number(optarg, 0, 65535, &value)) {
            return wrong(tool, a, "--local-port takes 0 to 65535, not '%s'", optarg);
        }
        a->open.local_port = (int32_t)value;
        return GO_ON;
    case '4':
    case '6':
        return take_family(tool, a, option == '6' ? BC26_PROTOCOL_TYPE_IPV6
                                                  : BC26_PROTOCOL_TYPE_IPV4);
    case 'q':
        if (!number(optarg, 0, QUIET_SECONDS_MAX, &value)) {
            return wrong(tool, a, "-q takes seconds from 0 to 1000000, not '%s'", optarg);
        }
        a->quiet_ms = (uint32_t)value * 1000u;
        return GO_ON;
    case 's':
        if (!a->udp || !number(optarg, 1, NETCAT_DATAGRAM_MAX, &value)) {
            return wrong(tool, a, a->udp ? "--size takes 1 to 1460 bytes, not '%s'"
                                         : "--size is for datagrams", optarg);
        }
        a->size = (size_t)value;
        return GO_ON;
    default:
        a->stats = true;
        return GO_ON;
    }
}

static int read_options(const struct tool *tool, int argc, char **argv,
                        struct netcat_arguments *a)
{
    static const struct option known[] = {
        {"push", no_argument, NULL, 'p'},
        {"format", required_argument, NULL, 'f'},
        {"local-port", required_argument, NULL, 'l'},
        {"size", required_argument, NULL, 's'},
        {"stats", no_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    int status = GO_ON;
    opterr = 0;
    while (status == GO_ON && (option = getopt_long(argc, argv, ":46q:h", known, NULL)) != -1) {
        if (option == 'h') {
            return print_help(tool, a);
        }
        if (option == ':' || option == '?') {
            return wrong(tool, a, option == ':' ? "'%s' lacks its value" : "no option '%s'",
                         argv[optind - 1]);
        }
        status = take_option(tool, a, option);
    }
    return status;
}

/* What the manual allows, before the module is asked. */
static int check(const struct tool *tool, const struct netcat_arguments *a)
{
    static const struct request_label labels[] = {
        {"host", "HOST"},
        {"remote_port", "PORT"},
        {"local_port", "--local-port"},
        {NULL, NULL},
    };
    static struct request request;
    uint8_t settings[BC26_SETTINGS];
    tool_initial_settings(tool->module, settings);
    request.tool = tool;
    request.labels = labels;
    request.settings = settings;
    request.form = &bc26.forms[BC26_FORM_QIOPEN];
    memcpy(request.value.bytes, &a->open, sizeof a->open);
    return request_check(&request) == TOOL_DONE ? GO_ON : TOOL_USAGE;
}

/* HOST and PORT, no less and no more; `count` of them are given. */
static int check_operands(const struct tool *tool, const struct netcat_arguments *a, int count,
                          char **operands)
{
    switch (count) {
    case 0:
        return wrong(tool, a, "%s are missing", "HOST and PORT");
    case 1:
        return wrong(tool, a, strchr(operands[0], ':') != NULL
                                  ? "PORT is missing: '%s' counts as HOST; write them apart"
                                  : "PORT is missing behind '%s'", operands[0]);
    case 2:
        return GO_ON;
    default:
        return wrong(tool, a, "'%s' is too much behind HOST and PORT", operands[2]);
    }
}

int netcat_arguments(const struct tool *tool, int argc, char **argv, struct netcat_arguments *a)
{
    bool udp = strcmp(argv[0], "udp") == 0;
    unsigned long port;
    *a = (struct netcat_arguments){
        .command = argv[0], .udp = udp, .format = -1, .quiet_ms = QUIET_SECONDS * 1000u,
        .open = {
            .context_id = 1,
            .service_type = udp ? BC26_SERVICE_TYPE_UDP : BC26_SERVICE_TYPE_TCP,
            .has_local_port = true,
            .has_access_mode = true, .access_mode = BC26_ACCESS_MODE_BUFFER,
        },
    };
    int status = read_options(tool, argc, argv, a);
    if (status != GO_ON) {
        return status;
    }
    status = check_operands(tool, a, argc - optind, argv + optind);
    if (status != GO_ON) {
        return status;
    }
    if (!number(argv[optind + 1], 1, 65535, &port)) {
        return wrong(tool, a, "'%s' is no port: 1 to 65535", argv[optind + 1]);
    }
    a->open.host = (struct at_str){argv[optind], strlen(argv[optind])};
    a->open.remote_port = (int32_t)port;
    return check(tool, a);
}

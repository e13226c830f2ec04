/* `state`: what a module knows of its sockets, its settings and its DNS servers.
 * What the numbers mean is read from the manual's tables. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "print.h"
#include "work.h"

enum { CONTEXT = 1, ENDPOINT_MAX = 160 };

/* Sockets ----------------------------------------------------------------------- */

struct row {
    char remote[ENDPOINT_MAX + 16];
    char state[PRINT_VALUE_SIZE];
    char mode[PRINT_VALUE_SIZE];
};

/* The manual's page of a field of +QISTATE. */
static const struct at_manual_param *manual_of(const char *name)
{
    for (uint16_t i = 0; i < bc26.nrecords; i++) {
        const struct at_record *record = &bc26.records[i];
        if (record->id != BC26_LINE_QISTATE_RESPONSE) {
            continue;
        }
        for (uint8_t k = 0; k < record->nfields; k++) {
            if (strcmp(bc26.params[record->fields[k].param].name, name) == 0) {
                return bc26_manual.records[i].params[k];
            }
        }
    }
    return NULL;
}

static void fill(struct row *row, const struct bc26_qistate_response *s)
{
    bool bare = memchr(s->host.ptr, ':', s->host.len) == NULL; /* else IPv6 */
    snprintf(row->remote, sizeof row->remote, bare ? "%.*s:%ld" : "[%.*s]:%ld", (int)s->host.len,
             s->host.ptr, (long)s->remote_port);
    print_value(row->state, manual_of("socket_state"), s->socket_state);
    print_value(row->mode, manual_of("access_mode"), s->access_mode);
}

static int wider(int width, const char *text)
{
    int len = (int)strlen(text);
    return len > width ? len : width;
}

static void print_sockets(const struct bc26_qistate_response *sockets, int n)
{
    struct row rows[BC26_SOCKETS];
    int remote = 0, state = 0;
    for (int i = 0; i < n; i++) {
        fill(&rows[i], &sockets[i]);
        remote = wider(remote, rows[i].remote);
        state = wider(state, rows[i].state);
    }
    for (int i = 0; i < n; i++) {
        const struct bc26_qistate_response *s = &sockets[i];
        printf("socket   %ld  %.*s  %-*s  from port %-5ld  %-*s  mode %s\n", (long)s->connect_id,
               (int)s->service_type.len, s->service_type.ptr, remote, rows[i].remote,
               (long)s->local_port, state, rows[i].state, rows[i].mode);
    }
    if (n == 0) {
        puts("socket   none");
    }
}

static int tell_sockets(struct at_client *client)
{
    struct bc26_qistate_response sockets[BC26_SOCKETS];
    int n = bc26_qistate_read(client, sockets, BC26_SOCKETS);
    if (n >= 0) {
        print_sockets(sockets, n);
    }
    return n;
}

/* Settings ---------------------------------------------------------------------- */

/* Those of a single socket stand with the socket; of others the module tells none. */
static void tell_settings(const struct at_client *client)
{
    for (uint8_t i = 0; i < bc26.nsettings; i++) {
        const struct at_setting *setting = &bc26.settings[i];
        const struct at_manual_param *manual = bc26_manual.settings[i];
        uint8_t value = at_client_setting(client, setting->slot);
        char text[PRINT_VALUE_SIZE] = "not told";
        if (setting->slots > 1) {
            continue;
        }
        if (value != AT_UNKNOWN) {
            print_value(text, manual, value);
        }
        printf("setting  %-18s%s: %s\n", setting->name, manual->doc, text);
    }
}

/* DNS servers ------------------------------------------------------------------- */

/* Firmware of the manual's first revision refuses the question, later may answer only OK. */
static int tell_dns(struct at_client *client)
{
    struct bc26_qidnscfg_query query = {CONTEXT};
    struct bc26_qidnscfg_response dns;
    int n = bc26_qidnscfg_query(client, &query, &dns);
    if (n == 0 || n == AT_E_ERROR) {
        puts("dns      not told");
        return AT_OK;
    }
    if (n > 0) {
        printf("dns      %.*s%s%.*s\n", (int)dns.pridnsaddr.len, dns.pridnsaddr.ptr,
               dns.has_secdnsaddr ? " " : "",
               (int)(dns.has_secdnsaddr ? dns.secdnsaddr.len : 0), dns.secdnsaddr.ptr);
    }
    return n;
}

/* ------------------------------------------------------------------------------- */

static int print_help(const struct tool *tool)
{
    printf("usage: %s --port PATH|HOST:PORT state\n\n"
           "Prints what the module knows: its sockets, its settings, its DNS servers; one a line,\n"
           "each with its kind in front:\n\n"
           "  socket   index, kind, remote host and port, local port, state, mode of access\n"
           "  setting  what it is, and its value\n"
           "  dns      the servers; `not told` where the module names none\n\n"
           "Exit status: 0 all is told, 1 the module answered with an error or not at all,\n"
           "2 usage.\n",
           tool->name);
    return TOOL_DONE;
}

int bc26_state_command(const struct tool *tool, int argc, char **argv)
{
    static struct work work;
    if (tool_asks_for_help(argc, argv)) {
        return print_help(tool);
    }
    if (argc > 1) {
        return tool_usage(tool, "state takes no arguments, not '%s'", argv[1]);
    }
    int exit_status = work_begin(&work, tool, NULL);
    if (exit_status != TOOL_DONE) {
        return exit_status;
    }
    struct at_client *client = &work.channel.client;
    int status = tell_sockets(client);
    if (status >= 0) {
        tell_settings(client);
        status = tell_dns(client);
    }
    if (status < 0) {
        exit_status = work_failed(&work, "state", status, client->error);
    }
    work_end(&work);
    return tool_printed(tool, exit_status);
}

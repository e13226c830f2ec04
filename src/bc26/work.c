#include "work.h"

#include <stdio.h>
#include <string.h>

#include "print.h"

int work_begin(struct work *w, const struct tool *tool, const struct bc26_sockets_config *hooks)
{
    struct bc26_sockets_config config = {0};
    memset(w, 0, sizeof *w);
    int status = channel_open(&w->channel, tool, NULL);
    if (status != TOOL_DONE) {
        return status;
    }
    if (hooks != NULL) {
        config = *hooks;
    }
    config.client = &w->channel.client;
    config.buffer = config.received != NULL ? w->buffer : NULL;
    config.buffer_size = config.received != NULL ? sizeof w->buffer : 0;
    status = bc26_sockets_init(&w->sockets, &config);
    status = status == AT_OK ? at_client_sync(&w->channel.client) : status;
    if (status != AT_OK) {
        int ended = work_failed(w, tool->options->port, status, -1);
        work_end(w);
        return ended;
    }
    return TOOL_DONE;
}

void work_end(struct work *w)
{
    channel_close(&w->channel);
}

/* What to do about a code of chapter 3, or NULL. */
static const char *advice(int32_t error)
{
    switch (error) {
    case BC26_ERROR_OPEN_PDP:
    case BC26_ERROR_PDP_BROKEN:
        return "the module hasn't reached the network: look at AT+CEREG? and wait for +IP";
    case BC26_ERROR_NO_APN:
        return "set the APN with AT+QCGDEFCONT, then restart the module";
    case BC26_ERROR_DNS_PARSE:
        return "see whether the name is right, or choose other servers: dns --server";
    case BC26_ERROR_CONNECT:
        return "see whether the server runs, and lets the module in";
    case BC26_ERROR_TIMEOUT:
        return "nobody answered: see the host, and the coverage with AT+CSQ";
    default:
        return NULL;
    }
}

static int32_t asked_for(struct work *w)
{
    struct bc26_qigeterror_response answer;
    int n = bc26_qigeterror_execute(&w->channel.client, &answer);
    return n == 1 ? answer.err : -1;
}

/* Nothing came, or nothing that can be an answer to what was asked. */
static int unanswered(const struct work *w, const char *what, bool heard)
{
    const struct port *port = &w->channel.port;
    const struct tool *tool = port->tool;
    fprintf(stderr, "%s: %s: no answer%s; see whether the module is on", tool->name, what,
            heard ? " that can be trusted" : "");
    if (port->serial.fd >= 0) {
        fprintf(stderr, ", and whether %lu baud is its speed (--baud)",
                (unsigned long)tool->options->baud);
    }
    fputs(heard ? "; --trace shows what it says\n" : "\n", stderr);
    return TOOL_NO;
}

int work_failed(struct work *w, const char *what, int status, int32_t error)
{
    const struct port *port = &w->channel.port;
    if (port->signal != 0) {
        return 128 + port->signal;
    }
    if (port->fd < 0) {
        return port_complain(port);
    }
    if (status == AT_E_TIMEOUT || status == AT_E_LOST) {
        return unanswered(w, what, status == AT_E_LOST && port->received > 0);
    }
    if (status == AT_E_ERROR && error < 0) {
        error = asked_for(w);
    }
    const char *meaning = bc26_error_text(error);
    meaning = meaning != NULL ? meaning : bc26_cme_error_text(error);
    const char *next = advice(error);
    fprintf(stderr, "%s: %s: ", port->tool->name, what);
    if (error > 0) {
        fprintf(stderr, "%s (%ld)", meaning != NULL ? meaning : "error", (long)error);
    } else {
        fputs(print_status(status), stderr);
    }
    fprintf(stderr, "%s%s\n", next != NULL ? "; " : "", next != NULL ? next : "");
    return TOOL_NO;
}

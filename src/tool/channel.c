#include "channel.h"

/* Deadlines are those of a fast line: add what the longest line takes on this one,
 * and a second for machines between here and there. */
static uint16_t latency_ms(uint32_t baud)
{
    uint64_t line = (uint64_t)CHANNEL_LINE_MAX * 10u * 1000u / baud;
    return line + 1000u < UINT16_MAX ? (uint16_t)(line + 1000u) : UINT16_MAX;
}

int channel_open(struct channel *c, const struct tool *tool,
                 const struct at_client_config *handlers)
{
    struct at_client_config config = {
        .module = tool->module, .ctx = c,
        .write = port_write, .read = port_read, .now = port_now,
        .window = c->window, .window_size = sizeof c->window,
        .command = c->command, .command_size = sizeof c->command,
        .text = c->text, .text_size = sizeof c->text,
        .settings = c->settings,
        .latency_ms = latency_ms(tool->options->baud),
    };
    if (handlers != NULL) {
        config.urc = handlers->urc;
        config.payload = handlers->payload;
        config.unknown = handlers->unknown;
    }
    if (port_open(&c->port, tool) != 0) {
        return port_refused(&c->port);
    }
    if (at_client_init(&c->client, &config) != AT_OK) {
        port_close(&c->port);
        return tool_usage(tool, "%s: the module is too large for this tool", tool->module->name);
    }
    return TOOL_DONE;
}

void channel_close(struct channel *c)
{
    port_close(&c->port);
}

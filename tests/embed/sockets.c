/* What README.md shows of the sockets API: ask a server for something, whatever
 * length the answer has. It is compiled by the tests, and meant to be read. */
#include "bc26_sockets.h"

int fetch(struct at_client *client, uint8_t *answer, size_t size);

int fetch(struct at_client *client, uint8_t *answer, size_t size)
{
    static struct bc26_sockets sockets;
    static const char question[] = "GET / HTTP/1.0\r\n\r\n";

    const struct bc26_sockets_config config = {.client = client};
    const struct bc26_qiopen open = {
        .context_id = 1, .service_type = BC26_SERVICE_TYPE_TCP,
        .host = {"www.example.com", 15}, .remote_port = 80,
    };
    int status = bc26_sockets_init(&sockets, &config);
    int handle = status < 0 ? status : bc26_socket_open(&sockets, &open);
    if (handle < 0) {
        return handle; /* nothing is left open */
    }

    size_t have = 0;
    status = bc26_socket_send(&sockets, handle, question, sizeof question - 1);
    while (status > 0 && have < size) { /* 0: the server closed, and this was all */
        status = bc26_socket_recv(&sockets, handle, answer + have, size - have, 30000);
        have += status > 0 ? (size_t)status : 0;
    }
    (void)bc26_socket_close(&sockets, handle);
    return status < 0 ? status : (int)have;
}

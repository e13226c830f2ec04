/* What `tcp` and `udp` are asked to do. */
#ifndef BC26_NETCAT_H
#define BC26_NETCAT_H

#include "bc26.h"
#include "tool.h"

enum { NETCAT_DATAGRAM_MAX = 1460 };

struct netcat_arguments {
    const char *command;     /* "tcp" or "udp" */
    bool udp;
    struct bc26_qiopen open;
    int32_t format;          /* enum bc26_data_format, or -1: as the module has it */
    uint32_t quiet_ms;       /* after the end of input */
    size_t size;             /* of a datagram at most; 0: as many as the format allows */
    bool stats;
};

/* -1: go on; else the exit status, after help or a message. */
int netcat_arguments(const struct tool *tool, int argc, char **argv,
                     struct netcat_arguments *arguments);

#endif

/* The HTTP side: receives requests whole, has them answered, and delivers the answers. */
#pragma once

#include "sandbox.h"

#include <microhttpd.h>
#include <netinet/in.h>

struct server_options {
    struct sockaddr_storage address; /* IPv4 or IPv6 */
    const char *certificate, *key;   /* PEM; both or neither */
};

/* Starts serving; *ret_port is the port it got. NULL if the address cannot be had. */
struct MHD_Daemon *server_start(struct sandbox *sandbox, const struct server_options *options,
                                uint16_t *ret_port);

/* Ends all requests, hanging ones too, and waits for their threads. */
void server_stop(struct MHD_Daemon *server, struct sandbox *sandbox);

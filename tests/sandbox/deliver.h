/* Hands answers to libmicrohttpd: common headers, and bodies that break off, drip or swell. */
#pragma once

#include "reply.h"
#include "request.h"
#include "sandbox.h"

#include <microhttpd.h>

/* Adds the headers that every API answer has. The caller holds the lock. */
void deliver_headers(struct reply *reply, const struct sandbox *sandbox,
                     const struct request *request);

/*
 * Queues the answer; its body is moved out of it. MHD_NO, which closes the connection, for an
 * answer that is not to be given.
 */
enum MHD_Result deliver(struct reply *reply, const struct sandbox *sandbox,
                        struct MHD_Connection *connection);

/* The routes under /_sandbox/: what a test does as the rest of the world. The caller holds the
 * lock. */
#pragma once

#include "reply.h"
#include "request.h"
#include "sandbox.h"

#define CONTROL_PREFIX "/_sandbox/"

/* Carries a control request out; its answer is written out, so it shares nothing with the state. */
struct reply *control_answer(struct sandbox *sandbox, const struct request *request);

/* An error object; the message is for people. */
struct reply *control_refuse(unsigned status, const char *message);

/* The control routes about users: what other people do to them. The caller holds the lock. */
#pragma once

#include "reply.h"
#include "request.h"
#include "sandbox.h"

struct reply *control_add_user(struct sandbox *sandbox, const struct request *request);
struct reply *control_change_user(struct sandbox *sandbox, const struct request *request);
struct reply *control_remove_user(struct sandbox *sandbox, const struct request *request);

/* The API under /v1. The caller holds the lock. */
#pragma once

#include "reply.h"
#include "request.h"
#include "sandbox.h"

/* What refuses a request before it is looked at: key, permission, rate. NULL lets it pass. */
struct reply *routes_gate(struct sandbox *sandbox, const struct request *request);

/* Carries a request out and answers it. Fills "email" and "invite_id" of its log entry. */
struct reply *routes_answer(struct sandbox *sandbox, const struct request *request);

/* The address of the invite or the user that a request is about; NULL where there is none. */
const char *routes_email(const struct sandbox *sandbox, const struct request *request);

/* The fault that this request meets, if any; release with fault_drop. */
struct fault *routes_fault(struct sandbox *sandbox, const struct request *request);

/* What the actions of a fault do: before the effect, and to the answer after it. */
#pragma once

#include "fault.h"
#include "reply.h"

/*
 * The answer of a fault that lets nothing take effect; NULL if its action is of another kind.
 * *ret_wait_ms is how long to wait before going on.
 */
struct reply *distort_before(const struct fault *fault, long long *ret_wait_ms);

/*
 * Changes the answer after the effect; *reply may be replaced. *ret_wait_ms is how long to wait
 * before sending it.
 */
void distort_after(const struct fault *fault, struct reply **reply, long long *ret_wait_ms);

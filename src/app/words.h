/* Verdicts in words, for terminals and journals alike. */
#pragma once

#include "core/plan.h"

/* Why the line says what it says, for people, with what to do where there is something to do. The
 * caller owns it; NULL when memory is short. */
char *words_for_reason(const struct line *line);
/* "proj_a, proj_b (owner)"; "no project"; NULL where projects are not stated. Caller owns it. */
char *words_for_projects(const struct projects *projects);
/* "revocations, vanished" */
char *words_for_limits(unsigned bits);
/* What a limit allows and what was found, as a sentence. Caller owns it. */
char *words_for_excess(const struct limit_excess *excess);
/* "reader", or for an unknown role the service's own word. */
const char *words_for_role(const struct line *line);
/* "12 people, nothing to do" and the like: one line that sums a plan up. Caller owns it. */
char *words_for_summary(const struct plan *plan);

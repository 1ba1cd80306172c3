/* Verdicts in words, for terminals and journals alike. */
#pragma once

#include "app/options.h"
#include "codec/settings.h"
#include "core/pass.h"
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
/* "3 done, 1 failed, 2 blocked"; "" when nothing was written or blocked. Caller owns it. */
char *words_for_results(const struct plan *plan);
/*
 * The `inviterd apply` for the very same configuration, member file and organisation, quoted for a
 * shell; with --approve unless `approval` is NULL. Caller owns it.
 */
char *words_for_apply(const struct options *options, const struct settings *settings,
                      const char *approval);
/* The `inviterd approve` that lets the daemon do it. Caller owns it. */
char *words_for_approve(const struct options *options, const char *approval);
/* What is odd about the listing's date beside the host's `wall`; NULL if nothing. Caller owns it.
 */
char *words_for_clock(const struct pass *pass, int64_t wall);
/* "12 people, nothing to do" and the like: one line that sums a plan up. Caller owns it. */
char *words_for_summary(const struct plan *plan);

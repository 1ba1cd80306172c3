/*
 * What is true of the daemon now, told in three places at once: to the service manager (STATUS=),
 * in status.json for `inviterd status`, and as Prometheus text.
 *
 * Nothing here fails loudly: where a place cannot be told, that is said once in the journal, and
 * the daemon goes on.
 */
#pragma once

#include "app/options.h"
#include "codec/settings.h"
#include "core/pass.h"
#include "io/runtime.h"

struct health;

/* `runtime` is borrowed; NULL: nobody reads a status.json. NULL is returned when memory is short.
 */
struct health *health_new(const struct options *options, struct runtime *runtime);
void health_free(struct health *health);
DEFINE_CLEANUP(struct health *, health_free)

/* The settings in force, at the start and after a reload: borrowed until the next call. */
void health_configure(struct health *health, const struct settings *settings);
/* A pass is under way; its number as in the journal. Nothing holds it up any more. */
void health_pass_begun(struct health *health, unsigned number);
/* An answer has come. Told with what comes next. */
void health_answered(struct health *health, const struct answer *answer);
/*
 * The pass under way has ended: what it found, did and failed to do. That is told with what must
 * follow at once: health_waits(), health_configure() or another pass.
 */
void health_pass_ended(struct health *health, const struct pass *pass);
/*
 * Nothing is under way, and the next try is due at `until` (microseconds of CLOCK_BOOTTIME;
 * PACE_NEVER: not known). Three cases:
 * `trouble` NULL: how we stand follows from the last pass.
 * `trouble` alone ("waiting for another pass on this host"): it is told instead, and the state
 * stays that of the last pass.
 * `trouble` with `problems` that hold up passes ("waiting for a valid member file"): the daemon is
 * failing until a pass begins; the first problem is told with it. The list may be empty.
 * May be called as often as one likes: what is no news is not told again.
 */
void health_waits(struct health *health, const char *trouble, const struct problems *problems,
                  uint64_t until);
/*
 * An approval was handed in (`outcome` "waiting"), and then "carried-out", "failed" or "refused",
 * and why: for the person who waits for it in `inviterd approve`.
 */
void health_approval(struct health *health, const char *id, const char *outcome, const char *text);
/* Whether the last health_waits() named problems: the daemon is failing. */
bool health_is_held_up(const struct health *health);
/* The wall clock was set: times of day are told anew. */
void health_clock_was_set(struct health *health);
/* The daemon lets writes in flight end and stops. */
void health_stopping(struct health *health);

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
/* A pass is under way; its number as in the journal. */
void health_pass_begun(struct health *health, unsigned number);
/* An answer has come. */
void health_answered(struct health *health, const struct answer *answer);
/* The pass under way has ended: what it found, did and failed to do. */
void health_pass_ended(struct health *health, const struct pass *pass);
/*
 * Nothing is under way, and the next try is due at `until` (microseconds of CLOCK_BOOTTIME).
 * `problems` hold up passes: PLACE: MESSAGE each; NULL: nothing does.
 */
void health_waits(struct health *health, const char *trouble, const struct problems *problems,
                  uint64_t until);
/* An approval was handed in (`outcome` "waiting"), and then "carried-out" or "refused", and why. */
void health_approval(struct health *health, const char *id, const char *outcome, const char *text);
/* The wall clock was set: times of day are told anew. */
void health_clock_was_set(struct health *health);
/* The daemon lets writes in flight end and stops. */
void health_stopping(struct health *health);

/*
 * The runtime directory ($RUNTIME_DIRECTORY, mode 0755): where the running daemon and those who
 * ask it meet. `running` is locked while a daemon lives, status.json tells how it is, and
 * `approval` hands it the id of a blocked plan.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/memory.h"

#define RUNTIME_STATUS   "status.json"
#define RUNTIME_APPROVAL "approval"
/* Only digits of an approval id are ever written there. */
#define RUNTIME_APPROVAL_MAX ((size_t)64)

struct runtime;

/*
 * The daemon's: makes the directory if only its last part is missing, and locks it. Returns 0,
 * -EWOULDBLOCK where another daemon has it, or another negative errno.
 */
int runtime_open(const char *path, struct runtime **ret);
/* Of those who ask: opens what is there. -ENOENT, -EACCES and so on. */
int runtime_peek(const char *path, struct runtime **ret);
void runtime_free(struct runtime *runtime);
DEFINE_CLEANUP(struct runtime *, runtime_free)

/* Whether a daemon holds the directory now: 1, 0, or a negative errno. */
int runtime_is_held(struct runtime *runtime);

/* Replaces status.json, mode 0640. Returns 0 or a negative errno. */
int runtime_put_status(struct runtime *runtime, const char *text);
/* The text of status.json, which the caller owns. Returns 0 or a negative errno. */
int runtime_get_status(struct runtime *runtime, char **ret);

/* Hands an approval id to the daemon. Returns 0 or a negative errno. */
int runtime_put_approval(struct runtime *runtime, const char *id);
/*
 * Takes the approval away: an id that the caller owns, or NULL where there is none. What was not
 * written by root or by this user is removed and not believed (-EPERM).
 */
int runtime_take_approval(struct runtime *runtime, char **ret);

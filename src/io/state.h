/* The state directory: one pass at a time on a host, and the memory of writes. */
#pragma once

#include <stdbool.h>

#include "core/ledger.h"

struct state;

/* Opens the directory, making it (mode 0700) if only its last part is missing. Negative errno. */
int state_open(const char *path, struct state **ret);
/* Opens what is there and makes nothing; -ENOENT, -EACCES and so on. Such a state cannot lock. */
int state_peek(const char *path, struct state **ret);
/* Unlocks as well. */
void state_free(struct state *state);
DEFINE_CLEANUP(struct state *, state_free)

/* Takes the lock: 0, -EWOULDBLOCK when another process has it, or another negative errno. */
int state_try_lock(struct state *state);
void state_unlock(struct state *state);

/*
 * Reads the ledger and adopts it for this boot. A missing one is an empty one. A damaged one:
 * returns an empty ledger that is `suspect`, with *ret_damage, which the caller owns, saying what
 * is wrong. Returns 0 or a negative errno.
 */
int state_load(struct state *state, struct ledger **ret, char **ret_damage);
/*
 * Sets a damaged ledger aside under a name that *ret_name gives (the caller owns it), and stores
 * the suspect one in its place.
 */
int state_set_aside(struct state *state, const struct ledger *suspect, char **ret_name);
/* Stores the ledger durably. Returns 0 or a negative errno, and then the old one is still there. */
int state_save(struct state *state, const struct ledger *ledger);

/*
 * Refuses memory: linked with --wrap in front of the allocating functions of libc, so that those
 * of our own code fail in turn.
 */
#pragma once

#include <stdbool.h>

/* From now on so many allocations succeed, and the next one fails; with `all`, all after it, too.
 */
void starve_after(long successes, bool all);
/* All succeed again. Returns whether any failed. */
bool starve_end(void);

/* The host's clocks. */
#pragma once

#include <systemd/sd-event.h>

#include "core/pass.h"

/* CLOCK_BOOTTIME for intervals, which goes on through suspend; CLOCK_REALTIME for dates. */
struct instant clock_now(void);

/*
 * For how long the host has been suspended, in microseconds, to within a moment: since it booted,
 * or in a time namespace since whenever. Only the difference of two tells something.
 */
uint64_t clock_slept(void);

/* Id of this boot as text, which the caller owns. Returns 0 or a negative errno. */
int clock_boot_id(char **ret);

struct clock_watch;

/*
 * Calls `on_set` from the event loop whenever the wall clock is set, or the host wakes from a
 * suspend. Returns 0 or a negative errno.
 */
int clock_watch(sd_event *event, void (*on_set)(void *userdata), void *userdata,
                struct clock_watch **ret);
void clock_watch_free(struct clock_watch *watch);
DEFINE_CLEANUP(struct clock_watch *, clock_watch_free)

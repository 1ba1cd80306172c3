/*
 * Notices that a file, or the files of a directory, may have changed: saved in place, renamed over,
 * added, removed, or reached by another way because a symbolic link on the path was swapped.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/memory.h"

struct watch;

/* Something may have changed. Called from the event loop; several changes may come as one. */
typedef void (*watch_changed)(void *userdata);

/* Returns 0 or a negative errno: -EMFILE where the host allows no more inotify instances. */
int watch_new(sd_event *event, watch_changed changed, void *userdata, struct watch **ret);
void watch_free(struct watch *watch);
DEFINE_CLEANUP(struct watch *, watch_free)

/*
 * Looks at the path anew, which need not exist: every directory on the way to it, through symbolic
 * links, and the files themselves. Call it before each reading, since the way may have changed.
 * What happens after it has returned is noticed. Returns 0 or a negative errno; -ENOSPC where the
 * host allows no more watches, and then changes may go unnoticed.
 */
int watch_path(struct watch *watch, const char *path);

/*
 * Whether somebody is writing: a file was made or modified, and not closed since. False where the
 * writing began before we looked.
 */
bool watch_is_being_written(const struct watch *watch);

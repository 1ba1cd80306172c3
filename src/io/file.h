/* Whole files, read with a cap and replaced without a moment in which they are torn. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "core/memory.h"

#define _cleanup_close_ _cleanup_(file_close_pointer)
void file_close_pointer(const int *fd);

/*
 * Reads a regular file of at most `cap` bytes, relative to `dir_fd` (or AT_FDCWD). The text gets a
 * NUL behind its end that *ret_length does not count; the caller owns it. Returns 0 or a negative
 * errno; -EFBIG over the cap, -EISDIR and -EINVAL for what is no regular file.
 */
int file_read(int dir_fd, const char *path, size_t cap, char **ret_text, size_t *ret_length);

/*
 * Where root writes into the directory of somebody else, gives the file to that user: a service
 * must be able to read what root did by hand in its place. Returns 0 or a negative errno.
 */
int file_give_to_owner(int dir_fd, int fd);

/*
 * Replaces `name` in `dir_fd` by the text: written to a file beside it, synced, renamed over it,
 * and the directory synced. The file belongs to the directory's owner where root writes it. When it
 * returns 0 the text survives a crash; on a negative errno the old file is as it was.
 */
int file_replace(int dir_fd, const char *name, const char *text, size_t length);

/*
 * The same for what others read and nobody misses after a crash of the host: not synced, so that a
 * slow disk holds nobody up, and with this mode, whatever the umask.
 */
int file_publish(int dir_fd, const char *name, const char *text, size_t length, mode_t mode);
/* The same for a whole path. */
int file_publish_path(const char *path, const char *text, size_t length, mode_t mode);

/* The member file as it is at one moment: one file, or every *.conf and *.json of a directory. */
#pragma once

#include <stdint.h>

#include "codec/memberfile.h"
#include "codec/problems.h"

/* What changed less than this ago may still be being written: it is read again. */
#define SNAPSHOT_QUIET_USEC UINT64_C(2000000)

struct snapshot {
    struct source *sources;
    size_t count;
    uint64_t wait_usec; /* not quiet yet: take another one after so long; 0: quiet */
    uint64_t state;     /* a figure that changes when anything about the files does */
};

/*
 * Reads everything at `path`. Files that cannot be read, a subdirectory, a directory without a
 * member file: all are findings in *problems. Returns 0, -EBADMSG with findings, or -ENOMEM.
 * `previous` is the state of the snapshot taken at least `wait_usec` earlier (0: none): files whose
 * times lie in the future count as quiet once they have not changed since.
 */
int snapshot_take(const char *path, uint64_t previous, struct snapshot *ret,
                  struct problems *problems);
void snapshot_clear(struct snapshot *snapshot);

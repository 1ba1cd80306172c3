/* The member file: libconfig or JSON text in, declared people out, every mistake named. */
#pragma once

#include "codec/problems.h"
#include "core/member.h"

/* One file as it was read; a directory is several of them, in name order. */
struct source {
    char *name; /* as messages name it */
    char *text;
    size_t length;
};

/*
 * Reads all sources as one declaration. A name that ends in ".json" is JSON, any other libconfig.
 * Appends every finding to *problems: at most one syntax error a file, and all other errors.
 * Returns 0 with *ret_members sorted and owned by the caller; -EBADMSG when anything was wrong
 * (nothing is returned then); -ENOMEM.
 */
int memberfile_parse(const struct source *sources, size_t count, struct members **ret_members,
                     struct problems *problems);

/*
 * Looks for what is valid, but hardly meant, as of `now`, in seconds since the epoch. Appends a
 * warning for each who is never a member, whose last day was over a month ago, or who is protected
 * and not declared.
 */
void memberfile_examine(const struct members *members, int64_t now, struct problems *problems);

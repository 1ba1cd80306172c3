/* What should be: the people that the member file declares, and the addresses it leaves alone. */
#pragma once

#include <stdint.h>

#include "grant.h"
#include "memory.h"

struct member {
    char *email; /* as written in the file */
    enum role role;
    struct projects projects;
    int64_t ends_at; /* seconds since the epoch from which on the person is no member; 0: never */
    char *note;      /* may be NULL */
    char *place;     /* where it is declared, for messages: "members.conf:12" */
};

struct members {
    struct member *items; /* sorted by address once read; no address twice */
    size_t count;
    char **ignore; /* patterns whose addresses are never touched */
    size_t ignore_count;
};

/* Appends a member and takes over what it owns. Returns 0 or -ENOMEM (nothing is taken then). */
int members_add(struct members *members, const struct member *member);
/* Appends a copy of an ignore pattern. Returns 0 or -ENOMEM. */
int members_ignore(struct members *members, const char *pattern);
/* Sorts by address: people declared twice end up side by side. */
void members_sort(struct members *members);
/* The first member with that address; needs members_sort. NULL when nobody has it. */
const struct member *members_find(const struct members *members, const char *email);
/* The ignore pattern that covers the address, or NULL. */
const char *members_ignored_by(const struct members *members, const char *email);

void member_clear(struct member *member);
void members_free(struct members *members);
DEFINE_CLEANUP(struct members *, members_free)

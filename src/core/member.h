/* What should be: the people that the member file declares, and the addresses it leaves alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "grant.h"
#include "memory.h"

struct member {
    char *email; /* as written in the file */
    enum role role;
    struct projects projects;
    int64_t starts_at; /* seconds since the epoch before which the person is no member; 0: ever */
    int64_t ends_at;   /* seconds since the epoch from which on the person is no member; 0: never */
    char *note;        /* may be NULL */
    char *place;       /* where it is declared, for messages: "members.conf:12" */
};

struct members {
    struct member *items; /* sorted by address once read; no address twice */
    size_t count;
    char **ignore; /* patterns whose addresses are never touched */
    size_t ignore_count;
    char **protected; /* addresses whose users are never removed or demoted */
    size_t protected_count;
    char **protected_places; /* where they stand, for messages; NULL: not known */
};

/* What the file says of a person at a given time. */
enum member_standing {
    STANDING_UNDECLARED,
    STANDING_NOT_BEGUN, /* their first day is still to come */
    STANDING_DECLARED,
    STANDING_ENDED, /* their last day is over */
};

/* `member` NULL: not in the file. `now` is in seconds since the epoch. */
enum member_standing member_standing(const struct member *member, int64_t now);

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

/* Appends a copy of a protected address. Returns 0 or -ENOMEM. */
int members_protect(struct members *members, const char *email);
/* Whether the address is protected. */
bool members_protects(const struct members *members, const char *email);
/* Whether the file has the address at all: declares it, whatever the dates, protects it or
 * ignores it. */
bool members_have(const struct members *members, const char *email);

/*
 * The next moment after `now`, both in seconds since the epoch, at which somebody's first day
 * begins or last day is over; 0 when there is none.
 */
int64_t members_next_change(const struct members *members, int64_t now);

void member_clear(struct member *member);
void members_free(struct members *members);
DEFINE_CLEANUP(struct members *, members_free)

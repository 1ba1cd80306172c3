/* Rails: how much of one kind a single pass may do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is done about the organisation's users. */
enum users_mode {
    USERS_OFF,     /* they are not listed: invites alone are judged */
    USERS_OBSERVE, /* they are listed and judged, never written to */
    USERS_MANAGE,  /* roles are corrected, and who has left the member file is removed */
};

/* Design §4. A count of 0 allows none. */
struct limits {
    unsigned revocations;    /* live invites revoked or replaced */
    double revocation_ratio; /* their share of all live invites, where there are at least 10 */
    unsigned invites;        /* invites, renewals and replacements together */
    unsigned owner_invites;  /* those of them with role owner, and users made owners */
    unsigned renewals;       /* a wish is mailed at most once more than this */
    unsigned removals;       /* users removed */
    double removal_ratio;    /* their share of all users that are people, where at least 10 */
    unsigned min_owners;     /* owners that must be left: 1 or more */
};

/* Bits, since a line can be held back by several. */
enum limit {
    LIMIT_REVOCATIONS = 1,
    LIMIT_REVOCATION_RATIO = 2,
    LIMIT_INVITES = 4,
    LIMIT_OWNER_INVITES = 8,
    LIMIT_VANISHED = 16, /* most live invites of the last listing are missing from this one */
    LIMIT_REMOVALS = 32,
    LIMIT_REMOVAL_RATIO = 64,
    LIMIT_MIN_OWNERS = 128,
    LIMIT_USERS_VANISHED = 256, /* most users of the last listing are missing from this one */
};
#define LIMIT_COUNT 9

/* Below this many live invites, shares mean nothing. */
#define LIMIT_SHARE_LEAST 10

/* One limit that a plan exceeds. */
struct limit_excess {
    enum limit limit;
    double allowed; /* VANISHED, USERS_VANISHED: what was there before */
    double found;
};

/* "revocations", "revocation_ratio", …: the configuration's own words, and "vanished". */
const char *limit_word(enum limit limit);

/* What a plan would do, counted. */
struct limit_figures {
    size_t revocations;
    size_t invites;
    size_t owner_invites;
    size_t live;
    size_t listed;         /* those of them that the listing itself shows */
    long long live_before; /* in the last complete listing; -1: there was none */
    size_t removals;
    size_t people;          /* users that are people */
    size_t owners_left;     /* once the plan is carried out */
    size_t owners_lost;     /* removed, or made readers */
    long long users_before; /* in the last complete listing; -1: there was none */
};

/* Whether most of `before` live invites (-1: not known) are missing from a listing of `listed`. */
bool limits_vanished(long long before, size_t listed);

/* Fills `excess` with the limits exceeded and returns how many. */
size_t limits_check(const struct limits *limits, const struct limit_figures *figures,
                    struct limit_excess excess[static LIMIT_COUNT]);

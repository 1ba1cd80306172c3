/*
 * What complete listings of users teach the ledger: under which address a user was known first, and
 * for how long users were seen whom the file does not want.
 */
#pragma once

#include "verdict.h"

struct observation {
    const struct members *members;
    const struct listing *users; /* complete, and believed */
    const char *observer; /* id of this process; NULL: times before and after do not add up */
    uint64_t begun;       /* when the listing was begun, on the ledger's clock */
    uint64_t gap_most;    /* microseconds between two listings that count as one watch */
    int64_t now;          /* the listing's date, seconds since the epoch */
    bool counts;          /* users may be removed: the time until then runs */
};

/* Returns 0 or -ENOMEM, and then the ledger is as it was. */
int observe_users(struct ledger *ledger, const struct observation *observation);

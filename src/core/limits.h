/* Rails: how much of one kind a single pass may do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Design §4. A count of 0 allows none. */
struct limits {
    unsigned revocations;    /* live invites revoked or replaced */
    double revocation_ratio; /* their share of all live invites, where there are at least 10 */
    unsigned invites;        /* invites, renewals and replacements together */
    unsigned owner_invites;  /* those of them with role owner */
    unsigned renewals;       /* a wish is mailed at most once more than this */
};

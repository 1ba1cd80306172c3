/* What the runs met, counted: faults that struck, reasons of the plans, results of the lines. */
#pragma once

#include "core/call.h"
#include "core/verdict.h"

enum fault_kind {
    /* of any request */
    FAULT_LOST_BEFORE,
    FAULT_LOST_AFTER,
    FAULT_HANG,
    FAULT_SLOW,
    FAULT_UNSENT,
    FAULT_UNAVAILABLE_BEFORE,
    FAULT_UNAVAILABLE_AFTER,
    FAULT_UNREADABLE,
    FAULT_LIMITED,
    FAULT_LIMITED_HINT,
    FAULT_REFUSED,
    FAULT_FORBIDDEN,
    /* of a listing */
    FAULT_PAGE_FAILS,
    FAULT_CURSOR_VANISHES,
    FAULT_PAGE_REPEATED,
    FAULT_LISTING_SHRINKS,
    FAULT_USERS_SHRINK,
    FAULT_USERS_FORBIDDEN,
    FAULT_NO_DATE,
    FAULT_OTHER_ORGANIZATION,
    /* of a create */
    FAULT_NOT_AS_SENT,
    /* of a look at a user */
    FAULT_USER_CHANGES,
    /* of the world meanwhile: invites, users, the host */
    FAULT_OTHER_INVITES,
    FAULT_OTHER_DELETES,
    FAULT_ACCEPTED,
    FAULT_EXPIRED,
    FAULT_UNKNOWN_WORD,
    FAULT_USER_ADDED,
    FAULT_USER_REMOVED,
    FAULT_USER_ROLE,
    FAULT_USER_RENAMED,
    FAULT_USER_MANAGED,
    FAULT_USER_UNKNOWN_ROLE,
    FAULT_CLOCK_JUMP,
    FAULT_STOPPED,
    FAULT_DISK_FULL,
    FAULT_KILLED,
    FAULT_REBOOTED,
    FAULT_LEDGER_DAMAGED,
    FAULT_RESTARTED,
    /* of the service's habits, counted where they show */
    FAULT_LAGGING,
    FAULT_USERS_LAGGING,
    FAULT_RATE_LIMIT,
    FAULT_RATE_LIMIT_HINT,
    FAULT_COUNT,
};
#define FAULT_FIRST_LISTING FAULT_PAGE_FAILS
#define FAULT_FIRST_EVENT   FAULT_OTHER_INVITES
#define FAULT_LAST_EVENT    FAULT_USER_UNKNOWN_ROLE
#define FAULT_FIRST_HABIT   FAULT_LAGGING
#define REASON_COUNT        (REASON_LAST_OWNER + 1)
#define RESULT_COUNT        (RESULT_UNKNOWN + 1)

struct tally {
    unsigned long passes, with_faults; /* with_faults: passes that met three faults or more */
    unsigned long with_users;          /* those of them in which users are listed */
    unsigned long calm_passes, lives, requests, mails, restarts, approvals;
    unsigned long faults[FAULT_COUNT];
    unsigned long calls[CALLS], struck[CALLS]; /* requests, and those that a fault struck */
    unsigned long reasons[REASON_COUNT];
    unsigned long results[RESULT_COUNT];
    unsigned long roles_set, removals, calm_removals; /* that the service took */
};

const char *fault_word(enum fault_kind kind);
/* One line a figure, sorted as above. */
void tally_print(const struct tally *tally);

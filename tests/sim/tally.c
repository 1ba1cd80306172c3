/* Words and figures. */
#include "tally.h"

#include <stdio.h>

const char *fault_word(enum fault_kind kind)
{
    static const char *const words[] = {
        [FAULT_LOST_BEFORE] = "request lost before its effect",
        [FAULT_LOST_AFTER] = "answer lost after the effect",
        [FAULT_HANG] = "no answer in time, effect late",
        [FAULT_SLOW] = "slow answer",
        [FAULT_UNSENT] = "no connection",
        [FAULT_UNAVAILABLE_BEFORE] = "408 or 5xx without effect",
        [FAULT_UNAVAILABLE_AFTER] = "5xx after the effect",
        [FAULT_UNREADABLE] = "2xx that cannot be read",
        [FAULT_LIMITED] = "429 without a hint",
        [FAULT_LIMITED_HINT] = "429 with a hint",
        [FAULT_REFUSED] = "4xx without a reason",
        [FAULT_FORBIDDEN] = "401 or 403",
        [FAULT_PAGE_FAILS] = "page fails",
        [FAULT_CURSOR_VANISHES] = "cursor vanishes",
        [FAULT_PAGE_REPEATED] = "page comes twice",
        [FAULT_LISTING_SHRINKS] = "most of the listing vanishes",
        [FAULT_USERS_SHRINK] = "most of the users vanish",
        [FAULT_USERS_FORBIDDEN] = "no right to list users",
        [FAULT_NO_DATE] = "answer without Date",
        [FAULT_OTHER_ORGANIZATION] = "another organisation answers",
        [FAULT_NOT_AS_SENT] = "invite made otherwise than asked",
        [FAULT_USER_CHANGES] = "user changes before the look",
        [FAULT_OTHER_INVITES] = "another hand invites",
        [FAULT_OTHER_DELETES] = "another hand deletes",
        [FAULT_ACCEPTED] = "person accepts",
        [FAULT_EXPIRED] = "invite expires",
        [FAULT_UNKNOWN_WORD] = "status becomes an unknown word",
        [FAULT_USER_ADDED] = "another hand adds a user",
        [FAULT_USER_REMOVED] = "another hand removes a user",
        [FAULT_USER_ROLE] = "another hand sets a role",
        [FAULT_USER_RENAMED] = "e-mail of a user changes",
        [FAULT_USER_MANAGED] = "user comes under a directory",
        [FAULT_USER_UNKNOWN_ROLE] = "role becomes an unknown word",
        [FAULT_CLOCK_JUMP] = "host clock jumps",
        [FAULT_STOPPED] = "signal to stop",
        [FAULT_DISK_FULL] = "disk full",
        [FAULT_KILLED] = "process killed",
        [FAULT_REBOOTED] = "host rebooted",
        [FAULT_LEDGER_DAMAGED] = "ledger damaged",
        [FAULT_RESTARTED] = "daemon restarted",
        [FAULT_LAGGING] = "listing lags",
        [FAULT_USERS_LAGGING] = "listing of users lags",
        [FAULT_RATE_LIMIT] = "rate limit without headers",
        [FAULT_RATE_LIMIT_HINT] = "rate limit with headers",
    };
    return words[kind];
}

void tally_print(const struct tally *tally)
{
    printf("passes: %lu\n", tally->passes);
    printf("passes with three faults or more: %lu\n", tally->with_faults);
    printf("those of them that list users: %lu\n", tally->with_users);
    printf("passes without faults: %lu\n", tally->calm_passes);
    printf("lives: %lu\nrequests: %lu\nmails: %lu\nrestarts: %lu\napprovals: %lu\n", tally->lives,
           tally->requests, tally->mails, tally->restarts, tally->approvals);
    printf("roles set: %lu\nremovals: %lu\nremovals amid faults: %lu\n", tally->roles_set,
           tally->removals, tally->removals - tally->calm_removals);
    for (int i = 0; i < CALLS; i++)
        printf("call, %s: %lu\n", call_word((enum call)i), tally->calls[i]);
    for (int i = 0; i < CALLS; i++)
        printf("struck, %s: %lu\n", call_word((enum call)i), tally->struck[i]);
    for (int i = 0; i < FAULT_COUNT; i++)
        printf("fault, %s: %lu\n", fault_word((enum fault_kind)i), tally->faults[i]);
    for (int i = 0; i < REASON_COUNT; i++)
        printf("reason, %s: %lu\n", reason_word((enum reason)i), tally->reasons[i]);
    for (int i = 1; i < RESULT_COUNT; i++)
        printf("result, %s: %lu\n", result_word((enum result)i), tally->results[i]);
}

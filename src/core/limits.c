/* Which limits a plan exceeds. */
#include "limits.h"

const char *limit_word(enum limit limit)
{
    switch (limit) {
    case LIMIT_REVOCATIONS:
        return "revocations";
    case LIMIT_REVOCATION_RATIO:
        return "revocation_ratio";
    case LIMIT_INVITES:
        return "invites";
    case LIMIT_OWNER_INVITES:
        return "owner_invites";
    case LIMIT_VANISHED:
        return "vanished";
    case LIMIT_REMOVALS:
        return "removals";
    case LIMIT_REMOVAL_RATIO:
        return "removal_ratio";
    case LIMIT_MIN_OWNERS:
        return "min_owners";
    case LIMIT_USERS_VANISHED:
        return "users_vanished";
    }
    return "limit";
}

struct excess_list {
    struct limit_excess *items;
    size_t count;
};

static void exceed(struct excess_list *list, enum limit limit, double allowed, double found)
{
    list->items[list->count++] =
        (struct limit_excess){.limit = limit, .allowed = allowed, .found = found};
}

static void check_share(struct excess_list *list, enum limit limit, double allowed, size_t part,
                        size_t whole)
{
    double share = whole > 0 ? (double)part / (double)whole : 0;
    if (whole >= LIMIT_SHARE_LEAST && share > allowed)
        exceed(list, limit, allowed, share);
}

static void check_count(struct excess_list *list, enum limit limit, unsigned allowed, size_t found)
{
    if (found > allowed)
        exceed(list, limit, allowed, (double)found);
}

bool limits_vanished(long long before, size_t listed)
{
    return before >= LIMIT_SHARE_LEAST && 2 * (long long)listed < before;
}

size_t limits_check(const struct limits *limits, const struct limit_figures *figures,
                    struct limit_excess excess[static LIMIT_COUNT])
{
    struct excess_list list = {.items = excess};
    check_count(&list, LIMIT_REVOCATIONS, limits->revocations, figures->revocations);
    check_share(&list, LIMIT_REVOCATION_RATIO, limits->revocation_ratio, figures->revocations,
                figures->live);
    check_count(&list, LIMIT_INVITES, limits->invites, figures->invites);
    check_count(&list, LIMIT_OWNER_INVITES, limits->owner_invites, figures->owner_invites);
    if (limits_vanished(figures->live_before, figures->listed))
        exceed(&list, LIMIT_VANISHED, (double)figures->live_before, (double)figures->listed);
    check_count(&list, LIMIT_REMOVALS, limits->removals, figures->removals);
    check_share(&list, LIMIT_REMOVAL_RATIO, limits->removal_ratio, figures->removals,
                figures->people);
    if (figures->owners_lost > 0 && figures->owners_left < limits->min_owners)
        exceed(&list, LIMIT_MIN_OWNERS, limits->min_owners, (double)figures->owners_left);
    if (limits_vanished(figures->users_before, figures->people))
        exceed(&list, LIMIT_USERS_VANISHED, (double)figures->users_before, (double)figures->people);
    return list.count;
}

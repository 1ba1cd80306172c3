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
    if (figures->live >= LIMIT_SHARE_LEAST) {
        double share = (double)figures->revocations / (double)figures->live;
        if (share > limits->revocation_ratio)
            exceed(&list, LIMIT_REVOCATION_RATIO, limits->revocation_ratio, share);
    }
    check_count(&list, LIMIT_INVITES, limits->invites, figures->invites);
    check_count(&list, LIMIT_OWNER_INVITES, limits->owner_invites, figures->owner_invites);
    if (limits_vanished(figures->live_before, figures->listed))
        exceed(&list, LIMIT_VANISHED, (double)figures->live_before, (double)figures->listed);
    return list.count;
}

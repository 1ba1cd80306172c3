/* One pass's look at the users. */
#include "observe.h"

#include <errno.h>
#include <string.h>

#include "address.h"

static int compare_users(const void *a, const void *b)
{
    const struct ledger_user *left = a, *right = b;
    return strcmp(left->id, right->id);
}

static void free_users(struct ledger_user *users, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(users[i].id);
        free(users[i].email);
    }
    free(users);
}

/*
 * Whether the user stays the one of the address under which they were known before: the service
 * states none any more, or states another one while the file still has this one.
 */
static bool goes_by_old_address(const struct observation *o, const struct ledger_user *known,
                                const struct user *user)
{
    return known && (!user->email || (address_compare(known->email, user->email) != 0 &&
                                      members_have(o->members, known->email)));
}

/*
 * The time since the last look counts only where this very process had its eye on them: neither
 * while nothing ran, nor while no listing could be had, nor while the host slept.
 */
static uint64_t watched_since(const struct ledger *ledger, const struct observation *o,
                              const struct ledger_user *known)
{
    bool same = o->observer && ledger->observer && strcmp(o->observer, ledger->observer) == 0;
    if (!same || o->begun < known->at || o->begun - known->at > o->gap_most)
        return 0;
    return o->begun - known->at;
}

/* Appends what is to be remembered of the user, if anything: without an address, there is nothing.
 */
static int look_at(const struct ledger *ledger, const struct observation *o,
                   const struct user *user, struct ledger_user *seen_so_far, size_t *count)
{
    const struct ledger_user *known = ledger_find_user(ledger, user->id);
    bool renamed = goes_by_old_address(o, known, user);
    if (!user->email && !renamed)
        return 0;
    struct ledger_user seen = {.id = strdup(user->id)};
    seen.email = strdup(renamed ? known->email : user->email);
    if (!seen.id || !seen.email) {
        free(seen.id);
        free(seen.email);
        return -ENOMEM;
    }
    if (o->counts && !renamed && verdict_counts_as_undeclared(o->members, user, o->now)) {
        seen.at = o->begun;
        seen.passes = 1;
        if (known && known->passes > 0) {
            seen.passes = known->passes < UINT16_MAX ? known->passes + 1 : known->passes;
            seen.undeclared = known->undeclared + watched_since(ledger, o, known);
        }
    }
    seen_so_far[(*count)++] = seen;
    return 0;
}

static bool is_news(const struct ledger *ledger, const struct ledger_user *users, size_t count)
{
    if (count != ledger->user_count)
        return true;
    for (size_t i = 0; i < count; i++) {
        const struct ledger_user *old = &ledger->users[i], *new = &users[i];
        if (strcmp(old->id, new->id) != 0 || strcmp(old->email, new->email) != 0 ||
            old->passes != new->passes || old->undeclared != new->undeclared || old->at != new->at)
            return true;
    }
    return false;
}

static int adopt_observer(struct ledger *ledger, const char *observer)
{
    const char *known = ledger->observer ? ledger->observer : "";
    if (strcmp(known, observer ? observer : "") == 0)
        return 0;
    ledger->dirty = true;
    return memory_set(&ledger->observer, observer);
}

int observe_users(struct ledger *ledger, const struct observation *observation)
{
    const struct users *listed = listing_users(observation->users);
    struct ledger_user *users = calloc(listed->count + 1, sizeof *users);
    size_t count = 0;
    int r = users ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < listed->count; i++)
        r = look_at(ledger, observation, &listed->items[i], users, &count);
    if (r >= 0)
        r = adopt_observer(ledger, observation->observer);
    if (r < 0) {
        free_users(users, count);
        return r;
    }
    qsort(users, count, sizeof *users, compare_users);
    ledger->dirty = ledger->dirty || is_news(ledger, users, count);
    free_users(ledger->users, ledger->user_count);
    ledger->users = users;
    ledger->user_count = count;
    return 0;
}

/* The memory of writes. */
#include "ledger.h"

#include <errno.h>
#include <string.h>

#include "address.h"

/* From sending a create to giving up on it, at most, and what a clock may be set by meanwhile. */
#define CREATE_SPAN_SECONDS (15 * 60)
/* After so long nobody expects an old invite back. */
#define LOSS_LASTS_SECONDS (24 * 3600)
/* A wish that nobody has written about for so long is forgotten, and may be mailed afresh. */
#define FORGET_AFTER_SECONDS (INT64_C(400) * 24 * 3600)

struct ledger *ledger_new(void)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger)
        ledger->live = ledger->people = -1;
    return ledger;
}

static void wish_free(struct ledger_wish *wish)
{
    free(wish->email);
    projects_clear(&wish->projects);
    free(wish->invite_id);
    ledger_lose(wish, NULL);
    free(wish);
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->base_url);
    free(ledger->organization);
    free(ledger->boot);
    for (size_t i = 0; i < ledger->wish_count; i++)
        wish_free(ledger->wishes[i]);
    free(ledger->wishes);
    for (size_t i = 0; i < ledger->deletion_count; i++)
        free(ledger->deletions[i].invite_id);
    free(ledger->deletions);
    for (size_t i = 0; i < ledger->deposed_count; i++)
        free(ledger->deposed[i].id);
    free(ledger->deposed);
    for (size_t i = 0; i < ledger->user_count; i++) {
        free(ledger->users[i].id);
        free(ledger->users[i].email);
    }
    free(ledger->users);
    free(ledger->observer);
    free(ledger);
}

int ledger_adopt(struct ledger *ledger, const char *boot, uint64_t now)
{
    bool same_boot = ledger->boot && strcmp(ledger->boot, boot) == 0;
    ledger->dirty = ledger->dirty || !same_boot;
    for (size_t i = 0; i < ledger->wish_count; i++) {
        struct ledger_wish *wish = ledger->wishes[i];
        if (wish->state == CREATE_BEGUN) {
            wish->state = CREATE_UNKNOWN;
            wish->at = now;
            ledger->dirty = true;
        }
        /* What was already seen in a listing before the reboot lags no more. */
        if (!same_boot || wish->at > now)
            wish->at = wish->seen && wish->state == CREATE_ANSWERED ? 0 : now;
    }
    for (size_t i = 0; i < ledger->deletion_count; i++)
        if (!same_boot || ledger->deletions[i].at > now)
            ledger->deletions[i].at = now;
    for (size_t i = 0; i < ledger->deposed_count; i++) {
        struct ledger_deposed *deposed = &ledger->deposed[i];
        ledger->dirty = ledger->dirty || deposed->begun;
        if (deposed->begun || !same_boot || deposed->at > now)
            deposed->at = now;
        deposed->begun = false;
    }
    /* Times of users are those of one process, and of one boot. */
    if (!same_boot) {
        free(ledger->observer);
        ledger->observer = NULL;
    }
    if (ledger->suspect && (!same_boot || ledger->suspect_at > now))
        ledger->suspect_at = now;
    return memory_set(&ledger->boot, boot);
}

static int compare_wish(const struct ledger_wish *wish, const char *email, enum role role,
                        const struct projects *projects)
{
    int order = address_compare(wish->email, email);
    if (order == 0)
        order = (int)wish->role - (int)role;
    return order != 0 ? order : projects_compare(&wish->projects, projects);
}

static size_t position_of(const struct ledger *ledger, const char *email, enum role role,
                          const struct projects *projects)
{
    size_t low = 0, high = ledger->wish_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_wish(ledger->wishes[middle], email, role, projects) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ledger_wish *ledger_find(const struct ledger *ledger, const char *email, enum role role,
                                const struct projects *projects)
{
    size_t at = position_of(ledger, email, role, projects);
    if (at == ledger->wish_count || compare_wish(ledger->wishes[at], email, role, projects) != 0)
        return NULL;
    return ledger->wishes[at];
}

static struct ledger_wish *wish_new(const char *email, enum role role,
                                    const struct projects *projects)
{
    struct ledger_wish *wish = calloc(1, sizeof *wish);
    if (!wish)
        return NULL;
    wish->role = role;
    wish->email = strdup(email);
    if (!wish->email || projects_copy(projects, &wish->projects) < 0) {
        wish_free(wish);
        return NULL;
    }
    return wish;
}

struct ledger_wish *ledger_take(struct ledger *ledger, const char *email, enum role role,
                                const struct projects *projects)
{
    struct ledger_wish *wish = ledger_find(ledger, email, role, projects);
    if (wish)
        return wish;
    /* The items are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    if (RESERVE(ledger->wishes, ledger->wish_count) < 0)
        return NULL;
    wish = wish_new(email, role, projects);
    if (!wish)
        return NULL;
    size_t at = position_of(ledger, email, role, projects);
    memmove(ledger->wishes + at + 1, ledger->wishes + at,
            (ledger->wish_count - at) * sizeof(struct ledger_wish *));
    ledger->wishes[at] = wish;
    ledger->wish_count++;
    return wish;
}

struct ledger_wish **ledger_of_address(const struct ledger *ledger, const char *email,
                                       size_t *ret_count)
{
    static const struct projects none;
    size_t first = position_of(ledger, email, ROLE_UNKNOWN, &none), end = first;
    while (end < ledger->wish_count && address_compare(ledger->wishes[end]->email, email) == 0)
        end++;
    *ret_count = end - first;
    return ledger->wishes + first;
}

struct ledger_wish *ledger_find_invite(const struct ledger *ledger, const char *invite_id)
{
    for (size_t i = 0; i < ledger->wish_count; i++) {
        struct ledger_wish *wish = ledger->wishes[i];
        if (wish->invite_id && strcmp(wish->invite_id, invite_id) == 0)
            return wish;
    }
    return NULL;
}

static bool is_open(const struct ledger_wish *wish)
{
    return wish->state == CREATE_BEGUN || wish->state == CREATE_UNKNOWN;
}

bool ledger_is_open(const struct ledger *ledger, const char *email)
{
    size_t count;
    struct ledger_wish **wishes = ledger_of_address(ledger, email, &count);
    for (size_t i = 0; i < count; i++)
        if (is_open(wishes[i]))
            return true;
    return false;
}

int ledger_deleted(struct ledger *ledger, const char *invite_id, uint64_t at)
{
    _cleanup_free_ char *id = strdup(invite_id);
    if (!id || RESERVE(ledger->deletions, ledger->deletion_count) < 0)
        return -ENOMEM;
    ledger->deletions[ledger->deletion_count++] =
        (struct ledger_deletion){.invite_id = TAKE(id), .at = at};
    ledger->dirty = true;
    return 0;
}

/* Whether less than `settle` lies between `at` and `begun`. */
static bool is_recent(uint64_t at, uint64_t begun, uint64_t settle)
{
    return begun < at || begun - at < settle;
}

bool ledger_hides(const struct ledger *ledger, const char *invite_id, uint64_t begun,
                  uint64_t settle)
{
    for (size_t i = 0; i < ledger->deletion_count; i++)
        if (strcmp(ledger->deletions[i].invite_id, invite_id) == 0 &&
            is_recent(ledger->deletions[i].at, begun, settle))
            return true;
    return false;
}

int ledger_depose(struct ledger *ledger, const char *id, uint64_t at, bool begun)
{
    size_t i = 0;
    while (i < ledger->deposed_count && strcmp(ledger->deposed[i].id, id) != 0)
        i++;
    if (i == ledger->deposed_count) {
        _cleanup_free_ char *copy = strdup(id);
        if (!copy || RESERVE(ledger->deposed, ledger->deposed_count) < 0)
            return -ENOMEM;
        ledger->deposed[ledger->deposed_count++] = (struct ledger_deposed){.id = TAKE(copy)};
    }
    ledger->deposed[i].at = at;
    ledger->deposed[i].begun = begun;
    ledger->dirty = true;
    return 0;
}

bool ledger_deposes(const struct ledger *ledger, const char *id, uint64_t begun, uint64_t settle)
{
    for (size_t i = 0; i < ledger->deposed_count; i++)
        if (strcmp(ledger->deposed[i].id, id) == 0)
            return is_recent(ledger->deposed[i].at, begun, settle);
    return false;
}

static int compare_id(const void *key, const void *item)
{
    return strcmp(key, ((const struct ledger_user *)item)->id);
}

const struct ledger_user *ledger_find_user(const struct ledger *ledger, const char *id)
{
    if (ledger->user_count == 0)
        return NULL;
    return bsearch(id, ledger->users, ledger->user_count, sizeof *ledger->users, compare_id);
}

uint64_t ledger_removal_due(const struct ledger *ledger, const char *id, uint64_t remove_after)
{
    const struct ledger_user *user = ledger_find_user(ledger, id);
    uint64_t watched = user ? user->undeclared : 0;
    if (watched < remove_after)
        return remove_after - watched;
    return user && user->passes >= 2 ? 0 : 1;
}

void ledger_unwatch(struct ledger *ledger, const char *id)
{
    for (size_t i = 0; i < ledger->user_count; i++) {
        struct ledger_user *user = &ledger->users[i];
        if (user->passes == 0 || (id && strcmp(user->id, id) != 0))
            continue;
        user->passes = 0;
        user->undeclared = user->at = 0;
        ledger->dirty = true;
    }
}

void ledger_mark(struct ledger_wish *wish, enum create_state state, uint64_t at, int64_t wall)
{
    wish->state = state;
    wish->at = at;
    wish->wall = wall;
}

/* What a complete listing is judged by. */
struct look {
    const struct ledger *ledger;
    const struct listing *listing;
    uint64_t begun, settle;
    int64_t now;
};

/*
 * Live; or accepted or expired since, if it was made about when we sent the create, and after the
 * invite that the wish had before: older ones of these stay in the listing.
 */
static bool is_fruit_of(const struct ledger_wish *wish, const struct invite *invite,
                        const struct look *look)
{
    if (invite_is_live(invite, look->now))
        return true;
    const struct invite *before =
        wish->invite_id ? listing_find(look->listing, wish->invite_id) : NULL;
    bool was = invite->status == INVITE_ACCEPTED || invite_is_expired(invite, look->now);
    return was && (!before || invite_newer(invite, before)) && invite->created_at != 0 &&
           invite->created_at >= wish->wall - CREATE_SPAN_SECONDS;
}

/*
 * The invite in the listing that shows that the wish's open create happened, or NULL. One that we
 * deleted shows nothing: the listing may lag.
 */
static const struct invite *shown(const struct ledger_wish *wish, const struct look *look)
{
    const struct invites *invites = listing_invites(look->listing);
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        if (address_compare(invite->email, wish->email) == 0 &&
            invite_grants(invite, wish->role, &wish->projects) && is_fruit_of(wish, invite, look) &&
            !ledger_hides(look->ledger, invite->id, look->begun, look->settle))
            return invite;
    }
    return NULL;
}

/* Whether the address has an invite whose words we do not know: perhaps it is the wish's. */
static bool is_obscure(const struct ledger_wish *wish, const struct look *look)
{
    const struct invites *invites = listing_invites(look->listing);
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        if (invite_is_obscure(invite) && address_compare(invite->email, wish->email) == 0)
            return true;
    }
    return false;
}

static int settle_open(struct ledger_wish *wish, const struct look *look, bool *ret_counted)
{
    const struct invite *invite = shown(wish, look);
    if (invite) {
        if (memory_set(&wish->invite_id, invite->id) < 0)
            return -ENOMEM;
        wish->state = CREATE_ANSWERED;
        wish->seen = true;
        wish->mailed++;
        *ret_counted = true;
        ledger_lose(wish, NULL);
    } else if (!is_recent(wish->at, look->begun, look->settle) && !is_obscure(wish, look)) {
        wish->state = CREATE_NONE;
    }
    return 0;
}

int ledger_settle(struct ledger *ledger, const struct listing *listing, uint64_t begun,
                  uint64_t settle, int64_t now)
{
    const struct look look = {
        .ledger = ledger, .listing = listing, .begun = begun, .settle = settle, .now = now};
    for (size_t i = 0; i < ledger->wish_count; i++) {
        struct ledger_wish *wish = ledger->wishes[i];
        /* What is still there was not lost after all. */
        if (wish->lost.id && listing_find(listing, wish->lost.id) &&
            !ledger_hides(ledger, wish->lost.id, begun, settle)) {
            ledger_lose(wish, NULL);
            ledger->dirty = true;
        }
        if (wish->state == CREATE_UNKNOWN) {
            ledger->dirty = true;
            /* Once we delete that invite, only the ledger knows of the mail. */
            int r = settle_open(wish, &look, &ledger->owes_save);
            if (r < 0)
                return r;
        } else if (wish->invite_id && !wish->seen && listing_find(listing, wish->invite_id)) {
            wish->seen = true;
            ledger->dirty = true;
        }
    }
    return 0;
}

static void forget_deposed(struct ledger *ledger, uint64_t now, uint64_t settle)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->deposed_count; i++) {
        if (is_recent(ledger->deposed[i].at, now, settle))
            ledger->deposed[kept++] = ledger->deposed[i];
        else
            free(ledger->deposed[i].id);
    }
    ledger->dirty = ledger->dirty || kept != ledger->deposed_count;
    ledger->deposed_count = kept;
}

void ledger_forget(struct ledger *ledger, uint64_t now, uint64_t settle, int64_t wall)
{
    forget_deposed(ledger, now, settle);
    size_t kept = 0;
    for (size_t i = 0; i < ledger->deletion_count; i++) {
        if (is_recent(ledger->deletions[i].at, now, settle))
            ledger->deletions[kept++] = ledger->deletions[i];
        else
            free(ledger->deletions[i].invite_id);
    }
    ledger->dirty = ledger->dirty || kept != ledger->deletion_count;
    ledger->deletion_count = kept;

    kept = 0;
    for (size_t i = 0; i < ledger->wish_count; i++) {
        struct ledger_wish *wish = ledger->wishes[i];
        if (is_open(wish) || wall - FORGET_AFTER_SECONDS < wish->wall)
            ledger->wishes[kept++] = wish;
        else
            wish_free(wish);
    }
    ledger->dirty = ledger->dirty || kept != ledger->wish_count;
    ledger->wish_count = kept;
}

int ledger_lose(struct ledger_wish *wish, const struct invite *invite)
{
    struct lost_invite lost = {0};
    if (invite) {
        lost.role = invite->role;
        lost.id = strdup(invite->id);
        if (!lost.id || projects_copy(&invite->projects, &lost.projects) < 0) {
            free(lost.id);
            return -ENOMEM;
        }
    }
    free(wish->lost.id);
    projects_clear(&wish->lost.projects);
    wish->lost = lost;
    return 0;
}

void ledger_inherit_loss(struct ledger *ledger, struct ledger_wish *wish)
{
    size_t count;
    struct ledger_wish **wishes = ledger_of_address(ledger, wish->email, &count);
    for (size_t i = 0; i < count && !wish->lost.id; i++) {
        wish->lost = wishes[i]->lost;
        wishes[i]->lost = (struct lost_invite){0};
    }
}

void ledger_drop_losses(struct ledger *ledger, int64_t now,
                        bool (*is_declared)(const char *email, const void *context),
                        const void *context)
{
    for (size_t i = 0; i < ledger->wish_count; i++) {
        struct ledger_wish *wish = ledger->wishes[i];
        if (!wish->lost.id ||
            (now - wish->wall < LOSS_LASTS_SECONDS && is_declared(wish->email, context)))
            continue;
        ledger_lose(wish, NULL);
        ledger->dirty = true;
    }
}

/* What others do. */
#include "hands.h"

/* ---- invites ------------------------------------------------------------------------------- */

struct org_invite *hands_any_live(struct org *org)
{
    size_t start = org->count ? chance_below(org->chance, org->count) : 0;
    for (size_t i = 0; i < org->count; i++) {
        struct org_invite *invite = &org->invites[(start + i) % org->count];
        if (org_is_live(org, invite))
            return invite;
    }
    return NULL;
}

static const char *strike_invite(enum fault_kind kind, struct people *people, struct org *org)
{
    struct org_invite *invite =
        kind == FAULT_OTHER_INVITES ? people_invite(people, org) : hands_any_live(org);
    if (!invite)
        return NULL;
    switch (kind) {
    case FAULT_OTHER_DELETES:
        org_remove(org, invite, HAND_OTHER);
        break;
    case FAULT_ACCEPTED:
        org_turn(org, invite, INVITE_ACCEPTED);
        break;
    case FAULT_EXPIRED:
        /* One that lives for minutes only, made by another hand, would pass for ours. */
        if (org_date(org) - invite->invite.created_at < 1800)
            return NULL;
        invite->invite.expires_at = org_date(org);
        break;
    case FAULT_UNKNOWN_WORD:
        org_turn(org, invite, INVITE_STATUS_UNKNOWN);
        break;
    default:
        break;
    }
    return invite->invite.id;
}

/* ---- users --------------------------------------------------------------------------------- */

static bool is_last_owner(const struct org *org, const struct org_user *user)
{
    return org_is_person(user) && user->user.role == ROLE_OWNER && org_count_owners(org) == 1;
}

static struct org_user *any_person(struct org *org)
{
    size_t start = org->user_count ? chance_below(org->chance, org->user_count) : 0;
    for (size_t i = 0; i < org->user_count; i++) {
        struct org_user *user = &org->users[(start + i) % org->user_count];
        if (org_is_person(user))
            return user;
    }
    return NULL;
}

/* To an address of nobody's, or now and then to somebody else's, or to none at all. */
static void rename_user(struct people *people, struct org *org, struct org_user *user)
{
    struct chance *chance = org->chance;
    const char *other = people->items[chance_below(chance, people->count)].email;
    _cleanup_free_ char *fresh = memory_format("new%u@acme.example", ++org->joined);
    if (chance_one_in(chance, 8))
        org_rename_user(org, user, NULL);
    else if (chance_one_in(chance, 4) && !org_user_of(org, other))
        org_rename_user(org, user, other);
    else
        org_rename_user(org, user, fresh);
}

static const char *strike_user(enum fault_kind kind, struct people *people, struct org *org)
{
    struct org_user *user = kind == FAULT_USER_ADDED ? people_join(people, org) : any_person(org);
    /* No hand takes the last owner away. */
    if (!user || (kind != FAULT_USER_ADDED && kind != FAULT_USER_RENAMED &&
                  kind != FAULT_USER_MANAGED && is_last_owner(org, user)))
        return NULL;
    switch (kind) {
    case FAULT_USER_REMOVED:
        org_remove_user(org, user);
        break;
    case FAULT_USER_ROLE:
        org_touch_user(org, user);
        user->user.role = user->user.role == ROLE_OWNER ? ROLE_READER : ROLE_OWNER;
        break;
    case FAULT_USER_RENAMED:
        rename_user(people, org, user);
        break;
    case FAULT_USER_MANAGED:
        org_touch_user(org, user);
        user->user.is_scim_managed = !user->user.is_scim_managed;
        break;
    case FAULT_USER_UNKNOWN_ROLE:
        org_touch_user(org, user);
        user->user.role = ROLE_UNKNOWN;
        break;
    default:
        break;
    }
    return user->user.id;
}

void hands_change_user(struct people *people, struct org *org, struct org_user *user)
{
    uint64_t draw = chance_below(org->chance, 6);
    if (draw == 0) {
        rename_user(people, org, user);
        return;
    }
    org_touch_user(org, user);
    if (draw == 1)
        user->user.is_scim_managed = !user->user.is_scim_managed;
    else if (draw == 2 && user->was_count == 0)
        user->user.is_service_account = !is_last_owner(org, user);
    else if (is_last_owner(org, user))
        rename_user(people, org, user);
    else if (draw == 3)
        org_remove_user(org, user);
    else
        user->user.role = user->user.role == ROLE_OWNER ? ROLE_READER : ROLE_OWNER;
}

const char *hands_strike(enum fault_kind kind, struct people *people, struct org *org)
{
    /* Such words come seldom, and stay: nothing more can happen to the person. */
    if ((kind == FAULT_UNKNOWN_WORD || kind == FAULT_USER_UNKNOWN_ROLE) &&
        !chance_one_in(org->chance, 4))
        return NULL;
    return kind <= FAULT_UNKNOWN_WORD ? strike_invite(kind, people, org)
                                      : strike_user(kind, people, org);
}

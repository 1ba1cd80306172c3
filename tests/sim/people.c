/* Drawing people. */
#include "people.h"

#include <string.h>
#include <strings.h>

/* So many people join and leave more often than others; there are more than that. */
#define FICKLE 3

static struct projects draw_projects(struct chance *chance)
{
    struct projects projects = {.given = chance_one_in(chance, 2)};
    for (int i = 0; projects.given && i < 3; i++) {
        static const char *const ids[] = {"proj_a", "proj_b", "proj_c"};
        if (chance_one_in(chance, 3) &&
            projects_add(&projects, ids[i],
                         chance_one_in(chance, 4) ? PROJECT_ROLE_OWNER : PROJECT_ROLE_MEMBER) < 0)
            abort();
    }
    return projects;
}

static enum role draw_role(struct chance *chance)
{
    return chance_one_in(chance, 6) ? ROLE_OWNER : ROLE_READER;
}

static void draw_wish(struct somebody *person, struct org *org)
{
    projects_clear(&person->projects);
    person->role = draw_role(org->chance);
    person->projects = draw_projects(org->chance);
    person->ends_at = chance_one_in(org->chance, 10)
                          ? org_date(org) + (int64_t)chance_below(org->chance, 40000) - 20000
                          : 0;
    person->starts_at = chance_one_in(org->chance, 15)
                            ? org_date(org) + (int64_t)chance_below(org->chance, 6000) - 2000
                            : 0;
}

static void draw_person(struct somebody *person, size_t n, struct org *org)
{
    person->ignored = chance_one_in(org->chance, 12);
    person->declared = !person->ignored && !chance_one_in(org->chance, 5);
    person->protected = !person->ignored && chance_one_in(org->chance, 8);
    person->email = memory_format("%s%zu@%s", chance_one_in(org->chance, 4) ? "Ada" : "bea", n,
                                  person->ignored ? "vendor.example" : "acme.example");
    draw_wish(person, org);
}

struct org_invite *people_invite(struct people *people, struct org *org)
{
    struct chance *chance = org->chance;
    const struct somebody *person = &people->items[chance_below(chance, people->count)];
    if (chance_one_in(chance, 2))
        return org_add(org, person->email, person->role, &person->projects, org->now);
    struct projects projects = draw_projects(chance);
    struct org_invite *made = org_add(org, person->email, draw_role(chance), &projects, org->now);
    projects_clear(&projects);
    return made;
}

/* Some who accepted have left since. */
static void accept(struct org *org, struct org_invite *invite)
{
    struct chance *chance = org->chance;
    uint64_t since = (uint64_t)(org_date(org) - invite->invite.created_at);
    if (since > 7200 && chance_one_in(chance, 3))
        since = 7200;
    invite->invite.accepted_at = org_date(org) - (int64_t)chance_below(chance, since);
    if (chance_one_in(chance, 4) || org_user_of(org, invite->invite.email))
        return;
    struct org_user *user = org_add_user(org, invite->invite.email, invite->invite.role, org->now);
    user->user.added_at = invite->invite.accepted_at;
}

/* Something that happened before the life began. */
static void age(struct org *org, struct org_invite *invite)
{
    invite->invite.created_at -= (int64_t)chance_below(org->chance, 100000);
    switch (chance_below(org->chance, 12)) {
    case 0:
    case 1:
        invite->invite.created_at -= 1800;
        invite->invite.status = INVITE_ACCEPTED;
        accept(org, invite);
        break;
    case 2:
    case 3:
        /* None of these lived for minutes only: see FAULT_EXPIRED. */
        invite->invite.created_at -= 1800;
        invite->invite.status = INVITE_EXPIRED;
        invite->invite.expires_at = org_date(org) - 1;
        break;
    case 4:
        invite->invite.created_at -= 1800;
        invite->invite.expires_at = org_date(org) + (int64_t)chance_below(org->chance, 300);
        break;
    case 5:
        if (chance_one_in(org->chance, 4))
            invite->invite.status = INVITE_STATUS_UNKNOWN;
        else if (chance_one_in(org->chance, 4))
            invite->invite.role = ROLE_UNKNOWN;
        break;
    default:
        break;
    }
    invite->status_before = invite->invite.status;
}

struct org_user *people_join(struct people *people, struct org *org)
{
    struct chance *chance = org->chance;
    const struct somebody *person = &people->items[chance_below(chance, people->count)];
    if (org_user_of(org, person->email))
        return NULL;
    enum role role = chance_one_in(chance, 4) ? draw_role(chance) : person->role;
    return org_add_user(org, person->email, role, org->now);
}

/* Users who came otherwise than by an invite, and those who are no people. */
static void draw_users(struct people *people, struct org *org)
{
    struct chance *chance = org->chance;
    for (size_t n = chance_below(chance, people->count); n > 0; n--) {
        struct org_user *user = people_join(people, org);
        if (!user)
            continue;
        user->user.added_at -= (int64_t)chance_below(chance, 100000);
        user->user.is_scim_managed = chance_one_in(chance, 8);
        if (chance_one_in(chance, 20))
            user->user.role = ROLE_UNKNOWN;
        else if (chance_one_in(chance, 20))
            org_rename_user(org, user, NULL);
    }
    for (size_t n = chance_below(chance, 3); n > 0; n--)
        org_add_user(org, NULL, draw_role(chance), org->now)->user.is_service_account = true;
}

/* An organisation without an owner there cannot be. */
static void draw_owner(struct people *people, struct org *org)
{
    if (org_count_owners(org) > 0)
        return;
    for (size_t i = 0; i < org->user_count; i++) {
        if (org_is_person(&org->users[i])) {
            org->users[i].user.role = ROLE_OWNER;
            return;
        }
    }
    org_add_user(org, people->items[0].email, ROLE_OWNER, org->now);
}

void people_init(struct people *people, size_t count, struct org *org, bool few_users)
{
    people->items = calloc(count, sizeof *people->items);
    people->count = count;
    for (size_t i = 0; i < count; i++)
        draw_person(&people->items[i], i, org);
    size_t invites = chance_below(org->chance, count + count / 2);
    for (size_t i = 0; i < invites; i++)
        age(org, people_invite(people, org));
    if (!few_users)
        draw_users(people, org);
    draw_owner(people, org);
    if (members_ignore(&people->members, "*@vendor.example") < 0)
        abort();
    people_declare(people);
}

static void clear_members(struct members *members)
{
    for (size_t i = 0; i < members->count; i++)
        member_clear(&members->items[i]);
    free(members->items);
    members->items = NULL;
    members->count = 0;
    for (size_t i = 0; i < members->protected_count; i++)
        free(members->protected[i]);
    free(members->protected);
    members->protected = NULL;
    members->protected_count = 0;
}

void people_clear(struct people *people)
{
    clear_members(&people->members);
    for (size_t i = 0; i < people->members.ignore_count; i++)
        free(people->members.ignore[i]);
    free(people->members.ignore);
    for (size_t i = 0; i < people->count; i++) {
        free(people->items[i].email);
        projects_clear(&people->items[i].projects);
    }
    free(people->items);
}

void people_declare(struct people *people)
{
    clear_members(&people->members);
    for (size_t i = 0; i < people->count; i++) {
        const struct somebody *person = &people->items[i];
        if (person->protected && members_protect(&people->members, person->email) < 0)
            abort();
        if (!person->declared)
            continue;
        struct member member = {.email = strdup(person->email),
                                .role = person->role,
                                .starts_at = person->starts_at,
                                .ends_at = person->ends_at,
                                .place = strdup("file")};
        if (projects_copy(&person->projects, &member.projects) < 0 ||
            members_add(&people->members, &member) < 0)
            abort();
    }
    members_sort(&people->members);
}

/* The file learns of an address that has changed at the service. */
static void follow_rename(struct somebody *person, const struct org *org)
{
    for (size_t i = 0; i < org->user_count; i++) {
        const struct org_user *user = &org->users[i];
        for (size_t j = 0; user->user.email && j < user->was_count; j++) {
            if (strcasecmp(user->was[j], person->email) != 0 || person->ignored)
                continue;
            free(person->email);
            person->email = strdup(user->user.email);
            person->ignored = strcasecmp(strchr(person->email, '@'), "@vendor.example") == 0;
            return;
        }
    }
}

static bool is_taken(const struct people *people, const struct somebody *person)
{
    for (size_t i = 0; i < people->count; i++)
        if (&people->items[i] != person && strcasecmp(people->items[i].email, person->email) == 0)
            return true;
    return false;
}

/* The file takes the role from whoever has it; gives it back to whom it was taken from, or not. */
void people_swap_owners(struct people *people, struct org *org)
{
    for (size_t i = 0; i < people->count; i++) {
        struct somebody *person = &people->items[i];
        const struct org_user *user = org_user_of(org, person->email);
        if (!user || !person->declared)
            continue;
        if (user->user.role == ROLE_OWNER) {
            person->role = ROLE_READER;
            person->protected = false;
        } else if (user->set == ROLE_READER) {
            person->role = ROLE_OWNER;
            person->declared = chance_one_in(org->chance, 2);
        }
    }
    people_declare(people);
}

void people_drift(struct people *people, struct org *org)
{
    struct chance *chance = org->chance;
    /* A few come and go all the time. */
    bool fickle = chance_one_in(chance, 3);
    struct somebody *person = &people->items[chance_below(chance, fickle ? FICKLE : people->count)];
    switch (fickle ? 3 : chance_below(chance, 8)) {
    case 0:
        person->protected = !person->protected && !person->ignored;
        break;
    case 1:
        follow_rename(person, org);
        break;
    case 2:
    case 3:
    case 4:
        person->declared = !person->declared && !person->ignored;
        break;
    default:
        draw_wish(person, org);
        break;
    }
    /* No address may be declared twice, or be ignored too. */
    if (is_taken(people, person) || person->ignored)
        person->declared = person->protected = false;
    people_declare(people);
}

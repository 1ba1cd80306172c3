/* Drawing people. */
#include "people.h"

#include <string.h>

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
}

static void draw_person(struct somebody *person, size_t n, struct org *org)
{
    person->ignored = chance_one_in(org->chance, 12);
    person->declared = !person->ignored && !chance_one_in(org->chance, 5);
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

/* Something that happened before the life began. */
static void age(struct org *org, struct org_invite *invite)
{
    invite->invite.created_at -= (int64_t)chance_below(org->chance, 100000);
    switch (chance_below(org->chance, 12)) {
    case 0:
    case 1:
        invite->invite.created_at -= 1800;
        invite->invite.status = INVITE_ACCEPTED;
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

void people_init(struct people *people, size_t count, struct org *org)
{
    people->items = calloc(count, sizeof *people->items);
    people->count = count;
    for (size_t i = 0; i < count; i++)
        draw_person(&people->items[i], i, org);
    size_t invites = chance_below(org->chance, count + count / 2);
    for (size_t i = 0; i < invites; i++)
        age(org, people_invite(people, org));
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
        if (!person->declared)
            continue;
        struct member member = {.email = strdup(person->email),
                                .role = person->role,
                                .ends_at = person->ends_at,
                                .place = strdup("file")};
        if (projects_copy(&person->projects, &member.projects) < 0 ||
            members_add(&people->members, &member) < 0)
            abort();
    }
    members_sort(&people->members);
}

void people_drift(struct people *people, struct org *org)
{
    struct somebody *person = &people->items[chance_below(org->chance, people->count)];
    if (chance_one_in(org->chance, 2))
        person->declared = !person->declared && !person->ignored;
    else
        draw_wish(person, org);
    people_declare(people);
}

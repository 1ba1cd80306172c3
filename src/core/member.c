/* The declared people. */
#include "member.h"

#include <errno.h>
#include <string.h>

#include "address.h"

int members_add(struct members *members, const struct member *member)
{
    if (RESERVE(members->items, members->count) < 0)
        return -ENOMEM;
    members->items[members->count++] = *member;
    return 0;
}

int members_ignore(struct members *members, const char *pattern)
{
    _cleanup_free_ char *copy = strdup(pattern);
    if (!copy || RESERVE(members->ignore, members->ignore_count) < 0)
        return -ENOMEM;
    members->ignore[members->ignore_count++] = TAKE(copy);
    return 0;
}

int members_protect(struct members *members, const char *email)
{
    _cleanup_free_ char *copy = strdup(email);
    if (!copy || RESERVE(members->protected, members->protected_count) < 0)
        return -ENOMEM;
    members->protected[members->protected_count++] = TAKE(copy);
    return 0;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    int order = address_compare(left->email, right->email);
    return order != 0 ? order : strcmp(left->place, right->place);
}

void members_sort(struct members *members)
{
    if (members->count > 1)
        qsort(members->items, members->count, sizeof *members->items, compare_members);
}

const struct member *members_find(const struct members *members, const char *email)
{
    size_t low = 0, high = members->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address_compare(members->items[middle].email, email) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == members->count || address_compare(members->items[low].email, email) != 0)
        return NULL;
    return &members->items[low];
}

const char *members_ignored_by(const struct members *members, const char *email)
{
    for (size_t i = 0; i < members->ignore_count; i++)
        if (address_matches(members->ignore[i], email))
            return members->ignore[i];
    return NULL;
}

bool members_protects(const struct members *members, const char *email)
{
    for (size_t i = 0; i < members->protected_count; i++)
        if (address_compare(members->protected[i], email) == 0)
            return true;
    return false;
}

bool members_have(const struct members *members, const char *email)
{
    return members_find(members, email) || members_protects(members, email) ||
           members_ignored_by(members, email);
}

enum member_standing member_standing(const struct member *member, int64_t now)
{
    if (!member)
        return STANDING_UNDECLARED;
    if (member->ends_at != 0 && member->ends_at <= now)
        return STANDING_ENDED;
    return member->starts_at > now ? STANDING_NOT_BEGUN : STANDING_DECLARED;
}

int64_t members_next_change(const struct members *members, int64_t now)
{
    int64_t next = 0;
    for (size_t i = 0; i < members->count; i++) {
        const int64_t moments[] = {members->items[i].starts_at, members->items[i].ends_at};
        for (size_t j = 0; j < 2; j++)
            if (moments[j] > now && (next == 0 || moments[j] < next))
                next = moments[j];
    }
    return next;
}

void member_clear(struct member *member)
{
    free(member->email);
    projects_clear(&member->projects);
    free(member->note);
    free(member->place);
    *member = (struct member){0};
}

void members_free(struct members *members)
{
    for (size_t i = 0; i < members->count; i++)
        member_clear(&members->items[i]);
    free(members->items);
    for (size_t i = 0; i < members->ignore_count; i++)
        free(members->ignore[i]);
    free(members->ignore);
    for (size_t i = 0; i < members->protected_count; i++) {
        free(members->protected[i]);
        if (members->protected_places)
            free(members->protected_places[i]);
    }
    free(members->protected);
    free(members->protected_places);
    free(members);
}

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
    free(members);
}

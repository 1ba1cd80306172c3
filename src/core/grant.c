/* Roles and project lists. */
#include "grant.h"

#include <errno.h>
#include <string.h>

#include "hidden.h"
#include "memory.h"

#define PROJECT_ID_MAX 128

const char *role_word(enum role role)
{
    switch (role) {
    case ROLE_READER:
        return "reader";
    case ROLE_OWNER:
        return "owner";
    case ROLE_UNKNOWN:
        break;
    }
    return "unknown";
}

enum role role_parse(const char *word)
{
    if (strcmp(word, "reader") == 0)
        return ROLE_READER;
    return strcmp(word, "owner") == 0 ? ROLE_OWNER : ROLE_UNKNOWN;
}

const char *project_role_word(enum project_role role)
{
    switch (role) {
    case PROJECT_ROLE_MEMBER:
        return "member";
    case PROJECT_ROLE_OWNER:
        return "owner";
    case PROJECT_ROLE_UNKNOWN:
        break;
    }
    return "unknown";
}

enum project_role project_role_parse(const char *word)
{
    if (strcmp(word, "member") == 0)
        return PROJECT_ROLE_MEMBER;
    return strcmp(word, "owner") == 0 ? PROJECT_ROLE_OWNER : PROJECT_ROLE_UNKNOWN;
}

static int project_compare(const struct project *a, const struct project *b)
{
    int order = strcmp(a->id, b->id);
    return order != 0 ? order : (int)a->role - (int)b->role;
}

const char *project_id_fault(const char *id)
{
    size_t length = strlen(id);
    if (length == 0)
        return "is empty; write one like \"proj_abc\"";
    if (length > PROJECT_ID_MAX)
        return "is longer than 128 bytes; copy it from the organisation's settings";
    while (*id) {
        uint32_t code = hidden_next_code(&id);
        if (hidden_code(code))
            return "contains a control character; remove it";
        if (code == ' ' || code == 0xa0)
            return "contains a space; remove it";
        if (code == '/')
            return "contains a slash; write the id alone";
    }
    return NULL;
}

int projects_add(struct projects *projects, const char *id, enum project_role role)
{
    struct project added = {.id = strdup(id), .role = role};
    if (!added.id || RESERVE(projects->items, projects->count) < 0) {
        free(added.id);
        return -ENOMEM;
    }
    size_t at = projects->count++;
    for (; at > 0 && project_compare(&added, &projects->items[at - 1]) < 0; at--)
        projects->items[at] = projects->items[at - 1];
    projects->items[at] = added;
    projects->given = true;
    return 0;
}

bool projects_contain(const struct projects *projects, const char *id)
{
    for (size_t i = 0; i < projects->count; i++)
        if (strcmp(projects->items[i].id, id) == 0)
            return true;
    return false;
}

int projects_copy(const struct projects *projects, struct projects *ret)
{
    struct projects copy = {.given = projects->given};
    for (size_t i = 0; i < projects->count; i++) {
        if (projects_add(&copy, projects->items[i].id, projects->items[i].role) < 0) {
            projects_clear(&copy);
            return -ENOMEM;
        }
    }
    copy.given = projects->given;
    *ret = copy;
    return 0;
}

int projects_compare(const struct projects *a, const struct projects *b)
{
    if (a->given != b->given)
        return a->given ? 1 : -1;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = project_compare(&a->items[i], &b->items[i]);
        if (order != 0)
            return order;
    }
    return a->count < b->count ? -1 : a->count > b->count;
}

void projects_clear(struct projects *projects)
{
    for (size_t i = 0; i < projects->count; i++)
        free(projects->items[i].id);
    free(projects->items);
    *projects = (struct projects){0};
}

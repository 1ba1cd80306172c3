/* The member file, in the format that NAME says: refused, or sound and the same when cut short. */
#include "fuzz.h"

#include "codec/memberfile.h"
#include "codec/utf8.h"
#include "core/address.h"

static int parse(const uint8_t *data, size_t size, struct members **ret)
{
    struct source source = {.name = (char[]){NAME}, .text = (char *)data, .length = size};
    struct problems problems = {0};
    int r = memberfile_parse(&source, 1, ret, &problems);
    fuzz_check_problems(r, &problems);
    problems_clear(&problems);
    return r;
}

static void check_projects(const struct projects *projects)
{
    MUST(projects->given || projects->count == 0);
    for (size_t i = 0; i < projects->count; i++) {
        const struct project *project = &projects->items[i];
        MUST(*project->id && strlen(project->id) <= 128 && fuzz_is_shown(project->id));
        MUST(project->role != PROJECT_ROLE_UNKNOWN);
        MUST(i == 0 || strcmp(projects->items[i - 1].id, project->id) < 0);
    }
}

static void check_member(const struct members *members, size_t index)
{
    const struct member *member = &members->items[index];
    MUST(!address_fault(member->email));
    MUST(fuzz_is_shown(member->email));
    MUST(index == 0 || address_compare(members->items[index - 1].email, member->email) < 0);
    MUST(members_find(members, member->email) == member);
    MUST(!members_ignored_by(members, member->email));
    MUST(member->role == ROLE_READER || member->role == ROLE_OWNER);
    MUST(member->starts_at >= 0 && member->starts_at % 86400 == 0);
    MUST(member->ends_at >= 0 && member->ends_at % 86400 == 0);
    MUST(!member->note || utf8_fault_offset(member->note, strlen(member->note)) <= 1024);
    MUST(strncmp(member->place, NAME, strlen(NAME)) == 0);
    check_projects(&member->projects);
}

/* Only warnings, at most one about each who is declared, and about each who is protected. */
static void check_examined(const struct members *members)
{
    struct problems problems = {0};
    memberfile_examine(members, INT64_C(1796169600), &problems);
    MUST(problems.errors == 0 && problems.count <= members->count + members->protected_count);
    problems_clear(&problems);
}

static void check_protected(const struct members *members, size_t index)
{
    const char *email = members->protected[index];
    MUST(!address_fault(email) && fuzz_is_shown(email) && !members_ignored_by(members, email));
    for (size_t i = 0; i < index; i++)
        MUST(address_compare(members->protected[i], email) != 0);
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct members *a, const struct members *b)
{
    bool same = a->count == b->count && a->ignore_count == b->ignore_count &&
                a->protected_count == b->protected_count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct member *left = &a->items[i], *right = &b->items[i];
        same = strcmp(left->email, right->email) == 0 && left->role == right->role &&
               projects_compare(&left->projects, &right->projects) == 0 &&
               left->starts_at == right->starts_at && left->ends_at == right->ends_at &&
               is_same_text(left->note, right->note);
    }
    for (size_t i = 0; same && i < a->ignore_count; i++)
        same = strcmp(a->ignore[i], b->ignore[i]) == 0;
    char **left = a->protected;
    char **right = b->protected;
    for (size_t i = 0; same && i < a->protected_count; i++)
        same = strcmp(left[i], right[i]) == 0;
    return same;
}

static void check_prefix(const struct members *members, const uint8_t *data, size_t length)
{
    _cleanup_(members_free_pointer) struct members *torn = NULL;
    if (parse(data, length, &torn) == 0)
        MUST(is_same(members, torn));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(members_free_pointer) struct members *members = NULL;
    if (parse(data, size, &members) < 0) {
        MUST(!members);
        return 0;
    }
    for (size_t i = 0; i < members->count; i++)
        check_member(members, i);
    for (size_t i = 0; i < members->ignore_count; i++)
        MUST(!address_pattern_fault(members->ignore[i]) && fuzz_is_shown(members->ignore[i]));
    for (size_t i = 0; i < members->protected_count; i++)
        check_protected(members, i);
    check_examined(members);
    check_prefix(members, data, fuzz_cut(data, size));
    for (size_t cut = 1; cut <= 4 && cut <= size; cut++)
        check_prefix(members, data, size - cut);
    return 0;
}

/* What an invite grants: a role in the organisation and, optionally, projects. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Roles of the API description (Invite.role). UNKNOWN is any other word: tolerated, never acted on.
 */
enum role {
    ROLE_UNKNOWN,
    ROLE_READER,
    ROLE_OWNER
};

/* Roles within a project (Invite.projects[].role). */
enum project_role {
    PROJECT_ROLE_UNKNOWN,
    PROJECT_ROLE_MEMBER,
    PROJECT_ROLE_OWNER
};

struct project {
    char *id;
    enum project_role role;
};

/*
 * `given` false: not stated, so not sent and not compared. `given` with no items: explicitly none.
 * The items are kept sorted by id, so that two lists compare whatever order they came in.
 */
struct projects {
    bool given;
    struct project *items;
    size_t count;
};

/* The wire words; role_word(ROLE_UNKNOWN) is "unknown". role_parse returns UNKNOWN for any other.
 */
const char *role_word(enum role role);
enum role role_parse(const char *word);
const char *project_role_word(enum project_role role);
enum project_role project_role_parse(const char *word);

/* Adds a project (the id is copied), keeps the order, and sets `given`. Returns 0 or -ENOMEM. */
int projects_add(struct projects *projects, const char *id, enum project_role role);
/*
 * What is wrong with a project id that somebody wrote, as a phrase with its remedy that completes
 * "the project id …"; NULL when it is fine. The text must be valid UTF-8.
 */
const char *project_id_fault(const char *id);
/* Whether a project of this id is in the list. */
bool projects_contain(const struct projects *projects, const char *id);
/* Copies into *ret, which is overwritten. Returns 0 or -ENOMEM. */
int projects_copy(const struct projects *projects, struct projects *ret);
/* Total order; 0 when both are equally given and hold the same projects and roles. */
int projects_compare(const struct projects *a, const struct projects *b);
void projects_clear(struct projects *projects);

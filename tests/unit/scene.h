/* What the tests of plans share: a situation, and the plan for it as text. */
#pragma once

#include "people.h"

#include "core/plan.h"

#define SECOND UINT64_C(1000000)
#define SETTLE (60 * SECOND)
#define DAY    (24 * 3600 * SECOND)
#define NOW    INT64_C(1700000000)
#define BEGUN  (1000 * SECOND)

struct scene {
    struct members *members;
    struct ledger *ledger;
    struct listing *listing;
    struct listing *users; /* NULL: they are not listed */
    enum users_mode users_mode;
    struct limits limits;
    bool create_only;
    struct plan *plan;
};

static inline struct scene scene_new(void)
{
    return (struct scene){
        .members = calloc(1, sizeof(struct members)),
        .ledger = ledger_new(),
        .limits = {.revocations = 1000,
                   .revocation_ratio = 1,
                   .invites = 1000,
                   .owner_invites = 1000,
                   .renewals = 3,
                   .removals = 1000,
                   .removal_ratio = 1,
                   .min_owners = 1},
    };
}

/* The plan borrows from the listings: it goes first. */
static inline void scene_forget(struct scene *scene)
{
    if (scene->plan)
        plan_free(scene->plan);
    if (scene->listing)
        listing_free(scene->listing);
    if (scene->users)
        listing_free(scene->users);
    scene->plan = NULL;
    scene->listing = scene->users = NULL;
}

static inline void scene_clear(struct scene *scene)
{
    scene_forget(scene);
    members_free(scene->members);
    ledger_free(scene->ledger);
}

#define SCENE _cleanup_(scene_clear) struct scene scene = scene_new()

static inline void make_plan(struct scene *scene)
{
    if (!scene->listing)
        scene->listing = unit_listing(NULL, 0);
    if (scene->plan)
        plan_free(scene->plan);
    const struct plan_inputs inputs = {.members = scene->members,
                                       .listing = scene->listing,
                                       .users = scene->users,
                                       .users_mode = scene->users_mode,
                                       .remove_after = DAY,
                                       .ledger = scene->ledger,
                                       .limits = &scene->limits,
                                       .create_only = scene->create_only,
                                       .begun = BEGUN,
                                       .users_begun = BEGUN,
                                       .settle = SETTLE,
                                       .now = NOW};
    assert_int_equal(plan_build(&inputs, &scene->plan), 0);
}

static inline struct ledger_wish *wish(struct scene *scene, const char *email, const char *role,
                                       const char *projects, enum create_state state,
                                       const char *id)
{
    struct projects list = unit_projects(projects);
    struct ledger_wish *made = ledger_take(scene->ledger, email, role_parse(role), &list);
    projects_clear(&list);
    ledger_mark(made, state, 1, NOW - 1000);
    assert_int_equal(memory_set(&made->invite_id, id), 0);
    return made;
}

/* "action email reason role projects invite[ user][ held]", a line each. */
static inline char *plan_text(const struct plan *plan)
{
    char *text = strdup("");
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        _cleanup_free_ char *projects = unit_projects_text(line->projects);
        char *longer =
            memory_format("%s%s %s %s %s %s %s%s%s%s\n", text, action_word(line->action),
                          line->email, reason_word(line->reason), role_word(line->role), projects,
                          line->invite ? line->invite->id : "-", line->user ? " " : "",
                          line->user ? line->user->id : "", line->held ? " held" : "");
        free(text);
        text = longer;
    }
    return text;
}

static inline void assert_plan(struct scene *scene, const char *expected)
{
    make_plan(scene);
    _cleanup_free_ char *text = plan_text(scene->plan);
    unit_assert_text(text, expected);
}

/* How many lines of an action a limit holds back. */
static inline size_t blocked(const struct scene *scene, enum action action, unsigned by)
{
    size_t n = 0;
    for (size_t i = 0; i < scene->plan->lines.count; i++)
        n += scene->plan->lines.items[i].action == action &&
             scene->plan->lines.items[i].blocked_by == by;
    return n;
}

static inline void assert_excess(const struct scene *scene, enum limit limit, double allowed,
                                 double found)
{
    assert_int_equal(scene->plan->excess_count, 1);
    assert_int_equal(scene->plan->excess[0].limit, limit);
    assert_true(scene->plan->excess[0].allowed == allowed);
    assert_true(scene->plan->excess[0].found == found);
}

/* What the plan's approval would stand for; the caller owns it. */
static inline char *blocked_text(struct scene *scene)
{
    make_plan(scene);
    char *text = plan_blocked_text(scene->plan, scene->ledger);
    assert_non_null(text);
    return text;
}

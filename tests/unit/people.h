/* What the tests of core share: short ways to say who there is. */
#pragma once

#include "unit.h"

#include "core/listing.h"
#include "core/member.h"

/* "a b:owner" → two projects; "" → explicitly none; NULL → not stated. Clear it after use. */
static inline struct projects unit_projects(const char *text)
{
    struct projects projects = {.given = text != NULL};
    char *copy = strdup(text ? text : ""), *rest = copy;
    for (char *id; (id = strsep(&rest, " "));) {
        char *colon = strchr(id, ':');
        if (*id == '\0')
            continue;
        if (colon)
            *colon = '\0';
        assert_int_equal(projects_add(&projects, id,
                                      colon ? project_role_parse(colon + 1) : PROJECT_ROLE_MEMBER),
                         0);
    }
    free(copy);
    return projects;
}

/* The same as text again; the caller owns it. */
static inline char *unit_projects_text(const struct projects *projects)
{
    if (!projects->given)
        return strdup("-");
    char *text = strdup("[");
    for (size_t i = 0; i < projects->count; i++) {
        char *longer = memory_format("%s%s%s:%s", text, i > 0 ? " " : "", projects->items[i].id,
                                     project_role_word(projects->items[i].role));
        free(text);
        text = longer;
    }
    char *closed = memory_format("%s]", text);
    free(text);
    return closed;
}

struct unit_invite {
    const char *id, *email, *role, *status, *projects;
    int64_t created, expires;
};

static inline struct invite unit_invite(const struct unit_invite *given)
{
    return (struct invite){
        .id = strdup(given->id),
        .email = strdup(given->email ? given->email : "ada@x"),
        .role = role_parse(given->role ? given->role : "reader"),
        .status = invite_status_parse(given->status ? given->status : "pending"),
        .created_at = given->created,
        .expires_at = given->expires,
        .projects = unit_projects(given->projects),
    };
}

/* A page of invites whose ids are the words of a text, all of ada@x. */
static inline struct page unit_page(const char *ids, bool has_more)
{
    struct page page = {.has_more = has_more};
    char *copy = strdup(ids), *rest = copy;
    for (char *id; (id = strsep(&rest, " "));) {
        if (*id == '\0')
            continue;
        struct invite invite = unit_invite(&(struct unit_invite){.id = id});
        assert_int_equal(invites_add(&page.invites, &invite), 0);
    }
    free(copy);
    return page;
}

/* A page of users whose ids are the words of a text. */
static inline struct page unit_users_page(const char *ids, bool has_more)
{
    struct page page = {.has_more = has_more};
    char *copy = strdup(ids), *rest = copy;
    for (char *id; (id = strsep(&rest, " "));) {
        if (*id == '\0')
            continue;
        struct user user = {.id = strdup(id), .role = ROLE_READER};
        assert_int_equal(users_add(&page.users, &user), 0);
    }
    free(copy);
    return page;
}

/* A complete listing of these invites. */
static inline struct listing *unit_listing(const struct unit_invite *invites, size_t count)
{
    struct page page = {0};
    for (size_t i = 0; i < count && invites[i].id; i++) {
        struct invite invite = unit_invite(&invites[i]);
        assert_int_equal(invites_add(&page.invites, &invite), 0);
    }
    struct listing *listing = listing_new(LISTING_INVITES);
    assert_int_equal(listing_take_page(listing, &page), 0);
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    return listing;
}

struct unit_user {
    const char *id, *email, *role; /* role NULL: none is stated */
    int64_t added;
    bool is_service, is_scim;
};

static inline struct user unit_user(const struct unit_user *given)
{
    struct user user = {
        .id = strdup(given->id),
        .role = given->role ? role_parse(given->role) : ROLE_UNKNOWN,
        .added_at = given->added,
        .is_service_account = given->is_service,
        .is_scim_managed = given->is_scim,
    };
    assert_int_equal(memory_set(&user.email, given->email), 0);
    assert_int_equal(memory_set(&user.role_text, given->role), 0);
    return user;
}

/* A complete listing of these users. */
static inline struct listing *unit_users(const struct unit_user *users, size_t count)
{
    struct page page = {0};
    for (size_t i = 0; i < count && users[i].id; i++) {
        struct user user = unit_user(&users[i]);
        assert_int_equal(users_add(&page.users, &user), 0);
    }
    struct listing *listing = listing_new(LISTING_USERS);
    assert_int_equal(listing_take_page(listing, &page), 0);
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    return listing;
}

static inline void unit_declare(struct members *members, const char *email, const char *role,
                                const char *projects, int64_t ends_at)
{
    struct member member = {.email = strdup(email),
                            .role = role_parse(role),
                            .projects = unit_projects(projects),
                            .ends_at = ends_at,
                            .place = strdup("test")};
    assert_int_equal(members_add(members, &member), 0);
    members_sort(members);
}

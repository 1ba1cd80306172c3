/* The users of the model organisation. */
#include "org_user.h"

#include <string.h>
#include <strings.h>

struct org_user *org_find_user(struct org *org, const char *id)
{
    for (size_t i = 0; i < org->user_count; i++)
        if (org->users[i].gone_at == SIM_NEVER && strcmp(org->users[i].user.id, id) == 0)
            return &org->users[i];
    return NULL;
}

struct org_user *org_user_of(struct org *org, const char *email)
{
    for (size_t i = 0; i < org->user_count; i++)
        if (org->users[i].gone_at == SIM_NEVER && org->users[i].user.email &&
            strcasecmp(org->users[i].user.email, email) == 0)
            return &org->users[i];
    return NULL;
}

bool org_shows_user(const struct org_user *user, uint64_t at)
{
    return user->shows_at <= at && at < user->hides_at;
}

bool org_is_person(const struct org_user *user)
{
    return user->gone_at == SIM_NEVER && !user->user.is_service_account;
}

size_t org_count_owners(const struct org *org)
{
    size_t count = 0;
    for (size_t i = 0; i < org->user_count; i++)
        count += org_is_person(&org->users[i]) && org->users[i].user.role == ROLE_OWNER;
    return count;
}

/* Once in a while an id differs from an older one by case alone. */
static char *new_id(struct org *org)
{
    org->joined++;
    if (org->user_count > 0 && chance_one_in(org->chance, 4)) {
        char *id = strdup(org->users[chance_below(org->chance, org->user_count)].user.id);
        char *last = id + strlen(id) - 1;
        *last = *last == 'x' ? 'X' : 'x';
        bool taken = false;
        for (size_t i = 0; i < org->user_count; i++)
            taken = taken || strcmp(org->users[i].user.id, id) == 0;
        if (!taken)
            return id;
        free(id);
    }
    return memory_format("user-%ux", org->joined);
}

struct org_user *org_add_user(struct org *org, const char *email, enum role role, uint64_t shows_at)
{
    if (RESERVE(org->users, org->user_count) < 0)
        abort();
    struct org_user added = {
        .user = {.id = new_id(org),
                 .email = email ? org_address(org, email) : NULL,
                 .role = role,
                 .added_at = org_date(org)},
        .shows_at = shows_at,
        .gone_at = SIM_NEVER,
        .hides_at = SIM_NEVER,
    };
    org->users[org->user_count] = added;
    return &org->users[org->user_count++];
}

static struct user copied(const struct user *from)
{
    struct user copy = *from;
    copy.id = strdup(from->id);
    copy.email = from->email ? strdup(from->email) : NULL;
    copy.name = copy.role_text = NULL;
    return copy;
}

void org_touch_user(struct org *org, struct org_user *user)
{
    user_clear(&user->before);
    user->before = copied(&user->user);
    user->change_shows_at = org->now + org_lag(org);
}

void org_rename_user(struct org *org, struct org_user *user, const char *email)
{
    org_touch_user(org, user);
    if (user->user.email) {
        if (RESERVE(user->was, user->was_count) < 0)
            abort();
        user->was[user->was_count++] = user->user.email;
    }
    user->user.email = email ? org_address(org, email) : NULL;
}

void org_remove_user(struct org *org, struct org_user *user)
{
    user->gone_at = org->now;
    user->hides_at = org->now + org_lag(org);
    if (user->hides_at < user->shows_at)
        user->hides_at = user->shows_at;
}

struct user org_user_reading(const struct org *org, const struct org_user *from, uint64_t at)
{
    struct user copy = copied(at < from->change_shows_at ? &from->before : &from->user);
    if (org->habits.hides_added)
        copy.added_at = 0;
    return copy;
}

void org_serve_user(struct org *org, const struct request *request, struct answer *answer)
{
    struct org_user *user = org_find_user(org, request->user_id);
    if (!user) {
        org_refuse(answer, 404);
        return;
    }
    if (request->call == CALL_DELETE_USER) {
        org_remove_user(org, user);
        return;
    }
    if (request->call == CALL_SET_ROLE) {
        org_touch_user(org, user);
        user->user.role = user->set = request->role;
    }
    answer->user = org_user_reading(org, user, SIM_NEVER);
}

void org_clear_users(struct org *org)
{
    for (size_t i = 0; i < org->user_count; i++) {
        struct org_user *user = &org->users[i];
        user_clear(&user->user);
        user_clear(&user->before);
        for (size_t j = 0; j < user->was_count; j++)
            free(user->was[j]);
        free(user->was);
    }
    free(org->users);
}

/* Users: who they are, in whatever shape, and who may not be removed. */
#include "user.h"

#include "base.h"

#include <string.h>
#include <strings.h>

const char *const user_shape_words[SHAPE_COUNT + 1] = {"flat", "nested", "full", "mixed", NULL};

bool user_shape_parse(const char *word, enum user_shape *ret)
{
    for (int i = 0; i < SHAPE_COUNT; i++)
        if (strcmp(word, user_shape_words[i]) == 0) {
            *ret = (enum user_shape)i;
            return true;
        }
    return false;
}

static char *copy(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

struct user *user_new(const char *email, const char *name, const char *role)
{
    struct user *user = must(calloc(1, sizeof *user));
    char text[25];
    random_text(text, 24, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    user->id = format("user_%s", text);
    user->email = copy(email);
    user->name = copy(name);
    user->role = copy(role);
    return user;
}

void user_free(struct user *user)
{
    free(user->id);
    free(user->email);
    free(user->name);
    free(user->role);
    if (user->before)
        user_free(user->before);
    free(user);
}

/* ---- membership, by folded address ---- */

static void count_member(struct org *org, const char *email, int more)
{
    if (!email)
        return;
    _cleanup_free_ char *key = lower_case(email);
    json_int_t count = json_integer_value(json_object_get(org->members, key)) + more;
    if (count > 0)
        json_object_set_new(org->members, key, must(json_integer(count)));
    else
        json_object_del(org->members, key);
}

bool org_is_member(const struct org *org, const char *email)
{
    _cleanup_free_ char *key = lower_case(email);
    return json_object_get(org->members, key) != NULL;
}

void org_set_email(struct org *org, struct user *user, const char *email)
{
    count_member(org, user->email, -1);
    free(user->email);
    user->email = copy(email);
    count_member(org, user->email, 1);
}

/* ---- the list of users ---- */

void org_add_user(struct org *org, struct user *user)
{
    user->number = org->users_ever++;
    if (org->user_count == org->user_capacity) {
        org->user_capacity = org->user_capacity ? org->user_capacity * 2 : 64;
        org->users = must(reallocarray(org->users, org->user_capacity, sizeof *org->users));
    }
    size_t at = org->user_count++;
    for (; at > 0 && org->users[at - 1]->added_at > user->added_at; at--)
        org->users[at] = org->users[at - 1];
    org->users[at] = user;
    count_member(org, user->email, 1);
}

/* Forgets removed users that no listing shows any more. */
static void purge(struct org *org, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < org->user_count; i++) {
        struct user *user = org->users[i];
        if (user->removed && user->unlisted_ms <= now_ms)
            user_free(user);
        else
            org->users[kept++] = user;
    }
    org->user_count = kept;
}

struct user *org_find_user(const struct org *org, const char *id)
{
    for (size_t i = 0; i < org->user_count; i++)
        if (!org->users[i]->removed && strcmp(org->users[i]->id, id) == 0)
            return org->users[i];
    return NULL;
}

struct user *org_find_member(const struct org *org, const char *email)
{
    for (size_t i = org->user_count; i-- > 0;) {
        struct user *user = org->users[i];
        if (!user->removed && user->email && strcasecmp(user->email, email) == 0)
            return user;
    }
    return NULL;
}

/* ---- rules ---- */

static bool is_owner(const struct user *user)
{
    return !user->removed && !user->is_service_account && user->role &&
           strcmp(user->role, "owner") == 0;
}

/* What stands in the way of taking the role `owner`, or everything, from this user. */
static enum org_answer check_loss(const struct org *org, const struct user *user)
{
    size_t owners = 0;
    if (user->is_service_account)
        return ORG_SERVICE_ACCOUNT;
    if (user->is_scim_managed)
        return ORG_SCIM_MANAGED;
    for (size_t i = 0; i < org->user_count; i++)
        owners += is_owner(org->users[i]);
    return is_owner(user) && owners == 1 ? ORG_LAST_OWNER : ORG_DONE;
}

enum org_answer org_set_role(struct org *org, int64_t now_ms, struct user *user, const char *role)
{
    if (user->role && strcmp(user->role, role) == 0)
        return ORG_DONE;
    enum org_answer answer = check_loss(org, user);
    if (answer != ORG_DONE)
        return answer;
    org_user_changes(org, now_ms, user);
    free(user->role);
    user->role = must(strdup(role));
    return ORG_DONE;
}

enum org_answer org_remove_user(struct org *org, int64_t now_ms, struct user *user)
{
    enum org_answer answer = check_loss(org, user);
    if (answer == ORG_DONE)
        org_drop_user(org, now_ms, user);
    return answer;
}

void org_drop_user(struct org *org, int64_t now_ms, struct user *user)
{
    count_member(org, user->email, -1);
    user->removed = true;
    user->unlisted_ms = now_ms + org->lag_ms;
    purge(org, now_ms);
}

void org_user_changes(const struct org *org, int64_t now_ms, struct user *user)
{
    if (org->lag_ms == 0)
        return;
    struct user *before = must(malloc(sizeof *before));
    *before = *user;
    before->id = copy(user->id);
    before->email = copy(user->email);
    before->name = copy(user->name);
    before->role = copy(user->role);
    user->before = before;
    user->before_ms = now_ms + org->lag_ms;
}

/* ---- shapes ---- */

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? must(json_string(text)) : json_null());
}

static void set_flags(json_t *object, const struct user *user, bool always)
{
    if (always || user->is_service_account)
        json_object_set_new(object, "is_service_account", json_boolean(user->is_service_account));
    if (always || user->is_scim_managed)
        json_object_set_new(object, "is_scim_managed", json_boolean(user->is_scim_managed));
}

static json_t *person(const char *type, const struct user *user)
{
    json_t *object = must(json_pack("{s:s, s:s}", "object", type, "id", user->id));
    set_text(object, "email", user->email);
    set_text(object, "name", user->name);
    return object;
}

json_t *user_show(const struct user *user, enum user_shape shape)
{
    json_t *object = shape == SHAPE_NESTED ? must(json_pack("{s:s}", "object", "organization.user"))
                                           : person("organization.user", user);
    set_text(object, "role", user->role);
    if (shape != SHAPE_NESTED)
        json_object_set_new(object, "added_at", must(json_integer(user->added_at)));
    set_flags(object, user, shape != SHAPE_FLAT);
    if (shape == SHAPE_FLAT)
        return object;
    json_object_set_new(object, "created", must(json_integer(user->added_at)));
    json_object_set_new(object, "user", person("user", user));
    return object;
}

/* The shape in which a user stands in a listing, or by itself. */
static enum user_shape shape_of(const struct org *org, const struct user *user, bool by_itself)
{
    return org->user_shape == SHAPE_MIXED ? (user->number + by_itself) % SHAPE_MIXED
                                          : org->user_shape;
}

json_t *org_show_user(const struct org *org, const struct user *user)
{
    return user_show(user, shape_of(org, user, true));
}

json_t *org_list_user(const struct org *org, const struct user *user, int64_t now_ms)
{
    const struct user *shown = user;
    while (shown->before && shown->before_ms > now_ms)
        shown = shown->before;
    return user_show(shown, shape_of(org, user, false));
}

struct user **org_user_listing(const struct org *org, int64_t now_ms, size_t *ret_count)
{
    struct user **listing = must(calloc(org->user_count + 1, sizeof *listing));
    size_t count = 0;
    for (size_t i = 0; i < org->user_count; i++) {
        struct user *user = org->users[org->oldest_first ? i : org->user_count - 1 - i];
        if (user->listed_ms <= now_ms && (!user->removed || user->unlisted_ms > now_ms))
            listing[count++] = user;
    }
    *ret_count = count;
    return listing;
}

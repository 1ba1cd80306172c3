/* Users out of JSON. */
#include "userfile.h"

#include "base.h"
#include "entry.h"

#include <string.h>

static const char *const user_keys[] = {
    "email", "name",     "role", "is_service_account", "is_scim_managed", "id",
    "age",   "added_at", NULL};
/* The first of them can be changed. */
static const char *const change_keys[] = {"email",           "name", "role", "is_service_account",
                                          "is_scim_managed", NULL};

struct entry {
    const char *email, *name, *role;
    bool is_service_account, is_scim_managed;
};

/* Reads over what is in *read already. */
static char *read_entry(json_t *entry, const char *where, struct entry *read)
{
    char *wrong;
    if ((wrong = entry_check_text_or_null(entry, "email", where, &read->email)) ||
        (wrong = entry_check_text_or_null(entry, "name", where, &read->name)) ||
        (wrong = entry_check_text_or_null(entry, "role", where, &read->role)) ||
        (wrong = entry_check_flag(entry, "is_service_account", where, &read->is_service_account)))
        return wrong;
    return entry_check_flag(entry, "is_scim_managed", where, &read->is_scim_managed);
}

static char *check_entry(const struct org *org, json_t *entry, const char *where, const char **id)
{
    char *wrong;
    if (!json_is_object(entry))
        return format("%s: must be an object", where);
    if ((wrong = entry_check_keys(entry, user_keys, where)) ||
        (wrong = entry_check_text(entry, "id", where, id)) ||
        (wrong = entry_check_time(entry, "age", "added_at", false, where)) ||
        (wrong = entry_check_time(entry, "added_at", "age", false, where)))
        return wrong;
    if (!json_object_get(entry, "email"))
        return format("%s.email: missing; it may be null", where);
    return *id && org_find_user(org, *id) ? format("%s.id: %s is taken", where, *id) : NULL;
}

char *userfile_add(struct org *org, json_t *entry, const char *where, int64_t now_ms,
                   struct user **ret_user)
{
    struct entry read = {.role = "reader"};
    const char *id = NULL;
    char *wrong;
    if ((wrong = check_entry(org, entry, where, &id)) || (wrong = read_entry(entry, where, &read)))
        return wrong;
    struct user *user = user_new(read.email, read.name, read.role);
    if (id) {
        free(user->id);
        user->id = must(strdup(id));
    }
    user->is_service_account = read.is_service_account;
    user->is_scim_managed = read.is_scim_managed;
    json_t *at = json_object_get(entry, "added_at");
    user->added_at = at ? json_integer_value(at)
                        : now_ms / 1000 - json_integer_value(json_object_get(entry, "age"));
    org_add_user(org, user);
    if (ret_user)
        *ret_user = user;
    return NULL;
}

static void replace(char **text, const char *other)
{
    char *copy = other ? must(strdup(other)) : NULL;
    free(*text);
    *text = copy;
}

char *userfile_change(struct org *org, struct user *user, json_t *entry, const char *where,
                      int64_t now_ms)
{
    struct entry read = {user->email, user->name, user->role, user->is_service_account,
                         user->is_scim_managed};
    char *wrong;
    if (!json_is_object(entry) || json_object_size(entry) == 0)
        return format("%s: must be an object that names what to change", where);
    if ((wrong = entry_check_keys(entry, change_keys, where)) ||
        (wrong = read_entry(entry, where, &read)))
        return wrong;
    org_user_changes(org, now_ms, user);
    if (json_object_get(entry, "email"))
        org_set_email(org, user, read.email);
    replace(&user->name, read.name);
    replace(&user->role, read.role);
    user->is_service_account = read.is_service_account;
    user->is_scim_managed = read.is_scim_managed;
    return NULL;
}

/* The organisation file: JSON in, invites and users out, every mistake named by its place. */
#include "orgfile.h"

#include "base.h"
#include "entry.h"
#include "userfile.h"

#include <string.h>

/* The keys of an entry of "invites"; an entry of "generate" has two more and no id. */
static const char *const invite_keys[] = {"email",      "role",        "status",     "projects",
                                          "id",         "age",         "created_at", "expires_in",
                                          "expires_at", "accepted_at", "member",     NULL};
static const char *const file_keys[] = {"organization", "lifetime", "expiry_reads",   "users",
                                        "invites",      "generate", "generate_users", NULL};

static char *check_projects(json_t *entry, const char *where)
{
    json_t *projects = json_object_get(entry, "projects"), *project;
    size_t i;
    if (!projects || json_is_null(projects) ||
        (json_is_string(projects) && strcmp(json_string_value(projects), "omit") == 0))
        return NULL;
    if (!json_is_array(projects))
        return format("%s.projects: must be an array, null or \"omit\"", where);
    json_array_foreach(projects, i, project) if (
        !json_is_string(json_object_get(project, "id")) ||
        !json_is_string(json_object_get(
            project, "role"))) return format("%s.projects[%zu]: must be {\"id\": …, \"role\": …}",
                                             where, i);
    return NULL;
}

/* Checks the times: expires_* and accepted_at may be null; no two keys for one thing. */
static char *check_times(json_t *entry, const char *where)
{
    char *wrong;
    if ((wrong = entry_check_time(entry, "age", "created_at", false, where)) ||
        (wrong = entry_check_time(entry, "created_at", "age", false, where)) ||
        (wrong = entry_check_time(entry, "expires_in", "expires_at", true, where)) ||
        (wrong = entry_check_time(entry, "expires_at", "expires_in", true, where)))
        return wrong;
    return entry_check_time(entry, "accepted_at", "", true, where);
}

static void set_created(struct invite *invite, json_t *entry, const struct org *org, int64_t now)
{
    json_t *age = json_object_get(entry, "age"), *at = json_object_get(entry, "created_at");
    /* An invite that has expired must be older than its life, unless the file says how old. */
    int64_t usual = strcmp(invite->status, "expired") == 0 ? org->lifetime + 60 : 0;
    invite->created_at =
        at ? json_integer_value(at) : now - (age ? json_integer_value(age) : usual);
}

static void set_expiry(struct invite *invite, json_t *entry, const struct org *org, int64_t now)
{
    json_t *in = json_object_get(entry, "expires_in"), *at = json_object_get(entry, "expires_at");
    invite->expires = !json_is_null(in) && !json_is_null(at);
    invite->expires_at = invite->created_at + org->lifetime;
    if (json_is_integer(in))
        invite->expires_at = now + json_integer_value(in);
    else if (json_is_integer(at))
        invite->expires_at = json_integer_value(at);
    else if (strcmp(invite->status, "expired") == 0 && invite->expires_at > now)
        invite->expires_at = now;
}

static void set_accepted(struct invite *invite, json_t *entry)
{
    json_t *at = json_object_get(entry, "accepted_at");
    invite->was_accepted = at ? json_is_integer(at) : strcmp(invite->status, "accepted") == 0;
    invite->accepted_at = json_is_integer(at) ? json_integer_value(at) : invite->created_at;
}

static json_t *copy_projects(json_t *entry)
{
    json_t *projects = json_object_get(entry, "projects");
    if (!projects)
        return must(json_array());
    return json_is_string(projects) ? NULL : must(json_deep_copy(projects));
}

static struct invite *build_invite(struct org *org, json_t *entry, const char *email,
                                   const char *role, const char *status, int64_t now_ms)
{
    struct invite *invite = invite_new(email, role);
    free(invite->status);
    invite->status = must(strdup(status));
    json_t *id = json_object_get(entry, "id");
    if (id) {
        free(invite->id);
        invite->id = must(strdup(json_string_value(id)));
    }
    invite->projects = copy_projects(entry);
    set_created(invite, entry, org, now_ms / 1000);
    set_expiry(invite, entry, org, now_ms / 1000);
    set_accepted(invite, entry);
    return invite;
}

char *orgfile_add_invite(struct org *org, json_t *entry, const char *where, int64_t now_ms,
                         struct invite **ret_invite)
{
    const char *email = NULL, *role = "reader", *status = "pending", *id = NULL;
    char *wrong;
    if (!json_is_object(entry))
        return format("%s: must be an object", where);
    if ((wrong = entry_check_keys(entry, invite_keys, where)) ||
        (wrong = entry_check_text(entry, "email", where, &email)) ||
        (wrong = entry_check_text(entry, "role", where, &role)) ||
        (wrong = entry_check_text(entry, "status", where, &status)) ||
        (wrong = entry_check_text(entry, "id", where, &id)) ||
        (wrong = check_projects(entry, where)) || (wrong = check_times(entry, where)))
        return wrong;
    if (!email)
        return format("%s.email: missing", where);
    if (id && org_find(org, id))
        return format("%s.id: %s is taken", where, id);
    /* Who accepted is a user, unless the file says that they have left again. */
    bool member = strcmp(status, "accepted") == 0;
    if ((wrong = entry_check_flag(entry, "member", where, &member)))
        return wrong;
    struct invite *invite = build_invite(org, entry, email, role, status, now_ms);
    org_add(org, invite);
    if (member)
        org_join(org, invite, now_ms, 0);
    if (ret_invite)
        *ret_invite = invite;
    return NULL;
}

/* Splits an address like user%03d@example.com; false unless it has exactly one such place. */
static bool split_template(const char *template, char **head, int *width, const char **tail)
{
    const char *percent = strchr(template, '%');
    if (!percent)
        return false;
    char *end;
    long digits = strtol(percent + 1, &end, 10);
    if (*end != 'd' || digits < 0 || digits > 9 || strchr(end, '%'))
        return false;
    *head = must(strndup(template, (size_t)(percent - template)));
    *width = (int)digits;
    *tail = end + 1;
    return true;
}

/* Adds what an entry describes. */
typedef char *add_entry(struct org *org, json_t *entry, const char *where, int64_t now_ms);

static char *add_invite(struct org *org, json_t *entry, const char *where, int64_t now_ms)
{
    return orgfile_add_invite(org, entry, where, now_ms, NULL);
}

static char *add_user(struct org *org, json_t *entry, const char *where, int64_t now_ms)
{
    return userfile_add(org, entry, where, now_ms, NULL);
}

static char *generate(struct org *org, json_t *rule, add_entry *add, const char *where,
                      int64_t now_ms)
{
    json_t *count = json_object_get(rule, "count"), *first = json_object_get(rule, "first");
    json_t *email = json_object_get(rule, "email");
    _cleanup_free_ char *head = NULL;
    const char *tail;
    int width;
    if (!json_is_integer(count) || json_integer_value(count) < 0 ||
        json_integer_value(count) > 1000000)
        return format("%s.count: must be a whole number from 0 to 1000000", where);
    if (first && !json_is_integer(first))
        return format("%s.first: must be a whole number", where);
    if (!json_is_string(email) || !split_template(json_string_value(email), &head, &width, &tail))
        return format("%s.email: must hold %%d, as in user%%03d@example.com, once", where);
    if (json_object_get(rule, "id"))
        return format("%s.id: cannot be given for several", where);
    json_auto_t *entry = must(json_deep_copy(rule));
    json_object_del(entry, "count");
    json_object_del(entry, "first");
    long long from = first ? json_integer_value(first) : 1;
    for (long long i = 0; i < json_integer_value(count); i++) {
        _cleanup_free_ char *address = format("%s%0*lld%s", head, width, from + i, tail);
        json_object_set_new(entry, "email", must(json_string(address)));
        char *wrong = add(org, entry, where, now_ms);
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* One rule, or an array of rules. */
static char *load_generate(struct org *org, json_t *file, const char *key, add_entry *add,
                           int64_t now_ms)
{
    json_t *rules = json_object_get(file, key), *rule;
    size_t i;
    if (json_is_object(rules))
        return generate(org, rules, add, key, now_ms);
    if (rules && !json_is_array(rules))
        return format("%s: must be an object or an array of objects", key);
    json_array_foreach(rules, i, rule)
    {
        _cleanup_free_ char *where = format("%s[%zu]", key, i);
        char *wrong = generate(org, rule, add, where, now_ms);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static char *load_entries(struct org *org, json_t *file, const char *key, add_entry *add,
                          int64_t now_ms)
{
    json_t *entries = json_object_get(file, key), *entry;
    size_t i;
    if (entries && !json_is_array(entries))
        return format("%s: must be an array", key);
    json_array_foreach(entries, i, entry)
    {
        _cleanup_free_ char *where = format("%s[%zu]", key, i);
        char *wrong = add(org, entry, where, now_ms);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static char *load_settings(struct org *org, json_t *file)
{
    json_t *lifetime = json_object_get(file, "lifetime");
    json_t *reads = json_object_get(file, "expiry_reads");
    const char *id = NULL, *word = json_string_value(reads);
    char *wrong = entry_check_text(file, "organization", "file", &id);
    if (wrong)
        return wrong;
    if (id) {
        free(org->id);
        org->id = must(strdup(id));
    }
    if (lifetime && (!json_is_integer(lifetime) || json_integer_value(lifetime) <= 0 ||
                     json_integer_value(lifetime) > 1000000000000))
        return format("lifetime: must be a number of seconds above 0");
    if (lifetime)
        org->lifetime = json_integer_value(lifetime);
    if (reads && (!word || (strcmp(word, "pending") != 0 && strcmp(word, "expired") != 0)))
        return format("expiry_reads: must be \"expired\" or \"pending\"");
    org->expired_reads_pending = word && strcmp(word, "pending") == 0;
    return NULL;
}

char *orgfile_load(struct org *org, const char *path, int64_t now_ms)
{
    json_error_t error;
    json_auto_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    _cleanup_free_ char *wrong = NULL;
    if (!file)
        return error.line > 0 ? format("%s:%d: %s", path, error.line, error.text)
                              : format("%s: %s", path, error.text);
    if (!json_is_object(file))
        return format("%s: must hold an object", path);
    /* Users come first: an accepted invite makes another only where its address has none. */
    if ((wrong = entry_check_keys(file, file_keys, "file")) || (wrong = load_settings(org, file)) ||
        (wrong = load_entries(org, file, "users", add_user, now_ms)) ||
        (wrong = load_generate(org, file, "generate_users", add_user, now_ms)) ||
        (wrong = load_entries(org, file, "invites", add_invite, now_ms)) ||
        (wrong = load_generate(org, file, "generate", add_invite, now_ms)))
        return format("%s: %s", path, wrong);
    return NULL;
}

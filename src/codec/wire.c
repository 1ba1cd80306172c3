/* API JSON by jansson. */
#include "wire.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "codec/jsontext.h"
#include "codec/utf8.h"

/* An error message longer than this is cut: it is for people. */
#define MESSAGE_MAX 300
#define CODE_MAX    60
/* Ids go into URLs, the ledger and the journal. */
#define ID_MAX 256

static inline void json_release(json_t *json)
{
    json_decref(json);
}
DEFINE_CLEANUP(json_t *, json_release)

char *wire_create_body(const char *email, enum role role, const struct projects *projects)
{
    jsontext_begin();
    json_t *body = json_pack("{s:s, s:s}", "email", email, "role", role_word(role));
    json_t *list = projects->given ? json_array() : NULL;
    for (size_t i = 0; i < projects->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "id", projects->items[i].id, "role",
                                              project_role_word(projects->items[i].role)));
    if (list)
        json_object_set_new(body, "projects", list);
    return jsontext_end(body, JSON_COMPACT);
}

char *wire_set_role_body(enum role role)
{
    jsontext_begin();
    return jsontext_end(json_pack("{s:s}", "role", role_word(role)), JSON_COMPACT);
}

/* Says what is wrong with a body; always returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) static int bad(char **ret_error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *ret_error = memory_format_list(format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int load(const char *body, size_t length, json_t **ret, char **ret_error)
{
    json_error_t error;
    json_t *json;
    int r = jsontext_load(body, length, &json, &error);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return bad(ret_error, "the body is not JSON (%s)", error.text);
    if (!json_is_object(json)) {
        json_decref(json);
        return bad(ret_error, "the body is not %s", "a JSON object");
    }
    *ret = json;
    return 0;
}

/* A value that may be missing or null, or else must be of the wanted kind. */
static bool is_absent(const json_t *value)
{
    return !value || json_is_null(value);
}

static int read_text(const json_t *object, const char *key, char **ret, char **ret_error)
{
    const json_t *value = json_object_get(object, key);
    if (is_absent(value))
        return 0;
    if (!json_is_string(value))
        return bad(ret_error, "`%s` is not a string", key);
    return (*ret = strdup(json_string_value(value))) ? 0 : -ENOMEM;
}

/* An id becomes part of a path: one that is only dots would name another resource. */
static int check_id(const char *id, const char *whose, char **ret_error)
{
    if (!id || *id == '\0')
        return bad(ret_error, "%s lacks `id`", whose);
    if (strspn(id, ".") == strlen(id))
        return bad(ret_error, "`id` of %s is only dots", whose);
    if (strlen(id) > ID_MAX)
        return bad(ret_error, "`id` of %s is longer than %d bytes", whose, ID_MAX);
    return 0;
}

static int read_time(const json_t *object, const char *key, int64_t *ret, char **ret_error)
{
    const json_t *value = json_object_get(object, key);
    if (is_absent(value))
        return 0;
    /* A fraction of a second does no harm; anything that is no time does. */
    if (!json_is_number(value))
        return bad(ret_error, "`%s` is not a number", key);
    double number = json_number_value(value);
    if (!(number >= 0 && number < 1e15))
        return bad(ret_error, "`%s` is no time", key);
    *ret = json_is_integer(value) ? json_integer_value(value) : (int64_t)number;
    return 0;
}

static int read_project(const json_t *item, struct projects *projects, char **ret_error)
{
    const char *id = json_string_value(json_object_get(item, "id"));
    const char *role = json_string_value(json_object_get(item, "role"));
    if (!id)
        return bad(ret_error, "a project lacks %s", "`id`");
    if (strlen(id) > ID_MAX)
        return bad(ret_error, "`id` of a project is longer than %d bytes", ID_MAX);
    if (!role)
        return bad(ret_error, "a project lacks %s", "`role`");
    return projects_add(projects, id, project_role_parse(role));
}

/* Missing or null: not stated. A project role we do not know makes the whole list uncomparable. */
static int read_projects(const json_t *object, struct projects *ret, char **ret_error)
{
    const json_t *list = json_object_get(object, "projects");
    if (is_absent(list))
        return 0;
    if (!json_is_array(list))
        return bad(ret_error, "`%s` is not a list", "projects");
    ret->given = true;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        int r = read_project(item, ret, ret_error);
        if (r < 0)
            return r;
    }
    for (i = 0; i < ret->count; i++)
        if (ret->items[i].role == PROJECT_ROLE_UNKNOWN)
            ret->given = false;
    return 0;
}

static int read_invite_fields(const json_t *object, struct invite *invite, char **ret_error)
{
    int r = read_text(object, "id", &invite->id, ret_error);
    if (r == 0)
        r = check_id(invite->id, "an invite", ret_error);
    if (r == 0)
        r = read_text(object, "email", &invite->email, ret_error);
    if (r == 0 && (!invite->email || *invite->email == '\0'))
        r = bad(ret_error, "an invite lacks `%s`", "email");
    if (r == 0)
        r = read_text(object, "role", &invite->role_text, ret_error);
    if (r == 0)
        r = read_text(object, "status", &invite->status_text, ret_error);
    /* Older revisions of the API call the time of creation `invited_at`. */
    if (r == 0)
        r = read_time(object, "invited_at", &invite->created_at, ret_error);
    if (r == 0)
        r = read_time(object, "created_at", &invite->created_at, ret_error);
    if (r == 0)
        r = read_time(object, "expires_at", &invite->expires_at, ret_error);
    if (r == 0)
        r = read_time(object, "accepted_at", &invite->accepted_at, ret_error);
    if (r == 0)
        r = read_projects(object, &invite->projects, ret_error);
    if (r == 0 && invite->role_text)
        invite->role = role_parse(invite->role_text);
    if (r == 0 && invite->status_text)
        invite->status = invite_status_parse(invite->status_text);
    return r;
}

static int read_invite(const json_t *object, struct invite *ret, char **ret_error)
{
    if (!json_is_object(object))
        return bad(ret_error, "an invite is not %s", "an object");
    struct invite invite = {0};
    int r = read_invite_fields(object, &invite, ret_error);
    if (r < 0)
        invite_clear(&invite);
    else
        *ret = invite;
    return r;
}

int wire_read_invite(const char *body, size_t length, struct invite *ret, char **ret_error)
{
    _cleanup_(json_release_pointer) json_t *json = NULL;
    int r = load(body, length, &json, ret_error);
    return r < 0 ? r : read_invite(json, ret, ret_error);
}

/* ---- users --------------------------------------------------------------------------------- */

/* A text of the user, or of what stands `within`; an empty one says as little as none. */
static int read_either(const json_t *object, const json_t *within, const char *key, char **ret,
                       char **ret_error)
{
    const json_t *of[] = {object, within};
    int r = 0;
    for (size_t i = 0; i < 2 && r == 0 && !*ret; i++) {
        r = read_text(of[i], key, ret, ret_error);
        if (*ret && **ret == '\0')
            free(TAKE(*ret));
    }
    return r;
}

static int read_flag(const json_t *object, const char *key, bool *ret, char **ret_error)
{
    const json_t *value = json_object_get(object, key);
    if (!is_absent(value) && !json_is_boolean(value))
        return bad(ret_error, "`%s` is not a boolean", key);
    *ret = json_is_true(value);
    return 0;
}

static int read_user_fields(const json_t *object, struct user *user, char **ret_error)
{
    const json_t *within = json_object_get(object, "user");
    if (!is_absent(within) && !json_is_object(within))
        return bad(ret_error, "`%s` is not an object", "user");
    int r = read_either(object, within, "id", &user->id, ret_error);
    if (r == 0)
        r = check_id(user->id, "a user", ret_error);
    if (r == 0)
        r = read_either(object, within, "email", &user->email, ret_error);
    if (r == 0)
        r = read_either(object, within, "name", &user->name, ret_error);
    if (r == 0)
        r = read_text(object, "role", &user->role_text, ret_error);
    if (r == 0)
        r = read_time(object, "created", &user->added_at, ret_error);
    if (r == 0)
        r = read_time(object, "added_at", &user->added_at, ret_error);
    if (r == 0)
        r = read_flag(object, "is_service_account", &user->is_service_account, ret_error);
    if (r == 0)
        r = read_flag(object, "is_scim_managed", &user->is_scim_managed, ret_error);
    if (r == 0 && user->role_text)
        user->role = role_parse(user->role_text);
    return r;
}

static int read_user(const json_t *object, struct user *ret, char **ret_error)
{
    if (!json_is_object(object))
        return bad(ret_error, "a user is not %s", "an object");
    struct user user = {0};
    int r = read_user_fields(object, &user, ret_error);
    if (r < 0)
        user_clear(&user);
    else
        *ret = user;
    return r;
}

int wire_read_user(const char *body, size_t length, struct user *ret, char **ret_error)
{
    _cleanup_(json_release_pointer) json_t *json = NULL;
    int r = load(body, length, &json, ret_error);
    return r < 0 ? r : read_user(json, ret, ret_error);
}

/* ---- pages --------------------------------------------------------------------------------- */

/* Reads an item of a page of its kind, and adds it. Returns 0 or a negative errno. */
typedef int (*add_item)(const json_t *item, struct page *page, char **ret_error);

static int add_invite(const json_t *item, struct page *page, char **ret_error)
{
    struct invite invite;
    int r = read_invite(item, &invite, ret_error);
    if (r < 0)
        return r;
    r = invites_add(&page->invites, &invite);
    if (r < 0)
        invite_clear(&invite);
    return r;
}

static int add_user(const json_t *item, struct page *page, char **ret_error)
{
    struct user user;
    int r = read_user(item, &user, ret_error);
    if (r < 0)
        return r;
    r = users_add(&page->users, &user);
    if (r < 0)
        user_clear(&user);
    return r;
}

static int read_items(const json_t *data, add_item add, struct page *page, char **ret_error)
{
    size_t i;
    json_t *item;
    json_array_foreach(data, i, item)
    {
        int r = add(item, page, ret_error);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_page(const char *body, size_t length, add_item add, struct page *ret,
                     char **ret_error)
{
    _cleanup_(json_release_pointer) json_t *json = NULL;
    int r = load(body, length, &json, ret_error);
    if (r < 0)
        return r;
    const json_t *data = json_object_get(json, "data");
    const json_t *has_more = json_object_get(json, "has_more");
    if (!json_is_array(data))
        return bad(ret_error, "`%s` is missing or no list", "data");
    if (!json_is_boolean(has_more))
        return bad(ret_error, "`%s` is missing or no boolean", "has_more");
    struct page page = {.has_more = json_is_true(has_more)};
    r = read_items(data, add, &page, ret_error);
    if (r < 0)
        page_clear(&page);
    else
        *ret = page;
    return r;
}

int wire_read_page(const char *body, size_t length, struct page *ret, char **ret_error)
{
    return read_page(body, length, add_invite, ret, ret_error);
}

int wire_read_users_page(const char *body, size_t length, struct page *ret, char **ret_error)
{
    return read_page(body, length, add_user, ret, ret_error);
}

/* ---- what else is answered ----------------------------------------------------------------- */

int wire_read_deletion(const char *body, size_t length, const char *id, char **ret_error)
{
    /* The status has said it; only a body that says otherwise is heard. */
    _cleanup_(json_release_pointer) json_t *json = NULL;
    json_error_t ignored;
    if (jsontext_load(body, length, &json, &ignored) == -ENOMEM)
        return -ENOMEM;
    const char *named = json_string_value(json_object_get(json, "id"));
    if (json_is_false(json_object_get(json, "deleted")) || (named && strcmp(named, id) != 0))
        return bad(ret_error, "the answer does not say that %s was deleted", id);
    return 0;
}

/* How many bytes of a text to show: at most `most`, and no part of a character. */
static int cut(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    return (int)utf8_fault_offset(text, length);
}

char *wire_read_error(int status, const char *body, size_t length)
{
    _cleanup_(json_release_pointer) json_t *json = NULL;
    json_error_t ignored;
    (void)jsontext_load(body, length, &json, &ignored);
    const json_t *error = json_object_get(json, "error");
    const char *message = json_string_value(error);
    const char *code = NULL;
    if (json_is_object(error)) {
        message = json_string_value(json_object_get(error, "message"));
        code = json_string_value(json_object_get(error, "code"));
    }
    if (!message)
        return memory_format("HTTP %d", status);
    int length_shown = cut(message, MESSAGE_MAX);
    if (!code)
        return memory_format("HTTP %d: %.*s", status, length_shown, message);
    return memory_format("HTTP %d: %.*s (%.*s)", status, length_shown, message, cut(code, CODE_MAX),
                         code);
}

/* The ledger's JSON. Every field is checked when read: a wrong memory is worse than none. */
#include "ledgertext.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "codec/jsontext.h"

#define SCHEMA "inviterd.ledger/1"
/* No date lies beyond this many seconds, so that differences of dates do not overflow. */
#define WALL_MAX (INT64_C(1) << 50)
static inline void json_release(json_t *json)
{
    json_decref(json);
}
DEFINE_CLEANUP(json_t *, json_release)

static const char *const state_words[] = {
    [CREATE_NONE] = "none",         [CREATE_BEGUN] = "begun",     [CREATE_UNKNOWN] = "unknown",
    [CREATE_ANSWERED] = "answered", [CREATE_REFUSED] = "refused",
};

/* ---- writing ------------------------------------------------------------------------------- */

static json_t *projects_json(const struct projects *projects)
{
    if (!projects->given)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < projects->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "id", projects->items[i].id, "role",
                                              project_role_word(projects->items[i].role)));
    return list;
}

static json_t *wish_json(const struct ledger_wish *wish)
{
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:s?, s:b, s:i, s:i}", "email", wish->email,
                  "role", role_word(wish->role), "projects", projects_json(&wish->projects),
                  "state", state_words[wish->state], "at", (json_int_t)wish->at, "wall",
                  (json_int_t)wish->wall, "invite_id", wish->invite_id, "seen", wish->seen,
                  "mailed", (int)wish->mailed, "refused_status", wish->refused_status);
    if (json && wish->lost.id)
        json_object_set_new(json, "lost",
                            json_pack("{s:s, s:s, s:o}", "id", wish->lost.id, "role",
                                      role_word(wish->lost.role), "projects",
                                      projects_json(&wish->lost.projects)));
    return json;
}

static json_t *wishes_json(const struct ledger *ledger)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ledger->wish_count; i++)
        if (json_array_append_new(list, wish_json(ledger->wishes[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *deletions_json(const struct ledger *ledger)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ledger->deletion_count; i++) {
        const struct ledger_deletion *deletion = &ledger->deletions[i];
        json_t *item =
            json_pack("{s:s, s:I}", "id", deletion->invite_id, "at", (json_int_t)deletion->at);
        if (json_array_append_new(list, item) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* The time until a removal stands only where it runs. */
static json_t *user_json(const struct ledger_user *user)
{
    if (user->passes == 0)
        return json_pack("{s:s, s:s}", "id", user->id, "email", user->email);
    return json_pack("{s:s, s:s, s:i, s:I, s:I}", "id", user->id, "email", user->email, "passes",
                     (int)user->passes, "undeclared", (json_int_t)user->undeclared, "at",
                     (json_int_t)user->at);
}

static json_t *deposed_json(const struct ledger *ledger)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ledger->deposed_count; i++) {
        const struct ledger_deposed *deposed = &ledger->deposed[i];
        json_t *item = json_pack("{s:s, s:I, s:b}", "id", deposed->id, "at",
                                 (json_int_t)deposed->at, "begun", deposed->begun);
        if (json_array_append_new(list, item) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *users_json(const struct ledger *ledger)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ledger->user_count; i++)
        if (json_array_append_new(list, user_json(&ledger->users[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return json_pack("{s:I, s:s?, s:o, s:o}", "people", (json_int_t)ledger->people, "observer",
                     ledger->observer, "deposed", deposed_json(ledger), "seen", list);
}

char *ledgertext_write(const struct ledger *ledger)
{
    jsontext_begin();
    json_t *json = json_pack(
        "{s:s, s:s?, s:s?, s:s?, s:I, s:i, s:b, s:I, s:o, s:o}", "schema", SCHEMA, "base_url",
        ledger->base_url, "organization", ledger->organization, "boot", ledger->boot, "live",
        (json_int_t)ledger->live, "approvals_used", (int)ledger->approvals_used, "suspect",
        ledger->suspect, "suspect_at", (json_int_t)ledger->suspect_at, "deletions",
        deletions_json(ledger), "wishes", wishes_json(ledger));
    if (json && ledger->people >= 0 && json_object_set_new(json, "users", users_json(ledger)) < 0) {
        json_decref(json);
        json = NULL;
    }
    return jsontext_end(json, JSON_INDENT(1));
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reader {
    const char *fault; /* the key that was wrong; NULL: none so far */
    bool no_memory;
};

static const json_t *field(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!value && !reader->fault)
        reader->fault = key;
    return value;
}

static char *read_text(struct reader *reader, const json_t *object, const char *key)
{
    const char *text = json_string_value(field(reader, object, key));
    char *copy = NULL;
    if (!text)
        reader->fault = reader->fault ? reader->fault : key;
    else if (!(copy = strdup(text)))
        reader->no_memory = true;
    return copy;
}

static char *read_optional_text(struct reader *reader, const json_t *object, const char *key)
{
    return json_is_null(field(reader, object, key)) ? NULL : read_text(reader, object, key);
}

static int64_t read_number(struct reader *reader, const json_t *object, const char *key,
                           int64_t least, int64_t most)
{
    const json_t *value = field(reader, object, key);
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= least && number <= most)
        return number;
    reader->fault = reader->fault ? reader->fault : key;
    return least;
}

static bool read_flag(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = field(reader, object, key);
    if (!json_is_boolean(value))
        reader->fault = reader->fault ? reader->fault : key;
    return json_is_true(value);
}

static enum role read_role(struct reader *reader, const json_t *object)
{
    const char *word = json_string_value(field(reader, object, "role"));
    enum role role = word ? role_parse(word) : ROLE_UNKNOWN;
    if (role == ROLE_UNKNOWN)
        reader->fault = reader->fault ? reader->fault : "role";
    return role;
}

static void read_projects(struct reader *reader, const json_t *object, struct projects *projects)
{
    const json_t *list = field(reader, object, "projects");
    if (json_is_null(list))
        return;
    if (!json_is_array(list)) {
        reader->fault = "projects";
        return;
    }
    projects->given = true;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *id = json_string_value(field(reader, item, "id"));
        const char *word = json_string_value(field(reader, item, "role"));
        enum project_role role = word ? project_role_parse(word) : PROJECT_ROLE_UNKNOWN;
        if (!id || role == PROJECT_ROLE_UNKNOWN)
            reader->fault = "projects";
        else if (projects_add(projects, id, role) < 0)
            reader->no_memory = true;
    }
}

static enum create_state read_state(struct reader *reader, const json_t *object)
{
    const char *word = json_string_value(field(reader, object, "state"));
    for (size_t i = 0; word && i < sizeof state_words / sizeof *state_words; i++)
        if (strcmp(word, state_words[i]) == 0)
            return (enum create_state)i;
    reader->fault = reader->fault ? reader->fault : "state";
    return CREATE_UNKNOWN;
}

static void read_lost(struct reader *reader, const json_t *lost, struct lost_invite *ret)
{
    ret->id = read_text(reader, lost, "id");
    ret->role = read_role(reader, lost);
    read_projects(reader, lost, &ret->projects);
}

static void read_wish(struct reader *reader, const json_t *json, struct ledger *ledger)
{
    struct projects projects = {0};
    _cleanup_free_ char *email = read_text(reader, json, "email");
    enum role role = read_role(reader, json);
    read_projects(reader, json, &projects);
    size_t count = ledger->wish_count;
    struct ledger_wish *wish = email ? ledger_take(ledger, email, role, &projects) : NULL;
    projects_clear(&projects);
    if (!wish) {
        reader->no_memory = reader->no_memory || email;
        return;
    }
    /* One wish twice: two memories of it, of which one is wrong. */
    if (ledger->wish_count == count)
        reader->fault = "wishes";
    free(wish->invite_id);
    wish->state = read_state(reader, json);
    wish->at = (uint64_t)read_number(reader, json, "at", 0, INT64_MAX);
    wish->wall = read_number(reader, json, "wall", -WALL_MAX, WALL_MAX);
    wish->invite_id = read_optional_text(reader, json, "invite_id");
    wish->seen = read_flag(reader, json, "seen");
    wish->mailed = (unsigned)read_number(reader, json, "mailed", 0, INT_MAX);
    wish->refused_status = (int)read_number(reader, json, "refused_status", 0, 999);
    const json_t *lost = json_object_get(json, "lost");
    if (lost && !wish->lost.id)
        read_lost(reader, lost, &wish->lost);
}

static void read_deletions(struct reader *reader, const json_t *list, struct ledger *ledger)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        _cleanup_free_ char *id = read_text(reader, item, "id");
        uint64_t at = (uint64_t)read_number(reader, item, "at", 0, INT64_MAX);
        if (id && ledger_deleted(ledger, id, at) < 0)
            reader->no_memory = true;
    }
}

static void read_user(struct reader *reader, const json_t *json, struct ledger *ledger)
{
    if (RESERVE(ledger->users, ledger->user_count) < 0) {
        reader->no_memory = true;
        return;
    }
    struct ledger_user *user = &ledger->users[ledger->user_count++];
    *user = (struct ledger_user){.id = read_text(reader, json, "id"),
                                 .email = read_text(reader, json, "email")};
    /* They are looked up by id: an order that is wrong would hide some. */
    if (ledger->user_count > 1 && user->id && user[-1].id && strcmp(user[-1].id, user->id) >= 0)
        reader->fault = "users";
    if (!json_object_get(json, "passes"))
        return;
    user->passes = (unsigned)read_number(reader, json, "passes", 1, UINT16_MAX);
    user->undeclared = (uint64_t)read_number(reader, json, "undeclared", 0, INT64_MAX / 2);
    user->at = (uint64_t)read_number(reader, json, "at", 0, INT64_MAX);
}

static void read_deposed(struct reader *reader, const json_t *list, struct ledger *ledger)
{
    size_t i;
    json_t *item;
    if (!json_is_array(list))
        reader->fault = "deposed";
    json_array_foreach(list, i, item)
    {
        _cleanup_free_ char *id = read_text(reader, item, "id");
        uint64_t at = (uint64_t)read_number(reader, item, "at", 0, INT64_MAX);
        bool begun = read_flag(reader, item, "begun");
        if (id && ledger_depose(ledger, id, at, begun) < 0)
            reader->no_memory = true;
    }
}

/* A ledger that never saw users lacks this. */
static void read_users(struct reader *reader, const json_t *json, struct ledger *ledger)
{
    if (!json)
        return;
    ledger->people = read_number(reader, json, "people", 0, INT_MAX);
    ledger->observer = read_optional_text(reader, json, "observer");
    read_deposed(reader, field(reader, json, "deposed"), ledger);
    const json_t *list = field(reader, json, "seen");
    if (!json_is_array(list)) {
        reader->fault = "users";
        return;
    }
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        read_user(reader, item, ledger);
    }
}

static void read_ledger(struct reader *reader, const json_t *json, struct ledger *ledger)
{
    ledger->base_url = read_optional_text(reader, json, "base_url");
    ledger->organization = read_optional_text(reader, json, "organization");
    ledger->boot = read_optional_text(reader, json, "boot");
    ledger->live = read_number(reader, json, "live", -1, INT_MAX);
    ledger->approvals_used = (unsigned)read_number(reader, json, "approvals_used", 0, INT_MAX);
    ledger->suspect = read_flag(reader, json, "suspect");
    ledger->suspect_at = (uint64_t)read_number(reader, json, "suspect_at", 0, INT64_MAX);
    const json_t *deletions = field(reader, json, "deletions");
    const json_t *wishes = field(reader, json, "wishes");
    if (!json_is_array(deletions) || !json_is_array(wishes)) {
        reader->fault = "wishes";
        return;
    }
    read_deletions(reader, deletions, ledger);
    size_t i;
    json_t *item;
    json_array_foreach(wishes, i, item)
    {
        read_wish(reader, item, ledger);
    }
    read_users(reader, json_object_get(json, "users"), ledger);
}

int ledgertext_read(const char *text, size_t length, struct ledger **ret, char **ret_error)
{
    json_error_t error;
    _cleanup_(json_release_pointer) json_t *json = NULL;
    int r = jsontext_load(text, length, &json, &error);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        *ret_error = memory_format("line %d: %s", error.line, error.text);
        return -EBADMSG;
    }
    const char *schema = json_string_value(json_object_get(json, "schema"));
    if (!schema || strcmp(schema, SCHEMA) != 0) {
        *ret_error = memory_format("it is not of schema %s", SCHEMA);
        return -EBADMSG;
    }
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    if (!ledger)
        return -ENOMEM;
    struct reader reader = {0};
    read_ledger(&reader, json, ledger);
    if (reader.no_memory)
        return -ENOMEM;
    if (reader.fault) {
        *ret_error = memory_format("`%s` is missing or wrong", reader.fault);
        return -EBADMSG;
    }
    ledger->dirty = false;
    *ret = TAKE(ledger);
    return 0;
}

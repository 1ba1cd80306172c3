/* The ledger's text: what is written is read again, and nothing less is. */
#include "people.h"

#include <errno.h>
#include <jansson.h>

#include "codec/ledgertext.h"

static int read_text(const char *text, size_t length, struct ledger **ret, char **ret_error)
{
    _cleanup_free_ char *copy = unit_prefix(text, length);
    return ledgertext_read(copy, length, ret, ret_error);
}

static struct ledger_wish *take(struct ledger *ledger, const char *email, const char *role,
                                const char *projects)
{
    struct projects list = unit_projects(projects);
    struct ledger_wish *wish = ledger_take(ledger, email, role_parse(role), &list);
    projects_clear(&list);
    return wish;
}

static void watch(struct ledger *ledger, const char *id, const char *email, unsigned passes)
{
    assert_int_equal(RESERVE(ledger->users, ledger->user_count), 0);
    ledger->users[ledger->user_count++] =
        (struct ledger_user){.id = strdup(id),
                             .email = strdup(email),
                             .passes = passes,
                             .undeclared = passes > 0 ? UINT64_C(86400123456) : 0,
                             .at = passes > 0 ? 777 : 0};
}

static struct ledger *full_ledger(void)
{
    struct ledger *ledger = ledger_new();
    assert_int_equal(memory_set(&ledger->base_url, "https://api.example/v1"), 0);
    assert_int_equal(memory_set(&ledger->organization, "org-1"), 0);
    assert_int_equal(memory_set(&ledger->boot, "0123-boot"), 0);
    ledger->live = 17;
    ledger->approvals_used = 3;
    ledger->suspect = true;
    ledger->suspect_at = 12345;
    assert_int_equal(ledger_deleted(ledger, "gone-1", 5), 0);
    assert_int_equal(ledger_deleted(ledger, "gone-2", INT64_MAX), 0);
    static const char *const emails[] = {"none@x", "begun@x", "unknown@x", "answered@x",
                                         "refused@x"};
    static const char *const projects[] = {NULL, "", "a", "a:owner b", NULL};
    for (int i = 0; i < 5; i++) {
        struct ledger_wish *wish = take(ledger, emails[i], i % 2 ? "owner" : "reader", projects[i]);
        ledger_mark(wish, (enum create_state)i, 1000 + (uint64_t)i, 1700000000 - i);
        wish->mailed = (unsigned)i;
        wish->seen = i % 2 == 0;
    }
    struct ledger_wish *answered = take(ledger, "answered@x", "owner", "a:owner b");
    assert_int_equal(memory_set(&answered->invite_id, "new-\"1\""), 0);
    take(ledger, "refused@x", "reader", NULL)->refused_status = 409;
    struct invite lost = unit_invite(
        &(struct unit_invite){.id = "lost-1", .role = "owner", .projects = "p:owner q"});
    assert_int_equal(ledger_lose(take(ledger, "begun@x", "owner", ""), &lost), 0);
    invite_clear(&lost);
    ledger->people = 12;
    assert_int_equal(memory_set(&ledger->observer, "process-1"), 0);
    assert_int_equal(ledger_depose(ledger, "boss-1", 7, true), 0);
    assert_int_equal(ledger_depose(ledger, "boss-2", INT64_MAX, false), 0);
    watch(ledger, "user-1", "kept@x", 0);
    watch(ledger, "user-2", "gone@x", 3);
    watch(ledger, "user-3", "\xc3\xa4@x", 65535);
    return ledger;
}

static void everything_comes_back(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = full_ledger(), *read = NULL;
    _cleanup_free_ char *text = ledgertext_write(ledger), *error = NULL;
    assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
    _cleanup_free_ char *again = ledgertext_write(read);
    unit_assert_text(again, text);
    assert_string_equal(read->base_url, "https://api.example/v1");
    assert_string_equal(read->organization, "org-1");
    assert_string_equal(read->boot, "0123-boot");
    assert_int_equal(read->live, 17);
    assert_int_equal(read->approvals_used, 3);
    assert_true(read->suspect);
    assert_int_equal(read->suspect_at, 12345);
    assert_false(read->dirty);
    assert_int_equal(read->deletion_count, 2);
    assert_string_equal(read->deletions[1].invite_id, "gone-2");
    assert_true(read->deletions[1].at == INT64_MAX);
    assert_int_equal(read->wish_count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct ledger_wish *from = ledger->wishes[i], *to = read->wishes[i];
        assert_string_equal(to->email, from->email);
        assert_int_equal(to->role, from->role);
        assert_int_equal(projects_compare(&to->projects, &from->projects), 0);
        assert_int_equal(to->state, from->state);
        assert_int_equal(to->at, from->at);
        assert_int_equal(to->wall, from->wall);
        assert_int_equal(to->invite_id != NULL, from->invite_id != NULL);
        if (to->invite_id)
            assert_string_equal(to->invite_id, from->invite_id);
        assert_int_equal(to->seen, from->seen);
        assert_int_equal(to->mailed, from->mailed);
        assert_int_equal(to->refused_status, from->refused_status);
        assert_int_equal(to->lost.id != NULL, from->lost.id != NULL);
        if (!to->lost.id)
            continue;
        assert_string_equal(to->lost.id, "lost-1");
        assert_int_equal(to->lost.role, ROLE_OWNER);
        assert_int_equal(projects_compare(&to->lost.projects, &from->lost.projects), 0);
    }
    assert_int_equal(read->people, 12);
    assert_string_equal(read->observer, "process-1");
    assert_int_equal(read->user_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct ledger_user *from = &ledger->users[i], *to = &read->users[i];
        assert_string_equal(to->id, from->id);
        assert_string_equal(to->email, from->email);
        assert_int_equal(to->passes, from->passes);
        assert_int_equal(to->undeclared, from->undeclared);
        assert_int_equal(to->at, from->at);
    }
    assert_ptr_equal(ledger_find_user(read, "user-2"), &read->users[1]);
    assert_int_equal(read->deposed_count, 2);
    assert_string_equal(read->deposed[0].id, "boss-1");
    assert_int_equal(read->deposed[0].at, 7);
    assert_true(read->deposed[0].begun);
    assert_true(read->deposed[1].at == INT64_MAX);
    assert_false(read->deposed[1].begun);
}

static void a_fresh_one_comes_back(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new(), *read = NULL;
    _cleanup_free_ char *text = ledgertext_write(ledger), *error = NULL;
    assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
    assert_null(read->base_url);
    assert_null(read->organization);
    assert_null(read->boot);
    assert_int_equal(read->live, -1);
    assert_int_equal(read->wish_count, 0);
    assert_int_equal(read->people, -1);
    assert_int_equal(read->user_count, 0);
    assert_null(strstr(text, "users"));
}

static void no_torn_ledger_passes(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = full_ledger();
    _cleanup_free_ char *text = ledgertext_write(ledger);
    for (size_t length = 0; length < strlen(text); length++) {
        struct ledger *read = NULL;
        _cleanup_free_ char *error = NULL;
        if (read_text(text, length, &read, &error) != -EBADMSG)
            fail_msg("taken after %zu of %zu bytes", length, strlen(text));
        assert_non_null(error);
        assert_null(read);
    }
}

static void assert_refused(const json_t *json, const char *what)
{
    _cleanup_free_ char *text = json_dumps(json, 0);
    struct ledger *read = NULL;
    _cleanup_free_ char *error = NULL;
    int r = read_text(text, strlen(text), &read, &error);
    if (r != -EBADMSG)
        fail_msg("%s: %d", what, r);
    assert_non_null(error);
    assert_null(read);
}

/* Whether a value is also right in place of the one at this key. */
static bool is_right(const char *key, const json_t *was, const json_t *value)
{
    if (json_is_null(value))
        return strcmp(key, "base_url") == 0 || strcmp(key, "organization") == 0 ||
               strcmp(key, "boot") == 0 || strcmp(key, "invite_id") == 0 ||
               strcmp(key, "projects") == 0 || strcmp(key, "observer") == 0;
    if (json_is_string(value) &&
        (json_is_null(was) || strcmp(key, "base_url") == 0 || strcmp(key, "organization") == 0 ||
         strcmp(key, "boot") == 0 || strcmp(key, "invite_id") == 0 || strcmp(key, "id") == 0 ||
         strcmp(key, "email") == 0 || strcmp(key, "observer") == 0))
        return strcmp(key, "projects") != 0;
    if (json_is_boolean(value))
        return json_is_boolean(was);
    return json_is_array(value) && (json_is_array(was) || strcmp(key, "projects") == 0);
}

static unsigned spoil(json_t *root, json_t *object, const char *path);

static unsigned spoil_key(json_t *root, json_t *object, const char *key, const char *path)
{
    unsigned tried = 0;
    _cleanup_free_ char *what = memory_format("%s.%s", path, key);
    json_t *was = json_incref(json_object_get(object, key));
    json_object_del(object, key);
    /* Without its passes a user is one for whom no time runs. */
    if (strcmp(key, "lost") != 0 && strcmp(key, "users") != 0 && strcmp(key, "passes") != 0)
        assert_refused(root, what);
    json_t *values[] = {json_null(),  json_true(),   json_integer(-2),  json_real(1.5),
                        json_array(), json_object(), json_string("odd")};
    for (size_t i = 0; i < 7; i++) {
        if (!is_right(key, was, values[i])) {
            json_object_set(object, key, values[i]);
            if (!(strcmp(key, "wall") == 0 && json_is_integer(values[i])))
                assert_refused(root, what);
            tried++;
        }
        json_decref(values[i]);
    }
    json_object_set(object, key, was);
    if (json_is_object(was))
        tried += spoil(root, was, what);
    for (size_t i = 0; i < json_array_size(was); i++)
        tried += spoil(root, json_array_get(was, i), what);
    json_decref(was);
    return tried;
}

/* Every field of every object: gone, null, and of each other type. */
static unsigned spoil(json_t *root, json_t *object, const char *path)
{
    unsigned tried = 0, count = 0;
    const char *keys[16], *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        assert_true(count < 16);
        keys[count++] = strdup(key);
    }
    for (unsigned i = 0; i < count; i++) {
        tried += spoil_key(root, object, keys[i], path);
        free((char *)keys[i]);
    }
    return tried;
}

static json_t *full_json(void)
{
    _cleanup_(ledger_free_pointer) struct ledger *ledger = full_ledger();
    _cleanup_free_ char *text = ledgertext_write(ledger);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static void every_field_is_checked(void **state)
{
    (void)state;
    json_t *json = full_json();
    assert_true(spoil(json, json, "") > 300);
    json_decref(json);
}

/* What was saved before users were listed, and what users = "off" saves. */
static void a_ledger_without_users_is_read(void **state)
{
    (void)state;
    json_t *json = full_json();
    json_object_del(json, "users");
    _cleanup_free_ char *text = json_dumps(json, 0), *error = NULL;
    json_decref(json);
    _cleanup_(ledger_free_pointer) struct ledger *read = NULL;
    assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
    assert_int_equal(read->wish_count, 5);
    assert_int_equal(read->people, -1);
    assert_int_equal(read->user_count, 0);
    assert_null(read->observer);
    assert_null(ledger_find_user(read, "user-1"));
}

static json_t *seen_users(json_t *json)
{
    return json_object_get(json_object_get(json, "users"), "seen");
}

/* Users are looked up by id: of those out of order, some would not be found. */
static void users_out_of_order_are_refused(void **state)
{
    (void)state;
    static const char *const ids[] = {"user-1", "user-2", "user-10", ""};
    for (size_t i = 0; i < 4; i++) {
        json_t *json = full_json();
        json_object_set_new(json_array_get(seen_users(json), 2), "id", json_string(ids[i]));
        assert_refused(json, ids[i]);
        json_decref(json);
    }
}

static void times_of_users_have_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        json_int_t value;
        bool taken;
    } cases[] = {
        {"passes", 0, false},     {"passes", 1, true},
        {"passes", 65536, false}, {"undeclared", -1, false},
        {"undeclared", 0, true},  {"undeclared", INT64_MAX / 2, true},
        {"at", -1, false},        {"undeclared", INT64_MAX / 2 + 1, false},
        {"at", INT64_MAX, true},  {"people", -1, false},
        {"people", 0, true},      {"people", 2147483648, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *json = full_json();
        json_t *object = strcmp(cases[i].key, "people") == 0 ? json_object_get(json, "users")
                                                             : json_array_get(seen_users(json), 1);
        json_object_set_new(object, cases[i].key, json_integer(cases[i].value));
        _cleanup_free_ char *text = json_dumps(json, 0), *error = NULL;
        _cleanup_(ledger_free_pointer) struct ledger *read = NULL;
        if (read_text(text, strlen(text), &read, &error) != (cases[i].taken ? 0 : -EBADMSG))
            fail_msg("%s %lld", cases[i].key, (long long)cases[i].value);
        json_decref(json);
    }
}

static void items_of_lists_are_checked(void **state)
{
    (void)state;
    static const char *const lists[] = {"wishes", "deletions", "seen", "deposed"};
    for (size_t i = 0; i < 4; i++) {
        json_t *values[] = {json_null(),      json_true(),  json_integer(1),
                            json_string("x"), json_array(), json_object()};
        for (size_t j = 0; j < 6; j++) {
            json_t *json = full_json();
            json_t *object = i < 2 ? json : json_object_get(json, "users");
            json_array_append_new(json_object_get(object, lists[i]), values[j]);
            assert_refused(json, lists[i]);
            json_decref(json);
        }
    }
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        json_int_t value;
        bool wish, taken;
    } cases[] = {
        {"live", -1, false, true},
        {"live", -2, false, false},
        {"live", 2147483648, false, false},
        {"approvals_used", -1, false, false},
        {"suspect_at", -1, false, false},
        {"at", -1, true, false},
        {"at", 0, true, true},
        {"mailed", -1, true, false},
        {"mailed", 4294967297, true, false},
        {"refused_status", 1000, true, false},
        {"refused_status", -1, true, false},
        {"wall", -5, true, true},
        {"wall", (json_int_t)1 << 50, true, true},
        {"wall", ((json_int_t)1 << 50) + 1, true, false},
        {"wall", -((json_int_t)1 << 50) - 1, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *json = full_json();
        json_t *object = cases[i].wish ? json_array_get(json_object_get(json, "wishes"), 0) : json;
        assert_int_equal(json_object_set_new(object, cases[i].key, json_integer(cases[i].value)),
                         0);
        if (cases[i].taken) {
            _cleanup_free_ char *text = json_dumps(json, 0), *error = NULL;
            _cleanup_(ledger_free_pointer) struct ledger *read = NULL;
            assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
        } else {
            assert_refused(json, cases[i].key);
        }
        json_decref(json);
    }
}

/* One wish twice is two memories of it, of which one is wrong. */
static void a_wish_twice_is_refused(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        json_t *json = full_json();
        json_t *wishes = json_object_get(json, "wishes");
        json_t *copy = json_deep_copy(json_array_get(wishes, 0));
        if (variant == 1)
            json_object_set_new(copy, "email", json_string("ANSWERED@X"));
        if (variant >= 2) {
            /* Even one that says next to nothing. */
            json_t *first = json_array_get(wishes, 0);
            json_object_set_new(first, "at", json_integer(0));
            json_object_set_new(first, "invite_id", json_null());
            if (variant == 3)
                json_object_set_new(first, "mailed", json_integer(0));
        }
        json_array_append_new(wishes, copy);
        assert_refused(json, "a wish twice");
        json_decref(json);
    }
}

static void a_key_twice_is_refused(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = full_ledger();
    _cleanup_free_ char *text = ledgertext_write(ledger);
    _cleanup_free_ char *twice = memory_format("{\"live\": 17,%s", text + 1);
    struct ledger *read = NULL;
    _cleanup_free_ char *error = NULL;
    assert_int_equal(read_text(twice, strlen(twice), &read, &error), -EBADMSG);
}

static void another_schema_is_refused(void **state)
{
    (void)state;
    json_t *json = full_json();
    json_object_set_new(json, "schema", json_string("inviterd.ledger/2"));
    assert_refused(json, "schema");
    json_decref(json);
    static const char *const texts[] = {"", "null", "[]", "{}", "7", "\"inviterd.ledger/1\"", "\0"};
    for (size_t i = 0; i < 7; i++) {
        struct ledger *read = NULL;
        _cleanup_free_ char *error = NULL;
        assert_int_equal(read_text(texts[i], i == 6 ? 1 : strlen(texts[i]), &read, &error),
                         -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(a_fresh_one_comes_back),
        cmocka_unit_test(no_torn_ledger_passes),
        cmocka_unit_test(every_field_is_checked),
        cmocka_unit_test(items_of_lists_are_checked),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(a_wish_twice_is_refused),
        cmocka_unit_test(a_key_twice_is_refused),
        cmocka_unit_test(another_schema_is_refused),
        cmocka_unit_test(a_ledger_without_users_is_read),
        cmocka_unit_test(users_out_of_order_are_refused),
        cmocka_unit_test(times_of_users_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

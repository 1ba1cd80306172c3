/* The API's JSON: every field missing, null and of a wrong type; both error envelopes. */
#include "people.h"

#include <errno.h>

#include "codec/utf8.h"
#include "codec/wire.h"

/* Reads an invite from a copy of exactly its size. */
static int read_invite(const char *text, struct invite *ret, char **ret_error)
{
    _cleanup_free_ char *copy = unit_prefix(text, strlen(text));
    return wire_read_invite(copy, strlen(text), ret, ret_error);
}

static int read_page(const char *text, struct page *ret, char **ret_error)
{
    _cleanup_free_ char *copy = unit_prefix(text, strlen(text));
    return wire_read_page(copy, strlen(text), ret, ret_error);
}

static void assert_invite_refused(const char *text, const char *words)
{
    struct invite invite = {.id = NULL};
    _cleanup_free_ char *error = NULL;
    if (read_invite(text, &invite, &error) != -EBADMSG)
        fail_msg("was taken: %s", text);
    assert_non_null(error);
    if (!strstr(error, words))
        fail_msg("%s: %s", text, error);
    assert_null(invite.id); /* written on success only */
    /* The same within a page. */
    _cleanup_free_ char *body =
        memory_format("{\"data\":[{\"id\":\"i0\",\"email\":\"a@b\"},%s],\"has_more\":false}", text);
    struct page page = {.has_more = true};
    _cleanup_free_ char *page_error = NULL;
    assert_int_equal(read_page(body, &page, &page_error), -EBADMSG);
    assert_non_null(page_error);
    assert_true(page.has_more);
    assert_null(page.invites.items);
}

static void a_full_invite(void **state)
{
    (void)state;
    struct invite invite;
    char *error = NULL;
    assert_int_equal(
        read_invite("{\"object\":\"organization.invite\",\"id\":\"invite-abc\",\"email\":\"Ada@"
                    "example.com\",\"role\":\"owner\",\"status\":\"accepted\",\"created_at\":"
                    "1711471533,\"expires_at\":1712076333,\"accepted_at\":1711471600,\"new\":{},"
                    "\"projects\":[{\"id\":\"p2\",\"role\":\"member\",\"more\":1},{\"id\":\"p1\","
                    "\"role\":\"owner\"}]}",
                    &invite, &error),
        0);
    assert_string_equal(invite.id, "invite-abc");
    assert_string_equal(invite.email, "Ada@example.com");
    assert_int_equal(invite.role, ROLE_OWNER);
    assert_string_equal(invite.role_text, "owner");
    assert_int_equal(invite.status, INVITE_ACCEPTED);
    assert_string_equal(invite.status_text, "accepted");
    assert_int_equal(invite.created_at, 1711471533);
    assert_int_equal(invite.expires_at, 1712076333);
    assert_int_equal(invite.accepted_at, 1711471600);
    _cleanup_free_ char *projects = unit_projects_text(&invite.projects);
    assert_string_equal(projects, "[p1:owner p2:member]");
    invite_clear(&invite);
}

static void ids_have_a_length_limit(void **state)
{
    (void)state;
    for (int length = 256; length <= 257; length++) {
        for (int of_project = 0; of_project < 2; of_project++) {
            _cleanup_free_ char *text = memory_format(
                of_project ? "{\"id\":\"i\",\"email\":\"a@b\",\"projects\":[{\"id\":\"%0*d\","
                             "\"role\":\"member\"}]}"
                           : "{\"id\":\"%0*d\",\"email\":\"a@b\"}",
                length, 7);
            struct invite invite;
            char *error = NULL;
            if (length > 256) {
                assert_invite_refused(text, "longer than 256 bytes");
            } else {
                assert_int_equal(read_invite(text, &invite, &error), 0);
                invite_clear(&invite);
            }
        }
    }
}

static void what_may_be_missing_or_null(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"id\":\"i\",\"email\":\"a@b\"}",
        "{\"id\":\"i\",\"email\":\"a@b\",\"role\":null,\"status\":null,\"created_at\":null,"
        "\"invited_at\":null,\"expires_at\":null,\"accepted_at\":null,\"projects\":null}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct invite invite;
        char *error = NULL;
        assert_int_equal(read_invite(bodies[i], &invite, &error), 0);
        assert_int_equal(invite.role, ROLE_UNKNOWN);
        assert_int_equal(invite.status, INVITE_STATUS_UNKNOWN);
        assert_null(invite.role_text);
        assert_null(invite.status_text);
        assert_int_equal(invite.created_at, 0);
        assert_int_equal(invite.expires_at, 0);
        assert_int_equal(invite.accepted_at, 0);
        assert_false(invite.projects.given);
        invite_clear(&invite);
    }
}

static struct invite take_invite(const char *fields)
{
    _cleanup_free_ char *text = memory_format("{\"id\":\"i\",\"email\":\"a@b\",%s}", fields);
    struct invite invite;
    _cleanup_free_ char *error = NULL;
    if (read_invite(text, &invite, &error) != 0)
        fail_msg("%s: %s", text, error);
    return invite;
}

static void unknown_words_are_kept_and_unknown(void **state)
{
    (void)state;
    struct invite invite = take_invite("\"role\":\"admin\",\"status\":\"paused\"");
    assert_int_equal(invite.role, ROLE_UNKNOWN);
    assert_string_equal(invite.role_text, "admin");
    assert_int_equal(invite.status, INVITE_STATUS_UNKNOWN);
    assert_string_equal(invite.status_text, "paused");
    invite_clear(&invite);
}

static void the_time_of_creation_has_two_names(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "\"invited_at\":7",
        "\"invited_at\":7,\"created_at\":null",
        "\"invited_at\":6,\"created_at\":7",
        "\"created_at\":7,\"invited_at\":6",
        "\"created_at\":7.9",
    };
    for (size_t i = 0; i < 5; i++) {
        struct invite invite = take_invite(fields[i]);
        assert_int_equal(invite.created_at, 7);
        invite_clear(&invite);
    }
}

static void projects_have_three_meanings(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"role\":\"reader\"", "-"},
        {"\"projects\":null", "-"},
        {"\"projects\":[]", "[]"},
        {"\"projects\":[{\"id\":\"b\",\"role\":\"owner\"},{\"id\":\"a\",\"role\":\"member\"}]",
         "[a:member b:owner]"},
        /* A role we do not know: not to be compared. */
        {"\"projects\":[{\"id\":\"b\",\"role\":\"viewer\"},{\"id\":\"a\",\"role\":\"member\"}]",
         "-"},
    };
    for (size_t i = 0; i < 5; i++) {
        struct invite invite = take_invite(rows[i][0]);
        _cleanup_free_ char *text = unit_projects_text(&invite.projects);
        assert_string_equal(text, rows[i][1]);
        invite_clear(&invite);
    }
}

static void wrong_fields_are_refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"email\":\"a@b\"}", "`id`"},
        {"{\"id\":null,\"email\":\"a@b\"}", "`id`"},
        {"{\"id\":\"\",\"email\":\"a@b\"}", "`id`"},
        {"{\"id\":7,\"email\":\"a@b\"}", "`id`"},
        {"{\"id\":[\"i\"],\"email\":\"a@b\"}", "`id`"},
        {"{\"id\":\".\",\"email\":\"a@b\"}", "dots"},
        {"{\"id\":\"..\",\"email\":\"a@b\"}", "dots"},
        {"{\"id\":\"...\",\"email\":\"a@b\"}", "dots"},
        {"{\"id\":\"i\"}", "`email`"},
        {"{\"id\":\"i\",\"email\":null}", "`email`"},
        {"{\"id\":\"i\",\"email\":\"\"}", "`email`"},
        {"{\"id\":\"i\",\"email\":{}}", "`email`"},
        {"[]", "object"},
        {"\"invite\"", ""},
        {"null", "JSON"},
        {"7", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_invite_refused(rows[i][0], rows[i][1]);

    static const char *const texts[] = {"role", "status"};
    static const char *const no_texts[] = {"7", "true", "{}", "[]", "1.5"};
    static const char *const times[] = {"created_at", "invited_at", "expires_at", "accepted_at"};
    static const char *const no_times[] = {
        "\"7\"", "true", "{}", "[]", "-1", "1e15", "-0.5", "1e300", "9223372036854775807"};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 5; j++) {
            _cleanup_free_ char *text =
                memory_format("{\"id\":\"i\",\"email\":\"a@b\",\"%s\":%s}", texts[i], no_texts[j]);
            assert_invite_refused(text, texts[i]);
        }
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 9; j++) {
            _cleanup_free_ char *text =
                memory_format("{\"id\":\"i\",\"email\":\"a@b\",\"%s\":%s}", times[i], no_times[j]);
            assert_invite_refused(text, times[i]);
        }
    static const char *const no_projects[] = {"{}",
                                              "\"p\"",
                                              "true",
                                              "7",
                                              "[\"p\"]",
                                              "[null]",
                                              "[{}]",
                                              "[{\"id\":\"p\"}]",
                                              "[{\"role\":\"member\"}]",
                                              "[{\"id\":null,\"role\":\"member\"}]",
                                              "[{\"id\":7,\"role\":\"member\"}]",
                                              "[{\"id\":\"p\",\"role\":7}]",
                                              "[{\"id\":\"a\",\"role\":\"member\"},[]]"};
    for (size_t j = 0; j < sizeof no_projects / sizeof *no_projects; j++) {
        _cleanup_free_ char *text =
            memory_format("{\"id\":\"i\",\"email\":\"a@b\",\"projects\":%s}", no_projects[j]);
        assert_invite_refused(text, "project");
    }
}

static void no_json_is_no_invite(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{",
        "{\"id\":\"i\",\"email\":\"a@b\"",
        "{\"id\":\"i\",\"email\":\"a@b\"} x",
        "{\"id\":\"i\",\"id\":\"i\",\"email\":\"a@b\"}",
        "{\"id\":\"i\",\"email\":\"a@b\",\"x\":{\"y\":1,\"y\":2}}",
        "{\"id\":\"i\",\"email\":\"a\xff@b\"}",
        "{\"id\":\"i\\u0000j\",\"email\":\"a@b\"}",
        "<html>502</html>",
        "{\"id\":\"i\",\"email\":\"a@b\",\"created_at\":1e999}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct invite invite = {.id = NULL};
        _cleanup_free_ char *error = NULL;
        assert_int_equal(read_invite(bodies[i], &invite, &error), -EBADMSG);
        assert_non_null(error);
        assert_null(invite.id);
    }
    /* Nested so deeply that a recursive reader would run out of stack. */
    static char deep[2000001];
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"x\":", 5);
    struct invite invite;
    _cleanup_free_ char *error = NULL;
    assert_int_equal(read_invite(deep, &invite, &error), -EBADMSG);
}

/* ---- users --------------------------------------------------------------------------------- */

/* Reads a user from a copy of exactly its size. */
static int read_user(const char *text, struct user *ret, char **ret_error)
{
    _cleanup_free_ char *copy = unit_prefix(text, strlen(text));
    return wire_read_user(copy, strlen(text), ret, ret_error);
}

static int read_users_page(const char *text, struct page *ret, char **ret_error)
{
    _cleanup_free_ char *copy = unit_prefix(text, strlen(text));
    return wire_read_users_page(copy, strlen(text), ret, ret_error);
}

static struct user take_user(const char *text)
{
    struct user user;
    _cleanup_free_ char *error = NULL;
    if (read_user(text, &user, &error) != 0)
        fail_msg("%s: %s", text, error);
    return user;
}

static void assert_user_refused(const char *text, const char *words)
{
    struct user user = {.id = NULL};
    _cleanup_free_ char *error = NULL;
    if (read_user(text, &user, &error) != -EBADMSG)
        fail_msg("was taken: %s", text);
    assert_non_null(error);
    if (!strstr(error, words))
        fail_msg("%s: %s", text, error);
    assert_null(user.id); /* written on success only */
    /* The same within a page. */
    _cleanup_free_ char *body =
        memory_format("{\"data\":[{\"id\":\"u0\"},%s],\"has_more\":false}", text);
    struct page page = {.has_more = true};
    _cleanup_free_ char *page_error = NULL;
    assert_int_equal(read_users_page(body, &page, &page_error), -EBADMSG);
    assert_non_null(page_error);
    assert_true(page.has_more);
    assert_null(page.users.items);
}

static void both_shapes_of_a_user(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"object\":\"organization.user\",\"id\":\"user_abc\",\"name\":\"Ada L\",\"email\":\"Ada@"
        "example.com\",\"role\":\"owner\",\"added_at\":1711471533,\"is_service_account\":true,"
        "\"is_scim_managed\":true,\"new\":{}}",
        "{\"object\":\"organization.user\",\"role\":\"owner\",\"created\":1711471533,"
        "\"is_service_account\":true,\"is_scim_managed\":true,\"user\":{\"object\":\"user\",\"id\":"
        "\"user_abc\",\"email\":\"Ada@example.com\",\"name\":\"Ada L\",\"picture\":null}}",
        /* Both at once: what stands outside is the user's own. */
        "{\"id\":\"user_abc\",\"name\":\"Ada L\",\"email\":\"Ada@example.com\",\"role\":\"owner\","
        "\"created\":7,\"added_at\":1711471533,\"is_service_account\":true,\"is_scim_managed\":"
        "true,\"user\":{\"id\":\"user_x\",\"email\":\"x@x\",\"name\":\"X\"}}",
        /* Half of it here, half of it there. */
        "{\"id\":\"user_abc\",\"email\":null,\"name\":null,\"role\":\"owner\",\"added_at\":null,"
        "\"created\":1711471533,\"is_service_account\":true,\"is_scim_managed\":true,\"user\":"
        "{\"email\":\"Ada@example.com\",\"name\":\"Ada L\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct user user = take_user(bodies[i]);
        assert_string_equal(user.id, "user_abc");
        assert_string_equal(user.email, "Ada@example.com");
        assert_string_equal(user.name, "Ada L");
        assert_int_equal(user.role, ROLE_OWNER);
        assert_string_equal(user.role_text, "owner");
        assert_int_equal(user.added_at, 1711471533);
        assert_true(user.is_service_account);
        assert_true(user.is_scim_managed);
        user_clear(&user);
    }
}

static void what_a_user_may_lack(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"id\":\"u\"}",
        "{\"user\":{\"id\":\"u\"}}",
        "{\"id\":\"u\",\"email\":null,\"name\":null,\"role\":null,\"added_at\":null,\"created\":"
        "null,"
        "\"is_service_account\":null,\"is_scim_managed\":null,\"user\":null}",
        "{\"id\":null,\"user\":{\"id\":\"u\",\"email\":null,\"name\":null}}",
        "{\"id\":\"u\",\"email\":\"\",\"name\":\"\",\"user\":{\"email\":\"\",\"name\":\"\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct user user = take_user(bodies[i]);
        assert_string_equal(user.id, "u");
        assert_null(user.email);
        assert_null(user.name);
        assert_null(user.role_text);
        assert_int_equal(user.role, ROLE_UNKNOWN);
        assert_int_equal(user.added_at, 0);
        assert_false(user.is_service_account);
        assert_false(user.is_scim_managed);
        user_clear(&user);
    }
}

static void an_unknown_role_of_a_user_is_kept(void **state)
{
    (void)state;
    struct user user = take_user("{\"id\":\"u\",\"email\":\"a@b\",\"role\":\"member\"}");
    assert_int_equal(user.role, ROLE_UNKNOWN);
    assert_string_equal(user.role_text, "member");
    user_clear(&user);
}

static void wrong_fields_of_a_user_are_refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{}", "a user lacks `id`"},
        {"{\"email\":\"a@b\"}", "lacks `id`"},
        {"{\"id\":\"\"}", "lacks `id`"},
        {"{\"id\":\"\",\"user\":{\"id\":null}}", "lacks `id`"},
        {"{\"id\":7}", "`id`"},
        {"{\"user\":{\"id\":7}}", "`id`"},
        {"{\"id\":\"..\"}", "dots"},
        {"{\"user\":{\"id\":\".\"}}", "dots"},
        {"{\"id\":\"u\",\"email\":7}", "`email`"},
        {"{\"id\":\"u\",\"name\":{}}", "`name`"},
        {"{\"id\":\"u\",\"user\":{\"email\":[]}}", "`email`"},
        {"{\"id\":\"u\",\"user\":{\"name\":true}}", "`name`"},
        {"{\"id\":\"u\",\"role\":7}", "`role`"},
        {"{\"id\":\"u\",\"user\":\"u\"}", "`user`"},
        {"{\"id\":\"u\",\"user\":[]}", "`user`"},
        {"[]", "object"},
        {"null", "JSON"},
        {"\"user\"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_user_refused(rows[i][0], rows[i][1]);
    static const char *const times[] = {"added_at", "created"};
    static const char *const no_times[] = {"\"7\"", "true", "{}", "-1", "1e15"};
    static const char *const flags[] = {"is_service_account", "is_scim_managed"};
    static const char *const no_flags[] = {"\"true\"", "1", "0", "{}", "[]"};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 5; j++) {
            _cleanup_free_ char *time =
                memory_format("{\"id\":\"u\",\"%s\":%s}", times[i], no_times[j]);
            _cleanup_free_ char *flag =
                memory_format("{\"id\":\"u\",\"%s\":%s}", flags[i], no_flags[j]);
            assert_user_refused(time, times[i]);
            assert_user_refused(flag, flags[i]);
        }
    _cleanup_free_ char *longest = memory_format("{\"id\":\"%0256d\"}", 7);
    _cleanup_free_ char *too_long = memory_format("{\"user\":{\"id\":\"%0257d\"}}", 7);
    struct user user = take_user(longest);
    user_clear(&user);
    assert_user_refused(too_long, "longer than 256 bytes");
}

static void pages_of_users(void **state)
{
    (void)state;
    struct page page;
    char *error = NULL;
    assert_int_equal(
        read_users_page("{\"object\":\"list\",\"data\":[{\"id\":\"b\",\"email\":\"b@x\"},{\"user\":"
                        "{\"id\":\"a\",\"email\":\"a@x\"}}],\"last_id\":null,\"has_more\":true}",
                        &page, &error),
        0);
    assert_true(page.has_more);
    assert_int_equal(page.users.count, 2);
    assert_int_equal(page.invites.count, 0);
    assert_string_equal(page.users.items[0].id, "b");
    assert_string_equal(page.users.items[1].email, "a@x");
    page_clear(&page);
    assert_null(page.users.items);
    assert_int_equal(read_users_page("{\"data\":[],\"has_more\":false}", &page, &error), 0);
    assert_false(page.has_more);
    assert_int_equal(page.users.count, 0);
}

static void bodies_of_role_changes(void **state)
{
    (void)state;
    _cleanup_free_ char *owner = wire_set_role_body(ROLE_OWNER);
    _cleanup_free_ char *reader = wire_set_role_body(ROLE_READER);
    assert_string_equal(owner, "{\"role\":\"owner\"}");
    assert_string_equal(reader, "{\"role\":\"reader\"}");
}

/* ---- pages --------------------------------------------------------------------------------- */

static void pages(void **state)
{
    (void)state;
    struct page page;
    char *error = NULL;
    assert_int_equal(
        read_page("{\"object\":\"list\",\"data\":[{\"id\":\"b\",\"email\":\"b@x\"},{\"id\":\"a\","
                  "\"email\":\"a@x\"}],\"first_id\":null,\"has_more\":true}",
                  &page, &error),
        0);
    assert_true(page.has_more);
    assert_int_equal(page.invites.count, 2);
    assert_string_equal(page.invites.items[0].id, "b");
    assert_string_equal(page.invites.items[1].email, "a@x");
    invites_clear(&page.invites);
    assert_int_equal(read_page("{\"data\":[],\"has_more\":false}", &page, &error), 0);
    assert_false(page.has_more);
    assert_int_equal(page.invites.count, 0);
}

static void a_page_must_state_data_and_has_more(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{}", "data"},
        {"{\"has_more\":false}", "data"},
        {"{\"data\":null,\"has_more\":false}", "data"},
        {"{\"data\":{},\"has_more\":false}", "data"},
        {"{\"data\":\"\",\"has_more\":false}", "data"},
        {"{\"data\":[]}", "has_more"},
        {"{\"data\":[],\"has_more\":null}", "has_more"},
        {"{\"data\":[],\"has_more\":0}", "has_more"},
        {"{\"data\":[],\"has_more\":\"false\"}", "has_more"},
        {"{\"data\":[],\"has_more\":false,\"has_more\":true}", "JSON"},
        {"[]", "object"},
        {"null", "JSON"},
        {"", "JSON"},
        {"{\"error\":{\"message\":\"no\"}}", "data"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page page;
        _cleanup_free_ char *error = NULL, *users_error = NULL;
        assert_int_equal(read_page(rows[i][0], &page, &error), -EBADMSG);
        if (!strstr(error, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], error);
        assert_int_equal(read_users_page(rows[i][0], &page, &users_error), -EBADMSG);
        assert_string_equal(users_error, error);
    }
}

/* A page that was cut anywhere is no page. */
static void no_torn_page_passes(void **state)
{
    (void)state;
    static const char text[] = "{\"data\":[{\"id\":\"b\",\"email\":\"b@x\",\"projects\":[{\"id\":"
                               "\"p\",\"role\":\"owner\"}]}],\"has_more\":false}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        _cleanup_free_ char *copy = unit_prefix(text, length);
        _cleanup_free_ char *error = NULL;
        struct page page;
        assert_int_equal(wire_read_page(copy, length, &page, &error), -EBADMSG);
    }
    static const char users[] =
        "{\"data\":[{\"id\":\"b\",\"email\":\"b@x\"},{\"role\":\"owner\",\"user\""
        ":{\"id\":\"a\",\"email\":null}}],\"has_more\":false}";
    for (size_t length = 0; length < sizeof users - 1; length++) {
        _cleanup_free_ char *copy = unit_prefix(users, length);
        _cleanup_free_ char *error = NULL;
        struct page page;
        assert_int_equal(wire_read_users_page(copy, length, &page, &error), -EBADMSG);
    }
}

static void deletions(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool taken;
    } rows[] = {
        {"{\"object\":\"organization.invite.deleted\",\"id\":\"i1\",\"deleted\":true}", true},
        {"{\"object\":\"organization.user.deleted\",\"id\":\"i1\",\"deleted\":true}", true},
        {"{\"id\":\"i1\",\"deleted\":true}", true},
        {"{\"id\":\"i1\",\"deleted\":false}", false},
        {"{\"id\":\"i2\",\"deleted\":true}", false},
        {"{\"id\":\"i2\"}", false},
        /* Any 2xx is success: only a body that denies it is heard. */
        {"{\"id\":\"i1\",\"deleted\":1}", true},
        {"{\"id\":\"i1\"}", true},
        {"{\"deleted\":true}", true},
        {"{\"id\":null,\"deleted\":true}", true},
        {"{}", true},
        {"[]", true},
        {"gone", true},
        {"", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        _cleanup_free_ char *copy = unit_prefix(rows[i].body, strlen(rows[i].body));
        _cleanup_free_ char *error = NULL;
        assert_int_equal(wire_read_deletion(copy, strlen(rows[i].body), "i1", &error),
                         rows[i].taken ? 0 : -EBADMSG);
        assert_int_equal(error == NULL, rows[i].taken);
    }
}

static void both_error_envelopes(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"error\":{\"message\":\"No such invite\",\"type\":\"t\",\"param\":null,\"code\":null}}",
         "HTTP 400: No such invite"},
        {"{\"error\":{\"message\":\"No\",\"code\":\"invalid_api_key\"}}",
         "HTTP 400: No (invalid_api_key)"},
        {"{\"error\":\"Missing scopes: api.management.read\"}",
         "HTTP 400: Missing scopes: api.management.read"},
        {"{\"error\":{\"code\":\"x\"}}", "HTTP 400"},
        {"{\"error\":{\"message\":7}}", "HTTP 400"},
        {"{\"error\":null}", "HTTP 400"},
        {"{\"error\":[]}", "HTTP 400"},
        {"{}", "HTTP 400"},
        {"[]", "HTTP 400"},
        {"", "HTTP 400"},
        {"<html>Bad Gateway</html>", "HTTP 400"},
        {"{\"error\":\"a\",\"error\":\"b\"}", "HTTP 400"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        _cleanup_free_ char *copy = unit_prefix(rows[i][0], strlen(rows[i][0]));
        _cleanup_free_ char *text = wire_read_error(400, copy, strlen(rows[i][0]));
        assert_string_equal(text, rows[i][1]);
    }
}

/* A long message is cut, and stays valid UTF-8 wherever it is cut. */
static void a_long_error_is_cut_between_characters(void **state)
{
    (void)state;
    for (int before = 0; before < 4; before++) {
        char body[2048] = "{\"error\":{\"message\":\"";
        strcat(body, &"xxx"[before]);
        for (int i = 0; i < 300; i++)
            strcat(body, "\xe2\x82\xac");
        strcat(body, "\",\"code\":\"");
        strcat(body, &"xxx"[before]);
        for (int i = 0; i < 100; i++)
            strcat(body, "\xe2\x82\xac");
        strcat(body, "\"}}");
        _cleanup_free_ char *text = wire_read_error(400, body, strlen(body));
        assert_in_range(strlen(text), 300, 400);
        assert_int_equal(utf8_fault_offset(text, strlen(text)), strlen(text));
    }
}

static void bodies_of_creates(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {NULL, "{\"email\":\"a\\\"b@x\",\"role\":\"reader\"}"},
        {"", "{\"email\":\"a\\\"b@x\",\"role\":\"reader\",\"projects\":[]}"},
        {"p2 p1:owner",
         "{\"email\":\"a\\\"b@x\",\"role\":\"reader\",\"projects\":[{\"id\":\"p1\",\"role\":"
         "\"owner\"},{\"id\":\"p2\",\"role\":\"member\"}]}"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct projects projects = unit_projects(rows[i][0]);
        _cleanup_free_ char *body = wire_create_body("a\"b@x", ROLE_READER, &projects);
        projects_clear(&projects);
        assert_string_equal(body, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_invite),
        cmocka_unit_test(ids_have_a_length_limit),
        cmocka_unit_test(what_may_be_missing_or_null),
        cmocka_unit_test(unknown_words_are_kept_and_unknown),
        cmocka_unit_test(the_time_of_creation_has_two_names),
        cmocka_unit_test(projects_have_three_meanings),
        cmocka_unit_test(wrong_fields_are_refused),
        cmocka_unit_test(no_json_is_no_invite),
        cmocka_unit_test(both_shapes_of_a_user),
        cmocka_unit_test(what_a_user_may_lack),
        cmocka_unit_test(an_unknown_role_of_a_user_is_kept),
        cmocka_unit_test(wrong_fields_of_a_user_are_refused),
        cmocka_unit_test(pages_of_users),
        cmocka_unit_test(bodies_of_role_changes),
        cmocka_unit_test(pages),
        cmocka_unit_test(a_page_must_state_data_and_has_more),
        cmocka_unit_test(no_torn_page_passes),
        cmocka_unit_test(deletions),
        cmocka_unit_test(both_error_envelopes),
        cmocka_unit_test(a_long_error_is_cut_between_characters),
        cmocka_unit_test(bodies_of_creates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

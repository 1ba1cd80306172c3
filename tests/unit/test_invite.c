/* Invites: status words, liveness at its boundary, what one grants, which is newer. */
#include "people.h"

static void words(void **state)
{
    (void)state;
    assert_int_equal(invite_status_parse("pending"), INVITE_PENDING);
    assert_int_equal(invite_status_parse("accepted"), INVITE_ACCEPTED);
    assert_int_equal(invite_status_parse("expired"), INVITE_EXPIRED);
    assert_int_equal(invite_status_parse(""), INVITE_STATUS_UNKNOWN);
    assert_int_equal(invite_status_parse("Pending"), INVITE_STATUS_UNKNOWN);
    assert_int_equal(invite_status_parse("revoked"), INVITE_STATUS_UNKNOWN);
    for (int i = INVITE_PENDING; i <= INVITE_EXPIRED; i++)
        assert_int_equal(invite_status_parse(invite_status_word((enum invite_status)i)), i);
    assert_string_equal(invite_status_word(INVITE_STATUS_UNKNOWN), "unknown");
}

static void liveness(void **state)
{
    (void)state;
    static const struct {
        enum invite_status status;
        int64_t expires_at;
        bool live, expired;
    } rows[] = {
        {INVITE_PENDING, 0, true, false}, /* not stated: never for us */
        {INVITE_PENDING, 1001, true, false},
        {INVITE_PENDING, 1000, false, true}, /* the clock wins over the word */
        {INVITE_PENDING, 999, false, true},
        {INVITE_EXPIRED, 0, false, true},
        {INVITE_EXPIRED, 2000, false, true},
        {INVITE_ACCEPTED, 999, false, false},
        {INVITE_ACCEPTED, 2000, false, false},
        {INVITE_STATUS_UNKNOWN, 999, false, false},
        {INVITE_STATUS_UNKNOWN, 2000, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct invite invite = {.status = rows[i].status, .expires_at = rows[i].expires_at};
        assert_int_equal(invite_is_live(&invite, 1000), rows[i].live);
        assert_int_equal(invite_is_expired(&invite, 1000), rows[i].expired);
    }
}

static bool grants(const char *role, const char *projects, const char *wanted_role,
                   const char *wanted_projects)
{
    struct invite invite =
        unit_invite(&(struct unit_invite){.id = "i", .role = role, .projects = projects});
    struct projects wanted = unit_projects(wanted_projects);
    bool result = invite_grants(&invite, role_parse(wanted_role), &wanted);
    invite_clear(&invite);
    projects_clear(&wanted);
    return result;
}

static void grants_compare_what_both_state(void **state)
{
    (void)state;
    assert_true(grants("reader", "a b", "reader", "b a"));
    assert_true(grants("reader", NULL, "reader", "a"));
    assert_true(grants("reader", "a", "reader", NULL));
    assert_true(grants("reader", "", "reader", ""));
    assert_false(grants("reader", "", "reader", "a"));
    assert_false(grants("reader", "a", "reader", ""));
    assert_false(grants("reader", "a", "reader", "a:owner"));
    assert_false(grants("reader", "a", "owner", "a"));
    assert_false(grants("reader", NULL, "owner", NULL));
}

static bool newer(int64_t created_a, const char *a, int64_t created_b, const char *b)
{
    const struct invite left = {.id = (char *)a, .created_at = created_a};
    const struct invite right = {.id = (char *)b, .created_at = created_b};
    return invite_newer(&left, &right);
}

static void newer_is_a_total_order(void **state)
{
    (void)state;
    assert_true(newer(2, "a", 1, "b"));
    assert_false(newer(1, "b", 2, "a"));
    assert_true(newer(1, "b", 1, "a"));
    assert_false(newer(1, "a", 1, "b"));
    assert_false(newer(1, "a", 1, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(liveness),
        cmocka_unit_test(grants_compare_what_both_state),
        cmocka_unit_test(newer_is_a_total_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

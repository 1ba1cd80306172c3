/* Roles and project lists: words, order, copies. */
#include "people.h"

#include "core/grant.h"

static void words(void **state)
{
    (void)state;
    assert_int_equal(role_parse("reader"), ROLE_READER);
    assert_int_equal(role_parse("owner"), ROLE_OWNER);
    static const char *const others[] = {"", "Owner", "owner ", "readers", "unknown", "admin"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(role_parse(others[i]), ROLE_UNKNOWN);
        assert_int_equal(project_role_parse(others[i]), PROJECT_ROLE_UNKNOWN);
    }
    assert_int_equal(project_role_parse("member"), PROJECT_ROLE_MEMBER);
    assert_int_equal(project_role_parse("owner"), PROJECT_ROLE_OWNER);
    assert_string_equal(role_word(ROLE_READER), "reader");
    assert_string_equal(role_word(ROLE_OWNER), "owner");
    assert_string_equal(role_word(ROLE_UNKNOWN), "unknown");
    assert_string_equal(project_role_word(PROJECT_ROLE_MEMBER), "member");
    assert_string_equal(project_role_word(PROJECT_ROLE_OWNER), "owner");
    assert_string_equal(project_role_word(PROJECT_ROLE_UNKNOWN), "unknown");
}

static int compare(const char *a, const char *b)
{
    struct projects left = unit_projects(a), right = unit_projects(b);
    int order = projects_compare(&left, &right), reverse = projects_compare(&right, &left);
    assert_true((order < 0) == (reverse > 0) && (order == 0) == (reverse == 0));
    projects_clear(&left);
    projects_clear(&right);
    return order;
}

static void lists_compare_whatever_their_order(void **state)
{
    (void)state;
    assert_int_equal(compare("a b:owner c", "c a b:owner"), 0);
    assert_int_equal(compare(NULL, NULL), 0);
    assert_int_equal(compare("", ""), 0);
    assert_int_not_equal(compare("", NULL), 0);
    assert_int_not_equal(compare("a", NULL), 0);
    assert_int_not_equal(compare("a", ""), 0);
    assert_int_not_equal(compare("a", "a b"), 0);
    assert_int_not_equal(compare("a b", "a c"), 0);
    assert_int_not_equal(compare("a", "a:owner"), 0);
    assert_int_not_equal(compare("a", "A"), 0);
}

static void a_list_is_sorted_and_searched(void **state)
{
    (void)state;
    struct projects list = unit_projects("m z a k");
    _cleanup_free_ char *text = unit_projects_text(&list);
    assert_string_equal(text, "[a:member k:member m:member z:member]");
    assert_true(projects_contain(&list, "k"));
    assert_false(projects_contain(&list, "K"));
    assert_false(projects_contain(&list, "kk"));
    projects_clear(&list);
    assert_false(list.given);
    assert_int_equal(list.count, 0);
    assert_false(projects_contain(&list, "k"));
}

static void a_copy_is_equal_and_separate(void **state)
{
    (void)state;
    static const char *const texts[] = {NULL, "", "a", "b:owner a c"};
    for (size_t i = 0; i < 4; i++) {
        struct projects list = unit_projects(texts[i]), copy = unit_projects("stale");
        projects_clear(&copy);
        assert_int_equal(projects_copy(&list, &copy), 0);
        assert_int_equal(projects_compare(&list, &copy), 0);
        assert_int_equal(copy.given, texts[i] != NULL);
        projects_clear(&list);
        projects_clear(&copy);
    }
}

/* A list that may not be compared, since it holds a role we do not know, stays one when copied. */
static void a_copy_does_not_become_given(void **state)
{
    (void)state;
    struct projects list = unit_projects("a"), copy;
    list.given = false;
    assert_int_equal(projects_copy(&list, &copy), 0);
    assert_false(copy.given);
    projects_clear(&list);
    projects_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(lists_compare_whatever_their_order),
        cmocka_unit_test(a_list_is_sorted_and_searched),
        cmocka_unit_test(a_copy_is_equal_and_separate),
        cmocka_unit_test(a_copy_does_not_become_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

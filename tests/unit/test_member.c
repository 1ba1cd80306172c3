/* The declared people: order, search, ignore patterns. */
#include "people.h"

static void sorted_and_found(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members = calloc(1, sizeof *members);
    members_sort(members);
    assert_null(members_find(members, "ada@x"));
    static const char *const emails[] = {"zoe@x", "Ada@x", "bob@x", "eve@x", "BOB@y"};
    for (size_t i = 0; i < 5; i++)
        unit_declare(members, emails[i], "reader", NULL, 0);
    static const char *const sorted[] = {"Ada@x", "bob@x", "BOB@y", "eve@x", "zoe@x"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(members->items[i].email, sorted[i]);
        assert_ptr_equal(members_find(members, sorted[i]), &members->items[i]);
    }
    assert_ptr_equal(members_find(members, "ADA@X"), &members->items[0]);
    assert_ptr_equal(members_find(members, "bob@Y"), &members->items[2]);
    static const char *const strangers[] = {"", "a@x", "bob@xx", "bob@z", "zz@x"};
    for (size_t i = 0; i < 5; i++)
        assert_null(members_find(members, strangers[i]));
}

static void the_same_person_twice_is_side_by_side(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members = calloc(1, sizeof *members);
    static const char *const emails[] = {"bob@x", "ada@x", "BOB@x", "eve@x", "Bob@x"};
    for (size_t i = 0; i < 5; i++) {
        struct member member = {.email = strdup(emails[i]), .place = memory_format("m:%zu", 9 - i)};
        assert_int_equal(members_add(members, &member), 0);
    }
    members_sort(members);
    /* Among themselves by place, so that messages come in one order. */
    assert_string_equal(members->items[1].place, "m:5");
    assert_string_equal(members->items[2].place, "m:7");
    assert_string_equal(members->items[3].place, "m:9");
    assert_ptr_equal(members_find(members, "bob@x"), &members->items[1]);
}

static void ignored_by_the_first_pattern(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members = calloc(1, sizeof *members);
    assert_null(members_ignored_by(members, "ada@x"));
    char pattern[] = "*@vendor.example";
    assert_int_equal(members_ignore(members, pattern), 0);
    pattern[0] = '!'; /* it was copied */
    assert_int_equal(members_ignore(members, "bot-*@*"), 0);
    assert_string_equal(members_ignored_by(members, "bot-1@Vendor.example"), "*@vendor.example");
    assert_string_equal(members_ignored_by(members, "BOT-1@x"), "bot-*@*");
    assert_null(members_ignored_by(members, "bot@x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_found),
        cmocka_unit_test(the_same_person_twice_is_side_by_side),
        cmocka_unit_test(ignored_by_the_first_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

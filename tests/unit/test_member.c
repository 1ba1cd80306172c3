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

static void protected_by_address_alone(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members = calloc(1, sizeof *members);
    assert_false(members_protects(members, "ada@x"));
    char email[] = "Ada@x";
    assert_int_equal(members_protect(members, email), 0);
    email[0] = '!'; /* it was copied */
    assert_int_equal(members_protect(members, "bob@x"), 0);
    assert_true(members_protects(members, "aDA@X") && members_protects(members, "BOB@x"));
    static const char *const others[] = {"", "!da@x", "ada@x.example", "da@x", "eve@x", "*@x"};
    for (size_t i = 0; i < 6; i++)
        assert_false(members_protects(members, others[i]));
}

static void stands_by_day(void **state)
{
    (void)state;
    const struct member always = {0}, later = {.starts_at = 100}, ends = {.ends_at = 200},
                        between = {.starts_at = 100, .ends_at = 200},
                        never = {.starts_at = 200, .ends_at = 100};
    assert_int_equal(member_standing(NULL, 0), STANDING_UNDECLARED);
    assert_int_equal(member_standing(&always, 0), STANDING_DECLARED);
    assert_int_equal(member_standing(&later, 99), STANDING_NOT_BEGUN);
    assert_int_equal(member_standing(&later, 100), STANDING_DECLARED);
    assert_int_equal(member_standing(&ends, 199), STANDING_DECLARED);
    assert_int_equal(member_standing(&ends, 200), STANDING_ENDED);
    assert_int_equal(member_standing(&between, 99), STANDING_NOT_BEGUN);
    assert_int_equal(member_standing(&between, 100), STANDING_DECLARED);
    assert_int_equal(member_standing(&between, 200), STANDING_ENDED);
    assert_int_equal(member_standing(&never, 99), STANDING_NOT_BEGUN);
    assert_int_equal(member_standing(&never, 150), STANDING_ENDED);
}

static void the_next_change_is_the_soonest(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members = calloc(1, sizeof *members);
    assert_int_equal(members_next_change(members, 0), 0);
    unit_declare(members, "ada@x", "reader", NULL, 0);
    assert_int_equal(members_next_change(members, 0), 0);
    unit_declare(members, "bob@x", "reader", NULL, 300);
    unit_declare(members, "eve@x", "reader", NULL, 200);
    members->items[2].starts_at = 100;
    members->items[0].starts_at = 400;
    static const int64_t moments[] = {100, 200, 300, 400};
    int64_t now = -5;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(members_next_change(members, now), moments[i]);
        assert_int_equal(members_next_change(members, moments[i] - 1), moments[i]);
        now = moments[i];
    }
    assert_int_equal(members_next_change(members, now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_found),
        cmocka_unit_test(the_same_person_twice_is_side_by_side),
        cmocka_unit_test(ignored_by_the_first_pattern),
        cmocka_unit_test(protected_by_address_alone),
        cmocka_unit_test(stands_by_day),
        cmocka_unit_test(the_next_change_is_the_soonest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

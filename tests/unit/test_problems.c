/* Collected problems, and the guess at what was meant. */
#include "unit.h"

#include "codec/utf8.h"

static void collects_in_order(void **state)
{
    (void)state;
    struct problems problems = {0};
    problems_add(&problems, "a.conf:1", "%s is wrong", "this");
    problems_warn(&problems, "a.conf:2", "odd");
    problems_add(&problems, "b.conf:3", "that too, %d", 2);
    assert_int_equal(problems.count, 3);
    assert_int_equal(problems.errors, 2);
    ASSERT_PROBLEMS(&problems, "a.conf:1: this is wrong\n"
                               "a.conf:2: warning: odd\n"
                               "b.conf:3: that too, 2\n");
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.errors, 0);
}

static void never_holds_control_characters(void **state)
{
    (void)state;
    struct problems problems = {0};
    problems_add(&problems, "a\x1b[2J.conf:1", "one\ntwo \xff");
    ASSERT_PROBLEMS(&problems, "a\\x1b[2J.conf:1: one\\ntwo \\xff\n");
}

static void guesses(void **state)
{
    (void)state;
    static const char *const keys[] = {"members", "defaults", "ignore", "id", "role", "sync", NULL};
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"member", "members"},
        {"membres", "members"},
        {"Members", "members"},
        {"mebmers", "members"},
        {"default", "defaults"},
        {"ignroe", "ignore"},
        {"Id", "id"},
        {"roles", "role"},
        {"rloe", "role"},
        {"ic", "id"},
        {"", NULL},
        {"x", NULL},
        {"xy", NULL},
        {"people", NULL},
        {"users", NULL},
        {"create", NULL},
        {"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *meant = problems_suggest(cases[i].word, keys);
        if (cases[i].meant) {
            assert_non_null(meant);
            assert_string_equal(meant, cases[i].meant);
        } else
            assert_null(meant);
    }
}

/* A word of the greatest length must not leave the table. */
static void guesses_within_bounds(void **state)
{
    (void)state;
    char word[40] = {0};
    const char *const words[] = {"abcdefghijklmnopqrstuvwxyzabcdef",
                                 "abcdefghijklmnopqrstuvwxyzabcdefg", NULL};
    for (size_t length = 0; length < sizeof word - 1; length++) {
        word[length] = words[0][length % 32];
        const char *meant = problems_suggest(word, words);
        assert_true(!meant || meant == words[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_in_order),
        cmocka_unit_test(never_holds_control_characters),
        cmocka_unit_test(guesses),
        cmocka_unit_test(guesses_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the ledger learns of users: how long somebody was watched who is not declared, and nothing
 * of the time in which nobody watched. */
#include "people.h"
#include "starve.h"

#include <errno.h>

#include "core/observe.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)
#define GAP    (20 * MINUTE)
#define NOW    INT64_C(1700000000)

/* Those who look, and what at. */
struct watch {
    struct members *members;
    struct ledger *ledger;
    const char *observer;
    uint64_t at;
    bool counts;
};

static struct watch watch_new(void)
{
    struct watch watch = {.members = calloc(1, sizeof(struct members)),
                          .ledger = ledger_new(),
                          .observer = "p1",
                          .at = 100 * MINUTE,
                          .counts = true};
    unit_declare(watch.members, "boss@x", "owner", NULL, 0);
    return watch;
}

static void watch_clear(struct watch *watch)
{
    members_free(watch->members);
    ledger_free(watch->ledger);
}

#define WATCH _cleanup_(watch_clear) struct watch watch = watch_new()

static int try_look(struct watch *watch, const struct unit_user *users, size_t count)
{
    struct listing *listing = unit_users(users, count);
    const struct observation observation = {.members = watch->members,
                                            .users = listing,
                                            .observer = watch->observer,
                                            .begun = watch->at,
                                            .gap_most = GAP,
                                            .now = NOW,
                                            .counts = watch->counts};
    int r = observe_users(watch->ledger, &observation);
    listing_free(listing);
    return r;
}

/* So much later, a complete listing of the boss and of ada@x. */
static void look(struct watch *watch, uint64_t later)
{
    static const struct unit_user users[] = {{"u0", "boss@x", "owner", 1, false, false},
                                             {"u1", "ada@x", "reader", 1, false, false}};
    watch->at += later;
    assert_int_equal(try_look(watch, users, 2), 0);
}

static void assert_seen(const struct watch *watch, unsigned passes, uint64_t undeclared)
{
    const struct ledger_user *user = ledger_find_user(watch->ledger, "u1");
    assert_non_null(user);
    assert_string_equal(user->email, "ada@x");
    assert_int_equal(user->passes, passes);
    assert_int_equal(user->undeclared, undeclared);
    if (passes > 0)
        assert_int_equal(user->at, watch->at);
    assert_int_equal(ledger_find_user(watch->ledger, "u0")->passes, 0);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void time_adds_up(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    assert_seen(&watch, 1, 0);
    look(&watch, 5 * MINUTE);
    assert_seen(&watch, 2, 5 * MINUTE);
    look(&watch, 7 * MINUTE + 1);
    assert_seen(&watch, 3, 12 * MINUTE + 1);
}

/* Neither while no listing could be had, nor while the host slept. */
static void a_gap_that_is_too_long_does_not_count(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    look(&watch, GAP);
    assert_seen(&watch, 2, GAP);
    look(&watch, GAP + 1);
    assert_seen(&watch, 3, GAP);
    look(&watch, MINUTE);
    assert_seen(&watch, 4, GAP + MINUTE);
}

/* The count of passes has an end; the time of the last look goes on to be saved. */
static void the_last_look_is_remembered(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    look(&watch, MINUTE);
    ((struct ledger_user *)ledger_find_user(watch.ledger, "u1"))->passes = UINT16_MAX;
    watch.ledger->dirty = false;
    look(&watch, GAP + 1);
    assert_true(watch.ledger->dirty);
}

/* What another process saw is kept, and nothing is added for the time between. */
static void time_of_another_process_does_not_count(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    look(&watch, 5 * MINUTE);
    watch.observer = "p2";
    look(&watch, MINUTE);
    assert_seen(&watch, 3, 5 * MINUTE);
    look(&watch, MINUTE);
    assert_seen(&watch, 4, 6 * MINUTE);
    watch.observer = "p1";
    look(&watch, MINUTE);
    assert_seen(&watch, 5, 6 * MINUTE);
}

static void one_pass_by_hand_watches_nobody(void **state)
{
    (void)state;
    WATCH;
    watch.observer = NULL;
    for (unsigned i = 1; i < 5; i++) {
        look(&watch, MINUTE);
        assert_seen(&watch, i, 0);
    }
    /* Nor does it carry on what a daemon began, or let it go on over its head. */
    watch.observer = "p1";
    look(&watch, MINUTE);
    look(&watch, MINUTE);
    assert_seen(&watch, 6, MINUTE);
    watch.observer = NULL;
    look(&watch, MINUTE);
    watch.observer = "p1";
    look(&watch, MINUTE);
    assert_seen(&watch, 8, MINUTE);
}

static void time_does_not_outlive_a_boot(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        WATCH;
        assert_int_equal(ledger_adopt(watch.ledger, "boot-1", watch.at), 0);
        look(&watch, 0);
        look(&watch, MINUTE);
        assert_int_equal(ledger_adopt(watch.ledger, again ? "boot-2" : "boot-1", watch.at), 0);
        look(&watch, MINUTE);
        assert_seen(&watch, 3, again ? MINUTE : 2 * MINUTE);
    }
}

static void a_clock_that_went_back_adds_nothing(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    watch.at -= 50 * MINUTE;
    look(&watch, 0);
    assert_seen(&watch, 2, 0);
}

/* ---- whom ---------------------------------------------------------------------------------- */

static void who_is_declared_again_starts_over(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    look(&watch, 5 * MINUTE);
    unit_declare(watch.members, "ADA@x", "owner", NULL, 0);
    look(&watch, MINUTE);
    assert_seen(&watch, 0, 0);
    struct member *ada = (struct member *)members_find(watch.members, "ada@x");
    ada->ends_at = NOW;
    look(&watch, MINUTE);
    assert_seen(&watch, 1, 0);
    look(&watch, MINUTE);
    assert_seen(&watch, 2, MINUTE);
}

static void who_was_gone_starts_over(void **state)
{
    (void)state;
    WATCH;
    static const struct unit_user boss = {"u0", "boss@x", "owner", 1, false, false};
    look(&watch, 0);
    look(&watch, 5 * MINUTE);
    watch.at += MINUTE;
    assert_int_equal(try_look(&watch, &boss, 1), 0);
    assert_null(ledger_find_user(watch.ledger, "u1"));
    look(&watch, MINUTE);
    assert_seen(&watch, 1, 0);
}

/* Users are only observed, or nothing is ever deleted: then no time runs, and none is left over. */
static void time_runs_only_where_it_counts(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    look(&watch, MINUTE);
    watch.counts = false;
    look(&watch, MINUTE);
    assert_seen(&watch, 0, 0);
    watch.counts = true;
    look(&watch, MINUTE);
    assert_seen(&watch, 1, 0);
}

static void only_whom_the_file_does_not_want(void **state)
{
    (void)state;
    static const struct {
        struct unit_user user;
        const char *protected, *ignored, *role;
        int64_t starts_at, ends_at;
        bool counts;
    } cases[] = {
        {.user = {"u1", "ada@x", "reader", 1, false, false}, .counts = true},
        {.user = {"u1", "ada@x", "owner", 1, false, false}, .counts = true},
        {.user = {"u1", "ada@x", "reader", 1, true, false}},
        {.user = {"u1", "ada@x", "reader", 1, false, true}},
        {.user = {"u1", "ada@x", "admin", 1, false, false}},
        {.user = {"u1", "ada@x", NULL, 1, false, false}},
        {.user = {"u1", "ada@x", "reader", 1, false, false}, .protected = "Ada@x"},
        {.user = {"u1", "ada@x", "reader", 1, false, false}, .ignored = "*@x"},
        {.user = {"u1", "ada@x", "reader", 1, false, false}, .role = "reader"},
        {.user = {"u1", "ada@x", "reader", 1, false, false}, .role = "owner"},
        {.user = {"u1", "ada@x", "reader", 1, false, false}, .role = "reader", .ends_at = NOW + 1},
        {.user = {"u1", "ada@x", "reader", 1, false, false},
         .role = "reader",
         .ends_at = NOW,
         .counts = true},
        {.user = {"u1", "ada@x", "reader", 1, false, false},
         .role = "reader",
         .starts_at = NOW + 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WATCH;
        if (cases[i].role) {
            unit_declare(watch.members, "ada@x", cases[i].role, NULL, cases[i].ends_at);
            ((struct member *)members_find(watch.members, "ada@x"))->starts_at = cases[i].starts_at;
        }
        if (cases[i].protected)
            assert_int_equal(members_protect(watch.members, cases[i].protected), 0);
        if (cases[i].ignored)
            assert_int_equal(members_ignore(watch.members, cases[i].ignored), 0);
        for (unsigned pass = 1; pass <= 2; pass++) {
            assert_int_equal(try_look(&watch, &cases[i].user, 1), 0);
            watch.at += MINUTE;
            if (ledger_find_user(watch.ledger, "u1")->passes != (cases[i].counts ? pass : 0))
                fail_msg("case %zu: seen %u times in pass %u", i,
                         ledger_find_user(watch.ledger, "u1")->passes, pass);
        }
    }
}

static void who_has_no_address_is_not_remembered(void **state)
{
    (void)state;
    WATCH;
    static const struct unit_user users[] = {{"u2", "ben@x", "reader", 1, false, false},
                                             {"u1", NULL, "reader", 1, false, false},
                                             {"u0", "boss@x", "owner", 1, false, false}};
    assert_int_equal(try_look(&watch, users, 3), 0);
    assert_int_equal(watch.ledger->user_count, 2);
    assert_null(ledger_find_user(watch.ledger, "u1"));
    /* Unless it was known before: the service may only have lost it. */
    look(&watch, MINUTE);
    assert_int_equal(try_look(&watch, users, 3), 0);
    assert_string_equal(ledger_find_user(watch.ledger, "u1")->email, "ada@x");
    assert_int_equal(ledger_find_user(watch.ledger, "u1")->passes, 0);
    /* The listing's order is not ours. */
    assert_string_equal(watch.ledger->users[0].id, "u0");
    assert_string_equal(watch.ledger->users[2].id, "u2");
}

/* ---- under another address ----------------------------------------------------------------- */

static void look_at(struct watch *watch, const char *email)
{
    const struct unit_user users[] = {{"u0", "boss@x", "owner", 1, false, false},
                                      {"u1", email, "reader", 1, false, false}};
    watch->at += MINUTE;
    assert_int_equal(try_look(watch, users, 2), 0);
}

/* As long as the file means them by the old address, they are who they were. */
static void who_changes_the_address_keeps_the_declared_one(void **state)
{
    (void)state;
    for (int protected = 0; protected < 2; protected ++) {
        WATCH;
        if (protected)
            assert_int_equal(members_protect(watch.members, "ada@x"), 0);
        else
            unit_declare(watch.members, "ada@x", "reader", NULL, 0);
        look(&watch, 0);
        for (int i = 0; i < 3; i++) {
            look_at(&watch, "new@x");
            assert_seen(&watch, 0, 0);
        }
        look_at(&watch, "ada@x");
        assert_seen(&watch, 0, 0);
    }
}

/* Where the file knows neither, the service's word is as good as any, and the time goes on. */
static void who_changes_an_undeclared_address_takes_the_new_one(void **state)
{
    (void)state;
    WATCH;
    look(&watch, 0);
    look_at(&watch, "new@x");
    const struct ledger_user *user = ledger_find_user(watch.ledger, "u1");
    assert_string_equal(user->email, "new@x");
    assert_int_equal(user->passes, 2);
    assert_int_equal(user->undeclared, MINUTE);
}

/* Once the old address is out of the file, the new one is the user's, and the time begins. */
static void a_removal_takes_its_time_after_a_change_of_address(void **state)
{
    (void)state;
    WATCH;
    unit_declare(watch.members, "ada@x", "reader", NULL, 0);
    look(&watch, 0);
    look_at(&watch, "new@x");
    struct member *ada = (struct member *)members_find(watch.members, "ada@x");
    memcpy(ada->email, "abc@x", 5);
    look_at(&watch, "new@x");
    const struct ledger_user *user = ledger_find_user(watch.ledger, "u1");
    assert_string_equal(user->email, "new@x");
    assert_int_equal(user->passes, 1);
    assert_int_equal(user->undeclared, 0);
}

/* ---- when it is due ------------------------------------------------------------------------ */

static void nobody_is_due_in_one_pass(void **state)
{
    (void)state;
    WATCH;
    assert_int_equal(ledger_removal_due(watch.ledger, "u1", 0), 1);
    look(&watch, 0);
    assert_int_equal(ledger_removal_due(watch.ledger, "u1", 0), 1);
    assert_int_equal(ledger_removal_due(watch.ledger, "u1", MINUTE), MINUTE);
    look(&watch, MINUTE - 1);
    assert_int_equal(ledger_removal_due(watch.ledger, "u1", 0), 0);
    assert_int_equal(ledger_removal_due(watch.ledger, "u1", MINUTE - 1), 0);
    assert_int_equal(ledger_removal_due(watch.ledger, "u1", MINUTE), 1);
    assert_int_equal(ledger_removal_due(watch.ledger, "u9", 0), 1);
}

/* ---- the ledger ---------------------------------------------------------------------------- */

/* Who watches nobody need not write each time. */
static void only_news_makes_it_dirty(void **state)
{
    (void)state;
    WATCH;
    unit_declare(watch.members, "ada@x", "reader", NULL, 0);
    look(&watch, 0);
    assert_true(watch.ledger->dirty);
    watch.ledger->dirty = false;
    look(&watch, MINUTE);
    assert_false(watch.ledger->dirty);
    look_at(&watch, "ADA@X");
    assert_true(watch.ledger->dirty);
    watch.ledger->dirty = false;
    watch.observer = "p2";
    look_at(&watch, "ADA@X");
    assert_true(watch.ledger->dirty);
    watch.ledger->dirty = false;
    members_find(watch.members, "ada@x")->email[0] = 'z';
    members_sort(watch.members);
    for (int i = 0; i < 2; i++) {
        look_at(&watch, "ADA@X");
        assert_true(watch.ledger->dirty);
        watch.ledger->dirty = false;
    }
}

static void learns_all_or_nothing_when_memory_is_short(void **state)
{
    (void)state;
    long failures = 0;
    for (bool failed = true; failed; failures++) {
        WATCH;
        look(&watch, 0);
        watch.observer = "p2";
        watch.at += MINUTE;
        static const struct unit_user users[] = {{"u1", "ada@x", "reader", 1, false, false},
                                                 {"u2", "ben@x", "reader", 1, false, false}};
        struct listing *listing = unit_users(users, 2);
        const struct observation observation = {.members = watch.members,
                                                .users = listing,
                                                .observer = watch.observer,
                                                .begun = watch.at,
                                                .gap_most = GAP,
                                                .now = NOW,
                                                .counts = true};
        starve_after(failures, false);
        int r = observe_users(watch.ledger, &observation);
        failed = starve_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        assert_string_equal(watch.ledger->observer, failed ? "p1" : "p2");
        assert_int_equal(watch.ledger->user_count, 2);
        assert_int_equal(ledger_find_user(watch.ledger, "u1")->passes, failed ? 1 : 2);
        assert_int_equal(ledger_find_user(watch.ledger, "u2") != NULL, !failed);
        listing_free(listing);
    }
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_adds_up),
        cmocka_unit_test(the_last_look_is_remembered),
        cmocka_unit_test(a_gap_that_is_too_long_does_not_count),
        cmocka_unit_test(time_of_another_process_does_not_count),
        cmocka_unit_test(one_pass_by_hand_watches_nobody),
        cmocka_unit_test(time_does_not_outlive_a_boot),
        cmocka_unit_test(a_clock_that_went_back_adds_nothing),
        cmocka_unit_test(who_is_declared_again_starts_over),
        cmocka_unit_test(who_was_gone_starts_over),
        cmocka_unit_test(time_runs_only_where_it_counts),
        cmocka_unit_test(only_whom_the_file_does_not_want),
        cmocka_unit_test(who_has_no_address_is_not_remembered),
        cmocka_unit_test(who_changes_the_address_keeps_the_declared_one),
        cmocka_unit_test(who_changes_an_undeclared_address_takes_the_new_one),
        cmocka_unit_test(a_removal_takes_its_time_after_a_change_of_address),
        cmocka_unit_test(nobody_is_due_in_one_pass),
        cmocka_unit_test(only_news_makes_it_dirty),
        cmocka_unit_test(learns_all_or_nothing_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

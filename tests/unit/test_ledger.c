/* The ledger: what is remembered of writes, for how long, and what a listing says about them. */
#include "people.h"

#include "core/ledger.h"

#define SETTLE UINT64_C(60000000)
#define DAY    INT64_C(86400)

static struct ledger_wish *take(struct ledger *ledger, const char *email, const char *role,
                                const char *projects)
{
    struct projects list = unit_projects(projects);
    struct ledger_wish *wish = ledger_take(ledger, email, role_parse(role), &list);
    assert_ptr_equal(ledger_find(ledger, email, role_parse(role), &list), wish);
    projects_clear(&list);
    assert_non_null(wish);
    return wish;
}

static void a_fresh_ledger_knows_nothing(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    static const struct projects none;
    size_t count = 7;
    assert_null(ledger_find(ledger, "ada@x", ROLE_READER, &none));
    assert_null(ledger_find_invite(ledger, "i1"));
    assert_false(ledger_is_open(ledger, "ada@x"));
    assert_false(ledger_hides(ledger, "i1", 0, SETTLE));
    ledger_of_address(ledger, "ada@x", &count);
    assert_int_equal(count, 0);
    assert_int_equal(ledger->live, -1);
    assert_false(ledger->dirty);
}

static void a_wish_is_address_role_and_projects(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    static const char *const emails[] = {"zoe@x", "ada@x", "bob@x"};
    static const char *const roles[] = {"owner", "reader"};
    static const char *const projects[] = {"b a:owner", NULL, "", "a"};
    struct ledger_wish *wishes[24];
    size_t n = 0;
    for (size_t e = 0; e < 3; e++)
        for (size_t r = 0; r < 2; r++)
            for (size_t p = 0; p < 4; p++)
                wishes[n++] = take(ledger, emails[e], roles[r], projects[p]);
    assert_int_equal(ledger->wish_count, 24);
    /* Each is found again, in whatever case, and stayed where it was. */
    n = 0;
    for (size_t e = 0; e < 3; e++)
        for (size_t r = 0; r < 2; r++)
            for (size_t p = 0; p < 4; p++)
                assert_ptr_equal(take(ledger, e == 1 ? "ADA@X" : emails[e], roles[r], projects[p]),
                                 wishes[n++]);
    assert_int_equal(ledger->wish_count, 24);
    for (size_t i = 1; i < 24; i++)
        assert_true(strcmp(ledger->wishes[i - 1]->email, ledger->wishes[i]->email) <= 0);
    size_t count;
    struct ledger_wish **of_ada = ledger_of_address(ledger, "Ada@x", &count);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(of_ada[i]->email, "ada@x");
    ledger_of_address(ledger, "carl@x", &count);
    assert_int_equal(count, 0);
}

static void open_is_begun_or_unknown_of_any_wish(void **state)
{
    (void)state;
    static const struct {
        enum create_state state;
        bool open;
    } rows[] = {{CREATE_NONE, false},
                {CREATE_BEGUN, true},
                {CREATE_UNKNOWN, true},
                {CREATE_ANSWERED, false},
                {CREATE_REFUSED, false}};
    for (size_t i = 0; i < 5; i++) {
        _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
        take(ledger, "ada@x", "owner", NULL);
        ledger_mark(take(ledger, "ada@x", "reader", "a"), rows[i].state, 5, 6);
        take(ledger, "ada@x", "reader", NULL);
        take(ledger, "aad@x", "reader", NULL);
        assert_int_equal(ledger_is_open(ledger, "ADA@x"), rows[i].open);
        assert_false(ledger_is_open(ledger, "aad@x"));
        assert_int_equal(take(ledger, "ada@x", "reader", "a")->at, 5);
        assert_int_equal(take(ledger, "ada@x", "reader", "a")->wall, 6);
    }
}

static void adopting_what_the_same_boot_left(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    ledger->boot = strdup("boot-1");
    ledger_mark(take(ledger, "begun@x", "reader", NULL), CREATE_BEGUN, 100, 1);
    ledger_mark(take(ledger, "unknown@x", "reader", NULL), CREATE_UNKNOWN, 100, 1);
    ledger_mark(take(ledger, "answered@x", "reader", NULL), CREATE_ANSWERED, 100, 1);
    ledger_mark(take(ledger, "future@x", "reader", NULL), CREATE_ANSWERED, 900, 1);
    ledger_mark(take(ledger, "refused@x", "reader", NULL), CREATE_REFUSED, 100, 1);
    assert_int_equal(ledger_deleted(ledger, "old", 100), 0);
    assert_int_equal(ledger_deleted(ledger, "odd", 900), 0);
    ledger->suspect = true;
    ledger->suspect_at = 100;
    ledger->dirty = false;
    assert_int_equal(ledger_adopt(ledger, "boot-1", 500), 0);
    assert_true(ledger->dirty);
    assert_int_equal(take(ledger, "begun@x", "reader", NULL)->state, CREATE_UNKNOWN);
    assert_int_equal(take(ledger, "begun@x", "reader", NULL)->at, 500);
    assert_int_equal(take(ledger, "unknown@x", "reader", NULL)->state, CREATE_UNKNOWN);
    assert_int_equal(take(ledger, "unknown@x", "reader", NULL)->at, 100);
    assert_int_equal(take(ledger, "answered@x", "reader", NULL)->state, CREATE_ANSWERED);
    assert_int_equal(take(ledger, "answered@x", "reader", NULL)->at, 100);
    assert_int_equal(take(ledger, "future@x", "reader", NULL)->at, 500);
    assert_int_equal(take(ledger, "refused@x", "reader", NULL)->state, CREATE_REFUSED);
    assert_int_equal(ledger->deletions[0].at, 100);
    assert_int_equal(ledger->deletions[1].at, 500);
    assert_int_equal(ledger->suspect_at, 100);
}

static void adopting_what_another_boot_left(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
        if (known)
            ledger->boot = strdup("boot-1");
        static const enum create_state states[] = {CREATE_BEGUN, CREATE_UNKNOWN, CREATE_ANSWERED};
        static const char *const emails[] = {"a@x", "b@x", "c@x"};
        for (size_t i = 0; i < 3; i++)
            ledger_mark(take(ledger, emails[i], "reader", NULL), states[i], 100, 1);
        assert_int_equal(ledger_deleted(ledger, "old", 100), 0);
        ledger->suspect = true;
        ledger->suspect_at = 100;
        ledger->dirty = false;
        assert_int_equal(ledger_adopt(ledger, "boot-2", 500), 0);
        assert_true(ledger->dirty);
        assert_string_equal(ledger->boot, "boot-2");
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(take(ledger, emails[i], "reader", NULL)->at, 500);
        assert_int_equal(take(ledger, "a@x", "reader", NULL)->state, CREATE_UNKNOWN);
        assert_int_equal(take(ledger, "b@x", "reader", NULL)->state, CREATE_UNKNOWN);
        assert_int_equal(take(ledger, "c@x", "reader", NULL)->state, CREATE_ANSWERED);
        assert_int_equal(ledger->deletions[0].at, 500);
        assert_int_equal(ledger->suspect_at, 500);
    }
}

/* A renewal whose outcome is open: that its first invite was seen once says nothing about it. */
static void adopting_an_open_create_waits_whatever_was_seen_before(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    ledger->boot = strdup("boot-1");
    struct ledger_wish *begun = take(ledger, "a@x", "reader", NULL);
    struct ledger_wish *unknown = take(ledger, "b@x", "reader", NULL);
    ledger_mark(begun, CREATE_BEGUN, 100, 1);
    ledger_mark(unknown, CREATE_UNKNOWN, 100, 1);
    begun->seen = unknown->seen = true;
    assert_int_equal(ledger_adopt(ledger, "boot-2", 500), 0);
    assert_int_equal(begun->at, 500);
    assert_int_equal(unknown->at, 500);
}

/* The state of one wish of ada@x, given up on at 1000, after a listing begun `after` later. */
static struct ledger *settled(enum create_state before, const struct unit_invite *invite,
                              int64_t after)
{
    struct ledger *ledger = ledger_new();
    ledger_mark(take(ledger, "ada@x", "reader", "a"), before, 1000, 1);
    take(ledger, "ada@x", "reader", "a")->mailed = 1;
    struct listing *listing = unit_listing(invite, invite ? 1 : 0);
    assert_int_equal(ledger_settle(ledger, listing, (uint64_t)(1000 + after), SETTLE, 5000), 0);
    listing_free(listing);
    return ledger;
}

static void a_listing_that_shows_it_settles_at_once(void **state)
{
    (void)state;
    static const struct unit_invite shows[] = {
        {"i1", "ADA@x", "reader", "pending", "a", 0, 6000},
        {"i1", "ada@x", "reader", "pending", NULL, 0, 0}, /* projects not stated */
        {"i1", "ada@x", "reader", "accepted", "a", 1, 4000},
    };
    for (size_t i = 0; i < 3; i++) {
        _cleanup_(ledger_free_pointer) struct ledger *ledger =
            settled(CREATE_UNKNOWN, &shows[i], 1);
        const struct ledger_wish *wish = ledger->wishes[0];
        assert_int_equal(wish->state, CREATE_ANSWERED);
        assert_string_equal(wish->invite_id, "i1");
        assert_ptr_equal(ledger_find_invite(ledger, "i1"), wish);
        assert_true(wish->seen);
        assert_int_equal(wish->mailed, 2);
        assert_true(ledger->dirty);
    }
}

static void other_invites_do_not_show_it(void **state)
{
    (void)state;
    static const struct unit_invite others[] = {
        {"i1", "bob@x", "reader", "pending", "a", 0, 6000},
        {"i1", "ada@x", "owner", "pending", "a", 0, 6000},
        {"i1", "ada@x", "reader", "pending", "a:owner", 0, 6000},
        {"i1", "ada@x", "reader", "pending", "", 0, 6000},
        {"i1", "ada@x", "reader", "pending", "a", 0, 5000}, /* past its expiry */
        {"i1", "ada@x", "reader", "expired", "a", 0, 6000},
        {"i1", "ada@x", "reader", "accepted", "a", -1000, 0}, /* long before the create */
    };
    for (size_t i = 0; i < 7; i++) {
        _cleanup_(ledger_free_pointer) struct ledger *early =
            settled(CREATE_UNKNOWN, &others[i], (int64_t)SETTLE - 1);
        assert_int_equal(early->wishes[0]->state, CREATE_UNKNOWN);
        _cleanup_(ledger_free_pointer) struct ledger *late =
            settled(CREATE_UNKNOWN, &others[i], (int64_t)SETTLE);
        assert_int_equal(late->wishes[0]->state, CREATE_NONE);
        assert_int_equal(late->wishes[0]->mailed, 1);
        assert_null(late->wishes[0]->invite_id);
    }
}

/* Words that we do not know may be said of our invite. */
static void an_obscure_invite_settles_nothing(void **state)
{
    (void)state;
    static const struct unit_invite obscure[] = {
        {"i1", "ada@x", "reader", "what?", "a", 0, 6000},
        {"i1", "Ada@X", "what?", "pending", "b", 0, 6000},
    };
    for (size_t i = 0; i < 2; i++) {
        _cleanup_(ledger_free_pointer) struct ledger *ledger =
            settled(CREATE_UNKNOWN, &obscure[i], (int64_t)SETTLE);
        assert_int_equal(ledger->wishes[0]->state, CREATE_UNKNOWN);
        assert_int_equal(ledger->wishes[0]->mailed, 1);
    }
}

static void a_listing_that_lacks_it_settles_after_settle(void **state)
{
    (void)state;
    static const struct {
        int64_t after;
        enum create_state state;
    } rows[] = {
        {-1000, CREATE_UNKNOWN}, /* begun before we gave up on it */
        {-1, CREATE_UNKNOWN},
        {0, CREATE_UNKNOWN},
        {(int64_t)SETTLE - 1, CREATE_UNKNOWN},
        {(int64_t)SETTLE, CREATE_NONE}, /* at least settle */
        {(int64_t)SETTLE + 1, CREATE_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        _cleanup_(ledger_free_pointer) struct ledger *ledger =
            settled(CREATE_UNKNOWN, NULL, rows[i].after);
        assert_int_equal(ledger->wishes[0]->state, rows[i].state);
    }
}

static void only_given_up_creates_are_settled(void **state)
{
    (void)state;
    static const enum create_state states[] = {CREATE_NONE, CREATE_BEGUN, CREATE_ANSWERED,
                                               CREATE_REFUSED};
    static const struct unit_invite invite = {.id = "i1", .projects = "a"};
    for (size_t i = 0; i < 4; i++) {
        _cleanup_(ledger_free_pointer) struct ledger *lacks =
            settled(states[i], NULL, (int64_t)SETTLE * 2);
        assert_int_equal(lacks->wishes[0]->state, states[i]);
        _cleanup_(ledger_free_pointer) struct ledger *shows =
            settled(states[i], &invite, (int64_t)SETTLE * 2);
        assert_int_equal(shows->wishes[0]->state, states[i]);
        assert_int_equal(shows->wishes[0]->mailed, 1);
    }
}

/* The listing lags: what it still shows is the invite that we deleted, not the one we made. */
static void a_deleted_invite_shows_nothing(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    struct ledger_wish *wish = take(ledger, "ada@x", "reader", NULL);
    ledger_mark(wish, CREATE_UNKNOWN, 1000, 1);
    assert_int_equal(ledger_deleted(ledger, "old", 900), 0);
    static const struct unit_invite old = {.id = "old"};
    struct listing *listing = unit_listing(&old, 1);
    assert_int_equal(ledger_settle(ledger, listing, 1100, SETTLE, 5000), 0);
    assert_int_equal(wish->state, CREATE_UNKNOWN);
    assert_int_equal(wish->mailed, 0);
    assert_null(wish->invite_id);
    listing_free(listing);
}

static void a_listing_marks_answered_invites_as_seen(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    struct ledger_wish *wish = take(ledger, "ada@x", "reader", NULL);
    ledger_mark(wish, CREATE_ANSWERED, 1000, 1);
    assert_int_equal(memory_set(&wish->invite_id, "i1"), 0);
    struct listing *empty = unit_listing(NULL, 0);
    assert_int_equal(ledger_settle(ledger, empty, 2000, SETTLE, 0), 0);
    assert_false(wish->seen);
    assert_false(ledger->dirty);
    static const struct unit_invite invite = {.id = "i1", .status = "expired"};
    struct listing *listing = unit_listing(&invite, 1);
    assert_int_equal(ledger_settle(ledger, listing, 2000, SETTLE, 0), 0);
    assert_true(wish->seen);
    assert_true(ledger->dirty);
    assert_int_equal(wish->state, CREATE_ANSWERED);
    ledger->dirty = false;
    assert_int_equal(ledger_settle(ledger, listing, 3000, SETTLE, 0), 0);
    assert_false(ledger->dirty);
    listing_free(empty);
    listing_free(listing);
}

static void what_was_shown_needs_no_restoring(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    struct ledger_wish *wish = take(ledger, "ada@x", "owner", NULL);
    struct invite old = unit_invite(&(struct unit_invite){.id = "old", .projects = "a b"});
    assert_int_equal(ledger_lose(wish, &old), 0);
    invite_clear(&old);
    assert_string_equal(wish->lost.id, "old");
    assert_int_equal(wish->lost.role, ROLE_READER);
    assert_int_equal(wish->lost.projects.count, 2);
    ledger_mark(wish, CREATE_UNKNOWN, 1000, 1);

    static const struct unit_invite made = {.id = "new", .role = "owner"};
    struct listing *empty = unit_listing(NULL, 0), *listing = unit_listing(&made, 1);
    assert_int_equal(ledger_settle(ledger, empty, 1000 + SETTLE, SETTLE, 0), 0);
    assert_int_equal(wish->state, CREATE_NONE);
    assert_string_equal(wish->lost.id, "old"); /* still owed */
    ledger_mark(wish, CREATE_UNKNOWN, 1000, 1);
    assert_int_equal(ledger_settle(ledger, listing, 1000, SETTLE, 0), 0);
    assert_null(wish->lost.id);
    assert_int_equal(wish->lost.projects.count, 0);
    listing_free(empty);
    listing_free(listing);
}

static void a_deletion_hides_until_settle(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    assert_int_equal(ledger_deleted(ledger, "i1", 1000), 0);
    assert_true(ledger->dirty);
    assert_true(ledger_hides(ledger, "i1", 0, SETTLE)); /* a listing begun before the delete */
    assert_true(ledger_hides(ledger, "i1", 1000, SETTLE));
    assert_true(ledger_hides(ledger, "i1", 1000 + SETTLE - 1, SETTLE));
    assert_false(ledger_hides(ledger, "i1", 1000 + SETTLE, SETTLE));
    assert_false(ledger_hides(ledger, "i11", 1000, SETTLE));
    /* Deleted twice: the later one counts. */
    assert_int_equal(ledger_deleted(ledger, "i1", 1000 + SETTLE), 0);
    assert_true(ledger_hides(ledger, "i1", 1000 + SETTLE, SETTLE));
}

static void forgetting(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    assert_int_equal(ledger_deleted(ledger, "young", 1001), 0);
    assert_int_equal(ledger_deleted(ledger, "old", 1000), 0);
    static const struct {
        const char *email;
        enum create_state state;
        int64_t wall;
        bool stays;
    } rows[] = {
        {"answered-young@x", CREATE_ANSWERED, 1, true},
        {"answered-old@x", CREATE_ANSWERED, 0, false},
        {"none-old@x", CREATE_NONE, 0, false},
        {"refused-old@x", CREATE_REFUSED, 0, false},
        {"begun-old@x", CREATE_BEGUN, 0, true}, /* open ones are never forgotten */
        {"unknown-old@x", CREATE_UNKNOWN, 0, true},
    };
    for (size_t i = 0; i < 6; i++)
        ledger_mark(take(ledger, rows[i].email, "reader", NULL), rows[i].state, 5, rows[i].wall);
    ledger->dirty = false;
    ledger_forget(ledger, 1000 + SETTLE, SETTLE, 400 * DAY);
    assert_true(ledger->dirty);
    assert_int_equal(ledger->deletion_count, 1);
    assert_string_equal(ledger->deletions[0].invite_id, "young");
    static const struct projects none;
    for (size_t i = 0; i < 6; i++) {
        const struct ledger_wish *wish = ledger_find(ledger, rows[i].email, ROLE_READER, &none);
        assert_int_equal(wish != NULL, rows[i].stays);
    }
    ledger->dirty = false;
    ledger_forget(ledger, 1000 + SETTLE, SETTLE, 400 * DAY);
    assert_false(ledger->dirty);
}

/* An owner who was deposed counts as none until settle has passed; after a crash, from then on. */
static void the_deposed_are_remembered_until_settle(void **state)
{
    (void)state;
    _cleanup_(ledger_free_pointer) struct ledger *ledger = ledger_new();
    assert_int_equal(ledger_adopt(ledger, "boot-1", 0), 0);
    assert_int_equal(ledger_depose(ledger, "u-1", 50, true), 0);
    assert_int_equal(ledger_depose(ledger, "u-2", 50, true), 0);
    assert_int_equal(ledger_depose(ledger, "u-1", 100, false), 0);
    assert_int_equal(ledger->deposed_count, 2);
    assert_true(ledger->dirty);
    assert_true(ledger_deposes(ledger, "u-1", 99, SETTLE));
    assert_true(ledger_deposes(ledger, "u-1", 99 + SETTLE, SETTLE));
    assert_false(ledger_deposes(ledger, "u-1", 100 + SETTLE, SETTLE));
    assert_false(ledger_deposes(ledger, "U-1", 100, SETTLE));

    /* What had begun, the next process takes for sent until now, and only once. */
    ledger->dirty = false;
    assert_int_equal(ledger_adopt(ledger, "boot-1", 500), 0);
    assert_true(ledger->dirty);
    assert_false(ledger_deposes(ledger, "u-1", 100 + SETTLE, SETTLE));
    assert_true(ledger_deposes(ledger, "u-2", 499 + SETTLE, SETTLE));
    ledger->dirty = false;
    assert_int_equal(ledger_adopt(ledger, "boot-1", 900), 0);
    assert_false(ledger->dirty);
    assert_false(ledger_deposes(ledger, "u-2", 500 + SETTLE, SETTLE));

    ledger_forget(ledger, 499 + SETTLE, SETTLE, 0);
    assert_int_equal(ledger->deposed_count, 1);
    assert_string_equal(ledger->deposed[0].id, "u-2");
    assert_true(ledger->dirty);
    /* Another boot's clock says nothing. */
    assert_int_equal(ledger_adopt(ledger, "boot-2", 7), 0);
    assert_true(ledger_deposes(ledger, "u-2", 6 + SETTLE, SETTLE));
    assert_false(ledger_deposes(ledger, "u-2", 7 + SETTLE, SETTLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_ledger_knows_nothing),
        cmocka_unit_test(a_wish_is_address_role_and_projects),
        cmocka_unit_test(open_is_begun_or_unknown_of_any_wish),
        cmocka_unit_test(adopting_what_the_same_boot_left),
        cmocka_unit_test(adopting_what_another_boot_left),
        cmocka_unit_test(adopting_an_open_create_waits_whatever_was_seen_before),
        cmocka_unit_test(a_listing_that_shows_it_settles_at_once),
        cmocka_unit_test(other_invites_do_not_show_it),
        cmocka_unit_test(an_obscure_invite_settles_nothing),
        cmocka_unit_test(a_listing_that_lacks_it_settles_after_settle),
        cmocka_unit_test(only_given_up_creates_are_settled),
        cmocka_unit_test(a_deleted_invite_shows_nothing),
        cmocka_unit_test(a_listing_marks_answered_invites_as_seen),
        cmocka_unit_test(what_was_shown_needs_no_restoring),
        cmocka_unit_test(a_deletion_hides_until_settle),
        cmocka_unit_test(forgetting),
        cmocka_unit_test(the_deposed_are_remembered_until_settle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

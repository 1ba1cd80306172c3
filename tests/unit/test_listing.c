/* The listing: pages that chain make one, and nothing else does; of invites as of users. */
#include "people.h"

/* What is listed: every test is run for each kind. */
static enum listing_kind kind;

static struct page page_of(const char *ids, bool has_more)
{
    return kind == LISTING_USERS ? unit_users_page(ids, has_more) : unit_page(ids, has_more);
}

static const char *id_at(const struct listing *listing, size_t i)
{
    return kind == LISTING_USERS ? listing_users(listing)->items[i].id
                                 : listing_invites(listing)->items[i].id;
}

/* What a service would answer, page for page, and what is asked for before each. */
struct step {
    const char *cursor; /* what is asked after; NULL: the first page */
    const char *ids;    /* NULL: the service does not know the cursor */
    bool has_more;
    unsigned page;
};

static struct listing *play(const struct step *steps, size_t count)
{
    struct listing *listing = listing_new(kind);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(listing_state(listing), LISTING_WANTS_PAGE);
        assert_null(listing_fault(listing));
        const char *cursor = listing_cursor(listing);
        assert_string_equal(cursor ? cursor : "first", steps[i].cursor ? steps[i].cursor : "first");
        assert_int_equal(listing_page_number(listing), steps[i].page);
        if (!steps[i].ids) {
            listing_cursor_died(listing);
            continue;
        }
        struct page page = page_of(steps[i].ids, steps[i].has_more);
        assert_int_equal(listing_take_page(listing, &page), 0);
        assert_int_equal(page.invites.count + page.users.count, 0); /* taken over */
        assert_null(page.invites.items);
        assert_null(page.users.items);
    }
    return listing;
}

/* The item of that id is found, by the finder of its kind alone. */
static void assert_found(const struct listing *listing, const char *id, size_t i)
{
    if (kind == LISTING_USERS) {
        assert_ptr_equal(listing_find_user(listing, id), &listing_users(listing)->items[i]);
        assert_null(listing_find(listing, id));
    } else {
        assert_ptr_equal(listing_find(listing, id), &listing_invites(listing)->items[i]);
        assert_null(listing_find_user(listing, id));
    }
}

static void assert_complete(struct listing *listing, const char *ids)
{
    assert_int_equal(listing_kind(listing), kind);
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    assert_null(listing_fault(listing));
    size_t count = 0;
    char *copy = strdup(ids), *rest = copy;
    for (char *id; (id = strsep(&rest, " "));) {
        if (*id == '\0')
            continue;
        assert_true(count < listing_count(listing));
        assert_string_equal(id_at(listing, count), id);
        assert_found(listing, id, count++);
    }
    free(copy);
    assert_int_equal(listing_count(listing), count);
    assert_int_equal(listing_invites(listing)->count + listing_users(listing)->count, count);
    assert_null(listing_find(listing, "nobody"));
    assert_null(listing_find_user(listing, "nobody"));
    listing_free(listing);
}

static void assert_broken(struct listing *listing, const char *words)
{
    assert_int_equal(listing_state(listing), LISTING_BROKEN);
    assert_non_null(listing_fault(listing));
    assert_non_null(strstr(listing_fault(listing), words));
    listing_free(listing);
}

#define PLAY(...)                            \
    play((const struct step[]){__VA_ARGS__}, \
         sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static void one_page(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "a b c", false, 1}), "a b c");
    assert_complete(PLAY({NULL, "", false, 1}), "");
}

static void many_pages(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "c a", true, 1}, {"a", "d", true, 2}, {"d", "b e", false, 3}),
                    "c a d b e");
}

static void an_empty_first_page_cannot_have_more(void **state)
{
    (void)state;
    assert_broken(PLAY({NULL, "", true, 1}), "empty first page");
}

static void an_empty_page_after_a_cursor_proves_nothing(void **state)
{
    (void)state;
    for (int has_more = 0; has_more < 2; has_more++)
        assert_complete(
            PLAY({NULL, "a b", true, 1}, {"b", "", has_more, 2}, {"a", "c d", false, 2}), "a c d");
}

static void a_cursor_that_died_is_the_same(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "a b", true, 1}, {"b", NULL, false, 2}, {"a", "c d", false, 2}),
                    "a c d");
}

/* Whatever its id: those that stay are found as before. */
static void the_item_that_is_dropped_may_be_any(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "b c a", true, 1}, {"a", "", true, 2}, {"c", "d", false, 2}),
                    "b c d");
    assert_complete(PLAY({NULL, "a c b", true, 1}, {"b", NULL, true, 2}, {"c", "b", false, 2}),
                    "a c b");
}

static void several_dead_cursors_in_a_row(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "a b c d", true, 1}, {"d", "", false, 2}, {"c", NULL, false, 2},
                         {"b", "", true, 2}, {"a", "x", true, 2}, {"x", "y", false, 3}),
                    "a x y");
}

static void when_every_cursor_died_it_starts_over(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "a b", true, 1}, {"b", "", false, 2}, {"a", "", false, 2},
                         {NULL, "c", false, 1}),
                    "c");
    /* Once. */
    assert_broken(
        PLAY({NULL, "a", true, 1}, {"a", "", false, 2}, {NULL, "b", true, 1}, {"b", "", false, 2}),
        "vanished");
    /* An organisation does not become empty between two requests. */
    assert_broken(PLAY({NULL, "a", true, 1}, {"a", "", false, 2}, {NULL, "", false, 1}),
                  kind == LISTING_USERS ? "users were listed, and a moment later"
                                        : "invites were listed, and a moment later");
}

static void an_id_that_comes_twice_starts_over_once(void **state)
{
    (void)state;
    assert_complete(PLAY({NULL, "a b", true, 1}, {"b", "c a", true, 2}, {NULL, "a c", true, 1},
                         {"c", "b", false, 2}),
                    "a c b");
    assert_broken(PLAY({NULL, "a b", true, 1}, {"b", "c a", true, 2}, {NULL, "a b", true, 1},
                       {"b", "b", false, 2}),
                  "twice");
}

static void an_id_twice_on_one_page(void **state)
{
    (void)state;
    assert_broken(PLAY({NULL, "a b a", false, 1}, {NULL, "a b a", false, 1}),
                  kind == LISTING_USERS ? "same user came twice" : "same invite came twice");
}

static void a_start_from_the_top_is_no_next_page(void **state)
{
    (void)state;
    assert_broken(PLAY({NULL, "a b", true, 1}, {"b", "a b", true, 2}, {NULL, "a b", true, 1},
                       {"b", "a b", true, 2}),
                  "twice");
    /* Nor is it the end when it says so. */
    assert_complete(PLAY({NULL, "a b", true, 1}, {"b", "a b", false, 2}, {NULL, "a b", false, 1}),
                    "a b");
}

static void the_first_page_must_be_known(void **state)
{
    (void)state;
    assert_broken(PLAY({NULL, NULL, false, 1}), "first page");
}

static void steps_back_have_a_limit(void **state)
{
    (void)state;
    struct listing *listing = listing_new(kind);
    for (int round = 0; round < 2; round++) {
        struct page page = page_of("a b c d e f g h i j k l m n o p", true);
        assert_int_equal(listing_take_page(listing, &page), 0);
        for (int i = 0; i < 10; i++) {
            listing_cursor_died(listing);
            const char expected[] = {(char)('o' - i), '\0'};
            assert_string_equal(listing_cursor(listing), expected);
        }
        assert_int_equal(listing_state(listing), LISTING_WANTS_PAGE);
        listing_cursor_died(listing);
        if (round == 0)
            assert_null(listing_cursor(listing));
    }
    assert_broken(listing, "keeps forgetting");
}

/* A page in between starts the count afresh. */
static void steps_back_are_counted_in_a_row(void **state)
{
    (void)state;
    struct listing *listing = listing_new(kind);
    struct page page = page_of("a b c d e f g h i j k l m n o p", true);
    assert_int_equal(listing_take_page(listing, &page), 0);
    for (int i = 0; i < 8; i++)
        listing_cursor_died(listing);
    page = page_of("q r s t u v w x y z", true);
    assert_int_equal(listing_take_page(listing, &page), 0);
    for (int i = 0; i < 8; i++)
        listing_cursor_died(listing);
    assert_string_equal(listing_cursor(listing), "r");
    page = page_of("1", false);
    assert_int_equal(listing_take_page(listing, &page), 0);
    assert_complete(listing, "a b c d e f g h q r 1");
}

/* The service lists an item that it does not know as a cursor, again and again. */
static void a_listing_without_progress_ends(void **state)
{
    (void)state;
    struct listing *listing = listing_new(kind);
    struct page page = page_of("a", true);
    assert_int_equal(listing_take_page(listing, &page), 0);
    int requests = 0;
    while (listing_state(listing) == LISTING_WANTS_PAGE && requests++ < 10000) {
        if (!listing_cursor(listing)) {
            page = page_of("a", true);
            assert_int_equal(listing_take_page(listing, &page), 0);
        } else if (strcmp(listing_cursor(listing), "b") == 0) {
            listing_cursor_died(listing);
        } else {
            page = page_of("b", true);
            assert_int_equal(listing_take_page(listing, &page), 0);
        }
    }
    assert_true(requests < 1000);
    assert_broken(listing, "");
}

static void large(void **state)
{
    (void)state;
    struct listing *listing = listing_new(kind);
    for (int p = 0; p < 50; p++) {
        char ids[100 * 8] = "";
        for (int i = 0, at = 0; i < 100; i++)
            at += snprintf(ids + at, sizeof ids - (size_t)at, "i%d ", (p * 100 + i) * 7919 % 5000);
        struct page page = page_of(ids, p < 49);
        assert_int_equal(listing_page_number(listing), p + 1);
        assert_int_equal(listing_take_page(listing, &page), 0);
    }
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    for (int i = 0; i < 5000; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%d", (i * 7919) % 5000);
        assert_found(listing, id, (size_t)i);
    }
    listing_free(listing);
}

static int list_invites(void **state)
{
    (void)state;
    kind = LISTING_INVITES;
    return 0;
}

static int list_users(void **state)
{
    (void)state;
    kind = LISTING_USERS;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page),
        cmocka_unit_test(many_pages),
        cmocka_unit_test(an_empty_first_page_cannot_have_more),
        cmocka_unit_test(an_empty_page_after_a_cursor_proves_nothing),
        cmocka_unit_test(a_cursor_that_died_is_the_same),
        cmocka_unit_test(the_item_that_is_dropped_may_be_any),
        cmocka_unit_test(several_dead_cursors_in_a_row),
        cmocka_unit_test(when_every_cursor_died_it_starts_over),
        cmocka_unit_test(an_id_that_comes_twice_starts_over_once),
        cmocka_unit_test(an_id_twice_on_one_page),
        cmocka_unit_test(a_start_from_the_top_is_no_next_page),
        cmocka_unit_test(the_first_page_must_be_known),
        cmocka_unit_test(steps_back_have_a_limit),
        cmocka_unit_test(steps_back_are_counted_in_a_row),
        cmocka_unit_test(a_listing_without_progress_ends),
        cmocka_unit_test(large),
    };
    int failed = cmocka_run_group_tests_name("invites", tests, list_invites, NULL);
    return failed + cmocka_run_group_tests_name("users", tests, list_users, NULL);
}

/* The listing: pages that chain make one, and nothing else does. */
#include "people.h"

/* What a service would answer, page for page, and what is asked for before each. */
struct step {
    const char *cursor; /* what is asked after; NULL: the first page */
    const char *ids;    /* NULL: the service does not know the cursor */
    bool has_more;
    unsigned page;
};

static struct listing *play(const struct step *steps, size_t count)
{
    struct listing *listing = listing_new();
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
        struct page page = unit_page(steps[i].ids, steps[i].has_more);
        assert_int_equal(listing_take_page(listing, &page), 0);
        assert_int_equal(page.invites.count, 0); /* taken over */
        assert_null(page.invites.items);
    }
    return listing;
}

static void assert_complete(struct listing *listing, const char *ids)
{
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    assert_null(listing_fault(listing));
    struct page expected = unit_page(ids, false);
    const struct invites *invites = listing_invites(listing);
    assert_int_equal(invites->count, expected.invites.count);
    for (size_t i = 0; i < invites->count; i++) {
        assert_string_equal(invites->items[i].id, expected.invites.items[i].id);
        assert_ptr_equal(listing_find(listing, invites->items[i].id), &invites->items[i]);
    }
    assert_null(listing_find(listing, "nobody"));
    invites_clear(&expected.invites);
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
                  "a moment later");
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
    assert_broken(PLAY({NULL, "a b a", false, 1}, {NULL, "a b a", false, 1}), "twice");
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
    struct listing *listing = listing_new();
    for (int round = 0; round < 2; round++) {
        struct page page = unit_page("a b c d e f g h i j k l m n o p", true);
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
    struct listing *listing = listing_new();
    struct page page = unit_page("a b c d e f g h i j k l m n o p", true);
    assert_int_equal(listing_take_page(listing, &page), 0);
    for (int i = 0; i < 8; i++)
        listing_cursor_died(listing);
    page = unit_page("q r s t u v w x y z", true);
    assert_int_equal(listing_take_page(listing, &page), 0);
    for (int i = 0; i < 8; i++)
        listing_cursor_died(listing);
    assert_string_equal(listing_cursor(listing), "r");
    page = unit_page("1", false);
    assert_int_equal(listing_take_page(listing, &page), 0);
    assert_complete(listing, "a b c d e f g h q r 1");
}

/* The service lists an item that it does not know as a cursor, again and again. */
static void a_listing_without_progress_ends(void **state)
{
    (void)state;
    struct listing *listing = listing_new();
    struct page page = unit_page("a", true);
    assert_int_equal(listing_take_page(listing, &page), 0);
    int requests = 0;
    while (listing_state(listing) == LISTING_WANTS_PAGE && requests++ < 10000) {
        if (!listing_cursor(listing)) {
            page = unit_page("a", true);
            assert_int_equal(listing_take_page(listing, &page), 0);
        } else if (strcmp(listing_cursor(listing), "b") == 0) {
            listing_cursor_died(listing);
        } else {
            page = unit_page("b", true);
            assert_int_equal(listing_take_page(listing, &page), 0);
        }
    }
    assert_true(requests < 1000);
    assert_broken(listing, "");
}

static void large(void **state)
{
    (void)state;
    struct listing *listing = listing_new();
    for (int p = 0; p < 50; p++) {
        struct page page = {.has_more = p < 49};
        for (int i = 0; i < 100; i++) {
            char id[16];
            snprintf(id, sizeof id, "i%d", (p * 100 + i) * 7919 % 5000);
            struct invite invite = unit_invite(&(struct unit_invite){.id = id});
            assert_int_equal(invites_add(&page.invites, &invite), 0);
        }
        assert_int_equal(listing_page_number(listing), p + 1);
        assert_int_equal(listing_take_page(listing, &page), 0);
    }
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    for (int i = 0; i < 5000; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%d", i);
        assert_string_equal(listing_find(listing, id)->id, id);
    }
    listing_free(listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page),
        cmocka_unit_test(many_pages),
        cmocka_unit_test(an_empty_first_page_cannot_have_more),
        cmocka_unit_test(an_empty_page_after_a_cursor_proves_nothing),
        cmocka_unit_test(a_cursor_that_died_is_the_same),
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
    return cmocka_run_group_tests(tests, NULL, NULL);
}

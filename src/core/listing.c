/* The chain of pages, and the proof that it is whole. */
#include "listing.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* How many dead cursors in a row are stepped over before the listing is given up as unsteady. */
#define STEPS_BACK_MAX 10
/* How many in all, lest an item that is listed but never known as a cursor be listed for ever. */
#define STEPS_BACK_IN_ALL_MAX 100

struct listing {
    enum listing_kind kind;
    enum listing_state state;
    struct invites invites; /* the items of LISTING_INVITES */
    struct users users;     /* the items of LISTING_USERS */
    size_t *by_id;          /* positions among the items, sorted by id */
    unsigned pages;
    unsigned steps_back; /* dead cursors in a row */
    unsigned steps_back_in_all;
    bool started_over;
    const char *fault;
};

/* ---- what differs between the kinds -------------------------------------------------------- */

static const char *const came_twice[] = {
    [LISTING_INVITES] = "the same invite came twice: the pages do not chain",
    [LISTING_USERS] = "the same user came twice: the pages do not chain",
};
static const char *const all_gone[] = {
    [LISTING_INVITES] = "invites were listed, and a moment later there were none",
    [LISTING_USERS] = "users were listed, and a moment later there were none",
};

size_t listing_count(const struct listing *listing)
{
    return listing->kind == LISTING_USERS ? listing->users.count : listing->invites.count;
}

static const char *id_at(const struct listing *listing, size_t index)
{
    return listing->kind == LISTING_USERS ? listing->users.items[index].id
                                          : listing->invites.items[index].id;
}

static size_t page_count(const struct listing *listing, const struct page *page)
{
    return listing->kind == LISTING_USERS ? page->users.count : page->invites.count;
}

static const char *page_id_at(const struct listing *listing, const struct page *page, size_t index)
{
    return listing->kind == LISTING_USERS ? page->users.items[index].id
                                          : page->invites.items[index].id;
}

/* Takes one item over from the page. Returns 0 or -ENOMEM. */
static int take_item(struct listing *listing, struct page *page, size_t index)
{
    if (listing->kind == LISTING_USERS) {
        if (users_add(&listing->users, &page->users.items[index]) < 0)
            return -ENOMEM;
        page->users.items[index] = (struct user){0};
    } else {
        if (invites_add(&listing->invites, &page->invites.items[index]) < 0)
            return -ENOMEM;
        page->invites.items[index] = (struct invite){0};
    }
    return 0;
}

static void clear_last(struct listing *listing)
{
    if (listing->kind == LISTING_USERS)
        user_clear(&listing->users.items[--listing->users.count]);
    else
        invite_clear(&listing->invites.items[--listing->invites.count]);
}

static void clear_items(struct listing *listing)
{
    invites_clear(&listing->invites);
    users_clear(&listing->users);
}

void page_clear(struct page *page)
{
    invites_clear(&page->invites);
    users_clear(&page->users);
}

/* ---- what does not ------------------------------------------------------------------------- */

struct listing *listing_new(enum listing_kind kind)
{
    struct listing *listing = calloc(1, sizeof *listing);
    if (listing)
        listing->kind = kind;
    return listing;
}

void listing_free(struct listing *listing)
{
    clear_items(listing);
    free(listing->by_id);
    free(listing);
}

enum listing_kind listing_kind(const struct listing *listing)
{
    return listing->kind;
}

enum listing_state listing_state(const struct listing *listing)
{
    return listing->state;
}

const char *listing_cursor(const struct listing *listing)
{
    size_t count = listing_count(listing);
    return count == 0 ? NULL : id_at(listing, count - 1);
}

unsigned listing_page_number(const struct listing *listing)
{
    return listing->pages + 1;
}

const char *listing_fault(const struct listing *listing)
{
    return listing->state == LISTING_BROKEN ? listing->fault : NULL;
}

const struct invites *listing_invites(const struct listing *listing)
{
    return &listing->invites;
}

const struct users *listing_users(const struct listing *listing)
{
    return &listing->users;
}

/* Where the id stands in by_id, or where it would have to be put. */
static size_t position_of(const struct listing *listing, const char *id)
{
    size_t low = 0, high = listing_count(listing);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(id_at(listing, listing->by_id[middle]), id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether an item of that id is there, and where. */
static bool find(const struct listing *listing, const char *id, size_t *ret_index)
{
    size_t at = position_of(listing, id);
    if (at == listing_count(listing) || strcmp(id_at(listing, listing->by_id[at]), id) != 0)
        return false;
    *ret_index = listing->by_id[at];
    return true;
}

const struct invite *listing_find(const struct listing *listing, const char *id)
{
    size_t index;
    if (listing->kind != LISTING_INVITES || !find(listing, id, &index))
        return NULL;
    return &listing->invites.items[index];
}

const struct user *listing_find_user(const struct listing *listing, const char *id)
{
    size_t index;
    if (listing->kind != LISTING_USERS || !find(listing, id, &index))
        return NULL;
    return &listing->users.items[index];
}

static int append(struct listing *listing, struct page *page, size_t index)
{
    size_t count = listing_count(listing);
    size_t at = position_of(listing, page_id_at(listing, page, index));
    if (RESERVE(listing->by_id, count) < 0 || take_item(listing, page, index) < 0)
        return -ENOMEM;
    memmove(listing->by_id + at + 1, listing->by_id + at, (count - at) * sizeof *listing->by_id);
    listing->by_id[at] = count;
    return 0;
}

/* The last item is gone at the service: what is asked for next starts after the one before it. */
static void drop_last(struct listing *listing)
{
    size_t last = listing_count(listing) - 1;
    size_t at = position_of(listing, id_at(listing, last));
    memmove(listing->by_id + at, listing->by_id + at + 1, (last - at) * sizeof *listing->by_id);
    clear_last(listing);
}

static void fail(struct listing *listing, const char *phrase)
{
    listing->state = LISTING_BROKEN;
    listing->fault = phrase;
}

static void start_over(struct listing *listing, const char *why)
{
    if (listing->started_over) {
        fail(listing, why);
        return;
    }
    clear_items(listing);
    listing->pages = 0;
    listing->steps_back = 0;
    listing->steps_back_in_all = 0;
    listing->started_over = true;
}

void listing_cursor_died(struct listing *listing)
{
    if (listing_count(listing) == 0) {
        fail(listing, "the service refused the first page");
        return;
    }
    if (++listing->steps_back > STEPS_BACK_MAX ||
        ++listing->steps_back_in_all > STEPS_BACK_IN_ALL_MAX) {
        start_over(listing, "the service keeps forgetting where a page ended");
        return;
    }
    drop_last(listing);
    /* With nothing left to ask after, the next request is for the first page again. */
    if (listing_count(listing) == 0)
        start_over(listing, "every item that a page could start after has vanished");
}

/* More than any organisation has: whoever lists so many never ends. */
#define ITEMS_MAX ((size_t)1000000)

static int take_items(struct listing *listing, struct page *page)
{
    size_t index;
    for (size_t i = 0; i < page_count(listing, page); i++) {
        if (find(listing, page_id_at(listing, page, i), &index)) {
            start_over(listing, came_twice[listing->kind]);
            return 0;
        }
        if (listing_count(listing) == ITEMS_MAX) {
            fail(listing, "there seems to be no end to it");
            return 0;
        }
        if (append(listing, page, i) < 0)
            return -ENOMEM;
    }
    listing->pages++;
    listing->steps_back = 0;
    if (!page->has_more)
        listing->state = LISTING_COMPLETE;
    return 0;
}

int listing_take_page(struct listing *listing, struct page *page)
{
    assert((listing->kind == LISTING_USERS ? page->invites.count : page->users.count) == 0);
    bool first = listing_count(listing) == 0;
    int r = 0;
    if (page_count(listing, page) > 0)
        r = take_items(listing, page);
    else if (!first)
        listing_cursor_died(listing);
    else if (page->has_more)
        fail(listing, "an empty first page claims that more follow");
    else if (listing->started_over)
        fail(listing, all_gone[listing->kind]);
    else
        listing->state = LISTING_COMPLETE;
    page_clear(page);
    return r;
}

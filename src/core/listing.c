/* The chain of pages, and the proof that it is whole. */
#include "listing.h"

#include <errno.h>
#include <string.h>

/* How many dead cursors in a row are stepped over before the listing is given up as unsteady. */
#define STEPS_BACK_MAX 10
/* How many in all, lest an item that is listed but never known as a cursor be listed for ever. */
#define STEPS_BACK_IN_ALL_MAX 100

struct listing {
    enum listing_state state;
    struct invites invites;
    size_t *by_id; /* positions in `invites`, sorted by id */
    unsigned pages;
    unsigned steps_back; /* dead cursors in a row */
    unsigned steps_back_in_all;
    bool started_over;
    const char *fault;
};

struct listing *listing_new(void)
{
    return calloc(1, sizeof(struct listing));
}

void listing_free(struct listing *listing)
{
    invites_clear(&listing->invites);
    free(listing->by_id);
    free(listing);
}

enum listing_state listing_state(const struct listing *listing)
{
    return listing->state;
}

const char *listing_cursor(const struct listing *listing)
{
    size_t count = listing->invites.count;
    return count == 0 ? NULL : listing->invites.items[count - 1].id;
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

/* Where the id stands in by_id, or where it would have to be put. */
static size_t position_of(const struct listing *listing, const char *id)
{
    size_t low = 0, high = listing->invites.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct invite *invite = &listing->invites.items[listing->by_id[middle]];
        if (strcmp(invite->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct invite *listing_find(const struct listing *listing, const char *id)
{
    size_t at = position_of(listing, id);
    if (at == listing->invites.count)
        return NULL;
    const struct invite *invite = &listing->invites.items[listing->by_id[at]];
    return strcmp(invite->id, id) == 0 ? invite : NULL;
}

static int append(struct listing *listing, const struct invite *invite)
{
    size_t count = listing->invites.count, at = position_of(listing, invite->id);
    if (RESERVE(listing->by_id, count) < 0 || invites_add(&listing->invites, invite) < 0)
        return -ENOMEM;
    memmove(listing->by_id + at + 1, listing->by_id + at, (count - at) * sizeof *listing->by_id);
    listing->by_id[at] = count;
    return 0;
}

/* The last item is gone at the service: what is asked for next starts after the one before it. */
static void drop_last(struct listing *listing)
{
    struct invite *last = &listing->invites.items[listing->invites.count - 1];
    size_t at = position_of(listing, last->id);
    listing->invites.count--;
    memmove(listing->by_id + at, listing->by_id + at + 1,
            (listing->invites.count - at) * sizeof *listing->by_id);
    invite_clear(last);
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
    invites_clear(&listing->invites);
    listing->pages = 0;
    listing->steps_back = 0;
    listing->steps_back_in_all = 0;
    listing->started_over = true;
}

void listing_cursor_died(struct listing *listing)
{
    if (listing->invites.count == 0) {
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
    if (listing->invites.count == 0)
        start_over(listing, "every item that a page could start after has vanished");
}

/* More than any organisation has: whoever lists so many never ends. */
#define INVITES_MAX ((size_t)1000000)

static int take_items(struct listing *listing, struct page *page)
{
    for (size_t i = 0; i < page->invites.count; i++) {
        struct invite *invite = &page->invites.items[i];
        if (listing_find(listing, invite->id)) {
            start_over(listing, "the same invite came twice: the pages do not chain");
            return 0;
        }
        if (listing->invites.count == INVITES_MAX) {
            fail(listing, "there seems to be no end to it");
            return 0;
        }
        if (append(listing, invite) < 0)
            return -ENOMEM;
        *invite = (struct invite){0};
    }
    listing->pages++;
    listing->steps_back = 0;
    if (!page->has_more)
        listing->state = LISTING_COMPLETE;
    return 0;
}

int listing_take_page(struct listing *listing, struct page *page)
{
    bool first = listing->invites.count == 0;
    int r = 0;
    if (page->invites.count > 0)
        r = take_items(listing, page);
    else if (!first)
        listing_cursor_died(listing);
    else if (page->has_more)
        fail(listing, "an empty first page claims that more follow");
    else if (listing->started_over)
        fail(listing, "invites were listed, and a moment later there were none");
    else
        listing->state = LISTING_COMPLETE;
    invites_clear(&page->invites);
    return r;
}

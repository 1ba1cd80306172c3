/* Pages in, one listing out that is proven complete, or none. */
#pragma once

#include "invite.h"

struct page {
    struct invites invites;
    bool has_more;
};

enum listing_state {
    LISTING_WANTS_PAGE, /* ask for the page after listing_cursor() */
    LISTING_COMPLETE,   /* every page chained to the next and the last said that it was the last */
    LISTING_BROKEN,     /* the pages contradict each other; listing_fault() says how */
};

struct listing;

struct listing *listing_new(void);
void listing_free(struct listing *listing);
DEFINE_CLEANUP(struct listing *, listing_free)

enum listing_state listing_state(const struct listing *listing);
/* The id after which the next page starts, or NULL for the first page. Valid until the next call.
 */
const char *listing_cursor(const struct listing *listing);
/* Which page is asked for, counted from 1 since the last start. */
unsigned listing_page_number(const struct listing *listing);
/* What is wrong, as a phrase; NULL unless broken. */
const char *listing_fault(const struct listing *listing);

/*
 * The answer to the page asked for. Takes over the page's invites, whatever it returns.
 *
 * `has_more` false ends the listing only on the first page or on a page that is not empty. An empty
 * page after a cursor means that the cursor's item vanished: the item before it is asked after
 * instead. An id that comes twice (a listing that changed under us, a repeated cursor, a start from
 * the top) starts the listing over, once. Returns 0 or -ENOMEM.
 */
int listing_take_page(struct listing *listing, struct page *page);
/* The service does not know the cursor (404 or 400 after one): ask after the item before it. */
void listing_cursor_died(struct listing *listing);

/* The invites collected. To be relied on only in state COMPLETE. */
const struct invites *listing_invites(const struct listing *listing);
/* The invite with that id, or NULL. */
const struct invite *listing_find(const struct listing *listing, const char *id);

/* Pages in, one listing out that is proven complete, or none. */
#pragma once

#include "invite.h"
#include "user.h"

/* One page of a listing. Only the list of the listing's kind is ever filled. */
struct page {
    struct invites invites;
    struct users users;
    bool has_more;
};

void page_clear(struct page *page);

/* What the pages carry; the proof is the same for both. */
enum listing_kind {
    LISTING_INVITES,
    LISTING_USERS,
};

enum listing_state {
    LISTING_WANTS_PAGE, /* ask for the page after listing_cursor() */
    LISTING_COMPLETE,   /* every page chained to the next and the last said that it was the last */
    LISTING_BROKEN,     /* the pages contradict each other; listing_fault() says how */
};

struct listing;

/* NULL when memory is short. */
struct listing *listing_new(enum listing_kind kind);
void listing_free(struct listing *listing);
DEFINE_CLEANUP(struct listing *, listing_free)

enum listing_kind listing_kind(const struct listing *listing);
enum listing_state listing_state(const struct listing *listing);
/* The id after which the next page starts, or NULL for the first page. Valid until the next call.
 */
const char *listing_cursor(const struct listing *listing);
/* Which page is asked for, counted from 1 since the last start. */
unsigned listing_page_number(const struct listing *listing);
/* What is wrong, as a phrase; NULL unless broken. */
const char *listing_fault(const struct listing *listing);

/*
 * The answer to the page asked for, which must be of the listing's kind. Takes over what is on the
 * page, whatever it returns.
 *
 * `has_more` false ends the listing only on the first page or on a page that is not empty. An empty
 * page after a cursor means that the cursor's item vanished: the item before it is asked after
 * instead. An id that comes twice (a listing that changed under us, a repeated cursor, a start from
 * the top) starts the listing over, once. Returns 0 or -ENOMEM.
 */
int listing_take_page(struct listing *listing, struct page *page);
/* The service does not know the cursor (404 or 400 after one): ask after the item before it. */
void listing_cursor_died(struct listing *listing);

/* How many invites or users are collected so far. */
size_t listing_count(const struct listing *listing);
/*
 * What is collected, to be relied on only in state COMPLETE. In a listing of the other kind there
 * are none.
 */
const struct invites *listing_invites(const struct listing *listing);
const struct users *listing_users(const struct listing *listing);
/* The invite, or the user, with that id, or NULL. */
const struct invite *listing_find(const struct listing *listing, const char *id);
const struct user *listing_find_user(const struct listing *listing, const char *id);

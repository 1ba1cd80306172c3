/* A page of users, and a single user: refused, or every user has what it is known by. */
#include "page.h"

static void check_user(const struct user *user)
{
    /* It becomes part of a path. */
    MUST(user->id && strspn(user->id, ".") < strlen(user->id) && strlen(user->id) <= 256);
    /* Whoever has an e-mail can be looked for in the member file; an empty one is none. */
    MUST(!user->email || *user->email);
    MUST(!user->name || *user->name);
    MUST(user->role == ROLE_UNKNOWN || strcmp(role_word(user->role), user->role_text) == 0);
    MUST(user->added_at >= 0 && user->added_at < INT64_C(1000000000000000));
}

/* A listing that consists of this page alone. Takes over its users. */
static void check_listing(struct page *page)
{
    _cleanup_(listing_free_pointer) struct listing *listing = listing_new(LISTING_USERS);
    bool has_more = page->has_more;
    size_t count = page->users.count;
    MUST(listing && listing_take_page(listing, page) == 0);
    MUST(!page->users.items);
    enum listing_state state = listing_state(listing);
    MUST(state != LISTING_COMPLETE || !has_more);
    if (state != LISTING_COMPLETE)
        return;
    const struct users *users = listing_users(listing);
    MUST(users->count == count);
    for (size_t i = 0; i < count; i++)
        MUST(listing_find_user(listing, users->items[i].id) == &users->items[i]);
}

static void read_page(const char *body, size_t length)
{
    struct page page = {0};
    _cleanup_free_ char *error = NULL;
    int r = wire_read_users_page(body, length, &page, &error);
    if (r < 0) {
        MUST(r == -EBADMSG && error && !page.users.items);
        return;
    }
    MUST(!error && !page.invites.items);
    for (size_t i = 0; i < page.users.count; i++)
        check_user(&page.users.items[i]);
    check_listing(&page);
    check_torn_page(wire_read_users_page, body, length);
}

static void read_user(const char *body, size_t length)
{
    struct user user = {0};
    _cleanup_free_ char *error = NULL;
    int r = wire_read_user(body, length, &user, &error);
    if (r < 0) {
        MUST(r == -EBADMSG && error && !user.id);
        return;
    }
    check_user(&user);
    user_clear(&user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_page((const char *)data, size);
    read_user((const char *)data, size);
    return 0;
}

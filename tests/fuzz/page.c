/* A page of a listing, and a single invite: refused, or every invite has what it is known by. */
#include "page.h"

static void check_time(int64_t seconds)
{
    MUST(seconds >= 0 && seconds < INT64_C(1000000000000000));
}

static void check_projects(const struct projects *projects)
{
    for (size_t i = 0; i < projects->count; i++) {
        MUST(projects->items[i].id);
        MUST(!projects->given || projects->items[i].role != PROJECT_ROLE_UNKNOWN);
        MUST(i == 0 || strcmp(projects->items[i - 1].id, projects->items[i].id) <= 0);
    }
}

static void check_invite(const struct invite *invite)
{
    /* It becomes part of a path. */
    MUST(invite->id && strspn(invite->id, ".") < strlen(invite->id));
    MUST(invite->email && *invite->email);
    MUST(invite->role == ROLE_UNKNOWN || strcmp(role_word(invite->role), invite->role_text) == 0);
    MUST(invite->status == INVITE_STATUS_UNKNOWN ||
         strcmp(invite_status_word(invite->status), invite->status_text) == 0);
    check_time(invite->created_at);
    check_time(invite->expires_at);
    check_time(invite->accepted_at);
    check_projects(&invite->projects);
    /* To restore it, it is sent again as it was. */
    _cleanup_free_ char *body = wire_create_body(invite->email, invite->role, &invite->projects);
    MUST(body);
    MUST((strstr(body, ",\"projects\":[") != NULL) == invite->projects.given);
}

/* A listing that consists of this page alone. Takes over its invites. */
static void check_listing(struct page *page)
{
    _cleanup_(listing_free_pointer) struct listing *listing = listing_new(LISTING_INVITES);
    bool has_more = page->has_more;
    size_t count = page->invites.count;
    MUST(listing && listing_take_page(listing, page) == 0);
    enum listing_state state = listing_state(listing);
    MUST(state != LISTING_COMPLETE || !has_more);
    if (state != LISTING_COMPLETE)
        return;
    const struct invites *invites = listing_invites(listing);
    MUST(invites->count == count);
    for (size_t i = 0; i < count; i++)
        MUST(listing_find(listing, invites->items[i].id) == &invites->items[i]);
}

static void read_page(const char *body, size_t length)
{
    struct page page = {0};
    _cleanup_free_ char *error = NULL;
    int r = wire_read_page(body, length, &page, &error);
    if (r < 0) {
        MUST(r == -EBADMSG && error && !page.invites.items);
        return;
    }
    MUST(!error);
    for (size_t i = 0; i < page.invites.count; i++)
        check_invite(&page.invites.items[i]);
    check_listing(&page);
    check_torn_page(wire_read_page, body, length);
}

static void read_invite(const char *body, size_t length)
{
    struct invite invite = {0};
    _cleanup_free_ char *error = NULL;
    int r = wire_read_invite(body, length, &invite, &error);
    if (r < 0) {
        MUST(r == -EBADMSG && error && !invite.id);
        return;
    }
    check_invite(&invite);
    invite_clear(&invite);
}

static void read_deletion(const char *body, size_t length)
{
    _cleanup_free_ char *error = NULL;
    int r = wire_read_deletion(body, length, "invite-1", &error);
    MUST(r == 0 ? !error : r == -EBADMSG && error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_page((const char *)data, size);
    read_invite((const char *)data, size);
    read_deletion((const char *)data, size);
    return 0;
}

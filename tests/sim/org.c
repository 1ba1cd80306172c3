/* The state of the model organisation, and its routes. */
#include "org.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "org_user.h"

void org_init(struct org *org, struct chance *chance)
{
    *org = (struct org){.chance = chance, .now = 1000 * SIM_SECOND};
}

void org_clear(struct org *org)
{
    for (size_t i = 0; i < org->count; i++)
        invite_clear(&org->invites[i].invite);
    free(org->invites);
    org_clear_users(org);
    for (size_t i = 0; i < org->mail_count; i++) {
        free(org->mails[i].email);
        projects_clear(&org->mails[i].projects);
    }
    free(org->mails);
}

int64_t org_date(const struct org *org)
{
    return SIM_EPOCH + (int64_t)(org->now / SIM_SECOND);
}

struct org_invite *org_find(struct org *org, const char *id)
{
    for (size_t i = 0; i < org->count; i++)
        if (org->invites[i].gone_at == SIM_NEVER && strcmp(org->invites[i].invite.id, id) == 0)
            return &org->invites[i];
    return NULL;
}

bool org_is_live(const struct org *org, const struct org_invite *invite)
{
    return invite->gone_at == SIM_NEVER && invite->invite.status == INVITE_PENDING &&
           (invite->invite.expires_at == 0 || invite->invite.expires_at > org_date(org));
}

bool org_shows(const struct org_invite *invite, uint64_t at)
{
    return invite->shows_at <= at && at < invite->hides_at;
}

static void lower(char *address)
{
    for (char *p = address; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

char *org_address(const struct org *org, const char *email)
{
    char *address = strdup(email);
    if (org->habits.lowers_case)
        lower(address);
    return address;
}

/* Once in a while an id differs from an older one by case alone. */
static char *new_id(struct org *org)
{
    org->made++;
    if (org->count > 0 && chance_one_in(org->chance, 4)) {
        const char *old = org->invites[chance_below(org->chance, org->count)].invite.id;
        char *id = strdup(old);
        char *last = id + strlen(id) - 1;
        *last = *last == 'x' ? 'X' : 'x';
        bool taken = false;
        for (size_t i = 0; i < org->count; i++)
            taken = taken || strcmp(org->invites[i].invite.id, id) == 0;
        if (!taken)
            return id;
        free(id);
    }
    return memory_format("invite-%ux", org->made);
}

struct org_invite *org_add(struct org *org, const char *email, enum role role,
                           const struct projects *projects, uint64_t shows_at)
{
    if (RESERVE(org->invites, org->count) < 0)
        abort();
    struct org_invite added = {
        .invite = {.id = new_id(org),
                   .email = org_address(org, email),
                   .role = role,
                   .status = INVITE_PENDING,
                   .created_at = org_date(org),
                   .expires_at = org_date(org) + (int64_t)(org->habits.lifetime / SIM_SECOND)},
        .made_at = org->now,
        .shows_at = shows_at,
        .gone_at = SIM_NEVER,
        .hides_at = SIM_NEVER,
        .status_before = INVITE_PENDING,
    };
    if (projects_copy(projects, &added.invite.projects) < 0)
        abort();
    org->invites[org->count] = added;
    return &org->invites[org->count++];
}

uint64_t org_lag(struct org *org)
{
    return org->habits.lag == 0 ? 0 : chance_below(org->chance, org->habits.lag);
}

void org_remove(struct org *org, struct org_invite *invite, enum org_hand hand)
{
    invite->gone_at = org->now;
    invite->gone_by = hand;
    invite->hides_at = org->now + org_lag(org);
    if (invite->hides_at < invite->shows_at)
        invite->hides_at = invite->shows_at;
}

void org_turn(struct org *org, struct org_invite *invite, enum invite_status status)
{
    invite->status_before = invite->invite.status;
    invite->status_shows_at = org->now + org_lag(org);
    invite->invite.status = status;
    if (status != INVITE_ACCEPTED)
        return;
    invite->invite.accepted_at = org_date(org);
    if (!org_user_of(org, invite->invite.email))
        org_add_user(org, invite->invite.email,
                     invite->invite.role == ROLE_OWNER ? ROLE_OWNER : ROLE_READER,
                     org->now + org_lag(org));
}

bool org_admits(struct org *org, uint64_t *ret_wait)
{
    const struct org_habits *habits = &org->habits;
    if (habits->token_every == 0)
        return true;
    double refilled = (double)(org->now - org->tokens_at) / (double)habits->token_every;
    org->tokens = org->tokens + refilled > habits->burst ? habits->burst : org->tokens + refilled;
    org->tokens_at = org->now;
    if (org->tokens < 1) {
        *ret_wait = (uint64_t)((1 - org->tokens) * (double)habits->token_every) + 1;
        return false;
    }
    org->tokens -= 1;
    return true;
}

/* ---- routes -------------------------------------------------------------------------------- */

void org_refuse(struct answer *answer, int status)
{
    answer->kind = ANSWER_REFUSED;
    answer->status = status;
    free(answer->error);
    answer->error = memory_format("HTTP %d", status);
}

/* As a listing, or with `at` SIM_NEVER a retrieve, reads it. */
static struct invite reading(const struct org *org, const struct org_invite *from, uint64_t at)
{
    struct invite copy = from->invite;
    copy.id = strdup(from->invite.id);
    copy.email = strdup(from->invite.email);
    copy.role_text = copy.status_text = NULL;
    if (projects_copy(&from->invite.projects, &copy.projects) < 0)
        abort();
    if (org->habits.hides_projects)
        projects_clear(&copy.projects);
    if (at < from->status_shows_at)
        copy.status = from->status_before;
    if (org->habits.hides_accepted || copy.status != INVITE_ACCEPTED)
        copy.accepted_at = 0;
    if (copy.status == INVITE_PENDING && copy.expires_at != 0 && copy.expires_at <= org_date(org) &&
        !org->habits.calls_pending)
        copy.status = INVITE_EXPIRED;
    return copy;
}

/* The item at a position in listing order. */
static size_t nth(const struct org *org, size_t count, size_t n)
{
    return org->habits.newest_first ? count - 1 - n : n;
}

static size_t count_of(const struct org *org, enum listing_kind kind)
{
    return kind == LISTING_USERS ? org->user_count : org->count;
}

static const char *id_at(const struct org *org, enum listing_kind kind, size_t i)
{
    return kind == LISTING_USERS ? org->users[i].user.id : org->invites[i].invite.id;
}

static bool is_shown(const struct org *org, enum listing_kind kind, size_t i)
{
    return kind == LISTING_USERS ? org_shows_user(&org->users[i], org->now)
                                 : org_shows(&org->invites[i], org->now);
}

/* Where the page after the cursor starts; false when the cursor is not known. */
static bool find_start(const struct org *org, enum listing_kind kind, const char *cursor,
                       size_t *ret)
{
    size_t count = count_of(org, kind);
    *ret = 0;
    if (!cursor)
        return true;
    for (size_t n = 0; n < count; n++) {
        size_t i = nth(org, count, n);
        if (strcmp(id_at(org, kind, i), cursor) == 0 && is_shown(org, kind, i)) {
            *ret = n + 1;
            return true;
        }
    }
    return org->habits.dead_cursor == 1;
}

static void put_on_page(const struct org *org, enum listing_kind kind, size_t i, struct page *page)
{
    if (kind == LISTING_USERS) {
        struct user copy = org_user_reading(org, &org->users[i], org->now);
        if (users_add(&page->users, &copy) < 0)
            abort();
    } else {
        struct invite copy = reading(org, &org->invites[i], org->now);
        if (invites_add(&page->invites, &copy) < 0)
            abort();
    }
}

static void serve_list(struct org *org, const struct request *request, struct answer *answer)
{
    enum listing_kind kind = request->call == CALL_LIST_USERS ? LISTING_USERS : LISTING_INVITES;
    size_t count = count_of(org, kind), taken = 0, n;
    if (!find_start(org, kind, request->cursor, &n)) {
        if (org->habits.dead_cursor != 0)
            org_refuse(answer, (int)org->habits.dead_cursor);
        return;
    }
    for (; n < count; n++) {
        size_t i = nth(org, count, n);
        if (!is_shown(org, kind, i))
            continue;
        if (taken == org->habits.page_size) {
            answer->page.has_more = true;
            return;
        }
        put_on_page(org, kind, i, &answer->page);
        taken++;
    }
}

static bool is_in_the_way(const struct org *org, const struct org_invite *invite)
{
    if (invite->gone_at != SIM_NEVER)
        return false;
    if (invite->invite.status == INVITE_ACCEPTED)
        return org->habits.refuses_left;
    return org_is_live(org, invite) ? org->habits.refuses_pending : org->habits.insists;
}

static void send_mail(struct org *org, const struct request *request)
{
    if (RESERVE(org->mails, org->mail_count) < 0)
        abort();
    struct org_mail mail = {.email = strdup(request->email),
                            .role = request->role,
                            .invite = org->count - 1,
                            .epoch = org->epoch};
    if (projects_copy(request->projects, &mail.projects) < 0)
        abort();
    org->mails[org->mail_count++] = mail;
}

static void serve_create(struct org *org, const struct request *request, struct answer *answer)
{
    bool in_the_way = org_user_of(org, request->email) != NULL;
    for (size_t i = 0; i < org->count; i++)
        in_the_way = in_the_way || (strcasecmp(org->invites[i].invite.email, request->email) == 0 &&
                                    is_in_the_way(org, &org->invites[i]));
    if (in_the_way) {
        org_refuse(answer, chance_one_in(org->chance, 2) ? 400 : 409);
        return;
    }
    struct org_invite *made =
        org_add(org, request->email, request->role, request->projects, org->now + org_lag(org));
    made->ours = true;
    send_mail(org, request);
    answer->invite = reading(org, made, SIM_NEVER);
}

static void serve_one(struct org *org, const struct request *request, struct answer *answer)
{
    struct org_invite *invite = org_find(org, request->invite_id);
    if (!invite)
        org_refuse(answer, 404);
    else if (request->call == CALL_RETRIEVE)
        answer->invite = reading(org, invite, SIM_NEVER);
    else if (invite->invite.status == INVITE_ACCEPTED)
        org_refuse(answer, 400);
    else
        org_remove(org, invite, HAND_OURS);
}

void org_serve(struct org *org, const struct request *request, struct answer *answer)
{
    answer->kind = ANSWER_OK;
    answer->status = 200;
    switch (request->call) {
    case CALL_LIST:
    case CALL_LIST_USERS:
        serve_list(org, request, answer);
        break;
    case CALL_CREATE:
        serve_create(org, request, answer);
        break;
    case CALL_RETRIEVE:
    case CALL_DELETE:
        serve_one(org, request, answer);
        break;
    case CALL_RETRIEVE_USER:
    case CALL_SET_ROLE:
    case CALL_DELETE_USER:
        org_serve_user(org, request, answer);
        break;
    }
}

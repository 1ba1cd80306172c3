/* The state of the model organisation, and its routes. */
#include "org.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void org_init(struct org *org, struct chance *chance)
{
    *org = (struct org){.chance = chance, .now = 1000 * SIM_SECOND};
}

void org_clear(struct org *org)
{
    for (size_t i = 0; i < org->count; i++)
        invite_clear(&org->invites[i].invite);
    free(org->invites);
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
                   .email = strdup(email),
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
    if (org->habits.lowers_case)
        for (char *p = added.invite.email; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p - 'A' + 'a');
    org->invites[org->count] = added;
    return &org->invites[org->count++];
}

static uint64_t lag(struct org *org)
{
    return org->habits.lag == 0 ? 0 : chance_below(org->chance, org->habits.lag);
}

void org_remove(struct org *org, struct org_invite *invite, enum org_hand hand)
{
    invite->gone_at = org->now;
    invite->gone_by = hand;
    invite->hides_at = org->now + lag(org);
    if (invite->hides_at < invite->shows_at)
        invite->hides_at = invite->shows_at;
}

void org_turn(struct org *org, struct org_invite *invite, enum invite_status status)
{
    invite->status_before = invite->invite.status;
    invite->status_shows_at = org->now + lag(org);
    invite->invite.status = status;
    if (status == INVITE_ACCEPTED)
        invite->invite.accepted_at = org_date(org);
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
    if (copy.status == INVITE_PENDING && copy.expires_at != 0 && copy.expires_at <= org_date(org) &&
        !org->habits.calls_pending)
        copy.status = INVITE_EXPIRED;
    return copy;
}

/* Position in listing order. */
static struct org_invite *nth(struct org *org, size_t n)
{
    return &org->invites[org->habits.newest_first ? org->count - 1 - n : n];
}

/* Where the page after the cursor starts; false when the cursor is not known. */
static bool find_start(struct org *org, const char *cursor, size_t *ret)
{
    *ret = 0;
    if (!cursor)
        return true;
    for (size_t n = 0; n < org->count; n++) {
        if (strcmp(nth(org, n)->invite.id, cursor) == 0 && org_shows(nth(org, n), org->now)) {
            *ret = n + 1;
            return true;
        }
    }
    return org->habits.dead_cursor == 1;
}

static void serve_list(struct org *org, const struct request *request, struct answer *answer)
{
    size_t n;
    if (!find_start(org, request->cursor, &n)) {
        if (org->habits.dead_cursor != 0)
            org_refuse(answer, (int)org->habits.dead_cursor);
        return;
    }
    for (; n < org->count; n++) {
        if (!org_shows(nth(org, n), org->now))
            continue;
        if (answer->page.invites.count == org->habits.page_size) {
            answer->page.has_more = true;
            return;
        }
        struct invite copy = reading(org, nth(org, n), org->now);
        if (invites_add(&answer->page.invites, &copy) < 0)
            abort();
    }
}

static bool is_in_the_way(const struct org *org, const struct org_invite *invite)
{
    if (invite->gone_at != SIM_NEVER)
        return false;
    if (invite->invite.status == INVITE_ACCEPTED)
        return true;
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
    for (size_t i = 0; i < org->count; i++) {
        if (strcasecmp(org->invites[i].invite.email, request->email) == 0 &&
            is_in_the_way(org, &org->invites[i])) {
            org_refuse(answer, chance_one_in(org->chance, 2) ? 400 : 409);
            return;
        }
    }
    struct org_invite *made =
        org_add(org, request->email, request->role, request->projects, org->now + lag(org));
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
    if (request->call == CALL_LIST)
        serve_list(org, request, answer);
    else if (request->call == CALL_CREATE)
        serve_create(org, request, answer);
    else
        serve_one(org, request, answer);
}

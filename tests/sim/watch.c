/* The invariants. */
#include "watch_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void watch_violated(struct watch *watch, const char *format, ...)
{
    if (watch->violation)
        return;
    va_list arguments;
    va_start(arguments, format);
    watch->violation = memory_format_list(format, arguments);
    va_end(arguments);
}

/* ---- sets of texts ------------------------------------------------------------------------- */

bool watch_has(char *const *set, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(set[i], text) == 0)
            return true;
    return false;
}

/* Ids differ by case. */
bool watch_has_id(char *const *set, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(set[i], id) == 0)
            return true;
    return false;
}

void watch_put(char ***set, size_t *count, const char *text)
{
    if (watch_has_id(*set, *count, text))
        return;
    if (RESERVE(*set, *count) < 0)
        abort();
    (*set)[(*count)++] = strdup(text);
}

void watch_drop(char ***set, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        free((*set)[i]);
    free(*set);
    *set = NULL;
    *count = 0;
}

static void clear_pass(struct watch *watch)
{
    invites_clear(&watch->delivered);
    free(watch->was_shown);
    watch->was_shown = NULL;
    watch->was_shown_count = 0;
    watch_drop(&watch->revoked, &watch->revoked_count);
    watch_drop(&watch->invited, &watch->invited_count);
    watch_drop(&watch->owners, &watch->owner_count);
    watch_drop(&watch->refused, &watch->refused_count);
    watch_drop(&watch->restored, &watch->restored_count);
    watch_users_clear_pass(&watch->users);
}

void watch_clear(struct watch *watch)
{
    clear_pass(watch);
    watch_users_clear(&watch->users);
    for (size_t i = 0; i < watch->open_count; i++)
        free(watch->open[i].email);
    free(watch->open);
    watch_drop(&watch->gone, &watch->gone_count);
    watch_drop(&watch->doomed, &watch->doomed_count);
    watch_drop(&watch->ever_refused, &watch->ever_refused_count);
    watch_drop(&watch->approvals, &watch->approval_count);
    free(watch->violation);
}

void watch_begin_pass(struct watch *watch, const struct pass *pass)
{
    clear_pass(watch);
    watch->pass = pass;
    watch->pass_at = watch->org->now;
    watch->stopped = watch->unsaved = watch->forbidden = watch->lifted = false;
    watch->shrunk = watch->of_another = watch->proven = false;
}

/* ---- what was delivered -------------------------------------------------------------------- */

static bool reads_live(const struct watch *watch, const struct invite *invite)
{
    return invite->status == INVITE_PENDING &&
           (invite->expires_at == 0 || invite->expires_at > watch->date);
}

static bool is_of(const struct invite *invite, const char *email)
{
    return strcasecmp(invite->email, email) == 0;
}

bool watch_is_gone(const struct watch *watch, const char *id)
{
    return watch_has_id(watch->gone, watch->gone_count, id);
}

static bool is_gone(const struct watch *watch, const struct invite *invite)
{
    return watch_is_gone(watch, invite->id);
}

static const struct invite *delivered(const struct watch *watch, const char *id)
{
    for (size_t i = 0; i < watch->delivered.count; i++)
        if (strcmp(watch->delivered.items[i].id, id) == 0)
            return &watch->delivered.items[i];
    return NULL;
}

const struct member *watch_in_file(const struct watch *watch, const char *email)
{
    for (size_t i = 0; i < watch->members->count; i++)
        if (strcasecmp(watch->members->items[i].email, email) == 0)
            return &watch->members->items[i];
    return NULL;
}

const struct member *watch_declared(const struct watch *watch, const char *email)
{
    const struct member *member = watch_in_file(watch, email);
    bool ended = member && member->ends_at != 0 && member->ends_at <= watch->date;
    return member && !ended && member->starts_at <= watch->date ? member : NULL;
}

/* The only pattern in these lives covers a whole domain. */
bool watch_is_ignored(const struct watch *watch, const char *email)
{
    for (size_t i = 0; i < watch->members->ignore_count; i++) {
        const char *domain = strchr(email, '@');
        if (domain && strcasecmp(domain, watch->members->ignore[i] + 1) == 0)
            return true;
    }
    return false;
}

bool watch_is_obscure(const struct watch *watch, const char *email)
{
    for (size_t i = 0; i < watch->delivered.count; i++) {
        const struct invite *invite = &watch->delivered.items[i];
        if (is_of(invite, email) && !is_gone(watch, invite) &&
            (invite->status == INVITE_STATUS_UNKNOWN || invite->role == ROLE_UNKNOWN))
            return true;
    }
    return false;
}

static bool grants(const struct invite *invite, enum role role, const struct projects *projects)
{
    return invite->role == role && (!invite->projects.given || !projects->given ||
                                    projects_compare(&invite->projects, projects) == 0);
}

static void begin_listing(struct watch *watch)
{
    invites_clear(&watch->delivered);
    watch->begun = watch->org->now;
    watch->shrunk = watch->of_another = watch->proven = false;
    watch->was_shown_count = watch->org->count;
    free(watch->was_shown);
    watch->was_shown = calloc(watch->org->count + 1, sizeof *watch->was_shown);
    for (size_t i = 0; i < watch->org->count; i++)
        watch->was_shown[i] = org_shows(&watch->org->invites[i], watch->org->now);
}

/* What the service no longer knows as a cursor has vanished, or comes again. */
static void drop_cursor(struct watch *watch, const char *cursor)
{
    struct invites *invites = &watch->delivered;
    for (size_t i = 0; i < invites->count; i++) {
        if (strcmp(invites->items[i].id, cursor) != 0)
            continue;
        invite_clear(&invites->items[i]);
        memmove(&invites->items[i], &invites->items[i + 1],
                (--invites->count - i) * sizeof *invites->items);
        return;
    }
}

void watch_page(struct watch *watch, const struct answer *answer, const struct request *request)
{
    const char *cursor = request->cursor;
    if (request->call == CALL_LIST_USERS) {
        watch_users_page(watch, answer, cursor);
        return;
    }
    watch->served = watch->org->now;
    bool refused =
        answer->kind == ANSWER_REFUSED && (answer->status == 404 || answer->status == 400);
    if (cursor && (refused || (answer->kind == ANSWER_OK && answer->page.invites.count == 0)))
        drop_cursor(watch, cursor);
    for (size_t i = 0; i < answer->page.invites.count; i++) {
        const struct invite *from = &answer->page.invites.items[i];
        struct invite copy = {.id = strdup(from->id),
                              .email = strdup(from->email),
                              .role = from->role,
                              .status = from->status,
                              .created_at = from->created_at,
                              .accepted_at = from->accepted_at,
                              .expires_at = from->expires_at};
        if (projects_copy(&from->projects, &copy.projects) < 0 ||
            invites_add(&watch->delivered, &copy) < 0)
            abort();
    }
}

/* ---- requests ------------------------------------------------------------------------------ */

/* What was shown from the listing's beginning to its end must have been delivered. */
static void check_complete(struct watch *watch)
{
    /* What was left out where it shrank, whoever approved has seen. */
    if (watch->proven || watch->shrunk)
        return;
    watch->proven = true;
    for (size_t i = 0; i < watch->was_shown_count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        if (watch->was_shown[i] && org_shows(invite, watch->served) &&
            !delivered(watch, invite->invite.id))
            watch_violated(watch, "write after an incomplete listing: %s of %s was not delivered",
                           invite->invite.id, invite->invite.email);
    }
}

void watch_check_may_write(struct watch *watch, const char *whom)
{
    if (watch->unsaved)
        watch_violated(watch, "write after a failed save: %s", whom);
    if (watch->forbidden)
        watch_violated(watch, "write after 401 or 403 on a write: %s", whom);
    bool believed = watch->lifted && (watch->seen & LIMIT_VANISHED) != 0;
    if (watch->of_another || (watch->shrunk && !believed))
        watch_violated(watch, "write on a listing that cannot be true: %s", whom);
    check_complete(watch);
    watch_users_check_complete(watch);
}

/* Whether the listing shows what came of that create. */
static bool is_settled(const struct watch *watch, const struct watch_open *open)
{
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        if (invite->ours && invite->made_at >= open->sent_at &&
            is_of(&invite->invite, open->email) && delivered(watch, invite->invite.id))
            return true;
    }
    return false;
}

/* What a complete listing has shown is known from then on. */
static void settle_open(struct watch *watch)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->open_count; i++) {
        if (is_settled(watch, &watch->open[i]))
            free(watch->open[i].email);
        else
            watch->open[kept++] = watch->open[i];
    }
    watch->open_count = kept;
}

static void check_open(struct watch *watch, const char *email)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->open_count; i++) {
        struct watch_open *open = &watch->open[i];
        if (strcasecmp(open->email, email) != 0) {
            watch->open[kept++] = *open;
            continue;
        }
        if (watch->begun < open->given_up_at + watch->settle && !is_settled(watch, open))
            watch_violated(watch,
                           "create sent again before the outcome was known: %s, by a listing begun "
                           "%lld s after the last was given up",
                           email,
                           ((long long)watch->begun - (long long)open->given_up_at) /
                               (long long)SIM_SECOND);
        free(open->email);
    }
    watch->open_count = kept;
}

static void check_remembered(struct watch *watch, const struct request *request)
{
    const struct ledger_wish *wish =
        ledger_find(watch->durable, request->email, request->role, request->projects);
    if (!wish || wish->state != CREATE_BEGUN)
        watch_violated(watch, "create that a restart would not know of: %s", request->email);
}

/* Whether this pass has taken an invite from the address. */
static bool took_from(const struct watch *watch, const char *email)
{
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct invite *invite = &watch->org->invites[i].invite;
        if (is_of(invite, email) && is_gone(watch, invite) &&
            watch_has_id(watch->revoked, watch->revoked_count, invite->id))
            return true;
    }
    return false;
}

/*
 * Whoever accepted an hour ago and is no user has left. Until then, the listing of users may lag,
 * and where it is not known when that was, or who some user is, nothing is.
 */
static bool has_left(const struct watch *watch, const struct invite *accepted)
{
    return watch_lists_users(watch) && accepted->accepted_at != 0 &&
           !watch_has_strange_nameless(watch) && watch->date - accepted->accepted_at > 3600;
}

static void check_nothing_there(struct watch *watch, const char *email)
{
    if (watch_user_of(watch, email))
        watch_violated(watch, "create for somebody who is a user: %s", email);
    if (watch_was_renamed(watch, email))
        watch_violated(watch, "create for the old address of a user: %s", email);
    for (size_t i = 0; i < watch->delivered.count; i++) {
        const struct invite *invite = &watch->delivered.items[i];
        if (!is_of(invite, email) || is_gone(watch, invite))
            continue;
        if (reads_live(watch, invite))
            watch_violated(watch, "create beside a live invite: %s has %s", email, invite->id);
        /* Beside a live invite, an accepted one does not count: the table goes by the live. */
        if (invite->status == INVITE_ACCEPTED && !took_from(watch, email) &&
            !has_left(watch, invite))
            watch_violated(watch, "create for somebody who accepted: %s has %s", email, invite->id);
        if (invite->status == INVITE_STATUS_UNKNOWN || invite->role == ROLE_UNKNOWN)
            watch_violated(watch, "create for somebody of unknown status: %s", email);
    }
}

/* Whether an invite like this was taken from the address by our delete, or may have been. */
static bool was_taken(const struct watch *watch, const struct request *request)
{
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        bool taken = invite->gone_by == HAND_OURS || is_gone(watch, &invite->invite) ||
                     watch_has_id(watch->doomed, watch->doomed_count, invite->invite.id);
        if (taken && is_of(&invite->invite, request->email) &&
            grants(&invite->invite, request->role, request->projects))
            return true;
    }
    return false;
}

void watch_check_owner_limit(struct watch *watch)
{
    size_t owners = watch->owner_count + watch->users.promoted_count;
    if (owners > watch->limits->owner_invites)
        watch_violated(watch, "beyond limits.owner_invites: %zu", owners);
}

static void count_create(struct watch *watch, const struct request *request, bool restores)
{
    watch_put(&watch->invited, &watch->invited_count, request->email);
    if (request->role == ROLE_OWNER && !restores)
        watch_put(&watch->owners, &watch->owner_count, request->email);
    if (watch->lifted)
        return;
    if (watch->invited_count > watch->limits->invites)
        watch_violated(watch, "beyond limits.invites: %zu", watch->invited_count);
    watch_check_owner_limit(watch);
}

static void check_create(struct watch *watch, const struct request *request)
{
    const char *email = request->email;
    watch_check_may_write(watch, email);
    check_open(watch, email);
    check_remembered(watch, request);
    check_nothing_there(watch, email);
    const struct member *member = watch_declared(watch, email);
    if (!member || watch_is_ignored(watch, email)) {
        watch_violated(watch, "create for somebody not declared: %s", email);
        return;
    }
    bool as_declared = request->role == member->role &&
                       projects_compare(request->projects, &member->projects) == 0;
    if (!as_declared && !was_taken(watch, request))
        watch_violated(watch, "create of what nobody declared: %s", email);
    if (!as_declared)
        watch_put(&watch->restored, &watch->restored_count, email);
    /* What we took, now or before, is given back. */
    if (watch->stopped && as_declared && !took_from(watch, email))
        watch_violated(watch, "create begun after the stop: %s", email);
    count_create(watch, request, !as_declared);
}

/* What the listing says of the person forbids to take anything away. */
static void check_person(struct watch *watch, const char *email)
{
    if (watch_is_ignored(watch, email))
        watch_violated(watch, "delete of an ignored invite: %s", email);
    if (watch_was_renamed(watch, email))
        watch_violated(watch, "delete of an invite for the old address of a user: %s", email);
    if (watch_is_obscure(watch, email))
        watch_violated(watch, "delete for somebody of unknown status: %s", email);
}

/*
 * An invite that this listing lacks counts as pending all the same, as it was sent, while it may
 * lag behind what made it. After a restart nobody knows how old it is; and one of another hand that
 * looked like ours passed for ours.
 */
static bool is_fresh(const struct watch *watch, const char *id, struct invite *ret)
{
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        uint64_t since =
            invite->made_at > watch->restarted_at ? invite->made_at : watch->restarted_at;
        if (strcmp(invite->invite.id, id) != 0 || delivered(watch, id) ||
            since + 2 * watch->settle <= watch->begun)
            continue;
        *ret = invite->invite;
        ret->status = INVITE_PENDING;
        ret->expires_at = 0;
        for (size_t j = 0; j < watch->org->mail_count; j++) {
            if (watch->org->mails[j].invite == i) {
                ret->role = watch->org->mails[j].role;
                ret->projects = watch->org->mails[j].projects;
            }
        }
        return true;
    }
    return false;
}

/*
 * A live invite that is as declared goes only where another one stays, or from a user. One that is
 * gone already, which a process whose ledger could not be saved does not know, takes nothing away.
 */
static void check_declared(struct watch *watch, const struct invite *victim)
{
    const struct member *member = watch_declared(watch, victim->email);
    if (!member || watch_was_user(watch, victim->email) || is_gone(watch, victim) ||
        !grants(victim, member->role, &member->projects))
        return;
    for (size_t i = 0; i < watch->delivered.count; i++) {
        const struct invite *other = &watch->delivered.items[i];
        if (is_of(other, victim->email) && strcmp(other->id, victim->id) != 0 &&
            reads_live(watch, other) && grants(other, member->role, &member->projects) &&
            !is_gone(watch, other))
            return;
    }
    for (size_t i = 0; i < watch->org->mail_count; i++) {
        const struct org_mail *mail = &watch->org->mails[i];
        const char *id = watch->org->invites[mail->invite].invite.id;
        struct invite fresh;
        if (strcasecmp(mail->email, victim->email) == 0 && strcmp(id, victim->id) != 0 &&
            is_fresh(watch, id, &fresh) && grants(&fresh, member->role, &member->projects) &&
            !watch_has_id(watch->gone, watch->gone_count, id))
            return;
    }
    watch_violated(watch, "delete of a declared invite: %s of %s", victim->id, victim->email);
}

static void count_revocation(struct watch *watch, const char *id)
{
    watch_put(&watch->revoked, &watch->revoked_count, id);
    if (watch->lifted)
        return;
    if (watch->revoked_count > watch->limits->revocations)
        watch_violated(watch, "beyond limits.revocations: %zu", watch->revoked_count);
    if (watch->listed >= LIMIT_SHARE_LEAST &&
        (double)watch->revoked_count > watch->limits->revocation_ratio * (double)watch->live)
        watch_violated(watch, "beyond limits.revocation_ratio: %zu of %zu", watch->revoked_count,
                       watch->live);
}

static void check_delete(struct watch *watch, const struct request *request)
{
    watch_check_may_write(watch, request->invite_id);
    if (watch->params->create_only)
        watch_violated(watch, "delete with policy create-only: %s", request->invite_id);
    struct invite fresh;
    const struct invite *victim = delivered(watch, request->invite_id);
    if (!victim && is_fresh(watch, request->invite_id, &fresh))
        victim = &fresh;
    if (!victim) {
        watch_violated(watch, "delete of an invite that was not listed: %s", request->invite_id);
        return;
    }
    if (watch->stopped && !took_from(watch, victim->email))
        watch_violated(watch, "delete begun after the stop: %s", victim->id);
    check_person(watch, victim->email);
    if (victim->status == INVITE_ACCEPTED ||
        (watch_user_of(watch, victim->email) && watch_may_be_accepted(watch, victim))) {
        watch_violated(watch, "delete of an accepted invite: %s", victim->id);
    } else if (reads_live(watch, victim)) {
        check_declared(watch, victim);
        count_revocation(watch, victim->id);
    } else if (!watch_declared(watch, victim->email) ||
               !watch_has(watch->refused, watch->refused_count, victim->email)) {
        watch_violated(watch, "delete of history: %s", victim->id);
    }
}

void watch_request(struct watch *watch, const struct request *request)
{
    if (request->call == CALL_LIST && !request->cursor)
        begin_listing(watch);
    else if (request->call == CALL_CREATE)
        check_create(watch, request);
    else if (request->call == CALL_DELETE)
        check_delete(watch, request);
    else
        watch_users_request(watch, request);
}

/* ---- answers ------------------------------------------------------------------------------- */

void watch_give_up(struct watch *watch, const char *email, uint64_t sent_at)
{
    if (RESERVE(watch->open, watch->open_count) < 0)
        abort();
    watch->open[watch->open_count++] = (struct watch_open){
        .email = strdup(email), .sent_at = sent_at, .given_up_at = watch->org->now};
}

static bool leaves_open(const struct answer *answer)
{
    return answer->kind == ANSWER_UNREADABLE || answer->kind == ANSWER_UNAVAILABLE ||
           answer->kind == ANSWER_LOST;
}

void watch_answer(struct watch *watch, const struct answer *answer, const struct request *request,
                  uint64_t sent_at)
{
    bool write = call_writes(request->call);
    bool refused = answer->kind == ANSWER_REFUSED;
    if (write && (answer->status == 401 || answer->status == 403))
        watch->forbidden = true;
    if (request->call == CALL_CREATE && leaves_open(answer))
        watch_give_up(watch, request->email, sent_at);
    if (request->call == CALL_CREATE && refused)
        watch_put(&watch->refused, &watch->refused_count, request->email);
    if (request->call == CALL_CREATE && refused)
        watch_put(&watch->ever_refused, &watch->ever_refused_count, request->email);
    if (request->call == CALL_DELETE &&
        (answer->kind == ANSWER_OK || (refused && answer->status == 404)))
        watch_put(&watch->gone, &watch->gone_count, request->invite_id);
    /* A refused delete is looked at. */
    watch->requests_most += request->call == CALL_DELETE && refused && answer->status != 404;
    if (request->call == CALL_RETRIEVE && refused && answer->status == 404)
        watch_put(&watch->gone, &watch->gone_count, request->invite_id);
    if (request->call == CALL_LIST && !request->cursor && answer->kind == ANSWER_OK)
        watch->date = answer->date != 0 ? answer->date : watch->wall;
    watch_users_answer(watch, answer, request);
}

static bool same_wish(const struct org_mail *a, const struct org_mail *b)
{
    return a->role == b->role && strcasecmp(a->email, b->email) == 0 &&
           projects_compare(&a->projects, &b->projects) == 0;
}

void watch_mail(struct watch *watch)
{
    const struct org *org = watch->org;
    const struct org_mail *last = &org->mails[org->mail_count - 1];
    unsigned counted = 1;
    for (size_t i = 0; i + 1 < org->mail_count; i++) {
        const struct org_mail *mail = &org->mails[i];
        const struct org_invite *invite = &org->invites[mail->invite];
        if (!same_wish(mail, last))
            continue;
        bool accepted = invite->gone_at == SIM_NEVER && invite->invite.status == INVITE_ACCEPTED;
        if (org_is_live(org, invite) || (accepted && watch_is_user(watch, last->email)))
            watch_violated(watch, "mailed twice for one wish: %s, and %s is there already",
                           last->email, invite->invite.id);
        /*
         * What another hand removed may never have been seen by anybody, and what the service made
         * otherwise than asked cannot be recognised once its answer is lost.
         */
        counted += mail->epoch == last->epoch && invite->gone_by != HAND_OTHER &&
                   grants(&invite->invite, mail->role, &mail->projects);
    }
    if (counted > 1 + watch->limits->renewals)
        watch_violated(watch, "mailed more often than renewals allow: %s, %u times", last->email,
                       counted);
}

/* ---- the plan and the end ------------------------------------------------------------------ */

/* Invites of the address that the listing has. */
static size_t count_of(const struct watch *watch, const char *email)
{
    size_t count = 0;
    for (size_t i = 0; i < watch->delivered.count; i++)
        count += is_of(&watch->delivered.items[i], email);
    return count;
}

static size_t cost(const struct watch *watch, const struct line *line)
{
    switch (line->action) {
    case ACTION_INVITE:
        /* A restore may follow; and of whom was there before, an old invite may be in the way. */
        return 2 + (line->reason == REASON_MEMBER_LEFT ? 3 * count_of(watch, line->email) : 0);
    case ACTION_RENEW:
        /* create; then, where the service insists, retrieve, delete and create for each old one */
        return 1 + 3 * count_of(watch, line->email);
    case ACTION_REPLACE:
        return 3 + 3 * count_of(watch, line->email);
    case ACTION_REVOKE:
        return 1;
    case ACTION_SET_ROLE:
        return 2; /* and a look */
    case ACTION_REMOVE:
        return 3; /* a look before, and one after */
    case ACTION_ATTENTION:
    case ACTION_KEEP:
        break;
    }
    return 0;
}

/* Live invites that the service may count at most, those too fresh to be listed included. */
static void count_live(struct watch *watch)
{
    watch->live = watch->listed = 0;
    for (size_t i = 0; i < watch->delivered.count; i++) {
        bool live = reads_live(watch, &watch->delivered.items[i]);
        watch->live += live;
        watch->listed += live && !is_gone(watch, &watch->delivered.items[i]);
    }
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        watch->live += invite->ours && invite->made_at + 2 * watch->settle > watch->begun &&
                       !delivered(watch, invite->invite.id);
    }
}

/* By the listing that the plan was made from. */
static void bound_requests(struct watch *watch)
{
    const struct plan *plan = pass_plan(watch->pass);
    size_t shown = watch->delivered.count, page = watch->org->habits.page_size;
    watch->pages = shown == 0 ? 1 : (shown + page - 1) / page;
    size_t users = watch->users.delivered.count;
    watch->users.pages = !watch_lists_users(watch) ? 0 : (users + page - 1) / page;
    watch->requests_most = watch->pages + watch->users.pages;
    bool holds = false;
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        watch->requests_most += line->blocked_by == 0 ? cost(watch, line) : 0;
        holds = holds || line->held;
    }
    /* Where an earlier create is open, the pass looks again. */
    watch->requests_most += holds ? watch->pages + 1 : 0;
}

static void check_requests(struct watch *watch, unsigned faults)
{
    size_t most = watch->requests_most + pass_limited(watch->pass);
    /* Removals that had to wait for the brake look again at whom they are about. */
    most +=
        watch->users.removed_count > 0 ? pass_limited(watch->pass) * watch->params->concurrency : 0;
    size_t pages = watch->pages + watch->users.pages;
    /* After a refusal the pass looks again. */
    most += watch->refused_count > 0 ? watch->pages + 1 : 0;
    /* Where listings lag, a cursor may die by itself, and the listing start over. */
    most += watch->org->habits.lag > 0 ? 4 + 2 * pages : 0;
    /* Each fault may cost a second listing that starts over, or a write sent anew. */
    most += (size_t)faults * (4 + 3 * pages);
    if (pass_requests(watch->pass) > most)
        watch_violated(watch, "%u requests where %zu should do", pass_requests(watch->pass), most);
}

void watch_plan(struct watch *watch, const char *approval, unsigned seen)
{
    watch->seen = seen;
    bound_requests(watch);
    settle_open(watch);
    watch_users_learn(watch);
    count_live(watch);
    watch->lifted = pass_plan(watch->pass)->approved;
    if (!watch->lifted)
        return;
    if (!approval)
        watch_violated(watch, "limits lifted without an approval");
    else if (watch_has_id(watch->approvals, watch->approval_count, approval))
        watch_violated(watch, "approval used twice: %s", approval);
}

void watch_used(struct watch *watch, const char *approval)
{
    watch_put(&watch->approvals, &watch->approval_count, approval);
}

void watch_restart(struct watch *watch)
{
    watch->unstored = true;
    watch->restarted_at = watch->org->now;
    for (size_t i = 0; i < watch->durable->wish_count; i++)
        if (watch->durable->wishes[i]->lost.id)
            watch_put(&watch->doomed, &watch->doomed_count, watch->durable->wishes[i]->lost.id);
}

void watch_saved(struct watch *watch)
{
    watch->unstored = false;
    watch_users_saved(&watch->users);
}

void watch_new_process(struct watch *watch)
{
    watch_users_new_process(&watch->users);
    if (watch->unstored)
        watch_restart(watch);
}

void watch_forget(struct watch *watch)
{
    watch_users_forget(&watch->users);
    watch_drop(&watch->approvals, &watch->approval_count);
    watch->org->epoch++;
}

static void check_result(struct watch *watch, const struct line *line)
{
    if (line->result == RESULT_NONE && pass_end(watch->pass) == PASS_DONE)
        watch_violated(watch, "line without a result: %s %s", action_word(line->action),
                       line->email);
    if (line->result != RESULT_DONE)
        return;
    if (action_concerns_user(line->action)) {
        watch_users_check_result(watch, line);
        return;
    }
    const char *id = line->action == ACTION_REVOKE ? line->invite->id : line->invite_id;
    bool made = false, there = false;
    for (size_t i = 0; id && i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        if (strcmp(invite->invite.id, id) != 0)
            continue;
        made = is_of(&invite->invite, line->email);
        there = there || org_is_live(watch->org, invite);
    }
    if (!made)
        watch_violated(watch, "done, and there is no such invite: %s %s", action_word(line->action),
                       line->email);
    if (line->action == ACTION_REVOKE && there)
        watch_violated(watch, "done, and the invite is still live: %s", id);
}

/* Whether anything was made for the address in this pass, or is live, or may have been made. */
static bool has_another(const struct watch *watch, const char *email)
{
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        bool fresh = invite->made_at >= watch->pass_at || org_is_live(watch->org, invite) ||
                     invite->invite.status == INVITE_ACCEPTED;
        if (fresh && is_of(&invite->invite, email))
            return true;
    }
    for (size_t i = 0; i < watch->open_count; i++)
        if (strcasecmp(watch->open[i].email, email) == 0)
            return true;
    return watch_has(watch->restored, watch->restored_count, email);
}

/* Whom a replacement took an invite from has another one, or was to get back what was there. */
static void check_given_back(struct watch *watch)
{
    const struct plan *plan = pass_plan(watch->pass);
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        if (line->action == ACTION_REPLACE && is_gone(watch, line->invite) &&
            watch_has_id(watch->revoked, watch->revoked_count, line->invite->id) &&
            watch_declared(watch, line->email) && !has_another(watch, line->email))
            watch_violated(watch, "taken, and nothing given for it: %s of %s", line->invite->id,
                           line->email);
    }
}

void watch_end(struct watch *watch, unsigned faults)
{
    enum pass_end end = pass_end(watch->pass);
    const struct plan *plan = pass_plan(watch->pass);
    if ((end == PASS_FAILED) != (pass_error(watch->pass) != NULL))
        watch_violated(watch, "ended without saying why");
    if (watch->users.refused && (plan || end == PASS_DONE))
        watch_violated(watch, "a plan without the right to list users");
    /* What another organisation refuses says nothing of this one. */
    bool forbidden = watch->users.forbidden && !watch->users.of_another && !watch->of_another;
    if (forbidden && end == PASS_FAILED &&
        !(strstr(pass_error(watch->pass), "api.management.read") &&
          strstr(pass_error(watch->pass), "`users`")))
        watch_violated(watch, "no right to list users, and no word of it: %s",
                       pass_error(watch->pass));
    for (size_t i = 0; plan && i < plan->lines.count; i++)
        if (action_writes(plan->lines.items[i].action))
            check_result(watch, &plan->lines.items[i]);
    if (plan && end == PASS_DONE) {
        check_requests(watch, faults);
        check_given_back(watch);
    }
}

/* ---- converged ----------------------------------------------------------------------------- */

/* The same as far as the service states it: what it leaves out cannot be compared. */
static bool seems_to_grant(const struct watch *watch, const struct invite *invite, enum role role,
                           const struct projects *projects)
{
    static const struct projects not_stated;
    return grants(invite, role, watch->org->habits.hides_projects ? &not_stated : projects);
}

/* Mails for a grant, and what another hand made that looks like one of ours. */
static unsigned count_mails(const struct watch *watch, const char *email, enum role role,
                            const struct projects *projects)
{
    unsigned count = 0;
    for (size_t i = 0; i < watch->org->mail_count; i++) {
        const struct org_mail *mail = &watch->org->mails[i];
        count += mail->epoch == watch->org->epoch && mail->role == role &&
                 strcasecmp(mail->email, email) == 0 &&
                 projects_compare(&mail->projects, projects) == 0;
    }
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        count += !invite->ours && invite->made_at > watch->born_at &&
                 is_of(&invite->invite, email) &&
                 seems_to_grant(watch, &invite->invite, role, projects);
    }
    return count;
}

/* What the wish may be mailed, it was; or what a refused replacement would give back. */
static bool is_exhausted(const struct watch *watch, const char *email)
{
    unsigned most = watch->limits->renewals;
    const struct member *member = watch_declared(watch, email);
    if (member && count_mails(watch, email, member->role, &member->projects) > most)
        return true;
    for (size_t i = 0; i < watch->delivered.count; i++) {
        const struct invite *invite = &watch->delivered.items[i];
        if (is_of(invite, email) &&
            count_mails(watch, email, invite->role, &invite->projects) > most)
            return true;
    }
    return false;
}

static bool reads(const struct watch *watch, const char *email, enum invite_status status)
{
    for (size_t i = 0; i < watch->delivered.count; i++) {
        const struct invite *invite = &watch->delivered.items[i];
        if (is_of(invite, email) && (invite->status == status || (status == INVITE_STATUS_UNKNOWN &&
                                                                  invite->role == ROLE_UNKNOWN)))
            return true;
    }
    return false;
}

static bool was_altered(const struct watch *watch, const char *email)
{
    for (size_t i = 0; i < watch->org->mail_count; i++) {
        const struct org_mail *mail = &watch->org->mails[i];
        if (strcasecmp(mail->email, email) == 0 &&
            !grants(&watch->org->invites[mail->invite].invite, mail->role, &mail->projects))
            return true;
    }
    return false;
}

/* Whether the service's own state bears out the reason for which a person is left alone. */
static bool bears_out(const struct watch *watch, const struct line *line)
{
    switch (line->reason) {
    case REASON_UNKNOWN_STATUS:
        return reads(watch, line->email, INVITE_STATUS_UNKNOWN) ||
               watch_users_bear_out(watch, line);
    case REASON_EMAIL_CHANGED:
    case REASON_NO_EMAIL:
        return watch_users_bear_out(watch, line);
    case REASON_MEMBER_LEFT:
        return reads(watch, line->email, INVITE_ACCEPTED) &&
               (watch->org->habits.hides_accepted || watch_has_nameless(watch));
    case REASON_RENEWALS_EXHAUSTED:
        return is_exhausted(watch, line->email);
    case REASON_CREATE_REFUSED:
        return watch_has(watch->ever_refused, watch->ever_refused_count, line->email);
    case REASON_NOT_AS_SENT:
        return was_altered(watch, line->email);
    case REASON_ACCEPTED_ROLE_DIFFERS:
    case REASON_ACCEPTED_UNDECLARED:
        return reads(watch, line->email, INVITE_ACCEPTED);
    default:
        return watch->params->create_only;
    }
}

/* Who is left alone for a good reason. */
static bool is_excused(const struct watch *watch, const char *email)
{
    const struct plan *plan = pass_plan(watch->pass);
    /* The service insists that the expired invite goes first, and the policy forbids that. */
    bool stuck = watch->params->create_only && watch->org->habits.insists;
    /* And so do those who left, where the service takes nobody back. */
    stuck = stuck || (watch_lists_users(watch) && watch->org->habits.refuses_left);
    if (watch_is_ignored(watch, email) ||
        (stuck && watch_has(watch->refused, watch->refused_count, email)))
        return true;
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        if (strcasecmp(line->email, email) != 0)
            continue;
        if (line->action == ACTION_ATTENTION && bears_out(watch, line))
            return true;
        /* Found out only when it was to be sent again. */
        if (line->held && line->result == RESULT_FAILED && is_exhausted(watch, email))
            return true;
    }
    return false;
}

struct standing {
    size_t live, matching, accepted;
    bool accepted_lately;
};

static struct standing stand(const struct watch *watch, const char *email,
                             const struct member *member)
{
    struct standing standing = {0};
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        if (!is_of(&invite->invite, email) || invite->gone_at != SIM_NEVER)
            continue;
        bool live = org_is_live(watch->org, invite);
        standing.live += live;
        standing.matching +=
            live && member &&
            seems_to_grant(watch, &invite->invite, member->role, &member->projects);
        bool accepted = invite->invite.status == INVITE_ACCEPTED;
        standing.accepted += accepted;
        standing.accepted_lately = standing.accepted_lately ||
                                   (accepted && watch->date - invite->invite.accepted_at <= 3600);
    }
    return standing;
}

/* Whether the person is a member, or whatever is known says so. */
static bool is_member(const struct watch *watch, const char *email, const struct standing *standing)
{
    if (!watch_lists_users(watch))
        return standing->accepted > 0;
    return watch_is_user(watch, email) || standing->accepted_lately;
}

static bool is_to_stay(const struct watch *watch, const struct invite *invite)
{
    bool is_user = watch_lists_users(watch) && watch_is_user(watch, invite->email);
    return is_excused(watch, invite->email) || watch_may_be_accepted(watch, invite) ||
           (watch_declared(watch, invite->email) && !is_user);
}

void watch_converged(struct watch *watch, bool removed)
{
    if (!pass_plan(watch->pass) || pass_end(watch->pass) != PASS_DONE) {
        watch_violated(watch, "not converged: the last calm pass did not end well: %s",
                       pass_error(watch->pass) ? pass_error(watch->pass) : "stopped");
        return;
    }
    for (size_t i = 0; i < watch->members->count; i++) {
        const char *email = watch->members->items[i].email;
        const struct member *member = watch_declared(watch, email);
        struct standing standing = stand(watch, email, member);
        if (member && !is_excused(watch, email) && !is_member(watch, email, &standing) &&
            (standing.matching != 1 || standing.live != 1))
            watch_violated(watch, "not converged: %s has %zu live invites, %zu as declared", email,
                           standing.live, standing.matching);
    }
    for (size_t i = 0; i < watch->org->count; i++) {
        const struct org_invite *invite = &watch->org->invites[i];
        if (org_is_live(watch->org, invite) && !is_to_stay(watch, &invite->invite))
            watch_violated(watch, "not converged: %s of %s is still there", invite->invite.id,
                           invite->invite.email);
    }
    watch_users_converged(watch, removed);
}

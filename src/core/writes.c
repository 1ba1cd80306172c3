/* What each write does next, from its first request to its result. */
#include "writes.h"

#include <errno.h>
#include <string.h>

#include "address.h"

/* One delete, or one look at an invite, is tried so often; the others must get their turn. */
#define FAILURES_MAX 3
/*
 * So old may a look at a user be when their removal has had to wait. Much less would never do where
 * the service allows so few requests that each look takes the place of its removal.
 */
#define LOOK_FRESH_USEC (UINT64_C(30) * 1000000)

int writes_init(struct writes *writes, struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++) {
        struct line *line = &plan->lines.items[i];
        if (!action_writes(line->action))
            continue;
        if (line->blocked_by != 0) {
            line->result = RESULT_BLOCKED;
            continue;
        }
        if (RESERVE(writes->items, writes->count) < 0)
            return -ENOMEM;
        writes->items[writes->count++] = (struct write){
            .line = line,
            .old = line->invite,
            .stage = line->held ? WRITE_OPEN : WRITE_WAITING,
        };
    }
    return 0;
}

void writes_clear(struct writes *writes)
{
    free(writes->items);
    *writes = (struct writes){0};
}

static void end(struct write *write, enum result result)
{
    write->stage = WRITE_ENDED;
    write->line->result = result;
    if (result == RESULT_DONE) {
        free(write->line->error);
        write->line->error = NULL;
    }
}

/* Ends it as failed; takes over the text, which may be NULL when memory is short. */
static void fail(struct write *write, char *error)
{
    free(write->line->error);
    write->line->error = error;
    end(write, RESULT_FAILED);
}

/* Nobody knows what became of the last request. Says so, and who will. */
static void end_unknown(struct write *write)
{
    const char *before =
        write->restoring ? "the new invite was refused, and it is not known whether "
                           "the old one was restored; "
        : write->cleared ? "the old invite is deleted, and it is not known whether "
                           "the new one was made; "
                         : "";
    char *error = write->line->error;
    write->line->error = memory_format("%s%s%sthe next pass decides from a listing", before,
                                       error ? error : "", error ? ": " : "");
    free(error);
    end(write, RESULT_UNKNOWN);
}

static void note_invite(struct write *write, const char *id)
{
    /* Without memory the line lacks an id, which is no reason to fail what has happened. */
    (void)memory_set(&write->line->invite_id, id);
}

static const char *error_of(const struct write *write)
{
    return write->line->error ? write->line->error : "no reason given";
}

/* Whether the duplicates that have to go before this replacement are gone: 1, not yet: 0, never:
 * -1. */
static int has_turn(const struct writes *writes, size_t i)
{
    const struct line *line = writes->items[i].line;
    if (line->action != ACTION_REPLACE)
        return 1;
    for (; i > 0; i--) {
        const struct write *before = &writes->items[i - 1];
        if (!before->line->first_clear || address_compare(before->line->email, line->email) != 0)
            break;
        if (before->stage != WRITE_ENDED)
            return 0;
        if (before->line->result != RESULT_DONE)
            return -1;
    }
    return 1;
}

/* Whether we have taken something from the person that has to be made good. */
static bool is_committed(const struct write *write)
{
    return write->restoring || (write->cleared && write->wish && write->wish->lost.id);
}

struct write *writes_pick(struct writes *writes, bool only_committed)
{
    while (writes->ended < writes->count && writes->items[writes->ended].stage == WRITE_ENDED)
        writes->ended++;
    struct write *waiting = NULL;
    for (size_t i = writes->ended; i < writes->count; i++) {
        struct write *write = &writes->items[i];
        if (only_committed && !is_committed(write))
            continue;
        if (write->stage == WRITE_READY)
            return write;
        if (write->stage != WRITE_WAITING || waiting)
            continue;
        int turn = has_turn(writes, i);
        if (turn < 0) {
            free(write->line->error);
            write->line->error = strdup("a duplicate invite of this person could not be revoked "
                                        "first");
            end(write, RESULT_SKIPPED);
        } else if (turn > 0) {
            waiting = write;
        }
    }
    return waiting;
}

static void mark(struct write *write, enum create_state state, const struct write_context *c)
{
    ledger_mark(write->wish, state, c->now->boot, c->wall);
    c->ledger->dirty = true;
}

/* Whether it takes an owner from the organisation. */
static bool deposes(const struct write *write)
{
    return action_concerns_user(write->line->action) && write->line->user->role == ROLE_OWNER;
}

static int begin_for_user(struct write *write, const struct write_context *c)
{
    /* Right before somebody is removed, we look at who it is. */
    write->next = write->line->action == ACTION_SET_ROLE ? CALL_SET_ROLE : CALL_RETRIEVE_USER;
    write->stage = WRITE_READY;
    if (!deposes(write))
        return 0;
    /* Lest the next process trusts a listing that lags, and takes the last other owner. */
    write->stage = WRITE_RECORDING;
    return ledger_depose(c->ledger, write->line->user->id, c->now->boot, true);
}

int write_begin(struct write *write, const struct write_context *context)
{
    const struct line *line = write->line;
    if (action_concerns_user(line->action))
        return begin_for_user(write, context);
    if (line->action == ACTION_REVOKE) {
        write->next = CALL_DELETE;
        write->stage = WRITE_READY;
        return 0;
    }
    if (!write->restoring)
        write->wish = ledger_take(context->ledger, line->email, line->role, line->projects);
    if (!write->wish)
        return -ENOMEM;
    if (line->action == ACTION_INVITE && !write->restoring)
        ledger_inherit_loss(context->ledger, write->wish);
    write->next = CALL_CREATE;
    if (line->action == ACTION_REPLACE && !write->cleared && !write->restoring) {
        write->next = CALL_DELETE;
        if (ledger_lose(write->wish, write->old) < 0)
            return -ENOMEM;
    } else if (line->invite) {
        /* There was one before, which shows nothing of what we send. */
        if (line->action == ACTION_RENEW)
            (void)ledger_lose(write->wish, NULL);
        if (memory_set(&write->wish->invite_id, line->invite->id) < 0)
            return -ENOMEM;
    }
    mark(write, CREATE_BEGUN, context);
    write->wish->seen = false;
    write->stage = WRITE_RECORDING;
    return 0;
}

/* Whether a write to a user was sent, and nobody knows what came of it. */
static bool is_user_in_doubt(const struct write *write)
{
    return write->user_doubtful || write->user_unanswered;
}

static void end_after_tries(struct write *write)
{
    if (is_user_in_doubt(write))
        end_unknown(write);
    else
        end(write, RESULT_FAILED);
}

void writes_hold_up(struct writes *writes)
{
    for (size_t i = writes->ended; i < writes->count; i++) {
        struct write *write = &writes->items[i];
        write->held_up |= write->stage == WRITE_READY && write->next == CALL_DELETE_USER;
    }
}

void write_freshen(struct write *write, uint64_t now)
{
    if (write->held_up && now - write->looked_at > LOOK_FRESH_USEC) {
        write->next = CALL_RETRIEVE_USER;
        if (!write->line->error)
            write->line->error = strdup("held up too often; the next pass tries again");
        if (++write->failures >= FAILURES_MAX)
            end_after_tries(write);
    }
    write->held_up = false;
    if (write->next == CALL_RETRIEVE_USER)
        write->looked_at = now;
}

struct request write_request(const struct write *write, unsigned tag)
{
    struct request request = {.call = write->next, .tag = tag};
    if (write->next == CALL_CREATE) {
        request.email = write->line->email;
        request.role = write->wish->role;
        request.projects = &write->wish->projects;
    } else if (action_concerns_user(write->line->action)) {
        request.user_id = write->line->user->id;
        request.role = write->line->role;
    } else {
        request.invite_id = write->old->id;
    }
    return request;
}

/* Whether the listing's invite belongs to the write's address, and we have not deleted it. */
static bool is_theirs(const struct write *write, const struct write_context *c,
                      const struct invite *invite)
{
    return address_compare(invite->email, write->line->email) == 0 &&
           !ledger_hides(c->ledger, invite->id, c->now->boot, UINT64_MAX);
}

/* The newest invite of the address that `fits`, or NULL. */
static const struct invite *newest_that(const struct write *write, const struct write_context *c,
                                        bool (*fits)(const struct invite *, int64_t))
{
    const struct invites *invites = listing_invites(c->listing);
    const struct invite *newest = NULL;
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        if (fits(invite, c->date) && is_theirs(write, c, invite) &&
            (!newest || invite_newer(invite, newest)))
            newest = invite;
    }
    return newest;
}

/* The create was refused after our delete: the person gets back what they had, once. */
static void start_restoring(struct write *write, const struct write_context *c)
{
    const struct lost_invite *lost = &write->wish->lost;
    mark(write, CREATE_REFUSED, c);
    write->wish->refused_status = write->line->status;
    struct ledger_wish *old =
        ledger_take(c->ledger, write->line->email, lost->role, &lost->projects);
    if (!old) {
        fail(write, strdup("out of memory while restoring the old invite"));
        return;
    }
    write->refused = write->wish;
    write->wish = old;
    write->restoring = true;
    mark(write, CREATE_BEGUN, c);
    write->wish->seen = false;
    write->next = CALL_CREATE;
    write->stage = WRITE_RECORDING;
}

/* Whether we took an invite from the person that grants something else than what was refused. */
static bool owes_another(const struct write *write)
{
    const struct ledger_wish *wish = write->wish;
    bool same = wish->lost.role == wish->role &&
                projects_compare(&wish->lost.projects, &wish->projects) == 0;
    return wish->lost.id && !same && (write->cleared || write->line->action == ACTION_INVITE);
}

static bool is_forbidden(int status)
{
    return status == 401 || status == 403;
}

static void create_refused(struct write *write, const struct write_context *c)
{
    int status = write->line->status;
    if (write->restoring && is_forbidden(status)) {
        mark(write, CREATE_NONE, c);
        fail(write,
             memory_format("the new invite was refused and the old one not restored yet (%s): "
                           "the next pass that may write restores it",
                           error_of(write)));
        return;
    }
    if (write->restoring) {
        mark(write, CREATE_NONE, c);
        (void)ledger_lose(write->refused, NULL);
        fail(write, memory_format("the new invite was refused, and the old one could not be "
                                  "restored (%s): this person has no invite now",
                                  error_of(write)));
        return;
    }
    if (is_forbidden(status)) {
        mark(write, CREATE_NONE, c);
        if (write->cleared)
            fail(write,
                 memory_format("%s; the old invite is deleted already: the next pass that may "
                               "write invites this person again",
                               error_of(write)));
        else
            end(write, RESULT_FAILED);
        return;
    }
    /* Of somebody who never had one, there is none that could be in the way. */
    const struct invite *expired = c->create_only || write->line->reason == REASON_NOT_INVITED
                                       ? NULL
                                       : newest_that(write, c, invite_is_expired);
    if (expired) {
        /*
         * Perhaps the service insists that the expired invite goes first: look how it is now. Until
         * that is clear, the wish is not to blame, and need not wait a day.
         */
        mark(write, CREATE_NONE, c);
        write->old = expired;
        write->delete_doubtful = false;
        write->next = CALL_RETRIEVE;
        write->stage = WRITE_READY;
    } else if (owes_another(write)) {
        start_restoring(write, c);
    } else {
        mark(write, CREATE_REFUSED, c);
        (void)ledger_lose(write->wish, NULL);
        write->wish->refused_status = status;
        write->stage = WRITE_REFUSED;
    }
}

static void create_done(struct write *write, const char *id, const struct write_context *c)
{
    mark(write, CREATE_ANSWERED, c);
    write->wish->mailed++;
    write->wish->seen = false;
    (void)memory_set(&write->wish->invite_id, id);
    (void)ledger_lose(write->restoring ? write->refused : write->wish, NULL);
    note_invite(write, id);
    if (write->restoring)
        fail(write, memory_format("%s; the old invite was restored as %s", error_of(write), id));
    else
        end(write, RESULT_DONE);
}

static void take_create(struct write *write, struct answer *answer, const struct write_context *c)
{
    switch (answer->kind) {
    case ANSWER_OK:
        create_done(write, answer->invite.id, c);
        break;
    case ANSWER_REFUSED:
        create_refused(write, c);
        break;
    case ANSWER_LIMITED:
    case ANSWER_UNSENT:
        write->stage = WRITE_READY;
        break;
    case ANSWER_UNREADABLE:
    case ANSWER_UNAVAILABLE:
    case ANSWER_LOST:
        mark(write, CREATE_UNKNOWN, c);
        write->stage = WRITE_OPEN;
        break;
    }
}

/* Whether its old invite is an expired one that the service may want out of the way. */
static bool is_after_expired(const struct write *write)
{
    return write->line->action == ACTION_RENEW || write->line->action == ACTION_INVITE ||
           write->cleared;
}

/* The old invite is gone, by our delete or by another's hand. */
static void old_gone(struct write *write, const struct write_context *c)
{
    struct ledger_wish *made = ledger_find_invite(c->ledger, write->old->id);
    if (made && made != write->wish && made->state == CREATE_ANSWERED)
        ledger_mark(made, CREATE_NONE, c->now->boot, c->wall);
    /* Forgetting a deletion for want of memory costs one more delete that answers 404. */
    (void)ledger_deleted(c->ledger, write->old->id, c->now->boot);

    if (is_after_expired(write)) {
        if (write_begin(write, c) < 0)
            fail(write, strdup("out of memory"));
    } else if (write->line->action == ACTION_REPLACE) {
        write->cleared = true;
        write->next = CALL_CREATE;
        write->stage = WRITE_READY;
    } else {
        note_invite(write, write->old->id);
        end(write, RESULT_DONE);
    }
}

static void not_deleted(struct write *write, char *error, const struct write_context *c)
{
    if (write->cleared && owes_another(write)) {
        /* The expired invite stays in the way of the new one; perhaps not of what was there. */
        free(write->line->error);
        write->line->error = error;
        start_restoring(write, c);
        return;
    }
    if (write->line->action == ACTION_REPLACE) {
        mark(write, CREATE_NONE, c);
        (void)ledger_lose(write->wish, NULL);
    }
    fail(write, error);
}

/* No answer: once more, unless it has had its turns. */
static void repeat(struct write *write, const struct answer *answer, const struct write_context *c)
{
    write->failures += answer->kind == ANSWER_UNAVAILABLE || answer->kind == ANSWER_LOST ||
                       answer->kind == ANSWER_UNREADABLE;
    if (write->failures < FAILURES_MAX) {
        write->stage = WRITE_READY;
        return;
    }
    if (write->cleared) {
        not_deleted(write, TAKE(write->line->error), c);
        return;
    }
    /* What came of a delete will show in the next listing; no create of ours was sent. */
    if (write->line->action == ACTION_REPLACE)
        mark(write, CREATE_NONE, c);
    end_unknown(write);
}

static void take_delete(struct write *write, struct answer *answer, const struct write_context *c)
{
    bool gone =
        answer->kind == ANSWER_OK || (answer->kind == ANSWER_REFUSED && answer->status == 404);
    if (gone) {
        old_gone(write, c);
    } else if (answer->kind == ANSWER_REFUSED && is_forbidden(answer->status)) {
        not_deleted(write, TAKE(write->line->error), c);
    } else if (answer->kind == ANSWER_REFUSED || answer->kind == ANSWER_UNREADABLE) {
        /* A doubtful answer: look. */
        write->delete_doubtful = true;
        write->next = CALL_RETRIEVE;
        write->stage = WRITE_READY;
    } else {
        repeat(write, answer, c);
    }
}

/* A create was refused, and this is the expired invite that may be in its way. */
static void look_at_expired(struct write *write, const struct invite *invite,
                            const struct write_context *c)
{
    if (invite_is_expired(invite, c->date) && write->delete_doubtful) {
        mark(write, CREATE_REFUSED, c);
        not_deleted(write,
                    memory_format("the expired invite is still there after its delete (%s)",
                                  error_of(write)),
                    c);
    } else if (invite_is_expired(invite, c->date)) {
        write->next = CALL_DELETE;
        write->stage = WRITE_READY;
    } else {
        not_deleted(write,
                    memory_format("the old invite %s reads %s now; the next pass decides",
                                  invite->id, invite_status_word(invite->status)),
                    c);
    }
}

static void take_retrieve(struct write *write, struct answer *answer, const struct write_context *c)
{
    if (answer->kind == ANSWER_REFUSED && answer->status == 404) {
        old_gone(write, c);
    } else if (answer->kind == ANSWER_REFUSED) {
        not_deleted(write, TAKE(write->line->error), c);
    } else if (answer->kind != ANSWER_OK) {
        repeat(write, answer, c);
    } else if (is_after_expired(write)) {
        look_at_expired(write, &answer->invite, c);
    } else if (answer->invite.status == INVITE_ACCEPTED) {
        not_deleted(write, strdup("accepted in the meantime: an accepted invite cannot be deleted"),
                    c);
    } else {
        not_deleted(
            write,
            memory_format("the invite is still there after its delete (%s)", error_of(write)), c);
    }
}

/* ---- users ----------------------------------------------------------------------------------- */

/* Why this is not the user whom the plan is about any more, or NULL. */
static const char *what_changed(const struct user *planned, const struct user *now)
{
    if (strcmp(planned->id, now->id) != 0)
        return "the service answers for another user";
    if (!now->email || address_compare(planned->email, now->email) != 0)
        return "the e-mail of the user has changed";
    if (now->role != planned->role)
        return "the role of the user has changed";
    if (now->is_service_account || now->is_scim_managed)
        return "the user is managed elsewhere";
    return NULL;
}

static void skip(struct write *write, const char *why)
{
    free(write->line->error);
    write->line->error = memory_format("%s; the next pass decides", why);
    end(write, RESULT_SKIPPED);
}

static void user_gone(struct write *write, const struct write_context *c)
{
    (void)ledger_deleted(c->ledger, write->line->user->id, c->now->boot);
    /* Whoever lets them in again has as much time to declare them as anybody. */
    ledger_unwatch(c->ledger, write->line->user->id);
    end(write, RESULT_DONE);
}

/* A look at somebody who is to be removed, right before, or after a doubtful answer. */
static void take_look_before_removal(struct write *write, const struct user *user)
{
    const char *changed = what_changed(write->line->user, user);
    if (changed) {
        skip(write, changed);
    } else if (write->user_doubtful) {
        fail(write,
             memory_format("the user is still there after the removal (%s)", error_of(write)));
    } else {
        write->next = CALL_DELETE_USER;
        write->stage = WRITE_READY;
    }
}

/* A look at somebody whose role was set, and the answer was doubtful. */
static void take_look_at_role(struct write *write, const struct user *user)
{
    if (strcmp(user->id, write->line->user->id) == 0 && user->role == write->line->role)
        end(write, RESULT_DONE);
    else
        fail(write, memory_format("the user still has the old role (%s)", error_of(write)));
}

/* No answer: look again, and only then write again; what was done already shows. */
static void repeat_for_user(struct write *write, const struct answer *answer)
{
    bool unanswered = answer->kind == ANSWER_UNAVAILABLE || answer->kind == ANSWER_LOST ||
                      answer->kind == ANSWER_UNREADABLE;
    write->failures += unanswered;
    write->user_unanswered |= unanswered && write->next != CALL_RETRIEVE_USER;
    if (write->failures >= FAILURES_MAX) {
        end_after_tries(write);
        return;
    }
    if (write->next == CALL_DELETE_USER && unanswered)
        write->next = CALL_RETRIEVE_USER;
    else
        write->held_up = write->next == CALL_DELETE_USER;
    write->stage = WRITE_READY;
}

static void take_user_answer(struct write *write, struct answer *answer,
                             const struct write_context *c)
{
    bool removes = write->line->action == ACTION_REMOVE;
    bool refused = answer->kind == ANSWER_REFUSED, look = write->next == CALL_RETRIEVE_USER;
    bool gone = refused ? removes && answer->status == 404
                        : answer->kind == ANSWER_OK && write->next == CALL_DELETE_USER;
    if (gone) {
        user_gone(write, c);
    } else if (refused && answer->status == 404) {
        skip(write, "the user is gone");
    } else if (refused && (look || is_forbidden(answer->status))) {
        end(write, RESULT_FAILED);
    } else if (refused || (answer->kind == ANSWER_UNREADABLE && !look)) {
        /* A doubtful answer: look. */
        write->user_doubtful = true;
        write->next = CALL_RETRIEVE_USER;
        write->stage = WRITE_READY;
    } else if (answer->kind != ANSWER_OK) {
        repeat_for_user(write, answer);
    } else if (removes) {
        take_look_before_removal(write, &answer->user);
    } else {
        take_look_at_role(write, &answer->user);
    }
}

/* From now on a listing lags behind what the write has done, or may have done. */
static void stamp_deposed(const struct write *write, const struct write_context *c)
{
    /* It is written down: that needs no memory. */
    if (deposes(write))
        (void)ledger_depose(c->ledger, write->line->user->id, c->now->boot,
                            write->stage != WRITE_ENDED);
}

/* ---- answers --------------------------------------------------------------------------------- */

void write_answered(struct write *write, struct answer *answer, const struct write_context *c)
{
    struct line *line = write->line;
    free(line->request_id);
    line->request_id = TAKE(answer->request_id);
    line->status = answer->status;
    if (answer->error) {
        free(line->error);
        line->error = TAKE(answer->error);
    }
    switch (write->next) {
    case CALL_CREATE:
        take_create(write, answer, c);
        break;
    case CALL_DELETE:
        take_delete(write, answer, c);
        break;
    case CALL_RETRIEVE_USER:
    case CALL_SET_ROLE:
    case CALL_DELETE_USER:
        take_user_answer(write, answer, c);
        stamp_deposed(write, c);
        break;
    case CALL_RETRIEVE:
    case CALL_LIST:
    case CALL_LIST_USERS:
        take_retrieve(write, answer, c);
        break;
    }
}

/* An accepted invite of a member who left, which shows nothing of a new one. */
static bool is_of_the_past(const struct write *write, const struct invite *invite)
{
    const struct line *line = write->line;
    return line->reason == REASON_MEMBER_LEFT && invite->status == INVITE_ACCEPTED &&
           invite->accepted_at != 0 && invite->accepted_at <= line->invite->accepted_at;
}

/* A live or accepted invite that grants what the write was to create, or NULL. */
static const struct invite *granted_now(const struct write *write, const struct write_context *c)
{
    enum role role = write->restoring ? write->wish->role : write->line->role;
    const struct projects *projects =
        write->restoring ? &write->wish->projects : write->line->projects;
    const struct invites *invites = listing_invites(c->listing);
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        bool counts = invite_is_live(invite, c->date) ||
                      (invite->status == INVITE_ACCEPTED && !is_of_the_past(write, invite));
        if (counts && is_theirs(write, c, invite) && invite_grants(invite, role, projects))
            return invite;
    }
    return NULL;
}

static void found_made(struct write *write, const struct invite *invite)
{
    note_invite(write, invite->id);
    if (write->restoring) {
        (void)ledger_lose(write->refused, NULL);
        fail(write, memory_format("the new invite was refused; the old one was restored as %s",
                                  invite->id));
        return;
    }
    end(write, RESULT_DONE);
}

static bool is_mailed_out(const struct write *write, const struct write_context *c)
{
    const struct line *line = write->line;
    const struct ledger_wish *wish =
        ledger_find(c->ledger, line->email, line->role, line->projects);
    return wish && wish->mailed > c->limits->renewals;
}

/* Whether somebody has accepted an invite of the address since the plan. */
static bool was_accepted(const struct write *write, const struct write_context *c)
{
    const struct invites *invites = listing_invites(c->listing);
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        if (invite->status == INVITE_ACCEPTED && is_theirs(write, c, invite) &&
            !is_of_the_past(write, invite))
            return true;
    }
    return false;
}

static bool is_obscure(const struct invite *invite, int64_t now)
{
    (void)now;
    return invite_is_obscure(invite);
}

static size_t count_live(const struct write *write, const struct write_context *c)
{
    const struct invites *invites = listing_invites(c->listing);
    size_t live = 0;
    for (size_t i = 0; i < invites->count; i++)
        live +=
            invite_is_live(&invites->items[i], c->date) && is_theirs(write, c, &invites->items[i]);
    return live;
}

/* It is proven that no create happened: ready it to be sent, unless things have changed. */
static void redo(struct write *write, const struct write_context *c)
{
    const struct invite *live = newest_that(write, c, invite_is_live);
    const struct member *member = write->line->member;
    bool replaces = write->line->action == ACTION_REPLACE && !write->cleared;
    if (member_standing(member, c->date) != STANDING_DECLARED) {
        fail(write, strdup("the membership ended in the meantime"));
    } else if (!write->restoring && is_mailed_out(write, c)) {
        fail(write, strdup("mailed as often as limits.renewals allows"));
    } else if (count_live(write, c) > (replaces ? 1 : 0)) {
        fail(write, strdup("another invite for this address appeared; the next pass decides"));
    } else if (was_accepted(write, c)) {
        fail(write, strdup("accepted in the meantime; the next pass decides"));
    } else if (newest_that(write, c, is_obscure)) {
        fail(write,
             strdup("an invite of an unknown status or role appeared; the next pass decides"));
    } else {
        if (live)
            write->old = live;
        else if (replaces)
            write->cleared = true;
        write->stage = WRITE_WAITING;
    }
}

void write_looked(struct write *write, const struct write_context *context)
{
    const struct invite *made = granted_now(write, context);
    if (made) {
        found_made(write, made);
    } else if (write->stage == WRITE_REFUSED) {
        end(write, RESULT_FAILED);
    } else if (ledger_is_open(context->ledger, write->line->email)) {
        end_unknown(write);
    } else {
        redo(write, context);
    }
}

static void give_up_unsent(struct write *write, const char *why, const struct write_context *c)
{
    if (write->wish && write->wish->state == CREATE_BEGUN)
        mark(write, CREATE_NONE, c);
    /* The delete was never sent: nothing was taken that could have to be restored. */
    if (write->line->action == ACTION_REPLACE && write->wish && !write->cleared &&
        write->sent_at == 0)
        (void)ledger_lose(write->wish, NULL);
    if (write->restoring)
        fail(write,
             memory_format("the new invite was refused and the old one not restored yet (%s): "
                           "the next pass restores it",
                           why));
    else if (write->cleared)
        fail(write, memory_format("the old invite is deleted and the new one not created yet (%s): "
                                  "the next pass creates it",
                                  why));
    else if ((write->next == CALL_DELETE && write->sent_at != 0) || is_user_in_doubt(write))
        end_unknown(write);
    else if (!write->cleared && is_after_expired(write) && write->next == CALL_RETRIEVE)
        fail(write, memory_format("refused while the expired invite is there, which is not deleted "
                                  "yet (%s): the next pass goes on",
                                  why));
    else if (write->line->error)
        end(write, RESULT_FAILED);
    else {
        write->line->error = memory_format("not started: %s", why);
        end(write, RESULT_SKIPPED);
    }
}

void write_give_up(struct write *write, const char *why, const struct write_context *context)
{
    enum write_stage stage = write->stage;
    switch (write->stage) {
    case WRITE_WAITING:
    case WRITE_RECORDING:
    case WRITE_READY:
        give_up_unsent(write, why, context);
        break;
    case WRITE_OPEN:
        end_unknown(write);
        break;
    case WRITE_REFUSED:
        end(write, RESULT_FAILED);
        break;
    case WRITE_IN_FLIGHT:
    case WRITE_ENDED:
        break;
    }
    if (stage == WRITE_READY || stage == WRITE_RECORDING)
        stamp_deposed(write, context);
}

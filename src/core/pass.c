/* The pass: its phases, its requests in flight, and when it gives up. */
#include "pass.h"

#include <errno.h>
#include <string.h>

#include "observe.h"
#include "writes.h"

/* So many network or 5xx failures in a row end the pass. */
#define FAILURES_MAX 5
/* So many answers of 429 in a row do. */
#define LIMITED_MAX 12
/* Longer than this the pass does not wait on the service's word; the next pass tries again. */
#define PATIENCE_USEC (UINT64_C(120) * 1000000)
/* How many creates per request slot are written down with one save. */
#define RECORD_AHEAD 4
/* And a share of a large ledger more, so that writing it whole stays in proportion to the work. */
#define RECORD_SHARE 64
/* Tags from here on are list requests; below, positions in `writes`. */
#define TAG_USERS (UINT32_MAX - 1)
#define TAG_LIST  UINT32_MAX

/* After a stop, a replacement that has deleted already waits no longer than this for its create. */
#define STOP_PATIENCE_USEC (UINT64_C(10) * 1000000)

enum phase {
    PHASE_QUIET,   /* after a damaged ledger: let what it forgot settle */
    PHASE_LIST,    /* pages */
    PHASE_PLANNED, /* say so once */
    PHASE_START,   /* the plan is to be carried out */
    PHASE_WRITE,
    PHASE_WAIT, /* until a listing is sure to show what is open */
    PHASE_LOOK, /* pages again */
    PHASE_SAVE,
    PHASE_OVER,
};

/* A listing as it comes in, page by page. */
struct reading {
    struct listing *listing;
    enum call call;
    unsigned tag;
    bool in_flight;
    uint64_t begun; /* when it was begun, on the ledger's clock */
    uint64_t page_sent_at;
};

struct pass {
    struct pass_params params;
    enum phase phase;
    enum pass_end end;
    bool failed;
    char *error;                  /* why; NULL where memory was too short even for that */
    struct reading first, second; /* of invites: for the plan, and to look again */
    struct reading users;         /* its listing is NULL where they are not listed */
    int64_t date;                 /* of the last listing of invites */
    bool date_stated;
    char *organization; /* as the listing's answers name it */
    struct plan *plan;
    bool approval_misfits;
    struct writes writes;
    unsigned in_flight;
    unsigned failures; /* in a row */
    unsigned requests, limited;
    uint64_t not_before; /* backoff after a failure */
    bool recording;      /* some writes wait for the ledger to be durable */
    bool must_save;      /* nothing may be sent before the ledger is durable */
    bool stopping;       /* asked to stop: start nothing new */
    bool closing;        /* gave up: start nothing at all */
    bool looked;         /* the second look is behind us */
};

static bool begin_reading(struct reading *reading, enum listing_kind kind)
{
    reading->listing = listing_new(kind);
    reading->call = kind == LISTING_USERS ? CALL_LIST_USERS : CALL_LIST;
    reading->tag = kind == LISTING_USERS ? TAG_USERS : TAG_LIST;
    return reading->listing;
}

struct pass *pass_new(const struct pass_params *params)
{
    struct pass *pass = calloc(1, sizeof *pass);
    if (!pass)
        return NULL;
    pass->params = *params;
    bool users = params->users_mode != USERS_OFF;
    if (!begin_reading(&pass->first, LISTING_INVITES) ||
        !begin_reading(&pass->second, LISTING_INVITES) ||
        (users && !begin_reading(&pass->users, LISTING_USERS))) {
        pass_free(pass);
        return NULL;
    }
    return pass;
}

void pass_free(struct pass *pass)
{
    writes_clear(&pass->writes);
    if (pass->plan)
        plan_free(pass->plan);
    listing_free_pointer(&pass->first.listing);
    listing_free_pointer(&pass->second.listing);
    listing_free_pointer(&pass->users.listing);
    free(pass->organization);
    free(pass->error);
    free(pass);
}

/* What the answer to a list request belongs to. */
static struct reading *reading_of(struct pass *pass, unsigned tag)
{
    if (tag == TAG_USERS)
        return &pass->users;
    return pass->phase == PHASE_LOOK ? &pass->second : &pass->first;
}

/* When the newest listing of invites was begun. */
static uint64_t begun(const struct pass *pass)
{
    return pass->second.begun != 0 ? pass->second.begun : pass->first.begun;
}

/* The service's clock now: the host's may be wrong by any amount, but runs as fast. */
static int64_t service_date(const struct pass *pass, const struct instant *now)
{
    return pass->date + (int64_t)((now->boot - begun(pass)) / 1000000);
}

static struct write_context context(struct pass *pass, const struct instant *now)
{
    return (struct write_context){
        .ledger = pass->params.ledger,
        .listing = pass->looked ? pass->second.listing : pass->first.listing,
        .limits = pass->params.limits,
        .now = now,
        .date = pass->date,
        .wall = service_date(pass, now),
        .create_only = pass->params.create_only,
    };
}

/* The pass has failed; takes over the text. What is in flight still gets its answers. */
static void fail(struct pass *pass, char *error)
{
    if (!pass->failed)
        pass->error = error;
    else
        free(error);
    pass->failed = pass->closing = true;
    if (pass->phase < PHASE_WRITE) {
        pass->phase = PHASE_OVER;
        pass->end = PASS_FAILED;
    } else if (pass->phase == PHASE_LOOK) {
        pass->phase = PHASE_WRITE;
    }
}

static void fail_memory(struct pass *pass)
{
    fail(pass, NULL);
}

void pass_stop(struct pass *pass)
{
    pass->stopping = true;
}

/* ---- listing ------------------------------------------------------------------------------- */

static bool is_other(const char *known, const char *seen)
{
    return known && seen && strcmp(known, seen) != 0;
}

/* A ledger of one organisation must not decide about another. */
static bool check_organization(struct pass *pass)
{
    const struct ledger *ledger = pass->params.ledger;
    if (is_other(ledger->organization, pass->organization))
        fail(pass, memory_format("the state directory belongs to the organisation %s, and this is "
                                 "%s: give each organisation its own --state-dir",
                                 ledger->organization, pass->organization));
    else if (is_other(ledger->base_url, pass->params.base_url))
        fail(pass, memory_format("the state directory belongs to %s, and this is %s: give each "
                                 "service its own --state-dir, or correct the base URL",
                                 ledger->base_url, pass->params.base_url));
    return !pass->failed;
}

static int adopt_organization(struct pass *pass)
{
    struct ledger *ledger = pass->params.ledger;
    if (!ledger->base_url) {
        ledger->dirty = true;
        if (memory_set(&ledger->base_url, pass->params.base_url) < 0)
            return -ENOMEM;
    }
    if (!ledger->organization && pass->organization) {
        ledger->dirty = true;
        return memory_set(&ledger->organization, pass->organization);
    }
    return 0;
}

/* Whom an old invite may be given back to: the declared, whose membership has not ended. */
static bool is_declared(const char *email, const void *context)
{
    const struct pass *pass = context;
    const struct member *member = members_find(pass->params.members, email);
    return member_standing(member, pass->date) == STANDING_DECLARED;
}

static int judge_approval(struct pass *pass)
{
    if (plan_count_blocked(pass->plan) == 0) {
        pass->approval_misfits = pass->params.approval != NULL;
        return 0;
    }
    _cleanup_free_ char *text = plan_blocked_text(pass->plan, pass->params.ledger);
    if (!text || !(pass->plan->approval = pass->params.digest(text)))
        return -ENOMEM;
    if (!pass->params.approval)
        return 0;
    if (strcmp(pass->params.approval, pass->plan->approval) == 0)
        plan_approve(pass->plan);
    else
        pass->approval_misfits = true;
    return 0;
}

static int make_plan(struct pass *pass)
{
    const struct plan_inputs inputs = {
        .members = pass->params.members,
        .listing = pass->first.listing,
        .users = pass->users.listing,
        .users_mode = pass->params.users_mode,
        .remove_after = pass->params.remove_after,
        .ledger = pass->params.ledger,
        .limits = pass->params.limits,
        .create_only = pass->params.create_only,
        .begun = pass->first.begun,
        .users_begun = pass->users.begun,
        .settle = pass->params.settle,
        .now = pass->date,
    };
    int r = plan_build(&inputs, &pass->plan);
    return r < 0 ? r : judge_approval(pass);
}

/* Whether the first listing lacks most of the live invites of the last pass. */
static bool is_doubtful(const struct pass *pass)
{
    const struct ledger *ledger = pass->params.ledger;
    const struct invites *invites = listing_invites(pass->first.listing);
    size_t live = 0;
    for (size_t i = 0; i < invites->count; i++)
        live += invite_is_live(&invites->items[i], pass->date) &&
                !ledger_hides(ledger, invites->items[i].id, begun(pass), pass->params.settle);
    return limits_vanished(ledger->live, live);
}

/* What a listing shows, the ledger takes in; from one that is not believed it learns nothing. */
static int learn(struct pass *pass)
{
    if (is_doubtful(pass))
        return 0;
    return ledger_settle(pass->params.ledger, pass->first.listing, pass->first.begun,
                         pass->params.settle, pass->date);
}

/* Whether the listing of users lacks most people of the last pass. */
static bool are_users_doubtful(const struct pass *pass)
{
    const struct users *users = listing_users(pass->users.listing);
    size_t people = 0;
    for (size_t i = 0; i < users->count; i++)
        people += !users->items[i].is_service_account;
    return limits_vanished(pass->params.ledger->people, people);
}

static int observe(struct pass *pass)
{
    /* Who was seen undeclared before may be declared now, and starts over. */
    if (!pass->users.listing)
        ledger_unwatch(pass->params.ledger, NULL);
    if (!pass->users.listing || are_users_doubtful(pass))
        return 0;
    const struct observation observation = {
        .members = pass->params.members,
        .users = pass->users.listing,
        .observer = pass->params.observer,
        .begun = pass->users.begun,
        .gap_most = pass->params.watch_gap,
        .now = pass->date,
        .counts = pass->params.users_mode == USERS_MANAGE && !pass->params.create_only,
    };
    return observe_users(pass->params.ledger, &observation);
}

static void listed(struct pass *pass)
{
    if (!check_organization(pass))
        return;
    if (adopt_organization(pass) < 0 || learn(pass) < 0 || observe(pass) < 0) {
        fail_memory(pass);
        return;
    }
    ledger_drop_losses(pass->params.ledger, pass->date, is_declared, pass);
    if (make_plan(pass) < 0) {
        fail_memory(pass);
        return;
    }
    pass->phase = PHASE_PLANNED;
}

/* The listing in hand cannot be finished: without it nothing may be decided. */
static void listing_failed(struct pass *pass, const struct reading *reading, const char *what)
{
    fail(pass, memory_format("the listing of %s is not complete, so nothing is decided from it; "
                             "try again later (page %u: %s)",
                             reading == &pass->users ? "users" : "invites",
                             listing_page_number(reading->listing), what));
}

/* Whether the second listing lacks most of the pending invites of the first that we left there. */
static bool has_vanished(const struct pass *pass)
{
    const struct invites *before = listing_invites(pass->first.listing);
    long long left = 0;
    size_t there = 0;
    for (size_t i = 0; i < before->count; i++) {
        const struct invite *invite = &before->items[i];
        /* What has expired meanwhile is still listed. */
        if (invite->status != INVITE_PENDING ||
            ledger_hides(pass->params.ledger, invite->id, begun(pass), UINT64_MAX))
            continue;
        left++;
        there += listing_find(pass->second.listing, invite->id) != NULL;
    }
    return limits_vanished(left, there);
}

static void looked(struct pass *pass, const struct instant *now)
{
    if (has_vanished(pass)) {
        listing_failed(pass, &pass->second,
                       "fewer than half of the live invites of a moment ago are in it");
        return;
    }
    if (ledger_settle(pass->params.ledger, pass->second.listing, pass->second.begun,
                      pass->params.settle, pass->date) < 0) {
        fail_memory(pass);
        return;
    }
    pass->looked = true;
    pass->phase = PHASE_WRITE;
    const struct write_context c = context(pass, now);
    for (size_t i = 0; i < pass->writes.count; i++) {
        struct write *write = &pass->writes.items[i];
        if (write->stage == WRITE_OPEN || write->stage == WRITE_REFUSED)
            write_looked(write, &c);
    }
}

/* The service does not let us list at all. */
static void listing_refused(struct pass *pass, const struct reading *reading,
                            const struct answer *answer, const char *error)
{
    bool first = !listing_cursor(reading->listing), users = reading == &pass->users;
    bool forbidden = first && (answer->status == 401 || answer->status == 403);
    bool missing =
        first && (answer->status == 404 || (answer->status >= 300 && answer->status < 400));
    if (forbidden && users)
        fail(pass, memory_format("the key may not list users (%s): give it the scope "
                                 "api.management.read, or set `users` to \"off\"",
                                 error));
    else if (forbidden)
        fail(pass, memory_format("the service refuses the key (%s): use an Admin API key with the "
                                 "scope api.management.read",
                                 error));
    else if (missing)
        fail(pass, memory_format("the service has no %s there (%s): check the base URL %s%s",
                                 users ? "users" : "invites", error, pass->params.base_url,
                                 users ? ", or set `users` to \"off\"" : ""));
    else
        listing_failed(pass, reading, error);
}

static bool is_complete(const struct reading *reading)
{
    return !reading->listing || listing_state(reading->listing) == LISTING_COMPLETE;
}

static void take_page(struct pass *pass, struct reading *reading, struct answer *answer,
                      const struct instant *now)
{
    struct listing *listing = reading->listing;
    if (reading != &pass->users && !listing_cursor(listing)) {
        pass->date_stated = answer->date != 0;
        pass->date = pass->date_stated ? answer->date : now->wall;
    }
    if (answer->organization && !pass->organization)
        pass->organization = TAKE(answer->organization);
    if (listing_take_page(listing, &answer->page) < 0) {
        fail_memory(pass);
        return;
    }
    if (listing_state(listing) == LISTING_BROKEN)
        listing_failed(pass, reading, listing_fault(listing));
    else if (reading == &pass->users && is_complete(reading) && listing_count(listing) == 0)
        listing_failed(pass, reading, "nobody is listed, and somebody has to own the organisation");
    else if (reading == &pass->second && is_complete(reading))
        looked(pass, now);
    else if (pass->phase == PHASE_LIST && is_complete(&pass->first) && is_complete(&pass->users))
        listed(pass);
}

/* `give_up`: no page can be asked for any more, for this reason, if there was memory for it. */
static void take_list(struct pass *pass, struct reading *reading, struct answer *answer,
                      bool give_up, const char *reason, const struct instant *now)
{
    struct listing *listing = reading->listing;
    const char *error = answer->error ? answer->error : "no answer";
    reading->in_flight = false;
    bool cursor_unknown = answer->kind == ANSWER_REFUSED && listing_cursor(listing) &&
                          (answer->status == 404 || answer->status == 400);
    if (is_other(pass->organization, answer->organization)) {
        /* Not even its refusals say anything about ours. */
        listing_failed(pass, reading, "two organisations answer in turn");
    } else if (answer->kind == ANSWER_OK) {
        take_page(pass, reading, answer, now);
    } else if (cursor_unknown) {
        listing_cursor_died(listing);
        if (listing_state(listing) == LISTING_BROKEN)
            listing_failed(pass, reading, listing_fault(listing));
    } else if (answer->kind == ANSWER_REFUSED) {
        listing_refused(pass, reading, answer, error);
    } else if (give_up && answer->kind == ANSWER_UNSENT && !listing_cursor(listing)) {
        fail(pass, memory_format("the service cannot be reached: check the base URL %s, the "
                                 "network and the certificate (%s)",
                                 pass->params.base_url, reason ? reason : error));
    } else if (give_up || answer->hopeless) {
        listing_failed(pass, reading, reason ? reason : error);
    }
}

static struct pass_step send_list(struct reading *reading, const struct instant *now)
{
    const char *cursor = listing_cursor(reading->listing);
    /* A listing that starts over is a new listing: it is begun now. */
    if (!cursor)
        reading->begun = now->boot;
    reading->page_sent_at = now->boot;
    reading->in_flight = true;
    return (struct pass_step){
        .want = PASS_WANTS_REQUEST,
        .request = {.call = reading->call, .tag = reading->tag, .cursor = cursor},
    };
}

/* ---- pacing -------------------------------------------------------------------------------- */

static struct pass_step wait_until(uint64_t until)
{
    return (struct pass_step){.want = PASS_WANTS_TIME, .until = until};
}

/* When the next request of any kind may go out. */
static uint64_t ready_at(const struct pass *pass)
{
    uint64_t paced = pace_ready_at(pass->params.pace);
    return paced > pass->not_before ? paced : pass->not_before;
}

static struct pass_step sent(struct pass *pass, struct pass_step step, const struct instant *now)
{
    pace_sent(pass->params.pace, now->boot);
    pass->in_flight++;
    pass->requests++;
    return step;
}

static void count_failure(struct pass *pass, const struct answer *answer, const struct instant *now)
{
    pass->failures++;
    uint64_t wait = pace_backoff(pass->params.pace, pass->failures);
    if (answer->retry_after != PACE_NEVER && answer->retry_after > wait)
        wait = answer->retry_after < PATIENCE_USEC ? answer->retry_after : PATIENCE_USEC;
    pass->not_before = now->boot + wait;
}

/* Keeps count of failures and brakes, whatever the request was. */
static void weigh(struct pass *pass, const struct answer *answer, uint64_t sent_at,
                  const struct instant *now)
{
    switch (answer->kind) {
    case ANSWER_OK:
    case ANSWER_REFUSED:
        pass->failures = 0;
        pace_passed(pass->params.pace, sent_at, now->boot);
        break;
    case ANSWER_LIMITED:
        pass->limited++;
        pace_limited(pass->params.pace, sent_at, now->boot, answer->retry_after);
        break;
    case ANSWER_UNREADABLE:
    case ANSWER_UNAVAILABLE:
    case ANSWER_LOST:
    case ANSWER_UNSENT:
        count_failure(pass, answer, now);
        break;
    }
}

/*
 * Whether the whole pass cannot go on after this answer. *ret_reason says why, as a text the caller
 * owns; NULL if it can, or if memory is short.
 */
static bool must_give_up(const struct pass *pass, const struct answer *answer, enum call call,
                         char **ret_reason)
{
    const char *error = answer->error ? answer->error : "no answer";
    bool write = call_writes(call);
    bool limited = answer->kind == ANSWER_LIMITED;
    *ret_reason = NULL;
    if (write && (answer->status == 401 || answer->status == 403))
        *ret_reason = memory_format(
            "the key may not write, it needs the scope api.management.write: %s", error);
    else if (pass->failures >= FAILURES_MAX)
        *ret_reason = memory_format("%u failures in a row, the last: %s", pass->failures, error);
    else if (limited && answer->hopeless)
        *ret_reason = memory_format("the service says that waiting will not help: %s", error);
    else if (limited && answer->retry_after != PACE_NEVER && answer->retry_after > PATIENCE_USEC)
        *ret_reason = memory_format("the service asks to wait %llu s: %s",
                                    (unsigned long long)(answer->retry_after / 1000000), error);
    else if (limited && pass->params.pace->limited > LIMITED_MAX)
        *ret_reason = memory_format("the service's rate limit does not lift: %s", error);
    else
        return false;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void start_writing(struct pass *pass)
{
    struct plan *plan = pass->plan;
    struct ledger *ledger = pass->params.ledger;
    bool vanished = false;
    for (size_t i = 0; i < plan->lines.count; i++)
        vanished = vanished ||
                   (plan->lines.items[i].blocked_by & (LIMIT_VANISHED | LIMIT_USERS_VANISHED)) != 0;
    /* What was not believed must not become the measure for the next listing. */
    if (!vanished && ledger->live != (long long)plan->listed) {
        ledger->live = (long long)plan->listed;
        ledger->dirty = true;
    }
    if (pass->users.listing && !vanished && ledger->people != (long long)plan->people) {
        ledger->people = (long long)plan->people;
        ledger->dirty = true;
    }
    if (ledger->suspect) {
        ledger->suspect = false;
        ledger->dirty = true;
    }
    if (plan->approved) {
        ledger->dirty = true;
        ledger->approvals_used++;
        pass->must_save = true;
    }
    pass->must_save = pass->must_save || (ledger->owes_save && !plan_in_sync(plan));
    pass->phase = PHASE_WRITE;
    if (writes_init(&pass->writes, plan) < 0)
        fail_memory(pass);
}

/* Begins as many waiting writes as one save is worth. */
static void begin_some(struct pass *pass, const struct instant *now)
{
    const struct write_context c = context(pass, now);
    size_t most =
        pass->params.concurrency * RECORD_AHEAD + pass->params.ledger->wish_count / RECORD_SHARE;
    for (size_t n = 0; n < most; n++) {
        struct write *write = writes_pick(&pass->writes, pass->stopping);
        if (!write || write->stage != WRITE_WAITING)
            return;
        /* Needing no save, it would overtake those that wait for one. */
        if (pass->recording && !action_mails(write->line->action))
            return;
        if (write_begin(write, &c) < 0) {
            fail_memory(pass);
            return;
        }
        if (write->stage == WRITE_READY)
            return;
        pass->recording = true;
    }
}

static void give_up_rest(struct pass *pass, const struct instant *now)
{
    const struct write_context c = context(pass, now);
    const char *why = pass->failed ? pass_error(pass) : "stopped by a signal";
    for (size_t i = 0; i < pass->writes.count; i++)
        write_give_up(&pass->writes.items[i], why, &c);
}

static bool wants_look(const struct pass *pass)
{
    if (pass->looked || pass->closing || pass->stopping)
        return false;
    for (size_t i = pass->writes.ended; i < pass->writes.count; i++) {
        enum write_stage stage = pass->writes.items[i].stage;
        if (stage == WRITE_OPEN || stage == WRITE_REFUSED)
            return true;
    }
    return false;
}

/* When a listing shows for sure whether the open creates happened. */
static uint64_t look_at(const struct pass *pass)
{
    const struct ledger *ledger = pass->params.ledger;
    uint64_t at = 0;
    for (size_t i = 0; i < ledger->wish_count; i++) {
        const struct ledger_wish *wish = ledger->wishes[i];
        if (wish->state == CREATE_UNKNOWN && at < wish->at + pass->params.settle)
            at = wish->at + pass->params.settle;
    }
    return at;
}

static void finish(struct pass *pass, const struct instant *now)
{
    struct ledger *ledger = pass->params.ledger;
    give_up_rest(pass, now);
    /* What we took away ourselves has not vanished. */
    for (size_t i = 0; i < pass->writes.count; i++) {
        const struct line *line = pass->writes.items[i].line;
        if (line->action == ACTION_REVOKE && line->result == RESULT_DONE && ledger->live > 0)
            ledger->live--;
        if (line->action == ACTION_REMOVE && line->result == RESULT_DONE && ledger->people > 0)
            ledger->people--;
    }
    /* The earlier of two clocks: a host whose clock has jumped ahead forgets nothing. */
    int64_t wall = now->wall < pass->date ? now->wall : pass->date;
    ledger_forget(ledger, now->boot, pass->params.settle, wall);
    pass->end = pass->failed ? PASS_FAILED : pass->stopping ? PASS_STOPPED : PASS_DONE;
    pass->phase = PHASE_SAVE;
}

/* The brake is on. A stop does not wait for ever. */
static struct pass_step wait_to_write(struct pass *pass, const struct instant *now)
{
    uint64_t until = ready_at(pass);
    /* The pace alone, uneven as it is, would not make it wait so long. */
    if (until - now->boot > 2 * pass->params.pace->interval)
        writes_hold_up(&pass->writes);
    if (pass->stopping && until - now->boot > STOP_PATIENCE_USEC) {
        pass->closing = true;
        return pass_next(pass, now);
    }
    return wait_until(until);
}

static struct pass_step send_write(struct pass *pass, struct write *write,
                                   const struct instant *now)
{
    if (now->boot < ready_at(pass))
        return wait_to_write(pass, now);
    write_freshen(write, now->boot);
    if (write->stage == WRITE_ENDED)
        return pass_next(pass, now);
    write->stage = WRITE_IN_FLIGHT;
    write->sent_at = now->boot;
    unsigned tag = (unsigned)(write - pass->writes.items);
    struct pass_step step = {.want = PASS_WANTS_REQUEST, .request = write_request(write, tag)};
    return sent(pass, step, now);
}

static struct pass_step next_write(struct pass *pass, const struct instant *now)
{
    if (pass->must_save)
        return (struct pass_step){.want = PASS_WANTS_SAVE};
    struct write *write = pass->closing ? NULL : writes_pick(&pass->writes, pass->stopping);
    bool ready = write && write->stage == WRITE_READY;
    if (pass->in_flight < pass->params.concurrency) {
        if (ready)
            return send_write(pass, write, now);
        /* One save for all that wait for it, once nothing else can be sent. */
        if (pass->recording && !pass->closing)
            return (struct pass_step){.want = PASS_WANTS_SAVE};
        if (write) {
            begin_some(pass, now);
            return pass_next(pass, now);
        }
    }
    if (pass->in_flight > 0)
        return wait_until(PACE_NEVER);
    if (wants_look(pass))
        pass->phase = PHASE_WAIT;
    else
        finish(pass, now);
    return pass_next(pass, now);
}

static void take_write(struct pass *pass, struct answer *answer, const struct instant *now)
{
    struct write *write = &pass->writes.items[answer->tag];
    enum call call = write->next;
    const struct write_context c = context(pass, now);
    char *reason;
    bool give_up = must_give_up(pass, answer, call, &reason);
    int answer_status = answer->status;
    write_answered(write, answer, &c);
    pass->recording |= write->stage == WRITE_RECORDING;
    if (give_up) {
        bool forbidden = answer_status == 401 || answer_status == 403;
        fail(pass, memory_format("no further write was begun; %s (%s)",
                                 forbidden ? "use a key that may write" : "try again later",
                                 reason ? reason : "out of memory"));
        free(reason);
    }
}

void pass_answer(struct pass *pass, struct answer *answer, const struct instant *now)
{
    pass->in_flight--;
    if (pass->phase == PHASE_OVER) {
        /* To a listing that was under way at a stop. */
        answer_clear(answer);
        return;
    }
    if (answer->tag >= TAG_USERS) {
        struct reading *reading = reading_of(pass, answer->tag);
        weigh(pass, answer, reading->page_sent_at, now);
        char *reason;
        bool give_up = must_give_up(pass, answer, reading->call, &reason);
        take_list(pass, reading, answer, give_up, reason, now);
        free(reason);
    } else {
        weigh(pass, answer, pass->writes.items[answer->tag].sent_at, now);
        take_write(pass, answer, now);
    }
    answer_clear(answer);
}

void pass_saved(struct pass *pass, int result)
{
    pass->must_save = pass->recording = false;
    if (result < 0) {
        fail(pass, memory_format("the state directory cannot be written (%s): nothing is sent that "
                                 "could not be remembered; free space or check its permissions",
                                 strerror(-result)));
    }
    pass->params.ledger->dirty = pass->params.ledger->owes_save = result < 0;
    for (size_t i = pass->writes.ended; i < pass->writes.count; i++) {
        struct write *write = &pass->writes.items[i];
        if (write->stage == WRITE_RECORDING && result >= 0)
            write->stage = WRITE_READY;
    }
    if (pass->phase == PHASE_SAVE) {
        pass->phase = PHASE_OVER;
        if (result < 0)
            pass->end = PASS_FAILED;
    }
}

/* ---- the machine --------------------------------------------------------------------------- */

static struct pass_step next_quiet(struct pass *pass, const struct instant *now)
{
    const struct ledger *ledger = pass->params.ledger;
    uint64_t until = ledger->suspect ? ledger->suspect_at + pass->params.settle : 0;
    if (now->boot < until)
        return wait_until(until);
    pass->phase = PHASE_LIST;
    return pass_next(pass, now);
}

/* The listing that wants a page and has none on its way, or NULL. */
static struct reading *hungry(struct pass *pass)
{
    struct reading *readings[] = {&pass->first, &pass->users, &pass->second};
    size_t from = pass->phase == PHASE_LOOK ? 2 : 0, to = pass->phase == PHASE_LOOK ? 3 : 2;
    for (size_t i = from; i < to; i++)
        if (!is_complete(readings[i]) && !readings[i]->in_flight)
            return readings[i];
    return NULL;
}

static struct pass_step next_page(struct pass *pass, const struct instant *now)
{
    struct reading *reading = hungry(pass);
    if (!reading || pass->in_flight >= pass->params.concurrency)
        return wait_until(PACE_NEVER);
    uint64_t ready = ready_at(pass);
    if (ready > now->boot + PATIENCE_USEC) {
        listing_failed(pass, reading, "the service has asked for a longer pause");
        return pass_next(pass, now);
    }
    if (now->boot < ready)
        return wait_until(ready);
    return sent(pass, send_list(reading, now), now);
}

/* A stop takes effect at once where no write is under way. */
static bool stopped_early(struct pass *pass)
{
    if (!pass->stopping)
        return false;
    if (pass->phase < PHASE_WRITE) {
        pass->end = PASS_STOPPED;
        pass->phase = PHASE_OVER;
    } else if (pass->phase == PHASE_WAIT || (pass->phase == PHASE_LOOK && pass->in_flight == 0)) {
        pass->phase = PHASE_WRITE;
    }
    return pass->phase == PHASE_OVER;
}

struct pass_step pass_next(struct pass *pass, const struct instant *now)
{
    if (stopped_early(pass))
        return (struct pass_step){.want = PASS_ENDED};
    switch (pass->phase) {
    case PHASE_QUIET:
        return next_quiet(pass, now);
    case PHASE_LIST:
    case PHASE_LOOK:
        return next_page(pass, now);
    case PHASE_PLANNED:
        pass->phase = PHASE_START;
        return (struct pass_step){.want = PASS_PLANNED};
    case PHASE_START:
        start_writing(pass);
        return pass_next(pass, now);
    case PHASE_WRITE:
        return next_write(pass, now);
    case PHASE_WAIT:
        if (now->boot < look_at(pass))
            return wait_until(look_at(pass));
        pass->phase = PHASE_LOOK;
        return pass_next(pass, now);
    case PHASE_SAVE:
        if (pass->params.ledger->dirty)
            return (struct pass_step){.want = PASS_WANTS_SAVE};
        pass->phase = PHASE_OVER;
        break;
    case PHASE_OVER:
        break;
    }
    return (struct pass_step){.want = PASS_ENDED};
}

enum pass_end pass_end(const struct pass *pass)
{
    return pass->phase == PHASE_OVER ? pass->end : PASS_GOING_ON;
}

const char *pass_error(const struct pass *pass)
{
    return pass->failed && !pass->error ? "out of memory" : pass->error;
}

const struct plan *pass_plan(const struct pass *pass)
{
    return pass->plan;
}

const struct listing *pass_listing(const struct pass *pass)
{
    return pass->first.listing;
}

const struct listing *pass_users(const struct pass *pass)
{
    return pass->users.listing;
}

int64_t pass_date(const struct pass *pass, bool *ret_stated)
{
    *ret_stated = pass->date_stated;
    return pass->date;
}

unsigned pass_requests(const struct pass *pass)
{
    return pass->requests;
}

unsigned pass_limited(const struct pass *pass)
{
    return pass->limited;
}

bool pass_approval_misfits(const struct pass *pass)
{
    return pass->approval_misfits;
}

const struct line *pass_line(const struct pass *pass, unsigned tag)
{
    return tag < pass->writes.count ? pass->writes.items[tag].line : NULL;
}

const char *pass_waits_for(const struct pass *pass)
{
    if (pass->phase == PHASE_QUIET || pass->phase == PHASE_WAIT)
        return "for the listing to settle";
    return pass->failures > 0 ? "to try again after a failure" : "as the rate limit asks";
}

size_t pass_writes_open(const struct pass *pass)
{
    size_t open = 0;
    for (size_t i = 0; i < pass->writes.count; i++)
        open += pass->writes.items[i].stage != WRITE_ENDED;
    return open;
}

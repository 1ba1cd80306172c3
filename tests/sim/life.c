/* Driving the product's pass through a life. */
#include "life.h"

#include <stdio.h>
#include <string.h>

#include "codec/digest.h"
#include "codec/ledgertext.h"
#include "hands.h"

#define STEPS_MAX    20000
#define SETTLE       (60 * SIM_SECOND)
#define TIMEOUT      (30 * SIM_SECOND)
#define TRIGGERS_MAX 32
#define NO_FAULT     FAULT_COUNT

/* A request on its way, at the service, or on its way back. */
struct flight {
    struct request request; /* with texts of its own */
    struct projects projects;
    enum fault_kind fault;
    uint64_t sent_at, effect_at, due;
    unsigned epoch;      /* of the ledger that knows of it */
    bool served, orphan; /* orphan: the process that sent it is dead */
    struct answer answer;
};

struct life {
    struct life_options options;
    struct tally *tally;
    struct chance chance;
    struct org org;
    struct people people;
    struct watch watch;

    struct ledger *ledger, *durable;
    struct limits limits;
    struct pace pace;
    struct pass *pass;
    struct pass_params params;
    int64_t skew;       /* of the host's wall clock, seconds */
    uint64_t boot_base; /* when the host was booted */
    unsigned boots, processes;
    char *observer;    /* of a daemon; NULL: each pass is a process of its own */
    uint64_t interval; /* between its passes */
    uint64_t latency_least, latency_most;
    bool may_skew; /* else answers may lack a Date */
    char *approval, *last_approval, *used_approval;
    bool used_lately;         /* in the last pass */
    unsigned seen, last_seen; /* limits that were exceeded where they were shown */

    struct flight *flights;
    size_t flight_count;
    unsigned triggers[TRIGGERS_MAX]; /* requests of this pass that something strikes */
    size_t trigger_count, next_trigger;
    unsigned requests, struck;
    unsigned steps, kill_at;
    bool disk_full, calm;
    bool demoted; /* an owner was made a reader in this pass */
    bool hurried; /* this pass comes right after the one before, and nothing strikes it */
};

/* ---- telling ------------------------------------------------------------------------------- */

static void tell(const struct life *life, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void tell(const struct life *life, const char *format, ...)
{
    if (!life->options.trace)
        return;
    printf("%10.3f  ", (double)life->org.now / SIM_SECOND);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static const char *about(const struct request *request)
{
    if (request->call == CALL_CREATE)
        return request->email;
    if (request->call == CALL_LIST || request->call == CALL_LIST_USERS)
        return request->cursor ? request->cursor : "from the top";
    return request->user_id ? request->user_id : request->invite_id;
}

static void tell_user(const struct life *life, const struct user *user)
{
    tell(life, "       %s %s %s%s%s", user->id, user->email ? user->email : "(no e-mail)",
         role_word(user->role), user->is_service_account ? " service" : "",
         user->is_scim_managed ? " scim" : "");
}

static void tell_answer(const struct life *life, const struct flight *flight)
{
    static const char *const words[] = {"ok",          "unreadable", "refused", "limited",
                                        "unavailable", "lost",       "unsent"};
    const struct answer *answer = &flight->answer;
    tell(life, "  <- %s %s: %s %d%s%s%s", call_word(flight->request.call), about(&flight->request),
         words[answer->kind], answer->status, answer->invite.id ? " " : "",
         answer->invite.id ? answer->invite.id : "", answer->page.has_more ? " (more)" : "");
    for (size_t i = 0; i < answer->page.users.count; i++)
        tell_user(life, &answer->page.users.items[i]);
    if (answer->user.id)
        tell_user(life, &answer->user);
    for (size_t i = 0; i < answer->page.invites.count; i++) {
        const struct invite *invite = &answer->page.invites.items[i];
        tell(life, "       %s %s %s %s%s", invite->id, invite->email, role_word(invite->role),
             invite_status_word(invite->status), invite->expires_at ? "" : " for ever");
    }
}

static void tell_plan(const struct life *life)
{
    const struct plan *plan = pass_plan(life->pass);
    for (size_t i = 0; life->options.trace && plan && i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        if (line->action != ACTION_KEEP)
            tell(life, "     %s %s %s %s%s%s%s%s", action_word(line->action), line->email,
                 reason_word(line->reason),
                 line->invite ? line->invite->id
                 : line->user ? line->user->id
                              : "-",
                 line->held ? " held" : "", line->blocked_by ? " blocked " : " ",
                 result_word(line->result), line->error ? line->error : "");
    }
}

/* ---- clocks and disk ----------------------------------------------------------------------- */

static struct instant now(const struct life *life)
{
    return (struct instant){.boot = life->org.now - life->boot_base,
                            .wall = org_date(&life->org) + life->skew};
}

/* Through the text that the product stores, and back as a restart would read it. */
static struct ledger *stored(struct life *life, const struct ledger *ledger)
{
    _cleanup_free_ char *text = ledgertext_write(ledger), *error = NULL;
    struct ledger *copy = NULL;
    if (!text || ledgertext_read(text, strlen(text), &copy, &error) < 0) {
        watch_violated(&life->watch, "the stored ledger cannot be read: %s", error ? error : "");
        copy = ledger_new();
    }
    return copy;
}

static void save(struct life *life)
{
    bool fails = life->disk_full;
    life->disk_full = false;
    tell(life, "save%s", fails ? " fails" : "");
    if (!fails) {
        ledger_free(life->durable);
        life->durable = stored(life, life->ledger);
        life->watch.durable = life->durable;
        watch_saved(&life->watch);
    }
    life->watch.unsaved = life->watch.unsaved || fails;
    life->watch.unstored = life->watch.unstored || fails;
    pass_saved(life->pass, fails ? -28 : 0);
}

static void adopt(struct life *life)
{
    _cleanup_free_ char *boot = memory_format("boot-%u", life->boots);
    if (ledger_adopt(life->ledger, boot, now(life).boot) < 0)
        abort();
}

/* ---- faults -------------------------------------------------------------------------------- */

static void count_fault(struct life *life, enum fault_kind kind)
{
    life->tally->faults[kind]++;
    life->struck++;
}

/* Something happens to an invite or a user, or to the host. Whether it could. */
static bool strike_world(struct life *life, enum fault_kind kind)
{
    const char *whom = NULL;
    switch (kind) {
    case FAULT_CLOCK_JUMP:
        if (!life->may_skew)
            return false;
        life->skew = (int64_t)chance_below(&life->chance, 600000) - 300000;
        break;
    case FAULT_STOPPED:
        pass_stop(life->pass);
        life->watch.stopped = true;
        break;
    case FAULT_DISK_FULL:
        life->disk_full = true;
        break;
    default:
        whom = hands_strike(kind, &life->people, &life->org);
        if (!whom)
            return false;
    }
    tell(life, "** %s%s%s", fault_word(kind), whom ? ": " : "", whom ? whom : "");
    return true;
}

/* Live invites that the next listing ought to show, as far as the product can know. */
static long long expected_live(const struct life *life)
{
    return (long long)life->ledger->live - (long long)life->watch.revoked_count;
}

static bool fits_listing(const struct life *life, enum fault_kind kind,
                         const struct request *request)
{
    bool users = request->call == CALL_LIST_USERS;
    if (request->call != CALL_LIST && !users)
        return false;
    switch (kind) {
    case FAULT_CURSOR_VANISHES:
    case FAULT_PAGE_REPEATED:
        return request->cursor != NULL;
    case FAULT_LISTING_SHRINKS:
        return !users && !request->cursor && expected_live(life) >= LIMIT_SHARE_LEAST;
    case FAULT_USERS_SHRINK:
        return users && !request->cursor && life->ledger->people >= LIMIT_SHARE_LEAST;
    case FAULT_USERS_FORBIDDEN:
        return users && !request->cursor;
    case FAULT_NO_DATE:
        return !life->may_skew;
    case FAULT_OTHER_ORGANIZATION:
        return request->cursor || life->ledger->organization;
    default:
        return true;
    }
}

static bool fits(const struct life *life, enum fault_kind kind, const struct request *request)
{
    if (kind < FAULT_FIRST_LISTING)
        return kind != FAULT_FORBIDDEN || chance_one_in(&((struct life *)life)->chance, 4);
    if (kind == FAULT_NOT_AS_SENT)
        return request->call == CALL_CREATE;
    if (kind == FAULT_USER_CHANGES)
        return request->call == CALL_RETRIEVE_USER;
    return fits_listing(life, kind, request);
}

/* Calls about users are few and come late in a pass: they get faults of their own. */
static enum fault_kind strike_user_call(struct life *life, enum call call)
{
    bool look = call == CALL_RETRIEVE_USER;
    if ((!look && call != CALL_SET_ROLE && call != CALL_DELETE_USER) ||
        !chance_one_in(&life->chance, 3))
        return NO_FAULT;
    enum fault_kind kind = look && chance_one_in(&life->chance, 2)
                               ? FAULT_USER_CHANGES
                               : (enum fault_kind)chance_below(&life->chance, FAULT_FORBIDDEN);
    tell(life, "** %s", fault_word(kind));
    count_fault(life, kind);
    return kind;
}

/* The worst moments are few, and have their faults more often than chance would have it. */
static enum fault_kind strike_at_worst(struct life *life, const struct request *request)
{
    bool first =
        (request->call == CALL_LIST || request->call == CALL_LIST_USERS) && !request->cursor;
    enum fault_kind kind = request->call == CALL_LIST ? FAULT_LISTING_SHRINKS : FAULT_USERS_SHRINK;
    /* What was approved and not done may be approved again. */
    if (life->watch.lifted && call_writes(request->call) && chance_one_in(&life->chance, 2)) {
        count_fault(life, FAULT_UNAVAILABLE_BEFORE);
        return FAULT_UNAVAILABLE_BEFORE;
    }
    if (!first || !(life->approval || pass_plan(life->pass)))
        return strike_user_call(life, request->call);
    if (!chance_one_in(&life->chance, 6) || !fits(life, kind, request))
        return NO_FAULT;
    tell(life, "** %s", fault_word(kind));
    count_fault(life, kind);
    return kind;
}

/* What strikes this request itself; the world is struck at once. */
static enum fault_kind strike(struct life *life, const struct request *request)
{
    enum fault_kind chosen = NO_FAULT;
    life->requests++;
    while (life->next_trigger < life->trigger_count &&
           life->triggers[life->next_trigger] <= life->requests) {
        enum fault_kind kind = (enum fault_kind)chance_below(&life->chance, FAULT_KILLED);
        if (kind >= FAULT_FIRST_EVENT) {
            if (!strike_world(life, kind))
                continue;
        } else if (chosen == NO_FAULT && fits(life, kind, request)) {
            chosen = kind;
            tell(life, "** %s", fault_word(kind));
        } else {
            continue;
        }
        count_fault(life, kind);
        life->next_trigger++;
    }
    if (chosen == NO_FAULT && life->trigger_count > 0)
        chosen = strike_at_worst(life, request);
    life->tally->struck[request->call] += chosen != NO_FAULT;
    return chosen;
}

static void draw_triggers(struct life *life)
{
    life->trigger_count = life->next_trigger = 0;
    life->requests = life->struck = life->kill_at = 0;
    life->demoted = false;
    life->disk_full = false;
    bool hurried = life->hurried;
    life->hurried = false;
    if (life->calm || hurried)
        return;
    /* Early more often than late: a pass may be short. */
    uint64_t span = chance_between(&life->chance, 1, 30);
    for (unsigned i = 0; i < life->options.faults && i < TRIGGERS_MAX; i++)
        life->triggers[life->trigger_count++] =
            (unsigned)(i < 3 ? chance_between(&life->chance, 1, 1 + span / 4)
                             : chance_between(&life->chance, 1, span));
    for (size_t i = 1; i < life->trigger_count; i++)
        for (size_t j = i; j > 0 && life->triggers[j] < life->triggers[j - 1]; j--) {
            unsigned swapped = life->triggers[j];
            life->triggers[j] = life->triggers[j - 1];
            life->triggers[j - 1] = swapped;
        }
    if (chance_one_in(&life->chance, 4))
        life->kill_at = (unsigned)chance_between(&life->chance, 1, 80);
}

/* ---- the way to the service and back ------------------------------------------------------- */

static void flight_clear(struct flight *flight)
{
    free((char *)flight->request.cursor);
    free((char *)flight->request.invite_id);
    free((char *)flight->request.user_id);
    free((char *)flight->request.email);
    projects_clear(&flight->projects);
    answer_clear(&flight->answer);
}

static char *copied(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void send(struct life *life, const struct request *request)
{
    tell(life, "-> %s %s%s%s", call_word(request->call), about(request),
         request->role != ROLE_UNKNOWN ? " " : "",
         request->role != ROLE_UNKNOWN ? role_word(request->role) : "");
    watch_request(&life->watch, request);
    struct flight flight = {
        .request = *request, .fault = strike(life, request), .sent_at = life->org.now};
    flight.epoch = life->org.epoch;
    flight.request.cursor = copied(request->cursor);
    flight.request.invite_id = copied(request->invite_id);
    flight.request.user_id = copied(request->user_id);
    flight.request.email = copied(request->email);
    if (request->projects && projects_copy(request->projects, &flight.projects) < 0)
        abort();
    uint64_t latency = chance_between(&life->chance, life->latency_least, life->latency_most);
    flight.effect_at = life->org.now + latency / 2;
    flight.due = life->org.now + latency;
    if (flight.fault == FAULT_HANG) {
        flight.effect_at = life->org.now + chance_below(&life->chance, 5 * SIM_SECOND);
        flight.due = life->org.now + TIMEOUT;
    } else if (flight.fault == FAULT_SLOW || flight.fault == FAULT_LOST_BEFORE) {
        flight.due += chance_below(&life->chance, TIMEOUT - latency);
    }
    if (RESERVE(life->flights, life->flight_count) < 0)
        abort();
    life->flights[life->flight_count++] = flight;
    life->tally->requests++;
    life->tally->calls[request->call]++;
}

static void answer_as(struct flight *flight, enum answer_kind kind, int status)
{
    answer_clear(&flight->answer);
    flight->answer =
        (struct answer){.kind = kind,
                        .status = status,
                        .error = memory_format("%s", kind == ANSWER_LOST ? "connection lost"
                                                                         : "as the fault has it")};
}

static void serve(struct life *life, struct flight *flight)
{
    size_t mails = life->org.mail_count;
    struct request request = flight->request;
    request.projects = &flight->projects;
    if (flight->fault == FAULT_PAGE_REPEATED)
        request.cursor = NULL;
    org_serve(&life->org, &request, &flight->answer);
    bool done = flight->answer.kind == ANSWER_OK;
    life->demoted =
        life->demoted || (done && request.call == CALL_SET_ROLE && request.role == ROLE_READER);
    life->tally->roles_set += done && request.call == CALL_SET_ROLE;
    life->tally->removals += done && request.call == CALL_DELETE_USER;
    life->tally->calm_removals += done && request.call == CALL_DELETE_USER && life->calm;
    if (life->org.mail_count > mails) {
        life->org.mails[mails].epoch = flight->epoch;
        tell(life, "     mail to %s", request.email);
        watch_mail(&life->watch);
        life->tally->mails++;
    }
}

/* A page that cannot be true: fewer than half of the live invites of before. */
static void shrink(struct life *life, struct flight *flight)
{
    struct page *page = &flight->answer.page;
    /* Writes that were answered meanwhile may have left fewer than can vanish. */
    if (expected_live(life) < LIMIT_SHARE_LEAST)
        return;
    size_t most = chance_below(&life->chance, (uint64_t)(expected_live(life) + 1) / 2);
    while (page->invites.count > most)
        invite_clear(&page->invites.items[--page->invites.count]);
    page->has_more = false;
    life->watch.shrunk = true;
}

/* A page that cannot be true: fewer than half of the people of before. */
static void shrink_users(struct life *life, struct flight *flight)
{
    struct page *page = &flight->answer.page;
    long long before = life->ledger->people;
    if (before < LIMIT_SHARE_LEAST)
        return;
    size_t most = 1 + chance_below(&life->chance, (uint64_t)(before - 1) / 2);
    while (page->users.count > most)
        user_clear(&page->users.items[--page->users.count]);
    page->has_more = false;
    life->watch.users.shrunk = true;
}

static void vanish(struct life *life, const char *cursor)
{
    for (size_t i = 0; i < life->org.user_count; i++) {
        struct org_user *user = &life->org.users[i];
        if (strcmp(user->user.id, cursor) != 0)
            continue;
        if (user->gone_at == SIM_NEVER)
            org_remove_user(&life->org, user);
        user->hides_at = life->org.now;
    }
    for (size_t i = 0; i < life->org.count; i++) {
        struct org_invite *invite = &life->org.invites[i];
        if (strcmp(invite->invite.id, cursor) != 0)
            continue;
        if (invite->gone_at == SIM_NEVER)
            org_remove(&life->org, invite, HAND_OTHER);
        invite->hides_at = life->org.now;
    }
}

static void alter(struct life *life)
{
    struct org_invite *made = &life->org.invites[life->org.count - 1];
    made->invite.role = made->invite.role == ROLE_OWNER ? ROLE_READER : ROLE_OWNER;
}

/* The user is changed by another hand just before somebody looks. */
static void change_user(struct life *life, const char *id)
{
    struct org_user *user = org_find_user(&life->org, id);
    if (user)
        hands_change_user(&life->people, &life->org, user);
}

/* A refusal that means nothing; a 404 would mean that what was asked for is gone. */
static int draw_refusal(struct life *life, enum call call)
{
    static const int refusals[] = {400, 409, 422, 404};
    bool by_id = call != CALL_CREATE && call != CALL_LIST && call != CALL_LIST_USERS;
    return refusals[chance_below(&life->chance, by_id ? 3 : 4)];
}

/* What the fault makes of a page of a listing. */
static void serve_faulty_page(struct life *life, struct flight *flight)
{
    bool users = flight->request.call == CALL_LIST_USERS;
    if (flight->fault == FAULT_CURSOR_VANISHES)
        vanish(life, flight->request.cursor);
    serve(life, flight);
    if (flight->fault == FAULT_LISTING_SHRINKS)
        shrink(life, flight);
    else if (flight->fault == FAULT_USERS_SHRINK)
        shrink_users(life, flight);
    else if (flight->fault == FAULT_OTHER_ORGANIZATION && users)
        life->watch.users.of_another = true;
    else if (flight->fault == FAULT_OTHER_ORGANIZATION)
        life->watch.of_another = true;
}

/* What the fault makes of the request and its answer. */
static void serve_faulty(struct life *life, struct flight *flight)
{
    static const int failures[] = {500, 502, 503, 408};
    uint64_t draw = chance_below(&life->chance, 4);
    switch (flight->fault) {
    case FAULT_LOST_BEFORE:
        answer_as(flight, ANSWER_LOST, 0);
        break;
    case FAULT_LOST_AFTER:
    case FAULT_HANG:
        serve(life, flight);
        answer_as(flight, ANSWER_LOST, 0);
        break;
    case FAULT_UNSENT:
        answer_as(flight, ANSWER_UNSENT, 0);
        break;
    case FAULT_UNAVAILABLE_BEFORE:
    case FAULT_PAGE_FAILS:
        answer_as(flight, ANSWER_UNAVAILABLE, failures[draw]);
        break;
    case FAULT_UNAVAILABLE_AFTER:
        serve(life, flight);
        answer_as(flight, ANSWER_UNAVAILABLE, 504);
        break;
    case FAULT_UNREADABLE:
        serve(life, flight);
        /* A refusal stays one, whatever its body. */
        if (flight->answer.kind == ANSWER_OK)
            answer_as(flight, ANSWER_UNREADABLE, 200);
        break;
    case FAULT_LIMITED:
    case FAULT_LIMITED_HINT:
        answer_as(flight, ANSWER_LIMITED, 429);
        break;
    case FAULT_REFUSED:
        answer_as(flight, ANSWER_REFUSED, draw_refusal(life, flight->request.call));
        break;
    case FAULT_USERS_FORBIDDEN:
    case FAULT_FORBIDDEN:
        answer_as(flight, ANSWER_REFUSED, draw % 2 ? 401 : 403);
        break;
    case FAULT_CURSOR_VANISHES:
    case FAULT_LISTING_SHRINKS:
    case FAULT_USERS_SHRINK:
    case FAULT_OTHER_ORGANIZATION:
        serve_faulty_page(life, flight);
        break;
    case FAULT_USER_CHANGES:
        change_user(life, flight->request.user_id);
        serve(life, flight);
        break;
    case FAULT_NOT_AS_SENT:
        serve(life, flight);
        if (flight->answer.kind == ANSWER_OK)
            alter(life);
        break;
    default:
        serve(life, flight);
        break;
    }
}

/* Whether a listing of users shows anything now that is not so. */
static bool users_lag(const struct org *org)
{
    for (size_t i = 0; i < org->user_count; i++) {
        const struct org_user *user = &org->users[i];
        bool there = user->gone_at == SIM_NEVER;
        if (there != org_shows_user(user, org->now) || (there && user->change_shows_at > org->now))
            return true;
    }
    return false;
}

static void count_lag(struct life *life, enum call call)
{
    if (call == CALL_LIST_USERS) {
        life->tally->faults[FAULT_USERS_LAGGING] += users_lag(&life->org);
        return;
    }
    for (size_t i = 0; i < life->org.count; i++) {
        const struct org_invite *invite = &life->org.invites[i];
        bool there = invite->gone_at == SIM_NEVER;
        if (there != org_shows(invite, life->org.now) ||
            (there && invite->status_shows_at > life->org.now)) {
            life->tally->faults[FAULT_LAGGING]++;
            return;
        }
    }
}

/* The request arrives. */
static void arrive(struct life *life, struct flight *flight)
{
    struct answer *answer = &flight->answer;
    uint64_t wait = 0;
    flight->served = true;
    answer->retry_after = PACE_NEVER;
    if (!org_admits(&life->org, &wait)) {
        bool says = life->org.habits.says_wait;
        answer_as(flight, ANSWER_LIMITED, 429);
        answer->retry_after = says ? wait : PACE_NEVER;
        life->tally->faults[says ? FAULT_RATE_LIMIT_HINT : FAULT_RATE_LIMIT]++;
    } else {
        serve_faulty(life, flight);
        answer->retry_after = PACE_NEVER;
        if (flight->fault == FAULT_LIMITED_HINT)
            answer->retry_after = chance_below(&life->chance, 20 * SIM_SECOND);
    }
    bool lists = flight->request.call == CALL_LIST || flight->request.call == CALL_LIST_USERS;
    if (lists && !flight->orphan) {
        count_lag(life, flight->request.call);
        watch_page(&life->watch, answer, &flight->request);
    }
    if (answer->status != 0) {
        answer->date = flight->fault == FAULT_NO_DATE ? 0 : org_date(&life->org);
        answer->organization =
            strdup(flight->fault == FAULT_OTHER_ORGANIZATION ? "org-2" : "org-1");
    }
}

static void deliver(struct life *life, size_t i)
{
    struct flight flight = life->flights[i];
    life->flights[i] = life->flights[--life->flight_count];
    flight.answer.call = flight.request.call;
    flight.answer.tag = flight.request.tag;
    struct instant instant = now(life);
    tell_answer(life, &flight);
    life->watch.wall = instant.wall;
    watch_answer(&life->watch, &flight.answer, &flight.request, flight.sent_at);
    pass_answer(life->pass, &flight.answer, &instant);
    flight.answer = (struct answer){0};
    flight_clear(&flight);
}

static uint64_t next_at(const struct flight *flight)
{
    return flight->served ? flight->due : flight->effect_at;
}

/* Time goes on to the next event, at most to `until`. Whether an answer was delivered. */
static bool advance(struct life *life, uint64_t until)
{
    for (;;) {
        size_t first = life->flight_count;
        for (size_t i = 0; i < life->flight_count; i++)
            if (first == life->flight_count ||
                next_at(&life->flights[i]) < next_at(&life->flights[first]))
                first = i;
        if (first == life->flight_count || next_at(&life->flights[first]) > until) {
            if (until == SIM_NEVER)
                watch_violated(&life->watch, "the pass waits for an answer to nothing");
            else if (until > life->org.now)
                life->org.now = until;
            return false;
        }
        struct flight *flight = &life->flights[first];
        if (next_at(flight) > life->org.now)
            life->org.now = next_at(flight);
        if (!flight->served) {
            arrive(life, flight);
        } else if (flight->orphan) {
            flight_clear(flight);
            life->flights[first] = life->flights[--life->flight_count];
        } else {
            deliver(life, first);
            return true;
        }
    }
}

/* ---- passes -------------------------------------------------------------------------------- */

static void draw_approval(struct life *life)
{
    if (life->used_approval && chance_one_in(&life->chance, life->used_lately ? 2 : 4) &&
        !life->calm) {
        memory_set(&life->approval, life->used_approval);
        tell(life, "the operator gives %s again", life->approval);
    } else if (life->last_approval && (life->calm || chance_one_in(&life->chance, 2))) {
        memory_set(&life->approval, life->last_approval);
        life->seen = life->last_seen;
        tell(life, "the operator approves %s", life->approval);
    } else {
        memory_set(&life->approval, NULL);
    }
    life->params.approval = life->approval;
    life->used_lately = false;
}

static void planned(struct life *life)
{
    const struct plan *plan = pass_plan(life->pass);
    for (size_t i = 0; i < plan->lines.count; i++)
        life->tally->reasons[plan->lines.items[i].reason]++;
    tell(life, "planned, %zu live%s", plan->live, plan->approved ? ", limits lifted" : "");
    tell_plan(life);
    watch_plan(&life->watch, life->params.approval, life->seen);
    /* The worst moment to die: right after what was approved was begun. */
    if (plan->approved && !life->calm)
        life->kill_at = life->steps + (unsigned)chance_between(&life->chance, 2, 5);
    bool doubtful = life->watch.shrunk || life->watch.users.shrunk;
    memory_set(&life->last_approval, plan->approved || doubtful ? NULL : plan->approval);
    life->last_seen = 0;
    for (size_t i = 0; i < plan->excess_count; i++)
        life->last_seen |= plan->excess[i].limit;
}

/* An approval counts as used once something was sent on its strength. */
static void use_approval(struct life *life, const struct request *request)
{
    bool lists = request->call == CALL_LIST || request->call == CALL_LIST_USERS;
    if (!life->watch.lifted || lists || !life->approval)
        return;
    if (!life->used_approval || strcmp(life->used_approval, life->approval) != 0) {
        life->tally->approvals++;
        memory_set(&life->used_approval, life->approval);
        watch_used(&life->watch, life->approval);
        life->used_lately = true;
    }
}

/* Whether the pass goes on. */
static bool take_step(struct life *life, const struct pass_step *step)
{
    switch (step->want) {
    case PASS_WANTS_REQUEST:
        use_approval(life, &step->request);
        send(life, &step->request);
        return true;
    case PASS_WANTS_SAVE:
        save(life);
        return true;
    case PASS_WANTS_TIME:
        advance(life, step->until == PACE_NEVER ? SIM_NEVER : step->until + life->boot_base);
        return true;
    case PASS_PLANNED:
        planned(life);
        return true;
    case PASS_ENDED:
        break;
    }
    return false;
}

static void ended(struct life *life)
{
    const struct plan *plan = pass_plan(life->pass);
    tell(life, "ended%s%s", pass_error(life->pass) ? ": " : "",
         pass_error(life->pass) ? pass_error(life->pass) : "");
    tell_plan(life);
    for (size_t i = 0; plan && i < plan->lines.count; i++)
        life->tally->results[plan->lines.items[i].result]++;
    watch_end(&life->watch, life->struck);
}

/* Steps until the pass ends or the process dies. Whether it ended. */
static bool drive(struct life *life)
{
    for (life->steps = 1; life->steps <= STEPS_MAX && !life->watch.violation; life->steps++) {
        struct instant instant = now(life);
        struct pass_step step = pass_next(life->pass, &instant);
        bool dies = life->steps == life->kill_at;
        /* Death before the step takes effect, or right after it. */
        if (dies && chance_one_in(&life->chance, 2) && step.want != PASS_WANTS_REQUEST)
            return false;
        if (!take_step(life, &step)) {
            ended(life);
            return true;
        }
        if (dies)
            return false;
    }
    watch_violated(&life->watch, "the pass does not end");
    return false;
}

/* Another process goes on with what is on the disk. */
static void begin_process(struct life *life)
{
    life->processes++;
    if (life->observer) {
        free(life->observer);
        life->observer = memory_format("process-%u", life->processes);
        life->params.observer = life->observer;
    }
    ledger_free(life->ledger);
    life->ledger = stored(life, life->durable);
    adopt(life);
    pace_init(&life->pace, 0, chance_next(&life->chance));
    watch_new_process(&life->watch);
}

/* The process has died in the middle of a pass. */
static void restart(struct life *life)
{
    static const enum fault_kind deaths[] = {FAULT_KILLED, FAULT_KILLED, FAULT_KILLED,
                                             FAULT_REBOOTED, FAULT_LEDGER_DAMAGED};
    enum fault_kind death = deaths[chance_below(&life->chance, 5)];
    count_fault(life, death);
    life->tally->restarts++;
    tell(life, "** %s", fault_word(death));
    for (size_t i = 0; i < life->flight_count; i++) {
        if (life->flights[i].request.call == CALL_CREATE && !life->flights[i].orphan)
            watch_give_up(&life->watch, life->flights[i].request.email, life->flights[i].sent_at);
        life->flights[i].orphan = true;
    }
    advance(life, life->org.now + chance_below(&life->chance, chance_one_in(&life->chance, 2)
                                                                  ? 2 * SIM_SECOND
                                                                  : 600 * SIM_SECOND));
    if (death == FAULT_REBOOTED) {
        life->boots++;
        life->boot_base = life->org.now - 20 * SIM_SECOND;
    }
    if (death == FAULT_LEDGER_DAMAGED) {
        _cleanup_(ledger_free_pointer) struct ledger *fresh = ledger_new();
        fresh->suspect = true;
        fresh->suspect_at = now(life).boot;
        ledger_free(life->durable);
        life->durable = stored(life, fresh);
        life->watch.durable = life->durable;
        watch_forget(&life->watch);
    } else {
        watch_restart(&life->watch);
    }
    begin_process(life);
}

static void one_pass(struct life *life)
{
    draw_triggers(life);
    draw_approval(life);
    /* What a one-shot command knows, it reads. */
    if (!life->observer)
        begin_process(life);
    life->params.ledger = life->ledger;
    life->pass = pass_new(&life->params);
    if (!life->pass)
        abort();
    tell(life, "== pass, host clock %+lld s", (long long)life->skew);
    watch_begin_pass(&life->watch, life->pass);
    bool over = drive(life);
    if (!over && !life->watch.violation)
        restart(life);
    life->tally->passes++;
    life->tally->with_faults += life->struck >= 3;
    life->tally->with_users += life->struck >= 3 && life->params.users_mode != USERS_OFF;
    life->tally->calm_passes += life->calm;
}

static void end_pass(struct life *life)
{
    pass_free(life->pass);
    life->pass = NULL;
    for (size_t i = 0; i < life->flight_count; i++) {
        if (!life->flights[i].orphan && life->flights[i].request.call == CALL_CREATE)
            watch_violated(&life->watch, "ended with a create in flight");
        life->flights[i].orphan = true;
    }
}

/* ---- a life -------------------------------------------------------------------------------- */

static struct org_habits draw_habits(struct chance *chance)
{
    static const unsigned dead[] = {404, 400, 0, 1};
    struct org_habits habits = {
        .newest_first = chance_one_in(chance, 2),
        .page_size = chance_one_in(chance, 3) ? 100 : chance_between(chance, 3, 12),
        .refuses_pending = chance_one_in(chance, 2),
        .insists = chance_one_in(chance, 3),
        .lowers_case = chance_one_in(chance, 3),
        .calls_pending = chance_one_in(chance, 2),
        .hides_projects = chance_one_in(chance, 5),
        .dead_cursor = dead[chance_below(chance, 4)],
        .lag = chance_one_in(chance, 3) ? 0 : chance_between(chance, 1, 50) * SIM_SECOND,
        .lifetime = (chance_one_in(chance, 4) ? 1800 : 604800) * SIM_SECOND,
    };
    if (chance_one_in(chance, 4)) {
        habits.token_every = chance_between(chance, SIM_SECOND / 10, 8 * SIM_SECOND);
        habits.burst = (unsigned)chance_between(chance, 1, 10);
        habits.says_wait = chance_one_in(chance, 2);
    }
    return habits;
}

static void draw_users(struct life *life)
{
    static const enum users_mode modes[] = {USERS_OFF,     USERS_OFF,    USERS_OBSERVE,
                                            USERS_OBSERVE, USERS_MANAGE, USERS_MANAGE,
                                            USERS_MANAGE,  USERS_MANAGE};
    static const uint64_t intervals[] = {60, 300, 600};
    struct chance *chance = &life->chance;
    life->params.users_mode = modes[chance_below(chance, 8)];
    life->params.remove_after =
        chance_one_in(chance, 4) ? 0 : chance_between(chance, 30, 1500) * SIM_SECOND;
    life->interval = intervals[chance_below(chance, 3)] * SIM_SECOND;
    life->params.watch_gap = 2 * life->interval + 600 * SIM_SECOND;
    /* A daemon, or one command after the other. */
    life->observer = chance_one_in(chance, 5) ? NULL : memory_format("process-0");
    life->params.observer = life->observer;
}

static struct limits draw_limits(struct chance *chance, unsigned people)
{
    bool wide = chance_one_in(chance, 2);
    return (struct limits){
        .revocations = wide ? people : (unsigned)chance_below(chance, 6),
        .revocation_ratio = wide ? 1 : (double)chance_below(chance, 5) / 10,
        .invites = wide ? people : (unsigned)chance_below(chance, 12),
        .owner_invites = wide ? people : (unsigned)chance_below(chance, 3),
        .renewals = (unsigned)chance_below(chance, 4),
        .removals = wide ? people : (unsigned)chance_below(chance, 4),
        .removal_ratio = wide ? 1 : (double)chance_below(chance, 4) / 10,
        .min_owners = chance_one_in(chance, 2) ? 1 : (unsigned)chance_between(chance, 1, 3),
    };
}

static void born(struct life *life, uint64_t seed)
{
    struct chance *chance = &life->chance;
    chance->state = seed;
    org_init(&life->org, chance);
    life->org.habits = draw_habits(chance);
    life->org.tokens = life->org.habits.burst;
    life->boot_base = chance_below(chance, 900 * SIM_SECOND);
    life->latency_least = SIM_SECOND / 1000;
    life->latency_most = 3 * SIM_SECOND / 10;
    life->may_skew = chance_one_in(chance, 2);
    draw_users(life);
    people_init(&life->people, life->options.people + chance_below(chance, 10), &life->org,
                life->params.users_mode == USERS_OFF);
    life->limits = draw_limits(chance, (unsigned)life->people.count);
    life->ledger = ledger_new();
    adopt(life);
    life->durable = ledger_new();
    pace_init(&life->pace, 0, chance_next(chance));
    life->params.members = &life->people.members;
    life->params.pace = &life->pace;
    life->params.limits = &life->limits;
    life->params.create_only = chance_one_in(chance, 8);
    life->params.settle = SETTLE;
    life->params.concurrency = (unsigned)chance_between(chance, 1, 8);
    life->params.base_url = "https://api.example/v1";
    life->params.digest = digest_id;
    life->watch = (struct watch){
        .org = &life->org,
        .members = &life->people.members,
        .limits = &life->limits,
        .durable = life->durable,
        .params = &life->params,
        .settle = SETTLE,
        .born_at = life->org.now,
    };
}

static void died(struct life *life)
{
    people_clear(&life->people);
    watch_clear(&life->watch);
    org_clear(&life->org);
    ledger_free(life->ledger);
    ledger_free(life->durable);
    for (size_t i = 0; i < life->flight_count; i++)
        flight_clear(&life->flights[i]);
    free(life->flights);
    free(life->approval);
    free(life->last_approval);
    free(life->used_approval);
    free(life->observer);
}

/* The operator changes what is done about users, or restarts the daemon. */
static void administer(struct life *life)
{
    struct pass_params *params = &life->params;
    if (params->users_mode != USERS_OFF && chance_one_in(&life->chance, 15)) {
        params->users_mode = params->users_mode == USERS_MANAGE ? USERS_OBSERVE : USERS_MANAGE;
        tell(life, "** users are %s", params->users_mode == USERS_MANAGE ? "managed" : "observed");
    }
    if (life->observer && chance_one_in(&life->chance, 10)) {
        life->tally->faults[FAULT_RESTARTED]++;
        tell(life, "** %s", fault_word(FAULT_RESTARTED));
        begin_process(life);
    }
}

/* What happens while no pass runs. */
static void pass_time(struct life *life)
{
    struct chance *chance = &life->chance;
    /* The file changes its mind about who owns the organisation, and the daemon is quick. */
    if (life->demoted && life->org.habits.lag > 0 && chance_one_in(chance, 2)) {
        advance(life, life->org.now + SIM_SECOND);
        people_swap_owners(&life->people, &life->org);
        life->hurried = true;
        return;
    }
    const uint64_t pauses[] = {1, 20, 300, 3600, 90000};
    uint64_t draw = chance_below(chance, 8);
    advance(life, life->org.now + (draw < 5 ? SIM_SECOND * pauses[draw] : life->interval));
    /* Now and then what was blocked is approved at once. */
    bool quiet = (life->last_approval || life->used_lately) && chance_one_in(chance, 2);
    life->hurried = quiet && life->used_lately;
    for (uint64_t n = quiet ? 0 : chance_below(chance, 4); n > 0; n--)
        people_drift(&life->people, &life->org);
    for (uint64_t n = quiet ? 0 : chance_below(chance, 5); n > 0; n--)
        (void)strike_world(
            life, (enum fault_kind)chance_between(chance, FAULT_FIRST_EVENT, FAULT_CLOCK_JUMP));
    administer(life);
}

/* No more faults: nobody interferes, nothing is about to expire, and the operator lifts limits. */
static void calm_down(struct life *life)
{
    life->calm = true;
    life->limits.revocations = life->limits.invites = life->limits.owner_invites = 1000;
    life->limits.removals = 1000;
    life->limits.revocation_ratio = life->limits.removal_ratio = 1;
    life->limits.min_owners = 1;
    life->org.habits.lifetime = 604800 * SIM_SECOND;
    for (size_t i = 0; i < life->org.count; i++)
        if (org_is_live(&life->org, &life->org.invites[i]))
            life->org.invites[i].invite.expires_at += 604800;
    for (size_t i = 0; i < life->people.count; i++)
        life->people.items[i].ends_at = life->people.items[i].starts_at = 0;
    people_declare(&life->people);
    /* Where two hands took one owner each, the service's people had to help. */
    if (org_count_owners(&life->org) == 0)
        org_add_user(&life->org, "help@acme.example", ROLE_OWNER, life->org.now);
    tell(life, "== calm");
}

/* Listings lag no more from one calm pass to the next. */
static uint64_t calm_interval(const struct life *life)
{
    return life->interval > 5 * SETTLE ? life->interval : 5 * SETTLE;
}

/*
 * One of the passes after which things are judged. One that was blocked, and whose approval did not
 * fit because more people have fallen due since, does not count.
 */
static void calm_pass(struct life *life)
{
    for (unsigned i = 0; i < 10 && !life->watch.violation; i++) {
        if (life->pass)
            end_pass(life);
        advance(life, life->org.now + calm_interval(life));
        one_pass(life);
        if (!life->pass || !pass_approval_misfits(life->pass) ||
            plan_count_blocked(pass_plan(life->pass)) == 0)
            return;
    }
}

/* How many calm passes it takes until everybody is gone who is to be removed. */
static unsigned passes_to_remove(const struct life *life)
{
    const struct pass_params *params = &life->params;
    if (params->users_mode != USERS_MANAGE || params->create_only)
        return 0;
    return !life->observer && params->remove_after > 0
               ? 1
               : 2 + (unsigned)(params->remove_after / calm_interval(life));
}

static void live(struct life *life)
{
    /* Whoever is to be removed has to be watched for a while. */
    unsigned passes = life->options.faulty_passes;
    passes += life->params.users_mode == USERS_MANAGE ? passes / 2 : 0;
    for (unsigned i = 0; i < passes && !life->watch.violation; i++) {
        one_pass(life);
        end_pass(life);
        pass_time(life);
    }
    calm_down(life);
    /* Half of them begin when all that was accepted was so long ago. */
    if (chance_one_in(&life->chance, 2))
        advance(life, life->org.now + 3601 * SIM_SECOND);
    for (unsigned i = 0; i < 3 && !life->watch.violation; i++)
        calm_pass(life);
    if (!life->watch.violation)
        watch_converged(&life->watch, false);
    unsigned more = passes_to_remove(life);
    for (unsigned i = 0; i < more && !life->watch.violation; i++)
        calm_pass(life);
    if (more > 0 && !life->watch.violation)
        watch_converged(&life->watch, true);
    if (life->pass)
        end_pass(life);
}

char *life_run(uint64_t seed, const struct life_options *options, struct tally *tally)
{
    struct life life = {.options = *options, .tally = tally};
    born(&life, seed);
    live(&life);
    tally->lives++;
    char *violation = life.watch.violation;
    life.watch.violation = NULL;
    died(&life);
    return violation;
}

/* ---- the pace ------------------------------------------------------------------------------ */

static void limit_only(struct life *life, const struct life_limit *limit)
{
    life->org.habits = (struct org_habits){
        .page_size = 100,
        .lifetime = 604800 * SIM_SECOND,
        .token_every = 60 * SIM_SECOND / limit->per_minute,
        .burst = limit->burst,
    };
    life->org.tokens = limit->burst;
    life->org.tokens_at = life->org.now;
    life->params.users_mode = USERS_OFF;
    for (size_t i = 0; i < life->org.count; i++)
        org_remove(&life->org, &life->org.invites[i], HAND_OTHER);
    for (size_t i = 0; i < life->org.user_count; i++)
        org_remove_user(&life->org, &life->org.users[i]);
    unsigned declared = 0;
    for (size_t i = 0; i < life->people.count; i++) {
        struct somebody *somebody = &life->people.items[i];
        somebody->declared = !somebody->ignored && declared < limit->creates;
        declared += somebody->declared;
    }
    people_declare(&life->people);
    life->params.concurrency = 4;
    life->latency_least = SIM_SECOND / 50;
    life->latency_most = SIM_SECOND / 20;
}

struct life_pace life_pace(uint64_t seed, const struct life_limit *limit)
{
    struct tally tally = {0};
    struct life life = {.options = {.people = 2 * limit->creates}, .tally = &tally};
    born(&life, seed);
    calm_down(&life);
    limit_only(&life, limit);
    uint64_t begun = life.org.now;
    one_pass(&life);
    struct life_pace pace = {
        .made = life.org.mail_count,
        .limited = pass_limited(life.pass),
        .seconds = (double)(life.org.now - begun) / SIM_SECOND,
    };
    pace.requests = pass_requests(life.pass) - pace.limited;
    pace.least_seconds = ((double)pace.requests - limit->burst) * 60 / limit->per_minute;
    end_pass(&life);
    died(&life);
    return pace;
}

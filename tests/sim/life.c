/* Driving the product's pass through a life. */
#include "life.h"

#include <stdio.h>
#include <string.h>

#include "codec/digest.h"
#include "codec/ledgertext.h"
#include "people.h"

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
    unsigned boots;
    uint64_t latency_least, latency_most;
    bool may_skew; /* else answers may lack a Date */
    char *approval, *last_approval, *used_approval;

    struct flight *flights;
    size_t flight_count;
    unsigned triggers[TRIGGERS_MAX]; /* requests of this pass that something strikes */
    size_t trigger_count, next_trigger;
    unsigned requests, struck;
    unsigned steps, kill_at;
    bool disk_full, calm;
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
    if (request->call == CALL_LIST)
        return request->cursor ? request->cursor : "from the top";
    return request->invite_id;
}

static void tell_answer(const struct life *life, const struct flight *flight)
{
    static const char *const words[] = {"ok",          "unreadable", "refused", "limited",
                                        "unavailable", "lost",       "unsent"};
    const struct answer *answer = &flight->answer;
    tell(life, "  <- %s %s: %s %d%s%s%s", call_word(flight->request.call), about(&flight->request),
         words[answer->kind], answer->status, answer->invite.id ? " " : "",
         answer->invite.id ? answer->invite.id : "",
         flight->request.call == CALL_LIST && answer->page.has_more ? " (more)" : "");
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
                 reason_word(line->reason), line->invite ? line->invite->id : "-",
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
    }
    life->watch.unsaved = life->watch.unsaved || fails;
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

static struct org_invite *any_live(struct life *life)
{
    size_t start = life->org.count ? chance_below(&life->chance, life->org.count) : 0;
    for (size_t i = 0; i < life->org.count; i++) {
        struct org_invite *invite = &life->org.invites[(start + i) % life->org.count];
        if (org_is_live(&life->org, invite))
            return invite;
    }
    return NULL;
}

/* Something happens to a live invite, or to the host. Whether it could. */
static bool strike_world(struct life *life, enum fault_kind kind)
{
    struct org *org = &life->org;
    struct org_invite *invite =
        kind == FAULT_OTHER_INVITES ? people_invite(&life->people, org) : any_live(life);
    if (!invite && kind <= FAULT_UNKNOWN_WORD)
        return false;
    switch (kind) {
    case FAULT_OTHER_INVITES:
        break;
    case FAULT_OTHER_DELETES:
        org_remove(org, invite, HAND_OTHER);
        break;
    case FAULT_ACCEPTED:
        org_turn(org, invite, INVITE_ACCEPTED);
        break;
    case FAULT_EXPIRED:
        /* One that lives for minutes only, made by another hand, would pass for ours. */
        if (org_date(org) - invite->invite.created_at < 1800)
            return false;
        invite->invite.expires_at = org_date(org);
        break;
    case FAULT_UNKNOWN_WORD:
        org_turn(org, invite, INVITE_STATUS_UNKNOWN);
        break;
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
        return false;
    }
    tell(life, "** %s%s%s", fault_word(kind), invite ? ": " : "",
         invite && kind <= FAULT_UNKNOWN_WORD ? invite->invite.id : "");
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
    if (request->call != CALL_LIST)
        return false;
    switch (kind) {
    case FAULT_CURSOR_VANISHES:
    case FAULT_PAGE_REPEATED:
        return request->cursor != NULL;
    case FAULT_LISTING_SHRINKS:
        return !request->cursor && expected_live(life) >= LIMIT_SHARE_LEAST;
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
    return fits_listing(life, kind, request);
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
    return chosen;
}

static void draw_triggers(struct life *life)
{
    life->trigger_count = life->next_trigger = 0;
    life->requests = life->struck = life->kill_at = 0;
    life->disk_full = false;
    if (life->calm)
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
         request->call == CALL_CREATE ? " " : "",
         request->call == CALL_CREATE ? role_word(request->role) : "");
    watch_request(&life->watch, request);
    struct flight flight = {
        .request = *request, .fault = strike(life, request), .sent_at = life->org.now};
    flight.epoch = life->org.epoch;
    flight.request.cursor = copied(request->cursor);
    flight.request.invite_id = copied(request->invite_id);
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
    life->watch.must_not_write = true;
}

static void vanish(struct life *life, const char *cursor)
{
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

/* What the fault makes of the request and its answer. */
static void serve_faulty(struct life *life, struct flight *flight)
{
    static const int refusals[] = {400, 409, 422, 404}, failures[] = {500, 502, 503, 408};
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
        /* A delete that answers 404 is done, and a retrieve says that it is gone. */
        answer_as(
            flight, ANSWER_REFUSED,
            refusals[flight->request.call == CALL_DELETE || flight->request.call == CALL_RETRIEVE
                         ? draw % 3
                         : draw]);
        break;
    case FAULT_FORBIDDEN:
        answer_as(flight, ANSWER_REFUSED, draw % 2 ? 401 : 403);
        break;
    case FAULT_CURSOR_VANISHES:
        vanish(life, flight->request.cursor);
        serve(life, flight);
        break;
    case FAULT_LISTING_SHRINKS:
        serve(life, flight);
        shrink(life, flight);
        break;
    case FAULT_OTHER_ORGANIZATION:
        serve(life, flight);
        life->watch.must_not_write = true;
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

static void count_lag(struct life *life)
{
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
    if (flight->request.call == CALL_LIST && !flight->orphan) {
        count_lag(life);
        watch_page(&life->watch, answer, flight->request.cursor);
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
    if (life->last_approval && (life->calm || chance_one_in(&life->chance, 2))) {
        free(life->approval);
        life->approval = strdup(life->last_approval);
        tell(life, "the operator approves %s", life->approval);
    } else if (life->used_approval && chance_one_in(&life->chance, 4) && !life->calm) {
        memory_set(&life->approval, life->used_approval);
        tell(life, "the operator gives %s again", life->approval);
    } else {
        memory_set(&life->approval, NULL);
    }
    life->params.approval = life->approval;
}

static void planned(struct life *life)
{
    const struct plan *plan = pass_plan(life->pass);
    for (size_t i = 0; i < plan->lines.count; i++)
        life->tally->reasons[plan->lines.items[i].reason]++;
    tell(life, "planned, %zu live%s", plan->live, plan->approved ? ", limits lifted" : "");
    tell_plan(life);
    watch_plan(&life->watch, life->params.approval);
    /* The worst moment to die: right after what was approved was begun. */
    if (plan->approved && !life->calm)
        life->kill_at = life->steps + (unsigned)chance_between(&life->chance, 2, 5);
    memory_set(&life->last_approval,
               plan->approved || life->watch.must_not_write ? NULL : plan->approval);
}

/* An approval counts as used once something was sent on its strength. */
static void use_approval(struct life *life, const struct request *request)
{
    if (!life->watch.lifted || request->call == CALL_LIST || !life->approval)
        return;
    if (!life->used_approval || strcmp(life->used_approval, life->approval) != 0) {
        life->tally->approvals++;
        memory_set(&life->used_approval, life->approval);
        watch_used(&life->watch, life->approval);
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
    ledger_free(life->ledger);
    if (death == FAULT_LEDGER_DAMAGED) {
        life->ledger = ledger_new();
        life->ledger->suspect = true;
        life->ledger->suspect_at = now(life).boot;
        ledger_free(life->durable);
        life->durable = stored(life, life->ledger);
        life->watch.durable = life->durable;
        watch_forget(&life->watch);
    } else {
        life->ledger = stored(life, life->durable);
        watch_restart(&life->watch);
    }
    adopt(life);
    pace_init(&life->pace, 0, chance_next(&life->chance));
}

static void one_pass(struct life *life)
{
    draw_triggers(life);
    draw_approval(life);
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

static struct limits draw_limits(struct chance *chance, unsigned people)
{
    bool wide = chance_one_in(chance, 2);
    return (struct limits){
        .revocations = wide ? people : (unsigned)chance_below(chance, 6),
        .revocation_ratio = wide ? 1 : (double)chance_below(chance, 5) / 10,
        .invites = wide ? people : (unsigned)chance_below(chance, 12),
        .owner_invites = wide ? people : (unsigned)chance_below(chance, 3),
        .renewals = (unsigned)chance_below(chance, 4),
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
    people_init(&life->people, life->options.people + chance_below(chance, 10), &life->org);
    life->limits = draw_limits(chance, (unsigned)life->people.count);
    life->ledger = ledger_new();
    adopt(life);
    life->durable = ledger_new();
    pace_init(&life->pace, 0, chance_next(chance));
    life->params = (struct pass_params){
        .members = &life->people.members,
        .pace = &life->pace,
        .limits = &life->limits,
        .create_only = chance_one_in(chance, 8),
        .settle = SETTLE,
        .concurrency = (unsigned)chance_between(chance, 1, 8),
        .base_url = "https://api.example/v1",
        .digest = digest_id,
    };
    life->watch = (struct watch){
        .org = &life->org,
        .members = &life->people.members,
        .limits = &life->limits,
        .durable = life->durable,
        .create_only = life->params.create_only,
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
}

/* What happens while no pass runs. */
static void pass_time(struct life *life)
{
    static const uint64_t pauses[] = {1, 20, 300, 300, 3600, 90000};
    struct chance *chance = &life->chance;
    advance(life, life->org.now + SIM_SECOND * pauses[chance_below(chance, 6)]);
    for (uint64_t n = chance_below(chance, 4); n > 0; n--)
        people_drift(&life->people, &life->org);
    for (uint64_t n = chance_below(chance, 4); n > 0; n--)
        (void)strike_world(
            life, (enum fault_kind)chance_between(chance, FAULT_FIRST_EVENT, FAULT_CLOCK_JUMP));
}

/* No more faults: nobody interferes, nothing is about to expire, and the operator lifts limits. */
static void calm_down(struct life *life)
{
    life->calm = true;
    life->limits.revocations = life->limits.invites = life->limits.owner_invites = 1000;
    life->limits.revocation_ratio = 1;
    life->org.habits.lifetime = 604800 * SIM_SECOND;
    for (size_t i = 0; i < life->org.count; i++)
        if (org_is_live(&life->org, &life->org.invites[i]))
            life->org.invites[i].invite.expires_at += 604800;
    for (size_t i = 0; i < life->people.count; i++)
        life->people.items[i].ends_at = 0;
    people_declare(&life->people);
    tell(life, "== calm");
}

static void live(struct life *life)
{
    for (unsigned i = 0; i < life->options.faulty_passes && !life->watch.violation; i++) {
        one_pass(life);
        end_pass(life);
        pass_time(life);
    }
    calm_down(life);
    for (int i = 0; i < 3 && !life->watch.violation; i++) {
        if (life->pass)
            end_pass(life);
        advance(life, life->org.now + 300 * SIM_SECOND);
        one_pass(life);
    }
    if (!life->watch.violation)
        watch_converged(&life->watch);
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
    for (size_t i = 0; i < life->org.count; i++)
        org_remove(&life->org, &life->org.invites[i], HAND_OTHER);
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

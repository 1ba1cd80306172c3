/* The world in memory. */
#include "world.h"

#include "core/address.h"

#define STEPS_MAX 100000

static char *digest(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return memory_format("%016llx", (unsigned long long)hash);
}

static void append(char **text, char *more)
{
    char *longer = memory_format("%s%s", *text, more);
    free(*text);
    free(more);
    *text = longer;
}

/* ---- a ledger on disk ---------------------------------------------------------------------- */

static struct ledger *ledger_copy(const struct ledger *ledger)
{
    struct ledger *copy = ledger_new();
    memory_set(&copy->base_url, ledger->base_url);
    memory_set(&copy->organization, ledger->organization);
    memory_set(&copy->boot, ledger->boot);
    memory_set(&copy->observer, ledger->observer);
    copy->live = ledger->live;
    copy->people = ledger->people;
    for (size_t i = 0; i < ledger->deposed_count; i++)
        ledger_depose(copy, ledger->deposed[i].id, ledger->deposed[i].at, ledger->deposed[i].begun);
    for (size_t i = 0; i < ledger->user_count; i++) {
        struct ledger_user user = ledger->users[i];
        user.id = strdup(user.id);
        user.email = strdup(user.email);
        assert_int_equal(RESERVE(copy->users, copy->user_count), 0);
        copy->users[copy->user_count++] = user;
    }
    copy->approvals_used = ledger->approvals_used;
    copy->suspect = ledger->suspect;
    copy->suspect_at = ledger->suspect_at;
    for (size_t i = 0; i < ledger->deletion_count; i++)
        ledger_deleted(copy, ledger->deletions[i].invite_id, ledger->deletions[i].at);
    for (size_t i = 0; i < ledger->wish_count; i++) {
        const struct ledger_wish *from = ledger->wishes[i];
        struct ledger_wish *to = ledger_take(copy, from->email, from->role, &from->projects);
        to->state = from->state;
        to->at = from->at;
        to->wall = from->wall;
        memory_set(&to->invite_id, from->invite_id);
        to->seen = from->seen;
        to->mailed = from->mailed;
        to->refused_status = from->refused_status;
        if (from->lost.id) {
            struct invite lost = {.id = from->lost.id, .role = from->lost.role};
            lost.projects = from->lost.projects;
            ledger_lose(to, &lost);
        }
    }
    copy->dirty = false;
    return copy;
}

/* ---- setting up ---------------------------------------------------------------------------- */

struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    world->now = (struct instant){.boot = 1000 * SECOND, .wall = 1700000000};
    world->limits = (struct limits){.revocations = 1000,
                                    .revocation_ratio = 1,
                                    .invites = 1000,
                                    .owner_invites = 1000,
                                    .renewals = 3,
                                    .removals = 1000,
                                    .removal_ratio = 1,
                                    .min_owners = 1};
    world->latency = SECOND / 100;
    world->organization = "org-1";
    world->log = strdup("");
    world->ledger = ledger_new();
    assert_int_equal(ledger_adopt(world->ledger, "boot-1", world->now.boot), 0);
    world->durable = ledger_copy(world->ledger);
    pace_init(&world->pace, 0, 1);
    world->params = (struct pass_params){.members = &world->members,
                                         .pace = &world->pace,
                                         .limits = &world->limits,
                                         .settle = SETTLE,
                                         .concurrency = 1,
                                         .base_url = "https://api.example/v1",
                                         .digest = digest};
    return world;
}

static void drop_under_way(struct world *world)
{
    for (size_t i = 0; i < world->under_way_count; i++) {
        answer_clear(&world->under_way[i].answer);
        free(world->under_way[i].creates);
    }
    world->under_way_count = 0;
    free(world->under_way);
    world->under_way = NULL;
}

void world_undeclare(struct world *world)
{
    for (size_t i = 0; i < world->members.count; i++)
        member_clear(&world->members.items[i]);
    free(world->members.items);
    world->members.items = NULL;
    world->members.count = 0;
}

void world_free(struct world *world)
{
    if (world->pass)
        pass_free(world->pass);
    world_undeclare(world);
    for (size_t i = 0; i < world->members.protected_count; i++)
        free(world->members.protected[i]);
    free(world->members.protected);
    ledger_free(world->ledger);
    ledger_free(world->durable);
    for (size_t i = 0; i < world->stored_count; i++)
        invite_clear(&world->stored[i].invite);
    free(world->stored);
    for (size_t i = 0; i < world->user_count; i++)
        user_clear(&world->users[i].user);
    free(world->users);
    drop_under_way(world);
    for (size_t i = 0; i < world->open_count; i++)
        free(world->open[i].email);
    free(world->open);
    for (size_t i = 0; i < world->mail_count; i++)
        free(world->mails[i]);
    free(world->mails);
    free(world->sent_at);
    free(world->log);
    free(world);
}

void world_declare(struct world *world, const char *email, const char *role, const char *projects)
{
    unit_declare(&world->members, email, role, projects, 0);
}

static struct stored *store(struct world *world, const struct unit_invite *given)
{
    assert_int_equal(RESERVE(world->stored, world->stored_count), 0);
    struct stored *stored = &world->stored[world->stored_count++];
    *stored = (struct stored){.invite = unit_invite(given)};
    return stored;
}

void world_invite(struct world *world, const char *id, const char *email, const char *role,
                  const char *status, const char *projects)
{
    store(world, &(struct unit_invite){id, email, role, status, projects,
                                       1600000000 + (int64_t)world->stored_count, 0});
}

struct user *world_user(struct world *world, const char *id, const char *email, const char *role)
{
    assert_int_equal(RESERVE(world->users, world->user_count), 0);
    struct stored_user *stored = &world->users[world->user_count++];
    *stored = (struct stored_user){
        .user = unit_user(&(struct unit_user){id, email, role, 1600000000, false, false})};
    return &stored->user;
}

void world_fault(struct world *world, struct fault fault)
{
    if (fault.times == 0)
        fault.times = 1;
    if (fault.retry_after == 0)
        fault.retry_after = PACE_NEVER;
    assert_true(world->fault_count < 16);
    world->faults[world->fault_count++] = fault;
}

static struct stored *find(struct world *world, const char *id)
{
    for (size_t i = 0; i < world->stored_count; i++)
        if (strcmp(world->stored[i].invite.id, id) == 0)
            return &world->stored[i];
    return NULL;
}

void world_turn(struct world *world, const char *id, enum invite_status status)
{
    find(world, id)->invite.status = status;
}

void world_remove(struct world *world, const char *id)
{
    find(world, id)->gone_at = 1;
}

/* ---- the service --------------------------------------------------------------------------- */

static struct invite copy_invite(const struct invite *invite)
{
    struct invite copy = *invite;
    copy.id = strdup(invite->id);
    copy.email = strdup(invite->email);
    copy.role_text = copy.status_text = NULL;
    assert_int_equal(projects_copy(&invite->projects, &copy.projects), 0);
    return copy;
}

static struct user copy_user(const struct user *user)
{
    struct user copy = *user;
    copy.id = strdup(user->id);
    copy.email = copy.name = copy.role_text = NULL;
    assert_int_equal(memory_set(&copy.email, user->email), 0);
    assert_int_equal(memory_set(&copy.role_text, user->role_text), 0);
    return copy;
}

static void refuse(struct answer *answer, int status, const char *words)
{
    answer->kind = ANSWER_REFUSED;
    answer->status = status;
    free(answer->error);
    answer->error = memory_format("HTTP %d: %s", status, words);
}

static bool is_shown(const struct world *world, const struct stored *stored)
{
    bool appeared = stored->made_at == 0 || stored->made_at + world->lag <= world->now.boot;
    bool vanished = stored->gone_at != 0 &&
                    (stored->gone_at == 1 || stored->gone_at + world->lag <= world->now.boot);
    return appeared && !vanished;
}

static void serve_list(struct world *world, const struct request *request, struct answer *answer)
{
    size_t i = 0;
    if (request->cursor) {
        while (i < world->stored_count &&
               (strcmp(world->stored[i].invite.id, request->cursor) != 0 ||
                !is_shown(world, &world->stored[i])))
            i++;
        if (i++ == world->stored_count) {
            refuse(answer, 404, "no such cursor");
            return;
        }
    }
    for (; i < world->stored_count; i++) {
        if (!is_shown(world, &world->stored[i]))
            continue;
        if (answer->page.invites.count == 100) {
            answer->page.has_more = true;
            break;
        }
        struct invite copy = copy_invite(&world->stored[i].invite);
        assert_int_equal(invites_add(&answer->page.invites, &copy), 0);
    }
}

static void serve_list_users(struct world *world, const struct request *request,
                             struct answer *answer)
{
    size_t i = 0;
    while (request->cursor && i < world->user_count &&
           strcmp(world->users[i].user.id, request->cursor) != 0)
        i++;
    if (request->cursor && i++ == world->user_count) {
        refuse(answer, 404, "no such cursor");
        return;
    }
    for (; i < world->user_count; i++) {
        const struct stored_user *stored = &world->users[i];
        if (stored->gone_at != 0 && stored->gone_at + world->lag <= world->now.boot)
            continue;
        if (answer->page.users.count == 100) {
            answer->page.has_more = true;
            break;
        }
        struct user copy = copy_user(&stored->user);
        if (stored->changed_at != 0 && stored->changed_at + world->lag > world->now.boot)
            copy.role = stored->before;
        assert_int_equal(users_add(&answer->page.users, &copy), 0);
    }
}

static struct stored_user *find_user(struct world *world, const char *id)
{
    for (size_t i = 0; i < world->user_count; i++)
        if (world->users[i].gone_at == 0 && strcmp(world->users[i].user.id, id) == 0)
            return &world->users[i];
    return NULL;
}

static void serve_user(struct world *world, const struct request *request, struct answer *answer)
{
    struct stored_user *stored = find_user(world, request->user_id);
    if (!stored) {
        refuse(answer, 404, "no such user");
    } else if (request->call == CALL_DELETE_USER) {
        stored->gone_at = world->now.boot;
    } else {
        if (request->call == CALL_SET_ROLE && stored->user.role != request->role) {
            stored->before = stored->user.role;
            stored->changed_at = world->now.boot;
            stored->user.role = request->role;
        }
        stored->looked = request->call == CALL_RETRIEVE_USER;
        answer->user = copy_user(&stored->user);
        if (world->mistaken)
            assert_int_equal(memory_set(&answer->user.id, world->mistaken), 0);
    }
}

static bool has_user(const struct world *world, const char *email)
{
    for (size_t i = 0; i < world->user_count; i++)
        if (world->users[i].gone_at == 0 && world->users[i].user.email &&
            address_compare(world->users[i].user.email, email) == 0)
            return true;
    return false;
}

static char *wish_text(const char *email, enum role role, const struct projects *projects)
{
    _cleanup_free_ char *list = unit_projects_text(projects);
    return memory_format("%s %s %s", email, role_word(role), list);
}

static void serve_create(struct world *world, const struct request *request, struct answer *answer)
{
    for (size_t i = 0; i < world->stored_count; i++) {
        const struct stored *stored = &world->stored[i];
        if (stored->gone_at != 0 || address_compare(stored->invite.email, request->email) != 0)
            continue;
        if (stored->invite.status == INVITE_PENDING) {
            refuse(answer, 409, "already invited");
            return;
        }
        bool member = world->user_count == 0 || has_user(world, request->email);
        if ((stored->invite.status == INVITE_ACCEPTED && member) ||
            (world->insists && stored->invite.status == INVITE_EXPIRED)) {
            refuse(answer, 400, "in the way");
            return;
        }
    }
    char id[16];
    snprintf(id, sizeof id, "new-%u", ++world->made);
    struct stored *stored =
        store(world, &(struct unit_invite){.id = id,
                                           .email = request->email,
                                           .role = role_word(request->role),
                                           .created = world->now.wall - world->date_behind});
    projects_clear(&stored->invite.projects);
    assert_int_equal(projects_copy(request->projects, &stored->invite.projects), 0);
    stored->made_at = world->now.boot;
    answer->invite = copy_invite(&stored->invite);
    assert_int_equal(RESERVE(world->mails, world->mail_count), 0);
    world->mails[world->mail_count++] = wish_text(request->email, request->role, request->projects);
}

static void serve_one(struct world *world, const struct request *request, struct answer *answer)
{
    struct stored *stored = find(world, request->invite_id);
    if (!stored || stored->gone_at != 0) {
        refuse(answer, 404, "no such invite");
    } else if (request->call == CALL_RETRIEVE) {
        answer->invite = copy_invite(&stored->invite);
    } else if (stored->invite.status == INVITE_ACCEPTED) {
        refuse(answer, 400, "already accepted");
    } else {
        stored->gone_at = world->now.boot;
    }
}

static void serve(struct world *world, const struct request *request, struct answer *answer)
{
    if (request->call == CALL_LIST)
        serve_list(world, request, answer);
    else if (request->call == CALL_CREATE)
        serve_create(world, request, answer);
    else if (request->call == CALL_LIST_USERS)
        serve_list_users(world, request, answer);
    else if (request->user_id)
        serve_user(world, request, answer);
    else
        serve_one(world, request, answer);
}

static const char *who(const struct request *request)
{
    if (request->call == CALL_LIST || request->call == CALL_LIST_USERS)
        return request->cursor ? request->cursor : "";
    return request->call == CALL_CREATE ? request->email
           : request->user_id           ? request->user_id
                                        : request->invite_id;
}

static struct fault *strike(struct world *world, const struct request *request)
{
    for (size_t i = 0; i < world->fault_count; i++) {
        struct fault *fault = &world->faults[i];
        if (fault->times == 0 || fault->call != request->call ||
            (fault->who && strcmp(fault->who, who(request)) != 0) ||
            (fault->role != ROLE_UNKNOWN && fault->role != request->role))
            continue;
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        fault->times--;
        return fault;
    }
    return NULL;
}

static struct answer answer_to(struct world *world, const struct request *request)
{
    struct answer answer = {.kind = ANSWER_OK,
                            .tag = request->tag,
                            .status = 200,
                            .retry_after = PACE_NEVER,
                            .date = world->now.wall - world->date_behind,
                            .request_id = strdup("req"),
                            .organization =
                                world->organization ? strdup(world->organization) : NULL};
    const struct fault *fault = strike(world, request);
    if (!fault || fault->happens)
        serve(world, request, &answer);
    if (!fault)
        return answer;
    if (fault->then)
        fault->then(world);
    answer_clear(&answer);
    return (struct answer){.kind = fault->kind,
                           .tag = request->tag,
                           .status = fault->status,
                           .hopeless = fault->hopeless,
                           .retry_after = fault->retry_after,
                           .error = memory_format("fault %d", fault->status)};
}

/* ---- what must hold for every pass --------------------------------------------------------- */

static void check_create(struct world *world, const struct request *request)
{
    /* Begun on disk before it is sent. */
    const struct ledger_wish *wish =
        ledger_find(world->durable, request->email, request->role, request->projects);
    if (!wish || wish->state != CREATE_BEGUN)
        fail_msg("create of %s was sent without being begun on disk", request->email);
    if (world->save_failed)
        fail_msg("create of %s was sent after a failed save", request->email);
    /* No second create before a listing that was begun settle after giving up on the first. */
    size_t kept = 0;
    for (size_t i = 0; i < world->open_count; i++) {
        struct open_create *open = &world->open[i];
        if (address_compare(open->email, request->email) != 0) {
            world->open[kept++] = *open;
            continue;
        }
        if (world->list_begun < open->given_up_at + SETTLE)
            fail_msg("create of %s was sent again %lld us after its outcome was unknown",
                     request->email, (long long)(world->list_begun - open->given_up_at));
        free(open->email);
    }
    world->open_count = kept;
}

/* Right before somebody is removed, the pass has looked at who it is. */
static void check_removal(struct world *world, const struct request *request)
{
    struct stored_user *stored = find_user(world, request->user_id);
    if (stored && !stored->looked)
        fail_msg("%s was removed without a look", request->user_id);
}

static void give_up_on(struct world *world, const char *email)
{
    assert_int_equal(RESERVE(world->open, world->open_count), 0);
    world->open[world->open_count++] =
        (struct open_create){.email = strdup(email), .given_up_at = world->now.boot};
}

static void note(struct world *world, const struct request *request)
{
    if (request->call == CALL_LIST || request->call == CALL_LIST_USERS) {
        const char *word = call_word(request->call);
        append(&world->log, request->cursor ? memory_format("%s after %s\n", word, request->cursor)
                                            : memory_format("%s\n", word));
        if (!request->cursor && request->call == CALL_LIST)
            world->list_begun = world->now.boot;
    } else if (request->call == CALL_CREATE) {
        _cleanup_free_ char *text = wish_text(request->email, request->role, request->projects);
        append(&world->log, memory_format("create %s\n", text));
    } else if (request->call == CALL_SET_ROLE) {
        append(&world->log,
               memory_format("set-role %s %s\n", request->user_id, role_word(request->role)));
    } else {
        append(&world->log, memory_format("%s %s\n", call_word(request->call), who(request)));
    }
    assert_int_equal(RESERVE(world->sent_at, world->sent_count), 0);
    world->sent_at[world->sent_count++] = world->now.boot;
}

static void take_request(struct world *world, const struct request *request, bool sent)
{
    if (world->under_way_count >= world->params.concurrency)
        fail_msg("more than %u in flight", world->params.concurrency);
    note(world, request);
    if (request->call == CALL_CREATE)
        check_create(world, request);
    if (world->before)
        world->before(world, request);
    if (request->call == CALL_DELETE_USER)
        check_removal(world, request);
    if (!sent)
        return;
    struct under_way item = {.answer = answer_to(world, request),
                             .due = world->now.boot + world->latency,
                             .creates =
                                 request->call == CALL_CREATE ? strdup(request->email) : NULL};
    assert_int_equal(RESERVE(world->under_way, world->under_way_count), 0);
    world->under_way[world->under_way_count++] = item;
    if (world->under_way_count > world->in_flight_most)
        world->in_flight_most = (unsigned)world->under_way_count;
}

static void deliver(struct world *world, size_t i)
{
    struct under_way item = world->under_way[i];
    memmove(&world->under_way[i], &world->under_way[i + 1],
            (--world->under_way_count - i) * sizeof item);
    if (item.creates && (item.answer.kind == ANSWER_UNREADABLE ||
                         item.answer.kind == ANSWER_UNAVAILABLE || item.answer.kind == ANSWER_LOST))
        give_up_on(world, item.creates);
    free(item.creates);
    pass_answer(world->pass, &item.answer, &world->now);
}

static void advance(struct world *world, uint64_t until)
{
    size_t first = 0;
    for (size_t i = 1; i < world->under_way_count; i++)
        if (world->under_way[i].due < world->under_way[first].due)
            first = i;
    bool answers = world->under_way_count > 0 && world->under_way[first].due <= until;
    uint64_t to = answers ? world->under_way[first].due : until;
    if (to == PACE_NEVER)
        fail_msg("the pass waits for an answer, and none is under way");
    if (to > world->now.boot) {
        uint64_t boot = world->now.boot;
        world->now.boot = to;
        world->now.wall += (int64_t)(to / SECOND - boot / SECOND);
    }
    if (answers)
        deliver(world, first);
}

static void save(struct world *world)
{
    append(&world->log, strdup("save\n"));
    world->save_failed = ++world->saves == world->fail_save;
    if (!world->save_failed) {
        ledger_free(world->durable);
        world->durable = ledger_copy(world->ledger);
    }
    pass_saved(world->pass, world->save_failed ? -28 : 0);
}

static void kill_process(struct world *world)
{
    for (size_t i = 0; i < world->under_way_count; i++)
        if (world->under_way[i].creates)
            give_up_on(world, world->under_way[i].creates);
    drop_under_way(world);
}

/* Whether the pass goes on. */
static bool take_step(struct world *world, const struct pass_step *step)
{
    bool last = world->kill_at != 0 && world->steps + 1 == world->kill_at;
    switch (step->want) {
    case PASS_WANTS_REQUEST:
        take_request(world, &step->request, !(last && world->kill_unsent));
        break;
    case PASS_WANTS_SAVE:
        save(world);
        break;
    case PASS_WANTS_TIME:
        advance(world, step->until);
        break;
    case PASS_PLANNED:
        return !world->plan_only;
    case PASS_ENDED:
        return false;
    }
    return true;
}

bool world_pass(struct world *world)
{
    if (world->pass)
        pass_free(world->pass);
    drop_under_way(world);
    world->params.ledger = world->ledger;
    world->save_failed = false;
    for (size_t i = 0; i < world->user_count; i++)
        world->users[i].looked = false;
    world->pass = pass_new(&world->params);
    assert_non_null(world->pass);
    for (world->steps = 0; world->steps < STEPS_MAX; world->steps++) {
        if (world->stop_at != 0 && world->steps + 1 == world->stop_at)
            pass_stop(world->pass);
        struct pass_step step = pass_next(world->pass, &world->now);
        bool goes_on = take_step(world, &step);
        if (world->kill_at != 0 && world->steps + 1 == world->kill_at) {
            kill_process(world);
            return false;
        }
        if (!goes_on)
            return true;
    }
    fail_msg("the pass does not end");
    return false;
}

void world_restart(struct world *world)
{
    if (world->pass)
        pass_free(world->pass);
    world->pass = NULL;
    drop_under_way(world);
    ledger_free(world->ledger);
    world->ledger = ledger_copy(world->durable);
    assert_int_equal(ledger_adopt(world->ledger, "boot-1", world->now.boot), 0);
    pace_init(&world->pace, 0, 2);
    world->stop_at = world->kill_at = 0;
}

/* ---- looking at it ------------------------------------------------------------------------- */

void assert_ended(struct world *world, enum pass_end end, const char *lines)
{
    const struct plan *plan = pass_plan(world->pass);
    _cleanup_free_ char *text = strdup("");
    for (size_t i = 0; plan && i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        if (line->action == ACTION_KEEP)
            continue;
        append(&text,
               memory_format("%s %s %s %s%s%s\n", action_word(line->action), line->email,
                             reason_word(line->reason), result_word(line->result),
                             line->invite_id ? " " : "", line->invite_id ? line->invite_id : ""));
    }
    unit_assert_text(text, lines);
    assert_int_equal(pass_end(world->pass), end);
    assert_int_equal(pass_error(world->pass) != NULL, end == PASS_FAILED);
}

void assert_log(struct world *world, const char *expected)
{
    _cleanup_free_ char *log = world->log;
    world->log = strdup("");
    unit_assert_text(log, expected);
}

unsigned world_mails(const struct world *world, const char *email)
{
    unsigned n = 0;
    for (size_t i = 0; i < world->mail_count; i++)
        n += strncmp(world->mails[i], email, strlen(email)) == 0 &&
             world->mails[i][strlen(email)] == ' ';
    return n;
}

unsigned world_most_mails(const struct world *world)
{
    unsigned most = 0;
    for (size_t i = 0; i < world->mail_count; i++) {
        unsigned n = 0;
        for (size_t j = 0; j < world->mail_count; j++)
            n += strcmp(world->mails[i], world->mails[j]) == 0;
        most = n > most ? n : most;
    }
    return most;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void assert_there(const struct world *world, const char *expected)
{
    char *lines[64];
    size_t count = 0;
    for (size_t i = 0; i < world->stored_count; i++) {
        const struct invite *invite = &world->stored[i].invite;
        if (world->stored[i].gone_at != 0 || invite->status != INVITE_PENDING)
            continue;
        assert_true(count < 64);
        lines[count++] = wish_text(invite->email, invite->role, &invite->projects);
    }
    qsort(lines, count, sizeof *lines, compare_texts);
    _cleanup_free_ char *text = strdup("");
    for (size_t i = 0; i < count; i++) {
        append(&text, memory_format("%s\n", lines[i]));
        free(lines[i]);
    }
    unit_assert_text(text, expected);
}

void assert_users(const struct world *world, const char *expected)
{
    _cleanup_free_ char *text = strdup("");
    for (size_t i = 0; i < world->user_count; i++) {
        const struct user *user = &world->users[i].user;
        if (world->users[i].gone_at == 0)
            append(&text, memory_format("%s %s %s\n", user->id, user->email ? user->email : "-",
                                        role_word(user->role)));
    }
    unit_assert_text(text, expected);
}

void assert_wish(const struct world *world, const char *email, const char *role,
                 const char *projects, const char *expected)
{
    static const char *const states[] = {"none", "begun", "unknown", "answered", "refused"};
    struct projects list = unit_projects(projects);
    const struct ledger_wish *wish = ledger_find(world->ledger, email, role_parse(role), &list);
    projects_clear(&list);
    _cleanup_free_ char *text =
        wish ? memory_format("%s mailed %u%s%s%s%s", states[wish->state], wish->mailed,
                             wish->seen ? " seen" : "", wish->invite_id ? " " : "",
                             wish->invite_id ? wish->invite_id : "", wish->lost.id ? " lost" : "")
             : strdup("no wish");
    unit_assert_text(text, expected);
}

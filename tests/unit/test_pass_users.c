/* The pass with users: two listings at once, roles and removals, and what it learns from one pass
 * to the next. world.c checks that nobody is removed without a look right before. */
#include "world.h"

#define WORLD  _cleanup_(world_free_pointer) struct world *world = crowded_world()
#define MINUTE (60 * SECOND)

/* A boss who stays, and two users whom the file does not know, on watch by a daemon. */
static struct world *crowded_world(void)
{
    struct world *world = world_new();
    world->params.users_mode = USERS_MANAGE;
    world->params.remove_after = 10 * MINUTE;
    world->params.watch_gap = 20 * MINUTE;
    world->params.observer = "daemon-1";
    world_user(world, "u0", "boss@z", "owner");
    world_user(world, "u1", "ada@x", "reader");
    world_user(world, "u2", "ben@x", "reader");
    world_declare(world, "boss@z", "owner", NULL);
    return world;
}

static void later(struct world *world, uint64_t usec)
{
    world->now.boot += usec;
    world->now.wall += (int64_t)(usec / SECOND);
}

/* Watches until both are due, and forgets what was asked for. */
static void watch_until_due(struct world *world)
{
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x removal-due \nattention ben@x removal-due \n");
    later(world, 10 * MINUTE);
    free(world->log);
    world->log = strdup("");
}

static void assert_failed(const struct world *world, const char *words)
{
    assert_int_equal(pass_end(world->pass), PASS_FAILED);
    if (!strstr(pass_error(world->pass), words))
        fail_msg("not in %s: %s", pass_error(world->pass), words);
}

/* ---- two listings -------------------------------------------------------------------------- */

static void both_are_listed(void **state)
{
    (void)state;
    WORLD;
    world->params.users_mode = USERS_OBSERVE;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "attention ada@x user-undeclared \nattention ben@x user-undeclared \n");
    assert_log(world, "list\nlist-users\nsave\n");
    assert_int_equal(world->durable->people, 3);
    assert_true(world_pass(world));
    assert_log(world, "list\nlist-users\n");
    assert_int_equal(pass_requests(world->pass), 2);
    assert_int_equal(listing_users(pass_users(world->pass))->count, 3);
}

static void without_users_none_are_listed(void **state)
{
    (void)state;
    WORLD;
    world->params.users_mode = USERS_OFF;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite boss@z not-invited done new-1\n");
    assert_log(world, "list\nsave\ncreate boss@z owner -\nsave\n");
    assert_null(pass_users(world->pass));
    assert_int_equal(world->durable->people, -1);
    assert_int_equal(world->durable->user_count, 0);
}

static void fill(struct world *world, unsigned invites, unsigned users)
{
    char id[16], email[16];
    for (unsigned i = 0; i < invites; i++) {
        snprintf(id, sizeof id, "i%u", i);
        snprintf(email, sizeof email, "i%u@x", i);
        world_invite(world, id, email, "reader", "pending", NULL);
        world_declare(world, email, "reader", NULL);
    }
    for (unsigned i = 3; i < users; i++) {
        snprintf(id, sizeof id, "u%u", i);
        snprintf(email, sizeof email, "u%u@x", i);
        world_user(world, id, email, "reader");
        world_declare(world, email, "reader", NULL);
    }
}

static void each_costs_a_request_for_each_hundred(void **state)
{
    (void)state;
    static const unsigned cases[][3] = {{0, 3, 2},   {100, 100, 2}, {101, 100, 3},
                                        {0, 101, 3}, {1, 250, 4},   {250, 201, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WORLD;
        world->params.users_mode = USERS_OBSERVE;
        fill(world, cases[i][0], cases[i][1]);
        assert_true(world_pass(world));
        assert_int_equal(pass_end(world->pass), PASS_DONE);
        assert_int_equal(pass_requests(world->pass), cases[i][2]);
        assert_int_equal(listing_users(pass_users(world->pass))->count, cases[i][1]);
        assert_int_equal(world->durable->people, cases[i][1]);
    }
}

static void both_are_listed_at_once(void **state)
{
    (void)state;
    WORLD;
    world->params.users_mode = USERS_OBSERVE;
    world->params.concurrency = 2;
    fill(world, 301, 301);
    uint64_t from = world->now.boot;
    assert_true(world_pass(world));
    assert_int_equal(world->in_flight_most, 2);
    assert_int_equal(pass_requests(world->pass), 8);
    /* As long as the longer one of them. */
    assert_int_equal(world->now.boot - from, 4 * world->latency);
}

/* Each of two listings waits for its own pages; the plan for both. */
static void the_longer_one_is_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        WORLD;
        world->params.concurrency = 4;
        fill(world, i ? 301 : 1, i ? 3 : 301);
        world_declare(world, "new@x", "reader", NULL);
        assert_true(world_pass(world));
        assert_log(world, i ? "list\nlist-users\nlist after i99\nlist after i199\nlist after i299\n"
                              "save\ncreate new@x reader -\nsave\n"
                            : "list\nlist-users\nlist-users after u99\nlist-users after u199\n"
                              "list-users after u299\nsave\ncreate new@x reader -\nsave\n");
    }
}

/* ---- a listing that fails ------------------------------------------------------------------ */

static unsigned passes_of(const struct world *world, const char *id)
{
    const struct ledger_user *user = ledger_find_user(world->ledger, id);
    return user ? user->passes : 0;
}

static void assert_only_lists(struct world *world)
{
    for (const char *line = world->log; line; line = strchr(line, '\n') + 1) {
        if (*line == '\0')
            break;
        if (strncmp(line, "list", 4) != 0)
            fail_msg("more than lists: %s", line);
    }
}

static void forget_log(struct world *world)
{
    free(world->log);
    world->log = strdup("");
}

/* Whatever is wrong with one listing, of whichever kind: nothing is written, nothing is learned. */
static void one_that_fails_fails_the_pass(void **state)
{
    (void)state;
    static const struct {
        const char *after;
        enum answer_kind kind;
        int status;
        unsigned times;
        const char *words;
    } cases[] = {
        {"", ANSWER_UNAVAILABLE, 500, 99, "5 failures in a row"},
        {"", ANSWER_REFUSED, 400, 1, "page 1: fault 400"},
        {"", ANSWER_UNREADABLE, 200, 99, "5 failures in a row"},
        {"99", ANSWER_UNAVAILABLE, 503, 99, "page 2: 5 failures in a row"},
        {"99", ANSWER_REFUSED, 403, 1, "page 2: fault 403"},
        {"99", ANSWER_REFUSED, 401, 1, "page 2: fault 401"},
        {"199", ANSWER_LOST, 0, 99, "page 3: 5 failures in a row"},
    };
    for (size_t i = 0; i < 4 * sizeof cases / sizeof *cases; i++) {
        bool of_users = i % 2 != 0;
        WORLD;
        world->params.remove_after = 0;
        world->params.concurrency = i % 4 < 2 ? 1 : 4;
        fill(world, 250, 250);
        assert_true(world_pass(world));
        forget_log(world);
        world_declare(world, "new@x", "reader", NULL);
        world_invite(world, "rev", "rev@x", "reader", "pending", NULL);
        char after[8];
        snprintf(after, sizeof after, "%s%s", of_users ? "u" : "i", cases[i / 4].after);
        world_fault(world, (struct fault){.call = of_users ? CALL_LIST_USERS : CALL_LIST,
                                          .who = *cases[i / 4].after ? after : "",
                                          .kind = cases[i / 4].kind,
                                          .status = cases[i / 4].status,
                                          .times = cases[i / 4].times});
        later(world, MINUTE);
        assert_true(world_pass(world));
        assert_failed(world, cases[i / 4].words);
        assert_failed(world, of_users ? "the listing of users is not complete"
                                      : "the listing of invites is not complete");
        assert_null(pass_plan(world->pass));
        assert_only_lists(world);
        assert_int_equal(passes_of(world, "u1"), 1);
        assert_int_equal(world->users[1].gone_at, 0);
    }
}

static void a_key_that_may_not_list_users_is_told_so(void **state)
{
    (void)state;
    static const struct {
        enum call call;
        int status;
        const char *words;
    } cases[] = {
        {CALL_LIST_USERS, 401,
         "the key may not list users (fault 401): give it the scope "
         "api.management.read, or set `users` to \"off\""},
        {CALL_LIST_USERS, 403,
         "the key may not list users (fault 403): give it the scope "
         "api.management.read, or set `users` to \"off\""},
        {CALL_LIST_USERS, 404,
         "the service has no users there (fault 404): check the base URL "
         "https://api.example/v1, or set `users` to \"off\""},
        {CALL_LIST, 403,
         "the service refuses the key (fault 403): use an Admin API key with the "
         "scope api.management.read"},
        {CALL_LIST, 404,
         "the service has no invites there (fault 404): check the base URL "
         "https://api.example/v1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WORLD;
        world_fault(world, (struct fault){.call = cases[i].call,
                                          .kind = ANSWER_REFUSED,
                                          .status = cases[i].status});
        world_declare(world, "new@x", "reader", NULL);
        assert_true(world_pass(world));
        assert_int_equal(pass_end(world->pass), PASS_FAILED);
        assert_string_equal(pass_error(world->pass), cases[i].words);
        assert_only_lists(world);
    }
}

static void nobody_at_all_is_not_believed(void **state)
{
    (void)state;
    WORLD;
    for (size_t i = 0; i < 3; i++)
        world->users[i].gone_at = 1;
    world_declare(world, "new@x", "reader", NULL);
    assert_true(world_pass(world));
    assert_failed(world, "the listing of users is not complete");
    assert_failed(world, "somebody has to own the organisation");
    assert_only_lists(world);
}

/* A page that is gone while it is read is asked for once more, as of invites. */
static void a_listing_of_users_that_changes_is_listed_again(void **state)
{
    (void)state;
    WORLD;
    fill(world, 0, 150);
    world_fault(world,
                (struct fault){
                    .call = CALL_LIST_USERS, .who = "u99", .kind = ANSWER_REFUSED, .status = 404});
    assert_true(world_pass(world));
    assert_int_equal(pass_end(world->pass), PASS_DONE);
    assert_log(world, "list\nlist-users\nlist-users after u99\nlist-users after u98\nsave\n");
    assert_int_equal(listing_users(pass_users(world->pass))->count, 150);
}

static void when_most_vanished_nothing_is_learned(void **state)
{
    (void)state;
    WORLD;
    world->params.remove_after = 0;
    fill(world, 0, 20);
    assert_true(world_pass(world));
    forget_log(world);
    for (size_t i = 9; i < 20; i++)
        world->users[i].gone_at = 1;
    world_declare(world, "new@x", "reader", NULL);
    for (int i = 0; i < 2; i++) {
        later(world, MINUTE);
        assert_true(world_pass(world));
        assert_int_equal(pass_end(world->pass), PASS_DONE);
        assert_only_lists(world);
        assert_int_equal(pass_plan(world->pass)->excess[0].limit, LIMIT_USERS_VANISHED);
        assert_int_equal(plan_count_blocked(pass_plan(world->pass)),
                         plan_count(pass_plan(world->pass), ACTION_INVITE));
        /* What was not believed is no measure, and moves nobody nearer to a removal. */
        assert_int_equal(world->ledger->people, 20);
        assert_int_equal(passes_of(world, "u1"), 1);
    }
}

/* ---- removal ------------------------------------------------------------------------------- */

static void nobody_is_removed_in_one_pass(void **state)
{
    (void)state;
    WORLD;
    world->params.remove_after = 0;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x removal-due \nattention ben@x removal-due \n");
    assert_log(world, "list\nlist-users\nsave\n");
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u2\n"
                      "delete-user u2\nsave\n");
    assert_users(world, "u0 boss@z owner\n");
    assert_int_equal(world->durable->people, 1);
    assert_true(ledger_hides(world->durable, "u1", world->now.boot, SETTLE));
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "");
}

static void a_removal_takes_the_time_of_watching(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
}

/* Somebody else lets ada@x in again, so soon that no listing lacked her. */
static void who_was_removed_and_comes_back_starts_over(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    assert_true(world_pass(world));
    assert_users(world, "u0 boss@z owner\n");
    world->users[1].gone_at = 0;
    world->users[1].looked = false;
    later(world, 5 * MINUTE);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x removal-due \n");
    assert_int_equal(pass_plan(world->pass)->lines.items[0].due_in, 10 * MINUTE);
    later(world, 10 * MINUTE);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "remove ada@x user-undeclared done\n");
}

static void a_moment_too_early_is_too_early(void **state)
{
    (void)state;
    WORLD;
    assert_true(world_pass(world));
    /* From the beginning of one listing of users to that of the next. */
    world->now.boot += 10 * MINUTE - 2 * world->latency - 1;
    world->now.wall += 600;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x removal-due \nattention ben@x removal-due \n");
    uint64_t due = pass_plan(world->pass)->lines.items[0].due_in;
    assert_true(due > 0 && due <= 2 * world->latency + 1);
}

/* A process that died in between has not watched. */
static void a_new_process_carries_on_and_adds_nothing(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world_restart(world);
    world->params.observer = "daemon-2";
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x removal-due \nattention ben@x removal-due \n");
    later(world, 10 * MINUTE);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
}

static void passes_by_hand_never_add_up(void **state)
{
    (void)state;
    WORLD;
    world->params.observer = NULL;
    world->params.remove_after = SECOND;
    for (int i = 0; i < 9; i++) {
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     "attention ada@x removal-due \nattention ben@x removal-due \n");
        later(world, MINUTE);
    }
}

/* Passes that do not look at users know all the same whom the file declares. */
static void without_users_nobody_is_watched(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world_declare(world, "ada@x", "reader", NULL);
    world_declare(world, "ben@x", "reader", NULL);
    world->params.users_mode = USERS_OFF;
    assert_true(world_pass(world));
    later(world, MINUTE);
    world_undeclare(world);
    world_declare(world, "boss@z", "owner", NULL);
    world->params.users_mode = USERS_MANAGE;
    assert_true(world_pass(world));
    assert_int_equal(plan_count(pass_plan(world->pass), ACTION_REMOVE), 0);
}

static void only_managing_removes(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        WORLD;
        watch_until_due(world);
        world->params.create_only = way == 0;
        world->params.users_mode = way == 1 ? USERS_OBSERVE : way == 2 ? USERS_OFF : USERS_MANAGE;
        if (way == 2)
            world_undeclare(world);
        assert_true(world_pass(world));
        assert_int_equal(plan_count(pass_plan(world->pass), ACTION_REMOVE), 0);
        assert_users(world, "u0 boss@z owner\nu1 ada@x reader\nu2 ben@x reader\n");
    }
}

static void (*change)(struct user *user);

/* Between the listing and the look, somebody else changes ada@x. */
static void change_before_the_look(struct world *world, const struct request *request)
{
    if (request->call == CALL_RETRIEVE_USER && strcmp(request->user_id, "u1") == 0 && change)
        change(&world->users[1].user);
}

static void rename_user(struct user *user)
{
    assert_int_equal(memory_set(&user->email, "zoe@x"), 0);
}

static void take_email(struct user *user)
{
    assert_int_equal(memory_set(&user->email, NULL), 0);
}

static void promote(struct user *user)
{
    user->role = ROLE_OWNER;
}

static void make_obscure(struct user *user)
{
    user->role = ROLE_UNKNOWN;
}

static void make_service(struct user *user)
{
    user->is_service_account = true;
}

static void make_scim(struct user *user)
{
    user->is_scim_managed = true;
}

static void who_changed_is_not_removed(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct user *user);
        const char *words;
    } cases[] = {{rename_user, "the e-mail of the user has changed; the next pass decides"},
                 {take_email, "the e-mail of the user has changed; the next pass decides"},
                 {promote, "the role of the user has changed; the next pass decides"},
                 {make_obscure, "the role of the user has changed; the next pass decides"},
                 {make_service, "the user is managed elsewhere; the next pass decides"},
                 {make_scim, "the user is managed elsewhere; the next pass decides"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WORLD;
        watch_until_due(world);
        change = cases[i].change;
        world->before = change_before_the_look;
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     "remove ada@x user-undeclared skipped\nremove ben@x user-undeclared done\n");
        assert_log(world, "list\nlist-users\nretrieve-user u1\nretrieve-user u2\ndelete-user u2\n"
                          "save\n");
        assert_string_equal(pass_plan(world->pass)->lines.items[0].error, cases[i].words);
        assert_int_equal(world->durable->people, 2);
    }
}

static void another_user_is_not_removed(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world->mistaken = "u0";
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared skipped\nremove ben@x user-undeclared skipped\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\nretrieve-user u2\nsave\n");
    assert_string_equal(pass_plan(world->pass)->lines.items[0].error,
                        "the service answers for another user; the next pass decides");
}

static void leave_before_the_look(struct world *world, const struct request *request)
{
    if (request->call == CALL_RETRIEVE_USER && strcmp(request->user_id, "u1") == 0)
        world->users[1].gone_at = 1;
}

static void who_is_gone_need_not_be_removed(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world->before = leave_before_the_look;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\nretrieve-user u2\ndelete-user u2\n"
                      "save\n");
    assert_true(ledger_hides(world->durable, "u1", world->now.boot, SETTLE));
}

/* The look says the one, and the delete finds nobody. */
static void gone_between_look_and_removal_is_done(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world_fault(world,
                (struct fault){
                    .call = CALL_DELETE_USER, .who = "u1", .kind = ANSWER_REFUSED, .status = 404});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
}

/* ---- answers that are lost ----------------------------------------------------------------- */

/* ada@x alone is to be removed. */
static void set_up_one_removal(struct world *world)
{
    world->users[2].user.is_service_account = true;
    assert_true(world_pass(world));
    later(world, 10 * MINUTE);
    forget_log(world);
}

static const struct {
    enum answer_kind kind;
    int status;
} doubts[] = {{ANSWER_UNAVAILABLE, 500}, {ANSWER_UNAVAILABLE, 408}, {ANSWER_LOST, 0}};

/* After a removal that had no answer, somebody looks again before anybody is removed. */
static void a_removal_without_an_answer_is_looked_after(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        bool happens = i % 2 != 0;
        WORLD;
        set_up_one_removal(world);
        world_fault(world, (struct fault){.call = CALL_DELETE_USER,
                                          .kind = doubts[i / 2].kind,
                                          .status = doubts[i / 2].status,
                                          .happens = happens});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "remove ada@x user-undeclared done\n");
        assert_log(world, happens ? "list\nlist-users\nretrieve-user u1\ndelete-user u1\n"
                                    "retrieve-user u1\nsave\n"
                                  : "list\nlist-users\nretrieve-user u1\ndelete-user u1\n"
                                    "retrieve-user u1\ndelete-user u1\nsave\n");
        assert_users(world, "u0 boss@z owner\nu2 ben@x reader\n");
    }
}

static void promote_ada(struct world *world)
{
    promote(&world->users[1].user);
}

static void who_changes_after_a_lost_answer_is_not_removed(void **state)
{
    (void)state;
    WORLD;
    set_up_one_removal(world);
    world_fault(world,
                (struct fault){.call = CALL_DELETE_USER, .kind = ANSWER_LOST, .then = promote_ada});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "remove ada@x user-undeclared skipped\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u1\n"
                      "save\n");
}

/* A removal gets three turns; what came of it, the next listing will tell. */
static void a_removal_that_is_never_answered_stays_unknown(void **state)
{
    (void)state;
    WORLD;
    set_up_one_removal(world);
    world_fault(world, (struct fault){.call = CALL_DELETE_USER, .kind = ANSWER_LOST, .times = 99});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "remove ada@x user-undeclared unknown\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u1\n"
                      "delete-user u1\nretrieve-user u1\ndelete-user u1\nsave\n");
    assert_int_equal(world->durable->people, 2);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "remove ada@x user-undeclared unknown\n");
}

/* A look that is never answered has done nothing, and nobody need wonder what came of it. */
static void a_look_that_is_never_answered_has_failed(void **state)
{
    (void)state;
    WORLD;
    set_up_one_removal(world);
    world_fault(world, (struct fault){.call = CALL_RETRIEVE_USER,
                                      .kind = ANSWER_UNAVAILABLE,
                                      .status = 503,
                                      .times = 3});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "remove ada@x user-undeclared failed\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\nretrieve-user u1\nretrieve-user u1\n"
                      "save\n");
    assert_string_equal(pass_plan(world->pass)->lines.items[0].error, "fault 503");
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "remove ada@x user-undeclared done\n");
}

/* What was lost before it was sent, or was only held up, is sent again as it is. */
static void a_removal_that_was_not_done_is_sent_again(void **state)
{
    (void)state;
    static const struct {
        enum answer_kind kind;
        int status;
    } cases[] = {{ANSWER_UNSENT, 0}, {ANSWER_LIMITED, 429}};
    for (size_t i = 0; i < 2; i++) {
        WORLD;
        set_up_one_removal(world);
        world_fault(world, (struct fault){.call = CALL_DELETE_USER,
                                          .kind = cases[i].kind,
                                          .status = cases[i].status});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "remove ada@x user-undeclared done\n");
        assert_log(world, "list\nlist-users\nretrieve-user u1\ndelete-user u1\ndelete-user u1\n"
                          "save\n");
    }
}

/* Who had to wait for the rate limit may have been changed meanwhile: the look is repeated. */
static void a_removal_that_had_to_wait_looks_again(void **state)
{
    (void)state;
    static const struct {
        uint64_t wait;
        unsigned times;
        const char *line, *log;
    } cases[] = {
        {20 * SECOND, 1, "remove ada@x user-undeclared done\n",
         "list\nlist-users\nretrieve-user u1\ndelete-user u1\ndelete-user u1\nsave\n"},
        {31 * SECOND, 1, "remove ada@x user-undeclared done\n",
         "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u1\n"
         "delete-user u1\nsave\n"},
        {31 * SECOND, 99, "remove ada@x user-undeclared failed\n",
         "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u1\n"
         "delete-user u1\nretrieve-user u1\ndelete-user u1\nsave\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WORLD;
        set_up_one_removal(world);
        world_fault(world, (struct fault){.call = CALL_DELETE_USER,
                                          .kind = ANSWER_LIMITED,
                                          .status = 429,
                                          .retry_after = cases[i].wait,
                                          .times = cases[i].times});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, cases[i].line);
        assert_log(world, cases[i].log);
    }
}

static uint64_t looked_at, removed_at;

static void note_when(struct world *world, const struct request *request)
{
    if (request->call == CALL_RETRIEVE_USER && strcmp(request->user_id, "u2") == 0)
        looked_at = world->now.boot;
    if (request->call == CALL_DELETE_USER && strcmp(request->user_id, "u2") == 0)
        removed_at = world->now.boot;
}

/* The same where it was the request of another that met the limit, or a failure. */
static void who_waits_for_others_is_looked_at_again(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        WORLD;
        watch_until_due(world);
        world->params.concurrency = 2;
        world->before = note_when;
        world_fault(world, (struct fault){.call = CALL_RETRIEVE_USER,
                                          .who = "u1",
                                          .kind = way ? ANSWER_UNAVAILABLE : ANSWER_LIMITED,
                                          .status = way ? 503 : 429,
                                          .retry_after = 100 * SECOND});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
        assert_true(removed_at - looked_at < 10 * SECOND);
    }
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void a_refused_removal_is_told(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world_fault(world,
                (struct fault){
                    .call = CALL_DELETE_USER, .who = "u1", .kind = ANSWER_REFUSED, .status = 400});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared failed\nremove ben@x user-undeclared done\n");
    assert_log(world, "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u1\n"
                      "retrieve-user u2\ndelete-user u2\nsave\n");
    assert_string_equal(pass_plan(world->pass)->lines.items[0].error,
                        "the user is still there after the removal (fault 400)");
}

/* 2xx and nonsense, or a refusal of what has happened all the same. */
static void a_doubtful_answer_is_looked_after(void **state)
{
    (void)state;
    static const struct {
        enum answer_kind kind;
        int status;
    } cases[] = {{ANSWER_UNREADABLE, 200}, {ANSWER_REFUSED, 409}};
    for (size_t i = 0; i < 2; i++) {
        WORLD;
        set_up_one_removal(world);
        world_fault(world, (struct fault){.call = CALL_DELETE_USER,
                                          .kind = cases[i].kind,
                                          .status = cases[i].status,
                                          .happens = true});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "remove ada@x user-undeclared done\n");
        assert_log(world, "list\nlist-users\nretrieve-user u1\ndelete-user u1\nretrieve-user u1\n"
                          "save\n");
    }
}

static void a_key_that_may_not_write_ends_the_writing(void **state)
{
    (void)state;
    static const enum call calls[] = {CALL_DELETE_USER, CALL_SET_ROLE};
    for (size_t i = 0; i < 4; i++) {
        bool role = i >= 2;
        WORLD;
        if (role) {
            world_declare(world, "ada@x", "owner", NULL);
            world_declare(world, "ben@x", "owner", NULL);
        } else {
            watch_until_due(world);
        }
        world_fault(world, (struct fault){.call = calls[i / 2],
                                          .kind = ANSWER_REFUSED,
                                          .status = i % 2 ? 401 : 403});
        assert_true(world_pass(world));
        assert_failed(world, "the key may not write, it needs the scope api.management.write");
        assert_failed(world, "use a key that may write");
        assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_FAILED), 1);
        assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_SKIPPED), 1);
        assert_users(world, "u0 boss@z owner\nu1 ada@x reader\nu2 ben@x reader\n");
    }
}

static void who_may_not_be_looked_at_is_not_removed(void **state)
{
    (void)state;
    WORLD;
    watch_until_due(world);
    world_fault(
        world, (struct fault){
                   .call = CALL_RETRIEVE_USER, .who = "u1", .kind = ANSWER_REFUSED, .status = 403});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared failed\nremove ben@x user-undeclared done\n");
}

/* ---- roles --------------------------------------------------------------------------------- */

/* ada@x is to be an owner, ben@x to be the reader he is. */
static void set_up_role(struct world *world)
{
    world_declare(world, "ada@x", "owner", NULL);
    world_declare(world, "ben@x", "reader", NULL);
}

static void roles_are_set_both_ways(void **state)
{
    (void)state;
    WORLD;
    world_user(world, "u3", "cem@x", "owner");
    set_up_role(world);
    world_declare(world, "cem@x", "reader", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "set-role ada@x user-role-differs done\nset-role cem@x user-role-differs done\n");
    /* Who is deposed is written down first. */
    assert_log(world, "list\nlist-users\nset-role u1 owner\nsave\nset-role u3 reader\nsave\n");
    assert_users(world, "u0 boss@z owner\nu1 ada@x owner\nu2 ben@x reader\nu3 cem@x reader\n");
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "");
}

/* It does no harm to set a role twice. */
static void a_role_without_an_answer_is_set_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        WORLD;
        set_up_role(world);
        world_fault(world, (struct fault){.call = CALL_SET_ROLE,
                                          .kind = doubts[i / 2].kind,
                                          .status = doubts[i / 2].status,
                                          .happens = i % 2 != 0});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "set-role ada@x user-role-differs done\n");
        assert_log(world, "list\nlist-users\nset-role u1 owner\nset-role u1 owner\nsave\n");
    }
    WORLD;
    set_up_role(world);
    world_fault(world, (struct fault){.call = CALL_SET_ROLE, .kind = ANSWER_LOST, .times = 99});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "set-role ada@x user-role-differs unknown\n");
}

static void refused_roles_are_looked_after(void **state)
{
    (void)state;
    static const struct {
        enum answer_kind kind;
        int status;
        bool happens;
        const char *result, *error, *look;
    } cases[] = {
        {ANSWER_REFUSED, 400, false, "failed", "the user still has the old role (fault 400)",
         "retrieve-user u1\n"},
        {ANSWER_REFUSED, 409, true, "done", NULL, "retrieve-user u1\n"},
        {ANSWER_UNREADABLE, 200, false, "failed", "the user still has the old role (fault 200)",
         "retrieve-user u1\n"},
        {ANSWER_UNREADABLE, 200, true, "done", NULL, "retrieve-user u1\n"},
        {ANSWER_REFUSED, 404, false, "skipped", "the user is gone; the next pass decides", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WORLD;
        set_up_role(world);
        world_fault(world, (struct fault){.call = CALL_SET_ROLE,
                                          .kind = cases[i].kind,
                                          .status = cases[i].status,
                                          .happens = cases[i].happens});
        assert_true(world_pass(world));
        _cleanup_free_ char *line =
            memory_format("set-role ada@x user-role-differs %s\n", cases[i].result);
        _cleanup_free_ char *log =
            memory_format("list\nlist-users\nset-role u1 owner\n%ssave\n", cases[i].look);
        assert_ended(world, PASS_DONE, line);
        assert_log(world, log);
        const char *error = pass_plan(world->pass)->lines.items[0].error;
        assert_string_equal(error ? error : "", cases[i].error ? cases[i].error : "");
    }
}

/* A service that says yes, and shows the old role. */
static void an_answer_with_the_old_role_is_no_success(void **state)
{
    (void)state;
    WORLD;
    set_up_role(world);
    world->mistaken = "u2";
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "set-role ada@x user-role-differs failed\n");
}

/* ---- order, stops and deaths --------------------------------------------------------------- */

static void users_come_after_invites(void **state)
{
    (void)state;
    WORLD;
    set_up_one_removal(world);
    world_declare(world, "new@x", "reader", NULL);
    world_user(world, "u3", "cem@x", "owner");
    world_declare(world, "cem@x", "reader", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "boss@z", "reader", "pending", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "invite new@x not-invited done new-1\n"
                 "revoke ada@x undeclared done i1\n"
                 "revoke boss@z already-member done i2\n"
                 "set-role cem@x user-role-differs done\n"
                 "remove ada@x user-undeclared done\n");
    assert_log(world, "list\nlist-users\nsave\ncreate new@x reader -\ndelete i1\ndelete i2\n"
                      "save\nset-role u3 reader\nretrieve-user u1\ndelete-user u1\nsave\n");
}

/*
 * One process makes ada@x a reader and dies, or removes her; the next one is told to depose the
 * boss by a listing that lags. Between them they must not leave an organisation that nobody owns.
 */
static void two_processes_do_not_depose_everybody(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 28; at++) {
        bool removes = at % 2 != 0;
        WORLD;
        world->params.remove_after = 0;
        world->lag = 40 * SECOND;
        world->users[1].user.role = ROLE_OWNER;
        world->users[2].user.is_service_account = true;
        if (!removes)
            world_declare(world, "ada@x", "reader", NULL);
        else
            assert_true(world_pass(world));
        world->kill_at = at / 2;
        (void)world_pass(world);
        world_restart(world);
        world_undeclare(world);
        world_declare(world, "boss@z", "reader", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        for (int pass = 0; pass < 2; pass++) {
            assert_true(world_pass(world));
            size_t owners = 0;
            for (size_t i = 0; i < 2; i++)
                owners += world->users[i].gone_at == 0 && world->users[i].user.role == ROLE_OWNER;
            if (owners == 0)
                fail_msg("killed at step %u, nobody owns it", at / 2);
        }
    }
}

/*
 * ada@x was made a reader a moment ago, and the listing of users lags. That of invites is begun
 * anew much later, after an answer of 429 or a failure: how old the one of users is does not
 * change.
 */
static void each_listing_lags_by_its_own_age(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        WORLD;
        world->params.concurrency = 4;
        world->lag = 50 * SECOND;
        world->users[1].user.role = ROLE_OWNER;
        world->users[2].user.is_service_account = true;
        world_declare(world, "ada@x", "reader", NULL);
        assert_true(world_pass(world));
        assert_users(world, "u0 boss@z owner\nu1 ada@x reader\nu2 ben@x reader\n");
        world_undeclare(world);
        world_declare(world, "boss@z", "reader", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        later(world, 10 * SECOND);
        world_fault(world, (struct fault){.call = CALL_LIST,
                                          .kind = way ? ANSWER_UNAVAILABLE : ANSWER_LIMITED,
                                          .status = way ? 503 : 429,
                                          .retry_after = 70 * SECOND});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "attention boss@z last-owner \n");
        assert_users(world, "u0 boss@z owner\nu1 ada@x reader\nu2 ben@x reader\n");
    }
}

/* Wherever it is told to stop, nobody is removed afterwards without a look, and it ends. */
static void a_stop_is_a_stop(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 20; at++) {
        WORLD;
        watch_until_due(world);
        world->stop_at = at;
        assert_true(world_pass(world));
        const struct plan *plan = pass_plan(world->pass);
        size_t done = plan ? plan_count_result(plan, RESULT_DONE) : 0;
        size_t skipped = plan ? plan_count_result(plan, RESULT_SKIPPED) : 0;
        if (pass_end(world->pass) == PASS_DONE)
            assert_int_equal(done, 2);
        else if (plan && done + skipped > 0)
            assert_int_equal(done + skipped, 2);
        size_t there = 0;
        for (size_t i = 0; i < world->user_count; i++)
            there += world->users[i].gone_at == 0;
        assert_int_equal(there, 3 - done);
    }
}

/* Wherever it dies, the next process ends what was begun, and nothing more. */
static void a_death_leaves_nothing_undone(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 24; at++) {
        WORLD;
        world->params.remove_after = 0;
        watch_until_due(world);
        world_declare(world, "cem@x", "owner", NULL);
        world_user(world, "u3", "cem@x", "reader");
        world->kill_at = at;
        world->kill_unsent = at % 2 != 0;
        (void)world_pass(world);
        world_restart(world);
        world->params.observer = "daemon-2";
        for (int i = 0; i < 2; i++) {
            later(world, MINUTE);
            assert_true(world_pass(world));
            assert_int_equal(pass_end(world->pass), PASS_DONE);
        }
        assert_users(world, "u0 boss@z owner\nu3 cem@x owner\n");
    }
}

/* ---- approval ------------------------------------------------------------------------------ */

static void an_approval_removes_what_was_blocked_once(void **state)
{
    (void)state;
    WORLD;
    world->limits.removals = 1;
    watch_until_due(world);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared blocked\nremove ben@x user-undeclared blocked\n");
    assert_log(world, "list\nlist-users\nsave\n");
    _cleanup_free_ char *approval = strdup(pass_plan(world->pass)->approval);
    world->params.approval = approval;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "remove ada@x user-undeclared done\nremove ben@x user-undeclared done\n");
    assert_log(world, "list\nlist-users\nsave\nretrieve-user u1\ndelete-user u1\n"
                      "retrieve-user u2\ndelete-user u2\nsave\n");
    assert_int_equal(world->durable->approvals_used, 1);
}

/* Those who come back under other ids were never seen before. */
static void an_approval_is_not_for_others_of_that_name(void **state)
{
    (void)state;
    WORLD;
    world->limits.removals = 0;
    watch_until_due(world);
    assert_true(world_pass(world));
    _cleanup_free_ char *approval = strdup(pass_plan(world->pass)->approval);
    world->users[1].gone_at = 1;
    world_user(world, "u7", "ada@x", "reader");
    world->params.approval = approval;
    assert_true(world_pass(world));
    assert_true(pass_approval_misfits(world->pass));
    assert_ended(world, PASS_DONE,
                 "remove ben@x user-undeclared blocked\nattention ada@x removal-due \n");
}

/* ---- members who left ---------------------------------------------------------------------- */

/* ada@x accepted long ago, and is no user any more. */
static void set_up_left(struct world *world)
{
    world->users[1].gone_at = 1;
    world->users[2].user.is_service_account = true;
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "i1", "ada@x", "reader", "accepted", NULL);
    world->stored[0].invite.accepted_at = world->now.wall - 3601;
}

static void who_left_is_invited_again(void **state)
{
    (void)state;
    WORLD;
    set_up_left(world);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x member-left done new-1\n");
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "");
    assert_int_equal(world_mails(world, "ada@x"), 1);
}

/* The invite that was accepted before proves nothing of the new one. */
static void an_old_acceptance_does_not_prove_a_create(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        bool happens = i % 2 != 0;
        WORLD;
        set_up_left(world);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .kind = doubts[i / 2].kind,
                                          .status = doubts[i / 2].status,
                                          .happens = happens});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "invite ada@x member-left done new-1\n");
        assert_log(world, happens ? "list\nlist-users\nsave\ncreate ada@x reader -\nlist\nsave\n"
                                  : "list\nlist-users\nsave\ncreate ada@x reader -\nlist\nsave\n"
                                    "create ada@x reader -\nsave\n");
        assert_int_equal(world_mails(world, "ada@x"), 1);
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "");
    }
}

static void accept_the_old_one(struct world *world)
{
    world->stored[1].invite.status = INVITE_ACCEPTED;
    world->stored[1].invite.accepted_at = world->now.wall;
}

/* The create is lost, and meanwhile somebody accepts an invite that is older than the first. */
static void who_accepts_an_old_invite_meanwhile_is_not_invited_again(void **state)
{
    (void)state;
    WORLD;
    set_up_left(world);
    world_invite(world, "i0", "ada@x", "owner", "expired", NULL);
    world->stored[1].invite.created_at = world->stored[0].invite.created_at - 1;
    world_fault(world, (struct fault){
                           .call = CALL_CREATE, .kind = ANSWER_LOST, .then = accept_the_old_one});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x member-left failed\n");
    assert_int_equal(world_mails(world, "ada@x"), 0);
}

static void an_expired_invite_makes_way_for_who_left(void **state)
{
    (void)state;
    WORLD;
    set_up_left(world);
    world_invite(world, "i2", "ada@x", "reader", "expired", NULL);
    world->insists = true;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x member-left done new-1\n");
    assert_log(world, "list\nlist-users\nsave\ncreate ada@x reader -\nretrieve i2\ndelete i2\n"
                      "save\ncreate ada@x reader -\nsave\n");
}

/* Who leaves again and again is mailed as often as one wish may be. */
static void who_leaves_for_ever_is_not_mailed_for_ever(void **state)
{
    (void)state;
    WORLD;
    set_up_left(world);
    for (int i = 0; i < 8; i++) {
        assert_true(world_pass(world));
        later(world, 2 * 60 * MINUTE);
        for (size_t s = 0; s < world->stored_count; s++) {
            if (world->stored[s].invite.status != INVITE_PENDING)
                continue;
            world->stored[s].invite.status = INVITE_ACCEPTED;
            world->stored[s].invite.accepted_at = world->now.wall - 4000;
        }
    }
    assert_ended(world, PASS_DONE, "attention ada@x renewals-exhausted \n");
    assert_int_equal(world_mails(world, "ada@x"), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_listed),
        cmocka_unit_test(without_users_none_are_listed),
        cmocka_unit_test(each_costs_a_request_for_each_hundred),
        cmocka_unit_test(both_are_listed_at_once),
        cmocka_unit_test(the_longer_one_is_waited_for),
        cmocka_unit_test(one_that_fails_fails_the_pass),
        cmocka_unit_test(a_key_that_may_not_list_users_is_told_so),
        cmocka_unit_test(nobody_at_all_is_not_believed),
        cmocka_unit_test(a_listing_of_users_that_changes_is_listed_again),
        cmocka_unit_test(when_most_vanished_nothing_is_learned),
        cmocka_unit_test(nobody_is_removed_in_one_pass),
        cmocka_unit_test(a_removal_takes_the_time_of_watching),
        cmocka_unit_test(who_was_removed_and_comes_back_starts_over),
        cmocka_unit_test(a_moment_too_early_is_too_early),
        cmocka_unit_test(a_new_process_carries_on_and_adds_nothing),
        cmocka_unit_test(passes_by_hand_never_add_up),
        cmocka_unit_test(without_users_nobody_is_watched),
        cmocka_unit_test(only_managing_removes),
        cmocka_unit_test(who_changed_is_not_removed),
        cmocka_unit_test(another_user_is_not_removed),
        cmocka_unit_test(who_is_gone_need_not_be_removed),
        cmocka_unit_test(gone_between_look_and_removal_is_done),
        cmocka_unit_test(a_removal_without_an_answer_is_looked_after),
        cmocka_unit_test(who_changes_after_a_lost_answer_is_not_removed),
        cmocka_unit_test(a_removal_that_is_never_answered_stays_unknown),
        cmocka_unit_test(a_look_that_is_never_answered_has_failed),
        cmocka_unit_test(a_removal_that_was_not_done_is_sent_again),
        cmocka_unit_test(a_removal_that_had_to_wait_looks_again),
        cmocka_unit_test(who_waits_for_others_is_looked_at_again),
        cmocka_unit_test(a_refused_removal_is_told),
        cmocka_unit_test(a_doubtful_answer_is_looked_after),
        cmocka_unit_test(a_key_that_may_not_write_ends_the_writing),
        cmocka_unit_test(who_may_not_be_looked_at_is_not_removed),
        cmocka_unit_test(roles_are_set_both_ways),
        cmocka_unit_test(a_role_without_an_answer_is_set_again),
        cmocka_unit_test(refused_roles_are_looked_after),
        cmocka_unit_test(an_answer_with_the_old_role_is_no_success),
        cmocka_unit_test(users_come_after_invites),
        cmocka_unit_test(two_processes_do_not_depose_everybody),
        cmocka_unit_test(each_listing_lags_by_its_own_age),
        cmocka_unit_test(a_stop_is_a_stop),
        cmocka_unit_test(a_death_leaves_nothing_undone),
        cmocka_unit_test(an_approval_removes_what_was_blocked_once),
        cmocka_unit_test(an_approval_is_not_for_others_of_that_name),
        cmocka_unit_test(who_left_is_invited_again),
        cmocka_unit_test(an_old_acceptance_does_not_prove_a_create),
        cmocka_unit_test(who_accepts_an_old_invite_meanwhile_is_not_invited_again),
        cmocka_unit_test(an_expired_invite_makes_way_for_who_left),
        cmocka_unit_test(who_leaves_for_ever_is_not_mailed_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

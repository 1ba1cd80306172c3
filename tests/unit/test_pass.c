/* The pass, driven against a service in memory: what it asks for, in which order, and what it
 * remembers. world.c checks at each request what must always hold. */
#include "world.h"

#define WORLD _cleanup_(world_free_pointer) struct world *world = world_new()

/* ---- when all goes well -------------------------------------------------------------------- */

static void nothing_to_do_costs_one_listing(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", "a");
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "");
    assert_log(world, "list\nsave\n"); /* it learned the organisation */
    assert_string_equal(world->durable->organization, "org-1");
    assert_string_equal(world->durable->base_url, "https://api.example/v1");
    assert_int_equal(world->durable->live, 1);
    assert_true(world_pass(world));
    assert_log(world, "list\n");
    assert_int_equal(pass_requests(world->pass), 1);
}

static void every_action_in_its_order(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "rev@x", "reader", "pending", NULL);
    world_invite(world, "i2", "rep@x", "reader", "pending", "a");
    world_invite(world, "i3", "ren@x", "reader", "expired", NULL);
    world_invite(world, "i4", "acc@x", "reader", "accepted", NULL);
    world_declare(world, "rep@x", "owner", "a b:owner");
    world_declare(world, "ren@x", "reader", NULL);
    world_declare(world, "zoe@x", "reader", "");
    world_declare(world, "bob@x", "reader", NULL);
    world_declare(world, "acc@x", "reader", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "invite bob@x not-invited done new-1\n"
                 "invite zoe@x not-invited done new-2\n"
                 "renew ren@x invite-expired done new-3\n"
                 "replace rep@x role-differs done new-4\n"
                 "revoke rev@x undeclared done i1\n");
    assert_log(world, "list\n"
                      "save\n"
                      "create bob@x reader -\n"
                      "create zoe@x reader []\n"
                      "create ren@x reader -\n"
                      "delete i2\n"
                      "create rep@x owner [a:member b:owner]\n"
                      "delete i1\n"
                      "save\n");
    assert_there(world, "bob@x reader -\nren@x reader -\nrep@x owner [a:member b:owner]\n"
                        "zoe@x reader []\n");
    assert_wish(world, "bob@x", "reader", NULL, "answered mailed 1 new-1");
    assert_wish(world, "rep@x", "owner", "a b:owner", "answered mailed 1 new-4");
    assert_true(ledger_hides(world->durable, "i1", world->now.boot, SETTLE));
    assert_true(ledger_hides(world->durable, "i2", world->now.boot, SETTLE));
    assert_int_equal(pass_requests(world->pass), 7);

    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "");
    assert_log(world, "list\nsave\n"); /* they were seen now */
    assert_wish(world, "bob@x", "reader", NULL, "answered mailed 1 seen new-1");
}

static void a_listing_costs_a_request_for_each_hundred(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 99, 100, 101, 200, 250};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        WORLD;
        for (unsigned i = 0; i < counts[c]; i++) {
            char id[16], email[16];
            snprintf(id, sizeof id, "i%u", i);
            snprintf(email, sizeof email, "p%u@x", i);
            world_invite(world, id, email, "reader", "pending", NULL);
            world_declare(world, email, "reader", NULL);
        }
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "");
        assert_int_equal(pass_requests(world->pass), counts[c] == 0 ? 1 : (counts[c] + 99) / 100);
        assert_int_equal(listing_invites(pass_listing(world->pass))->count, counts[c]);
    }
}

static void a_plan_alone_writes_nothing(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world->plan_only = true;
    assert_true(world_pass(world));
    assert_log(world, "list\n");
    assert_int_equal(pass_plan(world->pass)->lines.count, 1);
    assert_int_equal(pass_end(world->pass), PASS_GOING_ON);
}

static void no_more_in_flight_than_allowed(void **state)
{
    (void)state;
    for (unsigned concurrency = 1; concurrency <= 8; concurrency++) {
        WORLD;
        world->params.concurrency = concurrency;
        for (unsigned i = 0; i < 40; i++) {
            char id[16], email[16];
            snprintf(id, sizeof id, "i%u", i);
            snprintf(email, sizeof email, "p%u@x", i);
            if (i % 4 != 0)
                world_invite(world, id, email, "reader", i % 4 == 1 ? "expired" : "pending", NULL);
            if (i % 4 != 3)
                world_declare(world, email, i % 4 == 2 ? "owner" : "reader", NULL);
        }
        assert_true(world_pass(world));
        assert_int_equal(world->in_flight_most, concurrency);
        assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_DONE), 40);
        assert_int_equal(pass_requests(world->pass), 1 + 40 + 10);
        assert_int_equal(world_most_mails(world), 1);
        /* Saves are shared: one ahead of each few creates, not one each. */
        assert_true(world->saves <= 30 / (concurrency * 4) + 4);
    }
}

/* ---- creates whose outcome is unknown ------------------------------------------------------ */

static const struct {
    enum answer_kind kind;
    int status;
} doubts[] = {{ANSWER_UNAVAILABLE, 500},
              {ANSWER_UNAVAILABLE, 504},
              {ANSWER_UNAVAILABLE, 408},
              {ANSWER_LOST, 0},
              {ANSWER_UNREADABLE, 200}};

static void an_unknown_outcome_that_is_shown_is_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        WORLD;
        world->lag = 30 * SECOND;
        world_declare(world, "ada@x", "reader", NULL);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .kind = doubts[i].kind,
                                          .status = doubts[i].status,
                                          .happens = true});
        uint64_t from = world->now.boot;
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
        assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\n");
        assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 seen new-1");
        assert_int_equal(world_mails(world, "ada@x"), 1);
        assert_true(world->now.boot - from < SETTLE + SECOND);
    }
}

static void an_unknown_outcome_that_is_not_shown_is_sent_once_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        WORLD;
        world->lag = 30 * SECOND;
        world_declare(world, "ada@x", "reader", NULL);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .kind = doubts[i].kind,
                                          .status = doubts[i].status});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
        assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\ncreate ada@x reader -\n"
                          "save\n");
        assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 new-1");
    }
}

static void unknown_twice_stays_unknown_until_a_later_pass(void **state)
{
    (void)state;
    WORLD;
    world->lag = 30 * SECOND;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST});
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited unknown\n");
    assert_wish(world, "ada@x", "reader", NULL, "unknown mailed 0");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\ncreate ada@x reader -\n"
                      "save\n");
    /* The next pass, at once: the listing lags still. */
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
    assert_log(world, "list\nlist\nsave\n");
    assert_int_equal(world_mails(world, "ada@x"), 1);
    assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 seen new-1");
}

/* Two creates are given up on at different times: the look waits for the later one. */
static void the_look_waits_for_the_last_unknown(void **state)
{
    (void)state;
    WORLD;
    world->latency = 10 * SECOND;
    world_declare(world, "ada@x", "reader", NULL);
    world_declare(world, "bob@x", "reader", NULL);
    world_declare(world, "eve@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .times = 3});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "invite ada@x not-invited done new-1\n"
                 "invite bob@x not-invited done new-2\n"
                 "invite eve@x not-invited done new-3\n");
    assert_int_equal(pass_requests(world->pass), 1 + 3 + 1 + 3);
}

static void what_was_not_sent_is_sent_without_a_look(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_UNSENT, .times = 3});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\ncreate ada@x reader -\n"
                      "create ada@x reader -\ncreate ada@x reader -\nsave\n");
    assert_int_equal(world_mails(world, "ada@x"), 1);
}

/*
 * The listing still shows the invite that was revoked a moment ago, and the create for the same
 * wish has an unknown outcome. The old one proves nothing.
 */
static void a_deleted_invite_does_not_prove_a_create(void **state)
{
    (void)state;
    WORLD;
    world->lag = 50 * SECOND;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "revoke ada@x undeclared done i1\n");
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true});
    world->stop_at = 7; /* with the create in flight */
    world_pass(world);
    assert_wish(world, "ada@x", "reader", NULL, "unknown mailed 0");
    world->stop_at = 0;
    for (int i = 0; i < 3; i++)
        assert_true(world_pass(world));
    assert_int_equal(world_mails(world, "ada@x"), 1);
    assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 seen new-1");
}

static void invite_ada_as_owner(struct world *world)
{
    world_invite(world, "else-1", "ada@x", "owner", "pending", NULL);
}

/* Proven not to have happened, but somebody else invited the person meanwhile, and otherwise. */
static void nothing_is_sent_again_beside_another_invite(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){
                           .call = CALL_CREATE, .kind = ANSWER_LOST, .then = invite_ada_as_owner});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited failed\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\n");
    assert_wish(world, "ada@x", "reader", NULL, "none mailed 0");
}

/* ---- limits of the service ----------------------------------------------------------------- */

static void limited_is_sent_again_after_the_hint(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE,
                                      .kind = ANSWER_LIMITED,
                                      .status = 429,
                                      .times = 3,
                                      .retry_after = 7 * SECOND});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\ncreate ada@x reader -\n"
                      "create ada@x reader -\ncreate ada@x reader -\nsave\n");
    for (size_t i = 2; i < world->sent_count; i++)
        assert_true(world->sent_at[i] - world->sent_at[i - 1] >= 7 * SECOND);
    assert_int_equal(pass_limited(world->pass), 3);
    assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 new-1");
}

/* The second page is limited several times over: each answer brakes. */
static void every_page_brakes(void **state)
{
    (void)state;
    for (int hint = 0; hint < 2; hint++) {
        WORLD;
        for (unsigned i = 0; i < 150; i++) {
            char id[16], email[16];
            snprintf(id, sizeof id, "i%u", i);
            snprintf(email, sizeof email, "p%u@x", i);
            world_invite(world, id, email, "reader", "pending", NULL);
            world_declare(world, email, "reader", NULL);
        }
        world_fault(world, (struct fault){.call = CALL_LIST,
                                          .who = "i99",
                                          .kind = ANSWER_LIMITED,
                                          .status = 429,
                                          .times = 4,
                                          .retry_after = hint ? 5 * SECOND : PACE_NEVER});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "");
        assert_int_equal(world->sent_count, 6);
        uint64_t least = SECOND / 10;
        for (size_t i = 2; i < 6; i++) {
            uint64_t gap = world->sent_at[i] - world->sent_at[i - 1];
            assert_true(gap >= (hint ? 5 * SECOND : least));
            least *= 4;
        }
    }
}

static void a_limit_on_a_page_that_does_not_lift_ends_the_pass(void **state)
{
    (void)state;
    WORLD;
    for (unsigned i = 0; i < 150; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%u", i);
        world_invite(world, id, "ada@x", "reader", "pending", NULL);
    }
    world_fault(
        world,
        (struct fault){
            .call = CALL_LIST, .who = "i99", .kind = ANSWER_LIMITED, .status = 429, .times = 1000});
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED, "");
    assert_true(world->sent_count < 20);
}

static void a_limit_that_does_not_lift_ends_the_pass(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(
        world,
        (struct fault){.call = CALL_CREATE, .kind = ANSWER_LIMITED, .status = 429, .times = 1000});
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED, "invite ada@x not-invited failed\n");
    assert_int_equal(pass_limited(world->pass), 13);
    assert_wish(world, "ada@x", "reader", NULL, "none mailed 0");
}

static void a_hopeless_limit_ends_the_pass(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_declare(world, "bob@x", "reader", NULL);
    world_fault(world,
                (struct fault){
                    .call = CALL_CREATE, .kind = ANSWER_LIMITED, .status = 429, .hopeless = true});
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED,
                 "invite ada@x not-invited failed\ninvite bob@x not-invited skipped\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nsave\n");
}

static void nobody_waits_an_hour(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE,
                                      .kind = ANSWER_LIMITED,
                                      .status = 429,
                                      .retry_after = 3600 * SECOND});
    uint64_t from = world->now.boot;
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED, "invite ada@x not-invited failed\n");
    assert_true(world->now.boot - from < SECOND);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void a_key_that_may_not_write_ends_the_writing(void **state)
{
    (void)state;
    static const int statuses[] = {401, 403};
    for (size_t i = 0; i < 2; i++) {
        WORLD;
        world_declare(world, "ada@x", "reader", NULL);
        world_declare(world, "bob@x", "reader", NULL);
        world_invite(world, "i1", "eve@x", "reader", "pending", NULL);
        world_fault(world, (struct fault){
                               .call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = statuses[i]});
        assert_true(world_pass(world));
        assert_ended(world, PASS_FAILED,
                     "invite ada@x not-invited failed\n"
                     "invite bob@x not-invited skipped\n"
                     "revoke eve@x undeclared skipped\n");
        assert_log(world, "list\nsave\ncreate ada@x reader -\nsave\n");
        assert_wish(world, "ada@x", "reader", NULL, "none mailed 0");
        assert_wish(world, "bob@x", "reader", NULL, "none mailed 0");
        /* Nothing of it keeps the next pass from trying. */
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     "invite ada@x not-invited done new-1\n"
                     "invite bob@x not-invited done new-2\n"
                     "revoke eve@x undeclared done i1\n");
    }
}

static void a_delete_that_is_forbidden_ends_the_writing(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "owner", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "eve@x", "reader", "pending", NULL);
    world_fault(world, (struct fault){.call = CALL_DELETE, .kind = ANSWER_REFUSED, .status = 403});
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED,
                 "replace ada@x role-differs failed\nrevoke eve@x undeclared skipped\n");
    assert_log(world, "list\nsave\ndelete i1\nsave\n");
    assert_wish(world, "ada@x", "owner", NULL, "none mailed 0");
}

static void a_refused_create_is_looked_at_and_the_others_go_on(void **state)
{
    (void)state;
    static const int statuses[] = {400, 404, 409, 422};
    for (size_t i = 0; i < 4; i++) {
        WORLD;
        world_declare(world, "ada@x", "reader", NULL);
        world_declare(world, "bob@x", "reader", NULL);
        world_fault(world, (struct fault){
                               .call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = statuses[i]});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     "invite ada@x not-invited failed\ninvite bob@x not-invited done new-1\n");
        assert_log(world, "list\nsave\ncreate ada@x reader -\ncreate bob@x reader -\nlist\nsave\n");
        assert_wish(world, "ada@x", "reader", NULL, "refused mailed 0");
        /* Not again for a day, unless the wish changes. */
        world->now.boot += 3600 * SECOND;
        world->now.wall += 3600;
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "attention ada@x create-refused \n");
        world->now.wall += 86400 - 3600;
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-2\n");
    }
}

static void invite_ada(struct world *world)
{
    world_invite(world, "else-1", "ada@x", "reader", "pending", NULL);
}

static void a_refused_create_that_another_hand_made_is_done(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(
        world, (struct fault){
                   .call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 409, .then = invite_ada});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done else-1\n");
    assert_int_equal(world_mails(world, "ada@x"), 0);
}

/* ---- renewals ------------------------------------------------------------------------------ */

static void a_renewal_deletes_only_when_the_service_insists(void **state)
{
    (void)state;
    WORLD;
    world->insists = true;
    world_invite(world, "i1", "ada@x", "reader", "expired", NULL);
    world_invite(world, "i2", "ada@x", "reader", "expired", NULL);
    world_declare(world, "ada@x", "reader", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "renew ada@x invite-expired done new-1\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nretrieve i2\ndelete i2\nsave\n"
                      "create ada@x reader -\nretrieve i1\ndelete i1\nsave\n"
                      "create ada@x reader -\nsave\n");
    assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 new-1");
}

static void a_renewal_counts_as_a_mail_that_was_not_seen_yet(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    for (unsigned mailed = 1; mailed <= 4; mailed++) {
        char id[16], unseen[64], seen[64];
        snprintf(id, sizeof id, "new-%u", mailed);
        snprintf(unseen, sizeof unseen, "answered mailed %u new-%u", mailed, mailed);
        snprintf(seen, sizeof seen, "answered mailed %u seen new-%u", mailed, mailed);
        assert_true(world_pass(world));
        assert_wish(world, "ada@x", "reader", NULL, unseen);
        assert_true(world_pass(world));
        assert_wish(world, "ada@x", "reader", NULL, seen);
        world_turn(world, id, INVITE_EXPIRED);
    }
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x renewals-exhausted \n");
    assert_int_equal(world_mails(world, "ada@x"), 4);
}

static void create_only_never_deletes(void **state)
{
    (void)state;
    WORLD;
    world->insists = true;
    world->params.create_only = true;
    world_invite(world, "i1", "ada@x", "reader", "expired", NULL);
    world_invite(world, "i2", "bob@x", "reader", "pending", NULL);
    world_invite(world, "i3", "eve@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "reader", NULL);
    world_declare(world, "bob@x", "owner", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "renew ada@x invite-expired failed\n"
                 "attention bob@x role-differs \n"
                 "attention eve@x undeclared \n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\n");
    assert_wish(world, "ada@x", "reader", NULL, "refused mailed 0 seen i1");
}

static void accept_i1(struct world *world)
{
    world_turn(world, "i1", INVITE_ACCEPTED);
}

static void a_renewal_does_not_delete_what_was_accepted(void **state)
{
    (void)state;
    WORLD;
    world->insists = true;
    world_invite(world, "i1", "ada@x", "reader", "expired", NULL);
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world,
                (struct fault){
                    .call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400, .then = accept_i1});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "renew ada@x invite-expired failed\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nretrieve i1\nsave\n");
}

/* The service refuses the create because of the expired invite, and will not delete that either. */
static void a_renewal_that_cannot_succeed_ends(void **state)
{
    (void)state;
    for (int unreadable = 0; unreadable < 2; unreadable++) {
        WORLD;
        world->insists = true;
        world_invite(world, "i1", "ada@x", "reader", "expired", NULL);
        world_declare(world, "ada@x", "reader", NULL);
        world_fault(world, (struct fault){.call = CALL_DELETE,
                                          .times = 1000000,
                                          .kind = unreadable ? ANSWER_UNREADABLE : ANSWER_REFUSED,
                                          .status = unreadable ? 200 : 400});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "renew ada@x invite-expired failed\n");
        assert_log(
            world,
            "list\nsave\ncreate ada@x reader -\nretrieve i1\ndelete i1\nretrieve i1\nsave\n");
        assert_wish(world, "ada@x", "reader", NULL, "refused mailed 0 i1");
    }
}

/* ---- deletes and replacements -------------------------------------------------------------- */

static void a_missing_invite_counts_as_deleted(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "bob@x", "reader", "pending", NULL);
    world_declare(world, "bob@x", "owner", NULL);
    world_fault(
        world,
        (struct fault){.call = CALL_DELETE, .who = "i1", .kind = ANSWER_REFUSED, .status = 404});
    world_fault(world, (struct fault){.call = CALL_DELETE,
                                      .who = "i2",
                                      .kind = ANSWER_REFUSED,
                                      .status = 404,
                                      .happens = true});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "replace bob@x role-differs done new-1\nrevoke ada@x undeclared done i1\n");
}

static void a_delete_in_doubt_is_sent_again(void **state)
{
    (void)state;
    for (int happens = 0; happens < 2; happens++) {
        WORLD;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world,
                    (struct fault){
                        .call = CALL_DELETE, .times = 2, .kind = ANSWER_LOST, .happens = happens});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "replace ada@x role-differs done new-1\n");
        assert_log(world, "list\nsave\ndelete i1\ndelete i1\ndelete i1\ncreate ada@x owner -\n"
                          "save\n");
    }
}

static void an_unreadable_delete_is_looked_at(void **state)
{
    (void)state;
    for (int happens = 0; happens < 2; happens++) {
        WORLD;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world, (struct fault){.call = CALL_DELETE,
                                          .kind = ANSWER_UNREADABLE,
                                          .status = 200,
                                          .happens = happens});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     happens ? "replace ada@x role-differs done new-1\n"
                             : "replace ada@x role-differs failed\n");
        assert_log(world, happens ? "list\nsave\ndelete i1\nretrieve i1\ncreate ada@x owner -\n"
                                    "save\n"
                                  : "list\nsave\ndelete i1\nretrieve i1\nsave\n");
        assert_there(world, happens ? "ada@x owner -\n" : "ada@x reader -\n");
    }
}

static void what_was_accepted_meanwhile_is_not_replaced(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "bob@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    world_fault(world, (struct fault){.call = CALL_DELETE,
                                      .who = "i1",
                                      .kind = ANSWER_REFUSED,
                                      .status = 400,
                                      .then = accept_i1});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "replace ada@x role-differs failed\nrevoke bob@x undeclared done i2\n");
    assert_log(world, "list\nsave\ndelete i1\nretrieve i1\ndelete i2\nsave\n");
    assert_wish(world, "ada@x", "owner", NULL, "none mailed 0");
}

static void a_refused_replacement_is_restored(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", "a b:owner");
    world_declare(world, "ada@x", "owner", "c");
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "replace ada@x role-differs failed new-1\n");
    assert_log(world, "list\nsave\ndelete i1\ncreate ada@x owner [c:member]\nsave\n"
                      "create ada@x reader [a:member b:owner]\nsave\n");
    assert_there(world, "ada@x reader [a:member b:owner]\n");
    assert_wish(world, "ada@x", "owner", "c", "refused mailed 0");
    assert_wish(world, "ada@x", "reader", "a b:owner", "answered mailed 1 new-1");
    /* It is not taken away again for a day. */
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x create-refused \n");
}

static void a_restoration_is_tried_once(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    world_fault(
        world,
        (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400, .times = 10});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "replace ada@x role-differs failed\n");
    assert_log(world, "list\nsave\ndelete i1\ncreate ada@x owner -\nsave\ncreate ada@x reader -\n"
                      "save\n");
    assert_wish(world, "ada@x", "owner", NULL, "refused mailed 0");
    assert_wish(world, "ada@x", "reader", NULL, "none mailed 0");
}

static void a_restoration_in_doubt_is_looked_at(void **state)
{
    (void)state;
    for (int happens = 0; happens < 2; happens++) {
        WORLD;
        world->lag = 30 * SECOND;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world,
                    (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400});
        world_fault(world,
                    (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = happens});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "replace ada@x role-differs failed new-1\n");
        assert_there(world, "ada@x reader -\n");
        assert_int_equal(world_mails(world, "ada@x"), 1);
    }
}

static void an_unknown_replacement_is_looked_at(void **state)
{
    (void)state;
    for (int happens = 0; happens < 2; happens++) {
        WORLD;
        world->lag = 30 * SECOND;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world,
                    (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = happens});
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "replace ada@x role-differs done new-1\n");
        assert_log(world, happens ? "list\nsave\ndelete i1\ncreate ada@x owner -\nlist\nsave\n"
                                  : "list\nsave\ndelete i1\ncreate ada@x owner -\nlist\nsave\n"
                                    "create ada@x owner -\nsave\n");
        assert_there(world, "ada@x owner -\n");
    }
}

/* The old invite's projects hold a role that we do not know: it must not be sent. */
static void a_restoration_sends_only_what_is_known(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", "a");
    world->stored[0].invite.projects.items[0].role = PROJECT_ROLE_UNKNOWN;
    world->stored[0].invite.projects.given = false;
    world_declare(world, "ada@x", "owner", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400});
    assert_true(world_pass(world));
    assert_log(world, "list\nsave\ndelete i1\ncreate ada@x owner -\nsave\ncreate ada@x reader -\n"
                      "save\n");
}

static void duplicates_go_before_the_replacement(void **state)
{
    (void)state;
    WORLD;
    world->params.concurrency = 4;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i3", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "revoke ada@x duplicate done i1\n"
                 "revoke ada@x duplicate done i2\n"
                 "replace ada@x role-differs done new-1\n");
    assert_log(world, "list\ndelete i1\ndelete i2\nsave\ndelete i3\ncreate ada@x owner -\nsave\n");
    assert_there(world, "ada@x owner -\n");
}

static void without_the_duplicates_gone_nothing_is_replaced(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    world_fault(
        world,
        (struct fault){.call = CALL_DELETE, .who = "i1", .kind = ANSWER_REFUSED, .status = 400});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "revoke ada@x duplicate failed\nreplace ada@x role-differs skipped\n");
    assert_there(world, "ada@x reader -\nada@x reader -\n");
}

/* ---- giving up ----------------------------------------------------------------------------- */

static void five_failures_in_a_row_end_the_pass(void **state)
{
    (void)state;
    WORLD;
    for (unsigned i = 0; i < 8; i++) {
        char id[16], email[16];
        snprintf(id, sizeof id, "i%u", i);
        snprintf(email, sizeof email, "p%u@x", i);
        world_invite(world, id, email, "reader", "pending", NULL);
    }
    world_fault(
        world,
        (struct fault){.call = CALL_DELETE, .kind = ANSWER_UNAVAILABLE, .status = 503, .times = 4});
    world_fault(
        world,
        (struct fault){
            .call = CALL_DELETE, .skip = 1, .kind = ANSWER_UNAVAILABLE, .status = 503, .times = 5});
    assert_true(world_pass(world));
    assert_int_equal(pass_end(world->pass), PASS_FAILED);
    assert_int_equal(pass_requests(world->pass), 1 + 4 + 1 + 5);
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_DONE), 1);
    /* Each delete has three turns: the first, the third, and the fourth, whose second was the
     * fifth. */
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_UNKNOWN), 3);
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_SKIPPED), 4);
    /* Each failure waits longer than the one before. */
    for (size_t i = 7; i < world->sent_count; i++)
        assert_true(world->sent_at[i] - world->sent_at[i - 1] >= SECOND * 3 / 8);
}

static void a_delete_that_always_fails_leaves_the_others_their_turn(void **state)
{
    (void)state;
    WORLD;
    world->params.concurrency = 1;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_invite(world, "i2", "bob@x", "reader", "pending", NULL);
    world_fault(world, (struct fault){.call = CALL_DELETE,
                                      .who = "i1",
                                      .kind = ANSWER_UNAVAILABLE,
                                      .status = 503,
                                      .times = 100});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "revoke ada@x undeclared unknown\nrevoke bob@x undeclared done i2\n");
}

/* Each refused replacement mails the old invite again: there has to be an end to it. */
static void a_replacement_refused_every_day_comes_to_an_end(void **state)
{
    (void)state;
    WORLD;
    world->limits.renewals = 1;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    for (int day = 0; day < 4; day++) {
        /* The owner is refused each day, and the reader taken. */
        world->fault_count = 0;
        world_fault(world,
                    (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400});
        assert_true(world_pass(world));
        world->now.boot += 25 * 3600 * SECOND;
        world->now.wall += 25 * 3600;
    }
    assert_int_equal(world_most_mails(world), 2);
    assert_there(world, "ada@x reader -\n");
    assert_ended(world, PASS_DONE, "attention ada@x renewals-exhausted \n");
}

static void who_lost_an_invite_to_a_refusal_gets_it_back_after_a_crash(void **state)
{
    (void)state;
    for (unsigned step = 2; step < 40; step++) {
        WORLD;
        world->kill_unsent = step % 2;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .kind = ANSWER_REFUSED,
                                          .status = 400,
                                          .role = ROLE_OWNER,
                                          .times = 100});
        world->kill_at = step / 2;
        if (world_pass(world))
            return;
        for (int more = 0; more < 2; more++) {
            world_restart(world);
            world->kill_at = 0;
            assert_true(world_pass(world));
        }
        assert_there(world, "ada@x reader -\n");
        assert_true(world_most_mails(world) <= 1);
    }
}

static void a_pause_longer_than_our_patience_is_no_wait(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    pace_limited(&world->pace, world->now.boot, world->now.boot, 3600 * SECOND);
    assert_true(world_pass(world));
    assert_int_equal(pass_end(world->pass), PASS_FAILED);
    assert_log(world, "");
}

static void a_listing_that_fails_is_tried_again(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(
        world,
        (struct fault){.call = CALL_LIST, .kind = ANSWER_UNAVAILABLE, .status = 504, .times = 4});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
}

static void no_listing_no_write(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {.kind = ANSWER_UNAVAILABLE, .status = 504, .times = 5},
        {.kind = ANSWER_LOST, .times = 5},
        {.kind = ANSWER_UNSENT, .times = 5},
        {.kind = ANSWER_UNREADABLE, .status = 200, .times = 5},
        {.kind = ANSWER_REFUSED, .status = 401},
        {.kind = ANSWER_REFUSED, .status = 403},
        {.kind = ANSWER_REFUSED, .status = 400},
        {.kind = ANSWER_REFUSED, .status = 404},
        {.kind = ANSWER_REFUSED, .status = 302},
        {.kind = ANSWER_LIMITED, .status = 429, .hopeless = true},
        {.kind = ANSWER_UNAVAILABLE, .status = 503, .hopeless = true},
    };
    for (size_t i = 0; i < 2 * sizeof faults / sizeof *faults; i++) {
        WORLD;
        for (unsigned n = 0; n < 101; n++) {
            char id[16];
            snprintf(id, sizeof id, "i%u", n);
            world_invite(world, id, "eve@x", "reader", "pending", NULL);
        }
        world_declare(world, "ada@x", "reader", NULL);
        struct fault fault = faults[i / 2];
        fault.call = CALL_LIST;
        fault.skip = i % 2; /* the first page, and the second */
        if (fault.skip && (fault.status == 400 || fault.status == 404))
            continue; /* there, the cursor died */
        world_fault(world, fault);
        assert_true(world_pass(world));
        assert_int_equal(pass_end(world->pass), PASS_FAILED);
        assert_null(pass_plan(world->pass));
        assert_non_null(pass_error(world->pass));
        assert_null(strstr(world->log, "create"));
        assert_null(strstr(world->log, "delete"));
        assert_null(strstr(world->log, "save"));
        assert_int_equal(world->ledger->live, -1);
    }
}

static void remove_cursor(struct world *world)
{
    world_remove(world, "i99");
}

static void a_cursor_that_died_costs_one_more_request(void **state)
{
    (void)state;
    WORLD;
    for (unsigned n = 0; n < 150; n++) {
        char id[16], email[16];
        snprintf(id, sizeof id, "i%u", n);
        snprintf(email, sizeof email, "p%u@x", n);
        world_invite(world, id, email, "reader", "pending", NULL);
        world_declare(world, email, "reader", NULL);
    }
    world_fault(world, (struct fault){.call = CALL_LIST,
                                      .who = "i99",
                                      .kind = ANSWER_REFUSED,
                                      .status = 404,
                                      .then = remove_cursor});
    world->plan_only = true;
    assert_true(world_pass(world));
    assert_log(world, "list\nlist after i99\nlist after i98\n");
    assert_int_equal(listing_invites(pass_listing(world->pass))->count, 149);
    assert_int_equal(plan_count(pass_plan(world->pass), ACTION_INVITE), 1);
}

static void nothing_is_sent_that_could_not_be_remembered(void **state)
{
    (void)state;
    WORLD;
    world->fail_save = 1;
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "i1", "bob@x", "reader", "pending", NULL);
    world_declare(world, "bob@x", "owner", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED,
                 "invite ada@x not-invited skipped\nreplace bob@x role-differs skipped\n");
    assert_log(world, "list\nsave\nsave\n");
    assert_wish(world, "ada@x", "reader", NULL, "none mailed 0");
    assert_there(world, "bob@x reader -\n");
}

/* In the middle of a pass: what was sent before gets its answers, and nothing more is begun. */
static void a_save_that_fails_later_begins_nothing_more(void **state)
{
    (void)state;
    WORLD;
    world->fail_save = 2;
    for (unsigned n = 0; n < 10; n++) {
        char email[16];
        snprintf(email, sizeof email, "p%u@x", n);
        world_declare(world, email, "reader", NULL);
    }
    assert_true(world_pass(world));
    assert_int_equal(pass_end(world->pass), PASS_FAILED);
    assert_int_equal(world->mail_count, 4);
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_DONE), 4);
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_SKIPPED), 6);
}

/* ---- stopping ------------------------------------------------------------------------------ */

static void a_stop_before_writing_writes_nothing(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= 3; at++) {
        WORLD;
        world_declare(world, "ada@x", "reader", NULL);
        world->stop_at = at;
        assert_true(world_pass(world));
        assert_int_equal(pass_end(world->pass), PASS_STOPPED);
        assert_null(strstr(world->log, "create"));
    }
}

/* The answer to a listing that was under way when the pass ended must not be acted on. */
static void an_answer_after_the_end_changes_nothing(void **state)
{
    (void)state;
    WORLD;
    world->now.boot += 10 * SETTLE;
    static const struct projects none;
    struct ledger_wish *wish = ledger_take(world->ledger, "ada@x", ROLE_READER, &none);
    ledger_mark(wish, CREATE_UNKNOWN, 1, 1);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "reader", NULL);
    world->stop_at = 2;
    assert_true(world_pass(world));
    assert_int_equal(pass_end(world->pass), PASS_STOPPED);
    assert_int_equal(world->under_way_count, 1);
    struct answer answer = world->under_way[0].answer;
    world->under_way_count = 0;
    pass_answer(world->pass, &answer, &world->now);
    assert_int_equal(pass_end(world->pass), PASS_STOPPED);
    assert_int_equal(pass_next(world->pass, &world->now).want, PASS_ENDED);
    assert_wish(world, "ada@x", "reader", NULL, "unknown mailed 0");
}

/* A stop at every single step: what was deleted for a replacement is created, and nothing is new.
 */
static void a_stop_at_any_step_finishes_what_was_begun(void **state)
{
    (void)state;
    bool finished = false;
    for (unsigned at = 1; !finished; at++) {
        WORLD;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_invite(world, "i2", "bob@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_declare(world, "bob@x", "owner", NULL);
        world_declare(world, "eve@x", "reader", NULL);
        world->stop_at = at;
        assert_true(world_pass(world));
        finished = pass_end(world->pass) == PASS_DONE;
        /* Nobody is left without any invite. */
        unsigned there[2] = {0};
        for (size_t i = 0; i < world->stored_count; i++)
            if (world->stored[i].gone_at == 0)
                for (size_t p = 0; p < 2; p++)
                    there[p] += strcmp(world->stored[i].invite.email, p ? "bob@x" : "ada@x") == 0;
        assert_int_equal(there[0], 1);
        assert_int_equal(there[1], 1);
        if (strstr(world->log, "create"))
            assert_false(world->ledger->dirty);
        world_restart(world);
        assert_true(world_pass(world));
        assert_there(world, "ada@x owner -\nbob@x owner -\neve@x reader -\n");
        assert_int_equal(world_most_mails(world), 1);
        assert_true(at < 100);
    }
}

static void a_stop_starts_nothing_new(void **state)
{
    (void)state;
    WORLD;
    world->params.concurrency = 2;
    for (unsigned n = 0; n < 10; n++) {
        char email[16];
        snprintf(email, sizeof email, "p%u@x", n);
        world_declare(world, email, "reader", NULL);
    }
    /* list, time, planned, save, create, time, create: stopped with two in flight. */
    world->stop_at = 8;
    assert_true(world_pass(world));
    assert_int_equal(pass_end(world->pass), PASS_STOPPED);
    assert_int_equal(world->mail_count, 2);
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_DONE), 2);
    assert_int_equal(plan_count_result(pass_plan(world->pass), RESULT_SKIPPED), 8);
    assert_wish(world, "p0@x", "reader", NULL, "answered mailed 1 new-1");
    assert_wish(world, "p5@x", "reader", NULL, "none mailed 0");
    assert_null(pass_error(world->pass));
}

static void a_stop_does_not_wait_for_settle(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true});
    world->stop_at = 7;
    uint64_t from = world->now.boot;
    assert_true(world_pass(world));
    assert_ended(world, PASS_STOPPED, "invite ada@x not-invited unknown\n");
    assert_true(world->now.boot - from < SETTLE);
    assert_wish(world, "ada@x", "reader", NULL, "unknown mailed 0");
}

static void a_stop_does_not_wait_for_a_long_brake(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE,
                                      .kind = ANSWER_LIMITED,
                                      .status = 429,
                                      .retry_after = 100 * SECOND});
    world->stop_at = 9;
    uint64_t from = world->now.boot;
    assert_true(world_pass(world));
    assert_ended(world, PASS_STOPPED, "replace ada@x role-differs failed\n");
    assert_true(world->now.boot - from < 20 * SECOND);
    world->stop_at = 0;
    assert_true(world_pass(world));
    assert_there(world, "ada@x owner -\n");
}

/* ---- approvals ----------------------------------------------------------------------------- */

static void an_approval_is_good_for_one_use(void **state)
{
    (void)state;
    WORLD;
    world->limits.revocations = 0;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "bob@x", "reader", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "invite bob@x not-invited done new-1\nrevoke ada@x undeclared blocked\n");
    _cleanup_free_ char *id = strdup(pass_plan(world->pass)->approval);
    /* It survives that the unblocked rest was done. */
    assert_true(world_pass(world));
    assert_string_equal(pass_plan(world->pass)->approval, id);

    world->params.approval = "something else";
    assert_true(world_pass(world));
    assert_true(pass_approval_misfits(world->pass));
    assert_ended(world, PASS_DONE, "revoke ada@x undeclared blocked\n");

    world->params.approval = id;
    assert_log(world, "list\nsave\ncreate bob@x reader -\nsave\nlist\nsave\nlist\n");
    assert_true(world_pass(world));
    assert_false(pass_approval_misfits(world->pass));
    assert_ended(world, PASS_DONE, "revoke ada@x undeclared done i1\n");
    assert_log(world, "list\nsave\ndelete i1\nsave\n"); /* used up before it is used */
    assert_int_equal(world->durable->approvals_used, 1);

    /* The very same line once more needs a new approval. */
    world->stored[0].gone_at = 0;
    world->now.boot += 2 * SETTLE;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "revoke ada@x undeclared blocked\n");
    assert_true(pass_approval_misfits(world->pass));
    assert_string_not_equal(pass_plan(world->pass)->approval, id);
}

static void an_approval_of_nothing_misfits(void **state)
{
    (void)state;
    WORLD;
    world->params.approval = "0123456789ab";
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "");
    assert_true(pass_approval_misfits(world->pass));
    assert_int_equal(world->ledger->approvals_used, 0);
}

static void what_vanished_does_not_become_the_measure(void **state)
{
    (void)state;
    WORLD;
    world->ledger->live = 10;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "bob@x", "reader", NULL);
    for (int i = 0; i < 3; i++) {
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE,
                     "invite bob@x not-invited blocked\nrevoke ada@x undeclared blocked\n");
        assert_int_equal(world->ledger->live, 10);
    }
    _cleanup_free_ char *id = strdup(pass_plan(world->pass)->approval);
    world->params.approval = id;
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "invite bob@x not-invited done new-1\nrevoke ada@x undeclared done i1\n");
    /* One was live; we took it away ourselves, so its absence will be no surprise. */
    assert_int_equal(world->ledger->live, 0);
}

/* ---- the ledger ---------------------------------------------------------------------------- */

static void a_suspect_ledger_waits_before_listing(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world->ledger->suspect = true;
    world->ledger->suspect_at = world->now.boot - 10 * SECOND;
    uint64_t from = world->now.boot;
    assert_true(world_pass(world));
    assert_true(world->sent_at[0] == from + SETTLE - 10 * SECOND);
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
    assert_false(world->durable->suspect);
}

static void another_organisation_gets_no_write(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        WORLD;
        world_declare(world, "ada@x", "reader", NULL);
        world->ledger->base_url = strdup(i ? "https://other.example/v1" : "https://api.example/v1");
        world->ledger->organization = strdup(i ? "org-1" : "org-2");
        assert_true(world_pass(world));
        assert_ended(world, PASS_FAILED, "");
        assert_log(world, "list\n");
        assert_string_equal(world->ledger->organization, i ? "org-1" : "org-2");
    }
}

static void a_service_that_names_no_organisation_is_taken(void **state)
{
    (void)state;
    WORLD;
    world->organization = NULL;
    world_declare(world, "ada@x", "reader", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited done new-1\n");
    assert_null(world->durable->organization);
}

static void an_answered_create_counts_though_the_listing_lags(void **state)
{
    (void)state;
    WORLD;
    world->lag = 50 * SECOND;
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "i1", "bob@x", "reader", "pending", NULL);
    world_invite(world, "i2", "eve@x", "reader", "pending", NULL);
    world_declare(world, "eve@x", "owner", NULL);
    assert_true(world_pass(world));
    assert_log(world, "list\nsave\ncreate ada@x reader -\ndelete i2\ncreate eve@x owner -\n"
                      "delete i1\nsave\n");
    for (int i = 0; i < 20; i++) {
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "");
        world->now.boot += 5 * SECOND;
    }
    assert_int_equal(world->mail_count, 2);
}

/* ---- killed at every step ------------------------------------------------------------------ */

static void set_up_kill(struct world *world, int kind)
{
    world->lag = 40 * SECOND;
    world->latency = 3 * SECOND;
    world_declare(world, "ada@x", "owner", "a");
    world_declare(world, "zoe@x", "reader", NULL);
    if (kind == 1) {
        world_invite(world, "i1", "ada@x", "reader", "pending", "b");
        world_invite(world, "i2", "ada@x", "reader", "pending", "b");
    } else if (kind == 2) {
        world->insists = true;
        world_invite(world, "i1", "ada@x", "owner", "expired", "a");
    } else if (kind == 3) {
        world_invite(world, "i1", "ada@x", "reader", "pending", "b");
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .who = "ada@x",
                                          .kind = ANSWER_UNAVAILABLE,
                                          .status = 504,
                                          .happens = true});
    }
}

static void killed_at_any_step_nobody_is_mailed_twice(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        for (int unsent = 0; unsent < 2; unsent++) {
            bool finished = false;
            for (unsigned at = 1; !finished; at++) {
                WORLD;
                world->params.concurrency = 1 + at % 3;
                set_up_kill(world, kind);
                world->kill_at = at;
                world->kill_unsent = unsent;
                finished = world_pass(world);
                world_restart(world);
                /* One pass at once, one after everything has settled. */
                assert_true(world_pass(world));
                assert_int_equal(pass_end(world->pass), PASS_DONE);
                world->now.boot += 2 * SETTLE;
                assert_true(world_pass(world));
                assert_int_equal(pass_end(world->pass), PASS_DONE);
                assert_there(world, "ada@x owner [a:member]\nzoe@x reader -\n");
                assert_int_equal(world_most_mails(world), 1);
                assert_wish(world, "zoe@x", "reader", NULL,
                            strcmp(world->mails[0], "zoe@x reader -") == 0
                                ? "answered mailed 1 seen new-1"
                                : "answered mailed 1 seen new-2");
                assert_true(at < 200);
            }
        }
    }
}

/* The same, killed a second time within the pass that follows. */
static void killed_twice_nobody_is_mailed_twice(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        for (unsigned first = 1; first < 24; first++) {
            for (unsigned second = 1; second < 30; second++) {
                WORLD;
                set_up_kill(world, kind);
                world->kill_unsent = (first + second) % 2 != 0;
                world->kill_at = first;
                world_pass(world);
                world_restart(world);
                world->kill_at = second;
                world_pass(world);
                world_restart(world);
                assert_true(world_pass(world));
                world->now.boot += 2 * SETTLE;
                assert_true(world_pass(world));
                assert_there(world, "ada@x owner [a:member]\nzoe@x reader -\n");
                assert_int_equal(world_most_mails(world), 1);
            }
        }
    }
}

/* Every create is committed, and its answer is lost, at a time. */
static void however_many_answers_are_lost(void **state)
{
    (void)state;
    for (unsigned pattern = 0; pattern < 64; pattern++) {
        WORLD;
        world->params.concurrency = 3;
        world->lag = 20 * SECOND;
        for (unsigned n = 0; n < 6; n++) {
            static const char *const emails[] = {"p0@x", "p1@x", "p2@x", "p3@x", "p4@x", "p5@x"};
            world_declare(world, emails[n], "reader", NULL);
            world_fault(world, (struct fault){.call = CALL_CREATE,
                                              .who = emails[n],
                                              .kind = ANSWER_LOST,
                                              .happens = (pattern >> n & 1) != 0});
        }
        for (int i = 0; i < 3; i++) {
            assert_true(world_pass(world));
            world->now.boot += SETTLE;
        }
        assert_int_equal(world_most_mails(world), 1);
        assert_there(world, "p0@x reader -\np1@x reader -\np2@x reader -\np3@x reader -\n"
                            "p4@x reader -\np5@x reader -\n");
    }
}

/*
 * A replacement is refused after its delete, and the process is killed before the old invite is
 * restored: the ledger says that it is owed.
 */
static void a_restoration_survives_a_kill(void **state)
{
    (void)state;
    for (unsigned at = 8; at < 14; at++) {
        _cleanup_(world_free_pointer) struct world *world = world_new();
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world,
                    (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400});
        world->kill_at = at;
        world->kill_unsent = true;
        world_pass(world);
        world_restart(world);
        assert_true(world_pass(world));
        assert_int_not_equal(world->mail_count, 0);
    }
}

/*
 * A create of unknown outcome did happen, and the next listing comes when its invite has expired.
 * The mail counts all the same.
 */
static void a_mail_that_expired_unseen_is_counted(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    world->limits.renewals = 0;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true});
    world->stop_at = 7; /* with the create in flight */
    assert_true(world_pass(world));
    world_turn(world, "new-1", INVITE_EXPIRED);
    world->now.boot += 7 * 86400 * SECOND;
    world->now.wall += 7 * 86400;
    world_restart(world);
    assert_true(world_pass(world));
    assert_int_equal(world_mails(world, "ada@x"), 1);
}

/* ---- what the simulator found -------------------------------------------------------------- */

/* A create whose outcome an earlier pass left open just now. */
static struct ledger_wish *open_create(struct world *world, const char *email, enum role role)
{
    struct ledger_wish *wish = ledger_take(world->ledger, email, role, &(struct projects){0});
    ledger_mark(wish, CREATE_UNKNOWN, world->now.boot, world->now.wall);
    return wish;
}

static void invite_ada_in_unknown_words(struct world *world)
{
    world_invite(world, "odd", "ada@x", "reader", "what?", NULL);
}

static void an_open_create_beside_unknown_words_stays_open(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE,
                                      .kind = ANSWER_LOST,
                                      .then = invite_ada_in_unknown_words});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited unknown\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\n");
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "attention ada@x unknown-status \n");
}

static void declare_pending(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        _cleanup_free_ char *id = memory_format("old-%d", i), *email = memory_format("p%d@x", i);
        world_invite(world, id, email, "reader", "pending", NULL);
        world_declare(world, email, "reader", NULL);
    }
}

static void remove_most(struct world *world)
{
    for (int i = 0; i < 6; i++) {
        _cleanup_free_ char *id = memory_format("old-%d", i);
        world_remove(world, id);
    }
}

static void a_second_listing_that_lacks_most_is_not_believed(void **state)
{
    (void)state;
    WORLD;
    declare_pending(world, 10);
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world,
                (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .then = remove_most});
    assert_true(world_pass(world));
    assert_ended(world, PASS_FAILED, "invite ada@x not-invited unknown\n");
    assert_log(world, "list\nsave\ncreate ada@x reader -\nlist\nsave\n");
}

static void remove_all_new(struct world *world)
{
    for (int i = 1; i <= 8; i++) {
        _cleanup_free_ char *id = memory_format("new-%d", i);
        world_remove(world, id);
    }
}

/* What only the ledger knows of does not stand in for what a listing lacks, nor teaches it. */
static void a_first_listing_that_lacks_most_is_not_believed(void **state)
{
    (void)state;
    WORLD;
    world->lag = 30 * SECOND;
    declare_pending(world, 10);
    for (int i = 0; i < 8; i++) {
        _cleanup_free_ char *email = memory_format("new%d@x", i);
        world_declare(world, email, "reader", NULL);
    }
    assert_true(world_pass(world));
    assert_int_equal(world->mail_count, 8);
    world_declare(world, "zoe@x", "reader", NULL);
    open_create(world, "zoe@x", ROLE_READER);
    remove_most(world);
    world->now.boot += 2 * SECOND;
    assert_true(world_pass(world));
    assert_int_equal(plan_count_blocked(pass_plan(world->pass)), 7);
    world->now.boot += SETTLE;
    remove_all_new(world);
    assert_true(world_pass(world));
    assert_int_equal(world->mail_count, 8);
    assert_wish(world, "zoe@x", "reader", NULL, "unknown mailed 0");
}

static void a_replacement_never_sent_leaves_nothing_to_restore(void **state)
{
    (void)state;
    unsigned skipped = 0;
    for (unsigned stop_at = 1; stop_at < 9; stop_at++) {
        WORLD;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world->stop_at = stop_at;
        assert_true(world_pass(world));
        const struct ledger_wish *wish =
            ledger_find(world->ledger, "ada@x", ROLE_OWNER, &(struct projects){0});
        if (!wish || strstr(world->log, "delete"))
            continue;
        assert_null(wish->lost.id);
        skipped++;
    }
    assert_int_not_equal(skipped, 0);
}

static void an_expired_invite_makes_way_for_a_replacement(void **state)
{
    (void)state;
    WORLD;
    world->insists = true;
    world_invite(world, "i0", "ada@x", "reader", "expired", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "replace ada@x role-differs done new-1\n");
    assert_there(world, "ada@x owner -\n");
    assert_log(world, "list\nsave\ndelete i1\ncreate ada@x owner -\nretrieve i0\ndelete i0\n"
                      "save\ncreate ada@x owner -\nsave\n");
}

/* And where it cannot go, the person gets back what they had. */
static void an_expired_invite_that_stays_leads_to_a_restoration(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {.call = CALL_DELETE, .who = "i0", .kind = ANSWER_REFUSED, .status = 400, .times = 9},
        {.call = CALL_DELETE, .who = "i0", .kind = ANSWER_LOST, .times = 9},
        {.call = CALL_RETRIEVE, .who = "i0", .kind = ANSWER_REFUSED, .status = 400, .times = 9},
    };
    for (size_t i = 0; i < 3; i++) {
        WORLD;
        world_invite(world, "i0", "ada@x", "reader", "expired", NULL);
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .role = ROLE_OWNER,
                                          .kind = ANSWER_REFUSED,
                                          .status = 400,
                                          .times = 9});
        world_fault(world, faults[i]);
        assert_true(world_pass(world));
        assert_ended(world, PASS_DONE, "replace ada@x role-differs failed new-1\n");
        assert_there(world, "ada@x reader -\n");
    }
}

/* The host's clock is days ahead of the service's: the ledger keeps the service's time. */
static void a_wrong_host_clock_hides_no_mail(void **state)
{
    (void)state;
    WORLD;
    world->limits.renewals = 0;
    world->date_behind = 3 * 86400;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true});
    world->stop_at = 7;
    assert_true(world_pass(world));
    world_turn(world, "new-1", INVITE_EXPIRED);
    world->now.boot += 7 * 86400 * SECOND;
    world->now.wall += 7 * 86400;
    world_restart(world);
    assert_true(world_pass(world));
    assert_int_equal(world_mails(world, "ada@x"), 1);
}

/* An expired invite that was there before the renewal is not what the renewal made. */
static void an_earlier_invite_is_not_the_fruit_of_a_renewal(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "expired", NULL);
    world->stored[0].invite.created_at = world->now.wall - 60;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "renew ada@x invite-expired done new-1\n");
    assert_wish(world, "ada@x", "reader", NULL, "answered mailed 1 new-1");
}

static void a_membership_that_ends_meanwhile_is_not_sent_again(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world->members.items[0].ends_at = world->now.wall + 30;
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE, "invite ada@x not-invited failed\n");
    assert_int_equal(world_mails(world, "ada@x"), 0);
}

/* Another hand removed the old invite: there is nothing of ours to be made good after a stop. */
static void remove_i1(struct world *world)
{
    world_remove(world, "i1");
}

static void a_stop_does_not_carry_on_with_what_others_removed(void **state)
{
    (void)state;
    for (unsigned stop_at = 8; stop_at < 16; stop_at++) {
        WORLD;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        open_create(world, "ada@x", ROLE_OWNER);
        world_declare(world, "bob@x", "reader", NULL);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .who = "bob@x",
                                          .kind = ANSWER_LOST,
                                          .then = remove_i1});
        world->stop_at = stop_at;
        assert_true(world_pass(world));
        if (pass_end(world->pass) == PASS_STOPPED && world_mails(world, "bob@x") == 0)
            assert_int_equal(world_mails(world, "ada@x"), 0);
    }
}

/* We revoked ours as a duplicate and died before that was stored: what is shown stays. */
static void what_is_shown_is_kept_before_what_is_assumed(void **state)
{
    (void)state;
    WORLD;
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    struct ledger_wish *wish =
        ledger_take(world->ledger, "ada@x", ROLE_READER, &(struct projects){0});
    ledger_mark(wish, CREATE_ANSWERED, world->now.boot, world->now.wall);
    wish->invite_id = strdup("gone");
    assert_true(world_pass(world));
    assert_there(world, "ada@x reader -\n");
    assert_log(world, "list\ndelete gone\nsave\n");
}

/* One of them would stay beside the new one. */
static void a_held_replacement_does_not_choose_among_two(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    world_declare(world, "bob@x", "reader", NULL);
    open_create(world, "ada@x", ROLE_OWNER);
    world_fault(world,
                (struct fault){
                    .call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true, .then = invite_ada});
    assert_true(world_pass(world));
    assert_ended(world, PASS_DONE,
                 "invite bob@x not-invited done new-1\nreplace ada@x role-differs failed\n");
}

/* Another hand removed what was to be replaced: nothing is owed, and nothing made up. */
static void what_others_removed_is_not_restored(void **state)
{
    (void)state;
    WORLD;
    world_invite(world, "i0", "ada@x", "reader", "expired", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "owner", NULL);
    world_declare(world, "bob@x", "reader", NULL);
    open_create(world, "ada@x", ROLE_OWNER);
    world_fault(world, (struct fault){.call = CALL_CREATE,
                                      .who = "bob@x",
                                      .kind = ANSWER_LOST,
                                      .happens = true,
                                      .then = remove_i1});
    world_fault(
        world,
        (struct fault){.call = CALL_CREATE, .who = "ada@x", .kind = ANSWER_REFUSED, .status = 400});
    world_fault(
        world,
        (struct fault){.call = CALL_RETRIEVE, .who = "i0", .kind = ANSWER_REFUSED, .status = 403});
    assert_true(world_pass(world));
    for (size_t i = 0; i < world->ledger->wish_count; i++)
        assert_int_not_equal(world->ledger->wishes[i]->role, ROLE_UNKNOWN);
    assert_int_equal(world_mails(world, "ada@x"), 0);
}

/* An earlier pass took i0, and died. What is owed stays owed when this one cannot go on. */
static void a_full_disk_does_not_forget_what_was_taken_before(void **state)
{
    (void)state;
    unsigned unsent = 0;
    for (unsigned fail_save = 1; fail_save < 5; fail_save++) {
        WORLD;
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_declare(world, "bob@x", "reader", NULL);
        struct invite taken = {.id = (char *)"i0", .role = ROLE_READER};
        assert_int_equal(ledger_lose(open_create(world, "ada@x", ROLE_OWNER), &taken), 0);
        world_fault(world, (struct fault){.call = CALL_CREATE,
                                          .who = "bob@x",
                                          .kind = ANSWER_LOST,
                                          .happens = true,
                                          .then = remove_i1});
        world->fail_save = fail_save;
        assert_true(world_pass(world));
        if (world_mails(world, "ada@x") != 0)
            continue;
        const struct ledger_wish *wish =
            ledger_find(world->ledger, "ada@x", ROLE_OWNER, &(struct projects){0});
        assert_non_null(wish->lost.id);
        unsent++;
    }
    assert_int_not_equal(unsent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_costs_one_listing),
        cmocka_unit_test(every_action_in_its_order),
        cmocka_unit_test(a_listing_costs_a_request_for_each_hundred),
        cmocka_unit_test(a_plan_alone_writes_nothing),
        cmocka_unit_test(no_more_in_flight_than_allowed),
        cmocka_unit_test(an_unknown_outcome_that_is_shown_is_done),
        cmocka_unit_test(an_unknown_outcome_that_is_not_shown_is_sent_once_more),
        cmocka_unit_test(unknown_twice_stays_unknown_until_a_later_pass),
        cmocka_unit_test(the_look_waits_for_the_last_unknown),
        cmocka_unit_test(what_was_not_sent_is_sent_without_a_look),
        cmocka_unit_test(a_deleted_invite_does_not_prove_a_create),
        cmocka_unit_test(nothing_is_sent_again_beside_another_invite),
        cmocka_unit_test(limited_is_sent_again_after_the_hint),
        cmocka_unit_test(every_page_brakes),
        cmocka_unit_test(a_limit_on_a_page_that_does_not_lift_ends_the_pass),
        cmocka_unit_test(a_limit_that_does_not_lift_ends_the_pass),
        cmocka_unit_test(a_hopeless_limit_ends_the_pass),
        cmocka_unit_test(nobody_waits_an_hour),
        cmocka_unit_test(a_key_that_may_not_write_ends_the_writing),
        cmocka_unit_test(a_delete_that_is_forbidden_ends_the_writing),
        cmocka_unit_test(a_refused_create_is_looked_at_and_the_others_go_on),
        cmocka_unit_test(a_refused_create_that_another_hand_made_is_done),
        cmocka_unit_test(a_renewal_deletes_only_when_the_service_insists),
        cmocka_unit_test(a_renewal_counts_as_a_mail_that_was_not_seen_yet),
        cmocka_unit_test(create_only_never_deletes),
        cmocka_unit_test(a_renewal_does_not_delete_what_was_accepted),
        cmocka_unit_test(a_renewal_that_cannot_succeed_ends),
        cmocka_unit_test(a_missing_invite_counts_as_deleted),
        cmocka_unit_test(a_delete_in_doubt_is_sent_again),
        cmocka_unit_test(an_unreadable_delete_is_looked_at),
        cmocka_unit_test(what_was_accepted_meanwhile_is_not_replaced),
        cmocka_unit_test(a_refused_replacement_is_restored),
        cmocka_unit_test(a_restoration_is_tried_once),
        cmocka_unit_test(a_restoration_in_doubt_is_looked_at),
        cmocka_unit_test(an_unknown_replacement_is_looked_at),
        cmocka_unit_test(a_restoration_sends_only_what_is_known),
        cmocka_unit_test(duplicates_go_before_the_replacement),
        cmocka_unit_test(without_the_duplicates_gone_nothing_is_replaced),
        cmocka_unit_test(five_failures_in_a_row_end_the_pass),
        cmocka_unit_test(a_delete_that_always_fails_leaves_the_others_their_turn),
        cmocka_unit_test(a_replacement_refused_every_day_comes_to_an_end),
        cmocka_unit_test(who_lost_an_invite_to_a_refusal_gets_it_back_after_a_crash),
        cmocka_unit_test(a_pause_longer_than_our_patience_is_no_wait),
        cmocka_unit_test(a_restoration_survives_a_kill),
        cmocka_unit_test(a_mail_that_expired_unseen_is_counted),
        cmocka_unit_test(a_listing_that_fails_is_tried_again),
        cmocka_unit_test(no_listing_no_write),
        cmocka_unit_test(a_cursor_that_died_costs_one_more_request),
        cmocka_unit_test(nothing_is_sent_that_could_not_be_remembered),
        cmocka_unit_test(a_save_that_fails_later_begins_nothing_more),
        cmocka_unit_test(a_stop_before_writing_writes_nothing),
        cmocka_unit_test(an_answer_after_the_end_changes_nothing),
        cmocka_unit_test(a_stop_at_any_step_finishes_what_was_begun),
        cmocka_unit_test(a_stop_starts_nothing_new),
        cmocka_unit_test(a_stop_does_not_wait_for_settle),
        cmocka_unit_test(a_stop_does_not_wait_for_a_long_brake),
        cmocka_unit_test(an_approval_is_good_for_one_use),
        cmocka_unit_test(an_approval_of_nothing_misfits),
        cmocka_unit_test(what_vanished_does_not_become_the_measure),
        cmocka_unit_test(a_suspect_ledger_waits_before_listing),
        cmocka_unit_test(another_organisation_gets_no_write),
        cmocka_unit_test(a_service_that_names_no_organisation_is_taken),
        cmocka_unit_test(an_answered_create_counts_though_the_listing_lags),
        cmocka_unit_test(killed_at_any_step_nobody_is_mailed_twice),
        cmocka_unit_test(killed_twice_nobody_is_mailed_twice),
        cmocka_unit_test(however_many_answers_are_lost),
        cmocka_unit_test(an_open_create_beside_unknown_words_stays_open),
        cmocka_unit_test(a_second_listing_that_lacks_most_is_not_believed),
        cmocka_unit_test(a_first_listing_that_lacks_most_is_not_believed),
        cmocka_unit_test(a_replacement_never_sent_leaves_nothing_to_restore),
        cmocka_unit_test(an_expired_invite_makes_way_for_a_replacement),
        cmocka_unit_test(an_expired_invite_that_stays_leads_to_a_restoration),
        cmocka_unit_test(a_wrong_host_clock_hides_no_mail),
        cmocka_unit_test(an_earlier_invite_is_not_the_fruit_of_a_renewal),
        cmocka_unit_test(a_membership_that_ends_meanwhile_is_not_sent_again),
        cmocka_unit_test(a_stop_does_not_carry_on_with_what_others_removed),
        cmocka_unit_test(what_is_shown_is_kept_before_what_is_assumed),
        cmocka_unit_test(a_held_replacement_does_not_choose_among_two),
        cmocka_unit_test(what_others_removed_is_not_restored),
        cmocka_unit_test(a_full_disk_does_not_forget_what_was_taken_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

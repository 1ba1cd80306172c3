/* The plan: every row of the verdict table, the order of the lines, and every limit at its edge. */
#include "scene.h"

/* ---- the verdict table --------------------------------------------------------------------- */

/* What the ledger knows of the wish of ada@x (reader, unless said). */
struct memory {
    enum create_state state;
    const char *invite_id;
    unsigned mailed;
    int64_t ago; /* seconds, by the wall clock */
    const char *role;
};

struct row {
    const char *name;
    const char *role, *projects; /* declared; NULL role: not declared */
    int64_t ends_at;
    struct memory memory;
    struct unit_invite invites[4];
    const char *expected, *create_only; /* create_only NULL: the same */
};

#define PAST   (NOW - 1)
#define FUTURE (NOW + 1)

static const struct row rows[] = {
    {.name = "declared, no invite",
     .role = "reader",
     .expected = "invite ada@x not-invited reader - -\n"},
    {.name = "declared, no invite, with projects",
     .role = "owner",
     .projects = "b a:owner",
     .expected = "invite ada@x not-invited owner [a:owner b:member] -\n"},
    {.name = "declared until later",
     .role = "reader",
     .ends_at = FUTURE,
     .expected = "invite ada@x not-invited reader - -\n"},
    {.name = "declared until now, no invite", .role = "reader", .ends_at = NOW, .expected = ""},

    {.name = "live, the same",
     .role = "reader",
     .projects = "a b",
     .invites = {{"i1", "ADA@x", "reader", "pending", "b a", 1, FUTURE}},
     .expected = "keep ada@x pending reader [a:member b:member] i1\n"},
    {.name = "live, no expiry stated",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "keep ada@x pending reader - i1\n"},
    {.name = "live, projects not declared",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "pending", "a", 1, 0}},
     .expected = "keep ada@x pending reader - i1\n"},
    {.name = "live, projects not stated",
     .role = "reader",
     .projects = "a",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "keep ada@x pending reader [a:member] i1\n"},

    {.name = "live, other role",
     .role = "owner",
     .invites = {{"i1", NULL, "reader", "pending", "a", 1, 0}},
     .expected = "replace ada@x role-differs owner - i1\n",
     .create_only = "attention ada@x role-differs owner - i1\n"},
    {.name = "live, other projects",
     .role = "reader",
     .projects = "a",
     .invites = {{"i1", NULL, "reader", "pending", "a b", 1, 0}},
     .expected = "replace ada@x projects-differ reader [a:member] i1\n",
     .create_only = "attention ada@x projects-differ reader [a:member] i1\n"},
    {.name = "live, other project role",
     .role = "reader",
     .projects = "a",
     .invites = {{"i1", NULL, "reader", "pending", "a:owner", 1, 0}},
     .expected = "replace ada@x projects-differ reader [a:member] i1\n",
     .create_only = "attention ada@x projects-differ reader [a:member] i1\n"},
    {.name = "live, no projects wished",
     .role = "reader",
     .projects = "",
     .invites = {{"i1", NULL, "reader", "pending", "a", 1, 0}},
     .expected = "replace ada@x projects-differ reader [] i1\n",
     .create_only = "attention ada@x projects-differ reader [] i1\n"},
    {.name = "live, both differ",
     .role = "owner",
     .projects = "b",
     .invites = {{"i1", NULL, "reader", "pending", "a", 1, 0}},
     .expected = "replace ada@x role-differs owner [b:member] i1\n",
     .create_only = "attention ada@x role-differs owner [b:member] i1\n"},
    {.name = "a replacement is a mail, too",
     .role = "owner",
     .memory = {CREATE_ANSWERED, "old", 4, 9, "owner"},
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "attention ada@x renewals-exhausted owner - i1\n",
     .create_only = "attention ada@x role-differs owner - i1\n"},

    {.name = "ours for this wish, with another role",
     .role = "reader",
     .memory = {CREATE_ANSWERED, "i1", 1, 9, NULL},
     .invites = {{"i1", NULL, "owner", "pending", NULL, 1, 0}},
     .expected = "attention ada@x not-as-sent reader - i1\n"},
    {.name = "ours for this wish, under another address",
     .role = "reader",
     .memory = {CREATE_ANSWERED, "i1", 1, 9, NULL},
     .invites = {{"i1", "ada@y", "reader", "pending", NULL, 1, 0}},
     .expected = "attention ada@x not-as-sent reader - i1\n"},
    {.name = "ours for an earlier wish",
     .role = "reader",
     .memory = {CREATE_ANSWERED, "i1", 1, 9, "owner"},
     .invites = {{"i1", NULL, "owner", "pending", NULL, 1, 0}},
     .expected = "replace ada@x role-differs reader - i1\n",
     .create_only = "attention ada@x role-differs reader - i1\n"},

    {.name = "several live: the newest that matches is kept",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0},
                 {"i2", NULL, "reader", "pending", NULL, 2, 0},
                 {"i3", NULL, "owner", "pending", NULL, 3, 0}},
     .expected = "revoke ada@x duplicate reader - i1\nrevoke ada@x duplicate owner - i3\n"
                 "keep ada@x pending reader - i2\n",
     .create_only = "attention ada@x duplicate reader - i1\nattention ada@x duplicate owner - i3\n"
                    "keep ada@x pending reader - i2\n"},
    {.name = "several live of one second: by id",
     .role = "reader",
     .invites = {{"i2", NULL, "reader", "pending", NULL, 1, 0},
                 {"i1", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "revoke ada@x duplicate reader - i1\nkeep ada@x pending reader - i2\n",
     .create_only = "attention ada@x duplicate reader - i1\nkeep ada@x pending reader - i2\n"},
    {.name = "several live, none matches: the newest is replaced, after the rest",
     .role = "owner",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 2, 0},
                 {"i2", NULL, "reader", "pending", NULL, 3, 0},
                 {"i3", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "revoke ada@x duplicate reader - i1\nrevoke ada@x duplicate reader - i3\n"
                 "replace ada@x role-differs owner - i2\n",
     .create_only = "attention ada@x duplicate reader - i1\n"
                    "attention ada@x role-differs owner - i2\n"
                    "attention ada@x duplicate reader - i3\n"},
    {.name = "live and history",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "expired", NULL, 3, 0},
                 {"i2", NULL, "owner", "accepted", NULL, 4, 0},
                 {"i3", NULL, "reader", "pending", NULL, 1, FUTURE}},
     .expected = "keep ada@x pending reader - i3\n"},

    {.name = "accepted",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "accepted", "a", 1, PAST}},
     .expected = "keep ada@x member reader - i1\n"},
    {.name = "accepted, other projects",
     .role = "reader",
     .projects = "b",
     .invites = {{"i1", NULL, "reader", "accepted", "a", 1, PAST}},
     .expected = "keep ada@x member reader [b:member] i1\n"},
    {.name = "accepted and expired",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "accepted", NULL, 1, PAST},
                 {"i2", NULL, "reader", "expired", NULL, 2, PAST}},
     .expected = "keep ada@x member reader - i1\n"},
    {.name = "accepted, other role",
     .role = "owner",
     .invites = {{"i1", NULL, "reader", "accepted", NULL, 1, PAST}},
     .expected = "attention ada@x accepted-role-differs owner - i1\n"},
    {.name = "accepted twice: the newest counts",
     .role = "owner",
     .invites = {{"i1", NULL, "reader", "accepted", NULL, 1, PAST},
                 {"i2", NULL, "owner", "accepted", NULL, 2, PAST}},
     .expected = "keep ada@x member owner - i2\n"},

    {.name = "expired",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "expired", NULL, 1, PAST}},
     .expected = "renew ada@x invite-expired reader - i1\n"},
    {.name = "expired by the clock",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, NOW}},
     .expected = "renew ada@x invite-expired reader - i1\n"},
    {.name = "expired, another role and another second",
     .role = "owner",
     .projects = "",
     .invites = {{"i1", NULL, "reader", "expired", NULL, 2, PAST},
                 {"i2", NULL, "reader", "expired", NULL, 1, PAST}},
     .expected = "renew ada@x invite-expired owner [] i1\n"},
    {.name = "expired, mailed as often as allowed less one",
     .role = "reader",
     .memory = {CREATE_ANSWERED, "i1", 3, 9, NULL},
     .invites = {{"i1", NULL, "reader", "expired", NULL, 1, PAST}},
     .expected = "renew ada@x invite-expired reader - i1\n"},
    {.name = "expired, mailed as often as allowed",
     .role = "reader",
     .memory = {CREATE_ANSWERED, "i1", 4, 9, NULL},
     .invites = {{"i1", NULL, "reader", "expired", NULL, 1, PAST}},
     .expected = "attention ada@x renewals-exhausted reader - i1\n"},
    {.name = "vanished, mailed as often as allowed",
     .role = "reader",
     .memory = {CREATE_NONE, "i1", 4, 9, NULL},
     .expected = "attention ada@x renewals-exhausted reader - -\n"},
    {.name = "mailed for another wish",
     .role = "reader",
     .memory = {CREATE_NONE, "i1", 4, 9, "owner"},
     .expected = "invite ada@x not-invited reader - -\n"},

    {.name = "refused lately",
     .role = "reader",
     .memory = {CREATE_REFUSED, NULL, 0, 86399, NULL},
     .expected = "attention ada@x create-refused reader - -\n"},
    {.name = "refused a day ago",
     .role = "reader",
     .memory = {CREATE_REFUSED, NULL, 0, 86400, NULL},
     .expected = "invite ada@x not-invited reader - -\n"},
    {.name = "refused in the future: the clock was set back",
     .role = "reader",
     .memory = {CREATE_REFUSED, NULL, 0, -5, NULL},
     .expected = "invite ada@x not-invited reader - -\n"},
    {.name = "another wish was refused",
     .role = "reader",
     .memory = {CREATE_REFUSED, NULL, 0, 9, "owner"},
     .expected = "invite ada@x not-invited reader - -\n"},

    {.name = "an open create",
     .role = "reader",
     .memory = {CREATE_UNKNOWN, NULL, 0, 9, NULL},
     .expected = "invite ada@x not-invited reader - - held\n"},
    {.name = "an open create of another wish",
     .role = "reader",
     .memory = {CREATE_UNKNOWN, NULL, 0, 9, "owner"},
     .invites = {{"i1", NULL, "reader", "expired", NULL, 1, PAST}},
     .expected = "renew ada@x invite-expired reader - i1 held\n"},
    {.name = "an open create and something to replace",
     .role = "owner",
     .memory = {CREATE_UNKNOWN, NULL, 0, 9, "owner"},
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "replace ada@x role-differs owner - i1 held\n",
     .create_only = "attention ada@x role-differs owner - i1\n"},

    {.name = "undeclared, live",
     .invites = {{"i1", NULL, "reader", "pending", "a", 1, 0}},
     .expected = "revoke ada@x undeclared reader [a:member] i1\n",
     .create_only = "attention ada@x undeclared reader [a:member] i1\n"},
    {.name = "undeclared, several live",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0},
                 {"i2", "Ada@X", "owner", "pending", NULL, 2, 0},
                 {"i3", NULL, "owner", "expired", NULL, 3, 0}},
     .expected = "revoke ada@x undeclared reader - i1\nrevoke ada@x undeclared owner - i2\n",
     .create_only = "attention ada@x undeclared reader - i1\n"
                    "attention ada@x undeclared owner - i2\n"},
    {.name = "ended, live",
     .role = "owner",
     .ends_at = NOW,
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "revoke ada@x membership-ended reader - i1\n",
     .create_only = "attention ada@x membership-ended reader - i1\n"},
    {.name = "undeclared, accepted",
     .invites = {{"i1", NULL, "reader", "accepted", NULL, 1, PAST}},
     .expected = "attention ada@x accepted-undeclared reader - i1\n"},
    {.name = "undeclared, live and accepted",
     .invites = {{"i1", NULL, "reader", "accepted", NULL, 1, PAST},
                 {"i2", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "revoke ada@x undeclared reader - i2\n"
                 "attention ada@x accepted-undeclared reader - i1\n",
     .create_only = "attention ada@x accepted-undeclared reader - i1\n"
                    "attention ada@x undeclared reader - i2\n"},
    {.name = "undeclared, expired",
     .invites = {{"i1", NULL, "reader", "expired", NULL, 1, PAST},
                 {"i2", NULL, "reader", "pending", NULL, 2, NOW}},
     .expected = "keep ada@x expired-undeclared reader - i2\n"},

    {.name = "an unknown status",
     .role = "reader",
     .invites = {{"i1", NULL, "reader", "paused", NULL, 1, 0}},
     .expected = "attention ada@x unknown-status reader - i1\n"},
    {.name = "an unknown role, undeclared",
     .invites = {{"i1", NULL, "admin", "pending", NULL, 1, 0}},
     .expected = "attention ada@x unknown-status unknown - i1\n"},
    {.name = "an unknown status beside others stops all of that person",
     .role = "owner",
     .invites = {{"i1", NULL, "reader", "pending", NULL, 1, 0},
                 {"i2", NULL, "reader", "paused", NULL, 1, 0},
                 {"i3", NULL, "reader", "pending", NULL, 1, 0}},
     .expected = "attention ada@x unknown-status owner - i2\n"},
};

static void every_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i / 2];
        SCENE;
        scene.create_only = i % 2 != 0;
        if (row->role)
            unit_declare(scene.members, "ada@x", row->role, row->projects, row->ends_at);
        const struct memory *memory = &row->memory;
        if (memory->state != CREATE_NONE || memory->mailed > 0) {
            struct ledger_wish *made = wish(&scene, "ada@x", memory->role ? memory->role : "reader",
                                            NULL, memory->state, memory->invite_id);
            made->mailed = memory->mailed;
            made->wall = NOW - memory->ago;
        }
        scene.listing = unit_listing(row->invites, 4);
        make_plan(&scene);
        _cleanup_free_ char *text = plan_text(scene.plan);
        const char *expected =
            scene.create_only && row->create_only ? row->create_only : row->expected;
        if (strcmp(text, expected) != 0)
            fail_msg("%s%s:\n%sexpected:\n%s", row->name, scene.create_only ? " (create-only)" : "",
                     text, expected);
    }
}

static void ignored_people_are_left_alone(void **state)
{
    (void)state;
    SCENE;
    assert_int_equal(members_ignore(scene.members, "*@vendor"), 0);
    static const struct unit_invite invites[] = {
        {"i1", "bot@Vendor", "reader", "pending", NULL, 1, 0},
        {"i2", "odd@vendor", "what", "ever", NULL, 1, 0},
        {"i3", "acc@vendor", "reader", "accepted", NULL, 1, 0},
        {"i4", "eve@x", "reader", "pending", NULL, 1, 0},
    };
    scene.listing = unit_listing(invites, 4);
    assert_plan(&scene, "revoke eve@x undeclared reader - i4\n"
                        "keep acc@vendor ignored reader - i3\n"
                        "keep bot@Vendor ignored reader - i1\n"
                        "keep odd@vendor ignored unknown - i2\n");
}

/* Words are part of the contract. */
static void words(void **state)
{
    (void)state;
    static const char *const reasons[] = {"ignored",
                                          "unknown-status",
                                          "not-invited",
                                          "pending",
                                          "role-differs",
                                          "projects-differ",
                                          "not-as-sent",
                                          "duplicate",
                                          "member",
                                          "accepted-role-differs",
                                          "invite-expired",
                                          "renewals-exhausted",
                                          "create-refused",
                                          "undeclared",
                                          "membership-ended",
                                          "accepted-undeclared",
                                          "expired-undeclared",
                                          "membership-not-begun",
                                          "already-member",
                                          "member-left",
                                          "user-role-differs",
                                          "user-undeclared",
                                          "removal-due",
                                          "email-changed",
                                          "service-account",
                                          "scim-managed",
                                          "no-email",
                                          "protected",
                                          "last-owner"};
    for (int i = 0; i <= REASON_LAST_OWNER; i++)
        assert_string_equal(reason_word((enum reason)i), reasons[i]);
    static const char *const actions[] = {"invite",   "renew",  "replace",   "revoke",
                                          "set-role", "remove", "attention", "keep"};
    for (int i = 0; i <= ACTION_KEEP; i++) {
        assert_string_equal(action_word((enum action)i), actions[i]);
        assert_int_equal(action_mails((enum action)i), i <= ACTION_REPLACE);
        assert_int_equal(action_writes((enum action)i), i <= ACTION_REMOVE);
        assert_int_equal(action_concerns_user((enum action)i),
                         i == ACTION_SET_ROLE || i == ACTION_REMOVE);
        assert_string_equal(action_key((enum action)i),
                            i == ACTION_SET_ROLE ? "set_role" : actions[i]);
    }
    static const char *const results[] = {"", "done", "failed", "blocked", "skipped", "unknown"};
    for (int i = 0; i <= RESULT_UNKNOWN; i++)
        assert_string_equal(result_word((enum result)i), results[i]);
    assert_string_equal(limit_word(LIMIT_REVOCATIONS), "revocations");
    assert_string_equal(limit_word(LIMIT_REVOCATION_RATIO), "revocation_ratio");
    assert_string_equal(limit_word(LIMIT_INVITES), "invites");
    assert_string_equal(limit_word(LIMIT_OWNER_INVITES), "owner_invites");
    assert_string_equal(limit_word(LIMIT_VANISHED), "vanished");
    assert_string_equal(limit_word(LIMIT_REMOVALS), "removals");
    assert_string_equal(limit_word(LIMIT_REMOVAL_RATIO), "removal_ratio");
    assert_string_equal(limit_word(LIMIT_MIN_OWNERS), "min_owners");
    assert_string_equal(limit_word(LIMIT_USERS_VANISHED), "users_vanished");
}

/* ---- order --------------------------------------------------------------------------------- */

static void lines_are_in_the_order_of_writing(void **state)
{
    (void)state;
    SCENE;
    static const char *const declared[] = {"z-new@x", "A-new@x", "b-ren@x", "a-rep@x",
                                           "c-rep@x", "b-rep@x", "a-ren@x", "kept@x"};
    for (size_t i = 0; i < 8; i++)
        unit_declare(scene.members, declared[i], "owner", NULL, 0);
    static const struct unit_invite invites[] = {
        {"i11", "z-rev@x", "reader", "pending", NULL, 1, 0},
        {"i10", "kept@x", "owner", "pending", NULL, 1, 0},
        {"i09", "b-ren@x", "reader", "expired", NULL, 1, 0},
        {"i08", "b-rep@x", "reader", "pending", NULL, 2, 0},
        {"i07", "b-rep@x", "reader", "pending", NULL, 1, 0},
        {"i06", "B-rep@x", "reader", "pending", NULL, 3, 0},
        {"i05", "a-ren@x", "reader", "expired", NULL, 1, 0},
        {"i04", "c-rep@x", "reader", "pending", NULL, 1, 0},
        {"i03", "a-rep@x", "reader", "pending", NULL, 1, 0},
        {"i02", "odd@x", "reader", "odd", NULL, 1, 0},
        {"i01", "A-rev@x", "reader", "pending", NULL, 1, 0},
        {"i00", "kept@x", "owner", "pending", NULL, 0, 0},
    };
    scene.listing = unit_listing(invites, 12);
    assert_plan(&scene, "invite A-new@x not-invited owner - -\n"
                        "invite z-new@x not-invited owner - -\n"
                        "renew a-ren@x invite-expired owner - i05\n"
                        "renew b-ren@x invite-expired owner - i09\n"
                        "replace a-rep@x role-differs owner - i03\n"
                        "revoke b-rep@x duplicate reader - i07\n"
                        "revoke b-rep@x duplicate reader - i08\n"
                        "replace b-rep@x role-differs owner - i06\n"
                        "replace c-rep@x role-differs owner - i04\n"
                        "revoke A-rev@x undeclared reader - i01\n"
                        "revoke kept@x duplicate owner - i00\n"
                        "revoke z-rev@x undeclared reader - i11\n"
                        "attention odd@x unknown-status reader - i02\n"
                        "keep kept@x pending owner - i10\n");
    assert_int_equal(plan_count(scene.plan, ACTION_REVOKE), 5);
    assert_int_equal(plan_count(scene.plan, ACTION_INVITE), 2);
    assert_int_equal(scene.plan->live, 9);
    assert_false(plan_in_sync(scene.plan));
    assert_int_equal(plan_count_blocked(scene.plan), 0);
    for (size_t i = 0; i < scene.plan->lines.count; i++)
        assert_int_equal(scene.plan->lines.items[i].first_clear, i == 5 || i == 6);
}

static void attention_alone_is_in_sync(void **state)
{
    (void)state;
    SCENE;
    static const struct unit_invite invites[] = {
        {"i1", "eve@x", "reader", "accepted", NULL, 1, 0},
    };
    scene.listing = unit_listing(invites, 1);
    assert_plan(&scene, "attention eve@x accepted-undeclared reader - i1\n");
    assert_true(plan_in_sync(scene.plan));
}

/* ---- what the ledger adds ------------------------------------------------------------------ */

static void an_answered_create_counts_until_settle(void **state)
{
    (void)state;
    static const struct {
        int64_t at; /* relative to the listing's beginning */
        bool assumed;
    } cases[] = {{1, true}, {0, true}, {-(int64_t)SETTLE + 1, true}, {-(int64_t)SETTLE, false}};
    for (size_t i = 0; i < 4; i++) {
        SCENE;
        unit_declare(scene.members, "ada@x", "reader", NULL, 0);
        wish(&scene, "ADA@x", "reader", NULL, CREATE_ANSWERED, "new")->at =
            BEGUN + (uint64_t)cases[i].at;
        assert_plan(&scene, cases[i].assumed ? "keep ada@x pending reader - new\n"
                                             : "invite ada@x not-invited reader - -\n");
        assert_int_equal(scene.plan->assumed.count, cases[i].assumed);
        assert_int_equal(scene.plan->live, cases[i].assumed);
    }
}

static void what_the_listing_shows_is_not_assumed(void **state)
{
    (void)state;
    SCENE;
    unit_declare(scene.members, "ada@x", "reader", NULL, 0);
    wish(&scene, "ada@x", "reader", NULL, CREATE_ANSWERED, "new")->at = BEGUN;
    static const struct unit_invite accepted = {.id = "new", .status = "accepted"};
    scene.listing = unit_listing(&accepted, 1);
    assert_plan(&scene, "keep ada@x member reader - new\n");
    assert_int_equal(scene.plan->assumed.count, 0);
}

static void an_assumed_invite_can_be_replaced(void **state)
{
    (void)state;
    SCENE;
    unit_declare(scene.members, "ada@x", "owner", NULL, 0);
    wish(&scene, "ada@x", "reader", NULL, CREATE_ANSWERED, "new")->at = BEGUN;
    assert_plan(&scene, "replace ada@x role-differs owner - new\n");
}

static void only_answered_creates_are_assumed(void **state)
{
    (void)state;
    static const enum create_state states[] = {CREATE_NONE, CREATE_REFUSED};
    for (size_t i = 0; i < 2; i++) {
        SCENE;
        unit_declare(scene.members, "ada@x", "owner", NULL, 0);
        wish(&scene, "ada@x", "reader", NULL, states[i], "new")->at = BEGUN;
        assert_plan(&scene, "invite ada@x not-invited owner - -\n");
    }
}

static void a_deleted_invite_counts_as_gone_until_settle(void **state)
{
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        SCENE;
        unit_declare(scene.members, "ada@x", "reader", NULL, 0);
        assert_int_equal(ledger_deleted(scene.ledger, "i1", BEGUN - SETTLE + (uint64_t)hidden), 0);
        assert_int_equal(ledger_deleted(scene.ledger, "i2", BEGUN), 0);
        static const struct unit_invite invites[] = {
            {"i1", "ada@x", "reader", "pending", NULL, 1, 0},
            {"i2", "eve@x", "reader", "pending", NULL, 1, 0},
        };
        scene.listing = unit_listing(invites, 2);
        assert_plan(&scene, hidden ? "invite ada@x not-invited reader - -\n"
                                   : "keep ada@x pending reader - i1\n");
        assert_int_equal(scene.plan->live, !hidden);
    }
}

/* ---- limits -------------------------------------------------------------------------------- */

/* People of one kind each: new ones, ones to renew, to replace, to revoke, and kept ones. */
static void populate(struct scene *scene, int invites, int renews, int replaces, int revokes,
                     int kept, const char *role)
{
    struct page page = {0};
    const int counts[] = {invites, renews, replaces, revokes, kept};
    for (int kind = 0; kind < 5; kind++) {
        for (int i = 0; i < counts[kind]; i++) {
            char id[32], email[32];
            snprintf(id, sizeof id, "i-%d-%d", kind, i);
            snprintf(email, sizeof email, "p-%d-%d@x", kind, i);
            if (kind != 3)
                unit_declare(scene->members, email, role, NULL, 0);
            if (kind == 0)
                continue;
            const char *other = strcmp(role, "owner") == 0 ? "reader" : "owner";
            struct invite invite =
                unit_invite(&(struct unit_invite){id, email, kind == 2 ? other : role,
                                                  kind == 1 ? "expired" : "pending", NULL, 1, 0});
            assert_int_equal(invites_add(&page.invites, &invite), 0);
        }
    }
    scene->listing = listing_new(LISTING_INVITES);
    assert_int_equal(listing_take_page(scene->listing, &page), 0);
    make_plan(scene);
}

static void revocations_are_limited(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        SCENE;
        scene.limits.revocations = 5;
        populate(&scene, 1, 1, 2, 3 + over, 30, "reader");
        assert_int_equal(scene.plan->excess_count, over);
        if (over)
            assert_excess(&scene, LIMIT_REVOCATIONS, 5, 6);
        assert_int_equal(blocked(&scene, ACTION_REVOKE, LIMIT_REVOCATIONS), over ? 4 : 0);
        assert_int_equal(blocked(&scene, ACTION_REPLACE, LIMIT_REVOCATIONS), over ? 2 : 0);
        assert_int_equal(blocked(&scene, ACTION_INVITE, 0), 1);
        assert_int_equal(blocked(&scene, ACTION_RENEW, 0), 1);
        assert_int_equal(plan_count_blocked(scene.plan), over ? 6 : 0);
    }
}

static void their_share_is_limited(void **state)
{
    (void)state;
    static const struct {
        int revoked, kept;
        double ratio;
        bool over;
    } cases[] = {
        {3, 9, 0.25, false}, /* 3 of 12 */
        {4, 11, 0.25, true}, /* 4 of 15 */
        {1, 9, 0.1, false},  {2, 8, 0.1, true}, {3, 7, 0.3, false}, {9, 0, 0.25, false},
        {10, 0, 0.25, true}, {10, 0, 1, false}, {1, 9, 0, true},    {0, 10, 0, false},
        {1, 8, 0, false}, /* below ten live invites, shares mean nothing */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        scene.limits.revocation_ratio = cases[i].ratio;
        populate(&scene, 1, 1, 0, cases[i].revoked, cases[i].kept, "reader");
        if (cases[i].over)
            assert_excess(&scene, LIMIT_REVOCATION_RATIO, cases[i].ratio,
                          (double)cases[i].revoked / (cases[i].revoked + cases[i].kept));
        else
            assert_int_equal(scene.plan->excess_count, 0);
        assert_int_equal(blocked(&scene, ACTION_REVOKE, LIMIT_REVOCATION_RATIO),
                         cases[i].over ? cases[i].revoked : 0);
        assert_int_equal(blocked(&scene, ACTION_INVITE, 0), 1);
    }
}

static void mails_are_limited(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        SCENE;
        scene.limits.invites = 6;
        populate(&scene, 1 + over, 2, 3, 1, 0, "reader");
        if (over)
            assert_excess(&scene, LIMIT_INVITES, 6, 7);
        else
            assert_int_equal(scene.plan->excess_count, 0);
        assert_int_equal(blocked(&scene, ACTION_INVITE, LIMIT_INVITES), over ? 2 : 0);
        assert_int_equal(blocked(&scene, ACTION_RENEW, LIMIT_INVITES), over ? 2 : 0);
        assert_int_equal(blocked(&scene, ACTION_REPLACE, LIMIT_INVITES), over ? 3 : 0);
        assert_int_equal(blocked(&scene, ACTION_REVOKE, 0), 1);
    }
}

static void owners_are_limited(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        SCENE;
        scene.limits.owner_invites = 3;
        unit_declare(scene.members, "reader@x", "reader", NULL, 0);
        populate(&scene, 1, 1, 1 + over, 2, 0, "owner");
        if (over)
            assert_excess(&scene, LIMIT_OWNER_INVITES, 3, 4);
        else
            assert_int_equal(scene.plan->excess_count, 0);
        /* Readers are invited all the same, and owners revoked. */
        assert_int_equal(blocked(&scene, ACTION_INVITE, 0), over ? 1 : 2);
        assert_int_equal(blocked(&scene, ACTION_INVITE, LIMIT_OWNER_INVITES), over);
        assert_int_equal(blocked(&scene, ACTION_REPLACE, LIMIT_OWNER_INVITES), over ? 2 : 0);
        assert_int_equal(blocked(&scene, ACTION_REVOKE, 0), 2);
    }
}

static void nought_allows_none(void **state)
{
    (void)state;
    SCENE;
    scene.limits.revocations = scene.limits.invites = scene.limits.owner_invites = 0;
    scene.limits.revocation_ratio = 0;
    populate(&scene, 1, 1, 1, 9, 0, "owner");
    assert_int_equal(scene.plan->excess_count, 4);
    assert_int_equal(plan_count_blocked(scene.plan), 12);
    assert_int_equal(
        blocked(&scene, ACTION_REPLACE,
                LIMIT_REVOCATIONS | LIMIT_REVOCATION_RATIO | LIMIT_INVITES | LIMIT_OWNER_INVITES),
        1);
    assert_int_equal(blocked(&scene, ACTION_REVOKE, LIMIT_REVOCATIONS | LIMIT_REVOCATION_RATIO), 9);
    assert_int_equal(blocked(&scene, ACTION_INVITE, LIMIT_INVITES | LIMIT_OWNER_INVITES), 1);
}

static void no_renewals_means_one_mail(void **state)
{
    (void)state;
    for (unsigned mailed = 0; mailed < 2; mailed++) {
        SCENE;
        scene.limits.renewals = 0;
        unit_declare(scene.members, "ada@x", "reader", NULL, 0);
        wish(&scene, "ada@x", "reader", NULL, CREATE_NONE, NULL)->mailed = mailed;
        assert_plan(&scene, mailed ? "attention ada@x renewals-exhausted reader - -\n"
                                   : "invite ada@x not-invited reader - -\n");
    }
}

static void when_most_vanished_nothing_is_written(void **state)
{
    (void)state;
    static const struct {
        long long before;
        int live;
        bool over;
    } cases[] = {{10, 5, false}, {10, 4, true}, {10, 0, true},    {9, 0, false},  {-1, 0, false},
                 {11, 6, false}, {11, 5, true}, {100, 50, false}, {100, 49, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        scene.ledger->live = cases[i].before;
        populate(&scene, 2, 1, 0, 0, cases[i].live, "reader");
        if (cases[i].over)
            assert_excess(&scene, LIMIT_VANISHED, (double)cases[i].before, cases[i].live);
        else
            assert_int_equal(scene.plan->excess_count, 0);
        assert_int_equal(plan_count_blocked(scene.plan), cases[i].over ? 3 : 0);
    }
    SCENE;
    scene.ledger->live = 20;
    populate(&scene, 1, 1, 1, 1, 1, "owner");
    assert_int_equal(blocked(&scene, ACTION_INVITE, LIMIT_VANISHED), 1);
    assert_int_equal(blocked(&scene, ACTION_RENEW, LIMIT_VANISHED), 1);
    assert_int_equal(blocked(&scene, ACTION_REPLACE, LIMIT_VANISHED), 1);
    assert_int_equal(blocked(&scene, ACTION_REVOKE, LIMIT_VANISHED), 1);
    assert_int_equal(blocked(&scene, ACTION_KEEP, 0), 1);
}

/* With create-only, nothing is revoked, so nothing counts as a revocation. */
static void attention_does_not_count(void **state)
{
    (void)state;
    SCENE;
    scene.create_only = true;
    scene.limits.revocations = 0;
    scene.limits.invites = 1;
    populate(&scene, 1, 0, 3, 10, 0, "reader");
    assert_int_equal(scene.plan->excess_count, 0);
    assert_int_equal(plan_count(scene.plan, ACTION_ATTENTION), 13);
}

/* ---- what an approval stands for ----------------------------------------------------------- */

static const struct unit_invite approval_invites[] = {
    {"i1", "eve@x", "reader", "pending", "a", 1, 0},
    {"i2", "zoe@x", "owner", "pending", NULL, 1, 0},
};

static void set_up_approval(struct scene *scene)
{
    scene->limits.revocations = 1;
    assert_int_equal(memory_set(&scene->ledger->base_url, "https://api.example/v1"), 0);
    assert_int_equal(memory_set(&scene->ledger->organization, "org-1"), 0);
    unit_declare(scene->members, "new@x", "reader", NULL, 0);
    scene->listing = unit_listing(approval_invites, 2);
}

static void relist(struct scene *scene, const struct unit_invite *invites, size_t count)
{
    scene_forget(scene);
    scene->listing = unit_listing(invites, count);
}

static void an_approval_survives_the_rest(void **state)
{
    (void)state;
    SCENE;
    set_up_approval(&scene);
    _cleanup_free_ char *before = blocked_text(&scene);
    const struct unit_invite more[] = {
        {"i9", "NEW@x", "reader", "pending", NULL, 1, 0},
        {"i2", "zoe@x", "owner", "pending", NULL, 1, 0},
        {"i3", "odd@x", "reader", "odd", NULL, 1, 0},
        {"i4", "old@x", "reader", "expired", NULL, 1, 0},
        {"i1", "EVE@x", "reader", "pending", "a", 1, 0}, /* the same address */
    };
    relist(&scene, more, 5);
    scene.ledger->live = 3;
    wish(&scene, "new@x", "reader", NULL, CREATE_ANSWERED, "i9");
    _cleanup_free_ char *after = blocked_text(&scene);
    unit_assert_text(after, before);
}

static void an_approval_dies_with_what_is_blocked(void **state)
{
    (void)state;
    for (int change = 0; change < 9; change++) {
        SCENE;
        set_up_approval(&scene);
        _cleanup_free_ char *before = blocked_text(&scene);
        struct unit_invite invites[3] = {approval_invites[0], approval_invites[1]};
        switch (change) {
        case 0:
            invites[0].id = "i7";
            break;
        case 1:
            invites[0].email = "evil@x";
            break;
        case 2:
            invites[0].role = "owner";
            break;
        case 3:
            invites[0].projects = "a b";
            break;
        case 4:
            invites[2] = (struct unit_invite){"i3", "yan@x", "reader", "pending", NULL, 1, 0};
            break;
        case 5:
            assert_int_equal(memory_set(&scene.ledger->organization, "org-2"), 0);
            break;
        case 6:
            assert_int_equal(memory_set(&scene.ledger->base_url, "https://b.example/v1"), 0);
            break;
        case 7:
            scene.ledger->approvals_used++;
            break;
        default: /* one of the two is to be replaced instead */
            unit_declare(scene.members, "zoe@x", "reader", NULL, 0);
        }
        relist(&scene, invites, 3);
        _cleanup_free_ char *after = blocked_text(&scene);
        if (strcmp(before, after) == 0)
            fail_msg("change %d does not change what is approved", change);
    }
}

/* Who approved the same lines has not approved a listing that lacks most of what was there. */
static void an_approval_is_of_the_listing_seen(void **state)
{
    (void)state;
    SCENE;
    scene.limits.invites = 0;
    unit_declare(scene.members, "new@x", "reader", NULL, 0);
    scene.listing = unit_listing(NULL, 0);
    scene.ledger->live = 9;
    _cleanup_free_ char *before = blocked_text(&scene);
    assert_int_equal(plan_count_blocked(scene.plan), 1);
    scene.ledger->live = 10;
    relist(&scene, NULL, 0);
    _cleanup_free_ char *after = blocked_text(&scene);
    assert_int_equal(plan_count_blocked(scene.plan), 1);
    assert_string_not_equal(after, before);
}

/* No text of one field can pass for the next field. */
static void an_approval_is_not_forged_by_names(void **state)
{
    (void)state;
    static const char *const projects[] = {"ab c", "a bc"};
    char *texts[2];
    for (size_t i = 0; i < 2; i++) {
        SCENE;
        scene.limits.revocations = 0;
        const struct unit_invite invite = {"i1", "eve@x", "reader", "pending", projects[i], 1, 0};
        scene.listing = unit_listing(&invite, 1);
        texts[i] = blocked_text(&scene);
    }
    assert_string_not_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static void an_approval_lifts_every_limit(void **state)
{
    (void)state;
    SCENE;
    scene.limits.revocations = scene.limits.invites = 0;
    populate(&scene, 1, 1, 1, 1, 0, "reader");
    assert_int_equal(plan_count_blocked(scene.plan), 4);
    assert_false(scene.plan->approved);
    plan_approve(scene.plan);
    assert_true(scene.plan->approved);
    assert_int_equal(plan_count_blocked(scene.plan), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict),
        cmocka_unit_test(ignored_people_are_left_alone),
        cmocka_unit_test(words),
        cmocka_unit_test(lines_are_in_the_order_of_writing),
        cmocka_unit_test(attention_alone_is_in_sync),
        cmocka_unit_test(an_answered_create_counts_until_settle),
        cmocka_unit_test(what_the_listing_shows_is_not_assumed),
        cmocka_unit_test(an_assumed_invite_can_be_replaced),
        cmocka_unit_test(only_answered_creates_are_assumed),
        cmocka_unit_test(a_deleted_invite_counts_as_gone_until_settle),
        cmocka_unit_test(revocations_are_limited),
        cmocka_unit_test(their_share_is_limited),
        cmocka_unit_test(mails_are_limited),
        cmocka_unit_test(owners_are_limited),
        cmocka_unit_test(nought_allows_none),
        cmocka_unit_test(no_renewals_means_one_mail),
        cmocka_unit_test(when_most_vanished_nothing_is_written),
        cmocka_unit_test(attention_does_not_count),
        cmocka_unit_test(an_approval_survives_the_rest),
        cmocka_unit_test(an_approval_dies_with_what_is_blocked),
        cmocka_unit_test(an_approval_is_of_the_listing_seen),
        cmocka_unit_test(an_approval_is_not_forged_by_names),
        cmocka_unit_test(an_approval_lifts_every_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

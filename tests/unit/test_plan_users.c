/* Plans with users: every row of the verdict table that concerns them, the join, and their rails.
 */
#include "scene.h"

#define HOUR 3600
#define LONG (NOW - 30 * 24 * HOUR)

/* ---- the verdict table --------------------------------------------------------------------- */

/* What the ledger knows of a user. */
struct known {
    const char *id, *email;
    unsigned passes;
    uint64_t undeclared;
};

struct row {
    const char *name;
    const char *role; /* declared for ada@x; NULL: not declared */
    int64_t starts_at, ends_at;
    const char *also; /* another address that is declared a reader */
    const char *protected, *ignored;
    unsigned mailed; /* how often the wish was mailed */
    struct known known;
    struct unit_invite invites[4];
    int64_t accepted;        /* when those that are accepted were; 0: not stated */
    int64_t accepted_second; /* the same of the second invite; 0: not stated */
    struct unit_user users[3];
    /* What is done where users are observed, where they are managed, and where they are managed
     * with policy create-only; NULL: as where they are observed. */
    const char *observe, *manage, *create_only;
};

#define USER(...)        .users = {{__VA_ARGS__}}
#define INVITE(...)      .invites = {{__VA_ARGS__}}
#define MEMBER           USER("u1", "ada@x", "reader", LONG, false, false)
#define ACCEPTED(when)   INVITE("i1", "ada@x", "reader", "accepted", NULL, 1, 0), .accepted = (when)
#define SERVICE_OF(mail) USER("u1", mail, "owner", LONG, true, false)

static const struct row rows[] = {
    /* Declared, and a member. */
    {.name = "member without an invite",
     .role = "reader",
     MEMBER,
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "member who was invited",
     .role = "reader",
     ACCEPTED(LONG),
     MEMBER,
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "member who was invited for another role, and has the right one",
     .role = "reader",
     INVITE("i1", "ada@x", "owner", "accepted", NULL, 1, 0),
     MEMBER,
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "member whose invite has expired",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "expired", NULL, 1, 0),
     MEMBER,
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "addresses are compared without regard to case",
     .role = "reader",
     USER("u1", "ADA@X", "reader", LONG, false, false),
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "projects of a member are not compared",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "accepted", "p", 1, 0),
     MEMBER,
     .observe = "keep ada@x member reader - - u1\n"},

    /* Invites that a member has no use for. */
    {.name = "member with live invites",
     .role = "reader",
     .invites = {{"i1", "ada@x", "reader", "pending", NULL, 1, 0},
                 {"i2", "ADA@x", "owner", "pending", "p", 2, 0},
                 {"i3", "ada@x", "owner", "expired", NULL, 2, 0}},
     MEMBER,
     .observe = "revoke ada@x already-member reader - i1\n"
                "revoke ada@x already-member owner [p:member] i2\n"
                "keep ada@x member reader - - u1\n",
     .create_only = "attention ada@x already-member reader - i1\n"
                    "attention ada@x already-member owner [p:member] i2\n"
                    "keep ada@x member reader - - u1\n"},
    {.name = "one that they may just have accepted",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "pending", NULL, NOW - 2 * HOUR, 0),
     USER("u1", "ada@x", "reader", NOW - HOUR, false, false),
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "a member for longer than an acceptance takes to show",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "pending", NULL, NOW - 2 * HOUR, 0),
     USER("u1", "ada@x", "reader", NOW - HOUR - 1, false, false),
     .observe = "revoke ada@x already-member reader - i1\n"
                "keep ada@x member reader - - u1\n",
     .create_only = "attention ada@x already-member reader - i1\n"
                    "keep ada@x member reader - - u1\n"},
    {.name = "made after they came in",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "pending", NULL, NOW - 9, 0),
     USER("u1", "ada@x", "reader", NOW - 10, false, false),
     .observe = "revoke ada@x already-member reader - i1\n"
                "keep ada@x member reader - - u1\n",
     .create_only = "attention ada@x already-member reader - i1\n"
                    "keep ada@x member reader - - u1\n"},
    {.name = "an ignored user whose e-mail is another one now",
     .ignored = "*@vendor.x",
     .known = {"u1", "ada@vendor.x", 9, 1},
     MEMBER,
     .observe = "keep ada@vendor.x ignored reader - - u1\n"},
    {.name = "two users of the address, and the newer one may just have accepted it",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "pending", NULL, NOW - 2 * HOUR, 0),
     .users = {{"u1", "ada@x", "reader", LONG, false, false},
               {"u2", "ada@x", "reader", NOW - HOUR, false, false}},
     .observe = "keep ada@x member reader - - u1\n"
                "keep ada@x member reader - - u2\n"},
    {.name = "since when they are a member is not stated",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "pending", NULL, 1, 0),
     USER("u1", "ada@x", "reader", 0, false, false),
     .observe = "keep ada@x member reader - - u1\n"},

    /* Roles. */
    {.name = "a reader who is to be an owner",
     .role = "owner",
     MEMBER,
     .observe = "attention ada@x user-role-differs reader - - u1\n",
     .manage = "set-role ada@x user-role-differs owner - - u1\n"},
    {.name = "an owner who is to be a reader",
     .role = "reader",
     USER("u1", "ada@x", "owner", LONG, false, false),
     .observe = "attention ada@x user-role-differs owner - - u1\n",
     .manage = "set-role ada@x user-role-differs reader - - u1\n"},
    {.name = "role and a live invite",
     .role = "owner",
     INVITE("i1", "ada@x", "owner", "pending", NULL, 1, 0),
     MEMBER,
     .observe = "revoke ada@x already-member owner - i1\n"
                "attention ada@x user-role-differs reader - - u1\n",
     .manage = "revoke ada@x already-member owner - i1\n"
               "set-role ada@x user-role-differs owner - - u1\n",
     .create_only = "attention ada@x already-member owner - i1\n"
                    "attention ada@x user-role-differs reader - - u1\n"},
    {.name = "a protected owner whom the file makes a reader",
     .role = "reader",
     .protected = "Ada@x",
     USER("u1", "ada@x", "owner", LONG, false, false),
     .observe = "attention ada@x protected owner - - u1\n"},
    {.name = "a protected reader whom the file makes an owner",
     .role = "owner",
     .protected = "ada@x",
     MEMBER,
     .observe = "attention ada@x user-role-differs reader - - u1\n",
     .manage = "set-role ada@x user-role-differs owner - - u1\n"},
    {.name = "a role that is not known",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "pending", NULL, 1, 0),
     USER("u1", "ada@x", "admin", LONG, false, false),
     .observe = "attention ada@x unknown-status unknown - - u1\n"},
    {.name = "no role at all",
     .role = "owner",
     USER("u1", "ada@x", NULL, LONG, false, false),
     .observe = "attention ada@x unknown-status unknown - - u1\n"},
    {.name = "an invite of an unknown status: nothing of theirs is touched",
     .role = "owner",
     INVITE("i1", "ada@x", "reader", "paused", NULL, 1, 0),
     MEMBER,
     .observe = "attention ada@x unknown-status owner - i1\n"},

    /* Managed elsewhere. */
    {.name = "SCIM, as declared",
     .role = "reader",
     USER("u1", "ada@x", "reader", LONG, false, true),
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "SCIM, with another role",
     .role = "reader",
     USER("u1", "ada@x", "owner", LONG, false, true),
     .observe = "attention ada@x scim-managed owner - - u1\n"},
    {.name = "SCIM, and not declared",
     .known = {"u1", "ada@x", 9, 9 * DAY},
     USER("u1", "ada@x", "reader", LONG, false, true),
     .observe = "attention ada@x scim-managed reader - - u1\n"},
    {.name = "a service account",
     .known = {"u1", "ada@x", 9, 9 * DAY},
     SERVICE_OF("ada@x"),
     .observe = "keep ada@x service-account owner - - u1\n"},
    {.name = "a service account that is declared with another role",
     .role = "reader",
     SERVICE_OF("ada@x"),
     .observe = "keep ada@x service-account owner - - u1\n"},
    {.name = "a service account without an e-mail",
     SERVICE_OF(NULL),
     .observe = "keep u1 service-account owner - - u1\n"},
    {.name = "nobody knows who",
     .known = {"u1", "ada@x", 9, 9 * DAY},
     USER("u1", NULL, "owner", LONG, false, false),
     .observe = "attention u1 no-email owner - - u1\n"},

    {.name = "they have no e-mail any more, and the file has the one they had",
     .role = "reader",
     .known = {"u1", "ada@x", 0, 0},
     INVITE("i1", "ada@x", "owner", "pending", NULL, 1, 0),
     USER("u1", NULL, "owner", LONG, false, false),
     .observe = "attention ada@x no-email owner - - u1\n"},
    {.name = "their e-mail has changed to a declared one, and the file protects the old one",
     .role = "reader",
     .protected = "old@x",
     .known = {"u1", "old@x", 0, 0},
     USER("u1", "ada@x", "owner", LONG, false, false),
     .observe = "attention ada@x protected owner - - u1\n"
                "attention old@x email-changed owner - - u1\n"},
    {.name = "they have no e-mail any more, and the file protects the one they had",
     .protected = "ada@x",
     .known = {"u1", "ada@x", 0, 0},
     USER("u1", NULL, "owner", LONG, false, false),
     .observe = "attention ada@x no-email owner - - u1\n"},

    /* Under another address. */
    {.name = "the e-mail has changed",
     .role = "reader",
     .known = {"u1", "ada@x", 0, 0},
     USER("u1", "new@x", "owner", LONG, false, false),
     .observe = "attention ada@x email-changed owner - - u1\n"},
    {.name = "the e-mail has changed, and there are invites",
     .role = "reader",
     .known = {"u1", "ada@x", 0, 0},
     .invites = {{"i1", "ada@x", "owner", "pending", NULL, 1, 0},
                 {"i2", "ada@x", "reader", "expired", NULL, 1, 0}},
     USER("u1", "new@x", "reader", LONG, false, false),
     .observe = "attention ada@x email-changed reader - - u1\n"},
    {.name = "the e-mail has changed, and the file has both",
     .role = "reader",
     .also = "new@x",
     .known = {"u1", "ada@x", 0, 0},
     USER("u1", "new@x", "reader", LONG, false, false),
     .observe = "attention ada@x email-changed reader - - u1\n"
                "keep new@x member reader - - u1\n"},
    {.name = "only its letters' case has changed",
     .role = "reader",
     .known = {"u1", "Ada@X", 0, 0},
     MEMBER,
     .observe = "keep ada@x member reader - - u1\n"},
    {.name = "somebody else has the old e-mail now",
     .role = "reader",
     .known = {"u1", "ada@x", 0, 0},
     .users = {{"u1", "new@x", "owner", LONG, false, false},
               {"u2", "ada@x", "reader", LONG, false, false}},
     .observe = "attention ada@x email-changed owner - - u1\n"
                "keep ada@x member reader - - u2\n"},

    /* Not declared, and a member. */
    {.name = "not declared, seen first",
     MEMBER,
     .observe = "attention ada@x user-undeclared reader - - u1\n",
     .manage = "attention ada@x removal-due reader - - u1\n"},
    {.name = "not declared, seen long enough, but once",
     .known = {"u1", "ada@x", 1, DAY},
     MEMBER,
     .observe = "attention ada@x user-undeclared reader - - u1\n",
     .manage = "attention ada@x removal-due reader - - u1\n"},
    {.name = "not declared, seen often, but not for long enough",
     .known = {"u1", "ada@x", 99, DAY - 1},
     MEMBER,
     .observe = "attention ada@x user-undeclared reader - - u1\n",
     .manage = "attention ada@x removal-due reader - - u1\n"},
    {.name = "not declared, seen long enough",
     .known = {"u1", "ada@x", 2, DAY},
     MEMBER,
     .observe = "attention ada@x user-undeclared reader - - u1\n",
     .manage = "remove ada@x user-undeclared reader - - u1\n"},
    {.name = "not declared, and it was somebody else who was seen",
     .known = {"u2", "ada@x", 2, DAY},
     MEMBER,
     .observe = "attention ada@x user-undeclared reader - - u1\n",
     .manage = "attention ada@x removal-due reader - - u1\n"},
    {.name = "not declared, an owner",
     .known = {"u1", "ada@x", 2, DAY},
     USER("u1", "ada@x", "owner", LONG, false, false),
     .observe = "attention ada@x user-undeclared owner - - u1\n",
     .manage = "remove ada@x user-undeclared owner - - u1\n"},
    {.name = "not declared, with live invites",
     .known = {"u1", "ada@x", 2, DAY},
     .invites = {{"i1", "ada@x", "owner", "pending", NULL, 1, 0},
                 {"i2", "ada@x", "reader", "accepted", NULL, 1, 0}},
     MEMBER,
     .observe = "revoke ada@x undeclared owner - i1\n"
                "attention ada@x user-undeclared reader - - u1\n",
     .manage = "revoke ada@x undeclared owner - i1\n"
               "remove ada@x user-undeclared reader - - u1\n",
     .create_only = "attention ada@x undeclared owner - i1\n"
                    "attention ada@x user-undeclared reader - - u1\n"},
    {.name = "not declared, protected",
     .protected = "ADA@x",
     .known = {"u1", "ada@x", 9, 9 * DAY},
     USER("u1", "ada@x", "owner", LONG, false, false),
     .observe = "keep ada@x protected owner - - u1\n"},
    {.name = "ended",
     .role = "owner",
     .ends_at = NOW,
     .known = {"u1", "ada@x", 2, DAY},
     MEMBER,
     .observe = "attention ada@x membership-ended reader - - u1\n",
     .manage = "remove ada@x membership-ended reader - - u1\n"},
    {.name = "ended just now",
     .role = "reader",
     .ends_at = NOW,
     MEMBER,
     .observe = "attention ada@x membership-ended reader - - u1\n",
     .manage = "attention ada@x removal-due reader - - u1\n"},
    {.name = "ended, protected",
     .role = "reader",
     .ends_at = NOW,
     .protected = "ada@x",
     .known = {"u1", "ada@x", 2, DAY},
     MEMBER,
     .observe = "keep ada@x protected reader - - u1\n"},
    {.name = "not begun, and a member",
     .role = "owner",
     .starts_at = NOW + 1,
     .known = {"u1", "ada@x", 9, 9 * DAY},
     INVITE("i1", "ada@x", "owner", "pending", NULL, 1, 0),
     MEMBER,
     .observe = "revoke ada@x membership-not-begun owner - i1\n"
                "attention ada@x membership-not-begun reader - - u1\n",
     .create_only = "attention ada@x membership-not-begun owner - i1\n"
                    "attention ada@x membership-not-begun reader - - u1\n"},
    {.name = "not begun, invited already",
     .role = "owner",
     .starts_at = NOW + 1,
     INVITE("i1", "ada@x", "owner", "pending", NULL, 1, 0),
     .observe = "revoke ada@x membership-not-begun owner - i1\n",
     .create_only = "attention ada@x membership-not-begun owner - i1\n"},
    {.name = "not begun, nothing yet", .role = "owner", .starts_at = NOW + 1, .observe = ""},
    {.name = "begun",
     .role = "owner",
     .starts_at = NOW,
     .observe = "invite ada@x not-invited owner - -\n"},

    /* Accepted, and no member. */
    {.name = "accepted within the hour",
     .role = "reader",
     ACCEPTED(NOW - HOUR),
     .observe = "keep ada@x member reader - i1\n"},
    {.name = "accepted longer ago",
     .role = "reader",
     ACCEPTED(NOW - HOUR - 1),
     .observe = "invite ada@x member-left reader - i1\n"},
    {.name = "accepted longer ago, and somebody has no e-mail who may be this person",
     .role = "reader",
     ACCEPTED(LONG),
     USER("u1", NULL, "reader", LONG, false, false),
     .observe = "attention ada@x member-left reader - i1\n"
                "attention u1 no-email reader - - u1\n"},
    {.name = "accepted longer ago, and a service account has no e-mail",
     .role = "reader",
     ACCEPTED(LONG),
     SERVICE_OF(NULL),
     .observe = "invite ada@x member-left reader - i1\n"
                "keep u1 service-account owner - - u1\n"},
    {.name = "accepted longer ago, for another role",
     .role = "owner",
     ACCEPTED(NOW - HOUR - 1),
     .observe = "invite ada@x member-left owner - i1\n"},
    {.name = "accepted at a time that is not stated",
     .role = "reader",
     ACCEPTED(0),
     .observe = "attention ada@x member-left reader - i1\n"},
    {.name = "accepted longer ago, and mailed as often as may be",
     .role = "reader",
     .mailed = 4,
     ACCEPTED(LONG),
     .observe = "attention ada@x renewals-exhausted reader - i1\n"},
    {.name = "accepted longer ago, and mailed once less",
     .role = "reader",
     .mailed = 3,
     ACCEPTED(LONG),
     .observe = "invite ada@x member-left reader - i1\n"},
    {.name = "accepted longer ago, and invited again",
     .role = "reader",
     .invites = {{"i1", "ada@x", "reader", "accepted", NULL, 1, 0},
                 {"i2", "ada@x", "reader", "pending", NULL, 2, 0}},
     .accepted = LONG,
     .observe = "keep ada@x pending reader - i2\n"},
    {.name = "accepted longer ago, and the invite after it has expired",
     .role = "reader",
     .invites = {{"i1", "ada@x", "reader", "accepted", NULL, 1, 0},
                 {"i2", "ada@x", "reader", "expired", NULL, 2, 0}},
     .accepted = LONG,
     .observe = "invite ada@x member-left reader - i1\n"},
    {.name = "not declared, accepted within the hour",
     ACCEPTED(NOW - HOUR),
     .observe = "attention ada@x accepted-undeclared reader - i1\n"},
    {.name = "not declared, accepted longer ago",
     ACCEPTED(NOW - HOUR - 1),
     .observe = "keep ada@x member-left reader - i1\n"},
    {.name = "not declared, accepted at a time that is not stated",
     ACCEPTED(0),
     .observe = "keep ada@x member-left reader - i1\n"},
    {.name = "ended, accepted longer ago",
     .role = "reader",
     .ends_at = NOW,
     ACCEPTED(LONG),
     .observe = "keep ada@x member-left reader - i1\n"},

    {.name = "accepted twice: the last acceptance counts",
     .role = "reader",
     .invites = {{"i1", "ada@x", "reader", "accepted", NULL, 1, 0},
                 {"i2", "ada@x", "reader", "accepted", NULL, 2, 0}},
     .accepted = NOW - HOUR,
     .accepted_second = LONG,
     .observe = "keep ada@x member reader - i1\n"},
    {.name = "accepted twice, one of them at a time that is not stated",
     .role = "reader",
     .invites = {{"i1", "ada@x", "reader", "accepted", NULL, 1, 0},
                 {"i2", "ada@x", "reader", "accepted", NULL, 2, 0}},
     .accepted = LONG,
     .observe = "attention ada@x member-left reader - i2\n"},

    /* Without a user, all is as it is without users. */
    {.name = "declared, nothing yet",
     .role = "reader",
     .observe = "invite ada@x not-invited reader - -\n"},
    {.name = "declared, live with another role",
     .role = "owner",
     INVITE("i1", "ada@x", "reader", "pending", NULL, 1, 0),
     .observe = "replace ada@x role-differs owner - i1\n",
     .create_only = "attention ada@x role-differs owner - i1\n"},
    {.name = "declared, expired",
     .role = "reader",
     INVITE("i1", "ada@x", "reader", "expired", NULL, 1, 0),
     .observe = "renew ada@x invite-expired reader - i1\n"},
    {.name = "not declared, live",
     INVITE("i1", "ada@x", "reader", "pending", NULL, 1, 0),
     .observe = "revoke ada@x undeclared reader - i1\n",
     .create_only = "attention ada@x undeclared reader - i1\n"},
    {.name = "not declared, expired",
     INVITE("i1", "ada@x", "reader", "expired", NULL, 1, 0),
     .observe = "keep ada@x expired-undeclared reader - i1\n"},

    {.name = "ignored member",
     .ignored = "*@x",
     .known = {"u1", "ada@x", 9, 9 * DAY},
     USER("u1", "ada@x", "admin", LONG, false, false),
     .observe = "keep ada@x ignored unknown - - u1\n"},
    {.name = "ignored member with an invite",
     .ignored = "ada@x",
     INVITE("i1", "ada@x", "owner", "pending", NULL, 1, 0),
     MEMBER,
     .observe = "keep ada@x ignored owner - i1\n"},
    {.name = "two users of one address",
     .role = "owner",
     .users = {{"u2", "ada@x", "owner", LONG, false, false},
               {"u1", "Ada@x", "reader", LONG, false, false}},
     .observe = "attention ada@x user-role-differs reader - - u1\n"
                "keep ada@x member owner - - u2\n",
     .manage = "set-role ada@x user-role-differs owner - - u1\n"
               "keep ada@x member owner - - u2\n"},
};

/* Sorted by id. */
static void know(struct scene *scene, const struct known *known, size_t count)
{
    scene->ledger->users = calloc(count + 1, sizeof *scene->ledger->users);
    scene->ledger->user_count = count;
    for (size_t i = 0; i < count; i++)
        scene->ledger->users[i] = (struct ledger_user){.id = strdup(known[i].id),
                                                       .email = strdup(known[i].email),
                                                       .passes = known[i].passes,
                                                       .undeclared = known[i].undeclared};
}

static struct listing *listing_with_dates(const struct row *row)
{
    struct page page = {0};
    for (size_t i = 0; i < 4 && row->invites[i].id; i++) {
        struct invite invite = unit_invite(&row->invites[i]);
        if (invite.status == INVITE_ACCEPTED)
            invite.accepted_at = i == 1 ? row->accepted_second : row->accepted;
        assert_int_equal(invites_add(&page.invites, &invite), 0);
    }
    struct listing *listing = listing_new(LISTING_INVITES);
    assert_int_equal(listing_take_page(listing, &page), 0);
    return listing;
}

/* An owner beside whoever is judged: otherwise nobody could be demoted. */
static struct listing *users_and_boss(const struct unit_user *given)
{
    struct unit_user users[4] = {{"u0", "boss@z", "owner", LONG, false, false}};
    for (size_t i = 0; i < 3 && given[i].id; i++)
        users[i + 1] = given[i];
    return unit_users(users, 4);
}

/* Without the boss, who is kept. */
static char *text_of_others(const struct plan *plan)
{
    static const char boss[] = "keep boss@z member owner - - u0\n";
    char *text = plan_text(plan), *line = strstr(text, boss);
    assert_non_null(line);
    memmove(line, line + strlen(boss), strlen(line + strlen(boss)) + 1);
    return text;
}

static void set_up(struct scene *scene, const struct row *row)
{
    unit_declare(scene->members, "boss@z", "owner", NULL, 0);
    if (row->also)
        unit_declare(scene->members, row->also, "reader", NULL, 0);
    if (row->role) {
        unit_declare(scene->members, "ada@x", row->role, NULL, row->ends_at);
        ((struct member *)members_find(scene->members, "ada@x"))->starts_at = row->starts_at;
    }
    if (row->protected)
        assert_int_equal(members_protect(scene->members, row->protected), 0);
    if (row->ignored)
        assert_int_equal(members_ignore(scene->members, row->ignored), 0);
    if (row->mailed > 0)
        wish(scene, "ada@x", row->role, NULL, CREATE_ANSWERED, "i0")->mailed = row->mailed;
    if (row->known.id)
        know(scene, &row->known, 1);
    scene->listing = listing_with_dates(row);
    scene->users = users_and_boss(row->users);
}

static void every_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i / 3];
        const char *const ways[] = {"observe", "manage", "manage, create-only"};
        const char *const expected[] = {row->observe, row->manage, row->create_only};
        SCENE;
        scene.users_mode = i % 3 == 0 ? USERS_OBSERVE : USERS_MANAGE;
        scene.create_only = i % 3 == 2;
        set_up(&scene, row);
        make_plan(&scene);
        _cleanup_free_ char *text = text_of_others(scene.plan);
        const char *wanted = expected[i % 3] ? expected[i % 3] : row->observe;
        if (strcmp(text, wanted) != 0)
            fail_msg("%s (%s):\n%sexpected:\n%s", row->name, ways[i % 3], text, wanted);
        for (size_t l = 0; l < scene.plan->lines.count; l++)
            assert_int_equal(scene.plan->lines.items[l].due_in > 0,
                             scene.plan->lines.items[l].reason == REASON_REMOVAL_DUE);
    }
}

/* ---- the join ------------------------------------------------------------------------------ */

/* Of the three sides, each has people that the others lack. */
static void joins_three_sides(void **state)
{
    (void)state;
    SCENE;
    static const char *const declared[] = {"m@x", "M-U@x", "m-i@x", "m-i-u@x", "zz@x"};
    for (size_t i = 0; i < 5; i++)
        unit_declare(scene.members, declared[i], "reader", NULL, 0);
    static const struct unit_invite invites[] = {
        {"i4", "M-I-U@x", "reader", "accepted", NULL, 1, 0},
        {"i3", "i-u@x", "reader", "expired", NULL, 1, 0},
        {"i2", "m-i@x", "reader", "pending", NULL, 1, 0},
        {"i1", "I@x", "reader", "pending", NULL, 1, 0},
    };
    static const struct unit_user users[] = {
        {"u6", "u@x", "owner", LONG, false, false},
        {"u5", "m-u@x", "reader", LONG, false, false},
        {"u4", "i-u@x", "reader", LONG, false, false},
        {"u3", "m-i-u@x", "reader", LONG, false, false},
        {"u2", NULL, "reader", LONG, false, false},
        {"u1", "aa@x", "reader", LONG, true, false},
    };
    scene.listing = unit_listing(invites, 4);
    scene.users = unit_users(users, 6);
    scene.users_mode = USERS_OBSERVE;
    assert_plan(&scene, "invite m@x not-invited reader - -\n"
                        "invite zz@x not-invited reader - -\n"
                        "revoke I@x undeclared reader - i1\n"
                        "attention i-u@x user-undeclared reader - - u4\n"
                        "attention u2 no-email reader - - u2\n"
                        "attention u@x user-undeclared owner - - u6\n"
                        "keep aa@x service-account reader - - u1\n"
                        "keep m-i-u@x member reader - - u3\n"
                        "keep m-i@x pending reader - i2\n"
                        "keep M-U@x member reader - - u5\n");
    assert_int_equal(scene.plan->people, 5);
    assert_int_equal(scene.plan->owners, 1);
}

static void lines_are_in_the_order_of_writing(void **state)
{
    (void)state;
    SCENE;
    static const char *const declared[] = {"new@x", "b-role@x", "A-role@x", "boss@z"};
    for (size_t i = 0; i < 4; i++)
        unit_declare(scene.members, declared[i], "owner", NULL, 0);
    static const struct known known[] = {
        {"u1", "b-gone@x", 2, DAY}, {"u2", "a-gone@x", 2, DAY}, {"u5", "due@x", 1, 0}};
    know(&scene, known, 3);
    static const struct unit_invite invites[] = {
        {"i1", "rev@x", "reader", "pending", NULL, 1, 0},
        {"i2", "b-gone@x", "reader", "pending", NULL, 1, 0},
        {"i3", "boss@z", "reader", "pending", NULL, 1, 0},
    };
    static const struct unit_user users[] = {
        {"u0", "boss@z", "owner", LONG, false, false},
        {"u1", "b-gone@x", "reader", LONG, false, false},
        {"u2", "a-gone@x", "reader", LONG, false, false},
        {"u3", "a-role@x", "reader", LONG, false, false},
        {"u4", "b-role@x", "reader", LONG, false, false},
        {"u5", "due@x", "reader", LONG, false, false},
    };
    scene.listing = unit_listing(invites, 3);
    scene.users = unit_users(users, 6);
    scene.users_mode = USERS_MANAGE;
    assert_plan(&scene, "invite new@x not-invited owner - -\n"
                        "revoke b-gone@x undeclared reader - i2\n"
                        "revoke boss@z already-member reader - i3\n"
                        "revoke rev@x undeclared reader - i1\n"
                        "set-role A-role@x user-role-differs owner - - u3\n"
                        "set-role b-role@x user-role-differs owner - - u4\n"
                        "remove a-gone@x user-undeclared reader - - u2\n"
                        "remove b-gone@x user-undeclared reader - - u1\n"
                        "attention due@x removal-due reader - - u5\n"
                        "keep boss@z member owner - - u0\n");
    assert_false(plan_in_sync(scene.plan));
}

/* An invite that only the ledger knows of is none that the listing shows beside the user. */
static void an_assumed_invite_is_no_stray(void **state)
{
    (void)state;
    SCENE;
    unit_declare(scene.members, "ada@x", "owner", NULL, 0);
    wish(&scene, "ada@x", "owner", NULL, CREATE_ANSWERED, "new")->at = BEGUN;
    static const struct unit_user users[] = {{"u1", "ada@x", "owner", LONG, false, false}};
    scene.users = unit_users(users, 1);
    scene.users_mode = USERS_OBSERVE;
    assert_plan(&scene, "keep ada@x member owner - - u1\n");
}

/* Who was removed a moment ago may still be listed. */
static void a_removed_user_counts_as_gone_until_settle(void **state)
{
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        SCENE;
        static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                                 {"u1", "ada@x", "owner", LONG, false, false}};
        unit_declare(scene.members, "boss@z", "owner", NULL, 0);
        assert_int_equal(ledger_deleted(scene.ledger, "u1", BEGUN - SETTLE + (uint64_t)hidden), 0);
        scene.users = unit_users(users, 2);
        scene.users_mode = USERS_MANAGE;
        assert_plan(&scene, hidden ? "keep boss@z member owner - - u0\n"
                                   : "attention ada@x removal-due owner - - u1\n"
                                     "keep boss@z member owner - - u0\n");
        assert_int_equal(scene.plan->people, 2 - hidden);
        assert_int_equal(scene.plan->owners, 2 - hidden);
    }
}

static void says_when_a_removal_is_due(void **state)
{
    (void)state;
    static const struct {
        unsigned passes;
        uint64_t undeclared, due;
    } cases[] = {{0, 0, DAY},     {1, 0, DAY}, {2, 0, DAY}, {2, 1, DAY - 1},
                 {2, DAY - 1, 1}, {1, DAY, 1}, {2, DAY, 0}, {9, 9 * DAY, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                                 {"u1", "ada@x", "reader", LONG, false, false}};
        const struct known known = {"u1", "ada@x", cases[i].passes, cases[i].undeclared};
        unit_declare(scene.members, "boss@z", "owner", NULL, 0);
        if (cases[i].passes > 0)
            know(&scene, &known, 1);
        scene.users = unit_users(users, 2);
        scene.users_mode = USERS_MANAGE;
        make_plan(&scene);
        assert_int_equal(scene.plan->lines.items[0].due_in, cases[i].due);
        assert_int_equal(scene.plan->lines.items[0].action,
                         cases[i].due == 0 ? ACTION_REMOVE : ACTION_ATTENTION);
    }
}

/* ---- owners -------------------------------------------------------------------------------- */

/* Owners to be removed, owners to be demoted, owners who stay, and readers who stay. */
static void populate(struct scene *scene, int removed, int demoted, int owners, int readers)
{
    struct page page = {0};
    struct known known[64];
    char ids[64][16], emails[64][32];
    const int counts[] = {removed, demoted, owners, readers};
    size_t n = 0;
    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < counts[kind]; i++, n++) {
            snprintf(ids[n], sizeof ids[n], "u-%02zu", n);
            snprintf(emails[n], sizeof emails[n], "p-%d-%02d@x", kind, i);
            known[n] = (struct known){ids[n], emails[n], 2, kind == 0 ? DAY : 0};
            if (kind != 0)
                unit_declare(scene->members, emails[n], kind == 2 ? "owner" : "reader", NULL, 0);
            struct user user = unit_user(&(struct unit_user){
                ids[n], emails[n], kind == 3 ? "reader" : "owner", LONG, false, false});
            assert_int_equal(users_add(&page.users, &user), 0);
        }
    }
    know(scene, known, n);
    scene->users = listing_new(LISTING_USERS);
    assert_int_equal(listing_take_page(scene->users, &page), 0);
    scene->users_mode = USERS_MANAGE;
    make_plan(scene);
}

static size_t count_reason(const struct scene *scene, enum reason reason)
{
    size_t n = 0;
    for (size_t i = 0; i < scene->plan->lines.count; i++)
        n += scene->plan->lines.items[i].reason == reason;
    return n;
}

/* No approval leads to an organisation that nobody owns. */
static void the_last_owners_are_spared(void **state)
{
    (void)state;
    static const int cases[][3] = {{1, 0, 0}, {0, 1, 0}, {2, 0, 0}, {1, 1, 0}, {0, 3, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        populate(&scene, cases[i][0], cases[i][1], cases[i][2], 3);
        size_t lost = (size_t)cases[i][0] + (size_t)cases[i][1];
        assert_int_equal(plan_count(scene.plan, ACTION_REMOVE), 0);
        assert_int_equal(plan_count(scene.plan, ACTION_SET_ROLE), 0);
        assert_int_equal(count_reason(&scene, REASON_LAST_OWNER), lost);
        assert_int_equal(plan_count(scene.plan, ACTION_ATTENTION), lost);
        assert_int_equal(scene.plan->excess_count, 0);
        assert_true(plan_in_sync(scene.plan));
        for (size_t l = 0; l < lost; l++)
            assert_int_equal(scene.plan->lines.items[l].role, ROLE_OWNER);
    }
}

/* Somebody who is only about to become an owner owns nothing yet. */
static void who_becomes_an_owner_does_not_count_yet(void **state)
{
    (void)state;
    SCENE;
    static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                             {"u1", "ada@x", "reader", LONG, false, false}};
    unit_declare(scene.members, "boss@z", "reader", NULL, 0);
    unit_declare(scene.members, "ada@x", "owner", NULL, 0);
    scene.users = unit_users(users, 2);
    scene.users_mode = USERS_MANAGE;
    assert_plan(&scene, "set-role ada@x user-role-differs owner - - u1\n"
                        "attention boss@z last-owner owner - - u0\n");
}

/* A service account that is an owner cannot sign in to mend anything. */
static void a_service_account_is_no_owner(void **state)
{
    (void)state;
    SCENE;
    static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                             {"u1", "bot@x", "owner", LONG, true, false}};
    unit_declare(scene.members, "boss@z", "reader", NULL, 0);
    scene.users = unit_users(users, 2);
    scene.users_mode = USERS_MANAGE;
    assert_plan(&scene, "attention boss@z last-owner owner - - u0\n"
                        "keep bot@x service-account owner - - u1\n");
    assert_int_equal(scene.plan->people, 1);
    assert_int_equal(scene.plan->owners, 1);
}

/* Whom a write of ours has deposed a moment ago owns nothing, whatever a listing shows. */
static void who_was_deposed_is_no_owner_until_settle(void **state)
{
    (void)state;
    for (int recent = 0; recent < 2; recent++) {
        SCENE;
        static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                                 {"u1", "ada@x", "owner", LONG, false, false}};
        unit_declare(scene.members, "boss@z", "reader", NULL, 0);
        unit_declare(scene.members, "ada@x", "owner", NULL, 0);
        assert_int_equal(
            ledger_depose(scene.ledger, "u1", BEGUN - SETTLE + (uint64_t)recent, false), 0);
        scene.users = unit_users(users, 2);
        scene.users_mode = USERS_MANAGE;
        assert_plan(&scene, recent ? "attention boss@z last-owner owner - - u0\n"
                                     "keep ada@x member owner - - u1\n"
                                   : "set-role boss@z user-role-differs reader - - u0\n"
                                     "keep ada@x member owner - - u1\n");
        assert_int_equal(scene.plan->owners, 2 - recent);
    }
}

static void so_many_owners_are_left(void **state)
{
    (void)state;
    static const struct {
        int removed, demoted, owners;
        unsigned least;
        bool over;
    } cases[] = {{1, 0, 2, 2, false}, {1, 0, 1, 2, true},  {0, 1, 1, 2, true}, {2, 1, 3, 3, false},
                 {2, 1, 3, 4, true},  {0, 0, 1, 5, false}, {1, 1, 1, 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        scene.limits.min_owners = cases[i].least;
        unit_declare(scene.members, "new@x", "reader", NULL, 0);
        populate(&scene, cases[i].removed, cases[i].demoted, cases[i].owners, 3);
        bool over = cases[i].over;
        if (over)
            assert_excess(&scene, LIMIT_MIN_OWNERS, cases[i].least, cases[i].owners);
        else
            assert_int_equal(scene.plan->excess_count, 0);
        unsigned by = over ? LIMIT_MIN_OWNERS : 0;
        assert_int_equal(blocked(&scene, ACTION_REMOVE, by), cases[i].removed);
        assert_int_equal(blocked(&scene, ACTION_SET_ROLE, by), cases[i].demoted);
        assert_int_equal(blocked(&scene, ACTION_INVITE, 0), 1);
    }
}

/* Readers come and go below the least number of owners. */
static void the_least_number_of_owners_holds_up_no_reader(void **state)
{
    (void)state;
    SCENE;
    static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                             {"u1", "ada@x", "reader", LONG, false, false},
                                             {"u2", "ben@x", "owner", LONG, false, false}};
    static const struct known known[] = {{"u1", "ada@x", 2, DAY}, {"u2", "ben@x", 2, DAY}};
    scene.limits.min_owners = 2;
    unit_declare(scene.members, "boss@z", "owner", NULL, 0);
    know(&scene, known, 2);
    scene.users = unit_users(users, 3);
    scene.users_mode = USERS_MANAGE;
    assert_plan(&scene, "remove ada@x user-undeclared reader - - u1\n"
                        "remove ben@x user-undeclared owner - - u2\n"
                        "keep boss@z member owner - - u0\n");
    assert_int_equal(scene.plan->lines.items[0].blocked_by, 0);
    assert_int_equal(scene.plan->lines.items[1].blocked_by, LIMIT_MIN_OWNERS);
}

/* ---- limits -------------------------------------------------------------------------------- */

/* Readers to be removed and readers who stay, below a boss. */
static void populate_readers(struct scene *scene, int removed, int kept)
{
    struct page page = {0};
    struct known known[64];
    char ids[64][16], emails[64][32];
    struct user boss = unit_user(&(struct unit_user){"u-", "boss@z", "owner", LONG, false, false});
    assert_int_equal(users_add(&page.users, &boss), 0);
    unit_declare(scene->members, "boss@z", "owner", NULL, 0);
    for (int i = 0; i < removed + kept; i++) {
        snprintf(ids[i], sizeof ids[i], "u-%02d", i);
        snprintf(emails[i], sizeof emails[i], "p-%02d@x", i);
        known[i] = (struct known){ids[i], emails[i], 2, i < removed ? DAY : 0};
        if (i >= removed)
            unit_declare(scene->members, emails[i], "reader", NULL, 0);
        struct user user =
            unit_user(&(struct unit_user){ids[i], emails[i], "reader", LONG, false, false});
        assert_int_equal(users_add(&page.users, &user), 0);
    }
    know(scene, known, (size_t)(removed + kept));
    scene->users = listing_new(LISTING_USERS);
    assert_int_equal(listing_take_page(scene->users, &page), 0);
    scene->users_mode = USERS_MANAGE;
    make_plan(scene);
}

static void removals_are_limited(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        SCENE;
        scene.limits.removals = 3;
        unit_declare(scene.members, "new@x", "reader", NULL, 0);
        const struct unit_invite invite = {"i1", "rev@x", "reader", "pending", NULL, 1, 0};
        scene.listing = unit_listing(&invite, 1);
        populate_readers(&scene, 3 + over, 2);
        if (over)
            assert_excess(&scene, LIMIT_REMOVALS, 3, 4);
        else
            assert_int_equal(scene.plan->excess_count, 0);
        assert_int_equal(blocked(&scene, ACTION_REMOVE, over ? LIMIT_REMOVALS : 0), 3 + over);
        assert_int_equal(blocked(&scene, ACTION_INVITE, 0), 1);
        assert_int_equal(blocked(&scene, ACTION_REVOKE, 0), 1);
    }
}

/* The boss counts among the people. */
static void their_share_is_limited(void **state)
{
    (void)state;
    static const struct {
        int removed, kept;
        double ratio;
        bool over;
    } cases[] = {{1, 8, 0.1, false}, {2, 7, 0.1, true}, {2, 17, 0.1, false}, {2, 16, 0.1, true},
                 {8, 0, 0, false},   {1, 8, 0, true},   {8, 1, 1, false},    {0, 9, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        scene.limits.removal_ratio = cases[i].ratio;
        populate_readers(&scene, cases[i].removed, cases[i].kept);
        if (cases[i].over)
            assert_excess(&scene, LIMIT_REMOVAL_RATIO, cases[i].ratio,
                          (double)cases[i].removed / (cases[i].removed + cases[i].kept + 1));
        else
            assert_int_equal(scene.plan->excess_count, 0);
        assert_int_equal(blocked(&scene, ACTION_REMOVE, cases[i].over ? LIMIT_REMOVAL_RATIO : 0),
                         cases[i].removed);
    }
}

/* Whoever is made an owner counts like one who is invited as such. */
static void new_owners_are_limited(void **state)
{
    (void)state;
    SCENE;
    static const struct unit_user users[] = {{"u0", "boss@z", "owner", LONG, false, false},
                                             {"u1", "ada@x", "reader", LONG, false, false},
                                             {"u2", "ben@x", "owner", LONG, false, false}};
    scene.limits.owner_invites = 1;
    unit_declare(scene.members, "boss@z", "owner", NULL, 0);
    unit_declare(scene.members, "ada@x", "owner", NULL, 0);
    unit_declare(scene.members, "ben@x", "reader", NULL, 0);
    unit_declare(scene.members, "new@x", "owner", NULL, 0);
    scene.users = unit_users(users, 3);
    scene.users_mode = USERS_MANAGE;
    make_plan(&scene);
    assert_excess(&scene, LIMIT_OWNER_INVITES, 1, 2);
    assert_int_equal(blocked(&scene, ACTION_INVITE, LIMIT_OWNER_INVITES), 1);
    assert_int_equal(blocked(&scene, ACTION_SET_ROLE, LIMIT_OWNER_INVITES), 1);
    assert_int_equal(blocked(&scene, ACTION_SET_ROLE, 0), 1);
    assert_int_equal(blocked(&scene, ACTION_SET_ROLE, LIMIT_INVITES), 0);
}

static void when_most_users_vanished_nothing_is_written(void **state)
{
    (void)state;
    static const struct {
        long long before;
        int there; /* with the boss */
        bool over;
    } cases[] = {{10, 5, false}, {10, 4, true}, {9, 2, false},   {-1, 2, false},
                 {11, 6, false}, {11, 5, true}, {60, 30, false}, {60, 29, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCENE;
        scene.ledger->people = cases[i].before;
        unit_declare(scene.members, "new@x", "reader", NULL, 0);
        const struct unit_invite invite = {"i1", "rev@x", "reader", "pending", NULL, 1, 0};
        scene.listing = unit_listing(&invite, 1);
        populate_readers(&scene, 1, cases[i].there - 2);
        bool over = cases[i].over;
        if (over)
            assert_excess(&scene, LIMIT_USERS_VANISHED, (double)cases[i].before, cases[i].there);
        else
            assert_int_equal(scene.plan->excess_count, 0);
        unsigned by = over ? LIMIT_USERS_VANISHED : 0;
        assert_int_equal(blocked(&scene, ACTION_REMOVE, by), 1);
        assert_int_equal(blocked(&scene, ACTION_INVITE, by), 1);
        assert_int_equal(blocked(&scene, ACTION_REVOKE, by), 1);
    }
}

/* Who is not listed cannot have vanished. */
static void without_users_none_have_vanished(void **state)
{
    (void)state;
    SCENE;
    scene.ledger->people = 50;
    unit_declare(scene.members, "new@x", "reader", NULL, 0);
    assert_plan(&scene, "invite new@x not-invited reader - -\n");
    assert_int_equal(scene.plan->excess_count, 0);
}

/* ---- what an approval stands for ----------------------------------------------------------- */

static const struct unit_user approval_users[] = {
    {"u0", "boss@z", "owner", LONG, false, false},
    {"u1", "ada@x", "reader", LONG, false, false},
    {"u2", "ben@x", "owner", LONG, false, false},
    {"u3", "cem@x", "owner", LONG, false, false},
};

static void set_up_approval(struct scene *scene)
{
    static const struct known known[] = {
        {"u1", "ada@x", 2, DAY}, {"u2", "ben@x", 2, DAY}, {"u9", "ada@x", 2, DAY}};
    scene->limits.removals = 0;
    scene->limits.min_owners = 3;
    assert_int_equal(memory_set(&scene->ledger->base_url, "https://api.example/v1"), 0);
    unit_declare(scene->members, "boss@z", "owner", NULL, 0);
    unit_declare(scene->members, "cem@x", "reader", NULL, 0);
    know(scene, known, 3);
    scene->users = unit_users(approval_users, 4);
    scene->users_mode = USERS_MANAGE;
}

static void an_approval_lifts_the_limits_of_users(void **state)
{
    (void)state;
    SCENE;
    set_up_approval(&scene);
    _cleanup_free_ char *text = blocked_text(&scene);
    assert_int_equal(plan_count_blocked(scene.plan), 3);
    assert_int_equal(blocked(&scene, ACTION_REMOVE, LIMIT_REMOVALS | LIMIT_MIN_OWNERS), 1);
    assert_int_equal(blocked(&scene, ACTION_REMOVE, LIMIT_REMOVALS), 1);
    assert_int_equal(blocked(&scene, ACTION_SET_ROLE, LIMIT_MIN_OWNERS), 1);
    assert_non_null(strstr(text, "8:set-role;5:cem@x;6:reader;"));
    assert_non_null(strstr(text, "6:remove;5:ada@x;"));
    plan_approve(scene.plan);
    assert_int_equal(plan_count_blocked(scene.plan), 0);
}

static void an_approval_dies_with_what_is_blocked(void **state)
{
    (void)state;
    for (int change = 0; change < 4; change++) {
        SCENE;
        set_up_approval(&scene);
        _cleanup_free_ char *before = blocked_text(&scene);
        struct unit_user users[] = {approval_users[0], approval_users[1], approval_users[2],
                                    approval_users[3]};
        switch (change) {
        case 0: /* the same address, and somebody else */
            users[1].id = "u9";
            break;
        case 1:
            users[1].role = "owner";
            break;
        case 2: /* one fewer */
            unit_declare(scene.members, "ada@x", "reader", NULL, 0);
            break;
        default:
            assert_int_equal(members_protect(scene.members, "ben@x"), 0);
        }
        scene_forget(&scene);
        scene.users = unit_users(users, 4);
        _cleanup_free_ char *after = blocked_text(&scene);
        assert_true(plan_count_blocked(scene.plan) > 0);
        if (strcmp(before, after) == 0)
            fail_msg("change %d does not change what is approved", change);
    }
}

/* What was approved by a listing that was whole is not approved by one that lacks most. */
static void an_approval_is_not_for_a_listing_that_lacks_most(void **state)
{
    (void)state;
    SCENE;
    set_up_approval(&scene);
    _cleanup_free_ char *before = blocked_text(&scene);
    scene.ledger->people = 10;
    _cleanup_free_ char *after = blocked_text(&scene);
    assert_string_not_equal(before, after);
}

/* Who approved removals while owners enough were left has not seen that too few are left now. */
static void an_approval_is_not_for_fewer_owners(void **state)
{
    (void)state;
    SCENE;
    set_up_approval(&scene);
    unit_declare(scene.members, "dan@x", "owner", NULL, 0);
    unit_declare(scene.members, "eva@x", "owner", NULL, 0);
    ((struct member *)members_find(scene.members, "cem@x"))->role = ROLE_OWNER;
    struct unit_user users[] = {approval_users[0], approval_users[1], approval_users[2],
                                approval_users[3]};
    scene_forget(&scene);
    scene.users = unit_users(users, 4);
    scene.limits.min_owners = 2;
    _cleanup_free_ char *before = blocked_text(&scene);
    assert_int_equal(blocked(&scene, ACTION_REMOVE, LIMIT_REMOVALS), 2);
    /* Another owner has gone meanwhile. */
    scene_forget(&scene);
    scene.users = unit_users(users, 3);
    _cleanup_free_ char *after = blocked_text(&scene);
    assert_int_equal(blocked(&scene, ACTION_REMOVE, LIMIT_REMOVALS | LIMIT_MIN_OWNERS), 1);
    assert_string_not_equal(before, after);
}

/* What nothing lifts is no part of it. */
static void an_approval_is_not_asked_for_what_nothing_lifts(void **state)
{
    (void)state;
    SCENE;
    static const struct unit_user users[] = {
        {"u0", "boss@z", "owner", LONG, false, false},
        {"u1", "ada@x", "reader", LONG, true, false},
        {"u2", "ben@x", "reader", LONG, false, true},
        {"u3", "cem@x", "reader", LONG, false, false},
    };
    static const struct known known[] = {{"u0", "boss@z", 2, DAY},
                                         {"u1", "ada@x", 2, DAY},
                                         {"u2", "ben@x", 2, DAY},
                                         {"u3", "cem@x", 2, DAY}};
    scene.limits.removals = 0;
    scene.limits.removal_ratio = 0;
    scene.limits.min_owners = 2;
    assert_int_equal(members_protect(scene.members, "cem@x"), 0);
    know(&scene, known, 4);
    scene.users = unit_users(users, 4);
    scene.users_mode = USERS_MANAGE;
    assert_plan(&scene, "attention ben@x scim-managed reader - - u2\n"
                        "attention boss@z last-owner owner - - u0\n"
                        "keep ada@x service-account reader - - u1\n"
                        "keep cem@x protected reader - - u3\n");
    assert_int_equal(plan_count_blocked(scene.plan), 0);
    plan_approve(scene.plan);
    assert_true(plan_in_sync(scene.plan));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict),
        cmocka_unit_test(joins_three_sides),
        cmocka_unit_test(lines_are_in_the_order_of_writing),
        cmocka_unit_test(an_assumed_invite_is_no_stray),
        cmocka_unit_test(a_removed_user_counts_as_gone_until_settle),
        cmocka_unit_test(says_when_a_removal_is_due),
        cmocka_unit_test(the_last_owners_are_spared),
        cmocka_unit_test(who_becomes_an_owner_does_not_count_yet),
        cmocka_unit_test(a_service_account_is_no_owner),
        cmocka_unit_test(who_was_deposed_is_no_owner_until_settle),
        cmocka_unit_test(so_many_owners_are_left),
        cmocka_unit_test(the_least_number_of_owners_holds_up_no_reader),
        cmocka_unit_test(removals_are_limited),
        cmocka_unit_test(their_share_is_limited),
        cmocka_unit_test(new_owners_are_limited),
        cmocka_unit_test(when_most_users_vanished_nothing_is_written),
        cmocka_unit_test(without_users_none_have_vanished),
        cmocka_unit_test(an_approval_lifts_the_limits_of_users),
        cmocka_unit_test(an_approval_dies_with_what_is_blocked),
        cmocka_unit_test(an_approval_is_not_for_a_listing_that_lacks_most),
        cmocka_unit_test(an_approval_is_not_for_fewer_owners),
        cmocka_unit_test(an_approval_is_not_asked_for_what_nothing_lifts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Exports: what stands in them, and that they are read back as what they were written from. */
#include "unit.h"

#include <jansson.h>

#include "codec/exporttext.h"
#include "codec/memberfile.h"
#include "codec/utf8.h"
#include "codec/wire.h"
#include "core/address.h"

#define NOW  INT64_C(1796169600) /* 2026-12-02 */
#define HOUR 3600

/* An organisation, as listings have it, and what was made of it. */
struct world {
    struct listing *invites, *users;
    struct ledger *ledger;
    struct plan_inputs inputs;
    struct adoption *adoption;
    char *conf, *json;
};

/* A complete listing of the items, which are JSON; NULL: none. */
static struct listing *listing_of(enum listing_kind kind, const char *items)
{
    if (!items)
        return NULL;
    _cleanup_free_ char *error = NULL;
    _cleanup_free_ char *body = memory_format("{\"data\":[%s],\"has_more\":false}", items);
    struct page page;
    int r = kind == LISTING_USERS ? wire_read_users_page(body, strlen(body), &page, &error)
                                  : wire_read_page(body, strlen(body), &page, &error);
    if (r < 0)
        fail_msg("%s: %s", error, body);
    struct listing *listing = listing_new(kind);
    assert_int_equal(listing_take_page(listing, &page), 0);
    assert_int_equal(listing_state(listing), LISTING_COMPLETE);
    return listing;
}

static const struct limits limits = {.renewals = 3};

static struct world listed(const char *invites, const char *users)
{
    struct world world = {
        .invites = listing_of(LISTING_INVITES, invites),
        .users = listing_of(LISTING_USERS, users),
        .ledger = ledger_new(),
    };
    world.inputs = (struct plan_inputs){
        .listing = world.invites,
        .users = world.users,
        .ledger = world.ledger,
        .limits = &limits,
        .begun = UINT64_C(1000000000),
        .settle = UINT64_C(60000000),
        .now = NOW,
    };
    return world;
}

static void export(struct world *world)
{
    assert_int_equal(adoption_build(&world->inputs, &world->adoption), 0);
    world->conf = exporttext_conf(world->adoption, NOW);
    world->json = exporttext_json(world->adoption);
    assert_true(world->conf && world->json);
}

static struct world world_of(const char *invites, const char *users)
{
    struct world world = listed(invites, users);
    export(&world);
    return world;
}

static void world_clear(struct world *world)
{
    listing_free(world->invites);
    if (world->users)
        listing_free(world->users);
    ledger_free(world->ledger);
    adoption_free(world->adoption);
    free(world->conf);
    free(world->json);
}

static struct members *read_back(const char *name, const char *text)
{
    struct members *members = NULL;
    struct problems problems = {0};
    struct source source = {.name = (char *)name, .text = (char *)text, .length = strlen(text)};
    int r = memberfile_parse(&source, 1, &members, &problems);
    ASSERT_PROBLEMS(&problems, "");
    assert_int_equal(r, 0);
    return members;
}

static void assert_same(const struct members *read, const struct members *written)
{
    assert_int_equal(read->count, written->count);
    for (size_t i = 0; i < read->count; i++) {
        const struct member *a = &read->items[i], *b = &written->items[i];
        assert_string_equal(a->email, b->email);
        assert_int_equal(a->role, b->role);
        assert_int_equal(projects_compare(&a->projects, &b->projects), 0);
        assert_true(a->starts_at == 0 && a->ends_at == 0 && !a->note);
    }
    assert_int_equal(read->ignore_count, written->ignore_count);
    for (size_t i = 0; i < read->ignore_count; i++)
        assert_non_null(members_ignored_by(written, read->ignore[i]));
    assert_int_equal(read->protected_count, 0);
}

/* How many lines of the strictest plan change something, now or later. */
static size_t count_changes(const struct world *world, const struct members *members)
{
    struct plan_inputs inputs = world->inputs;
    struct plan *plan;
    size_t changes = 0;
    inputs.members = members;
    inputs.users_mode = inputs.users ? USERS_MANAGE : USERS_OFF;
    assert_int_equal(plan_build(&inputs, &plan), 0);
    for (size_t i = 0; i < plan->lines.count; i++)
        changes += action_writes(plan->lines.items[i].action) ||
                   plan->lines.items[i].reason == REASON_REMOVAL_DUE;
    plan_free(plan);
    return changes;
}

/* Reads both texts back; returns how many changes a plan from them would make. */
static size_t assert_read_back(const struct world *world)
{
    _cleanup_(members_free_pointer) struct members *conf = read_back("m.conf", world->conf);
    _cleanup_(members_free_pointer) struct members *json = read_back("m.json", world->json);
    assert_same(conf, world->adoption->members);
    assert_same(json, world->adoption->members);
    size_t changes = count_changes(world, conf);
    assert_int_equal(count_changes(world, json), changes);
    assert_int_equal(adoption_in_sync(world->adoption), changes == 0);
    /* All that may move a cursor is the end of a line. */
    for (const char *c = world->conf; *c; c++)
        assert_true(*c == '\n' || (unsigned char)*c >= ' ');
    return changes;
}

/* ---- what is said about whom --------------------------------------------------------------- */

#define INVITE(id, email, more) "{\"id\":\"" id "\",\"email\":\"" email "\"," more "}"
#define USER(id, more)          "{\"id\":\"" id "\"," more "}"
#define PENDING                 "\"status\":\"pending\",\"role\":\"reader\""
#define ACCEPTED                "\"status\":\"accepted\",\"role\":\"owner\",\"accepted_at\":"

static const char invites[] = INVITE("i1", "zoe@x", PENDING) "," INVITE(
    "i2", "Bob@x",
    "\"status\":\"pending\",\"role\":\"owner\",\"projects\":"
    "[{\"id\":\"p2\",\"role\":\"owner\"},{\"id\":\"p1\",\"role\":"
    "\"member\"}]") "," INVITE("i3", "kim@x",
                               PENDING ",\"projects\":[]") "," INVITE("i4", "dup@x",
                                                                      PENDING) "," INVITE("i5",
                                                                                          "DUP@x", PENDING) "," INVITE("i6",
                                                                                                                       "stray@x", PENDING ",\"created_at\":1796160000") "," INVITE("i7",
                                                                                                                                                                                   "gone@x", ACCEPTED "1796000000") "," INVITE("i8", "fresh@x", ACCEPTED "1796168000") "," INVITE("i9", "old@x", "\"status\":\"expired\",\"role\":\"reader\"") "," INVITE("i10",
                                                                                                                                                                                                                                                                                                                                                          "past@x",
                                                                                                                                                                                                                                                                                                                                                          PENDING ",\"expires_at\":1796169600") "," INVITE("i11",
                                                                                                                                                                                                                                                                                                                                                                                                           "odd@x",
                                                                                                                                                                                                                                                                                                                                                                                                           "\"status\":\"frozen\",\"role\":\"reader\"") "," INVITE("i12",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "boss@x", "\"status\":\"pending\",\"role\":\"admin\"") "," INVITE("i13",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "slash@x",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     PENDING
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     ",\"projects\":[{\"id\":\"a/b\",\"role\":\"member\"}]") "," INVITE("i14",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "two words@x", PENDING) "," INVITE("i15",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "unknown@x",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           PENDING
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           ",\"projects\":[{\"id\":\"p\",\"role\":\"admin\"}]");

static const char
    users[] =
        USER("u1",
             "\"email\":\"ada@x\",\"role\":\"owner\",\"name\":\"Ada \\\"L\\\"\\n*/ # \\u001b[2J\"") "," USER("u2",
                                                                                                             "\"email\":\"stray@x\",\"role\":\"reader\",\"added_at\":1796000000") "," USER("u3", "\"email\":\"scim@x\",\"role\":\"reader\",\"is_scim_managed\":true") "," USER("u4", "\"email\":\"both@x\",\"role\":\"reader\",\"name\":\"B\",\"is_scim_managed\":true") "," USER("u5", "\"email\":null,\"role\":\"reader\",\"name\":\"Nobody\"") "," USER("u6", "\"email\":\"bot@x\",\"role\":\"owner\",\"is_service_account\":true") "," USER("u7",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "\"email\":\"role@x\",\"role\":\"admin\"") "," USER("u8", "\"email\":\"none@x\",\"role\":null") "," USER("u9", "\"email\":\"twin@x\",\"role\":\"reader\"") "," USER("u10",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "\"email\":\"TWIN@x\",\"role\":\"owner\"") "," USER("u11",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "\"email\":\"same@x\",\"role\":\"reader\"") "," USER("u12",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "\"email\":\"Same@x\",\"role\":\"reader\"") "," USER("u13",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "\"email\":\"no-sign\",\"role\":\"reader\"");

static void tells_all_with_users(void **state)
{
    (void)state;
    struct world world = world_of(invites, users);
    unit_assert_text(
        world.conf,
        "# The organisation as it was on 2026-12-02 00:00:00Z,\n"
        "# written by inviterd export from its users and its pending invites.\n"
        "# A plan with this file may change something: the last lines say what.\n"
        "# Only pending invites have projects here: those of members are never changed.\n"
        "\n"
        "organization:\n"
        "{\n"
        "  defaults = { role = \"reader\"; };\n"
        "\n"
        "  members = (\n"
        "    { email = \"ada@x\"; role = \"owner\"; },  # Ada \"L\"\\n*/ # \\x1b[2J\n"
        "    { email = \"Bob@x\"; role = \"owner\"; projects = ( \"p1\", { id = \"p2\"; role = "
        "\"owner\"; } ); },  # invited\n"
        "    \"both@x\",  # B, managed by SCIM\n"
        "    { email = \"fresh@x\"; role = \"owner\"; },\n"
        "    { email = \"kim@x\"; projects = (); },  # invited\n"
        "    \"same@x\",\n"
        "    \"scim@x\",  # managed by SCIM\n"
        "    \"slash@x\",  # invited\n"
        "    \"unknown@x\",  # invited\n"
        "    \"zoe@x\"  # invited\n"
        "  );\n"
        "\n"
        "  # Left alone, for a plan would change something here:\n"
        "  ignore = (\n"
        "    \"dup@x\",  # has several live invites; revoke all but one, then declare the "
        "person\n"
        "    \"stray@x\",  # is a member with a live invite; revoke that, then declare "
        "the "
        "person\n"
        "    \"TWIN@x\",  # is the address of several users of different roles\n"
        "    \"two*words@x\"  # two words@x: this address contains a space, so it cannot be "
        "declared\n"
        "  );\n"
        "\n"
        "  # Where users are managed, at least one owner has to stand here, who is never removed:\n"
        "  # protected = ( \"owner@example.com\" );\n"
        "};\n"
        "\n"
        "# What this file cannot express, or does not:\n"
        "#   boss@x: invite i12 has role `admin`, which is not known\n"
        "#   bot@x: a service account, which is never touched\n"
        "#   gone@x: accepted an invite, and is no user now\n"
        "#   no-sign: this address must contain exactly one @, so it cannot be declared\n"
        "#   no-sign: will be removed where users are managed\n"
        "#   none@x: user u8 has no role\n"
        "#   odd@x: invite i11 has status `frozen`, which is not known\n"
        "#   old@x: has nothing but expired invites\n"
        "#   past@x: has nothing but expired invites\n"
        "#   role@x: user u7 has role `admin`, which is not known\n"
        "#   slash@x: is declared without projects, since a member file does not take those of the "
        "invite\n"
        "#   u5: a user without an address (Nobody)\n");
    assert_int_equal(assert_read_back(&world), 1);
    world_clear(&world);
}

static void takes_accepted_invites_for_members_without_users(void **state)
{
    (void)state;
    struct world world = world_of(invites, NULL);
    assert_non_null(strstr(world.conf,
                           "from its invites; who has accepted one is taken for a "
                           "member.\n# A plan with this file is in sync, as long as users "
                           "are \"off\".\n# Who is a member without an invite is "
                           "missing, since users were not listed.\n"));
    static const char *const wanted[] = {
        "    { email = \"fresh@x\"; role = \"owner\"; },\n",
        "    { email = \"gone@x\"; role = \"owner\"; },\n",
        "    \"stray@x\",  # invited\n",
        "#   old@x: has nothing but expired invites\n",
    };
    for (size_t i = 0; i < 4; i++)
        if (!strstr(world.conf, wanted[i]))
            fail_msg("%s is not in %s", wanted[i], world.conf);
    assert_int_equal(assert_read_back(&world), 0);
    world_clear(&world);
}

static void nobody_is_meant(void **state)
{
    (void)state;
    struct world world = world_of("", "");
    assert_non_null(strstr(world.conf, "  members = ();\n  allow_empty = true;\n"));
    unit_assert_text(world.json, "{\n"
                                 "  \"organization\": {\n"
                                 "    \"defaults\": {\n"
                                 "      \"role\": \"reader\"\n"
                                 "    },\n"
                                 "    \"members\": [],\n"
                                 "    \"allow_empty\": true\n"
                                 "  }\n"
                                 "}\n");
    assert_int_equal(assert_read_back(&world), 0);
    world_clear(&world);
}

static void writes_json(void **state)
{
    (void)state;
    struct world world =
        world_of(INVITE("i1", "bob@x",
                        "\"status\":\"pending\",\"role\":\"owner\",\"projects\":"
                        "[{\"id\":\"p\",\"role\":\"owner\"},{\"id\":\"q\",\"role\":"
                        "\"member\"}]") "," INVITE("i2", "dup@x", PENDING) "," INVITE("i3", "dup@x",
                                                                                      PENDING),
                 USER("u1", "\"email\":\"\\u00e4da@x\",\"role\":\"reader\""));
    unit_assert_text(world.json, "{\n"
                                 "  \"organization\": {\n"
                                 "    \"defaults\": {\n"
                                 "      \"role\": \"reader\"\n"
                                 "    },\n"
                                 "    \"members\": [\n"
                                 "      {\n"
                                 "        \"email\": \"bob@x\",\n"
                                 "        \"role\": \"owner\",\n"
                                 "        \"projects\": [\n"
                                 "          {\n"
                                 "            \"id\": \"p\",\n"
                                 "            \"role\": \"owner\"\n"
                                 "          },\n"
                                 "          \"q\"\n"
                                 "        ]\n"
                                 "      },\n"
                                 "      \"\xc3\xa4"
                                 "da@x\"\n"
                                 "    ],\n"
                                 "    \"ignore\": [\n"
                                 "      \"dup@x\"\n"
                                 "    ]\n"
                                 "  }\n"
                                 "}\n");
    assert_int_equal(assert_read_back(&world), 0);
    world_clear(&world);
}

/* A pattern that would hide somebody else is none. */
static void ignores_nobody_else(void **state)
{
    (void)state;
    struct world world =
        world_of(INVITE("i1", "a b@x", PENDING) "," INVITE("i2", "axb@x", PENDING), "");
    assert_int_equal(world.adoption->members->ignore_count, 0);
    assert_int_equal(world.adoption->members->count, 1);
    assert_non_null(strstr(world.conf, "#   a b@x: a plan will revoke this (undeclared)\n"));
    assert_int_equal(assert_read_back(&world), 1);
    world_clear(&world);
}

/* What was deleted a moment ago, and what was made a moment ago, though the listing lags behind. */
static void knows_what_the_ledger_knows(void **state)
{
    (void)state;
    struct world world =
        listed(INVITE("i1", "ada@x", PENDING) "," INVITE("i3", "eve@mail.x", PENDING), NULL);
    const struct projects none = {0};
    assert_int_equal(ledger_deleted(world.ledger, "i1", UINT64_C(990000000)), 0);
    struct ledger_wish *wish = ledger_take(world.ledger, "bob@x", ROLE_READER, &none);
    wish->invite_id = strdup("i2");
    ledger_mark(wish, CREATE_ANSWERED, UINT64_C(995000000), NOW);
    /* Her invite reads otherwise than it was sent. */
    wish = ledger_take(world.ledger, "eve@x", ROLE_READER, &none);
    wish->invite_id = strdup("i3");
    ledger_mark(wish, CREATE_ANSWERED, UINT64_C(1000000), NOW);
    export(&world);
    assert_int_equal(world.adoption->members->count, 1);
    assert_string_equal(world.adoption->members->items[0].email, "eve@x");
    assert_null(strstr(world.conf, "ada@x"));
    assert_non_null(strstr(world.conf, "\"bob@x\"  # a plan would revoke this"));
    assert_int_equal(assert_read_back(&world), 0);
    world_clear(&world);
}

/* ---- chance -------------------------------------------------------------------------------- */

static uint64_t chance;

static unsigned draw(unsigned below)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(chance >> 33) % below;
}

/* Few letters, so that addresses meet, and all that means something to a parser or a terminal. */
static json_t *hostile(unsigned longest)
{
    static const char *const pieces[] = {
        "a",          "B",
        "b",          "@",
        "@x",         "\"",
        "\\",         "#",
        "//",         "/*",
        "*/",         "*",
        "\n",         "\r",
        "\t",         " ",
        ";",          "}",
        ")",          ",",
        "'",          "$",
        "\x1b[2J",    "\x7f",
        "\\n",        "\\x41",
        "{",          "(",
        "%s",         "@include",
        "\xc3\xa4",   "\xe2\x80\xae",
        "\xc2\xa0",   "\xf0\x9f\x98\x80",
        "@y.example",
    };
    char text[400] = "";
    for (unsigned n = 1 + draw(longest); n > 0; n--)
        strcat(text, pieces[draw(sizeof pieces / sizeof *pieces)]);
    return json_string(text);
}

static json_t *address(void)
{
    if (draw(4) == 0)
        return hostile(6);
    static const char *const domains[] = {"x", "X", "y.example"};
    char text[40];
    snprintf(text, sizeof text, "%s%c%s@%s", draw(9) == 0 ? "\"" : "", 'a' + (int)draw(6),
             draw(9) == 0 ? "\\" : "", domains[draw(3)]);
    return json_string(text);
}

static json_t *word(const char *const *words, unsigned count)
{
    unsigned which = draw(count + 1);
    return which < count ? json_string(words[which]) : draw(2) ? hostile(3) : json_null();
}

static json_t *random_projects(void)
{
    static const char *const roles[] = {"member", "owner"};
    json_t *list = json_array();
    for (unsigned n = draw(4); n > 0; n--)
        json_array_append_new(list, json_pack("{s:o, s:s}", "id",
                                              draw(3) ? json_sprintf("p%u", draw(3)) : hostile(3),
                                              "role", draw(8) ? roles[draw(2)] : "admin"));
    return draw(3) ? list : (json_decref(list), json_null());
}

static json_t *time_about(unsigned hours)
{
    return draw(6) ? json_integer(NOW + hours * HOUR / 2 - draw(hours * HOUR)) : json_null();
}

static json_t *random_invite(unsigned i)
{
    static const char *const statuses[] = {"pending", "pending", "pending", "accepted", "accepted",
                                           "expired", "expired", "pending", "accepted"};
    static const char *const roles[] = {"reader", "reader", "reader", "owner", "owner",
                                        "reader", "reader", "owner",  "reader"};
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_sprintf("i%u", i),
                     "email", address(), "status", word(statuses, 9), "role", word(roles, 9),
                     "created_at", time_about(9), "expires_at", time_about(9), "accepted_at",
                     time_about(9), "projects", random_projects());
}

static json_t *random_user(unsigned i)
{
    static const char *const roles[] = {"reader", "reader", "owner", "owner", "reader",
                                        "reader", "reader", "owner", "reader"};
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "id", json_sprintf("u%u", i), "email",
                     draw(12) ? address() : json_null(), "name", draw(2) ? hostile(9) : json_null(),
                     "role", word(roles, 9), "added_at", time_about(9), "is_service_account",
                     draw(9) == 0, "is_scim_managed", draw(9) == 0);
}

static char *random_items(json_t *(*make)(unsigned), unsigned most)
{
    json_t *list = json_array();
    for (unsigned n = draw(most), i = 0; i < n; i++)
        json_array_append_new(list, make(i));
    char *text = json_dumps(list, 0);
    size_t length = strlen(text);
    json_decref(list);
    /* Without its brackets. */
    memmove(text, text + 1, length - 2);
    text[length - 2] = '\0';
    return text;
}

/* Whatever the service says, the file is valid, means what was found, and holds its promise. */
static void reads_back_whatever_there_is(void **state)
{
    (void)state;
    size_t in_sync = 0, with_ignored = 0;
    for (unsigned seed = 0; seed < 3000; seed++) {
        chance = seed;
        _cleanup_free_ char *some_invites = random_items(random_invite, 14);
        _cleanup_free_ char *some_users = random_items(random_user, 9);
        struct world world = world_of(some_invites, draw(3) ? some_users : NULL);
        in_sync += assert_read_back(&world) == 0;
        with_ignored += world.adoption->members->ignore_count > 0;
        world_clear(&world);
    }
    /* Else the promise would be an empty one. */
    assert_true(in_sync > 1000 && with_ignored > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all_with_users),
        cmocka_unit_test(takes_accepted_invites_for_members_without_users),
        cmocka_unit_test(nobody_is_meant),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(ignores_nobody_else),
        cmocka_unit_test(knows_what_the_ledger_knows),
        cmocka_unit_test(reads_back_whatever_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

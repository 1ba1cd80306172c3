/* The member file: what it means, every mistake it can hold, and that no torn file passes. */
#include "unit.h"

#include <errno.h>

#include "codec/memberfile.h"
#include "core/address.h"

/* Parses texts under their names; the texts are copied into blocks of exactly their size. */
static int parse(const char *const *names, const char *const *texts, size_t count,
                 struct members **ret_members, struct problems *problems)
{
    struct source sources[8] = {{0}};
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        sources[i].length = strlen(texts[i]);
        sources[i].text = unit_prefix(texts[i], sources[i].length);
        sources[i].name = (char *)names[i];
    }
    int r = memberfile_parse(sources, count, ret_members, problems);
    for (size_t i = 0; i < count; i++)
        free(sources[i].text);
    return r;
}

static void assert_refused(const char *name, const char *text, const char *expected)
{
    struct members *members = NULL;
    struct problems problems = {0};
    int r = parse(&name, &text, 1, &members, &problems);
    ASSERT_PROBLEMS(&problems, expected);
    assert_int_equal(r, -EBADMSG);
    assert_null(members);
}

static struct members *assert_accepted(const char *name, const char *text)
{
    struct members *members = NULL;
    struct problems problems = {0};
    int r = parse(&name, &text, 1, &members, &problems);
    ASSERT_PROBLEMS(&problems, "");
    assert_int_equal(r, 0);
    assert_non_null(members);
    return members;
}

/* Appends to a text that the caller owns. */
static void append(char **text, char *more)
{
    char *longer = memory_format("%s%s", *text, more);
    free(*text);
    free(more);
    *text = longer;
}

/* Everything that is declared, as text: two declarations are the same if this is. */
static char *show(const struct members *members, bool places)
{
    char *text = strdup("");
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->items[i];
        append(&text, memory_format("%s %s starts %lld ends %lld note %s%s%s", member->email,
                                    role_word(member->role), (long long)member->starts_at,
                                    (long long)member->ends_at, member->note ? member->note : "-",
                                    places ? " at " : "", places ? member->place : ""));
        append(&text, strdup(member->projects.given ? " projects" : ""));
        for (size_t j = 0; j < member->projects.count; j++)
            append(&text, memory_format(" %s=%s", member->projects.items[j].id,
                                        project_role_word(member->projects.items[j].role)));
        append(&text, strdup("\n"));
    }
    for (size_t i = 0; i < members->ignore_count; i++)
        append(&text, memory_format("ignore %s\n", members->ignore[i]));
    for (size_t i = 0; i < members->protected_count; i++)
        append(&text, memory_format("protected %s\n", members->protected[i]));
    return text;
}

static const char rich_conf[] =
    "# people\n"
    "organization: // the group\n"
    "{\n"
    "  defaults = { role = \"reader\"; projects = [ \"proj_all\" ]; };\n"
    "  /* a block\n comment \" ( { */\n"
    "  members = (\n"
    "    \"zoe@example.com\",  # bare\n"
    "    { email = \"Ada@Example.com\"; role = \"owner\"; until = \"2026-12-31\";\n"
    "      note = \"say \\\"hi\\\" \\\\ \\x41 /* no comment */ # nor this \" \"and \xc3\xbc\";\n"
    "      projects = ( \"proj_b\", { id = \"proj_a\"; role = \"owner\"; } ); },\n"
    "    { email = \"bob@example.com\", from = \"2026-12-01\" projects = () },\n"
    "    { role = \"reader\" email = \"eve@example.com\" until = \"2030-01-01\" }\n"
    "  );\n"
    "  ignore = [ \"*@vendor.example\", \"bot-*@example.com\" ];\n"
    "  protected = ( \"Zoe@example.com\", \"ops@example.com\" );\n"
    "  allow_empty = false;\n"
    "};\n"
    "\n \t\n"
    "# after: }; { \" /*\n"
    "// more \xe2\x82\xac\n"
    "/* and \"more\" \xe2\x82\xac\n } */ /**/\n"
    "# the end";

static const char rich_json[] =
    "\n{ \"organization\": {\n"
    "  \"defaults\": {\"role\": \"reader\", \"projects\": [\"proj_all\"]},\n"
    "  \"members\": [ \"zoe@example.com\",\n"
    "   {\"email\": \"Ada@Example.com\", \"role\": \"owner\", \"until\": \"2026-12-31\",\n"
    "    \"note\": \"say \\\"hi\\\" \\\\ \\u0041 /* no comment */ # nor this and \xc3\xbc\",\n"
    "    \"projects\": [\"proj_b\", {\"id\": \"proj_a\", \"role\": \"owner\"}]},\n"
    "   {\"email\": \"bob@example.com\", \"from\": \"2026-12-01\", \"projects\": []},\n"
    "   {\"role\": \"reader\", \"email\": \"eve@example.com\", \"until\": \"2030-01-01\"} ],\n"
    "  \"ignore\": [\"*@vendor.example\", \"bot-*@example.com\"],\n"
    "  \"protected\": [\"Zoe@example.com\", \"ops@example.com\"],\n"
    "  \"allow_empty\": false } }\n \t\r\n\n";

static const char rich_meaning[] =
    "Ada@Example.com owner starts 0 ends 1798761600 note say \"hi\" \\ A /* no comment */ # nor "
    "this and "
    "\xc3\xbc projects proj_a=owner proj_b=member\n"
    "bob@example.com reader starts 1796083200 ends 0 note - projects\n"
    "eve@example.com reader starts 0 ends 1893542400 note - projects proj_all=member\n"
    "zoe@example.com reader starts 0 ends 0 note - projects proj_all=member\n"
    "ignore *@vendor.example\n"
    "ignore bot-*@example.com\n"
    "protected Zoe@example.com\n"
    "protected ops@example.com\n";

static void reads_everything(void **state)
{
    (void)state;
    static const char *const names[] = {"m.conf", "m.json"};
    static const char *const texts[] = {rich_conf, rich_json};
    for (size_t i = 0; i < 2; i++) {
        _cleanup_(members_free_pointer) struct members *members =
            assert_accepted(names[i], texts[i]);
        _cleanup_free_ char *text = show(members, false);
        assert_string_equal(text, rich_meaning);
    }
}

static void remembers_places(void **state)
{
    (void)state;
    static const char *const names[] = {"m.conf", "m.json"};
    static const char *const texts[] = {rich_conf, rich_json};
    static const char *const places[][4] = {
        {"m.conf:9", "m.conf:12", "m.conf:13", "m.conf:8"},
        {"m.json: organization.members[1]", "m.json: organization.members[2]",
         "m.json: organization.members[3]", "m.json: organization.members[0]"},
    };
    for (size_t i = 0; i < 2; i++) {
        _cleanup_(members_free_pointer) struct members *members =
            assert_accepted(names[i], texts[i]);
        for (size_t j = 0; j < 4; j++)
            assert_string_equal(members->items[j].place, places[i][j]);
    }
}

/*
 * The promise on which everything rests: a file that was cut at any byte means what the whole one
 * means, or is refused. Returns how many of the prefixes were accepted.
 */
static size_t assert_no_prefix_passes(const char *name, const char *text, size_t length)
{
    size_t accepted = 0;
    _cleanup_free_ char *whole = NULL;
    for (size_t cut = length + 1; cut-- > 0;) {
        _cleanup_free_ char *prefix = unit_prefix(text, cut);
        _cleanup_(members_free_pointer) struct members *members = NULL;
        struct problems problems = {0};
        struct source source = {.name = (char *)name, .text = prefix, .length = cut};
        int r = memberfile_parse(&source, 1, &members, &problems);
        if (r == 0) {
            _cleanup_free_ char *meaning = show(members, true);
            if (cut == length)
                whole = strdup(meaning);
            assert_non_null(whole);
            assert_string_equal(meaning, whole);
            assert_int_equal(problems.errors, 0);
            accepted++;
        } else {
            assert_true(cut < length);
            assert_int_equal(r, -EBADMSG);
            assert_true(problems.errors > 0 && problems.count == problems.errors);
            assert_null(members);
        }
        problems_clear(&problems);
    }
    return accepted;
}

static void no_torn_file_passes(void **state)
{
    (void)state;
    /* Accepted are the whole file, and what ends after the group in white space or a whole comment.
     */
    assert_int_equal(assert_no_prefix_passes("m.conf", rich_conf, sizeof rich_conf - 1), 48);
    assert_int_equal(assert_no_prefix_passes("m.json", rich_json, sizeof rich_json - 1), 7);
}

/* The same for every way in which a file can end. */
static void no_torn_end_passes(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "}",          "};",          "},",           "}\n;",
        "};\n# x",    "};#",         "} # }",        "} // {",
        "}; /* } */", "} /* { */ ;", "};//\n//\n",   "} /* \" */",
        "};\r\n\r\n", "}\t \f;\n",   "};/**/ # \"x", "}; /* # */ # /*",
        "}; // */\n",
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        _cleanup_free_ char *text = memory_format(
            "organization = { members = ( { email = \"a@b\"; role = \"owner\"; until = "
            "\"2026-12-31\" } );\nignore = (\"*@c\", \"*@d\"); allow_empty = true %s",
            ends[i]);
        assert_true(assert_no_prefix_passes("m.conf", text, strlen(text)) >= 1);
    }
}

static void no_torn_example_passes(void **state)
{
    (void)state;
    static const char *const names[] = {"members.conf", "members.json"};
    for (size_t i = 0; i < 2; i++) {
        size_t length;
        _cleanup_free_ char *path = memory_format(CONFIG_DIR "/examples/%s", names[i]);
        _cleanup_free_ char *text = unit_read_file(path, &length);
        assert_int_equal(assert_no_prefix_passes(names[i], text, length), i == 0 ? 3 : 2);
    }
}

static void examples_mean_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {"members.conf", "members.json"};
    for (size_t i = 0; i < 2; i++) {
        size_t length;
        struct problems problems = {0};
        _cleanup_free_ char *path = memory_format(CONFIG_DIR "/examples/%s", names[i]);
        _cleanup_free_ char *text = unit_read_file(path, &length);
        _cleanup_(members_free_pointer) struct members *members = NULL;
        struct source source = {.name = (char *)names[i], .text = text, .length = length};
        assert_int_equal(memberfile_parse(&source, 1, &members, &problems), 0);
        assert_int_equal(members->count, 2);
        assert_string_equal(members->items[0].email, "ada@example.com");
        assert_int_equal(members->items[0].role, ROLE_READER);
        assert_false(members->items[0].projects.given);
        assert_string_equal(members->items[1].email, "grace@example.com");
        assert_int_equal(members->items[1].role, ROLE_OWNER);
        assert_int_equal(members->items[1].starts_at, 1767225600);
        assert_int_equal(members->items[1].ends_at, 1798761600);
        assert_int_equal(members->items[1].projects.count, 2);
        assert_int_equal(members->ignore_count, 1);
        assert_true(members_protects(members, "grace@example.com"));
    }
}

/* As it is installed it declares nobody, which is not valid; its comments show how to. */
static void ships_nobody(void **state)
{
    (void)state;
    size_t length;
    _cleanup_free_ char *text = unit_read_file(CONFIG_DIR "/members.conf", &length);
    assert_refused("m.conf", text,
                   "m.conf: no members are declared; add them, or set `allow_empty` "
                   "to true if nobody is to be a member\n");
    unit_uncomment(text);
    _cleanup_(members_free_pointer) struct members *members = assert_accepted("m.conf", text);
    _cleanup_free_ char *shown = show(members, false);
    assert_string_equal(shown, "ada@example.com reader starts 0 ends 0 note -\n"
                               "grace@example.com owner starts 0 ends 1798761600 note contract\n"
                               "ignore *@vendor.example\n"
                               "protected grace@example.com\n");
    assert_int_equal(assert_no_prefix_passes("m.conf", text, length), 3);
}

static void refuses_what_declares_nothing(void **state)
{
    (void)state;
    static const char nothing[] =
        "m.conf:1: nothing is declared here; add the group `organization` "
        "with its `members`\n";
    static const char nobody[] =
        "m.conf: no members are declared; add them, or set `allow_empty` to "
        "true if nobody is to be a member\n";
    assert_refused("m.conf", "", nothing);
    assert_refused("m.conf", "\n\n# x\n", nothing);
    assert_refused("m.conf", "organization: {}", nobody);
    assert_refused("m.conf", "organization: { members = (); }", nobody);
    assert_refused("m.conf", "organization: { allow_empty = false; ignore = (\"*@b\"); }", nobody);
    assert_refused("m.conf", "organisation: { }",
                   "m.conf:1: unknown key `organisation`; did you mean `organization`?\n");
    assert_refused("m.conf", "organization = ();",
                   "m.conf:1: `organization` must be a group, such as { members }, not a list\n");
    assert_refused("m.json", "",
                   "m.json:1: the file is empty; write {\"organization\": {\"members\": [...]}}\n");
    assert_refused("m.json", "{}",
                   "m.json: nothing is declared here; add the group `organization` "
                   "with its `members`\n");
    assert_refused("m.json", "[]",
                   "m.json: this value must be an object, such as {\"organization\": {}}, not "
                   "an array\n");
    assert_refused("m.json", "{\"organization\": null}",
                   "m.json: organization: `organization` must be an object, such as { members }, "
                   "not null\n");
}

static void takes_nobody_when_told_so(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *conf =
        assert_accepted("m.conf", "organization: { allow_empty = true; }");
    _cleanup_(members_free_pointer) struct members *json =
        assert_accepted("m.json", "{\"organization\": {\"members\": [], \"allow_empty\": true}}");
    assert_int_equal(conf->count, 0);
    assert_int_equal(json->count, 0);
}

static void names_all_mistakes_of_conf(void **state)
{
    (void)state;
    assert_refused(
        "m.conf",
        "organization: {\n"
        "  defaults = { role = \"raeder\"; project = (); };\n"
        "  members = (\n"
        "    \"ada\",\n"
        "    \"ada lovelace@example.com\",\n"
        "    { role = \"owner\"; },\n"
        "    { email = 5; role = true; until = \"2026-02-30\"; note = (); projects = \"x\"; },\n"
        "    { mail = \"x@y\"; role = \"member\"; },\n"
        "    17, { email = \"d@x\"; role = \"owner\"; from = \"tomorrow\"; until = 5; },\n"
        "    { email = \"e@x\"; projects = ( \"\", \"a b\", \"a/b\", 5, { role = \"owner\"; },\n"
        "       { id = \"p\"; role = \"reader\"; }, \"p\", { id = \"q\"; rolle = 1; } ); },\n"
        "    \"f\\xff@x\"\n"
        "  );\n"
        "  ignore = ( \"*\", \"a@b@c\", 5, \"@x\" );\n"
        "  allow_empty = 1;\n"
        "  member = ();\n"
        "  protected = ( \"ops\", \"*@x\", 5, \"\", \"a b@x\" );\n"
        "};\n",
        "m.conf:12: the string is not valid UTF-8; write the characters themselves, not \\x\n"
        "m.conf:16: unknown key `member`; did you mean `members`?\n"
        "m.conf:2: unknown key `project`; did you mean `projects`?\n"
        "m.conf:2: unknown role `raeder`; did you mean `reader`?\n"
        "m.conf:4: the address `ada` must contain exactly one @; correct it\n"
        "m.conf:5: the address `ada lovelace@example.com` contains a space; correct it\n"
        "m.conf:6: a member needs an `email`; add it\n"
        "m.conf:7: `email` must be a string, such as \"ada@example.com\", not a number\n"
        "m.conf:7: `role` must be a string, such as \"reader\", not true or false\n"
        "m.conf:7: `2026-02-30` is not a day; write it like \"2026-12-31\"\n"
        "m.conf:7: `note` must be a string, such as \"contract\", not a list\n"
        "m.conf:7: `projects` must be a list, such as ( \"proj_abc\" ), not a string\n"
        "m.conf:8: unknown key `mail`; did you mean `email`?\n"
        "m.conf:8: a member needs an `email`; add it\n"
        "m.conf:8: unknown role `member`; write `reader` or `owner`\n"
        "m.conf:9: this value must be a string, such as \"ada@example.com\" or { email, role, "
        "from, until, note, projects }, not a number\n"
        "m.conf:9: `tomorrow` is not a day; write it like \"2026-12-31\"\n"
        "m.conf:9: `until` must be a string, such as \"2026-12-31\", not a number\n"
        "m.conf:10: the project id `` is empty; write one like \"proj_abc\"\n"
        "m.conf:10: the project id `a b` contains a space; remove it\n"
        "m.conf:10: the project id `a/b` contains a slash; write the id alone\n"
        "m.conf:10: this value must be a string, such as \"proj_abc\", not a number\n"
        "m.conf:10: a project needs an `id`; add it\n"
        "m.conf:11: unknown role `reader`; write `member` or `owner`\n"
        "m.conf:11: the project `p` is in this list twice; remove one\n"
        "m.conf:11: unknown key `rolle`; did you mean `role`?\n"
        "m.conf:14: the pattern `*` must contain exactly one @; correct it\n"
        "m.conf:14: the pattern `a@b@c` must contain exactly one @; correct it\n"
        "m.conf:14: this value must be a string, such as \"*@vendor.example\", not a number\n"
        "m.conf:14: the pattern `@x` needs a name before the @ and a domain after it; correct it\n"
        "m.conf:17: the address `ops` must contain exactly one @; correct it\n"
        "m.conf:17: the address `*@x` contains a *, which only ignore patterns may; correct it\n"
        "m.conf:17: this value must be a string, such as \"ops@example.com\", not a number\n"
        "m.conf:17: the address `` is empty; correct it\n"
        "m.conf:17: the address `a b@x` contains a space; correct it\n"
        "m.conf:15: `allow_empty` must be true or false, not a number\n");
}

static void names_all_mistakes_of_json(void **state)
{
    (void)state;
    assert_refused(
        "m.json",
        "{\"organization\": {\n"
        " \"members\": [\"ada@x\", {\"email\": \"b@x\", \"role\": \"Owner\"},\n"
        "   {\"email\": null, \"role\": \"reader\", \"projects\": [\"p\", {\"id\": []}]}, null,\n"
        "   {\"email\": \"c\\u202e@x\", \"role\": 1.5, \"until\": \"\", \"\\u001b\": {\"x\": "
        "1}}],\n"
        " \"ignore\": {}, \"protected\": [\"a@b\", {}], \"allow_empty\": \"true\"}, \"\": 1}",
        "m.json: unknown key ``; remove it, known here: `organization`\n"
        "m.json: organization.members[0]: no role: give the member a `role`, or the file a "
        "`defaults` with one\n"
        "m.json: organization.members[1].role: unknown role `Owner`; did you mean `owner`?\n"
        "m.json: organization.members[2].email: `email` must be a string, such as "
        "\"ada@example.com\", not null\n"
        "m.json: organization.members[2].projects[1].id: `id` must be a string, such as "
        "\"proj_abc\", not an array\n"
        "m.json: organization.members[3]: this value must be a string, such as \"ada@example.com\" "
        "or { "
        "email, "
        "role, from, until, note, projects }, not null\n"
        "m.json: organization.members[4].\\x1b: unknown key `\\x1b`; remove it, known here: "
        "`email`, "
        "`role`, `from`, `until`, `note`, `projects`\n"
        "m.json: organization.members[4].email: the address `c\\u202e@x` contains a control "
        "character; correct it\n"
        "m.json: organization.members[4].role: `role` must be a string, such as \"reader\", not a "
        "number\n"
        "m.json: organization.members[4].until: `` is not a day; write it like \"2026-12-31\"\n"
        "m.json: organization.ignore: `ignore` must be an array, such as [\"*@vendor.example\"], "
        "not an object\n"
        "m.json: organization.protected[1]: this value must be a string, such as "
        "\"ops@example.com\", not an object\n"
        "m.json: organization.allow_empty: `allow_empty` must be true or false, not a string\n");
}

static void refuses_bad_json(void **state)
{
    (void)state;
    assert_refused("m.json", "{\"organization\": {\n\"members\": [\"a@b\",]}}",
                   "m.json:2: not valid JSON: unexpected token; correct it\n");
    assert_refused("m.json", "{\"organization\": {},\n\"organization\": {}}",
                   "m.json:2: a key is given a second time here; remove one\n");
    assert_refused("m.json", "{\"organization\": {\"members\":\n[\"a\\u0000@b\"]}}",
                   "m.json:2: \\u0000 in a string; remove it\n");
    assert_refused("m.json", "\xef\xbb\xbf{}",
                   "m.json:1: the file begins with a byte order mark; save it as UTF-8 without "
                   "one\n");
    assert_refused("m.json", "{\n\"\xff\"}", "m.json:2: not valid UTF-8; save the file as UTF-8\n");
    assert_refused("m.json", "{} x",
                   "m.json:1: not valid JSON: end of file expected; correct it\n");
}

static void refuses_a_nul_byte(void **state)
{
    (void)state;
    static const char text[] = "organization: { members = (\"a@b\"); defaults = { role = "
                               "\"reader\"; }; }\n\0 garbage";
    static const char *const names[] = {"m.conf", "m.json"};
    for (size_t i = 0; i < 2; i++) {
        struct problems problems = {0};
        struct members *members = NULL;
        struct source source = {
            .name = (char *)names[i], .text = (char *)text, .length = sizeof text - 1};
        assert_int_equal(memberfile_parse(&source, 1, &members, &problems), -EBADMSG);
        assert_int_equal(problems.count, 1);
        assert_non_null(strstr(problems.items[0].message, "NUL"));
        problems_clear(&problems);
    }
}

#define HEAD "organization: { defaults = { role = \"reader\"; };\n"

static void names_every_second_declaration(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.json", "c.conf"};
    static const char *const texts[] = {
        HEAD "members = (\n\"ada@x\",\n\"bob@x\",\n\"ADA@X\"); }",
        "{\"organization\": {\"defaults\": {\"role\": \"owner\"}, \"members\": [\"Ada@x\"]}}",
        HEAD "members = ( { email = \"eve@x\"; role = \"nobody\"; },\n\"eve@x\",\n\"bob@X\" ); }",
    };
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(names, texts, 3, &members, &problems), -EBADMSG);
    ASSERT_PROBLEMS(
        &problems,
        "c.conf:2: unknown role `nobody`; write `reader` or `owner`\n"
        "a.conf:5: `ADA@X` is declared already at a.conf:3; remove one of the two\n"
        "b.json: organization.members[0]: `Ada@x` is declared already at a.conf:3; remove one of "
        "the two\n"
        "c.conf:3: `eve@x` is declared already at c.conf:2; remove one of the two\n"
        "c.conf:4: `bob@X` is declared already at a.conf:4; remove one of the two\n");
}

static void names_who_is_declared_and_ignored(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.conf"};
    static const char *const texts[] = {
        HEAD "members = (\"ada@vendor.example\", \"bob@x\"); }",
        "organization: {\nignore = (\n\"*@Vendor.example\", \"ada@*\"); }",
    };
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(names, texts, 2, &members, &problems), -EBADMSG);
    ASSERT_PROBLEMS(&problems,
                    "a.conf:2: `ada@vendor.example` is declared here but ignored by "
                    "`*@Vendor.example` at b.conf:3; remove one of the two\n"
                    "a.conf:2: `ada@vendor.example` is declared here but ignored by `ada@*` at "
                    "b.conf:3; remove one of the two\n");
}

/* Of all files together, in whatever case. */
static void names_who_is_protected_twice_or_ignored(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.json", "c.conf"};
    static const char *const texts[] = {
        HEAD "members = (\"ada@x\"); protected = (\n\"ada@x\",\n\"Bot@Vendor.example\"); }",
        "{\"organization\": {\"protected\": [\"bob@x\", \"Ada@X\"]}}",
        "organization: {\nprotected = [ \"BOB@x\", \"bob@x\" ];\nignore = (\"*@vendor.example\") }",
    };
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(names, texts, 3, &members, &problems), -EBADMSG);
    ASSERT_PROBLEMS(
        &problems,
        "b.json: organization.protected[1]: `Ada@X` is protected already at a.conf:3; remove one "
        "of "
        "the two\n"
        "c.conf:2: `BOB@x` is protected already at b.json: organization.protected[0]; remove one "
        "of the two\n"
        "c.conf:2: `bob@x` is protected already at b.json: organization.protected[0]; remove one "
        "of the two\n"
        "a.conf:4: `Bot@Vendor.example` is protected here but ignored by `*@vendor.example` at "
        "c.conf:3; remove one of the two\n");
}

static void assert_examined(const struct members *members, int64_t now, const char *expected)
{
    struct problems problems = {0};
    memberfile_examine(members, now, &problems);
    assert_int_equal(problems.errors, 0);
    ASSERT_PROBLEMS(&problems, expected);
}

#define NEVER_A_MEMBER                                                                             \
    "m.conf:3: warning: `bob@x` is a member from 2026-12-02 until 2026-12-01, which is no day at " \
    "all; correct one of the two\n"

/* Valid all the same: only who asks is told. */
static void warns_of_dates_that_are_hardly_meant(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members = assert_accepted(
        "m.conf", HEAD "members = ( \"ada@x\",\n"
                       "{ email = \"bob@x\"; from = \"2026-12-02\"; until = \"2026-12-01\"; },\n"
                       "{ email = \"eve@x\"; from = \"2026-12-01\"; until = \"2026-12-01\"; },\n"
                       "{ email = \"kay@x\"; from = \"1970-01-01\"; }); }");
    /* When eve's last day is over. */
    const int64_t ended = 1796169600, month = INT64_C(31) * 86400;
    assert_examined(members, 0, NEVER_A_MEMBER);
    assert_examined(members, ended + month, NEVER_A_MEMBER);
    assert_examined(members, ended + month + 1,
                    NEVER_A_MEMBER "m.conf:4: warning: `eve@x` was a member until 2026-12-01, over "
                                   "a month ago; remove the entry\n");
}

static void warns_of_protected_people_who_are_not_declared(void **state)
{
    (void)state;
    _cleanup_(members_free_pointer) struct members *members =
        assert_accepted("m.conf", HEAD "members = ( \"ada@x\" );\n"
                                       "protected = ( \"Ada@x\",\n"
                                       "\"aad@x\" ); }");
    assert_examined(members, 0,
                    "m.conf:4: warning: `aad@x` is protected but not declared; declare the "
                    "person, unless it is meant\n");
}

static void one_torn_file_does_not_hide_the_others(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.conf", "c.json", "d.json"};
    static const char *const texts[] = {"organization: {", HEAD "members = (\"bob\"); }",
                                        "{\"organization\"",
                                        "{\"organization\": {\"member\": []}}"};
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(names, texts, 4, &members, &problems), -EBADMSG);
    ASSERT_PROBLEMS(
        &problems, "a.conf:1: the file ends before the { of line 1 is closed; it may have been cut "
                   "short\n"
                   "b.conf:2: the address `bob` must contain exactly one @; correct it\n"
                   "c.json:1: not valid JSON: ':' expected; correct it\n"
                   "d.json: organization.member: unknown key `member`; did you mean `members`?\n");
}

static void several_files_are_one_declaration(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.json", "c.conf"};
    static const char *const texts[] = {
        "organization: { defaults = { role = \"owner\"; projects = (); }; members = (\"zoe@x\"); }",
        "{\"organization\": {\"defaults\": {\"role\": \"reader\"}, \"members\": [\"ada@x\"]}}",
        "organization: { ignore = ( \"*@y\" ); allow_empty = true; }",
    };
    struct problems problems = {0};
    _cleanup_(members_free_pointer) struct members *members = NULL;
    assert_int_equal(parse(names, texts, 3, &members, &problems), 0);
    _cleanup_free_ char *text = show(members, true);
    assert_string_equal(text,
                        "ada@x reader starts 0 ends 0 note - at b.json: organization.members[0]\n"
                        "zoe@x owner starts 0 ends 0 note - at a.conf:1 projects\n"
                        "ignore *@y\n");
}

static void defaults_hold_for_their_file_only(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.conf"};
    static const char *const texts[] = {HEAD "members = (\"zoe@x\"); }",
                                        "organization: { members = (\"ada@x\"); }"};
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(names, texts, 2, &members, &problems), -EBADMSG);
    ASSERT_PROBLEMS(&problems, "b.conf:1: no role: give the member a `role`, or the file a "
                               "`defaults` with one\n");
}

static void nobody_in_several_files_is_one_error(void **state)
{
    (void)state;
    static const char *const names[] = {"a.conf", "b.conf"};
    static const char *const texts[] = {"organization: {}", "organization: { members = () }"};
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(names, texts, 2, &members, &problems), -EBADMSG);
    ASSERT_PROBLEMS(&problems,
                    "a.conf: no members are declared in any of the files; add them, or set "
                    "`allow_empty` to true if nobody is to be a member\n");
    assert_int_equal(memberfile_parse(NULL, 0, &members, &problems), -EBADMSG);
    problems_clear(&problems);
}

static void bounds_lengths(void **state)
{
    (void)state;
    char word[1100];
    memset(word, 'x', sizeof word);
    word[1025] = '\0';
    _cleanup_free_ char *note =
        memory_format(HEAD "members = ({ email = \"a@b\"; note = \"%s\"; }); }", word);
    assert_refused("m.conf", note, "m.conf:2: the note is longer than 1024 bytes; shorten it\n");
    word[1024] = '\0';
    _cleanup_free_ char *short_note =
        memory_format(HEAD "members = ({ email = \"a@b\"; note = \"%s\"; }); }", word);
    members_free(assert_accepted("m.conf", short_note));
    word[129] = '\0';
    _cleanup_free_ char *id =
        memory_format(HEAD "members = ({ email = \"a@b\"; projects = (\"%s\"); }); }", word);
    assert_refused("m.conf", id,
                   "m.conf:2: the project id `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                   "xxxxxxxxxxxxxxxxxxxx...` is longer than 128 bytes; copy it from "
                   "the organisation's settings\n");
    word[128] = '\0';
    _cleanup_free_ char *short_id =
        memory_format(HEAD "members = ({ email = \"a@b\"; projects = (\"%s\"); }); }", word);
    members_free(assert_accepted("m.conf", short_id));
}

static void refuses_deep_json(void **state)
{
    (void)state;
    char text[5000];
    const char *name = "m.json", *pointer = text;
    memset(text, '[', sizeof text);
    text[sizeof text - 1] = '\0';
    struct members *members = NULL;
    struct problems problems = {0};
    assert_int_equal(parse(&name, &pointer, 1, &members, &problems), -EBADMSG);
    assert_int_equal(problems.count, 1);
    problems_clear(&problems);
    memset(text + 2000, ']', 2000);
    text[4000] = '\0';
    assert_int_equal(parse(&name, &pointer, 1, &members, &problems), -EBADMSG);
    assert_int_equal(problems.count, 1);
    problems_clear(&problems);
}

static void reads_many(void **state)
{
    (void)state;
    size_t length = 0;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &length);
    fputs(HEAD "members = (", stream);
    for (int i = 0; i < 20000; i++)
        fprintf(stream, "%s\n\"person-%d@example.com\"", i > 0 ? "," : "", i * 7919 % 20000);
    fputs("); }", stream);
    fclose(stream);
    _cleanup_(members_free_pointer) struct members *members = assert_accepted("m.conf", text);
    free(text);
    assert_int_equal(members->count, 20000);
    for (size_t i = 1; i < members->count; i++)
        assert_true(address_compare(members->items[i - 1].email, members->items[i].email) < 0);
    assert_string_equal(members_find(members, "PERSON-7919@example.com")->place, "m.conf:4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(remembers_places),
        cmocka_unit_test(no_torn_file_passes),
        cmocka_unit_test(no_torn_end_passes),
        cmocka_unit_test(no_torn_example_passes),
        cmocka_unit_test(examples_mean_the_same),
        cmocka_unit_test(ships_nobody),
        cmocka_unit_test(refuses_what_declares_nothing),
        cmocka_unit_test(takes_nobody_when_told_so),
        cmocka_unit_test(names_all_mistakes_of_conf),
        cmocka_unit_test(names_all_mistakes_of_json),
        cmocka_unit_test(refuses_bad_json),
        cmocka_unit_test(refuses_a_nul_byte),
        cmocka_unit_test(names_every_second_declaration),
        cmocka_unit_test(names_who_is_declared_and_ignored),
        cmocka_unit_test(names_who_is_protected_twice_or_ignored),
        cmocka_unit_test(warns_of_dates_that_are_hardly_meant),
        cmocka_unit_test(warns_of_protected_people_who_are_not_declared),
        cmocka_unit_test(one_torn_file_does_not_hide_the_others),
        cmocka_unit_test(several_files_are_one_declaration),
        cmocka_unit_test(defaults_hold_for_their_file_only),
        cmocka_unit_test(nobody_in_several_files_is_one_error),
        cmocka_unit_test(bounds_lengths),
        cmocka_unit_test(refuses_deep_json),
        cmocka_unit_test(reads_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

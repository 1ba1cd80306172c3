/* From trees of values to declared people. */
#include "codec/memberfile.h"

#include <errno.h>
#include <string.h>

#include "codec/date.h"
#include "codec/document.h"
#include "codec/utf8.h"
#include "core/address.h"

#define DAY_SECONDS   INT64_C(86400)
#define MONTH_SECONDS (31 * DAY_SECONDS)
#define NOTE_MAX      1024

#define MEMBER_EXAMPLE "\"ada@example.com\" or { email, role, from, until, note, projects }"

/* What one file says about members that say nothing themselves. */
struct defaults {
    bool role_given; /* even if it was wrong: that is reported once, not for each member */
    enum role role;
    struct projects projects;
};

/* Where each entry of a list stands, for messages. */
struct places {
    char **items;
    size_t count;
};

/* Of all sources together. `members` stays in the order of declaration until all is checked. */
struct reader {
    struct members *members;
    struct places ignored, protected; /* of the patterns and addresses in `members` */
    size_t entries;                   /* of member lists, right or wrong */
    bool allow_empty;
    bool unreadable; /* some file or list of members could not be read */
    bool no_memory;
    struct problems *problems;
};

static const char *const role_words[] = {"reader", "owner", NULL};
static const char *const project_role_words[] = {"member", "owner", NULL};

/* Reports a word that is none of the two that are known. */
static void refuse_role(struct reader *reader, const struct node *node, const char *const *words)
{
    const char *meant = problems_suggest(node->text, words);
    if (meant)
        node_error(node, reader->problems, "unknown role %s; did you mean `%s`?",
                   QUOTED(node->text), meant);
    else
        node_error(node, reader->problems, "unknown role %s; write `%s` or `%s`",
                   QUOTED(node->text), words[0], words[1]);
}

static enum role read_role(struct reader *reader, const struct node *node)
{
    if (!node_is(node, NODE_STRING, "\"reader\"", reader->problems))
        return ROLE_UNKNOWN;
    enum role role = role_parse(node->text);
    if (role == ROLE_UNKNOWN)
        refuse_role(reader, node, role_words);
    return role;
}

static enum project_role read_project_role(struct reader *reader, const struct node *node)
{
    if (!node)
        return PROJECT_ROLE_MEMBER;
    if (!node_is(node, NODE_STRING, "\"member\"", reader->problems))
        return PROJECT_ROLE_UNKNOWN;
    enum project_role role = project_role_parse(node->text);
    if (role == PROJECT_ROLE_UNKNOWN)
        refuse_role(reader, node, project_role_words);
    return role;
}

/* One item of a list of projects: an id, or a group of an id and a role. */
static void read_project(struct reader *reader, const struct node *node, struct projects *projects)
{
    static const char *const keys[] = {"id", "role", NULL};
    const struct node *id = node;
    enum project_role role = PROJECT_ROLE_MEMBER;
    if (node->kind == NODE_GROUP) {
        node_check_keys(node, keys, reader->problems);
        id = node_get(node, "id");
        role = read_project_role(reader, node_get(node, "role"));
        if (!id)
            node_error(node, reader->problems, "a project needs an `id`; add it");
    }
    if (!id || !node_is(id, NODE_STRING, "\"proj_abc\"", reader->problems))
        return;
    const char *fault = project_id_fault(id->text);
    if (fault)
        node_error(id, reader->problems, "the project id %s %s", QUOTED(id->text), fault);
    else if (projects_contain(projects, id->text))
        node_error(id, reader->problems, "the project %s is in this list twice; remove one",
                   QUOTED(id->text));
    else if (projects_add(projects, id->text, role) < 0)
        reader->no_memory = true;
}

static void read_projects(struct reader *reader, const struct node *list, struct projects *projects)
{
    if (!node_is(list, NODE_LIST, "\"proj_abc\"", reader->problems))
        return;
    projects->given = true;
    for (size_t i = 0; i < list->count; i++)
        read_project(reader, &list->items[i], projects);
}

static void read_defaults(struct reader *reader, const struct node *group,
                          struct defaults *defaults)
{
    static const char *const keys[] = {"role", "projects", NULL};
    if (!node_is(group, NODE_GROUP, "{ role, projects }", reader->problems)) {
        /* If something else stands there, its complaint is enough. */
        defaults->role_given = group != NULL;
        return;
    }
    node_check_keys(group, keys, reader->problems);
    defaults->role_given = node_get(group, "role") != NULL;
    defaults->role = read_role(reader, node_get(group, "role"));
    read_projects(reader, node_get(group, "projects"), &defaults->projects);
}

/* A day, as the moment when it is over; 0: none, or it was wrong. */
static int64_t read_day(struct reader *reader, const struct node *node)
{
    int64_t end;
    if (!node_is(node, NODE_STRING, "\"2026-12-31\"", reader->problems))
        return 0;
    if (date_parse_day(node->text, &end) == 0)
        return end;
    node_error(node, reader->problems, "%s is not a day; write it like \"2026-12-31\"",
               QUOTED(node->text));
    return 0;
}

static void read_days(struct reader *reader, const struct node *group, struct member *member)
{
    int64_t first_day_over = read_day(reader, node_get(group, "from"));
    member->starts_at = first_day_over > 0 ? first_day_over - DAY_SECONDS : 0;
    member->ends_at = read_day(reader, node_get(group, "until"));
}

static void read_note(struct reader *reader, const struct node *node, struct member *member)
{
    if (!node_is(node, NODE_STRING, "\"contract\"", reader->problems))
        return;
    if (strlen(node->text) > NOTE_MAX)
        node_error(node, reader->problems, "the note is longer than 1024 bytes; shorten it");
    else if (memory_set(&member->note, node->text) < 0)
        reader->no_memory = true;
}

static void read_email(struct reader *reader, const struct node *node, struct member *member)
{
    if (!node_is(node, NODE_STRING, "\"ada@example.com\"", reader->problems))
        return;
    const char *fault = address_fault(node->text);
    if (fault)
        node_error(node, reader->problems, "the address %s %s; correct it", QUOTED(node->text),
                   fault);
    else if (memory_set(&member->email, node->text) < 0)
        reader->no_memory = true;
}

static void take_defaults(struct reader *reader, const struct node *node,
                          const struct defaults *defaults, struct member *member)
{
    const struct node *group = node->kind == NODE_GROUP ? node : NULL;
    if (!group || !node_get(group, "role")) {
        member->role = defaults->role;
        if (!defaults->role_given)
            node_error(node, reader->problems,
                       "no role: give the member a `role`, or the file a `defaults` with one");
    }
    if ((!group || !node_get(group, "projects")) &&
        projects_copy(&defaults->projects, &member->projects) < 0)
        reader->no_memory = true;
}

static void read_member_group(struct reader *reader, const struct node *group,
                              struct member *member)
{
    static const char *const keys[] = {"email", "role", "from", "until", "note", "projects", NULL};
    node_check_keys(group, keys, reader->problems);
    if (!node_get(group, "email"))
        node_error(group, reader->problems, "a member needs an `email`; add it");
    read_email(reader, node_get(group, "email"), member);
    member->role = read_role(reader, node_get(group, "role"));
    read_days(reader, group, member);
    read_note(reader, node_get(group, "note"), member);
    read_projects(reader, node_get(group, "projects"), &member->projects);
}

/* A member whose address is fine is kept even if the rest is not: it may stand twice. */
static void read_member(struct reader *reader, const struct node *node,
                        const struct defaults *defaults)
{
    _cleanup_(member_clear) struct member member = {0};
    if (node->kind == NODE_GROUP)
        read_member_group(reader, node, &member);
    else if (node->kind == NODE_STRING)
        read_email(reader, node, &member);
    else {
        node_is(node, NODE_STRING, MEMBER_EXAMPLE, reader->problems);
        return;
    }
    take_defaults(reader, node, defaults, &member);
    if (!member.email)
        return;
    member.place = node_place(node);
    if (!member.place || members_add(reader->members, &member) < 0)
        reader->no_memory = true;
    else
        member = (struct member){0};
}

static void read_member_list(struct reader *reader, const struct node *list,
                             const struct defaults *defaults)
{
    if (!list)
        return;
    if (!node_is(list, NODE_LIST, "\"ada@example.com\"", reader->problems)) {
        reader->unreadable = true;
        return;
    }
    reader->entries += list->count;
    for (size_t i = 0; i < list->count; i++)
        read_member(reader, &list->items[i], defaults);
}

static int places_add(struct places *places, const struct node *node)
{
    char *place = RESERVE(places->items, places->count) < 0 ? NULL : node_place(node);
    if (!place)
        return -ENOMEM;
    places->items[places->count++] = place;
    return 0;
}

static void places_clear(struct places *places)
{
    for (size_t i = 0; places->items && i < places->count; i++)
        free(places->items[i]);
    free(places->items);
}

static void read_ignore_pattern(struct reader *reader, const struct node *node)
{
    if (!node_is(node, NODE_STRING, "\"*@vendor.example\"", reader->problems))
        return;
    const char *fault = address_pattern_fault(node->text);
    if (fault) {
        node_error(node, reader->problems, "the pattern %s %s; correct it", QUOTED(node->text),
                   fault);
        return;
    }
    if (places_add(&reader->ignored, node) < 0 || members_ignore(reader->members, node->text) < 0)
        reader->no_memory = true;
}

static void read_ignore(struct reader *reader, const struct node *list)
{
    if (!node_is(list, NODE_LIST, "\"*@vendor.example\"", reader->problems))
        return;
    for (size_t i = 0; i < list->count; i++)
        read_ignore_pattern(reader, &list->items[i]);
}

static void read_protected_address(struct reader *reader, const struct node *node)
{
    if (!node_is(node, NODE_STRING, "\"ops@example.com\"", reader->problems))
        return;
    const char *fault = address_fault(node->text);
    if (fault) {
        node_error(node, reader->problems, "the address %s %s; correct it", QUOTED(node->text),
                   fault);
        return;
    }
    if (places_add(&reader->protected, node) < 0 ||
        members_protect(reader->members, node->text) < 0)
        reader->no_memory = true;
}

static void read_protected(struct reader *reader, const struct node *list)
{
    if (!node_is(list, NODE_LIST, "\"ops@example.com\"", reader->problems))
        return;
    for (size_t i = 0; i < list->count; i++)
        read_protected_address(reader, &list->items[i]);
}

static void read_organization(struct reader *reader, const struct node *group)
{
    static const char *const keys[] = {"defaults",  "members",     "ignore",
                                       "protected", "allow_empty", NULL};
    if (!node_is(group, NODE_GROUP, "{ members }", reader->problems)) {
        reader->unreadable = true;
        return;
    }
    struct defaults defaults = {0};
    node_check_keys(group, keys, reader->problems);
    read_defaults(reader, node_get(group, "defaults"), &defaults);
    read_member_list(reader, node_get(group, "members"), &defaults);
    read_ignore(reader, node_get(group, "ignore"));
    read_protected(reader, node_get(group, "protected"));
    const struct node *allow_empty = node_get(group, "allow_empty");
    if (node_is(allow_empty, NODE_BOOL, "", reader->problems))
        reader->allow_empty |= allow_empty->truth;
    projects_clear(&defaults.projects);
}

static void read_root(struct reader *reader, const struct node *root)
{
    static const char *const keys[] = {"organization", NULL};
    if (!node_is(root, NODE_GROUP, "{\"organization\": {}}", reader->problems)) {
        reader->unreadable = true;
        return;
    }
    node_check_keys(root, keys, reader->problems);
    const struct node *organization = node_get(root, "organization");
    if (organization) {
        read_organization(reader, organization);
        return;
    }
    reader->unreadable = true;
    if (root->count == 0)
        node_error(root, reader->problems,
                   "nothing is declared here; add the group `organization` with its `members`");
}

static bool is_json(const char *name)
{
    size_t length = strlen(name);
    return length >= 5 && strcmp(name + length - 5, ".json") == 0;
}

static void read_source(struct reader *reader, const struct source *source)
{
    _cleanup_(document_free_pointer) struct document *document = NULL;
    int r = is_json(source->name) ? document_parse_json(source->name, source->text, source->length,
                                                        &document, reader->problems)
                                  : document_parse_conf(source->name, source->text, source->length,
                                                        &document, reader->problems);
    if (r == 0)
        read_root(reader, &document->root);
    reader->unreadable |= r < 0;
    reader->no_memory |= r == -ENOMEM;
}

/* One declaration of an address, in the order in which the sources came. */
struct declaration {
    const struct member *member;
    size_t first; /* index of the first declaration of the same address */
};

static int compare_declarations(const void *a, const void *b)
{
    const struct member *left = ((const struct declaration *)a)->member;
    const struct member *right = ((const struct declaration *)b)->member;
    int order = address_compare(left->email, right->email);
    return order != 0 ? order : (left > right) - (left < right);
}

/* Fills first[i] with the index of the first member that has the address of member i. */
static int find_firsts(const struct members *members, size_t *first)
{
    _cleanup_free_ struct declaration *sorted = calloc(members->count, sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < members->count; i++)
        sorted[i].member = &members->items[i];
    qsort(sorted, members->count, sizeof *sorted, compare_declarations);
    for (size_t i = 0; i < members->count; i++) {
        size_t index = (size_t)(sorted[i].member - members->items);
        bool again =
            i > 0 && address_compare(sorted[i - 1].member->email, sorted[i].member->email) == 0;
        sorted[i].first = again ? sorted[i - 1].first : index;
        first[index] = sorted[i].first;
    }
    return 0;
}

static void check_twice(struct reader *reader)
{
    const struct members *members = reader->members;
    if (members->count == 0)
        return;
    _cleanup_free_ size_t *first = calloc(members->count, sizeof *first);
    if (!first || find_firsts(members, first) < 0) {
        reader->no_memory = true;
        return;
    }
    for (size_t i = 0; i < members->count; i++)
        if (first[i] != i)
            problems_add(reader->problems, members->items[i].place,
                         "%s is declared already at %s; remove one of the two",
                         QUOTED(members->items[i].email), members->items[first[i]].place);
}

static void check_protected_twice(struct reader *reader)
{
    char **protected = reader->members->protected;
    for (size_t i = 0; i < reader->members->protected_count; i++) {
        size_t first = 0;
        while (address_compare(protected[first], protected[i]) != 0)
            first++;
        if (first != i)
            problems_add(reader->problems, reader->protected.items[i],
                         "%s is protected already at %s; remove one of the two",
                         QUOTED(protected[i]), reader->protected.items[first]);
    }
}

/* Reports each pattern that covers the address, which at `place` is declared or protected. */
static void check_not_ignored(struct reader *reader, const char *email, const char *place,
                              const char *what)
{
    const struct members *members = reader->members;
    for (size_t i = 0; i < members->ignore_count; i++)
        if (address_matches(members->ignore[i], email))
            problems_add(reader->problems, place,
                         "%s is %s here but ignored by %s at %s; remove one of the two",
                         QUOTED(email), what, QUOTED(members->ignore[i]), reader->ignored.items[i]);
}

static void check_ignored(struct reader *reader)
{
    const struct members *members = reader->members;
    const struct places *protected = &reader->protected;
    for (size_t i = 0; i < members->count; i++)
        check_not_ignored(reader, members->items[i].email, members->items[i].place, "declared");
    for (size_t i = 0; i < protected->count; i++)
        check_not_ignored(reader, members->protected[i], protected->items[i], "protected");
}

static void check_empty(struct reader *reader, const struct source *sources, size_t count)
{
    if (reader->entries > 0 || reader->allow_empty || reader->unreadable)
        return;
    problems_add(reader->problems, count > 0 ? sources[0].name : "member file",
                 "no members are declared%s; add them, or set `allow_empty` to true if nobody is "
                 "to be a member",
                 count > 1 ? " in any of the files" : "");
}

static void reader_clear(struct reader *reader)
{
    places_clear(&reader->ignored);
    places_clear(&reader->protected);
    if (reader->members)
        members_free(reader->members);
}

int memberfile_parse(const struct source *sources, size_t count, struct members **ret_members,
                     struct problems *problems)
{
    size_t errors_before = problems->errors;
    _cleanup_(reader_clear) struct reader reader = {
        .members = calloc(1, sizeof *reader.members),
        .problems = problems,
    };
    if (!reader.members)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        read_source(&reader, &sources[i]);
    check_twice(&reader);
    check_protected_twice(&reader);
    check_ignored(&reader);
    check_empty(&reader, sources, count);
    if (reader.no_memory)
        return -ENOMEM;
    if (problems->errors > errors_before)
        return -EBADMSG;
    members_sort(reader.members);
    reader.members->protected_places = TAKE(reader.protected.items);
    *ret_members = TAKE(reader.members);
    return 0;
}

/* Who is mistyped there is not protected. */
static void examine_protected(const struct members *members, struct problems *problems)
{
    for (size_t i = 0; i < members->protected_count; i++)
        if (!members_find(members, members->protected[i]))
            problems_warn(
                problems, members->protected_places[i],
                "%s is protected but not declared; declare the person, unless it is meant",
                QUOTED(members->protected[i]));
}

void memberfile_examine(const struct members *members, int64_t now, struct problems *problems)
{
    examine_protected(members, problems);
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->items[i];
        char from[DATE_SIZE], until[DATE_SIZE];
        if (member->ends_at == 0)
            continue;
        date_format_utc(member->starts_at, from);
        date_format_utc(member->ends_at - 1, until);
        if (member->starts_at >= member->ends_at)
            problems_warn(problems, member->place,
                          "%s is a member from %.10s until %.10s, which is no day at all; correct "
                          "one of the two",
                          QUOTED(member->email), from, until);
        else if (now - member->ends_at > MONTH_SECONDS)
            problems_warn(problems, member->place,
                          "%s was a member until %.10s, over a month ago; remove the entry",
                          QUOTED(member->email), until);
    }
}

/* status.json: what is written is read again, and nothing less is. */
#include "starve.h"
#include "unit.h"

#include <errno.h>
#include <jansson.h>

#include "codec/statustext.h"

static int read_text(const char *text, size_t length, struct status *ret, char **ret_error)
{
    _cleanup_free_ char *copy = unit_prefix(text, length);
    return statustext_read(copy, length, ret, ret_error);
}

static char *copy(const char *text)
{
    char *owned = NULL;
    assert_int_equal(memory_set(&owned, text), 0);
    return owned;
}

static void add(struct status_lines *lines, const char *action, const char *email,
                const char *reason, const char *id, const char *text)
{
    bool user = id && strncmp(id, "user", 4) == 0;
    const struct status_line line = {
        .action = (char *)action,
        .email = (char *)email,
        .reason = (char *)reason,
        .invite_id = user ? NULL : (char *)id,
        .user_id = user ? (char *)id : NULL,
        .text = (char *)text,
    };
    assert_int_equal(status_lines_add(lines, &line), 0);
}

/* Every field, none of them as it is by default. */
static struct status full_status(void)
{
    struct status status = {
        .version = copy("0.1.0"),
        .pid = 123,
        .started = 1795700825,
        .state = STATUS_BLOCKED,
        .message = copy("2 revocations blocked by a limit"),
        .policy = copy("sync"),
        .users = copy("manage"),
        .base_url = copy("https://api.example/v1"),
        .dry_run = true,
        .pass_under_way = true,
        .last_pass = {.number = 12,
                      .begun = 1795701000,
                      .ended = 1795701001,
                      .usec = 1251999,
                      .result = STATUS_PASS_FAILED,
                      .error = copy("no \"answer\""),
                      .requests = 3,
                      .changes = {1, 2, 3, 4, 7, 8},
                      .failed = 5,
                      .unknown = 6},
        .last_success = 1795700900,
        .next_pass = 1795701300,
        .people = {1, 2, 3, 4, 7, 8, 5, 119},
        .blocked = {.approval = copy("3f9c2a71d0b4"),
                    .command = copy("inviterd approve 3f9c2a71d0b4"),
                    .limits = {{copy("revocations"), copy("too many"), 10, 12},
                               {copy("revocation_ratio"), copy("too large"), 0.25, 1.0 / 3}},
                    .limit_count = 2},
        .approval = {copy("0123456789ab"), copy("refused"), copy("it was used already"), 7},
    };
    add(&status.blocked.actions, "revoke", "a@x", "undeclared", "invite-1", NULL);
    add(&status.blocked.actions, "invite", "b@x", "not-invited", NULL, NULL);
    add(&status.blocked.actions, "remove", "e@x", "user-undeclared", "user-1", NULL);
    add(&status.attention, NULL, "c@x", "not-as-sent", NULL, "look at it");
    add(&status.attention, NULL, NULL, "no-email", "user-2", "nobody knows");
    add(&status.failures, "invite", "d@x", NULL, NULL, "refused: 400");
    add(&status.problems, NULL, NULL, NULL, NULL, "/etc/members.conf:5: unknown key");
    status_count_request(&status, CALL_DELETE, 200);
    status_count_request(&status, CALL_LIST, 200);
    status_count_request(&status, CALL_LIST, 200);
    status_count_request(&status, CALL_LIST, 0);
    return status;
}

static const char full_text[] =
    "{\"schema\":\"inviterd.status/1\",\"version\":\"0.1.0\",\"pid\":123,"
    "\"started\":\"2026-11-26T13:47:05Z\",\"state\":\"blocked\","
    "\"message\":\"2 revocations blocked by a limit\",\"policy\":\"sync\",\"users\":\"manage\","
    "\"base_url\":\"https://api.example/v1\",\"dry_run\":true,\"pass_under_way\":true,"
    "\"last_pass\":{\"number\":12,\"begun\":\"2026-11-26T13:50:00Z\","
    "\"ended\":\"2026-11-26T13:50:01Z\",\"seconds\":1.251,\"result\":\"failed\","
    "\"error\":\"no \\\"answer\\\"\",\"requests\":3,"
    "\"changes\":{\"invite\":1,\"renew\":2,\"replace\":3,\"revoke\":4,"
    "\"set_role\":7,\"remove\":8},\"failed\":5,\"unknown\":6},"
    "\"last_success\":\"2026-11-26T13:48:20Z\",\"next_pass\":\"2026-11-26T13:55:00Z\","
    "\"people\":{\"invite\":1,\"renew\":2,\"replace\":3,\"revoke\":4,\"set_role\":7,"
    "\"remove\":8,\"attention\":5,\"keep\":119},"
    "\"blocked\":{\"approval\":\"3f9c2a71d0b4\",\"command\":\"inviterd approve 3f9c2a71d0b4\","
    "\"count\":3,\"limits\":["
    "{\"limit\":\"revocations\",\"allowed\":10.0,\"found\":12.0,\"text\":\"too many\"},"
    "{\"limit\":\"revocation_ratio\",\"allowed\":0.25,\"found\":0.3333333333,"
    "\"text\":\"too large\"}],\"actions\":["
    "{\"action\":\"revoke\",\"email\":\"a@x\",\"reason\":\"undeclared\",\"invite_id\":\"invite-1\","
    "\"user_id\":null},"
    "{\"action\":\"invite\",\"email\":\"b@x\",\"reason\":\"not-invited\",\"invite_id\":null,"
    "\"user_id\":null},"
    "{\"action\":\"remove\",\"email\":\"e@x\",\"reason\":\"user-undeclared\",\"invite_id\":null,"
    "\"user_id\":\"user-1\"}]},"
    "\"attention_count\":2,"
    "\"attention\":[{\"email\":\"c@x\",\"reason\":\"not-as-sent\",\"user_id\":null,"
    "\"text\":\"look at it\"},"
    "{\"email\":null,\"reason\":\"no-email\",\"user_id\":\"user-2\",\"text\":\"nobody knows\"}],"
    "\"failure_count\":1,"
    "\"failures\":[{\"action\":\"invite\",\"email\":\"d@x\",\"user_id\":null,"
    "\"error\":\"refused: 400\"}],"
    "\"problem_count\":1,\"problems\":[\"/etc/members.conf:5: unknown key\"],"
    "\"approval\":{\"id\":\"0123456789ab\",\"outcome\":\"refused\","
    "\"text\":\"it was used already\",\"number\":7},"
    "\"requests\":[{\"call\":\"list\",\"status\":0,\"count\":1},"
    "{\"call\":\"list\",\"status\":200,\"count\":2},"
    "{\"call\":\"delete\",\"status\":200,\"count\":1}]}";

static void writes_everything(void **state)
{
    (void)state;
    struct status status = full_status();
    _cleanup_free_ char *text = statustext_write(&status);
    status_clear(&status);
    unit_assert_text(text, full_text);
}

static void everything_comes_back(void **state)
{
    (void)state;
    struct status status;
    _cleanup_free_ char *error = NULL;
    assert_int_equal(read_text(full_text, sizeof full_text - 1, &status, &error), 0);
    assert_int_equal(status.last_pass.usec, 1251000);
    assert_int_equal(status.last_pass.changes[ACTION_REVOKE], 4);
    assert_int_equal(status.last_pass.changes[ACTION_REMOVE], 8);
    assert_int_equal(status.people[ACTION_SET_ROLE], 7);
    assert_string_equal(status.blocked.actions.items[2].user_id, "user-1");
    assert_int_equal(status.requests[1].count, 2);
    assert_string_equal(status.blocked.actions.items[0].invite_id, "invite-1");
    _cleanup_free_ char *again = statustext_write(&status);
    status_clear(&status);
    unit_assert_text(again, full_text);
}

/* Before anything has happened. */
static void writes_nothing_as_null(void **state)
{
    (void)state;
    struct status status = {0}, read;
    _cleanup_free_ char *error = NULL;
    _cleanup_free_ char *text = statustext_write(&status);
    unit_assert_text(
        text,
        "{\"schema\":\"inviterd.status/1\",\"version\":null,\"pid\":0,\"started\":null,"
        "\"state\":\"starting\",\"message\":null,\"policy\":null,\"users\":null,\"base_url\":null,"
        "\"dry_run\":false,\"pass_under_way\":false,\"last_pass\":null,"
        "\"last_success\":null,\"next_pass\":null,"
        "\"people\":{\"invite\":0,\"renew\":0,\"replace\":0,\"revoke\":0,\"set_role\":0,"
        "\"remove\":0,\"attention\":0,"
        "\"keep\":0},\"blocked\":null,\"attention_count\":0,\"attention\":[],"
        "\"failure_count\":0,\"failures\":[],\"problem_count\":0,\"problems\":[],"
        "\"approval\":null,\"requests\":[]}");
    assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
    assert_int_equal(read.last_pass.number, 0);
    assert_null(read.approval.id);
    status_clear(&read);
}

/* A path of the file system may be no UTF-8, and JSON must be. */
static void spells_what_is_no_text(void **state)
{
    (void)state;
    struct status status = {.message = copy("\xff\x1b[2J")}, read;
    _cleanup_free_ char *error = NULL;
    _cleanup_free_ char *text = statustext_write(&status);
    status_clear(&status);
    assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
    assert_string_equal(read.message, "\\xff\\x1b[2J");
    status_clear(&read);
}

static void no_torn_text_passes(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof full_text - 1; length++) {
        struct status status;
        _cleanup_free_ char *error = NULL;
        assert_int_equal(read_text(full_text, length, &status, &error), -EBADMSG);
        assert_non_null(error);
    }
}

/* ---- other texts --------------------------------------------------------------------------- */

static int read_json(json_t *json, char **ret_error)
{
    struct status status;
    _cleanup_free_ char *text = json_dumps(json, 0);
    int r = read_text(text, strlen(text), &status, ret_error);
    if (r == 0)
        status_clear(&status);
    return r;
}

/* What another writer, that cuts no list and numbers nothing, leaves out. */
static bool may_lack(const json_t *object, const char *key)
{
    static const char *const keys[] = {
        "attention_count", "failure_count", "problem_count", "set_role",
        "remove",          "user_id",       "users"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return (strcmp(key, "count") == 0 && json_object_get(object, "actions")) ||
           (strcmp(key, "number") == 0 && json_object_get(object, "outcome"));
}

static bool may_be_null(const char *key)
{
    static const char *const keys[] = {"version",   "started",  "message", "policy", "base_url",
                                       "last_pass", "begun",    "ended",   "error",  "next_pass",
                                       "blocked",   "approval", "command", "limit",  "last_success",
                                       "text",      "action",   "email",   "reason", "invite_id",
                                       "user_id",   "users"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Whether the whole is refused with that value of the key, which is put back afterwards. */
static bool is_refused_with(json_t *whole, json_t *object, const char *key, json_t *value)
{
    _cleanup_free_ char *error = NULL;
    json_t *right = json_incref(json_object_get(object, key));
    if (value)
        json_object_set_new(object, key, value);
    else
        json_object_del(object, key);
    int r = read_json(whole, &error);
    json_object_set_new(object, key, right);
    if (r == -EBADMSG)
        assert_non_null(strstr(error, "missing or wrong") || strstr(error, "schema") ? error
                                                                                     : NULL);
    return r == -EBADMSG;
}

static unsigned tried;

static void spoil_key(json_t *whole, json_t *object, const char *key)
{
    if (is_refused_with(whole, object, key, NULL) == may_lack(object, key))
        fail_msg("without %s", key);
    if (is_refused_with(whole, object, key, json_null()) == may_be_null(key))
        fail_msg("with %s null", key);
    if (!is_refused_with(whole, object, key, json_pack("[i]", 1)) ||
        !is_refused_with(whole, object, key, json_integer(-1)))
        fail_msg("with another %s", key);
    tried++;
}

/* Each key of the value, and of what is in it: missing, null, of the wrong type. */
static void spoil(json_t *whole, json_t *value)
{
    const char *key;
    json_t *item;
    size_t i, count = 0;
    char *keys[32];
    json_array_foreach(value, i, item)
    {
        spoil(whole, item);
    }
    json_object_foreach(value, key, item)
    {
        keys[count++] = copy(key);
        spoil(whole, item);
    }
    for (i = 0; i < count; i++) {
        spoil_key(whole, value, keys[i]);
        free(keys[i]);
    }
}

static void refuses_what_is_missing_or_wrong(void **state)
{
    (void)state;
    json_error_t error;
    json_t *whole = json_loads(full_text, 0, &error);
    tried = 0;
    spoil(whole, whole);
    assert_true(tried > 80);
    static const struct {
        const char *key, *value;
    } wrong[] = {{"schema", "inviterd.status/2"},
                 {"schema", "inviterd.plan/1"},
                 {"state", "confused"},
                 {"started", "2026-11-26 13:47:05Z"},
                 {"next_pass", "soon"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_true(is_refused_with(whole, whole, wrong[i].key, json_string(wrong[i].value)));
    json_decref(whole);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "line 1: '[' or '{' expected near end of file"},
        {"[]", "it is not of schema inviterd.status/1"},
        {"{}", "it is not of schema inviterd.status/1"},
        {"{\"schema\":\"inviterd.status/1\",\"schema\":1}",
         "line 1: duplicate object key near '\"schema\"'"},
        {"{\"schema\":\"inviterd.status/1\"}", "`version` is missing or wrong"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct status status;
        _cleanup_free_ char *error = NULL;
        assert_int_equal(read_text(cases[i].text, strlen(cases[i].text), &status, &error),
                         -EBADMSG);
        assert_string_equal(error, cases[i].error);
    }
}

static void grow(json_t *value)
{
    const char *key;
    json_t *item;
    void *safe;
    size_t i;
    json_array_foreach(value, i, item)
    {
        grow(item);
    }
    json_object_foreach_safe(value, safe, key, item)
    {
        grow(item);
    }
    if (json_is_object(value))
        json_object_set_new(value, "a key of tomorrow", json_pack("{s:i}", "x", 1));
}

static void passes_over_what_is_not_known(void **state)
{
    (void)state;
    json_error_t error;
    _cleanup_free_ char *fault = NULL;
    json_t *whole = json_loads(full_text, 0, &error);
    grow(whole);
    assert_int_equal(read_json(whole, &fault), 0);
    json_decref(whole);
}

/* ---- bounds -------------------------------------------------------------------------------- */

static void cuts_long_lists_and_says_so(void **state)
{
    (void)state;
    struct status status = {0}, read;
    _cleanup_free_ char *error = NULL;
    for (size_t i = 0; i < STATUS_LINES_MAX + 234; i++)
        add(&status.attention, NULL, "a@x", "not-as-sent", NULL, "look");
    _cleanup_free_ char *text = statustext_write(&status);
    status_clear(&status);
    assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
    assert_int_equal(read.attention.count, STATUS_LINES_MAX);
    assert_int_equal(read.attention.total, STATUS_LINES_MAX + 234);
    status_clear(&read);
}

/* A count that says less than there is would make a reader count below nothing. */
static void never_counts_less_than_it_lists(void **state)
{
    (void)state;
    json_error_t json_error;
    struct status status;
    _cleanup_free_ char *error = NULL;
    json_t *whole = json_loads(full_text, 0, &json_error);
    json_object_set_new(whole, "failure_count", json_integer(0));
    json_object_set_new(json_object_get(whole, "blocked"), "count", json_integer(2));
    _cleanup_free_ char *text = json_dumps(whole, 0);
    json_decref(whole);
    assert_int_equal(read_text(text, strlen(text), &status, &error), 0);
    assert_int_equal(status.failures.total, 1);
    assert_int_equal(status.blocked.actions.total, 3);
    status_clear(&status);
}

/* A service that makes statuses up fills a table, not the memory; and no answer goes uncounted. */
static void bounds_the_table_of_requests(void **state)
{
    (void)state;
    struct status status = {0};
    uint64_t total = 0;
    for (int i = -5; i < 1100; i++)
        for (enum call call = CALL_LIST; call < CALLS; call++)
            status_count_request(&status, call, i);
    assert_true(status.request_count > STATUS_REQUESTS_EXACT);
    assert_true(status.request_count <= STATUS_REQUESTS_MAX);
    for (size_t i = 0; i < status.request_count; i++) {
        const struct status_requests *requests = &status.requests[i];
        total += requests->count;
        if (i > 0)
            assert_true(
                requests->call > requests[-1].call ||
                (requests->call == requests[-1].call && requests->status > requests[-1].status));
    }
    assert_int_equal(total, CALLS * 1105);
    status_count_request(&status, CALL_LIST, 543);
    assert_int_equal(status.requests[status.request_count - 1].status, 900);
}

/* What was counted of any call is there after a restart. */
static void every_call_comes_back(void **state)
{
    (void)state;
    for (enum call call = CALL_LIST; call < CALLS; call++) {
        struct status status = {0}, read;
        _cleanup_free_ char *error = NULL;
        status_count_request(&status, call, 200);
        _cleanup_free_ char *text = statustext_write(&status);
        assert_non_null(strstr(text, call_word(call)));
        assert_int_equal(read_text(text, strlen(text), &read, &error), 0);
        assert_int_equal(read.request_count, 1);
        assert_int_equal(read.requests[0].call, call);
        status_clear(&read);
    }
}

/* ---- memory -------------------------------------------------------------------------------- */

static void writes_all_or_nothing_when_memory_is_short(void **state)
{
    (void)state;
    struct status status = full_status();
    long failures = 0;
    for (bool failed = true; failed; failures++) {
        starve_after(failures, failures % 2 == 0);
        _cleanup_free_ char *text = statustext_write(&status);
        failed = starve_end();
        if (failed)
            assert_null(text);
        else
            unit_assert_text(text, full_text);
    }
    status_clear(&status);
    assert_true(failures > 100);
}

static void reads_all_or_nothing_when_memory_is_short(void **state)
{
    (void)state;
    long failures = 0;
    for (bool failed = true; failed; failures++) {
        struct status status;
        _cleanup_free_ char *error = NULL;
        starve_after(failures, failures % 2 == 0);
        int r = statustext_read(full_text, sizeof full_text - 1, &status, &error);
        failed = starve_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        if (r == 0)
            status_clear(&status);
    }
    assert_true(failures > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_everything),
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(writes_nothing_as_null),
        cmocka_unit_test(spells_what_is_no_text),
        cmocka_unit_test(no_torn_text_passes),
        cmocka_unit_test(refuses_what_is_missing_or_wrong),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(passes_over_what_is_not_known),
        cmocka_unit_test(cuts_long_lists_and_says_so),
        cmocka_unit_test(never_counts_less_than_it_lists),
        cmocka_unit_test(bounds_the_table_of_requests),
        cmocka_unit_test(every_call_comes_back),
        cmocka_unit_test(writes_all_or_nothing_when_memory_is_short),
        cmocka_unit_test(reads_all_or_nothing_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

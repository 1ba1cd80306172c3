/* status.json. */
#include "statustext.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "codec/date.h"
#include "codec/jsontext.h"
#include "codec/utf8.h"

/* Figures of people are never larger, and integers of JSON never smaller. */
#define COUNT_MAX (INT64_C(1) << 40)

static inline void json_release(json_t *json)
{
    json_decref(json);
}
DEFINE_CLEANUP(json_t *, json_release)

static const char *const state_words[] = {
    [STATUS_STARTING] = "starting", [STATUS_IN_SYNC] = "in-sync",     [STATUS_PENDING] = "pending",
    [STATUS_BLOCKED] = "blocked",   [STATUS_ATTENTION] = "attention", [STATUS_FAILING] = "failing",
    [STATUS_STOPPING] = "stopping",
};

static const char *const result_words[] = {
    [STATUS_PASS_DONE] = "done",
    [STATUS_PASS_FAILED] = "failed",
    [STATUS_PASS_STOPPED] = "stopped",
};

static const char *const call_words[] = {
    [CALL_LIST] = "list",
    [CALL_CREATE] = "create",
    [CALL_RETRIEVE] = "retrieve",
    [CALL_DELETE] = "delete",
    [CALL_LIST_USERS] = "list-users",
    [CALL_RETRIEVE_USER] = "retrieve-user",
    [CALL_SET_ROLE] = "set-role",
    [CALL_DELETE_USER] = "delete-user",
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *status_state_word(enum status_state state)
{
    return state_words[state];
}

const char *status_result_word(enum status_result result)
{
    return result_words[result];
}

/* ---- values -------------------------------------------------------------------------------- */

static void line_clear(struct status_line *line)
{
    free(line->action);
    free(line->email);
    free(line->reason);
    free(line->invite_id);
    free(line->user_id);
    free(line->text);
}

int status_lines_add(struct status_lines *lines, const struct status_line *line)
{
    struct status_line copy = {0};
    lines->total++;
    if (lines->count == STATUS_LINES_MAX)
        return 0;
    if (memory_set(&copy.action, line->action) < 0 || memory_set(&copy.email, line->email) < 0 ||
        memory_set(&copy.reason, line->reason) < 0 ||
        memory_set(&copy.invite_id, line->invite_id) < 0 ||
        memory_set(&copy.user_id, line->user_id) < 0 || memory_set(&copy.text, line->text) < 0 ||
        RESERVE(lines->items, lines->count) < 0) {
        line_clear(&copy);
        return -ENOMEM;
    }
    lines->items[lines->count++] = copy;
    return 0;
}

void status_lines_clear(struct status_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        line_clear(&lines->items[i]);
    free(lines->items);
    *lines = (struct status_lines){0};
}

void status_blocked_clear(struct status_blocked *blocked)
{
    free(blocked->approval);
    free(blocked->command);
    for (size_t i = 0; i < blocked->limit_count; i++) {
        free(blocked->limits[i].limit);
        free(blocked->limits[i].text);
    }
    status_lines_clear(&blocked->actions);
    *blocked = (struct status_blocked){0};
}

void status_clear(struct status *status)
{
    free(status->version);
    free(status->message);
    free(status->policy);
    free(status->users);
    free(status->base_url);
    free(status->last_pass.error);
    status_blocked_clear(&status->blocked);
    status_lines_clear(&status->attention);
    status_lines_clear(&status->failures);
    status_lines_clear(&status->problems);
    free(status->approval.id);
    free(status->approval.outcome);
    free(status->approval.text);
    *status = (struct status){0};
}

/* Where the pair stands, or would have to stand. */
static size_t find_requests(const struct status *status, enum call call, int http_status)
{
    size_t i = 0;
    while (i < status->request_count &&
           (status->requests[i].call < call ||
            (status->requests[i].call == call && status->requests[i].status < http_status)))
        i++;
    return i;
}

static bool is_at(const struct status *status, size_t i, enum call call, int http_status)
{
    return i < status->request_count && status->requests[i].call == call &&
           status->requests[i].status == http_status;
}

void status_count_request(struct status *status, enum call call, int http_status)
{
    int known = http_status < 0 ? 0 : http_status > 999 ? 999 : http_status;
    size_t at = find_requests(status, call, known);
    /* A service that makes statuses up must not fill the memory of those who count them. */
    if (!is_at(status, at, call, known) && status->request_count >= STATUS_REQUESTS_EXACT) {
        known = known / 100 * 100;
        at = find_requests(status, call, known);
    }
    if (!is_at(status, at, call, known)) {
        if (status->request_count == STATUS_REQUESTS_MAX)
            return;
        memmove(&status->requests[at + 1], &status->requests[at],
                (status->request_count - at) * sizeof *status->requests);
        status->requests[at] = (struct status_requests){.call = call, .status = known};
        status->request_count++;
    }
    status->requests[at].count++;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* A path may be no valid UTF-8: then it is spelled as it is for eyes. */
static json_t *text_json(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();
    if (json)
        return json;
    _cleanup_free_ char *escaped = utf8_escape(text);
    return escaped ? json_string(escaped) : NULL;
}

static json_t *time_json(int64_t seconds)
{
    char date[DATE_SIZE];
    return seconds == 0 ? json_null() : json_string(date_format_iso(seconds, date));
}

static json_t *counts_json(const size_t *counts, enum action last)
{
    json_t *json = json_object();
    for (enum action action = ACTION_INVITE; action <= last; action++)
        json_object_set_new(json, action_key(action), json_integer((json_int_t)counts[action]));
    return json;
}

/* What does not apply to a list is NULL in all of its lines, and left out. */
static json_t *lines_json(const struct status_lines *lines, const char *const *keys)
{
    json_t *list = json_array();
    for (size_t i = 0; i < lines->count; i++) {
        const struct status_line *line = &lines->items[i];
        const char *values[] = {line->action,    line->email,   line->reason,
                                line->invite_id, line->user_id, line->text};
        json_t *json = json_object();
        for (size_t v = 0; v < COUNT_OF(values); v++)
            if (keys[v])
                json_object_set_new(json, keys[v], text_json(values[v]));
        json_array_append_new(list, json);
    }
    return list;
}

static const char *const keys_of_actions[] = {"action",    "email",   "reason",
                                              "invite_id", "user_id", NULL};
static const char *const keys_of_attention[] = {NULL, "email", "reason", NULL, "user_id", "text"};
static const char *const keys_of_failures[] = {"action", "email", NULL, NULL, "user_id", "error"};

static json_t *problems_json(const struct status_lines *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++)
        json_array_append_new(list, text_json(problems->items[i].text));
    return list;
}

static json_t *pass_json(const struct status_pass *pass)
{
    if (pass->number == 0)
        return json_null();
    uint64_t milliseconds = pass->usec / 1000;
    size_t changes[STATUS_WRITES];
    for (size_t i = 0; i < STATUS_WRITES; i++)
        changes[i] = pass->changes[i];
    return json_pack("{s:I, s:o, s:o, s:f, s:s, s:o, s:I, s:o, s:I, s:I}", "number",
                     (json_int_t)pass->number, "begun", time_json(pass->begun), "ended",
                     time_json(pass->ended), "seconds", (double)milliseconds / 1000, "result",
                     result_words[pass->result], "error", text_json(pass->error), "requests",
                     (json_int_t)pass->requests, "changes", counts_json(changes, ACTION_REMOVE),
                     "failed", (json_int_t)pass->failed, "unknown", (json_int_t)pass->unknown);
}

static json_t *limits_json(const struct status_blocked *blocked)
{
    json_t *list = json_array();
    for (size_t i = 0; i < blocked->limit_count; i++) {
        const struct status_limit *limit = &blocked->limits[i];
        json_array_append_new(
            list, json_pack("{s:o, s:f, s:f, s:o}", "limit", text_json(limit->limit), "allowed",
                            limit->allowed, "found", limit->found, "text", text_json(limit->text)));
    }
    return list;
}

static json_t *blocked_json(const struct status_blocked *blocked)
{
    if (blocked->actions.total == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:I, s:o, s:o}", "approval", text_json(blocked->approval),
                     "command", text_json(blocked->command), "count",
                     (json_int_t)blocked->actions.total, "limits", limits_json(blocked), "actions",
                     lines_json(&blocked->actions, keys_of_actions));
}

static json_t *approval_json(const struct status_approval *approval)
{
    if (!approval->id)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:I}", "id", text_json(approval->id), "outcome",
                     text_json(approval->outcome), "text", text_json(approval->text), "number",
                     (json_int_t)approval->number);
}

static json_t *requests_json(const struct status *status)
{
    json_t *list = json_array();
    for (size_t i = 0; i < status->request_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:i, s:I}", "call",
                                              call_words[status->requests[i].call], "status",
                                              status->requests[i].status, "count",
                                              (json_int_t)status->requests[i].count));
    return list;
}

static json_t *head_json(const struct status *status)
{
    return json_pack("{s:s, s:o, s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:b}", "schema",
                     STATUS_SCHEMA, "version", text_json(status->version), "pid",
                     (json_int_t)status->pid, "started", time_json(status->started), "state",
                     state_words[status->state], "message", text_json(status->message), "policy",
                     text_json(status->policy), "users", text_json(status->users), "base_url",
                     text_json(status->base_url), "dry_run", status->dry_run, "pass_under_way",
                     status->pass_under_way);
}

char *statustext_write(const struct status *status)
{
    jsontext_begin();
    json_t *json = head_json(status);
    json_object_set_new(json, "last_pass", pass_json(&status->last_pass));
    json_object_set_new(json, "last_success", time_json(status->last_success));
    json_object_set_new(json, "next_pass", time_json(status->next_pass));
    json_object_set_new(json, "people", counts_json(status->people, ACTION_KEEP));
    json_object_set_new(json, "blocked", blocked_json(&status->blocked));
    json_object_set_new(json, "attention_count", json_integer((json_int_t)status->attention.total));
    json_object_set_new(json, "attention", lines_json(&status->attention, keys_of_attention));
    json_object_set_new(json, "failure_count", json_integer((json_int_t)status->failures.total));
    json_object_set_new(json, "failures", lines_json(&status->failures, keys_of_failures));
    json_object_set_new(json, "problem_count", json_integer((json_int_t)status->problems.total));
    json_object_set_new(json, "problems", problems_json(&status->problems));
    json_object_set_new(json, "approval", approval_json(&status->approval));
    json_object_set_new(json, "requests", requests_json(status));
    return jsontext_end(json, JSON_COMPACT | JSON_REAL_PRECISION(10));
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reader {
    const char *fault; /* the key that was wrong; NULL: none so far */
    bool no_memory;
};

static void wrong(struct reader *reader, const char *key)
{
    if (!reader->fault)
        reader->fault = key;
}

static char *copy_text(struct reader *reader, const json_t *value, const char *key)
{
    const char *text = json_string_value(value);
    char *copy = NULL;
    if (!text)
        wrong(reader, key);
    else if (!(copy = strdup(text)))
        reader->no_memory = true;
    return copy;
}

static char *read_text(struct reader *reader, const json_t *object, const char *key)
{
    return copy_text(reader, json_object_get(object, key), key);
}

/* NULL for null; the key must be there. */
static char *read_optional_text(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : copy_text(reader, value, key);
}

static int64_t read_number(struct reader *reader, const json_t *object, const char *key,
                           int64_t most)
{
    const json_t *value = json_object_get(object, key);
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0 && number <= most)
        return number;
    wrong(reader, key);
    return 0;
}

/* A figure of an action; who did not know of users wrote none for theirs. */
static int64_t read_count(struct reader *reader, const json_t *counts, enum action action,
                          int64_t most)
{
    if (action_concerns_user(action) && !json_object_get(counts, action_key(action)))
        return 0;
    return read_number(reader, counts, action_key(action), most);
}

/* How many lines there are, which a list that was cut does not show; keys that may be missing. */
static void read_total(struct reader *reader, const json_t *object, const char *key,
                       struct status_lines *lines)
{
    size_t total = json_object_get(object, key)
                       ? (size_t)read_number(reader, object, key, COUNT_MAX)
                       : lines->total;
    lines->total = total > lines->count ? total : lines->count;
}

static double read_real(struct reader *reader, const json_t *object, const char *key)
{
    double number = json_number_value(json_object_get(object, key));
    if (json_is_number(json_object_get(object, key)) && number >= 0)
        return number;
    wrong(reader, key);
    return 0;
}

static bool read_flag(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        wrong(reader, key);
    return json_is_true(value);
}

static int64_t read_time(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    int64_t seconds = 0;
    if (!json_is_null(value) && (!text || date_parse_iso(text, &seconds) < 0))
        wrong(reader, key);
    return seconds;
}

static size_t read_word(struct reader *reader, const json_t *object, const char *key,
                        const char *const *words, size_t count)
{
    const char *word = json_string_value(json_object_get(object, key));
    for (size_t i = 0; word && i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    wrong(reader, key);
    return 0;
}

static const json_t *read_list(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list))
        wrong(reader, key);
    return list;
}

/* NULL where it is null, or no object. */
static const json_t *read_object(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_object(value))
        return value;
    if (!json_is_null(value))
        wrong(reader, key);
    return NULL;
}

static void read_lines(struct reader *reader, const json_t *list, const char *const *keys,
                       struct status_lines *lines)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        struct status_line line = {0};
        char **values[] = {&line.action,    &line.email,   &line.reason,
                           &line.invite_id, &line.user_id, &line.text};
        for (size_t v = 0; v < COUNT_OF(values); v++)
            if (keys[v] && (values[v] != &line.user_id || json_object_get(item, keys[v])))
                *values[v] = read_optional_text(reader, item, keys[v]);
        if (status_lines_add(lines, &line) < 0)
            reader->no_memory = true;
        line_clear(&line);
    }
}

static void read_problems(struct reader *reader, const json_t *object, struct status_lines *lines)
{
    size_t i;
    json_t *item;
    json_array_foreach(read_list(reader, object, "problems"), i, item)
    {
        _cleanup_free_ char *text = copy_text(reader, item, "problems");
        if (text && status_lines_add(lines, &(struct status_line){.text = text}) < 0)
            reader->no_memory = true;
    }
    read_total(reader, object, "problem_count", lines);
}

static void read_pass(struct reader *reader, const json_t *json, struct status_pass *pass)
{
    if (!json)
        return;
    pass->number = (unsigned)read_number(reader, json, "number", UINT_MAX);
    if (pass->number == 0)
        wrong(reader, "number");
    pass->begun = read_time(reader, json, "begun");
    pass->ended = read_time(reader, json, "ended");
    double seconds = read_real(reader, json, "seconds");
    pass->usec = seconds <= 1e9 ? (uint64_t)(seconds * 1e6 + 0.5) : 0;
    pass->result =
        (enum status_result)read_word(reader, json, "result", result_words, COUNT_OF(result_words));
    pass->error = read_optional_text(reader, json, "error");
    pass->requests = (unsigned)read_number(reader, json, "requests", UINT_MAX);
    const json_t *changes = read_object(reader, json, "changes");
    for (enum action action = ACTION_INVITE; action <= ACTION_REMOVE; action++)
        pass->changes[action] = (unsigned)read_count(reader, changes, action, UINT_MAX);
    pass->failed = (unsigned)read_number(reader, json, "failed", UINT_MAX);
    pass->unknown = (unsigned)read_number(reader, json, "unknown", UINT_MAX);
}

static void read_limits(struct reader *reader, const json_t *list, struct status_blocked *blocked)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (i == LIMIT_COUNT)
            break;
        struct status_limit *limit = &blocked->limits[blocked->limit_count++];
        limit->limit = read_optional_text(reader, item, "limit");
        limit->text = read_optional_text(reader, item, "text");
        limit->allowed = read_real(reader, item, "allowed");
        limit->found = read_real(reader, item, "found");
    }
}

static void read_blocked(struct reader *reader, const json_t *json, struct status_blocked *blocked)
{
    if (!json)
        return;
    blocked->approval = read_optional_text(reader, json, "approval");
    blocked->command = read_optional_text(reader, json, "command");
    read_limits(reader, read_list(reader, json, "limits"), blocked);
    read_lines(reader, read_list(reader, json, "actions"), keys_of_actions, &blocked->actions);
    read_total(reader, json, "count", &blocked->actions);
}

static void read_approval(struct reader *reader, const json_t *json,
                          struct status_approval *approval)
{
    if (!json)
        return;
    approval->id = read_text(reader, json, "id");
    approval->outcome = read_text(reader, json, "outcome");
    approval->text = read_optional_text(reader, json, "text");
    if (json_object_get(json, "number"))
        approval->number = (unsigned)read_number(reader, json, "number", UINT_MAX);
}

static void read_requests(struct reader *reader, const json_t *list, struct status *status)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (i == STATUS_REQUESTS_MAX)
            break;
        status->requests[status->request_count++] = (struct status_requests){
            .call = (enum call)read_word(reader, item, "call", call_words, COUNT_OF(call_words)),
            .status = (int)read_number(reader, item, "status", 999),
            .count = (uint64_t)read_number(reader, item, "count", INT64_MAX),
        };
    }
}

static void read_head(struct reader *reader, const json_t *json, struct status *status)
{
    status->version = read_optional_text(reader, json, "version");
    status->pid = read_number(reader, json, "pid", INT_MAX);
    status->started = read_time(reader, json, "started");
    status->state =
        (enum status_state)read_word(reader, json, "state", state_words, COUNT_OF(state_words));
    status->message = read_optional_text(reader, json, "message");
    status->policy = read_optional_text(reader, json, "policy");
    /* Earlier versions did not know of users. */
    if (json_object_get(json, "users"))
        status->users = read_optional_text(reader, json, "users");
    status->base_url = read_optional_text(reader, json, "base_url");
    status->dry_run = read_flag(reader, json, "dry_run");
    status->pass_under_way = read_flag(reader, json, "pass_under_way");
}

static void read_status(struct reader *reader, const json_t *json, struct status *status)
{
    read_head(reader, json, status);
    read_pass(reader, read_object(reader, json, "last_pass"), &status->last_pass);
    status->last_success = read_time(reader, json, "last_success");
    status->next_pass = read_time(reader, json, "next_pass");
    const json_t *people = read_object(reader, json, "people");
    for (enum action action = ACTION_INVITE; action <= ACTION_KEEP; action++)
        status->people[action] = (size_t)read_count(reader, people, action, COUNT_MAX);
    read_blocked(reader, read_object(reader, json, "blocked"), &status->blocked);
    read_lines(reader, read_list(reader, json, "attention"), keys_of_attention, &status->attention);
    read_total(reader, json, "attention_count", &status->attention);
    read_lines(reader, read_list(reader, json, "failures"), keys_of_failures, &status->failures);
    read_total(reader, json, "failure_count", &status->failures);
    read_problems(reader, json, &status->problems);
    read_approval(reader, read_object(reader, json, "approval"), &status->approval);
    read_requests(reader, read_list(reader, json, "requests"), status);
}

int statustext_read(const char *text, size_t length, struct status *ret, char **ret_error)
{
    json_error_t error;
    _cleanup_(json_release_pointer) json_t *json = NULL;
    int r = jsontext_load(text, length, &json, &error);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        *ret_error = memory_format("line %d: %s", error.line, error.text);
        return -EBADMSG;
    }
    const char *schema = json_string_value(json_object_get(json, "schema"));
    if (!schema || strcmp(schema, STATUS_SCHEMA) != 0) {
        *ret_error = memory_format("it is not of schema %s", STATUS_SCHEMA);
        return -EBADMSG;
    }
    struct status status = {0};
    struct reader reader = {0};
    read_status(&reader, json, &status);
    if (!reader.no_memory && !reader.fault) {
        *ret = status;
        return 0;
    }
    status_clear(&status);
    if (reader.no_memory)
        return -ENOMEM;
    *ret_error = memory_format("`%s` is missing or wrong", reader.fault);
    return -EBADMSG;
}

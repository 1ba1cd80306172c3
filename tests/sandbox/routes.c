/* The four calls of the Invites API, and what comes before them. */
#include "routes.h"

#include "base.h"

#include <string.h>

#define INVALID "invalid_request_error"

static bool holds_key(json_t *keys, const char *key)
{
    json_t *item;
    size_t i;
    json_array_foreach(keys, i, item) if (strcmp(json_string_value(item), key) == 0) return true;
    return false;
}

static struct reply *refuse_rate(const struct sandbox *sandbox)
{
    struct reply *reply =
        reply_error(429, "requests", "Rate limit reached for requests. Please try again later.",
                    NULL, "rate_limit_exceeded");
    if (sandbox->rate_headers) {
        long long seconds = (rate_next_ms(&sandbox->rate) + 999) / 1000;
        _cleanup_free_ char *text = format("%lld", seconds);
        reply_header(reply, "retry-after", text);
    }
    return reply;
}

struct reply *routes_gate(struct sandbox *sandbox, const struct request *request)
{
    const char *key = request->key;
    bool full = key && holds_key(sandbox->keys, key);
    if (!full && !(key && holds_key(sandbox->readonly_keys, key)))
        return reply_error(401, INVALID,
                           key ? "Incorrect API key provided."
                               : "Missing bearer authentication in header.",
                           NULL, "invalid_api_key");
    if (!rate_take(&sandbox->rate, sandbox_now_ms(sandbox)))
        return refuse_rate(sandbox);
    if (!full && strcmp(request->method, "GET") != 0)
        return reply_json(403, json_pack("{s:s}", "error",
                                         "You have insufficient permissions for this operation. "
                                         "Missing scopes: api.management.write"));
    return NULL;
}

/* ---- list ---- */

static struct reply *read_limit(const struct request *request, long long *ret_limit)
{
    *ret_limit = 20;
    if (!request->limit || read_number(request->limit, 1, 100, ret_limit))
        return NULL;
    _cleanup_free_ char *message = format(
        "Invalid value for 'limit': expected an integer from 1 to 100, but got '%s' instead.",
        request->limit);
    return reply_error(400, INVALID, message, "limit", "invalid_value");
}

/* Where the item of this id stands, counted from 0; `count` if it is not there. */
static size_t find_cursor(struct invite **listing, size_t count, const char *id)
{
    size_t at = 0;
    while (at < count && strcmp(listing[at]->id, id) != 0)
        at++;
    return at;
}

static struct reply *answer_page(const struct sandbox *sandbox, struct invite **items, size_t count,
                                 bool has_more)
{
    json_auto_t *data = must(json_array());
    int64_t now_ms = sandbox_now_ms(sandbox);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(data, org_show(&sandbox->org, items[i], now_ms));
    return reply_json(200, json_pack("{s:s, s:O, s:s?, s:s?, s:b}", "object", "list", "data", data,
                                     "first_id", count ? items[0]->id : NULL, "last_id",
                                     count ? items[count - 1]->id : NULL, "has_more", has_more));
}

static struct reply *answer_dead_cursor(const struct sandbox *sandbox,
                                        const struct request *request)
{
    _cleanup_free_ char *message = format("No invite found with id '%s'.", request->after);
    if (sandbox->dead_cursor == DEAD_EMPTY)
        return answer_page(sandbox, NULL, 0, false);
    return reply_error(sandbox->dead_cursor == DEAD_400 ? 400 : 404, INVALID, message, "after",
                       NULL);
}

static struct reply *answer_list(struct sandbox *sandbox, const struct request *request)
{
    long long limit;
    struct reply *refusal = read_limit(request, &limit);
    if (refusal)
        return refusal;
    size_t count, start = 0, size = (size_t)limit;
    _cleanup_free_ struct invite **listing =
        org_listing(&sandbox->org, sandbox_now_ms(sandbox), &count);
    if (request->after) {
        size_t cursor = find_cursor(listing, count, request->after);
        if (cursor < count)
            start = cursor + 1;
        else if (sandbox->dead_cursor != DEAD_TOP)
            return answer_dead_cursor(sandbox, request);
    }
    if (request->repeat_page) {
        /* Ends at the cursor where there is one, so that its last_id is the cursor again. */
        size_t end = start ? start : size < count ? size : count;
        start = end > size ? end - size : 0;
        return answer_page(sandbox, listing + start, end - start, true);
    }
    size_t left = count - start;
    return answer_page(sandbox, listing + start, left < size ? left : size, left > size);
}

/* ---- create ---- */

static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || at == text || at[1] == '\0' || strchr(at + 1, '@') || strlen(text) > 254)
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    return true;
}

static struct reply *refuse_parameter(const char *code, const char *param, const char *wanted)
{
    _cleanup_free_ char *message =
        strcmp(code, "missing_required_parameter") == 0
            ? format("Missing required parameter: '%s'.", param)
            : format("Invalid value for '%s': expected %s.", param, wanted);
    return reply_error(400, INVALID, message, param, code);
}

static struct reply *check_word(json_t *body, const char *key, const char *wanted)
{
    json_t *value = json_object_get(body, key);
    if (!value)
        return refuse_parameter("missing_required_parameter", key, wanted);
    if (!json_is_string(value))
        return refuse_parameter("invalid_type", key, wanted);
    return NULL;
}

static struct reply *check_projects(json_t *projects)
{
    json_t *project;
    size_t i;
    if (projects && !json_is_array(projects))
        return refuse_parameter("invalid_type", "projects", "an array of objects");
    json_array_foreach(projects, i, project)
    {
        const char *id = json_string_value(json_object_get(project, "id"));
        const char *role = json_string_value(json_object_get(project, "role"));
        if (!id || !*id || !role || (strcmp(role, "member") != 0 && strcmp(role, "owner") != 0)) {
            _cleanup_free_ char *param = format("projects[%zu]", i);
            return refuse_parameter("invalid_value", param,
                                    "an object of 'id' and 'role' ('member' or 'owner')");
        }
    }
    return NULL;
}

static struct reply *check_create(const struct request *request)
{
    struct reply *refusal;
    json_t *body = request->json;
    if (request->too_big)
        return reply_error(413, INVALID, "The request body is too large.", NULL, NULL);
    if (!json_is_object(body))
        return reply_error(400, INVALID,
                           "We could not parse the JSON body of your request: an object is needed.",
                           NULL, NULL);
    if ((refusal = check_word(body, "email", "an e-mail address")) ||
        (refusal = check_word(body, "role", "'owner' or 'reader'")))
        return refusal;
    const char *role = json_string_value(json_object_get(body, "role"));
    if (!is_address(request_email(request)))
        return refuse_parameter("invalid_value", "email", "an e-mail address");
    if (strcmp(role, "owner") != 0 && strcmp(role, "reader") != 0)
        return refuse_parameter("invalid_value", "role", "'owner' or 'reader'");
    return check_projects(json_object_get(body, "projects"));
}

static struct reply *answer_create(struct sandbox *sandbox, const struct request *request)
{
    struct reply *refusal = check_create(request);
    if (refusal)
        return refusal;
    const char *email = request_email(request);
    const char *role = json_string_value(json_object_get(request->json, "role"));
    json_t *given = json_object_get(request->json, "projects");
    json_auto_t *usual = must(json_pack("[{s:s, s:s}]", "id", "proj_default", "role", "member"));
    json_t *projects = given ? given : usual;
    int64_t now_ms = sandbox_now_ms(sandbox);
    struct invite *invite;
    switch (org_create(&sandbox->org, now_ms, email, role, projects, &invite)) {
    case ORG_ALREADY_MEMBER:
        return reply_error(400, INVALID,
                           "A user with this email address already exists in this organization.",
                           "email", NULL);
    case ORG_ALREADY_INVITED:
        return reply_error(400, INVALID, "An invite for this email address has already been sent.",
                           "email", NULL);
    default:
        break;
    }
    log_mail(&sandbox->log, now_ms, email, role, projects, invite->id);
    json_object_set_new(request->entry, "invite_id", must(json_string(invite->id)));
    return reply_json(200, org_show(&sandbox->org, invite, now_ms));
}

/* ---- retrieve, delete ---- */

static struct reply *refuse_missing(const struct request *request)
{
    _cleanup_free_ char *message = format("No invite found with id '%s'.", request->invite_id);
    return reply_error(404, INVALID, message, "invite_id", NULL);
}

static struct reply *answer_retrieve(struct sandbox *sandbox, const struct request *request)
{
    struct invite *invite = org_find(&sandbox->org, request->invite_id);
    return invite ? reply_json(200, org_show(&sandbox->org, invite, sandbox_now_ms(sandbox)))
                  : refuse_missing(request);
}

static struct reply *answer_delete(struct sandbox *sandbox, const struct request *request)
{
    struct invite *invite = org_find(&sandbox->org, request->invite_id);
    if (!invite)
        return refuse_missing(request);
    if (org_delete(&sandbox->org, sandbox_now_ms(sandbox), invite, false) == ORG_ALREADY_ACCEPTED)
        return reply_error(400, INVALID, "This invite was already accepted and cannot be deleted.",
                           NULL, NULL);
    return reply_json(200, json_pack("{s:s, s:s, s:b}", "object", "organization.invite.deleted",
                                     "id", request->invite_id, "deleted", 1));
}

static struct reply *answer_other(const struct request *request)
{
    bool collection = strcmp(request->path, "/v1/organization/invites") == 0;
    _cleanup_free_ char *message = NULL;
    if (!collection && !request->invite_id) {
        message = format("Invalid URL (%s %s)", request->method, request->path);
        return reply_error(404, INVALID, message, NULL, NULL);
    }
    message = format("Not allowed to %s on %s.", request->method, request->path);
    struct reply *reply = reply_error(405, INVALID, message, NULL, "method_not_supported");
    reply_header(reply, "Allow", collection ? "GET, POST" : "GET, DELETE");
    return reply;
}

struct reply *routes_answer(struct sandbox *sandbox, const struct request *request)
{
    switch (request->call) {
    case CALL_LIST:
        return answer_list(sandbox, request);
    case CALL_CREATE:
        return answer_create(sandbox, request);
    case CALL_RETRIEVE:
        return answer_retrieve(sandbox, request);
    case CALL_DELETE:
        return answer_delete(sandbox, request);
    case CALL_OTHER:
        break;
    }
    return answer_other(request);
}

/* ---- faults ---- */

/* Which page of the full listing a request asks for, by the position of its cursor; 0: unknown. */
static long long page_of(const struct sandbox *sandbox, const struct request *request)
{
    long long limit = 20;
    if (request->limit && !read_number(request->limit, 1, 100, &limit))
        return 0;
    if (!request->after)
        return 1;
    size_t count;
    _cleanup_free_ struct invite **listing =
        org_listing(&sandbox->org, sandbox_now_ms(sandbox), &count);
    size_t cursor = find_cursor(listing, count, request->after);
    return cursor == count ? 0 : (long long)cursor / limit + 2;
}

struct fault *routes_fault(struct sandbox *sandbox, const struct request *request)
{
    if (!sandbox->faults)
        return NULL;
    const struct invite *invite =
        request->invite_id ? org_find(&sandbox->org, request->invite_id) : NULL;
    struct fault_query query = {
        .call = call_words[request->call],
        .email = invite ? invite->email : request_email(request),
        .id = request->invite_id,
        .page = request->call == CALL_LIST ? page_of(sandbox, request) : 0,
    };
    return faults_match(sandbox->faults, &query);
}

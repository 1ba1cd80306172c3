/* The four calls about invites, and what comes before any call. */
#include "routes.h"

#include "base.h"
#include "paging.h"
#include "routes_users.h"
#include "user.h"

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

static struct reply *refuse_scope(const char *scope)
{
    _cleanup_free_ char *message =
        format("You have insufficient permissions for this operation. Missing scopes: %s", scope);
    return reply_json(403, json_pack("{s:s}", "error", message));
}

struct reply *routes_gate(struct sandbox *sandbox, const struct request *request)
{
    const char *key = request->key;
    bool full = key && holds_key(sandbox->keys, key);
    bool without_users = key && holds_key(sandbox->keys_without_users, key);
    bool readonly = key && holds_key(sandbox->readonly_keys, key);
    if (!full && !without_users && !readonly)
        return reply_error(401, INVALID,
                           key ? "Incorrect API key provided."
                               : "Missing bearer authentication in header.",
                           NULL, "invalid_api_key");
    if (!rate_take(&sandbox->rate, sandbox_now_ms(sandbox)))
        return refuse_rate(sandbox);
    if (!full && without_users && request->of_users)
        return refuse_scope("api.management.read");
    if (!full && !without_users && strcmp(request->method, "GET") != 0)
        return refuse_scope("api.management.write");
    return NULL;
}

/* ---- list ---- */

static const char *id_of(const void *invite)
{
    return ((const struct invite *)invite)->id;
}

static json_t *show_listed(const struct org *org, const void *invite, int64_t now_ms)
{
    return org_show(org, invite, now_ms);
}

static struct listing list_invites(const struct sandbox *sandbox)
{
    struct listing listing = {.what = "invite", .id = id_of, .show = show_listed};
    listing.items = (void **)org_listing(&sandbox->org, sandbox_now_ms(sandbox), &listing.count);
    return listing;
}

static struct reply *answer_list(const struct sandbox *sandbox, const struct request *request)
{
    const struct listing listing = list_invites(sandbox);
    struct reply *reply = paging_answer(sandbox, request, &listing);
    free(listing.items);
    return reply;
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
    bool invites = strcmp(request->path, "/v1/organization/invites") == 0;
    const char *allowed = request->user_id     ? "GET, POST, DELETE"
                          : request->of_users  ? "GET"
                          : request->invite_id ? "GET, DELETE"
                          : invites            ? "GET, POST"
                                               : NULL;
    _cleanup_free_ char *message = NULL;
    if (!allowed) {
        message = format("Invalid URL (%s %s)", request->method, request->path);
        return reply_error(404, INVALID, message, NULL, NULL);
    }
    message = format("Not allowed to %s on %s.", request->method, request->path);
    struct reply *reply = reply_error(405, INVALID, message, NULL, "method_not_supported");
    reply_header(reply, "Allow", allowed);
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
    case CALL_LIST_USERS:
    case CALL_RETRIEVE_USER:
    case CALL_SET_ROLE:
    case CALL_DELETE_USER:
        return routes_users_answer(sandbox, request);
    case CALL_OTHER:
    case CALL_COUNT:
        break;
    }
    return answer_other(request);
}

/* ---- faults ---- */

/* Which page a listing is asked for; 0 for other calls, and where that is not known. */
static long long page_of(const struct sandbox *sandbox, const struct request *request)
{
    if (request->call == CALL_LIST_USERS)
        return routes_users_page(sandbox, request);
    if (request->call != CALL_LIST)
        return 0;
    const struct listing listing = list_invites(sandbox);
    long long page = paging_page(request, &listing);
    free(listing.items);
    return page;
}

const char *routes_email(const struct sandbox *sandbox, const struct request *request)
{
    const struct invite *invite =
        request->invite_id ? org_find(&sandbox->org, request->invite_id) : NULL;
    const struct user *user =
        request->user_id ? org_find_user(&sandbox->org, request->user_id) : NULL;
    return invite ? invite->email : user ? user->email : request_email(request);
}

struct fault *routes_fault(struct sandbox *sandbox, const struct request *request)
{
    if (!sandbox->faults)
        return NULL;
    struct fault_query query = {
        .call = call_words[request->call],
        .email = routes_email(sandbox, request),
        .id = request->invite_id ? request->invite_id : request->user_id,
        .page = page_of(sandbox, request),
    };
    return faults_match(sandbox->faults, &query);
}

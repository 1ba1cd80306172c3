/* The four calls about users. */
#include "routes_users.h"

#include "base.h"
#include "user.h"

#include <string.h>
#include <strings.h>

#define INVALID "invalid_request_error"

/* ---- list ---- */

static const char *id_of(const void *user)
{
    return ((const struct user *)user)->id;
}

static json_t *show_listed(const struct org *org, const void *user, int64_t now_ms)
{
    return org_list_user(org, user, now_ms);
}

/* Whether a user is among the "emails" that are asked for; all are if none is. */
static bool is_asked_for(const struct request *request, const struct user *user)
{
    json_t *email;
    size_t i;
    json_array_foreach(request->emails, i, email)
    {
        if (user->email && strcasecmp(json_string_value(email), user->email) == 0)
            return true;
    }
    return json_array_size(request->emails) == 0;
}

static struct listing list_users(const struct sandbox *sandbox, const struct request *request)
{
    struct listing listing = {.what = "user", .id = id_of, .show = show_listed};
    size_t count;
    struct user **users = org_user_listing(&sandbox->org, sandbox_now_ms(sandbox), &count);
    listing.items = (void **)users;
    for (size_t i = 0; i < count; i++)
        if (is_asked_for(request, users[i]))
            users[listing.count++] = users[i];
    return listing;
}

static struct reply *answer_list(const struct sandbox *sandbox, const struct request *request)
{
    const struct listing listing = list_users(sandbox, request);
    struct reply *reply = paging_answer(sandbox, request, &listing);
    free(listing.items);
    return reply;
}

long long routes_users_page(const struct sandbox *sandbox, const struct request *request)
{
    const struct listing listing = list_users(sandbox, request);
    long long page = paging_page(request, &listing);
    free(listing.items);
    return page;
}

/* ---- retrieve, change, remove ---- */

static struct reply *refuse_missing(const struct request *request)
{
    _cleanup_free_ char *message = format("No user found with id '%s'.", request->user_id);
    return reply_error(404, INVALID, message, "user_id", NULL);
}

static struct reply *refuse(enum org_answer answer)
{
    return reply_error(400, INVALID,
                       answer == ORG_SERVICE_ACCOUNT ? "Service accounts cannot be changed here."
                       : answer == ORG_SCIM_MANAGED
                           ? "This user is managed by your identity provider."
                           : "An organization must have at least one owner.",
                       NULL, NULL);
}

static struct reply *answer_set_role(struct sandbox *sandbox, const struct request *request,
                                     struct user *user)
{
    const char *role = json_string_value(json_object_get(request->json, "role"));
    if (!role || (strcmp(role, "owner") != 0 && strcmp(role, "reader") != 0))
        return reply_error(400, INVALID, "Invalid value for 'role': expected 'owner' or 'reader'.",
                           "role", role ? "invalid_value" : "missing_required_parameter");
    enum org_answer answer = org_set_role(&sandbox->org, sandbox_now_ms(sandbox), user, role);
    return answer == ORG_DONE ? reply_json(200, org_show_user(&sandbox->org, user))
                              : refuse(answer);
}

static struct reply *answer_delete(struct sandbox *sandbox, const struct request *request,
                                   struct user *user)
{
    enum org_answer answer = org_remove_user(&sandbox->org, sandbox_now_ms(sandbox), user);
    if (answer != ORG_DONE)
        return refuse(answer);
    return reply_json(200, json_pack("{s:s, s:s, s:b}", "object", "organization.user.deleted", "id",
                                     request->user_id, "deleted", 1));
}

struct reply *routes_users_answer(struct sandbox *sandbox, const struct request *request)
{
    if (request->call == CALL_LIST_USERS)
        return answer_list(sandbox, request);
    struct user *user = org_find_user(&sandbox->org, request->user_id);
    if (!user)
        return refuse_missing(request);
    if (request->call == CALL_SET_ROLE)
        return answer_set_role(sandbox, request, user);
    if (request->call == CALL_DELETE_USER)
        return answer_delete(sandbox, request, user);
    return reply_json(200, org_show_user(&sandbox->org, user));
}

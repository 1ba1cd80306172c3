/* The control routes. */
#include "control.h"

#include "base.h"
#include "control_users.h"
#include "orgfile.h"
#include "user.h"

#include <string.h>

static struct reply *done(void)
{
    return reply_json(200, json_pack("{s:b}", "ok", 1));
}

struct reply *control_refuse(unsigned status, const char *message)
{
    return reply_error(status, "sandbox_error", message, NULL, NULL);
}

/* ---- log, organisation ---- */

static struct reply *show_log(struct sandbox *sandbox, const struct request *request)
{
    (void)request;
    return reply_json(200, log_show(&sandbox->log));
}

static struct reply *clear_log(struct sandbox *sandbox, const struct request *request)
{
    (void)request;
    log_clear(&sandbox->log);
    log_init(&sandbox->log);
    return done();
}

static struct reply *show_org(struct sandbox *sandbox, const struct request *request)
{
    (void)request;
    const struct org *org = &sandbox->org;
    int64_t now_ms = sandbox_now_ms(sandbox);
    json_auto_t *invites = must(json_array()), *users = must(json_array());
    for (size_t i = 0; i < org->count; i++) {
        const struct invite *invite = org->invites[org->oldest_first ? i : org->count - 1 - i];
        if (!invite->deleted)
            json_array_append_new(invites, org_show(org, invite, now_ms));
    }
    for (size_t i = 0; i < org->user_count; i++) {
        const struct user *user = org->users[org->oldest_first ? i : org->user_count - 1 - i];
        if (!user->removed)
            json_array_append_new(users, user_show(user, SHAPE_FULL));
    }
    return reply_json(200, json_pack("{s:s, s:f, s:O, s:O}", "organization", org->id, "now",
                                     (double)now_ms / 1000.0, "users", users, "invites", invites));
}

/* ---- what other people do to invites ---- */

/* Changes one invite; false if it is not in a state for that. */
typedef bool invite_change(struct sandbox *sandbox, struct invite *invite, int64_t now_ms);

static bool accept(struct sandbox *sandbox, struct invite *invite, int64_t now_ms)
{
    if (!invite_is_live(invite, now_ms))
        return false;
    org_accept(&sandbox->org, now_ms, invite);
    return true;
}

static bool expire(struct sandbox *sandbox, struct invite *invite, int64_t now_ms)
{
    (void)sandbox;
    if (!invite_is_live(invite, now_ms))
        return false;
    org_expire(now_ms, invite);
    return true;
}

/* By "id" that invite, by "email" the newest that can be changed so. */
static struct reply *change_invite(struct sandbox *sandbox, const struct request *request,
                                   invite_change *change)
{
    const char *id = json_string_value(json_object_get(request->json, "id"));
    const char *email = request_email(request);
    const struct org *org = &sandbox->org;
    int64_t now_ms = sandbox_now_ms(sandbox);
    bool found = false;
    if (!id == !email)
        return control_refuse(400, "one of \"id\" and \"email\" is needed");
    for (size_t i = org->count; i-- > 0;) {
        struct invite *invite = org->invites[i];
        if (invite->deleted || !(id ? strcmp(invite->id, id) == 0 : invite_is_for(invite, email)))
            continue;
        found = true;
        if (change(sandbox, invite, now_ms))
            return reply_json(200, org_show(org, invite, now_ms));
    }
    return found ? control_refuse(409, "the invite is not pending")
                 : control_refuse(404, "no such invite");
}

static struct reply *accept_invite(struct sandbox *sandbox, const struct request *request)
{
    return change_invite(sandbox, request, accept);
}

static struct reply *expire_invite(struct sandbox *sandbox, const struct request *request)
{
    return change_invite(sandbox, request, expire);
}

/* Deletes the invite of an id, or all of an address, in whatever state. */
static struct reply *delete_invites(struct sandbox *sandbox, const struct request *request)
{
    const char *id = json_string_value(json_object_get(request->json, "id"));
    const char *email = request_email(request);
    json_int_t deleted = 0;
    if (!id == !email)
        return control_refuse(400, "one of \"id\" and \"email\" is needed");
    /* Deleting may move the others down the array: go from its end. */
    for (size_t i = sandbox->org.count; i-- > 0;) {
        if (i >= sandbox->org.count)
            continue;
        struct invite *invite = sandbox->org.invites[i];
        if (invite->deleted || !(id ? strcmp(invite->id, id) == 0 : invite_is_for(invite, email)))
            continue;
        org_delete(&sandbox->org, sandbox_now_ms(sandbox), invite, true);
        deleted++;
    }
    return deleted ? reply_json(200, json_pack("{s:b, s:I}", "ok", 1, "deleted", deleted))
                   : control_refuse(404, "no such invite");
}

static struct reply *add_invite(struct sandbox *sandbox, const struct request *request)
{
    struct invite *invite;
    int64_t now_ms = sandbox_now_ms(sandbox);
    _cleanup_free_ char *wrong =
        orgfile_add_invite(&sandbox->org, request->json, "invite", now_ms, &invite);
    if (wrong)
        return control_refuse(400, wrong);
    return reply_json(200, org_show(&sandbox->org, invite, now_ms));
}

/* ---- clock, faults, settings ---- */

static struct reply *advance(struct sandbox *sandbox, const struct request *request)
{
    json_t *seconds = json_object_get(request->json, "seconds");
    double number = json_number_value(seconds);
    if (!json_is_number(seconds) || !(number >= 0 && number <= 1e9))
        return control_refuse(400, "\"seconds\" must be a number from 0 to 1000000000");
    sandbox->advanced_ms += (int64_t)(number * 1000.0);
    return reply_json(200, json_pack("{s:f}", "now", (double)sandbox_now_ms(sandbox) / 1000.0));
}

static struct reply *add_fault(struct sandbox *sandbox, const struct request *request)
{
    const char *spec = json_string_value(json_object_get(request->json, "spec"));
    struct fault *fault;
    if (!spec)
        return control_refuse(400, "\"spec\" must be a string");
    _cleanup_free_ char *wrong = fault_parse(spec, false, &fault);
    if (wrong)
        return control_refuse(400, wrong);
    faults_add(&sandbox->faults, fault);
    return done();
}

static struct reply *clear_faults(struct sandbox *sandbox, const struct request *request)
{
    (void)request;
    faults_clear(&sandbox->faults);
    return done();
}

/* Reads the settings that are whole numbers; false if a value is wrong. */
static bool read_setting(json_t *body, const char *key, long long least, long long *value)
{
    json_t *given = json_object_get(body, key);
    if (!given)
        return true;
    *value = json_integer_value(given);
    return json_is_integer(given) && *value >= least && *value <= 1000000000;
}

static bool read_user_shape(json_t *body, enum user_shape *value)
{
    json_t *given = json_object_get(body, "user_shape");
    const char *word = json_string_value(given);
    return !given || (word && user_shape_parse(word, value));
}

/* Dead-cursor words may be given as numbers too: 404 is as clear as "404". */
static bool read_dead_cursor(json_t *body, enum dead_cursor *value)
{
    json_t *given = json_object_get(body, "dead_cursor");
    if (!given)
        return true;
    _cleanup_free_ char *number = format("%lld", (long long)json_integer_value(given));
    return dead_cursor_parse(json_is_string(given) ? json_string_value(given) : number, value);
}

static const char *unknown_setting(json_t *body)
{
    static const char *const known[] = {"lag",      "latency",    "strict_reinvite",
                                        "rpm",      "burst",      "dead_cursor",
                                        "user_lag", "user_shape", NULL};
    const char *key;
    json_t *value;
    json_object_foreach(body, key, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (!*k)
            return key;
    }
    return NULL;
}

static struct reply *change_settings(struct sandbox *sandbox, const struct request *request)
{
    json_t *body = request->json, *strict = json_object_get(body, "strict_reinvite");
    long long lag = sandbox->org.lag_ms, latency = sandbox->latency_ms;
    long long user_lag = sandbox->org.user_lag_ms;
    long long rpm = sandbox->rate.per_minute, burst = sandbox->rate.burst;
    enum dead_cursor dead_cursor = sandbox->dead_cursor;
    enum user_shape user_shape = sandbox->org.user_shape;
    const char *unknown = unknown_setting(body);
    if (!json_is_object(body) || unknown) {
        _cleanup_free_ char *message =
            format("%s: allowed are lag, latency, strict_reinvite, rpm, burst, dead_cursor, "
                   "user_lag, user_shape",
                   unknown ? unknown : "an object is needed");
        return control_refuse(400, message);
    }
    if (!read_setting(body, "lag", 0, &lag) || !read_setting(body, "latency", 0, &latency) ||
        !read_setting(body, "user_lag", 0, &user_lag) || !read_setting(body, "rpm", 0, &rpm) ||
        !read_setting(body, "burst", 1, &burst))
        return control_refuse(400, "lag, user_lag, latency, rpm and burst must be whole numbers; "
                                   "burst at least 1");
    if (strict && !json_is_boolean(strict))
        return control_refuse(400, "strict_reinvite must be true or false");
    if (!read_dead_cursor(body, &dead_cursor))
        return control_refuse(400, "dead_cursor must be 404, 400, empty or top");
    if (!read_user_shape(body, &user_shape))
        return control_refuse(400, "user_shape must be flat, nested, full or mixed");
    sandbox->org.lag_ms = lag;
    sandbox->org.user_lag_ms = user_lag;
    sandbox->org.user_shape = user_shape;
    sandbox->latency_ms = latency;
    sandbox->dead_cursor = dead_cursor;
    if (strict)
        sandbox->org.strict_reinvite = json_is_true(strict);
    if (json_object_get(body, "rpm") || json_object_get(body, "burst"))
        rate_set(&sandbox->rate, rpm, burst, sandbox_now_ms(sandbox));
    return done();
}

static const struct {
    const char *method, *name;
    struct reply *(*answer)(struct sandbox *sandbox, const struct request *request);
} routes[] = {
    {"GET", "log", show_log},
    {"DELETE", "log", clear_log},
    {"GET", "org", show_org},
    {"POST", "accept", accept_invite},
    {"POST", "expire", expire_invite},
    {"POST", "delete", delete_invites},
    {"POST", "invite", add_invite},
    {"POST", "user", control_add_user},
    {"POST", "change-user", control_change_user},
    {"POST", "remove-user", control_remove_user},
    {"POST", "advance", advance},
    {"POST", "fault", add_fault},
    {"DELETE", "fault", clear_faults},
    {"POST", "settings", change_settings},
};

struct reply *control_answer(struct sandbox *sandbox, const struct request *request)
{
    const char *name = request->path + strlen(CONTROL_PREFIX);
    struct reply *reply = NULL;
    for (size_t i = 0; i < sizeof routes / sizeof *routes && !reply; i++)
        if (strcmp(routes[i].method, request->method) == 0 && strcmp(routes[i].name, name) == 0)
            reply = routes[i].answer(sandbox, request);
    if (!reply)
        reply = control_refuse(404, "no such control route");
    reply_write(reply);
    return reply;
}

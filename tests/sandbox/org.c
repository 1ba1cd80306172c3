/* Invites, and the rules of creating, accepting, expiring and deleting. */
#include "org.h"

#include "base.h"
#include "user.h"

#include <string.h>
#include <strings.h>

void org_init(struct org *org)
{
    *org = (struct org){.id = must(strdup("org-sandbox")),
                        .lifetime = ORG_LIFETIME,
                        .members = must(json_object())};
}

void invite_free(struct invite *invite)
{
    free(invite->id);
    free(invite->email);
    free(invite->role);
    free(invite->status);
    json_decref(invite->projects);
    free(invite);
}

void org_clear(struct org *org)
{
    for (size_t i = 0; i < org->count; i++)
        invite_free(org->invites[i]);
    for (size_t i = 0; i < org->user_count; i++)
        user_free(org->users[i]);
    free(org->invites);
    free(org->users);
    free(org->id);
    json_decref(org->members);
}

struct invite *invite_new(const char *email, const char *role)
{
    struct invite *invite = must(calloc(1, sizeof *invite));
    char text[25];
    random_text(text, 24, "abcdefghijklmnopqrstuvwxyz0123456789");
    invite->id = format("invite-%s", text);
    invite->email = must(strdup(email));
    invite->role = must(strdup(role));
    invite->status = must(strdup("pending"));
    return invite;
}

/* Forgets deleted invites that no listing shows any more. */
static void purge(struct org *org, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < org->count; i++) {
        struct invite *invite = org->invites[i];
        if (invite->deleted && invite->unlisted_ms <= now_ms)
            invite_free(invite);
        else
            org->invites[kept++] = invite;
    }
    org->count = kept;
}

void org_add(struct org *org, struct invite *invite)
{
    if (org->count == org->capacity) {
        org->capacity = org->capacity ? org->capacity * 2 : 64;
        org->invites = must(reallocarray(org->invites, org->capacity, sizeof *org->invites));
    }
    size_t at = org->count++;
    for (; at > 0 && org->invites[at - 1]->created_at > invite->created_at; at--)
        org->invites[at] = org->invites[at - 1];
    org->invites[at] = invite;
}

bool invite_is_for(const struct invite *invite, const char *email)
{
    /* The process keeps the C locale, in which strcasecmp folds ASCII only. */
    return strcasecmp(invite->email, email) == 0;
}

static bool is_past(const struct invite *invite, int64_t now_ms)
{
    return invite->expires && invite->expires_at <= now_ms / 1000;
}

bool invite_is_live(const struct invite *invite, int64_t now_ms)
{
    return strcmp(invite->status, "pending") == 0 && !is_past(invite, now_ms);
}

enum org_answer org_create(struct org *org, int64_t now_ms, const char *email, const char *role,
                           json_t *projects, struct invite **ret_invite)
{
    if (org_is_member(org, email))
        return ORG_ALREADY_MEMBER;
    for (size_t i = 0; i < org->count; i++) {
        const struct invite *other = org->invites[i];
        if (!other->deleted && (org->strict_reinvite || invite_is_live(other, now_ms)) &&
            invite_is_for(other, email))
            return ORG_ALREADY_INVITED;
    }
    struct invite *invite = invite_new(email, role);
    invite->projects = must(json_deep_copy(projects));
    invite->created_at = now_ms / 1000;
    invite->expires = true;
    invite->expires_at = invite->created_at + org->lifetime;
    invite->listed_ms = now_ms + org->lag_ms;
    org_add(org, invite);
    *ret_invite = invite;
    return ORG_DONE;
}

struct invite *org_find(const struct org *org, const char *id)
{
    for (size_t i = 0; i < org->count; i++)
        if (!org->invites[i]->deleted && strcmp(org->invites[i]->id, id) == 0)
            return org->invites[i];
    return NULL;
}

enum org_answer org_delete(struct org *org, int64_t now_ms, struct invite *invite, bool force)
{
    if (!force && strcmp(invite->status, "accepted") == 0)
        return ORG_ALREADY_ACCEPTED;
    invite->deleted = true;
    invite->unlisted_ms = now_ms + org->lag_ms;
    purge(org, now_ms);
    return ORG_DONE;
}

void org_accept(struct org *org, int64_t now_ms, struct invite *invite)
{
    free(invite->status);
    invite->status = must(strdup("accepted"));
    invite->was_accepted = true;
    invite->accepted_at = now_ms / 1000;
    org_join(org, invite, now_ms, org->user_lag_ms);
}

void org_join(struct org *org, const struct invite *invite, int64_t now_ms, int64_t lag_ms)
{
    if (org_is_member(org, invite->email))
        return;
    struct user *user = user_new(invite->email, NULL, invite->role);
    user->added_at = invite->was_accepted ? invite->accepted_at : invite->created_at;
    user->listed_ms = lag_ms > 0 ? now_ms + lag_ms : 0;
    org_add_user(org, user);
}

void org_expire(int64_t now_ms, struct invite *invite)
{
    invite->expires = true;
    invite->expires_at = now_ms / 1000;
}

static json_t *time_or_null(bool given, int64_t seconds)
{
    return given ? json_integer(seconds) : json_null();
}

json_t *org_show(const struct org *org, const struct invite *invite, int64_t now_ms)
{
    const char *status = invite->status;
    if (strcmp(status, "pending") == 0 && is_past(invite, now_ms) && !org->expired_reads_pending)
        status = "expired";
    json_t *object =
        must(json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "object", "organization.invite",
                       "id", invite->id, "email", invite->email, "role", invite->role, "status",
                       status, "created_at", (json_int_t)invite->created_at, "expires_at",
                       time_or_null(invite->expires, invite->expires_at), "accepted_at",
                       time_or_null(invite->was_accepted, invite->accepted_at)));
    if (invite->projects)
        json_object_set_new(object, "projects", must(json_deep_copy(invite->projects)));
    return object;
}

struct invite **org_listing(const struct org *org, int64_t now_ms, size_t *ret_count)
{
    struct invite **listing = must(calloc(org->count + 1, sizeof *listing));
    size_t count = 0;
    for (size_t i = 0; i < org->count; i++) {
        struct invite *invite = org->invites[org->oldest_first ? i : org->count - 1 - i];
        if (invite->listed_ms <= now_ms && (!invite->deleted || invite->unlisted_ms > now_ms))
            listing[count++] = invite;
    }
    *ret_count = count;
    return listing;
}

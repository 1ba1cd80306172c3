/* Invites: status words, liveness, comparison. */
#include "invite.h"

#include <errno.h>
#include <string.h>

const char *invite_status_word(enum invite_status status)
{
    switch (status) {
    case INVITE_PENDING:
        return "pending";
    case INVITE_ACCEPTED:
        return "accepted";
    case INVITE_EXPIRED:
        return "expired";
    case INVITE_STATUS_UNKNOWN:
        break;
    }
    return "unknown";
}

enum invite_status invite_status_parse(const char *word)
{
    if (strcmp(word, "pending") == 0)
        return INVITE_PENDING;
    if (strcmp(word, "accepted") == 0)
        return INVITE_ACCEPTED;
    return strcmp(word, "expired") == 0 ? INVITE_EXPIRED : INVITE_STATUS_UNKNOWN;
}

static bool is_past_expiry(const struct invite *invite, int64_t now)
{
    return invite->expires_at != 0 && invite->expires_at <= now;
}

bool invite_is_live(const struct invite *invite, int64_t now)
{
    return invite->status == INVITE_PENDING && !is_past_expiry(invite, now);
}

bool invite_is_expired(const struct invite *invite, int64_t now)
{
    return invite->status == INVITE_EXPIRED ||
           (invite->status == INVITE_PENDING && is_past_expiry(invite, now));
}

bool invite_is_obscure(const struct invite *invite)
{
    return invite->status == INVITE_STATUS_UNKNOWN || invite->role == ROLE_UNKNOWN;
}

bool invite_grants(const struct invite *invite, enum role role, const struct projects *projects)
{
    if (invite->role != role)
        return false;
    if (!projects->given || !invite->projects.given)
        return true;
    return projects_compare(&invite->projects, projects) == 0;
}

bool invite_newer(const struct invite *a, const struct invite *b)
{
    if (a->created_at != b->created_at)
        return a->created_at > b->created_at;
    return strcmp(a->id, b->id) > 0;
}

int invites_add(struct invites *invites, const struct invite *invite)
{
    if (RESERVE(invites->items, invites->count) < 0)
        return -ENOMEM;
    invites->items[invites->count++] = *invite;
    return 0;
}

void invite_clear(struct invite *invite)
{
    free(invite->id);
    free(invite->email);
    free(invite->role_text);
    free(invite->status_text);
    projects_clear(&invite->projects);
    *invite = (struct invite){0};
}

void invites_clear(struct invites *invites)
{
    for (size_t i = 0; i < invites->count; i++)
        invite_clear(&invites->items[i]);
    free(invites->items);
    *invites = (struct invites){0};
}

/* What is: an invite as the service states it. */
#pragma once

#include <stdint.h>

#include "grant.h"
#include "memory.h"

/* Statuses of the API description (Invite.status). UNKNOWN is any other: tolerated, never acted on.
 */
enum invite_status {
    INVITE_STATUS_UNKNOWN,
    INVITE_PENDING,
    INVITE_ACCEPTED,
    INVITE_EXPIRED,
};

struct invite {
    char *id;
    char *email;
    enum role role;
    enum invite_status status;
    char *role_text; /* the words as the service sent them; NULL when it sent none */
    char *status_text;
    int64_t created_at;  /* seconds since the epoch; 0: not stated */
    int64_t expires_at;  /* seconds since the epoch; 0: not stated, never expires for us */
    int64_t accepted_at; /* seconds since the epoch; 0: not stated */
    struct projects projects;
};

struct invites {
    struct invite *items;
    size_t count;
};

const char *invite_status_word(enum invite_status status);
enum invite_status invite_status_parse(const char *word);

/* Pending and, at `now` (seconds since the epoch), not past its expiry. */
bool invite_is_live(const struct invite *invite, int64_t now);
/* Expired, or pending and past its expiry: the service may still call the latter pending. */
bool invite_is_expired(const struct invite *invite, int64_t now);
/* Whether its status or role is a word we do not know: tolerated, never acted on. */
bool invite_is_obscure(const struct invite *invite);
/* Whether it grants just this. Projects are compared only where both sides state them. */
bool invite_grants(const struct invite *invite, enum role role, const struct projects *projects);
/* Whether `a` is newer than `b`: by creation time, then by id so that the order is total. */
bool invite_newer(const struct invite *a, const struct invite *b);

/* Appends and takes over what the invite owns. Returns 0 or -ENOMEM (nothing is taken then). */
int invites_add(struct invites *invites, const struct invite *invite);
void invite_clear(struct invite *invite);
void invites_clear(struct invites *invites);

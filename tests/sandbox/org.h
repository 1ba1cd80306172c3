/*
 * The organisation: its invites, its users and the rules of both. It knows nothing of HTTP.
 * Times ending in _at are Unix seconds, those ending in _ms milliseconds of the sandbox's clock.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORG_LIFETIME 604800

struct invite {
    char *id, *email, *role, *status; /* role and status are kept as written, even unknown words */
    json_t *projects;                 /* an array, null, or NULL: left out of answers */
    int64_t created_at;
    bool expires, was_accepted; /* false: expires_at, accepted_at read null */
    int64_t expires_at, accepted_at;
    int64_t listed_ms;   /* shows in listings from here on… */
    int64_t unlisted_ms; /* …until here, once deleted */
    bool deleted;        /* kept only until it leaves the listings */
};

struct user;

/* Where an answer states the id, e-mail and name of a user: beside the role, within "user", or in
   both places. */
enum user_shape {
    SHAPE_FLAT,
    SHAPE_NESTED,
    SHAPE_FULL,
    SHAPE_MIXED, /* each user in another; by itself in another than in a listing */
    SHAPE_COUNT
};

struct org {
    char *id;
    int64_t lifetime; /* of a new invite, in seconds */
    bool expired_reads_pending;
    bool strict_reinvite; /* any earlier invite of an address stands in the way of a new one */
    bool oldest_first;
    int64_t lag_ms;
    int64_t user_lag_ms; /* from an acceptance until listings show the user */
    enum user_shape user_shape;
    struct invite **invites; /* oldest first; those of one second as they came */
    size_t count, capacity;
    struct user **users; /* in the same order */
    size_t user_count, user_capacity, users_ever;
    json_t *members; /* folded address → how many users have it */
};

/* What stood in the way of a change; ORG_DONE when nothing did. */
enum org_answer {
    ORG_DONE,
    ORG_ALREADY_INVITED,
    ORG_ALREADY_MEMBER,
    ORG_ALREADY_ACCEPTED,
    ORG_LAST_OWNER,
    ORG_SERVICE_ACCOUNT,
    ORG_SCIM_MANAGED
};

void org_init(struct org *org);
void org_clear(struct org *org);

/* A pending invite with a fresh id that is in no organisation yet; the caller owns it. */
struct invite *invite_new(const char *email, const char *role);
void invite_free(struct invite *invite);

/* Puts an invite into its place by created_at and takes it over. No rule is applied. */
void org_add(struct org *org, struct invite *invite);

/* A new invite by the rules of the API. `projects` is borrowed. *ret_invite is set on ORG_DONE. */
enum org_answer org_create(struct org *org, int64_t now_ms, const char *email, const char *role,
                           json_t *projects, struct invite **ret_invite);

/* The invite of this id, also when listings do not show it yet; NULL if missing or deleted. */
struct invite *org_find(const struct org *org, const char *id);

/* Deletes by the rules of the API; `force` deletes accepted ones too. */
enum org_answer org_delete(struct org *org, int64_t now_ms, struct invite *invite, bool force);

/* The changes that other people make. They apply to any invite; callers check that it is live. */
void org_accept(struct org *org, int64_t now_ms, struct invite *invite);
void org_expire(int64_t now_ms, struct invite *invite);

/* Whether a user has this address. */
bool org_is_member(const struct org *org, const char *email);
/* Makes a user out of an accepted invite, unless its address has one. Listings lag by `lag_ms`. */
void org_join(struct org *org, const struct invite *invite, int64_t now_ms, int64_t lag_ms);

bool invite_is_for(const struct invite *invite, const char *email);
/* Pending and not past its expiry. */
bool invite_is_live(const struct invite *invite, int64_t now_ms);

/* The documented object. The caller owns it; it shares nothing with the organisation. */
json_t *org_show(const struct org *org, const struct invite *invite, int64_t now_ms);

/* What a listing shows now, in its order: an array of *ret_count borrowed invites to free(). */
struct invite **org_listing(const struct org *org, int64_t now_ms, size_t *ret_count);

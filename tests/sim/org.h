/*
 * The model organisation: what the service holds, when its listings show it, and whom it has
 * mailed. It shares no decision with the product; times are microseconds of its own true clock.
 */
#pragma once

#include "chance.h"
#include "core/call.h"

#define SIM_SECOND UINT64_C(1000000)
/* The service's clock at true time 0. */
#define SIM_EPOCH INT64_C(1700000000)
#define SIM_NEVER UINT64_MAX

/* What nobody knows of the service (each life draws its own). */
struct org_habits {
    bool newest_first;    /* order of the listing */
    size_t page_size;     /* at most; it may be less than what was asked for */
    bool refuses_pending; /* a create for an address with a live invite: refused, or one more */
    bool insists;         /* a create for an address with an expired invite is refused */
    bool lowers_case;     /* addresses read lower-case */
    bool calls_pending;   /* an invite past its expiry still reads pending */
    bool hides_projects;  /* listings leave `projects` out */
    bool hides_accepted;  /* invites lack `accepted_at` */
    bool hides_added;     /* users lack `added_at` */
    bool refuses_left;    /* a create for somebody who accepted once and left is refused */
    unsigned dead_cursor; /* status 404 or 400; 0: an empty page; 1: starts from the top */
    uint64_t lag;         /* how long a listing may lag behind a write, at most */
    uint64_t lifetime;    /* of an invite */
    uint64_t token_every; /* one request in that time; 0: no rate limit */
    unsigned burst;
    bool says_wait; /* a 429 carries Retry-After */
};

enum org_hand {
    HAND_NONE,
    HAND_OURS,
    HAND_OTHER
};

struct org_invite {
    struct invite invite; /* status: as it is */
    uint64_t made_at, shows_at;
    uint64_t gone_at, hides_at; /* SIM_NEVER: there */
    enum org_hand gone_by;
    enum invite_status status_before; /* what listings show until status_shows_at */
    uint64_t status_shows_at;
    bool ours; /* made by a create of the product */
};

struct org_user {
    struct user user;
    uint64_t shows_at;
    uint64_t gone_at, hides_at; /* SIM_NEVER: there */
    struct user before;         /* what listings show until change_shows_at */
    uint64_t change_shows_at;
    char **was; /* addresses that the user had before */
    size_t was_count;
    enum role set; /* what our last set-role made of it; UNKNOWN: there was none */
};

/* One e-mail that the service sent for the product. */
struct org_mail {
    char *email;
    enum role role;
    struct projects projects;
    size_t invite;  /* index */
    unsigned epoch; /* which ledger it was sent under */
};

struct org {
    struct org_habits habits;
    struct chance *chance;
    uint64_t now;
    struct org_invite *invites;
    size_t count;
    struct org_user *users;
    size_t user_count;
    struct org_mail *mails;
    size_t mail_count;
    unsigned epoch;
    unsigned made, joined;
    uint64_t tokens_at; /* when the bucket was full but for what was taken */
    double tokens;
};

void org_init(struct org *org, struct chance *chance);
void org_clear(struct org *org);

int64_t org_date(const struct org *org);
/* The invite with that id that is there, or NULL. */
struct org_invite *org_find(struct org *org, const char *id);
bool org_is_live(const struct org *org, const struct org_invite *invite);
/* Whether a listing at `at` shows it. */
bool org_shows(const struct org_invite *invite, uint64_t at);

/* Adds an invite that is shown from `shows_at`; `projects` is copied. */
struct org_invite *org_add(struct org *org, const char *email, enum role role,
                           const struct projects *projects, uint64_t shows_at);
void org_remove(struct org *org, struct org_invite *invite, enum org_hand hand);
/* An invite that turns accepted makes a user, unless the address has one. */
void org_turn(struct org *org, struct org_invite *invite, enum invite_status status);

/* The user with that id, or with that address, that is there, or NULL. */
struct org_user *org_find_user(struct org *org, const char *id);
struct org_user *org_user_of(struct org *org, const char *email);
/* Whether a listing at `at` shows it. */
bool org_shows_user(const struct org_user *user, uint64_t at);
/* Whether it is a person, and there. */
bool org_is_person(const struct org_user *user);
/* People that own the organisation, as it is. */
size_t org_count_owners(const struct org *org);
/* Adds a user that is shown from `shows_at`; `email` NULL: it has none. */
struct org_user *org_add_user(struct org *org, const char *email, enum role role,
                              uint64_t shows_at);
/* To be called before a user is changed: listings go on showing what it was for a while. */
void org_touch_user(struct org *org, struct org_user *user);
/* Gives it another address; `email` NULL: none. */
void org_rename_user(struct org *org, struct org_user *user, const char *email);
void org_remove_user(struct org *org, struct org_user *user);

/* Whether the rate limit takes a request now; *ret_wait: until it would. */
bool org_admits(struct org *org, uint64_t *ret_wait);
/* Carries out the request and writes what the service answers. */
void org_serve(struct org *org, const struct request *request, struct answer *answer);
/* An answer of that status and no effect. */
void org_refuse(struct answer *answer, int status);

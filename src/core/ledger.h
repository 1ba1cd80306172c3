/*
 * The memory of writes: what was sent, what is known of it, and how often a wish was mailed.
 *
 * A wish is one address with its declared role and projects. Times called `at` are microseconds of
 * CLOCK_BOOTTIME of the boot named in `boot`: they do not move when somebody sets the clock.
 */
#pragma once

#include "listing.h"

enum create_state {
    CREATE_NONE,     /* nothing under way: never sent, or shown not to have happened */
    CREATE_BEGUN,    /* written down before sending; after a crash: perhaps sent */
    CREATE_UNKNOWN,  /* sent, and given up on without an answer */
    CREATE_ANSWERED, /* the service answered with an invite id, or a listing showed it */
    CREATE_REFUSED,  /* the service refused it, and no such invite was there afterwards */
};

/* An invite that we deleted to make room for another one: what to restore if that is refused. */
struct lost_invite {
    char *id; /* NULL: none */
    enum role role;
    struct projects projects;
};

struct ledger_wish {
    char *email;
    enum role role;
    struct projects projects;
    enum create_state state;
    uint64_t at;        /* when the state was reached */
    int64_t wall;       /* the same by the service's clock, seconds: what its dates compare with */
    char *invite_id;    /* ANSWERED: what was created; else what there was before; may be NULL */
    bool seen;          /* a listing has shown that invite */
    unsigned mailed;    /* how many creates are known to have happened */
    int refused_status; /* REFUSED: the HTTP status */
    struct lost_invite lost;
};

struct ledger_deletion {
    char *invite_id; /* or a user's */
    uint64_t at;
};

/*
 * An owner whom a write of ours took, or may have taken, the role or the membership. Until settle
 * has passed, a listing that shows an owner proves nothing.
 */
struct ledger_deposed {
    char *id;
    uint64_t at; /* when the last such write was begun, or what came of it known */
    bool begun;  /* written down before sending; after a crash: perhaps sent */
};

/* A user as complete listings have shown them. */
struct ledger_user {
    char *id;
    char *email;         /* the address by which the file knows them */
    unsigned passes;     /* complete passes in a row that saw them undeclared */
    uint64_t undeclared; /* microseconds for which they were watched, and undeclared */
    uint64_t at;         /* when they were last seen so, by `observer` */
};

struct ledger {
    char *base_url;              /* the organisation it belongs to; NULL until the first pass */
    char *organization;          /* its `openai-organization` answer header; NULL: never sent one */
    char *boot;                  /* id of the boot that `at` times belong to */
    struct ledger_wish **wishes; /* sorted by wish */
    size_t wish_count;
    struct ledger_deletion *deletions;
    size_t deletion_count;
    struct ledger_deposed *deposed;
    size_t deposed_count;
    long long live;            /* live invites in the last complete listing; -1: none yet */
    struct ledger_user *users; /* sorted by id; those with an address */
    size_t user_count;
    char *observer;          /* id of the process that saw them last; NULL: none that goes on */
    long long people;        /* users that are people in the last complete listing; -1: none yet */
    unsigned approvals_used; /* part of the next approval id, so that each is good for one use */
    bool dirty;              /* differs from what was last saved */
    bool owes_save;          /* and so much so that nothing may be written before it is saved */
    bool suspect;            /* a damaged ledger was set aside: write nothing before settle */
    uint64_t suspect_at;
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger *, ledger_free)

/*
 * Adopts what another process, or another boot, left: a create that it had begun is now UNKNOWN as
 * of `now`, and times of another boot, or from the future, become `now`, which only makes us wait
 * longer. Returns 0 or -ENOMEM.
 */
int ledger_adopt(struct ledger *ledger, const char *boot, uint64_t now);

/* The entry of a wish, or NULL. */
struct ledger_wish *ledger_find(const struct ledger *ledger, const char *email, enum role role,
                                const struct projects *projects);
/* The same, added when missing; NULL when memory is short. It stays where it is until forgotten. */
struct ledger_wish *ledger_take(struct ledger *ledger, const char *email, enum role role,
                                const struct projects *projects);
/* The wishes of one address are neighbours: the first, and in *ret_count how many. */
struct ledger_wish **ledger_of_address(const struct ledger *ledger, const char *email,
                                       size_t *ret_count);
/* The wish whose create was answered with this invite id, or NULL. */
struct ledger_wish *ledger_find_invite(const struct ledger *ledger, const char *invite_id);

/* Whether the outcome of some create for this address is open. */
bool ledger_is_open(const struct ledger *ledger, const char *email);

/* Remembers that an invite was deleted at `at`. Returns 0 or -ENOMEM. */
int ledger_deleted(struct ledger *ledger, const char *invite_id, uint64_t at);
/* Whether it was deleted less than `settle` before `begun`: a listing may still show it. */
bool ledger_hides(const struct ledger *ledger, const char *invite_id, uint64_t begun,
                  uint64_t settle);

/* Remembers, or stamps again, that an owner is being deposed. Returns 0 or -ENOMEM. */
int ledger_depose(struct ledger *ledger, const char *id, uint64_t at, bool begun);
/* Whether that was less than `settle` before `begun`: a listing may still show an owner. */
bool ledger_deposes(const struct ledger *ledger, const char *id, uint64_t begun, uint64_t settle);

/*
 * What a complete listing, begun at `begun`, says about the open creates: shown ones become
 * ANSWERED, and those given up on at least `settle` before it that it lacks become NONE, unless the
 * address has an invite of a status or role that is not known.
 * `now` is the listing's date, seconds since the epoch.
 */
int ledger_settle(struct ledger *ledger, const struct listing *listing, uint64_t begun,
                  uint64_t settle, int64_t now);

/* Drops deletions and the deposed older than `settle`, and wishes without a write for 400 days
 * before `wall`. */
void ledger_forget(struct ledger *ledger, uint64_t now, uint64_t settle, int64_t wall);

/* The user, or NULL. */
const struct ledger_user *ledger_find_user(const struct ledger *ledger, const char *id);
/*
 * How much longer (microseconds) the user has to be seen undeclared before they may be removed; 0:
 * at least two complete passes have seen them so, over `remove_after` of watching.
 */
uint64_t ledger_removal_due(const struct ledger *ledger, const char *id, uint64_t remove_after);

/* From now on the user is one who was not seen undeclared yet; NULL: all are. */
void ledger_unwatch(struct ledger *ledger, const char *id);

/* Changes the state and stamps it. */
void ledger_mark(struct ledger_wish *wish, enum create_state state, uint64_t at, int64_t wall);
/* Moves a loss that another wish of the same address still has to this one. */
void ledger_inherit_loss(struct ledger *ledger, struct ledger_wish *wish);
/*
 * Drops losses that nobody waits for: older than a day at `now`, or of an address that
 * `is_declared` (called with `context`) denies.
 */
void ledger_drop_losses(struct ledger *ledger, int64_t now,
                        bool (*is_declared)(const char *email, const void *context),
                        const void *context);
/* Sets what a replacement takes away (NULL clears it). Returns 0 or -ENOMEM. */
int ledger_lose(struct ledger_wish *wish, const struct invite *invite);

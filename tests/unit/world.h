/*
 * A service, a disk and a clock in memory, which drive a pass to its end without sleeping. What
 * must hold for every pass is checked at each request; a test says only what is special.
 */
#pragma once

#include "people.h"

#include "core/pass.h"

#define SECOND UINT64_C(1000000)
#define SETTLE (60 * SECOND)

struct world;

/* Something that goes wrong with a request, once per `times`. */
struct fault {
    enum call call;
    const char *who; /* address of a create, id of an invite or user, cursor of a list; NULL: any */
    enum role role;  /* of a create; UNKNOWN: any */
    unsigned skip;   /* so many such requests go well first */
    unsigned times;  /* 0 stands for 1 */
    enum answer_kind kind;
    int status;
    bool happens; /* the service does what was asked, and only the answer is bad */
    bool hopeless;
    uint64_t retry_after;         /* 0 stands for PACE_NEVER */
    void (*then)(struct world *); /* also done when it strikes; may be NULL */
};

struct stored {
    struct invite invite;
    uint64_t made_at;
    uint64_t gone_at; /* 0: there */
};

struct stored_user {
    struct user user;
    uint64_t gone_at; /* 0: there */
    bool looked;      /* somebody looked at this user, and nobody wrote to them since */
    enum role before; /* what a listing that lags still shows */
    uint64_t changed_at;
};

struct under_way {
    struct answer answer;
    uint64_t due;
    char *creates; /* the address, if it is a create */
};

struct open_create {
    char *email;
    uint64_t given_up_at;
};

struct world {
    struct pass_params params;
    struct members members;
    struct ledger *ledger, *durable;
    struct limits limits;
    struct pace pace;
    struct instant now;
    struct pass *pass;

    struct stored *stored;
    size_t stored_count;
    struct stored_user *users; /* empty: whoever has accepted is taken for a member */
    size_t user_count;
    const char *mistaken; /* whom a look at a user shows instead; NULL: the user */
    void (*before)(struct world *world, const struct request *request); /* of each; may be NULL */
    unsigned made;
    uint64_t lag, latency;
    int64_t date_behind; /* the service's clock behind the host's, seconds */
    bool insists;        /* refuses a create while an expired invite of the address is there */
    const char *organization;
    struct fault faults[16];
    size_t fault_count;

    struct under_way *under_way;
    size_t under_way_count;
    unsigned in_flight_most;
    struct open_create *open;
    size_t open_count;
    uint64_t list_begun;
    bool save_failed;
    unsigned saves, fail_save; /* which save fails, from 1; 0: none */
    char **mails;              /* one entry a mail: "ada@x reader -" */
    size_t mail_count;

    unsigned steps;
    unsigned stop_at, kill_at; /* before that step, from 1; 0: never */
    bool kill_unsent;          /* what the last step before the kill asked for never went out */
    bool plan_only;
    char *log; /* what was asked for, a line each */
    uint64_t *sent_at;
    size_t sent_count;
};

struct world *world_new(void);
void world_free(struct world *world);
DEFINE_CLEANUP(struct world *, world_free)

void world_declare(struct world *world, const char *email, const char *role, const char *projects);
void world_undeclare(struct world *world);
/* An invite that was there long ago. */
void world_invite(struct world *world, const char *id, const char *email, const char *role,
                  const char *status, const char *projects);
/* A user who was there long ago; what is returned may be changed, until there are more. */
struct user *world_user(struct world *world, const char *id, const char *email, const char *role);
void world_fault(struct world *world, struct fault fault);
/* Accepts, expires or removes an invite behind our back. */
void world_turn(struct world *world, const char *id, enum invite_status status);
void world_remove(struct world *world, const char *id);

/* Runs one pass from the ledger in memory. False when it was killed. */
bool world_pass(struct world *world);
/* Forgets all but the disk, as a new process of the same boot would. */
void world_restart(struct world *world);

/* How the last pass ended, and what came of each line but the kept ones. */
void assert_ended(struct world *world, enum pass_end end, const char *lines);
/* What was asked for since the last time. */
void assert_log(struct world *world, const char *expected);
/* Mails that went to the address. */
unsigned world_mails(const struct world *world, const char *email);
/* The most mails that any one wish got. */
unsigned world_most_mails(const struct world *world);
/* The live invites: "email role projects", a line each, sorted. */
void assert_there(const struct world *world, const char *expected);
/* The users: "id email role", a line each, in the order in which they came. */
void assert_users(const struct world *world, const char *expected);
/* A wish of the ledger in memory: "state mailed seen id". */
void assert_wish(const struct world *world, const char *email, const char *role,
                 const char *projects, const char *expected);

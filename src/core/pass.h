/*
 * One pass: list, plan, write, look again. A state machine without I/O, clock or randomness: it
 * says what it wants next, and is told what came of it. The program's driver and the simulator
 * drive the same code.
 */
#pragma once

#include "call.h"
#include "pace.h"
#include "plan.h"

/* The time, as the driver sees it. */
struct instant {
    uint64_t boot; /* microseconds of CLOCK_BOOTTIME */
    int64_t wall;  /* seconds since the epoch */
};

struct pass_params {
    const struct members *members; /* borrowed */
    struct ledger *ledger;         /* borrowed and changed; adopted by this boot already */
    struct pace *pace;             /* borrowed; outlives the pass, so that what it learned stays */
    const struct limits *limits;   /* borrowed */
    bool create_only;
    enum users_mode users_mode;
    uint64_t remove_after; /* microseconds that a user has to be watched undeclared */
    uint64_t watch_gap;    /* microseconds between two listings that still count as one watch */
    const char *observer;  /* id of a process that makes many passes; NULL: of this one alone */
    uint64_t settle;       /* microseconds */
    unsigned concurrency;  /* requests in flight at most */
    const char *base_url;  /* what the organisation is known by; borrowed */
    const char *approval;  /* id of the blocked plan that may be carried out; NULL: none */
    char *(*digest)(const char *text); /* the id of a text; the caller owns it, NULL: no memory */
};

enum pass_want {
    PASS_WANTS_REQUEST, /* send step.request and answer it with pass_answer() */
    PASS_WANTS_SAVE,    /* make the ledger durable and report with pass_saved() */
    PASS_WANTS_TIME,    /* nothing to do before step.until, or before an answer if that is NEVER */
    PASS_PLANNED,       /* the plan is there; stop here, or call pass_next() to carry it out */
    PASS_ENDED,         /* nothing more; see pass_end() */
};

struct pass_step {
    enum pass_want want;
    struct request request;
    uint64_t until; /* on instant.boot; PACE_NEVER */
};

enum pass_end {
    PASS_GOING_ON,
    PASS_DONE,    /* the whole plan was tried; the lines say with what result */
    PASS_FAILED,  /* given up; pass_error() says why and what to do */
    PASS_STOPPED, /* pass_stop() was called */
};

struct pass;

/* Returns NULL when memory is short. */
struct pass *pass_new(const struct pass_params *params);
void pass_free(struct pass *pass);
DEFINE_CLEANUP(struct pass *, pass_free)

/* What the pass wants at this time. Ask again after each event, and until it wants time. */
struct pass_step pass_next(struct pass *pass, const struct instant *now);
/* The answer to a request. Takes over what it owns. */
void pass_answer(struct pass *pass, struct answer *answer, const struct instant *now);
/* Whether the ledger is durable now: 0, or a negative errno after which nothing more is begun. */
void pass_saved(struct pass *pass, int result);
/*
 * No new write is started; writes in flight, and replacements that have deleted already, get
 * their answers.
 */
void pass_stop(struct pass *pass);

enum pass_end pass_end(const struct pass *pass);
/* Why it failed, for people, with what to do; NULL when it did not. */
const char *pass_error(const struct pass *pass);
/* NULL until planned. Results fill in while the pass goes on. Owned by the pass. */
const struct plan *pass_plan(const struct pass *pass);
/* The first listing of invites, complete once planned. */
const struct listing *pass_listing(const struct pass *pass);
/* The listing of users, complete once planned; NULL where they are not listed. */
const struct listing *pass_users(const struct pass *pass);
/* The listing's date, seconds since the epoch; *ret_stated says whether the service stated it. */
int64_t pass_date(const struct pass *pass, bool *ret_stated);
/* Requests sent so far. */
unsigned pass_requests(const struct pass *pass);
/* Answers of 429 so far. */
unsigned pass_limited(const struct pass *pass);
/* Whether an approval was given and does not fit what is blocked. */
bool pass_approval_misfits(const struct pass *pass);
/* The line that a request with this tag belongs to; NULL for a page of a listing. */
const struct line *pass_line(const struct pass *pass, unsigned tag);
/* What it waits for while it wants time, as a phrase: "for the listing to settle". */
const char *pass_waits_for(const struct pass *pass);
/* How many writes were started or are waiting for a second look; for progress lines. */
size_t pass_writes_open(const struct pass *pass);

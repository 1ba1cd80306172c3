/*
 * The writes of one pass: each line of the plan that is carried out, from its first request to its
 * result. Part of core/pass, which decides when; this decides what.
 */
#pragma once

#include "pass.h"

enum write_stage {
    WRITE_WAITING,   /* nothing was done for it yet */
    WRITE_RECORDING, /* its create is in the ledger, which is not durable yet */
    WRITE_READY,     /* `next` may be sent */
    WRITE_IN_FLIGHT, /* `next` was sent */
    WRITE_OPEN,      /* nobody knows whether a create happened: a listing must show */
    WRITE_REFUSED,   /* a create was refused: a listing must show how things stand */
    WRITE_ENDED,
};

struct write {
    struct line *line;
    enum write_stage stage;
    enum call next;
    struct ledger_wish *wish;    /* what is being created: the line's wish, or the one restored */
    struct ledger_wish *refused; /* restoring: the wish that was refused, and whose `lost` it is */
    const struct invite *old;    /* what is deleted: replaced, revoked, or expired and in the way */
    bool cleared;                /* the old invite of a replacement is gone */
    bool restoring;              /* creating the old invite again */
    bool delete_doubtful;        /* the delete of `old` did not answer that it is gone */
    bool user_doubtful;          /* the write to the user did not answer that it is done */
    bool user_unanswered;        /* it had no answer at all: perhaps it is done */
    unsigned failures;           /* deletes and looks of this write that got no answer */
    uint64_t sent_at;
    bool held_up;       /* the removal was turned away, or has to wait: it will be sent later */
    uint64_t looked_at; /* when the look at the user to be removed was sent */
};

struct writes {
    struct write *items;
    size_t count;
    size_t ended; /* the first so many have ended */
};

/* What a write's step needs to know of the pass. */
struct write_context {
    struct ledger *ledger;
    const struct listing *listing; /* the newest complete one */
    const struct limits *limits;
    const struct instant *now;
    int64_t date; /* of that listing */
    int64_t wall; /* now, by the service's clock */
    bool create_only;
};

/* One write for each line that is neither blocked nor only shown. Returns 0 or -ENOMEM. */
int writes_init(struct writes *writes, struct plan *plan);
void writes_clear(struct writes *writes);

/*
 * The next write to go on with: those under way first, then, unless `only_committed`, those that
 * wait, in order. With `only_committed`, only replacements whose old invite is gone already.
 * NULL when there is none.
 */
struct write *writes_pick(struct writes *writes, bool only_committed);

/*
 * Puts the wish into the ledger as BEGUN, or the owner as deposed, and the write to RECORDING; to
 * READY if it does neither. Returns 0, or -ENOMEM.
 */
int write_begin(struct write *write, const struct write_context *context);
/* Nothing is sent for a while: removals that are ready have to wait, as if turned away. */
void writes_hold_up(struct writes *writes);
/*
 * To be called right before it is sent: where a removal was turned away, and the look at the user
 * is not fresh any more, it looks again. Ends the write where that happens too often.
 */
void write_freshen(struct write *write, uint64_t now);
/* The request for its next call. */
struct request write_request(const struct write *write, unsigned tag);
/*
 * Takes in the answer to its request. Afterwards the write is READY or RECORDING for the
 * next call, OPEN or REFUSED for a second look, or ENDED.
 */
void write_answered(struct write *write, struct answer *answer, const struct write_context *c);
/* What the second listing says about an OPEN or REFUSED write: ended, or WAITING to be sent once.
 */
void write_looked(struct write *write, const struct write_context *context);
/* Ends it where it stands, because the pass ends; `why` completes "not …: why". */
void write_give_up(struct write *write, const char *why, const struct write_context *context);

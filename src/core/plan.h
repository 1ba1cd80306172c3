/* The difference between what is and what should be: one verdict a person, each with its reason. */
#pragma once

#include "ledger.h"
#include "limits.h"
#include "listing.h"
#include "member.h"

/* In the order in which they are written; then what is only shown. */
enum action {
    ACTION_INVITE,
    ACTION_RENEW,
    ACTION_REPLACE,
    ACTION_REVOKE,
    ACTION_ATTENTION,
    ACTION_KEEP,
};

enum reason {
    REASON_IGNORED,
    REASON_UNKNOWN_STATUS,
    REASON_NOT_INVITED,
    REASON_PENDING,
    REASON_ROLE_DIFFERS,
    REASON_PROJECTS_DIFFER,
    REASON_NOT_AS_SENT,
    REASON_DUPLICATE,
    REASON_MEMBER,
    REASON_ACCEPTED_ROLE_DIFFERS,
    REASON_INVITE_EXPIRED,
    REASON_RENEWALS_EXHAUSTED,
    REASON_CREATE_REFUSED,
    REASON_UNDECLARED,
    REASON_MEMBERSHIP_ENDED,
    REASON_ACCEPTED_UNDECLARED,
    REASON_EXPIRED_UNDECLARED,
};

enum result {
    RESULT_NONE, /* not written: a plan only, or a line that needs no write */
    RESULT_DONE,
    RESULT_FAILED,
    RESULT_BLOCKED,
    RESULT_SKIPPED, /* never started */
    RESULT_UNKNOWN, /* sent, and nobody knows yet */
};

struct line {
    enum action action;
    enum reason reason;
    const char *email; /* as declared, else as the service has it */
    enum role role;    /* what it will be, or what it is if nothing is declared */
    const struct projects *projects;
    const struct member *member; /* NULL: not declared */
    const struct invite *invite; /* the invite in question; NULL: none */
    bool held;                   /* an earlier create is open: look again before writing */
    bool first_clear;            /* a duplicate to be revoked before its person's replacement */
    unsigned blocked_by;         /* bits of enum limit */
    /* What came of it. */
    enum result result;
    char *error;
    char *request_id;
    char *invite_id; /* of the invite that was made, or found to be there */
    int status;
};

struct plan {
    struct line *lines; /* in the order in which they are written, then attention, then keep */
    size_t count;
    size_t live; /* live invites in the listing */
    struct limit_excess excess[LIMIT_COUNT];
    size_t excess_count;
    bool approved;          /* an approval lifted the limits */
    char *approval;         /* the id that would lift them; NULL when nothing is blocked */
    struct invites assumed; /* invites that the ledger knows of and the listing lacks */
};

struct plan_inputs {
    const struct members *members;
    const struct listing *listing; /* complete */
    const struct ledger *ledger;
    const struct limits *limits;
    bool create_only;
    uint64_t begun;  /* when the listing was begun, on the ledger's clock */
    uint64_t settle; /* microseconds */
    int64_t now;     /* the listing's date, seconds since the epoch */
    int64_t wall;    /* the host's date, seconds since the epoch */
};

/* Design §4, limits included. The plan borrows from its inputs. Returns 0 or -ENOMEM. */
int plan_build(const struct plan_inputs *inputs, struct plan **ret);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

/* Stable words of the contract. */
const char *action_word(enum action action);
const char *reason_word(enum reason reason);
const char *result_word(enum result result);

/* Whether the action, if carried out, sends the person an e-mail. */
bool action_mails(enum action action);
/* Whether the action is a write at all. */
bool action_writes(enum action action);

/* Lines of that action. */
size_t plan_count(const struct plan *plan, enum action action);
/* Lines that a limit holds back. */
size_t plan_count_blocked(const struct plan *plan);
/* Lines of that result. */
size_t plan_count_result(const struct plan *plan, enum result result);
/* Whether nothing is to be written. */
bool plan_in_sync(const struct plan *plan);

/*
 * Everything that an approval id stands for, as text to be digested: the organisation, how many
 * approvals were used before, and each blocked action. The caller owns it; NULL: no memory.
 */
char *plan_blocked_text(const struct plan *plan, const struct ledger *ledger);
/* Lifts every limit. */
void plan_approve(struct plan *plan);

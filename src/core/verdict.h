/* The verdict on one person: the table of design §4, row by row. */
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
    bool approved;               /* was blocked, and an approval has lifted that */
    /* What came of it. */
    enum result result;
    char *error;
    char *request_id;
    char *invite_id; /* of the invite that was made, or found to be there */
    int status;
};

struct lines {
    struct line *items;
    size_t count;
};

/* Stable words of the contract. */
const char *action_word(enum action action);
const char *reason_word(enum reason reason);
const char *result_word(enum result result);

/* Whether the action, if carried out, sends the person an e-mail. */
bool action_mails(enum action action);
/* Whether the action is a write at all. */
bool action_writes(enum action action);

/* What all verdicts of one plan are judged by. */
struct plan_inputs {
    const struct members *members;
    const struct listing *listing; /* complete */
    const struct ledger *ledger;
    const struct limits *limits;
    bool create_only;
    uint64_t begun;  /* when the listing was begun, on the ledger's clock */
    uint64_t settle; /* microseconds */
    int64_t now;     /* the listing's date, seconds since the epoch */
};

/* An invite, and the wish of ours that made it, if one did. */
struct sighting {
    const char *address; /* whom it belongs to: the wish's address where one made it */
    const struct invite *invite;
    const struct ledger_wish *ours;
    bool assumed; /* only the ledger knows of it: no listing shows it yet, or any more */
};

/* Everything known about one address. */
struct person {
    const char *address;
    const struct member *member;      /* NULL: not declared */
    const struct sighting *sightings; /* all invites of this address */
    size_t count;
};

/* Appends the person's lines, unordered and unlimited. Returns 0 or -ENOMEM. */
int verdict_on(const struct plan_inputs *inputs, const struct person *person, struct lines *lines);

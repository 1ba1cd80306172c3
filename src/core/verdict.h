/* The verdict on one person: the table of design §4, row by row. */
#pragma once

#include "ledger.h"
#include "limits.h"
#include "listing.h"
#include "member.h"

/* Seconds within which who accepts shows among the users, and a member's invite as accepted. */
#define ACCEPTANCE_SHOWS_SECONDS 3600

/* In the order in which they are written; then what is only shown. */
enum action {
    ACTION_INVITE,
    ACTION_RENEW,
    ACTION_REPLACE,
    ACTION_REVOKE,
    ACTION_SET_ROLE,
    ACTION_REMOVE,
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
    REASON_MEMBERSHIP_NOT_BEGUN,
    /* Where users are listed: */
    REASON_ALREADY_MEMBER,
    REASON_MEMBER_LEFT,
    REASON_USER_ROLE_DIFFERS,
    REASON_USER_UNDECLARED,
    REASON_REMOVAL_DUE,
    REASON_EMAIL_CHANGED,
    REASON_SERVICE_ACCOUNT,
    REASON_SCIM_MANAGED,
    REASON_NO_EMAIL,
    REASON_PROTECTED,
    REASON_LAST_OWNER,
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
    const char *email; /* as declared, else as the service has it; a user id where it has none */
    enum role role;    /* what it will be, or what it is if nothing is declared */
    const struct projects *projects;
    const struct member *member; /* NULL: not declared */
    const struct invite *invite; /* the invite in question; NULL: none */
    const struct user *user;     /* the user in question; NULL: none */
    uint64_t due_in;             /* REMOVAL_DUE: microseconds of observation that are missing */
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
/* The same as a key of JSON: "set_role". */
const char *action_key(enum action action);
const char *reason_word(enum reason reason);
const char *result_word(enum result result);

/* Whether the action, if carried out, sends the person an e-mail. */
bool action_mails(enum action action);
/* Whether the action is about a user, not an invite. */
bool action_concerns_user(enum action action);
/* Whether the action is a write at all. */
bool action_writes(enum action action);

/* What all verdicts of one plan are judged by. */
struct plan_inputs {
    const struct members *members;
    const struct listing *listing; /* of invites, complete */
    const struct listing *users;   /* of users, complete; NULL: they are not listed */
    enum users_mode users_mode;
    uint64_t remove_after; /* microseconds of observation after which a user may be removed */
    const struct ledger *ledger;
    const struct limits *limits;
    bool create_only;
    uint64_t begun;       /* when the listing of invites was begun, on the ledger's clock */
    uint64_t users_begun; /* the same of users: one of the two may have had to start over */
    uint64_t settle;      /* microseconds */
    int64_t now;          /* the listing's date, seconds since the epoch */
};

/* An invite, and the wish of ours that made it, if one did. */
struct sighting {
    const char *address; /* whom it belongs to: the wish's address where one made it */
    const struct invite *invite;
    const struct ledger_wish *ours;
    bool assumed; /* only the ledger knows of it: no listing shows it yet, or any more */
};

/* A user, and whom the join takes them for. */
struct acquaintance {
    const char *address; /* the file's, where only the e-mail at the service has changed */
    const struct user *user;
};

/* Everything known about one address. */
struct person {
    const char *address;
    const struct member *member;      /* NULL: not declared */
    const struct sighting *sightings; /* all invites of this address */
    size_t count;
    const struct acquaintance *users; /* all users of this address */
    size_t user_count;
    bool may_be_nameless; /* some user states no e-mail, and nobody knows whose that is */
};

/* Appends the line on one of the person's users. Returns 0 or -ENOMEM. */
int verdict_on_user(const struct plan_inputs *inputs, const struct person *person,
                    const struct user *user, struct lines *lines);
/*
 * Whether the user is one whom the file does not want, so that the time until their removal runs:
 * a person with an address, neither ignored nor protected, and not managed by somebody else.
 */
bool verdict_counts_as_undeclared(const struct members *members, const struct user *user,
                                  int64_t now);
/* Appends the person's lines, unordered and unlimited. Returns 0 or -ENOMEM. */
int verdict_on(const struct plan_inputs *inputs, const struct person *person, struct lines *lines);

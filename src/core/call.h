/* The calls that a pass makes and what can come of them, without the wire. */
#pragma once

#include "listing.h"

enum call {
    CALL_LIST,
    CALL_CREATE,
    CALL_RETRIEVE,
    CALL_DELETE,
    CALL_LIST_USERS,
    CALL_RETRIEVE_USER,
    CALL_SET_ROLE,
    CALL_DELETE_USER,
};
#define CALLS (CALL_DELETE_USER + 1)

/* "list", "create", "retrieve", "delete" (of invites), "list-users", "retrieve-user", "set-role",
   "delete-user". */
const char *call_word(enum call call);

/* Whether the call changes anything at the service. */
bool call_writes(enum call call);

/* A request to be made. It borrows everything; use it before the next step of the pass. */
struct request {
    enum call call;
    unsigned tag;                    /* comes back with the answer */
    const char *cursor;              /* LIST, LIST_USERS: after this id; NULL: the first page */
    const char *invite_id;           /* RETRIEVE, DELETE */
    const char *user_id;             /* RETRIEVE_USER, SET_ROLE, DELETE_USER */
    const char *email;               /* CREATE */
    enum role role;                  /* CREATE, SET_ROLE */
    const struct projects *projects; /* CREATE: sent only if given */
};

enum answer_kind {
    ANSWER_OK,          /* 2xx with a body that makes sense */
    ANSWER_UNREADABLE,  /* 2xx with a body that does not: it happened, but what? */
    ANSWER_REFUSED,     /* any other status: not done */
    ANSWER_LIMITED,     /* 429: not done, and not now */
    ANSWER_UNAVAILABLE, /* 408 or 5xx: perhaps done */
    ANSWER_LOST,        /* no answer after the request may have been sent: perhaps done */
    ANSWER_UNSENT,      /* no connection: certainly not done */
};

struct answer {
    enum answer_kind kind;
    enum call call; /* what it answers */
    unsigned tag;
    int status;    /* HTTP status; 0: none */
    bool hopeless; /* the service says that repeating will not help (x-should-retry: false) */
    uint64_t retry_after; /* microseconds that the service asks us to wait; PACE_NEVER: silent */
    int64_t date;         /* its Date header, seconds since the epoch; 0: none */
    char *request_id;     /* its x-request-id; NULL: none */
    char *organization;   /* its openai-organization; NULL: none */
    char *error;          /* what went wrong, for people; NULL when OK */
    struct page page;     /* OK and LIST or LIST_USERS */
    struct invite invite; /* OK and CREATE or RETRIEVE */
    struct user user;     /* OK and RETRIEVE_USER or SET_ROLE */
};

void answer_clear(struct answer *answer);

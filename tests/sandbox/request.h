/* A request as the routes see it: received whole, taken apart, not yet judged. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call {
    CALL_LIST,
    CALL_CREATE,
    CALL_RETRIEVE,
    CALL_DELETE,
    CALL_LIST_USERS,
    CALL_RETRIEVE_USER,
    CALL_SET_ROLE,
    CALL_DELETE_USER,
    CALL_OTHER,
    CALL_COUNT
};
extern const char *const call_words[];

struct request {
    char *method, *path;        /* the path is percent-decoded */
    char *raw_path, *raw_query; /* as received; the query may be NULL */
    char *limit, *after;        /* query parameters, decoded; NULL when absent */
    json_t *emails;             /* the same; an array, empty when absent */
    char *key;                  /* of `Authorization: Bearer`; NULL when absent */
    json_t *headers;            /* lower-case name → value, without authorization */
    char *body;
    size_t size;
    bool too_big;
    uint64_t connection;
    int64_t arrived_ms; /* monotonic */
    char id[37];        /* x-request-id */

    /* Set by request_read. */
    json_t *json; /* the body; NULL when it is not JSON */
    enum call call;
    bool of_users;             /* whether the path is below that of users */
    char *invite_id, *user_id; /* of the path; NULL when it has none */

    json_t *entry;    /* in the log; changed only with the lock held */
    bool repeat_page; /* a fault wants the page before the cursor again */
};

/* Starts a request from its target as received, such as /v1/x?limit=2. */
struct request *request_new(const char *target);
void request_free(struct request *request);

/* Adds to the body; what is beyond 1 MiB is dropped and marks the request as too big. */
void request_add_body(struct request *request, const char *data, size_t size);

/* Takes path, body and method apart, once all of it is there. */
void request_read(struct request *request);

/* A header's value, by its name in lower case; NULL when absent. */
const char *request_header(const struct request *request, const char *name);

/* The "email" of the JSON body, if it has one. */
const char *request_email(const struct request *request);

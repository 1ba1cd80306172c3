/* What is true of a daemon, as plain values, and as the text of status.json. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/call.h"
#include "core/limits.h"
#include "core/verdict.h"

#define STATUS_SCHEMA "inviterd.status/1"

enum status_state {
    STATUS_STARTING, /* nothing is known yet */
    STATUS_IN_SYNC,
    STATUS_PENDING,   /* writes are yet to be done: a dry run, or what failed or is unknown */
    STATUS_BLOCKED,   /* a limit holds back a part */
    STATUS_ATTENTION, /* somebody needs the attention of a person */
    STATUS_FAILING,   /* the last pass failed, or something holds up passes */
    STATUS_STOPPING,
};

/* "starting", "in-sync", … */
const char *status_state_word(enum status_state state);

/* Of a list, no more lines than this are kept; the others are only counted. */
#define STATUS_LINES_MAX ((size_t)1000)

/* What does not apply is NULL. */
struct status_line {
    char *action, *email, *reason, *invite_id, *user_id;
    char *text; /* for people: why, what went wrong, what to do */
};

struct status_lines {
    struct status_line *items;
    size_t count;
    size_t total; /* with those that were not kept */
};

enum status_result {
    STATUS_PASS_DONE,
    STATUS_PASS_FAILED,
    STATUS_PASS_STOPPED,
};

/* "done", "failed", "stopped" */
const char *status_result_word(enum status_result result);

#define STATUS_WRITES  (ACTION_REMOVE + 1)
#define STATUS_ACTIONS (ACTION_KEEP + 1)

struct status_pass {
    unsigned number; /* 0: no pass has ended yet */
    int64_t begun, ended;
    uint64_t usec; /* how long it took */
    enum status_result result;
    char *error; /* why it failed */
    unsigned requests;
    unsigned changes[STATUS_WRITES]; /* what was done, by action */
    unsigned failed, unknown;        /* writes that failed, and that nobody knows of */
};

struct status_limit {
    char *limit, *text;
    double allowed, found;
};

/* Everything is NULL and 0 when nothing is blocked. */
struct status_blocked {
    char *approval, *command;
    struct status_limit limits[LIMIT_COUNT];
    size_t limit_count;
    struct status_lines actions;
};

struct status_approval {
    char *id; /* NULL: none was handed in yet */
    char *outcome, *text;
    unsigned number; /* which one since the start */
};

/* So many pairs of call and status are told apart; then only hundreds of statuses are. */
#define STATUS_REQUESTS_EXACT 40
#define STATUS_REQUESTS_MAX   (STATUS_REQUESTS_EXACT + CALLS * 11)

struct status_requests {
    enum call call;
    int status; /* HTTP status; 0: no answer */
    uint64_t count;
};

/* Times are seconds since the epoch, 0 where there is none. All texts are owned. */
struct status {
    const char *instance; /* borrowed, and for the metrics alone; NULL: the only one */
    char *version;
    int64_t pid, started;
    enum status_state state;
    char *message, *policy, *users, *base_url;
    bool dry_run, pass_under_way;
    struct status_pass last_pass;
    int64_t last_success, next_pass;
    size_t people[STATUS_ACTIONS]; /* lines of the last plan, by action */
    struct status_blocked blocked;
    struct status_lines attention, failures, problems;
    struct status_approval approval;
    struct status_requests requests[STATUS_REQUESTS_MAX]; /* sorted */
    size_t request_count;
};

/* Copies the line. Returns 0, or -ENOMEM; it counts in the total either way. */
int status_lines_add(struct status_lines *lines, const struct status_line *line);
void status_lines_clear(struct status_lines *lines);
void status_blocked_clear(struct status_blocked *blocked);
void status_clear(struct status *status);

/* Counts an answer. */
void status_count_request(struct status *status, enum call call, int http_status);

/* As JSON, which the caller owns; NULL when memory is short. */
char *statustext_write(const struct status *status);
/*
 * Reads it. *ret is the caller's to clear on success. Returns 0; -EBADMSG with *ret_error, which
 * the caller owns, saying what is wrong; or -ENOMEM. Keys that are not known are passed over.
 */
int statustext_read(const char *text, size_t length, struct status *ret, char **ret_error);

/*
 * Scripted faults: the language of --fault and of the control route, and which fault a request
 * meets. What an action does to an answer is in distort.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The words before the `=`. */
enum fault_key {
    KEY_CALL,
    KEY_EMAIL,
    KEY_ID,
    KEY_PAGE,
    KEY_NTH,
    KEY_EVERY,
    KEY_TIMES,
    KEY_DO,
    KEY_STATUS,
    KEY_BODY,
    KEY_RETRY_AFTER,
    KEY_RETRY_AFTER_MS,
    KEY_SHOULD_RETRY,
    KEY_ENVELOPE,
    KEY_BYTES,
    KEY_DEPTH,
    KEY_TO,
    KEY_MS,
    KEY_COUNT,
};

/* The words after `do=`, in the order of the table in fault.c. */
enum fault_action {
    DO_STATUS,
    DO_STATUS_AFTER,
    DO_CUT,
    DO_CUT_AFTER,
    DO_CUT_BODY,
    DO_CUT_JSON,
    DO_GARBAGE,
    DO_HANG,
    DO_HANG_AFTER,
    DO_DRIP,
    DO_SLOW,
    DO_SLOW_AFTER,
    DO_REDIRECT,
    DO_REPEAT_CURSOR,
    DO_NO_HAS_MORE,
    DO_NO_DATA,
    DO_EMPTY_PAGE,
    DO_WRONG_TYPES,
    DO_DUPLICATE_KEYS,
    DO_DEEP,
    DO_BIG,
    DO_COUNT,
};

struct fault {
    char *spec;
    char *text[KEY_COUNT];       /* as given, percent-decoded; NULL when absent */
    long long number[KEY_COUNT]; /* of the keys that take a number; 0 when absent */
    enum fault_action action;
    bool list_only;
    long long matched, fired;
    int users; /* the list, and each request that is meeting it */
    struct fault *next;
};

/* What a fault's conditions are compared with; NULL and 0 where the request has none. */
struct fault_query {
    const char *call, *email, *id;
    long long page;
};

/*
 * Parses a specification. `files` allows body=@FILE. Returns NULL with the fault in *ret_fault, or
 * a message for people that the caller owns.
 */
char *fault_parse(const char *spec, bool files, struct fault **ret_fault);

/* Appends to the list, which takes the fault over; drops all of them. */
void faults_add(struct fault **list, struct fault *fault);
void faults_clear(struct fault **list);

/*
 * The first fault whose conditions hold and which is due, counted as fired; NULL if none. Faults
 * before it count the request as matched, those after it do not see it. Release with fault_drop.
 */
struct fault *faults_match(struct fault *list, const struct fault_query *query);
void fault_drop(struct fault *fault);

/* The grammar, for --help. */
extern const char fault_help[];

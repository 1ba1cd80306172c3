/*
 * A service that limits requests, and a client that keeps to core/pace, in virtual time: for the
 * tests of the pace and for the sweep of tests/bench. Times are microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/pace.h"

enum service_limit {
    SERVICE_BUCKET, /* `burst` tokens at most, refilled one by one */
    SERVICE_WINDOW, /* `burst` requests in each window of burst / per_minute minutes */
};

enum service_hint {
    HINT_NONE,
    HINT_EXACT,   /* retry-after-ms */
    HINT_SECONDS, /* Retry-After: whole seconds, rounded up */
};

struct service {
    enum service_limit limit;
    double per_minute;
    double burst;
    enum service_hint hint;
    uint64_t latency;    /* between request and answer, at most; half of it at least */
    double others;       /* the share of the limit that other clients take, before us */
    uint64_t changes_at; /* so long after the start the rate is `changes_to`; 0: never */
    double changes_to;
};

#define SERVICE_CONCURRENCY_MAX 64

struct client {
    unsigned concurrency; /* at most SERVICE_CONCURRENCY_MAX */
    unsigned wanted;      /* requests that have to pass */
    uint64_t seed;
};

struct outcome {
    unsigned limited;        /* answers of 429 */
    unsigned limited_in_row; /* the most in a row, as the pace counts them */
    double ratio;            /* of the time taken to the least that limit and latency allow */
    struct pace pace;        /* as it was at the end */
};

/* As a pass does it: one request at first, then up to `concurrency` at a time. */
struct outcome service_run(const struct service *service, const struct client *client);

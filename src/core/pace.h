/*
 * One brake for all requests of a process: keeps to a set rate, or learns the service's.
 *
 * All times are microseconds of a clock that only moves forward.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACE_NEVER UINT64_MAX

/*
 * How a limit is learned without a word from the service: at a 429 its bucket is empty, so what
 * passes until the next 429 is what was refilled meanwhile, and that is the rate. Before there is a
 * first estimate, requests go one at a time; afterwards a little faster with each success, and
 * more so the longer no 429 has come.
 */
struct pace {
    uint64_t interval;      /* between two requests; 0: as fast as they come */
    uint64_t fixed;         /* the interval that was configured; 0: learn it */
    uint64_t ready_at;      /* no request before */
    uint64_t brake;         /* how long the last 429 without a hint stopped us */
    unsigned limited;       /* answers of 429 in a row */
    uint64_t limited_until; /* answers to requests sent before belong to a brake already pulled */
    uint64_t empty_at;      /* when the bucket was known to be empty; 0: not since a pause */
    uint64_t passed;        /* successes since then */
    uint64_t random;        /* state of the jitter */
};

/* `requests_per_minute` 0: adapt. `seed` feeds the jitter; any value. */
void pace_init(struct pace *pace, unsigned requests_per_minute, uint64_t seed);
/* When the next request may start; `now` or earlier means at once. */
uint64_t pace_ready_at(const struct pace *pace);
/* A request starts. */
void pace_sent(struct pace *pace, uint64_t now);
/* The service took a request that was sent at `sent`, and answered `now`. */
void pace_passed(struct pace *pace, uint64_t sent, uint64_t now);
/*
 * The service answered 429 to a request sent at `sent`. `hint` is what it asked for, in
 * microseconds; PACE_NEVER when it asked for nothing.
 */
void pace_limited(struct pace *pace, uint64_t sent, uint64_t now, uint64_t hint);

/*
 * How long to wait before attempt `attempt` (1: the first repetition) of a read that failed:
 * 0.5 s doubled each time, at most 30 s, less up to a quarter by chance.
 */
uint64_t pace_backoff(struct pace *pace, unsigned attempt);

/* A number below `bound` (not 0) from the pace's own generator. */
uint64_t pace_random(struct pace *pace, uint64_t bound);

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
 * How a limit is learned without a word from the service: the request that is answered 429 met an
 * empty bucket, so what passes until the next such one is what was refilled meanwhile, and that is
 * the rate. From then on requests keep to it, a little faster with each success, and more so the
 * longer no 429 has come. While no rate is known, the answers set the speed: what is under way
 * grows with what has passed, so that few requests at a time run into a limit.
 */
struct pace {
    uint64_t interval;      /* between two requests; 0: as fast as they come */
    uint64_t fixed;         /* the interval that was configured; 0: learn it */
    uint64_t ready_at;      /* no request before */
    uint64_t brake;         /* how long the last 429 without a hint stopped us */
    unsigned limited;       /* answers of 429 in a row */
    uint64_t limited_until; /* answers to requests sent before belong to a brake already pulled */
    uint64_t empty_at;      /* when the last request that met an empty bucket was sent; 0: none */
    uint64_t passed;        /* successes of requests that were sent later */
    uint64_t measured;      /* successes that the learned interval rests on */
    uint64_t round_trip;    /* the shortest time to a success; PACE_NEVER: there was none */
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

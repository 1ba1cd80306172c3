/*
 * A life: one organisation and one host from a seed, through faulty passes, deaths and restarts,
 * to calm passes in which all must come right.
 */
#pragma once

#include "tally.h"
#include "watch.h"

struct life_options {
    unsigned people;        /* at least; the member file and the organisation hold so many */
    unsigned faulty_passes; /* before calm comes */
    unsigned faults;        /* that are tried in each of them */
    bool trace;
};

/* A service with nothing but a rate limit that it does not speak of. */
struct life_limit {
    unsigned per_minute, burst;
    unsigned creates; /* that one pass is to make */
};

struct life_pace {
    size_t made;                   /* creates that happened */
    unsigned requests;             /* that the service took */
    unsigned limited;              /* answers of 429 */
    double seconds, least_seconds; /* what it took, and what the limit allows at best */
};

/* One pass under that limit, from a seed. */
struct life_pace life_pace(uint64_t seed, const struct life_limit *limit);

/* Lives it. Returns NULL, or the invariant that was violated; the caller owns the text. */
char *life_run(uint64_t seed, const struct life_options *options, struct tally *tally);

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

/* Lives it. Returns NULL, or the invariant that was violated; the caller owns the text. */
char *life_run(uint64_t seed, const struct life_options *options, struct tally *tally);

/* apply's progress: one live line on a terminal, a line for each write where there is none. */
#pragma once

#include "app/oneshot.h"

struct progress {
    const struct options *options;
    const struct oneshot *oneshot;
    bool live;             /* standard error is a terminal */
    bool drawn;            /* a live line stands there */
    uint64_t waited_until; /* the wait told of last, where there is no live line */
    bool *told;            /* by line: its result was said */
    size_t writes;
};

void progress_begin(struct progress *progress, const struct options *options,
                    const struct oneshot *oneshot);
/* The plan is there; it will be carried out. */
void progress_planned(struct progress *progress, const struct pass *pass);
/* Something changed. */
void progress_moved(struct progress *progress, const struct pass *pass);
/* Clears the live line. */
void progress_end(struct progress *progress);

/* What an ended pass says about the state of things. */
#pragma once

#include "app/options.h"
#include "codec/statustext.h"
#include "core/pass.h"

/* How the daemon stands, until something else happens. */
struct standing {
    enum status_state state;
    char *message; /* in words; NULL: no memory, the state has to do */
};

/*
 * Takes what the pass found, did and failed to do into the status, all but its number and times,
 * and makes *standing follow from it. Returns false where memory was short: then lists lack lines,
 * while counts, results and states are right all the same.
 */
bool health_take_pass(struct status *status, struct standing *standing,
                      const struct options *options, const struct pass *pass);

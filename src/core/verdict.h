/* The verdict on one person: the table of design §4, row by row. */
#pragma once

#include "plan.h"

/* An invite, and the wish of ours that made it, if one did. */
struct sighting {
    const char *address; /* whom it belongs to: the wish's address where one made it */
    const struct invite *invite;
    const struct ledger_wish *ours;
};

/* Everything known about one address. */
struct person {
    const char *address;
    const struct member *member;      /* NULL: not declared */
    const struct sighting *sightings; /* all invites of this address */
    size_t count;
};

/* Appends the person's lines to the plan, unordered and unlimited. Returns 0 or -ENOMEM. */
int verdict_on(const struct plan_inputs *inputs, const struct person *person, struct plan *plan);

/*
 * The present organisation as declared people: what a member file would have to say for a plan to
 * find nothing to do.
 */
#pragma once

#include "plan.h"

/* Why somebody is not declared, or not as they are. */
enum remark_kind {
    REMARK_ADDRESS,         /* the member file takes no such address */
    REMARK_UNKNOWN_INVITE,  /* an invite has a status or role that is not known */
    REMARK_UNKNOWN_ROLE,    /* a user has a role that is not known, or none */
    REMARK_NO_ADDRESS,      /* a user has no address */
    REMARK_SERVICE_ACCOUNT, /* no person, and never touched */
    REMARK_LEFT,            /* accepted an invite, and is no user */
    REMARK_EXPIRED,         /* has expired invites only */
    REMARK_PROJECTS,        /* is declared, without projects that the member file does not take */
    REMARK_IGNORED,         /* a plan would change something, whatever is declared */
    REMARK_OUT_OF_SYNC,     /* a plan will change something, and no pattern can keep it from that */
};

struct remark {
    enum remark_kind kind;
    char *subject; /* an address; the id of a user without one */
    const struct invite *invite;
    const struct user *user;
    const char *ignored; /* the pattern among those of the members that covers it; NULL: none */
    /* Of IGNORED and OUT_OF_SYNC: what a plan would do, and why. */
    enum action action;
    enum reason reason;
};

/* What a declared person was found as; one of the two is NULL. */
struct origin {
    const struct user *user;
    const struct invite *invite;
};

struct adoption {
    struct members *members; /* sorted; nobody has a place */
    struct origin *origins;  /* one for each member */
    struct remark *remarks;  /* sorted by subject */
    size_t remark_count;
    bool users_listed;
};

/*
 * Declares whom the listings of `inputs` show; its members, mode, grace and policy do not matter.
 * Of those about whom even a managing plan of policy sync would change something, the address is
 * ignored. Borrows from the listings and the ledger. Returns 0 or -ENOMEM.
 */
int adoption_build(const struct plan_inputs *inputs, struct adoption **ret);
void adoption_free(struct adoption *adoption);
DEFINE_CLEANUP(struct adoption *, adoption_free)

/* Whether a plan from these members would find nothing to do. */
bool adoption_in_sync(const struct adoption *adoption);

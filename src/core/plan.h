/* The difference between what is and what should be: one verdict a person, each with its reason. */
#pragma once

#include "limits.h"
#include "verdict.h"

struct plan {
    struct lines lines; /* in the order in which they are written, then attention, then keep */
    size_t live;        /* live invites, with those that a listing may not show yet */
    size_t listed;      /* those of them that the listing shows */
    size_t people;      /* users that are people; 0 where users are not listed */
    size_t owners;      /* those of them that are sure to have the role owner */
    struct limit_excess excess[LIMIT_COUNT];
    size_t excess_count;
    bool approved;          /* an approval lifted the limits */
    char *approval;         /* the id that would lift them; NULL when nothing is blocked */
    struct invites assumed; /* invites that the ledger knows of and the listing lacks */
};

/* Design §4, limits included. The plan borrows from its inputs. Returns 0 or -ENOMEM. */
int plan_build(const struct plan_inputs *inputs, struct plan **ret);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

/* Lines of that action. */
size_t plan_count(const struct plan *plan, enum action action);
/* Lines that a limit holds back. */
size_t plan_count_blocked(const struct plan *plan);
/* Lines of that result. */
size_t plan_count_result(const struct plan *plan, enum result result);
/* Whether nothing is to be written. */
bool plan_in_sync(const struct plan *plan);

/*
 * Everything that an approval id stands for, as text to be digested: the organisation, how many
 * approvals were used before, whether a listing lacks most of what was there, whether too few
 * owners would be left, and each blocked action. The caller owns it; NULL: no memory.
 */
char *plan_blocked_text(const struct plan *plan, const struct ledger *ledger);
/* Whether everything that an approval has lifted is done. */
bool plan_approval_is_done(const struct plan *plan);
/* Lifts every limit. */
void plan_approve(struct plan *plan);

/* The people of a life: the member file as it changes, and the organisation as it starts out. */
#pragma once

#include "core/member.h"
#include "org.h"

struct somebody {
    char *email;
    bool declared, ignored, protected;
    enum role role;
    struct projects projects;
    int64_t starts_at, ends_at;
};

struct people {
    struct somebody *items;
    size_t count;
    struct members members; /* what the file says; made anew by people_declare() */
};

/*
 * Draws people, and the invites and users that they start with: those who have accepted, and
 * unless `few_users`, whoever came otherwise.
 */
void people_init(struct people *people, size_t count, struct org *org, bool few_users);
void people_clear(struct people *people);
/* Makes the members anew. */
void people_declare(struct people *people);
/* Somebody joins, leaves, or changes. */
void people_drift(struct people *people, struct org *org);
/* The file demotes all owners, and who was demoted before is to be one again, or to go. */
void people_swap_owners(struct people *people, struct org *org);
/* An invite for one of them, by another hand or long ago; shown at once. */
struct org_invite *people_invite(struct people *people, struct org *org);
/* A user out of one of them who is none yet, shown at once; NULL when the first choice is one. */
struct org_user *people_join(struct people *people, struct org *org);

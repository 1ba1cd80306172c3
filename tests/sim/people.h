/* The people of a life: the member file as it changes, and the organisation as it starts out. */
#pragma once

#include "core/member.h"
#include "org.h"

struct somebody {
    char *email;
    bool declared, ignored;
    enum role role;
    struct projects projects;
    int64_t ends_at;
};

struct people {
    struct somebody *items;
    size_t count;
    struct members members; /* what the file says; made anew by people_declare() */
};

/* Draws people, and the invites that they start with. */
void people_init(struct people *people, size_t count, struct org *org);
void people_clear(struct people *people);
/* Makes the members anew. */
void people_declare(struct people *people);
/* Somebody joins, leaves, or changes. */
void people_drift(struct people *people, struct org *org);
/* An invite for one of them, by another hand or long ago; shown at once. */
struct org_invite *people_invite(struct people *people, struct org *org);

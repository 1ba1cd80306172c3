/* Who is: a user of the organisation as the service states it. */
#pragma once

#include <stdint.h>

#include "grant.h"
#include "memory.h"

struct user {
    char *id;
    char *email; /* NULL: the service states none */
    char *name;  /* NULL: the service states none */
    enum role role;
    char *role_text;  /* the word as the service sent it; NULL when it sent none */
    int64_t added_at; /* seconds since the epoch; 0: not stated */
    bool is_service_account;
    bool is_scim_managed; /* by the organisation's directory: what we change it changes back */
};

struct users {
    struct user *items;
    size_t count;
};

/* Appends and takes over what the user owns. Returns 0 or -ENOMEM (nothing is taken then). */
int users_add(struct users *users, const struct user *user);
void user_clear(struct user *user);
void users_clear(struct users *users);

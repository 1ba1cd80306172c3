/* The users of the model organisation: what org.c and org_user.c share. */
#pragma once

#include "org.h"

/* The address as the service states it. The caller owns it. */
char *org_address(const struct org *org, const char *email);
/* How long listings lag behind what happens now. */
uint64_t org_lag(struct org *org);

/* The user as a listing, or with `at` SIM_NEVER a retrieve, reads it. The caller owns it. */
struct user org_user_reading(const struct org *org, const struct org_user *from, uint64_t at);
/* Retrieve, set-role and delete. */
void org_serve_user(struct org *org, const struct request *request, struct answer *answer);
void org_clear_users(struct org *org);

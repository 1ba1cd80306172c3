/* The routes of users. The caller holds the lock. */
#pragma once

#include "paging.h"

/* Carries out a call about users and answers it. */
struct reply *routes_users_answer(struct sandbox *sandbox, const struct request *request);

/* Which page of the users a request asks for; 0: unknown. */
long long routes_users_page(const struct sandbox *sandbox, const struct request *request);

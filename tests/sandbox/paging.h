/* A page of a listing, whatever is listed. The caller holds the lock. */
#pragma once

#include "reply.h"
#include "request.h"
#include "sandbox.h"

struct listing {
    const char *what; /* is listed: "invite", for messages */
    void **items;     /* borrowed, in order */
    size_t count;
    const char *(*id)(const void *item);
    json_t *(*show)(const struct org *org, const void *item, int64_t now_ms);
};

/* Answers "limit" and "after" of the request. */
struct reply *paging_answer(const struct sandbox *sandbox, const struct request *request,
                            const struct listing *listing);

/* Which page of the full listing a request asks for, by the position of its cursor; 0: unknown. */
long long paging_page(const struct request *request, const struct listing *listing);

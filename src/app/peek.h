/* A look at the running daemon from outside, by way of its runtime directory. */
#pragma once

#include "app/options.h"
#include "codec/statustext.h"
#include "io/runtime.h"

struct peek {
    struct runtime *runtime;
    bool running; /* a daemon holds the directory */
    char *text;   /* status.json as it is */
    struct status status;
};

/*
 * Looks. On success there is a status, perhaps of a daemon that has ended. Otherwise a negative
 * errno, and in *ret_error, which the caller owns, what is wrong and what to do (NULL: no memory).
 * *ret is the caller's to clear either way.
 */
int peek_at_daemon(const struct options *options, struct peek *ret, char **ret_error);
void peek_clear(struct peek *peek);

/* The name of the daemon's unit, which the caller owns; NULL when memory is short. */
char *peek_unit(const struct options *options);

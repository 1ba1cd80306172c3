/* Everything that the requests share. One mutex guards all of it but what is set before serving. */
#pragma once

#include "fault.h"
#include "log.h"
#include "org.h"
#include "rate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What a listing after a cursor that no longer exists answers. */
enum dead_cursor {
    DEAD_404,
    DEAD_400,
    DEAD_EMPTY,
    DEAD_TOP,
    DEAD_COUNT
};
extern const char *const dead_cursor_words[DEAD_COUNT + 1];

struct sandbox {
    /* Set before serving, read-only afterwards. */
    json_t *keys, *readonly_keys, *keys_without_users; /* arrays of strings */
    bool rate_headers, no_date;
    int stop_fd; /* readable once the process is to end */

    pthread_mutex_t lock;
    int64_t advanced_ms; /* how far this clock is ahead of the host's */
    long long latency_ms;
    enum dead_cursor dead_cursor;
    struct org org;
    struct rate rate;
    struct fault *faults;
    struct log log;
};

void sandbox_init(struct sandbox *sandbox);
void sandbox_clear(struct sandbox *sandbox);

/* The sandbox's clock, in milliseconds of Unix time. */
int64_t sandbox_now_ms(const struct sandbox *sandbox);

/* Real time, for measuring how long something took. */
int64_t monotonic_ms(void);

/*
 * Waits, without holding the lock, until the time is over (forever if negative), the process is to
 * end, or the client at `client_fd` (-1: do not care) has gone. Returns true if the time is over.
 */
bool sandbox_wait(const struct sandbox *sandbox, long long ms, int client_fd);

/* Finds a word in the table above; false if it is none of it. */
bool dead_cursor_parse(const char *word, enum dead_cursor *ret);

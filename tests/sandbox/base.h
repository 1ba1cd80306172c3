/*
 * Ownership helpers of the sandbox. It shares no code with the daemon, so that a mistake in one
 * cannot hide in the other. Running out of memory ends the process: it only serves tests.
 */
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(free_pointer)

static inline void free_pointer(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

static inline void unlock_pointer(pthread_mutex_t **mutex)
{
    pthread_mutex_unlock(*mutex);
}

/* Holds the mutex until the end of the scope. */
#define HOLD(mutex)                                                            \
    _cleanup_(unlock_pointer) __attribute__((unused)) pthread_mutex_t *_held = \
        (pthread_mutex_lock(mutex), (mutex))

/* Passes through what an allocating function returned; ends the process if that is NULL. */
static inline void *must(void *allocated)
{
    if (!allocated) {
        fputs("inviterd-sandbox: out of memory\n", stderr);
        abort();
    }
    return allocated;
}

/* A formatted string, owned by the caller, never NULL. */
char *format(const char *template, ...) __attribute__((format(printf, 1, 2)));

/* A copy in lower case (ASCII only), owned by the caller, never NULL. */
char *lower_case(const char *text);

/* Fills `text` with `length` random characters of `alphabet` and a final NUL. */
void random_text(char *text, size_t length, const char *alphabet);

/* Reads a whole decimal number within [least, most]; false for anything else. */
int read_number(const char *text, long long least, long long most, long long *ret);

/* The whole file as a NUL-terminated string that the caller owns; NULL with errno set. */
char *read_file(const char *path);

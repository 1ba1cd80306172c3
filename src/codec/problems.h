/* What is wrong with what people wrote: every finding of one run, each with its place. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/memory.h"

struct problem {
    char *place;   /* "FILE:LINE", or "FILE: organization.members[3].role", or "FILE" */
    char *message; /* what is wrong and what to do; one line, no full stop needed */
    bool warning;  /* worth saying, but nothing is refused for it */
};

struct problems {
    struct problem *items;
    size_t count;
    size_t errors;  /* how many of them are not warnings */
    bool no_memory; /* some could not be recorded */
};

/*
 * Appends a problem at `place`; the text is printf-like. A problem that cannot be recorded for
 * want of memory still counts in `errors`, so that nothing invalid passes for valid.
 */
void problems_add(struct problems *problems, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problems_warn(struct problems *problems, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The one of `words` (ends with NULL) that `word` was probably meant to be, or NULL. */
const char *problems_suggest(const char *word, const char *const *words);

void problems_clear(struct problems *problems);

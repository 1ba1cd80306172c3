/* Allocations that fail on demand. */
#include "starve.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static long left = -1; /* successes before the failure; -1: no failure is due */
static bool all_from_there, starving, failed;

void starve_after(long successes, bool all)
{
    left = successes;
    all_from_there = all;
    starving = failed = false;
}

bool starve_end(void)
{
    left = -1;
    starving = false;
    return failed;
}

static bool fails(void)
{
    bool now = starving;
    if (left >= 0 && left-- == 0) {
        now = true;
        starving = all_from_there;
    }
    failed |= now;
    if (now)
        errno = ENOMEM;
    return now;
}

/* The linker gives these names. NOLINTBEGIN */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __real_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
FILE *__real_open_memstream(char **ret, size_t *ret_length);
FILE *__wrap_open_memstream(char **ret, size_t *ret_length);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
    return fails() ? -1 : __real_vasprintf(ret, format, arguments);
}

FILE *__wrap_open_memstream(char **ret, size_t *ret_length)
{
    return fails() ? NULL : __real_open_memstream(ret, ret_length);
}
/* NOLINTEND */

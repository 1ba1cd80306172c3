/* Ownership helpers: what a scope owns is freed on every way out of it. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(memory_free_pointer)

static inline void memory_free_pointer(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

/* Takes the value out of an owning variable, which then owns nothing. */
#define TAKE(pointer)                           \
    ({                                          \
        __typeof__(pointer) _taken = (pointer); \
        (pointer) = NULL;                       \
        _taken;                                 \
    })

/* Defines a cleanup function for `type *` variables: nothing is done for NULL. */
/* A type in parentheses would be no declaration. NOLINTBEGIN(bugprone-macro-parentheses) */
#define DEFINE_CLEANUP(type, release)                   \
    static inline void release##_pointer(type *pointer) \
    {                                                   \
        if (*pointer)                                   \
            release(*pointer);                          \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

/*
 * Makes room for one more item of `size` bytes in *array, which holds `count` items. Grows by
 * doubling, so it may be called before each append. Returns 0, or -ENOMEM with *array unchanged.
 */
int memory_reserve(void *array, size_t count, size_t size);
#define RESERVE(array, count) memory_reserve(&(array), (count), sizeof *(array))

/* Overwrites a secret string before its memory is freed. */
void memory_wipe(char *secret);
DEFINE_CLEANUP(char *, memory_wipe)

/*
 * Overwrites the stack below the caller: what functions that have returned left there, registers
 * that a library's first calls saved included.
 */
void memory_wipe_stack(void);

/* Frees *string and puts a copy of `value` (may be NULL) there. Returns 0 or -ENOMEM. */
int memory_set(char **string, const char *value);

/* asprintf into a fresh string that the caller owns; NULL when memory is short. */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_format_list(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

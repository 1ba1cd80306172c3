/* What the unit tests share: cmocka, and a look at collected problems. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec/problems.h"

/* All problems as text, one "PLACE: message" a line; warnings are marked. The caller owns it. */
static inline char *unit_problems(const struct problems *problems)
{
    char *text = strdup("");
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        char *longer = memory_format("%s%s: %s%s\n", text, problem->place,
                                     problem->warning ? "warning: " : "", problem->message);
        free(text);
        text = longer;
    }
    return text;
}

/* assert_string_equal cuts long texts short: this shows where they part. */
static inline void unit_assert_text(const char *text, const char *expected)
{
    size_t same = 0;
    while (text[same] && text[same] == expected[same])
        same++;
    assert_string_equal(text + same, expected + same);
}

/* Fails unless the problems are exactly these lines; clears them. */
#define ASSERT_PROBLEMS(problems, expected)    \
    do {                                       \
        char *_text = unit_problems(problems); \
        problems_clear(problems);              \
        unit_assert_text(_text, expected);     \
        free(_text);                           \
    } while (0)

/* The whole file, with its length; the caller owns it. */
static inline char *unit_read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    *ret_length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

/* Whether an example begins here: a setting, a string or a group, where prose has other words. */
static inline bool unit_is_example(const char *text)
{
    size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    return *text == '"' || *text == '{' || (word > 0 && strncmp(text + word, " = ", 3) == 0);
}

/* Puts in force, in place, whatever setting or member is commented out as an example. */
static inline void unit_uncomment(char *text)
{
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n ");
        if (strncmp(line, "# ", 2) == 0 && unit_is_example(line + 2))
            *line = ' ';
    }
}

/*
 * A copy of the first `length` bytes in a block of exactly that size, so that the sanitizer sees
 * any read past them.
 */
static inline char *unit_prefix(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, text, length);
    return copy;
}

/* Collecting what is wrong, and guessing what was meant. */
#include "codec/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/utf8.h"

static void append(struct problems *problems, struct problem problem)
{
    if (!problem.place || !problem.message || RESERVE(problems->items, problems->count) < 0) {
        free(problem.place);
        free(problem.message);
        problems->no_memory = true;
        return;
    }
    problems->items[problems->count++] = problem;
}

/* File names, too, come from outside: whatever is hidden in place and text is spelled out. */
static void append_text(struct problems *problems, bool warning, const char *place,
                        const char *format, va_list arguments)
    __attribute__((format(printf, 4, 0)));

static void append_text(struct problems *problems, bool warning, const char *place,
                        const char *format, va_list arguments)
{
    _cleanup_free_ char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    struct problem problem = {
        .place = utf8_escape(place),
        .message = text ? utf8_escape(text) : NULL,
        .warning = warning,
    };
    append(problems, problem);
}

void problems_add(struct problems *problems, const char *place, const char *format, ...)
{
    va_list arguments;
    problems->errors++;
    va_start(arguments, format);
    append_text(problems, false, place, format, arguments);
    va_end(arguments);
}

void problems_warn(struct problems *problems, const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_text(problems, true, place, format, arguments);
    va_end(arguments);
}

/* Words longer than this are not guessed at. */
#define WORD_MAX 32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/*
 * How many letters must be put in, left out, replaced or swapped with their neighbour to make one
 * word the other (optimal string alignment), without regard to case. Both are at most WORD_MAX
 * long.
 */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            bool same = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_length];
}

const char *problems_suggest(const char *word, const char *const *words)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX, length = strlen(word);
    if (length == 0)
        return NULL;
    for (; *words; words++) {
        size_t longest = length > strlen(*words) ? length : strlen(*words);
        if (longest > WORD_MAX)
            continue;
        size_t found = distance(word, *words);
        /* One slip in three letters, and never so many that nothing of the word is left. */
        if (found <= (longest + 1) / 3 && found < longest && found < best_distance) {
            best = *words;
            best_distance = found;
        }
    }
    return best;
}

void problems_clear(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].place);
        free(problems->items[i].message);
    }
    free(problems->items);
    *problems = (struct problems){0};
}

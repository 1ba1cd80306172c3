/* Growing arrays and owned strings. */
#include "memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int memory_reserve(void *array, size_t count, size_t size)
{
    /* Capacity is the next power of two, so it need not be stored beside the array. */
    if (count != 0 && (count & (count - 1)) != 0)
        return 0;
    size_t capacity = count == 0 ? 1 : count * 2;
    if (capacity < count || capacity > SIZE_MAX / size)
        return -ENOMEM;
    void *grown = realloc(*(void **)array, capacity * size);
    if (!grown)
        return -ENOMEM;
    *(void **)array = grown;
    return 0;
}

void memory_wipe(char *secret)
{
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* Deeper than any call of ours or of a library that has a secret in its hands. */
#define STACK_DEPTH 65536

__attribute__((noinline)) void memory_wipe_stack(void)
{
    char below[STACK_DEPTH];
    explicit_bzero(below, sizeof below);
}

int memory_set(char **string, const char *value)
{
    char *copy = NULL;
    if (value && !(copy = strdup(value)))
        return -ENOMEM;
    free(*string);
    *string = copy;
    return 0;
}

char *memory_format_list(const char *format, va_list arguments)
{
    char *text;
    return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = memory_format_list(format, arguments);
    va_end(arguments);
    return text;
}

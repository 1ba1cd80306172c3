/* jansson, watched for allocations that failed. */
#include "codec/jsontext.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static _Thread_local bool short_of_memory;

static void *watched_malloc(size_t size)
{
    void *block = malloc(size);
    short_of_memory |= !block;
    return block;
}

/* For the whole process; blocks from before are freed by the same free(). */
__attribute__((constructor)) static void watch(void)
{
    json_set_alloc_funcs(watched_malloc, free);
}

int jsontext_load(const char *text, size_t length, json_t **ret_value, json_error_t *ret_error)
{
    short_of_memory = false;
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (short_of_memory) {
        json_decref(value);
        return -ENOMEM;
    }
    if (!value) {
        *ret_error = error;
        return -EBADMSG;
    }
    *ret_value = value;
    return 0;
}

void jsontext_begin(void)
{
    short_of_memory = false;
}

char *jsontext_end(json_t *value, size_t flags)
{
    char *text = value ? json_dumps(value, flags) : NULL;
    json_decref(value);
    if (!short_of_memory)
        return text;
    free(text);
    return NULL;
}

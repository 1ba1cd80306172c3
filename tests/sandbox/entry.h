/*
 * Checks of JSON objects that people write. Each returns NULL, or what is wrong, owned by the
 * caller; `where` names the object in that.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Whether every key is one of these, of which a NULL is the last. */
char *entry_check_keys(json_t *object, const char *const *known, const char *where);

/* A string that is not empty; *text is left alone where there is none. */
char *entry_check_text(json_t *entry, const char *key, const char *where, const char **text);
/* The same, or null, for which *text becomes NULL. */
char *entry_check_text_or_null(json_t *entry, const char *key, const char *where,
                               const char **text);

/* true or false; *flag is left alone where there is none. */
char *entry_check_flag(json_t *entry, const char *key, const char *where, bool *flag);

/* A whole number of seconds, or with `nullable` null, without the key `instead` beside it. */
char *entry_check_time(json_t *entry, const char *key, const char *instead, bool nullable,
                       const char *where);

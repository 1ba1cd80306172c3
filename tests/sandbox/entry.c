/* Checks of JSON objects. */
#include "entry.h"

#include "base.h"

#include <string.h>

char *entry_check_keys(json_t *object, const char *const *known, const char *where)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (!*k)
            return format("%s.%s: unknown key", where, key);
    }
    return NULL;
}

char *entry_check_text(json_t *entry, const char *key, const char *where, const char **text)
{
    json_t *value = json_object_get(entry, key);
    if (!value)
        return NULL;
    if (!json_is_string(value) || *json_string_value(value) == '\0')
        return format("%s.%s: must be a string that is not empty", where, key);
    *text = json_string_value(value);
    return NULL;
}

char *entry_check_text_or_null(json_t *entry, const char *key, const char *where, const char **text)
{
    if (!json_is_null(json_object_get(entry, key)))
        return entry_check_text(entry, key, where, text);
    *text = NULL;
    return NULL;
}

char *entry_check_flag(json_t *entry, const char *key, const char *where, bool *flag)
{
    json_t *value = json_object_get(entry, key);
    if (value && !json_is_boolean(value))
        return format("%s.%s: must be true or false", where, key);
    if (value)
        *flag = json_is_true(value);
    return NULL;
}

char *entry_check_time(json_t *entry, const char *key, const char *instead, bool nullable,
                       const char *where)
{
    json_t *value = json_object_get(entry, key);
    if (!value)
        return NULL;
    json_int_t seconds = json_integer_value(value);
    if ((!json_is_integer(value) && !(nullable && json_is_null(value))) ||
        seconds > 1000000000000 || seconds < -1000000000000)
        return format("%s.%s: must be a whole number of seconds%s", where, key,
                      nullable ? ", or null" : "");
    if (json_object_get(entry, instead))
        return format("%s: %s and %s exclude each other", where, key, instead);
    return NULL;
}

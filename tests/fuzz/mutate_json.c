/*
 * Mutates JSON as JSON, half of the time: bytes changed at random are refused by the parser, and
 * what comes after it would hardly be met.
 */
#include "fuzz.h"

#include <jansson.h>
#include <limits.h>

/* Of libFuzzer: changes bytes in place and returns their new number, at most `most`. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

#define STRING_MAX 300

static unsigned state;

static unsigned random_below(unsigned bound)
{
    state = state * 1103515245 + 12345;
    return (state >> 16) % bound;
}

/* A value of any kind, some at the edge of what is taken. The caller owns it. */
static json_t *any_value(void)
{
    static const json_int_t numbers[] = {-1,      0,         1,         999,      1000,
                                         INT_MAX, 1LL << 50, 1LL << 53, INT64_MAX};
    static const char *const texts[] = {
        "",      ".",      "..",   "a@x",          "reader",
        "owner", "member", "a\nb", "\xe2\x80\xae", "\xf0\x9f\x98\x80"};
    switch (random_below(8)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(random_below(2));
    case 2:
        return json_real((double)random_below(100000) / 7 - 100);
    case 3:
        return json_array();
    case 4:
        return json_object();
    case 5:
        return json_string(texts[random_below(sizeof texts / sizeof *texts)]);
    default:
        return json_integer(numbers[random_below(sizeof numbers / sizeof *numbers)]);
    }
}

/* The string with some of its bytes changed; any value when that is no string any more. */
static json_t *changed_string(const json_t *string)
{
    uint8_t text[STRING_MAX];
    size_t length = json_string_length(string);
    length = length < STRING_MAX ? length : STRING_MAX;
    memcpy(text, json_string_value(string), length);
    length = LLVMFuzzerMutate(text, length, STRING_MAX);
    json_t *changed = json_stringn((char *)text, length);
    return changed ? changed : any_value();
}

/* What shall stand in place of `old`. */
static json_t *changed_value(const json_t *old)
{
    if (json_is_string(old) && random_below(3) > 0)
        return changed_string(old);
    if (json_is_integer(old) && random_below(2) == 0)
        return json_integer(
            (json_int_t)((uint64_t)json_integer_value(old) + (random_below(2) ? 1u : UINT64_MAX)));
    return any_value();
}

static void change_list(json_t *list)
{
    size_t count = json_array_size(list), at = count > 0 ? random_below((unsigned)count) : 0;
    switch (random_below(4)) {
    case 0:
        json_array_remove(list, at);
        break;
    case 1:
        json_array_insert_new(list, at, any_value());
        break;
    case 2:
        json_array_append_new(list, json_deep_copy(json_array_get(list, at)));
        break;
    default:
        json_array_set_new(list, at, changed_value(json_array_get(list, at)));
    }
}

static void change_group(json_t *group)
{
    size_t count = json_object_size(group), at = count > 0 ? random_below((unsigned)count) : 0;
    void *item = json_object_iter(group);
    for (; item && at > 0; at--)
        item = json_object_iter_next(group, item);
    if (!item)
        json_object_set_new(group, "projects", any_value());
    else if (random_below(4) == 0)
        json_object_del(group, json_object_iter_key(item));
    else
        json_object_iter_set_new(group, item, changed_value(json_object_iter_value(item)));
}

/* Goes down to some list or group, and changes one item there. */
static void change(json_t *value)
{
    json_t *inner = NULL;
    size_t at;
    if (json_is_array(value) && json_array_size(value) > 0) {
        inner = json_array_get(value, random_below((unsigned)json_array_size(value)));
    } else if (json_is_object(value) && json_object_size(value) > 0) {
        void *item = json_object_iter(value);
        for (at = random_below((unsigned)json_object_size(value)); at > 0; at--)
            item = json_object_iter_next(value, item);
        inner = json_object_iter_value(item);
    }
    if ((json_is_array(inner) || json_is_object(inner)) && random_below(4) > 0)
        change(inner);
    else if (json_is_array(value))
        change_list(value);
    else if (json_is_object(value))
        change_group(value);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    state = seed;
    json_t *json = random_below(2) == 0 ? json_loadb((char *)data, size, 0, NULL) : NULL;
    if (!json)
        return LLVMFuzzerMutate(data, size, most);
    for (unsigned more = 1 + random_below(3); more > 0; more--)
        change(json);
    size_t written = json_dumpb(json, (char *)data, most, random_below(4) ? 0 : JSON_INDENT(1));
    json_decref(json);
    return written > 0 && written <= most ? written : LLVMFuzzerMutate(data, size, most);
}

/* JSON text when memory is refused: linked with --wrap=malloc, each allocation fails in turn. */
#include "unit.h"

#include <errno.h>

#include "codec/jsontext.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static long until_failure = -1; /* allocations that still succeed; -1: all do */

void *__wrap_malloc(size_t size)
{
    if (until_failure < 0)
        return __real_malloc(size);
    return until_failure-- == 0 ? NULL : __real_malloc(size);
}

static const char text[] = "{\"organization\": {\"members\": [\"ada@example.com\", {\"email\": "
                           "\"somebody.with.a.long.name@subsidiary.example.com\"}]}}";

/* jansson alone returns "ada@example.co" for one of these, and calls it success. */
static void never_drops_a_byte(void **state)
{
    (void)state;
    long failures = 0;
    for (bool failed = true; failed; failures++) {
        json_t *value = NULL;
        json_error_t error;
        until_failure = failures;
        int r = jsontext_load(text, sizeof text - 1, &value, &error);
        failed = until_failure < 0;
        until_failure = -1;
        assert_int_equal(r, failed ? -ENOMEM : 0);
        if (r < 0)
            assert_null(value);
        json_decref(value);
    }
    assert_true(failures > 20);
}

/* Built without a look at any step, a text is whole, or there is none. */
static char *build(void)
{
    jsontext_begin();
    json_t *list = json_array();
    for (int i = 0; i < 12; i++)
        json_array_append_new(list, json_pack("{s:s, s:i}", "id", "proj_a", "number", i));
    json_t *object = json_pack("{s:s, s:o}", "email", "ada@example.com", "projects", list);
    json_object_set_new(object, "role", json_string("reader"));
    return jsontext_end(object, JSON_COMPACT);
}

static void never_lacks_a_part(void **state)
{
    (void)state;
    _cleanup_free_ char *whole = build();
    long failures = 0;
    for (bool failed = true; failed; failures++) {
        until_failure = failures;
        _cleanup_free_ char *built = build();
        failed = until_failure < 0;
        until_failure = -1;
        if (failed)
            assert_null(built);
        else
            assert_string_equal(built, whole);
    }
    assert_true(failures > 50);
}

static void tells_memory_from_syntax(void **state)
{
    (void)state;
    json_t *value = NULL;
    json_error_t error = {0};
    assert_int_equal(jsontext_load("[1,\n", 4, &value, &error), -EBADMSG);
    assert_int_equal(error.line, 2);
    assert_int_equal(jsontext_load("{\"a\": 1, \"a\": 1}", 16, &value, &error), -EBADMSG);
    assert_int_equal(json_error_code(&error), json_error_duplicate_key);
    assert_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_drops_a_byte),
        cmocka_unit_test(never_lacks_a_part),
        cmocka_unit_test(tells_memory_from_syntax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Durations: what is one, what is not, and how they are written. */
#include "unit.h"

#include <errno.h>

#include "codec/duration.h"

static void accepts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t usec;
    } cases[] = {
        {"0s", 0},
        {"250ms", 250000},
        {"90s", 90000000},
        {"5m", 300000000},
        {"1h30m", 5400000000},
        {"2d", 172800000000},
        {"1d1h1m1s1ms", 90061001000},
        {"1s5ms", 1005000},
        {"007s", 7000000},
        {"3653d", 315619200000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t usec = 1;
        assert_int_equal(duration_parse(cases[i].text, &usec), 0);
        assert_int_equal(usec, cases[i].usec);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",     "5",    "s",     "5 m", " 5m", "5m ",  "-5m",  "+5m", "5M",   "5min", "1.5h",
        "1m1h", "1m1m", "1ms1s", "5sm", "5hd", "5m30", "0x5m", "5us", "5m\n", "٥m",   "5mss",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t usec = 77;
        assert_int_equal(duration_parse(cases[i], &usec), -EINVAL);
        assert_int_equal(usec, 77);
    }
}

static void refuses_too_long(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "3654d",
        "3653d1ms",
        "99999999999999999999d",
        "18446744073709551616s",
        "99999999999999999999999999ms",
        "3653d99999999999999999999h",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t usec = 77;
        assert_int_equal(duration_parse(cases[i], &usec), -ERANGE);
        assert_int_equal(usec, 77);
    }
    /* Too long, but no duration either: that is the greater mistake. */
    uint64_t usec;
    assert_int_equal(duration_parse("99999999999999999999d1x", &usec), -EINVAL);
}

static void formats(void **state)
{
    (void)state;
    char buffer[32];
    assert_string_equal(duration_format(0, buffer), "0s");
    assert_string_equal(duration_format(999, buffer), "0s");
    assert_string_equal(duration_format(250000, buffer), "250ms");
    assert_string_equal(duration_format(60000000, buffer), "1m");
    assert_string_equal(duration_format(5400000000, buffer), "1h30m");
    assert_string_equal(duration_format(90061001000, buffer), "1d1h1m1s1ms");
    assert_string_equal(duration_format(UINT64_MAX, buffer), "213503982d8h1m49s551ms");
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    for (uint64_t usec = 0; usec < UINT64_C(315619200000000); usec = usec * 3 + 7000) {
        char buffer[32];
        uint64_t back = 1;
        assert_int_equal(duration_parse(duration_format(usec, buffer), &back), 0);
        assert_int_equal(back, usec / 1000 * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_too_long),
        cmocka_unit_test(formats),
        cmocka_unit_test(reads_what_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Retry-After in every form that was ever seen, and in those that nobody should send. */
#include "unit.h"

#include "codec/retry.h"
#include "core/pace.h"

#define SECOND UINT64_C(1000000)
#define DAY    (86400 * SECOND)
#define NEVER  PACE_NEVER

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define DATE INT64_C(784111777)

static void every_form(void **state)
{
    (void)state;
    static const struct {
        const char *milliseconds, *value;
        uint64_t wait;
    } rows[] = {
        {NULL, NULL, NEVER},
        /* seconds */
        {NULL, "0", 0},
        {NULL, "1", SECOND},
        {NULL, "120", 120 * SECOND},
        {NULL, "007", 7 * SECOND},
        {NULL, "3 ", 3 * SECOND},
        /* fractions */
        {NULL, "0.5", SECOND / 2},
        {NULL, "1.25", SECOND + SECOND / 4},
        {NULL, "2.0000009", 2 * SECOND},
        {NULL, "0.000001", 1},
        /* milliseconds, which win */
        {"1500", NULL, SECOND + SECOND / 2},
        {"0", "9", 0},
        {"250", "9", SECOND / 4},
        {"0.5", "9", 500},
        {"soon", "9", 9 * SECOND},
        {"-1", "9", 9 * SECOND},
        {"", "9", 9 * SECOND},
        {"soon", NULL, NEVER},
        {"soon", "later", NEVER},
        /* dates, in the three forms */
        {NULL, "Sun, 06 Nov 1994 08:50:07 GMT", 30 * SECOND},
        {NULL, "Sunday, 06-Nov-94 08:50:07 GMT", 30 * SECOND},
        {NULL, "Sun Nov  6 08:50:07 1994", 30 * SECOND},
        {NULL, "Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {NULL, "Sun, 06 Nov 1994 08:49:36 GMT", 0},
        {NULL, "Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {NULL, "Mon, 07 Nov 1994 08:49:37 GMT", DAY},
        {NULL, "Mon, 07 Nov 1994 08:49:38 GMT", DAY},
        {NULL, "Fri, 31 Dec 9999 23:59:59 GMT", DAY},
        /* absurd */
        {NULL, "86400", DAY},
        {NULL, "86401", DAY},
        {NULL, "86400.5", DAY},
        {"86400000.5", NULL, DAY},
        {NULL, "18446744073709551616", DAY},
        {NULL, "99999999999999999999999999999999999999999999", DAY},
        {"99999999999999999999999999999999999999999999", NULL, DAY},
        /* garbage */
        {NULL, "", NEVER},
        {NULL, " ", NEVER},
        {NULL, "-1", NEVER},
        {NULL, "-0", NEVER},
        {NULL, "+5", NEVER},
        {NULL, ".", NEVER},
        {NULL, "1e3", NEVER},
        {NULL, "0x10", NEVER},
        {NULL, "1,5", NEVER},
        {NULL, "1.2.3", NEVER},
        {NULL, "5 s", NEVER},
        {NULL, "inf", NEVER},
        {NULL, "nan", NEVER},
        {NULL, "soon", NEVER},
        {NULL, "2030-01-01T00:00:00Z", NEVER},
        {NULL, "Sun, 06 Nov 1994 08:50:07 UTC", NEVER},
        {NULL, "Sun, 31 Feb 1994 08:50:07 GMT", NEVER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t wait = retry_after_parse(rows[i].milliseconds, rows[i].value, DATE);
        if (wait != rows[i].wait)
            fail_msg("%s / %s: %llu", rows[i].milliseconds, rows[i].value,
                     (unsigned long long)wait);
    }
}

/* Without the answer's own date, a date says nothing: our clock may be wrong. */
static void a_date_needs_a_date(void **state)
{
    (void)state;
    assert_true(retry_after_parse(NULL, "Sun, 06 Nov 1994 08:50:07 GMT", 0) == NEVER);
    assert_true(retry_after_parse(NULL, "7", 0) == 7 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(a_date_needs_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

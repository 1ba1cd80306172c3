/* Dates, against the calendar of libc where it has one. */
#include "unit.h"

#include <errno.h>
#include <time.h>

#include "codec/date.h"

static void reads_days(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t end;
    } cases[] = {
        {"1970-01-01", 86400},     {"2026-12-31", 1798761600},   {"2024-02-29", 1709251200},
        {"2000-02-29", 951868800}, {"9999-12-31", 253402300800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t end = 0;
        assert_int_equal(date_parse_day(cases[i].text, &end), 0);
        assert_int_equal(end, cases[i].end);
    }
}

static void refuses_what_is_no_day(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-12",
        "2026-12-3",
        "2026-12-311",
        "2026-1-31",
        "2026/12/31",
        "31-12-2026",
        " 2026-12-31",
        "2026-12-31 ",
        "2026-02-29",
        "1900-02-29",
        "2100-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-04-31",
        "1969-12-31",
        "10000-01-01",
        "-026-01-01",
        "+2026-01-1",
        "2026-12-3a",
        "2026-12-31T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t end = 77;
        assert_int_equal(date_parse_day(cases[i], &end), -EINVAL);
        assert_int_equal(end, 77);
    }
}

/* Every day of the years that anybody will declare, and then some. */
static void agrees_with_libc(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 200 * 366; day++) {
        time_t begin = day * 86400;
        struct tm tm;
        char text[40], http[64], shown[DATE_SIZE];
        int64_t end = 0, seconds = 0;
        assert_non_null(gmtime_r(&begin, &tm));
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
        assert_int_equal(date_parse_day(text, &end), 0);
        assert_int_equal(end, begin + 86400);
        strftime(http, sizeof http, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_int_equal(date_parse_http(http, &seconds), 0);
        assert_int_equal(seconds, begin);
        strftime(http, sizeof http, "%a %b %e %H:%M:%S %Y", &tm);
        assert_int_equal(date_parse_http(http, &seconds), 0);
        assert_int_equal(seconds, begin);
        strcat(text, " 23:59:59Z");
        assert_string_equal(date_format_utc(begin + 86399, shown), text);
        text[10] = 'T';
        assert_string_equal(date_format_iso(begin + 86399, shown), text);
        assert_int_equal(date_parse_iso(text, &seconds), 0);
        assert_int_equal(seconds, begin + 86399);
    }
}

static void reads_http_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wednesday, 01-Jan-69 00:00:00 GMT", 3124224000},
        {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Thu Jan 15 00:00:00 2026", 1768435200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = -1;
        assert_int_equal(date_parse_http(cases[i].text, &seconds), 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void refuses_what_is_no_http_date(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "0",
        "120",
        "Sun",
        "Sun,",
        "Sun, ",
        "Sunday",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Mon, 06 Xyz 1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Mondy, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  16 08:49:37 1994",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = 77;
        assert_int_equal(date_parse_http(cases[i], &seconds), -EINVAL);
        assert_int_equal(seconds, 77);
    }
}

static void refuses_what_is_no_iso_date(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026-12-31",
        "2026-12-31 14:05:09Z",
        "2026-12-31T14:05:09",
        "2026-12-31T14:05:09z",
        "2026-12-31T14:05:09+00:00",
        "2026-12-31T14:05:09.5Z",
        "2026-12-31T14:05:09ZZ",
        "2026-12-31T24:00:00Z",
        "2026-12-31T14:60:09Z",
        "2026-02-29T14:05:09Z",
        "1969-12-31T23:59:59Z",
        "20261231T140509Z",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = 77;
        assert_int_equal(date_parse_iso(cases[i], &seconds), -EINVAL);
        assert_int_equal(seconds, 77);
    }
}

static void formats_any_value(void **state)
{
    (void)state;
    char buffer[DATE_SIZE];
    assert_string_equal(date_format_utc(1798725909, buffer), "2026-12-31 14:05:09Z");
    assert_string_equal(date_format_utc(0, buffer), "1970-01-01 00:00:00Z");
    assert_string_equal(date_format_utc(-1, buffer), "1969-12-31 23:59:59Z");
    assert_string_equal(date_format_utc(951782400, buffer), "2000-02-29 00:00:00Z");
    assert_string_equal(date_format_utc(253402300799, buffer), "9999-12-31 23:59:59Z");
    assert_string_equal(date_format_utc(INT64_MAX, buffer), "292277026596-12-04 15:30:07Z");
    assert_string_equal(date_format_utc(INT64_MIN, buffer), "-292277022657-01-27 08:29:52Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_days),
        cmocka_unit_test(refuses_what_is_no_day),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(reads_http_dates),
        cmocka_unit_test(refuses_what_is_no_http_date),
        cmocka_unit_test(refuses_what_is_no_iso_date),
        cmocka_unit_test(formats_any_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

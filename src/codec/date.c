/* The proleptic Gregorian calendar, by arithmetic. */
#include "codec/date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS INT64_C(86400)

struct date {
    int64_t year;
    int month, day, hour, minute, second;
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/*
 * Days since 1970-01-01 of a date in the year 1970 or later. Years are counted from March, so that
 * the leap day is the last of its year.
 */
static int64_t days_since_epoch(const struct date *date)
{
    int64_t year = date->month > 2 ? date->year : date->year - 1;
    int64_t month = date->month > 2 ? date->month - 3 : date->month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + date->day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static bool is_date(const struct date *date)
{
    /* Second 60 is a leap second: it counts as the first second of the next minute. */
    return date->year >= 1970 && date->year <= 9999 && date->month >= 1 && date->month <= 12 &&
           date->day >= 1 && date->day <= days_in_month(date->year, date->month) &&
           date->hour <= 23 && date->minute <= 59 && date->second <= 60;
}

static int64_t seconds_since_epoch(const struct date *date)
{
    return days_since_epoch(date) * DAY_SECONDS + date->hour * 3600 + date->minute * 60 +
           date->second;
}

/* Takes exactly `digits` digits off *text. */
static bool take_number(const char **text, int digits, int *ret)
{
    int number = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (**text - '0');
    }
    *ret = number;
    return true;
}

static bool take_text(const char **text, const char *expected)
{
    size_t length = strlen(expected);
    if (strncmp(*text, expected, length) != 0)
        return false;
    *text += length;
    return true;
}

/* Takes one of `count` words off *text; *ret is its index. */
static bool take_word(const char **text, const char *const *words, int count, int *ret)
{
    for (int i = 0; i < count; i++) {
        if (take_text(text, words[i])) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool take_year(const char **text, int digits, int64_t *ret)
{
    int year;
    if (!take_number(text, digits, &year))
        return false;
    *ret = digits == 4 ? year : year < 70 ? year + 2000 : year + 1900;
    return true;
}

static bool take_month(const char **text, int *ret)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int index;
    if (!take_word(text, months, 12, &index))
        return false;
    *ret = index + 1;
    return true;
}

static bool take_clock(const char **text, struct date *date)
{
    return take_number(text, 2, &date->hour) && take_text(text, ":") &&
           take_number(text, 2, &date->minute) && take_text(text, ":") &&
           take_number(text, 2, &date->second);
}

/* "06 Nov 1994 08:49:37 GMT" after "Sun, ", or "06-Nov-94 08:49:37 GMT" after "Sunday, ". */
static bool take_rfc(const char *text, const char *separator, int year_digits, struct date *date)
{
    return take_number(&text, 2, &date->day) && take_text(&text, separator) &&
           take_month(&text, &date->month) && take_text(&text, separator) &&
           take_year(&text, year_digits, &date->year) && take_text(&text, " ") &&
           take_clock(&text, date) && take_text(&text, " GMT") && *text == '\0';
}

/* "Nov  6 08:49:37 1994" after "Sun ". */
static bool take_asctime(const char *text, struct date *date)
{
    return take_month(&text, &date->month) && take_text(&text, " ") &&
           take_number(&text, take_text(&text, " ") ? 1 : 2, &date->day) && take_text(&text, " ") &&
           take_clock(&text, date) && take_text(&text, " ") && take_year(&text, 4, &date->year) &&
           *text == '\0';
}

int date_parse_http(const char *text, int64_t *ret_seconds)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const rests[] = {"day", "sday", "nesday", "rsday", "day", "urday", "day"};
    struct date date = {0};
    int weekday;
    bool taken;
    if (!take_word(&text, names, 7, &weekday))
        return -EINVAL;
    if (take_text(&text, ", "))
        taken = take_rfc(text, " ", 4, &date);
    else if (take_text(&text, " "))
        taken = take_asctime(text, &date);
    else
        taken = take_text(&text, rests[weekday]) && take_text(&text, ", ") &&
                take_rfc(text, "-", 2, &date);
    if (!taken || !is_date(&date))
        return -EINVAL;
    *ret_seconds = seconds_since_epoch(&date);
    return 0;
}

int date_parse_day(const char *text, int64_t *ret_end_seconds)
{
    struct date date = {0};
    if (!take_year(&text, 4, &date.year) || !take_text(&text, "-") ||
        !take_number(&text, 2, &date.month) || !take_text(&text, "-") ||
        !take_number(&text, 2, &date.day) || *text != '\0' || !is_date(&date))
        return -EINVAL;
    *ret_end_seconds = seconds_since_epoch(&date) + DAY_SECONDS;
    return 0;
}

int date_parse_iso(const char *text, int64_t *ret_seconds)
{
    struct date date = {0};
    if (!take_year(&text, 4, &date.year) || !take_text(&text, "-") ||
        !take_number(&text, 2, &date.month) || !take_text(&text, "-") ||
        !take_number(&text, 2, &date.day) || !take_text(&text, "T") || !take_clock(&text, &date) ||
        !take_text(&text, "Z") || *text != '\0' || !is_date(&date))
        return -EINVAL;
    *ret_seconds = seconds_since_epoch(&date);
    return 0;
}

/* Splits a count of days since the epoch, of either sign, into year, month and day. */
static struct date date_from_days(int64_t days)
{
    /* 400 years have 146097 days; day 0 of the count below is 0000-03-01. */
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day = shifted - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct date date = {
        .year = year + era * 400 + (month >= 10),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    return date;
}

static const char *format(int64_t seconds, char between, char buffer[static DATE_SIZE])
{
    int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
    if (rest < 0) {
        rest += DAY_SECONDS;
        days--;
    }
    struct date date = date_from_days(days);
    snprintf(buffer, DATE_SIZE, "%04lld-%02d-%02d%c%02d:%02d:%02dZ", (long long)date.year,
             date.month, date.day, between, (int)(rest / 3600), (int)(rest / 60 % 60),
             (int)(rest % 60));
    return buffer;
}

const char *date_format_utc(int64_t seconds, char buffer[static DATE_SIZE])
{
    return format(seconds, ' ', buffer);
}

const char *date_format_iso(int64_t seconds, char buffer[static DATE_SIZE])
{
    return format(seconds, 'T', buffer);
}

/* Dates as files and servers write them, in UTC, without locale or time zone. */
#pragma once

#include <stdint.h>

/*
 * Reads a day, "2026-12-31", of the Gregorian calendar, years 1970 to 9999. *ret_end_seconds is the
 * first second (since the epoch, UTC) after that day. Returns 0, or -EINVAL.
 */
int date_parse_day(const char *text, int64_t *ret_end_seconds);

/*
 * Reads a date in one of the three forms of RFC 9110 §5.6.7 into seconds since the epoch. A year of
 * two digits is one of 1970 to 2069. The name of the weekday must be one, but is not compared with
 * the date. Returns 0, or -EINVAL (also for years outside 1970 to 9999).
 */
int date_parse_http(const char *text, int64_t *ret_seconds);

/* Reads "2026-12-31T14:05:09Z" of the years 1970 to 9999. Returns 0, or -EINVAL. */
int date_parse_iso(const char *text, int64_t *ret_seconds);

#define DATE_SIZE 32

/* Writes seconds since the epoch as "2026-12-31 14:05:09Z"; takes any value. Returns `buffer`. */
const char *date_format_utc(int64_t seconds, char buffer[static DATE_SIZE]);
/* The same as "2026-12-31T14:05:09Z", for programs. */
const char *date_format_iso(int64_t seconds, char buffer[static DATE_SIZE]);

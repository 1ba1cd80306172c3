/* How long a service asks to be left alone: Retry-After in all its forms. */
#pragma once

#include <stdint.h>

/*
 * The wait in microseconds that the values of `retry-after-ms` and `retry-after` ask for, or
 * PACE_NEVER (core/pace.h) when neither says anything usable. Either may be NULL. The first wins,
 * as in the vendor's SDKs. Seconds may have a fraction; an HTTP date (RFC 9110 §10.2.3) counts from
 * `date`, the answer's own Date, and a past one means at once; negative numbers say nothing. What
 * is longer than a day counts as a day.
 */
uint64_t retry_after_parse(const char *milliseconds, const char *value, int64_t date);

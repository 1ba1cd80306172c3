/* Retry-After. */
#include "retry.h"

#include <stddef.h>

#include "codec/date.h"
#include "core/pace.h"

#define DAY_USEC (UINT64_C(24) * 3600 * 1000000)

/* A decimal number with an optional fraction, times `unit` microseconds; nothing else may follow.
 */
static uint64_t parse_decimal(const char *text, uint64_t unit)
{
    uint64_t whole = 0, part = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        whole = whole > DAY_USEC ? whole : whole * 10 + (uint64_t)(*p - '0');
    if (p == text)
        return PACE_NEVER;
    if (*p == '.') {
        uint64_t scale = unit;
        for (p++; *p >= '0' && *p <= '9'; p++) {
            scale /= 10;
            part += (uint64_t)(*p - '0') * scale;
        }
    }
    while (*p == ' ' || *p == '\t')
        p++;
    if (*p != '\0')
        return PACE_NEVER;
    if (whole > DAY_USEC / unit)
        return DAY_USEC;
    uint64_t wait = whole * unit + part;
    return wait < DAY_USEC ? wait : DAY_USEC;
}

uint64_t retry_after_parse(const char *milliseconds, const char *value, int64_t date)
{
    if (milliseconds) {
        uint64_t wait = parse_decimal(milliseconds, 1000);
        if (wait != PACE_NEVER)
            return wait;
    }
    if (!value)
        return PACE_NEVER;
    uint64_t wait = parse_decimal(value, 1000000);
    int64_t until;
    if (wait != PACE_NEVER || date == 0 || date_parse_http(value, &until) < 0)
        return wait;
    if (until <= date)
        return 0;
    uint64_t seconds = (uint64_t)until - (uint64_t)date;
    return seconds > DAY_USEC / 1000000 ? DAY_USEC : seconds * 1000000;
}

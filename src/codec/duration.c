/* Durations. */
#include "codec/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
    const char *name;
    uint64_t usec;
} units[] = {
    {"d", 86400 * USEC_PER_SEC}, {"h", 3600 * USEC_PER_SEC}, {"m", 60 * USEC_PER_SEC},
    {"s", USEC_PER_SEC},         {"ms", USEC_PER_MSEC},
};
#define UNITS (sizeof units / sizeof *units)

#define LONGEST (3653 * 86400 * USEC_PER_SEC)

/* The index of the unit that *text begins with, UNITS when there is none; moves *text past it. */
static size_t take_unit(const char **text)
{
    size_t length = strspn(*text, "dhms");
    for (size_t i = 0; i < UNITS; i++) {
        if (strlen(units[i].name) == length && strncmp(*text, units[i].name, length) == 0) {
            *text += length;
            return i;
        }
    }
    return UNITS;
}

int duration_parse(const char *text, uint64_t *ret_usec)
{
    uint64_t total = 0;
    bool too_long = false;
    size_t next_unit = 0;
    if (*text == '\0')
        return -EINVAL;
    while (*text) {
        uint64_t number = 0;
        if (*text < '0' || *text > '9')
            return -EINVAL;
        for (; *text >= '0' && *text <= '9'; text++) {
            number = number * 10 + (uint64_t)(*text - '0');
            too_long |= number > LONGEST;
            number = number > LONGEST ? LONGEST : number;
        }
        size_t unit = take_unit(&text);
        if (unit == UNITS || unit < next_unit)
            return -EINVAL;
        next_unit = unit + 1;
        too_long |= number > (LONGEST - total) / units[unit].usec;
        total = too_long ? 0 : total + number * units[unit].usec;
    }
    if (too_long)
        return -ERANGE;
    *ret_usec = total;
    return 0;
}

const char *duration_format(uint64_t usec, char buffer[static 32])
{
    size_t used = 0;
    uint64_t rest = usec;
    buffer[0] = '\0';
    for (size_t i = 0; i < UNITS; i++) {
        uint64_t number = rest / units[i].usec;
        rest %= units[i].usec;
        if (number > 0)
            used += (size_t)snprintf(buffer + used, 32 - used, "%llu%s", (unsigned long long)number,
                                     units[i].name);
    }
    if (used == 0)
        snprintf(buffer, 32, "0s");
    return buffer;
}

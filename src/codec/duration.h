/* Durations as people write them: "90s", "5m", "1h30m", "2d"; units d, h, m, s, ms, largest first.
 */
#pragma once

#include <stdint.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

/* Reads a duration into microseconds. Returns 0, -EINVAL (not a duration), -ERANGE (over 10 years).
 */
int duration_parse(const char *text, uint64_t *ret_usec);

/* Writes it the way people would: "1h30m", "250ms", "0s". Returns `buffer`. */
const char *duration_format(uint64_t usec, char buffer[static 32]);

/* A token bucket: how many requests a minute the API takes, and how many at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rate {
    long long per_minute; /* 0: no limit */
    long long burst;
    double tokens;
    int64_t filled_ms; /* when `tokens` was last brought up to date */
};

/* Sets the limit and fills the bucket. */
void rate_set(struct rate *rate, long long per_minute, long long burst, int64_t now_ms);

/* Takes one token; false when there is none. */
bool rate_take(struct rate *rate, int64_t now_ms);

/* How long until there is a whole token, and until the bucket is full. */
int64_t rate_next_ms(const struct rate *rate);
int64_t rate_full_ms(const struct rate *rate);

/* The token bucket. */
#include "rate.h"

void rate_set(struct rate *rate, long long per_minute, long long burst, int64_t now_ms)
{
    rate->per_minute = per_minute;
    rate->burst = burst;
    rate->tokens = (double)burst;
    rate->filled_ms = now_ms;
}

static void fill(struct rate *rate, int64_t now_ms)
{
    int64_t passed = now_ms - rate->filled_ms;
    if (passed <= 0)
        return;
    rate->tokens += (double)passed * (double)rate->per_minute / 60000.0;
    if (rate->tokens > (double)rate->burst)
        rate->tokens = (double)rate->burst;
    rate->filled_ms = now_ms;
}

bool rate_take(struct rate *rate, int64_t now_ms)
{
    if (rate->per_minute == 0)
        return true;
    fill(rate, now_ms);
    if (rate->tokens < 1.0)
        return false;
    rate->tokens -= 1.0;
    return true;
}

static int64_t until(const struct rate *rate, double tokens)
{
    if (rate->per_minute == 0 || rate->tokens >= tokens)
        return 0;
    return (int64_t)((tokens - rate->tokens) * 60000.0 / (double)rate->per_minute) + 1;
}

int64_t rate_next_ms(const struct rate *rate)
{
    return until(rate, 1.0);
}

int64_t rate_full_ms(const struct rate *rate)
{
    return until(rate, (double)rate->burst);
}

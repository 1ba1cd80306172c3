/* The shared brake, and backoff. */
#include "pace.h"

#define SECOND        UINT64_C(1000000)
#define BRAKE_FIRST   (SECOND / 4)
#define BRAKE_LONGEST (60 * SECOND)
/* The least and the most that a learned interval may be: 50 a second, one in 20 s. */
#define INTERVAL_LEAST (SECOND / 50)
#define INTERVAL_MOST  (20 * SECOND)

void pace_init(struct pace *pace, unsigned requests_per_minute, uint64_t seed)
{
    *pace = (struct pace){.random = seed | 1};
    if (requests_per_minute > 0)
        pace->fixed = pace->interval = 60 * SECOND / requests_per_minute;
}

uint64_t pace_ready_at(const struct pace *pace)
{
    return pace->ready_at;
}

void pace_sent(struct pace *pace, uint64_t now)
{
    uint64_t from = pace->ready_at > now ? pace->ready_at : now;
    pace->ready_at = from + pace->interval;
}

void pace_passed(struct pace *pace)
{
    pace->limited = 0;
    pace->brake = 0;
    /* Creep back towards what the service really allows: 2 % faster with each success. */
    if (pace->interval > INTERVAL_LEAST && pace->fixed == 0)
        pace->interval -= pace->interval / 50;
}

/* Never earlier than what holds already, be it a set rate or a longer hint. */
static void hold_until(struct pace *pace, uint64_t until)
{
    if (pace->ready_at < until)
        pace->ready_at = until;
    pace->limited_until = pace->ready_at;
}

void pace_limited(struct pace *pace, uint64_t sent, uint64_t now, uint64_t hint)
{
    /* Requests that were under way together meet the same limit: that is one brake, not four. */
    if (sent < pace->limited_until) {
        if (hint != PACE_NEVER)
            hold_until(pace, now + hint);
        return;
    }
    pace->limited++;
    if (pace->brake == 0)
        pace->brake = BRAKE_FIRST;
    else
        pace->brake = pace->brake < BRAKE_LONGEST / 2 ? 2 * pace->brake : BRAKE_LONGEST;
    uint64_t wait = hint != PACE_NEVER ? hint : pace->brake;
    hold_until(pace, now + wait + pace_random(pace, wait / 8 + 1));
    if (pace->fixed == 0) {
        uint64_t slower = pace->interval == 0 ? SECOND / 10 : pace->interval + pace->interval / 2;
        pace->interval = slower < INTERVAL_MOST ? slower : INTERVAL_MOST;
    }
}

uint64_t pace_backoff(struct pace *pace, unsigned attempt)
{
    unsigned doublings = attempt == 0 ? 0 : attempt - 1;
    uint64_t wait = (SECOND / 2) << (doublings < 6 ? doublings : 6);
    if (wait > 30 * SECOND)
        wait = 30 * SECOND;
    return wait - pace_random(pace, wait / 4);
}

uint64_t pace_random(struct pace *pace, uint64_t bound)
{
    /* xorshift64: jitter needs no more, and a seed repeats a run. */
    uint64_t x = pace->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    pace->random = x;
    return bound == 0 ? 0 : x % bound;
}

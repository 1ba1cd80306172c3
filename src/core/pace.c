/* The shared brake, and backoff. */
#include "pace.h"

#define SECOND UINT64_C(1000000)
/* Without a hint: this long, four times as long each time, but no longer than a minute. */
#define BRAKE_FIRST   (SECOND / 10)
#define BRAKE_GROWTH  4
#define BRAKE_LONGEST (60 * SECOND)
/* The most that a learned interval may be. */
#define INTERVAL_MOST (60 * SECOND)
/* After a pause of so many intervals the bucket has filled up: it tells nothing any more. */
#define PAUSE_INTERVALS 4
/* So many successes since the last 429 make it likely that the interval is longer than it must be.
 */
#define PASSED_MANY 16
/* Under way at a time while no limit is known: so many, and one more for so many successes. */
#define ALONGSIDE        4
#define ALONGSIDE_GROWTH 8
/* The same while there is a limit of which the rate is not known: one for so many successes. */
#define PROBING_GROWTH 4

void pace_init(struct pace *pace, unsigned requests_per_minute, uint64_t seed)
{
    *pace = (struct pace){.random = seed | 1, .round_trip = PACE_NEVER};
    if (requests_per_minute > 0)
        pace->fixed = pace->interval = 60 * SECOND / requests_per_minute;
}

uint64_t pace_ready_at(const struct pace *pace)
{
    return pace->ready_at;
}

/* How far behind a request the next one follows, unless an answer comes first. */
static uint64_t gap(const struct pace *pace)
{
    if (pace->interval > 0 || pace->round_trip == PACE_NEVER)
        return pace->interval;
    if (pace->empty_at == 0)
        return pace->round_trip / (ALONGSIDE + pace->passed / ALONGSIDE_GROWTH);
    if (pace->passed == 0)
        return pace->brake + 2 * pace->round_trip;
    return PROBING_GROWTH * pace->round_trip / pace->passed;
}

void pace_sent(struct pace *pace, uint64_t now)
{
    uint64_t interval = pace->interval > 0 ? pace->interval : pace->brake;
    if (pace->empty_at != 0 && now > pace->ready_at + PAUSE_INTERVALS * interval)
        pace->empty_at = pace->passed = 0;
    uint64_t from = pace->ready_at > now ? pace->ready_at : now;
    pace->ready_at = from + gap(pace);
}

/*
 * Towards what the service really allows: each success takes this part off the interval. One that
 * rests on few successes may be wrong by one of them, and the longer no 429 has come, the more.
 */
static uint64_t creep(const struct pace *pace)
{
    if (pace->passed >= 2 * PASSED_MANY)
        return 50;
    if (pace->passed >= PASSED_MANY)
        return 100;
    return pace->measured < 8 ? 64 * pace->measured : 512;
}

void pace_passed(struct pace *pace, uint64_t sent, uint64_t now)
{
    pace->limited = 0;
    if (pace->fixed > 0)
        return;
    if (sent > pace->empty_at)
        pace->passed++;
    if (pace->round_trip > now - sent)
        pace->round_trip = now - sent;
    if (pace->interval == 0) {
        /* The next one may go at once, unless somebody asked for a longer pause meanwhile. */
        pace->ready_at = now > pace->limited_until ? now : pace->limited_until;
        return;
    }
    pace->interval -= pace->interval / creep(pace);
}

/* A request that was sent at `sent` met an empty bucket. */
static void learn(struct pace *pace, uint64_t sent)
{
    if (pace->empty_at != 0 && pace->passed == 0)
        return; /* nothing was refilled yet: the measure goes on */
    if (pace->empty_at != 0) {
        pace->interval = 2 * (sent - pace->empty_at) / (2 * pace->passed + 1);
        pace->measured = pace->passed;
    }
    if (pace->interval > INTERVAL_MOST)
        pace->interval = INTERVAL_MOST;
    pace->empty_at = sent;
    pace->passed = 0;
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
    if (pace->fixed == 0)
        learn(pace, sent);
    bool known = pace->interval > 0 && pace->limited == 1;
    if (pace->limited == 1)
        pace->brake = BRAKE_FIRST;
    else
        pace->brake =
            pace->brake < BRAKE_LONGEST / BRAKE_GROWTH ? BRAKE_GROWTH * pace->brake : BRAKE_LONGEST;
    /* With a rate that is known, the next token is not far. */
    uint64_t wait = hint != PACE_NEVER ? hint : known ? pace->interval : pace->brake;
    hold_until(pace, now + wait + pace_random(pace, wait / 8 + 1));
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

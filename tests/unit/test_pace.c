/* The brake: set and learned rates, 429 with and without a hint, backoff. */
#include "unit.h"

#include "core/pace.h"

#define SECOND UINT64_C(1000000)

/* Between `least` and `least` plus an eighth: every wait is jittered upwards. */
static void assert_wait(uint64_t wait, uint64_t least)
{
    if (wait < least || wait > least + least / 8 + 1)
        fail_msg("waits %llu, not about %llu", (unsigned long long)wait, (unsigned long long)least);
}

static void a_set_rate_is_kept(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 30, 1);
    uint64_t now = 5 * SECOND;
    assert_true(pace_ready_at(&pace) <= now);
    for (int i = 0; i < 5; i++) {
        pace_sent(&pace, now);
        assert_int_equal(pace_ready_at(&pace), now + 2 * SECOND);
        pace_passed(&pace, now, now);
        now += 2 * SECOND;
    }
    /* Idle time is not saved up. */
    now += 100 * SECOND;
    pace_sent(&pace, now);
    assert_int_equal(pace_ready_at(&pace), now + 2 * SECOND);
    /* The service's limits do not change what was set. */
    pace_limited(&pace, now, now, 0);
    pace_sent(&pace, now + 10 * SECOND);
    assert_int_equal(pace_ready_at(&pace), now + 12 * SECOND);
}

static void a_brake_never_hurries_a_set_rate(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 1, 1);
    pace_sent(&pace, 0);
    pace_limited(&pace, 0, SECOND, PACE_NEVER);
    assert_true(pace_ready_at(&pace) >= 60 * SECOND);
}

static void without_a_limit_nothing_waits(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 1);
    for (int i = 0; i < 100; i++) {
        pace_sent(&pace, 7);
        pace_passed(&pace, 7, 7);
        assert_true(pace_ready_at(&pace) <= 7);
    }
}

static void the_hint_is_obeyed(void **state)
{
    (void)state;
    struct pace pace;
    for (uint64_t seed = 0; seed < 50; seed++) {
        pace_init(&pace, 0, seed);
        pace_sent(&pace, 0);
        pace_limited(&pace, 0, SECOND, 20 * SECOND);
        assert_wait(pace_ready_at(&pace) - SECOND, 20 * SECOND);
        assert_int_equal(pace.limited, 1);
    }
    pace_init(&pace, 0, 1);
    pace_limited(&pace, 0, SECOND, 0);
    assert_true(pace_ready_at(&pace) <= SECOND + 1);
}

static void without_a_hint_the_brake_grows_fourfold(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 9);
    uint64_t now = SECOND, expected = SECOND / 10;
    for (unsigned i = 1; i < 20; i++) {
        pace_limited(&pace, now, now, PACE_NEVER);
        assert_int_equal(pace.limited, i);
        assert_wait(pace_ready_at(&pace) - now, expected);
        now = pace_ready_at(&pace);
        expected = expected * 4 < 60 * SECOND ? expected * 4 : 60 * SECOND;
    }
    pace_passed(&pace, now, now + 1);
    assert_int_equal(pace.limited, 0);
}

static void requests_under_way_together_are_one_brake(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 9);
    for (int i = 0; i < 4; i++)
        pace_sent(&pace, SECOND);
    pace_limited(&pace, SECOND, 2 * SECOND, PACE_NEVER);
    uint64_t ready = pace_ready_at(&pace), interval = pace.interval;
    for (int i = 0; i < 3; i++)
        pace_limited(&pace, SECOND, 2 * SECOND + 1, PACE_NEVER);
    assert_int_equal(pace_ready_at(&pace), ready);
    assert_int_equal(pace.interval, interval);
    assert_int_equal(pace.limited, 1);
    /* But the one sent after the brake meets a new limit. */
    pace_limited(&pace, ready, ready + 1, PACE_NEVER);
    assert_int_equal(pace.limited, 2);
    assert_wait(pace_ready_at(&pace) - ready - 1, SECOND * 4 / 10);
}

/* Of several answers to requests under way together, the one that asks for the longest wait wins.
 */
static void the_longest_hint_of_a_brake_is_obeyed(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 9);
    pace_limited(&pace, SECOND, 2 * SECOND, PACE_NEVER);
    pace_limited(&pace, SECOND, 2 * SECOND, 30 * SECOND);
    assert_true(pace_ready_at(&pace) >= 32 * SECOND);
    pace_limited(&pace, SECOND, 2 * SECOND, 5 * SECOND);
    assert_true(pace_ready_at(&pace) >= 32 * SECOND);
}

/* A service that allows `per_minute` requests, four at once, and says nothing about it. */
struct bucket {
    double tokens, per_minute;
    uint64_t at;
};

static bool bucket_gives(struct bucket *bucket, uint64_t now)
{
    bucket->tokens += (double)(now - bucket->at) * bucket->per_minute / (60.0 * SECOND);
    bucket->at = now;
    if (bucket->tokens > 4)
        bucket->tokens = 4;
    if (bucket->tokens < 1)
        return false;
    bucket->tokens--;
    return true;
}

struct outcome {
    unsigned limited;
    double ratio; /* of the time that it took to the least that the limit allows */
};

struct under_way {
    uint64_t due, sent;
    bool passes;
};

/* Sends until `wanted` have passed, up to four under way, each answered after `latency`. */
static struct outcome send_all(struct pace *pace, double per_minute, unsigned wanted,
                               uint64_t latency)
{
    struct bucket bucket = {.tokens = 4, .per_minute = per_minute};
    struct under_way under_way[4];
    unsigned count = 0, passed = 0, limited = 0;
    uint64_t now = 0;
    while (passed < wanted) {
        unsigned next = 0;
        for (unsigned i = 1; i < count; i++)
            if (under_way[i].due < under_way[next].due)
                next = i;
        uint64_t due = count > 0 ? under_way[next].due : PACE_NEVER;
        bool room = count < 4 && passed + count < wanted;
        if (room && pace_ready_at(pace) <= now) {
            pace_sent(pace, now);
            under_way[count++] = (struct under_way){now + latency, now, bucket_gives(&bucket, now)};
        } else if (room && pace_ready_at(pace) < due) {
            now = pace_ready_at(pace);
        } else {
            struct under_way answered = under_way[next];
            under_way[next] = under_way[--count];
            now = due;
            passed += answered.passes;
            limited += !answered.passes;
            if (answered.passes)
                pace_passed(pace, answered.sent, now);
            else
                pace_limited(pace, answered.sent, now, PACE_NEVER);
        }
    }
    double least = (wanted - 4) * 60.0 * SECOND / per_minute;
    return (struct outcome){limited, (double)now / least};
}

static void a_limit_is_learned_without_a_word(void **state)
{
    (void)state;
    static const double rates[] = {3, 8, 20, 60, 150, 300, 600};
    static const uint64_t latencies[] = {SECOND / 1000, SECOND / 20};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        for (size_t l = 0; l < 2; l++) {
            for (uint64_t seed = 1; seed <= 20; seed++) {
                struct pace pace;
                pace_init(&pace, 0, seed * 7919);
                struct outcome outcome =
                    send_all(&pace, rates[r], rates[r] < 60 ? 60 : 100, latencies[l]);
                assert_in_range(outcome.limited, 0, 12);
                assert_true(outcome.ratio <= 1.15);
            }
        }
    }
}

/* One at a time while nothing is known, and at once when somebody asked for longer. */
static void while_probing_a_hint_of_another_answer_holds(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 1);
    for (int i = 0; i < 3; i++)
        pace_sent(&pace, 0);
    pace_limited(&pace, 0, 10, PACE_NEVER);
    pace_limited(&pace, 0, 20, 30 * SECOND);
    pace_passed(&pace, 0, 30);
    assert_true(pace_ready_at(&pace) >= 30 * SECOND);
}

/* After a pause the bucket is full again: what passed meanwhile tells nothing of the rate. */
static void a_pause_is_no_measure(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 1);
    (void)send_all(&pace, 600, 100, SECOND / 1000);
    uint64_t learned = pace.interval, now = pace_ready_at(&pace) + 3600 * SECOND;
    assert_in_range(learned, SECOND / 13, SECOND / 8);
    pace_sent(&pace, now);
    pace_passed(&pace, now, now + 1000);
    pace_sent(&pace, now + 1000);
    pace_limited(&pace, now + 1000, now + 2000, PACE_NEVER);
    assert_in_range(pace.interval, learned / 2, 2 * learned);
}

static void backoff_doubles_up_to_thirty_seconds(void **state)
{
    (void)state;
    struct pace pace;
    bool spread = false;
    for (uint64_t seed = 0; seed < 100; seed++) {
        pace_init(&pace, 0, seed);
        static const unsigned attempts[] = {1, 2, 3, 4, 5, 6, 7, 8, 100, UINT32_MAX};
        static const uint64_t tenths[] = {5, 10, 20, 40, 80, 160, 300, 300, 300, 300};
        for (size_t i = 0; i < 10; i++) {
            uint64_t most = tenths[i] * SECOND / 10, wait = pace_backoff(&pace, attempts[i]);
            assert_true(wait <= most && wait > most - most / 4 - 1);
            spread |= wait < most - most / 8;
        }
    }
    assert_true(spread);
}

static void random_numbers_stay_below_their_bound(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 0);
    unsigned seen[10] = {0};
    for (int i = 0; i < 10000; i++)
        seen[pace_random(&pace, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 500, 1500);
    assert_int_equal(pace_random(&pace, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_rate_is_kept),
        cmocka_unit_test(a_brake_never_hurries_a_set_rate),
        cmocka_unit_test(without_a_limit_nothing_waits),
        cmocka_unit_test(the_hint_is_obeyed),
        cmocka_unit_test(without_a_hint_the_brake_grows_fourfold),
        cmocka_unit_test(requests_under_way_together_are_one_brake),
        cmocka_unit_test(the_longest_hint_of_a_brake_is_obeyed),
        cmocka_unit_test(a_limit_is_learned_without_a_word),
        cmocka_unit_test(while_probing_a_hint_of_another_answer_holds),
        cmocka_unit_test(a_pause_is_no_measure),
        cmocka_unit_test(backoff_doubles_up_to_thirty_seconds),
        cmocka_unit_test(random_numbers_stay_below_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

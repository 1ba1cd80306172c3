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
        pace_passed(&pace);
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
        pace_passed(&pace);
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

static void without_a_hint_the_brake_doubles(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 9);
    uint64_t now = SECOND, expected = SECOND / 4;
    for (unsigned i = 1; i < 20; i++) {
        pace_limited(&pace, now, now, PACE_NEVER);
        assert_int_equal(pace.limited, i);
        assert_wait(pace_ready_at(&pace) - now, expected);
        now = pace_ready_at(&pace);
        expected = expected * 2 < 60 * SECOND ? expected * 2 : 60 * SECOND;
    }
    pace_passed(&pace);
    assert_int_equal(pace.limited, 0);
    pace_limited(&pace, now, now, PACE_NEVER);
    assert_wait(pace_ready_at(&pace) - now, SECOND / 4);
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
    assert_wait(pace_ready_at(&pace) - ready - 1, SECOND / 2);
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

static void a_rate_is_learned_and_unlearned(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 3);
    uint64_t now = 0;
    pace_limited(&pace, now, now, 0);
    assert_int_equal(pace.interval, SECOND / 10);
    for (int i = 0; i < 50; i++) {
        now = pace_ready_at(&pace);
        uint64_t before = pace.interval;
        pace_limited(&pace, now, now, 0);
        assert_true(pace.interval > before || pace.interval == 20 * SECOND);
    }
    assert_int_equal(pace.interval, 20 * SECOND);
    for (int i = 0; i < 1000; i++) {
        uint64_t before = pace.interval;
        pace_passed(&pace);
        assert_true(pace.interval <= before);
    }
    /* It never stops being careful altogether, and does get as fast as 50 a second. */
    assert_true(pace.interval > 0 && pace.interval <= SECOND / 50);
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
        cmocka_unit_test(without_a_hint_the_brake_doubles),
        cmocka_unit_test(requests_under_way_together_are_one_brake),
        cmocka_unit_test(the_longest_hint_of_a_brake_is_obeyed),
        cmocka_unit_test(a_rate_is_learned_and_unlearned),
        cmocka_unit_test(backoff_doubles_up_to_thirty_seconds),
        cmocka_unit_test(random_numbers_stay_below_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

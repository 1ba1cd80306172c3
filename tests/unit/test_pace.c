/* The brake: set and learned rates, 429 with and without a hint, backoff. */
#include "unit.h"

#include "core/pace.h"
#include "service.h"

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

/* The worst of twenty runs of `wanted` requests against a service. */
static struct outcome worst(const struct service *service, unsigned concurrency, unsigned wanted)
{
    struct outcome worst = {0};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct outcome one = service_run(service, &(struct client){concurrency, wanted, seed});
        worst.limited = one.limited > worst.limited ? one.limited : worst.limited;
        if (one.limited_in_row > worst.limited_in_row)
            worst.limited_in_row = one.limited_in_row;
        worst.ratio = one.ratio > worst.ratio ? one.ratio : worst.ratio;
    }
    return worst;
}

/* In a row, 13 end the pass: what a pass survives keeps well away from that. */
static void assert_worst(struct outcome worst, unsigned limited, double ratio)
{
    if (worst.limited > limited || worst.ratio > ratio || worst.limited_in_row > 6)
        fail_msg("%u of 429, %u in a row, %.3f of the least time", worst.limited,
                 worst.limited_in_row, worst.ratio);
}

/* What the product promises for 600 a minute, it keeps for slow limits as well. */
static void a_limit_is_learned_without_a_word(void **state)
{
    (void)state;
    static const double rates[] = {3, 6, 8, 10, 20, 60, 150, 300, 600};
    static const uint64_t latencies[] = {0, SECOND / 1000, SECOND / 50, SECOND / 10};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        for (size_t l = 0; l < sizeof latencies / sizeof *latencies; l++) {
            struct service service = {.per_minute = rates[r], .burst = 4, .latency = latencies[l]};
            assert_worst(worst(&service, 4, rates[r] < 60 ? 61 : 101), 12, 1.15);
        }
    }
}

/* Whatever the bucket holds, how slow the answers are, and how many requests might run at a time.
 */
static void many_requests_at_a_time_meet_few_429(void **state)
{
    (void)state;
    static const double bursts[] = {2, 4, 20};
    static const uint64_t latencies[] = {SECOND / 300, SECOND / 10, SECOND * 3 / 10};
    for (size_t b = 0; b < 3; b++) {
        for (size_t l = 0; l < 3; l++) {
            struct service service = {
                .per_minute = 600, .burst = bursts[b], .latency = latencies[l]};
            assert_worst(worst(&service, 1, 101), 12, 1.6);
            assert_worst(worst(&service, 4, 101), 14, 1.6);
            assert_worst(worst(&service, 16, 101), 24, 1.6);
            assert_worst(worst(&service, 64, 101), 24, 1.6);
        }
    }
}

/* A bucket of one forgives no hurry; a limit of 6 a minute must not end the pass. */
static void a_bucket_of_one_takes_longer(void **state)
{
    (void)state;
    static const double rates[] = {6, 60, 600};
    for (size_t r = 0; r < 3; r++) {
        struct service service = {.per_minute = rates[r], .burst = 1, .latency = SECOND / 100};
        assert_worst(worst(&service, 4, rates[r] < 60 ? 61 : 101), 12, 2.5);
    }
}

static void hints_are_enough_to_learn_from(void **state)
{
    (void)state;
    struct service service = {.per_minute = 600, .burst = 4, .hint = HINT_EXACT, .latency = 5000};
    assert_worst(worst(&service, 4, 101), 12, 1.15);
    service.per_minute = 8;
    assert_worst(worst(&service, 4, 61), 12, 1.15);
    service.hint = HINT_SECONDS;
    assert_worst(worst(&service, 4, 61), 12, 1.15);
    /* A second is long where ten requests a second would pass. */
    service.per_minute = 600;
    assert_worst(worst(&service, 4, 101), 12, 2.5);
}

static void windows_are_lived_with(void **state)
{
    (void)state;
    struct service service = {
        .limit = SERVICE_WINDOW, .per_minute = 60, .burst = 60, .latency = 5000};
    assert_worst(worst(&service, 4, 101), 12, 2);
    service.per_minute = service.burst = 10;
    assert_worst(worst(&service, 4, 61), 30, 2);
    service.hint = HINT_SECONDS;
    assert_worst(worst(&service, 4, 61), 24, 1.5);
}

static void a_limit_that_moves_is_followed(void **state)
{
    (void)state;
    struct service falls = {
        .per_minute = 600, .burst = 4, .latency = 5000, .changes_at = 4 * SECOND, .changes_to = 60};
    assert_worst(worst(&falls, 4, 101), 18, 1.15);
    struct service rises = {.per_minute = 60,
                            .burst = 4,
                            .latency = 5000,
                            .changes_at = 20 * SECOND,
                            .changes_to = 600};
    assert_worst(worst(&rises, 4, 101), 12, 4);
    struct service shared = {.per_minute = 600, .burst = 4, .latency = 5000, .others = 0.5};
    assert_worst(worst(&shared, 4, 101), 18, 1.6);
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
    struct service service = {.per_minute = 600, .burst = 4, .latency = SECOND / 1000};
    struct pace pace = service_run(&service, &(struct client){4, 100, 1}).pace;
    uint64_t learned = pace.interval, now = pace_ready_at(&pace) + 3600 * SECOND;
    assert_in_range(learned, SECOND / 13, SECOND / 8);
    pace_sent(&pace, now);
    pace_passed(&pace, now, now + 1000);
    pace_sent(&pace, now + 1000);
    pace_limited(&pace, now + 1000, now + 2000, PACE_NEVER);
    assert_in_range(pace.interval, learned / 2, 2 * learned);
}

/* One 429 a day, say, is no rate of a few requests a day. */
static void a_pause_before_anything_is_known_is_no_measure(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0, 1);
    uint64_t now = SECOND;
    for (int day = 0; day < 3; day++) {
        for (int i = 0; i < 5; i++) {
            bool passes = i != 2;
            pace_sent(&pace, now);
            if (passes)
                pace_passed(&pace, now, now + 1000);
            else
                pace_limited(&pace, now, now + 1000, PACE_NEVER);
            now = pace_ready_at(&pace);
        }
        assert_int_equal(pace.interval, 0);
        now += 24 * 3600 * SECOND;
    }
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
        cmocka_unit_test(many_requests_at_a_time_meet_few_429),
        cmocka_unit_test(a_bucket_of_one_takes_longer),
        cmocka_unit_test(hints_are_enough_to_learn_from),
        cmocka_unit_test(windows_are_lived_with),
        cmocka_unit_test(a_limit_that_moves_is_followed),
        cmocka_unit_test(while_probing_a_hint_of_another_answer_holds),
        cmocka_unit_test(a_pause_is_no_measure),
        cmocka_unit_test(a_pause_before_anything_is_known_is_no_measure),
        cmocka_unit_test(backoff_doubles_up_to_thirty_seconds),
        cmocka_unit_test(random_numbers_stay_below_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

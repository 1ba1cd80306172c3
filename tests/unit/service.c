/* A limit, and a client that meets it, in virtual time. */
#include "service.h"

#include <stddef.h>

/* No clock of a running system stands at 0. */
#define START  UINT64_C(1000000)
#define MINUTE (UINT64_C(60) * 1000000)
/* How often the client that knows everything looks. */
#define TICKS_PER_TOKEN 400

/* What the limit has left. */
struct meter {
    double tokens;
    uint64_t at;
    struct pace chance; /* when other clients come */
};

static double rate_at(const struct service *service, uint64_t now)
{
    bool changed = service->changes_at > 0 && now >= START + service->changes_at;
    return (changed ? service->changes_to : service->per_minute) / (double)MINUTE;
}

/* Windows do not begin when we do: the first is half over. */
static uint64_t window_of(const struct service *service, uint64_t at)
{
    double length = service->burst / rate_at(service, at);
    return (uint64_t)((double)at / length + 0.5);
}

static void meter_refill(struct meter *meter, const struct service *service, uint64_t now)
{
    if (service->limit == SERVICE_WINDOW) {
        if (window_of(service, now) != window_of(service, meter->at))
            meter->tokens = service->burst * (1 - service->others);
    } else {
        double refilled = (double)(now - meter->at) * rate_at(service, now);
        /* Others take theirs now and then, a whole token at a time, and before us. */
        double theirs = refilled * service->others;
        double whole = (double)(uint64_t)theirs;
        if ((double)pace_random(&meter->chance, 1000000) < (theirs - whole) * 1e6)
            whole++;
        meter->tokens += refilled - whole;
        if (meter->tokens > service->burst)
            meter->tokens = service->burst;
    }
    meter->at = now;
}

static bool meter_gives(struct meter *meter, const struct service *service, uint64_t now)
{
    meter_refill(meter, service, now);
    /* Sums of parts of tokens are not exact. */
    if (meter->tokens < 1 - 1e-9)
        return false;
    meter->tokens--;
    return true;
}

static struct meter meter_full(const struct service *service, uint64_t seed)
{
    struct meter meter = {.tokens = service->burst, .at = START};
    pace_init(&meter.chance, 0, seed);
    return meter;
}

static uint64_t hint_of(const struct meter *meter, const struct service *service, uint64_t now)
{
    double rate = rate_at(service, now), length = service->burst / rate;
    double wait = service->limit == SERVICE_BUCKET
                      ? (1 - meter->tokens) / rate
                      : ((double)window_of(service, now) + 0.5) * length - (double)now;
    uint64_t usec = (uint64_t)wait + 1;
    switch (service->hint) {
    case HINT_NONE:
        break;
    case HINT_EXACT:
        return (usec + 999) / 1000 * 1000;
    case HINT_SECONDS:
        return (usec + 999999) / 1000000 * 1000000;
    }
    return PACE_NEVER;
}

struct under_way {
    uint64_t sent, arrives, due;
    bool arrived, passes;
    uint64_t hint;
};

struct run {
    const struct service *service;
    const struct client *client;
    struct meter meter;
    struct pace pace, chance;
    struct under_way under_way[SERVICE_CONCURRENCY_MAX];
    unsigned count, passed;
    uint64_t now;
    struct outcome outcome;
};

static void start_one(struct run *run)
{
    uint64_t half = run->service->latency / 2;
    uint64_t latency = half + pace_random(&run->chance, half + 1);
    pace_sent(&run->pace, run->now);
    run->under_way[run->count++] = (struct under_way){
        .sent = run->now,
        .arrives = run->now + latency / 2,
        .due = run->now + latency,
    };
}

/* The limit judges the request. */
static void arrive(struct run *run, struct under_way *request)
{
    request->arrived = true;
    request->passes = meter_gives(&run->meter, run->service, run->now);
    if (!request->passes)
        request->hint = hint_of(&run->meter, run->service, run->now);
}

static void answer(struct run *run, struct under_way *request)
{
    struct under_way answered = *request;
    *request = run->under_way[--run->count];
    if (answered.passes) {
        run->passed++;
        pace_passed(&run->pace, answered.sent, run->now);
    } else {
        run->outcome.limited++;
        pace_limited(&run->pace, answered.sent, run->now, answered.hint);
    }
    if (run->pace.limited > run->outcome.limited_in_row)
        run->outcome.limited_in_row = run->pace.limited;
}

static uint64_t next_event(const struct under_way *request)
{
    return request->arrived ? request->due : request->arrives;
}

/* What happens next to what is under way; NULL: nothing is. */
static struct under_way *first_event(struct run *run)
{
    struct under_way *first = NULL;
    for (unsigned i = 0; i < run->count; i++)
        if (!first || next_event(&run->under_way[i]) < next_event(first))
            first = &run->under_way[i];
    return first;
}

static bool has_room(const struct run *run)
{
    unsigned most = run->passed == 0 ? 1 : run->client->concurrency;
    return run->count < most && run->passed + run->count < run->client->wanted;
}

/* The least time: a client that asks all the time at no cost. */
static uint64_t least_time(const struct service *service, const struct client *client)
{
    struct meter meter = meter_full(service, client->seed);
    uint64_t latency = service->latency / 2 + service->latency / 4, now = START;
    uint64_t tick = (uint64_t)(1 / rate_at(service, 0)) / TICKS_PER_TOKEN + 1;
    uint64_t free_at[SERVICE_CONCURRENCY_MAX] = {0};
    for (unsigned i = 0; i < client->wanted; i++) {
        unsigned slot = i % client->concurrency;
        if (now < free_at[slot])
            now = free_at[slot];
        while (!meter_gives(&meter, service, now + latency / 2))
            now += tick;
        free_at[slot] = now + latency;
        if (i == 0)
            now += latency;
    }
    return now + latency - START + 1;
}

struct outcome service_run(const struct service *service, const struct client *client)
{
    struct run run = {
        .service = service, .client = client, .meter = meter_full(service, client->seed)};
    pace_init(&run.pace, 0, client->seed * 7919);
    pace_init(&run.chance, 0, client->seed * 104729);
    run.now = START;
    while (run.passed < client->wanted) {
        struct under_way *event = first_event(&run);
        uint64_t ready = pace_ready_at(&run.pace);
        ready = ready > run.now ? ready : run.now;
        if (has_room(&run) && (!event || ready < next_event(event))) {
            run.now = ready;
            start_one(&run);
            continue;
        }
        run.now = next_event(event);
        if (event->arrived)
            answer(&run, event);
        else
            arrive(&run, event);
    }
    run.outcome.ratio = (double)(run.now - START) / (double)least_time(service, client);
    run.outcome.pace = run.pace;
    return run.outcome;
}

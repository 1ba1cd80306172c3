/*
 * How the learned pace fares against limits of many kinds, in virtual time.
 *
 *     pace_sweep [SEEDS]
 *
 * Each line is a family of services; the figures are over all its members and seeds: the median and
 * the worst count of 429 and of 429 in a row, and of the ratio of the time taken to the least time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/service.h"

#define SAMPLES_MAX 200000

struct samples {
    double ratio[SAMPLES_MAX], limited[SAMPLES_MAX];
    unsigned count, in_row;
    char worst_ratio[160], worst_limited[160];
    double most_ratio, most_limited;
};

static struct samples samples;
static unsigned seeds = 20;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void name_case(char text[static 160], const struct service *service,
                      const struct client *client)
{
    snprintf(text, 160, "%g/min burst %g latency %g ms conc %u seed %llu", service->per_minute,
             service->burst, (double)service->latency / 1000, client->concurrency,
             (unsigned long long)client->seed);
}

static void take(const struct service *service, struct client client)
{
    for (client.seed = 1; client.seed <= seeds && samples.count < SAMPLES_MAX; client.seed++) {
        struct outcome outcome = service_run(service, &client);
        samples.ratio[samples.count] = outcome.ratio;
        samples.limited[samples.count++] = outcome.limited;
        if (outcome.limited_in_row > samples.in_row)
            samples.in_row = outcome.limited_in_row;
        if (outcome.ratio > samples.most_ratio) {
            samples.most_ratio = outcome.ratio;
            name_case(samples.worst_ratio, service, &client);
        }
        if (outcome.limited > samples.most_limited) {
            samples.most_limited = outcome.limited;
            name_case(samples.worst_limited, service, &client);
        }
    }
}

static double quantile(double *values, double part)
{
    qsort(values, samples.count, sizeof *values, by_value);
    return values[(unsigned)(part * (samples.count - 1))];
}

static void print(const char *name)
{
    printf("%-34s %6u runs  429: %3.0f %3.0f %3.0f  in a row %2u  ratio: %.3f %.3f %.3f\n", name,
           samples.count, quantile(samples.limited, 0.5), quantile(samples.limited, 0.99),
           quantile(samples.limited, 1), samples.in_row, quantile(samples.ratio, 0.5),
           quantile(samples.ratio, 0.99), quantile(samples.ratio, 1));
    printf("%34s   most 429: %s\n%34s   slowest:  %s\n", "", samples.worst_limited, "",
           samples.worst_ratio);
    memset(&samples, 0, sizeof samples);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
static const double rates[] = {6, 8, 10, 20, 60, 150, 300, 600, 1500, 6000};
static const double bursts[] = {1, 2, 4, 10, 20};
static const uint64_t latencies[] = {0, 3000, 20000, 100000, 300000};

/* Every rate, burst and latency, with `concurrency` requests at a time. */
static void sweep(struct service service, unsigned concurrency)
{
    for (unsigned r = 0; r < COUNT(rates); r++)
        for (unsigned b = 0; b < COUNT(bursts); b++)
            for (unsigned l = 0; l < COUNT(latencies); l++) {
                service.per_minute = rates[r];
                service.burst = bursts[b];
                service.latency = latencies[l];
                struct client client = {concurrency, rates[r] < 60 ? 61 : 101, 0};
                take(&service, client);
            }
}

static void goals(void)
{
    for (unsigned l = 0; l < COUNT(latencies); l++)
        take(&(struct service){.per_minute = 600, .burst = 4, .latency = latencies[l]},
             (struct client){4, 101, 0});
    print("goal: 600/min, burst 4, 100 creates");
    for (unsigned l = 0; l < COUNT(latencies); l++)
        take(&(struct service){.per_minute = 8, .burst = 4, .latency = latencies[l]},
             (struct client){4, 61, 0});
    print("goal: 8/min, burst 4, 60 creates");
}

static void windows(enum service_hint hint, const char *name)
{
    static const double most[] = {6, 10, 60, 100, 600};
    for (unsigned m = 0; m < COUNT(most); m++)
        for (unsigned l = 0; l < COUNT(latencies); l++)
            for (unsigned c = 1; c <= 16; c *= 4)
                take(&(struct service){.limit = SERVICE_WINDOW,
                                       .per_minute = most[m],
                                       .burst = most[m],
                                       .hint = hint,
                                       .latency = latencies[l]},
                     (struct client){c, most[m] < 60 ? 61 : 101, 0});
    print(name);
}

static void changes(double from, double to, uint64_t after, const char *name)
{
    for (unsigned b = 0; b < COUNT(bursts); b++)
        for (unsigned l = 0; l < COUNT(latencies); l++)
            take(&(struct service){.per_minute = from,
                                   .burst = bursts[b],
                                   .latency = latencies[l],
                                   .changes_at = after,
                                   .changes_to = to},
                 (struct client){4, 101, 0});
    print(name);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seeds = (unsigned)strtoul(argv[1], NULL, 10);
    printf("median, 99th of 100, and worst of each figure\n");
    goals();
    static const unsigned concurrencies[] = {1, 4, 16, 64};
    for (unsigned c = 0; c < COUNT(concurrencies); c++) {
        char name[64];
        snprintf(name, sizeof name, "bucket, concurrency %u", concurrencies[c]);
        sweep((struct service){0}, concurrencies[c]);
        print(name);
    }
    sweep((struct service){.hint = HINT_EXACT}, 4);
    print("bucket, retry-after-ms");
    sweep((struct service){.hint = HINT_SECONDS}, 4);
    print("bucket, Retry-After in seconds");
    sweep((struct service){.others = 0.5}, 4);
    print("bucket, half taken by others");
    windows(HINT_NONE, "windows of a minute, no hint");
    windows(HINT_SECONDS, "windows of a minute, Retry-After");
    changes(600, 60, 4000000, "600/min falls to 60 after 4 s");
    changes(60, 600, 20000000, "60/min rises to 600 after 20 s");
    return 0;
}

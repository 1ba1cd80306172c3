/* inviterd-sim: lives in virtual time, one a seed. Exits 1 at the first violation. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "life.h"

static const char help[] =
    "inviterd-sim [OPTION…]: drives the pass of inviterd against a model organisation\n"
    "  --seed N      the first seed (default 1)\n"
    "  --lives N     how many seeds (default 1000); 0: until --passes\n"
    "  --passes N    end after so many passes that met three faults or more\n"
    "  --people N    at least (default 20)\n"
    "  --faults N    tried in each faulty pass (default 6)\n"
    "  --trace       tell all that happens; for one life\n"
    "  --pace N      instead: one pass of --people creates under a limit of N requests a minute,\n"
    "                burst 4, of which the service says nothing, once for each of --lives\n";

struct run {
    uint64_t seed, lives, passes, pace;
    struct life_options life;
};

static bool parse_number(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *ret = value;
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

static bool parse(int argc, char **argv, struct run *run)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},   {"lives", required_argument, NULL, 'l'},
        {"passes", required_argument, NULL, 'p'}, {"people", required_argument, NULL, 'n'},
        {"faults", required_argument, NULL, 'f'}, {"trace", no_argument, NULL, 't'},
        {"pace", required_argument, NULL, 'r'},   {0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t value = 0;
        if (c == '?' || (optarg && !parse_number(optarg, &value)))
            return false;
        switch (c) {
        case 's':
            run->seed = value;
            break;
        case 'l':
            run->lives = value;
            break;
        case 'p':
            run->passes = value;
            break;
        case 'n':
            run->life.people = (unsigned)value;
            break;
        case 'r':
            run->pace = value;
            break;
        case 'f':
            run->life.faults = (unsigned)value;
            break;
        default:
            run->life.trace = true;
            break;
        }
    }
    return optind == argc && run->life.people > 0;
}

/* Prints each run, and returns whether none lost a create. */
static bool pace_all(const struct run *run)
{
    const struct life_limit limit = {
        .per_minute = (unsigned)run->pace, .burst = 4, .creates = run->life.people};
    bool all = true;
    for (uint64_t seed = run->seed; seed < run->seed + run->lives; seed++) {
        struct life_pace pace = life_pace(seed, &limit);
        printf("seed %llu: %zu made, %u requests taken, %u answers of 429, %.1f s, least %.1f s, "
               "ratio %.3f\n",
               (unsigned long long)seed, pace.made, pace.requests, pace.limited, pace.seconds,
               pace.least_seconds, pace.seconds / pace.least_seconds);
        all = all && pace.made == limit.creates;
    }
    return all;
}

int main(int argc, char **argv)
{
    struct run run = {
        .seed = 1, .lives = 1000, .life = {.people = 20, .faulty_passes = 6, .faults = 6}};
    if (!parse(argc, argv, &run)) {
        fputs(help, stderr);
        return 64;
    }
    if (run.pace > 0)
        return pace_all(&run) ? 0 : 1;
    struct tally tally = {0};
    for (uint64_t seed = run.seed; run.lives == 0 || seed < run.seed + run.lives; seed++) {
        if (run.passes != 0 && tally.with_faults >= run.passes)
            break;
        _cleanup_free_ char *violation = life_run(seed, &run.life, &tally);
        if (violation) {
            printf("seed %llu: violated: %s\n", (unsigned long long)seed, violation);
            return 1;
        }
    }
    if (!run.life.trace)
        tally_print(&tally);
    return 0;
}

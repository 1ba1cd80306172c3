/* Progress on standard error. */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "app/report.h"
#include "io/clock.h"

void progress_begin(struct progress *progress, const struct options *options,
                    const struct oneshot *oneshot)
{
    *progress = (struct progress){
        .options = options,
        .oneshot = oneshot,
        .live = !options->quiet && isatty(STDERR_FILENO),
    };
}

void progress_planned(struct progress *progress, const struct pass *pass)
{
    const struct plan *plan = pass_plan(pass);
    for (size_t i = 0; i < plan->lines.count; i++)
        progress->writes +=
            action_writes(plan->lines.items[i].action) && plan->lines.items[i].blocked_by == 0;
    /* Without memory there are no plain lines; the result tells everything anyway. */
    progress->told = calloc(plan->lines.count + 1, sizeof *progress->told);
}

/* For how many seconds nothing will move; 0 if it is no more than a moment. */
static unsigned long long seconds_to_wait(const struct progress *progress)
{
    uint64_t until = driver_waits_until(progress->oneshot->driver), now = clock_now().boot;
    return until != PACE_NEVER && until > now + 1000000 ? (until - now + 999999) / 1000000 : 0;
}

static void draw(struct progress *progress, const struct pass *pass)
{
    fputs("\r\033[K", stderr);
    if (!pass_plan(pass)) {
        fprintf(stderr, "listing invites: %zu so far", listing_invites(pass_listing(pass))->count);
    } else {
        size_t open = pass_writes_open(pass);
        size_t done = progress->writes > open ? progress->writes - open : 0;
        fprintf(stderr, "applying: %zu of %zu", done, progress->writes);
    }
    unsigned long long seconds = seconds_to_wait(progress);
    if (seconds > 0)
        fprintf(stderr, ", waiting %llu s %s", seconds, pass_waits_for(pass));
    fflush(stderr);
    progress->drawn = true;
}

static void tell(struct progress *progress, const struct plan *plan)
{
    for (size_t i = 0; progress->told && i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        if (progress->told[i] || line->result == RESULT_NONE || line->result == RESULT_BLOCKED)
            continue;
        progress->told[i] = true;
        report_note(progress->options, "%s %s: %s%s%s", action_word(line->action), line->email,
                    result_word(line->result), line->error ? ": " : "",
                    line->error ? line->error : "");
    }
}

/* A wait of some length is said once, so that a log does not just stand still. */
static void tell_wait(struct progress *progress, const struct pass *pass)
{
    uint64_t until = driver_waits_until(progress->oneshot->driver);
    unsigned long long seconds = seconds_to_wait(progress);
    if (seconds < 5 || until == progress->waited_until)
        return;
    progress->waited_until = until;
    report_note(progress->options, "waiting %llu s %s", seconds, pass_waits_for(pass));
}

void progress_moved(struct progress *progress, const struct pass *pass)
{
    if (progress->live) {
        draw(progress, pass);
        return;
    }
    if (pass_plan(pass))
        tell(progress, pass_plan(pass));
    tell_wait(progress, pass);
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    free(progress->told);
    progress->told = NULL;
}

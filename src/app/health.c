/* One state, three places that are told. */
#include "health.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "app/events.h"
#include "app/health_pass.h"
#include "codec/metricstext.h"
#include "codec/statustext.h"
#include "codec/utf8.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/journal.h"
#include "io/notify.h"

#define SECOND INT64_C(1000000)
/* The two clocks may drift apart by so much before dates are told by the new difference. */
#define DRIFT_MAX SECOND
/* The next pass may be due so much later than is told before that is worth a file. */
#define LATER_MAX (30 * SECOND)
/* What came from outside is cut in the line for the service manager, so that its end is seen. */
#define LINE_TEXT_MAX 400
/* What is further away than this is told with its day. */
#define DAY_SECONDS (20 * 3600)

/* A place that is told, and what of it was said in the journal. */
struct place {
    const char *event;
    bool failed;
};

struct health {
    const struct options *options;
    const struct settings *settings;
    struct runtime *runtime;
    struct status status;     /* all but what follows from the rest */
    struct standing standing; /* as the last pass left it */
    char *trouble;            /* what keeps the next pass waiting; NULL: its time */
    bool held_up;             /* and is to be put right by somebody */
    bool stopping;
    bool news; /* not told yet */
    /* Microseconds of CLOCK_BOOTTIME; 0: there was none. */
    uint64_t started, under_way_since, begun, ended, succeeded, until, until_told;
    unsigned number;
    int64_t offset; /* from these to microseconds since the epoch */
    char *line_told, *metrics_told;
    char *metrics_path; /* where the last metrics were written */
    struct place runtime_place, metrics_place;
};

/* ---- clocks -------------------------------------------------------------------------------- */

static uint64_t boot_now(void)
{
    return clock_now().boot;
}

static int64_t offset_now(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * SECOND + wall.tv_nsec / 1000 - (int64_t)boot_now();
}

/* Dates keep to one difference of the clocks, so that they do not waver; until one was set. */
static void compare_clocks(struct health *health)
{
    int64_t offset = offset_now(), drift = offset - health->offset;
    if (drift > DRIFT_MAX || drift < -DRIFT_MAX)
        health->offset = offset;
}

/* Seconds since the epoch; 0 for what never was. */
static int64_t date_of(const struct health *health, uint64_t boot)
{
    if (boot == 0 || boot > INT64_MAX / 2)
        return 0;
    int64_t seconds = ((int64_t)boot + health->offset) / SECOND;
    return seconds > 0 ? seconds : 1;
}

/* ---- telling ------------------------------------------------------------------------------- */

static const char *message_of(const struct health *health)
{
    if (health->stopping)
        return "stopping: waiting for writes in flight";
    if (health->trouble)
        return health->trouble;
    if (health->held_up)
        return "something holds up passes: see the journal";
    if (health->standing.message)
        return health->standing.message;
    return health->standing.state == STATUS_STARTING ? "starting the first pass"
                                                     : status_state_word(health->standing.state);
}

static enum status_state state_of(const struct health *health)
{
    if (health->stopping)
        return STATUS_STOPPING;
    return health->held_up ? STATUS_FAILING : health->standing.state;
}

/* A view of the whole, which borrows everything. */
static struct status status_of(const struct health *health)
{
    struct status status = health->status;
    status.instance = health->options->instance;
    status.version = (char *)INVITERD_VERSION;
    status.pid = getpid();
    status.started = date_of(health, health->started);
    status.state = state_of(health);
    status.message = (char *)message_of(health);
    status.policy = (char *)(health->settings ? policy_word(health->settings->policy) : NULL);
    status.users = (char *)(health->settings ? users_word(health->settings->users) : NULL);
    status.base_url = health->settings ? health->settings->base_url : NULL;
    status.dry_run = health->options->dry_run;
    status.last_pass.begun = date_of(health, health->begun);
    status.last_pass.ended = date_of(health, health->ended);
    status.last_success = date_of(health, health->succeeded);
    status.next_pass = status.pass_under_way ? 0 : date_of(health, health->until);
    return status;
}

/* "; next pass 14:05", where that is known and of interest. */
static const char *next_words(const struct health *health, char *buffer, size_t size)
{
    int64_t date = date_of(health, health->until);
    bool failing = state_of(health) == STATUS_FAILING;
    struct tm tm;
    time_t seconds = (time_t)date;
    if (date == 0 || health->stopping || (health->trouble && !health->held_up) ||
        !localtime_r(&seconds, &tm))
        return "";
    const char *what = failing ? "try" : "pass";
    if (date - (int64_t)time(NULL) > DAY_SECONDS)
        snprintf(buffer, size, "; next %s %04d-%02d-%02d %02d:%02d", what, tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
    else
        snprintf(buffer, size, "; next %s %02d:%02d", what, tm.tm_hour, tm.tm_min);
    return buffer;
}

static void tell_manager(struct health *health)
{
    char buffer[64];
    const char *text = message_of(health), *next = "";
    if (health->status.pass_under_way && !health->stopping)
        text = "a pass is under way";
    else
        next = next_words(health, buffer, sizeof buffer);
    _cleanup_free_ char *escaped = utf8_escape_short(text, LINE_TEXT_MAX);
    _cleanup_free_ char *line =
        memory_format("%s%s", escaped ? escaped : status_state_word(state_of(health)), next);
    if (line && health->line_told && strcmp(line, health->line_told) == 0)
        return;
    notify_status(line ? line : status_state_word(state_of(health)));
    free(health->line_told);
    health->line_told = TAKE(line);
}

/* Once, until it works again. */
static void note(struct place *place, int r, const char *what, const char *advice)
{
    bool news = r < 0 && !place->failed;
    place->failed = r < 0;
    const struct journal_event event = {.priority = LOG_WARNING, .message_id = place->event};
    if (news)
        journal_send(&event, "%s cannot be written (%s): %s", what, strerror(-r), advice);
}

static void tell_readers(struct health *health)
{
    if (!health->runtime)
        return;
    const struct status status = status_of(health);
    _cleanup_free_ char *text = statustext_write(&status);
    int r = text ? runtime_put_status(health->runtime, text) : -ENOMEM;
    note(&health->runtime_place, r, RUNTIME_STATUS " in the runtime directory",
         "inviterd status tells what was true before");
}

static void tell_metrics(struct health *health)
{
    const char *path = health->settings ? health->settings->metrics : NULL;
    if (!path || !*path)
        return;
    const struct status status = status_of(health);
    _cleanup_free_ char *text = metricstext_write(&status);
    if (text && health->metrics_told && strcmp(text, health->metrics_told) == 0)
        return;
    int r = text ? file_publish_path(path, text, strlen(text), 0644) : -ENOMEM;
    (void)memory_set(&health->metrics_path, path);
    note(&health->metrics_place, r, path, "correct `metrics`, or the rights to its directory");
    free(health->metrics_told);
    health->metrics_told = r < 0 ? NULL : TAKE(text);
}

static void tell(struct health *health)
{
    compare_clocks(health);
    tell_manager(health);
    tell_readers(health);
    health->news = false;
    health->until_told = health->until;
}

/* ---- what happens -------------------------------------------------------------------------- */

struct health *health_new(const struct options *options, struct runtime *runtime)
{
    struct health *health = calloc(1, sizeof *health);
    if (!health)
        return NULL;
    health->options = options;
    health->runtime = runtime;
    health->runtime_place.event = EVENT_RUNTIME_TROUBLE;
    health->metrics_place.event = EVENT_METRICS_TROUBLE;
    health->started = boot_now();
    health->offset = offset_now();
    return health;
}

void health_free(struct health *health)
{
    status_clear(&health->status);
    free(health->standing.message);
    free(health->trouble);
    free(health->line_told);
    free(health->metrics_told);
    free(health->metrics_path);
    free(health);
}

void health_configure(struct health *health, const struct settings *settings)
{
    health->settings = settings;
    /* What nobody writes any more must not look as if it were true. */
    if (health->metrics_path &&
        (!settings->metrics || strcmp(health->metrics_path, settings->metrics) != 0)) {
        (void)unlink(health->metrics_path);
        (void)memory_set(&health->metrics_path, NULL);
    }
    /* Another file, perhaps: whatever was told of it. */
    health->metrics_place.failed = false;
    free(health->metrics_told);
    health->metrics_told = NULL;
    tell(health);
}

static void wait_for_nothing(struct health *health)
{
    free(health->trouble);
    health->trouble = NULL;
    health->held_up = false;
    status_lines_clear(&health->status.problems);
}

void health_pass_begun(struct health *health, unsigned number)
{
    wait_for_nothing(health);
    health->number = number;
    health->under_way_since = boot_now();
    health->status.pass_under_way = true;
    health->until = 0;
    tell(health);
}

void health_answered(struct health *health, const struct answer *answer)
{
    status_count_request(&health->status, answer->call, answer->status);
}

void health_pass_ended(struct health *health, const struct pass *pass)
{
    struct status_pass *last = &health->status.last_pass;
    (void)health_take_pass(&health->status, &health->standing, health->options, pass);
    health->begun = health->under_way_since;
    health->ended = boot_now();
    last->number = health->number;
    last->usec = health->ended - health->begun;
    if (last->result == STATUS_PASS_DONE)
        health->succeeded = health->ended;
    health->status.pass_under_way = false;
    health->news = true;
    /* Nothing else follows. */
    if (health->stopping) {
        tell(health);
        tell_metrics(health);
    }
}

/* Only what is no mere warning holds up a pass. */
static struct status_lines lines_of(const struct problems *problems)
{
    struct status_lines lines = {0};
    for (size_t i = 0; problems && i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        if (problem->warning)
            continue;
        _cleanup_free_ char *text = memory_format("%s: %s", problem->place, problem->message);
        (void)status_lines_add(&lines, &(struct status_line){.text = text});
    }
    return lines;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

static bool same_lines(const struct status_lines *a, const struct status_lines *b)
{
    bool same = a->total == b->total && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i].text, b->items[i].text);
    return same;
}

/* "waiting for a valid member file: FILE:LINE: … (and 2 more)" */
static char *words_for_trouble(const char *trouble, const struct status_lines *problems)
{
    const char *first = problems->count > 0 ? problems->items[0].text : NULL;
    if (!trouble)
        return NULL;
    if (!first)
        return strdup(trouble);
    if (problems->total == 1)
        return memory_format("%s: %s", trouble, first);
    return memory_format("%s: %s (and %zu more)", trouble, first, problems->total - 1);
}

static bool is_later(const struct health *health)
{
    int64_t later = (int64_t)(health->until - health->until_told);
    return later > LATER_MAX || later < -LATER_MAX;
}

void health_waits(struct health *health, const char *trouble, const struct problems *problems,
                  uint64_t until)
{
    struct status_lines lines = lines_of(problems);
    char *text = words_for_trouble(trouble, &lines);
    health->news |= !same_text(text, health->trouble) || health->held_up != (problems != NULL) ||
                    !same_lines(&lines, &health->status.problems) || health->runtime_place.failed;
    wait_for_nothing(health);
    /* A pass that could not even begin is not under way. */
    health->news |= health->status.pass_under_way;
    health->status.pass_under_way = false;
    health->trouble = text;
    health->status.problems = lines;
    health->held_up = problems != NULL;
    health->until = until;
    health->news |= is_later(health);
    if (!health->news)
        return;
    tell(health);
    tell_metrics(health);
}

bool health_is_held_up(const struct health *health)
{
    return health->held_up;
}

void health_approval(struct health *health, const char *id, const char *outcome, const char *text)
{
    struct status_approval *approval = &health->status.approval;
    if (strcmp(outcome, "waiting") == 0)
        approval->number++;
    if (memory_set(&approval->id, id) < 0 || memory_set(&approval->outcome, outcome) < 0 ||
        memory_set(&approval->text, text) < 0)
        /* Rather nothing than the outcome of another one. */
        (void)memory_set(&approval->id, NULL);
    tell(health);
}

void health_clock_was_set(struct health *health)
{
    tell(health);
    tell_metrics(health);
}

void health_stopping(struct health *health)
{
    health->stopping = true;
    tell(health);
    tell_metrics(health);
}

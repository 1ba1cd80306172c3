/* The life of the daemon: when a pass is made, and what ends the wait for the next one. */
#include "daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

#include "app/chronicle.h"
#include "app/events.h"
#include "app/health.h"
#include "app/setup.h"
#include "app/supplies.h"
#include "app/tell.h"
#include "app/words.h"
#include "codec/digest.h"
#include "io/clock.h"
#include "io/driver.h"
#include "io/notify.h"

#define SECOND UINT64_C(1000000)
/* After a failed pass: this long, doubled each time, at most the longest. */
#define BACKOFF_FIRST   (30 * SECOND)
#define BACKOFF_LONGEST (30 * 60 * SECOND)
/* How often the lock of another pass on this host is tried. */
#define LOCK_RETRY SECOND
/* Several changes that come together are looked at once. */
#define DEBOUNCE (SECOND / 10)
/* A pass for the sake of a date comes no sooner after the one before than the least interval. */
#define DAY_LEAST (10 * SECOND)
/* And up to this much later by chance: at the end of a month many hosts have one at midnight. */
#define DAY_SPREAD (5 * SECOND)
/* Others on this host may be at work for so long before it is called a failure. */
#define OTHERS_PATIENCE (120 * SECOND)
/* Asked to stop, it waits for answers so long; the unit's TimeoutStopSec is longer. */
#define STOP_PATIENCE (75 * SECOND)

struct daemon {
    const struct options *options;
    struct settings settings;
    sd_event *event;
    sd_event_source *timer;    /* when the next pass, or the next try of one, is due */
    sd_event_source *patience; /* asked to stop: when answers are no longer waited for */
    struct openai *openai;
    struct pace pace;
    struct chronicle chronicle;
    struct supplies supplies;
    struct runtime *runtime; /* NULL: nobody can ask, or approve */
    struct health *health;
    struct watch *members_watch, *approval_watch;
    struct clock_watch *clock_watch;
    char observer[17];      /* tells this process from others: what it watches adds up */
    uint64_t observer_id;   /* the same as a number */
    uint64_t slept;         /* for how long the host had slept when this was looked at last */
    char *approval;         /* handed in for the next pass */
    char *approving;        /* given to the pass under way, until its plan has used or refused it */
    unsigned failures;      /* failed passes in a row */
    uint64_t day_due;       /* when a day of the member file begins or ends next; 0: never */
    bool dated_by_host;     /* days begin by the clock of this host: the service states no date */
    uint64_t waiting_since; /* for others: a lock, or a writer; 0: no */
    bool waiting_told;
    bool stopping, reloading;
    bool changed;          /* while a pass was under way: the next one is due at once */
    struct driver *driver; /* the pass under way */
};

static void try_pass(struct daemon *daemon);
static void reload(struct daemon *daemon);

/* ---- when ---------------------------------------------------------------------------------- */

/* Nothing is under way; for `trouble` and `problems` see health_waits(). */
static void wait_for_next(struct daemon *daemon, uint64_t usec, const char *trouble,
                          const struct problems *problems)
{
    uint64_t until = clock_now().boot + usec;
    sd_event_source_set_time(daemon->timer, until);
    sd_event_source_set_enabled(daemon->timer, SD_EVENT_ONESHOT);
    health_waits(daemon->health, trouble, problems, until);
}

/*
 * Tries again so soon that it is no news. The time counts from now, not from when the loop woke up,
 * lest the second look at a file come a little too early to count as one.
 */
static void soon(struct daemon *daemon, uint64_t usec)
{
    sd_event_source_set_time(daemon->timer, clock_now().boot + usec);
    sd_event_source_set_enabled(daemon->timer, SD_EVENT_ONESHOT);
}

/* The interval with up to a tenth more by chance, so that many hosts do not call at once. */
static uint64_t interval(struct daemon *daemon)
{
    uint64_t usec = daemon->settings.interval_usec;
    return usec + pace_random(&daemon->pace, usec / 10 + 1);
}

/* The interval, or less where somebody's first day begins, or a last one ends, before. */
static uint64_t pause_after_pass(struct daemon *daemon)
{
    uint64_t usec = interval(daemon), now = clock_now().boot;
    if (daemon->day_due == 0)
        return usec;
    uint64_t day = daemon->day_due > now + DAY_LEAST ? daemon->day_due - now : DAY_LEAST;
    return day < usec ? day + pace_random(&daemon->pace, DAY_SPREAD) : usec;
}

/* Days begin by the service's clock: it is later there by now than when the listing was dated. */
static void note_next_day(struct daemon *daemon, const struct pass *pass)
{
    bool stated;
    int64_t date = pass_date(pass, &stated);
    int64_t next = members_next_change(daemon->supplies.members, date);
    daemon->dated_by_host = !stated;
    daemon->day_due = next > 0 ? clock_now().boot + (uint64_t)(next - date) * SECOND : 0;
}

static uint64_t backoff(struct daemon *daemon)
{
    unsigned doublings = daemon->failures < 8 ? daemon->failures - 1 : 7;
    uint64_t usec = BACKOFF_FIRST << doublings, most = BACKOFF_LONGEST;
    if (most < daemon->settings.interval_usec)
        most = daemon->settings.interval_usec;
    if (usec > most)
        usec = most;
    return usec - pace_random(&daemon->pace, usec / 4);
}

/*
 * The pass has failed (`trouble` NULL), or could not begin for this reason: say where we stand, and
 * try again later.
 */
static void back_off(struct daemon *daemon, const char *trouble)
{
    static const struct problems none;
    daemon->failures++;
    uint64_t wait = backoff(daemon), now = clock_now().boot;
    /* Where the service asked for a long pause, nothing before that can succeed. */
    uint64_t ready = pace_ready_at(&daemon->pace);
    if (ready > now && ready - now > wait)
        wait = ready - now;
    wait_for_next(daemon, wait, trouble, trouble ? &none : NULL);
}

/* Whether the next try is due so soon that nothing could come sooner. */
static bool is_due(const struct daemon *daemon)
{
    int enabled;
    uint64_t until;
    return sd_event_source_get_enabled(daemon->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF &&
           sd_event_source_get_time(daemon->timer, &until) >= 0 &&
           until <= clock_now().boot + DEBOUNCE;
}

/* Something happened that the next pass need not wait for. */
static void hurry(struct daemon *daemon)
{
    if (daemon->driver)
        daemon->changed = true;
    else if (!daemon->stopping && !is_due(daemon))
        soon(daemon, DEBOUNCE);
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    try_pass(userdata);
    return 0;
}

static void on_members_changed(void *userdata)
{
    hurry(userdata);
}

static void on_clock_set(void *userdata)
{
    struct daemon *daemon = userdata;
    health_clock_was_set(daemon->health);
    /* It may be another day now. */
    if (daemon->dated_by_host)
        hurry(daemon);
}

/* ---- approval ------------------------------------------------------------------------------ */

/* The daemon is done with the approval, one way or the other. */
static void settle_approval(struct daemon *daemon, const char *outcome, char *text)
{
    int priority = strcmp(outcome, "carried-out") == 0 ? LOG_NOTICE : LOG_WARNING;
    _cleanup_free_ char *why = text;
    tell(priority, EVENT_APPROVAL, "approval %s: %s", daemon->approving, why ? why : outcome);
    health_approval(daemon->health, daemon->approving, outcome, why ? why : outcome);
    (void)memory_set(&daemon->approving, NULL);
}

static char *why_it_misfits(const struct daemon *daemon, const struct plan *plan)
{
    if (plan_count_blocked(plan) == 0)
        return strdup("refused: nothing is blocked now; look at inviterd status");
    return memory_format(
        "it does not fit what is blocked now, since it was used already or the plan "
        "has changed; what is blocked now is %s",
        plan->approval ? plan->approval : daemon->approving);
}

/* A plan was made under the approval: it fits, or is forgotten. Whether it is carried out. */
static void judge_approval(struct daemon *daemon, const struct pass *pass)
{
    if (!daemon->approving)
        return;
    if (pass_approval_misfits(pass))
        settle_approval(daemon, "refused", why_it_misfits(daemon, pass_plan(pass)));
    else if (daemon->options->dry_run)
        settle_approval(daemon, "refused", strdup("refused: this is a dry run, it never writes"));
    else
        health_approval(daemon->health, daemon->approving, "waiting", "being carried out now");
}

static void end_approval(struct daemon *daemon, const struct pass *pass)
{
    const struct plan *plan = pass_plan(pass);
    if (!daemon->approving || !plan || !plan->approved)
        return;
    _cleanup_free_ char *results = words_for_results(plan);
    if (plan_approval_is_done(plan))
        settle_approval(daemon, "carried-out",
                        memory_format("carried out: %s", results ? results : "done"));
    else
        settle_approval(daemon, "failed",
                        memory_format("used, and not all of it is done (%s): what a limit still "
                                      "holds back has a new id, see inviterd status",
                                      results ? results : "see the journal"));
}

static void on_approval(void *userdata)
{
    struct daemon *daemon = userdata;
    _cleanup_free_ char *id = NULL;
    int r = runtime_take_approval(daemon->runtime, &id);
    if (r < 0)
        tell(LOG_WARNING, EVENT_APPROVAL, "an approval cannot be read (%s): give it once more",
             strerror(-r));
    if (!id)
        return;
    if (memory_set(&daemon->approval, id) < 0)
        return;
    tell(LOG_NOTICE, EVENT_APPROVAL, "approval %s was handed in", id);
    health_approval(daemon->health, id, "waiting", "handed in: a pass follows");
    hurry(daemon);
}

/* The daemon stops: what was handed in and not used must be given once more. */
static void forget_approval(struct daemon *daemon)
{
    if (!daemon->approval)
        return;
    (void)memory_set(&daemon->approving, daemon->approval);
    (void)memory_set(&daemon->approval, NULL);
    if (daemon->approving)
        settle_approval(daemon, "refused",
                        strdup("refused: the daemon was stopped before; give it once more"));
}

/* ---- a pass -------------------------------------------------------------------------------- */

static void free_pass(struct daemon *daemon)
{
    if (daemon->driver)
        driver_free(daemon->driver);
    daemon->driver = NULL;
    /* Where no plan was made, the approval is for the next one. */
    if (!daemon->approval)
        daemon->approval = TAKE(daemon->approving);
    (void)memory_set(&daemon->approving, NULL);
    supplies_drop(&daemon->supplies);
    if (daemon->openai)
        openai_forget_key(daemon->openai);
}

static void on_ended(const struct pass *pass, void *userdata)
{
    struct daemon *daemon = userdata;
    chronicle_end(&daemon->chronicle, pass);
    health_pass_ended(daemon->health, pass);
    end_approval(daemon, pass);
    bool failed = pass_end(pass) == PASS_FAILED;
    /* Whoever is told that it is over finds the key gone and the lock free. */
    free_pass(daemon);
    if (daemon->stopping) {
        sd_event_exit(daemon->event, 0);
    } else if (daemon->reloading) {
        reload(daemon);
    } else if (failed) {
        back_off(daemon, NULL);
    } else {
        daemon->failures = 0;
        wait_for_next(daemon, pause_after_pass(daemon), NULL, NULL);
    }
    if (daemon->changed)
        hurry(daemon);
    daemon->changed = false;
}

static void on_moved(const struct pass *pass, void *userdata)
{
    struct daemon *daemon = userdata;
    chronicle_results(&daemon->chronicle, pass);
}

static void on_answered(const struct answer *answer, void *userdata)
{
    const struct daemon *daemon = userdata;
    health_answered(daemon->health, answer);
}

static void on_stepped(const struct line *line, enum call call, void *userdata)
{
    const struct daemon *daemon = userdata;
    chronicle_step(&daemon->chronicle, line, call);
}

static bool on_planned(const struct pass *pass, void *userdata)
{
    struct daemon *daemon = userdata;
    chronicle_plan(&daemon->chronicle, pass);
    note_next_day(daemon, pass);
    judge_approval(daemon, pass);
    return !daemon->options->dry_run;
}

static void name_observer(struct daemon *daemon, uint64_t id)
{
    daemon->observer_id = id;
    snprintf(daemon->observer, sizeof daemon->observer, "%016" PRIx64, id);
}

/* While the host slept nobody was watched: who watches from now on is another. */
static void look_at_sleep(struct daemon *daemon)
{
    uint64_t slept = clock_slept();
    if (*daemon->observer && (int64_t)(slept - daemon->slept) > (int64_t)SECOND)
        name_observer(daemon, daemon->observer_id + 1);
    daemon->slept = slept;
}

static int start_pass(struct daemon *daemon)
{
    const struct settings *settings = &daemon->settings;
    look_at_sleep(daemon);
    daemon->approving = TAKE(daemon->approval);
    const struct driver_params params = {
        .event = daemon->event,
        .openai = daemon->openai,
        .state = daemon->supplies.state,
        .pass = {.members = daemon->supplies.members,
                 .ledger = daemon->supplies.ledger,
                 .pace = &daemon->pace,
                 .limits = &settings->limits,
                 .create_only = settings->policy == POLICY_CREATE_ONLY,
                 .users_mode = settings->users,
                 .remove_after = settings->remove_after_usec,
                 .watch_gap = setup_watch_gap_usec(settings),
                 .observer = *daemon->observer ? daemon->observer : NULL,
                 .settle = settings->settle_usec,
                 .concurrency = settings->concurrency,
                 .base_url = settings->base_url,
                 .approval = daemon->approving,
                 .digest = digest_id},
        .stall_usec = setup_stall_usec(settings),
        .hooks = {.planned = on_planned,
                  .moved = on_moved,
                  .answered = on_answered,
                  .stepped = on_stepped,
                  .userdata = daemon},
        .ended = on_ended,
        .owner = daemon,
    };
    chronicle_begin(&daemon->chronicle, daemon->options, settings);
    health_pass_begun(daemon->health, daemon->chronicle.number);
    return driver_new(&params, &daemon->driver);
}

/* Somebody else is at work, which takes moments; where it does not end, that is a failure. */
static void wait_for_others(struct daemon *daemon, uint64_t usec, const char *what)
{
    static const struct problems none;
    uint64_t now = clock_now().boot;
    if (daemon->waiting_since == 0)
        daemon->waiting_since = now;
    bool too_long = now - daemon->waiting_since > OTHERS_PATIENCE;
    if (too_long && !daemon->waiting_told)
        tell(LOG_WARNING, EVENT_WAITING, "%s for %llu minutes now: no pass can be made", what,
             (unsigned long long)((now - daemon->waiting_since) / (60 * SECOND)));
    daemon->waiting_told = too_long;
    /* What is said to be wrong stays so until it is looked at again. */
    if (too_long || !health_is_held_up(daemon->health))
        wait_for_next(daemon, usec, what, too_long ? &none : NULL);
    else
        soon(daemon, usec);
}

/* Something is missing, or it is too early. */
static void wait_for_supplies(struct daemon *daemon, const struct supply_report *report)
{
    switch (report->supply) {
    case SUPPLY_LATER:
        wait_for_others(daemon, report->wait_usec, "waiting for the member file to be quiet");
        break;
    case SUPPLY_LOCKED:
        wait_for_others(daemon, LOCK_RETRY, "waiting for another pass on this host");
        break;
    case SUPPLY_INVALID:
        wait_for_next(daemon, interval(daemon), report->text, &report->problems);
        break;
    case SUPPLY_READY:
    case SUPPLY_TROUBLE:
        back_off(daemon, report->text ? report->text : "out of memory");
        break;
    }
}

static void try_pass(struct daemon *daemon)
{
    struct supply_report report;
    supplies_gather(&daemon->supplies, daemon->openai, &report);
    if (report.supply != SUPPLY_LATER && report.supply != SUPPLY_LOCKED) {
        daemon->waiting_since = 0;
        daemon->waiting_told = false;
    }
    int r = 0;
    if (report.supply == SUPPLY_READY)
        r = start_pass(daemon);
    if (r < 0)
        tell(LOG_ERR, EVENT_PASS_FAILED, "a pass could not begin: %s", strerror(-r));
    if (r < 0 || report.supply != SUPPLY_READY)
        free_pass(daemon);
    if (r < 0)
        back_off(daemon, "a pass could not begin: out of memory");
    else if (report.supply != SUPPLY_READY)
        wait_for_supplies(daemon, &report);
    supply_report_clear(&report);
}

/* ---- signals ------------------------------------------------------------------------------- */

/* Takes the new settings; the old ones stay where the new ones are invalid. */
static bool take_settings(struct daemon *daemon, struct settings *settings)
{
    struct openai *openai = NULL;
    int r = setup_client(daemon->event, settings, &openai);
    if (r < 0) {
        tell(LOG_ERR, EVENT_CONFIG_INVALID, "the new configuration cannot be used: %s",
             strerror(-r));
        return false;
    }
    openai_free(daemon->openai);
    daemon->openai = openai;
    settings_clear(&daemon->settings);
    daemon->settings = *settings;
    *settings = (struct settings){0};
    pace_init(&daemon->pace, daemon->settings.requests_per_minute, daemon->pace.random);
    health_configure(daemon->health, &daemon->settings);
    return true;
}

/* No pass is under way. Reads the configuration anew; a pass follows in any case. */
static void reload(struct daemon *daemon)
{
    struct settings settings;
    struct problems problems = {0};
    daemon->reloading = false;
    if (setup_settings(daemon->options, &settings, &problems) >= 0) {
        setup_need_policy(daemon->options, &settings, &problems);
        setup_need_members(daemon->options, &settings, &problems);
    }
    tell_problems(EVENT_CONFIG_INVALID, &problems);
    if (problems.errors == 0 && take_settings(daemon, &settings))
        tell(LOG_INFO, EVENT_RELOADED, "configuration reloaded: policy %s, users %s",
             policy_word(daemon->settings.policy), users_word(daemon->settings.users));
    else
        tell(LOG_ERR, EVENT_CONFIG_INVALID, "the configuration in force before stays in force");
    problems_clear(&problems);
    settings_clear(&settings);
    supplies_forget_fault(&daemon->supplies);
    daemon->failures = 0;
    notify_ready();
    try_pass(daemon);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    struct daemon *daemon = userdata;
    if (daemon->stopping)
        return 0;
    notify_reloading();
    sd_event_source_set_enabled(daemon->timer, SD_EVENT_OFF);
    if (!daemon->driver) {
        reload(daemon);
        return 0;
    }
    daemon->reloading = true;
    /* What was approved is carried out whole: its id is used. */
    const struct plan *plan = pass_plan(driver_pass(daemon->driver));
    if (!plan || !plan->approved)
        driver_stop(daemon->driver);
    return 0;
}

static int on_out_of_patience(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    const struct daemon *daemon = userdata;
    if (daemon->driver)
        driver_give_up(daemon->driver, "no answer came before the daemon had to stop");
    return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    struct daemon *daemon = userdata;
    if (daemon->stopping)
        return 0;
    daemon->stopping = true;
    notify_stopping();
    health_stopping(daemon->health);
    if (!daemon->driver) {
        sd_event_exit(daemon->event, 0);
        return 0;
    }
    driver_stop(daemon->driver);
    sd_event_source_set_time_relative(daemon->patience, STOP_PATIENCE);
    sd_event_source_set_enabled(daemon->patience, SD_EVENT_ONESHOT);
    return 0;
}

static int add_signals(struct daemon *daemon)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigprocmask(SIG_BLOCK, &held, NULL);
    signal(SIGPIPE, SIG_IGN);
    int r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_stop, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_stop, daemon);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_reload, daemon);
    return r;
}

/* ---- birth and death ----------------------------------------------------------------------- */

static int add_timers(struct daemon *daemon)
{
    sd_event *event = daemon->event;
    int r = sd_event_add_time(event, &daemon->timer, CLOCK_BOOTTIME, 0, 1, on_due, daemon);
    if (r >= 0)
        r = sd_event_add_time(event, &daemon->patience, CLOCK_BOOTTIME, 0, 1, on_out_of_patience,
                              daemon);
    if (r >= 0)
        r = sd_event_source_set_enabled(daemon->patience, SD_EVENT_OFF);
    if (r >= 0)
        r = clock_watch(event, on_clock_set, daemon, &daemon->clock_watch);
    return r;
}

/* Without it nobody can be told, or approve; passes go on. */
static int open_runtime(struct daemon *daemon)
{
    const char *path = setup_runtime_dir(daemon->options);
    int r = runtime_open(path, &daemon->runtime);
    if (r == -EWOULDBLOCK) {
        tell(LOG_ERR, EVENT_RUNTIME_TROUBLE,
             "another daemon uses %s: stop it first, or give each its own $RUNTIME_DIRECTORY",
             path);
        return r;
    }
    if (r < 0)
        tell(LOG_WARNING, EVENT_RUNTIME_TROUBLE,
             "the runtime directory %s cannot be used (%s): inviterd status and approve will not "
             "work; set $RUNTIME_DIRECTORY",
             path, strerror(-r));
    return 0;
}

/* Changes that go unnoticed are seen after the interval. */
static void add_watches(struct daemon *daemon)
{
    int r = watch_new(daemon->event, on_members_changed, daemon, &daemon->members_watch);
    if (r < 0)
        tell(
            LOG_WARNING, EVENT_WATCH_TROUBLE,
            "changes of the member file cannot be watched (%s): they are seen after `interval`, or "
            "by a reload",
            strerror(-r));
    daemon->supplies.watch = daemon->members_watch;
    if (!daemon->runtime)
        return;
    _cleanup_free_ char *path =
        memory_format("%s/%s", setup_runtime_dir(daemon->options), RUNTIME_APPROVAL);
    r = path ? watch_new(daemon->event, on_approval, daemon, &daemon->approval_watch) : -ENOMEM;
    if (r >= 0)
        r = watch_path(daemon->approval_watch, path);
    if (r < 0)
        tell(LOG_WARNING, EVENT_WATCH_TROUBLE,
             "approvals cannot be watched for (%s): inviterd approve will not work", strerror(-r));
    else
        on_approval(daemon);
}

static int prepare(struct daemon *daemon)
{
    uint64_t seed = 0;
    /* Without chance it is nobody's: then no watching adds up, and nobody is removed. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
        name_observer(daemon, seed);
    daemon->slept = clock_slept();
    pace_init(&daemon->pace, daemon->settings.requests_per_minute, seed);
    int r = open_runtime(daemon);
    if (r >= 0 && !(daemon->health = health_new(daemon->options, daemon->runtime)))
        r = -ENOMEM;
    if (r >= 0)
        r = sd_event_new(&daemon->event);
    if (r >= 0)
        r = add_signals(daemon);
    if (r >= 0)
        r = sd_event_set_watchdog(daemon->event, true);
    if (r >= 0)
        r = add_timers(daemon);
    if (r >= 0)
        r = setup_client(daemon->event, &daemon->settings, &daemon->openai);
    if (r < 0)
        return r;
    health_configure(daemon->health, &daemon->settings);
    add_watches(daemon);
    return 0;
}

static void clear(struct daemon *daemon)
{
    free_pass(daemon);
    if (daemon->openai)
        openai_free(daemon->openai);
    watch_free_pointer(&daemon->members_watch);
    watch_free_pointer(&daemon->approval_watch);
    clock_watch_free_pointer(&daemon->clock_watch);
    health_free_pointer(&daemon->health);
    runtime_free_pointer(&daemon->runtime);
    sd_event_source_disable_unref(daemon->timer);
    sd_event_source_disable_unref(daemon->patience);
    sd_event_unref(daemon->event);
    chronicle_clear(&daemon->chronicle);
    supplies_forget_fault(&daemon->supplies);
    free(daemon->approval);
    settings_clear(&daemon->settings);
}

int daemon_run(const struct options *options, struct settings *settings)
{
    struct daemon daemon = {.options = options, .settings = *settings};
    daemon.supplies = (struct supplies){.options = options, .settings = &daemon.settings};
    *settings = (struct settings){0};
    int r = prepare(&daemon);
    if (r >= 0) {
        tell(LOG_INFO, EVENT_STARTED, "inviterd %s started: policy %s, users %s, %s%s",
             INVITERD_VERSION, policy_word(daemon.settings.policy),
             users_word(daemon.settings.users), daemon.settings.base_url,
             options->dry_run ? ", dry run: nothing is ever written" : "");
        notify_ready();
        r = sd_event_loop(daemon.event);
    }
    forget_approval(&daemon);
    /* Another daemon in our place was told already. */
    if (r < 0 && r != -EWOULDBLOCK)
        tell(LOG_ERR, EVENT_STOPPED, "cannot go on: %s", strerror(-r));
    else if (r >= 0)
        tell(LOG_INFO, EVENT_STOPPED, "stopped");
    clear(&daemon);
    return r < 0 ? EXIT_TROUBLE : EXIT_OK;
}

/* The life of the daemon. */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include <time.h>

#include "app/chronicle.h"
#include "app/events.h"
#include "app/report.h"
#include "app/setup.h"
#include "app/words.h"
#include "codec/digest.h"
#include "codec/memberfile.h"
#include "codec/utf8.h"
#include "io/clock.h"
#include "io/driver.h"
#include "io/journal.h"
#include "io/notify.h"
#include "io/snapshot.h"

#define SECOND UINT64_C(1000000)
/* After a failed pass: this long, doubled each time, at most the longest. */
#define BACKOFF_FIRST   (30 * SECOND)
#define BACKOFF_LONGEST (30 * 60 * SECOND)
/* How often the lock of another pass on this host is tried. */
#define LOCK_RETRY SECOND

struct daemon {
    const struct options *options;
    struct settings settings;
    sd_event *event;
    sd_event_source *timer; /* when the next pass, or the next try of one, is due */
    struct openai *openai;
    struct pace pace;
    struct chronicle chronicle;
    unsigned failures;       /* failed passes in a row */
    uint64_t snapshot_state; /* of the last one that was not quiet, and when it has to be so */
    uint64_t snapshot_due;
    char *members_fault; /* what was said about the member file last: said once */
    bool stopping, reloading;
    /* Of the pass under way: */
    struct driver *driver;
    struct members *members;
    struct state *state;
    struct ledger *ledger;
};

static void try_pass(struct daemon *daemon);

__attribute__((format(printf, 3, 4))) static void say(int priority, const char *id,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = memory_format_list(format, arguments);
    va_end(arguments);
    const struct journal_event event = {.priority = priority, .message_id = id};
    if (text)
        journal_send(&event, "%s", text);
}

/* ---- the clock ----------------------------------------------------------------------------- */

static void due_in(struct daemon *daemon, uint64_t usec)
{
    sd_event_source_set_time_relative(daemon->timer, usec);
    sd_event_source_set_enabled(daemon->timer, SD_EVENT_ONESHOT);
}

/* The interval with up to a tenth more by chance, so that many hosts do not call at once. */
static uint64_t interval(struct daemon *daemon)
{
    uint64_t usec = daemon->settings.interval_usec;
    return usec + pace_random(&daemon->pace, usec / 10 + 1);
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

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    try_pass(userdata);
    return 0;
}

/* ---- a pass -------------------------------------------------------------------------------- */

static void free_pass(struct daemon *daemon)
{
    if (daemon->driver)
        driver_free(daemon->driver);
    if (daemon->state)
        state_free(daemon->state);
    if (daemon->ledger)
        ledger_free(daemon->ledger);
    if (daemon->members)
        members_free(daemon->members);
    if (daemon->openai)
        openai_forget_key(daemon->openai);
    daemon->driver = NULL;
    daemon->state = NULL;
    daemon->ledger = NULL;
    daemon->members = NULL;
}

static void reload(struct daemon *daemon);

static void set_status(const char *what, uint64_t next_usec)
{
    struct tm tm;
    time_t next = time(NULL) + (time_t)(next_usec / SECOND);
    localtime_r(&next, &tm);
    _cleanup_free_ char *escaped = utf8_escape(what);
    _cleanup_free_ char *text =
        memory_format("%s; next pass %02d:%02d", escaped ? escaped : what, tm.tm_hour, tm.tm_min);
    notify_status(text ? text : what);
}

/* The pass could not begin or has failed: say where we stand, and try again later. */
static void back_off(struct daemon *daemon, const char *status)
{
    daemon->failures++;
    uint64_t wait = backoff(daemon), now = clock_now().boot;
    /* Where the service asked for a long pause, nothing before that can succeed. */
    uint64_t ready = pace_ready_at(&daemon->pace);
    if (ready > now && ready - now > wait)
        wait = ready - now;
    set_status(status, wait);
    due_in(daemon, wait);
}

static void pass_succeeded(struct daemon *daemon, const struct plan *plan)
{
    _cleanup_free_ char *summary = words_for_summary(plan);
    size_t failed =
        plan_count_result(plan, RESULT_FAILED) + plan_count_result(plan, RESULT_UNKNOWN);
    _cleanup_free_ char *text =
        memory_format("%s%s%s", summary ? summary : "done",
                      plan_count_blocked(plan) > 0 ? "; some blocked by a limit" : "",
                      failed > 0 ? "; some failed" : "");
    uint64_t wait = interval(daemon);
    daemon->failures = 0;
    set_status(text ? text : "done", wait);
    due_in(daemon, wait);
}

static void on_ended(const struct pass *pass, void *userdata)
{
    struct daemon *daemon = userdata;
    chronicle_end(&daemon->chronicle, pass);
    bool failed = pass_end(pass) == PASS_FAILED;
    if (daemon->stopping)
        sd_event_exit(daemon->event, 0);
    else if (!daemon->reloading && failed)
        back_off(daemon, "the last pass failed: see the journal");
    else if (!daemon->reloading)
        pass_succeeded(daemon, pass_plan(pass));
    free_pass(daemon);
    if (daemon->reloading && !daemon->stopping)
        reload(daemon);
}

static void on_moved(const struct pass *pass, void *userdata)
{
    struct daemon *daemon = userdata;
    chronicle_results(&daemon->chronicle, pass);
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
    return !daemon->options->dry_run;
}

static int start_pass(struct daemon *daemon)
{
    const struct settings *settings = &daemon->settings;
    const struct driver_params params = {
        .event = daemon->event,
        .openai = daemon->openai,
        .state = daemon->state,
        .pass = {.members = daemon->members,
                 .ledger = daemon->ledger,
                 .pace = &daemon->pace,
                 .limits = &settings->limits,
                 .create_only = settings->policy == POLICY_CREATE_ONLY,
                 .settle = settings->settle_usec,
                 .concurrency = settings->concurrency,
                 .base_url = settings->base_url,
                 .digest = digest_id},
        .hooks = {.planned = on_planned,
                  .moved = on_moved,
                  .stepped = on_stepped,
                  .userdata = daemon},
        .ended = on_ended,
        .owner = daemon,
    };
    chronicle_begin(&daemon->chronicle, daemon->options, settings);
    notify_status("a pass is under way");
    return driver_new(&params, &daemon->driver);
}

/* ---- what a pass needs --------------------------------------------------------------------- */

/* Says each set of findings once, however often the file is looked at. */
static void tell_members_fault(struct daemon *daemon, const struct problems *problems)
{
    const struct problem *first = &problems->items[0];
    _cleanup_free_ char *fault = memory_format("%s: %s", first->place, first->message);
    bool news = !fault || !daemon->members_fault || strcmp(fault, daemon->members_fault) != 0;
    for (size_t i = 0; news && i < problems->count; i++)
        say(problems->items[i].warning ? LOG_WARNING : LOG_ERR, EVENT_MEMBERS_INVALID, "%s: %s",
            problems->items[i].place, problems->items[i].message);
    if (news)
        say(LOG_ERR, EVENT_MEMBERS_INVALID,
            "the member file is invalid: nothing is written until it is corrected");
    (void)memory_set(&daemon->members_fault, fault);
    _cleanup_free_ char *status =
        memory_format("waiting for a valid member file: %s", fault ? fault : first->place);
    uint64_t wait = interval(daemon);
    set_status(status ? status : "waiting for a valid member file", wait);
    due_in(daemon, wait);
}

/* Whether the members are there; if not, the next try is due already. */
static bool read_members(struct daemon *daemon)
{
    struct problems problems = {0};
    struct snapshot snapshot = {0};
    uint64_t now = clock_now().boot;
    uint64_t previous = now >= daemon->snapshot_due ? daemon->snapshot_state : 0;
    int r = snapshot_take(daemon->settings.members, previous, &snapshot, &problems);
    daemon->snapshot_state = snapshot.state;
    daemon->snapshot_due = now + snapshot.wait_usec;
    if (r >= 0 && snapshot.wait_usec > 0) {
        due_in(daemon, snapshot.wait_usec);
        snapshot_clear(&snapshot);
        return false;
    }
    if (r >= 0)
        r = memberfile_parse(snapshot.sources, snapshot.count, &daemon->members, &problems);
    snapshot_clear(&snapshot);
    if (r == -EBADMSG)
        tell_members_fault(daemon, &problems);
    else if (r < 0)
        back_off(daemon, "out of memory");
    else
        (void)memory_set(&daemon->members_fault, NULL);
    problems_clear(&problems);
    return r >= 0;
}

static bool read_key(struct daemon *daemon)
{
    _cleanup_free_ char *error = NULL;
    int r = setup_key(&daemon->settings, daemon->openai, &error);
    if (r >= 0)
        return true;
    say(LOG_ERR, EVENT_KEY_INVALID, "%s", error ? error : strerror(-r));
    back_off(daemon, "waiting for a usable key: see the journal");
    return false;
}

static void tell_state_trouble(struct daemon *daemon, int error)
{
    say(LOG_ERR, EVENT_STATE_TROUBLE,
        "the state directory %s cannot be used (%s): nothing is written without it",
        setup_state_dir(daemon->options), strerror(-error));
    back_off(daemon, "the state directory cannot be used: see the journal");
}

static bool set_aside(struct daemon *daemon, const char *damage)
{
    _cleanup_free_ char *name = NULL;
    int r = state_set_aside(daemon->state, daemon->ledger, &name);
    if (r < 0) {
        tell_state_trouble(daemon, r);
        return false;
    }
    say(LOG_WARNING, EVENT_STATE_TROUBLE,
        "the ledger was damaged (%s): it was set aside as %s; nothing is written before the settle "
        "time has passed",
        damage, name);
    return true;
}

/* A dry run shares the lock and the ledger, and changes neither the ledger nor the service. */
static bool open_state(struct daemon *daemon)
{
    _cleanup_free_ char *damage = NULL;
    int r = state_open(setup_state_dir(daemon->options), &daemon->state);
    if (r >= 0)
        r = state_try_lock(daemon->state);
    if (r == -EWOULDBLOCK) {
        notify_status("waiting for another pass on this host");
        due_in(daemon, LOCK_RETRY);
        return false;
    }
    if (r >= 0)
        r = state_load(daemon->state, &daemon->ledger, &damage);
    if (r < 0) {
        tell_state_trouble(daemon, r);
        return false;
    }
    return !damage || daemon->options->dry_run || set_aside(daemon, damage);
}

static void try_pass(struct daemon *daemon)
{
    if (!read_members(daemon) || !read_key(daemon) || !open_state(daemon)) {
        free_pass(daemon);
        return;
    }
    int r = start_pass(daemon);
    if (r < 0) {
        say(LOG_ERR, EVENT_PASS_FAILED, "a pass could not begin: %s", strerror(-r));
        free_pass(daemon);
        back_off(daemon, "a pass could not begin: see the journal");
    }
}

/* ---- signals ------------------------------------------------------------------------------- */

/* Takes the new settings; the old ones stay where the new ones are invalid. */
static bool take_settings(struct daemon *daemon, struct settings *settings)
{
    struct openai *openai = NULL;
    int r = setup_client(daemon->event, settings, &openai);
    if (r < 0) {
        say(LOG_ERR, EVENT_CONFIG_INVALID, "the new configuration cannot be used: %s",
            strerror(-r));
        return false;
    }
    openai_free(daemon->openai);
    daemon->openai = openai;
    settings_clear(&daemon->settings);
    daemon->settings = *settings;
    *settings = (struct settings){0};
    pace_init(&daemon->pace, daemon->settings.requests_per_minute, daemon->pace.random);
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
    for (size_t i = 0; i < problems.count; i++)
        say(problems.items[i].warning ? LOG_WARNING : LOG_ERR, EVENT_CONFIG_INVALID, "%s: %s",
            problems.items[i].place, problems.items[i].message);
    if (problems.errors == 0 && take_settings(daemon, &settings))
        say(LOG_INFO, EVENT_RELOADED, "configuration reloaded");
    else
        say(LOG_ERR, EVENT_CONFIG_INVALID, "the configuration in force before stays in force");
    problems_clear(&problems);
    settings_clear(&settings);
    (void)memory_set(&daemon->members_fault, NULL);
    daemon->failures = 0;
    notify_ready("reloaded");
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
    if (daemon->driver) {
        daemon->reloading = true;
        driver_stop(daemon->driver);
    } else {
        reload(daemon);
    }
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
    if (daemon->driver)
        driver_stop(daemon->driver);
    else
        sd_event_exit(daemon->event, 0);
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

static int prepare(struct daemon *daemon)
{
    uint64_t seed = 0;
    (void)getrandom(&seed, sizeof seed, GRND_NONBLOCK);
    pace_init(&daemon->pace, daemon->settings.requests_per_minute, seed);
    int r = sd_event_new(&daemon->event);
    if (r >= 0)
        r = add_signals(daemon);
    if (r >= 0)
        r = sd_event_set_watchdog(daemon->event, true);
    if (r >= 0)
        r = sd_event_add_time(daemon->event, &daemon->timer, CLOCK_BOOTTIME, 0, 1, on_due, daemon);
    if (r >= 0)
        r = setup_client(daemon->event, &daemon->settings, &daemon->openai);
    return r;
}

static void clear(struct daemon *daemon)
{
    free_pass(daemon);
    if (daemon->openai)
        openai_free(daemon->openai);
    sd_event_source_disable_unref(daemon->timer);
    sd_event_unref(daemon->event);
    chronicle_clear(&daemon->chronicle);
    free(daemon->members_fault);
    settings_clear(&daemon->settings);
}

int daemon_run(const struct options *options, struct settings *settings)
{
    struct daemon daemon = {.options = options, .settings = *settings};
    *settings = (struct settings){0};
    int r = prepare(&daemon);
    if (r >= 0) {
        say(LOG_INFO, EVENT_STARTED, "inviterd %s started: policy %s, %s%s", INVITERD_VERSION,
            policy_word(daemon.settings.policy), daemon.settings.base_url,
            options->dry_run ? ", dry run: nothing is ever written" : "");
        notify_ready("starting the first pass");
        r = sd_event_loop(daemon.event);
    }
    if (r < 0)
        say(LOG_ERR, EVENT_STOPPED, "cannot go on: %s", strerror(-r));
    else
        say(LOG_INFO, EVENT_STOPPED, "stopped");
    clear(&daemon);
    return r < 0 ? EXIT_TROUBLE : EXIT_OK;
}

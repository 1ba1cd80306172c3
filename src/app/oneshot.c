/* From the command line to the end of one pass. */
#include "oneshot.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "app/report.h"
#include "codec/digest.h"
#include "io/clock.h"

static int trouble(const struct oneshot *oneshot, const char *what, int error)
{
    _cleanup_free_ char *text = memory_format("%s: %s", what, strerror(-error));
    return report_error(oneshot->options, EXIT_TROUBLE, text ? text : "out of memory");
}

/* Signals come through the event loop only, so that a write in flight always gets its answer. */
static void hold_signals(sigset_t *ret_held)
{
    sigemptyset(ret_held);
    sigaddset(ret_held, SIGINT);
    sigaddset(ret_held, SIGTERM);
    sigaddset(ret_held, SIGHUP);
    sigprocmask(SIG_BLOCK, ret_held, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What is missing is said only of a configuration that could be read: else it may well be there. */
static void check_needs(struct oneshot *oneshot, struct problems *problems)
{
    setup_need_members(oneshot->options, &oneshot->settings, problems);
    if (strcmp(oneshot->options->command, "apply") == 0)
        setup_need_policy(oneshot->options, &oneshot->settings, problems);
}

static void read_members(struct oneshot *oneshot, struct problems *problems)
{
    if (oneshot->settings.members && *oneshot->settings.members &&
        setup_members(&oneshot->settings, &oneshot->members, problems) == -ENOMEM)
        problems_add(problems, oneshot->settings.members, "out of memory");
}

/* Says what is wrong, or warns. Returns 0 or the exit code. */
static int judge(const struct oneshot *oneshot, struct problems *problems)
{
    int r = 0;
    if (problems->errors > 0)
        r = report_problems(oneshot->options, problems);
    else
        report_warnings(oneshot->options, problems);
    problems_clear(problems);
    return r;
}

static int prepare(struct oneshot *oneshot, const struct options *options, bool with_members)
{
    *oneshot = (struct oneshot){.options = options};
    struct problems problems = {0};
    int r = setup_settings(options, &oneshot->settings, &problems);
    if (with_members && r >= 0)
        check_needs(oneshot, &problems);
    if (with_members)
        read_members(oneshot, &problems);
    return judge(oneshot, &problems);
}

int oneshot_prepare(struct oneshot *oneshot, const struct options *options)
{
    return prepare(oneshot, options, true);
}

int oneshot_prepare_bare(struct oneshot *oneshot, const struct options *options)
{
    int r = prepare(oneshot, options, false);
    if (r != 0)
        return r;
    oneshot->members = calloc(1, sizeof *oneshot->members);
    oneshot->ledger = ledger_new();
    return oneshot->members && oneshot->ledger ? 0 : trouble(oneshot, "cannot start", -ENOMEM);
}

int oneshot_prepare_invites(struct oneshot *oneshot, const struct options *options)
{
    int r = oneshot_prepare_bare(oneshot, options);
    oneshot->settings.users = USERS_OFF;
    return r;
}

/* ---- state --------------------------------------------------------------------------------- */

static int state_trouble(const struct oneshot *oneshot, int error)
{
    if (error == -ENOMEM)
        return report_error(oneshot->options, EXIT_TROUBLE, "out of memory");
    const char *path = setup_state_dir(oneshot->options);
    _cleanup_free_ char *text =
        memory_format("the state directory %s cannot be used (%s): correct its permissions, or "
                      "give another with --state-dir",
                      path, strerror(-error));
    return report_error(oneshot->options, EXIT_TROUBLE, text ? text : "out of memory");
}

/* Waits for the lock of another pass. Returns 0, -EINTR on a signal, or a negative errno. */
static int wait_for_lock(struct oneshot *oneshot, bool *ret_waited)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    sigset_t held;
    hold_signals(&held);
    for (bool told = false;; told = true) {
        int r = state_try_lock(oneshot->state);
        if (r != -EWOULDBLOCK) {
            *ret_waited = told;
            return r;
        }
        if (!told)
            report_note(oneshot->options, "another pass is under way on this host: waiting for it");
        if (sigtimedwait(&held, NULL, &pause) > 0)
            return -EINTR;
    }
}

static int set_aside(struct oneshot *oneshot, const char *damage)
{
    _cleanup_free_ char *name = NULL;
    int r = state_set_aside(oneshot->state, oneshot->ledger, &name);
    if (r < 0)
        return state_trouble(oneshot, r);
    report_trouble(
        "the ledger was damaged (%s): it was set aside as %s/%s; nothing is written before "
        "the settle time has passed",
        damage, setup_state_dir(oneshot->options), name);
    return 0;
}

/* While we waited, the member file may have changed, and the other pass have acted on that. */
static int reread_members(struct oneshot *oneshot)
{
    struct problems problems = {0};
    members_free(oneshot->members);
    oneshot->members = NULL;
    read_members(oneshot, &problems);
    return judge(oneshot, &problems);
}

int oneshot_lock(struct oneshot *oneshot)
{
    _cleanup_free_ char *damage = NULL;
    bool waited = false;
    int r = state_open(setup_state_dir(oneshot->options), &oneshot->state);
    if (r >= 0)
        r = wait_for_lock(oneshot, &waited);
    if (r == -EINTR)
        return report_error(oneshot->options, EXIT_TROUBLE,
                            "stopped by a signal: nothing was sent");
    if (r >= 0)
        r = state_load(oneshot->state, &oneshot->ledger, &damage);
    if (r < 0)
        return state_trouble(oneshot, r);
    int code = damage ? set_aside(oneshot, damage) : 0;
    return code == 0 && waited ? reread_members(oneshot) : code;
}

int oneshot_peek(struct oneshot *oneshot)
{
    _cleanup_(state_free_pointer) struct state *state = NULL;
    _cleanup_free_ char *damage = NULL;
    if (oneshot->ledger)
        ledger_free(TAKE(oneshot->ledger));
    int r = state_peek(setup_state_dir(oneshot->options), &state);
    if (r >= 0)
        r = state_load(state, &oneshot->ledger, &damage);
    if (r < 0 && r != -ENOENT)
        report_note(
            oneshot->options,
            "the ledger in %s cannot be read (%s): planning without it; apply may know more",
            setup_state_dir(oneshot->options), strerror(-r));
    if (damage)
        report_note(oneshot->options, "the ledger in %s is damaged (%s): planning without it",
                    setup_state_dir(oneshot->options), damage);
    if (!oneshot->ledger)
        oneshot->ledger = ledger_new();
    if (!oneshot->ledger)
        return trouble(oneshot, "cannot start", -ENOMEM);
    /* A plan writes nothing, so it need not wait. */
    oneshot->ledger->suspect = false;
    return 0;
}

/* ---- running ------------------------------------------------------------------------------- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    struct oneshot *oneshot = userdata;
    oneshot->signal = (int)info->ssi_signo;
    if (oneshot->driver)
        driver_stop(oneshot->driver);
    else
        sd_event_exit(oneshot->event, 0);
    return 0;
}

static int add_signals(struct oneshot *oneshot)
{
    sigset_t held;
    hold_signals(&held);
    int r = sd_event_add_signal(oneshot->event, NULL, SIGINT, on_signal, oneshot);
    if (r >= 0)
        r = sd_event_add_signal(oneshot->event, NULL, SIGTERM, on_signal, oneshot);
    if (r >= 0)
        r = sd_event_add_signal(oneshot->event, NULL, SIGHUP, on_signal, oneshot);
    return r;
}

int oneshot_connect(struct oneshot *oneshot)
{
    _cleanup_free_ char *error = NULL;
    uint64_t seed = 0;
    (void)getrandom(&seed, sizeof seed, GRND_NONBLOCK);
    pace_init(&oneshot->pace, oneshot->settings.requests_per_minute, seed);
    int r = sd_event_new(&oneshot->event);
    if (r >= 0)
        r = add_signals(oneshot);
    if (r >= 0)
        r = setup_client(oneshot->event, &oneshot->settings, &oneshot->openai);
    if (r < 0)
        return trouble(oneshot, "cannot start", r);
    r = setup_key(&oneshot->settings, oneshot->openai, &error);
    return r < 0 ? report_error(oneshot->options, EXIT_CONFIG, error ? error : strerror(-r)) : 0;
}

static bool stop_here(const struct pass *pass, void *userdata)
{
    (void)pass;
    (void)userdata;
    return false;
}

static void on_moved(const struct pass *pass, void *userdata)
{
    (void)pass;
    (void)userdata;
}

static void on_ended(const struct pass *pass, void *owner)
{
    (void)pass;
    const struct oneshot *oneshot = owner;
    sd_event_exit(oneshot->event, 0);
}

int oneshot_run(struct oneshot *oneshot, const struct driver_hooks *hooks)
{
    static const struct driver_hooks none = {.planned = stop_here, .moved = on_moved};
    int code = oneshot_connect(oneshot);
    if (code != 0)
        return code;
    const struct settings *settings = &oneshot->settings;
    const struct driver_params params = {
        .event = oneshot->event,
        .openai = oneshot->openai,
        .state = oneshot->state,
        .pass = {.members = oneshot->members,
                 .ledger = oneshot->ledger,
                 .pace = &oneshot->pace,
                 .limits = &settings->limits,
                 .create_only = settings->policy == POLICY_CREATE_ONLY,
                 .users_mode = settings->users,
                 .remove_after = settings->remove_after_usec,
                 .watch_gap = setup_watch_gap_usec(settings),
                 .settle = settings->settle_usec,
                 .concurrency = settings->concurrency,
                 .base_url = settings->base_url,
                 .approval = oneshot->options->approval,
                 .digest = digest_id},
        .stall_usec = setup_stall_usec(settings),
        .hooks = hooks ? *hooks : none,
        .ended = on_ended,
        .owner = oneshot,
    };
    int r = driver_new(&params, &oneshot->driver);
    if (r >= 0)
        r = sd_event_loop(oneshot->event);
    return r < 0 ? trouble(oneshot, "the event loop failed", r) : 0;
}

const struct pass *oneshot_pass(const struct oneshot *oneshot)
{
    return driver_pass(oneshot->driver);
}

void oneshot_clear(struct oneshot *oneshot)
{
    if (oneshot->driver)
        driver_free(oneshot->driver);
    if (oneshot->openai)
        openai_free(oneshot->openai);
    sd_event_unref(oneshot->event);
    if (oneshot->state)
        state_free(oneshot->state);
    if (oneshot->ledger)
        ledger_free(oneshot->ledger);
    if (oneshot->members)
        members_free(oneshot->members);
    settings_clear(&oneshot->settings);
}

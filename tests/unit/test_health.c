/* What is told of the daemon: its words, that nothing is told twice, and all of it when memory is
 * short. */
#include "starve.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "app/health.h"
#include "codec/statustext.h"
#include "io/clock.h"
#include "io/file.h"

#define HOUR (INT64_C(3600) * 1000000)

/* ---- a host -------------------------------------------------------------------------------- */

/* The linker gives these names. NOLINTBEGIN */
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

static int64_t wall_shift; /* microseconds by which the wall clock was set */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int r = __real_clock_gettime(clock, ret);
    if (clock == CLOCK_REALTIME) {
        int64_t usec = (int64_t)ret->tv_sec * 1000000 + ret->tv_nsec / 1000 + wall_shift;
        ret->tv_sec = usec / 1000000;
        ret->tv_nsec = usec % 1000000 * 1000;
    }
    return r;
}
/* NOLINTEND */

/* A service manager, a runtime directory and a file for metrics. */
struct host {
    char base[32];
    char *directory, *status_path, *metrics_path;
    int manager;
    struct options options;
    struct settings settings;
    struct runtime *runtime;
    struct health *health;
};

static struct host host;

static void listen_as_manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", host.base);
    host.manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(host.manager, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

static int set_up(void **state)
{
    (void)state;
    host = (struct host){.settings = {.policy = POLICY_SYNC, .base_url = strdup("https://x/v1")}};
    strcpy(host.base, "/tmp/inviterd-health-XXXXXX");
    assert_non_null(mkdtemp(host.base));
    host.directory = memory_format("%s/run", host.base);
    host.status_path = memory_format("%s/status.json", host.directory);
    host.metrics_path = memory_format("%s/metrics.prom", host.base);
    host.settings.metrics = strdup(host.metrics_path);
    setenv("TZ", "XYZ-1:30", 1);
    tzset();
    wall_shift = 0;
    listen_as_manager();
    assert_int_equal(runtime_open(host.directory, &host.runtime), 0);
    host.health = health_new(&host.options, host.runtime);
    assert_non_null(host.health);
    return 0;
}

static void remove_in(const char *directory, const char *name)
{
    _cleanup_free_ char *path = memory_format("%s/%s", directory, name);
    (void)unlink(path);
}

static int tear_down(void **state)
{
    (void)state;
    health_free_pointer(&host.health);
    runtime_free_pointer(&host.runtime);
    settings_clear(&host.settings);
    close(host.manager);
    remove_in(host.directory, "status.json");
    remove_in(host.directory, "running");
    (void)rmdir(host.directory);
    remove_in(host.base, "notify");
    remove_in(host.base, "metrics.prom");
    free(host.directory);
    free(host.status_path);
    free(host.metrics_path);
    return rmdir(host.base);
}

/* All status lines since the last time, a line each; the caller owns them. */
static char *heard(void)
{
    char *all = strdup(""), message[4096];
    for (ssize_t n; (n = recv(host.manager, message, sizeof message - 1, 0)) >= 0;) {
        message[n] = '\0';
        assert_int_equal(strncmp(message, "STATUS=", 7), 0);
        char *longer = memory_format("%s%s\n", all, message + 7);
        free(all);
        all = longer;
    }
    return all;
}

static void assert_heard(const char *expected)
{
    _cleanup_free_ char *text = heard();
    unit_assert_text(text, expected);
}

/* "14:05", in the zone of the test, so much later than now. */
static const char *clock_in(int64_t usec)
{
    static char text[8];
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t then = now.tv_sec + (now.tv_nsec / 1000 + usec) / 1000000;
    strftime(text, sizeof text, "%H:%M", localtime_r(&then, &tm));
    return text;
}

static struct status told(void)
{
    struct status status = {0};
    _cleanup_free_ char *text = NULL, *error = NULL;
    assert_int_equal(runtime_get_status(host.runtime, &text), 0);
    assert_int_equal(statustext_read(text, strlen(text), &status, &error), 0);
    return status;
}

static void assert_told(enum status_state state, const char *message)
{
    struct status status = told();
    assert_string_equal(status_state_word(status.state), status_state_word(state));
    assert_string_equal(status.message, message);
    status_clear(&status);
}

/* Changes whenever the file is written anew. */
static ino_t file_number(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static uint64_t in(int64_t usec)
{
    return clock_now().boot + (uint64_t)usec;
}

/* One pass of the world, with all that is told of it, and an hour to the next. */
static void make_pass(struct world *world, unsigned number)
{
    health_pass_begun(host.health, number);
    assert_true(world_pass(world));
    health_pass_ended(host.health, world->pass);
    health_waits(host.health, NULL, NULL, in(HOUR));
}

/* ---- words --------------------------------------------------------------------------------- */

static void tells_a_life(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    world_declare(world, "ada@x", "reader", NULL);
    health_configure(host.health, &host.settings);
    assert_heard("starting the first pass\n");
    assert_told(STATUS_STARTING, "starting the first pass");
    make_pass(world, 1);
    _cleanup_free_ char *line =
        memory_format("a pass is under way\nin sync, 1 person; next pass %s\n", clock_in(HOUR));
    assert_heard(line);
    assert_told(STATUS_IN_SYNC, "in sync, 1 person");
    struct status status = told();
    assert_int_equal(status.last_pass.number, 1);
    assert_int_equal(status.last_pass.changes[ACTION_INVITE], 1);
    assert_int_equal(status.last_pass.requests, 2);
    assert_int_equal(status.last_success, status.last_pass.ended);
    assert_int_equal(status.pid, getpid());
    assert_string_equal(status.base_url, "https://x/v1");
    status_clear(&status);
    health_stopping(host.health);
    assert_heard("stopping: waiting for writes in flight\n");
    assert_told(STATUS_STOPPING, "stopping: waiting for writes in flight");
    /* A pass that then ends is told, for nothing else follows. */
    health_pass_ended(host.health, world->pass);
    status = told();
    assert_int_equal(status.last_pass.changes[ACTION_INVITE], 1);
    assert_int_equal(status.state, STATUS_STOPPING);
    status_clear(&status);
}

struct scene {
    void (*prepare)(struct world *world);
    enum status_state state;
    const char *message;
};

static void two_people(struct world *world)
{
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "old-1", "ben@x", "reader", "accepted", NULL);
    world_declare(world, "ben@x", "reader", NULL);
    /* None of these is one of the two. */
    world_invite(world, "old-2", "gone@x", "reader", "expired", NULL);
    world_invite(world, "old-3", "ben@x", "reader", "expired", NULL);
    world_invite(world, "old-4", "late@x", "reader", "expired", NULL);
    unit_declare(&world->members, "late@x", "reader", NULL, 1650000000);
}

static void attention(struct world *world)
{
    world_invite(world, "old-1", "eve@x", "reader", "accepted", NULL);
    world_declare(world, "ada@x", "reader", NULL);
}

static void blocked(struct world *world)
{
    world->limits.revocations = 0;
    world_invite(world, "old-1", "eve@x", "reader", "pending", NULL);
    world_invite(world, "old-2", "fay@x", "reader", "pending", NULL);
    world_declare(world, "ada@x", "reader", NULL);
}

static void blocked_twice(struct world *world)
{
    blocked(world);
    world->limits.invites = 0;
    world_invite(world, "old-3", "gus@x", "reader", "accepted", NULL);
}

static void failed(struct world *world)
{
    world_declare(world, "ada@x", "reader", NULL);
    world_declare(world, "ben@x", "reader", NULL);
    world_invite(world, "old-1", "cleo@x", "reader", "expired", NULL);
    world_declare(world, "cleo@x", "reader", NULL);
    world_fault(
        world,
        (struct fault){.call = CALL_CREATE, .who = "ada@x", .kind = ANSWER_REFUSED, .status = 400});
    world_fault(
        world,
        (struct fault){.call = CALL_CREATE, .who = "ada@x", .kind = ANSWER_REFUSED, .status = 400});
}

static void dry(struct world *world)
{
    host.options.dry_run = true;
    world->plan_only = true;
    world_declare(world, "ada@x", "reader", NULL);
    world_invite(world, "old-1", "eve@x", "reader", "pending", NULL);
}

/* Of three owners one is to be a reader and one is to go, and so is a reader. */
static void users(struct world *world)
{
    world->params.users_mode = USERS_MANAGE;
    world_user(world, "u0", "boss@x", "owner");
    world_user(world, "u1", "ada@x", "reader");
    world_user(world, "u2", "ben@x", "owner");
    world_user(world, "u3", "cleo@x", "owner");
    world_user(world, "u4", "dan@x", "reader");
    world_user(world, "u5", "eve@x", "reader")->is_service_account = true;
    world_declare(world, "boss@x", "owner", NULL);
    world_declare(world, "ada@x", "reader", NULL);
    world_declare(world, "ben@x", "reader", NULL);
    world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
    /* They were seen before, as often as it takes; what that did is undone. */
    assert_true(world_pass(world));
    world->users[2].user.role = ROLE_OWNER;
    world_invite(world, "i2", "ada@x", "reader", "pending", NULL);
}

static void users_blocked(struct world *world)
{
    users(world);
    world->limits.removals = 1;
    world->limits.min_owners = 3;
}

static void users_failed(struct world *world)
{
    users(world);
    world_fault(world,
                (struct fault){
                    .call = CALL_DELETE_USER, .who = "u4", .kind = ANSWER_REFUSED, .status = 400});
    world_fault(world,
                (struct fault){.call = CALL_SET_ROLE, .kind = ANSWER_UNREADABLE, .status = 200});
}

/* Two who are about to be removed, and one who was a member once: none of these is one. */
static void users_due(struct world *world)
{
    users(world);
    world->users[2].user.role = ROLE_READER;
    world->users[3].gone_at = world->users[4].gone_at = 1;
    world_user(world, "u7", "new@x", "reader");
    world_user(world, "u8", "end@x", "reader");
    unit_declare(&world->members, "end@x", "reader", NULL, 1650000000);
    world_invite(world, "i3", "gone@x", "reader", "accepted", NULL);
}

static void no_listing(struct world *world)
{
    world_fault(world, (struct fault){.call = CALL_LIST, .kind = ANSWER_REFUSED, .status = 403});
}

static void finds_words_for_every_plan(void **state)
{
    static const struct scene scenes[] = {
        {two_people, STATUS_IN_SYNC, "in sync, 2 people"},
        {attention, STATUS_ATTENTION, "in sync, 1 person; 1 needs attention"},
        {blocked, STATUS_BLOCKED, "2 revocations blocked by a limit"},
        {blocked_twice, STATUS_BLOCKED,
         "1 invite, 2 revocations blocked by limits; 1 needs attention"},
        {failed, STATUS_PENDING, "1 invite not done yet: 1 failed"},
        {dry, STATUS_PENDING, "1 invite, 1 revocation not done yet: dry run"},
        {no_listing, STATUS_FAILING, NULL},
        {users, STATUS_IN_SYNC, "in sync, 3 people"},
        {users_blocked, STATUS_BLOCKED, "1 role change, 2 removals blocked by limits"},
        {users_failed, STATUS_PENDING, "1 role change, 1 removal not done yet: 2 failed"},
        {users_due, STATUS_ATTENTION, "in sync, 3 people; 2 need attention"},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        _cleanup_(world_free_pointer) struct world *world = world_new();
        scenes[i].prepare(world);
        health_configure(host.health, &host.settings);
        make_pass(world, 7);
        _cleanup_free_ char *failure =
            memory_format("the last pass failed: %s", pass_error(world->pass));
        assert_told(scenes[i].state, scenes[i].message ? scenes[i].message : failure);
        _cleanup_free_ char *line = heard();
        bool failing = scenes[i].state == STATUS_FAILING;
        _cleanup_free_ char *end =
            memory_format("; next %s %s\n", failing ? "try" : "pass", clock_in(HOUR));
        assert_string_equal(line + strlen(line) - strlen(end), end);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void counts_what_is_done_to_users(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    users(world);
    health_configure(host.health, &host.settings);
    make_pass(world, 2);
    struct status status = told();
    assert_int_equal(status.last_pass.changes[ACTION_REVOKE], 1);
    assert_int_equal(status.last_pass.changes[ACTION_SET_ROLE], 1);
    assert_int_equal(status.last_pass.changes[ACTION_REMOVE], 2);
    assert_int_equal(status.people[ACTION_REMOVE], 2);
    status_clear(&status);
    size_t length;
    _cleanup_free_ char *metrics = unit_read_file(host.metrics_path, &length);
    assert_non_null(strstr(metrics, "inviterd_people{verdict=\"set-role\"} 1\n"));
    assert_non_null(strstr(metrics, "inviterd_people{verdict=\"remove\"} 2\n"));
}

static void names_users(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    users_blocked(world);
    world_user(world, "u9", NULL, "reader");
    health_configure(host.health, &host.settings);
    make_pass(world, 2);
    struct status status = told();
    const struct status_line *line = &status.blocked.actions.items[0];
    assert_string_equal(line->action, "set-role");
    assert_string_equal(line->email, "ben@x");
    assert_string_equal(line->user_id, "u2");
    assert_null(line->invite_id);
    assert_int_equal(status.attention.count, 1);
    assert_null(status.attention.items[0].email);
    assert_string_equal(status.attention.items[0].user_id, "u9");
    assert_string_equal(status.attention.items[0].reason, "no-email");
    status_clear(&status);
}

/* A failed pass finds nothing out: what was blocked, still is. */
static void keeps_what_a_failed_pass_does_not_touch(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    blocked(world);
    health_configure(host.health, &host.settings);
    make_pass(world, 1);
    struct status before = told();
    no_listing(world);
    make_pass(world, 2);
    struct status status = told();
    assert_int_equal(status.state, STATUS_FAILING);
    assert_int_equal(status.last_pass.result, STATUS_PASS_FAILED);
    assert_int_equal(status.last_pass.changes[ACTION_INVITE], 0);
    assert_int_equal(status.last_success, before.last_success);
    assert_int_equal(status.blocked.actions.total, 2);
    assert_string_equal(status.blocked.approval, before.blocked.approval);
    assert_string_equal(status.blocked.limits[0].limit, "revocations");
    assert_int_equal(status.people[ACTION_REVOKE], 2);
    status_clear(&status);
    status_clear(&before);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static struct problems three_problems(void)
{
    struct problems problems = {0};
    problems_warn(&problems, "/m:1", "odd");
    problems_add(&problems, "/m:2", "wrong\x1b");
    problems_add(&problems, "/m:3", "wrong too");
    return problems;
}

static void tells_what_holds_up_passes(void **state)
{
    (void)state;
    struct problems problems = three_problems();
    _cleanup_(world_free_pointer) struct world *world = world_new();
    health_configure(host.health, &host.settings);
    make_pass(world, 1);
    free(heard());
    health_waits(host.health, "waiting for a valid member file", &problems, in(HOUR));
    _cleanup_free_ char *line = memory_format(
        "waiting for a valid member file: /m:2: wrong\\x1b (and 1 more); next try %s\n",
        clock_in(HOUR));
    assert_heard(line);
    struct status status = told();
    assert_int_equal(status.state, STATUS_FAILING);
    assert_int_equal(status.problems.total, 2);
    assert_string_equal(status.problems.items[1].text, "/m:3: wrong too");
    assert_int_equal(status.last_pass.result, STATUS_PASS_DONE);
    status_clear(&status);
    problems_clear(&problems);
    /* Without a list, it is failing all the same. */
    health_waits(host.health, "out of memory", &problems, PACE_NEVER);
    assert_told(STATUS_FAILING, "out of memory");
    assert_heard("out of memory\n");
    /* And without problems at all, the state is that of the last pass. */
    health_waits(host.health, "waiting for another pass on this host", NULL, in(1000000));
    assert_told(STATUS_IN_SYNC, "waiting for another pass on this host");
    assert_heard("waiting for another pass on this host\n");
    health_pass_begun(host.health, 2);
    assert_told(STATUS_IN_SYNC, "in sync, 0 people");
}

static void says_no_news_twice(void **state)
{
    (void)state;
    struct problems problems = three_problems();
    uint64_t until = in(HOUR);
    health_configure(host.health, &host.settings);
    for (int i = 0; i < 3; i++) {
        health_waits(host.health, "waiting", &problems, until);
        free(heard());
        ino_t status = file_number(host.status_path), metrics = file_number(host.metrics_path);
        assert_true(status != 0 && metrics != 0);
        /* Soon again is no news, be it said each second. */
        for (unsigned seconds = 0; seconds < 30; seconds++)
            health_waits(host.health, "waiting", &problems, until + seconds * SECOND);
        assert_int_equal(file_number(host.status_path), status);
        assert_int_equal(file_number(host.metrics_path), metrics);
        assert_heard("");
        /* Much later is: who reads it would take us for hanging. */
        until += 60 * SECOND;
        health_waits(host.health, "waiting", &problems, until);
        assert_int_not_equal(file_number(host.status_path), status);
        /* The metrics are the same. */
        assert_int_equal(file_number(host.metrics_path), metrics);
    }
    problems_clear(&problems);
    health_waits(host.health, "waiting", &problems, until);
    struct status status = told();
    assert_int_equal(status.problems.total, 0);
    status_clear(&status);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void numbers_approvals(void **state)
{
    (void)state;
    health_configure(host.health, &host.settings);
    health_approval(host.health, "3f9c2a71d0b4", "waiting", "handed in");
    health_approval(host.health, "3f9c2a71d0b4", "refused", "refused: why");
    struct status status = told();
    assert_string_equal(status.approval.outcome, "refused");
    assert_string_equal(status.approval.text, "refused: why");
    assert_int_equal(status.approval.number, 1);
    status_clear(&status);
    health_approval(host.health, "3f9c2a71d0b4", "waiting", "handed in");
    status = told();
    assert_string_equal(status.approval.outcome, "waiting");
    assert_int_equal(status.approval.number, 2);
    status_clear(&status);
}

static void follows_the_clock_when_it_is_set(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    health_configure(host.health, &host.settings);
    make_pass(world, 1);
    struct status before = told();
    free(heard());
    wall_shift = 2 * HOUR;
    health_clock_was_set(host.health);
    _cleanup_free_ char *line = memory_format("in sync, 0 people; next pass %s\n", clock_in(HOUR));
    assert_heard(line);
    struct status status = told();
    assert_int_equal(status.started, before.started + 7200);
    assert_int_equal(status.last_pass.ended, before.last_pass.ended + 7200);
    assert_int_equal(status.next_pass, before.next_pass + 7200);
    status_clear(&status);
    /* As a host without a clock battery starts. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    wall_shift -= (int64_t)now.tv_sec * 1000000;
    health_clock_was_set(host.health);
    status = told();
    assert_true(status.started > 0 && status.next_pass > 3000 && status.next_pass < 4000);
    status_clear(&status);
    status_clear(&before);
}

/* Dates of what is past do not waver with the clocks' drift. */
static void keeps_dates_that_were_told(void **state)
{
    (void)state;
    health_configure(host.health, &host.settings);
    struct status before = told();
    for (int64_t shift = -900000; shift < 1000000; shift += 300000) {
        wall_shift = shift;
        health_pass_begun(host.health, 1);
        struct status status = told();
        assert_int_equal(status.started, before.started);
        status_clear(&status);
    }
    status_clear(&before);
}

/* Standard error goes to a file; returns where it went before. */
static int send_errors_to(const char *path)
{
    int before = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(before >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return before;
}

static void send_errors_back(int before)
{
    dup2(before, STDERR_FILENO);
    close(before);
}

static void says_once_that_a_place_cannot_be_told(void **state)
{
    (void)state;
    health_configure(host.health, &host.settings);
    _cleanup_free_ char *log = memory_format("%s/log", host.base), *text = NULL;
    size_t length, said = 0;
    int error = send_errors_to(log);
    for (int i = 0; i < 3; i++) {
        remove_in(host.directory, "status.json");
        remove_in(host.directory, "running");
        assert_int_equal(rmdir(host.directory), 0);
        free(host.settings.metrics);
        host.settings.metrics = memory_format("%s/missing/metrics", host.base);
        health_waits(host.health, "one", NULL, PACE_NEVER);
        health_waits(host.health, "two", NULL, PACE_NEVER);
        runtime_free(host.runtime);
        assert_int_equal(runtime_open(host.directory, &host.runtime), 0);
        health_free(host.health);
        host.health = health_new(&host.options, host.runtime);
        health_configure(host.health, &host.settings);
    }
    send_errors_back(error);
    assert_int_equal(file_read(AT_FDCWD, log, 1 << 16, &text, &length), 0);
    (void)unlink(log);
    for (const char *p = text; (p = strstr(p, "cannot be written")); p++)
        said++;
    assert_int_equal(said, 6);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* Everything at once. */
static struct world *full_world(void)
{
    struct world *world = world_new();
    world->limits.revocations = 0;
    failed(world);
    world_invite(world, "old-2", "eve@x", "reader", "accepted", NULL);
    world_invite(world, "old-3", "fay@x", "reader", "pending", NULL);
    world_invite(world, "old-4", "gus@x", "reader", "accepted", NULL);
    return world;
}

static void whole_life(struct world *world, const struct problems *problems)
{
    const struct answer answer = {.call = CALL_LIST, .status = 200};
    struct health *health = health_new(&host.options, host.runtime);
    if (!health)
        return;
    health_configure(health, &host.settings);
    health_waits(health, "waiting for a valid member file", problems, in(HOUR));
    health_pass_begun(health, 1);
    health_answered(health, &answer);
    health_pass_ended(health, world->pass);
    health_approval(health, "3f9c2a71d0b4", "waiting", "handed in");
    health_waits(health, NULL, NULL, in(HOUR));
    health_clock_was_set(health);
    health_stopping(health);
    health_free(health);
}

/* Nothing crashes, and what is told is true, whichever allocation fails. */
static void lives_on_when_memory_is_short(void **state)
{
    (void)state;
    struct problems problems = three_problems();
    _cleanup_(world_free_pointer) struct world *world = full_world();
    assert_true(world_pass(world));
    int before = send_errors_to("/dev/null");
    long failures = 0;
    for (bool failing = true; failing; failures++) {
        starve_after(failures, failures % 2 == 0);
        whole_life(world, &problems);
        failing = starve_end();
        struct status status = {0};
        _cleanup_free_ char *text = NULL, *error = NULL;
        if (runtime_get_status(host.runtime, &text) >= 0)
            assert_int_equal(statustext_read(text, strlen(text), &status, &error), 0);
        status_clear(&status);
        free(heard());
    }
    send_errors_back(before);
    problems_clear(&problems);
    assert_true(failures > 300);
}

/* Lists may lack lines; states, results and counts may not. */
static void counts_right_when_memory_is_short(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = full_world();
    assert_true(world_pass(world));
    health_configure(host.health, &host.settings);
    long failures = 0;
    for (bool failing = true; failing; failures++) {
        health_pass_begun(host.health, 3);
        starve_after(failures, failures % 2 == 0);
        health_pass_ended(host.health, world->pass);
        failing = starve_end();
        health_waits(host.health, NULL, NULL, in(HOUR));
        struct status status = told();
        assert_int_equal(status.state, STATUS_BLOCKED);
        assert_int_equal(status.blocked.actions.total, 1);
        assert_int_equal(status.attention.total, 2);
        assert_int_equal(status.failures.total, 1);
        assert_int_equal(status.people[ACTION_INVITE], 2);
        assert_int_equal(status.last_pass.changes[ACTION_INVITE], 1);
        assert_int_equal(status.last_pass.failed, 1);
        assert_int_equal(status.last_pass.number, 3);
        if (!failing) {
            assert_int_equal(status.blocked.actions.count, 1);
            assert_string_equal(status.blocked.command + strlen("inviterd approve "),
                                status.blocked.approval);
            assert_int_equal(status.attention.count, 2);
            assert_int_equal(status.failures.count, 1);
        }
        status_clear(&status);
        free(heard());
    }
    assert_true(failures > 20);
}

/* Rather nothing than the outcome of another approval. */
static void never_confuses_approvals_when_memory_is_short(void **state)
{
    (void)state;
    health_configure(host.health, &host.settings);
    long failures = 0;
    for (bool failing = true; failing; failures++) {
        health_approval(host.health, "000000000000", "carried-out", "an old one");
        int error = send_errors_to("/dev/null");
        starve_after(failures, false);
        health_approval(host.health, "3f9c2a71d0b4", "waiting", "handed in");
        failing = starve_end();
        send_errors_back(error);
        /* A file that could not be written is written with what comes next. */
        health_waits(host.health, NULL, NULL, in(HOUR));
        struct status status = told();
        if (status.approval.id) {
            assert_string_equal(status.approval.id, "3f9c2a71d0b4");
            assert_string_equal(status.approval.outcome, "waiting");
            assert_string_equal(status.approval.text, "handed in");
        }
        assert_true(failing || status.approval.id);
        status_clear(&status);
        free(heard());
    }
    assert_true(failures > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_a_life),
        TEST(finds_words_for_every_plan),
        TEST(counts_what_is_done_to_users),
        TEST(names_users),
        TEST(keeps_what_a_failed_pass_does_not_touch),
        TEST(tells_what_holds_up_passes),
        TEST(says_no_news_twice),
        TEST(numbers_approvals),
        TEST(follows_the_clock_when_it_is_set),
        TEST(keeps_dates_that_were_told),
        TEST(says_once_that_a_place_cannot_be_told),
        TEST(counts_right_when_memory_is_short),
        TEST(never_confuses_approvals_when_memory_is_short),
        TEST(lives_on_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

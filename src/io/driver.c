/* The pass on the event loop. */
#include "driver.h"

#include <errno.h>
#include <string.h>

#include "io/clock.h"

struct driver {
    struct driver_params params;
    struct pass *pass;
    sd_event_source *timer;   /* the time that the pass waits for */
    sd_event_source *stall;   /* the time by which an answer has to come */
    sd_event_source *turning; /* turns the pass from the loop, never from within a call */
    uint64_t waits_until;
    bool over;
};

static void turn_soon(struct driver *driver)
{
    sd_event_source_set_enabled(driver->turning, SD_EVENT_ONESHOT);
}

static void on_answer(struct answer *answer, void *userdata)
{
    struct driver *driver = userdata;
    struct instant now = clock_now();
    const struct line *line = pass_line(driver->pass, answer->tag);
    enum call call = answer->call;
    sd_event_source_set_enabled(driver->stall, SD_EVENT_OFF);
    if (driver->params.hooks.answered)
        driver->params.hooks.answered(answer, driver->params.hooks.userdata);
    pass_answer(driver->pass, answer, &now);
    if (line && line->result == RESULT_NONE && (call == CALL_CREATE || call == CALL_DELETE))
        driver->params.hooks.stepped(line, call, driver->params.hooks.userdata);
    turn_soon(driver);
}

/* A request that could not even be made is one that was not sent. */
static void send(struct driver *driver, const struct request *request)
{
    int r = openai_send(driver->params.openai, request, on_answer, driver);
    if (r >= 0)
        return;
    struct answer answer = {
        .kind = ANSWER_UNSENT,
        .call = request->call,
        .tag = request->tag,
        .retry_after = PACE_NEVER,
        .error = strdup(strerror(-r)),
    };
    struct instant now = clock_now();
    pass_answer(driver->pass, &answer, &now);
}

/* Each request has a time-out of its own. This is for the case that it does not fire. */
static void expect_answer(struct driver *driver)
{
    int enabled;
    if (driver->params.stall_usec == 0 ||
        (sd_event_source_get_enabled(driver->stall, &enabled) >= 0 && enabled != SD_EVENT_OFF))
        return;
    sd_event_source_set_time_relative(driver->stall, driver->params.stall_usec);
    sd_event_source_set_enabled(driver->stall, SD_EVENT_ONESHOT);
}

static void wait_until(struct driver *driver, uint64_t until)
{
    driver->waits_until = until;
    if (until == PACE_NEVER) {
        sd_event_source_set_enabled(driver->timer, SD_EVENT_OFF);
        expect_answer(driver);
        return;
    }
    sd_event_source_set_time(driver->timer, until);
    sd_event_source_set_enabled(driver->timer, SD_EVENT_ONESHOT);
}

static void end(struct driver *driver)
{
    driver->over = true;
    driver->params.hooks.moved(driver->pass, driver->params.hooks.userdata);
    sd_event_source_set_enabled(driver->timer, SD_EVENT_OFF);
    sd_event_source_set_enabled(driver->stall, SD_EVENT_OFF);
    driver->params.ended(driver->pass, driver->params.owner);
}

/* One step. Whether another one should follow at once. */
static bool step(struct driver *driver)
{
    const struct driver_hooks *hooks = &driver->params.hooks;
    struct instant now = clock_now();
    struct pass_step next = pass_next(driver->pass, &now);
    switch (next.want) {
    case PASS_WANTS_REQUEST:
        send(driver, &next.request);
        return true;
    case PASS_WANTS_SAVE:
        pass_saved(driver->pass, state_save(driver->params.state, driver->params.pass.ledger));
        return true;
    case PASS_WANTS_TIME:
        wait_until(driver, next.until);
        hooks->moved(driver->pass, hooks->userdata);
        return false;
    case PASS_PLANNED:
        if (hooks->planned(driver->pass, hooks->userdata))
            return true;
        end(driver);
        return false;
    case PASS_ENDED:
        end(driver);
        return false;
    }
    return false;
}

static int on_turn(sd_event_source *source, void *userdata)
{
    (void)source;
    struct driver *driver = userdata;
    if (driver->over)
        return 0;
    while (step(driver))
        ;
    return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)usec;
    return on_turn(source, userdata);
}

static int on_stall(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    driver_give_up(userdata, "no answer came, and its time-out did not end it");
    return 0;
}

static int add_sources(struct driver *driver)
{
    sd_event *event = driver->params.event;
    int r = sd_event_add_defer(event, &driver->turning, on_turn, driver);
    if (r >= 0)
        r = sd_event_add_time(event, &driver->timer, CLOCK_BOOTTIME, 0, 1, on_time, driver);
    if (r >= 0)
        r = sd_event_source_set_enabled(driver->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(event, &driver->stall, CLOCK_BOOTTIME, 0, 1, on_stall, driver);
    if (r >= 0)
        r = sd_event_source_set_enabled(driver->stall, SD_EVENT_OFF);
    return r;
}

int driver_new(const struct driver_params *params, struct driver **ret)
{
    _cleanup_(driver_free_pointer) struct driver *driver = calloc(1, sizeof *driver);
    if (!driver)
        return -ENOMEM;
    driver->params = *params;
    driver->pass = pass_new(&params->pass);
    if (!driver->pass)
        return -ENOMEM;
    int r = add_sources(driver);
    if (r < 0)
        return r;
    *ret = TAKE(driver);
    return 0;
}

void driver_free(struct driver *driver)
{
    openai_cancel(driver->params.openai);
    sd_event_source_disable_unref(driver->timer);
    sd_event_source_disable_unref(driver->stall);
    sd_event_source_disable_unref(driver->turning);
    if (driver->pass)
        pass_free(driver->pass);
    free(driver);
}

void driver_stop(struct driver *driver)
{
    pass_stop(driver->pass);
    turn_soon(driver);
}

void driver_give_up(struct driver *driver, const char *why)
{
    openai_give_up(driver->params.openai, why);
}

uint64_t driver_waits_until(const struct driver *driver)
{
    return driver->waits_until;
}

const struct pass *driver_pass(const struct driver *driver)
{
    return driver->pass;
}

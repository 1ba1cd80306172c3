/* Member file, key, lock and ledger, each with what is said where it is missing. */
#include "supplies.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "app/events.h"
#include "app/tell.h"
#include "io/clock.h"
#include "io/snapshot.h"

/* A file that was closed is read, and again after so long: unchanged, it is taken for whole. */
#define SECOND_LOOK UINT64_C(1000000)
/* A file that was modified and not closed since may be half a file; for so long we wait for it. */
#define WRITER_PATIENCE UINT64_C(10000000)

void supply_report_clear(struct supply_report *report)
{
    problems_clear(&report->problems);
    free(report->text);
    *report = (struct supply_report){0};
}

/* Whether this was not what was said last. */
static bool is_news(struct supplies *supplies, const char *fault)
{
    bool news = !fault || !supplies->fault || strcmp(fault, supplies->fault) != 0;
    if (news)
        (void)memory_set(&supplies->fault, fault);
    return news;
}

/* Says what is missing, with its status line, which is taken over. */
static bool trouble(struct supplies *supplies, struct supply_report *report, const char *message_id,
                    char *text)
{
    report->supply = SUPPLY_TROUBLE;
    report->text = text;
    if (is_news(supplies, text))
        tell(LOG_ERR, message_id, "%s", text ? text : "out of memory");
    return false;
}

static bool later(struct supply_report *report, uint64_t wait_usec)
{
    report->supply = SUPPLY_LATER;
    report->wait_usec = wait_usec;
    return false;
}

/* ---- members ------------------------------------------------------------------------------- */

static bool invalid(struct supplies *supplies, struct supply_report *report)
{
    const struct problems *problems = &report->problems;
    const struct problem *first = &problems->items[0];
    report->supply = SUPPLY_INVALID;
    report->text = strdup("waiting for a valid member file");
    _cleanup_free_ char *fault = memory_format("%s: %s", first->place, first->message);
    if (is_news(supplies, fault)) {
        tell_problems(EVENT_MEMBERS_INVALID, problems);
        tell(LOG_ERR, EVENT_MEMBERS_INVALID,
             "the member file is invalid: nothing is written until it is corrected");
    }
    return false;
}

/* From here on changes are noticed, also those that happen while we read. */
static void look(struct supplies *supplies)
{
    int r = supplies->watch ? watch_path(supplies->watch, supplies->settings->members) : 0;
    if (r < 0 && !supplies->watch_fault_told)
        tell(
            LOG_WARNING, EVENT_WATCH_TROUBLE,
            "changes of the member file cannot be watched (%s): they are seen after `interval`, or "
            "by a reload",
            strerror(-r));
    supplies->watch_fault_told = r < 0;
}

/* How long somebody may still be writing, in microseconds; 0: nobody is. */
static uint64_t wait_for_writer(struct supplies *supplies, uint64_t now)
{
    if (!supplies->watch || !watch_is_being_written(supplies->watch)) {
        supplies->writing_since = 0;
        return 0;
    }
    if (supplies->writing_since == 0)
        supplies->writing_since = now;
    uint64_t waited = now - supplies->writing_since;
    return waited < WRITER_PATIENCE ? WRITER_PATIENCE - waited : 0;
}

/*
 * A young file is read again until it is quiet. Where we watch, a file is whole once it is closed,
 * so the second look may come earlier than for files of which we know nothing but their age.
 */
static uint64_t wait_for_quiet(struct supplies *supplies, const struct snapshot *snapshot,
                               uint64_t now)
{
    uint64_t wait = snapshot->wait_usec;
    if (supplies->watch && wait > SECOND_LOOK)
        wait = SECOND_LOOK;
    supplies->snapshot_state = snapshot->state;
    supplies->snapshot_due = now + wait;
    return wait;
}

static bool read_members(struct supplies *supplies, struct supply_report *report)
{
    look(supplies);
    uint64_t now = clock_now().boot, writer = wait_for_writer(supplies, now);
    if (writer > 0)
        return later(report, writer);
    struct snapshot snapshot = {0};
    uint64_t previous = now >= supplies->snapshot_due ? supplies->snapshot_state : 0;
    int r = snapshot_take(supplies->settings->members, previous, &snapshot, &report->problems);
    uint64_t wait = wait_for_quiet(supplies, &snapshot, now);
    if (r >= 0 && wait == 0)
        r = setup_parse_members(supplies->settings, &snapshot, &supplies->members,
                                &report->problems);
    snapshot_clear(&snapshot);
    if (r == -EBADMSG)
        return invalid(supplies, report);
    if (r < 0)
        return trouble(supplies, report, EVENT_MEMBERS_INVALID, strdup("out of memory"));
    if (wait > 0)
        return later(report, wait);
    return true;
}

/* ---- key ----------------------------------------------------------------------------------- */

static bool read_key(struct supplies *supplies, struct openai *openai, struct supply_report *report)
{
    _cleanup_free_ char *error = NULL;
    int r = setup_key(supplies->settings, openai, &error);
    if (r >= 0)
        return true;
    return trouble(supplies, report, EVENT_KEY_INVALID,
                   memory_format("waiting for a usable key: %s", error ? error : strerror(-r)));
}

/* ---- state directory ----------------------------------------------------------------------- */

static bool state_trouble(struct supplies *supplies, int error, struct supply_report *report)
{
    return trouble(supplies, report, EVENT_STATE_TROUBLE,
                   memory_format("the state directory %s cannot be used (%s): nothing is written "
                                 "without it",
                                 setup_state_dir(supplies->options), strerror(-error)));
}

static bool set_aside(struct supplies *supplies, const char *damage, struct supply_report *report)
{
    _cleanup_free_ char *name = NULL;
    int r = state_set_aside(supplies->state, supplies->ledger, &name);
    if (r < 0)
        return state_trouble(supplies, r, report);
    tell(
        LOG_WARNING, EVENT_STATE_TROUBLE,
        "the ledger was damaged (%s): it was set aside as %s; nothing is written before the settle "
        "time has passed",
        damage, name);
    return true;
}

/* A dry run shares the lock and the ledger, and changes neither the ledger nor the service. */
static bool open_state(struct supplies *supplies, struct supply_report *report)
{
    _cleanup_free_ char *damage = NULL;
    int r = state_open(setup_state_dir(supplies->options), &supplies->state);
    if (r >= 0)
        r = state_try_lock(supplies->state);
    if (r == -EWOULDBLOCK) {
        report->supply = SUPPLY_LOCKED;
        return false;
    }
    if (r >= 0)
        r = state_load(supplies->state, &supplies->ledger, &damage);
    if (r < 0)
        return state_trouble(supplies, r, report);
    return !damage || supplies->options->dry_run || set_aside(supplies, damage, report);
}

/* ---- all ----------------------------------------------------------------------------------- */

void supplies_gather(struct supplies *supplies, struct openai *openai,
                     struct supply_report *ret_report)
{
    *ret_report = (struct supply_report){.supply = SUPPLY_READY};
    if (!read_members(supplies, ret_report) || !read_key(supplies, openai, ret_report) ||
        !open_state(supplies, ret_report))
        supplies_drop(supplies);
    else
        supplies_forget_fault(supplies);
}

void supplies_drop(struct supplies *supplies)
{
    if (supplies->state)
        state_free(supplies->state);
    if (supplies->ledger)
        ledger_free(supplies->ledger);
    if (supplies->members)
        members_free(supplies->members);
    supplies->state = NULL;
    supplies->ledger = NULL;
    supplies->members = NULL;
}

void supplies_forget_fault(struct supplies *supplies)
{
    (void)memory_set(&supplies->fault, NULL);
}

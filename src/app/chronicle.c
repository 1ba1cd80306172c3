/* Plan lines and results as journal events. */
#include "chronicle.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "app/events.h"
#include "app/words.h"
#include "io/journal.h"

void chronicle_begin(struct chronicle *chronicle, const struct options *options,
                     const struct settings *settings)
{
    chronicle->options = options;
    chronicle->settings = settings;
    chronicle->number++;
    snprintf(chronicle->pass, sizeof chronicle->pass, "%u", chronicle->number);
}

static struct journal_event event_of(const struct chronicle *chronicle, const struct line *line,
                                     int priority, const char *message_id)
{
    const char *id = line->invite_id ? line->invite_id : line->invite ? line->invite->id : NULL;
    return (struct journal_event){
        .priority = priority,
        .message_id = message_id,
        .pass = chronicle->pass,
        .action = action_word(line->action),
        .email = line->user && !line->user->email ? NULL : line->email,
        .invite_id = id,
        .user_id = line->user ? line->user->id : NULL,
        .reason = reason_word(line->reason),
        .result = line->result == RESULT_NONE ? NULL : result_word(line->result),
        .request_id = line->request_id,
        .http_status = line->status,
    };
}

/* What stays as it is until somebody acts: for attention, blocked, or never done by a dry run. */
static bool stands(const struct chronicle *chronicle, const struct line *line)
{
    return line->action == ACTION_ATTENTION || line->blocked_by != 0 ||
           (chronicle->options->dry_run && action_writes(line->action));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether the last pass did not leave this. */
static bool is_news(const struct chronicle *chronicle, const char *text)
{
    return !text || !chronicle->standing ||
           !bsearch(&text, chronicle->standing, chronicle->standing_count,
                    sizeof *chronicle->standing, compare_texts);
}

static char *standing_text(const struct line *line)
{
    return memory_format("%d %d %u %s %s %s", line->action, line->reason, line->blocked_by,
                         line->email, line->invite ? line->invite->id : "",
                         line->user ? line->user->id : "");
}

static void drop_standing(char **standing, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(standing[i]);
    free(standing);
}

/* From now on this is what the last pass left. Where memory is short, it is said again. */
static void remember_standing(struct chronicle *chronicle, const struct plan *plan)
{
    drop_standing(chronicle->standing, chronicle->standing_count);
    chronicle->standing_count = 0;
    chronicle->standing = calloc(plan->lines.count + 1, sizeof *chronicle->standing);
    if (!chronicle->standing)
        return;
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        char *text = stands(chronicle, line) ? standing_text(line) : NULL;
        if (text)
            chronicle->standing[chronicle->standing_count++] = text;
    }
    char *approval = plan->approval && !plan->approved ? strdup(plan->approval) : NULL;
    if (approval)
        chronicle->standing[chronicle->standing_count++] = approval;
    qsort(chronicle->standing, chronicle->standing_count, sizeof *chronicle->standing,
          compare_texts);
}

static void tell_standing(const struct chronicle *chronicle, const struct line *line)
{
    _cleanup_free_ char *reason = words_for_reason(line);
    _cleanup_free_ char *limits = words_for_limits(line->blocked_by);
    if (line->blocked_by != 0) {
        struct journal_event event = event_of(chronicle, line, LOG_WARNING, EVENT_BLOCKED);
        journal_send(&event, "blocked: %s %s (%s): %s", action_word(line->action), line->email,
                     limits, reason);
    } else {
        struct journal_event event = event_of(chronicle, line, LOG_WARNING, EVENT_ATTENTION);
        journal_send(&event, "attention: %s (%s): %s", line->email, reason_word(line->reason),
                     reason);
    }
}

/* A change is told once, by its result; only a dry run has none. */
static void tell_planned(const struct chronicle *chronicle, const struct line *line)
{
    int priority = chronicle->options->dry_run ? LOG_NOTICE : LOG_DEBUG;
    struct journal_event event = event_of(chronicle, line, priority, EVENT_PLANNED);
    journal_send(&event, "plan: %s %s (%s)", action_word(line->action), line->email,
                 reason_word(line->reason));
}

static void tell_limits(const struct chronicle *chronicle, const struct plan *plan)
{
    struct journal_event event = {
        .priority = LOG_WARNING, .message_id = EVENT_BLOCKED, .pass = chronicle->pass};
    for (size_t i = 0; i < plan->excess_count; i++) {
        _cleanup_free_ char *words = words_for_excess(&plan->excess[i]);
        journal_send(&event, "%s", words ? words : "a limit is exceeded");
    }
    /* The daemon takes approvals itself. */
    bool daemon = strcmp(chronicle->options->command, "run") == 0;
    _cleanup_free_ char *command =
        daemon ? words_for_approve(chronicle->options, plan->approval)
               : words_for_apply(chronicle->options, chronicle->settings, plan->approval);
    journal_send(&event, "to carry out exactly what is blocked, once: %s",
                 command ? command : plan->approval);
}

/* Once, until the clocks agree again. */
static void tell_clock(struct chronicle *chronicle, const struct pass *pass)
{
    _cleanup_free_ char *words = words_for_clock(pass, (int64_t)time(NULL));
    const struct journal_event event = {
        .priority = LOG_WARNING, .message_id = EVENT_CLOCK_SKEW, .pass = chronicle->pass};
    if (words && !chronicle->clock_told)
        journal_send(&event, "%s", words);
    chronicle->clock_told = words;
}

void chronicle_plan(struct chronicle *chronicle, const struct pass *pass)
{
    const struct plan *plan = pass_plan(pass);
    free(chronicle->told);
    chronicle->told = calloc(plan->lines.count + 1, sizeof *chronicle->told);
    tell_clock(chronicle, pass);
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        _cleanup_free_ char *text = stands(chronicle, line) ? standing_text(line) : NULL;
        /* What stands was said when it came. */
        if (text && !is_news(chronicle, text))
            continue;
        if (line->action == ACTION_ATTENTION || line->blocked_by != 0)
            tell_standing(chronicle, line);
        else if (action_writes(line->action))
            tell_planned(chronicle, line);
    }
    if (plan_count_blocked(plan) > 0 && is_news(chronicle, plan->approval))
        tell_limits(chronicle, plan);
    remember_standing(chronicle, plan);
}

void chronicle_step(const struct chronicle *chronicle, const struct line *line, enum call call)
{
    struct journal_event event = event_of(chronicle, line, LOG_INFO, EVENT_STEPPED);
    event.invite_id = call == CALL_DELETE && line->invite ? line->invite->id : NULL;
    _cleanup_free_ char *status = line->status
                                      ? memory_format("answered with HTTP status %d", line->status)
                                      : strdup("had no answer");
    journal_send(&event, "%s %s: %s %s%s%s", action_word(line->action), line->email,
                 call_word(call), status, line->error ? ": " : "", line->error ? line->error : "");
}

static void tell_result(const struct chronicle *chronicle, const struct line *line)
{
    bool done = line->result == RESULT_DONE;
    /* What was never begun has not failed: the next pass will do it. */
    int priority = done ? LOG_NOTICE : line->result == RESULT_SKIPPED ? LOG_INFO : LOG_ERR;
    struct journal_event event =
        event_of(chronicle, line, priority, done ? EVENT_WRITTEN : EVENT_WRITE_FAILED);
    journal_send(&event, "%s %s: %s%s%s", action_word(line->action), line->email,
                 result_word(line->result), line->error ? ": " : "",
                 line->error ? line->error : "");
}

void chronicle_results(struct chronicle *chronicle, const struct pass *pass)
{
    const struct plan *plan = pass_plan(pass);
    for (size_t i = 0; plan && chronicle->told && i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        if (chronicle->told[i] || line->result == RESULT_NONE || line->result == RESULT_BLOCKED)
            continue;
        chronicle->told[i] = true;
        tell_result(chronicle, line);
    }
}

static bool only_blocked(const struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++) {
        enum result result = plan->lines.items[i].result;
        if (result != RESULT_NONE && result != RESULT_BLOCKED)
            return false;
    }
    return true;
}

void chronicle_end(struct chronicle *chronicle, const struct pass *pass)
{
    chronicle_results(chronicle, pass);
    struct journal_event event = {.pass = chronicle->pass};
    if (pass_error(pass)) {
        event.priority = LOG_ERR;
        event.message_id = EVENT_PASS_FAILED;
        journal_send(&event, "pass %s failed: %s", chronicle->pass, pass_error(pass));
    } else if (pass_plan(pass)) {
        _cleanup_free_ char *summary = words_for_summary(pass_plan(pass));
        _cleanup_free_ char *results = words_for_results(pass_plan(pass));
        unsigned requests = pass_requests(pass);
        /* What was left alone is told by what stands in the way, once. */
        event.priority = only_blocked(pass_plan(pass)) ? LOG_DEBUG : LOG_INFO;
        event.message_id = EVENT_PASS_DONE;
        journal_send(&event, "pass %s%s: %s%s%s; %u request%s", chronicle->pass,
                     pass_end(pass) == PASS_STOPPED ? " was stopped" : "", summary,
                     results && *results ? "; " : "", results ? results : "", requests,
                     requests == 1 ? "" : "s");
    }
}

void chronicle_clear(struct chronicle *chronicle)
{
    free(chronicle->told);
    drop_standing(chronicle->standing, chronicle->standing_count);
}

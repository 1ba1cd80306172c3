/* From a pass and its plan to the status. */
#include "health_pass.h"

#include <stdio.h>
#include <string.h>

#include "app/words.h"

/* ---- in words ------------------------------------------------------------------------------ */

static bool is_blocked(const struct line *line)
{
    return line->blocked_by != 0;
}

/* What was to be written and is yet to be: a dry run, or what went wrong. */
static bool is_undone(const struct line *line)
{
    return action_writes(line->action) && !is_blocked(line) && line->result != RESULT_DONE;
}

static size_t count(const struct plan *plan, bool (*counts)(const struct line *line))
{
    size_t n = 0;
    for (size_t i = 0; i < plan->lines.count; i++)
        n += counts(&plan->lines.items[i]);
    return n;
}

/* How many people are members by the file; their invites that are only in the way do not count. */
static size_t count_members(const struct plan *plan, int64_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->lines.count; i++) {
        const struct line *line = &plan->lines.items[i];
        n += member_standing(line->member, now) == STANDING_DECLARED &&
             line->reason != REASON_DUPLICATE && line->reason != REASON_ALREADY_MEMBER;
    }
    return n;
}

/* "1 invite, 2 revocations" of the lines that count. */
static void put_actions(FILE *out, const struct plan *plan, bool (*counts)(const struct line *line))
{
    static const char *const words[STATUS_WRITES] = {"invite",     "renewal",     "replacement",
                                                     "revocation", "role change", "removal"};
    const char *separator = "";
    for (enum action action = ACTION_INVITE; action < STATUS_WRITES; action++) {
        size_t n = 0;
        for (size_t i = 0; i < plan->lines.count; i++)
            n += plan->lines.items[i].action == action && counts(&plan->lines.items[i]);
        if (n == 0)
            continue;
        fprintf(out, "%s%zu %s%s", separator, n, words[action], n == 1 ? "" : "s");
        separator = ", ";
    }
}

/* Why what is undone is. */
static void put_results(FILE *out, const struct plan *plan, bool dry_run)
{
    static const struct {
        enum result result;
        const char *words;
    } results[] = {
        {RESULT_FAILED, "failed"}, {RESULT_UNKNOWN, "unknown"}, {RESULT_SKIPPED, "not started"}};
    const char *separator = ": ";
    if (dry_run) {
        fputs(": dry run", out);
        return;
    }
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        size_t n = plan_count_result(plan, results[i].result);
        if (n > 0)
            fprintf(out, "%s%zu %s", separator, n, results[i].words);
        separator = n > 0 ? ", " : separator;
    }
}

static void put_plan(FILE *out, const struct plan *plan, bool dry_run, int64_t now)
{
    size_t blocked = count(plan, is_blocked), undone = count(plan, is_undone);
    size_t attention = plan_count(plan, ACTION_ATTENTION), people = count_members(plan, now);
    if (blocked > 0) {
        put_actions(out, plan, is_blocked);
        fputs(plan->excess_count > 1 ? " blocked by limits" : " blocked by a limit", out);
    }
    if (undone > 0) {
        fputs(blocked > 0 ? "; " : "", out);
        put_actions(out, plan, is_undone);
        fputs(" not done yet", out);
        put_results(out, plan, dry_run);
    }
    if (blocked == 0 && undone == 0)
        fprintf(out, "in sync, %zu %s", people, people == 1 ? "person" : "people");
    if (attention > 0)
        fprintf(out, "; %zu %s attention", attention, attention == 1 ? "needs" : "need");
}

static char *words_for_plan(const struct pass *pass, bool dry_run)
{
    bool stated;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    put_plan(out, pass_plan(pass), dry_run, pass_date(pass, &stated));
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static enum status_state state_of(const struct plan *plan)
{
    if (count(plan, is_blocked) > 0)
        return STATUS_BLOCKED;
    if (count(plan, is_undone) > 0)
        return STATUS_PENDING;
    return plan_count(plan, ACTION_ATTENTION) > 0 ? STATUS_ATTENTION : STATUS_IN_SYNC;
}

/* ---- lists --------------------------------------------------------------------------------- */

/* What the line says of whom; the text is for people. Lines are copied: it is only read. */
static bool add(struct status_lines *lines, const struct line *line, const char *text)
{
    bool nameless = line->user && !line->user->email;
    const struct status_line added = {
        .action = (char *)action_word(line->action),
        .email = nameless ? NULL : (char *)line->email,
        .reason = (char *)reason_word(line->reason),
        .invite_id = line->invite ? line->invite->id : NULL,
        .user_id = line->user ? line->user->id : NULL,
        .text = (char *)text,
    };
    return status_lines_add(lines, &added) >= 0;
}

static bool take_line(struct status *status, const struct line *line)
{
    bool failed = line->result == RESULT_FAILED, unknown = line->result == RESULT_UNKNOWN;
    bool whole = true;
    if (is_blocked(line))
        whole &= add(&status->blocked.actions, line, NULL);
    if (line->action == ACTION_ATTENTION) {
        _cleanup_free_ char *text = words_for_reason(line);
        whole &= add(&status->attention, line, text) && text;
    }
    if (failed || unknown)
        whole &= add(&status->failures, line,
                     line->error ? line->error
                     : unknown   ? "nobody knows yet whether it was done: a listing will tell"
                                 : result_word(line->result));
    if (line->result == RESULT_DONE && line->action < STATUS_WRITES)
        status->last_pass.changes[line->action]++;
    status->last_pass.failed += failed;
    status->last_pass.unknown += unknown;
    return whole;
}

static bool take_limits(struct status_blocked *blocked, const struct options *options,
                        const struct plan *plan)
{
    bool whole = memory_set(&blocked->approval, plan->approval) >= 0;
    blocked->command = plan->approval ? words_for_approve(options, plan->approval) : NULL;
    for (size_t i = 0; i < plan->excess_count; i++) {
        struct status_limit *limit = &blocked->limits[blocked->limit_count++];
        limit->limit = strdup(limit_word(plan->excess[i].limit));
        limit->text = words_for_excess(&plan->excess[i]);
        limit->allowed = plan->excess[i].allowed;
        limit->found = plan->excess[i].found;
        whole &= limit->limit && limit->text;
    }
    return whole && blocked->command;
}

static bool take_plan(struct status *status, const struct options *options, const struct plan *plan)
{
    bool whole = true;
    status_blocked_clear(&status->blocked);
    status_lines_clear(&status->attention);
    for (enum action action = ACTION_INVITE; action <= ACTION_KEEP; action++)
        status->people[action] = plan_count(plan, action);
    for (size_t i = 0; i < plan->lines.count; i++)
        whole &= take_line(status, &plan->lines.items[i]);
    if (status->blocked.actions.total > 0)
        whole &= take_limits(&status->blocked, options, plan);
    return whole;
}

/* A dry run ends with its plan. */
static enum status_result result_of(const struct pass *pass)
{
    switch (pass_end(pass)) {
    case PASS_FAILED:
        return STATUS_PASS_FAILED;
    case PASS_STOPPED:
        return STATUS_PASS_STOPPED;
    case PASS_GOING_ON:
        return pass_plan(pass) ? STATUS_PASS_DONE : STATUS_PASS_STOPPED;
    case PASS_DONE:
        break;
    }
    return STATUS_PASS_DONE;
}

/* Takes over the message. NOLINTNEXTLINE(readability-non-const-parameter) */
static void stand(struct standing *standing, enum status_state state, char *message)
{
    free(standing->message);
    standing->state = state;
    standing->message = message;
}

bool health_take_pass(struct status *status, struct standing *standing,
                      const struct options *options, const struct pass *pass)
{
    const struct plan *plan = pass_plan(pass);
    struct status_pass *last = &status->last_pass;
    const char *error = pass_error(pass);
    free(last->error);
    *last = (struct status_pass){.result = result_of(pass), .requests = pass_requests(pass)};
    bool whole = memory_set(&last->error, error) >= 0;
    status_lines_clear(&status->failures);
    if (plan)
        whole &= take_plan(status, options, plan);
    /* A pass that was stopped before it knew anything changes nothing. */
    if (last->result == STATUS_PASS_FAILED)
        stand(standing, STATUS_FAILING, memory_format("the last pass failed: %s", error));
    else if (plan)
        stand(standing, state_of(plan), words_for_plan(pass, options->dry_run));
    return whole && standing->message;
}

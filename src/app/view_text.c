/* Plans and invites for eyes. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "app/report.h"
#include "app/table.h"
#include "app/words.h"
#include "codec/date.h"
#include "codec/utf8.h"

struct look {
    const char *symbol;
    enum color color;
};

static struct look look_of(const struct line *line)
{
    static const struct look looks[] = {
        [ACTION_INVITE] = {"+", GREEN},      [ACTION_RENEW] = {"^", CYAN},
        [ACTION_REPLACE] = {"~", YELLOW},    [ACTION_REVOKE] = {"-", RED},
        [ACTION_SET_ROLE] = {"%", YELLOW},   [ACTION_REMOVE] = {"x", RED},
        [ACTION_ATTENTION] = {"!", MAGENTA}, [ACTION_KEEP] = {"=", DIM},
    };
    return looks[line->action];
}

/* What stands behind the reason: what came of it, or what holds it back. NULL: out of memory. */
static char *outcome(const struct view *view, const struct line *line)
{
    _cleanup_free_ char *limits = words_for_limits(line->blocked_by);
    if (line->blocked_by != 0)
        return memory_format("blocked by %s", limits ? limits : "a limit");
    if (!view->applied || line->result == RESULT_NONE)
        return strdup("");
    if (line->result == RESULT_DONE)
        return line->invite_id ? memory_format("done: %s", line->invite_id) : strdup("done");
    return memory_format("%s: %s%s%s", result_word(line->result), line->error ? line->error : "-",
                         line->request_id ? ", request " : "",
                         line->request_id ? line->request_id : "");
}

static void add_projects(struct table *table, const struct projects *projects)
{
    if (projects->given)
        table_made(table, words_for_projects(projects));
    else
        table_cell(table, NULL);
}

static void add_line(struct table *table, const struct view *view, const struct line *line)
{
    struct look look = look_of(line);
    bool bad = line->result == RESULT_FAILED || line->result == RESULT_UNKNOWN;
    table_row(table, bad ? RED : look.color);
    table_cell(table, look.symbol);
    table_cell(table, action_word(line->action));
    table_cell(table, line->email);
    table_cell(table, words_for_role(line));
    add_projects(table, line->projects);
    table_made(table, words_for_reason(line));
    table_made(table, outcome(view, line));
}

/* The command in full or not at all: without its options it would do something else. */
static bool print_apply(const struct view *view, const char *approval)
{
    _cleanup_free_ char *command = words_for_apply(view->options, view->settings, approval);
    if (command)
        printf("  %s\n", command);
    return command;
}

static bool print_approve(const struct view *view, const struct plan *plan)
{
    _cleanup_free_ char *command = words_for_approve(view->options, plan->approval);
    if (command)
        printf("or let the daemon do it: %s\n", command);
    return command;
}

static bool print_limits(const struct view *view, const struct plan *plan)
{
    if (plan_count_blocked(plan) == 0)
        return true;
    bool colored = color_wanted(view->options, stdout);
    size_t blocked = plan_count_blocked(plan);
    printf("\n%sBlocked%s: %zu of these %s not done.\n", color_on(colored, RED), color_off(colored),
           blocked, blocked == 1 ? "is" : "are");
    for (size_t i = 0; i < plan->excess_count; i++) {
        _cleanup_free_ char *words = words_for_excess(&plan->excess[i]);
        printf("  %s\n", words ? words : limit_word(plan->excess[i].limit));
    }
    puts("If that is what you want, this carries out exactly what is blocked, once:");
    return print_apply(view, plan->approval) && (!view->daemon || print_approve(view, plan));
}

static bool print_results(const struct view *view, const struct plan *plan)
{
    _cleanup_free_ char *results = words_for_results(plan);
    if (results)
        printf("Applied: %s.\n", *results ? results : "nothing");
    size_t undone = plan_count_result(plan, RESULT_FAILED) +
                    plan_count_result(plan, RESULT_SKIPPED) +
                    plan_count_result(plan, RESULT_UNKNOWN);
    /* A pass that gave up says itself what to do. */
    if (undone > 0 && pass_end(view->pass) == PASS_DONE)
        puts("Run it again: it goes on from what is listed then. An entry that the service refused "
             "is tried again when it changes, or after a day.");
    return results;
}

static void print_note_on_members(const struct plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->lines.count; i++)
        n += !plan->lines.items[i].user &&
             (plan->lines.items[i].reason == REASON_MEMBER ||
              plan->lines.items[i].reason == REASON_ACCEPTED_ROLE_DIFFERS);
    if (n > 0)
        printf("%zu accepted invite%s taken for %s.\n", n, n == 1 ? " is" : "s are",
               n == 1 ? "a member" : "members");
}

static size_t shown_lines(const struct view *view, const struct plan *plan)
{
    return view->options->all ? plan->lines.count
                              : plan->lines.count - plan_count(plan, ACTION_KEEP);
}

static bool print_lines(const struct view *view, const struct plan *plan)
{
    struct table *table = table_new(7);
    if (!table)
        return false;
    for (size_t i = 0; i < plan->lines.count; i++)
        if (view->options->all || plan->lines.items[i].action != ACTION_KEEP)
            add_line(table, view, &plan->lines.items[i]);
    bool whole = table_print(table, stdout, color_wanted(view->options, stdout));
    table_free(table);
    return whole;
}

static bool has_unblocked(const struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++)
        if (action_writes(plan->lines.items[i].action) && plan->lines.items[i].blocked_by == 0)
            return true;
    return false;
}

bool view_plan_text(const struct view *view)
{
    const struct plan *plan = pass_plan(view->pass);
    bool colored = color_wanted(view->options, stdout);
    bool whole = print_lines(view, plan);
    if (shown_lines(view, plan) > 0)
        putchar('\n');
    _cleanup_free_ char *summary = words_for_summary(plan);
    printf("%sPlan%s: %s.\n", color_on(colored, BOLD), color_off(colored),
           summary ? summary : "(out of memory)");
    whole &= summary != NULL;
    print_note_on_members(plan);
    if (view->applied && !plan_in_sync(plan))
        whole &= print_results(view, plan);
    whole &= print_limits(view, plan);
    if (!view->applied && has_unblocked(plan)) {
        puts(plan_count_blocked(plan) > 0 ? "\nTo carry out the rest:" : "\nTo carry it out:");
        whole &= print_apply(view, NULL);
    }
    return whole;
}

/* ---- invites ------------------------------------------------------------------------------- */

static const char *status_words(const struct invite *invite, int64_t now)
{
    if (invite->status == INVITE_PENDING && invite_is_expired(invite, now))
        return "pending, past its expiry";
    return invite->status_text ? invite->status_text : "(none)";
}

static enum color status_color(const struct invite *invite, int64_t now)
{
    if (invite_is_live(invite, now))
        return GREEN;
    return invite->status == INVITE_ACCEPTED ? PLAIN : DIM;
}

static void add_date(struct table *table, const char *label, int64_t seconds)
{
    char date[DATE_SIZE];
    if (seconds)
        table_made(table, memory_format("%s %s", label, date_format_utc(seconds, date)));
    else
        table_cell(table, NULL);
}

bool view_list_text(const struct options *options, const struct invites *invites, int64_t now)
{
    struct table *table = table_new(7);
    if (!table)
        return false;
    for (size_t i = 0; i < invites->count; i++) {
        const struct invite *invite = &invites->items[i];
        table_row(table, status_color(invite, now));
        table_cell(table, status_words(invite, now));
        table_cell(table, invite->email);
        table_cell(table, invite->role_text);
        add_projects(table, &invite->projects);
        add_date(table, "created", invite->created_at);
        add_date(table, invite->accepted_at ? "accepted" : "expires",
                 invite->accepted_at ? invite->accepted_at : invite->expires_at);
        table_cell(table, invite->id);
    }
    bool whole = table_print(table, stdout, color_wanted(options, stdout));
    table_free(table);
    printf("%s%zu invite%s.\n", invites->count > 0 ? "\n" : "", invites->count,
           invites->count == 1 ? "" : "s");
    return whole;
}

static void add_field(struct table *table, const char *name, const char *value)
{
    table_row(table, PLAIN);
    table_cell(table, name);
    table_cell(table, value ? value : "-");
}

static void add_time(struct table *table, const char *name, int64_t seconds)
{
    char date[DATE_SIZE];
    add_field(table, name, seconds ? date_format_utc(seconds, date) : NULL);
}

bool view_invite_text(const struct options *options, const struct invite *invite, int64_t now)
{
    struct table *table = table_new(2);
    if (!table)
        return false;
    _cleanup_free_ char *projects = words_for_projects(&invite->projects);
    add_field(table, "id", invite->id);
    add_field(table, "email", invite->email);
    add_field(table, "role", invite->role_text);
    add_field(table, "status", status_words(invite, now));
    add_field(table, "projects", projects);
    add_time(table, "created", invite->created_at);
    add_time(table, "expires", invite->expires_at);
    add_time(table, "accepted", invite->accepted_at);
    bool whole = table_print(table, stdout, color_wanted(options, stdout));
    table_free(table);
    return whole && (projects || !invite->projects.given);
}

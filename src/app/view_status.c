/* The status: a few rows that sum it up, then lists of what waits for somebody. */
#include "view_status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/peek.h"
#include "app/table.h"
#include "codec/utf8.h"

/* A pass that is due begins at once, but for a moment. */
#define OVERDUE_SECONDS 120
/* Longer texts are cut. */
#define TEXT_MAX 4000

bool view_status_hangs(const struct status *status, int64_t now)
{
    return !status->pass_under_way && status->next_pass != 0 &&
           now - status->next_pass > OVERDUE_SECONDS;
}

/* ---- times --------------------------------------------------------------------------------- */

/* "42 s", "3 min", "5 h", "2 d" */
static char *words_for_span(int64_t seconds)
{
    long long span = seconds < 0 ? 0 : seconds;
    if (span < 60)
        return memory_format("%lld s", span);
    if (span < 3600)
        return memory_format("%lld min", span / 60);
    if (span < 2 * 86400)
        return memory_format("%lld h", span / 3600);
    return memory_format("%lld d", span / 86400);
}

/* "2026-11-26 14:05:09 CET, 3 min ago", in the time zone of who reads it. */
static char *words_for_time(int64_t seconds, int64_t now)
{
    char date[64];
    struct tm tm;
    time_t time = (time_t)seconds;
    if (!localtime_r(&time, &tm) || strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
        return memory_format("%lld", (long long)seconds);
    bool future = seconds > now;
    _cleanup_free_ char *span = words_for_span(future ? seconds - now : now - seconds);
    if (!span)
        return NULL;
    return future ? memory_format("%s, in %s", date, span)
                  : memory_format("%s, %s ago", date, span);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static enum color color_of(enum status_state state)
{
    static const enum color colors[] = {
        [STATUS_STARTING] = PLAIN,    [STATUS_IN_SYNC] = GREEN, [STATUS_PENDING] = YELLOW,
        [STATUS_BLOCKED] = YELLOW,    [STATUS_FAILING] = RED,   [STATUS_STOPPING] = PLAIN,
        [STATUS_ATTENTION] = MAGENTA,
    };
    return colors[state];
}

static const char *words_for_state(const struct status *status)
{
    switch (status->state) {
    case STATUS_STARTING:
        return "starting: nothing is known before the first pass has ended";
    case STATUS_IN_SYNC:
        return "in sync: everybody is as the member file says";
    case STATUS_PENDING:
        return status->dry_run ? "pending: a dry run writes nothing"
                               : "pending: the next pass goes on with what is not done";
    case STATUS_BLOCKED:
        return "blocked: a part waits for an approval, and the rest is done";
    case STATUS_ATTENTION:
        return "attention: the rest is in sync, and a person has to look at the list below";
    case STATUS_FAILING:
        return status->problems.total > 0
                   ? "failing: nothing is written until this is put right"
                   : "failing: tried again, and nothing is written meanwhile";
    case STATUS_STOPPING:
        return "stopping: writes in flight end, and no more begin";
    }
    return status_state_word(status->state);
}

static void add_row(struct table *table, enum color color, const char *name, char *text)
{
    table_row(table, color);
    table_cell(table, name);
    table_made(table, text);
}

/* "1 invited, 2 revoked"; what went wrong is added. */
static char *words_for_changes(const struct status_pass *pass)
{
    static const char *const words[STATUS_WRITES] = {
        "invited", "renewed", "replaced", "revoked", "given another role", "removed"};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    const char *separator = "";
    for (size_t i = 0; i < STATUS_WRITES; i++) {
        if (pass->changes[i] == 0)
            continue;
        fprintf(out, "%s%u %s", separator, pass->changes[i], words[i]);
        separator = ", ";
    }
    fputs(*separator ? "" : "no changes", out);
    if (pass->failed > 0)
        fprintf(out, ", %u failed", pass->failed);
    if (pass->unknown > 0)
        fprintf(out, ", %u unknown", pass->unknown);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void add_last_pass(struct table *table, const struct status *status, int64_t now)
{
    const struct status_pass *pass = &status->last_pass;
    bool failed = pass->result == STATUS_PASS_FAILED;
    if (pass->number == 0) {
        add_row(table, PLAIN, "last pass", strdup("none yet"));
        return;
    }
    _cleanup_free_ char *when = words_for_time(pass->ended, now);
    _cleanup_free_ char *changes = words_for_changes(pass);
    add_row(table, failed ? RED : PLAIN, "last pass",
            when ? memory_format("%s: number %u, %s in %.*f s", when, pass->number,
                                 status_result_word(pass->result), pass->usec < 10000000 ? 2 : 0,
                                 (double)pass->usec / 1e6)
                 : NULL);
    add_row(table, failed ? RED : PLAIN, "",
            changes ? memory_format("%s; %u request%s", changes, pass->requests,
                                    pass->requests == 1 ? "" : "s")
                    : NULL);
    if (pass->error)
        add_row(table, RED, "", strdup(pass->error));
    if (pass->result != STATUS_PASS_DONE)
        add_row(table, PLAIN, "last success",
                status->last_success ? words_for_time(status->last_success, now)
                                     : strdup("none since the start"));
}

static void add_next_pass(struct table *table, const struct options *options,
                          const struct status *status, int64_t now)
{
    _cleanup_free_ char *when =
        status->next_pass ? words_for_time(status->next_pass, now) : strdup("not known");
    _cleanup_free_ char *unit = peek_unit(options);
    if (status->pass_under_way)
        add_row(table, PLAIN, "next pass", strdup("under way now"));
    else if (view_status_hangs(status, now))
        add_row(table, RED, "next pass",
                when && unit ? memory_format("was due %s: the daemon hangs; systemctl restart %s",
                                             when, unit)
                             : NULL);
    else
        add_row(table, PLAIN, "next pass", TAKE(when));
}

static void add_rows(struct table *table, const struct options *options,
                     const struct status *status, bool running, int64_t now)
{
    _cleanup_free_ char *since = words_for_time(status->started, now);
    if (running)
        add_row(table, color_of(status->state), "state", strdup(words_for_state(status)));
    add_row(table, PLAIN, "policy",
            memory_format("%s%s", status->policy ? status->policy : "-",
                          status->dry_run ? ", dry run" : ""));
    if (status->users)
        add_row(table, PLAIN, "users", strdup(status->users));
    add_row(table, PLAIN, "service", strdup(status->base_url ? status->base_url : "-"));
    add_row(table, PLAIN, "started",
            since ? memory_format("%s: version %s, process %lld", since,
                                  status->version ? status->version : "-", (long long)status->pid)
                  : NULL);
    add_last_pass(table, status, now);
    if (running)
        add_next_pass(table, options, status, now);
    if (status->approval.id)
        add_row(table, PLAIN, "approval",
                memory_format("%s: %s", status->approval.id,
                              status->approval.text ? status->approval.text
                                                    : status->approval.outcome));
}

/* ---- lists --------------------------------------------------------------------------------- */

static bool print_text(const char *indent, const char *text)
{
    _cleanup_free_ char *escaped = utf8_escape_short(text, TEXT_MAX);
    if (escaped)
        printf("%s%s\n", indent, escaped);
    return escaped;
}

static void print_title(const struct options *options, enum color color, const char *title)
{
    bool colored = color_wanted(options, stdout);
    printf("\n%s%s%s:\n", color_on(colored, color), title, color_off(colored));
}

static void print_rest(const struct status_lines *lines, const char *where)
{
    if (lines->total > lines->count)
        printf("  … and %zu more: %s\n", lines->total - lines->count, where);
}

static bool print_lines(const struct options *options, const struct status_lines *lines,
                        enum color color, const char *title, const char *where)
{
    struct table *table = table_new(4);
    if (!table)
        return false;
    for (size_t i = 0; i < lines->count; i++) {
        const struct status_line *line = &lines->items[i];
        table_row(table, color);
        table_cell(table, line->action);
        table_cell(table, line->email ? line->email : line->user_id);
        table_cell(table, line->text ? line->text : line->reason);
    }
    print_title(options, color, title);
    bool whole = table_print(table, stdout, color_wanted(options, stdout));
    table_free(table);
    print_rest(lines, where);
    return whole;
}

static bool print_blocked(const struct options *options, const struct status_blocked *blocked)
{
    bool whole = print_lines(options, &blocked->actions, YELLOW, "Blocked by a limit",
                             "inviterd plan shows all");
    puts("because");
    for (size_t i = 0; i < blocked->limit_count; i++)
        if (blocked->limits[i].text)
            whole &= print_text("  ", blocked->limits[i].text);
    if (!blocked->command)
        return whole;
    puts("If that is what you want, this lets the daemon carry out exactly that, once:");
    return print_text("  ", blocked->command) && whole;
}

static bool print_problems(const struct options *options, const struct status_lines *problems)
{
    bool whole = true;
    print_title(options, RED, "To be put right");
    for (size_t i = 0; i < problems->count; i++)
        if (problems->items[i].text)
            whole &= print_text("  ", problems->items[i].text);
    print_rest(problems, "inviterd check shows all");
    return whole;
}

static bool print_lists(const struct options *options, const struct status *status)
{
    bool whole = true;
    if (status->problems.total > 0)
        whole &= print_problems(options, &status->problems);
    if (status->failures.total > 0)
        whole &= print_lines(options, &status->failures, RED, "Failed in the last pass",
                             "see the journal");
    if (status->blocked.actions.total > 0)
        whole &= print_blocked(options, &status->blocked);
    if (status->attention.total > 0)
        whole &= print_lines(options, &status->attention, MAGENTA, "Needs your attention",
                             "inviterd plan shows all");
    return whole;
}

static bool print_headline(const struct options *options, const struct status *status, bool running)
{
    bool colored = color_wanted(options, stdout), stopped = status->state == STATUS_STOPPING;
    const char *text = status->message ? status->message : status_state_word(status->state);
    _cleanup_free_ char *message = utf8_escape_short(text, TEXT_MAX);
    if (running)
        printf("%sinviterd is running%s: %s\n\n", color_on(colored, color_of(status->state)),
               color_off(colored), message ? message : "(out of memory)");
    else
        printf("%sinviterd is not running%s: %s%s\n\n", color_on(colored, RED), color_off(colored),
               stopped ? "it was stopped" : "it ended unasked; before, it was: ",
               stopped   ? ""
               : message ? message
                         : "(out of memory)");
    return message;
}

bool view_status_text(const struct options *options, const struct status *status, bool running,
                      int64_t now)
{
    struct table *table = table_new(2);
    if (!table)
        return false;
    bool whole = print_headline(options, status, running);
    add_rows(table, options, status, running, now);
    whole &= table_print(table, stdout, color_wanted(options, stdout));
    table_free(table);
    return print_lists(options, status) && whole;
}

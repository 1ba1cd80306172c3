/* plan and apply: one code path up to the first write. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/chronicle.h"
#include "app/commands.h"
#include "app/oneshot.h"
#include "app/peek.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/view.h"
#include "app/words.h"
#include "io/journal.h"

static void warn_of_clock(const struct oneshot *oneshot, const struct pass *pass)
{
    _cleanup_free_ char *words = words_for_clock(pass, (int64_t)time(NULL));
    if (words)
        report_note(oneshot->options, "%s", words);
}

static void note_approval(const struct oneshot *oneshot, const struct pass *pass)
{
    if (!pass_approval_misfits(pass))
        return;
    if (plan_count_blocked(pass_plan(pass)) == 0)
        report_note(oneshot->options, "nothing is blocked: --approve was not needed");
    else
        report_note(oneshot->options,
                    "--approve %s does not fit what is blocked now: it was used already, or the "
                    "plan has changed; look at it again",
                    oneshot->options->approval);
}

/* The contract's order: failure over blocked over pending. */
static int exit_code(const struct oneshot *oneshot, const struct pass *pass, bool applied)
{
    const struct plan *plan = pass_plan(pass);
    if (applied && (pass_end(pass) != PASS_DONE || oneshot->signal != 0))
        return EXIT_TROUBLE;
    if (plan_count_result(plan, RESULT_FAILED) + plan_count_result(plan, RESULT_SKIPPED) +
            plan_count_result(plan, RESULT_UNKNOWN) >
        0)
        return EXIT_TROUBLE;
    if (plan_count_blocked(plan) > 0)
        return EXIT_BLOCKED;
    return !applied && !plan_in_sync(plan) ? EXIT_PENDING : EXIT_OK;
}

static const char *pass_failure(const struct pass *pass)
{
    const char *error = pass_error(pass);
    return error ? error : "stopped by a signal";
}

/* Whether a daemon that writes keeps the same organisation on this host; in doubt, none does. */
static bool has_daemon(const struct oneshot *oneshot)
{
    struct peek peek;
    _cleanup_free_ char *error = NULL;
    int r = peek_at_daemon(oneshot->options, &peek, &error);
    const char *base_url = peek.status.base_url;
    bool has = r >= 0 && peek.running && !peek.status.dry_run && base_url &&
               strcmp(base_url, oneshot->settings.base_url) == 0;
    peek_clear(&peek);
    return has;
}

static int show(const struct oneshot *oneshot, bool applied)
{
    const struct pass *pass = oneshot_pass(oneshot);
    if (!pass_plan(pass))
        return report_error(oneshot->options, EXIT_TROUBLE, pass_failure(pass));
    const struct view view = {oneshot->options, &oneshot->settings, pass, applied,
                              !applied && plan_count_blocked(pass_plan(pass)) > 0 &&
                                  has_daemon(oneshot)};
    warn_of_clock(oneshot, pass);
    note_approval(oneshot, pass);
    bool json = oneshot->options->output == OUTPUT_JSON;
    bool whole = json ? view_plan_json(&view) : view_plan_text(&view);
    if (oneshot->options->verbose)
        report_note(oneshot->options, "%u requests, %u of them held back by the rate limit",
                    pass_requests(pass), pass_limited(pass));
    if (applied && pass_end(pass) != PASS_DONE)
        report_trouble("%s", pass_failure(pass));
    return whole ? exit_code(oneshot, pass, applied) : report_short();
}

int command_plan(const struct options *options)
{
    struct oneshot oneshot = {0};
    int code = oneshot_prepare(&oneshot, options);
    if (code == 0)
        code = oneshot_peek(&oneshot);
    if (code == 0)
        code = oneshot_run(&oneshot, NULL);
    if (code == 0)
        code = show(&oneshot, false);
    oneshot_clear(&oneshot);
    return code;
}

/* What an apply tells while it goes on: the person at the terminal, and the journal. */
struct telling {
    struct progress progress;
    struct chronicle chronicle;
};

static bool on_planned(const struct pass *pass, void *userdata)
{
    struct telling *telling = userdata;
    progress_planned(&telling->progress, pass);
    chronicle_plan(&telling->chronicle, pass);
    return true;
}

static void on_moved(const struct pass *pass, void *userdata)
{
    struct telling *telling = userdata;
    progress_moved(&telling->progress, pass);
    chronicle_results(&telling->chronicle, pass);
}

static void on_stepped(const struct line *line, enum call call, void *userdata)
{
    const struct telling *telling = userdata;
    chronicle_step(&telling->chronicle, line, call);
}

static int run(struct oneshot *oneshot)
{
    struct telling telling = {0};
    const struct driver_hooks hooks = {
        .planned = on_planned, .moved = on_moved, .stepped = on_stepped, .userdata = &telling};
    journal_only();
    progress_begin(&telling.progress, oneshot->options, oneshot);
    chronicle_begin(&telling.chronicle, oneshot->options, &oneshot->settings);
    int code = oneshot_run(oneshot, &hooks);
    progress_end(&telling.progress);
    if (code == 0)
        chronicle_end(&telling.chronicle, oneshot_pass(oneshot));
    chronicle_clear(&telling.chronicle);
    return code;
}

int command_apply(const struct options *options)
{
    struct oneshot oneshot = {0};
    int code = oneshot_prepare(&oneshot, options);
    if (code == 0)
        code = oneshot_lock(&oneshot);
    if (code == 0)
        code = run(&oneshot);
    if (code == 0)
        code = show(&oneshot, true);
    oneshot_clear(&oneshot);
    return code;
}

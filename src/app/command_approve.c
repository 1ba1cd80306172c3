/* approve: hands the id of a blocked plan to the daemon, and waits for what comes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/commands.h"
#include "app/jsonline.h"
#include "app/peek.h"
#include "app/report.h"
#include "app/setup.h"
#include "codec/jsontext.h"
#include "codec/utf8.h"

#define PATIENCE_SECONDS 60
#define PAUSE            ((long)100 * 1000000) /* nanoseconds between two looks */

/* Which approval was the last one before ours: numbers begin anew with each daemon. */
struct before {
    int64_t pid;
    unsigned number;
};

/* Whether the approval that the daemon speaks of is ours. */
static bool is_ours(const struct status *status, const struct before *before, const char *id)
{
    const struct status_approval *approval = &status->approval;
    return approval->id && strcmp(approval->id, id) == 0 &&
           (status->pid != before->pid || approval->number != before->number);
}

static bool is_waiting(const struct status *status)
{
    return strcmp(status->approval.outcome, "waiting") == 0;
}

static int64_t monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/*
 * Looks until the daemon has decided, or patience ends. A daemon that is restarted meanwhile is
 * waited for. Returns what was seen last, or a negative errno.
 */
static int wait_for_verdict(const struct options *options, const struct before *before,
                            struct peek *ret, char **ret_error)
{
    int64_t end = monotonic_seconds() + PATIENCE_SECONDS;
    for (;;) {
        _cleanup_free_ char *error = NULL;
        int r = peek_at_daemon(options, ret, &error);
        bool decided =
            r >= 0 && is_ours(&ret->status, before, options->argument) && !is_waiting(&ret->status);
        if (decided || monotonic_seconds() >= end) {
            *ret_error = TAKE(error);
            return r;
        }
        peek_clear(ret);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
    }
}

static bool print_json(const char *id, const char *outcome, const char *text)
{
    jsontext_begin();
    return jsonline_print(json_pack("{s:s, s:s, s:s, s:s?}", "schema", "inviterd.approval/1", "id",
                                    id, "outcome", outcome, "text", text));
}

/* Says what came of it: good news on standard output, else on standard error, JSON in any case. */
static int print_outcome(const struct options *options, const char *outcome, const char *text,
                         int code)
{
    const char *id = options->argument;
    _cleanup_free_ char *shown = utf8_escape(text);
    if (code != EXIT_OK)
        report_trouble("approval %s: %s", id, text);
    else if (options->output != OUTPUT_JSON)
        printf("approval %s: %s\n", id, shown ? shown : outcome);
    if (options->output == OUTPUT_JSON && !print_json(id, outcome, text))
        return report_short();
    return code;
}

static int tell_verdict(const struct options *options, const struct before *before,
                        const struct peek *peek)
{
    const struct status *status = &peek->status;
    const struct status_approval *approval = &status->approval;
    bool ours = is_ours(status, before, options->argument);
    if (ours && !is_waiting(status))
        return print_outcome(
            options, approval->outcome, approval->text ? approval->text : approval->outcome,
            strcmp(approval->outcome, "carried-out") == 0 ? EXIT_OK : EXIT_TROUBLE);
    if (!peek->running)
        return print_outcome(options, "waiting",
                             "the daemon has ended: hand it in again when it runs", EXIT_TROUBLE);
    if (!ours && status->pid == before->pid && approval->number != before->number)
        return print_outcome(options, "refused",
                             "another approval has taken its place: see inviterd status",
                             EXIT_TROUBLE);
    if (!ours)
        return print_outcome(options, "waiting",
                             "the daemon has not taken it up: see inviterd status", EXIT_TROUBLE);
    if (status->pass_under_way)
        return print_outcome(options, "waiting",
                             "a pass is under way, which takes longer: see inviterd status",
                             EXIT_TROUBLE);
    _cleanup_free_ char *words =
        memory_format("the daemon keeps it until its next complete listing (now: %s); see "
                      "inviterd status",
                      status->message ? status->message : status_state_word(status->state));
    return print_outcome(options, "waiting", words ? words : "see inviterd status", EXIT_TROUBLE);
}

static int hand_in(const struct options *options, const struct peek *peek)
{
    int r = runtime_put_approval(peek->runtime, options->argument);
    if (r >= 0)
        return 0;
    _cleanup_free_ char *text =
        memory_format("the approval cannot be handed in (%s: %s)%s", setup_runtime_dir(options),
                      strerror(-r), r == -EACCES || r == -EPERM ? ": run this as root" : "");
    return report_error(options, EXIT_TROUBLE, text ? text : "out of memory");
}

/* Whether there is a daemon that can carry anything out: 0 or the exit code. */
static int check_daemon(const struct options *options, const struct peek *peek)
{
    if (!peek->running)
        return report_error(options, EXIT_TROUBLE,
                            "inviterd is not running: start it, or use inviterd apply --approve");
    if (peek->status.dry_run)
        return report_error(options, EXIT_TROUBLE,
                            "the daemon makes dry runs: it carries nothing out");
    return 0;
}

static int wait_and_tell(const struct options *options, const struct before *before)
{
    struct peek peek;
    _cleanup_free_ char *error = NULL;
    int code;
    if (wait_for_verdict(options, before, &peek, &error) < 0)
        code = report_error(options, EXIT_TROUBLE, error ? error : "out of memory");
    else
        code = tell_verdict(options, before, &peek);
    peek_clear(&peek);
    return code;
}

int command_approve(const struct options *options)
{
    struct peek peek;
    _cleanup_free_ char *error = NULL;
    int code;
    if (peek_at_daemon(options, &peek, &error) < 0)
        code = report_error(options, EXIT_TROUBLE, error ? error : "out of memory");
    else
        code = check_daemon(options, &peek);
    if (code == 0)
        code = hand_in(options, &peek);
    const struct before before = {peek.status.pid, peek.status.approval.number};
    peek_clear(&peek);
    return code == 0 ? wait_and_tell(options, &before) : code;
}

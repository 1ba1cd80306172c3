/* export: the present organisation, written as a member file that plans to "in sync". */
#include <stdio.h>

#include "app/commands.h"
#include "app/oneshot.h"
#include "app/report.h"
#include "codec/exporttext.h"
#include "io/clock.h"

/* `begun` is no later than when the listings were: what was written since may not show. */
static int build(const struct oneshot *oneshot, uint64_t begun, struct adoption **ret)
{
    const struct pass *pass = oneshot_pass(oneshot);
    bool stated;
    const struct plan_inputs inputs = {
        .listing = pass_listing(pass),
        .users = pass_users(pass),
        .ledger = oneshot->ledger,
        .limits = &oneshot->settings.limits,
        .begun = begun,
        .users_begun = begun,
        .settle = oneshot->settings.settle_usec,
        .now = pass_date(pass, &stated),
    };
    return adoption_build(&inputs, ret);
}

/* Comments say it in the file, where the format has any. */
static void tell_remarks(const struct options *options, const struct adoption *adoption)
{
    if (!adoption->users_listed)
        report_note(options, "users were not listed: who is a member without an invite is missing");
    for (size_t i = 0; i < adoption->remark_count; i++) {
        const struct remark *remark = &adoption->remarks[i];
        _cleanup_free_ char *text = exporttext_remark(remark);
        report_note(options, "%s%s", remark->ignored ? "ignored: " : "",
                    text ? text : "out of memory");
    }
}

static void tell(const struct options *options, const struct adoption *adoption)
{
    size_t people = adoption->members->count, ignored = adoption->members->ignore_count;
    if (options->output == OUTPUT_JSON)
        tell_remarks(options, adoption);
    report_note(options, "%zu %s declared, %zu ignored; look through the file before it is used",
                people, people == 1 ? "person" : "people", ignored);
    if (!adoption_in_sync(adoption))
        report_trouble("a plan with this file may change something: the service has what no member "
                       "file can express");
}

static int export(const struct oneshot *oneshot, uint64_t begun)
{
    const struct options *options = oneshot->options;
    const struct pass *pass = oneshot_pass(oneshot);
    const char *error = pass_error(pass);
    _cleanup_(adoption_free_pointer) struct adoption *adoption = NULL;
    _cleanup_free_ char *text = NULL;
    bool stated;
    if (!pass_plan(pass))
        return report_error(options, EXIT_TROUBLE, error ? error : "stopped by a signal");
    if (build(oneshot, begun, &adoption) == 0)
        text = options->output == OUTPUT_JSON ? exporttext_json(adoption)
                                              : exporttext_conf(adoption, pass_date(pass, &stated));
    if (!text)
        return report_error(options, EXIT_TROUBLE, "out of memory");
    fputs(text, stdout);
    tell(options, adoption);
    return EXIT_OK;
}

int command_export(const struct options *options)
{
    struct oneshot oneshot = {0};
    int code = oneshot_prepare_bare(&oneshot, options);
    /* As a plan does it: what was written a moment ago may not be listed yet. */
    if (code == 0)
        code = oneshot_peek(&oneshot);
    uint64_t begun = clock_now().boot;
    if (code == 0)
        code = oneshot_run(&oneshot, NULL);
    if (code == 0)
        code = export(&oneshot, begun);
    oneshot_clear(&oneshot);
    return code;
}

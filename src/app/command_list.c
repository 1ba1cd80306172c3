/* list: the organisation's invites, as one listing that is proven complete. */
#include "app/commands.h"
#include "app/oneshot.h"
#include "app/report.h"
#include "app/view.h"

static int show(const struct oneshot *oneshot)
{
    const struct pass *pass = oneshot_pass(oneshot);
    const char *error = pass_error(pass);
    if (!pass_plan(pass))
        return report_error(oneshot->options, EXIT_TROUBLE, error ? error : "stopped by a signal");
    bool stated;
    const struct invites *invites = listing_invites(pass_listing(pass));
    bool whole = oneshot->options->output == OUTPUT_JSON
                     ? view_list_json(invites)
                     : view_list_text(oneshot->options, invites, pass_date(pass, &stated));
    return whole ? EXIT_OK : report_short();
}

int command_list(const struct options *options)
{
    struct oneshot oneshot = {0};
    int code = oneshot_prepare_invites(&oneshot, options);
    if (code == 0)
        code = oneshot_run(&oneshot, NULL);
    if (code == 0)
        code = show(&oneshot);
    oneshot_clear(&oneshot);
    return code;
}

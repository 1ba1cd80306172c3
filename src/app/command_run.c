/* run: the daemon. */
#include <syslog.h>

#include "app/commands.h"
#include "app/daemon.h"
#include "app/events.h"
#include "app/report.h"
#include "app/setup.h"
#include "app/tell.h"
#include "io/journal.h"

/* In the journal each finding is an event; a person at a terminal gets them as of any command. */
static int refuse(const struct options *options, const struct problems *problems)
{
    if (!journal_connected())
        return report_problems(options, problems);
    tell_problems(EVENT_CONFIG_REFUSED, problems);
    tell(LOG_ERR, EVENT_CONFIG_REFUSED,
         "the configuration is invalid: nothing was sent; correct it and start again");
    return EXIT_CONFIG;
}

int command_run(const struct options *options)
{
    struct settings settings;
    struct problems problems = {0};
    journal_set_level(options->verbose ? LOG_DEBUG : options->quiet ? LOG_WARNING : LOG_INFO);
    if (setup_settings(options, &settings, &problems) >= 0) {
        setup_need_policy(options, &settings, &problems);
        setup_need_members(options, &settings, &problems);
    }
    if (problems.errors > 0) {
        int code = refuse(options, &problems);
        problems_clear(&problems);
        settings_clear(&settings);
        return code;
    }
    if (journal_connected())
        tell_problems(EVENT_CONFIG_INVALID, &problems);
    else
        report_warnings(options, &problems);
    problems_clear(&problems);
    return daemon_run(options, &settings);
}

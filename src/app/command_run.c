/* run: the daemon. */
#include <syslog.h>

#include "app/commands.h"
#include "app/daemon.h"
#include "app/report.h"
#include "app/setup.h"
#include "io/journal.h"

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
        int code = report_problems(options, &problems);
        problems_clear(&problems);
        settings_clear(&settings);
        return code;
    }
    report_warnings(options, &problems);
    problems_clear(&problems);
    return daemon_run(options, &settings);
}

/* check: read everything, offline, and name every mistake. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "app/commands.h"
#include "app/jsonline.h"
#include "app/report.h"
#include "app/setup.h"
#include "codec/jsontext.h"
#include "codec/memberfile.h"
#include "io/clock.h"

static bool print_json(const struct settings *settings, const struct members *members,
                       const struct problems *warnings)
{
    jsontext_begin();
    return jsonline_print(
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "schema", "inviterd.check/1", "members_path",
                  settings->members, "members", (json_int_t)members->count, "ignore",
                  (json_int_t)members->ignore_count, "protected",
                  (json_int_t)members->protected_count, "problems", jsonline_problems(warnings)));
}

static void print_text(const struct settings *settings, const struct members *members)
{
    const char *policy = settings->policy == POLICY_UNSET ? "not set: apply and run need one"
                                                          : policy_word(settings->policy);
    printf("%s: %zu %s, %zu ignore pattern%s, %zu protected; all valid.\n", settings->members,
           members->count, members->count == 1 ? "person" : "people", members->ignore_count,
           members->ignore_count == 1 ? "" : "s", members->protected_count);
    printf("policy: %s. users: %s. API: %s.\n", policy, users_word(settings->users),
           settings->base_url);
}

int command_check(const struct options *options)
{
    struct settings settings;
    struct problems problems = {0};
    _cleanup_(members_free_pointer) struct members *members = NULL;
    if (setup_settings(options, &settings, &problems) >= 0)
        setup_need_members(options, &settings, &problems);
    if (settings.members && *settings.members &&
        setup_members(&settings, &members, &problems) == -ENOMEM)
        problems_add(&problems, settings.members, "out of memory");

    int code = EXIT_OK;
    if (problems.errors > 0) {
        code = report_problems(options, &problems);
    } else {
        assert(members);
        memberfile_examine(members, clock_now().wall, &problems);
        report_warnings(options, &problems);
        if (options->output != OUTPUT_JSON)
            print_text(&settings, members);
        else if (!print_json(&settings, members, &problems))
            code = report_short();
    }
    problems_clear(&problems);
    settings_clear(&settings);
    return code;
}

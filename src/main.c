/* inviterd: keeps the invites of an OpenAI organisation equal to a member file. */
#include "app/commands.h"
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* The key must not end up in a core dump, nor be read by a debugger of the same account. */
static void keep_memory_private(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
#ifndef __SANITIZE_ADDRESS__
    /* The leak checker of a test build traces the process from within. */
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

int main(int argc, char **argv)
{
    keep_memory_private();

    static const struct {
        const char *name;
        int (*run)(const struct options *options);
    } commands[] = {
        {"check", command_check},   {"plan", command_plan},       {"apply", command_apply},
        {"run", command_run},       {"list", command_list},       {"show", command_show},
        {"status", command_status}, {"approve", command_approve},
    };
    struct options options;
    int code;
    if (!options_parse(argc, argv, &options, &code))
        return code;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, options.command) == 0)
            return commands[i].run(&options);
    return EXIT_USAGE;
}

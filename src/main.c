/* inviterd: keeps the invites of an OpenAI organisation equal to a member file. */
#include "app/commands.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* What is opened first takes the place of a closed stream, and would get the output. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* Half of an output must not pass for a whole one. */
static int end_output(int code)
{
    int error = fflush(stdout) == 0 ? 0 : errno;
    if (error == 0 && !ferror(stdout))
        return code;
    fprintf(stderr,
            "inviterd: the output cannot be written (%s): what is there is not complete; see where "
            "it goes, and try again\n",
            strerror(error != 0 ? error : EIO));
    return code == EXIT_USAGE || code == EXIT_CONFIG ? code : EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    keep_memory_private();
    hold_standard_streams();

    static const struct {
        const char *name;
        int (*run)(const struct options *options);
    } commands[] = {
        {"check", command_check},   {"plan", command_plan},       {"apply", command_apply},
        {"run", command_run},       {"list", command_list},       {"show", command_show},
        {"status", command_status}, {"approve", command_approve}, {"export", command_export},
    };
    struct options options;
    int code;
    if (!options_parse(argc, argv, &options, &code))
        return code;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, options.command) == 0)
            return end_output(commands[i].run(&options));
    return EXIT_USAGE;
}

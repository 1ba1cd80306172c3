/* inviterd: keeps the invites of an OpenAI organisation equal to a member file. */
#include <string.h>
#include <sys/prctl.h>

#include "app/commands.h"

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct options *options);
    } commands[] = {
        {"check", command_check}, {"plan", command_plan}, {"apply", command_apply},
        {"run", command_run},     {"list", command_list}, {"show", command_show},
    };
    struct options options;
    int code;
    /* A core dump would hold the key. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!options_parse(argc, argv, &options, &code))
        return code;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, options.command) == 0)
            return commands[i].run(&options);
    return EXIT_USAGE;
}

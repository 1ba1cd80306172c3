/* The command line. */
#pragma once

#include <stdbool.h>

#define DEFAULT_CONFIG "/etc/inviterd/inviterd.conf"
/* Names of instances are no longer. */
#define INSTANCE_MAX 64

enum exit_code {
    EXIT_OK = 0,
    EXIT_TROUBLE = 1, /* the service, the network, the state directory, a change, or a signal */
    EXIT_PENDING = 2, /* plan: changes are pending */
    EXIT_BLOCKED = 3, /* a limit blocked part of the plan */
    EXIT_USAGE = 64,
    EXIT_CONFIG = 78,
};

enum output {
    OUTPUT_TEXT,
    OUTPUT_JSON
};
enum color_mode {
    COLOR_AUTO,
    COLOR_ALWAYS,
    COLOR_NEVER
};

struct options {
    const char *command;  /* NULL until named */
    const char *argument; /* of `show` and `approve` */
    const char *config;   /* NULL: the default place */
    const char *members, *policy, *users, *base_url, *state_dir, *approval;
    const char *instance; /* one of several organisations on this host; NULL: the only one */
    enum output output;
    enum color_mode color;
    bool all, quiet, verbose, dry_run;
};

/*
 * Reads the command line. Returns true when a command is to be run; otherwise help, the version or
 * an error was printed, and *ret_exit is the exit code.
 */
bool options_parse(int argc, char **argv, struct options *ret, int *ret_exit);

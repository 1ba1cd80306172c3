/* The command line. */
#pragma once

#include "sandbox.h"
#include "server.h"

struct options {
    const char *org_file, *certificate_file, *key_file; /* NULL when not given */
    bool die_with_parent;
    struct server_options server;
};

/*
 * Reads the command line into the options and the sandbox's settings. Ends the process for --help
 * (exit 0) and for bad usage (exit 64, message on standard error).
 */
void options_read(int argc, char **argv, struct options *options, struct sandbox *sandbox);

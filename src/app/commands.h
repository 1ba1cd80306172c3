/* The commands: each takes the parsed options and returns the exit code. */
#pragma once

#include "app/options.h"

int command_check(const struct options *options);
int command_plan(const struct options *options);
int command_apply(const struct options *options);
int command_run(const struct options *options);
int command_export(const struct options *options);
int command_list(const struct options *options);
int command_show(const struct options *options);
int command_status(const struct options *options);
int command_approve(const struct options *options);

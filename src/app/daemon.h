/* The daemon: passes by the clock, reloads, and a stop that lets writes in flight end. */
#pragma once

#include "app/options.h"
#include "codec/settings.h"

/* Runs until a signal ends it. Takes over what the settings own. Returns the exit code. */
int daemon_run(const struct options *options, struct settings *settings);

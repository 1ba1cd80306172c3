/* The host's clocks. */
#pragma once

#include "core/pass.h"

/* CLOCK_BOOTTIME for intervals, which goes on through suspend; CLOCK_REALTIME for dates. */
struct instant clock_now(void);

/* Id of this boot as text, which the caller owns. Returns 0 or a negative errno. */
int clock_boot_id(char **ret);

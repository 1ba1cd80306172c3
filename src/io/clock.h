/* The host's clocks. */
#pragma once

#include "core/pass.h"

/* CLOCK_BOOTTIME for intervals, which goes on through suspend; CLOCK_REALTIME for dates. */
struct instant clock_now(void);

/* Id of this boot as text; the caller owns it. NULL when it cannot be read. */
char *clock_boot_id(void);

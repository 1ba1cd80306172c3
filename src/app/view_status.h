/* The status for eyes. */
#pragma once

#include "app/options.h"
#include "codec/statustext.h"

/* Whether the next pass is overdue: then the daemon does not do what it says. */
bool view_status_hangs(const struct status *status, int64_t now);

/* Prints it. Returns false where memory ran short and a part is missing. */
bool view_status_text(const struct options *options, const struct status *status, bool running,
                      int64_t now);

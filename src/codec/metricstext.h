/* The status as Prometheus text, for the textfile collector of the node exporter. */
#pragma once

#include "codec/statustext.h"

/* The caller owns it; NULL when memory is short. */
char *metricstext_write(const struct status *status);

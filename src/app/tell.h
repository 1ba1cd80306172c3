/* Events of the daemon that concern nobody in particular: a message with its id. */
#pragma once

#include "codec/problems.h"

__attribute__((format(printf, 3, 4))) void tell(int priority, const char *message_id,
                                                const char *format, ...);

/* An event for each finding: errors at err, warnings at warning. */
void tell_problems(const char *message_id, const struct problems *problems);

/* One event of the daemon that concerns nobody in particular: a message with its id. */
#pragma once

__attribute__((format(printf, 3, 4))) void tell(int priority, const char *message_id,
                                                const char *format, ...);

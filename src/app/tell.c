/* Events without fields of a person. */
#include "tell.h"

#include <stdarg.h>
#include <syslog.h>

#include "core/memory.h"
#include "io/journal.h"

void tell(int priority, const char *message_id, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = memory_format_list(format, arguments);
    va_end(arguments);
    const struct journal_event event = {.priority = priority, .message_id = message_id};
    if (text)
        journal_send(&event, "%s", text);
}

void tell_problems(const char *message_id, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        tell(problems->items[i].warning ? LOG_WARNING : LOG_ERR, message_id, "%s: %s",
             problems->items[i].place, problems->items[i].message);
}

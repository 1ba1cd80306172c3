/* sd-journal, or lines. */
#include "journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

/* Fields are set by their whole "NAME=value" text: libsystemd must not add our source lines. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "codec/utf8.h"
#include "core/memory.h"

#define FIELDS_MAX 13
/* What is longer is cut. The paths and commands in a message are shorter than this. */
#define MESSAGE_MAX 4000
#define VALUE_MAX   500

static int level = LOG_INFO;
static bool only;

void journal_only(void)
{
    only = true;
}
void journal_set_level(int priority)
{
    level = priority;
}

bool journal_connected(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    /* A number that overflows is not the stream's. NOLINTNEXTLINE(cert-err34-c) */
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

struct fields {
    struct iovec items[FIELDS_MAX];
    int count;
};

/* What came from outside must not forge a line, move the cursor, or flood the reader. */
static void put(struct fields *fields, const char *name, const char *value, size_t most)
{
    _cleanup_free_ char *shown = value ? utf8_escape_short(value, most) : NULL;
    char *text = shown ? memory_format("%s=%s", name, shown) : NULL;
    if (text)
        fields->items[fields->count++] = (struct iovec){.iov_base = text, .iov_len = strlen(text)};
}

static void put_number(struct fields *fields, const char *name, int value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    put(fields, name, text, VALUE_MAX);
}

static void send_fields(const struct journal_event *event, const char *message)
{
    struct fields fields = {.count = 0};
    put(&fields, "MESSAGE", message, MESSAGE_MAX);
    put_number(&fields, "PRIORITY", event->priority);
    put(&fields, "MESSAGE_ID", event->message_id, VALUE_MAX);
    put(&fields, "INVITERD_PASS", event->pass, VALUE_MAX);
    put(&fields, "INVITERD_ACTION", event->action, VALUE_MAX);
    put(&fields, "INVITERD_EMAIL", event->email, VALUE_MAX);
    put(&fields, "INVITERD_INVITE_ID", event->invite_id, VALUE_MAX);
    put(&fields, "INVITERD_USER_ID", event->user_id, VALUE_MAX);
    put(&fields, "INVITERD_REASON", event->reason, VALUE_MAX);
    put(&fields, "INVITERD_RESULT", event->result, VALUE_MAX);
    put(&fields, "INVITERD_REQUEST_ID", event->request_id, VALUE_MAX);
    if (event->http_status != 0)
        put_number(&fields, "INVITERD_HTTP_STATUS", event->http_status);
    sd_journal_sendv(fields.items, fields.count);
    for (int i = 0; i < fields.count; i++)
        free(fields.items[i].iov_base);
}

void journal_send(const struct journal_event *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = memory_format_list(format, arguments);
    va_end(arguments);
    _cleanup_free_ char *message = text ? utf8_escape_short(text, MESSAGE_MAX) : NULL;
    if (!message)
        return;
    if (only || journal_connected())
        send_fields(event, message);
    else if (event->priority <= level)
        fprintf(stderr, "%s\n", message);
}

/* Events for the journal, with fields; readable lines on standard error where there is none. */
#pragma once

#include <stdbool.h>

/* What applies is set; NULL and 0 are left out. Design §5. */
struct journal_event {
    int priority;           /* syslog(3): LOG_ERR and so on */
    const char *message_id; /* 32 hexadecimal digits */
    const char *pass, *action, *email, *invite_id, *user_id, *reason, *result, *request_id;
    int http_status;
};

/* Whether standard error is a stream to the journal, so that events go there with their fields. */
bool journal_connected(void);

/* Says it once: to the journal when connected, else as one line on standard error. */
void journal_send(const struct journal_event *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on events go to the journal alone, wherever standard error leads. */
void journal_only(void);

/* Events of higher number than this (less urgent) are not printed to standard error. */
void journal_set_level(int priority);

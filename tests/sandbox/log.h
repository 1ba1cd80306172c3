/* What the API was asked, and which e-mails it would have sent. */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct log {
    json_t *requests; /* array */
    json_t *mails;    /* folded address → count */
    json_t *mail_log; /* array */
    json_t *counts;   /* call → count */
};

void log_init(struct log *log);
void log_clear(struct log *log);

/*
 * Numbers `entry`, which it takes over, appends it and counts its "call". Returns it as a new
 * reference, so that "status" can be set once it is known, even if the log has been cleared.
 */
json_t *log_request(struct log *log, json_t *entry);

void log_mail(struct log *log, int64_t now_ms, const char *email, const char *role,
              json_t *projects, const char *invite_id);

/* The whole log; the caller owns it, but it shares its parts with the log. */
json_t *log_show(const struct log *log);

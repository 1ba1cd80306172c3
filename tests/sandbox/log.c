/* The log of requests and e-mails. */
#include "log.h"

#include "base.h"
#include "request.h"

void log_init(struct log *log)
{
    log->requests = must(json_array());
    log->mails = must(json_object());
    log->mail_log = must(json_array());
    log->counts = must(json_object());
    for (int call = 0; call < CALL_COUNT; call++)
        json_object_set_new(log->counts, call_words[call], must(json_integer(0)));
}

void log_clear(struct log *log)
{
    json_decref(log->requests);
    json_decref(log->mails);
    json_decref(log->mail_log);
    json_decref(log->counts);
}

static void count(json_t *counts, const char *key)
{
    json_int_t before = json_integer_value(json_object_get(counts, key));
    json_object_set_new(counts, key, must(json_integer(before + 1)));
}

json_t *log_request(struct log *log, json_t *entry)
{
    size_t n = json_array_size(log->requests) + 1;
    json_object_set_new(entry, "n", must(json_integer((json_int_t)n)));
    count(log->counts, json_string_value(json_object_get(entry, "call")));
    json_array_append_new(log->requests, json_incref(entry));
    return entry;
}

void log_mail(struct log *log, int64_t now_ms, const char *email, const char *role,
              json_t *projects, const char *invite_id)
{
    _cleanup_free_ char *key = lower_case(email);
    count(log->mails, key);
    json_array_append_new(
        log->mail_log,
        must(json_pack("{s:f, s:s, s:s, s:O, s:s}", "time", (double)now_ms / 1000.0, "email", email,
                       "role", role, "projects", projects, "invite_id", invite_id)));
}

json_t *log_show(const struct log *log)
{
    return must(json_pack("{s:O, s:O, s:O, s:O}", "requests", log->requests, "mails", log->mails,
                          "mail_log", log->mail_log, "counts", log->counts));
}

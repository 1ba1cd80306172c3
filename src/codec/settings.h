/* The configuration: libconfig text and command-line values in, one checked struct out. */
#pragma once

#include <stdint.h>

#include "codec/problems.h"
#include "core/limits.h"

enum policy {
    POLICY_UNSET,
    POLICY_SYNC,
    POLICY_CREATE_ONLY
};

struct settings {
    enum policy policy;
    enum users_mode users;
    char *users_place;          /* where that was set: "FILE:LINE" or "--users"; NULL: nowhere */
    uint64_t remove_after_usec; /* how long users are seen undeclared before they are removed */
    char *members; /* path, made absolute relative to the configuration file; NULL: not set */
    uint64_t interval_usec;
    uint64_t settle_usec;
    char *base_url;     /* without a trailing slash; NULL: not set */
    char *key_source;   /* "credential:NAME", "file:PATH" or "env:NAME"; NULL: not set */
    char *organization; /* sent as OpenAI-Organization; NULL or "": not sent */
    uint64_t timeout_usec;
    unsigned concurrency;         /* 1 to 64 */
    unsigned requests_per_minute; /* 0: adapt to what the service allows */
    char *proxy;                  /* NULL or "": none */
    char *ca_file;                /* NULL or "": the system's; made absolute like `members` */
    char *metrics;                /* the daemon's Prometheus text; NULL or "": none; absolute */
    struct limits limits;
};

/* Every default of design §3 that is not "unset". */
void settings_init(struct settings *settings);
void settings_clear(struct settings *settings);

/*
 * Reads the configuration `text` of `length` bytes on top of what is in *settings. `file` names it
 * in messages and anchors relative paths. All findings go to *problems; the settings that were
 * found wrong keep their earlier value. Returns 0, or -EBADMSG when there was any error.
 */
int settings_parse(const char *file, const char *text, size_t length, struct settings *settings,
                   struct problems *problems);

/* One value as the command line gives it; `option` ("--policy") is named in the message. */
int settings_set_policy(struct settings *settings, const char *option, const char *word,
                        struct problems *problems);
/* The same for what is done about users; `place` is FILE:LINE or an option. */
int settings_set_users(struct settings *settings, const char *place, const char *word,
                       struct problems *problems);
/*
 * Checks and takes a base URL: https, or http to a loopback address; no query, fragment or user.
 * `place` is FILE:LINE, an option or a variable.
 */
int settings_set_base_url(struct settings *settings, const char *place, const char *url,
                          struct problems *problems);

const char *policy_word(enum policy policy);
const char *users_word(enum users_mode mode);

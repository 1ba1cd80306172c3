/* Everything a command starts from: settings out of file, environment and options; members; key. */
#pragma once

#include "app/options.h"
#include "codec/settings.h"
#include "core/member.h"
#include "io/openai.h"
#include "io/snapshot.h"

#define DEFAULT_BASE_URL "https://api.openai.com/v1"

/*
 * An option wins over the file, the file over the environment, that over a default. All findings
 * go to *problems. Returns 0, or -EBADMSG when any of them is an error; the settings are the
 * caller's to clear either way.
 */
int setup_settings(const struct options *options, struct settings *ret, struct problems *problems);

/* What a command that writes cannot do without: adds a problem where the policy is not set. */
void setup_need_policy(const struct options *options, const struct settings *settings,
                       struct problems *problems);
/* Adds a problem where no member file is named. */
void setup_need_members(const struct options *options, const struct settings *settings,
                        struct problems *problems);

/*
 * Reads the member file, waiting for up to a few seconds until nobody is writing it any more.
 * Returns 0; -EBADMSG with findings in *problems; -ENOMEM.
 */
int setup_members(const struct settings *settings, struct members **ret, struct problems *problems);
/*
 * The same from a snapshot that was taken. Beside what is wrong with the file in itself, one
 * without protected addresses is refused where users are managed.
 */
int setup_parse_members(const struct settings *settings, const struct snapshot *snapshot,
                        struct members **ret, struct problems *problems);

/*
 * The state directory: --state-dir, else $STATE_DIRECTORY, else /var/lib/inviterd, or
 * /var/lib/inviterd-NAME of an instance.
 */
const char *setup_state_dir(const struct options *options);
/* The runtime directory: $RUNTIME_DIRECTORY, else /run/inviterd, or /run/inviterd-NAME. */
const char *setup_runtime_dir(const struct options *options);

/* A client for these settings, without a key yet. Returns 0 or a negative errno. */
int setup_client(sd_event *event, const struct settings *settings, struct openai **ret);
/* Reads the key anew and hands it to the client. 0, or a negative errno with *ret_error. */
int setup_key(const struct settings *settings, struct openai *openai, char **ret_error);

/* How long a pass waits for an answer before it takes what is in flight for lost, microseconds. */
uint64_t setup_stall_usec(const struct settings *settings);
/*
 * Two listings of users are one watch if they are no further apart than this, microseconds: one
 * that failed between them, and some delay, do no harm.
 */
uint64_t setup_watch_gap_usec(const struct settings *settings);

/* Settings, members, key, client. */
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/credential.h"
#include "io/file.h"

#define CONFIG_MAX        ((size_t)1 << 20)
#define DEFAULT_STATE_DIR "/var/lib/inviterd"
#define DEFAULT_RUN_DIR   "/run/inviterd"
#define INSTANCE_CONFIG   "/etc/inviterd/%s/inviterd.conf"

/* --config, else the default place. A named instance has a place of its own. */
static const char *config_path(const struct options *options)
{
    static char path[sizeof INSTANCE_CONFIG + INSTANCE_MAX];
    if (options->config)
        return options->config;
    if (!options->instance)
        return DEFAULT_CONFIG;
    snprintf(path, sizeof path, INSTANCE_CONFIG, options->instance);
    return path;
}

static void read_file(const struct options *options, struct settings *settings,
                      struct problems *problems)
{
    const char *path = config_path(options);
    _cleanup_free_ char *text = NULL;
    size_t length;
    int r = file_read(AT_FDCWD, path, CONFIG_MAX, &text, &length);
    /* Who names an instance means one that there is. */
    if (r == -ENOENT && !options->config && !options->instance)
        return;
    if (r < 0)
        problems_add(problems, path, "cannot be read (%s): correct the path or its permissions",
                     strerror(-r));
    else
        (void)settings_parse(path, text, length, settings, problems);
}

static void take_environment(struct settings *settings, struct problems *problems)
{
    const char *base_url = getenv("OPENAI_BASE_URL");
    if (!settings->base_url && base_url && *base_url)
        (void)settings_set_base_url(settings, "OPENAI_BASE_URL", base_url, problems);
}

static void take_options(const struct options *options, struct settings *settings,
                         struct problems *problems)
{
    if (options->policy)
        (void)settings_set_policy(settings, "--policy", options->policy, problems);
    if (options->users)
        (void)settings_set_users(settings, "--users", options->users, problems);
    if (options->base_url)
        (void)settings_set_base_url(settings, "--base-url", options->base_url, problems);
    if (options->members && memory_set(&settings->members, options->members) < 0)
        problems_add(problems, "--members", "out of memory");
}

int setup_settings(const struct options *options, struct settings *ret, struct problems *problems)
{
    settings_init(ret);
    read_file(options, ret, problems);
    /* A base URL on the command line makes that of the environment unimportant, even if wrong. */
    if (!options->base_url)
        take_environment(ret, problems);
    take_options(options, ret, problems);
    if (!ret->base_url && memory_set(&ret->base_url, DEFAULT_BASE_URL) < 0)
        problems_add(problems, "--base-url", "out of memory");
    return problems->errors > 0 ? -EBADMSG : 0;
}

/* Where a setting that is missing should have stood. */
static const char *config_place(const struct options *options)
{
    if (options->config || options->instance)
        return config_path(options);
    return access(DEFAULT_CONFIG, F_OK) == 0 ? DEFAULT_CONFIG
                                             : "no configuration file at " DEFAULT_CONFIG;
}

void setup_need_policy(const struct options *options, const struct settings *settings,
                       struct problems *problems)
{
    if (settings->policy == POLICY_UNSET)
        problems_add(problems, config_place(options),
                     "no policy is set, on purpose: give --policy or set `policy` to \"sync\" "
                     "(creates and deletes) or \"create-only\" (never deletes)");
}

void setup_need_members(const struct options *options, const struct settings *settings,
                        struct problems *problems)
{
    if (!settings->members || !*settings->members)
        problems_add(problems, config_place(options),
                     "no member file is named: give --members PATH or set `members`");
}

/* Takes snapshots until one is quiet; the wait is bounded, since each is at most two seconds. */
static int take_quiet(const char *path, struct snapshot *ret, struct problems *problems)
{
    uint64_t previous = 0;
    for (unsigned attempt = 0;; attempt++) {
        int r = snapshot_take(path, previous, ret, problems);
        if (r < 0 || ret->wait_usec == 0)
            return r;
        if (attempt == 10) {
            snapshot_clear(ret);
            problems_add(problems, path, "keeps changing: try again when nobody writes it");
            return -EBADMSG;
        }
        struct timespec wait = {.tv_sec = (time_t)(ret->wait_usec / 1000000),
                                .tv_nsec = (long)(ret->wait_usec % 1000000) * 1000};
        previous = ret->state;
        snapshot_clear(ret);
        nanosleep(&wait, NULL);
    }
}

int setup_parse_members(const struct settings *settings, const struct snapshot *snapshot,
                        struct members **ret, struct problems *problems)
{
    _cleanup_(members_free_pointer) struct members *members = NULL;
    int r = memberfile_parse(snapshot->sources, snapshot->count, &members, problems);
    if (r < 0)
        return r;
    if (settings->users == USERS_MANAGE && members->protected_count == 0) {
        problems_add(problems, settings->users_place ? settings->users_place : settings->members,
                     "`users` is \"manage\", but no address is protected from removal: add "
                     "`protected` with the address of an owner to the group `organization` of %s",
                     settings->members);
        return -EBADMSG;
    }
    *ret = TAKE(members);
    return 0;
}

int setup_members(const struct settings *settings, struct members **ret, struct problems *problems)
{
    struct snapshot snapshot = {0};
    int r = take_quiet(settings->members, &snapshot, problems);
    if (r < 0)
        return r;
    r = setup_parse_members(settings, &snapshot, ret, problems);
    snapshot_clear(&snapshot);
    return r;
}

static const char *default_dir(const struct options *options, const char *path, char *buffer,
                               size_t size)
{
    if (!options->instance)
        return path;
    snprintf(buffer, size, "%s-%s", path, options->instance);
    return buffer;
}

const char *setup_state_dir(const struct options *options)
{
    const char *directory = getenv("STATE_DIRECTORY");
    if (options->state_dir)
        return options->state_dir;
    if (directory && *directory)
        return directory;
    static char path[sizeof DEFAULT_STATE_DIR "-" + INSTANCE_MAX];
    return default_dir(options, DEFAULT_STATE_DIR, path, sizeof path);
}

const char *setup_runtime_dir(const struct options *options)
{
    const char *directory = getenv("RUNTIME_DIRECTORY");
    if (directory && *directory)
        return directory;
    static char path[sizeof DEFAULT_RUN_DIR "-" + INSTANCE_MAX];
    return default_dir(options, DEFAULT_RUN_DIR, path, sizeof path);
}

int setup_client(sd_event *event, const struct settings *settings, struct openai **ret)
{
    const struct openai_options options = {
        .base_url = settings->base_url,
        .organization = settings->organization,
        .http = {.proxy = settings->proxy,
                 .ca_file = settings->ca_file,
                 .timeout_usec = settings->timeout_usec,
                 .connections = settings->concurrency},
    };
    return openai_new(event, &options, ret);
}

int setup_key(const struct settings *settings, struct openai *openai, char **ret_error)
{
    _cleanup_(memory_wipe_pointer) char *key = NULL;
    int r = credential_read(settings->key_source, &key, ret_error);
    return r < 0 ? r : openai_set_key(openai, key);
}

uint64_t setup_stall_usec(const struct settings *settings)
{
    return 2 * settings->timeout_usec + UINT64_C(5000000);
}

uint64_t setup_watch_gap_usec(const struct settings *settings)
{
    return 2 * settings->interval_usec + UINT64_C(600000000);
}

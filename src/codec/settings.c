/* From a tree of values to checked settings. */
#include "codec/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/document.h"
#include "codec/duration.h"
#include "codec/settings_url.h"
#include "codec/utf8.h"
#include "core/hidden.h"

#define SEC  USEC_PER_SEC
#define HOUR (3600 * SEC)

/* Paths and header values longer than this are refused. */
#define STRING_MAX 4096

static const char *const policy_words[] = {"sync", "create-only", NULL};
/* By enum users_mode. */
static const char *const users_words[] = {"off", "observe", "manage", NULL};

const char *policy_word(enum policy policy)
{
    switch (policy) {
    case POLICY_SYNC:
        return "sync";
    case POLICY_CREATE_ONLY:
        return "create-only";
    case POLICY_UNSET:
        break;
    }
    return "unset";
}

const char *users_word(enum users_mode mode)
{
    return users_words[mode];
}

void settings_init(struct settings *settings)
{
    *settings = (struct settings){
        .policy = POLICY_UNSET,
        .users = USERS_OBSERVE,
        .remove_after_usec = 24 * HOUR,
        .interval_usec = 300 * SEC,
        .settle_usec = 60 * SEC,
        .timeout_usec = 30 * SEC,
        .concurrency = 4,
        .requests_per_minute = 0,
        .limits =
            {
                .revocations = 10,
                .revocation_ratio = 0.25,
                .invites = 50,
                .owner_invites = 1,
                .renewals = 3,
                .removals = 3,
                .removal_ratio = 0.10,
                .min_owners = 2,
            },
    };
}

void settings_clear(struct settings *settings)
{
    free(settings->members);
    free(settings->users_place);
    free(settings->base_url);
    free(settings->key_source);
    free(settings->organization);
    free(settings->proxy);
    free(settings->ca_file);
    free(settings->metrics);
    *settings = (struct settings){0};
}

static void no_memory(const char *place, struct problems *problems)
{
    problems_add(problems, place, "not enough memory to read this; free some and try again");
}

static bool looks_like_key(const char *text)
{
    return strncasecmp(text, "sk-", 3) == 0;
}

/* A string that may be shown and kept. A key in the wrong place is refused without showing it. */
static const char *take_text(const struct node *node, const char *example,
                             struct problems *problems)
{
    if (!node_is(node, NODE_STRING, example, problems))
        return NULL;
    if (looks_like_key(node->text)) {
        node_error(node, problems,
                   "this looks like a key itself; remove it from here, and store it as a "
                   "credential or in a file that `key` names");
        return NULL;
    }
    if (strlen(node->text) > STRING_MAX) {
        node_error(node, problems, "`%s` is longer than 4096 bytes; shorten it", node->key);
        return NULL;
    }
    return node->text;
}

static void keep(char **setting, const char *value, const struct node *node,
                 struct problems *problems)
{
    if (!value || memory_set(setting, value) < 0)
        no_memory(node->document->file, problems);
}

/* Takes a policy; an error that begins with `what` if it is none. Returns 0 or -EBADMSG. */
static int set_policy(enum policy *policy, const char *place, const char *word,
                      struct problems *problems)
{
    if (strcmp(word, "sync") == 0)
        *policy = POLICY_SYNC;
    else if (strcmp(word, "create-only") == 0)
        *policy = POLICY_CREATE_ONLY;
    else {
        const char *meant = problems_suggest(word, policy_words);
        if (meant)
            problems_add(problems, place, "unknown policy %s; did you mean `%s`?", QUOTED(word),
                         meant);
        else
            problems_add(problems, place, "unknown policy %s; write `sync` or `create-only`",
                         QUOTED(word));
        return -EBADMSG;
    }
    return 0;
}

int settings_set_policy(struct settings *settings, const char *option, const char *word,
                        struct problems *problems)
{
    return set_policy(&settings->policy, option, word, problems);
}

int settings_set_users(struct settings *settings, const char *place, const char *word,
                       struct problems *problems)
{
    for (size_t mode = 0; users_words[mode]; mode++) {
        if (strcmp(word, users_words[mode]) != 0)
            continue;
        settings->users = (enum users_mode)mode;
        if (memory_set(&settings->users_place, place) == 0)
            return 0;
        no_memory(place, problems);
        return -EBADMSG;
    }
    const char *meant = problems_suggest(word, users_words);
    if (meant)
        problems_add(problems, place, "unknown mode %s of `users`; did you mean `%s`?",
                     QUOTED(word), meant);
    else
        problems_add(problems, place,
                     "unknown mode %s of `users`; write `off`, `observe` or `manage`",
                     QUOTED(word));
    return -EBADMSG;
}

int settings_set_base_url(struct settings *settings, const char *place, const char *url,
                          struct problems *problems)
{
    /* The text is not shown: it may hold a password. */
    const char *fault = settings_base_url_fault(url);
    if (fault) {
        problems_add(problems, place, "the base URL %s", fault);
        return -EBADMSG;
    }
    _cleanup_free_ char *copy = strdup(url);
    if (!copy) {
        no_memory(place, problems);
        return -EBADMSG;
    }
    for (size_t length = strlen(copy); length > 0 && copy[length - 1] == '/'; length--)
        copy[length - 1] = '\0';
    free(settings->base_url);
    settings->base_url = TAKE(copy);
    return 0;
}

static void read_policy(const struct node *node, struct settings *settings,
                        struct problems *problems)
{
    const char *word = take_text(node, "\"sync\"", problems);
    if (!word)
        return;
    _cleanup_free_ char *place = node_place(node);
    set_policy(&settings->policy, place ? place : node->document->file, word, problems);
}

static void read_users(const struct node *node, struct settings *settings,
                       struct problems *problems)
{
    const char *word = take_text(node, "\"observe\"", problems);
    if (!word)
        return;
    _cleanup_free_ char *place = node_place(node);
    settings_set_users(settings, place ? place : node->document->file, word, problems);
}

static void read_base_url(const struct node *node, struct settings *settings,
                          struct problems *problems)
{
    const char *url = take_text(node, "\"https://api.openai.com/v1\"", problems);
    if (!url)
        return;
    _cleanup_free_ char *place = node_place(node);
    settings_set_base_url(settings, place ? place : node->document->file, url, problems);
}

/* The path as seen from the folder of the configuration file. NULL when memory is short. */
static char *resolve(const struct node *node, const char *path)
{
    const char *file = node->document->file;
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || !slash)
        return strdup(path);
    return memory_format("%.*s/%s", (int)(slash - file), file, path);
}

static bool has_hidden(const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        at += utf8_decode(text + at, length - at, &code);
        if (hidden_code(code))
            return true;
    }
    return false;
}

/* A path; "" is allowed, and means none, where `optional`. */
static void read_path(const struct node *node, bool optional, char **setting,
                      struct problems *problems)
{
    const char *path = take_text(node, "\"/etc/inviterd/NAME\"", problems);
    if (!path)
        return;
    if (*path == '\0' && !optional) {
        node_error(node, problems, "`%s` is empty; give the path of a file or directory",
                   node->key);
        return;
    }
    if (has_hidden(path)) {
        node_error(node, problems, "the path %s contains a control character; remove it",
                   QUOTED(path));
        return;
    }
    _cleanup_free_ char *resolved = *path ? resolve(node, path) : strdup("");
    keep(setting, resolved, node, problems);
}

static bool names_directory(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return (slash && *name == '\0') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A file, which is made and replaced: its name cannot be that of a directory. */
static void read_metrics(const struct node *node, char **setting, struct problems *problems)
{
    const char *path = take_text(node, "\"/run/inviterd/inviterd.prom\"", problems);
    if (path && names_directory(path))
        node_error(node, problems, "`%s` names a directory; give the path of a file", node->key);
    else if (path)
        read_path(node, true, setting, problems);
}

/* Sent as a header: visible ASCII only, so that it cannot become two. */
static void read_organization(const struct node *node, char **setting, struct problems *problems)
{
    const char *id = take_text(node, "\"org-abc\"", problems);
    if (!id)
        return;
    for (const char *c = id; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f) {
            node_error(node, problems,
                       "the organization %s contains a space or a character that is not ASCII; "
                       "copy the id again",
                       QUOTED(id));
            return;
        }
    }
    keep(setting, id, node, problems);
}

/* The proxy is not shown either: it may hold a password. */
static void read_proxy(const struct node *node, char **setting, struct problems *problems)
{
    const char *url = take_text(node, "\"http://proxy.example:3128\"", problems);
    if (!url)
        return;
    const char *fault = *url ? settings_proxy_fault(url) : NULL;
    if (fault)
        node_error(node, problems, "the proxy %s", fault);
    else
        keep(setting, url, node, problems);
}

static bool is_variable_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return *name && !strchr("0123456789", *name) && strspn(name, letters) == strlen(name);
}

/* A credential is a file in a directory that systemd names: no path, no hidden file. */
static bool is_credential_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && !strchr(name, ' ') && !has_hidden(name);
}

static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* What is wrong with a key source: a sentence that never repeats it, for it may be the key. */
static const char *key_fault(const char *source)
{
    const char *credential = after(source, "credential:");
    const char *file = after(source, "file:");
    const char *variable = after(source, "env:");
    const char *name = credential ? credential : file ? file : variable;
    if (!name || looks_like_key(name))
        return "the key must not stand here; write \"credential:NAME\", \"file:PATH\" or "
               "\"env:NAME\" and store it there";
    if (*name == '\0')
        return "the name after the colon is missing; add it";
    if (credential && !is_credential_name(credential))
        return "this is no name of a credential; write it without slash, space or leading dot";
    if (variable && !is_variable_name(variable))
        return "this is no name of an environment variable; use letters, digits and _";
    if (file && has_hidden(file))
        return "the path of the key contains a control character; remove it";
    if (strlen(source) > STRING_MAX)
        return "`key` is longer than 4096 bytes; shorten it";
    return NULL;
}

static void read_key(const struct node *node, char **setting, struct problems *problems)
{
    if (!node_is(node, NODE_STRING, "\"credential:openai-admin-key\"", problems))
        return;
    const char *fault = key_fault(node->text);
    if (fault) {
        node_error(node, problems, "%s", fault);
        return;
    }
    const char *path = after(node->text, "file:");
    _cleanup_free_ char *resolved = path ? resolve(node, path) : NULL;
    _cleanup_free_ char *source = path && resolved ? memory_format("file:%s", resolved) : NULL;
    keep(setting, path ? source : node->text, node, problems);
}

/* A duration from `least` to `most` microseconds. */
static void read_duration(const struct node *node, uint64_t least, uint64_t most, uint64_t *setting,
                          struct problems *problems)
{
    char from[32], to[32];
    uint64_t usec;
    const char *text = take_text(node, "\"90s\" or \"5m\"", problems);
    if (!text)
        return;
    int r = duration_parse(text, &usec);
    if (r == -EINVAL)
        node_error(node, problems,
                   "%s is not a duration; write it like \"90s\", \"5m\" or \"1h30m\"",
                   QUOTED(text));
    else if (r < 0 || usec < least || usec > most)
        node_error(node, problems, "`%s` is %s; it must be from %s to %s", node->key, QUOTED(text),
                   duration_format(least, from), duration_format(most, to));
    else
        *setting = usec;
}

/* A whole number from `least` to `most`. */
static void read_count(const struct node *node, unsigned least, unsigned most, unsigned *setting,
                       struct problems *problems)
{
    if (!node)
        return;
    bool other = node->kind == NODE_BIG || node->kind == NODE_FLOAT;
    if (!other && !node_is(node, NODE_INTEGER, "10", problems))
        return;
    if (other || node->number < least || node->number > most)
        node_error(node, problems, "`%s` must be a whole number from %u to %u", node->key, least,
                   most);
    else
        *setting = (unsigned)node->number;
}

static void read_ratio(const struct node *node, double *setting, struct problems *problems)
{
    if (!node)
        return;
    bool number = node->kind == NODE_INTEGER || node->kind == NODE_BIG;
    if (!number && !node_is(node, NODE_FLOAT, "0.25", problems))
        return;
    if (node->kind == NODE_BIG || !(node->number >= 0 && node->number <= 1))
        node_error(node, problems, "`%s` must be a number from 0 to 1", node->key);
    else
        *setting = node->number;
}

static void read_api(const struct node *group, struct settings *settings, struct problems *problems)
{
    static const char *const keys[] = {"base_url", "key",         "organization",
                                       "timeout",  "concurrency", "requests_per_minute",
                                       "proxy",    "ca_file",     NULL};
    if (!node_is(group, NODE_GROUP, "{ key = \"...\"; }", problems))
        return;
    node_check_keys(group, keys, problems);
    read_base_url(node_get(group, "base_url"), settings, problems);
    read_key(node_get(group, "key"), &settings->key_source, problems);
    read_organization(node_get(group, "organization"), &settings->organization, problems);
    read_duration(node_get(group, "timeout"), SEC, 600 * SEC, &settings->timeout_usec, problems);
    read_count(node_get(group, "concurrency"), 1, 64, &settings->concurrency, problems);
    read_count(node_get(group, "requests_per_minute"), 0, 100000, &settings->requests_per_minute,
               problems);
    read_proxy(node_get(group, "proxy"), &settings->proxy, problems);
    read_path(node_get(group, "ca_file"), true, &settings->ca_file, problems);
}

static void read_limits(const struct node *group, struct limits *limits, struct problems *problems)
{
    static const char *const keys[] = {"revocations",   "revocation_ratio", "invites",
                                       "owner_invites", "renewals",         "removals",
                                       "removal_ratio", "min_owners",       NULL};
    if (!node_is(group, NODE_GROUP, "{ revocations = 10; }", problems))
        return;
    node_check_keys(group, keys, problems);
    read_count(node_get(group, "revocations"), 0, 1000000, &limits->revocations, problems);
    read_ratio(node_get(group, "revocation_ratio"), &limits->revocation_ratio, problems);
    read_count(node_get(group, "invites"), 0, 1000000, &limits->invites, problems);
    read_count(node_get(group, "owner_invites"), 0, 1000000, &limits->owner_invites, problems);
    read_count(node_get(group, "renewals"), 0, 1000000, &limits->renewals, problems);
    read_count(node_get(group, "removals"), 0, 1000000, &limits->removals, problems);
    read_ratio(node_get(group, "removal_ratio"), &limits->removal_ratio, problems);
    read_count(node_get(group, "min_owners"), 1, 1000000, &limits->min_owners, problems);
}

static void read_inviterd(const struct node *group, struct settings *settings,
                          struct problems *problems)
{
    static const char *const keys[] = {"policy", "users",   "remove_after", "members", "interval",
                                       "settle", "metrics", "api",          "limits",  NULL};
    if (!node_is(group, NODE_GROUP, "{ policy = \"sync\"; }", problems))
        return;
    node_check_keys(group, keys, problems);
    read_policy(node_get(group, "policy"), settings, problems);
    read_users(node_get(group, "users"), settings, problems);
    read_duration(node_get(group, "remove_after"), 0, 90 * 24 * HOUR, &settings->remove_after_usec,
                  problems);
    read_path(node_get(group, "members"), false, &settings->members, problems);
    read_duration(node_get(group, "interval"), 10 * SEC, 7 * 24 * HOUR, &settings->interval_usec,
                  problems);
    read_duration(node_get(group, "settle"), 0, HOUR, &settings->settle_usec, problems);
    read_metrics(node_get(group, "metrics"), &settings->metrics, problems);
    read_api(node_get(group, "api"), settings, problems);
    read_limits(node_get(group, "limits"), &settings->limits, problems);
}

int settings_parse(const char *file, const char *text, size_t length, struct settings *settings,
                   struct problems *problems)
{
    static const char *const keys[] = {"inviterd", NULL};
    size_t errors_before = problems->errors;
    _cleanup_(document_free_pointer) struct document *document = NULL;
    int r = document_parse_conf(file, text, length, &document, problems);
    if (r < 0) {
        if (r == -ENOMEM)
            no_memory(file, problems);
        return -EBADMSG;
    }
    const struct node *root = &document->root;
    node_check_keys(root, keys, problems);
    if (root->count == 0)
        node_error(root, problems, "nothing is configured here; add the group `inviterd`");
    read_inviterd(node_get(root, "inviterd"), settings, problems);
    return problems->errors > errors_before ? -EBADMSG : 0;
}

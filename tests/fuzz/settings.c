/* The configuration: whatever it says, the settings stay within their ranges. */
#include "fuzz.h"

#include "codec/duration.h"
#include "codec/settings.h"
#include "codec/settings_url.h"

#define FILE_NAME "/etc/inviterd/inviterd.conf"
#define HOUR      (3600 * USEC_PER_SEC)

static int parse(const uint8_t *data, size_t size, struct settings *settings)
{
    struct problems problems = {0};
    settings_init(settings);
    int r = settings_parse(FILE_NAME, (const char *)data, size, settings, &problems);
    fuzz_check_problems(r, &problems);
    problems_clear(&problems);
    return r;
}

static void check_figures(const struct settings *settings)
{
    const struct limits *limits = &settings->limits;
    MUST(settings->policy == POLICY_UNSET || settings->policy == POLICY_SYNC ||
         settings->policy == POLICY_CREATE_ONLY);
    MUST(settings->users == USERS_OFF || settings->users == USERS_OBSERVE ||
         settings->users == USERS_MANAGE);
    MUST(settings->remove_after_usec <= 90 * 24 * HOUR);
    MUST(settings->interval_usec >= 10 * USEC_PER_SEC && settings->interval_usec <= 168 * HOUR);
    MUST(settings->settle_usec <= HOUR);
    MUST(settings->timeout_usec >= USEC_PER_SEC && settings->timeout_usec <= 600 * USEC_PER_SEC);
    MUST(settings->concurrency >= 1 && settings->concurrency <= 64);
    MUST(settings->requests_per_minute <= 100000);
    MUST(limits->revocations <= 1000000 && limits->invites <= 1000000);
    MUST(limits->owner_invites <= 1000000 && limits->renewals <= 1000000);
    MUST(limits->revocation_ratio >= 0 && limits->revocation_ratio <= 1);
    MUST(limits->removals <= 1000000);
    MUST(limits->removal_ratio >= 0 && limits->removal_ratio <= 1);
    MUST(limits->min_owners >= 1 && limits->min_owners <= 1000000);
}

static void check_path(const char *path)
{
    if (path)
        MUST(*path == '/' && fuzz_is_shown(path));
}

static void check_texts(const struct settings *settings)
{
    check_path(settings->members);
    if (settings->ca_file && *settings->ca_file)
        check_path(settings->ca_file);
    if (settings->base_url) {
        size_t length = strlen(settings->base_url);
        MUST(!settings_base_url_fault(settings->base_url));
        MUST(settings->base_url[length - 1] != '/');
        MUST(!strpbrk(settings->base_url, "@?#") || strchr(settings->base_url, '/'));
    }
    if (settings->proxy && *settings->proxy)
        MUST(!settings_proxy_fault(settings->proxy));
    /* It is sent as a header. */
    for (const char *c = settings->organization; c && *c; c++)
        MUST(*c > ' ' && *c < 0x7f);
    const char *key = settings->key_source;
    if (key) {
        MUST(strncmp(key, "credential:", 11) == 0 || strncmp(key, "file:/", 6) == 0 ||
             strncmp(key, "env:", 4) == 0);
        MUST(fuzz_is_shown(key) && strchr(key, ':')[1] != '\0');
    }
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_limits(const struct limits *a, const struct limits *b)
{
    return a->revocations == b->revocations && a->invites == b->invites &&
           a->owner_invites == b->owner_invites && a->renewals == b->renewals &&
           a->removals == b->removals && a->min_owners == b->min_owners &&
           memcmp(&a->revocation_ratio, &b->revocation_ratio, sizeof a->revocation_ratio) == 0 &&
           memcmp(&a->removal_ratio, &b->removal_ratio, sizeof a->removal_ratio) == 0;
}

static bool is_same(const struct settings *a, const struct settings *b)
{
    return a->policy == b->policy && a->users == b->users &&
           a->remove_after_usec == b->remove_after_usec && a->interval_usec == b->interval_usec &&
           a->settle_usec == b->settle_usec && a->timeout_usec == b->timeout_usec &&
           a->concurrency == b->concurrency && a->requests_per_minute == b->requests_per_minute &&
           is_same_text(a->members, b->members) && is_same_text(a->base_url, b->base_url) &&
           is_same_text(a->key_source, b->key_source) &&
           is_same_text(a->organization, b->organization) && is_same_text(a->proxy, b->proxy) &&
           is_same_text(a->ca_file, b->ca_file) && is_same_limits(&a->limits, &b->limits);
}

/* A file that was cut short is refused, or means what the whole one meant. */
static void check_prefix(const struct settings *whole, const uint8_t *data, size_t length)
{
    _cleanup_(settings_clear) struct settings torn;
    if (parse(data, length, &torn) == 0)
        MUST(is_same(whole, &torn));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(settings_clear) struct settings settings;
    int r = parse(data, size, &settings);
    check_figures(&settings);
    check_texts(&settings);
    if (r < 0)
        return 0;
    check_prefix(&settings, data, fuzz_cut(data, size));
    for (size_t cut = 1; cut <= 4 && cut <= size; cut++)
        check_prefix(&settings, data, size - cut);
    return 0;
}

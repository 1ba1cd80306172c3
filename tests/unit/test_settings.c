/* The configuration: defaults, every setting, every mistake, no torn file, no key shown. */
#include "unit.h"

#include <errno.h>

#include "codec/settings.h"

#define FILE_NAME "/etc/inviterd/inviterd.conf"

static int parse_text(const char *text, size_t length, struct settings *settings,
                      struct problems *problems)
{
    _cleanup_free_ char *copy = unit_prefix(text, length);
    return settings_parse(FILE_NAME, copy, length, settings, problems);
}

/* Every field, as text. */
static char *show(const struct settings *s)
{
    return memory_format(
        "policy %s users %s after %llu members %s interval %llu settle %llu base_url %s key %s "
        "organization %s "
        "timeout %llu concurrency %u rpm %u proxy %s ca_file %s metrics %s "
        "limits %u %.4f %u %u %u %u %.4f %u",
        policy_word(s->policy), users_word(s->users), (unsigned long long)s->remove_after_usec,
        s->members, (unsigned long long)s->interval_usec, (unsigned long long)s->settle_usec,
        s->base_url, s->key_source, s->organization, (unsigned long long)s->timeout_usec,
        s->concurrency, s->requests_per_minute, s->proxy, s->ca_file, s->metrics,
        s->limits.revocations, s->limits.revocation_ratio, s->limits.invites,
        s->limits.owner_invites, s->limits.renewals, s->limits.removals, s->limits.removal_ratio,
        s->limits.min_owners);
}

static const char defaults[] =
    "policy unset users observe after 86400000000 members (null) interval 300000000 settle "
    "60000000 base_url (null) key (null) "
    "organization (null) timeout 30000000 concurrency 4 rpm 0 proxy (null) ca_file (null) "
    "metrics (null) "
    "limits 10 0.2500 50 1 3 3 0.1000 2";

static void assert_parses(const char *text, const char *expected)
{
    struct settings settings;
    struct problems problems = {0};
    settings_init(&settings);
    int r = parse_text(text, strlen(text), &settings, &problems);
    _cleanup_free_ char *shown = show(&settings);
    settings_clear(&settings);
    ASSERT_PROBLEMS(&problems, "");
    assert_int_equal(r, 0);
    assert_string_equal(shown, expected);
}

/* The text is refused with these problems, and no setting is changed. */
static void assert_refused(const char *text, const char *expected)
{
    struct settings settings;
    struct problems problems = {0};
    settings_init(&settings);
    int r = parse_text(text, strlen(text), &settings, &problems);
    _cleanup_free_ char *shown = show(&settings);
    settings_clear(&settings);
    ASSERT_PROBLEMS(&problems, expected);
    assert_int_equal(r, -EBADMSG);
    assert_string_equal(shown, defaults);
}

static const char rich[] =
    "# configuration\n"
    "inviterd: // one group\n"
    "{\n"
    "  policy = \"create-only\"; members = \"members.d\"; interval = \"1h30m\"\n"
    "  users = \"manage\" remove_after = \"90d\";\n"
    "  settle = \"0s\"; /* no } lag\n \" */\n"
    "  metrics = \"inviterd.prom\";\n"
    "  api = { base_url = \"http://127.0.0.1:8080/v1//\"; key = \"file:keys/\\x61dmin\";\n"
    "          organization = \"org-\" \"abc\"; timeout = \"10m\"; concurrency = 0x40;\n"
    "          requests_per_minute = 100000; proxy = \"http://me:pw@proxy.example:3128\";\n"
    "          ca_file = \"/etc/ca.pem\"; };\n"
    "  limits: { revocations = 0; revocation_ratio = 1; invites = 1000000; owner_invites = 7;\n"
    "            renewals = 0; removals = 0, removal_ratio = 0.5; min_owners = 1; }\n"
    "};\n"
    "\n# end } \"\n/* the \xe2\x82\xac */ // x";

static const char rich_meaning[] =
    "policy create-only users manage after 7776000000000 members /etc/inviterd/members.d interval "
    "5400000000 settle 0 "
    "base_url http://127.0.0.1:8080/v1 key file:/etc/inviterd/keys/admin organization org-abc "
    "timeout 600000000 concurrency 64 rpm 100000 proxy http://me:pw@proxy.example:3128 "
    "ca_file /etc/ca.pem metrics /etc/inviterd/inviterd.prom limits 0 1.0000 1000000 7 0 0 0.5000 "
    "1";

static void has_defaults(void **state)
{
    (void)state;
    assert_parses("inviterd: {}", defaults);
}

static void reads_everything(void **state)
{
    (void)state;
    assert_parses(rich, rich_meaning);
}

static char *read_shipped(void)
{
    size_t length;
    return unit_read_file(CONFIG_DIR "/inviterd.conf", &length);
}

/* As it is installed it names the member file, and no policy: the service refuses to start. */
static void ships_only_defaults(void **state)
{
    (void)state;
    _cleanup_free_ char *text = read_shipped();
    assert_parses(text, "policy unset users observe after 86400000000 members "
                        "/etc/inviterd/members.conf interval 300000000 settle "
                        "60000000 base_url (null) key (null) organization (null) timeout 30000000 "
                        "concurrency 4 rpm 0 proxy (null) ca_file (null) metrics (null) limits 10 "
                        "0.2500 50 1 3 3 0.1000 2");
}

/* What it shows as a comment is valid, and is the default where there is one. */
static void shows_true_defaults(void **state)
{
    (void)state;
    _cleanup_free_ char *text = read_shipped();
    unit_uncomment(text);
    assert_parses(text, "policy create-only users observe after 86400000000 members "
                        "/etc/inviterd/members.conf interval 300000000 settle "
                        "60000000 base_url https://api.openai.com/v1 key "
                        "credential:openai-admin-key organization  timeout 30000000 concurrency 4 "
                        "rpm 0 proxy  ca_file  metrics  limits 10 0.2500 50 1 3 3 0.1000 2");
}

/* Cut at any byte, a configuration means the same or is refused. Returns how many are accepted. */
static size_t assert_no_prefix_passes(const char *text, size_t length)
{
    size_t accepted = 0;
    _cleanup_free_ char *whole = NULL;
    for (size_t cut = length + 1; cut-- > 0;) {
        struct settings settings;
        struct problems problems = {0};
        settings_init(&settings);
        int r = parse_text(text, cut, &settings, &problems);
        if (r == 0) {
            _cleanup_free_ char *meaning = show(&settings);
            if (cut == length)
                whole = strdup(meaning);
            assert_non_null(whole);
            assert_string_equal(meaning, whole);
            assert_int_equal(problems.errors, 0);
            accepted++;
        } else {
            assert_true(cut < length);
            assert_int_equal(r, -EBADMSG);
            assert_true(problems.errors > 0 && problems.count == problems.errors);
        }
        settings_clear(&settings);
        problems_clear(&problems);
    }
    return accepted;
}

static void no_torn_file_passes(void **state)
{
    (void)state;
    _cleanup_free_ char *text = read_shipped();
    assert_int_equal(assert_no_prefix_passes(text, strlen(text)), 3);
    unit_uncomment(text);
    assert_int_equal(assert_no_prefix_passes(text, strlen(text)), 3);
    assert_int_equal(assert_no_prefix_passes(rich, sizeof rich - 1), 19);
}

static void names_all_mistakes(void **state)
{
    (void)state;
    assert_refused(
        "inviterd:\n{\n"
        "  polcy = \"sync\";\n"
        "  policy = \"snyc\";\n"
        "  members = \"\";\n"
        "  interval = 300;\n"
        "  settle = \"60\";\n"
        "  api: {\n"
        "    base_url = \"http://api.openai.com/v1\";\n"
        "    key = \"\";\n"
        "    organization = \"org x\";\n"
        "    timeout = \"11m\";\n"
        "    concurrency = 0;\n"
        "    requests_per_minute = \"fast\";\n"
        "    proxy = \"proxy:3128\";\n"
        "    ca_file = true;\n"
        "    colour = 1;\n"
        "  };\n"
        "  limits: {\n"
        "    revocations = -1;\n"
        "    revocation_ratio = 1.01;\n"
        "    invites = 5000000000;\n"
        "    owner_invites = 1.0;\n"
        "    renewals = 5L;\n"
        "    min_owners = 0;\n"
        "    removal_ratio = -0.1;\n"
        "    removals = \"3\";\n"
        "  };\n"
        "  users = \"manag\";\n"
        "  remove_after = \"1\";\n"
        "};\n"
        "extra = 1;\n",
        FILE_NAME
        ":32: unknown key `extra`; remove it, known here: `inviterd`\n" FILE_NAME
        ":3: unknown key `polcy`; did you mean `policy`?\n" FILE_NAME
        ":4: unknown policy `snyc`; did you mean `sync`?\n" FILE_NAME
        ":29: unknown mode `manag` of `users`; did you mean `manage`?\n" FILE_NAME
        ":30: `1` is not a duration; write it like \"90s\", \"5m\" or \"1h30m\"\n" FILE_NAME
        ":5: `members` is empty; give the path of a file or directory\n" FILE_NAME
        ":6: `interval` must be a string, such as \"90s\" or \"5m\", not a number\n" FILE_NAME
        ":7: `60` is not a duration; write it like \"90s\", \"5m\" or \"1h30m\"\n" FILE_NAME
        ":17: unknown key `colour`; remove it, known here: `base_url`, `key`, "
        "`organization`, `timeout`, `concurrency`, `requests_per_minute`, `proxy`, "
        "`ca_file`\n" FILE_NAME
        ":9: the base URL would send the key in the clear; use https:// (http is for "
        "127.0.0.1, [::1] and localhost only)\n" FILE_NAME
        ":10: the key must not stand here; write \"credential:NAME\", \"file:PATH\" or "
        "\"env:NAME\" and store it there\n" FILE_NAME
        ":11: the organization `org x` contains a space or a character that is not ASCII; "
        "copy the id again\n" FILE_NAME
        ":12: `timeout` is `11m`; it must be from 1s to 10m\n" FILE_NAME
        ":13: `concurrency` must be a whole number from 1 to 64\n" FILE_NAME
        ":14: `requests_per_minute` must be a number, such as 10, not a string\n" FILE_NAME
        ":15: the proxy has no scheme; begin it with https://\n" FILE_NAME
        ":16: `ca_file` must be a string, such as \"/etc/inviterd/NAME\", not true or "
        "false\n" FILE_NAME
        ":20: `revocations` must be a whole number from 0 to 1000000\n" FILE_NAME
        ":21: `revocation_ratio` must be a number from 0 to 1\n" FILE_NAME
        ":22: `invites` must be a whole number from 0 to 1000000\n" FILE_NAME
        ":23: `owner_invites` must be a whole number from 0 to 1000000\n" FILE_NAME
        ":24: `renewals` must be a whole number from 0 to 1000000\n" FILE_NAME
        ":27: `removals` must be a number, such as 10, not a string\n" FILE_NAME
        ":26: `removal_ratio` must be a number from 0 to 1\n" FILE_NAME
        ":25: `min_owners` must be a whole number from 1 to 1000000\n");
}

static void refuses_what_configures_nothing(void **state)
{
    (void)state;
    static const char nothing[] = FILE_NAME ":1: nothing is configured here; add the group "
                                            "`inviterd`\n";
    assert_refused("", nothing);
    assert_refused("# inviterd: {}\n", nothing);
    assert_refused("inviterd = ();", FILE_NAME ":1: `inviterd` must be a group, such as { policy = "
                                               "\"sync\"; }, not a list\n");
    assert_refused("inviter: {}",
                   FILE_NAME ":1: unknown key `inviter`; did you mean `inviterd`?\n");
    assert_refused("inviterd: { api = 5; limits = (); }", FILE_NAME
                   ":1: `api` must be a group, such as { key = \"...\"; }, not a number\n" FILE_NAME
                   ":1: `limits` must be a group, such as { revocations = 10; }, not a "
                   "list\n");
}

/* Good settings beside bad ones are taken, and a second file goes on top of the first. */
static void keeps_what_is_right(void **state)
{
    (void)state;
    struct settings settings;
    struct problems problems = {0};
    static const char text[] =
        "inviterd: { policy = \"sync\"; interval = \"1s\"; settle = \"5s\"; }";
    settings_init(&settings);
    assert_int_equal(parse_text(text, sizeof text - 1, &settings, &problems), -EBADMSG);
    ASSERT_PROBLEMS(&problems, FILE_NAME ":1: `interval` is `1s`; it must be from 10s to 7d\n");
    assert_int_equal(settings.policy, POLICY_SYNC);
    assert_int_equal(settings.interval_usec, 300000000);
    assert_int_equal(settings.settle_usec, 5000000);
    settings_clear(&settings);
}

static void knows_the_ranges_of_durations(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        bool fine;
    } cases[] = {
        {"interval = \"10s\";", true},
        {"interval = \"7d\";", true},
        {"interval = \"9s999ms\";", false},
        {"interval = \"7d1ms\";", false},
        {"interval = \"99999999d\";", false},
        {"settle = \"0s\";", true},
        {"settle = \"1h\";", true},
        {"settle = \"1h1ms\";", false},
        {"remove_after = \"0s\";", true},
        {"remove_after = \"90d\";", true},
        {"remove_after = \"90d1ms\";", false},
        {"api: { timeout = \"1s\" };", true},
        {"api: { timeout = \"999ms\" };", false},
        {"api: { timeout = \"10m1ms\" };", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct problems problems = {0};
        _cleanup_free_ char *text = memory_format("inviterd: { %s }", cases[i].setting);
        settings_init(&settings);
        int r = parse_text(text, strlen(text), &settings, &problems);
        assert_int_equal(r, cases[i].fine ? 0 : -EBADMSG);
        assert_int_equal(problems.count, cases[i].fine ? 0 : 1);
        settings_clear(&settings);
        problems_clear(&problems);
    }
}

/* No message holds the key, wherever it was put. */
static void never_shows_a_key(void **state)
{
    (void)state;
    static const char *const templates[] = {
        "api: { key = \"%s\" }",
        "api: { key = \"file:%s\" }",
        "api: { key = \"env:%s\" }",
        "api: { key = \"credential:%s\" }",
        "api: { key = \" %s\" }",
        "api: { key = \"Bearer %s\" }",
        "api: { key = (\"%s\") }",
        "api: { base_url = \"%s\" }",
        "api: { base_url = \"https://x:%s@api.openai.com/v1\" }",
        "api: { proxy = \"ftp://x:%s@proxy:1\" }",
        "api: { organization = \"%s\" }",
        "api: { ca_file = \"%s\" }",
        "api: { timeout = \"%s\" }",
        "policy = \"%s\"",
        "users = \"%s\"",
        "members = \"%s\"",
        "api: { apikey = \"%s\" }",
        "api: { key = %s }",
        "api: { key = \"env\" \":%s\" }",
        "api: { key = \"%s",
        "api: { proxy = \"http://%s:1\\x1b\" }",
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct settings settings;
        struct problems problems = {0};
        char body[200], text[300];
        const char *mark = strstr(templates[i], "%s");
        snprintf(body, sizeof body, "%.*ssk-admin-SECRET%s", (int)(mark - templates[i]),
                 templates[i], mark + 2);
        snprintf(text, sizeof text, "inviterd: { %s }", body);
        settings_init(&settings);
        assert_int_equal(parse_text(text, strlen(text), &settings, &problems), -EBADMSG);
        assert_int_equal(problems.count, 1);
        assert_null(strstr(problems.items[0].message, "SECRET"));
        assert_null(strstr(problems.items[0].place, "SECRET"));
        settings_clear(&settings);
        problems_clear(&problems);
    }
}

static void reads_key_sources(void **state)
{
    (void)state;
    static const struct {
        const char *source, *expected; /* NULL: refused */
    } cases[] = {
        {"credential:openai-admin-key", "credential:openai-admin-key"},
        {"env:OPENAI_ADMIN_KEY", "env:OPENAI_ADMIN_KEY"},
        {"env:_x9", "env:_x9"},
        {"file:/run/key", "file:/run/key"},
        {"file:key", "file:/etc/inviterd/key"},
        {"file:../my key", "file:/etc/inviterd/../my key"},
        {"credential:", NULL},
        {"credential:a/b", NULL},
        {"credential:..", NULL},
        {"credential:.x", NULL},
        {"file:", NULL},
        {"env:", NULL},
        {"env:9x", NULL},
        {"env:A-B", NULL},
        {"env:A=B", NULL},
        {"Env:A", NULL},
        {"key", NULL},
        {"vault:x", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct problems problems = {0};
        _cleanup_free_ char *text =
            memory_format("inviterd: { api: { key = \"%s\" } }", cases[i].source);
        settings_init(&settings);
        int r = parse_text(text, strlen(text), &settings, &problems);
        assert_int_equal(r, cases[i].expected ? 0 : -EBADMSG);
        assert_int_equal(problems.count, cases[i].expected ? 0 : 1);
        if (cases[i].expected)
            assert_string_equal(settings.key_source, cases[i].expected);
        else
            assert_null(settings.key_source);
        settings_clear(&settings);
        problems_clear(&problems);
    }
}

static void checks_base_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *expected; /* NULL: refused */
    } cases[] = {
        {"https://api.openai.com/v1", "https://api.openai.com/v1"},
        {"https://api.openai.com/v1/", "https://api.openai.com/v1"},
        {"HTTPS://eu.api.openai.com:8443", "HTTPS://eu.api.openai.com:8443"},
        {"https://api.openai.com/", "https://api.openai.com"},
        {"https://[2001:db8::1]:1/v1", "https://[2001:db8::1]:1/v1"},
        {"http://127.0.0.1:80/v1", "http://127.0.0.1:80/v1"},
        {"http://127.255.0.3", "http://127.255.0.3"},
        {"http://[::1]:65535/", "http://[::1]:65535"},
        {"http://LocalHost/v1", "http://LocalHost/v1"},
        {"https://api.openai.com/a@b", "https://api.openai.com/a@b"},
        {"", NULL},
        {"api.openai.com", NULL},
        {"https:/api.openai.com", NULL},
        {"https://", NULL},
        {"https:///v1", NULL},
        {"https://:443/", NULL},
        {"https://host:/", NULL},
        {"https://host:0/", NULL},
        {"https://host:65536/", NULL},
        {"https://host:1x/", NULL},
        {"https://ho st/", NULL},
        {"https://ho\nst/", NULL},
        {"https://h\xc3\xb6st/", NULL},
        {"https://host\\@evil/", NULL},
        {"https://host/a\\b", NULL},
        {"https://user@host/", NULL},
        {"https://user:pw@host/", NULL},
        {"https://host/v1?x=1", NULL},
        {"https://host/v1#x", NULL},
        {"https://host?x", NULL},
        {"https://[::1/", NULL},
        {"https://::1/", NULL},
        {"https://[zz]/", NULL},
        {"https://[127.0.0.1]/", NULL},
        {"ftp://localhost/", NULL},
        {"file:///etc/passwd", NULL},
        {"http://api.openai.com/v1", NULL},
        {"http://127.0.0.1.example.com/", NULL},
        {"http://127.1/", NULL},
        {"http://0x7f.0.0.1/", NULL},
        {"http://128.0.0.1/", NULL},
        {"http://0.0.0.0/", NULL},
        {"http://[::2]/", NULL},
        {"http://[::ffff:127.0.0.1]/", NULL},
        {"http://localhost.example/", NULL},
        {"http://localhost@evil.example/", NULL},
        {"http://evil.example#@localhost/", NULL},
        {"http://evil.example/@localhost", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct problems problems = {0};
        settings_init(&settings);
        int r = settings_set_base_url(&settings, "--base-url", cases[i].url, &problems);
        if (cases[i].expected) {
            assert_int_equal(r, 0);
            assert_string_equal(settings.base_url, cases[i].expected);
        } else {
            assert_int_equal(r, -EBADMSG);
            assert_int_equal(problems.count, 1);
            assert_string_equal(problems.items[0].place, "--base-url");
            assert_null(settings.base_url);
        }
        settings_clear(&settings);
        problems_clear(&problems);
    }
}

static void checks_proxies(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool fine;
    } cases[] = {
        {"", true},
        {"http://proxy:3128", true},
        {"http://proxy.example:3128/", true},
        {"https://u:p@proxy", true},
        {"socks5h://[::1]:1080", true},
        {"proxy:3128", false},
        {"ftp://proxy", false},
        {"http://", false},
        {"http://proxy/x", false},
        {"http://proxy:99999", false},
        {"http://pro xy", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct problems problems = {0};
        _cleanup_free_ char *text =
            memory_format("inviterd: { api: { proxy = \"%s\" } }", cases[i].url);
        settings_init(&settings);
        int r = parse_text(text, strlen(text), &settings, &problems);
        assert_int_equal(r, cases[i].fine ? 0 : -EBADMSG);
        settings_clear(&settings);
        problems_clear(&problems);
    }
}

static void resolves_paths(void **state)
{
    (void)state;
    static const struct {
        const char *file, *members, *expected;
    } cases[] = {
        {"/etc/inviterd/inviterd.conf", "members.d", "/etc/inviterd/members.d"},
        {"/etc/inviterd/inviterd.conf", "/srv/m", "/srv/m"},
        {"/inviterd.conf", "m", "/m"},
        {"inviterd.conf", "m", "m"},
        {"conf/inviterd.conf", "../m", "conf/../m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct problems problems = {0};
        _cleanup_free_ char *text =
            memory_format("inviterd: { members = \"%s\" }", cases[i].members);
        settings_init(&settings);
        assert_int_equal(settings_parse(cases[i].file, text, strlen(text), &settings, &problems),
                         0);
        assert_string_equal(settings.members, cases[i].expected);
        settings_clear(&settings);
    }
}

/* It is made and replaced, so it has to be a file's. */
static void checks_where_metrics_go(void **state)
{
    (void)state;
    static const struct {
        const char *metrics, *expected; /* NULL: refused */
    } cases[] = {
        {"/run/inviterd/inviterd.prom", "/run/inviterd/inviterd.prom"},
        {"inviterd.prom", "/etc/inviterd/inviterd.prom"},
        {"../x.prom", "/etc/inviterd/../x.prom"},
        {"", ""},
        {"/", NULL},
        {"/run/inviterd/", NULL},
        {"/run/inviterd/.", NULL},
        {"..", NULL},
        {".", NULL},
        {"/run/..", NULL},
        {"/run/\\x1b", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct problems problems = {0};
        _cleanup_free_ char *text =
            memory_format("inviterd: { metrics = \"%s\" }", cases[i].metrics);
        settings_init(&settings);
        int r = parse_text(text, strlen(text), &settings, &problems);
        assert_int_equal(r, cases[i].expected ? 0 : -EBADMSG);
        assert_int_equal(problems.count, cases[i].expected ? 0 : 1);
        if (cases[i].expected)
            assert_string_equal(settings.metrics, cases[i].expected);
        else
            assert_null(settings.metrics);
        settings_clear(&settings);
        problems_clear(&problems);
    }
}

static void sets_policies(void **state)
{
    (void)state;
    struct settings settings;
    struct problems problems = {0};
    settings_init(&settings);
    assert_int_equal(settings_set_policy(&settings, "--policy", "sync", &problems), 0);
    assert_int_equal(settings.policy, POLICY_SYNC);
    assert_int_equal(settings_set_policy(&settings, "--policy", "create-only", &problems), 0);
    assert_int_equal(settings.policy, POLICY_CREATE_ONLY);
    assert_int_equal(settings_set_policy(&settings, "--policy", "create_only", &problems),
                     -EBADMSG);
    assert_int_equal(settings_set_policy(&settings, "--policy", "\x1b[2J", &problems), -EBADMSG);
    assert_int_equal(settings_set_policy(&settings, "--policy", "unset", &problems), -EBADMSG);
    assert_int_equal(settings.policy, POLICY_CREATE_ONLY);
    ASSERT_PROBLEMS(&problems,
                    "--policy: unknown policy `create_only`; did you mean `create-only`?\n"
                    "--policy: unknown policy `\\x1b[2J`; write `sync` or `create-only`\n"
                    "--policy: unknown policy `unset`; write `sync` or `create-only`\n");
    settings_clear(&settings);
}

/* Where the mode was set is remembered for the messages that come of it. */
static void sets_users(void **state)
{
    (void)state;
    struct settings settings;
    struct problems problems = {0};
    static const char text[] = "inviterd:\n{\n  users = \"off\";\n}";
    settings_init(&settings);
    assert_null(settings.users_place);
    assert_int_equal(parse_text(text, sizeof text - 1, &settings, &problems), 0);
    assert_int_equal(settings.users, USERS_OFF);
    assert_string_equal(settings.users_place, FILE_NAME ":3");
    assert_int_equal(settings_set_users(&settings, "--users", "observe", &problems), 0);
    assert_int_equal(settings.users, USERS_OBSERVE);
    assert_int_equal(settings_set_users(&settings, "--users", "manage", &problems), 0);
    assert_int_equal(settings.users, USERS_MANAGE);
    assert_string_equal(settings.users_place, "--users");
    assert_int_equal(settings_set_users(&settings, "--users", "Observe", &problems), -EBADMSG);
    assert_int_equal(settings_set_users(&settings, "--users", "\x1b[2J", &problems), -EBADMSG);
    assert_int_equal(settings_set_users(&settings, "--users", "", &problems), -EBADMSG);
    assert_int_equal(settings.users, USERS_MANAGE);
    ASSERT_PROBLEMS(
        &problems,
        "--users: unknown mode `Observe` of `users`; did you mean `observe`?\n"
        "--users: unknown mode `\\x1b[2J` of `users`; write `off`, `observe` or `manage`\n"
        "--users: unknown mode `` of `users`; write `off`, `observe` or `manage`\n");
    settings_clear(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(ships_only_defaults),
        cmocka_unit_test(shows_true_defaults),
        cmocka_unit_test(no_torn_file_passes),
        cmocka_unit_test(names_all_mistakes),
        cmocka_unit_test(refuses_what_configures_nothing),
        cmocka_unit_test(keeps_what_is_right),
        cmocka_unit_test(knows_the_ranges_of_durations),
        cmocka_unit_test(never_shows_a_key),
        cmocka_unit_test(reads_key_sources),
        cmocka_unit_test(checks_base_urls),
        cmocka_unit_test(checks_proxies),
        cmocka_unit_test(resolves_paths),
        cmocka_unit_test(sets_policies),
        cmocka_unit_test(sets_users),
        cmocka_unit_test(checks_where_metrics_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

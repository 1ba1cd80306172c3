/* Reading the command line. */
#include "options.h"

#include "base.h"
#include "user.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

enum option_id {
    OPTION_LISTEN = 256,
    OPTION_KEY,
    OPTION_KEY_READONLY,
    OPTION_KEY_WITHOUT_USERS,
    OPTION_ORG,
    OPTION_LATENCY,
    OPTION_RPM,
    OPTION_BURST,
    OPTION_FAULT,
    OPTION_LAG,
    OPTION_USER_LAG,
    OPTION_USER_SHAPE,
    OPTION_ORDER,
    OPTION_DEAD_CURSOR,
    OPTION_STRICT_REINVITE,
    OPTION_RATE_HEADERS,
    OPTION_NO_DATE,
    OPTION_TLS_CERT,
    OPTION_TLS_KEY,
    OPTION_DIE_WITH_PARENT,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"key", required_argument, NULL, OPTION_KEY},
    {"key-readonly", required_argument, NULL, OPTION_KEY_READONLY},
    {"key-without-users", required_argument, NULL, OPTION_KEY_WITHOUT_USERS},
    {"org", required_argument, NULL, OPTION_ORG},
    {"latency", required_argument, NULL, OPTION_LATENCY},
    {"rpm", required_argument, NULL, OPTION_RPM},
    {"burst", required_argument, NULL, OPTION_BURST},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"lag", required_argument, NULL, OPTION_LAG},
    {"user-lag", required_argument, NULL, OPTION_USER_LAG},
    {"user-shape", required_argument, NULL, OPTION_USER_SHAPE},
    {"order", required_argument, NULL, OPTION_ORDER},
    {"dead-cursor", required_argument, NULL, OPTION_DEAD_CURSOR},
    {"strict-reinvite", no_argument, NULL, OPTION_STRICT_REINVITE},
    {"rate-headers", no_argument, NULL, OPTION_RATE_HEADERS},
    {"no-date", no_argument, NULL, OPTION_NO_DATE},
    {"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
    {"tls-key", required_argument, NULL, OPTION_TLS_KEY},
    {"die-with-parent", no_argument, NULL, OPTION_DIE_WITH_PARENT},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static const char help[] =
    "Usage: inviterd-sandbox --listen ADDRESS:PORT --key KEY [OPTION...]\n"
    "A local organisation with the API of invites and users, for demonstrations and tests. The\n"
    "first line of output ends with the base URL; the control routes are under /_sandbox/ of the\n"
    "same host.\n\n"
    "  --listen ADDRESS:PORT  a loopback address; port 0 picks a free one\n"
    "  --key KEY              accept this API key; may be given several times\n"
    "  --key-readonly KEY     the same, for a key that may only read\n"
    "  --key-without-users KEY\n"
    "                         the same, for a key that may do anything but see users\n"
    "  --org FILE             start with the organisation in this JSON file\n"
    "  --latency MS           delay every answer of the API\n"
    "  --rpm N, --burst N     take N requests a minute, and so many at once (4)\n"
    "  --fault SPEC           fail as described below; may be given several times\n"
    "  --lag MS               let listings show a write only after this time\n"
    "  --user-lag MS          let listings show who accepted an invite only after this time\n"
    "  --user-shape flat|nested|full|mixed\n"
    "                         where id, email and name of a user stand (flat)\n"
    "  --order newest|oldest  the order of listings (newest first)\n"
    "  --dead-cursor 404|400|empty|top\n"
    "                         what a listing after a missing invite answers (404)\n"
    "  --strict-reinvite      refuse an address that has any invite, expired ones too\n"
    "  --rate-headers         tell the rate limit in headers\n"
    "  --no-date              send no Date header\n"
    "  --tls-cert FILE, --tls-key FILE\n"
    "                         serve https with this PEM certificate and key\n"
    "  --die-with-parent      end when the parent process does\n"
    "  --help                 show this text\n\n";

static void __attribute__((noreturn, format(printf, 1, 2))) bad_usage(const char *template, ...)
{
    va_list arguments;
    va_start(arguments, template);
    fputs("inviterd-sandbox: ", stderr);
    vfprintf(stderr, template, arguments);
    fputs("\nTry 'inviterd-sandbox --help'.\n", stderr);
    va_end(arguments);
    exit(EX_USAGE);
}

static long long number(const char *name, const char *text, long long least)
{
    long long value;
    if (!read_number(text, least, 1000000000, &value))
        bad_usage("--%s %s: must be a whole number of at least %lld", name, text, least);
    return value;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

/* 127.0.0.1:PORT, localhost:PORT or [::1]:PORT */
static void read_listen(const char *text, struct sockaddr_storage *address)
{
    const char *colon = strrchr(text, ':');
    long long port;
    if (!colon || !read_number(colon + 1, 0, 65535, &port))
        bad_usage("--listen %s: must be ADDRESS:PORT", text);
    _cleanup_free_ char *host = must(strndup(text, (size_t)(colon - text)));
    size_t length = strlen(host);
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    bool bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
    if (bracketed)
        host[length - 1] = '\0';
    if (bracketed && inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                         &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
    } else {
        bad_usage("--listen %s: not an IP address", text);
    }
    if (!is_loopback(address))
        bad_usage("--listen %s: only loopback addresses are served", text);
}

static void read_fault(const char *spec, struct sandbox *sandbox)
{
    struct fault *fault;
    _cleanup_free_ char *wrong = fault_parse(spec, true, &fault);
    if (wrong)
        bad_usage("--fault %s: %s", spec, wrong);
    faults_add(&sandbox->faults, fault);
}

static void add_key(json_t *keys, const char *name, const char *key)
{
    json_t *text = *key ? json_string(key) : NULL;
    if (!text)
        bad_usage("--%s: must be text that is not empty", name);
    json_array_append_new(keys, text);
}

static void read_order(const char *word, struct sandbox *sandbox)
{
    if (strcmp(word, "newest") != 0 && strcmp(word, "oldest") != 0)
        bad_usage("--order %s: must be newest or oldest", word);
    sandbox->org.oldest_first = strcmp(word, "oldest") == 0;
}

static void read_user_shape(const char *word, struct sandbox *sandbox)
{
    if (!user_shape_parse(word, &sandbox->org.user_shape))
        bad_usage("--user-shape %s: must be flat, nested, full or mixed", word);
}

static void read_behaviour(int option, const char *value, struct sandbox *sandbox)
{
    switch (option) {
    case OPTION_LATENCY:
        sandbox->latency_ms = number("latency", value, 0);
        break;
    case OPTION_RPM:
        sandbox->rate.per_minute = number("rpm", value, 0);
        break;
    case OPTION_BURST:
        sandbox->rate.burst = number("burst", value, 1);
        break;
    case OPTION_FAULT:
        read_fault(value, sandbox);
        break;
    case OPTION_LAG:
        sandbox->org.lag_ms = number("lag", value, 0);
        break;
    case OPTION_USER_LAG:
        sandbox->org.user_lag_ms = number("user-lag", value, 0);
        break;
    case OPTION_USER_SHAPE:
        read_user_shape(value, sandbox);
        break;
    case OPTION_ORDER:
        read_order(value, sandbox);
        break;
    case OPTION_DEAD_CURSOR:
        if (!dead_cursor_parse(value, &sandbox->dead_cursor))
            bad_usage("--dead-cursor %s: must be 404, 400, empty or top", value);
        break;
    case OPTION_STRICT_REINVITE:
        sandbox->org.strict_reinvite = true;
        break;
    case OPTION_RATE_HEADERS:
        sandbox->rate_headers = true;
        break;
    case OPTION_NO_DATE:
        sandbox->no_date = true;
        break;
    default:
        /* getopt_long has said what is wrong. */
        fputs("Try 'inviterd-sandbox --help'.\n", stderr);
        exit(EX_USAGE);
    }
}

static void read_option(int option, const char *value, struct options *options,
                        struct sandbox *sandbox)
{
    switch (option) {
    case OPTION_LISTEN:
        read_listen(value, &options->server.address);
        break;
    case OPTION_KEY:
        add_key(sandbox->keys, "key", value);
        break;
    case OPTION_KEY_READONLY:
        add_key(sandbox->readonly_keys, "key-readonly", value);
        break;
    case OPTION_KEY_WITHOUT_USERS:
        add_key(sandbox->keys_without_users, "key-without-users", value);
        break;
    case OPTION_ORG:
        options->org_file = value;
        break;
    case OPTION_TLS_CERT:
        options->certificate_file = value;
        break;
    case OPTION_TLS_KEY:
        options->key_file = value;
        break;
    case OPTION_DIE_WITH_PARENT:
        options->die_with_parent = true;
        break;
    case OPTION_HELP:
        printf("%s%s", help, fault_help);
        exit(0);
    default:
        read_behaviour(option, value, sandbox);
    }
}

void options_read(int argc, char **argv, struct options *options, struct sandbox *sandbox)
{
    int option;
    sandbox->rate.burst = 4;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        read_option(option, optarg, options, sandbox);
    if (optind < argc)
        bad_usage("%s: unexpected argument", argv[optind]);
    if (options->server.address.ss_family == 0)
        bad_usage("--listen is missing");
    if (json_array_size(sandbox->keys) + json_array_size(sandbox->readonly_keys) +
            json_array_size(sandbox->keys_without_users) ==
        0)
        bad_usage("--key is missing");
    if (!options->certificate_file != !options->key_file)
        bad_usage("--tls-cert and --tls-key belong together");
}

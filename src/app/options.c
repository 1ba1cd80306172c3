/* getopt_long, usage, and the checks that concern one option alone. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/report.h"
#include "codec/problems.h"

static const char usage[] =
    "inviterd keeps the invites of an OpenAI organisation equal to a member file.\n"
    "\n"
    "Usage: inviterd [OPTION…] COMMAND [OPTION…]\n"
    "\n"
    "Commands:\n"
    "  check             read the configuration and the member file, offline\n"
    "  plan              show what a pass would do; write nothing\n"
    "  apply             carry out one pass\n"
    "  run               the daemon: a pass at start and one each interval\n"
    "  status            what the daemon last did and will do next\n"
    "  approve ID        let the daemon carry out exactly the blocked plan ID, once\n"
    "  list              the organisation's invites\n"
    "  show ID|EMAIL     one invite\n"
    "  export            the organisation as it is, written as a member file\n"
    "\n"
    "Options:\n"
    "  -c, --config FILE      configuration (default " DEFAULT_CONFIG ")\n"
    "  -m, --members PATH     member file, or a directory of them\n"
    "      --policy POLICY    sync, or create-only (never deletes)\n"
    "      --users MODE       off, observe, or manage (removes users, sets roles)\n"
    "      --base-url URL     of the API (default https://api.openai.com/v1)\n"
    "      --state-dir DIR    memory of writes and lock (default /var/lib/inviterd)\n"
    "      --instance NAME    one of several on this host: its configuration is\n"
    "                         /etc/inviterd/NAME/inviterd.conf, its state is apart\n"
    "  -o, --output FORMAT    text or json\n"
    "      --all              unchanged people too\n"
    "      --approve ID       apply: carry out exactly the blocked plan ID, once\n"
    "      --dry-run          run: plan and log, never write\n"
    "  -q, --quiet            no progress\n"
    "  -v, --verbose          say more\n"
    "      --color WHEN       auto, always or never\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n"
    "\n"
    "The Admin API key comes from api.key in the configuration, else from the systemd credential\n"
    "openai-admin-key, else from OPENAI_ADMIN_KEY.\n"
    "\n"
    "Exit codes: 0 done or in sync, 1 failure, 2 plan: changes pending, 3 blocked by a limit,\n"
    "64 bad usage, 78 invalid configuration, key or member file. status: 0 in sync, 1 failing or\n"
    "not running, 2 somebody or something waits: pending, blocked, attention.\n";

#define APPROVAL_LENGTH 12

enum {
    OPTION_POLICY = 256,
    OPTION_USERS,
    OPTION_BASE_URL,
    OPTION_STATE_DIR,
    OPTION_INSTANCE,
    OPTION_ALL,
    OPTION_APPROVE,
    OPTION_DRY_RUN,
    OPTION_COLOR
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"members", required_argument, NULL, 'm'},
    {"policy", required_argument, NULL, OPTION_POLICY},
    {"users", required_argument, NULL, OPTION_USERS},
    {"base-url", required_argument, NULL, OPTION_BASE_URL},
    {"state-dir", required_argument, NULL, OPTION_STATE_DIR},
    {"instance", required_argument, NULL, OPTION_INSTANCE},
    {"output", required_argument, NULL, 'o'},
    {"all", no_argument, NULL, OPTION_ALL},
    {"approve", required_argument, NULL, OPTION_APPROVE},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

static const char *const commands[] = {"check", "plan",   "apply",  "run",     "list",
                                       "show",  "export", "status", "approve", NULL};

__attribute__((format(printf, 3, 4))) static bool fail(const struct options *options, int *ret_exit,
                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = memory_format_list(format, arguments);
    va_end(arguments);
    *ret_exit = report_error(options, EXIT_USAGE, text ? text : format);
    return false;
}

static bool set_output(struct options *options, const char *word, int *ret_exit)
{
    if (strcmp(word, "json") == 0)
        options->output = OUTPUT_JSON;
    else if (strcmp(word, "text") == 0)
        options->output = OUTPUT_TEXT;
    else
        return fail(options, ret_exit, "--output `%s` is unknown: use text or json", word);
    return true;
}

static bool set_color(struct options *options, const char *word, int *ret_exit)
{
    if (strcmp(word, "auto") == 0)
        options->color = COLOR_AUTO;
    else if (strcmp(word, "always") == 0)
        options->color = COLOR_ALWAYS;
    else if (strcmp(word, "never") == 0)
        options->color = COLOR_NEVER;
    else
        return fail(options, ret_exit, "--color `%s` is unknown: use auto, always or never", word);
    return true;
}

/* What a unit's instance may be called, and a plain part of a path. */
static bool set_instance(struct options *options, const char *name, int *ret_exit)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t length = strlen(name);
    if (length == 0 || length > INSTANCE_MAX || name[0] == '.' || strspn(name, letters) != length)
        return fail(options, ret_exit,
                    "--instance `%.80s` is no name of an instance: use up to %d letters, digits, "
                    "_, - and . after the first",
                    name, INSTANCE_MAX);
    options->instance = name;
    return true;
}

static bool print_and_leave(const char *text, int *ret_exit)
{
    fputs(text, stdout);
    *ret_exit = EXIT_OK;
    return false;
}

static bool take_option(struct options *options, int option, char **argv, int *ret_exit)
{
    switch (option) {
    case 'c':
        options->config = optarg;
        return true;
    case 'm':
        options->members = optarg;
        return true;
    case OPTION_POLICY:
        options->policy = optarg;
        return true;
    case OPTION_USERS:
        options->users = optarg;
        return true;
    case OPTION_BASE_URL:
        options->base_url = optarg;
        return true;
    case OPTION_STATE_DIR:
        options->state_dir = optarg;
        return true;
    case OPTION_INSTANCE:
        return set_instance(options, optarg, ret_exit);
    case OPTION_APPROVE:
        options->approval = optarg;
        return true;
    case 'o':
        return set_output(options, optarg, ret_exit);
    case OPTION_COLOR:
        return set_color(options, optarg, ret_exit);
    case OPTION_ALL:
        return options->all = true;
    case OPTION_DRY_RUN:
        return options->dry_run = true;
    case 'q':
        return options->quiet = true;
    case 'v':
        return options->verbose = true;
    case 'h':
        return print_and_leave(usage, ret_exit);
    case 'V':
        return print_and_leave("inviterd " INVITERD_VERSION "\n", ret_exit);
    case ':':
        return fail(options, ret_exit, "%s needs a value: see inviterd --help", argv[optind - 1]);
    default:
        return fail(options, ret_exit, "%s is no option, or takes no value: see inviterd --help",
                    argv[optind - 1]);
    }
}

static bool is_command(const char *word)
{
    for (const char *const *command = commands; *command; command++)
        if (strcmp(*command, word) == 0)
            return true;
    return false;
}

static bool is_approval(const char *id)
{
    return id && strlen(id) == APPROVAL_LENGTH && strspn(id, "0123456789abcdef") == APPROVAL_LENGTH;
}

/* What goes with which command. */
static bool check_combination(const struct options *options, int *ret_exit)
{
    const char *command = options->command;
    if (options->approval && strcmp(command, "apply") != 0)
        return fail(options, ret_exit, "--approve goes with apply, not with %s", command);
    if (options->dry_run && strcmp(command, "run") != 0)
        return fail(options, ret_exit, "--dry-run goes with run, not with %s: use plan", command);
    if (strcmp(command, "show") == 0 && !options->argument)
        return fail(options, ret_exit, "%s needs the id of an invite or an address", command);
    if (strcmp(command, "approve") == 0 && !is_approval(options->argument))
        return fail(options, ret_exit,
                    "%s needs the id of a blocked plan, twelve of 0-9 and a-f: see inviterd status",
                    command);
    return true;
}

static bool take_words(struct options *options, char **words, int count, int *ret_exit)
{
    if (count == 0)
        return fail(options, ret_exit, "%s", "no command: see inviterd --help");
    options->command = words[0];
    if (!is_command(words[0])) {
        const char *meant = problems_suggest(words[0], commands);
        _cleanup_free_ char *text =
            meant ? memory_format("`%s` is no command: did you mean `%s`?", words[0], meant)
                  : memory_format("`%s` is no command: see inviterd --help", words[0]);
        return fail(options, ret_exit, "%s", text ? text : "no such command");
    }
    bool takes_argument = strcmp(words[0], "show") == 0 || strcmp(words[0], "approve") == 0;
    if (count > (takes_argument ? 2 : 1))
        return fail(options, ret_exit, "`%s` is one word too many: see inviterd --help",
                    words[takes_argument ? 2 : 1]);
    if (takes_argument && count == 2)
        options->argument = words[1];
    return check_combination(options, ret_exit);
}

/* -o json holds for errors of the command line itself, wherever it stands in it. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--") == 0)
            return false;
        if (strcmp(argv[i], "-ojson") == 0 || strcmp(argv[i], "--output=json") == 0)
            return true;
        if ((strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0) &&
            strcmp(next, "json") == 0)
            return true;
    }
    return false;
}

bool options_parse(int argc, char **argv, struct options *ret, int *ret_exit)
{
    *ret = (struct options){.output = wants_json(argc, argv) ? OUTPUT_JSON : OUTPUT_TEXT};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:m:o:qvhV", long_options, NULL)) != -1;)
        if (!take_option(ret, option, argv, ret_exit))
            return false;
    return take_words(ret, argv + optind, argc - optind, ret_exit);
}

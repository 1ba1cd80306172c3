/* Parsing and matching of fault specifications. */
#include "fault.h"

#include "base.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Sets of actions that a parameter goes with. */
#define BIT(action) (1u << (action))
#define STATUSES    (BIT(DO_STATUS) | BIT(DO_STATUS_AFTER))
#define ANY_ACTION  UINT32_MAX

enum kind {
    TEXT,
    NUMBER,
    CHOICE
};

static const struct {
    const char *word;
    enum kind kind;
    uint32_t actions;
    long long least, most;
    const char *choices; /* separated by | */
} keys[KEY_COUNT] = {
    [KEY_CALL] = {"call", CHOICE, ANY_ACTION, 0, 0,
                  "list|create|retrieve|delete|list-users|retrieve-user|set-role|delete-user|any"},
    [KEY_EMAIL] = {"email", TEXT, ANY_ACTION, 0, 0, NULL},
    [KEY_ID] = {"id", TEXT, ANY_ACTION, 0, 0, NULL},
    [KEY_PAGE] = {"page", NUMBER, ANY_ACTION, 1, 1000000, NULL},
    [KEY_NTH] = {"nth", NUMBER, ANY_ACTION, 1, 1000000000, NULL},
    [KEY_EVERY] = {"every", NUMBER, ANY_ACTION, 1, 1000000000, NULL},
    [KEY_TIMES] = {"times", NUMBER, ANY_ACTION, 1, 1000000000, NULL},
    [KEY_DO] = {"do", TEXT, ANY_ACTION, 0, 0, NULL},
    [KEY_STATUS] = {"status", NUMBER, STATUSES | BIT(DO_REDIRECT), 200, 599, NULL},
    [KEY_BODY] = {"body", TEXT, STATUSES, 0, 0, NULL},
    [KEY_RETRY_AFTER] = {"retry-after", TEXT, STATUSES, 0, 0, NULL},
    [KEY_RETRY_AFTER_MS] = {"retry-after-ms", TEXT, STATUSES, 0, 0, NULL},
    [KEY_SHOULD_RETRY] = {"should-retry", CHOICE, STATUSES, 0, 0, "true|false"},
    [KEY_ENVELOPE] = {"envelope", CHOICE, STATUSES, 0, 0, "object|string|html|empty"},
    [KEY_BYTES] = {"bytes", NUMBER, BIT(DO_BIG), 1, 1LL << 40, NULL},
    [KEY_DEPTH] = {"depth", NUMBER, BIT(DO_DEEP), 1, 10000000, NULL},
    [KEY_TO] = {"to", TEXT, BIT(DO_REDIRECT), 0, 0, NULL},
    [KEY_MS] = {"ms", NUMBER, BIT(DO_SLOW) | BIT(DO_SLOW_AFTER), 1, 86400000, NULL},
};

static const char *const actions[DO_COUNT] = {
    [DO_STATUS] = "status",
    [DO_STATUS_AFTER] = "status-after",
    [DO_CUT] = "cut",
    [DO_CUT_AFTER] = "cut-after",
    [DO_CUT_BODY] = "cut-body",
    [DO_CUT_JSON] = "cut-json",
    [DO_GARBAGE] = "garbage",
    [DO_HANG] = "hang",
    [DO_HANG_AFTER] = "hang-after",
    [DO_DRIP] = "drip",
    [DO_SLOW] = "slow",
    [DO_SLOW_AFTER] = "slow-after",
    [DO_REDIRECT] = "redirect",
    [DO_REPEAT_CURSOR] = "repeat-cursor",
    [DO_NO_HAS_MORE] = "no-has-more",
    [DO_NO_DATA] = "no-data",
    [DO_EMPTY_PAGE] = "empty-page",
    [DO_WRONG_TYPES] = "wrong-types",
    [DO_DUPLICATE_KEYS] = "duplicate-keys",
    [DO_DEEP] = "deep",
    [DO_BIG] = "big",
};

#define LIST_ACTIONS \
    (BIT(DO_REPEAT_CURSOR) | BIT(DO_NO_HAS_MORE) | BIT(DO_NO_DATA) | BIT(DO_EMPTY_PAGE))

const char fault_help[] =
    "SPEC is key=value,key=value,…; values are percent-decoded (a comma is %2C).\n"
    "Which requests (all that are given must hold):\n"
    "  call=list|create|retrieve|delete|list-users|retrieve-user|set-role|delete-user|any\n"
    "  email=ADDRESS  id=INVITE or USER  page=N (of a listing)\n"
    "  nth=N (only the N-th such request)  every=N  times=N (how often it fires; default always)\n"
    "What happens; without \"-after\" nothing takes effect in the organisation:\n"
    "  do=status,status=N[,body=TEXT|@FILE][,envelope=object|string|html|empty]\n"
    "     [,retry-after=TEXT][,retry-after-ms=TEXT][,should-retry=true|false]\n"
    "  do=status-after,…   the same, after the effect\n"
    "  do=cut|cut-after    the connection closes with no answer\n"
    "  do=hang|hang-after  no answer, ever\n"
    "  do=slow|slow-after,ms=N  the wait comes before or after the effect\n"
    "  do=redirect[,to=URL][,status=N]\n"
    "What happens to the answer, after the effect:\n"
    "  do=cut-body (half the body, then close)  do=cut-json (a complete answer, half the JSON)\n"
    "  do=garbage (200, not JSON)  do=drip (a byte each 200 ms)  do=wrong-types\n"
    "  do=duplicate-keys  do=deep[,depth=N]  do=big[,bytes=N] (chunked, padded with spaces)\n"
    "Listings only:\n"
    "  do=repeat-cursor (the page before the cursor again)  do=no-has-more  do=no-data\n"
    "  do=empty-page\n"
    "The first fault that matches and is due wins.\n";

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes %XX in place; false if a % is not followed by two hexadecimal digits, or is %00. */
static bool percent_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++, to++) {
        *to = *from;
        if (*from != '%')
            continue;
        if (hex(from[1]) < 0 || hex(from[2]) < 0 || (hex(from[1]) == 0 && hex(from[2]) == 0))
            return false;
        *to = (char)(hex(from[1]) * 16 + hex(from[2]));
        from += 2;
    }
    *to = '\0';
    return true;
}

static bool is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (const char *c = choices; c; c = strchr(c, '|'), c += c != NULL)
        if (strncmp(c, word, length) == 0 && (c[length] == '|' || c[length] == '\0') && length > 0)
            return true;
    return false;
}

static char *key_words(uint32_t action_bits)
{
    char *words = must(strdup(""));
    for (int k = 0; k < KEY_COUNT; k++) {
        if (!(keys[k].actions & action_bits))
            continue;
        char *longer = format("%s%s%s", words, *words ? ", " : "", keys[k].word);
        free(words);
        words = longer;
    }
    return words;
}

static char *action_words(uint32_t action_bits)
{
    char *words = must(strdup(""));
    for (int a = 0; a < DO_COUNT; a++) {
        if (!(BIT(a) & action_bits))
            continue;
        char *longer = format("%s%s%s", words, *words ? ", " : "", actions[a]);
        free(words);
        words = longer;
    }
    return words;
}

static char *check_value(struct fault *fault, enum fault_key key)
{
    const char *word = keys[key].word, *value = fault->text[key];
    if (keys[key].kind == NUMBER) {
        if (!read_number(value, keys[key].least, keys[key].most, &fault->number[key]))
            return format("%s=%s: must be a whole number from %lld to %lld", word, value,
                          keys[key].least, keys[key].most);
    } else if (keys[key].kind == CHOICE && !is_choice(keys[key].choices, value)) {
        return format("%s=%s: allowed are %s", word, value, keys[key].choices);
    }
    bool header = key == KEY_RETRY_AFTER || key == KEY_RETRY_AFTER_MS || key == KEY_TO;
    if (header)
        for (const char *c = value; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                return format("%s: must not hold control characters", word);
    return NULL;
}

/* Takes one key=value; `part` is changed. */
static char *parse_part(struct fault *fault, char *part)
{
    char *value = strchr(part, '=');
    if (!value)
        return format("\"%s\": must be key=value", part);
    *value++ = '\0';
    int key = 0;
    while (key < KEY_COUNT && strcmp(keys[key].word, part) != 0)
        key++;
    if (key == KEY_COUNT) {
        _cleanup_free_ char *words = key_words(ANY_ACTION);
        return format("\"%s\": unknown key; allowed are %s", part, words);
    }
    if (fault->text[key])
        return format("%s: given twice", part);
    if (!percent_decode(value))
        return format("%s=%s: a %% must be followed by two hexadecimal digits, not 00", part,
                      value);
    fault->text[key] = must(strdup(value));
    return check_value(fault, (enum fault_key)key);
}

static char *parse_action(struct fault *fault)
{
    const char *word = fault->text[KEY_DO];
    int action = 0;
    while (word && action < DO_COUNT && strcmp(actions[action], word) != 0)
        action++;
    if (!word || action == DO_COUNT) {
        _cleanup_free_ char *words = action_words(ANY_ACTION);
        return word ? format("do=%s: unknown action; allowed are %s", word, words)
                    : format("do= is missing; allowed are %s", words);
    }
    fault->action = (enum fault_action)action;
    for (int key = 0; key < KEY_COUNT; key++) {
        if (!fault->text[key] || keys[key].actions & BIT(action))
            continue;
        _cleanup_free_ char *words = action_words(keys[key].actions);
        return format("%s: goes with do= %s only", keys[key].word, words);
    }
    return NULL;
}

/* What only makes sense together. */
static char *check_whole(struct fault *fault)
{
    const char *call = fault->text[KEY_CALL];
    uint32_t bit = BIT(fault->action);
    fault->list_only = bit & LIST_ACTIONS || fault->text[KEY_PAGE];
    if (fault->list_only && call && !is_choice("list|list-users|any", call))
        return format("call=%s: %s is for listings", call,
                      fault->text[KEY_PAGE] ? "page" : actions[fault->action]);
    if (bit & STATUSES && !fault->text[KEY_STATUS])
        return format("do=%s: needs status=N", actions[fault->action]);
    if (keys[KEY_MS].actions & bit && !fault->text[KEY_MS])
        return format("do=%s: needs ms=N", actions[fault->action]);
    if (fault->text[KEY_BODY] && fault->text[KEY_ENVELOPE])
        return format("body and envelope exclude each other");
    if (fault->action == DO_REDIRECT && fault->text[KEY_STATUS] &&
        (fault->number[KEY_STATUS] < 300 || fault->number[KEY_STATUS] > 399))
        return format("status=%lld: a redirect needs one from 300 to 399",
                      fault->number[KEY_STATUS]);
    return NULL;
}

static char *load_body(struct fault *fault, bool files)
{
    const char *body = fault->text[KEY_BODY];
    if (!body || *body != '@')
        return NULL;
    if (!files)
        return format("body=%s: files can be given on the command line only", body);
    char *text = read_file(body + 1);
    if (!text)
        return format("body=%s: %s", body, strerror(errno));
    free(fault->text[KEY_BODY]);
    fault->text[KEY_BODY] = text;
    return NULL;
}

static char *parse_parts(struct fault *fault, bool files)
{
    _cleanup_free_ char *copy = must(strdup(fault->spec));
    char *rest = copy, *part, *wrong;
    while ((part = strsep(&rest, ",")))
        if ((wrong = parse_part(fault, part)))
            return wrong;
    if ((wrong = parse_action(fault)) || (wrong = check_whole(fault)))
        return wrong;
    return load_body(fault, files);
}

void fault_drop(struct fault *fault)
{
    if (__atomic_sub_fetch(&fault->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (int key = 0; key < KEY_COUNT; key++)
        free(fault->text[key]);
    free(fault->spec);
    free(fault);
}

char *fault_parse(const char *spec, bool files, struct fault **ret_fault)
{
    struct fault *fault = must(calloc(1, sizeof *fault));
    fault->users = 1;
    fault->spec = must(strdup(spec));
    char *wrong = parse_parts(fault, files);
    if (wrong)
        fault_drop(fault);
    else
        *ret_fault = fault;
    return wrong;
}

void faults_add(struct fault **list, struct fault *fault)
{
    while (*list)
        list = &(*list)->next;
    *list = fault;
}

void faults_clear(struct fault **list)
{
    while (*list) {
        struct fault *fault = *list;
        *list = fault->next;
        fault_drop(fault);
    }
}

static bool conditions_hold(const struct fault *fault, const struct fault_query *query)
{
    const char *call = fault->text[KEY_CALL], *email = fault->text[KEY_EMAIL];
    const char *id = fault->text[KEY_ID];
    if (fault->list_only && !is_choice("list|list-users", query->call))
        return false;
    if (call && strcmp(call, "any") != 0 && strcmp(call, query->call) != 0)
        return false;
    if (email && !(query->email && strcasecmp(email, query->email) == 0))
        return false;
    if (id && !(query->id && strcmp(id, query->id) == 0))
        return false;
    return !fault->text[KEY_PAGE] || fault->number[KEY_PAGE] == query->page;
}

static bool is_due(const struct fault *fault)
{
    const long long *number = fault->number;
    return !(number[KEY_NTH] && fault->matched != number[KEY_NTH]) &&
           !(number[KEY_EVERY] && fault->matched % number[KEY_EVERY] != 0) &&
           !(number[KEY_TIMES] && fault->fired >= number[KEY_TIMES]);
}

struct fault *faults_match(struct fault *list, const struct fault_query *query)
{
    for (struct fault *fault = list; fault; fault = fault->next) {
        if (!conditions_hold(fault, query))
            continue;
        fault->matched++;
        if (!is_due(fault))
            continue;
        fault->fired++;
        __atomic_add_fetch(&fault->users, 1, __ATOMIC_RELAXED);
        return fault;
    }
    return NULL;
}

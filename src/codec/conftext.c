/* A lexer that knows just enough of libconfig to refuse what libconfig lets pass. */
#include "codec/conftext.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "codec/utf8.h"

/* Our files nest five deep. A limit also bounds every recursion over what was parsed. */
#define DEPTH_MAX 32

struct bracket {
    char open;
    unsigned line;
};

/* The text is scanned in a copy, in which numbers that libconfig would cut are replaced. */
struct scan {
    char *at; /* ends with NUL */
    unsigned line;
    struct bracket brackets[DEPTH_MAX];
    size_t depth;
    char last; /* the token before, by its first character; '"' a string, 'a' any other value */
    unsigned *lines; /* of each string that is an item of a list or an array, in order */
    size_t line_count;
    const char *fault; /* a sentence, or NULL */
    unsigned fault_line;
    char fault_text[160];
};

/* Remembers the first fault and stops the scan. */
static void scan_fail(struct scan *scan, unsigned line, const char *sentence)
{
    if (!scan->fault) {
        scan->fault = sentence;
        scan->fault_line = line;
    }
    scan->at += strlen(scan->at);
}

static bool in_list(const struct scan *scan)
{
    return scan->depth > 0 && scan->brackets[scan->depth - 1].open != '{';
}

static void scan_line_comment(struct scan *scan)
{
    scan->at += strcspn(scan->at, "\n");
}

static void scan_block_comment(struct scan *scan)
{
    unsigned begin = scan->line;
    const char *end = strstr(scan->at + 2, "*/");
    if (!end) {
        scan_fail(scan, begin, "the comment that begins here is never closed; add */");
        return;
    }
    for (; scan->at < end + 2; scan->at++)
        scan->line += *scan->at == '\n';
}

/* Where an item of a list begins: after the opening bracket or a comma. */
static void scan_item_begin(struct scan *scan)
{
    if (in_list(scan) && !strchr("([,", scan->last))
        scan_fail(scan, scan->line, "put a comma between this item of the list and the one before");
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Length of the escape at `text`, which is a backslash. One that libconfig does not know is text.
 */
static size_t escape_length(const char *text)
{
    return text[1] == '"' || text[1] == '\\' ? 2 : 1;
}

static bool is_nul_escape(const char *text)
{
    return (text[1] == 'x' || text[1] == 'X') && text[2] == '0' && text[3] == '0';
}

static void scan_string(struct scan *scan)
{
    unsigned begin = scan->line;
    scan_item_begin(scan);
    if (scan->fault)
        return;
    if (in_list(scan)) {
        if (RESERVE(scan->lines, scan->line_count) < 0) {
            scan_fail(scan, begin, "not enough memory to read the file");
            return;
        }
        scan->lines[scan->line_count++] = begin;
    }
    for (scan->at++; *scan->at != '"';) {
        if (*scan->at == '\0') {
            scan_fail(scan, begin, "the string that begins here is never closed; add a quote");
            return;
        }
        if (*scan->at == '\\' && is_nul_escape(scan->at)) {
            scan_fail(scan, scan->line, "\\x00 in a string would cut it short; remove it");
            return;
        }
        scan->line += *scan->at == '\n';
        scan->at += *scan->at == '\\' ? escape_length(scan->at) : 1;
    }
    scan->at++;
    scan->last = '"';
}

/* Whether the digits make a number that libconfig keeps as it is written. */
static bool fits_int(const char *digits, const char *end, unsigned base)
{
    uint64_t number = 0;
    for (; digits < end; digits++) {
        unsigned digit = *digits <= '9' ? (unsigned)(*digits - '0') : (*digits | 0x20) - 'a' + 10u;
        number = number * base + digit;
        if (number > INT_MAX)
            return false;
    }
    return true;
}

/* "1.5", ".5", "1e3" from its first digit or point on; NULL when the number is not of that kind. */
static char *float_end(char *text)
{
    char *at = text + strspn(text, "0123456789");
    bool point = *at == '.';
    if (point)
        at += 1 + strspn(at + 1, "0123456789");
    if (*at == 'e' || *at == 'E') {
        char *digits = at + 1 + (at[1] == '+' || at[1] == '-');
        size_t count = strspn(digits, "0123456789");
        if (count > 0)
            return digits + count;
    }
    return point ? at : NULL;
}

/*
 * libconfig cuts 5000000000 to 705032704 without a word. What does not fit is replaced, in our
 * copy, by a 64-bit number of the same length, so that it is refused with the other mistakes.
 */
static void scan_number(struct scan *scan)
{
    static const char stand_in[] = "999999999L";
    char *digits = scan->at + (*scan->at == '+' || *scan->at == '-');
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') && is_hex(digits[2]);
    char *end = hex ? NULL : float_end(digits);
    scan_item_begin(scan);
    if (scan->fault)
        return;
    if (!end) {
        end = digits += hex ? 2 : 0;
        while (hex ? is_hex(*end) : *end >= '0' && *end <= '9')
            end++;
        bool fits = fits_int(digits, end, hex ? 16 : 10);
        while (*end == 'L')
            end++;
        if (!fits) {
            memset(scan->at, ' ', (size_t)(end - scan->at));
            memcpy(scan->at, stand_in, sizeof stand_in - 1);
        }
    }
    scan->at = end;
    scan->last = 'a';
}

static void scan_word(struct scan *scan)
{
    scan->at += strspn(scan->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789*_-");
    scan->last = 'a';
}

static void scan_open(struct scan *scan)
{
    scan_item_begin(scan);
    if (scan->depth == DEPTH_MAX)
        scan_fail(scan, scan->line, "brackets are nested too deeply; take some away");
    if (scan->fault)
        return;
    scan->last = *scan->at;
    scan->brackets[scan->depth++] = (struct bracket){.open = *scan->at++, .line = scan->line};
}

static void scan_close(struct scan *scan)
{
    char close = *scan->at;
    const char *open_of = close == '}' ? "{" : close == ')' ? "(" : "[";
    if (scan->depth == 0) {
        snprintf(scan->fault_text, sizeof scan->fault_text,
                 "this %c closes nothing; remove it or add the %s before it", close, open_of);
        scan_fail(scan, scan->line, scan->fault_text);
        return;
    }
    const struct bracket *open = &scan->brackets[scan->depth - 1];
    if (open->open != *open_of) {
        snprintf(scan->fault_text, sizeof scan->fault_text,
                 "this %c does not close the %c of line %u; close that first", close, open->open,
                 open->line);
        scan_fail(scan, scan->line, scan->fault_text);
        return;
    }
    if (scan->last == ',' && in_list(scan)) {
        scan_fail(scan, scan->line, "remove the comma after the last item of this list");
        return;
    }
    scan->depth--;
    scan->last = close;
    scan->at++;
}

static void scan_other(struct scan *scan)
{
    if (strncmp(scan->at, "@include", strlen("@include")) == 0) {
        scan_fail(scan, scan->line, "@include is not supported; put the text itself here");
        return;
    }
    scan->line += *scan->at == '\n';
    if (!strchr(" \t\r\n\f", *scan->at))
        scan->last = *scan->at;
    scan->at++;
}

static bool begins_number(const char *text)
{
    text += *text == '+' || *text == '-';
    text += *text == '.';
    return *text >= '0' && *text <= '9';
}

static bool begins_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static void scan_token(struct scan *scan)
{
    char c = *scan->at;
    if (c == '#' || (c == '/' && scan->at[1] == '/'))
        scan_line_comment(scan);
    else if (c == '/' && scan->at[1] == '*')
        scan_block_comment(scan);
    else if (c == '"')
        scan_string(scan);
    else if (begins_number(scan->at))
        scan_number(scan);
    else if (begins_word(c))
        scan_word(scan);
    else if (c == '{' || c == '(' || c == '[')
        scan_open(scan);
    else if (c == '}' || c == ')' || c == ']')
        scan_close(scan);
    else
        scan_other(scan);
}

static void scan_all(struct scan *scan)
{
    while (*scan->at)
        scan_token(scan);
    if (!scan->fault && scan->depth > 0) {
        const struct bracket *open = &scan->brackets[scan->depth - 1];
        snprintf(scan->fault_text, sizeof scan->fault_text,
                 "the file ends before the %c of line %u is closed; it may have been cut short",
                 open->open, open->line);
        scan_fail(scan, scan->line - 1, scan->fault_text);
    }
}

/*
 * libconfig gives a string in a list the line of the token after it. Puts the right lines in, from
 * *next on, and leaves *next after the last one used.
 */
static void set_lines(config_setting_t *setting, const unsigned **next)
{
    if (!config_setting_is_aggregate(setting))
        return;
    bool list = !config_setting_is_group(setting);
    for (int i = 0; i < config_setting_length(setting); i++) {
        config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        if (list && config_setting_type(item) == CONFIG_TYPE_STRING)
            item->line = *(*next)++;
        set_lines(item, next);
    }
}

static void put(struct problems *problems, const char *file, unsigned line, const char *sentence)
{
    _cleanup_free_ char *place = memory_format("%s:%u", file, line);
    problems_add(problems, place ? place : file, "%s", sentence);
}

static const char *explain(const config_t *config)
{
    const char *text = config_error_text(config);
    if (text && strstr(text, "duplicate"))
        return "a key is given a second time here; remove one of the two";
    if (text && strstr(text, "mismatched"))
        return "the items between [ and ] are of different types; write the list with ( and )";
    return "syntax error; look here and on the line before for a missing =, quote or bracket";
}

/* Parses the scanned copy; `scan` holds what was learnt about it. */
static int parse_scanned(const char *file, const char *copy, const struct scan *scan,
                         config_t *config, struct problems *problems)
{
    if (scan->fault) {
        put(problems, file, scan->fault_line, scan->fault);
        return -EBADMSG;
    }
    if (config_read_string(config, copy) != CONFIG_TRUE) {
        put(problems, file, (unsigned)config_error_line(config), explain(config));
        return -EBADMSG;
    }
    const unsigned *next = scan->lines;
    set_lines(config_root_setting(config), &next);
    return 0;
}

int conftext_parse(const char *file, const char *text, size_t length, config_t *config,
                   struct problems *problems)
{
    unsigned line;
    const char *fault = utf8_text_fault(text, length, &line);
    if (length > CONFTEXT_MAX) {
        put(problems, file, 1, "the file is longer than 16 MiB; make it shorter");
        return -EBADMSG;
    }
    if (fault) {
        put(problems, file, line, fault);
        return -EBADMSG;
    }
    /* A line comment without a line end is a syntax error to libconfig: there is always an end. */
    _cleanup_free_ char *copy = memory_format("%.*s\n", (int)length, text);
    if (!copy)
        return -ENOMEM;
    struct scan scan = {.at = copy, .line = 1};
    scan_all(&scan);
    int r = parse_scanned(file, copy, &scan, config, problems);
    free(scan.lines);
    return r;
}

/* E-mail addresses: validity, order, and ignore patterns. */
#include "address.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hidden.h"

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_space(uint32_t c)
{
    return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* The code point at *text, which must be valid UTF-8; moves *text past it. */
static uint32_t next_code_point(const char **text)
{
    unsigned char first = (unsigned char)*(*text)++;
    if (first < 0x80)
        return first;
    unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t c = first & (0x3fu >> more);
    for (; more > 0 && **text; more--)
        c = c << 6 | ((unsigned char)*(*text)++ & 0x3f);
    return c;
}

static const char *fault(const char *text)
{
    size_t length = strlen(text);
    if (length == 0)
        return "is empty";
    if (length > ADDRESS_MAX)
        return "is longer than 254 bytes";
    for (const char *rest = text; *rest;) {
        uint32_t c = next_code_point(&rest);
        if (is_space(c))
            return "contains a space";
        if (hidden_code(c))
            return "contains a control character";
    }
    const char *at = strchr(text, '@');
    if (!at || strchr(at + 1, '@'))
        return "must contain exactly one @";
    if (at == text || at[1] == '\0')
        return "needs a name before the @ and a domain after it";
    return NULL;
}

const char *address_fault(const char *address)
{
    const char *phrase = fault(address);
    if (!phrase && strchr(address, '*'))
        return "contains a *, which only ignore patterns may";
    return phrase;
}

const char *address_pattern_fault(const char *pattern)
{
    return fault(pattern);
}

int address_compare(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) - fold(*b);
}

bool address_matches(const char *pattern, const char *address)
{
    /* Greedy matching with one point of return: linear in practice, no recursion. */
    const char *star = NULL, *resume = NULL;
    while (*address) {
        if (*pattern == '*') {
            star = pattern++;
            resume = address;
        } else if (*pattern && fold(*pattern) == fold(*address)) {
            pattern++;
            address++;
        } else if (star) {
            pattern = star + 1;
            address = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

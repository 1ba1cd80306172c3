/* E-mail addresses: validity, order, and ignore patterns. */
#include "address.h"

#include <stdint.h>
#include <stdlib.h>
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

static const char *fault(const char *text)
{
    size_t length = strlen(text);
    if (length == 0)
        return "is empty";
    if (length > ADDRESS_MAX)
        return "is longer than 254 bytes";
    for (const char *rest = text; *rest;) {
        uint32_t c = hidden_next_code(&rest);
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

/* Copies the character at *text, or `*` where it stands for one that no pattern may hold. */
static char *put_character(char *to, const char **text, const char *last_at)
{
    const char *from = *text;
    uint32_t c = hidden_next_code(text);
    if (hidden_code(c) || is_space(c) || (c == '@' && from != last_at)) {
        *to = '*';
        return to + 1;
    }
    memcpy(to, from, (size_t)(*text - from));
    return to + (*text - from);
}

char *address_pattern(const char *address)
{
    const char *last_at = strrchr(address, '@');
    char *pattern = malloc(strlen(address) + sizeof "**"), *end = pattern;
    if (!pattern)
        return NULL;
    if (last_at == address)
        *end++ = '*';
    while (*address)
        end = put_character(end, &address, last_at);
    if (last_at && last_at[1] == '\0')
        *end++ = '*';
    *end = '\0';
    if (fault(pattern))
        *pattern = '\0';
    return pattern;
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

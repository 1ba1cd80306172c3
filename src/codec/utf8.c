/* Decoding and showing UTF-8. */
#include "codec/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hidden.h"

size_t utf8_decode(const char *text, size_t length, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (bytes[0] < 0x80) {
        *ret_code = bytes[0];
        return 1;
    }
    size_t size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || size > length)
        return 0;
    uint32_t code = bytes[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return size;
}

size_t utf8_fault_offset(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t code;
        size_t size = utf8_decode(text + at, length - at, &code);
        if (size == 0)
            break;
        at += size;
    }
    return at;
}

static unsigned line_of(const char *text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

const char *utf8_text_fault(const char *text, size_t length, unsigned *ret_line)
{
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        *ret_line = 1;
        return "the file begins with a byte order mark; save it as UTF-8 without one";
    }
    size_t invalid = utf8_fault_offset(text, length);
    const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;
    if (nul && (size_t)(nul - text) < invalid) {
        *ret_line = line_of(text, (size_t)(nul - text));
        return "a NUL byte; the file is damaged or not a text, write it again";
    }
    if (invalid < length) {
        *ret_line = line_of(text, invalid);
        return "not valid UTF-8; save the file as UTF-8";
    }
    return NULL;
}

/* The longest spelling of one character: "\U000e0001". */
#define SPELLING_SIZE 11

/* Spells the character at `text`, which is not empty; returns how many bytes of it were used. */
static size_t spell(const char *text, size_t length, char spelling[static SPELLING_SIZE])
{
    uint32_t code = 0;
    size_t size = utf8_decode(text, length, &code);
    if (size > 0 && !hidden_code(code)) {
        memcpy(spelling, text, size);
        spelling[size] = '\0';
        return size;
    }
    if (size == 0)
        snprintf(spelling, SPELLING_SIZE, "\\x%02x", (unsigned char)*text);
    else if (code == '\n' || code == '\t' || code == '\r')
        snprintf(spelling, SPELLING_SIZE, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
    else if (code < 0x80)
        snprintf(spelling, SPELLING_SIZE, "\\x%02x", (unsigned)code);
    else
        snprintf(spelling, SPELLING_SIZE, code > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)code);
    return size == 0 ? 1 : size;
}

char *utf8_escape(const char *text)
{
    return utf8_escape_short(text, SIZE_MAX);
}

char *utf8_escape_short(const char *text, size_t most)
{
    size_t length = strlen(text), used = 0, whole = 0;
    /* No byte is spelled with more than four. */
    if (length > (SIZE_MAX - SPELLING_SIZE) / 4)
        return NULL;
    size_t room = length * 4 < most ? length * 4 : most;
    char *escaped = malloc(room + SPELLING_SIZE);
    if (!escaped)
        return NULL;
    escaped[0] = '\0';
    for (size_t at = 0; at < length && used <= most;) {
        at += spell(text + at, length - at, escaped + used);
        used += strlen(escaped + used);
        /* The last place where what was spelled so far leaves room for the dots. */
        if (used + 3 <= most)
            whole = used;
    }
    if (used > most)
        strcpy(escaped + whole, "...");
    return escaped;
}

const char *utf8_quote(const char *text, char buffer[static UTF8_QUOTE_SIZE])
{
    size_t length = strlen(text), used = 1;
    const char *end = "`";
    buffer[0] = '`';
    for (size_t at = 0; at < length;) {
        char spelling[SPELLING_SIZE];
        at += spell(text + at, length - at, spelling);
        size_t size = strlen(spelling);
        if (used - 1 + size > UTF8_QUOTE_MAX) {
            end = "...`";
            break;
        }
        /* Its end comes last. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
        memcpy(buffer + used, spelling, size);
        used += size;
    }
    memcpy(buffer + used, end, strlen(end) + 1);
    return buffer;
}

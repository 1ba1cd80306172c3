/* UTF-8 text from outside: whether it is valid, and how to show it without harm. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the code point at the start of `text`. Returns its length in bytes, 1 to 4; 0 when `length`
 * is 0 or the bytes are not valid UTF-8 (RFC 3629: no overlong form, no surrogate, at most
 * U+10FFFF).
 */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret_code);

/* Where the first byte stands that is not valid UTF-8; `length` when all of it is valid. */
size_t utf8_fault_offset(const char *text, size_t length);

/*
 * What keeps bytes from being read as a text at all: a byte order mark, a NUL byte, invalid UTF-8.
 * Returns a sentence with its remedy and sets *ret_line (from 1); NULL when there is nothing.
 */
const char *utf8_text_fault(const char *text, size_t length, unsigned *ret_line);

/*
 * A copy of `text` in which every hidden character and invalid byte is spelled out (\n, \x1b,
 * \u202e). The caller owns it; NULL when memory is short.
 */
char *utf8_escape(const char *text);
/* The same in at most `most` bytes (3 or more); what was cut off is replaced by "...". */
char *utf8_escape_short(const char *text, size_t most);

/* Room for a quoted value: UTF8_QUOTE_MAX bytes, two quotes, "..." and the NUL. */
#define UTF8_QUOTE_MAX  60
#define UTF8_QUOTE_SIZE (UTF8_QUOTE_MAX + 6)

/* Writes `text` between backquotes, escaped like utf8_escape and cut short. Returns `buffer`. */
const char *utf8_quote(const char *text, char buffer[static UTF8_QUOTE_SIZE]);
/* The same as an argument of a printf-like call; the text lives as long as the enclosing block. */
#define QUOTED(text) utf8_quote((text), (char[UTF8_QUOTE_SIZE]){0})

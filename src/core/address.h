/* E-mail addresses as the organisation sees them: opaque, compared without ASCII case. */
#pragma once

#include <stdbool.h>

/* The longest address we take, in bytes (RFC 5321 §4.5.3.1.3 allows 254). */
#define ADDRESS_MAX 254

/*
 * What is wrong with an address, as a phrase that completes "the address …"; NULL when it is fine.
 * Fine means: valid length, exactly one `@` with something on either side, no control characters
 * (C0, C1, bidirectional and zero-width ones) and no spaces. The text must be valid UTF-8 already.
 */
const char *address_fault(const char *address);

/* The same for an ignore pattern: an address in which `*` stands for any run of characters. */
const char *address_pattern_fault(const char *pattern);

/*
 * A pattern for an ignore list that covers the address: itself, where that is fine; otherwise with
 * `*` for each character that no pattern may hold; empty where there is none. The text must be
 * valid UTF-8. The caller owns what is returned; NULL: no memory.
 */
char *address_pattern(const char *address);

/* Orders addresses without regard to ASCII case; 0 when they are the same address. */
int address_compare(const char *a, const char *b);

/* Whether the pattern, in which `*` stands for any run of characters, covers the whole address. */
bool address_matches(const char *pattern, const char *address);

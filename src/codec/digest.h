/* Digests: short ids for long texts. */
#pragma once

/*
 * The first 12 hexadecimal digits of the SHA-256 of a text. The caller owns the string; NULL when
 * memory is short or libcrypto fails.
 */
char *digest_id(const char *text);

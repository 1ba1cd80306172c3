/*
 * JSON text with two traps closed. By itself jansson takes a key that stands twice; and where it is
 * refused memory within a string, it leaves a byte out of it and reports success: another address.
 */
#pragma once

#include <jansson.h>

/*
 * Parses `text` of `length` bytes (which needs no NUL at its end). On -EBADMSG *ret_error says what
 * is wrong. Returns 0 with a value that the caller owns, -EBADMSG or -ENOMEM.
 */
int jsontext_load(const char *text, size_t length, json_t **ret_value, json_error_t *ret_error);

/*
 * Between these two a value is built without looking after each step. The end drops the value and
 * returns its text, which the caller owns; NULL if memory ran short for any part of it, so that no
 * text ever lacks one.
 */
void jsontext_begin(void);
char *jsontext_end(json_t *value, size_t flags);

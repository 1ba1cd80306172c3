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

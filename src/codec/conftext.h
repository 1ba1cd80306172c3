/*
 * libconfig syntax with the traps closed. By itself libconfig takes an unterminated comment or
 * string for the end of the file, stops at a NUL byte, reads other files on @include, cuts large
 * numbers silently, joins two strings where a comma is missing, and counts lines of list items
 * wrongly.
 */
#pragma once

#include <libconfig.h>

#include "codec/problems.h"

/* The longest text we take, in bytes. */
#define CONFTEXT_MAX ((size_t)16 << 20)

/*
 * Parses `text` of `length` bytes (which needs no NUL at its end) into *config, which the caller
 * has initialised and destroys. A text that is no libconfig text puts exactly one error, with its
 * line, into *problems. A number that does not fit 32 bits reads as CONFIG_TYPE_INT64, which no
 * setting of ours accepts. Returns 0, -EBADMSG or -ENOMEM.
 */
int conftext_parse(const char *file, const char *text, size_t length, config_t *config,
                   struct problems *problems);

/* The ledger as a file: JSON, written whole, read with suspicion. */
#pragma once

#include <stddef.h>

#include "core/ledger.h"

/* The text to be stored. The caller owns it; NULL when memory is short. */
char *ledgertext_write(const struct ledger *ledger);

/*
 * Reads what ledgertext_write() wrote. Returns 0; -EBADMSG when the text is anything else, with
 * *ret_error, which the caller owns, saying what; -ENOMEM.
 */
int ledgertext_read(const char *text, size_t length, struct ledger **ret, char **ret_error);

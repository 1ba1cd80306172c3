/* The Admin API key: where it comes from, and that it goes nowhere else. */
#pragma once

#include "core/memory.h"

/*
 * Reads the key from `source` ("credential:NAME", "file:PATH", "env:NAME"), or, when that is NULL,
 * from the credential `openai-admin-key`, else from OPENAI_ADMIN_KEY. White space around it is
 * dropped. Returns 0; -EKEYREJECTED with *ret_error, which the caller owns, saying in words what
 * to do; or -ENOMEM. The caller frees the key with memory_wipe().
 */
int credential_read(const char *source, char **ret_key, char **ret_error);

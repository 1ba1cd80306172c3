/* Reads the organisation file, and the single entries of it that the control routes take. */
#pragma once

#include "org.h"

/* Loads the file into an organisation. Returns NULL, or what is wrong, owned by the caller. */
char *orgfile_load(struct org *org, const char *path, int64_t now_ms);

/*
 * Adds the invite that `entry` describes, with no rule applied. `where` names the entry in
 * messages. Returns NULL, or what is wrong, owned by the caller; *ret_invite (may be NULL) is
 * borrowed.
 */
char *orgfile_add_invite(struct org *org, json_t *entry, const char *where, int64_t now_ms,
                         struct invite **ret_invite);

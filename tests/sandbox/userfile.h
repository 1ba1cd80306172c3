/* Reads users as the organisation file and the control routes describe them. */
#pragma once

#include "user.h"

/*
 * Adds the user that `entry` describes, with no rule applied. `where` names the entry in messages.
 * Returns NULL, or what is wrong, owned by the caller; *ret_user (may be NULL) is borrowed.
 */
char *userfile_add(struct org *org, json_t *entry, const char *where, int64_t now_ms,
                   struct user **ret_user);

/* Changes what `entry` names, in the same way. */
char *userfile_change(struct org *org, struct user *user, json_t *entry, const char *where,
                      int64_t now_ms);

/* The present organisation as the text of a member file. */
#pragma once

#include <stdint.h>

#include "core/adoption.h"

/*
 * A member file in the syntax of libconfig: sorted, and with comments for whatever it cannot
 * express. `date` is that of the listings, in seconds since the epoch. The caller owns it; NULL: no
 * memory.
 */
char *exporttext_conf(const struct adoption *adoption, int64_t date);
/* The same in JSON, which has no comments: the remarks are to be told in another way. */
char *exporttext_json(const struct adoption *adoption);

/* "SUBJECT: what is so about it", as the service has it: unescaped. The caller owns it; or NULL. */
char *exporttext_remark(const struct remark *remark);

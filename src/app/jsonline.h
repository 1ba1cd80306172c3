/* JSON on standard output. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "codec/problems.h"

/*
 * Prints the value as one line of ASCII without control characters, so that nothing from outside
 * can move the cursor of a terminal, and drops it. Where memory ran short since jsontext_begin(),
 * an error object is printed instead, and false returned.
 */
bool jsonline_print(json_t *json);

/* A string; text that is no valid UTF-8, as a path or an argument may be, is spelled as for eyes.
 */
json_t *jsonline_text(const char *text);
/* All findings, as [{"place","message","warning"}]. */
json_t *jsonline_problems(const struct problems *problems);

/* JSON on standard output. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/*
 * Prints the value as one line of ASCII without control characters, so that nothing from outside
 * can move the cursor of a terminal, and drops it. Where memory ran short since jsontext_begin(),
 * an error object is printed instead, and false returned.
 */
bool jsonline_print(json_t *json);

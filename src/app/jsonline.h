/* JSON on standard output. */
#pragma once

#include <jansson.h>

/*
 * Prints the value as one line of ASCII without control characters, so that nothing from outside
 * can move the cursor of a terminal, and drops it. NULL, which stands for memory that ran short, is
 * printed as an error object.
 */
void jsonline_print(json_t *json);

/* Characters that nobody sees: refused in addresses, spelled out where text is shown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Control characters, and those that change how a line reads without being seen: bidirectional
 * controls, zero-width ones, and what Unicode calls default-ignorable.
 */
bool hidden_code(uint32_t code);

/* The code point at *text, which must be valid UTF-8 and not at its end; moves *text past it. */
uint32_t hidden_next_code(const char **text);

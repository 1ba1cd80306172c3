/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(): it reads the
 * bytes as the program would, and aborts when something that is promised does not hold.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/problems.h"

/* An assertion that no build type leaves out. */
#define MUST(condition)                                                                    \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* Called by libFuzzer, or by replay.c. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a string, up to the first NUL among them. The caller owns it. */
char *fuzz_text(const uint8_t *data, size_t size);
/* Whether the text can be shown: valid UTF-8 without hidden characters. */
bool fuzz_is_shown(const char *text);
/* Whether a problem was put down exactly if `r` says so, and each has a place and a line of text.
 */
void fuzz_check_problems(int r, const struct problems *problems);
/* A proper prefix of a text of `size` bytes to be tried with it: the same for the same bytes. */
size_t fuzz_cut(const uint8_t *data, size_t size);

/* Bad news for people and machines: one way of saying it, with the exit code. */
#pragma once

#include "app/options.h"
#include "codec/problems.h"

/*
 * Says on standard error what is wrong, and prints the JSON error object where JSON was asked for.
 * Hidden characters are spelled out. Returns `exit_code`.
 */
int report_error(const struct options *options, int exit_code, const char *message);
/* The same for everything that is wrong with files; returns EXIT_CONFIG. */
int report_problems(const struct options *options, const struct problems *problems);
/* Warnings only, on standard error; nothing with --quiet. */
void report_warnings(const struct options *options, const struct problems *problems);
/* Says that what was printed lacks a part for want of memory. Returns EXIT_TROUBLE. */
int report_short(void);
/* What went wrong beside a result, on standard error; said with --quiet, too. */
void report_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A remark on standard error; nothing with --quiet. */
void report_note(const struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

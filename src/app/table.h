/* Aligned columns on a terminal, safe to fill with strangers' text. */
#pragma once

#include <stdio.h>

#include "app/options.h"

enum color {
    PLAIN,
    GREEN,
    CYAN,
    YELLOW,
    RED,
    MAGENTA,
    DIM,
    BOLD
};

/* Whether to colour what goes to this stream: --color, else NO_COLOR and whether it is a terminal.
 */
bool color_wanted(const struct options *options, FILE *stream);
/* The sequences that begin and end a colour; "" when `wanted` is false. */
const char *color_on(bool wanted, enum color color);
const char *color_off(bool wanted);

#define TABLE_COLUMNS 7

struct table;

/* `columns` at most TABLE_COLUMNS. NULL when memory is short. */
struct table *table_new(unsigned columns);
void table_free(struct table *table);
/* Begins a row of a colour. */
void table_row(struct table *table, enum color color);
/* What is longer than so many bytes is cut: a stranger's name must not flood the terminal. */
#define TABLE_CELL_MAX 500
/* The next cell; the text is copied, and its hidden characters spelled out. NULL: empty. */
void table_cell(struct table *table, const char *text);
/* The same with a text made for it, which the table frees; NULL: memory was too short to make it.
 */
void table_made(struct table *table, char *text);
/*
 * Prints all rows: two spaces before and between columns, no space at the end. Returns false if
 * something was left out for want of memory.
 */
bool table_print(const struct table *table, FILE *stream, bool colored);

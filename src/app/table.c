/* Column widths, colours. */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/utf8.h"
#include "core/memory.h"

struct row {
    enum color color;
    char *cells[TABLE_COLUMNS];
};

struct table {
    unsigned columns, at;
    struct row *rows;
    size_t count;
    bool no_memory;
};

bool color_wanted(const struct options *options, FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return !(no_color && *no_color) && isatty(fileno(stream));
}

const char *color_on(bool wanted, enum color color)
{
    static const char *const codes[] = {
        [PLAIN] = "",       [GREEN] = "\033[32m",   [CYAN] = "\033[36m", [YELLOW] = "\033[33m",
        [RED] = "\033[31m", [MAGENTA] = "\033[35m", [DIM] = "\033[2m",   [BOLD] = "\033[1m",
    };
    return wanted ? codes[color] : "";
}

const char *color_off(bool wanted)
{
    return wanted ? "\033[0m" : "";
}

struct table *table_new(unsigned columns)
{
    struct table *table = calloc(1, sizeof *table);
    if (table)
        table->columns = columns;
    return table;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        for (unsigned c = 0; c < table->columns; c++)
            free(table->rows[i].cells[c]);
    free(table->rows);
    free(table);
}

void table_row(struct table *table, enum color color)
{
    table->at = table->columns;
    if (RESERVE(table->rows, table->count) < 0) {
        table->no_memory = true;
        return;
    }
    table->rows[table->count++] = (struct row){.color = color};
    table->at = 0;
}

void table_cell(struct table *table, const char *text)
{
    if (table->at >= table->columns)
        return;
    char *escaped = utf8_escape_short(text ? text : "", TABLE_CELL_MAX);
    table->no_memory |= !escaped;
    table->rows[table->count - 1].cells[table->at++] = escaped;
}

void table_made(struct table *table, char *text)
{
    table->no_memory |= !text;
    table_cell(table, text);
    free(text);
}

/* Characters, not bytes. Wide ones count as one: a column off by one harms nobody. */
static int width(const char *text)
{
    int n = 0;
    for (; text && *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static int column_width(const struct table *table, unsigned column)
{
    int widest = 0;
    for (size_t i = 0; i < table->count; i++) {
        int n = width(table->rows[i].cells[column]);
        widest = n > widest ? n : widest;
    }
    return widest;
}

static void print_row(const struct row *row, const int *widths, unsigned columns, FILE *stream)
{
    int gap = 0;
    for (unsigned c = 0; c < columns; c++) {
        const char *text = row->cells[c];
        if (text && *text)
            fprintf(stream, "%*s%s", gap + 2, "", text);
        gap = text && *text ? widths[c] - width(text) : gap + 2 + widths[c];
        /* A column that is empty in every row takes no room. */
        if (widths[c] == 0)
            gap -= 2;
    }
}

bool table_print(const struct table *table, FILE *stream, bool colored)
{
    int widths[TABLE_COLUMNS] = {0};
    for (unsigned c = 0; c < table->columns; c++)
        widths[c] = column_width(table, c);
    for (size_t i = 0; i < table->count; i++) {
        fputs(color_on(colored && table->rows[i].color != PLAIN, table->rows[i].color), stream);
        print_row(&table->rows[i], widths, table->columns, stream);
        fputs(color_off(colored && table->rows[i].color != PLAIN), stream);
        fputc('\n', stream);
    }
    return !table->no_memory;
}

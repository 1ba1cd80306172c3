/* Errors, warnings and notes. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "app/jsonline.h"
#include "codec/jsontext.h"
#include "codec/utf8.h"

/* A longer line is cut. The paths and commands that we print are shorter than this. */
#define LINE_LENGTH_MAX 4000

static void say(const char *prefix, const char *text)
{
    _cleanup_free_ char *escaped = utf8_escape_short(text, LINE_LENGTH_MAX);
    fprintf(stderr, "%s%s\n", prefix, escaped ? escaped : "(out of memory)");
}

static void print_json(int exit_code, const char *message, const struct problems *problems)
{
    static const struct problems none;
    jsontext_begin();
    (void)jsonline_print(json_pack("{s:s, s:i, s:o, s:o}", "schema", "inviterd.error/1", "exit",
                                   exit_code, "error", jsonline_text(message), "problems",
                                   jsonline_problems(problems ? problems : &none)));
}

int report_error(const struct options *options, int exit_code, const char *message)
{
    say("inviterd: ", message);
    if (options->output == OUTPUT_JSON)
        print_json(exit_code, message, NULL);
    return exit_code;
}

static void say_problem(const struct problem *problem)
{
    _cleanup_free_ char *line = memory_format(
        "%s: %s%s", problem->place, problem->warning ? "warning: " : "", problem->message);
    say("", line ? line : problem->message);
}

int report_problems(const struct options *options, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        say_problem(&problems->items[i]);
    if (problems->no_memory)
        say("inviterd: ", "out of memory: not all that is wrong is shown");
    _cleanup_free_ char *summary =
        memory_format("%zu error%s: nothing was sent; correct %s and try again", problems->errors,
                      problems->errors == 1 ? "" : "s", problems->errors == 1 ? "it" : "them");
    say("inviterd: ", summary ? summary : "out of memory");
    if (options->output == OUTPUT_JSON)
        print_json(EXIT_CONFIG, summary ? summary : "out of memory", problems);
    return EXIT_CONFIG;
}

void report_warnings(const struct options *options, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count && !options->quiet; i++)
        if (problems->items[i].warning)
            say_problem(&problems->items[i]);
}

int report_short(void)
{
    say("inviterd: ", "out of memory: the output lacks a part");
    return EXIT_TROUBLE;
}

void report_trouble(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = memory_format_list(format, arguments);
    va_end(arguments);
    say("inviterd: ", text ? text : format);
}

void report_note(const struct options *options, const char *format, ...)
{
    if (options->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = memory_format_list(format, arguments);
    va_end(arguments);
    if (text)
        say("inviterd: ", text);
}

/* Errors, warnings and notes. */
#include "report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "codec/utf8.h"

static void say(const char *prefix, const char *text)
{
    _cleanup_free_ char *escaped = utf8_escape(text);
    fprintf(stderr, "%s%s\n", prefix, escaped ? escaped : "(out of memory)");
}

static void print_json(int exit_code, const char *message, const struct problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; problems && i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "place", problem->place, "message",
                                              problem->message, "warning", problem->warning));
    }
    json_t *json = json_pack("{s:s, s:i, s:s, s:o}", "schema", "inviterd.error/1", "exit",
                             exit_code, "error", message, "problems", list);
    if (json)
        json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
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
    _cleanup_free_ char *summary =
        memory_format("%zu error%s: nothing was sent; correct %s and try again", problems->errors,
                      problems->errors == 1 ? "" : "s", problems->errors == 1 ? "it" : "them");
    say("inviterd: ", summary ? summary : "errors");
    if (options->output == OUTPUT_JSON)
        print_json(EXIT_CONFIG, summary ? summary : "errors", problems);
    return EXIT_CONFIG;
}

void report_warnings(const struct options *options, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count && !options->quiet; i++)
        if (problems->items[i].warning)
            say_problem(&problems->items[i]);
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

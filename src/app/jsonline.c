/* One object, one line. */
#include "jsonline.h"

#include <stdio.h>

#include "codec/jsontext.h"
#include "codec/utf8.h"

static const char out_of_memory[] =
    "{\"schema\":\"inviterd.error/1\",\"exit\":1,\"error\":\"out of memory\",\"problems\":[]}";

bool jsonline_print(json_t *json)
{
    _cleanup_free_ char *text =
        jsontext_end(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10));
    /* ASCII it is, yet jansson prints the one control character above the others as it is. */
    for (const char *p = text ? text : out_of_memory; *p; p++)
        if (*p == 0x7f)
            fputs("\\u007f", stdout);
        else
            putchar(*p);
    putchar('\n');
    return text != NULL;
}

json_t *jsonline_text(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    _cleanup_free_ char *escaped = utf8_escape(text);
    return escaped ? json_string(escaped) : NULL;
}

json_t *jsonline_problems(const struct problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:b}", "place", jsonline_text(problem->place), "message",
                            jsonline_text(problem->message), "warning", problem->warning));
    }
    return list;
}

/* One object, one line. */
#include "jsonline.h"

#include <stdio.h>

#include "codec/jsontext.h"
#include "core/memory.h"

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

/* What holds for a page of any listing. */
#pragma once

#include "fuzz.h"

#include "codec/wire.h"

/* A page that was cut short is no page. */
static inline void check_torn_page(int (*read)(const char *, size_t, struct page *, char **),
                                   const char *body, size_t length)
{
    struct page torn = {0};
    _cleanup_free_ char *error = NULL;
    size_t cut = fuzz_cut((const uint8_t *)body, length);
    while (cut > 0 && strchr(" \t\r\n", body[length - 1]))
        length = length - 1;
    if (cut < length)
        MUST(read(body, cut, &torn, &error) == -EBADMSG);
}

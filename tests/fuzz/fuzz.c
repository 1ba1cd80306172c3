/* What the fuzz targets share. */
#include "fuzz.h"

#include "codec/utf8.h"
#include "core/hidden.h"

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = strndup(size > 0 ? (const char *)data : "", size);
    MUST(text);
    return text;
}

bool fuzz_is_shown(const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t used = utf8_decode(text + at, length - at, &code);
        if (used == 0 || hidden_code(code))
            return false;
        at += used;
    }
    return true;
}

void fuzz_check_problems(int r, const struct problems *problems)
{
    size_t errors = 0;
    MUST(r == 0 || r == -EBADMSG);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        MUST(*problem->place && fuzz_is_shown(problem->place));
        MUST(*problem->message && fuzz_is_shown(problem->message));
        errors += !problem->warning;
    }
    MUST(errors == problems->errors);
    MUST((r < 0) == (errors > 0));
}

size_t fuzz_cut(const uint8_t *data, size_t size)
{
    uint32_t hash = 2166136261; /* FNV-1a: every byte decides */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619;
    return size > 0 ? hash % size : 0;
}

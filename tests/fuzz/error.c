/* The body of an error answer: whatever a server wrote there can be shown, and is short. */
#include "fuzz.h"

#include "codec/utf8.h"
#include "codec/wire.h"

static void check_escape(const char *text)
{
    _cleanup_free_ char *escaped = utf8_escape(text);
    MUST(escaped && fuzz_is_shown(escaped));
    _cleanup_free_ char *again = utf8_escape(escaped);
    MUST(again && strcmp(again, escaped) == 0);
    if (fuzz_is_shown(text))
        MUST(strcmp(escaped, text) == 0);
    const char *quoted = QUOTED(text);
    MUST(fuzz_is_shown(quoted));
    MUST(strlen(quoted) >= 2 && strlen(quoted) < UTF8_QUOTE_SIZE);
    MUST(quoted[0] == '`' && quoted[strlen(quoted) - 1] == '`');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *error = wire_read_error(400, (const char *)data, size);
    MUST(error && strncmp(error, "HTTP 400", 8) == 0);
    MUST(error[8] == '\0' || strncmp(error + 8, ": ", 2) == 0);
    /* A message and a code, each cut short but not within a character. */
    MUST(strlen(error) <= strlen("HTTP 400: ") + 300 + strlen(" ()") + 60);
    MUST(utf8_fault_offset(error, strlen(error)) == strlen(error));
    check_escape(error);
    /* Header values are shown as they came: any bytes. */
    _cleanup_free_ char *text = fuzz_text(data, size);
    check_escape(text);
    return 0;
}

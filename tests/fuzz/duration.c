/* A duration, such as "1h30m": what is read, written and read again stays what it was. */
#include "fuzz.h"

#include "codec/duration.h"

#define TEN_YEARS (3653 * 86400 * USEC_PER_SEC)

static void check_format(uint64_t usec)
{
    char text[32], again[32];
    uint64_t back = 0;
    duration_format(usec, text);
    if (usec - usec % USEC_PER_MSEC > TEN_YEARS) {
        MUST(duration_parse(text, &back) == -ERANGE);
        return;
    }
    /* Nothing below a millisecond is written. */
    MUST(duration_parse(text, &back) == 0);
    MUST(back == usec - usec % USEC_PER_MSEC);
    MUST(strcmp(duration_format(back, again), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    uint64_t usec = UINT64_MAX;
    int r = duration_parse(text, &usec);
    MUST(r == 0 || r == -EINVAL || r == -ERANGE);
    if (r < 0) {
        MUST(usec == UINT64_MAX);
    } else {
        MUST(usec <= TEN_YEARS && usec % USEC_PER_MSEC == 0);
        MUST(*text >= '0' && *text <= '9');
        check_format(usec);
    }
    if (size >= sizeof usec) {
        memcpy(&usec, data, sizeof usec);
        check_format(usec);
    }
    return 0;
}

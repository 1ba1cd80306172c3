/* A duration, such as "1h30m": what is read, written and read again stays what it was. */
#include "fuzz.h"

#include "codec/duration.h"

#define TEN_YEARS (3653 * 86400 * USEC_PER_SEC)

/* What a text that was taken means, read in another way. */
static uint64_t meaning_of(const char *text)
{
    static const char units[] = "dhms";
    static const uint64_t usec[] = {86400000000, 3600000000, 60000000, 1000000};
    uint64_t sum = 0, last = UINT64_MAX;
    while (*text) {
        char *end;
        uint64_t number = strtoull(text, &end, 10);
        const char *unit = strchr(units, *end);
        bool milli = strncmp(end, "ms", 2) == 0;
        MUST(end > text && *end && unit);
        uint64_t size = milli ? 1000 : usec[unit - units];
        MUST(size < last);
        last = size;
        sum += number * size;
        text = end + (milli ? 2 : 1);
    }
    return sum;
}

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
        MUST(usec == meaning_of(text));
        check_format(usec);
    }
    if (size >= sizeof usec) {
        memcpy(&usec, data, sizeof usec);
        check_format(usec);
    }
    return 0;
}

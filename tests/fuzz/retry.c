/* Retry-After: three lines, `retry-after`, the answer's Date and `retry-after-ms`. */
#include "fuzz.h"

#include <time.h>

#include "codec/date.h"
#include "codec/retry.h"
#include "core/pace.h"

#define DAY_USEC (UINT64_C(86400) * 1000000)

/* The next line of *rest, or NULL; moves *rest past it. */
static const char *take_line(char **rest)
{
    return *rest ? strsep(rest, "\n") : NULL;
}

/* What libc makes of the same date, for the form that servers send. */
static void check_date(const char *text, int64_t seconds)
{
    struct tm broken = {0};
    char day[4], month[4];
    const char *months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    MUST(seconds >= 0 && seconds <= INT64_C(253402300800));
    if (sscanf(text, "%3s, %2d %3s %4d %2d:%2d:%2d GMT", day, &broken.tm_mday, month,
               &broken.tm_year, &broken.tm_hour, &broken.tm_min, &broken.tm_sec) != 7)
        return;
    broken.tm_mon = (int)(strstr(months, month) - months) / 3;
    broken.tm_year -= 1900;
    int day_of_month = broken.tm_mday;
    bool leap_second = broken.tm_sec == 60;
    MUST(timegm(&broken) == seconds);
    /* No day that its month does not have. */
    MUST(broken.tm_mday == day_of_month || leap_second);
}

static int64_t read_date(const char *text)
{
    int64_t seconds = -1;
    if (!text || date_parse_http(text, &seconds) < 0) {
        MUST(seconds == -1);
        return 0;
    }
    check_date(text, seconds);
    char shown[DATE_SIZE];
    MUST(strlen(date_format_utc(seconds, shown)) == strlen("2026-12-31 14:05:09Z"));
    return seconds;
}

/* A plain decimal number of `unit` microseconds is read to within the microsecond. */
static void check_decimal(const char *text, double unit, uint64_t wait)
{
    size_t digits = strspn(text, "0123456789");
    size_t point = text[digits] == '.' ? 1 + strspn(text + digits + 1, "0123456789") : 0;
    if (digits == 0 || digits > 9 || text[digits + point] != '\0')
        return;
    double exact = strtod(text, NULL) * unit;
    if (exact > (double)DAY_USEC)
        exact = (double)DAY_USEC;
    MUST(wait != PACE_NEVER);
    MUST((double)wait <= exact + 0.001 && (double)wait > exact - 7);
}

static void check_wait(const char *value, int64_t date, const char *milliseconds)
{
    uint64_t wait = retry_after_parse(milliseconds, value, date);
    MUST(wait <= DAY_USEC || wait == PACE_NEVER);
    uint64_t first = retry_after_parse(milliseconds, NULL, 0);
    uint64_t second = retry_after_parse(NULL, value, date);
    MUST(wait == (first != PACE_NEVER ? first : second));
    if (milliseconds)
        check_decimal(milliseconds, 1e3, first);
    if (value)
        check_decimal(value, 1e6, second);
    int64_t until;
    if (value && date > 0 && date_parse_http(value, &until) == 0) {
        int64_t seconds = until > date ? until - date : 0;
        MUST(second == (seconds > 86400 ? DAY_USEC : (uint64_t)seconds * 1000000));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    char *rest = text, shown[DATE_SIZE];
    const char *value = take_line(&rest), *date = take_line(&rest);
    const char *milliseconds = take_line(&rest);
    check_wait(value, read_date(date), milliseconds);
    read_date(value);
    int64_t any = 0;
    if (size >= sizeof any)
        memcpy(&any, data, sizeof any);
    MUST(strlen(date_format_utc(any, shown)) < DATE_SIZE - 1);
    return 0;
}

/*
 * Fails a chosen allocation of our own code. Linked with --wrap in front of the allocating
 * functions of libc, so that calls from the libraries go where they always went.
 *
 * INVITERD_FAIL_ALLOCATION=N fails the N-th, N+ each from the N-th on. To INVITERD_ALLOCATIONS, a
 * file, go the way to the first that failed, and at the end how many were asked for.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAMES 24

static unsigned long count, first;
static bool all_from_there;
static int report_fd = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *which = getenv("INVITERD_FAIL_ALLOCATION"), *path = getenv("INVITERD_ALLOCATIONS");
    char *end = NULL;
    first = which ? strtoul(which, &end, 10) : 0;
    all_from_there = end && *end == '+';
    if (path)
        report_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void end(void)
{
    if (report_fd >= 0)
        dprintf(report_fd, "asked for %lu\n", count);
}

static void tell_where(void)
{
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES);
    if (report_fd >= 0)
        backtrace_symbols_fd(frames, n, report_fd);
}

static bool fails(void)
{
    count++;
    if (count == first)
        tell_where();
    if (first == 0 || (all_from_there ? count < first : count != first))
        return false;
    errno = ENOMEM;
    return true;
}

/* The linker gives these names. NOLINTBEGIN */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __real_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
FILE *__real_open_memstream(char **ret, size_t *ret_length);
FILE *__wrap_open_memstream(char **ret, size_t *ret_length);
typedef int filter(const struct dirent *entry);
typedef int compare(const struct dirent **a, const struct dirent **b);
int __real_scandir64(const char *path, struct dirent ***ret, filter *wanted, compare *by);
int __wrap_scandir64(const char *path, struct dirent ***ret, filter *wanted, compare *by);

CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback allocate,
                                     curl_free_callback release, curl_realloc_callback resize,
                                     curl_strdup_callback copy, curl_calloc_callback clear);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
    return fails() ? -1 : __real_vasprintf(ret, format, arguments);
}

FILE *__wrap_open_memstream(char **ret, size_t *ret_length)
{
    return fails() ? NULL : __real_open_memstream(ret, ret_length);
}

int __wrap_scandir64(const char *path, struct dirent ***ret, filter *wanted, compare *by)
{
    return fails() ? -1 : __real_scandir64(path, ret, wanted, by);
}

/* The allocations of libcurl, which the product hands it, are libcurl's all the same. */
CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback allocate,
                                     curl_free_callback release, curl_realloc_callback resize,
                                     curl_strdup_callback copy, curl_calloc_callback clear)
{
    (void)allocate;
    (void)release;
    (void)resize;
    (void)copy;
    (void)clear;
    return curl_global_init(flags);
}
/* NOLINTEND */

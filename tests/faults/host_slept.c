/*
 * Preloaded: once the file $HOST_SLEPT is there, the host has slept for ten minutes, as far as its
 * clocks tell: CLOCK_BOOTTIME has gone on meanwhile, and CLOCK_MONOTONIC has not.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(clock, ret);
    if (r == 0 && clock == CLOCK_BOOTTIME && access(getenv("HOST_SLEPT"), F_OK) == 0)
        ret->tv_sec += 600;
    return r;
}

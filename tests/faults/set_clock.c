/*
 * Preloaded: whoever asks to be told when the wall clock is set is told so once, two seconds later,
 * in the way in which the kernel does it. It is not set in truth, which takes a host of one's own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int watched = -1;

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

__attribute__((visibility("default"))) int timerfd_settime(int fd, int flags,
                                                           const struct itimerspec *value,
                                                           struct itimerspec *ret_old)
{
    static int (*settime)(int, int, const struct itimerspec *, struct itimerspec *);
    static const struct itimerspec soon = {.it_value.tv_sec = 2};
    if (!settime)
        *(void **)&settime = real("timerfd_settime");
    if (!(flags & TFD_TIMER_CANCEL_ON_SET) || watched >= 0)
        return settime(fd, flags, value, ret_old);
    watched = fd;
    return settime(fd, 0, &soon, ret_old);
}

__attribute__((visibility("default"))) ssize_t read(int fd, void *buffer, size_t size)
{
    static ssize_t (*read_really)(int, void *, size_t);
    if (!read_really)
        *(void **)&read_really = real("read");
    ssize_t length = read_really(fd, buffer, size);
    if (fd != watched || length < 0)
        return length;
    errno = ECANCELED;
    return -1;
}

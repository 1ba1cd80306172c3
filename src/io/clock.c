/* Clocks by clock_gettime(2), the boot's id by sd-id128, a clock that is set by timerfd. */
#include "clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <systemd/sd-id128.h>
#include <time.h>
#include <unistd.h>

#include "io/file.h"

static uint64_t usec_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct instant clock_now(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct instant){.boot = usec_of(CLOCK_BOOTTIME), .wall = wall.tv_sec};
}

uint64_t clock_slept(void)
{
    uint64_t awake = usec_of(CLOCK_MONOTONIC);
    return usec_of(CLOCK_BOOTTIME) - awake;
}

int clock_boot_id(char **ret)
{
    sd_id128_t id;
    int r = sd_id128_get_boot(&id);
    if (r < 0)
        return r;
    char *text = malloc(SD_ID128_STRING_MAX);
    if (!text)
        return -ENOMEM;
    *ret = sd_id128_to_string(id, text);
    return 0;
}

struct clock_watch {
    int fd;
    sd_event_source *source;
    void (*on_set)(void *userdata);
    void *userdata;
};

/* A timer that never expires, and is cancelled when the clock is set: timerfd_create(2). */
static int arm(const struct clock_watch *watch)
{
    const struct itimerspec never = {.it_value.tv_sec = INT64_C(1) << 40};
    return timerfd_settime(watch->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0
               ? -errno
               : 0;
}

static int on_cancelled(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)events;
    const struct clock_watch *watch = userdata;
    uint64_t expirations;
    if (read(fd, &expirations, sizeof expirations) < 0 && errno == ECANCELED) {
        (void)arm(watch);
        watch->on_set(watch->userdata);
    }
    return 0;
}

int clock_watch(sd_event *event, void (*on_set)(void *userdata), void *userdata,
                struct clock_watch **ret)
{
    _cleanup_(clock_watch_free_pointer) struct clock_watch *watch = malloc(sizeof *watch);
    if (!watch)
        return -ENOMEM;
    *watch = (struct clock_watch){.on_set = on_set, .userdata = userdata};
    watch->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    int r = watch->fd < 0 ? -errno : arm(watch);
    if (r >= 0)
        r = sd_event_add_io(event, &watch->source, watch->fd, EPOLLIN, on_cancelled, watch);
    if (r < 0)
        return r;
    *ret = TAKE(watch);
    return 0;
}

void clock_watch_free(struct clock_watch *watch)
{
    sd_event_source_disable_unref(watch->source);
    file_close_pointer(&watch->fd);
    free(watch);
}

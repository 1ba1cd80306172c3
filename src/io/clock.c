/* Clocks by clock_gettime(2), the boot's id by sd-id128. */
#include "clock.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-id128.h>
#include <time.h>

struct instant clock_now(void)
{
    struct timespec boot, wall;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct instant){
        .boot = (uint64_t)boot.tv_sec * 1000000 + (uint64_t)boot.tv_nsec / 1000,
        .wall = wall.tv_sec,
    };
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

/* Clocks by clock_gettime(2), the boot's id by sd-id128. */
#include "clock.h"

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

char *clock_boot_id(void)
{
    sd_id128_t id;
    if (sd_id128_get_boot(&id) < 0)
        return NULL;
    char *text = malloc(SD_ID128_STRING_MAX);
    return text ? sd_id128_to_string(id, text) : NULL;
}

/* The shared state: its life, its clock and its waits. */
#include "sandbox.h"

#include "base.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

const char *const dead_cursor_words[DEAD_COUNT + 1] = {"404", "400", "empty", "top", NULL};

bool dead_cursor_parse(const char *word, enum dead_cursor *ret)
{
    for (int i = 0; i < DEAD_COUNT; i++)
        if (strcmp(word, dead_cursor_words[i]) == 0) {
            *ret = (enum dead_cursor)i;
            return true;
        }
    return false;
}

void sandbox_init(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){.keys = must(json_array()),
                                .readonly_keys = must(json_array()),
                                .keys_without_users = must(json_array())};
    pthread_mutex_init(&sandbox->lock, NULL);
    sandbox->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (sandbox->stop_fd < 0)
        abort();
    org_init(&sandbox->org);
    log_init(&sandbox->log);
}

void sandbox_clear(struct sandbox *sandbox)
{
    log_clear(&sandbox->log);
    faults_clear(&sandbox->faults);
    org_clear(&sandbox->org);
    json_decref(sandbox->keys);
    json_decref(sandbox->readonly_keys);
    json_decref(sandbox->keys_without_users);
    close(sandbox->stop_fd);
    pthread_mutex_destroy(&sandbox->lock);
}

static int64_t read_clock(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t sandbox_now_ms(const struct sandbox *sandbox)
{
    return read_clock(CLOCK_REALTIME) + sandbox->advanced_ms;
}

int64_t monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

bool sandbox_wait(const struct sandbox *sandbox, long long ms, int client_fd)
{
    struct pollfd fds[] = {{.fd = sandbox->stop_fd, .events = POLLIN},
                           {.fd = client_fd, .events = POLLRDHUP}};
    int64_t end = monotonic_ms() + ms;
    for (;;) {
        int64_t left = ms < 0 ? -1 : end - monotonic_ms();
        if (ms >= 0 && left <= 0)
            return true;
        if (poll(fds, 2, left > 1000000 ? 1000000 : (int)left) > 0)
            return false;
    }
}

/* lock and ledger.json. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/ledgertext.h"
#include "io/clock.h"
#include "io/file.h"

#define LEDGER     "ledger.json"
#define LEDGER_MAX ((size_t)64 << 20)

struct state {
    int dir_fd;
    int lock_fd; /* -1: not locked */
};

int state_peek(const char *path, struct state **ret)
{
    _cleanup_close_ int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -errno;
    struct state *state = malloc(sizeof *state);
    if (!state)
        return -ENOMEM;
    *state = (struct state){.dir_fd = dir_fd, .lock_fd = -1};
    dir_fd = -1;
    *ret = state;
    return 0;
}

int state_open(const char *path, struct state **ret)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    return state_peek(path, ret);
}

void state_free(struct state *state)
{
    state_unlock(state);
    close(state->dir_fd);
    free(state);
}

int state_try_lock(struct state *state)
{
    _cleanup_close_ int fd =
        openat(state->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    int r = file_give_to_owner(state->dir_fd, fd);
    if (r < 0)
        return r;
    state->lock_fd = fd;
    fd = -1;
    return 0;
}

void state_unlock(struct state *state)
{
    file_close_pointer(&state->lock_fd);
    state->lock_fd = -1;
}

static int read_ledger(struct state *state, struct ledger **ret, char **ret_damage)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    int r = file_read(state->dir_fd, LEDGER, LEDGER_MAX, &text, &length);
    if (r == -ENOENT)
        return (*ret = ledger_new()) ? 0 : -ENOMEM;
    if (r < 0)
        return r;
    r = ledgertext_read(text, length, ret, ret_damage);
    if (r != -EBADMSG)
        return r;
    if (!*ret_damage || !(*ret = ledger_new()))
        return -ENOMEM;
    (*ret)->suspect = true;
    (*ret)->suspect_at = clock_now().boot;
    return 0;
}

int state_load(struct state *state, struct ledger **ret, char **ret_damage)
{
    _cleanup_(ledger_free_pointer) struct ledger *ledger = NULL;
    _cleanup_free_ char *boot = NULL, *damage = NULL;
    int r = clock_boot_id(&boot);
    if (r >= 0)
        r = read_ledger(state, &ledger, &damage);
    if (r < 0)
        return r;
    r = ledger_adopt(ledger, boot, clock_now().boot);
    if (r < 0)
        return r;
    *ret = TAKE(ledger);
    *ret_damage = TAKE(damage);
    return 0;
}

int state_set_aside(struct state *state, const struct ledger *suspect, char **ret_name)
{
    _cleanup_free_ char *name =
        memory_format("%s.damaged-%lld", LEDGER, (long long)clock_now().wall);
    if (!name)
        return -ENOMEM;
    /* A second name, not another one: never may it look as if there had been no ledger. */
    if (linkat(state->dir_fd, LEDGER, state->dir_fd, name, 0) < 0 && errno != EEXIST)
        return -errno;
    *ret_name = TAKE(name);
    return state_save(state, suspect);
}

int state_save(struct state *state, const struct ledger *ledger)
{
    _cleanup_free_ char *text = ledgertext_write(ledger);
    if (!text)
        return -ENOMEM;
    return file_replace(state->dir_fd, LEDGER, text, strlen(text));
}

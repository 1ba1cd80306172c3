/* running, status.json and approval. */
#include "runtime.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/file.h"

#define RUNNING "running"
/* An approval that was taken out of sight, so that one handed in meanwhile is not lost. */
#define TAKEN "approval.taken"
/* Who asks whether a daemon runs holds the lock for a moment: try again for so long. */
#define LOCK_TRIES     20
#define LOCK_PAUSE     ((long)10 * 1000000) /* nanoseconds */
#define STATUS_MAX     ((size_t)16 << 20)
#define DIRECTORY_MODE 0755

struct runtime {
    int dir_fd;
    int lock_fd; /* -1: not ours */
};

int runtime_peek(const char *path, struct runtime **ret)
{
    _cleanup_close_ int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -errno;
    struct runtime *runtime = malloc(sizeof *runtime);
    if (!runtime)
        return -ENOMEM;
    *runtime = (struct runtime){.dir_fd = dir_fd, .lock_fd = -1};
    dir_fd = -1;
    *ret = runtime;
    return 0;
}

static int lock(struct runtime *runtime)
{
    _cleanup_close_ int fd =
        openat(runtime->dir_fd, RUNNING, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return -errno;
    /* Not for everybody: whoever may open it may keep a daemon from starting. */
    if (fchmod(fd, 0640) < 0)
        return -errno;
    for (unsigned tries = 1; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
            return -errno;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE}, NULL);
    }
    runtime->lock_fd = fd;
    fd = -1;
    return 0;
}

int runtime_open(const char *path, struct runtime **ret)
{
    _cleanup_(runtime_free_pointer) struct runtime *runtime = NULL;
    bool made = mkdir(path, DIRECTORY_MODE) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    int r = runtime_peek(path, &runtime);
    if (r < 0)
        return r;
    assert(runtime);
    if (made && fchmod(runtime->dir_fd, DIRECTORY_MODE) < 0)
        return -errno;
    r = lock(runtime);
    if (r < 0)
        return r;
    *ret = TAKE(runtime);
    return 0;
}

void runtime_free(struct runtime *runtime)
{
    file_close_pointer(&runtime->lock_fd);
    close(runtime->dir_fd);
    free(runtime);
}

int runtime_is_held(struct runtime *runtime)
{
    if (runtime->lock_fd >= 0)
        return 1;
    _cleanup_close_ int fd =
        openat(runtime->dir_fd, RUNNING, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? 1 : -errno;
}

int runtime_put_status(struct runtime *runtime, const char *text)
{
    return file_publish(runtime->dir_fd, RUNTIME_STATUS, text, strlen(text), 0640);
}

int runtime_get_status(struct runtime *runtime, char **ret)
{
    size_t length;
    _cleanup_free_ char *text = NULL;
    int r = file_read(runtime->dir_fd, RUNTIME_STATUS, STATUS_MAX, &text, &length);
    if (r < 0)
        return r;
    /* What has a NUL in it is no text. */
    if (strlen(text) != length)
        return -EBADMSG;
    *ret = TAKE(text);
    return 0;
}

int runtime_put_approval(struct runtime *runtime, const char *id)
{
    size_t length = strlen(id);
    if (length > RUNTIME_APPROVAL_MAX)
        return -EINVAL;
    /* The daemon is another user than root. */
    return file_publish(runtime->dir_fd, RUNTIME_APPROVAL, id, length, 0644);
}

static int check_writer(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) ? 0 : -EPERM;
}

/* The id in it, without the line end that a hand may have written. */
static int read_approval(int fd, char **ret)
{
    char text[RUNTIME_APPROVAL_MAX + 2];
    int r = check_writer(fd);
    if (r < 0)
        return r;
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    size_t length = strcspn(text, "\n");
    if (length == 0 || length > RUNTIME_APPROVAL_MAX ||
        strspn(text, "0123456789abcdef") != length || text[length + (text[length] != '\0')] != '\0')
        return -EBADMSG;
    text[length] = '\0';
    return (*ret = strdup(text)) ? 0 : -ENOMEM;
}

int runtime_take_approval(struct runtime *runtime, char **ret)
{
    if (renameat(runtime->dir_fd, RUNTIME_APPROVAL, runtime->dir_fd, TAKEN) < 0) {
        if (errno != ENOENT)
            return -errno;
        *ret = NULL;
        return 0;
    }
    _cleanup_close_ int fd =
        openat(runtime->dir_fd, TAKEN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int r = fd < 0 ? -errno : read_approval(fd, ret);
    if (unlinkat(runtime->dir_fd, TAKEN, 0) < 0)
        (void)unlinkat(runtime->dir_fd, TAKEN, AT_REMOVEDIR);
    /* A symbolic link is not the file that somebody may have written. */
    return r == -ELOOP ? -EPERM : r;
}

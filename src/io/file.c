/* Reading and atomic replacement of files. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_close_pointer(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int check_regular(int fd, size_t cap)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return st.st_size < 0 || (size_t)st.st_size > cap ? -EFBIG : 0;
}

static int read_all(int fd, size_t cap, char *text, size_t *ret_length)
{
    size_t length = 0;
    for (;;) {
        ssize_t n = read(fd, text + length, cap + 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        length += (size_t)n;
        if (length > cap)
            return -EFBIG;
    }
    text[length] = '\0';
    *ret_length = length;
    return 0;
}

int file_read(int dir_fd, const char *path, size_t cap, char **ret_text, size_t *ret_length)
{
    /* Not blocking: a FIFO put in the place of a file must not hang us. */
    _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int r = check_regular(fd, cap);
    if (r < 0)
        return r;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    /* The file may grow while it is read: room for one byte more shows that it did. */
    size_t room = (size_t)st.st_size + 4096 < cap ? (size_t)st.st_size + 4096 : cap;
    _cleanup_free_ char *text = malloc(room + 2);
    if (!text)
        return -ENOMEM;
    r = read_all(fd, room, text, ret_length);
    if (r < 0) {
        explicit_bzero(text, room + 2);
        return r;
    }
    *ret_text = TAKE(text);
    return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text += n;
        length -= (size_t)n;
    }
    return 0;
}

int file_give_to_owner(int dir_fd, int fd)
{
    struct stat directory, file;
    if (geteuid() != 0)
        return 0;
    if (fstat(dir_fd, &directory) < 0 || fstat(fd, &file) < 0)
        return -errno;
    if (file.st_uid == directory.st_uid)
        return 0;
    /* A second name may stand for a file of root's that was linked here. */
    if (file.st_nlink > 1)
        return -EPERM;
    return fchown(fd, directory.st_uid, directory.st_gid) < 0 ? -errno : 0;
}

/* Not blocking: a FIFO put in the place of the new file must not hang us. */
static int write_new(int dir_fd, const char *name, const char *text, size_t length, mode_t mode,
                     bool durable)
{
    _cleanup_close_ int fd = openat(
        dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, text, length);
    if (r == 0 && durable)
        r = file_give_to_owner(dir_fd, fd);
    if (r == 0 && fchmod(fd, mode) < 0)
        r = -errno;
    if (r == 0 && durable && fsync(fd) < 0)
        r = -errno;
    return r;
}

static int replace(int dir_fd, const char *name, const char *text, size_t length, mode_t mode,
                   bool durable)
{
    _cleanup_free_ char *temporary = memory_format("%s.new", name);
    if (!temporary)
        return -ENOMEM;
    int r = write_new(dir_fd, temporary, text, length, mode, durable);
    if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(dir_fd, temporary, 0);
        return r;
    }
    return durable && fsync(dir_fd) < 0 ? -errno : 0;
}

int file_replace(int dir_fd, const char *name, const char *text, size_t length)
{
    return replace(dir_fd, name, text, length, 0600, true);
}

int file_publish(int dir_fd, const char *name, const char *text, size_t length, mode_t mode)
{
    return replace(dir_fd, name, text, length, mode, false);
}

int file_publish_path(const char *path, const char *text, size_t length, mode_t mode)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *directory =
        slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!directory)
        return -ENOMEM;
    _cleanup_close_ int dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -errno;
    return file_publish(dir_fd, slash ? slash + 1 : path, text, length, mode);
}

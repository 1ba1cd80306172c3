/* inotify(7) on every step of the way to a file. */
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

/* More links than this on one way are a loop: path_resolution(7). */
#define LINKS_MAX 40

/* What happens to names. IN_ONLYDIR: what is no directory any more has been replaced. */
#define NAMES                                                                           \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | \
     IN_ATTRIB | IN_ONLYDIR | IN_MASK_ADD)
/* What happens to a file by whatever name, such as one that is mounted over another. */
#define CONTENT (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MASK_ADD)

/* One thing looked at: a name in a directory, or (name NULL) a file itself. */
struct entry {
    int descriptor; /* inotify's */
    char *name;     /* NULL: the file itself; "": whatever in the directory is not hidden */
    bool being_written;
    bool wanted; /* still on the way */
};

struct watch {
    int fd;
    sd_event_source *source;
    watch_changed changed;
    void *userdata;
    struct entry *entries;
    size_t count;
};

/* ---- entries ------------------------------------------------------------------------------- */

static bool is_same_name(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int want(struct watch *watch, int descriptor, const char *name)
{
    for (size_t i = 0; i < watch->count; i++) {
        struct entry *entry = &watch->entries[i];
        if (entry->descriptor == descriptor && is_same_name(entry->name, name)) {
            entry->wanted = true;
            return 0;
        }
    }
    _cleanup_free_ char *copy = NULL;
    if (memory_set(&copy, name) < 0 || RESERVE(watch->entries, watch->count) < 0)
        return -ENOMEM;
    watch->entries[watch->count++] =
        (struct entry){.descriptor = descriptor, .name = TAKE(copy), .wanted = true};
    return 0;
}

/* Looks at what `path` names. That it leads nowhere, or may not be looked at, is no error. */
static int look_at(struct watch *watch, const char *path, uint32_t mask, const char *name)
{
    int descriptor = inotify_add_watch(watch->fd, path, mask);
    if (descriptor >= 0)
        return want(watch, descriptor, name);
    return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ? 0 : -errno;
}

static bool is_used(const struct watch *watch, int descriptor)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->entries[i].descriptor == descriptor)
            return true;
    return false;
}

/* Forgets what is no longer on the way. */
static void drop_unwanted(struct watch *watch)
{
    for (size_t i = watch->count; i-- > 0;) {
        struct entry dropped = watch->entries[i];
        if (dropped.wanted)
            continue;
        watch->entries[i] = watch->entries[--watch->count];
        if (!is_used(watch, dropped.descriptor))
            inotify_rm_watch(watch->fd, dropped.descriptor);
        free(dropped.name);
    }
}

/* ---- the way to a file --------------------------------------------------------------------- */

/* The directory of a path, "/" or ".", and where its last part begins. */
static char *directory_of(const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    *ret_name = slash ? slash + 1 : path;
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int walk(struct watch *watch, const char *path, unsigned *links);

/* A link: its target is part of the way, too. */
static int walk_link(struct watch *watch, const char *directory, const char *path, unsigned *links)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0 || ++*links > LINKS_MAX)
        return 0;
    target[length] = '\0';
    if (*target == '/')
        return walk(watch, target, links);
    _cleanup_free_ char *whole = memory_format("%s/%s", directory, target);
    return whole ? walk(watch, whole, links) : -ENOMEM;
}

/*
 * Every part of the path, as a name in its directory; links on the way lead on to their targets.
 * The kernel resolves the rest of a path for us, so that each part can be taken by itself.
 */
static int walk(struct watch *watch, const char *path, unsigned *links)
{
    const char *name;
    _cleanup_free_ char *directory = directory_of(path, &name);
    if (!directory)
        return -ENOMEM;
    int r = 0;
    if (*name) {
        r = look_at(watch, directory, NAMES, name);
        struct stat st;
        if (r >= 0 && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
            r = walk_link(watch, directory, path, links);
    }
    if (r >= 0 && strcmp(directory, "/") != 0 && strcmp(directory, ".") != 0)
        r = walk(watch, directory, links);
    return r;
}

static int walk_file(struct watch *watch, const char *path)
{
    unsigned links = 0;
    int r = walk(watch, path, &links);
    return r < 0 ? r : look_at(watch, path, CONTENT, NULL);
}

static bool is_hidden(const char *name)
{
    return name[0] == '.';
}

static int walk_directory(struct watch *watch, const char *path)
{
    int r = look_at(watch, path, NAMES, "");
    DIR *directory = opendir(path);
    if (!directory || r < 0) {
        if (directory)
            closedir(directory);
        return r;
    }
    for (const struct dirent *item; r >= 0 && (item = readdir(directory));) {
        if (is_hidden(item->d_name))
            continue;
        _cleanup_free_ char *file = memory_format("%s/%s", path, item->d_name);
        r = file ? walk_file(watch, file) : -ENOMEM;
    }
    closedir(directory);
    return r;
}

int watch_path(struct watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->count; i++)
        watch->entries[i].wanted = false;
    struct stat st;
    int r = walk_file(watch, path);
    if (r >= 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        r = walk_directory(watch, path);
    drop_unwanted(watch);
    return r;
}

/* ---- events -------------------------------------------------------------------------------- */

static bool concerns(const struct entry *entry, const struct inotify_event *event)
{
    if (entry->descriptor != event->wd)
        return false;
    if (!entry->name)
        return event->len == 0;
    if (event->len == 0)
        return true; /* the directory itself, such as its mode */
    return *entry->name ? strcmp(entry->name, event->name) == 0 : !is_hidden(event->name);
}

/* Whether the event was news for somebody. */
static bool take_event(struct watch *watch, const struct inotify_event *event)
{
    bool news = (event->mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) != 0;
    for (size_t i = 0; i < watch->count; i++) {
        struct entry *entry = &watch->entries[i];
        if (!concerns(entry, event) || (event->mask & IN_IGNORED))
            continue;
        news = true;
        if (event->mask & IN_MODIFY)
            entry->being_written = true;
        else if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE))
            entry->being_written = false;
    }
    return news;
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)events;
    struct watch *watch = userdata;
    _Alignas(struct inotify_event) char buffer[4096];
    bool news = false;
    /* What does not fit, or comes meanwhile, wakes the loop again: it must not be held here. */
    ssize_t length = read(fd, buffer, sizeof buffer);
    for (const char *at = buffer; length > 0 && at < buffer + length;) {
        const struct inotify_event *event = (const struct inotify_event *)at;
        news |= take_event(watch, event);
        at += sizeof *event + event->len;
    }
    if (news)
        watch->changed(watch->userdata);
    return 0;
}

bool watch_is_being_written(const struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->entries[i].being_written)
            return true;
    return false;
}

/* ---- birth and death ----------------------------------------------------------------------- */

int watch_new(sd_event *event, watch_changed changed, void *userdata, struct watch **ret)
{
    _cleanup_(watch_free_pointer) struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return -ENOMEM;
    watch->changed = changed;
    watch->userdata = userdata;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0)
        return -errno;
    int r = sd_event_add_io(event, &watch->source, watch->fd, EPOLLIN, on_event, watch);
    if (r < 0)
        return r;
    *ret = TAKE(watch);
    return 0;
}

void watch_free(struct watch *watch)
{
    sd_event_source_disable_unref(watch->source);
    file_close_pointer(&watch->fd);
    for (size_t i = 0; i < watch->count; i++)
        free(watch->entries[i].name);
    free(watch->entries);
    free(watch);
}

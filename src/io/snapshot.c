/* Reading member files, and judging whether somebody is still writing them. */
#include "snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "io/file.h"

#define SOURCE_MAX ((size_t)16 << 20)

void snapshot_clear(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        free(snapshot->sources[i].name);
        free(snapshot->sources[i].text);
    }
    free(snapshot->sources);
    *snapshot = (struct snapshot){0};
}

static int64_t usec_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

/* FNV-1a over the few figures that tell one state of a file from another. */
static void fold_in(struct snapshot *snapshot, uint64_t figure)
{
    snapshot->state = (snapshot->state ^ figure) * UINT64_C(0x100000001b3);
}

/* Takes note of when the file or directory was last changed. */
static void note_time(struct snapshot *snapshot, const struct stat *st)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = usec_of(&now) - usec_of(&st->st_mtim);
    fold_in(snapshot, (uint64_t)usec_of(&st->st_mtim));
    fold_in(snapshot, (uint64_t)st->st_ino);
    fold_in(snapshot, (uint64_t)st->st_size);
    if (age >= (int64_t)SNAPSHOT_QUIET_USEC)
        return;
    uint64_t wait = age < 0 ? SNAPSHOT_QUIET_USEC : SNAPSHOT_QUIET_USEC - (uint64_t)age;
    if (wait > snapshot->wait_usec)
        snapshot->wait_usec = wait;
}

static void report(struct problems *problems, const char *path, int error)
{
    if (error == ENOENT)
        problems_add(problems, path, "does not exist: create it, or correct the path");
    else if (error == EFBIG)
        problems_add(problems, path, "is larger than 16 MiB: split it into a directory of files");
    else
        problems_add(problems, path, "cannot be read (%s): correct the path or its permissions",
                     strerror(error));
}

static int add_source(struct snapshot *snapshot, const char *path, struct problems *problems)
{
    struct source source = {.name = strdup(path)};
    struct stat st;
    if (!source.name || RESERVE(snapshot->sources, snapshot->count) < 0) {
        free(source.name);
        return -ENOMEM;
    }
    int r = file_read(AT_FDCWD, path, SOURCE_MAX, &source.text, &source.length);
    /* Looked at after reading: a change while we read makes the file young. */
    if (r >= 0 && stat(path, &st) < 0)
        r = -errno;
    if (r >= 0) {
        note_time(snapshot, &st);
        snapshot->sources[snapshot->count++] = source;
        return 0;
    }
    free(source.name);
    free(source.text);
    if (r == -ENOMEM)
        return r;
    report(problems, path, -r);
    return 0;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length > tail && strcmp(name + length - tail, suffix) == 0;
}

static bool is_member_file(const char *name)
{
    return ends_with(name, ".conf") || ends_with(name, ".json");
}

/* Hidden names are passed over, and so is what is surely a file of another kind. */
static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && (is_member_file(entry->d_name) || entry->d_type != DT_REG);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_entry(struct snapshot *snapshot, const char *path, struct problems *problems)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        problems_add(problems, path,
                     "is a directory: member files are not searched for in subdirectories; move "
                     "its files up");
        return 0;
    }
    return is_member_file(path) ? add_source(snapshot, path, problems) : 0;
}

static int read_entries(struct snapshot *snapshot, const char *path, struct dirent **entries,
                        int count, struct problems *problems)
{
    for (int i = 0; i < count; i++) {
        _cleanup_free_ char *file = memory_format("%s/%s", path, entries[i]->d_name);
        int r = file ? read_entry(snapshot, file, problems) : -ENOMEM;
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_directory(struct snapshot *snapshot, const char *path, struct problems *problems)
{
    struct dirent **entries;
    size_t errors = problems->errors;
    int count = scandir(path, &entries, is_wanted, by_name);
    if (count < 0) {
        report(problems, path, errno);
        return 0;
    }
    int r = read_entries(snapshot, path, entries, count, problems);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (r == 0 && snapshot->count == 0 && problems->errors == errors)
        problems_add(problems, path,
                     "holds no *.conf and no *.json file: put the member file "
                     "there, or correct the path");
    return r;
}

static int read_path(struct snapshot *snapshot, const char *path, struct problems *problems)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        report(problems, path, errno);
        return 0;
    }
    if (!S_ISDIR(st.st_mode))
        return add_source(snapshot, path, problems);
    /* A file that is just being replaced shows in the directory's own time. */
    note_time(snapshot, &st);
    return read_directory(snapshot, path, problems);
}

int snapshot_take(const char *path, uint64_t previous, struct snapshot *ret,
                  struct problems *problems)
{
    struct snapshot snapshot = {.state = UINT64_C(0xcbf29ce484222325)};
    size_t errors = problems->errors;
    int r = read_path(&snapshot, path, problems);
    if (r == 0 && problems->errors > errors)
        r = -EBADMSG;
    if (r < 0) {
        snapshot_clear(&snapshot);
        return r;
    }
    if (previous == snapshot.state)
        snapshot.wait_usec = 0;
    *ret = snapshot;
    return 0;
}

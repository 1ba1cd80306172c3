/* The runtime directory: who holds it, and what is handed over in it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"
#include "io/runtime.h"

#define ID "3f9c2a71d0b4"

static char base[] = "/tmp/inviterd-runtime-XXXXXX", directory[sizeof base + 16];

static int set_up(void **state)
{
    (void)state;
    strcpy(base + strlen(base) - 6, "XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(directory, sizeof directory, "%s/run", base);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"running", "status.json", "approval", "approval.taken",
                                        "elsewhere"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        _cleanup_free_ char *path = memory_format("%s/%s", directory, names[i]);
        (void)unlink(path);
        (void)rmdir(path);
    }
    (void)rmdir(directory);
    return rmdir(base);
}

static struct runtime *open_it(void)
{
    struct runtime *runtime = NULL;
    assert_int_equal(runtime_open(directory, &runtime), 0);
    return runtime;
}

static struct runtime *peek(void)
{
    struct runtime *runtime = NULL;
    assert_int_equal(runtime_peek(directory, &runtime), 0);
    return runtime;
}

static struct stat stat_of(const char *name)
{
    struct stat st;
    _cleanup_free_ char *path = memory_format("%s/%s", directory, name);
    assert_int_equal(lstat(path, &st), 0);
    return st;
}

static bool is_there(const char *name)
{
    _cleanup_free_ char *path = memory_format("%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

/* As somebody's hand, or another program, would. */
static void put(const char *name, const char *text, mode_t mode)
{
    _cleanup_free_ char *path = memory_format("%s/%s", directory, name);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* ---- holding ------------------------------------------------------------------------------- */

static void is_made_and_held(void **state)
{
    (void)state;
    mode_t mask = umask(0077);
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    umask(mask);
    assert_int_equal(runtime_is_held(runtime), 1);
    assert_int_equal(stat_of("").st_mode & 07777, 0755);
    /* Who may open it may hold it. */
    assert_int_equal(stat_of("running").st_mode & 07777, 0640);
    _cleanup_(runtime_free_pointer) struct runtime *asking = peek();
    assert_int_equal(runtime_is_held(asking), 1);
    struct runtime *second = NULL;
    assert_int_equal(runtime_open(directory, &second), -EWOULDBLOCK);
    assert_null(second);
}

static void is_free_after_its_daemon(void **state)
{
    (void)state;
    runtime_free(open_it());
    _cleanup_(runtime_free_pointer) struct runtime *asking = peek();
    assert_int_equal(runtime_is_held(asking), 0);
    runtime_free(open_it());
}

static void is_not_made_by_who_asks(void **state)
{
    (void)state;
    struct runtime *runtime = NULL;
    assert_int_equal(runtime_peek(directory, &runtime), -ENOENT);
    assert_int_equal(mkdir(directory, 0700), 0);
    runtime = peek();
    assert_int_equal(runtime_is_held(runtime), 0);
    assert_false(is_there("running"));
    runtime_free(runtime);
}

static void a_directory_that_was_there_keeps_its_mode(void **state)
{
    (void)state;
    assert_int_equal(mkdir(directory, 0750), 0);
    runtime_free(open_it());
    assert_int_equal(stat_of("").st_mode & 07777, 0750);
}

/* Many who ask at once must not keep a daemon from starting. */
static void who_asks_keeps_no_daemon_from_starting(void **state)
{
    (void)state;
    runtime_free(open_it());
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct runtime *asking = NULL;
        if (runtime_peek(directory, &asking) < 0)
            _exit(1);
        for (;;)
            (void)runtime_is_held(asking);
    }
    int worst = 0;
    for (int i = 0; i < 200 && worst == 0; i++) {
        struct runtime *runtime = NULL;
        worst = runtime_open(directory, &runtime);
        if (runtime)
            runtime_free(runtime);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(worst, 0);
}

static void a_link_in_place_of_the_lock_is_refused(void **state)
{
    (void)state;
    struct runtime *runtime = NULL;
    _cleanup_free_ char *path = memory_format("%s/running", directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(runtime_open(directory, &runtime), -ELOOP);
    assert_false(is_there("elsewhere"));
    runtime = peek();
    assert_int_equal(runtime_is_held(runtime), -ELOOP);
    runtime_free(runtime);
}

/* ---- status -------------------------------------------------------------------------------- */

static void status_comes_back(void **state)
{
    (void)state;
    mode_t mask = umask(0022);
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    _cleanup_(runtime_free_pointer) struct runtime *asking = peek();
    _cleanup_free_ char *text = NULL;
    assert_int_equal(runtime_get_status(asking, &text), -ENOENT);
    assert_int_equal(runtime_put_status(runtime, "{\"a\":1}"), 0);
    assert_int_equal(runtime_put_status(runtime, "{}"), 0);
    umask(mask);
    assert_int_equal(stat_of("status.json").st_mode & 07777, 0640);
    assert_int_equal(runtime_get_status(asking, &text), 0);
    assert_string_equal(text, "{}");
    assert_false(is_there("status.json.new"));
}

static void status_with_a_nul_is_no_text(void **state)
{
    (void)state;
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    _cleanup_free_ char *path = memory_format("%s/status.json", directory), *text = NULL;
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "{}\0{}", 5), 5);
    assert_int_equal(runtime_get_status(runtime, &text), -EBADMSG);
    assert_null(text);
}

/* ---- approvals ----------------------------------------------------------------------------- */

static void an_approval_is_taken_once(void **state)
{
    (void)state;
    mode_t mask = umask(0077);
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    _cleanup_(runtime_free_pointer) struct runtime *asking = peek();
    _cleanup_free_ char *id = NULL;
    assert_int_equal(runtime_put_approval(asking, "000000000000"), 0);
    assert_int_equal(runtime_put_approval(asking, ID), 0);
    umask(mask);
    /* The daemon is another user. */
    assert_int_equal(stat_of("approval").st_mode & 07777, 0644);
    assert_int_equal(runtime_take_approval(runtime, &id), 0);
    assert_string_equal(id, ID);
    assert_false(is_there("approval") || is_there("approval.taken"));
    free(TAKE(id));
    assert_int_equal(runtime_take_approval(runtime, &id), 0);
    assert_null(id);
}

static void an_approval_may_end_with_its_line(void **state)
{
    (void)state;
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    _cleanup_free_ char *id = NULL;
    put("approval", ID "\n", 0600);
    assert_int_equal(runtime_take_approval(runtime, &id), 0);
    assert_string_equal(id, ID);
}

static void what_is_no_approval_is_removed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "\n",
        ID " ",      ID "\n\n",
        ID "\n" ID,  "3F9C2A71D0B4",
        "../../etc", "00000000000000000000000000000000000000000000000000000000000000000"};
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *id = NULL;
        put("approval", texts[i], 0600);
        assert_int_equal(runtime_take_approval(runtime, &id), -EBADMSG);
        assert_null(id);
        assert_false(is_there("approval") || is_there("approval.taken"));
    }
}

static void too_long_an_approval_is_not_handed_in(void **state)
{
    (void)state;
    char text[RUNTIME_APPROVAL_MAX + 2];
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(runtime_put_approval(runtime, text), -EINVAL);
    assert_false(is_there("approval"));
}

/* Whoever may write there, only root and the daemon's own user are believed. */
static void an_approval_of_another_user_is_not_believed(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    _cleanup_free_ char *path = memory_format("%s/approval", directory), *id = NULL;
    put("approval", ID, 0644);
    assert_int_equal(chown(path, 12345, 12345), 0);
    assert_int_equal(runtime_take_approval(runtime, &id), -EPERM);
    assert_null(id);
    assert_false(is_there("approval") || is_there("approval.taken"));
}

static void what_is_no_file_is_not_believed(void **state)
{
    (void)state;
    _cleanup_(runtime_free_pointer) struct runtime *runtime = open_it();
    _cleanup_free_ char *path = memory_format("%s/approval", directory), *id = NULL;
    put("elsewhere", ID, 0600);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(runtime_take_approval(runtime, &id), -EPERM);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(runtime_take_approval(runtime, &id), -EPERM);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(runtime_take_approval(runtime, &id), -EPERM);
    assert_null(id);
    assert_false(is_there("approval") || is_there("approval.taken"));
    assert_true(is_there("elsewhere"));
}

/* ---- files for others ---------------------------------------------------------------------- */

static void a_file_is_published_with_its_mode(void **state)
{
    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    _cleanup_free_ char *path = memory_format("%s/elsewhere", directory), *text = NULL;
    size_t length;
    mode_t mask = umask(0077);
    assert_int_equal(file_publish_path(path, "old", 3, 0600), 0);
    assert_int_equal(file_publish_path(path, "new", 3, 0644), 0);
    umask(mask);
    assert_int_equal(stat_of("elsewhere").st_mode & 07777, 0644);
    assert_int_equal(file_read(AT_FDCWD, path, 100, &text, &length), 0);
    assert_string_equal(text, "new");
    assert_false(is_there("elsewhere.new"));
}

/* A link is replaced, not followed; and what cannot be replaced leaves nothing behind. */
static void a_file_is_published_or_not(void **state)
{
    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    _cleanup_free_ char *path = memory_format("%s/approval", directory), *text = NULL;
    _cleanup_free_ char *missing = memory_format("%s/missing/x", directory);
    size_t length;
    put("elsewhere", "mine", 0600);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(file_publish_path(path, "new", 3, 0644), 0);
    assert_true(S_ISREG(stat_of("approval").st_mode));
    _cleanup_free_ char *other = memory_format("%s/elsewhere", directory);
    assert_int_equal(file_read(AT_FDCWD, other, 100, &text, &length), 0);
    assert_string_equal(text, "mine");
    assert_int_equal(file_publish_path(missing, "new", 3, 0644), -ENOENT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_publish_path(path, "new", 3, 0644), -EISDIR);
    assert_false(is_there("approval.new"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_made_and_held),
        TEST(is_free_after_its_daemon),
        TEST(is_not_made_by_who_asks),
        TEST(a_directory_that_was_there_keeps_its_mode),
        TEST(who_asks_keeps_no_daemon_from_starting),
        TEST(a_link_in_place_of_the_lock_is_refused),
        TEST(status_comes_back),
        TEST(status_with_a_nul_is_no_text),
        TEST(an_approval_is_taken_once),
        TEST(an_approval_may_end_with_its_line),
        TEST(what_is_no_approval_is_removed),
        TEST(too_long_an_approval_is_not_handed_in),
        TEST(an_approval_of_another_user_is_not_believed),
        TEST(what_is_no_file_is_not_believed),
        TEST(a_file_is_published_with_its_mode),
        TEST(a_file_is_published_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

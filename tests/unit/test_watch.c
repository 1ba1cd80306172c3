/* The watch sees every way in which a member file can change, and only those. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/watch.h"

struct scene {
    char directory[64];
    sd_event *event;
    struct watch *watch;
    unsigned changes;
};

static void on_changed(void *userdata)
{
    struct scene *scene = userdata;
    scene->changes++;
}

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *command = memory_format_list(format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test of ours */
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    strcpy(scene->directory, "/tmp/inviterd-watch-XXXXXX");
    assert_non_null(mkdtemp(scene->directory));
    assert_int_equal(chdir(scene->directory), 0);
    assert_true(sd_event_new(&scene->event) >= 0);
    assert_int_equal(watch_new(scene->event, on_changed, scene, &scene->watch), 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    watch_free(scene->watch);
    sd_event_unref(scene->event);
    assert_int_equal(chdir("/"), 0);
    run("rm -rf %s", scene->directory);
    free(scene);
    return 0;
}

/* How often something was noticed since the last call. */
static unsigned changes(struct scene *scene)
{
    while (sd_event_run(scene->event, 0) > 0)
        ;
    unsigned count = scene->changes;
    scene->changes = 0;
    return count;
}

static void look(struct scene *scene, const char *name)
{
    _cleanup_free_ char *path = memory_format("%s/%s", scene->directory, name);
    (void)changes(scene);
    assert_int_equal(watch_path(scene->watch, path), 0);
    assert_int_equal(changes(scene), 0);
}

/* After the command the file has changed, and looking again is quiet. */
static void assert_noticed(struct scene *scene, const char *name, const char *command)
{
    look(scene, name);
    run("%s", command);
    if (changes(scene) == 0)
        fail_msg("unnoticed: %s", command);
}

static void assert_unnoticed(struct scene *scene, const char *name, const char *command)
{
    look(scene, name);
    run("%s", command);
    if (changes(scene) != 0)
        fail_msg("noticed: %s", command);
}

static void test_file(void **state)
{
    struct scene *scene = *state;
    run("mkdir etc; echo a > etc/members; echo b > etc/other");
    assert_noticed(scene, "etc/members", "echo b > etc/members");
    assert_noticed(scene, "etc/members", "echo b >> etc/members");
    assert_noticed(scene, "etc/members", "echo c > etc/new; mv etc/new etc/members");
    assert_noticed(scene, "etc/members", "echo d >> etc/members");
    assert_noticed(scene, "etc/members", "chmod 600 etc/members");
    assert_noticed(scene, "etc/members", "rm etc/members");
    assert_noticed(scene, "etc/members", "echo d > etc/members");
    assert_unnoticed(scene, "etc/members", "cat etc/members > /dev/null");
    assert_unnoticed(scene, "etc/members", "echo c > etc/other; rm etc/other; mkdir etc/more");
    assert_unnoticed(scene, "etc/members", "echo c > etc/.members.swp");
}

static void test_directories_on_the_way(void **state)
{
    struct scene *scene = *state;
    assert_noticed(scene, "a/b/members", "mkdir a");
    assert_noticed(scene, "a/b/members", "mkdir a/b");
    assert_noticed(scene, "a/b/members", "echo > a/b/members");
    assert_noticed(scene, "a/b/members", "mv a gone");
    assert_noticed(scene, "a/b/members", "mv gone a");
    assert_noticed(scene, "a/b/members", "echo 1 > a/b/members");
    assert_unnoticed(scene, "a/b/members", "mkdir c; mv c d; touch a/x");
}

static void test_directory(void **state)
{
    struct scene *scene = *state;
    run("mkdir members.d; echo > members.d/a.conf");
    assert_noticed(scene, "members.d", "echo > members.d/b.conf");
    assert_noticed(scene, "members.d", "echo 1 > members.d/b.conf");
    assert_noticed(scene, "members.d/", "mv members.d/b.conf members.d/c.conf");
    assert_noticed(scene, "members.d", "rm members.d/c.conf");
    assert_noticed(scene, "members.d", "mkdir members.d/sub");
    assert_noticed(scene, "members.d", "rmdir members.d/sub");
    assert_noticed(scene, "members.d", "mkdir new; mv members.d old; mv new members.d");
    assert_unnoticed(scene, "members.d", "echo > members.d/.a.conf.swp; rm members.d/.a.conf.swp");
}

/* A config map: the files are links through ..data, which is a link that is renamed over. */
static void test_config_map(void **state)
{
    struct scene *scene = *state;
    run("mkdir map map/..1 map/..2; echo 1 > map/..1/m.conf; echo 2 > map/..2/m.conf;"
        "ln -s ..1 map/..data; ln -s ..data/m.conf map/m.conf");
    const char *swap_to_2 = "ln -s ..2 map/..tmp; mv -T map/..tmp map/..data";
    const char *swap_to_1 = "ln -s ..1 map/..tmp; mv -T map/..tmp map/..data";
    assert_noticed(scene, "map/m.conf", swap_to_2);
    assert_noticed(scene, "map/m.conf", "echo 3 > map/..2/m.conf");
    assert_unnoticed(scene, "map/m.conf", "echo 3 > map/..1/m.conf");
    assert_noticed(scene, "map", swap_to_1);
    assert_noticed(scene, "map", "echo 4 > map/..1/m.conf");
    assert_unnoticed(scene, "map", "rm -r map/..2");
}

static void test_links(void **state)
{
    struct scene *scene = *state;
    run("mkdir v1 v2; echo > v1/m; echo > v2/m; ln -s $PWD/v1 current; ln -s current/m m");
    assert_noticed(scene, "m", "ln -sfn $PWD/v2 current");
    assert_noticed(scene, "m", "echo 1 > v2/m");
    assert_noticed(scene, "m", "rm m; ln -s v1/m m");
    assert_noticed(scene, "m", "echo 1 > v1/m");
    /* A loop is the end of the way, not of us. */
    run("ln -s y x; ln -s x y");
    assert_noticed(scene, "x", "rm y");
}

static void test_a_file_that_is_being_written(void **state)
{
    struct scene *scene = *state;
    run("echo > m; echo > n");
    look(scene, "m");
    assert_false(watch_is_being_written(scene->watch));
    int fd = open("m", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_true(changes(scene) > 0);
    assert_true(watch_is_being_written(scene->watch));
    look(scene, "m");
    assert_true(watch_is_being_written(scene->watch));
    close(fd);
    assert_true(changes(scene) > 0);
    assert_false(watch_is_being_written(scene->watch));

    /* Replaced while it is open: the writer writes a file that nobody reads any more. */
    fd = open("m", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    run("mv n m");
    assert_true(changes(scene) > 0);
    look(scene, "m");
    assert_false(watch_is_being_written(scene->watch));
    close(fd);
    (void)changes(scene);
    assert_false(watch_is_being_written(scene->watch));
}

static void test_a_new_file_that_is_being_written(void **state)
{
    struct scene *scene = *state;
    run("mkdir d");
    look(scene, "d");
    int fd = open("d/m.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_true(changes(scene) > 0);
    look(scene, "d");
    assert_true(watch_is_being_written(scene->watch));
    close(fd);
    assert_true(changes(scene) > 0);
    assert_false(watch_is_being_written(scene->watch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directories_on_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_config_map, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_being_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_new_file_that_is_being_written, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

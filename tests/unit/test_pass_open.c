/* What the pass does not do yet and should: expected to fail, until somebody mends it. */
#include "world.h"

/*
 * A replacement is refused after its delete, and the process is killed before the old invite is
 * restored. Nothing in the ledger says that it is owed, so the person stays without any invite.
 */
static void a_restoration_survives_a_kill(void **state)
{
    (void)state;
    for (unsigned at = 8; at < 14; at++) {
        _cleanup_(world_free_pointer) struct world *world = world_new();
        world_invite(world, "i1", "ada@x", "reader", "pending", NULL);
        world_declare(world, "ada@x", "owner", NULL);
        world_fault(world,
                    (struct fault){.call = CALL_CREATE, .kind = ANSWER_REFUSED, .status = 400});
        world->kill_at = at;
        world->kill_unsent = true;
        world_pass(world);
        world_restart(world);
        assert_true(world_pass(world));
        assert_int_not_equal(world->mail_count, 0);
    }
}

/*
 * A create of unknown outcome did happen, and the next listing comes when its invite has expired.
 * It is not taken for that create, so its mail is not counted.
 */
static void a_mail_that_expired_unseen_is_counted(void **state)
{
    (void)state;
    _cleanup_(world_free_pointer) struct world *world = world_new();
    world->limits.renewals = 0;
    world_declare(world, "ada@x", "reader", NULL);
    world_fault(world, (struct fault){.call = CALL_CREATE, .kind = ANSWER_LOST, .happens = true});
    world->stop_at = 7; /* with the create in flight */
    assert_true(world_pass(world));
    world_turn(world, "new-1", INVITE_EXPIRED);
    world->now.boot += 7 * 86400 * SECOND;
    world->now.wall += 7 * 86400;
    world_restart(world);
    assert_true(world_pass(world));
    assert_int_equal(world_mails(world, "ada@x"), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restoration_survives_a_kill),
        cmocka_unit_test(a_mail_that_expired_unseen_is_counted),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/usr/bin/env python3
"""Listings of several pages: what they cost, and that a doubtful one lets nothing be written."""

import harness
from harness import EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, TestCase, World, wait_for

COUNT = 250
EVERYBODY = [f"user{i:03}@example.com" for i in range(1, COUNT + 1)]
ORG = {"generate": {"count": COUNT, "first": 1, "email": "user%03d@example.com"}}


class ListingCase(TestCase):
    def world(self, *options, **settings):
        """With two to invite and two to revoke."""
        world = World(self, *options, org=ORG, **settings)
        world.declare(*EVERYBODY[:-2], "new1@example.com", "new2@example.com")
        return world

    def check_converged(self, world, applied):
        self.assert_exit(applied, EXIT_OK)
        self.assertEqual(world.sandbox.live(),
                         sorted([*EVERYBODY[:-2], "new1@example.com", "new2@example.com"]))
        self.assertEqual(world.sandbox.mails(), {"new1@example.com": 1, "new2@example.com": 1})
        self.assertEqual(len(world.sandbox.requests("delete")), 2)


class Cost(ListingCase):
    def check_cost(self, *options):
        world = self.world(*options)
        plan = world.plan()
        self.assert_exit(plan, EXIT_PENDING)
        self.assertEqual(plan.json["summary"], {"invite": 2, "renew": 0, "replace": 0, "revoke": 2,
                                                "set_role": 0, "remove": 0, "keep": 248,
                                                "attention": 0, "blocked": 0, "failed": 0})
        requests = world.sandbox.requests()
        self.assertEqual([(entry["call"], entry["status"]) for entry in requests],
                         [("list", 200)] * 3)
        # One connection carries them all.
        self.assertEqual(len({entry["connection"] for entry in requests}), 1)

        world.sandbox.clear_log()
        self.check_converged(world, world.apply())
        self.assertEqual(len(world.sandbox.requests()), 3 + 4)

        world.sandbox.clear_log()
        again = world.plan("--all")
        self.assert_exit(again, EXIT_OK)
        self.assertIs(again.json["in_sync"], True)
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()], ["list"] * 3)
        self.assertEqual(sorted(line["email"] for line in again.actions), world.sandbox.live())
        text = world.run("plan", "--all")
        for email in world.sandbox.live():
            self.assertIn(" keep ", text.text_line(email))
        self.assertEqual(world.plan().actions, [])

    def test_newest_first(self):
        self.check_cost()

    def test_oldest_first(self):
        self.check_cost("--order", "oldest")

    def test_few_invites_cost_one_request(self):
        for count, requests in ((0, 1), (1, 1), (100, 1), (101, 2)):
            with self.subTest(count=count):
                rule = {"count": count, "email": "user%03d@example.com"}
                world = World(self, org={"generate": rule} if count else {})
                world.declare(*EVERYBODY[:count])
                plan = world.plan("--all")
                self.assert_exit(plan, EXIT_OK)
                self.assertEqual(plan.json["summary"]["keep"], count)
                self.assertEqual(len(world.sandbox.requests()), requests)


class Incomplete(ListingCase):
    """Whatever is wrong with a page: no write at all, exit 1, and the reason."""

    def check_nothing_is_written(self, spec, *patterns, **settings):
        world = self.world(**settings)
        world.sandbox.fault(f"call=list,{spec}")
        run = world.apply()
        self.assertEqual(world.sandbox.writes(), [], str(run))
        self.assertEqual(world.sandbox.mails(), {})
        self.assert_error(run, EXIT_TROUBLE, "the listing of invites is not complete",
                          "nothing is decided", *patterns)
        self.assertEqual(len(world.sandbox.live()), COUNT)
        return world

    def test_status_500(self):
        self.check_nothing_is_written("page=2,do=status,status=500", "page 2")

    def test_status_500_without_a_body(self):
        self.check_nothing_is_written("page=3,do=status,status=504,envelope=html", "page 3")

    def test_status_403(self):
        world = self.check_nothing_is_written("page=2,do=status,status=403", "page 2")
        self.assertEqual(len(world.sandbox.requests()), 2)

    def test_cut(self):
        self.check_nothing_is_written("page=2,do=cut", "page 2")

    def test_cut_body(self):
        self.check_nothing_is_written("page=2,do=cut-body", "page 2")

    def test_cut_json(self):
        self.check_nothing_is_written("page=2,do=cut-json", "page 2")

    def test_garbage(self):
        self.check_nothing_is_written("page=2,do=garbage", "page 2")

    def test_repeat_cursor(self):
        self.check_nothing_is_written("page=2,do=repeat-cursor", "same invite came twice")

    def test_no_has_more(self):
        self.check_nothing_is_written("page=2,do=no-has-more", "page 2", "has_more")

    def test_no_has_more_on_the_last_page(self):
        self.check_nothing_is_written("page=3,do=no-has-more", "page 3", "has_more")

    def test_no_data(self):
        self.check_nothing_is_written("page=2,do=no-data", "page 2", "data")

    def test_no_data_on_the_first_page(self):
        self.check_nothing_is_written("page=1,do=no-data", "page 1", "data")

    def test_empty_page(self):
        self.check_nothing_is_written("page=2,do=empty-page")

    def test_wrong_types(self):
        self.check_nothing_is_written("page=2,do=wrong-types", "page 2")

    def test_duplicate_keys(self):
        self.check_nothing_is_written("page=2,do=duplicate-keys", "page 2")

    def test_deep(self):
        self.check_nothing_is_written("page=2,do=deep,depth=100000", "page 2")

    def test_big(self):
        self.check_nothing_is_written("page=2,do=big,bytes=200000000", "page 2")

    def test_hang(self):
        self.check_nothing_is_written("page=2,do=hang", "page 2", api={"timeout": "1s"})

    def test_redirect(self):
        self.check_nothing_is_written("page=2,do=redirect", "page 2")

    def test_plan_and_list_and_show_fail_as_well(self):
        world = self.world()
        world.sandbox.fault("call=list,page=3,do=status,status=403")
        for command in (["plan"], ["list"], ["show", "user001@example.com"]):
            run = world.run(*command, "-o", "json")
            self.assert_error(run, EXIT_TROUBLE, "listing of invites is not complete")

    def test_text(self):
        world = self.world()
        world.sandbox.fault('call=list,page=2,do=status,status=403,'
                            'body={"error":{"message":"no such scope"}}')
        run = world.run("apply")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.out, "")
        self.assertRegex(run.err, r"page 2: .*no such scope")


class Transient(ListingCase):
    def check_survived(self, spec, **settings):
        world = self.world(**settings)
        world.sandbox.fault(f"call=list,page=2,{spec}")
        self.check_converged(world, world.apply())
        self.assertTrue([entry for entry in world.sandbox.requests("list") if entry["fault"]])

    def test_status(self):
        self.check_survived("times=2,do=status,status=500")

    def test_cut(self):
        self.check_survived("times=1,do=cut")

    def test_cut_body(self):
        self.check_survived("times=2,do=cut-body")

    def test_cut_json(self):
        self.check_survived("times=1,do=cut-json")

    def test_garbage(self):
        self.check_survived("times=1,do=garbage")

    def test_repeat_cursor(self):
        self.check_survived("times=1,do=repeat-cursor")

    def test_no_has_more(self):
        self.check_survived("times=1,do=no-has-more")

    def test_no_data(self):
        self.check_survived("times=1,do=no-data")

    def test_empty_page(self):
        self.check_survived("times=1,do=empty-page")

    def test_wrong_types(self):
        self.check_survived("times=1,do=wrong-types")

    def test_hang(self):
        self.check_survived("times=1,do=hang", api={"timeout": "1s"})

    def test_limited(self):
        self.check_survived("times=2,do=status,status=429,retry-after-ms=50")


class DeadCursor(ListingCase):
    """The invite after which a page starts is deleted before that page is asked for."""

    def check_dead_cursor(self, mode, order="newest"):
        world = World(self, "--dead-cursor", mode, "--order", order, org=ORG)
        world.declare(*EVERYBODY)
        sandbox = world.sandbox
        sandbox.fault("call=list,page=2,times=1,do=slow,ms=2000")
        process = world.start("apply", "-o", "json")
        second = wait_for(lambda: sandbox.requests("list")[1:2], "the second page")[0]
        cursor = second["query"].partition("after=")[2]
        gone = [one["email"] for one in sandbox.invites() if one["id"] == cursor]
        self.assertEqual(len(gone), 1, second)
        sandbox.post("delete", id=cursor)
        applied = process.end()
        self.assert_exit(applied, EXIT_OK)
        # Had the listing ended early, many would have been invited anew.
        self.assertGreater(len(sandbox.requests("list")), 3)
        self.assertEqual([(entry["call"], entry["email"]) for entry in sandbox.writes()],
                         [("create", gone[0])])
        self.assertEqual(sandbox.live(), EVERYBODY)

    def test_404(self):
        self.check_dead_cursor("404")

    def test_400(self):
        self.check_dead_cursor("400", "oldest")

    def test_empty(self):
        self.check_dead_cursor("empty")

    def test_top(self):
        self.check_dead_cursor("top", "oldest")


if __name__ == "__main__":
    harness.main(workers=12)

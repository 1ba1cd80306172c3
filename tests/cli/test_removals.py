#!/usr/bin/env python3
"""What stands between a user and their removal: two complete passes and the time of watching, a
listing that is whole, limits, and those whom nothing removes."""

import json
import time

import harness
from harness import (EXIT_BLOCKED, EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, READONLY_KEY, World,
                     wait_for)
from test_daemon import Daemon
from test_users import ADA, BEN, BOSS, DAY, UsersCase, invite, owner, person

EVE = "eve@example.com"


def crowd(count, prefix="u", **more):
    return [person(f"{prefix}{i:03}@example.com", f"user-{prefix}{i:03}", **more)
            for i in range(count)]


def emails(people):
    return [one["email"] for one in people]


def ids(people):
    return [one["id"] for one in people]


class RemovalCase(UsersCase):
    def removed(self, world):
        """Whose removal was asked for."""
        return [entry["user_id"] for entry in world.sandbox.requests("delete-user")]

    def check_nobody_is_removed(self, world):
        self.assertEqual(self.removed(world), [])
        self.assertIn("user-1", [one["id"] for one in world.sandbox.users()])

    def due(self, *people, **settings):
        """A world in which the next complete pass removes all of these."""
        world = self.world(*people, **settings)
        self.declare(world)
        self.check_apply(world)
        return world


# ---- time ----


class Passes(RemovalCase):
    def test_one_is_not_enough(self):
        world = self.world(person(ADA))
        self.declare(world)
        self.check_apply(world)
        self.check_nobody_is_removed(world)
        self.check_apply(world, ("delete-user", "user-1"))

    def test_a_plan_is_none(self):
        world = self.world(person(ADA))
        self.declare(world)
        for _ in range(3):
            self.check_plan(world, ("attention", ADA, "removal-due"))
        self.check_apply(world)
        for _ in range(3):
            self.check_plan(world, ("remove", ADA, "user-undeclared"))
        self.check_nobody_is_removed(world)

    def test_by_hand_never_add_up(self):
        world = self.world(person(ADA), remove_after="1s")
        self.declare(world)
        for _ in range(4):
            self.check_apply(world)
            time.sleep(0.6)
        plan = self.check_plan(world, ("attention", ADA, "removal-due"),
                               words=["removal due in 1 s of watching"])
        self.assertEqual(plan.line(ADA)["due_in"], 1)
        self.check_nobody_is_removed(world)

    def test_the_time_left_is_told(self):
        for remove_after, words, seconds in (("24h", "24 h", 86400), ("90d", "90 days", 7776000),
                                             ("5m", "5 min", 300), ("2m", "120 s", 120)):
            with self.subTest(remove_after):
                world = self.world(person(ADA), remove_after=remove_after)
                self.declare(world)
                plan = self.check_plan(
                    world, ("attention", ADA, "removal-due"),
                    words=[f"not in the member file: removal due in {words} of watching"])
                self.assertEqual(plan.line(ADA)["due_in"], seconds)

    def test_who_is_declared_again_starts_over(self):
        world = self.due(person(ADA))
        self.declare(world, ADA)
        self.check_apply(world)
        self.declare(world)
        self.check_apply(world)
        self.check_nobody_is_removed(world)
        self.check_apply(world, ("delete-user", "user-1"))

    def test_who_comes_back_starts_over(self):
        world = self.due(person(ADA))
        world.sandbox.post("remove-user", email=ADA)
        world.sandbox.post("user", **person(ADA, "user-2"))
        self.check_apply(world)
        self.assertEqual(self.removed(world), [])
        self.check_apply(world, ("delete-user", "user-2"))


class Watching(RemovalCase):
    """The daemon, which watches."""

    def start(self, world):
        daemon = Daemon(world)
        daemon.wait_passes(1)
        return daemon

    def next_pass(self, daemon, count):
        """Another pass at once; waits until so many have ended."""
        daemon.reload()
        daemon.wait_passes(count)

    def check_stopped(self, daemon):
        self.assert_exit(daemon.stop(), EXIT_OK)

    def status(self, world):
        return world.run("status", "-o", "json", bare=True)

    def test_two_passes_and_the_time_between(self):
        world = self.world(person(ADA), interval="10s", remove_after="10s")
        self.declare(world)
        daemon = self.start(world)
        told = self.status(world).json
        self.assertEqual(told["attention"], [
            {"email": ADA, "reason": "removal-due", "user_id": "user-1",
             "text": "not in the member file: removal due in 10 s of watching"}])
        wait_for(lambda: not world.sandbox.users(ADA), "the removal")
        listings = world.sandbox.requests("list-users")
        removal, = world.sandbox.requests("delete-user")
        look, = world.sandbox.requests("retrieve-user")
        self.assertLess(look["n"], removal["n"])
        self.assertGreaterEqual(removal["time"] - listings[0]["time"], 10)
        self.assertEqual(len(listings), 2)
        daemon.wait_passes(2)
        told = self.status(world).json
        self.assertEqual(told["last_pass"]["changes"]["remove"], 1)
        self.assertEqual(told["attention"], [])
        self.check_stopped(daemon)

    def test_not_before_its_time(self):
        world = self.world(person(ADA), interval="10s", remove_after="3s")
        self.declare(world)
        daemon = self.start(world)
        begun = time.monotonic()
        passes = 1
        while time.monotonic() - begun < 2.5:
            passes += 1
            self.next_pass(daemon, passes)
            if time.monotonic() - begun < 2.9:
                self.check_nobody_is_removed(world)
        time.sleep(max(0, begun + 3.1 - time.monotonic()))
        self.next_pass(daemon, passes + 1)
        self.assertEqual(self.removed(world), ["user-1"])
        self.check_stopped(daemon)

    def test_one_pass_of_the_daemon_is_not_enough(self):
        world = self.world(person(ADA), interval="1h")
        self.declare(world)
        daemon = self.start(world)
        self.check_nobody_is_removed(world)
        self.next_pass(daemon, 2)
        self.assertEqual(self.removed(world), ["user-1"])
        self.check_stopped(daemon)

    def test_time_without_a_daemon_does_not_count(self):
        world = self.world(person(ADA), interval="1h", remove_after="2s")
        self.declare(world)
        daemon = self.start(world)
        self.check_stopped(daemon)
        time.sleep(2.5)
        daemon = self.start(world)
        begun = time.monotonic()
        self.check_nobody_is_removed(world)
        # Nor does the time between its passes and those of others.
        self.check_apply(world)
        self.check_nobody_is_removed(world)
        self.next_pass(daemon, 2)
        if time.monotonic() - begun < 1.9:
            self.check_nobody_is_removed(world)
        time.sleep(2.1)
        self.next_pass(daemon, 3)
        self.assertEqual(self.removed(world), ["user-1"])
        self.check_stopped(daemon)

    def test_dry_run(self):
        world = self.world(person(ADA), interval="1h")
        self.declare(world)
        daemon = Daemon(world, "--dry-run")
        daemon.wait_passes(1)
        for count in (2, 3):
            self.next_pass(daemon, count)
        self.check_nobody_is_removed(world)
        self.check_stopped(daemon)

    def test_a_failed_pass_is_none(self):
        """A pass without a complete listing is no pass: not the second one."""
        for call in ("list", "list-users"):
            with self.subTest(call):
                world = self.world(person(ADA), interval="1h")
                self.declare(world)
                daemon = self.start(world)
                world.sandbox.fault(f"call={call},do=status,status=400")
                daemon.reload()
                daemon.wait_field("STATUS", "the last pass failed: the listing of")
                self.check_nobody_is_removed(world)
                world.sandbox.clear_faults()
                self.next_pass(daemon, 2)
                self.assertEqual(self.removed(world), ["user-1"])
                self.check_stopped(daemon)

    def test_approval(self):
        world = self.world(person(ADA), person(BEN, "user-2"), interval="1h",
                           limits={"removals": 1})
        self.declare(world)
        daemon = self.start(world)
        self.next_pass(daemon, 2)
        told = self.status(world).json
        self.assertEqual(told["message"], "2 removals blocked by a limit")
        self.assertEqual(told["people"]["remove"], 2)
        self.assertEqual(told["blocked"]["actions"], [
            {"action": "remove", "email": email, "reason": "user-undeclared", "invite_id": None,
             "user_id": user_id} for email, user_id in ((ADA, "user-1"), (BEN, "user-2"))])
        self.check_nobody_is_removed(world)
        run = world.run("approve", told["blocked"]["approval"], bare=True)
        self.assert_exit(run, EXIT_OK)
        self.assertIn("2 done", run.out)
        self.assertCountEqual(self.removed(world), ["user-1", "user-2"])
        daemon.process.wait_err("pass 3: 2 to remove; 1 unchanged; 2 done; 6 requests")
        self.assertRegex(daemon.process.err, f"blocked: remove {ADA} \\(removals\\): a member who")
        self.assertRegex(daemon.process.err, f"(?m)^remove {ADA}: done$")
        self.check_stopped(daemon)

    def test_a_key_that_may_not_list_users(self):
        world = self.world(person(ADA), interval="1h", invites=[invite(BEN)])
        self.declare(world)
        daemon = Daemon(world, env={"OPENAI_ADMIN_KEY": harness.KEY_WITHOUT_USERS})
        daemon.wait_field("STATUS", "the last pass failed: the key may not list users .*give it "
                                    'the scope api.management.read, or set `users` to "off"')
        self.assertEqual(world.sandbox.writes(), [])
        self.check_stopped(daemon)


# ---- a listing that is not whole ----


class Incomplete(RemovalCase):
    """
    Somebody is to be removed, another one to be revoked: neither is where one of the listings is
    not whole, and both are in the next pass.
    """

    def check_fault(self, fault, kind="users"):
        people, invites = crowd(150), [invite(f"i{i:03}@example.com", f"invite-{i}", age=60)
                                       for i in range(150)]
        world = self.world(*people, person(ADA), invites=[*invites, invite(EVE, "invite-eve")])
        self.declare(world, *emails(people), *emails(invites))
        self.assert_exit(world.apply(), EXIT_OK)
        world.sandbox.post("invite", email=EVE)
        call = "list-users" if kind == "users" else "list"
        world.sandbox.fault(f"call={call},page=2,{fault}")
        world.sandbox.clear_log()
        run = world.apply()
        self.assert_error(run, EXIT_TROUBLE, f"the listing of {kind} is not complete",
                          "nothing is decided")
        self.assertEqual(world.sandbox.writes(), [])
        world.sandbox.clear_faults()
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(self.removed(world), ["user-1"])

    def test_status_500(self):
        self.check_fault("do=status,status=500")

    def test_status_403(self):
        self.check_fault("do=status,status=403")

    def test_cut_json(self):
        self.check_fault("do=cut-json")

    def test_repeat_cursor(self):
        self.check_fault("do=repeat-cursor")

    def test_no_has_more(self):
        self.check_fault("do=no-has-more")

    def test_no_data(self):
        self.check_fault("do=no-data")

    def test_empty_page(self):
        self.check_fault("do=empty-page")

    def test_invites_with_status_403(self):
        self.check_fault("do=status,status=403", "invites")

    def test_invites_with_no_has_more(self):
        self.check_fault("do=no-has-more", "invites")

    def test_invites_with_a_repeated_cursor(self):
        self.check_fault("do=repeat-cursor", "invites")

    def test_nobody_at_all(self):
        world = self.due(person(ADA))
        world.sandbox.post("remove-user", email=BOSS)
        world.sandbox.post("remove-user", email=ADA)
        run = world.apply()
        self.assert_error(run, EXIT_TROUBLE, "the listing of users is not complete",
                          "nobody is listed")

    def test_vanished(self):
        people = crowd(12)
        world = self.world(*people, person(ADA), limits={"removals": 100, "removal_ratio": 1.0})
        self.declare(world, *emails(people))
        self.check_apply(world)
        for one in people[:7]:
            world.sandbox.post("remove-user", email=one["email"])
        # Seven of fourteen are not fewer than half.
        self.assert_exit(world.plan(), EXIT_PENDING)
        world.sandbox.post("remove-user", email=people[7]["email"])
        for _ in range(2):
            run = world.apply()
            self.assert_exit(run, EXIT_BLOCKED)
            self.assertEqual({tuple(line["blocked_by"]) for line in run.actions if
                              line["action"] != "attention"}, {("users_vanished",)})
            # What is not believed moves nobody nearer to a removal.
            self.assertEqual(run.line(ADA)["reason"], "removal-due")
        text = world.run("plan")
        self.assertIn("users_vanished: 6 users are listed, and there were 14 at the last pass",
                      text.out)
        self.check_nobody_is_removed(world)
        approved = world.run(*world.approval_command(text), bare=True)
        self.assert_exit(approved, EXIT_OK)


# ---- whom nothing removes ----


class Spared(RemovalCase):
    def test_the_last_owner(self):
        world = World(self, people=[owner(BOSS, "user-boss"), person(ADA), person(BEN, "user-2")],
                      users="manage", remove_after="0s", limits={"min_owners": 1})
        for boss in ([], [BOSS], [{"email": BOSS, "until": "2020-01-01"}]):
            world.declare(*boss, ADA, BEN, protected=[BEN])
            for _ in range(3):
                run = world.apply()
                self.assert_exit(run, EXIT_OK)
            self.assertEqual(run.line(BOSS)["action"], "attention")
            self.assertEqual(run.line(BOSS)["reason"], "last-owner")
            self.assertIsNone(run.json["approval"])
            self.assertRegex(world.run("plan").text_line(BOSS), "nobody would be left who owns")
        self.assertEqual(world.sandbox.writes(), [])
        # Somebody else becomes an owner first; then they may go.
        world.declare({"email": ADA, "role": "owner"}, BEN, protected=[BEN])
        run = world.apply()
        self.assertEqual((run.line(BOSS)["reason"], run.line(ADA)["result"]),
                         ("last-owner", "done"))
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.roles(), {ADA: "owner", BEN: "reader"})

    def test_all_owners_at_once(self):
        world = World(self, people=[owner(BOSS, "user-boss"), owner(ADA), person(BEN, "user-2")],
                      users="manage", remove_after="0s", limits={"min_owners": 1})
        world.declare(BEN, protected=[BEN])
        world.apply()
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual([run.line(email)["reason"] for email in (ADA, BOSS)], ["last-owner"] * 2)
        self.assertEqual(world.sandbox.writes(), [])

    def test_owners_below_the_least_number(self):
        world = self.due(owner(ADA), owner(BEN, "user-2"), person(EVE, "user-3"))
        text = world.run("apply")
        self.assert_exit(text, EXIT_BLOCKED)
        self.assertIn("limits.min_owners: 1 owner would be left, and there have to be 2", text.out)
        self.assertIn("blocked by min_owners", text.text_line(ADA))
        # The reader is none of them.
        self.assertEqual(self.removed(world), ["user-3"])
        world.sandbox.clear_log()
        # One of them is demoted instead: that is one owner fewer, too.
        self.declare(world, ADA)
        run = world.apply()
        self.assert_exit(run, EXIT_BLOCKED)
        self.assertEqual({line["email"]: (line["action"], line["blocked_by"])
                          for line in run.actions},
                         {ADA: ("set-role", ["min_owners"]), BEN: ("remove", ["min_owners"])})
        self.assertEqual(world.sandbox.writes(), [])
        approved = world.run(*world.approval_command(world.run("plan")), bare=True)
        self.assert_exit(approved, EXIT_OK)
        self.assertEqual(world.sandbox.roles(), {BOSS: "owner", ADA: "reader"})

    def test_whoever_is_protected(self):
        world = self.due(person(ADA), person(BEN, "user-2"))
        self.declare(world, protected=[ADA.upper()])
        self.check_apply(world, ("delete-user", "user-2"))
        self.check_quiet(world)
        # The time begins when the protection ends.
        self.declare(world)
        self.check_apply(world)
        self.check_apply(world, ("delete-user", "user-1"))

    def test_service_accounts_and_scim(self):
        """However long they have been watched as people."""
        for flag, line in (("is_service_account", ("keep", ADA, "service-account")),
                           ("is_scim_managed", ("attention", ADA, "scim-managed"))):
            with self.subTest(flag):
                world = self.due(person(ADA))
                world.sandbox.change_user(ADA, **{flag: True})
                self.check_plan(world, line)
                self.check_quiet(world)
                self.check_nobody_is_removed(world)

    def test_with_create_only_nobody(self):
        world = self.due(person(ADA), owner(BEN, "user-2"))
        self.check_quiet(world, "--policy", "create-only")
        world.configure(policy="create-only", users="manage", remove_after="0s")
        self.check_quiet(world)
        # Time that passed with that policy is none.
        world.configure(users="manage", remove_after="0s")
        self.check_apply(world)
        self.check_nobody_is_removed(world)

    def test_observed_nobody(self):
        world = self.due(person(ADA))
        self.check_quiet(world, "--users", "observe")
        self.check_apply(world)
        self.check_nobody_is_removed(world)


# ---- the look right before ----


class Look(RemovalCase):
    def check_change(self, words, **changes):
        """Changed while the removal is under way: nobody is removed before another pass."""
        world = self.due(person(ADA))
        world.sandbox.fault("call=retrieve-user,do=slow,ms=700")
        process = world.start("apply", "-o", "json")
        wait_for(lambda: world.sandbox.requests("retrieve-user"), "the look")
        if changes:
            world.sandbox.change_user(ADA, **changes)
        else:
            world.sandbox.post("remove-user", email=ADA)
        run = process.end()
        self.assertEqual(self.removed(world), [])
        self.assertEqual(len(world.sandbox.requests("retrieve-user")), 1)
        if not changes:
            self.assert_exit(run, EXIT_OK)
            self.assertEqual(run.line(ADA)["result"], "done")
            return
        self.assertEqual((run.line(ADA)["result"], run.line(ADA)["error"]),
                         ("skipped", f"{words}; the next pass decides"))
        self.check_nobody_is_removed(world)

    def test_at_an_email(self):
        self.check_change("the e-mail of the user has changed", email=BEN)

    def test_at_no_email(self):
        self.check_change("the e-mail of the user has changed", email=None)

    def test_at_a_role(self):
        self.check_change("the role of the user has changed", role="owner")

    def test_at_a_service_account(self):
        self.check_change("the user is managed elsewhere", is_service_account=True)

    def test_at_scim(self):
        self.check_change("the user is managed elsewhere", is_scim_managed=True)

    def test_at_nobody(self):
        self.check_change(None)

    def test_after_an_answer_that_was_lost(self):
        look, removal = "retrieve-user", "delete-user"
        for fault, then in (("do=status,status=500", [look, removal]),
                            ("do=status-after,status=503", [look]), ("do=hang", [look, removal]),
                            ("do=hang-after", [look]), ("do=garbage", [])):
            with self.subTest(fault):
                world = self.due(person(ADA), api={"timeout": "1s"})
                world.sandbox.fault(f"call=delete-user,times=1,{fault}")
                world.sandbox.clear_log()
                run = world.apply()
                self.assert_exit(run, EXIT_OK)
                self.assertEqual(run.line(ADA)["result"], "done")
                self.assertEqual(world.sandbox.users(ADA), [])
                calls = [entry["call"] for entry in world.sandbox.requests() if entry["user_id"]]
                self.assertEqual(calls, [look, removal, *then])

    def test_after_a_connection_that_was_lost(self):
        for fault in ("do=cut", "do=cut-after"):
            with self.subTest(fault):
                world = self.due(person(ADA))
                world.sandbox.fault(f"call=delete-user,times=1,{fault}")
                run = world.apply()
                self.assert_exit(run, EXIT_OK)
                self.assertEqual(run.line(ADA)["result"], "done")
                self.assertEqual(world.sandbox.users(ADA), [])

    def test_a_refusal_is_told(self):
        world = self.due(person(ADA), person(BEN, "user-2"))
        world.sandbox.fault("call=delete-user,id=user-1,do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "failed")
        self.assertRegex(run.line(ADA)["error"], "the user is still there after the removal .*400")
        self.assertEqual(run.line(BEN)["result"], "done")

    def test_with_a_key_that_may_only_read(self):
        world = self.due(person(ADA), person(BEN, "user-2"), api={"concurrency": 1})
        run = world.apply(env={"OPENAI_ADMIN_KEY": READONLY_KEY})
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertCountEqual([line["result"] for line in run.actions], ["failed", "skipped"])
        self.assertIn("api.management.write", run.err)
        self.assertIn("user-1", ids(world.sandbox.users()))


# ---- limits ----


class Limits(RemovalCase):
    def check_blocked(self, world, people, limit, words):
        """All of these are held back by the limit, and one approval removes exactly them."""
        text = world.run("apply")
        self.assert_exit(text, EXIT_BLOCKED)
        for one in people:
            self.assertIn(f"blocked by {limit}", text.text_line(one["email"]))
        self.assertRegex(text.out, words)
        self.assertEqual(self.removed(world), [])
        command = world.approval_command(text)
        # Another pass leads to the same id.
        plan = world.plan()
        self.assert_exit(plan, EXIT_BLOCKED)
        self.assertEqual(plan.json["approval"], command[2])
        approved = world.run(*command, bare=True)
        self.assert_exit(approved, EXIT_OK)
        self.assertCountEqual(self.removed(world), ids(people))
        again = world.run(*command, bare=True)
        self.assertIn("--approve was not needed", again.err)

    def test_removals(self):
        people = crowd(4)
        world = self.due(*people)
        self.check_blocked(world, people, "removals",
                           r"limits\.removals: 4 users would be removed, 3 are allowed")

    def test_as_many_as_allowed(self):
        people = crowd(3)
        world = self.due(*people)
        self.check_apply(world, *(("delete-user", user_id) for user_id in ids(people)))

    def test_removal_ratio(self):
        people, kept = crowd(2), crowd(8, "kept")
        world = self.world(*people, *kept)
        self.declare(world, *emails(kept))
        self.check_apply(world)
        self.check_blocked(world, people, "removal_ratio",
                           r"limits\.removal_ratio: 18 % of all users would be removed, 10 % are")

    def test_a_share_that_is_hardly_over_the_limit(self):
        """Nobody is told that 10 % are too many where 10 % are allowed."""
        people, kept = crowd(3), crowd(25, "kept")
        world = self.world(*people, *kept)
        self.declare(world, *emails(kept))
        self.check_apply(world)
        self.check_blocked(world, people, "removal_ratio",
                           r"limits\.removal_ratio: 10\.3 % of all users would be removed, "
                           r"10\.0 % are allowed")

    def test_removal_ratio_counts_people(self):
        """Service accounts are no people; below ten, shares mean nothing."""
        people, kept = crowd(2), crowd(6, "kept")
        world = self.world(*people, *kept, *crowd(9, "bot", is_service_account=True))
        self.declare(world, *emails(kept))
        self.check_apply(world)
        self.check_apply(world, *(("delete-user", user_id) for user_id in ids(people)))

    def test_none_at_all(self):
        world = self.due(person(ADA), limits={"removals": 0})
        for _ in range(3):
            self.check_apply(world, code=EXIT_BLOCKED)
        self.assertIn("limits.removals: 1 user would be removed, 0 are allowed",
                      world.run("plan").out)
        self.check_nobody_is_removed(world)

    def test_block_nothing_else(self):
        people = crowd(4)
        world = self.world(*people, person(ADA), invites=[invite(EVE)])
        self.declare(world, {"email": ADA, "role": "owner"}, "new@example.com", protected=[ADA])
        self.check_apply(world, ("create", "new@example.com"), ("delete", "invite-1"),
                         ("set-role", "user-1"))
        world.sandbox.post("invite", email=EVE, id="invite-2")
        self.check_apply(world, ("delete", "invite-2"), code=EXIT_BLOCKED)

    def test_owner_invites_hold_for_roles(self):
        world = self.world(person(ADA), person(BEN, "user-2"))
        self.declare(world, {"email": ADA, "role": "owner"}, {"email": BEN, "role": "owner"})
        run = world.apply()
        self.assert_exit(run, EXIT_BLOCKED)
        self.assertEqual([run.line(email)["blocked_by"] for email in (ADA, BEN)],
                         [["owner_invites"]] * 2)
        self.assertIn("limits.owner_invites: 2 owners would be invited or made, 1 is allowed",
                      world.run("plan").out)
        self.assertEqual(world.sandbox.writes(), [])

    def test_an_approval_is_of_these_users(self):
        """The same address under another id is somebody else."""
        world = self.due(person(ADA), limits={"removals": 0})
        approval = world.plan().json["approval"]
        world.sandbox.post("remove-user", email=ADA)
        world.sandbox.post("user", **person(ADA, "user-9"))
        for _ in range(3):
            run = world.apply("--approve", approval)
        self.assert_exit(run, EXIT_BLOCKED)
        self.assertRegex(run.err, f"--approve {approval} does not fit")
        self.assertEqual(self.removed(world), [])


# ---- taking over an organisation ----


class Adoption(RemovalCase):
    def test_as_the_readme_says(self):
        """Export, review, observe, manage: nothing happens that was not shown before."""
        people, bot = crowd(12), person("bot@example.com", "user-2", is_service_account=True)
        world = self.world(owner(ADA), owner(BEN, "user-3"), person(EVE, "user-4"), bot, *people,
                           invites=[invite("new@example.com"), invite("not@example.com", "invite-2")],
                           users="observe", remove_after="24h", policy="create-only")
        members = world.files / "members.conf"
        policy = ["--members", str(members), "--policy", "sync"]
        text = world.run("export").out
        world.write_members(text, "members.conf")
        self.assertIn("Plan: in sync;", world.run("plan", *policy).out)
        # Eve and an invite go, and a role is corrected.
        text = "".join(line for line in text.splitlines(True)
                       if EVE not in line and "not@example.com" not in line)
        text = text.replace('# protected = ( "owner@example.com" );', f'protected = ( "{ADA}" );')
        text = text.replace(f'{{ email = "{BEN}"; role = "owner"; }}', f'"{BEN}"')
        world.write_members(text, "members.conf")
        planned = world.plan(*policy, "--users", "manage")
        self.assertEqual(planned.lines(), [("revoke", "not@example.com", "undeclared"),
                                           ("set-role", BEN, "user-role-differs"),
                                           ("attention", EVE, "removal-due")])
        # Observed, nothing of this is done.
        settings = {"members": "members.conf", "remove_after": "24h"}
        world.configure(users="observe", policy="create-only", **settings)
        observed = world.apply()
        self.assert_exit(observed, EXIT_OK)
        self.assertCountEqual(observed.lines(), [("attention", "not@example.com", "undeclared"),
                                                 ("attention", BEN, "user-role-differs"),
                                                 ("attention", EVE, "user-undeclared")])
        self.assertEqual(world.sandbox.writes(), [])
        # Managed, what was planned is done, and nobody is removed on the first day.
        world.configure(users="manage", **settings)
        for _ in range(3):
            self.assert_exit(world.apply(), EXIT_OK)
        self.assertCountEqual([(entry["call"], entry["invite_id"] or entry["user_id"])
                               for entry in world.sandbox.writes()],
                              [("delete", "invite-2"), ("set-role", "user-3")])


if __name__ == "__main__":
    harness.main()

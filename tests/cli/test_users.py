#!/usr/bin/env python3
"""Users in the verdict: each row of the table that concerns members, as it is planned and as it is
applied, where they are observed and where they are managed."""

import re

import harness
from harness import (EXIT_CONFIG, EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, KEY_WITHOUT_USERS,
                     READONLY_KEY, TestCase, World, wait_for)

ADA, BEN, BOSS = "ada@example.com", "ben@example.com", "boss@example.com"
HOUR, DAY = 3600, 86400
SYMBOLS = {"invite": "+", "renew": "^", "replace": "~", "revoke": "-", "set-role": "%",
           "remove": "x", "attention": "!", "keep": "="}
WRITES = set(SYMBOLS) - {"attention", "keep"}


def person(email, id="user-1", **more):
    """A user who has been there for long."""
    return {"email": email, "id": id, "age": 100 * DAY, **more}


def owner(email, id="user-1", **more):
    return person(email, id, role="owner", **more)


def invite(email, id="invite-1", **more):
    """An invite of last week that is live, unless more is said."""
    return {"email": email, "id": id, "age": 6 * DAY, **more}


class UsersCase(TestCase):
    """Beside whoever a test is about a boss stays: declared, protected, and an owner."""

    def world(self, *people, options=(), users="manage", **settings):
        settings.setdefault("remove_after", "0s")
        return World(self, *options, people=[owner(BOSS, "user-boss"), *people], users=users,
                     **settings)

    def declare(self, world, *members, protected=(), **more):
        world.declare({"email": BOSS, "role": "owner"}, *members, protected=[BOSS, *protected],
                      **more)

    def lines(self, run):
        """As (action, address, reason), without the boss."""
        lines = run.lines()
        self.assertIn(("keep", BOSS, "member"), lines, str(run))
        lines.remove(("keep", BOSS, "member"))
        return lines

    def check_text(self, run, plan, words):
        """The text has each line of the plan, with its symbol, and each of the words."""
        for line in plan.actions:
            name = re.escape(line["email"] or line["user_id"])
            symbol = re.escape(SYMBOLS[line["action"]])
            self.assertRegex(run.out, rf"(?m)^ +{symbol} +{line['action']} +{name} ")
        for pattern in words:
            self.assertRegex(run.out, pattern)

    def check_plan(self, world, *expected, words=(), options=()):
        """
        `plan` gives exactly these lines (action, address, reason), in json and in text, for one
        listing of each kind. `words` are patterns for the text.
        """
        world.sandbox.clear_log()
        plan = world.plan("--all", *options)
        in_sync = not any(action in WRITES for action, _, _ in expected)
        self.assert_exit(plan, EXIT_OK if in_sync else EXIT_PENDING)
        self.assertCountEqual(self.lines(plan), expected, str(plan))
        self.assertIs(plan.json["in_sync"], in_sync)
        for action in SYMBOLS:
            count = sum(1 for line in expected if line[0] == action) + (action == "keep")
            self.assertEqual(plan.json["summary"][action.replace("-", "_")], count, action)
        for line in plan.actions:
            self.assertEqual("due_in" in line, line["reason"] == "removal-due")
        text = world.run("plan", "--all", *options)
        self.assert_exit(text, plan.code)
        self.check_text(text, plan, words)
        self.assertCountEqual([entry["call"] for entry in world.sandbox.requests()],
                              ["list", "list-users"] * 2)
        return plan

    def check_row(self, world, *observe, manage=None, create_only=None, words=(), manage_words=(),
                  create_only_words=()):
        """The same, where users are observed, where they are managed, and with create-only."""
        plan = self.check_plan(world, *observe, words=words, options=["--users", "observe"])
        self.check_plan(world, *(observe if manage is None else manage), words=manage_words,
                        options=["--users", "manage"])
        self.check_plan(world, *(observe if create_only is None else create_only),
                        words=create_only_words,
                        options=["--users", "manage", "--policy", "create-only"])
        return plan

    def check_apply(self, world, *writes, options=(), code=EXIT_OK):
        """
        `apply` makes exactly these writes, as (call, address or id), and looks at each user right
        before the removal and at nobody else.
        """
        world.sandbox.clear_log()
        applied = world.apply("--all", *options)
        self.assert_exit(applied, code)
        sent = [(entry["call"], entry["email"] if entry["call"] == "create" else
                 entry["user_id"] or entry["invite_id"]) for entry in world.sandbox.writes()]
        self.assertCountEqual(sent, writes, str(applied))
        self.assertEqual(len(world.sandbox.requests("list")), 1)
        self.assertEqual(len(world.sandbox.requests("list-users")), 1)
        looks = [entry["user_id"] for entry in world.sandbox.requests("retrieve-user")]
        removals = world.sandbox.requests("delete-user")
        self.assertCountEqual(looks, [entry["user_id"] for entry in removals])
        for user_id in looks:
            calls = [entry["call"] for entry in world.sandbox.requests()
                     if entry["user_id"] == user_id]
            self.assertEqual(calls, ["retrieve-user", "delete-user"])
        if code == EXIT_OK:
            for line in applied.actions:
                self.assertEqual(line["result"], "done" if line["action"] in WRITES else None,
                                 str(applied))
        return applied

    def check_quiet(self, world, *options):
        """However often it is applied, nothing is written."""
        users = world.sandbox.users()
        for _ in range(3):
            self.check_apply(world, options=options)
        self.assertEqual(world.sandbox.users(), users)

    def check_removed(self, world, *user_ids):
        """Applied twice, since it takes two complete passes, these users are removed."""
        self.check_apply(world)
        self.check_apply(world, *(("delete-user", user_id) for user_id in user_ids))
        there = {one["id"] for one in world.sandbox.users()}
        self.assertEqual(there & set(user_ids), set())


# ---- declared, and a member ----


class Member(UsersCase):
    def test_without_an_invite(self):
        world = self.world(person("Ada@Example.com"))
        self.declare(world, ADA)
        plan = self.check_row(world, ("keep", ADA, "member"), words=[f"keep +{ADA} .* a member\n"])
        self.assertEqual(plan.line(ADA), {
            "action": "keep", "email": ADA, "role": "reader", "projects": None, "reason": "member",
            "invite_id": None, "user_id": "user-1", "blocked_by": []})
        self.check_quiet(world)
        self.assertEqual(world.sandbox.invites(), [])

    def test_whatever_has_become_of_the_invite(self):
        for more in ({"status": "accepted"}, {"status": "accepted", "role": "owner"},
                     {"status": "expired"}, {"status": "accepted", "accepted_at": None}):
            with self.subTest(**more):
                world = self.world(person(ADA), invites=[invite(ADA, **more)])
                self.declare(world, ADA)
                self.check_row(world, ("keep", ADA, "member"))
                self.check_quiet(world)

    def test_with_stray_invites(self):
        world = self.world(person(ADA), invites=[
            invite(ADA), invite(ADA.upper(), "invite-2", role="owner"),
            invite(ADA, "invite-3", status="accepted")])
        self.declare(world, ADA)
        self.check_row(world, ("revoke", ADA, "already-member"),
                       ("revoke", ADA, "already-member"), ("keep", ADA, "member"),
                       create_only=[("attention", ADA, "already-member"),
                                    ("attention", ADA, "already-member"),
                                    ("keep", ADA, "member")],
                       words=["a member already, who needs no invite"])
        self.check_quiet(world, "--policy", "create-only")
        self.check_apply(world, ("delete", "invite-1"), ("delete", "invite-2"),
                         options=["--users", "observe"])
        self.check_quiet(world)

    def test_who_has_just_accepted(self):
        """The listing of invites may lag behind that of users, for an hour."""
        world = self.world(person(ADA, age=HOUR - 60), invites=[invite(ADA)])
        self.declare(world, ADA)
        self.check_row(world, ("keep", ADA, "member"))
        self.check_quiet(world)
        world.sandbox.post("advance", seconds=120)
        self.check_plan(world, ("revoke", ADA, "already-member"), ("keep", ADA, "member"))

    def test_who_has_accepted_and_does_not_show_yet(self):
        """The listing of users lags behind that of invites."""
        world = self.world(options=["--user-lag", "600000"], users="observe")
        self.declare(world, ADA)
        self.check_apply(world, ("create", ADA))
        world.sandbox.post("accept", email=ADA)
        plan = self.check_row(world, ("keep", ADA, "member"))
        self.assertIsNone(plan.line(ADA)["user_id"])
        self.check_quiet(world)
        self.assertEqual(len(world.sandbox.invites(ADA)), 1)

    def test_invited_after_joining(self):
        world = self.world({"email": ADA, "id": "user-1", "age": 60},
                           invites=[invite(ADA, age=30)])
        self.declare(world, ADA)
        self.check_row(world, ("revoke", ADA, "already-member"), ("keep", ADA, "member"),
                       create_only=[("attention", ADA, "already-member"), ("keep", ADA, "member")])
        self.check_apply(world, ("delete", "invite-1"))


class Role(UsersCase):
    def test_differs_both_ways(self):
        world = self.world(person(ADA), owner(BEN, "user-2"), limits={"min_owners": 1})
        self.declare(world, {"email": ADA, "role": "owner"}, BEN, protected=[ADA])
        differs = [("attention", ADA, "user-role-differs"), ("attention", BEN, "user-role-differs")]
        plan = self.check_row(
            world, *differs,
            manage=[("set-role", ADA, "user-role-differs"), ("set-role", BEN, "user-role-differs")],
            words=[f"{ADA} +reader .*the user is reader, the member file says owner: change it by "
                   "hand, or set `users` to \"manage\" with policy sync",
                   f"{BEN} +owner .*the user is owner, the member file says reader"],
            manage_words=[rf"% +set-role +{ADA} +owner +the user is reader",
                          rf"% +set-role +{BEN} +reader +the user is owner",
                          r"\nPlan: 2 roles to change; 1 unchanged\.\n"])
        self.assertEqual(plan.line(ADA)["role"], "reader")
        self.check_quiet(world, "--users", "observe")
        self.check_quiet(world, "--policy", "create-only")
        applied = self.check_apply(world, ("set-role", "user-1"), ("set-role", "user-2"))
        self.assertEqual((applied.line(ADA)["role"], applied.line(ADA)["user_id"]),
                         ("owner", "user-1"))
        self.assertRegex(applied.line(ADA)["request_id"], "^req")
        bodies = {entry["user_id"]: entry["body"] for entry in world.sandbox.requests("set-role")}
        self.assertEqual(bodies,
                         {"user-1": {"role": "owner"}, "user-2": {"role": "reader"}})
        self.assertEqual(world.sandbox.roles(), {BOSS: "owner", ADA: "owner", BEN: "reader"})
        self.check_plan(world, ("keep", ADA, "member"), ("keep", BEN, "member"))
        self.check_quiet(world)

    def test_of_a_protected_owner(self):
        world = self.world(owner(ADA), person(BEN, "user-2"))
        self.declare(world, ADA, {"email": BEN, "role": "owner"}, protected=[ADA.upper(), BEN])
        self.check_row(world, ("attention", ADA, "protected"),
                       ("attention", BEN, "user-role-differs"),
                       manage=[("attention", ADA, "protected"),
                               ("set-role", BEN, "user-role-differs")],
                       words=["protected, and an owner: the member file asks for less"])
        self.check_apply(world, ("set-role", "user-2"))
        self.check_quiet(world)
        self.assertEqual(world.sandbox.roles()[ADA], "owner")

    def test_that_is_not_known(self):
        world = self.world(person(ADA, role="admin"), person(BEN, "user-2", role=None),
                           person("eve@example.com", "user-3", role="admin"),
                           invites=[invite(ADA)])
        self.declare(world, ADA, BEN)
        self.check_row(world, ("attention", ADA, "unknown-status"),
                       ("attention", BEN, "unknown-status"),
                       ("attention", "eve@example.com", "unknown-status"),
                       words=["role `admin` for the user, which is unknown",
                              "the service states no role for the user"])
        self.check_quiet(world)

    def test_beside_an_invite_of_an_unknown_status(self):
        world = self.world(person(ADA), person(BEN, "user-2"),
                           invites=[invite(ADA, status="paused"),
                                    invite(BEN, "invite-2", status="paused")])
        self.declare(world, {"email": ADA, "role": "owner"})
        self.check_row(world, ("attention", ADA, "unknown-status"),
                       ("attention", BEN, "unknown-status"))
        self.check_quiet(world)


# ---- not declared, and a member ----


class Undeclared(UsersCase):
    def test_seen_in_two_passes(self):
        world = self.world(person(ADA), owner(BEN, "user-2"), limits={"min_owners": 1})
        self.declare(world)
        stranger = [("attention", ADA, "user-undeclared"), ("attention", BEN, "user-undeclared")]
        due = [("attention", ADA, "removal-due"), ("attention", BEN, "removal-due")]
        self.check_row(world, *stranger, manage=due,
                       words=["not in the member file: remove the user by hand, or declare"],
                       manage_words=["not in the member file: removal due at the next pass"])
        self.check_quiet(world, "--users", "observe")
        self.check_quiet(world, "--policy", "create-only")
        self.check_apply(world)
        gone = [("remove", ADA, "user-undeclared"), ("remove", BEN, "user-undeclared")]
        self.check_row(world, *stranger, manage=gone,
                       manage_words=[rf"x +remove +{ADA} +reader +a member who is not in the "
                                     "member file"])
        applied = self.check_apply(world, ("delete-user", "user-1"), ("delete-user", "user-2"))
        self.assertEqual(applied.line(ADA)["user_id"], "user-1")
        self.assertRegex(applied.line(ADA)["request_id"], "^req")
        self.assertEqual(world.sandbox.roles(), {BOSS: "owner"})
        self.check_quiet(world)

    def test_with_live_invites(self):
        world = self.world(person(ADA), invites=[invite(ADA),
                                                 invite(ADA, "invite-2", status="accepted")])
        self.declare(world)
        self.check_row(world, ("revoke", ADA, "undeclared"), ("attention", ADA, "user-undeclared"),
                       manage=[("revoke", ADA, "undeclared"), ("attention", ADA, "removal-due")],
                       create_only=[("attention", ADA, "undeclared"),
                                    ("attention", ADA, "user-undeclared")])
        self.check_apply(world, ("delete", "invite-1"))
        self.check_apply(world, ("delete-user", "user-1"))
        # What was accepted stays in the listing, and nobody needs to be told.
        self.check_plan(world, ("keep", ADA, "member-left"))

    def test_ended(self):
        world = self.world(person(ADA), invites=[invite(ADA, status="accepted")])
        self.declare(world, {"email": ADA, "until": "2020-02-29"})
        self.check_row(world, ("attention", ADA, "membership-ended"),
                       manage=[("attention", ADA, "removal-due")],
                       words=[r"(?m)the membership has ended \(until\): remove the user by hand, "
                              r"or correct the day$"])
        self.check_quiet(world, "--users", "observe")
        self.check_apply(world)
        self.check_plan(world, ("remove", ADA, "membership-ended"))
        self.check_apply(world, ("delete-user", "user-1"))

    def test_not_begun(self):
        world = self.world(person(ADA), invites=[invite(ADA), invite(BEN, "invite-2")])
        self.declare(world, {"email": ADA, "from": "2199-01-01"},
                     {"email": BEN, "from": "2199-01-01"},
                     {"email": "eve@example.com", "from": "2199-01-01"})
        self.check_row(world, ("revoke", ADA, "membership-not-begun"),
                       ("attention", ADA, "membership-not-begun"),
                       ("revoke", BEN, "membership-not-begun"),
                       create_only=[("attention", ADA, "membership-not-begun"),
                                    ("attention", ADA, "membership-not-begun"),
                                    ("attention", BEN, "membership-not-begun")],
                       words=["a member already, before their first day",
                              r"(?m)the membership has not begun \(from\)$"],
                       create_only_words=[r"the membership has not begun \(from\); policy "
                                          "create-only revokes nothing"])
        self.check_quiet(world, "--policy", "create-only")
        self.check_apply(world, ("delete", "invite-1"), ("delete", "invite-2"))
        self.check_quiet(world)

    def test_protected(self):
        world = self.world(owner(ADA), person(BEN, "user-2"))
        self.declare(world, protected=[ADA.upper(), BEN])
        self.check_row(world, ("keep", ADA, "protected"), ("keep", BEN, "protected"))
        self.check_quiet(world)

    def test_ignored(self):
        world = self.world(person("ada@vendor.example"), person("odd@vendor.example", "user-2",
                                                                role="admin"),
                           invites=[invite("odd@vendor.example", role="owner")])
        self.declare(world, ignore=["*@vendor.example"])
        self.check_row(world, ("keep", "ada@vendor.example", "ignored"),
                       ("keep", "odd@vendor.example", "ignored"))
        self.check_quiet(world)


# ---- accepted, and no member ----


class Left(UsersCase):
    def test_an_hour_after_accepting(self):
        world = self.world(invites=[invite(ADA, status="accepted", member=False)])
        self.declare(world, ADA)
        self.check_row(world, ("invite", ADA, "member-left"),
                       words=["accepted, and is a member no longer"])
        self.check_apply(world, ("create", ADA), options=["--policy", "create-only"])
        self.check_plan(world, ("keep", ADA, "pending"))

    def test_within_the_hour(self):
        world = self.world(users="observe")
        self.declare(world, ADA)
        self.check_apply(world, ("create", ADA))
        world.sandbox.post("accept", email=ADA)
        world.sandbox.post("remove-user", email=ADA)
        self.check_row(world, ("keep", ADA, "member"))
        self.check_quiet(world)
        world.sandbox.post("advance", seconds=HOUR + 60)
        self.check_row(world, ("invite", ADA, "member-left"))

    def test_at_a_time_that_is_not_stated(self):
        world = self.world(invites=[invite(ADA, status="accepted", member=False, accepted_at=None),
                                    invite(BEN, "invite-2", status="accepted", member=False,
                                           accepted_at=None)])
        self.declare(world, ADA)
        self.check_row(world, ("attention", ADA, "member-left"), ("keep", BEN, "member-left"),
                       words=["accepted at a time that is not stated, and is no member"])
        self.check_quiet(world)

    def test_again_and_again(self):
        """One wish is mailed 1 + renewals times, whatever the cause."""
        world = self.world(invites=[invite(ADA, status="accepted", member=False)],
                           limits={"renewals": 1})
        self.declare(world, ADA)
        for _ in range(2):
            self.check_apply(world, ("create", ADA))
            world.sandbox.post("accept", email=ADA)
            world.sandbox.post("remove-user", email=ADA)
            world.sandbox.post("advance", seconds=2 * HOUR)
        self.check_row(world, ("attention", ADA, "renewals-exhausted"))
        self.check_quiet(world)
        self.assertEqual(len(world.sandbox.invites(ADA)), 3)

    def test_whose_new_invite_has_an_unknown_outcome(self):
        """The old acceptance does not prove that the new invite was made."""
        for fault in ("do=cut", "do=cut-after"):
            with self.subTest(fault=fault):
                world = self.world(invites=[invite(ADA, status="accepted", member=False)])
                self.declare(world, ADA)
                world.sandbox.fault(f"call=create,times=1,{fault}")
                applied = world.apply()
                self.assert_exit(applied, EXIT_OK)
                self.assertEqual(applied.line(ADA)["result"], "done")
                self.assertEqual(world.sandbox.live(), [ADA])
                self.assertEqual(world.sandbox.mails(), {ADA: 1})

    def test_undeclared(self):
        world = self.world(invites=[invite(ADA, status="accepted", member=False)])
        self.declare(world)
        self.check_row(world, ("keep", ADA, "member-left"))
        self.check_quiet(world)


# ---- whom nobody here may touch ----


class Elsewhere(UsersCase):
    def test_service_accounts(self):
        world = self.world(owner(ADA, is_service_account=True),
                           person(BEN, "user-2", is_service_account=True),
                           person(None, "user-3", is_service_account=True))
        self.declare(world, {"email": BEN, "role": "owner"})
        plan = self.check_row(world, ("keep", ADA, "service-account"),
                              ("keep", BEN, "service-account"), ("keep", None, "service-account"),
                              words=["a service account, never touched"])
        self.assertEqual(plan.line(None)["user_id"], "user-3")
        self.check_quiet(world)

    def test_scim(self):
        world = self.world(person(ADA, is_scim_managed=True),
                           owner(BEN, "user-2", is_scim_managed=True),
                           person("eve@example.com", "user-3", is_scim_managed=True),
                           person("old@example.com", "user-4", is_scim_managed=True))
        self.declare(world, ADA, BEN, {"email": "old@example.com", "until": "2020-01-01"})
        self.check_row(world, ("keep", ADA, "member"), ("attention", BEN, "scim-managed"),
                       ("attention", "eve@example.com", "scim-managed"),
                       ("attention", "old@example.com", "scim-managed"),
                       words=["managed by SCIM, and not as the member file says"])
        self.check_quiet(world)

    def test_without_an_email(self):
        world = self.world(person(None), owner(None, "user-2"))
        self.declare(world, ADA)
        plan = self.check_row(world, ("attention", None, "no-email"),
                              ("attention", None, "no-email"), ("invite", ADA, "not-invited"),
                              words=["user-1 .*the user user-1 has no e-mail: nothing is done"])
        self.assertCountEqual([(line["user_id"], line["email"]) for line in plan.actions
                               if line["reason"] == "no-email"],
                              [("user-1", None), ("user-2", None)])
        self.check_apply(world, ("create", ADA))
        self.check_quiet(world)


class Renamed(UsersCase):
    NEW = "ada@new.example"

    def test_is_neither_removed_nor_invited(self):
        world = self.world(person(ADA))
        self.declare(world, ADA)
        self.check_apply(world)
        world.sandbox.change_user(ADA, email=self.NEW)
        plan = self.check_row(world, ("attention", ADA, "email-changed"),
                              words=[f"the user user-1 has the e-mail {self.NEW} now: correct the "
                                     "member file, or the user"])
        self.assertEqual(plan.line(ADA)["user_id"], "user-1")
        self.check_quiet(world)
        self.assertEqual(world.sandbox.invites(), [])
        # Once the file says so, all is well.
        self.declare(world, self.NEW)
        self.check_plan(world, ("keep", self.NEW, "member"))
        self.check_quiet(world)

    def test_with_an_invite_under_the_old_address(self):
        world = self.world(person(ADA), invites=[invite(ADA, status="expired")])
        self.declare(world, {"email": ADA, "role": "owner"}, protected=[ADA])
        self.check_apply(world, options=["--users", "observe"])
        world.sandbox.change_user(ADA, email=self.NEW)
        world.sandbox.post("invite", email=ADA)
        self.check_row(world, ("attention", ADA, "email-changed"))
        self.check_quiet(world)

    def test_nobody_whom_the_file_knows(self):
        """Then the new address is as good as the old one, and the removal is as due."""
        world = self.world(person(ADA))
        self.declare(world)
        self.check_apply(world)
        world.sandbox.change_user(ADA, email=self.NEW)
        self.check_plan(world, ("remove", self.NEW, "user-undeclared"))
        self.check_apply(world, ("delete-user", "user-1"))

    def test_before_anybody_looked(self):
        """Nothing tells that the two are one; they are invited, and watched before a removal."""
        world = self.world(person(self.NEW))
        self.declare(world, ADA)
        self.check_row(world, ("invite", ADA, "not-invited"),
                       ("attention", self.NEW, "user-undeclared"),
                       manage=[("invite", ADA, "not-invited"),
                               ("attention", self.NEW, "removal-due")])


# ---- the modes ----


class Modes(UsersCase):
    def test_off_calls_no_route_of_users(self):
        world = self.world(person(ADA), users="off", invites=[
            invite(BEN, status="accepted", member=False)])
        world.declare(BEN, "new@example.com")
        for _ in range(2):
            for command in (["plan"], ["apply"], ["list"], ["show", BEN]):
                run = world.run(*command)
                self.assertIn(run.code, (EXIT_OK, EXIT_PENDING), str(run))
        self.assertEqual(world.sandbox.user_requests(), [])
        self.assertEqual(world.plan("--all").lines(), [("keep", BEN, "member"),
                                                       ("keep", "new@example.com", "pending")])
        text = world.run("plan")
        self.assertIn("1 accepted invite is taken for a member.", text.out)

    def test_observe_is_the_default_and_writes_to_no_user(self):
        world = self.world(person(ADA), owner(BEN, "user-2"), users=None)
        self.declare(world, {"email": BEN, "role": "reader"})
        for _ in range(3):
            self.check_apply(world)
        self.check_plan(world, ("attention", ADA, "user-undeclared"),
                        ("attention", BEN, "user-role-differs"))
        self.assertEqual({entry["call"] for entry in world.sandbox.user_requests()}, {"list-users"})
        self.assertNotIn("taken for", world.run("plan").out)

    def test_manage_needs_somebody_protected(self):
        world = self.world(person(ADA))
        world.declare(BOSS)
        run = world.apply()
        self.assert_error(run, EXIT_CONFIG, "`users` is \"manage\"", "no address is protected")
        self.assert_untouched(world)
        self.assert_exit(world.plan("--users", "observe"), EXIT_OK)

    def test_one_shot_commands_take_the_option(self):
        world = self.world(person(ADA), users="off")
        self.declare(world, ADA)
        self.check_plan(world, ("keep", ADA, "member"), options=["--users", "observe"])
        text = world.run("plan", "--users", "manage")
        self.assertNotIn("inviterd apply", text.out)
        self.declare(world, {"email": ADA, "role": "owner"})
        text = world.run("plan", "--users", "manage")
        command = world.shown_command(text)
        self.assertEqual(command[command.index("--users") + 1], "manage")
        self.assert_exit(world.run(*command, bare=True), EXIT_OK)
        self.assertEqual(world.sandbox.roles()[ADA], "owner")


class Keys(UsersCase):
    def check_error(self, world, key):
        """It is said what is missing and what to set, and nothing is done."""
        for command in ("plan", "apply"):
            run = world.run(command, "-o", "json", env={"OPENAI_ADMIN_KEY": key})
            self.assert_exit(run, EXIT_TROUBLE)
            said = run.json["error"]
            for text in (said, run.err):
                self.assertRegex(text, r"the key may not list users \(.*\): give it the scope "
                                       r'api\.management\.read, or set `users` to "off"')
        self.assertEqual(world.sandbox.writes(), [])

    def test_without_the_right_to_list_users(self):
        for users in ("observe", "manage"):
            with self.subTest(users=users):
                world = self.world(person(ADA), users=users, invites=[invite(BEN)])
                self.declare(world, "new@example.com")
                self.check_error(world, KEY_WITHOUT_USERS)
        # What the error says helps.
        world.declare("new@example.com", protected=[BOSS])
        run = world.apply("--users", "off", env={"OPENAI_ADMIN_KEY": KEY_WITHOUT_USERS})
        self.assert_exit(run, EXIT_OK)

    def test_401_says_the_same(self):
        world = self.world(person(ADA), invites=[invite(BEN)])
        self.declare(world, "new@example.com")
        world.sandbox.fault("call=list-users,do=status,status=401")
        self.check_error(world, harness.KEY)

    def test_later_pages_are_no_matter_of_the_key(self):
        people = [person(f"u{i:03}@example.com", f"user-{i}") for i in range(150)]
        world = self.world(*people)
        self.declare(world, "new@example.com")
        world.sandbox.fault("call=list-users,page=2,do=status,status=403")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("the listing of users is not complete", run.err)
        self.assertEqual(world.sandbox.writes(), [])

    def test_that_may_only_read(self):
        world = self.world(person(ADA), person(BEN, "user-2"))
        self.declare(world, {"email": ADA, "role": "owner"}, protected=[ADA])
        env = {"OPENAI_ADMIN_KEY": READONLY_KEY}
        self.assert_exit(world.apply("--users", "observe", env=env), EXIT_OK)
        run = world.apply(env=env)
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "failed")
        self.assertIn("api.management.write", run.err)
        self.assertEqual(world.sandbox.roles()[ADA], "reader")


# ---- what the service shows ----


class Shapes(UsersCase):
    """However a user is spelled, the verdict is the same."""

    def test_all(self):
        for shape in ("flat", "nested", "full", "mixed"):
            with self.subTest(shape=shape):
                self.check_shape("--user-shape", shape)

    def check_shape(self, *options):
        people = [person(f"keep{i}@example.com", f"user-keep{i}") for i in range(8)]
        world = self.world(*people, person(ADA), person(BEN, "user-2"),
                           person("bot@example.com", "user-3", is_service_account=True),
                           person("scim@example.com", "user-4", is_scim_managed=True),
                           person(None, "user-5"), options=options)
        self.declare(world, *(one["email"] for one in people), {"email": BEN, "role": "owner"},
                     protected=[BEN])
        kept = [("keep", one["email"], "member") for one in people]
        others = [("keep", "bot@example.com", "service-account"),
                  ("attention", "scim@example.com", "scim-managed"),
                  ("attention", None, "no-email")]
        self.check_apply(world, ("set-role", "user-2"))
        self.check_plan(world, *kept, *others, ("remove", ADA, "user-undeclared"),
                        ("keep", BEN, "member"))
        self.check_apply(world, ("delete-user", "user-1"))
        self.check_plan(world, *kept, *others, ("keep", BEN, "member"))
        self.assertEqual(world.sandbox.roles()[BEN], "owner")

    def test_hostile_texts(self):
        """What comes from the service moves no cursor and forges no line."""
        evil = "\x1b[2J\u202e\nforged"
        world = self.world(person(f"a{evil}@example.com", "user-1"),
                           person(ADA, "user-2", role=f"ad{evil}"),
                           person(None, f"user{evil}"), person(BEN, "user-3"))
        self.declare(world, BEN)
        self.check_apply(world, options=["--users", "observe"])
        world.sandbox.change_user(BEN, email=f"b{evil}@example.com")
        for command in (["plan", "--all"], ["apply"], ["plan", "-o", "json", "--all"]):
            run = world.run(*command, "--users", "observe")
            self.assert_exit(run, EXIT_OK)
            self.assertNotRegex(run.out + run.err, "[\x1b\u202e]|(?m:^forged)")
        self.assertCountEqual([line["reason"] for line in run.actions],
                              ["user-undeclared", "unknown-status", "no-email", "email-changed",
                               "member"])

    def test_several_pages(self):
        people = [person(f"u{i:03}@example.com", f"user-{i}") for i in range(250)]
        for order in ("newest", "oldest"):
            with self.subTest(order=order):
                world = self.world(*people, options=["--order", order], users="observe")
                self.declare(world, *(one["email"] for one in people))
                plan = world.plan("--all")
                self.assert_exit(plan, EXIT_OK)
                self.assertEqual(plan.json["summary"]["keep"], 251)
                self.assertEqual(len(world.sandbox.requests("list-users")), 3)
                self.assertEqual(len(world.sandbox.requests("list")), 1)


class Cost(UsersCase):
    def test_ten_thousand_of_each(self):
        """A pass that observes costs the pages of both listings, which come side by side."""
        count = 10000
        emails = [f"u{i:05}@example.com" for i in range(1, count)]
        org = {"users": [owner(BOSS, "user-boss")],
               "generate_users": {"count": count - 1, "first": 1, "email": "u%05d@example.com"},
               "generate": {"count": count, "first": 1, "email": "u%05d@example.com",
                            "status": "accepted", "age": DAY, "member": False}}
        world = World(self, org=org, users="observe")
        self.declare(world, *emails)
        run = world.apply("--all")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.json["requests"], 200)
        requests = world.sandbox.requests()
        calls = [entry["call"] for entry in requests]
        self.assertEqual((calls.count("list"), calls.count("list-users"), len(calls)),
                         (100, 100, 200))
        times = {call: [entry["time"] for entry in requests if entry["call"] == call]
                 for call in ("list", "list-users")}
        # Whichever is the shorter runs beside the other for most of its time.
        overlap = min(max(one) for one in times.values()) - max(min(one) for one in times.values())
        shorter = min(max(one) - min(one) for one in times.values())
        self.assertGreater(overlap, shorter / 2)
        self.assertEqual(run.json["summary"]["keep"], count + 1)


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""Every row of the verdict table: what a plan says, and what an apply then does."""

import datetime

import harness
from harness import EXIT_BLOCKED, EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, TestCase, World

ACTIONS = ("invite", "renew", "replace", "revoke", "set_role", "remove", "keep", "attention")
WRITES = ("invite", "renew", "replace", "revoke")


class VerdictCase(TestCase):
    def check_plan(self, world, *expected, words=()):
        """
        `plan` gives exactly these lines (action, address, reason), in json and in text, with one
        listing and nothing else. `words` are pairs of an address and a pattern for its text line.
        """
        world.sandbox.clear_log()
        plan = world.plan("--all")
        in_sync = not any(action in WRITES for action, _, _ in expected)
        self.assert_exit(plan, EXIT_OK if in_sync else EXIT_PENDING)
        self.assertEqual(sorted(plan.lines()), sorted(expected), str(plan))
        self.assertEqual(plan.json["schema"], "inviterd.plan/1")
        self.assertIs(plan.json["in_sync"], in_sync)
        self.assertIsNone(plan.json["approval"])
        for action in ACTIONS:
            count = sum(1 for line in expected if line[0] == action)
            self.assertEqual(plan.json["summary"][action], count, action)
        self.assertEqual(plan.json["summary"]["blocked"], 0)
        for line in plan.actions:
            self.assertEqual(line["blocked_by"], [])

        shown = world.plan()
        self.assertEqual(sorted(shown.lines()),
                         sorted(line for line in expected if line[0] != "keep"))

        text = world.run("plan", "--all")
        self.assert_exit(text, plan.code)
        for email in {email for _, email, _ in expected}:
            found = [line for line in text.out.splitlines() if email in line.split()]
            actions = sorted(action for action, address, _ in expected if address == email)
            self.assertEqual(sorted(line.split()[1] for line in found), actions, str(text))
        for email, pattern in words:
            found = [line for line in text.out.splitlines() if email in line.split()]
            self.assertRegex("\n".join(found), pattern)
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()], ["list"] * 3)
        return plan

    def check_apply(self, world, writes, code=EXIT_OK):
        """`apply` makes exactly these writes, in any order: (call, address or id)."""
        world.sandbox.clear_log()
        applied = world.apply("--all")
        self.assert_exit(applied, code)
        sent = [(entry["call"], entry["email"] if entry["call"] == "create"
                 else entry["invite_id"]) for entry in world.sandbox.writes()]
        self.assertEqual(sorted(sent), sorted(writes), str(applied))
        if code == EXIT_OK:
            for line in applied.actions:
                self.assertEqual(line["result"], "done" if line["action"] in WRITES else None,
                                 str(applied))
                self.assertIsNone(line["error"])
        return applied

    def check_quiet(self, world):
        """`apply` lists once and does nothing else."""
        before = world.sandbox.invites()
        applied = self.check_apply(world, [])
        self.assertEqual(len(world.sandbox.requests()), 1)
        self.assertEqual(world.sandbox.mails(), {})
        self.assertEqual(world.sandbox.invites(), before)
        self.assertIs(applied.json["in_sync"], True)
        return applied

    def check_in_sync(self, world):
        plan = world.plan()
        self.assert_exit(plan, EXIT_OK)
        self.assertIs(plan.json["in_sync"], True)


class Anybody(VerdictCase):
    def test_ignored(self):
        world = World(self, invites=[
            {"email": "pending@vendor.example"},
            {"email": "accepted@vendor.example", "status": "accepted"},
            {"email": "expired@vendor.example", "status": "expired"},
            {"email": "Odd@Vendor.Example", "status": "suspended"},
            {"email": "twice@vendor.example"}, {"email": "twice@vendor.example", "age": 60},
            {"email": "exact@else.example", "role": "owner"},
            {"email": "other@else.example"}])
        world.declare("other@else.example", ignore=["*@vendor.example", "exact@else.example"])
        self.check_plan(world,
                        ("keep", "pending@vendor.example", "ignored"),
                        ("keep", "accepted@vendor.example", "ignored"),
                        ("keep", "expired@vendor.example", "ignored"),
                        ("keep", "Odd@Vendor.Example", "ignored"),
                        ("keep", "twice@vendor.example", "ignored"),
                        ("keep", "exact@else.example", "ignored"),
                        ("keep", "other@else.example", "pending"),
                        words=[("pending@vendor.example", "ignore pattern")])
        self.check_quiet(world)

    def test_unknown_status_and_role_concern_that_person_only(self):
        world = World(self, invites=[
            {"email": "status@example.com", "status": "suspended", "id": "invite-s"},
            {"email": "role@example.com", "role": "admin", "id": "invite-r"},
            {"email": "undeclared@example.com", "status": "frozen"},
            # One odd invite among good ones makes the whole person doubtful.
            {"email": "both@example.com"}, {"email": "both@example.com", "status": "odd"},
            {"email": "out@example.com", "id": "invite-out"}])
        world.declare("status@example.com", "role@example.com", "both@example.com",
                      "new@example.com")
        plan = self.check_plan(world,
                               ("attention", "status@example.com", "unknown-status"),
                               ("attention", "role@example.com", "unknown-status"),
                               ("attention", "undeclared@example.com", "unknown-status"),
                               ("attention", "both@example.com", "unknown-status"),
                               ("invite", "new@example.com", "not-invited"),
                               ("revoke", "out@example.com", "undeclared"),
                               words=[("status@example.com", "status `suspended`.*unknown"),
                                      ("role@example.com", "role `admin`.*unknown")])
        self.assertEqual(plan.line("status@example.com")["invite_id"], "invite-s")
        self.check_apply(world, [("create", "new@example.com"), ("delete", "invite-out")])
        self.check_plan(world,
                        ("attention", "status@example.com", "unknown-status"),
                        ("attention", "role@example.com", "unknown-status"),
                        ("attention", "undeclared@example.com", "unknown-status"),
                        ("attention", "both@example.com", "unknown-status"),
                        ("keep", "new@example.com", "pending"))
        self.check_quiet(world)


class Declared(VerdictCase):
    def test_not_invited(self):
        world = World(self)
        world.declare("plain@example.com", {"email": "Owner@Example.com", "role": "owner"},
                      {"email": "none@example.com", "projects": []},
                      {"email": "some@example.com",
                       "projects": ["proj_a", {"id": "proj_b", "role": "owner"}]})
        plan = self.check_plan(world,
                               ("invite", "plain@example.com", "not-invited"),
                               ("invite", "Owner@Example.com", "not-invited"),
                               ("invite", "none@example.com", "not-invited"),
                               ("invite", "some@example.com", "not-invited"),
                               words=[("plain@example.com", r"^\s*\+ +invite .*not invited yet"),
                                      ("some@example.com", r"proj_a, proj_b \(owner\)")])
        self.assertEqual(plan.line("plain@example.com"),
                         {"action": "invite", "email": "plain@example.com", "role": "reader",
                          "projects": None, "reason": "not-invited", "invite_id": None,
                          "user_id": None, "blocked_by": []})
        self.assertEqual(plan.line("none@example.com")["projects"], [])
        self.check_apply(world, [("create", "plain@example.com"), ("create", "Owner@Example.com"),
                                 ("create", "none@example.com"), ("create", "some@example.com")])
        # Three meanings of `projects`, each sent as it was meant; the address as it was written.
        bodies = {entry["email"]: entry["body"] for entry in world.sandbox.requests("create")}
        self.assertEqual(bodies, {
            "plain@example.com": {"email": "plain@example.com", "role": "reader"},
            "Owner@Example.com": {"email": "Owner@Example.com", "role": "owner"},
            "none@example.com": {"email": "none@example.com", "role": "reader", "projects": []},
            "some@example.com": {"email": "some@example.com", "role": "reader",
                                 "projects": [{"id": "proj_a", "role": "member"},
                                              {"id": "proj_b", "role": "owner"}]}})
        self.assertEqual(set(world.sandbox.mails().values()), {1})
        self.check_in_sync(world)

    def test_writes_tell_their_ids(self):
        world = World(self, invites=[{"email": "out@example.com", "id": "invite-out"}])
        world.declare("new@example.com")
        applied = world.apply()
        logged = {entry["call"]: entry for entry in world.sandbox.writes()}
        new, out = applied.line("new@example.com"), applied.line("out@example.com")
        self.assertEqual(new["request_id"], logged["create"]["request_id"])
        self.assertEqual(out["request_id"], logged["delete"]["request_id"])
        self.assertEqual(new["invite_id"], world.sandbox.invites("new@example.com")[0]["id"])
        self.assertEqual(out["invite_id"], "invite-out")

    def test_pending(self):
        world = World(self, invites=[
            {"email": "Ada@Example.COM"},
            {"email": "projects@example.com",
             "projects": [{"id": "proj_b", "role": "owner"}, {"id": "proj_a", "role": "member"}]},
            {"email": "none@example.com", "projects": []},
            {"email": "free@example.com", "projects": [{"id": "proj_x", "role": "member"}]}])
        world.declare("ada@example.com",
                      {"email": "projects@example.com",
                       "projects": ["proj_a", {"id": "proj_b", "role": "owner"}]},
                      {"email": "none@example.com", "projects": []}, "free@example.com")
        self.check_plan(world,
                        ("keep", "ada@example.com", "pending"),
                        ("keep", "projects@example.com", "pending"),
                        ("keep", "none@example.com", "pending"),
                        ("keep", "free@example.com", "pending"),
                        words=[("ada@example.com", r"not accepted yet; expires 2\d\d\d-")])
        self.check_quiet(world)

    def test_role_differs(self):
        world = World(self, invites=[{"email": "ada@example.com", "id": "invite-old"}])
        world.declare({"email": "ada@example.com", "role": "owner"})
        plan = self.check_plan(world, ("replace", "ada@example.com", "role-differs"),
                               words=[("ada@example.com",
                                       r"~ +replace .*owner .*pending invite is for reader")])
        self.assertEqual(plan.line("ada@example.com")["invite_id"], "invite-old")
        self.assertEqual(plan.line("ada@example.com")["role"], "owner")
        applied = self.check_apply(world, [("delete", "invite-old"),
                                           ("create", "ada@example.com")])
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()],
                         ["list", "delete", "create"])
        now = world.sandbox.invites()
        self.assertEqual([(one["email"], one["role"]) for one in now],
                         [("ada@example.com", "owner")])
        self.assertEqual(applied.line("ada@example.com")["new_invite_id"], now[0]["id"])
        self.assertEqual(world.sandbox.mails(), {"ada@example.com": 1})
        self.check_in_sync(world)

    def test_projects_differ(self):
        member = [{"id": "proj_a", "role": "member"}]
        world = World(self, invites=[
            {"email": "more@example.com", "projects": member, "id": "invite-more"},
            {"email": "role@example.com", "projects": member, "id": "invite-role"},
            {"email": "none@example.com", "projects": member, "id": "invite-none"},
            {"email": "some@example.com", "projects": [], "id": "invite-some"}])
        world.declare({"email": "more@example.com", "projects": ["proj_a", "proj_b"]},
                      {"email": "role@example.com",
                       "projects": [{"id": "proj_a", "role": "owner"}]},
                      {"email": "none@example.com", "projects": []},
                      {"email": "some@example.com", "projects": ["proj_a"]})
        names = ("more", "role", "none", "some")
        self.check_plan(world,
                        *(("replace", f"{name}@example.com", "projects-differ") for name in names),
                        words=[("more@example.com", "pending invite has proj_a"),
                               ("some@example.com", "pending invite has no project")])
        self.check_apply(world, [("delete", f"invite-{name}") for name in names] +
                         [("create", f"{name}@example.com") for name in names])
        self.assertEqual(world.sandbox.invites("role@example.com")[0]["projects"],
                         [{"id": "proj_a", "role": "owner"}])
        self.assertEqual(world.sandbox.invites("none@example.com")[0]["projects"], [])
        self.check_in_sync(world)

    def test_projects_null_or_missing_are_not_compared(self):
        world = World(self, invites=[{"email": "null@example.com", "projects": None},
                                     {"email": "omit@example.com", "projects": "omit"},
                                     {"email": "role@example.com", "projects": "omit",
                                      "id": "invite-role"}])
        world.declare({"email": "null@example.com", "projects": ["proj_a"]},
                      {"email": "omit@example.com", "projects": []},
                      {"email": "role@example.com", "role": "owner", "projects": ["proj_a"]})
        self.check_plan(world,
                        ("keep", "null@example.com", "pending"),
                        ("keep", "omit@example.com", "pending"),
                        ("replace", "role@example.com", "role-differs"))
        self.check_apply(world, [("delete", "invite-role"), ("create", "role@example.com")])

    def test_not_as_sent(self):
        world = World(self)
        world.declare({"email": "ada@example.com", "projects": ["proj_a"]}, "ben@example.com")
        created = self.check_apply(world, [("create", "ada@example.com"),
                                           ("create", "ben@example.com")])
        for email, change in (("ada@example.com", {"projects": []}),
                              ("ben@example.com", {"role": "owner"})):
            invite = created.line(email)["invite_id"]
            world.sandbox.post("delete", id=invite)
            world.sandbox.post("invite", email=email, id=invite, **change)
        self.check_plan(world,
                        ("attention", "ada@example.com", "not-as-sent"),
                        ("attention", "ben@example.com", "not-as-sent"),
                        words=[("ada@example.com", "otherwise than it was sent")])
        # Replacing it would make the same invite again, for ever.
        self.check_quiet(world)

    def test_our_invite_with_another_address_is_not_as_sent(self):
        world = World(self)
        world.declare("ada@example.com")
        created = self.check_apply(world, [("create", "ada@example.com")])
        invite = created.line("ada@example.com")["invite_id"]
        world.sandbox.post("delete", id=invite)
        world.sandbox.post("invite", email="ada.lovelace@example.com", id=invite)
        self.check_plan(world, ("attention", "ada@example.com", "not-as-sent"))
        self.check_quiet(world)

    def test_duplicate_keeps_the_newest_that_matches(self):
        world = World(self, invites=[
            {"email": "ada@example.com", "age": 400, "id": "invite-1"},
            {"email": "ADA@example.com", "age": 300, "id": "invite-2"},
            {"email": "ada@example.com", "age": 200, "id": "invite-3", "role": "owner"},
            {"email": "ada@example.com", "age": 100, "id": "invite-4", "status": "expired"}])
        world.declare("ada@example.com")
        plan = self.check_plan(world,
                               ("keep", "ada@example.com", "pending"),
                               ("revoke", "ada@example.com", "duplicate"),
                               ("revoke", "ada@example.com", "duplicate"),
                               words=[("ada@example.com", "another invite of the same person")])
        self.assertEqual({line["invite_id"]: (line["action"], line["role"])
                          for line in plan.actions},
                         {"invite-1": ("revoke", "reader"), "invite-2": ("keep", "reader"),
                          "invite-3": ("revoke", "owner")})
        self.check_apply(world, [("delete", "invite-1"), ("delete", "invite-3")])
        self.assertEqual(sorted(one["id"] for one in world.sandbox.invites()),
                         ["invite-2", "invite-4"])
        self.assertEqual(world.sandbox.mails(), {})
        self.check_in_sync(world)

    def test_duplicate_replaces_the_newest_if_none_matches(self):
        world = World(self, invites=[
            {"email": "ada@example.com", "age": 300, "id": "invite-1"},
            {"email": "ada@example.com", "age": 200, "id": "invite-2"},
            {"email": "ada@example.com", "age": 100, "id": "invite-3"}])
        world.declare({"email": "ada@example.com", "role": "owner"})
        plan = self.check_plan(world,
                               ("replace", "ada@example.com", "role-differs"),
                               ("revoke", "ada@example.com", "duplicate"),
                               ("revoke", "ada@example.com", "duplicate"))
        replaced = [line for line in plan.actions if line["action"] == "replace"]
        self.assertEqual(replaced[0]["invite_id"], "invite-3")
        self.check_apply(world, [("delete", "invite-1"), ("delete", "invite-2"),
                                 ("delete", "invite-3"), ("create", "ada@example.com")])
        self.assertEqual([(one["role"], one["status"]) for one in world.sandbox.invites()],
                         [("owner", "pending")])
        self.assertEqual(world.sandbox.mails(), {"ada@example.com": 1})
        self.check_in_sync(world)

    def test_member(self):
        world = World(self, invites=[
            {"email": "ada@example.com", "status": "accepted"},
            {"email": "ben@example.com", "status": "accepted", "age": 50},
            {"email": "ben@example.com", "status": "expired", "age": 90},
            # Accepted once, invited again: what is live decides.
            {"email": "cyd@example.com", "status": "accepted", "member": False, "age": 90},
            {"email": "cyd@example.com", "age": 50}])
        world.declare("ada@example.com", "ben@example.com", "cyd@example.com")
        self.check_plan(world,
                        ("keep", "ada@example.com", "member"),
                        ("keep", "ben@example.com", "member"),
                        ("keep", "cyd@example.com", "pending"),
                        words=[("ada@example.com", "accepted the invite")])
        text = world.run("plan")
        self.assertIn("2 accepted invites are taken for members.", text.out)
        self.check_quiet(world)

    def test_accepted_role_differs(self):
        world = World(self, invites=[{"email": "ada@example.com", "status": "accepted"},
                                     {"email": "ben@example.com", "status": "accepted",
                                      "projects": [{"id": "proj_x", "role": "member"}]}])
        world.declare({"email": "ada@example.com", "role": "owner"},
                      {"email": "ben@example.com", "projects": []})
        self.check_plan(world,
                        ("attention", "ada@example.com", "accepted-role-differs"),
                        ("keep", "ben@example.com", "member"),
                        words=[("ada@example.com", "accepted as reader: change the role by hand")])
        self.check_quiet(world)

    def check_renewal(self, world):
        self.check_plan(world, ("renew", "ada@example.com", "invite-expired"),
                        words=[("ada@example.com", r"\^ +renew .*expired 2\d\d\d-")])
        self.check_apply(world, [("create", "ada@example.com")])
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()], ["list", "create"])
        self.assertEqual(world.sandbox.mails(), {"ada@example.com": 1})
        self.assertEqual(len(world.sandbox.invites("ada@example.com")), 2)
        self.check_in_sync(world)

    def test_invite_expired(self):
        world = World(self, invites=[{"email": "ada@example.com", "status": "expired"}])
        world.declare("ada@example.com")
        self.check_renewal(world)

    def test_pending_past_its_expiry_counts_as_expired(self):
        world = World(self, org={"expiry_reads": "pending"},
                      invites=[{"email": "ada@example.com", "age": 7200, "expires_in": -60}])
        world.declare("ada@example.com")
        self.assertEqual(world.sandbox.invites()[0]["status"], "pending")
        self.check_renewal(world)

    def test_expiry_goes_by_the_date_of_the_service(self):
        world = World(self, org={"expiry_reads": "pending"},
                      invites=[{"email": "ada@example.com", "expires_in": 86400}])
        world.declare("ada@example.com")
        self.check_plan(world, ("keep", "ada@example.com", "pending"))
        world.sandbox.post("advance", seconds=2 * 86400)
        self.check_renewal(world)

    def test_renewals_exhausted(self):
        # Without a settle time: an invite that has vanished is believed to be gone at once.
        world = World(self, settle="0s", limits={"renewals": 1})
        world.declare("ada@example.com")
        self.check_apply(world, [("create", "ada@example.com")])
        world.sandbox.post("expire", email="ada@example.com")
        self.check_plan(world, ("renew", "ada@example.com", "invite-expired"))
        self.check_apply(world, [("create", "ada@example.com")])
        world.sandbox.post("expire", email="ada@example.com")
        self.check_plan(world, ("attention", "ada@example.com", "renewals-exhausted"),
                        words=[("ada@example.com", r"limits\.renewals")])
        self.check_quiet(world)
        # Nor in any other way: not if the invite vanishes altogether.
        world.sandbox.post("delete", email="ada@example.com")
        self.check_plan(world, ("attention", "ada@example.com", "renewals-exhausted"))
        self.check_quiet(world)
        # Another wish is counted by itself.
        world.declare({"email": "ada@example.com", "role": "owner"})
        self.check_plan(world, ("invite", "ada@example.com", "not-invited"))

    def test_no_renewals_at_all(self):
        world = World(self, limits={"renewals": 0})
        world.declare("ada@example.com")
        self.check_apply(world, [("create", "ada@example.com")])
        world.sandbox.post("expire", email="ada@example.com")
        self.check_plan(world, ("attention", "ada@example.com", "renewals-exhausted"))
        self.check_quiet(world)

    def test_create_refused(self):
        world = World(self)
        world.declare("ada@example.com", "ben@example.com")
        world.sandbox.fault("call=create,email=ada@example.com,do=status,status=400")
        applied = self.check_apply(world, [("create", "ada@example.com"),
                                           ("create", "ben@example.com")], EXIT_TROUBLE)
        self.assertEqual(applied.line("ada@example.com")["result"], "failed")
        self.assertEqual(applied.line("ben@example.com")["result"], "done")
        self.check_plan(world,
                        ("attention", "ada@example.com", "create-refused"),
                        ("keep", "ben@example.com", "pending"),
                        words=[("ada@example.com", "refused by the service")])
        self.check_quiet(world)
        # A wish that changes is a new one.
        world.sandbox.clear_faults()
        world.declare({"email": "ada@example.com", "role": "owner"}, "ben@example.com")
        self.check_plan(world,
                        ("invite", "ada@example.com", "not-invited"),
                        ("keep", "ben@example.com", "pending"))
        self.check_apply(world, [("create", "ada@example.com")])


class NotDeclared(VerdictCase):
    def test_undeclared(self):
        world = World(self, invites=[
            {"email": "Mallory@example.com", "id": "invite-1", "role": "owner", "age": 60},
            {"email": "mallory@example.com", "id": "invite-2"},
            {"email": "ada@example.com", "id": "invite-3"}])
        world.declare("ada@example.com")
        plan = world.plan()
        self.assert_exit(plan, EXIT_PENDING)
        self.assertEqual(sorted((line["action"], line["invite_id"], line["role"], line["reason"])
                                for line in plan.actions),
                         [("revoke", "invite-1", "owner", "undeclared"),
                          ("revoke", "invite-2", "reader", "undeclared")])
        text = world.run("plan")
        self.assertRegex(text.out, r"- +revoke .*allory@example\.com .*not in the member file")
        self.check_apply(world, [("delete", "invite-1"), ("delete", "invite-2")])
        self.assertEqual([one["id"] for one in world.sandbox.invites()], ["invite-3"])
        self.check_in_sync(world)

    def test_membership_ended_goes_by_the_date_of_the_service(self):
        world = World(self, org={"lifetime": 30 * 86400},
                      invites=[{"email": "ada@example.com", "id": "invite-1"},
                               {"email": "ben@example.com", "status": "accepted"}])
        now = world.sandbox.now()
        last = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).date() + \
            datetime.timedelta(days=2)
        end = datetime.datetime(last.year, last.month, last.day,
                                tzinfo=datetime.timezone.utc).timestamp() + 86400
        world.declare({"email": "ada@example.com", "until": last.isoformat()},
                      {"email": "ben@example.com", "until": last.isoformat()})
        self.check_plan(world, ("keep", "ada@example.com", "pending"),
                        ("keep", "ben@example.com", "member"))
        # The last quarter of an hour of the last day, then the first of the next one.
        world.sandbox.post("advance", seconds=end - now - 900)
        self.check_plan(world, ("keep", "ada@example.com", "pending"),
                        ("keep", "ben@example.com", "member"))
        self.check_quiet(world)
        world.sandbox.post("advance", seconds=1800)
        self.check_plan(world,
                        ("revoke", "ada@example.com", "membership-ended"),
                        ("attention", "ben@example.com", "accepted-undeclared"),
                        words=[("ada@example.com", r"membership has ended \(until\)")])
        run = world.run("plan")
        self.assertRegex(run.err, "clock is .* behind the service's")
        self.check_apply(world, [("delete", "invite-1")])
        self.assertEqual([one["email"] for one in world.sandbox.invites()], ["ben@example.com"])

    def test_nobody_is_invited_after_until(self):
        world = World(self)
        world.declare({"email": "ada@example.com", "until": "2020-02-29"}, "ben@example.com")
        self.check_plan(world, ("invite", "ben@example.com", "not-invited"))

    def test_accepted_undeclared(self):
        world = World(self, invites=[
            {"email": "ada@example.com", "status": "accepted", "age": 90},
            {"email": "ben@example.com", "status": "accepted", "age": 90, "member": False},
            {"email": "ben@example.com", "age": 50, "id": "invite-live"}])
        world.declare()
        self.check_plan(world,
                        ("attention", "ada@example.com", "accepted-undeclared"),
                        ("attention", "ben@example.com", "accepted-undeclared"),
                        ("revoke", "ben@example.com", "undeclared"),
                        words=[("ada@example.com", "remove the user by hand")])
        self.check_apply(world, [("delete", "invite-live")])
        self.check_quiet(world)

    def test_expired_undeclared(self):
        world = World(self, org={"expiry_reads": "pending"},
                      invites=[{"email": "ada@example.com", "status": "expired"},
                               {"email": "ben@example.com", "age": 900, "expires_in": -60}])
        world.declare()
        self.check_plan(world,
                        ("keep", "ada@example.com", "expired-undeclared"),
                        ("keep", "ben@example.com", "expired-undeclared"),
                        words=[("ada@example.com", "expired, and not in the member file")])
        self.check_quiet(world)


class CreateOnly(VerdictCase):
    def test_what_would_delete_is_pointed_out_only(self):
        world = World(self, policy="create-only", invites=[
            {"email": "role@example.com"},
            {"email": "projects@example.com"},
            {"email": "twice@example.com", "age": 90}, {"email": "twice@example.com", "age": 50},
            {"email": "out@example.com"}, {"email": "ended@example.com"}])
        world.declare({"email": "role@example.com", "role": "owner"},
                      {"email": "projects@example.com", "projects": ["proj_a"]},
                      "twice@example.com", {"email": "ended@example.com", "until": "2020-01-01"},
                      "new@example.com")
        self.check_plan(world,
                        ("attention", "role@example.com", "role-differs"),
                        ("attention", "projects@example.com", "projects-differ"),
                        ("keep", "twice@example.com", "pending"),
                        ("attention", "twice@example.com", "duplicate"),
                        ("attention", "out@example.com", "undeclared"),
                        ("attention", "ended@example.com", "membership-ended"),
                        ("invite", "new@example.com", "not-invited"),
                        words=[("role@example.com", "create-only replaces nothing"),
                               ("projects@example.com", "create-only replaces nothing"),
                               ("out@example.com", "create-only revokes nothing")])
        self.check_apply(world, [("create", "new@example.com")])
        self.check_quiet(world)

    def test_option_and_limits_agree(self):
        # Lines that write nothing count towards no limit.
        world = World(self, policy="sync", limits={"revocations": 0},
                      invites=[{"email": "out@example.com"}])
        world.declare("ada@example.com")
        self.assert_exit(world.plan(), EXIT_BLOCKED)
        plan = world.plan("--policy", "create-only")
        self.assert_exit(plan, EXIT_PENDING)
        self.assertEqual(plan.line("out@example.com")["blocked_by"], [])

    def test_a_renewal_never_deletes(self):
        world = World(self, "--strict-reinvite", policy="create-only",
                      invites=[{"email": "ada@example.com", "status": "expired"}])
        world.declare("ada@example.com")
        self.check_plan(world, ("renew", "ada@example.com", "invite-expired"))
        applied = self.check_apply(world, [("create", "ada@example.com")], EXIT_TROUBLE)
        self.assertEqual(applied.line("ada@example.com")["result"], "failed")
        self.assertEqual(len(world.sandbox.invites()), 1)
        self.assertEqual(world.sandbox.mails(), {})


if __name__ == "__main__":
    harness.main()

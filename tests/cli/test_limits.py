#!/usr/bin/env python3
"""Limits: what they block, what they say, and what an approval carries out, once."""

import harness
from harness import EXIT_BLOCKED, EXIT_OK, EXIT_PENDING, TestCase, World


def people(count, prefix="user", **more):
    return [{"email": f"{prefix}{i:02}@example.com", "id": f"invite-{prefix}{i:02}", **more}
            for i in range(count)]


def addresses(entries):
    return [entry["email"] for entry in entries]


class LimitCase(TestCase):
    def check_blocked(self, world, blocked, free, limits, *words):
        """
        `plan` blocks exactly the lines for these addresses by these limits, leaves the others
        alone, and says so with the figures. Returns the approval id.
        """
        plan = world.plan()
        self.assert_exit(plan, EXIT_BLOCKED)
        by_address = {line["email"]: line["blocked_by"] for line in plan.actions}
        self.assertEqual(by_address, {**{email: limits for email in blocked},
                                      **{email: [] for email in free}}, str(plan))
        self.assertEqual(plan.json["summary"]["blocked"], len(blocked))
        self.assertIs(plan.json["in_sync"], False)
        approval = plan.json["approval"]
        self.assertRegex(approval, "^[0-9a-f]{12}$")

        text = world.run("plan")
        self.assert_exit(text, EXIT_BLOCKED)
        verb = "is" if len(blocked) == 1 else "are"
        self.assertIn(f"Blocked: {len(blocked)} of these {verb} not done.", text.out)
        for email in blocked:
            self.assertIn("blocked by " + ", ".join(limits), text.text_line(email))
        for email in free:
            self.assertNotIn("blocked", text.text_line(email))
        for pattern in words:
            self.assertRegex(text.out, pattern)
        command = world.approval_command(text)
        self.assertEqual(command[:3], ["apply", "--approve", approval])
        return approval

    def check_apply_does_the_rest(self, world, approval, blocked, free):
        world.sandbox.clear_log()
        applied = world.apply()
        self.assert_exit(applied, EXIT_BLOCKED)
        self.assertEqual({line["email"]: line["result"] for line in applied.actions},
                         {**{email: "blocked" for email in blocked},
                          **{email: "done" for email in free}})
        self.assertEqual(len(world.sandbox.writes()), len(free))
        # The id survives the unblocked rest being done.
        self.assertEqual(applied.json["approval"], approval)
        again = world.plan()
        self.assert_exit(again, EXIT_BLOCKED)
        self.assertEqual(again.json["approval"], approval)
        self.assertEqual(sorted(line["email"] for line in again.actions), sorted(blocked))
        return again

    def check_approval(self, world, blocked, writes):
        """The command as printed carries out exactly the blocked part, and only once."""
        text = world.run("apply")
        self.assert_exit(text, EXIT_BLOCKED)
        command = world.approval_command(text)
        world.sandbox.clear_log()
        approved = world.run(*command, bare=True)
        self.assert_exit(approved, EXIT_OK)
        self.assertIn(f"Applied: {len(blocked)} done.", approved.out)
        sent = [(entry["call"], entry["email"] if entry["call"] == "create"
                 else entry["invite_id"]) for entry in world.sandbox.writes()]
        self.assertEqual(sorted(sent), sorted(writes))

        world.sandbox.clear_log()
        again = world.run(*command, bare=True)
        self.assert_exit(again, EXIT_OK)
        self.assertEqual(world.sandbox.writes(), [])
        self.assertIn("--approve was not needed", again.err)
        self.assert_exit(world.plan(), EXIT_OK)
        return command


class Limits(LimitCase):
    def test_revocations(self):
        out = people(2, "out")
        world = World(self, invites=[*out, {"email": "role@example.com", "id": "invite-role"}],
                      limits={"revocations": 2})
        world.declare({"email": "role@example.com", "role": "owner"}, "new@example.com")
        blocked = [*addresses(out), "role@example.com"]
        approval = self.check_blocked(
            world, blocked, ["new@example.com"], ["revocations"],
            "limits.revocations: 3 live invites would be revoked or replaced, 2 are allowed")
        self.check_apply_does_the_rest(world, approval, blocked, ["new@example.com"])
        self.check_approval(world, blocked,
                            [("delete", "invite-out00"), ("delete", "invite-out01"),
                             ("delete", "invite-role"), ("create", "role@example.com")])
        self.assertEqual(world.sandbox.live(), ["new@example.com", "role@example.com"])

    def test_as_many_as_allowed_are_not_blocked(self):
        out = people(3, "out")
        world = World(self, invites=out,
                      limits={"revocations": 3, "invites": 2, "owner_invites": 1})
        world.declare("ada@example.com", {"email": "ben@example.com", "role": "owner"})
        plan = world.plan()
        self.assert_exit(plan, EXIT_PENDING)
        self.assertIsNone(plan.json["approval"])
        self.assert_exit(world.apply(), EXIT_OK)

    def test_revocation_ratio(self):
        kept, out = people(8, "kept"), people(4, "out")
        world = World(self, invites=kept + out)
        world.declare(*addresses(kept), "new@example.com")
        blocked = addresses(out)
        approval = self.check_blocked(
            world, blocked, ["new@example.com"], ["revocation_ratio"],
            r"limits\.revocation_ratio: 33 % of all live invites would be revoked or replaced, "
            "25 % are allowed")
        # With one more live invite the share is another one, yet the blocked part is the same.
        self.check_apply_does_the_rest(world, approval, blocked, ["new@example.com"])
        self.check_approval(world, blocked, [("delete", entry["id"]) for entry in out])

    def test_revocation_ratio_that_is_just_reached(self):
        kept, out = people(9, "kept"), people(3, "out")
        world = World(self, invites=kept + out)
        world.declare(*addresses(kept))
        self.assert_exit(world.plan(), EXIT_PENDING)

    def test_revocation_ratio_needs_ten_live_invites(self):
        out = people(9, "out")
        gone = people(5, "gone", status="expired") + people(5, "member", status="accepted")
        world = World(self, invites=out + gone)
        world.declare()
        plan = world.plan()
        self.assert_exit(plan, EXIT_PENDING)
        self.assertEqual(plan.json["summary"]["revoke"], 9)
        world.sandbox.post("invite", email="tenth@example.com")
        tenth = world.plan()
        self.assert_exit(tenth, EXIT_BLOCKED)
        self.assertEqual(tenth.line("tenth@example.com")["blocked_by"], ["revocation_ratio"])

    def test_both_limits_on_revocations(self):
        out = people(12, "out")
        world = World(self, invites=out)
        world.declare("new@example.com")
        self.check_blocked(world, addresses(out), ["new@example.com"],
                           ["revocations", "revocation_ratio"],
                           r"limits\.revocations: 12 .* 10 are allowed",
                           r"limits\.revocation_ratio: 100 % .* 25 % are allowed")

    def test_invites(self):
        world = World(self, limits={"invites": 2},
                      invites=[{"email": "role@example.com", "id": "invite-role"},
                               {"email": "late@example.com", "status": "expired"},
                               {"email": "out@example.com", "id": "invite-out"}])
        world.declare({"email": "role@example.com", "role": "owner"}, "late@example.com",
                      "new@example.com")
        blocked = ["role@example.com", "late@example.com", "new@example.com"]
        approval = self.check_blocked(
            world, blocked, ["out@example.com"], ["invites"],
            r"limits\.invites: 3 people would be invited, 2 are allowed")
        self.check_apply_does_the_rest(world, approval, blocked, ["out@example.com"])
        self.check_approval(world, blocked,
                            [("create", email) for email in blocked] + [("delete", "invite-role")])

    def test_owner_invites(self):
        world = World(self, invites=[{"email": "role@example.com", "id": "invite-role"}])
        world.declare({"email": "role@example.com", "role": "owner"},
                      {"email": "owner@example.com", "role": "owner"}, "new@example.com")
        blocked = ["role@example.com", "owner@example.com"]
        approval = self.check_blocked(
            world, blocked, ["new@example.com"], ["owner_invites"],
            r"limits\.owner_invites: 2 owners would be invited or made, 1 is allowed")
        self.check_apply_does_the_rest(world, approval, blocked, ["new@example.com"])
        self.check_approval(world, blocked, [("create", "role@example.com"),
                                             ("create", "owner@example.com"),
                                             ("delete", "invite-role")])

    def test_two_kinds_at_once(self):
        world = World(self, limits={"revocations": 0, "invites": 0, "owner_invites": 0},
                      invites=[{"email": "role@example.com"}, {"email": "out@example.com"}])
        world.declare({"email": "role@example.com", "role": "owner"}, "new@example.com")
        plan = world.plan()
        self.assert_exit(plan, EXIT_BLOCKED)
        self.assertEqual({line["email"]: line["blocked_by"] for line in plan.actions},
                         {"role@example.com": ["revocations", "invites", "owner_invites"],
                          "out@example.com": ["revocations"],
                          "new@example.com": ["invites"]})

    def test_vanished(self):
        entries = people(12)
        world = World(self, invites=entries)
        world.declare(*addresses(entries))
        self.assert_exit(world.apply(), EXIT_OK)
        for entry in entries[:6]:
            world.sandbox.post("delete", id=entry["id"])
        world.sandbox.post("invite", email="out@example.com", id="invite-out")
        # Seven of twelve are not fewer than half.
        self.assert_exit(world.plan(), EXIT_PENDING)
        world.sandbox.post("delete", id=entries[6]["id"])
        self.assert_exit(world.plan(), EXIT_PENDING)
        world.sandbox.post("delete", id=entries[7]["id"])
        blocked = [*addresses(entries[:8]), "out@example.com"]
        approval = self.check_blocked(
            world, blocked, [], ["vanished"],
            "vanished: 5 live invites are listed, and there were 12 at the last pass")
        # What was not believed does not become the measure.
        self.check_apply_does_the_rest(world, approval, blocked, [])
        self.check_apply_does_the_rest(world, approval, blocked, [])
        self.check_approval(world, blocked, [("create", email) for email in blocked[:-1]] +
                            [("delete", "invite-out")])

    def test_vanished_needs_ten_before(self):
        entries = people(9)
        world = World(self, invites=entries)
        world.declare(*addresses(entries))
        self.assert_exit(world.apply(), EXIT_OK)
        for entry in entries:
            world.sandbox.post("delete", id=entry["id"])
        self.assert_exit(world.plan(), EXIT_PENDING)

    def test_zero_allows_none(self):
        for limit, members, invites in (
                ("revocations", [], people(1)),
                ("revocation_ratio", addresses(people(9)), people(10)),
                ("invites", ["new@example.com"], []),
                ("owner_invites", [{"email": "new@example.com", "role": "owner"}], [])):
            with self.subTest(limit=limit):
                world = World(self, invites=invites,
                              limits={limit: 0.0 if limit == "revocation_ratio" else 0})
                world.declare(*members)
                plan = world.plan()
                self.assert_exit(plan, EXIT_BLOCKED)
                self.assertEqual([line["blocked_by"] for line in plan.actions], [[limit]])
                applied = world.apply()
                self.assert_exit(applied, EXIT_BLOCKED)
                self.assertEqual(world.sandbox.writes(), [])


class Approval(LimitCase):
    def world(self, **more):
        world = World(self, invites=people(2, "out"), limits={"revocations": 1}, **more)
        world.declare("ada@example.com")
        return world

    def check_refused(self, world, approval):
        """The id carries out nothing."""
        world.sandbox.clear_log()
        run = world.apply("--approve", approval)
        self.assert_exit(run, EXIT_BLOCKED)
        self.assertEqual(world.sandbox.requests("delete"), [])
        self.assertRegex(run.err, f"--approve {approval} does not fit")
        self.assertNotEqual(run.json["approval"], approval)

    def test_dies_with_one_more_blocked_line(self):
        world = self.world()
        approval = world.plan().json["approval"]
        world.sandbox.post("invite", email="third@example.com")
        self.assertNotEqual(world.plan().json["approval"], approval)
        self.check_refused(world, approval)

    def test_dies_with_another_invite_of_the_same_person(self):
        world = self.world()
        approval = world.plan().json["approval"]
        world.sandbox.post("delete", id="invite-out01")
        world.sandbox.post("invite", email="out01@example.com", id="invite-again")
        self.check_refused(world, approval)

    def test_dies_with_one_blocked_line_fewer(self):
        world = World(self, invites=people(3, "out"), limits={"revocations": 1})
        world.declare("ada@example.com")
        approval = world.plan().json["approval"]
        world.declare("ada@example.com", "out00@example.com")
        self.check_refused(world, approval)

    def test_dies_with_a_change_of_what_would_be_sent(self):
        world = World(self, limits={"invites": 0})
        world.declare("ada@example.com")
        first = world.plan().json["approval"]
        world.declare({"email": "ada@example.com", "projects": []})
        second = world.plan().json["approval"]
        world.declare({"email": "ada@example.com", "role": "owner", "projects": []})
        third = world.plan().json["approval"]
        self.assertEqual(len({first, second, third}), 3)
        world.sandbox.clear_log()
        self.assert_exit(world.apply("--approve", first), EXIT_BLOCKED)
        self.assertEqual(world.sandbox.writes(), [])

    def test_is_of_one_organisation(self):
        one = self.world().plan().json["approval"]
        other = self.world(org={"organization": "org-other"}).plan().json["approval"]
        self.assertNotEqual(one, other)

    def test_cannot_be_used_again_for_the_same_plan(self):
        world = self.world()
        approval = world.plan().json["approval"]
        self.assert_exit(world.apply("--approve", approval), EXIT_OK)
        self.assertEqual(world.sandbox.live(), ["ada@example.com"])
        # The very same invites once more. A listing after the settle time has to be waited for:
        # until then they count as deleted.
        world.configure(limits={"revocations": 1}, settle="0s")
        for entry in people(2, "out"):
            world.sandbox.post("invite", **entry)
        self.check_refused(world, approval)
        self.assertEqual(len(world.sandbox.live()), 3)

    def test_a_wrong_id_lets_the_rest_be_done(self):
        world = self.world()
        run = world.apply("--approve", "0123456789ab")
        self.assert_exit(run, EXIT_BLOCKED)
        self.assertEqual([entry["call"] for entry in world.sandbox.writes()], ["create"])
        self.assertIn("does not fit", run.err)

    def test_goes_with_the_other_options(self):
        """The printed command works where nothing stands in a file, whatever is in the paths."""
        world = self.world(name="it's a \"world\" $HOME")
        config = world.files / "limits only.conf"
        config.write_text("inviterd:\n{ limits: { revocations = 1; }; };\n")
        options = ["--config", str(config), "--members", str(world.member_path), "--base-url",
                   world.sandbox.url, "--users", "off", "--state-dir", str(world.state),
                   "--color", "never"]
        text = world.run("plan", *options, bare=True)
        self.assert_exit(text, EXIT_BLOCKED)
        command = world.approval_command(text)
        applied = world.run(*command, bare=True)
        self.assert_exit(applied, EXIT_OK)
        self.assertEqual(world.sandbox.live(), ["ada@example.com"])

    def test_only_goes_with_apply(self):
        world = self.world()
        for command in (["plan"], ["run"], ["list"], ["check"]):
            run = world.run(*command, "-o", "json", "--approve", "0123456789ab")
            self.assert_error(run, harness.EXIT_USAGE, "--approve goes with apply")
        self.assert_untouched(world)


if __name__ == "__main__":
    harness.main()

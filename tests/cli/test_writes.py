#!/usr/bin/env python3
"""Writing: nobody is mailed twice, one bad entry stops nobody else, and every doubt is settled."""

import os
import signal
import unittest

import harness
from harness import (EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, READONLY_KEY,
                     TestCase, World, wait_for)

ADA, BEN, CYD = "ada@example.com", "ben@example.com", "cyd@example.com"


def many(count):
    return [f"user{i:02}@example.com" for i in range(count)]


class WriteCase(TestCase):
    def check_done(self, world, run, *emails):
        """All is done, each of these was mailed once, and a plan is in sync."""
        self.assert_exit(run, EXIT_OK)
        for email in emails:
            line = run.line(email)
            self.assertEqual(line["result"], "done", str(run))
            self.assertIsNone(line["error"])
        self.check_mailed_once(world, *emails)
        plan = world.plan()
        self.assert_exit(plan, EXIT_OK)

    def check_mailed_once(self, world, *emails):
        self.assertEqual(world.sandbox.mails(), {email: 1 for email in emails})
        for email in emails:
            live = [one for one in world.sandbox.invites(email) if one["status"] == "pending"]
            self.assertEqual(len(live), 1, email)

    def wait_for_call(self, world, call, count=1):
        return wait_for(lambda: len(world.sandbox.requests(call)) >= count and
                        world.sandbox.requests(call), f"{count} of {call}")


class Order(WriteCase):
    def test_invites_renewals_replacements_revocations(self):
        world = World(self, api={"concurrency": 1}, invites=[
            {"email": "out2@example.com", "id": "invite-out2"},
            {"email": "out1@example.com", "id": "invite-out1"},
            {"email": "role2@example.com", "id": "invite-role2"},
            {"email": "role1@example.com", "id": "invite-role1"},
            {"email": "late2@example.com", "status": "expired"},
            {"email": "late1@example.com", "status": "expired"}])
        projects = {"projects": ["proj_a"]}
        world.declare({"email": "role2@example.com", **projects},
                      {"email": "role1@example.com", **projects}, "late2@example.com",
                      "late1@example.com", "new2@example.com", "new1@example.com")
        applied = world.apply()
        self.assert_exit(applied, EXIT_OK)
        self.assertEqual([(entry["call"], entry["email"] if entry["call"] == "create"
                           else entry["invite_id"]) for entry in world.sandbox.writes()],
                         [("create", "new1@example.com"), ("create", "new2@example.com"),
                          ("create", "late1@example.com"), ("create", "late2@example.com"),
                          ("delete", "invite-role1"), ("create", "role1@example.com"),
                          ("delete", "invite-role2"), ("create", "role2@example.com"),
                          ("delete", "invite-out1"), ("delete", "invite-out2")])
        self.assertEqual([line["email"].partition("@")[0] for line in applied.actions],
                         ["new1", "new2", "late1", "late2", "role1", "role2", "out1", "out2"])

    def test_no_more_requests_at_a_time_than_configured(self):
        world = World(self, "--latency", "100", api={"concurrency": 3})
        world.declare(*many(12))
        self.check_done(world, world.apply(), *many(12))
        self.assertLessEqual(len({entry["connection"] for entry in world.sandbox.writes()}), 3)


class Lag(WriteCase):
    """A listing that lags behind makes nobody do anything twice."""

    def test_apply_twice(self):
        world = World(self, "--lag", "3000", settle="30s",
                      invites=[{"email": "out@example.com", "id": "invite-out"},
                               {"email": "role@example.com", "id": "invite-role"}])
        world.declare(ADA, BEN, {"email": "role@example.com", "role": "owner"})
        self.assert_exit(world.apply(), EXIT_OK)
        # The listing does not show it yet.
        listed = [one["email"] for one in world.run("list", "-o", "json").json["invites"]]
        self.assertEqual(sorted(listed), ["out@example.com", "role@example.com"])
        for _ in range(2):
            world.sandbox.clear_log()
            again = world.apply("--all")
            self.assert_exit(again, EXIT_OK)
            self.assertEqual(world.sandbox.writes(), [], str(again))
            self.assertEqual(sorted(again.lines()), [("keep", ADA, "pending"),
                                                     ("keep", BEN, "pending"),
                                                     ("keep", "role@example.com", "pending")])
        world.sandbox.post("advance", seconds=10)
        world.sandbox.clear_log()
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.writes(), [])
        self.assertEqual(world.sandbox.live(), [ADA, BEN, "role@example.com"])

    def test_what_a_lagging_listing_lacks_can_be_revoked(self):
        """Undeclared while the listing lacks it: it has to go once it shows."""
        world = World(self, "--lag", "2000", settle="2s")
        world.declare(ADA, BEN)
        self.assert_exit(world.apply(), EXIT_OK)
        world.declare(ADA)
        self.assert_exit(world.apply(), EXIT_OK)
        world.sandbox.post("advance", seconds=10)
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.live(), [ADA])


    def test_a_change_while_the_listing_lags(self):
        """The invite that the listing lacks is replaced all the same: we know its id."""
        world = World(self, "--lag", "3000", settle="30s")
        world.declare(ADA)
        first = world.apply().line(ADA)["invite_id"]
        world.declare({"email": ADA, "role": "owner"})
        world.sandbox.clear_log()
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual([(entry["call"], entry["invite_id"] if entry["call"] == "delete" else
                           entry["email"]) for entry in world.sandbox.writes()],
                         [("delete", first), ("create", ADA)])
        self.assertEqual([one["role"] for one in world.sandbox.invites(ADA)], ["owner"])
        self.assertEqual(world.plan("--all").lines(), [("keep", ADA, "pending")])

    def test_another_spelling_is_the_same_person(self):
        world = World(self, "--lag", "3000", settle="30s")
        world.declare("Ada@Example.com")
        self.assert_exit(world.apply(), EXIT_OK)
        world.declare(ADA)
        for seconds in (0, 60):
            world.sandbox.post("advance", seconds=seconds)
            plan = world.plan("--all")
            self.assert_exit(plan, EXIT_OK)
            self.assertEqual(plan.lines(), [("keep", ADA, "pending")])


class UnknownOutcome(WriteCase):
    """A create whose answer was lost is looked for before it is sent again."""

    def check_create(self, fault, creates, *options, settle="1s", api=None):
        world = World(self, *options, settle=settle, api=api or {})
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},{fault}")
        run = world.apply()
        self.check_done(world, run, ADA, BEN)
        self.assertEqual(run.line(ADA)["invite_id"], world.sandbox.invites(ADA)[0]["id"])
        sent = [entry["email"] for entry in world.sandbox.requests("create")]
        self.assertEqual(sorted(sent), [ADA] * creates + [BEN])
        self.assertEqual(len(world.sandbox.requests()), 2 + creates + 1 + 1)
        return world, run

    def test_cut_after_the_effect(self):
        self.check_create("times=1,do=cut-after", 1)

    def test_cut_body(self):
        self.check_create("times=1,do=cut-body", 1)

    def test_cut_json(self):
        self.check_create("times=1,do=cut-json", 1)

    def test_garbage(self):
        self.check_create("times=1,do=garbage", 1)

    def test_wrong_types(self):
        self.check_create("times=1,do=wrong-types", 1)

    def test_hang_after_the_effect(self):
        self.check_create("times=1,do=hang-after", 1, api={"timeout": "1s"})

    def test_status_500_after_the_effect(self):
        self.check_create("times=1,do=status-after,status=500", 1)

    def test_status_408_after_the_effect(self):
        self.check_create("times=1,do=status-after,status=408", 1)

    def test_status_503_after_the_effect_with_retry_after(self):
        """No hint of the service makes a create be sent again blindly."""
        self.check_create("times=1,do=status-after,status=503,retry-after-ms=1,should-retry=true",
                          1)

    def test_redirect_after_nothing(self):
        """A redirect is no answer to follow, and the person is not invited by it."""
        world = World(self)
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=redirect,status=307")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "failed")
        self.check_mailed_once(world, BEN)

    def test_cut_after_the_effect_while_the_listing_lags(self):
        """The look comes no sooner than settle after the doubt: what lags is found then."""
        self.check_create("times=1,do=cut-after", 1, "--lag", "1500", settle="3s")

    def test_cut_before_the_effect(self):
        self.check_create("times=1,do=cut", 2)

    def test_hang_before_the_effect(self):
        self.check_create("times=1,do=hang", 2, api={"timeout": "1s"})

    def test_status_500_before_the_effect(self):
        self.check_create("times=1,do=status,status=500", 2)

    def test_sent_twice_and_no_more(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault(f"call=create,email={ADA},do=cut")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn(run.line(ADA)["result"], ("failed", "unknown"))
        self.assertEqual(len(world.sandbox.requests("create")), 2)
        self.assertEqual(world.sandbox.mails(), {})
        # The next pass starts with the doubt that is left.
        world.sandbox.clear_faults()
        self.check_done(world, world.apply(), ADA)

    def test_replacement(self):
        world = World(self, invites=[{"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        world.sandbox.fault("call=create,times=1,do=cut-after")
        run = world.apply()
        self.check_done(world, run, ADA)
        self.assertEqual(run.line(ADA)["new_invite_id"], world.sandbox.invites(ADA)[0]["id"])
        self.assertEqual(len(world.sandbox.requests("create")), 1)

    def test_delete(self):
        """A delete may be sent again, and the 404 that it then meets is success."""
        world = World(self, invites=[{"email": ADA, "id": "invite-old"}])
        world.declare(BEN)
        world.sandbox.fault("call=delete,times=1,do=cut-after")
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual([entry["status"] for entry in world.sandbox.requests("delete")], [0, 404])
        self.assertEqual(world.sandbox.live(), [BEN])

    def test_five_failures_in_a_row_end_the_pass(self):
        world = World(self, api={"concurrency": 1})
        world.declare(*many(12))
        world.sandbox.fault("call=create,do=status,status=503")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(len(world.sandbox.requests("create")), 5)
        results = [line["result"] for line in run.actions]
        self.assertEqual((results.count("unknown"), results.count("skipped")), (5, 7), str(run))
        self.assertIn("failures in a row", run.json["error"])
        self.assertIn("failures in a row", run.err)
        world.sandbox.clear_faults()
        self.check_done(world, world.apply(), *many(12))

    def test_reading_does_not_wait_for_the_doubt(self):
        """A plan says what is held back, and why."""
        world = World(self, settle="1h")
        world.declare(ADA)
        world.sandbox.fault("call=create,do=hang-after")
        process = world.start("apply")
        self.wait_for_call(world, "create")
        process.signal(signal.SIGKILL)
        process.end()
        world.sandbox.clear_faults()
        world.sandbox.post("delete", email=ADA)
        plan = world.plan()
        self.assert_exit(plan, EXIT_PENDING)
        self.assertIs(plan.line(ADA).get("held"), True)
        self.assertIn("an earlier create may have happened", world.run("plan").out)
        self.assertEqual(len(world.sandbox.requests("create")), 1)


class Killed(WriteCase):
    def kill_during(self, world, call):
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, call)
        process.signal(signal.SIGKILL)
        self.assertEqual(process.end().code, -signal.SIGKILL)

    def test_after_the_effect(self):
        for fault in ("do=hang-after", "do=slow-after,ms=60000"):
            with self.subTest(fault=fault):
                world = World(self)
                world.declare(ADA)
                world.sandbox.fault(f"call=create,times=1,{fault}")
                self.kill_during(world, "create")
                wait_for(world.sandbox.mails, "the e-mail")
                self.assert_exit(world.apply(), EXIT_OK)
                self.check_mailed_once(world, ADA)
                self.assertEqual(len(world.sandbox.requests("create")), 1)

    def test_after_the_effect_while_the_listing_lags(self):
        world = World(self, "--lag", "1500", settle="3s")
        world.declare(ADA)
        world.sandbox.fault("call=create,times=1,do=hang-after")
        self.kill_during(world, "create")
        self.check_done(world, world.apply(), ADA)
        self.assertEqual(len(world.sandbox.requests("create")), 1)

    def test_before_the_effect(self):
        """The service carries it out only after we are gone."""
        world = World(self, settle="4s")
        world.declare(ADA)
        world.sandbox.fault("call=create,times=1,do=slow,ms=1000")
        self.kill_during(world, "create")
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.check_mailed_once(world, ADA)
        self.assertEqual(len(world.sandbox.requests("create")), 1)

    def test_without_effect(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=create,times=1,do=hang")
        self.kill_during(world, "create")
        self.check_done(world, world.apply(), ADA)
        self.assertEqual(len(world.sandbox.requests("create")), 2)

    def test_and_then_nobody_wants_it_any_more(self):
        """What a killed create left behind is revoked as soon as a listing shows it."""
        world = World(self, "--lag", "3000", settle="30s")
        world.declare(ADA)
        world.sandbox.fault("call=create,times=1,do=hang-after")
        self.kill_during(world, "create")
        wait_for(world.sandbox.mails, "the e-mail")
        world.declare(BEN)
        self.assert_exit(world.apply(), EXIT_OK)
        world.sandbox.post("advance", seconds=10)
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.live(), [BEN])
        self.assertEqual(world.sandbox.mails(), {ADA: 1, BEN: 1})

    def test_within_a_replacement(self):
        """Deleted, and not created: the next pass creates what was wished for, once."""
        world = World(self, invites=[{"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        world.sandbox.fault("call=create,times=1,do=hang")
        self.kill_during(world, "create")
        self.assertEqual(world.sandbox.live(), [])
        self.check_done(world, world.apply(), ADA)
        self.assertEqual(world.sandbox.invites(ADA)[0]["role"], "owner")

    def test_within_a_replacement_that_is_then_refused(self):
        """The old invite is restored although another process deleted it."""
        world = World(self, invites=[{"email": ADA, "id": "invite-old", "role": "owner",
                                      "projects": [{"id": "proj_a", "role": "owner"}]}])
        world.declare(ADA)
        world.sandbox.fault("call=create,times=1,do=hang")
        self.kill_during(world, "create")
        world.sandbox.clear_faults()
        world.sandbox.fault("call=create,times=1,do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        restored = world.sandbox.invites(ADA)
        self.assertEqual([(one["role"], one["projects"]) for one in restored],
                         [("owner", [{"id": "proj_a", "role": "owner"}])], str(run))


class Stopped(WriteCase):
    def test_writes_in_flight_end_and_no_more_start(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                world = World(self, "--latency", "700", api={"concurrency": 2})
                world.declare(*many(8))
                process = world.start("apply", "-o", "json")
                self.wait_for_call(world, "create")
                process.signal(number)
                run = process.end()
                self.assert_exit(run, EXIT_TROUBLE)
                sent = [entry["email"] for entry in world.sandbox.requests("create")]
                self.assertLess(len(sent), 8)
                self.assertEqual(sorted(world.sandbox.mails()), sorted(sent))
                for line in run.actions:
                    self.assertEqual(line["result"],
                                     "done" if line["email"] in sent else "skipped", str(run))
                    if line["email"] not in sent:
                        self.assertRegex(line["error"], "not started: stopped by a signal")
                self.check_done_later(world)

    def check_done_later(self, world):
        self.assert_exit(world.apply(), EXIT_OK)
        self.check_mailed_once(world, *many(8))

    def test_text_says_what_was_not_done(self):
        world = World(self, "--latency", "700", api={"concurrency": 1})
        world.declare(*many(3))
        process = world.start("apply")
        self.wait_for_call(world, "create")
        process.signal(signal.SIGTERM)
        run = process.end()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("Applied: 1 done, 2 skipped.", run.out)
        self.assertIn("not started", run.text_line(many(3)[2]))
        self.assertIn("stopped by a signal", run.err)

    def test_during_the_listing(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=list,do=hang")
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "list")
        process.signal(signal.SIGTERM)
        self.assert_error(process.end(), EXIT_TROUBLE, "stopped by a signal")
        self.assertEqual(world.sandbox.writes(), [])

    def test_while_waiting_for_the_settle_time(self):
        world = World(self, settle="1h")
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=cut-after")
        process = world.start("apply", "-o", "json")
        process.wait_err(f"invite {BEN}: done")
        self.wait_for_call(world, "create", 2)
        process.signal(signal.SIGTERM)
        run = process.end()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "unknown")
        self.assertEqual(run.line(BEN)["result"], "done")

    def test_within_a_replacement(self):
        """What is deleted is created again, even after a signal."""
        world = World(self, "--latency", "500", invites=[{"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "delete")
        process.signal(signal.SIGTERM)
        run = process.end()
        self.assertEqual([(one["role"], one["status"]) for one in world.sandbox.invites(ADA)],
                         [("owner", "pending")], str(run))
        self.check_mailed_once(world, ADA)


class Renewal(WriteCase):
    def test_deletes_the_expired_invite_if_the_service_insists(self):
        world = World(self, "--strict-reinvite",
                      invites=[{"email": ADA, "status": "expired", "id": "invite-old"}])
        world.declare(ADA)
        self.check_done(world, world.apply(), ADA)
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()][:5],
                         ["list", "create", "retrieve", "delete", "create"])
        self.assertEqual(len(world.sandbox.invites(ADA)), 1)

    def test_deletes_all_expired_invites_if_the_service_insists(self):
        world = World(self, "--strict-reinvite", invites=[
            {"email": ADA, "status": "expired", "id": "invite-1", "age": 9000000},
            {"email": ADA, "status": "expired", "id": "invite-2", "age": 8000000}])
        world.declare(ADA)
        self.check_done(world, world.apply(), ADA)

    def test_does_not_delete_it_otherwise(self):
        world = World(self, invites=[{"email": ADA, "status": "expired", "id": "invite-old"}])
        world.declare(ADA)
        self.check_done(world, world.apply(), ADA)
        self.assertEqual(world.sandbox.requests("delete"), [])
        self.assertEqual(len(world.sandbox.invites(ADA)), 2)

    def test_refused_for_another_reason(self):
        world = World(self, invites=[{"email": ADA, "status": "expired", "id": "invite-old"}])
        world.declare(ADA)
        world.sandbox.fault("call=create,do=status,status=422")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "failed")
        self.assertLessEqual(len(world.sandbox.requests("create")), 2)
        self.assertEqual(world.sandbox.mails(), {})


class Refused(WriteCase):
    def test_one_refused_address_does_not_stop_the_others(self):
        world = World(self)
        world.declare(*many(6))
        bad = many(6)[2]
        world.sandbox.fault(f"call=create,email={bad},do=status,status=400,"
                            'body={"error":{"message":"no such mailbox"}}')
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual({line["email"]: line["result"] for line in run.actions},
                         {email: "failed" if email == bad else "done" for email in many(6)})
        self.assertIn("no such mailbox", run.line(bad)["error"])
        entry = [one for one in world.sandbox.requests("create") if one["email"] == bad][0]
        self.assertEqual(run.line(bad)["request_id"], entry["request_id"])
        self.assertEqual(run.json["summary"]["failed"], 1)
        self.check_mailed_once(world, *(email for email in many(6) if email != bad))

    def test_a_member_without_an_invite(self):
        """The service says that the address is a member: nothing that a listing shows."""
        world = World(self, org={"users": [{"email": ADA}]})
        world.declare(ADA, BEN)
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "failed")
        self.assertEqual(run.line(BEN)["result"], "done")
        plan = world.plan()
        self.assert_exit(plan, EXIT_OK)
        self.assertEqual(plan.lines(), [("attention", ADA, "create-refused")])

    def test_refused_because_somebody_else_was_faster(self):
        """The invite is there after the refusal: the wish is fulfilled, whoever did it."""
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=create,times=1,do=slow,ms=1500")
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "create")
        world.sandbox.post("invite", email=ADA, id="invite-other")
        run = process.end()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual((run.line(ADA)["result"], run.line(ADA)["invite_id"]),
                         ("done", "invite-other"))
        self.assertEqual(world.sandbox.mails(), {})

    def replacement(self):
        world = World(self, invites=[
            {"email": ADA, "id": "invite-old", "role": "owner",
             "projects": [{"id": "proj_a", "role": "owner"},
                          {"id": "proj_b", "role": "member"}]},
            {"email": BEN}])
        world.declare({"email": ADA, "projects": []}, {"email": BEN, "role": "owner"})
        return world

    def check_restored(self, world, run):
        self.assertEqual(run.line(ADA)["result"], "failed")
        live = [one for one in world.sandbox.invites(ADA) if one["status"] == "pending"]
        self.assertEqual([(one["role"], one["projects"]) for one in live],
                         [("owner", [{"id": "proj_a", "role": "owner"},
                                     {"id": "proj_b", "role": "member"}])])
        self.assertIn("restored", run.line(ADA)["error"])
        self.assertIn(live[0]["id"], run.line(ADA)["error"])
        # The other replacement is not touched by that.
        self.assertEqual(run.line(BEN)["result"], "done")
        self.assertEqual(world.sandbox.invites(BEN)[0]["role"], "owner")

    def test_replacement_that_is_refused_restores_the_old_invite(self):
        world = self.replacement()
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.check_restored(world, run)
        self.assertEqual([entry["call"] for entry in world.sandbox.writes()
                          if entry["email"] == ADA or entry["invite_id"] == "invite-old"],
                         ["delete", "create", "create"])
        plan = world.plan()
        self.assert_exit(plan, EXIT_OK)
        self.assertEqual(plan.lines(), [("attention", ADA, "create-refused")])
        world.sandbox.clear_log()
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.writes(), [])

    def test_restoring_whose_outcome_is_lost(self):
        world = self.replacement()
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=status,status=400")
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=cut-after")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.check_restored(world, run)
        self.assertEqual(world.sandbox.mails()[ADA], 1)

    def test_restoring_that_is_refused_too(self):
        world = self.replacement()
        world.sandbox.fault(f"call=create,email={ADA},do=status,status=400")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("has no invite now", run.line(ADA)["error"])
        self.assertEqual(world.sandbox.invites(ADA), [])
        # Restored once, and no more than that.
        self.assertEqual(len([entry for entry in world.sandbox.requests("create")
                              if entry["email"] == ADA]), 2)

    def test_replacement_whose_delete_is_refused_creates_nothing(self):
        world = World(self, invites=[{"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        world.sandbox.fault("call=delete,do=status,status=409")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.line(ADA)["result"], "failed")
        self.assertIn("still there after its delete", run.line(ADA)["error"])
        self.assertEqual(world.sandbox.requests("create"), [])
        # Nothing was created for this wish, and it is not given up.
        self.assertEqual(world.plan().lines(), [("replace", ADA, "role-differs")])

    def test_delete_404_is_success(self):
        world = World(self, invites=[{"email": "out@example.com", "id": "invite-out"},
                                     {"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        for invite in ("invite-out", "invite-old"):
            world.sandbox.fault(f"call=delete,id={invite},times=1,do=slow,ms=1500")
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "delete", 2)
        for invite in ("invite-out", "invite-old"):
            world.sandbox.post("delete", id=invite)
        run = process.end()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual([entry["status"] for entry in world.sandbox.requests("delete")],
                         [404, 404])
        self.assertEqual(world.sandbox.requests("retrieve"), [])
        self.assertEqual({line["result"] for line in run.actions}, {"done"})
        self.check_mailed_once(world, ADA)

    def test_accepted_in_between(self):
        world = World(self, invites=[{"email": "out@example.com", "id": "invite-out"},
                                     {"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        for invite in ("invite-out", "invite-old"):
            world.sandbox.fault(f"call=delete,id={invite},times=1,do=slow,ms=1500")
        process = world.start("apply", "-o", "json")
        self.wait_for_call(world, "delete", 2)
        for invite in ("invite-out", "invite-old"):
            world.sandbox.post("accept", id=invite)
        run = process.end()
        self.assert_exit(run, EXIT_TROUBLE)
        for email in ("out@example.com", ADA):
            self.assertEqual(run.line(email)["result"], "failed")
            self.assertIn("accepted in the meantime", run.line(email)["error"])
        self.assertEqual(world.sandbox.requests("create"), [])
        self.assertEqual(len(world.sandbox.requests("delete")), 2)
        plan = world.plan()
        self.assert_exit(plan, EXIT_OK)
        self.assertEqual(sorted(plan.lines()),
                         [("attention", ADA, "accepted-role-differs"),
                          ("attention", "out@example.com", "accepted-undeclared")])


class Limited(WriteCase):
    def test_nothing_is_lost(self):
        world = World(self, "--rpm", "600", "--burst", "4")
        world.declare(*many(20))
        run = world.apply()
        self.check_done(world, run, *many(20))
        self.assertIn(429, [entry["status"] for entry in world.sandbox.requests()])

    def test_on_deletes_and_replacements(self):
        world = World(self, invites=[{"email": "out@example.com", "id": "invite-out"},
                                     {"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        world.sandbox.fault("call=delete,times=2,do=status,status=429,retry-after-ms=20")
        world.sandbox.fault("call=create,times=2,do=status,status=429,retry-after-ms=20")
        self.assert_exit(world.apply(), EXIT_OK)
        self.check_mailed_once(world, ADA)
        self.assertEqual(len(world.sandbox.requests("create")), 3)

    def test_quota(self):
        """A 429 that waiting does not cure ends the writing."""
        world = World(self, api={"concurrency": 1})
        world.declare(*many(5))
        world.sandbox.fault("call=create,do=status,status=429,should-retry=false")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(len(world.sandbox.requests("create")), 1)
        self.assertNotIn("done", [line["result"] for line in run.actions])

    def test_a_long_wait_is_left_to_the_next_pass(self):
        world = World(self, api={"concurrency": 1})
        world.declare(*many(5))
        world.sandbox.fault("call=create,do=status,status=429,retry-after=7200")
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(len(world.sandbox.requests("create")), 1)
        self.assertRegex(run.json["error"], "asks to wait 7[12]")


class Forbidden(WriteCase):
    def check_ended(self, run, world, call):
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual([entry["call"] for entry in world.sandbox.writes()], [call])
        self.assertRegex(run.json["error"], r"may not write.*api\.management\.write")
        self.assertRegex(run.err, r"may not write")
        results = [line["result"] for line in run.actions]
        self.assertEqual(results, ["failed"] + ["skipped"] * (len(results) - 1), str(run))

    def test_a_key_that_may_only_read(self):
        world = World(self, api={"concurrency": 1})
        world.declare(*many(5))
        world.env["OPENAI_ADMIN_KEY"] = READONLY_KEY
        self.assert_exit(world.plan(), EXIT_PENDING)
        self.check_ended(world.apply(), world, "create")
        # With a key that may, nobody has to wait a day.
        world.env.clear()
        self.check_done(world, world.apply(), *many(5))

    def test_one_request_at_a_time_for_each_slot(self):
        world = World(self, api={"concurrency": 4})
        world.declare(*many(40))
        world.env["OPENAI_ADMIN_KEY"] = READONLY_KEY
        self.assert_exit(world.apply(), EXIT_TROUBLE)
        self.assertLessEqual(len(world.sandbox.writes()), 4)

    def test_status_401_and_403(self):
        for call, status in (("create", 401), ("create", 403), ("delete", 401), ("delete", 403)):
            with self.subTest(call=call, status=status):
                world = World(self, api={"concurrency": 1}, invites=[
                    {"email": email} for email in many(4 if call == "delete" else 0)])
                world.declare(*(many(4) if call == "create" else []))
                world.sandbox.fault(f"call={call},do=status,status={status},envelope=string")
                self.check_ended(world.apply(), world, call)

    def test_a_replacement_keeps_its_invite(self):
        world = World(self, invites=[{"email": ADA, "id": "invite-old"}])
        world.declare({"email": ADA, "role": "owner"})
        world.env["OPENAI_ADMIN_KEY"] = READONLY_KEY
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(world.sandbox.requests("create"), [])
        self.assertEqual(world.plan().lines(), [("replace", ADA, "role-differs")])


class State(WriteCase):
    def test_the_second_apply_waits_for_the_first(self):
        world = World(self, "--latency", "400")
        world.declare(*many(4))
        first = world.start("apply", "-o", "json")
        self.wait_for_call(world, "list")
        second = world.start("apply", "-o", "json", "--all")
        second.wait_err("another pass is under way on this host")
        self.assertFalse(first.is_over)
        self.assert_exit(first.end(), EXIT_OK)
        run = second.end()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual([line["action"] for line in run.actions], ["keep"] * 4)
        self.check_mailed_once(world, *many(4))
        # Its listing began after the last write of the first.
        calls = [entry["call"] for entry in world.sandbox.requests()]
        self.assertEqual(calls, ["list"] + ["create"] * 4 + ["list"])

    def test_what_waited_reads_the_member_file_again(self):
        """Else it would revoke whom the file declares by now."""
        world = World(self, invites=[{"email": ADA}, {"email": BEN}])
        world.declare(ADA)
        world.sandbox.fault("call=list,times=1,do=hang")
        first = world.start("apply")
        self.wait_for_call(world, "list")
        second = world.start("apply", "-o", "json")
        second.wait_err("another pass is under way")
        world.declare(ADA, BEN)
        first.signal(signal.SIGTERM)
        first.end()
        run = second.end()
        self.assert_exit(run, EXIT_OK)
        self.assertTrue(run.json["in_sync"])
        self.assertEqual(world.sandbox.writes(), [])

    def test_a_signal_ends_the_wait_for_the_lock(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=list,times=1,do=hang")
        first = world.start("apply")
        self.wait_for_call(world, "list")
        second = world.start("apply", "-o", "json")
        second.wait_err("another pass is under way")
        second.signal(signal.SIGTERM)
        self.assert_error(second.end(), EXIT_TROUBLE, "stopped by a signal: nothing was sent")
        self.assertEqual(len(world.sandbox.requests()), 1)
        # A plan writes nothing, so it does not wait.
        self.assert_exit(world.plan(), EXIT_PENDING)
        first.signal(signal.SIGTERM)
        first.end()

    def check_other_organisation(self, world, other):
        world.sandbox = other
        world.configure()
        world.declare(ADA, BEN)
        run = world.apply()
        self.assert_error(run, EXIT_TROUBLE, "state directory belongs to", "--state-dir")
        self.assertEqual(other.writes(), [])
        self.assertEqual(other.invites(), [])

    def test_of_another_organisation(self):
        world = World(self)
        world.declare(ADA)
        self.assert_exit(world.apply(), EXIT_OK)
        self.check_other_organisation(world, world.start_sandbox())

    def test_of_another_organisation_at_the_same_address(self):
        world = World(self)
        world.declare(ADA)
        self.assert_exit(world.apply(), EXIT_OK)
        port = world.sandbox.port
        world.sandbox.stop()
        self.check_other_organisation(
            world, world.start_sandbox(org={"organization": "org-other"}, port=port))

    def test_damaged_ledger(self):
        for damage in (b"", b"{", b"\0" * 40, b"[]", b"{}"):
            with self.subTest(damage=damage):
                world = World(self, settle="1h")
                world.declare(ADA)
                self.assert_exit(world.apply(), EXIT_OK)
                (world.state / "ledger.json").write_bytes(damage)
                world.declare(ADA, BEN)
                world.sandbox.clear_log()
                process = world.start("apply", "-o", "json")
                process.wait_err("ledger was damaged .*nothing is written before")
                kept = list(world.state.glob("ledger.json.damaged-*"))
                self.assertEqual([path.read_bytes() for path in kept], [damage])
                process.signal(signal.SIGTERM)
                self.assert_exit(process.end(), EXIT_TROUBLE)
                self.assert_untouched(world)
                # It is not forgotten by the next run either, and in the end it passes.
                again = world.start("apply", "-o", "json")
                again.signal(signal.SIGTERM)
                again.end()
                self.assert_untouched(world)
                world.configure(settle="1s")
                self.check_done(world, world.apply(), BEN)

    def test_cut_ledger(self):
        """No proper prefix of a ledger is believed."""
        world = World(self, settle="1h")
        world.declare(ADA, BEN)
        self.assert_exit(world.apply(), EXIT_OK)
        whole = (world.state / "ledger.json").read_bytes()
        world.sandbox.clear_log()
        for cut in sorted({1, len(whole) // 4, len(whole) // 2, len(whole) - 20,
                           len(whole.rstrip()) - 1}):
            with self.subTest(cut=cut):
                (world.state / "ledger.json").write_bytes(whole[:cut])
                process = world.start("apply")
                process.wait_err("ledger was damaged")
                process.signal(signal.SIGTERM)
                process.end()
                self.assert_untouched(world)

    def test_a_file_in_place_of_the_directory(self):
        world = World(self)
        world.declare(ADA)
        world.state.write_text("no directory\n")
        self.assert_error(world.apply(), EXIT_TROUBLE, "state directory .* cannot be used",
                          "--state-dir")
        self.assert_untouched(world)

    def test_a_directory_that_cannot_be_made(self):
        world = World(self)
        world.declare(ADA)
        world.state = world.files / "missing" / "state"
        self.assert_error(world.apply(), EXIT_TROUBLE, "state directory .* cannot be used",
                          "--state-dir")
        self.assert_untouched(world)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_directory_that_may_not_be_written(self):
        world = World(self)
        world.declare(ADA)
        world.state.mkdir()
        world.state.chmod(0o500)
        self.assert_error(world.apply(), EXIT_TROUBLE, "state directory .* cannot be used",
                          "--state-dir")
        self.assert_untouched(world)

    def test_a_ledger_that_cannot_be_replaced(self):
        """What cannot be remembered is not sent."""
        world = World(self)
        world.declare(ADA)
        self.assert_exit(world.plan(), EXIT_PENDING)
        world.state.mkdir()
        (world.state / "ledger.json").mkdir()
        run = world.apply()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(world.sandbox.writes(), [])

    def test_plan_leaves_nothing_behind(self):
        world = World(self)
        world.declare(ADA)
        self.assert_exit(world.plan(), EXIT_PENDING)
        self.assertFalse(world.state.exists())
        self.assert_exit(world.apply(), EXIT_OK)
        before = {path.name: path.read_bytes() for path in world.state.iterdir()}
        world.declare(ADA, BEN)
        self.assert_exit(world.plan(), EXIT_PENDING)
        self.assertEqual({path.name: path.read_bytes() for path in world.state.iterdir()}, before)
        # Nobody else has to know whom we invite.
        self.assertEqual((world.state / "ledger.json").stat().st_mode & 0o077, 0)


if __name__ == "__main__":
    harness.main(workers=12)

#!/usr/bin/env python3
"""status and approve: against runtime directories made by hand, and against the running daemon."""

import copy
import datetime
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import threading
import time
import unittest

import harness
from harness import (EXIT_BLOCKED, EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, EXIT_USAGE, Process,
                     TestCase, World, environment, wait_for)
from test_daemon import Daemon, DaemonCase

ADA, BEN, EVE = "ada@example.com", "ben@example.com", "eve@example.com"
ID, OTHER_ID = "3f9c2a71d0b4", "0123456789ab"


def at(seconds_from_now):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def healthy():
    """What a daemon in sync tells."""
    return {
        "schema": "inviterd.status/1", "version": "0.1.0", "pid": 123, "started": at(-7200),
        "state": "in-sync", "message": "in sync, 120 people", "policy": "sync",
        "base_url": "https://api.example/v1", "dry_run": False, "pass_under_way": False,
        "last_pass": {"number": 12, "begun": at(-62), "ended": at(-60), "seconds": 1.25,
                      "result": "done", "error": None, "requests": 3,
                      "changes": {"invite": 1, "renew": 0, "replace": 0, "revoke": 2},
                      "failed": 0, "unknown": 0},
        "last_success": at(-60), "next_pass": at(250),
        "people": {"invite": 0, "renew": 0, "replace": 0, "revoke": 0, "attention": 0, "keep": 120},
        "blocked": None, "attention": [], "failures": [], "problems": [], "approval": None,
        "requests": [{"call": "list", "status": 200, "count": 55}]}


BLOCKED = {
    "approval": ID, "command": f"inviterd approve {ID}",
    "limits": [{"limit": "revocations", "allowed": 10, "found": 12,
                "text": "limits.revocations: 12 live invites would be revoked, 10 are allowed"}],
    "actions": [{"action": "revoke", "email": EVE, "reason": "undeclared",
                 "invite_id": "invite-eve"}]}


class Place:
    """A runtime directory."""

    def __init__(self, test):
        self.test = test
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="inviterd-status-"))
        test.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.directory = self.base / "run"
        self.lock = None

    def hold(self):
        """As a daemon does for its life."""
        self.directory.mkdir(exist_ok=True)
        self.lock = open(self.directory / "running", "w", encoding="utf-8")
        self.test.addCleanup(self.lock.close)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def release(self):
        self.lock.close()

    def tell(self, status):
        self.directory.mkdir(exist_ok=True)
        new = self.directory / "new"
        new.write_text(status if isinstance(status, str) else json.dumps(status), encoding="utf-8")
        new.rename(self.directory / "status.json")

    def run_as_nobody(self, *arguments):
        """Where only the names of the directory are for everybody."""
        self.base.chmod(0o755)
        self.directory.chmod(0o755)
        program = self.base / "inviterd"
        shutil.copy(harness.INVITERD, program)
        process = Process([str(program), *arguments],
                          environment(RUNTIME_DIRECTORY=str(self.directory)), user="nobody",
                          group="nogroup", extra_groups=[], cwd="/")
        self.test.addCleanup(process.kill)
        return process.end()

    def start(self, *arguments, env=None, **options):
        env = {"RUNTIME_DIRECTORY": str(self.directory), "TZ": "UTC", **(env or {})}
        process = Process([harness.INVITERD, *arguments], environment(**env), **options)
        self.test.addCleanup(process.kill)
        return process

    def run(self, *arguments, **options):
        return self.start(*arguments, **options).end()


class PlaceCase(TestCase):
    def place(self, *, held=True, **changes):
        """A place where this is told, and a daemon lives."""
        place = Place(self)
        place.tell({**healthy(), **changes})
        if held:
            place.hold()
        return place


class Status(PlaceCase):
    def check(self, code, *patterns, held=True, **changes):
        """Told these changes, the text ends with the code and says each pattern, and so does JSON
        with the code."""
        place = self.place(held=held, **changes)
        run = place.run("status")
        self.assert_exit(run, code)
        self.assertEqual(run.err, "")
        for pattern in patterns:
            self.assertRegex(run.out, pattern)
        machine = place.run("status", "-o", "json")
        self.assert_exit(machine, code)
        told = json.loads((place.directory / "status.json").read_text())
        self.assertEqual(machine.json, {**told, "running": held})
        return run

    def test_in_sync(self):
        run = self.check(
            EXIT_OK, r"\Ainviterd is running: in sync, 120 people\n",
            r"(?m)^  state +in sync: everybody is as the member file says$",
            r"(?m)^  policy +sync$", r"(?m)^  service +https://api\.example/v1$",
            r"(?m)^  started +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, 2 h ago: version 0.1.0, "
            r"process 123$",
            r"(?m)^  last pass +\S+ \S+ UTC, 1 min ago: number 12, done in 1\.25 s$",
            r"(?m)^ +1 invited, 2 revoked; 3 requests$",
            r"(?m)^  next pass +\S+ \S+ UTC, in 4 min$")
        self.assertEqual(len(run.out.splitlines()), 9, run.out)

    def test_what_is_done_about_users(self):
        """Not told by a version that knew of none."""
        place = self.place(users="manage")
        self.assertRegex(place.run("status").out, r"(?m)^  users +manage$")

    def test_times_of_the_day_are_those_of_the_reader(self):
        place = self.place(next_pass="2999-07-01T12:00:00Z")
        run = place.run("status", env={"TZ": "XYZ-3"})
        self.assertIn("2999-07-01 15:00:00 XYZ, in ", run.out)

    def test_exit_codes(self):
        for state, code in (("starting", EXIT_PENDING), ("in-sync", EXIT_OK),
                            ("pending", EXIT_PENDING), ("blocked", EXIT_PENDING),
                            ("attention", EXIT_PENDING), ("failing", EXIT_TROUBLE),
                            ("stopping", EXIT_TROUBLE)):
            with self.subTest(state=state):
                self.check(code, f"(?m)^  state +{state.replace('in-sync', 'in sync')}: ",
                           state=state)

    def test_a_pass_under_way_after_a_good_one(self):
        self.check(EXIT_OK, "next pass +under way now", pass_under_way=True, next_pass=None)

    def test_before_the_first_pass(self):
        self.check(EXIT_PENDING, "last pass +none yet", "next pass +under way now",
                   state="starting", message="starting the first pass", last_pass=None,
                   last_success=None, pass_under_way=True, next_pass=None)

    def test_an_overdue_pass(self):
        self.check(EXIT_OK, "next pass .* ago", next_pass=at(-60))
        self.check(EXIT_TROUBLE, "next pass +was due .* 5 min ago: the daemon hangs; "
                                 "systemctl restart inviterd", next_pass=at(-310))
        # While a pass goes on none is due.
        self.check(EXIT_OK, "under way now", next_pass=at(-310), pass_under_way=True)

    def test_not_running(self):
        run = self.check(EXIT_TROUBLE,
                         r"\Ainviterd is not running: it ended unasked; before, it was: in sync, "
                         "120 people\n", "last pass .* number 12", held=False)
        self.assertNotIn("next pass", run.out)
        self.check(EXIT_TROUBLE, r"\Ainviterd is not running: it was stopped\n", held=False,
                   state="stopping")

    def test_never_started(self):
        place = Place(self)
        for arguments in (["status"], ["status", "--instance", "acme"]):
            with self.subTest(arguments=arguments):
                run = place.run(*arguments)
                self.assert_exit(run, EXIT_TROUBLE)
                self.assertEqual(run.out, "")
                unit = "inviterd@acme" if len(arguments) > 1 else "inviterd"
                self.assertRegex(run.err, rf"inviterd is not running .*{place.directory}.*: see "
                                          rf"systemctl status {unit}\n")
                run = place.run(*arguments, "-o", "json")
                self.assert_error(run, EXIT_TROUBLE, "inviterd is not running")
        # Whoever asks makes nothing.
        self.assertFalse(place.directory.exists())

    def test_held_but_nothing_told_yet(self):
        place = Place(self)
        place.hold()
        run = place.run("status", "-o", "json")
        self.assert_error(run, EXIT_TROUBLE, "only just been started: try again")

    def test_blocked(self):
        run = self.check(EXIT_PENDING, f"revoke +{EVE} +undeclared",
                         "limits.revocations: 12 live invites would be revoked, 10 are allowed",
                         state="blocked", message="1 revocation blocked by a limit",
                         blocked=BLOCKED)
        self.assertIn(f"\n  inviterd approve {ID}\n", run.out)

    def test_lists(self):
        self.check(
            EXIT_TROUBLE, r"(?m)^  state +failing: nothing is written until this is put right$",
            r"To be put right:\n  /etc/x:5: unknown key\n  /etc/x:6: no day\n",
            rf"Failed in the last pass:\n  invite +{BEN} +no such mailbox\n",
            rf"Needs your attention:\n  {ADA} +look at it\n",
            r"(?m)^ +no changes, 2 failed, 1 unknown; 1 request$",
            state="failing", problems=["/etc/x:5: unknown key", "/etc/x:6: no day"],
            failures=[{"action": "invite", "email": BEN, "error": "no such mailbox"}],
            attention=[{"email": ADA, "reason": "not-as-sent", "text": "look at it"}],
            last_pass={**healthy()["last_pass"], "failed": 2, "unknown": 1, "requests": 1,
                       "changes": {"invite": 0, "renew": 0, "replace": 0, "revoke": 0}})

    def test_lists_that_were_cut(self):
        self.check(EXIT_PENDING, "… and 233 more: inviterd plan shows all", state="attention",
                   attention=[{"email": ADA, "reason": "not-as-sent", "text": "look at it"}],
                   attention_count=234)

    def test_a_failed_pass(self):
        last = {**healthy()["last_pass"], "result": "failed", "error": "the service is away"}
        self.check(EXIT_TROUBLE, "number 12, failed in 1.25 s", r"(?m)^ +the service is away$",
                   r"last success +\S+ \S+ UTC, 1 h ago", state="failing", last_pass=last,
                   last_success=at(-3700))
        self.check(EXIT_TROUBLE, "last success +none since the start", state="failing",
                   last_pass=last, last_success=None)

    def test_an_approval(self):
        self.check(EXIT_OK, f"(?m)^  approval +{ID}: refused: it does not fit$",
                   approval={"id": ID, "outcome": "refused", "text": "refused: it does not fit",
                             "number": 1})
        self.check(EXIT_OK, f"(?m)^  approval +{ID}: waiting$",
                   approval={"id": ID, "outcome": "waiting", "text": None})

    def test_keys_of_a_later_version(self):
        run = self.check(EXIT_OK, "in sync", tomorrow={"a": [1, 0.1]})
        self.assertNotIn("tomorrow", run.out)

    def test_what_is_no_status(self):
        whole = json.dumps(healthy())
        for text, pattern in (("", "line 1"), (whole[:-20], "line 1"), ("[]", "schema"),
                              (whole.replace("status/1", "status/2"), "schema"),
                              (whole.replace('"state"', '"stat"'), "`state` is missing or wrong"),
                              (whole.replace('"in-sync"', '"fine"'), "`state`"),
                              (whole + "\0", "no text|line 1")):
            with self.subTest(text=text[-40:]):
                place = Place(self)
                place.hold()
                place.tell(text)
                run = place.run("status", "-o", "json")
                self.assert_error(run, EXIT_TROUBLE, "status.json is damaged .*" + pattern)
                self.assertRegex(place.run("status").err, "systemctl restart inviterd")

    def test_strangers_text(self):
        evil = "x\x1b[2J\u202e\nforged: line"
        changes = {"message": evil, "problems": [evil], "attention": [
            {"email": evil, "reason": "r", "text": evil}], "failures": [
                {"action": "invite", "email": evil, "error": evil}],
            "base_url": evil, "version": evil, "policy": evil, "users": evil,
            "blocked": {**copy.deepcopy(BLOCKED), "command": evil, "limits": [
                {"limit": evil, "allowed": 1, "found": 2, "text": evil}]},
            "approval": {"id": evil, "outcome": evil, "text": evil}}
        place = self.place(**changes)
        run = place.run("status")
        self.assertNotRegex(run.out, "[\x1b\u202e]|\nforged")
        machine = place.run("status", "-o", "json")
        self.assertNotRegex(machine.out, "[\x1b\u202e]")
        self.assertEqual(machine.json["message"], evil)

    def test_color(self):
        place = self.place()
        self.assertIn("\x1b[32minviterd is running\x1b[0m", place.run("status", "--color",
                                                                       "always").out)
        self.assertNotIn("\x1b", place.run("status").out)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_somebody_else(self):
        """The file holds addresses: it is not for everybody, and the answer says what to do."""
        place = self.place()
        for name in ("running", "status.json"):
            (place.directory / name).chmod(0o640)
        run = place.run_as_nobody("status")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertRegex(run.err, "cannot be read .*: run this as root")
        self.assertEqual(run.out, "")


class Instances(PlaceCase):
    def test_names(self):
        place = self.place()
        for name in ("", ".hidden", "a/b", "a b", "..", "ä", "a\n", "a@b", "x" * 65):
            with self.subTest(name=name):
                run = place.run("status", "-o", "json", "--instance", name)
                self.assert_error(run, EXIT_USAGE, "is no name of an instance")
        for name in ("acme", "A-1_b.c", "x" * 64):
            with self.subTest(name=name):
                self.assert_exit(place.run("status", "--instance", name), EXIT_OK)

    def test_default_places(self):
        """Each instance has its own; what is named explicitly, or by the service manager, wins."""
        name = "there-is-no-such-instance"
        run = Place(self).run("status", "--instance", name, env={"RUNTIME_DIRECTORY": ""})
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn(f"/run/inviterd-{name})", run.err)
        run = Place(self).run("check", "--instance", name, "--members", "/none")
        self.assertIn(f"/etc/inviterd/{name}/inviterd.conf: cannot be read", run.err)
        world = World(self)
        world.declare(ADA)
        self.assert_exit(world.run("check", "--instance", name), EXIT_OK)
        # The explicit state directory wins; the environment's is used; commands name the instance.
        run = world.run("apply", "--instance", name, "--policy", "sync", "--config",
                        str(world.config), bare=True, env={"STATE_DIRECTORY": str(world.state)})
        self.assert_exit(run, EXIT_OK)
        self.assertTrue((world.state / "ledger.json").exists())
        world.declare(ADA, BEN)
        self.assertIn(f" --instance {name} ", world.run("plan", "--instance", name).out)


class Approve(PlaceCase):
    def answer(self, place, outcome, text, *, status=None):
        """A daemon that takes the approval up, and decides after a moment."""
        def live():
            path = place.directory / "approval"
            wait_for(path.exists, "the approval")
            told = {**healthy(), **(status or {}), "approval": {
                "id": path.read_text(), "outcome": "waiting", "text": "handed in", "number": 5}}
            path.unlink()
            place.tell(told)
            time.sleep(0.3)
            told["approval"].update(outcome=outcome, text=text)
            place.tell(told)
        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        self.addCleanup(thread.join, harness.PATIENCE)

    def test_carried_out(self):
        for json_wanted in (False, True):
            with self.subTest(json=json_wanted):
                place = self.place(state="blocked", blocked=BLOCKED)
                self.answer(place, "carried-out", "carried out: 12 done")
                run = place.run("approve", ID, *(["-o", "json"] if json_wanted else []))
                self.assert_exit(run, EXIT_OK)
                self.assertEqual(run.err, "")
                if json_wanted:
                    self.assertEqual(run.json, {"schema": "inviterd.approval/1", "id": ID,
                                                "outcome": "carried-out",
                                                "text": "carried out: 12 done"})
                else:
                    self.assertEqual(run.out, f"approval {ID}: carried out: 12 done\n")

    def test_refused_and_failed(self):
        for outcome in ("refused", "failed"):
            with self.subTest(outcome=outcome):
                place = self.place(state="blocked", blocked=BLOCKED)
                self.answer(place, outcome, f"{outcome}: it was\x1b used already")
                run = place.run("approve", ID, "-o", "json")
                self.assert_exit(run, EXIT_TROUBLE)
                self.assertEqual(run.json["outcome"], outcome)
                self.assertEqual(run.err, f"inviterd: approval {ID}: {outcome}: it was\\x1b used "
                                          "already\n")

    def test_an_earlier_outcome_of_the_same_id_is_not_taken_for_this_one(self):
        earlier = {"id": ID, "outcome": "refused", "text": "refused: nothing is blocked",
                   "number": 4}
        place = self.place(state="blocked", blocked=BLOCKED, approval=earlier)
        self.answer(place, "carried-out", "carried out: 1 done")
        self.assert_exit(place.run("approve", ID), EXIT_OK)

    def test_a_daemon_that_is_restarted_meanwhile(self):
        earlier = {"id": ID, "outcome": "refused", "text": "refused", "number": 5}
        place = self.place(state="blocked", blocked=BLOCKED, approval=earlier)
        process = place.start("approve", ID)
        wait_for((place.directory / "approval").exists, "the approval")
        place.release()
        (place.directory / "running").unlink()
        time.sleep(0.5)
        self.answer(place, "carried-out", "carried out: 1 done", status={"pid": 124})
        place.hold()
        self.assert_exit(process.end(), EXIT_OK)

    def test_ids(self):
        place = self.place()
        for id in ("", "3f9c2a71d0b", "3f9c2a71d0b4a", "3F9C2A71D0B4", "3f9c2a71d0bg", "../../etc/x",
                   "3f9c2a71d0b4\n"):
            with self.subTest(id=id):
                run = place.run("approve", "-o", "json", id)
                self.assert_error(run, EXIT_USAGE, "approve needs the id of a blocked plan")
        self.assert_error(place.run("approve", "-o", "json"), EXIT_USAGE, "needs the id")
        self.assert_error(place.run("approve", "-o", "json", ID, ID), EXIT_USAGE, "one word too many")
        self.assertFalse((place.directory / "approval").exists())

    def test_no_daemon(self):
        for place in (Place(self), self.place(held=False)):
            run = place.run("approve", "-o", "json", ID)
            self.assert_error(run, EXIT_TROUBLE, "inviterd is not running")
            self.assertFalse((place.directory / "approval").exists())

    def test_a_dry_run_carries_nothing_out(self):
        place = self.place(dry_run=True)
        self.assert_error(place.run("approve", "-o", "json", ID), EXIT_TROUBLE, "dry run")
        self.assertFalse((place.directory / "approval").exists())

    def wait_long(self, process, *patterns):
        """A run that waits out its patience."""
        begun = time.monotonic()
        process.popen.wait(2 * harness.PATIENCE)
        self.assertGreater(time.monotonic() - begun, 50)
        run = process.end()
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(run.out, "")
        for pattern in patterns:
            self.assertRegex(run.err, pattern)

    def test_patience_with_a_daemon_that_cannot_decide(self):
        place = self.place(state="failing", message="the last pass failed: no answer",
                           approval={"id": OTHER_ID, "outcome": "refused", "text": "", "number": 1})
        process = place.start("approve", ID)
        wait_for((place.directory / "approval").exists, "the approval")
        place.tell({**healthy(), "state": "failing", "message": "the last pass failed: no answer",
                    "approval": {"id": ID, "outcome": "waiting", "text": "handed in", "number": 2}})
        self.wait_long(process, "the daemon keeps it until its next complete listing "
                                r"\(now: the last pass failed: no answer\)")

    def test_patience_with_a_daemon_that_does_not_listen(self):
        self.wait_long(self.place().start("approve", ID), "the daemon has not taken it up")

    def test_patience_with_a_daemon_that_has_ended(self):
        place = self.place()
        process = place.start("approve", ID)
        wait_for((place.directory / "approval").exists, "the approval")
        place.release()
        self.wait_long(process, "the daemon has ended: hand it in again when it runs")

    def test_another_approval_in_its_place(self):
        place = self.place()
        process = place.start("approve", ID)
        wait_for((place.directory / "approval").exists, "the approval")
        place.tell({**healthy(), "approval": {"id": OTHER_ID, "outcome": "waiting",
                                              "text": "handed in", "number": 1}})
        self.wait_long(process, "another approval has taken its place")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_somebody_else(self):
        place = self.place()
        for name in ("running", "status.json"):
            (place.directory / name).chmod(0o644)
        run = place.run_as_nobody("approve", ID)
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertRegex(run.err, "cannot be handed in .*: run this as root")
        self.assertEqual(os.listdir(place.directory).count("approval"), 0)


class Living(DaemonCase):
    """What the daemon itself tells."""

    def world(self, *sandbox_options, **settings):
        world = World(self, *sandbox_options, **{"interval": "1h", **settings})
        world.run_directory = pathlib.Path(world.env["RUNTIME_DIRECTORY"])
        return world

    def status(self, world):
        return world.run("status", "-o", "json", bare=True)

    def wait_state(self, world, state):
        """Waits until the daemon is in the state and no pass is under way; returns what it tells."""
        def come():
            run = self.status(world)
            return run.out.startswith('{"schema":"inviterd.status/1"') and \
                run.json["state"] == state and not run.json["pass_under_way"] and run
        return wait_for(come, f"state {state}")

    def test_in_sync(self):
        world = self.world(invites=[{"email": EVE}])
        world.declare(ADA, BEN)
        daemon = Daemon(world)
        run = self.wait_state(world, "in-sync")
        self.assert_exit(run, EXIT_OK)
        told = run.json
        self.assertEqual(told["running"], True)
        self.assertEqual(told["pid"], daemon.process.popen.pid)
        self.assertEqual((told["message"], told["policy"], told["base_url"], told["dry_run"]),
                         ("in sync, 2 people", "sync", world.sandbox.url, False))
        self.assertEqual(told["users"], "off")
        last = told["last_pass"]
        self.assertEqual((last["number"], last["result"], last["error"], last["requests"]),
                         (1, "done", None, 4))
        self.assertEqual(last["changes"], {"invite": 2, "renew": 0, "replace": 0, "revoke": 1,
                                           "set_role": 0, "remove": 0})
        self.assertEqual(told["people"], {"invite": 2, "renew": 0, "replace": 0, "revoke": 1,
                                          "set_role": 0, "remove": 0,
                                          "attention": 0, "keep": 0})
        self.assertEqual(told["requests"], [{"call": "list", "status": 200, "count": 1},
                                            {"call": "create", "status": 200, "count": 2},
                                            {"call": "delete", "status": 200, "count": 1}])
        self.assertEqual(told["last_success"], last["ended"])
        self.assertLessEqual(told["started"], last["begun"])
        self.assertLessEqual(last["begun"], last["ended"])
        next_pass = datetime.datetime.fromisoformat(told["next_pass"].replace("Z", "+00:00"))
        wait = next_pass.timestamp() - time.time()
        self.assertTrue(3500 < wait < 4000, wait)
        self.assertEqual(oct((world.run_directory / "status.json").stat().st_mode & 0o777), "0o640")
        text = world.run("status", bare=True)
        self.assert_exit(text, EXIT_OK)
        self.assertRegex(text.out, r"2 invited, 1 revoked; 4 requests")
        self.check_stopped(daemon)
        run = self.status(world)
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual((run.json["running"], run.json["state"]), (False, "stopping"))

    def test_killed(self):
        world = self.world()
        world.declare(ADA)
        daemon = Daemon(world)
        self.wait_state(world, "in-sync")
        daemon.process.signal(signal.SIGKILL)
        daemon.process.end()
        run = world.run("status", bare=True)
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("inviterd is not running: it ended unasked; before, it was: in sync, 1 person",
                      run.out)

    def test_nothing_is_written_between_passes(self):
        world = self.world(metrics=str(self.world_metrics()))
        world.declare(ADA)
        daemon = Daemon(world)
        self.wait_state(world, "in-sync")
        files = [world.run_directory / "status.json", pathlib.Path(self.metrics)]
        before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in files]
        time.sleep(3)
        self.assertEqual([(path.stat().st_ino, path.stat().st_mtime_ns) for path in files], before)
        self.check_stopped(daemon)

    def world_metrics(self):
        directory = tempfile.mkdtemp(prefix="inviterd-metrics-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.metrics = f"{directory}/inviterd.prom"
        return self.metrics

    def test_waiting_for_a_lock_is_told_once(self):
        """It is tried each second; that is no news each second."""
        world = self.world()
        world.declare(ADA)
        world.state.mkdir()
        with open(world.state / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            daemon = Daemon(world)
            daemon.wait_field("STATUS", "^waiting for another pass on this host$")
            path = world.run_directory / "status.json"
            told = path.stat().st_mtime_ns
            time.sleep(4)
            self.assertEqual(path.stat().st_mtime_ns, told)
            self.assertEqual(daemon.manager.fields("STATUS").count(
                "waiting for another pass on this host"), 1)
            run = self.status(world)
            self.assert_exit(run, EXIT_PENDING)
            self.assertEqual((run.json["state"], run.json["message"]),
                             ("starting", "waiting for another pass on this host"))
        self.wait_state(world, "in-sync")
        self.check_stopped(daemon)

    def test_invalid_members(self):
        world = self.world()
        world.write_members("{}")
        daemon = Daemon(world)
        run = self.wait_state(world, "failing")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertRegex(run.json["message"], "^waiting for a valid member file: .*members.json")
        self.assertRegex(run.json["problems"][0], "members.json")
        self.assertIsNone(run.json["last_pass"])
        text = world.run("status", bare=True)
        self.assertRegex(text.out, r"To be put right:\n  .*members.json")
        world.declare(ADA)
        run = self.wait_state(world, "in-sync")
        self.assertEqual(run.json["problems"], [])
        self.check_stopped(daemon)

    def test_a_failed_pass_and_the_next(self):
        world = self.world()
        world.declare(ADA)
        world.sandbox.fault("call=list,do=status,status=403")
        daemon = Daemon(world)
        run = self.wait_state(world, "failing")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertRegex(run.json["message"], "^the last pass failed: the service refuses the key")
        self.assertEqual(run.json["last_pass"]["result"], "failed")
        self.assertIsNone(run.json["last_success"])
        status = daemon.manager.fields("STATUS")[-1]
        self.assertRegex(status, r"^the last pass failed: .*; next try \d\d:\d\d$")
        world.sandbox.clear_faults()
        daemon.reload()
        run = self.wait_state(world, "in-sync")
        self.assertEqual(run.json["last_pass"]["number"], 2)
        self.check_stopped(daemon)

    def test_failures_and_attention(self):
        world = self.world(invites=[{"email": "odd@example.com", "status": "suspended"}])
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},do=status,status=400,"
                            'body={"error":{"message":"no such mailbox"}}')
        daemon = Daemon(world)
        run = self.wait_state(world, "pending")
        self.assert_exit(run, EXIT_PENDING)
        self.assertEqual([one["email"] for one in run.json["attention"]], ["odd@example.com"])
        self.assertEqual([(one["action"], one["email"]) for one in run.json["failures"]],
                         [("invite", ADA)])
        self.assertIn("no such mailbox", run.json["failures"][0]["error"])
        self.assertEqual((run.json["last_pass"]["failed"], run.json["last_pass"]["changes"]["invite"]),
                         (1, 1))
        self.assertEqual(run.json["message"], "1 invite not done yet: 1 failed; 1 needs attention")
        self.check_stopped(daemon)

    def test_dry_run(self):
        world = self.world(invites=[{"email": EVE}])
        world.declare(ADA)
        daemon = Daemon(world, "--dry-run")
        run = self.wait_state(world, "pending")
        self.assert_exit(run, EXIT_PENDING)
        self.assertEqual(run.json["message"], "1 invite, 1 revocation not done yet: dry run")
        self.assertEqual((run.json["dry_run"], run.json["last_pass"]["result"]), (True, "done"))
        self.check_stopped(daemon)

    # ---- approving ----

    def blocked(self, *arguments):
        world = self.world(invites=[{"email": f"out{i}@example.com", "id": f"invite-{i}"}
                                    for i in range(3)],
                           limits={"revocations": 2, "revocation_ratio": 1.0})
        world.declare(ADA)
        daemon = Daemon(world, *arguments)
        run = self.wait_state(world, "blocked")
        self.assert_exit(run, EXIT_PENDING)
        return world, daemon, run.json

    def test_approve(self):
        world, daemon, told = self.blocked()
        id = told["blocked"]["approval"]
        self.assertEqual(told["message"], "3 revocations blocked by a limit")
        self.assertEqual(told["blocked"]["command"], f"inviterd approve {id}")
        self.assertEqual([one["limit"] for one in told["blocked"]["limits"]], ["revocations"])
        self.assertEqual(sorted(one["invite_id"] for one in told["blocked"]["actions"]),
                         ["invite-0", "invite-1", "invite-2"])
        # A plan by hand shows both ways.
        plan = world.run("plan")
        self.assert_exit(plan, EXIT_BLOCKED)
        self.assertIn(f"\nor let the daemon do it: inviterd approve {id}\n", plan.out)
        self.assertEqual(world.shown_command(plan, "--approve")[1:3], ["--approve", id])
        # It needs no key.
        run = world.run("approve", id, bare=True, env={"OPENAI_ADMIN_KEY": None})
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.out, f"approval {id}: carried out: 3 done\n")
        self.assertEqual(world.sandbox.live(), [ADA])
        run = self.wait_state(world, "in-sync")
        self.assertIsNone(run.json["blocked"])
        self.assertEqual((run.json["approval"]["id"], run.json["approval"]["outcome"]),
                         (id, "carried-out"))
        # Once.
        again = world.run("approve", id, bare=True)
        self.assert_exit(again, EXIT_TROUBLE)
        self.assertIn("nothing is blocked now", again.err)
        self.check_stopped(daemon)

    def test_an_id_that_does_not_fit(self):
        world, daemon, told = self.blocked()
        run = world.run("approve", OTHER_ID, "-o", "json", bare=True)
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual((run.json["id"], run.json["outcome"]), (OTHER_ID, "refused"))
        self.assertIn("does not fit what is blocked now", run.err)
        self.assertIn(told["blocked"]["approval"], run.err)
        self.assertEqual(world.sandbox.writes()[0]["call"], "create")
        self.assertEqual(len(world.sandbox.live()), 4)
        self.check_stopped(daemon)

    def test_a_plan_of_another_organisation_does_not_name_the_daemon(self):
        world, daemon, _ = self.blocked()
        other = World(self, invites=[{"email": EVE}], limits={"revocations": 0})
        other.declare(ADA)
        plan = other.run("plan", env={"RUNTIME_DIRECTORY": world.env["RUNTIME_DIRECTORY"]})
        self.assert_exit(plan, EXIT_BLOCKED)
        self.assertNotIn("daemon", plan.out)
        self.check_stopped(daemon)
        # Nor is one named that has ended.
        self.assertNotIn("daemon", world.run("plan").out)

    # ---- metrics ----

    def samples(self):
        text = pathlib.Path(self.metrics).read_text()
        return dict(re.findall(r"^(inviterd\S+) (\S+)$", text, re.M))

    def test_metrics(self):
        world = self.world(metrics=self.world_metrics(), invites=[{"email": EVE}],
                           limits={"revocations": 0})
        world.declare(ADA)
        daemon = Daemon(world)
        told = self.wait_state(world, "blocked").json
        wait_for(lambda: os.path.exists(self.metrics), "the metrics")
        samples = self.samples()
        self.assertEqual(samples['inviterd_state{state="blocked"}'], "1")
        self.assertEqual(samples['inviterd_people{verdict="revoke"}'], "1")
        self.assertEqual(samples['inviterd_requests_total{call="create",status="200"}'], "1")
        self.assertEqual(samples["inviterd_blocked_actions"], "1")
        self.assertEqual(samples["inviterd_failing"], "0")
        success = datetime.datetime.fromisoformat(told["last_success"].replace("Z", "+00:00"))
        self.assertEqual(float(samples["inviterd_last_success_timestamp_seconds"]),
                         success.timestamp())
        self.assertEqual(oct(os.stat(self.metrics).st_mode & 0o777), "0o644")
        world.sandbox.fault("call=list,do=status,status=403")
        daemon.reload()
        self.wait_state(world, "failing")
        wait_for(lambda: self.samples()["inviterd_failing"] == "1", "the failure in the metrics")
        # What has been still counts.
        self.assertEqual(self.samples()['inviterd_requests_total{call="list",status="403"}'], "1")
        self.assertEqual(self.samples()["inviterd_blocked_actions"], "1")
        self.check_stopped(daemon)

    def test_metrics_that_cannot_be_written(self):
        """Said once, until it works again; passes go on."""
        self.world_metrics()
        path = pathlib.Path(self.metrics)
        path.parent.rmdir()
        world = self.world(metrics=self.metrics, interval="10s")
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(2)
        err = daemon.process.wait_err(re.escape(self.metrics) + " cannot be written")
        self.assertEqual(err.count("cannot be written"), 1)
        path.parent.mkdir()
        wait_for(path.exists, "the metrics")
        shutil.rmtree(path.parent)
        daemon.process.wait_err("cannot be written", 2)
        self.check_stopped(daemon)
        path.parent.mkdir()

    def test_metrics_beside_the_configuration(self):
        world = self.world(metrics="x.prom")
        world.declare(ADA)
        daemon = Daemon(world)
        wait_for((world.files / "x.prom").exists, "the metrics")
        # Another place after a reload.
        world.configure(metrics="y.prom", interval="1h")
        daemon.reload()
        wait_for((world.files / "y.prom").exists, "the metrics")
        self.check_stopped(daemon)

    # ---- several daemons ----

    def test_two_daemons_in_one_place(self):
        world = self.world()
        world.declare(ADA)
        daemon = Daemon(world)
        self.wait_state(world, "in-sync")
        second = world.run("run")
        self.assertNotEqual(second.code, EXIT_OK)
        self.assertEqual(self.status(world).json["pid"], daemon.process.popen.pid)
        self.check_stopped(daemon)


if __name__ == "__main__":
    harness.main(workers=10)

#!/usr/bin/env python3
"""The daemon: what it tells the service manager, when it makes a pass, and how it ends."""

import json
import re
import signal
import socket
import tempfile
import threading
import time

import harness
from harness import (EXIT_CONFIG, EXIT_OK, KEY, READONLY_KEY, TestCase, World, wait_for)

ADA, BEN, CLEO = "ada@example.com", "ben@example.com", "cleo@example.com"
# How much longer than promised anything may take here, where many tests and analysers run beside
# each other; tests/system measures it on a machine of its own.
SLACK = 10


class Manager:
    """A service manager's notification socket."""

    def __init__(self, directory):
        self.path = tempfile.mktemp(prefix="notify-", dir=directory)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _receive(self):
        while data := self.socket.recv(65536):
            self.messages.append(data.decode())

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", self.path)
        self.thread.join(harness.PATIENCE)
        self.socket.close()

    def fields(self, name):
        """The values of a field, in the order in which they came."""
        return [line.partition("=")[2] for message in list(self.messages)
                for line in message.splitlines() if line.startswith(name + "=")]


class Daemon:
    def __init__(self, world, *arguments, env=None, bare=False):
        self.world = world
        self.manager = Manager(world.directory)
        world.test.addCleanup(self.manager.close)
        self.process = world.start("run", *arguments, bare=bare,
                                   env={"NOTIFY_SOCKET": self.manager.path, **(env or {})})

    def wait_field(self, name, pattern, count=1):
        def come():
            found = [value for value in self.manager.fields(name) if re.search(pattern, value)]
            assert len(found) >= count or not self.process.is_over, self.process.err
            return len(found) >= count
        wait_for(come, f"{name}={pattern} {count} times in {self.manager.messages}")

    def wait_passes(self, count):
        """Waits until so many passes have ended well."""
        self.wait_field("STATUS", "; next pass ", count)

    def reload(self):
        """SIGHUP; waits until the daemon is ready again."""
        ready = len(self.manager.fields("READY"))
        self.process.signal(signal.SIGHUP)
        self.wait_field("READY", "^1$", ready + 1)

    def stop(self, number=signal.SIGTERM):
        self.process.signal(number)
        return self.process.end()


class DaemonCase(TestCase):
    def check_stopped(self, daemon, number=signal.SIGTERM):
        run = daemon.stop(number)
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.out, "")
        wait_for(lambda: daemon.manager.fields("STOPPING") == ["1"], "STOPPING=1")
        return run


class Life(DaemonCase):
    def test_ready_status_pass_and_stop(self):
        world = World(self, invites=[{"email": "out@example.com", "id": "invite-out"}])
        world.declare(ADA)
        daemon = Daemon(world, "-v")
        daemon.wait_passes(1)
        messages = list(daemon.manager.messages)
        # Nothing is under way before the service manager knows that it is ready.
        self.assertEqual(messages[:2], ["STATUS=starting the first pass", "READY=1"])
        self.assertEqual(daemon.manager.fields("READY"), ["1"])
        statuses = daemon.manager.fields("STATUS")
        self.assertIn("a pass is under way", statuses)
        self.assertRegex(statuses[-1], r"^in sync, 1 person; next pass \d\d:\d\d$")
        self.assertEqual(world.sandbox.live(), [ADA])
        run = self.check_stopped(daemon)
        # Without a journal all of it is on standard error.
        said = run.err.splitlines()
        self.assertRegex(said[0], r"^inviterd \S+ started: policy sync, users off, "
                                  r"http://127\.0\.0\.1:")
        for line in (f"plan: invite {ADA} (not-invited)",
                     "plan: revoke out@example.com (undeclared)", f"invite {ADA}: done",
                     "revoke out@example.com: done", "stopped"):
            self.assertEqual(said.count(line), 1, run.err)
        self.assertRegex(run.err, "pass 1: 1 to invite, 1 to revoke; 2 done; 3 requests")
        self.assertLess(said.index(f"plan: invite {ADA} (not-invited)"),
                        said.index(f"invite {ADA}: done"))

    def test_a_pass_after_each_interval(self):
        world = World(self, interval="10s")
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(1)
        world.sandbox.post("invite", email="out@example.com")
        daemon.wait_passes(2)
        self.assertEqual(world.sandbox.live(), [ADA])
        self.assertEqual(world.sandbox.mails(), {ADA: 1})
        self.assertEqual(daemon.manager.fields("RELOADING"), [])
        self.check_stopped(daemon)

    def test_a_pass_at_midnight_when_a_date_falls_due(self):
        """By the clock of the service, which is ahead of the one of this host."""
        world = World(self, interval="6h")
        midnight = (world.sandbox.now() // 86400 + 1) * 86400
        world.sandbox.post("advance", seconds=midnight - 20 - world.sandbox.now())
        today, tomorrow = (time.strftime("%Y-%m-%d", time.gmtime(midnight + i)) for i in (-1, 0))
        world.declare(ADA, {"email": BEN, "until": today}, {"email": CLEO, "from": tomorrow})
        daemon = Daemon(world)
        daemon.wait_passes(1)
        self.assertEqual(world.sandbox.live(), [ADA, BEN])
        self.assertLess(world.sandbox.now(), midnight)
        daemon.wait_passes(2)
        self.assertEqual(world.sandbox.live(), [ADA, CLEO])
        err = self.check_stopped(daemon).err
        for line in (f"invite {CLEO}: done\n", f"revoke {BEN}: done\n",
                     "pass 2: 1 to invite, 1 to revoke;"):
            self.assertIn(line, err)

    def test_signals_that_end_it(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                world = World(self)
                world.declare(ADA)
                daemon = Daemon(world)
                daemon.wait_passes(1)
                self.check_stopped(daemon, number)

    def test_writes_in_flight_end(self):
        everybody = [f"user{i}@example.com" for i in range(8)]
        world = World(self, "--latency", "700", api={"concurrency": 2})
        world.declare(*everybody)
        daemon = Daemon(world)
        wait_for(lambda: world.sandbox.requests("create"), "a create")
        run = self.check_stopped(daemon)
        sent = [entry["email"] for entry in world.sandbox.requests("create")]
        self.assertLess(len(sent), 8)
        self.assertEqual(sorted(world.sandbox.mails()), sorted(sent))
        for email in sent:
            self.assertIn(f"invite {email}: done\n", run.err)
        # And it remembers them.
        world.sandbox.post("settings", latency=0)
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.mails(), {email: 1 for email in everybody})

    def test_watchdog(self):
        world = World(self)
        world.declare(ADA)
        daemon = Daemon(world, env={"WATCHDOG_USEC": "300000"})
        daemon.wait_field("WATCHDOG", "^1$", 3)
        self.check_stopped(daemon)

    def test_without_a_service_manager(self):
        world = World(self)
        world.declare(ADA)
        process = world.start("run")
        process.wait_err("pass 1: ")
        process.signal(signal.SIGTERM)
        self.assert_exit(process.end(), EXIT_OK)
        self.assertEqual(world.sandbox.live(), [ADA])

    def test_state_directory_of_the_service_manager(self):
        world = World(self)
        world.declare(ADA)
        daemon = Daemon(world, "--config", str(world.config), bare=True,
                        env={"STATE_DIRECTORY": str(world.state)})
        daemon.wait_passes(1)
        self.check_stopped(daemon)
        self.assertTrue((world.state / "ledger.json").exists())

    def test_dry_run_never_writes(self):
        world = World(self, invites=[{"email": "out@example.com"},
                                     {"email": "late@example.com", "status": "expired"}])
        world.declare(ADA, "late@example.com")
        daemon = Daemon(world, "--dry-run")
        daemon.wait_passes(1)
        daemon.reload()
        daemon.wait_passes(2)
        run = self.check_stopped(daemon)
        self.assertEqual({entry["call"] for entry in world.sandbox.requests()}, {"list"})
        self.assertIn("dry run: nothing is ever written", run.err)
        self.assertIn(f"plan: invite {ADA} (not-invited)", run.err)
        self.assertIn("plan: revoke out@example.com (undeclared)", run.err)
        self.assertIn("plan: renew late@example.com (invite-expired)", run.err)
        self.assertNotIn(": done", run.err)


class Reload(DaemonCase):
    def test_takes_the_new_configuration(self):
        world = World(self, policy="create-only", invites=[{"email": "out@example.com"}])
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(1)
        self.assertEqual(world.sandbox.live(), [ADA, "out@example.com"])
        world.configure(policy="sync")
        daemon.reload()
        # Each in a datagram of its own.
        reloading = [message for message in daemon.manager.messages
                     if message.startswith("RELOADING=1")]
        self.assertEqual(len(reloading), 1)
        self.assertRegex(reloading[0], r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        daemon.wait_passes(2)
        self.assertEqual(world.sandbox.live(), [ADA])
        self.assertIn("configuration reloaded: policy sync, users off\n",
                      self.check_stopped(daemon).err)

    def test_another_member_file(self):
        world = World(self)
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(1)
        world.declare(ADA, BEN)
        daemon.reload()
        daemon.wait_passes(2)
        self.assertEqual(world.sandbox.live(), [ADA, BEN])
        self.check_stopped(daemon)

    def test_another_address(self):
        """The connections of the old configuration are not used for the new one."""
        world = World(self)
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(1)
        old, world.sandbox = world.sandbox, world.start_sandbox()
        world.configure()
        old.clear_log()
        daemon.reload()
        daemon.wait_field("STATUS", "the last pass failed")
        self.assertEqual(old.requests(), [])
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()], ["list"])
        self.assertIn("state directory belongs to", self.check_stopped(daemon).err)

    def test_keeps_the_old_configuration_if_the_new_one_is_invalid(self):
        world = World(self)
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(1)
        good = world.config.read_text()
        for bad, pattern in ((good.replace("policy", "polizy"), "did you mean `policy`"),
                             (good[:len(good) // 2], "."),
                             (good.replace('policy = "sync";', ""), "no policy is set")):
            with self.subTest(bad=bad):
                passes = len([one for one in daemon.manager.fields("STATUS") if "next" in one])
                world.config.write_text(bad)
                world.sandbox.post("invite", email="out@example.com")
                daemon.reload()
                daemon.wait_passes(passes + 1)
                # The old one, policy sync, is in force.
                self.assertNotIn("out@example.com", world.sandbox.live())
                self.assertRegex(daemon.process.err,
                                 rf"{re.escape(str(world.config))}(:\d+)?: .*{pattern}")
        run = self.check_stopped(daemon)
        self.assertEqual(run.err.count("the configuration in force before stays in force"), 3)

    def test_during_a_pass(self):
        """Writes in flight end, the rest is done by the pass that follows; nobody is mailed twice."""
        everybody = [f"user{i}@example.com" for i in range(6)]
        world = World(self, "--latency", "400", api={"concurrency": 2})
        world.declare(*everybody)
        daemon = Daemon(world)
        wait_for(lambda: world.sandbox.requests("create"), "a create")
        daemon.reload()
        wait_for(lambda: len(world.sandbox.mails()) == 6, "all e-mails")
        daemon.wait_passes(1)
        self.assertEqual(world.sandbox.mails(), {email: 1 for email in everybody})
        self.assertEqual(len(world.sandbox.requests("list")), 2)
        self.check_stopped(daemon)

    def test_a_rotated_key_works_without_restart_or_reload(self):
        world = World(self)
        key = world.files / "key"
        key.write_text(READONLY_KEY + "\n")
        key.chmod(0o600)
        world.configure(interval="10s", api={"key": f"file:{key}"})
        world.sandbox.post("invite", email=ADA)
        world.declare(ADA)
        daemon = Daemon(world, env={"OPENAI_ADMIN_KEY": None})
        daemon.wait_passes(1)
        key.write_text(KEY + "\n")
        world.sandbox.post("invite", email="out@example.com")
        daemon.wait_passes(2)
        self.assertEqual(world.sandbox.live(), [ADA])
        self.assertEqual(daemon.manager.fields("RELOADING"), [])
        self.check_stopped(daemon)


class Invalid(DaemonCase):
    def test_member_file(self):
        world = World(self, invites=[{"email": ADA}])
        world.write_members('{"organization":\n{"members": []}}')
        daemon = Daemon(world)
        place = re.escape(str(world.member_path))
        daemon.wait_field("STATUS", f"waiting for a valid member file: {place}: no members")
        self.assertEqual(daemon.manager.fields("READY"), ["1"])
        daemon.process.wait_err(f"{place}: no members are declared")
        daemon.process.wait_err("member file is invalid: nothing is written until it is corrected")
        self.assert_untouched(world)

        # And it goes on saying so after a reload that does not help.
        daemon.reload()
        self.assertIn("waiting for a valid member file", daemon.manager.fields("STATUS")[-1])

        world.write_members('{"organization":\n{"members": ["ada@example.com",\n]}}')
        daemon.reload()
        daemon.process.wait_err(f"{place}:3: not valid JSON")
        self.assert_untouched(world)

        world.declare(ADA, BEN)
        daemon.reload()
        daemon.wait_field("STATUS", "in sync, 2 people; next pass")
        self.assertEqual(world.sandbox.live(), [ADA, BEN])

        # Once it was valid, the same holds.
        world.sandbox.clear_log()
        world.write_members("{")
        daemon.reload()
        daemon.wait_field("STATUS", f"waiting for a valid member file: {place}:1: not valid JSON")
        self.assert_untouched(world)
        self.check_stopped(daemon)
        self.assertEqual(world.sandbox.live(), [ADA, BEN])

    def test_managing_without_anybody_protected(self):
        world = World(self, users="manage", people=[{"email": "ops@example.com", "role": "owner"}])
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.process.wait_err("member file is invalid: nothing is written until it is corrected")
        self.assertRegex(daemon.process.err, r"inviterd\.conf:\d+: .*no address is protected")
        self.assert_untouched(world)
        world.declare(ADA, protected=["ops@example.com"])
        daemon.wait_passes(1)
        self.assertEqual(world.sandbox.live(), [ADA])
        self.check_stopped(daemon)

    def test_member_file_that_is_missing(self):
        world = World(self)
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "waiting for a valid member file: .* does not exist")
        self.assert_untouched(world)
        self.check_stopped(daemon)

    def check_refused(self, world, *patterns):
        daemon = Daemon(world, "-o", "json")
        run = daemon.process.end()
        self.assert_error(run, EXIT_CONFIG, *patterns)
        self.assert_untouched(world)
        self.assertEqual(daemon.manager.messages, [])

    def test_configuration_at_start(self):
        world = World(self)
        world.declare(ADA)
        text = world.config.read_text()
        world.config.write_text(text.replace("settle", "setle"))
        self.check_refused(world, rf"{re.escape(str(world.config))}:\d+.*did you mean `settle`")
        world.config.write_text(text[:-4])
        self.check_refused(world, rf"{re.escape(str(world.config))}:\d+")
        world.config.unlink()
        self.check_refused(world, "cannot be read")

    def test_no_policy(self):
        world = World(self, policy=None)
        world.declare(ADA)
        self.check_refused(world, "no policy is set, on purpose")

    def test_no_member_file(self):
        world = World(self, members=None)
        self.check_refused(world, "no member file is named")

    def test_key(self):
        """A key that is missing or wrong is waited for."""
        world = World(self)
        world.declare(ADA)
        key = world.files / "key"
        world.configure(api={"key": f"file:{key}"})
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "waiting for a usable key")
        daemon.process.wait_err("cannot read the key file")
        self.assert_untouched(world)
        key.write_text(KEY)
        key.chmod(0o644)
        daemon.reload()
        daemon.process.wait_err("can be read by others")
        self.assert_untouched(world)
        key.chmod(0o600)
        daemon.reload()
        daemon.wait_field("STATUS", "in sync, 1 person; next pass")
        self.check_stopped(daemon)


class Changes(DaemonCase):
    """A change of the member file starts a pass, long before the interval has passed."""

    def started(self, members=None):
        world = World(self, interval="1h")
        if members:
            world.member_path = members
            world.configure(interval="1h")
        world.declare(ADA)
        daemon = Daemon(world)
        wait_for(lambda: world.sandbox.live() == [ADA], "the first pass")
        daemon.wait_field("STATUS", "in sync, 1 ")
        return world, daemon

    @staticmethod
    def text(*members):
        return json.dumps({"organization": {"defaults": {"role": "reader"},
                                            "members": list(members)}})

    def check_noticed(self, world, change, *members):
        """The change happens now; the first write comes within two seconds."""
        begun = time.monotonic()
        change()
        wait_for(lambda: world.sandbox.live() == sorted(members), "a pass with the change")
        self.assertLess(time.monotonic() - begun, 2 + SLACK)

    def test_saved_in_place(self):
        world, daemon = self.started()
        for members in ((ADA, BEN), (ADA,)):
            self.check_noticed(world, lambda: world.member_path.write_text(self.text(*members)),
                               *members)
        self.check_stopped(daemon)

    def test_renamed_over(self):
        world, daemon = self.started()
        new = world.files / "new.json"

        def rename(members):
            new.write_text(self.text(*members))
            new.rename(world.member_path)
        for members in ((ADA, BEN), (ADA,)):
            self.check_noticed(world, lambda: rename(members), *members)
        self.check_stopped(daemon)

    def test_an_entry_of_a_directory(self):
        world = World(self, interval="1h")
        folder = world.files / "members.d"
        folder.mkdir()
        world.write_members(self.text(ADA), "members.d/a.json")
        world.settle_file(folder)
        world.configure(interval="1h", members=str(folder))
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "in sync, 1 ")
        self.check_noticed(world, lambda: (folder / "b.json").write_text(self.text(BEN)), ADA, BEN)
        self.check_noticed(world, (folder / "b.json").unlink, ADA)
        self.check_stopped(daemon)

    def test_a_link_swapped_as_config_maps_do(self):
        world = World(self, interval="1h")
        folder = world.files / "map"
        for version, members in (("..1", (ADA,)), ("..2", (ADA, BEN))):
            (folder / version).mkdir(parents=True)
            world.write_members(self.text(*members), f"map/{version}/members.json")
        (folder / "..data").symlink_to("..1")
        (folder / "members.json").symlink_to("..data/members.json")
        world.configure(interval="1h", members=str(folder / "members.json"))
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "in sync, 1 ")

        def swap(version):
            (folder / "..tmp").symlink_to(version)
            (folder / "..tmp").rename(folder / "..data")
        self.check_noticed(world, lambda: swap("..2"), ADA, BEN)
        self.check_noticed(world, lambda: swap("..1"), ADA)
        self.check_stopped(daemon)

    def save_often(self, world):
        """Saves twenty times in a row; returns the longest pause between two, in seconds."""
        longest, before = 0, time.monotonic()
        for number in range(20):
            world.member_path.write_text(self.text(ADA, *[f"u{i}@example.com"
                                                         for i in range(number)]))
            time.sleep(0.05)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        return longest

    def test_many_changes_are_one_pass(self):
        for _ in range(10):
            world, daemon = self.started()
            world.sandbox.clear_log()
            longest = self.save_often(world)
            wait_for(lambda: len(world.sandbox.live()) == 20, "the pass")
            daemon.wait_field("STATUS", "in sync, 20 ")
            passes = len(world.sandbox.requests("list"))
            self.check_stopped(daemon)
            # Where this machine was too busy to save quickly, it proves nothing.
            if longest < 0.5:
                self.assertEqual(passes, 1)
                return
        self.skipTest("this machine is too busy")

    def test_half_a_file_is_never_used(self):
        """Whole files only, although the first half would be a valid one, too."""
        world, daemon = self.started()
        world.sandbox.clear_log()
        with open(world.member_path, "w", encoding="utf-8") as file:
            file.write(self.text(BEN))
            file.flush()
            time.sleep(4)
            self.assertEqual(world.sandbox.requests(), [])
            file.seek(0)
            file.truncate()
            file.write(self.text(ADA, BEN))
        wait_for(lambda: world.sandbox.live() == [ADA, BEN], "the pass")
        self.check_stopped(daemon)

    def test_a_writer_that_never_closes_is_not_waited_for_for_ever(self):
        world, daemon = self.started()
        with open(world.member_path, "w", encoding="utf-8") as file:
            file.write(self.text(ADA, BEN))
            file.flush()
            wait_for(lambda: world.sandbox.live() == [ADA, BEN], "the pass")
        self.check_stopped(daemon)

    def test_during_a_pass(self):
        world, daemon = self.started()
        world.sandbox.clear_log()
        world.sandbox.post("settings", latency=1500)
        world.member_path.write_text(self.text(ADA, BEN))
        wait_for(lambda: world.sandbox.requests("create"), "the create")
        world.member_path.write_text(self.text(ADA))
        wait_for(lambda: world.sandbox.live() == [ADA] and world.sandbox.requests("delete"),
                 "the pass that follows")
        self.check_stopped(daemon)

    def test_events_without_end_do_not_keep_passes_away(self):
        world = World(self, interval="10s")
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_passes(1)
        end = time.monotonic() + 13
        while time.monotonic() < end:
            world.files.chmod(0o700)
            world.files.chmod(0o755)
            time.sleep(0.01)
        self.assertGreater(len(world.sandbox.requests("list")), 1)
        self.check_stopped(daemon)

    def test_correcting_an_invalid_file(self):
        world, daemon = self.started()
        world.member_path.write_text("{")
        place = re.escape(str(world.member_path))
        daemon.wait_field("STATUS", f"waiting for a valid member file: {place}:1: not valid JSON")
        world.member_path.unlink()
        daemon.wait_field("STATUS", "waiting for a valid member file: .* does not exist")
        self.check_noticed(world, lambda: world.member_path.write_text(self.text(ADA, BEN)),
                           ADA, BEN)
        run = self.check_stopped(daemon)
        self.assertEqual(run.err.count("nothing is written until it is corrected"), 2)


class Approval(DaemonCase):
    """What becomes of an approval, whatever happens while it is carried out."""

    def blocked(self, count=6, latency=0, **settings):
        invites = [{"email": f"u{i}@example.com"} for i in range(count)]
        world = World(self, "--latency", str(latency), invites=invites,
                      limits={"revocations": 1}, interval="1h", **settings)
        world.declare(ADA)
        daemon = Daemon(world)
        daemon.wait_field("STATUS", f"{count} revocations blocked by a limit")
        command = "inviterd approve ([0-9a-f]{12})"
        return world, daemon, re.search(command, daemon.process.wait_err(command))[1]

    def approve(self, world, approval):
        return world.start("approve", approval, bare=True)

    def test_not_all_of_it_is_done(self):
        world, daemon, approval = self.blocked()
        world.sandbox.fault("call=delete,email=u1@example.com,do=status,status=400")
        run = self.approve(world, approval).end()
        self.assert_exit(run, 1)
        self.assertRegex(run.err, f"approval {approval}: used, and not all of it is done "
                                  r"\(5 done, 1 failed\): what a limit still holds back has a new")
        self.check_stopped(daemon)

    def test_a_reload_lets_it_be_carried_out_whole(self):
        world, daemon, approval = self.blocked(latency=300, api={"concurrency": 1})
        process = self.approve(world, approval)
        wait_for(lambda: world.sandbox.requests("delete"), "the first delete")
        daemon.reload()
        run = process.end()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.out, f"approval {approval}: carried out: 6 done\n")
        self.assertEqual(world.sandbox.live(), [ADA])
        self.check_stopped(daemon)

    def test_while_it_is_carried_out(self):
        world, daemon, approval = self.blocked(latency=500, api={"concurrency": 1})
        process = self.approve(world, approval)
        wait_for(lambda: world.sandbox.requests("delete"), "the first delete")
        status = json.loads((world.directory / "run" / "status.json").read_text())
        self.assertEqual(status["approval"]["text"], "being carried out now")
        self.assert_exit(process.end(), EXIT_OK)
        self.check_stopped(daemon)

    def test_a_stop_before_it_is_used(self):
        world, daemon, approval = self.blocked()
        world.sandbox.fault("call=list,do=hang")
        process = self.approve(world, approval)
        daemon.process.wait_err(f"approval {approval} was handed in")
        run = self.check_stopped(daemon)
        self.assertIn(f"approval {approval}: refused: the daemon was stopped before", run.err)
        said = process.end()
        self.assert_exit(said, 1)
        self.assertIn("refused: the daemon was stopped before; give it once more", said.err)


class Trouble(DaemonCase):
    def test_a_failed_pass_is_not_the_end(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=list,do=status,status=403")
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "the last pass failed")
        daemon.process.wait_err("pass 1 failed: the service refuses the key")
        self.assertEqual(world.sandbox.writes(), [])
        world.sandbox.clear_faults()
        daemon.reload()
        daemon.wait_field("STATUS", "in sync, 1 person; next pass")
        self.assertEqual(world.sandbox.live(), [ADA])
        self.check_stopped(daemon)

    def test_a_refused_address(self):
        world = World(self)
        world.declare(ADA, BEN)
        world.sandbox.fault(f"call=create,email={ADA},do=status,status=400,"
                            'body={"error":{"message":"no such mailbox"}}')
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "1 invite not done yet: 1 failed; next pass")
        err = daemon.process.wait_err(f"invite {ADA}: failed: .*no such mailbox")
        self.assertIn(f"invite {BEN}: done", err)
        self.check_stopped(daemon)

    def test_state_directory(self):
        world = World(self)
        world.declare(ADA)
        world.state.write_text("no directory")
        daemon = Daemon(world)
        daemon.process.wait_err("state directory .* cannot be used")
        self.assert_untouched(world)
        world.state.unlink()
        daemon.reload()
        daemon.wait_field("STATUS", "in sync, 1 person; next pass")
        self.check_stopped(daemon)

    def test_waits_for_the_lock_of_another_pass(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=list,times=1,do=hang")
        other = world.start("apply")
        wait_for(lambda: world.sandbox.requests("list"), "the listing")
        daemon = Daemon(world)
        daemon.wait_field("STATUS", "waiting for another pass on this host")
        self.assertEqual(len(world.sandbox.requests()), 1)
        other.signal(signal.SIGTERM)
        other.end()
        daemon.wait_field("STATUS", "in sync, 1 person; next pass")
        # Between passes nobody has to wait for the daemon.
        self.assert_exit(world.apply(), EXIT_OK)
        self.check_stopped(daemon)

    def test_damaged_ledger(self):
        world = World(self, settle="1h")
        world.declare(ADA)
        world.state.mkdir()
        (world.state / "ledger.json").write_text("{")
        daemon = Daemon(world)
        daemon.process.wait_err("ledger.* damaged")
        self.assertEqual(len(list(world.state.glob("ledger.json.damaged-*"))), 1)
        world.configure(settle="1s")
        self.assertEqual(world.sandbox.writes(), [])
        daemon.reload()
        daemon.wait_field("STATUS", "in sync, 1 person; next pass")
        self.check_stopped(daemon)

    def test_limits(self):
        """What is blocked is said with its command, and only once as long as it stays so."""
        world = World(self, limits={"invites": 1}, invites=[{"email": "odd@example.com",
                                                             "status": "suspended"}])
        world.declare(ADA, BEN)
        daemon = Daemon(world, "-v")
        daemon.wait_field("STATUS", "2 invites blocked by a limit; 1 needs attention; next pass")
        err = daemon.process.wait_err("inviterd approve [0-9a-f]{12}\n")
        self.assertIn("limits.invites: 2 people would be invited, 1 is allowed", err)
        self.assertIn(f"blocked: invite {ADA} (invites)", err)
        self.assertIn("attention: odd@example.com (unknown-status)", err)
        self.assertEqual(world.sandbox.writes(), [])
        daemon.reload()
        daemon.wait_field("STATUS", "2 invites blocked by a limit", 2)
        run = self.check_stopped(daemon)
        self.assertEqual(run.err.count("blocked: invite"), 2)
        self.assertEqual(run.err.count("attention:"), 1)
        self.assertEqual(run.err.count("to carry out exactly"), 1)

    def test_text_from_the_service_forges_no_line(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.post("invite", email="evil\n\u001b[2Jplan: revoke everybody@example.com",
                           status="suspended")
        message = json.dumps({"error": {"message": "no\nsuch\u202e\u001b]0;mailbox"}})
        message = "".join(f"%{byte:02x}" for byte in message.encode())
        world.sandbox.fault(f"call=create,do=status,status=400,body={message}")
        daemon = Daemon(world)
        daemon.wait_passes(1)
        run = self.check_stopped(daemon)
        for character in "\u001b\u202e":
            self.assertNotIn(character, run.err + "".join(daemon.manager.messages))
        self.assertFalse([line for line in run.err.splitlines()
                          if line.startswith(("plan: revoke", "such"))], run.err)


if __name__ == "__main__":
    harness.main(workers=12)

#!/usr/bin/env python3
"""The state directory goes wrong: full, read-only, failing, or with a ledger that is damaged.

Each time an apply says what is wrong and what to do, and either writes nothing, or recovers after
the settle time has passed. Mounts are made in a namespace of their own.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import harness  # noqa: E402
from harness import EXIT_OK, EXIT_TROUBLE, Process, TestCase, World, environment  # noqa: E402

ADA, BEN, OLD, LEFT = "ada@example.com", "ben@example.com", "old@example.com", "left@example.com"
NOT_WRITTEN = r"the state directory cannot be written \({}\): nothing is sent that could not be " \
              r"remembered; free space or check its permissions"
NOT_USABLE = r"the state directory \S+ cannot be used \({}\): correct its permissions, or give " \
             r"another"
SET_ASIDE = r"the ledger was damaged \(.*\): it was set aside as \S+; nothing is written before " \
            r"the settle time has passed"


def works(*command):
    return shutil.which(command[0]) is not None and \
        subprocess.run(command, check=False, capture_output=True).returncode == 0


NAMESPACE = next((command for command in (["unshare", "-m"], ["unshare", "-r", "-m"])
                  if works(*command, "mount", "-t", "tmpfs", "none", "/mnt")), None)
FILL = "head -c 65536 /dev/zero > /mnt/filler 2>/dev/null || true"
CAN_TRACE = works("strace", "-o", "/dev/null", "true")


class Disk(TestCase):
    def world(self, settle="1s", **more):
        """One to invite, one to renew, one to revoke; and a ledger from an apply before."""
        world = World(self, settle=settle, **more, invites=[
            {"email": OLD, "status": "expired", "id": "invite-old"},
            {"email": LEFT, "id": "invite-left"},
            {"email": BEN, "role": "owner", "id": "invite-ben"}])
        world.declare({"email": BEN, "role": "owner"}, OLD, LEFT)
        world.sandbox.fault("call=create,do=status,status=429,retry-after=1000")
        self.assert_exit(world.apply(), EXIT_TROUBLE)
        world.sandbox.clear_faults()
        world.sandbox.clear_log()
        world.declare(ADA, BEN, OLD)
        return world

    def start(self, command, env):
        process = Process(command, env)
        self.addCleanup(process.kill)
        return process.end()

    def check_nothing_written(self, world, run):
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertEqual(world.sandbox.writes(), [], str(run))

    def check_goes_on(self, world):
        """With the trouble gone, the next apply does all of it, once."""
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(world.sandbox.mails(), {ADA: 1, OLD: 1, BEN: 1}, str(run))
        self.assertEqual(world.sandbox.live(), sorted([ADA, BEN, OLD]))

    def check_trouble(self, world, run, *patterns):
        self.check_nothing_written(world, run)
        for pattern in patterns:
            self.assertRegex(run.err, pattern)
            self.assertRegex(run.json["error"], pattern)
        self.check_goes_on(world)


@unittest.skipUnless(NAMESPACE, "may not mount")
class Mounted(Disk):
    def apply_on(self, world, prepare, mode="rw"):
        """Applies with the state directory on a tmpfs of its own, filled with what is there."""
        script = ('set -e; mount -t tmpfs -o mode=0700,size=64k none /mnt; '
                  f'cp -a "$STATE/." /mnt; {prepare}; mount --bind -o {mode} /mnt "$STATE"; '
                  'shift; exec "$@"')
        command = [*NAMESPACE, "sh", "-c", script, "sh", "--",
                   *world.command("apply", "-o", "json")]
        return self.start(command, environment(STATE=str(world.state)))

    def test_full_disk(self):
        world = self.world()
        run = self.apply_on(world, FILL)
        self.check_trouble(world, run, NOT_WRITTEN.format("No space left on device"))

    def test_read_only_directory(self):
        world = self.world()
        run = self.apply_on(world, ":", "ro")
        self.check_trouble(world, run, NOT_USABLE.format("Read-only file system"))

    def test_read_only_directory_with_a_damaged_ledger(self):
        world = self.world()
        run = self.apply_on(world, "echo { > /mnt/ledger.json", "ro")
        self.check_trouble(world, run, NOT_USABLE.format("Read-only file system"))

    def test_full_disk_with_a_damaged_ledger(self):
        """That the ledger was damaged could not be remembered: nothing may be written."""
        world = self.world()
        run = self.apply_on(world, "echo { > /mnt/ledger.json; " + FILL)
        self.check_trouble(world, run, NOT_USABLE.format("No space left on device"))


@unittest.skipUnless(CAN_TRACE, "may not trace")
class Failing(Disk):
    """One system call on the ledger fails, from its n-th time on."""

    def apply_with(self, world, call, error, when, path=None):
        # Of the writes, only those to the ledger: what goes to a terminal or a socket may succeed.
        only = ["-P", str(path)] if path else []
        command = ["strace", "-qq", "-o", "/dev/null", *only, "-e", f"trace={call}", "-e",
                   f"inject={call}:error={error}:when={when}",
                   *world.command("apply", "-o", "json")]
        # The leak checker is no friend of a tracer.
        env = environment()
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        return self.start(command, env)

    def check_fails(self, call, error, words, when="1+", path=None):
        world = self.world()
        ledger = world.state / "ledger.json"
        before = ledger.read_text()
        run = self.apply_with(world, call, error, when, world.state / path if path else None)
        self.assertEqual(ledger.read_text(), before)
        self.check_trouble(world, run, NOT_WRITTEN.format(words))

    def test_write_finds_no_space(self):
        self.check_fails("write", "ENOSPC", "No space left on device", path="ledger.json.new")

    def test_write_meets_a_quota(self):
        self.check_fails("write", "EDQUOT", "Disk quota exceeded", path="ledger.json.new")

    def test_write_fails(self):
        self.check_fails("write", "EIO", "Input/output error", path="ledger.json.new")

    def test_sync_fails(self):
        self.check_fails("fsync", "EIO", "Input/output error")

    def test_rename_fails(self):
        self.check_fails("renameat", "EIO", "Input/output error")

    def test_sync_of_the_directory_fails(self):
        """The new ledger is there, yet not surely: nothing is sent, and it harms nobody."""
        world = self.world()
        run = self.apply_with(world, "fsync", "EIO", "2+")
        self.check_trouble(world, run, NOT_WRITTEN.format("Input/output error"))

    def test_a_later_save_fails(self):
        """What was sent before stays known, and the rest is not sent."""
        world = self.world()
        more = [f"person{i:02}@example.com" for i in range(60)]
        world.configure(limits={"invites": 100, "revocation_ratio": 1.0})
        world.declare(ADA, BEN, OLD, *more)
        run = self.apply_with(world, "renameat", "ENOSPC", "3+")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertRegex(run.err, NOT_WRITTEN.format("No space left on device"))
        sent = len(world.sandbox.requests("create"))
        self.assertTrue(0 < sent < 60, sent)
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.mails(), {email: 1 for email in [ADA, BEN, OLD, *more]})

    def test_ledger_cannot_be_read(self):
        world = self.world()
        run = self.apply_with(world, "read", "EIO", "1+", world.state / "ledger.json")
        self.check_trouble(world, run, NOT_USABLE.format("Input/output error"))

    def test_no_lock_can_be_had(self):
        world = self.world()
        run = self.apply_with(world, "flock", "ENOLCK", "1+")
        self.check_trouble(world, run, NOT_USABLE.format("No locks available"))

    def test_damaged_ledger_cannot_be_set_aside(self):
        world = self.world()
        whole = (world.state / "ledger.json").read_text()
        (world.state / "ledger.json").write_text(whole[:100])
        run = self.apply_with(world, "linkat", "ENOSPC", "1+")
        self.check_nothing_written(world, run)
        self.assertRegex(run.err, NOT_USABLE.format("No space left on device"))
        # It is still there, and still not believed.
        self.assertEqual((world.state / "ledger.json").read_text(), whole[:100])


class FileSizeLimit(Disk):
    def test_limit_of_the_file_size(self):
        """As a service manager sets it; SIGXFSZ is ignored there, or ends the process."""
        for handler, code in ((signal.SIG_IGN, EXIT_TROUBLE), (signal.SIG_DFL, -signal.SIGXFSZ)):
            world = self.world()
            command = ["prlimit", "--fsize=64", *world.command("apply", "-o", "json")]
            # A child of Python ignores SIGXFSZ, unless told otherwise.
            process = Process(command, environment(), restore_signals=handler == signal.SIG_DFL)
            self.addCleanup(process.kill)
            run = process.end()
            self.assert_exit(run, code)
            self.assertEqual(world.sandbox.writes(), [], str(run))
            if code == EXIT_TROUBLE:
                self.assertRegex(run.err, NOT_WRITTEN.format("File too large"))
            self.check_goes_on(world)


class Ledger(Disk):
    """The ledger is not what was written."""

    def check_waited(self, world, until):
        """Nothing was decided by a listing from before; two clocks may differ by a little."""
        self.assertGreater(world.sandbox.requests("list")[0]["time"], until - 0.05)

    def check_recovers(self, text):
        """It is set aside whole, and nothing is written before settle; then all is done, once."""
        world = self.world()
        path = world.state / "ledger.json"
        path.write_bytes(text)
        started = time.time()
        run = world.apply()
        self.check_waited(world, started + 1)
        self.assertRegex(run.err, SET_ASIDE)
        self.assert_exit(run, EXIT_OK)
        aside = list(world.state.glob("ledger.json.damaged-*"))
        self.assertEqual([one.read_bytes() for one in aside], [text])
        self.check_goes_on(world)

    def sample(self):
        world = self.world()
        self.assert_exit(world.apply(), EXIT_OK)
        return world, (world.state / "ledger.json").read_bytes()

    def test_garbage(self):
        self.check_recovers(random.Random(1).randbytes(4096))

    def test_nothing(self):
        self.check_recovers(b"")

    def test_zeros_as_after_a_power_cut(self):
        self.check_recovers(bytes(4096))

    def test_another_schema(self):
        self.check_recovers(b'{"schema": "inviterd.ledger/2"}')

    def test_half(self):
        _, text = self.sample()
        self.check_recovers(text[:len(text) // 2])

    def test_damage_is_remembered_until_settle(self):
        """Killed while it waits, the next apply does not take the new ledger for a whole one."""
        world = self.world(settle="4s")
        (world.state / "ledger.json").write_text("{")
        started = time.time()
        process = world.start("apply", "-o", "json")
        process.wait_err("set aside")
        process.popen.kill()
        process.end()
        self.assertTrue(json.loads((world.state / "ledger.json").read_text())["suspect"])
        self.check_goes_on(world)
        self.check_waited(world, started + 4)

    def test_truncated_at_every_byte(self):
        """Never taken for whole. By plan, which says what it thinks of a ledger and goes on; a
        seeded sample of the places, and each near an end."""
        world, text = self.sample()
        world.sandbox.clear_log()
        rng = random.Random(1)
        places = {*range(8), *range(len(text) - 8, len(text)), *rng.sample(range(len(text)), 24)}
        for at in sorted(places):
            (world.state / "ledger.json").write_bytes(text[:at])
            run = world.plan()
            whole = text[:at].strip() == text.strip()
            self.assertEqual("is damaged" in run.err, not whole, f"cut at {at}: {run}")
        self.assertEqual(world.sandbox.writes(), [])

    def test_half_written_beside_the_whole(self):
        """A crash within a save leaves ledger.json.new: that is no ledger, and in nobody's way."""
        world = self.world()
        for junk in (b"", b"{", (world.state / "ledger.json").read_bytes()[:50]):
            (world.state / "ledger.json.new").write_bytes(junk)
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertNotIn("damaged", run.err)
        self.assertEqual(sorted(os.listdir(world.state)), ["ledger.json", "lock"])
        self.check_goes_on(world)

    def test_directory_beside_the_whole(self):
        world = self.world()
        (world.state / "ledger.json.new").mkdir()
        run = world.apply()
        (world.state / "ledger.json.new").rmdir()
        self.check_trouble(world, run, NOT_WRITTEN.format("Is a directory"))

    def test_symbolic_link_beside_the_whole(self):
        """A save follows no link out of the directory."""
        world = self.world()
        target = world.files / "target"
        target.write_text("not ours")
        (world.state / "ledger.json.new").symlink_to(target)
        run = world.apply()
        self.check_nothing_written(world, run)
        self.assertEqual(target.read_text(), "not ours")

    def test_directory_in_its_place(self):
        world = self.world()
        ledger = world.state / "ledger.json"
        ledger.rename(world.state / "whole")
        ledger.mkdir()
        run = world.apply()
        self.check_nothing_written(world, run)
        self.assertRegex(run.err, NOT_USABLE.format("Is a directory"))
        ledger.rmdir()
        (world.state / "whole").rename(ledger)
        self.check_goes_on(world)

    def test_ledger_of_another_organization(self):
        world = self.world()
        path = world.state / "ledger.json"
        whole = json.loads(path.read_text())
        for key, value, pattern in (
                ("organization", "org-other", "belongs to the organisation org-other, and this is"),
                ("base_url", "https://other.example/v1", "belongs to https://other.example/v1")):
            path.write_text(json.dumps({**whole, key: value}))
            run = world.apply()
            self.check_nothing_written(world, run)
            self.assertRegex(run.err, pattern)
            self.assertRegex(run.err, "give each .* its own --state-dir")
        path.write_text(json.dumps(whole))
        self.check_goes_on(world)


if __name__ == "__main__":
    harness.main(workers=4)

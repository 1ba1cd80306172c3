"""What the system tests share: an installed inviterd on a booted machine, with its organisation.

A test boots a machine of its own (half a second), so that tests run beside each other and none sees
what another has left. When a test fails, the journal of its machine is printed.
"""

import json
import os
import pathlib
import re
import signal
import sys
import threading
import time
import traceback

import capability
import images
from machine import Machine
from package import Package

import harness  # of tests/cli; machine.py says where it is
from harness import KEY, PATIENCE, READONLY_KEY, to_conf, wait_for

# Event names and their ids in the journal.
EVENTS = dict(re.findall(r'^#define EVENT_(\w+) +"(\w+)"$',
                         (images.ROOT / "src/app/events.h").read_text(encoding="utf-8"), re.M))
NOTICE, INFO, DEBUG, WARNING, ERROR = "5", "6", "7", "4", "3"

# The Debian release on which the tests of this process run; test_debian_*.py set it.
RELEASE = "bookworm"

ADA, BEN, CYD = "ada@example.com", "ben@example.com", "cyd@example.com"


def everybody(count):
    return [f"user{number:03}@example.com" for number in range(count)]


class _Ground:
    """The image and the package, made once, whichever test needs them first."""

    def __init__(self):
        self.lock, self.package, self.error = threading.Lock(), None, None

    def get(self):
        with self.lock:
            if self.error:
                raise RuntimeError("as with the first test, the machine could not be made") \
                    from self.error
            try:
                self.package = self.package or Package(images.Image(RELEASE))
            except Exception as error:
                self.error = error
                raise
            return self.package


_ground = _Ground()


def package():
    return _ground.get()


class Stalls(threading.Thread):
    """Measures how late this machine wakes up who sleeps: limits of time mean nothing while it does."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst, self.over = 0, False
        self.start()

    def run(self):
        while not self.over:
            before = time.monotonic()
            time.sleep(0.01)
            self.worst = max(self.worst, time.monotonic() - before - 0.01)

    def end(self):
        self.over = True
        self.join()
        return self.worst


class Service:
    """inviterd.service, or an instance of inviterd@.service, set up for an organisation."""

    def __init__(self, machine, sandbox, instance=None):
        self.machine, self.sandbox, self.instance = machine, sandbox, instance
        tail = f"-{instance}" if instance else ""
        self.unit = f"inviterd@{instance}.service" if instance else "inviterd.service"
        self.etc = f"/etc/inviterd/{instance}" if instance else "/etc/inviterd"
        self.member_file = f"{self.etc}/members.conf"
        self.state_directory, self.run_directory = f"/var/lib/inviterd{tail}", f"/run/inviterd{tail}"

    # ---- files ----

    @staticmethod
    def configuration(url, **settings):
        """The text of a configuration; None leaves a setting out."""
        api = {"base_url": url, **settings.pop("api", {})}
        values = {"policy": "sync", "users": "off", "members": "members.conf", "interval": "1h",
                  "settle": "1s", "api": api, **settings}
        values = {name: value for name, value in values.items() if value is not None}
        return f"inviterd:\n{to_conf(values, '')};\n"

    def configure(self, **settings):
        text = self.configuration(self.sandbox.url, **settings)
        self.machine.write(f"{self.etc}/inviterd.conf", text)

    @staticmethod
    def members_text(*members):
        group = {"defaults": {"role": "reader"}, "members": list(members)}
        return f"organization:\n{to_conf(group, '')};\n"

    def put_key(self, key=KEY):
        self.machine.write(f"{self.etc}/openai-admin-key", key + "\n", mode=0o600)

    def declare(self, *members):
        self.machine.write(self.member_file, self.members_text(*members))

    # ---- life ----

    def systemctl(self, verb, **options):
        return self.machine.run("systemctl", verb, self.unit, **options)

    def start(self):
        self.systemctl("start")

    def show(self, *names):
        return self.machine.show(self.unit, *names)

    @property
    def pid(self):
        return self.show("MainPID")

    def status_text(self):
        return self.show("StatusText")

    def wait_status(self, pattern, patience=PATIENCE):
        """Waits until the status line for the service manager matches the whole pattern."""
        def told():
            text = self.status_text()
            return text if re.fullmatch(pattern, text) else None
        try:
            return wait_for(told, f"status {pattern!r}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.status_text()!r}") from None

    def wait_in_sync(self):
        return self.wait_status(r"in sync, \d+ (person|people); next pass \d\d:\d\d")

    def lists(self):
        return self.sandbox.requests("list")

    def wait_passes(self, count):
        """Waits until so many passes of this process have ended."""
        wait_for(lambda: self.status()["last_pass"] and not self.status()["pass_under_way"] and
                 self.status()["last_pass"]["number"] >= count, f"{count} passes")

    # ---- what it says ----

    def cli(self, *arguments, **options):
        """Runs inviterd as root, for this instance."""
        name = ["--instance", self.instance] if self.instance else []
        return self.machine.run("inviterd", *arguments, *name, **options)

    def status(self):
        """What `status -o json` prints, whatever its exit code."""
        done = self.cli("status", "-o", "json", check=False)
        return json.loads(done.out)

    def entries(self, *matches, event=None, **fields):
        """The daemon's entries in the journal, of an event, with these INVITERD_ fields."""
        self.machine.run("journalctl", "--sync")
        given = [f"INVITERD_{name.upper()}={value}" for name, value in fields.items()]
        if event:
            given.append(f"MESSAGE_ID={EVENTS[event]}")
        return self.machine.journal(f"_SYSTEMD_UNIT={self.unit}", "SYSLOG_IDENTIFIER=inviterd",
                                    *given, *matches)

    def touch(self):
        """Lets a pass follow in which nothing has changed."""
        self.machine.run("touch", self.member_file)


class SystemCase(harness.TestCase):
    """A test on booted machines."""

    def setUp(self):
        why = capability.missing()
        if why and capability.REQUIRED:
            self.fail(f"no container can be booted here: {why}")
        if why:
            self.skipTest(f"no container can be booted here: {why}")
        self.package = package()
        self.services = []

    def boot(self, layers=None, files=None):
        machine = Machine(layers or self.package.installed, files)
        self.addCleanup(machine.close)
        self.addCleanup(self.look_back, machine)
        return machine

    def begin(self, machine, *arguments):
        """A program under way in the machine; it may hang."""
        process = machine.start(*arguments)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_sandbox(self, machine, *options, **more):
        sandbox = machine.sandbox(*options, **more)
        self.addCleanup(sandbox.stop)
        return sandbox

    def service(self, *sandbox_options, org=None, invites=None, machine=None, instance=None, key=KEY,
                members=(ADA,), **settings):
        """A machine with an organisation, and inviterd set up for it, but not started."""
        if invites is not None:
            org = {**(org or {}), "invites": invites}
        machine = machine or self.boot()
        sandbox = self.start_sandbox(machine, *sandbox_options, org=org)
        service = Service(machine, sandbox, instance)
        service.put_key(key)
        service.configure(**settings)
        service.declare(*members)
        self.services.append(service)
        return service

    def running(self, *sandbox_options, **more):
        """The same, started, and in sync after its first pass."""
        service = self.service(*sandbox_options, **more)
        service.start()
        service.wait_in_sync()
        return service

    # ---- what holds for every test ----

    def run(self, result=None):
        self.result = result
        return super().run(result)

    def failed(self):
        return any(test is self for test, _ in self.result.failures + self.result.errors)

    def look_back(self, machine):
        """Whatever the test was about: the key is in no log, and nothing is logged twice."""
        if not pathlib.Path(f"/proc/{machine.leader}/root/etc").exists():
            return
        if self.failed():
            print(machine.run("journalctl", "--no-pager", "--output=short-precise", "--lines=300",
                              check=False).out, file=sys.stderr)
            return
        machine.run("journalctl", "--sync")
        everything = machine.run("journalctl", "--output=export").out
        for key in (KEY, READONLY_KEY):
            self.assertNotIn(key, everything, "the key is in the journal")
        for service in self.services:
            if service.machine is machine:
                self.check_journal(service)

    def check_journal(self, service):
        seen = set()
        for entry in service.entries():
            self.assertEqual(entry["_TRANSPORT"], "journal", entry)
            self.assertIn(entry["MESSAGE_ID"], EVENTS.values())
            what = (entry["_PID"], entry.get("INVITERD_PASS"), entry["MESSAGE"])
            if "INVITERD_PASS" in entry and entry["PRIORITY"] != DEBUG:
                self.assertNotIn(what, seen, "logged twice")
            seen.add(what)


def main(workers=4):
    """Runs the tests of the module; the image is made first, so that no test is timed with it."""
    os.umask(0o022)
    # At once: the keepers clean up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    why = capability.missing()
    if why and not capability.REQUIRED:
        print(f"skipped: no container can be booted here: {why}")
    if not why:
        try:
            package()
        except Exception:
            traceback.print_exc()
            sys.exit(1)
    harness.main(workers)

#!/usr/bin/env python3
"""Death at any moment: an apply of 200 changes is killed, started again, and loses nothing.

    INVITERD=PATH INVITERD_SANDBOX=PATH tests/faults/test_death.py [--kills N] [--seed N] [--jobs N]

One world after another is killed until it is done, in all at least N times; a seed repeats the
moments as well as real processes can. The moments: a write or a listing at each stage of its way
(see gate.py), the n-th of a system call (by strace), or so many microseconds after the start. After
each kill the ledger must be readable and know each create that took effect.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import gate  # noqa: E402
import harness  # noqa: E402
from harness import PATIENCE, Process, TestCase, World, environment  # noqa: E402
from scope import Scope  # noqa: E402

options = argparse.Namespace(kills=40, seed=1, jobs=3)

INVITED = [f"new{i:03}@example.com" for i in range(150)]
RENEWED = [f"old{i:03}@example.com" for i in range(20)]
REPLACED = [f"changed{i:03}@example.com" for i in range(15)]
REVOKED = [f"left{i:03}@example.com" for i in range(15)]
KEPT = [f"kept{i:03}@example.com" for i in range(20)]
IGNORED = [f"guest{i:03}@vendor.example" for i in range(5)]
ACCEPTED = [f"member{i:03}@example.com" for i in range(5)]
CHANGES = len(INVITED) + len(RENEWED) + len(REPLACED) + len(REVOKED)

# A kill comes before the system call takes effect.
SYSTEM_CALLS = {"openat": 80, "write": 60, "fsync": 24, "renameat": 12, "sendto": 120,
                "recvfrom": 150}
LONGEST_USEC = 150_000


def invite(email, status="pending", role="reader"):
    return {"email": email, "status": status, "role": role, "id": f"before-{email.split('@')[0]}"}


BEFORE = [*(invite(email, "expired") for email in RENEWED),
          *(invite(email, role="owner") for email in REPLACED),
          *(invite(email) for email in REVOKED + KEPT + IGNORED),
          *(invite(email, "accepted") for email in ACCEPTED)]
# Who stays as they are, by id; and who has to be live in the end.
UNTOUCHED = [f"before-{email.split('@')[0]}" for email in KEPT + IGNORED + ACCEPTED]
LIVE_AT_THE_END = sorted(INVITED + RENEWED + REPLACED + KEPT + IGNORED)


def can_trace():
    """Whether strace is there, and allowed to."""
    return shutil.which("strace") is not None and \
        subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                       stderr=subprocess.DEVNULL).returncode == 0


class Moment:
    """One seeded moment of death."""

    def __init__(self, rng, may_trace):
        self.kind = rng.choices(("write", "listing", "call", "time"), (60, 8, 20, 12))[0]
        if self.kind == "call" and not may_trace:
            self.kind = "write"
        self.stage = rng.choice(gate.MOMENTS)
        self.nth = rng.randint(2, 40) if self.kind == "write" else rng.randint(1, 3)
        self.usec = rng.randrange(LONGEST_USEC if self.kind == "time" else 1000)
        self.call = rng.choice(sorted(SYSTEM_CALLS))
        self.call_nth = rng.randint(1, SYSTEM_CALLS[self.call])

    def __str__(self):
        if self.kind == "call":
            return f"before {self.call} {self.call_nth}"
        if self.kind == "time":
            return f"after {self.usec} us"
        return f"{self.kind} {self.nth} {self.stage} + {self.usec} us"


class Mortal:
    """A world whose applies are killed until one is done."""

    def __init__(self, scope, seed, may_trace):
        self.seed, self.may_trace = seed, may_trace
        rng = random.Random(f"{seed}")
        sandbox_options = ["--lag", rng.choice(["0", "300"]),
                           "--order", rng.choice(["newest", "oldest"])]
        if rng.random() < 0.5:
            sandbox_options.append("--strict-reinvite")
        self.world = World(scope, *sandbox_options, invites=BEFORE)
        self.gate = gate.Gate(scope, self.world.sandbox.port)
        self.world.configure(
            settle="1s", api={"base_url": self.gate.url},
            limits={"revocations": 1000, "revocation_ratio": 1.0, "invites": 1000,
                    "owner_invites": 1000, "renewals": 3})
        self.world.declare(*INVITED, *RENEWED, *REPLACED, *KEPT, ignore=["*@vendor.example"])
        self.trace, self.deaths = [], []  # writes that the service had seen before and at each

    def live_through(self):
        """Kills until an apply comes to its end."""
        for run in range(200):
            moment = Moment(random.Random(f"{self.seed}/{run}"), self.may_trace)
            before = len(self.world.sandbox.writes())
            ended = self.run_once(moment)
            self.gate.drain()
            after = len(self.world.sandbox.writes())
            killed = ended.code == -signal.SIGKILL
            code = "killed" if killed else f"exit {ended.code}"
            self.trace.append(f"{moment}: {code}, writes {before} to {after}")
            self.check_memory(ended)
            if not killed:
                assert ended.code == 0, self.story(ended)
                self.check_end()
                return
            self.deaths.append((moment.kind, before, after))
        raise AssertionError(self.story("never comes to its end"))

    def run_once(self, moment):
        command = self.world.command("apply", "-o", "json")
        env = environment()
        if moment.kind == "call":
            command = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={moment.call}", "-e",
                       f"inject={moment.call}:signal=KILL:when={moment.call_nth}", *command]
            # The leak checker is no friend of a tracer.
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        known = threading.Event()

        def kill():
            known.wait()
            time.sleep(moment.usec / 1e6)
            process.popen.kill()
            process.popen.wait(PATIENCE)

        self.gate.disarm()
        if moment.kind in ("write", "listing"):
            methods = gate.WRITES if moment.kind == "write" else gate.READS
            self.gate.arm(methods, moment.nth, moment.stage, kill)
        process = Process(command, env)
        known.set()
        if moment.kind == "time":
            kill()
        try:
            return process.end()
        finally:
            process.kill()

    def story(self, text):
        return f"world of seed {self.seed}:\n" + "\n".join(self.trace) + f"\n{text}"

    def check_memory(self, ended):
        """The ledger can be read, and knows each create that took effect."""
        assert "damaged" not in ended.err, self.story(ended)
        names = sorted(path.name for path in self.world.state.glob("*"))
        assert set(names) <= {"ledger.json", "ledger.json.new", "lock"}, self.story(names)
        created = set(self.world.sandbox.mails())
        path = self.world.state / "ledger.json"
        wishes = json.loads(path.read_text())["wishes"] if path.exists() else []
        known = {wish["email"] for wish in wishes if wish["state"] != "none"}
        assert created <= known, self.story(f"not remembered: {created - known}")

    def check_end(self):
        sandbox = self.world.sandbox
        assert not self.twice(), self.story(f"mailed twice: {self.twice()}")
        assert not self.lost(), self.story(f"lost: {self.lost()}")
        assert sandbox.live() == LIVE_AT_THE_END, self.story(sandbox.live())
        wrong = [one for one in sandbox.invites() if one["status"] == "pending" and
                 one["role"] != "reader"]
        assert not wrong, self.story(f"with another role: {wrong}")
        ids = {one["id"] for one in sandbox.invites()}
        assert ids >= set(UNTOUCHED), self.story(f"gone: {set(UNTOUCHED) - ids}")
        self.gate.disarm()
        plan = self.world.plan()
        assert plan.code == 0, self.story(plan)

    def twice(self):
        return {email: n for email, n in self.world.sandbox.mails().items() if n != 1}

    def lost(self):
        return sorted(set(INVITED + RENEWED + REPLACED) - set(self.world.sandbox.mails()))

    def deaths_between(self):
        """How many came when a write of that run was made, and another was still to be made."""
        last = len(self.world.sandbox.writes())
        return sum(before < after < last for _, before, after in self.deaths)


def live(seed, may_trace):
    with Scope() as scope:
        mortal = Mortal(scope, seed, may_trace)
        mortal.live_through()
        mails = mortal.world.sandbox.mails()
        return collections.Counter(
            worlds=1, kills=len(mortal.deaths), between=mortal.deaths_between(),
            applies=len(mortal.trace), mails=sum(mails.values()), lost=len(mortal.lost()),
            **collections.Counter(f"by {kind}" for kind, _, _ in mortal.deaths),
        ), max(mails.values())


class Death(TestCase):
    def test_nobody_is_mailed_twice_and_nobody_is_lost(self):
        may_trace, total, most = can_trace(), collections.Counter(), 0
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            seeds = (f"{options.seed}/{world}" for world in range(options.kills))
            while total["kills"] < options.kills:
                jobs = [pool.submit(live, next(seeds), may_trace) for _ in range(options.jobs)]
                for job in jobs:
                    figures, mails = job.result()
                    total.update(figures)
                    most = max(most, mails)
        print(f"seed {options.seed}: {total['worlds']} worlds of {CHANGES} changes, "
              f"{total['kills']} kills, of them {total['between']} between the first and the last "
              f"write of a run; {total['applies']} applies; {total['mails']} mails, at most {most} "
              f"to one address; {total['lost']} lost; {time.monotonic() - started:.0f} s\nkills " +
              ", ".join(f"{name} {total[name]}" for name in sorted(total) if name[:3] == "by "),
              file=sys.stderr)
        self.assertEqual((most, total["lost"]), (1, 0))
        self.assertGreaterEqual(2 * total["between"], total["kills"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=options.kills)
    parser.add_argument("--seed", type=int, default=options.seed)
    parser.add_argument("--jobs", type=int, default=options.jobs, help="worlds side by side")
    parser.parse_args(namespace=options)
    sys.argv[1:] = []
    harness.main()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Memory runs short: each allocation of our own code fails in turn, in every command that reads files.

    INVITERD_BUILD=DIRECTORY INVITERD=PATH INVITERD_SANDBOX=PATH tests/faults/test_memory.py
        [--all | --share N] [--seed N] [--jobs N] [Memory.test_apply …]

Without --all, a seeded spread of them. The program is the product, linked with fail_allocation.c.
However little memory there is, a run ends by itself with an error that says so, or with the very
result that it has otherwise; no sanitizer complains; and after it nothing is mailed twice, and an
apply converges.
"""

import argparse
import concurrent.futures
import fcntl
import functools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))

import harness  # noqa: E402
from harness import PATIENCE, Run, TestCase, World, environment  # noqa: E402
from scope import Scope  # noqa: E402

options = argparse.Namespace(all=False, seed=1, jobs=3, share=16)

BUILD = pathlib.Path(os.environ.get("INVITERD_BUILD", "."))
FAILING = BUILD / "tests" / "faults" / "inviterd-failing"

ADA, BEN, CLEO, DAN = (f"{name}@example.com" for name in ("ada", "ben", "cleo", "dan"))
EVE, FAY, GUS, HAL = (f"{name}@example.com" for name in ("eve", "fay", "gus", "hal"))
IVY, JIM, KAI = (f"{name}@example.com" for name in ("ivy", "jim", "kai"))
# Everybody who ends with a live invite, whatever fails on the way, once a run has all its memory.
LIVE_AT_THE_END = sorted([ADA, BEN, CLEO, DAN, FAY, GUS, "guest@vendor.example", JIM])
MEMORY = r"out of memory|not enough memory|Cannot allocate memory"


def organization():
    return [{"email": CLEO, "status": "expired", "id": "invite-cleo"},
            {"email": DAN, "role": "owner", "id": "invite-dan", "projects": [
                {"id": "proj_a", "role": "member"}]},
            {"email": EVE, "id": "invite-eve"},
            {"email": FAY, "id": "invite-fay", "age": 60},
            {"email": FAY, "id": "invite-fay-too", "age": 90},
            {"email": GUS, "id": "invite-gus", "expires_in": 3600},
            {"email": HAL, "status": "accepted", "id": "invite-hal"},
            {"email": IVY, "status": "expired", "id": "invite-ivy"},
            {"email": "guest@vendor.example", "id": "invite-guest"},
            {"email": KAI, "status": "confused", "id": "invite-kai"}]


def declare(world):
    world.declare({"email": ADA, "projects": ["proj_a", {"id": "proj_b", "role": "owner"}]},
                  {"email": BEN, "role": "owner", "until": "2099-12-31", "note": "contract"},
                  {"email": CLEO, "projects": []}, DAN, FAY, GUS, HAL, JIM, KAI,
                  ignore=["*@vendor.example"])


def configure(world):
    world.configure(settle="0s", limits={"revocation_ratio": 1.0, "owner_invites": 9})


@functools.cache
def past():
    """The organisation and the ledger after an apply of which one create was refused two days ago,
    and one was done, with its answer lost."""
    with Scope() as scope:
        world = World(scope, "--strict-reinvite", invites=organization())
        configure(world)
        world.declare(JIM, CLEO, EVE, FAY, GUS, HAL,
                      {"email": DAN, "role": "owner", "projects": ["proj_a"]},
                      ignore=["*@vendor.example", KAI, IVY])
        world.sandbox.fault(f"call=create,email={CLEO},do=status,status=400")
        world.sandbox.fault(f"call=create,email={JIM},do=cut-after")
        assert world.apply().code == 1
        ledger = json.loads((world.state / "ledger.json").read_text())
        for wish in ledger["wishes"]:
            if wish["email"] == CLEO:
                assert wish["state"] == "refused", wish
                wish["wall"] -= 2 * 86400
            if wish["email"] == JIM:
                wish.update(state="unknown", invite_id=None, mailed=0, seen=False)
        keys = ("id", "email", "role", "status", "projects", "created_at", "expires_at")
        return [{key: one[key] for key in keys} for one in world.sandbox.invites()], ledger


class Small:
    """A world in which a pass does a little of everything."""

    def __init__(self, scope, **of_ledger):
        invites, ledger = past()
        self.world = World(scope, "--strict-reinvite", invites=invites)
        configure(self.world)
        self.report = self.world.files / "allocations"
        self.world.state.mkdir()
        text = json.dumps({**ledger, "base_url": self.world.sandbox.url, **of_ledger})
        (self.world.state / "ledger.json").write_text(text)
        declare(self.world)

    def command(self, command):
        return self.world.command(*command)[1:], {}

    def run(self, command, nth):
        """Runs with the n-th allocation failing. Returns the run, and whether it came so far."""
        arguments, env = self.command(command)
        arguments = [str(FAILING), *arguments]
        env = environment(INVITERD_FAIL_ALLOCATION=str(nth), INVITERD_ALLOCATIONS=str(self.report),
                          **env)
        done = subprocess.run(arguments, env=env, capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=PATIENCE, check=False)
        run = Run(arguments, done.returncode, done.stdout.decode(errors="backslashreplace"),
                  done.stderr.decode(errors="backslashreplace"))
        return run, "inviterd-failing(" in self.report.read_text()

    def asked_for(self):
        return int(re.search(r"asked for (\d+)", self.report.read_text())[1])

    def where(self):
        """The way to the allocation that failed, innermost first, as far as it is ours."""
        frames = re.findall(r"inviterd-failing\(\+(0x[0-9a-f]+)\)", self.report.read_text())
        if not shutil.which("addr2line"):
            return " ".join(frames)
        names = subprocess.run(["addr2line", "-fsp", "-e", FAILING, *frames[2:7]], text=True,
                               capture_output=True, check=False)
        return " < ".join(names.stdout.splitlines())


class Told(Small):
    """A daemon that lives, and has told something of everything."""

    def __init__(self, scope):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="inviterd-told-"))
        scope.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.report = directory / "allocations"
        self.directory = directory / "run"
        self.directory.mkdir()
        lock = (self.directory / "running").open("w")
        scope.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Long ago, so that how long does not change from one run to the next.
        told = (HERE.parent / "fuzz" / "corpus" / "status" / "full").read_text()
        (self.directory / "status.json").write_text(told.replace("2026-", "2020-"))

    def command(self, command):
        return command, {"RUNTIME_DIRECTORY": str(self.directory)}


class Memory(TestCase):
    """One command a test; the allocations of each are tried side by side."""

    def check_failure(self, run, reference, note):
        """Either it says what is wrong, or it ends just as it does with all memory."""
        said = run.err + run.out
        if run.code in (1, 78):
            self.assertRegex(said, MEMORY, f"{note}: {run}")
        else:
            self.assertEqual(run.code, reference.code, f"{note}: {run}")
            self.assertEqual(self.gist(run), self.gist(reference), f"{note}: {run}")
        if "json" in run.arguments and (run.code != 0 or run.arguments[1] != "export"):
            self.assertIn("schema", run.json, f"{note}: {run}")

    @staticmethod
    def gist(run):
        """What of a result may not depend on memory: all but ids and what is said on the side."""
        if "json" not in run.arguments or run.arguments[1] == "export":
            out = re.sub(r"/\S*/world/|http:\S+|as it was on [-\d]+ [:\d]+Z", "", run.out)
            return re.sub(r"(: )?invite-\w+|req_\w+", "", out)
        if run.arguments[1] == "status":
            return run.json
        if run.arguments[1] == "check":
            return {**run.json, "members_path": None}
        return [{key: value for key, value in line.items() if not key.endswith("_id")}
                for line in run.actions], run.json["summary"]

    def try_other(self, command, nth, reference):
        """With the ledger of another organisation, no lack of memory may make it forget that."""
        with Scope() as scope:
            small = Small(scope, organization="org-other")
            run, reached = small.run(command, nth)
            note = f"another organisation, allocation {nth}: {small.where()}"
            self.assertEqual((run.code == 0, small.world.sandbox.writes()), (False, []), note)
            self.assertRegex(run.err, MEMORY + "|" + reference.err.strip()[-40:], note)
            return reached

    def try_status(self, command, nth, reference):
        with Scope() as scope:
            told = Told(scope)
            run, reached = told.run(command, nth)
            if reached:
                self.check_failure(run, reference, f"allocation {nth}: {told.where()}")
            return reached

    def try_one(self, command, nth, reference):
        with Scope() as scope:
            small = Small(scope)
            run, reached = small.run(command, nth)
            if not reached:
                return False
            note = f"{' '.join(command)}, allocation {nth}: {small.where()}"
            self.check_failure(run, reference, note)
            if command[0] == "apply":
                if run.code == 0:
                    self.assertEqual(small.world.sandbox.live(), LIVE_AT_THE_END, note)
                self.check_aftermath(small, note)
            else:
                self.assertEqual(small.world.sandbox.writes(), [], note)
            return True

    def check_aftermath(self, small, note):
        """Nothing is lost, and nothing done twice."""
        world = small.world
        again = world.apply()
        self.assertEqual(again.code, 0, f"{note}: {again}")
        self.assertEqual(world.sandbox.live(), LIVE_AT_THE_END, note)
        self.assertEqual(world.sandbox.mails(), {email: 1 for email in (ADA, BEN, CLEO, DAN)}, note)
        deleted = {entry["invite_id"] for entry in world.sandbox.requests("delete")}
        self.assertLessEqual(deleted, {"invite-cleo", "invite-dan", "invite-eve",
                                       "invite-fay-too", None}, note)

    def spread(self, name, count):
        if options.all:
            return range(1, count + 1)
        rng = random.Random(f"{options.seed}/{name}")
        return sorted(rng.sample(range(1, count + 1), min(options.share, count)))

    def fail_each(self, *command, attempt=None, make=Small, **of_ledger):
        with Scope() as scope:
            small = make(scope, **of_ledger)
            reference, _ = small.run(command, 0)
            count = small.asked_for()
        attempt = attempt or self.try_one
        self.assertIn(reference.code, (1,) if of_ledger else (0, 2), str(reference))
        jobs = []
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for nth in self.spread(" ".join(command), count):
                # Each by itself; and for some, all that come after it.
                for which in (nth, f"{nth}+")[:2 if nth % 4 == 0 else 1]:
                    jobs.append((which, pool.submit(attempt, command, which, reference)))
        bad = [f"{which}: {job.exception()}" for which, job in jobs if job.exception()]
        reached = sum(1 for _, job in jobs if not job.exception() and job.result())
        print(f"{' '.join(command)}: {count} allocations, {len(jobs)} runs, {reached} as they "
              f"should be, {len(bad)} not", file=sys.stderr)
        self.assertFalse(bad, "\n\n".join(bad))
        self.assertGreater(reached, 0)

    def test_check(self):
        self.fail_each("check")

    def test_check_json(self):
        self.fail_each("check", "-o", "json")

    def test_status(self):
        self.fail_each("status", attempt=self.try_status, make=Told)

    def test_status_json(self):
        self.fail_each("status", "-o", "json", attempt=self.try_status, make=Told)

    def test_plan(self):
        self.fail_each("plan")

    def test_plan_json(self):
        self.fail_each("plan", "-o", "json")

    def test_export(self):
        self.fail_each("export")

    def test_export_json(self):
        self.fail_each("export", "-o", "json")

    def test_apply(self):
        self.fail_each("apply")

    def test_apply_with_the_ledger_of_another_organization(self):
        self.fail_each("apply", attempt=self.try_other, organization="org-other")

    def test_apply_json(self):
        self.fail_each("apply", "-o", "json")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="each allocation, not a spread")
    parser.add_argument("--share", type=int, default=options.share, help="how many for a command")
    parser.add_argument("--seed", type=int, default=options.seed)
    parser.add_argument("--jobs", type=int, default=options.jobs, help="runs side by side")
    parser.add_argument("names", nargs="*")
    parser.parse_args(namespace=options)
    sys.argv[1:] = options.names
    harness.main(workers=3)


if __name__ == "__main__":
    main()

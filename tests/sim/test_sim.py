#!/usr/bin/env python3
"""A bounded share of the simulation: lives without a violation, and defects that are caught.

INVITERD_SIM_PASSES (20000) is how many passes with three faults or more are to be lived through.
The seeds are always the same, so a failure repeats: `inviterd-sim --seed N --lives 1 --trace`.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ["INVITERD_BUILD"])
SIM = BUILD / "tests" / "sim" / "inviterd-sim"
PASSES = int(os.environ.get("INVITERD_SIM_PASSES", "20000"))

sys.path.insert(0, str(HERE))
import mutants  # noqa: E402


def live(*arguments):
    return subprocess.run([str(SIM), *arguments], stdout=subprocess.PIPE, text=True, timeout=580)


class Lives(unittest.TestCase):
    def test_no_invariant_is_violated_and_nothing_is_left_out(self):
        done = live("--lives", "0", "--passes", str(PASSES))
        self.assertEqual(done.returncode, 0, done.stdout)
        figures = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())
        self.assertGreaterEqual(int(figures["passes with three faults or more"]), PASSES)
        kinds = [name for name in figures if re.match(r"(call|struck|fault|reason|result), ", name)]
        self.assertGreater(len(kinds), 90)
        for name in [*kinds, "roles set", "removals", "removals amid faults", "approvals"]:
            self.assertGreater(int(figures[name]), 0, f"never met: {name}")

    def test_a_seed_repeats_its_life(self):
        first, second = (live("--seed", "42", "--lives", "1", "--trace").stdout for _ in range(2))
        self.assertGreater(len(first.splitlines()), 50)
        self.assertEqual(first, second)


class Pace(unittest.TestCase):
    """A limit of which the service says nothing. The time is virtual: it may be judged."""

    def judge(self, per_minute, creates):
        done = live("--pace", str(per_minute), "--people", str(creates), "--lives", "20")
        self.assertEqual(done.returncode, 0, done.stdout)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 20)
        for line in lines:
            made, limited, ratio = re.search(
                r": (\d+) made, .* (\d+) answers of 429, .* ratio ([0-9.]+)$", line).groups()
            self.assertEqual(int(made), creates, line)
            self.assertLessEqual(int(limited), 12, line)
            self.assertLessEqual(float(ratio), 1.15, line)

    def test_60_creates_at_8_a_minute(self):
        self.judge(8, 60)

    def test_100_creates_at_600_a_minute(self):
        self.judge(600, 100)


class Mutants(unittest.TestCase):
    def test_each_defect_is_caught(self):
        for mutant, seed, what in mutants.catch_all(mutants.MUTANTS, 1000):
            with self.subTest(mutant[0]):
                self.assertIsNotNone(seed, what)


if __name__ == "__main__":
    unittest.main(verbosity=2)

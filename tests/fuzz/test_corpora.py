#!/usr/bin/env python3
"""Replays the corpora and the found cases of every fuzz target; one test a target.

Each program is built with whatever compiler and sanitizers the build directory has. What a target
promises is in its C file; that file aborts where a promise does not hold.
"""

import os
import pathlib
import subprocess
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = pathlib.Path(os.environ["INVITERD_BUILD"]) / "tests" / "fuzz"
# Where tests/run.py has not set them already.
ENVIRONMENT = {
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={HERE.parent / 'lsan.supp'}:print_suppressions=0",
    **os.environ,
}
TARGETS = sorted(path.name for path in (HERE / "corpus").iterdir())


def files_of(target):
    """The corpus, and what once made the target fail."""
    return [file for folder in ("corpus", "found")
            for file in sorted((HERE / folder / target).glob("*"))]


class Corpora(unittest.TestCase):
    def test_every_program_has_a_corpus(self):
        built = {path.name for path in PROGRAMS.glob("replay_*") if path.is_file()}
        self.assertEqual(built, {f"replay_{target}" for target in TARGETS})
        for folder in (HERE / "found").iterdir():
            self.assertIn(folder.name, TARGETS)


def replay(target):
    def test(self):
        self.assertTrue(list((HERE / "corpus" / target).glob("*")), "the corpus is empty")
        files = files_of(target)
        done = subprocess.run([PROGRAMS / f"replay_{target}", *files], capture_output=True,
                              timeout=300, check=False, env=ENVIRONMENT)
        said = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, 0, said[-3000:])
        self.assertEqual(done.stdout.decode(), f"{len(files)} files\n")
    return test


for name in TARGETS:
    setattr(Corpora, f"test_{name}", replay(name))

if __name__ == "__main__":
    unittest.main()

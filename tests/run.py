#!/usr/bin/env python3
"""Runs every test of a build directory and counts each case.

    tests/run.py BUILD [PASSED FAILED]

cmocka programs are the executables in BUILD/tests/unit; Python modules are test_*.py in the folders
of MODULES. They run side by side, one process each. PASSED and FAILED are counts of checks that ran
before. The last line is `N passed, N failed, N skipped`; the exit code is 0 only if nothing failed.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent
# All, or those that the environment names: tests/analyse/coverage runs but some.
MODULES = os.environ.get("INVITERD_TEST_FOLDERS",
                         "system unit api cli faults fuzz sim bench packaging").split()
# Long enough for the slowest module on a loaded machine; a test that hangs must end some time. The
# system tests make a Debian first.
TIMEOUT_SECONDS = 600
TIMEOUT_SECONDS_OF = {"system": 1200}


class Result:
    def __init__(self, name, passed, failed, skipped, output, seconds):
        self.name, self.output, self.seconds = name, output, seconds
        self.passed, self.failed, self.skipped = passed, failed, skipped


def environment(build):
    sanitizers = "abort_on_error=1:detect_leaks=1"
    return dict(
        os.environ,
        INVITERD_BUILD=str(build),
        INVITERD=str(build / "src" / "inviterd"),
        INVITERD_SANDBOX=str(build / "tests" / "sandbox" / "inviterd-sandbox"),
        INVITERD_CORE=str(build / "src" / "core" / "libcore.a"),
        CMOCKA_MESSAGE_OUTPUT="TAP",
        PYTHONDONTWRITEBYTECODE="1",
        ASAN_OPTIONS=sanitizers,
        UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
        LSAN_OPTIONS=f"suppressions={ROOT / 'lsan.supp'}:print_suppressions=0",
    )


def run(command, env, seconds=TIMEOUT_SECONDS):
    """Output and exit code of a test program; a hang is a failure like any other."""
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, errors="replace", stdin=subprocess.DEVNULL)
        return done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode(errors="replace") + "\ntimed out\n", -1


def count_tap(output, code):
    passed = len(re.findall(r"^ok \d+ (?!.*# SKIP)", output, re.M))
    skipped = len(re.findall(r"^ok \d+ .*# SKIP", output, re.M))
    failed = len(re.findall(r"^not ok \d+", output, re.M))
    # A program that died, or that ran no test at all, has failed.
    if (code != 0 and failed == 0) or passed + skipped + failed == 0:
        failed += 1
    return passed, failed, skipped


def count_unittest(output, code):
    ran = re.search(r"^Ran (\d+) tests?(?:.*, (\d+) failed, (\d+) skipped)?", output, re.M)
    total = int(ran.group(1)) if ran else 0

    def named(word):
        found = re.search(r"^(?:OK|FAILED) \(.*\b" + word + r"=(\d+)", output, re.M)
        return int(found.group(1)) if found else 0

    if ran and ran.group(2):
        # The modules that run their tests side by side count in that line.
        failed, skipped = int(ran.group(2)), int(ran.group(3))
    else:
        failed, skipped = named("failures") + named("errors"), named("skipped")
    if (code != 0 and failed == 0) or total == 0:
        failed += 1
    return max(total - failed - skipped, 0), failed, skipped


def run_unit(program, env):
    start = time.monotonic()
    output, code = run([str(program)], env)
    return Result(program.name, *count_tap(output, code), output, time.monotonic() - start)


def run_module(module, env):
    start = time.monotonic()
    folder = module.parent.name
    output, code = run([sys.executable, str(module)], env,
                       TIMEOUT_SECONDS_OF.get(folder, TIMEOUT_SECONDS))
    name = f"{folder}/{module.stem}"
    return Result(name, *count_unittest(output, code), output, time.monotonic() - start)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    before = [int(word) for word in sys.argv[2:4]] or [0, 0]
    env = environment(build)
    units = sorted(p for p in (build / "tests" / "unit").glob("test_*") if p.is_file())
    modules = sorted(m for d in MODULES for m in (ROOT / d).glob("test_*.py"))
    if not units or not modules:
        print("no tests found: is this a build directory?")
        print(f"{before[0]} passed, {before[1] + 1} failed, 0 skipped")
        return 1
    passed, failed, skipped = before[0], before[1], 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as pool:
        # The modules wait more than they compute: start them first.
        jobs = [pool.submit(run_module, module, env) for module in modules]
        jobs += [pool.submit(run_unit, unit, env) for unit in units]
        for job in concurrent.futures.as_completed(jobs):
            result = job.result()
            passed += result.passed
            failed += result.failed
            skipped += result.skipped
            word = "FAIL" if result.failed else "ok  "
            print(f"{word}  {result.name}: {result.passed} passed, {result.failed} failed, "
                  f"{result.skipped} skipped ({result.seconds:.1f} s)")
            # Figures, and why something was left out, are told in any case.
            for told in re.findall(r"^(?:figure|skipped): .*", result.output, re.M):
                print(f"      {told.removeprefix('figure: ')}")
            if result.failed:
                print(result.output)
            sys.stdout.flush()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The clock of the host is set while the daemon waits."""

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import harness  # noqa: E402
from harness import EXIT_OK, TestCase, World, wait_for  # noqa: E402

SET_CLOCK = pathlib.Path(os.environ["INVITERD_BUILD"]) / "tests/faults/libset_clock.so"


class Clock(TestCase):
    def waiting(self, *options):
        """A daemon that waits for hours after its first pass; its clock is set after two seconds."""
        world = World(self, *options, interval="6h")
        world.declare("ada@example.com")
        # A sanitizer wants to be the first library; here another one is.
        world.env.update({"LD_PRELOAD": str(SET_CLOCK),
                          "ASAN_OPTIONS": "exitcode=99:verify_asan_link_order=0"})
        process = world.start("run")
        process.wait_err("pass 1: ")
        return world, process

    def stop(self, process):
        process.signal(signal.SIGTERM)
        self.assert_exit(process.end(), EXIT_OK)

    def test_days_begin_by_it_where_the_service_states_no_date(self):
        world, process = self.waiting("--no-date")
        wait_for(lambda: len(world.sandbox.requests("list")) == 2, "another pass")
        self.stop(process)

    def test_days_begin_by_the_service_else(self):
        world, process = self.waiting()
        time.sleep(4)
        self.assertEqual(len(world.sandbox.requests("list")), 1)
        self.stop(process)


if __name__ == "__main__":
    harness.main()

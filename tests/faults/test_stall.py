#!/usr/bin/env python3
"""A pass that stops making progress ends by its own deadline, even if no time-out of a request fires."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import harness  # noqa: E402
from harness import EXIT_OK, EXIT_TROUBLE, TestCase, World  # noqa: E402

NO_TIMEOUT = pathlib.Path(os.environ["INVITERD_BUILD"]) / "tests/faults/libno_timeout.so"
ADA, BEN = "ada@example.com", "ben@example.com"


class Stall(TestCase):
    def world(self):
        world = World(self, api={"timeout": "1s"})
        world.declare(ADA, BEN)
        # A sanitizer wants to be the first library; here another one is.
        world.env = {"LD_PRELOAD": str(NO_TIMEOUT),
                     "ASAN_OPTIONS": "exitcode=99:verify_asan_link_order=0"}
        return world

    def test_a_listing_that_hangs(self):
        """What is said shows that the time-out of a request, a second here, did not fire."""
        world = self.world()
        world.sandbox.fault("call=list,do=hang")
        run = world.apply()
        self.assert_error(run, EXIT_TROUBLE, "no answer came, and its time-out did not end it")
        self.assertEqual(world.sandbox.writes(), [])

    def test_a_create_that_hangs(self):
        """Its outcome is unknown, so a listing decides; nobody is mailed twice."""
        world = self.world()
        world.sandbox.fault(f"call=create,email={ADA},times=1,do=hang")
        self.assert_exit(world.apply(), EXIT_OK)
        self.assertEqual(world.sandbox.live(), [ADA, BEN])
        self.assertEqual(world.sandbox.mails(), {ADA: 1, BEN: 1})


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""The host sleeps while the daemon waits: nobody is watched meanwhile."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import harness  # noqa: E402
from harness import EXIT_OK, wait_for  # noqa: E402
from test_daemon import Daemon  # noqa: E402
from test_users import ADA, UsersCase, person  # noqa: E402

HOST_SLEPT = pathlib.Path(os.environ["INVITERD_BUILD"]) / "tests/faults/libhost_slept.so"


class Sleep(UsersCase):
    def test_time_asleep_does_not_count(self):
        # Two passes may lie twice the interval and ten minutes apart: the sleep is no long gap.
        world = self.world(person(ADA), interval="6h", remove_after="10m")
        self.declare(world)
        slept = world.directory / "slept"
        # A sanitizer wants to be the first library; here another one is.
        daemon = Daemon(world, env={"LD_PRELOAD": str(HOST_SLEPT), "HOST_SLEPT": str(slept),
                                    "ASAN_OPTIONS": "exitcode=99:verify_asan_link_order=0"})
        daemon.wait_passes(1)
        slept.touch()
        daemon.reload()
        told = self.wait_pass(world, 2)
        self.assertEqual(world.sandbox.requests("delete-user"), [])
        self.assertEqual([line["text"] for line in told["attention"]],
                         ["not in the member file: removal due in 10 min of watching"])
        # Awake, it watches again, and what it saw before still counts.
        daemon.reload()
        self.wait_pass(world, 3)
        # Stopped, so that no pass of its own is counted with those of the plan.
        self.assert_exit(daemon.stop(), EXIT_OK)
        self.assertLess(self.plan_due(world), 600)

    def wait_pass(self, world, number):
        """Until that pass is over: a reload tells of the next one before it. Returns the status."""
        def told():
            status = world.run("status", "-o", "json", bare=True).json
            last = status["last_pass"]
            over = last and last["number"] >= number and not status["pass_under_way"]
            return status if over else None
        return wait_for(told, f"pass {number}")

    def plan_due(self, world):
        return self.check_plan(world, ("attention", ADA, "removal-due")).line(ADA)["due_in"]


if __name__ == "__main__":
    harness.main()

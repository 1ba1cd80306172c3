"""Stopping, and time that stands still or jumps."""

import re
import time

from harness import wait_for
from service import ADA, SystemCase, everybody

CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME = 0, 1, 7


class Stop(SystemCase):
    def test_writes_under_way_end_and_no_more_begin(self):
        people = everybody(30)
        service = self.service("--latency", "1000", members=people)
        service.start()
        wait_for(lambda: service.sandbox.writes(), "a write")
        stop = self.begin(service.machine, "systemctl", "stop", service.unit)
        service.wait_status("stopping: waiting for writes in flight")
        self.assertEqual(stop.wait(60), 0)
        self.assertEqual(service.show("ActiveState", "Result"),
                         {"ActiveState": "inactive", "Result": "success"})
        writes = service.sandbox.writes()
        self.assertLess(len(writes), len(people))
        self.assertEqual({one["status"] for one in writes}, {200})
        done = service.entries(event="WRITTEN")
        self.assertEqual(sorted(one["INVITERD_EMAIL"] for one in done),
                         sorted(one["email"] for one in writes))
        # And they are remembered.
        service.sandbox.post("settings", latency=0)
        service.start()
        service.wait_status("in sync, 30 people; next pass .*")
        self.assertEqual(service.sandbox.mails(), {email: 1 for email in people})

    def test_a_write_that_gets_no_answer_ends_by_its_time_out_before_the_manager_kills(self):
        service = self.service(api={"timeout": "4s"})
        self.assertEqual(service.show("TimeoutStopUSec"), "1min 30s")
        service.sandbox.fault("call=create,do=hang-after,times=1")
        service.start()
        wait_for(lambda: service.sandbox.writes(), "a write")
        service.systemctl("stop")
        self.assertEqual(service.show("Result"), "success")
        service.start()
        service.wait_in_sync()
        self.assertEqual(service.sandbox.mails(), {ADA: 1})

    def test_what_outlasts_the_time_that_the_unit_gives_is_killed_and_nobody_mailed_twice(self):
        service = self.service(api={"timeout": "1m"})
        service.machine.drop_in(service.unit, TimeoutStopSec="2s")
        service.sandbox.fault("call=create,do=hang-after,times=1")
        service.start()
        wait_for(lambda: service.sandbox.writes(), "a write")
        started = time.monotonic()
        service.systemctl("stop")
        self.assertLess(time.monotonic() - started, 20)
        self.assertEqual(service.show("Result"), "timeout")
        service.machine.run("systemctl", "reset-failed", service.unit)
        service.start()
        service.wait_in_sync()
        self.assertEqual(service.sandbox.mails(), {ADA: 1})

    def test_a_host_that_shuts_down_need_not_wait_for_it(self):
        service = self.running()
        started = time.monotonic()
        service.sandbox.stop()
        service.machine.power_off()
        self.assertLess(time.monotonic() - started, 20)


class Time(SystemCase):
    def test_after_standing_still_for_several_intervals_there_is_one_pass(self):
        service = self.running(interval="10s")
        service.machine.run("systemctl", "freeze", service.unit)
        service.sandbox.clear_log()
        time.sleep(32)
        self.assertEqual(service.lists(), [])
        service.machine.run("systemctl", "thaw", service.unit)
        time.sleep(5)
        self.assertEqual(len(service.lists()), 1)
        service.wait_in_sync()
        self.assertEqual(service.show("NRestarts"), "0")

    def test_the_next_pass_is_due_by_a_clock_that_nobody_sets_and_that_counts_sleep(self):
        service = self.running(interval="1h")
        passes = 0
        for clock, cancelled_by_setting, seconds in self.armed_timers(service):
            if clock == CLOCK_REALTIME:
                # This one only tells that the clock was set.
                self.assertTrue(cancelled_by_setting)
                self.assertGreater(seconds, 10 * 365 * 86400)
            elif clock == CLOCK_MONOTONIC:
                # The library's, for the watchdog, whose manager counts in the same way.
                self.assertLessEqual(seconds, 180)
            else:
                self.assertEqual(clock, CLOCK_BOOTTIME)
                passes += 3500 < seconds < 4000
        self.assertEqual(passes, 1)

    @staticmethod
    def armed_timers(service):
        """(clock, whether setting the clock cancels it, seconds left) of each armed timerfd."""
        text = service.machine.shell(f"cat /proc/{service.pid}/fdinfo/*").out
        found = re.findall(r"clockid: (\d+)\nticks: \d+\nsettime flags: 0(\d+)\nit_value: \((\d+), (\d+)\)",
                           text)
        return [(int(clock), int(flags, 8) & 2 != 0, int(seconds))
                for clock, flags, seconds, nanoseconds in found
                if (seconds, nanoseconds) != ("0", "0")]

"""What it costs while it has nothing to do. INVITERD_IDLE_SECONDS makes the measurement longer."""

import os
import re
import time

from service import SystemCase, everybody

SECONDS = int(os.environ.get("INVITERD_IDLE_SECONDS", "60"))
# What ten minutes may cost, in microseconds; a minute gets a share of it, and the grain of the clock.
MOST_PER_TEN_MINUTES = 3000
MOST_ANONYMOUS, MOST_RESIDENT = 4 << 10, 16 << 10


class Idle(SystemCase):
    def test_it_costs_next_to_nothing_between_two_passes(self):
        people = everybody(120)
        service = self.service(members=people, limits={"invites": 200})
        service.start()
        service.wait_status("in sync, 120 people; next pass .*")
        first = self.usage(service)
        for number in (2, 3):
            service.touch()
            service.wait_passes(number)
        # The measure does measure.
        self.assertGreater(self.usage(service), first)
        time.sleep(2)
        service.sandbox.clear_log()
        before = self.usage(service)
        time.sleep(SECONDS)
        used = self.usage(service) - before
        self.assertEqual(service.sandbox.requests(), [])
        anonymous, resident = self.memory(service)
        print(f"figure: idle for {SECONDS} s: {used} µs; anonymous {anonymous} KiB, "
              f"resident {resident} KiB")
        self.assertLess(used, MOST_PER_TEN_MINUTES * max(SECONDS, 200) / 600)
        self.assertLessEqual(anonymous, MOST_ANONYMOUS)
        self.assertLessEqual(resident, MOST_RESIDENT)

    @staticmethod
    def usage(service):
        group = service.show("ControlGroup")
        text = service.machine.read(f"/sys/fs/cgroup{group}/cpu.stat")
        return int(re.search(r"(?m)^usage_usec (\d+)$", text).group(1))

    @staticmethod
    def memory(service):
        """Anonymous and resident KiB."""
        text = service.machine.read(f"/proc/{service.pid}/smaps_rollup")
        return [int(re.search(rf"(?m)^{name}: +(\d+) kB$", text).group(1))
                for name in ("Anonymous", "Rss")]

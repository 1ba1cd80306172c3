"""The units, judged by the systemd of the release."""

import re

from service import SystemCase

UNITS = ("/usr/lib/systemd/system/inviterd.service", "/usr/lib/systemd/system/inviterd@.service")


class Units(SystemCase):
    def test_systemd_analyze_verify_is_silent(self):
        machine = self.boot()
        for unit in UNITS:
            done = machine.run("systemd-analyze", "verify", unit.replace("@.", "@one."), check=False)
            self.assertEqual((done.code, done.out + done.err), (0, ""))

    def test_they_expose_at_most_one_point_two(self):
        machine = self.boot()
        for unit in UNITS:
            done = machine.run("systemd-analyze", "security", "--offline=yes", "--threshold=12",
                               "--no-pager", unit, check=False)
            self.assertEqual(done.code, 0, str(done))
            score = re.search(r"Overall exposure level for .*: ([\d.]+)", done.out).group(1)
            print(f"figure: exposure of {unit.rpartition('/')[2]}: {score}")

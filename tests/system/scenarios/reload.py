"""systemctl reload, with a good configuration and with a bad one."""

import time

from harness import wait_for
from service import ADA, ERROR, SystemCase

OUT = "out@example.com"


class Reload(SystemCase):
    def test_a_good_configuration_is_in_force_after_the_reload(self):
        service = self.service(policy="create-only", invites=[{"email": OUT}])
        service.start()
        service.wait_passes(1)
        self.assertEqual(service.sandbox.live(), [ADA, OUT])
        before = service.pid
        service.configure(policy="sync")
        service.systemctl("reload")
        self.assertEqual(service.show("ActiveState"), "active")
        wait_for(lambda: service.sandbox.live() == [ADA], "the revocation")
        self.assertEqual(service.pid, before)
        self.assertEqual(len(service.entries(event="RELOADED")), 1)

    def test_it_is_reloading_until_writes_have_ended_and_then_ready(self):
        service = self.service()
        service.sandbox.fault("call=create,do=slow-after,ms=6000")
        service.start()
        wait_for(lambda: service.sandbox.requests("create"), "a create")
        reload = self.begin(service.machine, "systemctl", "reload", service.unit)
        wait_for(lambda: service.show("ActiveState") == "reloading", "RELOADING")
        # Longer than the signal takes; and who asks whether it is there is told that it is.
        time.sleep(1)
        self.assertEqual(service.show("ActiveState"), "reloading")
        self.assertEqual(service.systemctl("is-active").code, 0)
        wait_for(lambda: service.show("ActiveState") == "active", "READY")
        self.assertEqual(reload.wait(60), 0)
        service.wait_in_sync()
        self.assertEqual(service.sandbox.mails(), {ADA: 1})

    def test_a_bad_configuration_is_refused_and_the_old_one_stays_in_force(self):
        service = self.running()
        before = service.pid
        service.configure(policy="create-only", interval="often")
        service.sandbox.post("invite", email=OUT)
        service.systemctl("reload")
        # Policy sync, of the old configuration, revokes.
        wait_for(lambda: service.sandbox.live() == [ADA], "the revocation")
        service.wait_in_sync()
        self.assertEqual(service.show("ActiveState", "SubState", "NRestarts", "Result"),
                         {"ActiveState": "active", "SubState": "running", "NRestarts": "0",
                          "Result": "success"})
        self.assertEqual(service.pid, before)
        told = service.entries(event="CONFIG_INVALID")
        self.assertEqual({one["PRIORITY"] for one in told}, {ERROR})
        self.assertRegex(told[0]["MESSAGE"], r"^/etc/inviterd/inviterd\.conf:\d+: .*often")
        self.assertIn("stays in force", told[-1]["MESSAGE"])

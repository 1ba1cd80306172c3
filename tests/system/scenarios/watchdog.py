"""What hangs is noticed, and what only waits is left in peace."""

import socket
import time

from harness import wait_for
from service import ADA, Service, SystemCase, everybody

QUICK = {"WatchdogSec": "3s", "RestartSec": "1s"}


class Watchdog(SystemCase):
    def test_a_process_that_stands_still_is_killed_and_started_again(self):
        service = self.running()
        service.machine.drop_in(service.unit, **QUICK)
        service.systemctl("restart")
        service.wait_in_sync()
        stuck = service.pid
        service.machine.run("kill", "-STOP", stuck)
        wait_for(lambda: service.show("NRestarts") == "1" and
                 service.show("SubState") == "running", "the restart")
        self.assertNotEqual(service.pid, stuck)
        service.wait_in_sync()
        told = service.machine.run("journalctl", f"--unit={service.unit}", "--output=cat").out
        self.assertIn("Watchdog timeout", told)
        self.assertEqual(service.sandbox.mails(), {ADA: 1})

    def test_the_unit_has_a_watchdog_and_it_is_fed_while_idle(self):
        service = self.running()
        self.assertEqual(service.show("WatchdogUSec"), "3min")
        service.machine.drop_in(service.unit, WatchdogSec="5s")
        service.systemctl("restart")
        service.wait_in_sync()
        before = service.pid
        time.sleep(12)
        self.assertEqual((service.pid, service.show("NRestarts")), (before, "0"))

    def test_a_death_in_the_midst_of_many_writes_mails_nobody_twice(self):
        people = everybody(40)
        service = self.service("--latency", "150", members=people)
        service.machine.drop_in(service.unit, RestartSec="1s")
        service.start()
        for kills in (1, 2):
            wait_for(lambda: len(service.sandbox.mails()) >= 12 * kills, "some invites")
            service.machine.run("systemctl", "kill", "--signal=KILL", service.unit)
            wait_for(lambda: service.show("NRestarts") == str(kills), "the restart")
        service.wait_status("in sync, 40 people; next pass .*")
        self.assertEqual(service.sandbox.live(), people)
        self.assertEqual(service.sandbox.mails(), {email: 1 for email in people})

    def test_a_pass_that_makes_no_progress_fails_by_its_own_deadline(self):
        """Libcurl forgets its time-outs, and the listing hangs: the loop turns, the pass does not."""
        service = self.service(api={"timeout": "1s"})
        machine = service.machine
        machine.path("/usr/lib/no_timeout.so").write_bytes(self.package.no_timeout.read_bytes())
        machine.drop_in(service.unit, Environment="LD_PRELOAD=/usr/lib/no_timeout.so", **QUICK)
        service.sandbox.fault("call=list,do=hang")
        service.start()
        # Five requests in a row, each given up after seven seconds.
        service.wait_status("the last pass failed: .*time-out.*; next try .*", patience=180)
        self.assertEqual(service.show("NRestarts"), "0")
        service.sandbox.clear_faults()
        service.systemctl("reload")
        service.wait_in_sync()


class DeadNetwork(SystemCase):
    """Neither a name server nor a network that does not answer trips a watchdog of three seconds."""

    def check_lives(self, machine, url):
        service = Service(machine, sandbox=None)
        service.put_key()
        machine.write("/etc/inviterd/inviterd.conf",
                      Service.configuration(url, api={"timeout": "2s"}))
        service.declare(ADA)
        machine.drop_in(service.unit, **QUICK)
        service.systemctl("restart")
        before = service.pid
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            time.sleep(3)
            service.systemctl("reload")
        service.wait_status("the last pass failed: .*; next try .*")
        self.assertEqual((service.pid, service.show("NRestarts")), (before, "0"))
        started = time.monotonic()
        service.systemctl("stop")
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(service.show("Result"), "success")

    def test_a_name_server_that_never_answers(self):
        machine = self.boot()
        silent = machine.socket(kind=socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 53))
        machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.check_lives(machine, "https://api.example.test/v1")
        silent.setblocking(False)
        self.assertTrue(silent.recv(512), "nobody has asked it")

    def test_a_network_that_swallows_every_packet(self):
        machine = self.boot()
        # Packets for that network come back on loopback, and nobody is meant.
        machine.run("ip", "route", "add", "192.0.2.0/24", "dev", "lo")
        self.check_lives(machine, "https://192.0.2.1/v1")

    def test_a_network_to_which_there_is_no_way(self):
        machine = self.boot()
        machine.run("ip", "route", "add", "blackhole", "192.0.2.0/24")
        self.check_lives(machine, "https://192.0.2.1/v1")

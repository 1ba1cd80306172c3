"""Several organisations on one host."""

from harness import KEY, wait_for
from service import ADA, BEN, SystemCase

OTHER_KEY = "sk-admin-of-the-other-organisation"


class Instances(SystemCase):
    def test_two_instances_have_everything_of_their_own(self):
        machine = self.boot()
        one = self.service(machine=machine, instance="one", members=(ADA,),
                           org={"organization": "org-one"})
        two = self.service("--key", OTHER_KEY, machine=machine, instance="two", key=OTHER_KEY,
                           members=(BEN,), org={"organization": "org-two"})
        machine.run("systemctl", "start", one.unit, two.unit)
        for service in (one, two):
            service.wait_in_sync()
        # The key of the other is not good for the first.
        self.assertEqual((one.sandbox.live(), two.sandbox.live()), ([ADA], [BEN]))
        self.assertEqual({request["status"] for request in one.sandbox.requests()}, {200})
        self.check_files(machine, one, two)
        self.check_told(one, two)
        # The lock of the one does not hold up the other.
        one.sandbox.fault("call=list,do=hang")
        one.touch()
        one.wait_status("a pass is under way")
        two.declare(ADA, BEN)
        wait_for(lambda: two.sandbox.live() == [ADA, BEN], "the invite")
        # Nor does its end.
        one.systemctl("stop")
        self.assertEqual(two.show("ActiveState"), "active")
        self.assertEqual((one.cli("status", check=False).code, two.cli("status").code), (1, 0))

    def check_files(self, machine, one, two):
        inodes = set()
        for service in (one, two):
            self.assertIn('"organization"', machine.read(f"/var/lib/private/inviterd-{service.instance}"
                                                         "/ledger.json"))
            for name in ("lock", "ledger.json"):
                inodes.add(machine.run("stat", "--format=%i", "--dereference",
                                       f"{service.state_directory}/{name}").out)
        self.assertEqual(len(inodes), 4)
        self.assertFalse(machine.path("/var/lib/private/inviterd").exists())

    def check_told(self, one, two):
        for service, other in ((one, BEN), (two, ADA)):
            self.assertEqual(service.entries(email=other), [])
            self.assertEqual(service.status()["base_url"], service.sandbox.url)
            self.assertEqual(str(service.status()["pid"]), service.pid)

    def test_an_approval_goes_to_the_instance_that_it_names(self):
        machine = self.boot()
        services = [self.service(machine=machine, instance=name, members=(ADA,),
                                 limits={"revocations": 0}, org={"organization": "org-same"},
                                 invites=[{"email": "out@example.com"}]) for name in ("one", "two")]
        for service in services:
            service.start()
            service.wait_status("1 revocation blocked by a limit; next pass .*")
        one, two = services
        command = one.status()["blocked"]["command"]
        self.assertRegex(command, "--instance one")
        machine.run("bash", "-c", command)
        self.assertEqual(one.sandbox.live(), [ADA])
        self.assertEqual(two.sandbox.live(), [ADA, "out@example.com"])

    def test_the_key_of_an_instance_that_has_none_is_not_taken_from_the_service(self):
        machine = self.boot()
        machine.write("/etc/inviterd/openai-admin-key", KEY, mode=0o600)
        service = self.service(machine=machine, instance="one")
        machine.run("rm", "/etc/inviterd/one/openai-admin-key")
        self.assertNotEqual(service.systemctl("start", check=False).code, 0)
        self.assertEqual(service.show("ExecMainStatus"), "243")
        self.assertEqual(service.sandbox.requests(), [])

"""The key: from where the service has it, and how it is exchanged."""

from harness import KEY, READONLY_KEY, wait_for
from service import ADA, BEN, SystemCase

KEY_FILE = "/etc/inviterd/openai-admin-key"
EXAMPLES = "/usr/share/doc/inviterd/examples"


class Credentials(SystemCase):
    def test_a_key_that_root_alone_can_read_reaches_the_service_alone(self):
        service = self.running()
        machine = service.machine
        mode = machine.run("stat", "--format=%a %U", KEY_FILE).out.strip()
        self.assertEqual(mode, "600 root")
        environment = machine.run("tr", "\\0", "\\n", check=False,
                                  text=machine.read(f"/proc/{service.pid}/environ")).out
        self.assertIn("CREDENTIALS_DIRECTORY=", environment)
        self.assertNotIn(KEY, environment + machine.read(f"/proc/{service.pid}/cmdline"))
        left = machine.shell(f"grep -rlF {KEY} /run /var/lib /var/log /etc 2>/dev/null || true").out
        self.assertEqual([line for line in left.splitlines() if "/credentials/" not in line],
                         [KEY_FILE])

    def test_an_encrypted_key_works_with_the_drop_in_of_the_examples(self):
        service = self.service()
        machine = service.machine
        machine.shell(f"""
            systemd-creds setup 2>/dev/null
            systemd-creds encrypt --name=openai-admin-key {KEY_FILE} {KEY_FILE}.cred 2>/dev/null
            rm {KEY_FILE}
            install -D -m 644 {EXAMPLES}/encrypted-credential.conf \
                /etc/systemd/system/inviterd.service.d/encrypted-credential.conf
            systemctl daemon-reload""")
        self.assertNotIn(KEY, machine.read(f"{KEY_FILE}.cred"))
        service.start()
        service.wait_in_sync()
        self.assertEqual(service.sandbox.live(), [ADA])

    def test_a_missing_key_is_waited_for(self):
        service = self.service()
        service.machine.drop_in(service.unit, RestartSec="1s")
        service.machine.run("rm", KEY_FILE)
        self.assertNotEqual(service.systemctl("start", check=False).code, 0)
        self.assertEqual(service.show("ExecMainStatus"), "243")
        service.put_key()
        service.wait_in_sync()

    def test_a_refused_key_writes_nothing_and_a_new_one_works_after_a_restart(self):
        service = self.service(key="sk-admin-of-another-organisation")
        service.start()
        service.wait_status("the last pass failed: .*key.*; next try .*")
        self.assertEqual(service.cli("status", check=False).code, 1)
        self.assertEqual(service.sandbox.writes(), [])
        service.put_key()
        service.systemctl("restart")
        service.wait_in_sync()
        self.assertEqual(service.sandbox.live(), [ADA])

    def group_key(self, key, mode):
        """A key file that a group may read, to which the service belongs."""
        service = self.service(api={"key": "file:/etc/inviterd/group-key"},
                               invites=[{"email": ADA}])
        machine = service.machine
        machine.run("groupadd", "--system", "keepers")
        machine.drop_in(service.unit, SupplementaryGroups="keepers", LoadCredential="")
        machine.write("/etc/inviterd/group-key", key)
        machine.run("chgrp", "keepers", "/etc/inviterd/group-key")
        machine.run("chmod", mode, "/etc/inviterd/group-key")
        service.start()
        return service

    def test_a_key_in_a_file_is_rotated_without_a_restart(self):
        service = self.group_key(READONLY_KEY, "640")
        service.wait_in_sync()
        before = service.pid
        service.machine.path("/etc/inviterd/group-key").write_text(KEY)
        service.declare(ADA, BEN)
        wait_for(lambda: service.sandbox.live() == [ADA, BEN], "the write that needs the new key")
        self.assertEqual(service.pid, before)

    def test_a_key_that_everybody_can_read_is_refused(self):
        service = self.group_key(KEY, "644")
        service.wait_status("waiting for a usable key: .* can be read by others: .*")
        self.assertEqual(service.sandbox.requests(), [])
        self.assertEqual(len(service.entries(event="KEY_INVALID")), 1)
        service.machine.run("chmod", "640", "/etc/inviterd/group-key")
        service.systemctl("reload")
        service.wait_in_sync()

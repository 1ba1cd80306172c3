"""From the installed package to the first invite, and how it starts otherwise."""

import pathlib
import re

from harness import KEY, wait_for
from images import ROOT
from service import ADA, BEN, Service, SystemCase

OWNER = "owner@example.com"


def readme_commands():
    """The block of the README that is marked to be run here."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"<!-- test: install -->\n```\n(.*?)```\n", text, re.S).group(1)


def count_commands(commands):
    """A here-document belongs to its command."""
    without = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", commands, flags=re.S)
    return len([line for line in without.splitlines() if line.strip()])


class Start(SystemCase):
    def test_the_first_pass_invites_who_is_declared(self):
        service = self.service(members=(ADA, BEN))
        service.start()
        service.wait_status(r"in sync, 2 people; next pass \d\d:\d\d")
        self.assertEqual(service.sandbox.live(), [ADA, BEN])
        self.assertEqual(service.sandbox.mails(), {ADA: 1, BEN: 1})
        shown = service.show("ActiveState", "SubState", "NRestarts", "Type")
        self.assertEqual(shown, {"ActiveState": "active", "SubState": "running", "NRestarts": "0",
                                 "Type": "notify"})

    def test_it_runs_as_a_user_of_its_own_and_keeps_its_state_to_itself(self):
        service = self.running()
        machine = service.machine
        status = machine.read(f"/proc/{service.pid}/status")
        uid = int(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1))
        self.assertTrue(61184 <= uid <= 65519, f"no dynamic user: {uid}")
        self.assertRegex(status, r"(?m)^CapEff:\s+0+$")
        directory = service.state_directory
        mode = machine.run("stat", "--format=%a %F", "--dereference", directory).out.strip()
        self.assertEqual(mode, "700 directory")
        for name in ("ledger.json", "lock"):
            done = machine.run("setpriv", "--reuid=nobody", "--clear-groups", "cat",
                               f"{directory}/{name}", check=False)
            self.assertIn("Permission denied", done.err)

    def test_systemctl_start_returns_before_the_first_pass_is_over(self):
        """READY means that the configuration is good."""
        service = self.service()
        service.sandbox.fault("call=list,do=hang")
        service.start()
        self.assertEqual(service.show("ActiveState"), "active")
        service.wait_status("a pass is under way")

    def test_the_commands_of_the_readme_lead_to_the_first_invite(self):
        commands = readme_commands()
        self.assertLessEqual(count_commands(commands), 5, commands)
        machine = self.boot(self.package.image.base)
        sandbox = self.start_sandbox(machine, org={"users": [{"email": OWNER, "role": "owner"}]})
        # All that differs from an administrator's host: where the service is.
        machine.write("/etc/systemd/system/inviterd.service.d/test.conf",
                      f"[Service]\nEnvironment=OPENAI_BASE_URL={sandbox.url}\n")
        machine.path("/root/inviterd_0_test.deb").write_bytes(self.package.deb.read_bytes())
        machine.write("/root/commands", f"OPENAI_ADMIN_KEY={KEY}\nset -e\n{commands}")
        machine.run("bash", "/root/commands")
        wait_for(lambda: sandbox.live() == [ADA], "the invite")
        self.assertEqual(sandbox.mails(), {ADA: 1})
        Service(machine, sandbox).wait_status(
            "in sync, 1 person; 1 needs attention; next pass .*")
        self.assertEqual(machine.run("systemctl", "is-enabled", "inviterd").out.strip(), "enabled")

    def test_a_fresh_package_is_not_started_and_sends_nothing_by_accident(self):
        machine = self.boot()
        service = Service(machine, self.start_sandbox(machine))
        machine.drop_in("inviterd.service", Environment=f"OPENAI_BASE_URL={service.sandbox.url}")
        self.assertEqual(service.show("ActiveState", "UnitFileState"),
                         {"ActiveState": "inactive", "UnitFileState": "disabled"})
        # With the key alone: no policy is chosen.
        service.put_key()
        self.assertNotEqual(service.systemctl("start", check=False).code, 0)
        self.assertEqual(service.show("ExecMainStatus"), "78")
        # With the policy: nobody is declared.
        shipped = machine.read("/etc/inviterd/inviterd.conf")
        chosen = re.sub(r'# *(policy = "create-only")', r"\1", shipped)
        self.assertNotEqual(chosen, shipped)
        machine.write("/etc/inviterd/inviterd.conf", chosen)
        service.start()
        service.wait_status(r"waiting for a valid member file: /etc/inviterd/members\.conf.*")
        self.assertEqual(service.sandbox.requests(), [])

    def test_a_member_file_torn_at_boot_is_waited_for(self):
        """Enabled, and booted with half a member file: READY and no write; corrected: a pass."""
        members = Service.members_text(ADA, BEN)
        url = "http://127.0.0.1:8080/v1"
        machine = self.boot(files={
            "etc/inviterd/inviterd.conf": Service.configuration(url),
            "etc/inviterd/openai-admin-key": KEY,
            "etc/inviterd/members.conf": members[:len(members) // 2],
            "etc/systemd/system/multi-user.target.wants/inviterd.service":
                pathlib.Path("/usr/lib/systemd/system/inviterd.service"),
        })
        sandbox = self.start_sandbox(machine, port=8080,
                                     org={"invites": [{"email": "out@example.com"}]})
        service = Service(machine, sandbox)
        self.assertEqual(service.show("ActiveState"), "active")
        service.wait_status(r"waiting for a valid member file: /etc/inviterd/members\.conf:\d+: .*")
        self.assertEqual(sandbox.requests(), [])
        service.declare(ADA, BEN)
        service.wait_status("in sync, 2 people; next pass .*")
        self.assertEqual(sandbox.live(), [ADA, BEN])


class Restart(SystemCase):
    """What is not cured by starting again is not started again; the rest is."""

    def check_ends(self, service, code):
        self.assertNotEqual(service.systemctl("start", check=False).code, 0)
        wait_for(lambda: service.show("ActiveState") == "failed", "the end")
        shown = service.show("ExecMainStatus", "NRestarts", "SubState")
        self.assertEqual(shown, {"ExecMainStatus": str(code), "NRestarts": "0", "SubState": "failed"})
        self.assertEqual(service.sandbox.requests(), [])

    def test_an_invalid_configuration_ends_it_with_78_for_good(self):
        service = self.service(policy="sinc")
        service.machine.drop_in(service.unit, RestartSec="100ms")
        self.check_ends(service, 78)
        told = service.machine.run("journalctl", f"--unit={service.unit}", "--output=cat").out
        self.assertRegex(told, r"/etc/inviterd/inviterd\.conf:\d+: .*sinc")

    def test_bad_usage_ends_it_with_64_for_good(self):
        service = self.service()
        self.services.clear()  # what is wrong with a command line is told on standard error
        service.machine.drop_in(service.unit, RestartSec="100ms",
                                ExecStart="\nExecStart=/usr/sbin/inviterd run --polizy=sync")
        self.check_ends(service, 64)

    def test_a_sudden_death_is_followed_by_a_start_after_a_fixed_pause(self):
        service = self.running()
        self.assertEqual(service.show("RestartUSec"), "30s")
        service.machine.drop_in(service.unit, RestartSec="1s")
        before = service.pid
        service.machine.run("systemctl", "kill", "--signal=KILL", service.unit)
        wait_for(lambda: service.show("NRestarts") == "1" and
                 service.show("SubState") == "running", "the restart")
        self.assertNotEqual(service.pid, before)
        service.wait_in_sync()
        self.assertEqual(service.sandbox.mails(), {ADA: 1})

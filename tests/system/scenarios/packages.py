"""The Debian package: what it is made of, and its upgrade, removal and purge."""

import hashlib

from harness import wait_for
from service import ADA, BEN, SystemCase

# What every package leaves traces in.
NOT_OURS = ("/var/log/", "/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/", "/run/", "/tmp/", "/root/",
            "/var/lib/systemd/catalog/", "/var/lib/systemd/timers/", "/var/lib/systemd/deb-systemd-helper")


class Package(SystemCase):
    def test_lintian_finds_nothing(self):
        self.assertEqual(self.package.lintian, "")

    def test_two_builds_give_the_same_bytes(self):
        digests = {hashlib.sha256(path.read_bytes()).hexdigest()
                   for path in (self.package.deb, self.package.again)}
        self.assertEqual(self.package.deb.name, self.package.again.name)
        self.assertEqual(len(digests), 1)

    def test_no_file_that_it_brings_can_be_written_by_others_and_no_secret_is_among_them(self):
        machine = self.boot()
        files = [name for name in machine.run("dpkg", "--listfiles", "inviterd").out.split()]
        modes = machine.run("stat", "--format=%a %U:%G %n", *files).out.splitlines()
        wrong = [line for line in modes if line.split()[1] != "root:root" or
                 int(line.split()[0], 8) & 0o022 or int(line.split()[0], 8) & 0o7000]
        self.assertEqual(wrong, [])
        conffiles = machine.run("dpkg-query", "--show", "--showformat=${Conffiles}", "inviterd").out
        self.assertEqual([line.split()[0] for line in conffiles.splitlines() if line.strip()],
                         ["/etc/inviterd/inviterd.conf", "/etc/inviterd/members.conf"])
        for name in ("/usr/sbin/inviterd", "/usr/lib/systemd/catalog/inviterd.catalog",
                     "/usr/lib/systemd/system/inviterd.service",
                     "/usr/lib/systemd/system/inviterd@.service",
                     "/usr/share/bash-completion/completions/inviterd",
                     "/usr/share/zsh/vendor-completions/_inviterd",
                     "/usr/share/man/man8/inviterd.8.gz", "/usr/share/man/man5/inviterd.conf.5.gz",
                     "/usr/share/man/man5/inviterd-members.5.gz"):
            self.assertIn(name, files)

    def test_the_manual_answers_what_an_administrator_asks(self):
        machine = self.boot()
        text = machine.run("man", "--pager=cat", "inviterd").out
        for question in ("HOW DO I START", "WHAT WILL IT DO TO MY ORGANISATION",
                         "WHAT DOES EACH MESSAGE MEAN", "HOW DO I UNDO",
                         "HOW DO I HOLD IT STILL FOR A DAY"):
            self.assertIn(f"\n{question}\n", text)
        for page in ("inviterd.conf", "inviterd-members"):
            self.assertIn("NAME", machine.run("man", "--pager=cat", "5", page).out)

    def test_what_is_shipped_is_valid_but_for_what_has_to_be_chosen(self):
        machine = self.boot()
        done = machine.run("inviterd", "check", check=False)
        self.assertEqual(done.code, 78)
        self.assertIn("/etc/inviterd/members.conf", done.err)
        examples = "/usr/share/doc/inviterd/examples"
        for name in ("members.conf", "members.json"):
            machine.run("inviterd", "check", "--members", f"{examples}/{name}")


class Upgrade(SystemCase):
    def put(self, machine, path, name):
        machine.path(f"/root/{name}").write_bytes(path.read_bytes())

    def apt(self, machine, *arguments):
        return machine.run("apt-get", "--yes", "--quiet", *arguments)

    def test_an_upgrade_restarts_what_runs_and_nothing_else(self):
        machine = self.boot()
        running = [self.service(machine=machine), self.service(machine=machine, instance="one")]
        idle = self.service(machine=machine, instance="idle", members=(BEN,))
        for service in running:
            service.start()
            service.wait_in_sync()
        before = [service.pid for service in running]
        self.put(machine, self.package.newer, "newer.deb")
        self.apt(machine, "install", "/root/newer.deb")
        self.assertIn("+newer", machine.run("dpkg-query", "--show", "inviterd").out)
        for service, pid in zip(running, before):
            service.wait_in_sync()
            self.assertNotEqual(service.pid, pid)
            self.assertEqual(service.sandbox.mails(), {ADA: 1})
            # What the administrator wrote is still there.
            self.assertIn(service.sandbox.url, machine.read(f"{service.etc}/inviterd.conf"))
        self.assertEqual(idle.show("ActiveState"), "inactive")
        self.assertEqual(idle.sandbox.requests(), [])

    def test_a_removal_stops_it_and_a_purge_leaves_nothing(self):
        machine = self.boot(self.package.image.base)
        before = self.everything(machine)
        self.put(machine, self.package.deb, "inviterd.deb")
        self.apt(machine, "install", "/root/inviterd.deb")
        services = [self.service(machine=machine), self.service(machine=machine, instance="one")]
        for service in services:
            machine.run("systemctl", "enable", "--now", service.unit)
            service.wait_in_sync()
        self.services.clear()
        self.apt(machine, "remove", "inviterd")
        for service in services:
            wait_for(lambda: service.show("ActiveState") == "inactive", "the stop")
            self.assertIn(ADA, machine.read(service.member_file))
            self.assertTrue(machine.path(f"/var/lib/private/{service.state_directory.split('/')[-1]}"
                                         "/ledger.json").exists())
        left = machine.shell("pgrep -x inviterd || true").out
        self.assertEqual(left, "")
        self.apt(machine, "purge", "inviterd")
        self.assertEqual(sorted(self.everything(machine) - before), [])
        ours = machine.shell("find / -xdev -path /root -prune -o -iname '*inviterd*' -print; "
                             "find /run /tmp /dev -iname '*inviterd*'").out
        self.assertEqual(ours, "")

    @staticmethod
    def everything(machine):
        names = machine.run("find", "/", "-xdev").out.splitlines()
        return {name for name in names if not name.startswith(NOT_OURS)}

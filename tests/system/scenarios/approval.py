"""A blocked plan, and the command that carries it out once."""

import re

from harness import wait_for
from service import ADA, BEN, NOTICE, WARNING, SystemCase

GONE = [f"gone{number}@example.com" for number in range(3)]


class Approval(SystemCase):
    def blocked(self, **more):
        service = self.service(invites=[{"email": email} for email in GONE],
                               limits={"revocations": 1}, **more)
        service.start()
        service.wait_status("3 revocations blocked by a limit; next pass .*")
        # The rest is done all the same.
        self.assertEqual(service.sandbox.live(), [ADA, *GONE])
        return service

    def shown_command(self, service):
        """The same in the journal, in `status` and in `status -o json`."""
        words = r"inviterd approve ([0-9a-f]{12})"
        told = " ".join(one["MESSAGE"] for one in service.entries(f"PRIORITY={WARNING}"))
        found = {re.search(words, told).group(0)}
        found.add(re.search(words, service.cli("status", check=False).out).group(0))
        found.add(service.status()["blocked"]["command"])
        self.assertEqual(len(found), 1, found)
        return found.pop()

    def check_outcome(self, service, identity, outcome):
        told = service.status()["approval"]
        self.assertEqual((told["id"], told["outcome"]), (identity, outcome))

    def test_the_shown_command_carries_out_exactly_what_is_blocked_once(self):
        service = self.blocked()
        command = self.shown_command(service)
        identity = command.split()[-1]
        service.sandbox.clear_log()
        done = service.machine.run("bash", "-c", command)
        self.assertIn(f"approval {identity}: ", done.out)
        self.check_outcome(service, identity, "carried-out")
        self.assertEqual(service.sandbox.live(), [ADA])
        self.assertEqual([one["call"] for one in service.sandbox.writes()], ["delete"] * 3)
        service.wait_status("in sync, 1 person; next pass .*")
        self.assertEqual(service.cli("status").code, 0)
        told = [(one["PRIORITY"], one["MESSAGE"]) for one in service.entries(event="APPROVAL")]
        self.assertEqual(told[0], (NOTICE, f"approval {identity} was handed in"))
        self.assertEqual(told[1][0], NOTICE)
        self.assertRegex(told[1][1], f"^approval {identity}: .*3 done")
        self.assertEqual(len(told), 2)
        # The same state once more: the id is used up, or another one.
        for email in GONE:
            service.sandbox.post("invite", email=email)
        again = service.machine.run("bash", "-c", command, check=False)
        self.assertEqual(again.code, 1, str(again))
        self.check_outcome(service, identity, "refused")
        self.assertEqual(service.sandbox.live(), [ADA, *GONE])

    def test_an_id_that_no_longer_fits_is_refused_with_the_reason(self):
        service = self.blocked()
        command = self.shown_command(service)
        service.sandbox.post("invite", email="one-more@example.com")
        done = service.machine.run("bash", "-c", command, check=False)
        self.assertEqual(done.code, 1, str(done))
        self.assertIn("does not fit what is blocked now", done.err)
        self.check_outcome(service, command.split()[-1], "refused")
        self.assertEqual(service.sandbox.requests("delete"), [])
        refused = service.entries(event="APPROVAL")[-1]
        self.assertEqual(refused["PRIORITY"], WARNING)
        # What it says fits now does fit.
        identity = re.findall("[0-9a-f]{12}", done.err)[-1]
        self.assertEqual(service.cli("approve", identity).code, 0)
        self.assertEqual(service.sandbox.live(), [ADA])

    def test_a_wrong_id_and_a_malformed_one_change_nothing(self):
        service = self.blocked()
        done = service.cli("approve", "0123456789ab", check=False)
        self.assertEqual(done.code, 1, str(done))
        self.check_outcome(service, "0123456789ab", "refused")
        for malformed in ("0123", "0123456789AB", "../../../etc", ""):
            self.assertEqual(service.cli("approve", malformed, check=False).code, 64)
        self.assertEqual(service.sandbox.requests("delete"), [])
        service.wait_status("3 revocations blocked by a limit; next pass .*")

    def test_only_root_may_approve(self):
        service = self.blocked()
        command = self.shown_command(service)
        done = service.machine.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                                   *command.split(), check=False)
        self.assertEqual(done.code, 1, str(done))
        self.assertEqual(service.entries(event="APPROVAL"), [])
        self.assertEqual(service.sandbox.requests("delete"), [])

    def test_it_needs_no_key_and_a_daemon(self):
        service = self.blocked()
        command = self.shown_command(service)
        service.systemctl("stop")
        done = service.machine.run("bash", "-c", command, check=False)
        self.assertEqual(done.code, 1, str(done))
        self.assertIn("not running", done.err)
        self.assertEqual(service.sandbox.requests("delete"), [])

    def test_an_approval_of_an_owner_takes_the_exact_person(self):
        service = self.service(members=({"email": ADA, "role": "owner"},
                                        {"email": BEN, "role": "owner"}))
        service.start()
        service.wait_status("2 invites blocked by a limit; next pass .*")
        service.machine.run("bash", "-c", self.shown_command(service))
        wait_for(lambda: service.sandbox.live() == [ADA, BEN], "both invites")
        self.assertEqual(service.sandbox.mails(), {ADA: 1, BEN: 1})

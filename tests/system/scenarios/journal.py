"""What the journal holds, and what it does not."""

import re

from harness import wait_for
from service import ADA, BEN, CYD, DEBUG, ERROR, EVENTS, INFO, NOTICE, WARNING, SystemCase

OUT = "out@example.com"


def loud(entries):
    return [one for one in entries if one["PRIORITY"] != DEBUG]


class Journal(SystemCase):
    def test_each_change_is_one_line_at_notice_with_all_its_fields(self):
        service = self.running(
            invites=[{"email": OUT, "id": "invite-out"}, {"email": BEN, "role": "owner"},
                     {"email": CYD, "status": "expired"}],
            members=(ADA, BEN, CYD), limits={"revocations": 5})
        for email, action, reason in ((ADA, "invite", "not-invited"), (OUT, "revoke", "undeclared"),
                                      (BEN, "replace", "role-differs"),
                                      (CYD, "renew", "invite-expired")):
            with self.subTest(action=action):
                line, = service.entries(f"PRIORITY={NOTICE}", email=email)
                self.assertEqual(line["MESSAGE"], f"{action} {email}: done")
                request = [one for one in service.sandbox.writes()
                           if email in (one["email"], self.email_of(service, one))][-1]
                self.assertEqual({name: line.get(name) for name in line if "INVITERD" in name}, {
                    "INVITERD_PASS": "1", "INVITERD_ACTION": action, "INVITERD_EMAIL": email,
                    "INVITERD_INVITE_ID": request["invite_id"], "INVITERD_REASON": reason,
                    "INVITERD_RESULT": "done", "INVITERD_REQUEST_ID": request["request_id"],
                    "INVITERD_HTTP_STATUS": str(request["status"])})
                self.assertEqual(line["MESSAGE_ID"], EVENTS["WRITTEN"])
        # What else is said of a change is its plan, for who asks for it, and its first steps.
        for entry in service.entries(email=ADA) + service.entries(email=OUT):
            self.assertIn(entry["PRIORITY"], (NOTICE, DEBUG))
        step, = service.entries(event="STEPPED")
        self.assertEqual((step["INVITERD_EMAIL"], step["PRIORITY"]), (BEN, INFO))
        ended, = service.entries(event="PASS_DONE")
        self.assertEqual(ended["PRIORITY"], INFO)

    @staticmethod
    def email_of(service, request):
        """Whose invite a request deletes."""
        return OUT if request["invite_id"] == "invite-out" else None

    def test_a_pass_in_sync_is_told_at_debug_only(self):
        service = self.running()
        service.touch()
        service.wait_passes(2)
        told = service.entries("INVITERD_PASS=2")
        self.assertEqual({one["PRIORITY"] for one in told}, {DEBUG})
        self.assertEqual([one["MESSAGE_ID"] for one in told], [EVENTS["PASS_DONE"]])

    def test_what_stands_is_a_warning_once_until_it_changes(self):
        service = self.service(invites=[{"email": OUT}, {"email": CYD, "status": "accepted"}],
                               limits={"revocations": 0})
        service.start()
        service.wait_passes(1)
        blocked, attention = service.entries(email=OUT)[0], service.entries(email=CYD)[0]
        self.assertEqual((blocked["PRIORITY"], blocked["MESSAGE_ID"], blocked["INVITERD_ACTION"]),
                         (WARNING, EVENTS["BLOCKED"], "revoke"))
        self.assertEqual((attention["PRIORITY"], attention["MESSAGE_ID"]),
                         (WARNING, EVENTS["ATTENTION"]))
        self.assertEqual(attention["INVITERD_REASON"], "accepted-undeclared")
        commands = [one["MESSAGE"] for one in service.entries(f"PRIORITY={WARNING}")
                    if "inviterd approve" in one["MESSAGE"]]
        self.assertEqual(len(commands), 1)
        self.assertRegex(commands[0], r"inviterd approve [0-9a-f]{12}$")
        service.touch()
        service.wait_passes(2)
        self.assertEqual(loud(service.entries("INVITERD_PASS=2")), [])
        # A second one is news; the first is still none.
        service.sandbox.post("invite", email="other@example.com")
        service.touch()
        service.wait_passes(3)
        told = loud(service.entries("INVITERD_PASS=3"))
        self.assertIn("other@example.com", {one.get("INVITERD_EMAIL") for one in told})
        self.assertNotIn(CYD, {one.get("INVITERD_EMAIL") for one in told})
        self.assertEqual({one["PRIORITY"] for one in told}, {WARNING})

    def test_the_whole_story_of_a_person_is_one_query(self):
        service = self.running()
        service.sandbox.fault(f"call=create,email={BEN},times=1,do=status,status=400,"
                              'body={"error":{"message":"no such mailbox"}}')
        service.declare(ADA, BEN)
        wait_for(lambda: service.entries(event="WRITE_FAILED"), "the failure")
        service.declare(BEN)
        wait_for(lambda: service.sandbox.live() == [], "the revocation")
        service.wait_passes(3)
        story = service.machine.run("journalctl", "--output=cat", f"INVITERD_EMAIL={ADA}").out
        self.assertEqual([line for line in story.splitlines() if not line.startswith("plan: ")],
                         [f"invite {ADA}: done", f"revoke {ADA}: done"])
        failure, = service.entries(event="WRITE_FAILED")
        self.assertEqual((failure["PRIORITY"], failure["INVITERD_EMAIL"]), (ERROR, BEN))
        self.assertIn("no such mailbox", failure["MESSAGE"])
        self.assertEqual(failure["INVITERD_HTTP_STATUS"], "400")

    def test_each_event_is_explained(self):
        service = self.running()
        for name, message_id in EVENTS.items():
            entry = service.machine.run("journalctl", "--dump-catalog", message_id).out
            with self.subTest(event=name):
                self.assertRegex(entry, rf"^-- {message_id}\nSubject: .+\n")
                self.assertIn("man:inviterd(8)", entry)
                # A text and what to do: more than a repetition of the subject.
                self.assertGreater(len(entry.split("\n\n", 1)[1].split()), 15)
        told = service.machine.run("journalctl", "--catalog", "--no-pager",
                                   f"_SYSTEMD_UNIT={service.unit}").out
        self.assertIn("Subject: inviterd has started", told)
        self.assertIn(f"Subject: inviterd has done: invite {ADA}", told)
        self.assertNotRegex(told, r"@\w+@", "a field that is not there")
        unexplained = re.findall(r"(?m)^[A-Z][a-z]{2} \d\d .*inviterd\[\d+\]: (.*)\n(?!░░)", told)
        self.assertEqual(unexplained, [])

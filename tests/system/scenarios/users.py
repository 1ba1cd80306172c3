"""The users of the organisation: looked at by default, removed and corrected where that is chosen."""

import time

from harness import wait_for
from service import ADA, BEN, NOTICE, SystemCase

BOSS, OUT = "boss@example.com", "out@example.com"


def organization(*more):
    return {"users": [{"id": "user-boss", "email": BOSS, "role": "owner"},
                      {"id": "user-out", "email": OUT, "role": "reader"}, *more]}


class Users(SystemCase):
    def test_they_are_looked_at_by_default_and_left_alone(self):
        service = self.service(org=organization(), users=None)
        service.start()
        service.wait_status("in sync, 1 person; 2 need attention; next pass .*")
        self.assertEqual({one["email"]: one["reason"] for one in service.status()["attention"]},
                         {BOSS: "user-undeclared", OUT: "user-undeclared"})
        self.assertEqual(len(service.sandbox.requests("list-users")), 1)
        self.assertEqual([one["call"] for one in service.sandbox.writes()], ["create"])

    def managed(self, **settings):
        """Of whom one is protected and one not declared, who was seen once."""
        service = self.service(org=organization({"id": "user-ben", "email": BEN, "role": "reader"}),
                               users="manage", limits={"owner_invites": 3, "min_owners": 1},
                               **settings)
        service.machine.write(service.member_file, f'''organization:
{{
  members = ( "{ADA}", {{ email = "{BEN}"; role = "owner"; }} );
  defaults = {{ role = "reader"; }};
  protected = ( "{BOSS}" );
}};
''')
        service.start()
        service.wait_passes(1)
        return service

    def test_who_has_left_the_file_is_removed_once_seen_for_long_enough(self):
        service = self.managed(remove_after="2s")
        self.assertEqual(service.sandbox.roles(), {BOSS: "owner", OUT: "reader", BEN: "owner"})
        due = service.status()["attention"]
        self.assertEqual([(one["email"], one["reason"]) for one in due], [(OUT, "removal-due")])
        time.sleep(2)
        service.touch()
        wait_for(lambda: OUT not in service.sandbox.roles(), "the removal")
        service.wait_in_sync()
        self.assertEqual(service.sandbox.roles(), {BOSS: "owner", BEN: "owner"})
        removed = service.entries(f"PRIORITY={NOTICE}", event="WRITTEN", user_id="user-out")
        self.assertEqual([one["MESSAGE"] for one in removed], [f"remove {OUT}: done"])
        raised = service.entries(f"PRIORITY={NOTICE}", event="WRITTEN", user_id="user-ben")
        self.assertEqual([one["MESSAGE"] for one in raised], [f"set-role {BEN}: done"])

    def test_time_across_a_restart_does_not_count(self):
        service = self.managed(remove_after="3s")
        time.sleep(3)
        service.systemctl("restart")
        service.wait_passes(1)
        self.assertIn(OUT, service.sandbox.roles())
        time.sleep(3)
        service.touch()
        wait_for(lambda: OUT not in service.sandbox.roles(), "the removal")

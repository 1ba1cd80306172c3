"""A change of the member file starts a pass within two seconds, and never one with half a file."""

import contextlib
import time

from harness import wait_for
from service import ADA, BEN, CYD, Stalls, SystemCase

LIMIT = 2.0
# Where the machine itself stood still for so long meanwhile, a measured time says nothing.
STALL = 0.2
OUT = "out@example.com"


class Changes(SystemCase):
    @contextlib.contextmanager
    def one_pass_within_the_limit(self, service):
        """Afterwards: one pass, not more, whose listing was asked for in time after the change."""
        service.sandbox.clear_log()
        yield
        changed = time.time()
        wait_for(lambda: service.sandbox.requests("list"), "a pass")
        first = service.sandbox.requests("list")[0]["time"]
        time.sleep(LIMIT)
        self.assertEqual(len(service.sandbox.requests("list")), 1, "more than one pass")
        self.took = first - changed

    def check_in_time(self, service, change):
        """`change` makes the n-th change; the machine gets three chances not to stand still."""
        for attempt in range(3):
            stalls = Stalls()
            with self.one_pass_within_the_limit(service):
                expected = change(attempt)
            stalled = stalls.end()
            wait_for(lambda: service.sandbox.live() == sorted(expected), "the invites")
            service.wait_in_sync()
            if self.took <= LIMIT or stalled < STALL:
                break
        self.assertLessEqual(self.took, LIMIT)

    @staticmethod
    def people(attempt):
        return [ADA, f"new{attempt}@example.com"]

    def test_a_file_saved_in_place(self):
        service = self.running()

        def change(attempt):
            service.declare(*self.people(attempt))
            return self.people(attempt)
        self.check_in_time(service, change)

    def test_a_file_renamed_over_it(self):
        service = self.running()

        def change(attempt):
            machine, text = service.machine, service.members_text(*self.people(attempt))
            machine.write("/etc/inviterd/.members.conf.new", text)
            machine.path("/etc/inviterd/.members.conf.new").rename(machine.path(service.member_file))
            return self.people(attempt)
        self.check_in_time(service, change)

    def test_an_entry_added_to_a_directory(self):
        service = self.service(members=())
        service.configure(members="members.d")
        service.machine.write("/etc/inviterd/members.d/10-old.conf", service.members_text(ADA))
        service.start()
        service.wait_in_sync()
        people = [ADA]

        def change(attempt):
            people.append(f"new{attempt}@example.com")
            service.machine.write(f"/etc/inviterd/members.d/2{attempt}-new.conf",
                                  service.members_text(people[-1]))
            return people
        self.check_in_time(service, change)

    def test_a_symlink_swapped_as_config_maps_do(self):
        """/etc/map/members.conf -> ..data/members.conf, and ..data -> a directory, renamed over."""
        service = self.service(members=())
        service.configure(members="/etc/map/members.conf")
        machine = service.machine

        def put(version, people):
            machine.write(f"/etc/map/..{version}/members.conf", service.members_text(*people))
            machine.path("/etc/map/..data_tmp").symlink_to(f"..{version}")
            machine.path("/etc/map/..data_tmp").rename(machine.path("/etc/map/..data"))
        put("first", [ADA])
        machine.path("/etc/map/members.conf").symlink_to("..data/members.conf")
        service.start()
        service.wait_in_sync()

        def change(attempt):
            put(f"version{attempt}", self.people(attempt))
            return self.people(attempt)
        self.check_in_time(service, change)

    def test_twenty_quick_saves_are_one_pass(self):
        service = self.running()
        with self.one_pass_within_the_limit(service):
            for number in range(20):
                service.declare(ADA, f"user{number}@example.com")
                time.sleep(0.05)
        wait_for(lambda: service.sandbox.live() == [ADA, "user19@example.com"], "the last file")
        self.assertEqual(len(service.sandbox.mails()), 1)


class HalfWritten(SystemCase):
    """A writer that pauses in the middle."""

    def setUp(self):
        super().setUp()
        self.server = self.running(members=(ADA, BEN, CYD), limits={"revocations": 100})
        self.text = self.server.members_text(ADA, BEN, CYD, "new@example.com")

    def write_slowly(self, pause):
        path = self.server.machine.path(self.server.member_file)
        self.server.sandbox.clear_log()
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(self.text[:len(self.text) // 2])
            stream.flush()
            time.sleep(pause)
            self.assertEqual(self.server.sandbox.writes(), [])
            stream.write(self.text[len(self.text) // 2:])
        wait_for(lambda: "new@example.com" in self.server.sandbox.live(), "the whole file")
        self.assertEqual([one["call"] for one in self.server.sandbox.writes()], ["create"])

    def test_a_writer_that_pauses_shortly_is_not_even_noticed(self):
        self.write_slowly(2.5)
        self.assertEqual(self.server.entries(event="MEMBERS_INVALID"), [])
        self.assertEqual(len(self.server.lists()), 1)

    def test_a_writer_that_pauses_for_long_is_reported_and_changes_nothing(self):
        self.write_slowly(14)
        self.assertTrue(self.server.entries(event="MEMBERS_INVALID"))
        self.server.wait_status("in sync, 4 people; next pass .*")

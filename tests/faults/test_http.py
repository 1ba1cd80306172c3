#!/usr/bin/env python3
"""Faults over real HTTP: runs each row of http.md and compares what comes of it.

Run as it is, it takes all rows; names of tests (Rows.test_…) narrow that down. What holds for every
row, whatever it says itself, is in check_promises().
"""

import email.utils
import pathlib
import re
import socket
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "cli")]

import front  # noqa: E402
import harness  # noqa: E402
from harness import EXIT_OK, TestCase, World  # noqa: E402

TABLE = HERE / "http.md"
SETTLE = 1

ADA, KEPT, OUT = "ada@example.com", "kept@example.com", "out@example.com"
MEMBER, LEFT = "member@example.com", "left@example.com"
REVOKED = {"email": OUT, "id": "invite-out"}
REPLACED = {"email": ADA, "id": "invite-old"}
INVITES = [{"email": KEPT, "id": "invite-kept"},
           {"email": MEMBER, "id": "invite-member", "status": "accepted"},
           {"email": LEFT, "id": "invite-left", "status": "accepted"}]
MANY = [f"many{i:02}@example.com" for i in range(11)]

# The call before the one of the section, in a pass.
AFTER = {"create": "list", "delete": "create", "retrieve": "delete",
         "delete in a replacement": "list", "create in a replacement": "delete"}
# What everything that goes wrong ends with: a word on what to do.
ADVICE = re.compile(r"try again later|Run it again|use an? .*key|check the base URL|"
                    r"see inviterd list|inviterd apply --approve")
# What `how` may begin with.
FULL, FAST = "after a full listing: ", "at 6000 a minute: "
# No resolver is asked for it: one part is longer than a name may be.
NO_NAME = f"https://{'a' * 64}.example/v1"
# Faults that only a time-out ends; where a redirect points, nobody answers.
NEEDS_TIMEOUT = re.compile(r"hang|drip|no-accept|no-handshake|redirect")


# ---- the table ----


class Row:
    """`section` begins with the call that meets the fault: `create in a replacement`."""

    def __init__(self, section, cells, line):
        self.section, self.cells, self.line = section, cells, line
        self.call, _, where = section.partition(" in a ")
        self.replaces = where == "replacement"
        self.fault, self.how = cells["fault"], cells["how"].strip("`")

    @property
    def name(self):
        words = re.sub(r"\W+", "_", self.fault).strip("_")
        return f"test_{self.line:03}_{self.section.replace(' ', '_')}_{words}"

    @property
    def requests(self):
        """`list 2, create 1` as a dictionary."""
        if self.cells["requests"] == "none":
            return {}
        parts = [part.split() for part in self.cells["requests"].split(",")]
        return {call: int(count) for call, count in parts}

    @property
    def mails(self):
        """E-mails to Ada after this run, and after the next one, which meets no fault."""
        first, _, then = self.cells.get("e-mails", "0, then 0").partition(", then ")
        return int(first), int(then)

    @property
    def waits(self):
        """How long the client stays away from the service, at least, in seconds."""
        return float(self.cells.get("waits", "-").replace("-", "0"))


def split_cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def read_table(path):
    """The rows of all tables that stand under a heading `## SECTION: …`."""
    rows, section, head = [], None, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            section, head = line[3:].partition(":")[0], None
        elif not line.startswith("|"):
            head = None
        elif head is None:
            head = split_cells(line)
        elif not set(line) <= set("|- ") and "how" in head:
            cells = split_cells(line)
            assert len(cells) == len(head), f"{path}:{number}: {len(cells)} cells"
            rows.append(Row(section, dict(zip(head, cells)), number))
    return rows


# ---- one row ----


class Trap:
    """An address where a redirect leads. Nobody may come."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1/organization/invites"

    def caught(self):
        try:
            self.listener.accept()[0].close()
            return True
        except BlockingIOError:
            return False


def http_date(match):
    date = email.utils.formatdate(time.time() + float(match.group(1)), usegmt=True)
    return urllib.parse.quote(date)


class Scene:
    """What a row plays in: a world with one to invite, one to revoke and three to leave alone."""

    def __init__(self, test, row, certificates):
        self.test, self.row, self.certificates = test, row, certificates
        self.front, self.trap = None, Trap()
        test.addCleanup(self.trap.listener.close)
        how = row.how.removeprefix(FULL)
        if how != row.how:
            self.begin_full()
        else:
            self.begin()
        self.set_fault(how)

    def make_world(self, *more):
        self.world = World(self.test, invites=[*INVITES, *more])
        self.sandbox = self.world.sandbox

    def begin(self):
        self.make_world(REVOKED, *([REPLACED] if self.row.replaces else []))
        ada = {"email": ADA, "role": "owner"} if self.row.replaces else ADA
        self.world.declare(ada, KEPT, MEMBER)

    def begin_full(self):
        """An earlier pass has seen many live invites."""
        self.make_world(*({"email": one} for one in MANY))
        self.world.declare(KEPT, MEMBER, *MANY)
        self.test.assert_exit(self.world.apply(), EXIT_OK)
        self.sandbox.post("invite", **REVOKED)
        self.sandbox.clear_log()
        self.world.declare(ADA, KEPT, MEMBER, *MANY)

    def configure(self, url, **api):
        self.world.configure(settle=f"{SETTLE}s",
                             api={"base_url": url, "concurrency": 1,
                                  "ca_file": str(self.certificates.trusted), **api})

    def set_fault(self, how):
        limits = {"timeout": "2s"} if NEEDS_TIMEOUT.search(how) else {}
        if how.startswith(FAST):
            limits["requests_per_minute"] = 6000
        if self.row.call == "retrieve":
            self.sandbox.fault("call=delete,times=1,do=status,status=409")
        kind, _, rest = how.partition(" ")
        if kind == "url":
            url = rest.replace("{no-name}", NO_NAME)
        elif kind == "front":
            url = self.set_front(*rest.split())
        else:
            url = self.set_sandbox(how.removeprefix(FAST))
        self.configure(url, **limits)

    @property
    def call(self):
        return "retrieve" if self.row.call == "show" else self.row.call

    def set_front(self, fault, once=None):
        self.front = front.Front(self.sandbox.port, self.certificates, fault, self.call,
                                 AFTER.get(self.row.section), once == "once")
        self.test.addCleanup(self.front.stop)
        return self.front.url

    def set_sandbox(self, spec):
        spec = re.sub(r"\{date([+-]\d+)\}", http_date, spec.replace("{trap}", self.trap.url))
        which = f"id={REPLACED['id']}," if self.row.section == "delete in a replacement" else ""
        self.sandbox.fault(f"call={self.call},{which}{spec}")
        return self.sandbox.url

    def clear(self):
        """No fault any more, at the same address."""
        self.sandbox.clear_faults()
        if self.front:
            self.front.heal()
        self.configure(self.front.url if self.front else self.sandbox.url)

    def run(self):
        if self.row.call == "show":
            return self.world.run("show", REVOKED["id"])
        return self.world.run("apply")

    def counts(self):
        """Requests by call; those too that the front let nobody see."""
        counts = dict(self.front.swallowed) if self.front else {}
        for entry in self.sandbox.requests():
            counts[entry["call"]] = counts.get(entry["call"], 0) + 1
        return counts


def is_whole(entry):
    """Whether the answer to this request came back as it should."""
    return entry["status"] == 200 and not entry["fault"] and \
        "x-front-fault" not in entry["headers"]


def row_lies(row):
    """Whether the service says that the old invite is gone, and it is not."""
    return row.section == "delete in a replacement" and "status=404" in row.how


class Rows(TestCase):
    """One test a row; made below."""

    certificates = None

    def play(self, row):
        scene = Scene(self, row, self.certificates)
        run = scene.run()
        self.check_row(scene, run)
        self.check_promises(scene, run)
        scene.clear()
        self.check_recovery(scene)

    def check_recovery(self, scene):
        """One more run without the fault does what is left."""
        run = scene.run()
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(self.mails_to_ada(scene), scene.row.mails[1], str(run))
        self.check_promises(scene, run)
        if scene.row.call == "show":
            return
        if "ends" in scene.row.cells:
            self.assertEqual(self.live_of_ada(scene), scene.row.cells["ends"], str(run))
        if scene.sandbox.invites(OUT):
            # A delete that was answered counts as done until the settle time has passed.
            time.sleep(SETTLE)
            run = scene.run()
        self.assertEqual(scene.sandbox.invites(OUT), [], str(run))

    @staticmethod
    def mails_to_ada(scene):
        return scene.sandbox.mails().get(ADA, 0)

    @staticmethod
    def live_of_ada(scene):
        """The roles of her live invites."""
        return ", ".join(one["role"] for one in scene.sandbox.invites(ADA)) or "none"

    def check_row(self, scene, run):
        row = scene.row
        where = f"{TABLE.name}:{row.line}: {row.section}, {row.fault}\n{run}"
        self.assertEqual(run.code, int(row.cells["exit"]), where)
        self.assertEqual(scene.counts(), row.requests, where)
        self.assertEqual(self.mails_to_ada(scene), row.mails[0], where)
        self.assertIn(row.cells["says"].strip("`"), run.out + run.err, where)
        if row.cells.get("result", "-") != "-":
            person = OUT if row.section in ("delete", "retrieve") else ADA
            self.assertRegex(run.text_line(person), rf" {row.cells['result']}(:| by|$)", where)
        if row.waits:
            self.check_wait(scene, where)

    def check_wait(self, scene, where):
        """After the one fault, the service hears nothing for so long."""
        times = [(entry["time"], entry["fault"]) for entry in scene.sandbox.requests()]
        waited = [after - before for (before, fault), (after, _) in zip(times, times[1:])
                  if fault and "retry-after" in fault]
        self.assertEqual(len(waited), 1, where)
        self.assertGreaterEqual(waited[0], scene.row.waits, where)

    def check_promises(self, scene, run):
        """What http.md lists as holding for every row."""
        self.check_writes(scene, run)
        for address, count in scene.sandbox.mails().items():
            self.assertEqual((address, count), (ADA, 1), str(run))
        standing = {(one["id"], one["status"]) for one in scene.sandbox.invites()}
        for one in INVITES:
            self.assertIn((one["id"], one.get("status", "pending")), standing, str(run))
        self.assertFalse(scene.trap.caught(), str(run))
        if run.code != EXIT_OK:
            ends = [text.rstrip().rpartition("\n")[2] for text in (run.out, run.err)]
            self.assertRegex("\n".join(ends), ADVICE, str(run))

    def check_writes(self, scene, run):
        sandbox = scene.sandbox
        may_go = {REVOKED["id"]} | ({REPLACED["id"]} if scene.row.replaces else set())
        for entry in sandbox.requests("delete"):
            self.assertIn(entry["invite_id"], may_go, str(run))
        for entry in sandbox.requests("create"):
            # Had she an invite by then, the service would refuse. We cannot know better than a
            # service that calls an invite missing which is there.
            self.assertTrue(entry["fault"] or entry["status"] == 200 or row_lies(scene.row),
                            f"{entry}\n{run}")
        listing = None
        for entry in sandbox.requests():
            if entry["call"] == "list":
                listing = entry
            elif entry["call"] in ("create", "delete"):
                self.assertTrue(listing and is_whole(listing), f"{entry}\n{run}")


class Table(TestCase):
    # What has no meaning, as the table says.
    MEANINGLESS = {("create", "name not found"), ("delete", "name not found"),
                   ("retrieve", "name not found"),
                   *((call, "an empty listing after a full one")
                     for call in ("create", "delete", "retrieve", "show"))}

    def test_every_call_meets_every_fault(self):
        met = {}
        for row in read_table(TABLE):
            fault = re.sub(r",? (before|after) commit|, once|, each time", "", row.fault)
            met.setdefault(row.section, set()).add(fault)
        everything = set().union(*met.values())
        for call in ("list", "create", "delete", "retrieve", "show"):
            missing = {(call, fault) for fault in everything - met[call]}
            self.assertEqual(missing, self.MEANINGLESS & {(call, fault) for fault in everything})


def add_test(row):
    setattr(Rows, row.name, lambda self: self.play(row))


for one_row in read_table(TABLE):
    add_test(one_row)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="inviterd-faults-") as made:
        Rows.certificates = front.Certificates(pathlib.Path(made))
        harness.main(workers=48)

#!/usr/bin/env python3
"""What strangers write into answers: it forges no line, no journal record, and floods nothing.

The stand-in for the journal needs a mount namespace of its own, which unshare(1) makes for root,
and for others where the system lets them.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unicodedata
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness
import test_daemon
from harness import EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, TestCase, World
from stranger import Stranger, page

ADA, BEN = "ada@example.com", "ben@example.com"

# What moves the cursor, ends a line, turns the direction of writing, or is not seen at all.
HOSTILE = [
    "\n", "\r", "\r\n", "\t", "\v", "\f", "\b", "\a", "\x7f", "\x85", "\u2028", "\u2029",
    "\x1b[2J", "\x1b]0;title\a", "\x1b[1A\x1b[2K", "\x9b31m", "\x90q\x9c", "\x1b(0",
    "\u202e", "\u202a", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c",
    "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\ufff9", "\U000e0041",
    "\u034f", "\u115f", "\u3164", "\uffa0", "\ufe0f", "\U000e0100", "\U0001d173", "\u17b4",
]
# Code points that Unicode calls ignorable by default, and whose category does not tell.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
                    "\ufff0-\ufff8\U000e0000-\U000e0fff]")
OUR_COLORS = re.compile(r"\x1b\[(?:0|1|2|3[1-6])m")
# Looks like a line of a plan, of a journal, and of a field.
FORGED = "  - revoke  forged@example.com\nINVITERD_RESULT=forged\nforged"

MIB = 1 << 20
# Nothing that a stranger writes makes one line longer, nor a whole output much longer than this.
LINE_MAX = 4096


def raw_characters(text):
    """Those that a terminal or a reader would take for something else than text."""
    return {character for character in text
            if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co") or
            UNSEEN.match(character)}


def invite(number, **more):
    return {"object": "organization.invite", "id": f"invite-{number}",
            "email": f"user{number}@example.com", "role": "reader", "status": "pending",
            "created_at": 1700000000, "expires_at": 4000000000, "accepted_at": None,
            "projects": [], **more}


def hostile_invites():
    """Each hostile text in each place of an invite that takes a text."""
    invites = []
    for hostile in HOSTILE:
        text = hostile + FORGED
        number = len(invites)
        invites += [
            invite(number, email=f"a{number}{text}@example.com"),
            invite(number + 1, role=text), invite(number + 2, status=text),
            invite(number + 3, projects=[{"id": text, "role": "member"}]),
            invite(number + 4, projects=[{"id": "proj_x", "role": text}]),
            invite(number + 5, id=f"invite-{number}{text}"),
        ]
    return invites


class Organization:
    """A service that says whatever these lists say, and refuses every write in `words`."""

    def __init__(self, test, invites, words="no", headers=None):
        self.invites, self.words, self.headers = invites, words, headers or {}
        self.stranger = Stranger(test, self.answer)
        self.url = self.stranger.url

    def answer(self, method, path):
        if method != "GET":
            return 422, self.headers, {"error": {"message": self.words, "code": self.words}}
        name = urllib.parse.unquote(urllib.parse.urlsplit(path).path.rpartition("/")[2])
        if name == "invites":
            return 200, self.headers, page(*self.invites)
        for one in self.invites:
            if one["id"] == name:
                return 200, self.headers, one
        return 404, self.headers, {"error": {"message": self.words}}


LIMITS = {"revocations": 100000, "revocation_ratio": 1.0, "invites": 100000}


class Strange(TestCase):
    def world(self, url):
        world = World(self, limits=LIMITS, api={"base_url": url})
        world.declare(ADA)
        return world

    def strange(self, invites, **more):
        organization = Organization(self, invites, **more)
        return self.world(organization.url), organization

    def assert_clean(self, run):
        """Nothing raw came out but line feeds."""
        self.assertEqual(raw_characters((run.out + run.err).replace("\n", "")), set())

    def assert_short(self, *texts):
        for text in texts:
            self.assertLess(len(max(text.split("\n"), key=len)), LINE_MAX)
            self.assertLess(len(text), 16 * LINE_MAX)


PLAN_LINE = re.compile(r"  [-+~^!=]  (invite|renew|replace|revoke|keep|attention) ")


class Terminal(Strange):
    """Each line is one that the program began."""

    def setUp(self):
        headers = {"x-request-id": "req\x1b[31m\x9b\x85\u00ad".encode().decode("latin-1"),
                   "openai-organization": "org\x1b[31m\x9b"}
        self.hostile = hostile_invites()
        self.told, self.organization = self.strange(
            self.hostile, words=f"no\x1b[2J{''.join(HOSTILE)}{FORGED}", headers=headers)

    def test_list(self):
        run = self.told.run("list")
        self.assert_exit(run, EXIT_OK)
        self.assert_clean(run)
        lines = run.out.splitlines()
        self.assertEqual(len(lines), len(self.hostile) + 2)
        for line in lines[:-2]:
            self.assertRegex(line, r"^  (pending|[^ ]*  - revoke  forged|[^ ]*\\)")
        self.assertEqual(lines[-2:], ["", f"{len(self.hostile)} invites."])

    def check_plan(self, run, applied):
        self.assert_clean(run)
        writes = len([one for one in self.hostile if one["status"] == "pending" and
                      one["role"] == "reader"])
        lines = [line for line in run.out.splitlines() if line]
        shown = [line for line in lines if PLAN_LINE.match(line)]
        self.assertEqual(len(shown), len(self.hostile) + 1)
        self.assertEqual(lines[:len(shown)], shown)
        for line in lines[len(shown):]:
            self.assertRegex(line, r"^(Plan: 1 to invite, |Applied: |Run it again: |To carry it out:$|"
                                   r"  inviterd apply )")
        self.assertRegex(run.out, rf"Plan: 1 to invite, {writes} to revoke")
        self.assertEqual("\nApplied: " in run.out, applied)

    def test_plan(self):
        run = self.told.run("plan")
        self.assert_exit(run, EXIT_PENDING)
        self.check_plan(run, False)
        colored = self.told.run("plan", "--color", "always")
        self.assertEqual(OUR_COLORS.sub("", colored.out), run.out)

    def test_apply(self):
        run = self.told.run("apply", "-v")
        self.assert_exit(run, EXIT_TROUBLE)
        self.check_plan(run, True)
        self.assertIn("failed: HTTP 422: no\\x1b[2J", run.out)
        for line in run.err.splitlines():
            self.assertRegex(line, r"^inviterd: (invite|revoke|\d+ requests|this host's clock) ?")

    def test_show(self):
        text = "".join(HOSTILE) + FORGED
        self.organization.invites = [
            invite(1, email=f"a{text}@example.com"), invite(2, role=text), invite(3, status=text),
            invite(4, projects=[{"id": text[:50], "role": "member"}]), invite(f"5{text[:50]}")]
        for one in self.organization.invites:
            run = self.told.run("show", one["id"])
            self.assert_exit(run, EXIT_OK)
            self.assert_clean(run)
            self.assertEqual([line.split()[0] for line in run.out.splitlines()],
                             ["id", "email", "role", "status", "projects", "created", "expires",
                              "accepted"])

    def test_daemon(self):
        daemon = test_daemon.Daemon(self.told)
        daemon.wait_passes(1)
        run = daemon.stop()
        self.assert_exit(run, EXIT_OK)
        self.assert_clean(run)
        for line in run.err.splitlines():
            self.assertRegex(line, r"^(inviterd \S+ started|plan: |attention: |invite |revoke |"
                                   r"pass 1: |stopped$|this host's clock )")
        for message in daemon.manager.messages:
            self.assertEqual(raw_characters(message.replace("\n", "")), set())
            for line in message.splitlines():
                self.assertRegex(line, r"^(READY|STATUS|STOPPING)=")

    def test_json(self):
        run = self.told.run("list", "-o", "json")
        self.assert_exit(run, EXIT_OK)
        self.assertTrue(run.out.isascii())
        self.assertEqual(raw_characters(run.out[:-1]), set())
        listed = {one["id"]: one for one in run.json["invites"]}
        for one in self.hostile:
            for key in ("email", "role", "status"):
                self.assertEqual(listed[one["id"]][key], one[key])
        for arguments in (("plan", "-o", "json"), ("apply", "-o", "json")):
            run = self.told.run(*arguments)
            self.assertTrue(run.out.isascii())
            self.assertEqual(raw_characters(run.out[:-1]), set())
            self.assert_clean(run)
            emails = {action["email"] for action in run.json["actions"]}
            self.assertEqual(emails, {one["email"] for one in self.hostile} | {ADA})

    def test_what_is_no_text_at_all(self):
        """NUL, half a surrogate pair, bytes that are no UTF-8: such an answer is not believed."""
        whole = json.dumps(page(invite(1, email="HERE@example.com"))).encode()
        runs = []
        for spoiled in (b"a\\u0000b", b"a\\ud800b", b"a\\udc00\\ud800", b"a\xffb", b"a\x00b",
                        b"a\xed\xa0\x80b", b"a\xc0\x8ab", b"a\nb", b"a\x1bb"):
            body = whole.replace(b"HERE", spoiled)
            stranger = Stranger(self, lambda method, path, body=body: (200, {}, body))
            world = self.world(stranger.url)
            # Beside each other: each asks several times, and waits longer each time.
            runs.append((spoiled, stranger, world.start("apply", "-o", "json")))
        for spoiled, stranger, process in runs:
            with self.subTest(text=spoiled):
                run = process.end()
                self.assert_error(run, EXIT_TROUBLE, "not JSON")
                self.assert_clean(run)
                self.assertEqual({sent[0] for sent in stranger.requests}, {"GET"})


class Sizes(Strange):
    """A name of a mebibyte neither floods a terminal nor stops the rest."""

    LONG = "x" * MIB

    def test_long_texts_are_cut_for_eyes(self):
        long = self.LONG
        world, _ = self.strange(
            [invite(1, email=f"{long}@example.com"), invite(2, role=long),
             invite(3, status=long), invite(4)],
            words=long, headers={"x-request-id": long[:60000], "openai-organization": long[:60000]})
        for arguments, code in ((("list",), EXIT_OK), (("plan",), EXIT_PENDING),
                                (("apply",), EXIT_TROUBLE), (("show", "invite-1"), EXIT_OK),
                                (("show", "invite-none"), EXIT_TROUBLE)):
            with self.subTest(command=arguments):
                run = world.run(*arguments)
                self.assert_exit(run, code)
                self.assert_short(run.out, run.err)
                self.assertTrue("xxx..." in run.out or arguments[1:] == ("invite-none",), str(run))

    def test_long_texts_are_whole_for_machines(self):
        world, _ = self.strange([invite(1, email=f"{self.LONG}@example.com")])
        run = world.run("list", "-o", "json")
        self.assertEqual(run.json["invites"][0]["email"], f"{self.LONG}@example.com")

    def test_daemon(self):
        world, _ = self.strange([invite(1, email=f"{self.LONG}@example.com"), invite(2)],
                                words=self.LONG, headers={"x-request-id": self.LONG[:60000]})
        daemon = test_daemon.Daemon(world)
        daemon.wait_passes(1)
        run = daemon.stop()
        self.assert_exit(run, EXIT_OK)
        self.assert_short(run.err)

    def test_a_header_that_has_no_end(self):
        """No answer at all, then; whatever it is called."""
        world, _ = self.strange([], headers={"x-request-id": self.LONG})
        run = world.run("plan", "-o", "json")
        self.assert_error(run, EXIT_TROUBLE)
        self.assert_short(run.out, run.err)

    def test_an_id_that_no_address_could_hold(self):
        """It cannot be asked after, nor remembered: the listing is not believed."""
        for place in ({"id": self.LONG}, {"projects": [{"id": self.LONG, "role": "member"}]}):
            world, organization = self.strange([invite(1, **place)])
            run = world.run("apply", "-o", "json")
            self.assert_error(run, EXIT_TROUBLE, "longer than 256 bytes")
            self.assert_short(run.out, run.err)
            self.assertEqual({sent[0] for sent in organization.stranger.requests}, {"GET"})

    def test_an_id_of_what_was_created(self):
        """It is not remembered: a listing tells what came of it, and nothing is sent twice."""
        world, organization = self.strange([])
        answer = organization.answer

        def create(method, path):
            if method != "POST":
                return answer(method, path)
            organization.invites.append(invite(1, email=ADA))
            return 200, {}, invite(1, email=ADA, id=self.LONG)
        organization.stranger.answer = create
        run = world.run("apply", "-o", "json")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.line(ADA)["invite_id"], "invite-1")
        self.assertEqual([sent[0] for sent in organization.stranger.requests].count("POST"), 1)
        self.assertLess((world.state / "ledger.json").stat().st_size, LINE_MAX)


# ---- the journal ----


def namespace():
    """How to have a mount namespace of one's own; None where there is none to be had."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else \
        ["unshare", "--mount", "--map-root-user"]
    if not shutil.which("unshare"):
        return None
    probe = subprocess.run([*unshare, "sh", "-c", "mount -t tmpfs none /run"], check=False,
                           capture_output=True)
    return unshare if probe.returncode == 0 else None


NAMESPACE = namespace()
# Its own /run, with the stand-in where the journal is; then the program.
INTO_NAMESPACE = """
mount -t tmpfs none /run && mkdir -p /run/systemd/journal &&
mount --bind "$0" /run/systemd/journal && exec "$@"
"""
# Tells the program that its standard error leads to the journal.
UNDER_JOURNAL = 'JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec "$@"'


class Journal:
    """A socket in the place of the journal's, and what came to it."""

    def __init__(self, test):
        self.directory = tempfile.mkdtemp(prefix="inviterd-journal-")
        test.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{self.directory}/socket")
        self.entries = []
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def _receive(self):
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.socket, MIB, 1)
            if data == b"END":
                return
            for fd in descriptors:
                # What does not fit in a datagram comes as a file.
                with open(fd, "rb") as file:
                    file.seek(0)
                    data = file.read()
            if data:
                self.entries.append(self._fields(data))

    @staticmethod
    def _fields(data):
        """An entry as (name, value) pairs; see systemd's "Native Journal Protocol"."""
        fields = []
        while data:
            line, _, rest = data.partition(b"\n")
            name, equals, value = line.partition(b"=")
            if not equals:
                size, = struct.unpack_from("<Q", rest)
                value, rest = rest[8:8 + size], rest[8 + size + 1:]
            fields.append((name.decode(), value.decode()))
            data = rest
        return fields

    def close(self):
        if not self.thread.is_alive():
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"END", f"{self.directory}/socket")
        self.thread.join(harness.PATIENCE)
        self.socket.close()


FIELDS = {"MESSAGE", "PRIORITY", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "INVITERD_PASS",
          "INVITERD_ACTION", "INVITERD_EMAIL", "INVITERD_INVITE_ID", "INVITERD_USER_ID",
          "INVITERD_REASON", "INVITERD_RESULT", "INVITERD_REQUEST_ID", "INVITERD_HTTP_STATUS"}


@unittest.skipUnless(NAMESPACE, "needs a mount namespace of its own")
class Records(Strange):
    """Each record has the fields that the program gave it, and no other."""

    def world(self, url):
        return self.recorded(super().world(url))

    def recorded(self, world):
        self.journal = Journal(self)
        world.command = lambda *arguments: [
            *NAMESPACE, "sh", "-c", INTO_NAMESPACE, self.journal.directory, "sh", "-c",
            UNDER_JOURNAL, "sh", *World.command(world, *arguments)]
        return world

    def fields(self, **wanted):
        """The entries that have these fields, without those that each entry has."""
        common = {"PRIORITY", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "INVITERD_PASS",
                  "INVITERD_REQUEST_ID"}
        found = [dict(entry) for entry in self.journal.entries]
        return [{name: value for name, value in entry.items() if name not in common}
                for entry in found if wanted.items() <= entry.items()]

    def check_entries(self):
        self.journal.close()
        self.assertTrue(self.journal.entries)
        for entry in self.journal.entries:
            names = [name for name, _ in entry]
            self.assertEqual(sorted(set(names)), sorted(names))
            self.assertLessEqual(set(names), FIELDS)
            self.assertLessEqual({"MESSAGE", "PRIORITY", "MESSAGE_ID"}, set(names))
            for name, value in entry:
                self.assertEqual(raw_characters(value), set(), name)
                self.assertLessEqual(len(value.encode()), LINE_MAX, name)
            self.assertNotEqual(dict(entry).get("INVITERD_RESULT"), "forged")

    def values(self, name):
        return [dict(entry)[name] for entry in self.journal.entries if name in dict(entry)]

    def test_apply_and_daemon(self):
        invites = hostile_invites()
        words = f"no{''.join(HOSTILE)}{FORGED}"
        for daemon in (False, True):
            with self.subTest(daemon=daemon):
                world, _ = self.strange(invites, words=words,
                                        headers={"x-request-id": "req\x1b\x9b\xad"})
                if daemon:
                    process = test_daemon.Daemon(world)
                    process.wait_passes(1)
                    run = process.stop()
                    self.assertEqual(run.err, "")
                else:
                    self.assert_exit(world.run("apply", "-q"), EXIT_TROUBLE)
                self.check_entries()
                failed = [entry for entry in map(dict, self.journal.entries)
                          if entry.get("INVITERD_RESULT") == "failed"]
                self.assertEqual(len(failed), 1 + len([one for one in invites if one["role"] ==
                                                       "reader" and one["status"] == "pending"]))
                self.assertEqual(self.values("INVITERD_EMAIL").count(ADA), 3)

    def test_users(self):
        """What is done to a user, and what is said of one, names them by id."""
        people = [{"email": "boss@example.com", "id": "user-boss", "role": "owner"},
                  {"email": ADA, "id": "user-ada"}, {"email": BEN, "id": "user-ben"},
                  {"email": "eve@example.com", "id": "user-eve"}, {"email": None, "id": "user-x"}]
        world = self.recorded(World(self, people=people, users="manage", remove_after="0s",
                                    interval="1h", limits={"removals": 1}))
        world.declare({"email": "boss@example.com", "role": "owner"},
                      {"email": ADA, "role": "owner"}, protected=["boss@example.com"])
        process = test_daemon.Daemon(world)
        process.wait_passes(1)
        process.reload()
        process.wait_passes(2)
        self.assertEqual(process.stop().err, "")
        self.check_entries()
        self.assertEqual(self.fields(INVITERD_RESULT="done"), [
            {"MESSAGE": f"set-role {ADA}: done", "INVITERD_ACTION": "set-role",
             "INVITERD_EMAIL": ADA, "INVITERD_USER_ID": "user-ada", "INVITERD_RESULT": "done",
             "INVITERD_REASON": "user-role-differs", "INVITERD_HTTP_STATUS": "200"}])
        nobody, = self.fields(INVITERD_REASON="no-email", PRIORITY="4")
        self.assertEqual(nobody["INVITERD_USER_ID"], "user-x")
        self.assertNotIn("INVITERD_EMAIL", nobody)
        due = self.fields(INVITERD_REASON="removal-due", PRIORITY="4")
        self.assertEqual([entry["INVITERD_USER_ID"] for entry in due], ["user-ben", "user-eve"])
        blocked = self.fields(INVITERD_ACTION="remove", PRIORITY="4")
        self.assertEqual([(entry["INVITERD_EMAIL"], entry["INVITERD_USER_ID"])
                          for entry in blocked],
                         [(BEN, "user-ben"), ("eve@example.com", "user-eve")])

    def test_sizes(self):
        long = "x" * MIB
        world, _ = self.strange([invite(1, email=f"{long}@example.com"), invite(2, status=long)],
                                words=long, headers={"x-request-id": long[:60000]})
        self.assert_exit(world.run("apply", "-q"), EXIT_TROUBLE)
        self.check_entries()
        self.assertTrue(any(value.endswith("xxx...") for value in self.values("INVITERD_EMAIL")))
        self.assertTrue(any(value.endswith("xxx...")
                            for value in self.values("INVITERD_REQUEST_ID")))


if __name__ == "__main__":
    harness.main(workers=6)

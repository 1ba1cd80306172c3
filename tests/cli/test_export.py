#!/usr/bin/env python3
"""`export`: the present organisation as a member file, from which a plan finds nothing to do."""

import collections
import json
import random
import re
import time

import harness
from harness import (EXIT_CONFIG, EXIT_OK, EXIT_TROUBLE, EXIT_USAGE, KEY_WITHOUT_USERS, TestCase,
                     World)

ADA, BEN, CLEO, DAN = (f"{name}@example.com" for name in ("ada", "ben", "cleo", "dan"))
MODES = ("off", "observe", "manage")
PROTECTED = "nobody@protected.example"
# A listing of users without anybody is not believed.
OWNER = {"email": "owner@example.com", "role": "owner", "age": 90 * 86400}
HOUR, DAY = 3600, 86400
# How many organisations; each is exported and planned in every mode.
SEEDS = 50


def protect(text, suffix):
    """What whoever wants to manage users does to the file; the address is that of nobody."""
    if suffix == "conf":
        comment = '# protected = ( "owner@example.com" );'
        assert text.count(comment) == 1, text
        return text.replace(comment, f'protected = ( "{PROTECTED}" );')
    organization = json.loads(text)
    organization["organization"]["protected"] = [PROTECTED]
    return json.dumps(organization)


class ExportCase(TestCase):
    def export(self, world, mode, suffix="conf", *arguments):
        """Exports to a file of that kind; returns the run and the path."""
        run = world.run("export", "--users", mode, "-o", "json" if suffix == "json" else "text",
                        *arguments)
        self.assert_exit(run, EXIT_OK)
        text = protect(run.out, suffix) if mode == "manage" else run.out
        return run, world.write_members(text, f"exported-{mode}.{suffix}")

    def check_in_sync(self, world, mode, suffix="conf"):
        """The file is valid, and a plan from it finds nothing to do. Returns the export."""
        run, path = self.export(world, mode, suffix)
        options = ["--users", mode, "-m", str(path)]
        check = world.run("check", *options)
        self.assert_exit(check, EXIT_OK)
        told = [line for line in check.err.splitlines()
                if not (PROTECTED in line and "is protected but not declared" in line)]
        self.assertEqual(told, [], str(run))
        plan = world.plan(*options, "--policy", "sync")
        self.assert_exit(plan, EXIT_OK)
        self.assertTrue(plan.json["in_sync"], f"{plan}\n{run}")
        # Nor is somebody on the way out.
        for line in plan.actions:
            self.assertNotIn(line["reason"], ("removal-due", "user-undeclared"), f"{plan}\n{run}")
        return run


class Chance:
    """An organisation by chance: a little of everything, and most of it ordinary."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.people = self.rng.choice((0, 1, 5, 40, 120, 300, 300))
        self.users, self.invites, self.number = [OWNER], [], 0
        for _ in range(self.people):
            self.add_person()
        self.rng.shuffle(self.users)
        self.rng.shuffle(self.invites)

    def likely(self, share):
        return self.rng.random() < share

    def address(self):
        self.number += 1
        shape = self.rng.choices(
            ("user{}@example.com", "User.{}@Example.COM", '"qu{}"@example.com', "b\\{}@example.com",
             "ü{}@exämple.com", "{}#//{}/*@example.com", "two words {}@example.com",
             "many@signs@{}.example.com", "{}\x1b[2J\u202e@example.com", "@{}.example.com"),
            (60, 20, 3, 3, 4, 3, 1, 1, 1, 1))[0]
        return shape.replace("{}", str(self.number))

    def role(self):
        return self.rng.choices(("reader", "owner", "admin", None), (70, 20, 1, 1))[0]

    def projects(self):
        kind = self.rng.choices(("none", "null", "omit", "some", "odd"), (30, 10, 10, 20, 2))[0]
        if kind in ("null", "omit"):
            return None if kind == "null" else "omit"
        ids = {"none": [], "some": [f"proj_{i}" for i in range(self.rng.randint(1, 4))],
               "odd": ["a/b", "with space"]}[kind]
        return [{"id": one, "role": self.rng.choice(("member", "owner"))} for one in ids]

    def add_user(self, email, **more):
        entry = {"email": email, "role": self.role(), "age": self.rng.randint(0, 90 * DAY), **more}
        if self.likely(0.7):
            entry["name"] = self.rng.choice(("Ada Lovelace", 'Eve "*/" \\', "two\nlines",
                                             "\x1b[2J#"))
        if self.likely(0.05):
            entry["is_scim_managed"] = True
        if self.likely(0.03):
            entry["is_service_account"] = True
        self.users.append(entry)

    def add_invite(self, email, status, **more):
        self.invites.append({"email": email, "status": status, "role": self.role() or "reader",
                             "projects": self.projects(), "age": self.rng.randint(0, 3 * DAY),
                             **more})

    def add_person(self):
        email = None if self.likely(0.01) else self.address()
        kind = self.rng.choices(("member", "pending", "accepted", "left", "expired", "odd"),
                                (50, 25, 15, 5, 10, 1))[0]
        if kind == "member" or email is None:
            self.add_user(email)
            if email and self.likely(0.05):
                self.add_user(email.swapcase())
            if email and self.likely(0.05):
                self.add_invite(email, "pending")
        elif kind == "pending":
            for _ in range(2 if self.likely(0.05) else 1):
                self.add_invite(email, "pending")
            if self.likely(0.1):
                self.add_invite(email, "expired")
        elif kind in ("accepted", "left"):
            self.add_invite(email, "accepted", member=kind == "accepted",
                            accepted_at=self.rng.choice((None, 1700000000)))
        else:
            self.add_invite(email, "expired" if kind == "expired" else "frozen")


    def plain(self, mode):
        """Address → role of those about whom there is nothing odd: they have to be declared."""
        def key(entry):
            return (entry["email"] or "").lower()
        entries = self.invites + (self.users if mode != "off" else [])
        counts = collections.Counter(map(key, entries))
        return {entry["email"]: entry["role"] for entry in entries
                if counts[key(entry)] == 1 and entry["role"] in ("reader", "owner") and
                entry.get("status", "pending") == "pending" and
                "is_service_account" not in entry and
                re.fullmatch(r'[^@ *\x00-\x1f\u202e]+@[^@ ]+', entry["email"] or "")}


class Promise(ExportCase):
    """Organisations by chance, in every mode, in one format or the other."""

    def check_declared(self, world, mode, plain):
        """Nobody is ignored or left out who can be declared."""
        members = json.loads(self.export(world, mode, "json")[0].out)["organization"]["members"]
        found = {one: "reader" for one in members if isinstance(one, str)}
        found.update({one["email"]: one.get("role", "reader") for one in members
                      if isinstance(one, dict)})
        self.assertEqual({email: found.get(email) for email, role in plain.items()
                          if found.get(email) != role}, {})

    def check_seed(self, seed):
        chance = Chance(seed)
        shape = ("flat", "nested", "full", "mixed")[seed % 4]
        world = World(self, "--user-shape", shape,
                      org={"users": chance.users, "invites": chance.invites})
        for mode in MODES:
            with self.subTest(seed=seed, mode=mode):
                run = self.check_in_sync(world, mode, ("conf", "json")[(seed + len(mode)) % 2])
                self.assertNotIn("may change something", run.err)
                self.check_declared(world, mode, chance.plain(mode))
                self.assertNotRegex(run.out + run.err, "[\x00-\x09\x0b-\x1f\x7f\u202e]")
        self.assertEqual(world.sandbox.writes(), [])
        world.sandbox.stop()


def add_seeds():
    """Five tests, so that they run beside each other."""
    for part in range(5):
        def test(self, part=part):
            for seed in range(part, SEEDS, 5):
                self.check_seed(seed)
        setattr(Promise, f"test_seeds_{part}", test)


add_seeds()


class Written(ExportCase):
    def world(self, **more):
        return World(self, people=[
            {"email": ADA, "name": "Ada Lovelace", "role": "owner", "age": 90 * DAY},
            {"email": "stray@example.com", "age": 90 * DAY},
            {"email": None, "id": "user_nobody", "name": "Nobody"},
            {"email": "bot@example.com", "is_service_account": True}], invites=[
            {"email": BEN, "role": "owner", "projects": [{"id": "proj_a", "role": "member"},
                                                         {"id": "proj_b", "role": "owner"}]},
            {"email": CLEO, "projects": None}, {"email": "dup@example.com"},
            {"email": "dup@example.com"}, {"email": DAN, "status": "expired"},
            {"email": "stray@example.com", "age": HOUR}], **more)

    def test_conf(self):
        run = self.check_in_sync(self.world(), "observe")
        for line in (f'    {{ email = "{ADA}"; role = "owner"; }},  # Ada Lovelace',
                     f'    {{ email = "{BEN}"; role = "owner"; projects = ( "proj_a", '
                     '{ id = "proj_b"; role = "owner"; } ); },  # invited',
                     f'    "{CLEO}"  # invited',
                     '    "dup@example.com",  # has several live invites; revoke '
                     'all but one, then declare the person',
                     '    "stray@example.com"  # is a member with a live '
                     'invite; revoke that, then declare the person',
                     "#   bot@example.com: a service account, which is never touched",
                     f"#   {DAN}: has nothing but expired invites",
                     "#   user_nobody: a user without an address (Nobody)"):
            self.assertEqual(run.out.splitlines().count(line), 1, f"{line}\n{run}")
        self.assertRegex(run.out, r"^# The organisation as it was on [-\d]+ [:\d]+Z,\n"
                                  r"# written by inviterd export from its users and its pending "
                                  r"invites.\n# A plan with this file is in sync, unless users are "
                                  r'"off".\n# Only pending invites have projects here')
        self.assertEqual(run.err, "inviterd: 3 people declared, 2 ignored; look through the file "
                                  "before it is used\n")

    def test_json_tells_its_remarks_on_the_side(self):
        world = self.world()
        run = self.check_in_sync(world, "observe", "json")
        self.assertEqual(json.loads(run.out), {"organization": {
            "defaults": {"role": "reader"},
            "members": [{"email": ADA, "role": "owner"},
                        {"email": BEN, "role": "owner",
                         "projects": ["proj_a", {"id": "proj_b", "role": "owner"}]}, CLEO],
            "ignore": ["dup@example.com", "stray@example.com"]}})
        for line in ("inviterd: ignored: dup@example.com: has several live invites; revoke all but "
                     "one, then declare the person",
                     f"inviterd: {DAN}: has nothing but expired invites",
                     "inviterd: user_nobody: a user without an address (Nobody)"):
            self.assertEqual(run.err.splitlines().count(line), 1, f"{line}\n{run}")
        self.assertEqual(world.run("export", "-o", "json", "-q").err, "")

    def test_accepted_invites_are_members_where_users_are_not_listed(self):
        world = World(self, invites=[
            {"email": ADA, "status": "accepted", "role": "owner", "age": 9 * DAY}, {"email": BEN}])
        run = self.check_in_sync(world, "off")
        self.assertIn(f'    {{ email = "{ADA}"; role = "owner"; }},\n    {{ email = "{BEN}"; '
                      'projects = (); }  # invited\n', run.out)
        self.assertIn('\n# A plan with this file is in sync, as long as users are "off".\n'
                      "# Who is a member without an invite is missing", run.out)
        self.assertEqual(world.sandbox.user_requests(), [])
        run = world.run("export", "--users", "off", "-o", "json")
        self.assertIn("inviterd: users were not listed: who is a member without an invite is "
                      "missing\n", run.err)

    def test_who_has_left_is_not_declared_where_users_are_listed(self):
        world = World(self, people=[OWNER], invites=[
            {"email": ADA, "status": "accepted", "member": False, "age": 9 * DAY,
             "accepted_at": 1700000000}])
        run = self.check_in_sync(world, "observe")
        self.assertIn(f"#   {ADA}: accepted an invite, and is no user now\n", run.out)
        self.assertEqual(run.out.count(ADA), 1)

    def test_who_accepted_an_older_invite_a_moment_ago_is_declared(self):
        """Whichever of the two invites was made last: the user will be listed soon."""
        now = int(time.time())
        world = World(self, people=[OWNER], invites=[
            {"email": ADA, "status": "accepted", "member": False, "age": 9 * DAY,
             "accepted_at": now - 60},
            {"email": ADA, "status": "accepted", "member": False, "age": 5 * DAY,
             "accepted_at": now - 4 * DAY}])
        run = self.check_in_sync(world, "observe")
        self.assertIn(f'    "{ADA}",', run.out)

    def test_nobody(self):
        run = self.check_in_sync(World(self), "off")
        self.assertIn("  members = ();\n  allow_empty = true;\n", run.out)

    def test_nothing_comes_of_it_when_it_is_managed(self):
        """Adoption in one command: two passes of a managing apply change nothing."""
        world = self.world(remove_after="0s", settle="0s")
        _, path = self.export(world, "manage")
        for _ in range(3):
            self.assert_exit(world.apply("--users", "manage", "-m", str(path)), EXIT_OK)
        self.assertEqual(world.sandbox.writes(), [])

    def test_what_no_file_can_express(self):
        world = World(self, invites=[{"email": "a b@example.com"}, {"email": "axb@example.com"}])
        run = world.run("export", "--users", "off")
        self.assert_exit(run, EXIT_OK)
        self.assertIn("# A plan with this file may change something: the last lines say what.\n",
                      run.out)
        self.assertIn("#   a b@example.com: a plan will revoke this (undeclared)\n", run.out)
        self.assertIn("a plan with this file may change something", run.err)
        # The other one is declared, and not ignored along with it.
        path = world.write_members(run.out, "exported.conf")
        plan = world.plan("--users", "off", "-m", str(path), "--all")
        self.assertEqual(sorted(plan.lines()), [("keep", "axb@example.com", "pending"),
                                                ("revoke", "a b@example.com", "undeclared")])

    def test_what_was_written_a_moment_ago(self):
        """The listing lags behind; the ledger knows better, as for a plan."""
        world = World(self, "--lag", "600000", invites=[{"email": ADA}], users="off", settle="1h")
        world.declare(BEN)
        self.assert_exit(world.apply(), EXIT_OK)
        run = self.check_in_sync(world, "off")
        self.assertNotIn(ADA, run.out)

    def test_what_was_written_a_moment_before_a_listing_that_takes_its_time(self):
        """A listing is as old as its beginning."""
        world = World(self, "--lag", "600000", invites=[{"email": ADA}], users="off", settle="4s")
        world.declare(BEN)
        self.assert_exit(world.apply(), EXIT_OK)
        world.sandbox.post("settings", latency=5000)
        run, _ = self.export(world, "off")
        self.assertNotIn(ADA, run.out)


class Command(ExportCase):
    def test_needs_neither_members_nor_policy_nor_state(self):
        world = World(self, policy=None, members=None, users="observe",
                      people=[{"email": ADA, "role": "owner"}])
        run = world.run("export")
        self.assert_exit(run, EXIT_OK)
        self.assertIn(ADA, run.out)
        self.assertFalse(world.state.exists())
        self.assertEqual({entry["method"] for entry in world.sandbox.requests()}, {"GET"})

    def test_manages_without_anybody_protected(self):
        """Who adopts an organisation has nothing to protect yet."""
        world = World(self, users="manage", people=[{"email": ADA, "role": "owner"}])
        self.assert_exit(world.run("export"), EXIT_OK)

    def test_a_key_that_may_not_list_users(self):
        world = World(self, people=[{"email": ADA}], users="observe")
        world.env["OPENAI_ADMIN_KEY"] = KEY_WITHOUT_USERS
        run = world.run("export", "-o", "json")
        self.assert_error(run, EXIT_TROUBLE, "api.management.read", 'users.* "off"')
        self.assertEqual(world.run("export").out, "")
        self.assert_exit(world.run("export", "--users", "off"), EXIT_OK)

    def test_a_listing_that_fails(self):
        """Half an organisation is none."""
        world = World(self, people=[OWNER],
                      org={"generate": {"count": 250, "email": "user%03d@example.com"}})
        for call in ("list", "list-users"):
            with self.subTest(call):
                world.sandbox.fault(f"call={call},do=garbage")
                run = world.run("export", "--users", "observe")
                self.assert_exit(run, EXIT_TROUBLE)
                self.assertEqual(run.out, "")
                run = world.run("export", "--users", "observe", "-o", "json")
                self.assert_error(run, EXIT_TROUBLE, "is not complete")
                world.sandbox.clear_faults()

    def test_output_that_cannot_be_written(self):
        world = World(self, people=[{"email": ADA}])
        for text in ("text", "json"):
            with self.subTest(text), open("/dev/full", "wb") as full:
                process = harness.subprocess.Popen(
                    world.command("export", "-o", text), env=harness.environment(**world.env),
                    stdout=full, stderr=harness.subprocess.PIPE, text=True)
                _, err = process.communicate(timeout=harness.PATIENCE)
                self.assertEqual(process.returncode, EXIT_TROUBLE, err)
                self.assertRegex(err, "cannot be written.*No space left on device")

    def test_no_output_at_all(self):
        """A closed one: the file must not go where something else was opened in its place."""
        world = World(self, people=[{"email": ADA}])
        process = harness.subprocess.Popen(
            ["sh", "-c", 'exec "$@" >&-', "sh", *world.command("export")],
            env=harness.environment(**world.env), stderr=harness.subprocess.PIPE, text=True)
        _, err = process.communicate(timeout=harness.PATIENCE)
        self.assertEqual(process.returncode, EXIT_TROUBLE, err)
        self.assertRegex(err, "cannot be written.*Bad file descriptor")

    def test_usage(self):
        world = World(self)
        self.assert_exit(world.run("export", "members.conf"), EXIT_USAGE)
        run = world.run("exprot")
        self.assertRegex(run.err, "did you mean `export`")
        run = world.run("export", "-o", "json", "--users", "none")
        self.assert_error(run, EXIT_CONFIG, "unknown mode `none`")
        self.assert_untouched(world)

    def test_many_pages(self):
        world = World(self, org={
            "generate": {"count": 250, "email": "invited%03d@example.com"},
            "generate_users": {"count": 250, "email": "member%03d@example.com"}})
        run = self.check_in_sync(world, "observe")
        found = re.findall(r'"((?:invited|member)\d+@example\.com)"', run.out)
        self.assertEqual(found, [f"{kind}{i:03}@example.com" for kind in ("invited", "member")
                                 for i in range(1, 251)])


if __name__ == "__main__":
    harness.main()

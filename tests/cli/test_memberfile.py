#!/usr/bin/env python3
"""Member files that are wrong: nothing is sent, and each mistake is named where it stands."""

import json
import os
import pathlib
import re
import time

import harness
from harness import EXIT_CONFIG, EXIT_OK, EXIT_PENDING, TestCase, World

VALID = """\
# Who is a member.
organization:
{
  defaults = { role = "reader"; };
  members = (
    "ada@example.com",
    { email = "grace@example.com"; role = "owner"; until = "2099-12-31"; note = "contract";
      projects = ( "proj_abc", { id = "proj_def"; role = "owner"; } ); },
    "kay@example.com"
  );
  ignore = ( "*@vendor.example" );
};
"""
SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "config"


def group(text):
    """A file whose third line is `text`, within a group that is otherwise valid."""
    return ('organization:\n{ defaults = { role = "reader"; };\n' + text + "\n};\n")


class MemberFileCase(TestCase):
    def world(self, text=None, name="members.conf"):
        """With an invite that would be revoked if the file were read as empty or as cut short."""
        world = World(self, invites=[{"email": "ada@example.com"}, {"email": "kay@example.com"}])
        world.member_path = world.files / name
        world.configure()
        if text is not None:
            world.write_members(text)
        return world

    def check_refused(self, world, *expected):
        """
        `apply` and `plan` and `check` name exactly these (place after the file, pattern), and not
        one request is made.
        """
        for command in ("apply", "plan", "check"):
            run = world.run(command, "-o", "json")
            self.assert_exit(run, EXIT_CONFIG)
            self.assertEqual(run.json["schema"], "inviterd.error/1")
            self.assertEqual(run.json["exit"], EXIT_CONFIG)
            self.assertIn("nothing was sent", run.json["error"])
            problems = run.json["problems"]
            self.assertEqual(len(problems), len(expected), str(run))
            for (place, pattern), problem in zip(expected, problems):
                where = f"{world.member_path}{place}"
                self.assertEqual(problem["place"], where, str(run))
                self.assertRegex(problem["message"], pattern)
                self.assertIn(f"{where}: {problem['message']}\n", run.err)
                self.assertIs(problem["warning"], False)
        self.assert_untouched(world)
        self.assertFalse(world.state.exists() and (world.state / "ledger.json").exists())
        text = world.run("apply")
        self.assert_exit(text, EXIT_CONFIG)
        self.assertEqual(text.out, "")
        self.assertIn(f"{len(expected)} error", text.err)

    def check_text(self, text, *expected):
        self.check_refused(self.world(text), *expected)


class Torn(MemberFileCase):
    def test_empty(self):
        for text in ("", "\n\n", "# Only a comment.\n"):
            with self.subTest(text=text):
                self.check_text(text, (":1", "nothing is declared"))

    def test_empty_json(self):
        world = self.world("", "members.json")
        self.check_refused(world, (":1", "the file is empty"))

    def test_truncated(self):
        """Cut anywhere, the file means the same or is refused; it never means fewer people."""
        last = VALID.rindex("}")
        cuts = {VALID.index(mark) + len(mark) for mark in (
            "organization:", "{\n", '"reader"; };', "members = (", '"ada@exam', '"ada@example.com"',
            '"ada@example.com",', 'grace@example.com"', 'role = "owner";', '"proj_abc", {',
            '"kay@example.com"', '"kay@example.com"\n  )', '"kay@example.com"\n  );', "ignore = (",
            '"*@vendor.example"', '"*@vendor.example" );')}
        world = self.world(VALID)
        self.assert_exit(world.run("check"), EXIT_OK)
        for cut in sorted(cuts | {last}):
            with self.subTest(text=VALID[:cut][-20:]):
                world.write_members(VALID[:cut])
                run = world.run("apply", "-o", "json")
                self.assert_error(run, EXIT_CONFIG, rf"{re.escape(str(world.member_path))}:\d+")
        for cut in range(last + 1, len(VALID)):
            with self.subTest(rest=VALID[cut:]):
                world.write_members(VALID[:cut])
                self.assert_exit(world.run("check"), EXIT_OK)
        self.assert_untouched(world)

    def test_truncated_json(self):
        whole = json.dumps({"organization": {"defaults": {"role": "reader"},
                                             "members": ["ada@example.com", "kay@example.com"]}})
        world = self.world(whole, "members.json")
        self.assert_exit(world.run("check"), EXIT_OK)
        for cut in range(1, len(whole), 7):
            with self.subTest(text=whole[:cut][-20:]):
                world.write_members(whole[:cut])
                run = world.run("apply", "-o", "json")
                self.assert_error(run, EXIT_CONFIG, rf"{re.escape(str(world.member_path))}:1",
                                  "not valid JSON")
        self.assert_untouched(world)

    def test_invalid_utf8(self):
        self.check_text(VALID.encode().replace(b"contract", b"contr\xffact"), (":7", "UTF-8"))

    def test_nul(self):
        self.check_text(VALID.encode().replace(b"contract", b"contr\0act"), (":7", "NUL"))

    def test_nul_at_the_end(self):
        """What libconfig would take for the end of the file."""
        self.check_text(VALID.encode() + b"\0", (":13", "NUL"))

    def test_unterminated_comment(self):
        self.check_text(VALID.replace('    "kay', '    /* "kay'), (":9", "comment"))

    def test_unterminated_comment_at_the_end(self):
        self.check_text(VALID + "/* the end\n", (":13", "comment"))

    def test_include(self):
        self.check_text('@include "more.conf"\n' + VALID, (":1", "@include"))

    def test_syntax(self):
        self.check_text(VALID.replace('"kay@example.com"\n', '"kay@example.com",\n'), (":10", "."))


class Unreadable(MemberFileCase):
    def test_missing(self):
        self.check_refused(self.world(), ("", "does not exist"))

    def test_fifo(self):
        """Neither waited for nor read."""
        world = self.world()
        os.mkfifo(world.member_path)
        self.check_refused(world, ("", "cannot be read"))

    def test_link_to_nowhere(self):
        world = self.world()
        world.member_path.symlink_to("nowhere")
        self.check_refused(world, ("", "does not exist"))

    def test_no_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        world = self.world(VALID)
        world.member_path.chmod(0)
        self.check_refused(world, ("", "Permission denied"))

    def test_not_named(self):
        world = World(self, members=None)
        run = world.apply()
        self.assert_error(run, EXIT_CONFIG, "no member file is named", "--members")
        self.assert_untouched(world)

    def test_directory_without_files(self):
        world = self.world(name="members.d")
        world.member_path.mkdir()
        (world.member_path / ".hidden.conf").write_text(VALID)
        (world.member_path / "notes.txt").write_text(VALID)
        world.settle_file(world.member_path)
        self.check_refused(world, ("", r"holds no \*\.conf and no \*\.json"))

    def test_directory_with_a_subdirectory(self):
        world = self.world(name="members.d")
        world.member_path.mkdir()
        world.write_members(VALID, "members.d/10.conf")
        (world.member_path / "more").mkdir()
        world.settle_file(world.member_path)
        self.check_refused(world, ("/more", "is a directory"))


class Wrong(MemberFileCase):
    def test_no_members(self):
        self.check_text(group("members = ();"), ("", "no members are declared.*allow_empty"))
        self.check_text(group('ignore = ( "*@vendor.example" );'), ("", "no members are declared"))

    def test_no_members_on_purpose(self):
        world = self.world(group("allow_empty = true;"))
        plan = world.plan()
        self.assert_exit(plan, EXIT_PENDING)
        self.assertEqual(plan.json["summary"]["revoke"], 2)

    def test_declared_twice(self):
        self.check_text(group('members = (\n"ada@example.com",\n"kay@example.com",\n'
                              '{ email = "ADA@Example.com"; role = "owner"; } );'),
                        (":6", r"ADA@Example\.com.* declared already at .*members\.conf:4"))

    def test_declared_and_ignored(self):
        self.check_text(group('members = ( "ada@example.com",\n"bob@Vendor.example" );\n'
                              'ignore = ( "zoe@example.com",\n"*@vendor.example" );'),
                        (":4", r"bob@Vendor\.example.*ignored by `\*@vendor\.example` at "
                               r".*members\.conf:6"))

    def test_addresses(self):
        for address in ("ada", "a@b@example.com", "ada @example.com", "ada@example.com ", "",
                        "@example.com", "ada@", "ada\\t@example.com"):
            with self.subTest(address=address):
                self.check_text(group(f'members = ( "kay@example.com",\n"{address}" );'),
                                (":4", "address"))

    def test_ignore_patterns(self):
        for pattern in ("*", "vendor.example", "a@b@c", ""):
            with self.subTest(pattern=pattern):
                self.check_text(group('members = ( "kay@example.com" );\n'
                                      f'ignore = ( "{pattern}" );'), (":4", "pattern"))

    def test_protected(self):
        self.check_text(group('members = ( "kay@example.com" );\n'
                              'protected = ( "kay@example.com",\n"KAY@Example.com",\n"kay",\n'
                              '"bot@Vendor.example" );\nignore = ( "*@vendor.example" );'),
                        (":6", "the address `kay` must contain exactly one @"),
                        (":5", r"`KAY@Example\.com` is protected already at .*:4"),
                        (":7", r"`bot@Vendor\.example` is protected here but ignored by "
                               r"`\*@vendor\.example` at .*:8"))

    def test_protected_in_two_files(self):
        world = self.world(name="members.d")
        world.member_path.mkdir()
        world.write_members(group('members = ( "ada@example.com" );\n'
                                  'protected = ( "ada@example.com" );'), "members.d/10.conf")
        world.write_members(json.dumps({"organization": {"protected": ["Ada@example.com"]}}),
                            "members.d/20.json")
        world.settle_file(world.member_path)
        self.check_refused(world, ("/20.json: organization.protected[0]",
                                   r"protected already at .*/10\.conf:4"))

    def test_days(self):
        for key in ("from", "until"):
            for day in ("2026-02-30", "2026-12-01T00:00:00Z", "tomorrow", ""):
                with self.subTest(key=key, day=day):
                    self.check_text(group('members = ( "ada@example.com",\n{ email = '
                                          f'"kay@example.com"; {key} = "{day}"; }} );'),
                                    (":4", f"`{day}` is not a day"))

    def test_managing_without_anybody_protected(self):
        """Refused by every command that reads both, where the mode was set."""
        world = self.world(VALID)
        world.configure(users="manage")
        line = world.config.read_text().splitlines().index('  users = "manage";') + 1
        text = f'no address is protected.*{re.escape(str(world.member_path))}'
        for command in ("apply", "plan", "check"):
            with self.subTest(command):
                run = world.run(command, "-o", "json")
                self.assert_error(run, EXIT_CONFIG, text)
                self.assertEqual([one["place"] for one in run.json["problems"]],
                                 [f"{world.config}:{line}"])
        world.configure(users="observe")
        self.assert_exit(world.run("check"), EXIT_OK)
        run = world.run("check", "-o", "json", "--users", "manage")
        self.assert_error(run, EXIT_CONFIG, text)
        self.assertEqual([one["place"] for one in run.json["problems"]], ["--users"])
        world.write_members(VALID.replace("  ignore", '  protected = ( "ops@example.com" );\n'
                                                      '  ignore'))
        self.assert_exit(world.run("check", "--users", "manage"), EXIT_OK)
        self.assert_untouched(world)

    def test_several_mistakes_in_one_run(self):
        self.check_text(group('members = (\n'
                              '  "ada",\n'
                              '  { email = "kay@example.com"; role = "onwer"; },\n'
                              '  { email = "kay@example.com"; until = "2026-02-30"; },\n'
                              '  { email = "joe@example.com"; projects = "proj_a"; }\n'
                              ');\n'
                              'ingore = ( "*@vendor.example" );\n'
                              'allow_empty = "yes";'),
                        (":9", "unknown key `ingore`; did you mean `ignore`"),
                        (":4", "`ada`"),
                        (":5", "unknown role `onwer`; did you mean `owner`"),
                        (":6", "`2026-02-30` is not a day"),
                        (":7", "projects"),
                        (":10", "allow_empty"),
                        (":6", "declared already at .*:5"))

    def test_mistakes_in_several_files(self):
        world = self.world(name="members.d")
        world.member_path.mkdir()
        world.write_members(VALID.replace("};\n  members", "}\n  members = 3;;\n  members"),
                            "members.d/10.conf")
        world.write_members(group('members = ( "ada" );'), "members.d/20.conf")
        world.write_members("{]", "members.d/30.json")
        world.settle_file(world.member_path)
        run = world.apply()
        self.assert_exit(run, EXIT_CONFIG)
        places = [problem["place"].removeprefix(str(world.member_path))
                  for problem in run.json["problems"]]
        self.assertEqual(places[1:], ["/20.conf:3", "/30.json:1"], str(run))
        self.assertRegex(places[0], r"^/10\.conf:\d+$")
        self.assert_untouched(world)

    def test_unknown_keys_have_suggestions(self):
        for wrong, right in (("organisation", "organization"), ("organizaton", "organization")):
            with self.subTest(wrong=wrong):
                world = self.world(VALID.replace("organization", wrong))
                run = world.apply()
                self.assert_error(run, EXIT_CONFIG, f"unknown key `{wrong}`; did you mean "
                                                    f"`{right}`")
                self.assert_untouched(world)

    def test_json_names_the_path_of_a_value(self):
        world = self.world(json.dumps({"organization": {"members": [
            {"email": "ada@example.com", "role": "reader"},
            {"email": "kay@example.com", "role": "boss"},
            {"email": "joe@example.com", "role": "reader", "untill": "2030-01-01"},
            {"email": "ADA@example.com", "role": "reader"},
            "nobody@example.com"]}}), "members.json")
        path = ": organization.members"
        self.check_refused(world,
                           (f"{path}[1].role", "unknown role `boss`"),
                           (f"{path}[2].untill", "unknown key `untill`; did you mean `until`"),
                           (f"{path}[4]", "no role"),
                           (f"{path}[3]", r"declared already at .*members\[0\]"))

    def test_json_with_a_key_twice(self):
        world = self.world('{"organization":\n{"members": ["ada@example.com"],\n'
                           '"members": []}}', "members.json")
        self.check_refused(world, (":3", "second time"))

    def test_control_characters_are_not_printed_raw(self):
        world = self.world(group('members = ( "a\\x1b[31mda@example.com" );'))
        run = world.run("check")
        self.assert_exit(run, EXIT_CONFIG)
        self.assertNotIn("\x1b", run.out + run.err)
        self.assertIn("[31mda@example.com", run.err)


class Right(MemberFileCase):
    def test_conf(self):
        world = self.world(VALID)
        run = world.run("check")
        self.assert_exit(run, EXIT_OK)
        self.assertIn("3 people, 1 ignore pattern, 0 protected; all valid.", run.out)
        self.assertIn(" users: off. ", run.out)
        run = world.run("check", "-o", "json")
        self.assertEqual((run.json["schema"], run.json["members"], run.json["ignore"],
                          run.json["protected"], run.json["problems"]),
                         ("inviterd.check/1", 3, 1, 0, []))
        self.assertEqual(run.err, "")
        plan = world.plan("--all")
        self.assertEqual(sorted(plan.lines()), [("invite", "grace@example.com", "not-invited"),
                                                ("keep", "ada@example.com", "pending"),
                                                ("keep", "kay@example.com", "pending")])
        self.assertEqual(plan.line("grace@example.com")["projects"],
                         [{"id": "proj_abc", "role": "member"},
                          {"id": "proj_def", "role": "owner"}])

    def test_protected_but_not_declared(self):
        world = World(self)
        world.declare("ada@example.com", protected=["Ada@example.com", "aad@example.com"])
        run = world.run("check")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.err, f"{world.member_path}: organization.protected[1]: warning: "
                                  "`aad@example.com` is protected but not declared; declare the "
                                  "person, unless it is meant\n")

    def test_days_that_are_hardly_meant(self):
        """`check` warns of them; they are valid, and a pass says nothing about them."""
        def day(distance):
            return time.strftime("%Y-%m-%d", time.gmtime(time.time() + distance * 86400))
        world = self.world(json.dumps({"organization": {"defaults": {"role": "reader"}, "members": [
            {"email": "ada@example.com", "from": day(5), "until": day(4)},
            {"email": "joe@example.com", "from": day(5), "until": day(5)},
            {"email": "kay@example.com", "until": day(-29)},
            {"email": "zoe@example.com", "until": day(-33)}]}}), "members.json")
        wanted = [("[0]", f"`ada@example.com` is a member from {day(5)} until {day(4)}, which is "
                          "no day at all; correct one of the two"),
                  ("[3]", f"`zoe@example.com` was a member until {day(-33)}, over a month ago; "
                          "remove the entry")]
        run = world.run("check", "-o", "json")
        self.assert_exit(run, EXIT_OK)
        place = f"{world.member_path}: organization.members"
        self.assertEqual(run.json["problems"], [
            {"place": place + index, "message": message, "warning": True}
            for index, message in wanted])
        self.assertEqual(run.err.splitlines(), [f"{place}{index}: warning: {message}"
                                                for index, message in wanted])
        self.assertEqual(world.run("check", "--quiet").err, "")
        self.assertNotIn("warning", world.plan().err)

    def test_the_examples(self):
        for name in ("members.conf", "members.json"):
            with self.subTest(name=name):
                world = self.world((SHIPPED / "examples" / name).read_text(), name)
                self.assert_exit(world.run("check"), EXIT_OK)

    def test_what_is_installed_declares_nobody(self):
        """So that nothing is sent, and nothing revoked, before somebody has filled it in."""
        world = self.world((SHIPPED / "members.conf").read_text())
        self.check_refused(world, ("", "no members are declared"))

    def test_defaults_hold_for_their_file_and_ignore_for_the_whole(self):
        world = self.world(name="members.d")
        world.sandbox.post("invite", email="bob@vendor.example")
        world.member_path.mkdir()
        world.write_members('organization: { defaults = { role = "owner"; projects = (); };\n'
                            'members = ( "ada@example.com" ); };', "members.d/20.conf")
        world.write_members(json.dumps({"organization": {
            "defaults": {"role": "reader"}, "members": ["joe@example.com"],
            "ignore": ["*@vendor.example"]}}), "members.d/10.json")
        world.write_members("this is no member file", "members.d/.10.conf.swp")
        world.write_members("this is no member file", "members.d/README")
        world.settle_file(world.member_path)
        plan = world.plan("--all")
        self.assert_exit(plan, EXIT_PENDING)
        self.assertEqual(sorted(plan.lines()), [("invite", "joe@example.com", "not-invited"),
                                                ("keep", "bob@vendor.example", "ignored"),
                                                ("replace", "ada@example.com", "role-differs"),
                                                ("revoke", "kay@example.com", "undeclared")])
        self.assertIsNone(plan.line("joe@example.com")["projects"])
        self.assertEqual(plan.line("ada@example.com")["projects"], [])

    def test_declared_in_two_files(self):
        world = self.world(name="members.d")
        world.member_path.mkdir()
        world.write_members(group('members = ( "ada@example.com" );'), "members.d/10.conf")
        world.write_members(group('members = (\n"Ada@example.com" );'), "members.d/20.conf")
        world.settle_file(world.member_path)
        self.check_refused(world, ("/20.conf:4", r"declared already at .*/10\.conf:3"))

    def test_relative_to_the_configuration(self):
        world = self.world(VALID)
        world.configure(members="members.conf")
        self.assert_exit(world.run("check", cwd="/"), EXIT_OK)

    def test_a_file_that_is_being_written_is_waited_for(self):
        """What changed just now is read again until it is quiet: the plan is that of the end."""
        world = self.world(VALID)
        world.member_path.write_text(VALID[:VALID.index('    "kay')] + "  ); };")
        process = world.start("plan", "-o", "json", "--all")
        world.member_path.write_text(VALID)
        run = process.end()
        self.assertEqual(run.json["summary"]["revoke"], 0, str(run))


if __name__ == "__main__":
    harness.main(workers=6)

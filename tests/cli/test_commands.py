#!/usr/bin/env python3
"""The other commands, options, keys, and what is printed where."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
import unittest

import harness
from harness import (EXIT_CONFIG, EXIT_OK, EXIT_PENDING, EXIT_TROUBLE, EXIT_USAGE, INVITERD, KEY,
                     READONLY_KEY, TestCase, World, wait_for)

ADA, BEN = "ada@example.com", "ben@example.com"
# Escape, line feed, delete, next line and CSI of the C1 set, right-to-left override, zero width.
NASTY = "\u001b[31m\n\u007f\u0085\u009b2J\u202e\u200b"
HIDDEN = re.compile("[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]")


class Reading(TestCase):
    def world(self):
        world = World(self, org={"generate": {"count": 100, "email": "user%03d@example.com"}},
                      invites=[
            {"email": "Ada@example.com", "id": "invite-old", "status": "expired"},
            {"email": ADA, "id": "invite-ada", "role": "owner",
             "projects": [{"id": "proj_a", "role": "owner"}]},
            {"email": BEN, "id": "invite-ben", "status": "accepted", "projects": None}])
        world.declare("somebody@example.com")
        return world

    def test_list(self):
        world = self.world()
        run = world.run("list", "-o", "json")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.json["schema"], "inviterd.invites/1")
        listed = {one["id"]: one for one in run.json["invites"]}
        self.assertEqual(len(listed), 103)
        for one in world.sandbox.invites():
            one.pop("object")
            self.assertEqual(listed[one["id"]], one)
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()], ["list"] * 2)
        text = world.run("list")
        self.assert_exit(text, EXIT_OK)
        self.assertRegex(text.text_line(ADA), r"pending +ada@example\.com +owner .*"
                                              r"proj_a \(owner\) .*expires 2.*invite-ada$")
        self.assertRegex(text.text_line(BEN), "accepted 2")
        self.assertIn("103 invites.", text.out)

    def test_list_needs_neither_members_nor_policy_nor_state(self):
        world = World(self, policy=None, members=None)
        run = world.run("list")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(run.out, "0 invites.\n")
        self.assertFalse(world.state.exists())

    def test_show_by_id(self):
        world = self.world()
        run = world.run("show", "invite-ada", "-o", "json")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual([one["id"] for one in run.json["invites"]], ["invite-ada"])
        self.assertEqual(run.json["invites"][0]["projects"], [{"id": "proj_a", "role": "owner"}])
        self.assertEqual([(entry["call"], entry["invite_id"])
                          for entry in world.sandbox.requests()], [("retrieve", "invite-ada")])
        text = world.run("show", "invite-ada")
        for pattern in (r"id +invite-ada", r"email +ada@", r"role +owner", r"status +pending",
                        r"projects +proj_a \(owner\)", r"accepted +-"):
            self.assertRegex(text.out, pattern)

    def test_show_by_address_takes_the_newest(self):
        world = self.world()
        run = world.run("show", "ADA@example.com", "-o", "json")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual([one["id"] for one in run.json["invites"]], ["invite-ada"])
        self.assertIn("2 invites for ADA@example.com", run.err)
        self.assertEqual([entry["call"] for entry in world.sandbox.requests()],
                         ["list", "list", "retrieve"])

    def test_show_what_is_not_there(self):
        world = self.world()
        run = world.run("show", "invite-none", "-o", "json")
        self.assert_error(run, EXIT_TROUBLE, "there is no invite invite-none", "inviterd list")
        run = world.run("show", "none@example.com", "-o", "json")
        self.assert_error(run, EXIT_TROUBLE, "there is no invite for none@example.com")

    def test_show_escapes_what_it_sends(self):
        world = self.world()
        for name in ("../../organization/users", "invite-ada?x=1", "invite-ada#x", "a/b", "%2e%2e"):
            with self.subTest(name=name):
                world.sandbox.clear_log()
                self.assert_exit(world.run("show", name), EXIT_TROUBLE)
                for entry in world.sandbox.requests():
                    self.assertEqual(entry["path"].count("/"), "/v1/organization/invites/x"
                                     .count("/"), entry)
                    self.assertFalse(entry["query"], entry)

    def test_show_survives_a_failure(self):
        world = self.world()
        world.sandbox.fault("call=retrieve,times=1,do=status,status=502")
        self.assert_exit(world.run("show", "invite-ada"), EXIT_OK)
        world.sandbox.fault("call=retrieve,times=1,do=cut")
        self.assert_exit(world.run("show", "invite-ada"), EXIT_OK)

    def test_unknown_words_of_the_service_are_shown(self):
        world = World(self, invites=[{"email": ADA, "role": "admin", "status": "frozen"}])
        run = world.run("list", "-o", "json")
        self.assertEqual([(one["role"], one["status"]) for one in run.json["invites"]],
                         [("admin", "frozen")])
        self.assertRegex(world.run("list").out, r"frozen +ada@example\.com +admin")

    def test_check_is_offline(self):
        world = self.world()
        world.env["OPENAI_ADMIN_KEY"] = None
        self.assert_exit(world.run("check"), EXIT_OK)
        self.assert_untouched(world)
        self.assertFalse(world.state.exists())

    def test_check_names_all_mistakes_of_both_files(self):
        world = self.world()
        world.config.write_text(world.config.read_text().replace("settle", "setle")
                                .replace('"sync"', '"sinc"'))
        world.write_members('{"organization":{"members":["ada"],"ingore":[]}}')
        run = world.run("check", "-o", "json")
        self.assert_error(run, EXIT_CONFIG, "did you mean `settle`", "did you mean `sync`",
                          "`ada`", "did you mean `ignore`")


class Options(TestCase):
    def check_base_url(self, expected, *arguments, env=None, file=None):
        """Which of three organisations is asked."""
        worlds = {name: World(self) for name in ("option", "file", "environment")}
        urls = {name: world.sandbox.url for name, world in worlds.items()}
        world = worlds["file"]
        world.config.write_text("inviterd: { %s };\n" % (
            f'api: {{ base_url = "{urls["file"]}"; }};' if file else ""))
        arguments = [urls["option"] if one == "URL" else one for one in arguments]
        env = {"OPENAI_BASE_URL": urls["environment"]} if env else {}
        self.assert_exit(world.run("list", *arguments, env=env), EXIT_OK)
        asked = [name for name, one in worlds.items() if one.sandbox.requests()]
        self.assertEqual(asked, [expected])

    def test_base_url(self):
        self.check_base_url("option", "--base-url", "URL", env=True, file=True)
        self.check_base_url("file", env=True, file=True)
        self.check_base_url("environment", env=True)

    def test_base_url_by_default(self):
        world = World(self)
        world.declare(ADA)
        world.config.write_text(f'inviterd: {{ members = "{world.member_path}"; }};\n')
        run = world.run("check")
        self.assertIn("API: https://api.openai.com/v1.", run.out)
        self.assertRegex(run.out, "policy: not set: .* users: observe\\.")

    def test_a_wrong_base_url_that_is_overridden_does_no_harm(self):
        world = World(self)
        run = world.run("list", "--base-url", world.sandbox.url,
                        env={"OPENAI_BASE_URL": "nonsense"})
        self.assert_exit(run, EXIT_OK)

    def test_without_a_configuration_file(self):
        if os.path.exists("/etc/inviterd/inviterd.conf"):
            self.skipTest("this host has a configuration")
        world = World(self, people=[{"email": "owner@example.com", "role": "owner"}])
        world.declare(ADA)
        options = ["--members", str(world.member_path), "--base-url", world.sandbox.url,
                   "--state-dir", str(world.state)]
        self.assert_exit(world.run("check", *options, bare=True), EXIT_OK)
        self.assert_exit(world.run("list", *options, bare=True), EXIT_OK)
        plan = world.run("plan", "-o", "json", *options, bare=True)
        self.assert_exit(plan, EXIT_PENDING)
        run = world.run("apply", "-o", "json", *options, bare=True)
        self.assert_error(run, EXIT_CONFIG, "no policy is set, on purpose")
        self.assertEqual(world.sandbox.writes(), [])
        # The text of a plan gives the command that does it.
        command = world.shown_command(world.run("plan", *options, bare=True))
        self.assertIn("--policy", command)
        self.assert_exit(world.run(*command, bare=True), EXIT_OK)
        self.assertEqual(world.sandbox.live(), [ADA])

    def test_policy_and_members_of_the_command_line_win(self):
        world = World(self, policy="create-only", invites=[{"email": "out@example.com"}])
        world.declare("someone@example.com")
        other = world.write_members(json.dumps({"organization": {
            "members": [{"email": ADA, "role": "reader"}]}}), "other.json")
        plan = world.plan("--policy", "sync", "-m", str(other))
        self.assertEqual(sorted(plan.lines()), [("invite", ADA, "not-invited"),
                                                ("revoke", "out@example.com", "undeclared")])
        plan = world.plan()
        self.assertEqual(sorted(plan.lines()),
                         [("attention", "out@example.com", "undeclared"),
                          ("invite", "someone@example.com", "not-invited")])

    def test_users_of_the_command_line_win(self):
        world = World(self, users="off")
        world.declare(ADA)
        self.assertIn(" users: off. ", world.run("check").out)
        self.assertIn(" users: observe. ", world.run("check", "--users", "observe").out)
        run = world.run("check", "-o", "json", "--users", "mange")
        self.assert_error(run, EXIT_CONFIG, "--users: unknown mode `mange`.* did you mean `manage`")
        world.configure(users="manages")
        run = world.run("check", "-o", "json")
        self.assert_error(run, EXIT_CONFIG, r"inviterd\.conf:\d+: unknown mode `manages`")
        # The command that a plan shows does what was planned.
        world.configure()
        plan = world.run("plan", "--users", "off")
        self.assertIn("--users off", " ".join(world.shown_command(plan)))

    def test_plan_takes_sync_for_granted_and_apply_does_not(self):
        world = World(self, policy=None, invites=[{"email": "out@example.com"}])
        world.declare(ADA)
        self.assertEqual(world.plan().json["summary"]["revoke"], 1)
        world.sandbox.clear_log()
        self.assert_error(world.apply(), EXIT_CONFIG, "no policy is set")
        self.assert_untouched(world)

    def test_state_directory(self):
        world = World(self)
        world.declare(ADA)
        named, ours = world.files / "named", world.files / "ours"
        arguments = ["apply", "--config", str(world.config)]
        run = world.run(*arguments, "--state-dir", str(named), bare=True,
                        env={"STATE_DIRECTORY": str(ours)})
        self.assert_exit(run, EXIT_OK)
        self.assertTrue((named / "ledger.json").exists())
        self.assertFalse(ours.exists())
        run = world.run(*arguments, bare=True, env={"STATE_DIRECTORY": str(ours)})
        self.assert_exit(run, EXIT_OK)
        self.assertTrue((ours / "ledger.json").exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root writes in the place of others")
    def test_what_root_does_by_hand_does_not_lock_the_service_out(self):
        world = World(self)
        world.declare(ADA)
        world.state.mkdir()
        os.chown(world.state, 61184, 61185)
        self.assert_exit(world.apply(), EXIT_OK)
        files = {path.name: path.stat() for path in world.state.iterdir()}
        self.assertEqual(set(files), {"ledger.json", "lock"})
        for name, stat in files.items():
            self.assertEqual((stat.st_uid, stat.st_gid, stat.st_mode & 0o777),
                             (61184, 61185, 0o600), name)

    def test_before_and_after_the_command(self):
        world = World(self)
        world.declare(ADA)
        config, state = ["-c", str(world.config)], ["--state-dir", str(world.state)]
        for arguments in ([*config, *state, "plan", "-ojson"], [*config, "plan", *state, "-o",
                          "json"], ["--output=json", "plan", *config, *state],
                          ["plan", *config, *state, "--out", "json"]):
            with self.subTest(arguments=arguments):
                run = world.run(*arguments, bare=True)
                self.assert_exit(run, EXIT_PENDING)
                self.assertEqual(run.json["schema"], "inviterd.plan/1")

    def test_bad_usage(self):
        world = World(self)
        world.declare(ADA)
        for arguments, pattern in (
                ([], "no command"),
                (["plann"], "did you mean `plan`"),
                (["frobnicate"], "`frobnicate` is no command"),
                (["plan", "apply"], "`apply` is one word too many"),
                (["show"], "show needs the id"),
                (["show", "a", "b"], "one word too many"),
                (["plan", "--frobnicate"], "--frobnicate is no option"),
                (["plan", "-x"], "-x is no option"),
                (["plan", "--all=yes"], "takes no value"),
                (["plan", "--config"], "--config needs a value"),
                (["plan", "--color", "blue"], "--color `blue` is unknown"),
                (["plan", "--dry-run"], "--dry-run goes with run"),
                (["apply", "--dry-run"], "use plan"),
                (["plan", "--approve", "x"], "--approve goes with apply")):
            with self.subTest(arguments=arguments):
                for form in (["-o", "json"], ["-ojson"], ["--output=json"]):
                    run = world.run(*form, *arguments, bare=True)
                    self.assert_error(run, EXIT_USAGE, pattern)
                text = world.run(*arguments, bare=True)
                self.assert_exit(text, EXIT_USAGE)
                self.assertEqual(text.out, "")
                self.assertRegex(text.err, pattern)
        run = world.run("plan", "-o", "xml", bare=True)
        self.assert_exit(run, EXIT_USAGE)
        self.assertIn("--output `xml` is unknown: use text or json", run.err)
        self.assert_untouched(world)

    def test_a_wrong_policy(self):
        world = World(self)
        world.declare(ADA)
        run = world.run("apply", "-o", "json", "--policy", "snc")
        self.assertIn(run.code, (EXIT_USAGE, EXIT_CONFIG))
        self.assertEqual(run.json["exit"], run.code)
        self.assertIn("did you mean `sync`", run.err)
        self.assert_untouched(world)

    def test_help_and_version(self):
        world = World(self)
        for option in ("-h", "--help"):
            run = world.run(option, bare=True)
            self.assert_exit(run, EXIT_OK)
            self.assertEqual(run.err, "")
            for word in ("check", "plan", "apply", "run", "list", "show", "--config", "--members",
                         "--policy", "--base-url", "--state-dir", "--output", "--all",
                         "--approve", "--dry-run", "--quiet", "--verbose", "--color", "--version"):
                self.assertIn(word, run.out)
        for option in ("-V", "--version"):
            run = world.run(option, bare=True)
            self.assert_exit(run, EXIT_OK)
            self.assertRegex(run.out, r"^inviterd \d+\.\d+\.\d+\n$")

    def test_configuration_that_is_wrong(self):
        world = World(self)
        world.declare(ADA)
        good = world.config.read_text()
        for bad, pattern in (
                (good.replace('"1s"', '"1 fortnight"'), r":5: .*duration"),
                (good.replace('"1s"', "1"), r":5: "),
                (good.replace("api =", 'apy ='), r":6: .*did you mean `api`"),
                ("", "."), (good[:-4], "."), (good + "/* the end", ".")):
            with self.subTest(bad=bad):
                world.config.write_text(bad)
                for command in ("apply", "plan", "list", "check"):
                    self.assert_error(world.run(command, "-o", "json"), EXIT_CONFIG,
                                      re.escape(str(world.config)), pattern)
        self.assert_untouched(world)


class Keys(TestCase):
    def world(self, source=None, **settings):
        world = World(self, api={"key": source} if source else {}, **settings)
        world.declare(ADA)
        world.env["OPENAI_ADMIN_KEY"] = None
        return world

    def check_works(self, world):
        self.assert_exit(world.plan(), EXIT_PENDING)
        self.assertEqual([entry["status"] for entry in world.sandbox.requests()], [200])

    def check_refused(self, world, *patterns):
        for command in ("plan", "apply", "list"):
            self.assert_error(world.run(command, "-o", "json"), EXIT_CONFIG, *patterns)
        self.assert_untouched(world)

    def key_file(self, world, text=KEY + "\n", mode=0o600, name="key"):
        path = world.files / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_missing(self):
        self.check_refused(self.world(), "there is no key", "OPENAI_ADMIN_KEY")

    def test_empty(self):
        world = self.world()
        world.env["OPENAI_ADMIN_KEY"] = ""
        self.check_refused(world, "OPENAI_ADMIN_KEY is empty")

    def test_environment(self):
        world = self.world()
        world.env["OPENAI_ADMIN_KEY"] = KEY
        self.check_works(world)

    def test_named_variable(self):
        world = self.world("env:INVITERD_TEST_KEY")
        self.check_refused(world, "no INVITERD_TEST_KEY")
        world.env["INVITERD_TEST_KEY"] = KEY
        self.check_works(world)

    def test_a_source_that_is_set_is_used_alone(self):
        world = self.world("env:INVITERD_TEST_KEY")
        world.env["OPENAI_ADMIN_KEY"] = KEY
        self.check_refused(world, "no INVITERD_TEST_KEY")

    def test_file(self):
        world = self.world()
        path = self.key_file(world)
        world.configure(api={"key": f"file:{path}"})
        self.check_works(world)

    def test_file_that_others_can_read(self):
        for mode in (0o644, 0o604, 0o666):
            with self.subTest(mode=oct(mode)):
                world = self.world()
                path = self.key_file(world, mode=mode)
                world.configure(api={"key": f"file:{path}"})
                self.check_refused(world, "can be read by others", "chmod 600")

    def test_file_that_is_wrong(self):
        for text, pattern in (("", "is empty"), ("\n", "is empty"), ("two words", "no key"),
                              ("sk-admin\x01", "no key"), ("sk-ädmin", "no key")):
            with self.subTest(text=text):
                world = self.world()
                path = self.key_file(world, text)
                world.configure(api={"key": f"file:{path}"})
                self.check_refused(world, pattern)

    def test_file_that_is_missing(self):
        world = self.world("file:/nonexistent/key")
        self.check_refused(world, "cannot read the key file /nonexistent/key")

    def test_credential(self):
        world = self.world("credential:admin")
        self.check_refused(world, "no credential admin", "LoadCredential")
        self.key_file(world, name="admin")
        world.env["CREDENTIALS_DIRECTORY"] = str(world.files)
        self.check_works(world)

    def test_default_credential_wins_over_the_environment(self):
        world = self.world()
        self.key_file(world, name="openai-admin-key")
        world.env.update(CREDENTIALS_DIRECTORY=str(world.files), OPENAI_ADMIN_KEY="sk-admin-wrong")
        self.check_works(world)

    def test_a_credential_may_not_leave_its_directory(self):
        world = self.world("credential:../secret")
        self.key_file(world, name="secret")
        (world.files / "credentials").mkdir()
        world.env["CREDENTIALS_DIRECTORY"] = str(world.files / "credentials")
        run = world.plan()
        self.assert_exit(run, EXIT_CONFIG)
        self.assert_untouched(world)

    def test_inline(self):
        """Refused, and not repeated: what was written there may be a key."""
        world = self.world(KEY)
        self.check_refused(world, r":\d+: ")

    def test_wrong_key(self):
        world = self.world()
        world.env["OPENAI_ADMIN_KEY"] = "sk-admin-of-somebody-else"
        run = world.apply()
        self.assert_error(run, EXIT_TROUBLE, "HTTP 401")
        self.assertEqual(len(world.sandbox.requests()), 1)
        self.assertNotIn("of-somebody-else", run.out + run.err)

    def test_a_service_that_repeats_the_key(self):
        """What the service says is printed; the key is taken out of it."""
        for call in ("list", "create"):
            with self.subTest(call=call):
                world = World(self)
                world.declare(ADA)
                world.sandbox.fault(
                    f"call={call},do=status,status=401,"
                    f'body={{"error":{{"message":"Incorrect API key provided: {KEY}."}}}}')
                for arguments in (["-o", "json"], []):
                    run = world.run("apply", *arguments)
                    self.assert_exit(run, EXIT_TROUBLE)
                    self.assertIn("Incorrect API key provided", run.out + run.err)

    def test_not_in_the_arguments(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.fault("call=list,times=1,do=hang")
        process = world.start("apply", "-v")
        wait_for(world.sandbox.requests, "the listing")
        with open(f"/proc/{process.popen.pid}/cmdline", "rb") as file:
            self.assertNotIn(KEY.encode(), file.read())
        process.signal(signal.SIGTERM)
        process.end()
        for path in world.state.iterdir():
            self.assertNotIn(KEY.encode(), path.read_bytes())

    def crash(self, world, *command):
        """Whether a command that is made to crash leaves a core dump."""
        script = 'cd "$0" && ulimit -c unlimited; exec "$@" >/dev/null 2>&1'
        env = harness.environment(ASAN_OPTIONS="disable_coredump=0:handle_abort=0")
        # A job in the background of a script ignores SIGQUIT, and hands that on.
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", script, str(world.directory), *command], env,
                             setsigdef=[signal.SIGQUIT])
        if command[0] == INVITERD:
            wait_for(world.sandbox.requests, "the listing")
            os.kill(pid, signal.SIGQUIT)
        _, status = os.waitpid(pid, 0)
        self.assertTrue(os.WIFSIGNALED(status), status)
        return os.WCOREDUMP(status)

    def test_not_in_a_core_dump(self):
        world = World(self)
        world.declare(ADA)
        if not self.crash(world, "/bin/sh", "-c", "kill -QUIT $$"):
            self.skipTest("this host makes no core dumps")
        world.sandbox.fault("call=list,do=hang")
        self.assertFalse(self.crash(world, *world.command("apply")))


class Network(TestCase):
    def test_http_is_for_loopback_only(self):
        world = World(self)
        world.declare(ADA)
        for url in ("http://example.com/v1", "http://127.0.0.1.example.com/v1",
                    "http://192.0.2.1/v1", "http://127.0.0.1@example.com/v1", "ftp://127.0.0.1/v1",
                    "http://localhost.example.com/v1", "example.com"):
            with self.subTest(url=url):
                run = world.run("apply", "-o", "json", "--base-url", url)
                self.assert_error(run, EXIT_CONFIG, "--base-url")
                world.configure(api={"base_url": url})
                run = world.apply()
                self.assert_error(run, EXIT_CONFIG, rf"{re.escape(str(world.config))}:\d+")
                world.configure(api={"base_url": world.sandbox.url})
        world.config.write_text("inviterd: { };\n")
        run = world.run("list", "-o", "json", env={"OPENAI_BASE_URL": "http://example.com/v1"})
        self.assert_error(run, EXIT_CONFIG, "OPENAI_BASE_URL", "in the clear")

    def test_redirects_are_not_followed(self):
        for status in (301, 302, 303, 307, 308):
            for call in ("list", "create", "delete"):
                with self.subTest(status=status, call=call):
                    other = World(self)
                    world = World(self, invites=[{"email": "out@example.com"}])
                    world.declare(ADA)
                    target = f"{other.sandbox.url}/organization/invites"
                    world.sandbox.fault(f"call={call},do=redirect,status={status},to={target}")
                    self.assert_exit(world.apply(), EXIT_TROUBLE)
                    self.assertEqual(other.sandbox.requests(), [])

    def listener(self):
        """A socket that nobody should talk to; tells what was said to it."""
        server = socket.create_server(("127.0.0.1", 0))
        said = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    said.append(connection.recv(4096).decode(errors="replace"))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def stop():
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(harness.PATIENCE)

        self.addCleanup(stop)
        return f"http://127.0.0.1:{server.getsockname()[1]}", said

    def test_proxies_of_the_environment_are_ignored(self):
        proxy, said = self.listener()
        world = World(self)
        world.declare(ADA)
        names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
                 "ALL_PROXY")
        run = world.apply(env={**{name: proxy for name in names}, "no_proxy": "", "NO_PROXY": ""})
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(said, [])

    def test_a_proxy_that_is_configured_is_used(self):
        proxy, said = self.listener()
        world = World(self)
        world.declare(ADA)
        world.configure(api={"proxy": proxy})
        process = world.start("apply", env={"no_proxy": "*", "NO_PROXY": "127.0.0.1"})
        wait_for(lambda: said, "a request at the proxy")
        process.signal(signal.SIGTERM)
        process.end()
        self.assert_untouched(world)
        self.assertIn(world.sandbox.url, said[0])

    def test_curl_is_not_configured_from_outside(self):
        """Neither .netrc nor .curlrc has a say."""
        proxy, said = self.listener()
        world = World(self)
        world.declare(ADA)
        (world.files / ".netrc").write_text("default login someone password else\n")
        (world.files / ".netrc").chmod(0o600)
        (world.files / ".curlrc").write_text(f"proxy = {proxy}\n")
        run = world.apply(env={"HOME": str(world.files), "CURL_HOME": str(world.files)})
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(said, [])

    def test_manners(self):
        world = World(self, org={"generate": {"count": 150, "email": "user%03d@example.com"}},
                      api={"organization": "org-test"})
        world.declare(*(f"user{i:03}@example.com" for i in range(1, 151)), "new@example.com")
        self.assert_exit(world.apply(), EXIT_OK)
        requests = world.sandbox.requests()
        self.assertEqual([entry["call"] for entry in requests], ["list", "list", "create"])
        self.assertEqual(len({entry["connection"] for entry in requests}), 1)
        for entry in requests:
            headers = {name.lower(): value for name, value in entry["headers"].items()}
            self.assertIn("gzip", headers["accept-encoding"])
            self.assertRegex(headers["user-agent"], "^inviterd/")
            self.assertEqual(headers["openai-organization"], "org-test")
            self.assertNotIn("expect", headers)
        self.assertIn("limit=100", requests[0]["query"])

    def test_a_service_that_is_not_there(self):
        world = World(self)
        world.declare(ADA)
        world.sandbox.stop()
        run = world.apply()
        self.assert_error(run, EXIT_TROUBLE, "failures in a row")

    def test_no_date_is_a_remark(self):
        world = World(self, "--no-date")
        world.declare(ADA)
        run = world.apply()
        self.assert_exit(run, EXIT_OK)
        self.assertIn("states no date", run.err)


class Strangers(TestCase):
    """Text from outside is never printed raw."""

    def check_clean(self, run):
        self.assertIsNone(HIDDEN.search(run.out), repr(run.out))
        self.assertIsNone(HIDDEN.search(run.err), repr(run.err))

    def test_invites(self):
        email = f"e{NASTY}vil@example.com"
        world = World(self, invites=[
            {"email": email, "id": f"invite-{NASTY}"},
            {"email": f"x{NASTY}@example.com", "role": f"own{NASTY}er"},
            {"email": f"y{NASTY}@example.com", "status": f"pend{NASTY}ing"},
            {"email": f"z{NASTY}@example.com",
             "projects": [{"id": f"proj{NASTY}", "role": "member"}]}])
        world.declare(ADA)
        for command in (["list"], ["plan", "--all"], ["show", email], ["apply", "--all"],
                        ["show", f"invite-{NASTY}"], ["show", f"none{NASTY}@example.com"],
                        ["show", f"none{NASTY}"]):
            for form in ([], ["-o", "json"], ["--color", "always"]):
                with self.subTest(command=command, form=form):
                    run = world.run(*command, *form)
                    if form == ["--color", "always"]:
                        run.out = re.sub("\u001b\\[\\d*m", "", run.out)
                    self.check_clean(run)
                    if form == ["-o", "json"]:
                        self.assertEqual(run.json["schema"].partition("/")[2], "1")
        listed = world.run("list", "-o", "json").json["invites"]
        if listed:
            self.assertIn(f"x{NASTY}@example.com", [one["email"] for one in listed])

    def test_errors(self):
        world = World(self)
        world.declare(ADA)
        body = json.dumps({"error": {"message": f"no{NASTY}such thing", "code": f"a{NASTY}b"}})
        world.sandbox.fault("do=status,status=403,body=" +
                            "".join(f"%{byte:02x}" for byte in body.encode()))
        for command in (["list"], ["plan"], ["apply"], ["show", "invite-x"]):
            for form in ([], ["-o", "json"]):
                with self.subTest(command=command, form=form):
                    run = world.run(*command, *form)
                    self.assert_exit(run, EXIT_TROUBLE)
                    self.assertIn("such thing", run.err)
                    self.check_clean(run)

    def test_long_errors_are_cut_between_characters(self):
        for offset in range(4):
            world = World(self)
            world.declare(ADA)
            body = json.dumps({"error": {"message": "x" * offset + "\U0001d11e" * 500}},
                              ensure_ascii=False)
            for call in ("list", "create"):
                with self.subTest(call=call, offset=offset):
                    world.sandbox.clear_faults()
                    world.sandbox.fault(f"call={call},do=status,status=403,body=" +
                                        "".join(f"%{byte:02x}" for byte in body.encode()))
                    run = world.apply()
                    self.assert_exit(run, EXIT_TROUBLE)
                    self.assertIn("\U0001d11e", json.dumps(run.json, ensure_ascii=False))
                    self.assertNotIn("\\x", run.err)

    def test_arguments(self):
        world = World(self)
        for arguments in ([f"pl{NASTY}an"], ["plan", f"--al{NASTY}l"], ["plan", "-o", NASTY],
                          ["plan", "--config", f"/nonexistent/{NASTY}"],
                          ["list", "--base-url", f"http://{NASTY}"],
                          # Bytes that are no UTF-8.
                          ["pl\udcffan"], ["plan", "--config", "/nonexistent/\udcff"]):
            for form in ([], ["-ojson"]):
                with self.subTest(arguments=arguments, form=form):
                    run = world.run(*form, *arguments, bare=True)
                    self.assertIn(run.code, (EXIT_USAGE, EXIT_CONFIG))
                    self.check_clean(run)


class Printing(TestCase):
    COLOR = "\x1b["

    def world(self):
        world = World(self, invites=[{"email": "out@example.com"}])
        world.declare(ADA)
        return world

    def on_terminal(self, world, *arguments, env=None):
        """What comes to a terminal that is standard output and standard error."""
        try:
            leader, follower = pty.openpty()
        except OSError as error:
            self.skipTest(f"this host gives no terminal: {error}")
        process = subprocess.Popen(world.command(*arguments), stdin=subprocess.DEVNULL,
                                   stdout=follower, stderr=follower,
                                   env=harness.environment(**(env or {})))
        os.close(follower)
        came = b""
        try:
            while data := os.read(leader, 65536):
                came += data
        except OSError:
            pass  # Linux says so when the last writer has gone.
        os.close(leader)
        process.wait(harness.PATIENCE)
        text = came.decode()
        harness.check_output(text, "")
        return text

    def test_color_in_a_pipe(self):
        world = self.world()
        self.assertNotIn(self.COLOR, world.run("plan").out)
        self.assertNotIn(self.COLOR, world.run("plan", "--color", "auto").out)
        colored = world.run("plan", "--color", "always").out
        self.assertRegex(colored, r"\x1b\[32m.*ada@example\.com.*\x1b\[0m\n")
        self.assertRegex(colored, r"\x1b\[31m.*out@example\.com.*\x1b\[0m\n")
        # Asked for expressly, it comes whatever the environment says.
        self.assertIn(self.COLOR, world.run("plan", "--color=always", env={"NO_COLOR": "1"}).out)
        self.assertEqual(re.sub(r"\x1b\[\d*m", "", colored), world.run("plan").out)

    def test_color_on_a_terminal(self):
        world = self.world()
        self.assertIn(self.COLOR, self.on_terminal(world, "plan"))
        self.assertIn(self.COLOR, self.on_terminal(world, "plan", env={"NO_COLOR": ""}))
        self.assertNotIn(self.COLOR, self.on_terminal(world, "plan", env={"NO_COLOR": "1"}))
        self.assertNotIn(self.COLOR, self.on_terminal(world, "plan", "--color", "never"))
        self.assertNotIn(self.COLOR, self.on_terminal(world, "plan", "-o", "json"))

    def test_json_has_no_color(self):
        run = self.world().plan("--color", "always")
        self.assertNotIn("\x1b", run.out)

    def test_progress_in_a_pipe(self):
        run = self.world().run("apply")
        self.assert_exit(run, EXIT_OK)
        self.assertEqual(sorted(run.err.splitlines()),
                         [f"inviterd: invite {ADA}: done", "inviterd: revoke out@example.com: done"])
        self.assertIn("Applied: 2 done.", run.out)

    def test_progress_on_a_terminal(self):
        world = self.world()
        world.sandbox.post("settings", latency=50)
        text = self.on_terminal(world, "apply")
        self.assertIn("\r\x1b[Kapplying: ", text)
        self.assertNotIn("inviterd: invite", text)
        # It is gone when the result comes.
        self.assertRegex(text, r"\r\x1b\[K(\x1b\[\d+m)?  \+ ")

    def test_quiet(self):
        for form in ([], ["-o", "json"]):
            run = self.world().run("apply", "-q", *form)
            self.assert_exit(run, EXIT_OK)
            self.assertEqual(run.err, "")
            self.assertNotEqual(run.out, "")
        world = self.world()
        world.sandbox.post("settings", latency=50)
        self.assertNotIn("applying", self.on_terminal(world, "apply", "--quiet"))

    def test_quiet_keeps_errors(self):
        world = self.world()
        world.sandbox.fault("call=list,do=status,status=403")
        run = world.run("apply", "-q")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("the service refuses the key", run.err)

    def test_quiet_keeps_why_the_writing_ended(self):
        """With the result in text, the reason is nowhere else."""
        world = self.world()
        world.env["OPENAI_ADMIN_KEY"] = READONLY_KEY
        run = world.run("apply", "-q")
        self.assert_exit(run, EXIT_TROUBLE)
        self.assertIn("api.management.write", run.out + run.err)

    def test_results_on_standard_output_and_the_rest_on_standard_error(self):
        world = self.world()
        world.sandbox.post("advance", seconds=3600)
        for form in ([], ["-o", "json"]):
            run = world.run("plan", *form)
            self.assertNotIn("clock", run.out)
            self.assertIn("clock", run.err)

    def test_a_reader_that_goes_away(self):
        """The result may be lost; the work is not."""
        world = self.world()
        process = subprocess.Popen(world.command("apply", "-o", "json"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=harness.environment())
        process.stdout.close()
        process.stderr.read()
        process.stderr.close()
        process.wait(harness.PATIENCE)
        self.assertGreaterEqual(process.returncode, 0)
        self.assertEqual(world.sandbox.live(), [ADA])


if __name__ == "__main__":
    harness.main(workers=6)

"""What the tests of the command line share: a world of one sandbox, one state directory and files.

The programs come from the environment variables INVITERD and INVITERD_SANDBOX. A test makes its own
World, so that tests may run beside each other; run as a program, a module does that itself.
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

INVITERD = os.environ.get("INVITERD", "inviterd")
SANDBOX = os.environ.get("INVITERD_SANDBOX", "inviterd-sandbox")
KEY = "sk-admin-this-key-is-for-tests-only"
READONLY_KEY = "sk-admin-this-key-may-only-read"
KEY_WITHOUT_USERS = "sk-admin-this-key-may-not-see-users"
SUPPRESSIONS = pathlib.Path(__file__).resolve().parents[1] / "lsan.supp"

# How long anything may take before the test gives it up as hung; never a measure of speed.
PATIENCE = 60

# Under valgrind a module runs only each so-many-th of its tests.
SHARE = int(os.environ.get("INVITERD_TEST_SHARE", "1"))

# What must not reach inviterd from whoever runs the tests.
FOREIGN = re.compile(r"OPENAI_.*|NO_COLOR|CLICOLOR.*|STATE_DIRECTORY|RUNTIME_DIRECTORY|"
                     r"CREDENTIALS_DIRECTORY|CONFIGURATION_DIRECTORY|NOTIFY_SOCKET|JOURNAL_STREAM|"
                     r"INVOCATION_ID|WATCHDOG_.*|LISTEN_.*|(?i:[a-z]+_proxy)")

EXIT_OK, EXIT_TROUBLE, EXIT_PENDING, EXIT_BLOCKED, EXIT_USAGE, EXIT_CONFIG = 0, 1, 2, 3, 64, 78


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    clean.setdefault("ASAN_OPTIONS", "exitcode=99")
    clean.setdefault("UBSAN_OPTIONS", "halt_on_error=1:exitcode=99:print_stacktrace=1")
    clean.setdefault("LSAN_OPTIONS",
                     f"suppressions={SUPPRESSIONS}:print_suppressions=0:exitcode=99")
    clean["LC_ALL"] = "C.UTF-8"
    clean["OPENAI_ADMIN_KEY"] = KEY
    clean.update(more)
    return {name: value for name, value in clean.items() if value is not None}


def wait_for(condition, what, patience=PATIENCE):
    """Polls until `condition` gives something true, and returns that."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


def check_output(out, err):
    """Holds for every run whatsoever: no sanitizer has complained, and no key has come out."""
    for text in (out, err):
        assert "Sanitizer" not in text and "runtime error:" not in text, err
        assert not any(key in text for key in (KEY, READONLY_KEY, KEY_WITHOUT_USERS)), \
            f"the key came out: {text}"


class Run:
    """A run that has ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err
        check_output(out, err)

    def __str__(self):
        return f"{shlex.join(self.arguments)}\nexit {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self):
        assert self.out.count("\n") == 1 and self.out.endswith("\n"), f"not one line: {self}"
        return json.loads(self.out)

    @property
    def actions(self):
        return self.json["actions"]

    def lines(self):
        """The lines of a plan as (action, address, reason)."""
        return [(line["action"], line["email"], line["reason"]) for line in self.actions]

    def line(self, email):
        found = [line for line in self.actions if line["email"] == email]
        assert len(found) == 1, f"{len(found)} lines for {email}: {self}"
        return found[0]

    def text_line(self, email):
        """The one line of standard output that holds the address."""
        found = [line for line in self.out.splitlines() if email in line.split()]
        assert len(found) == 1, f"{len(found)} lines for {email}: {self}"
        return found[0]


class Process:
    """A run under way; what it writes is collected as it comes."""

    def __init__(self, arguments, env, **options):
        self.arguments = arguments
        self.popen = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, env=env, **options)
        self.collected = {"out": b"", "err": b""}
        self.threads = [threading.Thread(target=self._collect, args=(name, stream), daemon=True)
                        for name, stream in (("out", self.popen.stdout), ("err", self.popen.stderr))]
        for thread in self.threads:
            thread.start()

    def _collect(self, name, stream):
        while data := os.read(stream.fileno(), 65536):
            self.collected[name] += data

    @property
    def out(self):
        return self.collected["out"].decode(errors="backslashreplace")

    @property
    def err(self):
        return self.collected["err"].decode(errors="backslashreplace")

    @property
    def is_over(self):
        return self.popen.poll() is not None

    def wait_err(self, pattern, count=1):
        """Waits until standard error has so many matches; returns its text."""
        def come():
            if len(re.findall(pattern, self.err)) >= count:
                return True
            assert not self.is_over, f"ended before {pattern!r} came: {self.err}"
            return False
        wait_for(come, f"{pattern!r} in {self.err!r}")
        return self.err

    def signal(self, number):
        self.popen.send_signal(number)

    def end(self):
        """Waits for the end."""
        self.popen.wait(PATIENCE)
        for thread in self.threads:
            thread.join(PATIENCE)
        self.popen.stdout.close()
        self.popen.stderr.close()
        return Run(self.arguments, self.popen.returncode, self.out, self.err)

    def kill(self):
        if not self.popen.stdout.closed:
            self.popen.kill()
            self.popen.wait()
            for thread in self.threads:
                thread.join(PATIENCE)
            self.popen.stdout.close()
            self.popen.stderr.close()


class Sandbox:
    """A local organisation, or one in the network of a machine (tests/system/machine.py)."""

    def __init__(self, directory, *options, org=None, port=0, inside=None):
        self.inside = inside
        arguments = [*(inside.prefix() if inside else []),
                     SANDBOX, "--listen", f"127.0.0.1:{port}", "--key", KEY,
                     "--key-readonly", READONLY_KEY, "--key-without-users", KEY_WITHOUT_USERS,
                     "--die-with-parent", *options]
        if org is not None:
            path = directory / "organization.json"
            path.write_text(json.dumps(org), encoding="utf-8")
            arguments += ["--org", str(path)]
        self.popen = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True,
                                      env=environment())
        self.url = self.popen.stdout.readline().split()[-1]
        self.port = urllib.parse.urlsplit(self.url).port

    def stop(self):
        if self.popen.stdout.closed:
            return
        self.popen.terminate()
        code = self.popen.wait(PATIENCE)
        self.popen.stdout.close()
        assert code == 0, f"the sandbox ended with {code}"

    def control(self, method, route, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        if self.inside:
            connection.sock = self.inside.connect(self.port)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, f"/_sandbox/{route}", text,
                               {"Content-Type": "application/json"} if text else {})
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, f"{method} {route} {body}: {response.status} {answer}"
            return answer
        finally:
            connection.close()

    def post(self, route, **body):
        return self.control("POST", route, body)

    def fault(self, spec):
        self.post("fault", spec=spec)

    def clear_faults(self):
        self.control("DELETE", "fault")

    def clear_log(self):
        self.control("DELETE", "log")

    def requests(self, *calls):
        """What came to the API, of these calls (or of all)."""
        entries = self.control("GET", "log")["requests"]
        return [entry for entry in entries if not calls or entry["call"] in calls]

    def writes(self):
        return self.requests("create", "delete", "set-role", "delete-user")

    def user_requests(self):
        """What came to the routes of users, whatever it was."""
        return [entry for entry in self.requests()
                if entry["path"].startswith("/v1/organization/users")]

    def mails(self):
        return self.control("GET", "log")["mails"]

    def invites(self, email=None):
        """As they are, whatever listings show."""
        found = self.control("GET", "org")["invites"]
        return [one for one in found if email is None or one["email"].lower() == email.lower()]

    def users(self, email=None):
        """As they are, whatever listings show; each with its id, email, name, role and flags."""
        found = self.control("GET", "org")["users"]
        return [one for one in found
                if email is None or (one["email"] or "").lower() == email.lower()]

    def user(self, email):
        """The one user of the address."""
        found = self.users(email)
        assert len(found) == 1, f"{len(found)} users of {email}"
        return found[0]

    def roles(self):
        """Address → role of the users that have an address."""
        return {one["email"]: one["role"] for one in self.users() if one["email"]}

    def change_user(self, email, /, **changes):
        """What another hand changes: email, name, role, is_service_account, is_scim_managed."""
        return self.post("change-user", email=email, set=changes)

    def live(self):
        """Addresses of pending invites, sorted."""
        return sorted(one["email"] for one in self.invites() if one["status"] == "pending")

    def now(self):
        return self.control("GET", "org")["now"]


def to_conf(value, indent="  "):
    """A value in libconfig's syntax."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(to_conf(item, indent) for item in value) + " )"
    lines = [f"{indent}  {key} = {to_conf(item, indent + '  ')};" for key, item in value.items()]
    return "{\n" + "\n".join(lines) + f"\n{indent}}}"


class World:
    """
    A sandbox, a configuration, a member file and a state directory. `people` are the entries of the
    organisation's users; `users` is a setting.
    """

    def __init__(self, test, *sandbox_options, org=None, invites=None, people=None, name="world",
                 **settings):
        self.test = test
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="inviterd-cli-")).resolve()
        test.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.files = self.directory / name
        self.files.mkdir()
        self.state = self.files / "state"
        self.config = self.files / "inviterd.conf"
        self.member_path = self.files / "members.json"
        if invites is not None:
            org = {**(org or {}), "invites": invites}
        if people is not None:
            org = {**(org or {}), "users": people}
        self.sandbox = self.start_sandbox(*sandbox_options, org=org)
        self.env = {"RUNTIME_DIRECTORY": str(self.directory / "run")}
        self.configure(**settings)

    def start_sandbox(self, *options, org=None, port=0):
        sandbox = Sandbox(self.directory, *options, org=org, port=port)
        self.test.addCleanup(sandbox.stop)
        return sandbox

    # ---- files ----

    def configure(self, **settings):
        """Writes the configuration; None leaves a setting out."""
        api = {"base_url": self.sandbox.url, **settings.pop("api", {})}
        values = {"policy": "sync", "members": str(self.member_path), "settle": "1s", "api": api,
                  **settings}
        values.setdefault("users", "off")
        values = {key: value for key, value in values.items() if value is not None}
        self.config.write_text(f"inviterd:\n{to_conf(values, '')};\n", encoding="utf-8")

    def write_members(self, text, name=None):
        """Writes the member file as it is given, and makes it look quiet for long."""
        path = self.member_path if name is None else self.files / name
        if isinstance(text, str):
            text = text.encode()
        path.write_bytes(text)
        self.settle_file(path)
        return path

    @staticmethod
    def settle_file(path):
        past = time.time() - 3600
        os.utime(path, (past, past))

    def declare(self, *members, ignore=(), role="reader", **more):
        organization = {"defaults": {"role": role}, "members": list(members), **more}
        if ignore:
            organization["ignore"] = list(ignore)
        if not members:
            organization["allow_empty"] = True
        self.write_members(json.dumps({"organization": organization}))

    # ---- runs ----

    def command(self, *arguments):
        return [INVITERD, *arguments, "--config", str(self.config), "--state-dir", str(self.state)]

    def start(self, *arguments, bare=False, env=None, **options):
        """Begins a run; `bare` leaves the options for this world out."""
        command = [INVITERD, *arguments] if bare else self.command(*arguments)
        process = Process(command, environment(**{**self.env, **(env or {})}), **options)
        self.test.addCleanup(process.kill)
        return process

    def run(self, *arguments, **options):
        return self.start(*arguments, **options).end()

    def plan(self, *arguments, **options):
        return self.run("plan", "-o", "json", *arguments, **options)

    def apply(self, *arguments, **options):
        return self.run("apply", "-o", "json", *arguments, **options)

    def shown_command(self, run, option=""):
        """The one command of a text output (with this option), ready to be run."""
        found = [line for line in run.out.splitlines()
                 if line.startswith("  inviterd apply") and option in line]
        assert len(found) == 1, f"{len(found)} commands: {run}"
        words = shlex.split(found[0])
        assert words[0] == "inviterd", words
        return words[1:]

    def approval_command(self, run):
        """The one command of a text output that approves."""
        return self.shown_command(run, "--approve")


class TestCase(unittest.TestCase):
    maxDiff = None

    def assert_exit(self, run, code):
        self.assertEqual(run.code, code, str(run))

    def assert_error(self, run, code, *patterns):
        """Ended with an error object, and said each pattern in it and on standard error."""
        self.assert_exit(run, code)
        self.assertEqual(run.json["schema"], "inviterd.error/1")
        self.assertEqual(run.json["exit"], code)
        said = run.json["error"] + "".join(
            f"\n{problem['place']}: {problem['message']}" for problem in run.json["problems"])
        for pattern in patterns:
            self.assertRegex(run.err, pattern)
            self.assertRegex(said, pattern)

    def assert_untouched(self, world):
        """No request has reached the sandbox."""
        self.assertEqual(world.sandbox.requests(), [])


# ---- running ----


class _Tests:
    """Runs the tests of a module beside each other: most of their time is waiting."""

    def __init__(self, workers):
        self.workers = workers

    def run(self, suite):
        tests = list(self._flatten(suite))[::SHARE]
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            results = list(pool.map(self._run_one, tests))
        ran = sum(result.testsRun for result in results)
        skipped = sum(len(result.skipped) for result in results)
        bad = [entry for result in results for entry in result.errors + result.failures]
        bad += [(test, "succeeded unexpectedly") for result in results
                for test in result.unexpectedSuccesses]
        for test, text in bad:
            print(f"{'=' * 70}\nFAIL: {test}\n{'-' * 70}\n{text}", file=sys.stderr)
        print(f"{'-' * 70}\nRan {ran} tests in {time.monotonic() - started:.1f} s, "
              f"{len(bad)} failed, {skipped} skipped", file=sys.stderr)
        return not bad

    @classmethod
    def _flatten(cls, suite):
        for item in suite:
            if isinstance(item, unittest.TestSuite):
                yield from cls._flatten(item)
            else:
                yield item

    @staticmethod
    def _run_one(test):
        result = unittest.TestResult()
        started = time.monotonic()
        test.run(result)
        mark = "ok" if result.wasSuccessful() else "FAIL"
        name = test.id().partition(".")[2]
        sys.stderr.write(f"{mark:4} {time.monotonic() - started:5.1f} s  {name}\n")
        return result


def main(workers=6):
    """Runs the module's tests, or those whose names are given (as Class or Class.method)."""
    module = sys.modules["__main__"]
    loader = unittest.defaultTestLoader
    names = sys.argv[1:]
    suite = loader.loadTestsFromNames(names, module) if names else \
        loader.loadTestsFromModule(module)
    sys.exit(0 if _Tests(workers).run(suite) else 1)

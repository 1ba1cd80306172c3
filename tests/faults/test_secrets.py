#!/usr/bin/env python3
"""The key: in which system calls it passes, what is left of it in memory, and that no core holds it.

The traces need strace. The looks into memory need root, and a build without sanitizers: INVITERD
if it has none, else INVITERD_PLAIN, else the build-clang that ./check makes. What cannot be had is
skipped with its reason.

A key that came by the environment stays in the environment block of the process: the daemon reads
it again at each pass, and whoever started the process has it anyway. A key from a file or a
credential is in memory while requests are under way, and not between passes.
"""

import base64
import contextlib
import functools
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import string
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness
import test_daemon
from harness import EXIT_OK, EXIT_PENDING, TestCase, World, wait_for
from stranger import Stranger, page

ADA, BEN, OUT = "ada@example.com", "ben@example.com", "out@example.com"
# So many characters of the key in a row count as the key.
PART = 12
# No string of a trace may be cut, or the key could hide behind the cut.
STRING_MAX = 1 << 22


@functools.cache
def is_sanitized(program):
    return b"__asan_init" in pathlib.Path(program).read_bytes()


def plain_build():
    candidates = [harness.INVITERD, os.environ.get("INVITERD_PLAIN"),
                  ROOT / "build-clang" / "src" / "inviterd"]
    for program in candidates:
        if program and os.access(program, os.X_OK) and not is_sanitized(program):
            return str(program)
    return None


PLAIN = plain_build()
needs_plain = unittest.skipUnless(PLAIN, "needs a build without sanitizers")
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")
needs_strace = unittest.skipUnless(shutil.which("strace"), "needs strace")
needs_openssl = unittest.skipUnless(shutil.which("openssl"), "needs openssl")
needs_http2 = unittest.skipUnless(shutil.which("openssl") and shutil.which("nghttpx"),
                                  "needs openssl and nghttpx")


def new_key():
    """As long as real ones are, and like nothing else in memory or in a trace."""
    chosen = random.SystemRandom().choices(string.ascii_letters + string.digits, k=155)
    return "sk-admin-" + "".join(chosen)


def parts(text):
    return {text[i:i + PART] for i in range(len(text) - PART + 1)}


def forms_of(key):
    """What betrays the key: each part of it, plain, in hexadecimal, and in base64."""
    secret = key.replace("sk-admin-", "").encode()
    found = parts(secret)
    for text in (secret.hex(), secret.hex().upper()):
        found |= {text[i:i + 2 * PART].encode() for i in range(0, len(text) - 2 * PART + 1, 2)}
    for skip in range(3):
        found |= parts(base64.b64encode(secret[skip:])[:-4])
    return found


def holds(data, forms):
    return any(form in data for form in forms)


class Secret(TestCase):
    """A world whose key is its own."""

    program = harness.INVITERD

    def world(self, *sandbox_options, source="file", **settings):
        self.key = new_key()
        world = World(self, "--key", self.key, *sandbox_options,
                      invites=[{"email": OUT, "id": "invite-out"}], **settings)
        self.key_file = world.files / "openai-admin-key"
        self.write_key(self.key)
        world.env["OPENAI_ADMIN_KEY"] = None
        world.key_setting = None
        if source == "env":
            world.env["OPENAI_ADMIN_KEY"] = self.key
        elif source == "credential":
            world.env["CREDENTIALS_DIRECTORY"] = str(world.files)
        else:
            world.key_setting = f"file:{self.key_file}"
        self.configure(world, **settings)
        world.command = lambda *arguments: [
            *self.prefix(world), self.program, *World.command(world, *arguments)[1:]]
        world.declare(ADA)
        return world

    def configure(self, world, api=None, **settings):
        api = dict(api or {})
        if world.key_setting:
            api["key"] = world.key_setting
        world.configure(api=api, **settings)

    def prefix(self, world):
        return []

    def write_key(self, key):
        """Replaced as a whole, as whoever rotates a key should."""
        fresh = self.key_file.with_suffix(".new")
        fresh.write_text(key + "\n")
        fresh.chmod(0o600)
        fresh.rename(self.key_file)

    def certificate(self, world):
        """A certificate for the loopback address, and its key; it is its own authority."""
        cert, key = world.files / "cert.pem", world.files / "cert.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
        return cert, key

    def use_tls(self, world, **settings):
        """Puts an organisation behind TLS in the place of the plain one."""
        cert, cert_key = self.certificate(world)
        world.sandbox = world.start_sandbox(
            "--key", self.key, "--tls-cert", str(cert), "--tls-key", str(cert_key),
            org={"invites": [{"email": OUT, "id": "invite-out"}]})
        self.configure(world, api={"ca_file": str(cert)}, **settings)


    def use_http2(self, world):
        """Puts a proxy that speaks TLS and HTTP/2, as the real service does, before the sandbox."""
        cert, cert_key = self.certificate(world)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        proxy = harness.Process(
            ["nghttpx", "--conf=/dev/null", "--workers=1", f"--frontend=127.0.0.1,{port}",
             f"--backend=127.0.0.1,{world.sandbox.port}", str(cert_key), str(cert)],
            harness.environment(OPENAI_ADMIN_KEY=None))
        self.addCleanup(proxy.kill)
        wait_for(lambda: proxy.is_over or self.answers(port), "the proxy")
        self.configure(world, api={"ca_file": str(cert), "base_url": f"https://127.0.0.1:{port}/v1"})

    @staticmethod
    def answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


# ---- system calls ----


class Trace:
    """What strace wrote: each call with its arguments, strings decoded."""

    CALL = re.compile(rb"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$")
    STRING = re.compile(rb'(["<])((?:\\x[0-9a-f]{2})+)([">])(\.\.\.)?')

    def __init__(self, path):
        self.calls = []
        for line in path.read_bytes().splitlines():
            if found := self.CALL.match(line):
                arguments = self.STRING.sub(self._decode, found.group(3))
                self.calls.append((found.group(2).decode(), arguments))

    @staticmethod
    def _decode(found):
        opening, digits, closing, cut = found.groups()
        assert not cut, "strace has cut a string"
        return opening + bytes.fromhex(digits.replace(b"\\x", b"").decode()) + closing

    def places(self, key):
        """Where the key, or a part of it, passes: as call and file or address."""
        everything = b" ".join(arguments for _, arguments in self.calls)
        forms = {form for form in forms_of(key) if form in everything}
        places = {(name, self._target(arguments)) for name, arguments in self.calls
                  if holds(arguments, forms)}
        # The sanitizers' runtime looks for its options there.
        return {place for place in places if not re.fullmatch(r"/proc/\d+/environ", place[1])}

    @staticmethod
    def _target(arguments):
        """The file or the peer behind a descriptor; nothing for other arguments."""
        target = re.match(rb"\d+<(?:TCP:\[[^>]*->)?([^>\]]+)", arguments)
        return target.group(1).decode() if target else ""


def traced_pid(test, path):
    """The process that is traced: the trace begins with its number. It ends with the test."""
    first = wait_for(lambda: path.exists() and re.match(rb"(\d+) ", path.read_bytes()[:16]),
                     "a trace")
    pid = int(first.group(1))
    handle = os.pidfd_open(pid)

    def end():
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
    test.addCleanup(end)
    return pid


@needs_strace
class SystemCalls(Secret):
    """The key passes where it is read and where it is sent, and nowhere else."""

    def prefix(self, world):
        # Not beside the member file, where each line of it would be an event that is traced.
        self.trace_path = world.directory / "trace"
        return ["strace", "-f", "-v", "-xx", "-yy", "-s", str(STRING_MAX), "-o",
                str(self.trace_path)]

    def world(self, *arguments, **settings):
        world = super().world(*arguments, **settings)
        # The leak checker cannot do its work beside another tracer.
        options = harness.environment().get("ASAN_OPTIONS", "")
        world.env["ASAN_OPTIONS"] = options + ":detect_leaks=0"
        return world

    def reading(self, source):
        """Where the key is read."""
        if source == "env":
            return {("execve", "")}
        return {("read", str(self.key_file))}

    def sending(self, world):
        return {("sendto", f"127.0.0.1:{world.sandbox.port}")}

    def check_run(self, world, code, expected, *arguments):
        with self.subTest(command=arguments):
            run = world.run(*arguments)
            self.assert_exit(run, code)
            trace = Trace(self.trace_path)
            self.assertEqual(trace.places(self.key), expected)
            self.check_precautions(trace)

    def check_precautions(self, trace):
        """They come first: before the program reads any file of ours."""
        first = next((i for i, (name, arguments) in enumerate(trace.calls)
                      if name == "openat" and b"inviterd.conf" in arguments), None)
        before = b" ".join(arguments for _, arguments in trace.calls[:first])
        self.assertIsNotNone(first)
        wanted = [b"RLIMIT_CORE, {rlim_cur=0, rlim_max=0}"]
        if not is_sanitized(self.program):
            wanted.append(b"PR_SET_DUMPABLE, SUID_DUMP_DISABLE")
        # Not by assertIn(): it would print the environment of whoever runs the tests.
        self.assertEqual([what for what in wanted if what not in before], [])

    def check_commands(self, world, reading, sending):
        """Every command that ends by itself."""
        offline = reading if ("execve", "") in reading else set()
        online = reading | sending
        self.check_run(world, EXIT_OK, offline, "check")
        self.check_run(world, EXIT_PENDING, online, "plan")
        self.check_run(world, EXIT_OK, online, "apply", "-v")
        self.check_run(world, EXIT_OK, online, "list", "-o", "json")
        self.check_run(world, EXIT_OK, online, "show", ADA)

    def check_daemon(self, world, expected):
        daemon = self.start_daemon(world)
        daemon.wait_passes(1)
        daemon.reload()
        daemon.wait_passes(2)
        run = daemon.stop()
        self.assert_exit(run, EXIT_OK)
        trace = Trace(self.trace_path)
        self.assertEqual(trace.places(self.key), expected)
        self.assertEqual(len(daemon.manager.fields("RELOADING")), 1)

    def start_daemon(self, world):
        daemon = test_daemon.Daemon(world)
        pid = traced_pid(self, self.trace_path)
        daemon.process.signal = lambda number: os.kill(pid, number)
        return daemon

    def test_commands_on_plain_loopback(self):
        for source in ("file", "env", "credential"):
            with self.subTest(source=source):
                world = self.world(source=source)
                self.check_commands(world, self.reading(source), self.sending(world))

    def test_daemon_on_plain_loopback(self):
        for source in ("file", "env"):
            with self.subTest(source=source):
                world = self.world(source=source)
                self.check_daemon(world, self.reading(source) | self.sending(world))

    @needs_openssl
    def test_nothing_is_sent_readably_with_tls(self):
        world = self.world()
        self.use_tls(world)
        self.check_commands(world, self.reading("file"), set())

    @needs_openssl
    def test_daemon_with_tls(self):
        world = self.world()
        self.use_tls(world)
        self.check_daemon(world, self.reading("file"))


# ---- memory ----


def memory_of(pid):
    """What the process can write to, as (name, start, bytes)."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            area, mode, _, _, _, *name = line.split(maxsplit=5)
            start, end = (int(word, 16) for word in area.split("-"))
            if mode.startswith("rw"):
                memory.seek(start)
                yield (name[0].strip() if name else "anonymous"), start, memory.read(end - start)


def environment_of(pid):
    """From where to where the environment block of the process reaches."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()
    return int(fields[47]), int(fields[48])


def remains(pid, key):
    """Where in memory the key, or a part of it, stands: area, length, and what comes before it."""
    secret = key.replace("sk-admin-", "").encode()
    pattern = re.compile(b"(?=" + b"|".join(map(re.escape, sorted(parts(secret)))) + b")")
    low, high = environment_of(pid)
    found = []
    for name, start, data in memory_of(pid):
        last = -2
        for at in (hit.start() for hit in pattern.finditer(data)):
            if low <= start + at < high:
                continue
            if at == last + 1:
                found[-1][1] += 1
            else:
                found.append([name, PART, data[max(at - 40, 0):at]])
            last = at
    return found


@needs_plain
@needs_root
class Memory(Secret):
    """What is left of the key between two passes of the daemon."""

    program = PLAIN
    tracing = ()

    def prefix(self, world):
        return self.tracing

    def check_gone(self, daemon, *keys, pid=None):
        pid = pid or daemon.process.popen.pid
        for key in keys:
            found = remains(pid, key)
            self.assertEqual(found, [], "parts of a key are left")

    def check_passes(self, world, restart=None):
        daemon = test_daemon.Daemon(world)
        daemon.wait_passes(1)
        self.check_gone(daemon, self.key)
        # A second pass over the same connections, and one more on a client made anew.
        if restart:
            restart(world)
        daemon.reload()
        daemon.wait_passes(2)
        self.check_gone(daemon, self.key)
        self.assert_exit(daemon.stop(), EXIT_OK)

    def test_the_search_finds_a_key(self):
        """While a request is under way the key must be there: else the search is blind."""
        world = self.world()
        world.sandbox.fault("call=list,do=hang")
        daemon = test_daemon.Daemon(world)
        wait_for(lambda: world.sandbox.requests("list"), "a request")
        self.assertTrue(remains(daemon.process.popen.pid, self.key))
        daemon.process.kill()

    def test_nothing_between_passes(self):
        for source in ("file", "credential", "env"):
            with self.subTest(source=source):
                self.check_passes(self.world(source=source))

    @needs_openssl
    def test_nothing_between_passes_with_tls(self):
        world = self.world()
        self.use_tls(world)
        self.check_passes(world)

    def test_nothing_of_what_the_service_repeats(self):
        world = self.world()
        echo = Stranger(self, lambda method, path: (401, {"x-request-id": self.key}, {
            "error": {"message": f"{self.key} is not a key", "code": self.key}}))
        self.configure(world, api={"base_url": echo.url})
        daemon = test_daemon.Daemon(world)
        daemon.wait_field("STATUS", "the last pass failed")
        self.check_gone(daemon, self.key)
        run = daemon.stop()
        self.assertRegex(run.err, r"\*{20} is not a key")
        self.assertFalse(holds((run.out + run.err).encode(), forms_of(self.key)))

    def test_nothing_of_a_key_that_is_refused(self):
        world = self.world()
        for spoiled in (f"{self.key}\0{self.key[::-1]}", f"{self.key} {self.key[::-1]}"):
            self.write_key(spoiled)
            daemon = test_daemon.Daemon(world)
            daemon.process.wait_err("contains something that no key contains")
            self.check_gone(daemon, self.key, self.key[::-1])
            self.assert_untouched(world)
            daemon.stop()

    @needs_strace
    def test_nothing_of_a_key_that_could_be_read_in_part_only(self):
        world = self.world()
        trace = world.files / "trace"
        self.tracing = ["strace", "-f", "-o", str(trace), "-P", str(self.key_file), "-e",
                        "trace=openat,read", "-e", "inject=read:error=EIO:when=2+"]
        daemon = test_daemon.Daemon(world)
        daemon.process.wait_err("cannot read the key file .*: Input/output error")
        pid = traced_pid(self, trace)
        self.check_gone(daemon, self.key, pid=pid)
        self.assert_untouched(world)
        os.kill(pid, signal.SIGTERM)
        self.assert_exit(daemon.process.end(), EXIT_OK)
        self.assertIn("sk-admin-", trace.read_text(encoding="utf-8"))

    def test_nothing_of_a_key_that_was_replaced(self):
        world = self.world()
        daemon = test_daemon.Daemon(world)
        daemon.wait_passes(1)
        old, self.key = self.key, new_key()
        self.write_key(self.key)
        daemon.reload()
        # The sandbox does not know the new one.
        daemon.wait_field("STATUS", "the last pass failed")
        self.check_gone(daemon, old, self.key)
        self.assert_exit(daemon.stop(), EXIT_OK)

    @needs_http2
    def test_what_is_left_with_http2(self):
        """
        With the libcurl of Debian 12, libnghttp2 frees its copies of request headers as they are,
        where we cannot reach them; with that of Debian 13 they are overwritten like the rest.
        """
        world = self.world()
        self.use_http2(world)
        daemon = test_daemon.Daemon(world)
        daemon.wait_passes(1)
        for _, _, before in remains(daemon.process.popen.pid, self.key):
            self.assertTrue(before.endswith(b"authorization\0Bearer sk-admin-"), before)
        self.assert_exit(daemon.stop(), EXIT_OK)
        agents = {entry["headers"].get("via") for entry in world.sandbox.requests()}
        self.assertEqual(agents, {"2 nghttpx"})


class Repeated(Secret):
    """A service, or a gateway before it, that repeats the key gets it no further."""

    def answer(self, method, path):
        headers = {"x-request-id": f"for-{self.key}", "openai-organization": f"of-{self.key}"}
        if method == "POST":
            return 403, headers, {"error": {"message": f"{self.key} may not", "code": self.key}}
        if path.endswith("/invite-gone"):
            return 404, headers, {"error": f"{self.key} sees no such invite"}
        return 200, headers, page()

    def test_outputs_and_ledger(self):
        world = self.world()
        self.configure(world, api={"base_url": Stranger(self, self.answer).url})
        for arguments in (("plan",), ("apply",), ("apply", "-o", "json"), ("list",), ("export",),
                          ("export", "-o", "json"), ("show", "invite-gone"),
                          ("show", "invite-gone", "-o", "json")):
            run = world.run(*arguments)
            self.assertFalse(holds((run.out + run.err).encode(), forms_of(self.key)), str(run))
        ledger = (world.state / "ledger.json").read_bytes()
        self.assertIn(b'"of-***', ledger)
        self.assertFalse(holds(ledger, forms_of(self.key)))


# ---- core files ----


def unprivileged():
    """An account that is not root, as options of a process."""
    if os.geteuid() != 0:
        return {}
    return {"user": 65534, "group": 65534, "extra_groups": []}


def without_limit():
    """Core files of any size, as a careless service manager might allow them."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def start_bystander(test, directory):
    """A process that takes no such care as ours, for comparison."""
    process = subprocess.Popen(["sleep", "600"], cwd=directory, preexec_fn=without_limit,
                               **unprivileged())
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
    return process


def crash(process):
    """Lets a process crash; says whether the system has written a core of it."""
    process.send_signal(signal.SIGSEGV)
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert ended.si_status == signal.SIGSEGV, ended
    return ended.si_code == os.CLD_DUMPED


class Core(Secret):
    """A crash leaves no image of the memory, and nobody of the same account looks into it."""

    def start(self, world):
        """A pass that hangs: the key is in memory."""
        world.sandbox.fault("call=list,do=hang")
        process = world.start("run", cwd=world.files, preexec_fn=without_limit)
        wait_for(lambda: world.sandbox.requests("list"), "a request")
        return process.popen

    def test_the_limit_is_zero(self):
        process = self.start(self.world())
        limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text(encoding="utf-8")
        self.assertRegex(limits, r"(?m)^Max core file size +0 +0 ")


@needs_plain
class CoreOfPlainBuild(Core):
    """What the leak checker of a sanitized build cannot do with."""

    def start(self, world):
        """As an account without privileges, which has all the files that it needs."""
        program = world.files / "inviterd"
        shutil.copy(PLAIN, program)
        self.program = str(program)
        if os.geteuid() == 0:
            for path in (world.directory, *world.directory.rglob("*")):
                os.chown(path, 65534, 65534)
        world.sandbox.fault("call=list,do=hang")
        process = world.start("run", cwd=world.files, preexec_fn=without_limit, **unprivileged())
        wait_for(lambda: world.sandbox.requests("list"), "a request")
        return process.popen

    def may_read(self, pid, name):
        """Whether another process of that account may read it."""
        return subprocess.run(["head", "-c1", f"/proc/{pid}/{name}"], capture_output=True,
                              check=False, **unprivileged()).returncode == 0

    def test_the_same_account_cannot_look_into_it(self):
        world = self.world()
        process, bystander = self.start(world), start_bystander(self, world.files)
        for name in ("environ", "maps"):
            self.assertTrue(self.may_read(bystander.pid, name))
            self.assertFalse(self.may_read(process.pid, name))

    def test_a_crash_leaves_no_core(self):
        world = self.world()
        process = self.start(world)
        self.assertFalse(crash(process))
        self.assertEqual([path.name for path in world.files.glob("*core*")], [])
        # On a system that keeps cores, this is one that there would have been.
        if not crash(start_bystander(self, world.files)):
            self.skipTest("this system writes no cores of anybody")


if __name__ == "__main__":
    harness.main(workers=4)

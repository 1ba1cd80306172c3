"""A booted Debian, and what a test does with it from outside.

A Machine boots an overlay of layers (see images.py) in a systemd-nspawn container of its own, with a
network of its own in which there is nothing but loopback. `run` runs a program in it, `path` names
one of its files, `sandbox` starts a local organisation in its network. Its keeper (keeper.py) tears
all of it down at `close`, and also when the test dies.
"""

import ctypes
import json
import pathlib
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time

from capability import CACHE

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))

from harness import PATIENCE, Sandbox  # noqa: E402

CLONE_NEWNET = 0x40000000
# For programs in the machine. No pager, no colours, and times of day in UTC.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb", "DEBIAN_FRONTEND": "noninteractive"}


class Done:
    """A program that has ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def __str__(self):
        return f"{shlex.join(self.arguments)}\nexit {self.code}\n{self.out}\n{self.err}"


class Machine:
    def __init__(self, layers, files=None):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="running-", dir=CACHE))
        if files:
            layers = [self.lay(files), *layers]
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", sys.executable,
             str(HERE / "keeper.py"), str(self.scratch), ":".join(map(str, layers))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, text=True)
        self.leader = self.keeper.stdout.readline().strip()
        if not self.leader:
            raise RuntimeError(f"no container: {self.keeper.communicate()[1]}")
        self.root = pathlib.Path(f"/proc/{self.leader}/root")
        try:
            self.wait_booted()
        except BaseException:
            self.close()
            raise

    def lay(self, files):
        """A layer of texts by path (or symlinks as paths), which are there at the boot."""
        layer = self.scratch / "files"
        layer.mkdir(0o755)
        for name, content in files.items():
            path = layer / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, pathlib.Path):
                path.symlink_to(content)
            else:
                path.write_text(content, encoding="utf-8")
        return layer

    def console(self):
        path = self.scratch / "console"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def wait_booted(self):
        deadline = time.monotonic() + 2 * PATIENCE
        state = None
        while state not in ("running", "degraded"):
            if time.monotonic() > deadline or self.keeper.poll() is not None:
                raise RuntimeError(f"not booted: {state}\n{self.console()}")
            time.sleep(0.05)
            state = self.run("systemctl", "is-system-running", "--wait", check=False).out.strip()
        if state == "degraded":
            raise RuntimeError(self.run("systemctl", "--failed", "--no-legend").out + self.console())

    def close(self):
        """Leaves nothing of the machine behind."""
        err = self.keeper.communicate(timeout=2 * PATIENCE)[1]
        if self.keeper.returncode != 0 or self.scratch.exists():
            raise RuntimeError(f"the keeper ended with {self.keeper.returncode}: {err}")

    def power_off(self):
        """Shuts down as an administrator does, and waits until all is gone."""
        self.run("systemctl", "poweroff", check=False)
        self.keeper.wait(2 * PATIENCE)
        self.close()

    # ---- programs ----

    def command(self, *arguments):
        return ["nsenter", f"--target={self.leader}", "--all", "--root", "--wdns=/root", *arguments]

    def start(self, *arguments):
        """A program under way in the machine, with which it dies."""
        return subprocess.Popen(self.command(*arguments), env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run(self, *arguments, check=True, text=None, seconds=2 * PATIENCE):
        """Runs a program to its end; with `check` its exit code must be 0. `text` is its input."""
        done = subprocess.run(self.command(*arguments), env=ENVIRONMENT, capture_output=True,
                              text=True, errors="replace", timeout=seconds, check=False,
                              **({"input": text} if text is not None
                                 else {"stdin": subprocess.DEVNULL}))
        done = Done(list(arguments), done.returncode, done.stdout, done.stderr)
        assert not check or done.code == 0, str(done)
        return done

    def shell(self, script, **options):
        return self.run("bash", "-euc", script, **options)

    # ---- systemd ----

    def show(self, unit, *names):
        """Properties of a unit: one as a string, or several as a dictionary."""
        out = self.run("systemctl", "show", unit, f"--property={','.join(names)}").out
        found = dict(line.split("=", 1) for line in out.splitlines())
        return found[names[0]] if len(names) == 1 else found

    def drop_in(self, unit, **settings):
        """Settings of the unit's [Service] in place of its own."""
        text = "[Service]\n" + "".join(f"{name}={value}\n" for name, value in settings.items())
        self.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.run("systemctl", "daemon-reload")

    def journal(self, *arguments):
        """Entries as dictionaries, the oldest first."""
        out = self.run("journalctl", "--output=json", "--all", "--quiet", *arguments).out
        return [json.loads(line) for line in out.splitlines()]

    # ---- files ----

    def path(self, name):
        """A file of the machine as it is named from outside; for absolute symlinks of no use."""
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        """Writes a file in place, with the directories above it."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode)
        path.chmod(mode)
        path.write_text(text, encoding="utf-8")

    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    # ---- network ----

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        """A socket that lives in the machine's network. Only threads can change theirs."""
        made = []

        def make():
            with open(f"/proc/{self.leader}/ns/net", "rb") as network:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(network.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket(family, kind))
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def connect(self, port):
        connection = self.socket()
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", port))
        return connection

    def sandbox(self, *options, directory=None, **more):
        """Starts a local organisation in the machine's network."""
        return Sandbox(directory or self.scratch, *options, inside=self, **more)

    def prefix(self):
        """What runs a program of this host in the machine's network."""
        return ["nsenter", f"--net=/proc/{self.leader}/ns/net"]

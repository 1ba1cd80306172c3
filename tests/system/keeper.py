#!/usr/bin/env python3
"""Owns one booted container, and leaves nothing of it behind, however its owner ends.

    unshare --mount --propagation private keeper.py SCRATCH LAYER[:LAYER…]

Boots an overlay of the layers (the first is uppermost), whose changes lie in the directory SCRATCH.
Prints the pid of the container's init, and ends when standard input ends (so also when whoever
started it was killed) or when the container has powered off: it then kills what is left in the
control group, and removes the group and SCRATCH. The mount ends with its mount namespace.
"""

import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import time

CGROUPS = pathlib.Path("/sys/fs/cgroup")
PATIENCE = 60
PR_SET_PDEATHSIG = 1


def mount(*arguments, **options):
    subprocess.run(["mount", *arguments], check=True, **options)


def overlay_options(layers, upper, work, here):
    """For mount in the directory here: the kernel takes only 256 characters for all layers."""
    lower = ":".join(os.path.relpath(layer, here) for layer in layers)
    return f"lowerdir={lower},upperdir={upper},workdir={work}"


def make_cgroup(name):
    """A control group below our own. Older hosts show version 2 elsewhere: here it is as of today."""
    shown = subprocess.run(["stat", "-f", "-c", "%T", CGROUPS], stdout=subprocess.PIPE, check=True)
    if shown.stdout.strip() != b"cgroup2fs":
        mount("-t", "cgroup2", "cgroup2", str(CGROUPS))
    lines = pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    own = [line[3:] for line in lines if line.startswith("0::")][0]
    group = CGROUPS / own.lstrip("/") / name
    group.mkdir()
    return group


def remove_cgroup(group):
    (group / "cgroup.kill").write_text("1", encoding="ascii")
    deadline = time.monotonic() + PATIENCE
    while "populated 1" in (group / "cgroup.events").read_text(encoding="ascii"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{group} does not empty")
        time.sleep(0.01)
    for directory, _, _ in os.walk(group, topdown=False):
        os.rmdir(directory)


def boot(scratch, layers, group):
    """Starts the container in the control group; it dies with us."""
    for name in ("upper", "work", "root"):
        (scratch / name).mkdir()
    options = overlay_options(layers.split(":"), scratch / "upper", scratch / "work", scratch)
    mount("-t", "overlay", "overlay", "-o", options, scratch / "root", cwd=scratch)

    def enter():
        (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    with open(scratch / "console", "wb") as console:
        return subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
             "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe",
             f"--directory={scratch}/root", f"--machine=inviterd-{os.getpid()}", "--boot",
             "systemd.unified_cgroup_hierarchy=1"],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=enter)


def find_leader(nspawn):
    """The init of the container: the child that lives in another pid namespace."""
    children = pathlib.Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and nspawn.poll() is None:
        for child in children.read_text(encoding="ascii").split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                command = pathlib.Path(f"/proc/{child}/comm").read_text(encoding="ascii").strip()
                if command == "systemd" and \
                        os.readlink(f"/proc/{child}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                    return child
        time.sleep(0.01)
    return None


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    scratch, layers = pathlib.Path(sys.argv[1]), sys.argv[2]
    group = make_cgroup(f"inviterd-{scratch.name}")
    try:
        nspawn = boot(scratch, layers, group)
        leader = find_leader(nspawn)
        if leader:
            print(leader, flush=True)
            select.select([sys.stdin, os.pidfd_open(nspawn.pid)], [], [])
        else:
            sys.stderr.write((scratch / "console").read_text(errors="replace"))
    finally:
        remove_cgroup(group)
        if os.path.ismount(scratch / "root"):
            subprocess.run(["umount", scratch / "root"], check=True)
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()

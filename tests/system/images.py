"""Debian 12 and 13 on disk, made by debootstrap and kept between runs.

An image is a list of layers, directories for overlayfs, the uppermost first:

    base     a small Debian that boots, with the libraries that the package needs
    tools    promtool, and settings
    build    what builds the package

They lie in INVITERD_SYSTEM_CACHE (/var/cache/inviterd-system-tests) under RELEASE-DIGEST, where the
digest is that of all that goes into them: so a change makes them anew. A file `complete` is written
last; without it, what is there is removed and made again.
"""

import contextlib
import fcntl
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile

from capability import CACHE
from keeper import overlay_options

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a booted machine needs besides the essential packages and apt (systemd-analyze verify asks man);
# promtool is added to it.
BASE = "systemd systemd-sysv dbus ca-certificates procps man-db iproute2 libjansson4".split()
LIBRARIES = {"bookworm": "libcurl4 libconfig9 libssl3", "trixie": "libcurl4t64 libconfig11 libssl3t64"}
PROMTOOL = {"bookworm": "prometheus", "trixie": "promtool"}

# In memory, where it need not wait for the disk after each package.
DEBOOTSTRAP = """
mkdir "$1" "$1.memory"
mount -t tmpfs -o mode=755 tmpfs "$1.memory"
debootstrap --variant=minbase --include="$2" "$3" "$1.memory" $4
cp --archive "$1.memory/." "$1"
"""
# As root of the new Debian, with its /proc. promtool comes without the server that may be around it.
ADD_TOOLS = """
echo debian >/etc/hostname
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/tests
echo man-db man-db/auto-update boolean false | debconf-set-selections
apt-get update -qq
cd /tmp
apt-get download -qq {promtool}
dpkg -x ./*.deb unpacked
mv unpacked/usr/bin/promtool /usr/local/bin/
rm -r /var/lib/apt/lists
apt-get clean
"""
ADD_BUILD = """
apt-get update -qq
apt-get install -y -qq --no-install-recommends {packages}
rm -r /var/lib/apt/lists
apt-get clean
"""


def build_depends():
    """What builds the package, according to packaging/build-depends, and what judges it."""
    text = (ROOT / "packaging" / "build-depends").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    return ["lintian"] + [words[0] for words in lines
                          if words and (not words[1:] or "package" in words[1:])]


def shown(command):
    """The lines that a program of the host prints; none where there is no such program."""
    with contextlib.suppress(OSError):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False)
        return done.stdout.splitlines()
    return []


def mirror(release):
    """Where this machine has its own Debian from, so that a nearer mirror serves ours, too."""
    wanted = "$(REPO_URI) $(COMPONENT) $(CODENAME) $(ORIGIN)"
    for line in shown(["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"]):
        uri, component, codename, origin = (line.split() + [""] * 4)[:4]
        if (component, origin) == ("main", "Debian") and codename in ("bookworm", "trixie", release):
            return uri
    return ""


def apt_options():
    """How this machine fetches packages: proxies, and the like."""
    lines = shown(["apt-config", "dump"])
    return "".join(line + "\n" for line in lines
                   if re.match(r"Acquire::(http|https|Check|Retries|ForceIPv)", line))


def digest(release):
    """Of all that decides what the layers hold."""
    parts = [release, *BASE, LIBRARIES[release], PROMTOOL[release], DEBOOTSTRAP, ADD_TOOLS,
             ADD_BUILD, *build_depends()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


# It mounts for itself, and dies with whoever started it, and all that it started with it.
GUARDED = ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--propagation", "private", "--pid",
           "--fork", "--kill-child"]


def run(command, log, **options):
    """Runs a program of the making; its output is shown if it fails."""
    with open(log, "ab+") as stream:
        done = subprocess.run([*GUARDED, *command], stdin=subprocess.DEVNULL, stdout=stream,
                              stderr=subprocess.STDOUT, check=False, **options)
        if done.returncode != 0:
            stream.seek(0)
            text = stream.read().decode(errors="replace")
            raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{text[-8000:]}")


def run_inside(layers, upper, script, log, network=False):
    """Runs a shell script in an overlay of the layers; what it changes goes to the directory upper."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=upper.parent) as directory:
        work, root = pathlib.Path(directory) / "work", pathlib.Path(directory) / "root"
        work.mkdir()
        root.mkdir()
        upper.mkdir(exist_ok=True)
        options = overlay_options(layers, upper, work, directory)
        around = (f"mount -t overlay overlay -o {options} {root}\n"
                  f"mount -t proc proc {root}/proc\n"
                  f"mount -t tmpfs tmpfs {root}/tmp\n"
                  f'exec chroot {root} sh -euc "$1"')
        run([*([] if network else ["unshare", "--net"]), "sh", "-euc", around, "sh", script], log,
            cwd=directory,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})


def make(release, directory):
    """Makes the layers in an empty directory."""
    base, log = directory / "base", directory / "log"
    packages = ",".join(BASE + LIBRARIES[release].split())
    run(["sh", "-euc", DEBOOTSTRAP, "sh", str(base), packages, release, mirror(release)], log)
    (directory / "base.memory").rmdir()
    (base / "etc/apt/apt.conf.d/tests").write_text(apt_options(), encoding="utf-8")
    tools = directory / "tools"
    run_inside([base], tools, ADD_TOOLS.format(promtool=PROMTOOL[release]), log, network=True)
    script = ADD_BUILD.format(packages=" ".join(build_depends()))
    run_inside([tools, base], directory / "build", script, log, network=True)


class Image:
    """The layers of a release. As long as it is held, nobody removes them."""

    def __init__(self, release):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.directory = CACHE / f"{release}-{digest(release)}"
        self.lock = open(f"{self.directory}.lock", "w", encoding="ascii")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        if not (self.directory / "complete").exists():
            shutil.rmtree(self.directory, ignore_errors=True)
            self.remove_others(release)
            self.directory.mkdir()
            make(release, self.directory)
            (self.directory / "complete").touch()
        fcntl.flock(self.lock, fcntl.LOCK_SH)
        self.base = [self.directory / "tools", self.directory / "base"]
        self.build = [self.directory / "build", *self.base]

    def remove_others(self, release):
        """Removes what an earlier list of packages has left, unless it is in use."""
        for lock in CACHE.glob(f"{release}-*.lock"):
            with open(lock, "w", encoding="ascii") as stream, contextlib.suppress(BlockingIOError):
                if lock.stem == self.directory.name:
                    continue
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink()

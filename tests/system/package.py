"""The Debian package of this tree, built for a release, and kept until the tree changes.

    deb        as packaging/build-deb makes it
    again      the same, built at another place, in another time zone, with another umask
    newer      the same with a higher version, to upgrade to
    lintian    what lintian says about it
    installed  the layers of a machine on which it is installed and not yet set up
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import time

import images
from images import ROOT

# The sources are laid below /src; the network is cut off meanwhile.
BUILD = """
cd /src
packaging/build-deb /out
cp -r /src /var/tmp/elsewhere
(umask 077; cd /; TZ=Asia/Tokyo /var/tmp/elsewhere/packaging/build-deb /out/again)
cd /out
lintian --info --fail-on=none --allow-root ./*.deb >lintian
dpkg-deb --raw-extract ./*.deb newer
sed -i 's/^Version: .*/&+newer/' newer/DEBIAN/control
dpkg-deb --build newer again/newer.deb
cc -shared -fPIC -o no_timeout.so /src/tests/faults/no_timeout.c
rm -r newer
"""
INSTALL = """
dpkg --install /out/inviterd_*.deb
rm -r /out
"""


def sources():
    """The files of the tree but for these tests, committed or not yet."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached",
                             "--others", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE,
                            check=True).stdout.decode()
    return sorted(name for name in set(listed.split("\0"))
                  if name and not name.startswith("tests/system/") and (ROOT / name).is_file())


def digest(names):
    whole = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for name in names:
        path = ROOT / name
        whole.update(f"\0{name}\0{path.stat().st_mode & 0o111}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def copy(names, directory):
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, directory / name)


class Package:
    def __init__(self, image):
        names = sources()
        self.image = image
        all_of_them = image.directory / "packages"
        all_of_them.mkdir(exist_ok=True)
        self.directory = all_of_them / digest(names)
        with open(all_of_them / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.directory / "complete").exists():
                shutil.rmtree(self.directory, ignore_errors=True)
                self.directory.mkdir()
                self.make(names)
                (self.directory / "complete").touch()
                self.remove_others()
            (self.directory / "complete").touch()
        self.installed = [self.directory / "installed", *image.base]
        out = self.directory / "out"
        self.deb, = out.glob("inviterd_*.deb")
        self.again, = (out / "again").glob("inviterd_*.deb")
        self.newer = out / "again" / "newer.deb"
        self.lintian = (out / "lintian").read_text(encoding="utf-8")
        # To be preloaded: libcurl forgets its time-outs.
        self.no_timeout = out / "no_timeout.so"

    def make(self, names):
        log, installed = self.directory / "log", self.directory / "installed"
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.directory) as directory:
            upper = pathlib.Path(directory) / "upper"
            copy(names, upper / "src")
            images.run_inside(self.image.build, upper, BUILD, log)
            shutil.copytree(upper / "out", self.directory / "out")
        shutil.copytree(self.directory / "out", installed / "out")
        images.run_inside(self.image.base, installed, INSTALL, log)

    def remove_others(self):
        """Keeps what was used within a day: another run may just use it."""
        for path in self.directory.parent.glob("*/complete"):
            if time.time() - path.stat().st_mtime > 86400:
                shutil.rmtree(path.parent)

#!/usr/bin/env python3
"""What an installation consists of, as far as it shows without root: the units, what meson installs, and
that the lists of the package agree. tests/system installs and boots the package itself."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("INVITERD_BUILD")
UNITS = ("inviterd.service", "inviterd@.service")
DEBIAN = ROOT / "packaging" / "debian"

# What is installed: path and mode. Compressed manuals and the like are the package's affair.
INSTALLED = {
    "etc/inviterd/inviterd.conf": 0o644,
    "etc/inviterd/members.conf": 0o644,
    "usr/lib/systemd/catalog/inviterd.catalog": 0o644,
    "usr/lib/systemd/system/inviterd.service": 0o644,
    "usr/lib/systemd/system/inviterd@.service": 0o644,
    "usr/sbin/inviterd": 0o755,
    "usr/share/bash-completion/completions/inviterd": 0o644,
    "usr/share/doc/inviterd/examples/encrypted-credential.conf": 0o644,
    "usr/share/doc/inviterd/examples/members.conf": 0o644,
    "usr/share/doc/inviterd/examples/members.json": 0o644,
    "usr/share/man/man5/inviterd-members.5": 0o644,
    "usr/share/man/man5/inviterd.conf.5": 0o644,
    "usr/share/man/man8/inviterd.8": 0o644,
    "usr/share/zsh/vendor-completions/_inviterd": 0o644,
}


def read(path):
    return path.read_text(encoding="utf-8")


def settings_of(path):
    """The lines of a unit that are no comments."""
    return [line for line in read(path).splitlines() if line and not line.startswith("#")]


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    return done.returncode, done.stdout


class Folder(unittest.TestCase):
    def folder(self):
        path = pathlib.Path(tempfile.mkdtemp(prefix="inviterd-packaging-")).resolve()
        self.addCleanup(shutil.rmtree, path)
        return path


class Units(Folder):
    def test_the_instance_is_the_service_but_for_its_name(self):
        service, instance = (settings_of(ROOT / "systemd" / name) for name in UNITS)
        replacements = (("/usr/sbin/inviterd run", "/usr/sbin/inviterd run --instance %i"),
                        ("member file", "member file (%i)"),
                        ("/etc/inviterd/", "/etc/inviterd/%i/"),
                        ("Directory=inviterd", "Directory=inviterd-%i"),
                        ("/run/inviterd ", "/run/inviterd-%i "),
                        ("/var/lib/inviterd", "/var/lib/inviterd-%i"))
        wanted = "\n".join(service)
        for old, new in replacements:
            self.assertIn(old, wanted)
            wanted = wanted.replace(old, new)
        self.assertEqual("\n".join(instance), wanted)

    def test_the_credential_is_named_the_same_everywhere(self):
        plain, = (line for line in settings_of(ROOT / "systemd" / "inviterd.service")
                  if line.startswith("LoadCredential="))
        self.assertEqual(settings_of(ROOT / "systemd" / "encrypted-credential.conf"),
                         ["[Service]", "LoadCredential=",
                          plain.replace("LoadCredential=", "LoadCredentialEncrypted=") + ".cred"])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_exposure_is_low(self):
        for name in UNITS:
            code, said = run("systemd-analyze", "security", "--no-pager", "--offline=yes",
                             "--threshold=12", ROOT / "systemd" / name)
            self.assertEqual(code, 0, said)
            figure = re.search(r"Overall exposure level for .*: ([\d.]+)", said).group(1)
            self.assertLessEqual(float(figure), 1.2)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_verify_has_nothing_to_say(self):
        """Of copies that run the program that was built: none needs to be installed here."""
        folder, program = self.folder(), shutil.which("true")
        for name in UNITS:
            path = folder / name.replace("@", "@trial")
            text = read(ROOT / "systemd" / name)
            path.write_text(text.replace("/usr/sbin/inviterd", program).replace("=kill ", "=true "),
                            encoding="utf-8")
            self.assertEqual(run("systemd-analyze", "verify", "--man=no", path), (0, ""))


@unittest.skipUnless(BUILD, "INVITERD_BUILD names no build directory")
class Installation(Folder):
    def install(self, folder):
        code, said = run("meson", "install", "--no-rebuild", "-C", BUILD,
                         env={**os.environ, "DESTDIR": str(folder)}, umask=0o077)
        self.assertEqual(code, 0, said)

    def test_installs_all_with_safe_modes(self):
        folder = self.folder()
        self.install(folder)
        found = {str(path.relative_to(folder)): path.stat().st_mode & 0o7777
                 for path in folder.rglob("*") if not path.is_dir()}
        self.assertEqual(found, INSTALLED)
        for path in (folder / "etc").rglob("*"):
            if path.is_dir():
                self.assertEqual(path.stat().st_mode & 0o7777, 0o755, path)

    def test_leaves_what_an_administrator_changed(self):
        folder = self.folder()
        self.install(folder)
        (folder / "etc/inviterd/members.conf").write_text("mine", encoding="utf-8")
        (folder / "etc/inviterd/inviterd.conf").unlink()
        self.install(folder)
        self.assertEqual(read(folder / "etc/inviterd/members.conf"), "mine")
        self.assertEqual(read(folder / "etc/inviterd/inviterd.conf"),
                         read(ROOT / "config" / "inviterd.conf"))


class Package(Folder):
    def test_version_is_that_of_the_program(self):
        version = re.search(r"^ *version: '(.*)',$", read(ROOT / "meson.build"), re.M).group(1)
        packaged = re.match(r"inviterd \((.*)-\d+\) ", read(DEBIAN / "changelog")).group(1)
        self.assertEqual(packaged, version)

    def test_build_depends_on_what_is_listed(self):
        lines = re.sub("#.*", "", read(ROOT / "packaging" / "build-depends")).splitlines()
        listed = {words[0]: words[1:] for words in map(str.split, lines) if words}
        for package, purposes in listed.items():
            self.assertLessEqual(set(purposes), {"demo", "check", "package"}, package)
        field = re.search(r"^Build-Depends:\n((?: .*\n)+)", read(DEBIAN / "control"), re.M).group(1)
        wanted = {re.match(r" ([a-z0-9.+-]+)", line).group(1) for line in field.splitlines()}
        self.assertGreater(len(wanted), 5)
        wanted = {"debhelper" if name == "debhelper-compat" else name for name in wanted}
        there = {name for name, purposes in listed.items() if not purposes or "package" in purposes}
        # Those that every package is built with need not stand in debian/control.
        self.assertEqual(there - {"build-essential", "gcc", "libc6-dev"}, wanted)

    def test_purge_knows_where_things_are(self):
        """What the units name is what a purge removes."""
        unit, postrm = read(ROOT / "systemd" / "inviterd.service"), read(DEBIAN / "inviterd.postrm")
        key = re.search(r"^LoadCredential=.*:/etc/inviterd/(.*)$", unit, re.M).group(1)
        state = re.search(r"^StateDirectory=(.*)$", unit, re.M).group(1)
        for word in (f'"$1/{key}"', f'"$1/{key}.cred"', f"/var/lib/{state} /var/lib/{state}-*",
                     f"/var/lib/private/{state} /var/lib/private/{state}-*",
                     '"$directory/encrypted-credential.conf"'):
            self.assertIn(word, postrm)

    def test_scripts_parse(self):
        scripts = [*DEBIAN.glob("inviterd.p*"), ROOT / "packaging" / "build-deb",
                   ROOT / "packaging" / "install-build-depends", ROOT / "config" / "install-missing"]
        self.assertEqual(len(scripts), 6)
        for script in scripts:
            self.assertEqual(run("sh", "-n", script), (0, ""), script)


if __name__ == "__main__":
    unittest.main()

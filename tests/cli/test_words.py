#!/usr/bin/env python3
"""The words for users are complete: the catalog, the manual pages and the completions name all that
the program knows, and nothing else."""

import os
import pathlib
import pty
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import INVITERD, TestCase, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATALOG = ROOT / "systemd" / "inviterd.catalog"
COMPLETIONS = ROOT / "packaging" / "completions"
MAN = ROOT / "packaging" / "man"
PAGES = ("inviterd.8", "inviterd.conf.5", "inviterd-members.5")


def read(path):
    return path.read_text(encoding="utf-8")


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


def folder(test):
    path = pathlib.Path(tempfile.mkdtemp(prefix="inviterd-words-")).resolve()
    test.addCleanup(shutil.rmtree, path)
    return path


# ---- what the program knows ----


def help_part(title):
    text = subprocess.run([INVITERD, "--help"], env=harness.environment(), capture_output=True,
                          check=True, text=True).stdout
    return text.partition(f"{title}:\n")[2].partition("\n\n")[0]


def commands():
    return re.findall(r"^  (\w+)", help_part("Commands"), re.M)


def long_options():
    """The long options, without their dashes, and whether each takes a value."""
    found = re.findall(r"^ +(?:-\w, )?--([a-z-]+)( [A-Z]+)?", help_part("Options"), re.M)
    return {name: bool(value) for name, value in found}


def settings():
    """The keys that codec/settings.c knows, without those of groups."""
    source = read(ROOT / "src" / "codec" / "settings.c")
    lists = re.findall(r"static const char \*const keys\[\] = \{(.*?)\};", source, re.S)
    names = {name for one in lists for name in re.findall(r'"(\w+)"', one)}
    return names - {"inviterd", "api", "limits"}


def words_of(file, name):
    """The strings that a function hands out, or that a table holds."""
    source = read(ROOT / "src" / file)
    body = re.search(rf"^(const char \*{name}\(|static const char [^\n]*\b{name}\[).*?^}}",
                     source, re.S | re.M).group(0)
    words = {word for word in re.findall(r'"([^"]*)"', body) if word}
    assert words, f"no words in {name}"
    return words


class Sources(TestCase):
    def test_are_read_as_they_are_meant(self):
        """The readers above find what has been there all along."""
        self.assertLessEqual({"check", "plan", "apply", "run", "list", "show"}, set(commands()))
        options = long_options()
        self.assertTrue(options["config"] and options["approve"])
        self.assertFalse(options["all"] or options["dry-run"])
        self.assertLessEqual({"policy", "base_url", "renewals"}, settings())
        self.assertIn("expired-undeclared", words_of("core/verdict.c", "reason_word"))


# ---- the catalog ----


def catalog():
    """The entries as (id, text)."""
    parts = re.split(r"^-- ([0-9a-f]{32})\n", read(CATALOG), flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


class Catalog(TestCase):
    def test_explains_each_event_once(self):
        source = read(ROOT / "src" / "app" / "events.h")
        events = re.findall(r'^#define EVENT_\w+\s+"([0-9a-f]{32})"$', source, re.M)
        self.assertEqual(source.count("#define EVENT_"), len(events))
        self.assertEqual(len(set(events)), len(events))
        self.assertCountEqual([entry for entry, _ in catalog()], events)

    def test_entries_are_whole(self):
        journal = read(ROOT / "src" / "io" / "journal.c")
        fields = {"MESSAGE", *re.findall(r"INVITERD_[A-Z_]+", journal)}
        for entry, text in catalog():
            with self.subTest(entry):
                header, _, body = text.partition("\n\n")
                self.assertRegex(header, r"^Subject: \S.*\nDefined-By: inviterd\n"
                                         r"Support: man:inviterd\(8\)$")
                self.assertGreater(len(body), 100)
                self.assertLessEqual(set(re.findall(r"@(\w+)@", text)), fields)
        for line in read(CATALOG).splitlines():
            self.assertLessEqual(len(line), 80, line)
            self.assertTrue(line.isascii(), line)

    @needs("journalctl")
    def test_is_taken_by_journalctl(self):
        root = folder(self)
        catalogs = root / "usr" / "lib" / "systemd" / "catalog"
        catalogs.mkdir(parents=True)
        (root / "var" / "lib" / "systemd" / "catalog").mkdir(parents=True)
        shutil.copy(CATALOG, catalogs)
        run = subprocess.run(["journalctl", "--update-catalog", f"--root={root}"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=harness.environment(SYSTEMD_LOG_LEVEL="debug"))
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn(f"Found {len(catalog())} items in catalog.", run.stdout)
        for line in run.stdout.splitlines():
            self.assertRegex(line, "^(Reading file|Found|.*: wrote)")


# ---- the manual ----


class Manual(TestCase):
    def test_names_each_command_and_option(self):
        page = read(MAN / "inviterd.8")
        items = re.findall(r"^\.It Cm (\w+)", page, re.M)
        self.assertCountEqual(items, commands())
        part = page.partition("\n.Sh OPTIONS")[2].partition("\n.Sh ")[0]
        options = re.findall(r"^\.It .*?Fl -([a-z-]+)", part, re.M)
        self.assertCountEqual(options, long_options())
        # Nor is any named that is not there.
        self.assertLessEqual(set(re.findall(r"\bFl -([a-z-]+)", page)), set(options))

    def test_names_each_setting(self):
        page = read(MAN / "inviterd.conf.5")
        self.assertCountEqual(re.findall(r"^\.It Ic (\w+) No =", page, re.M), settings())

    def test_names_each_metric(self):
        source = read(ROOT / "src" / "codec" / "metricstext.c")
        page = read(MAN / "inviterd.conf.5").partition(".Sh METRICS")[2]
        found = re.findall(r"^\.It Li (inviterd_\w+)", page, re.M)
        self.assertCountEqual(found, set(re.findall(r'"(inviterd_\w+)"', source)))

    def test_explains_each_word(self):
        page = read(MAN / "inviterd.8")
        for kind, words in {
                "reason": words_of("core/verdict.c", "reason_word"),
                "action": words_of("core/verdict.c", "action_word"),
                "result": words_of("core/verdict.c", "result_word"),
                "state": words_of("codec/statustext.c", "state_words"),
                "limit": words_of("core/limits.c", "limit_word") - {"limit"}}.items():
            for word in words:
                with self.subTest(kind, word=word):
                    self.assertRegex(page, rf"(?m)^\.It Li {word}$")

    def test_knows_no_other_reason(self):
        page = read(MAN / "inviterd.8")
        table = page.partition("file     user ")[2].partition(".Ed")[0].splitlines()[1:]
        lists = page.partition("People who are declared:")[2].partition(".Ss")[0]
        reasons = words_of("core/verdict.c", "reason_word")
        self.assertLessEqual({line.split()[-1] for line in table}, reasons)
        self.assertEqual(set(re.findall(r"(?m)^\.It Li ([\w-]+)$", lists)), reasons)

    def test_names_each_exit_code(self):
        codes = re.findall(r"^    EXIT_\w+ = (\d+)", read(ROOT / "src" / "app" / "options.h"), re.M)
        page = read(MAN / "inviterd.8").partition(".Sh EXIT STATUS")[2].partition("\n.Sh ")[0]
        self.assertCountEqual(re.findall(r"^\.It (\d+)$", page, re.M), codes)

    @needs("mandoc")
    def test_is_clean(self):
        for name in PAGES:
            with self.subTest(name):
                run = subprocess.run(["mandoc", "-Tlint", "-Wstyle", str(MAN / name)],
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                # Our own pages and those of systemd need not be installed where this is tested.
                found = [line for line in run.stdout.splitlines()
                         if "referenced manual not found" not in line and
                         "outdated mandoc.db" not in line]
                self.assertEqual(found, [])


class Configuration(TestCase):
    def test_names_each_setting(self):
        """Each stands in the example, in force or as a comment at the beginning of a line."""
        text = read(ROOT / "config" / "inviterd.conf")
        for name in settings():
            with self.subTest(name):
                self.assertRegex(text, rf"(?m)^ +(# )?{name} += \S+;")


# ---- the completions ----


class Shell:
    """An interactive shell in which `inviterd` writes down its arguments."""

    def __init__(self, test, command, *setup):
        self.directory = folder(test)
        self.report = self.directory / "report"
        terminal, side = pty.openpty()
        self.popen = subprocess.Popen(command, stdin=side, stdout=side, stderr=side,
                                      start_new_session=True, cwd=self.directory,
                                      env=harness.environment(TERM="xterm", HOME=str(self.directory),
                                                              INPUTRC="/dev/null"))
        os.close(side)
        self.terminal, self.screen = terminal, b""
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()
        test.addCleanup(self._end)
        report = shlex.quote(str(self.report))
        for line in (*setup, f"inviterd() {{ printf '%s\\n' \"$@\" >{report}.new; "
                             f"mv {report}.new {report}; }}"):
            self._type(line + "\r")

    def _collect(self):
        try:
            while data := os.read(self.terminal, 65536):
                self.screen += data
        except OSError:
            pass

    def _type(self, text):
        os.write(self.terminal, text.encode())

    def _end(self):
        self.popen.kill()
        self.popen.wait()
        self.thread.join(harness.PATIENCE)
        os.close(self.terminal)

    def arguments(self, typed):
        """What inviterd is given after this was typed; a tab in it completes."""
        self._type(f"inviterd {typed}\r")
        wait_for(self.report.exists, f"the arguments of {typed!r}: {self.screen[-400:]!r}")
        words = read(self.report).split("\n")[:-1]
        self.report.unlink()
        return words


class Completion:
    """What both shells do."""

    def shell(self):
        raise NotImplementedError

    def local_script(self, name):
        """The completion, with the instances of a folder of the test in place of those of /etc."""
        etc = folder(self)
        for instance in ("research", "sales"):
            (etc / instance).mkdir()
            (etc / instance / "inviterd.conf").touch()
        (etc / "nothing").mkdir()
        script = folder(self) / name
        text = read(COMPLETIONS / name)
        self.assertEqual(text.count("/etc/inviterd/"), 1)
        script.write_text(text.replace("/etc/inviterd/", f"{etc}/"), encoding="utf-8")
        return script

    def check(self, shell, typed, *wanted):
        # What only awaits more is taken back by zsh, and not by bash.
        found = [word.rstrip("=/") for word in shell.arguments(typed)]
        self.assertEqual(found, list(wanted), f"{typed!r}: {shell.screen[-400:]!r}")

    def test_commands_and_options(self):
        shell = self.shell()
        for command in commands():
            self.check(shell, command[:-1] + "\t", command)
            self.check(shell, f"--all {command[:-1]}\t", "--all", command)
        for option in long_options():
            self.check(shell, f"--{option[:-1]}\t", f"--{option}")

    def test_options_of_one_command(self):
        shell = self.shell()
        self.check(shell, "apply --appr\t", "apply", "--approve")
        self.check(shell, "run --appr\t", "run", "--appr")
        self.check(shell, "--config x run --dry\t", "--config", "x", "run", "--dry-run")
        self.check(shell, "plan --dry\t", "plan", "--dry")
        self.check(shell, "--members=run plan --dry\t", "--members=run", "plan", "--dry")

    def test_values(self):
        shell = self.shell()
        for option, values in {"--policy": ("sync", "create-only"),
                               "--users": ("off", "observe", "manage"), "-o": ("text", "json"),
                               "--output": ("text", "json"),
                               "--color": ("auto", "always", "never"),
                               "--instance": ("research", "sales")}.items():
            for value in values:
                self.check(shell, f"{option} {value[:2]}\t", option, value)
                if option.startswith("--"):
                    self.check(shell, f"{option}={value[:2]}\t", f"{option}={value}")
        self.check(shell, "--instance no\t", "--instance", "no")
        # Nothing is offered for what a person has to have read.
        (shell.directory / "abc.conf").touch()
        for typed in ("approve", "apply --approve", "show", "--base-url"):
            self.check(shell, f"{typed} a\t", *typed.split(), "a")

    def test_files(self):
        shell = self.shell()
        for name in ("one.conf", "two.json", "three.txt"):
            (shell.directory / name).touch()
        (shell.directory / "a folder").mkdir()
        (shell.directory / "a folder" / "four.conf").touch()
        self.check(shell, "-c on\t", "-c", "one.conf")
        self.check(shell, "--config=on\t", "--config=one.conf")
        self.check(shell, "-m tw\t", "-m", "two.json")
        self.check(shell, "--members a\tfo\t", "--members", "a folder/four.conf")
        self.check(shell, "--state-dir a\t", "--state-dir", "a folder")
        return shell


@needs("bash")
class Bash(Completion, TestCase):
    def shell(self):
        script = self.local_script("inviterd.bash")
        return Shell(self, ["bash", "--norc", "--noprofile", "-i"],
                     f"source {shlex.quote(str(script))}")

    def test_files(self):
        # Where nothing fits, zsh offers whatever is there; bash does not.
        shell = super().test_files()
        self.check(shell, "-c tw\t", "-c", "tw")
        self.check(shell, "--members thr\t", "--members", "thr")
        self.check(shell, "--state-dir on\t", "--state-dir", "on")


@needs("zsh")
class Zsh(Completion, TestCase):
    def shell(self):
        script = self.local_script("_inviterd")
        return Shell(self, ["zsh", "-f", "-i"], f"fpath=({shlex.quote(str(script.parent))} $fpath)",
                     "autoload -Uz compinit", "compinit -u -D")


if __name__ == "__main__":
    harness.main()

"""What the benchmarks share: where the programs are, a world to measure in, and a table.

The programs come from INVITERD and INVITERD_SANDBOX, else from the build directory INVITERD_BUILD,
else from the newest build directory beside the sources.
"""

import contextlib
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _find_programs():
    if "INVITERD" in os.environ and "INVITERD_SANDBOX" in os.environ:
        return
    builds = [os.environ["INVITERD_BUILD"]] if "INVITERD_BUILD" in os.environ else \
        ROOT.glob("build*")
    built = [pathlib.Path(build).resolve() for build in builds
             if (pathlib.Path(build) / "src" / "inviterd").exists()]
    if not built:
        sys.exit("no build directory: meson setup build --buildtype=release && ninja -C build")
    build = max(built, key=lambda path: (path / "src" / "inviterd").stat().st_mtime)
    os.environ["INVITERD"] = str(build / "src" / "inviterd")
    os.environ["INVITERD_SANDBOX"] = str(build / "tests" / "sandbox" / "inviterd-sandbox")


_find_programs()
sys.path.insert(0, str(ROOT / "tests" / "cli"))

import harness  # noqa: E402: it reads the environment when it is loaded


class Stack(contextlib.ExitStack):
    """Stands in for the test that a World belongs to."""

    addCleanup = contextlib.ExitStack.callback


@contextlib.contextmanager
def world(*sandbox_options, **settings):
    """A World without limits, for as long as the context lasts."""
    with Stack() as stack:
        limits = {"revocations": 100000, "revocation_ratio": 1.0, "invites": 100000,
                  "owner_invites": 100000}
        yield harness.World(stack, *sandbox_options, limits=limits, **settings)


def people(count):
    return [f"user{i:04}@example.com" for i in range(count)]


def print_table(titles, rows):
    """The first column to the left, the others to the right."""
    texts = [list(titles)] + [[f"{cell:.3f}" if isinstance(cell, float) else str(cell)
                               for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(titles))]
    for row in texts:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
    sys.stdout.flush()

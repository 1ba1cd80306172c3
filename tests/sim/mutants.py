#!/usr/bin/env python3
"""Proves that the simulator can fail: builds the core with one defect at a time, and lets it live.

    tests/sim/mutants.py [SEEDS [NAME…]]

SEEDS (1000) is how many lives each mutant gets at most.
Prints for each the seed that caught it and the invariant. Exits 1 if one survives.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What it is, the file of src/core, and the lines that change: each must stand there exactly once.
MUTANTS = [
    ("blind retry of a create", "writes.c", [(
        """        mark(write, CREATE_UNKNOWN, c);
        write->stage = WRITE_OPEN;""",
        """        write->stage = WRITE_READY;""")]),
    ("ledger written after the request", "writes.c", [(
        """    write->wish->seen = false;
    write->stage = WRITE_RECORDING;
    return 0;""",
        """    write->wish->seen = false;
    write->stage = WRITE_READY;
    return 0;""")]),
    ("ledger not read after a restart", "ledger.c", [(
        """    bool same_boot = ledger->boot && strcmp(ledger->boot, boot) == 0;""",
        """    bool same_boot = ledger->boot && strcmp(ledger->boot, boot) == 0;
    ledger->wish_count = ledger->deletion_count = 0;""")]),
    ("has_more ignored", "listing.c", [(
        """    if (!page->has_more)
        listing->state""",
        """        listing->state""")]),
    ("a failed page taken for the last", "pass.c", [(
        """    } else if (give_up || answer->hopeless) {
        listing_failed(pass, reason ? reason : error);""",
        """    } else if (listing_cursor(listing)) {
        listed(pass);""")]),
    ("repeated cursor followed", "listing.c", [(
        """        if (listing_find(listing, invite->id)) {""",
        """        if (listing_find(listing, invite->id) && listing->pages > 100) {""")]),
    ("an empty page after a dead cursor taken for the end", "listing.c", [(
        """    else if (!first)
        listing_cursor_died(listing);""",
        """    else if (!first)
        listing->state = LISTING_COMPLETE;""")]),
    ("ignore list not applied to one verdict", "verdict.c", [(
        """    if (members_ignored_by(inputs->members, person->address))""",
        """    if (members_ignored_by(inputs->members, person->address) && person->count < 2)""")]),
    ("delete of a look-alike id", "plan.c", [(
        """    return strcmp((*left)->invite_id, (*right)->invite_id);""",
        """    return strcasecmp((*left)->invite_id, (*right)->invite_id);""")]),
    ("limit off by one", "limits.c", [(
        """    if (found > allowed)""",
        """    if (found > (size_t)allowed + 1)""")]),
    ("limit judged after the writes", "writes.c", [(
        """            line->result = RESULT_BLOCKED;
            continue;""",
        """            line->result = RESULT_BLOCKED;""")]),
    ("replacement that creates before the delete is sure", "writes.c", [(
        """        answer->kind == ANSWER_OK || (answer->kind == ANSWER_REFUSED && answer->status == 404);""",
        """        answer->kind != ANSWER_LIMITED;""")]),
    ("settle time not waited", "ledger.c", [(
        """    } else if (!is_recent(wish->at, look->begun, look->settle) && !is_obscure(wish, look)) {""",
        """    } else if (!is_obscure(wish, look)) {""")]),
    ("429 counted as done", "writes.c", [(
        """    case ANSWER_LIMITED:
    case ANSWER_UNSENT:
        write->stage = WRITE_READY;
        break;
    case ANSWER_UNREADABLE:""",
        """    case ANSWER_LIMITED:
        mark(write, CREATE_ANSWERED, c);
        end(write, RESULT_DONE);
        break;
    case ANSWER_UNSENT:
        write->stage = WRITE_READY;
        break;
    case ANSWER_UNREADABLE:""")]),
    ("expiry judged by a wrong clock", "pass.c", [(
        """        pass->date = pass->date_stated ? answer->date : now->wall;""",
        """        pass->date = now->wall;""")]),
    ("approval reused", "pass.c", [(
        """        ledger->approvals_used++;""", "")]),
    ("every expired invite left to people", "verdict.c", [(
        """        return add_mail(j, ACTION_RENEW, REASON_INVITE_EXPIRED, j->newest_expired);""",
        """        return add(j, ACTION_ATTENTION, REASON_RENEWALS_EXHAUSTED, j->newest_expired);""")]),
    ("each mail counted twice", "writes.c", [(
        """    write->wish->mailed++;""", """    write->wish->mailed += 2;""")]),
    ("what was not sent reported as done", "writes.c", [(
        """        write->line->error = memory_format("not started: %s", why);
        end(write, RESULT_SKIPPED);""",
        """        end(write, RESULT_DONE);""")]),
    # Found by these lives in the product once.
    ("a shrunken second listing believed", "pass.c", [(
        """    if (has_vanished(pass)) {""", """    if (false) {""")]),
]


def mutate(name, file, changes):
    text = (ROOT / "src" / "core" / file).read_text(encoding="utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            raise SystemExit(f"{name}: its place in src/core/{file} has changed: correct this table")
        text = text.replace(old, new)
    return "#include <strings.h>\n" + text


def compile_c(source, directory):
    """Optimised and without sanitizers, whatever the tests are built with: many lives are lived."""
    compiled = directory / (source.parent.name + "-" + source.stem + ".o")
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-w", "-c",
                    f"-I{ROOT / 'src'}", "-iquote", str(ROOT / "src" / "core"),
                    "-iquote", str(ROOT / "tests" / "sim"), "-o", str(compiled), str(source)], check=True)
    return compiled


def compile_all(directory):
    """The simulator and the floors below it, as {source file: object}."""
    sources = [source for folder in ("src/core", "src/codec", "tests/sim")
               for source in sorted((ROOT / folder).glob("*.c"))]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return dict(zip(sources, pool.map(lambda source: compile_c(source, directory), sources)))


def build(objects, file, text):
    """The simulator with this one file of the core in place of what it was."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=next(iter(objects.values())).parent))
    source = directory / file
    source.write_text(text, encoding="utf-8")
    linked = {**objects, ROOT / "src" / "core" / file: compile_c(source, directory)}
    program = directory / "sim"
    subprocess.run([os.environ.get("CC", "gcc"), *map(str, linked.values()), "-lconfig",
                    "-ljansson", "-lcrypto", "-o", str(program)], check=True)
    return program


def live(program, seeds):
    """The last line that it printed, and whether a violation ended it."""
    done = subprocess.run([str(program), "--seed", "1", "--lives", str(seeds)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          timeout=1800)
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else "", done.returncode


def catch(mutant, seeds, objects):
    """(seed, invariant) of the life that caught it; (None, why) if it survived."""
    name, file, changes = mutant
    line, code = live(build(objects, file, mutate(name, file, changes)), seeds)
    found = re.fullmatch(r"seed (\d+): violated: (.*)", line)
    if code == 1 and found:
        return int(found.group(1)), found.group(2)
    return None, line if code != 0 else "no violation"


def catch_all(chosen, seeds):
    """Yields (mutant, seed, what) as they are caught."""
    with tempfile.TemporaryDirectory() as directory:
        objects = compile_all(pathlib.Path(directory))
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            caught = pool.map(lambda mutant: catch(mutant, seeds, objects), chosen)
            for mutant, (seed, what) in zip(chosen, caught):
                yield mutant, seed, what


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    chosen = [m for m in MUTANTS if not sys.argv[2:] or m[0] in sys.argv[2:]]
    survivors = 0
    for mutant, seed, what in catch_all(chosen, seeds):
        survivors += seed is None
        print(f"{'caught' if seed else 'SURVIVED'}: {mutant[0]}: "
              f"{f'seed {seed}: ' if seed else ''}{what}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

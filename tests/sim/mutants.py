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
        listing_failed(pass, reading, reason ? reason : error);""",
        """    } else if (listing_cursor(listing) && pass->phase == PHASE_LIST &&
               is_complete(reading == &pass->users ? &pass->first : &pass->users)) {
        listed(pass);""")]),
    ("repeated cursor followed", "listing.c", [(
        """        if (find(listing, page_id_at(listing, page, i), &index)) {""",
        """        if (find(listing, page_id_at(listing, page, i), &index) && listing->pages > 100) {""")]),
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
    # Of users.
    ("grace skipped", "ledger.c", [(
        """    if (watched < remove_after)
        return remove_after - watched;
    return user && user->passes >= 2 ? 0 : 1;""",
        """    (void)watched;
    return 0;""")]),
    ("one look is enough", "ledger.c", [(
        """    return user && user->passes >= 2 ? 0 : 1;""", """    return 0;""")]),
    ("grace counted over downtime", "observe.c", [(
        """    if (!same || o->begun < known->at ||""", """    (void)same;
    if (o->begun < known->at ||""")]),
    ("grace counted over a time without a look", "observe.c", [(
        """    if (!same || o->begun < known->at || o->begun - known->at > o->gap_most)""",
        """    if (!same || o->begun < known->at)""")]),
    ("who was declared again stays due", "observe.c", [(
        """    if (o->counts && !renamed && verdict""",
        """    if (known) {
        seen.at = known->at;
        seen.passes = known->passes;
        seen.undeclared = known->undeclared;
    }
    if (o->counts && !renamed && verdict""")]),
    ("protected ignored", "verdict_user.c", [(
        """    if (is_protected(j))
        return add(j, ACTION_KEEP, REASON_PROTECTED);
""", ""), (
        """members_ignored_by(members, user->email) ||
        members_protects(members, user->email))""",
        """members_ignored_by(members, user->email))""")]),
    ("protected owner demoted", "verdict_user.c", [(
        """    if (user->role == ROLE_OWNER && is_protected(j))
        return add(j, ACTION_ATTENTION, REASON_PROTECTED);
""", "")]),
    ("last owner removed", "plan.c", [(
        """    if (count_lost_owners(inputs, plan) < plan->owners)
        return;""",
        """    return;""")]),
    ("users' second page ignored", "listing.c", [(
        """    if (!page->has_more)
        listing->state""",
        """    if (!page->has_more || listing->kind == LISTING_USERS)
        listing->state""")]),
    ("the users not waited for", "pass.c", [(
        """is_complete(&pass->first) && is_complete(&pass->users))
        listed(pass);""",
        """is_complete(&pass->first))
        listed(pass);""")]),
    ("removal without re-check", "writes.c", [(
        """    write->next = write->line->action == ACTION_SET_ROLE ? CALL_SET_ROLE : CALL_RETRIEVE_USER;""",
        """    write->next = write->line->action == ACTION_SET_ROLE ? CALL_SET_ROLE : CALL_DELETE_USER;""")]),
    ("a new role not seen by the re-check", "writes.c", [(
        """    if (now->role != planned->role)
        return "the role of the user has changed";
""", "")]),
    ("a delete of unknown outcome sent again blindly", "writes.c", [(
        """    if (write->next == CALL_DELETE_USER && unanswered)
        write->next = CALL_RETRIEVE_USER;""",
        """    if (write->next == CALL_DELETE_USER && unanswered)
        write->next = CALL_DELETE_USER;""")]),
    ("SCIM-managed removed", "verdict_user.c", [(
        """    if (j->user->is_scim_managed)
        return add(j, ACTION_ATTENTION, REASON_SCIM_MANAGED);
    if (!manages""",
        """    if (!manages"""), (
        """    if (user->is_service_account || user->is_scim_managed || !user->email ||""",
        """    if (user->is_service_account || !user->email ||""")]),
    ("create-only removes", "verdict_user.c", [(
        """    return inputs->users_mode == USERS_MANAGE && !inputs->create_only;""",
        """    return inputs->users_mode == USERS_MANAGE;""")]),
    ("removals not limited", "plan.c", [(
        """        applies |= LIMIT_REMOVALS | LIMIT_REMOVAL_RATIO;""", "        ;")]),
    ("a renamed user taken for a stranger", "observe.c", [(
        """                             members_have(o->members, known->email)));""",
        """                             !o->members));""")]),
    ("who accepted a moment ago taken for gone", "verdict.c", [(
        """    return j->inputs->now - invite->accepted_at > ACCEPTANCE_SHOWS_SECONDS;""",
        """    return 1;""")]),
    # Found by these lives in the product once.
    ("somebody taken for gone who may be a user without an e-mail", "plan.c", [(
        """                                .may_be_nameless = view->nameless};""",
        """                                .may_be_nameless = false};""")]),
    ("a shrunken second listing believed", "pass.c", [(
        """    if (has_vanished(pass)) {""", """    if (false) {""")]),
    ("an owner counted who was deposed a moment ago", "plan.c", [(
        """    return user->role == ROLE_OWNER &&
           !ledger_deposes(inputs->ledger, user->id, inputs->users_begun, inputs->settle);""",
        """    return user->role == ROLE_OWNER;""")]),
    ("of several accepted invites the newest believed", "verdict.c", [(
        """        if (!last || invite->accepted_at > last->accepted_at)""",
        """        if (!last || invite_newer(invite, last))""")]),
    ("a user whose e-mail is gone taken for nobody", "observe.c", [(
        """    if (!user->email && !renamed)
        return 0;""",
        """    if (!user->email)
        return 0;""")]),
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

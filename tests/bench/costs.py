#!/usr/bin/env python3
"""What a pass costs: requests and connections, counted by the sandbox.

    tests/bench/costs.py [--scale N]

Each line is one kind of pass: the requests by call, the least that the work needs (a list for each
hundred invites, a request for each change, two for a replacement), and over how many connections
they went. --scale makes the organisation N times as large.
"""

import argparse
import collections
import dataclasses
import math

import bench

CONCURRENCY = 4


@dataclasses.dataclass(frozen=True)
class Work:
    """A pass over `present` invites that creates, revokes and replaces so many."""
    name: str
    present: int = 0
    creates: int = 0
    revokes: int = 0
    replaces: int = 0
    command: str = "apply"
    options: tuple = ()  # of the sandbox
    more: int = 0        # requests beyond that which the trouble made by them may cost

    @property
    def least(self):
        changes = self.creates + self.revokes + 2 * self.replaces
        return max(1, math.ceil(self.present / 100)) + (changes if self.command == "apply" else 0)


@dataclasses.dataclass
class Cost:
    calls: collections.Counter
    connections: int
    run: object

    @property
    def requests(self):
        return sum(self.calls.values())


def works(scale=1):
    thousand = 1000 * scale
    return [
        Work("empty, in sync"),
        Work("in sync", thousand),
        Work("in sync, one more than a page", 101),
        Work("plan of 50 creates", thousand, creates=50, command="plan"),
        Work("50 creates", 0, creates=50),
        Work("50 creates among many", thousand, creates=50 * scale),
        Work("30 revocations", thousand, revokes=30 * scale),
        Work("20 replacements", thousand, replaces=20 * scale),
        Work("20 of each", thousand, 20 * scale, 20 * scale, 20 * scale),
        # The outcome of one create is unknown: one listing more, and the create again if need be.
        Work("20 creates, one reply lost", 0, creates=20, more=1,
             options=("--fault", "call=create,nth=7,do=cut-after")),
        Work("20 creates, one request lost", 0, creates=20, more=2,
             options=("--fault", "call=create,nth=7,do=cut")),
    ]


def members(work):
    """Revoked are the first of those present, replaced the next; what is created is new."""
    present = bench.people(work.present)
    kept = present[work.revokes:]
    owners = set(kept[:work.replaces])
    return ([{"email": email, "role": "owner" if email in owners else "reader"}
             for email in kept] +
            [f"new{i:04}@example.com" for i in range(work.creates)])


def measure(work):
    invites = [{"email": email} for email in bench.people(work.present)]
    api = {"concurrency": CONCURRENCY}
    with bench.world(*work.options, org={"invites": invites}, api=api) as world:
        world.declare(*members(work))
        run = world.run(work.command, "-o", "json")
        requests = world.sandbox.requests()
        return Cost(collections.Counter(entry["call"] for entry in requests),
                    len({entry["connection"] for entry in requests}), run)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1)
    rows = []
    for work in works(parser.parse_args().scale):
        cost = measure(work)
        rows.append([work.name, work.present,
                     *(cost.calls[call] for call in ("list", "create", "delete")),
                     work.least, cost.requests / work.least, cost.connections,
                     cost.requests / cost.connections])
    bench.print_table(["pass", "invites", "list", "create", "delete", "least", "x least",
                       "connections", "requests each"], rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How `apply` fares against a rate limit, over real HTTP.

    tests/bench/pacing.py [--runs N] [--jobs N] [--slow] [--naive]

Each line is one limit: creates, those that failed, answers of 429, and the time of the whole run in
relation to the least time: the bucket is full at the start, so that N requests take at least
(N - burst) / rate. Of several runs it prints the least, the middle and the most. --slow adds the
limit of 8 requests a minute (seven minutes); --naive a client that does what the vendor's SDKs do:
two repetitions, each request for itself. The limits that the pace itself meets in virtual time are
in pace_sweep.c.
"""

import argparse
import concurrent.futures
import dataclasses
import http.client
import json
import random
import statistics
import time
import urllib.parse

import bench
import harness


@dataclasses.dataclass(frozen=True)
class Case:
    per_minute: int = 600
    burst: int = 4
    latency: int = 3  # milliseconds
    concurrency: int = 4
    headers: bool = False
    creates: int = 100
    more: tuple = ()  # options of the sandbox

    def options(self):
        options = ["--rpm", str(self.per_minute), "--burst", str(self.burst),
                   "--latency", str(self.latency), *self.more]
        return options + ["--rate-headers"] if self.headers else options

    def __str__(self):
        return (f"{self.per_minute}/min burst {self.burst} latency {self.latency} ms "
                f"concurrency {self.concurrency}{' Retry-After' if self.headers else ''}")


@dataclasses.dataclass
class Outcome:
    failed: int
    limited: int
    requests: list
    seconds: float
    ratio: float
    mails: dict
    run: object = None


def judge(case, sandbox, failed, seconds, run=None):
    """What came of it, by the sandbox's own log."""
    log = sandbox.control("GET", "log")
    requests = log["requests"]
    limited = sum(entry["status"] == 429 for entry in requests)
    least = (len(requests) - limited - case.burst) * 60 / case.per_minute
    return Outcome(failed, limited, requests, seconds, seconds / least, log["mails"], run)


def apply(case):
    """One run of `apply`, from its start to its end."""
    api = {"concurrency": case.concurrency}
    with bench.world(*case.options(), api=api, settle="60s") as world:
        world.declare(*bench.people(case.creates))
        process = world.start("apply", "-o", "json")
        started = time.monotonic()
        process.popen.wait(60 + 4 * case.creates * 60 / case.per_minute)
        seconds = time.monotonic() - started
        run = process.end()
        done = sum(line["result"] == "done" for line in run.actions)
        return judge(case, world.sandbox, case.creates - done, seconds, run)


def naive_create(address, email):
    """One create as the SDKs send it; whether it was taken."""
    for attempt in range(3):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", "/v1/organization/invites",
                           json.dumps({"email": email, "role": "reader"}),
                           {"Authorization": f"Bearer {harness.KEY}",
                            "Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        connection.close()
        if response.status != 429:
            return response.status < 300
        hint = response.getheader("retry-after")
        wait = float(hint) if hint else min(0.5 * 2 ** attempt, 8) * random.uniform(0.75, 1)
        if attempt < 2:
            time.sleep(wait)
    return False


def naive(case):
    with bench.world(*case.options()) as world:
        address = urllib.parse.urlsplit(world.sandbox.url).netloc
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(case.concurrency) as pool:
            taken = list(pool.map(lambda email: naive_create(address, email),
                                  bench.people(case.creates)))
        return judge(case, world.sandbox, taken.count(False), time.monotonic() - started)


def row(name, case, outcomes):
    def three(values, form):
        return "/".join(form.format(f(values)) for f in (min, statistics.median, max))
    return [f"{name}{case}", len(outcomes), case.creates,
            max(outcome.failed for outcome in outcomes),
            three([outcome.limited for outcome in outcomes], "{:g}"),
            three([outcome.seconds for outcome in outcomes], "{:.2f}"),
            three([outcome.ratio for outcome in outcomes], "{:.3f}")]


CASES = [
    Case(latency=20), Case(latency=100), Case(latency=300), Case(burst=1), Case(burst=20),
    Case(concurrency=1), Case(concurrency=16), Case(per_minute=6000), Case(per_minute=300),
    Case(headers=True), Case(per_minute=60, burst=10, creates=30, headers=True),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="of the first line; the others: 3")
    parser.add_argument("--jobs", type=int, default=3, help="runs at a time")
    parser.add_argument("--slow", action="store_true", help="8 requests a minute as well")
    parser.add_argument("--naive", action="store_true", help="what a plain client meets")
    arguments = parser.parse_args()
    lines = [("", apply, Case(), arguments.runs)]
    lines += [("", apply, case, min(arguments.runs, 3)) for case in CASES]
    if arguments.slow:
        lines.append(("", apply, Case(per_minute=8, creates=60), 1))
    if arguments.naive:
        lines += [("naive: ", naive, case, min(arguments.runs, 3))
                  for case in (Case(), Case(headers=True))]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        begun = [(name, case, [pool.submit(measure, case) for _ in range(runs)])
                 for name, measure, case, runs in lines]
        rows = [row(name, case, [job.result() for job in jobs]) for name, case, jobs in begun]
    bench.print_table(["limit", "runs", "creates", "failed", "429", "seconds", "x least"], rows)


if __name__ == "__main__":
    main()

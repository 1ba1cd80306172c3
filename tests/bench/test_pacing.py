#!/usr/bin/env python3
"""Rate limits over real HTTP: what is lost, and how often the service had to say no.

How long it takes depends on the machine and is not judged here: see test_pace.c, where time is
virtual, and pacing.py, which prints it.
"""

import collections
import unittest

import bench  # noqa: F401: finds the programs and harness
import pacing
from harness import EXIT_OK, main
from pacing import Case


class Pacing(unittest.TestCase):
    def check_all_done(self, case, most_limited):
        outcome = pacing.apply(case)
        text = outcome.run.err
        self.assertEqual(outcome.run.code, EXIT_OK, text)
        self.assertEqual(outcome.failed, 0, text)
        self.assertEqual(outcome.mails,
                         {email: 1 for email in pacing.bench.people(case.creates)})
        self.assertLessEqual(outcome.limited, most_limited)
        # The sandbox's limit was met at all, and no request was wasted on anything but it.
        self.assertGreater(outcome.limited, 0)
        counts = collections.Counter((entry["call"], entry["status"])
                                     for entry in outcome.requests)
        self.assertEqual(counts[("list", 200)], 1)
        self.assertEqual(sum(counts.values()) - outcome.limited, 1 + case.creates)
        return outcome

    def test_a_limit_without_a_word(self):
        self.check_all_done(Case(), 12)

    def test_a_bucket_of_one(self):
        self.check_all_done(Case(burst=1, creates=40), 12)

    def test_sixteen_at_a_time(self):
        """They run into the limit together, and are one brake."""
        self.check_all_done(Case(concurrency=16, latency=50, creates=60), 24)

    def test_a_limit_that_rounds_up_to_seconds(self):
        self.check_all_done(Case(headers=True, creates=30), 12)

    def test_a_hint_is_obeyed(self):
        """After a 429 nothing comes before the time that it named, but what was on its way."""
        refuse = "call=create,every=20,do=status,status=429,retry-after-ms=1500"
        case = Case(per_minute=60000, burst=1000, creates=60, more=("--fault", refuse))
        outcome = self.check_all_done(case, 3)
        self.assertEqual(outcome.limited, 3)
        times = [entry["time"] for entry in outcome.requests]
        for entry in outcome.requests:
            if entry["status"] == 429:
                early = [at for at in times if entry["time"] < at < entry["time"] + 1.5]
                # Those under way, and those begun by their answers before this one was read.
                self.assertLess(len(early), 2 * case.concurrency, f"{entry['time']}: {early}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""No more requests than the work needs, over connections that are used again."""

import unittest

import bench  # noqa: F401: finds the programs and harness
import costs
from harness import EXIT_OK, EXIT_PENDING, main


class Costs(unittest.TestCase):
    """One test for each kind of pass; they are made below."""

    def check(self, work):
        cost = costs.measure(work)
        text = cost.run.err
        self.assertEqual(cost.run.code, EXIT_OK if work.command == "apply" else EXIT_PENDING, text)
        changes = work.creates + work.revokes + work.replaces
        self.assertEqual(len(cost.run.actions), changes, text)
        self.assertGreaterEqual(cost.requests, work.least, text)
        self.assertLessEqual(cost.requests, work.least + work.more, str(cost.calls))
        # A connection that the service cut is replaced by one more.
        most = costs.CONCURRENCY if changes and work.command == "apply" else 1
        self.assertLessEqual(cost.connections, most + bool(work.options))


def make_test(work):
    return lambda self: self.check(work)


for number, each in enumerate(costs.works()):
    name = "test_" + each.name.replace(",", "").replace(" ", "_")
    assert not hasattr(Costs, name), name
    setattr(Costs, name, make_test(each))


if __name__ == "__main__":
    main()

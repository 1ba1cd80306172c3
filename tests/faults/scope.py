"""A world that ends before the test does."""

import contextlib


class Scope(contextlib.ExitStack):
    """What World wants of a test."""
    addCleanup = contextlib.ExitStack.callback

#!/usr/bin/env python3
"""The system tests on a booted Debian 13."""

import service
from scenarios import *  # noqa: F401,F403

service.RELEASE = "trixie"

if __name__ == "__main__":
    service.main()

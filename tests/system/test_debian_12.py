#!/usr/bin/env python3
"""The system tests on a booted Debian 12."""

import service
from scenarios import *  # noqa: F401,F403

service.RELEASE = "bookworm"

if __name__ == "__main__":
    service.main()

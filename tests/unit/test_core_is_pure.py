#!/usr/bin/env python3
"""core links with libc only, and uses nothing of it that reaches the world.

The archive of core comes from the environment variable INVITERD_CORE.
"""
import os
import re
import subprocess
import unittest

# Memory, strings, sorting, and streams, of which there are only memory streams: without stdout,
# stderr and fopen there is no way to another one.
ALLOWED = set("""
calloc free malloc realloc
bsearch qsort
memchr memcmp memcpy memmove memset
explicit_bzero
strchr strcmp strcpy strdup strerror strlen strncmp strrchr strspn strstr
asprintf snprintf vasprintf vsnprintf
fclose fprintf fputc fputs fwrite open_memstream putc
""".split())

# What compilers add by themselves: hardening, sanitizers, coverage.
ADDED = re.compile(r"_GLOBAL_OFFSET_TABLE_$|__stack_chk_|__(asan|ubsan|lsan|tsan|gcov|llvm|sanitizer)_|"
                   r"__assert_fail$|_GLOBAL__")


def symbols(*arguments):
    output = subprocess.run(["nm", "-P", *arguments], check=True, capture_output=True, text=True)
    for line in output.stdout.splitlines():
        fields = line.split()
        if len(fields) >= 2 and not line.endswith(":"):
            yield fields[0]


def plain(name):
    """memcpy for __memcpy_chk, which is what _FORTIFY_SOURCE makes of it."""
    match = re.fullmatch(r"__(\w+)_chk", name)
    return match[1] if match else name


class Core(unittest.TestCase):
    def test_uses_nothing_that_reaches_the_world(self):
        archive = os.environ["INVITERD_CORE"]
        wanted = set(symbols("-u", archive))
        own = set(symbols("--defined-only", archive))
        self.assertIn("pass_next", own, f"{archive} does not look like core")
        self.assertIn("calloc", wanted)
        leaks = sorted(name for name in wanted - own
                       if plain(name) not in ALLOWED and not ADDED.match(name))
        self.assertEqual(leaks, [], "pass the value in, or move the code to a floor above")


if __name__ == "__main__":
    unittest.main()

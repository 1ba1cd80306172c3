"""Whether this machine can make and boot a whole Debian, and if not, why not.

INVITERD_SYSTEM_TESTS=required makes a failure of what is otherwise a skip.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

CACHE = pathlib.Path(os.environ.get("INVITERD_SYSTEM_CACHE", "/var/cache/inviterd-system-tests"))
REQUIRED = os.environ.get("INVITERD_SYSTEM_TESTS") == "required"
TOOLS = "systemd-nspawn debootstrap unshare nsenter setpriv chroot mount git".split()

# What tests/system/keeper.py does with mounts and control groups, tried out and undone.
PROBE = """
unshare --user true || { echo 'no user namespace can be made: is this a chroot?' >&2; exit 1; }
mount --make-rprivate /
mkdir lower upper work root
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
touch root/file
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir "/sys/fs/cgroup$own/inviterd-${PWD##*/}"
rmdir "/sys/fs/cgroup$own/inviterd-${PWD##*/}"
"""


@functools.cache
def missing():
    """What is missing, or None."""
    if os.geteuid() != 0:
        return "not root"
    for tool in TOOLS:
        if not shutil.which(tool):
            return f"{tool} is not installed"
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="probe-", dir=CACHE) as directory:
            done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc",
                                   "--kill-child", "sh", "-euc", PROBE],
                                  cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return str(error)
    if done.returncode != 0:
        return done.stderr.strip().replace("\n", "; ") or f"the probe ended with {done.returncode}"
    return None

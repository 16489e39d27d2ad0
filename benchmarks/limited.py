"""A memory and a processor limit for a command and all that it starts (Linux)."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds over which processor time is counted
_ENTER = 'for group in {groups}; do echo $$ > "$group/cgroup.procs"; done; exec "$@"'


@contextmanager
def prefix(memory_mb: float, cores: float) -> Iterator[tuple[str, ...]]:
    """Yield what to put before a command so that it has so much memory, without swap, and so many cores.

    With cgroups of version 1, which a root user may make, else by ``systemd-run --user``; the command keeps its process id.

    Raises:
        OSError: if neither is possible.
    """
    if not by_hand():
        yield _by_systemd(memory_mb, cores)
        return
    limits = {
        "memory": ("memory.limit_in_bytes", int(memory_mb * 1e6)),
        "cpu": ("cpu.cfs_quota_us", int(cores * PERIOD)),
    }
    groups = [CGROUPS / controller / name() for controller in limits]
    try:
        for group, (file, limit) in zip(groups, limits.values(), strict=True):
            group.mkdir()
            (group / file).write_text(str(limit))
        yield ("sh", "-c", _ENTER.format(groups=" ".join(map(str, groups))), "sh")
    finally:
        for group in groups:
            if group.exists():
                group.rmdir()


def by_hand() -> bool:
    """Return whether cgroups of version 1 can be made."""
    return os.access(CGROUPS / "memory" / "cgroup.procs", os.W_OK)


def name() -> str:
    """Return the name of the cgroups of this process."""
    return f"covdemo-{os.getpid()}"


def _by_systemd(memory_mb: float, cores: float) -> tuple[str, ...]:
    if shutil.which("systemd-run") is None:
        raise OSError("a limit needs systemd-run, or cgroups of version 1 and a root user")
    properties = (f"MemoryMax={memory_mb * 1e6:.0f}", "MemorySwapMax=0", f"CPUQuota={100 * cores:g}%")
    return ("systemd-run", "--user", "--scope", "--quiet", *(f"--property={each}" for each in properties))

"""Whether a file fits into memory, told before it is tried: a process that the system kills cannot say why."""

from pathlib import Path

from mantic.core.errors import SourceError

# Bytes of memory per byte of file at the peak of reading and typing, measured on mixed tables of 1 GB.
_GROWTH = {"csv": 3.5, "json": 5.0, "parquet": 5.0, "arrow": 1.5, "excel": 15.0}
_ALWAYS_TRIED = 100_000_000


def check_fits(n_bytes: int, kind: str, *, where: str) -> None:
    """Refuse a file that needs more memory than is free.

    Parameters
    ----------
    n_bytes : size of the unpacked file, or of all parts together.
    kind : the source that reads it.

    Raises
    ------
    SourceError : says how much is needed and how much there is.
    """
    needed, free = n_bytes * _GROWTH.get(kind, 1.0), free_bytes()
    if n_bytes <= _ALWAYS_TRIED or free is None or needed <= free:
        return
    how = f", for instance: head -n 2000000 {Path(where).name} > part.csv" if kind == "csv" else ""
    raise SourceError(
        f"the table ({n_bytes / 1e9:.1f} GB) needs about {needed / 1e9:.0f} GB of memory; {free / 1e9:.0f} GB are free",
        where=where,
        fix=f"give a part of its rows or columns (a few million rows teach as much){how}",
    )


def free_bytes() -> int | None:
    """Return the memory that this process may still take, or None where the system does not say."""
    found = [value for value in (_of_machine(), _of_group()) if value is not None]
    return min(found) if found else None


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _of_group() -> int | None:
    """Return what is left of a container's limit (cgroup 2)."""
    group = Path("/sys/fs/cgroup")
    try:
        most, used = (int((group / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # "max" is no number: there is no limit
        return None
    return max(0, most - used)

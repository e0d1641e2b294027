"""How much memory a process has, in bytes; 0 on systems that do not tell."""

from __future__ import annotations

from pathlib import Path


def current_memory() -> int:
    """What this process has in memory now."""
    return _status("VmRSS")


def peak_memory() -> int:
    """The most that this process had in memory."""
    return _status("VmHWM")


def _status(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    found = next((line.split()[1] for line in lines if line.startswith(f"{field}:")), "0")
    return int(found) * 1024

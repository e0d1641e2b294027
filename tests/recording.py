"""Recording without a process of its own, for tests of what is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stagebook.track.recorder import record_unrecorded


def record_in_this_process(patch: Any) -> None:
    """Have MLflow told in this process, which has imported it once for all tests."""

    def record(home: Path, *, wait: bool = False) -> bool:
        record_unrecorded(home)
        return True

    for module in ("recording", "sweep_journal"):
        patch.setattr(f"stagebook.run.{module}.start_recorder", record)

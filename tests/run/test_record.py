"""What a run's record says of it."""

from __future__ import annotations

import time

from stagebook.run.record import new_run_id


def test_ids_sort_by_time_though_runs_begin_in_one_second():
    ids = []
    for _ in range(200):
        ids.append(new_run_id())
        time.sleep(0.0001)
    assert ids == sorted(set(ids))

"""`python -m tests.differential [NAME ...] [--corpus hazards|gallery|all] [--json FILE]`: run, report, judge."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.differential.corpus import Sample, hazards
from tests.differential.gallery import gallery
from tests.differential.report import Judged, as_json, as_table, target_is_met
from tests.differential.running import differences, same_environment


def main() -> int:
    """Print the report; the exit status says whether the target is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("names", nargs="*", help="samples to run; all by default")
    parser.add_argument("--corpus", choices=("hazards", "gallery", "all"), default="all")
    parser.add_argument("--json", type=Path, help="write all that was found to this file")
    parser.add_argument("--at-once", type=int, default=2, help="samples under way at once")
    given = parser.parse_args()
    judged = run_all(_chosen(given.names, given.corpus), at_once=given.at_once)
    print(as_table(judged))
    if given.json is not None:
        given.json.write_text(json.dumps(as_json(judged), indent=1), encoding="utf-8")
    return 0 if target_is_met(judged) else 1


def run_all(samples: Sequence[Sample], *, at_once: int) -> list[Judged]:
    """Judge all samples, telling of each as it is done."""
    with tempfile.TemporaryDirectory() as folder, same_environment(), ThreadPoolExecutor(at_once) as pool:

        def run(sample: Sample) -> Judged:
            one = differences(sample, Path(folder, sample.name), jobs=2)
            print(as_table([one]).rpartition("\n")[0], file=sys.stderr, flush=True)
            return one

        return list(pool.map(run, samples))


def _chosen(names: Sequence[str], corpus: str) -> list[Sample]:
    samples = hazards() if corpus in ("hazards", "all") else []
    samples += gallery() if corpus in ("gallery", "all") else []
    unknown = set(names) - {sample.name for sample in samples}
    if unknown:
        raise SystemExit(f"There is no sample {', '.join(sorted(unknown))}.")
    return [sample for sample in samples if not names or sample.name in names]


if __name__ == "__main__":
    raise SystemExit(main())

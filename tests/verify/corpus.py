"""Notebooks that go through every target: `python -m tests.verify.corpus [NAME ...] [--targets A,B] [--json FILE]`.

The demos, each hazard of the differential tests, and examples of scikit-learn's gallery with the stages that `suggest`
tags. A line for each, its differences below; the exit status is 1 where one differs, or is refused without its place.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.differential.corpus import Sample, hazards, notebook
from tests.differential.gallery import gallery

from stagebook.errors import PipelineError, StagebookError
from stagebook.verify.api import Verification, verify_notebook
from stagebook.verifytext import verification_text

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
EXAMPLES = [
    "calibration/plot_calibration_multiclass",
    "cluster/plot_affinity_propagation",
    "linear_model/plot_lasso_lars_ic",
    "linear_model/plot_ols_ridge",
    "miscellaneous/plot_isotonic_regression",
    "model_selection/plot_cv_predict",
    "model_selection/plot_roc_crossval",
    "neighbors/plot_lof_outlier_detection",
    "preprocessing/plot_target_encoder_cross_val",
    "svm/plot_svm_anova",
    "tree/plot_cost_complexity_pruning",
    "tree/plot_unveil_tree_structure",
]
_PLACED = re.compile(r"Cell \d+, line \d+ cannot be exported: .+\. .+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A notebook of the corpus: its name, what writes it into a folder, and what Stagebook must say instead."""

    name: str
    write: Callable[[Path], Path]
    refusal: str = ""


def entries() -> Iterator[Entry]:
    """All of them."""
    yield Entry("demo.flights", lambda folder: _demo(folder, "flights"))
    yield Entry("demo.untagged", lambda folder: _suggested(_demo(folder, "untagged")))
    for sample in gallery(EXAMPLES):
        yield Entry(sample.name, lambda folder, one=sample: _suggested(_written(folder, one, tagged=False)))
    for sample in hazards():
        yield Entry(sample.name, lambda folder, one=sample: _written(folder, one, tagged=True), sample.refusal)


def _demo(folder: Path, name: str) -> Path:
    shutil.copytree(NOTEBOOKS / "data", folder / "data")
    return Path(shutil.copy(NOTEBOOKS / f"{name}.ipynb", folder))


def _written(folder: Path, sample: Sample, *, tagged: bool) -> Path:
    for name, text in sample.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    document = notebook([*sample.cells])
    for cell in document["cells"] if not tagged else ():
        cell["metadata"] = {}
    path = folder / "notebook.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _suggested(path: Path) -> Path:
    """The notebook, tagged as `stagebook suggest` would have it."""
    command = [sys.executable, "-m", "stagebook", "suggest", str(path), "--write"]
    subprocess.run(command, check=True, capture_output=True)
    return path


def verified(entry: Entry, folder: Path, targets: tuple[str, ...]) -> tuple[Verification | None, str]:
    """What came of a notebook, and what is wrong with that; nothing where all is as it should be."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = entry.write(folder)
    before = sorted(one.name for one in folder.iterdir())
    try:
        found = verify_notebook(path, names=targets)
    except StagebookError as error:
        findings = error.findings if isinstance(error, PipelineError) else ()
        told = " ".join([str(error), *(one.message for one in findings)])
        return None, "" if entry.refusal and entry.refusal in told else told
    wrong = [one.why for one in found.columns if one.became == "refused" and not _PLACED.match(one.why)]
    wrong += [one.target for one in found.columns if one.differs]
    wrong += ["the folder is not as it was"] if sorted(one.name for one in folder.iterdir()) != before else []
    return found, "; ".join(wrong)


def line_of(name: str, found: Verification | None, wrong: str) -> str:
    """A notebook in a line; where something is wrong, all of it."""
    if found is None:
        return f"{name}: {wrong or 'no pipeline, as it should be'}"
    words = [f"{one.target} {'differs' if one.differs else one.became}" for one in found.columns]
    return "\n".join([f"{name}: {', '.join(words)}", *([verification_text(found), wrong] if wrong else [])])


def main() -> int:
    """Verify the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.verify.corpus", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--targets", default="local,papermill,python,kedro")
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    chosen = [one for one in entries() if not given.names or one.name in given.names]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.at_once) as pool:

        def work(entry: Entry) -> tuple[str, Verification | None, str]:
            return (entry.name, *verified(entry, Path(folder, entry.name), tuple(given.targets.split(","))))

        for future in as_completed([pool.submit(work, one) for one in chosen]):
            name, found, wrong = future.result()
            print(line_of(name, found, wrong), flush=True)
            counts["wrong" if wrong else "right"] += 1
            for one in found.columns if found is not None else ():
                counts[f"{one.target} {'differs' if one.differs else one.became}"] += 1
            counts["no pipeline"] += found is None and not wrong
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    raise SystemExit(main())

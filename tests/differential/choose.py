"""`python -m tests.differential.choose`: choose the gallery's examples anew, for `gallery.txt`, which it prints.

An example may be taken if it needs nothing that is not installed and no download, has 3 to 12 code cells, and runs
through in one plain kernel within a minute. Each is run once, which takes half an hour or so in all. The cheapest are
taken, and of each folder at least one.
"""

from __future__ import annotations

import ast
import re
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.differential.corpus import Sample
from tests.differential.gallery import example, examples
from tests.differential.running import plain_seconds, same_environment

MOST_SECONDS = 60
MOST = 75
_NEEDS_NETWORK = re.compile(r"fetch_\w+|urlopen|urlretrieve|https?://\S+\.(csv|zip|gz|png|jpg)|read_html")


def main() -> None:
    """Print the list."""
    found = []
    with tempfile.TemporaryDirectory() as folder, same_environment():
        for sample in candidates():
            seconds = plain_seconds(sample, Path(folder, sample.name), timeout=MOST_SECONDS)
            print(sample.name, seconds, file=sys.stderr, flush=True)
            if seconds is not None and seconds <= MOST_SECONDS:
                found.append((seconds, sample))
    print("# Seconds in one plain kernel, example, code cells. Written by `python -m tests.differential.choose`.")
    folders: set[str] = set()
    for position, (seconds, sample) in enumerate(sorted(found, key=lambda one: one[0])):
        folder_name = sample.name.partition(".")[0]
        if position >= MOST and folder_name in folders:
            continue
        folders.add(folder_name)
        print(f"{seconds:5.1f} {sample.name.replace('.', '/')}  # {len(sample.cells)}")


def candidates() -> list[Sample]:
    """The examples that may be taken, by what stands in them."""
    folder = examples()
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("plot_*.py"))
    samples = [(folder / f"{name}.py", example(folder, name)) for name in names]
    return [one for path, one in samples if 3 <= len(one.cells) <= 12 and _stands_alone(path.read_text("utf-8"))]


def _stands_alone(text: str) -> bool:
    modules = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    return not _NEEDS_NETWORK.search(text) and all(find_spec(module.split(".")[0]) for module in modules)


if __name__ == "__main__":
    main()
